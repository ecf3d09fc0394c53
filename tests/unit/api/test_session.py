# SPDX-License-Identifier: Apache-2.0
"""Our own session: bounded, and nothing of it on the one that was given."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from tests.unit.fakes import IDENTITY, FakeCloud
from vbsclient.api import errors
from vbsclient.api.adapter import Adapter
from vbsclient.api.csbs import CSBSClient
from vbsclient.api.http import Transport
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
            made = client(session, concurrency=concurrency, timeout=(1.0, 2.0))
            _ = made.endpoint
        after = state_of(session)
        # Where it logged in, or what it found, is nobody's secret.
        assert after == before

    def test_its_connections_outlive_ours(self) -> None:
        session = Session()
        mounted = dict(session.session.adapters)
        Transport(session)
        assert session._session is session.session
        assert dict(session.session.adapters) == mounted

    def test_what_was_mounted_on_purpose_is_used(
        self, fake_cloud: Callable[..., FakeCloud]
    ) -> None:
        cloud = fake_cloud()
        cloud.on('GET', URL, json={})
        Transport(cloud.session, concurrency=64).get(URL)
        assert cloud.sent() == [f'GET {URL}']

    def test_its_times_are_told_all_the_same(
        self, fake_cloud: Callable[..., FakeCloud]
    ) -> None:
        cloud = fake_cloud()
        cloud.session._collect_timing = True
        cloud.on('GET', URL, json={})
        Transport(cloud.session).get(URL)
        assert [t.url for t in cloud.session.get_timings()][-1] == URL


class TestOwnSession:
    @pytest.mark.parametrize(
        ('concurrency', 'connections'), [(1, 10), (10, 10), (64, 64)]
    )
    def test_no_thread_waits_for_a_connection(
        self, concurrency: int, connections: int
    ) -> None:
        adapters = Transport(
            Session(), concurrency=concurrency
        ).session.session.adapters
        assert {type(a) for a in adapters.values()} == {Adapter}
        assert {a._pool_maxsize for a in adapters.values()} == {connections}

    def test_what_is_demanded_of_tls_still_holds(self) -> None:
        try:
            session = Session(tls_min_version='1.3')
        except TypeError:
            pytest.skip('this keystoneauth knows no such demand')
        adapters = Transport(session).session.session.adapters
        assert {a.tls_min_version for a in adapters.values()} == {'1.3'}

    def test_the_rest_is_as_it_was_given(self) -> None:
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

    def test_a_login_is_bounded(
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
