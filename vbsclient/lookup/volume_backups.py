# SPDX-License-Identifier: Apache-2.0
"""Finding the volume backups that a user named, with few requests."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from vbsclient.api import errors
from vbsclient.api.http import Limits
from vbsclient.api.paging import first_of
from vbsclient.api.vbs import Backup, Backups, VBSClient
from vbsclient.lookup.existence import Existence, LookupResult, owners_to_list
from vbsclient.lookup.labels import VolumeLabel, no_label
from vbsclient.lookup.names import Kind
from vbsclient.waiting import ResourceStatus
from vbsclient.wording import brief, moment

LOG = logging.getLogger(__name__)

#: The key of what v2 alone says of a backup.
_MARK = 'service_metadata'


def keeps_chains(vbs: VBSClient, *, has_marks: bool, has_shares: bool) -> bool:
    """Whether the service may refuse to delete what others are built on.

    VBS deletes any backup of a chain, and Cinder does not.  The type in the
    catalog proves nothing, since a plain Cinder may be behind each of them:
    without a sign of VBS chains are kept together, which deletes less.

    :param has_marks: whether a backup had what only VBS tells of one.
    :param has_shares: whether the calls for shares have answered.
    """
    endpoint = vbs.endpoint
    return endpoint.vendor is None or not (
        has_marks or (has_shares and endpoint.is_one_service)
    )


def find_backups(
    backups: Backups,
    arguments: Sequence[str],
    limits: Limits,
    label: VolumeLabel = no_label,
) -> LookupResult[Backup]:
    """The backup for each name or id, or why there is none.

    :param label: how people call a volume, for who has to choose.
    """
    kind = replace(KIND, describe=partial(_describe, label=label))
    return kind.find(
        arguments,
        existence_of(backups),
        lambda name: backups.list(name=name),
        backups.owns,
        limits,
        first_page=backups.first_page,
    )


def list_marked(
    vbs: VBSClient, *, verified: bool = False, **filters: Any
) -> Iterator[Backup]:
    """The backups, with what v2 alone tells of where they come from.

    :param verified: whether each is to be as the service shows it that
        deletes it, which then is asked for them; else one list is enough
        where both versions are of one service.
    """
    v2 = vbs.backups_v2
    if v2 is None or v2 is vbs.backups:
        return vbs.backups.list(**filters)
    if verified or not vbs.endpoint.is_one_service:
        return _with_marks(vbs.backups.list(**filters), v2.list(**filters))
    return first_of(
        v2.list(**filters),
        lambda: vbs.backups.list(**filters),
        unless=errors.NOT_OFFERED,
    )


def _with_marks(
    backups: Iterator[Backup], marked: Iterator[Backup]
) -> Iterator[Backup]:
    """Backups, each with the mark of the same one in another list.

    That list is read no further than it must be; what it does not know, or
    does not tell, has no mark.
    """
    others: dict[str, Backup] = {}
    for backup in backups:
        while backup.id not in others:
            try:
                other = next(marked, None)
            except errors.Cancelled:
                raise
            except errors.ClientError as error:
                LOG.info(
                    'The mark of CSBS is not read: %.500r.', error.message
                )
                other = None
            if other is None:
                marked = iter(())
                break
            others[other.id] = other
        yield _with_mark(backup, others.pop(backup.id, None))


def _with_mark(backup: Backup, other: Backup | None) -> Backup:
    if other is None or _MARK not in other.body:
        return backup
    return Backup.from_body({**backup.body, _MARK: other.body[_MARK]})


def marked(vbs: VBSClient, backup: Backup) -> Backup:
    """One backup with what v2 alone tells, if it does."""
    v2 = vbs.backups_v2
    if v2 is None or v2 is vbs.backups:
        return backup
    try:
        other = v2.get(backup.id)
    except errors.NOT_OFFERED:
        return backup
    if vbs.endpoint.is_one_service:
        return other
    return _with_mark(backup, other)


def existence_of(
    backups: Backups, known: Mapping[str, Backup] | None = None
) -> Existence[Backup]:
    """What tells whether backups are there.

    :param known: what this run saw of them before, by id.
    """
    volumes = {id: backup.volume_id for id, backup in (known or {}).items()}

    def listed(ids: Collection[str]) -> Iterator[Backup]:
        for volume_id in owners_to_list(ids, volumes):
            yield from backups.list(volume_id=volume_id)

    return Existence(backups.get, listed)


def status_of(backup: Backup) -> ResourceStatus:
    """What one poll says of a backup."""
    return ResourceStatus(backup.status, backup.fail_reason, backup.updated_at)


def _describe(backup: Backup, label: VolumeLabel = no_label) -> str:
    volume = label(backup.volume_id) or backup.volume_id
    return (
        f'{brief(backup.id)} ({brief(backup.status)}, '
        f'{moment(backup.created_at)}, volume {brief(volume)})'
    )


KIND = Kind('backup', _describe)
