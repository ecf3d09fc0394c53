# SPDX-License-Identifier: Apache-2.0
"""Lists: their options, their order, and which part of them is shown."""

from __future__ import annotations

import abc
import argparse
import gc
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, ClassVar, NamedTuple, TypeVar

from osc_lib import exceptions
from osc_lib.command import command

from vbsclient.api.client import ServiceClient
from vbsclient.api.paging import PAGE_SIZE
from vbsclient.osc.command.clock import warn_of_wrong_clock
from vbsclient.osc.command.filters import (
    refuse_empty,
    warn_of_strange_statuses,
)
from vbsclient.osc.command.show import ReadCommand
from vbsclient.osc.output.columns import Column, normalized, shown, wanted_of

T = TypeVar('T')

#: The options of lists that take a text, as their parsers know them.
_TEXTS = (
    'name',
    'name_contains',
    'status',
    'availability_zone',
    'volume',
    'server',
    'policy',
    'checkpoint',
    'backup',
    'target_project',
    'target_project_domain',
    'source_project',
    'marker',
)


#: Those that choose by age.
_AGES = ('created_before', 'created_after', 'stuck')


class SortKey(NamedTuple):
    """One key of ``--sort``."""

    field: str
    descending: bool

    @property
    def direction(self) -> str:
        """As the services write it."""
        return 'desc' if self.descending else 'asc'


@dataclass
class Found:
    """Things that a list is to show.

    :ivar things: each has an ``id``.
    :ivar in_order: whether they come in the order that was asked for.
    :ivar behind_marker: whether they begin behind the marker.
    """

    things: Iterator[Any]
    in_order: bool = False
    behind_marker: bool = False


def begun(things: Iterator[T]) -> Iterator[T]:
    """A list whose first page was read.

    :raises ClientError: if it is refused, while there is still a choice.
    """
    first = list(islice(things, 1))
    return chain(first, things)


@dataclass(eq=False)
class Later:
    """A value that is known only when the rows are."""

    value: Any = None


class ListCommand(ReadCommand, command.Lister):
    """A command that lists things, page by page."""

    #: What a row is, for the help.
    noun: ClassVar[str] = 'backup'

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the options that all lists have."""
        parser = super().get_parser(prog_name)
        if any(column.long for column in self.columns):
            parser.add_argument(
                '--long',
                action='store_true',
                help=(
                    'List additional fields in output: more than fit on most '
                    'terminals, where -c chooses some, --fit-width breaks '
                    'them, and -f json has them all'
                ),
            )
        parser.add_argument(
            '--count',
            action='store_true',
            help='Print only how many there are',
        )
        parser.add_argument(
            '--sort',
            metavar='<key>[:<direction>]',
            type=self._sort_keys,
            default=[],
            help=(
                f'Sort by these keys and directions (asc or desc, default: '
                f'asc), several separated by commas; keys: '
                f'{", ".join(self._sortable())} (default: newest first)'
            ),
        )
        _add_paging(parser, self.noun)
        return parser

    @abc.abstractmethod
    def prepare(self, parsed_args: argparse.Namespace) -> None:
        """Make the clients, and look up what the options name."""

    @abc.abstractmethod
    def find(self, parsed_args: argparse.Namespace, wanted: set[str]) -> Found:
        """What is to be listed.

        :param wanted: the fields that will be shown: nothing is to be asked
            for the others.
        """

    def clients(self) -> Iterable[ServiceClient]:
        """Those that :meth:`prepare` has made."""
        made = (getattr(self, name, None) for name in ('_vbs', '_csbs'))
        return [client for client in made if client is not None]

    def count(self, parsed_args: argparse.Namespace) -> int | None:
        """What the service counts; None where it cannot."""
        return None

    def complete(self) -> None:
        """Learn each :class:`Later` of the rows, which are known now."""

    def explain_nothing(self, parsed_args: argparse.Namespace) -> None:
        """Say why an empty list may be a slip."""

    def run(self, parsed_args: argparse.Namespace) -> int:
        """List them, or say in one sentence why not."""
        if not self.app.interactive_mode:
            # Hundreds of thousands of objects of openstack's imports would
            # be walked by each collection while the rows are made.
            gc.freeze()
        return super().run(parsed_args)

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
        """Read the list to its end before the first row is shown."""
        # A column that there is not is said before anything is asked.
        titles = [column.title for column in self.columns]
        self._generate_columns_and_selector(parsed_args, titles)
        refuse_empty(self._parser, parsed_args, _TEXTS)
        self.prepare(parsed_args)
        if parsed_args.count:
            self._number = self.count(parsed_args)
            if self._number is None:
                things = self.find(parsed_args, set()).things
                self._number = sum(1 for _ in things)
            self._compare_clocks(parsed_args)
            if not self._number:
                warn_of_strange_statuses(parsed_args.conditions)
                self.explain_nothing(parsed_args)
            return (), ()
        wanted = wanted_of(self.columns, parsed_args)
        # With -c each column can be had, and only those cost anything.
        offered = self.columns if parsed_args.columns else wanted
        rows = self._rows(parsed_args, offered, wanted)
        self._compare_clocks(parsed_args)
        if not rows:
            self.explain_nothing(parsed_args)
        if len(rows) != parsed_args.max_items:
            # Else not all were looked at.
            warn_of_strange_statuses(parsed_args.conditions)
        return [column.title for column in offered], (
            # One row at a time: a hundred thousand of them are wanted small.
            shown(offered, [_resolve(value) for value in row], parsed_args)
            for row in _drain(rows)
        )

    def produce_output(
        self,
        parsed_args: argparse.Namespace,
        column_names: Sequence[str],
        data: Iterable[Sequence[Any]],
    ) -> int:
        """Print the rows, or with ``--count`` their number."""
        if parsed_args.count:
            self.app.stdout.write(f'{self._number}\n')
            return 0
        return super().produce_output(parsed_args, column_names, data)

    def _rows(
        self,
        parsed_args: argparse.Namespace,
        offered: Sequence[Column],
        wanted: Sequence[Column],
    ) -> deque[tuple[Any, ...]]:
        fields = {column.field for column in wanted}
        found = self.find(parsed_args, fields)
        keys: list[SortKey] = [] if found.in_order else parsed_args.sort
        by_field = {column.field: column for column in self.columns}
        sorters = [by_field[key.field].value for key in keys]
        getters = [c.value if c in wanted else _nothing for c in offered]
        rows: Iterable[_Row] = (
            _Row(
                thing.id,
                tuple(value(thing) for value in sorters),
                tuple(value(thing) for value in getters),
            )
            for thing in found.things
        )
        if keys:
            rows = _sorted(rows, keys)
        if parsed_args.marker is not None and not found.behind_marker:
            rows = _behind(rows, self.marker_of(parsed_args), self.noun)
        first = islice(rows, parsed_args.max_items)
        kept = deque(row.values for row in first)
        self.complete()
        return kept

    def _compare_clocks(self, parsed_args: argparse.Namespace) -> None:
        """Where something was chosen by its age."""
        if any(getattr(parsed_args, name, None) for name in _AGES):
            warn_of_wrong_clock(self.clients())

    def marker_of(self, parsed_args: argparse.Namespace) -> str:
        """The id of the marker."""
        return str(parsed_args.marker)

    def _sortable(self) -> list[str]:
        return [column.field for column in self.columns if column.sortable]

    def _sort_keys(self, text: str) -> list[SortKey]:
        keys = []
        for part in text.split(','):
            name, _, direction = part.partition(':')
            if normalized(name) not in self._sortable():
                raise argparse.ArgumentTypeError(
                    f'{name!r} is not a key to sort by: use '
                    f'{", ".join(self._sortable())}'
                )
            if direction not in ('', 'asc', 'desc'):
                raise argparse.ArgumentTypeError(
                    f'{direction!r} is not a direction: use asc or desc'
                )
            keys.append(SortKey(normalized(name), direction == 'desc'))
        return keys


class _Row(NamedTuple):
    id: str
    keys: tuple[Any, ...]
    values: tuple[Any, ...]


def _drain(rows: deque[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Each row, kept no longer: a formatter makes its own of it."""
    while rows:
        yield rows.popleft()


def _resolve(value: Any) -> Any:
    return value.value if isinstance(value, Later) else value


def _nothing(thing: Any) -> None:
    return None


def _sorted(rows: Iterable[_Row], keys: Sequence[SortKey]) -> list[_Row]:
    """By several keys; what is not known comes last in both directions."""
    found = list(rows)
    for number, key in reversed(list(enumerate(keys))):
        known = [row for row in found if row.keys[number] is not None]
        unknown = [row for row in found if row.keys[number] is None]
        known.sort(key=_value_at(number), reverse=key.descending)
        found = known + unknown
    return found


def _value_at(number: int) -> Callable[[_Row], Any]:
    return lambda row: row.keys[number]


def _behind(rows: Iterable[_Row], marker: str, noun: str) -> Iterator[_Row]:
    remaining = iter(rows)
    if not any(row.id == marker for row in remaining):
        raise exceptions.CommandError(
            f'The marker {marker!r} is no {noun} of this list.'
        )
    return remaining


def _add_paging(parser: argparse.ArgumentParser, noun: str) -> None:
    parser.add_argument(
        '--limit',
        metavar='<limit>',
        type=_page_size,
        default=PAGE_SIZE,
        help=(
            f'How many to ask for at a time, 1 to {PAGE_SIZE} (default: '
            f'{PAGE_SIZE}); all pages are read, whatever the page size: use '
            f'--max-items to get fewer'
        ),
    )
    parser.add_argument(
        '--marker',
        metavar=f'<{noun}>',
        help=f'Begin behind this {noun}, the last one of a former list',
    )
    parser.add_argument(
        '--max-items',
        metavar='<max-items>',
        type=_positive,
        help='Show no more than so many, and read no more pages than needed',
    )


def _positive(text: str) -> int:
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
    return min(_positive(text), PAGE_SIZE)
