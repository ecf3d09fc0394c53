# SPDX-License-Identifier: Apache-2.0
"""``openstack csbs checkpoint ...``: what one run of CSBS saved."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from vbsclient.api.csbs import Checkpoint, CheckpointGroups
from vbsclient.bulk import Limits
from vbsclient.change.targets import Change
from vbsclient.deletion.checkpoints import CheckpointDeletion
from vbsclient.deletion.server_backups import ServerBackupDeletion
from vbsclient.osc.command.clients import make_csbs_client
from vbsclient.osc.command.delete import DeleteCommand
from vbsclient.osc.command.list import Found, ListCommand
from vbsclient.osc.command.options import add_targets
from vbsclient.osc.command.show import ShowCommand
from vbsclient.osc.csbs.columns import CHECKPOINT_LIST, CHECKPOINT_SHOW
from vbsclient.osc.csbs.selection import (
    Selection,
    add_provider,
    add_selection,
    checkpoint_id_of,
    find_checkpoint,
    read_groups,
    warn_of_no_policy,
)
from vbsclient.osc.output.messages import Words


class DeleteCsbsCheckpoint(DeleteCommand):
    """Delete checkpoints: all that one run saved, of all its servers (CSBS)

    A checkpoint is what one run of CSBS saved, of one server or of many;
    one server's part of it is a backup. Where a checkpoint holds several,
    they are listed and you are asked. With --item only the named backups
    go, and the others of the run stay. Deletion goes on in the service
    after the command has ended, for up to 30 minutes.

    Example: openstack csbs checkpoint delete --dry-run <checkpoint>
    """

    words = Words('checkpoint')
    asks = True
    idle = 1800.0
    polled = 'the backups in the checkpoints'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what this command alone has."""
        add_targets(parser, 'checkpoint', 'ID')
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

    def named(self, parsed_args: argparse.Namespace) -> Sequence[str]:
        named = super().named(parsed_args)
        if parsed_args.items is not None and len(named) != 1:
            self._parser.error('--item goes with exactly one <checkpoint>')
        return named

    def make_change(
        self,
        parsed_args: argparse.Namespace,
        limits: Limits,
        named: Sequence[str],
    ) -> Change:
        csbs = make_csbs_client(self.app.client_manager, limits)
        if parsed_args.items is None:
            return CheckpointDeletion(
                csbs, named, provider_id=parsed_args.provider, limits=limits
            )
        self.report.words = Words()
        self.report.named = parsed_args.items
        return ServerBackupDeletion(
            csbs,
            parsed_args.items,
            provider_id=parsed_args.provider,
            limits=limits,
            checkpoint_id=named[0],
        )


class ListCsbsCheckpoint(ListCommand):
    """List checkpoints: what each run saved, of all its servers (CSBS)

    A checkpoint is a group of backups, one for each server. It is listed if
    one of its backups is what the options say, and then with all of them:
    state, size and servers are always those of the whole checkpoint.

    Example: openstack csbs checkpoint list --created-before 30d
    """

    columns = CHECKPOINT_LIST
    noun = 'checkpoint'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what this command alone has."""
        add_selection(parser)

    def prepare(self, parsed_args: argparse.Namespace) -> None:
        """Make the client, and look up what the options name."""
        manager = self.app.client_manager
        self._csbs = make_csbs_client(manager)
        self._selection = Selection.of(parsed_args, manager, self._csbs)

    def find(self, parsed_args: argparse.Namespace, wanted: set[str]) -> Found:
        """The checkpoints of the backups that the service lists."""
        return Found(self._groups(parsed_args), not parsed_args.sort)

    def explain_nothing(self, parsed_args: argparse.Namespace) -> None:
        """It may be a policy that does not exist."""
        warn_of_no_policy(parsed_args)

    def marker_of(self, parsed_args: argparse.Namespace) -> str:
        """The id of the marker, which may be given by its name."""
        return checkpoint_id_of(self._csbs, parsed_args.marker)

    def _groups(self, parsed_args: argparse.Namespace) -> Iterator[Checkpoint]:
        groups = CheckpointGroups()
        wanted: dict[str, None] = {}
        found = self._selection.items(self._csbs, page_size=parsed_args.limit)
        for item in self._selection.trusted(self._csbs, found.things):
            groups.add(item)
            if self._selection.fits(item):
                wanted[item.checkpoint_id] = None
        if wanted and not self._selection.whole and not parsed_args.count:
            groups = read_groups(self._csbs, wanted)
        # One that vanished between the two lists is not there any more.
        return iter([groups[id] for id in wanted if id in groups])


class ShowCsbsCheckpoint(ShowCommand):
    """Show one checkpoint with the backups in it (CSBS)

    What one run saved: its servers, the state and size of each backup.

    Example: openstack csbs checkpoint show <checkpoint>
    """

    columns = CHECKPOINT_SHOW

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what this command alone has."""
        parser.add_argument(
            'checkpoint',
            metavar='<checkpoint>',
            help='Checkpoint to show (ID, or the name of its backups)',
        )

    def find(
        self, parsed_args: argparse.Namespace, wanted: set[str]
    ) -> Checkpoint:
        """The checkpoint, out of its items."""
        csbs = make_csbs_client(self.app.client_manager)
        items = find_checkpoint(csbs, parsed_args.checkpoint)
        groups = CheckpointGroups()
        groups.add_all(items)
        return groups[items[0].checkpoint_id]
