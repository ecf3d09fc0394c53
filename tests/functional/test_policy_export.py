# SPDX-License-Identifier: Apache-2.0
"""``export --cbr`` of the policies of both services."""

import shlex

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.reading import only_gets
from tests.functional.shell import Openstack
from tests.functional.wire import requests
from tests.sandbox.plans import pattern

__all__ = ['only_gets']

pytestmark = pytest.mark.usefixtures('only_gets')

VBS = ('vbs', 'backup', 'policy', 'export', '--cbr')
CSBS = ('csbs', 'policy', 'export', '--cbr')
ONLY = (
    'Only the schedule and what is kept are in the command. CBR backs up what '
    'is in a vault, and the vault has the policy.'
)


def test_a_policy_of_vbs_is_a_line_for_a_shell(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    c.state.volume_policies.add(
        c.project_id,
        'weekly',
        start_time='22:00',
        week_frequency=['MON'],
        frequency=None,
        rentention_num=10,
        time_zone='UTC+02:00',
    )
    said = openstack(*VBS, 'weekly', complains=[ONLY], code=0)
    assert shlex.split(said.stdout) == [
        *('openstack', 'cbr', 'policy', 'create', '--pattern'),
        # Monday there begins on Sunday here.
        'FREQ=WEEKLY;BYDAY=SU;BYHOUR=22;BYMINUTE=00',
        *('--max-backups=10', 'weekly'),
    ]
    assert said.stdout.count('\n') == 1


def test_a_policy_of_csbs_is_taken_as_utc_and_that_is_said(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    plan = c.state.add_plan(
        'nightly',
        schedule=pattern('FREQ=DAILY;BYHOUR=1,13;BYMINUTE=30'),
        definition={
            'max_backups': 7,
            'week_backups': 4,
            'timezone': 'UTC+01:00',
        },
    )
    said = openstack(
        *CSBS, plan.id, complains=['taken as UTC', ONLY], code=0
    ).stdout
    assert shlex.split(said)[4:] == [
        *('--pattern', 'FREQ=DAILY;INTERVAL=1;BYHOUR=01;BYMINUTE=30'),
        *('--pattern', 'FREQ=DAILY;INTERVAL=1;BYHOUR=13;BYMINUTE=30'),
        *('--max-backups=7', '--week-backups=4', '--timezone=UTC+01:00'),
        'nightly',
    ]


def test_what_cbr_does_not_have_is_refused(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    policy = c.state.volume_policies.add(
        c.project_id,
        'nightly',
        frequency=2,
        remain_first_backup_of_curMonth='Y',
    )
    said = openstack(
        *VBS,
        'nightly',
        complains=[
            f'CBR cannot have the policy nightly ({policy.id}) as it is: VBS '
            f'counts each 2 days from day 1 of a month, and CBR does not; CBR '
            f'does not keep the first backup of the current month.'
        ],
    )
    assert (said.code, said.stdout) == (1, '')


@pytest.mark.parametrize('command', [VBS, CSBS])
def test_a_policy_that_does_not_exist(
    cloud: CloudFactory, openstack: Openstack, command: tuple[str, ...]
) -> None:
    cloud()
    said = openstack(*command, 'x', complains=["No policy found for 'x'."])
    assert said.code == 1


@pytest.mark.parametrize('command', [VBS, CSBS])
def test_the_format_has_to_be_said(
    cloud: CloudFactory, openstack: Openstack, command: tuple[str, ...]
) -> None:
    c = cloud()
    openstack(*command[:-1], 'x', complains=[..., '--cbr'], code=2)
    assert requests(c) == []
