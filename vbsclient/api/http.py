# SPDX-License-Identifier: Apache-2.0
"""How a request leaves: safely, repeatably, and on one session.

Everything that must hold for each request of ours is here and nowhere else:
redirects are never followed, only GET and DELETE are repeated, each request
has a time-out, and a refused token is renewed once for all threads.
"""

from __future__ import annotations

import logging
import math
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import requests
import tenacity
from keystoneauth1.session import Session, TCPKeepAliveAdapter

from vbsclient.api import errors
from vbsclient.api.adapter import Adapter
from vbsclient.api.answers import Answer, object_of, translated, unexpected
from vbsclient.api.values import UUID, canonical_id

LOG = logging.getLogger(__name__)

#: Seconds to connect and to read, where the cloud sets no ``api_timeout``.
DEFAULT_TIMEOUT = (10.0, 60.0)

#: Seconds by which the last look of a wait may outlast its time-out.
LAST_LOOK = 2.0

#: Connections that requests keeps per host unless told otherwise.
_DEFAULT_POOL = 10

_REPEATABLE_STATUSES = frozenset({408, 429, 502, 503, 504})
_LONGEST_RETRY_AFTER = 60.0
_ATTEMPTS = 5
#: Being told to slow down is no failure: more patience than for the rest.
_ATTEMPTS_WHEN_THROTTLED = 12

Query = Mapping[str, str]


def is_uuid(value: str) -> bool:
    """Whether a text has the canonical shape of a UUID (8-4-4-4-12 hex)."""
    return UUID.fullmatch(value) is not None


def resource_path(*parts: str, id: str | None = None) -> str:
    """The path of a collection, or of one resource in it.

    This is the one place where an id becomes a part of a URL.  Encoding
    would be no defence (``..`` needs none, and ``detail`` is a route), so
    that nothing but a UUID passes.

    :param parts: path segments that are written in our own code.
    :param id: the id of the resource; a collection's path has none.
    :raises InvalidId: if the id has not the shape of a UUID.
    """
    if id is not None:
        if not is_uuid(id):
            raise errors.InvalidId(f'{id!r} is not an id (a UUID)')
        parts = (*parts, canonical_id(id))
    return '/'.join(parts)


@dataclass(frozen=True)
class Receipt:
    """A DELETE that the service accepted, or that a GET must judge.

    :ivar status: the HTTP status of the last answer.
    :ivar request_id: the service's id of the last answer.
    :ivar attempts: how often the request was sent.
    """

    status: int
    request_id: str | None
    attempts: int


class _AsItIs(requests.auth.AuthBase):
    """Adds nothing to a request: the token is in it already."""

    def __call__(
        self, request: requests.PreparedRequest
    ) -> requests.PreparedRequest:
        return request


class AdaptiveLimit:
    """How many requests may be under way: halved by 429, regained slowly."""

    def __init__(self, limit: int, stop: threading.Event) -> None:
        self._ceiling = limit
        self._limit = float(limit)
        self._busy = 0
        self._lowered_at = 0.0
        self._stop = stop
        self._changed = threading.Condition()

    @contextmanager
    def slot(self) -> Iterator[float]:
        """Hold one place; yields the moment at which it was taken."""
        with self._changed:
            while self._busy >= max(1, int(self._limit)):
                if self._stop.is_set():
                    raise errors.Cancelled('not sent')
                # The stop event cannot wake a condition: look now and then.
                self._changed.wait(0.2)
            self._busy += 1
        try:
            yield time.monotonic()
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify()

    def lower(self, sent_at: float) -> None:
        """Halve the limit, once for all requests that were under way."""
        with self._changed:
            if sent_at >= self._lowered_at:
                self._limit = max(1.0, self._limit / 2)
                self._lowered_at = time.monotonic()

    def raise_again(self) -> None:
        """Win back a little after an answer that was no 429."""
        if self._limit < self._ceiling:
            with self._changed:
                self._limit = min(
                    self._ceiling, self._limit + 0.5 / self._limit
                )
                self._changed.notify()


class Deadline:
    """The moment at which a wait ends; without a wait there is none."""

    def __init__(self) -> None:
        self._at: float | None = None

    @contextmanager
    def within(self, seconds: float | None) -> Iterator[None]:
        """Let it be so many seconds from now, inside the block."""
        self._at = None if seconds is None else time.monotonic() + seconds
        try:
            yield
        finally:
            self._at = None

    def left(self) -> float:
        """Seconds until then, negative behind it."""
        at = self._at
        return math.inf if at is None else at - time.monotonic()


class Transport:
    """Requests of one service on a keystoneauth session, for many threads.

    :param session: an authenticated keystoneauth session.
    :param timeout: (connect, read) in seconds; None takes what the session
        was configured with, else :data:`DEFAULT_TIMEOUT`.
    :param concurrency: the most requests that are under way at a time.
    :param stop: once set, no further request is sent and no sleep lasts.
    :param deadline: behind it nothing is repeated any more.
    :ivar clock_offset: by how much the service's clock was ahead of this
        machine's at its last answer; None as long as no answer told its time.
    """

    clock_offset: timedelta | None = None

    def __init__(
        self,
        session: Session,
        *,
        timeout: tuple[float, float] | None = None,
        concurrency: int = 10,
        stop: threading.Event | None = None,
        deadline: Deadline | None = None,
    ) -> None:
        self._session = session
        self._timeout = timeout or _session_timeout(session)
        self.stop = stop or threading.Event()
        self._deadline = deadline or Deadline()
        self._limit = AdaptiveLimit(concurrency, self.stop)
        self._concurrency = concurrency
        self._renewal = threading.Lock()

    def connect_to(self, base: str) -> None:
        """Give an endpoint connections of its own.

        As many are kept as we have threads, and none waits for an answer
        that has no end.  What somebody else has made for this endpoint
        stays, as long as it is large enough.
        """
        adapter = self._session.session.get_adapter(base)
        if (
            self._concurrency > _DEFAULT_POOL
            or type(adapter) is TCPKeepAliveAdapter
        ):
            own = Adapter(
                pool_maxsize=max(self._concurrency, _DEFAULT_POOL),
                **_tls_of(self._session),
            )
            self._session.session.mount(base, own)

    def get(
        self,
        url: str,
        query: Query | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """GET a JSON object.

        :raises MalformedResponse: if the answer is no JSON object.
        :raises ServiceError: if the service refuses.
        :raises ConnectionFailed: if there is no answer.
        """
        response = self._retrying()(self._answer, 'GET', url, query, headers)
        if response.status_code != 200:
            raise unexpected(response)
        return object_of(response, url)

    def get_once(
        self, url: str, *, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        """One GET whatever comes of it: for version documents."""
        return self._send_once('GET', url, None, headers)

    def delete(
        self, url: str, query: Query | None = None, *, accepted: int
    ) -> Receipt:
        """DELETE, where only the documented status counts as accepted.

        :param accepted: that status; 204 is tolerated beside it.
        :raises RepeatedDelete: if it was sent more than once and refused at
            last: the first may have been carried out, a GET must tell.
        :raises ServiceError: if the service refuses the only attempt.
        :raises ConnectionFailed: if there is no answer.
        """
        failures: list[errors.ServiceError | errors.ConnectionFailed] = []

        def attempt() -> requests.Response:
            try:
                return self._answer('DELETE', url, query)
            except (errors.ServiceError, errors.ConnectionFailed) as error:
                failures.append(error)
                raise

        try:
            response = self._retrying()(attempt)
        except errors.Cancelled:
            if not failures:
                raise
            # Something was sent: "not sent" would be a lie.
            if len(failures) == 1:
                raise failures[0] from None
            raise errors.RepeatedDelete(failures[-1], len(failures)) from None
        except (errors.ServiceError, errors.ConnectionFailed) as error:
            if len(failures) > 1 and any(map(_may_have_left, failures)):
                raise errors.RepeatedDelete(error, len(failures)) from error
            raise
        if response.status_code not in (accepted, 204):
            raise unexpected(response)
        return Receipt(
            response.status_code,
            errors.request_id_of(response),
            len(failures) + 1,
        )

    def _retrying(self) -> tenacity.Retrying:
        """What repeats a GET or a DELETE until it is answered for good."""
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception(_is_repeatable),
            wait=lambda state: min(
                _wait(state), max(0.0, self._deadline.left())
            ),
            stop=lambda state: (
                self.stop.is_set()
                or self._deadline.left() <= 0
                or _enough(state)
            ),
            sleep=tenacity.sleep_using_event(self.stop),
            before_sleep=_log_retry,
            reraise=True,
        )

    def _answer(
        self,
        method: str,
        url: str,
        query: Query | None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """One answer that does not refuse.

        :raises ServiceError: if it refuses.
        """
        response = self._send(method, url, query, headers)
        if not 200 <= response.status_code < 300:
            raise errors.error_from_response(response)
        return response

    def _send(
        self,
        method: str,
        url: str,
        query: Query | None,
        headers: Mapping[str, str] | None,
    ) -> requests.Response:
        response = self._send_once(method, url, query, headers)
        if response.status_code == 401 and self._renew_token(response):
            response = self._send_once(method, url, query, headers)
        return response

    def _send_once(
        self,
        method: str,
        url: str,
        query: Query | None,
        headers: Mapping[str, str] | None,
    ) -> requests.Response:
        with self._limit.slot() as sent_at:
            if self.stop.is_set():
                raise errors.Cancelled('not sent')
            timeout = self._timeout_of(method)
            answer = Answer()
            with translated(url, answer):
                response = self._session.request(
                    url,
                    method,
                    params=dict(query or {}),
                    headers={'Accept': 'application/json', **(headers or {})},
                    timeout=timeout,
                    redirect=False,
                    allow_reauth=False,
                    connect_retries=0,
                    status_code_retries=0,
                    raise_exc=False,
                    # Otherwise a netrc file is looked for at each request,
                    # and its login would go to the service.
                    requests_auth=_AsItIs(),
                    client_name='python-vbsclient',
                    hooks={'response': answer.begins},
                )
        if response.status_code == 429:
            self._limit.lower(sent_at)
        else:
            self._limit.raise_again()
        told = _http_date(response.headers.get('Date', ''))
        if told is not None:
            self.clock_offset = told - datetime.now(timezone.utc)
        return response

    def _timeout_of(self, method: str) -> tuple[float, float]:
        """How long a request may take; a look no longer than its wait.

        A DELETE gets its time even then: without its answer nobody would
        know what became of it.
        """
        left = self._deadline.left() + LAST_LOOK
        if method != 'GET' or left == math.inf:
            return self._timeout
        if left <= 0:
            raise errors.ConnectionFailed(
                'the time for the wait is over', sent=False, repeatable=False
            )
        connect, read = self._timeout
        return min(connect, left), min(read, left)

    def _renew_token(self, response: requests.Response) -> bool:
        """Log in again after a 401, once for all threads that saw one.

        keystoneauth's own renewal clears the token under the other threads,
        which then give up; only the thread whose refused token is still the
        current one may clear it.
        """
        refused = response.request.headers.get('X-Auth-Token')
        identity = getattr(self._session.auth, 'auth_url', None)
        try:
            with self._renewal, translated(identity or response.url):
                current = self._session.get_token()
                if current == refused and self._session.invalidate():
                    current = self._session.get_token()
        except errors.ConnectionFailed as error:
            # The request itself was answered: it was refused with 401.
            error.sent = False
            raise
        return current != refused


def seconds_to_wait(retry_after: str | None) -> float | None:
    """The ``Retry-After`` header in seconds, clipped to 0..60.

    :param retry_after: seconds, or an HTTP date.
    :returns: None if there is none, or none that can be read.
    """
    if retry_after is None:
        return None
    text = retry_after.strip()
    if re.fullmatch(r'[0-9]{1,9}', text):
        seconds = float(text)
    else:
        moment = _http_date(text)
        if moment is None:
            return None
        seconds = (moment - datetime.now(timezone.utc)).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER)


def _http_date(text: str) -> datetime | None:
    """A time as HTTP writes it; None if it cannot be read."""
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return moment


def _session_timeout(session: Session) -> tuple[float, float]:
    if session.timeout is not None:
        return float(session.timeout), float(session.timeout)
    return DEFAULT_TIMEOUT


def _tls_of(session: Session) -> dict[str, Any]:
    """What a session demands of TLS; older ones know nothing of that."""
    names = ('tls_ciphers', 'tls_min_version')
    return {n: v for n in names if (v := getattr(session, n, None))}


def _is_repeatable(error: BaseException) -> bool:
    if isinstance(error, errors.ServiceError):
        return error.status in _REPEATABLE_STATUSES
    return isinstance(error, errors.ConnectionFailed) and error.repeatable


def _may_have_left(
    error: errors.ServiceError | errors.ConnectionFailed,
) -> bool:
    return not isinstance(error, errors.ConnectionFailed) or error.sent


_exponential = tenacity.wait_random_exponential(multiplier=0.5, max=20)


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, errors.ServiceError):
        told = seconds_to_wait(error.retry_after)
        if told is not None:
            return told
    return float(_exponential(state))


def _enough(state: tenacity.RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome else None
    throttled = isinstance(error, errors.TooManyRequests)
    most = _ATTEMPTS_WHEN_THROTTLED if throttled else _ATTEMPTS
    return state.attempt_number >= most


def _log_retry(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    LOG.debug('attempt %d failed: %.500r', state.attempt_number, str(error))
