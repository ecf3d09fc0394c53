# SPDX-License-Identifier: Apache-2.0
"""Two services behind the types of VBS: one is chosen, for everything."""

from collections.abc import Callable

import pytest

from tests.functional.shell import Openstack
from tests.real.cinder import Cinder
from tests.real.cloud import Project, RealCloud

Make = Callable[..., Project]


@pytest.fixture
def other(real_cloud: RealCloud) -> Cinder:
    """The service behind ``vbsv2``."""
    return real_cloud.other_cinder()


@pytest.fixture
def both(project: Make, other: Cinder) -> Project:
    """A project whose catalog has ``vbsv3`` and ``vbsv2``."""
    return project('vbsv3', 'vbsv2')


def test_prune_deletes_where_it_has_read(
    both: Project, openstack: Openstack, other: Cinder
) -> None:
    volume = both.volume()
    full, *rest = both.chain(volume, 'nightly', increments=1)
    second = both.backup(volume, 'full')
    with both.at(other):
        theirs = set(both.chain(both.volume(), 'theirs'))

    done = openstack(
        *('vbs', 'backup', 'prune', '--volume', volume, '--keep-last', '1'),
        *('--yes', '--wait'),
    )

    assert 'Deleted: 2, kept: 1' in done.stdout
    assert both.statuses() == {second: 'available'}
    with both.at(other):
        assert set(both.statuses()) == theirs
    assert {full, *rest}.isdisjoint(both.statuses())


def test_what_the_other_one_has_is_not_there(
    both: Project, openstack: Openstack, other: Cinder
) -> None:
    with both.at(other):
        theirs = both.backup(both.volume(), 'theirs')

    openstack(
        *('vbs', 'backup', 'delete', theirs),
        complains=[
            f"No backup found for '{theirs}'",
            '1 of 1 backups failed to delete.',
        ],
    )

    with both.at(other):
        assert both.statuses() == {theirs: 'available'}


@pytest.mark.parametrize('options', [(), ('--long',)])
def test_both_lists_show_the_same(
    both: Project, openstack: Openstack, options: tuple[str, ...]
) -> None:
    mine = both.backup(both.volume(), 'mine')

    rows = openstack('vbs', 'backup', 'list', *options, '-f', 'json').json()

    assert [row['ID'] for row in rows] == [mine]
