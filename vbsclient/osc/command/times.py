# SPDX-License-Identifier: Apache-2.0
"""Times as users write them: one notation in every option."""

from __future__ import annotations

import argparse
import re
from contextlib import suppress
from datetime import datetime, timedelta, timezone, tzinfo

from vbsclient.api.times import EARLIEST, CalendarDuration, parse_timestamp

#: Each unit at most once, the longest first.  Units whose length depends on
#: the calendar have no fractions.
_DURATION = re.compile(
    ''.join(f'(?:([0-9]{{1,9}}){unit})?' for unit in ('y', 'mo', 'w', 'd'))
    + ''.join(
        rf'(?:([0-9]{{1,9}}(?:\.[0-9]{{1,6}})?){unit})?'
        for unit in ('h', 'min', 's')
    ),
    re.ASCII,
)

_NUMBER = re.compile(r'[0-9]+', re.ASCII)

#: Minutes for some, months for others.
_BARE_M = re.compile(r'(?<=[0-9])m(?![a-z])', re.ASCII)

#: A bare number in this range is more likely a year than seconds.
_YEARS = range(1900, 2200)

#: Digits of the seconds and the milliseconds since 1970.
_SECONDS_DIGITS = 10
_MILLISECONDS_DIGITS = 13


def parse_calendar_duration(text: str) -> CalendarDuration:
    """Parse a duration such as ``36h``, ``30d``, ``6mo`` or ``1y6mo``.

    :raises ArgumentTypeError: if it is not a duration, is ambiguous, or is
        not positive.
    """
    value = text.strip()
    _refuse_bare_m(value, text)
    if _NUMBER.fullmatch(value):
        number = value if len(value) < 10 else '30'
        raise argparse.ArgumentTypeError(
            f'{text!r} is not a duration: a number needs its unit, such as '
            f'{number}s, {number}min, {number}h, {number}d or {number}mo'
        )
    duration = _parse(value)
    if duration is None:
        raise argparse.ArgumentTypeError(
            f'{text!r} is not a duration such as 36h, 30d, 8w, 6mo (months) '
            f'or 1y6mo: a number and its unit (s, min, h, d, w, mo, y), the '
            f'longest unit first'
        )
    return _require_positive(duration, text)


def parse_timeout(text: str) -> timedelta:
    """Parse a time to wait: a duration, plain seconds, or ``m`` for minutes.

    Nothing is selected or kept by it, so that the usual ``30m`` is safe.

    :raises ArgumentTypeError: if it is not a duration, or is not positive.
    """
    value = text.strip()
    if _NUMBER.fullmatch(value):
        value = f'{value}s'
    duration = _parse(_BARE_M.sub('min', value))
    if duration is None:
        raise argparse.ArgumentTypeError(
            f'{text!r} is not a duration such as 90 (seconds), 30m, 12h, '
            f'30d or 2w'
        )
    _require_positive(duration, text)
    now = datetime.now(timezone.utc)
    return now - duration.before(now, timezone.utc)


def parse_time(
    text: str, zone: tzinfo = timezone.utc, now: datetime | None = None
) -> datetime:
    """Parse a date, a date with a time, or a duration back from now.

    :param zone: the time zone of a date that names none, and of the calendar
        by which days, months and years are counted back.
    :param now: what a duration is counted back from.
    :returns: a time in UTC.
    :raises ArgumentTypeError: if it is none of these, or is ambiguous.
    """
    value = text.strip()
    if _NUMBER.fullmatch(value):
        _refuse_number(value, text)
    date = parse_timestamp(value, zone)
    if date is not None:
        return date
    _refuse_bare_m(value, text)
    duration = _parse(value)
    if duration is not None and not _is_zero(duration):
        time = duration.before(now or datetime.now(timezone.utc), zone)
        if time.year > EARLIEST.year:
            return time
    raise argparse.ArgumentTypeError(
        f'{text!r} is neither a date such as 2026-11-21 nor a duration such '
        f'as 30d or 6mo (a number and its unit: s, min, h, d, w, mo, y)'
    )


def valid_time(text: str) -> str:
    """Check that :func:`parse_time` accepts a text, and return the text.

    Which time it means may depend on another option, the time zone.

    :raises ArgumentTypeError: if it does not.
    """
    parse_time(text)
    return text


def _parse(value: str) -> CalendarDuration | None:
    parts = _DURATION.fullmatch(value)
    if not value or parts is None:
        return None
    years, months, weeks, days, hours, minutes, seconds = (
        number or '0' for number in parts.groups()
    )
    return CalendarDuration(
        value,
        years=int(years),
        months=int(months),
        days=int(weeks) * 7 + int(days),
        seconds=(float(hours) * 60 + float(minutes)) * 60 + float(seconds),
    )


def _is_zero(duration: CalendarDuration) -> bool:
    return duration == CalendarDuration(duration.text)


def _require_positive(
    duration: CalendarDuration, text: str
) -> CalendarDuration:
    if _is_zero(duration):
        raise argparse.ArgumentTypeError(
            f'the duration {text!r} must be positive'
        )
    return duration


def _refuse_bare_m(value: str, text: str) -> None:
    if not _BARE_M.search(value):
        return
    meanings = (
        (_BARE_M.sub(unit, value), word)
        for unit, word in (('mo', 'months'), ('min', 'minutes'))
    )
    valid = [f'{new} ({word})' for new, word in meanings if _parse(new)]
    if valid:
        raise argparse.ArgumentTypeError(
            f'{text!r} may be months or minutes: write {" or ".join(valid)}'
        )


def _refuse_number(value: str, text: str) -> None:
    """Say what a number without a unit may be.

    :raises ArgumentTypeError: always.
    """
    date = parse_timestamp(value)
    if date is not None and date.year in _YEARS:
        raise argparse.ArgumentTypeError(
            f'{text!r} may be a date or seconds: write {date:%Y-%m-%d} or '
            f'{value}s'
        )
    if len(value) >= _SECONDS_DIGITS:
        unit = 1000 if len(value) >= _MILLISECONDS_DIGITS else 1
        with suppress(ValueError, OverflowError, OSError):
            since = datetime.fromtimestamp(int(value) / unit, timezone.utc)
            raise argparse.ArgumentTypeError(
                f'{text!r} may be seconds since 1970 or a duration: write '
                f'{since:%Y-%m-%dT%H:%M:%SZ}, or a number with its unit'
            )
    parse_calendar_duration(value)
