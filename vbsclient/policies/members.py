# SPDX-License-Identifier: Apache-2.0
"""What volumes and servers of policies have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from vbsclient.api.errors import ClientError
from vbsclient.change.targets import Target
from vbsclient.lookup.refusals import RefusedError
from vbsclient.wording import brief

# What to do about a member of another policy, and if that is not known.
MOVE = 'Say that it is to be moved.'
MOVE_UNKNOWN = 'Try again later, or say that it is to be moved.'


class Policy(Protocol):
    """A policy of either service."""

    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str | None: ...


def called(policy: Policy) -> str:
    """One policy, as messages name it."""
    return f'{brief(policy.name)} ({policy.id})' if policy.name else policy.id


def refuse_if_any_is(members: Sequence[Target]) -> None:
    """Refuse a new policy of which a member is refused.

    :raises RefusedError: if one is.
    :raises ClientError: if one could not be read.
    """
    refused = [(one, one.refusal) for one in members if one.refusal]
    for _, error in refused:
        if not isinstance(error, RefusedError):
            raise error
    told = [_named(member, error) for member, error in refused]
    if len(told) > 1:
        hints = dict.fromkeys(error.hint for error in told if error.hint)
        raise RefusedError(
            '; '.join(error.message for error in told),
            next(iter(hints)) if len(hints) == 1 else ' '.join(hints) or None,
        )
    if told:
        raise told[0]


def _named(member: Target, error: ClientError) -> ClientError:
    """A refusal that says what it is about."""
    if member.resource is None:
        # What is not found is quoted.
        return error
    return error.revised(
        f'{member.type} {brief(member.argument)}: {error.message}'
    )
