# SPDX-License-Identifier: Apache-2.0
"""``openstack csbs backup ...``: backups of whole servers."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from vbsclient.api.csbs import CheckpointGroups, ServerBackup
from vbsclient.api.http import is_uuid
from vbsclient.bulk import Limits
from vbsclient.change.targets import Change
from vbsclient.deletion.server_backups import ServerBackupDeletion
from vbsclient.osc.command.clients import make_csbs_client
from vbsclient.osc.command.delete import DeleteCommand
from vbsclient.osc.command.list import Found, Later, ListCommand
from vbsclient.osc.command.options import add_targets
from vbsclient.osc.command.show import ShowCommand
from vbsclient.osc.csbs.columns import ITEM_LIST, ITEM_SHOW, ItemRow
from vbsclient.osc.csbs.selection import (
    Selection,
    add_provider,
    add_selection,
    find_item,
    read_groups,
    warn_of_no_policy,
)


class DeleteCsbsBackup(DeleteCommand):
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
        add_targets(parser, 'backup', 'name or ID')
        add_provider(parser)

    def make_change(
        self,
        parsed_args: argparse.Namespace,
        limits: Limits,
        named: Sequence[str],
    ) -> Change:
        return ServerBackupDeletion(
            make_csbs_client(self.app.client_manager, limits),
            named,
            provider_id=parsed_args.provider,
            limits=limits,
        )


class ListCsbsBackup(ListCommand):
    """List backups of servers (CSBS), newest first

    A backup is one server's part of a checkpoint, which is what one run
    saved. "Servers" says how many servers the whole checkpoint holds: that
    many lose a backup if the checkpoint is deleted.

    Example: openstack csbs backup list --server web01 --status error
    """

    columns = ITEM_LIST

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what this command alone has."""
        add_selection(parser)
        parser.add_argument(
            '--checkpoint',
            metavar='<checkpoint>',
            help='Only backups in this checkpoint (ID, or its name)',
        )

    def prepare(self, parsed_args: argparse.Namespace) -> None:
        """Make the client, and look up what the options name."""
        manager = self.app.client_manager
        self._csbs = make_csbs_client(manager)
        self._selection = Selection.of(parsed_args, manager, self._csbs)
        self._groups: CheckpointGroups | None = None
        self._counts: dict[str, Later] = {}

    def find(self, parsed_args: argparse.Namespace, wanted: set[str]) -> Found:
        """The backups; how many servers go together is known at the end."""
        found = self._selection.items(
            self._csbs,
            sort=parsed_args.sort,
            marker=parsed_args.marker and self.marker_of(parsed_args),
            page_size=parsed_args.limit,
        )
        all_seen = self._selection.whole and parsed_args.marker is None
        found.things = self._selection.trusted(self._csbs, found.things)
        if 'servers' in wanted and all_seen:
            found.things = self._grouping(found.things)
        count = self._servers_with if 'servers' in wanted else _not_asked
        found.things = (
            ItemRow(item, count(item))
            for item in found.things
            if self._selection.fits(item)
        )
        return found

    def complete(self) -> None:
        """Count the servers of the checkpoints that are shown."""
        if self._counts and self._groups is None:
            self._groups = read_groups(self._csbs, self._counts)
        for id, count in self._counts.items():
            group = (self._groups or CheckpointGroups()).get(id)
            count.value = group.servers if group else None

    def count(self, parsed_args: argparse.Namespace) -> int | None:
        """Ask the service, where it compares as we do."""
        if not self._selection.countable:
            return None
        number = self._csbs.backups.count(self._selection.where())
        if number:
            self._selection.demand_policy_filter(self._csbs)
        return number

    def explain_nothing(self, parsed_args: argparse.Namespace) -> None:
        """It may be a policy that does not exist."""
        warn_of_no_policy(parsed_args)

    def marker_of(self, parsed_args: argparse.Namespace) -> str:
        """The id of the marker, which may be given by its name."""
        marker = str(parsed_args.marker)
        return marker if is_uuid(marker) else find_item(self._csbs, marker).id

    def _servers_with(self, item: ServerBackup) -> Later:
        return self._counts.setdefault(item.checkpoint_id, Later())

    def _grouping(
        self, items: Iterator[ServerBackup]
    ) -> Iterator[ServerBackup]:
        groups = CheckpointGroups()
        for item in items:
            groups.add(item)
            yield item
        # Only now: a list that is not read to its end has not seen all.
        self._groups = groups


class ShowCsbsBackup(ShowCommand):
    """Show one backup of a server (CSBS)

    One server's part of a checkpoint, with the backups of its disks, which
    VBS lists too.

    Example: openstack csbs backup show web01-pre-patch
    """

    columns = ITEM_SHOW

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what this command alone has."""
        parser.add_argument(
            'backup', metavar='<backup>', help='Backup to show (name or ID)'
        )

    def find(
        self, parsed_args: argparse.Namespace, wanted: set[str]
    ) -> ItemRow:
        """The backup; its checkpoint too, if the servers are to be shown."""
        csbs = make_csbs_client(self.app.client_manager)
        item = find_item(csbs, parsed_args.backup)
        if 'servers' not in wanted:
            return ItemRow(item)
        group = read_groups(csbs, [item.checkpoint_id])[item.checkpoint_id]
        return ItemRow(item, group.servers)


def _not_asked(item: ServerBackup) -> None:
    return None
