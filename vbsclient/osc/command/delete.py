# SPDX-License-Identifier: Apache-2.0
"""What the commands that delete what is named have in common."""

from __future__ import annotations

import abc
import argparse
from collections.abc import Sequence

from vbsclient.api.http import Limits
from vbsclient.change.targets import Change, Target
from vbsclient.osc.command import confirm
from vbsclient.osc.command.change import ChangeCommand, Prepared
from vbsclient.osc.command.clients import place_of
from vbsclient.osc.command.options import add_delete_options, ids_on
from vbsclient.wording import counted


class DeleteCommand(ChangeCommand):
    """A command that deletes what is named, and nothing else."""

    #: What is named, if more may go with it, so that a question is asked.
    asks: str | None = None

    _reads_stdin = False

    @abc.abstractmethod
    def make_change(
        self,
        parsed_args: argparse.Namespace,
        limits: Limits,
        named: Sequence[str],
    ) -> Change:
        """The rules for what was named."""

    def is_more_than_named(self, target: Target) -> bool:
        """Whether more goes with a target than the command line names."""
        return False

    def question(self, targets: Sequence[Target]) -> str:
        """What is to go, and how much it is, for the question."""
        raise NotImplementedError

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

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        add_delete_options(parser, asks=self.asks is not None)
        return parser

    def prepare(
        self, parsed_args: argparse.Namespace, limits: Limits
    ) -> Prepared | None:
        named = self.named(parsed_args)
        if not named:
            return None
        self.report.named = named
        change = self.make_change(parsed_args, limits, named)
        return change, self._look_up(change, named)

    def _look_up(self, change: Change, named: Sequence[str]) -> list[Target]:
        what = counted(len(named), self.words.one)
        with self.progress.showing(lambda: f'Looking up {what}'):
            return change.targets()

    def confirm(
        self,
        parsed_args: argparse.Namespace,
        change: Change,
        targets: Sequence[Target],
    ) -> None:
        """Ask where more is deleted than is named.

        :raises CommandError: if the answer is no, or nobody can answer, or
            something has changed meanwhile: the answer is for what was shown.
        """
        asked = [t for t in targets if not t.is_decided]
        if self.asks is None or parsed_args.yes:
            return
        if not any(t.members and self.is_more_than_named(t) for t in asked):
            return
        refused = [t for t in targets if t.refusal is not None]
        confirm.ask(
            asked,
            refused,
            self.asks,
            f'{self.question(asked)}{place_of(self.app.client_manager)}?',
            stdin=self.app.stdin,
            stderr=self.app.stderr,
            is_free=not self._reads_stdin,
        )
        confirm.refuse_changes(
            targets, self._look_up(change, self.report.named)
        )
