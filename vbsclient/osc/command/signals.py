# SPDX-License-Identifier: Apache-2.0
"""How a command ends: exit codes, and the signals that lead to them."""

from __future__ import annotations

import gc
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from types import FrameType
from typing import Any, TextIO


class ExitCode(IntEnum):
    """What a script can tell from the end of a command."""

    DONE = 0
    #: At least one target failed or was refused.
    FAILED = 1
    USAGE = 2
    #: All was accepted, and the time ran out before all was finished.
    UNFINISHED = 3
    #: 128 + the number of the signal, as a shell says it.
    INTERRUPTED = 130
    TERMINATED = 143


#: Those of a command that changes nothing.
READ_CODES = ExitCode.DONE, ExitCode.FAILED, ExitCode.USAGE


def change_codes(*, waits: bool) -> list[ExitCode]:
    """The exit codes of a command that changes something.

    :param waits: whether the service continues after its answer.
    """
    return [c for c in ExitCode if waits or c is not ExitCode.UNFINISHED]


def freeze_heap(app: Any) -> None:
    """Keep what ``openstack`` has imported out of garbage collections.

    Each collection walks hundreds of thousands of its objects, and the exit
    does once more: a fifth of the processor time of a short command, 7 % of
    that of a list of 100,000 backups.
    """
    if not app.interactive_mode:
        gc.freeze()


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


def end_line_of_ctrl_c(stderr: TextIO | None) -> None:
    """Begin a new line, where a terminal has shown ``^C``."""
    with suppress(OSError, ValueError):
        if stderr is not None and stderr.isatty():
            stderr.write('\n')


def end_at_next_sigint() -> None:
    """End at once with the next one, for a run that has reported all.

    Python would raise it in whatever is done at its exit, and show where.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise SystemExit(int(ExitCode.TERMINATED))
