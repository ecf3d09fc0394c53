# SPDX-License-Identifier: Apache-2.0
"""After the DELETEs: what became of them, and what can be sent now.

Two kinds of refusals pass by themselves.  A cloud that keeps chains together
refuses a backup while another depends on it: those that were named in one
run are sent again, youngest first, each once the one before is gone.  And a
resource that is busy is sent again when it is idle, if the user waits.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, replace
from typing import Generic, Protocol

from vbsclient import bulk
from vbsclient.api import errors
from vbsclient.bulk import Limits, State
from vbsclient.change.targets import (
    AbortRun,
    Deletion,
    Done,
    Outcome,
    Recorder,
    Renew,
    ResourceT,
    Target,
)
from vbsclient.change.verify import may_go_on
from vbsclient.lookup.existence import is_going, is_gone
from vbsclient.lookup.refusals import (
    MissingError,
    RefusedError,
    UnverifiedError,
)
from vbsclient.waiting import Patience, ResourceStatus, follow
from vbsclient.wording import brief

LOG = logging.getLogger(__name__)


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

    def look(
        self, targets: Sequence[Target[ResourceT]]
    ) -> Mapping[str, ResourceStatus]:
        """One look at targets: list pages for many, a GET for a few."""

    def chain_of(self, target: Target[ResourceT]) -> str | None:
        """What backups have in common that may depend on one another."""

    def age_of(self, target: Target[ResourceT]) -> str:
        """Sorts the members of a chain, the oldest first."""

    def initial_status(self, target: Target[ResourceT]) -> ResourceStatus:
        """What was seen of it before its DELETE."""

    def explain(self, outcome: Outcome[ResourceT]) -> None:
        """Add to a last refusal what helps to understand it."""

    def identity_of(self, target: Target[ResourceT]) -> Mapping[str, object]:
        """What must be the same when a target is sent again, by its name."""

    #: Finds and checks targets once more, by all rules, before they are sent
    #: again.
    renewed: Renew[ResourceT]


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
        self._last: dict[str, ResourceStatus] = {}
        #: The latest time of change that was seen of each before its end.
        self._changed: dict[str, str] = {}
        self._deleting: set[str] = set()
        self._busy: set[str] = set()
        self._chained: set[str] = set()
        #: What may have acted although it was refused, or nobody answered.
        self._doubtful: set[str] = set()
        self._looked = False
        #: What the last look has shown, and why it was none.
        self._in_sight: Collection[str] = ()
        self._unread: errors.ClientError | None = None
        #: What could not be checked: not to be sent before the next look.
        self._postponed: set[str] = set()
        self._stopped: AbortRun | None = None

    def run(self) -> list[Outcome[ResourceT]]:
        """Follow to the end; returns what was not finished by then.

        What still waits for its turn counts as not sent: its refusal would
        have passed.

        :raises AbortRun: if a repetition or a look showed that nothing more
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
        unfinished = {id for id in left if self._wait and self._accepted(id)}
        for id in unfinished:
            self._note_unread(self._outcomes[id])
        unfinished |= unsent
        return [o for id, o in self._outcomes.items() if id in unfinished]

    def _note_unread(self, outcome: Outcome[ResourceT]) -> None:
        """Tell what the last look has not shown from what still is there."""
        if outcome.target.id not in self._in_sight and outcome.result:
            why = self._unread.message if self._unread else 'no clear answer'
            outcome.result = replace(outcome.result, unread=why)

    def _sort_refusals(self, ids: Collection[str]) -> None:
        """Find the refusals that may pass."""
        for id in ids:
            outcome = self._outcomes[id]
            error = outcome.error
            if self._wait and _is_doubtful(outcome):
                self._doubtful.add(id)
            if outcome.state is not State.FAILED or isinstance(
                error, RefusedError
            ):
                continue
            if self._wait and self._is_temporary(id, error):
                self._busy.add(id)
                self._doubtful.discard(id)
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
        # What could not be checked before it was to be sent again.
        ready = {id for id in self._chained if not self._unfinished_kin(id)}
        unfinished = accepted | self._busy | ready
        # These are looked at as long as others are, and once in any case.
        if unfinished or not self._looked:
            unfinished |= self._doubtful
        return unfinished

    def _look(self, ids: Collection[str]) -> Mapping[str, ResourceStatus]:
        self._in_sight = ()
        self._unread = None
        try:
            seen = self._deletion.look(
                [self._outcomes[id].target for id in ids]
            )
        except AbortRun as reason:
            # A look that fails is one more look to a wait; this is its end.
            self._stopped = reason
            return {}
        except errors.ClientError as error:
            self._unread = error
            raise
        self._in_sight = seen.keys()
        return seen

    def _react(self, seen: Mapping[str, ResourceStatus]) -> Collection[str]:
        self._postponed.clear()
        self._looked = True
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

    def _note(self, id: str, seen: ResourceStatus) -> None:
        before = self._last.get(id)
        self._last[id] = seen
        self._status[id] = status = seen.status or 'deleted'
        outcome = self._outcomes[id]
        refused = self._busy | self._doubtful
        if id in refused and (is_gone(status) or is_going(status)):
            # Whatever it was answered: it goes, or somebody deletes it.
            self._busy.discard(id)
            self._doubtful.discard(id)
            _accept(outcome)
        if not self._accepted(id):
            return
        if is_gone(status):
            _finish(outcome)
        elif is_going(status):
            self._deleting.add(id)
            self._note_change(id, seen)
        elif self._has_failed(id, seen, before):
            outcome.state = State.FAILED
            outcome.error = DeletionFailed(
                f'the service accepted it, but its status is now '
                f'{status}' + (f': {seen.reason}' if seen.reason else '')
            )

    def _note_change(self, id: str, seen: ResourceStatus) -> None:
        if seen.updated_at is not None:
            self._changed[id] = max(self._changed.get(id, ''), seen.updated_at)

    def _has_failed(
        self, id: str, seen: ResourceStatus, before: ResourceStatus | None
    ) -> bool:
        """Whether a deletion ended without success.

        Right after its DELETE a resource may still show its former status:
        that is a deletion that has not begun.  And one look may be at a
        replica that lags: the end is believed if the resource has changed
        since whatever was seen of it, or if two looks in a row agree.
        """
        if not _is_stable(seen.status or ''):
            return False
        first = self._first(id)
        ended = (
            id in self._deleting
            or (seen.reason is not None and seen.reason != first.reason)
            or (
                (seen.status or '').startswith('error')
                and (seen.status, seen.updated_at)
                != (first.status, first.updated_at)
            )
        )
        latest = max(self._changed.get(id, ''), first.updated_at or '')
        return ended and ((seen.updated_at or '') > latest or seen == before)

    def _first(self, id: str) -> ResourceStatus:
        return self._deletion.initial_status(self._outcomes[id].target)

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
            first = youngest.setdefault(self._chain(self._outcomes[id]), [])
            # Of those of one moment, whose order nothing tells, all.
            if not first or self._age(id) == self._age(first[0]):
                first.append(id)
        ready = idle + [id for ids in youngest.values() for id in ids]
        return [id for id in ready if id not in self._postponed]

    def _age(self, id: str) -> str:
        return self._deletion.age_of(self._outcomes[id].target)

    def _send_again(self, ids: Sequence[str]) -> None:
        was_busy = self._busy & set(ids)
        for id in ids:
            # It has to be seen anew before it is sent once more.
            self._status.pop(id, None)
            self._last.pop(id, None)
        self._postponed.update(ids)
        ids = self._still_right(ids)
        again = [self._outcomes[id] for id in ids]
        self._busy -= set(ids)
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
            if id in was_busy and self._is_temporary(id, outcome.error):
                self._busy.add(id)
            elif _may_be_chained(outcome.error) and self._unfinished_kin(id):
                # One of the same moment is its child, and was accepted.
                self._chained.add(id)

    def _still_right(self, ids: Sequence[str]) -> list[str]:
        """What of these may be sent again: all is read and checked anew.

        What cannot be checked now stays where it is, to be tried later.
        """
        try:
            found = self._deletion.renewed(ids).targets()
        except UnverifiedError:
            return []
        except RefusedError as refusal:
            for id in ids:
                self._refuse(id, refusal)
            return []
        except errors.Cancelled:
            raise
        except errors.ClientError as error:
            LOG.info('Nothing is sent again yet: %.500r.', error.message)
            return []
        now = {target.id or target.argument: target for target in found}
        return [id for id in ids if self._is_right(id, now.get(id))]

    def _is_right(self, id: str, now: Target[ResourceT] | None) -> bool:
        """Whether a target may be sent again, by what it is now."""
        if now is None or isinstance(now.refusal, UnverifiedError):
            return False
        if isinstance(now.refusal, MissingError):
            # The looks decide whether it is gone.
            self._chained.discard(id)
            self._busy.add(id)
            return False
        if now.settled is not None:
            self._busy.discard(id)
            self._chained.discard(id)
            _accept(self._outcomes[id])
            return False
        if now.refusal is not None:
            if isinstance(now.refusal, RefusedError):
                self._refuse(id, now.refusal)
            return False
        change = _difference(
            self._deletion.identity_of(self._outcomes[id].target),
            self._deletion.identity_of(now),
        )
        if change is None:
            # What comes after its DELETE is compared with this.
            self._outcomes[id].target.resource = now.resource
            return True
        self._refuse(
            id,
            RefusedError(
                f'{change} since this run looked',
                'It was not sent again: see that it is still the one you '
                'mean.',
            ),
        )
        return False

    def _refuse(self, id: str, refusal: RefusedError) -> None:
        """Let a rule have the last word of what was refused by the service."""
        self._busy.discard(id)
        self._chained.discard(id)
        outcome = self._outcomes[id]
        outcome.state = State.FAILED
        outcome.error = refusal = copy(refusal)
        if outcome.target.preceded:
            refusal.message += f'; before that, {outcome.target.preceded}'

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


def _accept(outcome: Outcome[ResourceT]) -> None:
    """It was refused, and it is going all the same."""
    request_id = getattr(outcome.error, 'request_id', None)
    outcome.state = State.DONE
    outcome.error = None
    outcome.result = Done(
        request_id,
        detail='is being deleted',
        notes=outcome.target.preceded,
    )


def _finish(outcome: Outcome[ResourceT]) -> None:
    result = outcome.result or Done(None)
    outcome.result = Done(result.request_id, finished=True, notes=result.notes)
    outcome.answered_at = bulk.now()


def _difference(
    before: Mapping[str, object], now: Mapping[str, object]
) -> str | None:
    """What is not as it was, in a clause."""
    for what, value in before.items():
        if now.get(what) != value:
            return f'its {what} has changed to {brief(now.get(what))}'
    return None


def _is_doubtful(outcome: Outcome[ResourceT]) -> bool:
    return outcome.state is State.UNKNOWN or (
        outcome.state is State.FAILED and may_go_on(outcome.error)
    )


def _may_be_chained(error: BaseException | None) -> bool:
    """Whether a refusal can come from a chain: a plain 400, no own code."""
    return isinstance(error, errors.BadRequest) and error.code is None


def _is_stable(status: str) -> bool:
    return status == 'available' or status.startswith('error')
