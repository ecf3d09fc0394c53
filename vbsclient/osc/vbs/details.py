# SPDX-License-Identifier: Apache-2.0
"""What a volume backup does not say by itself, read when it is shown."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from vbsclient.api import errors
from vbsclient.api.csbs import CSBSClient, ServerBackupFilter
from vbsclient.api.http import Limits
from vbsclient.api.values import Known
from vbsclient.api.vbs import Backup, Share, ShareFilter, VBSClient
from vbsclient.lookup.labels import Labels
from vbsclient.lookup.origin import Origins
from vbsclient.lookup.sharing import Sharing
from vbsclient.osc.output.columns import (
    Column,
    Gigabytes,
    MultiLine,
    Time,
    Word,
    trigger,
)
from vbsclient.osc.output.text import sentence

LOG = logging.getLogger(__name__)

#: The fields that v2 tells of a backup, and v3 does not.
MARKED = frozenset({'source', 'type'})


class Details:
    """Where backups come from and whom they are shared with.

    Each list is read once, when the first backup needs it.

    :param labels: reads the names of volumes and servers.
    :param shares: which shares to read.
    :param backups: which backups of CSBS to read.
    """

    def __init__(
        self,
        vbs: VBSClient,
        csbs: CSBSClient,
        labels: Labels,
        *,
        shares: ShareFilter,
        backups: ServerBackupFilter,
    ) -> None:
        self.labels = labels
        self._sharing = Sharing(vbs, where=shares)
        self._origins = Origins(vbs, csbs, Limits(), backups)
        self._is_warned = False

    def source(self, backup: Backup) -> str | None:
        """The service that made it; None if it is unknown."""
        made_by_csbs = self._origins.look_up(backup)
        if made_by_csbs is Known.UNKNOWN:
            self._warn(self._origins.uncertain_reason(backup.id))
            return None
        return 'CSBS' if made_by_csbs is Known.YES else 'VBS'

    def type(self, backup: Backup) -> str | None:
        """``full`` or ``incremental``; None where nobody says."""
        return type_of(self._origins.is_incremental(backup))

    def server_backup(self, backup: Backup) -> str | None:
        """The id of the backup in CSBS that it is a part of, if it is."""
        if self.source(backup) != 'CSBS':
            return None
        part = self._origins.part(backup.id)
        return part.backup_id if part else None

    def _warn(self, reason: errors.ClientError | None) -> None:
        """Warn once that the origin of backups is unknown."""
        if not self._is_warned and reason is not None:
            self._is_warned = True
            LOG.warning('What CSBS made is not known: %s', sentence(reason))

    def shared_with(self, backup: Backup) -> list[str] | None:
        """The projects that may use it; None if that cannot be read."""
        return self._sharing.projects_of(backup.id)


def type_of(incremental: bool | None) -> str | None:
    """The word for it."""
    if incremental is None:
        return None
    return 'incremental' if incremental else 'full'


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
    def volume_name(self) -> str | None:
        """The name of its volume, as far as it can be read."""
        return self.details.labels.volume_name(self.backup.volume_id)

    @property
    def server_id(self) -> str | None:
        """The server that CSBS saved, or whose volume it is now."""
        volume_id = self.backup.volume_id
        return self.backup.server_id or self.details.labels.server_of(
            volume_id
        )

    @property
    def server_name(self) -> str | None:
        """The name of that server, as far as it can be read."""
        return self.details.labels.server_name(self.server_id)

    @property
    def volume_label(self) -> str | None:
        """Its volume as people call it, or else the id."""
        backup = self.backup
        return (
            self.details.labels.of_volume(backup.volume_id, backup.server_id)
            or backup.volume_id
        )

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


_NAMES = (
    Column('Volume Name', 'volume_name', machine_only=True, sortable=False),
    Column('Server', 'server_id', machine_only=True, sortable=False),
    Column('Server Name', 'server_name', machine_only=True, sortable=False),
)

#: The columns of a list, in their order.
LIST = (
    Column('ID', 'id', below='Name'),
    Column('Name', 'backup.name'),
    Column('Status', 'backup.status', Word),
    Column('Size', 'backup.size', Gigabytes, below='Status'),
    Column(
        'Volume',
        'backup.volume_id',
        label=lambda row: row.volume_label,
        optional=2,
    ),
    Column('Created At', 'backup.created_at', Time),
    *_NAMES,
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
        MultiLine,
        long=True,
        sortable=False,
    ),
    Column('Updated At', lambda row: row.backup.updated_at, Time, long=True),
    Column(
        'Fail Reason',
        lambda row: row.backup.fail_reason,
        long=True,
    ),
    Column('Project', 'project_id', long=True, shown_by='all_projects'),
)

#: The fields of one backup.
SHOW = (
    *LIST,
    Column('Server Backup', lambda row: row.details.server_backup(row.backup)),
    Column('Snapshot', lambda row: row.backup.body.get('snapshot_id')),
    Column(
        'Data Timestamp',
        lambda row: row.backup.body.get('data_timestamp'),
        Time,
    ),
)
