# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs backup policy add volume`` and ``remove volume``."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.policy_wire import policy_requests
from tests.functional.shell import Openstack
from tests.functional.targets import commands_in
from tests.functional.wire import UNKNOWN, requests
from tests.sandbox import Fault, Sandbox
from tests.sandbox.volume_policies import VolumePolicy

ADD = ('vbs', 'backup', 'policy', 'add', 'volume')
REMOVE = ('vbs', 'backup', 'policy', 'remove', 'volume')
JSON = ('-f', 'json')

#: A contract with scripts.
KEYS = [
    *('Type', 'Volume', 'Volume Name', 'Source', 'Result', 'Detail'),
    *('Requested At', 'Finished At', 'Request ID'),
]
ROOM = {'catalog': 'vbs+volumev3'}


def policy_of(c: Sandbox, name: str, *volumes: Any) -> VolumePolicy:
    return c.state.volume_policies.add(c.project_id, name, *volumes)


def sent_volumes(c: Sandbox) -> list[list[str]]:
    """The volumes that each request has."""
    return [
        [row['resource_id'] for row in body['resources']]
        for _, body in policy_requests(c)
    ]


def test_volumes_are_added_by_one_request(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**ROOM)
    there, one, two, other = (
        c.state.add_volume(name) for name in ('there', 'one', 'two', 'other')
    )
    weekly = policy_of(c, 'weekly', there)
    rows = openstack(*ADD, 'weekly', 'one', two.id.upper(), *JSON).json()
    assert [list(row) for row in rows] == [KEYS] * 2
    assert [(r['Volume'], r['Volume Name'], r['Result']) for r in rows] == [
        (one.id, 'one', 'added'),
        (two.id, 'two', 'added'),
    ]
    assert [row['Detail'] for row in rows] == [None, None]
    assert weekly.volume_ids == [there.id, one.id, two.id]
    assert policy_requests(c) == [
        (
            'POST /vbs/v2/{P}/backuppolicyresources',
            {
                'backup_policy_id': weekly.id,
                'resources': [
                    {'resource_id': id, 'resource_type': 'volume'}
                    for id in (one.id, two.id)
                ],
            },
        )
    ]
    assert c.state.volume_policies.policy_of(other) is None


def test_the_table_is_short(cloud: CloudFactory, openstack: Openstack) -> None:
    c = cloud(**ROOM)
    c.state.add_volume('db01-data')
    policy_of(c, 'weekly')
    shown = openstack(*ADD, 'weekly', 'db01-data').stdout.splitlines()
    assert re.findall(r'\w+', shown[1]) == ['Volume', 'Result']
    assert re.findall(r'[\w-]+', shown[3]) == ['db01-data', 'added']


def test_forty_go_with_a_request(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**ROOM)
    ids = [c.state.add_volume(f'v{n}').id for n in range(85)]
    weekly = policy_of(c, 'weekly')
    rows = openstack(*ADD, weekly.id, '-', *JSON, stdin='\n'.join(ids)).json()
    assert [row['Volume'] for row in rows] == ids
    assert {row['Result'] for row in rows} == {'added'}
    assert [len(one) for one in sent_volumes(c)] == [40, 40, 5]
    assert [id for one in sent_volumes(c) for id in one] == ids
    assert weekly.volume_ids == ids


def test_volumes_are_removed(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**ROOM)
    one, two = (c.state.add_volume(name) for name in ('one', 'two'))
    weekly = policy_of(c, 'weekly', one, two)
    [row] = openstack(*REMOVE, 'weekly', 'one', *JSON).json()
    assert (row['Result'], row['Detail']) == ('removed', None)
    assert weekly.volume_ids == [two.id]
    assert policy_requests(c) == [
        (
            f'POST /vbs/v2/{{P}}/backuppolicyresources/{weekly.id}/'
            f'deleted_resources',
            {'resources': [{'resource_id': one.id}]},
        )
    ]


@pytest.mark.parametrize(
    ('command', 'would'), [(ADD, 'would add'), (REMOVE, 'would remove')]
)
def test_a_dry_run_changes_nothing(
    cloud: CloudFactory,
    openstack: Openstack,
    command: tuple[str, ...],
    would: str,
) -> None:
    c = cloud(**ROOM)
    c.state.add_volume('one')
    policy_of(c, 'weekly')
    [row] = openstack(*command, '--dry-run', 'weekly', 'one', *JSON).json()
    assert row['Result'] == would
    assert policy_requests(c) == []


# -- what is refused -------------------------------------------------------


def test_one_of_another_policy_is_refused_and_the_rest_is_added(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**ROOM)
    taken, free = (c.state.add_volume(name) for name in ('taken', 'free'))
    daily = policy_of(c, 'daily', taken)
    weekly = policy_of(c, 'weekly')
    c.state.volume_policies.add_task(daily, taken.id, 'EXECUTE_SUCCESS')
    command = (*ADD, 'weekly', 'taken', 'free', *JSON)
    rows = openstack(
        *command,
        complains=[
            re.compile(
                f'Failed to add volume taken .*: it belongs to the policy '
                f'daily .{daily.id}., .*--move'
            ),
            '1 of 2 volumes failed to add.',
        ],
    ).json()
    assert [row['Result'] for row in rows] == ['refused', 'added']
    assert (daily.volume_ids, weekly.volume_ids) == ([taken.id], [free.id])
    rows = openstack(*command, '--move').json()
    assert [row['Result'] for row in rows] == ['added', 'added']
    assert f'leaves the policy daily ({daily.id})' in rows[0]['Detail']
    assert f'daily ({daily.id}) has 1 volume fewer' in rows[0]['Detail']
    assert (daily.volume_ids, weekly.volume_ids) == (
        [],
        [free.id, taken.id],
    )


def test_a_task_of_long_ago_tells_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**ROOM)
    volume = c.state.add_volume('one')
    daily = policy_of(c, 'daily', c.state.add_volume('other'))
    weekly = policy_of(c, 'weekly')
    then = c.state.now() - timedelta(days=31)
    c.state.volume_policies.add_task(
        daily, volume.id, 'EXECUTE_SUCCESS', created_at=then
    )
    openstack(*ADD, 'weekly', 'one')
    assert weekly.volume_ids == [volume.id]


def test_of_two_policies_the_last_one_counts(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**ROOM)
    volume = c.state.add_volume('one')
    daily = policy_of(c, 'daily', c.state.add_volume('other'))
    weekly = policy_of(c, 'weekly', volume)
    now = c.state.now()
    for policy, days in ((daily, 5), (weekly, 2)):
        c.state.volume_policies.add_task(
            policy,
            volume.id,
            'EXECUTE_SUCCESS',
            created_at=now - timedelta(days=days),
        )
    [row] = openstack(*ADD, 'weekly', 'one', *JSON).json()
    assert row['Result'] == 'added'
    assert 'or the policy had it before' in row['Detail']


def test_where_tasks_cannot_be_read_nothing_is_moved_by_chance(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**ROOM)
    c.state.add_volume('one')
    daily = policy_of(c, 'daily', c.state.add_volume('other'))
    weekly = policy_of(c, 'weekly')
    c.knobs.faults.append(
        Fault(
            'status',
            'GET',
            f'{daily.id}/backuptasks',
            status=403,
            times=None,
        )
    )
    openstack(
        *(*ADD, 'weekly', 'one', *JSON),
        complains=[
            re.compile('could not be found out: .*daily.*--move'),
            '1 of 1 volumes failed to add.',
        ],
    )
    assert policy_requests(c) == []
    openstack(*ADD, '--move', 'weekly', 'one')
    assert len(weekly.volume_ids) == 1


def test_a_move_that_no_task_has_shown_is_said(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**ROOM)
    volume = c.state.add_volume('one')
    daily = policy_of(c, 'daily', volume)
    policy_of(c, 'weekly')
    [row] = openstack(*ADD, 'weekly', 'one', *JSON).json()
    assert row['Result'] == 'added'
    assert row['Detail'] == (
        f'the policy daily ({daily.id}) has 1 volume fewer than before'
    )


@pytest.mark.parametrize('command', [ADD, REMOVE], ids=['add', 'remove'])
@pytest.mark.parametrize(
    ('names', 'said'),
    [
        (('ghost', 'one'), "No policy found for 'ghost'"),
        ((UNKNOWN, 'one'), f"No policy found for '{UNKNOWN}'"),
        (('twice', 'one'), 'More than one policy exists'),
        (('weekly', 'ghost'), "No volume found for 'ghost'"),
    ],
)
def test_what_is_not_there_is_not_guessed(
    cloud: CloudFactory,
    openstack: Openstack,
    command: tuple[str, ...],
    names: tuple[str, str],
    said: str,
) -> None:
    c = cloud(**ROOM)
    c.state.add_volume('one')
    for name in ('weekly', 'twice', 'twice'):
        policy_of(c, name)
    openstack(*command, *names, *JSON, complains=[..., said, ...], code=1)
    assert policy_requests(c) == []


def test_a_volume_that_is_gone_can_only_leave(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**ROOM)
    gone = c.state.add_volume('gone')
    weekly = policy_of(c, 'weekly', gone)
    c.knobs.faults.append(
        Fault('status', 'GET', f'volumes/{gone.id}', status=404, times=None)
    )
    openstack(
        *(*ADD, 'weekly', gone.id),
        complains=['1 of 1 volumes failed to add.'],
        code=1,
    )
    assert policy_requests(c) == []
    [row] = openstack(*REMOVE, 'weekly', gone.id.upper(), *JSON).json()
    assert (row['Volume'], row['Result']) == (gone.id, 'removed')
    assert weekly.volume_ids == []


def test_a_volume_of_another_project_is_left_alone(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(administrator=True, **ROOM)
    other = c.state.add_project('other', member=False)
    volume = c.state.add_volume('theirs', project_id=other.id)
    policy_of(c, 'weekly')
    result = openstack.run(*ADD, 'weekly', volume.id)
    assert result.code == 1
    assert policy_requests(c) == []


@pytest.mark.parametrize('command', [ADD, REMOVE], ids=['add', 'remove'])
def test_a_cloud_that_is_read_only_is_not_changed(
    cloud: CloudFactory, openstack: Openstack, command: tuple[str, ...]
) -> None:
    c = cloud(**ROOM)
    c.state.add_volume('one')
    policy_of(c, 'weekly')
    openstack(
        *(*command, 'weekly', 'one'),
        config={'vbsclient_read_only': True},
        complains=[re.compile('read-only.*nothing was changed')],
    )
    assert requests(c) == []


def test_block_storage_has_no_policies(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(catalog='volumev3', csbs_catalog=None)
    c.state.add_volume('one')
    openstack(*ADD, 'weekly', 'one', complains=['knows no backup policies'])


# -- what comes of it ------------------------------------------------------


def test_one_that_the_service_refuses_is_a_failure(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**ROOM)
    c.state.add_volume('bad', status='error')
    good = c.state.add_volume('good')
    weekly = policy_of(c, 'weekly')
    rows = openstack(
        *(*ADD, 'weekly', 'bad', 'good', *JSON),
        complains=[
            re.compile('volume bad .*The disk is error .code AutoBackup.0206'),
            '1 of 2 volumes failed to add.',
        ],
    ).json()
    assert [row['Result'] for row in rows] == ['failed', 'added']
    assert weekly.volume_ids == [good.id]


@pytest.mark.parametrize(
    ('told', 'result', 'said'),
    [
        ('failed', 'failed', 'Something went wrong .code AutoBackup.0009'),
        ('coded-success', 'failed', 'Something went wrong'),
        ('nothing', 'unknown', 'does not say what became of this volume'),
    ],
)
@pytest.mark.parametrize('command', [ADD, REMOVE], ids=['add', 'remove'])
def test_whatever_is_not_a_success_is_none(
    cloud: CloudFactory,
    openstack: Openstack,
    command: tuple[str, ...],
    told: str,
    result: str,
    said: str,
) -> None:
    c = cloud(policy_members_failed=1, policy_failures_told=told, **ROOM)
    volumes = [c.state.add_volume(name) for name in ('one', 'two')]
    weekly = policy_of(c, 'weekly', *(volumes if command is REMOVE else ()))
    ran = openstack.run(*command, 'weekly', 'one', 'two', *JSON)
    assert ran.code == 1
    assert re.search(said, ran.stderr)
    assert [row['Result'] for row in ran.json()][1] == result
    assert len(weekly.volume_ids) == 1
    if result == 'unknown':
        [look] = commands_in(ran.stderr)
        assert look == ['vbs', 'backup', 'policy', 'show', weekly.id]


@pytest.mark.parametrize(
    ('command', 'result', 'said'),
    [
        (ADD, 'added', 'or the policy had it before'),
        (REMOVE, 'unknown', 'should have 1 volume fewer, and has 0 fewer'),
    ],
)
def test_a_success_that_no_count_shows_is_said(
    cloud: CloudFactory,
    openstack: Openstack,
    command: tuple[str, ...],
    result: str,
    said: str,
) -> None:
    c = cloud(policy_members_failed=1, policy_failures_told='success', **ROOM)
    volume = c.state.add_volume('one')
    policy_of(c, 'weekly', *([volume] if command is REMOVE else []))
    ran = openstack.run(*command, 'weekly', 'one', *JSON)
    [row] = ran.json()
    assert (row['Result'], ran.code) == (result, int(result == 'unknown'))
    assert said in row['Detail']


@pytest.mark.parametrize('command', [ADD, REMOVE], ids=['add', 'remove'])
@pytest.mark.parametrize('fault', ['reset-after', 'reset-before'])
def test_no_count_proves_a_lost_answer(
    cloud: CloudFactory,
    openstack: Openstack,
    command: tuple[str, ...],
    fault: str,
) -> None:
    c = cloud(**ROOM)
    volumes = [c.state.add_volume(name) for name in ('one', 'two')]
    policy_of(c, 'weekly', *(volumes if command is REMOVE else ()))
    c.knobs.faults.append(Fault(fault, 'POST', 'backuppolicyresources'))
    result = openstack.run(*command, 'weekly', 'one', 'two', *JSON)
    rows = result.json()
    assert result.code == 1
    assert {row['Result'] for row in rows} == {'unknown'}
    change = 2 if fault == 'reset-after' else 0
    for row in rows:
        assert f'has changed by {change}, where it was' in row['Detail']
    assert len(policy_requests(c)) == 1


def test_a_refusal_is_that_of_all(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**ROOM)
    for name in ('one', 'two'):
        c.state.add_volume(name)
    policy_of(c, 'weekly')
    c.knobs.faults.append(
        Fault('status', 'POST', 'backuppolicyresources', status=403)
    )
    rows = openstack(
        *(*ADD, 'weekly', 'one', 'two', *JSON),
        complains=[..., '2 of 2 volumes failed to add.'],
    ).json()
    assert [row['Result'] for row in rows] == ['failed', 'failed']
    assert len(policy_requests(c)) == 1


def test_the_journal_names_the_policy_and_the_volumes(
    cloud: CloudFactory, openstack: Openstack, tmp_path: Path
) -> None:
    c = cloud(**ROOM)
    volume = c.state.add_volume('one')
    weekly = policy_of(c, 'weekly')
    journal = tmp_path / 'journal'
    openstack(*ADD, '--journal', str(journal), 'weekly', 'one')
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [line['event'] for line in lines] == ['request', 'answer']
    for line in lines:
        assert (line['type'], line['id']) == ('policy', weekly.id)
        assert line['action'] == f'add volumes {volume.id}'
