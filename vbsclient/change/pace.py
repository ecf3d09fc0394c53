# SPDX-License-Identifier: Apache-2.0
"""A bound on how many requests that change something are sent in a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from vbsclient.api import errors
from vbsclient.change.targets import ReceiptT, Recorder, Target


class PacedRecorder(Recorder):
    """Delays each request until it is due.

    Some services lose what arrives too fast, whatever the number of requests
    under way: the interval is between their beginnings.

    :param recorder: sends them.
    :param per_second: how many at most.
    :param stop: ends each delay; what is still delayed is not sent.
    """

    def __init__(
        self,
        recorder: Recorder,
        per_second: float,
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._recorder = recorder
        self._interval = 1 / per_second
        self._stop = stop
        self._clock = clock
        self._lock = threading.Lock()
        self._next = clock()
        #: Whether a thread has waited for its next request already.
        self._turn = threading.local()

    def record(
        self,
        target: Target,
        action: str,
        send: Callable[[], ReceiptT],
        *,
        before: Mapping[str, Any] | None = None,
    ) -> ReceiptT:
        """Send one when it is due.

        :raises Cancelled: if the run is interrupted before.
        """
        if not getattr(self._turn, 'has_come', False):
            self.await_turn()
        self._turn.has_come = False
        return self._recorder.record(target, action, send, before=before)

    def await_turn(self) -> None:
        """Wait until the next request of this thread is due."""
        self._turn.has_come = False
        with self._lock:
            now = self._clock()
            due = max(now, self._next)
            self._next = due + self._interval
        if self._stop.wait(due - now):
            raise errors.Cancelled('not sent')
        self._turn.has_come = True

    def settle(self, target: Target, action: str) -> None:
        """Note what reading has shown."""
        self._recorder.settle(target, action)
