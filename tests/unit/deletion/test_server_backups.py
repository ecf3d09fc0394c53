# SPDX-License-Identifier: Apache-2.0
"""Deleting checkpoints and single items, which are never mixed up."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.fakes import PROJECT
from tests.unit.world import World, uuid
from vbsclient.api import errors
from vbsclient.api.csbs import NoServerBackups
from vbsclient.bulk import State
from vbsclient.change.follow import Follower
from vbsclient.change.run import execute
from vbsclient.change.targets import AbortRun, Outcome, Recorder
from vbsclient.deletion import server_backups, siblings
from vbsclient.lookup.refusals import (
    MissingError,
    RefusedError,
    SkippedError,
    UnverifiedError,
)
from vbsclient.osc.output.hints import hint_of
from vbsclient.waiting import Patience

#: Bodies that do not say whether an image was made, or say so oddly.
UNREADABLE: list[dict[str, Any]] = [
    {'extend_info': None},
    {'extend_info': 'rubbish'},
    {'extend_info': '{"os_images_data": [{"image_id": "x"}]}'},
    {'extend_info': {'os_images_data': '[{"image_id": "x"}]'}},
]

MakeWorld = Callable[..., World]
CHECKPOINT = uuid(500)


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_backups, 'PROOF_TIMEOUT', 0.05)
    monkeypatch.setattr(siblings, 'SECOND_LOOK', 0.0)


def item_delete(checkpoint: str, item: str) -> str:
    return f'{checkpoint}?checkpoint_items={item}'


def one_of_two(there: World, number: int) -> list[str]:
    """So many checkpoints of two backups each: the first one of each."""
    ids = []
    for n in range(number):
        ids.append(there.add_item(80 + n, checkpoint=500 + n))
        there.add_item(90 + n, checkpoint=500 + n)
    return ids


class TestWholeCheckpoints:
    def test_one_delete_without_a_query(self, world: MakeWorld) -> None:
        there = world()
        for number in (80, 81):
            there.add_item(number)
        [outcome], _ = there.carry_out(there.checkpoint_deletion(CHECKPOINT))
        assert outcome.state is State.ACCEPTED
        assert there.deletes() == [CHECKPOINT]

    @pytest.mark.parametrize(('count', 'members'), [(1, 1), (2, 2), (5, 5)])
    def test_what_goes_beside_is_listed(
        self, world: MakeWorld, count: int, members: int
    ) -> None:
        there = world()
        for number in range(count):
            there.add_item(80 + number)
        there.add_item(99, checkpoint=501)
        [target] = there.checkpoint_deletion(CHECKPOINT).targets()
        assert len(target.members) == members

    @pytest.mark.parametrize('others', [0, 6], ids=['few', 'many'])
    def test_without_items_there_is_none(
        self, world: MakeWorld, others: int
    ) -> None:
        there = world()
        more = []
        for n in range(others):
            there.add_item(80 + n, checkpoint=600 + n)
            more.append(uuid(600 + n))
        first, *rest = there.checkpoint_deletion(CHECKPOINT, *more).targets()
        assert isinstance(first.refusal, MissingError)
        assert [t.refusal for t in rest] == [None] * others

    def test_items_that_are_deleted_are_none(self, world: MakeWorld) -> None:
        there = world()
        there.add_item(80, status='deleted')
        [target] = there.checkpoint_deletion(CHECKPOINT).targets()
        assert isinstance(target.refusal, MissingError)

    @pytest.mark.parametrize('text', ['item', '..', CHECKPOINT[:-1], 'gone'])
    def test_what_is_not_its_name(self, world: MakeWorld, text: str) -> None:
        there = world()
        there.add_item(80)
        there.add_item(81, checkpoint=501, name='gone', status='deleted')
        [target] = there.checkpoint_deletion(text).targets()
        assert isinstance(target.refusal, MissingError)
        [target] = there.checkpoint_deletion('').targets()
        assert type(target.refusal) is RefusedError

    @pytest.mark.parametrize('others', [0, 6], ids=['few', 'many'])
    def test_a_name_is_that_of_its_backups(
        self, world: MakeWorld, others: int
    ) -> None:
        there = world()
        for number in (80, 81):
            there.add_item(number, name='run')
        more = [f'item-{90 + n}' for n in range(others)]
        for n in range(others):
            there.add_item(90 + n, checkpoint=600 + n)
        target, *rest = there.checkpoint_deletion(
            'run', *more, CHECKPOINT
        ).targets()
        assert (target.id, target.name) == (CHECKPOINT, 'run')
        assert len(target.members) == 2
        assert [t.id for t in rest] == [uuid(600 + n) for n in range(others)]

    @pytest.mark.parametrize('others', [0, 6], ids=['few', 'many'])
    def test_a_name_of_two_checkpoints(
        self, world: MakeWorld, others: int
    ) -> None:
        there = world()
        there.add_item(80, name='run')
        there.add_item(81, name='run', checkpoint=501)
        more = [f'x{n}' for n in range(others)]
        target, *_ = there.checkpoint_deletion('run', *more).targets()
        assert type(target.refusal) is RefusedError
        assert CHECKPOINT in target.refusal.message
        assert uuid(501) in target.refusal.message

    def test_a_name_of_one_backup_of_several_lists_them_all(
        self, world: MakeWorld
    ) -> None:
        there = world()
        there.add_item(80, name='web')
        there.add_item(81, name='db')
        [target] = there.checkpoint_deletion('db').targets()
        assert (target.id, target.name) == (CHECKPOINT, 'db')
        assert len(target.members) == 2

    def test_a_name_that_is_not_in_its_checkpoint_any_more(
        self, world: MakeWorld
    ) -> None:
        there = world()
        there.add_item(80, name='run')
        there.add_item(81, name='other')
        deletion = there.checkpoint_deletion('run')
        read = deletion._csbs.backups.list

        def lists(**query: Any) -> Any:
            yield from read(**query)
            there.items[:] = there.items[-1:]

        deletion._csbs.backups.list = lists
        [target] = deletion.targets()
        assert isinstance(target.refusal, MissingError)

    @pytest.mark.parametrize(
        'changes',
        [
            {'status': 'waiting_protect'},
            {'status': 'protecting'},
            {'status': 'waiting_restore'},
            {'status': 'restoring'},
            {'image': True},
            *UNREADABLE,
        ],
    )
    def test_one_item_that_must_stay_keeps_all(
        self, world: MakeWorld, changes: dict[str, Any]
    ) -> None:
        there = world()
        there.add_item(80)
        bad = there.add_item(81, **changes)
        [outcome], _ = there.carry_out(there.checkpoint_deletion(CHECKPOINT))
        assert isinstance(outcome.error, RefusedError)
        assert bad in outcome.error.message
        assert there.deletes() == []

    @pytest.mark.parametrize(
        'status', ['available', 'error', 'error_deleting']
    )
    def test_stable_and_failed_ones_are_sent(
        self, world: MakeWorld, status: str
    ) -> None:
        there = world()
        there.add_item(80, status=status)
        there.carry_out(there.checkpoint_deletion(CHECKPOINT))
        assert there.deletes() == [CHECKPOINT]

    def test_what_is_going_needs_no_request(self, world: MakeWorld) -> None:
        there = world()
        there.add_item(80, status='waiting_delete')
        there.add_item(81, status='deleting')
        [outcome], _ = there.carry_out(there.checkpoint_deletion(CHECKPOINT))
        assert outcome.state is State.ACCEPTED
        assert there.deletes() == []

    def test_the_id_of_an_item_is_recognised(self, world: MakeWorld) -> None:
        there = world()
        item = there.add_item(80)
        [target] = there.checkpoint_deletion(item).targets()
        command = f'openstack csbs backup delete {item}'
        assert command in hint_of(target.refusal)

    @pytest.mark.parametrize(
        ('now', 'state'),
        [
            ('deleted', State.DONE),
            ('deleting', State.ACCEPTED),
            ('available', State.FAILED),
        ],
    )
    def test_a_404_is_judged_by_its_items(
        self, world: MakeWorld, now: str, state: State
    ) -> None:
        there = world()
        there.add_item(80)
        there.fails('DELETE', 404)
        deletion = there.verified(there.checkpoint_deletion(CHECKPOINT))
        there.items[0]['status'] = now
        [outcome], _ = there.carry_out(deletion)
        assert outcome.state is state


class TestPlainKarbor:
    def world(self, world: MakeWorld, **changes: Any) -> World:
        there = world()
        there.has_items = False
        there.karbor.append(
            {'id': CHECKPOINT, 'status': 'available'} | changes
        )
        return there

    def test_checkpoints_are_verified_by_themselves(
        self, world: MakeWorld
    ) -> None:
        there = self.world(world)
        outcomes, _ = there.carry_out(
            there.checkpoint_deletion(CHECKPOINT, uuid(7))
        )
        assert outcomes[0].state is State.ACCEPTED
        assert isinstance(outcomes[1].error, MissingError)
        assert there.deletes() == [CHECKPOINT]

    def test_a_deleted_one_goes_on_answering(self, world: MakeWorld) -> None:
        there = self.world(world, status='deleted')
        [outcome], _ = there.carry_out(there.checkpoint_deletion(CHECKPOINT))
        assert isinstance(outcome.error, MissingError)
        assert there.deletes() == []

    def test_that_of_another_project_is_that_target_alone(
        self, world: MakeWorld
    ) -> None:
        there = self.world(world)
        there.fails(f'GET .*checkpoints/{uuid(7)}', 403)
        outcomes, _ = there.carry_out(
            there.checkpoint_deletion(uuid(7), CHECKPOINT)
        )
        assert isinstance(outcomes[0].error, errors.Forbidden)
        assert there.deletes() == [CHECKPOINT]

    def test_names_are_refused(self, world: MakeWorld) -> None:
        there = self.world(world, name='run')
        first, second = there.checkpoint_deletion('run', CHECKPOINT).targets()
        assert type(first.refusal) is RefusedError
        assert "'run' is not the ID of a checkpoint" in str(first.refusal)
        assert second.refusal is None

    def test_items_are_refused(self, world: MakeWorld) -> None:
        there = self.world(world)
        for deletion in (
            there.item_deletion(uuid(80)),
            there.item_deletion('item-80'),
            there.item_deletion(uuid(80), checkpoint=CHECKPOINT),
        ):
            with pytest.raises(NoServerBackups):
                deletion.targets()
        assert there.deletes() == []


class TestItems:
    def test_one_delete_each_and_never_the_whole(
        self, world: MakeWorld
    ) -> None:
        there = world()
        ids = [there.add_item(80 + n) for n in range(5)]
        outcomes, stopped = there.carry_out(there.item_deletion(*ids))
        assert stopped is None
        assert [o.state for o in outcomes] == [State.ACCEPTED] * 5
        assert sorted(there.deletes()) == [
            item_delete(CHECKPOINT, id) for id in ids
        ]

    def test_by_name(self, world: MakeWorld) -> None:
        there = world()
        wanted = there.add_item(80, name='pre')
        there.add_item(81, name='pre-2')
        there.carry_out(there.item_deletion('pre'))
        assert there.deletes() == [item_delete(CHECKPOINT, wanted)]

    def test_two_bearers_of_a_name(self, world: MakeWorld) -> None:
        there = world()
        twins = [there.add_item(80 + n, name='twin') for n in range(2)]
        [target] = there.item_deletion('twin').targets()
        assert all(id in target.refusal.message for id in twins)

    @pytest.mark.parametrize('key', ['id', 'checkpoint_id'])
    def test_an_id_of_no_uuid_is_refused_in_the_plan(
        self, world: MakeWorld, key: str
    ) -> None:
        there = world()
        there.add_item(80, name='pre', **{key: '../count'})
        [target] = there.item_deletion('pre').targets()
        assert isinstance(target.refusal, errors.InvalidId)

    @pytest.mark.parametrize('text', ['', ' ', 'x' * 256, '\udce9'])
    def test_what_can_name_nothing(self, world: MakeWorld, text: str) -> None:
        there = world()
        there.add_item(80, name=text)
        [target] = there.item_deletion(text).targets()
        assert target.refusal is not None

    @pytest.mark.parametrize('text', ['', ' '])
    def test_nor_with_a_checkpoint(self, world: MakeWorld, text: str) -> None:
        there = world()
        there.add_item(80, name=text)
        [target] = there.item_deletion(text, checkpoint=CHECKPOINT).targets()
        assert target.refusal is not None

    @pytest.mark.parametrize(
        'changes', [{'status': 'protecting'}, {'image': True}, *UNREADABLE]
    )
    def test_one_that_must_stay(
        self, world: MakeWorld, changes: dict[str, Any]
    ) -> None:
        there = world()
        id = there.add_item(80, **changes)
        [outcome], _ = there.carry_out(there.item_deletion(id))
        assert isinstance(outcome.error, RefusedError)
        assert there.deletes() == []

    def test_the_id_of_a_checkpoint_is_recognised(
        self, world: MakeWorld
    ) -> None:
        there = world()
        for number in (80, 81):
            there.add_item(number)
        [target] = there.item_deletion(CHECKPOINT).targets()
        assert 'checkpoint with 2 backups' in hint_of(target.refusal)


class TestWithACheckpoint:
    def test_an_item_of_another_one_is_refused(self, world: MakeWorld) -> None:
        there = world()
        there.add_item(80)
        stranger = there.add_item(81, checkpoint=501)
        [outcome], _ = there.carry_out(
            there.item_deletion(stranger, checkpoint=CHECKPOINT)
        )
        assert uuid(501) in str(outcome.error)
        assert there.deletes() == []

    def test_a_name_is_one_of_this_checkpoint(self, world: MakeWorld) -> None:
        there = world()
        wanted = there.add_item(80, name='pre')
        there.add_item(81, checkpoint=501, name='pre')
        there.carry_out(there.item_deletion('pre', checkpoint=CHECKPOINT))
        assert there.deletes() == [item_delete(CHECKPOINT, wanted)]

    @pytest.mark.parametrize('checkpoint', [uuid(7), 'name', ''])
    def test_an_unknown_checkpoint(
        self, world: MakeWorld, checkpoint: str
    ) -> None:
        there = world()
        id = there.add_item(80)
        with pytest.raises(RefusedError):
            there.item_deletion(id, checkpoint=checkpoint).targets()

    def test_a_checkpoint_by_its_name(self, world: MakeWorld) -> None:
        there = world()
        wanted = there.add_item(80, name='run')
        other = there.add_item(81, name='other', checkpoint=501)
        there.carry_out(there.item_deletion(wanted, checkpoint='run'))
        assert there.deletes() == [item_delete(CHECKPOINT, wanted)]
        [target] = there.item_deletion(other, checkpoint='run').targets()
        assert f'not to {CHECKPOINT}' in target.refusal.message


class TestProof:
    """Rule 5: the first goes alone, and its siblings are looked at."""

    def test_the_first_goes_alone(self, world: MakeWorld) -> None:
        there = world()
        ids = [there.add_item(80 + n) for n in range(3)]
        there.add_item(90)
        there.carry_out(there.item_deletion(*ids))
        lines = there.cloud.sent()
        deletes = [n for n, u in enumerate(lines) if u.startswith('DELETE')]
        assert len(deletes) == 3
        assert deletes[1] - deletes[0] > 1
        assert deletes[2] - deletes[1] == 1

    def test_a_service_that_takes_all_is_stopped(
        self, world: MakeWorld
    ) -> None:
        there = world()
        ids = [there.add_item(80 + n) for n in range(3)]
        sibling = there.add_item(90)
        other = there.add_item(95, checkpoint=501)
        there.add_item(96, checkpoint=501)
        there.ignores_items = True
        outcomes, stopped = there.carry_out(there.item_deletion(*ids, other))
        assert 'more is being deleted than was named' in str(stopped)
        assert sibling in str(stopped)
        assert there.deletes() == [item_delete(CHECKPOINT, ids[0])]
        assert [o.state for o in outcomes] == [State.ACCEPTED] + [
            State.NOT_SENT
        ] * 3

    def test_siblings_that_vanish_at_once_are_seen_too(
        self, world: MakeWorld
    ) -> None:
        there = world()
        ids = [there.add_item(80 + n) for n in range(2)]
        there.add_item(90)
        there.ignores_items = True
        there.deleted = 'deleted'
        _, stopped = there.carry_out(there.item_deletion(*ids))
        assert 'more is being deleted than was named' in str(stopped)
        assert len(there.deletes()) == 1

    def test_no_effect_in_time_stops_the_run(self, world: MakeWorld) -> None:
        there = world()
        ids = [there.add_item(80 + n) for n in range(2)]
        there.add_item(90)
        there.deleted = 'available'
        _, stopped = there.carry_out(there.item_deletion(*ids))
        assert 'has shown no effect' in str(stopped)
        assert len(there.deletes()) == 1

    def test_siblings_that_cannot_be_read_stop_the_run(
        self, world: MakeWorld
    ) -> None:
        there = world()
        ids = [there.add_item(80 + n) for n in range(2)]
        there.add_item(90)
        deletion = there.verified(there.item_deletion(*ids))
        there.fails(f'GET .*checkpoint_items/{ids[0]}', 500)
        _, stopped = there.carry_out(deletion)
        assert 'Nothing else was sent' in str(stopped)
        assert len(there.deletes()) == 1

    def test_siblings_that_go_already_are_no_alarm(
        self, world: MakeWorld
    ) -> None:
        there = world()
        ids = [there.add_item(80 + n) for n in range(2)]
        there.add_item(90, status='deleting')
        _, stopped = there.carry_out(there.item_deletion(*ids))
        assert stopped is None

    def test_a_refused_first_proves_nothing(self, world: MakeWorld) -> None:
        there = world()
        ids = [there.add_item(80 + n) for n in range(3)]
        there.add_item(90)
        there.ignores_items = True
        there.fails(f'DELETE .*{ids[0]}', 400)
        _, stopped = there.carry_out(there.item_deletion(*ids))
        assert 'more is being deleted' in str(stopped)
        assert there.deletes() == [
            item_delete(CHECKPOINT, id) for id in ids[:2]
        ]

    @pytest.mark.parametrize('error', [UnverifiedError, SkippedError])
    def test_after_one_that_was_not_sent_nothing_is_read(
        self, world: MakeWorld, error: type[RefusedError]
    ) -> None:
        there = world()
        ids = one_of_two(there, 5)
        read: list[int] = []

        def confirm(id: str) -> None:
            # The list of all checkpoints was read before the first of them.
            there.fails('GET .*checkpoint_items', 500)
            read.append(len(there.cloud.sent()))
            raise error('not now')

        deletion = there.item_deletion(*ids, confirm=confirm)
        outcomes, stopped = there.carry_out(deletion)
        assert stopped is None
        assert [type(o.error) for o in outcomes] == [error] * 5
        assert len(set(read)) == 1
        assert there.deletes() == []

    def test_a_first_without_an_answer_is_looked_at_too(
        self, world: MakeWorld
    ) -> None:
        there = world()
        ids = [there.add_item(80 + n) for n in range(3)]
        there.add_item(90)
        there.breaks(f'DELETE .*{ids[0]}')
        there.breaks(f'DELETE .*{ids[1]}')
        outcomes, stopped = there.carry_out(there.item_deletion(*ids))
        assert 'has shown no effect' in str(stopped)
        assert [o.state for o in outcomes] == [
            State.UNKNOWN,
            State.NOT_SENT,
            State.NOT_SENT,
        ]

    def test_a_sibling_that_the_list_leaves_out_is_asked_for(
        self, world: MakeWorld
    ) -> None:
        there = world()
        ids = [there.add_item(80 + n) for n in range(2)]
        there.add_item(90)
        deletion = there.item_deletion(*ids)
        before = there.csbs.backups.list

        def all_but_the_last(**options: Any) -> Any:
            # As a page does from which rows before it have vanished.
            rows = list(before(**options))
            return iter(rows[:-1] if there.deletes() else rows)

        there.csbs.backups.list = all_but_the_last
        _, stopped = there.carry_out(deletion)
        assert stopped is None
        assert len(there.deletes()) == 2

    @pytest.mark.parametrize('status', [201, 202, 301, 403, 410, 500, 501])
    def test_a_service_that_takes_all_and_answers_oddly_is_stopped(
        self, world: MakeWorld, status: int
    ) -> None:
        there = world()
        ids = one_of_two(there, 3)
        there.ignores_items = True
        there.answers = status
        _, stopped = there.carry_out(there.item_deletion(*ids))
        assert 'more is being deleted than was named' in str(stopped)
        assert len(there.deletes()) == 1

    def test_an_odd_success_without_effect_stops_the_run(
        self, world: MakeWorld
    ) -> None:
        there = world()
        ids = one_of_two(there, 3)
        there.deleted = 'available'
        there.answers = 202
        _, stopped = there.carry_out(there.item_deletion(*ids))
        assert 'has shown no effect' in str(stopped)
        assert len(there.deletes()) == 1

    @pytest.mark.parametrize('takes_all', [True, False])
    def test_what_was_busy_at_first_goes_no_less_carefully(
        self, world: MakeWorld, takes_all: bool
    ) -> None:
        there = world(concurrency=4)
        ids = one_of_two(there, 4)
        there.ignores_items = takes_all
        there.deleted = 'deleted'
        there.busy = set(ids)
        deletion = there.item_deletion(*ids)
        outcomes, stopped = there.carry_out(deletion)
        assert stopped is None
        follower = Follower(
            deletion,
            outcomes,
            Recorder(),
            there.limits,
            wants_all=True,
            patience=Patience(timeout=10.0, shortest=0.01),
        )
        if takes_all:
            with pytest.raises(AbortRun, match='more is being deleted'):
                follower.run()
        else:
            follower.run()
        assert len(there.deletes()) == (5 if takes_all else 8)

    def test_a_refused_target_is_a_sibling_that_must_stay(
        self, world: MakeWorld
    ) -> None:
        there = world()
        first = there.add_item(80)
        image = there.add_item(81, image=True)
        there.ignores_items = True
        _, stopped = there.carry_out(there.item_deletion(first, image))
        assert image in str(stopped)

    @pytest.mark.parametrize('checkpoints', [1, 5])
    @pytest.mark.parametrize(
        'change',
        [
            {'status': 'restoring'},
            {'resource_id': uuid(7999)},
            {'name': 'keep-me'},
            {'extend_info': {'os_images_data': [{'image_id': 'x'}]}},
            {'checkpoint_id': uuid(499)},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_what_has_changed_since_a_plan_is_a_sibling_that_must_stay(
        self, world: MakeWorld, change: dict[str, Any], checkpoints: int
    ) -> None:
        there = world()
        ids = [
            there.add_item(80 + n, checkpoint=500 + n % checkpoints)
            for n in range(10)
        ]
        for n in range(checkpoints):
            there.add_item(70 + n, checkpoint=500 + n)
        known = {id: there.csbs.backups.get(id) for id in ids}
        deletion = there.item_deletion(*ids, known=known)
        there.items[9] |= change
        outcomes, stopped = there.carry_out(deletion)
        assert stopped is None
        assert [o.state for o in outcomes[:9]] == [State.ACCEPTED] * 9
        assert isinstance(outcomes[9].error, SkippedError)
        assert len(there.deletes()) == 9

    def test_without_siblings_no_proof_is_needed(
        self, world: MakeWorld
    ) -> None:
        there = world()
        ids = [there.add_item(80 + n, checkpoint=500 + n) for n in range(3)]
        there.deleted = 'available'
        _, stopped = there.carry_out(there.item_deletion(*ids))
        assert stopped is None
        assert len(there.deletes()) == 3

    def test_one_proof_is_enough(self, world: MakeWorld) -> None:
        there = world()
        ids = one_of_two(there, 4)
        there.carry_out(there.item_deletion(*ids))
        lines = there.cloud.sent()
        deletes = [n for n, u in enumerate(lines) if u.startswith('DELETE')]
        assert deletes[3] - deletes[1] == 2


class TestWhatALookSays:
    @pytest.mark.parametrize(
        ('status', 'failed', 'told'),
        [
            ('available', 'delete', True),
            ('available', '', True),
            ('available', 'restore', False),
            ('available', 'backup', False),
            ('error', 'backup', True),
            ('error', 'delete', True),
        ],
    )
    def test_only_of_this_deletion(
        self, world: MakeWorld, status: str, failed: str, told: bool
    ) -> None:
        there = world()
        extend = {'fail_op': failed, 'fail_reason': 'no space'}
        id = there.add_item(80, status=status, extend_info=extend)
        [target] = there.item_deletion(id).targets()
        seen = there.item_deletion(id).poll([target])[id]
        assert ('no space' in (seen.reason or '')) is told


class TestWhatProves:
    """Only a DELETE of ours that was accepted and whose effect was seen."""

    @pytest.mark.parametrize(
        ('status', 'body'),
        [
            (404, {'error_code': 'CSBS.3001', 'error_msg': 'gone'}),
            (404, 'no such page'),
            (400, {'error_code': 'CSBS.2003', 'error_msg': 'busy'}),
            (409, {}),
            (500, {}),
            (503, {}),
        ],
    )
    @pytest.mark.parametrize('now', ['available', 'waiting_delete', 'deleted'])
    def test_a_first_that_was_not_accepted_proves_nothing(
        self, world: MakeWorld, status: int, body: Any, now: str
    ) -> None:
        there = world(concurrency=4)
        ids = one_of_two(there, 5)
        there.fails(f'DELETE .*{ids[0]}', status, body)
        there.ignores_items = True
        deletion = there.verified(there.item_deletion(*ids))
        there.items[0]['status'] = now
        _, stopped = there.carry_out(deletion)
        assert 'more is being deleted than was named' in str(stopped)
        sent = [line for line in there.deletes() if ids[0] not in line]
        assert sent == [item_delete(uuid(501), ids[1])]

    def test_each_goes_alone_while_nothing_is_proved(
        self, world: MakeWorld
    ) -> None:
        there = world(concurrency=4)
        ids = one_of_two(there, 5)
        there.fails('DELETE', 400, {'error_code': 'CSBS.2003'})
        outcomes, stopped = there.carry_out(there.item_deletion(*ids))
        assert stopped is None
        assert [o.state for o in outcomes] == [State.FAILED] * 5
        lines = there.cloud.sent()
        deletes = [n for n, u in enumerate(lines) if u.startswith('DELETE')]
        assert all(b - a > 1 for a, b in itertools.pairwise(deletes))

    def test_siblings_whose_turn_comes_late(
        self, world: MakeWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        there = world(concurrency=4)
        ids = one_of_two(there, 5)

        def late(self: siblings.Siblings) -> None:
            there.items[1]['status'] = 'waiting_delete'

        monkeypatch.setattr(siblings.Siblings, 'pause', late)
        _, stopped = there.carry_out(there.item_deletion(*ids))
        assert uuid(90) in str(stopped)
        assert len(there.deletes()) == 1

    @pytest.mark.parametrize('number', [2, 5])
    @pytest.mark.parametrize('now', ['deleting', 'waiting_delete', 'deleted'])
    def test_each_later_look_includes_the_siblings(
        self, world: MakeWorld, number: int, now: str
    ) -> None:
        there = world(concurrency=4)
        ids = one_of_two(there, number)
        deletion = there.item_deletion(*ids)
        outcomes, stopped = there.carry_out(deletion)
        assert stopped is None
        there.items[-1]['status'] = now
        follower = Follower(
            deletion,
            outcomes,
            Recorder(),
            there.limits,
            wants_all=True,
            patience=Patience(timeout=10.0, shortest=0.01),
        )
        with pytest.raises(AbortRun, match='more is being deleted'):
            follower.run()

    def test_the_end_of_a_run_looks_once_more(self, world: MakeWorld) -> None:
        there = world()
        ids = one_of_two(there, 4)

        class Late(Recorder):
            def record(self, target: Any, action: str, send: Any) -> Any:
                receipt = super().record(target, action, send)
                if target.id == ids[-1]:
                    there.items[1]['status'] = 'deleting'
                return receipt

        outcomes, stopped = there.carry_out(there.item_deletion(*ids), Late())
        assert uuid(90) in str(stopped)
        assert [o.state for o in outcomes] == [State.ACCEPTED] * 4

    def test_an_end_that_cannot_be_seen_makes_no_failure(
        self, world: MakeWorld
    ) -> None:
        there = world()
        ids = one_of_two(there, 2)

        class Trouble(Recorder):
            def record(self, target: Any, action: str, send: Any) -> Any:
                receipt = super().record(target, action, send)
                if target.id == ids[-1]:
                    there.fails('GET', 500)
                return receipt

        _, stopped = there.carry_out(there.item_deletion(*ids), Trouble())
        assert stopped is None

    @pytest.mark.parametrize(
        ('going', 'cause'),
        [
            ((90,), 'most likely somebody else'),
            ((90, 91), 'ignores checkpoint_items and deletes the whole'),
        ],
    )
    def test_both_explanations_are_given(
        self, world: MakeWorld, going: tuple[int, ...], cause: str
    ) -> None:
        there = world()
        id = there.add_item(80)
        rest = [there.add_item(number) for number in (90, 91)]

        class SomebodyElse(Recorder):
            def record(self, target: Any, action: str, send: Any) -> Any:
                for row in there.items:
                    if row['id'] in {uuid(number) for number in going}:
                        row['status'] = 'waiting_delete'
                return super().record(target, action, send)

        deletion = there.item_deletion(id)
        outcomes = [Outcome.of(target) for target in deletion.targets()]
        reason = execute(
            deletion,
            outcomes,
            SomebodyElse(),
            there.limits,
        )
        assert reason is not None
        assert [id for id in rest if id in reason.message] == [
            uuid(number) for number in going
        ]
        assert cause in str(reason.hint)
        assert 'checkpoint_items' in str(reason.hint)
        assert 'somebody else' in str(reason.hint)


class TestRowsOfOtherProjects:
    """Never found by a name; by an id it is said whose they are."""

    @pytest.mark.parametrize('more', [0, 5], ids=['few', 'many'])
    @pytest.mark.parametrize(
        'owner',
        [
            {'project_id': 'other'},
            {'tenant_id': 'other'},
            {'extend_info': {'project_id': 'other'}},
        ],
    )
    def test_by_name_and_by_id(
        self, world: MakeWorld, owner: dict[str, Any], more: int
    ) -> None:
        there = world()
        foreign = there.add_item(80, name='pre', **owner)
        own = there.add_item(
            81, checkpoint=501, name='pre', project_id=PROJECT.upper()
        )
        others = [
            there.add_item(60 + n, checkpoint=600 + n) for n in range(more)
        ]
        outcomes, _ = there.carry_out(
            there.item_deletion('pre', foreign, *others)
        )
        assert 'another project (other)' in str(outcomes[1].error)
        sent = there.deletes()
        assert sent[0] == item_delete(uuid(501), own)
        assert len(sent) == 1 + more
        assert not [line for line in sent if foreign in line]

    def test_a_checkpoint_that_holds_one(self, world: MakeWorld) -> None:
        there = world()
        there.add_item(80)
        there.add_item(81, project_id='other')
        outcomes, _ = there.carry_out(there.checkpoint_deletion(uuid(500)))
        assert 'another project (other)' in str(outcomes[0].error)
        assert there.deletes() == []
