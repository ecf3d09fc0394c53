# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs backup policy add|remove volume`` and ``execute``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone

from vbsclient.api.block_storage import BlockStorage
from vbsclient.api.http import Limits
from vbsclient.change.targets import Change, Recorder
from vbsclient.lookup.policies import find_policy
from vbsclient.osc.command.change import Prepared
from vbsclient.osc.command.clients import (
    labels_of,
    make_lookup_client,
    make_vbs_client,
)
from vbsclient.osc.command.policy_members import (
    ExecuteCommand,
    MemberCommand,
    add_move,
    add_policy,
)
from vbsclient.osc.output.columns import Column
from vbsclient.osc.output.messages import (
    MemberTerms,
    TaskTerms,
)
from vbsclient.osc.output.report import Row, columns_of, columns_with
from vbsclient.policies.volume_members import VolumeAddition, VolumeRemoval
from vbsclient.policies.volume_runs import VolumePolicyRun

_SHOW = 'vbs backup policy show'
_TASKS = 'vbs backup policy task list'


class AddVbsBackupPolicyVolume(MemberCommand):
    """Add volumes to a backup policy (VBS)

    A volume belongs to one policy, and no call tells to which. One that
    another policy had a task for in the last 30 days is refused; with --move
    it leaves that policy. If another policy has fewer volumes afterwards,
    that is said.

    Example: openstack vbs backup policy add volume weekly db01-data
    """

    words = MemberTerms()
    shows = _SHOW
    dry_run = 'Show what would be added or refused; add nothing'
    report_columns = columns = columns_with(*columns_of('Volume'))

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        self.add_members(parser)
        add_move(parser, self.words.one)

    def make_change(
        self,
        parsed_args: argparse.Namespace,
        limits: Limits,
        named: Sequence[str],
    ) -> Change:
        manager = self.app.client_manager
        vbs = make_vbs_client(manager, limits)
        policy = find_policy(vbs.policies, parsed_args.policy)
        self.look_at(policy.id)
        return VolumeAddition(
            vbs,
            make_lookup_client(manager, BlockStorage, 'block-storage'),
            policy,
            named,
            now=datetime.now(timezone.utc),
            limits=limits,
            move=parsed_args.move,
        )


class RemoveVbsBackupPolicyVolume(MemberCommand):
    """Remove volumes from a backup policy (VBS)

    The backups that the policy has made stay.

    Example: openstack vbs backup policy remove volume weekly db01-data
    """

    words = MemberTerms(
        verb='remove', doing='removing', done='removed', noun='removal'
    )
    shows = _SHOW
    dry_run = 'Show what would be removed or refused; remove nothing'
    report_columns = columns = columns_with(*columns_of('Volume'))

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        self.add_members(parser)

    def make_change(
        self,
        parsed_args: argparse.Namespace,
        limits: Limits,
        named: Sequence[str],
    ) -> Change:
        manager = self.app.client_manager
        vbs = make_vbs_client(manager, limits)
        policy = find_policy(vbs.policies, parsed_args.policy)
        self.look_at(policy.id)
        return VolumeRemoval(
            vbs,
            make_lookup_client(manager, BlockStorage, 'block-storage'),
            policy,
            named,
            limits=limits,
        )


def _volume_id(row: Row) -> str | None:
    """The volume of a row; None for what is about a policy."""
    return getattr(row.target.resource, 'volume_id', None)


class ExecuteVbsBackupPolicy(ExecuteCommand):
    """Execute a backup policy now (VBS)

    The policy makes a backup of each of its volumes, whether it is enabled
    or not. No rule of it expires these backups.

    With --wait there is a row for each task of this run. A policy is never
    executed twice, and this command is not to be repeated for what it has
    started: after a timeout or Ctrl-C it tells the command that shows the
    tasks.

    Example: openstack vbs backup policy execute --wait weekly
    """

    words = TaskTerms(
        'policy',
        'execute',
        'executing',
        'executed',
        'execution',
        'policies',
    )
    until = (
        'the tasks of all volumes have ended; without it the command ends as '
        'soon as the service has accepted the request'
    )
    report_columns = columns = columns_with(
        Column('ID', 'id', machine_only=True),
        Column(
            'Volume',
            _volume_id,
            label=lambda row: row.target.name if _volume_id(row) else None,
        ),
        Column(
            'Volume Name',
            lambda row: row.target.name if _volume_id(row) else None,
            machine_only=True,
        ),
        Column('Backup Name', 'target.new_name'),
        handle=[Column('Job', 'target.handle.job_id')],
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_policy(parser)

    def prepare(
        self, parsed_args: argparse.Namespace, limits: Limits
    ) -> Prepared | None:
        manager = self.app.client_manager
        self.report.named = [parsed_args.policy]
        with self.progress.showing(lambda: 'Looking up 1 policy'):
            vbs = make_vbs_client(manager, limits)
            policy = find_policy(vbs.policies, parsed_args.policy)
            self._look = f'openstack {_TASKS} {policy.id}'
            self.report.words = replace(self.words, look=self._look)
            self._run = VolumePolicyRun(
                vbs,
                policy,
                limits=limits,
                name_of=labels_of(manager).volume_name,
            )
            return self._run, self._run.targets()

    def _follow(
        self,
        parsed_args: argparse.Namespace,
        change: Change,
        recorder: Recorder,
        limits: Limits,
    ) -> None:
        try:
            super()._follow(parsed_args, change, recorder, limits)
        finally:
            self._show_tasks()
        if not parsed_args.wait:
            self._name_command()

    def _name_command(self) -> None:
        """Say where the tasks are that nobody waits for."""
        for outcome in self.report.outcomes:
            if outcome.is_unfinished and outcome.result is not None:
                said = [outcome.result.remark, f'its tasks: {self._look}']
                outcome.result = replace(
                    outcome.result, remark='; '.join(filter(None, said))
                )

    def _show_tasks(self) -> None:
        """Put what has become of each volume in place of the policy."""
        report = self.report
        [policy] = report.outcomes
        parts = self._run.parts(policy)
        if parts == [policy]:
            return
        if report.unfinished:
            report.unfinished = [part for part in parts if part.is_unfinished]
        report.outcomes = parts
        report.words = TaskTerms(
            'backup of volume', plural='backups', look=self._look
        )
