# SPDX-License-Identifier: Apache-2.0
"""Connections on which no answer can be drawn out for ever.

The time-out of requests holds between two pieces of an answer: a host that
sends a byte now and then keeps its caller for as long as it likes.
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

#: Bytes in a second at which a body may take longer than its time-out.
SLOWEST = 10_000


class _Source(io.RawIOBase):
    """What a socket receives, for as long as its time-out in all.

    :ivar rate: bytes that win another second; None where nothing does.
    """

    def __init__(self, sock: Any, raw: io.RawIOBase) -> None:
        self._sock = sock
        self._raw = raw
        self._timeout: float = sock.gettimeout()
        self.rate: float | None = None
        self.restart()

    def restart(self) -> None:
        """Count the time from now."""
        self._end = time.monotonic() + self._timeout

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Receive a piece.

        :raises TimeoutError: if the time is over.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError('the answer does not come to its end')
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
        """Let go of the socket."""
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """An answer whose head, and then its body, must come in time."""

    _source: _Source | None = None

    def __init__(self, sock: Any, *args: Any, **keywords: Any) -> None:
        super().__init__(sock, *args, **keywords)
        if sock.gettimeout() is not None:
            self._source = _Source(sock, self.fp.detach())
            self.fp = io.BufferedReader(self._source)

    def begin(self) -> None:
        """Read the head, and all provisional ones before it."""
        super().begin()
        # urllib3 would show a line that is no header with a traceback.
        self.headers.defects.clear()
        self.headers.set_payload('')
        if self._source is not None:
            self._source.rate = SLOWEST
            self._source.restart()


class _Marking:
    """Marks what fails before a request can have left.

    What is wrapped around it afterwards does not tell: a proxy that breaks
    off its tunnel looks as a service that breaks off its answer.
    """

    proxy: Any

    def connect(self) -> None:
        """Connect, with the tunnel and the encryption."""
        try:
            super().connect()  # type: ignore[misc]
        except Exception as error:
            error.never_left = True  # type: ignore[attr-defined]
            raise

    def _tunnel(self) -> None:
        try:
            super()._tunnel()  # type: ignore[misc]
        except Exception as error:
            error.by_proxy = str(self.proxy)  # type: ignore[attr-defined]
            raise


class _Connection(_Marking, HTTPConnection):
    response_class = _Response


class _SecureConnection(_Marking, HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {'http': _Pool, 'https': _SecurePool}


class Adapter(TCPKeepAliveAdapter):
    """keystoneauth's own, with such connections."""

    def init_poolmanager(self, *args: Any, **keywords: Any) -> None:
        """Make the connections that go to the host itself."""
        super().init_poolmanager(*args, **keywords)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **keywords: Any) -> Any:
        """Make those that go through a proxy."""
        manager = super().proxy_manager_for(*args, **keywords)
        # One for SOCKS has classes of its own, without which it is none.
        if isinstance(manager, ProxyManager):
            manager.pool_classes_by_scheme = _POOLS
        return manager
