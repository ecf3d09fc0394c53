# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs backup prune``: the others start without it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from vbsclient.api.client import ServiceClient
from vbsclient.api.csbs import ServerBackupFilter
from vbsclient.api.vbs import ShareFilter
from vbsclient.bulk import Limits
from vbsclient.deletion.volume_history import VolumeHistory
from vbsclient.osc.command.clients import make_csbs_client, make_vbs_client
from vbsclient.osc.command.prune import PruneCommand
from vbsclient.osc.output.columns import Gigabytes
from vbsclient.osc.vbs.details import Details
from vbsclient.osc.vbs.selection import Selection, add_selection


class PruneVbsBackup(PruneCommand):
    """Delete backups of disks that no rule keeps (VBS)

    The rules are judged for each volume alone, and each rule on its own:
    what one of them keeps is kept. They count only backups that VBS made
    and that can be restored. What is not finished, shared, or a part of a
    server backup is kept and not touched. "list" with the same options
    shows what is selected; --dry-run shows the plan with all reasons.

    Example: openstack vbs backup prune --volume db01-data --keep-daily 7
    --keep-weekly 5 --dry-run
    """

    idle = 600.0
    group = ('volume', 'volumes')
    narrowing = ('volume', 'server', 'name', 'name_contains')
    size = Gigabytes
    megabytes = 1024
    size_note = (
        'each backup counts as its whole disk, but backups are incremental'
    )

    def add_selection(self, parser: argparse.ArgumentParser) -> None:
        """Add the options of the list."""
        add_selection(parser)
        parser.add_argument(
            '--include-shared',
            action='store_true',
            help='Let shared backups go too; their shares are cancelled first',
        )

    def make_history(
        self, parsed_args: argparse.Namespace, limits: Limits
    ) -> VolumeHistory:
        """The backups of these volumes."""
        manager = self.app.client_manager
        self._vbs = vbs = make_vbs_client(manager, limits)
        self._csbs = csbs = make_csbs_client(manager, limits)
        selection = Selection.of(parsed_args, manager, csbs)
        details = Details(
            vbs, csbs, shares=ShareFilter(), items=ServerBackupFilter()
        )
        self._history = VolumeHistory(
            vbs,
            csbs,
            lambda everything: selection.pick(
                vbs, details.source, all_of_volumes=everything
            ),
            whole=selection.is_whole,
            limits=limits,
            include_shared=parsed_args.include_shared,
            include_error=parsed_args.include_error,
        )
        return self._history

    def clients(self) -> Sequence[ServiceClient]:
        """Both may tell the time."""
        return self._vbs, self._csbs

    def is_vendor(self) -> bool:
        """VBS is, where it shows that it is no Cinder."""
        return self._history.is_vendor
