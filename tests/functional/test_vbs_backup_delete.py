# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs backup delete``."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack
from tests.functional.wire import (
    UNKNOWN,
    deletes,
    requests,
    share_delete,
    vbs_delete,
)
from tests.sandbox import Fault
from tests.sandbox.knobs import CATALOGS, DISCOVERIES

DELETE = ('vbs', 'backup', 'delete')

COLUMNS = [
    'Type',
    'ID',
    'Name',
    'Source',
    'Result',
    'Detail',
    'Requested At',
    'Finished At',
    'Request ID',
]


# -- what is named ---------------------------------------------------------


def test_an_id_is_deleted_quietly_and_nothing_else(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    wanted, other = c.state.add_backup(), c.state.add_backup()
    result = openstack(*DELETE, wanted.id)
    assert result.stdout == ''
    assert deletes(c) == vbs_delete(wanted.id)
    assert list(c.state.backups) == [other.id]


def test_a_name_is_deleted_by_its_id(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    wanted = c.state.add_backup('nightly')
    other = c.state.add_backup('nightly-2')
    openstack(*DELETE, 'nightly')
    assert deletes(c) == vbs_delete(wanted.id)
    assert list(c.state.backups) == [other.id]


@pytest.mark.parametrize('discovery', ['both', 'none-json'])
@pytest.mark.parametrize('by', ['id', 'name'])
def test_many_are_verified_by_list_pages_and_not_one_by_one(
    cloud: CloudFactory, openstack: Openstack, discovery: str, by: str
) -> None:
    c = cloud(discovery=discovery, max_page=8)
    wanted = [c.state.add_backup() for _ in range(12)]
    others = [c.state.add_backup() for _ in range(6)]
    openstack(*DELETE, *(getattr(b, by) for b in wanted))
    version = 'v3' if discovery == 'both' else 'v2'
    ids = [b.id for b in wanted]
    assert sorted(deletes(c)) == sorted(vbs_delete(*ids, version=version))
    assert set(c.state.backups) == {b.id for b in others}
    reads = [text for text in requests(c)[1:] if text.startswith('GET ')]
    assert not [text for text in reads if '/detail?' not in text]
    assert len(reads) <= 10


def test_names_and_ids_may_be_mixed(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backups = [c.state.add_backup() for _ in range(4)]
    named = [backups[0].id, backups[1].name, backups[2].id, backups[3].name]
    openstack(*DELETE, *named)
    assert not c.state.backups


@pytest.mark.parametrize('more', [0, 5])
def test_what_is_named_twice_is_deleted_once(
    cloud: CloudFactory, openstack: Openstack, more: int
) -> None:
    c = cloud()
    backup = c.state.add_backup('nightly')
    others = [c.state.add_backup() for _ in range(more)]
    rows = openstack(
        *DELETE,
        backup.id,
        'nightly',
        backup.id,
        *(b.id for b in others),
        '-f',
        'json',
    ).json()
    assert [row['ID'] for row in rows] == [backup.id, *(b.id for b in others)]
    ids = [backup.id, *(b.id for b in others)]
    assert sorted(deletes(c)) == sorted(vbs_delete(*ids))


@pytest.mark.parametrize('more', [0, 5])
def test_an_ambiguous_name_is_refused_with_both_ids(
    cloud: CloudFactory, openstack: Openstack, more: int
) -> None:
    c = cloud()
    twins = [c.state.add_backup('twin') for _ in range(2)]
    others = [c.state.add_backup() for _ in range(more)]
    openstack(
        *DELETE,
        'twin',
        *(b.id for b in others),
        complains=[
            re.compile(
                f'{twins[0].id}.*{twins[1].id}|{twins[1].id}.*{twins[0].id}'
            ),
            f'1 of {1 + more} backups failed to delete.',
        ],
    )
    assert set(c.state.backups) == {b.id for b in twins}


@pytest.mark.parametrize('more', [0, 5])
def test_an_id_wins_over_the_same_text_as_a_name(
    cloud: CloudFactory, openstack: Openstack, more: int
) -> None:
    c = cloud()
    backup = c.state.add_backup()
    impostor = c.state.add_backup(name=backup.id)
    others = [c.state.add_backup() for _ in range(more)]
    openstack(*DELETE, backup.id, *(b.id for b in others))
    assert list(c.state.backups) == [impostor.id]


@pytest.mark.parametrize('more', [0, 5])
def test_an_unknown_id_that_is_a_name_is_not_that_name(
    cloud: CloudFactory, openstack: Openstack, more: int
) -> None:
    c = cloud()
    named = c.state.add_backup(name=UNKNOWN)
    others = [c.state.add_backup() for _ in range(more)]
    openstack(
        *DELETE,
        UNKNOWN,
        *(b.id for b in others),
        complains=[f"No backup found for '{UNKNOWN}'", 'failed to delete.'],
    )
    assert list(c.state.backups) == [named.id]


def test_names_are_exact_and_know_no_patterns(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    c.state.add_backup('nightly-1')
    for name in ('nightly', 'nightly-*', 'NIGHTLY-1', 'nightly-1 '):
        openstack(
            *DELETE,
            name,
            complains=[f'No backup found for {name!r}', '1 of 1 backups'],
        )
    assert deletes(c) == []


def test_another_projects_backup_is_not_found(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    foreign = c.state.add_backup(
        project_id=c.state.add_project('partner', member=False).id
    )
    openstack(
        *DELETE,
        foreign.id,
        complains=[f"No backup found for '{foreign.id}'", '1 of 1'],
    )
    assert deletes(c) == []


def test_the_id_of_a_checkpoint_is_answered_with_its_command(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(3)
    result = openstack(
        *DELETE,
        run.id,
        complains=[
            re.compile(
                f"No backup found for '{run.id}'.*with 3 backups: use "
                f'"openstack csbs checkpoint delete {run.id}"'
            ),
            '1 of 1',
        ],
    )
    assert result.stdout == ''
    assert deletes(c) == []


# -- endpoint and version --------------------------------------------------


@pytest.mark.parametrize(
    ('discovery', 'version'),
    [('both', 'v3'), ('v2', 'v2'), ('v3', 'v3'), ('none-html', 'v2')],
)
def test_the_highest_version_that_is_offered_deletes(
    cloud: CloudFactory, openstack: Openstack, discovery: str, version: str
) -> None:
    c = cloud(discovery=discovery)
    backup = c.state.add_backup()
    openstack(*DELETE, backup.id)
    assert deletes(c) == vbs_delete(backup.id, version=version)


@pytest.mark.parametrize('discovery', ['both', 'none-json', 'malformed'])
def test_the_version_documents_are_asked_for_once(
    cloud: CloudFactory, openstack: Openstack, discovery: str
) -> None:
    c = cloud(discovery=discovery)
    backups = [c.state.add_backup() for _ in range(12)]
    openstack(*DELETE, *(b.id for b in backups))
    log = requests(c)
    assert log[0] == 'GET /vbs/'
    assert not [text for text in log[1:] if '{P}' not in text]
    assert not c.state.backups


@pytest.mark.parametrize(
    ('config', 'env', 'option', 'version'),
    [
        ('2', None, None, 'v2'),
        ('3', None, None, 'v3'),
        ('v3', None, None, 'v3'),
        (3, None, None, 'v3'),
        ('3', '2', None, 'v2'),
        ('2', '3', None, 'v3'),
        ('2', '2', '3', 'v3'),
        ('3', '3', '2', 'v2'),
        (None, '3', None, 'v3'),
        (None, None, '3.0', 'v3'),
        ('auto', None, '2', 'v2'),
    ],
)
def test_a_pinned_version_needs_no_discovery_and_the_nearest_setting_wins(
    cloud: CloudFactory,
    openstack: Openstack,
    config: Any,
    env: str | None,
    option: str | None,
    version: str,
) -> None:
    c = cloud(discovery='both')
    backup = c.state.add_backup()
    openstack(
        *(('--os-vbs-api-version', option) if option else ()),
        *DELETE,
        backup.id,
        config={'vbsclient_api_version': config},
        env={'OS_VBSCLIENT_API_VERSION': env} if env else {},
    )
    assert deletes(c) == vbs_delete(backup.id, version=version)
    assert not [text for text in requests(c) if '{P}' not in text]


@pytest.mark.parametrize(('pin', 'gone'), [('2', 'v2'), ('3', 'v3')])
def test_a_pinned_version_that_is_not_there_is_never_replaced(
    cloud: CloudFactory, openstack: Openstack, pin: str, gone: str
) -> None:
    c = cloud(versions=[v for v in ('v1', 'v2', 'v3') if v != gone])
    backup = c.state.add_backup('nightly')
    for options in ([], ['--ignore-missing']):
        for named in (backup.id, 'nightly'):
            openstack(
                '--os-vbs-api-version',
                pin,
                *DELETE,
                named,
                *options,
                complains=[re.compile(f'no backups in {gone}.*answers 404')],
            )
    assert deletes(c) == []


def test_block_storage_serves_where_there_is_no_vbs(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(catalog='volumev3', csbs_catalog=None)
    backups = [c.state.add_backup() for _ in range(6)]
    for few in (backups[:1], backups[1:]):
        openstack(*DELETE, *(b.id for b in few))
    assert sorted(deletes(c)) == sorted(
        f'DELETE /volume/v3/{{P}}/backups/{b.id}' for b in backups
    )


@pytest.mark.parametrize(
    'override',
    [
        '{url}/vbs',
        '{url}/vbs/v3',
        '{url}/vbs/v2/%(project_id)s',
        '{url}/vbs/%(tenant_id)s',
    ],
)
def test_an_endpoint_override_replaces_the_catalog(
    cloud: CloudFactory, openstack: Openstack, override: str
) -> None:
    c = cloud(catalog='none')
    backup = c.state.add_backup()
    openstack(
        *DELETE,
        backup.id,
        config={'vbs_endpoint_override': override.replace('{url}', c.url)},
    )
    version = 'v3' if 'v3' in override else 'v2'
    assert deletes(c) == vbs_delete(backup.id, version=version)


@pytest.mark.parametrize(
    ('catalog', 'discovery'),
    [
        *(('vbs', discovery) for discovery in DISCOVERIES),
        # Each with each is what test_endpoint.py has, without a server.
        *(
            (catalog, discovery)
            for catalog in CATALOGS
            for discovery in ('none-json', 'both')
            if catalog not in ('vbs', 'none')
        ),
    ],
)
def test_whatever_the_catalog_and_its_documents_say_one_delete_leaves_or_none(
    cloud: CloudFactory, openstack: Openstack, catalog: str, discovery: str
) -> None:
    c = cloud(catalog=catalog, discovery=discovery)
    backup, other = c.state.add_backup(), c.state.add_backup()
    result = openstack.run(*DELETE, backup.id)
    if result.code:
        assert 'offers' in result.stderr
        assert deletes(c) == []
    else:
        assert len(deletes(c)) == 1
        assert list(c.state.backups) == [other.id]


@pytest.mark.parametrize(
    ('catalog', 'version', 'project'),
    [
        ('vbs', 'none', False),
        ('vbs', 'none', True),
        ('vbs', 'v1', False),
        ('vbs', 'v2', True),
        ('vbs', 'v3', False),
        ('vbsv2', 'none', True),
        ('vbsv2', 'v3', False),
        ('vbsv3', 'v2', True),
        ('vbsv3', 'none', False),
    ],
)
def test_a_catalog_url_may_have_version_and_project_or_not(
    cloud: CloudFactory,
    openstack: Openstack,
    catalog: str,
    version: str,
    project: bool,
) -> None:
    c = cloud(
        catalog=catalog, catalog_version=version, catalog_project=project
    )
    backup = c.state.add_backup()
    openstack(*DELETE, backup.id)
    (text,) = deletes(c)
    assert text in (
        *vbs_delete(backup.id),
        *vbs_delete(backup.id, version='v3'),
    )


def test_the_configured_region_is_the_one_that_is_asked(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(regions=('RegionOne', 'RegionTwo'))
    backup = c.state.add_backup()
    openstack(*DELETE, backup.id, config={'region_name': 'RegionTwo'})
    assert requests(c)
    assert all('/region/RegionTwo/' in text for text in requests(c))


# -- output ----------------------------------------------------------------


def test_the_columns_of_a_report_are_a_contract(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(deletion_time=3600)
    backup = c.state.add_backup('nightly')
    rows = openstack(*DELETE, backup.id, '--report', '-f', 'json').json()
    (row,) = rows
    assert list(row) == COLUMNS
    sent = [r for r in c.requests if r.method == 'DELETE']
    assert row.pop('Request ID') == sent[0].request_id
    assert re.fullmatch(
        r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00',
        row.pop('Requested At'),
    )
    assert row == {
        'Type': 'backup',
        'ID': backup.id,
        'Name': 'nightly',
        'Source': 'VBS',
        'Result': 'accepted',
        'Detail': None,
        'Finished At': None,
    }


def test_a_report_is_a_table_unless_told_otherwise(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup = c.state.add_backup('nightly')
    table = openstack(*DELETE, backup.id, '--report').stdout.splitlines()
    headers = [cell.strip() for cell in table[1].strip('|').split('|')]
    # What is empty is left out.
    assert headers == [
        title for title in COLUMNS if title not in ('Detail', 'Finished At')
    ]
    assert backup.id in table[3]
    assert len(table) == 5


@pytest.mark.parametrize(
    'wish', [('-f', 'value', '-c', 'ID'), ('-c', 'ID', '-f', 'csv')]
)
def test_a_format_or_a_column_means_a_report(
    cloud: CloudFactory, openstack: Openstack, wish: tuple[str, ...]
) -> None:
    c = cloud()
    backup = c.state.add_backup()
    assert backup.id in openstack(*DELETE, backup.id, *wish).stdout
    assert not c.state.backups


@pytest.mark.parametrize('options', [('--report',), ('--dry-run',)])
def test_rows_come_in_the_order_of_the_command_line(
    cloud: CloudFactory, openstack: Openstack, options: tuple[str, ...]
) -> None:
    c = cloud()
    backups = [c.state.add_backup() for _ in range(20)]
    ids = [b.id for b in backups[::-2] + backups[::2]]
    ids.insert(7, UNKNOWN)
    rows = openstack(
        *DELETE, *ids, *options, '-f', 'json', '--ignore-missing'
    ).json()
    assert [row['ID'] for row in rows] == ids


def test_a_dry_run_sends_no_delete_and_says_what_would_happen(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    free, bad = c.state.add_backup('free'), c.state.add_backup('bad')
    bad.status = 'error_deleting'
    going = c.state.add_backup(status='deleting')
    rows = openstack(
        *DELETE,
        '--dry-run',
        'free',
        'bad',
        'absent',
        going.id,
        '-f',
        'json',
        complains=['2 of 4 backups would be refused.'],
    ).json()
    assert deletes(c) == []
    assert list(rows[0]) == COLUMNS[:6]
    assert [(row['ID'], row['Result']) for row in rows] == [
        (free.id, 'would delete'),
        (bad.id, 'refused'),
        ('absent', 'failed'),
        (going.id, 'accepted'),
    ]
    assert rows[1]['Detail'].startswith('its deletion failed before ')
    assert rows[2]['Detail'] == "No backup found for 'absent'."


def test_a_dry_run_prints_a_table_without_being_asked(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup = c.state.add_backup('nightly')
    table = openstack(*DELETE, '--dry-run', 'nightly').stdout
    assert backup.id in table
    assert 'would delete' in table
    assert deletes(c) == []


def test_verbose_says_no_secret(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup = c.state.add_backup()
    openstack('-v', *DELETE, backup.id, complains=[...], code=0)
    result = openstack(
        '--debug', *DELETE, c.state.add_backup().id, complains=[...], code=0
    )
    for token in c.state.tokens:
        assert token not in result.stderr
    assert not re.search(r'\bsecret\b', result.stderr)


def test_control_characters_of_a_name_do_not_reach_a_terminal(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    name = 'evil\x1b]0;title\x07\u202e\x9b2J'
    backup = c.state.add_backup(name, status='error_deleting')
    result = openstack(
        *DELETE,
        backup.id,
        '--report',
        complains=['1 of 1 backups failed to delete.'],
    )
    assert 'evil\\x1b]0;title\\x07\\u202e\\x9b2J' in result.stdout
    machines = openstack(
        *(*DELETE, backup.id, '-f', 'json'),
        complains=['evil\\x1b]0;title\\x07\\u202e\\x9b2J', '1 of 1'],
    )
    for character in '\x1b\x07\u202e\x9b':
        assert character not in result.stdout + result.stderr
        assert character not in machines.stderr
    assert machines.json()[0]['Name'] == name


# -- standard input --------------------------------------------------------


def test_a_dash_reads_ids_and_skips_blank_lines(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backups = [c.state.add_backup() for _ in range(3)]
    text = '\n  \n'.join(b.id for b in backups[:2]) + '\r\n\n'
    openstack(*DELETE, '-', backups[2].id, stdin=text)
    assert sorted(deletes(c)) == sorted(vbs_delete(*(b.id for b in backups)))


@pytest.mark.parametrize('line', ['nightly', '{0} {1}', '\x00'])
def test_a_line_that_is_no_id_stops_before_anything_is_sent(
    cloud: CloudFactory, openstack: Openstack, line: str
) -> None:
    c = cloud()
    ids = [c.state.add_backup('nightly').id for _ in range(3)]
    openstack(
        *DELETE,
        '-',
        stdin=f'{ids[2]}\n\n{line.format(*ids)}\n{ids[1]}\n',
        complains=['Line 3 of the standard input is not an ID'],
    )
    assert deletes(c) == []


@pytest.mark.parametrize('text', ['', '\n\n', '  \n'])
def test_no_lines_on_standard_input_are_success(
    cloud: CloudFactory, openstack: Openstack, text: str
) -> None:
    c = cloud()
    c.state.add_backup()
    assert openstack(*DELETE, '-', stdin=text).stdout == ''
    assert openstack(*DELETE, '-', '-f', 'json', stdin=text).json() == []
    assert requests(c) == []


def test_a_dash_twice_reads_once(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup = c.state.add_backup()
    openstack(*DELETE, '-', '-', stdin=f'{backup.id}\n')
    assert deletes(c) == vbs_delete(backup.id)


def test_a_closed_standard_input_has_no_ids(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    openstack(*DELETE, '-', stdin=None, complains=['tandard input'])
    assert requests(c) == []


def test_bytes_that_are_no_text_are_no_ids(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup = c.state.add_backup()
    raw = io.BytesIO(backup.id.encode() + b'\n\xff\xfe\n')
    openstack(
        *DELETE,
        '-',
        stdin=io.TextIOWrapper(raw, encoding='utf-8'),
        complains=[re.compile('standard input.*Nothing was sent')],
    )
    assert requests(c) == []


# -- options ---------------------------------------------------------------


@pytest.mark.parametrize('more', [0, 5])
def test_what_does_not_exist_fails_unless_it_is_ignored(
    cloud: CloudFactory, openstack: Openstack, more: int
) -> None:
    c = cloud()
    first, second = (
        [c.state.add_backup().id for _ in range(more)] for _ in range(2)
    )
    openstack(
        *DELETE,
        'absent',
        UNKNOWN,
        *first,
        complains=[
            "No backup found for 'absent'.",
            f"No backup found for '{UNKNOWN}'.",
            f'2 of {2 + more} backups failed to delete.',
        ],
    )
    rows = openstack(
        *DELETE,
        'absent',
        UNKNOWN,
        *second,
        '--ignore-missing',
        '-f',
        'json',
    ).json()
    assert [row['Result'] for row in rows[:2]] == ['missing', 'missing']
    assert not c.state.backups


def test_what_is_refused_is_not_missing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup = c.state.add_backup(status='error_deleting')
    openstack(
        *DELETE,
        backup.id,
        '--ignore-missing',
        complains=['error_deleting', '1 of 1 backups'],
    )


@pytest.mark.parametrize('number', ['0', '65', '-1', 'ten', '1.5', ''])
def test_concurrency_outside_its_bounds_is_a_usage_error(
    cloud: CloudFactory, openstack: Openstack, number: str
) -> None:
    c = cloud()
    backup = c.state.add_backup()
    openstack(
        *DELETE,
        backup.id,
        f'--concurrency={number}',
        complains=[..., 'is not a number from 1 to 64'],
        code=2,
    )
    assert requests(c) == []


@pytest.mark.parametrize('number', [1, 4, 64])
def test_concurrency_is_the_most_at_a_time(
    cloud: CloudFactory, openstack: Openstack, number: int
) -> None:
    c = cloud(max_concurrent=number, latency=0.002, discovery='both')
    backups = [c.state.add_backup() for _ in range(80)]
    openstack(*DELETE, *(b.id for b in backups), f'--concurrency={number}')
    assert not c.state.backups
    assert 429 not in [request.status for request in c.requests]


@pytest.mark.parametrize(
    ('command', 'option'),
    [
        ('vbs backup delete', '--forc'),
        ('vbs backup delete', '--dry'),
        ('vbs backup delete', '--cancel'),
        ('vbs backup delete', '--ignore'),
        ('vbs share delete', '--back=x'),
        ('vbs share delete', '--target-proj=x'),
        ('csbs checkpoint delete', '--ite=x'),
        ('csbs checkpoint delete', '--ye'),
        ('csbs backup delete', '--prov=x'),
        ('csbs backup delete', '--repo'),
    ],
)
def test_options_are_never_abbreviated(
    cloud: CloudFactory, openstack: Openstack, command: str, option: str
) -> None:
    c = cloud()
    backup = c.state.add_backup()
    openstack(
        *command.split(),
        backup.id,
        option,
        complains=[..., f'unrecognized arguments: {option}'],
        code=2,
    )
    assert requests(c) == []


@pytest.mark.parametrize(
    'command', ['vbs backup delete', 'csbs backup delete']
)
def test_what_asks_nothing_takes_no_answer(
    cloud: CloudFactory, openstack: Openstack, command: str
) -> None:
    c = cloud()
    backup = c.state.add_backup()
    openstack(
        *(*command.split(), backup.id, '--yes'),
        complains=[..., 'unrecognized arguments: --yes'],
        code=2,
    )
    assert requests(c) == []


# -- shares ----------------------------------------------------------------


@pytest.mark.parametrize('more', [0, 5])
def test_a_shared_backup_is_refused_with_its_projects(
    cloud: CloudFactory, openstack: Openstack, more: int
) -> None:
    c = cloud()
    shared = c.state.add_backup('golden')
    partners = [c.state.add_project(f'p{n}', member=False) for n in range(2)]
    for partner in partners:
        c.state.add_share(shared, partner)
    others = [c.state.add_backup() for _ in range(more)]
    result = openstack(
        *DELETE,
        'golden',
        *(b.id for b in others),
        complains=[
            'shared with 2 projects: ',
            f'1 of {1 + more} backups failed to delete.',
        ],
    )
    for partner in partners:
        assert partner.id in result.stderr
    assert '--cancel-shares' in result.stderr
    assert list(c.state.backups) == [shared.id]
    assert len(c.state.shares) == 2


@pytest.mark.parametrize('more', [0, 5])
@pytest.mark.parametrize('discovery', ['both', 'none-json'])
def test_shares_are_cancelled_before_the_backup_goes_if_asked(
    cloud: CloudFactory, openstack: Openstack, more: int, discovery: str
) -> None:
    c = cloud(discovery=discovery)
    shared = c.state.add_backup('golden')
    shares = [
        c.state.add_share(shared, c.state.add_project(name, member=False))
        for name in ('p1', 'p2')
    ]
    others = [c.state.add_backup().id for _ in range(more)]
    rows = openstack(
        *DELETE, 'golden', *others, '--cancel-shares', '-f', 'json'
    ).json()
    assert 'canceled 2 shares' in rows[0]['Detail']
    version = 'v3' if discovery == 'both' else 'v2'
    assert sorted(text for text in deletes(c) if 'sharing' in text) == sorted(
        share_delete(share.id, is_backup_id=False) for share in shares
    )
    (sent,) = vbs_delete(shared.id, version=version)
    assert deletes(c).index(sent) > max(
        deletes(c).index(share_delete(share.id, is_backup_id=False))
        for share in shares
    )
    assert len(deletes(c)) == 3 + more


def test_a_backup_without_shares_has_none_cancelled(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup = c.state.add_backup()
    openstack(*DELETE, backup.id, '--cancel-shares')
    assert deletes(c) == vbs_delete(backup.id)


def test_a_dry_run_cancels_no_share(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    shared = c.state.add_backup()
    partner = c.state.add_project('p', member=False)
    c.state.add_share(shared, partner)
    rows = openstack(
        *DELETE, shared.id, '--cancel-shares', '--dry-run', '-f', 'json'
    ).json()
    assert rows[0]['Result'] == 'would delete'
    assert partner.id in rows[0]['Detail']
    assert deletes(c) == []


def test_a_backup_stays_if_its_shares_cannot_be_cancelled(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    shared = c.state.add_backup('golden')
    c.state.add_share(shared, c.state.add_project('p', member=False))
    c.knobs.faults.append(
        Fault('status', 'DELETE', 'os-vendor', status=403, times=None)
    )
    openstack(
        *DELETE,
        'golden',
        '--cancel-shares',
        complains=[f'golden ({shared.id})', '1 of 1'],
    )
    assert list(c.state.backups) == [shared.id]
    assert not [text for text in deletes(c) if '/backups/' in text]


@pytest.mark.parametrize('more', [0, 5])
@pytest.mark.parametrize('sharing', ['absent', 'forbidden'])
def test_where_sharing_cannot_be_read_it_is_not_checked_with_a_note(
    cloud: CloudFactory, openstack: Openstack, sharing: str, more: int
) -> None:
    c = cloud(sharing=sharing)
    ids = [c.state.add_backup().id for _ in range(2 * (1 + more))]
    openstack(*DELETE, *ids[: 1 + more])
    openstack(
        '-v',
        *DELETE,
        *ids[1 + more :],
        complains=[..., 'Whether backups are shared was not checked', ...],
        code=0,
    )
    assert not c.state.backups


@pytest.mark.parametrize('more', [0, 5])
def test_if_nobody_knows_whether_it_is_shared_nothing_is_deleted(
    cloud: CloudFactory, openstack: Openstack, more: int
) -> None:
    c = cloud()
    ids = [c.state.add_backup().id for _ in range(1 + more)]
    c.knobs.faults.append(
        Fault('status', 'GET', 'os-vendor', status=500, times=None)
    )
    openstack(*DELETE, *ids, complains=['HTTP 500'])
    assert deletes(c) == []


def test_force_deletes_what_is_shared(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    shared = c.state.add_backup()
    c.state.add_share(shared, c.state.add_project('p', member=False))
    openstack(*DELETE, shared.id, '--force')
    assert deletes(c) == vbs_delete(shared.id)


# -- made by CSBS ----------------------------------------------------------


@pytest.mark.parametrize('more', [0, 5])
@pytest.mark.parametrize(
    'knobs',
    [
        {'discovery': 'none-json'},
        {'discovery': 'both'},
        {'discovery': 'v3', 'versions': ('v1', 'v3')},
        {'catalog': 'volumev3'},
    ],
    ids=['v2', 'v3 beside v2', 'v3 alone', 'block storage'],
)
def test_what_csbs_made_is_refused_with_the_right_command(
    cloud: CloudFactory,
    openstack: Openstack,
    knobs: dict[str, Any],
    more: int,
) -> None:
    c = cloud(**knobs)
    (item,) = c.state.add_checkpoint(name='web01-run').items
    (part,) = item.parts
    others = [c.state.add_backup().id for _ in range(more)]
    openstack(
        *DELETE,
        part.backup_id,
        *others,
        complains=[
            re.compile(
                f'Failed to delete backup .*{part.backup_id}.*web01-run.*'
                f'openstack csbs backup delete {item.id}'
            ),
            f'1 of {1 + more} backups failed to delete.',
        ],
    )
    assert list(c.state.backups) == [part.backup_id]
    assert list(c.state.items) == [item.id]


def test_a_mark_of_csbs_refuses_also_where_the_catalog_has_no_csbs(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(csbs_catalog=None)
    (item,) = c.state.add_checkpoint().items
    openstack(
        *DELETE,
        item.parts[0].backup_id,
        complains=[re.compile('CSBS made it.*--force'), '1 of 1'],
    )
    assert deletes(c) == []


def test_a_report_names_csbs_as_the_source(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    (item,) = c.state.add_checkpoint().items
    rows = openstack(
        *DELETE,
        item.parts[0].backup_id,
        '-f',
        'json',
        complains=['CSBS made it', '1 of 1'],
    ).json()
    assert rows[0]['Source'] == 'CSBS'
    assert rows[0]['Result'] == 'refused'
    assert item.id in rows[0]['Detail']
    assert rows[0]['Requested At'] is None


def test_what_is_left_over_from_csbs_is_said_so(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup = c.state.add_backup(source='csbs')
    openstack(
        *DELETE,
        backup.id,
        complains=[re.compile('left over from CSBS.*--force'), '1 of 1'],
    )
    assert deletes(c) == []


@pytest.mark.parametrize('more', [0, 5])
def test_if_the_origin_is_unknown_it_is_refused(
    cloud: CloudFactory, openstack: Openstack, more: int
) -> None:
    c = cloud(discovery='both')
    ids = [c.state.add_backup().id for _ in range(1 + more)]
    c.knobs.faults += [
        Fault('status', 'GET', 'v2/.*/backups', status=403, times=None),
        Fault('status', 'GET', 'checkpoint_items', status=403, times=None),
    ]
    result = openstack(
        *DELETE,
        *ids,
        complains=[
            # Said once, with those that it is about.
            'whether CSBS made it could not be read',
            *(ids if more else ()),
            f'{1 + more} of {1 + more} backups failed to delete.',
        ],
    )
    assert '--force' in result.stderr
    assert deletes(c) == []


@pytest.mark.parametrize('more', [0, 5])
def test_where_there_is_neither_v2_nor_csbs_nothing_needs_to_be_known(
    cloud: CloudFactory, openstack: Openstack, more: int
) -> None:
    c = cloud(
        discovery='v3',
        versions=('v1', 'v3'),
        csbs_catalog=None,
        sharing='absent',
    )
    ids = [c.state.add_backup().id for _ in range(1 + more)]
    openstack(*DELETE, *ids)
    assert not c.state.backups


def test_force_sends_what_csbs_made_and_the_service_decides(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    (item,) = c.state.add_checkpoint().items
    disk = item.parts[0].backup_id
    openstack(
        *DELETE,
        disk,
        '--force',
        complains=[
            re.compile(
                f'{disk}.*HTTP 400, code VolumeBackup.0125.*'
                'openstack csbs backup delete'
            ),
            '1 of 1',
        ],
    )
    assert deletes(c) == vbs_delete(disk)


def test_force_verifies_the_id_all_the_same(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    openstack(
        *DELETE,
        UNKNOWN,
        '--force',
        complains=[f"No backup found for '{UNKNOWN}'", '1 of 1'],
    )
    assert deletes(c) == []


# -- states ----------------------------------------------------------------


def test_what_is_being_deleted_already_counts_as_accepted(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup = c.state.add_backup(status='deleting')
    rows = openstack(*DELETE, backup.id, '-f', 'json').json()
    assert rows[0]['Result'] == 'accepted'
    assert rows[0]['Detail'] == 'is being deleted already'
    assert rows[0]['Requested At'] is None
    assert deletes(c) == []


def test_a_failed_deletion_is_refused_even_by_force(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup = c.state.add_backup(status='error_deleting')
    for options in ((), ('--force',)):
        openstack(
            *DELETE,
            backup.id,
            *options,
            complains=[
                re.compile('error_deleting.*Leave it alone.*operator'),
                '1 of 1 backups failed to delete.',
            ],
        )
    assert deletes(c) == []


def test_a_failed_backup_can_be_deleted(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup = c.state.add_backup(status='error')
    openstack(*DELETE, backup.id)
    assert not c.state.backups


@pytest.mark.parametrize(
    ('state', 'reason'),
    [
        ({'status': 'creating'}, 'status must be available or error'),
        ({'image': True}, 'code VolumeBackup.0113'),
    ],
)
def test_a_refusal_of_the_service_says_why_with_code_and_request_id(
    cloud: CloudFactory,
    openstack: Openstack,
    state: dict[str, Any],
    reason: str,
) -> None:
    c = cloud()
    backup = c.state.add_backup('b', **state)
    openstack(
        *DELETE,
        'b',
        complains=[
            re.compile(
                f'Failed to delete backup b \\({backup.id}\\): .*{reason}.*'
                'request req-'
            ),
            '1 of 1 backups failed to delete.',
        ],
    )


def test_a_404_of_a_dead_backup_worker_is_no_success(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(backup_worker=False)
    backup = c.state.add_backup()
    openstack(
        *DELETE,
        backup.id,
        '--ignore-missing',
        complains=[
            re.compile('cinder-backup could not be found.*still exists'),
            '1 of 1',
        ],
    )
    assert list(c.state.backups) == [backup.id]


def test_a_404_of_what_is_gone_meanwhile_is_success(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup = c.state.add_backup()
    c.knobs.faults.append(Fault('status', 'DELETE', status=404, acts=True))
    rows = openstack(*DELETE, backup.id, '-f', 'json').json()
    assert rows[0]['Result'] == 'deleted'
    assert len(deletes(c)) == 1


@pytest.mark.parametrize('seconds', [0.0, 3600.0])
def test_a_connection_that_breaks_after_a_delete_is_no_failure(
    cloud: CloudFactory, openstack: Openstack, seconds: float
) -> None:
    c = cloud(deletion_time=seconds)
    backup = c.state.add_backup()
    c.knobs.faults.append(Fault('reset-after', 'DELETE'))
    openstack(*DELETE, backup.id)
    assert len(deletes(c)) == 2


def test_one_failure_does_not_stop_the_others(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backups = [c.state.add_backup() for _ in range(20)]
    bad = backups[::4]
    for backup in bad:
        backup.image = True
    rows = openstack(
        *DELETE,
        *(b.id for b in backups),
        '-f',
        'json',
        complains=[
            'Failed to delete 5 backups: An image has been created',
            *(f'  {b.name} ({b.id}), request req-' for b in bad),
            '5 of 20 backups failed to delete.',
        ],
    ).json()
    assert set(c.state.backups) == {b.id for b in bad}
    assert [row['Result'] for row in rows[:5]] == [
        'failed',
        *['accepted'] * 3,
        'failed',
    ]


def test_a_backup_with_dependants_stays_with_the_services_reason(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(chains=True)
    full = c.state.add_backup('full')
    c.state.add_backup('increment', incremental=True)
    openstack(
        *DELETE,
        'full',
        complains=['Incremental backups exist for this backup', '1 of 1'],
    )
    assert full.id in c.state.backups


# -- the journal -----------------------------------------------------------


def read_journal(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_journal_has_a_line_before_and_after_every_delete(
    cloud: CloudFactory, openstack: Openstack, tmp_path: Path
) -> None:
    c = cloud()
    good, bad = c.state.add_backup('good'), c.state.add_backup('bad')
    bad.image = True
    path = tmp_path / 'journal'
    openstack(
        *DELETE,
        'good',
        'bad',
        'absent',
        '--journal',
        str(path),
        complains=['bad', 'absent', '2 of 3'],
    )
    lines = read_journal(path)
    assert path.stat().st_mode & 0o777 == 0o600
    for line in lines:
        assert line['cloud'] == 'sandbox'
        assert line['region'] == 'RegionOne'
        assert line['project_id'] == c.project_id
        assert line['project'] == 'demo'
        assert line['user'] == 'demo'
        assert line['command'] == 'vbs backup delete'
        assert line['action'] == 'delete'
        assert line['at']
    told = {
        backup.name: [line for line in lines if line['id'] == backup.id]
        for backup in (good, bad)
    }
    assert len(lines) == 4
    for two in told.values():
        assert [line['event'] for line in two] == ['request', 'answer']
    assert told['good'][1]['result'] == 'accepted'
    assert told['good'][1]['status'] == 202
    assert told['bad'][1]['result'] == 'refused'
    assert told['bad'][1]['code'] == 'VolumeBackup.0113'
    sent = {r.request_id for r in c.requests if r.method == 'DELETE'}
    assert {two[1]['request_id'] for two in told.values()} == sent


def test_a_journal_is_appended_to(
    cloud: CloudFactory, openstack: Openstack, tmp_path: Path
) -> None:
    c = cloud()
    path = tmp_path / 'journal'
    for _ in range(2):
        backups = [c.state.add_backup() for _ in range(8)]
        openstack(*DELETE, *(b.id for b in backups), '--journal', str(path))
    assert len(read_journal(path)) == 32


def test_cancelling_shares_is_in_the_journal_too(
    cloud: CloudFactory, openstack: Openstack, tmp_path: Path
) -> None:
    c = cloud()
    shared = c.state.add_backup()
    c.state.add_share(shared, c.state.add_project('p', member=False))
    path = tmp_path / 'journal'
    openstack(*DELETE, shared.id, '--cancel-shares', '--journal', str(path))
    assert [
        (line['action'], line['event']) for line in read_journal(path)
    ] == [
        ('cancel share', 'request'),
        ('cancel share', 'answer'),
        ('delete', 'request'),
        ('delete', 'answer'),
    ]


@pytest.mark.parametrize('name', ['', 'no-such-directory/journal', '.'])
def test_a_journal_that_cannot_be_opened_refuses_before_anything_is_sent(
    cloud: CloudFactory, openstack: Openstack, tmp_path: Path, name: str
) -> None:
    c = cloud()
    backup = c.state.add_backup()
    path = str(tmp_path / name) if name else ''
    openstack(
        *DELETE,
        backup.id,
        f'--journal={path}',
        complains=[re.compile('journal .* cannot be opened.*nothing was')],
    )
    assert deletes(c) == []


def test_a_journal_that_cannot_be_written_keeps_the_delete_from_leaving(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    full = Path('/dev/full')
    if not full.exists():
        pytest.skip('this system has no disk that is always full')
    c = cloud()
    backups = [c.state.add_backup() for _ in range(5)]
    openstack(
        *DELETE,
        *(b.id for b in backups),
        f'--journal={full}',
        complains=[
            'the journal cannot be written',
            *(b.id for b in backups),
            '5 of 5 backups failed to delete.',
        ],
    )
    assert deletes(c) == []


def test_a_dry_run_writes_no_journal(
    cloud: CloudFactory, openstack: Openstack, tmp_path: Path
) -> None:
    c = cloud()
    path = tmp_path / 'journal'
    openstack(
        *DELETE,
        c.state.add_backup().id,
        '--dry-run',
        '--journal',
        str(path),
    )
    assert not path.exists()


# -- clouds that must not be changed ---------------------------------------


@pytest.mark.parametrize('value', [True, 'true', 1])
def test_a_read_only_cloud_is_not_changed(
    cloud: CloudFactory, openstack: Openstack, value: Any
) -> None:
    c = cloud()
    backup = c.state.add_backup()
    openstack(
        *DELETE,
        backup.id,
        config={'vbsclient_read_only': value},
        complains=[re.compile('read-only .*nothing was changed')],
    )
    assert requests(c) == []


@pytest.mark.parametrize('value', ['maybe', 2, '', {}])
def test_a_read_only_mark_that_cannot_be_read_refuses(
    cloud: CloudFactory, openstack: Openstack, value: Any
) -> None:
    c = cloud()
    backup = c.state.add_backup()
    config = {'vbsclient_read_only': value}
    if isinstance(value, dict):
        config = {'vbsclient_read_only': {'a': 'b'}}
    openstack(
        *DELETE,
        backup.id,
        config=config,
        complains=[re.compile('neither true nor false.*nothing was changed')],
    )
    assert requests(c) == []


@pytest.mark.parametrize('value', [False, 'false', 0, None])
def test_a_cloud_that_is_not_read_only_can_be_changed(
    cloud: CloudFactory, openstack: Openstack, value: Any
) -> None:
    c = cloud()
    backup = c.state.add_backup()
    openstack(*DELETE, backup.id, config={'vbsclient_read_only': value})
    assert not c.state.backups


def test_a_read_only_cloud_allows_a_dry_run(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup = c.state.add_backup()
    openstack(
        *DELETE,
        backup.id,
        '--dry-run',
        config={'vbsclient_read_only': True},
    )
    assert list(c.state.backups) == [backup.id]
