# SPDX-License-Identifier: Apache-2.0
"""The bodies that make and change a policy of CSBS (C11, C14).

Refused unless the reference knows every key, its type and its range.  What it
does not know may come back all the same if the service has shown it: a test
has put it there.
"""

import re
from collections.abc import Collection
from typing import Any

from tests.sandbox.body import (
    NAME,
    check_flag,
    check_keys,
    is_text,
    read_object,
)
from tests.sandbox.plans import (
    DAYS,
    DEFINITION_KEYS,
    KEYS,
    LONG_TERM,
    OPERATION_KEYS,
    PROVIDER,
    RESOURCE_KEYS,
    SERVER_TYPE,
    Plan,
)
from tests.sandbox.protection import read_tags
from tests.sandbox.query import is_uuid
from tests.sandbox.wire import Request, csbs_bad_parameter, csbs_error, refuse

NEW_KEYS = (
    'name',
    'provider_id',
    'parameters',
    'resources',
    'scheduled_operations',
)
CHANGE_KEYS = ('name', 'description', 'resources', 'scheduled_operations')
NEW_OPERATION_KEYS = (
    'enabled',
    'operation_type',
    'operation_definition',
    'trigger',
)
CHANGE_OPERATION_KEYS = (
    'id',
    'name',
    'description',
    'enabled',
    'operation_definition',
    'trigger',
)

MAX_SERVERS = 64
ZONE = re.compile(r'UTC[+-](0\d|1[0-4]):[0-5]\d')


def read_new(request: Request) -> dict[str, Any]:
    """What a policy is to be like that does not exist yet."""
    wanted = _read(request, (*NEW_KEYS, 'description', 'tags'), NEW_KEYS)
    if wanted['provider_id'] != PROVIDER:
        refuse(csbs_bad_parameter('provider_id is unknown.'))
    parameters = check_keys(
        wanted['parameters'], ('common',), csbs_bad_parameter
    )
    if not isinstance(parameters.get('common', {}), dict):
        refuse(csbs_bad_parameter('common is no object.'))
    _check_resources(wanted['resources'], None)
    operation = _only(wanted['scheduled_operations'])
    check_keys(
        operation,
        (*NEW_OPERATION_KEYS, 'name', 'description'),
        csbs_bad_parameter,
        NEW_OPERATION_KEYS,
    )
    if operation['operation_type'] != 'backup':
        refuse(csbs_bad_parameter('operation_type is not backup.'))
    _check_operation(operation, {})
    if 'tags' in wanted:
        wanted['tags'] = read_tags(wanted['tags'])
    return wanted


def read_change(request: Request, plan: Plan) -> dict[str, Any]:
    """What is to be changed of a policy."""
    wanted = _read(request, (*CHANGE_KEYS, *_unknown(plan.body, KEYS)))
    if 'resources' in wanted:
        _check_resources(wanted['resources'], plan)
    if 'scheduled_operations' in wanted:
        operation = _only(wanted['scheduled_operations'])
        known = _unknown(plan.operation, OPERATION_KEYS)
        check_keys(
            operation,
            (*CHANGE_OPERATION_KEYS, *known),
            csbs_bad_parameter,
            ('id',),
        )
        if operation['id'] != plan.operation['id']:
            refuse(csbs_bad_parameter('The operation is unknown.'))
        _check_operation(operation, plan.operation['operation_definition'])
    return wanted


def _unknown(shown: dict[str, Any], known: Collection[str]) -> list[str]:
    """What the service has shown and the reference does not know."""
    return [key for key in shown if key not in known]


def _read(
    request: Request, allowed: Collection[str], required: Collection[str] = ()
) -> dict[str, Any]:
    wanted = read_object(request, 'policy', allowed, csbs_bad_parameter)
    check_keys(wanted, allowed, csbs_bad_parameter, required)
    _check_words(wanted)
    return wanted


def _check_words(wanted: dict[str, Any]) -> None:
    """The name and the description of a policy or an operation."""
    name = wanted.get('name', 'x')
    if not isinstance(name, str) or not NAME.fullmatch(name):
        refuse(csbs_bad_parameter('name is not allowed.'))
    if len(name) > 255:
        refuse(csbs_bad_parameter('name is too long.'))
    if not is_text(wanted.get('description', ''), 255):
        refuse(csbs_bad_parameter('description is not allowed.'))


# -- servers ---------------------------------------------------------------


def _check_resources(resources: Any, plan: Plan | None) -> None:
    """Their shape; whether they exist is another question."""
    if not isinstance(resources, list):
        refuse(csbs_bad_parameter('resources is no list.'))
    if len(resources) > MAX_SERVERS:
        refuse(csbs_bad_parameter(f'More than {MAX_SERVERS} servers.'))
    shown = {one['id']: one for one in plan.resources} if plan else {}
    for resource in resources:
        id = resource.get('id') if isinstance(resource, dict) else None
        known = _unknown(
            shown.get(id, {}) if isinstance(id, str) else {}, RESOURCE_KEYS
        )
        check_keys(
            resource,
            (*RESOURCE_KEYS, *known),
            csbs_bad_parameter,
            ('id', 'type', 'name'),
        )
        _check_resource(resource)
    if len({one['id'] for one in resources}) < len(resources):
        refuse(csbs_bad_parameter('A server is named twice.'))


def _check_resource(resource: dict[str, Any]) -> None:
    for key in ('id', 'type', 'name'):
        if not isinstance(resource[key], str):
            refuse(csbs_bad_parameter(f'{key} of a resource is no text.'))
    if not is_uuid(resource['id']):
        refuse(csbs_bad_parameter('id of a resource is malformed.'))
    if not isinstance(resource.get('extra_info', {}), dict):
        refuse(csbs_bad_parameter('extra_info is no object.'))
    if resource['type'] != SERVER_TYPE:
        message = f'{resource["type"]} cannot be backed up.'
        refuse(csbs_error(400, 'CSBS.6003', message))


# -- the operation ---------------------------------------------------------


def _only(operations: Any) -> dict[str, Any]:
    if not isinstance(operations, list) or len(operations) != 1:
        refuse(csbs_bad_parameter('There must be one scheduled operation.'))
    if not isinstance(operations[0], dict):
        refuse(csbs_bad_parameter('The scheduled operation is no object.'))
    return operations[0]


def _check_operation(operation: dict[str, Any], shown: dict[str, Any]) -> None:
    """`shown` is its definition of before.  Texts become numbers."""
    _check_words(operation)
    check_flag(operation, 'enabled', csbs_bad_parameter)
    if 'operation_definition' in operation:
        operation['operation_definition'] = _definition(
            operation['operation_definition'], shown
        )
    if 'trigger' in operation:
        _check_trigger(operation['trigger'])


def _definition(wanted: Any, shown: dict[str, Any]) -> dict[str, Any]:
    allowed = (*DEFINITION_KEYS, *_unknown(shown, DEFINITION_KEYS))
    check_keys(wanted, allowed, csbs_bad_parameter)
    long_term = [key for key in LONG_TERM if key in wanted]
    if bool(long_term) != ('timezone' in wanted):
        refuse(csbs_bad_parameter('timezone and counts go together.'))
    return {key: _rule(key, value) for key, value in wanted.items()}


def _rule(key: str, value: Any) -> Any:
    """A number or a flag, some of which the reference takes as text too."""
    if key in ('max_backups', 'retention_duration_days'):
        if isinstance(value, str) and re.fullmatch('-1|[0-9]{1,5}', value):
            value = int(value)
        _check_number(key, value, -1, 99999)
    elif key in LONG_TERM:
        _check_number(key, value, 0, 100)
    elif key == 'permanent':
        if isinstance(value, str):
            value = {'true': True, 'false': False}.get(value.lower())
        if not isinstance(value, bool):
            refuse(csbs_bad_parameter('permanent is neither true nor false.'))
    elif key == 'timezone':
        if not isinstance(value, str) or not ZONE.fullmatch(value):
            refuse(csbs_bad_parameter('timezone is not allowed.'))
    elif key in DEFINITION_KEYS and not isinstance(value, str):
        refuse(csbs_bad_parameter(f'{key} is no text.'))
    return value


def _check_number(key: str, value: Any, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        refuse(csbs_bad_parameter(f'{key} is no integer.'))
    if not least <= value <= most:
        refuse(csbs_bad_parameter(f'{key} is out of range.'))


# -- the schedule ----------------------------------------------------------


def _check_trigger(trigger: Any) -> None:
    check_keys(trigger, ('properties',), csbs_bad_parameter, ('properties',))
    properties = check_keys(
        trigger['properties'], ('pattern',), csbs_bad_parameter, ('pattern',)
    )
    text = properties['pattern']
    if not isinstance(text, str) or len(text) > 10240:
        refuse(csbs_bad_parameter('pattern is no text, or too long.'))
    _check_rule(_rule_in(text))


def _rule_in(text: str) -> str:
    """The one recurrence rule of an iCalendar text (RFC 2445)."""
    lines = text.replace('\r\n ', '').split('\r\n')
    if lines.pop() or not all(map(str.isprintable, lines)):
        refuse(csbs_bad_parameter('pattern: a line does not end with CRLF.'))
    frame = [line for line in lines if line.startswith(('BEGIN:', 'END:'))]
    if frame != [
        'BEGIN:VCALENDAR',
        'BEGIN:VEVENT',
        'END:VEVENT',
        'END:VCALENDAR',
    ] or (lines[0], lines[-1]) != (frame[0], frame[-1]):
        refuse(csbs_bad_parameter('pattern is no calendar with one event.'))
    event = lines[lines.index(frame[1]) : lines.index(frame[2])]
    rules = [line for line in event if line.startswith('RRULE')]
    if len(rules) != 1 or not rules[0].startswith('RRULE:'):
        refuse(csbs_bad_parameter('pattern has not one RRULE.'))
    return rules[0].removeprefix('RRULE:')


def _check_rule(rule: str) -> None:
    """The four parts, of which nothing is left to a start time."""
    parts: dict[str, str] = {}
    for text in rule.split(';'):
        key, _, value = text.partition('=')
        if key in parts:
            refuse(csbs_bad_parameter(f'RRULE: {key} is given twice.'))
        parts[key] = value
    weekly = parts.get('FREQ') == 'WEEKLY'
    if not weekly and parts.get('FREQ') != 'DAILY':
        refuse(csbs_bad_parameter('RRULE: FREQ is not allowed.'))
    required = ('BYHOUR', 'BYMINUTE', *(('BYDAY',) if weekly else ()))
    check_keys(
        parts,
        ('FREQ', 'BYDAY', 'BYHOUR', 'BYMINUTE'),
        csbs_bad_parameter,
        required,
    )
    if 'BYDAY' in parts:
        _listed(parts, 'BYDAY', DAYS)
    _listed(parts, 'BYHOUR', list(map(str, range(24))))
    minutes = _listed(parts, 'BYMINUTE', list(map(str, range(60))))
    # Each hour has all of them: one alone keeps an hour between two runs,
    # over midnight as well, and makes no more than 24 a day.
    if len(minutes) > 1:
        refuse(csbs_bad_parameter('Less than one hour between two runs.'))


def _listed(
    parts: dict[str, str], key: str, allowed: Collection[str]
) -> list[str]:
    """The words of a part; a number may be written with a zero before it."""
    words = parts[key].split(',')
    if key != 'BYDAY':
        words = [re.sub('^0(?=[0-9]$)', '', word) for word in words]
    if not set(words) <= set(allowed) or len(set(words)) < len(words):
        refuse(csbs_bad_parameter(f'RRULE: {key} is not allowed.'))
    return words
