# SPDX-License-Identifier: Apache-2.0
"""One action over many targets: bounded, cancellable, an outcome for each.

The outcomes exist before the first target is touched and are right at every
moment, so that an interruption at any point finds them telling the truth.
Workers are daemon threads on a queue: the interpreter never waits for one at
its exit, as it does for the threads of an executor.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from typing import Generic, TypeVar

from vbsclient.api import errors
from vbsclient.api.http import Deadline

T = TypeVar('T')
R = TypeVar('R')

#: Seconds that requests under way get after an interruption.
GRACE = 1.5

#: Seconds of a wait at most: a signal that comes just before it, while this
#: thread hands over to another, does not end it.
SIGNAL_POLL_INTERVAL = 0.5


@dataclass(frozen=True)
class Limits:
    """What bounds all requests of one command.

    :ivar concurrency: the most at a time.
    :ivar stop: once set, no further request is sent.
    :ivar deadline: behind it nothing is repeated any more.
    """

    concurrency: int = 10
    stop: threading.Event = field(default_factory=threading.Event)
    deadline: Deadline = field(default_factory=Deadline)


class State(Enum):
    """What is known about a target."""

    NOT_SENT = 'not sent'
    #: Handed to a worker; without an answer nobody knows.
    UNKNOWN = 'unknown'
    DONE = 'done'
    FAILED = 'failed'


@dataclass(eq=False)
class Outcome(Generic[T, R]):
    """What became of one target.

    :ivar result: what the action returned, once ``DONE``.
    :ivar error: why it ``FAILED``, or why it is ``UNKNOWN``.
    :ivar started_at: when the action began (UTC).
    :ivar answered_at: when it ended (UTC).
    """

    target: T
    state: State = State.NOT_SENT
    result: R | None = None
    error: BaseException | None = None
    started_at: datetime | None = None
    answered_at: datetime | None = None


class Pace(Enum):
    """What the targets that have not begun are to do."""

    #: Wait, if they wait for those that were sent ahead.
    HOLD = 'hold'
    GO = 'go'
    STOP = 'stop'


#: Told of each finished outcome.
Watch = Callable[[Outcome[T, R]], Pace]


def run(
    outcomes: Sequence[Outcome[T, R]],
    action: Callable[[T], R],
    *,
    concurrency: int,
    stop: threading.Event,
    watch: Watch[T, R] | None = None,
    ahead: int | None = None,
    grace: float = GRACE,
) -> None:
    """Carry out the action for each outcome's target.

    An exception of the action is that target's outcome and stops nothing.
    On KeyboardInterrupt or SystemExit ``stop`` is set, requests under way
    get ``grace`` seconds, and the interruption goes on to the caller; a
    second one leaves at once.

    :param concurrency: the most targets at a time.
    :param stop: shared with whatever the action sends with.
    :param watch: called in this thread, in the order of completion.
    :param ahead: so many go first; the others follow when the watch lets
        them go, or when those have all ended and it does not stop them.
        None: all go.
    """
    waiting: queue.SimpleQueue[Outcome[T, R] | None] = queue.SimpleQueue()
    done: queue.SimpleQueue[Outcome[T, R]] = queue.SimpleQueue()
    halt = threading.Event()
    workers = [
        threading.Thread(
            target=_work, args=(waiting, done, action, halt), daemon=True
        )
        for _ in range(min(concurrency, len(outcomes)))
    ]
    try:
        for worker in workers:
            worker.start()
        _feed(outcomes, ahead, waiting, done, halt, watch)
    except (KeyboardInterrupt, SystemExit):
        stop.set()
        halt.set()
        _dismiss(workers, waiting)
        _join(workers, grace)
        raise
    except BaseException:
        halt.set()
        raise
    finally:
        _dismiss(workers, waiting)


def gather(
    calls: Sequence[Callable[[], R]], *, stop: threading.Event
) -> list[R]:
    """The results of independent calls, made at the same time.

    :raises Exception: the first failure in the order of the calls.
    """
    outcomes: list[Outcome[Callable[[], R], R]] = [
        Outcome(call) for call in calls
    ]
    run(outcomes, _call, concurrency=len(calls), stop=stop, grace=0.0)
    return [result_of(outcome) for outcome in outcomes]


def each(
    values: Iterable[T],
    action: Callable[[T], R],
    *,
    concurrency: int,
    stop: threading.Event,
) -> list[Outcome[T, R]]:
    """:func:`run` for values to be read: nothing to wait for at the end."""
    outcomes: list[Outcome[T, R]] = [Outcome(value) for value in values]
    run(outcomes, action, concurrency=concurrency, stop=stop, grace=0.0)
    return outcomes


def result_of(outcome: Outcome[T, R]) -> R:
    """The result of an outcome, or its exception."""
    if outcome.state is not State.DONE:
        raise outcome.error or errors.Cancelled('not sent')
    return outcome.result  # type: ignore[return-value]


def now() -> datetime:
    """This moment, as the outcomes carry it (UTC)."""
    return datetime.now(timezone.utc)


def _call(call: Callable[[], R]) -> R:
    return call()


def _feed(
    outcomes: Sequence[Outcome[T, R]],
    ahead: int | None,
    waiting: queue.SimpleQueue[Outcome[T, R] | None],
    done: queue.SimpleQueue[Outcome[T, R]],
    halt: threading.Event,
    watch: Watch[T, R] | None,
) -> None:
    """Hand the targets to the workers, and take what comes back."""
    ready, held = outcomes[:ahead], outcomes[len(outcomes[:ahead]) :]
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
            pace = Pace.GO if watch is None else watch(outcome)
            if pace is Pace.STOP:
                halt.set()
                held = ()
            elif pace is Pace.GO or received == expected:
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
        outcome.error = error
        outcome.answered_at = now()
        if not _unanswered(error):
            outcome.state = State.FAILED
        return
    outcome.result = result
    outcome.answered_at = now()
    outcome.state = State.DONE


def _unanswered(error: BaseException) -> bool:
    if isinstance(error, errors.ConnectionFailed):
        return error.sent
    if isinstance(error, errors.OutcomeUnknown):
        return True
    # What nobody has foreseen may have come after the request was sent.
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
