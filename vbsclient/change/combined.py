# SPDX-License-Identifier: Apache-2.0
"""One request that is that of several targets."""

from __future__ import annotations

import abc
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from vbsclient import bulk
from vbsclient.api import errors
from vbsclient.bulk import State
from vbsclient.change.targets import Done, Outcome, Target


@dataclass(eq=False)
class CombinedRequest(abc.ABC):
    """Sent at the turn of its first target, and never for another one.

    :ivar outcomes: of its targets, as many as will be told its end.
    :ivar error: how it ended; None if it was accepted.
    :ivar request_id: the service's id of its answer.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    error: Exception | None = None
    request_id: str | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _was_sent: bool = False

    @abc.abstractmethod
    def end_of(self, target: Target) -> Done:
        """What has become of one target.

        :raises Exception: if it was not done.
        """

    def send_once(self, target: Target, send: Callable[[], None]) -> Done:
        """Send it, unless another target's turn came before.

        :param send: sends, and keeps in here what came of it; it raises
            Cancelled alone, if nothing was sent.
        :raises Exception: as :meth:`end_of`.
        """
        with self._lock:
            if not self._was_sent:
                self._begin()
                try:
                    send()
                except errors.Cancelled:
                    self._undo()
                    raise
                self.tell()
        return self.end_of(target)

    def tell(self) -> None:
        """Tell all its targets; the run may be stopped before their turn."""
        for outcome in self.outcomes:
            outcome.answered_at = bulk.now()
            try:
                outcome.succeed(self.end_of(outcome.target))
            except errors.Cancelled:
                # Another one of its targets needed a request before.
                outcome.started_at = outcome.answered_at = None
                outcome.reset()
            except Exception as error:  # noqa: BLE001 - it is the outcome
                outcome.fail(error)

    def _begin(self) -> None:
        """From now on none of its targets is "not sent"."""
        self._was_sent = True
        for outcome in self.outcomes:
            outcome.started_at = outcome.started_at or bulk.now()
            outcome.state = State.UNKNOWN

    def _undo(self) -> None:
        """It was not sent after all."""
        self._was_sent = False
        for outcome in self.outcomes:
            outcome.started_at = None
            outcome.reset()
