# SPDX-License-Identifier: Apache-2.0
"""What a change has come to: only what nobody asked for is told."""

import copy
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest

from tests.unit.schedule.policies import (
    DAILY,
    NOTHING,
    OTHER,
    SERVER,
    csbs_policy,
    vbs_policy,
    wanted,
    wrapped,
)
from vbsclient.schedule import csbs, vbs
from vbsclient.schedule.comparison import Difference, differences
from vbsclient.schedule.values import WantedRetention

NOW = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
Edit = Callable[[dict[str, Any]], object]


def operation(policy: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = policy['scheduled_operations'][0]
    return found


def definition(policy: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = operation(policy)['operation_definition']
    return found


def properties(policy: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = operation(policy)['trigger']['properties']
    return found


def plan(policy: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = policy['scheduled_policy']
    return found


def vbs_changed(edit: Edit) -> list[Difference]:
    """A change of the retention, and what else was found afterwards."""
    before = vbs_policy(time_zone='UTC+02:00')
    change = wanted(WantedRetention(days=30))
    sent = vbs.changed_policy(before, change, NOW)
    after = copy.deepcopy(before) | copy.deepcopy(sent)
    edit(after)
    return differences(before, sent, after)


def csbs_changed(edit: Edit) -> list[Difference]:
    before = csbs_policy()
    change = wanted(WantedRetention(last=5), at=['03:00'])
    sent = csbs.changed_policy(
        before, change, NOW, resources=[SERVER, OTHER], name='db'
    )
    after = copy.deepcopy(before)
    after |= {'name': 'db', 'resources': copy.deepcopy([SERVER, OTHER])}
    one = sent['scheduled_operations'][0]
    definition(after).update(one['operation_definition'])
    properties(after).update(one['trigger']['properties'])
    edit(after)
    return differences(before, sent, after)


@pytest.mark.parametrize(
    'edit',
    [
        lambda p: None,
        lambda p: plan(p).update(rentention_day='30', rentention_num=0),
        lambda p: plan(p).update(week_frequency=None, frequency='2'),
        lambda p: plan(p).update(start_time='13:00, 01:00'),
        lambda p: plan(p).update(remain_first_backup_of_curMonth=False),
        lambda p: plan(p).pop('remain_first_backup_of_curMonth'),
        lambda p: plan(p).update(status='on'),
        lambda p: p.update(time_zone='UTC+2'),
        lambda p: p.update(
            {'backup_policy_name ': p.pop('backup_policy_name')}
        ),
        lambda p: p.update(tags=[], description=''),
    ],
)
def test_what_means_the_same_in_vbs(edit: Edit) -> None:
    assert vbs_changed(edit) == []


@pytest.mark.parametrize(
    ('edit', 'path', 'before', 'wanted', 'after', 'asked'),
    [
        (
            lambda p: plan(p).update(start_time='02:00'),
            'scheduled_policy.start_time',
            *('01:00,13:00', '01:00,13:00', '02:00', False),
        ),
        (
            lambda p: plan(p).update(week_frequency=['MON']),
            'scheduled_policy.week_frequency',
            *(None, None, ['MON'], False),
        ),
        (
            lambda p: plan(p).update(status='OFF'),
            'scheduled_policy.status',
            *('ON', 'ON', 'OFF', False),
        ),
        (
            lambda p: plan(p).update(remain_first_backup_of_curMonth='Y'),
            'scheduled_policy.remain_first_backup_of_curMonth',
            *('N', 'N', 'Y', False),
        ),
        # The change was not made.
        (
            lambda p: plan(p).pop('rentention_day'),
            'scheduled_policy.rentention_day',
            *(None, 30, None, True),
        ),
        (
            lambda p: plan(p).update(rentention_num=10),
            'scheduled_policy.rentention_num',
            *(10, None, 10, True),
        ),
        (
            lambda p: p.pop('time_zone'),
            'time_zone',
            *('UTC+02:00', 'UTC+02:00', None, False),
        ),
        (
            lambda p: p.update(policy_resource_count=2),
            'policy_resource_count',
            *(3, 3, 2, False),
        ),
        (
            lambda p: p.update(backup_policy_name='007'),
            'backup_policy_name',
            *('nightly', 'nightly', '007', False),
        ),
        (lambda p: p.update(new={'a': 1}), 'new.a', None, None, 1, False),
    ],
)
def test_what_nobody_asked_for_in_vbs(
    edit: Edit, path: str, before: Any, wanted: Any, after: Any, asked: bool
) -> None:
    found = vbs_changed(edit)
    assert found == [Difference(path, before, wanted, after)]
    assert found[0].is_asked is asked


def test_a_zone_that_the_list_never_tells() -> None:
    before = vbs_policy()
    change = wanted(at=['04:00+02:00'], every='1d')
    sent = vbs.changed_policy(before, change, NOW)
    assert sent['time_zone'] == 'UTC+02:00'
    after = before | {'scheduled_policy': sent['scheduled_policy']}
    assert differences(before, sent, after) == []
    after['time_zone'] = 'UTC+00:00'
    assert [d.path for d in differences(before, sent, after)] == ['time_zone']


@pytest.mark.parametrize(
    'edit',
    [
        lambda p: None,
        lambda p: p.update(status='disabled', updated_at='now'),
        lambda p: p['resources'].reverse(),
        lambda p: p['resources'][0].update(name='x', extra_info='{}'),
        lambda p: p['resources'][0].update(id=SERVER['id'].upper()),
        lambda p: p.update(description=None),
        lambda p: operation(p).update(enabled='True', trigger_id='x'),
        lambda p: operation(p)['trigger'].update(id='x', name='y', type='z'),
        lambda p: definition(p).update(max_backups='5', permanent='False'),
        lambda p: definition(p).pop('permanent'),
        lambda p: definition(p).pop('retention_duration_days'),
        lambda p: definition(p).update(day_backups=0, timezone='UTC+00:00'),
        lambda p: definition(p).update(plan_id='x', provider_id='y'),
        lambda p: properties(p).update(start_time='2026-11-26 12:00:00'),
        lambda p: properties(p).update(format='ical'),
        lambda p: properties(p).update(
            pattern='RRULE:BYHOUR=3;BYMINUTE=0;INTERVAL=1;FREQ=DAILY'
        ),
    ],
)
def test_what_means_the_same_in_csbs(edit: Edit) -> None:
    assert csbs_changed(edit) == []


SERVERS = sorted([SERVER['id'], OTHER['id']])
PATH = 'scheduled_operations'


@pytest.mark.parametrize(
    ('edit', 'path', 'before', 'wanted', 'after', 'asked'),
    [
        (
            lambda p: p['resources'].pop(0),
            'resources',
            *([SERVER['id']], SERVERS, [OTHER['id']], True),
        ),
        (
            lambda p: operation(p).update(enabled=False),
            f'{PATH}.enabled',
            *(True, True, False, False),
        ),
        (
            lambda p: operation(p).update(name='x'),
            f'{PATH}.name',
            *('default', 'default', 'x', False),
        ),
        (
            lambda p: definition(p).update(max_backups=10),
            f'{PATH}.operation_definition.max_backups',
            *(10, 5, 10, True),
        ),
        (
            lambda p: definition(p).update(day_backups='7'),
            f'{PATH}.operation_definition.day_backups',
            *(None, None, '7', False),
        ),
        (
            lambda p: properties(p).update(pattern=wrapped(DAILY)),
            f'{PATH}.trigger.properties.pattern',
            wrapped(DAILY),
            wrapped('FREQ=DAILY;BYHOUR=3;BYMINUTE=0'),
            wrapped(DAILY),
            True,
        ),
        (lambda p: p.update(name='web'), 'name', 'web', 'db', 'web', True),
        (
            lambda p: p.update(description='x'),
            'description',
            *(None, None, 'x', False),
        ),
        (
            lambda p: p.update(tags=[{'key': 'a', 'value': 'b'}]),
            'tags',
            *(None, None, ['a=b'], False),
        ),
        (
            lambda p: p.update(scheduled_operations=[]),
            None,
            *(None, None, None, False),
        ),
        (
            lambda p: p['scheduled_operations'].append({}),
            None,
            *(None, None, None, False),
        ),
    ],
)
def test_what_nobody_asked_for_in_csbs(
    edit: Edit,
    path: str | None,
    before: Any,
    wanted: Any,
    after: Any,
    asked: bool,
) -> None:
    found = csbs_changed(edit)
    if path is None:
        assert len(found) > 1
        return
    assert found == [Difference(path, before, wanted, after)]
    assert found[0].is_asked is asked


@pytest.mark.parametrize(
    ('edit', 'lost'),
    [
        (lambda row: row.pop('extra_info'), ['extra_info.excludes']),
        (lambda row: row.pop('type'), ['type']),
        (lambda row: row.update(type='OS::Cinder::Volume'), ['type']),
        (lambda row: row.update(name='new', zone='z'), []),
        (lambda row: row['extra_info'].update(more=1), []),
    ],
)
def test_what_a_resource_that_stays_loses(edit: Edit, lost: Any) -> None:
    row = {**SERVER, 'type': 'x', 'extra_info': {'excludes': ['x']}}
    before = csbs_policy() | {'resources': [row, OTHER]}
    sent = csbs.changed_policy(before, wanted(NOTHING), NOW, resources=[row])
    after = copy.deepcopy(before)
    after['resources'] = [copy.deepcopy(row)]
    edit(after['resources'][0])
    assert [d.path for d in differences(before, sent, after)] == [
        f'resources.{SERVER["id"]}.{path}' for path in lost
    ]


def test_a_start_that_moves_by_itself() -> None:
    before = csbs_policy()
    sent = csbs.changed_policy(before, wanted(NOTHING), NOW, name='db')
    after = copy.deepcopy(before) | {'name': 'db'}
    properties(after)['start_time'] = '2026-11-26 12:00:00'
    assert [d.path for d in differences(before, sent, after)] == [
        f'{PATH}.trigger.properties.start_time'
    ]


@pytest.mark.parametrize(
    'after',
    [
        {},
        {'scheduled_operations': 'x', 'resources': 3, 'tags': {'a': 1}},
        {'scheduled_policy': 'x', 'time_zone': ['x']},
        {'scheduled_policy': {'week_frequency': 3, 'start_time': []}},
        {
            'scheduled_operations': [
                {'trigger': {'properties': {'pattern': 3}}}
            ]
        },
        {'resources': [None, {'id': None}], 'tags': [None, 1]},
    ],
)
def test_any_answer_can_be_compared(after: dict[str, Any]) -> None:
    for before in (vbs_policy(), csbs_policy()):
        assert differences(before, {}, after)
        assert isinstance(differences(after, {}, before), list)
        assert differences(after, {}, after) == []


@pytest.mark.parametrize('stays', [True, False])
def test_a_half_that_does_not_count_may_stay_or_go(stays: bool) -> None:
    before = vbs_policy(week_frequency=['MON'], rentention_day=30)
    sent = vbs.changed_policy(before, wanted(NOTHING, False), NOW)
    after = copy.deepcopy(before)
    if not stays:
        after['scheduled_policy'] = {}
    after['scheduled_policy'] |= sent['scheduled_policy']
    assert differences(before, sent, after) == []


def test_a_part_that_a_request_leaves_out_is_missed() -> None:
    before = vbs_policy()
    plan = dict(before['scheduled_policy'])
    del plan['rentention_num']
    sent = {'scheduled_policy': plan}
    [lost] = differences(before, sent, before | sent)
    assert lost.path == 'scheduled_policy.rentention_num'
