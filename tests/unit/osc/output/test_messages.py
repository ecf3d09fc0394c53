# SPDX-License-Identifier: Apache-2.0
"""What is said of targets that failed: each reason once."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from vbsclient.api import errors
from vbsclient.bulk import State
from vbsclient.change.run import SameRefusal
from vbsclient.change.targets import AbortRun, Done, Outcome, Target
from vbsclient.lookup.refusals import MissingError, RefusedError
from vbsclient.osc.output.messages import (
    MANY,
    Terms,
    failures,
    is_told_by,
    notes,
    skipped,
    stop,
)

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
