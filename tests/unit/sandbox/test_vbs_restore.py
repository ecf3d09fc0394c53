# SPDX-License-Identifier: Apache-2.0
"""VBS: backups are restored, by the vendor's call and by the native one."""

import contextlib
from typing import Any

import pytest
import requests

from tests.sandbox import Fault
from tests.sandbox.model import Backup, Volume
from tests.sandbox.restoration import INCOMPLETE, REASON
from tests.unit.sandbox.conftest import UNKNOWN, Api, Clock, Cloud

VENDOR = '/vbs/v2/{P}/cloudbackups'
NATIVE = '/vbs/v3/{P}/backups'
BOTH = pytest.mark.parametrize('version', ['v2', 'v3'])


def restore(api: Api, backup: Backup | str, **keys: Any) -> Any:
    """The answer of the vendor's call."""
    backup_id = backup if isinstance(backup, str) else backup.id
    return api.post(f'{VENDOR}/{backup_id}/restore', json={'restore': keys})


def native(api: Api, version: str, backup: Backup, **keys: Any) -> Any:
    path = f'/vbs/{version}/{{P}}/backups/{backup.id}/restore'
    return api.post(path, json={'restore': keys})


def job_of(api: Api, answer: Any) -> Any:
    assert answer.status_code == 200
    assert list(answer.json()) == ['job_id']
    job_id = answer.json()['job_id']
    return api.get(f'/vbs/v1/{{P}}/jobs/{job_id}').json()


def code_of(answer: Any, status: int = 400) -> str:
    assert answer.status_code == status
    return str(answer.json()['error']['code'])


def said(answer: Any, status: int = 400) -> str:
    (fault,) = answer.json().values()
    assert answer.status_code == fault['code'] == status
    return str(fault['message'])


def statuses(api: Api, backup: Backup, volume: Volume) -> tuple[str, str]:
    """Of a backup and of a volume, as the services show them."""
    shown = api.get(f'{NATIVE}/{backup.id}').json()['backup']
    disk = api.get(f'/volume/v3/{{P}}/volumes/{volume.id}').json()['volume']
    return shown['status'], disk['status']


# -- jobs ------------------------------------------------------------------


def test_a_restore_from_its_beginning_to_its_end(
    cloud: Cloud, clock: Clock
) -> None:
    api = cloud(restore_time=100, clock=clock)
    state = api.sandbox.state
    volume, other = state.add_volume(size=7), state.add_volume()
    backup = state.add_backup(volume=volume)
    answer = restore(api, backup, volume_id=volume.id)
    seen = []
    for seconds in (0, 10, 89, 1):
        clock.advance(seconds)
        job = job_of(api, answer)
        seen.append(
            (job['status'], *statuses(api, backup, volume), volume.content)
        )
    assert seen == [
        ('INIT', 'restoring', 'restoring-backup', None),
        ('RUNNING', 'restoring', 'restoring-backup', INCOMPLETE),
        ('RUNNING', 'restoring', 'restoring-backup', INCOMPLETE),
        ('SUCCESS', 'available', 'available', backup.id),
    ]
    assert job['job_type'] == 'bksRestoreBackup'
    assert job['entities']['backup_id'] == backup.id
    assert job['entities']['volume_id'] == volume.id
    assert job['end_time'].endswith('Z')
    assert (job['error_code'], job['fail_reason']) == (None, None)
    assert other.content is None


def test_a_restore_to_another_volume(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    source, target = state.add_volume(size=7), state.add_volume(size=9)
    backup = state.add_backup(volume=source)
    job = job_of(api, restore(api, backup, volume_id=target.id))
    assert (job['status'], job['entities']['volume_id']) == (
        'SUCCESS',
        target.id,
    )
    assert (source.content, target.content) == (None, backup.id)
    assert target.size == 9


def test_an_enlarged_volume_falls_back_to_its_old_size(cloud: Cloud) -> None:
    api = cloud()
    volume = api.sandbox.state.add_volume(size=7)
    backup = api.sandbox.state.add_backup(volume=volume)
    volume.size = 9
    job_of(api, restore(api, backup, volume_id=volume.id))
    assert volume.size == 7


@pytest.mark.parametrize(
    ('outcome', 'left'),
    [
        ('fails', ('available', 'error_restoring')),
        ('breaks', ('error_restoring', 'error_restoring')),
    ],
)
def test_a_restore_that_fails(
    cloud: Cloud, outcome: str, left: tuple[str, str]
) -> None:
    api = cloud(restore=outcome)
    volume = api.sandbox.state.add_volume()
    backup = api.sandbox.state.add_backup(volume=volume)
    job = job_of(api, restore(api, backup, volume_id=volume.id))
    assert job['status'] == 'FAIL'
    assert job['error_code'] == 'VolumeBackup.0200'
    assert job['fail_reason'] == REASON
    assert statuses(api, backup, volume) == left
    assert volume.content == INCOMPLETE


@pytest.mark.parametrize(
    ('outcome', 'job_status', 'left'),
    [
        ('hangs', 'RUNNING', ('restoring', 'restoring-backup')),
        ('never-begins', 'INIT', ('available', 'available')),
    ],
)
def test_a_restore_without_an_end(
    cloud: Cloud,
    clock: Clock,
    outcome: str,
    job_status: str,
    left: tuple[str, str],
) -> None:
    api = cloud(restore=outcome, restore_time=10, clock=clock)
    volume = api.sandbox.state.add_volume()
    backup = api.sandbox.state.add_backup(volume=volume)
    answer = restore(api, backup, volume_id=volume.id)
    clock.advance(10_000)
    assert job_of(api, answer)['status'] == job_status
    assert statuses(api, backup, volume) == left


def test_a_volume_says_what_becomes_of_its_own_restores(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    found = []
    for outcome in ('hangs', None, 'fails'):
        volume = state.add_volume(restore=outcome)
        backup = state.add_backup(volume=volume)
        answer = restore(api, backup, volume_id=volume.id)
        found.append(job_of(api, answer)['status'])
    assert found == ['RUNNING', 'SUCCESS', 'FAIL']


@pytest.mark.parametrize(
    ('outcome', 'status', 'left'),
    [
        ('succeeds', 'SUCCESS', 'available'),
        ('fails', 'FAIL', 'error_restoring'),
    ],
)
def test_a_volume_that_is_busy_for_longer_than_the_job(
    cloud: Cloud, clock: Clock, outcome: str, status: str, left: str
) -> None:
    api = cloud(restore=outcome, restore_lag=30, clock=clock)
    volume = api.sandbox.state.add_volume()
    backup = api.sandbox.state.add_backup(volume=volume)
    answer = restore(api, backup, volume_id=volume.id)
    assert job_of(api, answer)['status'] == status
    seen = []
    for seconds in (0, 29, 1):
        clock.advance(seconds)
        seen.append(statuses(api, backup, volume))
    assert seen == [
        ('available', 'restoring-backup'),
        ('available', 'restoring-backup'),
        ('available', left),
    ]


@pytest.mark.parametrize(
    ('fault', 'begun'),
    [
        (Fault('reset-before', 'POST'), False),
        (Fault('reset-after', 'POST'), True),
        (Fault('status', 'POST', status=504, acts=True), True),
        (Fault('status', 'POST', status=429), False),
    ],
)
def test_answers_that_are_lost(
    cloud: Cloud, fault: Fault, begun: bool
) -> None:
    api = cloud()
    api.sandbox.knobs.faults.append(fault)
    volume = api.sandbox.state.add_volume()
    backup = api.sandbox.state.add_backup(volume=volume)
    with contextlib.suppress(requests.ConnectionError):
        answer = restore(api, backup, volume_id=volume.id)
        assert answer.status_code in (429, 504)
    assert len(api.sandbox.state.jobs) == begun
    assert volume.content == (backup.id if begun else None)


# -- what is refused -------------------------------------------------------


@pytest.mark.parametrize(
    ('keys', 'code'),
    [
        ({}, '0208'),
        ({'volume_id': None}, '0208'),
        ({'volume_id': ''}, '0208'),
        ({'volume_id': 'data'}, '0208'),
        ({'volume_id': 1}, '0208'),
        ({'volume_id': UNKNOWN}, '0207'),
        ({'volume_id': UNKNOWN, 'name': 'x'}, '0210'),
    ],
)
def test_bodies_that_are_refused(
    cloud: Cloud, keys: dict[str, Any], code: str
) -> None:
    api = cloud()
    backup = api.sandbox.state.add_backup()
    assert code_of(restore(api, backup, **keys)) == f'VolumeBackup.{code}'


@pytest.mark.parametrize(
    'body', [None, [], {}, {'restore': []}, {'backup': {}}]
)
def test_bodies_of_another_shape(cloud: Cloud, body: Any) -> None:
    api = cloud()
    backup = api.sandbox.state.add_backup()
    answer = api.post(f'{VENDOR}/{backup.id}/restore', json=body)
    assert code_of(answer) == 'VolumeBackup.0210'


def test_ids_of_backups_that_are_refused(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    keys = {'volume_id': state.add_volume().id}
    other = state.add_project('other')
    theirs = state.add_backup(project_id=other.id)
    assert code_of(restore(api, '', **keys)) == 'VolumeBackup.0203'
    assert code_of(restore(api, 'nightly', **keys)) == 'VolumeBackup.0204'
    for unknown in (UNKNOWN, theirs):
        answer = restore(api, unknown, **keys)
        assert code_of(answer, 404) == 'VolumeBackup.0111'
    state.add_share(theirs, state.project)
    assert code_of(restore(api, theirs, **keys)) == 'VolumeBackup.0089'


@pytest.mark.parametrize(
    ('how', 'code', 'message'),
    [
        ({'status': 'in-use'}, '0205', 'must be available'),
        ({'status': 'restoring-backup'}, '0205', 'must be available'),
        ({'status': 'error'}, '0202', 'must be available'),
        ({'status': 'error_restoring'}, '0202', 'must be available'),
        (
            {'size': 19},
            '0209',
            'volume size 19 is too small to restore backup of size 20.',
        ),
    ],
)
def test_volumes_that_are_refused(
    cloud: Cloud, how: dict[str, Any], code: str, message: str
) -> None:
    api = cloud()
    volume = api.sandbox.state.add_volume(**how)
    backup = api.sandbox.state.add_backup()
    answer = restore(api, backup, volume_id=volume.id)
    assert code_of(answer) == f'VolumeBackup.{code}'
    for version in ('v2', 'v3'):
        text = said(native(api, version, backup, volume_id=volume.id))
        assert text.startswith('Invalid volume: ')
        assert message in text
    assert not api.sandbox.state.jobs


def test_a_volume_that_is_backed_up_or_belongs_to_a_recovery_site(
    cloud: Cloud,
) -> None:
    api = cloud()
    state = api.sandbox.state
    backup = state.add_backup()
    busy, site = state.add_volume(), state.add_volume(replicated=True)
    state.add_backup(volume=busy, status='creating')
    for volume, code in ((busy, '0206'), (site, '0211')):
        for answer in (
            restore(api, backup, volume_id=volume.id),
            native(api, 'v3', backup, volume_id=volume.id),
        ):
            assert code_of(answer) == f'VolumeBackup.{code}'


@pytest.mark.parametrize(
    'status', ['creating', 'restoring', 'deleting', 'error', 'error_restoring']
)
def test_the_status_of_the_backup(cloud: Cloud, status: str) -> None:
    api = cloud()
    volume = api.sandbox.state.add_volume()
    backup = api.sandbox.state.add_backup(status=status)
    answer = restore(api, backup, volume_id=volume.id)
    assert code_of(answer) == 'VolumeBackup.0089'
    assert said(native(api, 'v3', backup, volume_id=volume.id)) == (
        'Invalid backup: Backup status must be available'
    )


def test_one_restore_of_a_volume_at_a_time(cloud: Cloud, clock: Clock) -> None:
    api = cloud(restore_time=10, clock=clock)
    state = api.sandbox.state
    volume = state.add_volume()
    one, other = (state.add_backup(volume=volume) for _ in range(2))
    keys = {'volume_id': volume.id}
    assert restore(api, one, **keys).ok
    assert code_of(restore(api, other, **keys)) == 'VolumeBackup.0205'
    assert code_of(restore(api, one, **keys)) == 'VolumeBackup.0089'
    assert api.delete(f'{NATIVE}/{one.id}').status_code == 400
    clock.advance(10)
    assert restore(api, other, **keys).ok


def test_without_a_worker_nothing_is_restored(cloud: Cloud) -> None:
    api = cloud(backup_worker=False)
    volume = api.sandbox.state.add_volume()
    backup = api.sandbox.state.add_backup(volume=volume)
    for answer in (
        restore(api, backup, volume_id=volume.id),
        native(api, 'v3', backup, volume_id=volume.id),
    ):
        assert 'cinder-backup' in said(answer, 404)


def test_a_role_that_may_not_restore(cloud: Cloud) -> None:
    api = cloud(read_only_role=True)
    volume = api.sandbox.state.add_volume()
    backup = api.sandbox.state.add_backup(volume=volume)
    for answer in (
        restore(api, backup, volume_id=volume.id),
        native(api, 'v2', backup, volume_id=volume.id),
    ):
        assert 'backup:restore' in said(answer, 403)
    assert volume.status == 'available'


@pytest.mark.parametrize('tail', ['', '/', '/restore/', '/restores'])
def test_other_paths_restore_nothing(cloud: Cloud, tail: str) -> None:
    """The bare one deletes."""
    api = cloud()
    volume = api.sandbox.state.add_volume()
    backup = api.sandbox.state.add_backup(volume=volume)
    body = {'restore': {'volume_id': volume.id}}
    answer = api.post(f'{VENDOR}/{backup.id}{tail}', json=body)
    assert answer.ok is (tail == '')
    assert volume.content is None
    assert (backup.id in api.sandbox.state.backups) is (tail != '')


# -- the native calls ------------------------------------------------------


@BOTH
def test_native_restores(cloud: Cloud, clock: Clock, version: str) -> None:
    api = cloud(restore_time=10, clock=clock)
    volume = api.sandbox.state.add_volume('data')
    backup = api.sandbox.state.add_backup(volume=volume)
    answer = native(api, version, backup, volume_id=volume.id)
    assert answer.status_code == 202
    assert answer.json() == {
        'restore': {
            'backup_id': backup.id,
            'volume_id': volume.id,
            'volume_name': 'data',
        }
    }
    seen = []
    for seconds in (0, 5, 5):
        clock.advance(seconds)
        seen.append(statuses(api, backup, volume))
    assert seen == [
        ('restoring', 'restoring-backup'),
        ('restoring', 'restoring-backup'),
        ('available', 'available'),
    ]
    assert volume.content == backup.id
    assert not api.sandbox.state.jobs


def test_a_native_restore_that_fails_hurts_the_volume_alone(
    cloud: Cloud,
) -> None:
    api = cloud(restore='fails')
    volume = api.sandbox.state.add_volume()
    backup = api.sandbox.state.add_backup(volume=volume)
    assert native(api, 'v3', backup, volume_id=volume.id).ok
    assert statuses(api, backup, volume) == ('available', 'error_restoring')


@BOTH
@pytest.mark.parametrize(
    ('keys', 'status'),
    [
        ({}, 400),
        ({'volume_id': None}, 400),
        ({'volume_id': 'data'}, 400),
        ({'volume_id': UNKNOWN}, 404),
        ({'volume_id': UNKNOWN, 'name': 'x'}, 400),
    ],
)
def test_native_bodies_that_are_refused(
    cloud: Cloud, version: str, keys: dict[str, Any], status: int
) -> None:
    """No volume is made: one must be named."""
    api = cloud()
    backup = api.sandbox.state.add_backup()
    before = len(api.sandbox.state.volumes)
    assert said(native(api, version, backup, **keys), status)
    assert len(api.sandbox.state.volumes) == before


def test_native_backups_of_others(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    volume = state.add_volume()
    theirs = state.add_backup(project_id=state.add_project('other').id)
    state.add_share(theirs, state.project)
    answer = native(api, 'v2', theirs, volume_id=volume.id)
    assert 'could not be found' in said(answer, 404)
    api.sandbox.knobs.foreign_rows = True
    assert said(native(api, 'v2', theirs, volume_id=volume.id), 403)
    assert volume.content is None
