# SPDX-License-Identifier: Apache-2.0
"""What a plan keeps and deletes, and what became of it, for people.

A terminal gets a table for each volume or server.  Two ids in one line would
leave no room for anything else: the id of the group is in a heading.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from vbsclient.bulk import State
from vbsclient.deletion.prune import Absence, group_label
from vbsclient.osc.output.columns import (
    Column,
    Gigabytes,
    MultiLine,
    Time,
    Word,
)
from vbsclient.osc.output.layout import Group
from vbsclient.osc.output.report import Report
from vbsclient.osc.output.text import shortened, visible
from vbsclient.retention import Candidate, Decision, Plan
from vbsclient.wording import counted, listed

#: The service refuses to create more backups of a volume.
_MAX_BACKUPS_OF_VOLUME = 20


@dataclass(frozen=True)
class BackupKind:
    """How the backups of one service are grouped and measured.

    :ivar group: what they are grouped by: (one, several).
    :ivar size_note: what the size of one backup means.
    """

    group: tuple[str, str]
    size_note: str


# -- tables ----------------------------------------------------------------

#: The columns of the table of each group.
COLUMNS = (
    Column('Name', lambda d: d.backup.name),
    Column('ID', lambda d: d.backup.id, below='Name'),
    Column('Created At', lambda d: d.backup.created_at, Time),
    Column('Size', lambda d: d.backup.size, Gigabytes, below='Action'),
    Column('Action', lambda d: 'keep' if d.keep else 'delete', Word),
    Column('Reasons', lambda d: list(d.reasons), MultiLine),
)

#: The columns of one table of all groups.
ALL_COLUMNS = (
    Column(
        'Group',
        lambda d: d.backup.group,
        label=lambda d: d.backup.group_name or d.backup.group,
    ),
    *COLUMNS,
    Column('Group Name', lambda d: d.backup.group_name, machine_only=True),
)


def groups_of(
    plan: Plan,
    noun: str,
    rows_of: Callable[[Sequence[Decision]], Sequence[Sequence[Any]]],
    *,
    with_kept: bool,
) -> Iterator[Group]:
    """What is shown of each group.

    :param noun: what a group is.
    :param rows_of: makes the rows of a table.
    :param with_kept: whether each backup that is kept has a row; else a line
        says how many there are.
    """
    for _, members in groupby(plan.decisions, lambda d: d.backup.group):
        decisions = list(members)
        deleted = [d for d in decisions if not d.keep]
        kept = [d for d in decisions if d.keep]
        label = shortened(group_label(decisions[0].backup))
        yield Group(
            f'{noun.capitalize()} {label}: {len(deleted)} of '
            f'{len(decisions)} to delete',
            rows_of(decisions if with_kept else deleted),
            '' if with_kept else _kept(kept),
        )


def _kept(decisions: Sequence[Decision]) -> str:
    """How many are kept, and the newest of them."""
    if not decisions:
        return 'None is kept.'
    restorable = (d.backup for d in decisions if d.backup.counts)
    newest = next(restorable, None)
    if newest is None:
        return f'Kept: {len(decisions)}, none of which counts for the rules.'
    name = visible(newest.name or newest.id)
    time = Time(newest.created_at).human_readable()
    return (
        f'Kept: {len(decisions)}, the newest that can be restored is {name} '
        f'of {time}.'
    )


# -- sentences -------------------------------------------------------------


def nothing_to_delete(plan: Plan, kind: BackupKind) -> str:
    """That all is kept."""
    if len(plan.kept) == 1:
        return 'Nothing to delete: the only backup is kept.'
    groups = len({decision.backup.group for decision in plan.kept})
    return (
        f'Nothing to delete: all {len(plan.kept)} backups of '
        f'{counted(groups, *kind.group)} are kept.'
    )


def dry_run_summary(plan: Plan, kind: BackupKind, is_vendor: bool) -> str:
    """What a plan would do."""
    return (
        f'Would delete {len(plan.deleted)}, keep {len(plan.kept)}.'
        f'{_size_of([d.backup for d in plan.deleted], kind, is_vendor)}'
    )


def summary(
    plan: Plan,
    report: Report,
    absent: Mapping[str, Absence],
    kind: BackupKind,
    is_vendor: bool,
) -> str:
    """What became of a plan.

    :param absent: what was to be kept and is not as the list shows it.
    """
    results = Counter(map(report.result, report.outcomes))
    deleted, accepted = results.pop('deleted', 0), results.pop('accepted', 0)
    skipped = results.pop('skipped', 0)
    incomplete = ''.join(
        f', {word}: {results.pop(word)}'
        for word in ('unknown', 'not sent')
        if word in results
    )
    in_progress = f', in progress: {accepted}' if accepted else ''
    done = {
        outcome.target.id
        for outcome in report.outcomes
        if outcome.state in (State.ACCEPTED, State.DONE)
    }
    gone = {id for id, absence in absent.items() if absence.is_gone}
    kept = sum(d.backup.id not in gone for d in plan.kept)
    backups = [d.backup for d in plan.deleted if d.backup.id in done]
    return (
        f'Deleted: {deleted}{in_progress}, kept: {kept}, '
        f'skipped: {skipped}, failed: {results.total()}{incomplete}.'
        f'{_size_of(backups, kind, is_vendor)}'
    )


def _size_of(
    backups: Sequence[Candidate], kind: BackupKind, is_vendor: bool
) -> str:
    if not backups:
        return ''
    delay = '; space is freed within three days' if is_vendor else ''
    return f' Nominal size: {nominal_size(backups)} ({kind.size_note}{delay}).'


def nominal_size(backups: Iterable[Candidate]) -> str:
    """The sum of their sizes."""
    total = sum(backup.size or 0 for backup in backups)
    return Gigabytes(total).human_readable()


def full_volumes(plan: Plan) -> str:
    """A warning of volumes that keep as many backups as they can have."""
    kept: Counter[str] = Counter()
    labels: dict[str, str] = {}
    for backup in (decision.backup for decision in plan.kept):
        kept.update(backup.volume_ids)
        labels[backup.group] = group_label(backup)
    full = [
        f'{visible(labels.get(volume_id, volume_id))}: {count}'
        for volume_id, count in sorted(kept.items())
        if count >= _MAX_BACKUPS_OF_VOLUME
    ]
    if not full:
        return ''
    return (
        f'A volume can have {_MAX_BACKUPS_OF_VOLUME} backups; where that '
        f'many are kept, the next one will be refused: {listed(full)}.'
    )
