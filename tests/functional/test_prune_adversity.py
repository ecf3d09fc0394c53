# SPDX-License-Identifier: Apache-2.0
"""What goes wrong while rules are carried out never deletes too much."""

from datetime import timedelta
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack
from tests.functional.wire import deletes
from tests.sandbox import Fault, Sandbox
from tests.sandbox.model import Backup, Volume

VBS = ('vbs', 'backup', 'prune')
CSBS = ('csbs', 'backup', 'prune')


def add(
    c: Sandbox, days: float, volume: Volume | str | None = None, **more: Any
) -> Backup:
    """A backup so many days old."""
    return c.state.add_backup(
        volume=volume,
        created_at=c.state.now() - timedelta(days=days),
        **more,
    )


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's zone must not matter."""
    monkeypatch.setenv('TZ', 'UTC')


# -- lists that break off --------------------------------------------------


@pytest.mark.parametrize('status', [403, 404])
def test_shares_that_can_be_read_only_in_part_stop_the_run(
    cloud: CloudFactory, openstack: Openstack, status: int
) -> None:
    c = cloud(max_page=2)
    add(c, 1)
    for days in range(2, 8):
        partner = c.state.add_project(f'partner-{days}', member=False)
        c.state.add_share(add(c, days), partner)
    c.knobs.faults.append(
        Fault('status', 'GET', 'sharing', status=status, times=None, skip=1)
    )
    openstack(
        *(*VBS, '--all-volumes', '--keep-last', '1', '--yes'),
        complains=['The list broke off after 2 rows'],
    )
    assert not deletes(c)


@pytest.mark.parametrize('status', [403, 404])
def test_what_csbs_made_stays_where_its_list_breaks_off(
    cloud: CloudFactory, openstack: Openstack, status: int
) -> None:
    c = cloud(max_page=2, versions=('v1', 'v3'), discovery='v3')
    server = c.state.add_server('web01')
    disk = server.volumes[0]
    add(c, 1, disk)
    for days in range(30, 36):
        c.state.add_checkpoint(
            [server], created_at=c.state.now() - timedelta(days=days)
        )
    add(c, 60, disk)
    c.knobs.faults.append(
        Fault('status', 'GET', '_items', status=status, times=None, skip=1)
    )
    result = openstack(
        *(*VBS, '--all-volumes', '--keep-last', '1', '--dry-run'),
        *('-f', 'json'),
        complains=[...],
        code=0,
    )
    assert {row['Action'] for row in result.json()} == {'keep'}
    assert 'broke off after 2 rows' in str(result.json()[1]['Reasons'])


@pytest.mark.parametrize('look', ['first', 'second'])
@pytest.mark.parametrize('status', [400, 401, 403, 404])
def test_a_list_that_breaks_off_deletes_nothing(
    cloud: CloudFactory, openstack: Openstack, status: int, look: str
) -> None:
    c = cloud(max_page=2)
    for days in range(1, 6):
        add(c, days)
    # Two full pages, one with the rest and an empty one.
    skip = 1 if look == 'first' else 5
    c.knobs.faults.append(
        Fault('status', 'GET', 'detail', status=status, times=None, skip=skip)
    )
    openstack(
        *(*VBS, '--all-volumes', '--keep-last', '1', '--yes'),
        complains=[...],
        code=1,
    )
    assert not deletes(c)
