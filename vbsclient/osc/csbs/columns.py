# SPDX-License-Identifier: Apache-2.0
"""Backups of servers and checkpoints, as lists and ``show`` have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vbsclient.api.csbs import Checkpoint, ServerBackup
from vbsclient.lookup.server_backups import seen_of
from vbsclient.osc.command.list import Later
from vbsclient.osc.output.columns import (
    Column,
    CommaList,
    Megabytes,
    MultiLine,
    Tags,
    Time,
    trigger,
)
from vbsclient.osc.output.text import Text, visible

#: What ``show`` tells of a disk, in the words of the wire.
_DISK_KEYS = (
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
class ItemRow:
    """A backup of a server, and what its checkpoint tells.

    :ivar servers: how many servers the checkpoint holds.
    """

    item: ServerBackup
    servers: Later | int | None = None

    @property
    def id(self) -> str:
        """Of the backup."""
        return self.item.id


class Disks(Text):
    """The disks of a backup."""

    def human_readable(self) -> str:
        """For a terminal: one a line."""
        return '\n'.join(_disk_line(disk) for disk in self._value or ())


class Members(Text):
    """The backups in a checkpoint."""

    def human_readable(self) -> str:
        """For a terminal: one a line."""
        return '\n'.join(_member_line(one) for one in self._value or ())


def _disk_line(disk: Mapping[str, Any]) -> str:
    volume = disk['source_volume_name'] or disk['source_volume_id']
    size = Megabytes(disk['size']).human_readable()
    return visible(f'{disk["id"]} ({volume}, {disk["status"]}, {size})')


def _member_line(one: Mapping[str, Any]) -> str:
    server = one['server_name'] or one['server_id']
    size = Megabytes(one['size']).human_readable()
    return visible(f'{one["id"]} ({server}, {one["status"]}, {size})')


def _disks(row: ItemRow) -> list[dict[str, Any]]:
    return [
        {key: disk.get(key) for key in _DISK_KEYS} for disk in row.item.disks
    ]


def _members(group: Checkpoint) -> list[dict[str, Any]]:
    return [
        {
            'id': one.id,
            'name': one.name,
            'status': one.status,
            'server_id': one.server_id,
            'server_name': one.server_name,
            'size': one.size,
        }
        for one in group.members
    ]


def _type(row: ItemRow) -> str | None:
    kinds = row.item.incremental
    if len(kinds) > 1:
        return 'mixed'
    return {True: 'incremental', False: 'full'}[min(kinds)] if kinds else None


_ITEM = (
    Column('ID', lambda row: row.id),
    Column('Name', lambda row: row.item.name),
    Column('Status', lambda row: row.item.status),
    Column('Server Name', lambda row: row.item.server_name),
    Column('Checkpoint', lambda row: row.item.checkpoint_id),
    Column('Servers', lambda row: row.servers, sortable=False),
    Column('Size', lambda row: row.item.size, Megabytes),
    Column('Created At', lambda row: row.item.created_at, Time),
    Column('Server', lambda row: row.item.server_id, long=True),
    Column('Description', lambda row: row.item.description, long=True),
    Column('Type', _type, long=True),
    Column('Trigger', lambda row: trigger(row.item), long=True),
    Column(
        'Availability Zone', lambda row: row.item.availability_zone, long=True
    ),
    Column(
        'Images',
        lambda row: row.item.image_ids,
        MultiLine,
        True,
        sortable=False,
    ),
    Column('Updated At', lambda row: row.item.updated_at, Time, long=True),
    Column('Fail Reason', lambda row: seen_of(row.item).reason, long=True),
)

#: The columns of a list of backups.
ITEM_LIST = (
    *_ITEM,
    Column(
        'Volume Backups',
        lambda row: list(row.item.volume_backup_ids),
        MultiLine,
        long=True,
        sortable=False,
    ),
)

#: The fields of one backup.
ITEM_SHOW = (
    *_ITEM,
    Column('Volume Backups', _disks, Disks),
    Column('Progress', lambda row: row.item.progress),
    Column('Tags', lambda row: row.item.tags, Tags),
)

_CHECKPOINT = (
    Column('ID', lambda group: group.id),
    Column('Name', lambda group: group.name),
    Column('Status', lambda group: group.statuses, CommaList),
    Column('Servers', lambda group: group.servers),
)

_CHECKPOINT_REST = (
    Column('Size', lambda group: group.size, Megabytes, long=True),
    Column('Created At', lambda group: group.created_at, Time),
    Column(
        'Server Names',
        lambda group: group.server_names,
        MultiLine,
        long=True,
        sortable=False,
    ),
    Column('Trigger', lambda group: trigger(group), long=True),
    Column('Updated At', lambda group: group.updated_at, Time, long=True),
)

#: The columns of a list of checkpoints.
CHECKPOINT_LIST = (
    *_CHECKPOINT,
    Column(
        'Backups',
        lambda group: [member.id for member in group.members],
        MultiLine,
        sortable=False,
    ),
    *_CHECKPOINT_REST,
)

#: The fields of one checkpoint.
CHECKPOINT_SHOW = (
    *_CHECKPOINT,
    *_CHECKPOINT_REST,
    Column('Backups', _members, Members),
)
