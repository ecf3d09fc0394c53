# SPDX-License-Identifier: Apache-2.0
"""In which time zone a policy runs, as far as its backups show it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from vbsclient.schedule.values import Schedule, minute_of

#: Of all zones that are a whole number of hours from UTC, the nearest first.
_HOURS = sorted(range(-11, 13), key=lambda hours: (abs(hours), -hours))

#: A run begins late where others are queued before it.  With more of it a
#: zone of half hours would fit a whole hour.
_LATEST_START = timedelta(minutes=14)


def fitting_offsets(
    schedule: Schedule, created: Sequence[datetime]
) -> list[timedelta]:
    """The zones in which the times of a schedule are those of its backups.

    A rule that says more than times and days fits none.

    :param created: when backups were created by the schedule.
    :returns: offsets from UTC, in whole hours, the nearest first; none if
        there are no backups.
    """
    if not created:
        return []
    offsets = [timedelta(hours=hours) for hours in _HOURS]
    return [
        offset
        for offset in offsets
        if all(_runs_before(schedule, time + offset) for time in created)
    ]


def _runs_before(schedule: Schedule, local: datetime) -> bool:
    """Whether a run has begun just before a local time."""
    minute = timedelta(minutes=local.hour * 60 + local.minute)
    for at in schedule.at:
        late = minute - timedelta(minutes=minute_of(at))
        late %= timedelta(days=1)
        day = (local - late).weekday()
        is_day = schedule.weekdays is None or day in schedule.weekdays
        if late <= _LATEST_START and is_day:
            return True
    return False
