# SPDX-License-Identifier: Apache-2.0
"""``openstack csbs policy list`` and ``show``."""

import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.reading import asked, only_gets
from tests.functional.shell import Openstack
from tests.functional.wire import UNKNOWN
from tests.sandbox import Fault, Sandbox
from tests.sandbox.plans import pattern

__all__ = ['only_gets']

pytestmark = pytest.mark.usefixtures('only_gets')

LIST = ('csbs', 'policy', 'list')
SHOW = ('csbs', 'policy', 'show')
ROUTE = '/csbs/v1/{P}/policies'
ITEMS = '/csbs/v1/{P}/checkpoint_items'

#: A contract with scripts.
COLUMNS = [
    *('ID', 'Name', 'Enabled', 'Schedule', 'Retention', 'Servers'),
    'Next Run',
]
LONG = ['Protected Servers', 'Description', 'Status', 'Tags', 'Created At']
FIELDS = [
    *('id', 'name', 'enabled', 'schedule', 'retention', 'servers'),
    *('protected_servers', 'description', 'status', 'tags', 'created_at'),
    *('next_runs', 'remarks', 'raw'),
]
ASSUMED = 'CSBS does not tell the time zone of the schedule: it may be UTC.'


def rows(openstack: Openstack, *command: str, **more: Any) -> Any:
    return openstack(*command, '-f', 'json', **more).json()


def test_all_policies_are_listed(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    server = c.state.add_server('web01')
    plan = c.state.add_plan(
        'weekly',
        [server],
        schedule=pattern('FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=1,13;BYMINUTE=30'),
        definition={
            'max_backups': 10,
            'day_backups': 7,
            'timezone': 'UTC+02:00',
        },
        description='Mondays',
        tags=[{'key': 'team', 'value': 'web'}],
    )
    off = c.state.add_plan('off', enabled=False)
    second, row = rows(openstack, *LIST)
    assert list(row) == COLUMNS
    assert asked(c)[0] == f'{ROUTE}?limit=1000'
    next_run = datetime.fromisoformat(row.pop('Next Run'))
    assert (next_run.minute, next_run.utcoffset()) == (30, timedelta(0))
    assert row == {
        'ID': plan.id,
        'Name': 'weekly',
        'Enabled': True,
        'Schedule': {
            'at': ['01:30', '13:30'],
            'every_days': None,
            'on': ['mon', 'thu'],
            'zone': None,
            'raw': None,
        },
        'Retention': {
            'last': 10,
            'days': None,
            'daily': 7,
            'weekly': None,
            'monthly': None,
            'yearly': None,
            'forever': False,
            'first_of_month': None,
            'timezone': 'UTC+02:00',
        },
        'Servers': 1,
    }
    assert (second['ID'], second['Enabled']) == (off.id, False)
    assert second['Next Run'] is None
    [_, long] = rows(openstack, *LIST, '--long')
    assert list(long) == [*COLUMNS, *LONG]
    assert long['Protected Servers'] == [{'id': server.id, 'name': 'web01'}]
    assert long['Tags'] == [{'key': 'team', 'value': 'web'}]
    # It says nothing about whether the policy is enabled.
    assert long['Status'] == 'suspended'
    table = openstack(*LIST).stdout
    assert (
        'on Mon and Thu at 01:30 and 13:30 (service time, UTC as far as '
        'known) | keep the last 10 and 7 daily (UTC+02:00)'
    ) in table


def test_one_is_shown(cloud: CloudFactory, openstack: Openstack) -> None:
    c = cloud()
    server = c.state.add_server('web01')
    plan = c.state.add_plan('daily', [server])
    shown = rows(openstack, *SHOW, plan.id.upper(), '--runs', '5')
    assert list(shown) == FIELDS
    assert asked(c)[0] == f'{ROUTE}/{plan.id}'
    assert shown['protected_servers'] == [{'id': server.id, 'name': 'web01'}]
    assert [text[11:16] for text in shown['next_runs']] == ['02:00'] * 5
    assert shown['raw'] == plan.body
    assert shown['remarks'] == [ASSUMED]
    table = openstack(*SHOW, 'daily').stdout
    assert f'| web01 ({server.id})' in table
    assert 'VCALENDAR' not in table


def test_a_name_is_looked_up_and_only_what_is_shown_is_asked_for(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    plan = c.state.add_plan('daily')
    openstack(*SHOW, 'daily', '-c', 'next_runs')
    assert asked(c)[-1] == f'{ROUTE}/{plan.id}'
    assert not [text for text in asked(c) if text.startswith(ITEMS)]
    c.state.add_plan('daily')
    openstack(
        *(*SHOW, 'daily'),
        complains=[re.compile("More than one policy .*'daily': .*0 servers")],
    )
    openstack(
        *(*SHOW, 'dailly'),
        complains=["'dailly'. Did you mean 'daily'?"],
    )
    openstack(
        *(*SHOW, UNKNOWN), complains=[f"No policy found for '{UNKNOWN}'."]
    )


def test_texts_in_place_of_numbers_are_read(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(csbs_policy_texts=True)
    c.state.add_plan(
        'daily', definition={'max_backups': -1, 'retention_duration_days': 30}
    )
    [row] = rows(openstack, *LIST)
    assert (row['Retention']['last'], row['Retention']['days']) == (None, 30)


def _no_operation(body: dict[str, Any]) -> None:
    body['scheduled_operations'] = []


def _two_operations(body: dict[str, Any]) -> None:
    body['scheduled_operations'] *= 2


def _no_number(body: dict[str, Any]) -> None:
    [operation] = body['scheduled_operations']
    operation['operation_definition']['max_backups'] = 'ten'


def _no_definition(body: dict[str, Any]) -> None:
    [operation] = body['scheduled_operations']
    operation['operation_definition'] = None


def _no_pattern(body: dict[str, Any]) -> None:
    [operation] = body['scheduled_operations']
    operation['trigger'] = {'properties': None}


def _odd_servers(body: dict[str, Any]) -> None:
    body['resources'].append('web02')


@pytest.mark.parametrize(
    ('change', 'unknown'),
    [
        (_no_operation, {'Enabled', 'Schedule', 'Retention', 'Next Run'}),
        (_two_operations, {'Enabled', 'Schedule', 'Retention', 'Next Run'}),
        (_no_number, {'Retention'}),
        (_no_definition, {'Retention'}),
        (_no_pattern, {'Schedule', 'Next Run'}),
        (_odd_servers, {'Servers'}),
    ],
)
def test_what_cannot_be_read_is_null(
    cloud: CloudFactory, openstack: Openstack, change: Any, unknown: set[str]
) -> None:
    c = cloud()
    plan = c.state.add_plan('daily', [c.state.add_server('web01')])
    change(plan.body)
    [row] = rows(openstack, *LIST)
    assert {key for key, value in row.items() if value is None} == unknown
    shown = rows(openstack, *SHOW, plan.id)
    said = [remark for remark in shown['remarks'] if remark != ASSUMED]
    assert len(said) == len(unknown - {'Next Run'})
    assert [one['name'] for one in shown['protected_servers']] == ['web01']


def test_a_rule_that_says_more_is_shown_as_it_is(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    rule = 'FREQ=DAILY;INTERVAL=2;BYHOUR=1;BYMINUTE=0'
    plan = c.state.add_plan('odd', schedule=pattern(rule))
    del plan.operation['trigger']['properties']['start_time']
    shown = rows(openstack, *SHOW, 'odd')
    assert shown['schedule']['raw'] == rule
    assert len(shown['next_runs']) == 3
    assert 'only about right' in ' '.join(shown['remarks'])
    assert '| about ' in openstack(*LIST).stdout


def test_a_cloud_that_has_plain_karbor(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    cloud(csbs_catalog=None)
    for command in (LIST, (*SHOW, 'x')):
        openstack(*command, complains=['CSBS'])


# -- the time zone ---------------------------------------------------------


def run(c: Sandbox, plan: Any, days: int, hour: int, **more: Any) -> None:
    """A run by schedule so many days ago."""
    today = c.state.now().replace(hour=hour, minute=1)
    server = c.state.servers[plan.server_ids[0]]
    c.state.add_checkpoint(
        *([server],),
        policy_id=plan.id,
        created_at=today - timedelta(days=days),
        **{'auto_trigger': True, **more},
    )


def remark(openstack: Openstack) -> str:
    [one] = rows(openstack, *SHOW, 'daily')['remarks']
    return str(one)


def add_plan(c: Sandbox) -> Any:
    """It runs at 02:00."""
    return c.state.add_plan('daily', [c.state.add_server('web01')])


@pytest.mark.parametrize(
    ('hours', 'told'),
    [
        ([2, 2, 2, 5], 'Its last 3 scheduled runs show that the times of the '
         'schedule are in UTC, unless the schedule was changed since.'),
        # One proves nothing.
        ([2], 'CSBS does not tell the time zone of the schedule: it may be '
         'UTC.'),
        ([0, 0, 0], 'Its last 3 scheduled runs show that the times of the '
         'schedule are in UTC+02:00, not in UTC: unless the schedule was '
         'changed since, the policy runs 2 hours earlier than shown here.'),
        ([3, 3], 'Its last 2 scheduled runs show that the times of the '
         'schedule are in UTC-01:00, not in UTC: unless the schedule was '
         'changed since, the policy runs 1 hour later than shown here.'),
        # One may have been late, and these fit no zone.
        ([0], ASSUMED),
        ([0, 7, 2], ASSUMED),
        ([], ASSUMED),
    ],
)  # fmt: skip
def test_the_backups_show_in_which_time_zone_a_policy_runs(
    cloud: CloudFactory, openstack: Openstack, hours: list[int], told: str
) -> None:
    c = cloud()
    plan = add_plan(c)
    for days, hour in enumerate(hours, 1):
        run(c, plan, days, hour)
    # Somebody has executed it in between.
    run(c, plan, 1, 9, auto_trigger=False)
    assert remark(openstack) == told
    assert f'{ITEMS}?limit=200&policy_id={plan.id}' in asked(c)


def test_a_service_that_does_not_filter_by_policy_shows_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    plan = add_plan(c)
    for days in (1, 2):
        run(c, plan, days, 0)
    body = {'checkpoint_items': [{'id': UNKNOWN, 'checkpoint_id': UNKNOWN}]}
    c.knobs.faults.append(
        Fault(
            'body', 'GET', 'items.*limit=1&', body=json.dumps(body), times=None
        )
    )
    assert remark(openstack) == ASSUMED


def test_backups_that_cannot_be_read_show_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run(c, add_plan(c), 1, 2)
    c.knobs.faults.append(
        Fault('status', 'GET', 'checkpoint_items', status=403, times=None)
    )
    assert remark(openstack) == ASSUMED
    log = openstack.run('-v', *SHOW, 'daily').stderr
    assert 'The time zone is not checked' in log


# -- --policy of prune -----------------------------------------------------


def test_a_prune_by_a_policy_says_that_it_has_no_backups(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    cloud()
    openstack(
        *('csbs', 'backup', 'prune', '--policy', UNKNOWN, '--keep-last=1'),
        complains=[f'No backup of the policy {UNKNOWN} is listed: check'],
        code=0,
    )
