# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs quota show`` and ``openstack csbs quota show``."""

import json

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.reading import asked, only_gets
from tests.functional.shell import Openstack
from tests.sandbox import Fault

__all__ = ['only_gets']

pytestmark = pytest.mark.usefixtures('only_gets')

VBS = ('vbs', 'quota', 'show')
CSBS = ('csbs', 'quota', 'show')


@pytest.mark.parametrize('discovery', ['none-json', 'both'])
def test_vbs(
    cloud: CloudFactory, openstack: Openstack, discovery: str
) -> None:
    c = cloud(discovery=discovery)
    c.state.add_backup(size=20)
    assert openstack(*VBS, '-f', 'json').json() == [
        {'Resource': 'backups', 'Limit': 100, 'In Use': 1, 'Reserved': 0},
        {
            'Resource': 'backup_gigabytes',
            'Limit': -1,
            'In Use': 20,
            'Reserved': 0,
        },
    ]
    assert asked(c) == ['/vbs/v2/{P}/cloudbackups/quota']
    assert 'unlimited' in openstack(*VBS).stdout


def test_csbs(cloud: CloudFactory, openstack: Openstack) -> None:
    c = cloud()
    c.state.add_checkpoint()
    assert openstack(*CSBS, '-f', 'json').json() == [
        {
            'Resource': 'backup_capacity',
            'Limit': -1,
            'In Use': 10,
            'Unit': 'GB',
        },
        {'Resource': 'backups', 'Limit': 40, 'In Use': 1, 'Unit': None},
    ]
    assert asked(c) == ['/csbs/v1/{P}/quotas']
    assert 'unlimited' in openstack(*CSBS).stdout


def test_a_type_with_a_blank_in_it_is_read(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    resources = [{'type': 'backup_ gigabytes', 'used': 1, 'quota': 2}]
    body = json.dumps({'quotas': {'resources': resources}})
    c.knobs.faults.append(Fault('body', 'GET', 'quota', body=body))
    (row,) = openstack(*VBS, '-f', 'json').json()
    assert row['Resource'] == 'backup_gigabytes'
    assert row['Reserved'] is None


@pytest.mark.parametrize('command', [VBS, CSBS])
def test_an_answer_without_quotas_is_one_sentence(
    cloud: CloudFactory, openstack: Openstack, command: tuple[str, ...]
) -> None:
    c = cloud()
    c.knobs.faults.append(Fault('body', 'GET', 'quota', body='{}'))
    openstack(*command, complains=['without a list of quotas'])


def test_clouds_without_the_service_say_so(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    cloud(catalog='volumev3', csbs_catalog=None)
    openstack(*VBS, complains=['no VBS, only block storage'])
    openstack(*CSBS, complains=['has no CSBS'])


def test_an_endpoint_without_quotas_says_so(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    """Such as a Cinder that the catalog calls vbs, or a Karbor."""
    cloud(versions=('v3',), discovery='v3')
    openstack(*VBS, complains=['This cloud has no quotas of VBS.'])
    c = cloud()
    c.knobs.faults.append(Fault('status', 'GET', 'quotas', status=404))
    openstack(*CSBS, complains=['This cloud has no quotas of CSBS.'])


def test_a_refusal_is_one_sentence_with_the_request_id(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    c.knobs.faults.append(Fault('status', 'GET', 'quota', status=403))
    openstack(*VBS, complains=['HTTP 403, request req-'])
