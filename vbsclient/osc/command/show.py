# SPDX-License-Identifier: Apache-2.0
"""What all commands that list or show have in common."""

from __future__ import annotations

import abc
import argparse
import errno
from collections.abc import Iterator, Sequence
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
from vbsclient.osc.command.clients import (
    OwnLogin,
    make_csbs_client,
    make_vbs_client,
)
from vbsclient.osc.command.options import add_progress, progress_of
from vbsclient.osc.command.parser import make_strict
from vbsclient.osc.command.signals import READ_CODES, end_line_of_ctrl_c
from vbsclient.osc.output.columns import Column, cells, requested_columns
from vbsclient.osc.output.encoding import escapes_output
from vbsclient.osc.output.layout import fit_tables
from vbsclient.osc.output.progress import reading
from vbsclient.osc.output.text import capital, sentence


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

    def clients(self) -> list[ServiceClient]:
        """Those that this command has used."""
        return [vars(self)[n] for n in ('vbs', 'csbs') if n in vars(self)]

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        self._parser = parser = super().get_parser(prog_name)
        make_strict(parser, READ_CODES)
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

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            self.noun,
            metavar=f'<{self.noun}>',
            help=f'{self.noun.capitalize()} to show ({self.named_by})',
        )

    @abc.abstractmethod
    def find(self, parsed_args: argparse.Namespace, fields: set[str]) -> Any:
        """Find what is to be shown.

        :param fields: the fields that are shown: nothing is to be asked for
            the others.
        """

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Sequence[Any]]:
        fields = [column.field for column in self.columns]
        # An unknown field is refused before anything is sent.
        self._generate_columns_and_selector(parsed_args, fields)
        requested = requested_columns(self.columns, parsed_args, long=True)
        with self.reading(parsed_args):
            found = self.find(
                parsed_args, {column.field for column in requested}
            )
            values = [
                column.value(found) if column in requested else None
                for column in self.columns
            ]
        kinds = [column.kind for column in self.columns]
        return fields, cells(values, kinds, parsed_args.formatter)
