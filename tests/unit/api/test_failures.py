# SPDX-License-Identifier: Apache-2.0
"""Why there is no answer: what never left is told from what was lost."""

import errno
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
from keystoneauth1.session import Session
from keystoneauth1.token_endpoint import Token
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)

from tests.functional.listeners import Listener, _Host, untrusted
from tests.unit.fakes import FakeCloud
from vbsclient.api import errors
from vbsclient.api.failures import CORRECT_FILES, TRUST_ISSUER
from vbsclient.api.http import Transport

URL = 'https://vbs.example/v3/p/backups/x'
ABORTED: Any = 'Connection aborted.'
POOL: Any = None


def wrapped(
    inside: Exception,
    kind: type[Exception] = requests.exceptions.ConnectionError,
) -> Exception:
    """As urllib3 and requests hand on what happened."""
    return kind(MaxRetryError(POOL, '/x', inside))


def os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def not_connected(cause: OSError) -> Exception:
    error = NewConnectionError(POOL, f'failed: {cause}')
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ('error', 'sent', 'told'),
    [
        (not_connected(os_error(errno.ECONNREFUSED)), False, 'refused'),
        (not_connected(os_error(errno.ENETUNREACH)), False, 'unreachable'),
        (not_connected(os_error(errno.EHOSTUNREACH)), False, 'no route'),
        (
            NameResolutionError('vbs.example', POOL, socket.gaierror(-2, 'x')),
            False,
            'unknown host',
        ),
        (
            NameResolutionError('vbs.example', POOL, socket.gaierror(-3, 'x')),
            False,
            'unknown host',
        ),
        (NewConnectionError(POOL, 'never heard of'), False, ''),
        (
            ProtocolError(ABORTED, os_error(errno.ECONNRESET)),
            True,
            'connection reset',
        ),
        (ProtocolError(ABORTED, os_error(errno.EPIPE)), True, ''),
        # What broke off was there, whatever words it holds.
        (ProtocolError('Connection refused'), True, ''),
        (ValueError('Name or service not known'), True, ''),
    ],
    ids=str,
)
def test_only_what_certainly_never_left_counts_as_not_sent(
    fake_cloud: Callable[..., FakeCloud],
    error: Exception,
    sent: bool,
    told: str,
) -> None:
    cloud = fake_cloud()
    cloud.on('GET', URL, exc=wrapped(error))
    with pytest.raises(errors.ConnectionFailed) as raised:
        Transport(cloud.session).get(URL)
    assert raised.value.sent is sent
    assert 'vbs.example' in raised.value.message
    assert told in raised.value.message


@pytest.mark.parametrize(
    ('error', 'sent'),
    [
        (
            wrapped(
                ConnectTimeoutError(POOL, 'x'),
                requests.exceptions.ConnectTimeout,
            ),
            False,
        ),
        (
            wrapped(
                ReadTimeoutError(POOL, '/', 'x'),
                requests.exceptions.ReadTimeout,
            ),
            True,
        ),
    ],
)
def test_nothing_was_sent_where_tls_failed(
    fake_cloud: Callable[..., FakeCloud], error: Exception, sent: bool
) -> None:
    cloud = fake_cloud()
    cloud.on('GET', URL, exc=error)
    with pytest.raises(errors.ConnectionFailed, match='in time') as raised:
        Transport(cloud.session).get(URL)
    assert raised.value.sent is sent


def test_the_failure_of_an_earlier_request_is_not_mixed_in(
    fake_cloud: Callable[..., FakeCloud],
) -> None:
    cloud = fake_cloud()
    refused = wrapped(not_connected(os_error(errno.ECONNREFUSED)))
    cloud.on('GET', URL, exc=refused)
    other = f'{URL}/y'
    lost = ProtocolError(ABORTED, os_error(errno.ECONNRESET))
    cloud.on('GET', other, exc=wrapped(lost))
    transport = Transport(cloud.session)
    with pytest.raises(errors.ConnectionFailed) as raised:
        ask_twice(transport, other)
    assert raised.value.sent


def ask_twice(transport: Transport, other: str) -> None:
    try:
        transport.get(URL)
    except errors.ConnectionFailed:
        transport.get(other)


# -- certificates ----------------------------------------------------------


class Secret(_Host):
    """An https host with a certificate of a kind."""

    def __init__(self, authority: trustme.CA, **options: Any) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        name = options.pop('name', '127.0.0.1')
        authority.issue_cert(name, **options).configure_cert(self._context)
        super().__init__()
        self.url = f'https://127.0.0.1:{self.port}'

    def _meet(self, caller: socket.socket) -> None:
        caller.settimeout(5)
        with self._context.wrap_socket(caller, server_side=True) as secret:
            secret.recv(65536)


def failure(url: str, verify: Any = True) -> errors.ConnectionFailed:
    session = Session(auth=Token(url, 'token'), verify=verify)
    with pytest.raises(errors.ConnectionFailed) as raised:
        Transport(session, timeout=(5.0, 5.0)).delete(url, accepted=202)
    return raised.value


@pytest.mark.parametrize(
    ('options', 'reason', 'advice'),
    [
        ({'name': 'vbs.example'}, 'IP address mismatch', 'name'),
        ({'not_after': 'past'}, 'has expired', 'clock'),
        ({'not_before': 'future'}, 'not yet valid', 'clock'),
    ],
)
def test_the_reason_why_a_certificate_is_not_valid(
    tmp_path: Path, options: dict[str, Any], reason: str, advice: str
) -> None:
    from datetime import datetime, timedelta

    moments = {
        'past': datetime.utcnow() - timedelta(days=1),  # noqa: DTZ003
        'future': datetime.utcnow() + timedelta(days=1),  # noqa: DTZ003
    }
    options = {k: moments.get(v, v) for k, v in options.items()}
    authority = trustme.CA()
    file = tmp_path / 'ca.pem'
    authority.cert_pem.write_to_path(str(file))
    host = Secret(authority, **options)
    try:
        error = failure(host.url, str(file))
    finally:
        host.close()
    assert reason in error.message
    assert advice in str(error.hint)
    assert error.hint != TRUST_ISSUER
    assert not error.sent


def test_an_unknown_authority_is_what_cacert_is_for() -> None:
    with untrusted() as server:
        error = failure(server.url)
        assert server.callers == 1
    assert 'unable to get local issuer' in error.message
    assert error.hint == TRUST_ISSUER
    assert not error.sent


@pytest.mark.parametrize('content', [None, '', 'no certificate', 'BROKEN'])
def test_a_file_of_certificates_that_is_none(
    tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / 'ca.pem'
    if content is not None:
        begin = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n'
        file.write_text(begin if content == 'BROKEN' else content)
    with untrusted() as server:
        error = failure(server.url, str(file))
    assert 'the certificate file cannot be used' in error.message
    assert 'ca.pem' in error.message
    assert error.hint == CORRECT_FILES
    assert not error.sent


# -- proxies ---------------------------------------------------------------


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    made: list[Listener] = []

    def make(answer: bytes, login: str = 'me:hunter2@') -> None:
        for name in ('no_proxy', 'NO_PROXY', 'all_proxy', 'ALL_PROXY'):
            monkeypatch.delenv(name, raising=False)
        made.append(Listener(answer))
        place = f'127.0.0.1:{made[-1].port}'
        monkeypatch.setenv('https_proxy', f'http://{login}{place}')

    yield make
    for listener in made:
        listener.close()


@pytest.mark.parametrize('status', [403, 407, 502, 503])
@pytest.mark.usefixtures('no_waiting')
def test_a_proxy_that_makes_no_tunnel_is_named(
    proxy: Callable[..., None], status: int
) -> None:
    proxy(b'HTTP/1.1 %d Some Words\r\nContent-Length: 0\r\n\r\n' % status)
    error = failure(URL)
    assert f'(it answered {status})' in error.message
    assert 'the proxy 127.0.0.1:' in error.message
    assert 'hunter2' not in error.message
    assert 'https_proxy' in str(error.hint)
    assert not error.sent


@pytest.mark.parametrize('answer', [b'\r', b'no HTTP\r\n', b'HTTP/1.1 '])
@pytest.mark.usefixtures('no_waiting')
def test_nothing_was_sent_through_a_proxy_that_answers_nonsense(
    proxy: Callable[..., None], answer: bytes
) -> None:
    proxy(answer)
    error = failure(URL)
    assert 'the proxy 127.0.0.1:' in error.message
    assert not error.sent


@pytest.mark.usefixtures('no_waiting')
@pytest.mark.parametrize('url', [URL, URL.replace('https', 'http')])
def test_a_proxy_that_cannot_be_reached(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    for name in ('no_proxy', 'NO_PROXY'):
        monkeypatch.delenv(name, raising=False)
    for scheme in ('http', 'https'):
        monkeypatch.setenv(f'{scheme}_proxy', 'http://127.0.0.1:1')
    error = failure(url)
    assert 'through the proxy 127.0.0.1:1 (connection ref' in error.message
    assert not error.sent


@pytest.mark.parametrize('variable', ['ALL_PROXY', 'all_proxy', 'https_proxy'])
@pytest.mark.parametrize('scheme', ['socks5', 'socks5h', 'socks4a'])
def test_socks_names_the_variable_and_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, variable: str, scheme: str
) -> None:
    def missing(*args: Any, **keywords: Any) -> Any:
        raise requests.exceptions.InvalidSchema('Missing dependencies')

    # As requests has it where PySocks is not installed.
    monkeypatch.setattr('requests.adapters.SOCKSProxyManager', missing)
    for name in ('no_proxy', 'NO_PROXY', 'https_proxy', 'HTTPS_PROXY'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, f'{scheme}://me:hunter2@127.0.0.1:1080')
    error = failure(URL)
    assert error.message.startswith(f'{variable} names a SOCKS proxy (127.')
    assert 'PySocks' in error.message
    assert 'hunter2' not in error.message
    assert not error.sent


@pytest.mark.parametrize(
    'proxy',
    [
        'http:///me:hunter2@x',
        'http://me:hunter2@:::x',
        'http://me:hunter2@[::x',
        'http://me:hunter2@x:99999999',
    ],
)
def test_a_proxy_that_is_no_url(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    for name in ('no_proxy', 'NO_PROXY'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('https_proxy', proxy)
    error = failure(URL)
    assert 'https_proxy' in error.message
    assert 'hunter2' not in error.message
    assert not error.sent


def test_an_unusable_address_is_not_blamed_on_the_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ('no_proxy', 'NO_PROXY'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('https_proxy', 'http://127.0.0.1:1')
    error = failure('https://127.0.0.1:::x/v2')
    assert error.message.startswith("the address 'https://127.0.0.1:::x/v2'")
