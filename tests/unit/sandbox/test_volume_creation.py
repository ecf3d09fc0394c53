# SPDX-License-Identifier: Apache-2.0
"""Block storage makes backups as Cinder does; disks and snapshots."""

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
