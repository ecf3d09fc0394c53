# SPDX-License-Identifier: Apache-2.0
"""Keystone: tokens, projects, domains."""

import pytest
import requests

from tests.unit.sandbox.conftest import Cloud


def test_version_documents(cloud: Cloud) -> None:
    api = cloud()
    assert requests.get(f'{api.sandbox.url}/identity').status_code == 300
    document = requests.get(f'{api.sandbox.url}/identity/v3').json()
    assert document['version']['id'].startswith('v3')


def test_a_wrong_password_is_refused(cloud: Cloud) -> None:
    api = cloud()
    user = {'name': 'demo', 'password': 'no', 'domain': {'id': 'default'}}
    identity = {'methods': ['password'], 'password': {'user': user}}
    answer = api.log_in(identity=identity)
    assert answer.status_code == 401
    assert answer.json()['error']['title'] == 'Unauthorized'
    assert 'Keystone uri=' in answer.headers['WWW-Authenticate']


@pytest.mark.parametrize('body', [{}, {'auth': 3}, {'auth': {}}])
def test_a_malformed_request_is_refused(cloud: Cloud, body: object) -> None:
    api = cloud()
    answer = api.post('/identity/v3/auth/tokens', json=body)
    assert answer.status_code == 400


def test_a_token_can_be_scoped_anew(cloud: Cloud) -> None:
    api = cloud()
    other = api.sandbox.state.add_project('other')
    token = {'id': api.session.headers['X-Auth-Token']}
    answer = api.log_in(
        identity={'methods': ['token'], 'token': token},
        scope={'project': {'id': other.id}},
    )
    assert answer.status_code == 201
    assert answer.json()['token']['project']['id'] == other.id


@pytest.mark.parametrize('key', ['id', 'name'])
def test_application_credentials(cloud: Cloud, key: str) -> None:
    api = cloud()
    known = api.sandbox.state.app_credential
    given = {key: getattr(known, key), 'secret': known.secret}
    identity = {
        'methods': ['application_credential'],
        'application_credential': given,
    }
    answer = api.log_in(identity=identity, scope=None)
    assert answer.json()['token']['project']['name'] == 'demo'
    given['secret'] = 'wrong'
    assert api.log_in(identity=identity, scope=None).status_code == 401


def test_an_unscoped_token_has_no_catalog(cloud: Cloud) -> None:
    token = cloud().log_in(scope='unscoped').json()['token']
    assert 'project' not in token
    assert 'catalog' not in token


def test_projects(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    domain = state.add_domain('acme')
    mine = state.add_project('shop', domain.id)
    foreign = state.add_project('secret', member=False)
    base = '/identity/v3/projects'
    found = api.get(f'{base}?name=shop&domain_id={domain.id}').json()
    assert [row['id'] for row in found['projects']] == [mine.id]
    assert api.get(f'{base}?name=secret').json()['projects'] == []
    assert api.get(f'{base}/{mine.id}').json()['project']['name'] == 'shop'
    assert api.get(f'{base}/{foreign.id}').status_code == 403
    assert api.get(f'{base}/shop').status_code == 404


def test_domains_and_users(cloud: Cloud) -> None:
    api = cloud()
    found = api.get('/identity/v3/domains?name=Default').json()
    assert [row['id'] for row in found['domains']] == ['default']
    assert api.get('/identity/v3/domains/default').status_code == 200
    found = api.get('/identity/v3/users?name=demo').json()
    assert len(found['users']) == 1


def test_a_revoked_token_is_refused(cloud: Cloud) -> None:
    api = cloud()
    token = {'X-Subject-Token': api.session.headers['X-Auth-Token']}
    path = '/identity/v3/auth/tokens'
    assert api.get(path, headers=token).status_code == 200
    assert api.delete(path, headers=token).status_code == 204
    assert api.get('/vbs/v2/{P}/backups').status_code == 401


def test_token_uses(cloud: Cloud) -> None:
    api = cloud(token_uses=2)
    statuses = [
        api.get('/vbs/v2/{P}/backups').status_code,
        api.get('/csbs/v1/{P}/quotas').status_code,
        api.get('/vbs/v2/{P}/backups').status_code,
    ]
    assert statuses == [200, 200, 401]
    api.log_in()
    assert api.get('/vbs/v2/{P}/backups').status_code == 200


def test_a_passcode_is_good_for_one_login(cloud: Cloud) -> None:
    api = cloud()
    user = {'name': 'demo', 'domain': {'id': 'default'}}
    identity = {
        'methods': ['password', 'totp'],
        'password': {'user': {**user, 'password': 'secret'}},
        'totp': {'user': {**user, 'passcode': '123456'}},
    }
    assert api.log_in(identity=identity).status_code == 201
    assert api.log_in(identity=identity).status_code == 401


def test_a_token_ends(cloud: Cloud) -> None:
    assert cloud().get('/vbs/v2/{P}/backups').status_code == 200
    api = cloud(token_seconds=0)
    assert api.get('/vbs/v2/{P}/backups').status_code == 401
