# SPDX-License-Identifier: Apache-2.0
"""VBS: policies, their disks and their tasks."""

import json
from collections import Counter
from typing import Any

import pytest

from tests.sandbox import Sandbox
from tests.sandbox.model import Volume
from tests.sandbox.volume_policies import VolumePolicy
from tests.unit.sandbox.conftest import UNKNOWN, Api, Clock, Cloud

POLICIES = '/vbs/v2/{P}/backuppolicy'
RESOURCES = '/vbs/v2/{P}/backuppolicyresources'
SCHEDULE: dict[str, Any] = {
    'start_time': '01:00,13:00',
    'week_frequency': ['MON', 'THU'],
    'rentention_num': 10,
    'remain_first_backup_of_curMonth': 'N',
    'status': 'ON',
}


def body(**changes: Any) -> dict[str, Any]:
    """A body of V23; a key that is None is left out, at both levels."""
    schedule = SCHEDULE | {
        key: changes.pop(key) for key in [*changes] if key in INSIDE
    }
    schedule = {k: v for k, v in schedule.items() if v is not None}
    whole = {'backup_policy_name': 'weekly', 'scheduled_policy': schedule}
    return {k: v for k, v in (whole | changes).items() if v is not None}


INSIDE = (*SCHEDULE, 'frequency', 'rentention_day', 'extra')


def create(api: Api, **changes: Any) -> Any:
    return api.post(POLICIES, json=body(**changes))


def modify(api: Api, policy: VolumePolicy, wanted: Any) -> Any:
    return api('PUT', f'{POLICIES}/{policy.id}', json=wanted)


def listed(api: Api) -> dict[str, Any]:
    """The rows of V26 by their names."""
    rows = api.get(POLICIES).json()['backup_policies']
    return {row['backup_policy_name']: row for row in rows}


def code_of(answer: Any, status: int = 400) -> str:
    assert answer.status_code == status
    code = str(answer.json()['error']['code'])
    return code.removeprefix('AutoBackup.')


def made(
    api: Api, name: str = 'weekly', *volumes: Volume, **schedule: Any
) -> VolumePolicy:
    policies = api.sandbox.state.volume_policies
    return policies.add(api.sandbox.project_id, name, *volumes, **schedule)


def add(api: Api, policy: VolumePolicy, *volumes: Volume) -> Any:
    members = [
        {'resource_id': volume.id, 'resource_type': 'volume'}
        for volume in volumes
    ]
    return api.post(
        RESOURCES, json={'backup_policy_id': policy.id, 'resources': members}
    )


def remove(api: Api, policy: VolumePolicy, *volumes: Volume) -> Any:
    members = [{'resource_id': volume.id} for volume in volumes]
    return api.post(
        f'{RESOURCES}/{policy.id}/deleted_resources',
        json={'resources': members},
    )


def told(answer: Any) -> tuple[list[str], list[str]]:
    """The ids in both lists."""
    assert answer.status_code == 200
    found = answer.json()
    assert set(found) == {'success_resources', 'fail_resources'}
    return (
        [row['resource_id'] for row in found['success_resources']],
        [row['resource_id'] for row in found['fail_resources']],
    )


# -- the list and the default policy ---------------------------------------


def test_each_project_has_a_default_policy(cloud: Cloud) -> None:
    (row,) = api_rows = listed(cloud()).values()
    assert len(api_rows) == 1
    assert row['backup_policy_name'] == 'DefaultPolicy'
    assert row['policy_resource_count'] == 0
    assert row['scheduled_policy']['status'] == 'OFF'


def test_the_list_takes_no_parameters(cloud: Cloud) -> None:
    assert cloud().get(f'{POLICIES}?limit=5').status_code == 400


def test_no_policy_is_shown_alone(cloud: Cloud) -> None:
    api = cloud()
    answer = api.get(f'{POLICIES}/{made(api).id}')
    assert answer.status_code == 405


def test_the_default_policy_can_be_changed_but_not_renamed_or_deleted(
    cloud: Cloud,
) -> None:
    api = cloud()
    policies = api.sandbox.state.volume_policies
    default = policies.default(api.sandbox.project_id)
    renamed = modify(api, default, {'backup_policy_name': 'mine'})
    assert code_of(renamed) == '0100'
    assert code_of(api.delete(f'{POLICIES}/{default.id}')) == '0100'
    same = {'backup_policy_name': 'DefaultPolicy', **body()}
    same['backup_policy_name'] = 'DefaultPolicy'
    assert modify(api, default, same).ok
    assert listed(api)['DefaultPolicy']['scheduled_policy'] == SCHEDULE


def test_the_policies_of_other_projects_are_not_there(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    other = state.add_project('other')
    theirs = state.volume_policies.add(other.id, 'theirs')
    assert list(listed(api)) == ['DefaultPolicy']
    answer = api.delete(f'{POLICIES}/{theirs.id}')
    assert code_of(answer, 404) == '0205'


# -- creating --------------------------------------------------------------


def test_a_policy_that_is_created(cloud: Cloud) -> None:
    api = cloud()
    tags = [{'key': 'team', 'value': 'db'}]
    answer = create(api, tags=tags, time_zone='UTC+02:00')
    assert answer.status_code == 200
    assert list(answer.json()) == ['backup_policy_id']
    # Tags are not shown.
    assert listed(api)['weekly'] == {
        'backup_policy_id': answer.json()['backup_policy_id'],
        'backup_policy_name': 'weekly',
        'scheduled_policy': SCHEDULE,
        'time_zone': 'UTC+02:00',
        'policy_resource_count': 0,
    }


@pytest.mark.parametrize(
    ('given', 'kept', 'lost'),
    [
        ({'frequency': 3}, 'frequency', 'week_frequency'),
        ({'rentention_day': 30}, 'rentention_num', 'rentention_day'),
    ],
)
def test_of_two_that_exclude_each_other_one_wins(
    cloud: Cloud, given: Any, kept: str, lost: str
) -> None:
    api = cloud()
    assert create(api, **given).ok
    schedule = listed(api)['weekly']['scheduled_policy']
    assert kept in schedule
    assert lost not in schedule


def test_fractions_of_days_are_rounded_down(cloud: Cloud) -> None:
    api = cloud()
    assert create(api, rentention_num=None, rentention_day=7.9).ok
    schedule = listed(api)['weekly']['scheduled_policy']
    assert schedule['rentention_day'] == 7


@pytest.mark.parametrize(
    'changes',
    [
        {'week_frequency': None, 'frequency': 30},
        {'rentention_num': 99},
        {'rentention_num': None, 'rentention_day': 99999},
        {'remain_first_backup_of_curMonth': None},
        {'status': 'OFF'},
        {'start_time': ','.join(f'{hour:02}:00' for hour in range(24))},
        # At midnight, two and four o'clock of UTC+2.
        {'start_time': '22:00,00:00,02:00', 'time_zone': 'UTC+02:00'},
        {'start_time': '22:00,00:00,02:00'},
        {'start_time': '19:00,18:00', 'time_zone': 'UTC+05:30'},
        {'start_time': '13:00,01:00', 'time_zone': 'UTC-03:30'},
        {'backup_policy_name': 'x' * 64},
        {'backup_policy_name': 'a_-9'},
        {'tags': []},
    ],
)
def test_what_is_allowed(cloud: Cloud, changes: dict[str, Any]) -> None:
    assert create(cloud(), **changes).status_code == 200


@pytest.mark.parametrize(
    ('changes', 'code'),
    [
        ({'backup_policy_name': None}, '0101'),
        ({'backup_policy_name': ''}, '0101'),
        ({'backup_policy_name': 'x' * 65}, '0101'),
        ({'backup_policy_name': 5}, '0102'),
        ({'backup_policy_name': 'a b'}, '0102'),
        ({'backup_policy_name': 'ä'}, '0102'),
        ({'backup_policy_name': 'default'}, '0102'),
        ({'backup_policy_name': 'default-2'}, '0102'),
        ({'backup_policy_name': 'a<b'}, '0221'),
        ({'scheduled_policy': None}, '0001'),
        ({'scheduled_policy': {}}, '0001'),
        ({'scheduled_policy': []}, '0001'),
        ({'start_time': None}, '0103'),
        ({'start_time': ''}, '0103'),
        ({'start_time': '01:30'}, '0103'),
        ({'start_time': '1:00'}, '0103'),
        ({'start_time': '24:00'}, '0103'),
        ({'start_time': '01:00, 13:00'}, '0103'),
        ({'start_time': ['01:00']}, '0103'),
        ({'start_time': '13:00,13:00'}, '0103'),
        ({'start_time': '01:00,05:00,03:00'}, '0103'),
        ({'start_time': '00:00,22:00', 'time_zone': 'UTC+02:00'}, '0103'),
        ({'start_time': ','.join(['00:00'] * 25)}, '0103'),
        ({'week_frequency': None}, '0106'),
        ({'week_frequency': []}, '0106'),
        ({'week_frequency': 'MON'}, '0106'),
        ({'week_frequency': ['mon']}, '0106'),
        ({'week_frequency': ['MON', 'MON']}, '0106'),
        ({'frequency': 0}, '0106'),
        ({'frequency': 31}, '0106'),
        ({'frequency': '1'}, '0106'),
        ({'frequency': True}, '0106'),
        ({'rentention_num': None}, '0107'),
        ({'rentention_num': 1}, '0107'),
        ({'rentention_num': 100}, '0107'),
        ({'rentention_num': '10'}, '0107'),
        ({'rentention_num': None, 'rentention_day': 1.9}, '0107'),
        ({'rentention_num': None, 'rentention_day': 100000}, '0107'),
        ({'rentention_num': None, 'rentention_day': True}, '0107'),
        ({'remain_first_backup_of_curMonth': True}, '0105'),
        ({'status': None}, '0104'),
        ({'status': 'on'}, '0104'),
        ({'status': True}, '0104'),
        ({'time_zone': 'Europe/Berlin'}, '0226'),
        ({'time_zone': 'UTC+2'}, '0226'),
        ({'time_zone': 'UTC+15:00'}, '0226'),
        ({'time_zone': 'UTC02:00'}, '0226'),
        ({'time_zone': 2}, '0226'),
        ({'tags': {}}, '0214'),
        ({'tags': [{'key': 'a'}]}, '0214'),
        ({'tags': [{'key': 'a b', 'value': ''}]}, '0214'),
        ({'tags': [{'key': 'a', 'value': ''}] * 2}, '0214'),
        (
            {'tags': [{'key': f'k{n}', 'value': ''} for n in range(11)]},
            '0215',
        ),
        ({'extra': 1}, '0008'),
        ({'backup_policy_id': UNKNOWN}, '0008'),
        ({'policy_resource_count': 0}, '0008'),
    ],
)
def test_bodies_that_are_refused(
    cloud: Cloud, changes: dict[str, Any], code: str
) -> None:
    api = cloud()
    assert code_of(create(api, **changes)) == code
    assert list(listed(api)) == ['DefaultPolicy']


@pytest.mark.parametrize(
    ('text', 'code'),
    [(b'', '0000'), (b'{', '0008'), (b'[]', '0008'), (b'{}', '0001')],
)
def test_bodies_of_another_shape(cloud: Cloud, text: bytes, code: str) -> None:
    assert code_of(cloud().post(POLICIES, data=text)) == code


def test_too_many_policies(cloud: Cloud) -> None:
    api = cloud(policy_quota=3)
    # The default policy is one of them.
    assert create(api).ok
    assert create(api).ok
    assert code_of(create(api)) == '0203'


# -- modifying -------------------------------------------------------------


def test_what_is_left_out_stays(cloud: Cloud) -> None:
    api = cloud()
    policy = made(api, time_zone='UTC+01:00')
    before = listed(api)['weekly']
    answer = modify(api, policy, {'scheduled_policy': {'status': 'OFF'}})
    assert answer.status_code == 200
    assert answer.json() == {'backup_policy_id': policy.id}
    before['scheduled_policy']['status'] = 'OFF'
    assert listed(api)['weekly'] == before
    assert modify(api, policy, {'backup_policy_name': 'other'}).ok
    assert listed(api) == {
        'DefaultPolicy': listed(api)['DefaultPolicy'],
        'other': before | {'backup_policy_name': 'other'},
    }


def test_another_schedule_takes_the_place_of_the_one_before(
    cloud: Cloud,
) -> None:
    api = cloud()
    policy = made(api, frequency=1)
    wanted = {'week_frequency': ['SUN'], 'rentention_day': 14}
    assert modify(api, policy, {'scheduled_policy': wanted}).ok
    schedule = listed(api)['weekly']['scheduled_policy']
    assert schedule == {
        'start_time': '12:00',
        'remain_first_backup_of_curMonth': 'N',
        'status': 'ON',
        **wanted,
    }


@pytest.mark.parametrize(
    ('wanted', 'code'),
    [
        ({}, '0001'),
        ({'scheduled_policy': {}}, '0001'),
        # One of the two is needed.
        ({'scheduled_policy': {'start_time': '01:00'}}, '0106'),
        # Narrower than at the creation.
        ({'scheduled_policy': {'frequency': 15}}, '0106'),
        ({'scheduled_policy': {'frequency': 1, 'rentention_num': 15}}, '0107'),
        ({'tags': []}, '0008'),
        ({'policy_resource_count': 0}, '0008'),
        ({'backup_policy_name': 'default'}, '0102'),
        ({'time_zone': 'CET'}, '0226'),
        ({'scheduled_policy': {'frequency': 1, 'extra': 1}}, '0008'),
    ],
)
def test_changes_that_are_refused(
    cloud: Cloud, wanted: Any, code: str
) -> None:
    api = cloud()
    policy = made(api)
    before = listed(api)
    assert code_of(modify(api, policy, wanted)) == code
    assert listed(api) == before


def test_fields_that_nobody_knows_stay(cloud: Cloud) -> None:
    api = cloud()
    policy = made(api, extra={'x_new': [1]}, x_inside={'a': 'b'})
    assert modify(api, policy, {'backup_policy_name': 'other'}).ok
    row = listed(api)['other']
    assert (row['x_new'], row['scheduled_policy']['x_inside']) == (
        [1],
        {'a': 'b'},
    )
    # They are taken back, too.
    sent = {
        'x_new': [1],
        'scheduled_policy': row['scheduled_policy'],
    }
    assert modify(api, policy, sent).ok
    assert listed(api)['other'] == row
    assert code_of(modify(api, policy, {'x_other': 1})) == '0008'


def test_a_policy_that_is_not_there(cloud: Cloud) -> None:
    api = cloud()
    path = f'{POLICIES}/{UNKNOWN}'
    volume = api.sandbox.state.add_volume()
    members = [{'resource_id': volume.id}]
    for answer in (
        api('PUT', path, json=body()),
        api.delete(path),
        api.post(f'{path}/action'),
        api.get(f'{path}/backuptasks'),
        api.post(
            f'{RESOURCES}/{UNKNOWN}/deleted_resources',
            json={'resources': members},
        ),
        api.post(
            RESOURCES,
            json={
                'backup_policy_id': UNKNOWN,
                'resources': [{**members[0], 'resource_type': 'volume'}],
            },
        ),
    ):
        assert code_of(answer, 404) == '0205'


# -- deleting --------------------------------------------------------------


def test_backups_outlive_their_policy(cloud: Cloud) -> None:
    api = cloud()
    volume = api.sandbox.state.add_volume()
    policy = made(api, 'weekly', volume)
    backup = api.sandbox.state.add_backup('autobk_1e2f', volume)
    answer = api.delete(f'{POLICIES}/{policy.id}')
    assert (answer.status_code, answer.content) == (204, b'')
    assert list(listed(api)) == ['DefaultPolicy']
    assert backup.id in api.sandbox.state.backups
    assert api.sandbox.state.volume_policies.policy_of(volume) is None


def test_no_id(cloud: Cloud) -> None:
    api = cloud()
    made(api)
    assert code_of(api.delete(f'{POLICIES}/')) == '0006'
    assert code_of(api('PUT', f'{POLICIES}/', json=body())) == '0006'
    assert api.delete(POLICIES).status_code == 405
    assert len(listed(api)) == 2


def test_what_is_left_of_a_longer_path_deletes(cloud: Cloud) -> None:
    """As the path of a tag does whose key is dots."""
    api = cloud()
    policy = made(api)
    assert api.delete(f'{POLICIES}/{policy.id}/').status_code == 204
    assert list(listed(api)) == ['DefaultPolicy']


# -- disks -----------------------------------------------------------------


def test_disks_join_and_leave(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    one, two = state.add_volume(), state.add_volume(status='in-use')
    policy = made(api)
    answer = add(api, policy, one, two)
    assert told(answer) == ([one.id, two.id], [])
    assert answer.json()['success_resources'][0] == {
        'resource_id': one.id,
        'resource_type': 'volume',
        'availability_zone': one.availability_zone,
        'os_vol_host_attr': 'pod01.fc.internal#SATA',
    }
    assert listed(api)['weekly']['policy_resource_count'] == 2
    assert told(remove(api, policy, one)) == ([one.id], [])
    assert listed(api)['weekly']['policy_resource_count'] == 1
    # Once more changes nothing, or fails.
    assert told(add(api, policy, two)) == ([two.id], [])
    answer = remove(api, policy, one)
    assert told(answer) == ([], [one.id])
    (failed,) = answer.json()['fail_resources']
    assert failed['code'] == 'AutoBackup.1400'


def test_a_disk_leaves_the_other_policy_silently(cloud: Cloud) -> None:
    api = cloud()
    volume = api.sandbox.state.add_volume()
    first, second = made(api, 'first', volume), made(api, 'second')
    assert told(add(api, second, volume)) == ([volume.id], [])
    counts = {
        name: row['policy_resource_count'] for name, row in listed(api).items()
    }
    assert counts == {'DefaultPolicy': 0, 'first': 0, 'second': 1}
    assert first.volume_ids == []
    assert api.sandbox.state.volume_policies.policy_of(volume) is second


@pytest.mark.parametrize(
    'status',
    [
        *('error', 'error_extending', 'error_restoring', 'error_deleting'),
        *('error_rollbacking', 'awaiting-transfer'),
    ],
)
def test_statuses_that_forbid_it(cloud: Cloud, status: str) -> None:
    api = cloud()
    state = api.sandbox.state
    good, bad = state.add_volume(), state.add_volume(status=status)
    answer = add(api, made(api), bad, good)
    assert told(answer) == ([good.id], [bad.id])
    (failed,) = answer.json()['fail_resources']
    assert failed['code'] == 'AutoBackup.0206'
    assert status in failed['message']


def test_disks_that_are_not_there(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    other = state.add_project('other')
    theirs = state.add_volume(project_id=other.id)
    answer = add(api, made(api), theirs)
    # All have failed, and the answer is a success.
    assert told(answer) == ([], [theirs.id])
    (failed,) = answer.json()['fail_resources']
    assert failed['code'] == 'AutoBackup.0208'


@pytest.mark.parametrize(
    ('resources', 'code'),
    [
        (None, '0207'),
        ([], '0207'),
        ({}, '0207'),
        (['x'], '1400'),
        ([{'resource_id': UNKNOWN}], '1400'),
        ([{'resource_id': '', 'resource_type': 'volume'}], '0209'),
        ([{'resource_id': None, 'resource_type': 'volume'}], '0209'),
        ([{'resource_id': 'data', 'resource_type': 'volume'}], '1400'),
        ([{'resource_id': UNKNOWN, 'resource_type': 'server'}], '0211'),
        ([{'resource_id': UNKNOWN, 'resource_type': 'volume'}] * 2, '1400'),
        (
            [
                {
                    'resource_id': UNKNOWN,
                    'resource_type': 'volume',
                    'resource_name': 'x',
                }
            ],
            '1400',
        ),
    ],
)
def test_resources_that_are_refused(
    cloud: Cloud, resources: Any, code: str
) -> None:
    api = cloud()
    wanted = {'backup_policy_id': made(api).id, 'resources': resources}
    assert code_of(api.post(RESOURCES, json=wanted)) == code


@pytest.mark.parametrize(
    ('wanted', 'code'),
    [
        ({'resources': []}, '0207'),
        ({'resources': [{'resource_id': ''}]}, '0209'),
        (
            {'resources': [{'resource_id': UNKNOWN, 'resource_type': 'v'}]},
            '1400',
        ),
        ({'resources': [], 'backup_policy_id': UNKNOWN}, '0008'),
    ],
)
def test_resources_that_cannot_leave(
    cloud: Cloud, wanted: Any, code: str
) -> None:
    api = cloud()
    path = f'{RESOURCES}/{made(api).id}/deleted_resources'
    assert code_of(api.post(path, json=wanted)) == code


def test_no_policy_is_named(cloud: Cloud) -> None:
    api = cloud()
    volume = api.sandbox.state.add_volume()
    members = [{'resource_id': volume.id, 'resource_type': 'volume'}]
    for id in ('', None):
        wanted = {'backup_policy_id': id, 'resources': members}
        assert code_of(api.post(RESOURCES, json=wanted)) == '0006'


@pytest.mark.parametrize(
    ('told_as', 'succeeded', 'failed'),
    [
        ('failed', 1, 1),
        ('coded-success', 2, 0),
        ('success', 2, 0),
        ('nothing', 1, 0),
    ],
)
def test_members_that_fail(
    cloud: Cloud, told_as: str, succeeded: int, failed: int
) -> None:
    api = cloud(policy_members_failed=1, policy_failures_told=told_as)
    state = api.sandbox.state
    volumes = [state.add_volume(), state.add_volume()]
    policy = made(api)
    answer = add(api, policy, *volumes)
    assert [len(ids) for ids in told(answer)] == [succeeded, failed]
    has_code = 'AutoBackup.0009' in answer.text
    assert has_code is (told_as in ('failed', 'coded-success'))
    assert policy.volume_ids == [volumes[0].id]
    state.volume_policies.associate(policy, volumes[1].id)
    answer = remove(api, policy, *volumes)
    assert [len(ids) for ids in told(answer)] == [succeeded, failed]
    assert policy.volume_ids == [volumes[1].id]


# -- running ---------------------------------------------------------------


def execute(api: Api, policy: VolumePolicy) -> Any:
    return api.post(f'{POLICIES}/{policy.id}/action')


def tasks(api: Api, policy: VolumePolicy, query: str = '') -> Any:
    answer = api.get(f'{POLICIES}/{policy.id}/backuptasks{query}')
    assert answer.status_code == 200
    return answer.json()['tasks']


def job_of(api: Api, task: Any) -> Any:
    return api.get(f'/vbs/v1/{{P}}/jobs/{task["vbs_job_id"]}').json()


def test_a_task_from_its_beginning_to_its_end(
    cloud: Cloud, clock: Clock
) -> None:
    api = cloud(creation_time=100, clock=clock)
    volume = api.sandbox.state.add_volume('data')
    policy = made(api, 'weekly', volume, status='OFF')
    answer = execute(api, policy)
    assert (answer.status_code, answer.content) == (204, b'')
    seen = []
    for seconds in (0, 9, 1, 99, 1):
        clock.advance(seconds)
        (task,) = tasks(api, policy)
        seen.append(task['status'])
        assert ('finished_at' in task) is (seconds == 1 and len(seen) > 3)
    assert seen == [
        *('WAITING', 'WAITING', 'RUNNING', 'RUNNING', 'EXECUTE_SUCCESS')
    ]
    (backup,) = api.sandbox.state.backups.values()
    assert backup.name == task['backup_name']
    assert backup.name is not None
    assert backup.name.startswith('autobk_')
    assert (backup.volume_id, backup.status) == (volume.id, 'available')
    assert (task['resource_id'], task['resource_type']) == (
        volume.id,
        'volume',
    )
    # Three decimals, and no zone.
    assert len(task['created_at']) == len('2026-11-14T02:00:00.000')
    job = job_of(api, task)
    assert job['status'] == 'SUCCESS'
    assert job['entities']['backup_id'] == backup.id


def test_a_policy_runs_once_at_a_time(cloud: Cloud, clock: Clock) -> None:
    api = cloud(creation_time=100, clock=clock)
    policy = made(api, 'weekly', api.sandbox.state.add_volume())
    assert execute(api, policy).ok
    assert code_of(execute(api, policy)) == '0225'
    for _ in ('the queue', 'the work'):
        clock.advance(100)
        assert tasks(api, policy)
    assert execute(api, policy).ok


def test_a_policy_without_disks(cloud: Cloud) -> None:
    api = cloud()
    assert code_of(execute(api, made(api))) == '1700'


def test_it_takes_no_body(cloud: Cloud) -> None:
    api = cloud()
    policy = made(api, 'weekly', api.sandbox.state.add_volume())
    path = f'{POLICIES}/{policy.id}/action'
    assert code_of(api.post(path, json={})) == '0008'
    assert tasks(api, policy) == []


@pytest.mark.parametrize(
    ('outcome', 'status', 'backups'),
    [
        ('fails', 'EXECUTE_FAIL', []),
        ('skips', 'SKIP', []),
        ('times-out', 'EXECUTE_TIMEOUT', ['available']),
        ('succeeds', 'EXECUTE_SUCCESS', ['available']),
    ],
)
def test_what_becomes_of_tasks(
    cloud: Cloud, outcome: str, status: str, backups: list[str]
) -> None:
    api = cloud(policy_tasks=outcome)
    policy = made(api, 'weekly', api.sandbox.state.add_volume())
    assert execute(api, policy).ok
    (task,) = tasks(api, policy)
    assert task['status'] == status
    assert 'finished_at' in task
    assert bool(task['vbs_job_id']) is bool(backups)
    found = api.sandbox.state.backups.values()
    assert [backup.status for backup in found] == backups


def test_a_disk_says_what_becomes_of_its_own_tasks(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    volumes = [state.add_volume() for _ in range(3)]
    volumes[0].policy_task = 'skips'
    volumes.append(state.add_volume(creation='fails'))
    volumes.append(state.add_volume(creation='hangs'))
    volumes.append(state.add_volume(status='error'))
    state.add_backup(volume=volumes[1], status='creating')
    policy = made(api, 'weekly', *volumes)
    assert execute(api, policy).ok
    found = {task['resource_id']: task for task in tasks(api, policy)}
    assert [found[volume.id]['status'] for volume in volumes] == [
        'SKIP',
        # A backup of it is being made.
        'EXECUTE_FAIL',
        'EXECUTE_SUCCESS',
        'EXECUTE_FAIL',
        'RUNNING',
        'EXECUTE_FAIL',
    ]
    job = job_of(api, found[volumes[3].id])
    assert (job['status'], job['error_code']) == ('FAIL', 'VolumeBackup.0064')


def test_pages_of_tasks(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    volume = state.add_volume()
    policy = made(api, 'weekly', volume)
    ids = [
        state.volume_policies.add_task(policy, volume.id, 'SKIP').id
        for _ in range(25)
    ]
    ids.reverse()

    def page(query: str = '') -> list[str]:
        return [task['job_id'] for task in tasks(api, policy, query)]

    assert page() == ids[:20]
    assert page('?offset=20') == ids[20:]
    assert page('?limit=2&offset=1') == ids[1:3]
    assert page(f'?limit=2&marker={ids[3]}') == ids[4:6]
    assert page(f'?limit=2&offset=1&marker={ids[3]}') == ids[5:7]
    assert page('?sort_dir=asc&sort_key=created_at&limit=1') == ids[-1:]
    assert page(f'?job_id={ids[9]}') == [ids[9]]
    assert page('?limit=1000') == ids
    path = f'{POLICIES}/{policy.id}/backuptasks?limit=1'
    assert api.get(path).json()['count'] == 25


def test_tasks_of_one_status(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    volume = state.add_volume()
    policy = made(api, 'weekly', volume)
    for status in ('SKIP', 'RUNNING', 'SKIP'):
        state.volume_policies.add_task(policy, volume.id, status)
    found = tasks(api, policy, '?status=SKIP')
    assert [task['status'] for task in found] == ['SKIP', 'SKIP']


@pytest.mark.parametrize(
    'query',
    [
        *('limit=0', 'limit=x', 'offset=-1', 'status=DONE', 'sort_dir=up'),
        *('sort_key=status', f'marker={UNKNOWN}', 'name=x', 'job_id='),
    ],
)
def test_queries_that_are_refused(cloud: Cloud, query: str) -> None:
    api = cloud()
    path = f'{POLICIES}/{made(api).id}/backuptasks?{query}'
    assert api.get(path).status_code == 400


# -- services that are not as one would like -------------------------------


def test_a_list_without_time_zones(cloud: Cloud) -> None:
    api = cloud(policy_time_zone=False)
    assert create(api, time_zone='UTC+02:00').ok
    assert 'time_zone' not in listed(api)['weekly']
    api.sandbox.knobs.policy_time_zone = True
    assert listed(api)['weekly']['time_zone'] == 'UTC+02:00'


def test_keys_with_blanks(cloud: Cloud) -> None:
    api = cloud(policy_blank_keys=True)
    (row,) = api.get(POLICIES).json()['backup_policies']
    assert 'backup_policy_name ' in row
    assert 'status ' in row['scheduled_policy ']
    assert all(key.endswith(' ') for key in row)


def test_fields_that_get_lost(cloud: Cloud) -> None:
    api = cloud(policy_put_drops=('time_zone', 'x_inside'))
    policy = made(api, time_zone='UTC+02:00', x_inside=1, x_other=2)
    sent = {'time_zone': 'UTC+02:00', 'scheduled_policy': policy.schedule}
    assert modify(api, policy, sent).ok
    row = listed(api)['weekly']
    assert 'time_zone' not in row
    assert 'x_inside' not in row['scheduled_policy']
    assert row['scheduled_policy']['x_other'] == 2


def test_a_put_that_replaces_the_whole(cloud: Cloud) -> None:
    api = cloud(policy_put_replaces=True)
    policy = made(api, time_zone='UTC+02:00', extra={'x_new': 1}, x_inside=1)
    switched = {'scheduled_policy': {'status': 'OFF'}, 'x_new': 1}
    assert modify(api, policy, switched).ok
    row = listed(api)['weekly']
    assert ('time_zone' in row, row['x_new']) == (False, 1)
    assert row['scheduled_policy']['x_inside'] == 1
    whole = {'scheduled_policy': SCHEDULE}
    assert modify(api, policy, whole).ok
    row = listed(api)['weekly']
    assert 'x_new' not in row
    assert row['scheduled_policy'] == SCHEDULE


def test_a_field_that_nobody_asked_to_change(cloud: Cloud) -> None:
    api = cloud(policy_put_resets={'rentention_num': 7, 'x_new': 'x'})
    policy = made(api, rentention_num=9)
    assert modify(api, policy, {'backup_policy_name': 'other'}).ok
    row = listed(api)['other']
    assert row['scheduled_policy']['rentention_num'] == 7
    assert row['x_new'] == 'x'


def test_a_list_that_lags(cloud: Cloud, clock: Clock) -> None:
    api = cloud(policy_list_lag=10, clock=clock)
    volume = api.sandbox.state.add_volume()
    policy = made(api)
    assert list(listed(api)) == ['DefaultPolicy', 'weekly']
    clock.advance(100)
    assert add(api, policy, volume).ok
    assert listed(api)['weekly']['policy_resource_count'] == 0
    clock.advance(5)
    assert api.delete(f'{POLICIES}/{policy.id}').ok
    assert listed(api)['weekly']['policy_resource_count'] == 0
    clock.advance(5)
    assert listed(api)['weekly']['policy_resource_count'] == 1
    clock.advance(5)
    assert 'weekly' not in listed(api)


def test_who_may_only_read(cloud: Cloud) -> None:
    api = cloud(read_only_role=True)
    volume = api.sandbox.state.add_volume()
    policy = made(api, 'weekly', volume)
    for answer in (
        create(api),
        modify(api, policy, body()),
        api.delete(f'{POLICIES}/{policy.id}'),
        add(api, policy, volume),
        remove(api, policy, volume),
        execute(api, policy),
    ):
        assert answer.status_code == 403
    assert listed(api)['weekly']['policy_resource_count'] == 1


def test_a_cloud_that_is_closed_to_new_projects(cloud: Cloud) -> None:
    answer = create(cloud(closed=True))
    assert answer.json()['error_code'] == 'BackupService.4008'


def test_the_policies_of_the_seed() -> None:
    with Sandbox().seed() as sandbox:
        api = Api(sandbox)
        rows = listed(api)
        assert list(rows) == ['DefaultPolicy', 'twice-a-week', 'nightly-db']
        assert rows['nightly-db']['policy_resource_count'] == 1
        policies = sandbox.state.volume_policies
        by_name = {
            policy.name: policy
            for policy in policies.of_project(sandbox.project_id).values()
        }
        found = tasks(api, by_name['nightly-db'])
        names = Counter(
            backup.name for backup in sandbox.state.backups.values()
        )
        assert len(found) == 7
        assert all(names[task['backup_name']] for task in found)
        assert json.dumps(rows)
        api.session.close()
