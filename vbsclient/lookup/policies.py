# SPDX-License-Identifier: Apache-2.0
"""Finding the policies that a user named, of either service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vbsclient.api import csbs, errors, vbs
from vbsclient.api.names import is_named
from vbsclient.api.paths import is_uuid
from vbsclient.lookup.existence import Existence, LookupResult
from vbsclient.lookup.names import Kind, foreign, only, validate_names
from vbsclient.lookup.refusals import MissingError
from vbsclient.wording import brief, quote

Policies = vbs.Policies | csbs.Policies

_POLICY = Kind('policy', lambda policy: brief(policy.id))


def find_policy(policies: Policies, name_or_id: str) -> Any:
    """The policy of a name or id.

    :raises MissingError: if there is none.
    :raises RefusedError: if there are several, or it is another project's.
    :raises ClientError: if it cannot be read.
    """
    return only(find_policies(policies, [name_or_id]))


def find_policies(
    policies: Policies, arguments: Sequence[str]
) -> LookupResult[Any]:
    """The policy for each name or id, or why there is none.

    A project has a few: one list tells all.
    """
    valid, found = validate_names(arguments, 'policy')
    rows: list[Any] = list(policies.list()) if valid else []
    by_id = {row.id: row for row in rows}
    for argument in valid:
        try:
            if not is_uuid(argument):
                named = [
                    row
                    for row in rows
                    if is_named(row.name, argument) and owns(policies, row)
                ]
                found[argument] = _POLICY.choose(named, argument)
                continue
            policy: Any = by_id.get(argument) or policies.get(argument)
            if not owns(policies, policy):
                raise foreign(policy.owner, verb='change')
            found[argument] = policy
        except errors.NotFound:
            found[argument] = MissingError(
                f'No policy found for {quote(argument)}'
            )
        except errors.Unauthorized:
            raise
        except (errors.ServiceError, errors.MalformedResponse) as error:
            found[argument] = error
        except errors.ClientError as refusal:
            found[argument] = refusal
    return found


def owns(policies: Policies, policy: Any) -> bool:
    """Whether no other project is said to own a policy; VBS says nothing."""
    return not hasattr(policy, 'owner') or policies.owns(policy)


def existence_of(policies: Policies) -> Existence[Any]:
    """What tells whether policies are there."""
    return Existence(
        policies.get, lambda ids: policies.list(), lambda policy: ''
    )
