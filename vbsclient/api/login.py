# SPDX-License-Identifier: Apache-2.0
"""Logins: what a token is used for, how it is renewed, and what a refusal is.

keystoneauth renews a token two minutes before its end, at each request once
more if that fails, and from several threads at the same time.  Here a token
is used until a service refuses it, one thread renews it for all, and a login
that is refused is never tried again: a provider locks accounts.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from keystoneauth1 import exceptions as ksa_exceptions
from keystoneauth1.access import AccessInfo
from keystoneauth1.identity.base import BaseIdentityPlugin
from keystoneauth1.plugin import BaseAuthPlugin
from keystoneauth1.session import Session

from vbsclient.api import errors
from vbsclient.api.failures import no_answer
from vbsclient.api.times import seconds_to_wait
from vbsclient.api.urls import host_of
from vbsclient.api.values import Known

LOG = logging.getLogger(__name__)

Headers = Mapping[str, str]

#: What a person can do where the identity service redirects.
CORRECT_AUTH_URL = 'Correct the URL of the identity service.'

#: What ends with its first use, or with the token that it is: plugins and
#: their methods keep it under these names.
_SPENT = (
    *('token', '_token', 'access_token', 'receipt'),
    *('passcode', 'code', 'idp_otp_key'),
)

#: Parts of a plugin that log in for it.
_PARTS = ('_plugin', '_local_cloud_plugin')

_logins: WeakKeyDictionary[BaseAuthPlugin, Login] = WeakKeyDictionary()
_logins_lock = threading.Lock()


class Login:
    """The login of one plugin, for all clients and threads that use it.

    Its methods raise LoginRefused if the identity service refuses, and
    LoginUnanswered if it does not answer.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._headers: Headers | None = None
        self._refusal: errors.LoginRefused | None = None
        self._failure: errors.LoginUnanswered | None = None
        self._failed_at = 0.0
        self._renews = False

    def headers(self, session: Session) -> Headers:
        """The headers that authenticate a request; mostly a token."""
        asked_at = time.monotonic()
        with self._lock:
            if self._headers is not None:
                return self._headers
            return self._log_in(session, asked_at)

    def renewed(self, session: Session, refused: Headers) -> Headers | None:
        """Other headers than those that a service answered with 401.

        :returns: None if nothing of the login can be renewed.
        """
        asked_at = time.monotonic()
        with self._lock:
            if self._headers == refused:
                if _token_of(session.auth) in (None, *refused.values()) and (
                    not session.invalidate()
                ):
                    return None
            elif self._headers is not None:
                return self._headers
            self._headers = None
            return self._log_in(session, asked_at, answered=True)

    def access(self, session: Session) -> AccessInfo | None:
        """The token's data with the catalog; None if the login has none."""
        self.headers(session)
        auth = session.auth
        if not isinstance(auth, BaseIdentityPlugin):
            return None
        if auth.auth_ref is None:
            # Another user of the plugin has invalidated its token.
            asked_at = time.monotonic()
            with self._lock:
                self._log_in(session, asked_at)
        return auth.auth_ref

    def _log_in(
        self, session: Session, asked_at: float, *, answered: bool = False
    ) -> Headers:
        if self._refusal is not None:
            raise _copy_of(self._refusal, answered)
        if self._failure is not None and asked_at < self._failed_at:
            # It failed while this thread was waiting for the lock.
            raise _copy_of(self._failure, answered)
        current = _token_of(session.auth)
        try:
            headers = session.get_auth_headers()
            if headers is None:
                raise ksa_exceptions.AuthorizationFailure(
                    'No valid authentication is available'
                )
        except (
            ksa_exceptions.ClientException,
            errors.ClientError,
            OSError,
            # What keystoneauth lets through for answers of a wrong shape.
            LookupError,
            TypeError,
            ValueError,
            AttributeError,
        ) as error:
            failure = _login_failure(error, session, renews=self._renews)
            if isinstance(failure, errors.LoginRefused):
                self._refusal = failure
            else:
                self._failure, self._failed_at = failure, time.monotonic()
            if current is None:
                raise _copy_of(failure, answered) from error
            LOG.info(
                'The current token is used until it expires: %s.', failure
            )
            self._headers = {'X-Auth-Token': current}
            return self._headers
        self._renews = True
        self._headers = dict(headers)
        return self._headers


def _copy_of(
    failure: errors.LoginRefused | errors.LoginUnanswered, answered: bool
) -> errors.LoginRefused | errors.LoginUnanswered:
    """An exception for one thread of those that need the same login."""
    failure = failure.revised()
    failure.answered = answered
    return failure


def login_of(session: Session) -> Login:
    """The login that all sessions with the same plugin share."""
    auth = session.auth
    if auth is None:
        return Login()
    with _logins_lock:
        return _logins.setdefault(auth, Login())


def _login_failure(
    error: Exception, session: Session, *, renews: bool
) -> errors.LoginRefused | errors.LoginUnanswered:
    """What a failed login means: refused for good, or not answered."""
    auth_url = str(getattr(session.auth, 'auth_url', None) or '')
    host = host_of(auth_url) or 'identity'
    cause = error.__cause__ or error.__context__
    if isinstance(error, ksa_exceptions.DiscoveryFailure) and isinstance(
        cause, ksa_exceptions.HttpError | ksa_exceptions.ConnectionError
    ):
        error = cause
    if isinstance(error, ksa_exceptions.HttpError):
        return _answered(error, host, 'renew' if renews else 'accept')
    if isinstance(error, errors.ClientError):
        return _unanswered(error.message, error.hint)
    if isinstance(error, ksa_exceptions.ConnectionError | OSError):
        reason = no_answer(error, auth_url, session.verify)
        return _unanswered(
            reason.message, reason.hint, repeatable=reason.repeatable
        )
    response = getattr(error, 'response', None)
    location = getattr(response, 'headers', {}).get('Location')
    if location:
        return _unanswered(
            f'{host} redirects to {host_of(location) or "another path"}, and '
            f'a redirect is never followed',
            CORRECT_AUTH_URL,
            repeatable=False,
        )
    if isinstance(
        error, ksa_exceptions.DiscoveryFailure | ksa_exceptions.InvalidResponse
    ) or not isinstance(error, ksa_exceptions.ClientException):
        return _unanswered(
            f'the answer of {host} could not be read ({_reason(error)})'
        )
    return errors.LoginRefused(f'no valid login: {_reason(error)}')


def _unanswered(
    reason: str, hint: str | None = None, *, repeatable: bool = True
) -> errors.LoginUnanswered:
    return errors.LoginUnanswered(
        f'the login failed: {reason}', hint, repeatable=repeatable
    )


def _answered(
    error: ksa_exceptions.HttpError, host: str, verb: str
) -> errors.LoginRefused | errors.LoginUnanswered:
    """What the status of an answer means.

    Keystone refuses a wrong password with 401, a locked account with 401 or
    403 and the renewal of a token that was revoked with 404: so does each
    4xx, except those that only ask for patience.
    """
    status = error.http_status or 0
    headers = getattr(error.response, 'headers', {})
    waits = seconds_to_wait(headers.get('Retry-After')) is not None
    if status in (408, 429) or status >= 500 or (status == 413 and waits):
        return _unanswered(
            f'the identity service {host} answered {status} ({_reason(error)})'
        )
    return errors.LoginRefused(
        f'the identity service does not {verb} the login ({host} answered '
        f'{status}: {_reason(error)})'
    )


def _reason(error: Exception) -> str:
    text = str(getattr(error, 'message', None) or error)
    # The status is shown beside it.
    text = re.sub(r' \(HTTP \d+\).*', '', text, flags=re.DOTALL)
    return text.rstrip('.') or type(error).__name__


def _token_of(auth: Any) -> str | None:
    """The token that a plugin holds, if it is one of the identity service."""
    return getattr(getattr(auth, 'auth_ref', None), 'auth_token', None)


def can_be_renewed(auth: Any) -> Known:
    """Whether a login lasts longer than its token.

    What the plugin holds decides: a password or a secret can be sent again,
    a passcode, a code, a receipt or another token cannot.  UNKNOWN for what
    needs no identity service.
    """
    if any(
        getattr(part, name, None)
        for part in _parts_of(auth)
        for name in _SPENT
    ):
        return Known.NO
    if not isinstance(auth, BaseIdentityPlugin):
        return Known.UNKNOWN
    return Known.YES if auth.reauthenticate else Known.NO


def _parts_of(auth: Any) -> Iterator[Any]:
    yield auth
    yield from getattr(auth, 'auth_methods', None) or ()
    for name in _PARTS:
        part = getattr(auth, name, None)
        if part is not None:
            yield from _parts_of(part)
