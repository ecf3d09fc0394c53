# SPDX-License-Identifier: Apache-2.0
"""Hosts that are no cloud: untrusted, full, or answering whatever it is."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator

import trustme


class _Host:
    """Takes each caller in turn, in a thread of its own.

    :ivar port: where it listens.
    """

    def __init__(self) -> None:
        self._socket = socket.create_server(('127.0.0.1', 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        # Only this wakes somebody who waits for the next caller.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), caller:
                self._meet(caller)

    def _meet(self, caller: socket.socket) -> None:
        raise NotImplementedError


class Untrusted(_Host):
    """An https server whose certificate does not verify.

    :ivar received: what was sent to it once the connection was secret.
    :ivar callers: how many have come.
    """

    def __init__(self) -> None:
        self.received = b''
        self.callers = 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # Signed by an authority that nobody else has heard of.
        trustme.CA().issue_cert('127.0.0.1').configure_cert(self._context)
        super().__init__()
        self.url = f'https://127.0.0.1:{self.port}'

    def _meet(self, caller: socket.socket) -> None:
        self.callers += 1
        caller.settimeout(5)
        with self._context.wrap_socket(caller, server_side=True) as secret:
            self.received += secret.recv(65536)


class Listener(_Host):
    """Answers each request with the same bytes and hangs up.

    :param pause: seconds between two pieces of the answer.
    :param piece: how many bytes come at once then.
    :ivar requests: how many have come.
    """

    def __init__(
        self, answer: bytes, *, pause: float = 0.0, piece: int = 1
    ) -> None:
        self.requests = 0
        self._answer = answer
        self._pause = pause
        self._piece = piece if pause else len(answer)
        super().__init__()
        self.url = f'http://127.0.0.1:{self.port}/x'

    def _meet(self, caller: socket.socket) -> None:
        caller.recv(65536)
        self.requests += 1
        for start in range(0, len(self._answer), self._piece):
            caller.sendall(self._answer[start : start + self._piece])
            time.sleep(self._pause)


@contextlib.contextmanager
def untrusted() -> Iterator[Untrusted]:
    """An :class:`Untrusted` for as long as it is wanted."""
    server = Untrusted()
    try:
        yield server
    finally:
        server.close()


@contextlib.contextmanager
def full() -> Iterator[str]:
    """The address of a host that answers no attempt to connect.

    Its queue of callers is full, and it takes none of them.
    """
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(('127.0.0.1', 0))
        server.listen(0)
        for _ in range(3):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(server.getsockname())
        yield f'127.0.0.1:{server.getsockname()[1]}'
