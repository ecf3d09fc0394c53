# SPDX-License-Identifier: Apache-2.0
"""The wait loop: look at what is unfinished until nothing is.

Deletions of these services give nothing to poll but the resources
themselves, and each look costs pages of a list.  So the pause between two
looks grows with the time that has passed, and a look that fails ends
nothing.
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
    """What one look says of one resource.

    :ivar status: its status; None once a GET has confirmed that it is gone.
    :ivar reason: why its deletion failed, as the service says it.
    :ivar updated_at: when the service last changed it.
    """

    status: str | None
    reason: str | None = None
    updated_at: str | None = None


#: One look: what is known of these ids; an id may be left out.
Look = Callable[[Collection[str]], Mapping[str, ResourceStatus]]

#: Acts on what was seen; returns the ids to go on looking at.
OnPoll = Callable[[Mapping[str, ResourceStatus]], Collection[str]]


@dataclass(frozen=True)
class Patience:
    """How long a wait may last, in seconds.

    :ivar timeout: the whole wait; None waits as long as anything happens.
    :ivar idle: without a timeout: the longest time in which nothing does.
    :ivar shortest: the shortest pause between two looks.
    :ivar longest: the longest.
    """

    timeout: float | None = None
    idle: float = 1800.0
    shortest: float = 1.0
    longest: float = 15.0

    def pause(self, elapsed: float) -> float:
        """Seconds until the next look: a tenth of the time so far."""
        return min(max(elapsed / 10, self.shortest), self.longest)


def follow(
    watched: Collection[str],
    look: Look,
    react: OnPoll,
    *,
    patience: Patience,
    stop: threading.Event,
    clock: Callable[[], float] = time.monotonic,
) -> Collection[str]:
    """Look until ``react`` wants to see nothing more.

    :param watched: the ids to look at first.
    :param stop: ends the wait at once.
    :param clock: seconds that only grow.
    :returns: the ids that were still watched when the patience ended.
    :raises Cancelled: if ``stop`` is set.
    """
    started = changed = clock()
    known: dict[str, ResourceStatus] = {}
    while watched:
        try:
            seen = look(watched)
        except errors.Cancelled:
            raise
        except errors.LoginRefused as error:
            # Nothing will be seen any more, whatever happens.
            LOG.warning('The wait ends here: %.500s.', error.message)
            return watched
        except errors.ClientError as error:
            LOG.info(
                'One look failed, the wait goes on: %.500r.', error.message
            )
            seen = {}
        now = clock()
        if any(known.get(id) != state for id, state in seen.items()):
            changed = now
        known.update(seen)
        before, watched = set(watched), react(seen)
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
