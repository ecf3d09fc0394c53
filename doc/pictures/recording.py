# SPDX-License-Identifier: Apache-2.0
"""Records the demo in a terminal, as an animated picture.

``make recording`` writes it.  The demo only ever adds lines, apart from its
progress: so the picture is one long roll of text behind a window, which is
moved, and the few lines that change are there several times.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from doc.pictures.drawing import FAMILIES, style_sheet

FILE = Path(__file__).parents[1] / 'source/pictures/demo.svg'
COLUMNS, ROWS = 80, 24
#: No pause is longer, in seconds, but the last one before it begins again.
LONGEST_PAUSE = 3.0
LAST_PAUSE = 5.0
#: Seconds to read a line before others follow.
READING = 0.15
#: What changes more often is seen this often.
TICK = 0.3

_SIZE, _LINE, _EDGE = 14, 18, 12
#: The color of a command, which may have several lines.
_COMMAND = 'csbs-edge'
#: No usual font is wider.
_COLUMN = 0.62 * _SIZE
_TOKEN = re.compile(r'\x1b\[([?\d;]*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)')
_UNFINISHED = re.compile(r'\x1b(\[[?\d;]*)?\Z')


@dataclass
class Roll:
    """What a terminal shows, if it were as high as all that is printed.

    :ivar lines: from the first one; none is ever dropped.
    :ivar wrapped: the lines that go on with the one before.
    """

    columns: int = COLUMNS
    lines: list[str] = field(default_factory=lambda: [''])
    wrapped: set[int] = field(default_factory=set)
    _row: int = 0
    _column: int = 0
    _rest: str = ''

    def feed(self, text: str) -> None:
        """Print; an escape sequence may come in two parts."""
        text = self._rest + text
        unfinished = _UNFINISHED.search(text)
        self._rest = unfinished[0] if unfinished else ''
        text = text.removesuffix(self._rest)
        for number, command, motion, words in _TOKEN.findall(text):
            if words:
                self._write(words)
            elif motion == '\r':
                self._column = 0
            elif motion == '\n':
                self._go_down()
            elif command == 'A':
                self._row = max(0, self._row - int(number or 1))
            elif command == 'K':
                line = self.lines[self._row]
                kept = '' if number == '2' else line[: self._column]
                self.lines[self._row] = kept

    def _write(self, words: str) -> None:
        for letter in words:
            if self._column == self.columns:
                self._go_down()
                self._column = 0
                self.wrapped.add(self._row)
            line = self.lines[self._row].ljust(self._column)
            column = self._column
            self.lines[self._row] = line[:column] + letter + line[column + 1 :]
            self._column += 1

    def _go_down(self) -> None:
        self._row += 1
        if self._row == len(self.lines):
            self.lines.append('')


@dataclass
class Recording:
    """What was shown, and when: in seconds from the beginning.

    :ivar versions: of each line, with the time at which it came.
    :ivar heights: how many lines there were, with the time.
    """

    versions: list[list[tuple[float, str]]] = field(default_factory=list)
    heights: list[tuple[float, int]] = field(default_factory=list)
    wrapped: set[int] = field(default_factory=set)
    end: float = 0.0
    _added: int = 0

    def note(self, roll: Roll, pause: float) -> None:
        """Add what the terminal shows after a pause; it begins with a line."""
        self.wrapped = roll.wrapped
        height = len(roll.lines)
        while height and not roll.lines[height - 1]:
            height -= 1
        added = max(0, height - len(self.versions))
        if self.versions:
            self.end += min(max(pause, READING * self._added), LONGEST_PAUSE)
        self._added = added
        self.versions += ([] for _ in range(added))
        for versions, line in zip(self.versions, roll.lines, strict=False):
            words = line.rstrip()
            if not versions or versions[-1][1] != words:
                versions.append((self.end, words))
        if added:
            self.heights.append((self.end, height))


def record(command: list[str]) -> Recording:
    """Run a command in a terminal.

    :raises SystemExit: if it fails.
    """
    ours, theirs = pty.openpty()
    size = struct.pack('HHHH', ROWS, COLUMNS, 0, 0)
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, size)
    environment = os.environ | {'TERM': 'xterm', 'NO_COLOR': '1'}
    for name in ('COLUMNS', 'LINES'):
        environment.pop(name, None)
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        roll, recording = Roll(), Recording()
        last = time.monotonic()
        for text in _ticks(ours):
            roll.feed(text)
            now = time.monotonic()
            recording.note(roll, now - last)
            last = now
    os.close(ours)
    if process.returncode:
        raise SystemExit('\n'.join(roll.lines[-ROWS:]))
    recording.end += LAST_PAUSE
    return recording


def _ticks(terminal: int) -> Iterator[str]:
    """What is printed, in pieces that are a tick apart."""
    decode = codecs.getincrementaldecoder('utf-8')('replace').decode
    while True:
        select.select([terminal], [], [])
        time.sleep(TICK)
        try:
            data = os.read(terminal, 1 << 16)
        except OSError:  # of Linux, once the other side is closed
            return
        if not data:
            return
        yield decode(data)


def svg(recording: Recording) -> str:
    """The picture; its last state where no motion is wanted, or possible."""
    width = round(COLUMNS * _COLUMN + 2 * _EDGE)
    height = ROWS * _LINE + 2 * _EDGE
    rules, lines = [], []
    color, goes_on = 'ink', False
    for row, versions in enumerate(recording.versions):
        line = versions[-1][1]
        if not goes_on and row not in recording.wrapped:
            color = _color(line)
        goes_on = color == _COMMAND and line.endswith(' \\')
        for place, (start, words) in enumerate(versions):
            if not words:
                continue
            name = ''
            if len(versions) > 1 or (row < ROWS and start):
                name = f'v{row}-{place}'
                final = place == len(versions) - 1
                end = None if final else versions[place + 1][0]
                rules.append(_seen(name, recording.end, start, end))
            lines.append(
                f'<text y="{(row + 1) * _LINE - 5}" class="{color} {name}">'
                f'{escape(words, quote=False)}</text>'
            )
    rules.append(_roll(recording))
    animations = '\n'.join(rules)
    still = _shift(len(recording.versions))
    body = '\n'.join(lines)
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" \
viewBox="0 0 {width} {height}" role="img" aria-labelledby="t d">
<title id="t">A recording of the demo</title>
<desc id="d">What "make demo" prints, in a terminal of {COLUMNS} columns: \
each command and its output.</desc>
<style>
{style_sheet()}
.roll{{font:{_SIZE}px {FAMILIES['mono']}}}
.roll text{{white-space:pre}}
{animations}
@media (prefers-reduced-motion:reduce){{*{{animation:none!important}}}}
</style>
<rect class="plain" x="1" y="1" width="{width - 2}" height="{height - 2}" \
rx="8"/>
<svg x="{_EDGE}" y="{_EDGE}" width="{width - 2 * _EDGE}" \
height="{ROWS * _LINE}">
<g class="roll" transform="translate(0 {still})" xml:space="preserve">
{body}
</g>
</svg>
</svg>
"""


def _color(line: str) -> str:
    if line.startswith('# '):
        return 'soft'
    return _COMMAND if line.startswith('$ ') else 'ink'


def _roll(recording: Recording) -> str:
    """The motion of the whole: the last line is never below the window."""
    frames = [
        f'{_percent(at, recording.end)}{{{_moved(rows)}}}'
        for at, rows in recording.heights
    ]
    final = _moved(len(recording.versions))
    return (
        f'.roll{{{final};animation:roll {recording.end:.1f}s step-end '
        f'infinite}}\n@keyframes roll{{{"".join(frames)}to{{{final}}}}}'
    )


def _shift(rows: int) -> int:
    return min(ROWS - rows, 0) * _LINE


def _moved(rows: int) -> str:
    return f'transform:translateY({_shift(rows)}px)'


def _seen(name: str, total: float, start: float, end: float | None) -> str:
    """A line, or a version of one, that is there for a while."""
    frames = f'0%{{opacity:0}}{_percent(start, total)}{{opacity:1}}'
    if end is None:
        frames += 'to{opacity:1}'
    else:
        frames += f'{_percent(end, total)}{{opacity:0}}to{{opacity:0}}'
    return (
        f'.{name}{{opacity:{int(end is None)};animation:{name} {total:.1f}s '
        f'step-end infinite}}\n@keyframes {name}{{{frames}}}'
    )


def _percent(at: float, total: float) -> str:
    return f'{100 * at / total:.2f}%'


def main() -> None:
    recording = record([sys.executable, '-m', 'tests.demo'])
    FILE.write_text(svg(recording), encoding='utf-8')
    size = FILE.stat().st_size / 1000
    print(f'{FILE.name}: {recording.end:.0f} seconds, {size:.0f} kB')


if __name__ == '__main__':
    main()
