# SPDX-License-Identifier: Apache-2.0
"""What is said of targets that were not deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vbsclient.api import errors
from vbsclient.bulk import State
from vbsclient.deletion.targets import Outcome, Refused
from vbsclient.osc.report import label
from vbsclient.osc.text import capital, sentence, shortened

#: What targets are called: (one, several).
Noun = tuple[str, str]


def failure(outcome: Outcome[Any], noun: Noun) -> str:
    """Why one target failed, or that nobody knows."""
    target = outcome.target
    error = outcome.error or errors.Cancelled('not sent')
    if target.id is None:
        if isinstance(error, Refused):
            return capital(sentence(error))
        return (
            f'Failed to look up {noun[0]} {shortened(target.argument, 80)}: '
            f'{sentence(error)}'
        )
    if outcome.state is State.UNKNOWN:
        return (
            f'Whether {noun[0]} {label(target)} is deleted is unknown: '
            f'{sentence(error)} Look before you repeat.'
        )
    return f'Failed to delete {noun[0]} {label(target)}: {sentence(error)}'


def delay(unfinished: Sequence[Outcome[Any]], total: int, noun: Noun) -> str:
    """What is not finished: what was accepted, and what waits to be sent."""
    verb = 'is' if len(unfinished) == 1 else 'are'
    names = ', '.join(label(outcome.target) for outcome in unfinished)
    accepted = any(o.state is State.DONE for o in unfinished)
    goes_on = (
        'The service goes on with what it accepted; the same command with '
        '--wait goes on waiting'
        if accepted
        else 'The service has not accepted it; run the same command again '
        'with --wait'
    )
    return (
        f'{len(unfinished)} of {total} {noun[1]} {verb} not deleted yet: '
        f'{names}. {goes_on}.'
    )
