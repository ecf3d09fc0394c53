# SPDX-License-Identifier: Apache-2.0
"""Running ``openstack``: in this process, or in one of its own.

A run says what it expects on stderr, line by line; anything else there fails
the test.  In this process a run takes a tenth of a second; exit codes as a
shell sees them, signals, pipes and terminals need a process of their own.
"""

import contextlib
import gc
import io
import json
import logging
import os
import re
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from cliff.commandmanager import CommandManager
from openstackclient import shell
from openstackclient.common.clientmanager import ClientManager

from tests.functional.wire import audit
from tests.sandbox import Sandbox
from vbsclient.osc.command import confirm

#: A line of stderr: a part of it, a pattern found in it, or with `...` any
#: number of lines, also none.
Line = Any

#: Seconds in which whatever has a limit of its own ends, on a machine with
#: much to do, too; without the limit it takes a minute or more.
BOUND = 30.0


@dataclass
class Result:
    """What one run left behind."""

    code: int
    stdout: str
    stderr: str

    def json(self) -> Any:
        return json.loads(self.stdout)


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


class Somebody(Terminal):
    """Answers a question, after something else has happened."""

    def __init__(self, answer: str, meanwhile: Callable[[], object]) -> None:
        super().__init__(f'{answer}\n')
        self._meanwhile = meanwhile

    def readline(self, size: int | None = -1, /) -> str:
        self._meanwhile()
        return super().readline(-1 if size is None else size)


class Openstack:
    """The command, with a clouds.yaml that knows the sandbox alone."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.cloud: Sandbox | None = None
        self._runs = 0

    def __call__(
        self,
        *args: str,
        complains: Sequence[Line] = (),
        code: int | None = None,
        stdin: str | io.TextIOBase | None = '',
        cloud: Sandbox | None = None,
        config: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Result:
        """Run it in this process and compare what it says.

        :param complains: the lines of stderr; see :data:`Line`.
        :param code: the exit code, by default 0, or 1 with complaints.
        :param stdin: None if it is closed.
        :param cloud: by default the one that was started last.
        :param config: further keys of the cloud in clouds.yaml.
        """
        result = self.run(
            *args, stdin=stdin, cloud=cloud, config=config, env=env
        )
        check(result, complains, code)
        return result

    def run(
        self,
        *args: str,
        stdin: str | io.TextIOBase | None = '',
        cloud: Sandbox | None = None,
        config: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
        audited: bool = True,
        together: bool = False,
        encoding: str = 'utf-8',
    ) -> Result:
        """Run it in this process, whatever comes of it.

        :param audited: whether every path must be one of the references.
        :param together: whether errors go among the output, as on a screen.
        :param encoding: of the output and the errors.
        """
        variables = self.variables(cloud, config, env)
        sandbox = cloud or self.cloud
        before = len(sandbox.requests) if sandbox else 0
        with mock.patch.dict(os.environ, variables, clear=True):
            result = _run_here(args, stdin, together, encoding)
        if sandbox is not None and audited:
            audit(sandbox.requests[before:], sandbox.project_id)
        return result

    def process(
        self,
        *args: str,
        complains: Sequence[Line] = (),
        code: int | None = None,
        stdin: str = '',
        cloud: Sandbox | None = None,
        config: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Result:
        """Run it in a process of its own."""
        running = self.start(*args, cloud=cloud, config=config, env=env)
        stdout, stderr = running.communicate(stdin, timeout=60)
        result = Result(running.returncode, stdout, stderr)
        check(result, complains, code)
        return result

    def start(
        self,
        *args: str,
        cloud: Sandbox | None = None,
        config: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
        **popen: Any,
    ) -> 'subprocess.Popen[str]':
        """Start it in a process of its own, and do not wait for it.

        In a session of its own it has no terminal that a question could be
        asked on, whoever runs the tests.
        """
        keywords: dict[str, Any] = {
            'stdin': subprocess.PIPE,
            'stdout': subprocess.PIPE,
            'stderr': subprocess.PIPE,
            'start_new_session': True,
        }
        return subprocess.Popen(
            [sys.executable, '-m', 'openstackclient.shell', *args],
            env=self.variables(cloud, config, env),
            cwd=self.home,
            text=True,
            encoding='utf-8',
            **(keywords | popen),
        )

    def variables(
        self,
        cloud: Sandbox | None = None,
        config: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> dict[str, str]:
        """An environment in which there is the sandbox and no other cloud."""
        cloud = cloud or self.cloud
        variables = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(('OS_', 'PYTHONWARN', 'PYTHONUNBUF'))
            and not key.lower().endswith('_proxy')
        }
        variables |= {
            'HOME': str(self.home),
            'XDG_CONFIG_HOME': str(self.home / '.config'),
            'LC_ALL': 'C.UTF-8',
            'COLUMNS': '1000',
        }
        if cloud is not None:
            self._runs += 1
            file = self.home / f'clouds-{self._runs}.yaml'
            file.write_text(cloud.clouds_yaml(**(config or {})))
            variables['OS_CLIENT_CONFIG_FILE'] = str(file)
            variables['OS_CLOUD'] = 'sandbox'
        return variables | (env or {})


def check(
    result: Result, complains: Sequence[Line], code: int | None = None
) -> None:
    """Compare a result with what a test expects of stderr and exit code."""
    if code is None:
        code = 1 if complains else 0
    told = (
        f'exit code {result.code}\nstdout:\n{result.stdout[:2000]}\n'
        f'stderr:\n{result.stderr[:5000]}'
    )
    assert fits(result.stderr.splitlines(), complains), (
        f'stderr is not {complains}\n{told}'
    )
    assert result.code == code, told
    assert 'Traceback' not in result.stderr + result.stdout, told


def fits(lines: Sequence[str], expected: Sequence[Line]) -> bool:
    """Whether each line is as expected, and there is no other."""
    if not expected:
        return not lines
    head, rest = expected[0], expected[1:]
    if head is ...:
        return any(fits(lines[n:], rest) for n in range(len(lines) + 1))
    return bool(lines) and _is_in(lines[0], head) and fits(lines[1:], rest)


def _is_in(line: str, expected: Any) -> bool:
    if isinstance(expected, re.Pattern):
        return expected.search(line) is not None
    return expected in line


def _run_here(
    args: Sequence[str],
    stdin: str | io.TextIOBase | None,
    together: bool,
    encoding: str,
) -> Result:
    stdout = _stream('strict', encoding)
    stderr = _stream('backslashreplace', encoding)
    if together:
        stderr = stdout
    if isinstance(stdin, str):
        stdin = io.StringIO(stdin)
    with (
        _streams(stdin, stdout, stderr),
        _own_logging(),
        _own_clients(),
        warnings.catch_warnings(),
        mock.patch.object(shell.OpenStackShell, 'NAME', 'openstack'),
        mock.patch.object(CommandManager, 'load_commands', _load_commands),
        mock.patch.object(confirm, 'TERMINAL', _NO_TERMINAL),
    ):
        try:
            code = shell.main(list(args))
        except SystemExit as ended:
            code = _code_of(ended)
        finally:
            # What the commands do as for a process that ends.
            gc.unfreeze()
            signal.signal(signal.SIGINT, signal.default_int_handler)
    return Result(code, _text(stdout), '' if together else _text(stderr))


#: Nobody who runs the tests is asked anything.
_NO_TERMINAL = Path('/nonexistent/terminal')

#: The commands of each group, which are the same for all runs.
_COMMANDS: dict[str, dict[str, Any]] = {}
_find_commands = CommandManager.load_commands


def _load_commands(manager: CommandManager, group: str) -> None:
    """Find the commands of a group once, and not in each run."""
    if group in _COMMANDS:
        manager.group_list.append(group)
    else:
        others, manager.commands = manager.commands, {}
        _find_commands(manager, group)
        _COMMANDS[group], manager.commands = manager.commands, others
    manager.commands.update(_COMMANDS[group])


def _code_of(ended: SystemExit) -> int:
    if ended.code is None:
        return 0
    return ended.code if isinstance(ended.code, int) else 1


def _stream(errors: str, encoding: str) -> io.TextIOWrapper:
    """A stream as Python opens them: what cannot be encoded is found."""
    return io.TextIOWrapper(
        io.BytesIO(), encoding=encoding, errors=errors, newline='\n'
    )


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    raw: bytes = stream.buffer.getvalue()  # type: ignore[attr-defined]
    return raw.decode(stream.encoding)


@contextlib.contextmanager
def _streams(
    stdin: Any, stdout: io.TextIOWrapper, stderr: io.TextIOWrapper
) -> Iterator[None]:
    with (
        mock.patch.object(sys, 'stdin', stdin),
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
    ):
        yield


@contextlib.contextmanager
def _own_logging() -> Iterator[None]:
    """Leave the loggers as they were."""
    loggers = [
        logging.getLogger(name)
        for name in (
            *('', 'requests', 'cliff', 'stevedore', 'iso8601'),
            *('urllib3.connection', 'urllib3.connectionpool'),
        )
    ]
    levels = [logger.level for logger in loggers]
    root = loggers[0]
    handlers = root.handlers[:]
    root.handlers[:] = []
    # The sandbox is in this process, too; its complaints are none of ours.
    server = logging.getLogger('aiohttp.server')
    server.disabled = True
    try:
        yield
    finally:
        server.disabled = False
        root.handlers[:] = handlers
        for logger, level in zip(loggers, levels, strict=True):
            # This makes all loggers forget what they know.
            if logger.level != level:
                logger.setLevel(level)


@contextlib.contextmanager
def _own_clients() -> Iterator[None]:
    """OSC keeps the clients in the class: the next run wants its own."""
    try:
        yield
    finally:
        for one in ClientManager.__mro__:
            for cache in vars(one).values():
                if hasattr(cache, '_handle'):
                    cache._handle = None
