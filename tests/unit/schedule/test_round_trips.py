# SPDX-License-Identifier: Apache-2.0
"""What is sent and read again is what was meant, whatever the schedule."""

import copy
from datetime import datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.unit.schedule.policies import DAILY, csbs_policy, vbs_policy
from vbsclient.schedule import InvalidSetting, csbs, vbs, zones
from vbsclient.schedule.comparison import differences
from vbsclient.schedule.runs import next_runs
from vbsclient.schedule.values import (
    UNLIMITED,
    Schedule,
    Wanted,
    WantedRetention,
    WantedSchedule,
)

NAMES = sorted(available_timezones())
NOW = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)

quickly = settings(max_examples=150, deadline=None)

moments = st.datetimes(
    datetime(2026, 1, 1),  # noqa: DTZ001
    datetime(2029, 1, 1),  # noqa: DTZ001
    timezones=st.just(timezone.utc),
)

offsets = st.integers(-12 * 4, 14 * 4).map(
    lambda quarters: timezone(timedelta(minutes=15 * quarters))
)


@st.composite
def schedules(draw: st.DrawFn, most_days: int) -> WantedSchedule:
    """Any minutes and hours: not every service can say each of them."""
    minute = draw(st.sampled_from([0, 0, 15, 30, 45, 59]))
    hours = sorted(draw(st.sets(st.integers(0, 23), min_size=1)))
    every = draw(st.none() | st.integers(1, most_days))
    days = draw(st.sets(st.integers(0, 6), min_size=1))
    zone = draw(st.none() | offsets | st.sampled_from(NAMES).map(ZoneInfo))
    return WantedSchedule(
        tuple(time(hour, minute) for hour in hours),
        every,
        None if every else tuple(sorted(days)),
        zone,
    )


@st.composite
def retentions(draw: st.DrawFn, *, of_vbs: bool) -> WantedRetention:
    number = draw(st.integers(2, 99))
    first = draw(st.none() | st.booleans()) if of_vbs else None
    if draw(st.booleans()):
        return WantedRetention(days=number, first_of_month=first)
    if of_vbs:
        return WantedRetention(last=number, first_of_month=first)
    if draw(st.booleans()):
        return WantedRetention(forever=True)
    counts = draw(
        st.tuples(*[st.none() | st.integers(0, 100) for _ in range(4)])
    )
    last = draw(st.sampled_from([UNLIMITED, number]))
    return WantedRetention(last, None, *counts)


def fixed(schedule: Schedule, now: datetime) -> Schedule:
    """What a service that knows offsets only makes of a schedule."""
    zone = timezone(zones.offset_at(schedule.zone, now))
    return Schedule(schedule.at, schedule.every_days, schedule.weekdays, zone)


@quickly
@given(schedules(30), retentions(of_vbs=True), st.booleans(), moments)
def test_vbs(
    schedule: WantedSchedule,
    retention: WantedRetention,
    enabled: bool,
    now: datetime,
) -> None:
    wanted = Wanted(schedule, retention, enabled)
    new = schedule.new()
    try:
        body = vbs.new_policy(wanted, now)
    except InvalidSetting:
        assert any(minute % 60 for _, minute in new.utc(now))
        return
    read = vbs.settings_of(body)
    assert read.schedule == fixed(new, now)
    assert next_runs(read.schedule, now, 3) == next_runs(new, now, 3)
    assert read.enabled is enabled
    assert (read.retention.last, read.retention.days) == (
        retention.last,
        retention.days,
    )
    assert read.retention.first_of_month is bool(retention.first_of_month)
    starts = body['scheduled_policy']['start_time'].split(',')
    assert len(starts) == len(set(starts)) == len(new.at) <= 24
    assert all(start.endswith(':00') for start in starts)


@quickly
@given(schedules(1), retentions(of_vbs=False), st.booleans(), moments)
def test_csbs(
    schedule: WantedSchedule,
    retention: WantedRetention,
    enabled: bool,
    now: datetime,
) -> None:
    wanted = Wanted(schedule, retention, enabled)
    new = schedule.new()
    try:
        operation = csbs.new_operation(wanted, now)
    except InvalidSetting:
        assert len({shift for shift, _ in new.utc(now)}) > 1
        assert new.weekdays is not None
        return
    read = csbs.settings_of({'scheduled_operations': [operation]})
    assert read.schedule is not None
    assert read.schedule.raw is None
    assert read.schedule.meaning(now) == new.meaning(now)
    assert next_runs(read.schedule, now, 3) == next_runs(new, now, 3)
    if schedule.zone is None:
        assert read.schedule == new
    assert read.enabled is enabled
    for name in ('last', 'days', 'forever'):
        expected = getattr(retention, name)
        if name == 'last' and retention.forever:
            continue
        assert getattr(read.retention, name) == expected
    for name in ('daily', 'weekly', 'monthly', 'yearly'):
        said = getattr(retention, name)
        assert getattr(read.retention, name) == (said or None)


@quickly
@given(
    schedules(30),
    retentions(of_vbs=True),
    st.none() | st.booleans(),
    st.sampled_from(['UTC+00:00', 'UTC+02:00', None]),
    moments,
)
def test_changes_of_vbs(
    schedule: WantedSchedule,
    retention: WantedRetention,
    enabled: bool | None,
    zone: str | None,
    now: datetime,
) -> None:
    before = vbs_policy(extra={'a': 1}, time_zone=zone, unknown=[1])
    wanted = Wanted(schedule, retention, enabled)
    try:
        sent = vbs.changed_policy(before, wanted, now)
    except InvalidSetting:
        return
    assume(sent)
    assert sent['extra'] == {'a': 1}
    assert sent['scheduled_policy']['unknown'] == [1]
    plan = sent['scheduled_policy']
    assert ('frequency' in plan) != ('week_frequency' in plan)
    assert ('rentention_num' in plan) != ('rentention_day' in plan)
    after = copy.deepcopy(before) | copy.deepcopy(sent)
    assert differences(before, sent, after) == []
    assert vbs.changed_policy(after, wanted, now) == {}


@quickly
@given(
    schedules(1),
    retentions(of_vbs=False),
    st.none() | st.booleans(),
    st.sampled_from(['\r\n', '\n']),
    moments,
)
def test_changes_of_csbs(
    schedule: WantedSchedule,
    retention: WantedRetention,
    enabled: bool | None,
    end: str,
    now: datetime,
) -> None:
    pattern = f'X-A:1{end} 2{end}RRULE:{DAILY}{end}X-B:3'
    before = csbs_policy(pattern, unknown=[1])
    wanted = Wanted(schedule, retention, enabled)
    try:
        sent = csbs.changed_policy(before, wanted, now)
    except InvalidSetting:
        return
    assume(sent)
    after: dict[str, Any] = copy.deepcopy(before)
    (operation,) = sent['scheduled_operations']
    changed = after['scheduled_operations'][0]
    changed['enabled'] = operation['enabled']
    if 'operation_definition' in operation:
        changed['operation_definition'] = operation['operation_definition']
        assert operation['operation_definition']['unknown'] == [1]
    if 'trigger' in operation:
        new = operation['trigger']['properties']['pattern']
        changed['trigger']['properties']['pattern'] = new
        assert new.startswith(f'X-A:1{end} 2{end}RRULE:')
        assert new.endswith(f'{end}X-B:3')
    assert differences(before, sent, after) == []
    assert csbs.changed_policy(after, wanted, now) == {}


@pytest.mark.parametrize('now', [NOW, NOW.replace(month=7)])
def test_every_zone(now: datetime) -> None:
    """At a time that VBS can start at, and at one that CSBS can."""
    for name in NAMES:
        zone = ZoneInfo(name)
        minute = zones.offset_at(zone, now) // timedelta(minutes=1) % 60
        for hour in (0, 12, 23):
            schedule = WantedSchedule(
                (time(hour, minute),), weekdays=(0,), zone=zone
            )
            wanted = Wanted(schedule, WantedRetention(last=2))
            new = schedule.new()
            (run,) = next_runs(new, now, 1)
            offset = zones.offset_at(zone, now)
            assert (run + offset).weekday() == 0
            assert (run + offset).time() == time(hour, minute)
            read = vbs.settings_of(vbs.new_policy(wanted, now)).schedule
            assert read == fixed(new, now)
            rule = csbs.rule_of(new, now)
            found = csbs.schedule_of_pattern(f'RRULE:{rule}')
            assert next_runs(found, now, 1) == [run]
