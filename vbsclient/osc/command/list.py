# SPDX-License-Identifier: Apache-2.0
"""Lists: their options, their order, and which part of them is shown.

A list command declares its columns and its noun, adds its own options, and
finds the rows.  All else is here: sorting, pages, markers, counts, and that
nothing is asked for columns that are not shown.
"""

from __future__ import annotations

import abc
import argparse
import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, ClassVar, NamedTuple

from osc_lib import exceptions
from osc_lib.command import command

from vbsclient.api import errors
from vbsclient.api.paging import PAGE_SIZE
from vbsclient.osc.command import filters
from vbsclient.osc.command.clock import warn_of_wrong_clock
from vbsclient.osc.command.show import ReadCommand
from vbsclient.osc.command.signals import freeze_heap
from vbsclient.osc.output.columns import (
    cells,
    normalized,
    requested_columns,
)

#: The options that filter by age.
_AGES = ('created_before', 'created_after', 'since', 'stuck')


class SortKey(NamedTuple):
    """One key of ``--sort``, with ``asc`` or ``desc``."""

    field: str
    direction: str


@dataclass
class Found:
    """What a list has found.

    :ivar rows: each has an ``id``.
    :ivar by_service: whether the service has sorted them, and starts after
        the marker.
    :ivar total: how many there are, if the service counted instead.
    :ivar complete: sets each :class:`DeferredValue` of the rows, to be called
        when all that are shown have been read.
    :ivar hint: what may be wrong if there are none.
    """

    rows: Iterable[Any] = ()
    by_service: bool = False
    total: int | None = None
    complete: Callable[[], None] | None = None
    hint: str | None = None


@dataclass(eq=False)
class DeferredValue:
    """A value that is known only when all rows have been read."""

    value: Any = None


def sorted_by_service(read: Callable[[], Iterator[Any]]) -> Found | None:
    """Rows in an order that the service makes.

    :param read: asks for them.
    :returns: None if that is refused: a service may sort by less than its
        reference says.
    """
    with suppress(errors.BadRequest):
        rows = read()
        return Found(chain(list(islice(rows, 1)), rows), by_service=True)
    return None


def newest_first(lists: Iterable[Iterable[Any]]) -> Iterator[Any]:
    """The rows of several lists, each of which has its newest first."""
    return heapq.merge(
        *lists, key=lambda row: row.created_at or '', reverse=True
    )


class ListCommand(ReadCommand, command.Lister):
    """A command that lists resources, page by page."""

    #: Whether there may be so many that a service has pages of them.
    has_pages: ClassVar[bool] = True

    #: How they are sorted unless ``--sort`` says it.
    order: ClassVar[str] = 'newest first'

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.set_defaults(conditions=filters.Conditions())
        if any(column.long for column in self.columns):
            parser.add_argument(
                '--long',
                action='store_true',
                help=(
                    'List additional fields in output: more than fit on most '
                    'terminals; use -c to choose some, --fit-width to wrap '
                    'them, or -f json'
                ),
            )
        parser.add_argument(
            '--count',
            action='store_true',
            help='Print only the number of results',
        )
        parser.add_argument(
            '--sort',
            metavar='<key>[:<direction>]',
            type=self._sort_keys,
            default=[],
            help=(
                f'Sort output by these keys and directions (asc or desc, '
                f'default: asc), separated by commas; keys: '
                f'{", ".join(self._sortable())} (default: {self.order})'
            ),
        )
        self._add_paging(parser)
        return parser

    @abc.abstractmethod
    def find(self, parsed_args: argparse.Namespace, fields: set[str]) -> Found:
        """Look up what the options name, and find the rows.

        With ``--count`` it may let the service count instead.  A marker that
        is given by its name is replaced by its id in ``parsed_args``.

        :param fields: the fields that are shown: nothing is to be asked for
            the others.
        """

    def run(self, parsed_args: argparse.Namespace) -> int:
        freeze_heap(self.app)
        return super().run(parsed_args)

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
        """Read the list to its end before the first row is shown."""
        # An unknown column is refused before anything is sent.
        titles = [column.title for column in self.columns]
        self._generate_columns_and_selector(parsed_args, titles)
        filters.refuse_empty(self._parser, parsed_args)
        if parsed_args.count:
            with self.reading(parsed_args):
                self._count(parsed_args)
            return (), ()
        requested = requested_columns(
            self.columns, parsed_args, long=getattr(parsed_args, 'long', False)
        )
        # With -c all columns are offered, and only the requested ones cost
        # anything.
        offered = self.columns if parsed_args.columns else requested
        getters = [c.value if c in requested else _nothing for c in offered]
        with self.reading(parsed_args):
            found = self.find(
                parsed_args, {column.field for column in requested}
            )
            rows = self._rows(parsed_args, found, getters)
        # With --max-items not all may have been seen.
        self._warn(
            parsed_args, found, rows, len(rows) != parsed_args.max_items
        )
        kinds = [column.kind for column in offered]
        return [column.title for column in offered], (
            cells(row, kinds, parsed_args.formatter) for row in _drain(rows)
        )

    def produce_output(
        self,
        parsed_args: argparse.Namespace,
        column_names: Sequence[str],
        data: Iterable[Sequence[Any]],
    ) -> int:
        if parsed_args.count:
            self.app.stdout.write(f'{self._number}\n')
            return 0
        return super().produce_output(parsed_args, column_names, data)

    def _count(self, parsed_args: argparse.Namespace) -> None:
        found = self.find(parsed_args, set())
        self._number = found.total
        if self._number is None:
            self._number = sum(1 for _ in found.rows)
        self._warn(parsed_args, found, self._number, not self._number)

    def _rows(
        self,
        parsed_args: argparse.Namespace,
        found: Found,
        getters: Sequence[Callable[[Any], Any]],
    ) -> deque[tuple[Any, ...]]:
        """The values of each row, small: there may be 100,000 of them."""
        keys: list[SortKey] = [] if found.by_service else parsed_args.sort
        by_field = {column.field: column for column in self.columns}
        sorters = [by_field[key.field].value for key in keys]
        rows: Iterable[_Row] = (
            _Row(
                row.id,
                tuple(value(row) for value in sorters),
                tuple(value(row) for value in getters),
            )
            for row in found.rows
        )
        if keys:
            rows = _sorted(rows, keys)
        if parsed_args.marker is not None and not found.by_service:
            rows = _after(rows, parsed_args.marker)
        shown = deque(
            row.values for row in islice(rows, parsed_args.max_items)
        )
        if found.complete is not None:
            found.complete()
        return shown

    def _warn(
        self,
        parsed_args: argparse.Namespace,
        found: Found,
        rows: object,
        are_all_seen: bool,
    ) -> None:
        """Say what may be wrong with the clock or the options."""
        if any(getattr(parsed_args, name, None) for name in _AGES):
            warn_of_wrong_clock(self.clients())
        if not rows and found.hint:
            self.log.warning('%s', found.hint)
        if are_all_seen:
            filters.warn_of_unknown_statuses(parsed_args.conditions)

    def _add_paging(self, parser: argparse.ArgumentParser) -> None:
        max_items = 'Maximum number of results'
        if self.has_pages:
            max_items += '; no more pages are read than needed'
            parser.add_argument(
                '--limit',
                metavar='<limit>',
                type=_page_size,
                default=PAGE_SIZE,
                help=(
                    f'Page size, 1 to {PAGE_SIZE} (default: {PAGE_SIZE}); all '
                    f'pages are read: use --max-items to list fewer'
                ),
            )
            parser.add_argument(
                '--marker',
                metavar=f'<{self.noun}>',
                help=f'Start after this {self.noun} ({self.named_by})',
            )
        parser.set_defaults(marker=None)
        parser.add_argument(
            '--max-items',
            metavar='<max-items>',
            type=positive,
            help=max_items,
        )

    def _sortable(self) -> list[str]:
        return [column.field for column in self.columns if column.sortable]

    def _sort_keys(self, text: str) -> list[SortKey]:
        keys = []
        for part in text.split(','):
            name, _, direction = part.partition(':')
            if normalized(name) not in self._sortable():
                raise argparse.ArgumentTypeError(
                    f'{name!r} is not a sort key: use '
                    f'{", ".join(self._sortable())}'
                )
            if direction not in ('', 'asc', 'desc'):
                raise argparse.ArgumentTypeError(
                    f'{direction!r} is not a sort direction: use asc or desc'
                )
            keys.append(SortKey(normalized(name), direction or 'asc'))
        return keys


class _Row(NamedTuple):
    id: str
    keys: tuple[Any, ...]
    values: tuple[Any, ...]


def _drain(rows: deque[tuple[Any, ...]]) -> Iterator[list[Any]]:
    """The rows with their deferred values, one at a time.

    None is kept here: a formatter makes its own of it.
    """
    while rows:
        yield [
            value.value if isinstance(value, DeferredValue) else value
            for value in rows.popleft()
        ]


def _nothing(row: Any) -> None:
    return None


def _sorted(rows: Iterable[_Row], keys: Sequence[SortKey]) -> list[_Row]:
    """By several keys; what is not known comes last in both directions."""
    found = list(rows)
    for number, key in reversed(list(enumerate(keys))):
        known = [row for row in found if row.keys[number] is not None]
        unknown = [row for row in found if row.keys[number] is None]
        known.sort(
            key=lambda row: row.keys[number],
            reverse=key.direction == 'desc',
        )
        found = known + unknown
    return found


def _after(rows: Iterable[_Row], marker: str) -> Iterator[_Row]:
    remaining = iter(rows)
    if not any(row.id == marker for row in remaining):
        raise exceptions.CommandError(f'Marker {marker!r} not found.')
    return remaining


def positive(text: str) -> int:
    """Parse a number greater than 0.

    :raises ArgumentTypeError: if it is none.
    """
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(
            f'{text!r} is not a number greater than 0'
        )
    return number


def _page_size(text: str) -> int:
    return min(positive(text), PAGE_SIZE)
