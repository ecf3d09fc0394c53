# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs backup prune``.

Apart from the other commands of backups, which start faster without the
retention rules.
"""

from __future__ import annotations

import argparse

from vbsclient.api.csbs import ServerBackupFilter
from vbsclient.api.http import Limits
from vbsclient.api.vbs import ShareFilter
from vbsclient.deletion.volume_history import VolumeHistory
from vbsclient.lookup.labels import no_label
from vbsclient.osc.command.clients import (
    labels_of,
    make_csbs_client,
    make_vbs_client,
)
from vbsclient.osc.command.prune import PruneCommand
from vbsclient.osc.output.prune_table import BackupKind
from vbsclient.osc.vbs.details import Details
from vbsclient.osc.vbs.selection import Selection, add_selection

_ONLY_RECENT = (
    '--policy selects what the tasks of the policy tell, which VBS keeps for '
    '30 days: older backups of it neither count nor are deleted.'
)


class PruneVbsBackup(PruneCommand):
    """Delete volume backups that no rule keeps (VBS)

    Rules apply to each volume separately, and each rule by itself: what one
    of them keeps is kept. They count only backups that VBS made and that can
    be restored. Backups that are unfinished, shared, or part of a server
    backup are kept and not changed. "list" with the same options shows what
    is selected; --dry-run shows the plan with all reasons.

    Example: openstack vbs backup prune --volume db01-data --keep-daily 7
    --keep-weekly 5 --dry-run
    """

    idle = 600.0
    kind = BackupKind(
        ('volume', 'volumes'),
        'each backup counts as its whole volume, but backups are incremental',
    )
    narrowing = ('volume', 'server', 'name', 'name_contains', 'policy')

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_selection(parser)
        parser.add_argument(
            '--include-shared',
            action='store_true',
            help='Also delete shared backups; their shares are canceled first',
        )

    def make_history(
        self, parsed_args: argparse.Namespace, limits: Limits
    ) -> VolumeHistory:
        manager = self.app.client_manager
        vbs = make_vbs_client(manager, limits)
        csbs = make_csbs_client(manager, limits)
        selection = Selection.of(parsed_args, manager, vbs, csbs)
        if selection.policies:
            self.log.warning('%s', _ONLY_RECENT)
        details = Details(
            vbs,
            csbs,
            labels_of(manager),
            shares=ShareFilter(),
            backups=ServerBackupFilter(),
        )
        return VolumeHistory(
            vbs,
            csbs,
            lambda everything: selection.pick(
                vbs, details.source, all_of_volumes=everything
            ),
            lists_all=selection.is_whole,
            limits=limits,
            include_shared=parsed_args.include_shared,
            include_error=parsed_args.include_error,
            label=(details.labels.of_volume if self.shows_names else no_label),
        )
