# SPDX-License-Identifier: Apache-2.0
"""What lists have in common: order, parts, counts, and what is asked."""

import io
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from osc_lib import exceptions

from vbsclient.api import errors
from vbsclient.osc.command.list import (
    DeferredValue,
    Found,
    ListCommand,
    sorted_by_service,
)
from vbsclient.osc.output.columns import Column

FOUR = [('a', 2), ('b', None), ('c', 1), ('d', 2)]


class ListColors(ListCommand):
    """List colors"""

    columns = (
        Column('ID', 'id'),
        Column('Size', 'size'),
        Column('Cost', 'cost', long=True, sortable=False),
    )
    noun = 'color'
    make: Callable[..., Found]

    def find(self, parsed_args: Any, fields: set[str]) -> Found:
        """The colors that a test has made."""
        return self.make(fields)


def rows(pairs: list[tuple[str, Any]], cost: Any = 0) -> list[Any]:
    return [SimpleNamespace(id=i, size=s, cost=cost) for i, s in pairs]


def listed(make: Any, line: str = '') -> tuple[Any, list[list[Any]]]:
    app = SimpleNamespace(
        interactive_mode=True,
        stdout=io.StringIO(),
        stderr=None,
        options=SimpleNamespace(verbose_level=1),
    )
    command = ListColors(app, None)  # type: ignore[arg-type]
    command.make = make
    parser = command.get_parser('x')
    args = parser.parse_args(['-f', 'json', *line.split()])
    titles, values = command.take_action(args)
    if args.count:
        return command._number, []
    return list(titles), [list(row) for row in values]


def ids(make: Any, line: str = '') -> str:
    return ''.join(row[0] for row in listed(make, line)[1])


@pytest.mark.parametrize(
    ('line', 'order'),
    [
        ('', 'abcd'),
        ('--sort size', 'cadb'),
        ('--sort size:desc', 'adcb'),
        ('--sort size,id:desc', 'cdab'),
        ('--sort id:desc --max-items 2', 'dc'),
        ('--marker b', 'cd'),
        ('--marker d', ''),
        ('--sort size --marker a --max-items 1', 'd'),
    ],
)
def test_the_order_and_a_part_of_it(line: str, order: str) -> None:
    assert ids(lambda fields: Found(rows(FOUR)), line) == order


def test_what_the_service_has_sorted_is_left_so() -> None:
    def make(fields: set[str]) -> Found:
        return Found(rows(FOUR), by_service=True)

    assert ids(make, '--sort size --marker x') == 'abcd'


def test_an_unknown_marker() -> None:
    with pytest.raises(exceptions.CommandError, match="Marker 'x' not found"):
        listed(lambda fields: Found(rows(FOUR)), '--marker x')


@pytest.mark.parametrize(
    ('line', 'fields', 'titles'),
    [
        ('', {'id', 'size'}, ['ID', 'Size']),
        ('--long', {'id', 'size', 'cost'}, ['ID', 'Size', 'Cost']),
        ('-c ID', {'id'}, ['ID', 'Size', 'Cost']),
        ('-c id -c Cost', {'id', 'cost'}, ['ID', 'Size', 'Cost']),
    ],
)
def test_only_what_is_shown_is_asked_for(
    line: str, fields: set[str], titles: list[str]
) -> None:
    asked = []

    def make(fields: set[str]) -> Found:
        asked.append(fields)
        return Found(rows(FOUR))

    assert listed(make, line)[0] == titles
    assert asked == [fields]


def test_an_unknown_column_is_refused_before_anything_is_asked() -> None:
    def make(fields: set[str]) -> Found:
        raise AssertionError

    with pytest.raises(ValueError, match='No recognized column names'):
        listed(make, '-c Smell')


def test_a_value_may_be_known_at_the_end() -> None:
    last = DeferredValue()
    calls = []

    def complete() -> None:
        calls.append('complete')
        last.value = 7

    def read() -> Iterator[Any]:
        for row in rows(FOUR, last):
            calls.append(row.id)
            yield row

    def make(fields: set[str]) -> Found:
        return Found(read(), complete=complete)

    values = listed(make, '--long --max-items 2')[1]
    assert values == [['a', 2, 7], ['b', None, 7]]
    assert calls == ['a', 'b', 'complete']


@pytest.mark.parametrize(
    ('found', 'number'),
    [(Found(rows(FOUR)), 4), (Found(total=9), 9), (Found(), 0)],
)
def test_a_count(found: Found, number: int) -> None:
    assert listed(lambda fields: found, '--count')[0] == number


@pytest.mark.parametrize('line', ['', '--count'])
def test_a_hint_where_there_is_nothing(
    caplog: pytest.LogCaptureFixture, line: str
) -> None:
    listed(lambda fields: Found(rows(FOUR), hint='Look.'), line)
    assert caplog.messages == []
    listed(lambda fields: Found(hint='Look.'), line)
    assert caplog.messages == ['Look.']


def test_a_service_may_refuse_to_sort() -> None:
    def refused() -> Iterator[Any]:
        raise errors.BadRequest('no such key', status=400)
        yield

    assert sorted_by_service(refused) is None
    found = sorted_by_service(lambda: iter('ab'))
    assert found is not None
    assert (list(found.rows), found.by_service) == (['a', 'b'], True)
