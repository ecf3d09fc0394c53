# SPDX-License-Identifier: Apache-2.0
"""``openstack csbs backup ...``: backups of whole servers."""

from __future__ import annotations

import argparse
from typing import Any

from vbsclient.deletion.csbs_items import ItemDeletion
from vbsclient.deletion.targets import Deletion, Limits
from vbsclient.osc.clients import make_csbs_client
from vbsclient.osc.csbs_checkpoint import add_provider
from vbsclient.osc.delete import DeleteCommand


class DeleteBackup(DeleteCommand):
    """Delete backups of servers, one server's part of a checkpoint (CSBS)

    Only the named backups go; backups of other servers that the same run
    saved stay. To make sure of that, the first deletion goes alone and the
    others of its checkpoint are looked at before anything else is sent.
    Deletion goes on in the service after the command has ended, for up to
    30 minutes.

    Example: openstack csbs backup delete --dry-run web01-pre-patch
    """

    idle = 1800.0

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
        add_provider(parser)

    def make_deletion(
        self, parsed_args: argparse.Namespace, limits: Limits
    ) -> Deletion[Any] | None:
        """The rules for these backups."""
        named = self.named(parsed_args.backups)
        if not named:
            return None
        return ItemDeletion(
            make_csbs_client(self.app.client_manager, limits),
            named,
            provider_id=parsed_args.provider,
            limits=limits,
        )
