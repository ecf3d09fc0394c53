# SPDX-License-Identifier: Apache-2.0
"""How a request leaves: safely, repeatably, and on one session.

Everything that must hold for each request of ours is here and nowhere else:
redirects are never followed, only GET and DELETE are repeated, each request
has a time-out, and a refused token is renewed once for all threads.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

import requests
import tenacity
from keystoneauth1.session import Session

from vbsclient.api import errors
from vbsclient.api.answers import (
    LARGEST_BODY,
    LARGEST_SINGLE,
    Answer,
    object_of,
    require_documented,
    translated,
    unexpected,
)
from vbsclient.api.login import Headers, login_of
from vbsclient.api.session import OwnSession, Timeout
from vbsclient.api.times import http_date, seconds_to_wait
from vbsclient.api.values import UUID, canonical_id

LOG = logging.getLogger(__name__)

#: Seconds to connect and to read, where the cloud sets no ``api_timeout``.
DEFAULT_TIMEOUT = (10.0, 60.0)

#: Seconds by which the last look of a wait may outlast its time-out.
LAST_LOOK = 2.0

#: Connections that requests keeps per host unless told otherwise.
_DEFAULT_POOL = 10

#: What somebody on the way answers of a service that it did not reach, or
#: that may answer the next time; being throttled is known by its type.
_REPEATABLE_STATUSES = frozenset({408, 502, 503, 504})
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
    """How many requests may be under way: halved where a service throttles.

    What was lost is regained slowly.
    """

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
        """Win back a little after an answer that asked for no pause."""
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

    :param session: an authenticated keystoneauth session; nothing is left
        on it, not even a connection.
    :param timeout: (connect, read) in seconds; None takes what the session
        was configured with, else :data:`DEFAULT_TIMEOUT`.
    :param concurrency: the most requests that are under way at a time.
    :param stop: once set, no further request is sent and no sleep lasts.
    :param deadline: behind it nothing is repeated any more.
    :ivar timeout: (connect, read) in seconds, of each request.
    :ivar session: what it sends with, for those who need its login.
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
        self.timeout = timeout or _session_timeout(session)
        self.stop = stop or threading.Event()
        self._deadline = deadline or Deadline()
        self._limit = AdaptiveLimit(concurrency, self.stop)
        self.session = OwnSession(
            session,
            # No thread waits for one of another.
            connections=max(concurrency, _DEFAULT_POOL),
            timeout=self._timeout_of_logins,
        )
        self._login = login_of(self.session)

    def get(
        self,
        url: str,
        query: Query | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """GET a JSON object, which may be long if a limit of rows is given.

        :raises MalformedResponse: if the answer is no JSON object.
        :raises ServiceError: if the service refuses.
        :raises ConnectionFailed: if there is no answer.
        """
        response = self._retrying()(self._send, 'GET', url, query, headers)
        if response.status_code != 200:
            raise unexpected(response)
        return object_of(response, url)

    def get_document(
        self, url: str, *, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        """GET a version document, for which a 300 is an answer, too.

        Most clouds have none: a refusal says so, and is neither repeated nor
        a reason to log in anew.

        :raises ServiceError: if the service refuses.
        :raises ConnectionFailed: if there is no answer.
        """

        def attempt() -> requests.Response | errors.ServiceError:
            merged = {**self._token(), **(headers or {})}
            try:
                return self._send_once('GET', url, headers=merged, also=300)
            except errors.ServiceError as refusal:
                return refusal

        answer = self._retrying()(attempt)
        if isinstance(answer, errors.ServiceError):
            raise answer
        return answer

    def delete(
        self, url: str, query: Query | None = None, *, accepted: int
    ) -> Receipt:
        """DELETE, where only what is documented counts as accepted.

        :param accepted: that status; 204 is tolerated beside it.
        :raises UnexpectedSuccess: if it is another one, or its body is none
            that the service documents.
        :raises RepeatedDelete: if it was sent more than once and refused at
            last: the first may have been carried out, a GET must tell.
        :raises ServiceError: if the service refuses the only attempt.
        :raises ConnectionFailed: if there is no answer.
        """
        failures: list[errors.ServiceError | errors.ConnectionFailed] = []

        def attempt() -> requests.Response:
            try:
                return self._send('DELETE', url, query)
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
            if len(failures) > 1 and any(
                getattr(failure, 'sent', True) for failure in failures
            ):
                raise errors.RepeatedDelete(error, len(failures)) from error
            raise
        require_documented(response, accepted, 204)
        return Receipt(
            response.status_code,
            errors.request_id_of(response),
            len(failures) + 1,
        )

    def _retrying(self) -> tenacity.Retrying:
        """What repeats a GET or a DELETE until it is answered for good."""
        enough = _Enough()
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception(_is_repeatable),
            wait=lambda state: min(
                _wait(state), max(0.0, self._deadline.left())
            ),
            stop=lambda state: (
                self.stop.is_set()
                or self._deadline.left() <= 0
                or enough(state)
            ),
            sleep=tenacity.sleep_using_event(self.stop),
            before_sleep=_log_retry,
            reraise=True,
        )

    def _token(self) -> Headers:
        """The headers of the login; logs in where that was not done yet."""
        if self.stop.is_set():
            raise errors.Cancelled('not sent')
        return self._login.headers(self.session)

    def _send(
        self,
        method: str,
        url: str,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """One answer that does not refuse, with a new token if need be.

        :raises ServiceError: if it refuses.
        :raises ConnectionFailed: if there is none.
        """
        # What has no time left needs no login either.
        self._timeout_of(method)
        token: Headers | None = self._token()
        refusal: errors.Unauthorized | None = None
        while token is not None:
            try:
                return self._send_once(
                    method,
                    url,
                    query,
                    headers={**token, **(headers or {})},
                )
            except errors.Unauthorized as error:
                if refusal is not None:
                    raise _refused_again(error, method, url) from None
                refusal = error
            try:
                token = self._login.renewed(self.session, token)
            except (errors.LoginRefused, errors.LoginUnanswered) as error:
                error.answered = True
                raise
        ended = errors.LoginRefused(
            f'the service does not accept the login, which cannot be '
            f'renewed: {refusal.message if refusal else ""}',
        )
        ended.answered = True
        raise ended

    def _send_once(
        self,
        method: str,
        url: str,
        query: Query | None = None,
        *,
        headers: Mapping[str, str],
        also: int = 200,
    ) -> requests.Response:
        """One answer.

        :param headers: with those of the login.
        :param also: a status that is none of a success and refuses nothing.
        """
        with self._limit.slot() as sent_at:
            if self.stop.is_set():
                raise errors.Cancelled('not sent')
            timeout = self._timeout_of(method)
            is_page = 'limit' in (query or {})
            answer = Answer(LARGEST_BODY if is_page else LARGEST_SINGLE)
            with translated(url, answer, self.session.verify):
                response = self.session.request(
                    url,
                    method,
                    params=dict(query or {}),
                    headers={'Accept': 'application/json', **headers},
                    timeout=timeout,
                    redirect=False,
                    # The headers have the token: keystoneauth would log in
                    # for one that is valid for two more minutes.
                    authenticated=False,
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
        told = http_date(response.headers.get('Date', ''))
        if told is not None:
            self.clock_offset = told - datetime.now(timezone.utc)
        status = response.status_code
        if 200 <= status < 300 or status == also:
            self._limit.raise_again()
            return response
        refusal = errors.error_from_response(response)
        if isinstance(refusal, errors.TooManyRequests):
            self._limit.lower(sent_at)
        else:
            self._limit.raise_again()
        raise refusal

    def _timeout_of(self, method: str) -> Timeout:
        """How long a request may take; a look no longer than its wait.

        A DELETE gets its time even then: without its answer nobody would
        know what became of it.
        """
        left = self._deadline.left() + LAST_LOOK
        if method != 'GET' or left == math.inf:
            return self.timeout
        if left <= 0:
            raise errors.ConnectionFailed(
                'the time for the wait is over', sent=False, repeatable=False
            )
        return self._within(left)

    def _timeout_of_logins(self) -> Timeout:
        """How long a login may take: as long as what needs it."""
        left = self._deadline.left() + LAST_LOOK
        return self._within(left if left > 0 else math.inf)

    def _within(self, seconds: float) -> Timeout:
        connect, read = self.timeout
        return min(connect, seconds), min(read, seconds)


def _session_timeout(session: Session) -> Timeout:
    if session.timeout is not None:
        return float(session.timeout), float(session.timeout)
    return DEFAULT_TIMEOUT


def _refused_again(
    error: errors.Unauthorized, method: str, url: str
) -> errors.Unauthorized:
    """What a 401 means to a token that is new: it is about this call."""
    error.message = (
        f'{error.message} (to {method} {urlsplit(url).path}, with a new token)'
    )
    error.hint = (
        'The access rules of an application credential may forbid this call: '
        'look at them, or use a login without any.'
    )
    return error


def _is_repeatable(error: BaseException) -> bool:
    if isinstance(error, errors.ServiceError):
        return (
            isinstance(error, errors.TooManyRequests)
            or error.status in _REPEATABLE_STATUSES
        )
    return isinstance(error, errors.ConnectionFailed) and error.repeatable


_exponential = tenacity.wait_random_exponential(multiplier=0.5, max=20)


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, errors.ServiceError):
        told = seconds_to_wait(error.retry_after)
        if told is not None:
            return told
    return float(_exponential(state))


class _Enough:
    """Whether one request was tried often enough.

    Each kind of failure is counted by itself: who was told to slow down
    before has not tried in vain.
    """

    def __init__(self) -> None:
        self._throttled = self._failed = 0

    def __call__(self, state: tenacity.RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, errors.TooManyRequests):
            self._throttled += 1
        else:
            self._failed += 1
        return (
            self._throttled >= _ATTEMPTS_WHEN_THROTTLED
            or self._failed >= _ATTEMPTS
        )


def _log_retry(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    LOG.debug('attempt %d failed: %.500r', state.attempt_number, str(error))
