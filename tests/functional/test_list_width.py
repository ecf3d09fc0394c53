# SPDX-License-Identifier: Apache-2.0
"""Lists on terminals of some widths: they fit, and every ID is whole."""

import re

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack
from tests.functional.test_interruption import read_until, terminal

LISTS = (
    'vbs backup list',
    'vbs share list',
    'csbs backup list',
    'csbs checkpoint list',
    'vbs backup policy list',
    'vbs backup policy task list nightly-db',
)
WIDTHS = (80, 100, 120)

#: With the names of volumes and servers, and without.
CATALOGS = ('vbs+volumev3', 'vbs')

#: How a piece of an ID would look.
_DIGITS = re.compile(r'[0-9a-f]{8}-[0-9a-f-]*|[0-9a-f]{32}')
_ID = re.compile(r'[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}')


def check_fits(shown: str, width: int) -> None:
    assert max(map(len, shown.splitlines())) <= width
    for text in _DIGITS.findall(shown):
        assert _ID.fullmatch(text), text


def titles(table: str) -> list[str]:
    """The titles of the columns of the first table."""
    return [title.strip() for title in table.splitlines()[1].split('|')[1:-1]]


@pytest.mark.parametrize('catalog', CATALOGS)
@pytest.mark.parametrize('width', WIDTHS)
@pytest.mark.parametrize('command', LISTS)
def test_a_list_fits_with_every_id_whole(
    cloud: CloudFactory,
    openstack: Openstack,
    command: str,
    width: int,
    catalog: str,
) -> None:
    cloud(catalog=catalog).seed()
    rows = openstack(*command.split(), '-f', 'json').json()
    assert len(rows) > 1
    longer = () if ' task ' in command else ('--long',)
    for options in {(), longer}:
        # As by itself where there is a terminal.
        shown = openstack.run(
            *command.split(), *options, f'--max-width={width}'
        )
        assert shown.code == 0
        check_fits(shown.stdout, width)
        for row in rows:
            assert shown.stdout.count(row['ID']) == 1
        assert shown.stderr == '' or re.fullmatch(
            r'Not shown, for lack of room: [A-Z].*\. Choose columns with '
            rf'-c\.\n|These columns do not fit {width} characters: .*\n',
            shown.stderr,
        )


@pytest.mark.parametrize(
    ('command', 'shown'),
    [
        (
            'vbs backup list',
            ['Name/ID', 'Status', 'Volume', 'Created At'],
        ),
        ('vbs share list', ['Backup Name/ID', 'Backup/Target Project']),
    ],
)
def test_fields_go_below_others_where_there_is_little_room(
    cloud: CloudFactory, openstack: Openstack, command: str, shown: list[str]
) -> None:
    cloud(catalog='vbs+volumev3').seed()
    table = openstack(*command.split(), '--max-width=80').stdout
    assert titles(table) == shown


def test_what_can_be_spared_is_left_out_and_said(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    cloud().seed()
    table = openstack(
        *('csbs', 'checkpoint', 'list', '--max-width=80'),
        complains=[
            'Not shown, for lack of room: Backups. Choose columns with -c.'
        ],
        code=0,
    ).stdout
    assert titles(table) == ['Name/ID', 'Status', 'Servers', 'Created At']
    table = openstack('csbs', 'checkpoint', 'list').stdout
    assert 'Backups' in titles(table)


def test_a_row_that_fits_in_no_way_has_a_table_of_its_own(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup, _ = (c.state.add_backup(name) for name in ('one', 'two'))
    table = openstack(
        *('vbs', 'backup', 'list', '--long', '--max-width=80'),
        complains=[
            'These columns do not fit 80 characters: each backup has a table '
            'of its own. Choose columns with -c, or use -f json.'
        ],
        code=0,
    ).stdout
    assert titles(table) == ['Field', 'Value']
    assert table.count('| Field ') == 2
    assert re.search(rf'^\| ID +\| {backup.id} +\|$', table, re.MULTILINE)


@pytest.mark.parametrize('width', WIDTHS)
def test_the_width_is_that_of_the_terminal(
    cloud: CloudFactory, openstack: Openstack, width: int
) -> None:
    c = cloud(catalog='vbs+volumev3')
    c.seed()
    command = ('vbs', 'backup', 'list')
    with terminal(openstack, *command, width=width) as (process, screen):
        shown = read_until(screen, '').replace('\r', '')
        assert process.wait(30) == 0
    check_fits(shown, width)
    assert shown == openstack(*command, f'--max-width={width}').stdout
    for id, backup in c.state.backups.items():
        if backup.project_id == c.project_id:
            assert id in shown
