# SPDX-License-Identifier: Apache-2.0
"""``show --wait``: until what is shown is finished, on a clock of its own."""

import io
import json
import logging
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from osc_lib import exceptions

from tests.unit.maker import Clock
from tests.unit.osc.parsing import parse, usage_error
from vbsclient import waiting
from vbsclient.api import errors
from vbsclient.api.http import Limits
from vbsclient.lookup.refusals import MissingError, RefusedError
from vbsclient.osc.command import show
from vbsclient.osc.command.show import ShowCommand
from vbsclient.osc.csbs.backup import ShowCsbsBackup
from vbsclient.osc.csbs.checkpoint import ShowCsbsCheckpoint
from vbsclient.osc.output.columns import Column
from vbsclient.osc.vbs.backup import ShowVbsBackup
from vbsclient.osc.vbs.job import ShowVbsJob
from vbsclient.waiting import AVAILABLE, ResourceStatus

GONE = MissingError('No kite found')
RESET = errors.ConnectionFailed('reset')


class ShowKite(ShowCommand):
    """Show a kite"""

    columns = (Column('ID', 'id'), Column('Status', 'status'))
    noun = 'kite'
    goal = AVAILABLE

    #: What is found, one after another: a status, or an error; the last stays.
    script: ClassVar[list[Any]]
    reads = 0

    def find(self, parsed_args: Any, fields: set[str]) -> Any:
        """The next of the script."""
        self.reads += 1
        found = self.script[0]
        if len(self.script) > 1:
            self.script.pop(0)
        if isinstance(found, BaseException):
            raise found
        return SimpleNamespace(id=parsed_args.kite, status=found)

    def status_of(self, found: Any) -> ResourceStatus:
        """Its status; a reason where it failed."""
        reason = 'no wind.' if found.status == 'error' else None
        return ResourceStatus(found.status, reason)


class ShowNewKite(ShowKite):
    """Show a kite that may have been made a moment ago"""

    appears_in = 60.0


Run = Callable[..., Any]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a show: ``run(ShowKite, 'creating', 'available')``."""

    def run_(
        command: type[ShowKite], *script: Any, line: str = '--wait'
    ) -> Any:
        clock = Clock()
        wait = partial(waiting.wait, clock=clock.read)
        monkeypatch.setattr(show, 'wait', wait)
        time = SimpleNamespace(monotonic=clock.read)
        monkeypatch.setattr(show, 'time', time)
        monkeypatch.setattr(show, 'warn_if_login_ends', lambda manager: None)
        out = io.StringIO()
        app: Any = SimpleNamespace(
            stdout=out,
            stderr=None,
            client_manager=None,
            interactive_mode=False,
            options=SimpleNamespace(verbose_level=0),
        )
        one = command(app, None)
        one.script = list(script)  # type: ignore[misc]
        one.limits = Limits(stop=clock)  # type: ignore[misc]
        parser = one.get_parser('openstack kite show')
        ended = SimpleNamespace(command=one, clock=clock, error=None, code=1)
        try:
            ended.code = one.run(
                parser.parse_args(['k', '-f', 'json', *line.split()])
            )
        except exceptions.CommandError as error:
            ended.error = str(error)
        shown = out.getvalue()
        ended.shown = json.loads(shown)['status'] if shown else None
        return ended

    return run_


def test_it_ends_at_the_goal(run: Run) -> None:
    ended = run(ShowKite, 'creating', 'creating', 'available')
    assert (ended.code, ended.shown) == (0, 'available')
    # What is shown is what was read last.
    assert ended.command.reads == 3


def test_what_is_finished_is_read_once(run: Run) -> None:
    ended = run(ShowKite, 'available')
    assert (ended.code, ended.command.reads) == (0, 1)
    assert ended.clock.pauses == []


def test_without_it_nothing_is_waited_for(run: Run) -> None:
    ended = run(ShowKite, 'creating', 'error', line='')
    assert (ended.code, ended.shown) == (0, 'creating')


@pytest.mark.parametrize('status', ['error', 'error_deleting', 'deleted'])
def test_a_failure_is_shown_and_exit_code_1(
    run: Run, caplog: pytest.LogCaptureFixture, status: str
) -> None:
    with caplog.at_level(logging.ERROR):
        ended = run(ShowKite, 'creating', status)
    assert (ended.code, ended.shown, ended.error) == (1, status, None)
    reason = ': no wind' if status == 'error' else ''
    assert caplog.messages == [f'The kite k has the status {status}{reason}.']


def test_a_timeout_is_shown_and_exit_code_3(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        ended = run(ShowKite, 'creating', line='--wait --timeout 90')
    assert (ended.code, ended.shown, ended.error) == (3, 'creating', None)
    assert ended.clock.now == 90
    [message] = caplog.messages
    assert message.startswith('The kite k is not finished yet (status creat')


def test_without_a_timeout_it_lasts_as_long_as_something_happens(
    run: Run,
) -> None:
    ended = run(ShowKite, 'creating')
    assert (ended.code, ended.clock.now) == (3, 3600)


@pytest.mark.parametrize('kind', [ShowKite, ShowNewKite])
@pytest.mark.parametrize(
    'error', [RESET, errors.Forbidden('no', status=403), RefusedError('two')]
)
def test_a_first_error_ends_it(
    run: Run, kind: type[ShowKite], error: Exception
) -> None:
    ended = run(kind, error, 'available')
    assert ended.error is not None
    assert (ended.command.reads, ended.shown) == (1, None)


def test_a_later_error_does_not(run: Run) -> None:
    ended = run(ShowKite, 'creating', RESET, RESET, 'available')
    assert (ended.code, ended.shown) == (0, 'available')


def test_what_is_not_there_is_an_error(run: Run) -> None:
    ended = run(ShowKite, GONE, 'available')
    assert ended.error == 'No kite found.'
    assert ended.command.reads == 1


def test_what_may_be_new_has_a_minute_to_appear(run: Run) -> None:
    ended = run(ShowNewKite, *[GONE] * 20, 'creating', 'available')
    assert (ended.code, ended.shown) == (0, 'available')


def test_after_that_it_is_not_there(run: Run) -> None:
    ended = run(ShowNewKite, GONE)
    assert (ended.error, ended.shown) == ('No kite found.', None)
    assert 60 <= ended.clock.now < 75


def test_a_timeout_before_it_appears(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        ended = run(ShowNewKite, GONE, line='--wait --timeout 5')
    assert (ended.code, ended.shown, ended.error) == (3, None, None)
    assert ended.clock.now == 5
    [message] = caplog.messages
    assert message.startswith('The kite k is not listed yet.')


@pytest.mark.parametrize('kind', [ShowKite, ShowNewKite])
def test_what_goes_away_again_ends_it(run: Run, kind: type[ShowKite]) -> None:
    ended = run(kind, 'creating', GONE, 'available')
    assert ended.error == 'No kite found.'


def test_a_name_that_means_two_by_now_ends_it(run: Run) -> None:
    ended = run(ShowKite, 'creating', RefusedError('two of that name'))
    assert ended.error == 'Two of that name.'
    assert ended.command.reads == 2


def test_ctrl_c(run: Run) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(ShowKite, 'creating', KeyboardInterrupt())


@pytest.mark.parametrize(
    ('kind', 'appears_in'),
    [
        (ShowVbsBackup, 0),
        (ShowVbsJob, 0),
        (ShowCsbsBackup, 0),
        (ShowCsbsCheckpoint, 60),
    ],
)
def test_the_commands_that_have_it(
    kind: type[ShowCommand],
    appears_in: float,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert kind.appears_in == appears_in
    noun = f'<{kind.noun}>'
    parsed = parse(kind, 'x --wait --timeout 2h')
    assert parsed.keys() == {noun, '--wait', '--timeout'}
    with pytest.raises(SystemExit) as ended:
        kind(None, None).get_parser('x').parse_args(['--help'])  # type: ignore[arg-type]
    assert ended.value.code == 0
    help_ = ' '.join(capsys.readouterr().out.split())
    assert f'the {kind.noun} is finished' in help_


@pytest.mark.parametrize(
    'kind', [ShowVbsBackup, ShowVbsJob, ShowCsbsBackup, ShowCsbsCheckpoint]
)
def test_a_timeout_needs_a_wait(
    kind: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    command = kind(None, None)
    args = command.get_parser('x').parse_args(['x', '--timeout', '2h'])
    with pytest.raises(SystemExit) as ended:
        command.run(args)
    assert ended.value.code == 2
    assert '--timeout goes with --wait' in capsys.readouterr().err
    assert 'is not' in usage_error(kind, 'x --wait --timeout x', capsys)


class TestJob:
    def status(self, **body: Any) -> ResourceStatus:
        from vbsclient.api.vbs import Job

        job = Job.from_body({'job_id': 'j', **body})
        return ShowVbsJob(None, None).status_of(job)  # type: ignore[arg-type]

    def test_one_that_runs_is_alive(self) -> None:
        assert self.status(status='RUNNING').is_alive
        assert not self.status(status='INIT').is_alive

    def test_why_it_failed(self) -> None:
        failed = self.status(
            status='FAIL',
            fail_reason='the disk is full',
            error_code='VolumeBackup.0064',
        )
        assert failed.reason is not None
        assert 'the disk is full' in failed.reason
        assert 'VolumeBackup.0064' in failed.reason
        assert ShowVbsJob.goal is not None
        assert ShowVbsJob.goal.has_ended(failed)
        assert not ShowVbsJob.goal.is_reached(failed)


@pytest.mark.parametrize(
    ('statuses', 'word', 'ended'),
    [
        (['available'], 'available', True),
        (['available', 'protecting'], 'protecting', False),
        (['error', 'protecting', 'available'], 'protecting', False),
        (['available', 'error'], 'error', True),
        (['available', 'deleting'], 'deleting', False),
    ],
)
def test_a_checkpoint_is_finished_when_all_its_backups_are(
    statuses: list[str], word: str, ended: bool
) -> None:
    found: Any = SimpleNamespace(statuses=statuses, updated_at=None)
    command = ShowCsbsCheckpoint(None, None)  # type: ignore[arg-type]
    status = command.status_of(found)
    assert (status.word, AVAILABLE.has_ended(status)) == (word, ended)
