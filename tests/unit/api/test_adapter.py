# SPDX-License-Identifier: Apache-2.0
"""Answers that no HTTP library would send, byte for byte, and in time."""

import time

import pytest

from tests.unit.api.listening import listening
from vbsclient.api import adapter, errors

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
            # Some of them use a connection that was closed before.
            assert raised.value.attempts == 5 >= listener.requests > 0

    @pytest.mark.parametrize('method', ['post', 'put'])
    def test_a_change_is_unknown_and_sent_once(
        self, answer: bytes, method: str
    ) -> None:
        with listening(answer) as (listener, transport):
            with pytest.raises(errors.OutcomeUnknown) as raised:
                getattr(transport, method)(listener.url, {}, accepted=202)
            assert isinstance(raised.value.refusal, errors.ConnectionFailed)
            assert raised.value.refusal.sent
            assert listener.requests == 1

    def test_a_get_fails(self, answer: bytes) -> None:
        with listening(answer) as (listener, transport):
            with pytest.raises(errors.ConnectionFailed):
                transport.get(listener.url)
            assert 5 >= listener.requests > 0


def test_a_final_answer_is_not_used_for_the_next_request() -> None:
    answer = b'HTTP/1.1 103 X\r\n\r\nHTTP/1.1 202 X\r\n' + NOTHING
    with listening(answer) as (listener, transport):
        with pytest.raises(errors.RepeatedDelete):
            transport.delete(listener.url, accepted=202)
        assert 5 >= listener.requests > 0


#: Without a limit each would take minutes.
SLOW_ANSWERS = {
    'a head': b'HTTP/1.1 202 X\r\nX-Filler: ' + b'x' * 2000,
    'provisional answers': b'HTTP/1.1 100 X\r\n\r\n' * 100,
    'a body': b'HTTP/1.1 202 X\r\nContent-Length: 2000\r\n\r\n' + b' ' * 2000,
    'chunks': (
        b'HTTP/1.1 202 X\r\nTransfer-Encoding: chunked\r\n\r\n'
        + b'1\r\nx\r\n' * 500
    ),
    'a body of no known length': b'HTTP/1.1 202 X\r\n\r\n' + b' ' * 2000,
}


@pytest.mark.parametrize('answer', SLOW_ANSWERS.values(), ids=SLOW_ANSWERS)
def test_the_time_for_an_answer_is_limited(answer: bytes) -> None:
    pace = {'pause': 0.1, 'piece': 10}
    started = time.monotonic()
    with listening(answer, timeout=0.3, **pace) as (listener, transport):
        with pytest.raises(errors.RepeatedDelete) as raised:
            transport.delete(listener.url, accepted=202)
        assert isinstance(raised.value.error, errors.ConnectionFailed)
        assert raised.value.error.sent
    # Each of the five would take about twenty seconds.
    assert time.monotonic() - started < 60


def test_a_body_that_arrives_fast_enough_is_read_to_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(adapter, 'SLOWEST', 50)
    body = b'{"backups": [%s]}' % (b' ' * 200)
    head = b'HTTP/1.1 200 X\r\nContent-Length: %d\r\n\r\n' % len(body)
    pace = {'pause': 0.2, 'piece': 20}
    with listening(head + body, timeout=1.0, **pace) as (listener, transport):
        assert transport.get(listener.url) == {'backups': []}
        assert listener.requests == 1


def test_a_change_without_a_connection_was_not_sent() -> None:
    with listening(b'') as (listener, transport):
        listener.close()
        with pytest.raises(errors.ConnectionFailed) as raised:
            transport.post(listener.url, {}, accepted=202)
        assert not raised.value.sent


@pytest.mark.parametrize('answer', SLOW_ANSWERS.values(), ids=SLOW_ANSWERS)
def test_a_change_whose_answer_takes_too_long_is_unknown(
    answer: bytes,
) -> None:
    pace = {'pause': 0.1, 'piece': 10}
    with listening(answer, timeout=0.3, **pace) as (listener, transport):
        with pytest.raises(errors.OutcomeUnknown):
            transport.post(listener.url, {}, accepted=202)
        assert listener.requests == 1
