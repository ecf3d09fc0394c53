# SPDX-License-Identifier: Apache-2.0
"""Times as the services write them."""

from __future__ import annotations

from datetime import datetime, timezone

import iso8601


def moment_of(text: str | None) -> datetime | None:
    """A time of the wire, which is UTC where it names no zone.

    :returns: None if there is none, or none that can be read.
    """
    if not text:
        return None
    try:
        moment = iso8601.parse_date(text, default_timezone=timezone.utc)
        return moment.astimezone(timezone.utc)
    except (iso8601.ParseError, OverflowError):
        return None
