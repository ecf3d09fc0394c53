# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs backup restore``: a volume is overwritten."""

from __future__ import annotations

import argparse
from datetime import datetime, timezone

from vbsclient.api.block_storage import BlockStorage
from vbsclient.api.http import Handle, Limits
from vbsclient.change.targets import Change, Target
from vbsclient.creation.base import Wanted
from vbsclient.creation.volume_backups import VolumeBackupCreation
from vbsclient.osc.command.clients import (
    labels_of,
    make_lookup_client,
    make_vbs_client,
)
from vbsclient.osc.command.restore import (
    PLAN_COLUMNS,
    RestoreCommand,
)
from vbsclient.osc.output.columns import Column
from vbsclient.osc.output.report import (
    BACKUP_COLUMNS,
    columns_of,
    columns_with,
)
from vbsclient.restoring.plan import Restore
from vbsclient.restoring.volumes import VolumeRestore


class RestoreVbsBackup(RestoreCommand):
    """Restore a volume backup to a volume, whose data are lost (VBS)

    The volume has to exist, to be detached and not to be smaller than the
    backup: no volume is created, and none is chosen for you. What will be
    overwritten is shown, and you are asked to confirm. To restore to a new
    volume, create that one first.

    Example: openstack vbs backup restore --dry-run nightly-1 db01-data
    """

    report_columns = columns_with(
        *BACKUP_COLUMNS,
        *columns_of('Target'),
        handle=[Column('Job', 'target.handle.job_id', below='Name')],
    )
    columns = (*report_columns, *PLAN_COLUMNS)

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            'backup', metavar='<backup>', help='Backup to restore (name or ID)'
        )
        parser.add_argument(
            'volume',
            metavar='<volume>',
            help='Volume to overwrite (name or ID)',
        )
        parser.add_argument(
            '--force',
            action='store_true',
            help=(
                'Restore although only one of both is encrypted, or is a '
                'system disk; all other checks still apply'
            ),
        )

    def make_restore(
        self, parsed_args: argparse.Namespace, limits: Limits
    ) -> Restore:
        manager = self.app.client_manager
        self._vbs = make_vbs_client(manager, limits)
        return VolumeRestore(
            self._vbs,
            make_lookup_client(manager, BlockStorage, 'block-storage'),
            parsed_args.backup,
            parsed_args.volume,
            labels=labels_of(manager),
            limits=limits,
            force=parsed_args.force,
        )

    def make_backup(self, target: Target, limits: Limits) -> Change:
        manager = self.app.client_manager
        return VolumeBackupCreation(
            self._vbs,
            make_lookup_client(manager, BlockStorage, 'block-storage'),
            [target.verified_id],
            Wanted(),
            now=datetime.now(timezone.utc),
            limits=limits,
        )

    def saved_in(self, handle: Handle, name: str | None) -> set[str]:
        backup = self._vbs.backups.get(handle.backup_id or '')
        if backup.status != 'available' or backup.name != name:
            return set()
        return (
            {backup.volume_id} if backup.size and backup.volume_id else set()
        )
