# SPDX-License-Identifier: Apache-2.0
"""A sandbox in one line, and a client for it."""

import http.client
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.sandbox import Sandbox

PROVIDER = 'fc4d5750-22e7-4798-8a46-f48f62c4c1da'
UNKNOWN = '00000000-0000-4000-8000-000000000000'


class Clock:
    """A clock that the test controls."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Api:
    """A user of the sandbox: `{P}` in a path is the project's id."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()
        self.log_in()

    def log_in(self, **changes: Any) -> requests.Response:
        default = {'name': 'Default'}
        user = {'name': 'demo', 'password': 'secret', 'domain': default}
        project = {'name': 'demo', 'domain': default}
        auth = {
            'identity': {'methods': ['password'], 'password': {'user': user}},
            'scope': {'project': project},
        } | changes
        answer = self.session.post(
            f'{self.sandbox.url}/identity/v3/auth/tokens', json={'auth': auth}
        )
        token = answer.headers.get('X-Subject-Token', '')
        self.session.headers['X-Auth-Token'] = token
        return answer

    def __call__(
        self, method: str, path: str, **keywords: Any
    ) -> requests.Response:
        path = path.replace('{P}', self.sandbox.project_id)
        keywords.setdefault('allow_redirects', False)
        return self.session.request(
            method, self.sandbox.url + path, timeout=5, **keywords
        )

    def get(self, path: str, **keywords: Any) -> requests.Response:
        return self('GET', path, **keywords)

    def delete(self, path: str, **keywords: Any) -> requests.Response:
        return self('DELETE', path, **keywords)

    def post(self, path: str, **keywords: Any) -> requests.Response:
        return self('POST', path, **keywords)

    def raw(self, method: str, path: str) -> tuple[int, str]:
        """A path that no library has tidied up."""
        host = self.sandbox.url.removeprefix('http://')
        connection = http.client.HTTPConnection(host, timeout=5)
        try:
            connection.request(
                method,
                path.replace('{P}', self.sandbox.project_id),
                headers={'X-Auth-Token': self.session.headers['X-Auth-Token']},
            )
            answer = connection.getresponse()
            return answer.status, answer.getheader('Content-Type') or ''
        finally:
            connection.close()


Cloud = Callable[..., Api]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """Start a sandbox with some knobs and log in."""
    running: list[Api] = []

    def start(**knobs: Any) -> Api:
        sandbox = Sandbox(**knobs).start()
        api = Api(sandbox)
        running.append(api)
        return api

    yield start
    for api in running:
        api.session.close()
        api.sandbox.stop()
