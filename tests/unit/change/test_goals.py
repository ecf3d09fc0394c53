# SPDX-License-Identifier: Apache-2.0
"""The follow-up leads to whatever goal a change names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from vbsclient.api import errors
from vbsclient.api.http import Limits
from vbsclient.bulk import State
from vbsclient.change.follow import Counts, Follower
from vbsclient.change.run import execute
from vbsclient.change.targets import Change, Done, Outcome, Recorder, Target
from vbsclient.waiting import (
    AVAILABLE,
    GONE,
    JOB_SUCCESS,
    Goal,
    Patience,
    ResourceStatus,
)

#: What a resource shows before the first request.
BEFORE = {GONE: 'available', AVAILABLE: 'creating', JOB_SUCCESS: 'INIT'}


class Scripted(Change):
    """One target, whose statuses come in turn; the last one stays."""

    def __init__(self, goal: Goal, *statuses: str | None) -> None:
        self.goal = goal
        self.statuses = list(statuses)
        self.sent = 0

    def targets(self) -> list[Target]:
        return [Target('a', 'backup', 'VBS', id='a', resource='a')]

    def send(self, target: Target, recorder: Recorder) -> Done:
        self.sent += 1
        return Done('req-1')

    def initial_status(self, target: Target) -> ResourceStatus:
        return ResourceStatus(BEFORE[self.goal])

    def poll(self, targets: Sequence[Target]) -> Mapping[str, ResourceStatus]:
        status = self.statuses[0]
        if len(self.statuses) > 1:
            self.statuses.pop(0)
        reason = 'the disk is full' if status in ('error', 'FAIL') else None
        return {'a': ResourceStatus(status, reason)}


def follow(change: Scripted) -> tuple[Outcome, list[Outcome], Counts]:
    [outcome] = [Outcome.of(target) for target in change.targets()]
    limits = Limits(1)
    execute(change, [outcome], Recorder(), limits)
    assert outcome.state is State.ACCEPTED
    follower = Follower(
        change,
        [outcome],
        Recorder(),
        limits,
        wants_all=True,
        patience=Patience(idle=0.05, shortest=0.0, longest=0.0),
    )
    unfinished = follower.run()
    assert change.sent == 1
    return outcome, unfinished, follower.counts()


@pytest.mark.parametrize(
    ('goal', 'statuses'),
    [
        (GONE, ['deleting', None]),
        (GONE, ['waiting_delete', 'deleting', 'deleted']),
        (AVAILABLE, ['creating', 'available']),
        (AVAILABLE, ['waiting_protect', 'protecting', 'available']),
        (AVAILABLE, ['available']),
        (JOB_SUCCESS, ['INIT', 'RUNNING', 'SUCCESS']),
    ],
)
def test_it_is_reached(goal: Goal, statuses: Sequence[str | None]) -> None:
    outcome, unfinished, counts = follow(Scripted(goal, *statuses))
    assert outcome.state is State.DONE
    assert outcome.answered_at is not None
    assert unfinished == []
    assert counts.reached == 1


@pytest.mark.parametrize(
    ('goal', 'statuses'),
    [
        (GONE, ['deleting', 'error', 'error']),
        (GONE, ['deleting', 'available', 'available']),
        (AVAILABLE, ['creating', 'error', 'error']),
        (AVAILABLE, ['error', 'error']),
        (JOB_SUCCESS, ['RUNNING', 'FAIL', 'FAIL']),
    ],
)
def test_it_is_missed(goal: Goal, statuses: Sequence[str | None]) -> None:
    outcome, unfinished, counts = follow(Scripted(goal, *statuses))
    assert outcome.state is State.FAILED
    assert str(statuses[-1]) in str(outcome.error)
    assert unfinished == []
    assert counts.failed == 1


@pytest.mark.parametrize(
    ('goal', 'status'),
    [(GONE, 'deleting'), (AVAILABLE, 'creating'), (JOB_SUCCESS, 'RUNNING')],
)
def test_what_is_under_way_at_the_end_is_unfinished(
    goal: Goal, status: str
) -> None:
    outcome, unfinished, _ = follow(Scripted(goal, status))
    assert outcome.state is State.ACCEPTED
    assert unfinished == [outcome]


@pytest.mark.parametrize('goal', [GONE, AVAILABLE, JOB_SUCCESS])
def test_no_status_is_two_things(goal: Goal) -> None:
    for status in (*goal.reached, *goal.under_way, 'error', 'FAIL', 'odd'):
        seen = ResourceStatus(status)
        assert not (goal.is_reached(seen) and goal.is_under_way(seen))
        assert not (goal.is_under_way(seen) and goal.has_settled(seen))


class Refused(Scripted):
    """One whose request the service does not accept."""

    def __init__(
        self, goal: Goal, error: Exception, *statuses: str | None
    ) -> None:
        super().__init__(goal, *statuses)
        self.error = error

    def send(self, target: Target, recorder: Recorder) -> Done:
        super().send(target, recorder)
        raise self.error


def follow_refused(change: Refused) -> tuple[Outcome, list[Outcome]]:
    [outcome] = [Outcome.of(target) for target in change.targets()]
    limits = Limits(1)
    execute(change, [outcome], Recorder(), limits)
    unfinished = Follower(
        change,
        [outcome],
        Recorder(),
        limits,
        wants_all=True,
        patience=Patience(idle=0.05, shortest=0.0, longest=0.0),
    ).run()
    assert change.sent == 1
    return outcome, unfinished


@pytest.mark.parametrize('goal', [GONE, AVAILABLE, JOB_SUCCESS])
@pytest.mark.parametrize(
    'error',
    [
        errors.Conflict('busy', status=409),
        errors.BadRequest('busy', status=400, code='CSBS.2003'),
    ],
)
def test_what_is_not_repeatable_is_sent_once(
    goal: Goal, error: Exception
) -> None:
    outcome, unfinished = follow_refused(Refused(goal, error, 'available'))
    assert unfinished == []
    assert outcome.state is State.FAILED
    assert outcome.error is error


@pytest.mark.parametrize(
    ('goal', 'status', 'detail'),
    [
        (GONE, 'deleting', 'is being deleted'),
        (AVAILABLE, 'creating', 'is being created'),
        (JOB_SUCCESS, 'RUNNING', 'is in progress'),
    ],
)
def test_a_lost_answer_is_told_by_the_goal(
    goal: Goal, status: str, detail: str
) -> None:
    lost = errors.OutcomeUnknown(errors.ConnectionFailed('reset'))
    outcome, unfinished = follow_refused(Refused(goal, lost, status))
    assert unfinished == [outcome]
    assert outcome.result == Done(None, detail=detail)


class AvailableBefore(Refused):
    """What is to become what it was before: a backup that is restored."""

    def initial_status(self, target: Target) -> ResourceStatus:
        return ResourceStatus('available')


def test_the_status_of_before_is_not_the_goal() -> None:
    lost = errors.OutcomeUnknown(errors.ConnectionFailed('reset'))
    change = AvailableBefore(AVAILABLE, lost, 'available')
    outcome, _ = follow_refused(change)
    assert outcome.state is State.UNKNOWN
    change = AvailableBefore(AVAILABLE, lost, 'creating', 'available')
    outcome, _ = follow_refused(change)
    assert outcome.state is State.DONE


def test_an_empty_status_is_not_gone() -> None:
    assert not GONE.is_reached(ResourceStatus(''))
    assert GONE.is_reached(ResourceStatus(None))


class Absent(Scripted):
    """What was accepted, and does not appear."""

    def poll(self, targets: Sequence[Target]) -> Mapping[str, ResourceStatus]:
        return {'a': ResourceStatus('', is_absent=True)}


def test_what_does_not_appear_is_unknown() -> None:
    outcome, unfinished, _ = follow(Absent(AVAILABLE, ''))
    assert outcome.state is State.UNKNOWN
    assert isinstance(outcome.error, errors.OutcomeUnknown)
    assert not outcome.error.hint
    assert unfinished == []


def test_what_is_not_listed_yet_is_waited_for() -> None:
    outcome, _, _ = follow(Scripted(AVAILABLE, '', '', 'available'))
    assert outcome.state is State.DONE


class Remarked(Scripted):
    """What has something to be said of."""

    def send(self, target: Target, recorder: Recorder) -> Done:
        super().send(target, recorder)
        return Done('req-1', remark='its answer was lost')


def test_a_remark_outlasts_a_wait() -> None:
    outcome, _, _ = follow(Remarked(AVAILABLE, 'creating', 'available'))
    assert outcome.result == Done(
        'req-1', is_final=True, remark='its answer was lost'
    )
