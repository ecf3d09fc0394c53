# SPDX-License-Identifier: Apache-2.0
"""Policies as ``openstack cbr policy create`` takes them."""

from datetime import datetime, time, timedelta, timezone
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from vbsclient.schedule import InvalidSetting
from vbsclient.schedule.cbr import create_command
from vbsclient.schedule.values import Retention, Schedule

NOW = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
PLUS_2 = timezone(timedelta(hours=2))
NIGHTLY = Schedule(at=(time(2),), every_days=1, zone=timezone.utc)
LAST_7 = Retention(last=7)


def command(
    schedule: Schedule | None = NIGHTLY,
    retention: Retention | None = LAST_7,
    name: str | None = 'nightly',
    enabled: bool | None = True,
    now: datetime = NOW,
) -> list[str]:
    words = create_command(name, schedule, retention, enabled, now)
    assert words[:4] == ['openstack', 'cbr', 'policy', 'create']
    return words[4:]


def patterns(**schedule: Any) -> list[str]:
    words = command(Schedule(**schedule))
    return [rule for word, rule in pairwise(words) if word == '--pattern']


def options(**retention: Any) -> list[str]:
    return command(retention=Retention(**retention))[2:-1]


def test_the_whole_command() -> None:
    assert command(enabled=False) == [
        *('--pattern', 'FREQ=DAILY;INTERVAL=1;BYHOUR=02;BYMINUTE=00'),
        *('--max-backups=7', '--disable', 'nightly'),
    ]


def test_each_time_has_a_rule_and_its_own_days_in_utc() -> None:
    # Monday 00:30 there is Sunday here.
    assert patterns(
        at=(time(0, 30), time(14)), weekdays=(0, 3), zone=PLUS_2
    ) == [
        'FREQ=WEEKLY;BYDAY=WE,SU;BYHOUR=22;BYMINUTE=30',
        'FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=12;BYMINUTE=00',
    ]


def test_daily_times_are_in_utc_too() -> None:
    assert patterns(at=(time(1),), every_days=1, zone=PLUS_2) == [
        'FREQ=DAILY;INTERVAL=1;BYHOUR=23;BYMINUTE=00'
    ]
    berlin = Schedule((time(2),), 1, zone=ZoneInfo('Europe/Berlin'))
    for month, hour in ((1, '01'), (7, '00')):
        words = command(berlin, now=NOW.replace(month=month))
        assert f'BYHOUR={hour};' in words[1]


def test_without_a_zone_times_are_in_utc() -> None:
    assert patterns(at=(time(2),), weekdays=(6,)) == [
        'FREQ=WEEKLY;BYDAY=SU;BYHOUR=02;BYMINUTE=00'
    ]


@pytest.mark.parametrize(
    ('retention', 'expected'),
    [
        ({'last': 10}, ['--max-backups=10']),
        ({'days': 30}, ['--retention-duration-days=30']),
        ({'last': -1}, ['--max-backups=-1']),
        ({'forever': True}, ['--max-backups=-1']),
        (
            {'last': 7, 'weekly': 4, 'yearly': 2, 'timezone': 'UTC+01:00'},
            [
                *('--max-backups=7', '--week-backups=4', '--year-backups=2'),
                '--timezone=UTC+01:00',
            ],
        ),
        # Only long-term backups have a time zone there.
        ({'last': 7, 'timezone': 'UTC+01:00'}, ['--max-backups=7']),
    ],
)
def test_what_is_kept(retention: Any, expected: list[str]) -> None:
    assert options(**retention) == expected


@pytest.mark.parametrize(
    ('changes', 'reason'),
    [
        ({'name': 'a b'}, 'as a name'),
        ({'name': 'a\x1b'}, 'as a name'),
        ({'name': None}, 'as a name'),
        ({'enabled': None}, 'whether it is enabled'),
        ({'schedule': None}, 'its schedule cannot be read'),
        (
            {'schedule': Schedule(raw='FREQ=MONTHLY;BYMONTHDAY=1')},
            'its rule FREQ=MONTHLY;BYMONTHDAY=1 is more than times and days',
        ),
        ({'schedule': Schedule((time(2),), 2)}, 'from day 1 of a month'),
        ({'retention': None}, 'what it keeps cannot be read'),
        ({'retention': Retention(last=0)}, 'keeps 0 backups'),
        ({'retention': Retention(days=0)}, 'keeps 0 backups'),
        ({'retention': Retention(last=7, days=30)}, 'not both'),
        (
            {'retention': Retention(days=30, daily=7, timezone='UTC')},
            'not both',
        ),
        (
            {'retention': Retention(last=7, first_of_month=True)},
            'first backup of the current month',
        ),
        ({'retention': Retention(last=7, daily=7)}, 'time zone'),
        (
            {'retention': Retention(last=7, daily=7, timezone='\x1b')},
            'time zone',
        ),
    ],
)
def test_what_would_not_be_the_same_is_refused(
    changes: Any, reason: str
) -> None:
    with pytest.raises(InvalidSetting, match=reason):
        command(**changes)


def test_all_reasons_are_told_at_once() -> None:
    with pytest.raises(InvalidSetting) as caught:
        command(
            Schedule((time(2),), 2), Retention(days=3, first_of_month=True)
        )
    assert caught.value.message.count(';') == 1


def test_a_name_that_looks_like_an_option_stays_a_name() -> None:
    assert command(name='-x')[-2:] == ['--', '-x']
