# SPDX-License-Identifier: Apache-2.0
"""What the user named, resolved and verified or refused."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from vbsclient import bulk
from vbsclient.api import errors
from vbsclient.api.http import Deadline, Receipt, is_uuid

#: Up to so many targets are verified by a GET each, more by list pages.
FEW = 3

#: No service keeps longer names; a longer argument names nothing.
LONGEST_NAME = 255


@dataclass(frozen=True)
class Limits:
    """What bounds all requests of one command.

    :ivar concurrency: the most at a time.
    :ivar stop: once set, no further request is sent.
    :ivar deadline: behind it nothing is repeated any more.
    """

    concurrency: int = 10
    stop: threading.Event = field(default_factory=threading.Event)
    deadline: Deadline = field(default_factory=Deadline)


class Refused(errors.ClientError):
    """A safety rule forbids this target; nothing was sent for it."""


class Undecided(Refused):
    """Whether a safety rule forbids it could not be found out."""


class Skipped(Refused):
    """It was to be deleted by rule, and that is no longer right."""


class Missing(Refused):
    """What was named does not exist."""


class StopAll(errors.ClientError):
    """Something was seen after which nothing more may be sent."""


ResourceT = TypeVar('ResourceT')


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
    :ivar order: its place among targets that may depend on one another.
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
    order: str = ''

    @property
    def is_decided(self) -> bool:
        """Whether nothing will be sent for it."""
        return self.refusal is not None or self.settled is not None

    @property
    def verified_id(self) -> str:
        """The id that a DELETE may carry.

        :raises Refused: if nothing was verified; never in a planned run.
        """
        if self.id is None or self.refusal is not None:
            raise Refused(f'{self.argument!r} was not verified')
        return self.id

    @property
    def verified(self) -> ResourceT:
        """What was verified.

        :raises Refused: if nothing was; never in a planned run.
        """
        if self.resource is None:
            raise Refused(f'{self.argument!r} was not verified')
        return self.resource


@dataclass(frozen=True)
class Done:
    """A target that the service accepted.

    :ivar finished: whether it is gone; False where deletion goes on.
    :ivar detail: what a person should know beside that.
    """

    request_id: str | None
    finished: bool = False
    detail: str = ''


Outcome = bulk.Outcome[Target[ResourceT], Done]


class Recorder(Protocol):
    """Is told of every DELETE, before and after."""

    def delete(
        self,
        target: Target[ResourceT],
        action: str,
        send: Callable[[], Receipt],
    ) -> Receipt:
        """Send one DELETE for a target and note what came of it."""


class Deletion(Protocol[ResourceT]):
    """The rules for one kind of resource."""

    def plan(self) -> list[Target[ResourceT]]:
        """Resolve and verify what was named; GETs only."""

    def batches(
        self, outcomes: Sequence[Outcome[ResourceT]]
    ) -> Iterator[Sequence[Outcome[ResourceT]]]:
        """The order: what of these may be sent at the same time.

        :raises StopAll: between two batches, if the first ones showed that
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


def unique(arguments: Sequence[str]) -> list[str]:
    """The arguments without repetitions, in their order."""
    return list(dict.fromkeys(arguments))


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


def recognise(
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
            isinstance(target.refusal, Missing)
            and target.refusal.hint is None
            and is_uuid(target.argument)
            and asked < FEW
        ):
            asked += 1
            target.refusal.hint = other_kind(target.argument)


def quote(argument: str) -> str:
    """What the user named, short enough for a message."""
    return repr(brief(argument))


def brief(text: object) -> str:
    """What a service says of something, so that what follows is seen."""
    said = str(text)
    return said if len(said) <= 80 else f'{said[:80]}...'


def check_name(argument: str, what: str) -> None:
    """Refuse an argument that cannot be a name of anything.

    :raises Refused: if it is empty or blank.
    :raises Missing: if it is too long, or holds what no URL can carry.
    """
    if not argument.strip():
        raise Refused(f'an empty text names no {what}')
    if len(argument) > LONGEST_NAME:
        raise Missing(
            f'No {what} found for {quote(argument)}: names have at most '
            f'{LONGEST_NAME} characters'
        )
    try:
        argument.encode()
    except UnicodeEncodeError:
        raise Missing(f'No {what} found: the name is not valid text') from None


def demand_id(id: str) -> None:
    """Refuse what a list calls an id and no request could name.

    :raises InvalidId: if it has not the shape of a UUID.
    """
    if not is_uuid(id):
        raise errors.InvalidId(
            f'the service lists it with an id that is no UUID ({quote(id)})'
        )


def sift_names(
    arguments: Sequence[str], what: str
) -> tuple[list[str], dict[str, errors.ClientError]]:
    """(what can name something, the refusals of the rest)."""
    asked: list[str] = []
    refusals: dict[str, errors.ClientError] = {}
    for argument in arguments:
        try:
            check_name(argument, what)
            asked.append(argument)
        except errors.ClientError as refusal:
            refusals[argument] = refusal
    return asked, refusals


def choose_by_name(
    found: Sequence[ResourceT],
    argument: str,
    what: str,
    describe: Callable[[ResourceT], str],
    *,
    several: str | None = None,
) -> ResourceT:
    """The only one of several that bear a name.

    :param several: the plural of ``what``, where an s does not make it.
    :raises Missing: if none does.
    :raises Refused: if more than one does, with their ids.
    """
    if not found:
        raise Missing(f'No {what} found for {quote(argument)}')
    if len(found) > 1:
        shown = '; '.join(describe(one) for one in found[:10])
        more = f'; and {len(found) - 10} more' if len(found) > 10 else ''
        raise Refused(
            f'{len(found)} {several or f"{what}s"} have the name '
            f'{quote(argument)}: {shown}{more}',
            'Name the one you mean by its id.',
        )
    return found[0]
