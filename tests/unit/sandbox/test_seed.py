# SPDX-License-Identifier: Apache-2.0
"""The example resources of the sandbox."""

import time
from collections import Counter
from datetime import datetime, timezone

from tests.sandbox import Sandbox
from tests.sandbox.seed import CREATION_TIME, add_trouble
from tests.sandbox.state import CloudState
from tests.unit.sandbox.conftest import Clock


def test_what_is_in_the_seed() -> None:
    state = Sandbox().seed().state
    names = Counter(
        backup.name
        for backup in state.backups.values()
        if backup.source == 'vbs'
    )
    assert names['db01-before-upgrade'] == 1
    assert names['nightly-copy'] == 2
    statuses = Counter(backup.status for backup in state.backups.values())
    assert statuses['error'] == statuses['creating'] == 1
    assert len(state.shares) == 3
    sizes = sorted(len(one.items) for one in state.checkpoints.values())
    assert sizes == [1, 1, 3]
    assert sum(bool(item.images) for item in state.items.values()) == 1
    assert {one.name for one in state.servers.values()} == {
        'web01',
        'web02',
        'db01',
    }


def test_it_is_the_same_each_time() -> None:
    one, other = (Sandbox().seed().state for _ in range(2))
    assert list(one.backups) == list(other.backups)
    assert [row.name for row in one.backups.values()] == [
        row.name for row in other.backups.values()
    ]


def test_an_epoch_is_the_time_of_day_in_the_cloud() -> None:
    epoch = datetime(2026, 11, 21, 13, tzinfo=timezone.utc)
    state = Sandbox(epoch=epoch, clock=lambda: 5.0).seed().state
    assert state.now() == epoch
    newest = max(
        backup.created_at
        for backup in state.backups.values()
        if backup.name.startswith('autobk')
    )
    assert newest == '2026-11-20T02:00:00.000000'


def test_what_is_being_created_becomes_available() -> None:
    clock = Clock()
    sandbox = Sandbox(clock=clock).seed()
    running = next(
        backup
        for backup in sandbox.state.backups.values()
        if backup.name == 'web02-running'
    )
    clock.advance(CREATION_TIME - 1)
    assert sandbox.state.backups[running.id].status == 'creating'
    clock.advance(1)
    assert sandbox.state.backups[running.id].status == 'available'


def test_trouble_changes_statuses_and_no_id() -> None:
    state, troubled = (Sandbox().seed().state for _ in range(2))
    add_trouble(troubled)
    assert list(troubled.backups) == list(state.backups)
    statuses = Counter(one.status for one in troubled.backups.values())
    assert statuses['deleting'] == statuses['error_deleting'] == 1
    assert [
        (one.name, one.fail_op)
        for one in troubled.items.values()
        if one.status == 'error'
    ] == [('web01-pre-patch', 'delete')]


def test_many_backups_are_added_quickly() -> None:
    state = CloudState(lambda: 0.0)
    before = time.process_time()
    for number in range(20_000):
        state.add_backup(f'b{number}')
    assert time.process_time() - before < 2
