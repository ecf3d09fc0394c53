# SPDX-License-Identifier: Apache-2.0
"""Columns: readable values in tables, raw values for machines."""

from __future__ import annotations

from argparse import Namespace
from types import SimpleNamespace
from typing import Any

import pytest

from vbsclient.osc.output.columns import (
    Column,
    CommaList,
    Gigabytes,
    Limit,
    MultiLine,
    Tags,
    Time,
    normalized,
    requested_columns,
    row_of,
    trigger,
)
from vbsclient.osc.output.text import Text

COLUMNS = (
    Column('ID', 'id'),
    Column('Created At', lambda backup: backup.created_at, Time),
    Column('Volume', 'of.volume', long=True),
)


@pytest.mark.parametrize(
    ('size', 'shown'),
    [
        (None, ''),
        (0, '0 GB'),
        (0.5, '512 MB'),
        (1.5, '1.5 GB'),
        (1023, '1023 GB'),
        (-2, '-2 GB'),
        (3 * 1024**2, '3072 TB'),
        # What no number should be, as a service may answer it.
        ('20480', '20480'),
        ('a\x1blot', r'a\x1blot'),
        ([1], '[1]'),
    ],
)
def test_a_size_has_a_unit_in_which_it_is_short(size: Any, shown: str) -> None:
    assert Gigabytes(size).human_readable() == shown


@pytest.mark.parametrize(
    ('cell', 'shown'),
    [
        (Text(None), ''),
        (Text('a\x1b'), r'a\x1b'),
        (Time('2026-11-21T12:00:00.000000'), '2026-11-21 12:00:00'),
        (Time(None), ''),
        (Limit(-1), 'unlimited'),
        (Limit(40), '40'),
        (MultiLine(['a', 'b\n']), 'a\nb\\n'),
        (MultiLine(None), ''),
        (CommaList(['a', 'b']), 'a, b'),
        (Tags([{'key': 'k', 'value': 'v'}, {'key': 'l'}]), 'k=v\nl=None'),
    ],
)
def test_a_value_for_a_table(cell: Text, shown: str) -> None:
    assert cell.human_readable() == shown


def test_what_is_not_known_comes_last() -> None:
    cells = [Text(None), Text('b'), Text('a')]
    assert [cell.machine_readable() for cell in sorted(cells)] == [
        'a',
        'b',
        None,
    ]


@pytest.mark.parametrize(
    ('options', 'titles'),
    [
        ({'columns': []}, ['ID', 'Created At', 'Volume']),
        ({'columns': [], 'long': False}, ['ID', 'Created At']),
        ({'columns': ['volume'], 'long': False}, ['Volume']),
        (
            {'columns': ['id'], 'sort_columns': ['Created At']},
            ['ID', 'Created At'],
        ),
    ],
)
def test_which_columns_are_requested(
    options: dict[str, Any], titles: list[str]
) -> None:
    args = Namespace(formatter='json', **options)
    found = requested_columns(COLUMNS, args, long=options.get('long', True))
    assert [column.title for column in found] == titles


def test_a_row_is_raw_for_all_but_tables() -> None:
    backup = SimpleNamespace(
        id='i', created_at='2026-11-21T12:00', of=SimpleNamespace(volume='v')
    )
    raw = row_of(COLUMNS, backup, Namespace(formatter='json'))
    assert raw == ['i', '2026-11-21T12:00', 'v']
    cells = row_of(COLUMNS, backup, Namespace(formatter='table'))
    shown = [cell.human_readable() for cell in cells]
    assert shown == ['i', '2026-11-21 12:00', 'v']


def test_names_of_columns() -> None:
    assert normalized(' Created At') == 'created_at'
    assert COLUMNS[1].field == 'created_at'


def test_who_created_it() -> None:
    words = [trigger(SimpleNamespace(automatic=a)) for a in (True, False)]
    assert words == ['automatic', 'manual']
