# SPDX-License-Identifier: Apache-2.0
"""Keystone v3, as far as a client of the other services needs it."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from tests.sandbox.catalog import catalog
from tests.sandbox.cloud import Cloud
from tests.sandbox.gate import refuse_unauthorised
from tests.sandbox.model import Domain, Project, Token, User
from tests.sandbox.query import Query
from tests.sandbox.routing import Call, Router
from tests.sandbox.wire import (
    Answer,
    Request,
    identity_error,
    json_answer,
    no_route,
    read_json,
    refuse,
)

# What lists are filtered by.
EXACT = ('name', 'domain_id', 'enabled')

routes = Router()


def answer(cloud: Cloud, request: Request) -> Answer:
    segments = request.segments
    if segments in ((), ('',)):
        document = {'versions': {'values': [version_document(request)]}}
        return json_answer(document, 300)
    if segments[0] != 'v3':
        return no_route()
    if segments[1:] in ((), ('',)):
        return json_answer({'version': version_document(request)})
    call = Call(cloud, request, '', 'v3')
    return routes.dispatch(call, segments[1:])


def version_document(request: Request) -> dict[str, Any]:
    return {
        'id': 'v3.14',
        'status': 'stable',
        'updated': '2020-04-07T00:00:00Z',
        'links': [{'rel': 'self', 'href': f'{request.base}/identity/v3/'}],
        'media-types': [
            {
                'base': 'application/json',
                'type': 'application/vnd.openstack.identity-v3+json',
            }
        ],
    }


# -- tokens ----------------------------------------------------------------


@routes.route('POST', 'auth/tokens')
def issue_token(call: Call) -> Answer:
    state = call.cloud.state
    auth = read_json(call.request).get('auth')
    try:
        user, project, methods = _identify(call, auth)
        scope = auth.get('scope') if auth else None
        if scope is not None:
            project = _scope(call, scope)
    except (KeyError, TypeError, AttributeError):
        return identity_error(400, 'Bad Request', 'Malformed auth request.')
    now = state.now()
    token = Token(
        state.new_hex(),
        user.id,
        project.id if project else None,
        methods,
        state.stamp(now) + 'Z',
        state.stamp(now + timedelta(seconds=call.cloud.knobs.token_seconds))
        + 'Z',
    )
    state.tokens[token.id] = token
    return _token_answer(call, token, 201)


def _identify(
    call: Call, auth: Any
) -> tuple[User, Project | None, tuple[str, ...]]:
    """Who asks, and the project if the method itself names one."""
    state = call.cloud.state
    identity = auth['identity']
    methods = tuple(identity['methods'])
    project: Project | None = None
    user: User | None = None
    for method in methods:
        data = identity[method]
        if method == 'password':
            user = _user_by_password(call, data['user'])
            project = state.project if 'scope' not in auth else None
        elif method == 'totp':
            user = _user_by_passcode(call, data['user'])
        elif method == 'token':
            old = state.tokens.get(data['id'])
            user = state.users[old.user_id] if old else None
        elif method == 'application_credential':
            found = state.app_credentials.get(data.get('id', ''))
            for credential in state.app_credentials.values():
                if credential.name == data.get('name'):
                    found = credential
            if found and found.secret == data['secret']:
                user = state.users[found.user_id]
                project = state.projects[found.project_id]
    if user is None:
        refuse_unauthorised(call.request)
    return user, project, methods


def _user(call: Call, data: Any) -> User | None:
    for user in call.cloud.state.users.values():
        named = data.get('name') == user.name and _is_domain(
            call, data.get('domain') or {}, user.domain_id
        )
        if data.get('id') == user.id or named:
            return user
    return None


def _user_by_password(call: Call, data: Any) -> User | None:
    user = _user(call, data)
    return user if user and data['password'] == user.password else None


def _user_by_passcode(call: Call, data: Any) -> User | None:
    user = _user(call, data)
    if user is None or data['passcode'] != user.passcode:
        return None
    user.passcode = None
    return user


def _is_domain(call: Call, data: dict[str, Any], domain_id: str) -> bool:
    domain = call.cloud.state.domains[domain_id]
    return data.get('id') == domain.id or data.get('name') == domain.name


def _scope(call: Call, scope: Any) -> Project | None:
    if scope == 'unscoped' or 'unscoped' in scope or 'domain' in scope:
        return None
    wanted = scope['project']
    for project in call.cloud.state.projects.values():
        named = wanted.get('name') == project.name and _is_domain(
            call, wanted.get('domain') or {}, project.domain_id
        )
        if project.member and (wanted.get('id') == project.id or named):
            return project
    return refuse_unauthorised(call.request)


def _token_answer(call: Call, token: Token, status: int) -> Answer:
    state = call.cloud.state
    user = state.users[token.user_id]
    body: dict[str, Any] = {
        'methods': list(token.methods),
        'user': _named(call, user) | {'password_expires_at': None},
        'audit_ids': [token.id[:22]],
        'issued_at': token.issued_at,
        'expires_at': token.expires_at,
    }
    if token.project_id:
        project = state.projects[token.project_id]
        base = call.request.base
        body['project'] = _named(call, project)
        body['is_domain'] = False
        body['roles'] = [{'id': 'member', 'name': 'member'}]
        body['catalog'] = catalog(state, call.cloud.knobs, base, project.id)
    return json_answer({'token': body}, status, {'X-Subject-Token': token.id})


def _named(call: Call, thing: User | Project) -> dict[str, Any]:
    domain = call.cloud.state.domains[thing.domain_id]
    return {
        'id': thing.id,
        'name': thing.name,
        'domain': {'id': domain.id, 'name': domain.name},
    }


def _need_token(call: Call) -> Token:
    token_id = call.request.headers.get('X-Auth-Token', '')
    token = call.cloud.state.tokens.get(token_id)
    if token is None:
        refuse_unauthorised(call.request)
    return token


@routes.route('GET', 'auth/tokens')
def show_token(call: Call) -> Answer:
    _need_token(call)
    return _token_answer(call, _subject(call), 200)


@routes.route('HEAD', 'auth/tokens')
def check_token(call: Call) -> Answer:
    _need_token(call)
    return Answer(200, headers={'X-Subject-Token': _subject(call).id})


@routes.route('DELETE', 'auth/tokens')
def revoke_token(call: Call) -> Answer:
    _need_token(call)
    del call.cloud.state.tokens[_subject(call).id]
    return Answer(204)


def _subject(call: Call) -> Token:
    subject = call.request.headers.get('X-Subject-Token', '')
    token = call.cloud.state.tokens.get(subject)
    if token is None:
        refuse(_not_found('token', '(hidden)'))
    return token


# -- projects, domains, users ----------------------------------------------


def _not_found(noun: str, thing_id: str) -> Answer:
    message = f'Could not find {noun}: {thing_id}.'
    return identity_error(404, 'Not Found', message)


def _project(call: Call, project: Project) -> dict[str, Any]:
    return {
        'id': project.id,
        'name': project.name,
        'domain_id': project.domain_id,
        'parent_id': project.domain_id,
        'enabled': True,
        'is_domain': False,
        'description': '',
        'tags': [],
        'options': {},
        'links': {
            'self': f'{call.request.base}/identity/v3/projects/{project.id}'
        },
    }


def _domain(domain: Domain) -> dict[str, Any]:
    return {
        'id': domain.id,
        'name': domain.name,
        'enabled': True,
        'description': '',
        'links': {},
    }


def _user_row(user: User) -> dict[str, Any]:
    return {
        'id': user.id,
        'name': user.name,
        'domain_id': user.domain_id,
        'enabled': True,
        'links': {},
    }


def _bad(message: str) -> Answer:
    return identity_error(400, 'Bad Request', message)


def _listing(call: Call, noun: str, rows: Iterable[dict[str, Any]]) -> Answer:
    """The rows that fit the query, cut into pages as later releases do."""
    query = Query(call.request.query, (*EXACT, 'limit', 'marker'), _bad)
    asked = query.present(EXACT)
    rows = [
        row
        for row in rows
        if all(str(row.get(key)) == value for key, value in asked.items())
    ]
    ids = [row['id'] for row in rows]
    marker = query.text('marker')
    start = ids.index(marker) + 1 if marker in ids else 0
    cap = call.cloud.knobs.max_page
    page = rows[start : start + min(query.integer('limit') or cap, cap)]
    links: dict[str, str | None] = {'next': None, 'previous': None}
    if rows[start + len(page) :]:
        where = urlencode({**asked, 'marker': page[-1]['id']})
        links['next'] = f'{call.request.base}{call.request.path}?{where}'
    return json_answer({noun: page, 'links': links})


@routes.route('GET', 'projects')
@routes.route('GET', 'auth/projects')
def list_projects(call: Call) -> Answer:
    _need_token(call)
    projects = call.cloud.state.projects.values()
    rows = [_project(call, row) for row in projects if row.member]
    return _listing(call, 'projects', rows)


@routes.route('GET', 'projects/{project_id}')
def show_project(call: Call, project_id: str) -> Answer:
    _need_token(call)
    project = call.cloud.state.projects.get(project_id)
    if project is None:
        return _not_found('project', project_id)
    if not project.member:
        message = (
            'You are not authorized to perform the requested action: '
            'identity:get_project.'
        )
        return identity_error(403, 'Forbidden', message)
    return json_answer({'project': _project(call, project)})


@routes.route('GET', 'domains')
def list_domains(call: Call) -> Answer:
    _need_token(call)
    rows = map(_domain, call.cloud.state.domains.values())
    return _listing(call, 'domains', rows)


@routes.route('GET', 'domains/{domain_id}')
def show_domain(call: Call, domain_id: str) -> Answer:
    _need_token(call)
    domain = call.cloud.state.domains.get(domain_id)
    if domain is None:
        return _not_found('domain', domain_id)
    return json_answer({'domain': _domain(domain)})


@routes.route('GET', 'users')
def list_users(call: Call) -> Answer:
    _need_token(call)
    return _listing(
        call, 'users', map(_user_row, call.cloud.state.users.values())
    )


@routes.route('GET', 'users/{user_id}')
def show_user(call: Call, user_id: str) -> Answer:
    _need_token(call)
    user = call.cloud.state.users.get(user_id)
    if user is None:
        return _not_found('user', user_id)
    return json_answer({'user': _user_row(user)})
