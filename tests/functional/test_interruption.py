# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C, SIGTERM, closed pipes and kill -9, in a process of its own."""

import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.fault_matrix import AT_ONCE, CREATES
from tests.functional.shell import Openstack
from tests.functional.targets import (
    ROOMY,
    add_targets,
    arrived,
    changed,
    commands_in,
    things,
    words,
)
from tests.functional.wire import checkpoint_delete, deletes, requests
from tests.sandbox import Fault, LoggedRequest, Sandbox
from vbsclient import bulk

DELETE = ('vbs', 'backup', 'delete')
GROUPS = ('accepted', 'failed', 'unknown', 'not sent')
COUNT = 300

#: Seconds that requests under way get, for tests of who does not wait so long.
LONG = 60.0

#: Seconds until a process must be back: two are promised, and the rest is for
#: a machine with much to do.  What hangs would hold it for longer.
SOON = LONG / 3


class Trigger:
    """Tells when so many requests of a kind have been answered."""

    def __init__(self, method: str, count: int) -> None:
        self._method = method
        self._left = count
        self._event = threading.Event()

    def __call__(self, request: LoggedRequest) -> None:
        if request.service != 'identity' and request.method == self._method:
            self._left -= 1
            if self._left <= 0:
                self._event.set()

    def wait(self) -> None:
        assert self._event.wait(30), 'the requests never came'


def groups(stderr: str) -> dict[str, list[str]]:
    """The ids of the four groups of an interruption."""
    found: dict[str, list[str]] = {}
    ids: list[str] = []
    for line in stderr.splitlines():
        head = re.fullmatch(r'([a-z ]+?)(?: \(.*\))?: (\d+)', line)
        if head:
            ids = found.setdefault(head.group(1), [])
        elif line.startswith('  '):
            ids.append(line.strip())
    return found


def finish(process: 'subprocess.Popen[str]') -> tuple[float, str, str]:
    """(seconds, stdout, stderr) until the process is back."""
    started = time.monotonic()
    stdout, stderr = process.communicate(timeout=60)
    assert 'Traceback' not in stderr
    return time.monotonic() - started, stdout, stderr


def close_stdout() -> None:
    os.close(1)


@pytest.fixture(scope='session')
def needs_stdout(tmp_path_factory: pytest.TempPathFactory) -> bool:
    """Whether ``openstack`` itself does not start without one."""
    openstack = Openstack(tmp_path_factory.mktemp('home'))
    process = openstack.start('--version', preexec_fn=close_stdout)
    return 'Traceback' in process.communicate(timeout=60)[1]


class LongGrace:
    """What makes a first signal end nothing soon.

    :ivar env: for the process that is to be so patient.
    """

    def __init__(self, directory: Path) -> None:
        self._taken = directory / 'taken'
        (directory / 'sitecustomize.py').write_text(
            'import pathlib\n'
            'from vbsclient import bulk\n'
            'join = bulk._join\n'
            'def told(workers, grace):\n'
            f'    pathlib.Path({str(self._taken)!r}).touch()\n'
            '    join(workers, grace)\n'
            'bulk._join = told\n'
            f'bulk.run.__kwdefaults__["grace"] = {LONG}\n'
        )
        path = [str(directory), *filter(None, [os.environ.get('PYTHONPATH')])]
        self.env = {'PYTHONPATH': os.pathsep.join(path)}

    def wait(self) -> None:
        """Until the first signal has been taken.

        Two that come before a process looks are one.
        """
        deadline = time.monotonic() + 30
        while not self._taken.exists():
            assert time.monotonic() < deadline, 'nobody took the signal'
            time.sleep(0.01)


@pytest.fixture
def long_grace(tmp_path: Path) -> LongGrace:
    return LongGrace(tmp_path)


def check_groups(
    sandbox: Sandbox, ids: list[str], told: dict[str, list[str]]
) -> None:
    """Compare what was told with what is true."""
    assert tuple(told) == GROUPS
    everything = [id for group in told.values() for id in group]
    assert sorted(everything) == sorted(ids)
    sent = {text.rpartition('/')[2] for text in deletes(sandbox)}
    backups = sandbox.state.backups
    for id in told['accepted']:
        assert backups[id].status == 'deleting'
    for id in told['not sent']:
        assert id not in sent
        assert backups[id].status == 'available'
    for id in told['unknown']:
        assert id in sent


@pytest.mark.parametrize(
    ('number', 'code'), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_an_interrupted_run_tells_what_it_did(
    cloud: CloudFactory, openstack: Openstack, number: int, code: int
) -> None:
    trigger = Trigger('DELETE', 40)
    c = cloud(latency=0.05, deletion_time=3600, on_finished=trigger)
    ids = [c.state.add_backup().id for _ in range(COUNT)]
    process = openstack.start(*DELETE, *ids)
    trigger.wait()
    process.send_signal(number)
    seconds, stdout, stderr = finish(process)
    assert process.returncode == code
    assert seconds < SOON
    assert stdout == ''
    assert stderr.startswith('Interrupted.\n')
    told = groups(stderr)
    check_groups(c, ids, told)
    assert len(told['accepted']) >= 40
    assert len(told['not sent']) > 100
    assert told['failed'] == []


@pytest.mark.parametrize('command', CREATES)
def test_an_interrupted_creation_tells_what_it_did_and_how_to_see_it(
    cloud: CloudFactory, openstack: Openstack, command: str
) -> None:
    trigger = Trigger('POST', 20)
    c = cloud(latency=0.05, creation_time=3600, on_finished=trigger, **ROOMY)
    named = add_targets(c.state, command, 80)
    before = things(c.state, command)
    process = openstack.start(*words(command), *named.arguments, '-f', 'json')
    trigger.wait()
    process.send_signal(signal.SIGINT)
    seconds, stdout, stderr = finish(process)
    assert process.returncode == 130
    assert seconds < SOON
    assert stderr.startswith('Interrupted.\n')
    # Each group has the ids of what was named, and how to see the rest.
    told = groups(stderr)
    lines = {
        id: (word, line)
        for word, group in told.items()
        for line in group
        for id in named.ids
        if line.startswith(id)
    }
    assert sum(map(len, told.values())) == len(lines) == 80
    rows = json.loads(stdout)
    assert [row['Result'] for row in rows] == [
        lines[id][0] for id in named.ids
    ]
    made = changed(before, c.state, command)
    at_once = command in AT_ONCE
    for id, (word, line) in lines.items():
        if word in ('accepted', 'shared'):
            assert id in made
        if word == 'not sent':
            assert arrived(c, id) == 0
        resumes = word == 'unknown' or (word == 'accepted' and not at_once)
        assert (': openstack ' in line) == resumes
    assert len(made) >= 19
    assert sum(word == 'not sent' for word, _ in lines.values()) > 20


@pytest.mark.parametrize('command', CREATES[:2])
def test_an_interrupted_wait_for_a_creation_names_the_command_that_goes_on(
    cloud: CloudFactory, openstack: Openstack, command: str
) -> None:
    seen = threading.Event()

    def watch(request: LoggedRequest) -> None:
        if re.search('jobs|checkpoint_id=', request.target):
            seen.set()

    c = cloud(creation='hangs', on_finished=watch, **ROOMY)
    named = add_targets(c.state, command, 1)
    process = openstack.start(*words(command), *named.arguments, '--wait')
    assert seen.wait(30)
    process.send_signal(signal.SIGINT)
    _, stdout, stderr = finish(process)
    assert process.returncode == 130, stderr
    assert 'accepted' in stdout
    [line] = groups(stderr)['accepted']
    [resume] = commands_in(line)
    for item in c.state.items.values():
        c.state.finish_item(item)
    for backup in c.state.backups.values():
        c.state.finish_backup(backup)
    shown = openstack(*resume, '-f', 'json').json()
    assert shown['id'] == resume[-1]
    assert shown['status'] in ('SUCCESS', ['available'])
    assert changed({}, c.state, command) == set(named.ids)


@pytest.mark.parametrize('closed', ['stdout', 'stderr'])
def test_an_interruption_is_one_where_a_stream_is_closed(
    cloud: CloudFactory,
    openstack: Openstack,
    closed: str,
    needs_stdout: bool,
) -> None:
    if closed == 'stdout' and needs_stdout:
        pytest.skip('no command starts')
    trigger = Trigger('DELETE', 40)
    c = cloud(latency=0.05, deletion_time=3600, on_finished=trigger)
    ids = [c.state.add_backup().id for _ in range(COUNT)]
    process = openstack.start(
        *(*DELETE, *ids),
        **{closed: None},
        preexec_fn=lambda: os.close(1 if closed == 'stdout' else 2),
    )
    trigger.wait()
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    if closed == 'stdout':
        check_groups(c, ids, groups(stderr))


def test_requests_that_hang_are_unknown_and_delay_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    trigger = Trigger('DELETE', 20)
    c = cloud(
        latency=0.05,
        deletion_time=3600,
        on_finished=trigger,
        faults=[Fault('hang', 'DELETE', skip=20, times=None)],
    )
    ids = [c.state.add_backup().id for _ in range(COUNT)]
    process = openstack.start(*DELETE, *ids)
    trigger.wait()
    process.send_signal(signal.SIGINT)
    seconds, _, stderr = finish(process)
    assert process.returncode == 130, stderr
    assert seconds < SOON
    told = groups(stderr)
    check_groups(c, ids, told)
    assert len(told['accepted']) == 20
    assert len(told['unknown']) <= 10


def test_a_second_ctrl_c_leaves_at_once(
    cloud: CloudFactory, openstack: Openstack, long_grace: LongGrace
) -> None:
    trigger = Trigger('DELETE', 10)
    c = cloud(
        latency=0.05,
        deletion_time=3600,
        on_finished=trigger,
        faults=[Fault('hang', 'DELETE', skip=10, times=None)],
    )
    ids = [c.state.add_backup().id for _ in range(COUNT)]
    process = openstack.start(*DELETE, *ids, env=long_grace.env)
    trigger.wait()
    process.send_signal(signal.SIGINT)
    long_grace.wait()
    # The requests under way get their time; nobody needs to wait for it.
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    process.send_signal(signal.SIGINT)
    seconds, _, stderr = finish(process)
    assert process.returncode == 130, stderr
    assert seconds < SOON
    assert sorted(i for g in groups(stderr).values() for i in g) == sorted(ids)


def test_an_interruption_before_anything_is_sent_says_so(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    trigger = Trigger('GET', 1)
    c = cloud(
        on_finished=trigger,
        faults=[Fault('hang', 'GET', 'v2', times=None)],
    )
    ids = [c.state.add_backup().id for _ in range(20)]
    process = openstack.start(*DELETE, *ids)
    trigger.wait()
    process.send_signal(signal.SIGINT)
    seconds, _, stderr = finish(process)
    assert process.returncode == 130, stderr
    assert seconds < SOON
    assert stderr.startswith('Interrupted before anything was sent.\n')
    told = groups(stderr)
    check_groups(c, ids, told)
    assert sorted(told['not sent']) == sorted(ids)
    assert deletes(c) == []


def test_an_interruption_while_the_workers_start_is_one_too(
    cloud: CloudFactory,
    openstack: Openstack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    c = cloud(deletion_time=3600)
    ids = [c.state.add_backup().id for _ in range(20)]
    delete = bulk.run
    start = threading.Thread.start

    def interrupted(outcomes: Any, *args: Any, **keywords: Any) -> None:
        left = [3]

        def count(thread: threading.Thread) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise KeyboardInterrupt
            start(thread)

        if len(outcomes) == len(ids):
            monkeypatch.setattr(threading.Thread, 'start', count)
        try:
            delete(outcomes, *args, **keywords)
        finally:
            monkeypatch.setattr(threading.Thread, 'start', start)

    monkeypatch.setattr(bulk, 'run', interrupted)
    result = openstack.run(*DELETE, *ids)
    assert result.code == 130, result
    check_groups(c, ids, groups(result.stderr))


def test_an_interrupted_report_is_still_a_report(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    trigger = Trigger('DELETE', 20)
    c = cloud(latency=0.05, deletion_time=3600, on_finished=trigger)
    ids = [c.state.add_backup().id for _ in range(COUNT)]
    process = openstack.start(*DELETE, *ids, '-f', 'json')
    trigger.wait()
    process.send_signal(signal.SIGINT)
    _, stdout, stderr = finish(process)
    rows = json.loads(stdout)
    assert [row['ID'] for row in rows] == ids
    told = groups(stderr)
    for result in ('accepted', 'not sent'):
        named = [row['ID'] for row in rows if row['Result'] == result]
        assert named == told[result]
    assert {row['Detail'] for row in rows if row['Result'] == 'not sent'} == {
        'not sent: the run was interrupted.'
    }


def test_an_interrupted_wait_tells_what_was_accepted(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    # The lists that are read after the last DELETE are those of the wait.
    seen = threading.Event()
    sent = threading.Event()

    def watch(request: LoggedRequest) -> None:
        if request.method == 'DELETE':
            sent.set()
        elif sent.is_set() and request.method == 'GET':
            seen.set()

    c = cloud(deletion_time=3600, on_finished=watch)
    backup = c.state.add_backup()
    process = openstack.start(*DELETE, backup.id, '--wait')
    assert seen.wait(30)
    process.send_signal(signal.SIGINT)
    seconds, _, stderr = finish(process)
    assert process.returncode == 130, stderr
    assert seconds < SOON
    assert groups(stderr)['accepted'] == [backup.id]


class Stage:
    """A moment in a run over 500 named backups, and how to see it.

    :ivar seen: set once the run is there.
    """

    COUNT = 500

    def __init__(self, name: str) -> None:
        self.name = name
        self.seen = threading.Event()
        self._deletes = 0

    def __call__(self, request: LoggedRequest) -> None:
        if request.service == 'identity':
            return
        is_delete = request.method == 'DELETE'
        self._deletes += is_delete
        reached = {
            'resolving': not is_delete,
            'deleting': self._deletes == 40,
            'waiting': self._deletes == self.COUNT and not is_delete,
        }
        if reached[self.name]:
            self.seen.set()

    def begin(self, cloud: CloudFactory, openstack: Openstack) -> Any:
        """(The cloud, the ids, the process at this stage)."""
        latency = 0.05 if self.name == 'deleting' else 0.0
        c = cloud(deletion_time=3600, on_finished=self, latency=latency)
        backups = [
            c.state.add_backup(f'nightly-{n}', c.state.add_volume())
            for n in range(self.COUNT)
        ]
        if self.name == 'resolving':
            # The first page is there, the second one never comes.
            c.knobs.max_page = 100
            c.knobs.faults.append(
                Fault('hang', 'GET', 'backups/detail', skip=1, times=None)
            )
        process = openstack.start(
            *DELETE,
            *(backup.name for backup in backups),
            '--wait',
            env={'TMPDIR': str(scratch_of(openstack))},
        )
        assert self.seen.wait(60)
        return c, [backup.id for backup in backups], process


def scratch_of(openstack: Openstack) -> Path:
    """A directory for whatever a run makes and forgets."""
    scratch = openstack.home / 'scratch'
    scratch.mkdir(exist_ok=True)
    return scratch


def check_nothing_is_left(openstack: Openstack, group: int) -> None:
    """No process of its group, and no file but the clouds.yaml."""
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)
    assert list(scratch_of(openstack).iterdir()) == []
    left = {path.name for path in openstack.home.iterdir()}
    # stevedore may cache the entry points of all plugins there.
    left.discard('.cache')
    assert {n for n in left if not n.startswith('clouds-')} == {'scratch'}


SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]


@pytest.mark.parametrize(
    ('stage', 'number', 'code'),
    [
        ('resolving', *SIGNALS[0]),
        ('deleting', *SIGNALS[0]),
        ('waiting', *SIGNALS[0]),
        ('waiting', *SIGNALS[1]),
    ],
)
def test_the_prompt_is_back_soon_at_each_stage_and_nothing_is_left(
    cloud: CloudFactory,
    openstack: Openstack,
    stage: str,
    number: int,
    code: int,
) -> None:
    c, ids, process = Stage(stage).begin(cloud, openstack)
    process.send_signal(number)
    seconds, stdout, stderr = finish(process)
    assert process.returncode == code
    assert seconds < SOON
    assert stdout == ''
    check_nothing_is_left(openstack, process.pid)
    if stage == 'resolving':
        assert stderr.startswith('Interrupted before anything was sent.\n')
        told = groups(stderr)
        assert tuple(told) == GROUPS
        names = [backup.name for backup in c.state.backups.values()]
        assert sorted(told['not sent']) == sorted(names)
        assert deletes(c) == []
        return
    told = groups(stderr)
    check_groups(c, ids, told)
    if stage == 'waiting':
        assert sorted(told['accepted']) == sorted(ids)
    else:
        assert told['accepted']
        assert told['not sent']


class Hang(Fault):
    """All such requests for backups hang.

    :ivar struck: set once one of them does.
    """

    def __init__(self, method: str) -> None:
        super().__init__('hang', method, 'backups', times=None)
        self.struck = threading.Event()

    def strikes(self, method: str, target: str) -> bool:
        strikes = super().strikes(method, target)
        if strikes:
            self.struck.set()
        return strikes


@pytest.mark.parametrize(('number', 'code'), SIGNALS)
def test_a_second_signal_leaves_at_once_whatever_hangs(
    cloud: CloudFactory,
    openstack: Openstack,
    number: int,
    code: int,
    long_grace: LongGrace,
) -> None:
    hang = Hang('DELETE')
    c = cloud(faults=[hang])
    ids = [c.state.add_backup().id for _ in range(20)]
    process = openstack.start(*DELETE, *ids, env=long_grace.env)
    assert hang.struck.wait(60)
    process.send_signal(number)
    long_grace.wait()
    process.send_signal(number)
    seconds, _, stderr = finish(process)
    assert process.returncode == code
    assert seconds < SOON
    assert stderr.startswith('Interrupted')
    assert list(c.state.backups) == ids


@pytest.mark.parametrize(('number', 'code'), SIGNALS)
def test_more_signals_at_the_end_of_it_all_are_quiet(
    cloud: CloudFactory, openstack: Openstack, number: int, code: int
) -> None:
    hang = Hang('GET')
    c = cloud(faults=[hang])
    ids = [c.state.add_backup().id for _ in range(20)]
    process = openstack.start(*DELETE, *ids)
    assert hang.struck.wait(60)
    process.send_signal(number)
    assert process.stderr is not None
    told = [process.stderr.readline() for _ in range(1 + 4 + len(ids))]
    assert told[0] == 'Interrupted before anything was sent.\n'
    # From here on the process has nothing to do but to end.
    while process.poll() is None:
        process.send_signal(number)
        time.sleep(0.005)
    assert process.returncode in (code, -number)
    assert process.stderr.read() == ''
    assert list(c.state.backups) == ids


@pytest.mark.parametrize(
    ('command', 'method'),
    [('vbs backup delete', 'DELETE'), ('vbs backup create', 'POST')],
)
def test_kill_leaves_a_journal_that_tells(
    cloud: CloudFactory,
    openstack: Openstack,
    tmp_path: Path,
    command: str,
    method: str,
) -> None:
    trigger = Trigger(method, 40)
    c = cloud(
        latency=0.02,
        deletion_time=3600,
        creation_time=3600,
        on_finished=trigger,
        **ROOMY,
    )
    named = add_targets(c.state, command, COUNT)
    before = things(c.state, command)
    path = tmp_path / 'journal'
    process = openstack.start(
        *(*words(command), *named.arguments, '--journal', str(path))
    )
    trigger.wait()
    process.kill()
    process.communicate(timeout=60)
    lines: list[dict[str, Any]] = [
        json.loads(line) for line in path.read_text().splitlines()
    ]
    requested = [line['id'] for line in lines if line['event'] == 'request']
    answered = [line['id'] for line in lines if line['event'] == 'answer']
    sent = {id for id in named.ids if arrived(c, id)}
    assert sent <= set(requested)
    assert len(set(requested)) == len(requested)
    assert len(set(requested) - set(answered)) <= 10
    assert len(answered) >= 20
    touched = changed(before, c.state, command)
    assert set(answered) <= touched <= set(requested)


# -- pipes -----------------------------------------------------------------


@pytest.mark.parametrize('options', [['--dry-run'], ['--report']])
def test_a_reader_that_goes_away_ends_it_quietly(
    cloud: CloudFactory, openstack: Openstack, options: list[str]
) -> None:
    c = cloud()
    ids = [c.state.add_backup().id for _ in range(1000)]
    process = openstack.start(*DELETE, '-', *options, '-f', 'csv')
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdin.write('\n'.join(ids))
    process.stdin.close()
    assert process.stdout.readline().startswith('"Type","ID"')
    process.stdout.close()
    assert process.stderr.read() == ''
    assert process.wait(30) == 141
    left = 1000 if options == ['--dry-run'] else 0
    assert len(c.state.backups) == left


@pytest.mark.parametrize('where', ['a full disk', 'nowhere', 'no reader'])
@pytest.mark.parametrize('fails', [True, False])
def test_a_report_that_cannot_be_printed_hides_no_failure(
    cloud: CloudFactory,
    openstack: Openstack,
    where: str,
    fails: bool,
    needs_stdout: bool,
) -> None:
    if where == 'nowhere' and needs_stdout:
        pytest.skip('no command starts')
    c = cloud()
    first, second = (c.state.add_backup().id for _ in range(2))
    if fails:
        c.knobs.faults.append(
            Fault('status', 'DELETE', first, 403, times=None)
        )
    reader, writer = os.pipe()
    os.close(reader)
    with Path('/dev/full').open('w') as full:
        process = openstack.start(
            *(*DELETE, first, second, '--report'),
            stdout={'a full disk': full, 'no reader': writer}.get(where),
            preexec_fn=close_stdout if where == 'nowhere' else None,
        )
        _, told = process.communicate(timeout=60)
    os.close(writer)
    assert len(deletes(c)) == 2
    assert 'Traceback' not in told
    if fails:
        assert process.returncode == 1
        assert f'({first})' in told
        assert '1 of 2 backups failed to delete.' in told
    elif where == 'no reader':
        assert (process.returncode, told) == (141, '')
    else:
        assert process.returncode == 1
        assert len(told.splitlines()) == 1


PLAN = 'vbs backup prune --all-volumes --keep-last 1 --dry-run -f json'


@pytest.mark.parametrize(
    ('command', 'where'),
    [
        ('vbs backup list', 'a full disk'),
        ('vbs backup list --count', 'a full disk'),
        ('vbs backup show {id} -f json', 'a full disk'),
        (PLAN, 'a full disk'),
        (PLAN, 'nowhere'),
    ],
)
def test_what_cannot_be_printed_ends_in_one_sentence(
    cloud: CloudFactory,
    openstack: Openstack,
    command: str,
    where: str,
    needs_stdout: bool,
) -> None:
    if where == 'nowhere' and needs_stdout:
        pytest.skip('no command starts')
    c = cloud()
    disk = c.state.add_volume()
    kept, _ = (c.state.add_backup(volume=disk) for _ in range(2))
    with Path('/dev/full').open('w') as full:
        process = openstack.start(
            *command.format(id=kept.id).split(),
            stdout=full if where == 'a full disk' else None,
            preexec_fn=close_stdout if where == 'nowhere' else None,
        )
        _, told = process.communicate(timeout=60)
    *plan, last = told.splitlines()
    assert last.startswith('Standard output: ')
    assert process.returncode == 1
    assert deletes(c) == []
    assert not plan or 'json' in command


@pytest.mark.parametrize(
    'command',
    [
        ('backup', 'list'),
        ('backup', 'show', 'x'),
        ('backup', 'prune', '--all-volumes', '--keep-last', '1', '--yes'),
    ],
    ids=' '.join,
)
def test_nothing_is_asked_for_that_cannot_be_shown(
    cloud: CloudFactory,
    openstack: Openstack,
    command: Sequence[str],
    needs_stdout: bool,
) -> None:
    if needs_stdout:
        pytest.skip('no command starts')
    c = cloud()
    process = openstack.start(
        'vbs', *command, stdout=None, preexec_fn=close_stdout
    )
    _, told = process.communicate(timeout=60)
    assert told == 'Standard output: it is closed.\n'
    assert process.returncode == 1
    assert requests(c) == []


def test_a_report_alone_needs_no_standard_error(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    volume = c.state.add_volume()
    for _ in range(2):
        c.state.add_backup(volume=volume)
    process = openstack.start(
        *('vbs', 'backup', 'prune', '--all-volumes', '--keep-last', '1'),
        *('--yes', '--report', '-f', 'json'),
        stderr=None,
        preexec_fn=lambda: os.close(2),
    )
    rows, _ = process.communicate(timeout=60)
    assert [row['Result'] for row in json.loads(rows)] == ['accepted']
    assert process.returncode == 0
    assert len(deletes(c)) == 1


@pytest.mark.parametrize('command', ['vbs backup list', 'csbs backup list'])
def test_a_reader_of_a_long_list_that_goes_away_ends_it_quietly(
    cloud: CloudFactory, openstack: Openstack, command: str
) -> None:
    c = cloud()
    if command.startswith('vbs'):
        for _ in range(2000):
            c.state.add_backup()
    else:
        for _ in range(10):
            c.state.add_checkpoint(100)
    process = openstack.start(*command.split(), '-f', 'value')
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() != ''
    process.stdout.close()
    assert process.stderr.read() == ''
    assert process.wait(30) == 141


# -- a terminal ------------------------------------------------------------


@contextlib.contextmanager
def terminal(
    openstack: Openstack,
    *args: str,
    env: Mapping[str, str] | None = None,
    width: int = 1000,
) -> Iterator[tuple['subprocess.Popen[str]', int]]:
    """The command with somebody at its terminal: (process, terminal)."""
    ours, theirs = pty.openpty()
    size = struct.pack('HHHH', 40, width, 0, 0)
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, size)
    process = openstack.start(
        *args,
        env=env,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    try:
        yield process, ours
    finally:
        process.kill()
        process.wait(30)
        os.close(ours)


def read_until(file: int, end: str) -> str:
    """What comes until some text, or until the process is gone."""
    text = b''
    while not end or end.encode() not in text:
        try:
            piece = os.read(file, 65536)
        except OSError:
            # This is how a terminal says that nobody is left at it.
            break
        if not piece:
            break
        text += piece
    return text.decode()


@pytest.mark.parametrize(('answer', 'code'), [('y\n', 0), ('n\n', 1)])
def test_a_question_is_answered_at_the_terminal(
    cloud: CloudFactory, openstack: Openstack, answer: str, code: int
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(3, 'weekly')
    command = ('csbs', 'checkpoint', 'delete', run.id)
    with terminal(openstack, *command) as (process, screen):
        asked = read_until(screen, '[y/N] ')
        assert f'Checkpoint weekly ({run.id}) has:' in asked
        assert 'Delete 1 checkpoint (3 backups, 30 GB nominal) in ' in asked
        assert deletes(c) == []
        os.write(screen, answer.encode())
        read_until(screen, '')
        assert process.wait(30) == code
    assert deletes(c) == ([checkpoint_delete(run.id)] if code == 0 else [])


@pytest.mark.parametrize('answer', ['y', 'n'])
def test_who_pipes_ids_is_asked_at_the_terminal(
    cloud: CloudFactory, openstack: Openstack, answer: str
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(3, 'weekly')
    screen, theirs = pty.openpty()
    process = openstack.start(
        *('csbs', 'checkpoint', 'delete', '-'),
        # It is in a session of its own, which has no terminal yet.
        preexec_fn=lambda: fcntl.ioctl(theirs, termios.TIOCSCTTY, 0),
    )
    try:
        assert process.stdin is not None
        process.stdin.write(f'{run.id}\n')
        process.stdin.close()
        process.stdin = None
        asked = read_until(screen, '[y/N] ')
        assert f'Checkpoint weekly ({run.id}) has:' in asked
        for item in run.items:
            assert item.id in asked
        assert 'Delete 1 checkpoint (3 backups, 30 GB nominal) in ' in asked
        assert deletes(c) == []
        os.write(screen, f'{answer}\n'.encode())
        _, stdout, stderr = finish(process)
    finally:
        process.kill()
        process.wait(30)
        os.close(theirs)
        os.close(screen)
    assert stdout == ''
    if answer == 'y':
        assert (process.returncode, stderr) == (0, '')
        assert deletes(c) == [checkpoint_delete(run.id)]
    else:
        assert (process.returncode, stderr) == (1, 'Nothing was deleted.\n')
        assert deletes(c) == []


def test_ctrl_c_at_the_question_deletes_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(3)
    command = ('csbs', 'checkpoint', 'delete', run.id)
    with terminal(openstack, *command) as (process, screen):
        read_until(screen, '[y/N] ')
        process.send_signal(signal.SIGINT)
        rest = read_until(screen, '')
        assert process.wait(30) == 130
    assert 'not sent: 1' in rest
    assert 'Traceback' not in rest
    assert deletes(c) == []
