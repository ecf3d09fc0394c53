# SPDX-License-Identifier: Apache-2.0
"""Deletions take time, a few at once, the rest queued behind them.

There are no timers: a deletion's whole course is known when it is asked
for, and what has become due is applied before each request is served.
"""

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.sandbox.knobs import Knobs
from tests.sandbox.model import Backup, CheckpointItem
from tests.sandbox.state import CloudState

Target = Backup | CheckpointItem


@dataclass(order=True)
class Event:
    """A deletion that gets its slot (`step` 0) or ends (`step` 1)."""

    at: float
    order: int
    step: int = field(compare=False)
    target: Target = field(compare=False)


class DeletionQueue:
    """First come, first served, in `slots` places for each lane."""

    def __init__(self) -> None:
        self._busy: defaultdict[tuple[str, str], list[float]]
        self._busy = defaultdict(list)
        self._events: list[Event] = []
        self._order = 0

    def submit(
        self,
        lane: tuple[str, str],
        target: Target,
        now: float,
        seconds: float,
        slots: int,
    ) -> tuple[float, float]:
        """Queue a deletion and return when it begins and ends."""
        busy = self._busy[lane]
        while busy and busy[0] <= now:
            heapq.heappop(busy)
        begin = now
        while len(busy) >= max(slots, 1):
            begin = heapq.heappop(busy)
        end = begin + seconds
        heapq.heappush(busy, end)
        for step, at in enumerate((begin, end)):
            self._order += 1
            event = Event(at, self._order, step, target)
            heapq.heappush(self._events, event)
        return begin, end

    def due(self, now: float) -> Iterator[Event]:
        """Take out what has happened until now, in order."""
        while self._events and self._events[0].at <= now:
            yield heapq.heappop(self._events)


class Deletions:
    """The queue at work on the state; hold the state's lock."""

    def __init__(
        self, state: CloudState, knobs: Knobs, clock: Callable[[], float]
    ) -> None:
        self._state = state
        self._knobs = knobs
        self._clock = clock
        self._queue = DeletionQueue()

    def begin_backup(self, backup: Backup) -> None:
        """VBS says `deleting` even while the deletion is queued."""
        backup.status = 'deleting'
        backup.updated_at = self._state.stamp()
        self._submit('vbs', backup)

    def begin_item(self, item: CheckpointItem, late: float = 0.0) -> None:
        """Begin it, or let its turn come so many seconds later."""
        if late:
            self._state.agenda.add(late, lambda: self._begin_late(item))
            return
        item.status = 'waiting_delete'
        item.updated_at = self._state.stamp()
        self._submit('csbs', item)

    def _begin_late(self, item: CheckpointItem) -> None:
        if item.id in self._state.items:
            self.begin_item(item)

    def _submit(self, service: str, target: Target) -> None:
        self._queue.submit(
            (service, target.project_id),
            target,
            self._clock(),
            self._knobs.deletion_time,
            self._knobs.deletion_slots,
        )
        self.advance()

    def advance(self) -> None:
        """Let what is due begin and end."""
        for event in self._queue.due(self._clock()):
            if isinstance(event.target, Backup):
                self._move_backup(event.target, event.step)
            else:
                self._move_item(event.target, event.step)

    def _move_backup(self, backup: Backup, step: int) -> None:
        if step == 0:
            return
        if backup.deletion_fails:
            backup.status = 'error_deleting'
            backup.fail_reason = 'The backup could not be deleted.'
            backup.updated_at = self._state.stamp()
        else:
            self._state.remove_backup(backup)

    def _move_item(self, item: CheckpointItem, step: int) -> None:
        if step == 0:
            item.status = 'deleting'
            disks = 'deleting'
        elif not item.deletion_fails:
            self._state.remove_item(item)
            return
        else:
            item.status = 'error'
            item.fail('delete', 'The backup could not be deleted.')
            disks = 'available'
        item.updated_at = self._state.stamp()
        for backup in self._state.backups_in(item):
            backup.status = disks
