# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs backup ...``: backups of disks."""

from __future__ import annotations

import argparse
from typing import Any

from vbsclient.deletion.targets import Deletion, Limits
from vbsclient.deletion.vbs_backups import BackupDeletion
from vbsclient.osc.clients import make_csbs_client, make_vbs_client
from vbsclient.osc.delete import DeleteCommand


class DeleteBackup(DeleteCommand):
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
        parser.add_argument(
            'backups',
            metavar='<backup>',
            nargs='+',
            help=(
                'Backup to delete (name or ID); "-" reads IDs from the '
                'standard input, one a line'
            ),
        )
        parser.add_argument(
            '--force',
            action='store_true',
            help=(
                'Delete it although CSBS made it, or although it is shared '
                '(its id is verified all the same)'
            ),
        )
        parser.add_argument(
            '--cancel-shares',
            action='store_true',
            help='Cancel all shares of a backup before deleting it',
        )

    def make_deletion(
        self, parsed_args: argparse.Namespace, limits: Limits
    ) -> Deletion[Any] | None:
        """The rules for these backups."""
        named = self.named(parsed_args.backups)
        if not named:
            return None
        return BackupDeletion(
            make_vbs_client(self.app.client_manager, limits),
            make_csbs_client(self.app.client_manager, limits),
            named,
            limits=limits,
            force=parsed_args.force,
            cancel_shares=parsed_args.cancel_shares,
        )
