# SPDX-License-Identifier: Apache-2.0
"""What the commands that overwrite data take, show, ask and say."""

import io
import logging
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from osc_lib import exceptions

from tests.unit.fakes import PROJECT
from tests.unit.maker import Fate
from tests.unit.osc.parsing import parse, usage_error
from tests.unit.restoring.restorer import GOOD, Restorer
from tests.unit.world import uuid
from vbsclient.api import errors
from vbsclient.api.http import Handle
from vbsclient.change.targets import Done, Outcome, Target
from vbsclient.osc.command.signals import ExitCode
from vbsclient.osc.csbs.restore import RestoreCsbsBackup
from vbsclient.osc.output import messages
from vbsclient.osc.output.messages import RestoreTerms
from vbsclient.osc.vbs.restore import RestoreVbsBackup
from vbsclient.restoring.plan import Plan

BACKUP, VOLUME, SPARE = uuid(4000), uuid(1000), uuid(1002)
ITEM, SERVER = uuid(5000), uuid(3000)
VBS_LINE, CSBS_LINE = f'{BACKUP} {VOLUME}', ITEM
EACH = pytest.mark.parametrize(
    ('command', 'line'),
    [(RestoreVbsBackup, VBS_LINE), (RestoreCsbsBackup, CSBS_LINE)],
    ids=['vbs', 'csbs'],
)


class Keyboard(io.StringIO):
    """A terminal at which something is typed.

    :ivar before: what happens while the question is open.
    """

    def __init__(self, text: str = '', before: Any = None) -> None:
        super().__init__(text)
        self._before = before

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        raise OSError

    def readline(self, size: int | None = -1, /) -> str:
        if self._before:
            self._before()
        return super().readline()


class Run:
    """A command on a cloud.

    :ivar code: its exit code, or the exception that ended it.
    """

    def __init__(
        self, cloud: Restorer, command: Any, line: str, stdin: Any
    ) -> None:
        self.stdout, self.stderr = io.StringIO(), io.StringIO()
        manager = SimpleNamespace(
            _cli_options=SimpleNamespace(config={}, name='prod'),
            auth_ref=SimpleNamespace(project_name='demo', project_id=PROJECT),
            region_name='',
            session=cloud.cloud.session,
        )
        app = SimpleNamespace(
            client_manager=manager,
            stdin=stdin,
            stdout=self.stdout,
            stderr=self.stderr,
            interactive_mode=True,
            options=SimpleNamespace(verbose_level=0),
        )
        one = command(app, None)
        parsed = one.get_parser('openstack x').parse_args(line.split())
        self.code: Any = None
        try:
            self.code = one.run(parsed)
        except (exceptions.CommandError, KeyboardInterrupt) as end:
            self.code = end

    @property
    def shown(self) -> str:
        """What is on standard error, as one line."""
        return ' '.join(self.stderr.getvalue().split())


def _always(value: Any, *_: Any) -> Any:
    return value


@pytest.fixture
def cloud(
    no_waiting: None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Restorer]:
    """A volume and a server with their backups, and the clients for them."""
    caplog.set_level(logging.WARNING)
    there = Restorer(volumes=4)
    there.add_backup(0)
    there.add_server_of(0, [uuid(1001), SPARE])
    there.add_item_of(0, SERVER)
    there.script = [{'status': 'restoring-backup'}, {'status': 'available'}]
    found = {'block-storage': there.cinder, 'compute': there.nova}
    for service in ('vbs', 'csbs'):
        module = f'vbsclient.osc.{service}.restore'
        monkeypatch.setattr(
            f'{module}.make_{service}_client',
            partial(_always, getattr(there, service)),
        )
        monkeypatch.setattr(
            f'{module}.make_lookup_client',
            lambda instance, kind, name: found[name],
        )
    monkeypatch.setattr(
        'vbsclient.osc.vbs.restore.labels_of',
        lambda _: there.volume_restore('x', 'y')._labels,
    )
    monkeypatch.setattr(
        'vbsclient.osc.command.change.Limits', lambda _: there.limits
    )
    with there.ticking():
        yield there


def begin(cloud: Restorer, command: Any, line: str, stdin: Any = None) -> Run:
    if command is RestoreCsbsBackup:
        cloud.script = GOOD
    return Run(cloud, command, line, stdin or io.StringIO())


def told(caplog: pytest.LogCaptureFixture, run: Run) -> str:
    """All that was said."""
    end = run.code if isinstance(run.code, Exception) else ''
    said = f'{caplog.text} {run.stdout.getvalue()} {run.shown} {end}'
    return ' '.join(said.split())


# -- what it takes ----------------------------------------------------------


def test_what_vbs_takes() -> None:
    line = 'a b --force --yes --backup-first --dry-run --wait --timeout 1h'
    assert set(parse(RestoreVbsBackup, line)) == {
        *('<backup>', '<volume>', '--force', '--yes', '--backup-first'),
        *('--dry-run', '--wait', '--timeout'),
    }


def test_what_csbs_takes() -> None:
    line = 'a --server s --volume b=c --volume d=e --no-power-on'
    assert parse(RestoreCsbsBackup, line) == {
        '<backup>': 'a',
        '--server': 's',
        '--volume': [('b', 'c'), ('d', 'e')],
        '--no-power-on': False,
    }
    assert parse(RestoreCsbsBackup, 'a --power-on')['--power-on'] is True


@pytest.mark.parametrize(
    ('command', 'line', 'words'),
    [
        (RestoreVbsBackup, 'a', 'required: <volume>'),
        (RestoreVbsBackup, 'a b c', 'unrecognized arguments: c'),
        (RestoreVbsBackup, 'a b --forc', 'unrecognized arguments: --forc'),
        (RestoreVbsBackup, 'a b --ye', 'unrecognized arguments: --ye'),
        (RestoreCsbsBackup, '', 'required: <backup>'),
        (RestoreCsbsBackup, 'a b', 'unrecognized arguments: b'),
        (RestoreCsbsBackup, 'a --power-on --no-power-on', 'not allowed with'),
        # Nobody knows which of both it is that has one in its name.
        (RestoreCsbsBackup, 'a --volume b=c=d', 'by their IDs'),
        *(
            (RestoreCsbsBackup, f'a --volume {bad}', 'is not <source>=')
            for bad in ('b', '=', 'b=', '=c')
        ),
    ],
)
def test_a_wrong_command_line(
    command: Any, line: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    error = usage_error(command, line, capsys)
    assert words in ' '.join(error.split())


def test_one_source_twice(
    cloud: Restorer, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        begin(cloud, RestoreCsbsBackup, f'{ITEM} --volume a=b --volume a=c')
    assert ended.value.code == 2
    assert 'more than once' in ' '.join(capsys.readouterr().err.split())
    assert cloud.log == []


@EACH
def test_a_cloud_that_is_read_only(
    cloud: Restorer,
    command: Any,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('OS_VBSCLIENT_READ_ONLY', 'true')
    run = begin(cloud, command, f'{line} --yes')
    assert 'read-only' in str(run.code)
    assert cloud.log == []


# -- the question -----------------------------------------------------------


@EACH
@pytest.mark.parametrize('answer', ['y\n', 'YES\n', 'n\n', '\n', '', 'yy\n'])
def test_the_question(
    cloud: Restorer, command: Any, line: str, answer: str
) -> None:
    run = begin(cloud, command, line, Keyboard(answer))
    agreed = answer in ('y\n', 'YES\n')
    assert bool(cloud.restores) is agreed
    if not agreed:
        assert str(run.code) == 'Nothing was overwritten.'
    else:
        assert run.code == ExitCode.DONE
    # What is overwritten, in which project of which cloud.
    question = run.shown.partition('Overwrite ')[2]
    assert 'in project demo of cloud prod? [y/N]' in question
    assert (VOLUME if command is RestoreVbsBackup else SERVER) in question
    plan = run.shown.partition('Overwrite ')[0]
    assert 'overwrites' in plan
    assert 'cannot be undone' in plan
    assert '--backup-first' in plan
    assert 'overwrites' not in run.stdout.getvalue()


@EACH
def test_nobody_can_answer(cloud: Restorer, command: Any, line: str) -> None:
    run = begin(cloud, command, line)
    assert 'add --yes. Nothing was overwritten.' in str(run.code)
    assert 'cannot be undone' in run.shown
    assert cloud.restoring_posts == []


@EACH
def test_yes(cloud: Restorer, command: Any, line: str) -> None:
    run = begin(cloud, command, f'{line} --yes')
    assert run.code == ExitCode.DONE
    assert '[y/N]' not in run.shown
    assert len(cloud.restoring_posts) == 1


@EACH
@pytest.mark.parametrize('yes', ['', '--yes'])
def test_a_dry_run(cloud: Restorer, command: Any, line: str, yes: str) -> None:
    run = begin(cloud, command, f'{line} --dry-run {yes}')
    assert run.code == ExitCode.DONE
    assert 'overwrites' in run.stdout.getvalue()
    assert 'cannot be undone' in run.shown
    assert cloud.restoring_posts == []


@EACH
@pytest.mark.parametrize('more', ['--dry-run', '--yes', '--yes --force', ''])
def test_what_is_refused_asks_nothing(
    cloud: Restorer,
    command: Any,
    line: str,
    more: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    cloud.volumes[VOLUME]['status'] = 'error'
    cloud.servers[SERVER]['status'] = 'ERROR'
    run = begin(cloud, command, f'{line} {more}', Keyboard('y\n'))
    assert isinstance(run.code, exceptions.CommandError)
    assert '[y/N]' not in run.shown
    assert 'the status of the ' in told(caplog, run)
    assert cloud.restoring_posts == []


@EACH
@pytest.mark.parametrize('change', ['status', 'size', 'name'])
def test_what_changes_while_the_question_is_open(
    cloud: Restorer, command: Any, line: str, change: str
) -> None:
    values = {'status': 'error', 'size': 40, 'name': 'another'}

    def meanwhile() -> None:
        for id in (VOLUME, SPARE):
            cloud.volumes[id][change] = values[change]
        if change == 'status':
            cloud.servers[SERVER]['status'] = 'SHUTOFF'

    run = begin(cloud, command, line, Keyboard('y\n', meanwhile))
    said = str(run.code)
    assert said.startswith('Something has changed since it was shown: ')
    assert said.endswith('Nothing was overwritten.')
    assert cloud.restoring_posts == []


# -- --backup-first ---------------------------------------------------------


@EACH
def test_a_backup_comes_first(
    cloud: Restorer, command: Any, line: str
) -> None:
    run = begin(cloud, command, f'{line} --yes --backup-first --wait')
    assert run.code == ExitCode.DONE
    id = VOLUME if command is RestoreVbsBackup else SERVER
    assert cloud.made == {id: 1}
    first, second = cloud.bodies
    assert 'restore' not in first
    assert 'restore' in second
    assert len(cloud.restoring_posts) == 1


@EACH
@pytest.mark.parametrize(
    'fate',
    [
        Fate(answer='409'),
        Fate(answer='lost', acts=False),
        Fate(job=('FAIL',), life=('error', 'error')),
        Fate(job=('INIT',), life=('creating',)),
    ],
    ids=['refused', 'lost', 'failed', 'unfinished'],
)
def test_without_that_backup_nothing_is_overwritten(
    cloud: Restorer,
    command: Any,
    line: str,
    fate: Fate,
    caplog: pytest.LogCaptureFixture,
) -> None:
    cloud.fates = {VOLUME: fate, SERVER: fate}
    run = begin(cloud, command, f'{line} --yes --backup-first')
    said = told(caplog, run)
    assert 'Nothing was overwritten. The backup that was to be cr' in said
    if fate.life == ('creating',):
        assert run.code == ExitCode.UNFINISHED
        assert ' show --wait ' in said
    else:
        assert isinstance(run.code, exceptions.CommandError)
    assert cloud.restoring_posts == []
    assert cloud.overwritten == {}


@EACH
def test_a_backup_that_lacks_something_does_not_count(
    cloud: Restorer, command: Any, line: str
) -> None:
    cloud.saves_nothing = True
    run = begin(cloud, command, f'{line} --yes --backup-first')
    said = str(run.code)
    assert 'does not hold what is to be overwritten' in said
    assert said.endswith('Nothing was overwritten.')
    assert cloud.restoring_posts == []


def test_a_part_of_that_backup_that_has_failed_does_not_count(
    cloud: Restorer,
) -> None:
    cloud.saved_status = 'error'
    run = begin(cloud, RestoreCsbsBackup, f'{ITEM} --yes --backup-first')
    assert 'does not hold what is to be overwritten' in str(run.code)
    assert cloud.restoring_posts == []


def test_another_backup_is_not_the_new_one(
    cloud: Restorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job may name any."""
    monkeypatch.setattr(
        Restorer,
        '_job',
        lambda self, id, context: {
            'job_id': id,
            'status': 'SUCCESS',
            'entities': {'backup_id': BACKUP},
        },
    )
    run = begin(cloud, RestoreVbsBackup, f'{VBS_LINE} --yes --backup-first')
    assert 'does not hold what is to be overwritten' in str(run.code)
    assert cloud.restoring_posts == []


@EACH
def test_that_backup_cannot_be_read(
    cloud: Restorer,
    command: Any,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unreadable(*_: Any) -> Any:
        raise errors.InternalServerError('no', status=500)

    monkeypatch.setattr(command, 'saved_in', unreadable)
    run = begin(cloud, command, f'{line} --yes --backup-first')
    said = str(run.code)
    assert 'was to be created first, and the one that the service' in said
    assert 'could not be read (no)' in said
    assert said.endswith('Nothing was overwritten.')
    assert cloud.restoring_posts == []


@EACH
def test_ctrl_c_behind_that_backup(
    cloud: Restorer,
    command: Any,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, '_look_again', interrupted)
    run = begin(cloud, command, f'{line} --yes --backup-first')
    assert isinstance(run.code, KeyboardInterrupt)
    assert 'created: 1' in run.shown
    assert run.shown.endswith('Nothing was overwritten.')
    assert cloud.restoring_posts == []


@EACH
def test_its_wait_may_be_limited(
    cloud: Restorer, command: Any, line: str
) -> None:
    run = begin(cloud, command, f'{line} --yes --backup-first --timeout 1h')
    assert run.code == ExitCode.DONE
    with pytest.raises(SystemExit):
        begin(cloud, command, f'{line} --yes --timeout 1h')


@EACH
@pytest.mark.parametrize('change', ['gone', 'larger'])
def test_that_backup_is_told_if_nothing_follows(
    cloud: Restorer, command: Any, line: str, change: str
) -> None:
    """Something changes while it is made."""
    post = cloud._post

    def meanwhile(*arguments: Any, **options: Any) -> Any:
        if change == 'larger':
            cloud.volumes[VOLUME]['size'] = cloud.volumes[SPARE]['size'] = 40
        else:
            cloud.volumes.pop(VOLUME)
            cloud.servers.pop(SERVER)
        return post(*arguments, **options)

    cloud._post = meanwhile  # type: ignore[method-assign]
    run = begin(cloud, command, f'{line} --yes --backup-first')
    rows = cloud.backups if command is RestoreVbsBackup else cloud.items
    said = str(run.code)
    assert 'Nothing was overwritten. The present data were saved in' in said
    assert rows[-1]['id'] in said
    assert cloud.restoring_posts == []


@EACH
def test_ctrl_c_during_that_backup(
    cloud: Restorer,
    command: Any,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    # Taken back before the clock of the cloud is, or that one would stay.
    with monkeypatch.context() as patched:
        patched.setattr('vbsclient.change.follow.wait', interrupted)
        run = begin(cloud, command, f'{line} --yes --backup-first')
    assert isinstance(run.code, KeyboardInterrupt)
    # By what the backup can be followed.
    handle = (
        f'job show --wait {0:032x}'
        if command is RestoreVbsBackup
        else f'checkpoint show --wait {cloud.items[-1]["checkpoint_id"]}'
    )
    assert handle in run.shown
    assert run.shown.endswith('Nothing was overwritten.')
    assert cloud.restoring_posts == []


# -- what is said afterwards ------------------------------------------------


def advises_repetition(said: str) -> bool:
    """Whether something says to run it again."""
    text = said.lower().replace('do not run the command again', '')
    text = text.replace('do not run this command again', '')
    return any(
        words in text
        for words in ('again with --wait', 'command again', 'to try again')
    )


@EACH
@pytest.mark.parametrize(
    ('fate', 'script', 'code'),
    [
        (Fate(), None, 0),
        (Fate(answer='409'), None, 1),
        (Fate(answer='503'), (), 1),
        (Fate(answer='lost', acts=False), (), 1),
        (
            Fate(job=('RUNNING', 'FAIL')),
            [{'status': 'restoring'}, {'status': 'error'}],
            1,
        ),
        (Fate(job=('INIT',)), (), 3),
    ],
    ids=['good', 'refused', '503', 'lost', 'failed', 'unfinished'],
)
@pytest.mark.parametrize('wait', ['', '--wait'])
def test_its_end(
    cloud: Restorer,
    command: Any,
    line: str,
    fate: Fate,
    script: Any,
    code: int,
    wait: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    cloud.fates = {VOLUME: fate, SERVER: fate}
    if script is None:
        run = begin(cloud, command, f'{line} --yes {wait}')
    else:
        cloud.script = script
        run = Run(cloud, command, f'{line} --yes {wait}', io.StringIO())
    is_seen_later = code == 3 or 'FAIL' in fate.job
    ended = 1 if isinstance(run.code, exceptions.CommandError) else run.code
    assert ended == (0 if is_seen_later and not wait else code)
    said = told(caplog, run)
    assert not advises_repetition(said), said
    if ended == 3 or 'unknown' in str(run.code):
        assert ' show ' in said
    assert len(cloud.restoring_posts) == 1


@pytest.mark.parametrize(
    'terms',
    [RestoreTerms(), RestoreVbsBackup.words, RestoreCsbsBackup.words],
    ids=['any', 'vbs', 'csbs'],
)
@pytest.mark.parametrize('job', [None, 'j-1'])
def test_no_message_says_to_repeat_a_restore(terms: Any, job: Any) -> None:
    target = Target(
        'v', 'volume', 'VBS', 'v-1', 'n', Plan('b-1', 'nightly', None, ())
    )
    target.handle = Handle(job_id=job)
    unknown, accepted = Outcome(target), Outcome(target)
    unknown.fail(errors.OutcomeUnknown(errors.ConnectionFailed('lost')))
    accepted.succeed(Done('req-1'))
    failed = Outcome(target)
    failed.fail(errors.BadRequest('no', status=400))
    unread = Outcome(target)
    unread.succeed(Done('req-1'))
    unread.unread = 'no answer'
    lines = [
        *messages.failures([unknown, failed], terms),
        *messages.delays([accepted, unread], 1, terms),
        messages.summary([unknown], 1, terms),
        messages.summary([failed], 1, terms),
        messages.unprinted([accepted], terms),
        messages.unwatched([accepted], terms),
        terms.how_to_settle(1),
        terms.how_to('keep waiting'),
    ]
    for said in lines:
        assert not advises_repetition(said), said
    command = terms.command_for(accepted)
    assert command == terms.command_for(unknown)
    if job:
        assert command == 'openstack vbs job show --wait j-1'
    else:
        assert ('b-1' if terms.service == 'csbs' else 'v-1') in command
    # What has failed, or succeeded, has nothing to be looked at.
    assert terms.command_for(failed) is None
    assert terms.is_repeatable is False
