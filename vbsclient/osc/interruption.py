# SPDX-License-Identifier: Apache-2.0
"""SIGTERM as an exception, so that a run can still say what it did."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

#: 128 + SIGTERM, as a shell would say it.
EXIT_TERMINATED = 143


@contextmanager
def sigterm_raises() -> Iterator[None]:
    """Raise SystemExit(143) on SIGTERM inside the block."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise SystemExit(EXIT_TERMINATED)
