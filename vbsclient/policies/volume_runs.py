# SPDX-License-Identifier: Apache-2.0
"""Running a policy of VBS now, and following its tasks.

Nothing but the tasks tells which volumes a policy has, and nothing links them
to the request: those are its tasks that were not there before.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from vbsclient.api import errors
from vbsclient.api.http import Handle, Limits
from vbsclient.api.paging import PAGE_SIZE
from vbsclient.api.times import parse_timestamp
from vbsclient.api.vbs import Backup, Job, VBSClient
from vbsclient.api.vbs.policies import TASK_STATUSES, Policy, Task
from vbsclient.change.targets import (
    Change,
    ChangeFailed,
    Done,
    Outcome,
    Recorder,
    Target,
)
from vbsclient.creation import base
from vbsclient.lookup.existence import ask_each
from vbsclient.lookup.kinds import suppress_errors
from vbsclient.lookup.policies import may_be_of
from vbsclient.lookup.refusals import RefusedError, SkippedError
from vbsclient.policies.members import called
from vbsclient.waiting import JOB_SUCCESS, ResourceStatus
from vbsclient.wording import brief, counted

#: What to do about a policy that backs nothing up.
ADD_VOLUMES = 'Add volumes to it first.'

_TWO_RUNS = (
    'the policy has several new tasks for this volume: which of them is of '
    'this run, and which of another one, is not known'
)

_TIMEOUT, _SKIP, _RUNNING = 'EXECUTE_TIMEOUT', 'SKIP', 'RUNNING'


class VolumePolicyRun(Change):
    """The rules for ``vbs backup policy execute``.

    Its only target is the policy; what has become of each volume is in
    :meth:`parts`.

    :param policy: as it was just read.
    :param name_of: the name of a volume, if that is known.
    :param clock: seconds that only grow.
    """

    goal = JOB_SUCCESS
    appears_in = base.APPEARS_IN

    def __init__(
        self,
        vbs: VBSClient,
        policy: Policy,
        *,
        limits: Limits,
        name_of: Callable[[str | None], str | None] = lambda id: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._vbs = vbs
        self._policy = policy
        self._limits = limits
        self._name_of = name_of
        self._clock = clock
        #: The ids of the tasks that were there before.
        self._before: set[str] = set()
        #: The new tasks, and what has become of those that have ended.
        self._tasks: dict[str, Task] = {}
        self._ends: dict[str, Outcome] = {}
        #: When it was accepted, or a new task was seen last.
        self._grown_at: float | None = None
        self._is_over = False

    def targets(self) -> list[Target]:
        policy = self._policy
        target = Target(
            policy.name or policy.id,
            'policy',
            'VBS',
            policy.id,
            policy.name,
            policy,
        )
        if policy.volume_count == 0:
            target.refusal = RefusedError(
                'the policy has no volumes', ADD_VOLUMES
            )
        else:
            tasks = self._vbs.policies.tasks(policy.id)
            self._before = {task.job_id for task in tasks}
            if policy.volume_count is not None:
                target.notes.append(
                    f'backs up {counted(policy.volume_count, "volume")}'
                )
        return [target]

    def send(self, target: Target, recorder: Recorder) -> Done:
        try:
            receipt = recorder.record(
                target,
                'execute',
                lambda: self._vbs.policies.execute(target.verified_id),
            )
        except errors.OutcomeUnknown as unknown:
            if not self._settle():
                raise
            self._grown_at = self._clock()
            return Done(
                unknown.request_id,
                remark=f'{unknown.remark}: the policy has new tasks, by this '
                f'request or by somebody else',
            )
        self._grown_at = self._clock()
        return Done(receipt.request_id)

    def _settle(self) -> bool:
        """Whether reading shows that a lost answer was a good one."""
        for pause in base.LOOKS:
            if self._limits.stop.wait(pause):
                break
            if suppress_errors(lambda: list(self._new_tasks())):
                return True
        return False

    def initial_status(self, target: Target) -> ResourceStatus:
        """Nothing was there before."""
        return ResourceStatus('')

    def poll(self, targets: Sequence[Target]) -> dict[str, ResourceStatus]:
        for task in self._new_tasks():
            if task.job_id not in self._tasks:
                self._grown_at = self._clock()
            self._tasks[task.job_id] = task
        self._settle_ended()
        return {self._policy.id: self._status()}

    def _status(self) -> ResourceStatus:
        is_quiet = (
            self._grown_at is not None
            and self._clock() - self._grown_at > self.appears_in
        )
        if not self._tasks:
            return ResourceStatus(
                '',
                'the service accepted it, and the policy has no new task',
                is_absent=is_quiet,
            )
        open_tasks = [
            t for id, t in self._tasks.items() if not self._ends.get(id)
        ]
        count = self._policy.volume_count
        is_whole = count is not None and len(self._volumes()) >= count
        if not open_tasks and (is_whole or is_quiet):
            self._is_over = True
            return ResourceStatus('SUCCESS')
        return ResourceStatus(
            'RUNNING',
            progress=len(self._ends),
            is_alive=any(t.status.upper() == _RUNNING for t in open_tasks),
        )

    def _volumes(self) -> Counter[str | None]:
        """The volumes of the new tasks, with how many tasks each has."""
        return Counter(task.volume_id for task in self._tasks.values())

    def _new_tasks(self) -> Iterator[Task]:
        """The tasks that were not there before, of which the list is long.

        They are the newest; a page without any of them is behind them.
        """
        known = 0
        for task in self._vbs.policies.tasks(self._policy.id, sort_dir='desc'):
            if task.job_id not in self._before:
                known = 0
                yield task
            elif (known := known + 1) >= PAGE_SIZE:
                return

    # -- what has become of the tasks -------------------------------------

    def _settle_ended(self) -> None:
        """Find out what has become of the tasks that have ended."""
        ended = {
            id: task
            for id, task in self._tasks.items()
            if task.is_finished and id not in self._ends
        }
        handles = {id: _handle_of(task) for id, task in ended.items()}
        jobs = ask_each(
            sorted({h.job_id for h in handles.values() if h.job_id}),
            self._vbs.jobs.get,
            self._limits,
        )
        for id, task in ended.items():
            job = jobs.get(handles[id].job_id or '')
            outcome = self._outcome_of(task)
            read = job if isinstance(job, Job) else None
            if self._end(outcome, task, read):
                self._ends[id] = outcome

    def _end(self, outcome: Outcome, task: Task, job: Job | None) -> bool:
        """Whether what has become of a task is known, which is kept.

        :param job: the one that made the backup, if it can be read.
        """
        target, status = outcome.target, task.status.upper()
        if job is not None and job.backup_id is not None:
            target.handle = replace(target.handle, backup_id=job.backup_id)
        if status == _SKIP:
            outcome.fail(SkippedError('the service skipped this volume'))
        elif status == _TIMEOUT:
            return self._end_of_timeout(outcome, task)
        elif task.has_failed:
            reason = (job.failure if job else None) or 'no reason is told'
            outcome.fail(
                ChangeFailed(
                    f'the task of the policy failed '
                    f'({brief(task.status)}): {reason}'
                )
            )
        else:
            outcome.succeed(Done(None, is_final=True))
        return True

    def _end_of_timeout(self, outcome: Outcome, task: Task) -> bool:
        """The same of one that has timed out: its backup decides."""
        lost = ChangeFailed('the task of the policy timed out')
        try:
            backups = list(self._backups_of(task))
        except errors.Cancelled:
            raise
        except errors.ClientError as error:
            outcome.fail(errors.OutcomeUnknown(lost, error))
            return True
        if len(backups) != 1:
            outcome.fail(errors.OutcomeUnknown(lost))
            return True
        [backup] = backups
        target = outcome.target
        target.handle = replace(target.handle, backup_id=backup.id)
        if backup.status == 'available':
            outcome.succeed(
                Done(None, is_final=True, remark='its task timed out')
            )
        elif backup.status.startswith('error'):
            reason = f': {backup.fail_reason}' if backup.fail_reason else ''
            outcome.fail(
                ChangeFailed(
                    f'{lost.message}, and the status of the backup is '
                    f'{brief(backup.status)}{reason}'
                )
            )
        else:
            return False
        return True

    def _backups_of(self, task: Task) -> Iterable[Backup]:
        """The backups that a task may have made."""
        if not task.backup_name or task.volume_id is None:
            return
        for backup in self._vbs.backups.list(
            name=task.backup_name, volume_id=task.volume_id
        ):
            if self._vbs.backups.owns(backup) and may_be_of(backup, task):
                yield backup

    def _outcome_of(self, task: Task) -> Outcome:
        """A task as one of the changes of a report; accepted, so far."""
        outcome = Outcome(
            Target(
                task.volume_id or self._policy.id,
                'backup',
                'VBS',
                task.volume_id or self._policy.id,
                resource=task,
                new_name=task.backup_name,
                handle=_handle_of(task),
            )
        )
        outcome.succeed(Done(None))
        return outcome

    def parts(self, outcome: Outcome) -> list[Outcome]:
        """What has become of each volume, as far as that is known.

        :param outcome: of the policy: it stays, where volumes have no task.
        """
        parts = []
        # In the order in which they were made; lists have the newest first.
        tasks = list(self._tasks.values())
        tasks.reverse()
        tasks.sort(key=lambda task: task.created_at or '')
        volumes = self._volumes()
        for task in tasks:
            part = self._ends.get(task.job_id) or self._outcome_of(task)
            part.target.name = self._name_of(task.volume_id)
            part.unread = outcome.unread if part.is_unfinished else ''
            part.started_at = outcome.started_at
            part.answered_at = parse_timestamp(task.finished_at)
            if part.is_unfinished and task.status not in TASK_STATUSES:
                status = f'the status of its task is {brief(task.status)}'
                part.succeed(Done(None, detail=status))
            elif volumes[task.volume_id] > 1 and not part.is_unfinished:
                part.fail(errors.OutcomeUnknown(ChangeFailed(_TWO_RUNS)))
            parts.append(part)
        count = self._policy.volume_count
        missing = 0 if count is None else max(0, count - len(volumes))
        if not parts:
            return [outcome]
        if missing and self._is_over:
            outcome.fail(
                errors.OutcomeUnknown(
                    ChangeFailed(
                        f'the policy {called(self._policy)} has no task for '
                        f'{missing} of its {count} volumes'
                    )
                )
            )
        if missing:
            parts.append(outcome)
        return parts


def _handle_of(task: Task) -> Handle:
    return Handle.of_job(task.vbs_job_id) or Handle()
