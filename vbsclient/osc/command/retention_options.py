# SPDX-License-Identifier: Apache-2.0
"""The retention rules as options, and as a sentence."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import datetime, timezone, tzinfo

from vbsclient import retention
from vbsclient.api.names import composed
from vbsclient.glob import glob_regex
from vbsclient.osc.command.times import parse_calendar_duration
from vbsclient.schedule import InvalidSetting, zones

_PERIODS = (
    (retention.HOURLY, 'hour'),
    (retention.DAILY, 'day'),
    (retention.WEEKLY, 'week'),
    (retention.MONTHLY, 'month'),
    (retention.YEARLY, 'year'),
)

_COUNTS = {'last': 'Keep the n newest backups of each group'} | {
    period.name: (
        f'Keep the newest backup of each of the n newest {unit}s that have one'
    )
    for period, unit in _PERIODS
}

_DURATIONS = {
    'within': (
        'Keep backups created within <time> of the newest backup of the '
        'group, such as 36h, 30d, 8w, 6mo (months), 1y'
    )
} | {
    f'within-{period.name}': (
        f'Keep the newest backup of each {unit}, of those created within '
        f'<time> of the newest backup of the group'
    )
    for period, unit in _PERIODS
}


def add_rules(parser: argparse.ArgumentParser, *, tags: bool) -> None:
    """Add the options that say what is kept.

    :param tags: whether these backups have tags.
    """
    group = parser.add_argument_group(
        'rules',
        'A backup that any of these rules keeps is kept; at least one rule '
        'is required. <n> may be "unlimited".',
    )
    for name, text in _COUNTS.items():
        group.add_argument(
            f'--keep-{name}', metavar='<n>', type=_count, help=text
        )
    for name, text in _DURATIONS.items():
        group.add_argument(
            f'--keep-{name}',
            metavar='<time>',
            type=parse_calendar_duration,
            help=text,
        )
    group.add_argument(
        '--keep-name',
        metavar='<pattern>',
        type=_pattern,
        action='append',
        default=[],
        help=(
            'Keep backups whose name matches this glob pattern; repeat for '
            'several'
        ),
    )
    if tags:
        group.add_argument(
            '--keep-tag',
            metavar='<key=value>',
            type=_tag,
            action='append',
            default=[],
            help='Keep backups with this tag; repeat for several',
        )
    group.add_argument(
        '--older-than',
        metavar='<time>',
        type=parse_calendar_duration,
        help=(
            'Delete only backups that are older than this now (90d, 6mo); '
            'without another rule: delete all of them, the newest backup of '
            'a group only with --allow-empty'
        ),
    )
    group.add_argument(
        '--timezone',
        metavar='<zone>',
        type=_zone,
        help=(
            'Time zone for calendar periods, and for dates without a time '
            'zone, such as Europe/Berlin or UTC+02:00 (default: UTC)'
        ),
    )


def rule_set_of(parsed_args: argparse.Namespace) -> retention.RuleSet:
    """The rules that these options give."""
    return retention.RuleSet(
        rules=tuple(_rules(parsed_args)),
        older_than=parsed_args.older_than,
        zone=parsed_args.timezone or timezone.utc,
        allow_empty=parsed_args.allow_empty,
    )


def _rules(parsed_args: argparse.Namespace) -> Iterator[retention.Rule]:
    if parsed_args.keep_last is not None:
        yield retention.KeepLast(parsed_args.keep_last)
    for period, _ in _PERIODS:
        count = getattr(parsed_args, f'keep_{period.name}')
        if count is not None:
            yield retention.KeepPeriods(period, count)
    if parsed_args.keep_within is not None:
        yield retention.KeepWithin(parsed_args.keep_within)
    for period, _ in _PERIODS:
        duration = getattr(parsed_args, f'keep_within_{period.name}')
        if duration is not None:
            yield retention.KeepPeriodsWithin(period, duration)
    yield from map(retention.KeepName, parsed_args.keep_name)
    yield from map(retention.KeepTag, getattr(parsed_args, 'keep_tag', ()))


def describe(rule_set: retention.RuleSet) -> str:
    """The rules and their time zone in one line."""
    parts = []
    if rule_set.rules:
        kept = ', '.join(map(str, rule_set.rules))
        parts.append(f'Keep {kept}.')
    if rule_set.older_than is not None:
        parts.append(
            f'Delete only what is older than {rule_set.older_than.text}.'
        )
    offset = datetime.now(rule_set.zone).strftime('%z')
    parts.append(
        f'Time zone: {rule_set.zone} (now {offset[:3]}:{offset[3:]}).'
    )
    return ' '.join(parts)


def unused_rules(
    rule_set: retention.RuleSet, plan: retention.Plan
) -> Iterator[tuple[str, str]]:
    """The names and tags to keep that no backup of a plan has.

    :returns: (``name`` or ``tag``, its value) of each.
    """
    if not plan.decisions:
        return
    used = {reason for d in plan.decisions for reason in d.reasons}
    for rule in rule_set.rules:
        if str(rule) in used:
            continue
        match rule:
            case retention.KeepName(pattern):
                yield 'name', pattern
            case retention.KeepTag(tag):
                yield 'tag', tag


def _count(text: str) -> int:
    if text == 'unlimited':
        return retention.UNLIMITED
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(
            f'{text!r} is neither a number greater than 0 nor "unlimited"'
        )
    return min(number, retention.UNLIMITED)


def _pattern(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError('an empty pattern matches no name')
    try:
        glob_regex(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f'{text!r} matches no name: {error}'
        ) from None
    return composed(text)


def _tag(text: str) -> str:
    key, equals, _ = text.partition('=')
    if not (key and equals):
        raise argparse.ArgumentTypeError(
            f'{text!r} is not a tag: write it as key=value'
        )
    return composed(text)


def _zone(name: str) -> tzinfo:
    try:
        return zones.parse_zone(name)
    except InvalidSetting as error:
        raise argparse.ArgumentTypeError(str(error)) from None
