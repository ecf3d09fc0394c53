# SPDX-License-Identifier: Apache-2.0
"""``list`` and ``show`` on what Cinder answers."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.functional.reading import only_gets
from tests.functional.shell import Openstack
from tests.functional.wire import UNKNOWN
from tests.real.cloud import Project

__all__ = ['only_gets']

pytestmark = pytest.mark.usefixtures('only_gets')

Make = Callable[..., Project]

LIST = ('vbs', 'backup', 'list')
SHOW = ('vbs', 'backup', 'show')
CATALOGS = [('vbs', 'volumev3'), ('volumev3',), ('block-storage',)]


@pytest.fixture(params=CATALOGS, ids='+'.join)
def cinder(request: pytest.FixtureRequest, project: Make) -> Project:
    """A project in each of the catalogs in which Cinder may be found."""
    return project(*request.param)


def names(openstack: Openstack, *options: str, **how: Any) -> list[str]:
    rows = openstack(*LIST, *options, '-f', 'json', **how).json()
    return [row['Name'] for row in rows]


def test_a_chain_is_listed_and_shown(
    cinder: Project, openstack: Openstack
) -> None:
    volume = cinder.volume()
    full, increment = cinder.chain(volume, 'nightly', increments=1)

    rows = openstack(*LIST, '--long', '-f', 'json').json()

    assert [(row['ID'], row['Name'], row['Status']) for row in rows] == [
        (increment, 'nightly-1', 'available'),
        (full, 'nightly-0', 'available'),
    ]
    assert {(row['Volume'], row['Size']) for row in rows} == {(volume, 1)}
    for argument in (full, 'nightly-0'):
        shown = openstack(*SHOW, argument, '-f', 'json').json()
        assert (shown['id'], shown['volume']) == (full, volume)
        assert shown['source'] == 'VBS'


@pytest.mark.parametrize(
    ('types', 'expected'),
    [
        (('volumev3',), ['incremental', 'full']),
        # VBS says the same of both, so that what it says counts for nothing.
        (('vbs',), [None, None]),
    ],
)
def test_block_storage_tells_what_is_incremental(
    project: Make,
    openstack: Openstack,
    types: tuple[str, ...],
    expected: list[str | None],
) -> None:
    cinder = project(*types)
    cinder.chain(cinder.volume(), 'nightly', increments=1)

    rows = openstack(*LIST, '-c', 'Type', '-f', 'json').json()

    assert [row['Type'] for row in rows] == expected


def test_filters_sort_and_count(cinder: Project, openstack: Openstack) -> None:
    disk, other = cinder.volume('disk'), cinder.volume('other')
    cinder.backup(disk, 'nightly-1')
    cinder.backup(disk, 'weekly')
    cinder.backup(other, 'nightly-2')

    assert names(openstack, '--name', 'weekly') == ['weekly']
    assert names(openstack, '--name', 'nightly') == []
    assert names(openstack, '--volume', other) == ['nightly-2']
    assert names(openstack, '--status', 'error') == []
    assert names(openstack, '--sort', 'name') == [
        'nightly-1',
        'nightly-2',
        'weekly',
    ]
    assert names(openstack, '--sort', 'created_at:desc') == [
        'nightly-2',
        'weekly',
        'nightly-1',
    ]
    assert openstack(*LIST, '--count').stdout == '3\n'
    assert openstack(*LIST, '--count', '--volume', disk).stdout == '2\n'


def test_a_part_of_a_name_is_looked_for_here(
    cinder: Project, openstack: Openstack
) -> None:
    """Cinder refuses the search unless its operator has allowed it."""
    volume = cinder.volume()
    for name in ('nightly-1', 'weekly', 'nightly-2'):
        cinder.backup(volume, name)

    nightly = ('--name-contains', 'nightly')

    assert names(openstack, *nightly) == ['nightly-2', 'nightly-1']
    assert openstack(*LIST, *nightly, '--count').stdout == '2\n'


def test_volumes_are_found_by_name(
    project: Make, openstack: Openstack
) -> None:
    cinder = project()
    disk, other = cinder.volume('disk'), cinder.volume('other')
    cinder.backup(disk, 'of-disk')
    cinder.backup(other, 'of-other')

    assert names(openstack, '--volume', 'other') == ['of-other']
    openstack(
        *LIST, '--volume', 'third', complains=["No volume found for 'third'"]
    )


def test_pages_follow_one_another(
    cinder: Project, openstack: Openstack
) -> None:
    volume = cinder.volume()
    for number in range(5):
        cinder.backup(volume, f'b{number}')
    newest_first = ['b4', 'b3', 'b2', 'b1', 'b0']

    assert names(openstack, '--limit', '2') == newest_first
    assert names(openstack, '--limit', '1') == newest_first
    assert names(openstack, '--limit', '2', '--marker', 'b3') == [
        'b2',
        'b1',
        'b0',
    ]
    assert names(openstack, '--max-items', '2') == newest_first[:2]


def test_what_is_not_there(cinder: Project, openstack: Openstack) -> None:
    assert names(openstack) == []
    for argument in ('nightly', UNKNOWN):
        openstack(
            *SHOW, argument, complains=[f"No backup found for '{argument}'"]
        )
