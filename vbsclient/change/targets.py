# SPDX-License-Identifier: Apache-2.0
"""What is to be deleted, and what the rules for each kind offer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from vbsclient import bulk
from vbsclient.api import errors
from vbsclient.api.http import Receipt, is_uuid
from vbsclient.lookup.existence import MAX_SINGLE_GETS
from vbsclient.lookup.refusals import MissingError, RefusedError


class AbortRun(errors.ClientError):
    """Something was seen after which nothing more may be sent."""


class NotSent(errors.Cancelled):
    """The run was stopped before this target's turn."""


ResourceT = TypeVar('ResourceT')
ReceiptT = TypeVar('ReceiptT', bound=Receipt)


@dataclass
class Target(Generic[ResourceT]):
    """One thing to delete, or the reason why it will not be.

    :ivar argument: as the user named it.
    :ivar type: ``backup``, ``share`` or ``checkpoint``.
    :ivar source: the service that made it: ``VBS`` or ``CSBS``.
    :ivar id: the verified id; None if nothing was found.
    :ivar resource: what was verified; None if nothing was found.
    :ivar refusal: why nothing is sent.
    :ivar settled: why nothing needs to be sent ("is being deleted
        already"); the target counts as accepted.
    :ivar members: what goes with it beyond its own name, one line each.
    :ivar notes: what is worth knowing before it is sent: a status that may
        be refused, its place among targets that may depend on one another.
    :ivar preceded: what was done for it before its own DELETE.
    :ivar expected: why the service will refuse it, as far as was read.
    """

    argument: str
    type: str
    source: str
    id: str | None = None
    name: str | None = None
    resource: ResourceT | None = None
    refusal: errors.ClientError | None = None
    settled: str | None = None
    members: Sequence[str] = field(default_factory=tuple)
    notes: list[str] = field(default_factory=list)
    preceded: str = ''
    expected: str | None = None

    @property
    def is_decided(self) -> bool:
        """Whether nothing will be sent for it."""
        return self.refusal is not None or self.settled is not None

    @property
    def verified_id(self) -> str:
        """The id that a DELETE may carry.

        :raises RefusedError: if nothing was verified; never in a planned run.
        """
        if self.id is None or self.refusal is not None:
            raise RefusedError(f'{self.argument!r} was not verified')
        return self.id

    @property
    def verified(self) -> ResourceT:
        """What was verified.

        :raises RefusedError: if nothing was; never in a planned run.
        """
        if self.resource is None:
            raise RefusedError(f'{self.argument!r} was not verified')
        return self.resource


@dataclass(frozen=True)
class Done:
    """A target that the service accepted.

    :ivar finished: whether it is gone; False where deletion goes on.
    :ivar detail: what a person should know of how it stands.
    :ivar notes: what stays true until the end: what was done before it.
    :ivar unread: why nobody knows how it stands now; empty if it was seen.
    """

    request_id: str | None
    finished: bool = False
    detail: str = ''
    notes: str = ''
    unread: str = ''


Outcome = bulk.Outcome[Target[ResourceT], Done]


class SameRefusal(AbortRun):
    """So many targets were refused alike that the rest would be, too.

    :ivar error: the refusal.
    :ivar outcomes: those that it came for.
    """

    def __init__(
        self, error: errors.ClientError, outcomes: Sequence[Outcome[Any]]
    ) -> None:
        self.error = error
        self.outcomes = outcomes
        self.cause = (
            f'the same refusal came for each of {len(outcomes)} targets in a '
            f'row ({error.message})'
        )
        super().__init__(
            f'{self.cause}, and the rest were not sent', error.hint
        )


class Recorder(Protocol):
    """Is told of every DELETE, before and after."""

    def delete(
        self,
        target: Target[ResourceT],
        action: str,
        send: Callable[[], ReceiptT],
    ) -> ReceiptT:
        """Send one DELETE for a target and note what came of it.

        :param send: sends, and finds out what a doubtful answer means.
        """


class Planner(Protocol[ResourceT]):
    """What finds targets and checks them by the rules."""

    def targets(self) -> list[Target[ResourceT]]:
        """Resolve and verify what was named; GETs only."""


#: The rules once more, for these ids.
Renew = Callable[[Sequence[str]], Planner[ResourceT]]


class Deletion(Planner[ResourceT], Protocol[ResourceT]):
    """The rules for one kind of resource."""

    def batches(
        self, outcomes: Sequence[Outcome[ResourceT]]
    ) -> Iterator[Sequence[Outcome[ResourceT]]]:
        """The order: what of these may be sent at the same time.

        :raises AbortRun: between two batches, if the first ones showed that
            no other may follow.
        """

    def delete(self, target: Target[ResourceT], recorder: Recorder) -> Done:
        """Send what one target needs; called by several threads."""


class AllAtOnce(Generic[ResourceT]):
    """The order of targets that know nothing of one another."""

    def batches(
        self, outcomes: Sequence[Outcome[ResourceT]]
    ) -> Iterator[Sequence[Outcome[ResourceT]]]:
        """All at the same time."""
        yield outcomes


def merge(
    targets: Sequence[Target[ResourceT]],
) -> list[Target[ResourceT]]:
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


def suggest_command(
    targets: Sequence[Target[ResourceT]],
    other_kind: Callable[[str], str | None],
) -> None:
    """Name the right command where an id is one of another kind.

    Only for a few: each costs requests, and a long list of wrong ids has
    one cause.

    :param other_kind: the advice for an id, or None.
    """
    asked = 0
    for target in targets:
        if (
            isinstance(target.refusal, MissingError)
            and target.refusal.hint is None
            and is_uuid(target.argument)
            and asked < MAX_SINGLE_GETS
        ):
            asked += 1
            target.refusal.hint = other_kind(target.argument)
