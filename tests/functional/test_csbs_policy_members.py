# SPDX-License-Identifier: Apache-2.0
"""``openstack csbs policy add server`` and ``remove server``."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.policy_wire import policy_requests
from tests.functional.shell import Openstack
from tests.functional.targets import commands_in
from tests.functional.wire import UNKNOWN, requests
from tests.sandbox import Fault, Sandbox

ADD = ('csbs', 'policy', 'add', 'server')
REMOVE = ('csbs', 'policy', 'remove', 'server')
JSON = ('-f', 'json')

#: A contract with scripts.
KEYS = [
    *('Type', 'Server', 'Server Name', 'Source', 'Result', 'Detail'),
    *('Requested At', 'Finished At', 'Request ID'),
]


def servers(c: Sandbox, *names: str) -> list[Any]:
    return [c.state.add_server(name) for name in names]


def sent_servers(c: Sandbox) -> list[tuple[str, list[str]]]:
    """(policy, servers) of each PUT."""
    return [
        (
            path.split('/')[-1],
            [row['id'] for row in body['policy']['resources']],
        )
        for path, body in policy_requests(c)
    ]


def test_servers_are_added_by_one_request_that_has_all(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    there, gone, one, two = servers(c, 'there', 'gone', 'one', 'two')
    weekly = c.state.add_plan('weekly', [there, gone], unknown={'x': 1})
    weekly.body['resources'][0]['zone'] = 'kept'
    del c.state.servers[gone.id]
    before = copy.deepcopy(weekly.body)
    rows = openstack(*ADD, 'weekly', 'one', two.id.upper(), *JSON).json()
    assert [list(row) for row in rows] == [KEYS] * 2
    assert [(r['Server'], r['Server Name'], r['Result']) for r in rows] == [
        (one.id, 'one', 'added'),
        (two.id, 'two', 'added'),
    ]
    [(path, body)] = policy_requests(c)
    assert path == f'PUT /csbs/v1/{{P}}/policies/{weekly.id}'
    resources = [
        *before['resources'],
        *(
            {'id': s.id, 'type': 'OS::Nova::Server', 'name': s.name}
            for s in (one, two)
        ),
    ]
    assert body == {
        'policy': {
            'resources': resources,
            'scheduled_operations': [
                {'id': weekly.operation['id'], 'enabled': True}
            ],
        }
    }
    assert weekly.server_ids == [there.id, gone.id, one.id, two.id]
    # Each PUT is between two reads of its policy.
    read = f'GET /csbs/v1/{{P}}/policies/{weekly.id}'
    sent = requests(c)
    place = sent.index(path)
    assert sent[place - 1] == sent[place + 1] == read


def test_one_that_is_there_already_is_unchanged(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    there, new = servers(c, 'there', 'new')
    weekly = c.state.add_plan('weekly', [there], enabled=False)
    rows = openstack(*ADD, 'weekly', 'there', 'new', *JSON).json()
    assert [row['Result'] for row in rows] == ['unchanged', 'added']
    assert weekly.server_ids == [there.id, new.id]
    # It was off, and is off.
    assert weekly.operation['enabled'] is False
    openstack(*ADD, 'weekly', 'there', 'new')
    assert len(policy_requests(c)) == 1


def test_servers_are_removed_and_gone_ones_by_their_former_name(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    one, gone, stays = servers(c, 'one', 'gone', 'stays')
    weekly = c.state.add_plan('weekly', [one, gone, stays])
    del c.state.servers[gone.id]
    rows = openstack(*REMOVE, 'weekly', one.id, 'gone', *JSON).json()
    assert [(r['Server'], r['Result']) for r in rows] == [
        (one.id, 'removed'),
        (gone.id, 'removed'),
    ]
    assert sent_servers(c) == [(weekly.id, [stays.id])]


def test_the_last_server_may_leave(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    [one] = servers(c, 'one')
    weekly = c.state.add_plan('weekly', [one])
    [row] = openstack(*REMOVE, 'weekly', 'one', *JSON).json()
    assert row['Result'] == 'removed'
    assert sent_servers(c) == [(weekly.id, [])]
    assert weekly.server_ids == []


def test_a_service_that_keeps_the_last_one_is_not_believed(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(csbs_policy_update='merges')
    [one] = servers(c, 'one')
    c.state.add_plan('weekly', [one])
    [row] = openstack(
        *(*REMOVE, 'weekly', 'one', *JSON),
        complains=[
            'the policy still has the server',
            '1 of 1 servers failed to remove.',
        ],
    ).json()
    assert row['Result'] == 'failed'


@pytest.mark.parametrize(
    ('command', 'would'), [(ADD, 'would add'), (REMOVE, 'would remove')]
)
def test_a_dry_run_changes_nothing(
    cloud: CloudFactory,
    openstack: Openstack,
    command: tuple[str, ...],
    would: str,
) -> None:
    c = cloud()
    [one] = servers(c, 'one')
    c.state.add_plan('weekly', [one] if command is REMOVE else [])
    [row] = openstack(*command, '--dry-run', 'weekly', 'one', *JSON).json()
    assert row['Result'] == would
    assert policy_requests(c) == []


# -- what is refused -------------------------------------------------------


def test_one_of_another_policy_is_refused_and_moved_on_demand(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    taken, free, other = servers(c, 'taken', 'free', 'other')
    daily = c.state.add_plan('daily', [taken, other])
    weekly = c.state.add_plan('weekly')
    command = (*ADD, 'weekly', 'taken', 'free', *JSON)
    rows = openstack(
        *command,
        complains=[
            re.compile(
                f'server taken .*belongs to the policy daily .{daily.id}.. '
                f'Add --move'
            ),
            '1 of 2 servers failed to add.',
        ],
    ).json()
    assert [row['Result'] for row in rows] == ['refused', 'added']
    planned = openstack(*command, '--move', '--dry-run').json()
    assert planned[0]['Detail'] == f'leaves the policy daily ({daily.id})'
    rows = openstack(*command, '--move').json()
    assert [row['Result'] for row in rows] == ['added', 'unchanged']
    assert rows[0]['Detail'] == f'it left the policy daily ({daily.id})'
    # It leaves the other policy first.
    assert sent_servers(c)[1:] == [
        (daily.id, [other.id]),
        (weekly.id, [free.id, taken.id]),
    ]


def test_one_that_cannot_join_is_put_back(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    taken, other = servers(c, 'taken', 'other')
    daily = c.state.add_plan('daily', [taken, other])
    weekly = c.state.add_plan('weekly')
    before = copy.deepcopy(daily.body)
    c.knobs.faults.append(
        Fault('status', 'PUT', weekly.id, status=400, times=None)
    )
    [row] = openstack(
        *(*ADD, '--move', 'weekly', 'taken', *JSON),
        complains=[
            re.compile('before that, it left the policy daily .* put back'),
            '1 of 1 servers failed to add.',
        ],
    ).json()
    assert row['Result'] == 'failed'
    assert {*daily.server_ids} == {taken.id, other.id}
    assert [id for id, _ in sent_servers(c)] == [
        daily.id,
        weekly.id,
        daily.id,
    ]
    assert daily.body['scheduled_operations'] == before['scheduled_operations']


def test_one_that_cannot_be_put_back_is_told_with_the_command(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    [taken] = servers(c, 'taken')
    daily = c.state.add_plan('daily', [taken])
    weekly = c.state.add_plan('weekly')
    for id, skip in ((weekly.id, 0), (daily.id, 1)):
        c.knobs.faults.append(
            Fault('status', 'PUT', id, status=400, skip=skip, times=None)
        )
    result = openstack(
        *(*ADD, '--move', 'weekly', 'taken', *JSON),
        complains=[
            re.compile('and could not be put back .*in no policy now'),
            '1 of 1 servers failed to add.',
        ],
    )
    c.knobs.faults.clear()
    [command] = commands_in(result.stderr)
    openstack(*command)
    assert daily.server_ids == [taken.id]


def test_more_than_64_are_refused(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    there = servers(c, *(f's{n}' for n in range(63)))
    servers(c, 'one', 'two')
    c.state.add_plan('weekly', there)
    rows = openstack(
        *(*ADD, 'weekly', 'one', 'two', *JSON),
        complains=[
            ...,
            re.compile('room for 1 more server, and 2 are to be added'),
            '2 of 2 servers failed to add.',
        ],
    ).json()
    assert [row['Result'] for row in rows] == ['refused', 'refused']
    assert policy_requests(c) == []


@pytest.mark.parametrize('command', [ADD, REMOVE], ids=['add', 'remove'])
def test_a_policy_whose_servers_are_not_all_readable_is_left_alone(
    cloud: CloudFactory, openstack: Openstack, command: tuple[str, ...]
) -> None:
    c = cloud()
    [one] = servers(c, 'one')
    weekly = c.state.add_plan('weekly')
    weekly.body['resources'].append({'type': 'OS::Nova::Server'})
    openstack(
        *(*command, 'weekly', one.id),
        complains=[re.compile('Not all servers of .* can be read')],
    )
    assert policy_requests(c) == []


@pytest.mark.parametrize(
    ('command', 'names', 'said'),
    [
        (ADD, ('ghost', 'one'), "No policy found for 'ghost'"),
        (ADD, (UNKNOWN, 'one'), f"No policy found for '{UNKNOWN}'"),
        (ADD, ('weekly', 'ghost'), "No server found for 'ghost'"),
        (ADD, ('weekly', UNKNOWN), f"No server found for '{UNKNOWN}'"),
        (REMOVE, ('weekly', 'ghost'), "No server found for 'ghost'"),
        (REMOVE, ('weekly', 'one'), "found for 'one' in the policy weekly"),
        (REMOVE, ('weekly', UNKNOWN), f"found for '{UNKNOWN}' in the policy"),
        (ADD, ('weekly', 'twin'), 'More than one server exists'),
    ],
)
def test_what_is_not_there_is_not_guessed(
    cloud: CloudFactory,
    openstack: Openstack,
    command: tuple[str, ...],
    names: tuple[str, str],
    said: str,
) -> None:
    c = cloud()
    servers(c, 'one', 'twin', 'twin')
    c.state.add_plan('weekly', servers(c, 'member'))
    openstack(*command, *names, *JSON, complains=[..., said, ...], code=1)
    assert policy_requests(c) == []


def test_a_new_server_with_a_former_name_is_not_taken_for_the_old_one(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    [old] = servers(c, 'web01')
    weekly = c.state.add_plan('weekly', [old])
    old.name = 'web01-old'
    servers(c, 'web01')
    openstack(
        *(*REMOVE, 'weekly', 'web01', *JSON),
        complains=[..., "No server found for 'web01' in the policy", ...],
        code=1,
    )
    assert weekly.server_ids == [old.id]


@pytest.mark.parametrize('command', [ADD, REMOVE], ids=['add', 'remove'])
def test_a_cloud_that_is_read_only_is_not_changed(
    cloud: CloudFactory, openstack: Openstack, command: tuple[str, ...]
) -> None:
    c = cloud()
    c.state.add_plan('weekly', servers(c, 'one'))
    openstack(
        *(*command, 'weekly', 'one'),
        config={'vbsclient_read_only': True},
        complains=[re.compile('read-only.*nothing was changed')],
    )
    assert requests(c) == []


# -- what comes of it ------------------------------------------------------


@pytest.mark.parametrize('command', [ADD, REMOVE], ids=['add', 'remove'])
def test_a_service_that_ignores_it_is_not_believed(
    cloud: CloudFactory, openstack: Openstack, command: tuple[str, ...]
) -> None:
    c = cloud(csbs_policy_update='ignores')
    [one] = servers(c, 'one')
    c.state.add_plan('weekly', [one] if command is REMOVE else [])
    [row] = openstack(
        *(*command, 'weekly', 'one', *JSON),
        complains=['the service accepted it, and the policy', ..., ...],
        code=1,
    ).json()
    # The answer says that it was done: what is read may be behind.
    assert row['Result'] == 'unknown'


def test_whatever_else_has_changed_is_a_failure(
    cloud: CloudFactory, openstack: Openstack, tmp_path: Path
) -> None:
    c = cloud(csbs_policy_update='drops')
    servers(c, 'one')
    weekly = c.state.add_plan('weekly', unknown='x')
    weekly.operation['operation_definition']['day_backups'] = 7
    weekly.operation['operation_definition']['timezone'] = 'UTC+01:00'
    before = copy.deepcopy(weekly.body)
    journal = tmp_path / 'journal'
    [row] = openstack(
        *(*ADD, '--journal', str(journal), 'weekly', 'one', *JSON),
        complains=[
            re.compile(
                f'Something else has changed: the policy weekly .{weekly.id}.'
                f': .*day_backups was 7 and is None.*unknown was x'
            )
        ],
    ).json()
    assert row['Result'] == 'added'
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [line['event'] for line in lines] == ['request', 'answer']
    assert lines[0]['before'] == before
    assert 'before' not in lines[1]


@pytest.mark.parametrize('command', [ADD, REMOVE], ids=['add', 'remove'])
@pytest.mark.parametrize('fault', ['reset-after', 'reset-before'])
def test_a_lost_answer_is_settled_by_reading(
    cloud: CloudFactory,
    openstack: Openstack,
    command: tuple[str, ...],
    fault: str,
) -> None:
    c = cloud()
    [one] = servers(c, 'one')
    weekly = c.state.add_plan('weekly', [one] if command is REMOVE else [])
    c.knobs.faults.append(Fault(fault, 'PUT', 'policies'))
    result = openstack.run(*command, 'weekly', 'one', *JSON)
    [row] = result.json()
    if fault == 'reset-after':
        assert result.code == 0
        assert row['Detail'] == 'its answer was lost'
    else:
        assert result.code == 1
        assert row['Result'] == 'unknown'
        [look] = commands_in(result.stderr)
        assert look == ['csbs', 'policy', 'show', weekly.id]
    assert len(policy_requests(c)) == 1


def test_one_that_may_have_joined_is_not_put_back(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    [taken] = servers(c, 'taken')
    daily = c.state.add_plan('daily', [taken])
    weekly = c.state.add_plan('weekly')
    c.knobs.faults.append(Fault('reset-before', 'PUT', weekly.id))
    [row] = openstack(
        *(*ADD, '--move', 'weekly', 'taken', *JSON),
        complains=[
            re.compile(
                'is added is unknown: .*before that, it left .* daily.*'
                'It may be in no policy now.*add server'
            ),
            f'  openstack csbs policy show {weekly.id}',
            f'  openstack csbs policy show {daily.id}',
            '1 of 1 servers failed to add.',
        ],
    ).json()
    assert row['Result'] == 'unknown'
    assert [id for id, _ in sent_servers(c)] == [daily.id, weekly.id]


def test_one_that_may_have_left_is_not_added(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    [taken] = servers(c, 'taken')
    daily = c.state.add_plan('daily', [taken])
    weekly = c.state.add_plan('weekly')
    c.knobs.faults.append(Fault('reset-before', 'PUT', daily.id))
    result = openstack(
        *(*ADD, '--move', 'weekly', 'taken', *JSON),
        complains=[
            re.compile('it was not added, and may have left the policy daily'),
            '1 of 1 servers failed to add.',
        ],
    )
    assert result.json()[0]['Result'] == 'failed'
    assert [id for id, _ in sent_servers(c)] == [daily.id]
    assert commands_in(result.stderr) == [
        ['csbs', 'policy', 'show', weekly.id],
        ['csbs', 'policy', 'show', daily.id],
        ['csbs', 'policy', 'add', 'server', daily.id, taken.id],
    ]


@pytest.mark.parametrize('move', [[], ['--move']], ids=['add', 'move'])
def test_a_policy_of_another_project_is_not_changed(
    cloud: CloudFactory, openstack: Openstack, move: list[str]
) -> None:
    c = cloud()
    [taken] = servers(c, 'taken')
    daily = c.state.add_plan('daily', [taken])
    daily.body['project_id'] = 'f' * 32
    c.state.add_plan('weekly')
    [row] = openstack(
        *(*ADD, *move, 'weekly', 'taken', *JSON),
        complains=[re.compile('policy daily .*another project'), ...],
        code=1,
    ).json()
    assert row['Result'] == 'refused'
    assert policy_requests(c) == []


def test_a_former_name_of_a_server_that_has_another_one_is_refused(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    [one] = servers(c, 'one')
    c.state.add_plan('weekly', [one])
    one.name = 'important'
    [row] = openstack(
        *(*REMOVE, 'weekly', 'one', *JSON),
        complains=['is called important now', ...],
        code=1,
    ).json()
    assert row['Result'] == 'refused'
    assert policy_requests(c) == []


def test_one_that_cannot_leave_both_of_its_policies_is_not_in_none(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    [one] = servers(c, 'one')
    plans = [c.state.add_plan(name, [one]) for name in ('a', 'b')]
    c.state.add_plan('weekly')
    c.knobs.faults.append(
        Fault('status', 'PUT', plans[0].id, status=400, times=None)
    )
    openstack(
        *(*ADD, '--move', 'weekly', 'one', *JSON),
        complains=[
            re.compile('left the policy b .* and .*may be in no policy now'),
            ...,
        ],
        code=1,
    )
    # This service takes nothing back that another policy has.
    assert [plan.server_ids for plan in plans] == [[one.id], []]


def test_an_id_needs_no_server_of_the_cloud(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    one, two = servers(c, 'one', 'two')
    weekly = c.state.add_plan('weekly', [one, two])
    c.knobs.faults.append(
        Fault('status', 'GET', 'servers', status=403, times=None)
    )
    rows = openstack(
        *(*REMOVE, 'weekly', 'one', two.id, *JSON),
        complains=[..., ...],
        code=1,
    ).json()
    assert [row['Result'] for row in rows] == ['failed', 'removed']
    assert weekly.server_ids == [one.id]


def test_a_throttled_change_is_not_sent_again(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    servers(c, 'one')
    c.state.add_plan('weekly')
    c.knobs.faults.append(Fault('status', 'PUT', 'policies', status=429))
    [row] = openstack(
        *(*ADD, 'weekly', 'one', *JSON),
        complains=['Run the command again later.', ...],
        code=1,
    ).json()
    assert row['Result'] == 'failed'
    assert len(policy_requests(c)) == 1


@pytest.mark.parametrize('command', [ADD, REMOVE], ids=['add', 'remove'])
def test_a_dry_run_refuses_what_a_run_would(
    cloud: CloudFactory, openstack: Openstack, command: tuple[str, ...]
) -> None:
    c = cloud()
    [one] = servers(c, 'one')
    weekly = c.state.add_plan('weekly', [one] if command is REMOVE else [])
    del weekly.operation['enabled']
    openstack(
        *(*command, '--dry-run', 'weekly', 'one'),
        complains=['does not say whether it is enabled'],
    )


def test_unreadable_servers_of_another_policy_prove_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    servers(c, 'one')
    daily = c.state.add_plan('daily')
    daily.body['resources'].append({'type': 'OS::Nova::Server'})
    c.state.add_plan('weekly')
    [row] = openstack(
        *(*ADD, 'weekly', 'one', *JSON),
        complains=['whether it belongs to another policy is unknown', ...],
        code=1,
    ).json()
    assert row['Result'] == 'refused'
    assert policy_requests(c) == []


def test_a_policy_that_cannot_be_read_again_is_unknown(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    servers(c, 'one')
    weekly = c.state.add_plan('weekly')
    # One read of the plan, and one before the PUT.
    c.knobs.faults.append(
        Fault(
            'status',
            'GET',
            f'policies/{weekly.id}',
            status=403,
            skip=2,
            times=None,
        )
    )
    [row] = openstack(
        *(*ADD, 'weekly', 'one', *JSON),
        complains=['It could not be read afterwards', ..., ...],
        code=1,
    ).json()
    assert row['Result'] == 'unknown'
