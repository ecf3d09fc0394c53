# SPDX-License-Identifier: Apache-2.0
"""What is to be changed, and what the rules for each kind of change offer."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from vbsclient import bulk
from vbsclient.api import errors
from vbsclient.api.http import Handle, Receipt
from vbsclient.api.paths import is_uuid
from vbsclient.bulk import State
from vbsclient.lookup.existence import MAX_SINGLE_GETS
from vbsclient.lookup.kinds import FindKind
from vbsclient.lookup.refusals import (
    MissingError,
    RefusedError,
    SkippedError,
)
from vbsclient.waiting import GONE, Goal, ResourceStatus

ReceiptT = TypeVar('ReceiptT', bound=Receipt)

#: Finds and checks by all rules what is to be sent again, by its ids.
VerifyAgain = Callable[[Sequence[str]], 'list[Target]']


class AbortRun(errors.ClientError):
    """Something was seen after which nothing more may be sent."""


class NotSent(errors.Cancelled):
    """The run was stopped before this target's turn."""


class ChangeFailed(errors.ClientError):
    """The service accepted a change and then did not carry it out."""


@dataclass
class Target:
    """One thing to change, or the reason why it will not be.

    :ivar argument: as the user named it.
    :ivar type: ``backup``, ``share`` or ``checkpoint``.
    :ivar source: the service that made it: ``VBS`` or ``CSBS``.
    :ivar id: the verified id; None if nothing was found.
    :ivar resource: what was verified; None if nothing was found.
    :ivar refusal: why nothing is sent.
    :ivar settled: why nothing needs to be sent ("is being deleted
        already").
    :ivar settled_as: what that makes of it.
    :ivar aspect: what tells it from other targets of the same id, behind
        its name.
    :ivar members: what goes with it beyond its own name, one line each.
    :ivar notes: what is worth knowing before it is sent: a status that may
        be refused, its place among targets that may depend on one another.
    :ivar preceded: what was done for it before its own request.
    :ivar left: the ids of what it has left for what it is to join, or may
        have.
    :ivar expected: why the service will refuse it, as far as was read.
    :ivar new_name: the name of what is created for it.
    :ivar handle: what its change goes on as in the service, where that is
        another resource: known from the answer on, and completed by polls.
    """

    argument: str
    type: str
    source: str
    id: str | None = None
    name: str | None = None
    resource: Any = None
    refusal: errors.ClientError | None = None
    settled: str | None = None
    settled_as: State = State.ACCEPTED
    aspect: str = ''
    members: Sequence[str] = ()
    notes: list[str] = field(default_factory=list)
    preceded: str = ''
    left: list[str] = field(default_factory=list)
    expected: str | None = None
    new_name: str | None = None
    handle: Handle = field(default_factory=Handle)

    @classmethod
    def of(cls, argument: str, kind: str, source: str, found: Any) -> Target:
        """The target for what a look-up has found.

        :param found: the resource, or the error that says why there is none.
        """
        if isinstance(found, errors.ClientError):
            return cls(argument, kind, source, refusal=found)
        return cls(argument, kind, source, found.id, found.name, found)

    @property
    def is_decided(self) -> bool:
        """Whether nothing will be sent for it."""
        return self.refusal is not None or self.settled is not None

    @property
    def verified_id(self) -> str:
        """The id that a request may carry.

        :raises RefusedError: if nothing was verified; never in a planned run.
        """
        if self.id is None or self.refusal is not None:
            raise RefusedError(f'{self.argument!r} was not verified')
        return self.id

    @property
    def verified(self) -> Any:
        """What was verified.

        :raises RefusedError: if nothing was; never in a planned run.
        """
        if self.resource is None:
            raise RefusedError(f'{self.argument!r} was not verified')
        return self.resource


@dataclass(frozen=True)
class Done:
    """What is known of a target once the service has accepted it.

    :ivar is_final: whether nothing is to be waited for.
    :ivar detail: what a person should know of its status now.
    :ivar remark: what is worth knowing of it in any case.
    """

    request_id: str | None
    is_final: bool = False
    detail: str = ''
    remark: str = ''


#: The state of a target for which nothing was sent, by the reason.
_STATES = {
    MissingError: State.MISSING,
    SkippedError: State.SKIPPED,
    RefusedError: State.REFUSED,
}


@dataclass(eq=False)
class Outcome(bulk.Outcome[Target, Done]):
    """What became of one target.

    :ivar unread: why its status could not be read; empty if it was.
    :ivar has_begun: whether the service was seen to be at it.
    """

    unread: str = ''
    has_begun: bool = False

    @classmethod
    def of(cls, target: Target) -> Outcome:
        """The outcome of a target before anything is sent."""
        outcome = cls(target)
        if target.refusal is not None:
            outcome.fail(target.refusal)
            if outcome.state is State.UNKNOWN:
                # Whatever was not answered: it was not its request.
                outcome.state = State.FAILED
        elif target.settled is not None:
            outcome.succeed(Done(None, detail=target.settled))
            outcome.state = target.settled_as
        return outcome

    @property
    def is_unfinished(self) -> bool:
        """Whether the service is still at what it accepted."""
        return self.state is State.ACCEPTED

    def succeed(self, result: Done) -> None:
        """Take what the service has accepted."""
        self.result = result
        self.error = None
        # Once: an interruption may report what it reads at any time.
        self.state = State.DONE if result.is_final else State.ACCEPTED

    def fail(self, error: BaseException) -> None:
        """Take the reason why it was not done."""
        for kind, state in _STATES.items():
            if isinstance(error, kind):
                self.error = error
                self.state = state
                return
        super().fail(error)

    def reset(self) -> None:
        """Forget a refusal: it will be sent again."""
        self.state = State.NOT_SENT
        self.error = None


class Recorder:
    """Sends each request that changes something; a journal notes it, too."""

    def record(
        self,
        target: Target,
        action: str,
        send: Callable[[], ReceiptT],
        *,
        before: Mapping[str, Any] | None = None,
    ) -> ReceiptT:
        """Send one request for a target.

        :param send: sends, and finds out what a doubtful answer means.
        :param before: what is replaced, as it was read: without it nobody
            could put it back.
        """
        return send()

    def await_turn(self) -> None:
        """Wait until the next request of this thread may be sent.

        For what is read for it and must not change while it waits.

        :raises Cancelled: if the run is interrupted before.
        """

    def settle(self, target: Target, action: str) -> None:
        """Note what reading has shown of a request without an answer."""

    def close(self) -> None:
        """Nothing more will be sent."""


class Change(abc.ABC):
    """The rules for one kind of change of one kind of resource.

    A change that is done when it is answered needs :meth:`targets` and
    :meth:`send`.  One that goes on in the service names its goal, and how to
    see how far it is.
    """

    goal: Goal = GONE

    #: Whether what was refused may be sent again, once :meth:`verify_again`
    #: has checked it.  Never where it makes something: there a refusal is
    #: the end, and whatever is doubtful is an OutcomeUnknown.
    is_repeatable = False

    #: Seconds for which what a lost answer may have done is looked for while
    #: somebody waits.
    appears_in = 0.0

    @abc.abstractmethod
    def targets(self) -> list[Target]:
        """Resolve and verify what was named; nothing is changed."""

    @abc.abstractmethod
    def send(self, target: Target, recorder: Recorder) -> Done:
        """Send what one target needs; called by several threads."""

    def batches(
        self, outcomes: Sequence[Outcome]
    ) -> Iterator[Sequence[Outcome]]:
        """The order: what of these may be sent at the same time.

        :raises AbortRun: between two batches, if the first ones showed that
            no other may follow.
        """
        yield outcomes

    def poll(self, targets: Sequence[Target]) -> Mapping[str, ResourceStatus]:
        """Read how far these are: list pages for many, a GET for a few."""
        raise NotImplementedError

    def initial_status(self, target: Target) -> ResourceStatus:
        """What was read of it before its request."""
        raise NotImplementedError

    def failure(self, status: ResourceStatus) -> ChangeFailed:
        """What to say of one that was accepted, and ended like this."""
        reason = f': {status.reason}' if status.reason else ''
        return ChangeFailed(
            f'the service accepted it, but its status is now '
            f'{status.word}{reason}'
        )

    def verify_again(self, ids: Sequence[str]) -> list[Target]:
        """All the rules once more, for what is to be sent again."""
        raise NotImplementedError

    def identity_of(self, target: Target) -> Mapping[str, object]:
        """What must be the same when a target is sent again, by its name."""
        return {}

    def chain_of(self, target: Target) -> str | None:
        """What targets have in common that may depend on one another."""
        return None

    def age_of(self, target: Target) -> str:
        """Sorts the members of a chain, the oldest first."""
        return ''

    def explain(self, error: errors.BadRequest, target: Target) -> str | None:
        """A hint that helps to understand a last refusal."""
        return None


def merge(targets: Iterable[Target]) -> list[Target]:
    """Drop targets that a former one names already by the same id."""
    seen: set[str] = set()
    kept = []
    for target in targets:
        if target.id is not None and target.refusal is None:
            if target.id in seen:
                continue
            seen.add(target.id)
        kept.append(target)
    return kept


def suggest_command(targets: Iterable[Target], *kinds: FindKind) -> None:
    """Say what an id is that is of another kind.

    Only for a few: each costs requests, and a long list of wrong ids has
    one cause.

    :param kinds: what it may be, in the order in which they are asked.
    """
    wrong = [
        target
        for target in targets
        if isinstance(target.refusal, MissingError)
        and target.refusal.hint is None
        and is_uuid(target.argument)
    ]
    for target in wrong[:MAX_SINGLE_GETS]:
        for kind in kinds:
            if hint := kind(target.argument):
                target.refusal = MissingError(str(target.refusal), hint)
                break
