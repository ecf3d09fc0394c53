# SPDX-License-Identifier: Apache-2.0
"""The sandbox: a cloud, its HTTP server and the log of its requests."""

import asyncio
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import formatdate
from types import TracebackType
from typing import Any

from tests.sandbox import faults
from tests.sandbox.cloud import Cloud
from tests.sandbox.dispatch import locate, serve
from tests.sandbox.faults import Fault
from tests.sandbox.http import HttpServer
from tests.sandbox.knobs import Knobs
from tests.sandbox.seed import seed
from tests.sandbox.state import CloudState
from tests.sandbox.wire import Answer, Request, native_error

Finished = Callable[['LoggedRequest'], None]


@dataclass
class LoggedRequest:
    """One request as it came on the wire, and what became of it."""

    method: str
    path: str
    query: str
    service: str
    project: str  # as the path has it
    token: str  # the end of its id
    user_agent: str
    started: float
    finished: float = 0.0
    status: int = 0  # 0: not answered
    request_id: str = ''
    body: bytes = b''

    @property
    def target(self) -> str:
        return self.path + ('?' + self.query if self.query else '')

    def __str__(self) -> str:
        return f'{self.method} {self.target}'


class Sandbox:
    """A cloud on a free port of 127.0.0.1; a context manager.

    The knobs may be given as keywords, or as one object, which may be
    changed while the cloud runs.  `epoch` is the time of day in the cloud
    when it starts, if not now.
    """

    def __init__(
        self,
        *,
        knobs: Knobs | None = None,
        clock: Callable[[], float] = time.monotonic,
        epoch: datetime | None = None,
        port: int = 0,
        on_finished: Finished | None = None,
        **keywords: Any,
    ) -> None:
        if knobs is not None and keywords:
            raise TypeError('give either knobs or keywords')
        self.knobs = knobs or Knobs(**keywords)
        self.requests: list[LoggedRequest] = []
        self._cloud = Cloud.new(self.knobs, clock, epoch)
        self._http = HttpServer(self._respond, port)
        self._on_finished = on_finished
        self._in_flight = 0

    # -- running -----------------------------------------------------------

    def start(self) -> 'Sandbox':
        self._http.start()
        return self

    def stop(self) -> None:
        self._http.stop()

    def __enter__(self) -> 'Sandbox':
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f'http://127.0.0.1:{self._http.port}'

    # -- what is there -----------------------------------------------------

    @property
    def state(self) -> CloudState:
        """The state as of now: what is due is done."""
        with self._cloud.state.lock:
            self._cloud.advance()
        return self._cloud.state

    @property
    def project_id(self) -> str:
        return self._cloud.state.project.id

    def seed(self) -> 'Sandbox':
        seed(self._cloud.state)
        return self

    # -- the log -----------------------------------------------------------

    def service_requests(self) -> list[str]:
        """`METHOD path?query` of everything but Keystone."""
        return [
            str(request)
            for request in list(self.requests)
            if request.service != 'identity'
        ]

    def deletes(self) -> list[str]:
        """`DELETE path?query` of everything but Keystone."""
        return [
            text
            for text in self.service_requests()
            if text.startswith('DELETE ')
        ]

    def posts(self) -> list[tuple[str, Any]]:
        """Path and body of each POST to everything but Keystone."""
        return [
            (request.target, json.loads(request.body or b'null'))
            for request in list(self.requests)
            if request.service != 'identity' and request.method == 'POST'
        ]

    def clear_log(self) -> None:
        self.requests.clear()

    # -- how to reach it ---------------------------------------------------

    def clouds_yaml(self, **extra: Any) -> str:
        """The text of a clouds.yaml with the cloud `sandbox`.

        Further keys go into the cloud's entry; None leaves one out.
        """
        entry: dict[str, Any] = {
            'auth': {
                'auth_url': f'{self.url}/identity/v3',
                'username': 'demo',
                'password': 'secret',
                'project_name': 'demo',
                'user_domain_name': 'Default',
                'project_domain_name': 'Default',
            },
            'region_name': self.knobs.regions[0],
            'interface': 'public',
            'identity_api_version': '3',
        }
        entry |= extra
        lines = ['clouds:', '  sandbox:']
        for key, value in entry.items():
            if isinstance(value, dict):
                lines.append(f'    {key}:')
                for name, text in value.items():
                    lines.append(f'      {name}: {json.dumps(text)}')
            elif value is not None:
                # JSON is YAML, and quotes what needs it.
                lines.append(f'    {key}: {json.dumps(value)}')
        return '\n'.join(lines) + '\n'

    # -- serving -----------------------------------------------------------

    async def _respond(self, request: Request) -> Answer | None:
        place = locate(request.path)
        logged = self._log(request, place.service, place.segments)
        fault = faults.pick(self.knobs.faults, request.method, request.target)
        counted = place.service != 'identity'
        self._in_flight += counted
        try:
            answer = await self._respond_to(request, counted, fault)
        finally:
            self._in_flight -= counted
        if answer is not None:
            answer.headers['x-openstack-request-id'] = logged.request_id
            if self.knobs.clock_offset:
                answer.headers['Date'] = formatdate(
                    time.time() + self.knobs.clock_offset, usegmt=True
                )
            logged.status = answer.status
        logged.finished = time.monotonic()
        if self._on_finished is not None:
            self._on_finished(logged)
        return answer

    async def _respond_to(
        self, request: Request, counted: bool, fault: Fault | None
    ) -> Answer | None:
        crowded = counted and self._crowded()
        if counted and self.knobs.latency:
            await asyncio.sleep(self.knobs.latency)
        if fault and fault.action == 'hang':
            await asyncio.sleep(fault.seconds)
            return None
        if fault and not fault.carried_out:
            return faults.spoil(fault, None)
        answer = crowded or self._carry_out(request)
        return faults.spoil(fault, answer) if fault else answer

    def _carry_out(self, request: Request) -> Answer:
        request.base = self.url
        return serve(self._cloud, request, locate(request.path))

    def _crowded(self) -> Answer | None:
        limit = self.knobs.max_concurrent
        if limit is None or self._in_flight <= limit:
            return None
        answer = native_error(429, 'Too many requests at once.')
        if self.knobs.retry_after is not None:
            answer.headers['Retry-After'] = self.knobs.retry_after
        return answer

    def _log(
        self, request: Request, service: str, segments: tuple[str, ...]
    ) -> LoggedRequest:
        logged = LoggedRequest(
            request.method,
            request.path,
            request.query,
            service,
            segments[1] if len(segments) > 1 else '',
            request.headers.get('X-Auth-Token', '')[-8:],
            request.headers.get('User-Agent', ''),
            time.monotonic(),
            request_id=f'req-{uuid.uuid4()}',
            body=request.body,
        )
        self.requests.append(logged)
        return logged
