# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs share list`` and ``show``."""

import re
from datetime import timedelta
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.reading import asked, only_gets
from tests.functional.shell import Openstack
from tests.functional.wire import UNKNOWN
from tests.sandbox import Fault, Sandbox

__all__ = ['only_gets']

pytestmark = pytest.mark.usefixtures('only_gets')

LIST = ('vbs', 'share', 'list')
SHOW = ('vbs', 'share', 'show')
SHARES = '/vbs/v2/{P}/os-vendor-backup-sharing'
COLUMNS = [
    'ID',
    'Backup',
    'Backup Name',
    'Target Project',
]
LONG = [
    *COLUMNS,
    'Source Project',
    'Created At',
    'Status',
    'Size',
    'Volume',
    'Availability Zone',
    'Description',
    'Updated At',
]


def share(c: Sandbox, name: str, project: Any = None, **keywords: Any) -> Any:
    project = project or c.state.add_project(name, member=False)
    return c.state.add_share(c.state.add_backup(name, **keywords), project)


def ids(openstack: Openstack, *options: str) -> list[str]:
    result = openstack(*LIST, *options, '-f', 'value', '-c', 'ID')
    return result.stdout.split()


@pytest.mark.parametrize('discovery', ['none-json', 'both'])
def test_one_list_says_all_that_is_shown(
    cloud: CloudFactory, openstack: Openstack, discovery: str
) -> None:
    c = cloud(discovery=discovery)
    one = share(c, 'golden', size=20)
    (row,) = openstack(*LIST, '-f', 'json').json()
    assert row == {
        'ID': one.id,
        'Backup': one.backup_id,
        'Backup Name': 'golden',
        'Target Project': one.to_project_id,
    }
    assert list(row) == COLUMNS
    (row,) = openstack(*LIST, '--long', '-f', 'json').json()
    assert list(row) == LONG
    assert (row['Status'], row['Size']) == ('available', 20)
    assert row['Source Project'] == c.project_id
    assert row['Created At'] == f'{one.created_at}+00:00'
    assert {text.split('?')[0] for text in asked(c)} == {f'{SHARES}/detail'}


def test_many_pages_are_all_read(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(max_page=100)
    backup = c.state.add_backup()
    added = [c.state.add_share(backup, f'{n:032x}').id for n in range(250)]
    assert ids(openstack) == added[::-1]
    assert len(asked(c)) == 4
    assert ids(openstack, '--marker', added[2]) == added[1::-1]
    c.clear_log()
    found = ids(openstack, '--limit', '10', '--max-items', '15')
    assert found == added[:-16:-1]
    assert len(asked(c)) == 2


def test_filters_go_to_the_service_and_are_compared_again(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    one = share(c, 'golden', availability_zone='eu-de-02')
    two = share(c, 'golden-2', status='error')
    backup = c.state.backups[one.backup_id]
    for options, query in (
        (('--name', 'golden'), 'name=golden'),
        (('--backup', backup.id), f'backup_id={backup.id}'),
        (('--backup', 'golden'), f'backup_id={backup.id}'),
        (
            ('--target-project', one.to_project_id),
            f'to_project_id={one.to_project_id}',
        ),
        (
            ('--availability-zone', 'eu-de-02'),
            'avalilability_zone=eu-de-02',
        ),
        (('--status', 'available'), 'status=available'),
    ):
        c.clear_log()
        assert ids(openstack, *options) == [one.id]
        assert f'{SHARES}/detail?limit=1000&{query}' in asked(c)
    assert ids(openstack, '--name-contains', 'golden') == [two.id, one.id]
    assert ids(openstack, '--volume', backup.volume_id) == [two.id, one.id]
    assert ids(openstack, '--sort', 'backup_name') == [one.id, two.id]


def test_times_are_those_of_the_sharing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    old = share(c, 'old')
    share(c, 'new')
    old.created_at = c.state.stamp(c.state.now() - timedelta(days=40))
    assert ids(openstack, '--created-before', '30d') == [old.id]


def test_shared_with_me(cloud: CloudFactory, openstack: Openstack) -> None:
    c = cloud()
    share(c, 'own')
    partners = [c.state.add_project(n, member=False) for n in ('a', 'b')]
    one, two = (
        share(c, 'golden', c.state.project, project_id=partner.id)
        for partner in partners
    )
    mine = ('--shared-with-me',)
    assert ids(openstack, *mine) == [two.id, one.id]
    of_a = (*mine, '--source-project', partners[0].id)
    assert ids(openstack, *of_a) == [one.id]
    assert ids(openstack, *mine, '--backup', one.backup_id) == [one.id]
    both = re.compile(
        f'{one.backup_id}.*{two.backup_id}|{two.backup_id}.*{one.backup_id}'
    )
    openstack(*LIST, *mine, '--backup', 'golden', complains=[both])
    openstack(*LIST, *mine, '--backup', 'x', complains=['No shared backup'])
    assert openstack(*LIST, *mine, '--count').stdout == '2\n'


def test_the_service_counts_what_it_compares_exactly(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    share(c, 'golden')
    share(c, 'golden-2')
    assert openstack(*LIST, '--count').stdout == '2\n'
    assert asked(c) == [f'{SHARES}/count']
    c.clear_log()
    exact = openstack(*LIST, '--count', '--name', 'golden')
    assert exact.stdout == '1\n'
    assert not [text for text in asked(c) if '/count' in text]


@pytest.mark.parametrize(
    'options',
    [
        ('--source-project', 'a'),
        ('--target-project-domain', 'a'),
        ('--stuck', '2h'),
    ],
)
def test_what_cannot_be_meant_is_refused(
    cloud: CloudFactory, openstack: Openstack, options: tuple[str, ...]
) -> None:
    c = cloud()
    openstack(*LIST, *options, code=2, complains=[..., 'error: '])
    assert asked(c) == []


def test_clouds_without_sharing_say_so(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    cloud(sharing='absent')
    lists = [LIST, ('vbs', 'backup', 'list', '--shared-with-me')]
    for command in lists:
        for options in ((), ('--count',)):
            openstack(*command, *options, complains=['not share backups'])
    cloud(sharing='forbidden')
    openstack(*LIST, complains=[re.compile('HTTP 403, request req-')])
    cloud(catalog='volumev3')
    openstack(*LIST, complains=['which knows no shares'])


def test_show(cloud: CloudFactory, openstack: Openstack) -> None:
    c = cloud()
    one = share(c, 'golden')
    shown = openstack(*SHOW, one.id, '-f', 'json').json()
    assert list(shown) == [title.lower().replace(' ', '_') for title in LONG]
    assert shown['backup_name'] == 'golden'
    assert asked(c) == [f'{SHARES}/{one.id}']
    c.clear_log()
    openstack(*SHOW, 'golden', complains=["'golden' is not the ID of a share"])
    assert asked(c) == []
    openstack(*SHOW, UNKNOWN, complains=[f"No share found for '{UNKNOWN}'."])


def test_another_share_than_asked_for_is_refused(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    one = share(c, 'golden')
    body = f'{{"shared": {{"id": "{UNKNOWN}", "backup_id": "{UNKNOWN}"}}}}'
    c.knobs.faults.append(Fault('body', 'GET', one.id, body=body))
    openstack(*SHOW, one.id, complains=['another share'])
