# SPDX-License-Identifier: Apache-2.0
"""Schedules and retentions as VBS has them (V23, V24, V26)."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta, timezone
from typing import Any

from vbsclient.api.errors import MalformedResponse
from vbsclient.api.values import dict_or_empty, lenient_bool, lenient_int
from vbsclient.schedule import InvalidSetting, zones
from vbsclient.schedule.values import (
    GIVE_TIMES_AND_DAYS,
    PERIODS,
    WEEKDAYS,
    Retention,
    Schedule,
    Settings,
    Wanted,
    clock,
    enumerated,
    minute_of,
    time_of,
)
from vbsclient.wording import brief

#: The wider of the ranges that the reference has; the service decides.
_EVERY_DAYS = range(1, 31)
_LAST = range(2, 100)
_DAYS = range(2, 100_000)

#: The service's own, which a request has not.
_OWN = frozenset({'backup_policy_id', 'policy_resource_count'})

_TIME = re.compile(r'([01]?[0-9]|2[0-3]):([0-5][0-9])', re.ASCII)

#: Misspelt on the wire.
_NUM = 'rentention_num'
_DAY = 'rentention_day'
_FIRST = 'remain_first_backup_of_curMonth'

#: Of each two the first counts where a policy has both.
EXCLUSIVE = (('frequency', 'week_frequency'), (_NUM, _DAY))

#: Fixed offsets are the same at all times.
_ANY_TIME = datetime(2026, 1, 1, tzinfo=timezone.utc)

_FLAGS = {'Y': True, 'N': False, 'ON': True, 'OFF': False}

GIVE_ZONE = 'Give its time zone.'


def stripped(body: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a policy without the blanks that some keys end with."""
    return {
        key.strip(): stripped(value) if isinstance(value, dict) else value
        for key, value in copy.deepcopy(dict(body)).items()
    }


def settings_of(body: Mapping[str, Any]) -> Settings:
    """What a policy of a list (V26) says."""
    policy = stripped(body)
    plan = dict_or_empty(policy.get('scheduled_policy'))
    last = _number(plan, _NUM)
    # The number wins where a policy has both.
    has_days = last is None and not _is_unreadable(plan, _NUM)
    return Settings(
        _schedule(plan, zones.offset_of_text(policy.get('time_zone'))),
        Retention(
            last=last,
            days=_number(plan, _DAY) if has_days else None,
            first_of_month=_flag(plan.get(_FIRST)),
        ),
        _flag(plan.get('status')),
    )


def tells_retention(body: Mapping[str, Any]) -> bool:
    """Whether a policy (V26) says how much it keeps."""
    retention = settings_of(body).retention
    return retention.last is not None or retention.days is not None


def _schedule(
    plan: Mapping[str, Any], offset: timedelta | None
) -> Schedule | None:
    text = plan.get('start_time')
    if not isinstance(text, str) or not text.strip():
        return None
    minutes = _minutes(text)
    # It wins over days of the week where a policy has both.
    every_days = _number(plan, 'frequency')
    weekdays = None if every_days else _weekdays(plan.get('week_frequency'))
    if (
        minutes is None
        or _is_unreadable(plan, 'frequency')
        or not (every_days or weekdays)
    ):
        return Schedule(raw=text, zone=timezone.utc)
    shift = (offset or timedelta(0)) // timedelta(minutes=1)
    return Schedule(
        at=tuple(sorted(time_of(minute + shift) for minute in minutes)),
        every_days=every_days,
        weekdays=weekdays,
        zone=timezone(offset or timedelta(0)),
    )


def _minutes(text: str) -> set[int] | None:
    """The times of ``22:00,00:00`` as minutes of the day."""
    matches = [_TIME.fullmatch(part.strip()) for part in text.split(',')]
    found = {int(m[1]) * 60 + int(m[2]) for m in matches if m}
    return found if all(matches) else None


def _number(plan: Mapping[str, Any], key: str) -> int | None:
    """A number that is set: 0 and less are as good as none."""
    number = lenient_int(plan.get(key))
    return number if number and number > 0 else None


def _is_unreadable(plan: Mapping[str, Any], key: str) -> bool:
    """Whether something is there in place of a number."""
    value = plan.get(key)
    return value not in (None, '') and lenient_int(value) is None


def _weekdays(value: Any) -> tuple[int, ...] | None:
    names = value.split(',') if isinstance(value, str) else value
    if not isinstance(names, list):
        return None
    days = [str(name).strip().lower() for name in names]
    if not all(day in WEEKDAYS for day in days):
        return None
    return tuple(sorted({WEEKDAYS.index(day) for day in days})) or None


def _flag(value: Any) -> bool | None:
    if isinstance(value, str):
        value = _FLAGS.get(value.strip().upper(), value)
    return lenient_bool(value)


def check(wanted: Wanted) -> None:
    """Check what no policy of VBS can have, whatever it was before.

    :raises InvalidSetting: if it is wanted.
    """
    schedule = wanted.schedule
    if schedule.every_days is not None:
        _check_every_days(schedule.every_days)
    if schedule.at is not None and isinstance(schedule.zone, timezone):
        # Nobody knows the offset of another zone before its time.
        _start_times(Schedule(schedule.at, zone=schedule.zone), _ANY_TIME)
    retention = wanted.retention
    if retention.last is not None or retention.days is not None:
        _retention_on_wire(retention.changed(Retention()))


def new_policy(wanted: Wanted, now: datetime) -> dict[str, Any]:
    """The schedule of a policy to create (V23).

    :param now: when the offset of a named zone is taken.
    :returns: ``scheduled_policy``, and ``time_zone`` if it is needed.
    :raises InvalidSetting: if VBS has no such schedule or retention.
    """
    schedule = wanted.schedule.new()
    return {
        'scheduled_policy': {
            **_schedule_on_wire(schedule, now),
            **_retention_on_wire(wanted.retention.changed(Retention())),
            'status': 'OFF' if wanted.enabled is False else 'ON',
        }
    } | _zone_on_wire(schedule, now)


def changed_policy(
    body: Mapping[str, Any],
    wanted: Wanted,
    now: datetime,
    *,
    name: str | None = None,
) -> dict[str, Any]:
    """The request that changes a policy, and keeps the rest (V24).

    All of ``scheduled_policy`` is in it, whatever changes.  The name is
    only in it if it changes: that of the default policy is refused.

    :param body: the policy as it was read just before (V26).
    :param now: when the offset of a named zone is taken.
    :returns: an empty one if nothing changes.
    :raises InvalidSetting: if VBS has no such schedule or retention, or the
        zone of days of the week is not known.
    :raises MalformedResponse: if what is to stay cannot be read, and would
        be lost.
    """
    policy = stripped(body)
    settings = settings_of(policy)
    sent = {k: v for k, v in stripped(body).items() if k not in _OWN}
    if not sent.get('time_zone'):
        sent.pop('time_zone', None)
    plan = dict_or_empty(sent.get('scheduled_policy'))
    sent['scheduled_policy'] = plan
    if sent.pop('backup_policy_name', None) != name and name is not None:
        sent['backup_policy_name'] = name
    if wanted.schedule:
        schedule = _changed_schedule(policy, settings.schedule, wanted, now)
        for key in ('frequency', 'week_frequency', 'start_time'):
            plan.pop(key, None)
        plan |= _schedule_on_wire(schedule, now)
        sent |= _zone_on_wire(schedule, now)
    else:
        _keep_one(plan, 'frequency', 'week_frequency')
    if wanted.retention:
        for key in (_NUM, _DAY):
            plan.pop(key, None)
        plan |= _retention_on_wire(
            wanted.retention.changed(settings.retention)
        )
    else:
        _keep_one(plan, _NUM, _DAY)
        plan[_FIRST] = 'Y' if settings.retention.first_of_month else 'N'
    enabled = wanted.enabled
    if enabled is None:
        enabled = settings.enabled
    if enabled is not None:
        plan['status'] = 'ON' if enabled else 'OFF'
    if unread := _unread(policy, settings, wanted):
        raise MalformedResponse(
            f'{unread} of the policy cannot be read, and a change sends all '
            f'of it'
        )
    return {} if _is_unchanged(policy, sent) else sent


def _unread(
    policy: Mapping[str, Any], settings: Settings, wanted: Wanted
) -> str:
    """What is to stay and cannot be read; '' for nothing."""
    plan = dict_or_empty(policy.get('scheduled_policy'))
    schedule = settings.schedule
    retention = wanted.retention
    if not wanted.schedule and (schedule is None or schedule.raw is not None):
        return 'the schedule'
    if (
        retention.last is None
        and retention.days is None
        and not tells_retention(policy)
    ):
        return 'the retention'
    if (
        retention.first_of_month is None
        and settings.retention.first_of_month is None
        and plan.get(_FIRST) not in (None, '')
    ):
        return f'"{_FIRST}"'
    if wanted.enabled is None and settings.enabled is None:
        return 'the status'
    return ''


def _is_unchanged(policy: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    if 'backup_policy_name' in sent:
        return False
    old, new = (
        (
            settings.schedule,
            settings.retention.last,
            settings.retention.days,
            bool(settings.retention.first_of_month),
            settings.enabled,
            zones.offset_of_text(body.get('time_zone')),
        )
        for body in (policy, sent)
        for settings in [settings_of(body)]
    )
    return old == new


def _changed_schedule(
    policy: Mapping[str, Any],
    old: Schedule | None,
    wanted: Wanted,
    now: datetime,
) -> Schedule:
    text, zone = policy.get('time_zone'), wanted.schedule.zone
    offset = zones.offset_of_text(text)
    if offset is None and text and zone is None:
        raise InvalidSetting(
            f'the time zone of the policy cannot be read: {brief(repr(text))}',
            GIVE_ZONE,
        )
    if (
        zone is not None
        and offset is not None
        and offset != zones.offset_at(zone, now)
        and not wanted.schedule.has_days
        and old is not None
        and old.weekdays is not None
    ):
        raise InvalidSetting(
            f'the days of the week of the policy are those of '
            f'{zones.offset_text(offset)}, and others elsewhere',
            GIVE_TIMES_AND_DAYS,
        )
    if old is not None and offset is None:
        old = replace(old, zone=None)
    schedule = wanted.schedule.changed(old)
    if schedule.weekdays is not None and schedule.zone is None:
        raise InvalidSetting(
            'the service does not tell the time zone of the policy, and days '
            'of the week begin where it is',
            GIVE_ZONE,
        )
    return schedule


def _keep_one(plan: dict[str, Any], winner: str, loser: str) -> None:
    """Keep one of two that exclude each other, as a number if it is one."""
    if _number(plan, winner) is None:
        winner, loser = loser, winner
    if (number := _number(plan, winner)) is not None:
        plan[winner] = number
    plan.pop(loser, None)


def _schedule_on_wire(schedule: Schedule, now: datetime) -> dict[str, Any]:
    if schedule.raw is not None:
        raise InvalidSetting('VBS has no rules: it has times and days')
    found: dict[str, Any] = {'start_time': _start_times(schedule, now)}
    if schedule.weekdays is not None:
        days = [WEEKDAYS[day].upper() for day in schedule.weekdays]
        return found | {'week_frequency': days}
    _check_every_days(schedule.every_days)
    return found | {'frequency': schedule.every_days}


def _check_every_days(number: int | None) -> None:
    if number not in _EVERY_DAYS:
        raise InvalidSetting(
            f'VBS runs a policy every 1 to 30 days, and not every {number}'
        )


def _start_times(schedule: Schedule, now: datetime) -> str:
    """In UTC, in the order of the local times."""
    found = []
    for local, (_, minute) in zip(schedule.at, schedule.utc(now), strict=True):
        if late := minute % 60:
            raise _odd_minute(schedule, now, local, late)
        found.append(clock(time_of(minute)))
    return ','.join(found)


def _odd_minute(
    schedule: Schedule, now: datetime, local: time, late: int
) -> InvalidSetting:
    offset = zones.offset_at(schedule.zone, now)
    minute = minute_of(local)
    in_utc = time_of(minute - offset // timedelta(minutes=1))
    nearest = [time_of(minute + shift) for shift in (-late, 60 - late)]
    return InvalidSetting(
        f'VBS starts backups at full hours of UTC, and {clock(local)} in '
        f'{zones.offset_text(offset)} is {clock(in_utc)} UTC; '
        f'{enumerated(list(map(clock, nearest)))} would do'
    )


def _zone_on_wire(schedule: Schedule, now: datetime) -> dict[str, str]:
    """Without it days of the week would be those of a zone unsaid."""
    if schedule.zone is None and schedule.weekdays is None:
        return {}
    offset = zones.offset_at(schedule.zone, now)
    return {'time_zone': zones.offset_text(offset)}


def _retention_on_wire(retention: Retention) -> dict[str, Any]:
    if retention.forever or any(
        getattr(retention, period) is not None for period in PERIODS
    ):
        raise InvalidSetting(
            'VBS keeps a number of backups, or those of some days, and '
            'nothing else'
        )
    flag = {_FIRST: 'Y' if retention.first_of_month else 'N'}
    if retention.last is not None:
        if retention.last not in _LAST:
            raise InvalidSetting('VBS keeps 2 to 99 of the newest backups')
        return {_NUM: retention.last} | flag
    if retention.days not in _DAYS:
        raise InvalidSetting('VBS keeps backups for 2 to 99999 days')
    return {_DAY: retention.days} | flag
