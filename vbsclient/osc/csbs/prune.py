# SPDX-License-Identifier: Apache-2.0
"""``openstack csbs backup prune``: the others start without it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from vbsclient.api.client import ServiceClient
from vbsclient.api.csbs import ServerBackup
from vbsclient.api.paging import PAGE_SIZE
from vbsclient.bulk import Limits
from vbsclient.deletion.server_history import ServerHistory
from vbsclient.osc.command.clients import make_csbs_client
from vbsclient.osc.command.prune import PruneCommand
from vbsclient.osc.csbs.selection import (
    Selection,
    add_provider,
    add_selection,
)
from vbsclient.osc.output.columns import Megabytes


class PruneCsbsBackup(PruneCommand):
    """Delete backups of servers that no rule keeps (CSBS)

    The rules are judged for each server alone, and each rule on its own:
    what one of them keeps is kept. They count only backups that can be
    restored. What is not finished, or had an image made from it, is kept
    and not touched. Only one server's part of a checkpoint goes; the parts
    of other servers are judged by their own rules. "list" with the same
    options shows what is selected; --dry-run shows the plan with all
    reasons.

    Example: openstack csbs backup prune --server web01 --keep-daily 7
    --keep-weekly 5 --dry-run
    """

    idle = 1800.0
    group = ('server', 'servers')
    narrowing = ('server', 'name', 'name_contains', 'policy')
    tagged = True
    size = Megabytes
    megabytes = 1
    size_note = (
        'the disks of each backup as they were then, but backups are '
        'incremental'
    )

    def add_selection(self, parser: argparse.ArgumentParser) -> None:
        """Add the options of the list."""
        add_selection(parser)
        add_provider(parser)

    def make_history(
        self, parsed_args: argparse.Namespace, limits: Limits
    ) -> ServerHistory:
        """The backups of these servers."""
        manager = self.app.client_manager
        self._csbs = csbs = make_csbs_client(manager, limits)
        selection = Selection.of(parsed_args, manager, csbs)
        selection.ensure_policy_filter(csbs)

        def read() -> Iterator[ServerBackup]:
            found = selection.backups(csbs, page_size=PAGE_SIZE)
            return filter(selection.match_strictly, found.rows)

        return ServerHistory(
            csbs,
            read,
            provider_id=parsed_args.provider,
            limits=limits,
            include_error=parsed_args.include_error,
        )

    def clients(self) -> Sequence[ServiceClient]:
        """There is one."""
        return (self._csbs,)

    def is_vendor(self) -> bool:
        """There is no other CSBS."""
        return True
