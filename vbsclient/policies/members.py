# SPDX-License-Identifier: Apache-2.0
"""What volumes and servers of policies have in common."""

from __future__ import annotations

from typing import Protocol

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
