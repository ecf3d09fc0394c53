# SPDX-License-Identifier: Apache-2.0
"""Our own session has limits, and leaves the given one as it was."""

import gzip
from collections.abc import Callable
from typing import Any

import pytest
import requests
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from tests.unit.api.listening import listening
from tests.unit.fakes import IDENTITY, FakeCloud
from vbsclient.api import errors, http
from vbsclient.api.adapter import Adapter
from vbsclient.api.csbs import CSBSClient
from vbsclient.api.http import Limits, Transport
from vbsclient.api.session import LARGEST_REFUSAL
from vbsclient.api.vbs import VBSClient

URL = 'https://vbs.example/v2/p/backups'
VBS = 'https://vbs.example/'


def state_of(session: Session) -> dict[str, Any]:
    """What anybody could notice of a session."""
    return {
        **vars(session),
        'adapters': dict(session.session.adapters),
        'sender': dict(vars(session.session)),
    }


class TestGivenSession:
    @pytest.mark.parametrize('concurrency', [1, 10, 64])
    @pytest.mark.parametrize('timeout', [None, 7.0])
    def test_it_stays_as_it_is(
        self,
        fake_cloud: Callable[..., FakeCloud],
        concurrency: int,
        timeout: float | None,
    ) -> None:
        catalog = {'vbs': VBS, 'data-protect': 'https://csbs.example/'}
        session = fake_cloud(catalog, timeout=timeout).session
        before = state_of(session)
        for client in (VBSClient, CSBSClient):
            made = client(
                session, limits=Limits(concurrency), timeout=(1.0, 2.0)
            )
            _ = made.endpoint
        after = state_of(session)
        # What it learned of the login is of its plugin.
        assert after == before

    def test_its_connections_outlive_ours(self) -> None:
        session = Session()
        mounted = dict(session.session.adapters)
        Transport(session)
        assert session._session is session.session
        assert dict(session.session.adapters) == mounted

    def test_an_adapter_that_was_mounted_on_purpose_is_used(
        self, fake_cloud: Callable[..., FakeCloud]
    ) -> None:
        cloud = fake_cloud()
        cloud.on('GET', URL, json={})
        Transport(cloud.session, limits=Limits(concurrency=64)).get(URL)
        assert cloud.sent() == [f'GET {URL}']

    def test_its_timings_have_our_requests(
        self, fake_cloud: Callable[..., FakeCloud]
    ) -> None:
        cloud = fake_cloud()
        cloud.session._collect_timing = True
        cloud.on('GET', URL, json={})
        Transport(cloud.session).get(URL)
        assert [t.url for t in cloud.session.get_timings()][-1] == URL

    @pytest.mark.parametrize('split', [None, True])
    def test_its_loggers_show_no_token(
        self,
        fake_cloud: Callable[..., FakeCloud],
        split: bool | None,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level('DEBUG')
        cloud = fake_cloud()
        cloud.session._split_loggers = split
        headers = {'x-openstack-request-id': 'token-1', 'X-More': 'token-1'}
        headers['Content-Type'] = 'application/json'
        cloud.on('GET', URL, json={'you': 'sent token-1'}, headers=headers)
        Transport(cloud.session).get(URL)
        assert 'sent ***' in caplog.text
        assert 'used request id ***' in caplog.text
        assert 'token-1' not in caplog.text


class TestOwnSession:
    @pytest.mark.parametrize(
        ('concurrency', 'connections'), [(1, 10), (10, 10), (64, 64)]
    )
    def test_no_thread_waits_for_a_connection(
        self, concurrency: int, connections: int
    ) -> None:
        adapters = Transport(
            Session(), limits=Limits(concurrency=concurrency)
        ).session.session.adapters
        assert {type(a) for a in adapters.values()} == {Adapter}
        assert {a._pool_maxsize for a in adapters.values()} == {connections}

    def test_its_tls_requirements_are_kept(self) -> None:
        try:
            session = Session(tls_min_version='1.3')
        except TypeError:
            pytest.skip('this keystoneauth knows no such demand')
        adapters = Transport(session).session.session.adapters
        assert {a.tls_min_version for a in adapters.values()} == {'1.3'}

    def test_its_other_settings_are_kept(self) -> None:
        sender = requests.Session()
        sender.trust_env = False
        sender.proxies = {'https': 'http://proxy.example:3128'}
        given = Session(
            auth=v3.Password(IDENTITY, username='x', password='y'),
            session=sender,
            verify='/etc/ca.pem',
            cert=('/c', '/k'),
            app_name='me',
            additional_headers={'X-Mine': '1'},
        )
        own = Transport(given).session
        for name in ('auth', 'verify', 'cert', 'app_name', 'user_agent'):
            assert getattr(own, name) == getattr(given, name)
        assert own.additional_headers == {'X-Mine': '1'}
        assert own.session.proxies == sender.proxies
        assert own.session.trust_env is False

    def test_a_login_has_a_timeout(
        self, fake_cloud: Callable[..., FakeCloud]
    ) -> None:
        cloud = fake_cloud(timeout=None)
        cloud.on('GET', URL, json={})
        Transport(cloud.session, timeout=(3.0, 4.0)).get(URL)
        login = cloud.http.request_history[0]
        assert login.url.startswith(IDENTITY)
        assert login.timeout == (3.0, 4.0)

    def test_a_password_is_not_sent_elsewhere(
        self, fake_cloud: Callable[..., FakeCloud]
    ) -> None:
        cloud = fake_cloud()
        cloud.on(
            'POST',
            f'{IDENTITY}/auth/tokens',
            status_code=307,
            headers={'Location': 'https://me:pw@evil.example/v3/auth/tokens'},
        )
        with pytest.raises(errors.LoginUnanswered) as raised:
            Transport(cloud.session).get(URL)
        assert 'redirects to evil.example' in raised.value.message
        assert cloud.sent() == []


@pytest.mark.parametrize('charset', ['idna', 'undefined', 'hex', 'a\0b', 'x'])
@pytest.mark.parametrize('logged', [False, True])
def test_an_answer_with_an_unusable_charset_is_read(
    charset: str, logged: bool, caplog: pytest.LogCaptureFixture
) -> None:
    if logged:
        # keystoneauth decodes what it writes.
        caplog.set_level('DEBUG')
    body = b'{"error": {"message": "in use"}}'
    head = (
        f'Content-Type: text/plain; charset={charset}\r\n'
        f'Content-Length: {len(body)}\r\n\r\n'
    ).encode()
    with listening(b'HTTP/1.1 400 X\r\n' + head + body) as (listener, sender):
        with pytest.raises(errors.BadRequest) as raised:
            sender.delete(listener.url, accepted=202)
        assert raised.value.message == 'in use'
    body = b'{' + b' ' * (len(body) - 2) + b'}'
    with listening(b'HTTP/1.1 202 X\r\n' + head + body) as (listener, sender):
        assert sender.delete(listener.url, accepted=202).attempts == 1


def too_much(packed: bool, size: int = 2_000_000) -> tuple[bytes, bytes]:
    """(headers, body) of more than memory should hold."""
    body = b'x' * size
    if packed:
        return b'Content-Encoding: gzip\r\n', gzip.compress(body)
    return b'', body


@pytest.mark.parametrize('packed', [False, True])
@pytest.mark.parametrize('query', [{}, {'limit': '1000'}])
def test_the_size_of_a_body_is_limited(
    packed: bool, query: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    largest = 'LARGEST_PAGE' if query else 'LARGEST_SINGLE'
    monkeypatch.setattr(http, largest, 1_000_000)
    head, body = too_much(packed)
    answer = b'HTTP/1.1 200 X\r\n' + head + b'\r\n' + body
    with listening(answer) as (listener, transport):
        with pytest.raises(errors.ConnectionFailed) as raised:
            transport.get(listener.url, query)
        assert 'is too large' in raised.value.message
        assert raised.value.sent
        assert listener.requests == 1


@pytest.mark.parametrize('packed', [False, True])
@pytest.mark.parametrize(
    ('method', 'status'),
    [
        *(('GET', status) for status in (400, 404, 500)),
        *(('DELETE', status) for status in (200, 202, 404, 500)),
    ],
)
def test_of_a_refusal_and_of_a_delete_only_the_beginning_is_read(
    method: str,
    status: int,
    packed: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[int] = []
    whole = requests.Response.iter_content

    def counted(self: requests.Response, *args: Any, **more: Any) -> Any:
        for piece in whole(self, *args, **more):
            read.append(len(piece))
            yield piece

    monkeypatch.setattr(requests.Response, 'iter_content', counted)
    head, body = too_much(packed, 100_000_000 if packed else 5_000_000)
    answer = b'HTTP/1.1 %d X\r\n' % status + head + b'\r\n' + body
    with listening(answer) as (listener, transport):
        ask = {
            'GET': lambda: transport.get(listener.url),
            'DELETE': lambda: transport.delete(listener.url, accepted=202),
        }[method]
        with pytest.raises(errors.ServiceError) as raised:
            ask()
        assert raised.value.status == status
        assert listener.requests == 1
    assert sum(read) <= LARGEST_REFUSAL + max(read)


def test_a_token_in_a_body_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level('DEBUG')
    body = b'{"error": {"message": "X-Auth-Token: top-secret"}}'
    head = (
        b'HTTP/1.1 400 X\r\nContent-Type: application/json\r\n'
        b'Content-Length: %d\r\n\r\n' % len(body)
    )
    with (
        listening(head + body) as (listener, transport),
        pytest.raises(errors.BadRequest) as raised,
    ):
        transport.delete(listener.url, accepted=202)
    assert 'RESP BODY' in caplog.text
    assert 'X-Auth-Token: ***' in raised.value.message
    assert 'top-secret' not in caplog.text


@pytest.mark.parametrize('status', [202, 302, 400])
def test_a_token_in_any_header_or_body_is_not_logged(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level('DEBUG')
    body = b'{"you": "sent top-secret"}'
    head = (
        b'HTTP/1.1 %d X\r\nContent-Type: application/json\r\n'
        b'Location: http://evil.example/?token=top-secret\r\n'
        b'Set-Cookie: token=top-secret; path=/\r\n'
        b'X-Openstack-Request-Id: top-secret\r\n'
        b'Content-Length: %d\r\n\r\n' % (status, len(body))
    )
    with listening(head + body) as (listener, transport):
        if status == 202:
            transport.delete(listener.url, accepted=202)
        else:
            with pytest.raises(errors.ServiceError):
                transport.delete(listener.url, accepted=202)
    assert 'sent ***' in caplog.text
    assert 'top-secret' not in caplog.text


@pytest.mark.parametrize('charset', [b'', b'; charset=utf-8'])
def test_a_body_is_read_as_it_was_sent(charset: bytes) -> None:
    body = b'{"name": "top-secret \xc3\xa4"}'
    head = (
        b'HTTP/1.1 200 X\r\nContent-Type: application/json%s\r\n'
        b'Content-Length: %d\r\n\r\n' % (charset, len(body))
    )
    with listening(head + body) as (listener, transport):
        assert transport.get(listener.url) == {'name': 'top-secret ä'}
