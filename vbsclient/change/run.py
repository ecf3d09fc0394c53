# SPDX-License-Identifier: Apache-2.0
"""From targets to outcomes: the one way in which anything is changed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vbsclient import bulk
from vbsclient.api import errors
from vbsclient.api.http import Limits
from vbsclient.bulk import Circuit, State
from vbsclient.change.targets import (
    AbortRun,
    Change,
    Done,
    NotSent,
    Outcome,
    Recorder,
    Target,
)

#: So many equal refusals in a row mean that the rest would fail the same way.
_ENOUGH = 3

_AnyOutcome = bulk.Outcome[Target, Done]

_ANY_ID = re.compile(r'[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}')


class SameRefusal(AbortRun):
    """So many targets were refused alike that the rest would be, too.

    :ivar error: the refusal.
    :ivar outcomes: those that it came for.
    """

    def __init__(
        self, error: errors.ClientError, outcomes: Sequence[_AnyOutcome]
    ) -> None:
        self.error = error
        self.outcomes = outcomes
        self.cause = (
            f'the same failure came for each of {len(outcomes)} targets in a '
            f'row ({error.message})'
        )
        super().__init__(
            f'{self.cause}, and the rest were not sent', error.hint
        )


def execute(
    change: Change,
    outcomes: Sequence[Outcome],
    recorder: Recorder,
    limits: Limits,
) -> errors.ClientError | None:
    """Send what no rule forbids, and record the results in the outcomes.

    :returns: why the run was stopped before its end, or None.
    """
    pending = [o for o in outcomes if o.state is State.NOT_SENT]
    breaker = _Breaker()
    try:
        for batch in change.batches(pending):
            bulk.run(
                batch,
                lambda target: change.send(target, recorder),
                limits,
                breaker=breaker,
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
    reason: errors.ClientError, outcomes: Sequence[Outcome]
) -> errors.ClientError:
    """Say that the run ends with this, if it does not say so itself.

    :param outcomes: those of them that were not sent learn why.
    """
    excuse(outcomes, f'the run was stopped: {reason.message}')
    if isinstance(reason, AbortRun):
        return reason
    return reason.revised(
        f'the run was stopped: {reason.message}. Nothing else was sent'
    )


def excuse(outcomes: Sequence[Outcome], cause: str) -> bool:
    """Say of each that was not sent why; whether there is any."""
    left = [o for o in outcomes if o.state is State.NOT_SENT]
    for outcome in left:
        outcome.error = outcome.error or NotSent(f'not sent: {cause}')
    return bool(left)


class _Breaker(bulk.Breaker[Target, Done]):
    """Stops a run whose every target would be refused in the same way."""

    def __init__(self) -> None:
        self.verdict: SameRefusal | None = None
        self._results = 0
        #: The last ones that were refused in the same way.
        self._same: list[_AnyOutcome] = []
        self._last: str | None = None

    @property
    def probe(self) -> int | None:
        """None once a result has shown that not all are refused alike."""
        if len(self._same) < self._results:
            return None
        return max(1, _ENOUGH - self._results)

    def on_result(self, outcome: _AnyOutcome) -> Circuit:
        if outcome.state is not State.NOT_SENT:
            self._note(outcome)
        if self.verdict is not None:
            return Circuit.OPEN
        return Circuit.CLOSED if self.probe is None else Circuit.HALF_OPEN

    def _note(self, outcome: _AnyOutcome) -> None:
        error = outcome.error
        if error is not None and self._same and error is self._same[-1].error:
            # One request may be that of several targets.
            return
        self._results += 1
        if isinstance(error, errors.RepeatedDelete):
            error = error.error
        if isinstance(error, errors.OutcomeUnknown):
            error = error.refusal
        key = _refusal_key(error)
        same = self._same if key == self._last else []
        self._same = [*same, outcome] if key else []
        self._last = key
        first = len(self._same) == self._results
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
