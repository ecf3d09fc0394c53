# SPDX-License-Identifier: Apache-2.0
"""``restore`` on block storage alone: what is on the disk afterwards."""

from collections.abc import Callable
from pathlib import Path

from tests.functional.shell import Openstack
from tests.real.cloud import Project

Make = Callable[..., Project]

RESTORE = ('vbs', 'backup', 'restore')
ONLY_STORAGE = ('volumev3',)
FAILED = '1 of 1 volumes failed to restore.'
OLD, NEW = b'as it was saved', b'as it became'


def written(cinder: Project, volume: str, text: bytes) -> Path:
    """Put something at the start of a volume."""
    path = cinder.cinder.file_of(volume)
    with path.open('r+b') as file:
        file.write(text)
    return path


def posts(cinder: Project) -> list[str]:
    return [
        request
        for request in cinder.service_requests()
        if request.endswith('/restore') and cinder.project_id in request
    ]


def test_a_volume_gets_its_data_back_and_no_other_does(
    project: Make, openstack: Openstack
) -> None:
    cinder = project(*ONLY_STORAGE)
    volume, other = cinder.volume(), cinder.volume('other')
    files = [written(cinder, id, OLD) for id in (volume, other)]
    backup = cinder.backup(volume, 'nightly')
    for id in (volume, other):
        written(cinder, id, NEW)
    [row] = openstack(
        *(*RESTORE, '--yes', '--wait', 'nightly', 'disk', '-f', 'json'),
        complains=[...],
        code=0,
    ).json()
    assert (row['Result'], row['ID'], row['Target']) == (
        'restored',
        backup,
        volume,
    ), row
    assert [path.read_bytes().startswith(OLD) for path in files] == [
        True,
        False,
    ]
    assert cinder.storage.get_volume(volume).status == 'available'


def test_a_restore_that_fails_says_so(
    project: Make, openstack: Openstack
) -> None:
    cinder = project(*ONLY_STORAGE)
    volume = cinder.volume()
    backup = cinder.backup(volume, 'nightly')
    cinder.cinder.lose_backup(backup)
    [row] = openstack(
        *(*RESTORE, '--yes', '--wait', backup, volume, '-f', 'json'),
        complains=[..., FAILED],
    ).json()
    assert row['Result'] == 'failed', row
    assert 'error_restoring' in row['Detail']
    # The backup does not show it.
    assert cinder.statuses() == {backup: 'available'}
    # And the same again is refused, with what helps.
    before = len(posts(cinder))
    said = openstack(
        *(*RESTORE, '--yes', backup, volume), complains=[..., FAILED]
    )
    assert 'openstack volume set --state available' in said.stdout
    assert len(posts(cinder)) == before == 1


def test_a_smaller_volume_is_refused(
    project: Make, openstack: Openstack
) -> None:
    cinder = project(*ONLY_STORAGE)
    backup = cinder.backup(cinder.volume(size=2), 'nightly')
    small = cinder.volume('small')
    for options in ((), ('--force',)):
        [row] = openstack(
            *(*RESTORE, '--yes', *options, backup, small, '-f', 'json'),
            complains=[..., FAILED],
        ).json()
        assert row['Result'] == 'refused', row
        assert 'has 1 GB, and the backup needs 2 GB' in row['Detail']
    assert posts(cinder) == []
