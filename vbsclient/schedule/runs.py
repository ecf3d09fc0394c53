# SPDX-License-Identifier: Apache-2.0
"""When a policy runs next, and rules (RRULE) that say it.

dateutil is loaded for rules that are more than times and days.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from itertools import islice, pairwise

from vbsclient.schedule import InvalidSetting, zones
from vbsclient.schedule.values import Schedule

#: Days of what a rule repeats; those of months differ.
_PERIODS = {'DAILY': 1, 'WEEKLY': 7, 'MONTHLY': 0}

#: The parts that are followed.  With others, or other values, a rule may run
#: each second, or never: dateutil would search to the year 9999, or fail.
_DAY = '(?:MO|TU|WE|TH|FR|SA|SU)'
_NTH_DAY = f'(?:[+-]?[1-4])?{_DAY}'
_DAY_OF_MONTH = '-?(?:[1-9]|[12][0-9]|3[01])'
_PARTS = {
    name: re.compile(pattern, re.ASCII)
    for name, pattern in {
        'FREQ': '|'.join(_PERIODS),
        'INTERVAL': '[1-9][0-9]{0,3}',
        'UNTIL': '[0-9]{8}(?:T[0-9]{6}Z?)?',
        'WKST': _DAY,
        'BYMONTHDAY': f'{_DAY_OF_MONTH}(?:,{_DAY_OF_MONTH})*',
        'BYDAY': f'{_NTH_DAY}(?:,{_NTH_DAY})*',
        'BYHOUR': '[0-9,]+',
        'BYMINUTE': '[0-9,]+',
    }.items()
}

#: Runs before this moment that are counted to find the next.
_COUNTED = 100_000

#: Between two runs, by the reference of CSBS.
_SHORTEST = timedelta(hours=1)

_CHECKED_RUNS = 100

#: Where the runs of a new rule are counted from, for a check.
_ANY_START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def next_runs(schedule: Schedule, now: datetime, count: int) -> list[datetime]:
    """The next runs, in UTC; none if they cannot be known.

    A named zone counts with its offset of now, as the services have it.
    """
    if schedule.raw is not None:
        try:
            return _runs_of_rule(schedule.raw, schedule.start, now, count)
        except (ValueError, OverflowError):
            return []
    if not schedule.at or schedule.weekdays == ():
        return []
    local_zone = timezone(zones.offset_at(schedule.zone, now))
    day = now.astimezone(local_zone).date()
    found: list[datetime] = []
    while len(found) < count:
        if _runs_on(schedule, day.weekday(), day.day):
            runs = (
                datetime.combine(day, local, local_zone)
                for local in schedule.at
            )
            found += [
                run.astimezone(timezone.utc) for run in runs if run > now
            ]
        day += timedelta(days=1)
    return found[:count]


def _runs_on(schedule: Schedule, weekday: int, day_of_month: int) -> bool:
    if schedule.weekdays is not None:
        return weekday in schedule.weekdays
    return (day_of_month - 1) % (schedule.every_days or 1) == 0


def rule_parts(rule: str) -> dict[str, str]:
    """The parts of an RRULE, in capitals; none if it is not one."""
    pairs = [part.partition('=') for part in rule.strip().upper().split(';')]
    parts = {name: value for name, _, value in pairs}
    is_rule = len(parts) == len(pairs) and all(v for _, _, v in pairs)
    return parts if is_rule else {}


def check_rule(rule: str) -> str:
    """Check an RRULE that a person wrote, and return it.

    :raises InvalidSetting: if it is not one, if its runs cannot be told
        before, or are less than an hour apart.
    """
    text = rule.strip()
    if text[:6].upper() == 'RRULE:':
        text = text[6:]
    try:
        runs = _runs_of_rule(text, None, _ANY_START, _CHECKED_RUNS)
    except (ValueError, OverflowError) as error:
        raise InvalidSetting(
            f'{rule!r} is not a rule such as '
            f'FREQ=DAILY;INTERVAL=2;BYHOUR=1;BYMINUTE=0: {error}'
        ) from None
    if not runs:
        raise InvalidSetting(f'the rule {rule!r} never runs')
    if any(after - before < _SHORTEST for before, after in pairwise(runs)):
        raise InvalidSetting(
            f'the rule {rule!r} has runs that are less than an hour apart'
        )
    return text


def _runs_of_rule(
    rule: str, start: datetime | None, now: datetime, count: int
) -> list[datetime]:
    """The runs of an RRULE after a time.

    A service may send any rule: how far it is followed has limits.

    :param start: when it starts to count; if it is not known, now.
    :raises ValueError: if it is no rule, or none that can be followed.
    """
    parts = rule_parts(rule)
    if 'FREQ' not in parts:
        raise ValueError('it is not made of parts such as FREQ=DAILY')
    for name, value in parts.items():
        if name not in _PARTS or not _PARTS[name].fullmatch(value):
            part = f'{name}={value}'
            raise ValueError(f'it cannot have the part {part!r}')
    if {'BYDAY', 'BYMONTHDAY'} <= set(parts):
        raise ValueError('it cannot have both BYDAY and BYMONTHDAY')
    from dateutil.rrule import rrulestr

    # dateutil wants both ends with a time zone or both without.
    today = now.astimezone(timezone.utc).replace(tzinfo=None)
    first = (start or now).astimezone(timezone.utc).replace(tzinfo=None)
    first = first.replace(second=0, microsecond=0)
    period = timedelta(
        days=_PERIODS[parts['FREQ']] * int(parts.get('INTERVAL', '1'))
    )
    if period:
        # The same rule from later on: an old policy has many runs.
        first += max((today - first) // period - 1, 0) * period
    if 'UNTIL' in parts:
        parts['UNTIL'] = parts['UNTIL'].rstrip('Z')
    text = ';'.join(f'{name}={value}' for name, value in parts.items())
    followed = islice(iter(rrulestr(text, dtstart=first)), _COUNTED)
    later = (run for run in followed if run > today)
    return [run.replace(tzinfo=timezone.utc) for run in islice(later, count)]
