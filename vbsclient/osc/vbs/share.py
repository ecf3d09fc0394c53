# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs share ...``: backups shared with other projects."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

from osc_lib import exceptions

from vbsclient.api import errors
from vbsclient.api.http import Limits
from vbsclient.api.paths import is_uuid
from vbsclient.api.values import text_or_none
from vbsclient.api.vbs import Backup, Share, ShareFilter
from vbsclient.change.targets import Change, Target
from vbsclient.creation.shares import ShareCreation
from vbsclient.deletion.shares import BackupSharesDeletion, ShareDeletion
from vbsclient.lookup.names import Kind
from vbsclient.lookup.policies import CreatedBackups
from vbsclient.lookup.refusals import MissingError
from vbsclient.lookup.resources import Resources
from vbsclient.osc.command.clients import (
    labels_of,
    make_vbs_client,
    resources_of,
)
from vbsclient.osc.command.delete import DeleteCommand
from vbsclient.osc.command.filters import add_filters, conditions_of, only_one
from vbsclient.osc.command.list import Found, ListCommand
from vbsclient.osc.command.named import NamedCommand
from vbsclient.osc.command.options import add_named, from_a_list
from vbsclient.osc.command.show import ShowCommand
from vbsclient.osc.output.columns import Column, Gigabytes, Time
from vbsclient.osc.output.messages import ShareTerms, Terms
from vbsclient.osc.output.report import columns_with
from vbsclient.osc.vbs.selection import (
    add_created_by,
    backup_id_of,
    share_filter,
)
from vbsclient.wording import brief, counted

_COLUMNS = (
    Column('ID', 'id', below='Backup Name'),
    Column('Backup', 'backup_id'),
    Column('Backup Name', 'backup_name'),
    Column('Target Project', 'to_project_id', below='Backup'),
    Column('Source Project', 'from_project_id', long=True),
    Column('Created At', 'created_at', Time, long=True),
    Column('Status', 'backup.status', long=True),
    Column('Size', 'backup.size', Gigabytes, long=True),
    Column('Volume', 'backup.volume_id', long=True),
    Column('Availability Zone', 'backup.availability_zone', long=True),
    Column('Description', 'backup.description', long=True),
    Column(
        'Updated At',
        lambda share: text_or_none(share.body.get('updated_at')),
        Time,
        long=True,
    ),
)


class CreateVbsShare(NamedCommand):
    """Share backups with other projects (VBS)

    Each backup is shared with each project that is named, with one request
    for each backup; what is shared already stays as it is. The other project
    can create volumes from the backup, and neither restore nor delete it.

    Example: openstack vbs share create --target-project <project> nightly-1
    """

    words = ShareTerms()
    always_reports = True
    dry_run = 'Show what would be shared or refused; share nothing'
    report_columns = columns = columns_with(
        Column('ID', 'id', below='Backup Name'),
        Column(
            'Backup',
            lambda row: row.target.id or row.target.argument,
            machine_only=True,
        ),
        Column(
            'Backup Name',
            'target.name',
            label=lambda row: row.target.name or row.target.argument,
        ),
        Column(
            'Target Project',
            'target.resource.project_id',
            label=lambda row: (
                row.target.resource.project_name
                or row.target.resource.project_id
            ),
        ),
        Column(
            'Target Project Name',
            'target.resource.project_name',
            machine_only=True,
        ),
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_named(parser, 'backup', 'share')
        parser.add_argument(
            '--target-project',
            metavar='<project>',
            action='append',
            required=True,
            help=(
                'Project that may use the backups (name or ID); repeat for '
                'several'
            ),
        )
        parser.add_argument(
            '--target-project-domain',
            metavar='<domain>',
            help='Domain of the target projects (name or ID)',
        )

    def make_change(
        self,
        parsed_args: argparse.Namespace,
        limits: Limits,
        named: Sequence[str],
    ) -> Change:
        manager = self.app.client_manager
        resources = resources_of(manager)
        projects: dict[str, str | None] = {}
        for project in parsed_args.target_project:
            id = resources.project_id(
                project, parsed_args.target_project_domain
            )
            projects[id] = None if id == project else project
        return ShareCreation(
            make_vbs_client(manager, limits),
            named,
            projects,
            limits=limits,
            label=labels_of(manager).of_volume,
        )


class DeleteVbsShare(DeleteCommand):
    """Cancel shares of backups (VBS)

    The backups themselves are kept. Name the shares by their IDs, or with
    --backup the backups whose shares are to be canceled: all of them, or
    with --target-project only those with that project. A backup that is not
    shared is a failure. If a backup has several shares, they are listed, and
    you are asked to confirm.

    Example: openstack vbs share delete --backup nightly-1
    """

    words = Terms('share')
    asks = 'backup'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            'targets',
            metavar='<share>',
            nargs='*',
            help=(
                'Share to cancel (ID); "-" reads IDs from standard input, '
                'one per line'
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
        _add_target_project(parser, 'With --backup: only the share')

    def is_more_than_named(self, target: Target) -> bool:
        return len(target.members) > 1

    def question(self, targets: Sequence[Target]) -> str:
        shares = sum(len(target.resource) for target in targets)
        return (
            f'Delete {counted(shares, "share")} of '
            f'{counted(len(targets), "backup")}'
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
            label=labels_of(manager).of_volume,
        )

    def _check_usage(self, parsed_args: argparse.Namespace) -> None:
        if bool(parsed_args.targets) == bool(parsed_args.backups):
            self._parser.error(
                f'give either <share> or --backup <backup>. '
                f'{from_a_list("vbs share")} cancels what a list shows'
            )
        if parsed_args.target_project is not None and not parsed_args.backups:
            self._parser.error('--target-project goes with --backup')
        _check_domain(self._parser, parsed_args)


class ListVbsShare(ListCommand):
    """List shares of backups (VBS), newest first

    What this project shares with others, a row for each backup and project;
    with --shared-with-me: what others share with it (--long shows the
    source project). Name, status and zone are those of the backup: a share
    has none of its own.

    Example: openstack vbs share list --backup nightly-1
    """

    columns = _COLUMNS
    noun = 'share'
    named_by = 'ID'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            '--shared-with-me',
            action='store_true',
            help='List what other projects share with this one',
        )
        parser.add_argument(
            '--backup',
            metavar='<backup>',
            action='append',
            help='Only shares of this backup (name or ID); repeat for several',
        )
        _add_target_project(parser, 'Only shares')
        parser.add_argument(
            '--source-project',
            metavar='<project>',
            help=(
                'Only shares that this project created (name or ID); requires '
                '--shared-with-me'
            ),
        )
        parser.add_argument(
            '--volume',
            metavar='<volume>',
            action='append',
            help=(
                'Only backups of this volume (name or ID); repeat for several'
            ),
        )
        add_created_by(parser)
        add_filters(parser, of_shares=True)

    def find(self, parsed_args: argparse.Namespace, fields: set[str]) -> Found:
        _check_domain(self._parser, parsed_args)
        if parsed_args.source_project and not parsed_args.shared_with_me:
            self._parser.error('--source-project goes with --shared-with-me')
        if parsed_args.policy and parsed_args.shared_with_me:
            self._parser.error('--policy does not go with --shared-with-me')
        shares, conditions = self.vbs.shares, conditions_of(parsed_args)
        resources = resources_of(self.app.client_manager)
        backup_ids = {
            self._backup_id(backup, shared=parsed_args.shared_with_me)
            for backup in parsed_args.backup or ()
        }
        volume_ids = set(map(resources.volume_id, parsed_args.volume or ()))
        where = share_filter(
            conditions,
            shared_with_me=parsed_args.shared_with_me,
            backup_id=only_one(backup_ids),
            volume_id=only_one(volume_ids),
            **_projects(parsed_args, resources),
        )
        created = None
        if parsed_args.policy:
            created = CreatedBackups(self.vbs.policies, parsed_args.policy)
        is_exact = max(len(backup_ids), len(volume_ids)) < 2 and not created
        if (
            parsed_args.count
            and conditions.countable
            and not conditions.names
            and is_exact
        ):
            total = shares.count(where)
            if total is not None:
                return Found(total=total)
        found = shares.list(where=where, page_size=parsed_args.limit)
        return Found(
            share
            for share in found
            if conditions.match(_as_backup(share))
            and (created is None or share.backup in created)
            and (not backup_ids or share.backup_id in backup_ids)
            and (not volume_ids or share.backup.volume_id in volume_ids)
        )

    def _backup_id(self, backup: str, *, shared: bool) -> str:
        """The id of a backup of this project, or one shared with it."""
        if is_uuid(backup) or not shared:
            labels = labels_of(self.app.client_manager)
            return backup_id_of(self.vbs, backup, labels.of_volume)
        found = {
            share.backup_id: share
            for share in self.vbs.shares.list(
                where=ShareFilter(shared_with_me=True, name_contains=backup)
            )
            if share.backup_name == backup
        }
        return _SHARED_BACKUP.choose(list(found.values()), backup).backup_id


class ShowVbsShare(ShowCommand):
    """Show one share of a backup (VBS)

    A share has no name: it is found by its ID, as "openstack vbs share
    list" shows it.

    Example: openstack vbs share show <share>
    """

    columns = _COLUMNS
    noun = 'share'
    named_by = 'ID'

    def find(self, parsed_args: argparse.Namespace, fields: set[str]) -> Share:
        if not is_uuid(parsed_args.share):
            raise exceptions.CommandError(
                f'{parsed_args.share!r} is not the ID of a share: "openstack '
                f'vbs share list --backup <backup>" shows those of a backup.'
            )
        try:
            return self.vbs.shares.get(parsed_args.share)
        except errors.NotFound as error:
            self.vbs.shares.ensure_supported()
            raise MissingError(
                f'No share found for {parsed_args.share!r}'
            ) from error


def _projects(
    parsed_args: argparse.Namespace, resources: Resources
) -> dict[str, str | None]:
    """The projects that the options name, as a filter takes them."""
    target, source = parsed_args.target_project, parsed_args.source_project
    domain = parsed_args.target_project_domain
    return {
        'to_project_id': target and resources.project_id(target, domain),
        'from_project_id': source and resources.project_id(source),
    }


def _add_target_project(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument(
        '--target-project',
        metavar='<project>',
        help=f'{what} with this project (name or ID)',
    )
    parser.add_argument(
        '--target-project-domain',
        metavar='<domain>',
        help='Domain of the target project (name or ID)',
    )


def _check_domain(
    parser: argparse.ArgumentParser, parsed_args: argparse.Namespace
) -> None:
    domain = parsed_args.target_project_domain
    if domain is not None and parsed_args.target_project is None:
        parser.error('--target-project-domain goes with --target-project')


def _as_backup(share: Share) -> Backup:
    """A share for the filters: its backup, created when it was shared."""
    return replace(share.backup, created_at=share.created_at)


def _describe(share: Share) -> str:
    project = brief(share.from_project_id)
    return f'{brief(share.backup_id)} (of project {project})'


_SHARED_BACKUP = Kind(
    'shared backup', _describe, ids=lambda share: [share.backup_id]
)
