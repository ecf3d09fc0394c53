# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs backup ...``: backups of disks."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vbsclient.api import errors
from vbsclient.api.vbs import Backup, VBSClient
from vbsclient.deletion.targets import FEW, Deletion, Limits
from vbsclient.deletion.vbs_backups import BackupDeletion
from vbsclient.deletion.vbs_lookup import find_backups
from vbsclient.osc.clients import make_csbs_client, make_vbs_client
from vbsclient.osc.delete import DeleteCommand


def find_backup(vbs: VBSClient, backup: str) -> Backup:
    """The one backup of a name or id.

    :raises ClientError: if there is none, or several, which are named.
    """
    found = find_backups(vbs.backups, [backup], Limits())[backup]
    if isinstance(found, errors.ClientError):
        raise found
    return found


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
    def asked_one_by_one(self) -> Sequence[str] | None:
        """The disks, if a list of each costs less than the whole list."""
        if self.volume_ids is None or self.server_id is not None:
            return None
        return sorted(self.volume_ids) if len(self.volume_ids) <= FEW else None


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
