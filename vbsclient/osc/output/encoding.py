# SPDX-License-Identifier: Apache-2.0
"""What an output is made ready for: any text, and lines that fit."""

from __future__ import annotations

import argparse
import functools
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from vbsclient.osc.output.layout import terminal_width, wrapped

CommandT = TypeVar('CommandT')

#: With so many -v, or --debug, messages are for a log file.
_DEBUG = 3

#: The handlers that raise an error; all others write something.
_RAISING = ('strict', 'surrogateescape')


def escapes_output(
    run: Callable[[CommandT, argparse.Namespace], int],
) -> Callable[[CommandT, argparse.Namespace], int]:
    """Let the ``run`` of a command write any text to any output.

    What an output cannot encode is escaped (``\\u65e5``), also what a service
    has sent as half a character (``\\ud800``).  On a terminal a message of the
    log is wrapped at spaces, so that no ID is cut.
    """

    @functools.wraps(run)
    def escaping(command: CommandT, parsed_args: argparse.Namespace) -> int:
        app: Any = command.app  # type: ignore[attr-defined]
        handlers = logging.getLogger().handlers
        formatters = [(h, h.formatter) for h in handlers]
        if app.options.verbose_level < _DEBUG:
            for handler in handlers:
                handler.setFormatter(_Wrapping(handler))
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
            if app.interactive_mode:
                for stream, errors in changed:
                    _set_errors(stream, errors)
                for handler, formatter in formatters:
                    handler.setFormatter(formatter)

    return escaping


class _Wrapping(logging.Formatter):
    """Wraps messages in lines as wide as the terminal, if it is one."""

    def __init__(self, handler: logging.Handler) -> None:
        super().__init__()
        self._handler = handler
        self._formatter = handler.formatter or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        text = self._formatter.format(record)
        stream = getattr(self._handler, 'stream', None)
        width = terminal_width(stream) if stream is not None else None
        return wrapped(text, width)


def _set_errors(stream: Any, errors: str) -> bool:
    """Configure a stream, unless it is closed or broken."""
    with suppress(AttributeError, OSError, ValueError):
        stream.reconfigure(errors=errors)
        return True
    return False
