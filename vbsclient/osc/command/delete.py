# SPDX-License-Identifier: Apache-2.0
"""What the commands that delete what is named have in common."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from vbsclient.change.targets import Change, Target
from vbsclient.osc.command import confirm
from vbsclient.osc.command.clients import place_of
from vbsclient.osc.command.named import NamedCommand
from vbsclient.osc.command.options import add_delete_options


class DeleteCommand(NamedCommand):
    """A command that deletes what is named, and nothing else."""

    #: What is named, if more may go with it, so that a question is asked.
    asks: str | None = None

    def is_more_than_named(self, target: Target) -> bool:
        """Whether more goes with a target than the command line names."""
        return False

    def question(self, targets: Sequence[Target]) -> str:
        """What is to go, and how much it is, for the question."""
        raise NotImplementedError

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        add_delete_options(parser, asks=self.asks is not None)
        return parser

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
            targets, self.look_up(change, self.report.named)
        )
