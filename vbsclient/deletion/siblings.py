# SPDX-License-Identifier: Apache-2.0
"""What must remain of checkpoints of which single backups are deleted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from vbsclient.api import errors
from vbsclient.api.csbs import CSBSClient, ServerBackup
from vbsclient.api.http import Limits
from vbsclient.change.targets import AbortRun
from vbsclient.lookup.existence import is_going, is_gone
from vbsclient.lookup.server_backups import find_members
from vbsclient.wording import listed

#: Seconds until siblings are read again: a service that deletes a few at a
#: time comes to the others late.
SECOND_LOOK = 5.0


class Siblings:
    """The backups beside the named ones, which nothing may happen to."""

    def __init__(self, csbs: CSBSClient, limits: Limits) -> None:
        self._csbs = csbs
        self._limits = limits
        self._of: dict[str, set[str]] = {}

    def learn(
        self,
        members: Mapping[str, Sequence[ServerBackup]],
        named: Collection[str | None],
    ) -> None:
        """Take note of what must stay: unnamed and not yet going.

        :param members: the backups of each checkpoint, as they are now.
        :param named: the ids of what may go.
        """
        for checkpoint_id, backups in members.items():
            remaining = {
                backup.id
                for backup in backups
                if backup.id not in named and not _is_deleted(backup.status)
            }
            if remaining:
                self._of[checkpoint_id] = remaining

    @property
    def checkpoints(self) -> Collection[str]:
        """The checkpoints that hold some."""
        return self._of.keys()

    def pause(self) -> None:
        """Give the service time to come to them.

        :raises Cancelled: if the run is interrupted.
        """
        if self._limits.stop.wait(SECOND_LOOK):
            raise errors.Cancelled('the run was interrupted')

    def read(self, checkpoint_ids: Iterable[str]) -> list[ServerBackup]:
        """All backups of some checkpoints."""
        members = find_members(
            self._csbs.backups, list(checkpoint_ids), self._limits
        )
        return [backup for backups in members.values() for backup in backups]

    def check(self, checkpoint_ids: Collection[str] | None = None) -> None:
        """Read those of some checkpoints, or all, and compare.

        :raises AbortRun: if one of them goes.
        """
        ids = self.checkpoints if checkpoint_ids is None else checkpoint_ids
        if ids:
            self.compare(self.read(ids), ids)

    def compare(
        self, backups: Iterable[ServerBackup], checkpoint_ids: Iterable[str]
    ) -> None:
        """Check in a list that was just read that each of them is unchanged.

        :param backups: with all that must remain of these checkpoints.
        :raises AbortRun: if one of them goes.
        """
        status = {backup.id: backup.status for backup in backups}
        for checkpoint_id in checkpoint_ids:
            going = self._going(checkpoint_id, status)
            if going:
                self._stop(checkpoint_id, going)

    def _going(
        self, checkpoint_id: str, status: Mapping[str, str]
    ) -> set[str]:
        return {
            id
            for id in self._of.get(checkpoint_id, ())
            if _is_deleted(status[id] if id in status else self._status(id))
        }

    def _status(self, backup_id: str) -> str:
        try:
            return self._csbs.backups.get(backup_id).status
        except errors.NotFound:
            return 'deleted'

    def _stop(self, checkpoint_id: str, going: set[str]) -> None:
        """Say what was seen; a later look tells which cause is likely."""
        self.pause()
        status = {
            backup.id: backup.status for backup in self.read([checkpoint_id])
        }
        going |= self._going(checkpoint_id, status)
        remaining = self._of[checkpoint_id] - going
        cause = (
            f'{listed(sorted(remaining), 3)} stays, so that most likely '
            f'somebody else deletes the others at the same time; a service '
            f'that ignores checkpoint_items would delete all of them.'
            if remaining
            else 'Either somebody else deletes them at the same time, or '
            'this cloud ignores checkpoint_items and deletes the whole '
            'checkpoint.'
        )
        raise AbortRun(
            f'more is being deleted than was named: of the checkpoint '
            f'{checkpoint_id} also {listed(sorted(going))}. Nothing else was '
            f'sent',
            f'{cause} Find out which it is before the next try. If nobody '
            f'else deletes there, tell the operator of the cloud at once, and '
            f'do not delete single server backups.',
        )


def _is_deleted(status: str) -> bool:
    return is_going(status) or is_gone(status)
