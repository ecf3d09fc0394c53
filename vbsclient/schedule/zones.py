# SPDX-License-Identifier: Apache-2.0
"""Time zones as people and services write them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from vbsclient.schedule import InvalidSetting

#: ``UTC+02:00``, also without its first or its last part.
_OFFSET = re.compile(
    r'(?:UTC)?([+-])([0-9]{1,2})(?::([0-5][0-9]))?', re.ASCII | re.IGNORECASE
)

#: Of UTC; ``Z`` is what times have.
_UTC = ('UTC', 'Z')

#: No place is further from UTC today.
_LARGEST_OFFSET = timedelta(hours=14)

#: A zone that does not change in so many days does not change.
_SEARCHED_DAYS = 400


def parse_zone(text: str) -> tzinfo:
    """Parse ``Europe/Berlin``, ``UTC`` or ``UTC+02:00``.

    :raises InvalidSetting: if it is no time zone.
    """
    offset = offset_of_text(text)
    if offset is not None:
        return timezone(offset)
    try:
        return ZoneInfo(text)
    except (LookupError, ValueError, OSError):
        raise InvalidSetting(
            f'{text!r} is not a time zone such as Europe/Berlin, UTC or '
            f'UTC+02:00'
        ) from None


def offset_of_text(text: object) -> timedelta | None:
    """The offset of ``UTC+02:00``; None if it is none."""
    if not isinstance(text, str):
        return None
    value = text.strip()
    if value.upper() in _UTC:
        return timedelta(0)
    match = _OFFSET.fullmatch(value)
    if match is None:
        return None
    sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
    if offset > _LARGEST_OFFSET:
        return None
    return -offset if sign == '-' else offset


def offset_text(offset: timedelta) -> str:
    """``UTC+02:00``, as both services have it."""
    minutes = round(offset.total_seconds() / 60)
    hours, minutes_left = divmod(abs(minutes), 60)
    return f'UTC{"-" if minutes < 0 else "+"}{hours:02}:{minutes_left:02}'


def offset_at(zone: tzinfo | None, now: datetime) -> timedelta:
    """The offset of a zone at a time; that of UTC where there is no zone."""
    offset = now.astimezone(zone or timezone.utc).utcoffset()
    return offset or timedelta(0)


def next_change(
    zone: tzinfo | None, now: datetime
) -> tuple[datetime, timedelta] | None:
    """When the clocks of a zone change next, and the offset from then on.

    :returns: the first minute of the new offset, in UTC; None if they do
        not change within the next 400 days.
    """
    if not isinstance(zone, ZoneInfo):
        return None
    before = now.astimezone(timezone.utc).replace(second=0, microsecond=0)
    offset = offset_at(zone, now)
    for _ in range(_SEARCHED_DAYS):
        after = before + timedelta(days=1)
        if offset_at(zone, after) != offset:
            break
        before = after
    else:
        return None
    minute = timedelta(minutes=1)
    while after - before > minute:
        middle = before + (after - before) // minute // 2 * minute
        if offset_at(zone, middle) == offset:
            before = middle
        else:
            after = middle
    return after, offset_at(zone, after)
