# SPDX-License-Identifier: Apache-2.0
"""What a person is shown, and how a difference is noticed."""

from dataclasses import fields, replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from vbsclient.api import errors
from vbsclient.change.targets import Target
from vbsclient.restoring.plan import (
    RESTORED,
    SUCCEEDED,
    UNDER_WAY,
    Disk,
    Plan,
    age_of,
    difference,
    plan_of,
)

DISK = Disk('b-1', 's-1', 'source', 't-1', 'target', 10, 20, True)
OTHER = Disk('b-2', 's-2', None, 't-2', None, 10, 10, False)
PLAN = Plan(
    'p-1',
    'nightly',
    '2026-11-01T02:00:00',
    (DISK, OTHER),
    power_on=True,
    facts={'the status of the server': 'ACTIVE'},
    remarks=('be careful',),
)


def changed(value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, tuple):
        return (*value, 'another')
    if isinstance(value, dict):
        return {**value, 'another': 'one'}
    return f'another {value}'


@pytest.mark.parametrize('name', [f.name for f in fields(Disk)])
@pytest.mark.parametrize('number', [0, 1])
def test_each_fact_of_a_disk_is_noticed(name: str, number: int) -> None:
    disks = list(PLAN.disks)
    disks[number] = replace(
        disks[number], **{name: changed(getattr(disks[number], name))}
    )
    now = replace(PLAN, disks=tuple(disks))
    said = difference(PLAN, now)
    assert said is not None
    if name not in ('backup_id', 'source_id'):
        assert any(
            word in said
            for word in (('t-1', 'source'), ('s-2', 't-2'))[number]
        )
    assert difference(now, PLAN) is not None
    none = [replace(disk, **{name: None}) for disk in PLAN.disks[:1]]
    if name != 'problems':
        now = replace(PLAN, disks=(*none, OTHER))
        assert difference(PLAN, now) is not None


@pytest.mark.parametrize(
    'name',
    [f.name for f in fields(Plan) if f.compare and f.name != 'disks'],
)
def test_each_fact_of_a_plan_is_noticed(name: str) -> None:
    now = replace(PLAN, **{name: changed(getattr(PLAN, name))})
    assert difference(PLAN, now)
    assert difference(now, PLAN)


def test_remarks_may_change() -> None:
    assert difference(PLAN, PLAN) is None
    assert difference(PLAN, replace(PLAN, remarks=())) is None
    assert difference(PLAN, replace(PLAN)) is None


@pytest.mark.parametrize(
    'disks', [(), (DISK,), (OTHER, DISK), (DISK, OTHER, OTHER)]
)
def test_other_disks_are_noticed(disks: Any) -> None:
    assert difference(PLAN, replace(PLAN, disks=disks))


def test_a_difference_says_what_there_is_now() -> None:
    now = replace(PLAN, facts={'the status of the server': 'SHUTOFF'})
    assert difference(PLAN, now) == (
        'the status of the server was ACTIVE and is now SHUTOFF'
    )
    now = replace(PLAN, disks=(replace(DISK, target_name=None), OTHER))
    assert difference(PLAN, now) == (
        'the name of the volume t-1 was target and is now none'
    )
    now = replace(PLAN, disks=(DISK, replace(OTHER, problems=('too small',))))
    assert difference(PLAN, now) == 's-2: too small'
    now = replace(PLAN, power_on=False)
    assert 'was yes and is now no' in str(difference(PLAN, now))


def test_a_refusal_has_every_reason() -> None:
    assert PLAN.refusal is None
    bad = replace(
        PLAN,
        disks=(
            replace(DISK, problems=('too small', 'shared')),
            replace(OTHER, problems=('not attached',)),
        ),
        problems=('the server is busy',),
        hint='Wait.',
    )
    assert bad.refusal is not None
    assert bad.refusal.message == (
        'the server is busy; source: too small; source: shared; '
        's-2: not attached'
    )
    assert bad.refusal.hint == 'Wait.'
    # One disk needs no name.
    one = replace(bad, disks=bad.disks[:1], problems=())
    assert one.refusal is not None
    assert one.refusal.message == 'too small; shared'


@pytest.mark.parametrize(
    ('disk', 'check'),
    [
        (DISK, 'overwrites, shrinks to 10 GB'),
        (OTHER, 'overwrites'),
        (replace(DISK, size=None), 'overwrites'),
        (replace(DISK, problems=('a', 'b')), 'a; b'),
    ],
)
def test_what_becomes_of_a_disk(disk: Disk, check: str) -> None:
    assert disk.check == check


@pytest.mark.parametrize(
    ('is_same', 'zone'), [(None, None), (True, 'same'), (False, 'other')]
)
def test_its_zone(is_same: bool | None, zone: str | None) -> None:
    assert replace(DISK, is_same_zone=is_same).zone == zone


@pytest.mark.parametrize(
    ('hours', 'age'),
    [
        *((0, '5 minutes'), (1, '65 minutes'), (2, '2 hours')),
        *((47, '47 hours'), (48, '2 days')),
    ],
)
def test_an_age(hours: int, age: str) -> None:
    made = datetime.now(timezone.utc) - timedelta(hours=hours, minutes=5)
    assert age_of(made.isoformat()).endswith(f' UTC ({age} ago)')


@pytest.mark.parametrize('created_at', [None, '', 'yesterday'])
def test_no_age(created_at: str | None) -> None:
    assert age_of(created_at) == 'an unknown time'


def test_a_clock_that_is_behind() -> None:
    made = datetime.now(timezone.utc) + timedelta(days=3)
    assert '(0 minutes ago)' in age_of(made.isoformat())


def test_without_a_plan_nothing_is_sent() -> None:
    for resource in (None, 'x', {}):
        target = Target('x', 'volume', 'VBS', id='x', resource=resource)
        with pytest.raises(errors.ClientError):
            plan_of(target)
    assert plan_of(Target('x', 'volume', 'VBS', resource=PLAN)) is PLAN


def test_the_goal() -> None:
    assert RESTORED.is_reached(SUCCEEDED)
    assert RESTORED.is_under_way(UNDER_WAY)
    # That of a volume, or of a backup, is no end of a restore.
    for status in ('available', '', 'in-use'):
        assert not RESTORED.is_reached(replace(SUCCEEDED, status=status))
