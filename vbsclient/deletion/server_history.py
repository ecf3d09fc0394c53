# SPDX-License-Identifier: Apache-2.0
"""Backups of servers as rules of retention see them."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping

from vbsclient.api import errors
from vbsclient.api.csbs import CSBSClient, ServerBackup
from vbsclient.api.times import parse_timestamp
from vbsclient.bulk import Limits
from vbsclient.deletion.prune import Absence, Confirm, Snapshot, status_reasons
from vbsclient.deletion.server_backups import ServerBackupDeletion
from vbsclient.lookup.existence import is_gone
from vbsclient.retention import Candidate
from vbsclient.wording import brief


class ServerHistory:
    """The backups of some servers.

    :param read: lists them.
    :param include_error: let those go whose status is ``error``.
    """

    def __init__(
        self,
        csbs: CSBSClient,
        read: Callable[[], Iterable[ServerBackup]],
        *,
        provider_id: str,
        limits: Limits,
        include_error: bool = False,
    ) -> None:
        self._csbs = csbs
        self._list = read
        self._provider_id = provider_id
        self._limits = limits
        self._include_error = include_error

    def read(self, hold: Container[str] = ()) -> Snapshot[ServerBackup]:
        """List them."""
        reading: Snapshot[ServerBackup] = Snapshot()
        for item in self._list():
            if is_gone(item.status) or not self._csbs.backups.owns(item):
                continue
            reading.candidates.append(self._candidate(item))
            if item.id in hold:
                reading.resources[item.id] = item
        return reading

    def deletion(
        self, known: Mapping[str, ServerBackup], confirm: Confirm
    ) -> ServerBackupDeletion:
        """The rules of ``csbs backup delete``."""
        return ServerBackupDeletion(
            self._csbs,
            list(known),
            provider_id=self._provider_id,
            limits=self._limits,
            known=known,
            confirm=confirm,
        )

    def absence_of(self, backup: Candidate) -> Absence | None:
        """Ask for it."""
        try:
            now = self._csbs.backups.get(backup.id)
        except errors.NotFound:
            return Absence('there is no such backup', is_gone=True)
        if now.status != 'available':
            return Absence(
                f'its status is {brief(now.status)}', is_gone(now.status)
            )
        if not now.restorable:
            return Absence('it cannot be restored')
        if not now.is_readable:
            return Absence('its extend_info is not readable')
        if now.server_id != backup.group or not self._csbs.backups.owns(now):
            return Absence('it is not the same any more')
        return None

    def _candidate(self, item: ServerBackup) -> Candidate:
        protections, remarks = status_reasons(
            item.status, include_error=self._include_error
        )
        finished = item.status == 'available'
        if finished and not item.restorable:
            protections += ('cannot be restored',)
        if item.has_image:
            protections += ('an image was made from it',)
        if not item.is_readable:
            protections += ('its extend_info is not readable',)
        if not item.server_id:
            protections += ('of no known server',)
        tags = _tags_of(item)
        if tags is None:
            protections += ('its tags are not readable',)
        return Candidate(
            id=item.id,
            group=item.server_id or 'no server',
            group_name=item.server_name,
            name=item.name,
            status=item.status,
            created_at=item.created_at,
            created=parse_timestamp(item.created_at),
            size=item.size,
            counts=finished and item.restorable and item.is_readable,
            protections=protections,
            remarks=remarks,
            tags=tags or frozenset(),
            part_of=item.checkpoint_id,
            volume_ids=item.volume_ids,
        )


def _tags_of(item: ServerBackup) -> frozenset[str] | None:
    """``key=value`` of each; None if one of them may be meant to protect."""
    tags = item.raw_tags or []
    if not isinstance(tags, list):
        return None
    if not all(
        isinstance(t, dict) and {'key', 'value'} <= t.keys() for t in tags
    ):
        return None
    return frozenset(f'{tag["key"]}={tag["value"]}' for tag in tags)
