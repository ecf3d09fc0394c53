# SPDX-License-Identifier: Apache-2.0
"""One action over many targets: bounded, cancellable, an outcome for each.

The outcomes exist before the first target is touched and are right at every
moment, so that an interruption at any point finds them telling the truth.
Workers are daemon threads on a queue: the interpreter never waits for one at
its exit, as it does for the threads of an executor.
"""

from __future__ import annotations

import abc
import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from enum import Enum
from typing import Generic, TypeVar

from vbsclient.api import errors
from vbsclient.api.http import Limits

T = TypeVar('T')
R = TypeVar('R')

#: Seconds that requests under way get after an interruption.
GRACE = 1.5

#: Seconds until a wait looks for signals: one that arrives just before the
#: wait, while this thread gives way to another, does not end it.
SIGNAL_POLL_INTERVAL = 0.5


class State(Enum):
    """What is known about a target, in the word of a report."""

    NOT_SENT = 'not sent'
    #: Handed to a worker; without an answer it cannot be known.
    UNKNOWN = 'unknown'
    ACCEPTED = 'accepted'
    DONE = 'done'
    FAILED = 'failed'
    REFUSED = 'refused'
    MISSING = 'missing'
    #: It was what it was to become before anything was sent.
    UNCHANGED = 'unchanged'
    SKIPPED = 'skipped'


@dataclass(eq=False)
class Outcome(Generic[T, R]):
    """What became of one target.

    :ivar result: what the action returned.
    :ivar error: why there is no result.
    :ivar started_at: when the action began (UTC).
    :ivar answered_at: when it ended (UTC).
    """

    target: T
    state: State = State.NOT_SENT
    result: R | None = None
    error: BaseException | None = None
    started_at: datetime | None = None
    answered_at: datetime | None = None

    @property
    def is_answered(self) -> bool:
        """Whether nothing is under way for it, or left to be sent."""
        return self.state is not State.NOT_SENT and (
            self.started_at is None or self.answered_at is not None
        )

    def succeed(self, result: R) -> None:
        """Take what the action returned."""
        self.result = result
        self.error = None
        self.state = State.DONE

    def fail(self, error: BaseException) -> None:
        """Take what the action raised."""
        self.error = error
        self.state = State.UNKNOWN if _unanswered(error) else State.FAILED


class Circuit(Enum):
    """What a circuit breaker says to the targets that have not begun."""

    #: They wait for the results of the probes.
    HALF_OPEN = 'half-open'
    CLOSED = 'closed'
    #: None of them begins any more.
    OPEN = 'open'


class Breaker(abc.ABC, Generic[T, R]):
    """Decides from results whether the rest may begin."""

    @property
    @abc.abstractmethod
    def probe(self) -> int | None:
        """How many begin before there is a result; None for all."""

    @abc.abstractmethod
    def on_result(self, outcome: Outcome[T, R]) -> Circuit:
        """Judge a finished outcome; called in the thread of the run."""


def run(
    outcomes: Sequence[Outcome[T, R]],
    action: Callable[[T], R],
    limits: Limits,
    *,
    breaker: Breaker[T, R] | None = None,
    grace: float = GRACE,
) -> None:
    """Carry out the action for each outcome's target.

    An exception of the action is that target's outcome and stops nothing.
    On KeyboardInterrupt or SystemExit ``limits.stop`` is set, requests under
    way get ``grace`` seconds, and the interruption goes on to the caller; a
    second one leaves at once.

    :param breaker: sees the results in the order of completion.
    """
    waiting: queue.SimpleQueue[Outcome[T, R] | None] = queue.SimpleQueue()
    done: queue.SimpleQueue[Outcome[T, R]] = queue.SimpleQueue()
    halt = threading.Event()
    workers = [
        threading.Thread(
            target=_work, args=(waiting, done, action, halt), daemon=True
        )
        for _ in range(min(limits.concurrency, len(outcomes)))
    ]
    try:
        for worker in workers:
            worker.start()
        _feed(outcomes, waiting, done, halt, breaker)
    except (KeyboardInterrupt, SystemExit):
        limits.stop.set()
        halt.set()
        _dismiss(workers, waiting)
        _join(workers, grace)
        raise
    except BaseException:
        halt.set()
        raise
    finally:
        _dismiss(workers, waiting)


def gather(calls: Sequence[Callable[[], R]], limits: Limits) -> list[R]:
    """The results of independent calls, made at the same time.

    :raises Exception: the first failure in the order of the calls.
    """
    all_at_once = replace(limits, concurrency=len(calls))
    return list(map(result_of, each(calls, lambda call: call(), all_at_once)))


def each(
    values: Iterable[T], action: Callable[[T], R], limits: Limits
) -> list[Outcome[T, R]]:
    """:func:`run` for values to be read: nothing to wait for at the end."""
    outcomes: list[Outcome[T, R]] = [Outcome(value) for value in values]
    run(outcomes, action, limits, grace=0.0)
    return outcomes


def result_of(outcome: Outcome[T, R]) -> R:
    """The result of an outcome, or its exception."""
    if outcome.state is not State.DONE:
        raise outcome.error or errors.Cancelled('not sent')
    return outcome.result  # type: ignore[return-value]


def now() -> datetime:
    """This moment, as the outcomes carry it (UTC)."""
    return datetime.now(timezone.utc)


def _feed(
    outcomes: Sequence[Outcome[T, R]],
    waiting: queue.SimpleQueue[Outcome[T, R] | None],
    done: queue.SimpleQueue[Outcome[T, R]],
    halt: threading.Event,
    breaker: Breaker[T, R] | None,
) -> None:
    """Hand the targets to the workers, and take what comes back."""
    probe = None if breaker is None else breaker.probe
    ready, held = outcomes[:probe], outcomes[len(outcomes[:probe]) :]
    expected = received = 0
    while ready:
        for outcome in ready:
            waiting.put(outcome)
        expected += len(ready)
        ready = ()
        while received < expected and not ready:
            try:
                outcome = done.get(timeout=SIGNAL_POLL_INTERVAL)
            except queue.Empty:
                continue
            received += 1
            circuit = breaker.on_result(outcome) if breaker else Circuit.CLOSED
            if circuit is Circuit.OPEN:
                halt.set()
                held = ()
            elif circuit is Circuit.CLOSED or received == expected:
                ready, held = held, ()


def _work(
    waiting: queue.SimpleQueue[Outcome[T, R] | None],
    done: queue.SimpleQueue[Outcome[T, R]],
    action: Callable[[T], R],
    halt: threading.Event,
) -> None:
    while (outcome := waiting.get()) is not None:
        if not halt.is_set():
            _act(outcome, action)
        done.put(outcome)


def _dismiss(
    workers: Sequence[threading.Thread],
    waiting: queue.SimpleQueue[Outcome[T, R] | None],
) -> None:
    """Let each worker end when it has done what it was given."""
    for _ in workers:
        waiting.put(None)


def _act(outcome: Outcome[T, R], action: Callable[[T], R]) -> None:
    outcome.started_at = now()
    outcome.state = State.UNKNOWN
    try:
        result = action(outcome.target)
    except errors.Cancelled:
        outcome.state = State.NOT_SENT
        outcome.started_at = None
        return
    except BaseException as error:  # noqa: BLE001 - it is the outcome
        outcome.answered_at = now()
        outcome.fail(error)
        return
    outcome.answered_at = now()
    outcome.succeed(result)


def _unanswered(error: BaseException) -> bool:
    if isinstance(error, errors.ConnectionFailed):
        return error.sent
    if isinstance(error, errors.OutcomeUnknown):
        return True
    # An unexpected error may have come after the request was sent.
    return not isinstance(error, errors.ClientError)


def _join(workers: Sequence[threading.Thread], grace: float) -> None:
    deadline = time.monotonic() + grace
    for worker in workers:
        # An interruption may come before all of them are started.
        while worker.is_alive():
            left = deadline - time.monotonic()
            if left <= 0:
                return
            worker.join(min(left, SIGNAL_POLL_INTERVAL))
