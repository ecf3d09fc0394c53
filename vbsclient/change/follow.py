# SPDX-License-Identifier: Apache-2.0
"""After the requests: what became of them, and what can be sent again.

Two kinds of refusals pass by themselves.  A cloud that keeps chains together
refuses a backup while another depends on it: those that were named in one
run are sent again, youngest first, each once the one before is gone.  And a
resource that is busy is sent again when it is idle, if the user waits.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import TypeGuard

from vbsclient import bulk
from vbsclient.api import errors
from vbsclient.api.http import Limits
from vbsclient.bulk import State
from vbsclient.change.targets import (
    AbortRun,
    Change,
    ChangeFailed,
    Done,
    Outcome,
    Recorder,
    Target,
)
from vbsclient.change.verify import may_go_on
from vbsclient.lookup.refusals import (
    MissingError,
    RefusedError,
    UnverifiedError,
)
from vbsclient.waiting import Patience, ResourceStatus, wait
from vbsclient.wording import brief

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Counts:
    """How far a run is, as it was last observed.

    :ivar unread: whether the last poll had no answer.
    """

    queued: int
    under_way: int
    reached: int
    failed: int
    unread: bool = False


class _Retry(Enum):
    """Why something is polled that was not accepted."""

    #: It is sent again once it is idle.
    BUSY = 'busy'
    #: It is sent again once what may depend on it is gone.
    CHAINED = 'chained'
    #: Its request may have acted although it was refused, or not answered.
    UNCERTAIN = 'uncertain'


@dataclass(eq=False)
class _Followed:
    """One target, and what was read of it since its request.

    :ivar status: what the last poll has said; None before the first.
    :ivar changed_at: the latest time of a change while it was under way.
    :ivar postponed: not to be sent again before the next poll.
    """

    outcome: Outcome
    chain: str | None
    retry: _Retry | None = None
    status: ResourceStatus | None = None
    changed_at: str = ''
    postponed: bool = False

    @property
    def target(self) -> Target:
        return self.outcome.target

    @property
    def is_sent_again(self) -> bool:
        """Whether another request may follow."""
        return self.retry in (_Retry.BUSY, _Retry.CHAINED)


class Follower:
    """Follows the outcomes of one run until each has reached the goal.

    :param wants_all: whether to wait for all; else only for what keeps
        another named one from being deleted.
    """

    def __init__(
        self,
        change: Change,
        outcomes: Sequence[Outcome],
        recorder: Recorder,
        limits: Limits,
        *,
        wants_all: bool,
        patience: Patience,
    ) -> None:
        self._change = change
        self._goal = change.goal
        self._recorder = recorder
        self._limits = limits
        self._wants_all = wants_all
        self._patience = patience
        self._followed = {
            outcome.target.id: _Followed(outcome, self._chain_of(outcome))
            for outcome in outcomes
            if outcome.target.id is not None
        }
        self._chains: dict[str | None, list[_Followed]] = {}
        for one in self._followed.values():
            self._chains.setdefault(one.chain, []).append(one)
        self._started = time.monotonic()
        self._was_polled = False
        #: What the last poll has shown, and why it failed.
        self._in_sight: Collection[str] = ()
        self._unread: errors.ClientError | None = None
        self._abort: AbortRun | None = None

    def run(self) -> list[Outcome]:
        """Follow to the end; returns what was not finished by then.

        What still waits for its turn counts as not sent: its refusal would
        have passed.

        :raises AbortRun: if a repetition or a poll showed that nothing more
            may follow.
        """
        with self._limits.deadline.within(self._patience.timeout):
            return self._follow()

    def _follow(self) -> list[Outcome]:
        for one in self._followed.values():
            one.retry = self._retry_of(one)
        self._send_ready()
        left = wait(
            self._watched(),
            self._poll,
            self._react,
            patience=self._patience,
            stop=self._limits.stop,
        )
        unfinished = []
        for id, one in self._followed.items():
            outcome = one.outcome
            if one.is_sent_again:
                outcome.state = State.NOT_SENT
                unfinished.append(outcome)
            elif self._wants_all and id in left and outcome.is_unfinished:
                self._note_unread(outcome)
                unfinished.append(outcome)
            elif outcome.state is State.FAILED:
                self._explain(outcome)
        return unfinished

    def _explain(self, outcome: Outcome) -> None:
        error = outcome.error
        if (
            not isinstance(error, errors.BadRequest)
            or error.code
            or error.hint
        ):
            return
        # It only adds a hint to a message.
        with suppress(errors.ClientError):
            hint = self._change.explain(error, outcome.target)
            outcome.error = error.revised(hint=hint)

    def _note_unread(self, outcome: Outcome) -> None:
        """Tell what the last poll has not shown from what still is there."""
        if outcome.target.id not in self._in_sight:
            unread = self._unread
            outcome.unread = unread.message if unread else 'no clear answer'

    # -- what is polled --------------------------------------------------

    def _retry_of(self, one: _Followed) -> _Retry | None:
        """What of a result may pass, or prove to be wrong."""
        outcome = one.outcome
        if outcome.state is State.FAILED:
            if not self._change.is_repeatable:
                return None
            if self._wants_all and self._is_temporary(one):
                return _Retry.BUSY
            if _may_be_chained(outcome.error) and any(
                # One that is done by now may have been there at the time.
                other.outcome.state in (State.ACCEPTED, State.DONE)
                for other in self._same_chain(one)
            ):
                return _Retry.CHAINED
        uncertain = outcome.state is State.UNKNOWN or (
            outcome.state is State.FAILED and may_go_on(outcome.error)
        )
        return _Retry.UNCERTAIN if uncertain and self._wants_all else None

    def _is_temporary(self, one: _Followed) -> bool:
        error = one.outcome.error
        if not isinstance(error, errors.ServiceError):
            return False
        if error.code in errors.TEMPORARY_CODES or error.status == 409:
            return True
        status = one.status or self._change.initial_status(one.target)
        return _may_be_chained(error) and not (
            self._goal.has_settled(status) or self._goal.is_under_way(status)
        )

    def _chain_of(self, outcome: Outcome) -> str | None:
        if outcome.target.resource is None:
            return None
        return self._change.chain_of(outcome.target)

    def _same_chain(self, one: _Followed) -> Iterator[_Followed]:
        """The other members of its chain in this run."""
        members = self._chains[one.chain] if one.chain else ()
        return (other for other in members if other is not one)

    def _blockers(self, one: _Followed) -> list[_Followed]:
        """Accepted members of its chain that are not gone yet."""
        return [o for o in self._same_chain(one) if o.outcome.is_unfinished]

    def _watched(self) -> set[str]:
        watched = set()
        uncertain = set()
        for id, one in self._followed.items():
            if one.retry is _Retry.CHAINED:
                blockers = self._blockers(one)
                # None: it could not be checked before it was to be sent again.
                watched |= {o.target.verified_id for o in blockers} or {id}
            elif one.retry is _Retry.UNCERTAIN:
                uncertain.add(id)
            elif one.retry or (self._wants_all and one.outcome.is_unfinished):
                watched.add(id)
        # These are polled as long as others are, and once in any case.
        if watched or not self._was_polled or self._may_appear():
            watched |= uncertain
        return watched

    def _may_appear(self) -> bool:
        """Whether what was created may not be listed yet."""
        return time.monotonic() - self._started < self._change.appears_in

    # -- what a poll shows -----------------------------------------------

    def _poll(self, ids: Collection[str]) -> Mapping[str, ResourceStatus]:
        self._in_sight = ()
        try:
            seen = self._change.poll([self._followed[id].target for id in ids])
        except AbortRun as reason:
            # A poll that fails is no more than that to a wait; this ends it.
            self._abort = reason
            return {}
        except errors.ClientError as error:
            self._unread = error
            raise
        self._unread = None
        self._in_sight = seen.keys()
        return seen

    def _react(self, seen: Mapping[str, ResourceStatus]) -> Collection[str]:
        self._was_polled = True
        if self._abort is not None:
            raise self._abort
        for one in self._followed.values():
            one.postponed = False
        for id, status in seen.items():
            self._note(self._followed[id], status)
        self._send_ready()
        return self._watched()

    def _note(self, one: _Followed, status: ResourceStatus) -> None:
        before, one.status = one.status, status
        outcome = one.outcome
        reached = self._is_reached(one, status)
        under_way = self._goal.is_under_way(status)
        if one.retry and (reached or under_way):
            # Whatever was answered: the service is at it, for whomever.
            self._accept(one)
        if not outcome.is_unfinished:
            return
        if reached:
            told = outcome.result.remark if outcome.result else ''
            remark = '; '.join(filter(None, [told, status.remark]))
            outcome.succeed(
                Done(_request_id(outcome), is_final=True, remark=remark)
            )
            outcome.answered_at = bulk.now()
        elif status.is_absent:
            outcome.fail(
                errors.OutcomeUnknown(
                    ChangeFailed(
                        status.reason
                        or 'the service accepted it and does not show it'
                    )
                )
            )
        elif under_way:
            outcome.has_begun = True
            one.changed_at = max(one.changed_at, status.updated_at or '')
        elif self._has_failed(one, status, before):
            outcome.fail(self._change.failure(status))

    def _is_reached(self, one: _Followed, status: ResourceStatus) -> bool:
        """Whether a change has led to the goal.

        What had the same status before its request must have changed since.
        """
        reached = self._goal.is_reached(status)
        if not reached or one.outcome.has_begun:
            return reached
        first = self._change.initial_status(one.target)
        return not (
            self._goal.is_reached(first)
            and status.updated_at == first.updated_at
        )

    def _has_failed(
        self,
        one: _Followed,
        status: ResourceStatus,
        before: ResourceStatus | None,
    ) -> bool:
        """Whether a change ended without success.

        Right after its request a resource may still show its former status:
        that is a change that has not begun.  And one poll may be answered by
        a replica that lags: the end is believed if the resource has changed
        since whatever was read of it, or if two polls in a row agree.
        """
        if not self._goal.has_settled(status):
            return False
        first = self._change.initial_status(one.target)
        ended = (
            one.outcome.has_begun
            or (status.reason is not None and status.reason != first.reason)
            or (
                status.word != 'available'
                and (status.status, status.updated_at)
                != (first.status, first.updated_at)
            )
        )
        latest = max(one.changed_at, first.updated_at or '')
        changed = (status.updated_at or '') > latest
        return ended and (changed or status == before)

    def _accept(self, one: _Followed) -> None:
        """It was refused, and the service is at it all the same."""
        request_id = _request_id(one.outcome)
        one.retry = None
        one.outcome.succeed(Done(request_id, detail=self._goal.progress))

    # -- what is sent again ----------------------------------------------

    def _send_ready(self) -> None:
        while self._limits.deadline.left() > 0 and (ready := self._ready()):
            self._send_again(ready)

    def _ready(self) -> list[_Followed]:
        """What can be sent again now."""
        ready = []
        free: list[_Followed] = []
        for one in self._followed.values():
            if one.retry is _Retry.BUSY and one.status is not None:
                if self._goal.is_reached(one.status) or self._goal.has_settled(
                    one.status
                ):
                    ready.append(one)
            elif one.retry is _Retry.CHAINED and not self._blockers(one):
                free.append(one)
        youngest: dict[str | None, str] = {}
        for one in free:
            age = self._change.age_of(one.target)
            youngest[one.chain] = max(age, youngest.get(one.chain, age))
        # All of those created at the same time: their order is not known.
        ready += [
            one
            for one in free
            if self._change.age_of(one.target) == youngest[one.chain]
        ]
        return [one for one in ready if not one.postponed]

    def _send_again(self, ready: Sequence[_Followed]) -> None:
        for one in ready:
            # It has to be read again before another request is sent.
            one.status = None
            one.postponed = True
        again = self._still_right(ready)
        former = {id(one): one.retry for one in again}
        for one in again:
            one.retry = None
            one.outcome.reset()
        # Those that were refused may be the first ones that are accepted: the
        # order that proves a service harmless holds for them, too.
        for batch in self._change.batches([one.outcome for one in again]):
            bulk.run(
                batch,
                lambda target: self._change.send(target, self._recorder),
                self._limits,
            )
        for one in again:
            if one.outcome.state is not State.FAILED:
                continue
            if former[id(one)] is _Retry.BUSY and self._is_temporary(one):
                one.retry = _Retry.BUSY
            elif _may_be_chained(one.outcome.error) and self._blockers(one):
                # One of the same moment is its child, and was accepted.
                one.retry = _Retry.CHAINED

    def _still_right(self, ready: Sequence[_Followed]) -> list[_Followed]:
        """What of these may be sent again: all is read and checked anew.

        What cannot be checked now is tried later.
        """
        ids = [one.target.verified_id for one in ready]
        try:
            found = self._change.verify_again(ids)
        except UnverifiedError:
            return []
        except RefusedError as refusal:
            for one in ready:
                self._refuse(one, refusal)
            return []
        except errors.Cancelled:
            raise
        except errors.ClientError as error:
            LOG.info('Nothing is sent again yet: %.500r.', error.message)
            return []
        now = {target.id or target.argument: target for target in found}
        return [
            o for o in ready if self._is_right(o, now.get(o.target.id or ''))
        ]

    def _is_right(self, one: _Followed, now: Target | None) -> bool:
        """Whether a target may be sent again, by what it is now."""
        refusal = now.refusal if now else None
        if now is None or isinstance(refusal, UnverifiedError):
            return False
        if isinstance(refusal, MissingError):
            # Polls decide whether it is gone.
            one.retry = _Retry.BUSY
        elif now.settled is not None:
            self._accept(one)
        elif isinstance(refusal, RefusedError):
            self._refuse(one, refusal)
        elif refusal is None:
            change = _difference(
                self._change.identity_of(one.target),
                self._change.identity_of(now),
            )
            if change is None:
                # What is read after its request is compared with this.
                one.target.resource = now.resource
                return True
            hint = (
                'It was not sent again: check that it is still the one you '
                'mean.'
            )
            self._refuse(
                one, RefusedError(f'{change} since this run looked', hint)
            )
        return False

    def _refuse(self, one: _Followed, refusal: RefusedError) -> None:
        """A rule decides what the service had refused."""
        one.retry = None
        one.outcome.fail(refusal)

    def counts(self) -> Counts:
        """How far it is; may be asked by any thread."""
        every = self._followed.values()
        accepted = [one for one in every if one.outcome.is_unfinished]
        under_way = sum(
            one.status is not None and self._goal.is_under_way(one.status)
            for one in accepted
        )
        queued = len(accepted) - under_way
        return Counts(
            queued=queued + sum(one.is_sent_again for one in every),
            under_way=under_way,
            reached=sum(one.outcome.state is State.DONE for one in every),
            failed=sum(
                one.outcome.state in (State.FAILED, State.REFUSED)
                and not one.is_sent_again
                for one in every
            ),
            unread=self._unread is not None,
        )


def _request_id(outcome: Outcome) -> str | None:
    told = outcome.result or outcome.error
    return getattr(told, 'request_id', None)


def _difference(
    before: Mapping[str, object], now: Mapping[str, object]
) -> str | None:
    """What is not as it was, in a clause."""
    for what, value in before.items():
        if now.get(what) != value:
            return f'its {what} has changed to {brief(now.get(what))}'
    return None


def _may_be_chained(
    error: BaseException | None,
) -> TypeGuard[errors.BadRequest]:
    """Whether a refusal can come from a chain: a plain 400, no own code."""
    return isinstance(error, errors.BadRequest) and error.code is None
