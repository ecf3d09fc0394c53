# SPDX-License-Identifier: Apache-2.0
"""What the commands that list and show policies have in common."""

from __future__ import annotations

import abc
import argparse
import shlex
from datetime import datetime, timezone

from osc_lib import exceptions

from vbsclient.osc.command.list import ListCommand, positive
from vbsclient.osc.command.show import ReadCommand, ShowCommand
from vbsclient.osc.output.policies import NEXT_RUNS, ShownPolicy
from vbsclient.osc.output.text import shortened
from vbsclient.schedule import InvalidSetting
from vbsclient.schedule.cbr import create_command

_MOST_RUNS = 1000


class ListPolicyCommand(ListCommand):
    """A command that lists policies, of which there are a few dozen."""

    noun = 'policy'
    has_pages = False


class ShowPolicyCommand(ShowCommand):
    """A command that shows one policy."""

    noun = 'policy'
    machine_fields = frozenset({'raw'})

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            '--runs',
            metavar='<number>',
            type=_runs,
            default=NEXT_RUNS,
            help=(
                f'Show so many of the next runs, 1 to {_MOST_RUNS} (default: '
                f'{NEXT_RUNS})'
            ),
        )


class ExportPolicyCommand(ReadCommand):
    """A command that prints the command that creates a policy elsewhere."""

    noun = 'policy'
    columns = ()

    @abc.abstractmethod
    def find(self, name_or_id: str, now: datetime) -> ShownPolicy:
        """Find the policy."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            'policy',
            metavar='<policy>',
            help='Policy to export (name or ID)',
        )
        parser.add_argument(
            '--cbr',
            action='store_true',
            required=True,
            help='Print the command of otcextensions for CBR',
        )

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        now = datetime.now(timezone.utc)
        with self.reading(parsed_args):
            shown = self.find(parsed_args.policy, now)
        name, schedule = shown.policy.name, shown.schedule
        try:
            words = create_command(
                name, schedule, shown.retention, shown.is_enabled, now
            )
        except InvalidSetting as error:
            raise exceptions.CommandError(
                f'CBR cannot have the policy {shortened(name or "", 80)} '
                f'({shown.id}) as it is: {shortened(error.message)}.'
            ) from error
        if schedule is not None and schedule.zone is None:
            self.log.warning(
                'The service does not tell the time zone of the schedule: the '
                'times in the command are taken as UTC.'
            )
        self.log.warning(
            'Only the schedule and what is kept are in the command. CBR backs '
            'up what is in a vault, and the vault has the policy.'
        )
        self.app.stdout.write(f'{shlex.join(words)}\n')


def _runs(text: str) -> int:
    number = positive(text)
    if number > _MOST_RUNS:
        raise argparse.ArgumentTypeError(
            f'{text!r} is more than {_MOST_RUNS} runs'
        )
    return number
