# SPDX-License-Identifier: Apache-2.0
"""Pages of the documentation, walked through as a new user would.

What is walked is each console block: the commands behind ``$``, in one
directory and on one sandbox, until a command starts another.  What is shown
below a command is what it must print, an exit status by ``echo $?`` included.

A block of Python is run as well, in one namespace for the whole page; it
prints what the text block behind it shows.
"""

import contextlib
import fcntl
import io
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import termios
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from unittest import mock

from tests.functional.shell import Openstack, Result
from tests.sandbox import LoggedRequest, Sandbox
from tests.sandbox.__main__ import fill, knobs_of, parser
from tests.sandbox.seed import CREATION_TIME

#: The day on which the pages play.
TODAY = date(2026, 11, 21)

#: As wide as the widest table of the pages, and as their readers are told.
WIDTH = 120

_QUESTION = '[y/N] '

#: What starts a sandbox, with its options.
_START = re.compile(r'make sandbox(?: SANDBOX="(.*)")?')

#: What needs no shell: our commands, and a file that they read or write.
_OURS = r'openstack [^|<>$]*'
_PLAIN = re.compile(rf'{_OURS}(\| {_OURS})*([<>] \S+)?')

#: What shows a table of its own on standard error, as wide as a terminal.
_FITTED = re.compile(r'^openstack \w+ backup restore (?!.*-f json)', re.M)

# What is different each time.
_REQUEST = re.compile(r'\breq-[0-9a-f-]{36}\b')
_INSTANT = re.compile(r'\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\+00:00')
_DAY = re.compile(r'(?<!\d)\d{4}-\d\d-\d\d(?!\d)')
_WEEK = re.compile(r'\b(\d{4})-W(\d\d)\b')
_STAMP = re.compile(r'\b\d{8}T\d{6}Z')
_AGE = re.compile(r'\(\d+ (?:minute|hour|day)s? ago\)')
# When a policy runs next depends on the hour, too.
_RUN = re.compile(r'(?:\w{3} )?\d{4}-\d\d-\d\d (\d\d:\d\d UTC)\b')
_LOCAL_RUN = re.compile(r'\(\w{3} (\d\d:\d\d UTC[+-])')


@dataclass
class Step:
    """A command of a page, and what is shown below it."""

    line: int
    command: str = ''
    shown: list[str] = field(default_factory=list)
    python: bool = False

    def __str__(self) -> str:
        return f'line {self.line}: $ {self.command}'


@dataclass
class Block:
    """A code block, not indented."""

    language: str
    line: int
    text: str


def steps_of(page: Path) -> list[Step]:
    """The commands of a page, in their order."""
    steps: list[Step] = []
    for block in blocks_of(page):
        if block.language == 'console':
            steps += _commands(block)
        elif block.language == 'python':
            steps.append(Step(block.line, block.text, python=True))
        elif block.language == 'text':
            steps[-1].shown += block.text.splitlines()
    return steps


def _commands(block: Block) -> list[Step]:
    steps: list[Step] = []
    unfinished = False
    for number, text in enumerate(block.text.splitlines(), block.line):
        if unfinished:
            steps[-1].command += '\n' + text
        elif text.startswith('$ '):
            steps.append(Step(number, text.removeprefix('$ ')))
        elif text.startswith('# '):
            break  # for root: nothing to try
        elif text:
            steps[-1].shown.append(text)
            continue
        unfinished = text.endswith('\\')
    return steps


def blocks_of(page: Path) -> Iterator[Block]:
    """The code blocks of a page, in their order."""
    lines = page.read_text(encoding='utf-8').splitlines()
    for start, line in enumerate(lines, 1):
        _, found, language = line.partition('.. code-block:: ')
        if not found:
            continue
        outside = len(line) - len(line.lstrip())
        block = []
        for text in lines[start:]:
            if text.strip() and len(text) - len(text.lstrip()) <= outside:
                break
            block.append(text)
        # The lines before the first one are empty, or options.
        first = block.index('') + 1
        text = textwrap.dedent('\n'.join(block[first:]))
        yield Block(language, start + first + 1, text.rstrip() + '\n')


class Clock:
    """The time, and what a test does not wait for."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.skipped


class Walk:
    """A user with a sandbox, a directory and a shell."""

    def __init__(self, home: Path) -> None:
        self._openstack = Openstack(home)
        self._home = home
        self._sandbox: Sandbox | None = None
        self._code = 0
        self._names: dict[str, object] = {'__name__': '__main__'}
        # The cloud plays on the same day of the week, so that weeks end
        # where the pages have them, and never in the past: tokens expire.
        today = datetime.now(timezone.utc)
        ahead = (TODAY.weekday() - today.weekday()) % 7
        self._epoch = today + timedelta(days=ahead)
        self._shift = TODAY - self._epoch.date()
        program = home / 'bin' / 'openstack'
        program.parent.mkdir()
        program.write_text(
            f'#!/bin/sh\nexec {shlex.quote(sys.executable)} '
            f'-m openstackclient.shell "$@"\n'
        )
        program.chmod(0o755)

    def __enter__(self) -> 'Walk':
        self.start([])
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def take(self, step: Step) -> str:
        """Carry out a command.

        :return: what it prints.
        """
        if step.python:
            return self._run_python(step.command)
        if start := _START.fullmatch(step.command):
            self.start(shlex.split(start[1] or ''))
            return ''
        answers = [
            line.partition(_QUESTION)[2]
            for line in step.shown
            if _QUESTION in line
        ]
        if answers:
            return self._answer(step.command, *answers)
        if _FITTED.search(step.command):
            # What is shown while it waits is gone in the end.
            return self._answer(f'{step.command} --progress none')
        if _PLAIN.fullmatch(step.command):
            return self._run_here(step.command)
        return self._run(step.command)

    def told(self, text: str) -> list[str]:
        """The words of what was printed, as of the day of the pages."""
        text = _WEEK.sub(self._week, _same(text))
        return _DAY.sub(self._day, text).split()

    def script(self, text: str, **variables: str) -> Result:
        """Run a script, without a terminal."""
        done = subprocess.run(
            ['/bin/sh', '-e', '-c', text],
            cwd=self._home,
            env=self._variables() | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding='utf-8',
            timeout=120,
            check=False,
            start_new_session=True,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    # -- the cloud ---------------------------------------------------------

    def start(self, options: list[str]) -> None:
        """Start a sandbox, in place of the one before."""
        self._stop()
        clock = Clock()

        def skip(request: LoggedRequest) -> None:
            """Nobody waits for what is still being made."""
            if (request.method, request.status) == ('DELETE', 400):
                clock.skipped += CREATION_TIME

        args = parser().parse_args(options)
        self._sandbox = Sandbox(
            knobs=knobs_of(args),
            clock=clock,
            epoch=self._epoch,
            on_finished=skip,
        ).start()
        fill(self._sandbox, args)

    def _stop(self) -> None:
        if self._sandbox is not None:
            self._sandbox.stop()

    # -- the shell ---------------------------------------------------------

    def _variables(self) -> dict[str, str]:
        path = os.pathsep.join([str(self._home / 'bin'), os.environ['PATH']])
        return self._openstack.variables(self._sandbox) | {
            'PATH': path,
            'COLUMNS': str(WIDTH),
            'TZ': 'Etc/UTC',
            # Output and errors in the order in which a terminal has them.
            'PYTHONUNBUFFERED': '1',
        }

    def _run_here(self, command: str) -> str:
        """The same in this process, which takes a tenth of the time."""
        elsewhere = Path.cwd()
        os.chdir(self._home)
        try:
            return self._run_each(command.replace('\\\n', ' '))
        finally:
            os.chdir(elsewhere)

    def _run_each(self, command: str) -> str:
        command, read, source = command.partition(' < ')
        command, written, target = command.partition(' > ')
        *others, last = command.split(' | ')
        text = Path(source).read_text() if read else ''
        said = ''
        for other in others:
            done = self._run_one(other, text)
            said += done.stderr
            text = done.stdout
        done = self._run_one(last, text, together=not written)
        self._code = done.code
        if written:
            Path(target).write_text(done.stdout)
            return said + done.stderr
        return said + done.stdout

    def _run_one(
        self, command: str, stdin: str, together: bool = False
    ) -> Result:
        return self._openstack.run(
            *shlex.split(command)[1:],
            stdin=stdin,
            cloud=self._sandbox,
            env=self._variables(),
            audited=False,
            together=together,
        )

    def _run_python(self, code: str) -> str:
        """The same names are known in all blocks of a page."""
        printed = io.StringIO()
        with (
            mock.patch.dict(os.environ, self._variables(), clear=True),
            contextlib.redirect_stdout(printed),
        ):
            exec(compile(code, 'page', 'exec'), self._names)
        return printed.getvalue()

    def _run(self, command: str) -> str:
        done = subprocess.run(
            ['/bin/sh', '-c', f'(exit {self._code})\n{command}'],
            cwd=self._home,
            env=self._variables(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding='utf-8',
            timeout=120,
            check=False,
            start_new_session=True,
        )
        self._code = done.returncode
        return done.stdout

    def _answer(self, command: str, answer: str = '') -> str:
        """Run what asks, at a terminal, and answer it."""
        screen, terminal = pty.openpty()
        size = struct.pack('HHHH', 40, WIDTH, 0, 0)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, size)
        process = subprocess.Popen(
            ['/bin/sh', '-c', command],
            cwd=self._home,
            env=self._variables(),
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
            # Where ids come through a pipe, it is asked on this one.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(terminal)
        seen = b''
        answered = False
        while data := _read(screen):
            seen += data
            if not answered and seen.endswith(_QUESTION.encode()):
                os.write(screen, f'{answer}\n'.encode())
                answered = True
        os.close(screen)
        self._code = process.wait(30)
        return seen.decode()

    # -- the calendar ------------------------------------------------------

    def _day(self, found: re.Match[str]) -> str:
        return str(date.fromisoformat(found.group()) + self._shift)

    def _week(self, found: re.Match[str]) -> str:
        monday = date.fromisocalendar(int(found[1]), int(found[2]), 1)
        year, week, _ = (monday + self._shift).isocalendar()
        return f'{year}-W{week:02}'


def shown(step: Step) -> list[str]:
    """The words of what a page shows."""
    return _same('\n'.join(step.shown)).split()


def _same(text: str) -> str:
    """Without what is different each time."""
    text = _AGE.sub('(ago)', _STAMP.sub('now', text))
    text = _LOCAL_RUN.sub(r'(day \1', _RUN.sub(r'day \1', text))
    return _INSTANT.sub('now', _REQUEST.sub('req', text))


def _read(screen: int) -> bytes:
    try:
        return os.read(screen, 1 << 16)
    except OSError:
        # Linux says so where others say that this was all.
        return b''
