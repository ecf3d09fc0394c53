# SPDX-License-Identifier: Apache-2.0
"""Schedules and retentions as VBS has them (V23, V24, V26)."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta, timezone
from typing import Any

from vbsclient.api import errors
from vbsclient.api.values import dict_or_empty, lenient_bool, lenient_int
from vbsclient.schedule import InvalidSetting, zones
from vbsclient.schedule.values import (
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

_FLAGS = {'Y': True, 'N': False, 'ON': True, 'OFF': False}

GIVE_ZONE = 'Give its time zone.'
GIVE_DAYS = 'Give the days, too.'
#: What to do about a part that cannot be read.
GIVE_IT = 'Give it anew.'


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
    last = _positive(plan.get(_NUM))
    days = _positive(plan.get(_DAY))
    return Settings(
        _schedule(plan, zones.offset_of_text(policy.get('time_zone'))),
        Retention(
            last=last,
            # The number wins where a policy has both.
            days=None if last else days,
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
    every_days = _every_days(plan)
    weekdays = None if every_days else _weekdays(plan.get('week_frequency'))
    if minutes is None or not (every_days or weekdays):
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


def _every_days(plan: Mapping[str, Any]) -> int | None:
    """It wins over days of the week where a policy has both."""
    return _positive(plan.get('frequency'))


def _positive(value: Any) -> int | None:
    """A number that says something; 0 and -1 stand for nothing."""
    number = lenient_int(value)
    return number if number and number > 0 else None


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
    :raises MalformedResponse: if a part of it cannot be read and is not
        wanted otherwise: the service would get, and keep, something else.
    """
    policy = stripped(body)
    settings = settings_of(policy)
    _refuse_unreadable(policy, settings, wanted)
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
        _drop_loser(plan, 'frequency', 'week_frequency')
    if wanted.retention:
        for key in (_NUM, _DAY):
            plan.pop(key, None)
        plan |= _retention_on_wire(
            wanted.retention.changed(settings.retention)
        )
    else:
        _drop_loser(plan, _NUM, _DAY)
        if settings.retention.first_of_month is not None or not plan.get(
            _FIRST
        ):
            plan[_FIRST] = 'Y' if settings.retention.first_of_month else 'N'
    enabled = wanted.enabled
    if enabled is None:
        enabled = settings.enabled
    if enabled is not None:
        plan['status'] = 'ON' if enabled else 'OFF'
    return {} if _is_unchanged(policy, sent) else sent


def _refuse_unreadable(
    policy: Mapping[str, Any], settings: Settings, wanted: Wanted
) -> None:
    """Check that all is known that goes back as it was read.

    :raises MalformedResponse: if something is not.
    """
    plan = dict_or_empty(policy.get('scheduled_policy'))

    def lacks(*keys: str) -> bool:
        return all(plan.get(key) in (None, '', []) for key in keys)

    is_first_lost = (
        bool(wanted.retention)
        and wanted.retention.first_of_month is None
        and not lacks(_FIRST)
        and settings.retention.first_of_month is None
    )
    has_no_schedule = lacks('start_time') or lacks(
        'frequency', 'week_frequency'
    )
    missing = {
        'schedule': not wanted.schedule and has_no_schedule,
        'retention': not wanted.retention and lacks(_NUM, _DAY),
        'choice to keep the first backup of a month': is_first_lost,
        'status': wanted.enabled is None and lacks('status'),
    }
    unknown = [what for what, is_missing in missing.items() if is_missing]
    if unknown:
        raise errors.MalformedResponse(
            f'the {" and the ".join(unknown)} of the policy cannot be read, '
            f'so that it cannot be sent back as it is',
            GIVE_IT,
        )


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
    is_zone_known = zones.offset_of_text(policy.get('time_zone')) is not None
    if old is not None and not is_zone_known:
        old = replace(old, zone=None)
    schedule = wanted.schedule.changed(old)
    is_moved = (
        old is not None
        and old.zone is not None
        and zones.offset_at(schedule.zone, now)
        != zones.offset_at(old.zone, now)
    )
    if is_moved and schedule.weekdays and not wanted.schedule.has_days:
        raise InvalidSetting(
            'days of the week are those of the time zone: with another zone '
            'the policy may run on other days',
            GIVE_DAYS,
        )
    if schedule.weekdays is not None and schedule.zone is None:
        raise InvalidSetting(
            'the service does not tell the time zone of the policy, and days '
            'of the week begin where it is',
            GIVE_ZONE,
        )
    return schedule


def _drop_loser(plan: dict[str, Any], winner: str, loser: str) -> None:
    """Keep one of two that exclude each other, as a number if it is one."""
    value = plan.get(winner)
    if _positive(value) is None:
        if value is not None and lenient_int(value) is None:
            # Whatever it is: the service knows which one counts.
            return
        winner, loser = loser, winner
    if plan.get(winner) is not None:
        plan.pop(loser, None)
    number = _positive(plan.get(winner))
    if number is not None:
        plan[winner] = number


def _schedule_on_wire(schedule: Schedule, now: datetime) -> dict[str, Any]:
    if schedule.raw is not None:
        raise InvalidSetting('VBS has no rules: it has times and days')
    found: dict[str, Any] = {'start_time': _start_times(schedule, now)}
    if schedule.weekdays is not None:
        days = [WEEKDAYS[day].upper() for day in schedule.weekdays]
        return found | {'week_frequency': days}
    if schedule.every_days not in _EVERY_DAYS:
        raise InvalidSetting(
            f'VBS runs a policy every 1 to 30 days, and not every '
            f'{schedule.every_days}'
        )
    return found | {'frequency': schedule.every_days}


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
