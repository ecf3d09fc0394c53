# SPDX-License-Identifier: Apache-2.0
"""What the commands that list and show policies have in common."""

from __future__ import annotations

import argparse

from vbsclient.osc.command.list import ListCommand, positive
from vbsclient.osc.command.show import ShowCommand
from vbsclient.osc.output.policies import NEXT_RUNS

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


def _runs(text: str) -> int:
    number = positive(text)
    if number > _MOST_RUNS:
        raise argparse.ArgumentTypeError(
            f'{text!r} is more than {_MOST_RUNS} runs'
        )
    return number
