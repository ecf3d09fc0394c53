# SPDX-License-Identifier: Apache-2.0
"""Block storage makes backups as Cinder does; disks and snapshots."""

import json
from typing import Any

import pytest

from tests.unit.sandbox.conftest import UNKNOWN, Api, Clock, Cloud

BASE = '/volume/v3/{P}'


def create(api: Api, volume_id: str, **keys: Any) -> Any:
    body = {'backup': {'volume_id': volume_id} | keys}
    return api.post(f'{BASE}/backups', json=body)


def shown(api: Api, answer: Any) -> Any:
    assert answer.status_code == 202
    backup_id = answer.json()['backup']['id']
    return api.get(f'{BASE}/backups/{backup_id}').json()['backup']


def said(answer: Any, status: int = 400) -> str:
    (fault,) = answer.json().values()
    assert answer.status_code == fault['code'] == status
    return str(fault['message'])


@pytest.fixture
def api(cloud: Cloud) -> Api:
    return cloud(catalog='volumev3')


# -- backups ---------------------------------------------------------------


def test_a_backup_and_its_volume_meanwhile(cloud: Cloud, clock: Clock) -> None:
    api = cloud(catalog='volumev3', creation_time=10, clock=clock)
    server = api.sandbox.state.add_server('web01')
    (volume,) = server.volumes
    answer = create(
        api, volume.id, name='nightly', description='x', force=True
    )
    made = answer.json()['backup']
    assert set(made) == {'id', 'name', 'links'}
    assert made['links'][0]['href'].startswith(api.sandbox.url)
    assert shown(api, answer)['status'] == 'creating'
    assert 'current status is "backing-up"' in said(create(api, volume.id))
    clock.advance(10)
    found = shown(api, answer)
    assert (found['status'], found['description']) == ('available', 'x')
    assert found['is_incremental'] is False
    assert volume.status == 'in-use'


def test_a_backup_without_a_name(api: Api) -> None:
    volume = api.sandbox.state.add_volume()
    assert shown(api, create(api, volume.id))['name'] is None
    assert api.get(f'{BASE}/backups?name=x').json()['backups'] == []


def test_a_backup_that_fails(cloud: Cloud) -> None:
    api = cloud(catalog='volumev3', creation='fails')
    volume = api.sandbox.state.add_volume()
    found = shown(api, create(api, volume.id))
    assert found['status'] == 'error'
    assert found['fail_reason']
    assert api.sandbox.state.volumes[volume.id].status == 'available'


def test_a_backup_that_hangs(cloud: Cloud, clock: Clock) -> None:
    api = cloud(catalog='volumev3', creation='hangs', clock=clock)
    volume = api.sandbox.state.add_volume()
    answer = create(api, volume.id)
    clock.advance(10_000)
    assert shown(api, answer)['status'] == 'creating'


def test_without_a_backup_worker(cloud: Cloud) -> None:
    api = cloud(catalog='volumev3', backup_worker=False)
    volume = api.sandbox.state.add_volume()
    assert shown(api, create(api, volume.id))['status'] == 'error'


def test_a_volume_in_use_needs_force(api: Api) -> None:
    volume = api.sandbox.state.add_volume(status='in-use')
    assert said(create(api, volume.id)) == (
        'Invalid volume: Backing up an in-use volume must use the force flag.'
    )
    snapshot = api.sandbox.state.add_snapshot(volume)
    answer = create(api, volume.id, snapshot_id=snapshot.id)
    assert shown(api, answer)['snapshot_id'] == snapshot.id


def test_the_status_of_the_volume(api: Api) -> None:
    volume = api.sandbox.state.add_volume(status='error')
    assert said(create(api, volume.id, force=True)) == (
        'Invalid volume: Volume to be backed up must be available or in-use, '
        'but the current status is "error".'
    )


def test_snapshots_that_do_not_fit(api: Api) -> None:
    state = api.sandbox.state
    volume, other = state.add_volume(), state.add_volume()
    theirs = state.add_snapshot(other)
    message = said(create(api, volume.id, snapshot_id=theirs.id))
    assert message == (
        f'Invalid volume: Volume {volume.id} does not match with '
        f'snapshot.volume_id {other.id}.'
    )
    bad = state.add_snapshot(volume, status='error')
    message = said(create(api, volume.id, snapshot_id=bad.id))
    assert message.startswith('Invalid snapshot: ')
    answer = create(api, volume.id, snapshot_id=UNKNOWN)
    assert said(answer, 404) == f'Snapshot {UNKNOWN} could not be found.'


def test_an_incremental_backup_needs_one_to_build_on(
    cloud: Cloud, clock: Clock
) -> None:
    api = cloud(catalog='volumev3', chains=True, clock=clock)
    state = api.sandbox.state
    volume = state.add_volume()
    assert said(create(api, volume.id, incremental=True)) == (
        'Invalid backup: No backups available to do an incremental backup.'
    )
    full = shown(api, create(api, volume.id))
    clock.advance(1)
    snapshot = state.add_snapshot(volume)
    clock.advance(1)
    last = shown(api, create(api, volume.id, incremental=True))
    assert last['is_incremental'] is True
    assert state.backups[last['id']].parent_id == full['id']
    answer = create(api, volume.id, incremental=True, snapshot_id=snapshot.id)
    found = shown(api, answer)
    assert state.backups[found['id']].parent_id == full['id']
    assert found['data_timestamp'] == snapshot.created_at


def test_the_parent_must_be_available(api: Api) -> None:
    volume = api.sandbox.state.add_volume()
    api.sandbox.state.add_backup(volume=volume, status='error')
    assert said(create(api, volume.id, incremental=True)) == (
        'Invalid backup: The parent backup must be available for incremental '
        'backup.'
    )


@pytest.mark.parametrize(
    ('knob', 'message'),
    [
        (
            'backup_quota',
            'Maximum number of backups allowed (30) exceeded',
        ),
        (
            'gigabyte_quota',
            'Requested backup exceeds allowed Backup gigabytes quota. '
            'Requested 20G, quota is 30G and 20G has been consumed.',
        ),
    ],
)
def test_quotas(cloud: Cloud, knob: str, message: str) -> None:
    api = cloud(catalog='volumev3', **{knob: 30})
    state = api.sandbox.state
    for _ in range(1 if knob == 'gigabyte_quota' else 30):
        state.add_backup(size=20)
    answer = create(api, state.add_volume(size=20).id)
    assert said(answer, 413) == message
    assert answer.headers['Retry-After'] == '0'
    assert list(answer.json()) == ['overLimit']


@pytest.mark.parametrize(
    'keys',
    [
        {'volume_id': 'data'},
        {'volume_id': None},
        {'snapshot_id': 'x'},
        {'name': 1},
        {'description': []},
        {'force': 'true'},
        {'incremental': 0},
        {'tags': []},
        {'project_id': 'x'},
        {'metadata': {}},
        {'availability_zone': 'x'},
    ],
)
def test_bodies_that_are_refused(api: Api, keys: dict[str, Any]) -> None:
    body = {'volume_id': api.sandbox.state.add_volume().id} | keys
    answer = api.post(f'{BASE}/backups', json={'backup': body})
    assert answer.status_code == 400
    assert not api.sandbox.state.backups


@pytest.mark.parametrize(
    ('microversion', 'key', 'status'),
    [
        ('3.42', 'metadata', 400),
        ('3.43', 'metadata', 202),
        ('3.50', 'availability_zone', 400),
        ('3.51', 'availability_zone', 202),
    ],
)
def test_keys_of_later_microversions(
    api: Api, microversion: str, key: str, status: int
) -> None:
    volume = api.sandbox.state.add_volume()
    value: Any = {} if key == 'metadata' else 'nova'
    answer = api.post(
        f'{BASE}/backups',
        json={'backup': {'volume_id': volume.id, key: value}},
        headers={'OpenStack-API-Version': f'volume {microversion}'},
    )
    assert answer.status_code == status


def test_what_is_not_ones_own(api: Api) -> None:
    state = api.sandbox.state
    theirs = state.add_volume(project_id='f' * 32)
    snapshot = state.add_snapshot(theirs)
    for path in (f'volumes/{theirs.id}', f'snapshots/{snapshot.id}'):
        assert api.get(f'{BASE}/{path}').status_code == 404
    assert api.get(f'{BASE}/snapshots').json()['snapshots'] == []
    answer = create(api, theirs.id)
    assert said(answer, 404) == f'Volume {theirs.id} could not be found.'


def test_a_role_that_may_not_create(cloud: Cloud) -> None:
    api = cloud(catalog='volumev3', read_only_role=True)
    volume = api.sandbox.state.add_volume()
    assert 'backup:create' in said(create(api, volume.id), 403)


def test_block_storage_is_not_closed_to_anybody(cloud: Cloud) -> None:
    api = cloud(catalog='volumev3', closed=True)
    assert create(api, api.sandbox.state.add_volume().id).status_code == 202


# -- restores --------------------------------------------------------------


def restore(api: Api, backup_id: str, **keys: Any) -> Any:
    path = f'{BASE}/backups/{backup_id}/restore'
    return api.post(path, json={'restore': keys})


def test_a_backup_is_restored(cloud: Cloud, clock: Clock) -> None:
    api = cloud(catalog='volumev3', restore_time=10, clock=clock)
    volume = api.sandbox.state.add_volume('data', size=7)
    backup = api.sandbox.state.add_backup(volume=volume)
    volume.size = 9
    answer = restore(api, backup.id, volume_id=volume.id)
    assert answer.status_code == 202
    assert answer.json()['restore'] == {
        'backup_id': backup.id,
        'volume_id': volume.id,
        'volume_name': 'data',
    }
    assert (backup.status, volume.status) == ('restoring', 'restoring-backup')
    clock.advance(10)
    assert api.sandbox.state.volumes[volume.id].content == backup.id
    assert (backup.status, volume.status) == ('available', 'available')
    # Cinder does not shrink anything.
    assert volume.size == 9


def test_a_failed_restore_hurts_the_volume_alone(cloud: Cloud) -> None:
    api = cloud(catalog='volumev3', restore='fails')
    volume = api.sandbox.state.add_volume()
    backup = api.sandbox.state.add_backup(volume=volume)
    assert restore(api, backup.id, volume_id=volume.id).ok
    assert api.sandbox.state.backups[backup.id].status == 'available'
    assert volume.status == 'error_restoring'


@pytest.mark.parametrize('name', [None, 'fresh'])
def test_without_a_volume_a_new_one_is_made(
    api: Api, name: str | None
) -> None:
    state = api.sandbox.state
    backup = state.add_backup(volume=state.add_volume(size=7))
    before = set(state.volumes)
    answer = restore(api, backup.id, **({'name': name} if name else {}))
    (made,) = set(api.sandbox.state.volumes) - before
    volume = state.volumes[made]
    assert (volume.size, volume.content) == (7, backup.id)
    assert volume.name == (name or f'restore_backup_{backup.id}')
    assert answer.json()['restore']['volume_id'] == made
    backup.status = 'error'
    assert said(restore(api, backup.id)).startswith('Invalid backup: ')
    assert set(state.volumes) == {*before, made}


@pytest.mark.parametrize(
    ('how', 'message'),
    [
        (
            {'status': 'in-use'},
            'Invalid volume: Volume to be restored to must be available',
        ),
        (
            {'size': 19},
            'Invalid volume: volume size 19 is too small to restore backup '
            'of size 20.',
        ),
    ],
)
def test_volumes_that_nothing_is_restored_to(
    api: Api, how: dict[str, Any], message: str
) -> None:
    state = api.sandbox.state
    volume, backup = state.add_volume(**how), state.add_backup()
    assert said(restore(api, backup.id, volume_id=volume.id)) == message


def test_restores_that_are_refused(api: Api) -> None:
    state = api.sandbox.state
    backup, volume = state.add_backup(), state.add_volume()
    theirs = state.add_volume(project_id='f' * 32)
    for backup_id, keys, status in (
        (UNKNOWN, {'volume_id': volume.id}, 404),
        (backup.id, {'volume_id': UNKNOWN}, 404),
        (backup.id, {'volume_id': theirs.id}, 404),
        (backup.id, {'volume_id': 'data'}, 400),
        (backup.id, {'volume_id': volume.id, 'x': 1}, 400),
        (backup.id, {'name': 1}, 400),
    ):
        assert said(restore(api, backup_id, **keys), status)
    for knobs, status in (
        ({'read_only_role': True}, 403),
        ({'backup_worker': False, 'read_only_role': False}, 404),
    ):
        for name, value in knobs.items():
            setattr(api.sandbox.knobs, name, value)
        answer = restore(api, backup.id, volume_id=volume.id)
        assert said(answer, status)
    assert {one.content for one in state.volumes.values()} == {None}


# -- disks and snapshots ---------------------------------------------------


def test_where_a_volume_is_attached(api: Api) -> None:
    server = api.sandbox.state.add_server('web01', 2)
    found = []
    for volume in server.volumes:
        row = api.get(f'{BASE}/volumes/{volume.id}').json()['volume']
        (attachment,) = row['attachments']
        assert (row['status'], attachment['server_id']) == (
            'in-use',
            server.id,
        )
        found.append(attachment['device'])
    assert found == ['/dev/vda', '/dev/vdb']
    path = f'/compute/v2.1/servers/{server.id}/os-volume_attachments'
    rows = api.get(path).json()['volumeAttachments']
    assert [row['device'] for row in rows] == found


def test_what_a_volume_is_like(api: Api) -> None:
    plain = api.sandbox.state.add_volume()
    other = api.sandbox.state.add_volume(
        bootable=True, encrypted=True, multiattach=True, volume_type='SSD'
    )
    keys = ('bootable', 'encrypted', 'multiattach', 'shareable', 'volume_type')
    found = []
    for volume in (plain, other):
        row = api.get(f'{BASE}/volumes/{volume.id}').json()['volume']
        found.append(tuple(row[key] for key in keys))
    assert found == [
        ('false', False, False, 'false', 'SATA'),
        ('true', True, True, 'true', 'SSD'),
    ]


def test_what_the_backup_of_a_volume_says_of_it(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    found = []
    for special in (False, True):
        volume = state.add_volume(bootable=special, encrypted=special)
        backup = state.add_backup(volume=volume)
        row = api.get(f'/vbs/v2/{{P}}/backups/{backup.id}').json()['backup']
        data = json.loads(row['service_metadata'])
        found.append((data['bootable'], 'CMKID' in data, 'VK' in data))
    assert found == [(False, False, False), (True, True, True)]


def test_volumes_are_filtered(api: Api) -> None:
    state = api.sandbox.state
    root = state.add_volume('root', bootable=True)
    state.add_volume('data', status='error', availability_zone='eu-de-02')

    def names(query: str) -> list[str]:
        rows = api.get(f'{BASE}/volumes?{query}').json()['volumes']
        return [row['name'] for row in rows]

    assert names('name=root') == ['root']
    assert names('status=error') == ['data']
    assert names('bootable=true') == ['root']
    assert names('availability_zone=eu-de-02') == ['data']
    rows = api.get(f'{BASE}/volumes?name=root').json()['volumes']
    assert rows == [{'id': root.id, 'name': 'root', 'links': []}]


def test_snapshots(api: Api) -> None:
    state = api.sandbox.state
    volume = state.add_volume(size=7)
    one = state.add_snapshot(volume, 'before')
    state.add_snapshot(state.add_volume(), 'other', status='error')

    def names(query: str) -> list[str]:
        path = f'{BASE}/snapshots/detail?{query}'
        return [row['name'] for row in api.get(path).json()['snapshots']]

    assert names('') == ['before', 'other']
    assert names('name=other') == ['other']
    assert names(f'volume_id={volume.id}') == ['before']
    assert names('status=error') == ['other']
    assert names('limit=1') == ['before']
    row = api.get(f'{BASE}/snapshots/{one.id}').json()['snapshot']
    assert (row['volume_id'], row['size']) == (volume.id, 7)
    answer = api.get(f'{BASE}/snapshots/before')
    assert said(answer, 404) == 'Snapshot before could not be found.'
    assert api.get(f'{BASE}/snapshots?colour=red').status_code == 400
