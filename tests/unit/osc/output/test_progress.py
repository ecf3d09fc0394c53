# SPDX-License-Identifier: Apache-2.0
"""How far a wait is, on terminals of any encoding."""

import io

import pytest

from vbsclient.change.follow import Counts
from vbsclient.osc.output.progress import show_progress


class Terminal(io.TextIOWrapper):
    """One that can show what its encoding has."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize('encoding', ['ascii', 'cp1252', 'utf-8'])
def test_a_terminal_is_drawn_on_with_what_it_has(
    monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.setenv('TERM', 'xterm')
    raw = io.BytesIO()
    terminal = Terminal(raw, encoding=encoding, errors='backslashreplace')
    with show_progress(terminal, 'backups', wanted=True) as tell:
        tell(Counts(queued=1, deleting=2, gone=3, failed=0))
    terminal.flush()
    shown = raw.getvalue().decode(encoding)
    assert 'backups: 1 queued, 2 deleting, 3 gone, 0 failed' in shown
    assert '\\u' not in shown


def test_without_a_terminal_each_change_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level('INFO')
    counts = Counts(queued=1, deleting=0, gone=0, failed=0)
    with show_progress(io.StringIO(), 'backups', wanted=True) as on_progress:
        on_progress(counts)
        on_progress(counts)
    (line,) = caplog.messages
    assert line.startswith('backups: 1 queued, 0 deleting, 0 gone, 0 failed (')


def test_a_wait_that_was_not_asked_for_is_silent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level('INFO')
    with show_progress(io.StringIO(), 'backups', wanted=False) as on_progress:
        on_progress(Counts(queued=1, deleting=0, gone=0, failed=0))
    assert caplog.messages == []
