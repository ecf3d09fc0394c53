# SPDX-License-Identifier: Apache-2.0
"""Signs of life, on terminals of any encoding and width, and in log files."""

import errno
import io
import logging
import threading
import time

import pytest

from vbsclient.api.http import Activity
from vbsclient.osc.output import progress
from vbsclient.osc.output.progress import (
    Mode,
    Progress,
    duration_since,
    mode_of,
    reading,
    shortened_to,
)

LINE = 'Waiting: 3 failed, 12 of 50 deleted, 33 queued, 1:40 (Ctrl-C ends it)'


class Terminal(io.TextIOWrapper):
    """One that can show what its encoding has."""

    def __init__(self, encoding: str = 'utf-8') -> None:
        self.raw_bytes = io.BytesIO()
        super().__init__(
            self.raw_bytes, encoding=encoding, errors='backslashreplace'
        )

    def isatty(self) -> bool:
        return True

    @property
    def shown(self) -> str:
        self.flush()
        return self.raw_bytes.getvalue().decode(self.encoding)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ('_DELAY', '_INTERVAL', '_FIRST_LINE'):
        monkeypatch.setattr(progress, name, 0.01)


class Described:
    """A text that is asked for.

    :ivar was_shown: set once it is asked for the third time, when the first
        two have been shown.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._times = 0
        self.was_shown = threading.Event()

    def __call__(self) -> str:
        self._times += 1
        if self._times > 2:
            self.was_shown.set()
        return self._text


def until(happened: threading.Event) -> None:
    assert happened.wait(20)


def test_a_terminal_is_drawn_on_with_what_it_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('TERM', 'xterm')
    for encoding in ('ascii', 'cp1252', 'utf-8'):
        terminal = Terminal(encoding)
        describe = Described(LINE)
        with Progress(terminal, Mode.LIVE).showing(describe):
            until(describe.was_shown)
        assert '3 failed, 12 of 50 deleted' in terminal.shown
        assert '\\u' not in terminal.shown


def test_a_message_takes_the_line_away_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('TERM', 'xterm')
    terminal = Terminal()
    root = logging.getLogger()
    handler = logging.StreamHandler(terminal)
    handlers, root.handlers = root.handlers, [handler]
    describe = Described('Reading')
    try:
        with Progress(terminal, Mode.LIVE).showing(describe):
            until(describe.was_shown)
            root.warning('a message')
        assert root.handlers == [handler]
    finally:
        root.handlers = handlers
    before = terminal.shown.partition('a message')[0]
    # Erased: nothing of it stands before the message.
    assert before.endswith('\x1b[2K')
    assert before.rindex('\x1b[2K') > before.rindex('Reading')


def test_what_is_over_in_a_moment_shows_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(progress, '_DELAY', 60)
    terminal = Terminal()
    with Progress(terminal, Mode.LIVE).showing(lambda: LINE):
        pass
    assert terminal.shown == ''


def test_plain_lines_come_when_something_has_changed() -> None:
    stream = io.StringIO()
    asked = threading.Event()
    texts = iter(['one', 'one', 'two', 'two', 'two'])

    def describe() -> str:
        text = next(texts, '')
        if not text:
            asked.set()
        return text or 'two'

    with Progress(stream, Mode.PLAIN).showing(describe):
        until(asked)
    assert stream.getvalue() == 'one\ntwo\n'


def test_an_error_goes_on_and_ends_the_line() -> None:
    stream = io.StringIO()
    before = threading.active_count()
    with (
        pytest.raises(KeyboardInterrupt),
        Progress(stream, Mode.PLAIN).showing(lambda: LINE),
    ):
        raise KeyboardInterrupt
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ('wanted', 'tty', 'term', 'verbosity', 'mode'),
    [
        ('auto', True, 'xterm', 1, Mode.LIVE),
        ('auto', True, 'dumb', 1, Mode.PLAIN),
        ('auto', True, '', 1, Mode.PLAIN),
        ('auto', False, 'xterm', 1, Mode.NONE),
        ('auto', False, 'xterm', 2, Mode.PLAIN),
        ('plain', True, 'xterm', 1, Mode.PLAIN),
        ('plain', False, 'xterm', 1, Mode.PLAIN),
        ('none', True, 'xterm', 3, Mode.NONE),
        ('plain', True, 'xterm', 0, Mode.NONE),
    ],
)
def test_how_it_is_shown(
    monkeypatch: pytest.MonkeyPatch,
    wanted: str,
    tty: bool,
    term: str,
    verbosity: int,
    mode: Mode,
) -> None:
    monkeypatch.setenv('TERM', term)
    stream = Terminal() if tty else io.StringIO()
    assert mode_of(wanted, stream, verbosity) is mode
    assert mode_of(wanted, None, verbosity) is Mode.NONE


@pytest.mark.parametrize(
    ('room', 'text'),
    [
        (100, LINE),
        (60, LINE.partition(' (')[0]),
        (50, 'Waiting: 3 failed, 12 of 50 deleted, 33 queued'),
        (20, 'Waiting: 3 failed'),
        (10, 'Waiting: 3'),
        (0, ''),
    ],
)
def test_what_does_not_fit_goes_from_the_end(room: int, text: str) -> None:
    assert shortened_to(LINE, room) == text


def test_how_far_the_reading_is() -> None:
    assert reading(Activity()) == 'Waiting for the service'
    assert reading(Activity(3000)) == 'Reading backups: 3,000'
    assert reading(Activity(1), 'share') == 'Reading shares: 1'


def test_a_duration_is_short() -> None:
    assert duration_since(time.monotonic() - 100.5) == '1:40'


@pytest.mark.parametrize('mode', [Mode.LIVE, Mode.PLAIN])
def test_a_terminal_that_goes_away_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, mode: Mode
) -> None:
    monkeypatch.setenv('TERM', 'xterm')

    class Gone(Terminal):
        """Whoever was at it has left."""

        is_gone = False

        def write(self, text: str) -> int:
            if self.is_gone:
                raise OSError(errno.EIO, 'it is gone')
            return super().write(text)

    terminal = Gone()
    describe = Described(LINE)
    with Progress(terminal, mode).showing(describe):
        until(describe.was_shown)
        terminal.is_gone = True
        # What logs at this moment must not learn of it.
        logging.getLogger('vbsclient.test').warning('a message')
    terminal.is_gone = False
