# SPDX-License-Identifier: Apache-2.0
"""Server backups as retention rules see them."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping

from vbsclient.api.csbs import CSBSClient, ServerBackup
from vbsclient.api.http import Limits
from vbsclient.api.values import gigabytes
from vbsclient.change.targets import VerifyAgain
from vbsclient.deletion import prune
from vbsclient.deletion.server_backups import ServerBackupDeletion
from vbsclient.lookup.existence import is_gone
from vbsclient.retention import Candidate


class ServerHistory(prune.History):
    """The backups of some servers.

    :param read: lists them.
    """

    group_field = 'server_id'

    def __init__(
        self,
        csbs: CSBSClient,
        read: Callable[[], Iterable[ServerBackup]],
        *,
        provider_id: str,
        limits: Limits,
        include_error: bool = False,
    ) -> None:
        super().__init__((csbs,), csbs.backups, include_error=include_error)
        self._csbs = csbs
        self._list = read
        self._provider_id = provider_id
        self._limits = limits

    def read(self, keep_bodies_of: Container[str] = ()) -> prune.Snapshot:
        snapshot = prune.Snapshot()
        for backup in self._list():
            if is_gone(backup.status) or not self.backups.owns(backup):
                continue
            snapshot.candidates.append(self._candidate(backup))
            if backup.id in keep_bodies_of:
                snapshot.resources[backup.id] = backup
        return snapshot

    def deletion(
        self,
        known: Mapping[str, ServerBackup],
        confirm: prune.Confirm,
        verify_again: VerifyAgain,
    ) -> ServerBackupDeletion:
        return ServerBackupDeletion(
            self._csbs,
            list(known),
            provider_id=self._provider_id,
            limits=self._limits,
            known=known,
            confirm=confirm,
            verify_again=verify_again,
        )

    def unusable_reason(self, backup: ServerBackup) -> str | None:
        if not backup.restorable:
            return 'it cannot be restored'
        if not backup.is_readable:
            return 'its extend_info is not readable'
        return None

    def _candidate(self, backup: ServerBackup) -> Candidate:
        is_available = backup.status == 'available'
        tags = _tags_of(backup)
        protections = (
            (is_available and not backup.restorable, 'cannot be restored'),
            (backup.has_image, 'an image was made from it'),
            (not backup.is_readable, 'its extend_info is not readable'),
            (not backup.server_id, 'of no known server'),
            (tags is None, 'its tags are not readable'),
        )
        return self.candidate(
            backup,
            [reason for applies, reason in protections if applies],
            size=gigabytes(backup.size),
            group=backup.server_id or 'no server',
            group_name=backup.server_name,
            tags=tags or frozenset(),
            part_of=backup.checkpoint_id,
            volume_ids=backup.volume_ids,
        )


def _tags_of(backup: ServerBackup) -> frozenset[str] | None:
    """``key=value`` of each; None if one may be meant to protect a backup."""
    tags = backup.raw_tags or []
    if not isinstance(tags, list) or not all(
        isinstance(t, dict) and {'key', 'value'} <= t.keys() for t in tags
    ):
        return None
    return frozenset(f'{tag["key"]}={tag["value"]}' for tag in tags)
