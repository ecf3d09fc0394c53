# SPDX-License-Identifier: Apache-2.0
"""Deletions on an injected clock."""

import pytest

from tests.sandbox.deletion import DeletionQueue
from tests.sandbox.model import Backup
from tests.sandbox.state import CloudState
from tests.unit.sandbox.conftest import PROVIDER, Clock, Cloud

LANE = ('vbs', 'p')


@pytest.fixture
def backup() -> Backup:
    return CloudState(lambda: 0.0).add_backup()


def test_slots(backup: Backup) -> None:
    queue = DeletionQueue()
    spans = [queue.submit(LANE, backup, 0, 10, 2) for _ in range(5)]
    assert spans == [(0, 10), (0, 10), (10, 20), (10, 20), (20, 30)]


def test_a_free_slot_is_taken_at_once(backup: Backup) -> None:
    queue = DeletionQueue()
    queue.submit(LANE, backup, 0, 10, 1)
    assert queue.submit(LANE, backup, 15, 10, 1) == (15, 25)
    assert queue.submit(LANE, backup, 16, 10, 1) == (25, 35)


def test_lanes_do_not_wait_for_each_other(backup: Backup) -> None:
    queue = DeletionQueue()
    queue.submit(LANE, backup, 0, 10, 1)
    assert queue.submit(('vbs', 'q'), backup, 0, 10, 1) == (0, 10)


def test_events_come_in_order_and_once(backup: Backup) -> None:
    queue = DeletionQueue()
    for _ in range(2):
        queue.submit(LANE, backup, 0, 10, 1)
    steps = [(event.at, event.step) for event in queue.due(10)]
    assert steps == [(0, 0), (10, 1), (10, 0)]
    assert [event.at for event in queue.due(10)] == []
    assert [event.at for event in queue.due(99)] == [20]


def test_vbs(cloud: Cloud, clock: Clock) -> None:
    api = cloud(deletion_time=10, deletion_slots=1, clock=clock)
    backups = [api.sandbox.state.add_backup() for _ in range(2)]
    paths = [f'/vbs/v2/{{P}}/backups/{backup.id}' for backup in backups]

    def statuses() -> list[str]:
        answers = [api.get(path) for path in paths]
        return [
            answer.json()['backup']['status'] if answer.ok else 'gone'
            for answer in answers
        ]

    for path in paths:
        assert api.delete(path).status_code == 202
    assert api.delete(paths[0]).status_code == 400
    assert statuses() == ['deleting', 'deleting']
    clock.advance(10)
    assert statuses() == ['gone', 'deleting']
    clock.advance(10)
    assert statuses() == ['gone', 'gone']


def test_csbs(cloud: Cloud, clock: Clock) -> None:
    api = cloud(deletion_time=10, clock=clock)
    checkpoint = api.sandbox.state.add_checkpoint(6)
    items = [item.id for item in checkpoint.items]
    disk = checkpoint.items[0].parts[0].backup_id
    path = f'/csbs/v1/{{P}}/providers/{PROVIDER}/checkpoints/{checkpoint.id}'

    def statuses() -> list[str]:
        body = api.get('/csbs/v1/{P}/checkpoint_items').json()
        found = {row['id']: row['status'] for row in body['checkpoint_items']}
        return [found.get(item, 'gone') for item in items]

    assert api.delete(path).json() == {}
    assert statuses() == ['deleting'] * 5 + ['waiting_delete']
    shown = api.get(f'/vbs/v2/{{P}}/backups/{disk}').json()['backup']
    assert shown['status'] == 'deleting'
    assert api.delete(path).json()['error_code'] == 'CSBS.2003'
    clock.advance(10)
    assert statuses() == ['gone'] * 5 + ['deleting']
    assert disk not in api.sandbox.state.backups
    clock.advance(10)
    assert statuses() == ['gone'] * 6
    assert not api.sandbox.state.backups


def test_dependents_count_until_they_are_deleted(
    cloud: Cloud, clock: Clock
) -> None:
    api = cloud(deletion_time=10, chains=True, clock=clock)
    volume = api.sandbox.state.add_volume()
    full = api.sandbox.state.add_backup('full', volume)
    last = api.sandbox.state.add_backup('last', volume, incremental=True)
    base = '/vbs/v3/{P}/backups/'
    assert api.delete(base + last.id).status_code == 202
    assert api.delete(base + full.id).status_code == 400
    clock.advance(10)
    assert api.delete(base + full.id).status_code == 202


def test_a_deletion_of_vbs_that_fails(cloud: Cloud) -> None:
    api = cloud()
    backup = api.sandbox.state.add_backup(deletion_fails=True)
    path = f'/vbs/v2/{{P}}/backups/{backup.id}'
    assert api.delete(path).status_code == 202
    shown = api.get(path).json()['backup']
    assert shown['status'] == 'error_deleting'
    assert shown['fail_reason']


def test_a_deletion_of_csbs_that_fails(cloud: Cloud) -> None:
    api = cloud()
    checkpoint = api.sandbox.state.add_checkpoint(deletion_fails=True)
    (item,) = checkpoint.items
    api.delete(
        f'/csbs/v1/{{P}}/providers/{PROVIDER}/checkpoints/{checkpoint.id}'
    )
    path = f'/csbs/v1/{{P}}/checkpoint_items/{item.id}'
    shown = api.get(path).json()['checkpoint_item']
    assert shown['status'] == 'error'
    assert shown['extend_info']['fail_op'] == 'delete'
    assert shown['extend_info']['fail_code']['Code'] == 'CSBS.9999'
    disk = api.sandbox.state.backups_in(item)[0]
    assert disk.status == 'available'


def test_the_state_is_as_of_now(cloud: Cloud, clock: Clock) -> None:
    api = cloud(deletion_time=10, clock=clock)
    backup = api.sandbox.state.add_backup()
    api.delete(f'/vbs/v2/{{P}}/backups/{backup.id}')
    clock.advance(10)
    assert backup.id not in api.sandbox.state.backups
