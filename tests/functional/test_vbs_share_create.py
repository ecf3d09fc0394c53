# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs share create``."""

import re
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack
from tests.functional.targets import commands_in
from tests.functional.wire import UNKNOWN, creations, requests
from tests.sandbox import Fault, Sandbox

CREATE = ('vbs', 'share', 'create')
SHARING = 'POST /vbs/v2/{P}/os-vendor-backup-sharing'

#: A contract with scripts.
KEYS = [
    *('Type', 'ID', 'Backup', 'Backup Name', 'Target Project'),
    *('Target Project Name', 'Source', 'Result', 'Detail', 'Requested At'),
    *('Finished At', 'Request ID'),
]


def with_projects(*projects: str) -> list[str]:
    return [f'--target-project={project}' for project in projects]


def shared(sandbox: Sandbox) -> set[tuple[str, str]]:
    """(backup, project) of each share."""
    return {
        (share.backup_id, share.to_project_id)
        for share in sandbox.state.shares.values()
    }


def test_each_backup_is_shared_with_each_project_by_one_request(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    one, two = (c.state.add_backup(name) for name in ('one', 'two'))
    c.state.add_backup('other')
    partner, stranger = c.state.add_project('partner').id, c.state.new_hex()
    rows = openstack(
        *(*CREATE, 'one', two.id, *with_projects('partner', stranger)),
        *('-f', 'json'),
    ).json()
    assert [list(row) for row in rows] == [KEYS] * 4
    assert {row['Result'] for row in rows} == {'shared'}
    assert [(r['Backup'], r['Target Project']) for r in rows] == [
        (backup.id, project)
        for backup in (one, two)
        for project in (partner, stranger)
    ]
    assert [r['Target Project Name'] for r in rows] == ['partner', None] * 2
    assert {row['ID'] for row in rows} == set(c.state.shares)
    assert len(c.state.shares) == 4
    sent = sorted(creations(c), key=lambda one: str(one[1]))
    assert sent == [
        (
            SHARING,
            {
                'shared': {
                    'backup_id': id,
                    'to_project_ids': [partner, stranger],
                }
            },
        )
        for id in sorted([one.id, two.id])
    ]


def test_the_table_has_the_name_of_the_project(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    c.state.add_backup('golden')
    c.state.add_project('partner')
    shown = openstack(*CREATE, 'golden', *with_projects('partner')).stdout
    [share] = c.state.shares
    lines = shown.splitlines()
    assert re.findall(r'\w[\w ]*\w', lines[1]) == [
        *('ID', 'Backup Name', 'Target Project', 'Result')
    ]
    assert lines[3] == f'| {share} | golden      | partner        | shared |'


def test_ids_come_from_standard_input_too(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    ids = [c.state.add_backup().id for _ in range(5)]
    project = c.state.new_hex()
    openstack(*CREATE, '-', *with_projects(project), stdin='\n'.join(ids))
    assert shared(c) == {(id, project) for id in ids}
    assert len(creations(c)) == 5


def test_a_dry_run_shares_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup = c.state.add_backup('golden')
    old, new = c.state.new_hex(), c.state.new_hex()
    c.state.add_share(backup, old)
    rows = openstack(
        *(*CREATE, '--dry-run', 'golden', *with_projects(old, new)),
        *('-f', 'json'),
    ).json()
    assert [row['Result'] for row in rows] == ['unchanged', 'would share']
    assert creations(c) == []


def test_what_is_shared_already_stays_as_it_is(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup = c.state.add_backup('golden')
    old, new = c.state.new_hex(), c.state.new_hex()
    share = c.state.add_share(backup, old)
    command = (*CREATE, 'golden', *with_projects(old, new), '-f', 'json')
    rows = openstack(*command).json()
    assert [row['Result'] for row in rows] == ['unchanged', 'shared']
    assert rows[0]['ID'] == share.id
    assert rows[0]['Detail'] == 'is shared with this project already'
    [(_, body)] = creations(c)
    assert body['shared']['to_project_ids'] == [new]
    # Unlike other creations it may be repeated.
    rows = openstack(*command).json()
    assert [row['Result'] for row in rows] == ['unchanged', 'unchanged']
    assert len(creations(c)) == 1


# -- what is refused -------------------------------------------------------


def _foreign(c: Sandbox) -> str:
    other = c.state.add_project('other', member=False)
    return c.state.add_backup('theirs', project_id=other.id).id


@pytest.mark.parametrize(
    ('named', 'result', 'detail'),
    [
        (lambda c: 'ghost', 'failed', "No backup found for 'ghost'"),
        (lambda c: UNKNOWN, 'failed', f"No backup found for '{UNKNOWN}'"),
        (
            lambda c: c.state.add_backup(status='creating').id,
            'refused',
            'its status is creating: only a backup that is available',
        ),
    ],
    ids=['name', 'id', 'status'],
)
def test_one_that_is_refused_does_not_keep_the_others_from_being_shared(
    cloud: CloudFactory,
    openstack: Openstack,
    named: Any,
    result: str,
    detail: str,
) -> None:
    c = cloud()
    backup, project = c.state.add_backup('golden'), c.state.new_hex()
    rows = openstack(
        *(*CREATE, named(c), 'golden', *with_projects(project), '-f', 'json'),
        complains=[re.compile(detail), '1 of 2 shares failed to create.'],
    ).json()
    assert [row['Result'] for row in rows] == [result, 'shared']
    assert shared(c) == {(backup.id, project)}


def test_a_backup_of_another_project_is_not_shared(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(foreign_rows=True)
    backup = _foreign(c)
    result = openstack.run(*CREATE, backup, *with_projects(c.state.new_hex()))
    assert result.code == 1
    assert creations(c) == []


def test_nor_is_one_shared_with_its_own_project(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    c.state.add_backup('golden')
    for project in ('demo', c.project_id):
        openstack(
            *(*CREATE, 'golden', *with_projects(project)),
            complains=[
                'is the one that has the backups. Name another project'
            ],
        )
    assert creations(c) == []


@pytest.mark.parametrize(
    ('options', 'code', 'told'),
    [
        ((), 2, 'required: --target-project'),
        (with_projects('ghost'), 1, "No project found for 'ghost'"),
        (
            (*with_projects('partner'), '--target-project-domain=ghost'),
            1,
            "No domain found for 'ghost'",
        ),
        ((*with_projects('partner'), '--wait'), 2, 'unrecognized arguments'),
    ],
)
def test_a_project_that_is_not_known_ends_it(
    cloud: CloudFactory,
    openstack: Openstack,
    options: tuple[str, ...],
    code: int,
    told: str,
) -> None:
    c = cloud()
    c.state.add_backup('golden')
    c.state.add_project('partner')
    openstack(*CREATE, 'golden', *options, complains=[..., told], code=code)
    assert requests(c) == []


@pytest.mark.parametrize(
    ('knobs', 'said'),
    [
        ({'catalog': 'volumev3', 'csbs_catalog': None}, 'has no VBS'),
        ({'sharing': 'absent'}, 'does not share backups'),
        ({'sharing': 'forbidden'}, "doesn't allow backup:share"),
    ],
    ids=['block storage', 'absent', 'forbidden'],
)
def test_a_cloud_without_sharing_says_so(
    cloud: CloudFactory,
    openstack: Openstack,
    knobs: dict[str, Any],
    said: str,
) -> None:
    c = cloud(**knobs)
    c.state.add_backup('golden')
    openstack(
        *(*CREATE, 'golden', *with_projects(c.state.new_hex())),
        complains=[said],
    )
    assert creations(c) == []


def test_a_cloud_that_is_read_only_shares_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    c.state.add_backup('golden')
    openstack(
        *(*CREATE, 'golden', *with_projects(c.state.new_hex())),
        config={'vbsclient_read_only': True},
        complains=[re.compile('read-only.*nothing was changed')],
    )
    assert requests(c) == []


# -- what comes of it ------------------------------------------------------


def test_a_project_that_gets_no_share_is_a_failure(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(shares_dropped=1)
    backup = c.state.add_backup('golden')
    good, bad = c.state.new_hex(), c.state.new_hex()
    rows = openstack(
        *(*CREATE, 'golden', *with_projects(good, bad), '-f', 'json'),
        complains=[
            re.compile(
                f'of backup golden .{backup.id}. with project {bad}: .*'
                f'did not share it with {bad}.*ID of a project'
            ),
            '1 of 2 shares failed to create.',
        ],
    ).json()
    assert [row['Result'] for row in rows] == ['shared', 'failed']
    assert shared(c) == {(backup.id, good)}
    assert len(creations(c)) == 1


@pytest.mark.parametrize('dropped', [0, 1])
def test_what_a_lost_answer_has_shared_is_found(
    cloud: CloudFactory, openstack: Openstack, dropped: int
) -> None:
    c = cloud(shares_dropped=dropped)
    c.state.add_backup('golden')
    projects = [c.state.new_hex() for _ in range(2)]
    c.knobs.faults.append(Fault('reset-after', 'POST', 'sharing'))
    command = (*CREATE, 'golden', *with_projects(*projects), '-f', 'json')
    result = openstack.run(*command)
    rows = result.json()
    assert rows[0]['Detail'] == 'its answer was lost'
    assert rows[0]['ID'] in c.state.shares
    assert [row['Result'] for row in rows] == [
        'shared',
        'unknown' if dropped else 'shared',
    ]
    assert result.code == dropped
    assert len(creations(c)) == 1
    assert len(c.state.shares) == 2 - dropped


def test_what_a_lost_answer_may_have_shared_is_to_be_looked_for(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup = c.state.add_backup('golden')
    project = c.state.new_hex()
    c.knobs.faults.append(Fault('reset-before', 'POST', 'sharing'))
    result = openstack(
        *(*CREATE, 'golden', *with_projects(project)),
        complains=[
            'is unknown: ',
            '  openstack vbs share list ',
            'The state of 1 of 1 shares is unknown.',
        ],
    )
    [command] = commands_in(result.stderr)
    assert command == ['vbs', 'share', 'list', '--backup', backup.id]
    c.state.add_share(backup, project)
    assert project in openstack(*command).stdout
    assert len(creations(c)) == 1
