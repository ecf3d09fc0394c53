# SPDX-License-Identifier: Apache-2.0
"""Durations and dates as a user writes them."""

from __future__ import annotations

import argparse
import re
from datetime import datetime, timedelta, timezone

import durationpy
import iso8601


def parse_duration(text: str) -> timedelta:
    """A duration such as ``30m``, ``12h``, ``30d`` or plain seconds.

    :raises ArgumentTypeError: if it is none, or not longer than nothing.
    """
    value = text.strip()
    try:
        duration = _duration(value)
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
    """A date, a date with a time, or a duration back from now (UTC).

    :raises ArgumentTypeError: if it is none of these.
    """
    try:
        return iso8601.parse_date(text.strip(), default_timezone=timezone.utc)
    except iso8601.ParseError:
        pass
    try:
        return datetime.now(timezone.utc) - parse_duration(text)
    except (argparse.ArgumentTypeError, OverflowError):
        raise argparse.ArgumentTypeError(
            f'{text!r} is neither a date such as 2026-11-21 nor a duration '
            f'such as 30d'
        ) from None


def _duration(value: str) -> timedelta:
    if re.fullmatch(r'[0-9]+', value, re.ASCII):
        return timedelta(seconds=int(value))
    return durationpy.from_str(value)
