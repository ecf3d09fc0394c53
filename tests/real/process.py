# SPDX-License-Identifier: Apache-2.0
"""Programs that the tests start and end again."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import requests

T = TypeVar('T')

#: Where pip has put the programs of keystone and cinder.
PROGRAMS = Path(sys.prefix) / 'bin'
_ROOT = Path(__file__).parents[2]


class MissingError(Exception):
    """What this machine lacks, in one sentence."""


def until(question: Callable[[], T], what: str, seconds: float = 60.0) -> T:
    """Ask until the answer is true, and return it."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        if time.monotonic() > deadline:
            raise TimeoutError(f'{what}: not after {seconds:.0f} s')
        time.sleep(0.1)
    return answer


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return int(probe.getsockname()[1])


def environment(**further: str) -> dict[str, str]:
    """The variables of a service: no cloud and no proxy of whoever tests."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith('OS_') and not key.lower().endswith('_proxy')
    }
    return kept | {'LC_ALL': 'C.UTF-8', 'PYTHONWARNINGS': 'ignore'} | further


def run(log: Path, command: Sequence[str], **variables: str) -> None:
    """Run a program to its end.

    :raises RuntimeError: if it fails, with the end of what it wrote.
    """
    with log.open('a') as output:
        ended = subprocess.run(
            command,
            env=environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if ended.returncode:
        raise RuntimeError(f'{command[0]} failed\n{tail(log)}')


def tail(log: Path, lines: int = 40) -> str:
    """The last lines of a log."""
    text = log.read_text(errors='replace') if log.exists() else ''
    return '\n'.join([f'The end of {log}:', *text.splitlines()[-lines:]])


class Service:
    """A program that serves HTTP until it is stopped.

    It also ends when the tests do, however they end.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        url: str,
        variables: Mapping[str, str],
    ) -> None:
        self._log = log
        with log.open('a') as output:
            self._process: subprocess.Popen[Any] = subprocess.Popen(
                ['setpriv', '--pdeathsig', 'KILL', *command],
                env=environment(**variables),
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A group of its own, for what it starts in its turn.
                start_new_session=True,
            )
        try:
            until(lambda: self._answers(url), f'{url} answers')
        except BaseException:
            self.stop()
            raise

    def _answers(self, url: str) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError(f'{url} has ended\n{tail(self._log)}')
        try:
            with requests.Session() as session:
                session.trust_env = False
                session.get(url, timeout=30)
        except requests.ConnectionError:
            return False
        return True

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the program alone."""
        self._process.send_signal(number)

    def stop(self) -> None:
        """End it and everything that it has started, at once.

        Nothing of it is kept, so that there is nothing to tidy up.
        """
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
