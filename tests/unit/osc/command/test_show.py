# SPDX-License-Identifier: Apache-2.0
"""What commands that show one resource have in common."""

import io
from types import SimpleNamespace
from typing import Any

import pytest
from osc_lib import exceptions

from tests.unit.osc.parsing import parse
from vbsclient.api import errors
from vbsclient.osc.command.show import (
    ShowCommand,
    as_command_errors,
    printing,
)
from vbsclient.osc.output.columns import Column, Gigabytes

APP: Any = SimpleNamespace(
    stderr=None, options=SimpleNamespace(verbose_level=1)
)


class ShowColor(ShowCommand):
    """Show a color"""

    columns = (Column('ID', 'id'), Column('Full Size', 'size', Gigabytes))
    noun = 'color'
    named_by = 'ID'

    def find(self, parsed_args: Any, fields: set[str]) -> Any:
        """A color of that id."""
        self.fields = fields
        return SimpleNamespace(id=parsed_args.color, size=2)


def test_its_argument_is_its_noun() -> None:
    assert parse(ShowColor, 'red') == {'<color>': 'red'}
    command = ShowColor(None, None)  # type: ignore[arg-type]
    assert 'Color to show (ID)' in command.get_parser('x').format_help()


@pytest.mark.parametrize(
    ('line', 'fields', 'values'),
    [
        ('-f json', {'id', 'full_size'}, ['red', 2]),
        ('-f json -c full_size', {'full_size'}, [None, 2]),
        ('-f json -c ID', {'id'}, ['red', None]),
    ],
)
def test_only_what_is_shown_is_asked_for(
    line: str, fields: set[str], values: list[Any]
) -> None:
    command = ShowColor(APP, None)
    args = command.get_parser('x').parse_args(['red', *line.split()])
    names, found = command.take_action(args)
    assert list(names) == ['id', 'full_size']
    assert list(found) == values
    assert command.fields == fields


def test_tables_are_for_people() -> None:
    command = ShowColor(APP, None)
    args = command.get_parser('x').parse_args(['red'])
    found = command.take_action(args)[1]
    assert [cell.human_readable() for cell in found] == ['red', '2 GB']


def test_an_error_of_the_library_is_one_sentence() -> None:
    with (
        pytest.raises(exceptions.CommandError, match=r'^It failed\. Wait\.$'),
        as_command_errors(),
    ):
        raise errors.ClientError('it failed', 'Wait.')


def app(stdout: Any, *, interactive: bool = False) -> Any:
    return SimpleNamespace(stdout=stdout, interactive_mode=interactive)


class Full(io.StringIO):
    """An output that can take no more."""

    def flush(self) -> None:
        """Fail as a full disk does."""
        raise OSError(28, 'No space left on device')


@pytest.mark.parametrize('interactive', [True, False])
def test_an_output_that_is_full(interactive: bool) -> None:
    out = Full()
    with (
        pytest.raises(exceptions.CommandError, match='No space left'),
        printing(app(out, interactive=interactive)),
    ):
        out.write('x')


def test_an_output_that_nobody_reads() -> None:
    with pytest.raises(BrokenPipeError), printing(app(io.StringIO())):
        raise BrokenPipeError


def test_no_output_at_all() -> None:
    closed = io.StringIO()
    closed.close()
    for stdout in (None, closed):
        with (
            pytest.raises(exceptions.CommandError, match='it is closed'),
            printing(app(stdout)),
        ):
            pass
