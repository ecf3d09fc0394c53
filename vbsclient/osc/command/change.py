# SPDX-License-Identifier: Apache-2.0
"""What all commands that change something have in common."""

from __future__ import annotations

import abc
import argparse
import logging
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, ClassVar

from cliff.display import DisplayCommandBase
from osc_lib import exceptions
from osc_lib.command import command

from vbsclient.api import errors
from vbsclient.api.http import Limits
from vbsclient.change.follow import Follower
from vbsclient.change.pace import PacedRecorder
from vbsclient.change.run import excuse, execute, stopped_by
from vbsclient.change.targets import (
    Change,
    Outcome,
    Recorder,
    Target,
)
from vbsclient.osc.command.clients import (
    OwnLogin,
    identity_of,
    warn_if_login_ends,
)
from vbsclient.osc.command.journal import Journal
from vbsclient.osc.command.options import (
    add_progress,
    add_run_options,
    add_wait_options,
    check_timeout,
    patience_of,
    progress_of,
)
from vbsclient.osc.command.parser import make_strict, refuse_short_words
from vbsclient.osc.command.read_only import refuse_if_read_only
from vbsclient.osc.command.show import as_command_errors, printing
from vbsclient.osc.command.signals import (
    ExitCode,
    change_codes,
    end_at_next_sigint,
    end_line_of_ctrl_c,
    freeze_heap,
    sigterm_raises,
)
from vbsclient.osc.output import messages
from vbsclient.osc.output.columns import (
    Column,
    labelled,
    normalized,
    requested_columns,
    row_of,
)
from vbsclient.osc.output.encoding import escapes_output
from vbsclient.osc.output.layout import fit_tables
from vbsclient.osc.output.messages import Terms
from vbsclient.osc.output.progress import duration_since
from vbsclient.osc.output.report import COLUMNS, NOT_PLANNED, Report

#: A change with its targets, verified or refused.
Prepared = tuple[Change, Sequence[Target]]


class BaseChangeCommand(
    OwnLogin,
    command.Command,
    DisplayCommandBase[Any],
    metaclass=abc.ABCMeta,
):
    """A command that changes what is named, or chosen by rule, only.

    A verb adds its arguments and says what to change; the rest is the same
    for all: clouds that are read-only, the journal, the dry run, signals, the
    wait, the report and the exit code.
    """

    log: logging.Logger
    words = Terms()

    #: Seconds in which something must happen while a wait lasts that has no
    #: timeout; None for what is done when it is answered.
    idle: float | None = None

    #: What the help of --wait says.
    until = (
        'all is gone; these deletions have no task of their own, so that the '
        'backups themselves are polled'
    )

    #: Whether there is a row for each target without being asked for.
    always_reports = False

    #: What the rows of a report show, and whatever any table may show.
    report_columns: ClassVar[Sequence[Column]] = COLUMNS
    columns: ClassVar[Sequence[Column]] = COLUMNS

    #: The help of --dry-run.
    dry_run = 'Show what would be deleted or refused; send no DELETE'

    @abc.abstractmethod
    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what this command alone has."""

    @abc.abstractmethod
    def prepare(
        self, parsed_args: argparse.Namespace, limits: Limits
    ) -> Prepared | None:
        """What to change, looked up and verified; None for nothing."""

    def confirm(
        self,
        parsed_args: argparse.Namespace,
        change: Change,
        targets: Sequence[Target],
    ) -> None:
        """Ask before more is changed than is named.

        :raises CommandError: if the answer is no, or nobody can answer.
        """

    @property
    def row_noun(self) -> str:
        """What a row of a table is: a backup, and no "backup of volume"."""
        return self.words.one.partition(' of ')[0]

    @abc.abstractmethod
    def table(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        """The titles, and what was done, or would be, as cliff takes it."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        self._parser = parser = super().get_parser(prog_name)
        # A typo must never become another option of a change.
        parser.allow_abbrev = False
        make_strict(parser, change_codes(waits=self.idle is not None))
        # As in the delete commands of OSC there is no output by default.
        parser.set_defaults(formatter=None)
        self.add_arguments(parser)
        add_run_options(
            parser, self.dry_run, always_reports=self.always_reports
        )
        add_progress(parser)
        if self.idle is not None:
            add_wait_options(parser, idle=self.idle, until=self.until)
        return parser

    @escapes_output
    def run(self, parsed_args: argparse.Namespace) -> int:
        """Change, show what was asked for, and only then fail."""
        refuse_short_words(self._parser, self.app, self.cmd_name)
        freeze_heap(self.app)
        fit_tables(
            self._formatter_plugins,
            self.columns,
            self.row_noun,
            drops_empty=not parsed_args.columns,
        )
        self.progress = progress_of(self.app, parsed_args)
        self._wants_rows = bool(
            parsed_args.report
            or parsed_args.dry_run
            or parsed_args.formatter
            or parsed_args.columns
        )
        parsed_args.formatter = parsed_args.formatter or 'table'
        self.report = Report(
            self.words,
            parsed_args.dry_run,
            getattr(parsed_args, 'ignore_missing', False),
        )
        #: Why the rows could not be printed.
        self._unprinted: Exception | None = None
        if self.idle is not None:
            check_timeout(self._parser, parsed_args)
        try:
            with as_command_errors(), sigterm_raises():
                super().run(parsed_args)
        except (KeyboardInterrupt, SystemExit) as end:
            # A usage error speaks for itself.
            if getattr(end, 'code', None) != ExitCode.USAGE:
                self._report_interruption(parsed_args)
            if not self.app.interactive_mode:
                end_at_next_sigint()
            raise
        return self._end(parsed_args)

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        """Look up, ask, and carry out."""
        # A column that does not exist is said before anything is sent.
        self._generate_columns_and_selector(
            parsed_args, self.table(parsed_args)[0]
        )
        if not parsed_args.dry_run:
            refuse_if_read_only(self.app.client_manager)
        self.recorder = recorder = self._open_journal(parsed_args)
        try:
            self._change(parsed_args, recorder)
        finally:
            recorder.close()
        return self.table(parsed_args)

    def conclude(self, parsed_args: argparse.Namespace) -> int:
        """Say what failed and what is not finished.

        :returns: the exit code.
        :raises CommandError: if a target failed, which makes it 1.
        """
        report, words = self.report, self.report.words
        failed = report.failed
        complaints = (
            report.open_questions()
            if self._reasons_are_shown(parsed_args)
            else report.target_errors()
        )
        for complaint in complaints:
            self.log.error('%s', complaint)
        if report.stopped is not None:
            # Also where every target was accepted before something was seen.
            if not failed:
                raise exceptions.CommandError(messages.stop(report.stopped))
            self.log.error('%s', messages.stop(report.stopped))
        for note in messages.notes(report.outcomes, words):
            self.log.info('%s', note)
        total = len(report.outcomes)
        untold = messages.unwatched(report.outcomes, words)
        is_waited_for = getattr(parsed_args, 'wait', False)
        if untold and is_waited_for and report.stopped is not None:
            self.log.error('%s', untold)
        for late in messages.delays(report.unfinished, total, words):
            self.log.error('%s', late)
        if failed:
            if parsed_args.dry_run:
                raise exceptions.CommandError(
                    f'{len(failed)} of {total} {words.several} would be '
                    f'refused.'
                )
            raise exceptions.CommandError(
                messages.summary(failed, total, words)
            )
        return ExitCode.UNFINISHED if report.unfinished else ExitCode.DONE

    def _reasons_are_shown(self, parsed_args: argparse.Namespace) -> bool:
        """Whether the rows have told why targets failed: once is enough.

        A report for a program is not what its user reads.
        """
        is_read = parsed_args.dry_run or parsed_args.formatter == 'table'
        columns = [normalized(column) for column in parsed_args.columns]
        return (
            self._wants_rows
            and self._unprinted is None
            and is_read
            and (not columns or 'detail' in columns)
        )

    def _end(self, parsed_args: argparse.Namespace) -> int:
        """Say what failed, and only then that it could not be shown."""
        if self._unprinted is not None and not parsed_args.dry_run:
            report = self.report
            handles = messages.unprinted(report.outcomes, report.words)
            if handles:
                self.log.error('%s', handles)
        try:
            code = self.conclude(parsed_args)
        except exceptions.CommandError:
            unprinted = self._unprinted
            if unprinted and not isinstance(unprinted, BrokenPipeError):
                self.log.error('%s', unprinted)
            raise
        if self._unprinted is not None:
            raise self._unprinted
        return code

    @contextmanager
    def complaining_last(self) -> Iterator[None]:
        """Keep for the end that something cannot be printed."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - it is raised at the end
            self._unprinted = error

    def _change(
        self, parsed_args: argparse.Namespace, recorder: Recorder
    ) -> None:
        limits = Limits(parsed_args.concurrency)
        prepared = self.prepare(parsed_args, limits)
        if prepared is None:
            return
        change, targets = prepared
        report = self.report
        report.outcomes = [Outcome.of(target) for target in targets]
        if parsed_args.dry_run:
            return
        if parsed_args.rate is not None:
            recorder = PacedRecorder(recorder, parsed_args.rate, limits.stop)
        self.confirm(parsed_args, change, targets)
        with self.progress.showing(report.sending):
            report.stopped = execute(change, report.outcomes, recorder, limits)
        if report.stopped is None and self.idle is not None:
            self._follow(parsed_args, change, recorder, limits)

    def _follow(
        self,
        parsed_args: argparse.Namespace,
        change: Change,
        recorder: Recorder,
        limits: Limits,
    ) -> None:
        """See what becomes of the change, as far as that was asked for."""
        if parsed_args.wait:
            warn_if_login_ends(self.app.client_manager)
        report = self.report
        follower = Follower(
            change,
            report.outcomes,
            recorder,
            limits,
            wants_all=parsed_args.wait,
            patience=patience_of(parsed_args, self.idle or 0.0),
        )
        started = time.monotonic()

        def describe() -> str:
            if not parsed_args.wait:
                return report.sending()
            return report.waiting(follower.counts(), duration_since(started))

        with self.progress.showing(describe):
            try:
                report.unfinished = follower.run()
            except errors.ClientError as reason:
                report.stopped = stopped_by(reason, report.outcomes)

    def _open_journal(self, parsed_args: argparse.Namespace) -> Recorder:
        if parsed_args.journal is None or parsed_args.dry_run:
            return Recorder()
        who = identity_of(self.app.client_manager)
        return Journal(parsed_args.journal, {'command': self.cmd_name, **who})

    def _report_interruption(self, parsed_args: argparse.Namespace) -> None:
        with suppress(OSError, ValueError):
            if sys.stdout is not None:
                sys.stdout.flush()
        if self.app.stderr is not None:
            end_line_of_ctrl_c(self.app.stderr)
            for line in self.report.interrupted():
                self.app.stderr.write(f'{line}\n')
            self.app.stderr.flush()
        excuse(self.report.outcomes, 'the run was interrupted')
        if self._wants_rows and self.report.outcomes:
            self.produce_output(parsed_args, *self.table(parsed_args))


class ChangeCommand(BaseChangeCommand, command.Lister):
    """A change that is shown as rows, one for each target."""

    def table(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
        """The titles and the raw rows of what was done, or would be."""
        columns = self.report_columns
        if not parsed_args.columns:
            columns = requested_columns(columns, parsed_args, long=False)
        if parsed_args.dry_run:
            columns = [c for c in columns if c.title not in NOT_PLANNED]
        return [column.title for column in columns], [
            row_of(columns, row, parsed_args) for row in self.report.rows()
        ]

    def produce_output(
        self,
        parsed_args: argparse.Namespace,
        column_names: Sequence[str],
        data: Iterable[Sequence[Any]],
    ) -> int:
        """Print rows only where they were asked for."""
        rows = list(data)
        # cliff writes an empty line for an empty table.
        if self._wants_rows and (rows or parsed_args.formatter != 'table'):
            with self.complaining_last(), printing(self.app):
                super().produce_output(parsed_args, column_names, rows)
        return ExitCode.DONE


class ChangeOneCommand(BaseChangeCommand, command.ShowOne):
    """A change of one resource, which is shown as its fields."""

    always_reports = True

    @property
    @abc.abstractmethod
    def changed(self) -> Any:
        """What is shown; None if there is nothing to show."""

    def table(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        fields = [column.field for column in self.columns]
        if self.changed is None:
            return fields, ()
        return fields, row_of(
            labelled(self.columns, parsed_args), self.changed, parsed_args
        )

    def produce_output(
        self,
        parsed_args: argparse.Namespace,
        column_names: Sequence[str],
        data: Iterable[Any],
    ) -> int:
        """Print the fields, unless there is nothing that has any."""
        values = list(data)
        if values:
            with self.complaining_last(), printing(self.app):
                super().produce_output(parsed_args, column_names, values)
        return ExitCode.DONE

    def _reasons_are_shown(self, parsed_args: argparse.Namespace) -> bool:
        # What has failed has no fields.
        return False
