# SPDX-License-Identifier: Apache-2.0
"""A session of our own, made of one that belongs to somebody else.

It logs in as the other one does and demands the same of TLS, but its
connections, its time-outs and its bounds are ours alone: the other one may
be used for something slow at the same time, or afterwards.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import requests
from keystoneauth1.session import Session, TCPKeepAliveAdapter
from requests.adapters import HTTPAdapter

from vbsclient.api.adapter import Adapter
from vbsclient.api.answers import Answer

#: (connect, read) in seconds.
Timeout = tuple[float, float]


class OwnSession(Session):
    """A keystoneauth session that leaves the given one as it is.

    What a login plugin sends, too, is bounded in time and size, and never
    follows a redirect.

    :param given: whose login, TLS settings, headers and log are shared.
    :param connections: that are kept for each host.
    :param timeout: asked for each request that brings none of its own.
    """

    def __init__(
        self,
        given: Session,
        *,
        connections: int,
        timeout: Callable[[], Timeout],
    ) -> None:
        # Session.__init__ would make anew what is shared, such as the times
        # that "openstack --timing" prints.
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
        """Send a request, also one of a login plugin."""
        keywords.setdefault('timeout', self._timeout_now())
        keywords.setdefault('hooks', {'response': Answer().begins})
        return super().request(url, method, *args, **keywords)


def _sender(given: Session, connections: int) -> requests.Session:
    """What sends: as the given one is set, with connections of its own.

    An adapter that is none of the two usual ones was mounted on purpose, and
    is used.
    """
    sender = requests.Session()
    for name in ('headers', 'proxies', 'params', 'trust_env'):
        setattr(sender, name, copy.copy(getattr(given.session, name)))
    for prefix, adapter in given.session.adapters.items():
        if type(adapter) in (HTTPAdapter, TCPKeepAliveAdapter):
            adapter = Adapter(pool_maxsize=connections, **_tls_of(given))
        sender.mount(prefix, adapter)
    return sender


def _tls_of(session: Session) -> dict[str, Any]:
    """What a session demands of TLS; older ones know nothing of that."""
    names = ('tls_ciphers', 'tls_min_version')
    return {n: v for n in names if (v := getattr(session, n, None))}
