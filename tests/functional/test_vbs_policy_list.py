# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs backup policy list``, ``show`` and ``task list``."""

import re
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.reading import asked, only_gets
from tests.functional.shell import Openstack
from tests.functional.wire import UNKNOWN, names_read, requests
from tests.sandbox import Fault, Sandbox
from tests.sandbox.volume_policies import FAIL, SKIP, SUCCESS

__all__ = ['only_gets']

pytestmark = pytest.mark.usefixtures('only_gets')

POLICY = ('vbs', 'backup', 'policy')
LIST = (*POLICY, 'list')
SHOW = (*POLICY, 'show')
TASKS = (*POLICY, 'task', 'list')
ROUTE = '/vbs/v2/{P}/backuppolicy'

#: A contract with scripts.
COLUMNS = [
    *('ID', 'Name', 'Enabled', 'Schedule', 'Retention', 'Volumes'),
    'Next Run',
]
FIELDS = [
    *('id', 'name', 'enabled', 'schedule', 'retention', 'volumes'),
    *('time_zone', 'seen_volumes', 'next_runs', 'remarks', 'raw'),
]
TASK_COLUMNS = [
    *('ID', 'Status', 'Volume', 'Backup Name', 'Created At'),
    *('Finished At', 'Job', 'Volume Name'),
]


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This machine is in another time zone."""
    with monkeypatch.context() as patch:
        patch.setenv('TZ', 'Europe/Berlin')
        time.tzset()
        yield
    time.tzset()


def add(c: Sandbox, name: str = 'nightly', *volumes: Any, **more: Any) -> Any:
    return c.state.volume_policies.add(c.project_id, name, *volumes, **more)


def task(c: Sandbox, policy: Any, volume: Any, **more: Any) -> Any:
    status = more.pop('status', SUCCESS)
    days = more.pop('days', 0)
    created_at = c.state.now() - timedelta(days=days)
    return c.state.volume_policies.add_task(
        policy, volume.id, status, created_at=created_at, **more
    )


def rows(openstack: Openstack, *command: str, **more: Any) -> Any:
    return openstack(*command, '-f', 'json', **more).json()


# -- list ------------------------------------------------------------------


def test_all_policies_with_one_request(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    policy = add(
        c,
        'weekly',
        c.state.add_volume('data'),
        frequency=0,
        week_frequency=['MON', 'THU'],
        start_time='22:00',
        time_zone='UTC+02:00',
    )
    default, row = rows(openstack, *LIST)
    assert list(row) == COLUMNS
    assert requests(c)[1:] == [f'GET {ROUTE}']
    next_run = datetime.fromisoformat(row.pop('Next Run'))
    assert (next_run.hour, next_run.utcoffset()) == (22, timedelta(0))
    # The evening before, in UTC.
    assert next_run.strftime('%a') in ('Sun', 'Wed')
    assert row == {
        'ID': policy.id,
        'Name': 'weekly',
        'Enabled': True,
        'Schedule': {
            'at': ['00:00'],
            'every_days': None,
            'on': ['mon', 'thu'],
            'zone': 'UTC+02:00',
            'raw': None,
        },
        'Retention': {
            'last': 7,
            'days': None,
            'daily': None,
            'weekly': None,
            'monthly': None,
            'yearly': None,
            'forever': False,
            'first_of_month': False,
            'timezone': None,
        },
        'Volumes': 1,
    }
    assert default['Enabled'] is False
    assert default['Next Run'] is None
    [*_, long] = rows(openstack, *LIST, '--long')
    assert list(long) == [*COLUMNS, 'Time Zone']
    assert long['Time Zone'] == 'UTC+02:00'


def test_a_table_has_sentences(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    add(cloud(), frequency=3, start_time='01:00,13:00', rentention_num=10)
    table = openstack(*LIST).stdout
    assert '| every 3 days at 01:00 and 13:00 (UTC) | keep the last 10 |' in (
        table
    )
    # Nobody says from where the days are counted.
    assert re.search(r'\| about \d{4}-\d\d-\d\d \d\d:00 UTC \|', table)
    assert len(table.splitlines()) == 6


def test_they_are_sorted_and_counted_here(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    for name in ('b', 'c', 'a'):
        add(c, name)
    names = ('-c', 'Name', '-f', 'value')
    listed = openstack(*LIST, *names).stdout.split()
    assert listed == ['DefaultPolicy', 'b', 'c', 'a']
    wanted = ('--sort', 'name:desc', '--max-items', '2')
    assert openstack(*LIST, *wanted, *names).stdout.split() == ['c', 'b']
    assert openstack(*LIST, '--count').stdout == '4\n'
    assert openstack(*LIST, '--sort', 'next_run').stdout


@pytest.mark.parametrize(
    ('body', 'unknown'),
    [
        ({}, {'Enabled', 'Schedule', 'Retention'}),
        ({'scheduled_policy': None}, {'Enabled', 'Schedule', 'Retention'}),
        (
            {'scheduled_policy': {'status': 'ON', 'start_time': []}},
            {'Schedule', 'Retention'},
        ),
        (
            {
                'scheduled_policy': {
                    'status': 'PAUSED',
                    'start_time': '02:00',
                    'frequency': 1,
                    'rentention_num': '7',
                }
            },
            {'Enabled'},
        ),
    ],
)
def test_what_cannot_be_read_is_null(
    cloud: CloudFactory,
    openstack: Openstack,
    body: dict[str, Any],
    unknown: set[str],
) -> None:
    c = cloud()
    policies = c.state.volume_policies
    policies.add_body(c.project_id, {'backup_policy_name': 'x', **body})
    [*_, row] = rows(openstack, *LIST)
    assert (row['Name'], row['Volumes']) == ('x', 0)
    assert {k for k, v in row.items() if v is None} == {*unknown, 'Next Run'}
    shown = rows(openstack, *SHOW, 'x')
    assert shown['next_runs'] is None
    assert len(shown['remarks']) == len(unknown)


def test_keys_with_blanks_are_read(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(policy_blank_keys=True)
    add(c)
    shown = rows(openstack, *SHOW, 'nightly')
    assert shown['schedule']['at'] == ['12:00']
    assert shown['raw']['scheduled_policy']['start_time'] == '12:00'


def test_block_storage_alone_has_none(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    cloud(catalog='volumev3', csbs_catalog=None)
    for command in (LIST, (*SHOW, 'x'), (*TASKS, 'x')):
        openstack(*command, complains=['which knows no backup policies'])


# -- show ------------------------------------------------------------------


def test_one_is_shown_with_what_its_tasks_tell(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(catalog='vbs+volumev3')
    data, log = (c.state.add_volume(name) for name in ('data', 'log'))
    policy = add(c, 'nightly', data)
    task(c, policy, log, days=2)
    task(c, policy, data, days=2)
    last = task(c, policy, data, days=1, status=FAIL)
    shown = rows(openstack, *SHOW, 'nightly', '--runs', '2')
    assert list(shown) == FIELDS
    assert shown['volumes'] == 1
    assert shown['seen_volumes'][0] == {
        'id': data.id,
        'name': 'data',
        'last_status': FAIL,
        'last_run': f'{last.created_at}+00:00',
    }
    assert [one['id'] for one in shown['seen_volumes']] == [data.id, log.id]
    assert len(shown['next_runs']) == 2
    first, second = map(datetime.fromisoformat, shown['next_runs'])
    assert second - first == timedelta(days=1)
    assert shown['remarks'] == []
    assert shown['raw']['backup_policy_id'] == policy.id
    table = openstack(*SHOW, policy.id.upper()).stdout
    assert f'data ({data.id}, EXECUTE_FAIL 2' in table
    assert 'raw' not in table
    assert (
        '"rentention_num": 7'
        in openstack(*SHOW, policy.id, '-c', 'raw').stdout
    )


@pytest.mark.usefixtures('in_berlin')
def test_the_runs_are_told_in_utc_and_local_time(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    add(cloud(), start_time='22:00', time_zone='UTC+02:00')
    table = openstack(*SHOW, 'nightly', '--runs', '30').stdout
    assert 'every day at 00:00 (UTC+02:00)' in table
    runs = re.findall(
        r'(...) (\S+) 22:00 UTC \((...) 00:00 UTC\+02:00\)', table
    )
    assert len(runs) == 30
    for day, date, local in runs:
        at = datetime.fromisoformat(date)
        assert at.strftime('%a') == day
        assert local == (at + timedelta(days=1)).strftime('%a')


def test_only_what_is_shown_is_asked_for(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(catalog='vbs+volumev3')
    add(c)
    openstack(*SHOW, 'nightly', '-c', 'next_runs')
    assert asked(c) == [ROUTE]
    assert names_read(c) == []


def test_tasks_that_cannot_be_read_are_unknown(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    add(c)
    c.knobs.faults.append(Fault('status', 'GET', 'backuptasks', status=403))
    shown = rows(
        openstack,
        *(*SHOW, 'nightly'),
        complains=['The tasks of the policy cannot be read: '],
        code=0,
    )
    assert shown['seen_volumes'] is None
    assert shown['next_runs']


@pytest.mark.parametrize('command', [SHOW, TASKS])
@pytest.mark.parametrize(
    ('named', 'told'),
    [
        ('nightli', "No policy found for 'nightli'. Did you mean 'nightly'?"),
        (UNKNOWN, f"No policy found for '{UNKNOWN}'."),
        ('twice', re.compile("More than one policy .*'twice': .*1 volume.*;")),
        ('', 'An empty text names no policy.'),
    ],
)
def test_what_is_no_policy_or_several(
    cloud: CloudFactory,
    openstack: Openstack,
    command: tuple[str, ...],
    named: str,
    told: Any,
) -> None:
    c = cloud()
    add(c, 'nightly')
    for _ in range(2):
        add(c, 'twice', c.state.add_volume('x'))
    openstack(*command, named, complains=[told])
    assert asked(c) == ([ROUTE] if named else [])


@pytest.mark.parametrize('number', ['0', '-1', '1001', 'x', ''])
def test_how_many_runs_may_be_shown(
    cloud: CloudFactory, openstack: Openstack, number: str
) -> None:
    c = cloud()
    openstack(*SHOW, f'--runs={number}', 'x', complains=[...], code=2)
    assert requests(c) == []


# -- tasks -----------------------------------------------------------------


def test_tasks_are_listed(cloud: CloudFactory, openstack: Openstack) -> None:
    c = cloud(catalog='vbs+volumev3')
    data = c.state.add_volume('data')
    policy = add(c, 'nightly', data)
    old = task(c, policy, data, days=2)
    new = task(c, policy, data, backup_name='autobk_1', vbs_job_id='f' * 32)
    found = rows(openstack, *TASKS, 'nightly')
    assert [row['ID'] for row in found] == [new.id, old.id]
    assert [list(row) for row in found] == [TASK_COLUMNS] * 2
    assert found[0] == {
        'ID': new.id,
        'Status': SUCCESS,
        'Volume': data.id,
        'Backup Name': 'autobk_1',
        'Created At': f'{new.created_at}+00:00',
        'Finished At': f'{new.created_at}+00:00',
        'Job': 'f' * 32,
        'Volume Name': 'data',
    }
    assert '| data ' in openstack(*TASKS, policy.id).stdout


def test_tasks_are_selected(cloud: CloudFactory, openstack: Openstack) -> None:
    c = cloud(catalog='vbs+volumev3')
    data, log = (c.state.add_volume(name) for name in ('data', 'log'))
    policy = add(c, 'nightly', data, log)
    made = {
        status: task(c, policy, volume, days=days, status=status).id
        for days, (status, volume) in enumerate(
            [(SKIP, data), (FAIL, log), (SUCCESS, data)]
        )
    }

    def select(*options: str) -> list[str]:
        ids = ('-f', 'value', '-c', 'ID')
        found = openstack(*TASKS, 'nightly', *options, *ids).stdout.split()
        return [status for status, id in made.items() if id in found]

    assert select() == [SKIP, FAIL, SUCCESS]
    assert select('--status', 'execute_fail') == [FAIL]
    assert 'status=EXECUTE_FAIL' in requests(c)[-1]
    assert select('--status', FAIL, '--status', SKIP) == [SKIP, FAIL]
    assert select('--volume', 'data') == [SKIP, SUCCESS]
    assert select('--volume', log.id.upper()) == [FAIL]
    assert select('--since', '36h') == [SKIP, FAIL]
    assert select('--max-items', '1') == [SKIP]
    assert select('--sort', 'created_at', '--max-items', '1') == [SUCCESS]
    assert openstack(*TASKS, 'nightly', '--count').stdout == '3\n'


def test_all_pages_of_tasks_are_read_from_a_marker_on(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(max_page=20)
    data = c.state.add_volume('data')
    policy = add(c, 'nightly', data)
    ids = [task(c, policy, data).id for _ in range(50)][::-1]
    value = ('-f', 'value', '-c', 'ID')
    assert openstack(*TASKS, 'nightly', *value).stdout.split() == ids
    after = openstack(*TASKS, 'nightly', '--marker', ids[29], *value)
    assert after.stdout.split() == ids[30:]
    openstack(
        *(*TASKS, 'nightly', '--marker', 'x'),
        complains=["Marker 'x' not found."],
    )


def test_a_time_to_come_selects_no_task(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    add(cloud())
    openstack(
        *(*TASKS, 'nightly', '--since', '2199-01-01'),
        complains=['--since 2199-01-01 00:00 UTC is in the future'],
        code=0,
    )


@pytest.mark.parametrize(
    'options', [('--status', 'FAILED'), ('--since', '5'), ('--since', '5m')]
)
def test_what_no_task_can_have_is_a_usage_error(
    cloud: CloudFactory, openstack: Openstack, options: tuple[str, ...]
) -> None:
    c = cloud()
    openstack(*TASKS, *options, 'nightly', complains=[...], code=2)
    assert requests(c) == []


# -- the backups of a policy -----------------------------------------------


def test_backups_are_selected_by_the_tasks_of_their_policy(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    data, log = (c.state.add_volume(name) for name in ('data', 'log'))
    nightly, weekly = add(c, 'nightly', data), add(c, 'weekly', log)
    for policy, volume, name in (
        (nightly, data, 'autobk_1'),
        (weekly, log, 'autobk_2'),
    ):
        c.state.add_backup(name, volume)
        task(c, policy, volume, backup_name=name)
    # The same name, of another volume: names are not unique.
    c.state.add_backup('autobk_1', log)
    c.state.add_backup('by-hand', data)

    def select(*options: str) -> list[tuple[str, str]]:
        found = rows(openstack, 'vbs', 'backup', 'list', *options)
        return [(row['Name'], row['Volume']) for row in found]

    assert select('--policy', 'nightly') == [('autobk_1', data.id)]
    assert select('--policy', nightly.id.upper()) == [('autobk_1', data.id)]
    both = ('--policy', 'nightly', '--policy', 'weekly')
    assert select(*both) == [('autobk_2', log.id), ('autobk_1', data.id)]
    count = openstack('vbs', 'backup', 'list', '--count', *both)
    assert count.stdout == '2\n'


def test_shares_are_selected_by_the_policy_of_their_backups(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    data = c.state.add_volume('data')
    nightly = add(c, 'nightly', data)
    other = c.state.add_project('partner', member=False)
    for name in ('autobk_1', 'by-hand'):
        c.state.add_share(c.state.add_backup(name, data), other)
    task(c, nightly, data, backup_name='autobk_1')
    shares = ('vbs', 'share', 'list', '--policy', 'nightly')
    assert [row['Backup Name'] for row in rows(openstack, *shares)] == [
        'autobk_1'
    ]
    assert openstack(*shares, '--count').stdout == '1\n'
    openstack(
        *shares,
        '--shared-with-me',
        complains=[..., '--policy does not go with --shared-with-me'],
        code=2,
    )


@pytest.mark.parametrize('options', [(), ('--count',)])
def test_a_policy_that_created_nothing_lately_is_said(
    cloud: CloudFactory, openstack: Openstack, options: tuple[str, ...]
) -> None:
    c = cloud()
    add(c)
    c.state.add_backup('autobk_1')
    openstack(
        *('vbs', 'backup', 'list', '--policy', 'nightly', *options),
        complains=[
            "No backup of the policy 'nightly' is listed: VBS tells what a "
            'policy created for 30 days only.'
        ],
        code=0,
    )


def test_no_backup_is_selected_by_half_of_the_tasks(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(max_page=10)
    data = c.state.add_volume('data')
    policy = add(c, 'nightly', data)
    for n in range(15):
        name = f'autobk_{n}'
        c.state.add_backup(name, data)
        task(c, policy, data, backup_name=name)
    c.knobs.faults.append(
        Fault('status', 'GET', 'backuptasks.*offset', status=403)
    )
    command = ('vbs', 'backup', 'list', '--policy')
    result = openstack(*command, 'nightly', complains=[...], code=1)
    assert result.stdout == ''
    openstack(*command, 'nightli', complains=['No policy found for'])
    openstack(
        *(*command, 'nightly', '--shared-with-me'),
        complains=[..., '--policy does not go with --shared-with-me'],
        code=2,
    )
