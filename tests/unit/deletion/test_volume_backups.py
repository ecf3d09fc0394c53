# SPDX-License-Identifier: Apache-2.0
"""Deleting volume backups: what is sent, refused and judged."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.world import World, uuid
from vbsclient.api import errors
from vbsclient.bulk import State
from vbsclient.lookup.refusals import MissingError, RefusedError

MakeWorld = Callable[..., World]


def delete(world: World, *arguments: str, **options: Any) -> Any:
    """The outcome of the only target, or those of all."""
    outcomes, _ = world.carry_out(world.backup_deletion(*arguments, **options))
    return outcomes[0] if len(outcomes) == 1 else outcomes


class TestAccepted:
    @pytest.mark.parametrize('pin', ['2', '3'])
    def test_each_target_gets_one_delete(
        self, world: MakeWorld, pin: str
    ) -> None:
        there = world(pin=pin)
        ids = [there.add_backup(n) for n in range(1, 6)]
        outcomes = delete(there, *ids)
        assert [o.state for o in outcomes] == [State.ACCEPTED] * 5
        assert sorted(there.deletes()) == ids

    def test_accepted_is_not_gone(self, world: MakeWorld) -> None:
        there = world()
        outcome = delete(there, there.add_backup(1))
        assert outcome.state is State.ACCEPTED

    def test_what_is_being_deleted_is_accepted_without_a_request(
        self, world: MakeWorld
    ) -> None:
        there = world()
        outcome = delete(there, there.add_backup(1, status='deleting'))
        assert outcome.state is State.ACCEPTED
        assert there.deletes() == []

    @pytest.mark.parametrize(
        'status', ['available', 'error', 'error_restoring', 'new_in_2030']
    )
    def test_other_states_are_for_the_service_to_judge(
        self, world: MakeWorld, status: str
    ) -> None:
        there = world()
        id = there.add_backup(1, status=status)
        delete(there, id)
        assert there.deletes() == [id]


class TestRefusedStates:
    def test_error_deleting_is_left_alone(self, world: MakeWorld) -> None:
        there = world()
        id = there.add_backup(1, status='error_deleting')
        outcome = delete(there, id)
        assert isinstance(outcome.error, RefusedError)
        assert 'operator' in str(outcome.error.hint)
        assert there.deletes() == []

    def test_not_even_by_force(self, world: MakeWorld) -> None:
        there = world()
        id = there.add_backup(1, status='error_deleting')
        assert isinstance(delete(there, id, force=True).error, RefusedError)
        assert there.deletes() == []

    def test_deleted_was_never_there(self, world: MakeWorld) -> None:
        there = world()
        outcome = delete(there, there.add_backup(1, status='deleted'))
        assert isinstance(outcome.error, MissingError)
        assert there.deletes() == []


class TestJudgedByAGet:
    """Rule 7: a refusal of a DELETE proves nothing by itself."""

    def test_404_and_the_get_says_404(self, world: MakeWorld) -> None:
        there = world()
        id = there.add_backup(1)
        there.fails('DELETE', 404)
        there.then = lambda: there.backups.clear()
        [outcome], _ = there.carry_out(there.backup_deletion(id))
        assert outcome.state is State.DONE
        assert outcome.state is State.DONE

    def test_404_and_it_is_still_there(self, world: MakeWorld) -> None:
        there = world()
        id = there.add_backup(1)
        body = {
            'itemNotFound': {
                'code': 404,
                'message': 'Service cinder-backup could not be found.',
            }
        }
        there.fails('DELETE', 404, body)
        outcome = delete(there, id)
        assert outcome.state is State.FAILED
        assert isinstance(outcome.error, errors.NotFound)
        assert 'still exists (status available)' in outcome.error.hint

    @pytest.mark.parametrize(
        ('becomes', 'state'),
        [('deleting', State.ACCEPTED), ('available', State.FAILED)],
    )
    def test_a_success_that_is_not_the_documented_one(
        self, world: MakeWorld, becomes: str, state: State
    ) -> None:
        there = world()
        id = there.add_backup(1)
        there.answers = 200
        there.deleted = becomes
        assert delete(there, id).state is state

    @pytest.mark.parametrize(
        'status', [302, 400, 403, 404, 405, 409, 413, 499, 500, 501, 524]
    )
    @pytest.mark.parametrize(
        ('now', 'state', 'finished'),
        [
            ('deleted', State.DONE, True),
            ('deleting', State.ACCEPTED, False),
            ('waiting_delete', State.ACCEPTED, False),
            ('available', State.FAILED, None),
            ('error', State.FAILED, None),
            ('error_deleting', State.FAILED, None),
        ],
    )
    def test_the_status_decides(
        self,
        world: MakeWorld,
        status: int,
        now: str,
        state: State,
        finished: bool | None,
    ) -> None:
        there = world()
        id = there.add_backup(1)
        there.fails('DELETE', status)
        there.then = lambda: there.backups[0].update(status=now)
        [outcome], _ = there.carry_out(there.backup_deletion(id))
        assert outcome.state is state
        assert getattr(outcome.result, 'is_final', None) is finished

    def test_a_login_that_is_refused_needs_no_look(
        self, world: MakeWorld
    ) -> None:
        there = world()
        id = there.add_backup(1)
        there.fails('DELETE', 401)
        assert delete(there, id).error.status == 401
        assert there.cloud.sent()[-1].startswith('DELETE')

    def test_a_lost_answer_and_nothing_to_be_seen_is_unknown(
        self, world: MakeWorld
    ) -> None:
        there = world()
        id = there.add_backup(1)
        there.breaks('DELETE')
        there.then = lambda: there.breaks(f'GET /v3/.*/{id}')
        [outcome], _ = there.carry_out(there.backup_deletion(id))
        assert outcome.state is State.UNKNOWN

    def test_what_never_left_is_not_unknown(self, world: MakeWorld) -> None:
        there = world()
        id = there.add_backup(1)
        deletion = there.verified(there.backup_deletion(id))
        there.breaks('', 'Connection refused')
        [outcome], _ = there.carry_out(deletion)
        assert isinstance(outcome.error, errors.ClientError)
        assert 'connection refused' in outcome.error.message
        assert outcome.state is State.FAILED

    def test_a_lost_answer_and_it_is_going(self, world: MakeWorld) -> None:
        there = world()
        id = there.add_backup(1)
        there.breaks('DELETE')
        there.then = lambda: there.backups[0].update(status='deleting')
        [outcome], _ = there.carry_out(there.backup_deletion(id))
        assert outcome.state is State.ACCEPTED

    def test_a_repetition_that_says_404_and_it_is_gone(
        self, world: MakeWorld
    ) -> None:
        there = world()
        id = there.add_backup(1)
        there.fails('DELETE', 503)
        there.then = lambda: there.backups.clear()
        [outcome], _ = there.carry_out(there.backup_deletion(id))
        assert outcome.state is State.DONE
        assert outcome.state is State.DONE


class TestShares:
    """Rule 11: a shared backup is not deleted silently."""

    HOW_MANY = pytest.mark.parametrize('others', [0, 6], ids=['few', 'many'])

    @HOW_MANY
    def test_refused_with_the_projects(
        self, world: MakeWorld, others: int
    ) -> None:
        there = world()
        id = there.add_backup(1)
        for number, project in ((70, 'p2'), (71, 'p3')):
            there.add_share(number, id, project)
        more = [there.add_backup(10 + n) for n in range(others)]
        first, *rest = there.backup_deletion(id, *more).targets()
        assert isinstance(first.refusal, RefusedError)
        assert 'shared with 2 projects: p2, p3' in first.refusal.message
        assert [t.refusal for t in rest] == [None] * others

    def test_force_goes_ahead_and_reads_no_shares(
        self, world: MakeWorld
    ) -> None:
        there = world()
        id = there.add_backup(1)
        there.add_share(70, id)
        delete(there, id, force=True)
        assert there.deletes() == [id]
        assert not [u for u in there.cloud.sent() if 'sharing' in u]

    @pytest.mark.parametrize('force', [False, True])
    def test_cancel_shares_cancels_first(
        self, world: MakeWorld, force: bool
    ) -> None:
        there = world()
        id = there.add_backup(1)
        there.add_share(70, id)
        there.add_share(71, uuid(2))
        outcome = delete(there, id, cancel_shares=True, force=force)
        assert there.deletes() == [f'{uuid(70)}?is_backup_id=false', id]
        assert outcome.target.preceded == 'canceled 1 share'
        assert [share['id'] for share in there.shares] == [uuid(71)]

    def test_what_is_not_shared_is_not_cancelled(
        self, world: MakeWorld
    ) -> None:
        there = world()
        id = there.add_backup(1)
        delete(there, id, cancel_shares=True)
        assert there.deletes() == [id]

    def test_shares_that_cannot_be_cancelled_keep_the_backup(
        self, world: MakeWorld
    ) -> None:
        there = world()
        id = there.add_backup(1)
        there.add_share(70, id)
        there.fails('DELETE .*sharing', 403)
        outcome = delete(there, id, cancel_shares=True)
        assert outcome.state is State.FAILED
        assert there.deletes() == [f'{uuid(70)}?is_backup_id=false']

    @HOW_MANY
    @pytest.mark.parametrize('status', [403, 404, 405, 501])
    def test_a_cloud_without_sharing(
        self, world: MakeWorld, status: int, others: int
    ) -> None:
        there = world()
        there.fails('sharing', status)
        ids = [there.add_backup(n) for n in range(1, 2 + others)]
        delete(there, *ids)
        assert sorted(there.deletes()) == ids

    @HOW_MANY
    @pytest.mark.parametrize('status', [400, 500, 503])
    def test_shares_that_cannot_be_read_are_not_none(
        self, world: MakeWorld, status: int, others: int
    ) -> None:
        there = world()
        there.fails('sharing', status)
        ids = [there.add_backup(n) for n in range(1, 2 + others)]
        with pytest.raises(errors.ServiceError):
            there.backup_deletion(*ids).targets()
        assert there.deletes() == []

    def test_stopped_after_the_shares_were_cancelled(
        self, world: MakeWorld
    ) -> None:
        there = world()
        id = there.add_backup(1)
        there.add_share(70, id)
        there.then = there.limits.stop.set
        [outcome], _ = there.carry_out(
            there.backup_deletion(id, cancel_shares=True)
        )
        assert there.deletes() == [f'{uuid(70)}?is_backup_id=false']
        assert outcome.state is not State.NOT_SENT


class TestDryRun:
    def test_a_plan_sends_no_delete(self, world: MakeWorld) -> None:
        there = world()
        ids = [there.add_backup(n) for n in range(1, 6)]
        there.add_share(70, ids[0])
        there.backup_deletion(*ids, cancel_shares=True).targets()
        assert {line.split()[0] for line in there.cloud.sent()} == {'GET'}

    def test_many_cost_pages_and_not_a_get_each(
        self, world: MakeWorld
    ) -> None:
        there = world()
        ids = [there.add_backup(n) for n in range(1, 51)]
        there.backup_deletion(*ids).targets()
        assert len(there.cloud.sent()) <= 10


@pytest.mark.parametrize(
    ('options', 'advice'),
    [
        ({}, 'Name them too, or delete them first.'),
        ({'planned': True}, 'It can be deleted once they are gone.'),
    ],
)
def test_what_a_rule_keeps_is_not_advised_to_be_deleted(
    world: MakeWorld, options: dict[str, Any], advice: str
) -> None:
    there = world(pin='2')
    full = there.add_backup(1, volume_id=uuid(9))
    child = there.add_backup(2, volume_id=uuid(9))
    there.fails('DELETE', 400, {'badRequest': {'message': 'it has children'}})
    known = {full: there.vbs.backups.get(full)} if options else {}
    deletion = there.backup_deletion(full, known=known)
    [outcome], _ = there.carry_out(deletion)
    hint = deletion.explain(outcome.error, outcome.target)
    assert child in str(hint)
    assert hint.endswith(advice)
