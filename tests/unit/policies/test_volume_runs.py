# SPDX-License-Identifier: Apache-2.0
"""How far a run of a policy of VBS is, by its tasks."""

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.world import uuid
from vbsclient.api import errors
from vbsclient.api.http import Limits, Receipt
from vbsclient.api.paging import PAGE_SIZE
from vbsclient.api.vbs import Backup, Job, Policy, Task
from vbsclient.bulk import State
from vbsclient.change.targets import Done, Outcome, Recorder
from vbsclient.lookup.refusals import RefusedError
from vbsclient.policies.volume_runs import VolumePolicyRun

WEEKLY = uuid(1)


class There:
    """A VBS whose tasks, jobs and backups a test writes down.

    :ivar executed: how often a policy was executed.
    :ivar lost: whether the answer to that is lost.
    """

    def __init__(self, count: int | None = 2) -> None:
        self.policy = Policy(WEEKLY, 'weekly', True, count)
        self.tasks: list[Task] = [Task('old', 'EXECUTE_FAIL')]
        self.jobs: dict[str, Job] = {}
        self.backups: list[Backup] | Exception = []
        self.executed = 0
        self.read = 0
        self.lost = False
        self.now = 0.0
        vbs: Any = SimpleNamespace(
            policies=SimpleNamespace(tasks=self._tasks, execute=self._execute),
            jobs=SimpleNamespace(get=self._job),
            backups=SimpleNamespace(
                list=self._backups, owns=lambda backup: True
            ),
        )
        self.run = VolumePolicyRun(
            vbs, self.policy, limits=Limits(), clock=lambda: self.now
        )
        self.run.appears_in = 60.0

    def begin(self) -> Outcome:
        [target] = self.run.targets()
        outcome = Outcome.of(target)
        outcome.succeed(self.run.send(target, Recorder()))
        return outcome

    def poll(self) -> Any:
        return self.run.poll([])[WEEKLY]

    def add(self, id: str, status: str, **changes: Any) -> None:
        self.tasks = [one for one in self.tasks if one.job_id != id]
        volume = uuid(100 + int(id))
        task = Task(id, status, volume_id=volume, **changes)
        self.tasks.insert(0, task)

    def _tasks(self, id: str, sort_dir: str | None = None) -> Iterator[Task]:
        assert id == WEEKLY
        for task in list(self.tasks):
            self.read += 1
            yield task

    def _execute(self, id: str) -> Receipt:
        self.executed += 1
        if self.lost:
            raise errors.OutcomeUnknown(errors.ConnectionFailed('reset'))
        return Receipt(204, 'req-1', 1)

    def _job(self, id: str) -> Job:
        if id not in self.jobs:
            raise errors.NotFound('no such job', status=404)
        return self.jobs[id]

    def _backups(self, **where: Any) -> list[Backup]:
        if isinstance(self.backups, Exception):
            raise self.backups
        return self.backups


def a_backup(status: str, **changes: Any) -> Backup:
    body = {'id': uuid(900), 'name': 'autobk_1', 'status': status, **changes}
    return Backup.from_body(body)


def test_it_ends_with_the_last_of_as_many_tasks_as_it_has_volumes() -> None:
    there = There(count=2)
    there.begin()
    assert there.poll().status == ''
    there.add('1', 'EXECUTE_SUCCESS')
    assert there.poll().status == 'RUNNING'
    there.add('2', 'RUNNING')
    assert (there.poll().status, there.poll().is_alive) == ('RUNNING', True)
    there.add('2', 'SKIP')
    assert there.poll().status == 'SUCCESS'


@pytest.mark.parametrize('count', [None, 3])
def test_or_a_minute_after_the_last_new_task(count: int | None) -> None:
    there = There(count)
    outcome = there.begin()
    there.add('1', 'EXECUTE_SUCCESS')
    there.poll()
    there.now = 50.0
    there.add('2', 'WAITING')
    there.poll()
    there.now = 111.0
    # It is not over while one goes on.
    assert (there.poll().status, there.poll().is_alive) == ('RUNNING', False)
    there.add('2', 'EXECUTE_SUCCESS')
    assert there.poll().status == 'SUCCESS'
    outcome.succeed(Done(None, is_final=True))
    parts = there.run.parts(outcome)
    assert [part.state for part in parts] == [
        *[State.DONE] * 2,
        *([] if count is None else [State.UNKNOWN]),
    ]


def test_without_any_task_nothing_is_known_after_a_minute() -> None:
    there = There()
    outcome = there.begin()
    there.now = 60.0
    assert not there.poll().is_absent
    there.now = 61.0
    assert there.poll().is_absent
    assert there.run.parts(outcome) == [outcome]


def test_a_policy_without_volumes_is_refused_without_a_request() -> None:
    there = There(count=0)
    [target] = there.run.targets()
    assert isinstance(target.refusal, RefusedError)
    assert there.read == 0


def test_a_lost_answer_is_that_of_a_run_with_new_tasks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr('vbsclient.creation.base.LOOKS', (0.0, 0.0))
    there = There()
    there.lost = True
    with pytest.raises(errors.OutcomeUnknown):
        there.begin()
    [target] = there.run.targets()
    there.add('1', 'WAITING')
    done = there.run.send(target, Recorder())
    assert done.remark == (
        'its answer was lost: the policy has new tasks, by this request or '
        'by somebody else'
    )
    assert there.executed == 2


def test_what_is_known_is_not_read_to_its_end_each_time() -> None:
    there = There()
    there.tasks = [Task(f'old-{n}', 'SKIP') for n in range(3 * PAGE_SIZE)]
    there.begin()
    there.add('1', 'RUNNING')
    there.read = 0
    assert there.poll().status == 'RUNNING'
    assert there.read == PAGE_SIZE + 1


def ended(there: There, task: str, **changes: Any) -> Outcome:
    """The row of a task that was the only one."""
    outcome = there.begin()
    there.add('1', task, backup_name='autobk_1', **changes)
    there.poll()
    [part, *_] = there.run.parts(outcome)
    return part


@pytest.mark.parametrize(
    ('job', 'words'),
    [
        (None, 'no reason is told'),
        (Job('j', 'FAIL', error_code='VolumeBackup.0064'), '0064'),
        (Job('j', 'FAIL', fail_reason='full'), r'\(EXECUTE_FAIL\): full$'),
    ],
)
def test_the_job_says_why_a_task_failed(job: Job | None, words: str) -> None:
    there = There()
    there.jobs = {} if job is None else {'j': job}
    part = ended(there, 'EXECUTE_FAIL', vbs_job_id='j')
    assert part.state is State.FAILED
    assert part.target.handle.job_id == 'j'
    with pytest.raises(errors.ClientError, match=words):
        raise part.error or AssertionError


@pytest.mark.parametrize(
    ('backups', 'state'),
    [
        ([a_backup('available')], State.DONE),
        ([a_backup('error', fail_reason='full')], State.FAILED),
        ([a_backup('creating')], State.ACCEPTED),
        ([], State.UNKNOWN),
        ([a_backup('available')] * 2, State.UNKNOWN),
        (
            [a_backup('available', created_at='2026-11-01T00:00:00')],
            State.UNKNOWN,
        ),
        (errors.Forbidden('no', status=403), State.UNKNOWN),
    ],
    ids=['good', 'bad', 'going', 'none', 'two', 'older', 'unread'],
)
def test_the_backup_decides_of_a_task_that_timed_out(
    backups: Any, state: State
) -> None:
    there = There()
    there.backups = backups
    part = ended(
        there, 'EXECUTE_TIMEOUT', created_at='2026-11-14T02:00:00.000'
    )
    assert part.state is state


def test_a_backup_in_the_making_is_waited_for() -> None:
    there = There(count=1)
    there.backups = [a_backup('creating')]
    outcome = there.begin()
    there.add('1', 'EXECUTE_TIMEOUT', backup_name='autobk_1')
    assert there.poll().status == 'RUNNING'
    there.backups = [a_backup('available')]
    assert there.poll().status == 'SUCCESS'
    [part] = there.run.parts(outcome)
    assert part.state is State.DONE
    assert part.target.handle.backup_id == uuid(900)


def test_two_tasks_of_one_volume_are_of_two_runs() -> None:
    there = There(count=2)
    outcome = there.begin()
    for id in ('1', '101'):
        there.add(id, 'EXECUTE_SUCCESS')
        [task, *_] = there.tasks
        there.tasks[0] = replace(task, volume_id=uuid(101))
    # The other volume has none yet.
    assert there.poll().status == 'RUNNING'
    there.add('2', 'EXECUTE_SUCCESS')
    assert there.poll().status == 'SUCCESS'
    parts = there.run.parts(outcome)
    assert [part.state for part in parts] == [
        State.DONE,
        *[State.UNKNOWN] * 2,
    ]
    assert 'several new tasks' in str(parts[1].error)


def test_an_unknown_status_is_shown() -> None:
    there = There(count=1)
    outcome = there.begin()
    there.add('1', 'CANCELLED')
    there.poll()
    [part] = there.run.parts(outcome)
    assert part.is_unfinished
    assert part.result is not None
    assert part.result.detail == 'the status of its task is CANCELLED'


def test_rows_are_in_the_order_of_the_tasks() -> None:
    there = There(count=3)
    outcome = there.begin()
    for id in ('1', '2', '3'):
        there.add(id, 'SKIP', created_at=f'2026-11-14T02:00:0{id}')
    there.poll()
    assert [p.target.resource.job_id for p in there.run.parts(outcome)] == [
        *('1', '2', '3')
    ]
    assert {p.state for p in there.run.parts(outcome)} == {State.SKIPPED}
