# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs backup policy execute``."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.policy_wire import policy_requests
from tests.functional.shell import Openstack
from tests.functional.targets import commands_in
from tests.functional.wire import requests
from tests.sandbox import Fault, Sandbox
from tests.sandbox.volume_policies import VolumePolicy

RUN = ('vbs', 'backup', 'policy', 'execute')
JSON = ('-f', 'json')
REMAINS = 'What this run creates does not expire'
ROOM = {'catalog': 'vbs+volumev3'}

#: A contract with scripts.
KEYS = [
    *('Type', 'ID', 'Volume', 'Volume Name', 'Backup Name', 'Source'),
    *('Result', 'Detail', 'Job', 'Requested At', 'Finished At'),
    'Request ID',
]


def weekly_of(c: Sandbox, *names: str, **changes: Any) -> VolumePolicy:
    """A policy with volumes of these names, and what an older run did."""
    volumes = [c.state.add_volume(name, **changes) for name in names]
    policies = c.state.volume_policies
    weekly = policies.add(c.project_id, 'weekly', *volumes)
    for volume in volumes:
        policies.add_task(weekly, volume.id, 'EXECUTE_FAIL')
    return weekly


def action(policy: VolumePolicy) -> tuple[str, None]:
    return f'POST /vbs/v2/{{P}}/backuppolicy/{policy.id}/action', None


def test_without_wait_there_is_one_row(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**ROOM)
    weekly = weekly_of(c, 'one', 'two')
    result = openstack(*RUN, 'weekly', *JSON, complains=[REMAINS], code=0)
    [row] = result.json()
    assert list(row) == KEYS
    assert (row['Type'], row['Result']) == ('policy', 'accepted')
    assert (row['Volume'], row['Backup Name'], row['Job']) == (None,) * 3
    command = f'openstack vbs backup policy task list {weekly.id}'
    assert command in row['Detail']
    assert policy_requests(c) == [action(weekly)]


def test_with_wait_there_is_a_row_for_each_task(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(creation_time=0.2, **ROOM)
    weekly = weekly_of(c, 'one', 'two')
    rows = openstack(
        *RUN, '--wait', 'weekly', *JSON, complains=[REMAINS], code=0
    ).json()
    assert [list(row) for row in rows] == [KEYS] * 2
    assert {row['Volume Name'] for row in rows} == {'one', 'two'}
    assert [row['Result'] for row in rows] == ['created', 'created']
    for row in rows:
        backup = c.state.backups[row['ID']]
        assert backup.volume_id == row['Volume']
        assert backup.name == row['Backup Name']
        assert row['Job'] in c.state.jobs
        assert row['Finished At']
    assert policy_requests(c) == [action(weekly)]


def test_the_table_has_the_names(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**ROOM)
    weekly_of(c, 'db01-data')
    shown = openstack(*RUN, '--wait', 'weekly', complains=[...], code=0).stdout
    lines = shown.splitlines()
    assert re.findall(r'\w[\w ]*\w', lines[1]) == [
        *('Volume', 'Backup Name', 'Result', 'Job')
    ]
    assert re.match(r'\| db01-data \| autobk_\w{4} +\| created \| ', lines[3])


def test_a_dry_run_executes_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**ROOM)
    weekly_of(c, 'one', 'two')
    [row] = openstack(*RUN, '--dry-run', 'weekly', *JSON).json()
    assert row['Result'] == 'would execute'
    assert row['Detail'] == 'backs up 2 volumes'
    assert policy_requests(c) == []


# -- what is refused -------------------------------------------------------


def test_a_policy_without_volumes_is_refused(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**ROOM)
    weekly_of(c)
    [row] = openstack(
        *(*RUN, 'weekly', *JSON),
        complains=[
            re.compile('has no volumes. .*policy add volume'),
            '1 of 1 policies failed to execute.',
        ],
    ).json()
    assert row['Result'] == 'refused'
    assert policy_requests(c) == []


def test_one_that_is_running_is_not_executed_again(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(creation_time=60, **ROOM)
    weekly_of(c, 'one')
    openstack(*RUN, 'weekly', complains=[...], code=0)
    openstack(
        *(*RUN, 'weekly', *JSON),
        complains=[
            re.compile('running right now.*AutoBackup.0225.*have ended'),
            '1 of 1 policies failed to execute.',
        ],
    )
    assert len(policy_requests(c)) == 2


@pytest.mark.parametrize('name', ['ghost', 'f' * 8])
def test_a_policy_that_is_not_there(
    cloud: CloudFactory, openstack: Openstack, name: str
) -> None:
    c = cloud(**ROOM)
    openstack(*RUN, name, complains=[f"No policy found for '{name}'"])
    assert policy_requests(c) == []


def test_a_cloud_that_is_read_only_executes_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**ROOM)
    weekly_of(c, 'one')
    openstack(
        *(*RUN, 'weekly'),
        config={'vbsclient_read_only': True},
        complains=[re.compile('read-only.*nothing was changed')],
    )
    assert requests(c) == []


# -- what comes of it ------------------------------------------------------


def test_each_end_of_a_task_has_its_row(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(creation_time=0.2, **ROOM)
    weekly = weekly_of(c, 'good', 'skipped', 'late', 'refused')
    for volume in c.state.volume_policies.volumes_of(weekly):
        volume.policy_task = {
            'skipped': 'skips',
            'late': 'times-out',
            'refused': 'fails',
        }.get(volume.name)
    rows = openstack(
        *(*RUN, '--wait', 'weekly', *JSON),
        complains=[
            REMAINS,
            'task of the policy failed (EXECUTE_FAIL): no reason is told',
            '1 of 4 backups failed to create. To try again, run "openstack '
            'vbs backup create"',
        ],
    ).json()
    found = {row['Volume Name']: row for row in rows}
    assert {name: row['Result'] for name, row in found.items()} == {
        'good': 'created',
        'skipped': 'skipped',
        'late': 'created',
        'refused': 'failed',
    }
    assert found['late']['Detail'] == 'its task timed out'
    assert found['late']['ID'] in c.state.backups


def test_the_job_tells_why_a_task_failed(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**ROOM)
    weekly_of(c, 'bad', creation='fails')
    [row] = openstack(
        *(*RUN, '--wait', 'weekly', *JSON),
        complains=[
            REMAINS,
            re.compile(r'\(EXECUTE_FAIL\): .*VolumeBackup.0'),
            '1 of 1 backups failed to create.',
        ],
    ).json()
    assert row['Result'] == 'failed'
    assert row['Job'] in c.state.jobs


def test_a_timeout_whose_backup_is_not_found_is_unknown(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(creation_time=0.2, **ROOM)
    weekly = weekly_of(c, 'late')
    [volume] = c.state.volume_policies.volumes_of(weekly)
    volume.policy_task = 'times-out'
    c.knobs.faults.append(
        Fault(
            'body',
            'GET',
            '/backups/detail',
            body='{"backups": []}',
            times=None,
        )
    )
    result = openstack(
        *(*RUN, '--wait', 'weekly', *JSON),
        complains=[
            REMAINS,
            re.compile('Whether .* is created is unknown: .*timed out'),
            re.compile('^  openstack vbs job show --wait '),
            'The state of 1 of 1 backups is unknown.',
        ],
    )
    assert [row['Result'] for row in result.json()] == ['unknown']


def test_volumes_without_a_task_are_told(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**ROOM)
    weekly = weekly_of(c, 'one', 'two')
    # It is gone between the list of policies and the run.
    [_, gone] = c.state.volume_policies.volumes_of(weekly)
    c.knobs.faults.append(
        Fault(
            'body',
            'GET',
            'backuppolicy$',
            body=json.dumps(
                {
                    'backup_policies': [
                        {
                            'backup_policy_id': weekly.id,
                            'backup_policy_name': 'weekly',
                            'policy_resource_count': 2,
                        }
                    ]
                }
            ),
        )
    )
    del c.state.volumes[gone.id]
    result = openstack(
        *(*RUN, '--wait', 'weekly', *JSON),
        complains=[
            REMAINS,
            re.compile('has no task for 1 of its 2 volumes'),
            f'  openstack vbs backup policy task list {weekly.id}',
            ...,
        ],
        code=1,
    )
    rows = result.json()
    assert [row['Result'] for row in rows] == ['created', 'unknown']


@pytest.mark.parametrize('wait', [(), ('--wait',)], ids=['', 'wait'])
def test_a_lost_answer_is_settled_by_new_tasks(
    cloud: CloudFactory, openstack: Openstack, wait: tuple[str, ...]
) -> None:
    c = cloud(**ROOM)
    weekly = weekly_of(c, 'one')
    c.knobs.faults.append(Fault('reset-after', 'POST', 'action'))
    [row] = openstack(
        *RUN, *wait, 'weekly', *JSON, complains=[REMAINS], code=0
    ).json()
    assert row['Result'] == ('created' if wait else 'accepted')
    assert policy_requests(c) == [action(weekly)]


def test_one_that_was_never_carried_out_is_not_repeated(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**ROOM)
    weekly = weekly_of(c, 'one')
    c.knobs.faults.append(Fault('reset-before', 'POST', 'action'))
    result = openstack(
        *(*RUN, 'weekly', *JSON),
        complains=[
            re.compile('Whether policy weekly .* is executed is unknown'),
            re.compile('^  openstack'),
            'The state of 1 of 1 policies is unknown.',
        ],
    )
    [look] = commands_in(result.stderr)
    assert look == ['vbs', 'backup', 'policy', 'task', 'list', weekly.id]
    assert policy_requests(c) == [action(weekly)]


def test_a_timeout_hands_over_what_shows_the_rest(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(creation_time=60, **ROOM)
    weekly = weekly_of(c, 'one', 'two')
    result = openstack(
        *(*RUN, '--wait', '--timeout', '1', 'weekly', *JSON),
        complains=[
            REMAINS,
            re.compile(
                '^2 of 2 backups are not created yet: one .*, two .*do not '
                'run this command again, .* To see how far that is:$'
            ),
            re.compile('^  openstack'),
        ],
        code=3,
    )
    assert [row['Result'] for row in result.json()] == ['accepted'] * 2
    [look] = commands_in(result.stderr)
    assert look == ['vbs', 'backup', 'policy', 'task', 'list', weekly.id]


def test_the_journal_has_the_policy(
    cloud: CloudFactory, openstack: Openstack, tmp_path: Path
) -> None:
    c = cloud(**ROOM)
    weekly = weekly_of(c, 'one')
    journal = tmp_path / 'journal'
    openstack(
        *(*RUN, '--journal', str(journal), 'weekly'),
        complains=[REMAINS],
        code=0,
    )
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [(one['event'], one['action'], one['id']) for one in lines] == [
        ('request', 'execute', weekly.id),
        ('answer', 'execute', weekly.id),
    ]
