# SPDX-License-Identifier: Apache-2.0
"""Finding checkpoints and backups of servers that a user named."""

from __future__ import annotations

from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from typing import TypeVar

from vbsclient import bulk
from vbsclient.api import errors
from vbsclient.api.csbs import Item, Items
from vbsclient.api.values import dict_or_empty
from vbsclient.deletion.judgement import (
    Existence,
    Findings,
    owners_to_list,
)
from vbsclient.deletion.naming import choose_by_name, demand_id, find_named
from vbsclient.deletion.targets import FEW, Limits
from vbsclient.deletion.wording import brief
from vbsclient.waiting import Seen

WHAT = 'backup of a server'
SEVERAL = 'backups of servers'

R = TypeVar('R')

#: States in which a deletion would cut into another task.
TRANSIENT = frozenset(
    {'waiting_protect', 'protecting', 'waiting_restore', 'restoring'}
)


def find_items(
    items: Items, arguments: Sequence[str], limits: Limits
) -> Findings[Item]:
    """The item for each name or id, or why there is none.

    :raises NoItems: on a cloud without items.
    """
    return find_named(
        arguments,
        WHAT,
        existence_of(items),
        lambda name: items.list(name=name),
        lambda bearers, name: choose_item(
            [item for item in bearers if items.owns(item)], name
        ),
        limits,
    )


def find_members(
    items: Items,
    checkpoint_ids: Sequence[str],
    limits: Limits,
    *,
    fewest: int = 1,
) -> Mapping[str, Sequence[Item]]:
    """The items of each checkpoint; none for a checkpoint without items.

    Nothing but lists can show that there are none: the one that is narrowed
    to the checkpoint and the whole one have to agree.

    :param fewest: of fewer than so many the same holds.
    :raises NoItems: on a cloud without items.
    """
    found: dict[str, list[Item]] = {id: [] for id in checkpoint_ids}
    many = len(checkpoint_ids) > FEW
    if many:
        _sort_into(found, read_all(items))
    absent = [id for id, members in found.items() if not members]
    for outcome in bulk.each(
        absent,
        lambda id: read_all(items, checkpoint_id=id),
        concurrency=limits.concurrency,
        stop=limits.stop,
    ):
        found[outcome.target] = bulk.result_of(outcome)
    doubtful = {id: m for id, m in found.items() if len(m) < fewest}
    if not many and doubtful:
        _sort_into(doubtful, read_all(items))
    return found


def _sort_into(found: Mapping[str, list[Item]], items: Iterable[Item]) -> None:
    known = {item.id for members in found.values() for item in members}
    for item in items:
        if item.checkpoint_id in found and item.id not in known:
            found[item.checkpoint_id].append(item)


def existence_of(
    items: Items, known: Mapping[str, Item] | None = None
) -> Existence[Item]:
    """What tells whether backups of servers are there.

    :param known: those that this run saw, by id.
    :raises NoItems: on a cloud without items, when it is asked.
    """
    runs = {id: item.checkpoint_id for id, item in (known or {}).items()}

    def listed(ids: Collection[str]) -> Iterator[Item]:
        for checkpoint_id in owners_to_list(ids, runs):
            yield from read_all(items, checkpoint_id=checkpoint_id)

    return Existence(items.get, listed)


def read_all(
    items: Items,
    *,
    checkpoint_id: str | None = None,
    name: str | None = None,
) -> list[Item]:
    """A list of items to its end.

    :raises NoItems: on a cloud without items.
    """
    return list(items.list(checkpoint_id=checkpoint_id, name=name))


def choose_item(
    bearers: Sequence[Item], argument: str
) -> Item | errors.ClientError:
    """The only one of several items that bear a name, or the refusal."""
    try:
        chosen = choose_by_name(
            bearers, argument, WHAT, describe_item, several=SEVERAL
        )
        demand_id(chosen.id)
        demand_id(chosen.checkpoint_id)
        return chosen
    except errors.ClientError as refusal:
        return refusal


def describe_item(item: Item) -> str:
    """One item for a person who has to tell it from others."""
    server = item.server_name or item.server_id or 'unknown'
    return (
        f'{brief(item.id)} (server {brief(server)}, {brief(item.status)}, '
        f'{brief(item.created_at or "no date")}, checkpoint '
        f'{brief(item.checkpoint_id)})'
    )


def seen_of(item: Item) -> Seen:
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
    return Seen(item.status, ', '.join(parts) or None, item.updated_at)


def seen_while_deleting(item: Item) -> Seen:
    """The same, without what another task has failed at."""
    failed = dict_or_empty(item.body.get('extend_info')).get('fail_op')
    if item.status == 'available' and failed not in (None, '', 'delete'):
        return Seen(item.status, None, item.updated_at)
    return seen_of(item)


def quietly(ask: Callable[[], R]) -> R | None:
    """An answer that only helps a message; None if there is none."""
    try:
        return ask()
    except errors.ClientError:
        return None
