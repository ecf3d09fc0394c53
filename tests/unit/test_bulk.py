# SPDX-License-Identifier: Apache-2.0
"""One action over many targets, and what is known after it."""

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vbsclient import bulk
from vbsclient.api import errors
from vbsclient.api.http import Limits
from vbsclient.bulk import Breaker, Circuit, Outcome, State


def outcomes(*targets: Any) -> list[Outcome[Any, Any]]:
    return [Outcome(target) for target in targets]


class Watch(Breaker[Any, Any]):
    """A breaker whose decisions a test makes."""

    def __init__(
        self, on_result: Callable[[Any], Circuit], probe: int | None
    ) -> None:
        self._on_result = on_result
        self._probe = probe

    @property
    def probe(self) -> int | None:
        return self._probe

    def on_result(self, outcome: Outcome[Any, Any]) -> Circuit:
        return self._on_result(outcome)


def carry_out(
    every: list[Outcome[Any, Any]],
    action: Callable[[Any], Any],
    *,
    concurrency: int = 4,
    stop: threading.Event | None = None,
    watch: Callable[[Any], Circuit] | None = None,
    ahead: int | None = None,
    **keywords: Any,
) -> None:
    bulk.run(
        every,
        action,
        Limits(concurrency, stop or threading.Event()),
        breaker=Watch(watch, ahead) if watch else None,
        **keywords,
    )


def states(every: list[Outcome[Any, Any]]) -> list[State]:
    return [outcome.state for outcome in every]


def fail(error: BaseException) -> Any:
    raise error


class TestOutcomes:
    def test_nothing_to_do(self) -> None:
        carry_out([], lambda target: target)

    @given(st.lists(st.integers(0, 9)), st.integers(1, 8))
    def test_they_keep_their_order(
        self, targets: list[int], concurrency: int
    ) -> None:
        every = outcomes(*targets)
        carry_out(every, lambda t: t * 10, concurrency=concurrency)
        assert [o.target for o in every] == targets
        assert [o.result for o in every] == [t * 10 for t in targets]
        assert all(o.state is State.DONE for o in every)

    def test_they_know_when(self) -> None:
        [done] = every = outcomes(1)
        carry_out(every, lambda target: target)
        assert done.started_at is not None
        assert done.answered_at is not None
        assert done.started_at <= done.answered_at

    @pytest.mark.parametrize(
        ('error', 'state'),
        [
            (errors.NotFound('x', status=404), State.FAILED),
            # Nobody knows when it came.
            (ValueError('x'), State.UNKNOWN),
            (MemoryError(), State.UNKNOWN),
        ],
    )
    def test_an_exception_is_that_targets_alone(
        self, error: Exception, state: State
    ) -> None:
        every = outcomes('a', 'bad', 'c')
        carry_out(every, lambda t: fail(error) if t == 'bad' else t)
        assert states(every) == [State.DONE, state, State.DONE]
        assert every[1].error is error
        assert every[1].result is None

    @pytest.mark.parametrize(
        ('error', 'state'),
        [
            (errors.Cancelled('not sent'), State.NOT_SENT),
            (errors.ConnectionFailed('lost'), State.UNKNOWN),
            (errors.ConnectionFailed('lost', sent=False), State.FAILED),
            (errors.BadRequest('no', status=400), State.FAILED),
            (KeyboardInterrupt(), State.UNKNOWN),
        ],
    )
    def test_what_an_error_says_of_its_target(
        self, error: BaseException, state: State
    ) -> None:
        [outcome] = every = outcomes('a')
        carry_out(every, lambda t: fail(error))
        assert outcome.state is state

    def test_what_was_not_sent_never_began(self) -> None:
        [outcome] = every = outcomes('a')
        carry_out(every, lambda t: fail(errors.Cancelled('not sent')))
        assert outcome.started_at is None
        assert outcome.error is None

    def test_what_is_under_way_is_unknown(self) -> None:
        every = outcomes('a', 'b')
        seen: list[State] = []
        carry_out(
            every,
            lambda t: seen.append(every['ab'.index(t)].state),
            concurrency=1,
        )
        assert seen == [State.UNKNOWN, State.UNKNOWN]


class TestConcurrency:
    @pytest.mark.parametrize('concurrency', [1, 3, 8])
    def test_it_is_reached_and_not_passed(self, concurrency: int) -> None:
        together = threading.Barrier(concurrency)
        inside: list[int] = []
        most: list[int] = []

        def action(target: int) -> None:
            inside.append(target)
            most.append(len(inside))
            together.wait(timeout=10)
            inside.remove(target)

        every = outcomes(*range(concurrency * 3))
        carry_out(every, action, concurrency=concurrency)
        assert states(every) == [State.DONE] * len(every)
        assert max(most) <= concurrency

    def test_no_more_threads_than_targets(self) -> None:
        names: set[str] = set()
        every = outcomes(1, 2)
        carry_out(
            every,
            lambda t: names.add(threading.current_thread().name),
            concurrency=64,
        )
        assert len(names) <= 2

    def test_workers_never_hold_up_the_exit(self) -> None:
        daemons: list[bool] = []
        carry_out(
            outcomes(1),
            lambda t: daemons.append(threading.current_thread().daemon),
        )
        assert daemons == [True]


class TestWatch:
    def test_it_sees_each_outcome_in_the_calling_thread(self) -> None:
        seen: list[Any] = []
        threads = set()

        def watch(outcome: Outcome[Any, Any]) -> Circuit:
            seen.append(outcome.target)
            threads.add(threading.current_thread())
            return Circuit.CLOSED

        carry_out(outcomes(1, 2, 3), lambda t: t, watch=watch)
        assert sorted(seen) == [1, 2, 3]
        assert threads == {threading.current_thread()}

    def test_a_stop_stops_the_rest(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        begun = threading.Event()
        made: list[threading.Event] = []

        def event() -> threading.Event:
            made.append(threading.Event())
            return made[-1]

        def action(target: int) -> int:
            if target == 1:
                begun.set()
                # The one event that a run makes stops its workers.
                [halt] = made
                assert halt.wait(20)
            return target

        def watch(outcome: Outcome[Any, Any]) -> Circuit:
            if outcome.target == 0:
                assert begun.wait(20)
                return Circuit.OPEN
            return Circuit.CLOSED

        fake = SimpleNamespace(Event=event, Thread=threading.Thread)
        monkeypatch.setattr(bulk, 'threading', fake)
        every = outcomes(*range(20))
        carry_out(every, action, concurrency=1, watch=watch)
        assert states(every[:2]) == [State.DONE] * 2
        assert states(every[2:]) == [State.NOT_SENT] * 18


class TestAhead:
    def begun(
        self, paces: list[Circuit], *, concurrency: int = 8, ahead: int = 3
    ) -> list[int]:
        """What has begun of ten when each of the first ones has ended."""
        begun: list[int] = []
        seen: list[int] = []

        def watch(outcome: Outcome[Any, Any]) -> Circuit:
            seen.append(len(begun))
            return paces.pop(0) if paces else Circuit.CLOSED

        carry_out(
            outcomes(*range(10)),
            begun.append,
            concurrency=concurrency,
            watch=watch,
            ahead=ahead,
        )
        assert seen[:1] <= [ahead]
        return begun

    @pytest.mark.parametrize('concurrency', [1, 8])
    def test_a_stop_finds_no_more_than_those_begun(
        self, concurrency: int
    ) -> None:
        paces = [Circuit.HALF_OPEN, Circuit.HALF_OPEN, Circuit.OPEN]
        begun = self.begun(paces, concurrency=concurrency)
        assert sorted(begun) == [0, 1, 2]

    @pytest.mark.parametrize(
        'paces',
        [
            [Circuit.CLOSED],
            [Circuit.HALF_OPEN, Circuit.CLOSED],
            [Circuit.HALF_OPEN, Circuit.HALF_OPEN, Circuit.HALF_OPEN],
        ],
    )
    def test_the_rest_follow_when_they_may(self, paces: list[Circuit]) -> None:
        assert sorted(self.begun(paces)) == list(range(10))

    def test_one_that_hangs_does_not_hold_up_the_rest(self) -> None:
        others = threading.Semaphore(0)

        def action(target: int) -> int:
            if target == 0:
                for _ in range(9):
                    assert others.acquire(timeout=10)
            else:
                others.release()
            return target

        every = outcomes(*range(10))
        carry_out(every, action, watch=lambda outcome: Circuit.CLOSED, ahead=3)
        assert states(every) == [State.DONE] * 10

    def test_a_watch_that_fails_stops_the_rest(self) -> None:
        ended = threading.Event()
        others = set(threading.enumerate())

        def watch(outcome: Outcome[Any, Any]) -> Circuit:
            raise ValueError('x')

        def action(target: int) -> int:
            # The rest is there before the watch has seen the first one.
            if target:
                ended.wait(20)
            return target

        every = outcomes(*range(20))
        with pytest.raises(ValueError, match='x'):
            carry_out(every, action, concurrency=1, watch=watch)
        ended.set()
        for worker in set(threading.enumerate()) - others:
            worker.join(20)
        assert states(every[2:]) == [State.NOT_SENT] * 18


class TestInterruption:
    @pytest.mark.parametrize('kind', [KeyboardInterrupt, SystemExit])
    def test_the_states_tell_the_truth(
        self, kind: type[BaseException]
    ) -> None:
        stop = threading.Event()
        # A worker that has taken a target may still be stopped before it
        # begins: the interruption comes when these two have begun.
        begun = {name: threading.Event() for name in ('hangs', 'later')}
        answer = threading.Event()
        every = outcomes('done', 'hangs', 'refused', 'later', 'last')
        others = set(threading.enumerate())

        def action(target: str) -> str:
            if target in begun:
                begun[target].set()
            if target == 'hangs':
                answer.wait(20)
            if target == 'refused':
                raise errors.BadRequest('no', status=400)
            if target in ('later', 'last'):
                stop.wait(20)
                raise errors.Cancelled('not sent')
            return target

        def watch(outcome: Outcome[Any, Any]) -> Circuit:
            if outcome.target == 'refused':
                assert all(event.wait(20) for event in begun.values())
                raise kind
            return Circuit.CLOSED

        with pytest.raises(kind):
            carry_out(
                every,
                action,
                concurrency=2,
                stop=stop,
                watch=watch,
                grace=0.1,
            )
        assert stop.is_set()
        assert every[1].state is State.UNKNOWN
        answer.set()
        for worker in set(threading.enumerate()) - others:
            worker.join(20)
        assert states(every) == [
            State.DONE,
            State.DONE,
            State.FAILED,
            State.NOT_SENT,
            State.NOT_SENT,
        ]

    def test_those_under_way_get_their_time(self) -> None:
        stop = threading.Event()
        started = threading.Event()

        def action(target: str) -> str:
            if target == 'slow':
                started.set()
                stop.wait(20)
            return target

        def watch(outcome: Outcome[Any, Any]) -> Circuit:
            started.wait(20)
            raise KeyboardInterrupt

        every = outcomes('fast', 'slow')
        with pytest.raises(KeyboardInterrupt):
            carry_out(
                every,
                action,
                concurrency=2,
                stop=stop,
                watch=watch,
                grace=20,
            )
        assert states(every) == [State.DONE, State.DONE]


class TestReading:
    def test_results_in_the_order_of_the_calls(self) -> None:
        calls = [lambda: 1, lambda: 2, lambda: 3]
        assert bulk.gather(calls, Limits()) == [1, 2, 3]

    def test_the_first_failure_in_the_order_of_the_calls(self) -> None:
        calls = [
            lambda: 1,
            lambda: fail(ValueError('second')),
            lambda: fail(KeyError('third')),
        ]
        with pytest.raises(ValueError, match='second'):
            bulk.gather(calls, Limits())

    def test_a_cancelled_call_has_no_result(self) -> None:
        calls = [lambda: fail(errors.Cancelled('not sent'))]
        with pytest.raises(errors.Cancelled):
            bulk.gather(calls, Limits())

    def test_each_value_has_an_outcome(self) -> None:
        every = bulk.each('abc', str.upper, Limits(2))
        assert [bulk.result_of(o) for o in every] == ['A', 'B', 'C']
