# SPDX-License-Identifier: Apache-2.0
"""Durations and dates as a user writes them."""

from __future__ import annotations

import argparse
import re
from datetime import datetime, timedelta, timezone

import durationpy

from vbsclient.api.times import moment_of

#: What durationpy may be given: it passes over what stands between two
#: parts, and its ``mm`` are months.
_PARTS = re.compile(r'(?:[0-9]+(?:\.[0-9]+)?[ywdhms])+', re.ASCII)

_NUMBER = re.compile(r'[0-9]+', re.ASCII)

#: Years in which a bare number is more likely a date than seconds.
_CENTURIES = range(1900, 2200)


def parse_duration(text: str) -> timedelta:
    """A duration such as ``30m``, ``12h``, ``30d`` or plain seconds.

    :raises ArgumentTypeError: if it is none, or not longer than nothing.
    """
    try:
        duration = _duration(text.strip())
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f'{text!r} is not a duration such as 90 (seconds), 30m, 12h, '
            f'30d or 2w'
        ) from None
    if duration <= timedelta(0):
        raise argparse.ArgumentTypeError(
            f'the duration {text!r} must be longer than nothing'
        )
    return duration


def parse_moment(text: str) -> datetime:
    """A date, a date with a time, or a duration back from now.

    Without a zone it is UTC, as the times of the services are.

    :raises ArgumentTypeError: if it is none of these, or if it may be both.
    """
    value = text.strip()
    date = moment_of(value)
    if _NUMBER.fullmatch(value):
        # 2024 and 20240502 would be some minutes or months ago.
        if date is not None and date.year in _CENTURIES:
            raise argparse.ArgumentTypeError(
                f'{text!r} may be a date or seconds: write '
                f'{date:%Y-%m-%d} or {value}s'
            )
        date = None
    if date is not None:
        return date
    try:
        return datetime.now(timezone.utc) - parse_duration(value)
    except (argparse.ArgumentTypeError, OverflowError):
        raise argparse.ArgumentTypeError(
            f'{text!r} is neither a date such as 2026-11-21 nor a duration '
            f'such as 30d'
        ) from None


def _duration(value: str) -> timedelta:
    if _NUMBER.fullmatch(value):
        return timedelta(seconds=int(value))
    if not _PARTS.fullmatch(value):
        raise ValueError(value)
    return durationpy.from_str(value)
