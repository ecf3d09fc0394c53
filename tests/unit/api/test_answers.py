# SPDX-License-Identifier: Apache-2.0
"""Answers that no HTTP library would send, byte for byte."""

from __future__ import annotations

import contextlib
import gzip
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from keystoneauth1.session import Session
from keystoneauth1.token_endpoint import Token

from tests.functional.listeners import Listener
from vbsclient.api import adapter, answers, errors, http
from vbsclient.api.http import Transport

NOTHING = b'Content-Length: 0\r\n\r\n'

#: Each may stand for a deletion that was carried out.
UNREADABLE = {
    'a chunk of a negative size': (
        b'HTTP/1.1 202 X\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n'
    ),
    'a chunk of no size': (
        b'HTTP/1.1 202 X\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nhello\r\n'
    ),
    'two lengths': (
        b'HTTP/1.1 202 X\r\nContent-Length: 3\r\nContent-Length: 7\r\n\r\nabc'
    ),
    'no gzip': (
        b'HTTP/1.1 202 X\r\nContent-Encoding: gzip\r\n'
        b'Content-Length: 3\r\n\r\nabc'
    ),
    'no HTTP': b'Connection refused by the service behind me\r\n',
    'a provisional answer alone': b'HTTP/1.1 102 X\r\n\r\n',
    'another protocol': b'HTTP/1.1 101 X\r\nUpgrade: h2c\r\n\r\n',
}


class InAHurry(threading.Event):
    """A stop event for which nobody waits."""

    def wait(self, timeout: float | None = None) -> bool:
        return False


@contextlib.contextmanager
def listening(
    answer: bytes, *, timeout: float = 5.0, **pace: float
) -> Iterator[tuple[Listener, Transport]]:
    listener = Listener(answer, **pace)
    session = Session(auth=Token(listener.url, 'top-secret'))
    transport = Transport(session, stop=InAHurry(), timeout=(timeout, timeout))
    try:
        yield listener, transport
    finally:
        listener.close()


@pytest.mark.parametrize('answer', UNREADABLE.values(), ids=UNREADABLE)
class TestUnreadable:
    def test_a_delete_was_sent_whatever_the_answer_is(
        self, answer: bytes
    ) -> None:
        with listening(answer) as (listener, transport):
            with pytest.raises(errors.RepeatedDelete) as raised:
                transport.delete(listener.url, accepted=202)
            assert isinstance(raised.value.error, errors.ConnectionFailed)
            assert raised.value.error.sent
            # Some of them meet a connection that was hung up before.
            assert raised.value.attempts == 5 >= listener.requests > 0

    def test_a_get_says_so_in_the_end(self, answer: bytes) -> None:
        with listening(answer) as (listener, transport):
            with pytest.raises(errors.ConnectionFailed):
                transport.get(listener.url)
            assert 5 >= listener.requests > 0


def test_the_real_answer_behind_a_provisional_one_is_nobody_elses() -> None:
    answer = b'HTTP/1.1 103 X\r\n\r\nHTTP/1.1 202 X\r\n' + NOTHING
    with listening(answer) as (listener, transport):
        with pytest.raises(errors.RepeatedDelete):
            transport.delete(listener.url, accepted=202)
        assert 5 >= listener.requests > 0


@pytest.mark.parametrize('charset', ['idna', 'undefined', 'hex', 'a\0b', 'x'])
@pytest.mark.parametrize('logged', [False, True])
def test_a_charset_that_cannot_be_used_hides_no_answer(
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


#: Without a bound each keeps its caller for minutes.
DRAWN_OUT = {
    'a head': b'HTTP/1.1 202 X\r\nX-Filler: ' + b'x' * 2000,
    'provisional answers': b'HTTP/1.1 100 X\r\n\r\n' * 100,
    'a body': b'HTTP/1.1 202 X\r\nContent-Length: 2000\r\n\r\n' + b' ' * 2000,
    'chunks': (
        b'HTTP/1.1 202 X\r\nTransfer-Encoding: chunked\r\n\r\n'
        + b'1\r\nx\r\n' * 500
    ),
    'a body of no known length': b'HTTP/1.1 202 X\r\n\r\n' + b' ' * 2000,
}


@pytest.mark.parametrize('answer', DRAWN_OUT.values(), ids=DRAWN_OUT)
def test_no_answer_is_drawn_out_for_ever(answer: bytes) -> None:
    pace = {'pause': 0.1, 'piece': 10}
    started = time.monotonic()
    with listening(answer, timeout=0.3, **pace) as (listener, transport):
        with pytest.raises(errors.RepeatedDelete) as raised:
            transport.delete(listener.url, accepted=202)
        assert isinstance(raised.value.error, errors.ConnectionFailed)
        assert raised.value.error.sent
    # Each of the five would take about twenty seconds.
    assert time.monotonic() - started < 18


def test_a_body_that_goes_on_coming_is_read_to_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(adapter, 'SLOWEST', 50)
    body = b'{"backups": [%s]}' % (b' ' * 200)
    head = b'HTTP/1.1 200 X\r\nContent-Length: %d\r\n\r\n' % len(body)
    pace = {'pause': 0.2, 'piece': 20}
    with listening(head + body, timeout=1.0, **pace) as (listener, transport):
        assert transport.get(listener.url) == {'backups': []}
        assert listener.requests == 1


def too_much(packed: bool, size: int = 2_000_000) -> tuple[bytes, bytes]:
    """(headers, body) of more than memory should hold."""
    body = b'x' * size
    if packed:
        return b'Content-Encoding: gzip\r\n', gzip.compress(body)
    return b'', body


@pytest.mark.parametrize('packed', [False, True])
@pytest.mark.parametrize('query', [{}, {'limit': '1000'}])
def test_no_body_fills_the_memory(
    packed: bool, query: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    largest = 'LARGEST_BODY' if query else 'LARGEST_SINGLE'
    monkeypatch.setattr(http, largest, 1_000_000)
    head, body = too_much(packed)
    answer = b'HTTP/1.1 200 X\r\n' + head + b'\r\n' + body
    with listening(answer) as (listener, transport):
        with pytest.raises(errors.ConnectionFailed) as raised:
            transport.get(listener.url, query)
        assert 'without an end' in raised.value.message
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
    assert sum(read) <= answers.LARGEST_REFUSAL + max(read)


def test_a_body_that_repeats_the_token_does_not_bring_it_into_the_log(
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
def test_nor_does_a_header_or_a_body_of_any_other_answer(
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
def test_what_is_read_of_an_answer_is_what_was_sent(charset: bytes) -> None:
    body = b'{"name": "top-secret \xc3\xa4"}'
    head = (
        b'HTTP/1.1 200 X\r\nContent-Type: application/json%s\r\n'
        b'Content-Length: %d\r\n\r\n' % (charset, len(body))
    )
    with listening(head + body) as (listener, transport):
        assert transport.get(listener.url) == {'name': 'top-secret ä'}
