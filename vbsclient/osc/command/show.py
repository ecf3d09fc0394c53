# SPDX-License-Identifier: Apache-2.0
"""What all commands that list or show have in common."""

from __future__ import annotations

import abc
import argparse
import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, ClassVar

from osc_lib import exceptions
from osc_lib.command import command

from vbsclient.api import errors
from vbsclient.osc.command.clients import OwnLogin
from vbsclient.osc.command.parser import make_strict
from vbsclient.osc.output.columns import Column, shown, wanted_of
from vbsclient.osc.output.encoding import escapes_output
from vbsclient.osc.output.text import capital, sentence


@contextmanager
def as_command_errors() -> Iterator[None]:
    """Turn the library's errors into one sentence each.

    :raises CommandError: in place of a ClientError.
    """
    try:
        yield
    except errors.ClientError as error:
        raise exceptions.CommandError(capital(sentence(error))) from error


@contextmanager
def printing(app: Any) -> Iterator[None]:
    """See that what is printed arrives.

    :raises CommandError: if it does not.
    :raises BrokenPipeError: if nobody reads it any more.
    """
    try:
        if app.stdout is None or app.stdout.closed:
            raise OSError(errno.EBADF, 'it is closed')
        yield
        app.stdout.flush()
    except OSError as error:
        if app.stdout is not None and not app.interactive_mode:
            # What is left of it would fail once more when Python ends, which
            # then says so in its own words and has an exit code of its own.
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

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add what this command alone has."""
        self._parser = parser = super().get_parser(prog_name)
        make_strict(parser)
        self.add_arguments(parser)
        return parser

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what this command alone has."""

    @escapes_output
    def run(self, parsed_args: argparse.Namespace) -> int:
        """Show it, or say in one sentence why not."""
        with as_command_errors(), printing(self.app):
            return super().run(parsed_args)


class ShowCommand(ReadCommand, command.ShowOne):
    """A command that shows one thing."""

    @abc.abstractmethod
    def find(self, parsed_args: argparse.Namespace, wanted: set[str]) -> Any:
        """What is to be shown.

        :param wanted: the fields that will be: nothing is to be asked for
            the others.
        """

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Sequence[Any]]:
        """Find it and take out what is asked for."""
        fields = [column.field for column in self.columns]
        # A field that there is not is said before anything is asked.
        self._generate_columns_and_selector(parsed_args, fields)
        wanted = wanted_of(self.columns, parsed_args)
        thing = self.find(parsed_args, {column.field for column in wanted})
        values = [
            column.value(thing) if column in wanted else None
            for column in self.columns
        ]
        return fields, shown(self.columns, values, parsed_args)
