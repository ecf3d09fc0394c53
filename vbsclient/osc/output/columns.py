# SPDX-License-Identifier: Apache-2.0
"""Columns: readable values in tables, raw values for machines."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import attrgetter
from typing import Any

from vbsclient.api.quotas import UNLIMITED
from vbsclient.osc.output.text import Text, visible

#: A time as both services send it, in UTC.
_NO_ZONE = re.compile(
    r'[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?'
)


@dataclass(frozen=True)
class Column:
    """One column of a list, or one field of what is shown.

    :ivar title: its title in a list.
    :ivar source: the attribute of a resource that has the raw value, with
        dots, or a function that reads it.
    :ivar kind: formats the value in a table.
    :ivar long: whether only ``--long`` shows it.
    :ivar shown_by: the option that shows it, too.
    :ivar sortable: whether ``--sort`` takes it: whether its value is known
        as soon as the resource is read, and costs nothing.
    :ivar label: reads what a short table shows in place of the raw value.
    :ivar machine_only: whether a short table leaves it out: the label of
        another column has it.
    :ivar below: the title of the column in whose cells it is where a table
        is too wide.
    :ivar optional: 1 if it is left out where a table is too wide, 2 if only
        where words would be cut otherwise, and still do not fit.
    """

    title: str
    source: str | Callable[[Any], Any]
    kind: type[Text] = Text
    long: bool = False
    shown_by: str | None = None
    sortable: bool = True
    label: Callable[[Any], Any] | None = None
    machine_only: bool = False
    below: str | None = None
    optional: int = 0

    @property
    def field(self) -> str:
        """Its name for ``show`` and ``--sort``."""
        return normalized(self.title)

    @cached_property
    def value(self) -> Callable[[Any], Any]:
        """Reads the raw value from a resource."""
        if isinstance(self.source, str):
            return attrgetter(self.source)
        return self.source


def trigger(backup: Any) -> str:
    """The word for who created it."""
    return 'automatic' if backup.automatic else 'manual'


def normalized(name: str) -> str:
    """A name of a column as cliff compares it."""
    return name.lower().strip().replace(' ', '_')


def requested_columns(
    columns: Sequence[Column], parsed_args: argparse.Namespace, *, long: bool
) -> list[Column]:
    """The columns that are shown, or sorted by.

    Nothing is asked of a service for the others.

    :param long: whether all are shown unless ``-c`` names some.
    """
    if not parsed_args.columns:
        if long:
            return list(columns)
        short = [
            column
            for column in columns
            if not column.long
            or getattr(parsed_args, column.shown_by or '', False)
        ]
        if parsed_args.formatter == 'table':
            short = [column for column in short if not column.machine_only]
        return labelled(short, parsed_args)
    sort_columns = getattr(parsed_args, 'sort_columns', ())
    named = {normalized(c) for c in (*parsed_args.columns, *sort_columns)}
    return [column for column in columns if column.field in named]


def labelled(
    columns: Sequence[Column], parsed_args: argparse.Namespace
) -> list[Column]:
    """The columns, which read what a table shows if this is one."""
    if parsed_args.formatter != 'table':
        return list(columns)
    return [
        replace(column, source=column.label or column.source)
        for column in columns
    ]


def row_of(
    columns: Sequence[Column], resource: Any, parsed_args: argparse.Namespace
) -> Sequence[Any]:
    """What the columns show of a resource."""
    return cells(
        [column.value(resource) for column in columns],
        [column.kind for column in columns],
        parsed_args.formatter,
    )


def cells(
    values: Sequence[Any],
    kinds: Sequence[type[Text]],
    formatter: str,
) -> Sequence[Any]:
    """The values of a row for one formatter: raw for all but tables.

    csv would write ``None`` where there is nothing, and numbers as texts.
    """
    pairs = zip(kinds, values, strict=True)
    if formatter == 'table':
        return [kind(value) for kind, value in pairs]
    return [kind.raw(value) for kind, value in pairs]


class Word(Text):
    """A text that is never cut, such as a status."""

    wraps = False


class Time(Text):
    """A time of the service."""

    @staticmethod
    def raw(value: Any) -> Any:
        """With the zone that the service leaves out."""
        is_without = isinstance(value, str) and _NO_ZONE.fullmatch(value)
        return f'{value}+00:00' if is_without else value

    def human_readable(self) -> str:
        """Without its fraction, and with a blank where it may wrap."""
        return super().human_readable().partition('.')[0].replace('T', ' ', 1)


class Gigabytes(Text):
    """A size in GB."""

    wraps = False

    def human_readable(self) -> str:
        """In the unit in which the number is short."""
        if not isinstance(self._value, int | float):
            # Also what should be a number, and is a text in some answers.
            return super().human_readable()
        size, unit = self._value, 'GB'
        if 0 < abs(size) < 1:
            size, unit = size * 1024, 'MB'
        elif abs(size) >= 1024:
            size, unit = size / 1024, 'TB'
        return f'{size:.1f}'.removesuffix('.0') + f' {unit}'


class Limit(Text):
    """A quota."""

    def human_readable(self) -> str:
        if self._value == UNLIMITED:
            return 'unlimited'
        return super().human_readable()


class MultiLine(Text):
    """A list, each value on a line; None where it is not known."""

    separator = '\n'

    def human_readable(self) -> str:
        lines = (self.line(value) for value in self._value or ())
        return self.separator.join(map(visible, lines))

    def line(self, value: Any) -> str:
        """One value."""
        return str(value)


class CommaList(MultiLine):
    """A list of short texts."""

    separator = ', '


class Tags(MultiLine):
    """A list of tags, as ``key=value``."""

    def line(self, value: Any) -> str:
        return f'{value.get("key")}={value.get("value")}'
