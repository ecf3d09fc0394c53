# SPDX-License-Identifier: Apache-2.0
"""``openstack csbs backup create``: whole servers are backed up."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime, timezone

from vbsclient.api.compute import Compute
from vbsclient.api.http import Limits
from vbsclient.change.targets import Change
from vbsclient.creation.server_backups import (
    LONGEST_NAME,
    ServerBackupCreation,
)
from vbsclient.osc.command.clients import make_csbs_client, make_lookup_client
from vbsclient.osc.command.create import CreateCommand
from vbsclient.osc.command.options import add_named
from vbsclient.osc.output.columns import Column
from vbsclient.osc.output.messages import CreationTerms
from vbsclient.osc.output.report import (
    BACKUP_COLUMNS,
    columns_of,
    columns_with,
)


class CreateCsbsBackup(CreateCommand):
    """Create server backups (CSBS)

    One backup of each server that is named, with all its volumes. The
    service is asked first whether each can be backed up.

    A creation is never sent twice, and this command is not to be repeated
    for what it has started: after a timeout or Ctrl-C it tells the command
    that keeps waiting.

    Example: openstack csbs backup create --wait --name before-patch web01
    """

    words = CreationTerms(
        'backup of server', plural='backups', service='csbs', parent='server'
    )
    idle = 3600.0
    longest_name = LONGEST_NAME
    longest_description = 255
    report_columns = columns = columns_with(
        *BACKUP_COLUMNS,
        *columns_of('Server'),
        handle=[
            Column('Checkpoint', 'target.handle.checkpoint_id', below='Name')
        ],
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_named(parser, 'server', 'back up')
        self.add_creation(
            parser,
            tags='',
            force='Do not check that the quota has room for all backups',
        )

    def make_change(
        self,
        parsed_args: argparse.Namespace,
        limits: Limits,
        named: Sequence[str],
    ) -> Change:
        manager = self.app.client_manager
        return ServerBackupCreation(
            make_csbs_client(manager, limits),
            make_lookup_client(manager, Compute, 'compute'),
            named,
            self.wanted,
            now=datetime.now(timezone.utc),
            limits=limits,
        )
