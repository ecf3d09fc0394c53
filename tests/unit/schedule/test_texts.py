# SPDX-License-Identifier: Apache-2.0
"""What a person may write, and what is refused."""

from datetime import time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from vbsclient.schedule import InvalidSetting
from vbsclient.schedule.texts import parse_retention, parse_schedule
from vbsclient.schedule.values import (
    UNLIMITED,
    WantedRetention,
    WantedSchedule,
)

PLUS_2 = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ('written', 'wanted'),
    [
        ({}, WantedSchedule()),
        ({'at': ['02:00']}, WantedSchedule((time(2),))),
        ({'at': ['2:00']}, WantedSchedule((time(2),))),
        (
            {'at': ['14:00', '02:00', '14:00']},
            WantedSchedule((time(2), time(14))),
        ),
        ({'at': ['14:00, 02:00']}, WantedSchedule((time(2), time(14)))),
        ({'at': ['02:00Z']}, WantedSchedule((time(2),), zone=timezone.utc)),
        (
            {'at': ['02:00+02:00', '03:30+02:00']},
            WantedSchedule((time(2), time(3, 30)), zone=PLUS_2),
        ),
        (
            {'at': ['02:00Z', '03:00+00:00']},
            WantedSchedule((time(2), time(3)), zone=timezone.utc),
        ),
        ({'every': '2d'}, WantedSchedule(every_days=2)),
        ({'every': '1d'}, WantedSchedule(every_days=1)),
        ({'on': ['thu,mon']}, WantedSchedule(weekdays=(0, 3))),
        ({'on': ['thu', 'MON', 'thu']}, WantedSchedule(weekdays=(0, 3))),
        ({'on': ['Sunday']}, WantedSchedule(weekdays=(6,))),
        ({'on': ['weekdays']}, WantedSchedule(weekdays=(0, 1, 2, 3, 4))),
        ({'on': ['weekend', 'fri']}, WantedSchedule(weekdays=(4, 5, 6))),
        (
            {'zone': 'Europe/Berlin'},
            WantedSchedule(zone=ZoneInfo('Europe/Berlin')),
        ),
        ({'zone': 'UTC+02:00'}, WantedSchedule(zone=PLUS_2)),
        ({'zone': 'UTC'}, WantedSchedule(zone=timezone.utc)),
        (
            {'rule': ' RRULE:FREQ=DAILY;INTERVAL=2;BYHOUR=1;BYMINUTE=0'},
            WantedSchedule(raw='FREQ=DAILY;INTERVAL=2;BYHOUR=1;BYMINUTE=0'),
        ),
    ],
)
def test_schedules(written: dict[str, Any], wanted: WantedSchedule) -> None:
    assert parse_schedule(**written) == wanted
    assert bool(wanted) is bool(written)


@pytest.mark.parametrize(
    ('written', 'reason'),
    [
        ({'at': ['24:00']}, "'24:00' is not a time of day"),
        ({'at': ['02:60']}, 'is not a time of day'),
        ({'at': ['2']}, 'is not a time of day'),
        ({'at': ['']}, 'is not a time of day'),
        ({'at': ['02:00,']}, 'is not a time of day'),
        ({'at': ['02:00:00']}, 'is not a time of day'),
        ({'at': ['02:00+2']}, 'is not a time of day'),
        ({'at': ['02:00+15:00']}, 'is not a time of day'),
        ({'at': ['02:00 Europe/Berlin']}, 'is not a time of day'),
        ({'at': ['\u0660\u0662:00']}, 'is not a time of day'),
        ({'at': ['02:00Z', '03:00']}, 'all times .* the same time zone'),
        ({'at': ['02:00Z', '03:00+01:00']}, 'all times .* the same time zone'),
        ({'at': ['02:00Z'], 'zone': 'UTC'}, 'the times have a time zone'),
        ({'every': '2'}, "'2' is not a number of days"),
        ({'every': '0d'}, 'is not a number of days'),
        ({'every': '-1d'}, 'is not a number of days'),
        ({'every': '48h'}, 'is not a number of days'),
        ({'every': '1w'}, 'is not a number of days'),
        ({'every': ''}, 'is not a number of days'),
        ({'on': ['mo']}, "'mo' is not a day"),
        ({'on': ['']}, 'is not a day'),
        ({'on': ['mon,']}, 'is not a day'),
        ({'on': ['mon-fri']}, 'is not a day'),
        ({'every': '1d', 'on': ['mon']}, 'every so many days, or on days'),
        ({'zone': 'Mars'}, 'is not a time zone'),
        ({'zone': ''}, 'is not a time zone'),
        ({'rule': 'FREQ=DAILY;BYHOUR=1', 'at': ['01:00']}, 'says all'),
        ({'rule': 'FREQ=DAILY;BYHOUR=1', 'zone': 'UTC'}, 'says all'),
        ({'rule': ''}, 'is not a rule such as .* not made of parts'),
        ({'rule': 'FREQ=DAILY;BYHOUR=25'}, 'is not a rule .* in 0..23'),
        ({'rule': 'FREQ=DAILY;BYHOUR=1;X=1'}, 'cannot have the part .X=1'),
        ({'rule': 'FREQ=DAILY;BYHOUR=1;FREQ=DAILY'}, 'not made of parts'),
        ({'rule': 'FREQ=DAILY\nRRULE:FREQ=DAILY'}, 'cannot have the part'),
        ({'rule': 'FREQ=DAILY;INTERVAL=0'}, 'the part .INTERVAL=0'),
        ({'rule': 'FREQ=DAILY;COUNT=3'}, 'is not a rule .* the part .COUNT=3'),
        (
            {'rule': 'FREQ=SECONDLY'},
            'is not a rule .* the part .FREQ=SECONDLY',
        ),
        ({'rule': 'FREQ=MONTHLY;BYDAY=9MO'}, 'the part .BYDAY=9MO'),
        ({'rule': 'FREQ=DAILY;BYMONTHDAY=40'}, 'the part .BYMONTHDAY=40'),
        (
            {'rule': 'FREQ=DAILY;BYMONTHDAY=1;BYDAY=MO'},
            'cannot have both BYDAY and BYMONTHDAY',
        ),
        ({'rule': 'BYHOUR=1'}, 'not made of parts'),
        (
            {'rule': 'FREQ=DAILY;BYHOUR=1,2;BYMINUTE=0,30'},
            'less than an hour apart',
        ),
        (
            {'rule': 'FREQ=DAILY;BYHOUR=0,23;BYMINUTE=0,30'},
            'less than an hour apart',
        ),
        (
            {'rule': 'FREQ=DAILY;BYHOUR=1;UNTIL=20200101T000000Z'},
            'never runs',
        ),
    ],
)
def test_schedules_that_are_none(written: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidSetting, match=f'(?s){reason}') as caught:
        parse_schedule(**written)
    assert isinstance(caught.value, ValueError)
    assert not caught.value.message.endswith('.')


@pytest.mark.parametrize(
    ('written', 'wanted'),
    [
        ({}, WantedRetention()),
        ({'last': '10'}, WantedRetention(last=10)),
        ({'last': 'unlimited'}, WantedRetention(last=UNLIMITED)),
        ({'days': '30'}, WantedRetention(days=30)),
        (
            {'last': '10', 'daily': '7', 'yearly': '0'},
            WantedRetention(last=10, daily=7, yearly=0),
        ),
        ({'days': '30', 'daily': '0'}, WantedRetention(days=30, daily=0)),
        ({'forever': True}, WantedRetention(forever=True)),
        ({'first_of_month': False}, WantedRetention(first_of_month=False)),
    ],
)
def test_retentions(written: dict[str, Any], wanted: WantedRetention) -> None:
    assert parse_retention(**written) == wanted
    assert bool(wanted) is bool(written)


@pytest.mark.parametrize(
    ('written', 'reason'),
    [
        ({'last': '0'}, "'0' is not a number greater than 0"),
        ({'last': '-1'}, 'is not a number greater than 0'),
        ({'last': '1.5'}, 'is not a number greater than 0'),
        ({'last': ''}, 'is not a number greater than 0'),
        ({'last': '\u0661'}, 'is not a number greater than 0'),
        ({'days': '0'}, 'is not a number greater than 0'),
        ({'days': '30d'}, 'is not a number greater than 0'),
        ({'days': 'unlimited'}, 'is not a number greater than 0'),
        ({'daily': '101'}, 'is not a number from 0 to 100'),
        ({'weekly': '-1'}, 'is not a number from 0 to 100'),
        ({'monthly': 'x'}, 'is not a number from 0 to 100'),
        ({'last': '1', 'days': '1'}, 'a number of backups, or those of some'),
        ({'days': '1', 'weekly': '1'}, 'long-term backups are kept beside'),
        ({'forever': True, 'last': '1'}, 'forever has no other limit'),
        ({'forever': True, 'days': '1'}, 'forever has no other limit'),
        ({'forever': True, 'daily': '0'}, 'forever has no other limit'),
    ],
)
def test_retentions_that_are_none(
    written: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InvalidSetting, match=reason):
        parse_retention(**written)
