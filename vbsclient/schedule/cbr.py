# SPDX-License-Identifier: Apache-2.0
"""Policies as ``openstack cbr policy create`` of otcextensions takes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from vbsclient.schedule import InvalidSetting, zones
from vbsclient.schedule.values import (
    PERIODS,
    UNLIMITED,
    WEEKDAYS,
    Retention,
    Schedule,
)
from vbsclient.wording import brief

_NAME = re.compile(r'[\w-]{1,64}')

_COUNTS = dict(zip(PERIODS, ('day', 'week', 'month', 'year'), strict=True))


def create_command(
    name: str | None,
    schedule: Schedule | None,
    retention: Retention | None,
    enabled: bool | None,
    now: datetime,
) -> list[str]:
    """The words of the command that creates the same policy in CBR.

    :raises InvalidSetting: with all reasons why it would not be the same.
    """
    reasons = [*_obstacles(name, enabled), *_of_schedule(schedule)]
    reasons += _of_retention(retention)
    if reasons or name is None or schedule is None or retention is None:
        raise InvalidSetting('; '.join(reasons))
    words = ['openstack', 'cbr', 'policy', 'create']
    for rule in _rules(schedule, now):
        words += ['--pattern', rule]
    words += _limits(retention)
    if not enabled:
        words.append('--disable')
    return [*words, *(['--'] if name.startswith('-') else []), name]


def _obstacles(name: str | None, enabled: bool | None) -> Iterator[str]:
    if not _NAME.fullmatch(name or ''):
        yield 'CBR wants 1 to 64 letters, digits, "_" and "-" as a name'
    if enabled is None:
        yield 'the service does not tell whether it is enabled'


def _of_schedule(schedule: Schedule | None) -> Iterator[str]:
    if schedule is None:
        yield 'its schedule cannot be read'
    elif schedule.raw is not None:
        yield f'its rule {brief(schedule.raw)} is more than times and days'
    elif (schedule.every_days or 1) > 1:
        yield (
            f'VBS counts each {schedule.every_days} days from day 1 of a '
            f'month, and CBR does not'
        )


def _of_retention(retention: Retention | None) -> Iterator[str]:
    if retention is None:
        yield 'what it keeps cannot be read'
        return
    if 0 in (retention.last, retention.days):
        yield 'it keeps 0 backups, which CBR cannot'
    if retention.days is not None and (
        retention.last is not None or retention.is_long_term
    ):
        yield 'CBR keeps a number of backups, or those of some days, not both'
    if retention.first_of_month:
        yield 'CBR does not keep the first backup of the current month'
    if retention.is_long_term and _offset(retention) is None:
        yield 'the time zone of its long-term backups cannot be read'


def _rules(schedule: Schedule, now: datetime) -> Iterator[str]:
    """One for each time of day, in UTC."""
    for shift, minute in schedule.utc(now):
        days = 'FREQ=DAILY;INTERVAL=1'
        if schedule.weekdays is not None:
            in_utc = sorted((day + shift) % 7 for day in schedule.weekdays)
            names = [WEEKDAYS[day][:2].upper() for day in in_utc]
            days = f'FREQ=WEEKLY;BYDAY={",".join(names)}'
        yield f'{days};BYHOUR={minute // 60:02};BYMINUTE={minute % 60:02}'


def _limits(retention: Retention) -> Iterator[str]:
    if retention.days is not None:
        yield f'--retention-duration-days={retention.days}'
        return
    last = UNLIMITED if retention.last is None else retention.last
    yield f'--max-backups={last}'
    for period, unit in _COUNTS.items():
        if count := getattr(retention, period):
            yield f'--{unit}-backups={count}'
    offset = _offset(retention)
    if retention.is_long_term and offset is not None:
        yield f'--timezone={zones.offset_text(offset)}'


def _offset(retention: Retention) -> timedelta | None:
    return zones.offset_of_text(retention.timezone)
