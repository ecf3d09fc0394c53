# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs backup list`` and ``show``."""

import csv
import io
import json
import re
from datetime import timedelta
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.reading import asked, only_gets
from tests.functional.shell import Openstack
from tests.functional.wire import UNKNOWN, names_read
from tests.sandbox import Fault, Sandbox
from tests.sandbox.state import described

__all__ = ['only_gets']

pytestmark = pytest.mark.usefixtures('only_gets')

LIST = ('vbs', 'backup', 'list')
SHOW = ('vbs', 'backup', 'show')
V2 = '/vbs/v2/{P}/backups/detail'
V3 = '/vbs/v3/{P}/backups/detail'
SHARES = '/vbs/v2/{P}/os-vendor-backup-sharing/detail'
ITEMS = '/csbs/v1/{P}/checkpoint_items'

SHORT = ['ID', 'Name', 'Status', 'Size', 'Volume', 'Created At']
COLUMNS = [*SHORT, 'Volume Name', 'Server', 'Server Name']
LONG = [
    *COLUMNS,
    'Description',
    'Source',
    'Type',
    'Trigger',
    'Availability Zone',
    'Shared With',
    'Updated At',
    'Fail Reason',
    'Project',
]
FIELDS = [
    *(title.lower().replace(' ', '_') for title in LONG),
    'server_backup',
    'snapshot',
    'data_timestamp',
]


def names(openstack: Openstack, *options: str, **keywords: Any) -> list[str]:
    result = openstack(
        *LIST, *options, '-f', 'value', '-c', 'Name', **keywords
    )
    return result.stdout.split()


def ago(c: Sandbox, **when: float) -> Any:
    return c.state.now() - timedelta(**when)


# -- columns ---------------------------------------------------------------


@pytest.mark.parametrize(
    ('discovery', 'first'),
    [
        ('none-json', f'{V2}?limit=1000'),
        ('both', f'{V3}?limit=1000'),
    ],
)
def test_the_short_list_costs_one_list_and_the_names(
    cloud: CloudFactory, openstack: Openstack, discovery: str, first: str
) -> None:
    c = cloud(discovery=discovery)
    backup = c.state.add_backup('nightly', size=20)
    (row,) = openstack(*LIST, '-f', 'json').json()
    assert list(row) == COLUMNS
    assert row == {
        'ID': backup.id,
        'Name': 'nightly',
        'Status': 'available',
        'Size': 20,
        'Volume': backup.volume_id,
        'Created At': f'{backup.created_at}+00:00',
        'Volume Name': None,
        'Server': None,
        'Server Name': None,
    }
    assert asked(c)[0] == first
    assert {text.split('?')[0] for text in asked(c)} == {first.split('?')[0]}


@pytest.mark.parametrize('discovery', ['none-json', 'both'])
def test_the_long_list_reads_marks_and_shares_once(
    cloud: CloudFactory, openstack: Openstack, discovery: str
) -> None:
    c = cloud(discovery=discovery)
    c.state.add_backup(
        'autobk_1',
        description=described('weekly', False),
        fail_reason='once',
    )
    partner = c.state.add_project('partner', member=False)
    shared = c.state.add_backup('shared', incremental=True)
    c.state.add_share(shared, partner)
    (item,) = c.state.add_checkpoint(name='run').items
    rows = openstack(*LIST, '--long', '-f', 'json').json()
    assert all(list(row) == LONG for row in rows)
    run, other, auto = rows
    assert (run['ID'], run['Source']) == (item.parts[0].backup_id, 'CSBS')
    assert (other['Source'], other['Type']) == ('VBS', 'incremental')
    assert other['Shared With'] == [partner.id]
    assert other['Trigger'] == 'manual'
    assert auto['Trigger'] == 'automatic'
    assert (auto['Type'], auto['Description']) == ('full', 'weekly')
    assert auto['Fail Reason'] == 'once'
    assert auto['Shared With'] == []
    assert auto['Updated At'] is None
    assert auto['Project'] == c.project_id
    assert asked(c)[:2] == [f'{V2}?limit=1000', f'{SHARES}?limit=1000']
    assert not [text for text in asked(c) if ITEMS in text or V3 in text]


def test_a_column_that_is_asked_for_costs_only_its_own_calls(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(discovery='both')
    c.state.add_backup('a')
    openstack(*LIST, '--long', '-c', 'ID', '-c', 'Description')
    assert all(text.startswith(V3) for text in asked(c))
    c.clear_log()
    openstack(*LIST, '-c', 'shared_with')
    assert all(text.startswith((V3, SHARES)) for text in asked(c))
    c.clear_log()
    openstack(*LIST, '-c', 'Source')
    assert asked(c) == [f'{V2}?limit=1000']


def test_an_unknown_column_is_refused_before_anything_is_asked(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    for command in ((*LIST,), (*SHOW, UNKNOWN)):
        openstack(*command, '-c', 'Nmae', complains=['Nmae'])
    assert asked(c) == []


def test_without_v2_csbs_tells_the_source(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(discovery='v3', versions=('v1', 'v3'))
    c.state.add_backup('own')
    c.state.add_checkpoint(name='run', incremental=True)
    rows = openstack(
        *LIST, '-c', 'Name', '-c', 'Source', '-c', 'Type', '-f', 'json'
    ).json()
    assert rows == [
        {'Name': 'run', 'Source': 'CSBS', 'Type': 'incremental'},
        {'Name': 'own', 'Source': 'VBS', 'Type': None},
    ]
    assert f'{V3}?limit=1000' in asked(c)
    assert f'{ITEMS}?limit=1000' in asked(c)


def test_what_nobody_may_read_is_null_and_not_guessed(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(discovery='both', sharing='forbidden')
    c.state.add_backup()
    for path in ('/vbs/v2/.*/backups', 'checkpoint_items'):
        c.knobs.faults.append(
            Fault('status', 'GET', path, status=403, times=None)
        )
    (row,) = openstack(
        *LIST,
        '--long',
        '-f',
        'json',
        code=0,
        complains=['What CSBS made is not known'],
    ).json()
    assert (row['Source'], row['Shared With']) == (None, None)
    c.clear_log()
    openstack(
        *LIST,
        '--source',
        'csbs',
        complains=[
            'What CSBS made is not known',
            '--source cannot be applied',
        ],
    )


def test_block_storage_alone_has_a_list_too(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(catalog='volumev3', csbs_catalog=None)
    c.state.add_backup('a', incremental=True)
    (row,) = openstack(*LIST, '--long', '-f', 'json').json()
    assert (row['Source'], row['Type']) == ('VBS', 'incremental')
    assert row['Shared With'] is None
    paths = {text.partition('?')[0] for text in asked(c)}
    assert paths == {'/volume/v3/{P}/backups/detail'}


def test_a_table_is_for_people_and_shows_no_control_character(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    c.state.add_backup(
        'a\x1b[2Jb', size=20, created_at='2024-05-02T10:11:12.5'
    )
    table = openstack(*LIST).stdout
    assert r'a\x1b[2Jb' in table
    assert '\x1b' not in table
    assert '20 GB' in table
    assert '2024-05-02 10:11:12 ' in table
    (row,) = openstack(*LIST, '-f', 'json').json()
    assert row['Name'] == 'a\x1b[2Jb'
    assert row['Created At'] == '2024-05-02T10:11:12.5+00:00'


# -- names -----------------------------------------------------------------


def with_names(cloud: CloudFactory) -> tuple[Sandbox, Any, Any]:
    """A cloud with a backup of a volume of a server."""
    c = cloud(catalog='vbs+volumev3')
    server = c.state.add_server(
        'db01', [c.state.add_volume('db01-data'), c.state.add_volume('x')]
    )
    return c, server, c.state.add_backup('nightly', server.volumes[0])


def headers(table: str) -> list[str]:
    """The titles of the columns of a table."""
    return [title.strip() for title in table.splitlines()[1].split('|')[1:-1]]


@pytest.mark.parametrize('form', ['json', 'csv'])
def test_machines_get_names_beside_the_ids(
    cloud: CloudFactory, openstack: Openstack, form: str
) -> None:
    c, server, backup = with_names(cloud)
    # A backup of CSBS names the server that it was of; it is gone.
    gone = c.state.add_backup(
        'part', c.state.add_volume(''), service_metadata={'VMID': UNKNOWN}
    )
    told = openstack(*LIST, '-f', form).stdout
    assert sorted(names_read(c)) == [
        'GET /compute/v2.1/servers?limit=1000',
        'GET /volume/v3/{P}/volumes/detail?limit=1000',
    ]
    rows = (
        json.loads(told)
        if form == 'json'
        else list(csv.DictReader(io.StringIO(told)))
    )
    assert [list(row) for row in rows] == [COLUMNS] * 2
    nothing = None if form == 'json' else ''
    assert [[row[title] for title in COLUMNS[4:]] for row in rows] == [
        [
            gone.volume_id,
            f'{gone.created_at}+00:00',
            *(nothing, UNKNOWN, nothing),
        ],
        [
            backup.volume_id,
            f'{backup.created_at}+00:00',
            *('db01-data', server.id, 'db01'),
        ],
    ]


def test_a_short_table_has_the_names_in_place_of_the_id(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c, _, backup = with_names(cloud)
    free = c.state.add_backup('free', c.state.add_volume('spare'))
    unnamed = c.state.add_backup('unnamed', c.state.add_volume(''))
    table = openstack(*LIST).stdout
    assert headers(table) == SHORT
    volumes = [line.split('|')[5].strip() for line in table.splitlines()[3:-1]]
    assert volumes == [unnamed.volume_id, 'spare', 'db01-data of db01']
    assert len(names_read(c)) == 2
    for id in (free.volume_id, backup.volume_id):
        assert id not in table


def test_long_tables_and_columns_by_name_have_the_id_and_the_names(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    _, server, backup = with_names(cloud)
    table = openstack(*LIST, '--long').stdout
    assert headers(table) == LONG
    chosen = ('-c', 'Volume', '-c', 'Server Name', '-c', 'Volume Name')
    for shown in (table, openstack(*LIST, *chosen).stdout):
        (row,) = shown.splitlines()[3:-1]
        cells = [cell.strip() for cell in row.split('|')]
        assert {backup.volume_id, 'db01-data', 'db01'} <= set(cells)
    shown = openstack(*SHOW, 'nightly', '-f', 'json').json()
    assert (shown['volume'], shown['volume_name']) == (
        backup.volume_id,
        'db01-data',
    )
    assert (shown['server'], shown['server_name']) == (server.id, 'db01')


@pytest.mark.parametrize(
    'command',
    [
        (*LIST, '-c', 'Volume', '-f', 'json'),
        (*LIST, '-c', 'ID', '-f', 'value'),
        (*LIST, '--count'),
        (*SHOW, 'nightly', '-c', 'volume', '-f', 'value'),
    ],
)
def test_names_that_are_not_shown_are_not_asked_for(
    cloud: CloudFactory, openstack: Openstack, command: tuple[str, ...]
) -> None:
    c, _, _ = with_names(cloud)
    openstack(*command)
    assert asked(c)
    assert names_read(c) == []


@pytest.mark.parametrize(
    ('forbidden', 'named', 'label'),
    [
        ('/volumes/detail', (None, None, None), None),
        ('/servers', ('db01-data', 'id', None), 'db01-data'),
        ('/(servers|volumes/detail)', (None, None, None), None),
    ],
)
def test_names_that_may_not_be_read_are_left_out_silently(
    cloud: CloudFactory,
    openstack: Openstack,
    forbidden: str,
    named: tuple[str | None, ...],
    label: str | None,
) -> None:
    c, server, backup = with_names(cloud)
    c.knobs.faults.append(
        Fault('status', 'GET', forbidden, status=403, times=None)
    )
    volume, attached, name = named
    expected = [volume, server.id if attached else None, name]
    (row,) = openstack(*LIST, '-f', 'json').json()
    assert [row[title] for title in COLUMNS[6:]] == expected
    shown = openstack(*SHOW, 'nightly', '-f', 'json').json()
    assert [shown[field] for field in FIELDS[6:9]] == expected
    table = openstack(*LIST).stdout
    assert f'| {label or backup.volume_id} |' in table


def test_csv_holds_numbers_and_nothing_where_there_is_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    c.state.add_backup('a', size=20)
    options = ('-c', 'Name', '-c', 'Size', '-c', 'Fail Reason', '-f', 'csv')
    assert openstack(*LIST, *options).stdout.splitlines() == [
        '"Name","Size","Fail Reason"',
        '"a",20,""',
    ]


def test_an_empty_list_is_empty(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    cloud()
    assert openstack(*LIST, '-f', 'json').json() == []
    assert openstack(*LIST, '--count').stdout == '0\n'


# -- pages -----------------------------------------------------------------


@pytest.mark.parametrize('discovery', ['none-json', 'both'])
@pytest.mark.parametrize(
    ('number', 'max_page', 'options'),
    [(2500, 1000, ()), (250, 30, ()), (250, 100, ('--limit=90',))],
)
def test_many_pages_are_all_read_and_each_row_once(
    cloud: CloudFactory,
    openstack: Openstack,
    discovery: str,
    number: int,
    max_page: int,
    options: tuple[str, ...],
) -> None:
    c = cloud(discovery=discovery, max_page=max_page)
    added = [c.state.add_backup().id for _ in range(number)]
    rows = openstack(*LIST, *options, '-f', 'json').json()
    assert [row['ID'] for row in rows] == added[::-1]
    size = 90 if options else max_page
    assert len(asked(c)) in (-(-number // size), -(-number // size) + 1)


def test_no_more_pages_are_read_than_rows_are_wanted(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    for number in range(30):
        c.state.add_backup(f'b{number}')
    wanted = ['b29', 'b28', 'b27']
    assert names(openstack, '--limit', '2', '--max-items', '3') == wanted
    assert len(asked(c)) == 2


@pytest.mark.parametrize('discovery', ['none-json', 'both'])
def test_a_marker_by_name_or_id_goes_to_the_service(
    cloud: CloudFactory, openstack: Openstack, discovery: str
) -> None:
    c = cloud(discovery=discovery)
    backups = [c.state.add_backup(f'b{number}') for number in range(5)]
    for marker in (backups[2].id, 'b2'):
        c.clear_log()
        assert names(openstack, '--marker', marker) == ['b1', 'b0']
        assert f'marker={backups[2].id}' in asked(c)[-1]
    # Where the order is made here, the marker has its place in that order.
    assert names(openstack, '--sort', 'size,name', '--marker', 'b2') == [
        'b3',
        'b4',
    ]


def test_an_unknown_marker_is_one_sentence(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    c.state.add_backup()
    for marker in (UNKNOWN, 'absent'):
        for order in ([], ['--sort', 'name'], ['--sort', 'size,name']):
            result = openstack(
                *LIST,
                *order,
                *('--marker', marker),
                complains=[re.compile(f"^Marker '{marker}' not found.$")],
            )
            assert result.stdout == ''


def test_a_service_that_repeats_a_page_ends_in_an_error(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(discovery='both', max_page=2)
    for _ in range(6):
        c.state.add_backup()
    ids = list(c.state.backups)[:2]
    body = json.dumps({'backups': [{'id': id} for id in ids]})
    c.knobs.faults.append(Fault('body', 'GET', 'offset', body=body, times=9))
    result = openstack(*LIST, complains=['repeats a page'])
    assert result.stdout == ''
    assert len(asked(c)) == 3


def test_an_answer_that_is_no_list_is_one_sentence(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    c.knobs.faults.append(Fault('body', 'GET', 'backups', body='{}'))
    openstack(*LIST, complains=['without a list of backups'])


# -- filters ---------------------------------------------------------------


def test_names_are_exact_and_compared_again(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    c.state.add_backup('nightly')
    c.state.add_backup('nightly-2')
    assert names(openstack, '--name', 'nightly') == ['nightly']
    assert asked(c) == [f'{V2}?limit=1000&name=nightly']
    assert names(openstack, '--name', 'NIGHTLY') == []


@pytest.mark.parametrize(
    ('discovery', 'query'),
    [
        ('none-json', f'{V2}?limit=1000'),
        ('both', f'{V3}?limit=1000&name~=ight'),
    ],
)
def test_a_part_of_a_name_is_asked_of_v3_alone(
    cloud: CloudFactory, openstack: Openstack, discovery: str, query: str
) -> None:
    c = cloud(discovery=discovery)
    for name in ('nightly', 'daily', 'tonight'):
        c.state.add_backup(name)
    found = names(openstack, '--name-contains', 'ight')
    assert found == ['tonight', 'nightly']
    assert asked(c)[0].replace('%7E', '~') == query


def test_a_v3_without_the_microversion_is_searched_here(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(discovery='both')
    for name in ('nightly', 'daily'):
        c.state.add_backup(name)
    c.knobs.faults.append(
        Fault('status', 'GET', 'name~|with_count', status=406, times=None)
    )
    assert names(openstack, '--name-contains', 'ight') == ['nightly']
    assert openstack(*LIST, '--count').stdout == '2\n'


def test_block_storage_does_not_look_for_a_part_of_a_name(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(catalog='volumev3')
    for name in ('nightly', 'daily'):
        c.state.add_backup(name)
    nightly = ('--name-contains', 'ight')
    assert names(openstack, *nightly) == ['nightly']
    assert openstack(*LIST, *nightly, '--count').stdout == '1\n'


def test_statuses_are_passed_on_whatever_they_are(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    for status in ('available', 'error_deleting', 'weird', 'deleting'):
        c.state.add_backup(status, status=status)
    assert names(openstack, '--status', 'error_deleting') == ['error_deleting']
    assert asked(c) == [f'{V2}?limit=1000&status=error_deleting']
    two = ('--status', 'weird', '--status', 'deleting')
    assert names(openstack, *two) == ['deleting', 'weird']


def test_what_is_stuck_is_found_by_what_passes_and_has_not(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    for status in ('creating', 'deleting', 'weird', 'available', 'error'):
        for hours in (1, 3):
            c.state.add_backup(
                f'{status}-{hours}',
                status=status,
                created_at=ago(c, hours=hours),
            )
    touched = c.state.add_backup(
        'touched', status='deleting', created_at=ago(c, hours=9)
    )
    touched.updated_at = c.state.stamp(ago(c, minutes=5))
    found = names(openstack, '--stuck', '2h')
    assert sorted(found) == ['creating-3', 'deleting-3', 'weird-3']


def test_times_are_dates_or_durations_back_from_now(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    for days in (1, 10, 40):
        c.state.add_backup(f'd{days}', created_at=ago(c, days=days))
    c.state.add_backup('old', created_at='2020-02-01T00:00:00.000000')
    assert names(openstack, '--created-before', '30d') == ['d40', 'old']
    assert names(openstack, '--created-after', '2w') == ['d1', 'd10']
    both = ('--created-after', '2020-02-01', '--created-before', '2020-02-02')
    assert names(openstack, *both) == ['old']
    assert names(openstack, '--created-before', '2020-02-01') == []


@pytest.mark.parametrize(
    'options',
    [
        ('--created-before', 'soon'),
        ('--created-before', '2024'),
        ('--created-after', '20240502'),
        ('--stuck', '-2h'),
        ('--stuck', '2 hours'),
        ('--sort', 'colour'),
        ('--sort', 'name:up'),
        ('--sort', 'source'),
        ('--limit', '0'),
        ('--max-items', 'many'),
        ('--name', 'a', '--name-contains', 'b'),
        ('--volume', UNKNOWN, '--server', UNKNOWN),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_asked(
    cloud: CloudFactory, openstack: Openstack, options: tuple[str, ...]
) -> None:
    c = cloud()
    openstack(*LIST, *options, code=2, complains=[..., 'error: '])
    assert asked(c) == []


def test_zone_and_source(cloud: CloudFactory, openstack: Openstack) -> None:
    c = cloud()
    c.state.add_backup('one', availability_zone='eu-de-01')
    c.state.add_backup('two', availability_zone='eu-de-02')
    c.state.add_checkpoint(name='run')
    assert names(openstack, '--availability-zone', 'eu-de-02') == ['two']
    assert names(openstack, '--source', 'csbs') == ['run']
    assert names(openstack, '--source', 'vbs') == ['two', 'one']


def test_a_volume_by_id_is_not_looked_up(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(catalog='vbs+volumev3')
    volume = c.state.add_volume('data')
    c.state.add_backup('wanted', volume)
    c.state.add_backup('other')
    assert names(openstack, '--volume', volume.id) == ['wanted']
    assert not [r for r in c.service_requests() if '/volumes' in r]
    assert names(openstack, '--volume', 'data') == ['wanted']
    openstack(*LIST, '--volume', 'x', complains=['No volume found'])


def test_a_server_means_its_volumes(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    server = c.state.add_server('web01', 2)
    for number, volume in enumerate(server.volumes):
        for run in range(2):
            c.state.add_backup(f'v{number}-{run}', volume)
    c.state.add_backup('other')
    wanted = ['v1-1', 'v1-0', 'v0-1', 'v0-0']
    for name in ('web01', server.id):
        assert names(openstack, '--server', name) == wanted
    assert names(openstack, '--server', 'web01', '--sort', 'name') == [
        'v0-0',
        'v0-1',
        'v1-0',
        'v1-1',
    ]
    c.clear_log()
    names(openstack, '--server', server.id)
    assert {text.split('volume_id=')[1] for text in asked(c)} == {
        volume.id for volume in server.volumes
    }


def test_a_server_that_is_gone_is_known_by_its_backups(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(discovery='both')
    server = c.state.add_server('web01', 1)
    c.state.add_backup('own', server.volumes[0])
    c.state.add_checkpoint([server], 'run')
    detached = c.state.add_backup(
        'part', service_metadata={'ST': 1, 'VMID': server.id}
    )
    c.state.add_backup('other')
    del c.state.servers[server.id]
    for name in ('web01', server.id):
        found = names(openstack, '--server', name)
        assert found == [detached.name, 'run', 'own']
    openstack(*LIST, '--server', 'web02', complains=['No server found'])
    assert names(openstack, '--server', UNKNOWN) == []


def test_former_servers_of_one_name_are_distinguished(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    twins = [c.state.add_server('twin') for _ in range(2)]
    c.state.add_checkpoint(twins)
    c.state.servers.clear()
    complaint = re.compile(
        'More than one former server .*twin.*'
        + '.*'.join(sorted(twin.id for twin in twins))
    )
    openstack(*LIST, '--server', 'twin', complains=[complaint])


# -- shared with this project ----------------------------------------------


def add_foreign(c: Sandbox, name: str = 'golden', **keywords: Any) -> Any:
    partner = c.state.add_project('partner', member=False)
    backup = c.state.add_backup(name, project_id=partner.id, **keywords)
    c.state.add_share(backup, c.state.project)
    return backup


def test_what_others_share_is_listed_from_the_shares(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(discovery='both')
    c.state.add_backup('own')
    backup = add_foreign(c)
    (row,) = openstack(
        *LIST, '--shared-with-me', '--long', '-f', 'json'
    ).json()
    assert list(row) == LONG
    assert (row['ID'], row['Project']) == (backup.id, backup.project_id)
    assert (row['Source'], row['Shared With']) == ('VBS', [c.project_id])
    assert {text.split('&')[1] for text in asked(c)} == {'share_to_me=true'}
    assert names(openstack, '--shared-with-me', '--name', 'gold') == []
    assert openstack(*LIST, '--shared-with-me', '--count').stdout == '1\n'


# -- order and number ------------------------------------------------------


def test_v2_sorts_and_what_it_cannot_is_sorted_here(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    for name, size in (('b', 1), ('c', 1), ('a', 2)):
        c.state.add_backup(name, size=size)
    assert names(openstack, '--sort', 'name:desc') == ['c', 'b', 'a']
    assert asked(c) == [f'{V2}?limit=1000&sort_key=name&sort_dir=desc']
    c.clear_log()
    assert names(openstack, '--sort', 'size:desc,name') == ['a', 'b', 'c']
    assert asked(c) == [f'{V2}?limit=1000']


def test_v3_documents_no_order_and_is_sorted_here(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(discovery='both')
    for name in 'bca':
        c.state.add_backup(name)
    found = names(openstack, '--sort', 'name', '--max-items', '2')
    assert found == ['a', 'b']
    assert asked(c)[0] == f'{V3}?limit=1000'


def test_what_is_not_known_is_last_in_both_directions(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(discovery='both')
    for name in ('new', 'old', 'never'):
        c.state.add_backup(name)
    for backup, when in zip(c.state.backups.values(), (3, 2), strict=False):
        backup.updated_at = f'2024-05-0{when}T00:00:00'
    up = names(openstack, '--sort', 'updated_at')
    assert up == ['old', 'new', 'never']
    down = names(openstack, '--sort', 'updated_at:desc')
    assert down == ['new', 'old', 'never']


def test_v3_counts_and_v2_is_counted(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    for discovery, query in (
        ('both', f'{V3}?limit=1&with_count=true'),
        ('none-json', f'{V2}?limit=1000'),
    ):
        c = cloud(discovery=discovery)
        for _ in range(3):
            c.state.add_backup()
        assert openstack(*LIST, '--count').stdout == '3\n'
        assert asked(c) == [query]
        assert openstack(*LIST, '--count', '-f', 'json').json() == 3


def test_a_filter_that_the_service_lacks_is_counted_here(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(discovery='both')
    c.state.add_backup('new')
    c.state.add_backup('old', created_at='2020-02-01T00:00:00')
    count = openstack(*LIST, '--count', '--created-before', '30d')
    assert count.stdout == '1\n'
    assert not [text for text in asked(c) if 'with_count' in text]


# -- show ------------------------------------------------------------------


@pytest.mark.parametrize('discovery', ['none-json', 'both'])
def test_show_tells_where_a_backup_comes_from(
    cloud: CloudFactory, openstack: Openstack, discovery: str
) -> None:
    c = cloud(discovery=discovery)
    (item,) = c.state.add_checkpoint(name='run').items
    disk = item.parts[0].backup_id
    shown = openstack(*SHOW, disk, '-f', 'json').json()
    assert list(shown) == FIELDS
    assert shown['source'] == 'CSBS'
    assert shown['type'] == 'full'
    assert shown['server_backup'] == item.id
    assert shown['server'] == item.resource_id
    assert shown['shared_with'] == []
    assert shown['size'] == 20


def test_show_costs_one_call_where_one_says_it(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(discovery='both')
    backup = c.state.add_backup('nightly')
    result = openstack(*SHOW, backup.id, '-c', 'status', '-f', 'value')
    assert result.stdout == 'available\n'
    assert asked(c) == [f'/vbs/v3/{{P}}/backups/{backup.id}']


def test_show_by_name_and_its_refusals(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup = c.state.add_backup('nightly')
    assert openstack(*SHOW, 'nightly', '-f', 'json').json()['id'] == backup.id
    twin = c.state.add_backup('nightly')
    both = re.compile(f'{twin.id}.*{backup.id}|{backup.id}.*{twin.id}')
    openstack(*SHOW, 'nightly', complains=[both])
    openstack(*SHOW, 'absent', complains=["No backup found for 'absent'."])
    openstack(*SHOW, UNKNOWN, complains=[f"No backup found for '{UNKNOWN}'."])


def test_show_finds_what_another_project_shares(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup = add_foreign(c)
    shown = openstack(*SHOW, backup.id, '-f', 'json').json()
    assert (shown['name'], shown['project']) == ('golden', backup.project_id)
    assert shown['shared_with'] == [c.project_id]
