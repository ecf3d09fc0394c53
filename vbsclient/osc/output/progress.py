# SPDX-License-Identifier: Apache-2.0
"""Signs of life on standard error, from the first request on.

Whoever does something long says how it is described, and the description is
read from time to time: nothing below knows that it is watched.  What is over
in a moment shows nothing, and imports nothing.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from typing import Any, TextIO

from vbsclient.api.http import Activity
from vbsclient.osc.output.layout import terminal_width

#: Seconds until anything is shown, and between two looks at a terminal.
_DELAY = 0.4
_INTERVAL = 0.2

#: Seconds until the first plain line, and the most between two.
_FIRST_LINE = 2.0
_LONGEST_SILENCE = 60.0

#: Where nobody knows how wide a line may be.
_LONGEST_LINE = 200

Describe = Callable[[], str]


class Mode(Enum):
    """How progress is shown."""

    #: One line that is drawn again and again.
    LIVE = 'live'
    #: A line now and then, for screen readers and log files.
    PLAIN = 'plain'
    NONE = 'none'


def mode_of(wanted: str, stream: TextIO | None, verbosity: int) -> Mode:
    """How progress is shown on a stream.

    :param wanted: ``auto``, ``plain`` or ``none``.
    :param stream: standard error; None if it is closed.
    :param verbosity: 0 with ``-q``, 1 by default, more with ``-v``.
    """
    if stream is None or not verbosity or wanted == 'none':
        return Mode.NONE
    if wanted == 'plain':
        return Mode.PLAIN
    if stream.isatty():
        is_dumb = os.environ.get('TERM', 'dumb') in ('dumb', '')
        return Mode.PLAIN if is_dumb else Mode.LIVE
    return Mode.PLAIN if verbosity > 1 else Mode.NONE


class Progress:
    """Shows what is going on.

    :param stream: standard error.
    """

    def __init__(self, stream: TextIO | None, mode: Mode) -> None:
        self._stream = stream
        self._show = {Mode.LIVE: self._draw, Mode.PLAIN: self._write}.get(mode)

    @contextmanager
    def showing(self, describe: Describe) -> Iterator[None]:
        """Show a description while the block lasts.

        :param describe: what is going on now, in one line; called by another
            thread.
        """
        if self._show is None:
            yield
            return
        done = threading.Event()
        thread = threading.Thread(
            target=self._show, args=(describe, done), daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _draw(self, describe: Describe, done: threading.Event) -> None:
        if done.wait(_DELAY):
            return
        # A terminal that goes away must not change what is done.
        with suppress(Exception), _LiveLine(self._stream) as line:
            while not done.wait(_INTERVAL):
                line.draw(describe())

    def _write(self, describe: Describe, done: threading.Event) -> None:
        pause, last = _FIRST_LINE, ''
        with suppress(Exception):
            while not done.wait(pause):
                pause = min(2 * pause, _LONGEST_SILENCE)
                width = self._stream and terminal_width(self._stream)
                text = shortened_to(describe(), width or _LONGEST_LINE)
                if text != last and self._stream is not None:
                    self._stream.write(f'{text}\n')
                    self._stream.flush()
                last = text


class _LiveLine(logging.Handler):
    """A line at the bottom of a terminal, which messages do not break.

    It is taken away before each message of the log: first of the handlers,
    it knows of each before it is written.
    """

    def __init__(self, stream: Any) -> None:
        super().__init__()
        # Only what takes long needs it.
        from rich.console import Console
        from rich.spinner import Spinner

        self._stream = stream
        self._console = Console(file=stream)
        self._spinner = Spinner('dots' if _draws_dots(stream) else 'line')
        self._live: Any = None

    def __enter__(self) -> _LiveLine:
        handlers = logging.getLogger().handlers
        # What nobody sees here need not make room.
        shown = (h for h in handlers if self._stream is _stream_of(h))
        self.setLevel(min((h.level for h in shown), default=sys.maxsize))
        handlers.insert(0, self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)
        self._clear()

    def emit(self, record: logging.LogRecord) -> None:
        """Make room for a message, in the thread of whoever has one.

        Nothing may be raised there.
        """
        with suppress(Exception):
            self._clear()

    def draw(self, text: str) -> None:
        """Show a text, in place of the one before."""
        from rich.live import Live
        from rich.text import Text

        text = shortened_to(text, (terminal_width(self._stream) or 80) - 4)
        with self.lock:  # type: ignore[union-attr]
            self._spinner.update(text=Text(text))
            if self._live is None:
                self._live = Live(
                    self._spinner,
                    console=self._console,
                    auto_refresh=False,
                    transient=True,
                    redirect_stdout=False,
                    redirect_stderr=False,
                )
                self._live.start()
            self._live.refresh()

    def _clear(self) -> None:
        with self.lock:  # type: ignore[union-attr]
            live, self._live = self._live, None
            if live is not None:
                live.stop()


def shortened_to(text: str, room: int) -> str:
    """A line without the last of its phrases, if there is no room for them."""
    while len(text) > room:
        shorter = re.sub('(?:, | [(])(?:(?!, | [(]).)*$', '', text)
        if shorter == text:
            return text[: max(room, 0)]
        text = shorter
    return text


def reading(activity: Activity, noun: str = 'backup') -> str:
    """How far the reading of lists is.

    :param noun: what is listed.
    """
    if not activity.rows:
        return 'Waiting for the service'
    return f'Reading {noun}s: {activity.rows:,}'


def duration_since(started: float) -> str:
    """The time since then, such as ``1:40``.

    :param started: as ``time.monotonic`` tells it.
    """
    minutes, seconds = divmod(int(time.monotonic() - started), 60)
    return f'{minutes}:{seconds:02}'


def _stream_of(handler: logging.Handler) -> Any:
    return getattr(handler, 'stream', None)


def _draws_dots(stream: Any) -> bool:
    try:
        '\N{BRAILLE PATTERN DOTS-1234}'.encode(stream.encoding or 'ascii')
    except (LookupError, UnicodeEncodeError):
        return False
    return True
