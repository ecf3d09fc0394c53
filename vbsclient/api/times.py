# SPDX-License-Identifier: Apache-2.0
"""Times as the services write them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime

import iso8601

#: No zone has ever been further from UTC.
_FURTHEST = timedelta(hours=16)

#: Seconds; a service that wants a longer pause does not get it.
_LONGEST_RETRY_AFTER = 60.0

_EARLIEST = datetime.min.replace(tzinfo=timezone.utc) + _FURTHEST
_LATEST = datetime.max.replace(tzinfo=timezone.utc) - _FURTHEST


def parse_timestamp(
    text: str | None, zone: tzinfo = timezone.utc
) -> datetime | None:
    """A time of the wire, which is UTC where it names no zone.

    :param zone: where a time is from that names none.
    :returns: it in UTC; None if there is none, or none that the clocks of
        every zone can show, as the zero of some languages.
    """
    if not text:
        return None
    try:
        parsed = iso8601.parse_date(text, default_timezone=None)
        if parsed.tzinfo is None:
            parsed = parsed.replace(tzinfo=zone)
        moment = parsed.astimezone(timezone.utc)
    except (iso8601.ParseError, OverflowError):
        return None
    return moment if _EARLIEST <= moment <= _LATEST else None


def seconds_to_wait(retry_after: str | None) -> float | None:
    """The ``Retry-After`` header in seconds, clipped to 0..60.

    :param retry_after: seconds, or an HTTP date.
    :returns: None if there is none, or none that can be read.
    """
    if retry_after is None:
        return None
    text = retry_after.strip()
    if re.fullmatch(r'[0-9]{1,9}', text):
        seconds = float(text)
    else:
        moment = http_date(text)
        if moment is None:
            return None
        seconds = (moment - datetime.now(timezone.utc)).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER)


def http_date(text: str) -> datetime | None:
    """A time as HTTP writes it; None if it cannot be read."""
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return moment
