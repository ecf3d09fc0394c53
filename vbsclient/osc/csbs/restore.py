# SPDX-License-Identifier: Apache-2.0
"""``openstack csbs backup restore``: a server is overwritten."""

from __future__ import annotations

import argparse
from datetime import datetime, timezone

from vbsclient.api.block_storage import BlockStorage
from vbsclient.api.compute import Compute
from vbsclient.api.http import Handle, Limits
from vbsclient.api.paths import is_uuid
from vbsclient.change.targets import Change, Target
from vbsclient.creation.base import Wanted
from vbsclient.creation.server_backups import ServerBackupCreation
from vbsclient.osc.command.clients import make_csbs_client, make_lookup_client
from vbsclient.osc.command.restore import (
    PLAN_COLUMNS,
    RestoreCommand,
)
from vbsclient.osc.output.messages import RestoreTerms
from vbsclient.osc.output.report import (
    BACKUP_COLUMNS,
    columns_of,
    columns_with,
)
from vbsclient.osc.output.text import visible
from vbsclient.restoring.plan import Restore
from vbsclient.restoring.servers import ServerRestore


class RestoreCsbsBackup(RestoreCommand):
    """Restore a server backup to its server, whose data are lost (CSBS)

    Each volume in the backup overwrites the volume that it was made of. For
    another server, and for a volume that was replaced, name the targets:
    none is chosen for you. The service is asked whether exactly this can be
    restored; it stops the server. What will be overwritten is shown, and you
    are asked to confirm.

    Example: openstack csbs backup restore --dry-run web01-pre-patch
    """

    # So long nothing may be seen of a restore that was accepted.
    idle = 900.0
    words = RestoreTerms(
        'server',
        service='csbs',
        command='openstack csbs backup show {backup}',
        waiting='openstack csbs backup show --wait {backup}',
        look='openstack server show {target}',
    )
    report_columns = columns_with(*BACKUP_COLUMNS, *columns_of('Target'))
    columns = (*report_columns, *PLAN_COLUMNS)

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            'backup', metavar='<backup>', help='Backup to restore (name or ID)'
        )
        parser.add_argument(
            '--server',
            metavar='<server>',
            help=(
                'Server to restore to (name or ID; default: the one that was '
                'backed up)'
            ),
        )
        parser.add_argument(
            '--volume',
            metavar='<source>=<target>',
            dest='volumes',
            type=_pair,
            action='append',
            help=(
                'Volume to overwrite with a volume in the backup (names or '
                'IDs); repeat for several'
            ),
        )
        power = parser.add_mutually_exclusive_group()
        power.add_argument(
            '--power-on',
            dest='power_on',
            action='store_true',
            default=None,
            help='Start the server afterwards (default: if it runs now)',
        )
        power.add_argument(
            '--no-power-on',
            dest='power_on',
            action='store_false',
            default=None,
            help='Do not start the server afterwards',
        )
        parser.add_argument(
            '--force',
            action='store_true',
            help=(
                'Restore although a system disk would become a data disk, or '
                'the reverse; all other checks still apply'
            ),
        )

    def make_restore(
        self, parsed_args: argparse.Namespace, limits: Limits
    ) -> Restore:
        manager = self.app.client_manager
        pairs: list[tuple[str, str]] = parsed_args.volumes or []
        sources = [source for source, _ in pairs]
        for source in sources:
            if sources.count(source) > 1:
                self._parser.error(
                    f"--volume names '{visible(source)}' more than once"
                )
        self._csbs = make_csbs_client(manager, limits)
        return ServerRestore(
            self._csbs,
            make_lookup_client(manager, Compute, 'compute'),
            make_lookup_client(manager, BlockStorage, 'block-storage'),
            parsed_args.backup,
            limits=limits,
            server=parsed_args.server,
            volumes=dict(pairs),
            power_on=parsed_args.power_on,
            force=parsed_args.force,
        )

    def make_backup(self, target: Target, limits: Limits) -> Change:
        manager = self.app.client_manager
        return ServerBackupCreation(
            self._csbs,
            make_lookup_client(manager, Compute, 'compute'),
            [target.verified_id],
            Wanted(),
            now=datetime.now(timezone.utc),
            limits=limits,
        )

    def saved_in(self, handle: Handle, name: str | None) -> set[str]:
        backup = self._csbs.backups.get(handle.backup_id or '')
        if backup.status != 'available' or backup.name != name:
            return set()
        return {
            str(disk.get('source_volume_id')).lower()
            for disk in backup.disks
            if disk.get('status') in (None, 'available')
            and is_uuid(str(disk.get('id')))
            and disk.get('source_volume_size')
        }


def _pair(text: str) -> tuple[str, str]:
    source, _, target = text.partition('=')
    if '=' in target:
        raise argparse.ArgumentTypeError(
            f'\'{visible(text[:100])}\' has more than one "=": name volumes '
            f'by their IDs where a name has one'
        )
    if not source or not target:
        raise argparse.ArgumentTypeError(
            f"'{visible(text[:100])}' is not <source>=<target>"
        )
    return source, target
