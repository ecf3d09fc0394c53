# SPDX-License-Identifier: Apache-2.0
"""What schedules and retentions say to people and machines."""

import re
from datetime import datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from vbsclient.schedule import InvalidSetting
from vbsclient.schedule.values import (
    UNLIMITED,
    Retention,
    Schedule,
    WantedRetention,
    WantedSchedule,
    remarks,
)

NOW = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
PLUS_1 = timezone(timedelta(hours=1))
BERLIN = ZoneInfo('Europe/Berlin')
ONE, TWO = time(1), time(13)
RULE = 'FREQ=DAILY;INTERVAL=2;BYHOUR=1;BYMINUTE=0'


@pytest.mark.parametrize(
    ('schedule', 'sentence', 'machine'),
    [
        (
            Schedule((ONE, TWO), 2, zone=PLUS_1),
            'every 2 days at 01:00 and 13:00 (UTC+01:00)',
            {
                'at': ['01:00', '13:00'],
                'every_days': 2,
                'on': None,
                'zone': 'UTC+01:00',
                'raw': None,
            },
        ),
        (
            Schedule((ONE,), weekdays=(0, 3, 6), zone=BERLIN),
            'on Mon, Thu and Sun at 01:00 (Europe/Berlin)',
            {
                'at': ['01:00'],
                'every_days': None,
                'on': ['mon', 'thu', 'sun'],
                'zone': 'Europe/Berlin',
                'raw': None,
            },
        ),
        (
            Schedule((time(0, 30),), 1, zone=timezone.utc),
            'every day at 00:30 (UTC)',
            {
                'at': ['00:30'],
                'every_days': 1,
                'on': None,
                'zone': 'UTC',
                'raw': None,
            },
        ),
        (
            Schedule(raw=RULE),
            f'by the rule {RULE} (service time, UTC as far as known)',
            {
                'at': [],
                'every_days': None,
                'on': None,
                'zone': None,
                'raw': RULE,
            },
        ),
    ],
)
def test_schedules(
    schedule: Schedule, sentence: str, machine: dict[str, object]
) -> None:
    assert str(schedule) == sentence
    assert schedule.as_dict() == machine


@pytest.mark.parametrize(
    ('retention', 'sentence'),
    [
        (Retention(last=10), 'keep the last 10'),
        (Retention(days=30), 'keep those of 30 days'),
        (Retention(days=1), 'keep those of 1 day'),
        (Retention(last=10, days=30), 'keep the last 10 and those of 30 days'),
        (Retention(forever=True), 'keep forever'),
        (Retention(), 'keep all'),
        (Retention(last=UNLIMITED), 'keep all'),
        (
            Retention(last=2, first_of_month=True),
            'keep the last 2 and the first of the current month',
        ),
        (
            Retention(last=3, daily=7, yearly=1, timezone='UTC+08:00'),
            'keep the last 3, 7 daily and 1 yearly (UTC+08:00)',
        ),
    ],
)
def test_retentions(retention: Retention, sentence: str) -> None:
    assert str(retention) == sentence


def test_a_retention_for_machines() -> None:
    assert Retention(last=10).as_dict() == {
        'last': 10,
        'days': None,
        'daily': None,
        'weekly': None,
        'monthly': None,
        'yearly': None,
        'forever': False,
        'first_of_month': None,
        'timezone': None,
    }


@pytest.mark.parametrize(
    ('zone', 'now', 'part'),
    [
        ('Europe/Berlin', NOW, r'is UTC\+01:00 now. From 2027-03-28 on'),
        ('Europe/Berlin', NOW, 'an hour later'),
        (
            'Europe/Berlin',
            NOW.replace(month=7),
            r'UTC\+02:00 now. From 2026-10-25 on .* an hour earlier',
        ),
        ('Australia/Lord_Howe', NOW, '2027-04-04 on .* 30 minutes earlier'),
        ('Australia/Sydney', NOW, '2027-04-04 on .* an hour earlier'),
    ],
)
def test_a_named_zone_is_off_some_day(
    zone: str, now: datetime, part: str
) -> None:
    schedule = Schedule((ONE,), 1, zone=ZoneInfo(zone))
    (text,) = remarks(schedule, now)
    assert re.search(part, text)


@pytest.mark.parametrize('zone', [None, PLUS_1, ZoneInfo('Asia/Kolkata')])
def test_a_fixed_offset_is_never_off(zone: ZoneInfo) -> None:
    assert list(remarks(Schedule((ONE,), 1, zone=zone), NOW)) == []


def test_days_are_counted_from_the_first_of_a_month() -> None:
    (text,) = remarks(Schedule((ONE,), 2), NOW)
    assert 'from day 1 of each month' in text
    assert len(list(remarks(Schedule((ONE,), 2, zone=BERLIN), NOW))) == 2


OLD = Schedule((ONE,), 2, zone=PLUS_1)
WEEKLY = Schedule((ONE,), weekdays=(0,), zone=PLUS_1)
UNTOLD = Schedule((ONE,), weekdays=(0,))
RAW = Schedule(raw=RULE)


@pytest.mark.parametrize(
    ('wanted', 'old', 'new'),
    [
        (WantedSchedule((TWO,)), OLD, Schedule((TWO,), 2, zone=PLUS_1)),
        (WantedSchedule(every_days=3), OLD, Schedule((ONE,), 3, zone=PLUS_1)),
        (WantedSchedule(weekdays=(0,)), OLD, WEEKLY),
        (WantedSchedule(every_days=2), WEEKLY, OLD),
        # The clocks stay, and the moments move.
        (WantedSchedule(zone=BERLIN), OLD, Schedule((ONE,), 2, zone=BERLIN)),
        (WantedSchedule((TWO,)), UNTOLD, Schedule((TWO,), weekdays=(0,))),
        (WantedSchedule((TWO,), 1), RAW, Schedule((TWO,), 1)),
        (WantedSchedule(raw=RULE), OLD, RAW),
        (
            WantedSchedule((TWO,), weekdays=(1,), zone=PLUS_1),
            UNTOLD,
            Schedule((TWO,), weekdays=(1,), zone=PLUS_1),
        ),
        (
            WantedSchedule((TWO,), zone=PLUS_1),
            Schedule((ONE,), 2),
            Schedule((TWO,), 2, zone=PLUS_1),
        ),
    ],
)
def test_what_was_not_said_stays(
    wanted: WantedSchedule, old: Schedule, new: Schedule
) -> None:
    assert wanted.changed(old) == new


@pytest.mark.parametrize(
    ('wanted', 'old', 'reason'),
    [
        (WantedSchedule((ONE,)), None, 'needs its times and its days'),
        (WantedSchedule(every_days=1), None, 'needs its times and its days'),
        (WantedSchedule((ONE,)), RAW, 'can only be replaced as a whole'),
        (WantedSchedule(every_days=1), RAW, 'can only be replaced'),
        # The same moments, or the same clocks?
        (WantedSchedule(zone=BERLIN), UNTOLD, 'does not tell the time zone'),
        (
            WantedSchedule(weekdays=(1,), zone=BERLIN),
            UNTOLD,
            'does not tell the time zone',
        ),
        (WantedSchedule((ONE,), zone=BERLIN), UNTOLD, 'does not tell'),
    ],
)
def test_what_is_not_known_is_not_guessed(
    wanted: WantedSchedule, old: Schedule | None, reason: str
) -> None:
    with pytest.raises(InvalidSetting, match=reason) as caught:
        wanted.changed(old)
    assert caught.value.hint


@pytest.mark.parametrize(
    ('wanted', 'old', 'new'),
    [
        (WantedRetention(last=5), Retention(), Retention(last=5)),
        (WantedRetention(last=5), Retention(days=3), Retention(last=5)),
        (WantedRetention(days=3), Retention(last=5), Retention(days=3)),
        (WantedRetention(days=3), Retention(forever=True), Retention(days=3)),
        (
            WantedRetention(forever=True),
            Retention(last=5, daily=7),
            Retention(forever=True),
        ),
        (
            WantedRetention(daily=7),
            Retention(last=5, weekly=4),
            Retention(last=5, daily=7, weekly=4),
        ),
        (
            WantedRetention(last=6),
            Retention(last=5, weekly=4),
            Retention(last=6, weekly=4),
        ),
        (
            WantedRetention(first_of_month=True),
            Retention(last=5),
            Retention(last=5, first_of_month=True),
        ),
        (
            WantedRetention(last=6),
            Retention(last=5, first_of_month=True),
            Retention(last=6, first_of_month=True),
        ),
        (
            WantedRetention(days=3, weekly=0),
            Retention(last=5, weekly=4),
            Retention(days=3, weekly=0),
        ),
    ],
)
def test_what_excludes_something_replaces_it(
    wanted: WantedRetention, old: Retention, new: Retention
) -> None:
    assert wanted.changed(old) == new


@pytest.mark.parametrize(
    ('wanted', 'old', 'reason'),
    [
        (WantedRetention(daily=7), Retention(), 'beside the newest ones'),
        (WantedRetention(daily=7), Retention(days=3), 'excludes long-term'),
        (
            WantedRetention(daily=7),
            Retention(last=5, days=3),
            'excludes long-term',
        ),
        # They would end without a word.
        (
            WantedRetention(days=3),
            Retention(last=5, daily=7),
            'excludes long-term',
        ),
        (WantedRetention(daily=7), Retention(forever=True), 'beside the'),
        (WantedRetention(first_of_month=True), Retention(), 'nothing says'),
        (WantedRetention(), Retention(), 'nothing says how much'),
    ],
)
def test_limits_that_exclude_each_other(
    wanted: WantedRetention, old: Retention, reason: str
) -> None:
    with pytest.raises(InvalidSetting, match=reason) as caught:
        wanted.changed(old)
    assert caught.value.hint
