# SPDX-License-Identifier: Apache-2.0
"""Text that an output cannot encode is escaped."""

from __future__ import annotations

import argparse
import functools
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

CommandT = TypeVar('CommandT')

#: The handlers that raise an error; all others write something.
_RAISING = ('strict', 'surrogateescape')


def escapes_output(
    run: Callable[[CommandT, argparse.Namespace], int],
) -> Callable[[CommandT, argparse.Namespace], int]:
    """Let the ``run`` of a command write any text to any output.

    What an output cannot encode is escaped (``\\u65e5``), also what a service
    has sent as half a character (``\\ud800``).
    """

    @functools.wraps(run)
    def escaping(command: CommandT, parsed_args: argparse.Namespace) -> int:
        app: Any = command.app  # type: ignore[attr-defined]
        handlers = logging.getLogger().handlers
        streams = [getattr(h, 'stream', None) for h in handlers]
        changed = []
        for stream in (app.stdout, app.stderr, *streams):
            errors = getattr(stream, 'errors', None)
            if errors in _RAISING and _set_errors(stream, 'backslashreplace'):
                changed.append((stream, errors))
        try:
            return run(command, parsed_args)
        finally:
            # The last message of a process is logged after its command; only
            # a shell continues with other commands.
            for stream, errors in changed if app.interactive_mode else ():
                _set_errors(stream, errors)

    return escaping


def _set_errors(stream: Any, errors: str) -> bool:
    """Configure a stream, unless it is closed or broken."""
    with suppress(AttributeError, OSError, ValueError):
        stream.reconfigure(errors=errors)
        return True
    return False
