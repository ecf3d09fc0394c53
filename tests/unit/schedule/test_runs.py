# SPDX-License-Identifier: Apache-2.0
"""The next runs, beside a walk over minutes of the wall clock."""

import subprocess
import sys
import time as clock
from datetime import datetime, time, timedelta, timezone, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vbsclient.schedule.runs import next_runs
from vbsclient.schedule.values import Schedule

NOW = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
BERLIN = ZoneInfo('Europe/Berlin')
ZONES = (
    None,
    timezone.utc,
    timezone(timedelta(hours=5, minutes=45)),
    timezone(timedelta(hours=-3, minutes=-30)),
    timezone(timedelta(hours=14)),
    BERLIN,
    ZoneInfo('Australia/Lord_Howe'),
    ZoneInfo('America/St_Johns'),
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def walked(schedule: Schedule, now: datetime, count: int) -> list[datetime]:
    """Minute by minute, by the clock of the offset of now."""
    zone: tzinfo = schedule.zone or timezone.utc
    offset = now.astimezone(zone).utcoffset() or timedelta(0)
    moment = now.replace(second=0, microsecond=0)
    minute = {t.minute for t in schedule.at}
    found: list[datetime] = []
    while len(found) < count:
        moment += timedelta(minutes=1)
        local = (moment + offset).replace(tzinfo=None)
        if local.minute not in minute:
            continue
        if schedule.weekdays is not None:
            is_day = local.isoweekday() - 1 in schedule.weekdays
        else:
            every = schedule.every_days or 1
            is_day = local.day in range(1, 32, every)
        if is_day and local.time() in schedule.at:
            found.append(moment)
    return found


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    minute = draw(st.integers(0, 59))
    hours = draw(st.sets(st.integers(0, 23), min_size=1, max_size=4))
    every = draw(st.none() | st.integers(1, 30))
    days = draw(st.sets(st.integers(0, 6), min_size=1))
    return Schedule(
        tuple(time(hour, minute) for hour in sorted(hours)),
        every,
        None if every else tuple(sorted(days)),
        draw(st.sampled_from(ZONES)),
    )


@settings(max_examples=60, deadline=None)
@given(
    schedules(),
    st.datetimes(
        datetime(2026, 1, 1),  # noqa: DTZ001
        datetime(2029, 1, 1),  # noqa: DTZ001
        timezones=st.just(timezone.utc),
    ),
)
def test_next_runs_are_those_of_the_wall_clock(
    schedule: Schedule, now: datetime
) -> None:
    assert next_runs(schedule, now, 3) == walked(schedule, now, 3)


@pytest.mark.parametrize(
    ('schedule', 'runs'),
    [
        # Counted from day 1 of each month: a short gap.
        (
            Schedule((time(1),), 2),
            ['2026-11-27T01:00', '2026-11-29T01:00', '2026-12-01T01:00'],
        ),
        (
            Schedule((time(1),), 30),
            ['2026-12-01T01:00', '2026-12-31T01:00', '2027-01-01T01:00'],
        ),
        # The local day is another one than that of UTC.
        (
            Schedule((time(0, 30),), weekdays=(0,), zone=BERLIN),
            ['2026-11-29T23:30', '2026-12-06T23:30', '2026-12-13T23:30'],
        ),
        (
            Schedule((time(12), time(13)), 1),
            ['2026-11-26T13:00', '2026-11-27T12:00', '2026-11-27T13:00'],
        ),
        (Schedule((), 1), []),
        (Schedule((time(1),), weekdays=()), []),
        (Schedule(raw='22:99'), []),
        (Schedule(raw='FREQ=DAILY;BYHOUR=25'), []),
        (Schedule(raw='FREQ=DAILY;BYHOUR=1 EXDATE:20261127T010000'), []),
        (Schedule(raw='FREQ=DAILY;INTERVAL=999999999999;BYHOUR=1'), []),
        (
            Schedule(raw='FREQ=DAILY;INTERVAL=2;BYHOUR=1;BYMINUTE=0'),
            ['2026-11-28T01:00', '2026-11-30T01:00', '2026-12-02T01:00'],
        ),
        (
            Schedule(
                raw='FREQ=DAILY;INTERVAL=2;BYHOUR=1;BYMINUTE=0',
                start=datetime(2020, 1, 8, 9, 59, 49, tzinfo=timezone.utc),
            ),
            # 2514 days, which is an even number, after its start.
            ['2026-11-28T01:00', '2026-11-30T01:00', '2026-12-02T01:00'],
        ),
        (
            Schedule(
                raw='FREQ=DAILY;INTERVAL=2;BYHOUR=1;BYMINUTE=0',
                start=datetime(2020, 1, 9, 9, 59, 49, tzinfo=timezone.utc),
            ),
            ['2026-11-27T01:00', '2026-11-29T01:00', '2026-12-01T01:00'],
        ),
        # The day and the time are those of the start.
        (
            Schedule(
                raw='FREQ=WEEKLY',
                start=datetime(2020, 1, 8, 9, 59, 49, tzinfo=timezone.utc),
            ),
            ['2026-12-02T09:59', '2026-12-09T09:59', '2026-12-16T09:59'],
        ),
        (
            Schedule(raw='FREQ=MONTHLY;BYDAY=-1SU;BYHOUR=2;BYMINUTE=30'),
            ['2026-11-29T02:30', '2026-12-27T02:30', '2027-01-31T02:30'],
        ),
        (
            Schedule(raw='FREQ=DAILY;BYHOUR=1;BYMINUTE=0;UNTIL=20261127T1Z'),
            [],
        ),
        (
            Schedule(
                raw='FREQ=DAILY;BYHOUR=1;BYMINUTE=0;UNTIL=20261127T020000Z'
            ),
            ['2026-11-27T01:00'],
        ),
    ],
)
def test_runs_that_are_known(schedule: Schedule, runs: list[str]) -> None:
    assert next_runs(schedule, NOW, 3) == [utc(run) for run in runs]


@pytest.mark.parametrize(
    ('now', 'offset'),
    [('2027-03-27T12:00', 1), ('2027-10-30T12:00', 2)],
)
def test_the_clocks_change_and_the_service_does_not(
    now: str, offset: int
) -> None:
    schedule = Schedule((time(2, 30),), 1, zone=BERLIN)
    runs = next_runs(schedule, utc(now), 3)
    assert {run.time() for run in runs} == {time(2 - offset, 30)}
    assert {b - a for a, b in pairwise(runs)} == {timedelta(days=1)}
    hours = [run.astimezone(BERLIN).hour for run in runs]
    assert hours == ([3, 3, 3] if offset == 1 else [2, 1, 1])


@pytest.mark.parametrize(
    'rule',
    [
        'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30',
        'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30',
        'FREQ=DAILY;INTERVAL=7;BYDAY=MO;BYHOUR=1',
        'FREQ=DAILY;INTERVAL=0;BYHOUR=1',
        'FREQ=DAILY;INTERVAL=1000;BYMONTHDAY=31',
        'FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31',
        'FREQ=WEEKLY;INTERVAL=9999;BYMONTHDAY=31',
        'FREQ=MONTHLY;BYDAY=9MO',
        'FREQ=YEARLY;BYDAY=60MO',
        'FREQ=MONTHLY;BYDAY=+1MO;BYMONTHDAY=31',
        'FREQ=DAILY;BYMONTHDAY=40',
        'FREQ=SECONDLY',
        'FREQ=MINUTELY;INTERVAL=7',
        'FREQ=DAILY;COUNT=1000000000;BYHOUR=1',
        'FREQ=MONTHLY;BYHOUR=' + ','.join(map(str, range(24))),
    ],
)
@pytest.mark.parametrize('year', [1, 1970, 2026, 9000])
def test_no_rule_of_a_service_takes_long(rule: str, year: int) -> None:
    start = datetime(year, 1, 1, tzinfo=timezone.utc)
    before = clock.monotonic()
    next_runs(Schedule(raw=rule, start=start), NOW, 3)
    assert clock.monotonic() - before < 5


@pytest.mark.parametrize(
    ('schedule', 'is_approximate'),
    [
        (Schedule((time(1),), 1), False),
        (Schedule((time(1),), 2), True),
        (Schedule((time(1),), weekdays=(1,)), False),
        (Schedule(raw='FREQ=DAILY'), True),
        (Schedule(raw='FREQ=DAILY', start=NOW), False),
    ],
)
def test_what_is_only_about_right(
    schedule: Schedule, is_approximate: bool
) -> None:
    assert schedule.is_approximate is is_approximate


def test_dateutil_is_loaded_for_rules_alone() -> None:
    script = (
        'import sys\n'
        'from datetime import datetime, timezone\n'
        'from vbsclient.schedule import comparison, runs, texts\n'
        'wanted = texts.parse_schedule(["02:00"], "1d")\n'
        'now = datetime.now(timezone.utc)\n'
        'assert runs.next_runs(wanted.new(), now, 3)\n'
        'assert "dateutil" not in sys.modules\n'
        'texts.parse_schedule(rule="FREQ=DAILY;BYHOUR=1;BYMINUTE=0")\n'
        'assert "dateutil" in sys.modules\n'
    )
    subprocess.run([sys.executable, '-c', script], check=True)
