# SPDX-License-Identifier: Apache-2.0
"""Only what is typed after a question answers it."""

import io
import os
import threading
from collections.abc import Iterator

import pytest
from osc_lib import exceptions

from vbsclient.osc.command.confirm import confirm


class Screen(io.StringIO):
    """Lets somebody type once the question is there."""

    def __init__(self, keyboard: int, answer: bytes) -> None:
        super().__init__()
        self._keyboard = keyboard
        self._answer = answer

    def flush(self) -> None:
        if self._answer and '[y/N]' in self.getvalue():
            os.write(self._keyboard, self._answer)
            self._answer = b''


@pytest.fixture
def terminal() -> Iterator[tuple[int, io.TextIOWrapper]]:
    """(where somebody types, what the program reads)."""
    ours, theirs = os.openpty()
    with os.fdopen(theirs, encoding='utf-8') as stdin:
        yield ours, stdin
    os.close(ours)


@pytest.mark.parametrize('early', [b'y\n', b'y\ny\n', b'\n\ny\n', b'y'])
@pytest.mark.parametrize(
    ('answer', 'agreed'),
    [(b'n\n', False), (b'\n', False), (b'y\n', True), (b'YES\n', True)],
)
def test_what_was_typed_before_is_no_answer(
    terminal: tuple[int, io.TextIOWrapper],
    early: bytes,
    answer: bytes,
    agreed: bool,
) -> None:
    keyboard, stdin = terminal
    os.write(keyboard, early)
    screen = Screen(keyboard, answer)
    # A question that is never answered must not hang the tests.
    rescue = threading.Timer(30, os.write, (keyboard, b'n\n'))
    rescue.start()
    try:
        if agreed:
            confirm('Sure?', 'nobody', stdin=stdin, stderr=screen)
        else:
            with pytest.raises(exceptions.CommandError, match='Nothing was'):
                confirm('Sure?', 'nobody', stdin=stdin, stderr=screen)
    finally:
        rescue.cancel()


class Interrupted(io.StringIO):
    """A terminal at which somebody presses Ctrl-C."""

    def isatty(self) -> bool:
        return True

    def readline(self, size: int | None = -1, /) -> str:
        raise KeyboardInterrupt


class Ended(Interrupted):
    """One at which somebody presses Ctrl-D."""

    def readline(self, size: int | None = -1, /) -> str:
        return ''


@pytest.mark.parametrize(
    ('stdin', 'ends'),
    [
        (Interrupted(), KeyboardInterrupt),
        (Ended(), exceptions.CommandError),
    ],
)
def test_what_comes_next_begins_on_a_line_of_its_own(
    stdin: io.StringIO, ends: type[BaseException]
) -> None:
    screen = io.StringIO()
    with pytest.raises(ends):
        confirm('Sure?', 'nobody', stdin=stdin, stderr=screen)
    assert screen.getvalue() == 'Sure? [y/N] \n'
