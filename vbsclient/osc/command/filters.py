# SPDX-License-Identifier: Apache-2.0
"""The options that filter backups, and what they mean.

Whatever the service was asked for is compared once more here, as far as a
backup shows it: a list has what the options say, however loosely a service
reads them.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from vbsclient.api.times import CalendarDuration, parse_timestamp
from vbsclient.osc.command import times
from vbsclient.osc.output.text import shortened

if TYPE_CHECKING:
    from vbsclient.api.csbs import ServerBackup
    from vbsclient.api.vbs import Backup
    from vbsclient.lookup.resources import Resources

LOG = logging.getLogger(__name__)

#: All other states pass by themselves, or should; but for errors.
_STABLE = frozenset({'available', 'deleted'})

#: The states in the references of both services and of block storage.  Not
#: complete, as services grow: a state that a backup has is one, too.
_STATUSES = frozenset(
    {
        *('creating', 'available', 'restoring', 'deleting', 'deleted'),
        *('error', 'error_restoring', 'error_deleting', 'error-deleting'),
        *('waiting_protect', 'protecting'),
        *('waiting_restore', 'waiting_delete'),
    }
)


@dataclass(frozen=True)
class Projects:
    """Of which projects backups are listed.

    :ivar are_foreign: whether those of other projects are.
    :ivar project_id: of this one only; None for all.
    """

    are_foreign: bool = False
    project_id: str | None = None

    @classmethod
    def of(
        cls, parsed_args: argparse.Namespace, resources: Resources
    ) -> Projects:
        """What the options of :func:`add_projects` say, if there are any.

        :raises CommandError: if there is no such project.
        """
        project = getattr(parsed_args, 'project', None)
        if project is None:
            return cls(getattr(parsed_args, 'all_projects', False))
        domain = parsed_args.project_domain
        return cls(True, resources.project_id(project, domain))


#: Only those of the project that is logged in to.
NO_OTHERS = Projects()


def add_all_projects(parser: Any, where: str = '') -> None:
    """Add the option that lists backups of all projects.

    No command that changes something has it.

    :param where: which clouds have it.
    """
    parser.add_argument(
        '--all-projects',
        action='store_true',
        help=f'Include all projects (administrators only{where})',
    )


def add_projects(parser: argparse.ArgumentParser) -> None:
    """Add the options that list backups of other projects.

    Only block storage tells whose a backup is, so that one can be chosen.
    """
    projects = parser.add_mutually_exclusive_group()
    add_all_projects(projects, ', block storage only')
    projects.add_argument(
        '--project',
        metavar='<project>',
        help='Only backups of this project (name or ID; administrators only)',
    )
    parser.add_argument(
        '--project-domain',
        metavar='<domain>',
        help='Domain of that project (name or ID)',
    )


@dataclass(frozen=True)
class Conditions:
    """What the options say.

    :ivar since: the earliest creation.
    :ivar before: backups created from this time on do not match.
    :ivar unchanged_since: only backups in a state that should pass by
        itself, but has not since this time.
    :ivar automatic: whether a policy created it; None for both.
    :ivar unknown_statuses: the statuses that no service is known to have,
        as long as no backup has one.
    """

    names: frozenset[str] = frozenset()
    name_contains: str | None = None
    statuses: frozenset[str] = frozenset()
    availability_zone: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    unchanged_since: datetime | None = None
    automatic: bool | None = None
    unknown_statuses: set[str] = field(default_factory=set, compare=False)

    @property
    def name(self) -> str | None:
        """The name to ask the service for, which takes only one."""
        return only_one(self.names)

    @property
    def status(self) -> str | None:
        """The status to ask the service for, which takes only one."""
        return only_one(self.statuses)

    @property
    def countable(self) -> bool:
        """Whether a service that compares exactly can count the matches."""
        counted = Conditions(names=self.names, statuses=self.statuses)
        return max(len(self.names), len(self.statuses)) < 2 and self == counted

    def match(self, backup: Backup | ServerBackup) -> bool:
        """Whether a backup meets all of them."""
        status = backup.status.lower()
        self.unknown_statuses.discard(status)
        return (
            (not self.names or backup.name in self.names)
            and (self.name_contains or '') in (backup.name or '')
            and (not self.statuses or status in self.statuses)
            and self.availability_zone in (None, backup.availability_zone)
            and self._is_created_in_time(backup.created_at)
            and self.automatic in (None, backup.automatic)
            and self._is_stuck(backup)
        )

    def _is_created_in_time(self, text: str | None) -> bool:
        if self.since is None and self.before is None:
            return True
        created = parse_timestamp(text)
        return created is not None and not (
            (self.since is not None and created < self.since)
            or (self.before is not None and created >= self.before)
        )

    def _is_stuck(self, backup: Backup | ServerBackup) -> bool:
        if self.unchanged_since is None:
            return True
        if not is_transient(backup.status):
            return False
        changed = parse_timestamp(backup.updated_at or backup.created_at)
        return changed is not None and changed <= self.unchanged_since


def only_one(values: Collection[str] | None) -> str | None:
    """The value to ask a service for that takes one; None for several."""
    return next(iter(values)) if values and len(values) == 1 else None


def is_transient(status: str) -> bool:
    """Whether a state is one that should pass by itself."""
    return status not in _STABLE and not status.startswith('error')


def add_filters(
    parser: argparse.ArgumentParser, *, of_shares: bool = False
) -> None:
    """Add the options that all lists of backups have.

    :param of_shares: whether shares of backups are listed, which have no
        states that pass, and no trigger.
    """
    names = parser.add_mutually_exclusive_group()
    names.add_argument(
        '--name',
        metavar='<name>',
        action='append',
        help='Only backups with exactly this name; repeat for several',
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
            'Only backups with this status, such as available, error or '
            'deleting; repeat for several'
        ),
    )
    parser.add_argument(
        '--availability-zone',
        metavar='<zone>',
        help='Only backups in this availability zone',
    )
    for option, word in (
        ('--created-before', 'before'),
        ('--created-after', 'at or after'),
    ):
        parser.add_argument(
            option,
            metavar='<time>',
            type=times.valid_time,
            help=(
                f'Only {"shares" if of_shares else "backups"} created {word} '
                f'this date (2026-11-21, UTC unless it has a time zone) or '
                f'this long ago (12h, 30d, 6mo)'
            ),
        )
    if not of_shares:
        _add_triggers(parser)
        parser.add_argument(
            '--stuck',
            metavar='<duration>',
            type=times.parse_calendar_duration,
            help=(
                'Only backups in a state that should pass by itself '
                '(creating, deleting, ...) and has not changed for this '
                'long, for example 2h'
            ),
        )


def _add_triggers(parser: argparse.ArgumentParser) -> None:
    triggers = parser.add_mutually_exclusive_group()
    for name, automatic, creator in (
        ('--manual', False, 'a user'),
        ('--automatic', True, 'a policy'),
    ):
        triggers.add_argument(
            name,
            dest='automatic',
            action='store_const',
            const=automatic,
            help=f'Only backups that {creator} created',
        )


def refuse_empty(
    parser: argparse.ArgumentParser, parsed_args: argparse.Namespace
) -> None:
    """End with a usage error where the text of an option is empty.

    An unset variable of a shell leaves that: some of these options would
    then select nothing and others everything, which the next command may
    delete.
    """
    for action in parser._optionals._group_actions:
        value = getattr(parsed_args, action.dest, None)
        is_text = action.type is None and action.default is None
        if is_text and (
            value == '' or (isinstance(value, list) and '' in value)
        ):
            parser.error(
                f'{action.option_strings[-1]} is empty: an empty text '
                f'selects nothing'
            )


def conditions_of(parsed_args: argparse.Namespace) -> Conditions:
    """What these options say now, which ``parsed_args`` then has, too.

    Dates and calendars are those of ``--timezone``, where a command has it.
    """
    now = datetime.now(timezone.utc)
    zone = getattr(parsed_args, 'timezone', None) or timezone.utc
    since, before = (
        times.parse_time(text, zone, now) if text else None
        for text in (parsed_args.created_after, parsed_args.created_before)
    )
    warn_of_future('--created-after', since, 'nothing', now)
    warn_of_future('--created-before', before, 'everything', now)
    stuck: CalendarDuration | None = getattr(parsed_args, 'stuck', None)
    statuses = frozenset(map(str.lower, parsed_args.status or ()))
    parsed_args.conditions = conditions = Conditions(
        names=frozenset(parsed_args.name or ()),
        name_contains=parsed_args.name_contains,
        statuses=statuses,
        availability_zone=parsed_args.availability_zone,
        since=since,
        before=before,
        unchanged_since=stuck.before(now, zone) if stuck else None,
        automatic=getattr(parsed_args, 'automatic', None),
        unknown_statuses=set(statuses - _STATUSES),
    )
    return conditions


def warn_of_future(
    option: str, time: datetime | None, effect: str, now: datetime
) -> None:
    """Say that a time is in the future.

    :param effect: what the option then selects.
    """
    if time is not None and time > now:
        LOG.warning(
            '%s %s is in the future: it selects %s.',
            option,
            f'{time:%Y-%m-%d %H:%M} UTC',
            effect,
        )


def warn_of_unknown_statuses(conditions: Conditions) -> None:
    """Say that nothing was found because nothing can be.

    A check that counts what is ``avaliable`` would pass forever.  To be
    called when all backups that may match have been seen.
    """
    from difflib import get_close_matches

    for status in sorted(conditions.unknown_statuses):
        near = get_close_matches(status, sorted(_STATUSES), 1)
        LOG.warning(
            'No service is known to have the status %s, and no backup has '
            'it%s',
            shortened(status, 60),
            f': did you mean {near[0]}?' if near else '.',
        )
