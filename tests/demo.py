# SPDX-License-Identifier: Apache-2.0
"""The plugin at work: real commands against the embedded cloud.

Each command is printed and then run as a user would run it; what follows is
its own output.  Run it with ``make demo``.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.sandbox import Sandbox

#: The width where there is no terminal.
_WIDTH = 80

#: A part of a command: an option with its value, or a word.
_PART = re.compile(r'--?\S+(?: (?!-)(?:"[^"]*"|\S+))?|"[^"]*"|\S+')


class Demo:
    """Runs commands against a sandbox and shows them.

    :param sandbox: the cloud.
    :param directory: where its clouds.yaml is put.
    """

    def __init__(self, sandbox: Sandbox, directory: Path) -> None:
        self._sandbox = sandbox
        clouds = directory / 'clouds.yaml'
        clouds.write_text(sandbox.clouds_yaml(), encoding='utf-8')
        self._environment = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith('OS_')
        }
        self.width = shutil.get_terminal_size((_WIDTH, 0)).columns
        self._environment |= {
            'OS_CLIENT_CONFIG_FILE': str(clouds),
            'OS_CLOUD': 'sandbox',
            'CLIFF_MAX_TERM_WIDTH': str(self.width),
            # What SDK deprecates is no concern of whoever watches this.
            'PYTHONWARNINGS': 'ignore',
        }

    def say(self, text: str) -> None:
        """Explain what comes next."""
        print()
        self.tell(text, '# ', '# ')

    def run(self, command: str, *, code: int = 0) -> None:
        """Show a command, run it, and stop the demo if it surprises.

        :param code: the exit code that it must have.
        """
        print()
        print(' \\\n'.join(command_lines(command, self.width)), flush=True)
        words = shlex.split(command)
        if words[0] != 'openstack':
            raise ValueError(f'not an openstack command: {command}')
        # At a terminal it wraps its messages itself, and shows progress.
        wraps = sys.stdout.isatty()
        done = subprocess.run(
            [sys.executable, '-m', 'openstackclient.shell', *words[1:]],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=None if wraps else subprocess.PIPE,
            # One stream, so that what belongs together stays together.
            stderr=subprocess.STDOUT,
            encoding='utf-8',
            check=False,
        )
        for line in (done.stdout or '').splitlines():
            self.tell(line)
        if done.returncode != code:
            raise SystemExit(
                f'The demo expected exit code {code}, not {done.returncode}.'
            )
        if code:
            print(f'(exit code {code})', flush=True)

    def last_deletes(self) -> None:
        """Show the DELETEs that the cloud has seen, and forget them."""
        self.last_requests(self._sandbox.deletes())

    def last_requests(self, lines: Sequence[str]) -> None:
        """Show requests that the cloud has seen, and forget all."""
        if lines:
            self.tell('The cloud saw:', '  ')
        for line in lines:
            for part in request_lines(line, self.width):
                print(part, flush=True)
        self._sandbox.clear_log()

    def tell(self, text: str, first: str = '', others: str = '') -> None:
        """Print a paragraph in lines that fit."""
        if len(first + text) > self.width:
            text = '\n'.join(
                textwrap.wrap(
                    text,
                    self.width,
                    initial_indent=first,
                    subsequent_indent=others,
                    break_long_words=False,
                    break_on_hyphens=False,
                )
            )
        else:
            text = first + text
        print(text, flush=True)


def command_lines(command: str, width: int) -> Iterator[str]:
    """A command in lines that fit, once each but the last ends with `` \\``.

    An option stays on one line with its value, if that fits.
    """
    room = width - len(' \\')
    line = '$'
    for part in _PART.findall(command):
        pieces = [part]
        if len(f'  {part}') > room:
            pieces = part.split(' ', 1)
        for piece in pieces:
            joined = f'{line} {piece}'
            if len(joined) > room and line.strip('$ '):
                yield line
                joined = f'  {piece}'
            line = joined
    yield line


def request_lines(line: str, width: int) -> Iterator[str]:
    """A request in lines that fit, cut before a part of its path."""
    indent = '  '
    current = indent
    for part in re.findall(r'[/?=]?[^/?=]+', line):
        if len(current + part) > width and current.strip():
            yield current
            current = indent
        current += part
    yield current


def main() -> None:
    """Show the main job from beginning to end."""
    # Seconds where a real cloud takes minutes: nobody watches minutes.
    with (
        Sandbox(
            catalog='vbs+volumev3',
            deletion_time=1.5,
            creation_time=2.0,
            chains=True,
        ) as sandbox,
        tempfile.TemporaryDirectory() as directory,
    ):
        sandbox.seed()
        demo = Demo(sandbox, Path(directory))
        demo.tell('An embedded cloud runs; the commands below are real.')
        creations(demo, sandbox)
        disks(demo, sandbox)
        shares(demo)
        servers(demo, sandbox)
        rules(demo, sandbox)
        demo.say('What is left.')
        demo.run('openstack vbs backup list --count')
        demo.run('openstack csbs checkpoint list')
    print()
    demo.tell('The embedded cloud is stopped. That was the demo.')


def creations(demo: Demo, sandbox: Sandbox) -> None:
    """Backups are created; each request is sent once."""
    demo.say('Back up a volume, and wait until the backup is available.')
    demo.run(
        'openstack vbs backup create --wait --name db01-before-patch '
        '-c ID -c Name -c Result db01-data'
    )
    requests = sandbox.service_requests()
    demo.last_requests([r for r in requests if r.startswith('POST ')])


def disks(demo: Demo, sandbox: Sandbox) -> None:
    """Volume backups: by name, by id, a chain, a refusal."""
    demo.say('Volume backups: list them.')
    demo.run(
        'openstack vbs backup list --name-contains db01 -c ID -c Name '
        '-c Status -c Source -c "Created At"'
    )
    demo.say('A dry run first, then by name, and wait until it is deleted.')
    demo.run('openstack vbs backup delete --dry-run db01-before-upgrade')
    demo.run('openstack vbs backup delete --wait db01-before-upgrade')
    demo.last_deletes()

    chain = youngest_chain(sandbox)
    demo.say(
        'By ID: a backup and two that depend on it, named in any order. '
        'This cloud, like Cinder, refuses a backup with dependents: the '
        'newest is deleted first.'
    )
    demo.run(
        'openstack vbs backup delete --wait --report '
        f'-c ID -c Name -c Result -c "Finished At" {" ".join(chain)}'
    )
    demo.last_deletes()

    demo.say('An ambiguous name is refused, with both IDs.')
    demo.run('openstack vbs backup delete nightly-copy', code=1)
    demo.last_deletes()


def shares(demo: Demo) -> None:
    """A shared backup: refused, its shares canceled."""
    demo.say('A shared backup is not deleted silently.')
    demo.run('openstack vbs backup delete web01-golden', code=1)
    demo.say('Cancel its shares: one request with its ID.')
    demo.run('openstack vbs share list --backup web01-golden')
    demo.run('openstack vbs share delete --yes --backup web01-golden')
    demo.last_deletes()


def servers(demo: Demo, sandbox: Sandbox) -> None:
    """Server backups: one item, then a whole checkpoint."""
    checkpoint = max(
        sandbox.state.checkpoints.values(), key=lambda c: len(c.items)
    )
    first = checkpoint.items[0]
    demo.say('Server backups. One run saved several servers: a checkpoint.')
    demo.run('openstack csbs checkpoint list')
    demo.say('Only the backup of one server; the others are kept.')
    demo.run(
        f'openstack csbs checkpoint delete --item {first.id} --wait '
        f'{checkpoint.id}'
    )
    demo.last_deletes()
    demo.say('The whole checkpoint: more than one server, so --yes is needed.')
    demo.run(f'openstack csbs checkpoint delete {checkpoint.id}', code=1)
    demo.run(f'openstack csbs checkpoint delete --yes --wait {checkpoint.id}')
    demo.last_deletes()


def rules(demo: Demo, sandbox: Sandbox) -> None:
    """Old backups by rule: the plan, then the deletion."""
    # As VBS does: any backup of a chain may go, and the rest stay whole.
    sandbox.knobs.chains = False
    prune = (
        'openstack vbs backup prune --server web02 --automatic '
        '--keep-last 2 --keep-weekly 2'
    )
    demo.say('Old backups by rule: say what to keep. First the plan.')
    demo.run(f'{prune} --dry-run -c Name -c "Created At" -c Action -c Reasons')
    demo.say('Then delete; what has changed since would be skipped.')
    demo.run(f'{prune} --yes --wait')
    demo.last_deletes()


def youngest_chain(sandbox: Sandbox) -> list[str]:
    """Three backups of one disk that build on one another, oldest first."""
    backups = sandbox.state.backups
    parents = {backup.parent_id for backup in backups.values()}
    for youngest in backups.values():
        before = backups.get(youngest.parent_id or '')
        first = backups.get(before.parent_id or '') if before else None
        chain = [first, before, youngest]
        if youngest.id not in parents and all(
            link is not None
            and link.source == 'vbs'
            and link.status == 'available'
            for link in chain
        ):
            return [link.id for link in chain if link is not None]
    raise SystemExit('The seed holds no chain of three backups.')


if __name__ == '__main__':
    main()
