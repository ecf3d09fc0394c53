# SPDX-License-Identifier: Apache-2.0
"""Finding the backups of disks that a user named, with few requests."""

from __future__ import annotations

from collections.abc import Sequence

from vbsclient.api import errors
from vbsclient.api.http import is_uuid
from vbsclient.api.vbs import Backup, Backups
from vbsclient.deletion.judgement import Findings, ask_each, may_be_no_route
from vbsclient.deletion.naming import choose_by_name, demand_id, sift_names
from vbsclient.deletion.targets import FEW, Limits, Missing
from vbsclient.deletion.wording import brief

WHAT = 'backup'


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


def get_each(
    backups: Backups, ids: Sequence[str], limits: Limits
) -> Findings[Backup]:
    """One GET for each id.

    :raises ClientError: what is no answer about one backup: a failed login,
        a refusal of all, no connection.
    """
    return ask_each(ids, backups.get, limits)


def _ask_for_each(
    backups: Backups, asked: Sequence[str], limits: Limits
) -> Findings[Backup]:
    ids = [a for a in asked if is_uuid(a)]
    found: Findings[Backup] = {}
    answers = get_each(backups, ids, limits)
    if may_be_no_route(answers):
        backups.demand_served()
    for id, answer in answers.items():
        found[id] = _missing(id) if _is_404(answer) else answer
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
        if backup.id in wanted and is_uuid(backup.id):
            by_id[backup.id] = backup
        if backup.name in wanted and backups.owns(backup):
            by_name.setdefault(backup.name, []).append(backup)
    # An offset walk skips rows while others vanish: ask for the absent.
    absent = [a for a in asked if is_uuid(a) and a not in by_id]
    found: Findings[Backup] = {}
    for id, answer in get_each(backups, absent, limits).items():
        found[id] = _missing(id) if _is_404(answer) else answer
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


def _missing(id: str) -> Missing:
    return Missing(f'No {WHAT} found for {id!r}')


def _is_404(answer: object) -> bool:
    return isinstance(answer, errors.NotFound)
