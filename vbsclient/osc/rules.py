# SPDX-License-Identifier: Apache-2.0
"""The rules of retention as options, and as a sentence."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterator
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

import tzlocal
from osc_lib import exceptions

from vbsclient.osc.text import shortened
from vbsclient.retention import (
    DAILY,
    HOURLY,
    MONTHLY,
    UNLIMITED,
    WEEKLY,
    YEARLY,
    KeepLast,
    KeepName,
    KeepPeriods,
    KeepTag,
    KeepWithin,
    Rule,
    RuleSet,
    Span,
)

_PERIODS = (
    (HOURLY, 'hours'),
    (DAILY, 'days'),
    (WEEKLY, 'weeks'),
    (MONTHLY, 'months'),
    (YEARLY, 'years'),
)

#: Each unit at most once, the longest first.
_SPAN = re.compile(
    ''.join(
        f'(?:([0-9]{{1,6}}){unit})?'
        for unit in ('y', 'm', 'w', 'd', 'h', 'min', 's')
    ),
    re.ASCII,
)


def add_rules(parser: argparse.ArgumentParser, *, tags: bool) -> None:
    """The options that say what is kept.

    :param tags: whether what is judged has tags.
    """
    group = parser.add_argument_group(
        'rules',
        'What any of these keeps is kept; at least one is needed. <n> may '
        'be "unlimited". The last two say what may go at all, and where '
        'periods begin.',
    )
    group.add_argument(
        '--keep-last',
        metavar='<n>',
        type=_count,
        help='Keep the n newest backups of each group',
    )
    for period, several in _PERIODS:
        group.add_argument(
            f'--keep-{period.name}',
            metavar='<n>',
            type=_count,
            help=(
                f'Keep the newest backup of each of the n newest {several} '
                f'that hold one'
            ),
        )
    group.add_argument(
        '--keep-within',
        metavar='<time>',
        type=parse_span,
        help=(
            'Keep all that were made less than so long before the newest of '
            'the group, such as 36h, 30d, 8w, 6m (months), 1y'
        ),
    )
    group.add_argument(
        '--keep-name',
        metavar='<pattern>',
        type=_pattern,
        action='append',
        default=[],
        help=(
            'Keep all whose name fits this pattern, as shells have them; '
            'repeat for several'
        ),
    )
    if tags:
        group.add_argument(
            '--keep-tag',
            metavar='<key=value>',
            type=_tag,
            action='append',
            default=[],
            help='Keep all that bear this tag; repeat for several',
        )
    group.add_argument(
        '--older-than',
        metavar='<time>',
        type=parse_span,
        help=(
            'Delete only what is older than this now; alone: delete all that '
            'is, the newest backups of a group too if --allow-empty is given'
        ),
    )
    group.add_argument(
        '--timezone',
        metavar='<zone>',
        type=_zone,
        help=(
            'Where hours, days and the like begin, such as Europe/Berlin or '
            'UTC (default: the zone of this machine)'
        ),
    )


def parse_span(text: str) -> Span:
    """A length of time such as ``30d``, ``6m`` (months) or ``1y6m``.

    Unlike a duration it needs its unit, and ``m`` are months: what is kept
    or deleted by it should be no question of minutes.

    :raises ArgumentTypeError: if it is none, or not longer than nothing.
    """
    value = text.strip()
    parts = _SPAN.fullmatch(value)
    if not value or parts is None:
        raise argparse.ArgumentTypeError(
            f'{text!r} is not a length of time such as 36h, 30d, 8w, 6m '
            f'(months) or 1y'
        )
    years, months, weeks, days, hours, minutes, seconds = (
        int(number or 0) for number in parts.groups()
    )
    span = Span(
        value,
        years=years,
        months=months,
        days=weeks * 7 + days,
        seconds=(hours * 60 + minutes) * 60 + seconds,
    )
    if not (span.years or span.months or span.days or span.seconds):
        raise argparse.ArgumentTypeError(
            f'the length of time {text!r} must be longer than nothing'
        )
    return span


def rule_set_of(parsed_args: argparse.Namespace) -> RuleSet:
    """What these options say.

    :raises CommandError: if the zone of this machine is not known.
    """
    return RuleSet(
        rules=tuple(_rules(parsed_args)),
        older_than=parsed_args.older_than,
        zone=parsed_args.timezone or _local_zone(),
        allow_empty=parsed_args.allow_empty,
    )


def describe(rule_set: RuleSet) -> str:
    """The rules in one sentence, with the zone of its periods."""
    kept = [_words(rule) for rule in rule_set.rules]
    parts = []
    if kept:
        parts.append(f'Keep {", ".join(kept)}.')
    if rule_set.older_than is not None:
        parts.append(
            f'Delete only what is older than {rule_set.older_than.text}.'
        )
    parts.append(f'Time zone: {_zone_name(rule_set.zone)}.')
    return ' '.join(parts)


def _rules(parsed_args: argparse.Namespace) -> Iterator[Rule]:
    if parsed_args.keep_last is not None:
        yield KeepLast(parsed_args.keep_last)
    for period, _ in _PERIODS:
        count = getattr(parsed_args, f'keep_{period.name}')
        if count is not None:
            yield KeepPeriods(period, count)
    if parsed_args.keep_within is not None:
        yield KeepWithin(parsed_args.keep_within)
    yield from map(KeepName, parsed_args.keep_name)
    yield from map(KeepTag, getattr(parsed_args, 'keep_tag', ()))


def _words(rule: Rule) -> str:
    match rule:
        case KeepLast(count):
            return f'last {_number(count)}'
        case KeepPeriods(period, count):
            return f'{period.name} {_number(count)}'
        case KeepWithin(span):
            return f'all within {span.text} of the newest'
        case KeepName(pattern):
            return f'name {pattern}'
        case KeepTag(tag):
            return f'tag {tag}'
    return str(rule)


def _number(count: int) -> str:
    return 'unlimited' if count == UNLIMITED else str(count)


def _count(text: str) -> int:
    if text == 'unlimited':
        return UNLIMITED
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(
            f'{text!r} is neither a number greater than 0 nor "unlimited"'
        )
    return min(number, UNLIMITED)


def _pattern(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError('an empty pattern fits no name')
    return text


def _tag(text: str) -> str:
    key, equals, _ = text.partition('=')
    if not (key and equals):
        raise argparse.ArgumentTypeError(
            f'{text!r} is no tag: write it as key=value'
        )
    return text


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise argparse.ArgumentTypeError(
            f'{name!r} is not a time zone such as Europe/Berlin or UTC'
        ) from None


def _local_zone() -> tzinfo:
    try:
        # `get_localzone` would tell an interactive shell its first answer.
        return tzlocal.reload_localzone()
    except (LookupError, ValueError, OSError) as error:
        set_to = os.environ.get('TZ')
        cause = f'TZ is {set_to}' if set_to else str(error)
        raise exceptions.CommandError(
            f'The time zone of this machine is not known '
            f'({shortened(cause, 80)}): name one with --timezone.'
        ) from error


def _zone_name(zone: tzinfo) -> str:
    offset = datetime.now(zone).strftime('%z')
    return f'{zone} (now {offset[:3]}:{offset[3:]})'
