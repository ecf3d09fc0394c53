# SPDX-License-Identifier: Apache-2.0
"""``openstack csbs backup ...``: backups of whole servers."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vbsclient.api.csbs import CheckpointGroups, CSBSClient, ServerBackup
from vbsclient.api.http import Limits
from vbsclient.api.values import gigabytes, int_or_none
from vbsclient.change.targets import Change
from vbsclient.deletion.server_backups import ServerBackupDeletion
from vbsclient.lookup.server_backups import seen_of, seen_while_creating
from vbsclient.osc.command.clients import make_csbs_client
from vbsclient.osc.command.delete import DeleteCommand
from vbsclient.osc.command.filters import add_all_projects
from vbsclient.osc.command.list import DeferredValue, Found, ListCommand
from vbsclient.osc.command.marker import finding, rows_after
from vbsclient.osc.command.options import add_targets
from vbsclient.osc.command.show import ShowCommand
from vbsclient.osc.csbs import selection
from vbsclient.osc.output.columns import (
    Column,
    Gigabytes,
    MultiLine,
    Tags,
    Time,
    Word,
    trigger,
)
from vbsclient.waiting import AVAILABLE, ResourceStatus

#: What ``show`` tells of a volume backup, in the words of the wire, but for
#: the size, which is in GB as everywhere.
_VOLUME_BACKUP_KEYS = (
    'id',
    'status',
    'size',
    'incremental',
    'bootable',
    'source_volume_id',
    'source_volume_name',
    'source_volume_size',
)


@dataclass(frozen=True)
class Row:
    """A server backup, and what its checkpoint shows.

    :ivar servers: how many servers the checkpoint has.
    """

    backup: ServerBackup
    servers: DeferredValue | int | None = None

    @property
    def id(self) -> str:
        return self.backup.id


class _VolumeBackups(MultiLine):
    """The volume backups in a server backup."""

    def line(self, value: Any) -> str:
        volume = value['source_volume_name'] or value['source_volume_id']
        size = Gigabytes(value['size']).human_readable()
        return f'{value["id"]} ({volume}, {value["status"]}, {size})'


def _volume_backups(row: Row) -> list[dict[str, Any]]:
    return [
        {
            **{key: disk.get(key) for key in _VOLUME_BACKUP_KEYS},
            'size': gigabytes(int_or_none(disk.get('size'))),
        }
        for disk in row.backup.disks
    ]


def _type(row: Row) -> str | None:
    kinds = row.backup.incremental
    if len(kinds) > 1:
        return 'mixed'
    return {True: 'incremental', False: 'full'}[min(kinds)] if kinds else None


_COLUMNS = (
    Column('ID', 'id', below='Name'),
    Column('Name', 'backup.name'),
    Column('Status', 'backup.status', Word),
    Column('Server Name', 'backup.server_name'),
    Column('Checkpoint', 'backup.checkpoint_id', optional=1),
    Column('Servers', 'servers', sortable=False, optional=1),
    Column(
        'Size',
        lambda row: gigabytes(row.backup.size),
        Gigabytes,
        below='Status',
    ),
    Column('Created At', 'backup.created_at', Time),
    Column('Server', 'backup.server_id', machine_only=True),
    Column('Description', 'backup.description', long=True),
    Column('Type', _type, long=True),
    Column('Trigger', lambda row: trigger(row.backup), long=True),
    Column('Availability Zone', 'backup.availability_zone', long=True),
    Column('Images', 'backup.image_ids', MultiLine, long=True, sortable=False),
    Column('Updated At', 'backup.updated_at', Time, long=True),
    Column('Fail Reason', lambda row: seen_of(row.backup).reason, long=True),
)


class DeleteCsbsBackup(DeleteCommand):
    """Delete server backups: the backup of one server in a checkpoint (CSBS)

    Only the named backups are deleted; those of other servers in the same
    checkpoint are kept. To make sure of that, one backup is deleted first,
    and the others of its checkpoint are checked before anything else is
    sent. Deletion continues in the service after the command has ended, for
    up to 30 minutes.

    Example: openstack csbs backup delete --dry-run web01-pre-patch
    """

    idle = 1800.0

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_targets(
            parser, 'csbs backup', 'name or ID', 'openstack csbs backup prune'
        )
        selection.add_provider(parser)

    def make_change(
        self,
        parsed_args: argparse.Namespace,
        limits: Limits,
        named: Sequence[str],
    ) -> Change:
        return ServerBackupDeletion(
            make_csbs_client(self.app.client_manager, limits),
            named,
            provider_id=parsed_args.provider,
            limits=limits,
        )


class ListCsbsBackup(ListCommand):
    """List server backups (CSBS), newest first

    A server backup is the part of a checkpoint that belongs to one server.
    A checkpoint is what one run saved: "Servers" shows how many servers it
    has, which all lose a backup if the checkpoint is deleted.

    Example: openstack csbs backup list --server web01 --status error
    """

    columns = (
        *_COLUMNS,
        Column(
            'Volume Backups',
            lambda row: list(row.backup.volume_backup_ids),
            MultiLine,
            long=True,
            sortable=False,
        ),
        Column('Tags', 'backup.tags', Tags, long=True, sortable=False),
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        selection.add_selection(parser)
        add_all_projects(parser)
        parser.add_argument(
            '--checkpoint',
            metavar='<checkpoint>',
            help='Only backups in this checkpoint (name or ID)',
        )

    def find(self, parsed_args: argparse.Namespace, fields: set[str]) -> Found:
        csbs, manager = self.csbs, self.app.client_manager
        selected = selection.Selection.of(parsed_args, manager, csbs)
        if parsed_args.count and selected.countable:
            total = selected.count(csbs)
            if total:
                selected.ensure_policy_filter(csbs)
            if total is not None:
                return Found(total=total, hint=selected.hint)
        marker = parsed_args.marker
        with finding(marker):
            if marker is not None:
                parsed_args.marker = selection.backup_id_of(csbs, marker)
            found = selected.backups(
                csbs,
                sort=parsed_args.sort,
                marker=parsed_args.marker,
                page_size=parsed_args.limit,
            )
        backups = selected.verified(csbs, rows_after(marker, found.rows))
        if 'servers' not in fields:
            found.rows = map(Row, filter(selected.match, backups))
            return found
        servers = _Servers(csbs, all_projects=selected.all_projects)
        if selected.lists_whole_checkpoints and marker is None:
            backups = servers.seen(backups)
        found.rows = (
            Row(backup, servers.of(backup))
            for backup in backups
            if selected.match(backup)
        )
        found.complete = servers.complete
        return found


class _Servers:
    """How many servers the checkpoints of the listed backups have."""

    def __init__(self, csbs: CSBSClient, *, all_projects: bool) -> None:
        self._csbs = csbs
        self._all_projects = all_projects
        self._counts: dict[str, DeferredValue] = {}
        self._checkpoints: CheckpointGroups | None = None

    def of(self, backup: ServerBackup) -> DeferredValue:
        """The number for the checkpoint of a backup."""
        return self._counts.setdefault(backup.checkpoint_id, DeferredValue())

    def seen(self, backups: Iterable[ServerBackup]) -> Iterator[ServerBackup]:
        """A list that shows all checkpoints, if it is read to its end."""
        checkpoints = CheckpointGroups()
        for backup in backups:
            checkpoints.add(backup)
            yield backup
        self._checkpoints = checkpoints

    def complete(self) -> None:
        """Count the servers of the checkpoints that are shown."""
        if self._counts and self._checkpoints is None:
            self._checkpoints = selection.read_checkpoints(
                self._csbs, self._counts, all_projects=self._all_projects
            )
        checkpoints = self._checkpoints or CheckpointGroups()
        for id, count in self._counts.items():
            checkpoint = checkpoints.get(id)
            count.value = checkpoint.servers if checkpoint else None


class ShowCsbsBackup(ShowCommand):
    """Show one server backup (CSBS)

    The part of a checkpoint that belongs to one server, with its volume
    backups, which VBS lists too.

    Example: openstack csbs backup show web01-pre-patch
    """

    columns = (
        *_COLUMNS,
        Column('Volume Backups', _volume_backups, _VolumeBackups),
        Column('Progress', 'backup.progress'),
        Column('Tags', 'backup.tags', Tags),
    )
    goal = AVAILABLE
    reason_is_failure = True

    def status_of(self, found: Row) -> ResourceStatus:
        return seen_while_creating(found.backup)

    def find(self, parsed_args: argparse.Namespace, fields: set[str]) -> Row:
        backup = selection.find_backup(self.csbs, parsed_args.backup)
        if 'servers' not in fields:
            return Row(backup)
        id = backup.checkpoint_id
        checkpoints = selection.read_checkpoints(self.csbs, [id])
        return Row(backup, checkpoints[id].servers)
