# SPDX-License-Identifier: Apache-2.0
"""The options that select volume backups, and the backups they select."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from osc_lib import exceptions

from vbsclient.api.csbs import CSBSClient
from vbsclient.api.http import Limits
from vbsclient.api.paging import PAGE_SIZE
from vbsclient.api.paths import is_uuid
from vbsclient.api.vbs import Backup, ShareFilter, VBSClient
from vbsclient.api.vbs.backups import SORT_KEYS
from vbsclient.lookup.existence import MAX_SINGLE_GETS
from vbsclient.lookup.labels import VolumeLabel, no_label
from vbsclient.lookup.names import only
from vbsclient.lookup.policies import CreatedBackups
from vbsclient.lookup.refusals import RefusedError
from vbsclient.lookup.volume_backups import find_backups, list_marked
from vbsclient.osc.command import filters
from vbsclient.osc.command.clients import resources_of
from vbsclient.osc.command.filters import NO_OTHERS, Projects
from vbsclient.osc.command.list import (
    Found,
    SortKey,
    newest_first,
    sorted_by_service,
)
from vbsclient.wording import quote


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Add the options that select volume backups."""
    filters.add_filters(parser)
    volumes = parser.add_mutually_exclusive_group()
    volumes.add_argument(
        '--volume',
        metavar='<volume>',
        action='append',
        help='Only backups of this volume (name or ID); repeat for several',
    )
    volumes.add_argument(
        '--server',
        metavar='<server>',
        action='append',
        help=(
            'Only backups of the volumes of this server (name or ID), of a '
            'deleted server those that CSBS knows; repeat for several'
        ),
    )
    parser.add_argument(
        '--source',
        choices=('vbs', 'csbs'),
        help=(
            'Only backups that this service created: vbs of single volumes, '
            'csbs as part of a server backup'
        ),
    )
    add_created_by(parser)


def add_created_by(parser: argparse.ArgumentParser) -> None:
    """Add the option that selects by the policy."""
    parser.add_argument(
        '--policy',
        metavar='<policy>',
        action='append',
        help=(
            'Only backups that this policy created (name or ID), of those '
            'whose tasks VBS still has, which it keeps for 30 days; '
            'repeat for several'
        ),
    )


@dataclass(frozen=True)
class Selection:
    """What the options of :func:`add_selection` say.

    :ivar volume_ids: of these volumes; None for all.
    :ivar deleted_server_ids: or of these servers, which compute does not
        know.
    :ivar source: ``VBS`` or ``CSBS``; None for both.
    :ivar projects: of which projects.
    :ivar policies: that created them, by the names and ids that were given;
        none for all.
    :ivar created: what these have created; None for all.
    """

    conditions: filters.Conditions
    volume_ids: frozenset[str] | None = None
    deleted_server_ids: frozenset[str] = frozenset()
    source: str | None = None
    projects: Projects = NO_OTHERS
    policies: Sequence[str] = ()
    created: CreatedBackups | None = None

    @classmethod
    def of(
        cls,
        parsed_args: argparse.Namespace,
        instance: Any,
        vbs: VBSClient,
        csbs: CSBSClient,
    ) -> Selection:
        """Look up what is given by name.

        :raises CommandError: if there is no such volume or server.
        :raises ClientError: if there is no such policy, or what it created
            cannot be read.
        """
        volume_ids, deleted = None, frozenset[str]()
        resources = resources_of(instance)
        if parsed_args.volume is not None:
            volume_ids = frozenset(
                map(resources.volume_id, parsed_args.volume)
            )
        elif parsed_args.server is not None:
            servers = [resources.server(csbs, s) for s in parsed_args.server]
            volume_ids = frozenset().union(*(s.volume_ids for s in servers))
            deleted = frozenset(s.id for s in servers if s.gone)
        return cls(
            filters.conditions_of(parsed_args),
            volume_ids,
            deleted,
            parsed_args.source and parsed_args.source.upper(),
            Projects.of(parsed_args, resources),
            parsed_args.policy or (),
            CreatedBackups(vbs.policies, parsed_args.policy)
            if parsed_args.policy
            else None,
        )

    @property
    def listed_volumes(self) -> Sequence[str | None]:
        """The volumes to list one by one; None stands for all volumes.

        A list of each costs less than the whole list, if they are few.
        """
        if (
            self.volume_ids is None
            or self.deleted_server_ids
            or len(self.volume_ids) > MAX_SINGLE_GETS
        ):
            return [None]
        return sorted(self.volume_ids)

    @property
    def volume_id(self) -> str | None:
        """The only volume, to ask the service for."""
        volumes = self.listed_volumes
        return volumes[0] if len(volumes) == 1 else None

    @property
    def needs_marks(self) -> bool:
        """Whether only what v2 shows of a backup can decide."""
        return self.source is not None or bool(self.deleted_server_ids)

    @property
    def is_whole(self) -> bool:
        """Whether all backups of the volumes are selected."""
        return (
            self.conditions == filters.Conditions()
            and self.source is None
            and self.created is None
        )

    @property
    def hint(self) -> str | None:
        """What may be wrong if nothing is selected."""
        if not self.policies:
            return None
        named = ' or '.join(map(quote, self.policies))
        return (
            f'No backup of the policy {named} is listed: VBS tells what a '
            f'policy created for 30 days only.'
        )

    def query(self) -> dict[str, str | None]:
        """The filters for a service that compares exactly and counts."""
        return {
            'name': self.conditions.name,
            'status': self.conditions.status,
            'volume_id': self.volume_id,
        }

    def shares(self) -> ShareFilter:
        """The same for what is shared with this project."""
        return share_filter(
            self.conditions, shared_with_me=True, volume_id=self.volume_id
        )

    @property
    def countable(self) -> bool:
        """Whether those filters say everything."""
        return (
            self.conditions.countable
            and not self.needs_marks
            and not self.projects.are_foreign
            and self.volume_ids in (None, {self.volume_id})
            and self.created is None
        )

    def match(
        self, backup: Backup, source_of: Callable[[Backup], str | None]
    ) -> bool:
        """Whether a backup is selected.

        :raises CommandError: if that depends on who created it, and this
            cannot be read: it is neither in nor out.
        """
        is_of_volumes = (
            self.volume_ids is None
            or backup.volume_id in self.volume_ids
            or backup.server_id in self.deleted_server_ids
        )
        is_created = self.created is None or backup in self.created
        if not (
            self.conditions.match(backup) and is_of_volumes and is_created
        ):
            return False
        if self.source is None:
            return True
        source = source_of(backup)
        if source is None:
            raise exceptions.CommandError(
                f'Whether VBS or CSBS created the backup {backup.id} could '
                f'not be read, so that --source cannot be applied.'
            )
        return source == self.source

    def pick(
        self,
        vbs: VBSClient,
        source_of: Callable[[Backup], str | None],
        *,
        all_of_volumes: bool,
    ) -> Iterator[tuple[Backup, bool]]:
        """The backups, each with whether it is selected.

        :param all_of_volumes: whether to give all backups of the volumes,
            also those that are not selected.
        """
        read = self
        if all_of_volumes:
            read = replace(self, conditions=filters.Conditions(), source=None)
        found = read.backups(
            vbs, marks=True, verified=True, page_size=PAGE_SIZE
        )
        for backup in found.rows:
            # The tasks of a policy name no project.
            is_own = self.created is None or vbs.backups.owns(backup)
            yield backup, is_own and self.match(backup, source_of)

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
        """The backups to choose from, which :meth:`match` then does.

        :param marks: whether to read what v2 shows of them.
        :param verified: as :func:`list_marked` takes it.
        :param sort: sent to the service where it is documented to sort.
        :param marker: sent to the service if the order is the service's.
        """
        marks = marks or self.needs_marks
        if self.projects.are_foreign and vbs.endpoint.vendor is not None:
            raise RefusedError(
                'VBS lists only the backups of the project that is logged in '
                'to',
                'Only block storage lists those of other projects.',
            )

        def read(volume_id: str | None, **order: Any) -> Iterator[Backup]:
            query: dict[str, Any] = {
                **self.query(),
                'name_contains': self.conditions.name_contains,
                'volume_id': volume_id,
                'page_size': page_size,
                **order,
            }
            if self.projects.are_foreign:
                query |= {
                    'all_projects': True,
                    'project_id': self.projects.project_id,
                }
            if marks:
                return list_marked(vbs, verified=verified, **query)
            return vbs.backups.list(**query)

        volumes = self.listed_volumes
        if len(volumes) == 1 and _is_sorted_by_service(vbs, sort):
            found = sorted_by_service(
                lambda: read(volumes[0], sort=sort[0], marker=marker)
            )
            if found is not None:
                return found
        if len(volumes) == 1 and not sort:
            return Found(read(volumes[0], marker=marker), by_service=True)
        return Found(newest_first(map(read, volumes)))


def share_filter(conditions: filters.Conditions, **values: Any) -> ShareFilter:
    """The shares that a service is asked for."""
    return ShareFilter(
        status=conditions.status,
        name_contains=conditions.name or conditions.name_contains,
        availability_zone=conditions.availability_zone,
        **values,
    )


def find_backup(
    vbs: VBSClient, backup: str, label: VolumeLabel = no_label
) -> Backup:
    """Find the one backup of a name or id.

    :param label: how people call a volume, if one has to be chosen.

    :raises ClientError: if there is none, or several, which are named.
    """
    return only(find_backups(vbs.backups, [backup], Limits(), label))


def backup_id_of(
    vbs: VBSClient, backup: str, label: VolumeLabel = no_label
) -> str:
    """The id of a backup, by name or id; an id costs no request."""
    return backup if is_uuid(backup) else find_backup(vbs, backup, label).id


def _is_sorted_by_service(vbs: VBSClient, sort: Sequence[SortKey]) -> bool:
    return (
        len(sort) == 1
        and vbs.backups.version == 'v2'
        and sort[0].field in SORT_KEYS
    )
