# SPDX-License-Identifier: Apache-2.0
"""What is to happen later, on an injected clock.

There are no timers: what is due is done before each request is served.
"""

import heapq
from collections.abc import Callable
from itertools import count

Action = Callable[[], None]


class Agenda:
    """Actions in the order of the times they are due at."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._entries: list[tuple[float, int, Action]] = []
        # Two of the same time are done in the order they were added in.
        self._order = count()

    def add(self, seconds: float, action: Action) -> None:
        """Let something be done so many seconds from now."""
        entry = (self._clock() + seconds, next(self._order), action)
        heapq.heappush(self._entries, entry)

    def run_due(self) -> None:
        """Do what is due, and what that adds and is due as well."""
        while self._entries and self._entries[0][0] <= self._clock():
            heapq.heappop(self._entries)[2]()
