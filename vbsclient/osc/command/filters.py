# SPDX-License-Identifier: Apache-2.0
"""The options that choose among backups, and what they mean.

Whatever the service was asked for is compared once more here, as far as a
backup tells it: what a list shows is what the options say, however loosely a
service reads them.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Protocol

from vbsclient.api.times import CalendarDuration, parse_timestamp
from vbsclient.osc.command.times import (
    parse_calendar_duration,
    parse_time,
    valid_time,
)
from vbsclient.osc.output.text import shortened

LOG = logging.getLogger(__name__)

#: States in which nothing is going on.  All others pass by themselves, or
#: should: no list of them is complete.
_AT_REST = frozenset({'available', 'deleted'})

#: What the references of both services and block storage call a state.  Not
#: complete, as services grow: a state that rows have is one, too.
_STATUSES = frozenset(
    {
        *('creating', 'available', 'restoring', 'deleting', 'deleted'),
        *('error', 'error_restoring', 'error_deleting', 'error-deleting'),
        *('waiting_protect', 'protecting'),
        *('waiting_restore', 'waiting_delete'),
    }
)


class Filterable(Protocol):
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
    :ivar strange: those of the statuses that no service is known to have,
        as long as no backup has one.
    """

    name: str | None = None
    name_contains: str | None = None
    statuses: frozenset[str] = frozenset()
    availability_zone: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    unchanged_since: datetime | None = None
    automatic: bool | None = None
    strange: set[str] = field(default_factory=set, compare=False)

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

    def fit(self, thing: Filterable) -> bool:
        """Whether all of them are met."""
        status = thing.status.lower()
        self.strange.discard(status)
        return (
            self.name in (None, thing.name)
            and (self.name_contains or '') in (thing.name or '')
            and (not self.statuses or status in self.statuses)
            and self.availability_zone in (None, thing.availability_zone)
            and self._is_made_in_time(thing)
            and self.automatic in (None, thing.automatic)
            and self._is_stuck(thing)
        )

    def _is_made_in_time(self, thing: Filterable) -> bool:
        if self.since is None and self.before is None:
            return True
        made = parse_timestamp(thing.created_at)
        return made is not None and not (
            (self.since is not None and made < self.since)
            or (self.before is not None and made >= self.before)
        )

    def _is_stuck(self, thing: Filterable) -> bool:
        if self.unchanged_since is None:
            return True
        if not is_transient(thing.status):
            return False
        changed = parse_timestamp(thing.updated_at or thing.created_at)
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
            type=parse_calendar_duration,
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
            type=valid_time,
            help=(
                f'Only what was {made} {word} this date (2026-11-21, UTC '
                f'unless it says a zone) or so long ago (12h, 30d, 6mo)'
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
    """What these options say now, which ``parsed_args`` then has, too.

    Dates and calendars are those of ``--timezone``, where a command has it.
    """
    now = datetime.now(timezone.utc)
    zone = getattr(parsed_args, 'timezone', None) or timezone.utc
    since, before = (
        text and parse_time(text, zone, now)
        for text in (parsed_args.created_after, parsed_args.created_before)
    )
    stuck: CalendarDuration | None = getattr(parsed_args, 'stuck', None)
    statuses = frozenset(map(str.lower, parsed_args.status or ()))
    for option, moment_, effect in (
        ('--created-after', since, 'nothing'),
        ('--created-before', before, 'everything'),
    ):
        if moment_ is not None and moment_ > now:
            LOG.warning(
                '%s %s is in the future: it selects %s.',
                option,
                f'{moment_:%Y-%m-%d %H:%M} UTC',
                effect,
            )
    parsed_args.conditions = conditions = Conditions(
        name=parsed_args.name,
        name_contains=parsed_args.name_contains,
        statuses=statuses,
        availability_zone=parsed_args.availability_zone,
        since=since,
        before=before,
        unchanged_since=stuck.before(now, zone) if stuck else None,
        automatic=getattr(parsed_args, 'automatic', None),
        strange=set(statuses - _STATUSES),
    )
    return conditions


def warn_of_strange_statuses(conditions: Conditions) -> None:
    """Say that nothing was found because nothing can be.

    A monitor that counts what is ``avaliable`` would be content for ever.
    To be called when all that may fit has been seen.
    """
    from difflib import get_close_matches

    for status in sorted(conditions.strange):
        near = get_close_matches(status, sorted(_STATUSES), 1)
        LOG.warning(
            'No service is known to have the status %s, and no backup has '
            'it%s',
            shortened(status, 60),
            f': do you mean {near[0]}?' if near else '.',
        )
