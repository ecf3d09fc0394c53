# SPDX-License-Identifier: Apache-2.0
"""No table breaks an ID, and none is wider than its terminal."""

import argparse
import io
import logging
import uuid
from typing import Any

import pytest
from cliff.formatters.table import TableFormatter
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth

from vbsclient.osc.output.columns import Column, Gigabytes, Time, Word
from vbsclient.osc.output.layout import FittedTables, wrapped

COLUMNS = (
    Column('ID', 'id', below='Name'),
    Column('Name', 'name'),
    Column('Status', 'status', Word),
    Column('Size', 'size', Gigabytes, below='Status'),
    Column('Volume', 'volume', optional=2),
    Column('Checkpoint', 'checkpoint', optional=1),
    Column('Created At', 'created_at', Time),
)
TITLES = [column.title for column in COLUMNS]

ids = st.uuids().map(str)
names = st.text(st.characters(categories=('L', 'N', 'P')), max_size=50)
words = st.lists(st.sampled_from(('db01-data', 'of', 'web', 'x' * 30)))
rows = st.lists(
    st.tuples(
        ids,
        names,
        st.sampled_from(('available', 'error_restoring')),
        st.sampled_from(('40 GB', '1023.9 GB', '')),
        words.map(' '.join),
        ids,
        st.just('2026-11-21 02:00:00'),
    ),
    min_size=1,
    max_size=5,
)


def table(
    data: Any, width: int, titles: Any = TITLES, **options: bool
) -> list[str]:
    args = argparse.Namespace(
        print_empty=False, max_width=width, fit_width=False
    )
    out = io.StringIO()
    FittedTables(TableFormatter(), COLUMNS, 'backup', **options).emit_list(
        titles, data, out, args
    )
    return out.getvalue().splitlines()


@given(rows, st.integers(80, 200))
def test_ids_are_whole_at_80_columns_and_more(data: Any, width: int) -> None:
    lines = table(data, width)
    assert max(map(wcswidth, lines)) <= width
    text = '\n'.join(lines)
    for row in data:
        assert row[0] in text
    # Nothing of a row is lost but what may be left out.
    cells = ''.join(line.replace('|', ' ') for line in lines)
    for row in data:
        for value in (row[2], row[3], row[6]):
            assert all(word in cells for word in value.split())


ROW = (
    '1fdb8b32-06d5-49e8-92f1-75ffae3b16ec',
    'web02-running',
    'available',
    '40 GB',
    'web02-root of web02',
    'b29c467d-2b5f-4932-91dc-59efeb21a3f6',
    '2026-11-26 03:36:18',
)


@pytest.mark.parametrize(
    ('width', 'titles'),
    [
        (200, TITLES),
        (160, TITLES),
        (140, ['Name/ID', 'Status', 'Volume', 'Checkpoint']),
        (80, ['Name/ID', 'Status', 'Volume', 'Created At']),
        (60, ['Field', 'Value']),
    ],
)
def test_the_first_shape_that_fits(width: int, titles: list[str]) -> None:
    heading = table([ROW], width)[1]
    if titles == ['Field', 'Value']:
        assert [cell.strip() for cell in heading.split('|')[1:-1]] == titles
    else:
        shown = [cell.strip() for cell in heading.split('|')[1:-1]]
        assert shown[: len(titles)] == titles


def test_what_is_left_out_is_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        table([ROW], 80)
    assert caplog.messages == [
        'Not shown, for lack of room: Checkpoint. Choose columns with -c.'
    ]


def test_a_row_that_does_not_fit_is_a_block(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lines = table([ROW, (str(uuid.UUID(int=0)), *[''] * 6)], 60)
    assert sum('| Field' in line for line in lines) == 2
    assert len({len(line) for line in lines}) == 1
    # A field without a value has no line.
    assert sum('| Name' in line for line in lines) == 1
    assert caplog.messages == [
        'These columns do not fit 60 characters: each backup has a table of '
        'its own. Choose columns with -c, or use -f json.'
    ]


def test_what_has_long_words_is_cut_before_it_is_left_out() -> None:
    row = (*ROW[:2], 'error_deleting', '40 GB', 'x' * 30, *ROW[5:])
    assert 'Volume' in table([row], 82)[1]
    assert 'Volume' not in table([row], 80)[1]


def test_a_number_and_its_unit_stay_together() -> None:
    text = wrapped('web01 (available, 310 GB)', 21)
    assert text.split('\n') == ['web01 (available,', '310 GB)']


def test_without_a_terminal_each_row_is_a_line() -> None:
    lines = table([ROW, ROW], 0)
    assert len(lines) == 6
    assert all(value in lines[3] for value in ROW)


def test_an_empty_column_can_be_left_out_at_any_width() -> None:
    row = (*ROW[:3], '', *ROW[4:])
    for width in (0, 200):
        heading = table([row], width, drops_empty=True)[1]
        assert 'Size' not in heading
        assert 'Status' in heading
    assert table([], 0, drops_empty=True) == ['']


@pytest.mark.parametrize(
    ('text', 'width', 'lines'),
    [
        ('one two three', 8, ['one two', 'three']),
        (f'a {ROW[0]} b', 20, ['a', ROW[0], 'b']),
        (f'({ROW[0]}, x', 20, ['(', ROW[0], ', x']),
        ('\u65e5\u672c\u8a9e', 4, ['\u65e5\u672c', '\u8a9e']),
        ('x' * 25, 10, ['x' * 10, 'x' * 10, 'x' * 5]),
        ('one two', None, ['one two']),
        ('  one two', 6, ['  one', '  two']),
    ],
)
def test_text_wraps_at_spaces_and_never_in_an_id(
    text: str, width: int | None, lines: list[str]
) -> None:
    assert wrapped(text, width).split('\n') == lines
