# SPDX-License-Identifier: Apache-2.0
"""When one refusal stops a run, and what it leaves behind."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.unit.world import World
from vbsclient import bulk
from vbsclient.api import errors
from vbsclient.api.http import Limits
from vbsclient.bulk import Breaker, Circuit, State
from vbsclient.change.targets import Done, Outcome, Target
from vbsclient.lookup.refusals import (
    MissingError,
    RefusedError,
    SkippedError,
    UnverifiedError,
)

MakeWorld = Callable[..., World]


@pytest.fixture(autouse=True)
def _one_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker is ahead of the one that watches."""

    def run(
        outcomes: Sequence[bulk.Outcome[Any, Any]],
        action: Callable[[Any], Any],
        limits: Limits,
        *,
        breaker: Breaker[Any, Any] | None = None,
        **_: Any,
    ) -> None:
        for outcome in outcomes:
            bulk._act(outcome, action)
            if breaker and breaker.on_result(outcome) is Circuit.OPEN:
                return

    monkeypatch.setattr(bulk, 'run', run)


FORBIDDEN = {'forbidden': {'code': 403, 'message': 'Policy does not allow it'}}


def counts(world: World, *ids: str) -> tuple[int, int, int, str | None]:
    """(done, failed, not sent, why it was stopped)"""
    outcomes, stopped = world.carry_out(world.backup_deletion(*ids))
    states = [outcome.state for outcome in outcomes]
    return (
        states.count(State.ACCEPTED),
        states.count(State.FAILED),
        states.count(State.NOT_SENT),
        stopped,
    )


class Noted(Outcome):
    """Notes each state that it was ever in."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == 'state':
            vars(self).setdefault('states', []).append(value)
        super().__setattr__(name, value)


class TestOutcome:
    """An interruption may read it at any time."""

    @pytest.mark.parametrize(
        ('is_final', 'state'), [(False, State.ACCEPTED), (True, State.DONE)]
    )
    def test_what_is_accepted_was_never_done(
        self, is_final: bool, state: State
    ) -> None:
        one = Noted(Target('a', 'backup', 'VBS'), State.UNKNOWN)
        one.succeed(Done('req-1', is_final))
        assert vars(one)['states'] == [State.UNKNOWN, state]

    @pytest.mark.parametrize(
        ('error', 'state'),
        [
            (RefusedError('no'), State.REFUSED),
            (UnverifiedError('who knows'), State.REFUSED),
            (MissingError('none'), State.MISSING),
            (SkippedError('changed'), State.SKIPPED),
            (RuntimeError('a bug'), State.UNKNOWN),
        ],
    )
    def test_a_failure_has_one_state_and_its_reason(
        self, error: Exception, state: State
    ) -> None:
        one = Noted(Target('a', 'backup', 'VBS'), State.UNKNOWN)
        one.fail(error)
        assert vars(one)['states'] == [State.UNKNOWN, state]
        assert one.error is error

    @pytest.mark.parametrize(
        'error',
        [errors.ConnectionFailed('reset'), RefusedError('no')],
    )
    def test_what_was_not_sent_is_not_unknown(
        self, error: errors.ClientError
    ) -> None:
        one = Outcome.of(Target('a', 'backup', 'VBS', refusal=error))
        assert one.state in (State.FAILED, State.REFUSED)
        assert one.error is error


class TestBreaker:
    @pytest.mark.parametrize(
        ('status', 'body'),
        [
            (403, FORBIDDEN),
            (401, {}),
            (
                400,
                {'error_code': 'BackupService.4008', 'error_msg': 'closed'},
            ),
        ],
    )
    def test_three_equal_refusals_at_first_stop_the_run(
        self, world: MakeWorld, status: int, body: dict[str, object]
    ) -> None:
        there = world()
        ids = [there.add_backup(n) for n in range(1, 11)]
        there.fails('DELETE', status, body)
        *states, stopped = counts(there, *ids)
        assert states == [0, 3, 7]
        assert 'the same failure' in str(stopped)

    def test_a_run_that_was_at_its_end_was_not_stopped(
        self, world: MakeWorld
    ) -> None:
        there = world()
        ids = [there.add_backup(n) for n in range(1, 4)]
        there.fails('DELETE', 403, FORBIDDEN)
        assert counts(there, *ids) == (0, 3, 0, None)

    def test_refusals_that_differ_by_the_id_alone_are_equal(
        self, world: MakeWorld
    ) -> None:
        there = world()
        ids = [there.add_backup(n) for n in range(1, 11)]
        for id in ids:
            body = {'forbidden': {'message': f'not for {id}', 'code': 403}}
            there.fails(f'DELETE .*{id}', 403, body)
        *_, stopped = counts(there, *ids)
        assert stopped is not None

    def test_refusals_of_different_kinds_do_not(
        self, world: MakeWorld
    ) -> None:
        there = world()
        ids = [there.add_backup(n) for n in range(1, 11)]
        closed = {'error_code': 'BackupService.4008', 'error_msg': 'closed'}
        for id in ids[::2]:
            there.fails(f'DELETE .*{id}', 400, closed)
        there.fails('DELETE', 403, FORBIDDEN)
        assert counts(there, *ids) == (0, 10, 0, None)

    def test_after_a_success_they_do_not(self, world: MakeWorld) -> None:
        there = world()
        ids = [there.add_backup(n) for n in range(1, 11)]
        # The youngest goes first.
        for id in ids[:-1]:
            there.fails(f'DELETE .*{id}', 403, FORBIDDEN)
        assert counts(there, *ids) == (1, 9, 0, None)

    @pytest.mark.parametrize('status', [400, 404, 409, 500])
    def test_refusals_of_single_targets_never_do(
        self, world: MakeWorld, status: int
    ) -> None:
        there = world()
        ids = [there.add_backup(n) for n in range(1, 11)]
        there.fails('DELETE', status)
        assert counts(there, *ids) == (0, 10, 0, None)

    def test_a_service_that_is_gone_stops_the_run_at_any_time(
        self, world: MakeWorld
    ) -> None:
        there = world()
        ids = [there.add_backup(n) for n in range(1, 11)]
        # The youngest goes first.
        deletion = there.verified(there.backup_deletion(*ids))
        for id in ids[:-1]:
            there.breaks(id)
        outcomes, stopped = there.carry_out(deletion)
        states = [outcome.state for outcome in outcomes]
        assert states.count(State.ACCEPTED) == 1
        assert states.count(State.UNKNOWN) == 3
        assert states.count(State.NOT_SENT) == 6
        assert stopped is not None

    def test_what_one_batch_was_refused_counts_for_the_next(
        self, world: MakeWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ahead: list[int | None] = []
        one_after_another = bulk.run

        def run(*arguments: Any, **options: Any) -> None:
            if 'breaker' in options:
                ahead.append(options['breaker'].probe)
            one_after_another(*arguments, **options)

        monkeypatch.setattr(bulk, 'run', run)
        there = world()
        # The first has a sibling, so that it goes alone.
        ids = [there.add_item(80), there.add_item(81, checkpoint=501)]
        there.add_item(90)
        there.fails('DELETE', 403, FORBIDDEN)
        there.carry_out(there.item_deletion(*ids))
        assert ahead == [3, 2]

    def test_what_the_plan_refused_does_not_count(
        self, world: MakeWorld
    ) -> None:
        there = world()
        ids = [there.add_backup(n) for n in range(1, 4)]
        outcomes, stopped = there.carry_out(
            there.backup_deletion('ghost-1', 'ghost-2', 'ghost-3', *ids)
        )
        assert stopped is None
        assert [o.state for o in outcomes] == [State.MISSING] * 3 + [
            State.ACCEPTED
        ] * 3
