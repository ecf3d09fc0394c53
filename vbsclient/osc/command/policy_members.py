# SPDX-License-Identifier: Apache-2.0
"""What the commands have in common that change or use what a policy has."""

from __future__ import annotations

import argparse
from dataclasses import replace

from vbsclient.osc.command.change import ChangeCommand
from vbsclient.osc.command.named import NamedCommand
from vbsclient.osc.command.options import add_named
from vbsclient.osc.output.messages import MemberTerms


def add_policy(parser: argparse.ArgumentParser) -> None:
    """Add the policy that is meant."""
    parser.add_argument(
        'policy', metavar='<policy>', help='Policy (name or ID)'
    )


def add_move(parser: argparse.ArgumentParser, member: str) -> None:
    """Add that a member may leave another policy.

    :param member: ``volume`` or ``server``.
    """
    parser.add_argument(
        '--move',
        action='store_true',
        help=f'Let a {member} leave another policy for this one',
    )


class MemberCommand(NamedCommand):
    """A command that adds volumes or servers to a policy, or removes them."""

    words: MemberTerms
    always_reports = True

    #: The command that shows a policy.
    shows: str

    def add_members(self, parser: argparse.ArgumentParser) -> None:
        """Add the policy, and what joins or leaves it."""
        add_policy(parser)
        add_named(parser, self.words.one, self.words.verb)

    def look_at(self, policy_id: str) -> None:
        """Let messages name the command that shows the policy."""
        self.report.words = replace(
            self.words, look=f'openstack {self.shows} {policy_id}'
        )


class ExecuteCommand(ChangeCommand):
    """A command that runs a policy now."""

    always_reports = True
    idle = 3600.0
    dry_run = 'Show what would be backed up or refused; create nothing'

    #: Said once for all that is created.
    remains = (
        'What this run creates does not expire, whatever the policy keeps: '
        'delete it when it is not needed any more.'
    )

    def conclude(self, parsed_args: argparse.Namespace) -> int:
        if any(outcome.result for outcome in self.report.outcomes):
            self.log.warning('%s', self.remains)
        return super().conclude(parsed_args)
