# SPDX-License-Identifier: Apache-2.0
"""Connections on which the time for an answer is limited.

The timeout of requests holds between two pieces of an answer: a host that
sends a byte now and then keeps its caller for as long as it likes.  Only the
reader below http.client sees each piece of a head and of a body, on plain,
encrypted and proxied connections alike, so that it is replaced here, and the
classes that lead to it.
"""

from __future__ import annotations

import http.client
import io
import time
from typing import Any

from keystoneauth1.session import TCPKeepAliveAdapter
from urllib3 import ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

#: Bytes per second at which a body may take longer than its timeout.
SLOWEST = 10_000


class _TimedReader(io.RawIOBase):
    """Reads from a socket, for no longer than its timeout in all.

    :ivar rate: bytes that extend the time by a second; 0 if none do.
    """

    def __init__(self, sock: Any, raw: io.RawIOBase) -> None:
        self._sock = sock
        self._raw = raw
        self._timeout: float = sock.gettimeout()
        self.restart(rate=0)

    def restart(self, rate: int) -> None:
        """Count the time from now."""
        self.rate = rate
        self._end = time.monotonic() + self._timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError('the response timed out')
        self._sock.settimeout(min(self._timeout, left))
        try:
            length = self._raw.readinto(buffer)
        finally:
            # The next request begins with sending, which has its time too.
            self._sock.settimeout(self._timeout)
        if self.rate and length:
            self._end += length / self.rate
        return length

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """An answer whose head, and then its body, must come in time."""

    _reader: _TimedReader | None = None

    def __init__(self, sock: Any, *args: Any, **keywords: Any) -> None:
        super().__init__(sock, *args, **keywords)
        if sock.gettimeout() is not None:
            self._reader = _TimedReader(sock, self.fp.detach())
            self.fp = io.BufferedReader(self._reader)

    def begin(self) -> None:
        super().begin()
        # urllib3 would show a line that is no header with a traceback.
        self.headers.defects.clear()
        self.headers.set_payload('')
        if self._reader is not None:
            self._reader.restart(rate=SLOWEST)


class _Connection(HTTPConnection):
    """A connection that marks what fails before a request can have left.

    Marks, because urllib3, requests and keystoneauth decide by the types of
    these exceptions, and what they wrap around them does not tell: a proxy
    that breaks off its tunnel looks like a service that breaks off its
    answer.
    """

    response_class = _Response

    def connect(self) -> None:
        """Connect, with the tunnel and the encryption."""
        try:
            super().connect()
        except Exception as error:
            error.never_left = True  # type: ignore[attr-defined]
            raise

    def _tunnel(self) -> None:
        try:
            super()._tunnel()
        except Exception as error:
            error.by_proxy = str(self.proxy)  # type: ignore[attr-defined]
            raise


class _SecureConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {'http': _Pool, 'https': _SecurePool}


class Adapter(TCPKeepAliveAdapter):
    """keystoneauth's own, with such connections."""

    def init_poolmanager(self, *args: Any, **keywords: Any) -> None:
        super().init_poolmanager(*args, **keywords)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **keywords: Any) -> Any:
        manager = super().proxy_manager_for(*args, **keywords)
        # One for SOCKS has classes of its own, without which it is none.
        if isinstance(manager, ProxyManager):
            manager.pool_classes_by_scheme = _POOLS
        return manager
