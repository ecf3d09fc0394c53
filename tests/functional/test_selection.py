# SPDX-License-Identifier: Apache-2.0
"""Which backups the lists and prune select: several values of an option."""

import re
from datetime import timedelta

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack
from tests.functional.wire import deletes, requests
from tests.sandbox import Fault, Sandbox
from tests.sandbox.volume_policies import VolumePolicy

VBS = ('vbs', 'backup', 'list', '-f', 'json', '-c', 'Name')
CSBS = ('csbs', 'backup', 'list', '-f', 'json', '-c', 'Name')


def names(openstack: Openstack, *command: str) -> list[str]:
    return sorted(row['Name'] for row in openstack(*command).json())


def test_any_of_several_volumes_or_names(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(catalog='vbs+volumev3')
    disks = [c.state.add_volume(f'disk-{n}') for n in range(3)]
    for disk in disks:
        c.state.add_backup(f'of-{disk.name}', disk)
    two = ('--volume', 'disk-0', '--volume', disks[2].id)
    assert names(openstack, *VBS, *two) == ['of-disk-0', 'of-disk-2']
    two = ('--name', 'of-disk-1', '--name', 'of-disk-2')
    assert names(openstack, *VBS, *two) == ['of-disk-1', 'of-disk-2']
    assert openstack(*VBS[:3], '--count', *two).stdout == '2\n'


def test_any_of_several_servers(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    for name in ('web01', 'web02', 'db01'):
        server = c.state.add_server(name, [c.state.add_volume(name)])
        c.state.add_backup(f'of-{name}', server.volumes[0])
        c.state.add_checkpoint([server], f'run-{name}')
    two = ('--server', 'web01', '--server', 'db01')
    of_volumes = names(openstack, *VBS, '--source', 'vbs', *two)
    assert of_volumes == ['of-db01', 'of-web01']
    assert names(openstack, *CSBS, *two) == ['run-db01', 'run-web01']
    plan = openstack(
        *('csbs', 'backup', 'prune', *two, '--keep-last', '1'),
        *('--dry-run', '-f', 'json'),
        complains=[...],
        code=0,
    ).json()
    assert sorted(row['Name'] for row in plan) == ['run-db01', 'run-web01']


def test_shares_of_several_backups(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    partner = c.state.add_project('partner', member=False)
    backups = [c.state.add_backup(f'b{n}') for n in range(3)]
    for backup in backups:
        c.state.add_share(backup, partner)
    rows = openstack(
        *('vbs', 'share', 'list', '--backup', 'b0'),
        *('--backup', backups[2].id, '-f', 'json'),
    ).json()
    assert sorted(row['Backup Name'] for row in rows) == ['b0', 'b2']


# -- policies --------------------------------------------------------------


def test_a_policy_is_found_by_its_name(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    for policy in ('daily', 'weekly', 'monthly'):
        c.state.add_checkpoint(1, f'by-{policy}', policy=policy)
    one = ('--policy', 'daily')
    assert names(openstack, *CSBS, *one) == ['by-daily']
    asked = [text for text in requests(c) if '/policies' in text]
    assert asked[0] == 'GET /csbs/v1/{P}/policies?limit=1000'
    two = (*one, '--policy', 'monthly')
    assert names(openstack, *CSBS, *two) == ['by-daily', 'by-monthly']
    assert openstack(*CSBS[:3], '--count', *two).stdout == '2\n'


def test_a_policy_that_is_none_or_several(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    c.state.add_checkpoint(1, policy='daily')
    openstack(
        *(*CSBS, '--policy', 'dayly'),
        complains=["No policy found for 'dayly'"],
    )
    c.state.add_checkpoint(1, policy='daily')
    openstack(
        *(*CSBS, '--policy', 'daily'),
        complains=[
            re.compile(
                r"'daily'.*: [0-9a-f-]{36} \(1 server, .*\); [0-9a-f-]{36} \("
            )
        ],
    )


def add_nightly(c: Sandbox) -> VolumePolicy:
    """A policy, and backups of one volume that it has created or not."""
    disk, other = (c.state.add_volume(name) for name in ('disk', 'other'))
    policies = c.state.volume_policies
    nightly = policies.add(c.project_id, 'nightly', disk)
    now = c.state.now()
    for days in (1, 2, 3, 40):
        at = now - timedelta(days=days)
        c.state.add_backup(f'auto-{days}', disk, created_at=at)
        if days <= 30:
            policies.add_task(
                nightly,
                disk.id,
                'EXECUTE_SUCCESS',
                backup_name=f'auto-{days}',
                created_at=at,
            )
    for name, volume, days in (
        ('by-hand', disk, 1.5),
        ('auto-2', other, 2),
        # As a policy of long ago may have called one.
        ('auto-3', disk, 300),
    ):
        at = now - timedelta(days=days)
        c.state.add_backup(name, volume, created_at=at)
    return nightly


OLDER = 'older backups of it neither count nor are deleted'


@pytest.mark.parametrize('by_id', [False, True])
def test_prune_selects_what_the_list_of_a_policy_shows(
    cloud: CloudFactory, openstack: Openstack, by_id: bool
) -> None:
    c = cloud()
    nightly = add_nightly(c)
    policy = ('--policy', nightly.id if by_id else 'nightly')
    listed = openstack('vbs', 'backup', 'list', *policy, '-f', 'json').json()
    assert [row['Name'] for row in listed] == ['auto-1', 'auto-2', 'auto-3']
    command = ('vbs', 'backup', 'prune', *policy, '--keep-last', '1')
    # What comes before and after the table is not for a program.
    result = openstack.run(*command, '--dry-run', '-f', 'json')
    assert OLDER in result.stderr
    assert [row['ID'] for row in result.json()] == [r['ID'] for r in listed]
    before = set(c.state.backups)
    openstack(*command, '--yes', complains=[OLDER], code=0)
    gone = before - set(c.state.backups)
    assert gone == {row['ID'] for row in listed[1:]}


def test_prune_by_a_policy_deletes_less_and_nothing_else(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    add_nightly(c)
    rule = ('--keep-last', '2', '--dry-run', '-f', 'json')

    def deleted(*options: str) -> set[str]:
        result = openstack.run('vbs', 'backup', 'prune', *options, *rule)
        return {r['ID'] for r in result.json() if r['Action'] == 'delete'}

    narrowed = deleted('--policy', 'nightly')
    assert len(narrowed) == 1
    assert narrowed < deleted('--all-volumes')


@pytest.mark.parametrize('trouble', ['missing', 'half', 'forbidden'])
def test_prune_by_a_policy_that_cannot_be_known_deletes_nothing(
    cloud: CloudFactory, openstack: Openstack, trouble: str
) -> None:
    c = cloud(max_page=2)
    add_nightly(c)
    more: tuple[str, ...] = ()
    if trouble == 'missing':
        more = ('--policy', 'nightli')
    else:
        path = 'backuptasks.*offset' if trouble == 'half' else 'backuppolicy'
        c.knobs.faults.append(
            Fault('status', 'GET', path, status=403, times=None)
        )
    result = openstack(
        *('vbs', 'backup', 'prune', '--policy', 'nightly', *more),
        *('--keep-last', '1', '--yes'),
        complains=[...],
        code=1,
    )
    assert result.stdout == ''
    assert deletes(c) == []


def test_a_policy_without_recent_backups_leaves_nothing_to_prune(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    add_nightly(c)
    c.state.volume_policies.add(c.project_id, 'weekly')
    command = (
        *('vbs', 'backup', 'prune', '--policy', 'weekly'),
        *('--keep-last', '1', '--yes'),
    )
    result = openstack(*command, complains=[OLDER], code=0)
    assert result.stdout == 'Nothing to delete: no backup is selected.\n'
    assert openstack('-q', *command).stdout == ''


# -- tags ------------------------------------------------------------------


def test_tags_select_and_are_shown(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    prod = c.state.add_checkpoint(1, 'prod').items[0]
    prod.tags = [{'key': 'env', 'value': 'prod'}]
    c.state.add_checkpoint(1, 'other')
    for tag in ('env', 'env=prod'):
        assert names(openstack, *CSBS, '--tag', tag) == ['prod']
    assert names(openstack, *CSBS, '--tag', 'env', '--tag', 'x') == []
    [row] = openstack(
        *(*CSBS[:3], '--tag', 'env', '--long', '-f', 'json')
    ).json()
    assert row['Tags'] == prod.tags
    shown = openstack(*CSBS[:3], '--tag', 'env', '-c', 'Tags').stdout
    assert '| env=prod |' in shown


# -- other projects --------------------------------------------------------


@pytest.mark.parametrize('administrator', [True, False])
def test_block_storage_lists_other_projects_to_administrators(
    cloud: CloudFactory, openstack: Openstack, administrator: bool
) -> None:
    c = cloud(
        catalog='volumev3', csbs_catalog=None, administrator=administrator
    )
    other = c.state.add_project('other', member=False)
    c.state.add_backup('ours')
    c.state.add_backup('theirs', project_id=other.id)
    listed = ('vbs', 'backup', 'list', '-f', 'json')
    rows = openstack(*listed, '--all-projects').json()
    owners = {row['Name']: row['Project'] for row in rows}
    ours = {'ours': c.project_id}
    assert owners == (ours | {'theirs': other.id} if administrator else ours)
    rows = openstack(*listed, '--project', other.id).json()
    assert [row['Name'] for row in rows] == ['theirs'] * administrator
    assert 'Project' not in openstack(*listed).json()[0]


def test_vbs_has_no_list_of_other_projects(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    openstack(
        *(*VBS, '--all-projects'),
        complains=['VBS lists only the backups of the project that is logged'],
    )
    assert not [text for text in requests(c) if '/detail' in text]


def test_csbs_lists_all_projects_to_administrators(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(administrator=True)
    other = c.state.add_project('other', member=False)
    c.state.add_checkpoint(1, 'ours')
    theirs = c.state.add_checkpoint(2, 'theirs', project_id=other.id)
    for noun in ('backup', 'checkpoint'):
        listed = ('csbs', noun, 'list', '--all-projects', '-f', 'json')
        rows = openstack(*listed).json()
        assert {row['Name'] for row in rows} == {'ours', 'theirs'}
    # Also where a filter leaves only some of its backups to be listed.
    [row] = openstack(
        *('csbs', 'checkpoint', 'list', '--all-projects', '-f', 'json'),
        *('--server', theirs.items[0].resource_id),
    ).json()
    assert row['Servers'] == 2
    c.knobs.administrator = False
    openstack(
        *('csbs', 'backup', 'list', '--all-projects'),
        complains=['all_tenants is for administrators'],
    )


def test_a_domain_goes_with_its_project(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    openstack(
        *(*VBS, '--project-domain', 'd'),
        complains=[..., '--project-domain goes with --project'],
        code=2,
    )
    assert requests(c) == []


@pytest.mark.parametrize(
    'command',
    [
        'vbs backup delete --all-projects x',
        'vbs backup prune --all-projects --all-volumes --keep-last 1',
        'csbs backup prune --all-projects --all-servers --keep-last 1',
        'csbs checkpoint delete --all-projects x',
    ],
)
def test_no_change_has_it(
    cloud: CloudFactory, openstack: Openstack, command: str
) -> None:
    c = cloud()
    openstack(
        *command.split(),
        complains=[..., 'unrecognized arguments: --all-projects'],
        code=2,
    )
    assert requests(c) == []
