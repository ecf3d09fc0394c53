# SPDX-License-Identifier: Apache-2.0
"""How requests are sent: no redirects, few repetitions, one new login."""

import contextlib
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.api.listening import NoWait
from tests.unit.fakes import IDENTITY, FakeCloud
from tests.unit.values import JSON
from vbsclient.api import errors
from vbsclient.api.http import (
    LAST_LOOK,
    AdaptiveLimit,
    Deadline,
    Handle,
    Limits,
    Receipt,
    Transport,
    seconds_to_wait,
    with_handle,
)

URL = 'https://vbs.example/v3/p/backups/x'
EVIL = 'https://evil.example/'
HTTP_DATE = 'Fri, 01 Jan 2100 00:00:00 GMT'
REPEATED = (408, 429, 502, 503, 504)
MakeCloud = Callable[..., FakeCloud]


class Clock(threading.Event):
    """A stop event that records its waits and returns at once."""

    def __init__(self, *, set_at_wait: int | None = None) -> None:
        super().__init__()
        self.waits: list[float] = []
        self._set_at_wait = set_at_wait

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0.0)
        if len(self.waits) == self._set_at_wait:
            self.set()
        return self.is_set()


def _ask(transport: Transport, method: str) -> None:
    if method == 'GET':
        transport.get(URL)
    else:
        transport.delete(URL, accepted=202)


class TestRedirects:
    @pytest.mark.parametrize('status', [301, 302, 303, 305, 307, 308])
    @pytest.mark.parametrize('method', ['GET', 'DELETE'])
    def test_the_other_host_gets_no_request(
        self, fake_cloud: MakeCloud, method: str, status: int
    ) -> None:
        cloud = fake_cloud()
        cloud.on(method, URL, status_code=status, headers={'Location': EVIL})
        transport = Transport(cloud.session)

        with pytest.raises(errors.RedirectRefused) as raised:
            _ask(transport, method)
        assert 'evil.example' in raised.value.message
        assert cloud.sent() == [f'{method} {URL}']

    @pytest.mark.parametrize(
        'location',
        [
            None,
            '/here',
            'nonsense',
            'https://[x',
        ],
    )
    def test_a_redirect_without_a_usable_address_is_refused_too(
        self, fake_cloud: MakeCloud, location: str | None
    ) -> None:
        cloud = fake_cloud()
        headers = {'Location': location} if location else {}
        cloud.on('DELETE', URL, status_code=307, headers=headers)

        with pytest.raises(errors.RedirectRefused):
            Transport(cloud.session).delete(URL, accepted=202)
        assert len(cloud.sent()) == 1


class TestRepetition:
    @pytest.mark.parametrize('status', REPEATED)
    def test_a_get_is_repeated_until_it_succeeds(
        self, fake_cloud: MakeCloud, status: int
    ) -> None:
        cloud = fake_cloud()
        cloud.on(
            'GET',
            URL,
            {'status_code': status},
            {'status_code': status},
            {'json': {'backup': {}}},
        )
        assert Transport(cloud.session).get(URL) == {'backup': {}}
        assert len(cloud.sent()) == 3

    @pytest.mark.parametrize(
        ('status', 'attempts'),
        [(408, 5), (429, 12), (502, 5), (503, 5), (504, 5)],
    )
    def test_a_get_gives_up(
        self, fake_cloud: MakeCloud, status: int, attempts: int
    ) -> None:
        cloud = fake_cloud()
        cloud.on('GET', URL, status_code=status)

        with pytest.raises(errors.ServiceError) as raised:
            Transport(cloud.session).get(URL)
        assert raised.value.status == status
        assert len(cloud.sent()) == attempts

    @pytest.mark.parametrize(
        'status', [400, 403, 404, 405, 406, 407, 409, 413, 500, 501, 505]
    )
    @pytest.mark.parametrize('method', ['GET', 'DELETE'])
    def test_other_refusals_are_final(
        self, fake_cloud: MakeCloud, method: str, status: int
    ) -> None:
        cloud = fake_cloud()
        cloud.on(method, URL, status_code=status)
        transport = Transport(cloud.session)

        with pytest.raises(errors.ServiceError) as raised:
            _ask(transport, method)
        assert raised.value.status == status
        assert len(cloud.sent()) == 1

    @pytest.mark.parametrize(
        'error',
        [
            requests.exceptions.ConnectTimeout,
            requests.exceptions.ReadTimeout,
            requests.exceptions.ConnectionError,
            requests.exceptions.ChunkedEncodingError,
        ],
    )
    def test_connection_errors_are_repeated(
        self, fake_cloud: MakeCloud, error: type[Exception]
    ) -> None:
        cloud = fake_cloud()
        cloud.on('GET', URL, {'exc': error}, {'json': {}})
        assert Transport(cloud.session).get(URL) == {}

        cloud.on('GET', URL, exc=error)
        with pytest.raises(errors.ConnectionFailed):
            Transport(cloud.session).get(URL)
        assert len(cloud.sent()) == 2 + 5

    @pytest.mark.parametrize(
        'reason',
        ['DECRYPTION_FAILED_OR_BAD_RECORD_MAC', 'TLSV1_ALERT_INTERNAL_ERROR'],
    )
    def test_tls_may_fail_after_the_request_was_sent(
        self, fake_cloud: MakeCloud, reason: str
    ) -> None:
        cloud = fake_cloud()
        cloud.on('DELETE', URL, exc=requests.exceptions.SSLError(reason))

        with pytest.raises(errors.RepeatedDelete) as raised:
            Transport(cloud.session, limits=Limits(stop=Clock())).delete(
                URL, accepted=202
            )
        assert isinstance(raised.value.error, errors.ConnectionFailed)
        assert raised.value.error.sent
        assert 'certificate' not in raised.value.message


class TestThrottling:
    """Throttling is one class of errors, whatever its status is."""

    THROTTLING = (
        {'status_code': 429},
        {'status_code': 413, 'headers': {'Retry-After': '1'}},
        {'status_code': 413, 'headers': {'Retry-After': HTTP_DATE}},
        {
            'status_code': 413,
            'json': {'overLimitFault': {'code': 413, 'message': 'slowly'}},
        },
        {'status_code': 413, 'json': {'overLimit': {'message': 'slowly'}}},
        {'status_code': 503, 'headers': {'Retry-After': '1'}},
    )
    NOT_THROTTLING = (
        {'status_code': 413},
        {'status_code': 413, 'headers': {'Retry-After': 'soon'}},
        {'status_code': 413, 'json': {'tooLarge': {'message': 'a body'}}},
        {'status_code': 413, 'text': 'overLimit'},
        {'status_code': 503, 'headers': {'Retry-After': 'soon'}},
        {'status_code': 500, 'headers': {'Retry-After': '1'}},
        {'status_code': 409, 'headers': {'Retry-After': '1'}},
    )

    @pytest.mark.parametrize('answer', THROTTLING)
    @pytest.mark.parametrize('method', ['GET', 'DELETE'])
    def test_it_is_repeated_longer_and_lowers_the_concurrency(
        self, fake_cloud: MakeCloud, method: str, answer: dict[str, Any]
    ) -> None:
        cloud = fake_cloud()
        done = {'status_code': 200, 'json': {}}
        cloud.on(method, URL, *[answer] * 11, done)
        transport = Transport(cloud.session, limits=Limits(concurrency=16))
        if method == 'GET':
            transport.get(URL)
        else:
            transport.delete(URL, accepted=200)
        assert len(cloud.sent()) == 12
        transport.stop.set()
        assert _capacity(transport._limit) == 1

    def test_throttled_attempts_and_failures_are_counted_apart(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        slowly = {'status_code': 429}
        broken = {'status_code': 502}
        cloud.on(
            *('GET', URL, *[slowly, broken] * 4, *[slowly] * 7),
            {'status_code': 200, 'json': {}},
        )
        Transport(cloud.session).get(URL)
        assert len(cloud.sent()) == 16

    @pytest.mark.parametrize('answer', NOT_THROTTLING)
    def test_nothing_else_is(
        self, fake_cloud: MakeCloud, answer: dict[str, Any]
    ) -> None:
        cloud = fake_cloud()
        cloud.on('GET', URL, **answer)
        transport = Transport(cloud.session, limits=Limits(concurrency=8))
        with pytest.raises(errors.ServiceError) as raised:
            transport.get(URL)
        assert not isinstance(raised.value, errors.TooManyRequests)
        transport.stop.set()
        assert _capacity(transport._limit) == 8


class TestDelete:
    @pytest.mark.parametrize(
        ('documented', 'answered'),
        [(202, 202), (202, 204), (200, 200), (200, 204)],
    )
    def test_the_documented_status_is_accepted_and_204_too(
        self, fake_cloud: MakeCloud, documented: int, answered: int
    ) -> None:
        cloud = fake_cloud()
        cloud.on(
            'DELETE',
            URL,
            status_code=answered,
            headers={'x-openstack-request-id': 'req-1'},
        )
        receipt = Transport(cloud.session).delete(URL, accepted=documented)
        assert (receipt.status, receipt.request_id, receipt.attempts) == (
            answered,
            'req-1',
            1,
        )

    @pytest.mark.parametrize(
        ('documented', 'answered'),
        [(202, 200), (202, 201), (202, 206), (200, 202), (200, 207)],
    )
    def test_no_other_success_is_one(
        self, fake_cloud: MakeCloud, documented: int, answered: int
    ) -> None:
        cloud = fake_cloud()
        cloud.on('DELETE', URL, status_code=answered)

        with pytest.raises(errors.UnexpectedSuccess) as raised:
            Transport(cloud.session).delete(URL, accepted=documented)
        assert raised.value.status == answered
        assert len(cloud.sent()) == 1

    @pytest.mark.parametrize(
        'body', ['', ' \n', '{}', '{"checkpoint": {"id": "x"}}']
    )
    @pytest.mark.parametrize('accepted', [200, 202, 204])
    def test_nothing_or_an_object_is_a_documented_body(
        self, fake_cloud: MakeCloud, body: str, accepted: int
    ) -> None:
        cloud = fake_cloud()
        cloud.on('DELETE', URL, status_code=accepted, text=body)
        Transport(cloud.session).delete(URL, accepted=accepted)

    @pytest.mark.parametrize(
        'body',
        [
            '<html><head><title>Please log in</title></head></html>',
            'OK',
            '[]',
            'null',
            '{"deleted": ',
            '{"error": {"code": "APIG.0301", "message": "no login"}}',
            '{"error_code": "APIG.0101", "error_msg": "no such API"}',
            '{"message": "no Route matched with those values"}',
        ],
    )
    @pytest.mark.parametrize('accepted', [200, 202])
    def test_a_body_that_may_be_from_a_gateway_is_not_accepted(
        self, fake_cloud: MakeCloud, body: str, accepted: int
    ) -> None:
        cloud = fake_cloud()
        cloud.on('DELETE', URL, status_code=accepted, text=body)
        with pytest.raises(errors.UnexpectedSuccess) as raised:
            Transport(cloud.session).delete(URL, accepted=accepted)
        assert raised.value.status == accepted
        assert len(cloud.sent()) == 1

    def test_the_receipt_counts_the_attempts(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        cloud.on('DELETE', URL, {'status_code': 503}, {'status_code': 202})
        receipt = Transport(cloud.session).delete(URL, accepted=202)
        assert receipt.attempts == 2

    @pytest.mark.parametrize('last', [400, 404, 409, 500])
    def test_a_refusal_of_a_repetition_proves_nothing(
        self, fake_cloud: MakeCloud, last: int
    ) -> None:
        cloud = fake_cloud()
        cloud.on(
            'DELETE',
            URL,
            {'exc': requests.exceptions.ReadTimeout},
            {'status_code': last},
        )
        with pytest.raises(errors.RepeatedDelete) as raised:
            Transport(cloud.session).delete(URL, accepted=202)
        assert raised.value.attempts == 2
        assert isinstance(raised.value.error, errors.ServiceError)
        assert raised.value.error.status == last

    def test_giving_up_after_several_attempts_proves_nothing(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        cloud.on('DELETE', URL, status_code=503)
        with pytest.raises(errors.RepeatedDelete) as raised:
            Transport(cloud.session).delete(URL, accepted=202)
        assert raised.value.attempts == len(cloud.sent()) == 5

    def test_a_lost_answer_counts_after_refused_connections(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        refused = requests.exceptions.ConnectionError('Connection refused')
        cloud.on(
            'DELETE',
            URL,
            {'exc': requests.exceptions.ReadTimeout},
            {'exc': refused},
        )
        with pytest.raises(errors.RepeatedDelete) as raised:
            Transport(cloud.session).delete(URL, accepted=202)
        assert raised.value.attempts == 5


CHANGES = ('POST', 'PUT')
DONE = {'status_code': 202, 'json': {'job_id': 'j'}}
SLOWLY = {'status_code': 429}
NEVER_LEFT = {'exc': requests.exceptions.ConnectTimeout}
#: What leaves nothing done, so that a second attempt is right.
UNDONE_BEFORE = {
    'nothing': [],
    'a token that ended': [{'status_code': 401}],
    'throttled': [SLOWLY],
    'a rate limiter': [
        {'status_code': 413, 'json': {'overLimit': {'message': 'x'}}}
    ],
    'a gateway that throttles': [
        {'status_code': 429, 'json': {'error_code': 'APIG.0308'}}
    ],
    'a gateway that knows no token': [
        {'status_code': 401, 'json': {'error_code': 'APIG.0301'}}
    ],
    'no connection': [NEVER_LEFT],
    'all of them': [SLOWLY, NEVER_LEFT, {'status_code': 401}],
}
#: What says that a change was refused.
REFUSED = {
    **{
        str(status): {'status_code': status}
        for status in (400, 402, 403, 404, 405, 409, 413, 422, 451)
    },
    'a redirect': {'status_code': 307, 'headers': {'Location': EVIL}},
    'another redirect': {'status_code': 302, 'headers': {'Location': '/x'}},
}
#: What says nothing of what became of a change.
UNKNOWN = {
    **{
        str(status): {'status_code': status}
        for status in (408, 499, 500, 501, 502, 503, 504, 511, 524, 599)
    },
    '503 with a pause': {
        'status_code': 503,
        'headers': {'Retry-After': '0'},
    },
    # A gateway that has its own opinion may have passed the request on.
    'a gateway': {
        'status_code': 404,
        'json': {'error_code': 'APIG.0101', 'error_msg': 'no such API'},
    },
    'a lost answer': {'exc': requests.exceptions.ReadTimeout},
    'a reset': {'exc': requests.exceptions.ConnectionError},
    'half an answer': {'exc': requests.exceptions.ChunkedEncodingError},
    'a broken encryption': {'exc': requests.exceptions.SSLError('ALERT')},
    **{
        f'{status} instead of 202': {'status_code': status, 'json': {}}
        for status in (200, 201, 203, 204, 206, 207)
    },
    'a portal': {'status_code': 202, 'text': '<html>Log in</html>'},
    'a list': {'status_code': 202, 'json': []},
    'half an object': {'status_code': 202, 'text': '{"job_id": '},
    'nothing': {'status_code': 202},
    'a fault': {'status_code': 202, 'json': {'error': {'message': 'no'}}},
    'a charset that does not fit': {
        'status_code': 202,
        'content': '{"a": 1}'.encode('utf-16'),
        'headers': {'Content-Type': 'application/json; charset=ascii'},
    },
}


def _change(transport: Transport, method: str) -> tuple[Any, Receipt]:
    send = transport.post if method == 'POST' else transport.put
    return send(URL, {'name': 'x'}, accepted=202)


@pytest.mark.parametrize(
    ('method', 'before'),
    [
        *(('POST', before) for before in UNDONE_BEFORE.values()),
        ('PUT', UNDONE_BEFORE['all of them']),
    ],
    ids=[*UNDONE_BEFORE, 'a PUT'],
)
class TestChange:
    """A change has three ends, and is sent again only if it was not done."""

    def test_it_is_accepted(
        self, fake_cloud: MakeCloud, method: str, before: list[Any]
    ) -> None:
        cloud = fake_cloud()
        done = {**DONE, 'headers': {'x-openstack-request-id': 'req-1'}}
        cloud.on(method, URL, *before, done)
        document, receipt = _change(Transport(cloud.session), method)
        assert document == {'job_id': 'j'}
        assert (receipt.status, receipt.request_id) == (202, 'req-1')
        assert cloud.sent() == [f'{method} {URL}'] * (len(before) + 1)
        assert cloud.requests[-1].json() == {'name': 'x'}
        kind = cloud.requests[-1].headers['Content-Type']
        assert kind == 'application/json'

    @pytest.mark.parametrize('answer', REFUSED.values(), ids=REFUSED)
    def test_it_is_refused(
        self,
        fake_cloud: MakeCloud,
        method: str,
        before: list[Any],
        answer: dict[str, Any],
    ) -> None:
        cloud = fake_cloud()
        cloud.on(method, URL, *before, answer)
        with pytest.raises(errors.ServiceError) as raised:
            _change(Transport(cloud.session), method)
        assert raised.value.status == answer['status_code']
        assert cloud.sent() == [f'{method} {URL}'] * (len(before) + 1)

    @pytest.mark.parametrize('answer', UNKNOWN.values(), ids=UNKNOWN)
    def test_it_is_unknown(
        self,
        fake_cloud: MakeCloud,
        method: str,
        before: list[Any],
        answer: dict[str, Any],
    ) -> None:
        cloud = fake_cloud()
        cloud.on(method, URL, *before, answer)
        with pytest.raises(errors.OutcomeUnknown) as raised:
            _change(Transport(cloud.session), method)
        refusal = raised.value.refusal
        if 'exc' in answer:
            assert isinstance(refusal, errors.ConnectionFailed)
            assert refusal.sent
        else:
            assert isinstance(refusal, errors.ServiceError)
            assert refusal.status == answer['status_code']
        assert cloud.sent() == [f'{method} {URL}'] * (len(before) + 1)


@pytest.mark.parametrize('status', range(200, 600))
def test_each_status_is_one_of_three_ends(
    fake_cloud: MakeCloud, status: int
) -> None:
    cloud = fake_cloud()
    cloud.on('POST', URL, status_code=status, json={'id': 'x'})
    transport = Transport(cloud.session)
    try:
        _change(transport, 'POST')
        end = 'accepted'
    except errors.OutcomeUnknown:
        end = 'unknown'
    except errors.ServiceError:
        end = 'refused'
    is_unknown = status in (303, 408, 499)
    is_refusal = 300 <= status < 500 and not is_unknown
    other = 'refused' if is_refusal else 'unknown'
    assert end == ('accepted' if status == 202 else other)
    assert len(cloud.sent()) == {401: 2, 429: 12}.get(status, 1)


UUID = '5D0E3B1A-8C57-4F0E-9A52-6F1F2F7C0A11'


@pytest.mark.parametrize(
    ('make', 'id', 'handle'),
    [
        (Handle.of_backup, UUID, Handle(backup_id=UUID.lower())),
        (Handle.of_checkpoint, UUID, Handle(checkpoint_id=UUID.lower())),
        # The ids of jobs differ by more than upper case.
        (Handle.of_job, 'A_b-9', Handle(job_id='A_b-9')),
        (Handle.of_job, UUID, Handle(job_id=UUID)),
        (Handle.of_job, 'f' * 64, Handle(job_id='f' * 64)),
        (Handle.of_job, 'f' * 65, None),
        (Handle.of_job, 'a.b', None),
        (Handle.of_backup, 'f' * 32, None),
        (Handle.of_checkpoint, 'fake_1', None),
    ],
)
def test_what_can_be_followed(make: Any, id: str, handle: Any) -> None:
    assert make(id) == handle


@pytest.mark.parametrize(
    'make', [Handle.of_backup, Handle.of_checkpoint, Handle.of_job]
)
@given(id=JSON)
def test_no_odd_id_is_ever_followed(make: Any, id: Any) -> None:
    handle = make(id)
    if handle is not None:
        assert re.fullmatch('[0-9A-Za-z_-]{1,64}', id)


def test_a_receipt_without_a_handle_is_an_unknown_outcome() -> None:
    receipt = Receipt(200, 'req-1', 2)
    handle = Handle(job_id='j')
    assert with_handle(receipt, handle) == Receipt(200, 'req-1', 2, handle)
    with pytest.raises(errors.OutcomeUnknown) as raised:
        with_handle(receipt, None)
    assert raised.value.request_id == 'req-1'
    assert not raised.value.hint


@pytest.mark.parametrize('method', CHANGES)
class TestChangeThatIsNeverSent:
    def test_throttling_without_an_end_is_a_refusal(
        self, fake_cloud: MakeCloud, method: str
    ) -> None:
        cloud = fake_cloud()
        cloud.on(method, URL, **SLOWLY)
        with pytest.raises(errors.TooManyRequests):
            _change(Transport(cloud.session), method)
        assert len(cloud.sent()) == 12

    def test_no_connection(self, fake_cloud: MakeCloud, method: str) -> None:
        cloud = fake_cloud()
        cloud.on(method, URL, **NEVER_LEFT)
        with pytest.raises(errors.ConnectionFailed) as raised:
            _change(Transport(cloud.session), method)
        assert not raised.value.sent
        assert len(cloud.sent()) == 5

    def test_a_second_401_is_a_refusal(
        self, fake_cloud: MakeCloud, method: str
    ) -> None:
        cloud = fake_cloud()
        cloud.on(method, URL, status_code=401)
        with pytest.raises(errors.Unauthorized):
            _change(Transport(cloud.session), method)
        assert (cloud.logins, len(cloud.sent())) == (2, 2)

    @pytest.mark.parametrize(
        ('answer', 'end'),
        [
            ({'status_code': 401}, errors.LoginRefused),
            ({'exc': requests.exceptions.ReadTimeout}, errors.LoginUnanswered),
        ],
    )
    def test_a_login_that_fails(
        self, fake_cloud: MakeCloud, method: str, answer: Any, end: Any
    ) -> None:
        cloud = fake_cloud()
        cloud.session.get_token()
        cloud.on(method, URL, status_code=401)
        cloud.on('POST', f'{IDENTITY}/auth/tokens', **answer)
        with pytest.raises(end) as raised:
            _change(Transport(cloud.session), method)
        # Nothing was done, and nothing is sent without a login.
        assert getattr(raised.value, 'sent', False) is False
        assert len(cloud.sent()) == 1

    def test_stopped_before(self, fake_cloud: MakeCloud, method: str) -> None:
        cloud = fake_cloud()
        transport = Transport(cloud.session)
        transport.stop.set()
        with pytest.raises(errors.Cancelled):
            _change(transport, method)
        assert cloud.sent() == []

    @pytest.mark.parametrize('answer', [SLOWLY, NEVER_LEFT])
    def test_stopped_between_two_attempts(
        self, fake_cloud: MakeCloud, method: str, answer: Any
    ) -> None:
        cloud = fake_cloud()
        cloud.on(method, URL, answer, DONE)
        with pytest.raises((errors.TooManyRequests, errors.ClientError)):
            _change(
                Transport(
                    cloud.session, limits=Limits(stop=Clock(set_at_wait=1))
                ),
                method,
            )
        assert len(cloud.sent()) == 1

    def test_it_gets_its_time_after_the_end_of_a_wait(
        self, fake_cloud: MakeCloud, method: str
    ) -> None:
        cloud, deadline = fake_cloud(), Deadline()
        cloud.on(method, URL, **DONE)
        transport = Transport(cloud.session, limits=Limits(deadline=deadline))
        with deadline.within(-LAST_LOOK):
            _change(transport, method)
        assert cloud.requests[0].timeout == (10.0, 60.0)


class TestDocuments:
    @pytest.mark.parametrize('body', ['', ' \n', '{}'])
    def test_a_204_has_none(self, fake_cloud: MakeCloud, body: str) -> None:
        cloud = fake_cloud()
        cloud.on('POST', URL, status_code=204, text=body)
        transport = Transport(cloud.session)
        document, receipt = transport.post(URL, {}, accepted=204)
        assert (document, receipt.status, receipt.attempts) == ({}, 204, 1)

    @given(
        st.lists(
            st.sampled_from([SLOWLY, NEVER_LEFT, {'status_code': 502}, DONE]),
            min_size=1,
            max_size=4,
        )
    )
    def test_nothing_is_sent_after_what_may_have_been_done(
        self, answers: list[dict[str, Any]]
    ) -> None:
        cloud = FakeCloud()
        cloud.on('POST', URL, *answers)
        with contextlib.suppress(errors.ClientError):
            Transport(cloud.session, limits=Limits(stop=NoWait())).post(
                URL, {}, accepted=202
            )
        may_be_done = [a in (DONE, {'status_code': 502}) for a in answers]
        if any(may_be_done):
            assert len(cloud.sent()) == may_be_done.index(True) + 1


class TestPostThatReads:
    @pytest.mark.parametrize('status', REPEATED)
    def test_it_is_repeated_as_a_get_is(
        self, fake_cloud: MakeCloud, status: int
    ) -> None:
        cloud = fake_cloud()
        again = {'status_code': status}
        lost = {'exc': requests.exceptions.ReadTimeout}
        cloud.on('POST', URL, again, lost, {'json': {'total_count': 1}})
        found = Transport(cloud.session).post_to_read(URL, {'action': 'count'})
        assert found == {'total_count': 1}
        assert cloud.sent() == [f'POST {URL}'] * 3
        assert cloud.requests[0].json() == {'action': 'count'}

    @pytest.mark.parametrize('status', [400, 403, 404, 409, 500, 501])
    def test_other_refusals_are_final(
        self, fake_cloud: MakeCloud, status: int
    ) -> None:
        cloud = fake_cloud()
        cloud.on('POST', URL, status_code=status)
        with pytest.raises(errors.ServiceError):
            Transport(cloud.session).post_to_read(URL, {})
        assert len(cloud.sent()) == 1

    def test_it_is_answered_with_an_object(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        cloud.on('POST', URL, {'json': []}, {'status_code': 202, 'json': {}})
        transport = Transport(cloud.session)
        with pytest.raises(errors.MalformedResponse):
            transport.post_to_read(URL, {})
        with pytest.raises(errors.UnexpectedSuccess):
            transport.post_to_read(URL, {})


class TestRetryAfter:
    @pytest.mark.parametrize(
        ('header', 'seconds'),
        [
            ('0', 0.0),
            ('7', 7.0),
            (' 7 ', 7.0),
            ('60', 60.0),
            ('61', 60.0),
            ('999999999', 60.0),
            ('Wed, 01 Jan 2020 00:00:00 GMT', 0.0),
            ('Fri, 01 Jan 2100 00:00:00 GMT', 60.0),
            ('Fri, 01 Jan 2100 00:00:00', 60.0),
            (None, None),
            ('', None),
            ('soon', None),
            ('-5', None),
            ('1.5', None),
            ('\u0663', None),
            ('Mon, 99 Foo 2020 99:99:99 GMT', None),
        ],
    )
    def test_what_a_header_means(
        self, header: str | None, seconds: float | None
    ) -> None:
        assert seconds_to_wait(header) == seconds

    def test_a_date_is_counted_from_now(self) -> None:
        soon = datetime.now(timezone.utc) + timedelta(seconds=30)
        told = seconds_to_wait(format_datetime(soon, usegmt=True))
        assert told is not None
        assert 27 <= told <= 30

    @given(
        st.text()
        | st.text(alphabet='0123456789:,+- JanFebMonGMTZ', max_size=40)
    )
    def test_no_header_breaks_anything(self, header: str) -> None:
        told = seconds_to_wait(header)
        assert told is None or 0.0 <= told <= 60.0

    def test_it_is_obeyed(self) -> None:
        cloud = FakeCloud()
        cloud.on(
            'GET',
            URL,
            {'status_code': 429, 'headers': {'Retry-After': '17'}},
            {'status_code': 503, 'headers': {'Retry-After': '4000'}},
            {'json': {}},
        )
        clock = Clock()
        Transport(cloud.session, limits=Limits(stop=clock)).get(URL)
        assert clock.waits == [17.0, 60.0]

    def test_without_it_the_waits_stay_short(self) -> None:
        cloud = FakeCloud()
        cloud.on('GET', URL, status_code=503, headers={'Retry-After': 'x'})
        clock = Clock()
        with pytest.raises(errors.ServiceUnavailable):
            Transport(cloud.session, limits=Limits(stop=clock)).get(URL)
        assert len(clock.waits) == 4
        assert all(0.0 <= wait <= 20.0 for wait in clock.waits)


class TestRenewal:
    def test_one_new_login_for_ten_threads(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        together = threading.Barrier(10)

        def answer(request: Any, context: Any) -> dict[str, str]:
            token = request.headers['X-Auth-Token']
            if token == 'token-1':
                together.wait(timeout=10)
                context.status_code = 401
            return {'token': token}

        cloud.on('GET', URL, json=answer)
        cloud.session.get_token()
        transport = Transport(cloud.session, limits=Limits(concurrency=10))
        with ThreadPoolExecutor(10) as pool:
            answers = list(pool.map(lambda _: transport.get(URL), range(10)))

        assert answers == [{'token': 'token-2'}] * 10
        assert cloud.logins == 2
        assert len(cloud.sent()) == 20

    @pytest.mark.parametrize('method', ['GET', 'DELETE'])
    def test_a_second_refusal_is_final(
        self, fake_cloud: MakeCloud, method: str
    ) -> None:
        cloud = fake_cloud()
        cloud.on(method, URL, status_code=401)
        transport = Transport(cloud.session)

        with pytest.raises(errors.Unauthorized):
            _ask(transport, method)
        assert (cloud.logins, len(cloud.sent())) == (2, 2)

    def test_a_renewed_delete_was_sent_once(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        cloud.on('DELETE', URL, {'status_code': 401}, {'status_code': 202})
        receipt = Transport(cloud.session).delete(URL, accepted=202)
        assert receipt.attempts == 1

    def test_a_login_that_is_refused_says_so(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        cloud.session.get_token()
        cloud.on('GET', URL, status_code=401)
        cloud.on(
            'POST', 'https://identity.example/v3/auth/tokens', status_code=401
        )
        with pytest.raises(errors.Unauthorized, match='identity service'):
            Transport(cloud.session).get(URL)

    def test_a_login_that_gets_no_answer_was_no_delete(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        cloud.session.get_token()
        cloud.on('DELETE', URL, status_code=401)
        cloud.on(
            'POST',
            'https://identity.example/v3/auth/tokens',
            exc=requests.exceptions.ReadTimeout,
        )
        with pytest.raises(errors.ConnectionFailed) as raised:
            Transport(
                cloud.session, limits=Limits(stop=Clock(set_at_wait=1))
            ).delete(URL, accepted=202)
        assert not raised.value.sent


class TestLogins:
    def test_a_login_of_a_netrc_file_is_not_used(
        self,
        fake_cloud: MakeCloud,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        netrc = tmp_path / 'netrc'
        netrc.write_text('machine vbs.example login me password secret\n')
        monkeypatch.setenv('NETRC', str(netrc))
        cloud = fake_cloud()
        cloud.on('GET', URL, json={})
        Transport(cloud.session).get(URL)
        [request] = cloud.requests
        assert 'X-Auth-Token' in request.headers
        assert 'Authorization' not in request.headers


class TestTimeouts:
    @pytest.mark.parametrize(
        ('session', 'own', 'expected'),
        [
            (None, None, (10.0, 60.0)),
            (7, None, (7.0, 7.0)),
            (None, (1.0, 2.0), (1.0, 2.0)),
            (7, (1.0, 2.0), (1.0, 2.0)),
        ],
    )
    def test_each_request_has_one(
        self, fake_cloud: MakeCloud, session: Any, own: Any, expected: Any
    ) -> None:
        cloud = fake_cloud(timeout=session)
        cloud.on('GET', URL, json={})
        cloud.on('DELETE', URL, status_code=202)
        transport = Transport(cloud.session, timeout=own)
        transport.get(URL)
        transport.get_document(URL)
        transport.delete(URL, accepted=202)

        assert [r.timeout for r in cloud.requests] == [expected] * 3


class TestDeadline:
    def test_no_pause_is_longer_than_what_is_left(self) -> None:
        cloud, clock, deadline = FakeCloud(), Clock(), Deadline()
        cloud.on('GET', URL, status_code=503, headers={'Retry-After': '30'})
        transport = Transport(
            cloud.session, limits=Limits(stop=clock, deadline=deadline)
        )
        with pytest.raises(errors.TooManyRequests), deadline.within(20):
            transport.get(URL)
        assert all(19 < pause <= 20 for pause in clock.waits)
        clock.waits.clear()
        with pytest.raises(errors.TooManyRequests):
            transport.get(URL)
        assert clock.waits == [30.0] * 11

    def test_nothing_is_repeated_after_it(self, fake_cloud: MakeCloud) -> None:
        cloud, deadline = fake_cloud(), Deadline()
        cloud.on('GET', URL, status_code=503)
        transport = Transport(cloud.session, limits=Limits(deadline=deadline))
        with pytest.raises(errors.ServiceUnavailable), deadline.within(0):
            transport.get(URL)
        assert len(cloud.sent()) == 1

    def test_the_last_poll_ends_soon_after_it(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud, deadline = fake_cloud(), Deadline()
        cloud.on('GET', URL, json={})
        transport = Transport(cloud.session, limits=Limits(deadline=deadline))
        with deadline.within(3):
            transport.get(URL)
        with deadline.within(-LAST_LOOK), pytest.raises(errors.ClientError):
            transport.get(URL)
        assert len(cloud.requests) == 1
        connect, read = cloud.requests[0].timeout
        assert connect == read
        assert 3 < read <= 3 + LAST_LOOK

    def test_a_delete_gets_its_full_time_anyway(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud, deadline = fake_cloud(), Deadline()
        cloud.on('DELETE', URL, status_code=202)
        transport = Transport(cloud.session, limits=Limits(deadline=deadline))
        with deadline.within(-LAST_LOOK):
            transport.delete(URL, accepted=202)
        assert cloud.requests[0].timeout == (10.0, 60.0)


class TestBodies:
    @pytest.mark.parametrize(
        'text', ['', '<html>', '{"backup": ', '[]', '"x"', 'null', '3']
    )
    def test_a_get_without_a_json_object_is_malformed(
        self, fake_cloud: MakeCloud, text: str
    ) -> None:
        cloud = fake_cloud()
        cloud.on('GET', URL, text=text)
        with pytest.raises(errors.MalformedResponse):
            Transport(cloud.session).get(URL)

    def test_a_body_that_is_nested_too_deeply_is_malformed(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        cloud.on('GET', URL, text='[' * 200_000)
        with pytest.raises(errors.MalformedResponse):
            Transport(cloud.session).get(URL)

    @pytest.mark.parametrize('status', [201, 202, 204, 206])
    def test_a_get_is_answered_with_200_only(
        self, fake_cloud: MakeCloud, status: int
    ) -> None:
        cloud = fake_cloud()
        cloud.on('GET', URL, status_code=status, json={})
        with pytest.raises(errors.UnexpectedSuccess):
            Transport(cloud.session).get(URL)


class TestStop:
    def test_nothing_is_sent_any_more(self, fake_cloud: MakeCloud) -> None:
        cloud = fake_cloud()
        transport = Transport(cloud.session)
        transport.stop.set()

        with pytest.raises(errors.Cancelled):
            transport.get(URL)
        with pytest.raises(errors.Cancelled):
            transport.delete(URL, accepted=202)
        assert cloud.sent() == []

    def test_a_delete_that_was_sent_is_never_called_not_sent(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        clock = Clock(set_at_wait=1)
        cloud.on('DELETE', URL, exc=requests.exceptions.ReadTimeout)

        with pytest.raises(errors.ConnectionFailed) as raised:
            Transport(cloud.session, limits=Limits(stop=clock)).delete(
                URL, accepted=202
            )
        assert raised.value.sent
        assert len(cloud.sent()) == 1

    def test_stopped_while_the_first_attempt_is_under_way(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        transport = Transport(cloud.session)

        def answer(request: Any, context: Any) -> str:
            transport.stop.set()
            context.status_code = 503
            return ''

        cloud.on('DELETE', URL, text=answer)
        with pytest.raises(errors.ServiceUnavailable):
            transport.delete(URL, accepted=202)
        assert len(cloud.sent()) == 1

    def test_stopped_while_a_repetition_is_under_way(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        transport = Transport(cloud.session)
        attempts: list[int] = []

        def answer(request: Any, context: Any) -> str:
            attempts.append(1)
            if len(attempts) == 1:
                raise requests.exceptions.ReadTimeout
            transport.stop.set()
            context.status_code = 503
            return ''

        cloud.on('DELETE', URL, text=answer)
        with pytest.raises(errors.RepeatedDelete):
            transport.delete(URL, accepted=202)

    def test_stopped_between_repetitions_after_a_lost_answer(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        clock = Clock(set_at_wait=2)
        cloud.on(
            'DELETE',
            URL,
            {'exc': requests.exceptions.ReadTimeout},
            {'status_code': 503},
        )
        with pytest.raises((errors.RepeatedDelete, errors.ConnectionFailed)):
            Transport(cloud.session, limits=Limits(stop=clock)).delete(
                URL, accepted=202
            )

    def test_a_stopped_renewal_sends_nothing_more(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        transport = Transport(cloud.session)

        def answer(request: Any, context: Any) -> str:
            transport.stop.set()
            context.status_code = 401
            return ''

        cloud.on('DELETE', URL, text=answer)
        with pytest.raises(errors.Cancelled):
            transport.delete(URL, accepted=202)
        assert len(cloud.sent()) == 1


class TestAdaptiveLimit:
    def test_it_begins_at_the_ceiling(self) -> None:
        assert _capacity(_limit(8)) == 8

    def test_it_is_halved_and_never_below_one(self) -> None:
        limit = _limit(8)
        sizes = []
        for _ in range(5):
            limit.lower(time.monotonic())
            sizes.append(_capacity(limit))
        assert sizes == [4, 2, 1, 1, 1]

    def test_requests_of_the_same_moment_lower_it_once(self) -> None:
        limit = _limit(8)
        together = time.monotonic()
        for _ in range(8):
            limit.lower(together)
        assert _capacity(limit) == 4

    def test_it_recovers_to_the_ceiling_and_not_beyond(self) -> None:
        limit = _limit(8)
        limit.lower(time.monotonic())
        sizes = set()
        for _ in range(100):
            limit.raise_again()
            sizes.add(_capacity(limit))
        assert sizes == {4, 5, 6, 7, 8}

    def test_a_waiting_request_goes_when_another_ends(self) -> None:
        limit = AdaptiveLimit(1, threading.Event())
        entered = threading.Event()

        def enter() -> None:
            with limit.slot():
                entered.set()

        with limit.slot():
            waiting = threading.Thread(target=enter, daemon=True)
            waiting.start()
            assert not entered.is_set()
        assert entered.wait(5)
        waiting.join(5)

    def test_429_lowers_it_for_the_next_requests(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        cloud.on(
            'GET',
            URL,
            {'status_code': 429},
            {'status_code': 429},
            {'json': {}},
        )
        transport = Transport(cloud.session, limits=Limits(concurrency=8))
        transport.get(URL)

        transport.stop.set()
        assert _capacity(transport._limit) == 2

    @pytest.mark.parametrize('concurrency', [1, 3])
    def test_a_transport_keeps_its_concurrency(
        self, fake_cloud: MakeCloud, concurrency: int
    ) -> None:
        cloud = fake_cloud()
        most = _Most()

        def answer(request: Any, context: Any) -> dict[str, Any]:
            with most:
                return {}

        cloud.on('GET', URL, json=answer)
        cloud.session.get_token()
        transport = Transport(
            cloud.session, limits=Limits(concurrency=concurrency)
        )
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: transport.get(URL), range(24)))
        assert most.seen <= concurrency


def _limit(size: int) -> AdaptiveLimit:
    """A limit that refuses at once what would have to wait."""
    stop = threading.Event()
    stop.set()
    return AdaptiveLimit(size, stop)


def _capacity(limit: AdaptiveLimit) -> int:
    with contextlib.ExitStack() as held:
        taken = 0
        while True:
            try:
                held.enter_context(limit.slot())
            except errors.Cancelled:
                return taken
            taken += 1


class _Most:
    """The most threads that were inside at the same time."""

    def __init__(self) -> None:
        self.seen = 0
        self._inside = 0
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            self.seen = max(self.seen, self._inside)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
