# SPDX-License-Identifier: Apache-2.0
"""Finding the policy that a user named, of either service."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

from vbsclient.api import errors
from vbsclient.api.names import composed
from vbsclient.api.paths import is_uuid
from vbsclient.api.values import canonical_id, is_foreign
from vbsclient.lookup.names import Kind, check_name, foreign
from vbsclient.lookup.refusals import MissingError
from vbsclient.wording import quote

PolicyT_co = TypeVar('PolicyT_co', covariant=True)


class Policies(Protocol[PolicyT_co]):
    """The calls on the policies of one service."""

    project_id: str

    def get(self, id: str) -> PolicyT_co: ...

    def list(self) -> Iterable[PolicyT_co]: ...


def find_policy(policies: Policies[PolicyT_co], name_or_id: str) -> PolicyT_co:
    """The policy with a name or id.

    :raises MissingError: if there is none.
    :raises RefusedError: if there are several of the name, or another
        project owns it.
    :raises ClientError: if it cannot be read.
    """
    wanted = canonical_id(composed(name_or_id))
    if not is_uuid(wanted):
        check_name(wanted, 'policy')
        rows: Iterable[Any] = policies.list()
        own = [row for row in rows if _is_own(policies, row)]
        named: PolicyT_co = _POLICY.choose(
            [row for row in own if row.name == wanted], wanted
        )
        return named
    try:
        found: Any = policies.get(wanted)
    except errors.NotFound as error:
        raise MissingError(f'No policy found for {quote(wanted)}') from error
    if not _is_own(policies, found):
        raise foreign(found.owner, 'the policy', 'use')
    return found  # type: ignore[no-any-return]


def _is_own(policies: Policies[Any], policy: Any) -> bool:
    return not is_foreign(getattr(policy, 'owner', None), policies.project_id)


_POLICY = Kind('policy', lambda policy: str(policy.id))
