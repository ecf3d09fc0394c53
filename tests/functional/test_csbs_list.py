# SPDX-License-Identifier: Apache-2.0
"""``openstack csbs backup|checkpoint list`` and ``show``."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.reading import asked, only_gets
from tests.functional.shell import Openstack
from tests.functional.wire import UNKNOWN
from tests.sandbox import Fault

__all__ = ['only_gets']

pytestmark = pytest.mark.usefixtures('only_gets')

BACKUPS = ('csbs', 'backup', 'list')
BACKUP = ('csbs', 'backup', 'show')
CHECKPOINTS = ('csbs', 'checkpoint', 'list')
CHECKPOINT = ('csbs', 'checkpoint', 'show')
ITEMS = '/csbs/v1/{P}/checkpoint_items'

BACKUP_COLUMNS = [
    'ID',
    'Name',
    'Status',
    'Server Name',
    'Checkpoint',
    'Servers',
    'Size',
    'Created At',
    'Server',
]
BACKUP_LONG = [
    *BACKUP_COLUMNS,
    'Description',
    'Type',
    'Trigger',
    'Availability Zone',
    'Images',
    'Updated At',
    'Fail Reason',
    'Volume Backups',
    'Tags',
]
CHECKPOINT_COLUMNS = [
    'ID',
    'Name',
    'Status',
    'Servers',
    'Backups',
    'Created At',
]
CHECKPOINT_LONG = [
    *CHECKPOINT_COLUMNS[:-1],
    'Size',
    'Created At',
    'Server Names',
    'Trigger',
    'Updated At',
]


def names(openstack: Openstack, *command: str, **keywords: Any) -> list[str]:
    result = openstack(*command, '-f', 'value', '-c', 'Name', **keywords)
    return result.stdout.split()


# -- backups ---------------------------------------------------------------


def test_a_backup_shows_its_checkpoint_and_how_many_servers_that_holds(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    checkpoint = c.state.add_checkpoint(3, 'weekly')
    rows = openstack(*BACKUPS, '-f', 'json').json()
    item = checkpoint.items[2]
    assert rows[0] == {
        'ID': item.id,
        'Name': 'weekly',
        'Status': 'available',
        'Server Name': item.resource_name,
        'Checkpoint': checkpoint.id,
        'Servers': 3,
        'Size': 10,
        'Created At': f'{item.created_at}+00:00',
        'Server': item.resource_id,
    }
    assert [list(row) for row in rows] == [BACKUP_COLUMNS] * 3
    assert asked(c)[0] == f'{ITEMS}?limit=1000'
    assert not [text for text in asked(c) if 'checkpoint_id' in text]
    table = openstack(*BACKUPS).stdout
    assert '10 GB' in table
    assert [c.strip() for c in table.splitlines()[1].split('|')[1:-1]] == [
        title for title in BACKUP_COLUMNS if title != 'Server'
    ]
    for options in (('--long',), ('-c', 'Server')):
        assert item.resource_id in openstack(*BACKUPS, *options).stdout


def test_the_long_list_costs_no_more(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    checkpoint = c.state.add_checkpoint(
        auto_trigger=True, incremental=True, image=True, description='why'
    )
    failed = c.state.add_checkpoint(status='error').items[0]
    openstack(*BACKUPS)
    cheap = asked(c)
    c.clear_log()
    broken, row = openstack(*BACKUPS, '--long', '-f', 'json').json()
    assert asked(c) == cheap
    (item,) = checkpoint.items
    assert list(row) == BACKUP_LONG
    assert (row['Type'], row['Trigger']) == ('incremental', 'automatic')
    assert (row['Server'], row['Images']) == (item.resource_id, item.images)
    assert row['Volume Backups'] == [item.parts[0].backup_id]
    assert (row['Description'], row['Fail Reason']) == ('why', None)
    assert broken['ID'] == failed.id
    assert 'The backup failed.' in broken['Fail Reason']
    assert (broken['Type'], broken['Trigger']) == ('full', 'manual')


@pytest.mark.parametrize(('runs', 'lists'), [(2, 2), (6, 1)])
def test_servers_are_counted_over_the_whole_checkpoint_of_a_filtered_list(
    cloud: CloudFactory, openstack: Openstack, runs: int, lists: int
) -> None:
    c = cloud()
    servers = [c.state.add_server(f's{number}') for number in range(3)]
    for _ in range(runs):
        c.state.add_checkpoint(servers)
    options = ('--server', servers[0].id, '-f', 'json')
    rows = openstack(*BACKUPS, *options).json()
    assert [row['Servers'] for row in rows] == [3] * runs
    unfiltered = [
        text
        for text in asked(c)
        if 'resource_id' not in text and 'marker' not in text
    ]
    assert len(unfiltered) == lists
    c.clear_log()
    openstack(*BACKUPS, *options, '-c', 'ID')
    assert all('resource_id' in text for text in asked(c))


@pytest.mark.parametrize('max_page', [1000, 300])
def test_many_pages_are_all_read(
    cloud: CloudFactory, openstack: Openstack, max_page: int
) -> None:
    c = cloud(max_page=max_page)
    server = c.state.add_server('web01')
    added = [c.state.add_checkpoint([server]).items[0].id for _ in range(1050)]
    rows = openstack(*BACKUPS, '-f', 'json').json()
    assert [row['ID'] for row in rows] == added[::-1]
    c.clear_log()
    options = ('--limit', '10', '--max-items', '15', '-c', 'ID')
    rows = openstack(*BACKUPS, *options, '-f', 'json').json()
    assert [row['ID'] for row in rows] == added[:-16:-1]
    assert len(asked(c)) == 2
    rows = openstack(
        *BACKUPS, '--marker', added[2], '-c', 'ID', '-f', 'json'
    ).json()
    assert [row['ID'] for row in rows] == added[1::-1]


def test_a_service_that_repeats_a_page_ends_in_an_error(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(max_page=2)
    items = [c.state.add_checkpoint().items[0] for _ in range(6)]
    page = [{'id': i.id, 'checkpoint_id': i.checkpoint_id} for i in items[:2]]
    body = json.dumps({'checkpoint_items': page})
    c.knobs.faults.append(Fault('body', 'GET', 'marker', body=body, times=9))
    result = openstack(*BACKUPS, complains=['repeats a page'])
    assert result.stdout == ''


def test_names_are_exact_though_the_service_is_not(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    for name in ('nightly', 'nightly-2', 'other'):
        c.state.add_checkpoint(name=name)
    assert names(openstack, *BACKUPS, '--name', 'nightly') == ['nightly']
    found = names(openstack, *BACKUPS, '--name-contains', 'night')
    assert found == ['nightly-2', 'nightly']


def test_filters_go_to_the_service(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    c.state.add_checkpoint(name='b1', status='error')
    two = c.state.add_checkpoint(name='b2', policy='weekly')
    server = two.items[0].resource_id
    for options, query in (
        (('--status', 'error'), 'status=error'),
        (('--server', server), f'resource_id={server}'),
        (('--policy', two.policy_id), f'policy_id={two.policy_id}'),
        (('--checkpoint', two.id), f'checkpoint_id={two.id}'),
        (('--availability-zone', 'eu-de-01'), 'az=eu-de-01'),
    ):
        c.clear_log()
        found = names(openstack, *BACKUPS, *options)
        assert found[0] == ('b1' if 'error' in options else 'b2')
        assert asked(c)[0] == f'{ITEMS}?limit=1000&{query}'
    assert names(openstack, *BACKUPS, '--checkpoint', 'b2') == ['b2']


def test_states_that_should_pass_are_found(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    for status in ('protecting', 'waiting_delete', 'error', 'weird'):
        c.state.add_checkpoint(
            name=status,
            status=status,
            created_at=c.state.now() - timedelta(hours=3),
        )
    c.state.add_checkpoint(name='young', status='deleting')
    found = names(openstack, *BACKUPS, '--stuck', '2h')
    assert found == ['weird', 'waiting_delete', 'protecting']
    two = ('--status', 'error', '--status', 'weird')
    assert names(openstack, *BACKUPS, *two) == ['weird', 'error']
    found = names(openstack, *CHECKPOINTS, '--stuck', '2h')
    assert found == ['weird', 'waiting_delete', 'protecting']


@pytest.mark.parametrize('command', [BACKUPS, CHECKPOINTS])
def test_times_are_asked_of_the_service_and_compared_again(
    cloud: CloudFactory, openstack: Openstack, command: tuple[str, ...]
) -> None:
    c = cloud()
    for days in (1, 10, 40):
        when = c.state.now() - timedelta(days=days)
        c.state.add_checkpoint(name=f'd{days}', created_at=when)
    assert names(openstack, *command, '--created-before', '30d') == ['d40']
    assert 'end_time=20' in asked(c)[0]
    found = names(openstack, *command, '--created-after', '2w')
    assert found == ['d1', 'd10']


def test_a_server_by_name_even_if_it_is_gone(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    server = c.state.add_server('web01')
    c.state.add_checkpoint([server], 'run')
    c.state.add_checkpoint([c.state.add_server('web01-b')], 'other')
    assert names(openstack, *BACKUPS, '--server', 'web01') == ['run']
    del c.state.servers[server.id]
    assert names(openstack, *BACKUPS, '--server', 'web01') == ['run']
    assert names(openstack, *CHECKPOINTS, '--server', 'web01') == ['run']
    openstack(*BACKUPS, '--server', 'x', complains=['No server found'])


def test_the_service_sorts_by_its_own_keys_alone(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    for name, disks in (('b', 1), ('a', 2), ('c', 1)):
        c.state.add_checkpoint([c.state.add_server(name, disks)], name)
    options = ('--sort', 'status,name:desc')
    assert names(openstack, *BACKUPS, *options) == ['c', 'b', 'a']
    assert 'sort=status%3Aasc%2Cname%3Adesc' in asked(c)[0]
    c.clear_log()
    options = ('--sort', 'size:desc,name')
    assert names(openstack, *BACKUPS, *options) == ['a', 'b', 'c']
    assert 'sort' not in asked(c)[0]
    assert names(openstack, *CHECKPOINTS, *options) == ['a', 'b', 'c']


def test_the_service_counts_what_it_compares_exactly(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    c.state.add_checkpoint(2, name='nightly')
    c.state.add_checkpoint(name='nightly-2', status='error')
    assert openstack(*BACKUPS, '--count').stdout == '3\n'
    assert asked(c) == [f'{ITEMS}/count']
    count = openstack(*BACKUPS, '--count', '--status', 'error')
    assert count.stdout == '1\n'
    c.clear_log()
    assert openstack(*BACKUPS, '--count', '--name', 'nightly').stdout == '2\n'
    assert openstack(*CHECKPOINTS, '--count').stdout == '2\n'
    assert not [text for text in asked(c) if '/count' in text]


def test_show_a_backup(cloud: CloudFactory, openstack: Openstack) -> None:
    c = cloud()
    checkpoint = c.state.add_checkpoint(2, 'weekly')
    item = checkpoint.items[0]
    item.tags = [{'key': 'env', 'value': 'prod'}]
    shown = openstack(*BACKUP, item.id, '-f', 'json').json()
    fields = [title.lower().replace(' ', '_') for title in BACKUP_LONG[:-1]]
    assert list(shown) == [*fields, 'progress', 'tags']
    assert (shown['servers'], shown['checkpoint']) == (2, checkpoint.id)
    assert (shown['server'], shown['size']) == (item.resource_id, 10)
    (part,) = item.parts
    assert shown['volume_backups'] == [
        {
            'id': part.backup_id,
            'status': 'available',
            'size': 10,
            'incremental': False,
            'bootable': True,
            'source_volume_id': part.volume_id,
            'source_volume_name': part.volume_name,
            'source_volume_size': part.volume_size,
        }
    ]
    table = openstack(*BACKUP, item.id).stdout
    assert 'env=prod' in table
    assert f'{part.backup_id} ({part.volume_name}, available, 10 GB)' in table
    c.clear_log()
    openstack(*BACKUP, item.id, '-c', 'status')
    assert asked(c) == [f'{ITEMS}/{item.id}']


def test_show_refuses_what_is_not_one_backup(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    one, two = c.state.add_checkpoint(2, 'weekly').items
    both = re.compile(f'{one.id}.*{two.id}|{two.id}.*{one.id}')
    openstack(*BACKUP, 'weekly', complains=[both])
    for name in ('absent', UNKNOWN):
        missing = f'No server backup found for {name!r}.'
        openstack(*BACKUP, name, complains=[missing])


# -- checkpoints -----------------------------------------------------------


def test_a_checkpoint_is_the_sum_of_its_backups(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    checkpoint = c.state.add_checkpoint(3, 'weekly', auto_trigger=True)
    checkpoint.items[1].status = 'error'
    c.state.add_checkpoint(name='single')
    single, row = openstack(*CHECKPOINTS, '--long', '-f', 'json').json()
    assert list(row) == CHECKPOINT_LONG
    items = checkpoint.items[::-1]
    assert row == {
        'ID': checkpoint.id,
        'Name': 'weekly',
        'Status': ['available', 'error'],
        'Servers': 3,
        'Backups': [item.id for item in items],
        'Size': 30,
        'Created At': f'{checkpoint.created_at}+00:00',
        'Server Names': [item.resource_name for item in items],
        'Trigger': 'automatic',
        'Updated At': f'{checkpoint.created_at}+00:00',
    }
    assert (single['Name'], single['Status']) == ('single', ['available'])
    rows = openstack(*CHECKPOINTS, '-f', 'json').json()
    assert list(rows[0]) == CHECKPOINT_COLUMNS
    table = openstack(*CHECKPOINTS, '--long').stdout
    assert 'available, error' in table
    assert '30 GB' in table


@pytest.mark.parametrize('runs', [2, 6])
def test_a_filtered_checkpoint_is_still_the_whole_one(
    cloud: CloudFactory, openstack: Openstack, runs: int
) -> None:
    c = cloud()
    servers = [c.state.add_server(f's{number}') for number in range(3)]
    for _ in range(runs):
        c.state.add_checkpoint(servers)
    c.state.add_checkpoint(name='other')
    rows = openstack(
        *CHECKPOINTS, '--server', servers[1].id, '--long', '-f', 'json'
    ).json()
    assert len(rows) == runs
    assert {row['Servers'] for row in rows} == {3}
    assert {row['Size'] for row in rows} == {30}


def test_parts_of_a_list_of_checkpoints(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(max_page=2)
    made = [c.state.add_checkpoint(2, f'c{n}') for n in range(5)]
    assert names(openstack, *CHECKPOINTS, '--max-items', '2') == ['c4', 'c3']
    for marker in (made[2].id, 'c2'):
        found = names(openstack, *CHECKPOINTS, '--marker', marker)
        assert found == ['c1', 'c0']
    openstack(
        *CHECKPOINTS,
        '--marker',
        UNKNOWN,
        complains=[f"Marker '{UNKNOWN}' not found."],
    )


@pytest.mark.parametrize('marker', [UNKNOWN, 'absent'])
def test_an_unknown_marker_is_one_sentence(
    cloud: CloudFactory, openstack: Openstack, marker: str
) -> None:
    c = cloud()
    c.state.add_checkpoint()
    told = re.compile(f"^Marker '{marker}' not found.$")
    for order in ([], ['--sort', 'name'], ['--sort', 'size,name']):
        openstack(*BACKUPS, *order, '--marker', marker, complains=[told])
    openstack(*CHECKPOINTS, '--marker', marker, complains=[told])


def test_show_a_checkpoint_by_id_or_by_the_name_of_its_backups(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    checkpoint = c.state.add_checkpoint(2, 'weekly')
    for name in (checkpoint.id, 'weekly'):
        shown = openstack(*CHECKPOINT, name, '-f', 'json').json()
        assert list(shown) == [
            'id',
            'name',
            'status',
            'servers',
            'size',
            'created_at',
            'server_names',
            'trigger',
            'updated_at',
            'backups',
        ]
        assert shown['id'] == checkpoint.id
    item = checkpoint.items[1]
    assert shown['backups'][0] == {
        'id': item.id,
        'name': 'weekly',
        'status': 'available',
        'server_id': item.resource_id,
        'server_name': item.resource_name,
        'size': 10,
    }
    line = f'{item.id} ({item.resource_name}, available, 10 GB)'
    assert line in openstack(*CHECKPOINT, 'weekly').stdout


def test_show_refuses_what_is_not_one_checkpoint(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    one, two = (c.state.add_checkpoint(name='twin') for _ in range(2))
    both = re.compile(f'{one.id}.*{two.id}|{two.id}.*{one.id}')
    openstack(*CHECKPOINT, 'twin', complains=[both])
    for name in ('absent', UNKNOWN):
        missing = f'No checkpoint found for {name!r}.'
        openstack(*CHECKPOINT, name, complains=[missing])
    item = one.items[0].id
    advice = f'use "openstack csbs backup show {item}"'
    openstack(*CHECKPOINT, item, complains=[advice])


@pytest.mark.parametrize(
    'command',
    [
        BACKUPS,
        (*BACKUPS, '--count'),
        (*BACKUP, 'name'),
        CHECKPOINTS,
        (*CHECKPOINTS, '--count'),
        (*CHECKPOINT, UNKNOWN),
    ],
)
def test_a_cloud_without_items_says_so(
    cloud: CloudFactory, openstack: Openstack, command: tuple[str, ...]
) -> None:
    c = cloud(checkpoint_items=False)
    c.state.add_checkpoint()
    openstack(*command, complains=['has no checkpoint_items'])


@pytest.mark.parametrize('command', [CHECKPOINTS, (*CHECKPOINT, UNKNOWN)])
def test_a_karbor_says_where_its_checkpoints_are(
    cloud: CloudFactory, openstack: Openstack, command: tuple[str, ...]
) -> None:
    cloud(checkpoint_items=False, karbor_provider=UNKNOWN)
    openstack(
        *command,
        complains=[
            re.compile(
                rf'provider OS Infra Provider \({UNKNOWN}\).*GET http.*/'
                r'providers/<provider>/checkpoints .*--provider <provider>'
            )
        ],
    )


def test_a_cloud_without_csbs_says_so(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    cloud(csbs_catalog=None)
    openstack(*BACKUPS, complains=['This cloud has no CSBS'])
