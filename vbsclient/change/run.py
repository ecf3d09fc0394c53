# SPDX-License-Identifier: Apache-2.0
"""From targets to outcomes: the one way in which anything is deleted."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from typing import Any

from vbsclient import bulk
from vbsclient.api import errors
from vbsclient.bulk import Pace, State
from vbsclient.change.targets import (
    AbortRun,
    Deletion,
    Done,
    NotSent,
    Outcome,
    Recorder,
    ResourceT,
    SameRefusal,
    Target,
)

#: So many equal refusals in a row mean that the rest would fare the same.
_ENOUGH = 3

_ANY_ID = re.compile(r'[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}')


def outcomes_of(
    targets: Sequence[Target[ResourceT]],
) -> list[Outcome[ResourceT]]:
    """An outcome for each target, as it stands before any DELETE."""
    outcomes: list[Outcome[ResourceT]] = []
    for target in targets:
        outcome: Outcome[ResourceT] = bulk.Outcome(target)
        if target.refusal is not None:
            outcome.state = State.FAILED
            outcome.error = target.refusal
        elif target.settled is not None:
            outcome.state = State.DONE
            outcome.result = Done(None, detail=target.settled)
        outcomes.append(outcome)
    return outcomes


def execute(
    deletion: Deletion[ResourceT],
    outcomes: Sequence[Outcome[ResourceT]],
    recorder: Recorder,
    *,
    concurrency: int,
    stop: threading.Event,
) -> errors.ClientError | None:
    """Send what no rule forbids; the outcomes tell what became of it.

    :returns: why the run was stopped before its end, or None.
    """
    pending = [o for o in outcomes if o.state is State.NOT_SENT]
    breaker = _Breaker()
    try:
        for batch in deletion.batches(pending):
            bulk.run(
                batch,
                lambda target: deletion.delete(target, recorder),
                concurrency=concurrency,
                stop=stop,
                watch=breaker.watch,
                ahead=breaker.ahead,
            )
            if breaker.verdict is not None:
                break
    except errors.ClientError as reason:
        return stopped_by(reason, pending)
    verdict = breaker.verdict
    if verdict is None or not excuse(
        pending, f'the run was stopped: {verdict.cause}'
    ):
        return None
    return verdict


def stopped_by(
    reason: errors.ClientError, outcomes: Sequence[Outcome[ResourceT]]
) -> errors.ClientError:
    """Say that the run ends with this, if it does not say so itself.

    :param outcomes: those of them that were not sent learn why.
    """
    excuse(outcomes, f'the run was stopped: {reason.message}')
    if not isinstance(reason, AbortRun):
        reason.message = (
            f'the run was stopped: {reason.message}. Nothing else was sent'
        )
    return reason


def excuse(outcomes: Sequence[Outcome[ResourceT]], cause: str) -> bool:
    """Say of each that was not sent why; whether there is any."""
    left = [o for o in outcomes if o.state is State.NOT_SENT]
    for outcome in left:
        outcome.error = outcome.error or NotSent(f'not sent: {cause}')
    return bool(left)


class _Breaker:
    """Stops a run whose every target would be refused in the same way."""

    def __init__(self) -> None:
        self.verdict: SameRefusal | None = None
        self._answers = 0
        #: The last ones that were refused in the same way.
        self._same: list[Outcome[Any]] = []
        self._last: str | None = None

    @property
    def ahead(self) -> int | None:
        """How many may be sent before one of them has been answered.

        None once an answer has shown that not all are refused alike.
        """
        if len(self._same) < self._answers:
            return None
        return max(1, _ENOUGH - self._answers)

    def watch(self, outcome: Outcome[ResourceT]) -> Pace:
        """Take note of an answer."""
        if outcome.state is not State.NOT_SENT:
            self._note(outcome)
        if self.verdict is not None:
            return Pace.STOP
        return Pace.GO if self.ahead is None else Pace.HOLD

    def _note(self, outcome: Outcome[ResourceT]) -> None:
        self._answers += 1
        error = outcome.error
        if isinstance(error, errors.RepeatedDelete):
            error = error.error
        if isinstance(error, errors.OutcomeUnknown):
            error = error.refusal
        key = _refusal_key(error)
        same = self._same if key == self._last else []
        self._same = [*same, outcome] if key else []
        self._last = key
        first = len(self._same) == self._answers
        unreachable = isinstance(error, errors.ConnectionFailed)
        if (
            len(self._same) >= _ENOUGH
            and (first or unreachable)
            and isinstance(error, errors.ClientError)
        ):
            self.verdict = SameRefusal(error, self._same)


def _refusal_key(error: BaseException | None) -> str | None:
    if isinstance(error, errors.ConnectionFailed):
        return error.message
    if error is not None and errors.is_systemic(error):
        code = getattr(error, 'code', None)
        return f'{type(error)} {code} {_ANY_ID.sub("", str(error))}'
    return None
