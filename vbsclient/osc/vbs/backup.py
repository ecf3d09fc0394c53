# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs backup ...``: backups of disks."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from vbsclient.api import errors
from vbsclient.api.csbs import ServerBackupFilter
from vbsclient.api.http import is_uuid
from vbsclient.api.vbs import Share, ShareFilter, VBSClient
from vbsclient.bulk import Limits
from vbsclient.change.targets import Change
from vbsclient.deletion.volume_backups import VolumeBackupDeletion
from vbsclient.lookup.refusals import MissingError
from vbsclient.osc.command.clients import make_csbs_client, make_vbs_client
from vbsclient.osc.command.delete import DeleteCommand
from vbsclient.osc.command.list import Found, ListCommand
from vbsclient.osc.command.options import add_targets
from vbsclient.osc.command.show import ShowCommand
from vbsclient.osc.vbs.details import (
    LIST,
    MARKED,
    SHOW,
    Details,
    Row,
    marked,
)
from vbsclient.osc.vbs.selection import (
    Selection,
    add_selection,
    find_backup,
)


class DeleteVbsBackup(DeleteCommand):
    """Delete backups of disks (VBS)

    Each backup is looked up first, by id or by its exact name; a name that
    two backups bear is refused with both ids. Deletion goes on in the
    service after the command has ended. A backup that CSBS made, or that is
    shared, is refused unless you say what to do with it.

    Example: openstack vbs backup delete --dry-run nightly-1 nightly-2
    """

    idle = 600.0

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what this command alone has."""
        add_targets(parser, 'backup', 'name or ID')
        parser.add_argument(
            '--force',
            action='store_true',
            help=(
                'Delete it although CSBS made it, or although it is shared '
                '(its id is verified all the same). It overrules no status: '
                'unlike with --force of "openstack volume backup delete", the '
                'service decides about a backup that is neither available '
                'nor error'
            ),
        )
        parser.add_argument(
            '--cancel-shares',
            action='store_true',
            help='Cancel all shares of a backup before deleting it',
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
        )


class ListVbsBackup(ListCommand):
    """List backups of disks (VBS), newest first

    Backups that CSBS made as a part of a server backup are among them:
    --long (or -c Source) tells which, --source csbs shows only those. With
    --shared-with-me: what other projects share with this one instead.

    To find what hangs: openstack vbs backup list --stuck 2h --long

    Example: openstack vbs backup list --server web01 --created-before 30d
    """

    columns = LIST

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what this command alone has."""
        add_selection(parser)
        parser.add_argument(
            '--shared-with-me',
            action='store_true',
            help='List what other projects share with this one',
        )

    def prepare(self, parsed_args: argparse.Namespace) -> None:
        """Make the clients, and look up what the options name."""
        manager = self.app.client_manager
        self._vbs = make_vbs_client(manager)
        self._csbs = make_csbs_client(manager)
        self._selection = Selection.of(parsed_args, manager, self._csbs)

    def find(self, parsed_args: argparse.Namespace, wanted: set[str]) -> Found:
        """The backups, and what the columns need beside them."""
        vbs, selection = self._vbs, self._selection
        details = Details(
            vbs,
            self._csbs,
            shares=ShareFilter(volume_id=selection.volume_id),
            items=ServerBackupFilter(),
        )
        if parsed_args.shared_with_me:
            shares = vbs.shares.list(
                where=selection.shares(), page_size=parsed_args.limit
            )
            rows = (Row(share.backup, details, share) for share in shares)
            return Found(self._fitting(rows, details))
        found = selection.backups(
            vbs,
            marks=bool(wanted & MARKED),
            sort=parsed_args.sort,
            marker=parsed_args.marker and self.marker_of(parsed_args),
            page_size=parsed_args.limit,
        )
        found.things = self._fitting(
            (Row(backup, details) for backup in found.things), details
        )
        return found

    def count(self, parsed_args: argparse.Namespace) -> int | None:
        """Ask the service, where it counts what the filters say."""
        vbs, selection = self._vbs, self._selection
        if not selection.countable:
            return None
        if not parsed_args.shared_with_me:
            return vbs.backups.count(**selection.filters())
        if selection.conditions.name is not None:
            # The service compares it loosely.
            return None
        return vbs.shares.count(selection.shares())

    def marker_of(self, parsed_args: argparse.Namespace) -> str:
        """The id of the marker, which may be given by its name."""
        marker = str(parsed_args.marker)
        return marker if is_uuid(marker) else find_backup(self._vbs, marker).id

    def _fitting(self, rows: Iterator[Row], details: Details) -> Iterator[Row]:
        return (
            row
            for row in rows
            if self._selection.fits(row.backup, details.source)
        )


class ShowVbsBackup(ShowCommand):
    """Show one backup of a disk (VBS)

    Where it comes from, whom it is shared with, and which server backup of
    CSBS it is a part of. A backup that another project shares with this one
    is found by its id.

    Example: openstack vbs backup show nightly-1
    """

    columns = SHOW

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what this command alone has."""
        parser.add_argument(
            'backup', metavar='<backup>', help='Backup to show (name or ID)'
        )

    def find(self, parsed_args: argparse.Namespace, wanted: set[str]) -> Row:
        """The backup, of this project or shared with it."""
        manager = self.app.client_manager
        vbs = make_vbs_client(manager)
        share = None
        try:
            backup = find_backup(vbs, parsed_args.backup)
        except MissingError:
            share = _shared_with_me(vbs, parsed_args.backup)
            if share is None:
                raise
            backup = share.backup
        else:
            if wanted & (MARKED | {'server', 'server_backup'}):
                backup = marked(vbs, backup)
        details = Details(
            vbs,
            make_csbs_client(manager),
            shares=ShareFilter(backup_id=backup.id),
            items=ServerBackupFilter(server_id=backup.server_id),
        )
        return Row(backup, details, share)


def _shared_with_me(vbs: VBSClient, backup_id: str) -> Share | None:
    """What another project shares; None if it shares no such backup."""
    if not is_uuid(backup_id):
        return None
    try:
        where = ShareFilter(shared_with_me=True, backup_id=backup_id)
        return next(vbs.shares.list(where=where), None)
    except errors.ClientError:
        return None
