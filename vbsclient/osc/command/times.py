# SPDX-License-Identifier: Apache-2.0
"""Times as a user writes them: one notation in every option."""

from __future__ import annotations

import argparse
import re
from contextlib import suppress
from datetime import datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING

from vbsclient.api.times import parse_timestamp

if TYPE_CHECKING:
    from vbsclient.retention import CalendarDuration

#: Units whose length a calendar decides; they have no fractions.
_CALENDAR = ('y', 'mo', 'w', 'd')

_CLOCK = ('h', 'min', 's')

#: Each unit at most once, the longest first.
_SPAN = re.compile(
    ''.join(f'(?:([0-9]{{1,9}}){unit})?' for unit in _CALENDAR)
    + ''.join(
        rf'(?:([0-9]{{1,9}}(?:\.[0-9]{{1,6}})?){unit})?' for unit in _CLOCK
    ),
    re.ASCII,
)

_NUMBER = re.compile(r'[0-9]+', re.ASCII)

#: Minutes for some, months for others.
_BARE_M = re.compile(r'(?<=[0-9])m(?![a-z])', re.ASCII)

#: Years in which a bare number is more likely a date than seconds.
_CENTURIES = range(1900, 2200)

#: Digits of the seconds, or milliseconds, since 1970.
_SINCE_1970 = 10
_MILLISECONDS = 13


class _NotPositive(argparse.ArgumentTypeError):
    """A length of time that is none."""


def parse_span(text: str) -> CalendarDuration:
    """A length of time such as ``36h``, ``30d``, ``6mo`` or ``1y6mo``.

    Months and years are those of the calendar.

    :raises ArgumentTypeError: if it is none, if it may be two, or if it is
        not longer than nothing.
    """
    value = text.strip()
    _refuse_bare_m(value, text)
    if _NUMBER.fullmatch(value):
        number = value if len(value) < 10 else '30'
        raise argparse.ArgumentTypeError(
            f'{text!r} is not a length of time: a number needs its unit, '
            f'such as {number}s, {number}min, {number}h, {number}d or '
            f'{number}mo'
        )
    span = _span(value)
    if span is None:
        raise argparse.ArgumentTypeError(
            f'{text!r} is not a length of time such as 36h, 30d, 8w, 6mo '
            f'(months) or 1y6mo: a number and its unit (s, min, h, d, w, mo, '
            f'y), the longest unit first'
        )
    if not (span.years or span.months or span.days or span.seconds):
        raise _NotPositive(
            f'the length of time {text!r} must be longer than nothing'
        )
    return span


def parse_duration(text: str) -> timedelta:
    """How long to wait: the same, plain seconds, and ``m`` for minutes.

    Nothing is selected or kept by it, so that the ``30m`` that everybody
    writes for a time-out can mean what everybody means.

    :raises ArgumentTypeError: if it is none, or not longer than nothing.
    """
    value = text.strip()
    if _NUMBER.fullmatch(value):
        value = f'{value}s'
    try:
        span = parse_span(_BARE_M.sub('min', value))
    except _NotPositive:
        raise
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f'{text!r} is not a duration such as 90 (seconds), 30m, 12h, '
            f'30d or 2w'
        ) from None
    now = datetime.now(timezone.utc)
    return now - span.before(now, timezone.utc)


def parse_moment(
    text: str, zone: tzinfo = timezone.utc, now: datetime | None = None
) -> datetime:
    """A date, a date with a time, or a length of time back from now.

    :param zone: of a date that names none, and of the calendar by which
        days, months and years are counted back.
    :param now: what is counted back from; by default this moment.
    :returns: a time in UTC.
    :raises ArgumentTypeError: if it is none of these, or if it may be both.
    """
    value = text.strip()
    if _NUMBER.fullmatch(value):
        _refuse_number(value, text)
    date = parse_timestamp(value, zone)
    if date is not None:
        return date
    _refuse_bare_m(value, text)
    try:
        span = parse_span(value)
        back = span.before(now or datetime.now(timezone.utc), zone)
        if back.year == 1:
            # It reaches back behind the first of all days.
            raise argparse.ArgumentTypeError(text)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f'{text!r} is neither a date such as 2026-11-21 nor a length of '
            f'time such as 30d or 6mo (a number and its unit: s, min, h, d, '
            f'w, mo, y)'
        ) from None
    return back


def moment(text: str) -> str:
    """The same text, if it is one for :func:`parse_moment`.

    Which moment it is depends on a zone that another option may name.

    :raises ArgumentTypeError: if it is none.
    """
    parse_moment(text)
    return text


def _span(value: str) -> CalendarDuration | None:
    parts = _SPAN.fullmatch(value)
    if not value or parts is None:
        return None
    years, months, weeks, days, hours, minutes, seconds = (
        number or '0' for number in parts.groups()
    )
    # Calendars cost time to load, which a list seldom needs.
    from vbsclient.retention import CalendarDuration

    rest = (float(hours) * 60 + float(minutes)) * 60 + float(seconds)
    return CalendarDuration(
        value,
        years=int(years),
        months=int(months),
        days=int(weeks) * 7 + int(days),
        seconds=rest,
    )


def _refuse_bare_m(value: str, text: str) -> None:
    meant = {
        _BARE_M.sub(unit, value): word
        for unit, word in (('mo', 'months'), ('min', 'minutes'))
    }
    right = [f'{span} ({meant[span]})' for span in meant if _span(span)]
    if value not in meant and right:
        raise argparse.ArgumentTypeError(
            f'{text!r} may be months or minutes: write {" or ".join(right)}'
        )


def _refuse_number(value: str, text: str) -> None:
    """Say what a number without a unit may be.

    :raises ArgumentTypeError: always.
    """
    date = parse_timestamp(value)
    if date is not None and date.year in _CENTURIES:
        raise argparse.ArgumentTypeError(
            f'{text!r} may be a date or seconds: write {date:%Y-%m-%d} or '
            f'{value}s'
        )
    if len(value) >= _SINCE_1970:
        with suppress(ValueError, OverflowError, OSError):
            seconds = int(value) / (1000 if len(value) >= _MILLISECONDS else 1)
            since = datetime.fromtimestamp(seconds, timezone.utc)
            raise argparse.ArgumentTypeError(
                f'{text!r} may be seconds since 1970 or a length of time: '
                f'write {since:%Y-%m-%dT%H:%M:%SZ}, or a number with its unit'
            )
    parse_span(value)
