# SPDX-License-Identifier: Apache-2.0
"""Block storage answers as a running Cinder does."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.unit.sandbox.conftest import UNKNOWN, Api, Cloud

BACKUPS = '/volume/v3/{P}/backups'
JSON = {'Accept': 'application/json'}


def since(microversion: str) -> dict[str, str]:
    return {'OpenStack-API-Version': f'volume {microversion}'}


@pytest.fixture
def api(cloud: Cloud) -> Api:
    """A cloud with backups a, b and c of one volume."""
    api = cloud(catalog='volumev3')
    volume = api.sandbox.state.add_volume('data')
    for name in 'abc':
        api.sandbox.state.add_backup(name, volume, incremental=name != 'a')
    return api


def names(api: Api, query: str, **headers: str) -> list[str]:
    answer = api.get(f'{BACKUPS}?{query}', headers=headers)
    return [row['name'] for row in answer.json()['backups']]


def refusal(answer: Any) -> tuple[int, str]:
    (fault,) = answer.json().values()
    assert fault['code'] == answer.status_code
    return answer.status_code, fault['message']


@pytest.mark.parametrize(
    'path',
    [
        '/volume/v2/{P}/backups',
        '/volume/v3/{P}',
        '/volume/v3/{P}/os-vendor-backup-sharing/detail',
        f'{BACKUPS}/{UNKNOWN}/',
        f'{BACKUPS}/a%2Fb',
    ],
)
def test_a_path_that_is_not_known(api: Api, path: str) -> None:
    page = api.get(path, headers={'Accept': '*/*'})
    assert page.status_code == 404
    assert page.headers['Content-Type'].startswith('text/html')
    answer = api.get(path, headers=JSON)
    assert answer.status_code == 404
    assert answer.json()['code'] == '404 Not Found'
    assert '<br />' in answer.json()['message']


def test_a_method_that_is_not_known(api: Api) -> None:
    answer = api('DELETE', BACKUPS, headers=JSON)
    assert (answer.status_code, answer.json()['title']) == (404, 'Not Found')


def test_the_version_document(api: Api) -> None:
    answer = api.get('/volume/')
    assert answer.status_code == 300
    (version,) = answer.json()['versions']
    assert (version['id'], version['status']) == ('v3.0', 'CURRENT')
    assert (version['min_version'], version['version']) == ('3.0', '3.71')


def test_each_full_page_has_a_link_to_the_next(api: Api) -> None:
    """Also the last one, as Cinder only compares with the limit."""
    body = api.get(f'{BACKUPS}/detail?limit=3&status=available').json()
    (link,) = body['backups_links']
    last = body['backups'][-1]
    assert last['name'] == 'a'
    assert parse_qs(urlsplit(link['href']).query) == {
        'limit': ['3'],
        'status': ['available'],
        'marker': [last['id']],
    }
    following = api.session.get(link['href'], timeout=5).json()
    assert following == {'backups': []}
    assert 'backups_links' not in api.get(f'{BACKUPS}?limit=4').json()


def test_a_link_keeps_the_offset(api: Api) -> None:
    """A client that follows it skips rows, as with Cinder."""
    body = api.get(f'{BACKUPS}?limit=1&offset=1').json()
    (link,) = body['backups_links']
    assert parse_qs(urlsplit(link['href']).query)['offset'] == ['1']
    assert api.session.get(link['href'], timeout=5).json()['backups'] == []


def test_a_backup_shows_its_chain_and_not_its_owner(api: Api) -> None:
    rows = api.get(f'{BACKUPS}/detail').json()['backups']
    assert [(row['name'], row['has_dependent_backups']) for row in rows] == [
        ('c', False),
        ('b', True),
        ('a', True),
    ]
    assert not [key for key in rows[0] if ':' in key]
    shown = rows[0]['links'][0]
    assert shown['rel'] == 'self'
    assert api.session.get(shown['href'], timeout=5).status_code == 200


@pytest.mark.parametrize(
    ('query', 'expected'),
    [
        ('sort=id:asc&limit=0', []),
        ('sort=created_at:asc', ['a', 'b', 'c']),
        ('sort_key=created_at&sort_dir=asc', ['a', 'b', 'c']),
        ('sort=created_at', ['c', 'b', 'a']),
    ],
)
def test_sort_keys(api: Api, query: str, expected: list[str]) -> None:
    assert names(api, query) == expected


@pytest.mark.parametrize(
    ('query', 'said'),
    [
        ('sort=name:asc', 'Invalid input received: Invalid sort key'),
        ('sort_key=nonsense', 'Invalid input received: Invalid sort key'),
        ('sort=id:up', 'Invalid input received: Unknown sort direction'),
        ('sort=id:asc&sort_key=id', 'parameters are deprecated'),
    ],
)
def test_unknown_sort_keys(api: Api, query: str, said: str) -> None:
    status, message = refusal(api.get(f'{BACKUPS}?{query}'))
    assert status == 400
    assert said in message


def test_a_search_by_part_of_a_name_is_refused(api: Api) -> None:
    """Unless the operator allows it; before 3.31 it is ignored."""
    assert names(api, 'name~=a') == ['c', 'b', 'a']
    answer = api.get(f'{BACKUPS}?name~=a', headers=since('3.31'))
    assert refusal(answer) == (
        400,
        'Invalid filters name~ are found in query options.',
    )


def test_backups_are_counted_since_3_45(api: Api) -> None:
    path = f'{BACKUPS}?with_count=true&limit=1'
    assert 'count' not in api.get(path).json()
    assert 'count' not in api.get(path, headers=since('3.44')).json()
    assert api.get(path, headers=since('3.45')).json()['count'] == 3


@pytest.mark.parametrize(
    ('asked', 'status', 'said'),
    [
        ('volume 3.x', 400, 'API Version String 3.x is of invalid format.'),
        ('volume 3.999', 406, 'Version 3.999 is not supported by the API.'),
        ('volume 2.0', 406, 'Version 2.0 is not supported by the API.'),
    ],
)
def test_unknown_microversions(
    api: Api, asked: str, status: int, said: str
) -> None:
    answer = api.get(BACKUPS, headers={'OpenStack-API-Version': asked})
    assert answer.status_code == status
    assert said in refusal(answer)[1]


def test_406_has_the_name_of_no_fault(api: Api) -> None:
    answer = api.get(BACKUPS, headers=since('3.999'))
    assert list(answer.json()) == ['computeFault']
