# SPDX-License-Identifier: Apache-2.0
"""A plan is readable at a terminal of any usual width."""

import argparse
import io
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from cliff.formatters.table import TableFormatter

from vbsclient.api import errors
from vbsclient.api.times import CalendarDuration
from vbsclient.bulk import State
from vbsclient.change.targets import Done, Outcome, Target
from vbsclient.deletion.prune import Absence
from vbsclient.lookup.refusals import SkippedError
from vbsclient.osc.output.columns import requested_columns, row_of
from vbsclient.osc.output.layout import FittedTables
from vbsclient.osc.output.messages import Terms
from vbsclient.osc.output.prune_table import (
    ALL_COLUMNS,
    COLUMNS,
    BackupKind,
    dry_run_summary,
    full_volumes,
    groups_of,
    nothing_to_delete,
    summary,
)
from vbsclient.osc.output.report import Report
from vbsclient.retention import (
    WEEKLY,
    Candidate,
    Decision,
    KeepLast,
    KeepPeriods,
    Plan,
    RuleSet,
    make_plan,
)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=timezone.utc)
ID = '{:08}-0000-4000-8000-000000000000'


def plan(name: str = 'autobk_1a2b') -> Plan:
    """Two of each of two volumes are kept, and three of each deleted."""
    candidates = []
    for number in range(10):
        created = NOW - timedelta(days=number * 3)
        candidates.append(
            Candidate(
                ID.format(number),
                ID.format(90 + number % 2),
                name=name,
                size=1000,
                created=created,
                created_at=f'{created:%Y-%m-%dT%H:%M:%S.%f}',
            )
        )
    rule_set = RuleSet(
        (KeepLast(1), KeepPeriods(WEEKLY, 2)), CalendarDuration('10d', days=10)
    )
    return make_plan(candidates, rule_set, NOW)


def screen(plan: Plan, width: int, *, with_kept: bool = True) -> list[str]:
    args = argparse.Namespace(
        formatter='table', print_empty=False, max_width=width, fit_width=False
    )
    out = io.StringIO()
    tables = FittedTables(TableFormatter(), COLUMNS, 'backup')
    groups = groups_of(
        plan,
        'volume',
        lambda decisions: [row_of(COLUMNS, d, args) for d in decisions],
        with_kept=with_kept,
    )
    titles = [column.title for column in COLUMNS]
    tables.emit_groups(titles, list(groups), out, args)
    return out.getvalue().splitlines()


def test_each_group_has_a_heading_and_a_table() -> None:
    lines = screen(plan(), 0)
    headings = [line for line in lines if line.startswith('Volume')]
    assert headings == [
        f'Volume {ID.format(n)}: 3 of 5 to delete' for n in (90, 91)
    ]
    titles = [cell.strip() for cell in lines[2].split('|')[1:-1]]
    assert titles == ['Name', 'ID', 'Created At', 'Size', 'Action', 'Reasons']


def test_what_is_kept_is_a_line_unless_it_is_asked_for() -> None:
    lines = screen(plan(), 0, with_kept=False)
    assert not any('| keep' in line for line in lines)
    assert sum('| delete' in line for line in lines) == 6
    assert [line for line in lines if line.startswith('Kept')] == [
        'Kept: 2, the newest that can be restored is autobk_1a2b of '
        f'2026-11-{day} 12:00:00.'
        for day in (21, 18)
    ]


def test_a_wide_terminal_has_a_line_for_each_reason_at_most() -> None:
    lines = screen(plan(), 125)
    assert max(map(len, lines)) <= 125
    assert '| Size' in lines[2]
    row = next(line for line in lines if ID.format(8) in line)
    assert 'autobk_1a2b' in row
    assert '2026-10-28 12:00:00' in row
    assert '1000 GB' in row
    assert 'delete' in row


@pytest.mark.parametrize('width', [80, 100])
def test_a_narrow_terminal_breaks_no_id(width: int) -> None:
    lines = screen(plan(), width)
    assert max(map(len, lines)) <= width
    for number in range(10):
        assert any(ID.format(number) in line for line in lines)


def test_the_id_is_below_the_name_where_a_table_is_narrow() -> None:
    lines = screen(plan(), 80)
    start = next(n for n, line in enumerate(lines) if ID.format(8) in line)
    name, below = (line.split('|') for line in lines[start - 1 : start + 1])
    assert [name[1].strip(), name[3].strip()] == ['autobk_1a2b', 'delete']
    assert [below[1].strip(), below[3].strip()] == [ID.format(8), '1000 GB']


def test_long_names_make_a_wide_terminal_narrow() -> None:
    lines = screen(plan('x' * 36), 120)
    assert max(map(len, lines)) <= 120
    assert any(ID.format(8) in line for line in lines)


def test_control_characters_are_escaped() -> None:
    for width in (80, 0):
        text = '\n'.join(screen(plan('a\x1b[31m\nb'), width))
        assert '\x1b' not in text
        assert r'a\x1b[31m\nb' in text


# -- sentences -------------------------------------------------------------


def outcome(id: str, state: State, error: Exception | None = None) -> Any:
    target = Target(id, 'backup', 'VBS', id=id)
    finished = Done(None, is_final=True) if state is State.DONE else None
    return Outcome(target, state, result=finished, error=error)


KIND = BackupKind(('volume', 'volumes'), 'whole volumes')


def small_plan() -> Plan:
    """One of three backups is kept."""
    backups = [Candidate(f'{n}', 'v', size=20) for n in range(3)]
    return Plan([Decision(b, b.id == '0', ('because',)) for b in backups])


def test_a_dry_run_is_summed_up() -> None:
    assert dry_run_summary(small_plan(), KIND, True) == (
        'Would delete 2, keep 1. Nominal size: 40 GB '
        '(whole volumes; space is freed within three days).'
    )
    plan = Plan(small_plan().kept)
    assert dry_run_summary(plan, KIND, True) == 'Would delete 0, keep 1.'


def test_a_run_is_summed_up() -> None:
    outcomes = [
        outcome('1', State.DONE),
        outcome('2', State.SKIPPED, SkippedError('skipped')),
    ]
    report = Report(Terms(), outcomes=outcomes)
    text = summary(small_plan(), report, {}, KIND, False)
    assert text == (
        'Deleted: 1, kept: 1, skipped: 1, failed: 0. Nominal size: 20 GB '
        '(whole volumes).'
    )


def test_what_does_not_exist_is_not_kept() -> None:
    absent = {'0': Absence('there is no such backup', is_gone=True)}
    outcomes = [
        outcome('1', State.FAILED, errors.ClientError('no')),
        outcome('2', State.UNKNOWN, errors.ClientError('lost')),
    ]
    report = Report(Terms(), outcomes=outcomes)
    text = summary(small_plan(), report, absent, KIND, True)
    assert text == 'Deleted: 0, kept: 0, skipped: 0, failed: 1, unknown: 1.'


@pytest.mark.parametrize(('count', 'warned'), [(19, False), (20, True)])
def test_a_volume_that_keeps_its_limit(count: int, warned: bool) -> None:
    kept = [
        Decision(Candidate(f'{n}', 'v', volume_ids=('v',)), True, ())
        for n in range(count)
    ]
    warning = full_volumes(Plan(kept))
    assert warning.endswith('will be refused: v: 20.') == warned
    assert bool(warning) == warned


def test_a_group_has_its_name_for_people_and_its_id_for_programs() -> None:
    decision = Decision(Candidate('1', 'id', group_name='web01'), True, ())
    values = {
        formatter: {
            column.title: column.value(decision)
            for column in requested_columns(
                ALL_COLUMNS,
                argparse.Namespace(formatter=formatter, columns=[]),
                long=False,
            )
        }
        for formatter in ('table', 'json')
    }
    assert values['table']['Group'] == 'web01'
    assert 'Group Name' not in values['table']
    assert values['json']['Group'] == 'id'
    assert values['json']['Group Name'] == 'web01'


def test_that_nothing_goes_is_one_line() -> None:
    assert nothing_to_delete(Plan(small_plan().kept), KIND) == (
        'Nothing to delete: the only backup is kept.'
    )
    kept = [replace(d, keep=True) for d in small_plan().decisions]
    assert nothing_to_delete(Plan(kept), KIND) == (
        'Nothing to delete: all 3 backups of 1 volume are kept.'
    )
