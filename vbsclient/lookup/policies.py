# SPDX-License-Identifier: Apache-2.0
"""Finding the policies of either service, and what one has created."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeAlias, overload

from vbsclient.api import csbs, errors, vbs
from vbsclient.api.paths import is_uuid
from vbsclient.api.times import parse_timestamp
from vbsclient.lookup.existence import (
    MAX_SINGLE_GETS,
    Existence,
    LookupResult,
)
from vbsclient.lookup.names import (
    Kind,
    foreign,
    only,
    suggest_names,
    unique,
    validate_names,
)
from vbsclient.lookup.refusals import MissingError, RefusedError
from vbsclient.wording import brief, counted, moment, quote

Policies: TypeAlias = vbs.Policies | csbs.Policies

#: How much older than its task a backup may be: their clocks may differ.
_TOLERANCE = timedelta(hours=1)

#: How much younger: names of backups come again.
_LONGEST_TASK = timedelta(days=2)


@overload
def find_policy(policies: vbs.Policies, name_or_id: str) -> vbs.Policy: ...


@overload
def find_policy(policies: csbs.Policies, name_or_id: str) -> csbs.Policy: ...


def find_policy(policies: Policies, name_or_id: str) -> Any:
    """The policy with a name or id.

    :raises MissingError: if there is none.
    :raises RefusedError: if several have the name, or if it is another
        project's.
    :raises ClientError: if it cannot be read.
    """
    return only(find_policies(policies, [name_or_id]))


def find_policies(
    policies: Policies, arguments: Sequence[str]
) -> LookupResult[Any]:
    """The policy for each name or id, or why there is none.

    A project has a few dozen at most: one list tells all names.  A few ids
    are asked for one by one, but for VBS, which shows no single policy.

    :returns: by the arguments in their one form, of :func:`names.unique`.
    :raises ClientError: if the list cannot be read.
    """
    valid, found = validate_names(unique(arguments), _POLICY.what)
    names = [argument for argument in valid if not is_uuid(argument)]
    lists_all = isinstance(policies, vbs.Policies) and bool(valid)
    if names or lists_all or len(valid) > MAX_SINGLE_GETS:
        # A list that is read twice, or by offsets, may have one twice.
        rows: dict[str, Any] = {row.id: row for row in policies.list()}
    else:
        rows = {}
    own = [row for row in rows.values() if policies.owns(row)]
    for argument in valid:
        try:
            if is_uuid(argument):
                found[argument] = _by_id(policies, argument, rows, lists_all)
            else:
                matches = [row for row in own if row.name == argument]
                found[argument] = _POLICY.choose(matches, argument)
        except errors.Unauthorized:
            raise
        except (
            RefusedError,
            errors.ServiceError,
            errors.MalformedResponse,
            errors.InvalidId,
        ) as error:
            found[argument] = error
    suggest_names(found, names, lambda: [row.name for row in own if row.name])
    return found


def _by_id(
    policies: Policies, id: str, rows: dict[str, Any], lists_all: bool
) -> Any:
    policy = rows.get(id)
    try:
        if policy is None and not lists_all:
            policy = policies.get(id)
    except errors.NotFound:
        pass
    if policy is None:
        raise MissingError(f'No policy found for {quote(id)}')
    if not policies.owns(policy):
        raise foreign(policy.owner, f'the policy {id}', 'use')
    return policy


class CreatedBackups:
    """What policies of VBS have created, by their tasks.

    Backups do not tell it, and VBS keeps the tasks for 30 days.

    :param arguments: names and ids of policies.
    :raises MissingError: if there is no such policy.
    :raises RefusedError: if there are several.
    :raises ClientError: if the tasks cannot be read to their end.
    """

    def __init__(
        self, policies: vbs.Policies, arguments: Sequence[str]
    ) -> None:
        self._tasks: dict[Any, list[vbs.Task]] = {}
        for policy in find_policies(policies, arguments).values():
            if isinstance(policy, errors.ClientError):
                raise policy
            for task in policies.tasks(policy.id):
                if task.backup_name and task.volume_id:
                    key = task.backup_name, task.volume_id
                    self._tasks.setdefault(key, []).append(task)

    def __contains__(self, backup: vbs.Backup) -> bool:
        tasks = self._tasks.get((backup.name, backup.volume_id), ())
        return any(may_be_of(backup, task) for task in tasks)


def may_be_of(backup: vbs.Backup, task: vbs.Task) -> bool:
    """Whether a backup is of the time of a task for one of its name."""
    began = parse_timestamp(task.created_at)
    created_at = parse_timestamp(backup.created_at)
    if began is None or created_at is None:
        return True
    return began - _TOLERANCE <= created_at <= began + _LONGEST_TASK


def _describe(policy: Any) -> str:
    """One policy, for a person who has to choose."""
    if isinstance(policy, vbs.Policy):
        count = policy.volume_count
        facts = ['' if count is None else counted(count, 'volume')]
    else:
        facts = [counted(len(policy.servers), 'server')]
        facts.append(moment(policy.created_at))
    known = ', '.join(filter(None, facts))
    return f'{brief(policy.id)} ({known})' if known else brief(policy.id)


_POLICY = Kind('policy', _describe)


def existence_of(policies: Policies) -> Existence[Any]:
    """What tells whether policies are there."""
    return Existence(
        policies.get, lambda ids: policies.list(), lambda policy: ''
    )
