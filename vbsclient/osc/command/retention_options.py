# SPDX-License-Identifier: Apache-2.0
"""The rules of retention as options, and as a sentence."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import datetime, timezone, tzinfo
from zoneinfo import ZoneInfo

from vbsclient.api.names import composed
from vbsclient.glob import glob_regex
from vbsclient.osc.command.times import parse_span
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
    Plan,
    Rule,
    RuleSet,
)

_PERIODS = (
    (HOURLY, 'hours'),
    (DAILY, 'days'),
    (WEEKLY, 'weeks'),
    (MONTHLY, 'months'),
    (YEARLY, 'years'),
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
            'the group, such as 36h, 30d, 8w, 6mo (months), 1y'
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
            'Delete only what is older than this now (90d, 6mo); alone: '
            'delete all that '
            'is, the newest backups of a group too if --allow-empty is given'
        ),
    )
    group.add_argument(
        '--timezone',
        metavar='<zone>',
        type=_zone,
        help=(
            'Time zone of calendar periods, and of dates that name none, '
            'such as Europe/Berlin (default: UTC)'
        ),
    )


def rule_set_of(parsed_args: argparse.Namespace) -> RuleSet:
    """What these options say."""
    return RuleSet(
        rules=tuple(_rules(parsed_args)),
        older_than=parsed_args.older_than,
        zone=parsed_args.timezone or timezone.utc,
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


def idle(rule_set: RuleSet, plan: Plan) -> Iterator[tuple[str, str]]:
    """The rules that name what they keep, and name nothing of a plan.

    :returns: (the option, its value) of each.
    """
    seen = {reason for d in plan.decisions for reason in d.reasons}
    for rule in rule_set.rules:
        match rule:
            case KeepName(pattern) if rule.reason not in seen:
                yield '--keep-name', pattern
            case KeepTag(tag) if rule.reason not in seen:
                yield '--keep-tag', tag


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
    try:
        glob_regex(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f'{text!r} fits no name: {error}'
        ) from None
    return composed(text)


def _tag(text: str) -> str:
    key, equals, _ = text.partition('=')
    if not (key and equals):
        raise argparse.ArgumentTypeError(
            f'{text!r} is no tag: write it as key=value'
        )
    return composed(text)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise argparse.ArgumentTypeError(
            f'{name!r} is not a time zone such as Europe/Berlin or UTC'
        ) from None


def _zone_name(zone: tzinfo) -> str:
    offset = datetime.now(zone).strftime('%z')
    return f'{zone} (now {offset[:3]}:{offset[3:]})'
