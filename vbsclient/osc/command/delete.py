# SPDX-License-Identifier: Apache-2.0
"""What all commands that delete have in common."""

from __future__ import annotations

import abc
import argparse
import gc
import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from osc_lib import exceptions
from osc_lib.command import command

from vbsclient.api import errors
from vbsclient.bulk import Limits
from vbsclient.change.follow import Follower
from vbsclient.change.pace import PacedRecorder
from vbsclient.change.run import excuse, execute, outcomes_of, stopped_by
from vbsclient.change.targets import (
    Deletion,
    NotSent,
    Outcome,
    Recorder,
    Target,
)
from vbsclient.osc.command.clients import (
    OwnLogin,
    identity_of,
    warn_if_login_ends,
)
from vbsclient.osc.command.confirm import ask, refuse_changes
from vbsclient.osc.command.journal import Journal, NoJournal
from vbsclient.osc.command.options import (
    add_delete_options,
    add_wait_options,
    ids_on,
)
from vbsclient.osc.command.parser import make_strict, refuse_short_words
from vbsclient.osc.command.read_only import refuse_if_read_only
from vbsclient.osc.command.show import as_command_errors, printing
from vbsclient.osc.command.signals import end_at_next_sigint, sigterm_raises
from vbsclient.osc.output import report
from vbsclient.osc.output.columns import cells
from vbsclient.osc.output.encoding import escapes_output
from vbsclient.osc.output.messages import (
    delays,
    failures,
    is_told_by,
    notes,
    stop,
)
from vbsclient.osc.output.progress import show_progress
from vbsclient.osc.output.text import Text, sentence
from vbsclient.waiting import Patience

#: All was accepted, and the time ran out before all was gone.
EXIT_UNFINISHED = 3


class DeleteCommand(OwnLogin, command.Lister, metaclass=abc.ABCMeta):
    """A command that deletes what is named, and nothing else."""

    log: logging.Logger

    #: What the targets are called: (one, several).
    noun = ('backup', 'backups')

    #: Seconds in which something must happen while a wait lasts that has no
    #: time-out; None for what is done when it is answered.
    idle: float | None = None

    #: What is polled, for the help of --wait.
    polled = 'the backups themselves'

    #: Whether a target with members is more than the command line names.
    asks = False

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the options that all these commands have."""
        parser = super().get_parser(prog_name)
        # A typo must never become another option of a deletion.
        parser.allow_abbrev = False
        make_strict(parser)
        # Without a wish for output there is none, as OSC's own deletes.
        parser.set_defaults(formatter=None)
        self._parser = parser
        self.add_arguments(parser)
        self.add_common_options(parser)
        if self.idle is not None:
            add_wait_options(parser, idle=self.idle, polled=self.polled)
        return parser

    @abc.abstractmethod
    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what this command alone has."""

    def add_common_options(self, parser: argparse.ArgumentParser) -> None:
        """Add what all of them have, but for waiting."""
        add_delete_options(parser)

    @abc.abstractmethod
    def make_deletion(
        self, parsed_args: argparse.Namespace, limits: Limits
    ) -> Deletion[Any] | None:
        """The rules for what was named; None if nothing was."""

    def targets_of(self, deletion: Deletion[Any]) -> list[Target[Any]]:
        """What is to be deleted, verified or refused."""
        return deletion.targets()

    @escapes_output
    def run(self, parsed_args: argparse.Namespace) -> int:
        """Delete, show what was asked for, and only then fail."""
        refuse_short_words(self._parser, self.app, self.cmd_name)
        self._wants_rows = bool(
            parsed_args.report
            or parsed_args.dry_run
            or parsed_args.formatter
            or parsed_args.columns
        )
        parsed_args.formatter = parsed_args.formatter or 'table'
        if not self.app.interactive_mode:
            # Hundreds of thousands of objects of openstack's imports would
            # be walked by each collection, and once more at the exit.
            gc.freeze()
        self._outcomes: list[Outcome[Any]] = []
        self._stopped: errors.ClientError | None = None
        self._unfinished: list[Outcome[Any]] = []
        #: Why the rows could not be printed.
        self._unprinted: Exception | None = None
        self._read_stdin = False
        #: What was named, for as long as it is not looked up.
        self._named: Sequence[str] = ()
        self._check_wait(parsed_args)
        try:
            with as_command_errors(), sigterm_raises():
                super().run(parsed_args)
        except (KeyboardInterrupt, SystemExit):
            self._report_interruption(parsed_args)
            if not self.app.interactive_mode:
                end_at_next_sigint()
            raise
        return self._conclude(parsed_args)

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
        """Plan, ask, and carry out."""
        # A column that there is not is said before anything is sent.
        self._generate_columns_and_selector(
            parsed_args, self.titles(parsed_args)
        )
        if not parsed_args.dry_run:
            refuse_if_read_only(self.app.client_manager)
        journal = self._open_journal(parsed_args)
        try:
            self._delete(parsed_args, journal)
        finally:
            journal.close()
        return self._rows(parsed_args)

    def produce_output(
        self,
        parsed_args: argparse.Namespace,
        column_names: Sequence[str],
        data: Iterable[Sequence[Any]],
    ) -> int:
        """Print rows only where they were asked for."""
        if not self._wants_rows:
            return 0
        with self._complaining_last(), printing(self.app):
            super().produce_output(parsed_args, column_names, data)
        return 0

    def named(self, arguments: Sequence[str]) -> list[str]:
        """The arguments, with the ids on standard input for a ``-``.

        :raises CommandError: if a line of it is no id.
        """
        self._read_stdin = '-' in arguments
        named: list[str] = []
        for argument in arguments:
            named += ids_on(self.app.stdin) if argument == '-' else [argument]
        self._named = named
        return named

    def titles(self, parsed_args: argparse.Namespace) -> Sequence[str]:
        """The titles of the columns, for what can be told of a target."""
        return report.PLAN_COLUMNS if parsed_args.dry_run else report.COLUMNS

    def _delete(
        self, parsed_args: argparse.Namespace, journal: Journal | NoJournal
    ) -> None:
        limits = Limits(parsed_args.concurrency)
        deletion = self.make_deletion(parsed_args, limits)
        if deletion is None:
            return
        targets = self.targets_of(deletion)
        self._outcomes = outcomes_of(targets)
        if parsed_args.dry_run:
            return
        recorder: Recorder = journal
        if parsed_args.rate is not None:
            recorder = PacedRecorder(journal, parsed_args.rate, limits.stop)
        if self.asks and not parsed_args.yes:
            self._ask_about(deletion, targets)
        self._stopped = execute(
            deletion,
            self._outcomes,
            recorder,
            concurrency=parsed_args.concurrency,
            stop=limits.stop,
        )
        if self._stopped is None and self.idle is not None:
            self._follow(parsed_args, deletion, recorder, limits)

    def _ask_about(
        self, deletion: Deletion[Any], targets: Sequence[Target[Any]]
    ) -> None:
        """Ask where more goes than is named; the answer is for what was shown.

        :raises CommandError: if the answer is no, or nobody can answer, or
            something has changed meanwhile.
        """
        asked = [t for t in targets if t.members and not t.is_decided]
        if not asked:
            return
        ask(
            asked,
            stdin=self.app.stdin,
            stderr=self.app.stderr,
            is_interactive=not self._read_stdin,
        )
        refuse_changes(targets, deletion.targets())

    def _follow(
        self,
        parsed_args: argparse.Namespace,
        deletion: Any,
        recorder: Recorder,
        limits: Limits,
    ) -> None:
        """See what becomes of the deletions, as far as that was asked for."""
        timeout = parsed_args.timeout
        if parsed_args.wait:
            warn_if_login_ends(self.app.client_manager)
        patience = Patience(
            timeout=timeout.total_seconds() if timeout else None,
            idle=self.idle or 0.0,
        )
        with show_progress(
            self.app.stderr, self.noun[1], wanted=parsed_args.wait
        ) as tell:
            try:
                self._unfinished = Follower(
                    deletion,
                    self._outcomes,
                    recorder,
                    limits,
                    wait=parsed_args.wait,
                    patience=patience,
                    tell=tell,
                ).run()
            except errors.ClientError as reason:
                self._stopped = stopped_by(reason, self._outcomes)

    def _check_wait(self, parsed_args: argparse.Namespace) -> None:
        if self.idle is None or parsed_args.timeout is None:
            return
        if not parsed_args.wait:
            self._parser.error('--timeout goes with --wait')

    def _open_journal(
        self, parsed_args: argparse.Namespace
    ) -> Journal | NoJournal:
        if parsed_args.journal is None or parsed_args.dry_run:
            return NoJournal()
        context = {
            'command': self.cmd_name,
            **identity_of(self.app.client_manager),
        }
        return Journal(parsed_args.journal, context)

    def _rows(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], list[Sequence[Any]]]:
        columns = self.titles(parsed_args)
        kinds = [Text] * len(columns)
        rows = (
            report.row(
                outcome,
                dry_run=parsed_args.dry_run,
                ignore_missing=parsed_args.ignore_missing,
                stopped=sentence(self._stopped) if self._stopped else None,
            )[: len(columns)]
            for outcome in self._outcomes
        )
        return columns, [
            cells(row, kinds, parsed_args.formatter) for row in rows
        ]

    def _conclude(self, parsed_args: argparse.Namespace) -> int:
        """Say what failed, and only then that it could not be shown."""
        unprinted = self._unprinted
        try:
            code = self._verdict(parsed_args)
        except exceptions.CommandError:
            if unprinted and not isinstance(unprinted, BrokenPipeError):
                self.log.error('%s', unprinted)
            raise
        if unprinted is not None:
            raise unprinted
        return code

    def _verdict(self, parsed_args: argparse.Namespace) -> int:
        """Say what failed and what is not finished.

        :returns: the exit code.
        :raises CommandError: if a target failed, which makes it 1.
        """
        unfinished = set(map(id, self._unfinished))
        failed = [
            outcome
            for outcome in self._outcomes
            if id(outcome) not in unfinished
            and report.is_failure(
                outcome,
                dry_run=parsed_args.dry_run,
                ignore_missing=parsed_args.ignore_missing,
            )
        ]
        told = [
            outcome
            for outcome in failed
            if not isinstance(outcome.error, NotSent | None)
            and not is_told_by(outcome, self._stopped)
        ]
        for complaint in failures(told, self.noun):
            self.log.error('%s', complaint)
        if self._stopped is not None:
            # Also where every target was accepted before something came up.
            if not failed:
                raise exceptions.CommandError(stop(self._stopped))
            self.log.error('%s', stop(self._stopped))
        for note in notes(self._outcomes, self.noun):
            self.log.info('%s', note)
        for late in delays(self._unfinished, len(self._outcomes), self.noun):
            self.log.error('%s', late)
        if failed:
            raise exceptions.CommandError(
                f'{len(failed)} of {len(self._outcomes)} {self.noun[1]} '
                f'failed to delete.'
            )
        return EXIT_UNFINISHED if self._unfinished else 0

    def _report_interruption(self, parsed_args: argparse.Namespace) -> None:
        if self._parsing_failed():
            return
        with suppress(OSError, ValueError):
            if sys.stdout is not None:
                sys.stdout.flush()
        if self.app.stderr is not None:
            for line in report.interruption(self._outcomes, self._named):
                self.app.stderr.write(f'{line}\n')
            self.app.stderr.flush()
        excuse(self._outcomes, 'the run was interrupted')
        if self._wants_rows and self._outcomes:
            self.produce_output(parsed_args, *self._rows(parsed_args))

    @contextmanager
    def _complaining_last(self) -> Iterator[None]:
        """Keep for the end that something cannot be printed."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - it is raised at the end
            self._unprinted = error

    def _parsing_failed(self) -> bool:
        """Whether this is the exit of a usage error, not an interruption."""
        error = sys.exc_info()[1]
        return isinstance(error, SystemExit) and error.code == 2
