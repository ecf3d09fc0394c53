# SPDX-License-Identifier: Apache-2.0
"""A session of our own, made of one that belongs to the caller.

It logs in as the given one does and requires the same of TLS, but its
connections, its timeouts and its limits are its own: the given one may be
used for something slow at the same time, or afterwards.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from typing import Any

import requests
from keystoneauth1.session import Session, TCPKeepAliveAdapter
from requests.adapters import HTTPAdapter

from vbsclient.api import errors
from vbsclient.api.adapter import Adapter
from vbsclient.api.urls import host_of

#: Where keystoneauth logs its requests.
LOG = logging.getLogger('keystoneauth.session')

#: (connect, read) in seconds.
Timeout = tuple[float, float]

# Bytes after which no answer is read any further, however short it was when
# it was packed.

#: A page of a list has a few million.
LARGEST_PAGE = 200_000_000
#: One resource, a token with its catalog, a version document.
LARGEST_SINGLE = 10_000_000
#: A refusal, and the answer to a DELETE: only the beginning is needed.
LARGEST_REFUSAL = 1_000_000

_PIECE = 10_000


class BodyReader:
    """Reads the body of an answer, up to a limit; a hook of requests.

    :param largest: the most bytes that a success may have.
    :ivar status: of the answer; None until there is one.
    """

    status: int | None = None

    def __init__(self, largest: int = LARGEST_SINGLE) -> None:
        self._largest = largest

    def __call__(self, response: requests.Response, **_: Any) -> None:
        """Read it.

        :raises ConnectionFailed: if it is too large, or no final answer.
        """
        self.status = response.status_code
        if self.status < 200:
            # http.client would give the final one to the next request on
            # this connection.
            response.close()
            raise errors.ConnectionFailed(
                f'{host_of(response.url)} gave a provisional answer '
                f'({self.status}) and no other'
            )
        try:
            b'\xff'.decode(response.encoding or 'utf-8', 'replace')
        except (LookupError, ValueError):
            # A charset that does not exist, or that cannot replace what it
            # does not know: keystoneauth's log would fail on it.
            response.encoding = 'utf-8'
        # As Response.content keeps it.
        response._content = b''.join(self._pieces(response))

    def _pieces(self, response: requests.Response) -> list[bytes]:
        is_detail = response.request.method == 'DELETE' or not response.ok
        left = LARGEST_REFUSAL if is_detail else self._largest
        pieces = []
        for piece in response.iter_content(_PIECE):
            left -= len(piece)
            if left < 0:
                response.close()
                break
            pieces.append(piece)
        if left < 0 and not is_detail:
            raise errors.ConnectionFailed(
                f'the response of {host_of(response.url)} is too large '
                f'(more than {self._largest / 1_000_000:g} MB)',
                repeatable=False,
            )
        return pieces


class OwnSession(Session):
    """A keystoneauth session that leaves the given one as it is.

    What an auth plugin sends is limited in time and size, too, and never
    follows a redirect.

    :param given: whose auth plugin, TLS settings and headers are used.
    :param connections: how many are kept for each host.
    :param timeout: called for each request that has no timeout of its own.
    """

    def __init__(
        self,
        given: Session,
        *,
        connections: int,
        timeout: Callable[[], Timeout],
    ) -> None:
        # Session.__init__ would make anew what is shared, such as the times
        # of all requests.
        vars(self).update(vars(given))
        self.session = _sender(given, connections)
        # Or the connections of the given one would end with this one.
        self._session = None
        self.redirect = False
        self._connect_retries = 0
        self._timeout_now = timeout

    def request(
        self, url: str, method: str, *args: Any, **keywords: Any
    ) -> requests.Response:
        """Send a request, also one of an auth plugin."""
        keywords.setdefault('timeout', self._timeout_now())
        keywords.setdefault('hooks', {'response': BodyReader()})
        token = (keywords.get('headers') or {}).get('X-Auth-Token')
        if token:
            keywords.setdefault('logger', _LogWithoutToken(LOG, token))
        return super().request(url, method, *args, **keywords)


class _LogWithoutToken(logging.LoggerAdapter):  # type: ignore[type-arg]
    """Hides a token, which some services repeat in their answers."""

    def __init__(self, logger: logging.Logger, token: str) -> None:
        super().__init__(logger)
        self._token = token

    def log(
        self, level: int, msg: object, *args: Any, **keywords: Any
    ) -> None:
        record = logging.LogRecord('', level, '', 0, msg, args, None)
        text = record.getMessage().replace(self._token, '***')
        super().log(level, text, **keywords)


def _sender(given: Session, connections: int) -> requests.Session:
    """What sends: set as in the given one, with connections of its own.

    An adapter that is not one of the two usual ones was mounted on purpose,
    and is used.
    """
    sender = requests.Session()
    for name in ('headers', 'proxies', 'params', 'trust_env'):
        setattr(sender, name, copy.copy(getattr(given.session, name)))
    # Older versions of keystoneauth know no requirements of TLS.
    names = ('tls_ciphers', 'tls_min_version')
    tls = {n: v for n in names if (v := getattr(given, n, None))}
    for prefix, adapter in given.session.adapters.items():
        if type(adapter) in (HTTPAdapter, TCPKeepAliveAdapter):
            adapter = Adapter(pool_maxsize=connections, **tls)
        sender.mount(prefix, adapter)
    return sender
