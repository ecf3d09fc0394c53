# SPDX-License-Identifier: Apache-2.0
"""A transport to a host that answers byte for byte what it is given."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from keystoneauth1.session import Session
from keystoneauth1.token_endpoint import Token

from tests.functional.listeners import Listener
from vbsclient.api.http import Limits, Transport


class NoWait(threading.Event):
    """A stop event whose wait() returns at once."""

    def wait(self, timeout: float | None = None) -> bool:
        return False


@contextlib.contextmanager
def listening(
    answer: bytes, *, timeout: float = 5.0, **pace: float
) -> Iterator[tuple[Listener, Transport]]:
    listener = Listener(answer, **pace)
    session = Session(auth=Token(listener.url, 'top-secret'))
    transport = Transport(
        session, limits=Limits(stop=NoWait()), timeout=(timeout, timeout)
    )
    try:
        yield listener, transport
    finally:
        listener.close()
