# SPDX-License-Identifier: Apache-2.0
"""Which service a command talks to, and what is known of its kind."""

import re
from datetime import timedelta
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack
from tests.functional.wire import UNKNOWN, deletes, requests, vbs_delete
from tests.sandbox import Fault, Sandbox

DELETE = ('vbs', 'backup', 'delete')
PRUNE = ('vbs', 'backup', 'prune')
OTHER_PROVIDER = 'cf56bd3e-97a7-4078-b6d5-f36246333fd9'


def beside(one: Sandbox, two: Sandbox) -> None:
    """Let the logins of one cloud be good for another one."""
    two.state.tokens = one.state.tokens


def plain_cinder(c: Sandbox, kind: str = 'vbs') -> None:
    """Put the block storage of a cloud behind a service type of VBS."""
    c.knobs.catalog_urls[kind] = f'{c.url}/volume/v3/{c.project_id}'


# -- two services in one catalog -------------------------------------------


@pytest.fixture
def two(cloud: CloudFactory) -> tuple[Sandbox, Sandbox]:
    """The service behind ``vbsv3``, and another one behind ``vbsv2``.

    Both have backups of one volume, the other one's are not ours.
    """
    other = cloud()
    one = cloud(catalog='vbsv2+vbsv3', csbs_catalog=None)
    one.knobs.catalog_urls['vbsv2'] = f'{other.url}/vbs/v2/{one.project_id}'
    beside(one, other)
    # The ids are counted: these would be the same in both.
    for _ in range(20):
        other.state.add_backup()
    volume = one.state.add_volume()
    for _ in range(5):
        one.state.add_backup(volume=volume)
        other.state.add_backup(volume=volume)
    return one, other


def test_prune_plans_deletes_and_looks_at_one_service(
    two: tuple[Sandbox, Sandbox], openstack: Openstack
) -> None:
    one, other = two
    there, elsewhere = set(one.state.backups), set(other.state.backups)
    [volume] = {b.volume_id for b in one.state.backups.values()}
    openstack(
        *(*PRUNE, '--volume', volume, '--keep-last', '1', '--yes', '--wait'),
        complains=[...],
        code=0,
    )
    assert len(one.state.backups) == 1
    assert set(one.state.backups) <= there
    assert set(other.state.backups) == elsewhere
    assert deletes(other) == []


@pytest.mark.parametrize(
    'options', [[], ['--long'], ['-c', 'ID', '-c', 'Source']]
)
def test_a_list_shows_what_the_chosen_service_has(
    two: tuple[Sandbox, Sandbox], openstack: Openstack, options: list[str]
) -> None:
    one, _ = two
    rows = openstack('vbs', 'backup', 'list', *options, '-f', 'json').json()
    assert {row['ID'] for row in rows} == set(one.state.backups)


@pytest.mark.parametrize('number', [1, 5])
def test_delete_is_not_misled_by_the_other_service(
    two: tuple[Sandbox, Sandbox], openstack: Openstack, number: int
) -> None:
    one, other = two
    ids = list(one.state.backups)[:number]
    openstack(*DELETE, *ids, '--wait')
    assert sorted(deletes(one)) == sorted(vbs_delete(*ids, version='v3'))
    assert deletes(other) == []


def test_another_service_may_know_who_made_a_backup(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    """One service behind two addresses, as far as the ids tell."""
    c = cloud(catalog='vbsv2+vbsv3', csbs_catalog=None)
    c.knobs.catalog_urls['vbsv2'] = f'{c.url}/region/x/vbs/v2/{c.project_id}'
    run = c.state.add_checkpoint()
    part = run.items[0].parts[0].backup_id
    own = c.state.add_backup()
    rows = openstack('vbs', 'backup', 'list', '--long', '-f', 'json').json()
    assert {row['ID']: row['Source'] for row in rows} == {
        part: 'CSBS',
        own.id: 'VBS',
    }
    openstack(
        *DELETE, part, own.id, complains=['CSBS made it', '1 of 2 backups']
    )
    assert deletes(c) == vbs_delete(own.id, version='v3')


# -- settings of each service ----------------------------------------------


@pytest.mark.parametrize(
    'key',
    [
        'block_storage_endpoint_override',
        'volume_endpoint_override',
        'volumev3_endpoint_override',
    ],
)
def test_block_storage_is_where_openstack_volume_finds_it(
    cloud: CloudFactory, openstack: Openstack, key: str
) -> None:
    b = cloud()
    a = cloud(catalog='volumev3', csbs_catalog=None)
    beside(a, b)
    mine, twin = a.state.add_backup(), b.state.add_backup()
    assert mine.id == twin.id
    url = f'{b.url}/volume/v3/{a.project_id}'
    openstack(*DELETE, mine.id, config={key: url})
    assert deletes(a) == []
    assert deletes(b) == [f'DELETE /volume/v3/{{P}}/backups/{twin.id}']


@pytest.mark.parametrize(
    ('catalog', 'key'),
    [
        ('volumev3', 'block_storage_region_name'),
        ('volumev3', 'volume_region_name'),
        ('vbs', 'vbs_region_name'),
    ],
)
def test_a_service_may_have_a_region_of_its_own(
    cloud: CloudFactory, openstack: Openstack, catalog: str, key: str
) -> None:
    c = cloud(catalog=catalog, csbs_catalog=None, regions=('one', 'two'))
    backup = c.state.add_backup()
    openstack(*DELETE, backup.id, config={key: 'two'})
    [sent] = deletes(c)
    assert sent.startswith('DELETE /region/two/')


@pytest.mark.parametrize('key', ['csbs_interface', 'data_protect_interface'])
def test_csbs_may_have_an_interface_of_its_own(
    cloud: CloudFactory, openstack: Openstack, key: str
) -> None:
    c = cloud(csbs_interfaces=('internal',))
    c.state.add_checkpoint()
    command = ('csbs', 'backup', 'list', '-f', 'json')
    openstack(*command, complains=['for the interface internal, not for'])
    assert openstack(*command, config={key: 'internal'}).json()


@pytest.mark.parametrize('catalog', ['vbs', 'volumev3'])
def test_an_interface_that_is_not_there_is_named(
    cloud: CloudFactory, openstack: Openstack, catalog: str
) -> None:
    c = cloud(catalog=catalog, interfaces=('public',))
    openstack(
        *('--os-interface', 'admin', *DELETE, c.state.add_backup().id),
        complains=[re.compile('interface public, not for admin.*interface')],
    )
    assert deletes(c) == []


# -- whether there is a CSBS -----------------------------------------------

V3_ONLY: dict[str, Any] = {'versions': ('v1', 'v3'), 'catalog': 'vbsv3'}


@pytest.mark.parametrize(
    ('knobs', 'config'),
    [
        ({'csbs_catalog': None}, {'csbs_endpoint_override': 'csbs.test/v1'}),
        ({'csbs_interfaces': ('admin',)}, {}),
        ({'catalog_urls': {'data-protect': 'nonsense'}}, {}),
        ({'regions': ('one', 'two')}, {'csbs_region_name': 'three'}),
        ({'csbs_catalog': None}, {'vbsclient_csbs': 'perhaps'}),
        ({'csbs_catalog': None}, {'csbs_region_name': 'two'}),
        ({'csbs_catalog': None}, {'csbs_endpoint_override': ''}),
        ({'csbs_catalog': None}, {'karbor_endpoint_override': 'x'}),
    ],
    ids=str,
)
def test_a_csbs_that_cannot_be_asked_clears_nothing(
    cloud: CloudFactory, openstack: Openstack, knobs: Any, config: Any
) -> None:
    c = cloud(**V3_ONLY, **knobs)
    run = c.state.add_checkpoint(created_at=c.state.now() - timedelta(days=9))
    part = run.items[0].parts[0].backup_id
    result = openstack.run(*DELETE, part, config=config)
    assert result.code == 1
    openstack.run(
        *(*PRUNE, '--all-volumes', '--older-than', '1h', '--allow-empty'),
        '--yes',
        config=config,
    )
    shown = openstack.run(
        'vbs', 'backup', 'show', part, '-f', 'json', config=config
    )
    assert '"Source": "VBS"' not in shown.stdout
    assert deletes(c) == []


def test_a_project_may_be_said_to_have_no_csbs(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**V3_ONLY, csbs_interfaces=('admin',))
    backup = c.state.add_backup()
    openstack(*DELETE, backup.id, complains=[...], code=1)
    openstack(*DELETE, backup.id, config={'vbsclient_csbs': False})
    assert len(deletes(c)) == 1


def test_a_karbor_of_its_own_made_no_backup_of_vbs(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(
        catalog='volumev3',
        checkpoint_items=False,
        karbor_provider=OTHER_PROVIDER,
    )
    backup = c.state.add_backup()
    openstack(*DELETE, backup.id, '--wait')
    assert deletes(c) == [f'DELETE /volume/v3/{{P}}/backups/{backup.id}']
    openstack(
        *('csbs', 'checkpoint', 'delete', UNKNOWN, '--yes'),
        complains=[re.compile(f'OS Infra Provider .{OTHER_PROVIDER}.*--prov')],
    )


@pytest.mark.parametrize('times', [1, 2])
def test_a_page_of_a_gateway_makes_no_karbor(
    cloud: CloudFactory, openstack: Openstack, times: int
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(3)
    c.knobs.faults.append(
        Fault('status', 'GET', 'checkpoint_items', status=404, times=times)
    )
    openstack(
        *('csbs', 'checkpoint', 'delete', run.id),
        complains=[..., re.compile('Nothing was deleted|serves neither')],
        code=1,
    )
    assert deletes(c) == []


# -- plain Cinder behind a type of VBS -------------------------------------


@pytest.mark.parametrize(
    'rules',
    [
        ['--keep-last', '1'],
        # What is not selected may be built on what is.
        ['--name', 'full', '--older-than', '1h', '--allow-empty'],
    ],
    ids=['all', 'some'],
)
@pytest.mark.parametrize('how', ['vbs', 'vbsv3', 'override'])
def test_chains_are_kept_whatever_the_catalog_calls_a_cinder(
    cloud: CloudFactory, openstack: Openstack, how: str, rules: list[str]
) -> None:
    catalog = 'vbs' if how == 'override' else how
    c = cloud(catalog=catalog, csbs_catalog=None, chains=True)
    plain_cinder(c, catalog)
    config = {'vbs_endpoint_override': f'{c.url}/volume'}
    volume = c.state.add_volume()
    then = c.state.now() - timedelta(days=9)
    c.state.add_backup('full', volume=volume, created_at=then)
    for n in range(3):
        then += timedelta(days=1)
        c.state.add_backup(
            f'day-{n}', volume=volume, incremental=True, created_at=then
        )
    result = openstack(
        *(*PRUNE, '--volume', volume.id, *rules, '--yes'),
        complains=[...],
        code=0,
        config=config if how == 'override' else {},
    )
    assert 'kept' in result.stdout
    assert deletes(c) == []


@pytest.mark.parametrize('versions', [('v1', 'v2', 'v3'), ('v1', 'v2')])
def test_vbs_deletes_any_backup_of_a_chain(
    cloud: CloudFactory, openstack: Openstack, versions: tuple[str, ...]
) -> None:
    c = cloud(csbs_catalog=None, discovery='both', versions=versions)
    c.knobs.discovery = 'both' if 'v3' in versions else 'v2'
    volume = c.state.add_volume()
    c.state.add_backup('full', volume=volume)
    for n in range(3):
        c.state.add_backup(f'day-{n}', volume=volume, incremental=True)
    openstack(
        *(*PRUNE, '--volume', volume.id, '--keep-last', '1', '--yes'),
    )
    assert len(deletes(c)) == 3


@pytest.mark.parametrize(
    'arguments',
    [
        ['delete', '--backup', 'golden'],
        ['delete', UNKNOWN],
        ['show', UNKNOWN],
        ['list'],
        ['list', '--count'],
    ],
    ids=' '.join,
)
@pytest.mark.parametrize('behind', ['vbs', 'volumev3'])
def test_a_cloud_without_shares_says_so_in_every_command(
    cloud: CloudFactory,
    openstack: Openstack,
    behind: str,
    arguments: list[str],
) -> None:
    c = cloud(catalog=behind, csbs_catalog=None)
    c.state.add_backup('golden')
    if behind == 'vbs':
        plain_cinder(c)
    result = openstack.run('vbs', 'share', *arguments)
    assert result.code == 1
    assert 'his cloud does not share backups' in result.stderr
    assert 'Correct vbs_endpoint_override' not in result.stderr


def test_one_404_is_no_proof_that_nothing_is_shared(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup = c.state.add_backup()
    c.state.add_share(backup, c.state.new_hex())
    c.knobs.faults.append(
        Fault('status', 'GET', 'os-vendor-backup-sharing', status=404)
    )
    openstack(*DELETE, backup.id, complains=['it is shared with', '1 of 1'])
    assert deletes(c) == []


def test_one_404_is_no_proof_that_v2_knows_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(catalog='vbsv3', csbs_catalog=None)
    run = c.state.add_checkpoint()
    part = run.items[0].parts[0].backup_id
    c.knobs.faults.append(Fault('status', 'GET', '/vbs/v2/', status=404))
    openstack(*DELETE, part, complains=[...], code=1)
    assert deletes(c) == []
    assert len([r for r in requests(c) if '/vbs/v2/' in r]) >= 2


# -- what is unknown is unknown everywhere ---------------------------------


def test_who_made_a_backup_is_unknown_in_every_command(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**V3_ONLY)
    c.knobs.faults.append(
        Fault('status', 'GET', '^/csbs/', status=404, times=None)
    )
    backup = c.state.add_backup(created_at=c.state.now() - timedelta(days=9))
    show = ('vbs', 'backup', 'show', backup.id, '-f', 'json')
    shown = openstack(*show, complains=['not known'], code=0).json()
    assert shown['source'] is None
    rows = openstack(
        *('vbs', 'backup', 'list', '--long', '-f', 'json'),
        complains=['not known'],
        code=0,
    ).json()
    assert [row['Source'] for row in rows] == [None]
    openstack(
        *('vbs', 'backup', 'list', '--source', 'vbs'),
        complains=['not known', '--source cannot be applied'],
        code=1,
    )
    result = openstack(
        *(*DELETE, backup.id, '--report', '-f', 'json'),
        complains=['whether CSBS made it', '1 of 1'],
    )
    assert result.json()[0]['Source'] == ''
    openstack(
        *(*PRUNE, '--all-volumes', '--older-than', '1h', '--allow-empty'),
        '--yes',
        complains=[..., re.compile('could not be read')],
        code=1,
    )
    assert deletes(c) == []


def test_a_login_without_a_catalog_deletes_where_its_endpoint_is(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(catalog='volumev3', csbs_catalog=None)
    backup = c.state.add_backup()
    openstack('vbs', 'backup', 'list', '-f', 'value', '-c', 'Size')
    login = {
        'auth_type': 'admin_token',
        'auth': {
            'endpoint': f'{c.url}/volume/v3/{c.project_id}',
            'token': next(iter(c.state.tokens)),
        },
    }
    openstack(
        *DELETE,
        backup.id,
        config=login,
        complains=['has no catalog', '1 of 1'],
    )
    openstack(*DELETE, backup.id, config={**login, 'vbsclient_csbs': False})
    assert deletes(c) == [f'DELETE /volume/v3/{{P}}/backups/{backup.id}']


def test_the_same_endpoint_twice_is_one(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(interfaces=('public', 'public'))
    openstack(*DELETE, c.state.add_backup().id)
    assert len(deletes(c)) == 1
