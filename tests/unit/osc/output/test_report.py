# SPDX-License-Identifier: Apache-2.0
"""What became of targets, in words, rows and groups."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

from vbsclient.api import errors
from vbsclient.bulk import State
from vbsclient.change.follow import Counts
from vbsclient.change.run import SameRefusal
from vbsclient.change.targets import Done, NotSent, Outcome, Target
from vbsclient.lookup.refusals import (
    MissingError,
    RefusedError,
    SkippedError,
    UnverifiedError,
)
from vbsclient.osc.output.messages import Terms
from vbsclient.osc.output.report import COLUMNS, Report

ID = '00000000-0000-4000-8000-00000000000{}'
NOW = datetime(2026, 11, 14, 2, 0, tzinfo=timezone.utc)
LOST = errors.OutcomeUnknown(errors.ConnectionFailed('reset'))
BUSY = errors.BadRequest('busy', status=400, request_id='req-9')


def outcome(number: int = 1, **facts: Any) -> Outcome:
    """What was sent and is not answered yet."""
    id = ID.format(number)
    target = Target(f'n{number}', 'backup', 'VBS', id=id, name=f'n{number}')
    for name, value in facts.items():
        setattr(target, name, value)
    return Outcome(target, State.UNKNOWN, started_at=NOW)


def done(*, is_final: bool = False, number: int = 1, **facts: Any) -> Outcome:
    one = outcome(number, **facts)
    one.succeed(Done(f'req-{number}', is_final, 'is going'))
    one.answered_at = NOW
    return one


def failed(error: BaseException, number: int = 1, **facts: Any) -> Outcome:
    one = outcome(number, **facts)
    one.fail(error)
    return one


@pytest.mark.parametrize(
    ('one', 'word', 'fails'),
    [
        (done(), 'accepted', False),
        (done(is_final=True), 'deleted', False),
        (failed(BUSY), 'failed', True),
        (failed(RuntimeError('a bug')), 'unknown', True),
        (failed(LOST), 'unknown', True),
        (failed(RefusedError('no')), 'refused', True),
        (failed(UnverifiedError('who knows')), 'refused', True),
        (failed(MissingError('none')), 'failed', True),
        (failed(SkippedError('changed')), 'skipped', False),
        (Outcome(Target('a', 'backup', 'VBS')), 'not sent', True),
    ],
)
def test_each_state_has_one_word(one: Outcome, word: str, fails: bool) -> None:
    report = Report(Terms(), outcomes=[one])
    assert report.result(one) == word
    assert report.failed == ([one] if fails else [])


def test_what_is_missing_may_be_allowed() -> None:
    one = failed(MissingError('none'))
    report = Report(Terms(), ignore_missing=True, outcomes=[one])
    assert report.result(one) == 'missing'
    assert report.failed == []


@pytest.mark.parametrize(
    ('facts', 'word', 'fails'),
    [
        ({}, 'would delete', False),
        ({'expected': 'increments depend on it'}, 'refused', True),
        ({'refusal': RefusedError('no')}, 'refused', True),
        ({'settled': 'is being deleted already'}, 'accepted', False),
    ],
)
def test_a_dry_run_tells_what_would_be(
    facts: dict[str, Any], word: str, fails: bool
) -> None:
    one = Outcome.of(outcome(**facts).target)
    report = Report(Terms(), dry_run=True, outcomes=[one])
    assert report.result(one) == word
    assert bool(report.failed) is fails


def test_another_verb_has_its_own_words() -> None:
    words = Terms('share', 'create', 'creating', 'created', 'creation')
    final, open_, planned = done(is_final=True), outcome(2), outcome(3)
    open_.fail(LOST)
    planned.reset()
    report = Report(words, dry_run=True, outcomes=[final, open_, planned])
    assert [report.result(o) for o in report.outcomes] == [
        'created',
        'unknown',
        'would create',
    ]
    [told] = report.target_errors()
    assert told.startswith(f'Whether share n2 ({ID.format(2)}) is created is ')
    assert 'delete' not in told


def test_a_row_has_what_is_known() -> None:
    final = done(is_final=True)
    [row] = Report(Terms(), outcomes=[final]).rows()
    assert {column.title: column.value(row) for column in COLUMNS} == {
        'Type': 'backup',
        'ID': ID.format(1),
        'Name': 'n1',
        'Source': 'VBS',
        'Result': 'deleted',
        'Detail': 'is going',
        'Requested At': '2026-11-14T02:00:00.000+00:00',
        'Finished At': '2026-11-14T02:00:00.000+00:00',
        'Request ID': 'req-1',
    }


@pytest.mark.parametrize(
    ('one', 'requested', 'finished', 'request_id'),
    [
        (done(), True, False, 'req-1'),
        (done(is_final=True), True, True, 'req-1'),
        (failed(BUSY), True, False, 'req-9'),
        (Outcome.of(outcome(refusal=RefusedError('no')).target), *[None] * 3),
        (Outcome.of(outcome(settled='is going').target), *[None] * 3),
    ],
)
def test_a_row_has_the_times_of_what_was_sent(
    one: Outcome, requested: Any, finished: Any, request_id: Any
) -> None:
    [row] = Report(Terms(), outcomes=[one]).rows()
    assert bool(row.requested_at) is bool(requested)
    assert bool(row.finished_at) is bool(finished)
    assert row.request_id == request_id


@pytest.mark.parametrize(
    ('one', 'detail'),
    [
        (done(preceded='canceled 2 shares'), 'canceled 2 shares; is going'),
        (
            failed(BUSY, preceded='canceled 1 share'),
            'busy; before that, canceled 1 share (HTTP 400, request req-9).',
        ),
        (
            failed(LOST, preceded='canceled 1 share'),
            'reset; before that, canceled 1 share.',
        ),
    ],
)
def test_what_was_done_before_is_told(one: Outcome, detail: str) -> None:
    [row] = Report(Terms(), outcomes=[one]).rows()
    assert row.detail == detail


def test_what_a_stopped_run_did_not_send_says_why() -> None:
    never = Outcome(outcome().target)
    report = Report(Terms(), outcomes=[never])
    [row] = report.rows()
    assert row.detail == 'the run was interrupted before its turn'
    report.stopped = errors.ClientError('somebody else deletes')
    [row] = report.rows()
    assert row.detail == 'somebody else deletes.'


def test_complaints_leave_out_what_the_stop_says() -> None:
    same = [failed(BUSY, number) for number in (1, 2, 3)]
    rest = Outcome(outcome(4).target, error=NotSent('not sent'))
    report = Report(Terms(), outcomes=[*same, rest])
    report.stopped = SameRefusal(BUSY, same)
    assert report.failed == [*same, rest]
    assert list(report.target_errors()) == []


def test_what_is_unfinished_has_not_failed() -> None:
    waiting = failed(BUSY)
    waiting.state = State.NOT_SENT
    report = Report(Terms(), outcomes=[waiting], unfinished=[waiting])
    assert report.failed == []


def test_an_interruption_has_four_groups_and_what_is_done() -> None:
    outcomes = [
        done(number=1),
        done(number=2, is_final=True),
        failed(BUSY, 3),
        failed(LOST, 4),
        Outcome(outcome(5).target),
        failed(SkippedError('changed'), 6),
        failed(RefusedError('no'), 7),
    ]
    told = '\n'.join(Report(Terms(), outcomes=outcomes).interrupted())
    assert told.splitlines() == [
        'Interrupted.',
        'deleted: 1',
        f'  {ID.format(2)}',
        'accepted: 1',
        f'  {ID.format(1)}',
        'failed: 2',
        f'  {ID.format(3)}: busy (HTTP 400, request req-9).',
        f'  {ID.format(7)}: no.',
        'unknown (sent, no answer: check the status before retrying): 1',
        f'  {ID.format(4)}',
        'not sent: 2',
        f'  {ID.format(5)}',
        f'  {ID.format(6)}',
    ]


def test_many_are_summed_up_below_their_list() -> None:
    outcomes = [done(number=n) for n in range(1, 20)]
    outcomes.append(Outcome(outcome(20).target))
    told = list(Report(Terms(), outcomes=outcomes).interrupted())
    assert told[-1] == (
        'Interrupted: 19 accepted, 0 failed, 0 unknown, 1 not sent.'
    )


def test_how_far_a_wait_is() -> None:
    outcomes = [done(number=1), Outcome(Target('x', 'backup', 'VBS'))]
    report = Report(Terms(), outcomes=outcomes)
    counts = Counts(queued=0, under_way=1, reached=0, failed=0)
    assert report.waiting(counts, '0:01') == (
        'Waiting: 1 failed, 0 of 2 deleted, 1 deleting, 0 queued, 0:01 '
        '(Ctrl-C ends the wait)'
    )
    report.ignore_missing = True
    counts = replace(counts, unread=True)
    assert report.waiting(counts, '0:01').startswith(
        'Waiting: no answer, 0 of 1 deleted, 1 deleting, 0 queued'
    )


class Answered(Outcome):
    """One that is answered while an interruption is reported."""

    reads = 0

    def __getattribute__(self, name: str) -> Any:
        if name == 'state':
            self.reads -= 1
            return State.ACCEPTED if self.reads < 0 else State.UNKNOWN
        return super().__getattribute__(name)


@pytest.mark.parametrize('reads', range(6))
def test_what_is_answered_meanwhile_is_in_one_group(reads: int) -> None:
    one = Answered(outcome().target, State.UNKNOWN)
    one.reads = reads
    lines = list(Report(Terms(), outcomes=[one]).interrupted())
    assert lines.count(f'  {ID.format(1)}') == 1


def test_an_interruption_before_anything_was_sent() -> None:
    report = Report(Terms())
    assert list(report.interrupted()) == [
        'Interrupted before anything was sent.'
    ]
    report.named = ['a', 'b']
    assert list(report.interrupted())[-3:] == ['not sent: 2', '  a', '  b']
