# SPDX-License-Identifier: Apache-2.0
"""Clouds whose lists, clocks and owners are not what rules rely on."""

import json
from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack
from tests.functional.wire import (
    checkpoint_delete,
    deletes,
    names_read,
    requests,
    vbs_delete,
)
from tests.sandbox import Fault, Sandbox
from vbsclient.change.pace import PacedRecorder
from vbsclient.change.targets import ReceiptT, Recorder, Target
from vbsclient.osc.command import change

VBS = ('vbs', 'backup', 'prune', '--all-volumes')
CSBS = ('csbs', 'backup', 'prune', '--all-servers')
HOUR = 3600.0


def at(c: Sandbox, days: float) -> Any:
    return c.state.now() - timedelta(days=days)


# -- lists that lag --------------------------------------------------------


def test_a_ghost_in_the_list_keeps_no_other_from_staying(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(list_lag=3600)
    ghost, newest, *old = (
        c.state.add_backup(created_at=at(c, days)) for days in range(4)
    )
    c.state.remove_backup(ghost)
    result = openstack(
        *(*VBS, '--keep-last', '1', '--yes'),
        complains=[
            f'{newest.id}): skipped: it has changed since the plan was '
            f'made: last 1',
            f'{ghost.id}) did not count: the list shows it, but there is no '
            f'such backup.',
        ],
        code=0,
    )
    assert sorted(deletes(c)) == sorted(
        line for backup in old for line in vbs_delete(backup.id)
    )
    assert 'kept: 0, skipped: 1, failed: 0.' in result.stdout


def test_what_is_not_there_is_not_counted_twice(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(list_lag=3600)
    backups = [c.state.add_backup(created_at=at(c, d)) for d in range(5)]
    for ghost in backups[:3]:
        c.state.remove_backup(ghost)
    result = openstack(
        *(*VBS, '--keep-last', '1', '--yes'), complains=[...], code=1
    )
    assert 'Deleted: 0, kept: 0, skipped: 0, failed: 4.' in result.stdout
    assert deletes(c) == []


def test_a_ghost_of_a_server_too(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(list_lag=3600)
    web = c.state.add_server('web01')
    ghost, newest, old = (
        c.state.add_checkpoint([web], created_at=at(c, days)).items[0]
        for days in range(3)
    )
    c.state.remove_item(ghost)
    openstack(
        *(*CSBS, '--keep-last', '1', '--yes'),
        complains=[newest.id, f'{ghost.id}) did not count'],
        code=0,
    )
    assert deletes(c) == [checkpoint_delete(old.checkpoint_id, old.id)]


def test_nothing_goes_if_what_is_kept_cannot_be_read(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    newest, *_ = (
        c.state.add_backup(created_at=at(c, days)) for days in range(3)
    )
    c.knobs.faults.append(
        Fault('status', 'GET', f'backups/{newest.id}', status=500, times=None)
    )
    openstack(
        *(*VBS, '--keep-last', '1', '--yes'),
        complains=['could not be read', 'could not be read', '2 of 2'],
    )
    assert deletes(c) == []


# -- rows of other projects ------------------------------------------------


@pytest.mark.parametrize('days', [0, 90], ids=['newest', 'oldest'])
def test_a_row_of_another_project_neither_counts_nor_goes(
    cloud: CloudFactory, openstack: Openstack, days: int
) -> None:
    c = cloud(foreign_rows=True)
    disk = c.state.add_volume()
    other = c.state.add_project('other', member=False)
    c.state.add_backup(
        volume=disk, created_at=at(c, days), project_id=other.id
    )
    _, old = (
        c.state.add_backup(volume=disk, created_at=at(c, d)) for d in (1, 2)
    )
    openstack(*VBS, '--keep-last', '1', '--yes')
    assert deletes(c) == vbs_delete(old.id)


def test_a_name_is_one_of_this_project_and_an_id_says_whose_it_is(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(foreign_rows=True)
    other = c.state.add_project('other', member=False)
    foreign = c.state.add_backup('nightly', project_id=other.id)
    own = c.state.add_backup('nightly')
    delete = ('vbs', 'backup', 'delete')
    openstack(*delete, 'nightly')
    assert deletes(c) == vbs_delete(own.id)
    c.clear_log()
    openstack(*delete, 'nightly', complains=['No backup found', '1 of 1'])
    openstack(
        *delete,
        foreign.id,
        complains=[f'belongs to another project ({other.id})', '1 of 1'],
    )
    assert deletes(c) == []
    rows = openstack(
        *('vbs', 'backup', 'list', '-c', 'ID', '-c', 'Project', '-f', 'json')
    ).json()
    assert {'ID': foreign.id, 'Project': other.id} in rows
    openstack(
        *delete,
        foreign.id,
        '--force',
        complains=[f'belongs to another project ({other.id})', '1 of 1'],
    )
    assert deletes(c) == []


# -- clocks ----------------------------------------------------------------


@pytest.mark.parametrize('run', ['--yes', '--dry-run'])
@pytest.mark.parametrize('prune', [VBS, CSBS], ids=['vbs', 'csbs'])
@pytest.mark.parametrize('offset', [-400 * 24 * HOUR, 1.1 * HOUR])
def test_nothing_goes_by_a_clock_that_is_far_off(
    cloud: CloudFactory,
    openstack: Openstack,
    prune: tuple[str, ...],
    run: str,
    offset: float,
) -> None:
    c = cloud(clock_offset=offset)
    web = c.state.add_server('web01')
    for days in range(100, 110):
        c.state.add_checkpoint([web], created_at=at(c, days))
        c.state.add_backup(created_at=at(c, days))
    result = openstack(
        *(*prune, '--older-than', '90d', '--keep-daily', '3', run),
        complains=['The clock of this machine'],
    )
    assert result.stdout == ''
    assert requests(c)
    assert deletes(c) == []


def test_minutes_are_said(cloud: CloudFactory, openstack: Openstack) -> None:
    c = cloud(clock_offset=600)
    _, old = (c.state.add_backup(created_at=at(c, days)) for days in (1, 2))
    openstack(
        *(*VBS, '--keep-last', '1', '--yes'),
        complains=['rules go by this machine'],
        code=0,
    )
    assert deletes(c) == vbs_delete(old.id)


@pytest.mark.parametrize(
    'command', ['vbs backup', 'vbs share', 'csbs backup', 'csbs checkpoint']
)
def test_a_list_by_age_says_it_too(
    cloud: CloudFactory, openstack: Openstack, command: str
) -> None:
    cloud(clock_offset=2 * HOUR)
    words = (*command.split(), 'list')
    openstack(*words)
    openstack(
        *words, '--created-before', '30d', complains=['ages such as'], code=0
    )


# -- siblings --------------------------------------------------------------


def test_siblings_that_begin_to_go_later_are_noticed(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    now = 0.0

    def passes(request: Any) -> None:
        nonlocal now
        now += 0.5 if deletes(c) else 0.0

    c = cloud(
        ignore_item_query=True,
        sibling_delay=1.4,
        deletion_time=3600,
        clock=lambda: now,
        on_finished=passes,
    )
    runs = [c.state.add_checkpoint(2) for _ in range(3)]
    openstack(
        *('csbs', 'backup', 'delete', *(r.items[0].id for r in runs)),
        complains=['More is being deleted than was named', '2 of 3'],
    )
    assert len(deletes(c)) == 1


# -- what a service does not sort by ---------------------------------------


@pytest.mark.parametrize('direction', ['asc', 'desc'])
@pytest.mark.parametrize(
    ('command', 'sort'),
    [('vbs backup', 'sort_key=name'), ('csbs backup', 'sort=name')],
)
def test_what_a_service_does_not_sort_by_is_sorted_here(
    cloud: CloudFactory,
    openstack: Openstack,
    command: str,
    sort: str,
    direction: str,
) -> None:
    c = cloud()
    c.knobs.faults.append(Fault('status', 'GET', sort, status=400, times=None))
    for name in ('b', 'c', 'a'):
        c.state.add_backup(name)
        c.state.add_checkpoint(name=name)
    rows = openstack(
        *(*command.split(), 'list', '--sort', f'name:{direction}'),
        *('-f', 'json', '-c', 'Name'),
        config={'vbsclient_api_version': '2'},
    ).json()
    names = [row['Name'] for row in rows if len(row['Name']) == 1]
    wanted = sorted(names, reverse=direction == 'desc')
    assert len(set(names)) == 3
    assert names == wanted
    assert any(sort in text for text in requests(c))


# -- how fast --------------------------------------------------------------


@pytest.mark.parametrize('rate', ['', '5', '0/s', '5/m', '/s', '5/', '-1/s'])
def test_what_is_no_rate(
    cloud: CloudFactory, openstack: Openstack, rate: str
) -> None:
    c = cloud()
    openstack(
        *('vbs', 'backup', 'delete', 'x', f'--rate={rate}'),
        complains=[..., 'is not a rate such as 5/s'],
        code=2,
    )
    assert requests(c) == []


def test_deletions_are_paced_by_the_rate(
    cloud: CloudFactory, openstack: Openstack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By how much is a matter of ``change.pace``, with a clock of its own."""
    paced: list[tuple[float, str]] = []

    class Noted(PacedRecorder):
        def __init__(
            self, recorder: Recorder, per_second: float, stop: Event
        ) -> None:
            super().__init__(recorder, per_second, stop)
            self._per_second = per_second

        def record(
            self, target: Target, action: str, send: Callable[[], ReceiptT]
        ) -> ReceiptT:
            paced.append((self._per_second, target.verified_id))
            return super().record(target, action, send)

    monkeypatch.setattr(change, 'PacedRecorder', Noted)
    c = cloud()
    ids = [c.state.add_backup().id for _ in range(5)]
    openstack('vbs', 'backup', 'delete', *ids, '--rate', '1200/min')
    assert sorted(paced) == sorted((20.0, id) for id in ids)
    assert len(deletes(c)) == 5


# -- rows that are there twice ---------------------------------------------


def row(number: int, *, upper: bool = False) -> dict[str, Any]:
    """A backup of January in whichever case an id may be listed."""
    id = f'{number:08}-0000-4000-8000-00000000000a'
    return {
        'id': id.upper() if upper else id,
        'name': f'day-{number}',
        'status': 'available',
        'volume_id': f'{99:08}-0000-4000-8000-000000000000',
        'size': 20,
        'created_at': f'2026-01-{number:02}T02:00:00.000000',
    }


def test_a_backup_that_is_listed_twice_counts_once(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    rows = [row(n, upper=upper) for n in (3, 2, 1) for upper in (False, True)]
    c.knobs.faults.append(
        Fault(
            'status',
            'GET',
            '/backups/detail',
            status=200,
            body=json.dumps({'backups': rows}),
            times=None,
        )
    )
    plan = openstack(
        *(*VBS, '--keep-last', '2', '--dry-run', '-f', 'json'),
        complains=[...],
        code=0,
    ).json()
    assert [(r['Name'], r['Action']) for r in plan] == [
        ('day-3', 'keep'),
        ('day-2', 'keep'),
        ('day-1', 'delete'),
    ]


def test_a_backup_in_the_lists_of_two_policies_shows_that_none_is_asked_for(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    server = c.state.add_server('web01')
    policies = [c.state.new_uuid() for _ in range(2)]
    for days in (1, 2, 3):
        c.state.add_checkpoint(
            [server], policy_id=policies[0], created_at=at(c, days)
        )
    rows = openstack.run('csbs', 'backup', 'list', '-f', 'json').json()
    body = {
        'checkpoint_items': [
            {
                'id': r['ID'],
                'checkpoint_id': r['Checkpoint'],
                'resource_id': server.id,
                'status': 'available',
            }
            for r in rows
        ]
    }
    c.knobs.faults.append(
        Fault(
            'status',
            'GET',
            f'policy_id={policies[1]}',
            status=200,
            body=json.dumps(body),
            times=None,
        )
    )
    both = [word for id in policies for word in ('--policy', id)]
    for command in (
        ('csbs', 'backup', 'list', *both),
        ('csbs', 'backup', 'prune', *both, '--keep-last', '2', '--yes'),
    ):
        openstack(
            *command,
            complains=[
                'does not filter by policy: it lists backups for more than one'
            ],
        )
    assert deletes(c) == []


# -- names -----------------------------------------------------------------


def test_names_that_nobody_reads_are_not_asked_for(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(catalog='vbs+volumev3')
    c.state.add_backup(created_at=at(c, 1))
    command = (*VBS, '--keep-last', '1', '--yes')
    openstack('-q', *command)
    assert names_read(c) == []
    openstack(*command)
    assert len(names_read(c)) == 2
