# SPDX-License-Identifier: Apache-2.0
"""Finding checkpoints and server backups that a user named."""

from __future__ import annotations

from collections.abc import (
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)

from vbsclient import bulk
from vbsclient.api import errors
from vbsclient.api.csbs import ServerBackup, ServerBackups
from vbsclient.api.http import Limits
from vbsclient.api.paths import is_uuid
from vbsclient.api.values import dict_or_empty
from vbsclient.lookup.existence import (
    MAX_SINGLE_GETS,
    Existence,
    LookupResult,
    is_gone,
    owners_to_list,
)
from vbsclient.lookup.names import Kind, validate_names
from vbsclient.waiting import ResourceStatus
from vbsclient.wording import brief, moment

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
        first_page=backups.first_page,
    )


def find_checkpoint_ids(
    backups: ServerBackups, arguments: Sequence[str]
) -> LookupResult[str]:
    """The id of each checkpoint, by id or by the name of its backups.

    An id costs no request, and is not looked up.

    :raises NoServerBackups: for a name, on a cloud without backups.
    """
    valid, found = validate_names(arguments, _CHECKPOINT.what)
    found |= {id: id for id in valid if is_uuid(id)}
    names = [argument for argument in valid if not is_uuid(argument)]
    many = len(names) > MAX_SINGLE_GETS
    every = read_all(backups) if many else []
    for name in names:
        matches = {
            row.checkpoint_id: row
            for row in (every if many else read_all(backups, name=name))
            if row.name == name
            and backups.owns(row)
            and not is_gone(row.status)
        }
        try:
            one = _CHECKPOINT.choose(list(matches.values()), name)
            found[name] = one.checkpoint_id
        except errors.ClientError as refusal:
            found[name] = refusal
    return found


def find_members(
    backups: ServerBackups,
    checkpoint_ids: Sequence[str],
    limits: Limits,
    *,
    fewest: int = 1,
) -> Mapping[str, Sequence[ServerBackup]]:
    """The backups of each checkpoint; none for a checkpoint without backups.

    Nothing but lists can show that there are none: the one that is narrowed
    to the checkpoint and the whole one have to agree.

    :param fewest: of fewer than so many the same holds.
    :raises NoServerBackups: on a cloud without backups.
    """
    found: dict[str, list[ServerBackup]] = {id: [] for id in checkpoint_ids}
    many = len(checkpoint_ids) > MAX_SINGLE_GETS
    if many:
        _sort_into(found, read_all(backups))
    absent = [id for id, members in found.items() if not members]
    for outcome in bulk.each(
        absent,
        lambda id: read_all(backups, checkpoint_id=id),
        limits,
    ):
        found[outcome.target] = bulk.result_of(outcome)
    uncertain = {id: m for id, m in found.items() if len(m) < fewest}
    if not many and uncertain:
        _sort_into(uncertain, read_all(backups))
    return found


def _sort_into(
    found: Mapping[str, list[ServerBackup]], backups: Iterable[ServerBackup]
) -> None:
    known = {backup.id for members in found.values() for backup in members}
    for backup in backups:
        if backup.checkpoint_id in found and backup.id not in known:
            found[backup.checkpoint_id].append(backup)


def existence_of(
    backups: ServerBackups, known: Mapping[str, ServerBackup] | None = None
) -> Existence[ServerBackup]:
    """What tells whether server backups are there.

    :param known: those that this run saw, by id.
    :raises NoServerBackups: on a cloud without backups, when it is asked.
    """
    runs = {id: backup.checkpoint_id for id, backup in (known or {}).items()}

    def listed(ids: Collection[str]) -> Iterator[ServerBackup]:
        for checkpoint_id in owners_to_list(ids, runs):
            yield from read_all(backups, checkpoint_id=checkpoint_id)

    return Existence(backups.get, listed)


def read_all(
    backups: ServerBackups,
    *,
    checkpoint_id: str | None = None,
    name: str | None = None,
) -> list[ServerBackup]:
    """A list of backups to its end.

    :raises NoServerBackups: on a cloud without backups.
    """
    return list(backups.list(checkpoint_id=checkpoint_id, name=name))


def _describe(backup: ServerBackup) -> str:
    """One backup, for a person who has to choose."""
    server = backup.server_name or backup.server_id or 'unknown'
    return (
        f'{brief(backup.id)} (server {brief(server)}, {brief(backup.status)}, '
        f'{moment(backup.created_at)}, checkpoint '
        f'{brief(backup.checkpoint_id)})'
    )


KIND = Kind(
    'server backup',
    _describe,
    lambda backup: [backup.id, backup.checkpoint_id],
)


def _describe_checkpoint(backup: ServerBackup) -> str:
    created_at = moment(backup.created_at)
    return f'{brief(backup.checkpoint_id)} ({created_at})'


_CHECKPOINT = Kind(
    'checkpoint',
    _describe_checkpoint,
    ids=lambda backup: [backup.checkpoint_id],
)


def seen_of(backup: ServerBackup) -> ResourceStatus:
    """What one poll says of a backup, with the reasons of a failure."""
    return ResourceStatus(
        backup.status, ', '.join(_reasons(backup)) or None, backup.updated_at
    )


def seen_while_creating(backup: ServerBackup) -> ResourceStatus:
    """The same for a sentence: the service repeats itself."""
    reasons = dict.fromkeys(part.rstrip('.') for part in _reasons(backup))
    return ResourceStatus(
        backup.status,
        ', '.join(reasons) or None,
        backup.updated_at,
        backup.progress,
    )


def _reasons(backup: ServerBackup) -> list[str]:
    """What an answer says of what failed last."""
    extend = dict_or_empty(backup.body.get('extend_info'))
    code = dict_or_empty(extend.get('fail_code'))
    return [
        str(part)
        for part in (
            extend.get('fail_op'),
            extend.get('fail_reason'),
            code.get('Code'),
            code.get('Description'),
        )
        if part not in (None, '')
    ]


def seen_while_deleting(backup: ServerBackup) -> ResourceStatus:
    """The same, without what another task has failed at."""
    failed = dict_or_empty(backup.body.get('extend_info')).get('fail_op')
    if backup.status == 'available' and failed not in (None, '', 'delete'):
        return ResourceStatus(backup.status, None, backup.updated_at)
    return seen_of(backup)
