# SPDX-License-Identifier: Apache-2.0
"""``openstack csbs policy execute``."""

import re
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.policy_wire import policy_requests
from tests.functional.shell import Openstack
from tests.functional.targets import commands_in
from tests.functional.wire import PROVIDER, requests
from tests.sandbox import Fault, Sandbox
from vbsclient.creation import server_backups

RUN = ('csbs', 'policy', 'execute')
JSON = ('-f', 'json')
REMAINS = 'What this run creates does not expire'
POST = f'POST /csbs/v1/{{P}}/providers/{PROVIDER}/checkpoints'

#: A contract with scripts: as those of ``csbs backup create``.
KEYS = [
    *('Type', 'ID', 'Name', 'Server', 'Server Name', 'Source', 'Result'),
    *('Detail', 'Checkpoint', 'Requested At', 'Finished At', 'Request ID'),
]


def weekly_of(c: Sandbox, *names: str, **changes: Any) -> Any:
    """A policy with servers of these names, and what it saved before."""
    servers = [c.state.add_server(name, **changes) for name in names]
    weekly = c.state.add_plan('weekly', servers)
    if servers:
        c.state.add_checkpoint(servers, policy_id=weekly.id)
    return weekly


def run_of(plan: Any, *server_ids: str) -> tuple[str, Any]:
    parameters = {'resources': list(server_ids)} if server_ids else {}
    return POST, {'checkpoint': {'plan_id': plan.id, 'parameters': parameters}}


@pytest.mark.parametrize('wait', [(), ('--wait',)], ids=['', 'wait'])
def test_there_is_a_row_for_each_server(
    cloud: CloudFactory, openstack: Openstack, wait: tuple[str, ...]
) -> None:
    c = cloud(creation_time=0.2)
    weekly = weekly_of(c, 'one', 'two')
    rows = openstack(
        *RUN, *wait, 'weekly', *JSON, complains=[REMAINS], code=0
    ).json()
    assert [list(row) for row in rows] == [KEYS] * 2
    assert [row['Server'] for row in rows] == weekly.server_ids
    [checkpoint] = {row['Checkpoint'] for row in rows}
    assert c.state.checkpoints[checkpoint].policy_id == weekly.id
    assert {row['Result'] for row in rows} == {
        'created' if wait else 'accepted'
    }
    if wait:
        items = {i.id: i for i in c.state.checkpoints[checkpoint].items}
        assert [items[row['ID']].resource_id for row in rows] == [
            *weekly.server_ids
        ]
        assert [items[row['ID']].name for row in rows] == [
            row['Name'] for row in rows
        ]
    assert policy_requests(c) == [run_of(weekly)]


def test_some_of_its_servers(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    weekly = weekly_of(c, 'one', 'two', 'three')
    one, _, three = weekly.server_ids
    rows = openstack(
        *(*RUN, '--wait', '--server', 'one', '--server', three),
        *('weekly', *JSON),
        complains=[REMAINS],
        code=0,
    ).json()
    assert [row['Server'] for row in rows] == [one, three]
    assert policy_requests(c) == [run_of(weekly, one, three)]


def test_a_dry_run_executes_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    weekly_of(c, 'one', 'two')
    rows = openstack(*RUN, '--dry-run', 'weekly', *JSON).json()
    assert [row['Result'] for row in rows] == ['would create'] * 2
    assert policy_requests(c) == []


# -- what is refused -------------------------------------------------------


def test_a_server_of_no_policy_or_of_another_is_not_backed_up(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    weekly = weekly_of(c, 'one')
    c.state.add_server('stranger')
    rows = openstack(
        *(*RUN, '--server', 'stranger', '--server', 'one', 'weekly', *JSON),
        complains=[
            REMAINS,
            re.compile("No server found for 'stranger' in the policy weekly"),
            '1 of 2 backups failed to create.',
        ],
    ).json()
    assert [row['Result'] for row in rows] == ['failed', 'accepted']
    assert policy_requests(c) == [run_of(weekly, *weekly.server_ids)]


def test_nor_is_anything_else_if_no_named_server_is_in_the_policy(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    weekly_of(c, 'one')
    c.state.add_server('stranger')
    openstack(*RUN, '--server', 'stranger', 'weekly', complains=[...], code=1)
    assert policy_requests(c) == []


def test_a_policy_without_servers_is_refused(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    weekly_of(c)
    openstack(
        *(*RUN, 'weekly'),
        complains=[re.compile('has no servers. .*policy add server')],
    )
    assert policy_requests(c) == []


def test_a_cloud_that_is_read_only_executes_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    weekly_of(c, 'one')
    openstack(
        *(*RUN, 'weekly'),
        config={'vbsclient_read_only': True},
        complains=[re.compile('read-only.*nothing was changed')],
    )
    assert requests(c) == []


# -- what comes of it ------------------------------------------------------


def test_a_server_that_never_appears_is_unknown(
    cloud: CloudFactory,
    openstack: Openstack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server_backups, 'APPEARS_IN', 0.5)
    c = cloud(creation_time=0.1)
    weekly = weekly_of(c, 'one', 'gone')
    del c.state.servers[weekly.server_ids[1]]
    result = openstack(
        *(*RUN, '--wait', 'weekly', *JSON),
        complains=[
            REMAINS,
            re.compile('gone .*shows no backup of this server'),
            re.compile('^  openstack csbs checkpoint show --wait '),
            'The state of 1 of 2 backups is unknown.',
        ],
        code=1,
    )
    rows = result.json()
    assert [row['Result'] for row in rows] == ['created', 'unknown']
    assert 'To try again' not in result.stderr


@pytest.mark.parametrize('wait', [(), ('--wait',)], ids=['', 'wait'])
def test_the_run_of_somebody_else_is_not_taken_for_this_one(
    cloud: CloudFactory, openstack: Openstack, wait: tuple[str, ...]
) -> None:
    c = cloud()
    weekly = weekly_of(c, 'one', 'two')
    c.knobs.faults.append(
        Fault(
            'status',
            'POST',
            'checkpoints',
            body='{"code": "CSBS.1001", "message": "It is running."}',
            acts=True,
        )
    )
    rows = openstack(
        *(*RUN, *wait, 'weekly', *JSON),
        complains=[
            re.compile('one .*It is running .*CSBS.1001.* busy'),
            ...,
            '2 of 2 backups failed to create.',
        ],
    ).json()
    assert [row['Result'] for row in rows] == ['failed', 'failed']
    assert policy_requests(c) == [run_of(weekly)]


def test_one_that_fails_is_a_failure(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    weekly = weekly_of(c, 'one', 'bad')
    c.state.servers[weekly.server_ids[1]].creation = 'fails'
    rows = openstack(
        *(*RUN, '--wait', 'weekly', *JSON),
        complains=[..., '1 of 2 backups failed to create.'],
    ).json()
    assert [row['Result'] for row in rows] == ['created', 'failed']


@pytest.mark.parametrize('wait', [(), ('--wait',)], ids=['', 'wait'])
def test_a_lost_answer_is_settled_by_the_new_checkpoint(
    cloud: CloudFactory, openstack: Openstack, wait: tuple[str, ...]
) -> None:
    c = cloud()
    weekly = weekly_of(c, 'one', 'two')
    c.knobs.faults.append(Fault('reset-after', 'POST', 'checkpoints'))
    rows = openstack(
        *RUN, *wait, 'weekly', *JSON, complains=[REMAINS], code=0
    ).json()
    assert {row['Result'] for row in rows} == {
        'created' if wait else 'accepted'
    }
    assert 'its answer was lost: this is the only' in rows[0]['Detail']
    assert policy_requests(c) == [run_of(weekly)]


def test_one_that_was_never_carried_out_is_not_repeated(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    weekly = weekly_of(c, 'one', 'two')
    c.knobs.faults.append(Fault('reset-before', 'POST', 'checkpoints'))
    result = openstack(
        *(*RUN, 'weekly', *JSON),
        complains=[..., 'The state of 2 of 2 backups is unknown.'],
    )
    assert {row['Result'] for row in result.json()} == {'unknown'}
    looks = commands_in(result.stderr)
    assert {*map(tuple, looks)} == {
        ('csbs', 'backup', 'list', '--policy', weekly.id)
    }
    openstack(*looks[0])
    assert len(policy_requests(c)) == 1


def test_a_timeout_hands_over_the_command_that_keeps_waiting(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(creation_time=60)
    weekly_of(c, 'one', 'two')
    result = openstack(
        *(*RUN, '--wait', '--timeout', '1', 'weekly', *JSON),
        complains=[
            REMAINS,
            re.compile(
                '^2 of 2 backups are not created yet: one .*do not run'
            ),
            re.compile('^  openstack'),
        ],
        code=3,
    )
    [command] = commands_in(result.stderr)
    [checkpoint] = {row['Checkpoint'] for row in result.json()}
    assert command == [*('csbs', 'checkpoint', 'show', '--wait', checkpoint)]
