# SPDX-License-Identifier: Apache-2.0
"""Times as the services send them, and durations as calendars count them.

iso8601 comes with keystoneauth1, and reads more forms of a time than Python
3.10 does.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime

import iso8601

#: Before every backup.
EARLIEST = datetime.min.replace(tzinfo=timezone.utc)

#: No time zone has ever been further from UTC.
_LARGEST_OFFSET = timedelta(hours=16)

#: Seconds; a service that asks for a longer pause does not get it.
_LONGEST_RETRY_AFTER = 60.0

_FIRST = EARLIEST + _LARGEST_OFFSET
_LAST = datetime.max.replace(tzinfo=timezone.utc) - _LARGEST_OFFSET


def parse_timestamp(
    text: str | None, zone: tzinfo = timezone.utc
) -> datetime | None:
    """Parse an ISO 8601 time.

    :param zone: the time zone of a text that names none.
    :returns: the time in UTC; None if there is none, or none that every
        time zone can show, such as the zero value of some languages.
    """
    if not text:
        return None
    try:
        parsed = iso8601.parse_date(text, default_timezone=None)
        if parsed.tzinfo is None:
            parsed = parsed.replace(tzinfo=zone)
        time = parsed.astimezone(timezone.utc)
    except (iso8601.ParseError, OverflowError):
        return None
    return time if _FIRST <= time <= _LAST else None


def seconds_to_wait(retry_after: str | None) -> float | None:
    """Parse a ``Retry-After`` header.

    :param retry_after: seconds, or an HTTP date.
    :returns: seconds, clipped to 0..60; None if it cannot be read.
    """
    if retry_after is None:
        return None
    text = retry_after.strip()
    if re.fullmatch(r'[0-9]{1,9}', text):
        seconds = float(text)
    else:
        time = http_date(text)
        if time is None:
            return None
        seconds = (time - datetime.now(timezone.utc)).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER)


def http_date(text: str) -> datetime | None:
    """Parse an HTTP date; None if it cannot be read."""
    try:
        time = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if time.tzinfo is None:
        time = time.replace(tzinfo=timezone.utc)
    return time


@dataclass(frozen=True)
class CalendarDuration:
    """A duration whose years, months and days are those of a calendar.

    :ivar text: as it was written.
    """

    text: str
    years: int = 0
    months: int = 0
    days: int = 0
    seconds: float = 0

    def before(self, time: datetime, zone: tzinfo) -> datetime:
        """The time this long before another one.

        :param zone: the time zone whose calendar and clocks count.
        :returns: a time in UTC; :data:`EARLIEST` if it is before the year 1.
        """
        local = time.astimezone(zone)
        months = (local.year - self.years) * 12 + local.month - 1 - self.months
        year, month = months // 12, months % 12 + 1
        try:
            last_day = calendar.monthrange(year, month)[1]
            day = min(local.day, last_day)
            earlier = local.replace(year=year, month=month, day=day)
            earlier -= timedelta(days=self.days)
            # A subtraction forgets which of two equal hours it was.
            earlier = earlier.replace(fold=local.fold)
            return earlier.astimezone(timezone.utc) - timedelta(
                seconds=self.seconds
            )
        except (OverflowError, ValueError):
            return EARLIEST
