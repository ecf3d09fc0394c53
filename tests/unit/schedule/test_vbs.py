# SPDX-License-Identifier: Apache-2.0
"""Schedules and retentions as VBS has them."""

import copy
from datetime import datetime, time, timedelta, timezone
from typing import Any

import pytest

from tests.unit.schedule.policies import (
    NOTHING,
    vbs_policy,
    wanted,
)
from vbsclient.api.errors import MalformedResponse
from vbsclient.schedule import InvalidSetting, vbs
from vbsclient.schedule.values import (
    GIVE_TIMES_AND_DAYS,
    UNLIMITED,
    Retention,
    Schedule,
    Settings,
    Wanted,
    WantedRetention,
    WantedSchedule,
)

NOW = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
SUMMER = NOW.replace(month=7)
PLUS_2 = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ('written', 'plan', 'zone'),
    [
        (
            {'at': ['13:00,01:00'], 'every': '2d'},
            {'start_time': '01:00,13:00', 'frequency': 2},
            None,
        ),
        # The order is that of the local times.
        (
            {'at': ['00:00,02:00,04:00'], 'every': '1d', 'zone': 'UTC+02:00'},
            {'start_time': '22:00,00:00,02:00', 'frequency': 1},
            'UTC+02:00',
        ),
        # Days of the week always have a zone, and are local.
        (
            {'at': ['01:00'], 'on': ['thu,mon']},
            {'start_time': '01:00', 'week_frequency': ['MON', 'THU']},
            'UTC+00:00',
        ),
        (
            {'at': ['00:00+02:00'], 'on': ['mon']},
            {'start_time': '22:00', 'week_frequency': ['MON']},
            'UTC+02:00',
        ),
        (
            {'at': ['01:30'], 'every': '30d', 'zone': 'Asia/Kolkata'},
            {'start_time': '20:00', 'frequency': 30},
            'UTC+05:30',
        ),
        (
            {'at': ['02:45'], 'every': '1d', 'zone': 'Asia/Kathmandu'},
            {'start_time': '21:00', 'frequency': 1},
            'UTC+05:45',
        ),
        (
            {'at': ['02:00'], 'every': '1d', 'zone': 'Europe/Berlin'},
            {'start_time': '01:00', 'frequency': 1},
            'UTC+01:00',
        ),
        (
            {
                'at': [f'{hour:02}:00' for hour in range(24)],
                'every': '1d',
                'zone': 'UTC-01:00',
            },
            {
                'start_time': ','.join(
                    f'{hour % 24:02}:00' for hour in range(1, 25)
                ),
                'frequency': 1,
            },
            'UTC-01:00',
        ),
    ],
)
def test_new_schedules(
    written: dict[str, Any], plan: dict[str, Any], zone: str | None
) -> None:
    body = vbs.new_policy(wanted(**written), NOW)
    assert body.pop('time_zone', None) == zone
    assert body == {
        'scheduled_policy': {
            **plan,
            'rentention_num': 10,
            'remain_first_backup_of_curMonth': 'N',
            'status': 'ON',
        }
    }


def test_a_named_zone_counts_as_of_now() -> None:
    body = vbs.new_policy(
        wanted(at=['02:00'], every='1d', zone='Europe/Berlin'), SUMMER
    )
    assert body['time_zone'] == 'UTC+02:00'
    assert body['scheduled_policy']['start_time'] == '00:00'


@pytest.mark.parametrize(
    ('retention', 'plan'),
    [
        (WantedRetention(last=2), {'rentention_num': 2}),
        (WantedRetention(last=99), {'rentention_num': 99}),
        (WantedRetention(days=2), {'rentention_day': 2}),
        (WantedRetention(days=99_999), {'rentention_day': 99_999}),
        (
            WantedRetention(last=2, first_of_month=True),
            {'rentention_num': 2, 'remain_first_backup_of_curMonth': 'Y'},
        ),
    ],
)
@pytest.mark.parametrize('enabled', [None, True, False])
def test_new_retentions(
    retention: WantedRetention, plan: dict[str, Any], enabled: bool | None
) -> None:
    body = vbs.new_policy(
        wanted(retention, enabled, at=['01:00'], every='1d'), NOW
    )
    assert body['scheduled_policy'] == {
        'start_time': '01:00',
        'frequency': 1,
        'remain_first_backup_of_curMonth': 'N',
        'status': 'OFF' if enabled is False else 'ON',
        **plan,
    }


@pytest.mark.parametrize(
    ('written', 'reason'),
    [
        (
            {'at': ['02:00'], 'zone': 'UTC+05:30', 'every': '1d'},
            '02:00 in UTC.05:30 is 20:30 UTC; 01:30 and 02:30 would do',
        ),
        (
            {'at': ['00:00'], 'zone': 'UTC+05:30', 'every': '1d'},
            'is 18:30 UTC; 23:30 and 00:30 would do',
        ),
        (
            {'at': ['02:00'], 'zone': 'Asia/Kathmandu', 'every': '1d'},
            'is 20:15 UTC; 01:45 and 02:45 would do',
        ),
        (
            {'at': ['02:20'], 'every': '1d'},
            'is 02:20 UTC; 02:00 and 03:00 would do',
        ),
        ({'at': ['02:00'], 'every': '31d'}, 'every 1 to 30 days'),
        ({'at': ['02:00']}, 'needs its times and its days'),
        ({'every': '1d'}, 'needs its times and its days'),
        ({'rule': 'FREQ=DAILY;BYHOUR=1;BYMINUTE=0'}, 'has no rules'),
    ],
)
def test_schedules_that_vbs_has_not(
    written: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InvalidSetting, match=reason):
        vbs.new_policy(wanted(**written), NOW)


@pytest.mark.parametrize(
    ('retention', 'reason'),
    [
        (WantedRetention(last=1), 'keeps 2 to 99'),
        (WantedRetention(last=100), 'keeps 2 to 99'),
        (WantedRetention(last=UNLIMITED), 'keeps 2 to 99'),
        (WantedRetention(days=1), 'for 2 to 99999 days'),
        (WantedRetention(days=100_000), 'for 2 to 99999 days'),
        (WantedRetention(forever=True), 'and nothing else'),
        (WantedRetention(last=2, daily=1), 'and nothing else'),
        (WantedRetention(), 'nothing says how much'),
    ],
)
def test_retentions_that_vbs_has_not(
    retention: WantedRetention, reason: str
) -> None:
    with pytest.raises(InvalidSetting, match=reason):
        vbs.new_policy(wanted(retention, at=['01:00'], every='1d'), NOW)


@pytest.mark.parametrize(
    ('body', 'schedule'),
    [
        (vbs_policy(), Schedule((time(1), time(13)), 2, zone=timezone.utc)),
        (
            vbs_policy(start_time='22:00,00:00,02:00', time_zone='UTC+02:00'),
            Schedule((time(0), time(2), time(4)), 2, zone=PLUS_2),
        ),
        (
            vbs_policy(frequency=0, week_frequency=['THU', 'MON']),
            Schedule((time(1), time(13)), weekdays=(0, 3), zone=timezone.utc),
        ),
        (
            vbs_policy(frequency=None, week_frequency='thu, mon'),
            Schedule((time(1), time(13)), weekdays=(0, 3), zone=timezone.utc),
        ),
        # The interval wins.
        (
            vbs_policy(frequency='2', week_frequency=['MON']),
            Schedule((time(1), time(13)), 2, zone=timezone.utc),
        ),
        (
            vbs_policy(start_time=' 13:00 , 01:00', time_zone='nonsense'),
            Schedule((time(1), time(13)), 2, zone=timezone.utc),
        ),
        (
            vbs_policy(start_time='25:00'),
            Schedule(raw='25:00', zone=timezone.utc),
        ),
        (
            vbs_policy(frequency=None, week_frequency=['NEVER']),
            Schedule(raw='01:00,13:00', zone=timezone.utc),
        ),
        (vbs_policy(start_time=None), None),
        ({'scheduled_policy': None}, None),
        ({}, None),
    ],
)
def test_schedules_are_read(
    body: dict[str, Any], schedule: Schedule | None
) -> None:
    assert vbs.settings_of(body).schedule == schedule


@pytest.mark.parametrize(
    ('plan', 'retention'),
    [
        ({}, Retention(last=10, first_of_month=False)),
        ({'rentention_num': '10'}, Retention(10, first_of_month=False)),
        (
            {'rentention_num': None, 'rentention_day': '30'},
            Retention(days=30, first_of_month=False),
        ),
        # The number wins.
        ({'rentention_day': 30}, Retention(10, first_of_month=False)),
        (
            {'remain_first_backup_of_curMonth': True},
            Retention(10, first_of_month=True),
        ),
        (
            {'remain_first_backup_of_curMonth': 'y'},
            Retention(10, first_of_month=True),
        ),
        (
            {'remain_first_backup_of_curMonth': 'False'},
            Retention(10, first_of_month=False),
        ),
        ({'remain_first_backup_of_curMonth': 'X'}, Retention(10)),
        ({'rentention_num': True}, Retention(first_of_month=False)),
    ],
)
def test_retentions_are_read(
    plan: dict[str, Any], retention: Retention
) -> None:
    assert vbs.settings_of(vbs_policy(**plan)).retention == retention


@pytest.mark.parametrize(
    ('status', 'enabled'),
    [
        *(('ON', True), ('off', False), (True, True), ('suspended', None)),
        *((None, None), (1, None)),
    ],
)
def test_whether_it_is_enabled(status: object, enabled: bool | None) -> None:
    assert vbs.settings_of(vbs_policy(status=status)).enabled is enabled


def test_keys_may_end_with_blanks() -> None:
    body = {
        'backup_policy_name ': 'nightly',
        'scheduled_policy ': {
            'start_time ': '01:00',
            'frequency ': 1,
            ' rentention_num': 3,
            'status ': 'OFF',
        },
    }
    before = copy.deepcopy(body)
    assert vbs.settings_of(body) == Settings(
        Schedule((time(1),), 1, zone=timezone.utc), Retention(3), False
    )
    sent = vbs.changed_policy(body, wanted(WantedRetention(last=4)), NOW)
    assert sent == {
        'scheduled_policy': {
            'start_time': '01:00',
            'frequency': 1,
            'rentention_num': 4,
            'remain_first_backup_of_curMonth': 'N',
            'status': 'OFF',
        }
    }
    assert body == before


UNCHANGED = {
    'start_time': '01:00,13:00',
    'frequency': 2,
    'rentention_num': 10,
    'remain_first_backup_of_curMonth': 'N',
    'status': 'ON',
}


@pytest.mark.parametrize(
    ('body', 'change', 'plan'),
    [
        # All of the plan, whatever changes.
        (vbs_policy(), wanted(NOTHING, False), UNCHANGED | {'status': 'OFF'}),
        (
            vbs_policy(),
            wanted(WantedRetention(last=3)),
            UNCHANGED | {'rentention_num': 3},
        ),
        (
            vbs_policy(),
            wanted(WantedRetention(days=30)),
            {
                'start_time': '01:00,13:00',
                'frequency': 2,
                'rentention_day': 30,
                'remain_first_backup_of_curMonth': 'N',
                'status': 'ON',
            },
        ),
        # Losers are dropped, also where they do not change.
        (
            vbs_policy(week_frequency=['MON'], rentention_day=5),
            wanted(NOTHING, False),
            UNCHANGED | {'status': 'OFF'},
        ),
        (
            vbs_policy(
                frequency=0,
                week_frequency=['MON'],
                rentention_num=None,
                rentention_day='5',
            ),
            wanted(NOTHING, False),
            {
                'start_time': '01:00,13:00',
                'week_frequency': ['MON'],
                'rentention_day': 5,
                'remain_first_backup_of_curMonth': 'N',
                'status': 'OFF',
            },
        ),
        (
            vbs_policy(time_zone='UTC+02:00'),
            wanted(NOTHING, on=['tue']),
            {
                'start_time': '01:00,13:00',
                'week_frequency': ['TUE'],
                'rentention_num': 10,
                'remain_first_backup_of_curMonth': 'N',
                'status': 'ON',
            },
        ),
        (
            vbs_policy(frequency=None, week_frequency=['MON']),
            wanted(NOTHING, every='3d'),
            UNCHANGED | {'frequency': 3},
        ),
        # Times without a zone are in that of the policy.
        (
            vbs_policy(time_zone='UTC+02:00'),
            wanted(NOTHING, at=['02:00']),
            UNCHANGED | {'start_time': '00:00'},
        ),
        # Types are those of the reference.
        (
            vbs_policy(
                frequency='2',
                rentention_num='10',
                remain_first_backup_of_curMonth=True,
                status='on',
            ),
            wanted(WantedRetention(last=11)),
            UNCHANGED
            | {
                'rentention_num': 11,
                'remain_first_backup_of_curMonth': 'Y',
            },
        ),
        # What is not known stays, and 0 or less is nothing.
        (
            vbs_policy(rentention_num=-1, rentention_day=30, unknown=[1]),
            wanted(NOTHING, False),
            {
                'start_time': '01:00,13:00',
                'frequency': 2,
                'rentention_day': 30,
                'remain_first_backup_of_curMonth': 'N',
                'status': 'OFF',
                'unknown': [1],
            },
        ),
        (
            vbs_policy(frequency=-1, week_frequency='MON,TUE'),
            wanted(NOTHING, False),
            {
                'start_time': '01:00,13:00',
                'week_frequency': 'MON,TUE',
                'rentention_num': 10,
                'remain_first_backup_of_curMonth': 'N',
                'status': 'OFF',
            },
        ),
    ],
)
def test_changes(
    body: dict[str, Any], change: Wanted, plan: dict[str, Any]
) -> None:
    before = copy.deepcopy(body)
    sent = vbs.changed_policy(body, change, NOW)
    assert body == before
    assert sent.pop('scheduled_policy') == plan
    zone = body.get('time_zone')
    assert sent == ({'time_zone': zone} if zone else {})


KEEP_3 = wanted(WantedRetention(last=3))
ALL_BUT_STATUS = wanted(WantedRetention(3), at=['02:00'], every='1d')


@pytest.mark.parametrize(
    ('body', 'change', 'part'),
    [
        (vbs_policy(start_time='25:00'), KEEP_3, 'schedule'),
        (vbs_policy(start_time=None), KEEP_3, 'schedule'),
        (vbs_policy(frequency='daily'), KEEP_3, 'schedule'),
        (vbs_policy(frequency=1.5), KEEP_3, 'schedule'),
        (
            vbs_policy(frequency='daily', week_frequency=['MON']),
            KEEP_3,
            'schedule',
        ),
        (
            vbs_policy(frequency=None, week_frequency=['MON', 'XXX']),
            KEEP_3,
            'schedule',
        ),
        (vbs_policy() | {'scheduled_policy': None}, KEEP_3, 'schedule'),
        (vbs_policy() | {'scheduled_policy': None}, ALL_BUT_STATUS, 'status'),
        (vbs_policy(status=None), KEEP_3, 'status'),
        (vbs_policy(status='PAUSED'), KEEP_3, 'status'),
        (
            vbs_policy(rentention_num='ten', rentention_day=30),
            wanted(NOTHING, False),
            'retention',
        ),
        (
            vbs_policy(remain_first_backup_of_curMonth='X'),
            KEEP_3,
            'remain_first',
        ),
    ],
)
def test_what_cannot_be_read_is_not_sent(
    body: dict[str, Any], change: Wanted, part: str
) -> None:
    with pytest.raises(MalformedResponse, match=part):
        vbs.changed_policy(body, change, NOW)


def test_what_cannot_be_read_may_be_replaced() -> None:
    body = vbs_policy() | {'scheduled_policy': None}
    change = wanted(WantedRetention(3), True, at=['02:00'], every='1d')
    assert vbs.changed_policy(body, change, NOW)['scheduled_policy'] == {
        'start_time': '02:00',
        'frequency': 1,
        'rentention_num': 3,
        'remain_first_backup_of_curMonth': 'N',
        'status': 'ON',
    }


def test_days_of_the_week_are_said_again_for_another_zone() -> None:
    body = vbs_policy(
        frequency=None, week_frequency=['MON'], time_zone='UTC+02:00'
    )
    for change in (
        wanted(NOTHING, at=['02:00Z']),
        wanted(NOTHING, zone='UTC+05:00'),
    ):
        with pytest.raises(InvalidSetting, match='days of the week') as caught:
            vbs.changed_policy(body, change, NOW)
        assert caught.value.hint == GIVE_TIMES_AND_DAYS
    same = wanted(NOTHING, at=['04:00+02:00'])
    assert vbs.changed_policy(body, same, NOW)['time_zone'] == 'UTC+02:00'
    days = wanted(NOTHING, at=['02:00Z'], on=['tue'])
    assert vbs.changed_policy(body, days, NOW)['time_zone'] == 'UTC+00:00'


@pytest.mark.parametrize('zone', ['+0200', 'Europe/Berlin'])
def test_a_zone_that_cannot_be_read_has_to_be_said(zone: str) -> None:
    body = vbs_policy(time_zone=zone)
    with pytest.raises(InvalidSetting, match='cannot be read') as caught:
        vbs.changed_policy(body, wanted(NOTHING, at=['03:00']), NOW)
    assert caught.value.hint == vbs.GIVE_ZONE
    sent = vbs.changed_policy(body, wanted(NOTHING, False), NOW)
    assert sent['time_zone'] == zone


def test_unknown_fields_survive_and_ids_are_not_sent() -> None:
    body = vbs_policy(
        extra={'of': ['a', 'newer', 'version']}, time_zone='UTC+02:00'
    )
    sent = vbs.changed_policy(body, wanted(NOTHING, False), NOW)
    assert set(sent) == {'extra', 'scheduled_policy', 'time_zone'}
    assert sent['extra'] == body['extra']
    assert sent['extra'] is not body['extra']


def test_the_name_is_sent_only_if_it_changes() -> None:
    sent = vbs.changed_policy(vbs_policy(), Wanted(), NOW, name='weekly')
    assert sent == {
        'backup_policy_name': 'weekly',
        'scheduled_policy': UNCHANGED,
    }
    assert (
        vbs.changed_policy(vbs_policy(), Wanted(), NOW, name='nightly') == {}
    )


@pytest.mark.parametrize(
    'change',
    [
        Wanted(),
        wanted(enabled=True),
        wanted(NOTHING, at=['01:00,13:00']),
        wanted(NOTHING, every='2d'),
        wanted(WantedRetention(last=10, first_of_month=False)),
    ],
)
def test_nothing_to_change(change: Wanted) -> None:
    assert vbs.changed_policy(vbs_policy(), change, NOW) == {}


def test_a_zone_alone_moves_the_moments() -> None:
    body = vbs_policy(time_zone='UTC+01:00', start_time='01:00')
    sent = vbs.changed_policy(
        body, wanted(NOTHING, zone='Europe/Berlin'), SUMMER
    )
    assert sent['time_zone'] == 'UTC+02:00'
    assert sent['scheduled_policy']['start_time'] == '00:00'


@pytest.mark.parametrize('zone', [{}, {'time_zone': None}, {'time_zone': ''}])
def test_days_of_the_week_need_a_zone_that_is_known(
    zone: dict[str, Any],
) -> None:
    body = vbs_policy(frequency=None, week_frequency=['MON'], **zone)
    for change in (
        wanted(NOTHING, at=['02:00']),
        wanted(NOTHING, on=['tue']),
        wanted(NOTHING, at=['02:00'], on=['tue']),
    ):
        with pytest.raises(InvalidSetting, match='does not tell') as caught:
            vbs.changed_policy(body, change, NOW)
        assert caught.value.hint == vbs.GIVE_ZONE
    # What is no change of the schedule does without.
    sent = vbs.changed_policy(body, wanted(NOTHING, False), NOW)
    assert 'time_zone' not in sent
    sent = vbs.changed_policy(
        body, wanted(NOTHING, at=['02:00'], on=['tue'], zone='+01:00'), NOW
    )
    assert sent['time_zone'] == 'UTC+01:00'
    # The same again, but in a zone that is now known.
    same = wanted(NOTHING, at=['01:00,13:00'], on=['mon'], zone='UTC')
    assert vbs.changed_policy(body, same, NOW)['time_zone'] == 'UTC+00:00'


def test_a_schedule_that_cannot_be_read_is_replaced_as_a_whole() -> None:
    body = vbs_policy(start_time='25:00')
    with pytest.raises(InvalidSetting, match='replaced as a whole'):
        vbs.changed_policy(body, wanted(NOTHING, at=['02:00']), NOW)
    sent = vbs.changed_policy(
        body, wanted(NOTHING, at=['02:00'], every='1d'), NOW
    )
    assert sent['scheduled_policy']['start_time'] == '02:00'


def test_a_wanted_schedule_is_complete_or_refused() -> None:
    with pytest.raises(InvalidSetting):
        vbs.changed_policy({}, Wanted(WantedSchedule(every_days=1)), NOW)


@pytest.mark.parametrize(
    ('plan', 'is_told'),
    [
        ({'rentention_num': 7}, True),
        ({'rentention_num': '7'}, True),
        ({'rentention_num': None, 'rentention_day': 30}, True),
        ({'rentention_num': None}, False),
        ({'rentention_num': 'seven'}, False),
        ({'rentention_num': 0}, False),
    ],
)
def test_whether_a_policy_says_how_much_it_keeps(
    plan: dict[str, Any], is_told: bool
) -> None:
    assert vbs.tells_retention(vbs_policy(**plan)) is is_told
    assert not vbs.tells_retention({})


@pytest.mark.parametrize(
    'change',
    [
        wanted(WantedRetention(last=1)),
        wanted(WantedRetention(last=100_000)),
        wanted(WantedRetention(days=1)),
        wanted(NOTHING, every='31d'),
        wanted(NOTHING, at=['02:15Z']),
    ],
)
def test_what_no_policy_can_have(change: Wanted) -> None:
    with pytest.raises(InvalidSetting):
        vbs.check(change)


@pytest.mark.parametrize(
    'change',
    [
        Wanted(),
        wanted(WantedRetention(first_of_month=True)),
        wanted(NOTHING, at=['02:30']),
        wanted(NOTHING, every='30d', zone='UTC+05:30'),
    ],
)
def test_what_some_policy_can_have(change: Wanted) -> None:
    vbs.check(change)
