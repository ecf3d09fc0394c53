# SPDX-License-Identifier: Apache-2.0
"""After the DELETEs: what became of them, and what can be sent now.

Two kinds of refusals pass by themselves.  A cloud that keeps chains together
refuses a backup while another depends on it: those that were named in one
run are sent again, youngest first, each once the one before is gone.  And a
resource that is busy is sent again when it is idle, if the user waits.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, Protocol

from vbsclient import bulk
from vbsclient.api import errors
from vbsclient.bulk import State
from vbsclient.deletion.judgement import is_going, is_gone
from vbsclient.deletion.targets import (
    Deletion,
    Done,
    Limits,
    Outcome,
    Recorder,
    Refused,
    ResourceT,
    StopAll,
    Target,
)
from vbsclient.waiting import Patience, Seen, follow


class DeletionFailed(errors.ClientError):
    """The service accepted a deletion and then did not carry it out."""


@dataclass(frozen=True)
class Counts:
    """How far a run is, as it was last observed."""

    queued: int
    deleting: int
    gone: int
    failed: int


Tell = Callable[[Counts], None]


class Followable(Deletion[ResourceT], Protocol[ResourceT]):
    """A deletion that goes on after its DELETE was accepted."""

    def look(self, targets: Sequence[Target[ResourceT]]) -> Mapping[str, Seen]:
        """One look at targets: list pages for many, a GET for a few."""

    def chain_of(self, target: Target[ResourceT]) -> str | None:
        """What backups have in common that may depend on one another."""

    def age_of(self, target: Target[ResourceT]) -> str:
        """Sorts the members of a chain, the oldest first."""

    def seen_first(self, target: Target[ResourceT]) -> Seen:
        """What was seen of it before its DELETE."""

    def explain(self, outcome: Outcome[ResourceT]) -> None:
        """Add to a last refusal what helps to understand it."""


class Independent(Generic[ResourceT]):
    """What never depends on another, and whose refusals say enough."""

    def chain_of(self, target: Target[ResourceT]) -> str | None:
        """There are no chains."""
        return None

    def age_of(self, target: Target[ResourceT]) -> str:
        """Not needed without chains."""
        return ''

    def explain(self, outcome: Outcome[ResourceT]) -> None:
        """The codes of the service say enough."""


class Follower(Generic[ResourceT]):
    """Follows the outcomes of one run.

    :param wait: whether to wait for all; else only for what keeps another
        named one from being deleted.
    :param tell: is told of the progress after each look.
    """

    def __init__(
        self,
        deletion: Followable[ResourceT],
        outcomes: Sequence[Outcome[ResourceT]],
        recorder: Recorder,
        limits: Limits,
        *,
        wait: bool,
        patience: Patience,
        tell: Tell,
    ) -> None:
        self._deletion = deletion
        self._outcomes = {
            o.target.id: o for o in outcomes if o.target.id is not None
        }
        self._recorder = recorder
        self._limits = limits
        self._wait = wait
        self._patience = patience
        self._tell = tell
        self._kin: dict[str, list[str]] = {}
        for id, outcome in self._outcomes.items():
            if chain := self._chain(outcome):
                self._kin.setdefault(chain, []).append(id)
        self._status: dict[str, str] = {}
        self._deleting: set[str] = set()
        self._busy: set[str] = set()
        self._chained: set[str] = set()
        self._stopped: StopAll | None = None

    def run(self) -> list[Outcome[ResourceT]]:
        """Follow to the end; returns what was not finished by then.

        What still waits for its turn counts as not sent: its refusal would
        have passed.

        :raises StopAll: if a repetition or a look showed that nothing more
            may follow.
        """
        with self._limits.deadline.within(self._patience.timeout):
            return self._follow()

    def _follow(self) -> list[Outcome[ResourceT]]:
        self._sort_refusals(self._outcomes)
        self._send_ready()
        left = follow(
            self._watched(),
            self._look,
            self._react,
            patience=self._patience,
            stop=self._limits.stop,
        )
        unsent = self._chained | self._busy
        for id in unsent:
            self._outcomes[id].state = State.NOT_SENT
        for outcome in self._outcomes.values():
            if outcome.state is State.FAILED and _may_be_chained(
                outcome.error
            ):
                # It only helps a message; the rest is told without it.
                with suppress(errors.ClientError):
                    self._deletion.explain(outcome)
        return [
            outcome
            for id, outcome in self._outcomes.items()
            if id in unsent
            or (self._wait and id in left and self._accepted(id))
        ]

    def _sort_refusals(self, ids: Collection[str]) -> None:
        """Find the refusals that may pass."""
        for id in ids:
            outcome = self._outcomes[id]
            error = outcome.error
            if outcome.state is not State.FAILED or isinstance(error, Refused):
                continue
            if self._wait and self._is_temporary(id, error):
                self._busy.add(id)
            elif _may_be_chained(error) and self._has_deleted_kin(id):
                self._chained.add(id)

    def _is_temporary(self, id: str, error: BaseException | None) -> bool:
        if not isinstance(error, errors.ServiceError):
            return False
        if error.code in errors.TEMPORARY_CODES or error.status == 409:
            return True
        status = self._status.get(id) or self._first(id).status or ''
        return (
            _may_be_chained(error)
            and not _is_stable(status)
            and not is_going(status)
        )

    def _has_deleted_kin(self, id: str) -> bool:
        """Whether another member of its chain was accepted, or is gone.

        One that is gone by now may have been there when this was refused.
        """
        return any(
            self._outcomes[other].state is State.DONE
            for other in self._others(id)
        )

    def _unfinished_kin(self, id: str) -> list[str]:
        """Accepted members of its chain that are not gone yet."""
        return [other for other in self._others(id) if self._accepted(other)]

    def _others(self, id: str) -> Iterator[str]:
        """The other members of its chain in this run."""
        chain = self._chain(self._outcomes[id])
        return (o for o in self._kin.get(chain or '', ()) if o != id)

    def _chain(self, outcome: Outcome[ResourceT]) -> str | None:
        if outcome.target.resource is None:
            return None
        return self._deletion.chain_of(outcome.target)

    def _accepted(self, id: str) -> bool:
        outcome = self._outcomes[id]
        return (
            outcome.state is State.DONE
            and outcome.result is not None
            and not outcome.result.finished
        )

    def _watched(self) -> set[str]:
        if self._wait:
            accepted = {id for id in self._outcomes if self._accepted(id)}
        else:
            accepted = {
                kin for id in self._chained for kin in self._unfinished_kin(id)
            }
        return accepted | self._busy

    def _look(self, ids: Collection[str]) -> Mapping[str, Seen]:
        try:
            return self._deletion.look(
                [self._outcomes[id].target for id in ids]
            )
        except StopAll as reason:
            # A look that fails is one more look to a wait; this is its end.
            self._stopped = reason
            return {}

    def _react(self, seen: Mapping[str, Seen]) -> Collection[str]:
        if self._stopped is not None:
            raise self._stopped
        for id, state in seen.items():
            self._note(id, state)
        self._send_ready()
        self._tell(self._count())
        return self._watched()

    def _send_ready(self) -> None:
        while self._limits.deadline.left() > 0 and (ready := self._ready()):
            self._send_again(ready)

    def _note(self, id: str, seen: Seen) -> None:
        self._status[id] = seen.status or 'deleted'
        if not self._accepted(id):
            return
        outcome = self._outcomes[id]
        if seen.status is None or is_gone(seen.status):
            _finish(outcome)
        elif is_going(seen.status):
            self._deleting.add(id)
        elif self._has_failed(id, seen):
            outcome.state = State.FAILED
            outcome.error = DeletionFailed(
                f'the service accepted it, but its status is now '
                f'{seen.status}' + (f': {seen.reason}' if seen.reason else '')
            )

    def _has_failed(self, id: str, seen: Seen) -> bool:
        """Whether a deletion ended without success.

        Right after its DELETE a resource may still show its former status:
        that is a deletion that has not begun.
        """
        if id in self._deleting:
            return _is_stable(seen.status or '')
        first = self._first(id)
        if not (seen.status or '').startswith('error'):
            return False
        return (
            seen.status != first.status or seen.updated_at != first.updated_at
        )

    def _first(self, id: str) -> Seen:
        return self._deletion.seen_first(self._outcomes[id].target)

    def _ready(self) -> list[str]:
        """What can be sent again now."""
        idle = [
            id
            for id in self._busy
            if is_gone(self._status.get(id, ''))
            or _is_stable(self._status.get(id, ''))
        ]
        youngest: dict[str | None, list[str]] = {}
        for id in sorted(self._chained, key=self._age, reverse=True):
            if self._unfinished_kin(id):
                continue
            ready = youngest.setdefault(self._chain(self._outcomes[id]), [])
            # Of those of one moment, whose order nothing tells, all.
            if not ready or self._age(id) == self._age(ready[0]):
                ready.append(id)
        return idle + [id for ids in youngest.values() for id in ids]

    def _age(self, id: str) -> str:
        return self._deletion.age_of(self._outcomes[id].target)

    def _send_again(self, ids: Sequence[str]) -> None:
        again = [self._outcomes[id] for id in ids]
        was_busy = self._busy & set(ids)
        self._busy -= was_busy
        self._chained -= set(ids)
        for outcome in again:
            outcome.state = State.NOT_SENT
            outcome.error = None
        # Those that were refused may be the first ones that go through: the
        # order that proves a service harmless holds for them, too.
        for batch in self._deletion.batches(again):
            bulk.run(
                batch,
                lambda target: self._deletion.delete(target, self._recorder),
                concurrency=self._limits.concurrency,
                stop=self._limits.stop,
            )
        for id in ids:
            outcome = self._outcomes[id]
            if outcome.state is not State.FAILED:
                continue
            # Its status has to be seen anew before it is sent once more.
            self._status.pop(id, None)
            if id in was_busy and self._is_temporary(id, outcome.error):
                self._busy.add(id)
            elif _may_be_chained(outcome.error) and self._unfinished_kin(id):
                # One of the same moment is its child, and was accepted.
                self._chained.add(id)

    def _count(self) -> Counts:
        accepted = [id for id in self._outcomes if self._accepted(id)]
        deleting = sum(self._status.get(id) == 'deleting' for id in accepted)
        waiting = len(accepted) + len(self._busy) + len(self._chained)
        return Counts(
            queued=waiting - deleting,
            deleting=deleting,
            gone=sum(
                o.result is not None and o.result.finished
                for o in self._outcomes.values()
            ),
            failed=sum(
                o.state is State.FAILED
                and id not in self._busy
                and id not in self._chained
                for id, o in self._outcomes.items()
            ),
        )


def _finish(outcome: Outcome[ResourceT]) -> None:
    result = outcome.result or Done(None)
    outcome.result = Done(result.request_id, finished=True)
    outcome.answered_at = bulk.now()


def _may_be_chained(error: BaseException | None) -> bool:
    """Whether a refusal can come from a chain: a plain 400, no own code."""
    return isinstance(error, errors.BadRequest) and error.code is None


def _is_stable(status: str) -> bool:
    return status == 'available' or status.startswith('error')
