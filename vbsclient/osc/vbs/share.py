# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs share ...``: backups shown to other projects."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from osc_lib import exceptions

from vbsclient.api import errors
from vbsclient.api.http import is_uuid
from vbsclient.api.values import text_or_none
from vbsclient.api.vbs import Share, ShareFilter
from vbsclient.bulk import Limits
from vbsclient.change.targets import Change
from vbsclient.deletion.shares import (
    BackupSharesDeletion,
    ShareDeletion,
)
from vbsclient.lookup.names import Kind
from vbsclient.lookup.refusals import MissingError
from vbsclient.osc.command.clients import make_vbs_client, resources_of
from vbsclient.osc.command.delete import DeleteCommand
from vbsclient.osc.command.filters import add_filters, conditions_of
from vbsclient.osc.command.list import Found, ListCommand
from vbsclient.osc.command.show import ShowCommand
from vbsclient.osc.output.columns import Column, Gigabytes, Time
from vbsclient.osc.output.messages import Words
from vbsclient.osc.vbs.selection import find_backup
from vbsclient.wording import brief

_COLUMNS = (
    Column('ID', lambda share: share.id),
    Column('Backup', lambda share: share.backup_id),
    Column('Backup Name', lambda share: share.backup_name),
    Column('Target Project', lambda share: share.to_project_id),
    Column('Source Project', lambda share: share.from_project_id, long=True),
    Column('Created At', lambda share: share.created_at, Time, long=True),
    Column('Status', lambda share: share.backup.status, long=True),
    Column('Size', lambda share: share.backup.size, Gigabytes, long=True),
    Column('Volume', lambda share: share.backup.volume_id, long=True),
    Column(
        'Availability Zone',
        lambda share: share.backup.availability_zone,
        long=True,
    ),
    Column('Description', lambda share: share.backup.description, long=True),
    Column(
        'Updated At',
        lambda share: text_or_none(share.body.get('updated_at')),
        Time,
        long=True,
    ),
)


class DeleteVbsShare(DeleteCommand):
    """Cancel shares of backups (VBS)

    The backups themselves stay. Name the shares by their ids, or with
    --backup the backups whose shares are to be cancelled: all of them, or
    with --target-project only those with that project. A backup that is not
    shared is a failure.

    Example: openstack vbs share delete --backup nightly-1
    """

    words = Words('share')

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what this command alone has."""
        parser.add_argument(
            'targets',
            metavar='<share>',
            nargs='*',
            help=(
                'Share to cancel (ID); "-" reads IDs from the standard '
                'input, one a line'
            ),
        )
        parser.add_argument(
            '--backup',
            metavar='<backup>',
            action='append',
            dest='backups',
            help=(
                'Cancel the shares of this backup (name or ID); repeat for '
                'several'
            ),
        )
        parser.add_argument(
            '--target-project',
            metavar='<project>',
            help=(
                'With --backup: only the share with this project (name or ID)'
            ),
        )
        parser.add_argument(
            '--target-project-domain',
            metavar='<domain>',
            help='Domain of the target project (name or ID)',
        )

    def named(self, parsed_args: argparse.Namespace) -> Sequence[str]:
        self._check_usage(parsed_args)
        return parsed_args.backups or super().named(parsed_args)

    def make_change(
        self,
        parsed_args: argparse.Namespace,
        limits: Limits,
        named: Sequence[str],
    ) -> Change:
        manager = self.app.client_manager
        if not parsed_args.backups:
            vbs = make_vbs_client(manager, limits)
            return ShareDeletion(vbs, named, limits=limits)
        project_id = None
        if parsed_args.target_project is not None:
            project_id = resources_of(manager).project_id(
                parsed_args.target_project,
                parsed_args.target_project_domain,
            )
        return BackupSharesDeletion(
            make_vbs_client(manager, limits),
            named,
            limits=limits,
            project_id=project_id,
        )

    def _check_usage(self, parsed_args: argparse.Namespace) -> None:
        if bool(parsed_args.targets) == bool(parsed_args.backups):
            self._parser.error('give either <share> or --backup <backup>')
        if parsed_args.target_project is not None and not parsed_args.backups:
            self._parser.error('--target-project goes with --backup')
        if (
            parsed_args.target_project_domain is not None
            and parsed_args.target_project is None
        ):
            self._parser.error(
                '--target-project-domain goes with --target-project'
            )


@dataclass(frozen=True)
class _Shared:
    """A share as the filters see it: its backup, made when it was shared."""

    share: Share

    @property
    def name(self) -> str | None:
        return self.share.backup_name

    @property
    def status(self) -> str:
        return self.share.backup.status

    @property
    def availability_zone(self) -> str | None:
        return self.share.backup.availability_zone

    @property
    def created_at(self) -> str | None:
        return self.share.created_at

    @property
    def updated_at(self) -> str | None:
        return None

    @property
    def automatic(self) -> bool:
        return self.share.backup.automatic


class ListVbsShare(ListCommand):
    """List shares of backups (VBS), newest first

    What this project shares with others, a row for each backup and project;
    with --shared-with-me: what others share with it (--long names the
    source project). Name, status and zone are those of the backup: a share
    has none of its own.

    Example: openstack vbs share list --backup nightly-1
    """

    columns = _COLUMNS
    noun = 'share'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what this command alone has."""
        parser.add_argument(
            '--shared-with-me',
            action='store_true',
            help='List what other projects share with this one',
        )
        parser.add_argument(
            '--backup',
            metavar='<backup>',
            help='Only shares of this backup (name or ID)',
        )
        parser.add_argument(
            '--target-project',
            metavar='<project>',
            help='Only shares with this project (name or ID)',
        )
        parser.add_argument(
            '--target-project-domain',
            metavar='<domain>',
            help='Domain of the target project (name or ID)',
        )
        parser.add_argument(
            '--source-project',
            metavar='<project>',
            help=(
                'Only shares that this project gave (name or ID); goes with '
                '--shared-with-me'
            ),
        )
        parser.add_argument(
            '--volume',
            metavar='<volume>',
            help='Only backups of this volume (name or ID)',
        )
        add_filters(parser, stuck=False, triggers=False, made='shared')

    def prepare(self, parsed_args: argparse.Namespace) -> None:
        """Make the client, and look up what the options name."""
        if parsed_args.target_project_domain and (
            parsed_args.target_project is None
        ):
            self._parser.error(
                '--target-project-domain goes with --target-project'
            )
        if parsed_args.source_project and not parsed_args.shared_with_me:
            self._parser.error('--source-project goes with --shared-with-me')
        self._vbs = make_vbs_client(self.app.client_manager)
        self._conditions = conditions = conditions_of(parsed_args)
        self._where = ShareFilter(
            shared_with_me=parsed_args.shared_with_me,
            status=conditions.status,
            name_contains=conditions.name or conditions.name_contains,
            availability_zone=conditions.availability_zone,
            **self._ids(parsed_args),
        )

    def find(self, parsed_args: argparse.Namespace, wanted: set[str]) -> Found:
        """The shares; a list of them says all that is shown."""
        conditions = self._conditions
        things = self._vbs.shares.list(
            where=self._where, page_size=parsed_args.limit
        )
        return Found(
            (share for share in things if conditions.fit(_Shared(share))),
            in_order=not parsed_args.sort,
        )

    def count(self, parsed_args: argparse.Namespace) -> int | None:
        """Ask the service, where it compares as we do."""
        if self._conditions.name or not self._conditions.countable:
            return None
        return self._vbs.shares.count(self._where)

    def _ids(self, parsed_args: argparse.Namespace) -> dict[str, Any]:
        resources = resources_of(self.app.client_manager)
        return {
            'backup_id': parsed_args.backup
            and self._backup_id(parsed_args.backup, parsed_args),
            'volume_id': parsed_args.volume
            and resources.volume_id(parsed_args.volume),
            'to_project_id': parsed_args.target_project
            and resources.project_id(
                parsed_args.target_project,
                parsed_args.target_project_domain,
            ),
            'from_project_id': parsed_args.source_project
            and resources.project_id(parsed_args.source_project),
        }

    def _backup_id(self, backup: str, parsed_args: argparse.Namespace) -> str:
        if is_uuid(backup):
            return backup
        if not parsed_args.shared_with_me:
            return find_backup(self._vbs, backup).id
        shared = {
            share.backup_id: share
            for share in self._vbs.shares.list(
                where=ShareFilter(shared_with_me=True, name_contains=backup)
            )
            if share.backup_name == backup
        }
        return _SHARED_BACKUP.choose(list(shared.values()), backup).backup_id


class ShowVbsShare(ShowCommand):
    """Show one share of a backup (VBS)

    A share has no name: it is named by its id, as "openstack vbs share
    list" shows it.

    Example: openstack vbs share show <share>
    """

    columns = _COLUMNS

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what this command alone has."""
        parser.add_argument(
            'share', metavar='<share>', help='Share to show (ID)'
        )

    def find(self, parsed_args: argparse.Namespace, wanted: set[str]) -> Share:
        """The share, given or got."""
        vbs = make_vbs_client(self.app.client_manager)
        if not is_uuid(parsed_args.share):
            raise exceptions.CommandError(
                f'{parsed_args.share!r} is not the id of a share: "openstack '
                f'vbs share list --backup <backup>" shows those of a backup.'
            )
        try:
            return vbs.shares.get(parsed_args.share)
        except errors.NotFound as error:
            vbs.shares.ensure_supported()
            raise MissingError(
                f'No share found for {parsed_args.share!r}'
            ) from error


def _describe(share: Share) -> str:
    project = brief(share.from_project_id)
    return f'{brief(share.backup_id)} (of project {project})'


_SHARED_BACKUP = Kind(
    'shared backup', _describe, ids=lambda share: [share.backup_id]
)
