# SPDX-License-Identifier: Apache-2.0
"""The options that choose among backups, and what they mean.

Whatever the service was asked for is compared once more here, as far as a
backup tells it: what a list shows is what the options say, however loosely a
service reads them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Protocol

from vbsclient.api.times import moment_of
from vbsclient.osc.moments import parse_duration, parse_moment

#: States in which nothing is going on.  All others pass by themselves, or
#: should: no list of them is complete.
_AT_REST = frozenset({'available', 'deleted'})


class Described(Protocol):
    """What can be chosen by these options."""

    @property
    def name(self) -> str | None: ...

    @property
    def status(self) -> str: ...

    @property
    def availability_zone(self) -> str | None: ...

    @property
    def created_at(self) -> str | None: ...

    @property
    def updated_at(self) -> str | None: ...

    @property
    def automatic(self) -> bool: ...


@dataclass(frozen=True)
class Conditions:
    """What the options say.

    :ivar since: the earliest creation.
    :ivar before: creations from this moment on do not fit.
    :ivar unchanged_since: a state that passes by itself, but has not since
        this moment.
    :ivar automatic: whether a policy made it; None for both.
    """

    name: str | None = None
    name_contains: str | None = None
    statuses: frozenset[str] = frozenset()
    availability_zone: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    unchanged_since: datetime | None = None
    automatic: bool | None = None

    @property
    def status(self) -> str | None:
        """The status to ask the service for, which takes only one."""
        return next(iter(self.statuses)) if len(self.statuses) == 1 else None

    @property
    def countable(self) -> bool:
        """Whether a service that compares exactly can count what fits."""
        return len(self.statuses) < 2 and not (
            self.name_contains
            or self.availability_zone
            or self.since
            or self.before
            or self.unchanged_since
            or self.automatic is not None
        )

    def fit(self, thing: Described) -> bool:
        """Whether all of them are met."""
        return (
            self.name in (None, thing.name)
            and (self.name_contains or '') in (thing.name or '')
            and (not self.statuses or thing.status in self.statuses)
            and self.availability_zone in (None, thing.availability_zone)
            and self._is_made_in_time(thing)
            and self.automatic in (None, thing.automatic)
            and self._is_stuck(thing)
        )

    def _is_made_in_time(self, thing: Described) -> bool:
        if self.since is None and self.before is None:
            return True
        made = moment_of(thing.created_at)
        return made is not None and not (
            (self.since is not None and made < self.since)
            or (self.before is not None and made >= self.before)
        )

    def _is_stuck(self, thing: Described) -> bool:
        if self.unchanged_since is None:
            return True
        if not is_transient(thing.status):
            return False
        changed = moment_of(thing.updated_at or thing.created_at)
        return changed is not None and changed <= self.unchanged_since


def is_transient(status: str) -> bool:
    """Whether a state is one that should pass by itself."""
    return status not in _AT_REST and not status.startswith('error')


def add_filters(
    parser: argparse.ArgumentParser,
    *,
    stuck: bool = True,
    triggers: bool = True,
    made: str = 'made',
) -> None:
    """The options that all lists of backups have.

    :param stuck: whether what is listed has states that pass.
    :param triggers: whether somebody or a policy starts what is listed.
    :param made: what the creation is called.
    """
    names = parser.add_mutually_exclusive_group()
    names.add_argument(
        '--name', metavar='<name>', help='Only backups of exactly this name'
    )
    names.add_argument(
        '--name-contains',
        metavar='<text>',
        help='Only backups with this text in their names',
    )
    parser.add_argument(
        '--status',
        metavar='<status>',
        action='append',
        help=(
            'Only backups in this state, such as available, error or '
            'deleting; repeat for several'
        ),
    )
    parser.add_argument(
        '--availability-zone',
        metavar='<zone>',
        help='Only backups in this availability zone',
    )
    add_times(parser, made)
    if triggers:
        _add_triggers(parser)
    if stuck:
        parser.add_argument(
            '--stuck',
            metavar='<duration>',
            type=parse_duration,
            help=(
                'Only backups in a state that should pass by itself '
                '(creating, deleting, ...) and that have not changed for so '
                'long, for example 2h'
            ),
        )


def _add_triggers(parser: argparse.ArgumentParser) -> None:
    triggers = parser.add_mutually_exclusive_group()
    for name, automatic, made in (
        ('--manual', False, 'that somebody made'),
        ('--automatic', True, 'that a policy made'),
    ):
        triggers.add_argument(
            name,
            dest='automatic',
            action='store_const',
            const=automatic,
            help=f'Only backups {made}',
        )


def add_times(parser: argparse.ArgumentParser, made: str = 'made') -> None:
    """The options that choose by the creation."""
    for option, word in (
        ('--created-before', 'before'),
        ('--created-after', 'at or after'),
    ):
        parser.add_argument(
            option,
            metavar='<time>',
            type=parse_moment,
            help=(
                f'Only what was {made} {word} this date (2026-11-21, UTC '
                f'unless it says a zone) or so long ago (30d, 12h)'
            ),
        )


def refuse_empty(
    parser: argparse.ArgumentParser,
    parsed_args: argparse.Namespace,
    names: Iterable[str],
) -> None:
    """End with a usage error where a text is empty.

    It is what an unset variable of a shell leaves: some of these would then
    choose nothing and others everything, which the next command may delete.

    :param names: of the options, as the parser knows them; those that a
        command has not are passed over.
    """
    for name in names:
        value = getattr(parsed_args, name, None)
        if value == '' or (isinstance(value, list) and '' in value):
            option = name.replace('_', '-')
            parser.error(f'--{option} is empty: an empty text selects nothing')


def conditions_of(parsed_args: argparse.Namespace) -> Conditions:
    """What these options say now."""
    stuck: timedelta | None = getattr(parsed_args, 'stuck', None)
    return Conditions(
        name=parsed_args.name,
        name_contains=parsed_args.name_contains,
        statuses=frozenset(parsed_args.status or ()),
        availability_zone=parsed_args.availability_zone,
        since=parsed_args.created_after,
        before=parsed_args.created_before,
        unchanged_since=datetime.now(timezone.utc) - stuck if stuck else None,
        automatic=getattr(parsed_args, 'automatic', None),
    )
