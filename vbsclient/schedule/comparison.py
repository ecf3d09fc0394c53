# SPDX-License-Identifier: Apache-2.0
"""What a change of a policy has come to, once it was read again.

Both services change a policy as a whole, and neither knows of versions:
nothing else tells that one of two operators has undone what the other did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vbsclient.api.values import dict_or_empty, lenient_bool, lenient_int
from vbsclient.schedule import csbs, zones
from vbsclient.schedule.vbs import EXCLUSIVE, stripped

_DEFINITION = 'scheduled_operations.operation_definition'
_COUNTS = tuple(csbs.COUNTS.values())

#: The service fills these in, or changes them by itself.
_OWN = frozenset(
    {
        'updated_at',
        'status',
        'scheduled_operations.trigger_id',
        'scheduled_operations.trigger.id',
        'scheduled_operations.trigger.name',
        'scheduled_operations.trigger.type',
        'scheduled_operations.trigger.properties.format',
        f'{_DEFINITION}.plan_id',
        f'{_DEFINITION}.provider_id',
    }
)

#: A request has all of it, and of the others a part.
_WHOLE = 'operation_definition'

_PATTERN = 'scheduled_operations.trigger.properties.pattern'
_START = 'scheduled_operations.trigger.properties.start_time'
_ZONE = 'time_zone'
_PLAN = 'scheduled_policy'
_MEMBERS = 'resources'

#: What means the same as nothing, next to None and what is empty.
_NOTHING: dict[str, int] = {
    'max_backups': -1,
    'retention_duration_days': -1,
    'permanent': False,
    **dict.fromkeys(_COUNTS, 0),
    'frequency': 0,
    'rentention_num': 0,
    'rentention_day': 0,
    'remain_first_backup_of_curMonth': False,
}

#: Less than 0 is nothing, too.
_POSITIVE = frozenset({'frequency', 'rentention_num', 'rentention_day'})

_ABSENT: tuple[Any, ...] = (None, '', [], {})


@dataclass(frozen=True)
class Difference:
    """A field that is not what it should be after a change.

    :ivar path: ``scheduled_policy.start_time``.
    :ivar before: its value before, None if it had none.
    :ivar wanted: what it should be: what was sent, and what it was before
        if nothing was.
    :ivar after: what it is.
    """

    path: str
    before: Any
    wanted: Any
    after: Any

    @property
    def is_asked(self) -> bool:
        """Whether it is a change that was asked for, and not made as such."""
        return not _is_same(self.path, self.before, self.wanted)


def differences(
    before: Mapping[str, Any],
    sent: Mapping[str, Any],
    after: Mapping[str, Any],
) -> list[Difference]:
    """What is not as it was before or as it was sent.

    Of values, the meaning is compared: a number may be a text, and a
    pattern may have other line ends.

    :param before: the policy as it was read before, of either service.
    :param sent: what was sent to change it.
    :param after: the policy as it was read afterwards.
    """
    old = _flat(stripped(before))
    wanted = _flat(expected(before, sent))
    new = _flat(stripped(after))
    ignored = set(_OWN)
    if _PATTERN in _flat(stripped(sent)):
        ignored.add(_START)
    if _ZONE not in old and _ZONE not in new:
        # A list need not tell it.
        ignored.add(_ZONE)
    if not any(lenient_int(wanted.get(f'{_DEFINITION}.{c}')) for c in _COUNTS):
        # It belongs to counts that are not 0.
        ignored.add(f'{_DEFINITION}.timezone')
    for winner, loser in EXCLUSIVE:
        has_winner = (lenient_int(wanted.get(f'{_PLAN}.{winner}')) or 0) > 0
        if has_winner and {f'{_PLAN}.{winner}', f'{_PLAN}.{loser}'} <= {*old}:
            # It may be dropped or stay: it means nothing either way.
            ignored.add(f'{_PLAN}.{loser}')
    # What joins or leaves is told by its id alone, and the service may add
    # to what it has of the others.
    stays = _members(old) & _members(wanted) & _members(new)
    ignored |= {
        path
        for path in {*old, *wanted, *new}
        if path.startswith(f'{_MEMBERS}.')
        and (path.split('.')[1] not in stays or path not in old)
    }
    found = [
        Difference(path, old.get(path), wanted.get(path), new.get(path))
        for path in sorted({*old, *wanted, *new} - ignored)
    ]
    return [d for d in found if not _is_same(d.path, d.wanted, d.after)]


def expected(
    before: Mapping[str, Any], sent: Mapping[str, Any]
) -> dict[str, Any]:
    """What a policy should be after a request.

    :param before: the policy as it was read before, of either service.
    """
    merged: dict[str, Any] = _merged(stripped(before), stripped(sent))
    return merged


def _merged(before: Any, sent: Any) -> Any:
    if not isinstance(before, dict) or not isinstance(sent, dict):
        return sent
    merged = dict(before)
    for key, value in sent.items():
        old = before.get(key)
        if key == 'scheduled_operations':
            merged[key] = [
                _merged(csbs.operation_of(before), csbs.operation_of(sent))
            ]
        else:
            if key == _PLAN:
                old = _without_losers(dict_or_empty(old), value)
            merged[key] = value if key == _WHOLE else _merged(old, value)
    return merged


def _without_losers(plan: dict[str, Any], sent: Any) -> dict[str, Any]:
    """A plan without what a part of a request excludes."""
    gone = {
        other
        for pair in EXCLUSIVE
        for one, other in (pair, pair[::-1])
        if one in dict_or_empty(sent)
    }
    return {key: value for key, value in plan.items() if key not in gone}


def _flat(value: Any, path: str = '') -> dict[str, Any]:
    """{path: value} of all that is in a policy, but for what is empty."""
    if isinstance(value, dict) and value:
        found: dict[str, Any] = {}
        for key, inner in value.items():
            found |= _flat(inner, f'{path}.{key}' if path else str(key))
        return found
    if path == 'scheduled_operations':
        return _flat_operations(value)
    if path == _MEMBERS and isinstance(value, list):
        return _flat_resources(value)
    if path == 'tags' and isinstance(value, list):
        value = sorted(
            f'{tag.get("key")}={tag.get("value")}'
            for tag in value
            if isinstance(tag, dict)
        )
    return {} if value in _ABSENT else {path: value}


def _members(flat: Mapping[str, Any]) -> set[str]:
    """The ids of the resources of a policy."""
    ids = flat.get(_MEMBERS)
    return set(ids) if isinstance(ids, list) else set()


def _flat_resources(rows: list[Any]) -> dict[str, Any]:
    """Which they are, and all that each of them has, but for its name.

    The service may take the names from the servers again.
    """
    path = _MEMBERS
    by_id = {
        # A dot would end it.
        str(row.get('id')).lower().replace('.', ' '): row
        for row in rows
        if isinstance(row, dict)
    }
    found: dict[str, Any] = {path: sorted(by_id)} if by_id else {}
    for id, row in by_id.items():
        for key in row.keys() - {'id', 'name'}:
            if row[key] != '{}':
                found |= _flat(row[key], f'{path}.{id}.{key}')
    return found


def _flat_operations(value: Any) -> dict[str, Any]:
    path = 'scheduled_operations'
    if isinstance(value, list) and len(value) == 1:
        (value,) = value
    if not isinstance(value, dict):
        return {} if value in _ABSENT else {f'{path}.count': len(value)}
    found: dict[str, Any] = {}
    for key, inner in value.items():
        found |= _flat(inner, f'{path}.{key}')
    return found


def _is_same(path: str, one: Any, other: Any) -> bool:
    one, other = _meaning(path, one), _meaning(path, other)
    if type(one) is type(other):
        return bool(one == other)
    return bool(_plain(one) == _plain(other))


def _plain(value: Any) -> Any:
    """A number or a boolean that some answers have as a text."""
    boolean = lenient_bool(value)
    if boolean is not None:
        return boolean
    number = lenient_int(value)
    return value if number is None else number


def _meaning(path: str, value: Any) -> Any:
    """A value that is equal for all that means the same."""
    name = path.rpartition('.')[2]
    nothing = _NOTHING.get(name)
    if value is None:
        return nothing
    if path == _PATTERN:
        return csbs.meaning_of_pattern(str(value))
    if name in ('time_zone', 'timezone'):
        offset = zones.offset_of_text(value)
        return value if offset is None else offset
    if path == 'scheduled_policy.start_time':
        return frozenset(word.strip() for word in str(value).split(','))
    if name == 'week_frequency':
        words = value if isinstance(value, list) else str(value).split(',')
        return frozenset(str(word).strip().upper() for word in words)
    if path == 'scheduled_policy.status' and isinstance(value, str):
        return value.upper()
    if name in _POSITIVE and (lenient_int(value) or 1) < 0:
        return nothing
    if isinstance(nothing, bool) and value in ('Y', 'N', 'y', 'n'):
        return value in ('Y', 'y')
    return value
