# SPDX-License-Identifier: Apache-2.0
"""Policies in words and for machines."""

import json
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.schedule.policies import csbs_policy, vbs_policy, wrapped
from tests.unit.values import JSON
from vbsclient.api import csbs, vbs
from vbsclient.osc.output.columns import cells
from vbsclient.osc.output.policies import (
    SHOWN_AT_END,
    NextRun,
    NextRuns,
    Run,
    columns,
    of_servers,
    of_volumes,
    without_next_run,
)

NOW = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)  # a Thursday
AT = datetime(2026, 11, 29, 22, tzinfo=timezone.utc)


@pytest.fixture
def zone(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """The time zone of this machine."""
    with monkeypatch.context() as patch:
        patch.setenv('TZ', request.param)
        time.tzset()
        yield
    time.tzset()


def volumes(body: dict[str, Any], count: int = 1) -> Any:
    return of_volumes(vbs.Policy.from_body(body), NOW, count)


def servers(body: dict[str, Any], count: int = 1) -> Any:
    return of_servers(csbs.Policy.from_body(body), NOW, count)


def told(row: Any, formatter: str) -> dict[str, Any]:
    all_columns = (*columns('Members'), *SHOWN_AT_END)
    values = cells(
        [column.value(row) for column in all_columns],
        [column.kind for column in all_columns],
        formatter,
    )
    if formatter == 'table':
        values = [value.human_readable() for value in values]
    titles = [column.title for column in all_columns]
    return dict(zip(titles, values, strict=True))


def test_a_policy_of_vbs() -> None:
    row = volumes(vbs_policy(frequency=1))
    shown = told(row, 'table')
    assert shown['Schedule'] == 'every day at 01:00 and 13:00 (UTC)'
    assert shown['Retention'] == 'keep the last 10'
    assert shown['Next Run'] == '2026-11-26 13:00 UTC'
    assert (shown['Enabled'], shown['Members']) == ('True', '3')
    raw = told(row, 'json')
    assert raw['Next Run'] == '2026-11-26T13:00:00+00:00'
    assert raw['Next Runs'] == [raw['Next Run']]
    assert raw['Enabled'] is True
    json.dumps(raw)


def test_a_policy_of_csbs() -> None:
    row = servers(csbs_policy(max_backups=-1))
    shown = told(row, 'table')
    assert shown['Retention'] == 'keep all'
    assert shown['Next Run'] == '2026-11-27 02:00 UTC'
    assert shown['Members'] == '1'
    assert told(row, 'json')['Retention']['last'] == -1


def test_a_disabled_policy_has_no_next_run() -> None:
    for row in (
        volumes(vbs_policy(status='OFF')),
        servers(csbs_policy(enabled=False)),
    ):
        raw = told(row, 'json')
        assert (raw['Next Run'], raw['Next Runs']) == (None, [])
        assert told(row, 'table')['Next Run'] == ''


def test_what_is_only_about_right_says_so() -> None:
    row = volumes(vbs_policy(frequency=3), 2)
    assert told(row, 'table')['Next Run'].startswith('about 2026-')
    assert told(row, 'table')['Next Runs'].count('about ') == 2
    assert any('only about right' in remark for remark in row.remarks)
    assert any('day 1 of each month' in remark for remark in row.remarks)
    assert not volumes(vbs_policy(frequency=1)).remarks


@pytest.mark.parametrize(
    ('rule', 'word'),
    [
        ('FREQ=HOURLY', 'not known'),
        ('FREQ=DAILY;UNTIL=20200101T000000Z;BYHOUR=1', 'not known'),
        ('nonsense', 'not known'),
    ],
)
def test_runs_that_cannot_be_told_are_unknown(rule: str, word: str) -> None:
    row = servers(csbs_policy(wrapped(rule)))
    assert row.next_runs is None
    assert row.next_run is None
    assert [remark for remark in row.remarks if word in remark]


@pytest.mark.parametrize(
    ('zone', 'text'),
    [
        ('Etc/UTC', 'Sun 2026-11-29 22:00 UTC'),
        ('Europe/Berlin', 'Sun 2026-11-29 22:00 UTC (Sun 23:00 local time)'),
        ('Asia/Tokyo', 'Sun 2026-11-29 22:00 UTC (Mon 07:00 local time)'),
        ('America/Lima', 'Sun 2026-11-29 22:00 UTC (Sun 17:00 local time)'),
    ],
    indirect=['zone'],
)
@pytest.mark.usefixtures('zone')
def test_a_run_in_utc_and_local_time(text: str) -> None:
    assert NextRuns([Run(AT, False)]).human_readable() == text
    about = NextRuns([Run(AT, True)] * 2).human_readable()
    assert about == f'about {text}\nabout {text}'


def test_next_runs_are_sorted_by_time() -> None:
    early, late = Run(NOW, True), Run(AT, False)
    unknown = NextRun(None)
    assert sorted([unknown, NextRun(late), NextRun(early)]) == [
        NextRun(early),
        NextRun(late),
        unknown,
    ]


def test_hostile_texts_are_visible() -> None:
    row = servers(csbs_policy(wrapped('FREQ=\x1b[31m')))
    shown = told(row, 'table')
    assert '\x1b' not in ''.join(shown.values())
    assert r'\x1b[31m' in shown['Schedule']


def test_one_policy_has_all_its_runs_in_one_field() -> None:
    titles = [column.title for column in without_next_run(columns('Servers'))]
    assert titles == [
        *('ID', 'Name', 'Enabled', 'Schedule', 'Retention', 'Servers'),
    ]


@given(JSON, JSON, JSON)
def test_whatever_is_answered_is_shown(one: Any, two: Any, three: Any) -> None:
    id = '00000000-0000-4000-8000-000000000001'
    operation = {'enabled': two, 'operation_definition': one, 'trigger': three}
    for row in (
        volumes({'backup_policy_id': id, 'scheduled_policy': one}),
        volumes(vbs_policy(start_time=one, frequency=two, rentention_num=two)),
        servers({'id': id, 'resources': one, 'scheduled_operations': two}),
        servers({'id': id, 'scheduled_operations': [operation]}),
    ):
        json.dumps(told(row, 'json'))
        assert all(isinstance(v, str) for v in told(row, 'table').values())


@given(st.sampled_from(['max_backups', 'month_backups', 'permanent']), JSON)
def test_what_is_kept_is_not_guessed(key: str, value: Any) -> None:
    row = servers(csbs_policy(**{key: value}))
    is_read = value in (None, '') or isinstance(
        value, bool | int | float | str
    )
    assert row.retention is None or is_read
