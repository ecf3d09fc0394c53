# SPDX-License-Identifier: Apache-2.0
"""Schedules and retentions as a person writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import time, timedelta, timezone, tzinfo

from vbsclient.schedule import InvalidSetting, zones
from vbsclient.schedule.runs import check_rule
from vbsclient.schedule.values import (
    DAY_NAMES,
    PERIODS,
    UNLIMITED,
    WEEKDAYS,
    WantedRetention,
    WantedSchedule,
)

_TIME = re.compile(
    r'([01]?[0-9]|2[0-3]):([0-5][0-9])(Z|[+-][0-9]{2}:[0-9]{2})?',
    re.ASCII | re.IGNORECASE,
)

_EVERY = re.compile(r'([0-9]{1,4})d', re.ASCII)

_COUNT = re.compile(r'[0-9]{1,9}', re.ASCII)

#: What stands for several days.
_DAY_GROUPS = {'weekdays': range(5), 'weekend': range(5, 7)}

_DAYS = (
    {name: [day] for day, name in enumerate(WEEKDAYS)}
    | {name.lower(): [day] for day, name in enumerate(DAY_NAMES)}
    | _DAY_GROUPS
)

ONE_OF_BOTH = 'Give only one of them.'


def parse_schedule(
    at: Iterable[str] = (),
    every: str | None = None,
    on: Iterable[str] = (),
    zone: str | None = None,
    rule: str | None = None,
) -> WantedSchedule:
    """Read a schedule.

    :param at: times of day, ``02:00``, ``02:00Z`` or ``02:00+02:00``, also
        several with commas between them.
    :param every: ``2d``.
    :param on: ``mon,thu``, ``weekdays``, ``weekend``.
    :param zone: ``Europe/Berlin``, ``UTC`` or ``UTC+02:00``.
    :param rule: an RRULE, which takes the place of all others.
    :raises InvalidSetting: if one of them cannot be read, or two of them
        contradict each other.
    """
    times, time_zone = _times(at)
    days = sorted({day for text in _words(on) for day in _weekdays(text)})
    wanted = WantedSchedule(
        at=times,
        every_days=None if every is None else _every_days(every),
        weekdays=tuple(days) or None,
        zone=_one_zone(time_zone, zone),
    )
    if wanted.every_days is not None and wanted.weekdays is not None:
        raise InvalidSetting(
            'a policy runs every so many days, or on days of the week',
            ONE_OF_BOTH,
        )
    if rule is None:
        return wanted
    if wanted:
        raise InvalidSetting('a rule says all of a schedule', ONE_OF_BOTH)
    return WantedSchedule(raw=check_rule(rule))


def parse_retention(
    *,
    last: str | None = None,
    days: str | None = None,
    daily: str | None = None,
    weekly: str | None = None,
    monthly: str | None = None,
    yearly: str | None = None,
    forever: bool = False,
    first_of_month: bool | None = None,
) -> WantedRetention:
    """Read a retention.

    :param last: a number, or ``unlimited``.
    :param days: a number of days.
    :param daily: a number from 0 to 100; the same for the other periods.
    :raises InvalidSetting: if one of them cannot be read, or two of them
        exclude each other.
    """
    periods = zip(PERIODS, (daily, weekly, monthly, yearly), strict=True)
    wanted = WantedRetention(
        last=UNLIMITED if last == 'unlimited' else _positive(last),
        days=_positive(days),
        **{name: _period_count(text) for name, text in periods},
        forever=forever,
        first_of_month=first_of_month,
    )
    if wanted.forever and wanted != WantedRetention(forever=True):
        raise InvalidSetting(
            'what is kept forever has no other limit', ONE_OF_BOTH
        )
    if wanted.last is not None and wanted.days is not None:
        raise InvalidSetting(
            'a policy keeps a number of backups, or those of some days',
            ONE_OF_BOTH,
        )
    if wanted.days is not None and any(
        getattr(wanted, period) for period in PERIODS
    ):
        raise InvalidSetting(
            'long-term backups are kept beside a number of backups, and not '
            'beside those of some days',
            ONE_OF_BOTH,
        )
    return wanted


def _words(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from text.split(',')


def _times(
    texts: Iterable[str],
) -> tuple[tuple[time, ...] | None, tzinfo | None]:
    """The local times, ascending, and the zone that all of them name."""
    times = set()
    suffixes = set()
    for text in _words(texts):
        match = _TIME.fullmatch(text.strip())
        offset = zones.offset_of_text(match[3] or 'Z') if match else None
        if match is None or offset is None:
            raise InvalidSetting(
                f'{text!r} is not a time of day such as 02:00, 02:00Z or '
                f'02:00+02:00'
            )
        times.add(time(int(match[1]), int(match[2])))
        suffixes.add(offset if match[3] else None)
    if len(suffixes) > 1:
        raise InvalidSetting('all times of a schedule need the same time zone')
    offset = suffixes.pop() if suffixes else None
    zone = timezone(offset) if isinstance(offset, timedelta) else None
    return tuple(sorted(times)) or None, zone


def _one_zone(of_times: tzinfo | None, text: str | None) -> tzinfo | None:
    if text is None:
        return of_times
    if of_times is not None:
        raise InvalidSetting(
            f'the times have a time zone, and so is {text!r} one', ONE_OF_BOTH
        )
    return zones.parse_zone(text)


def _every_days(text: str) -> int:
    match = _EVERY.fullmatch(text.strip())
    if match is None or not int(match[1]):
        raise InvalidSetting(
            f'{text!r} is not a number of days such as 1d or 2d'
        )
    return int(match[1])


def _weekdays(text: str) -> Iterable[int]:
    try:
        return _DAYS[text.strip().lower()]
    except KeyError:
        raise InvalidSetting(
            f'{text!r} is not a day such as mon, or weekdays or weekend'
        ) from None


def _count(text: str) -> int | None:
    return int(text) if _COUNT.fullmatch(text.strip()) else None


def _positive(text: str | None) -> int | None:
    if text is None:
        return None
    number = _count(text)
    if not number:
        raise InvalidSetting(f'{text!r} is not a number greater than 0')
    return number


def _period_count(text: str | None) -> int | None:
    if text is None:
        return None
    number = _count(text)
    if number is None or number > 100:
        raise InvalidSetting(f'{text!r} is not a number from 0 to 100')
    return number
