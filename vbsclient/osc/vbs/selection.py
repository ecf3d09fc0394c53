# SPDX-License-Identifier: Apache-2.0
"""Which backups of disks a command is about, when it does not name them."""

from __future__ import annotations

import argparse
import heapq
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from osc_lib import exceptions

from vbsclient.api import errors
from vbsclient.api.csbs import CSBSClient
from vbsclient.api.paging import PAGE_SIZE
from vbsclient.api.vbs import Backup, ShareFilter, VBSClient
from vbsclient.api.vbs.backups import SORT_KEYS
from vbsclient.bulk import Limits
from vbsclient.lookup.existence import MAX_SINGLE_GETS
from vbsclient.lookup.names import only
from vbsclient.lookup.volume_backups import find_backups
from vbsclient.osc.command.clients import resources_of
from vbsclient.osc.command.filters import (
    Conditions,
    add_filters,
    conditions_of,
)
from vbsclient.osc.command.list import Found, SortKey, begun
from vbsclient.osc.vbs.details import list_marked


def add_selection(parser: argparse.ArgumentParser) -> None:
    """The options that choose among backups of disks."""
    add_filters(parser)
    disks = parser.add_mutually_exclusive_group()
    disks.add_argument(
        '--volume',
        metavar='<volume>',
        help='Only backups of this volume (name or ID)',
    )
    disks.add_argument(
        '--server',
        metavar='<server>',
        help=(
            'Only backups of the volumes of this server (name or ID); of a '
            'server that is gone: those that CSBS knows'
        ),
    )
    parser.add_argument(
        '--source',
        choices=('vbs', 'csbs'),
        help=(
            'Only backups that this service made: vbs of single volumes, '
            'csbs as a part of a server backup'
        ),
    )


@dataclass(frozen=True)
class Disks:
    """Whose backups are wanted.

    :ivar volume_ids: of these disks; None for all.
    :ivar server_id: or of this server, which compute does not know.
    """

    volume_ids: frozenset[str] | None = None
    server_id: str | None = None

    def fit(self, backup: Backup) -> bool:
        """Whether it is one of theirs."""
        if self.volume_ids is None:
            return True
        return backup.volume_id in self.volume_ids or (
            self.server_id is not None and backup.server_id == self.server_id
        )

    @property
    def one_by_one(self) -> Sequence[str | None]:
        """The disks to ask for; None stands for all disks.

        A list of each costs less than the whole list, if they are few.
        """
        if (
            self.volume_ids is None
            or self.server_id is not None
            or len(self.volume_ids) > MAX_SINGLE_GETS
        ):
            return [None]
        return sorted(self.volume_ids)


@dataclass(frozen=True)
class Selection:
    """What the options of :func:`add_selection` say.

    :ivar source: ``VBS`` or ``CSBS``, or None for both.
    """

    conditions: Conditions
    disks: Disks
    source: str | None = None

    @classmethod
    def of(
        cls, parsed_args: argparse.Namespace, instance: Any, csbs: CSBSClient
    ) -> Selection:
        """Look up what is given by name.

        :raises CommandError: if there is no such volume or server.
        """
        disks = Disks()
        if parsed_args.volume is not None:
            id = resources_of(instance).volume_id(parsed_args.volume)
            disks = Disks(frozenset({id}))
        elif parsed_args.server is not None:
            server = resources_of(instance).server(csbs, parsed_args.server)
            disks = Disks(
                server.volume_ids, server.id if server.gone else None
            )
        return cls(
            conditions_of(parsed_args),
            disks,
            parsed_args.source and parsed_args.source.upper(),
        )

    @property
    def volume_id(self) -> str | None:
        """The only disk that is wanted, to ask the service for."""
        disks = self.disks.one_by_one
        return disks[0] if len(disks) == 1 else None

    @property
    def needs_marks(self) -> bool:
        """Whether only what v2 tells of a backup can decide."""
        return self.source is not None or self.disks.server_id is not None

    @property
    def is_whole(self) -> bool:
        """Whether all backups of the disks are wanted."""
        return self.conditions == Conditions() and self.source is None

    def filters(self) -> dict[str, str | None]:
        """The filters for a service that compares exactly and counts."""
        return {
            'name': self.conditions.name,
            'status': self.conditions.status,
            'volume_id': self.volume_id,
        }

    def shares(self) -> ShareFilter:
        """The same for what is shared with this project."""
        conditions = self.conditions
        return ShareFilter(
            shared_with_me=True,
            volume_id=self.volume_id,
            status=conditions.status,
            name_contains=conditions.name or conditions.name_contains,
            availability_zone=conditions.availability_zone,
        )

    @property
    def countable(self) -> bool:
        """Whether those filters say everything."""
        return (
            self.conditions.countable
            and not self.needs_marks
            and self.disks.volume_ids in (None, {self.volume_id})
        )

    def fits(
        self, backup: Backup, source_of: Callable[[Backup], str | None]
    ) -> bool:
        """Whether a backup is wanted.

        :raises CommandError: if that depends on where it comes from, and
            nobody says it: it is neither in nor out.
        """
        if not (self.conditions.fit(backup) and self.disks.fit(backup)):
            return False
        if self.source is None:
            return True
        source = source_of(backup)
        if source is None:
            raise exceptions.CommandError(
                f'Whether VBS or CSBS made the backup {backup.id} could not '
                f'be read, so that --source cannot be told.'
            )
        return source == self.source

    def pick(
        self,
        vbs: VBSClient,
        source_of: Callable[[Backup], str | None],
        *,
        all_of_disks: bool,
    ) -> Iterator[tuple[Backup, bool]]:
        """The backups, each with whether it is wanted.

        :param all_of_disks: whether to give all backups of the disks, those
            too that are not wanted.
        """
        read = self
        if all_of_disks:
            read = replace(self, conditions=Conditions(), source=None)
        found = read.backups(
            vbs, marks=True, verified=True, page_size=PAGE_SIZE
        )
        for backup in found.things:
            yield backup, self.fits(backup, source_of)

    def backups(
        self,
        vbs: VBSClient,
        *,
        marks: bool = False,
        verified: bool = False,
        sort: Sequence[SortKey] = (),
        marker: str | None = None,
        page_size: int,
    ) -> Found:
        """The backups to choose from, which :meth:`fits` then does.

        :param marks: whether to read what v2 tells of them.
        :param verified: as :func:`list_marked` takes it.
        :param sort: sent to the service where it is documented to sort.
        :param marker: sent to the service if the order is the service's.
        """
        marks = marks or self.needs_marks
        disks = self.disks.one_by_one
        alone = len(disks) == 1
        sent = _sortable(vbs, sort) if alone else None

        def read(volume_id: str | None, **order: Any) -> Iterator[Backup]:
            filters: dict[str, Any] = {
                'name': self.conditions.name,
                'name_contains': self.conditions.name_contains,
                'status': self.conditions.status,
                'volume_id': volume_id,
                'page_size': page_size,
                **order,
            }
            if marks:
                return list_marked(vbs, verified=verified, **filters)
            return vbs.backups.list(**filters)

        if sent is not None:
            # It may sort by less than the reference says, as old Cinders.
            with suppress(errors.BadRequest):
                found = read(disks[0], sort=sent, marker=marker)
                return Found(begun(found), True, True)
        if alone and not sort:
            return Found(read(disks[0], marker=marker), True, True)
        return Found(
            heapq.merge(*map(read, disks), key=_created_at, reverse=True)
        )


def find_backup(vbs: VBSClient, backup: str) -> Backup:
    """The one backup of a name or id.

    :raises ClientError: if there is none, or several, which are named.
    """
    return only(find_backups(vbs.backups, [backup], Limits()))


def _sortable(vbs: VBSClient, sort: Sequence[SortKey]) -> Any:
    """The key to send to the service; None if it is sorted here."""
    if len(sort) != 1 or vbs.backups.version != 'v2':
        return None
    key = sort[0]
    return (key.field, key.direction) if key.field in SORT_KEYS else None


def _created_at(backup: Backup) -> str:
    return backup.created_at or ''
