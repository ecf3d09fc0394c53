# SPDX-License-Identifier: Apache-2.0
"""A login that is refused is refused, and a token is used to its end."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from keystoneauth1 import loading
from keystoneauth1.session import Session
from requests.exceptions import ConnectTimeout, ReadTimeout

from tests.unit.fakes import IDENTITY, FakeCloud
from vbsclient.api import errors
from vbsclient.api.csbs import CSBSClient
from vbsclient.api.http import Transport
from vbsclient.api.login import can_be_renewed
from vbsclient.api.values import Known
from vbsclient.api.vbs import VBSClient

MakeCloud = Callable[..., FakeCloud]

URL = 'https://vbs.example/v3/p/backups/x'
TOKENS = f'{IDENTITY}/auth/tokens'

REFUSED = (400, 401, 403, 404, 409)
UNANSWERED = (408, 429, 500, 502, 503, 504, 524)


def expire(cloud: FakeCloud) -> None:
    """Let the services refuse each token."""
    cloud.on('GET', URL, status_code=401)
    cloud.on('DELETE', URL, status_code=401)


def logins(cloud: FakeCloud) -> int:
    return sum(r.url == TOKENS for r in cloud.http.request_history)


@pytest.fixture
def cloud(fake_cloud: MakeCloud) -> FakeCloud:
    """A cloud where somebody is logged in."""
    made = fake_cloud({'vbs': 'https://vbs.example/v2/'})
    made.session.get_token()
    return made


class TestRefused:
    @pytest.mark.parametrize('status', REFUSED)
    def test_it_is_tried_once_for_all_threads_and_clients(
        self, cloud: FakeCloud, status: int
    ) -> None:
        expire(cloud)
        body = {'error': {'code': status, 'message': 'Could not find it.'}}
        kind = {'Content-Type': 'application/json'}
        cloud.on('POST', TOKENS, status_code=status, json=body, headers=kind)
        transports = [Transport(cloud.session) for _ in range(2)]

        def ask(number: int) -> str:
            with pytest.raises(errors.LoginRefused) as raised:
                transports[number % 2].delete(URL, accepted=202)
            return raised.value.message

        with ThreadPoolExecutor(8) as pool:
            told = set(pool.map(ask, range(24)))
        assert logins(cloud) == 1 + 1
        assert told == {
            f'the identity service does not renew the login '
            f'(identity.example answered {status}: Could not find it)'
        }

    def test_nothing_more_is_sent(self, cloud: FakeCloud) -> None:
        expire(cloud)
        cloud.on('POST', TOKENS, status_code=401)
        transport = Transport(cloud.session)
        for _ in range(5):
            with pytest.raises(errors.LoginRefused):
                transport.get(URL)
        assert cloud.sent() == [f'GET {URL}']

    def test_each_thread_gets_its_own_exception(
        self, cloud: FakeCloud
    ) -> None:
        expire(cloud)
        cloud.on('POST', TOKENS, status_code=401)
        transport = Transport(cloud.session)
        told = []
        for _ in range(2):
            with pytest.raises(errors.LoginRefused) as raised:
                transport.get(URL)
            told.append(raised.value.message)
            raised.value.message = 'something else'
        assert told[0] == told[1]

    @pytest.mark.parametrize('client', [VBSClient, CSBSClient])
    def test_the_first_login_of_all(
        self, fake_cloud: MakeCloud, client: Any
    ) -> None:
        cloud = fake_cloud({'vbs': 'https://vbs.example/v2/'})
        cloud.on('POST', TOKENS, status_code=401)
        for _ in range(3):
            with pytest.raises(errors.LoginRefused):
                _ = client(cloud.session).endpoint
        assert logins(cloud) == 1


class TestUnanswered:
    @pytest.mark.parametrize(
        'answer',
        [
            *({'status_code': status} for status in UNANSWERED),
            {'status_code': 413, 'headers': {'Retry-After': '0'}},
            {'exc': ReadTimeout},
            {'exc': ConnectTimeout},
            {'exc': requests.exceptions.ConnectionError},
            {'status_code': 201, 'text': '<html>a portal</html>'},
            {'status_code': 201, 'json': {'token': {}}},
            {'status_code': 201, 'json': []},
        ],
        ids=str,
    )
    @pytest.mark.parametrize('method', ['GET', 'DELETE'])
    def test_nothing_was_sent_and_it_may_be_tried_again(
        self, cloud: FakeCloud, method: str, answer: dict[str, Any]
    ) -> None:
        expire(cloud)
        cloud.on('POST', TOKENS, **answer)
        transport = Transport(cloud.session)
        ask = {
            'GET': lambda: transport.get(URL),
            'DELETE': lambda: transport.delete(URL, accepted=202),
        }[method]
        with pytest.raises(errors.LoginUnanswered) as raised:
            ask()
        assert not raised.value.sent
        assert 'the login failed: ' in raised.value.message
        assert 'identity.example' in raised.value.message
        assert 'vbs.example' not in raised.value.message
        # The token that was refused is not sent once more.
        assert cloud.sent() == [f'{method} {URL}']
        assert logins(cloud) == 1 + 5

    def test_it_is_repeated_until_there_is_an_answer(
        self, cloud: FakeCloud
    ) -> None:
        cloud.on('DELETE', URL, {'status_code': 401}, {'status_code': 202})
        busy = {'status_code': 503}
        cloud.on('POST', TOKENS, busy, busy, {'json': cloud._log_in})
        receipt = Transport(cloud.session).delete(URL, accepted=202)
        assert receipt.status == 202
        assert logins(cloud) == 1 + 3

    def test_threads_that_waited_for_it_do_not_repeat_it(
        self, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr('vbsclient.api.http._ATTEMPTS', 1)
        together = threading.Barrier(8)

        def answer(request: Any, context: Any) -> str:
            together.wait(timeout=10)
            context.status_code = 401
            return ''

        waited = threading.Event()

        def hang(request: Any, context: Any) -> str:
            # Long enough for the others to stand in line.
            waited.wait(0.3)
            raise ReadTimeout

        cloud.on('GET', URL, text=answer)
        cloud.on('POST', TOKENS, text=hang)
        transport = Transport(cloud.session)

        def ask(_: int) -> None:
            with pytest.raises(errors.LoginUnanswered):
                transport.get(URL)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(ask, range(8)))
        assert logins(cloud) == 1 + 1


class TestCurrentToken:
    """The token ends soon, and another one is not to be had."""

    def soon(self, cloud: FakeCloud) -> None:
        auth = cloud.session.auth
        assert auth is not None
        auth.MIN_TOKEN_LIFE_SECONDS = 10**10  # type: ignore[attr-defined]

    def test_a_token_is_used_until_a_service_refuses_it(
        self, cloud: FakeCloud
    ) -> None:
        cloud.on('GET', URL, json={})
        transport = Transport(cloud.session)
        transport.get(URL)
        self.soon(cloud)
        for _ in range(20):
            transport.get(URL)
        assert logins(cloud) == 1

    @pytest.mark.parametrize('status', [401, 404, 503])
    def test_it_is_used_although_no_other_can_be_had(
        self, cloud: FakeCloud, status: int
    ) -> None:
        cloud.on('GET', URL, json={})
        cloud.on('POST', TOKENS, status_code=status)
        self.soon(cloud)
        for transport in (Transport(cloud.session), Transport(cloud.session)):
            for _ in range(20):
                transport.get(URL)
        assert logins(cloud) == 1 + 1
        assert {r.headers['X-Auth-Token'] for r in cloud.requests} == {
            'token-1'
        }

    def test_an_invalidated_catalog_is_read_again(
        self, cloud: FakeCloud
    ) -> None:
        cloud.on('GET', URL, json={})
        Transport(cloud.session).get(URL)
        cloud.session.invalidate()
        assert VBSClient(cloud.session).endpoint.service_type == 'vbs'
        assert logins(cloud) == 1 + 1

    def test_the_catalog_is_read_from_it(self, cloud: FakeCloud) -> None:
        cloud.on('POST', TOKENS, status_code=401)
        self.soon(cloud)
        assert VBSClient(cloud.session).endpoint.version == 'v2'
        assert logins(cloud) == 1 + 1


class TestRefusedAgain:
    @pytest.mark.parametrize('method', ['GET', 'DELETE'])
    def test_a_new_token_that_is_refused_is_about_the_call(
        self, cloud: FakeCloud, method: str
    ) -> None:
        expire(cloud)
        transport = Transport(cloud.session)
        ask = {
            'GET': lambda: transport.get(URL),
            'DELETE': lambda: transport.delete(URL, accepted=202),
        }[method]
        with pytest.raises(errors.Unauthorized) as raised:
            ask()
        assert not isinstance(raised.value, errors.LoginRefused)
        assert f'{method} /v3/p/backups/x' in raised.value.message
        assert 'access rules' in str(raised.value.hint)
        assert logins(cloud) == 2

    def test_a_login_without_renewal_says_so(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        expire(cloud)
        cloud.session.auth = plugin('admin_token', endpoint='x', token='t')
        with pytest.raises(errors.LoginRefused, match='cannot be renewed'):
            Transport(cloud.session).get(URL)
        assert len(cloud.sent()) == 1


def plugin(kind: str, **options: Any) -> Any:
    options = {'auth_url': IDENTITY, **options}
    loader = loading.get_plugin_loader(kind)
    known = {option.dest for option in loader.get_options()}
    return loader.load_from_options(
        **{key: value for key, value in options.items() if key in known}
    )


ME = {'username': 'x', 'user_domain_id': 'default'}
WEB = {
    'identity_provider': 'idp',
    'protocol': 'openid',
    'client_id': 'c',
    'client_secret': 's',
    'access_token_endpoint': 'https://idp.example/token',
}


@pytest.mark.parametrize(
    ('kind', 'options', 'expected'),
    [
        ('password', {**ME, 'password': 'p'}, Known.YES),
        ('v3password', {**ME, 'password': 'p'}, Known.YES),
        (
            'v3applicationcredential',
            {
                'application_credential_id': 'a',
                'application_credential_secret': 's',
            },
            Known.YES,
        ),
        ('token', {'token': 't'}, Known.NO),
        ('v3token', {'token': 't'}, Known.NO),
        ('v3totp', {**ME, 'passcode': '123456'}, Known.NO),
        (
            'v3multifactor',
            {**ME, 'auth_methods': ['v3password'], 'password': 'p'},
            Known.YES,
        ),
        (
            'v3multifactor',
            {
                **ME,
                'auth_methods': ['v3password', 'v3totp'],
                'password': 'p',
                'passcode': '123456',
            },
            Known.NO,
        ),
        (
            'v3multifactor',
            {'auth_methods': ['v3token'], 'token': 't'},
            Known.NO,
        ),
        ('v3oidcpassword', {**WEB, **ME, 'password': 'p'}, Known.YES),
        ('v3oidcclientcredentials', WEB, Known.YES),
        ('v3oidcaccesstoken', {**WEB, 'access_token': 't'}, Known.NO),
        (
            'v3oidcauthcode',
            {**WEB, 'code': 'c', 'redirect_uri': 'https://x.example'},
            Known.NO,
        ),
        ('admin_token', {'endpoint': 'x', 'token': 't'}, Known.NO),
        ('none', {}, Known.UNKNOWN),
        ('http_basic', {'username': 'u', 'password': 'p'}, Known.UNKNOWN),
    ],
)
def test_what_a_plugin_holds_decides_whether_it_can_be_renewed(
    kind: str, options: dict[str, Any], expected: Known
) -> None:
    found = plugin(kind, **options)
    if kind == 'v3multifactor':
        loader = loading.get_plugin_loader(kind)
        loader._methods = options['auth_methods']
        found = loader.load_from_options(auth_url=IDENTITY, **options)
    assert can_be_renewed(found) is expected


def test_a_login_that_may_not_be_repeated_is_none() -> None:
    found = plugin('password', **ME, password='p')
    found.reauthenticate = False
    assert can_be_renewed(found) is Known.NO


def test_no_login_at_all() -> None:
    with pytest.raises(errors.LoginRefused, match='no valid login'):
        Transport(Session()).get(URL)
