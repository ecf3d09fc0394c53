# SPDX-License-Identifier: Apache-2.0
"""Policies as both services have them, and what a person wants of one."""

from typing import Any

from vbsclient.schedule.texts import parse_schedule
from vbsclient.schedule.values import Wanted, WantedRetention

NOTHING = WantedRetention()
LAST_10 = WantedRetention(last=10)
SERVER = {'id': '7e0f9d3c-1b2a-4c5d-8e9f-a0b1c2d3e403', 'name': 'web01'}
OTHER = {'id': '8e0f9d3c-1b2a-4c5d-8e9f-a0b1c2d3e404', 'name': 'web02'}
DAILY = 'FREQ=DAILY;BYHOUR=2;BYMINUTE=0'


def wrapped(rule: str) -> str:
    """To the letter of the reference."""
    return (
        f'BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nRRULE:{rule}\r\n'
        f'END:VEVENT\r\nEND:VCALENDAR\r\n'
    )


def wanted(
    retention: WantedRetention = LAST_10,
    enabled: bool | None = None,
    **written: Any,
) -> Wanted:
    return Wanted(parse_schedule(**written), retention, enabled)


def vbs_policy(**plan: Any) -> dict[str, Any]:
    """A policy of a list (V26)."""
    outside = {
        key: plan.pop(key) for key in ('time_zone', 'extra') if key in plan
    }
    return {
        'backup_policy_id': 'a1c1b6de-4f0d-4f6e-9a37-0d5d0b1c7e01',
        'backup_policy_name': 'nightly',
        'scheduled_policy': {
            'start_time': '01:00,13:00',
            'frequency': 2,
            'rentention_num': 10,
            'remain_first_backup_of_curMonth': 'N',
            'status': 'ON',
        }
        | plan,
        'policy_resource_count': 3,
    } | outside


def csbs_policy(
    pattern: str = wrapped(DAILY),
    enabled: object = True,
    start: str | None = '2020-01-08 09:59:49',
    **definition: Any,
) -> dict[str, Any]:
    """A policy (C13)."""
    return {
        'id': 'a1c1b6de-4f0d-4f6e-9a37-0d5d0b1c7e01',
        'name': 'web',
        'description': '',
        'status': 'suspended',
        'provider_id': 'fc4d5750-22e7-4798-8a46-f48f62c4c1da',
        'resources': [SERVER],
        'scheduled_operations': [
            {
                'id': 'b2c1b6de-4f0d-4f6e-9a37-0d5d0b1c7e02',
                'name': 'default',
                'enabled': enabled,
                'operation_type': 'backup',
                'operation_definition': {
                    'max_backups': 10,
                    'retention_duration_days': -1,
                    'permanent': False,
                    'plan_id': 'a1c1b6de-4f0d-4f6e-9a37-0d5d0b1c7e01',
                    'provider_id': '',
                }
                | definition,
                'trigger': {
                    'id': 'c3c1b6de-4f0d-4f6e-9a37-0d5d0b1c7e03',
                    'properties': {'pattern': pattern, 'start_time': start},
                },
            }
        ],
    }
