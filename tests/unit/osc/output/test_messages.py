# SPDX-License-Identifier: Apache-2.0
"""What is said of targets that failed: each reason once."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vbsclient.api import errors
from vbsclient.api.http import Handle
from vbsclient.bulk import State
from vbsclient.change.run import SameRefusal
from vbsclient.change.targets import (
    AbortRun,
    ChangeFailed,
    Done,
    NotSent,
    Outcome,
    Target,
)
from vbsclient.lookup.refusals import MissingError, RefusedError
from vbsclient.osc.output.messages import (
    MANY,
    CreationTerms,
    ShareTerms,
    Terms,
    delays,
    failures,
    is_told_by,
    notes,
    skipped,
    stop,
    unwatched,
)
from vbsclient.osc.output.report import Report

WORDS = Terms()


def outcome(
    number: int,
    error: BaseException | None,
    *,
    state: State = State.FAILED,
    found: bool = True,
) -> Outcome:
    id = f'00000000-0000-4000-8000-{number:012}'
    target: Target = Target(
        f'n{number}', 'backup', 'VBS', id if found else None, f'n{number}'
    )
    one = Outcome(target, state, error=error)
    if isinstance(error, RefusedError):
        one.fail(error)
    return one


def forbidden(request_id: str, message: str = 'no') -> errors.ServiceError:
    return errors.Forbidden(message, status=403, request_id=request_id)


def test_one_reason_is_said_once_with_all_targets() -> None:
    told = list(
        failures([outcome(n, forbidden(f'req-{n}')) for n in (1, 2, 3)], WORDS)
    )
    assert told == [
        'Failed to delete 3 backups: no (HTTP 403). Ask the administrator of '
        'the project for the right to do this.\n'
        '  n1 (00000000-0000-4000-8000-000000000001), request req-1\n'
        '  n2 (00000000-0000-4000-8000-000000000002), request req-2\n'
        '  n3 (00000000-0000-4000-8000-000000000003), request req-3'
    ]


def test_one_or_two_keep_their_sentences() -> None:
    told = list(
        failures([outcome(n, forbidden(f'req-{n}')) for n in (1, 2)], WORDS)
    )
    assert told == [
        f'Failed to delete backup n{n} (00000000-0000-4000-8000-00000000000{n}'
        f'): no (HTTP 403, request req-{n}). Ask the administrator of the '
        f'project for the right to do this.'
        for n in (1, 2)
    ]


def test_an_id_of_its_own_makes_no_other_reason() -> None:
    outcomes = [
        outcome(n, forbidden('', f'Backup 00000000-0000-4000-8000-{n:012} x'))
        for n in (1, 2, 3)
    ]
    (told,) = failures(outcomes, WORDS)
    assert told.startswith('Failed to delete 3 backups: Backup <ID> x (')


def test_what_is_unknown_is_no_failure_of_the_same_kind() -> None:
    lost = errors.ConnectionFailed('lost')
    kinds: list[dict[str, Any]] = [
        {'state': State.UNKNOWN},
        {},
        {'found': False},
    ]
    outcomes = [outcome(n, lost, **kinds[n % 3]) for n in range(9)]
    outcomes.append(outcome(9, errors.RepeatedDelete(lost, 3)))
    told = list(failures(outcomes, WORDS))
    assert [text.partition(': ')[0] for text in told] == [
        'Whether 3 backups are deleted is unknown',
        'Failed to delete 4 backups',
        'Failed to look up 3 backups',
    ]
    assert told[2] == 'Failed to look up 3 backups: lost.\n  n2\n  n5\n  n8'


def test_what_names_its_target_stays_apart() -> None:
    outcomes = [
        outcome(n, MissingError(f'No backup found for {n}'), found=False)
        for n in (1, 2)
    ]
    assert list(failures(outcomes, WORDS)) == [
        'No backup found for 1.',
        'No backup found for 2.',
    ]


@given(st.lists(st.sampled_from('abc'), max_size=12))
def test_each_target_is_told_of_once(reasons: list[str]) -> None:
    outcomes = [outcome(n, RefusedError(r)) for n, r in enumerate(reasons)]
    told = list(failures(outcomes, WORDS))
    assert len(told) == sum(
        1 if reasons.count(reason) >= MANY else reasons.count(reason)
        for reason in set(reasons)
    )
    text = '\n'.join(told)
    for one in outcomes:
        assert text.count(str(one.target.id)) == 1


def test_what_was_left_alone() -> None:
    outcomes = [outcome(n, RefusedError('x')) for n in (1, 2, 3)]
    assert list(skipped(outcomes[:1], WORDS)) == [
        'Backup n1 (00000000-0000-4000-8000-000000000001): x.'
    ]
    assert list(skipped(outcomes, WORDS)) == [
        '3 backups: x.\n'
        '  n1 (00000000-0000-4000-8000-000000000001)\n'
        '  n2 (00000000-0000-4000-8000-000000000002)\n'
        '  n3 (00000000-0000-4000-8000-000000000003)'
    ]


def test_notes_are_shared_too() -> None:
    outcomes = [outcome(n, None, state=State.DONE) for n in range(1, 6)]
    for one, detail in zip(outcomes, ('x', 'y', 'x', '', 'x'), strict=True):
        one.result = Done('req', detail=detail)
    assert list(notes(outcomes, WORDS)) == [
        '3 backups: x.\n'
        '  n1 (00000000-0000-4000-8000-000000000001)\n'
        '  n3 (00000000-0000-4000-8000-000000000003)\n'
        '  n5 (00000000-0000-4000-8000-000000000005)',
        'Backup n2 (00000000-0000-4000-8000-000000000002): y.',
    ]


def test_a_stop_tells_of_those_that_caused_it() -> None:
    error = errors.ConnectionFailed('no connection to x')
    same = [outcome(n, error) for n in (1, 2)]
    same.append(outcome(3, error, state=State.UNKNOWN))
    reason = SameRefusal(error, same)
    assert stop(reason) == (
        'The same failure came for each of 3 targets in a row, and the rest '
        'were not sent: no connection to x.\n'
        '  n1 (00000000-0000-4000-8000-000000000001)\n'
        '  n2 (00000000-0000-4000-8000-000000000002)'
    )
    assert [is_told_by(one, reason) for one in same] == [True, True, False]
    assert not is_told_by(same[0], AbortRun('x'))
    assert stop(AbortRun('x', 'Do y.')) == 'X. Do y.'


# -- what is made, and never told to be made again --------------------------

CREATION = CreationTerms('backup of volume', plural='backups')
CSBS = CreationTerms(
    'backup of server', plural='backups', service='csbs', parent='server'
)
SHARE = ShareTerms()
JOB, BACKUP, CHECKPOINT = 'f' * 32, 'b-1', 'c-1'

#: How a creation ends, as the library tells it.
ENDS: list[BaseException | None] = [
    None,
    errors.OutcomeUnknown(errors.ConnectionFailed('reset')),
    errors.OutcomeUnknown(
        errors.InternalServerError('oops', status=500).revised(hint='')
    ),
    errors.OutcomeUnknown(errors.UnexpectedSuccess('no ID', status=200)),
    errors.OutcomeUnknown(ChangeFailed('it does not show it')),
    ChangeFailed('its status is now error: full'),
    errors.Forbidden('no', status=403),
    RefusedError('not now'),
    MissingError('No volume found'),
    NotSent('not sent'),
    RuntimeError('a mistake'),
]
HANDLES = st.builds(
    Handle,
    backup_id=st.none() | st.just(BACKUP),
    job_id=st.none() | st.just(JOB),
    checkpoint_id=st.none() | st.just(CHECKPOINT),
    share_id=st.none(),
)
AGAIN = ('try again', 'again with', 'retry', 'repeat', 'same command')


def made(number: int, end: BaseException | None, handle: Handle) -> Outcome:
    one = outcome(number, None, found=not isinstance(end, MissingError))
    one.target.handle = handle
    one.target.new_name = f'n{number}-now'
    one.state = State.UNKNOWN
    if end is None:
        one.succeed(Done('req-1', remark='its answer was lost'))
    elif isinstance(end, NotSent):
        one.state, one.error = State.NOT_SENT, end
    else:
        one.fail(end)
    return one


@given(
    st.sampled_from([CREATION, CSBS, SHARE]),
    st.lists(st.tuples(st.sampled_from(ENDS), HANDLES), min_size=1),
    st.booleans(),
)
def test_no_sentence_says_to_make_it_again(
    words: Terms, ends: list[Any], unread: bool
) -> None:
    outcomes = [made(n, *end) for n, end in enumerate(ends)]
    if words is SHARE:
        # What is shared is shared when it is answered.
        for one in outcomes:
            if one.state is State.ACCEPTED:
                one.succeed(Done('req-1', is_final=True))
    unfinished = [o for o in outcomes if o.is_unfinished]
    for one in unfinished if unread else ():
        one.unread = 'reset'
    report = Report(words, outcomes=outcomes, unfinished=unfinished)
    told = [
        *report.target_errors(),
        *report.open_questions(),
        *report.interrupted(),
        *delays(unfinished, len(outcomes), words),
        unwatched(outcomes, words),
        *notes(outcomes, words),
        *(str(row.detail) for row in report.rows()),
    ]
    text = '\n'.join(told)
    assert not [word for word in AGAIN if word in text.lower()]
    for line in text.splitlines():
        if 'again' in line:
            assert 'do not run th' in line.lower()


@given(st.lists(st.tuples(st.sampled_from(ENDS), HANDLES), min_size=1))
def test_whatever_may_exist_has_a_command(ends: list[Any]) -> None:
    outcomes = [made(n, *end) for n, end in enumerate(ends)]
    unfinished = [o for o in outcomes if o.is_unfinished]
    report = Report(CREATION, outcomes=outcomes, unfinished=unfinished)
    interrupted = '\n'.join(report.interrupted())
    concluded = '\n'.join(
        [
            *report.open_questions(),
            *delays(unfinished, len(outcomes), CREATION),
        ]
    )
    for one in outcomes:
        command = CREATION.command_for(one)
        if one.state in (State.ACCEPTED, State.UNKNOWN):
            assert command is not None
            assert command in interrupted
            assert command in concluded
        else:
            assert command is None


@pytest.mark.parametrize(
    ('words', 'handle', 'command'),
    [
        (CREATION, Handle(job_id=JOB), f'vbs job show --wait {JOB}'),
        (CREATION, Handle(BACKUP, JOB), f'vbs job show --wait {JOB}'),
        (CREATION, Handle(BACKUP), f'vbs backup show --wait {BACKUP}'),
        (
            CREATION,
            Handle(),
            'vbs backup list --volume 00000000-0000-4000-8000-000000000001 '
            '--name=n1-now',
        ),
        (
            CSBS,
            Handle(BACKUP, checkpoint_id=CHECKPOINT),
            f'csbs checkpoint show --wait {CHECKPOINT}',
        ),
        (CSBS, Handle(BACKUP), f'csbs backup show --wait {BACKUP}'),
        (
            CSBS,
            Handle(),
            'csbs backup list --server 00000000-0000-4000-8000-000000000001 '
            '--name=n1-now',
        ),
    ],
)
@pytest.mark.parametrize('end', ENDS[:2])
def test_the_command_that_shows_it(
    words: CreationTerms,
    handle: Handle,
    command: str,
    end: BaseException | None,
) -> None:
    assert words.command_for(made(1, end, handle)) == f'openstack {command}'


def test_the_command_that_shows_a_share() -> None:
    lost = made(1, ENDS[1], Handle())
    assert SHARE.command_for(lost) == (
        'openstack vbs share list --backup '
        '00000000-0000-4000-8000-000000000001'
    )
    assert SHARE.command_for(made(1, ENDS[6], Handle())) is None


def test_what_is_made_has_its_own_id_and_name() -> None:
    one = made(1, None, Handle(BACKUP, JOB))
    assert CREATION.identity(one.target) == (BACKUP, 'n1-now')
    one.target.handle = Handle(share_id='s-1')
    assert CREATION.identity(one.target) == (None, 'n1-now')
    assert SHARE.identity(one.target) == ('s-1', None)


@pytest.mark.parametrize('count', [1, MANY])
def test_shares_of_one_backup_are_told_apart(count: int) -> None:
    outcomes = []
    for number in range(count):
        one = made(1, ENDS[6], Handle())
        one.target.aspect = f'with project p{number}'
        outcomes.append(one)
    told = '\n'.join(failures(outcomes, SHARE))
    told_of_interruption = '\n'.join(
        Report(SHARE, outcomes=outcomes).interrupted()
    )
    for number in range(count):
        aspect = f'with project p{number}'
        assert aspect in told
        assert aspect in told_of_interruption


def test_a_dry_run_has_a_word_for_each_change() -> None:
    assert [words.would for words in (WORDS, CREATION, SHARE)] == [
        'would delete',
        'would create',
        'would share',
    ]
