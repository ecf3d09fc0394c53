# SPDX-License-Identifier: Apache-2.0
"""Creations take time, and end well, in an error, or not at all.

What becomes of one is known when it is asked for; it is done by the agenda
of the state.
"""

from collections.abc import Callable
from functools import partial

from tests.sandbox.knobs import Knobs
from tests.sandbox.model import Backup, CheckpointItem, Server, Volume
from tests.sandbox.state import CloudState

# The part of the whole time in which a creation waits for its turn.
QUEUED = 0.1
# Why a creation failed, by what becomes of it; nothing if it did not.
FAILURES = {'succeeds': '', 'fails': 'The storage did not answer.'}


class Creations:
    """Backups in the making; hold the state's lock."""

    def __init__(
        self, state: CloudState, knobs: Knobs, clock: Callable[[], float]
    ) -> None:
        self._state = state
        self._knobs = knobs
        self._clock = clock
        # id -> when it was asked for, and how long it takes
        self._begun: dict[str, tuple[float, float]] = {}

    def begin_backup(
        self,
        volume: Volume,
        backup: Backup,
        then: Callable[[], None] = lambda: None,
    ) -> None:
        """Let a backup of VBS or Cinder come to rest.

        :param then: what is to be done as well when it has.
        """

        def finish(failed: str) -> None:
            self._state.finish_backup(backup, failed)
            then()

        # Accepted all the same: nobody looks for a worker before.
        works = self._knobs.backup_worker
        self._schedule(
            backup.id, volume.creation if works else 'fails', finish
        )

    def begin_item(
        self, server: Server, make: Callable[[], CheckpointItem]
    ) -> None:
        """Let an item of CSBS appear, and come to rest."""

        def appear() -> None:
            item = make()
            self._schedule(
                item.id,
                server.creation,
                partial(self._state.finish_item, item),
            )
            self._state.agenda.add(
                self._knobs.creation_time * QUEUED,
                partial(self._state.start_item, item),
            )

        if self._knobs.item_delay:
            self._state.agenda.add(self._knobs.item_delay, appear)
        else:
            appear()

    def _schedule(
        self, id: str, creation: str | None, finish: Callable[[str], None]
    ) -> None:
        """Let it end as it is told to: `finish` takes the failure."""
        outcome = creation or self._knobs.creation
        if outcome == 'hangs':
            return
        seconds = self._knobs.creation_time
        self._begun[id] = self._clock(), seconds
        self._state.agenda.add(seconds, partial(finish, FAILURES[outcome]))

    def is_queued(self, backup: Backup) -> bool:
        """Whether what is being made still waits for its turn."""
        since, seconds = self._begun.get(backup.id, (0.0, 0.0))
        return self._clock() < since + seconds * QUEUED

    def progress(self, item: CheckpointItem) -> int:
        """Per cent, of an item that is not at rest.

        What was not made here, or hangs, stands still.
        """
        if item.status == 'waiting_protect':
            return 0
        since, seconds = self._begun.get(item.id, (0.0, 0.0))
        passed = self._clock() - since
        return 40 if passed >= seconds else int(100 * passed / seconds)
