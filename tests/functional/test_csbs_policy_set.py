# SPDX-License-Identifier: Apache-2.0
"""``openstack csbs policy create``, ``set`` and ``delete``."""

import copy
import json
import re
from pathlib import Path

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.policy_wire import policy_requests
from tests.functional.shell import Openstack
from tests.functional.wire import PROVIDER, requests
from tests.sandbox import Fault, Sandbox
from tests.sandbox.plans import Plan, pattern

POLICY = ('csbs', 'policy')
CREATE = (*POLICY, 'create')
SET = (*POLICY, 'set')
DELETE = (*POLICY, 'delete')
NIGHTLY = ('--at', '02:00', '--every', '1d', '--keep-last', '7')
PATH = '/csbs/v1/{P}/policies'

#: A contract with scripts.
KEYS = [
    *('id', 'name', 'description', 'enabled', 'schedule', 'retention'),
    *('servers', 'next_runs', 'remarks'),
]


def plan_named(c: Sandbox, name: str) -> Plan:
    [plan] = [plan for plan in c.state.plans.values() if plan.name == name]
    return plan


# -- create ----------------------------------------------------------------


def test_a_policy_is_created_and_shown(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    servers = [c.state.add_server(f'web{n}') for n in range(2)]
    shown = openstack(
        *(*CREATE, '--at', '00:30', '--on', 'mon', '--timezone', 'UTC+02:00'),
        *('--keep-last', '10', '--keep-weekly', '4', '--description', 'all'),
        *('--server', 'web0', '--server', servers[1].id, 'weekly'),
        *('-f', 'json'),
    ).json()
    assert list(shown) == KEYS
    assert shown['id'] == plan_named(c, 'weekly').id
    assert (shown['enabled'], shown['servers']) == (True, 2)
    assert (shown['schedule']['on'], shown['schedule']['at']) == (
        ['sun'],
        ['22:30'],
    )
    assert (shown['retention']['last'], shown['retention']['weekly']) == (
        10,
        4,
    )
    assert policy_requests(c) == [
        (
            f'POST {PATH}',
            {
                'policy': {
                    'name': 'weekly',
                    'description': 'all',
                    'provider_id': PROVIDER,
                    'parameters': {'common': {}},
                    'resources': [
                        {
                            'id': server.id,
                            'type': 'OS::Nova::Server',
                            'name': server.name,
                        }
                        for server in servers
                    ],
                    'scheduled_operations': [
                        {
                            'enabled': True,
                            'operation_type': 'backup',
                            'operation_definition': {
                                'max_backups': 10,
                                'retention_duration_days': -1,
                                'permanent': False,
                                'week_backups': 4,
                                'timezone': 'UTC+02:00',
                            },
                            'trigger': {
                                'properties': {
                                    'pattern': pattern(
                                        'FREQ=WEEKLY;BYDAY=SU;'
                                        'BYHOUR=22;BYMINUTE=30'
                                    )
                                }
                            },
                        }
                    ],
                }
            },
        )
    ]


def test_a_policy_may_have_no_servers_and_keep_all(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    shown = openstack(
        *(*CREATE, '--at', '02:00', '--every', '1d', '--keep-forever'),
        *('--disable', 'all'),
    ).stdout
    assert re.search(r'\| retention +\| keep forever ', shown)
    plan = plan_named(c, 'all')
    assert plan.operation['operation_definition']['permanent'] is True
    assert plan.operation['enabled'] is False
    assert plan.server_ids == []


def test_a_rule_is_sent_as_it_is(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    rule = 'FREQ=WEEKLY;BYDAY=MO;BYHOUR=2;BYMINUTE=0'
    openstack(*CREATE, '--rrule', rule, '--keep-last=7', 'weekly')
    [operation] = policy_requests(c)[0][1]['policy']['scheduled_operations']
    assert operation['trigger']['properties']['pattern'] == pattern(rule)


def test_a_dry_run_creates_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    c.state.add_server('web0')
    shown = openstack(
        *(*CREATE, *NIGHTLY, '--server', 'web0', '--dry-run', 'nightly'),
        *('-f', 'json'),
    ).json()
    assert (shown['id'], shown['servers']) == (None, 1)
    assert policy_requests(c) == []


@pytest.mark.parametrize(
    ('arguments', 'told'),
    [
        (('--at=2:00', '--every=1d', 'x'), '--keep-days or --keep-forever'),
        (('--at=2:00', '--every=2d', '--keep-last=7', 'x'), 'Use --every 1d'),
        (
            (
                *('--at=00:30', '--at=12:30', '--on=mon', '--keep-last=10'),
                *('--timezone=UTC+02:00', 'x'),
            ),
            'Give one --at, or --every 1d',
        ),
        ((*NIGHTLY, '--keep-forever', 'x'), 'Give only one of them'),
        ((*NIGHTLY, '--rrule=FREQ=DAILY', 'x'), 'Give only one of them'),
        ((*NIGHTLY, '--keep-first-of-month', 'x'), 'unrecognized'),
        ((*NIGHTLY, '--description=<b>', 'x'), 'neither "<" nor ">"'),
        ((*NIGHTLY, 'x' * 256), '1 to 255 letters'),
        (
            (*NIGHTLY, *(f'--server=s{n}' for n in range(65)), 'x'),
            'a policy has at most 64 servers',
        ),
    ],
)
def test_what_cannot_be_a_policy_is_a_wrong_command_line(
    cloud: CloudFactory,
    openstack: Openstack,
    arguments: tuple[str, ...],
    told: str,
) -> None:
    c = cloud()
    openstack(*CREATE, *arguments, complains=[..., told], code=2)
    assert requests(c) == []


def test_a_name_that_is_taken_is_refused(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    plan = c.state.add_plan('nightly')
    openstack(
        *(*CREATE, *NIGHTLY, 'nightly'),
        complains=[re.compile(f'exists already .{plan.id}.'), '1 of 1 '],
    )
    assert policy_requests(c) == []


def test_a_server_of_another_policy_is_refused(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    server = c.state.add_server('web0')
    plan = c.state.add_plan('other', [server])
    openstack(
        *(*CREATE, *NIGHTLY, '--server', 'web0', 'nightly'),
        complains=[
            re.compile(
                f'create policy nightly: server web0: it belongs to the '
                f'policy other .{plan.id}.*csbs policy remove server '
                f'{plan.id} {server.id}'
            ),
            '1 of 1 policies failed to create.',
        ],
    )
    assert policy_requests(c) == []


def test_servers_that_are_not_there_are_all_named(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    openstack(
        *(*CREATE, *NIGHTLY, '--server=a1', '--server=b1', 'nightly'),
        complains=[re.compile("for 'a1'; No server found for 'b1'"), '1 of'],
    )
    assert policy_requests(c) == []


def test_a_lost_answer_is_settled_by_the_name(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    c.knobs.faults.append(Fault('reset-after', 'POST', 'policies$'))
    shown = openstack(*CREATE, *NIGHTLY, 'nightly', '-f', 'json').json()
    assert shown['id'] == plan_named(c, 'nightly').id
    assert len(policy_requests(c)) == 1


@pytest.mark.parametrize(
    'command', [(*CREATE, *NIGHTLY, 'new'), (*SET, '--disable', 'nightly')]
)
def test_refused_values_may_need_a_zone(
    cloud: CloudFactory, openstack: Openstack, command: tuple[str, ...]
) -> None:
    c = cloud()
    c.state.add_plan('nightly')
    body = '{"error_code": "CSBS.9001", "error_msg": "bad"}'
    for method in ('POST', 'PUT'):
        c.knobs.faults.append(
            Fault('status', method, 'policies', status=400, body=body)
        )
    openstack(
        *command,
        complains=[
            re.compile('CSBS.9001.*add --keep-daily 0 and --timezone'),
            '1 of 1 policies failed',
        ],
    )


# -- set -------------------------------------------------------------------


@pytest.mark.parametrize('enabled', [True, False])
def test_only_what_changes_is_sent_and_whether_it_is_enabled(
    cloud: CloudFactory, openstack: Openstack, enabled: bool
) -> None:
    c = cloud()
    plan = c.state.add_plan(
        'nightly', [c.state.add_server('web0')], enabled=enabled, colour='blue'
    )
    before = copy.deepcopy(plan.body)
    assert openstack(*SET, '--name', 'new', plan.id).stdout == ''
    operation = {'id': plan.operation['id'], 'enabled': enabled}
    assert policy_requests(c) == [
        (
            f'PUT {PATH}/{plan.id}',
            {'policy': {'name': 'new', 'scheduled_operations': [operation]}},
        )
    ]
    assert plan.body == before | {'name': 'new'}
    one = f'GET {PATH}/{plan.id}'
    # It is read, and read again just before and just after.
    assert requests(c)[-3:] == [one, f'PUT {PATH}/{plan.id}', one]


def test_nothing_to_change_is_a_success_without_a_change(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    plan = c.state.add_plan('nightly', description='d')
    plan.operation['operation_definition']['week_backups'] = 4
    plan.operation['operation_definition']['timezone'] = 'UTC+00:00'
    rows = openstack(
        *(*SET, '--description', 'd', '--keep-last', '10', 'nightly'),
        *('-f', 'json'),
    ).json()
    assert [row['Result'] for row in rows] == ['unchanged']
    assert policy_requests(c) == []


def test_a_dry_run_shows_before_and_after(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    c.state.add_plan('nightly')
    rows = openstack(
        *(*SET, '--dry-run', '--at=04:00', '--timezone=UTC+02:00', '--every'),
        *('1d', 'nightly', '-f', 'json'),
    ).json()
    by_field = {row['Field']: (row['Before'], row['After']) for row in rows}
    assert [one['at'] for one in by_field['Schedule']] == [
        ['02:00'],
        ['02:00'],
    ]
    assert policy_requests(c) == []


UNSEEN = (
    'The service shows no long-term rules of this policy: if it has any, '
    'they may end with this change.'
)


@pytest.mark.parametrize('options', [(), ('--dry-run',)])
def test_rules_that_are_not_shown_may_end_which_is_said(
    cloud: CloudFactory, openstack: Openstack, options: tuple[str, ...]
) -> None:
    c = cloud(csbs_policy_hides=('week_backups', 'timezone'))
    definition = {'max_backups': 10, 'week_backups': 4, 'timezone': 'UTC+0'}
    c.state.add_plan('nightly', definition=definition)
    openstack(
        *(*SET, '--keep-last', '3', 'nightly', *options),
        complains=[UNSEEN],
        code=0,
    )
    # Not where the retention stays as it is.
    openstack(*SET, '--description', 'x', 'nightly', *options)


@pytest.mark.parametrize(
    ('update', 'told'),
    [
        ('replaces', None),
        ('merges', None),
        ('drops', "colour is None and was 'blue'"),
        ('ignores', "name is 'nightly' in place of 'new'"),
    ],
)
def test_what_a_service_makes_of_it_is_told_apart(
    cloud: CloudFactory,
    openstack: Openstack,
    tmp_path: Path,
    update: str,
    told: str | None,
) -> None:
    c = cloud(csbs_policy_update=update)
    plan = c.state.add_plan('nightly', colour='blue')
    before = copy.deepcopy(plan.body)
    journal = tmp_path / 'journal'
    openstack(
        *(*SET, '--name', 'new', 'nightly', '--journal', str(journal)),
        complains=[told, '1 of 1 policies failed to set.'] if told else [],
    )
    request, _ = map(json.loads, journal.read_text().splitlines())
    assert request['before'] == before


def test_a_list_that_is_behind_is_no_reason_to_stop(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(list_lag=3600)
    plan = c.state.add_plan('nightly')
    openstack(*SET, '--disable', 'nightly')
    openstack(*SET, '--keep-last=3', 'nightly', complains=[UNSEEN], code=0)
    assert plan.operation['enabled'] is False
    assert plan.operation['operation_definition']['max_backups'] == 3


def test_a_policy_without_its_operation_is_not_changed(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(csbs_policy_hides=('enabled',))
    c.state.add_plan('nightly')
    openstack(
        *(*SET, '--name', 'new', 'nightly'),
        complains=['does not say whether it is enabled', '1 of 1 policies'],
    )
    assert policy_requests(c) == []


# -- delete ----------------------------------------------------------------


def test_a_policy_with_servers_is_asked_about(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    plan = c.state.add_plan('nightly', [c.state.add_server('web0')])
    c.state.add_plan('empty')
    openstack(
        *(*DELETE, 'nightly', 'empty'),
        complains=[
            f'Policy nightly ({plan.id}) has:',
            '  1 server (web0) whose schedule ends; the backups stay',
            ...,
            'add --yes. Nothing was deleted.',
        ],
    )
    assert policy_requests(c) == []
    openstack(*DELETE, 'empty')
    openstack(*DELETE, '--yes', 'nightly')
    assert not c.state.plans


def test_a_policy_whose_servers_are_not_known_is_asked_about(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(csbs_policy_hides=('resources',))
    c.state.add_plan('nightly')
    openstack(
        *(*DELETE, 'nightly'),
        complains=[
            'Policy nightly ',
            '  an unknown number of servers whose schedule ends',
            'add --yes. Nothing was deleted.',
        ],
    )
    assert policy_requests(c) == []


def test_a_lost_answer_to_a_deletion_is_settled(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    c.state.add_plan('nightly')
    c.knobs.faults.append(Fault('reset-after', 'DELETE', times=None))
    openstack(*DELETE, 'nightly')
    assert not c.state.plans


def test_a_server_that_another_policy_may_have_is_refused(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    web, db = (c.state.add_server(name) for name in ('web', 'db'))
    other = c.state.add_plan('other', [db])
    other.body['resources'][0]['type'] = 'OS::Ironic::BareMetalServer'
    create = ('csbs', 'policy', 'create', *NIGHTLY, 'new', '--server')
    openstack(
        *create,
        'db',
        complains=[re.compile('belongs to the policy other'), ...],
        code=1,
    )
    other.body['resources'] = None
    openstack(
        *create,
        'web',
        complains=[re.compile('whether it belongs to another .* other'), ...],
        code=1,
    )
    assert web.id not in str(policy_requests(c))


def test_whatever_loses_its_schedule_is_asked_about(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    plan = c.state.add_plan('web')
    plan.body['resources'].append(
        {'id': c.state.new_uuid(), 'type': 'OS::Cinder::Volume', 'name': 'x'}
    )
    openstack(
        *('csbs', 'policy', 'delete', 'web'),
        complains=[
            ...,
            '  1 resource whose schedule ends; the backups stay',
            re.compile('as listed above: add --yes. Nothing was deleted.'),
        ],
    )
    assert plan.id in c.state.plans
    openstack('csbs', 'policy', 'delete', 'web', '--yes')
    assert plan.id not in c.state.plans
