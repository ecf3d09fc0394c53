# SPDX-License-Identifier: Apache-2.0
"""The version documents of VBS by mode."""

import pytest

from tests.unit.sandbox.conftest import Cloud


@pytest.mark.parametrize(
    ('mode', 'status', 'kind'),
    [
        ('none-json', 404, 'application/json'),
        ('none-html', 404, 'text/html'),
        ('both', 200, 'application/json'),
        ('both-300', 300, 'application/json'),
        ('refused-401', 401, 'application/json'),
        ('refused-403', 403, 'application/json'),
        ('malformed', 200, 'application/json'),
        ('malformed-json', 200, 'application/json'),
        ('malformed-list', 200, 'application/json'),
        ('error-500', 500, 'text/html'),
    ],
)
def test_the_root(cloud: Cloud, mode: str, status: int, kind: str) -> None:
    answer = cloud(discovery=mode).get('/vbs/')
    assert answer.status_code == status
    assert answer.headers['Content-Type'].startswith(kind)


@pytest.mark.parametrize(
    ('mode', 'listed'),
    [
        ('both', {'v2.0': 'SUPPORTED', 'v3.0': 'CURRENT'}),
        ('v2', {'v2.0': 'CURRENT'}),
        ('v3', {'v3.0': 'CURRENT'}),
        ('v3-experimental', {'v2.0': 'CURRENT', 'v3.0': 'EXPERIMENTAL'}),
    ],
)
def test_what_is_listed(
    cloud: Cloud, mode: str, listed: dict[str, str]
) -> None:
    api = cloud(discovery=mode)
    versions = api.get('/vbs').json()['versions']
    assert {row['id']: row['status'] for row in versions} == listed
    for number in ('v2', 'v3'):
        status = 200 if f'{number}.0' in listed else 404
        assert api.get(f'/vbs/{number}/').status_code == status


def test_a_version_requires_a_token_and_a_slash(cloud: Cloud) -> None:
    api = cloud(discovery='both')
    answer = api.get('/vbs/v3')
    assert answer.status_code == 302
    assert answer.headers['Location'] == f'{api.sandbox.url}/vbs/v3/'
    api.session.headers['X-Auth-Token'] = 'stale'
    assert api.get('/vbs/').status_code == 200
    assert api.get('/vbs/v3').status_code == 401
    assert api.get('/vbs/v3/').status_code == 401


def test_malformed_is_not_json(cloud: Cloud) -> None:
    with pytest.raises(ValueError, match='Expecting value'):
        cloud(discovery='malformed').get('/vbs/v2/').json()


@pytest.mark.parametrize('path', ['', '/', '/v2/', '/v2/{P}', '/v2/{P}/'])
def test_errors_are_the_same_everywhere(cloud: Cloud, path: str) -> None:
    api = cloud(discovery='error-500')
    assert api.get('/vbs' + path).status_code == 500


def test_versions_that_are_not_served(cloud: Cloud) -> None:
    api = cloud(versions=('v1', 'v3'))
    assert api.get('/vbs/v3/{P}/backups').status_code == 200
    answer = api.get('/vbs/v2/{P}/backups')
    assert answer.status_code == 404
    assert answer.headers['Content-Type'].startswith('text/html')


def test_the_other_services_have_documents(cloud: Cloud) -> None:
    api = cloud()
    assert api.get('/volume/').status_code == 300
    assert api.get('/volume/v3/').json()['versions'][0]['id'] == 'v3.0'
    assert api.get('/compute/v2.1').json()['version']['id'] == 'v2.1'
