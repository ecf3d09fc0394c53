# SPDX-License-Identifier: Apache-2.0
"""A cloud of mocked HTTP below a real keystoneauth session.

For answers that a test writes out, and for errors of a connection; what needs
a service with a state runs against the sandbox.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import requests
import requests_mock
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

PROJECT = '0123456789abcdef0123456789abcdef'
IDENTITY = 'https://identity.example/v3'

#: (URL, region, interface)
Endpoint = tuple[str, str, str]
#: Service type -> the URL in RegionOne, or every endpoint.
Catalog = Mapping[str, str | Sequence[Endpoint]]
Answer = Callable[[requests.PreparedRequest, Any], Any]


class FakeCloud:
    """A session whose requests are counted and never leave the process.

    What a test did not foresee is answered with 501, which nothing repeats.

    :ivar http: where a test registers answers.
    """

    def __init__(
        self,
        catalog: Catalog | None = None,
        *,
        project: bool = True,
        timeout: float | None = None,
    ) -> None:
        self.http = requests_mock.Adapter()
        self.logins = 0
        self._token = _token(catalog or {}, project)
        self.http.register_uri(
            requests_mock.ANY,
            requests_mock.ANY,
            status_code=501,
            text='not foreseen by the test',
        )
        self.http.register_uri(
            'POST', f'{IDENTITY}/auth/tokens', json=self._log_in
        )
        sender = requests.Session()
        sender.mount('http://', self.http)
        sender.mount('https://', self.http)
        self.session = Session(
            auth=v3.Password(
                IDENTITY,
                username='demo',
                password='secret',
                user_domain_id='default',
                project_id=PROJECT if project else None,
            ),
            session=sender,
            timeout=timeout,
        )

    def on(self, method: str, url: Any, *answers: Any, **answer: Any) -> None:
        """Answer a request; several answers are given one after another."""
        if answers:
            self.http.register_uri(method, url, list(answers))
        else:
            self.http.register_uri(method, url, **answer)

    def sent(self, method: str | None = None) -> list[str]:
        """``METHOD URL`` of each request to a service, in order."""
        return [
            f'{request.method} {request.url}'
            for request in self.http.request_history
            if not request.url.startswith(IDENTITY)
            and method in (None, request.method)
        ]

    @property
    def requests(self) -> list[Any]:
        """Each request to a service, in order."""
        return [
            request
            for request in self.http.request_history
            if not request.url.startswith(IDENTITY)
        ]

    def _log_in(self, request: Any, context: Any) -> Any:
        self.logins += 1
        context.status_code = 201
        context.headers['X-Subject-Token'] = f'token-{self.logins}'
        return self._token


def _token(catalog: Catalog, project: bool) -> dict[str, Any]:
    """The body of a token (Identity v3), written out."""
    body: dict[str, Any] = {
        'methods': ['password'],
        'user': {
            'id': 'f' * 32,
            'name': 'demo',
            'domain': {'id': 'default', 'name': 'Default'},
        },
        'issued_at': '2024-05-02T10:00:00.000000Z',
        'expires_at': '2099-05-02T10:00:00.000000Z',
    }
    if project:
        body['project'] = {
            'id': PROJECT,
            'name': 'demo',
            'domain': {'id': 'default', 'name': 'Default'},
        }
        body['catalog'] = [
            _service(service_type, endpoints)
            for service_type, endpoints in catalog.items()
        ]
    return {'token': body}


def _service(
    service_type: str, endpoints: str | Sequence[Endpoint]
) -> dict[str, Any]:
    if isinstance(endpoints, str):
        endpoints = [(endpoints, 'RegionOne', 'public')]
    return {
        'id': service_type,
        'type': service_type,
        'name': service_type,
        'endpoints': [
            {
                'id': f'{region}-{interface}',
                'interface': interface,
                'region': region,
                'region_id': region,
                'url': url,
            }
            for url, region, interface in endpoints
        ],
    }
