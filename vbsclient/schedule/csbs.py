# SPDX-License-Identifier: Apache-2.0
"""Schedules and retentions as CSBS has them (C11 to C14)."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from vbsclient.api.errors import MalformedResponse
from vbsclient.api.times import parse_timestamp
from vbsclient.api.values import (
    dict_or_empty,
    lenient_bool,
    lenient_int,
    text_or_none,
)
from vbsclient.schedule import InvalidSetting, zones
from vbsclient.schedule.runs import rule_parts
from vbsclient.schedule.values import (
    DAY_NAMES,
    UNLIMITED,
    WEEKDAYS,
    Retention,
    Schedule,
    Settings,
    Wanted,
    WantedRetention,
    WantedSchedule,
    clock,
    enumerated,
    time_of,
)

#: The wrapper of the reference, to the letter.
_PATTERN = (
    'BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nRRULE:{rule}\r\n'
    'END:VEVENT\r\nEND:VCALENDAR\r\n'
)
_LONGEST_PATTERN = 10_240

_PHYSICAL_LINE = re.compile(r'[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+')
_IS_RULE = re.compile(r'RRULE[:;]', re.IGNORECASE)
_IS_EXCEPTION = re.compile(r'(?:EXDATE|EXRULE|RDATE)[:;]', re.IGNORECASE)
_IS_WRAPPER = re.compile(r'(?:BEGIN|END):', re.IGNORECASE)

#: A rule of CSBS is in UTC at all times, as far as known.
_ANY_TIME = datetime(2026, 1, 1, tzinfo=timezone.utc)

#: The parts that say nothing but times and days.
_KNOWN_PARTS = frozenset({'FREQ', 'BYDAY', 'BYHOUR', 'BYMINUTE', 'INTERVAL'})

_WEEKDAYS = tuple(day[:2].upper() for day in WEEKDAYS)

_LARGEST = 99_999

#: {attribute of a retention: key of ``operation_definition``}
_LIMITS = {'last': 'max_backups', 'days': 'retention_duration_days'}
COUNTS = {
    'daily': 'day_backups',
    'weekly': 'week_backups',
    'monthly': 'month_backups',
    'yearly': 'year_backups',
}

SAY_FOREVER = (
    'Say how many backups to keep, or for how many days, or that they are to '
    'be kept forever.'
)
ONE_DAY = (
    'Give one time, or let it run every day, or give times that stay on one '
    'day in UTC.'
)
SAME_MINUTE = 'Give times with the same minutes.'
EVERY_DAY = 'Let it run every day, or on days of the week.'


def operation_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The scheduled operation of a policy; an empty one if it has none."""
    operations = body.get('scheduled_operations')
    found = operations if isinstance(operations, list) else []
    return dict_or_empty(found[0]) if found else {}


def settings_of(body: Mapping[str, Any]) -> Settings:
    """What a policy (C12, C13) says."""
    operation = operation_of(body)
    return Settings(
        _schedule(operation),
        _retention(dict_or_empty(operation.get('operation_definition'))),
        lenient_bool(operation.get('enabled')),
    )


def tells_retention(body: Mapping[str, Any]) -> bool:
    """Whether all that a policy (C12, C13) says of what it keeps is readable.

    One that says nothing keeps everything, by the reference.
    """
    definition = operation_of(body).get('operation_definition')
    if not isinstance(definition, dict):
        return False
    readers = {'permanent': lenient_bool} | dict.fromkeys(
        (*_LIMITS.values(), *COUNTS.values()), lenient_int
    )
    return all(
        read(definition[key]) is not None
        for key, read in readers.items()
        if definition.get(key) not in (None, '')
    )


def _trigger_properties(operation: Mapping[str, Any]) -> dict[str, Any]:
    trigger = dict_or_empty(operation.get('trigger'))
    return dict_or_empty(trigger.get('properties'))


def _schedule(operation: Mapping[str, Any]) -> Schedule | None:
    properties = _trigger_properties(operation)
    pattern = properties.get('pattern')
    if not isinstance(pattern, str) or not pattern.strip():
        return None
    start = parse_timestamp(text_or_none(properties.get('start_time')))
    return replace(schedule_of_pattern(pattern), start=start)


def schedule_of_pattern(pattern: str) -> Schedule:
    """What a pattern says; as a raw rule what is not only times and days."""
    lines = [text for _, text in _lines(pattern)]
    rules = [line for line in lines if _IS_RULE.match(line)]
    exceptions = [line for line in lines if _IS_EXCEPTION.match(line)]
    if len(rules) != 1:
        return Schedule(raw=' '.join(line for line in lines if line))
    rule = rules[0].partition(':')[2].strip()
    if exceptions:
        return Schedule(raw=' '.join([rule, *exceptions]))
    return _known(rule_parts(rule)) or Schedule(raw=rule)


def meaning_of_pattern(pattern: str) -> object:
    """What is equal for patterns that mean the same.

    Line ends, what is around the rule, and the order of its parts mean
    nothing.
    """
    others = {text.strip() for _, text in _lines(pattern)}
    return schedule_of_pattern(pattern).meaning(_ANY_TIME), frozenset(
        text
        for text in others
        if text and not (_IS_RULE.match(text) or _IS_WRAPPER.match(text))
    )


def _lines(pattern: str) -> list[tuple[str, str]]:
    """(its bytes with its end, its text) of each line, unfolded."""
    lines: list[tuple[str, str]] = []
    for line in _PHYSICAL_LINE.findall(pattern):
        text = line.rstrip('\r\n')
        if lines and text.startswith((' ', '\t')):
            folded, before = lines[-1]
            lines[-1] = folded + line, before + text[1:]
        else:
            lines.append((line, text))
    return lines


def _known(parts: Mapping[str, str]) -> Schedule | None:
    """The times and days of a rule; None if it says more, or not enough."""
    is_known = (
        set(parts) <= _KNOWN_PARTS
        and parts.get('FREQ') in ('DAILY', 'WEEKLY')
        and parts.get('INTERVAL', '1') == '1'
    )
    hours = _numbers(parts.get('BYHOUR', ''), range(24))
    minutes = _numbers(parts.get('BYMINUTE', ''), range(60))
    if not (is_known and hours and minutes):
        return None
    at = tuple(
        time_of(hour * 60 + minute) for hour in hours for minute in minutes
    )
    if 'BYDAY' not in parts:
        # A weekly rule then runs on the day of its start.
        is_daily = parts['FREQ'] == 'DAILY'
        return Schedule(at, every_days=1) if is_daily else None
    days = parts['BYDAY'].split(',')
    if not all(day in _WEEKDAYS for day in days):
        return None
    weekdays = sorted({_WEEKDAYS.index(day) for day in days})
    return Schedule(at, weekdays=tuple(weekdays))


def _numbers(text: str, valid: range) -> list[int]:
    """Ascending; none if one of them is not valid."""
    words = text.split(',')
    if not all(word.isascii() and word.isdigit() for word in words):
        return []
    found = sorted({int(word) for word in words})
    return found if all(number in valid for number in found) else []


def _retention(definition: Mapping[str, Any]) -> Retention:
    if lenient_bool(definition.get('permanent')):
        return Retention(forever=True)
    # A count of 0 keeps none.
    counts: dict[str, Any] = {
        name: lenient_int(definition.get(key)) or None
        for name, key in COUNTS.items()
    }
    last, days = (lenient_int(definition.get(key)) for key in _LIMITS.values())
    if days is not None and days < 0:
        days = None
    if last is not None and last < 0:
        last = UNLIMITED if days is None else None
    zone = text_or_none(definition.get('timezone'))
    return replace(
        Retention(last, days, timezone=zone if any(counts.values()) else None),
        **counts,
    )


def check(wanted: Wanted) -> None:
    """Check what no policy of CSBS can have, whatever it was before.

    :raises InvalidSetting: if it is wanted.
    """
    schedule = wanted.schedule
    _checked(wanted.retention)
    if schedule.every_days not in (None, 1):
        raise _not_every_day(schedule.every_days)
    if schedule.at is not None:
        # Whole days can be said in any zone.
        rule_of(Schedule(schedule.at, every_days=1), _ANY_TIME)


def new_operation(wanted: Wanted, now: datetime) -> dict[str, Any]:
    """The scheduled operation of a policy to create (C11).

    :param now: when the offset of a named zone is taken.
    :raises InvalidSetting: if CSBS has no such schedule or retention, or
        would keep everything because nothing was said.
    """
    if not wanted.retention:
        raise InvalidSetting(
            'CSBS would keep each backup forever: nothing says otherwise',
            SAY_FOREVER,
        )
    rule = rule_of(wanted.schedule.new(), now)
    return {
        'enabled': wanted.enabled is not False,
        'operation_type': 'backup',
        'operation_definition': _changed_definition({}, wanted, now),
        'trigger': _trigger(_PATTERN.format(rule=rule)),
    }


def changed_policy(
    body: Mapping[str, Any],
    wanted: Wanted,
    now: datetime,
    *,
    name: str | None = None,
    description: str | None = None,
    resources: Sequence[Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """The request that changes a policy, with nothing but what changes (C14).

    Whether it is enabled is always in it: the service would enable it.

    :param body: the policy as it was read just before (C13).
    :param now: when the offset of a named zone is taken.
    :param resources: all that it is to have afterwards.
    :returns: what is in ``policy``; an empty one if nothing changes.
    :raises InvalidSetting: if CSBS has no such schedule or retention.
    :raises MalformedResponse: if the policy does not say whether it is
        enabled, or has not the one scheduled operation that is documented.
    """
    operation = operation_of(body)
    is_enabled = lenient_bool(operation.get('enabled'))
    sent: dict[str, Any] = {}
    if name is not None and name != body.get('name'):
        sent['name'] = name
    if description is not None and description != (
        body.get('description') or ''
    ):
        sent['description'] = description
    if resources is not None and _ids(resources) != _ids(
        body.get('resources')
    ):
        sent['resources'] = copy.deepcopy(list(resources))
    changed = _changed_blocks(operation, wanted, now)
    enabled = is_enabled if wanted.enabled is None else wanted.enabled
    if not sent and not changed and enabled == is_enabled:
        return {}
    changed = current_operation(body, wanted.enabled) | changed
    return sent | {'scheduled_operations': [changed]}


def current_operation(
    body: Mapping[str, Any], enabled: bool | None = None
) -> dict[str, Any]:
    """What each request says of the scheduled operation of a policy.

    :param enabled: what it is to be; None for what it is.
    :raises MalformedResponse: if the policy does not say whether it is
        enabled, or has not the one scheduled operation that is documented.
    """
    operation = operation_of(body)
    if enabled is None:
        enabled = lenient_bool(operation.get('enabled'))
    id = operation.get('id')
    operations = body.get('scheduled_operations')
    is_one = isinstance(operations, list) and len(operations) == 1
    if enabled is None or not isinstance(id, str) or not (id and is_one):
        raise MalformedResponse(
            'The policy does not say whether it is enabled, or has not the '
            'one scheduled operation that is documented'
        )
    return {'id': id, 'enabled': enabled}


def _ids(resources: Any) -> list[str]:
    rows = resources if isinstance(resources, list | tuple) else ()
    return sorted(str(dict_or_empty(row).get('id')).lower() for row in rows)


def _changed_blocks(
    operation: Mapping[str, Any], wanted: Wanted, now: datetime
) -> dict[str, Any]:
    changed = {}
    retention = wanted.retention
    schedule = wanted.schedule
    if schedule == WantedSchedule(zone=schedule.zone) and (
        retention.has_periods
    ):
        # The zone is said for the days of what is kept.
        schedule = WantedSchedule()
    if schedule:
        old = _schedule(operation)
        new = schedule.changed(old)
        if old is None or new.meaning(now) != old.meaning(now):
            pattern = str(_trigger_properties(operation).get('pattern') or '')
            changed['trigger'] = _trigger(
                changed_pattern(pattern, rule_of(new, now))
            )
    if retention:
        definition = dict_or_empty(operation.get('operation_definition'))
        _check_counts(definition, retention)
        new_definition = _changed_definition(definition, wanted, now)
        if _retention(new_definition) != _retention(definition):
            changed['operation_definition'] = new_definition
    return changed


def _check_counts(
    definition: Mapping[str, Any], retention: WantedRetention
) -> None:
    """Check that no long-term rule ends because it cannot be read.

    :raises MalformedResponse: if one would.
    """
    for name, key in COUNTS.items():
        count = definition.get(key)
        if (
            count not in (None, '')
            and lenient_int(count) is None
            and getattr(retention, name) is None
            and not retention.forever
        ):
            raise MalformedResponse(
                f'"{key}" of the policy cannot be read, and a change of what '
                f'is kept would end it'
            )


def _trigger(pattern: str) -> dict[str, Any]:
    if len(pattern) > _LONGEST_PATTERN:
        raise InvalidSetting(
            f'a rule of CSBS has at most {_LONGEST_PATTERN} characters with '
            f'what is around it'
        )
    return {'properties': {'pattern': pattern}}


def changed_pattern(pattern: str, rule: str) -> str:
    """A pattern with another rule, and each other byte as it was.

    :param pattern: as it was read; an empty one makes a new one.
    :raises InvalidSetting: if it has not exactly one rule.
    """
    if not pattern.strip():
        return _PATTERN.format(rule=rule)
    lines = _lines(pattern)
    places = [i for i, (_, text) in enumerate(lines) if _IS_RULE.match(text)]
    if len(places) != 1:
        raise InvalidSetting(
            f'the pattern of the policy has {len(places)} rules where one is '
            f'expected: its schedule cannot be changed'
        )
    old = lines[places[0]][0]
    end = old[len(old.rstrip('\r\n')) :]
    texts = [line for line, _ in lines]
    texts[places[0]] = f'RRULE:{rule}{end}'
    return ''.join(texts)


def rule_of(schedule: Schedule, now: datetime) -> str:
    """The RRULE of a schedule, in UTC.

    A rule runs at each of its hours, each of its minutes, on each of its
    days: not every schedule can be said by one.

    :raises InvalidSetting: if this one cannot, or runs on each nth day.
    """
    if schedule.raw is not None:
        return schedule.raw
    if schedule.weekdays is None and schedule.every_days != 1:
        raise _not_every_day(schedule.every_days)
    times = schedule.utc(now)
    if len({minute % 60 for _, minute in times}) > 1:
        raise _mixed_minutes(schedule)
    hours = sorted(minute // 60 for _, minute in times)
    at = f'BYHOUR={",".join(map(str, hours))};BYMINUTE={times[0][1] % 60}'
    if schedule.weekdays is None:
        return f'FREQ=DAILY;{at}'
    days = {
        tuple(sorted((day + shift) % 7 for day in schedule.weekdays))
        for shift, _ in times
    }
    if len(days) > 1:
        raise _mixed_days(schedule, now)
    names = ','.join(_WEEKDAYS[day] for day in days.pop())
    return f'FREQ=WEEKLY;BYDAY={names};{at}'


def _not_every_day(number: int | None) -> InvalidSetting:
    return InvalidSetting(
        f'CSBS does not run a policy every {number} days', EVERY_DAY
    )


def _mixed_minutes(schedule: Schedule) -> InvalidSetting:
    hours = {local.hour for local in schedule.at}
    minutes = {local.minute for local in schedule.at}
    product = {time_of(h * 60 + m) for h in hours for m in minutes}
    more = [clock(t) for t in sorted(product - set(schedule.at))]
    said = enumerated([clock(local) for local in schedule.at])
    reason = (
        f'it would run at {enumerated(more)}, too'
        if more
        else 'its runs would be less than an hour apart'
    )
    return InvalidSetting(
        f'one rule of CSBS cannot say {said}: {reason}', SAME_MINUTE
    )


def _mixed_days(schedule: Schedule, now: datetime) -> InvalidSetting:
    first = (schedule.weekdays or (0,))[0]
    by_day = {
        (first + shift) % 7: clock(time_of(minute))
        for shift, minute in reversed(schedule.utc(now))
    }
    said = [f'{DAY_NAMES[day]} {at}' for day, at in reversed(by_day.items())]
    return InvalidSetting(
        f'one rule of CSBS cannot say {enumerated(said)} (UTC)', ONE_DAY
    )


def _changed_definition(
    definition: Mapping[str, Any], wanted: Wanted, now: datetime
) -> dict[str, Any]:
    """All of an ``operation_definition``, with the types of the reference."""
    old = _retention(definition)
    new = _checked(wanted.retention).changed(old)
    sent = copy.deepcopy(dict(definition))
    for key in ('plan_id', 'provider_id'):
        if not sent.get(key):
            sent.pop(key, None)
    for name, key in _LIMITS.items():
        limit = getattr(new, name)
        sent[key] = UNLIMITED if limit is None else limit
    sent['permanent'] = new.forever
    for name, key in COUNTS.items():
        count = getattr(new, name)
        # What is left out may be kept: 0 ends it.
        if count is not None or key in sent:
            sent[key] = count or 0
    if any(key in sent for key in COUNTS.values()):
        zone = wanted.schedule.zone
        # That of a schedule is none of theirs.
        is_said = zone is not None and wanted.retention.has_periods
        if is_said or not sent.get('timezone'):
            sent['timezone'] = zones.offset_text(zones.offset_at(zone, now))
    return sent


def _checked(retention: WantedRetention) -> WantedRetention:
    if retention.first_of_month is not None:
        raise InvalidSetting(
            'CSBS does not keep the first backup of a month by itself'
        )
    for count in (retention.last, retention.days):
        if count is not None and count > _LARGEST:
            raise InvalidSetting(
                f'CSBS keeps at most {_LARGEST} backups, or days of them'
            )
    return retention
