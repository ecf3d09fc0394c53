# SPDX-License-Identifier: Apache-2.0
"""``openstack csbs backup prune``.

Apart from the other commands of backups, which start faster without the
retention rules.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from vbsclient.api.csbs import ServerBackup
from vbsclient.api.http import Limits
from vbsclient.api.paging import PAGE_SIZE
from vbsclient.deletion.server_history import ServerHistory
from vbsclient.osc.command.clients import make_csbs_client
from vbsclient.osc.command.prune import PruneCommand
from vbsclient.osc.csbs import selection as options
from vbsclient.osc.output.prune_table import BackupKind


class PruneCsbsBackup(PruneCommand):
    """Delete server backups that no rule keeps (CSBS)

    Rules apply to each server separately, and each rule by itself: what one
    of them keeps is kept. They count only backups that can be restored.
    Backups that are unfinished, or that an image was made from, are kept and
    not changed. Only the backup of one server in a checkpoint is deleted;
    those of other servers follow their own rules. "list" with the same
    options shows what is selected; --dry-run shows the plan with all
    reasons.

    Example: openstack csbs backup prune --server web01 --keep-daily 7
    --keep-weekly 5 --dry-run
    """

    idle = 1800.0
    kind = BackupKind(
        ('server', 'servers'),
        'the volumes of each backup as they were then, but backups are '
        'incremental',
    )
    narrowing = ('server', 'name', 'name_contains', 'policy', 'tag')
    tagged = True

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        options.add_selection(parser)
        options.add_provider(parser)

    def make_history(
        self, parsed_args: argparse.Namespace, limits: Limits
    ) -> ServerHistory:
        manager = self.app.client_manager
        csbs = make_csbs_client(manager, limits)
        selection = options.Selection.of(parsed_args, manager, csbs)
        selection.ensure_policy_filter(csbs)
        self.hint = selection.hint

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
