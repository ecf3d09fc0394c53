# SPDX-License-Identifier: Apache-2.0
"""What is said of targets that were not deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from vbsclient.api import errors
from vbsclient.bulk import State
from vbsclient.change.targets import Outcome, SameRefusal, Target
from vbsclient.lookup.refusals import RefusedError
from vbsclient.osc.output.report import label
from vbsclient.osc.output.text import capital, sentence, shortened

#: What targets are called: (one, several).
Noun = tuple[str, str]

#: From so many on, targets share one message.
MANY = 3


def failures(outcomes: Sequence[Outcome[Any]], noun: Noun) -> Iterator[str]:
    """Why targets failed, in their order; what many share is said once."""
    for same in _together(outcomes, _failure_key):
        if len(same) < MANY:
            yield from (failure(outcome, noun) for outcome in same)
        else:
            yield _with_targets(_shared_failure(same, noun), same)


def skipped(outcomes: Sequence[Outcome[Any]], noun: Noun) -> Iterator[str]:
    """Why targets were left alone."""
    return _told_of(outcomes, noun, lambda o: sentence(_error(o)))


def notes(outcomes: Sequence[Outcome[Any]], noun: Noun) -> Iterator[str]:
    """What a person should know of targets that did not fail."""
    noted = [outcome for outcome in outcomes if _detail(outcome)]
    return _told_of(noted, noun, lambda o: f'{shortened(_detail(o))}.')


def stop(reason: errors.ClientError) -> str:
    """Why a run was stopped, with the targets that show it."""
    if not isinstance(reason, SameRefusal):
        return capital(sentence(reason))
    same = reason.outcomes
    message = (
        f'The same refusal came for each of {len(same)} targets in a row, '
        f'and the rest were not sent: {_reason(same[0])}'
    )
    return _with_targets(message, [o for o in same if is_told_by(o, reason)])


def is_told_by(
    outcome: Outcome[Any], reason: errors.ClientError | None
) -> bool:
    """Whether :func:`stop` says what became of a target.

    What may have been carried out wants words of its own.
    """
    return (
        isinstance(reason, SameRefusal)
        and outcome in reason.outcomes
        and outcome.state is State.FAILED
    )


def failure(outcome: Outcome[Any], noun: Noun) -> str:
    """Why one target failed, or that nobody knows."""
    target = outcome.target
    reason = sentence(_error(outcome))
    if target.id is None and isinstance(outcome.error, RefusedError):
        return capital(reason)
    return _failed(outcome, f'{noun[0]} {_named(target)}', 'is', reason)


def _together(
    outcomes: Sequence[Outcome[Any]], key: Callable[[Outcome[Any]], object]
) -> Iterator[list[Outcome[Any]]]:
    """The outcomes with the same key in one list."""
    groups: dict[object, list[Outcome[Any]]] = {}
    for outcome in outcomes:
        groups.setdefault(key(outcome), []).append(outcome)
    yield from groups.values()


def _failure_key(outcome: Outcome[Any]) -> object:
    return outcome.state, outcome.target.id is None, _reason(outcome)


def _told_of(
    outcomes: Sequence[Outcome[Any]],
    noun: Noun,
    text_of: Callable[[Outcome[Any]], str],
) -> Iterator[str]:
    for same in _together(outcomes, text_of):
        text = text_of(same[0])
        if len(same) < MANY:
            for outcome in same:
                yield f'{capital(noun[0])} {label(outcome.target)}: {text}'
        else:
            yield _with_targets(f'{len(same)} {noun[1]}: {text}', same)


def _shared_failure(same: Sequence[Outcome[Any]], noun: Noun) -> str:
    return _failed(same[0], f'{len(same)} {noun[1]}', 'are', _reason(same[0]))


def _failed(outcome: Outcome[Any], what: str, verb: str, reason: str) -> str:
    if outcome.target.id is None:
        return f'Failed to look up {what}: {reason}'
    if outcome.state is State.UNKNOWN:
        return (
            f'Whether {what} {verb} deleted is unknown: {reason} Look before '
            f'you repeat.'
        )
    return f'Failed to delete {what}: {reason}'


def _with_targets(message: str, same: Sequence[Outcome[Any]]) -> str:
    return '\n'.join([message, *(f'  {_told(outcome)}' for outcome in same)])


def _told(outcome: Outcome[Any]) -> str:
    """A target, and what its answer has of its own."""
    request_id = getattr(_error(outcome), 'request_id', None)
    request = f', request {shortened(request_id, 80)}' if request_id else ''
    return f'{_named(outcome.target)}{request}'


def _named(target: Target[Any]) -> str:
    if target.id is None:
        return shortened(target.argument, 80)
    return label(target)


def _reason(outcome: Outcome[Any]) -> str:
    """The reason, without what differs from one target to the next."""
    reason = sentence(_error(outcome), with_request=False)
    id = outcome.target.id
    return reason.replace(id, '<id>') if id else reason


def _detail(outcome: Outcome[Any]) -> str:
    return outcome.result.detail if outcome.result is not None else ''


def _error(outcome: Outcome[Any]) -> BaseException:
    error = outcome.error or errors.Cancelled('not sent')
    return error.error if isinstance(error, errors.RepeatedDelete) else error


def delays(
    unfinished: Sequence[Outcome[Any]], total: int, noun: Noun
) -> Iterator[str]:
    """What is not finished, as far as anybody knows."""
    for same in _together(unfinished, lambda o: o.result and o.result.unread):
        yield _delay(same, total, noun)


def _delay(unfinished: Sequence[Outcome[Any]], total: int, noun: Noun) -> str:
    """What was accepted, and what waits to be sent."""
    verb = 'is' if len(unfinished) == 1 else 'are'
    names = ', '.join(label(outcome.target) for outcome in unfinished)
    count = f'{len(unfinished)} of {total} {noun[1]} {verb}'
    result = unfinished[0].result
    if result is not None and result.unread:
        return (
            f'Whether {count} deleted by now is unknown: {names}. Their '
            f'status could not be read ({shortened(result.unread)}). Run the '
            f'same command again with --wait to see it.'
        )
    accepted = any(o.state is State.DONE for o in unfinished)
    goes_on = (
        'The service goes on with what it accepted; the same command with '
        '--wait goes on waiting'
        if accepted
        else 'The service has not accepted it; run the same command again '
        'with --wait'
    )
    return f'{count} not deleted yet: {names}. {goes_on}.'
