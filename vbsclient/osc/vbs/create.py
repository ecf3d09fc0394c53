# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs backup create``: volume backups are made."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime, timezone

from osc_lib import exceptions

from vbsclient.api.block_storage import BlockStorage
from vbsclient.api.compute import Compute
from vbsclient.api.http import Limits
from vbsclient.change.targets import Change
from vbsclient.creation.volume_backups import (
    LONGEST_NAME,
    VolumeBackupCreation,
)
from vbsclient.lookup.names import only
from vbsclient.lookup.servers import find_servers
from vbsclient.osc.command.clients import (
    make_lookup_client,
    make_vbs_client,
)
from vbsclient.osc.command.create import CreateCommand
from vbsclient.osc.command.options import add_named
from vbsclient.osc.output.columns import Column
from vbsclient.osc.output.messages import CreationTerms
from vbsclient.osc.output.report import (
    BACKUP_COLUMNS,
    columns_of,
    columns_with,
)


class CreateVbsBackup(CreateCommand):
    """Create volume backups (VBS)

    One backup of each volume that is named. With --server: of each volume
    that is attached to that server. Where the cloud has no VBS, block
    storage creates them.

    A creation is never sent twice, and this command is not to be repeated
    for what it has started: after a timeout or Ctrl-C it tells the command
    that keeps waiting.

    Example: openstack vbs backup create --wait --name before-upgrade db01-data
    """

    words = CreationTerms('backup of volume', plural='backups')
    idle = 3600.0
    longest_name = LONGEST_NAME
    longest_description = 64
    report_columns = columns = columns_with(
        *BACKUP_COLUMNS,
        *columns_of('Volume'),
        handle=[Column('Job', 'target.handle.job_id', below='Name')],
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_named(parser, 'volume', 'back up', nargs='*')
        parser.add_argument(
            '--server',
            metavar='<server>',
            help='Back up all volumes of this server (name or ID)',
        )
        parser.add_argument(
            '--snapshot',
            metavar='<snapshot>',
            help='Save this snapshot of the one volume (name or ID)',
        )
        self.add_creation(
            parser,
            tags='; VBS cannot show them again',
            force=(
                'Do not check that the quota has room for all backups; where '
                'the cloud has no VBS: also back up a volume that is in use'
            ),
        )

    def named(self, parsed_args: argparse.Namespace) -> Sequence[str]:
        server = parsed_args.server
        if bool(parsed_args.targets) == (server is not None):
            self._parser.error('give either <volume> or --server <server>')
        named = super().named(parsed_args)
        if server is not None:
            named = self._volumes_of(server)
        if parsed_args.snapshot and len(named) != 1:
            self._parser.error('--snapshot goes with exactly one <volume>')
        return named

    def _volumes_of(self, server: str) -> Sequence[str]:
        nova = make_lookup_client(self.app.client_manager, Compute, 'compute')
        volume_ids = only(find_servers(nova, [server], Limits())).volume_ids
        if not volume_ids:
            what = (
                'does not show the volumes of'
                if volume_ids is None
                else ('shows no volume of')
            )
            raise exceptions.CommandError(
                f'Compute {what} the server {server!r}: name volumes instead.'
            )
        return sorted(volume_ids)

    def make_change(
        self,
        parsed_args: argparse.Namespace,
        limits: Limits,
        named: Sequence[str],
    ) -> Change:
        manager = self.app.client_manager
        return VolumeBackupCreation(
            make_vbs_client(manager, limits),
            make_lookup_client(manager, BlockStorage, 'block-storage'),
            named,
            self.wanted,
            now=datetime.now(timezone.utc),
            limits=limits,
            snapshot=parsed_args.snapshot,
        )
