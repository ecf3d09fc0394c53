# SPDX-License-Identifier: Apache-2.0
"""What the commands that change what is named have in common."""

from __future__ import annotations

import abc
import argparse
from collections.abc import Sequence

from vbsclient.api.http import Limits
from vbsclient.change.targets import Change, Target
from vbsclient.osc.command.change import ChangeCommand, Prepared
from vbsclient.osc.command.options import ids_on
from vbsclient.wording import counted


class NamedCommand(ChangeCommand):
    """A command that changes what its arguments name, and nothing else."""

    _reads_stdin = False

    @abc.abstractmethod
    def make_change(
        self,
        parsed_args: argparse.Namespace,
        limits: Limits,
        named: Sequence[str],
    ) -> Change:
        """The rules for what was named."""

    def named(self, parsed_args: argparse.Namespace) -> Sequence[str]:
        """The names and ids that are given; ``-`` stands for those on stdin.

        :raises CommandError: if a line of it is no id.
        """
        self._reads_stdin = '-' in parsed_args.targets
        named: list[str] = []
        for one in parsed_args.targets:
            named += (
                ids_on(self.app.stdin, self.app.stderr)
                if one == '-'
                else [one]
            )
        return named

    def prepare(
        self, parsed_args: argparse.Namespace, limits: Limits
    ) -> Prepared | None:
        named = self.named(parsed_args)
        if not named:
            return None
        self.report.named = named
        change = self.make_change(parsed_args, limits, named)
        return change, self.look_up(change, named)

    def look_up(self, change: Change, named: Sequence[str]) -> list[Target]:
        """What was named, verified or refused."""
        what = counted(len(named), self.words.one)
        with self.progress.showing(lambda: f'Looking up {what}'):
            return change.targets()
