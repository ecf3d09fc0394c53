# SPDX-License-Identifier: Apache-2.0
"""What a name or an id names, and what names nothing."""

from collections.abc import Callable

import pytest

from tests.unit.world import World, uuid
from vbsclient.api import errors
from vbsclient.lookup.refusals import MissingError, RefusedError
from vbsclient.osc.output.hints import hint_of

MakeWorld = Callable[..., World]


def ids_of(world: World, *arguments: str) -> list[str | None]:
    targets = world.backup_deletion(*arguments).targets()
    return [t.id if t.refusal is None else None for t in targets]


def refusal_of(world: World, *arguments: str) -> errors.ClientError:
    [target] = world.backup_deletion(*arguments).targets()
    assert target.refusal is not None
    return target.refusal


class TestNames:
    @pytest.mark.parametrize('others', [0, 6], ids=['few', 'many'])
    def test_a_name_is_exact_although_the_service_is_not(
        self, world: MakeWorld, others: int
    ) -> None:
        there = world()
        wanted = there.add_backup(1, name='nightly')
        there.add_backup(2, name='nightly-2')
        there.add_backup(3, name='Nightly')
        more = [there.add_backup(10 + n) for n in range(others)]
        assert ids_of(there, 'nightly', *more) == [wanted, *more]

    @pytest.mark.parametrize('others', [0, 6], ids=['few', 'many'])
    def test_two_bearers_of_a_name_are_both_shown_and_neither_taken(
        self, world: MakeWorld, others: int
    ) -> None:
        there = world()
        twins = [there.add_backup(n, name='twin') for n in (1, 2)]
        more = [there.add_backup(10 + n) for n in range(others)]
        first, *rest = there.backup_deletion('twin', *more).targets()

        assert isinstance(first.refusal, RefusedError)
        assert not isinstance(first.refusal, MissingError)
        assert all(id in first.refusal.message for id in twins)
        assert [target.id for target in rest] == more

    @pytest.mark.parametrize('others', [0, 6], ids=['few', 'many'])
    def test_an_id_wins_over_a_name_of_the_same_text(
        self, world: MakeWorld, others: int
    ) -> None:
        there = world()
        wanted = there.add_backup(1)
        there.add_backup(2, name=wanted)
        more = [there.add_backup(10 + n) for n in range(others)]
        assert ids_of(there, wanted, *more) == [wanted, *more]

    @pytest.mark.parametrize('others', [0, 6], ids=['few', 'many'])
    def test_a_name_of_the_shape_of_an_id_is_no_name(
        self, world: MakeWorld, others: int
    ) -> None:
        there = world()
        there.add_backup(2, name=uuid(1))
        more = [there.add_backup(10 + n) for n in range(others)]
        first, *_ = there.backup_deletion(uuid(1), *more).targets()
        assert isinstance(first.refusal, MissingError)
        assert uuid(1) in first.refusal.message

    @pytest.mark.parametrize(
        ('text', 'kind'),
        [
            ('', RefusedError),
            (' ', RefusedError),
            ('\t\n', RefusedError),
            ('\u00a0', RefusedError),
            ('x' * 256, MissingError),
            ('caf\udce9', MissingError),
        ],
    )
    def test_what_can_name_nothing_asks_nothing(
        self, world: MakeWorld, text: str, kind: type[RefusedError]
    ) -> None:
        there = world()
        there.add_backup(1, name=text)
        assert type(refusal_of(there, text)) is kind
        assert not [line for line in there.cloud.sent() if 'name=' in line]

    @pytest.mark.parametrize('name', ['..', 'detail', 'a/b', '日?&#%', '-x'])
    def test_any_other_text_is_a_name_in_a_query(
        self, world: MakeWorld, name: str
    ) -> None:
        there = world()
        wanted = there.add_backup(1, name=name)
        assert ids_of(there, name) == [wanted]
        asked = [r for r in there.cloud.requests if 'name=' in r.url]
        assert {
            r.path.rsplit('/', 2)[1:] == ['backups', 'detail'] for r in asked
        } == {True}

    def test_two_names_of_one_backup_are_one_target(
        self, world: MakeWorld
    ) -> None:
        there = world()
        wanted = there.add_backup(1, name='nightly')
        assert ids_of(there, 'nightly', wanted, 'nightly') == [wanted]

    def test_an_unknown_name(self, world: MakeWorld) -> None:
        refusal = refusal_of(world(), 'ghost')
        assert isinstance(refusal, MissingError)
        assert refusal.message == "No backup found for 'ghost'"

    def test_an_id_of_no_uuid_never_enters_a_url(
        self, world: MakeWorld
    ) -> None:
        there = world(pin='2')
        there.add_backup(1, id='../../v1/x', name='evil')
        [outcome], _ = there.carry_out(there.backup_deletion('evil'))
        assert isinstance(outcome.error, errors.InvalidId)
        assert there.deletes() == []

    def test_an_id_of_no_uuid_is_refused_in_the_plan(
        self, world: MakeWorld
    ) -> None:
        there = world()
        there.add_backup(1, name='nightly', id='../detail')
        assert isinstance(refusal_of(there, 'nightly'), errors.InvalidId)


class TestIds:
    @pytest.mark.parametrize('others', [0, 6], ids=['few', 'many'])
    def test_an_unknown_id(self, world: MakeWorld, others: int) -> None:
        there = world()
        more = [there.add_backup(10 + n) for n in range(others)]
        first, *rest = there.backup_deletion(uuid(1), *more).targets()
        assert isinstance(first.refusal, MissingError)
        assert all(target.refusal is None for target in rest)

    def test_a_list_that_skips_a_row_proves_nothing(
        self, world: MakeWorld
    ) -> None:
        there = world()
        ids = [there.add_backup(n) for n in range(1, 6)]
        rows = [{**row} for row in there.backups[1:]]
        there.fails('GET /v3/.*/detail\\?limit=1000$', 200, {'backups': rows})
        there.fails('GET /v3/.*/detail', 200, {'backups': []})
        assert ids_of(there, *ids) == ids

    def test_a_body_with_another_id_is_refused(self, world: MakeWorld) -> None:
        there = world()
        wanted = there.add_backup(1)
        other = {'id': there.add_backup(2), 'status': 'available'}
        there.fails(f'GET /v3/.*/{wanted}', 200, {'backup': other})
        [outcome], _ = there.carry_out(there.backup_deletion(wanted))
        assert isinstance(outcome.error, errors.MalformedResponse)
        assert there.deletes() == []

    def test_one_id_that_cannot_be_read_is_that_target_alone(
        self, world: MakeWorld
    ) -> None:
        there = world()
        bad, good = there.add_backup(1), there.add_backup(2)
        there.fails(f'GET /v3/.*/{bad}', 500)
        first, second = there.backup_deletion(bad, good).targets()
        assert isinstance(first.refusal, errors.InternalServerError)
        assert (second.id, second.refusal) == (good, None)

    def test_a_share_a_server_backup_and_a_checkpoint_are_recognised(
        self, world: MakeWorld
    ) -> None:
        there = world()
        share = there.add_share(70, uuid(1))
        item = there.add_item(80)
        checkpoint = there.items[0]['checkpoint_id']
        targets = there.backup_deletion(share, item, checkpoint).targets()
        for target, command in zip(
            targets,
            (
                'vbs share delete',
                'csbs backup delete',
                'csbs checkpoint delete',
            ),
            strict=True,
        ):
            assert f'openstack {command}' in hint_of(target.refusal)
        assert there.deletes() == []
