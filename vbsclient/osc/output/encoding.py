# SPDX-License-Identifier: Apache-2.0
"""Text that an output cannot encode, and must not stumble over."""

from __future__ import annotations

import argparse
import functools
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

CommandT = TypeVar('CommandT')

#: What raises an error: all other handlers write something.
_UNFORGIVING = ('strict', 'surrogateescape')


def escapes_output(
    run: Callable[[CommandT, argparse.Namespace], int],
) -> Callable[[CommandT, argparse.Namespace], int]:
    """Let the ``run`` of a command write any text to any output.

    What an output cannot encode is written out (``\\u65e5``), also what a
    service has sent as half a character (``\\ud800``).
    """

    @functools.wraps(run)
    def forgiving(command: CommandT, parsed_args: argparse.Namespace) -> int:
        app: Any = command.app  # type: ignore[attr-defined]
        with _forgiving_outputs(app):
            return run(command, parsed_args)

    return forgiving


@contextmanager
def _forgiving_outputs(app: Any) -> Iterator[None]:
    """Change how errors are handled by everything that is written to."""
    changed = []
    for stream in _outputs(app):
        handler = getattr(stream, 'errors', None)
        if handler in _UNFORGIVING and _handle_errors(
            stream, 'backslashreplace'
        ):
            changed.append((stream, handler))
    try:
        yield
    finally:
        # The last sentence of a process is logged after its command; only a
        # shell goes on to commands of others.
        if app.interactive_mode:
            for stream, handler in changed:
                _handle_errors(stream, handler)


def _outputs(app: Any) -> Iterator[Any]:
    yield app.stdout
    yield app.stderr
    for handler in logging.getLogger().handlers:
        yield getattr(handler, 'stream', None)


def _handle_errors(stream: Any, how: str) -> bool:
    """Tell a stream; one that is closed or broken is left as it is."""
    with suppress(AttributeError, OSError, ValueError):
        stream.reconfigure(errors=how)
        return True
    return False
