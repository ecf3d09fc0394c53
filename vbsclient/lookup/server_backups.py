# SPDX-License-Identifier: Apache-2.0
"""Finding checkpoints and backups of servers that a user named."""

from __future__ import annotations

from collections.abc import (
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)

from vbsclient import bulk
from vbsclient.api.csbs import ServerBackup, ServerBackups
from vbsclient.api.http import Limits
from vbsclient.api.values import dict_or_empty
from vbsclient.lookup.existence import (
    MAX_SINGLE_GETS,
    Existence,
    LookupResult,
    owners_to_list,
)
from vbsclient.lookup.names import Kind
from vbsclient.waiting import ResourceStatus
from vbsclient.wording import brief

#: States in which a deletion would cut into another task.
TRANSIENT = frozenset(
    {'waiting_protect', 'protecting', 'waiting_restore', 'restoring'}
)


def find_server_backups(
    backups: ServerBackups, arguments: Sequence[str], limits: Limits
) -> LookupResult[ServerBackup]:
    """The backup for each name or id, or why there is none.

    :raises NoServerBackups: on a cloud without checkpoint_items.
    """
    return KIND.find(
        arguments,
        existence_of(backups),
        lambda name: backups.list(name=name),
        backups.owns,
        limits,
    )


def find_members(
    items: ServerBackups,
    checkpoint_ids: Sequence[str],
    limits: Limits,
    *,
    fewest: int = 1,
) -> Mapping[str, Sequence[ServerBackup]]:
    """The items of each checkpoint; none for a checkpoint without items.

    Nothing but lists can show that there are none: the one that is narrowed
    to the checkpoint and the whole one have to agree.

    :param fewest: of fewer than so many the same holds.
    :raises NoServerBackups: on a cloud without items.
    """
    found: dict[str, list[ServerBackup]] = {id: [] for id in checkpoint_ids}
    many = len(checkpoint_ids) > MAX_SINGLE_GETS
    if many:
        _sort_into(found, read_all(items))
    absent = [id for id, members in found.items() if not members]
    for outcome in bulk.each(
        absent,
        lambda id: read_all(items, checkpoint_id=id),
        limits,
    ):
        found[outcome.target] = bulk.result_of(outcome)
    doubtful = {id: m for id, m in found.items() if len(m) < fewest}
    if not many and doubtful:
        _sort_into(doubtful, read_all(items))
    return found


def _sort_into(
    found: Mapping[str, list[ServerBackup]], items: Iterable[ServerBackup]
) -> None:
    known = {item.id for members in found.values() for item in members}
    for item in items:
        if item.checkpoint_id in found and item.id not in known:
            found[item.checkpoint_id].append(item)


def existence_of(
    items: ServerBackups, known: Mapping[str, ServerBackup] | None = None
) -> Existence[ServerBackup]:
    """What tells whether backups of servers are there.

    :param known: those that this run saw, by id.
    :raises NoServerBackups: on a cloud without items, when it is asked.
    """
    runs = {id: item.checkpoint_id for id, item in (known or {}).items()}

    def listed(ids: Collection[str]) -> Iterator[ServerBackup]:
        for checkpoint_id in owners_to_list(ids, runs):
            yield from read_all(items, checkpoint_id=checkpoint_id)

    return Existence(items.get, listed)


def read_all(
    items: ServerBackups,
    *,
    checkpoint_id: str | None = None,
    name: str | None = None,
) -> list[ServerBackup]:
    """A list of items to its end.

    :raises NoServerBackups: on a cloud without items.
    """
    return list(items.list(checkpoint_id=checkpoint_id, name=name))


def _describe(item: ServerBackup) -> str:
    """One item for a person who has to tell it from others."""
    server = item.server_name or item.server_id or 'unknown'
    return (
        f'{brief(item.id)} (server {brief(server)}, {brief(item.status)}, '
        f'{brief(item.created_at or "no date")}, checkpoint '
        f'{brief(item.checkpoint_id)})'
    )


KIND = Kind(
    'backup of a server',
    _describe,
    'backups of servers',
    lambda backup: [backup.id, backup.checkpoint_id],
)


def seen_of(item: ServerBackup) -> ResourceStatus:
    """What one look says of an item, with the reasons of a failure."""
    extend = dict_or_empty(item.body.get('extend_info'))
    code = dict_or_empty(extend.get('fail_code'))
    parts = [
        str(part)
        for part in (
            extend.get('fail_op'),
            extend.get('fail_reason'),
            code.get('Code'),
            code.get('Description'),
        )
        if part not in (None, '')
    ]
    return ResourceStatus(
        item.status, ', '.join(parts) or None, item.updated_at
    )


def seen_while_deleting(item: ServerBackup) -> ResourceStatus:
    """The same, without what another task has failed at."""
    failed = dict_or_empty(item.body.get('extend_info')).get('fail_op')
    if item.status == 'available' and failed not in (None, '', 'delete'):
        return ResourceStatus(item.status, None, item.updated_at)
    return seen_of(item)
