# SPDX-License-Identifier: Apache-2.0
"""What a plan keeps and deletes, and what became of it, for people.

A terminal gets a table for each volume or server.  Two ids in one line would
leave no room for anything else: the id of the group is in a heading, and the
id of a backup is below its name where the terminal is narrow.  The narrow
layout is not cliff's ``--fit-width``, which makes wide columns equally wide
and so breaks ids.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from vbsclient.bulk import State
from vbsclient.deletion.prune import Absence, group_label
from vbsclient.osc.output.columns import Column, Megabytes, MultiLine, Time
from vbsclient.osc.output.report import Report
from vbsclient.osc.output.text import Text, visible
from vbsclient.retention import Candidate, Decision, Plan
from vbsclient.wording import listed

#: The width of all but name and reasons where a backup has one line: the id,
#: a time, a size such as 1023.9 GB, the action, and what is between them.
_ONE_LINE_WIDTH = 36 + 19 + 9 + 6 + 19

#: The width of all but the reasons where a backup has several lines.
_NARROW_WIDTH = 36 + 10 + 6 + 13

#: No reason is cut into smaller pieces.
_MIN_REASON_WIDTH = 15

#: The service refuses to create more backups of a volume.
_MAX_BACKUPS_OF_VOLUME = 20


@dataclass(frozen=True)
class BackupKind:
    """How the backups of one service are grouped and measured.

    :ivar group: what they are grouped by: (one, several).
    :ivar size: the column type of a size.
    :ivar megabytes: the unit of a size in MB.
    :ivar size_note: what the size of one backup means.
    """

    group: tuple[str, str]
    size: type[Text]
    megabytes: int
    size_note: str


# -- tables ----------------------------------------------------------------


def one_table(size: type[Text], *, for_people: bool) -> Sequence[Column]:
    """The columns of a table of all groups.

    :param for_people: whether a group has a name, not its id.
    """

    def group(decision: Decision) -> str:
        backup = decision.backup
        return (for_people and backup.group_name) or backup.group

    return (Column('Group', group), *_one_line(size))


def columns_for(
    decisions: Sequence[Decision], size: type[Text], width: int | None
) -> Sequence[Column]:
    """The columns of the tables of the groups.

    :param decisions: what will be shown.
    :param width: of the terminal; None if there is none.
    """
    names = reasons = 0
    for decision in decisions:
        names = max(names, len(visible(decision.backup.name or '')))
        reasons = max(reasons, *map(len, decision.reasons))
    if width is None or width >= _ONE_LINE_WIDTH + names + reasons:
        return _one_line(size)
    return _narrow(max(width - _NARROW_WIDTH, _MIN_REASON_WIDTH))


def by_group(
    plan: Plan, decisions: Iterable[Decision], noun: str
) -> Iterator[tuple[str, list[Decision]]]:
    """The heading of each group, and what is shown of it."""
    total = Counter(d.backup.group for d in plan.decisions)
    deleted = Counter(d.backup.group for d in plan.deleted)
    for group, members in groupby(decisions, lambda d: d.backup.group):
        rows = list(members)
        label = visible(group_label(rows[0].backup))
        yield (
            f'{noun.capitalize()} {label}: {deleted[group]} of '
            f'{total[group]} to delete',
            rows,
        )


def _one_line(size: type[Text]) -> Sequence[Column]:
    return (
        Column('Name', lambda d: d.backup.name),
        Column('ID', lambda d: d.backup.id),
        Column('Created At', lambda d: d.backup.created_at, Time),
        Column('Size', lambda d: d.backup.size, size),
        Column('Action', _action_of),
        Column('Reasons', lambda d: list(d.reasons), MultiLine),
    )


def _narrow(reason_width: int) -> Sequence[Column]:
    def reasons(decision: Decision) -> list[str]:
        return [
            line
            for reason in decision.reasons
            for line in textwrap.wrap(reason, reason_width)
        ]

    def day_and_time(decision: Decision) -> list[str]:
        time = Time(decision.backup.created_at)
        return time.human_readable().split(' ', 1)

    return (
        Column(
            'Name and ID',
            lambda d: [d.backup.name or '', d.backup.id],
            MultiLine,
        ),
        Column('Created At', day_and_time, MultiLine),
        Column('Action', _action_of),
        Column('Reasons', reasons, MultiLine),
    )


def _action_of(decision: Decision) -> str:
    return 'keep' if decision.keep else 'delete'


# -- sentences -------------------------------------------------------------


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
    in_progress = f' ({accepted} still in progress)' if accepted else ''
    done = {
        outcome.target.id
        for outcome in report.outcomes
        if outcome.state in (State.ACCEPTED, State.DONE)
    }
    gone = {id for id, absence in absent.items() if absence.is_gone}
    kept = sum(d.backup.id not in gone for d in plan.kept)
    backups = [d.backup for d in plan.deleted if d.backup.id in done]
    return (
        f'Deleted: {deleted + accepted}{in_progress}, kept: {kept}, '
        f'skipped: {skipped}, failed: {results.total()}{incomplete}.'
        f'{_size_of(backups, kind, is_vendor)}'
    )


def _size_of(
    backups: Sequence[Candidate], kind: BackupKind, is_vendor: bool
) -> str:
    if not backups:
        return ''
    total = sum(backup.size or 0 for backup in backups) * kind.megabytes
    delay = '; space is freed within three days' if is_vendor else ''
    return (
        f' Nominal size of deleted backups: '
        f'{Megabytes(total).human_readable()} ({kind.size_note}{delay}).'
    )


def full_volumes(plan: Plan) -> str:
    """A warning of volumes that keep as many backups as they can have."""
    kept = Counter(
        volume_id
        for decision in plan.kept
        for volume_id in decision.backup.volume_ids
    )
    full = [
        f'{visible(volume_id)} ({count})'
        for volume_id, count in sorted(kept.items())
        if count >= _MAX_BACKUPS_OF_VOLUME
    ]
    if not full:
        return ''
    return (
        f'A volume can have {_MAX_BACKUPS_OF_VOLUME} backups; where that '
        f'many are kept, the next one will be refused: {listed(full)}.'
    )
