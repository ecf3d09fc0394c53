# SPDX-License-Identifier: Apache-2.0
"""Values as a person reads them; machines get what is on the wire."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from vbsclient.api.quotas import UNLIMITED
from vbsclient.osc.output.text import Text, visible


@dataclass(frozen=True)
class Column:
    """One column of a list, or one field of what is shown.

    :ivar title: as a list names it.
    :ivar value: takes the value out of a thing, raw.
    :ivar kind: makes of it what the formatters take.
    :ivar long: whether only ``--long`` shows it.
    :ivar sortable: whether ``--sort`` takes it: whether its value is known
        as soon as the thing is read, and costs nothing.
    """

    title: str
    value: Callable[[Any], Any]
    kind: Callable[[Any], Any] = Text
    long: bool = False
    sortable: bool = True

    @property
    def field(self) -> str:
        """As ``show`` and ``--sort`` name it."""
        return normalized(self.title)


class HasTrigger(Protocol):
    """Something that a policy or a person started."""

    @property
    def automatic(self) -> bool: ...


def trigger(made: HasTrigger) -> str:
    """The word for who started it."""
    return 'automatic' if made.automatic else 'manual'


def normalized(name: str) -> str:
    """A name of a column as cliff compares it."""
    return name.lower().strip().replace(' ', '_')


def wanted_of(
    columns: Sequence[Column], parsed_args: argparse.Namespace
) -> list[Column]:
    """The columns that will really be shown, or sorted by.

    Nothing is asked of a service for the others.
    """
    if not parsed_args.columns:
        long = getattr(parsed_args, 'long', True)
        return [column for column in columns if long or not column.long]
    named = {
        normalized(name)
        for name in (
            *parsed_args.columns,
            *getattr(parsed_args, 'sort_columns', ()),
        )
    }
    return [column for column in columns if column.field in named]


def row_of(
    columns: Sequence[Column], thing: Any, parsed_args: argparse.Namespace
) -> Sequence[Any]:
    """A thing as a row: what each column takes out of it."""
    return shown(
        columns, [column.value(thing) for column in columns], parsed_args
    )


def shown(
    columns: Sequence[Column],
    values: Sequence[Any],
    parsed_args: argparse.Namespace,
) -> Sequence[Any]:
    """The values of a row, for people in a table and raw for machines."""
    return cells(
        values, [column.kind for column in columns], parsed_args.formatter
    )


def cells(
    values: Sequence[Any],
    kinds: Sequence[Callable[[Any], Any]],
    formatter: str,
) -> Sequence[Any]:
    """The values of a row as one formatter takes them.

    csv would write ``None`` where there is nothing, and numbers as texts.
    """
    if formatter == 'table':
        return [kind(value) for kind, value in zip(kinds, values, strict=True)]
    return values


class Time(Text):
    """A time of the service."""

    def human_readable(self) -> str:
        """For a terminal: without its fraction, broken where it is narrow."""
        return super().human_readable().partition('.')[0].replace('T', ' ', 1)


class Gigabytes(Text):
    """A size in GB."""

    def human_readable(self) -> str:
        """For a terminal."""
        return '' if self._value is None else f'{self._value} GB'


class Megabytes(Text):
    """A size in MB."""

    def human_readable(self) -> str:
        """For a terminal: a unit in which the number is short."""
        if not isinstance(self._value, int | float):
            # Also what should be a number, and is a text in some answers.
            return super().human_readable()
        size, unit = self._value, 'MB'
        for unit in ('MB', 'GB', 'TB'):
            if abs(size) < 1024 or unit == 'TB':
                break
            size /= 1024
        return f'{size:.1f}'.removesuffix('.0') + f' {unit}'


class Limit(Text):
    """A quota."""

    def human_readable(self) -> str:
        """For a terminal."""
        if self._value == UNLIMITED:
            return 'unlimited'
        return super().human_readable()


class MultiLine(Text):
    """A list of texts; None where it is not known."""

    separator = '\n'

    def human_readable(self) -> str:
        """For a terminal: one a line."""
        return self.separator.join(_texts(self._value))


class CommaList(MultiLine):
    """A list of short texts."""

    separator = ', '


class Tags(MultiLine):
    """A list of ``{key, value}``."""

    def human_readable(self) -> str:
        """For a terminal: ``key=value``, one a line."""
        return '\n'.join(
            visible(f'{tag.get("key")}={tag.get("value")}')
            for tag in self._value or ()
            if isinstance(tag, dict)
        )


def _texts(values: Iterable[Any] | None) -> list[str]:
    return [visible(str(value)) for value in values or ()]
