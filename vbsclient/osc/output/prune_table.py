# SPDX-License-Identifier: Apache-2.0
"""A plan of what stays and what goes, as a person reads it.

A table for each volume or server.  Two ids in one line leave no room for
anything else, so that the one of the group is in a heading, and that of the
backup below its name where the terminal is narrow.  In a pipe, and where a
format or columns were chosen, all groups are one table.
"""

from __future__ import annotations

import argparse
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from vbsclient.deletion.prune import group_label
from vbsclient.osc.output.columns import Column, MultiLine, Time, row_of
from vbsclient.osc.output.text import Text, visible
from vbsclient.retention import Candidate, Decision, Plan

#: What stands beside names and reasons where a backup has one line: the id,
#: a time, a size such as 1023.9 GB, the action, and what is between them.
_BESIDE_BOTH = 36 + 19 + 9 + 6 + 19

#: What stands beside the reasons where a backup has several lines.
_BESIDE_REASONS = 36 + 10 + 6 + 13

#: No reason is cut into smaller pieces.
_NARROWEST_REASON = 15


class _Group(Text):
    """A volume or server: for a person its name, for a machine its id."""

    def human_readable(self) -> str:
        """For a terminal."""
        backup: Candidate = self._value
        return visible(backup.group_name or backup.group)


class _Backup(Text):
    """A backup: its name and below it its id."""

    def human_readable(self) -> str:
        """For a terminal."""
        backup: Candidate = self._value
        return f'{visible(backup.name or "")}\n{visible(backup.id)}'


class _BrokenTime(Time):
    """A day, and below it the time."""

    def human_readable(self) -> str:
        """For a terminal."""
        return super().human_readable().replace(' ', '\n', 1)


class Layout:
    """The columns of the tables.

    :param decisions: what will be shown.
    :param size: makes of a size what a table shows.
    :param width: the columns of the terminal, or None.
    """

    def __init__(
        self,
        decisions: Sequence[Decision],
        size: type[Text],
        width: int | None,
    ) -> None:
        self.columns = (
            _wide(size)
            if width is None or width >= _needed(decisions)
            else _narrow(width)
        )
        self.titles = [column.title for column in self.columns]

    def rows(
        self, decisions: Iterable[Decision], parsed_args: argparse.Namespace
    ) -> list[Sequence[Any]]:
        """The rows of one table."""
        return [
            row_of(self.columns, decision, parsed_args)
            for decision in decisions
        ]


def one_table(size: type[Text], *, for_people: bool) -> Sequence[Column]:
    """The columns of a table of all groups.

    :param size: as of :class:`Layout`.
    """

    def group(decision: Decision) -> object:
        return decision.backup if for_people else decision.backup.group

    return (Column('Group', group, _Group), *_wide(size))


def by_group(
    plan: Plan, decisions: Iterable[Decision], noun: str
) -> Iterator[tuple[str, list[Decision]]]:
    """The heading of each group, and what is to be shown of it.

    :param noun: what the groups are.
    """
    every = Counter(d.backup.group for d in plan.decisions)
    going = Counter(d.backup.group for d in plan.deleted)
    for group, members in groupby(decisions, lambda d: d.backup.group):
        rows = list(members)
        label = visible(group_label(rows[0].backup))
        goes = 'goes' if going[group] == 1 else 'go'
        yield (
            f'{noun.capitalize()} {label}: {going[group]} of {every[group]} '
            f'{goes}',
            rows,
        )


def _needed(decisions: Iterable[Decision]) -> int:
    """How wide a terminal must be for one line each."""
    names = reasons = 0
    for decision in decisions:
        names = max(names, len(visible(decision.backup.name or '')))
        reasons = max(reasons, *map(len, decision.reasons))
    return _BESIDE_BOTH + names + reasons


def _wide(size: type[Text]) -> Sequence[Column]:
    return (
        Column('Name', lambda d: d.backup.name),
        Column('ID', lambda d: d.backup.id),
        Column('Created At', lambda d: d.backup.created_at, Time),
        Column('Size', lambda d: d.backup.size, size),
        Column('Action', _action_of),
        Column('Reasons', lambda d: list(d.reasons), MultiLine),
    )


def _narrow(width: int) -> Sequence[Column]:
    room = max(width - _BESIDE_REASONS, _NARROWEST_REASON)
    return (
        Column('Name and ID', lambda d: d.backup, _Backup),
        Column('Created At', lambda d: d.backup.created_at, _BrokenTime),
        Column('Action', _action_of),
        Column('Reasons', lambda d: _folded(d.reasons, room), MultiLine),
    )


def _action_of(decision: Decision) -> str:
    """The word for what becomes of a backup."""
    return 'keep' if decision.keep else 'delete'


def _folded(reasons: Iterable[str], room: int) -> list[str]:
    return [line for reason in reasons for line in textwrap.wrap(reason, room)]
