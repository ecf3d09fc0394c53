# SPDX-License-Identifier: Apache-2.0
"""What all commands that list or show have in common."""

from __future__ import annotations

import abc
import argparse
import errno
import time
from collections.abc import (
    Callable,
    Collection,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cached_property, partial
from typing import Any, ClassVar

from osc_lib import exceptions
from osc_lib.command import command

from vbsclient.api import errors
from vbsclient.api.client import ServiceClient
from vbsclient.api.csbs import CSBSClient
from vbsclient.api.http import Limits
from vbsclient.api.vbs import VBSClient
from vbsclient.lookup.refusals import MissingError, RefusedError
from vbsclient.osc.command.clients import (
    OwnLogin,
    make_csbs_client,
    make_vbs_client,
    warn_if_login_ends,
)
from vbsclient.osc.command.options import (
    add_progress,
    add_wait_options,
    check_timeout,
    patience_of,
    progress_of,
)
from vbsclient.osc.command.parser import make_strict
from vbsclient.osc.command.signals import (
    READ_CODES,
    ExitCode,
    end_line_of_ctrl_c,
)
from vbsclient.osc.output.columns import Column, cells, requested_columns
from vbsclient.osc.output.encoding import escapes_output
from vbsclient.osc.output.layout import fit_tables
from vbsclient.osc.output.progress import duration_since, reading
from vbsclient.osc.output.text import capital, sentence, shortened
from vbsclient.waiting import Goal, ResourceStatus, wait

#: Seconds without a change that end a wait.
_IDLE = 3600.0

#: How the wait calls what is shown.
_IT = 'it'


@contextmanager
def as_command_errors() -> Iterator[None]:
    """Turn an error of the library into one sentence.

    :raises CommandError: in place of a ClientError.
    """
    try:
        yield
    except errors.ClientError as error:
        raise exceptions.CommandError(capital(sentence(error))) from error


@contextmanager
def printing(app: Any) -> Iterator[None]:
    """Make sure that the output is written.

    :raises CommandError: if it cannot be written.
    :raises BrokenPipeError: if its reader has closed it.
    """
    try:
        if app.stdout is None or app.stdout.closed:
            raise OSError(errno.EBADF, 'it is closed')
        yield
        app.stdout.flush()
    except OSError as error:
        if app.stdout is not None and not app.interactive_mode:
            # Else Python fails to write the rest when it ends, with a message
            # and an exit code of its own.
            with suppress(OSError):
                app.stdout.close()
        if isinstance(error, BrokenPipeError):
            raise
        raise exceptions.CommandError(
            f'Standard output: {error.strerror}.'
        ) from error


class ReadCommand(OwnLogin, command.Command):
    """A command that changes nothing."""

    columns: ClassVar[Sequence[Column]]

    _formatter_plugins: Any

    #: What is listed or shown, and how it is named, for the help.
    noun: ClassVar[str] = 'backup'
    named_by: ClassVar[str] = 'name or ID'

    @cached_property
    def limits(self) -> Limits:
        """What bounds its requests."""
        return Limits()

    @cached_property
    def vbs(self) -> VBSClient:
        """The client of VBS."""
        return make_vbs_client(self.app.client_manager, self.limits)

    @cached_property
    def csbs(self) -> CSBSClient:
        """The client of CSBS."""
        return make_csbs_client(self.app.client_manager, self.limits)

    @property
    def codes(self) -> Sequence[ExitCode]:
        """The exit codes, for the help."""
        return READ_CODES

    def clients(self) -> list[ServiceClient]:
        """Those that this command has used."""
        return [vars(self)[n] for n in ('vbs', 'csbs') if n in vars(self)]

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        self._parser = parser = super().get_parser(prog_name)
        make_strict(parser, self.codes)
        self.add_arguments(parser)
        add_progress(parser)
        return parser

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the options of this command alone."""

    def reading(
        self, parsed_args: argparse.Namespace
    ) -> AbstractContextManager[None]:
        """Show how far the reading is while the block lasts."""
        progress = progress_of(self.app, parsed_args)
        return progress.showing(
            partial(reading, self.limits.activity, self.noun)
        )

    @escapes_output
    def run(self, parsed_args: argparse.Namespace) -> int:
        if self.columns:
            fit_tables(self._formatter_plugins, self.columns, self.noun)
        try:
            with as_command_errors(), printing(self.app):
                return super().run(parsed_args)
        except KeyboardInterrupt:
            end_line_of_ctrl_c(self.app.stderr)
            raise


class ShowCommand(ReadCommand, command.ShowOne):
    """A command that shows one resource: its argument is named as its noun.

    Declares its columns, and finds the resource.
    """

    #: The fields that a table leaves out unless ``-c`` names them.
    machine_fields: ClassVar[frozenset[str]] = frozenset()

    #: Where --wait is offered: what it waits for.
    goal: ClassVar[Goal | None] = None

    #: Whether what was seen to go on has failed if it is as before, and tells
    #: a reason: nothing else shows that a backup could not be restored.
    reason_is_failure: ClassVar[bool] = False

    #: Seconds after which a resource has to be listed that was just created.
    appears_in: ClassVar[float] = 0.0

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        if self.goal is not None:
            add_wait_options(
                parser,
                idle=_IDLE,
                until=f'the {self.noun} is finished; a failure is exit code 1',
            )
        return parser

    @property
    def codes(self) -> Sequence[ExitCode]:
        if self.goal is None:
            return super().codes
        return *super().codes, ExitCode.UNFINISHED

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            self.noun,
            metavar=f'<{self.noun}>',
            help=f'{self.noun.capitalize()} to show ({self.named_by})',
        )

    def status_of(self, found: Any) -> ResourceStatus:
        """The status of what was found, for --wait."""
        raise NotImplementedError

    def run(self, parsed_args: argparse.Namespace) -> int:
        self._code = ExitCode.DONE
        if self.goal is not None:
            check_timeout(self._parser, parsed_args)
        try:
            return super().run(parsed_args) or self._code
        except _NotListed:
            return ExitCode.UNFINISHED

    @abc.abstractmethod
    def find(self, parsed_args: argparse.Namespace, fields: set[str]) -> Any:
        """Find what is to be shown.

        :param fields: the fields that are shown: nothing is to be asked for
            the others.
        """

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Sequence[Any]]:
        columns = self.columns
        fields = [column.field for column in columns]
        # An unknown field is refused before anything is sent.
        self._generate_columns_and_selector(parsed_args, fields)
        if parsed_args.formatter == 'table' and not parsed_args.columns:
            columns = [
                c for c in columns if c.field not in self.machine_fields
            ]
            fields = [column.field for column in columns]
        requested = requested_columns(columns, parsed_args, long=True)
        shown = {column.field for column in requested}
        awaited = None
        if getattr(parsed_args, 'wait', False):
            awaited = self._wait(parsed_args, shown)
        with self.reading(parsed_args):
            found = awaited or self.find(parsed_args, shown)
            values = [
                column.value(found) if column in requested else None
                for column in columns
            ]
        kinds = [column.kind for column in columns]
        return fields, cells(values, kinds, parsed_args.formatter)

    def _wait(self, parsed_args: argparse.Namespace, shown: set[str]) -> Any:
        """Wait until what is shown is finished; returns it as it is then."""
        if self.goal is None:
            return None
        warn_if_login_ends(self.app.client_manager)
        patience = patience_of(parsed_args, _IDLE)
        watch = _Watch(
            partial(self.find, parsed_args, shown),
            self.status_of,
            self.goal,
            self.appears_in,
            self.reason_is_failure,
        )
        with (
            progress_of(self.app, parsed_args).showing(watch.describe),
            self.limits.deadline.within(patience.timeout),
        ):
            watch.begin()
            left = wait(
                watch.on_poll({}),
                watch.poll,
                watch.on_poll,
                patience=patience,
                stop=self.limits.stop,
            )
        what = f'{self.noun} {shortened(getattr(parsed_args, self.noun), 80)}'
        self._conclude(what, watch, is_over=not left)
        return watch.found

    def _conclude(self, what: str, watch: _Watch, *, is_over: bool) -> None:
        """Say what a wait has not come to, and set the exit code.

        :raises _NotListed: if there is nothing to show.
        """
        status = watch.status
        if watch.found is None:
            self.log.error(
                'The %s is not listed yet. Run the same command again to keep '
                'waiting.',
                what,
            )
            raise _NotListed
        if not is_over:
            self._code = ExitCode.UNFINISHED
            self.log.error(
                'The %s is not finished yet (status %s). Run the same command '
                'again to keep waiting.',
                what,
                shortened(status.word, 80) if status else 'unknown',
            )
        elif status is not None and not watch.has_succeeded:
            self._code = ExitCode.FAILED
            reason = f': {shortened(status.reason)}' if status.reason else ''
            self.log.error(
                'The %s has the status %s%s.',
                what,
                shortened(status.word, 80),
                reason.rstrip('.'),
            )


class _NotListed(Exception):
    """What was just created has not appeared in time."""


class _Watch:
    """One resource that is read until it is finished.

    :ivar found: the resource, as it was read last.
    :ivar status: its status then.
    """

    def __init__(
        self,
        find: Callable[[], Any],
        status_of: Callable[[Any], ResourceStatus],
        goal: Goal,
        appears_in: float,
        reason_is_failure: bool,
    ) -> None:
        self._find = find
        self._status_of = status_of
        self._goal = goal
        self._appears_in = appears_in
        self._reason_is_failure = reason_is_failure
        self._started = time.monotonic()
        self.found: Any = None
        self.status: ResourceStatus | None = None
        self._was_under_way = False
        self._refusal: errors.ClientError | None = None

    def begin(self) -> None:
        """Read it for the first time.

        :raises ClientError: if it cannot be read; what is not there may be
            listed a little later, if it is of a kind that may.
        """
        try:
            self._read()
        except MissingError:
            if not self._appears_in:
                raise

    def poll(self, ids: Collection[str]) -> Mapping[str, ResourceStatus]:
        """Read it once more."""
        try:
            self._read()
        except RefusedError as error:
            # It is gone, or its name means several by now.
            spent = time.monotonic() - self._started
            is_early = self.found is None and spent < self._appears_in
            if not is_early or not isinstance(error, MissingError):
                self._refusal = error
            return {}
        return {_IT: self.status} if self.status else {}

    def _read(self) -> None:
        self.found = self._find()
        self.status = self._status_of(self.found)
        if not self._goal.has_ended(self.status):
            self._was_under_way = True

    def on_poll(self, seen: Mapping[str, ResourceStatus]) -> Collection[str]:
        """Whether to go on.

        :raises ClientError: if there is nothing to wait for.
        """
        if self._refusal is not None:
            raise self._refusal
        if self.status is None or not self._goal.has_ended(self.status):
            return [_IT]
        return []

    @property
    def has_succeeded(self) -> bool:
        """Whether it has come to what is waited for."""
        if self.status is None or not self._goal.is_reached(self.status):
            return False
        has_failed = self._reason_is_failure and self.status.reason
        return not (self._was_under_way and has_failed)

    def describe(self) -> str:
        """How far it is."""
        spent = duration_since(self._started)
        if self.status is None:
            return f'Waiting for the service, {spent}'
        done = self.status.progress
        percent = f', {done} %' if done is not None else ''
        return f'Waiting: {self.status.word}{percent}, {spent}'
