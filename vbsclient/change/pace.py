# SPDX-License-Identifier: Apache-2.0
"""A bound on how many DELETEs are sent in a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from vbsclient.api import errors
from vbsclient.change.targets import ReceiptT, Recorder, ResourceT, Target


class PacedRecorder:
    """Hands each DELETE on when its turn has come.

    Some services lose what comes too fast, whatever the number of those
    under way: the spacing is between the beginnings.

    :param recorder: who sends them.
    :param per_second: how many at most.
    :param stop: ends each wait; what still waits is not sent.
    """

    def __init__(
        self,
        recorder: Recorder,
        per_second: float,
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._recorder = recorder
        self._spacing = 1 / per_second
        self._stop = stop
        self._clock = clock
        self._lock = threading.Lock()
        self._next = clock()

    def delete(
        self,
        target: Target[ResourceT],
        action: str,
        send: Callable[[], ReceiptT],
    ) -> ReceiptT:
        """Send one when it may be sent.

        :raises Cancelled: if the run is interrupted before.
        """
        with self._lock:
            now = self._clock()
            turn = max(now, self._next)
            self._next = turn + self._spacing
        if self._stop.wait(turn - now):
            raise errors.Cancelled('not sent')
        return self._recorder.delete(target, action, send)
