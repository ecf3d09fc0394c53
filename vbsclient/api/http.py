# SPDX-License-Identifier: Apache-2.0
"""How a request is sent: safely, repeatably, and on one session.

What must hold for each request is here and nowhere else: redirects are never
followed, only what is safe to repeat is repeated, each request has a
timeout, and a token is renewed once for all threads.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

import requests
import tenacity
from keystoneauth1.session import Session
from requests.adapters import DEFAULT_POOLSIZE

from vbsclient.api import answers, errors
from vbsclient.api.failures import translated
from vbsclient.api.login import Headers, login_of
from vbsclient.api.paths import is_job_id, is_uuid, refuse_deleting_post
from vbsclient.api.session import (
    LARGEST_PAGE,
    LARGEST_SINGLE,
    BodyReader,
    OwnSession,
    Timeout,
)
from vbsclient.api.times import http_date, seconds_to_wait
from vbsclient.api.values import Known, canonical_id, id_or_none

LOG = logging.getLogger(__name__)

#: Seconds to connect and to read, where neither caller nor session set any.
DEFAULT_TIMEOUT = (10.0, 60.0)

#: Seconds by which the last poll of a wait may outlast its timeout.
LAST_LOOK = 2.0

#: What a gateway answers that did not reach the service, or that may answer
#: the next time; throttling is known by its type.
_REPEATABLE_STATUSES = frozenset({408, 502, 503, 504})
#: Nobody waited for the end of the request, which may still be carried out.
_NOT_WAITED_FOR = frozenset({408, 499})
#: Whoever says it, the service or a gateway before it.
_NOT_LET_IN = frozenset({401, 429})
_ATTEMPTS = 5
#: Throttling is no failure: more patience than for the rest.
_ATTEMPTS_WHEN_THROTTLED = 12

Query = Mapping[str, str]
Body = Mapping[str, Any]
#: How a request ends that the service did not accept.
_FAILURES = (errors.ServiceError, errors.ConnectionFailed)


@dataclass(frozen=True)
class Handle:
    """What a change goes on as in the service, as far as it is known.

    :ivar backup_id: the backup that it makes.
    :ivar job_id: its job; VBS alone has jobs.
    :ivar checkpoint_id: its checkpoint; CSBS alone has checkpoints.
    :ivar share_id: the share that it has made.
    """

    backup_id: str | None = None
    job_id: str | None = None
    checkpoint_id: str | None = None
    share_id: str | None = None

    @classmethod
    def of_backup(cls, id: Any) -> Handle | None:
        """For the id of a backup in an answer; None if it is none."""
        is_id = isinstance(id, str) and is_uuid(id)
        return cls(backup_id=canonical_id(id)) if is_id else None

    @classmethod
    def of_job(cls, id: Any) -> Handle | None:
        """For the id of a job in an answer; None if it is none."""
        is_id = isinstance(id, str) and is_job_id(id)
        return cls(job_id=id) if is_id else None

    @classmethod
    def of_checkpoint(cls, id: Any) -> Handle | None:
        """For the id of a checkpoint in an answer; None if it is none."""
        is_id = isinstance(id, str) and is_uuid(id)
        return cls(checkpoint_id=canonical_id(id)) if is_id else None


@dataclass(frozen=True)
class Receipt:
    """A change that the service accepted, or that a GET must verify.

    :ivar status: the HTTP status of the last answer.
    :ivar request_id: the service's id of the last answer.
    :ivar attempts: how often the request was sent.
    :ivar handle: by what the change can be followed, where it goes on.
    """

    status: int
    request_id: str | None
    attempts: int
    handle: Handle | None = None


def require_echo(
    receipt: Receipt, told: Mapping[str, Any], asked: Mapping[str, str]
) -> None:
    """Check that an answer is about what was asked for.

    :param told: what the answer says.
    :param asked: the ids that were sent, in lower case, by the same keys; an
        answer may leave out any of them.
    :raises OutcomeUnknown: with a ContradictoryAnswer, if it is not.
    """
    for key, id in asked.items():
        said = told.get(key)
        if said is not None and id_or_none(said) != id:
            raise errors.OutcomeUnknown(
                errors.ContradictoryAnswer(
                    f'the service answers about the {key} {said}, and not '
                    f'about {id}',
                    status=receipt.status,
                    request_id=receipt.request_id,
                )
            )


def with_handle(receipt: Receipt, handle: Handle | None) -> Receipt:
    """A receipt of what goes on in the service.

    :param handle: None if the answer has no id that can be used.
    :raises OutcomeUnknown: in that case: it was accepted all the same.
    """
    if handle is None:
        raise errors.OutcomeUnknown(
            errors.UnexpectedSuccess(
                'the service accepted it without an ID to follow it by',
                status=receipt.status,
                request_id=receipt.request_id,
            )
        )
    return replace(receipt, handle=handle)


@dataclass(frozen=True)
class _Request:
    """What is sent, apart from the login."""

    method: str
    url: str
    query: Query | None = None
    headers: Headers | None = None
    body: Body | None = None
    #: It gets its full time even after the end of a wait: without the answer
    #: its outcome would be unknown.
    is_change: bool = False
    #: A status beside the successes that is no refusal.
    also: int = 200
    #: Whether it may leave a second time.
    repeats: bool = True

    @property
    def largest(self) -> int:
        is_page = 'limit' in {**(self.query or {}), **(self.body or {})}
        return LARGEST_PAGE if is_page else LARGEST_SINGLE


class AdaptiveLimit:
    """How many requests may be under way: fewer where a service throttles."""

    def __init__(self, limit: int, stop: threading.Event) -> None:
        self._ceiling = limit
        self._limit = float(limit)
        self._busy = 0
        self._lowered_at = 0.0
        self._stop = stop
        self._changed = threading.Condition()

    @contextmanager
    def slot(self) -> Iterator[float]:
        """Take one place; yields the time at which it was taken."""
        with self._changed:
            while self._busy >= max(1, int(self._limit)):
                if self._stop.is_set():
                    raise errors.Cancelled('not sent')
                # The stop event cannot wake a condition.
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
        """Raise it a little after an answer that does not throttle."""
        if self._limit < self._ceiling:
            with self._changed:
                self._limit = min(
                    self._ceiling, self._limit + 0.5 / self._limit
                )
                self._changed.notify()


class Deadline:
    """The time at which a wait ends; without a wait there is none."""

    def __init__(self) -> None:
        self._at: float | None = None

    @contextmanager
    def within(self, seconds: float | None) -> Iterator[None]:
        """Set it to so many seconds from now, inside the block."""
        self._at = None if seconds is None else time.monotonic() + seconds
        try:
            yield
        finally:
            self._at = None

    def left(self) -> float:
        """Seconds until then, negative after it."""
        at = self._at
        return math.inf if at is None else at - time.monotonic()


@dataclass
class Activity:
    """What has been received so far, for whoever shows progress.

    :ivar rows: of lists.
    """

    rows: int = 0


@dataclass(frozen=True)
class Limits:
    """What bounds all requests of one command.

    :ivar concurrency: the maximum number of concurrent requests.
    :ivar stop: once set, no further request is sent.
    :ivar deadline: after it nothing is repeated any more.
    :ivar activity: counts what these requests bring.
    """

    concurrency: int = 10
    stop: threading.Event = field(default_factory=threading.Event)
    deadline: Deadline = field(default_factory=Deadline)
    activity: Activity = field(default_factory=Activity)


def _is_repeatable(error: BaseException) -> bool:
    """Whether what can be repeated without harm may succeed then."""
    if isinstance(error, errors.ServiceError):
        return (
            isinstance(error, errors.TooManyRequests)
            or error.status in _REPEATABLE_STATUSES
        )
    return isinstance(error, errors.ConnectionFailed) and error.repeatable


def _is_undone(error: BaseException) -> bool:
    """Whether a change that ended so was certainly not carried out.

    No 5xx proves that, not even one that asks for a pause; nor does what a
    gateway says of its own.  Who says that a token is none, or that there are
    too many requests, has let none in.
    """
    if isinstance(error, errors.ConnectionFailed):
        return not error.sent
    if not isinstance(error, errors.ServiceError):
        return False
    if error.status in _NOT_LET_IN:
        return True
    return (
        300 <= error.status < 500
        # This one sends to where it is seen what was done.
        and error.status != 303
        and error.status not in _NOT_WAITED_FOR
        and error.own is not Known.NO
    )


_exponential = tenacity.wait_random_exponential(multiplier=0.5, max=20)


def _error_of(state: tenacity.RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _wait(state: tenacity.RetryCallState) -> float:
    retry_after = getattr(_error_of(state), 'retry_after', None)
    seconds = seconds_to_wait(retry_after)
    return float(_exponential(state)) if seconds is None else seconds


def _attempt_counter() -> Callable[[tenacity.RetryCallState], bool]:
    """Whether one request was tried often enough.

    Throttling and failures are counted apart: throttled attempts leave as
    many for the rest.
    """
    counts = Counter[bool]()

    def is_enough(state: tenacity.RetryCallState) -> bool:
        throttled = isinstance(_error_of(state), errors.TooManyRequests)
        counts[throttled] += 1
        most = _ATTEMPTS_WHEN_THROTTLED if throttled else _ATTEMPTS
        return counts[throttled] >= most

    return is_enough


def _log_retry(state: tenacity.RetryCallState) -> None:
    LOG.debug(
        'attempt %d failed: %.500r',
        state.attempt_number,
        str(_error_of(state)),
    )


class Transport:
    """Requests of one service on a keystoneauth session, for many threads.

    :param session: an authenticated keystoneauth session; nothing is left
        on it, not even a connection.
    :param timeout: (connect, read) in seconds; None takes what the session
        was configured with, else :data:`DEFAULT_TIMEOUT`.
    :param limits: what bounds its requests.
    :ivar session: what it sends with.
    :ivar activity: counts what its requests bring.
    :ivar clock_offset: by how much the service's clock was ahead of this
        machine's at its last answer; None before an answer with a time.
    """

    clock_offset: timedelta | None = None

    def __init__(
        self,
        session: Session,
        *,
        timeout: Timeout | None = None,
        limits: Limits | None = None,
    ) -> None:
        if timeout is None and session.timeout is not None:
            timeout = (float(session.timeout), float(session.timeout))
        self.timeout = timeout or DEFAULT_TIMEOUT
        limits = limits or Limits()
        self.stop = limits.stop
        self._deadline = limits.deadline
        self.activity = limits.activity
        self._limit = AdaptiveLimit(limits.concurrency, self.stop)
        self.session = OwnSession(
            session,
            # No thread waits for a connection of another one.
            connections=max(limits.concurrency, DEFAULT_POOLSIZE),
            timeout=self._timeout,
        )
        self._login = login_of(self.session)

    def get(
        self,
        url: str,
        query: Query | None = None,
        *,
        headers: Headers | None = None,
    ) -> dict[str, Any]:
        """GET a JSON object, which may be long if a limit of rows is given.

        :raises MalformedResponse: if the answer is no JSON object.
        :raises ServiceError, ConnectionFailed: if there is no success.
        """
        return self._read(_Request('GET', url, query, headers))

    def post_to_read(self, url: str, body: Body) -> dict[str, Any]:
        """POST what changes nothing, such as a search; as :meth:`get`.

        :raises InvalidId: if it would change something all the same.
        """
        refuse_deleting_post(url)
        return self._read(_Request('POST', url, body=body))

    def get_document(
        self, url: str, *, headers: Headers | None = None
    ) -> requests.Response:
        """GET a version document, for which a 300 is an answer, too.

        Most clouds have none: a refusal says so, and is neither repeated nor
        a reason to log in again.

        :raises ServiceError, ConnectionFailed: if there is none.
        """
        request = _Request('GET', url, headers=headers, also=300)
        return self._retrying(
            lambda error: (
                isinstance(error, errors.ConnectionFailed) and error.repeatable
            )
        )(lambda: self._send_once(request, self._token(request)))

    def post(
        self,
        url: str,
        body: Body | None,
        *,
        accepted: int,
        repeats: bool = True,
    ) -> tuple[dict[str, Any], Receipt]:
        """POST a change, which has one of three ends.

        Accepted: it returns.  Refused, so that nothing was done: the
        exception says why.  Unknown: :class:`OutcomeUnknown`.  It is sent
        again only where nothing can have been done: after a 401 and a new
        login, after throttling, and if the connection failed before it.

        :param body: None where the reference documents none.
        :param accepted: the one status that the reference documents.
        :param repeats: whether it may be sent again; never where what was
            checked before it must still be so.
        :returns: the JSON object of the answer ({} for a 204), and a receipt.
        :raises OutcomeUnknown: after a 5xx, 408 or 499, an answer that is
            not the documented one, or none.
        :raises ServiceError: if the service refuses.
        :raises ConnectionFailed: if it could not be sent (``sent`` is False).
        :raises Cancelled: if the stop event was set before.
        """
        return self._change('POST', url, body, accepted, repeats)

    def put(
        self, url: str, body: Body, *, accepted: int, repeats: bool = True
    ) -> tuple[dict[str, Any], Receipt]:
        """PUT a change, with the same ends as :meth:`post`.

        :param repeats: as there; never where the body was made of what was
            read: it may be different after a pause.
        """
        return self._change('PUT', url, body, accepted, repeats)

    def delete(
        self, url: str, query: Query | None = None, *, accepted: int
    ) -> Receipt:
        """DELETE, where only what is documented counts as accepted.

        :param accepted: that status; 204 is tolerated beside it.
        :raises UnexpectedSuccess: if the status or the body is another one.
        :raises RepeatedDelete: if it was sent more than once and refused in
            the end: the first may have been carried out, a GET must verify.
        :raises ServiceError, ConnectionFailed: if the only attempt failed.
        """
        request = _Request('DELETE', url, query, is_change=True)
        failures: list[errors.ServiceError | errors.ConnectionFailed] = []

        def attempt() -> requests.Response:
            try:
                return self._send(request)
            except _FAILURES as error:
                failures.append(error)
                raise

        try:
            response = self._retrying()(attempt)
        except (errors.Cancelled, *_FAILURES) as error:
            if len(failures) > 1 and any(
                getattr(failure, 'sent', True) for failure in failures
            ):
                raise errors.RepeatedDelete(
                    failures[-1], len(failures)
                ) from error
            if failures and isinstance(error, errors.Cancelled):
                # "Not sent" would be wrong.
                raise failures[-1] from None
            raise
        answers.require_documented(response, accepted, 204)
        return _receipt(response, len(failures) + 1)

    def _read(self, request: _Request) -> dict[str, Any]:
        response = self._retrying()(self._send, request)
        if response.status_code != 200:
            raise answers.unexpected(response)
        return answers.object_of(response)

    def _change(
        self,
        method: str,
        url: str,
        body: Body | None,
        accepted: int,
        repeats: bool = True,
    ) -> tuple[dict[str, Any], Receipt]:
        refuse_deleting_post(url)
        request = _Request(
            method, url, body=body, is_change=True, repeats=repeats
        )
        attempts = 0

        def attempt() -> requests.Response:
            nonlocal attempts
            attempts += 1
            return self._send(request)

        try:
            response = self._retrying(
                lambda error: (
                    repeats and _is_undone(error) and _is_repeatable(error)
                )
            )(attempt)
            document = _documented(response, accepted)
        except _FAILURES as error:
            if _is_undone(error):
                raise
            # A hint to try again would be wrong: it may be done twice then.
            raise errors.OutcomeUnknown(error.revised(hint='')) from error
        return document, _receipt(response, attempts)

    def _retrying(
        self, is_repeatable: Callable[[BaseException], bool] = _is_repeatable
    ) -> tenacity.Retrying:
        """What repeats a request until its answer is final."""
        is_enough = _attempt_counter()
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception(is_repeatable),
            wait=lambda state: min(
                _wait(state), max(0.0, self._deadline.left())
            ),
            stop=lambda state: (
                self.stop.is_set()
                or self._deadline.left() <= 0
                or is_enough(state)
            ),
            sleep=tenacity.sleep_using_event(self.stop),
            before_sleep=_log_retry,
            reraise=True,
        )

    def _token(self, request: _Request) -> Headers:
        self._check_time(request)
        return self._login.headers(self.session)

    def _send(self, request: _Request) -> requests.Response:
        """One answer that does not refuse, with a new token if need be."""
        token = self._token(request)
        try:
            return self._send_once(request, token)
        except errors.Unauthorized as error:
            if not request.repeats:
                raise
            renewed = self._login.renewed(self.session, token)
            if renewed is None:
                raise errors.LoginRefused(
                    f'the service does not accept the login, which cannot be '
                    f'renewed: {error.message}',
                    answered=True,
                ) from None
        try:
            return self._send_once(request, renewed)
        except errors.Unauthorized as error:
            # The token is new: it is about this call.
            raise error.revised(
                f'{error.message} (to {request.method} '
                f'{urlsplit(request.url).path}, with a new token)',
                'The access rules of an application credential may forbid '
                'this call: check them, or use a login without any.',
            ) from None

    def _send_once(
        self, request: _Request, token: Headers
    ) -> requests.Response:
        """One answer that does not refuse."""
        with self._limit.slot() as sent_at:
            self._check_time(request)
            reader = BodyReader(request.largest)
            with translated(request.url, reader, self.session.verify):
                response = self.session.request(
                    request.url,
                    request.method,
                    params=dict(request.query or {}),
                    json=request.body,
                    headers={
                        'Accept': 'application/json',
                        **token,
                        **(request.headers or {}),
                    },
                    timeout=self._timeout(request),
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
                    requests_auth=lambda request: request,
                    client_name='python-vbsclient',
                    hooks={'response': reader},
                )
        date = http_date(response.headers.get('Date', ''))
        if date is not None:
            self.clock_offset = date - datetime.now(timezone.utc)
        status = response.status_code
        if 200 <= status < 300 or status == request.also:
            self._limit.raise_again()
            return response
        refusal = answers.error_from_response(response)
        if isinstance(refusal, errors.TooManyRequests):
            self._limit.lower(sent_at)
        else:
            self._limit.raise_again()
        raise refusal

    def _check_time(self, request: _Request) -> None:
        """Check that a request, and a login for it, may still be sent."""
        if not request.is_change and self._deadline.left() <= -LAST_LOOK:
            raise errors.ConnectionFailed(
                'the time for the wait is over', sent=False, repeatable=False
            )
        if self.stop.is_set():
            raise errors.Cancelled('not sent')

    def _timeout(self, request: _Request | None = None) -> Timeout:
        """How long it, or a login, may take: a poll as long as the wait."""
        left = self._deadline.left() + LAST_LOOK
        if request.is_change if request else left <= 0:
            return self.timeout
        connect, read = self.timeout
        # urllib3 refuses a timeout of nothing.
        left = max(left, 0.01)
        return min(connect, left), min(read, left)


def _documented(response: requests.Response, accepted: int) -> dict[str, Any]:
    """The JSON object of a change that was accepted; {} for a 204.

    :raises UnexpectedSuccess: if this is another answer.
    """
    answers.require_documented(response, accepted)
    is_empty = not response.content.strip()
    if is_empty and accepted == 204:
        return {}
    try:
        return answers.object_of(response)
    except errors.MalformedResponse:
        what = ' without a body' if is_empty else ' with a body'
        raise answers.unexpected(response, what) from None


def _receipt(response: requests.Response, attempts: int) -> Receipt:
    return Receipt(
        response.status_code, answers.request_id_of(response), attempts
    )
