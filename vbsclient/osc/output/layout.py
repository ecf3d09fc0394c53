# SPDX-License-Identifier: Apache-2.0
"""Tables that fit a terminal without breaking an ID.

cliff makes the columns of a table that is too wide equally narrow, which
cuts every ID in two.  Here a table takes the first shape that fits: a line
for each row; text wrapped at spaces; some fields below others, and those
left out that can be spared; and where that does not fit either, a block for
each row with a field on each line.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, TextIO

from wcwidth import wcswidth

from vbsclient.osc.output.columns import Column

LOG = logging.getLogger(__name__)

#: What is never cut: IDs of resources, projects and requests.
_ID = re.compile(r'(?:req-)?[0-9a-fA-F][0-9a-fA-F-]{30,}[0-9a-fA-F]')

#: No column of text is narrower, unless its words are.
_NARROWEST = 8

#: Where a line may be wrapped: at spaces, but not before a unit.
_SPACE = re.compile(' (?!(?:MB|GB|TB)\\b)')

#: The borders of a table: this for each column, and one more.
_BORDER = 3

Row = Sequence[str]


@dataclass(frozen=True)
class _Table:
    columns: Sequence[Column]
    rows: Sequence[Row]

    def width_of(self, number: int) -> int:
        """The width of one column, without any wrapping."""
        texts = (row[number] for row in self.rows)
        return _widest([self.columns[number].title, *texts])

    def widths(self, width: int, *, cuts: bool) -> list[int] | None:
        """The widths of the columns in so much room; None if it is too small.

        :param cuts: whether a long word that is no ID may be cut.
        """
        wanted = [len(column.title) for column in self.columns]
        floors = list(wanted)
        for number, column in enumerate(self.columns):
            for text in {row[number] for row in self.rows}:
                for line in text.split('\n'):
                    size = _width(line)
                    wanted[number] = max(wanted[number], size)
                    if column.kind.wraps:
                        size = _longest_piece(line, cuts)
                    floors[number] = max(floors[number], size)
        room = width - _BORDER * len(self.columns) - 1
        if sum(floors) > room:
            return None
        return _spread(floors, wanted, room)


@dataclass(frozen=True)
class Group:
    """Rows that have a table of their own.

    :ivar heading: a line before it, so that a blank one follows; '' for none.
    :ivar footing: a line after it; '' for none.
    """

    heading: str
    rows: Sequence[Sequence[Any]]
    footing: str = ''


class FittedTables:
    """Writes tables as wide as the terminal, if there is one.

    :param formatter: cliff's for tables.
    :param columns: whatever may be shown.
    :param noun: how a message names a row.
    :param drops_empty: whether to leave out a column that has no value.
    """

    def __init__(
        self,
        formatter: Any,
        columns: Iterable[Column],
        noun: str,
        *,
        drops_empty: bool = False,
    ) -> None:
        self._formatter = formatter
        self._columns = {column.title: column for column in columns}
        self._noun = noun
        self._drops_empty = drops_empty

    def emit_list(
        self,
        titles: Sequence[str],
        data: Iterable[Sequence[Any]],
        stdout: TextIO,
        parsed_args: argparse.Namespace,
    ) -> None:
        """Write rows, in the first shape that fits."""
        if width_of(stdout, parsed_args) is None and not self._drops_empty:
            # There may be many rows, which are read as they are written.
            self._formatter.emit_list(titles, data, stdout, parsed_args)
            return
        self.emit_groups(titles, [Group('', list(data))], stdout, parsed_args)

    def emit_groups(
        self,
        titles: Sequence[str],
        groups: Sequence[Group],
        stdout: TextIO,
        parsed_args: argparse.Namespace,
        *,
        is_chosen: bool = True,
    ) -> None:
        """Write a table for each group, all of one shape.

        :param is_chosen: whether its reader may choose the columns.
        """
        width = width_of(stdout, parsed_args)
        columns = [self._columns.get(t, Column(t, t)) for t in titles]
        table = _Table(
            columns,
            [list(map(_text, row)) for group in groups for row in group.rows],
        )
        if self._drops_empty or not is_chosen:
            table = _without_empty(table)
        shape = table if width is None else _fitting(table, width)
        rows = iter((shape or table).rows)
        for group in groups:
            if group.heading:
                stdout.write(f'{wrapped(group.heading, width)}\n')
            some = _Table(
                (shape or table).columns, list(islice(rows, len(group.rows)))
            )
            if shape is None:
                self._emit_blocks(some, stdout, parsed_args)
            elif some.rows or len(groups) == 1:
                self._formatter.emit_list(
                    [column.title for column in some.columns],
                    some.rows,
                    stdout,
                    parsed_args,
                )
            if group.footing:
                stdout.write(f'{wrapped(group.footing, width)}\n')
            if group.heading:
                stdout.write('\n')
        if is_chosen:
            self._say_what_is_left_out(table, shape, width)

    def emit_one(
        self,
        titles: Sequence[str],
        data: Sequence[Any],
        stdout: TextIO,
        parsed_args: argparse.Namespace,
    ) -> None:
        """Write the fields of one resource."""
        values = list(map(_text, data))
        width = width_of(stdout, parsed_args)
        if width is not None:
            room = width - 2 * _BORDER - 1 - max(map(len, titles), default=0)
            values = [wrapped(text, room) for text in values]
        self._formatter.emit_one(titles, values, stdout, parsed_args)

    def _emit_blocks(
        self,
        table: _Table,
        stdout: TextIO,
        parsed_args: argparse.Namespace,
    ) -> None:
        """Write a table of fields for each row, without those that are empty.

        All blocks have one width.
        """
        titles = [column.title for column in table.columns]
        for row in table.rows:
            fields = [
                (title.ljust(max(map(len, titles))), text)
                for title, text in zip(titles, row, strict=True)
                if text
            ]
            self.emit_one(
                [title for title, _ in fields],
                [text for _, text in fields],
                stdout,
                parsed_args,
            )

    def _say_what_is_left_out(
        self, table: _Table, shape: _Table | None, width: int | None
    ) -> None:
        if shape is None:
            LOG.warning(
                'These columns do not fit %d characters: each %s has a table '
                'of its own. Choose columns with -c, or use -f json.',
                width,
                self._noun,
            )
            return
        shown = {column.title.partition('/')[0] for column in shape.columns}
        left_out = [
            column.title
            for column in table.columns
            if column.optional and column.title not in shown
        ]
        if left_out:
            LOG.warning(
                'Not shown, for lack of room: %s. Choose columns with -c.',
                ', '.join(left_out),
            )


def fit_tables(
    formatters: Any,
    columns: Iterable[Column],
    noun: str,
    *,
    drops_empty: bool = False,
) -> None:
    """Let a command write tables that fit; all other formats stay.

    :param formatters: those that cliff has loaded for the command.
    :param columns: whatever may be shown.
    :param noun: how a message names a row.
    :param drops_empty: whether to leave out a column that has no value.
    """
    plugin = formatters['table']
    plugin.obj = FittedTables(
        plugin.obj, columns, noun, drops_empty=drops_empty
    )


def width_of(stdout: Any, parsed_args: argparse.Namespace) -> int | None:
    """The width that a table may have; None where there is no limit."""
    if parsed_args.max_width > 0:
        return int(parsed_args.max_width)
    return terminal_width(stdout)


def terminal_width(stream: Any) -> int | None:
    """The width of the terminal behind a stream; None if there is none."""
    if stream.isatty():
        # cliff's helper asks for that of standard output alone.
        with suppress(OSError, ValueError, AttributeError):
            return os.get_terminal_size(stream.fileno()).columns or None
    return None


#: A command that is meant to be copied.
_COMMAND = '  openstack '


def wrapped(text: str, width: int | None) -> str:
    """The text in lines of so many columns, as far as it can be wrapped.

    No ID is cut, and what is indented stays so in each of its lines.  A
    command on a line of its own is not wrapped: it could not be copied.

    :param width: None where there is no limit.
    """
    if width is None:
        return text
    lines = []
    for line in text.split('\n'):
        rest = line.lstrip(' ')
        if line.startswith(_COMMAND):
            lines.append(line)
            continue
        indent = line[: len(line) - len(rest)]
        lines += [indent + part for part in _lines(rest, width - len(indent))]
    return '\n'.join(lines)


def _fitting(table: _Table, width: int) -> _Table | None:
    """The table in the first shape that fits; None if none does."""
    small = _stacked(table)
    some = list(_without_optional(small, 1))
    least = some[-1] if some else small
    for shape, cuts in (
        (table, False),
        (small, False),
        *((shape, False) for shape in some),
        (least, True),
        *((shape, True) for shape in _without_optional(least, 2)),
    ):
        widths = shape.widths(width, cuts=cuts)
        if widths is not None:
            return _Table(
                shape.columns,
                [
                    [wrapped(*cell) for cell in zip(row, widths, strict=True)]
                    for row in shape.rows
                ],
            )
    return None


def _stacked(table: _Table) -> _Table:
    """The table with the fields below others that belong there."""
    titles = [column.title for column in table.columns]
    places: dict[str, list[int]] = {}
    for number, column in enumerate(table.columns):
        host = column.below if column.below in titles else column.title
        places.setdefault(host or column.title, []).append(number)
    columns: list[Column] = []
    cells: list[list[str]] = []
    for host, members in places.items():
        first = titles.index(host)
        members.sort(key=lambda number: number != first)
        texts = [
            '\n'.join(row[number] for number in members if row[number])
            for row in table.rows
        ]
        title = '/'.join(titles[number] for number in members)
        if len(title) > _widest(texts):
            # No column is wide for its title alone.
            title = host
        columns.append(replace(table.columns[first], title=title))
        cells.append(texts)
    return _Table(columns, list(zip(*cells, strict=True)))


def _without_empty(table: _Table) -> _Table:
    """The table without columns that have no value; all of an empty one."""
    return _chosen(
        table,
        [
            number
            for number in range(len(table.columns))
            if not table.rows or any(row[number] for row in table.rows)
        ],
    )


def _without_optional(table: _Table, degree: int) -> Iterator[_Table]:
    """The table without one, two ... columns of this degree, widest first."""
    kept = list(range(len(table.columns)))
    optional = [n for n in kept if table.columns[n].optional == degree]
    for number in sorted(optional, key=table.width_of, reverse=True):
        kept.remove(number)
        yield _chosen(table, kept)


def _chosen(table: _Table, kept: Sequence[int]) -> _Table:
    return _Table(
        [table.columns[number] for number in kept],
        [[row[number] for number in kept] for row in table.rows],
    )


def _spread(
    floors: Sequence[int], wanted: Sequence[int], room: int
) -> list[int]:
    """Give the room that is left to those that want more, evenly."""
    widths = list(floors)
    spare = room - sum(widths)
    hungry = [n for n in range(len(widths)) if widths[n] < wanted[n]]
    while spare > 0 and hungry:
        for number in hungry[:spare]:
            widths[number] += 1
        spare -= len(hungry[:spare])
        hungry = [n for n in hungry if widths[n] < wanted[n]]
    return widths


def _longest_piece(line: str, cuts: bool) -> int:
    """The width below which a line cannot be wrapped."""
    longest = 0
    for word in _SPACE.split(line):
        size = _width(word)
        if cuts and size > _NARROWEST:
            ids = [_width(id) for id in _ID.findall(word)]
            size = max([_NARROWEST, *ids])
        longest = max(longest, size)
    return longest


def _lines(line: str, width: int) -> list[str]:
    if _width(line) <= width:
        return [line]
    lines: list[str] = []
    current = ''
    for word in _SPACE.split(line):
        for piece in _pieces(word, width):
            joined = f'{current} {piece}' if current else piece
            if current and _width(joined) > width:
                lines.append(current)
                joined = piece
            current = joined
    return [*lines, current]


def _pieces(word: str, width: int) -> list[str]:
    """A word, cut where it is too long, but in no ID."""
    pieces: list[str] = []
    rest = word
    while _width(rest) > width:
        id = _ID.match(rest)
        end = id.end() if id else _cut(rest, width)
        if end >= len(rest):
            break
        pieces.append(rest[:end])
        rest = rest[end:]
    return [*pieces, rest]


def _cut(word: str, width: int) -> int:
    """Where to cut a word that is too long: before an ID, or at the width."""
    end = 0
    while end < len(word) and _width(word[: end + 1]) <= width:
        end += 1
    id = _ID.search(word)
    if id and 0 < id.start() < end:
        return id.start()
    return max(end, 1)


def _widest(texts: Iterable[str]) -> int:
    """The width of the widest line in some texts."""
    return max(map(_width, '\n'.join(texts).split('\n')))


def _width(text: str) -> int:
    """How many columns a terminal needs for it."""
    return len(text) if text.isascii() else max(0, wcswidth(text))


def _text(value: Any) -> str:
    """The text of a cell."""
    human: Any = getattr(value, 'human_readable', None)
    return str(human() if human else '' if value is None else value)
