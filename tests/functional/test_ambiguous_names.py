# SPDX-License-Identifier: Apache-2.0
"""Volumes and servers of one name: each is shown, and none is guessed."""

import re

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack
from tests.functional.wire import deletes
from tests.sandbox import Fault
from vbsclient.wording import moment

LIST = ('vbs', 'backup', 'list')
PRUNE = ('backup', 'prune', '--keep-last', '1', '--timezone', 'UTC', '--yes')


@pytest.mark.parametrize('command', [LIST, ('vbs', *PRUNE)])
def test_volumes_of_one_name_are_distinguished(
    cloud: CloudFactory, openstack: Openstack, command: tuple[str, ...]
) -> None:
    c = cloud(catalog='vbs+volumev3')
    one = c.state.add_volume('data', 20)
    other = c.state.add_volume('data', 500, status='in-use')
    near = c.state.add_volume('data2')
    for volume in (one, other):
        for _ in range(2):
            c.state.add_backup(volume=volume)
    result = openstack.run(*command, '--volume', 'data', audited=False)
    assert result.code == 1
    assert (
        "More than one volume exists with the name 'data': " in result.stderr
    )
    assert re.search(
        rf'{one.id} \(available, 20 GB, {moment(one.created_at)}\)',
        result.stderr,
    )
    assert re.search(
        rf'{other.id} \(in-use, 500 GB, {moment(other.created_at)}\)',
        result.stderr,
    )
    assert near.id not in result.stderr
    assert result.stderr.endswith('. Name the one you mean by its ID.\n')
    assert deletes(c) == []


@pytest.mark.parametrize(
    'command',
    [LIST, ('vbs', *PRUNE), ('csbs', 'backup', 'list'), ('csbs', *PRUNE)],
)
def test_servers_of_one_name_are_distinguished(
    cloud: CloudFactory, openstack: Openstack, command: tuple[str, ...]
) -> None:
    c = cloud()
    one = c.state.add_server('web01')
    other = c.state.add_server('web01', status='SHUTOFF')
    near = c.state.add_server('web011')
    for _ in range(2):
        c.state.add_checkpoint([one, other])
    result = openstack.run(*command, '--server', 'web01', audited=False)
    assert result.code == 1
    assert (
        "More than one server exists with the name 'web01': " in result.stderr
    )
    assert re.search(
        rf'{one.id} \(ACTIVE, {moment(one.created_at)}, {one.address}\)',
        result.stderr,
    )
    assert re.search(
        rf'{other.id} \(SHUTOFF, {moment(other.created_at)}, '
        rf'{other.address}\)',
        result.stderr,
    )
    assert near.id not in result.stderr
    assert result.stderr.endswith('. Name the one you mean by its ID.\n')
    assert deletes(c) == []


def test_candidates_that_may_not_be_listed(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(catalog='vbs+volumev3')
    for _ in range(2):
        c.state.add_volume('data')
    c.knobs.faults.append(
        Fault('status', 'GET', '/volumes/detail', status=403)
    )
    result = openstack.run(*LIST, '--volume', 'data', audited=False)
    assert result.code == 1
    assert result.stderr == (
        "The volume 'data' could not be looked up (HTTP 403): give its ID "
        'instead of its name.\n'
    )
