# SPDX-License-Identifier: Apache-2.0
"""The options of rules, and the sentence that repeats them."""

import argparse
from datetime import timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from vbsclient.api.times import CalendarDuration
from vbsclient.osc.command import retention_options
from vbsclient.retention import (
    DAILY,
    HOURLY,
    MONTHLY,
    UNLIMITED,
    WEEKLY,
    YEARLY,
    Candidate,
    Decision,
    KeepLast,
    KeepName,
    KeepPeriods,
    KeepPeriodsWithin,
    KeepTag,
    KeepWithin,
    Plan,
    RuleSet,
)

WEEK = CalendarDuration('1w', days=7)


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        raise ValueError(message)


def parse(*arguments: str) -> RuleSet:
    parser = Parser()
    retention_options.add_rules(parser, tags=True)
    parser.set_defaults(allow_empty=False)
    return retention_options.rule_set_of(parser.parse_args(arguments))


@pytest.mark.parametrize(
    ('arguments', 'rule'),
    [
        (['--keep-last', '3'], KeepLast(3)),
        (['--keep-last', 'unlimited'], KeepLast(UNLIMITED)),
        (['--keep-last', '9' * 30], KeepLast(UNLIMITED)),
        (['--keep-daily', '7'], KeepPeriods(DAILY, 7)),
        (['--keep-weekly', '07'], KeepPeriods(WEEKLY, 7)),
        (['--keep-within', '1w'], KeepWithin(WEEK)),
        (['--keep-within-hourly', '1w'], KeepPeriodsWithin(HOURLY, WEEK)),
        (['--keep-within-daily', '1w'], KeepPeriodsWithin(DAILY, WEEK)),
        (['--keep-within-weekly', '1w'], KeepPeriodsWithin(WEEKLY, WEEK)),
        (['--keep-within-monthly', '1w'], KeepPeriodsWithin(MONTHLY, WEEK)),
        (['--keep-within-yearly', '1w'], KeepPeriodsWithin(YEARLY, WEEK)),
        (['--keep-name', 'a*'], KeepName('a*')),
        (['--keep-name', 'U\u0308'], KeepName('\xdc')),
        (['--keep-tag', 'a=b=c'], KeepTag('a=b=c')),
        (['--keep-tag', 'a='], KeepTag('a=')),
    ],
)
def test_a_rule(arguments: list[str], rule: object) -> None:
    assert parse(*arguments) == RuleSet((rule,))  # type: ignore[arg-type]


def test_names_and_tags_are_repeated() -> None:
    rule_set = parse(
        *('--keep-tag', 'a=1', '--keep-name', 'x'),
        *('--keep-name', 'y', '--keep-last', '2'),
    )
    assert rule_set.rules == (
        KeepLast(2),
        KeepName('x'),
        KeepName('y'),
        KeepTag('a=1'),
    )


def test_a_number_and_a_duration_of_one_period_are_two_rules() -> None:
    rule_set = parse(
        *('--keep-within-daily', '1w', '--keep-within', '1w'),
        *('--keep-daily', '3'),
    )
    assert rule_set.rules == (
        KeepPeriods(DAILY, 3),
        KeepWithin(WEEK),
        KeepPeriodsWithin(DAILY, WEEK),
    )


def test_an_age_and_a_time_zone_are_no_rules() -> None:
    rule_set = parse('--older-than', '1w', '--timezone', 'Europe/Berlin')
    berlin = ZoneInfo('Europe/Berlin')
    assert rule_set == RuleSet((), older_than=WEEK, zone=berlin)
    assert parse().zone is timezone.utc


@pytest.mark.parametrize(
    ('arguments', 'reason'),
    [
        (['--keep-last', '0'], 'greater than 0'),
        (['--keep-last', '-1'], 'expected one argument|greater than 0'),
        (['--keep-daily', '1.5'], 'greater than 0'),
        (['--keep-daily', '\u0663'], 'greater than 0'),
        (['--keep-name', ' '], 'empty pattern'),
        (['--keep-name', 'a[b'], 'matches no name: a bracket is not closed'),
        (['--keep-tag', 'keep'], 'write it as key=value'),
        (['--keep-tag', '=yes'], 'write it as key=value'),
        (['--keep-within', '30'], 'needs its unit'),
        (['--keep-within-daily', '30'], 'needs its unit'),
        (['--keep-within-daily', 'unlimited'], 'is not a duration'),
        (['--keep-within-monthly', '6m'], 'may be months or minutes'),
        (['--keep-within-yearly', '0y'], 'must be positive'),
        (['--older-than', '6m'], 'may be months or minutes'),
        (['--older-than', '0d'], 'must be positive'),
        (['--timezone', 'Mars'], 'is not a time zone'),
        (['--timezone', '../etc/passwd'], 'is not a time zone'),
        (['--timezone', ''], 'is not a time zone'),
        (['--timezone', 'UTC+15:00'], 'is not a time zone'),
    ],
)
def test_what_is_refused(arguments: list[str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse(*arguments)


@pytest.mark.parametrize(
    ('rule_set', 'text'),
    [
        (
            RuleSet((KeepLast(1), KeepPeriods(WEEKLY, UNLIMITED))),
            'Keep last 1, weekly unlimited. Time zone: UTC (now +00:00).',
        ),
        (
            RuleSet((KeepWithin(WEEK), KeepName('a*'), KeepTag('b=c'))),
            'Keep all within 1w of the newest, name a*, tag b=c. '
            'Time zone: UTC (now +00:00).',
        ),
        (
            RuleSet((KeepLast(1), KeepPeriodsWithin(DAILY, WEEK))),
            'Keep last 1, daily within 1w of the newest. '
            'Time zone: UTC (now +00:00).',
        ),
        (
            parse('--older-than', '1w', '--timezone', 'UTC'),
            'Delete only what is older than 1w. Time zone: UTC (now +00:00).',
        ),
        (
            parse('--older-than', '1w', '--timezone', 'UTC+02:00'),
            'Delete only what is older than 1w. '
            'Time zone: UTC+02:00 (now +02:00).',
        ),
        (
            RuleSet(older_than=WEEK, zone=ZoneInfo('Asia/Kolkata')),
            'Delete only what is older than 1w. '
            'Time zone: Asia/Kolkata (now +05:30).',
        ),
    ],
)
def test_the_rules_in_one_line(rule_set: RuleSet, text: str) -> None:
    assert retention_options.describe(rule_set) == text


def test_names_and_tags_that_no_backup_has() -> None:
    rules = (KeepLast(2), KeepName('a*'), KeepName('b*'), KeepTag('c=d'))
    plan = Plan([Decision(Candidate('1', 'v'), True, ('name a*',))])
    unused = list(retention_options.unused_rules(RuleSet(rules), plan))
    assert unused == [('name', 'b*'), ('tag', 'c=d')]
