# SPDX-License-Identifier: Apache-2.0
"""A disk backup that CSBS made is deleted through CSBS alone (rule 6)."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.world import World, uuid
from vbsclient.api.csbs import CSBS_PROVIDER
from vbsclient.change.targets import Target
from vbsclient.osc.output.hints import hint_of

MakeWorld = Callable[..., World]

MARKS = ['{"ST": 1}', '{"ST": 5}', ' {"ST": "1"}', '{"ST": 0, "VMID": "x"}']
HOW_MANY = pytest.mark.parametrize('others', [0, 6], ids=['few', 'many'])


def target_for(
    world: World, id: str, others: int = 0, **options: Any
) -> Target:
    more = [world.add_backup(10 + n) for n in range(others)]
    first, *rest = world.backup_deletion(id, *more, **options).targets()
    for target in rest:
        assert target.refusal is None or first.refusal is not None
    return first


def words(target: Target) -> str:
    assert target.refusal is not None
    return f'{target.refusal.message} / {hint_of(target.refusal)}'


@pytest.fixture(params=['2', '3'])
def pin(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class TestMarked:
    @HOW_MANY
    @pytest.mark.parametrize('mark', MARKS)
    def test_v2_tells_and_csbs_names_the_owner(
        self, world: MakeWorld, pin: str, mark: str, others: int
    ) -> None:
        there = world(pin=pin)
        disk = there.add_backup(1, service_metadata=mark)
        item = there.add_item(80, disks=[disk], name='web01-pre')
        target = target_for(there, disk, others)
        assert 'web01-pre' in words(target)
        assert f'openstack csbs backup delete {item}' in words(target)
        assert target.source == 'CSBS'

    @HOW_MANY
    @pytest.mark.parametrize('metadata', [None, '{}', '{"ST": 0}'])
    def test_v2_clears_it(
        self, world: MakeWorld, pin: str, metadata: Any, others: int
    ) -> None:
        there = world(pin=pin)
        disk = there.add_backup(1, service_metadata=metadata)
        target = target_for(there, disk, others)
        assert target.refusal is None
        assert target.source == 'VBS'

    def test_v2_clears_it_without_asking_csbs(
        self, world: MakeWorld, pin: str
    ) -> None:
        there = world(pin=pin)
        target_for(there, there.add_backup(1))
        assert not [u for u in there.cloud.sent() if 'csbs.example' in u]

    def test_left_over_where_the_owner_is_gone(
        self, world: MakeWorld, pin: str
    ) -> None:
        there = world(pin=pin)
        disk = there.add_backup(1, service_metadata='{"ST": 1}')
        there.add_item(80, disks=['another'])
        assert 'left over from CSBS' in words(target_for(there, disk))

    @pytest.mark.parametrize('status', [401, 403, 500])
    def test_marked_although_csbs_cannot_be_read(
        self, world: MakeWorld, pin: str, status: int
    ) -> None:
        there = world(pin=pin)
        there.fails('checkpoint_items', status)
        disk = there.add_backup(1, service_metadata='{"ST": 1}')
        assert 'CSBS made it' in words(target_for(there, disk))
        assert 'left over' not in words(target_for(there, disk))

    def test_marked_in_a_cloud_without_csbs(
        self, world: MakeWorld, pin: str
    ) -> None:
        there = world(pin=pin, csbs=False)
        disk = there.add_backup(1, service_metadata='{"VMID": "x"}')
        assert 'CSBS made it' in words(target_for(there, disk))

    @pytest.mark.parametrize('mark', MARKS)
    def test_force_goes_ahead(
        self, world: MakeWorld, pin: str, mark: str
    ) -> None:
        there = world(pin=pin)
        disk = there.add_backup(1, service_metadata=mark)
        there.add_item(80, disks=[disk])
        [outcome], _ = there.carry_out(there.backup_deletion(disk, force=True))
        assert outcome.error is None
        assert there.deletes() == [disk]

    def test_force_verifies_the_id_all_the_same(
        self, world: MakeWorld, pin: str
    ) -> None:
        there = world(pin=pin)
        there.add_backup(1, name='x')
        [outcome], _ = there.carry_out(there.backup_deletion('y', force=True))
        assert outcome.error is not None
        assert there.deletes() == []


class TestV3:
    """v3 has no mark: v2 of the same host is read, whatever deletes."""

    def test_the_delete_goes_to_v3(self, world: MakeWorld) -> None:
        there = world(pin='3')
        disk = there.add_backup(1)
        there.carry_out(there.backup_deletion(disk))
        assert ['/v3/' in line for line in there.cloud.sent('DELETE')] == [
            True
        ]
        assert [u for u in there.cloud.sent('GET') if '/v2/' in u]

    @HOW_MANY
    @pytest.mark.parametrize('status', [400, 403, 500])
    def test_v2_unreadable_and_csbs_clears_it(
        self, world: MakeWorld, status: int, others: int
    ) -> None:
        there = world()
        there.fails('GET /v2/.*/backups/', status)
        target = target_for(there, there.add_backup(1), others)
        assert target.refusal is None

    @HOW_MANY
    @pytest.mark.parametrize('status', [400, 403, 500])
    def test_v2_unreadable_and_csbs_knows_it(
        self, world: MakeWorld, status: int, others: int
    ) -> None:
        there = world()
        there.fails('GET /v2/.*/backups/', status)
        disk = there.add_backup(1, service_metadata='{"ST": 1}')
        item = there.add_item(80, disks=['x', disk])
        assert item in words(target_for(there, disk, others))

    @HOW_MANY
    @pytest.mark.parametrize('status', [403, 500])
    def test_both_unreadable(
        self, world: MakeWorld, status: int, others: int
    ) -> None:
        there = world()
        there.fails('GET /v2/.*/backups/', 403)
        there.fails('checkpoint_items', status)
        target = target_for(there, there.add_backup(1), others)
        assert 'could not be read' in words(target)
        assert target.source == ''

    def test_a_time_out_is_unreadable_too(self, world: MakeWorld) -> None:
        there = world()
        there.breaks('GET /v2/.*/backups/')
        there.breaks('checkpoint_items')
        target = target_for(there, there.add_backup(1))
        assert 'could not be read' in words(target)

    @HOW_MANY
    def test_v2_unreadable_and_no_csbs(
        self, world: MakeWorld, others: int
    ) -> None:
        there = world(csbs=False)
        there.fails('GET /v2/.*/backups/', 403)
        target = target_for(there, there.add_backup(1), others)
        assert 'could not be read' in words(target)

    @pytest.mark.parametrize(
        'body', [{'x': 1}, {'backup': None}, {'backup': {'id': 'x'}}]
    )
    def test_what_v2_says_of_another_is_unreadable_too(
        self, world: MakeWorld, body: Any
    ) -> None:
        there = world(csbs=False)
        there.fails('GET /v2/.*/backups/', 200, body)
        target = target_for(there, there.add_backup(1))
        assert 'could not be read' in words(target)

    @pytest.mark.parametrize('disks', [[], None])
    def test_no_v2_on_the_host_and_csbs_clears_it(
        self, world: MakeWorld, disks: Any
    ) -> None:
        there = world(versions=('v3',))
        there.add_item(80, disks=disks or [])
        assert target_for(there, there.add_backup(1)).refusal is None

    @HOW_MANY
    def test_no_v2_on_the_host_and_csbs_knows_it(
        self, world: MakeWorld, others: int
    ) -> None:
        there = world(versions=('v3',))
        disk = there.add_backup(1)
        item = there.add_item(80, disks=[disk])
        assert item in words(target_for(there, disk, others))

    @HOW_MANY
    def test_no_v2_and_no_csbs_is_nothing_to_check(
        self, world: MakeWorld, others: int
    ) -> None:
        there = world(versions=('v3',), csbs=False)
        assert target_for(there, there.add_backup(1), others).refusal is None

    @HOW_MANY
    def test_no_v2_and_csbs_unreadable(
        self, world: MakeWorld, others: int
    ) -> None:
        there = world(versions=('v3',))
        there.fails('checkpoint_items', 403)
        target = target_for(there, there.add_backup(1), others)
        assert 'could not be read' in words(target)


class TestCinder:
    """Plain Cinder serves v2 without the key, which says nothing."""

    def world(self, world: MakeWorld, pin: str) -> tuple[World, str]:
        there = world(pin=pin)
        disk = there.add_backup(1)
        del there.backups[0]['service_metadata']
        return there, disk

    def test_csbs_knows_it(self, world: MakeWorld, pin: str) -> None:
        there, disk = self.world(world, pin)
        item = there.add_item(80, disks=[disk])
        assert item in words(target_for(there, disk))

    def test_csbs_clears_it(self, world: MakeWorld, pin: str) -> None:
        there, disk = self.world(world, pin)
        there.add_item(80, disks=['another'])
        assert target_for(there, disk).refusal is None

    def test_csbs_is_unreadable(self, world: MakeWorld, pin: str) -> None:
        there, disk = self.world(world, pin)
        there.fails('checkpoint_items', 403)
        assert 'could not be read' in words(target_for(there, disk))

    def test_plain_karbor_has_no_items(
        self, world: MakeWorld, pin: str
    ) -> None:
        there, disk = self.world(world, pin)
        there.has_items = False
        there.provider = uuid(7)
        assert target_for(there, disk).refusal is None

    def test_a_karbor_that_knows_the_provider_of_csbs_clears_nothing(
        self, world: MakeWorld, pin: str
    ) -> None:
        there, disk = self.world(world, pin)
        there.has_items = False
        assert 'could not be read' in words(target_for(there, disk))

    @pytest.mark.parametrize(
        'lost',
        [
            'providers',
            'providers$',
            f'providers/{CSBS_PROVIDER}/checkpoints',
        ],
    )
    @pytest.mark.parametrize('status', [403, 500])
    def test_a_karbor_that_does_not_say_so_clears_nothing(
        self, world: MakeWorld, pin: str, lost: str, status: int
    ) -> None:
        there, disk = self.world(world, pin)
        there.has_items = False
        there.provider = uuid(7)
        there.fails(lost.replace('$', r'\?$'), status)
        assert 'could not be read' in words(target_for(there, disk))

    def test_one_404_makes_no_karbor(self, world: MakeWorld, pin: str) -> None:
        there, disk = self.world(world, pin)
        item = there.add_item(80, disks=[disk])
        there.fails_once('checkpoint_items', 404)
        assert item in words(target_for(there, disk))

    @pytest.mark.parametrize(
        'extend',
        [None, 'rubbish', {'volume_backups': None}, {'volume_backups': [{}]}],
        ids=str,
    )
    def test_a_server_backup_of_unknown_disks_clears_nothing(
        self, world: MakeWorld, pin: str, extend: Any
    ) -> None:
        there, disk = self.world(world, pin)
        there.add_item(80, extend_info=extend)
        assert 'could not be read' in words(target_for(there, disk))

    def test_an_endpoint_that_knows_nothing_clears_nothing(
        self, world: MakeWorld, pin: str
    ) -> None:
        there, disk = self.world(world, pin)
        there.fails('checkpoint', 404)
        assert 'could not be read' in words(target_for(there, disk))


def test_a_list_of_csbs_that_was_read_wins_over_a_mark(
    world: MakeWorld, pin: str
) -> None:
    there = world(pin=pin)
    marked, other = there.add_backup(1), there.add_backup(2)
    there.backups[1]['service_metadata'] = '{"ST": 7}'
    there.add_item(80, disks=[marked])
    first, second = there.backup_deletion(marked, other).targets()
    assert uuid(80) in words(first)
    assert second.refusal is None


@pytest.mark.parametrize(
    'metadata', ['{"ST": 1, "VMID": "0b9', 'ST=1', 7, '{"ST": 7}']
)
def test_metadata_that_cannot_be_read_clears_nothing(
    world: MakeWorld, pin: str, metadata: Any
) -> None:
    there = world(pin=pin)
    disk = there.add_backup(1, service_metadata=metadata)
    item = there.add_item(80, disks=[disk])
    assert item in words(target_for(there, disk))


@pytest.mark.parametrize(
    'metadata', ['{"ST": 1, "VMID": "0b9', 'ST=1', 7, '{"ST": 7}']
)
def test_nor_does_it_without_csbs(
    world: MakeWorld, pin: str, metadata: Any
) -> None:
    there = world(pin=pin, csbs=False)
    disk = there.add_backup(1, service_metadata=metadata)
    assert target_for(there, disk).refusal is not None


@pytest.mark.parametrize(
    ('status', 'body'), [(403, {}), (500, {}), (200, {'backup': None})]
)
def test_one_that_v2_does_not_know_clears_no_other(
    world: MakeWorld, status: int, body: Any
) -> None:
    there = world(csbs=False)
    absent, unreadable = there.add_backup(1), there.add_backup(2)
    there.fails(f'GET /v2/.*{absent}', 404)
    there.fails(f'GET /v2/.*{unreadable}', status, body)
    _, second = there.backup_deletion(absent, unreadable).targets()
    assert 'could not be read' in words(second)
