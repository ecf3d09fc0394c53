# SPDX-License-Identifier: Apache-2.0
"""What a backup of a disk does not tell by itself, read when it is shown."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from vbsclient.api import errors
from vbsclient.api.csbs import CSBSClient, ItemFilter
from vbsclient.api.paging import first_of
from vbsclient.api.values import bool_or_none
from vbsclient.api.vbs import Backup, Share, ShareFilter, VBSClient
from vbsclient.osc.columns import Column, Gigabytes, Several, Time, trigger
from vbsclient.osc.text import sentence

LOG = logging.getLogger(__name__)

#: The fields that v2 tells of a backup, and v3 does not.
MARKED = frozenset({'source', 'type'})


class NoSharing(errors.ClientError):
    """The endpoint has no calls for shares."""

    hint = 'Shares are a function of VBS v2: check the endpoint.'

    def __init__(self) -> None:
        super().__init__('this cloud does not share backups')


@dataclass(frozen=True)
class Part:
    """What CSBS says of a backup of a disk."""

    item_id: str
    incremental: bool | None


class Details:
    """Where backups come from and whom they are shared with.

    Each list is read once, when the first backup needs it.

    :param shares: which shares to read.
    :param items: which backups of CSBS to read.
    """

    def __init__(
        self,
        vbs: VBSClient,
        csbs: CSBSClient,
        *,
        shares: ShareFilter,
        items: ItemFilter,
    ) -> None:
        self._vbs = vbs
        self._csbs = csbs
        self._share_filter = shares
        self._item_filter = items

    def source(self, backup: Backup) -> str | None:
        """The service that made it; None where nobody says."""
        if _is_marked(backup):
            return 'CSBS' if backup.made_by_csbs else 'VBS'
        if self._parts is None:
            return None
        return 'CSBS' if backup.id in self._parts else 'VBS'

    def type(self, backup: Backup) -> str | None:
        """``full`` or ``incremental``; None where nobody says."""
        incremental = backup.incremental
        if incremental is None and not _is_marked(backup):
            part = (self._parts or {}).get(backup.id)
            if part is not None:
                incremental = part.incremental
            elif self._vbs.endpoint.vendor is None:
                # Block storage maintains the mark that VBS does not.
                incremental = bool_or_none(backup.body.get('is_incremental'))
        return type_of(incremental)

    def server_backup(self, backup: Backup) -> str | None:
        """The id of the backup in CSBS that it is a part of, if it is."""
        if self.source(backup) != 'CSBS':
            return None
        part = (self._parts or {}).get(backup.id)
        return part.item_id if part else None

    def shared_with(self, backup: Backup) -> list[str] | None:
        """The projects that may use it; None if that cannot be read."""
        if self._shares is None:
            return None
        return self._shares.get(backup.id, [])

    @cached_property
    def _parts(self) -> dict[str, Part] | None:
        """Disk backup id -> what CSBS says of it; None if unreadable."""
        try:
            return {
                disk['id']: Part(
                    item.id, bool_or_none(disk.get('incremental'))
                )
                for item in self._csbs.items.list(where=self._item_filter)
                for disk in item.disks
                if isinstance(disk.get('id'), str)
            }
        except (errors.EndpointError, errors.NotFound):
            # Where there is no CSBS, it made nothing.
            return {}
        except errors.Cancelled:
            raise
        except errors.ClientError as error:
            LOG.warning('What CSBS made is not known: %s', sentence(error))
            return None

    @cached_property
    def _shares(self) -> dict[str, list[str]] | None:
        """Backup id -> projects; None if unreadable."""
        found: dict[str, list[str]] = {}
        try:
            for share in self._vbs.shares.list(where=self._share_filter):
                found.setdefault(share.backup_id, []).append(
                    str(share.to_project_id)
                )
        except errors.NOT_OFFERED as error:
            LOG.info('What is shared is not known: %s', sentence(error))
            return None
        return found


def list_marked(vbs: VBSClient, **filters: Any) -> Iterator[Backup]:
    """The backups as v2 lists them, which tells where they come from.

    As the chosen version does where the host has no v2, or forbids it.
    """
    v2 = vbs.backups_v2
    if v2 is None or v2 is vbs.backups:
        return vbs.backups.list(**filters)
    return first_of(
        v2.list(**filters),
        lambda: vbs.backups.list(**filters),
        unless=errors.NOT_OFFERED,
    )


def marked(vbs: VBSClient, backup: Backup) -> Backup:
    """One backup as v2 shows it, if it does."""
    v2 = vbs.backups_v2
    if v2 is None or v2 is vbs.backups:
        return backup
    try:
        return v2.get(backup.id)
    except errors.NOT_OFFERED:
        return backup


def type_of(incremental: bool | None) -> str | None:
    """The word for it."""
    if incremental is None:
        return None
    return 'incremental' if incremental else 'full'


def _is_marked(backup: Backup) -> bool:
    """Whether v2 has said where it comes from; plain Cinder does not."""
    return 'service_metadata' in backup.body and backup.metadata_is_readable


@dataclass(frozen=True)
class Row:
    """A backup and whoever can be asked about it."""

    backup: Backup
    details: Details
    share: Share | None = None

    @property
    def id(self) -> str:
        """Of the backup."""
        return self.backup.id

    @property
    def project_id(self) -> str | None:
        """The project that it belongs to."""
        shared_from = self.share.from_project_id if self.share else None
        return shared_from or self.backup.owner

    @property
    def shared_with(self) -> list[str] | None:
        """The projects that may use it, as far as this one can see."""
        if self.share is not None:
            return [str(self.share.to_project_id)]
        return self.details.shared_with(self.backup)


#: The columns of a list, in their order.
LIST = (
    Column('ID', lambda row: row.id),
    Column('Name', lambda row: row.backup.name),
    Column('Status', lambda row: row.backup.status),
    Column('Size', lambda row: row.backup.size, Gigabytes),
    Column('Volume', lambda row: row.backup.volume_id),
    Column('Created At', lambda row: row.backup.created_at, Time),
    Column('Description', lambda row: row.backup.description, long=True),
    Column(
        'Source',
        lambda row: row.details.source(row.backup),
        long=True,
        sortable=False,
    ),
    Column(
        'Type',
        lambda row: row.details.type(row.backup),
        long=True,
        sortable=False,
    ),
    Column('Trigger', lambda row: trigger(row.backup), long=True),
    Column(
        'Availability Zone',
        lambda row: row.backup.availability_zone,
        long=True,
    ),
    Column(
        'Shared With',
        lambda row: row.shared_with,
        Several,
        long=True,
        sortable=False,
    ),
    Column('Updated At', lambda row: row.backup.updated_at, Time, long=True),
    Column(
        'Fail Reason',
        lambda row: row.backup.fail_reason,
        long=True,
    ),
    Column('Project', lambda row: row.project_id, long=True),
)

#: The fields of one backup.
SHOW = (
    *LIST,
    Column('Server Backup', lambda row: row.details.server_backup(row.backup)),
    Column('Server', lambda row: row.backup.server_id),
    Column('Snapshot', lambda row: row.backup.body.get('snapshot_id')),
    Column(
        'Data Timestamp',
        lambda row: row.backup.body.get('data_timestamp'),
        Time,
    ),
)
