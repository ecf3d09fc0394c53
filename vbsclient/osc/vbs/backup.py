# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs backup ...``: volume backups."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial

from vbsclient.api.csbs import ServerBackupFilter
from vbsclient.api.http import Limits
from vbsclient.api.vbs import ShareFilter
from vbsclient.change.targets import Change
from vbsclient.deletion.volume_backups import VolumeBackupDeletion
from vbsclient.lookup.refusals import MissingError
from vbsclient.lookup.sharing import shared_with_me
from vbsclient.lookup.volume_backups import marked, status_of
from vbsclient.osc.command.clients import (
    labels_of,
    make_csbs_client,
    make_vbs_client,
)
from vbsclient.osc.command.delete import DeleteCommand
from vbsclient.osc.command.filters import add_projects
from vbsclient.osc.command.list import Found, ListCommand
from vbsclient.osc.command.marker import finding, rows_after
from vbsclient.osc.command.options import add_targets
from vbsclient.osc.command.show import ShowCommand
from vbsclient.osc.vbs import selection
from vbsclient.osc.vbs.details import LIST, MARKED, SHOW, Details, Row
from vbsclient.waiting import AVAILABLE, ResourceStatus


class DeleteVbsBackup(DeleteCommand):
    """Delete volume backups (VBS)

    Each backup is looked up first, by its ID or its exact name; an
    ambiguous name is refused with all IDs. Deletion continues in the
    service after the command has ended. A backup that CSBS created, or that
    is shared, is refused unless an option says what to do with it.

    Example: openstack vbs backup delete --dry-run nightly-1 nightly-2
    """

    idle = 600.0

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_targets(
            parser, 'vbs backup', 'name or ID', 'openstack vbs backup prune'
        )
        parser.add_argument(
            '--force',
            action='store_true',
            help=(
                'Delete backups even if CSBS created them, or they are '
                'shared (IDs are verified all the same). Unlike --force of '
                '"openstack volume backup delete", it does not override a '
                'status: the service decides about a backup that is neither '
                'available nor in error'
            ),
        )
        parser.add_argument(
            '--cancel-shares',
            action='store_true',
            help='Cancel all shares of the backups before deleting them',
        )

    def make_change(
        self,
        parsed_args: argparse.Namespace,
        limits: Limits,
        named: Sequence[str],
    ) -> Change:
        return VolumeBackupDeletion(
            make_vbs_client(self.app.client_manager, limits),
            make_csbs_client(self.app.client_manager, limits),
            named,
            limits=limits,
            force=parsed_args.force,
            cancel_shares=parsed_args.cancel_shares,
            label=labels_of(self.app.client_manager).of_volume,
        )


class ListVbsBackup(ListCommand):
    """List volume backups (VBS), newest first

    Backups that CSBS created as part of a server backup are included:
    --long (or -c Source) shows which they are, --source csbs lists only
    those. With --shared-with-me: what other projects share with this one
    instead.

    To find stuck backups: openstack vbs backup list --stuck 2h --long

    Example: openstack vbs backup list --server web01 --created-before 30d
    """

    columns = LIST

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        selection.add_selection(parser)
        add_projects(parser)
        parser.add_argument(
            '--shared-with-me',
            action='store_true',
            help='List what other projects share with this one',
        )

    def find(self, parsed_args: argparse.Namespace, fields: set[str]) -> Found:
        if parsed_args.project_domain and not parsed_args.project:
            self._parser.error('--project-domain goes with --project')
        if parsed_args.policy and parsed_args.shared_with_me:
            self._parser.error('--policy does not go with --shared-with-me')
        vbs, csbs = self.vbs, self.csbs
        selected = selection.Selection.of(
            parsed_args, self.app.client_manager, vbs, csbs
        )
        total = None
        if parsed_args.count and selected.countable:
            if not parsed_args.shared_with_me:
                total = vbs.backups.count(**selected.query())
            # The service compares the names of shares loosely.
            elif not selected.conditions.names:
                total = vbs.shares.count(selected.shares())
        if total is not None:
            return Found(total=total)
        details = Details(
            vbs,
            csbs,
            labels_of(self.app.client_manager),
            shares=ShareFilter(volume_id=selected.volume_id),
            backups=ServerBackupFilter(),
        )
        marker = parsed_args.marker
        if marker is not None:
            with finding(marker):
                parsed_args.marker = selection.backup_id_of(vbs, marker)
        if parsed_args.shared_with_me:
            shares = vbs.shares.list(
                where=selected.shares(), page_size=parsed_args.limit
            )
            found = Found(
                Row(share.backup, details, share) for share in shares
            )
        else:
            with finding(marker):
                found = selected.backups(
                    vbs,
                    marks=bool(fields & MARKED),
                    sort=parsed_args.sort,
                    marker=parsed_args.marker,
                    page_size=parsed_args.limit,
                )
            rows = rows_after(marker, found.rows)
            found.rows = map(partial(Row, details=details), rows)
        found.rows = (
            row
            for row in found.rows
            if selected.match(row.backup, details.source)
        )
        found.hint = selected.hint
        return found


class ShowVbsBackup(ShowCommand):
    """Show one volume backup (VBS)

    Where it comes from, which projects it is shared with, and which server
    backup of CSBS it is part of. A backup that another project shares with
    this one is found by its ID.

    Example: openstack vbs backup show nightly-1
    """

    columns = SHOW
    goal = AVAILABLE

    def status_of(self, found: Row) -> ResourceStatus:
        return status_of(found.backup)

    def find(self, parsed_args: argparse.Namespace, fields: set[str]) -> Row:
        vbs, share = self.vbs, None
        labels = labels_of(self.app.client_manager)
        try:
            backup = selection.find_backup(
                vbs, parsed_args.backup, labels.of_volume
            )
        except MissingError:
            share = shared_with_me(vbs, parsed_args.backup)
            if share is None:
                raise
            backup = share.backup
        else:
            if fields & (MARKED | {'server', 'server_name', 'server_backup'}):
                backup = marked(vbs, backup)
        details = Details(
            vbs,
            self.csbs,
            labels,
            shares=ShareFilter(backup_id=backup.id),
            backups=ServerBackupFilter(server_id=backup.server_id),
        )
        return Row(backup, details, share)
