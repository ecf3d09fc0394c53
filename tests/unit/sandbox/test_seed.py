# SPDX-License-Identifier: Apache-2.0
"""The believable cloud."""

import time
from collections import Counter

from tests.sandbox import Sandbox
from tests.sandbox.state import CloudState


def test_what_there_is() -> None:
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


def test_many_backups_are_added_quickly() -> None:
    state = CloudState(lambda: 0.0)
    before = time.process_time()
    for number in range(20_000):
        state.add_backup(f'b{number}')
    assert time.process_time() - before < 2
