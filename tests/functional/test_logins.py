# SPDX-License-Identifier: Apache-2.0
"""Logins that end, that are refused, and that nobody answers."""

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from keystoneauth1.session import Session

from tests.functional.conftest import CloudFactory
from tests.functional.listeners import Listener
from tests.functional.shell import BOUND, Openstack
from tests.functional.wire import deletes, requests
from tests.sandbox import Fault, LoggedRequest, Sandbox
from vbsclient.api.session import OwnSession

DELETE = ('vbs', 'backup', 'delete')


def login(c: Sandbox, **changes: Any) -> dict[str, Any]:
    return {
        'auth_url': f'{c.url}/identity/v3',
        'username': 'demo',
        'password': 'secret',
        'project_name': 'demo',
        'user_domain_name': 'Default',
        'project_domain_name': 'Default',
        **changes,
    }


def passcode_login(c: Sandbox) -> dict[str, Any]:
    """The keys of a cloud that wants a password and a passcode."""
    return {
        'auth_type': 'v3multifactor',
        'auth_methods': ['v3password', 'v3totp'],
        'auth': login(c, passcode='123456'),
    }


def logins(c: Sandbox) -> list[LoggedRequest]:
    return [
        r
        for r in c.requests
        if r.method == 'POST' and r.path.endswith('/auth/tokens')
    ]


# -- a token that ends -----------------------------------------------------


def test_the_token_that_is_left_is_used(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    """It ends sooner than keystoneauth likes, and later than the wait."""
    c = cloud(token_seconds=60, deletion_time=0.2)
    ids = [c.state.add_backup().id for _ in range(4)]
    openstack(
        *DELETE,
        *ids,
        '--wait',
        config=passcode_login(c),
        complains=['This login is a token (auth_type v3multifactor)'],
        code=0,
    )
    assert not c.state.backups
    assert [r.status for r in logins(c)] == [201]


@pytest.mark.parametrize('status', [401, 403, 404])
@pytest.mark.parametrize('command', ['vbs backup', 'csbs backup'])
def test_a_login_that_is_refused_is_tried_once_and_ends_the_wait(
    cloud: CloudFactory, openstack: Openstack, command: str, status: int
) -> None:
    def revoke(request: LoggedRequest) -> None:
        if request.method == 'DELETE':
            c.state.tokens.clear()

    c = cloud(deletion_time=3600, on_finished=revoke)
    if command == 'vbs backup':
        id = c.state.add_backup().id
    else:
        id = c.state.add_checkpoint().items[0].id
    error = {'code': status, 'message': 'Could not find token: (hidden).'}
    c.knobs.faults.append(
        Fault(
            'status',
            'POST',
            'auth/tokens',
            status=status,
            body=json.dumps({'error': error}),
            skip=1,
            times=None,
        )
    )
    started = time.monotonic()
    openstack(
        *command.split(),
        'delete',
        id,
        '--wait',
        complains=[
            re.compile(
                f'^Stopped waiting: the identity service does not renew '
                f'the login \\(127.0.0.1:\\d+ answered {status}: Could not '
                f'find token'
            ),
            'Whether 1 of 1 backups is deleted by now is unknown: ',
        ],
        code=3,
    )
    assert [r.status for r in logins(c)] == [201, status]
    assert time.monotonic() - started < BOUND


UNANSWERED = {
    'busy': Fault('status', 'POST', 'auth/tokens', 503, skip=1, times=None),
    'too many': Fault(
        'status', 'POST', 'auth/tokens', 429, skip=1, times=None
    ),
    'reset': Fault('reset-before', 'POST', 'auth/tokens', skip=1, times=None),
    'hangs': Fault('hang', 'POST', 'auth/tokens', skip=1, times=None),
}


@pytest.mark.parametrize('fault', UNANSWERED.values(), ids=UNANSWERED)
def test_a_login_without_an_answer_sent_nothing_and_says_so(
    cloud: CloudFactory, openstack: Openstack, fault: Fault
) -> None:
    ended = Fault('status', 'DELETE', status=401, times=None)
    fault.seen = fault.hits = 0
    c = cloud(faults=[ended, fault])
    backup = c.state.add_backup('nightly')
    result = openstack(
        *DELETE,
        backup.id,
        '--report',
        '-f',
        'json',
        config={'api_timeout': 0.3},
        complains=[
            re.compile(f'^Failed to delete .*{backup.id}.*the login failed: '),
            '1 of 1 backups failed to delete.',
        ],
    )
    assert [row['Result'] for row in result.json()] == ['failed']
    assert len(deletes(c)) == 1
    assert len(logins(c)) == 1 + 5
    assert list(c.state.backups) == [backup.id]


@pytest.mark.parametrize('fault', UNANSWERED.values(), ids=UNANSWERED)
def test_a_wait_that_sees_nothing_says_nothing_of_what_it_waits_for(
    cloud: CloudFactory, openstack: Openstack, fault: Fault
) -> None:
    fault.seen = fault.hits = 0

    def revoke(request: LoggedRequest) -> None:
        if request.method == 'DELETE':
            c.state.tokens.clear()

    c = cloud(faults=[fault], deletion_time=0.1, on_finished=revoke)
    result = openstack(
        *DELETE,
        c.state.add_backup('nightly').id,
        '--wait',
        '--timeout=1',
        '--report',
        '-f',
        'json',
        config={'api_timeout': 0.3},
        complains=[
            re.compile(
                '^Whether 1 of 1 backups is deleted by now is unknown: '
                'nightly .*could not be read \\(the login failed: '
            ),
        ],
        code=3,
    )
    (row,) = result.json()
    assert row['Result'] == 'accepted'
    assert 'its status is unknown: the login failed: ' in row['Detail']
    assert fault.hits


def test_a_call_that_access_rules_forbid_is_named(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup = c.state.add_backup('nightly')
    c.knobs.faults.append(Fault('status', 'DELETE', status=401, times=None))
    openstack(
        *DELETE,
        'nightly',
        complains=[
            re.compile(
                f'to DELETE /vbs/v2/{c.project_id}/backups/{backup.id}, with '
                f'a new token\\).*access rules of an application credential'
            ),
            '1 of 1',
        ],
    )
    assert len(logins(c)) == 2


# -- the first login -------------------------------------------------------


@pytest.fixture
def drips() -> Iterator[Listener]:
    """An identity service whose answer goes on coming."""
    listener = Listener(
        b'HTTP/1.1 200 X\r\nX-Filler: ' + b'x' * 600, pause=0.1
    )
    yield listener
    listener.close()


@pytest.mark.parametrize(
    'command',
    ['vbs backup list', 'vbs quota show', 'csbs backup show x', 'list'],
)
def test_an_identity_service_that_never_answers_ends_in_time(
    cloud: CloudFactory, openstack: Openstack, command: str
) -> None:
    c = cloud(faults=[Fault('hang', path='identity', times=None)])
    if command == 'list':
        command = 'csbs checkpoint delete x'
    started = time.monotonic()
    openstack(
        *command.split(),
        config={'api_timeout': 0.3},
        complains=[
            ...,
            re.compile(r'^The login failed: 127.0.0.1:\d+ did not answer in'),
        ],
    )
    assert time.monotonic() - started < BOUND
    assert requests(c) == []


def test_nor_does_one_that_drips(
    cloud: CloudFactory, openstack: Openstack, drips: Listener
) -> None:
    c = cloud()
    started = time.monotonic()
    result = openstack.run(
        *('vbs', 'backup', 'list'),
        config={
            'api_timeout': 0.3,
            'auth': login(c, auth_url=f'{drips.url}/v3'),
        },
    )
    assert result.code == 1
    assert 'The login failed: ' in result.stderr
    assert time.monotonic() - started < BOUND


# -- what is not ours ------------------------------------------------------


def test_nothing_of_ours_stays_on_the_session_of_openstack(
    cloud: CloudFactory, openstack: Openstack, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[Session, dict[str, Any], dict[str, Any]]] = []
    make = OwnSession.__init__

    def noted(self: OwnSession, session: Session, **keywords: Any) -> None:
        given.append(
            (session, dict(vars(session)), dict(session.session.adapters))
        )
        make(self, session, **keywords)

    monkeypatch.setattr(OwnSession, '__init__', noted)
    c = cloud()
    c.state.add_backup('nightly')
    openstack(*DELETE, 'nightly', '--concurrency=64')
    assert given
    for session, before, adapters in given:
        if type(session) is Session:
            assert vars(session) == before
            assert session.timeout is None
            assert dict(session.session.adapters) == adapters


def test_the_times_of_our_requests_are_shown(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    result = openstack('--timing', 'vbs', 'backup', 'list')
    assert f'GET {c.url}/vbs/v2/{c.project_id}/backups/detail' in (
        result.stdout
    )


# -- a login in a URL ------------------------------------------------------


@pytest.mark.parametrize(
    'override',
    [
        'http://me:hunter2@127.0.0.1:1/vbs',
        'http://me:hun/ter2@127.0.0.1:1/vbs',
        'me:hunter2@127.0.0.1/vbs',
    ],
)
def test_a_login_in_an_override_is_not_shown(
    cloud: CloudFactory, openstack: Openstack, override: str
) -> None:
    cloud()
    result = openstack.run(
        *DELETE, 'x', config={'vbs_endpoint_override': override}
    )
    assert result.code == 1
    assert 'ter2' not in result.stdout + result.stderr
    assert '127.0.0.1' in result.stderr


# -- pages of gateways -----------------------------------------------------

PORTAL = '<!doctype html><html><title>Please log in</title></html>'


def test_the_page_of_a_portal_deletes_no_share(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    partner = c.state.add_project('partner', member=False)
    share = c.state.add_share(c.state.add_backup(), partner)
    html = {'Content-Type': 'text/html'}
    c.knobs.faults.append(
        Fault('status', 'DELETE', status=200, body=PORTAL, headers=html)
    )
    openstack(
        *('vbs', 'share', 'delete', share.id),
        complains=[
            re.compile(f'{share.id}.*answered 200 with a body which it does'),
            '1 of 1',
        ],
    )
    assert list(c.state.shares) == [share.id]


def test_a_rate_limiter_of_cinder_is_obeyed(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    body = '{"overLimitFault": {"code": 413, "message": "rate-limited"}}'
    limited = Fault(
        'status',
        status=413,
        body=body,
        path='backups',
        headers={'Retry-After': '0'},
        times=60,
        probability=0.5,
    )
    c = cloud(faults=[limited])
    ids = [c.state.add_backup().id for _ in range(30)]
    openstack(*DELETE, *ids)
    assert not c.state.backups
    assert limited.hits > 10


@pytest.mark.parametrize('times', [1, None])
def test_a_dropped_version_document_ends_no_run(
    cloud: CloudFactory, openstack: Openstack, times: int | None
) -> None:
    c = cloud(discovery='both')
    backup = c.state.add_backup()
    c.knobs.faults.append(Fault('reset-before', 'GET', '/vbs/$', times=times))
    openstack(*DELETE, backup.id)
    version = 'v3' if times else 'v2'
    assert deletes(c) == [f'DELETE /vbs/{version}/{{P}}/backups/{backup.id}']
