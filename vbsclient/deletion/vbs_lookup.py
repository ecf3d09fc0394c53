# SPDX-License-Identifier: Apache-2.0
"""Finding the backups of disks that a user named, with few requests."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from vbsclient.api import errors
from vbsclient.api.http import is_uuid
from vbsclient.api.vbs import Backup, Backups, VBSClient
from vbsclient.deletion.judgement import (
    Existence,
    Findings,
    is_gone,
    missing_if_gone,
    owners_to_list,
)
from vbsclient.deletion.naming import choose_by_name, demand_id, sift_names
from vbsclient.deletion.targets import FEW, Limits
from vbsclient.deletion.wording import brief

WHAT = 'backup'


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
) -> Findings[Backup]:
    """The backup for each name or id, or why there is none.

    A few are asked for one by one; for many the list is read once.
    """
    found: Findings[Backup] = {}
    asked, refusals = sift_names(arguments, WHAT)
    found.update(refusals)
    if len(asked) <= FEW:
        found.update(_ask_for_each(backups, asked, limits))
    else:
        found.update(_read_the_list(backups, asked, limits))
    return found


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


def _find_each(
    backups: Backups,
    ids: Sequence[str],
    limits: Limits,
    *,
    unlisted: bool = False,
) -> Findings[Backup]:
    """The backup for each id; Missing where its absence is proven."""
    found = existence_of(backups).of(ids, limits, unlisted=unlisted)
    return missing_if_gone(found, WHAT)


def _ask_for_each(
    backups: Backups, asked: Sequence[str], limits: Limits
) -> Findings[Backup]:
    found = _find_each(backups, [a for a in asked if is_uuid(a)], limits)
    for name in (a for a in asked if not is_uuid(a)):
        bearers = [
            backup
            for backup in backups.list(name=name)
            if backup.name == name and backups.owns(backup)
        ]
        found[name] = _choose(bearers, name)
    return found


def _read_the_list(
    backups: Backups, asked: Sequence[str], limits: Limits
) -> Findings[Backup]:
    wanted = set(asked)
    by_id: dict[str, Backup] = {}
    by_name: dict[str, list[Backup]] = {}
    for backup in backups.list():
        if is_gone(backup.status):
            continue
        if backup.id in wanted and is_uuid(backup.id):
            by_id[backup.id] = backup
        if backup.name in wanted and backups.owns(backup):
            by_name.setdefault(backup.name, []).append(backup)
    # An offset walk skips rows while others vanish: ask for the absent.
    absent = [a for a in asked if is_uuid(a) and a not in by_id]
    found = _find_each(backups, absent, limits, unlisted=True)
    for argument in asked:
        if argument in by_id:
            found[argument] = by_id[argument]
        elif not is_uuid(argument):
            found[argument] = _choose(by_name.get(argument, []), argument)
    return found


def _choose(
    bearers: Sequence[Backup], name: str
) -> Backup | errors.ClientError:
    try:
        chosen = choose_by_name(bearers, name, WHAT, _describe)
        demand_id(chosen.id)
        return chosen
    except errors.ClientError as refusal:
        return refusal


def _describe(backup: Backup) -> str:
    return (
        f'{brief(backup.id)} ({brief(backup.status)}, '
        f'{brief(backup.created_at or "no date")}, volume '
        f'{brief(backup.volume_id)})'
    )
