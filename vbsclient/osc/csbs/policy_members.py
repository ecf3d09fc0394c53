# SPDX-License-Identifier: Apache-2.0
"""``openstack csbs policy add|remove server`` and ``execute``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone

from vbsclient.api.compute import Compute
from vbsclient.api.http import Limits
from vbsclient.change.targets import Change
from vbsclient.lookup.policies import find_policy
from vbsclient.osc.command.change import Prepared
from vbsclient.osc.command.clients import make_csbs_client, make_lookup_client
from vbsclient.osc.command.policy_members import (
    ExecuteCommand,
    MemberCommand,
    add_move,
    add_policy,
)
from vbsclient.osc.output.columns import Column
from vbsclient.osc.output.messages import MemberTerms, PolicyRunTerms
from vbsclient.osc.output.report import (
    BACKUP_COLUMNS,
    columns_of,
    columns_with,
)
from vbsclient.policies.server_members import ServerAddition, ServerRemoval
from vbsclient.policies.server_runs import ServerPolicyRun


class AddCsbsPolicyServer(MemberCommand):
    """Add servers to a policy (CSBS)

    A server belongs to one policy. One of another policy is refused; with
    --move it leaves that policy first, and is put back if it cannot join
    this one. The policy is read again afterwards: whatever else has changed
    in it is a failure.

    Example: openstack csbs policy add server weekly web01
    """

    words = MemberTerms('server')
    shows = 'csbs policy show'
    dry_run = 'Show what would be added or refused; add nothing'
    report_columns = columns = columns_with(*columns_of('Server'))

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
        csbs = make_csbs_client(manager, limits)
        policy = find_policy(csbs.policies, parsed_args.policy)
        self.look_at(policy.id)
        return ServerAddition(
            csbs,
            make_lookup_client(manager, Compute, 'compute'),
            policy,
            named,
            now=datetime.now(timezone.utc),
            limits=limits,
            move=parsed_args.move,
        )


class RemoveCsbsPolicyServer(MemberCommand):
    """Remove servers from a policy (CSBS)

    The backups that the policy has made stay. A server that does not exist
    any more is named by its ID, or by the name that the policy has for it.
    The policy is read again afterwards: whatever else has changed in it is a
    failure.

    Example: openstack csbs policy remove server weekly web01
    """

    words = MemberTerms('server', 'remove', 'removing', 'removed', 'removal')
    shows = 'csbs policy show'
    dry_run = 'Show what would be removed or refused; remove nothing'
    report_columns = columns = columns_with(*columns_of('Server'))

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        self.add_members(parser)

    def make_change(
        self,
        parsed_args: argparse.Namespace,
        limits: Limits,
        named: Sequence[str],
    ) -> Change:
        manager = self.app.client_manager
        csbs = make_csbs_client(manager, limits)
        policy = find_policy(csbs.policies, parsed_args.policy)
        self.look_at(policy.id)
        return ServerRemoval(
            csbs,
            make_lookup_client(manager, Compute, 'compute'),
            policy,
            named,
            now=datetime.now(timezone.utc),
            limits=limits,
        )


class ExecuteCsbsPolicy(ExecuteCommand):
    """Execute a policy now (CSBS)

    The policy makes a checkpoint with a backup of each of its servers, or of
    those that are named, whether it is enabled or not. No rule of it expires
    these backups.

    A policy is never executed twice, and this command is not to be repeated
    for what it has started: after a timeout or Ctrl-C it tells the command
    that keeps waiting.

    Example: openstack csbs policy execute --wait weekly
    """

    words = PolicyRunTerms(
        'backup of server', plural='backups', service='csbs', parent='server'
    )
    until = (
        'the backup of each server is available; without it the command ends '
        'as soon as the service has accepted the request'
    )
    report_columns = columns = columns_with(
        *BACKUP_COLUMNS,
        *columns_of('Server'),
        handle=[
            Column('Checkpoint', 'target.handle.checkpoint_id', below='Name')
        ],
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_policy(parser)
        parser.add_argument(
            '--server',
            metavar='<server>',
            dest='servers',
            action='append',
            help=(
                'Back up only this server of the policy (name or ID); repeat '
                'for several'
            ),
        )

    def prepare(
        self, parsed_args: argparse.Namespace, limits: Limits
    ) -> Prepared | None:
        manager = self.app.client_manager
        servers: Sequence[str] = parsed_args.servers or ()
        self.report.named = servers or [parsed_args.policy]
        with self.progress.showing(lambda: 'Looking up 1 policy'):
            csbs = make_csbs_client(manager, limits)
            policy = find_policy(csbs.policies, parsed_args.policy)
            look = f'openstack csbs backup list --policy {policy.id}'
            self.report.words = replace(self.words, look=look)
            run = ServerPolicyRun(
                csbs,
                make_lookup_client(manager, Compute, 'compute'),
                policy,
                servers,
                limits=limits,
            )
            return run, run.targets()
