# SPDX-License-Identifier: Apache-2.0
"""Which endpoint of the catalog is taken, and what is said if none fits."""

from collections.abc import Callable

import pytest

from tests.functional.reading import only_gets
from tests.functional.shell import Openstack
from tests.functional.wire import UNKNOWN
from tests.real.cloud import OTHER_REGION, Project
from tests.real.keystone import REGION

__all__ = ['only_gets']

Make = Callable[..., Project]

LIST = ('vbs', 'backup', 'list')
DELETE = ('vbs', 'backup', 'delete')


@pytest.mark.parametrize(
    'command', [LIST, (*DELETE, 'nightly'), (*DELETE, UNKNOWN)]
)
def test_cinder_serves_no_v2(
    project: Make, openstack: Openstack, command: tuple[str, ...]
) -> None:
    """Never silently v3 in place of what was asked for."""
    project()

    openstack(
        '--os-vbs-api-version',
        '2',
        *command,
        complains=['The endpoint serves no backups in v2'],
    )


@pytest.mark.parametrize('version', ['3', 'auto'])
def test_cinder_serves_v3(
    project: Make, openstack: Openstack, version: str
) -> None:
    cinder = project()
    cinder.backup(cinder.volume(), 'only')

    rows = openstack(
        '--os-vbs-api-version', version, *LIST, '-f', 'json'
    ).json()

    assert [row['Name'] for row in rows] == ['only']


def test_an_endpoint_of_ones_own(project: Make, openstack: Openstack) -> None:
    cinder = project('identity')
    cinder.backup(cinder.volume(), 'only')
    url = f'{cinder.cloud.cinder.url}/v3/%(project_id)s'

    rows = openstack(
        *LIST, '-f', 'json', config={'vbs_endpoint_override': url}
    ).json()

    assert [row['Name'] for row in rows] == ['only']


@pytest.mark.parametrize('command', [LIST, (*DELETE, UNKNOWN)])
def test_a_region_that_has_no_endpoint(
    project: Make, openstack: Openstack, command: tuple[str, ...]
) -> None:
    project()

    openstack(
        *command,
        config={'region_name': OTHER_REGION},
        complains=[
            f'The catalog offers vbs in {REGION}, not in the region '
            f'{OTHER_REGION}.'
        ],
    )


@pytest.mark.parametrize('command', [LIST, (*DELETE, UNKNOWN)])
def test_two_regions_and_none_is_chosen(
    project: Make, openstack: Openstack, command: tuple[str, ...]
) -> None:
    project(regions=(REGION, OTHER_REGION))

    openstack(
        *command,
        config={'region_name': None},
        complains=[f'in several regions ({REGION}, {OTHER_REGION})'],
    )


@pytest.mark.parametrize('command', [LIST, (*DELETE, UNKNOWN)])
def test_a_catalog_without_block_storage(
    project: Make, openstack: Openstack, command: tuple[str, ...]
) -> None:
    project('identity')

    openstack(*command, complains=['This cloud has no VBS'])


@pytest.mark.parametrize(
    ('command', 'noun'),
    [
        (('vbs', 'share', 'list'), 'shares'),
        (('vbs', 'quota', 'show'), 'quota'),
    ],
)
def test_block_storage_has_nothing_of_the_vendor(
    project: Make, openstack: Openstack, command: tuple[str, ...], noun: str
) -> None:
    project('volumev3')

    told = openstack(
        *command,
        complains=['This cloud has no VBS, only block storage (volumev3)'],
    )

    assert noun in told.stderr


@pytest.mark.usefixtures('only_gets')
def test_a_vbs_without_shares_and_quotas(
    project: Make, openstack: Openstack
) -> None:
    project('vbs')

    openstack(
        *('vbs', 'share', 'list'),
        complains=['This cloud does not share backups.'],
    )
    openstack(
        *('vbs', 'quota', 'show'),
        complains=['This cloud has no quotas of VBS.'],
    )


@pytest.mark.parametrize(
    'command',
    [
        ('csbs', 'backup', 'list'),
        ('csbs', 'checkpoint', 'list'),
        ('csbs', 'quota', 'show'),
        ('csbs', 'backup', 'delete', UNKNOWN),
        ('csbs', 'checkpoint', 'delete', UNKNOWN),
    ],
)
def test_a_cloud_without_csbs(
    project: Make, openstack: Openstack, command: tuple[str, ...]
) -> None:
    project()

    openstack(*command, complains=['This cloud has no CSBS'])
