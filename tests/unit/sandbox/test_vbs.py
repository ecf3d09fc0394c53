# SPDX-License-Identifier: Apache-2.0
"""VBS: what it shows, deletes and refuses."""

import json
from typing import Any

import pytest

from tests.unit.sandbox.conftest import UNKNOWN, Api, Cloud

BOTH = pytest.mark.parametrize('version', ['v2', 'v3'])
MODERN = {'OpenStack-API-Version': 'volume 3.45'}


def names(answer: Any) -> list[str]:
    return [row['name'] for row in answer.json()['backups']]


# -- reading ---------------------------------------------------------------


def test_show_v2(cloud: Cloud) -> None:
    api = cloud()
    backup = api.sandbox.state.add_backup('nightly', description='x')
    shown = api.get(f'/vbs/v2/{{P}}/backups/{backup.id}').json()['backup']
    assert shown['id'] == backup.id
    assert shown['os-bak-tenant-attr:tenant_id'] == api.sandbox.project_id
    assert 'ST' not in json.loads(shown['service_metadata'])


def test_show_v3(cloud: Cloud) -> None:
    api = cloud()
    backup = api.sandbox.state.add_backup('nightly')
    shown = api.get(f'/vbs/v3/{{P}}/backups/{backup.id}').json()['backup']
    key = 'os-backup-project-attr:project_id'
    assert shown[key] == api.sandbox.project_id
    assert 'service_metadata' not in shown


def test_the_summary_is_short(cloud: Cloud) -> None:
    api = cloud()
    api.sandbox.state.add_backup('nightly')
    (row,) = api.get('/vbs/v2/{P}/backups').json()['backups']
    assert set(row) == {'id', 'name', 'links'}


@BOTH
@pytest.mark.parametrize(
    'backup_id', [UNKNOWN, 'nonsense', 'detail/x', '..', '%2e%2e']
)
def test_unknown_backups(cloud: Cloud, version: str, backup_id: str) -> None:
    api = cloud()
    status, _ = api.raw('GET', f'/vbs/{version}/{{P}}/backups/{backup_id}')
    assert status == 404


def test_newest_first_and_the_filters(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    volume = state.add_volume('other')
    state.add_backup('old', created_at='2024-01-01T00:00:00.000000')
    state.add_backup('new', volume, created_at='2024-03-01T00:00:00.000000')
    state.add_backup(
        'bad', status='error', created_at='2024-02-01T00:00:00.000000'
    )
    base = '/vbs/v2/{P}/backups/detail'
    assert names(api.get(base)) == ['new', 'bad', 'old']
    assert names(api.get(f'{base}?name=old')) == ['old']
    assert names(api.get(f'{base}?name=ol')) == []
    assert names(api.get(f'{base}?status=error')) == ['bad']
    assert names(api.get(f'{base}?volume_id={volume.id}')) == ['new']
    by_name = f'{base}?sort_key=name&sort_dir=asc'
    assert names(api.get(by_name)) == ['bad', 'new', 'old']


def test_other_projects_are_not_listed(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    other = state.add_project('other')
    backup = state.add_backup('theirs', project_id=other.id)
    assert names(api.get('/vbs/v2/{P}/backups')) == []
    path = f'/vbs/v2/{{P}}/backups/{backup.id}'
    assert api.get(path).status_code == 404
    assert api.delete(path).status_code == 404
    answer = api.get(f'/vbs/v2/{other.id}/backups')
    assert answer.status_code == 400
    assert answer.json()['badRequest']['message'] == 'Malformed request url'


@pytest.mark.parametrize(
    ('path', 'linked'),
    [
        ('v2/{P}/backups', True),
        ('v2/{P}/backups/detail', True),
        ('v3/{P}/backups', True),
        ('v3/{P}/backups/detail', False),
    ],
)
def test_next_links_have_a_useless_host(
    cloud: Cloud, path: str, linked: bool
) -> None:
    api = cloud()
    for number in range(3):
        api.sandbox.state.add_backup(f'b{number}')
    body = api.get(f'/vbs/{path}?limit=2').json()
    assert ('backups_links' in body) is linked
    if linked:
        (link,) = body['backups_links']
        last = body['backups'][-1]['id']
        assert link['rel'] == 'next'
        assert '.invalid:8776/' in link['href']
        assert link['href'].endswith(
            f'/backups?limit=2&offset=2&marker={last}'
        )
    rest = api.get(f'/vbs/{path}?limit=2&offset=2').json()
    assert len(rest['backups']) == 1
    assert 'backups_links' not in rest


def test_2500_rows_in_pages(cloud: Cloud) -> None:
    api = cloud()
    for number in range(2500):
        api.sandbox.state.add_backup(f'b{number}')
    base = '/vbs/v3/{P}/backups/detail'
    by_offset: list[str] = []
    for offset in (0, 1000, 2000):
        found = api.get(f'{base}?limit=5000&offset={offset}')
        by_offset += names(found)
    assert by_offset == [f'b{number}' for number in range(2499, -1, -1)]
    rows = api.get(f'{base}?limit=1000').json()['backups']
    after = api.get(f'{base}?limit=1&marker={rows[-1]["id"]}')
    assert names(after) == ['b1499']
    assert len(names(api.get(base))) == 1000


def test_a_smaller_page(cloud: Cloud) -> None:
    api = cloud(max_page=2)
    for number in range(3):
        api.sandbox.state.add_backup(f'b{number}')
    assert len(names(api.get('/vbs/v2/{P}/backups?limit=3'))) == 2


@pytest.mark.parametrize(
    'query',
    [
        'colour=red',
        'limit=x',
        'limit=-1',
        'offset=1.5',
        'name=a&name=b',
        'name=',
        'sort_key=name',
        'with_count=True',
        'name~=a',
        'all_tenants=1',
    ],
)
@BOTH
def test_queries_that_are_refused(
    cloud: Cloud, version: str, query: str
) -> None:
    answer = cloud().get(f'/vbs/{version}/{{P}}/backups?{query}')
    assert answer.status_code == 400
    assert answer.json()['badRequest']['code'] == 400


def test_sorting_is_for_the_detail_of_v2(cloud: Cloud) -> None:
    api = cloud()
    sort = 'sort_key=size&sort_dir=asc'
    assert api.get(f'/vbs/v2/{{P}}/backups/detail?{sort}').ok
    assert not api.get(f'/vbs/v3/{{P}}/backups/detail?{sort}').ok
    bad = '/vbs/v2/{P}/backups/detail?sort_key=colour'
    assert api.get(bad).status_code == 400


def test_microversions(cloud: Cloud) -> None:
    api = cloud()
    for name in ('web-1', 'web-2', 'db-1'):
        api.sandbox.state.add_backup(name)
    path = '/vbs/v3/{P}/backups?name~=web&with_count=true&limit=1'
    body = api.get(path, headers=MODERN).json()
    assert body['count'] == 2
    assert body['backups'][0]['name'] == 'web-2'
    for text, status in (
        ('volume 3.31', 400),  # with_count is younger
        ('volume 3.99', 406),
        ('volume three', 400),
    ):
        header = {'OpenStack-API-Version': text}
        assert api.get(path, headers=header).status_code == status


def test_quota(cloud: Cloud) -> None:
    api = cloud()
    api.sandbox.state.add_backup(size=7)
    body = api.get('/vbs/v2/{P}/cloudbackups/quota').json()
    count, gigabytes = body['quotas']['resources']
    assert (count['type'], count['used']) == ('backups', 1)
    assert gigabytes['type'] == 'backup_gigabytes'
    assert (gigabytes['used'], gigabytes['quota']) == (7, -1)


# -- deleting --------------------------------------------------------------


@BOTH
def test_delete(cloud: Cloud, version: str) -> None:
    api = cloud()
    backup = api.sandbox.state.add_backup()
    path = f'/vbs/{version}/{{P}}/backups/{backup.id}'
    answer = api.delete(path)
    assert answer.status_code == 202
    assert answer.content == b''
    assert answer.headers['x-openstack-request-id'].startswith('req-')
    again = api.delete(path)
    assert again.status_code == 404
    assert again.json() == {
        'itemNotFound': {
            'code': 404,
            'message': f'Backup {backup.id} could not be found.',
        }
    }


@pytest.mark.parametrize(
    ('path', 'status', 'kind'),
    [
        ('backups/', 404, 'text/html'),
        ('backups/a%2Fb', 404, 'text/html'),
        ('backups', 405, 'application/json'),
        ('backups/detail', 404, 'application/json'),
        ('backups/nonsense', 404, 'application/json'),
        (f'backups/{UNKNOWN}?force=1', 400, 'application/json'),
        ('backups/..', 404, 'application/json'),
        ('os-vendor-backup-sharing', 405, 'application/json'),
        ('os-vendor-backup-sharing/', 404, 'text/html'),
    ],
)
def test_deletes_without_a_valid_id(
    cloud: Cloud, path: str, status: int, kind: str
) -> None:
    found, content_type = cloud().raw('DELETE', f'/vbs/v2/{{P}}/{path}')
    assert found == status
    assert content_type.startswith(kind)


@pytest.mark.parametrize(
    'status', ['creating', 'deleting', 'restoring', 'error_deleting']
)
def test_a_busy_backup_is_refused(cloud: Cloud, status: str) -> None:
    api = cloud()
    backup = api.sandbox.state.add_backup(status=status)
    answer = api.delete(f'/vbs/v2/{{P}}/backups/{backup.id}')
    assert answer.status_code == 400
    assert answer.json()['badRequest']['message'] == (
        'Invalid backup: Backup status must be available or error'
    )
    assert backup.id in api.sandbox.state.backups


def _refused(api: Api, backup_id: str) -> Any:
    answer = api.delete(f'/vbs/v3/{{P}}/backups/{backup_id}')
    assert backup_id in api.sandbox.state.backups
    assert answer.status_code == 400
    return answer.json()['error']['code']


def test_a_backup_of_csbs_is_not_deleted(cloud: Cloud) -> None:
    api = cloud()
    checkpoint = api.sandbox.state.add_checkpoint()
    (backup,) = api.sandbox.state.backups_in(checkpoint.items[0])
    assert _refused(api, backup.id) == 'VolumeBackup.0125'


def test_a_backup_with_an_image_is_not_deleted(cloud: Cloud) -> None:
    api = cloud()
    backup = api.sandbox.state.add_backup(image=True)
    assert _refused(api, backup.id) == 'VolumeBackup.0113'


def test_without_a_backup_worker(cloud: Cloud) -> None:
    api = cloud(backup_worker=False)
    backup = api.sandbox.state.add_backup()
    path = f'/vbs/v2/{{P}}/backups/{backup.id}'
    answer = api.delete(path)
    assert answer.status_code == 404
    message = answer.json()['itemNotFound']['message']
    assert message == 'Service cinder-backup could not be found.'
    assert api.get(path).json()['backup']['status'] == 'available'


def test_chains(cloud: Cloud) -> None:
    api = cloud(chains=True)
    state = api.sandbox.state
    volume = state.add_volume()
    full = state.add_backup('full', volume)
    first = state.add_backup('first', volume, incremental=True)
    last = state.add_backup('last', volume, incremental=True)
    base = '/vbs/v2/{P}/backups/'
    for backup in (full, first):
        answer = api.delete(base + backup.id)
        assert answer.status_code == 400
        assert answer.json()['badRequest']['message'] == (
            'Invalid backup: Incremental backups exist for this backup.'
        )
    for backup in (last, first, full):
        assert api.delete(base + backup.id).status_code == 202


def test_any_order_without_chains(cloud: Cloud) -> None:
    api = cloud()
    volume = api.sandbox.state.add_volume()
    full = api.sandbox.state.add_backup('full', volume)
    api.sandbox.state.add_backup('next', volume, incremental=True)
    assert api.delete(f'/vbs/v2/{{P}}/backups/{full.id}').status_code == 202


def test_a_role_that_may_not_delete(cloud: Cloud) -> None:
    api = cloud(read_only_role=True)
    backup = api.sandbox.state.add_backup()
    answer = api.delete(f'/vbs/v2/{{P}}/backups/{backup.id}')
    assert answer.status_code == 403
    assert answer.json()['forbidden']['message'] == (
        "Policy doesn't allow backup:delete to be performed."
    )


def test_no_token(cloud: Cloud) -> None:
    api = cloud()
    api.session.headers['X-Auth-Token'] = 'nonsense'
    answer = api.get('/vbs/v2/{P}/backups')
    assert answer.status_code == 401
    assert answer.json()['error']['title'] == 'Unauthorized'
    assert 'WWW-Authenticate' in answer.headers


# -- vendor calls ----------------------------------------------------------


def test_a_bare_post_deletes(cloud: Cloud) -> None:
    api = cloud()
    backup = api.sandbox.state.add_backup()
    answer = api.post(f'/vbs/v2/{{P}}/cloudbackups/{backup.id}')
    job = api.get(f'/vbs/v1/{{P}}/jobs/{answer.json()["job_id"]}').json()
    assert job['status'] == 'SUCCESS'
    assert backup.id not in api.sandbox.state.backups


def test_vendor_calls_are_of_v2_only(cloud: Cloud) -> None:
    api = cloud()
    for path in ('cloudbackups/quota', 'os-vendor-backup-sharing/count'):
        assert api.get(f'/vbs/v3/{{P}}/{path}').status_code == 404
    assert api.get('/vbs/v2/{P}/jobs/1').status_code == 404
