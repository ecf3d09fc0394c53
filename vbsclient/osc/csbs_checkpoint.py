# SPDX-License-Identifier: Apache-2.0
"""``openstack csbs checkpoint ...``: what one run of CSBS saved."""

from __future__ import annotations

import argparse
from typing import Any

from vbsclient.api.csbs import CSBS_PROVIDER
from vbsclient.deletion.csbs_checkpoints import CheckpointDeletion
from vbsclient.deletion.csbs_items import ItemDeletion
from vbsclient.deletion.targets import Deletion, Limits
from vbsclient.osc.clients import make_csbs_client
from vbsclient.osc.delete import DeleteCommand


def add_provider(parser: argparse.ArgumentParser) -> None:
    """The option that all commands on checkpoints have."""
    parser.add_argument(
        '--provider',
        metavar='<provider>',
        default=CSBS_PROVIDER,
        help=f'Backup provider (ID), default: {CSBS_PROVIDER} (servers)',
    )


class DeleteCheckpoint(DeleteCommand):
    """Delete checkpoints: all that one run saved, of all its servers (CSBS)

    A checkpoint is what one run of CSBS saved, of one server or of many;
    one server's part of it is a backup. Where a checkpoint holds several,
    they are listed and you are asked. With --item only the named backups
    go, and the others of the run stay. Deletion goes on in the service
    after the command has ended, for up to 30 minutes.

    Example: openstack csbs checkpoint delete --dry-run <checkpoint>
    """

    noun = ('checkpoint', 'checkpoints')
    asks = True
    idle = 1800.0
    polled = 'the backups in the checkpoints'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what this command alone has."""
        parser.add_argument(
            'checkpoints',
            metavar='<checkpoint>',
            nargs='+',
            help=(
                'Checkpoint to delete (ID); "-" reads IDs from the standard '
                'input, one a line'
            ),
        )
        parser.add_argument(
            '--item',
            metavar='<backup>',
            action='append',
            dest='items',
            help=(
                'Delete only this backup of the checkpoint (name or ID); '
                'repeat for several; with exactly one checkpoint'
            ),
        )
        add_provider(parser)

    def make_deletion(
        self, parsed_args: argparse.Namespace, limits: Limits
    ) -> Deletion[Any] | None:
        """The rules for these checkpoints, or for the items of one."""
        named = self.named(parsed_args.checkpoints)
        if parsed_args.items is not None and len(named) != 1:
            self._parser.error('--item goes with exactly one <checkpoint>')
        if not named:
            return None
        csbs = make_csbs_client(self.app.client_manager, limits)
        if parsed_args.items is None:
            return CheckpointDeletion(
                csbs, named, provider_id=parsed_args.provider, limits=limits
            )
        self.noun = ('backup', 'backups')
        return ItemDeletion(
            csbs,
            parsed_args.items,
            provider_id=parsed_args.provider,
            limits=limits,
            checkpoint_id=named[0],
        )
