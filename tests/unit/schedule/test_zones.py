# SPDX-License-Identifier: Apache-2.0
"""Time zones as people and services write them."""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo, available_timezones

import pytest

from vbsclient.schedule import InvalidSetting, zones

NOW = datetime(2026, 11, 26, 12, 0, 30, tzinfo=timezone.utc)


def fixed(hours: int, minutes: int = 0) -> timezone:
    return timezone(timedelta(hours=hours, minutes=minutes))


@pytest.mark.parametrize(
    ('text', 'zone'),
    [
        ('UTC', timezone.utc),
        ('utc', timezone.utc),
        ('Z', timezone.utc),
        ('UTC+02:00', fixed(2)),
        ('UTC-03:30', fixed(-3, -30)),
        ('UTC+2', fixed(2)),
        ('+05:45', fixed(5, 45)),
        ('-12:00', fixed(-12)),
        ('UTC+14:00', fixed(14)),
        ('UTC-00:00', timezone.utc),
        ('Europe/Berlin', ZoneInfo('Europe/Berlin')),
        ('Etc/GMT+2', ZoneInfo('Etc/GMT+2')),
    ],
)
def test_what_is_a_zone(text: str, zone: object) -> None:
    assert zones.parse_zone(text) == zone


@pytest.mark.parametrize(
    'text',
    [
        *('', ' ', 'Mars', '../etc/passwd', 'Europe', 'a\0b', '2', '+0200'),
        *('UTC+15:00', 'UTC+14:01', 'UTC+02:60', 'UTC 02:00', 'UTC+'),
        *('UTC+\u0662', 'GMT+02:00', '+123', '+02:00:00'),
    ],
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(InvalidSetting, match='is not a time zone such as'):
        zones.parse_zone(text)


@pytest.mark.parametrize('value', [None, 2, '', 'Europe/Berlin', [], '02:00'])
def test_the_wire_has_offsets_only(value: object) -> None:
    assert zones.offset_of_text(value) is None


def test_every_offset_survives_the_wire() -> None:
    for minutes in range(-14 * 60, 14 * 60 + 1):
        offset = timedelta(minutes=minutes)
        text = zones.offset_text(offset)
        assert len(text) == len('UTC+02:00')
        assert zones.offset_of_text(text) == offset


def test_every_zone_has_an_offset_of_minutes() -> None:
    for name in available_timezones():
        zone = zones.parse_zone(name)
        offset = zones.offset_at(zone, NOW)
        assert zones.offset_of_text(zones.offset_text(offset)) == offset


@pytest.mark.parametrize('now', [NOW, NOW.replace(month=7)])
def test_the_next_change_of_every_zone_is_where_it_is(now: datetime) -> None:
    """Beside a walk over hours."""
    hour = timedelta(hours=1)
    start = now.replace(minute=0, second=0)
    for name in sorted(available_timezones())[::17]:
        zone = ZoneInfo(name)
        change = zones.next_change(zone, now)
        first = now.astimezone(zone).utcoffset()
        walk = (start + hour * n for n in range(400 * 24))
        later = next(
            (t for t in walk if t.astimezone(zone).utcoffset() != first), None
        )
        assert (change is None) is (later is None)
        if change and later:
            assert later - hour < change[0] <= later
            assert change[1] == later.astimezone(zone).utcoffset()


@pytest.mark.parametrize(
    ('name', 'at', 'offset'),
    [
        ('Europe/Berlin', '2027-03-28T01:00:00+00:00', timedelta(hours=2)),
        ('America/New_York', '2027-03-14T07:00:00+00:00', timedelta(hours=-4)),
        (
            'Australia/Lord_Howe',
            '2027-04-03T15:00:00+00:00',
            timedelta(hours=10, minutes=30),
        ),
    ],
)
def test_a_change_is_known_to_the_minute(
    name: str, at: str, offset: timedelta
) -> None:
    change = zones.next_change(ZoneInfo(name), NOW)
    assert change == (datetime.fromisoformat(at), offset)


@pytest.mark.parametrize(
    'zone', [None, timezone.utc, fixed(2), ZoneInfo('Asia/Kolkata')]
)
def test_what_never_changes(zone: object) -> None:
    assert zones.next_change(zone, NOW) is None  # type: ignore[arg-type]
