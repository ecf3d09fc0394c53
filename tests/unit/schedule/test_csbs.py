# SPDX-License-Identifier: Apache-2.0
"""Schedules and retentions as CSBS has them."""

import copy
from datetime import datetime, time, timezone
from typing import Any

import pytest

from tests.unit.schedule.policies import (
    DAILY,
    LAST_10,
    NOTHING,
    OTHER,
    SERVER,
    csbs_policy,
    wanted,
    wrapped,
)
from vbsclient.api.errors import MalformedResponse
from vbsclient.schedule import InvalidSetting, csbs
from vbsclient.schedule.texts import parse_schedule
from vbsclient.schedule.values import (
    UNLIMITED,
    Retention,
    Schedule,
    Settings,
    Wanted,
    WantedRetention,
)

NOW = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
SUMMER = NOW.replace(month=7)
RULE = 'FREQ=DAILY;INTERVAL=2;BYHOUR=1;BYMINUTE=0'


@pytest.mark.parametrize(
    ('written', 'rule'),
    [
        ({'at': ['02:00'], 'every': '1d'}, DAILY),
        (
            {'at': ['13:30,01:30'], 'on': ['thu,mon']},
            'FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=1,13;BYMINUTE=30',
        ),
        # Without a zone nothing is converted.
        (
            {'at': ['00:30'], 'on': ['mon']},
            'FREQ=WEEKLY;BYDAY=MO;BYHOUR=0;BYMINUTE=30',
        ),
        (
            {'at': ['00:30+02:00'], 'on': ['mon']},
            'FREQ=WEEKLY;BYDAY=SU;BYHOUR=22;BYMINUTE=30',
        ),
        (
            {'at': ['23:00'], 'on': ['sun'], 'zone': 'UTC-02:00'},
            'FREQ=WEEKLY;BYDAY=MO;BYHOUR=1;BYMINUTE=0',
        ),
        (
            {'at': ['02:00'], 'every': '1d', 'zone': 'Asia/Kathmandu'},
            'FREQ=DAILY;BYHOUR=20;BYMINUTE=15',
        ),
        # The days differ, and every day is every day.
        (
            {'at': ['00:30,12:30'], 'every': '1d', 'zone': 'UTC+02:00'},
            'FREQ=DAILY;BYHOUR=10,22;BYMINUTE=30',
        ),
        (
            {
                'at': ['00:30,12:30'],
                'on': ['weekdays', 'weekend'],
                'zone': 'UTC+02:00',
            },
            'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=10,22;BYMINUTE=30',
        ),
        (
            {'at': [f'{hour}:05' for hour in range(24)], 'every': '1d'},
            f'FREQ=DAILY;BYHOUR={",".join(map(str, range(24)))};BYMINUTE=5',
        ),
        ({'rule': RULE}, RULE),
    ],
)
@pytest.mark.parametrize('enabled', [None, True, False])
def test_new_operations(
    written: dict[str, Any], rule: str, enabled: bool | None
) -> None:
    operation = csbs.new_operation(wanted(LAST_10, enabled, **written), NOW)
    assert operation == {
        'enabled': enabled is not False,
        'operation_type': 'backup',
        'operation_definition': {
            'max_backups': 10,
            'retention_duration_days': -1,
            'permanent': False,
        },
        'trigger': {'properties': {'pattern': wrapped(rule)}},
    }


def test_a_named_zone_counts_as_of_now() -> None:
    schedule = parse_schedule(['00:30'], on=['mon'], zone='Europe/Berlin')
    rules = [csbs.rule_of(schedule.new(), now) for now in (NOW, SUMMER)]
    assert rules == [
        'FREQ=WEEKLY;BYDAY=SU;BYHOUR=23;BYMINUTE=30',
        'FREQ=WEEKLY;BYDAY=SU;BYHOUR=22;BYMINUTE=30',
    ]


@pytest.mark.parametrize(
    ('written', 'reason', 'hint'),
    [
        (
            {
                'at': ['00:30,12:30'],
                'on': ['mon'],
                'zone': 'Europe/Berlin',
            },
            r'cannot say Sunday 23:30 and Monday 11:30 \(UTC\)',
            csbs.ONE_DAY,
        ),
        (
            {'at': ['01:00,20:00,23:00'], 'on': ['sun'], 'zone': '-02:00'},
            r'cannot say Sunday 03:00 and Monday 01:00 \(UTC\)',
            '',
        ),
        (
            {'at': ['02:00,14:30'], 'every': '1d'},
            'cannot say 02:00 and 14:30: it would run at 02:30 and 14:00, too',
            csbs.SAME_MINUTE,
        ),
        (
            {'at': ['02:00,02:30'], 'every': '1d'},
            'less than an hour apart',
            csbs.SAME_MINUTE,
        ),
        # Also over midnight.
        (
            {'at': ['00:00,23:30'], 'every': '1d'},
            'it would run at 00:30 and 23:00, too',
            csbs.SAME_MINUTE,
        ),
        (
            {'at': ['02:00'], 'every': '2d'},
            'does not run a policy every 2 days',
            csbs.EVERY_DAY,
        ),
        ({'at': ['02:00']}, 'needs its times and its days', ''),
    ],
)
def test_schedules_that_no_rule_can_say(
    written: dict[str, Any], reason: str, hint: str
) -> None:
    with pytest.raises(InvalidSetting, match=reason) as caught:
        csbs.new_operation(wanted(**written), NOW)
    assert hint in caught.value.hint


def test_a_pattern_has_a_limit() -> None:
    days = ','.join(['MO'] * 3500)
    rule = f'FREQ=WEEKLY;BYDAY={days};BYHOUR=1;BYMINUTE=0'
    with pytest.raises(InvalidSetting, match='at most 10240 characters'):
        csbs.new_operation(wanted(rule=rule), NOW)


@pytest.mark.parametrize(
    ('retention', 'zone', 'definition'),
    [
        (
            WantedRetention(last=99_999),
            None,
            {'max_backups': 99_999, 'retention_duration_days': -1},
        ),
        (
            WantedRetention(last=UNLIMITED),
            None,
            {'max_backups': -1, 'retention_duration_days': -1},
        ),
        (
            WantedRetention(days=30),
            None,
            {'max_backups': -1, 'retention_duration_days': 30},
        ),
        (
            WantedRetention(forever=True),
            None,
            {
                'max_backups': -1,
                'retention_duration_days': -1,
                'permanent': True,
            },
        ),
        (
            WantedRetention(last=3, daily=7, yearly=100),
            None,
            {
                'max_backups': 3,
                'retention_duration_days': -1,
                'day_backups': 7,
                'year_backups': 100,
                'timezone': 'UTC+00:00',
            },
        ),
        (
            WantedRetention(last=3, weekly=1, monthly=0),
            'Europe/Berlin',
            {
                'max_backups': 3,
                'retention_duration_days': -1,
                'week_backups': 1,
                'month_backups': 0,
                'timezone': 'UTC+01:00',
            },
        ),
    ],
)
def test_new_retentions(
    retention: WantedRetention, zone: str | None, definition: dict[str, Any]
) -> None:
    operation = csbs.new_operation(
        wanted(retention, at=['01:00'], every='1d', zone=zone), NOW
    )
    expected = {'permanent': False} | definition
    assert operation['operation_definition'] == expected
    types = {type(v) for v in operation['operation_definition'].values()}
    assert types <= {int, bool, str}


@pytest.mark.parametrize(
    ('retention', 'reason', 'hint'),
    [
        (NOTHING, 'would keep each backup forever', csbs.SAY_FOREVER),
        (WantedRetention(last=100_000), 'at most 99999', ''),
        (WantedRetention(days=100_000), 'at most 99999', ''),
        (WantedRetention(daily=7), 'beside the newest ones', ''),
        (WantedRetention(last=2, first_of_month=True), 'first backup of', ''),
    ],
)
def test_retentions_that_csbs_has_not(
    retention: WantedRetention, reason: str, hint: str
) -> None:
    with pytest.raises(InvalidSetting, match=reason) as caught:
        csbs.new_operation(wanted(retention, at=['1:00'], every='1d'), NOW)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ('pattern', 'schedule'),
    [
        (wrapped(DAILY), Schedule((time(2),), 1)),
        (wrapped(DAILY).replace('\r\n', '\n'), Schedule((time(2),), 1)),
        (wrapped(DAILY).replace('\r\n', '\r'), Schedule((time(2),), 1)),
        (f'RRULE:{DAILY}', Schedule((time(2),), 1)),
        (f'rrule:{DAILY.lower()}\n', Schedule((time(2),), 1)),
        (f'RRULE;X="a":{DAILY}', Schedule((time(2),), 1)),
        (wrapped(f'{DAILY};INTERVAL=1'), Schedule((time(2),), 1)),
        # Folded, also within a word.
        (
            'BEGIN:VCALENDAR\r\nRR\r\n ULE:FREQ=DAI\r\n\tLY;BYHOUR=2;\r\n'
            ' BYMINUTE=0\r\n',
            Schedule((time(2),), 1),
        ),
        (
            f'DTSTART:20200108T095949Z\nRRULE:{DAILY}\nSUMMARY:x',
            Schedule((time(2),), 1),
        ),
        (
            wrapped('FREQ=WEEKLY;BYDAY=TH,MO;BYHOUR=13,1;BYMINUTE=30,0'),
            Schedule(
                (time(1), time(1, 30), time(13), time(13, 30)),
                weekdays=(0, 3),
            ),
        ),
        (
            wrapped('FREQ=DAILY;BYDAY=MO;BYHOUR=1;BYMINUTE=0'),
            Schedule((time(1),), weekdays=(0,)),
        ),
        (wrapped(RULE), Schedule(raw=RULE)),
        (wrapped('FREQ=WEEKLY;BYHOUR=1;BYMINUTE=0'), None),
        (wrapped('FREQ=WEEKLY;BYDAY=2MO;BYHOUR=1;BYMINUTE=0'), None),
        (wrapped('FREQ=MONTHLY;BYDAY=MO;BYHOUR=1;BYMINUTE=0'), None),
        (wrapped('FREQ=DAILY;BYHOUR=25;BYMINUTE=0'), None),
        (wrapped('FREQ=DAILY;BYHOUR=1;BYMINUTE=60'), None),
        (wrapped('FREQ=DAILY;BYHOUR=1'), None),
        (wrapped('FREQ=DAILY;BYHOUR=1;BYMINUTE='), None),
        (wrapped('FREQ=DAILY;BYHOUR=1;BYMINUTE=0;BYSECOND=1'), None),
        (wrapped('nonsense'), None),
        (
            f'RRULE:{DAILY}\nEXDATE:20261127T020000Z',
            Schedule(raw=f'{DAILY} EXDATE:20261127T020000Z'),
        ),
        (
            f'RRULE:{DAILY}\nRRULE:{DAILY}',
            Schedule(raw=f'RRULE:{DAILY} RRULE:{DAILY}'),
        ),
        ('nonsense', Schedule(raw='nonsense')),
    ],
)
def test_any_pattern_is_read(pattern: str, schedule: Schedule | None) -> None:
    found = csbs.schedule_of_pattern(pattern)
    if schedule is None:
        rule = pattern.split('RRULE:')[1].split('\r\n')[0]
        schedule = Schedule(raw=rule)
    assert found == schedule
    assert found.zone is None


def test_the_start_is_that_of_the_trigger() -> None:
    schedule = csbs.settings_of(csbs_policy(wrapped(RULE))).schedule
    assert schedule is not None
    assert schedule.start == datetime(
        2020, 1, 8, 9, 59, 49, tzinfo=timezone.utc
    )
    unknown = csbs.settings_of(
        csbs_policy(wrapped(RULE), start='soon')
    ).schedule
    assert unknown == schedule
    assert unknown.start is None


@pytest.mark.parametrize(
    'body',
    [
        {},
        {'scheduled_operations': None},
        {'scheduled_operations': []},
        {'scheduled_operations': ['x']},
        {'scheduled_operations': [{'trigger': 'x', 'enabled': 'x'}]},
        {'scheduled_operations': [{'trigger': {'properties': None}}]},
        {
            'scheduled_operations': [
                {'trigger': {'properties': {'pattern': ' '}}}
            ]
        },
    ],
)
def test_a_policy_without_a_schedule(body: dict[str, Any]) -> None:
    assert csbs.settings_of(body) == Settings(None, Retention(), None)


@pytest.mark.parametrize(
    ('definition', 'retention'),
    [
        ({}, Retention(last=10)),
        ({'max_backups': '20', 'permanent': 'False'}, Retention(last=20)),
        ({'permanent': 'TRUE'}, Retention(forever=True)),
        ({'max_backups': '-1'}, Retention(last=UNLIMITED)),
        (
            {'max_backups': -1, 'retention_duration_days': '30'},
            Retention(days=30),
        ),
        ({'retention_duration_days': 30}, Retention(last=10, days=30)),
        ({'max_backups': None}, Retention()),
        (
            {'day_backups': '7', 'week_backups': 0, 'timezone': 'UTC+08:00'},
            Retention(last=10, daily=7, timezone='UTC+08:00'),
        ),
        ({'max_backups': 'many'}, Retention()),
    ],
)
def test_retentions_are_read(
    definition: dict[str, Any], retention: Retention
) -> None:
    assert csbs.settings_of(csbs_policy(**definition)).retention == retention


@pytest.mark.parametrize(
    ('value', 'enabled'),
    [(True, True), ('False', False), (None, None), ('x', None)],
)
def test_whether_it_is_enabled(value: object, enabled: bool | None) -> None:
    assert csbs.settings_of(csbs_policy(enabled=value)).enabled is enabled


OPERATION = {'id': 'b2c1b6de-4f0d-4f6e-9a37-0d5d0b1c7e02', 'enabled': True}
DEFINITION = {
    'max_backups': 10,
    'retention_duration_days': -1,
    'permanent': False,
    'plan_id': 'a1c1b6de-4f0d-4f6e-9a37-0d5d0b1c7e01',
}


@pytest.mark.parametrize('enabled', [True, False])
@pytest.mark.parametrize(
    ('more', 'sent'),
    [
        ({'name': 'db'}, {'name': 'db'}),
        ({'description': 'x'}, {'description': 'x'}),
        ({'resources': [SERVER, OTHER]}, {'resources': [SERVER, OTHER]}),
        ({'resources': []}, {'resources': []}),
    ],
)
def test_a_block_alone_goes_with_what_would_be_enabled(
    enabled: bool, more: dict[str, Any], sent: dict[str, Any]
) -> None:
    """The service takes a missing ``enabled`` for true (T19)."""
    body = csbs.changed_policy(
        csbs_policy(enabled=enabled), Wanted(), NOW, **more
    )
    operation = OPERATION | {'enabled': enabled}
    assert body == sent | {'scheduled_operations': [operation]}


@pytest.mark.parametrize(
    ('change', 'operation'),
    [
        (wanted(NOTHING, False), {'enabled': False}),
        (
            wanted(NOTHING, at=['03:00']),
            {
                'trigger': {
                    'properties': {
                        'pattern': wrapped('FREQ=DAILY;BYHOUR=3;BYMINUTE=0')
                    }
                }
            },
        ),
        (
            wanted(NOTHING, rule=RULE),
            {'trigger': {'properties': {'pattern': wrapped(RULE)}}},
        ),
        (
            wanted(WantedRetention(last=5)),
            {'operation_definition': DEFINITION | {'max_backups': 5}},
        ),
        (
            wanted(WantedRetention(days=5)),
            {
                'operation_definition': DEFINITION
                | {'max_backups': -1, 'retention_duration_days': 5}
            },
        ),
        (
            wanted(WantedRetention(daily=5), zone='Europe/Berlin'),
            {
                'operation_definition': DEFINITION
                | {'day_backups': 5, 'timezone': 'UTC+01:00'}
            },
        ),
    ],
)
def test_only_the_blocks_that_change_are_sent(
    change: Wanted, operation: dict[str, Any]
) -> None:
    policy = csbs_policy()
    before = copy.deepcopy(policy)
    body = csbs.changed_policy(policy, change, NOW)
    assert body == {'scheduled_operations': [OPERATION | operation]}
    assert policy == before


def test_a_definition_is_sent_whole_and_with_right_types() -> None:
    policy = csbs_policy(
        max_backups='10',
        permanent='False',
        day_backups='7',
        week_backups='4',
        timezone='UTC+08:00',
        unknown={'a': 1},
    )
    body = csbs.changed_policy(policy, wanted(WantedRetention(weekly=0)), NOW)
    (operation,) = body['scheduled_operations']
    assert operation['operation_definition'] == DEFINITION | {
        'day_backups': 7,
        'week_backups': 0,
        'timezone': 'UTC+08:00',
        'unknown': {'a': 1},
    }


def test_forever_ends_what_was_kept_long_term() -> None:
    policy = csbs_policy(day_backups=7, timezone='UTC+08:00')
    body = csbs.changed_policy(
        policy, wanted(WantedRetention(forever=True)), NOW
    )
    (operation,) = body['scheduled_operations']
    assert operation['operation_definition'] == DEFINITION | {
        'max_backups': -1,
        'permanent': True,
        'day_backups': 0,
        'timezone': 'UTC+08:00',
    }


@pytest.mark.parametrize(
    ('policy', 'change', 'more'),
    [
        (csbs_policy(), Wanted(), {}),
        (csbs_policy(), Wanted(), {'name': 'web', 'description': ''}),
        (csbs_policy(), Wanted(), {'resources': [SERVER | {'name': 'x'}]}),
        (csbs_policy(), wanted(NOTHING, True), {}),
        (csbs_policy(), wanted(LAST_10, at=['02:00'], every='1d'), {}),
        (
            csbs_policy(),
            wanted(NOTHING, at=['02:00'], every='1d', zone='UTC'),
            {},
        ),
        (
            csbs_policy('RRULE:BYHOUR=2;FREQ=DAILY;BYMINUTE=0;INTERVAL=1'),
            wanted(NOTHING, at=['04:00+02:00'], every='1d'),
            {},
        ),
        (
            csbs_policy(),
            wanted(
                NOTHING, at=['02:00'], on=['weekdays', 'weekend'], zone='UTC'
            ),
            {},
        ),
        (csbs_policy(wrapped(RULE)), wanted(NOTHING, rule=RULE.lower()), {}),
        (csbs_policy(max_backups='10'), wanted(LAST_10), {}),
        (csbs_policy(), wanted(WantedRetention(last=10, daily=0)), {}),
    ],
)
def test_nothing_to_change(
    policy: dict[str, Any], change: Wanted, more: dict[str, Any]
) -> None:
    assert csbs.changed_policy(policy, change, NOW, **more) == {}


@pytest.mark.parametrize(
    ('operations', 'change'),
    [
        ([OPERATION, OPERATION], wanted(NOTHING, False)),
        ([], wanted(NOTHING, False)),
        (None, wanted(NOTHING, False)),
        ('x', wanted(NOTHING, False)),
        ([{'enabled': True}], wanted(NOTHING, False)),
        ([{'id': 'a'}], wanted(LAST_10)),
        ([{'id': 'a', 'enabled': 'x'}], wanted(LAST_10)),
    ],
)
def test_what_is_not_one_operation_is_not_changed(
    operations: object, change: Wanted
) -> None:
    policy = csbs_policy() | {'scheduled_operations': operations}
    with pytest.raises(MalformedResponse):
        csbs.changed_policy(policy, change, NOW)


@pytest.mark.parametrize(
    ('change', 'reason'),
    [
        (wanted(NOTHING, every='2d'), 'every 2 days'),
        (wanted(NOTHING, zone='Europe/Berlin'), 'does not tell the time zone'),
        (wanted(WantedRetention(days=5, daily=0, weekly=1)), 'long-term'),
    ],
)
def test_changes_that_are_refused(change: Wanted, reason: str) -> None:
    with pytest.raises(InvalidSetting, match=reason):
        csbs.changed_policy(csbs_policy(), change, NOW)


@pytest.mark.parametrize('end', ['\r\n', '\n', '\r'])
@pytest.mark.parametrize(
    ('before', 'after'),
    [
        ('', ''),
        ('BEGIN:VCALENDAR|BEGIN:VEVENT|', 'END:VEVENT|END:VCALENDAR|'),
        ('BEGIN:VEVENT|', 'END:VEVENT'),
        ('X-A:a very|  long one|', '|X-B:RRULE:no rule|| '),
        ('PRODID:\u00e9|\t folded|', '\u2028X-C:1|'),
    ],
)
@pytest.mark.parametrize(
    'old',
    [
        'RRULE:FREQ=DAILY;BYHOUR=1;BYMINUTE=0',
        'rrule;x=1:FREQ=DAILY;|\tBYHOUR=1;| BYMINUTE=0',
        'RRU| LE:FREQ=DAILY;INTERVAL=1;BYHOUR=1;BYMINUTE=0',
    ],
)
def test_each_other_byte_stays(
    end: str, before: str, after: str, old: str
) -> None:
    for last in ('|', ''):
        if after and not last and not after.startswith('|'):
            continue
        parts = [part.replace('|', end) for part in (before, old, last, after)]
        pattern = ''.join(parts)
        parts[1] = f'RRULE:{DAILY}'
        assert csbs.changed_pattern(pattern, DAILY) == ''.join(parts)
        assert csbs.schedule_of_pattern(pattern) == Schedule((time(1),), 1)


@pytest.mark.parametrize(
    ('pattern', 'count'),
    [('nonsense', 0), (f'RRULE:{DAILY}\nRRULE:{DAILY}', 2)],
)
def test_a_pattern_without_the_one_rule(pattern: str, count: int) -> None:
    with pytest.raises(InvalidSetting, match=f'has {count} rules'):
        csbs.changed_pattern(pattern, DAILY)


def test_a_policy_without_a_pattern_gets_one() -> None:
    assert csbs.changed_pattern('', DAILY) == wrapped(DAILY)
    change = wanted(NOTHING, at=['02:00'], every='1d')
    body = csbs.changed_policy(csbs_policy(''), change, NOW)
    (operation,) = body['scheduled_operations']
    assert operation['trigger']['properties']['pattern'] == wrapped(DAILY)


def test_patterns_are_compared_by_meaning() -> None:
    meaning = csbs.meaning_of_pattern(wrapped(DAILY))
    for same in (
        f'RRULE:{DAILY}',
        'rrule:BYHOUR=2;BYMINUTE=0;INTERVAL=1;freq=daily\n',
        wrapped('FREQ=DAILY;\n BYHOUR=2;BYMINUTE=0'),
        wrapped('FREQ=WEEKLY;BYDAY=SU,MO,TU,WE,TH,FR,SA;BYHOUR=2;BYMINUTE=0'),
    ):
        assert csbs.meaning_of_pattern(same) == meaning
    for other in (
        wrapped('FREQ=DAILY;BYHOUR=3;BYMINUTE=0'),
        wrapped(f'{DAILY};INTERVAL=2'),
        f'RRULE:{DAILY}\nEXDATE:20261127T020000Z',
        f'RRULE:{DAILY}\nX-A:b',
        '',
    ):
        assert csbs.meaning_of_pattern(other) != meaning


@pytest.mark.parametrize(
    ('definition', 'is_told'),
    [
        ({}, True),
        ({'max_backups': '20', 'permanent': 'False'}, True),
        ({'max_backups': None, 'day_backups': ''}, True),
        ({'max_backups': 'ten'}, False),
        ({'permanent': 'perhaps'}, False),
        ({'year_backups': []}, False),
    ],
)
def test_whether_what_a_policy_keeps_can_be_read(
    definition: dict[str, Any], is_told: bool
) -> None:
    policy = csbs_policy(**definition)
    assert csbs.tells_retention(policy) is is_told
    [operation] = policy['scheduled_operations']
    # By the reference that keeps everything.
    operation['operation_definition'] = {}
    assert csbs.tells_retention(policy)
    operation['operation_definition'] = None
    assert not csbs.tells_retention(policy)
    assert not csbs.tells_retention({})


@pytest.mark.parametrize(
    'change',
    [
        wanted(WantedRetention(last=100_000)),
        wanted(NOTHING, every='2d'),
        wanted(NOTHING, at=['02:00', '03:15']),
    ],
)
def test_what_no_policy_can_have(change: Wanted) -> None:
    with pytest.raises(InvalidSetting):
        csbs.check(change)


def test_the_zone_of_a_schedule_is_not_that_of_long_term_rules() -> None:
    body = csbs_policy(day_backups=3, timezone='UTC+01:00')
    change = wanted(WantedRetention(last=4), at=['03:00+05:00'], every='1d')
    sent = csbs.changed_policy(body, change, NOW)
    [operation] = sent['scheduled_operations']
    assert operation['operation_definition']['timezone'] == 'UTC+01:00'


def test_a_long_term_rule_that_cannot_be_read_is_not_ended() -> None:
    body = csbs_policy(week_backups='four', timezone='UTC+01:00')
    with pytest.raises(MalformedResponse, match='week_backups'):
        csbs.changed_policy(body, wanted(WantedRetention(last=4)), NOW)
    change = wanted(WantedRetention(weekly=4))
    assert csbs.changed_policy(body, change, NOW)
