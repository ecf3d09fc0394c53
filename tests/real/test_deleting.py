# SPDX-License-Identifier: Apache-2.0
"""``delete``: what was named is gone, and nothing else."""

import re
from collections.abc import Callable

import pytest

from tests.functional.shell import Openstack
from tests.functional.wire import UNKNOWN
from tests.real.cloud import Project, RealCloud
from tests.real.process import until

Make = Callable[..., Project]

DELETE = ('vbs', 'backup', 'delete')
NO_WORKER = re.compile(
    r'^Failed to delete backup only \(\S+\): Service cinder-backup could not '
    r'be found \(HTTP 404, request req-\S+\)\. It still exists \(status '
    r'available\)'
)


def sent(cinder: Project) -> int:
    """How many DELETEs Cinder has seen in this project."""
    return sum(
        request.method == 'DELETE' and cinder.project_id in request.path
        for request in cinder.requests
    )


@pytest.mark.parametrize(
    'types', [('vbs', 'volumev3'), ('volumev3',), ('block-storage',)]
)
def test_by_id_and_by_name(
    project: Make, openstack: Openstack, types: tuple[str, ...]
) -> None:
    cinder = project(*types)
    volume = cinder.volume()
    first, _, third = (cinder.backup(volume, f'b{n}') for n in range(3))

    done = openstack(*DELETE, '--wait', first, 'b1')

    assert done.stdout == ''
    assert cinder.statuses() == {third: 'available'}
    openstack(*DELETE, 'b2')
    cinder.await_empty()


def test_the_report_says_what_became_of_each(
    project: Make, openstack: Openstack
) -> None:
    cinder = project()
    ids = cinder.chain(cinder.volume(), 'nightly', increments=1)

    rows = openstack(*DELETE, '--wait', '--report', *ids, '-f', 'json').json()

    assert [(row['ID'], row['Result']) for row in rows] == [
        (id, 'deleted') for id in ids
    ]
    assert all(row['Request ID'].startswith('req-') for row in rows)


def test_what_is_not_there(project: Make, openstack: Openstack) -> None:
    cinder = project()

    openstack(
        *DELETE,
        UNKNOWN,
        'nightly',
        complains=[
            f"No backup found for '{UNKNOWN}'",
            "No backup found for 'nightly'",
            '2 of 2 backups failed to delete.',
        ],
    )
    openstack(*DELETE, '--ignore-missing', UNKNOWN, 'nightly')
    assert sent(cinder) == 0


def test_a_backup_of_another_project_is_not_there(
    project: Make, openstack: Openstack
) -> None:
    theirs = project()
    id = theirs.backup(theirs.volume(), 'theirs')
    ours = project()

    openstack(
        *DELETE,
        id,
        'theirs',
        complains=[
            f"No backup found for '{id}'",
            "No backup found for 'theirs'",
            '2 of 2 backups failed to delete.',
        ],
    )

    assert sent(ours) == sent(theirs) == 0


def test_an_ambiguous_name(project: Make, openstack: Openstack) -> None:
    cinder = project()
    volume = cinder.volume()
    twins = [cinder.backup(volume, 'twin') for _ in range(2)]

    refused = openstack(
        *DELETE,
        'twin',
        complains=[
            "More than one backup exists with the name 'twin'",
            '1 of 1 backups failed to delete.',
        ],
    )

    assert all(id in refused.stderr for id in twins)
    assert sent(cinder) == 0
    openstack(*DELETE, '--wait', twins[0])
    openstack(*DELETE, '--wait', 'twin')
    assert cinder.statuses() == {}


def test_a_backup_that_is_being_made(
    project: Make,
    openstack: Openstack,
    no_backup_worker: Callable[[], None],
    real_cloud: RealCloud,
) -> None:
    cinder = project()
    volume = cinder.volume()
    no_backup_worker()
    made = cinder.backup(volume, 'new', wait=False)

    openstack(
        *DELETE,
        'new',
        complains=[
            'Invalid backup: Backup status must be available or error',
            '1 of 1 backups failed to delete.',
        ],
    )

    assert cinder.statuses() == {made: 'creating'}
    # The next worker gives it up, which leaves it to be deleted.
    real_cloud.cinder.start_backup_worker()
    cinder.await_status(made, 'error')
    openstack(*DELETE, '--wait', 'new')
    assert cinder.statuses() == {}


def test_a_wait_that_is_too_short(
    project: Make,
    openstack: Openstack,
    no_backup_worker: Callable[[], None],
    real_cloud: RealCloud,
) -> None:
    """Cinder accepts it and keeps it for the worker that comes back."""
    cinder = project()
    id = cinder.backup(cinder.volume(), 'only')
    no_backup_worker()

    openstack(
        *DELETE,
        *('--wait', '--timeout', '1s', id),
        code=3,
        complains=['1 of 1 backups is not deleted yet: only'],
    )

    assert cinder.statuses() == {id: 'deleting'}
    real_cloud.cinder.start_backup_worker()
    # It may be gone before it is looked for.
    openstack(*DELETE, '--wait', '--ignore-missing', id)
    assert cinder.statuses() == {}


def test_without_a_worker_404_means_nothing(
    project: Make,
    openstack: Openstack,
    no_backup_worker: Callable[[], None],
    real_cloud: RealCloud,
) -> None:
    cinder = project()
    id = cinder.backup(cinder.volume(), 'only')
    no_backup_worker()
    real_cloud.await_backup_worker('down')
    ways = [
        (),
        ('--wait',),
        ('--ignore-missing',),
        ('--ignore-missing', '--wait'),
    ]

    for options in ways:
        openstack(
            *DELETE,
            *options,
            id,
            complains=[NO_WORKER, '1 of 1 backups failed to delete.'],
        )

    assert cinder.statuses() == {id: 'available'}
    assert sent(cinder) == len(ways)


def test_a_reader_is_not_refused_for_ever(
    project: Make, openstack: Openstack
) -> None:
    cinder = project()
    volume = cinder.volume()
    ids = [cinder.backup(volume, f'b{number}') for number in range(6)]
    cinder.user = 'reader'

    openstack(
        *DELETE,
        *ids,
        complains=[
            re.compile(
                'The same failure came for each of 3 targets in a row.*'
                "Policy doesn't allow backup:delete to be performed"
            ),
            ...,
            '6 of 6 backups failed to delete.',
        ],
    )

    assert sent(cinder) == 3
    assert cinder.statuses() == dict.fromkeys(ids, 'available')


def test_a_token_that_is_revoked_meanwhile(
    project: Make,
    openstack: Openstack,
    no_backup_worker: Callable[[], None],
    real_cloud: RealCloud,
) -> None:
    """The wait logs in anew and goes on to its end."""
    cinder = project()
    id = cinder.backup(cinder.volume(), 'only')
    no_backup_worker()
    cinder.storage.delete_backup(id)
    before = len(cinder.requests)
    running = openstack.start(*DELETE, '--wait', id)
    try:
        until(lambda: asked(cinder, before), 'it is waited for')
        real_cloud.revoke_tokens('member')
        until(lambda: 401 in asked(cinder, before), 'it is refused')
        real_cloud.cinder.start_backup_worker()
        stdout, stderr = running.communicate(timeout=60)
    finally:
        running.kill()

    assert (running.returncode, stdout, stderr) == (0, '', '')
    assert asked(cinder, before).count(401) == 1
    assert cinder.statuses() == {}


def asked(cinder: Project, before: int) -> list[int]:
    """What Cinder has answered to the looks at a backup since then."""
    return [
        request.status
        for request in cinder.requests[before:]
        if re.search('/backups/[0-9a-f-]{36}$', request.path)
    ]
