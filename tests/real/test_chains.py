# SPDX-License-Identifier: Apache-2.0
"""Backups on which others build: Cinder deletes only the last of them."""

import re
from collections.abc import Callable

import pytest

from tests.functional.shell import Openstack
from tests.real.cloud import Project

Make = Callable[..., Project]

DELETE = ('vbs', 'backup', 'delete')
CHAINED = 'Invalid backup: Incremental backups exist for this backup'


@pytest.mark.parametrize('options', [(), ('--wait',)], ids=['', 'wait'])
@pytest.mark.parametrize('order', [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_chain_named_in_any_order(
    project: Make,
    openstack: Openstack,
    options: tuple[str, ...],
    order: tuple[int, ...],
) -> None:
    cinder = project()
    ids = cinder.chain(cinder.volume(), 'nightly')

    openstack(*DELETE, *options, *(ids[place] for place in order))

    if options:
        assert cinder.statuses() == {}
    cinder.await_empty()


def test_chains_of_two_volumes_go_side_by_side(
    project: Make, openstack: Openstack
) -> None:
    cinder = project('volumev3')
    chains = [cinder.chain(cinder.volume(), name) for name in ('a', 'b')]
    oldest_first = [id for links in zip(*chains, strict=True) for id in links]

    openstack(*DELETE, '--wait', *oldest_first)

    assert cinder.statuses() == {}


@pytest.mark.parametrize('options', [(), ('--wait',)], ids=['', 'wait'])
def test_a_dependant_that_was_not_named(
    project: Make, openstack: Openstack, options: tuple[str, ...]
) -> None:
    cinder = project()
    full, middle, last = cinder.chain(cinder.volume(), 'nightly')

    refused = openstack(
        *DELETE,
        *options,
        full,
        middle,
        complains=[
            re.compile(f'{full}.*{CHAINED}.*nightly-2.*{last}'),
            re.compile(f'{middle}.*{CHAINED}.*nightly-2.*{last}'),
            '2 of 2 backups failed to delete.',
        ],
    )

    assert refused.stdout == ''
    assert set(cinder.statuses()) == {full, middle, last}
    assert set(cinder.statuses().values()) == {'available'}


def test_a_branch_leaves_the_rest_of_the_chain(
    project: Make, openstack: Openstack
) -> None:
    cinder = project()
    full, *increments = cinder.chain(cinder.volume(), 'nightly')

    openstack(*DELETE, '--wait', *increments)

    assert cinder.statuses() == {full: 'available'}


def test_a_dry_run_tells_the_order(
    project: Make, openstack: Openstack
) -> None:
    cinder = project()
    volume = cinder.volume()
    ids = cinder.chain(volume, 'nightly')

    rows = openstack(*DELETE, '--dry-run', *ids, '-f', 'json').json()

    assert [(row['ID'], row['Detail']) for row in rows] == [
        (id, f'{place} of 3 of volume {volume}, youngest first')
        for id, place in zip(ids, (3, 2, 1), strict=True)
    ]
    assert set(cinder.statuses()) == set(ids)
