# SPDX-License-Identifier: Apache-2.0
"""Deletion by rule, where what is kept needs what it is built on."""

import json
from collections.abc import Callable

from tests.functional.shell import Openstack
from tests.real.cloud import Project

Make = Callable[..., Project]

PRUNE = ('vbs', 'backup', 'prune')


def test_a_kept_increment_keeps_its_chain_and_the_older_one_goes(
    project: Make, openstack: Openstack
) -> None:
    cinder = project('volumev3')
    volume = cinder.volume()
    cinder.chain(volume, 'old')
    new = cinder.chain(volume, 'new')

    plan = openstack(
        *(*PRUNE, '--volume', volume, '--keep-last', '1'),
        *('--dry-run', '-f', 'json'),
        complains=['Keep last 1.', 'Would delete 3, keep 3.'],
        code=0,
    )
    openstack(
        *(*PRUNE, '--volume', volume, '--keep-last', '1'),
        *('--yes', '--wait'),
    )

    assert [row['Reasons'] for row in json.loads(plan.stdout)] == [
        ['last 1'],
        [f'needed by {new[2]}'],
        [f'needed by {new[2]}'],
        *[['kept by no rule']] * 3,
    ]
    assert cinder.statuses() == dict.fromkeys(new, 'available')


def test_what_is_not_selected_keeps_its_chain(
    project: Make, openstack: Openstack
) -> None:
    cinder = project('volumev3')
    volume = cinder.volume()
    full = cinder.backup(volume, 'nightly-0')
    manual = cinder.backup(volume, 'manual', is_incremental=True)
    gone = cinder.backup(volume, 'nightly-1')
    kept = cinder.backup(volume, 'nightly-2')

    openstack(
        *(*PRUNE, '--name-contains', 'nightly', '--keep-last', '1'),
        *('--yes', '--wait'),
    )

    assert gone not in cinder.statuses()
    assert set(cinder.statuses()) == {full, manual, kept}


def test_a_second_run_has_nothing_to_do(
    project: Make, openstack: Openstack
) -> None:
    cinder = project('volumev3')
    for name in ('a', 'b'):
        cinder.chain(cinder.volume(), name)
    rule = ('--all-volumes', '--keep-daily', '1', '--yes', '--wait')

    openstack(*PRUNE, *rule)
    left = cinder.statuses()
    again = openstack(*PRUNE, *rule)

    assert cinder.statuses() == left
    assert 'Nothing to delete: all' in again.stdout
