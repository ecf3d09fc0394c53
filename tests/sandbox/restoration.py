# SPDX-License-Identifier: Apache-2.0
"""Restores take time, and end well, in an error, or not at all.

As with creations, what becomes of one is known when it is asked for, and it
is done by the agenda of the state.
"""

from collections.abc import Callable
from functools import partial

from tests.sandbox import jobs
from tests.sandbox.agenda import Action
from tests.sandbox.knobs import Knobs
from tests.sandbox.model import (
    Backup,
    CheckpointItem,
    Job,
    Restore,
    Server,
    Volume,
)
from tests.sandbox.state import CloudState

# The part of the whole time in which a restore waits for its turn.
QUEUED = 0.1
# A server backup that is shown as being restored.
BUSY = ('waiting_restore', 'restoring')
#: Why a restore failed: the same words each time.
REASON = 'The data could not be written.'
#: What a volume has that a restore has begun, and not finished, to overwrite.
INCOMPLETE = 'incomplete'


class Restores:
    """Restores at work on the state; hold its lock."""

    def __init__(
        self, state: CloudState, knobs: Knobs, clock: Callable[[], float]
    ) -> None:
        self._state = state
        self._knobs = knobs
        self._clock = clock
        # item id -> when its restore began to be shown, and how long it takes
        self._begun: dict[str, tuple[float, float]] = {}

    def _schedule(self, outcome: str, start: Action, finish: Action) -> None:
        """Let it start behind its turn, and end, if it does."""
        seconds = self._knobs.restore_time
        self._state.agenda.add(seconds * QUEUED, start)
        if outcome != 'hangs':
            self._state.agenda.add(seconds, finish)

    # -- volumes -----------------------------------------------------------

    def begin_volume(
        self,
        backup: Backup,
        volume: Volume,
        job: Job | None = None,
        *,
        shrinks: bool = True,
    ) -> None:
        """Overwrite a volume, as VBS and Cinder do.

        :param shrinks: a volume that has been enlarged since falls back to
            its old size.
        """
        outcome = volume.restore or self._knobs.restore
        if outcome == 'never-begins':
            return
        # At once: nobody else may have either of them meanwhile.
        self._set_backup(backup, 'restoring')
        self._set_volume(volume, 'restoring-backup')

        def start() -> None:
            volume.content = INCOMPLETE
            if job is not None:
                job.status = 'RUNNING'

        def finish() -> None:
            failed = outcome != 'succeeds'
            self._set_backup(backup, _left(outcome))
            if not failed:
                self._overwrite(backup, volume, shrinks)
            self._state.agenda.add(
                self._knobs.restore_lag,
                partial(self._end_volume, volume, failed),
            )
            if job is not None:
                jobs.end(self._state, job, REASON if failed else '')

        self._schedule(outcome, start, finish)

    def _overwrite(
        self, backup: Backup, volume: Volume, shrinks: bool
    ) -> None:
        volume.content = backup.id
        if shrinks and volume.id == backup.volume_id:
            volume.size = backup.size

    def _end_volume(self, volume: Volume, failed: bool) -> None:
        good = 'in-use' if volume.server_id else 'available'
        self._set_volume(volume, 'error_restoring' if failed else good)

    def _set_volume(self, volume: Volume, status: str) -> None:
        volume.status = status
        volume.updated_at = self._state.stamp()

    def _set_backup(self, backup: Backup, status: str) -> None:
        backup.status = status
        backup.updated_at = self._state.stamp()

    # -- servers -----------------------------------------------------------

    def begin_server(self, restore: Restore) -> None:
        """Overwrite the volumes of a server, which is stopped meanwhile.

        The backup may be shown as before for a while.
        """
        outcome = restore.server.restore or self._knobs.restore
        restore.begins = outcome != 'never-begins'
        if not restore.begins:
            return

        def begin() -> None:
            self._begun[restore.item.id] = (
                self._clock(),
                self._knobs.restore_time,
            )
            self._show(restore.item, 'waiting_restore')
            if 'taskid' in self._knobs.restore_traces:
                restore.item.task_id = self._state.new_hex()
            self._schedule(
                outcome,
                partial(self._start, restore),
                partial(self._finish, restore, outcome),
            )

        if self._knobs.restore_delay:
            self._state.agenda.add(self._knobs.restore_delay, begin)
        else:
            begin()

    def _show(
        self, item: CheckpointItem, status: str, disks: str = 'available'
    ) -> None:
        """What the backup says of it, as far as it says anything."""
        traces = self._knobs.restore_traces
        if 'status' in traces or status == 'error':
            item.status = status
            for backup in self._state.backups_in(item):
                self._set_backup(backup, disks)
        if 'updated_at' in traces:
            item.updated_at = self._state.stamp()

    def _start(self, restore: Restore) -> None:
        restore.server.status = 'SHUTOFF'
        for _, volume in restore.targets:
            self._set_volume(volume, 'restoring-backup')
            volume.content = INCOMPLETE
        self._show(restore.item, 'restoring', 'restoring')

    def _finish(self, restore: Restore, outcome: str) -> None:
        failed = outcome != 'succeeds'
        for backup, volume in restore.targets:
            if not failed:
                self._overwrite(backup, volume, shrinks=True)
            self._end_volume(volume, failed)
        if failed:
            restore.item.fail('restore', REASON)
        elif not self._knobs.restore_keeps_failure:
            restore.item.clear_failure()
        if restore.power_on and not failed:
            restore.server.status = 'ACTIVE'
        restore.status = 'fail' if failed else 'success'
        status = 'error' if outcome == 'breaks' else 'available'
        self._show(restore.item, status, _left(outcome))

    def is_restored(self, server: Server) -> bool:
        """Whether a restore to a server is on its way, shown or not."""
        return any(
            one.server is server for one in self._on_their_way()
        ) or any(
            item.resource_id == server.id and item.status in BUSY
            for item in self._state.items_of[server.project_id]
        )

    def is_read(self, item: CheckpointItem) -> bool:
        """Whether a restore from a backup is on its way, shown or not."""
        return any(one.item is item for one in self._on_their_way())

    def _on_their_way(self) -> list[Restore]:
        return [
            one
            for one in self._state.restores.values()
            if one.begins and one.status == 'in_progress'
        ]

    def progress(self, item: CheckpointItem) -> int:
        """Per cent, of a backup that is shown as being restored."""
        since, seconds = self._begun.get(item.id, (0.0, 0.0))
        passed = self._clock() - since
        return 40 if passed >= seconds else int(100 * passed / seconds)


def _left(outcome: str) -> str:
    """The status of a volume backup behind a restore.

    A failure hurts the volume alone, unless the backup breaks as well.
    """
    return 'error_restoring' if outcome == 'breaks' else 'available'
