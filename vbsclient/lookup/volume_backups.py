# SPDX-License-Identifier: Apache-2.0
"""Finding the backups of disks that a user named, with few requests."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from vbsclient.api.http import Limits
from vbsclient.api.vbs import Backup, Backups, VBSClient
from vbsclient.lookup.existence import Existence, LookupResult, owners_to_list
from vbsclient.lookup.names import Kind
from vbsclient.wording import brief


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
    backups: Backups, arguments: Sequence[str], limits: Limits
) -> LookupResult[Backup]:
    """The backup for each name or id, or why there is none."""
    return KIND.find(
        arguments,
        existence_of(backups),
        lambda name: backups.list(name=name),
        backups.owns,
        limits,
    )


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


def _describe(backup: Backup) -> str:
    return (
        f'{brief(backup.id)} ({brief(backup.status)}, '
        f'{brief(backup.created_at or "no date")}, volume '
        f'{brief(backup.volume_id)})'
    )


KIND = Kind('backup', _describe)
