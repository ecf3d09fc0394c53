# SPDX-License-Identifier: Apache-2.0
"""Times as the services write them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo

import iso8601

#: No zone has ever been further from UTC.
_FURTHEST = timedelta(hours=16)

_EARLIEST = datetime.min.replace(tzinfo=timezone.utc) + _FURTHEST
_LATEST = datetime.max.replace(tzinfo=timezone.utc) - _FURTHEST


def moment_of(
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
