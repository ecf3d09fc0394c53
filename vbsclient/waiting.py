# SPDX-License-Identifier: Apache-2.0
"""The wait loop: poll what is unfinished until its goal is reached.

Deletions of these services give nothing to poll but the resources
themselves, and each poll costs pages of a list.  So the interval grows with
the time that has passed, and a poll that fails does not end the wait.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from vbsclient.api import errors

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class ResourceStatus:
    """What one poll says of one resource.

    :ivar status: its status; None once a GET has confirmed that it is gone.
    :ivar reason: why its change failed, as the service says it.
    :ivar updated_at: when the service last changed it.
    :ivar progress: how much is done, in percent.
    :ivar is_absent: whether it should be there by now, and is not.
    :ivar remark: what is worth knowing of an end that was meant.
    :ivar is_alive: whether the service says that it is at it: then a wait
        is not over, however long nothing else changes.
    """

    status: str | None
    reason: str | None = None
    updated_at: str | None = None
    progress: int | None = None
    is_alive: bool = False
    is_absent: bool = False
    remark: str = ''

    @property
    def word(self) -> str:
        """The status; ``deleted`` for what is gone."""
        return 'deleted' if self.status is None else self.status


@dataclass(frozen=True)
class Goal:
    """What a change is waited for.

    :ivar word: what a report says of what has reached it.
    :ivar reached: the statuses that mean that it is reached.
    :ivar under_way: those that mean that the service is at it.
    :ivar progress: what a report says of what has one of these.
    """

    word: str
    reached: frozenset[str]
    under_way: frozenset[str]
    progress: str

    def is_reached(self, status: ResourceStatus) -> bool:
        """Whether this is the end that was meant."""
        return status.word in self.reached

    def is_under_way(self, status: ResourceStatus) -> bool:
        """Whether the service has begun and not ended."""
        return status.word in self.under_way

    def has_ended(self, status: ResourceStatus) -> bool:
        """Whether there is nothing to wait for any more."""
        return self.is_reached(status) or self.has_settled(status)

    def has_settled(self, status: ResourceStatus) -> bool:
        """Whether nothing goes on; short of the goal, that is a failure."""
        word = status.word
        return word in ('available', 'deleted', 'FAIL') or word.startswith(
            'error'
        )


GONE = Goal(
    'deleted',
    frozenset({'deleted'}),
    frozenset({'deleting', 'waiting_delete'}),
    'is being deleted',
)
AVAILABLE = Goal(
    'created',
    frozenset({'available'}),
    frozenset({'creating', 'waiting_protect', 'protecting'}),
    'is being created',
)

JOB_SUCCESS = Goal(
    'done',
    frozenset({'SUCCESS'}),
    frozenset({'INIT', 'RUNNING'}),
    'is in progress',
)

#: One poll: what is known of these ids; an id may be left out.
Poll = Callable[[Collection[str]], Mapping[str, ResourceStatus]]

#: Acts on what was read; returns the ids to go on polling.
OnPoll = Callable[[Mapping[str, ResourceStatus]], Collection[str]]


@dataclass(frozen=True)
class Patience:
    """How long a wait may last, in seconds.

    :ivar timeout: the whole wait; None waits as long as anything happens.
    :ivar idle: without a timeout: the longest time in which nothing does.
    :ivar shortest: the shortest interval between two polls.
    :ivar longest: the longest.
    """

    timeout: float | None = None
    idle: float = 1800.0
    shortest: float = 1.0
    longest: float = 15.0

    def pause(self, elapsed: float) -> float:
        """Seconds until the next poll: a tenth of the time so far."""
        return min(max(elapsed / 10, self.shortest), self.longest)


def wait(
    watched: Collection[str],
    poll: Poll,
    on_poll: OnPoll,
    *,
    patience: Patience,
    stop: threading.Event,
    clock: Callable[[], float] = time.monotonic,
) -> Collection[str]:
    """Poll until ``on_poll`` asks for nothing more.

    :param watched: the ids to poll first.
    :param stop: ends the wait at once.
    :param clock: seconds that only grow.
    :returns: the ids that were still watched when the patience ended.
    :raises Cancelled: if ``stop`` is set.
    """
    started = changed = clock()
    known: dict[str, ResourceStatus] = {}
    while watched:
        try:
            seen = poll(watched)
        except errors.Cancelled:
            raise
        except errors.LoginRefused as error:
            # Nothing can be read any more, whatever happens.
            LOG.warning('Stopped waiting: %.500s.', error.message)
            return watched
        except errors.ClientError as error:
            LOG.info(
                'Polling failed once, the wait goes on: %.500r.', error.message
            )
            seen = {}
        now = clock()
        if any(
            status.is_alive or known.get(id) != status
            for id, status in seen.items()
        ):
            changed = now
        known.update(seen)
        before, watched = set(watched), on_poll(seen)
        if set(watched) != before:
            changed = now
        if not watched:
            break
        left = _time_left(patience, started, changed, clock())
        if left <= 0:
            return watched
        if stop.wait(min(patience.pause(clock() - started), left)):
            raise errors.Cancelled('the wait was interrupted')
    return ()


def _time_left(
    patience: Patience, started: float, changed: float, now: float
) -> float:
    if patience.timeout is not None:
        return started + patience.timeout - now
    return changed + patience.idle - now
