# SPDX-License-Identifier: Apache-2.0
"""``openstack csbs checkpoint ...``: what one run of CSBS saved."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from vbsclient.api.csbs import Checkpoint, CheckpointGroups
from vbsclient.api.http import Limits
from vbsclient.api.values import gigabytes
from vbsclient.change.targets import Change, Target
from vbsclient.creation.base import APPEARS_IN
from vbsclient.deletion.checkpoints import CheckpointDeletion
from vbsclient.deletion.server_backups import ServerBackupDeletion
from vbsclient.osc.command.clients import make_csbs_client
from vbsclient.osc.command.delete import DeleteCommand
from vbsclient.osc.command.filters import add_all_projects
from vbsclient.osc.command.list import Found, ListCommand
from vbsclient.osc.command.marker import finding
from vbsclient.osc.command.options import add_targets
from vbsclient.osc.command.show import ShowCommand
from vbsclient.osc.csbs import selection
from vbsclient.osc.output.columns import (
    Column,
    CommaList,
    Gigabytes,
    MultiLine,
    Time,
    trigger,
)
from vbsclient.osc.output.messages import Terms
from vbsclient.waiting import AVAILABLE, ResourceStatus
from vbsclient.wording import counted


class _Backups(MultiLine):
    """The backups in a checkpoint."""

    def line(self, value: Any) -> str:
        server = value['server_name'] or value['server_id']
        size = Gigabytes(value['size']).human_readable()
        return f'{value["id"]} ({server}, {value["status"]}, {size})'


def _backups(checkpoint: Checkpoint) -> list[dict[str, Any]]:
    keys = ('id', 'name', 'status', 'server_id', 'server_name')
    return [
        {
            **{key: getattr(member, key) for key in keys},
            'size': gigabytes(member.size),
        }
        for member in checkpoint.members
    ]


_COLUMNS = (
    Column('ID', 'id', below='Name'),
    Column('Name', 'name'),
    Column('Status', 'statuses', CommaList),
    Column('Servers', 'servers'),
)

_MORE_COLUMNS = (
    Column(
        'Size',
        lambda checkpoint: gigabytes(checkpoint.size),
        Gigabytes,
        long=True,
    ),
    Column('Created At', 'created_at', Time),
    Column(
        'Server Names', 'server_names', MultiLine, long=True, sortable=False
    ),
    Column('Trigger', trigger, long=True),
    Column('Updated At', 'updated_at', Time, long=True),
)


class DeleteCsbsCheckpoint(DeleteCommand):
    """Delete checkpoints: all that one run saved, of all its servers (CSBS)

    A checkpoint is what one run of CSBS saved, of one server or many; the
    part of one server is a backup. The name of a checkpoint is that of its
    backups; an ambiguous name is refused with all IDs. If a checkpoint has
    several backups, they are listed, and you are asked to confirm. With
    --item only the named backups are deleted, and the others are kept.
    Deletion continues in the service after the command has ended, for up to
    30 minutes.

    Example: openstack csbs checkpoint delete --dry-run <checkpoint>
    """

    words = Terms('checkpoint')
    asks = 'checkpoint'
    idle = 1800.0
    until = (
        'all is gone; these deletions have no task of their own, so that the '
        'backups in the checkpoints are polled'
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_targets(
            parser,
            'csbs checkpoint',
            'name or ID',
            'openstack csbs backup prune',
        )
        parser.add_argument(
            '--item',
            metavar='<backup>',
            action='append',
            dest='backups',
            help=(
                'Delete only this backup of the checkpoint (name or ID); '
                'repeat for several; requires exactly one checkpoint'
            ),
        )
        selection.add_provider(parser)

    def is_more_than_named(self, target: Target) -> bool:
        # A Karbor does not say what else is in one.
        return len(target.members) > 1 or not target.resource

    def question(self, targets: Sequence[Target]) -> str:
        extent = ''
        if all(target.resource for target in targets):
            backups = [backup for t in targets for backup in t.resource]
            size = gigabytes(sum(backup.size or 0 for backup in backups))
            extent = (
                f' ({counted(len(backups), "backup")}, '
                f'{Gigabytes(size).human_readable()} nominal)'
            )
        return f'Delete {counted(len(targets), "checkpoint")}{extent}'

    def named(self, parsed_args: argparse.Namespace) -> Sequence[str]:
        named = super().named(parsed_args)
        if parsed_args.backups is not None and len(named) != 1:
            self._parser.error('--item goes with exactly one <checkpoint>')
        return named

    def make_change(
        self,
        parsed_args: argparse.Namespace,
        limits: Limits,
        named: Sequence[str],
    ) -> Change:
        csbs = make_csbs_client(self.app.client_manager, limits)
        if parsed_args.backups is None:
            return CheckpointDeletion(
                csbs, named, provider_id=parsed_args.provider, limits=limits
            )
        self.report.words = Terms()
        self.report.named = parsed_args.backups
        return ServerBackupDeletion(
            csbs,
            parsed_args.backups,
            provider_id=parsed_args.provider,
            limits=limits,
            checkpoint=named[0],
        )


class ListCsbsCheckpoint(ListCommand):
    """List checkpoints: what each run saved, of all its servers (CSBS)

    A checkpoint is a group of backups, one for each server. It is listed if
    one of its backups matches the options, and then with all of them:
    status, size and servers are always those of the whole checkpoint.

    Example: openstack csbs checkpoint list --created-before 30d
    """

    columns = (
        *_COLUMNS,
        Column(
            'Backups',
            lambda checkpoint: [member.id for member in checkpoint.members],
            MultiLine,
            sortable=False,
            optional=1,
        ),
        *_MORE_COLUMNS,
    )
    noun = 'checkpoint'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        selection.add_selection(parser)
        add_all_projects(parser)

    def find(self, parsed_args: argparse.Namespace, fields: set[str]) -> Found:
        csbs, manager = self.csbs, self.app.client_manager
        selected = selection.Selection.of(parsed_args, manager, csbs)
        found = selected.backups(csbs, page_size=parsed_args.limit)
        checkpoints = CheckpointGroups()
        ids: dict[str, None] = {}
        for backup in selected.verified(csbs, found.rows):
            checkpoints.add(backup)
            if selected.match(backup):
                ids[backup.checkpoint_id] = None
        if parsed_args.count:
            return Found(total=len(ids), hint=found.hint)
        if ids and not selected.lists_whole_checkpoints:
            checkpoints = selection.read_checkpoints(
                csbs, ids, all_projects=selected.all_projects
            )
        if parsed_args.marker is not None:
            with finding(parsed_args.marker):
                parsed_args.marker = selection.checkpoint_id_of(
                    csbs, parsed_args.marker
                )
        # One that was deleted between the two lists is not listed any more.
        rows = [checkpoints[id] for id in ids if id in checkpoints]
        return Found(rows, hint=found.hint)


class ShowCsbsCheckpoint(ShowCommand):
    """Show one checkpoint with the backups in it (CSBS)

    What one run saved: its servers, the status and size of each backup.

    Example: openstack csbs checkpoint show <checkpoint>
    """

    columns = (
        *_COLUMNS,
        *_MORE_COLUMNS,
        Column('Backups', _backups, _Backups),
    )
    noun = 'checkpoint'
    named_by = 'ID, or the name of its backups'
    goal = AVAILABLE
    appears_in = APPEARS_IN

    def status_of(self, found: Checkpoint) -> ResourceStatus:
        """That of its backups: whatever goes on, then whatever failed."""
        statuses = [ResourceStatus(status) for status in found.statuses]
        busy = [s for s in statuses if not AVAILABLE.has_ended(s)]
        failed = [s for s in statuses if not AVAILABLE.is_reached(s)]
        [first, *_] = [*busy, *failed, *statuses]
        return replace(
            first,
            reason=', '.join(found.statuses),
            updated_at=found.updated_at,
        )

    def find(
        self, parsed_args: argparse.Namespace, fields: set[str]
    ) -> Checkpoint:
        return selection.find_checkpoint(self.csbs, parsed_args.checkpoint)
