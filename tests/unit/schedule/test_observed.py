# SPDX-License-Identifier: Apache-2.0
"""The time zone of a schedule, by the backups that it has made."""

from datetime import datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vbsclient.schedule.observed import fitting_offsets
from vbsclient.schedule.runs import next_runs
from vbsclient.schedule.values import Schedule

NOW = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)  # a Thursday
DAILY = Schedule((time(2),), every_days=1)


def hours(schedule: Schedule, *created: datetime) -> list[int]:
    found = fitting_offsets(schedule, created)
    return [offset // timedelta(hours=1) for offset in found]


def at(hour: int, minute: int = 0, day: int = 26) -> datetime:
    return NOW.replace(day=day, hour=hour, minute=minute)


@pytest.mark.parametrize(
    ('created', 'fitting'),
    [
        ([at(2), at(2, 10, 25)], [0]),
        ([at(2, 14)], [0]),
        # It began late, or the clock is half an hour away.
        ([at(20, 30), at(20, 30, 25)], []),
        ([at(0), at(0, 10, 25)], [2]),
        ([at(20)], [6]),
        ([at(14)], [12]),
        ([at(13)], [-11]),
        # By no clock at the same time.
        ([at(2), at(4, 0, 25)], []),
        ([], []),
    ],
)
def test_times_of_day(created: list[datetime], fitting: list[int]) -> None:
    assert hours(DAILY, *created) == fitting


def test_several_runs_a_day_may_fit_several_zones() -> None:
    each = Schedule(tuple(time(h) for h in range(0, 24, 6)), every_days=1)
    assert hours(each, at(6), at(12)) == [0, 6, -6, 12]
    assert hours(each, at(5), at(11)) == [1, -5, 7, -11]


def test_days_of_the_week_count_where_the_clock_is() -> None:
    friday = Schedule((time(1),), weekdays=(4,))
    assert hours(friday, at(1, day=27)) == [0]
    assert hours(friday, at(23)) == [2]
    # That is Thursday in each zone in which it is one o'clock.
    assert hours(friday, at(2)) == []


def test_a_rule_that_says_more_fits_none() -> None:
    assert hours(Schedule(raw='FREQ=MONTHLY'), at(2)) == []


@given(
    st.sets(st.times(), min_size=1, max_size=3),
    st.none() | st.sets(st.integers(0, 6), min_size=1),
    st.integers(-11, 12),
    st.lists(st.integers(0, 14), min_size=1, max_size=5),
)
def test_the_zone_is_among_those_that_fit(
    times: set[time], days: set[int] | None, hour: int, late: list[int]
) -> None:
    schedule = Schedule(
        tuple(sorted({one.replace(second=0, microsecond=0) for one in times})),
        every_days=1 if days is None else None,
        weekdays=None if days is None else tuple(sorted(days)),
        zone=timezone(timedelta(hours=hour)),
    )
    runs = next_runs(schedule, NOW, len(late))
    created = [
        run + timedelta(minutes=minutes)
        for run, minutes in zip(runs, late, strict=True)
    ]
    assert hour in hours(schedule, *created)
