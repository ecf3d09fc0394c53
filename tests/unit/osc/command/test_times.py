# SPDX-License-Identifier: Apache-2.0
"""Durations and dates mean what they say, or are refused."""

import argparse
import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vbsclient.api.times import CalendarDuration, parse_timestamp
from vbsclient.osc.command.times import (
    parse_calendar_duration,
    parse_time,
    parse_timeout,
)


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('90', timedelta(seconds=90)),
        ('90s', timedelta(seconds=90)),
        ('30m', timedelta(minutes=30)),
        ('12h', timedelta(hours=12)),
        ('30d', timedelta(days=30)),
        ('2w', timedelta(weeks=2)),
        ('1d12h', timedelta(hours=36)),
        ('1.5h', timedelta(minutes=90)),
        (' 5m ', timedelta(minutes=5)),
        ('1h30m', timedelta(minutes=90)),
        ('90min', timedelta(minutes=90)),
    ],
)
def test_timeouts(text: str, expected: timedelta) -> None:
    assert parse_timeout(text) == expected


@pytest.mark.parametrize(
    'text',
    [
        '',
        'd',
        '-3h',
        '+3h',
        '0',
        '0h',
        '3x',
        '30 d',
        '1d x 2h',
        '3mm',
        '5ms',
        '30D',
        '1.2.3h',
        '.h',
        '1e3',
        '٣d',
        '12h1d',
        '9' * 400,
        f'{"9" * 400}d',
        f'{"9" * 400}y',
    ],
)
def test_invalid_timeouts(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        parse_timeout(text)


@given(st.text())
def test_a_text_is_a_duration_or_refused(text: str) -> None:
    for parse in (parse_timeout, parse_time):
        with contextlib.suppress(argparse.ArgumentTypeError):
            parse(text)


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('2026-11-21', '2026-11-21T00:00:00+00:00'),
        ('2026-11-21T10:11', '2026-11-21T10:11:00+00:00'),
        ('2026-11-21 10:11:12', '2026-11-21T10:11:12+00:00'),
        ('2026-11-21T10:11:12Z', '2026-11-21T10:11:12+00:00'),
        ('2026-11-21T10:11:12+02:00', '2026-11-21T08:11:12+00:00'),
    ],
)
def test_dates(text: str, expected: str) -> None:
    assert parse_time(text).isoformat() == expected


def test_a_duration_is_back_from_now() -> None:
    before = datetime.now(timezone.utc)
    time = parse_time('30d')
    assert before <= time + timedelta(days=30) <= datetime.now(timezone.utc)


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('2026-05-02', '2026-05-01T22:00:00+00:00'),
        ('2026-01-02T10:00', '2026-01-02T09:00:00+00:00'),
        ('2026-05-02T10:00Z', '2026-05-02T10:00:00+00:00'),
        ('1mo', '2026-02-28T11:00:00+00:00'),
        ('1d', '2026-03-29T10:00:00+00:00'),
        ('24h', '2026-03-29T10:00:00+00:00'),
        ('2d', '2026-03-28T11:00:00+00:00'),
        ('48h', '2026-03-28T10:00:00+00:00'),
        ('1y', '2025-03-30T10:00:00+00:00'),
    ],
)
def test_a_zone_moves_dates_and_periods(text: str, expected: str) -> None:
    # The day after the clocks of Berlin went forward.
    now = datetime(2026, 3, 30, 10, tzinfo=timezone.utc)
    time = parse_time(text, ZoneInfo('Europe/Berlin'), now)
    assert time.isoformat() == expected


BARE_M = ['6m', '30m', '1y6m', '1h30m', '2d6m', '006m']


@pytest.mark.parametrize('parse', [parse_time, parse_calendar_duration])
@pytest.mark.parametrize('text', BARE_M)
def test_ambiguous_m_is_refused_where_backups_are_selected(
    parse: Callable[[str], object], text: str
) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match='or minutes: write'):
        parse(text)


@pytest.mark.parametrize(
    ('text', 'advice'),
    [
        ('6m', '6mo (months) or 6min (minutes)'),
        ('1y6m', '1y6mo (months) or 1y6min (minutes)'),
        ('1h30m', '1h30min (minutes)'),
        ('2d6m', '2d6min (minutes)'),
        ('6m2w', '6mo2w (months)'),
        ('5m30s', '5mo30s (months) or 5min30s (minutes)'),
    ],
)
def test_the_advice_is_accepted(text: str, advice: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as refusal:
        parse_calendar_duration(text)
    assert str(refusal.value).endswith(f': write {advice}')
    for written in advice.split(' or '):
        parse_calendar_duration(written.split(' ')[0])


@pytest.mark.parametrize('parse', [parse_time, parse_calendar_duration])
@pytest.mark.parametrize('text', ['30', '1', '3600', '777600', '0030'])
def test_a_number_needs_its_unit(
    parse: Callable[[str], object], text: str
) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        parse(text)


@given(st.integers(min_value=0, max_value=10**20))
def test_no_number_without_a_unit_selects_anything(number: int) -> None:
    for parse in (parse_time, parse_calendar_duration):
        with pytest.raises(argparse.ArgumentTypeError):
            parse(str(number))


@pytest.mark.parametrize(
    'text', ['1782678995', '1782678995123', '1782678995123456', '0000000001']
)
def test_seconds_since_1970_are_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        parse_time(text)


@given(
    st.lists(
        st.sampled_from(['y', 'mo', 'w', 'd', 'h', 'min', 's']),
        min_size=1,
        unique=True,
    ),
    st.integers(min_value=1, max_value=50),
)
def test_every_option_reads_the_same_units(
    units: list[str], number: int
) -> None:
    order = ['y', 'mo', 'w', 'd', 'h', 'min', 's']
    text = ''.join(f'{number}{u}' for u in sorted(units, key=order.index))
    now = datetime.now(timezone.utc)
    before = parse_calendar_duration(text).before(now, timezone.utc)
    assert parse_time(text, now=now) == before
    off = (now - before) - parse_timeout(text)
    assert abs(off) < timedelta(days=3)


@pytest.mark.parametrize('text', ['2026', '20261121'])
def test_a_number_that_reads_as_a_date_is_refused(text: str) -> None:
    # As seconds it would be so short a time that nearly all is older.
    with pytest.raises(argparse.ArgumentTypeError, match='may be a date'):
        parse_time(text)


@pytest.mark.parametrize(
    'text', ['', 'soon', '2026-13-01', '2026-02-30', '-1d', '9999999d']
)
def test_invalid_times(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match='neither a date'):
        parse_time(text)


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('2024-05-02T10:11:12.345678', '2024-05-02T10:11:12.345678+00:00'),
        ('2024-05-02T10:11:12Z', '2024-05-02T10:11:12+00:00'),
        ('2024-05-02 10:11:12', '2024-05-02T10:11:12+00:00'),
    ],
)
def test_times_of_the_services(text: str, expected: str) -> None:
    time = parse_timestamp(text)
    assert time is not None
    assert time.isoformat() == expected


@pytest.mark.parametrize('text', [None, '', 'never', '0001-01-01T00:00+14:00'])
def test_times_that_cannot_be_read(text: str | None) -> None:
    assert parse_timestamp(text) is None


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('30d', {'days': 30}),
        ('8w', {'days': 56}),
        ('6mo', {'months': 6}),
        ('1y', {'years': 1}),
        ('2y5mo7d3h', {'years': 2, 'months': 5, 'days': 7, 'seconds': 10800}),
        ('36h', {'seconds': 129600}),
        ('90min', {'seconds': 5400}),
        (' 5s ', {'seconds': 5}),
    ],
)
def test_calendar_durations(text: str, expected: dict[str, int]) -> None:
    assert parse_calendar_duration(text) == CalendarDuration(
        text.strip(), **expected
    )


@pytest.mark.parametrize(
    'text',
    [
        '',
        ' ',
        '30',
        '0d',
        '0',
        '-1d',
        '1d1y',
        '1x',
        '1d 2h',
        '1.5d',
        '٣d',
        'd',
        '30D',
        '6MO',
        '6M',
        '1mo1mo',
        '6mon',
    ],
)
def test_invalid_calendar_durations(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        parse_calendar_duration(text)


@pytest.mark.parametrize(
    'text',
    [
        '0001-01-01T00:00:00',
        '0001-01-01T00:00:00+14:00',
        '9999-12-31T23:59:59',
        '9999-12-31T23:59:59-12:00',
    ],
)
def test_times_that_not_every_time_zone_can_show(text: str) -> None:
    assert parse_timestamp(text) is None


def test_the_last_day_is_a_time() -> None:
    assert parse_timestamp('9999-12-31') == datetime(
        9999, 12, 31, tzinfo=timezone.utc
    )
