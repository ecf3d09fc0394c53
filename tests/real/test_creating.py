# SPDX-License-Identifier: Apache-2.0
"""``create`` on block storage alone: full, incremental, in use."""

from collections.abc import Callable

from tests.functional.shell import Openstack
from tests.real.cloud import Project

Make = Callable[..., Project]

CREATE = ('vbs', 'backup', 'create')
ONLY_STORAGE = ('volumev3',)


def test_a_full_backup_and_an_increment(
    project: Make, openstack: Openstack
) -> None:
    cinder = project(*ONLY_STORAGE)
    volume = cinder.volume()
    made = []
    for options in ((), ('--incremental',)):
        [row] = openstack(
            *(*CREATE, '--wait', *options, volume, '-f', 'json')
        ).json()
        assert (row['Result'], row['Job']) == ('created', None), row
        made.append(row['ID'])
    assert cinder.statuses() == dict.fromkeys(made, 'available')
    bodies = {one.id: one for one in cinder.storage.backups()}
    assert [bodies[id].is_incremental for id in made] == [False, True]


def test_an_increment_without_a_full_backup_is_refused(
    project: Make, openstack: Openstack
) -> None:
    cinder = project(*ONLY_STORAGE)
    [row] = openstack(
        *(*CREATE, '--incremental', cinder.volume(), '-f', 'json'),
        complains=[..., '1 of 1 backups failed to create.'],
    ).json()
    assert row['Result'] == 'failed'
    assert 'No backups available to do an incremental' in row['Detail']
    assert cinder.statuses() == {}


def test_several_at_a_time_and_a_name_that_is_none(
    project: Make, openstack: Openstack
) -> None:
    cinder = project(*ONLY_STORAGE)
    volumes = [cinder.volume() for _ in range(3)]
    rows = openstack(
        *(*CREATE, '--wait', *volumes, 'nothing', '-f', 'json'),
        complains=[..., '1 of 4 backups failed to create. To try again'],
    ).json()
    assert [row['Result'] for row in rows] == ['created'] * 3 + ['failed']
    assert cinder.statuses() == {
        row['ID']: 'available' for row in rows if row['ID']
    }
