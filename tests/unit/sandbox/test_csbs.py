# SPDX-License-Identifier: Apache-2.0
"""CSBS: items, checkpoints, and the cloud that is an upstream Karbor."""

import json
from typing import Any

import pytest

from tests.unit.sandbox.conftest import PROVIDER, UNKNOWN, Cloud

ITEMS = '/csbs/v1/{P}/checkpoint_items'
CHECKPOINTS = f'/csbs/v1/{{P}}/providers/{PROVIDER}/checkpoints'


def ids(answer: Any) -> list[str]:
    return [row['id'] for row in answer.json()['checkpoint_items']]


# -- reading ---------------------------------------------------------------


def test_an_item_and_its_disks(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    server = state.add_server('web01', 2)
    checkpoint = state.add_checkpoint([server], 'pre-patch')
    (item,) = checkpoint.items
    shown = api.get(f'{ITEMS}/{item.id}').json()['checkpoint_item']
    assert shown['checkpoint_id'] == checkpoint.id
    assert shown['extend_info']['resource_name'] == 'web01'
    disks = shown['extend_info']['volume_backups']
    assert [disk['bootable'] for disk in disks] == [True, False]
    path = f'/vbs/v2/{{P}}/backups/{disks[0]["id"]}'
    metadata = api.get(path).json()['backup']['service_metadata']
    assert metadata.startswith(' ')
    assert json.loads(metadata)['ST'] == 1
    assert json.loads(metadata)['VMID'] == server.id


def test_filters(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    web, db = state.add_server('web01'), state.add_server('db01')
    old = state.add_checkpoint(
        [web], 'one-run', created_at='2024-01-01T00:00:00.000000'
    )
    new = state.add_checkpoint([web, db], policy='weekly')
    assert len(ids(api.get(ITEMS))) == 3
    for query, found in (
        ('name=ne-r', old.items),
        ('resource_name=db', new.items[1:]),
        (f'resource_id={db.id}', new.items[1:]),
        (f'checkpoint_id={new.id}', new.items),
        (f'policy_id={new.policy_id}', new.items),
        ('end_time=2024-06-01T00:00:00', old.items),
        ('start_time=2024-06-01T00:00:00.000000', new.items),
        ('status=error', []),
        ('resource_type=OS::Ironic::BareMetalServer', []),
    ):
        wanted = {item.id for item in found}
        assert set(ids(api.get(f'{ITEMS}?{query}'))) == wanted
        count = api.get(f'{ITEMS}/count?{query}').json()
        assert count == {'count': len(wanted)}


@pytest.mark.parametrize(
    ('query', 'status'),
    [
        ('colour=red', 400),
        ('limit=0', 400),
        ('offset=0', 400),
        ('limit=x', 400),
        ('marker=x', 400),
        (f'marker={UNKNOWN}', 400),
        ('sort=colour', 400),
        ('sort=name:up', 400),
        ('start_time=yesterday', 400),
        ('all_tenants=true', 403),
        ('all_tenants=1', 400),
    ],
)
def test_queries_that_are_refused(
    cloud: Cloud, query: str, status: int
) -> None:
    answer = cloud().get(f'{ITEMS}?{query}')
    assert answer.status_code == status
    assert answer.json()['error_code'].startswith('CSBS.')


def test_pages(cloud: Cloud) -> None:
    api = cloud()
    server = api.sandbox.state.add_server('web01')
    for number in range(5):
        api.sandbox.state.add_checkpoint([server], f'run{number}')
    everything = ids(api.get(ITEMS))
    first = ids(api.get(f'{ITEMS}?limit=2'))
    rest = ids(api.get(f'{ITEMS}?limit=9&marker={first[-1]}'))
    assert first + rest == everything
    assert ids(api.get(f'{ITEMS}?offset=3')) == everything[3:]
    assert ids(api.get(f'{ITEMS}?sort=name:asc')) == everything[::-1]
    path = f'{ITEMS}?sort=name%3Aasc&limit=1&marker={everything[3]}'
    assert ids(api.get(path)) == [everything[2]]
    assert api.get(f'{ITEMS}/count?limit=2').status_code == 400


def test_unknown_items(cloud: Cloud) -> None:
    api = cloud()
    answer = api.get(f'{ITEMS}/{UNKNOWN}')
    assert answer.status_code == 404
    assert answer.json()['error_code'] == 'CSBS.3001'
    assert api.get(f'{ITEMS}/nonsense').status_code == 400
    assert api.get(CHECKPOINTS).status_code == 404


def test_quotas(cloud: Cloud) -> None:
    api = cloud()
    api.sandbox.state.add_checkpoint(2)
    body = api.get('/csbs/v1/{P}/quotas').json()
    assert body['quotas']['resources'][1]['used'] == 2


# -- deleting --------------------------------------------------------------


def test_delete_a_checkpoint(cloud: Cloud) -> None:
    api = cloud()
    checkpoint = api.sandbox.state.add_checkpoint(3)
    kept = api.sandbox.state.add_checkpoint()
    answer = api.delete(f'{CHECKPOINTS}/{checkpoint.id}')
    assert answer.status_code == 200
    assert answer.json() == {}
    assert ids(api.get(ITEMS)) == [kept.items[0].id]
    # The backups of the disks went with it.
    assert len(api.sandbox.state.backups) == 1
    answer = api.delete(f'{CHECKPOINTS}/{checkpoint.id}')
    assert answer.status_code == 404


def test_delete_one_item(cloud: Cloud) -> None:
    api = cloud()
    checkpoint = api.sandbox.state.add_checkpoint(3)
    named, *others = [item.id for item in checkpoint.items]
    path = f'{CHECKPOINTS}/{checkpoint.id}?checkpoint_items={named}'
    assert api.delete(path).status_code == 200
    assert set(ids(api.get(ITEMS))) == set(others)
    assert api.delete(path).json()['error_code'] == 'CSBS.3001'


def test_a_cloud_that_ignores_the_item(cloud: Cloud) -> None:
    api = cloud(ignore_item_query=True)
    checkpoint = api.sandbox.state.add_checkpoint(3)
    named = checkpoint.items[0].id
    api.delete(f'{CHECKPOINTS}/{checkpoint.id}?checkpoint_items={named}')
    assert ids(api.get(ITEMS)) == []


@pytest.mark.parametrize(
    'query',
    [
        'checkpoint_items=',
        'checkpoint_items=nonsense',
        f'checkpoint_items={UNKNOWN},{UNKNOWN}',
        f'checkpoint_items={UNKNOWN}&checkpoint_items={UNKNOWN}',
        f'checkpoint_item={UNKNOWN}',
    ],
)
def test_item_queries_that_are_refused(cloud: Cloud, query: str) -> None:
    api = cloud()
    checkpoint = api.sandbox.state.add_checkpoint(2)
    answer = api.delete(f'{CHECKPOINTS}/{checkpoint.id}?{query}')
    assert answer.status_code == 400
    assert len(checkpoint.items) == 2


@pytest.mark.parametrize(
    ('path', 'status'),
    [
        (f'{PROVIDER}/checkpoints/{UNKNOWN}', 404),
        (f'{PROVIDER}/checkpoints/nonsense', 400),
        (f'{UNKNOWN}/checkpoints/{UNKNOWN}', 404),
        (f'nonsense/checkpoints/{UNKNOWN}', 400),
        (f'{PROVIDER}/checkpoints/', 404),
        (f'{PROVIDER}/checkpoints', 404),
        (f'{PROVIDER}/checkpoints/..', 400),
    ],
)
def test_deletes_without_a_valid_id(
    cloud: Cloud, path: str, status: int
) -> None:
    api = cloud()
    assert api.raw('DELETE', f'/csbs/v1/{{P}}/providers/{path}')[0] == status


def test_an_item_is_not_a_checkpoint(cloud: Cloud) -> None:
    api = cloud()
    item = api.sandbox.state.add_checkpoint().items[0]
    assert api.delete(f'{CHECKPOINTS}/{item.id}').status_code == 404


@pytest.mark.parametrize(
    ('how', 'code'),
    [({'status': 'protecting'}, '2003'), ({'image': True}, '8007')],
)
def test_items_that_cannot_be_deleted(
    cloud: Cloud, how: dict[str, Any], code: str
) -> None:
    api = cloud()
    checkpoint = api.sandbox.state.add_checkpoint(2, **how)
    answer = api.delete(f'{CHECKPOINTS}/{checkpoint.id}')
    assert answer.status_code == 400
    assert answer.json()['error_code'] == f'CSBS.{code}'
    assert len(checkpoint.items) == 2


def test_others_are_refused(cloud: Cloud) -> None:
    api = cloud()
    other = api.sandbox.state.add_project('other')
    theirs = api.sandbox.state.add_checkpoint(project_id=other.id)
    assert api.delete(f'{CHECKPOINTS}/{theirs.id}').status_code == 403
    answer = api.get(f'/csbs/v1/{other.id}/checkpoint_items')
    assert answer.status_code == 400


def test_a_role_that_may_not_delete(cloud: Cloud) -> None:
    api = cloud(read_only_role=True)
    checkpoint = api.sandbox.state.add_checkpoint()
    answer = api.delete(f'{CHECKPOINTS}/{checkpoint.id}')
    assert answer.status_code == 403
    assert 'checkpoint:delete' in answer.json()['forbidden']['message']


# -- an upstream Karbor ----------------------------------------------------


def test_karbor_has_no_items(cloud: Cloud) -> None:
    api = cloud(checkpoint_items=False)
    answer = api.get(ITEMS)
    assert answer.status_code == 404
    assert answer.headers['Content-Type'].startswith('text/html')
    assert api.get('/csbs/').status_code == 500
    assert api.get('/csbs/v1/').status_code == 404


def test_karbor_shows_what_it_has_deleted(cloud: Cloud) -> None:
    api = cloud(checkpoint_items=False)
    checkpoint = api.sandbox.state.add_checkpoint(2)
    path = f'{CHECKPOINTS}/{checkpoint.id}'
    shown = api.get(path).json()['checkpoint']
    assert shown['status'] == 'available'
    assert len(shown['protection_plan']['resources']) == 2
    assert len(api.get(CHECKPOINTS).json()['checkpoints']) == 1
    # The query means nothing to it.
    item = checkpoint.items[0].id
    answer = api.delete(f'{path}?checkpoint_items={item}')
    assert (answer.status_code, answer.json()) == (200, {})
    assert api.get(path).json()['checkpoint']['status'] == 'deleted'
    assert api.get(CHECKPOINTS).json()['checkpoints'] == []
    again = api.delete(path)
    assert again.status_code == 500
    assert again.json()['computeFault']['message'] == (
        f'The checkpoint {checkpoint.id} can not be deleted.'
    )


def test_karbor_has_providers_of_its_own(cloud: Cloud) -> None:
    assert cloud().get('/csbs/v1/{P}/providers').status_code == 404
    api = cloud(checkpoint_items=False, karbor_provider=UNKNOWN)
    [provider] = api.get('/csbs/v1/{P}/providers').json()['providers']
    assert provider['id'] == UNKNOWN
    shown = api.get(f'/csbs/v1/{{P}}/providers/{UNKNOWN}').json()
    assert shown['provider'] == provider
    assert api.get(CHECKPOINTS).status_code == 404


def test_karbor_refusals(cloud: Cloud) -> None:
    api = cloud(checkpoint_items=False)
    other = api.sandbox.state.add_project('other')
    theirs = api.sandbox.state.add_checkpoint(project_id=other.id)
    answer = api.get(f'{CHECKPOINTS}/{theirs.id}')
    assert answer.json()['forbidden']['message'] == (
        f'Access checkpoint {theirs.id} is not allowed'
    )
    for path, status, message in (
        (f'{PROVIDER}/checkpoints/x', 400, 'Invalid checkpoint id provided.'),
        (f'x/checkpoints/{UNKNOWN}', 400, 'Invalid provider id provided.'),
        (f'{UNKNOWN}/checkpoints/{UNKNOWN}', 404, 'could not be found'),
        (f'{PROVIDER}/checkpoints/{UNKNOWN}', 404, 'could not be found'),
    ):
        answer = api.delete(f'/csbs/v1/{{P}}/providers/{path}')
        assert answer.status_code == status
        assert message in answer.text
