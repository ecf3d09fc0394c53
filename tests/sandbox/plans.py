# SPDX-License-Identifier: Apache-2.0
"""Policies of CSBS, whose wire calls them plans as well.

A plan is kept as an answer shows it, so that whatever a test puts into its
body is kept and shown.
"""

import copy
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.sandbox.model import Server

PROVIDER = 'fc4d5750-22e7-4798-8a46-f48f62c4c1da'
SERVER_TYPE = 'OS::Nova::Server'
#: As rules of iCalendar write them, from Monday on.
DAYS = ('MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU')
#: What a service may lose, or not show at all.
LONG_TERM = ('day_backups', 'week_backups', 'month_backups', 'year_backups')
#: What the reference knows of a plan, of its operation, and of what that does.
KEYS = (
    'id',
    'name',
    'description',
    'status',
    'created_at',
    'project_id',
    'provider_id',
    'parameters',
    'resources',
    'tags',
    'scheduled_operations',
)
OPERATION_KEYS = (
    'id',
    'name',
    'description',
    'enabled',
    'operation_type',
    'operation_definition',
    'trigger',
    'trigger_id',
)
RESOURCE_KEYS = ('id', 'type', 'name', 'extra_info')
DEFINITION_KEYS = (
    'max_backups',
    'retention_duration_days',
    'permanent',
    *LONG_TERM,
    'timezone',
    'plan_id',
    'provider_id',
)
#: What a policy keeps that is not told what to keep.
DEFINITION = {
    'max_backups': 10,
    'retention_duration_days': -1,
    'permanent': False,
}


@dataclass
class Plan:
    """One policy; `body` is what C13 shows."""

    id: str
    project_id: str
    created_at: str
    body: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.body.get('name'))

    @property
    def operation(self) -> dict[str, Any]:
        """The one scheduled operation."""
        operation: dict[str, Any] = self.body['scheduled_operations'][0]
        return operation

    @property
    def resources(self) -> list[dict[str, Any]]:
        """Its servers; what a test has put there may be anything else."""
        return [
            one for one in objects(self.body.get('resources')) if 'id' in one
        ]

    @property
    def server_ids(self) -> list[str]:
        return [resource['id'] for resource in self.resources]

    @property
    def tags(self) -> list[dict[str, str]]:
        return objects(self.body.get('tags'))

    def set_enabled(self, enabled: bool) -> None:
        """Switch it on or off; switched on it says `suspended`."""
        self.operation['enabled'] = enabled
        self.body['status'] = 'suspended' if enabled else 'disabled'


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list, if it is one."""
    rows = value if isinstance(value, list) else []
    return [row for row in rows if isinstance(row, dict)]


def pattern(rule: str = 'FREQ=DAILY;BYHOUR=2;BYMINUTE=0') -> str:
    """A schedule as the reference wraps it."""
    return (
        f'BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nRRULE:{rule}\r\n'
        f'END:VEVENT\r\nEND:VCALENDAR\r\n'
    )


def resource_of(server: Server) -> dict[str, Any]:
    """A server as a plan has it."""
    return {
        'id': server.id,
        'type': SERVER_TYPE,
        'name': server.name,
        'extra_info': {},
    }


def new_plan(
    id: str,
    project_id: str,
    created_at: str,
    *,
    name: str,
    description: str = '',
    resources: Iterable[dict[str, Any]] = (),
    enabled: bool = True,
    operation_name: str = '',
    operation_description: str = '',
    definition: dict[str, Any] | None = None,
    schedule: str = '',
    tags: Sequence[dict[str, str]] = (),
) -> Plan:
    """A policy, with what the service adds by itself."""
    trigger_id = _part_of(id, 'trigger')
    operation = {
        'id': _part_of(id, 'operation'),
        'name': operation_name or 'default',
        'description': operation_description,
        'enabled': enabled,
        'operation_type': 'backup',
        'operation_definition': filled(id, definition or {}),
        'trigger': {
            'id': trigger_id,
            'name': 'default',
            'type': 'time',
            'properties': {
                'pattern': schedule or pattern(),
                # With a blank, unlike all other times.
                'start_time': created_at[:19].replace('T', ' '),
                'format': 'ical',
            },
        },
        'trigger_id': trigger_id,
    }
    body: dict[str, Any] = {
        'id': id,
        'name': name,
        'description': description,
        'status': '',
        'created_at': created_at,
        'project_id': project_id,
        'provider_id': PROVIDER,
        'parameters': {'common': {}},
        'resources': list(resources),
        'scheduled_operations': [operation],
    }
    if tags:
        body['tags'] = list(tags)
    plan = Plan(id, project_id, created_at, body)
    plan.set_enabled(enabled)
    return plan


def filled(plan_id: str, definition: dict[str, Any]) -> dict[str, Any]:
    """What an operation does, with the ids that answers have."""
    return {**definition, 'plan_id': plan_id, 'provider_id': PROVIDER}


def _part_of(plan_id: str, what: str) -> str:
    """The id of a part: of the plan's, so that no other id is another."""
    return str(uuid.uuid5(uuid.UUID(plan_id), what))


class Plans(dict[str, Plan]):
    """The policies of all projects, by their ids."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        # What there was before each change, for lists that lag.
        self._before: list[tuple[float, list[Plan]]] = []

    def of(self, project_id: str | None, lag: float = 0.0) -> list[Plan]:
        """Those of a project, or of all, newest first.

        :param lag: as they were so many seconds ago, as far as they were
            changed by a request.
        """
        since = self._clock() - lag
        plans = next(
            (plans for at, plans in self._before if lag and at > since),
            list(self.values()),
        )
        found = [
            plan
            for plan in reversed(plans)
            if project_id in (None, plan.project_id)
        ]
        return sorted(found, key=lambda plan: plan.created_at, reverse=True)

    def remember(self) -> None:
        """Keep what there is now: it is about to be changed."""
        plans = copy.deepcopy(list(self.values()))
        self._before.append((self._clock(), plans))

    def of_server(self, server_id: str) -> Plan | None:
        """The one policy that a server belongs to."""
        return next(
            (plan for plan in self.values() if server_id in plan.server_ids),
            None,
        )
