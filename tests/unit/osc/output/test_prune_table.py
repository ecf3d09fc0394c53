# SPDX-License-Identifier: Apache-2.0
"""A plan is readable at a terminal of any usual width."""

import argparse
import io
from datetime import datetime, timedelta, timezone

import pytest
from cliff.formatters.table import TableFormatter

from vbsclient.api.times import CalendarDuration
from vbsclient.osc.output.columns import Gigabytes, row_of
from vbsclient.osc.output.prune_table import by_group, columns_for
from vbsclient.retention import (
    WEEKLY,
    Candidate,
    KeepLast,
    KeepPeriods,
    Plan,
    RuleSet,
    make_plan,
)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=timezone.utc)
ID = '{:08}-0000-4000-8000-000000000000'


def plan(name: str = 'autobk_1a2b') -> Plan:
    """Two of each of two volumes stay, and three of each go."""
    candidates = []
    for number in range(10):
        made = NOW - timedelta(days=number * 3)
        candidates.append(
            Candidate(
                ID.format(number),
                ID.format(90 + number % 2),
                name=name,
                size=1000,
                created=made,
                created_at=f'{made:%Y-%m-%dT%H:%M:%S.%f}',
            )
        )
    rule_set = RuleSet(
        (KeepLast(1), KeepPeriods(WEEKLY, 2)), CalendarDuration('10d', days=10)
    )
    return make_plan(candidates, rule_set, NOW)


def screen(plan: Plan, width: int | None) -> list[str]:
    args = argparse.Namespace(
        formatter='table', print_empty=False, max_width=0, fit_width=False
    )
    columns = columns_for(plan.decisions, Gigabytes, width)
    titles = [column.title for column in columns]
    out = io.StringIO()
    for heading, rows in by_group(plan, plan.decisions, 'volume'):
        out.write(f'{heading}\n')
        TableFormatter().emit_list(
            titles, [row_of(columns, row, args) for row in rows], out, args
        )
    return out.getvalue().splitlines()


def test_each_group_has_a_heading_and_a_table() -> None:
    lines = screen(plan(), None)
    headings = [line for line in lines if line.startswith('Volume')]
    assert headings == [
        f'Volume {ID.format(n)}: 3 of 5 to delete' for n in (90, 91)
    ]
    titles = [cell.strip() for cell in lines[2].split('|')[1:-1]]
    assert titles == ['Name', 'ID', 'Created At', 'Size', 'Action', 'Reasons']


def test_a_wide_terminal_has_a_line_for_each_reason_at_most() -> None:
    lines = screen(plan(), 120)
    assert max(map(len, lines)) <= 120
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
    start = next(n for n, line in enumerate(lines) if ID.format(8) in line)
    name, below = (line.split('|') for line in lines[start - 1 : start + 1])
    assert [cell.strip() for cell in name[1:4]] == [
        'autobk_1a2b',
        '2026-10-28',
        'delete',
    ]
    assert [cell.strip() for cell in below[1:3]] == [ID.format(8), '12:00:00']


def test_long_names_make_a_wide_terminal_narrow() -> None:
    lines = screen(plan('x' * 36), 120)
    assert max(map(len, lines)) <= 120
    assert any(ID.format(8) in line for line in lines)


def test_what_is_hostile_is_shown_harmlessly() -> None:
    for width in (80, None):
        text = '\n'.join(screen(plan('a\x1b[31m\nb'), width))
        assert '\x1b' not in text
        assert r'a\x1b[31m\nb' in text
