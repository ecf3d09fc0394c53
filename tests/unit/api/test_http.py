# SPDX-License-Identifier: Apache-2.0
"""How requests leave: no redirects, few repetitions, one new login."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fakes import FakeCloud
from vbsclient.api import errors
from vbsclient.api.http import (
    LAST_LOOK,
    AdaptiveLimit,
    Deadline,
    Transport,
    is_uuid,
    resource_path,
    seconds_to_wait,
)

URL = 'https://vbs.example/v3/p/backups/x'
EVIL = 'https://evil.example/'
HTTP_DATE = 'Fri, 01 Jan 2100 00:00:00 GMT'
REPEATED = (408, 429, 502, 503, 504)
MakeCloud = Callable[..., FakeCloud]


class Clock(threading.Event):
    """A stop event that notes how long it was waited for, and waits not."""

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
    def test_a_redirect_to_nowhere_is_refused_too(
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
    def test_a_get_succeeds_at_last(
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
    def test_an_encryption_that_breaks_may_do_so_behind_the_request(
        self, fake_cloud: MakeCloud, reason: str
    ) -> None:
        cloud = fake_cloud()
        cloud.on('DELETE', URL, exc=requests.exceptions.SSLError(reason))

        with pytest.raises(errors.RepeatedDelete) as raised:
            Transport(cloud.session, stop=Clock()).delete(URL, accepted=202)
        assert isinstance(raised.value.error, errors.ConnectionFailed)
        assert raised.value.error.sent
        assert 'certificate' not in raised.value.message


class TestThrottling:
    """What asks for a pause is one class, whatever its status is called."""

    SLOW_DOWN = (
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
    NO_SUCH_WISH = (
        {'status_code': 413},
        {'status_code': 413, 'headers': {'Retry-After': 'soon'}},
        {'status_code': 413, 'json': {'tooLarge': {'message': 'a body'}}},
        {'status_code': 413, 'text': 'overLimit'},
        {'status_code': 503, 'headers': {'Retry-After': 'soon'}},
        {'status_code': 500, 'headers': {'Retry-After': '1'}},
        {'status_code': 409, 'headers': {'Retry-After': '1'}},
    )

    @pytest.mark.parametrize('answer', SLOW_DOWN)
    @pytest.mark.parametrize('method', ['GET', 'DELETE'])
    def test_it_is_obeyed_patiently_and_lowers_the_concurrency(
        self, fake_cloud: MakeCloud, method: str, answer: dict[str, Any]
    ) -> None:
        cloud = fake_cloud()
        done = {'status_code': 200, 'json': {}}
        cloud.on(method, URL, *[answer] * 11, done)
        transport = Transport(cloud.session, concurrency=16)
        if method == 'GET':
            transport.get(URL)
        else:
            transport.delete(URL, accepted=200)
        assert len(cloud.sent()) == 12
        transport.stop.set()
        assert _capacity(transport._limit) == 1

    def test_who_was_slowed_down_has_not_tried_in_vain(
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

    @pytest.mark.parametrize('answer', NO_SUCH_WISH)
    def test_nothing_else_is(
        self, fake_cloud: MakeCloud, answer: dict[str, Any]
    ) -> None:
        cloud = fake_cloud()
        cloud.on('GET', URL, **answer)
        transport = Transport(cloud.session, concurrency=8)
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
    def test_what_may_be_of_somebody_else_is_no_acceptance(
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

    def test_a_lost_answer_is_not_forgotten_when_nobody_listens_any_more(
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
        Transport(cloud.session, stop=clock).get(URL)
        assert clock.waits == [17.0, 60.0]

    def test_without_it_the_waits_stay_short(self) -> None:
        cloud = FakeCloud()
        cloud.on('GET', URL, status_code=503, headers={'Retry-After': 'x'})
        clock = Clock()
        with pytest.raises(errors.ServiceUnavailable):
            Transport(cloud.session, stop=clock).get(URL)
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
        transport = Transport(cloud.session, concurrency=10)
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
            Transport(cloud.session, stop=Clock(set_at_wait=1)).delete(
                URL, accepted=202
            )
        assert not raised.value.sent


class TestLogins:
    def test_a_login_of_a_netrc_file_stays_there(
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
        transport = Transport(cloud.session, stop=clock, deadline=deadline)
        with pytest.raises(errors.TooManyRequests), deadline.within(20):
            transport.get(URL)
        assert all(19 < pause <= 20 for pause in clock.waits)
        clock.waits.clear()
        with pytest.raises(errors.TooManyRequests):
            transport.get(URL)
        assert clock.waits == [30.0] * 11

    def test_nothing_is_repeated_behind_it(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud, deadline = fake_cloud(), Deadline()
        cloud.on('GET', URL, status_code=503)
        transport = Transport(cloud.session, deadline=deadline)
        with pytest.raises(errors.ServiceUnavailable), deadline.within(0):
            transport.get(URL)
        assert len(cloud.sent()) == 1

    def test_the_last_look_ends_soon_after_it(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud, deadline = fake_cloud(), Deadline()
        cloud.on('GET', URL, json={})
        transport = Transport(cloud.session, deadline=deadline)
        with deadline.within(3):
            transport.get(URL)
        with deadline.within(-LAST_LOOK), pytest.raises(errors.ClientError):
            transport.get(URL)
        assert len(cloud.requests) == 1
        connect, read = cloud.requests[0].timeout
        assert connect == read
        assert 3 < read <= 3 + LAST_LOOK

    def test_a_delete_gets_its_time_all_the_same(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud, deadline = fake_cloud(), Deadline()
        cloud.on('DELETE', URL, status_code=202)
        transport = Transport(cloud.session, deadline=deadline)
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
            Transport(cloud.session, stop=clock).delete(URL, accepted=202)
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

    def test_stopped_between_repetitions_forgets_no_lost_answer(
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
            Transport(cloud.session, stop=clock).delete(URL, accepted=202)

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
        transport = Transport(cloud.session, concurrency=8)
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
        transport = Transport(cloud.session, concurrency=concurrency)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: transport.get(URL), range(24)))
        assert most.seen <= concurrency


UUID = '0b9d4f62-3f0a-4f39-8a43-7f0f3f1f7d20'


class TestPaths:
    def test_a_uuid_becomes_a_segment(self) -> None:
        assert resource_path('backups', id=UUID) == f'backups/{UUID}'
        assert resource_path('backups', 'detail') == 'backups/detail'

    @pytest.mark.parametrize(
        'text',
        [
            '',
            ' ',
            '.',
            '..',
            'detail',
            'count',
            'nightly',
            UUID.replace('-', ''),
            f'{UUID}\n',
            f' {UUID}',
            f'{UUID}/',
            f'{UUID}?force=1',
            f'{UUID}#',
            f'{UUID}%00',
            f'../backups/{UUID}',
            f'{{{UUID}}}',
            f'urn:uuid:{UUID}',
            f'{UUID} {UUID}',
            f'{UUID},{UUID}',
            f'{UUID}\r\nX-Auth-Token: x',
            f'{UUID}\u200b',
            f'{UUID}\udc80',
            f'\ufeff{UUID}',
            UUID.replace('-', '\uff0d'),
            UUID.replace('0', '\u0660'),
            UUID.replace('b', '\uff42'),
        ],
    )
    def test_nothing_else_does(self, text: str) -> None:
        assert not is_uuid(text)
        with pytest.raises(errors.InvalidId):
            resource_path('backups', id=text)

    @given(
        st.text()
        | st.uuids().map(str)
        | st.uuids().map(lambda u: str(u).upper())
        | st.builds(
            lambda u, at, t: f'{str(u)[:at]}{t}{str(u)[at:]}',
            st.uuids(),
            st.integers(0, 36),
            st.text(max_size=3),
        )
    )
    def test_an_id_adds_exactly_one_plain_segment(self, text: str) -> None:
        try:
            path = resource_path('backups', id=text)
        except errors.InvalidId:
            return
        collection, slash, rest = path.partition('/')
        assert (collection, slash, rest) == (
            'backups',
            '/',
            text.lower(),
        )
        assert len(text) == 36
        assert not set(rest) & set('/?#%.')


def _limit(size: int) -> AdaptiveLimit:
    """A limit that refuses at once what would have to wait."""
    stop = threading.Event()
    stop.set()
    return AdaptiveLimit(size, stop)


def _capacity(limit: AdaptiveLimit) -> int:
    with ExitStack() as held:
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
