# SPDX-License-Identifier: Apache-2.0
"""VBS: backups are made, by the vendor's call and by the native one."""

import contextlib
import json
from typing import Any

import pytest
import requests

from tests.sandbox import Fault
from tests.sandbox.model import Volume
from tests.unit.sandbox.conftest import UNKNOWN, Api, Clock, Cloud

CREATE = '/vbs/v2/{P}/cloudbackups'
BOTH = pytest.mark.parametrize('version', ['v2', 'v3'])


def create(api: Api, volume: Volume, **keys: Any) -> Any:
    """The answer of the vendor's call; None leaves a key out."""
    body = {'volume_id': volume.id, 'name': 'nightly-1'} | keys
    body = {key: value for key, value in body.items() if value is not None}
    return api.post(CREATE, json={'backup': body})


def job_of(api: Api, answer: Any) -> Any:
    job_id = answer.json()['job_id']
    return api.get(f'/vbs/v1/{{P}}/jobs/{job_id}').json()


def created(api: Api, **keys: Any) -> Any:
    """A backup, as v2 shows it when its job has ended."""
    job = job_of(api, create(api, **keys))
    assert job['status'] == 'SUCCESS'
    path = f'/vbs/v2/{{P}}/backups/{job["entities"]["backup_id"]}'
    return api.get(path).json()['backup']


def code_of(answer: Any) -> str:
    assert answer.status_code == 400
    return str(answer.json()['error']['code'])


# -- jobs ------------------------------------------------------------------


def test_a_job_from_its_beginning_to_its_end(
    cloud: Cloud, clock: Clock
) -> None:
    api = cloud(creation_time=100, clock=clock)
    volume = api.sandbox.state.add_volume(size=7)
    answer = create(api, volume)
    assert (answer.status_code, list(answer.json())) == (200, ['job_id'])
    (backup,) = api.sandbox.state.backups.values()
    seen = []
    for seconds in (0, 10, 89, 1):
        clock.advance(seconds)
        job = job_of(api, answer)
        seen.append((job['status'], backup.status))
        if job['status'] != 'SUCCESS':
            assert 'backup_id' not in job['entities']
            assert job['end_time'] is None
    assert seen == [
        ('INIT', 'creating'),
        ('RUNNING', 'creating'),
        ('RUNNING', 'creating'),
        ('SUCCESS', 'available'),
    ]
    assert job['job_type'] == 'bksCreateBackup'
    assert job['entities'] == {
        'backup_id': backup.id,
        'volume_id': volume.id,
        'snapshot_id': '',
        'bks_create_volume_name': '',
    }
    assert job['begin_time'].endswith('Z')
    assert job['end_time'].endswith('Z')
    assert (job['error_code'], job['fail_reason']) == (None, None)
    assert 'sub_jobs' not in job


def test_a_job_that_fails_answers_200_with_the_reason(cloud: Cloud) -> None:
    api = cloud(creation='fails')
    job = job_of(api, create(api, api.sandbox.state.add_volume()))
    assert job['status'] == 'FAIL'
    assert job['error_code'] == 'VolumeBackup.0064'
    (backup,) = api.sandbox.state.backups.values()
    assert backup.status == 'error'
    assert job['fail_reason'] == backup.fail_reason != ''


def test_a_job_that_hangs(cloud: Cloud, clock: Clock) -> None:
    api = cloud(creation='hangs', creation_time=10, clock=clock)
    answer = create(api, api.sandbox.state.add_volume())
    clock.advance(10_000)
    assert job_of(api, answer)['status'] == 'RUNNING'


def test_a_volume_says_what_becomes_of_its_own_backups(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    answers = [
        create(api, state.add_volume(creation=outcome))
        for outcome in ('hangs', None, 'fails')
    ]
    found = [job_of(api, answer)['status'] for answer in answers]
    assert found == ['RUNNING', 'SUCCESS', 'FAIL']


def test_a_job_has_ended_though_its_backup_is_gone(cloud: Cloud) -> None:
    api = cloud()
    answer = create(api, api.sandbox.state.add_volume())
    (backup,) = api.sandbox.state.backups.values()
    assert api.delete(f'/vbs/v3/{{P}}/backups/{backup.id}').ok
    assert job_of(api, answer)['status'] == 'SUCCESS'


def test_a_job_with_sub_jobs(cloud: Cloud) -> None:
    api = cloud(sub_jobs=True, creation='fails')
    job = job_of(api, create(api, api.sandbox.state.add_volume()))
    (part,) = job.pop('sub_jobs')
    assert part.pop('job_id') != job.pop('job_id')
    assert part == job


def test_jobs_that_are_not_found(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    other = state.add_project('other')
    theirs = state.add_backup(project_id=other.id)
    for job_id in ('f' * 32, state.add_job('bksCreateBackup', theirs).id):
        answer = api.get(f'/vbs/v1/{{P}}/jobs/{job_id}')
        assert answer.status_code == 404
        assert answer.json()['error']['code'] == 'common.0011'


@pytest.mark.parametrize(
    ('fault', 'made'),
    [
        (Fault('reset-before', 'POST'), 0),
        (Fault('reset-after', 'POST'), 1),
        (Fault('status', 'POST', status=504, acts=True), 1),
        (Fault('status', 'POST', status=429), 0),
    ],
)
def test_answers_that_are_lost(cloud: Cloud, fault: Fault, made: int) -> None:
    """Whether a backup was made or not, as with deletions."""
    api = cloud()
    api.sandbox.knobs.faults.append(fault)
    volume = api.sandbox.state.add_volume()
    with contextlib.suppress(requests.ConnectionError):
        assert create(api, volume).status_code in (429, 504)
    assert len(api.sandbox.state.backups) == made
    body = {'backup': {'volume_id': volume.id, 'name': 'nightly-1'}}
    path = CREATE.replace('{P}', api.sandbox.project_id)
    assert api.sandbox.posts() == [(path, body)]


# -- what is made ----------------------------------------------------------


def test_the_backup_that_is_made(cloud: Cloud) -> None:
    api = cloud()
    volume = api.sandbox.state.add_volume(size=7)
    snapshot = api.sandbox.state.add_snapshot(volume)
    shown = created(
        api,
        volume=volume,
        snapshot_id=snapshot.id,
        description='before the upgrade',
        tags=[{'key': 'env', 'value': ''}],
        extend_param={'FullBackup': 'true'},
    )
    assert shown['name'] == 'nightly-1'
    assert shown['size'] == 7
    assert shown['status'] == 'available'
    assert shown['volume_id'] == volume.id
    assert shown['snapshot_id'] == snapshot.id
    assert json.loads(shown['description']) == {
        'DESC': 'before the upgrade',
        'INC': 0,
    }


def test_the_first_is_full_and_the_others_are_incremental(
    cloud: Cloud,
) -> None:
    api = cloud()
    volume = api.sandbox.state.add_volume()

    def incremental(value: str | None) -> bool:
        param = None if value is None else {'FullBackup': value}
        shown = created(api, volume=volume, extend_param=param)
        return bool(shown['is_incremental'])

    assert incremental('false') is False
    assert incremental(None) is True
    assert incremental('true') is False
    assert incremental('false') is True
    assert incremental('') is True


def test_none_builds_on_one_that_failed(cloud: Cloud) -> None:
    api = cloud()
    volume = api.sandbox.state.add_volume()
    api.sandbox.state.add_backup(volume=volume, status='error')
    assert created(api, volume=volume)['is_incremental'] is False


# -- what is refused -------------------------------------------------------


@pytest.mark.parametrize(
    ('keys', 'code'),
    [
        ({'name': 'autobk'}, '0005'),
        ({'name': 'auto'}, '0005'),
        ({'name': ''}, '0007'),
        ({'name': None}, '0007'),
        ({'name': 'a b'}, '0004'),
        ({'name': 'x' * 65}, '0003'),
        ({'name': 1}, '0002'),
        ({'volume_id': None}, '0010'),
        ({'volume_id': ''}, '0010'),
        ({'volume_id': 'data'}, '0011'),
        ({'volume_id': UNKNOWN}, '0021'),
        ({'description': ''}, '0006'),
        ({'description': 'x' * 65}, '0006'),
        ({'description': 'a<b'}, '0006'),
        ({'description': 1}, '0006'),
        ({'snapshot_id': UNKNOWN}, '0020'),
        ({'snapshot_id': 1}, '0002'),
        ({'tags': {}}, '0002'),
        ({'tags': [{'key': 'a'}]}, '0049'),
        ({'tags': [{'key': '', 'value': 'x'}]}, '0049'),
        ({'tags': [{'key': 'a', 'value': None}]}, '0049'),
        ({'tags': [{'key': 'a=', 'value': 'x'}]}, '0049'),
        ({'tags': [{'key': 'a', 'value': 'x' * 44}]}, '0049'),
        ({'tags': [{'key': 'a', 'value': 'x'}] * 2}, '0049'),
        (
            {'tags': [{'key': f'k{n}', 'value': ''} for n in range(11)]},
            '0050',
        ),
        ({'extend_param': {'FullBackup': True}}, '0002'),
        ({'extend_param': {'fullBackup': 'true'}}, '0002'),
        ({'extend_param': 'true'}, '0002'),
        ({'incremental': True}, '0002'),
        ({'force': True}, '0002'),
    ],
)
def test_bodies_that_are_refused(
    cloud: Cloud, keys: dict[str, Any], code: str
) -> None:
    api = cloud()
    answer = create(api, api.sandbox.state.add_volume(), **keys)
    assert code_of(answer) == f'VolumeBackup.{code}'
    assert not api.sandbox.state.backups


@pytest.mark.parametrize('body', [None, [], {}, {'backup': []}, {'x': {}}])
def test_bodies_of_another_shape(cloud: Cloud, body: Any) -> None:
    answer = cloud().post(CREATE, json=body)
    assert code_of(answer) == 'VolumeBackup.0002'


@pytest.mark.parametrize(
    'tag', [{'key': 'a b', 'value': 'é'}, {'key': 'a:b', 'value': ''}]
)
def test_tags_may_have_more_than_letters(
    cloud: Cloud, tag: dict[str, str]
) -> None:
    api = cloud()
    assert create(api, api.sandbox.state.add_volume(), tags=[tag]).ok


@pytest.mark.parametrize(
    ('status', 'code'),
    [('available', None), ('in-use', None), ('error', '0012')],
)
def test_the_status_of_the_volume(
    cloud: Cloud, status: str, code: str | None
) -> None:
    api = cloud()
    answer = create(api, api.sandbox.state.add_volume(status=status))
    assert answer.ok is (code is None)
    if code:
        assert code_of(answer) == f'VolumeBackup.{code}'


def test_a_snapshot_that_failed_or_is_of_another_volume(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    volume = state.add_volume()
    bad = state.add_snapshot(volume, status='error')
    other = state.add_snapshot(state.add_volume())
    for snapshot, code in ((bad, '0062'), (other, '0020')):
        answer = create(api, volume, snapshot_id=snapshot.id)
        assert code_of(answer) == f'VolumeBackup.{code}'


@pytest.mark.parametrize('source', ['vbs', 'csbs'])
def test_one_backup_of_a_volume_at_a_time(cloud: Cloud, source: str) -> None:
    api = cloud()
    volume = api.sandbox.state.add_volume()
    api.sandbox.state.add_backup(
        volume=volume, status='creating', source=source
    )
    assert code_of(create(api, volume)) == 'VolumeBackup.0013'
    assert create(api, api.sandbox.state.add_volume()).ok


def test_twenty_backups_of_a_volume(cloud: Cloud) -> None:
    api = cloud()
    volume = api.sandbox.state.add_volume()
    for _ in range(19):
        api.sandbox.state.add_backup(volume=volume)
    assert create(api, volume).ok
    assert code_of(create(api, volume)) == 'VolumeBackup.0040'


@pytest.mark.parametrize(
    ('knob', 'code'), [('backup_quota', '0080'), ('gigabyte_quota', '0081')]
)
def test_quotas(cloud: Cloud, knob: str, code: str) -> None:
    api = cloud()
    state = api.sandbox.state
    first = create(api, state.add_volume(size=20))
    setattr(api.sandbox.knobs, knob, 2 if knob == 'backup_quota' else 40)
    assert first.ok
    assert create(api, state.add_volume(size=20)).ok
    answer = create(api, state.add_volume(size=20))
    assert code_of(answer) == f'VolumeBackup.{code}'
    rows = api.get(f'{CREATE}/quota').json()['quotas']['resources']
    assert [row['used'] for row in rows] == [2, 40]


def test_a_cloud_that_is_closed_to_new_projects(cloud: Cloud) -> None:
    api = cloud(closed=True)
    volume = api.sandbox.state.add_volume()
    body = {'backup': {'volume_id': volume.id}}
    for answer in (
        create(api, volume),
        api.post('/vbs/v2/{P}/backups', json=body),
        api.post('/vbs/v3/{P}/backups', json=body),
    ):
        assert answer.status_code == 400
        assert answer.json()['error_code'] == 'BackupService.4008'
    assert api.get('/vbs/v2/{P}/backups').ok


def test_a_role_that_may_not_create(cloud: Cloud) -> None:
    api = cloud(read_only_role=True)
    answer = create(api, api.sandbox.state.add_volume())
    assert answer.status_code == 403
    assert 'backup:create' in answer.json()['forbidden']['message']


def test_volumes_of_other_projects(cloud: Cloud) -> None:
    api = cloud()
    theirs = api.sandbox.state.add_volume(project_id='f' * 32)
    assert code_of(create(api, theirs)) == 'VolumeBackup.0021'


def test_a_query_is_refused(cloud: Cloud) -> None:
    assert cloud().post(f'{CREATE}?force=true', json={}).status_code == 400


# -- the native call -------------------------------------------------------


def native(api: Api, version: str, **keys: Any) -> Any:
    return api.post(f'/vbs/{version}/{{P}}/backups', json={'backup': keys})


@BOTH
def test_native(cloud: Cloud, clock: Clock, version: str) -> None:
    api = cloud(creation_time=10, clock=clock)
    volume = api.sandbox.state.add_volume()
    snapshot = api.sandbox.state.add_snapshot(volume)
    answer = native(
        api,
        version,
        volume_id=volume.id,
        snapshot_id=snapshot.id,
        name='nightly-1',
        description='x',
        incremental=True,
        container='here',
    )
    assert answer.status_code == 202
    made = answer.json()['backup']
    assert set(made) == {'id', 'name', 'links'}

    def shown() -> Any:
        path = f'/vbs/{version}/{{P}}/backups/{made["id"]}'
        return api.get(path).json()['backup']

    assert shown()['status'] == 'creating'
    assert shown()['is_incremental'] is False  # the first is full
    clock.advance(10)
    assert shown()['status'] == 'available'


@BOTH
@pytest.mark.parametrize(
    ('keys', 'status', 'said'),
    [
        ({'snapshot_id': None}, 400, 'snapshot_id'),
        ({'volume_id': 'data'}, 400, 'volume_id'),
        ({'volume_id': UNKNOWN}, 404, 'Volume'),
        ({'snapshot_id': UNKNOWN}, 404, 'Snapshot'),
        ({'name': 'autobk'}, 400, 'VolumeBackup.0005'),
        ({'force': 'true'}, 400, 'force'),
        ({'incremental': 1}, 400, 'incremental'),
        ({'metadata': {}}, 400, 'metadata'),
        ({'tags': []}, 400, 'tags'),
        ({'container': 1}, 400, 'container'),
    ],
)
def test_native_bodies_that_are_refused(
    cloud: Cloud, version: str, keys: dict[str, Any], status: int, said: str
) -> None:
    api = cloud()
    volume = api.sandbox.state.add_volume(status='in-use')
    snapshot = api.sandbox.state.add_snapshot(volume)
    body = {'volume_id': volume.id, 'snapshot_id': snapshot.id, 'force': True}
    answer = native(api, version, **(body | keys))
    assert answer.status_code == status
    assert said in answer.text


def test_native_with_force(cloud: Cloud) -> None:
    api = cloud()
    volume = api.sandbox.state.add_volume(status='in-use')
    snapshot = api.sandbox.state.add_snapshot(volume)
    body = {'volume_id': volume.id, 'snapshot_id': snapshot.id}
    answer = native(api, 'v2', **body)
    assert answer.status_code == 400
    assert answer.json()['badRequest']['message'] == (
        'Invalid volume: Backing up an in-use volume must use the force flag.'
    )
    assert native(api, 'v2', **body, force=True).status_code == 202


def test_a_description_is_limited_in_v2_alone(cloud: Cloud) -> None:
    api = cloud()
    found = []
    for version in ('v2', 'v3'):
        volume = api.sandbox.state.add_volume()
        snapshot = api.sandbox.state.add_snapshot(volume)
        answer = native(
            api,
            version,
            volume_id=volume.id,
            snapshot_id=snapshot.id,
            description='x' * 256,
        )
        found.append(answer.status_code)
    assert found == [400, 202]
