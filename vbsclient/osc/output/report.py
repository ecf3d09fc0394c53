# SPDX-License-Identifier: Apache-2.0
"""Outcomes as rows, and as the groups that an interruption leaves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from vbsclient.bulk import State
from vbsclient.change.targets import Outcome, Target
from vbsclient.lookup.refusals import MissingError, RefusedError, SkippedError
from vbsclient.osc.output.text import sentence, shortened

COLUMNS = (
    'Type',
    'ID',
    'Name',
    'Source',
    'Result',
    'Detail',
    'Requested At',
    'Finished At',
    'Request ID',
)

#: What a dry run can tell.
PLAN_COLUMNS = COLUMNS[:6]


def row(
    outcome: Outcome[Any],
    *,
    dry_run: bool,
    ignore_missing: bool,
    stopped: str | None = None,
) -> Sequence[Any]:
    """One target as the columns have it, raw.

    :param stopped: why the run ended before its end.
    """
    target, result = outcome.target, outcome.result
    sent = target.refusal is None and target.settled is None
    request_id = (
        result.request_id
        if result is not None
        else getattr(outcome.error, 'request_id', None)
    )
    finished = result is not None and result.finished
    return (
        target.type,
        target.id or target.argument,
        target.name,
        target.source,
        result_word(outcome, dry_run=dry_run, ignore_missing=ignore_missing),
        _detail(outcome, dry_run=dry_run, stopped=stopped),
        _time(outcome.started_at) if sent else None,
        _time(outcome.answered_at) if finished else None,
        request_id,
    )


def result_word(
    outcome: Outcome[Any], *, dry_run: bool, ignore_missing: bool
) -> str:
    """The word for an outcome."""
    error = outcome.error
    if isinstance(error, MissingError):
        return 'missing' if ignore_missing else 'failed'
    if isinstance(error, SkippedError):
        return 'skipped'
    if isinstance(error, RefusedError):
        return 'refused'
    if outcome.state is State.DONE:
        finished = outcome.result is not None and outcome.result.finished
        return 'deleted' if finished else 'accepted'
    if outcome.state is State.NOT_SENT and dry_run:
        return 'refused' if outcome.target.expected else 'would delete'
    return str(outcome.state.value)


def is_failure(
    outcome: Outcome[Any], *, dry_run: bool, ignore_missing: bool
) -> bool:
    """Whether this target makes the command fail."""
    return result_word(
        outcome, dry_run=dry_run, ignore_missing=ignore_missing
    ) not in ('accepted', 'deleted', 'missing', 'skipped', 'would delete')


def label(target: Target[Any]) -> str:
    """How a message names a target that was found."""
    if target.name and target.name != target.id:
        return f'{shortened(target.name)} ({shortened(str(target.id))})'
    return shortened(str(target.id))


def interruption(
    outcomes: Sequence[Outcome[Any]], named: Sequence[str]
) -> Iterator[str]:
    """What an interrupted run did, in four groups with the ids.

    :param named: what the user named, if that was not looked up by then.
    """
    groups: dict[str, list[str]] = {
        'accepted': [],
        'failed': [],
        'unknown (sent, no answer: look before you repeat)': [],
        'not sent': [],
    }
    by_state = dict(
        zip(
            (State.DONE, State.FAILED, State.UNKNOWN, State.NOT_SENT),
            groups,
            strict=True,
        )
    )
    for outcome in outcomes:
        target = outcome.target
        line = shortened(target.id or target.argument)
        if isinstance(outcome.error, SkippedError):
            groups['not sent'].append(line)
            continue
        if outcome.state is State.FAILED and outcome.error is not None:
            line = f'{line}: {sentence(outcome.error)}'
        groups[by_state[outcome.state]].append(line)
    if outcomes:
        yield 'Interrupted.'
    else:
        yield 'Interrupted before anything was sent.'
        if not named:
            return
        groups['not sent'] = [shortened(argument) for argument in named]
    for name, ids in groups.items():
        yield f'{name}: {len(ids)}'
        yield from (f'  {id}' for id in ids)


def _detail(
    outcome: Outcome[Any], *, dry_run: bool, stopped: str | None
) -> str | None:
    if outcome.error is not None:
        return sentence(outcome.error)
    result, target = outcome.result, outcome.target
    if result is not None:
        unread = result.unread and f'its status is unknown: {result.unread}'
        told = filter(None, [result.notes, result.detail, unread])
        return '; '.join(told) or None
    if outcome.state is State.NOT_SENT and not dry_run:
        return stopped or 'the run was interrupted before its turn'
    expected = [target.expected] if target.expected else []
    return '; '.join([*expected, *target.members, *target.notes]) or None


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec='milliseconds') if moment else None
