# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs backup policy create``, ``set`` and ``delete``."""

import json
import re
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.policy_wire import policy_requests
from tests.functional.shell import Openstack, Somebody, Terminal
from tests.functional.targets import commands_in
from tests.functional.wire import requests
from tests.sandbox import Fault, Sandbox
from tests.sandbox.volume_policies import VolumePolicy

POLICY = ('vbs', 'backup', 'policy')
CREATE = (*POLICY, 'create')
SET = (*POLICY, 'set')
DELETE = (*POLICY, 'delete')
NIGHTLY = ('--at', '02:00', '--every', '1d', '--keep-last', '7')
PATH = '/vbs/v2/{P}/backuppolicy'

#: A contract with scripts.
KEYS = [
    *('id', 'name', 'enabled', 'schedule', 'retention', 'volumes'),
    *('next_runs', 'remarks'),
]


def policies(c: Sandbox) -> dict[str, VolumePolicy]:
    """Those that were made, by name."""
    found = c.state.volume_policies.of_project(c.project_id).values()
    return {policy.name: policy for policy in found if not policy.is_default}


def add(c: Sandbox, name: str = 'nightly', *volumes: Any, **more: Any) -> Any:
    return c.state.volume_policies.add(c.project_id, name, *volumes, **more)


class Hang(Fault):
    """One request hangs, which is told."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.struck = threading.Event()

    def strikes(self, method: str, target: str) -> bool:
        hits = super().strikes(method, target)
        if hits:
            self.struck.set()
        return hits


# -- create ----------------------------------------------------------------


def test_a_policy_is_created_and_shown(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    shown = openstack(
        *(*CREATE, '--at', '02:00', '--at', '14:00', '--on', 'mon,thu'),
        *('--keep-days', '30', '--timezone', 'UTC+02:00', 'weekly'),
        *('-f', 'json'),
    ).json()
    assert list(shown) == KEYS
    policy = policies(c)['weekly']
    assert shown['id'] == policy.id
    assert (shown['enabled'], shown['volumes']) == (True, 0)
    assert shown['schedule'] == {
        'at': ['02:00', '14:00'],
        'every_days': None,
        'on': ['mon', 'thu'],
        'zone': 'UTC+02:00',
        'raw': None,
    }
    assert shown['retention']['days'] == 30
    assert len(shown['next_runs']) == 3
    assert requests(c)[-2:] == [f'GET {PATH}', f'POST {PATH}']
    assert policy_requests(c) == [
        (
            f'POST {PATH}',
            {
                'backup_policy_name': 'weekly',
                'time_zone': 'UTC+02:00',
                'scheduled_policy': {
                    'start_time': '00:00,12:00',
                    'week_frequency': ['MON', 'THU'],
                    'rentention_day': 30,
                    'remain_first_backup_of_curMonth': 'N',
                    'status': 'ON',
                },
            },
        )
    ]


def test_a_table_has_the_runs_in_utc_and_in_local_time(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    zone = ('--timezone', 'Europe/Berlin')
    shown = openstack(*CREATE, *NIGHTLY, *zone, 'nightly').stdout
    assert re.search(r'\| enabled +\| True ', shown)
    assert re.search(r'\| schedule +\| every day at 02:00 \(UTC\+0', shown)
    runs = re.findall(r'(\d\d):00 UTC \(... 02:00 UTC\+0(\d):00\)', shown)
    assert len(runs) == 3
    assert all(int(utc) + int(offset) == 2 for utc, offset in runs)
    assert 'by the clocks there.' in shown
    assert policies(c)['nightly'].schedule['status'] == 'ON'


def test_one_that_is_disabled_has_no_next_run(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    shown = openstack(
        *(*CREATE, *NIGHTLY, 'nightly', '--disable', '-f', 'json')
    ).json()
    assert (shown['enabled'], shown['next_runs']) == (False, [])
    assert policies(c)['nightly'].schedule['status'] == 'OFF'


def test_a_dry_run_creates_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    command = (*CREATE, *NIGHTLY, '--dry-run', 'nightly', '-f', 'json')
    shown = openstack(*command).json()
    assert (shown['id'], shown['name']) == (None, 'nightly')
    assert policy_requests(c) == []


@pytest.mark.parametrize('options', [(), ('--dry-run',)])
def test_a_name_that_is_taken_is_refused(
    cloud: CloudFactory, openstack: Openstack, options: tuple[str, ...]
) -> None:
    c = cloud()
    policy = add(c)
    openstack(
        *(*CREATE, *NIGHTLY, 'nightly', *options),
        complains=[
            re.compile(f'create policy nightly: .*exists.*{policy.id}'),
            '1 of 1 policies ',
        ],
    )
    assert policy_requests(c) == []


@pytest.mark.parametrize(
    ('arguments', 'told'),
    [
        ((*NIGHTLY, 'default2'), "'default2' begins with default"),
        ((*NIGHTLY, 'a b'), "'a b' is not a name"),
        ((*NIGHTLY, 'x' * 65), '1 to 64 letters'),
        (('--at', '02:00', '--every', '1d', 'x'), 'Give --keep-last'),
        (('--keep-last', '7', 'x'), 'Give --at, and --every or --on'),
        ((*NIGHTLY, '--on', 'mon', 'x'), 'Give only one of them'),
        (('--at', '2:30', '--every', '1d', '--keep-last=7', 'x'), 'full hour'),
        (('--at', '2:00', '--every', '31d', '--keep-last=7', 'x'), '30 days'),
        ((*NIGHTLY, '--keep-days', '7', 'x'), 'Give only one of them'),
        ((*NIGHTLY, '--keep-daily', '7', 'x'), 'unrecognized arguments'),
        ((*NIGHTLY, '--enable', '--disable', 'x'), 'not allowed with'),
        ((*NIGHTLY, '--timezone', 'Mars', 'x'), 'is not a time zone'),
    ],
)
def test_what_cannot_be_a_policy_is_a_wrong_command_line(
    cloud: CloudFactory,
    openstack: Openstack,
    arguments: tuple[str, ...],
    told: str,
) -> None:
    c = cloud()
    openstack(*CREATE, *arguments, complains=[..., told], code=2)
    assert requests(c) == []


def test_volumes_join_a_new_policy(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(catalog='vbs+volumev3')
    volumes = [c.state.add_volume(f'db{n}') for n in range(2)]
    shown = openstack(
        *(*CREATE, *NIGHTLY, '--volume', 'db0', '--volume', volumes[1].id),
        *('nightly', '-f', 'json'),
    ).json()
    assert shown['volumes'] == 2
    assert policies(c)['nightly'].volume_ids == [v.id for v in volumes]


def test_a_volume_that_is_not_there_keeps_the_policy_from_being_created(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(catalog='vbs+volumev3')
    openstack(
        *(*CREATE, *NIGHTLY, '--volume', 'ghost', 'nightly'),
        complains=["No volume found for 'ghost'", '1 of 1 policies failed'],
    )
    assert policy_requests(c) == []


@pytest.mark.parametrize(
    ('told', 'words', 'count'),
    [
        ('failed', 'is not', 1),
        ('coded-success', 'is not', 1),
        # It may have joined all the same.
        ('nothing', 'may not be', None),
    ],
)
def test_a_volume_that_does_not_join_is_named_with_the_command(
    cloud: CloudFactory,
    openstack: Openstack,
    told: str,
    words: str,
    count: int | None,
) -> None:
    c = cloud(
        catalog='vbs+volumev3',
        policy_members_failed=1,
        policy_failures_told=told,
    )
    one, two = (c.state.add_volume(name) for name in ('one', 'two'))
    result = openstack(
        *(*CREATE, *NIGHTLY, '--volume=one', '--volume=two', 'nightly'),
        *('-f', 'json'),
        complains=[
            re.compile(f'was created, and 1 volume {words} in it: {two.id}'),
            '  openstack vbs backup policy add volume ',
        ],
    )
    policy = policies(c)['nightly']
    assert policy.volume_ids == [one.id]
    assert result.json()['volumes'] == count
    [command] = commands_in(result.stderr)
    assert command == [*POLICY, 'add', 'volume', policy.id, two.id]


def taken(c: Sandbox, *names: str) -> VolumePolicy:
    """A policy that has volumes of these names, and a task for each."""
    volumes = [c.state.add_volume(name) for name in names]
    policy: VolumePolicy = add(c, 'weekly', *volumes)
    for volume in volumes:
        c.state.volume_policies.add_task(policy, volume.id, 'EXECUTE_SUCCESS')
    return policy


@pytest.mark.parametrize('options', [(), ('--dry-run',)])
def test_volumes_of_another_policy_keep_it_from_being_created(
    cloud: CloudFactory, openstack: Openstack, options: tuple[str, ...]
) -> None:
    c = cloud(catalog='vbs+volumev3')
    weekly = taken(c, 'one', 'two')
    c.state.add_volume('free')
    volumes = [f'--volume={name}' for name in ('one', 'free', 'two')]
    openstack(
        *(*CREATE, *NIGHTLY, *volumes, 'nightly', *options),
        complains=[
            re.compile(
                f'create policy nightly: volume one: it belongs to the policy '
                f'weekly .{weekly.id}., .*; volume two: it .*--move'
            ),
            ...,
        ],
    )
    assert policy_requests(c) == []


def test_volumes_move_to_a_new_policy_when_asked(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(catalog='vbs+volumev3')
    weekly = taken(c, 'one')
    [id] = weekly.volume_ids
    command = (
        *(*CREATE, *NIGHTLY, '--volume=one', '--move', 'nightly'),
        *('-f', 'json'),
    )
    planned = openstack(*command, '--dry-run').json()
    leaves = f'Volume one leaves the policy weekly ({weekly.id}), of which is'
    assert leaves in planned['remarks'][0]
    assert policy_requests(c) == []
    shown = openstack(*command).json()
    assert shown['volumes'] == 1
    assert leaves in shown['remarks'][0]
    assert shown['remarks'][1] == (
        f'Adding volumes: the policy weekly ({weekly.id}) has 1 volume fewer '
        f'than before.'
    )
    assert (policies(c)['nightly'].volume_ids, weekly.volume_ids) == ([id], [])


def test_the_command_for_a_volume_that_did_not_join_moves_it_too(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(catalog='vbs+volumev3', policy_members_failed=1)
    weekly = taken(c, 'one')
    result = openstack(
        *(*CREATE, *NIGHTLY, '--volume=one', '--move', 'nightly'),
        complains=['was created, and 1 volume is not in it', ...],
    )
    [command] = commands_in(result.stderr)
    c.knobs.policy_members_failed = 0
    openstack(*command)
    assert weekly.volume_ids == []


def test_tasks_that_cannot_be_read_keep_it_from_being_created(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(catalog='vbs+volumev3')
    taken(c, 'other')
    c.state.add_volume('one')
    c.knobs.faults.append(
        Fault('status', 'GET', 'backuptasks', status=500, times=None)
    )
    openstack(
        *(*CREATE, *NIGHTLY, '--volume=one', 'nightly'),
        complains=[
            'volume one: whether it belongs to another policy could not be',
            '1 of 1 policies failed to create.',
        ],
    )
    assert policy_requests(c) == []


def test_no_number_of_volumes_proves_a_lost_answer_about_them(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(catalog='vbs+volumev3')
    c.state.add_volume('one')
    c.knobs.faults.append(Fault('reset-after', 'POST', 'policyresources'))
    command = (*CREATE, *NIGHTLY, '--volume=one', 'nightly', '-f', 'json')
    result = openstack(
        *command,
        complains=[
            re.compile('^The policy was created, and 1 volume may not be in'),
            re.compile('^  openstack vbs backup policy add volume'),
        ],
        code=1,
    )
    assert result.json()['volumes'] is None


def test_many_volumes_join_by_forty(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(catalog='vbs+volumev3')
    ids = [c.state.add_volume().id for _ in range(41)]
    options = [f'--volume={id}' for id in ids]
    openstack(*CREATE, *NIGHTLY, *options, 'nightly')
    assert policies(c)['nightly'].volume_ids == ids
    sent = [body['resources'] for _, body in policy_requests(c)[1:]]
    assert [len(resources) for resources in sent] == [40, 1]


def test_an_interruption_tells_how_to_look_for_the_policy(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    hangs = Hang('hang', 'POST', 'backuppolicy$')
    c = cloud(faults=[hangs])
    process = openstack.start(*CREATE, *NIGHTLY, 'nightly')
    assert hangs.struck.wait(60)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert stdout == ''
    assert (
        'unknown (sent, no answer: see what was created): 1\n'
        '  nightly: openstack vbs backup policy show nightly\n'
    ) in stderr
    assert len(policy_requests(c)) == 1


@pytest.mark.parametrize('fault', ['reset-after', 'truncate'])
def test_a_lost_answer_is_settled_by_the_name(
    cloud: CloudFactory, openstack: Openstack, fault: str
) -> None:
    c = cloud()
    c.knobs.faults.append(Fault(fault, 'POST', 'backuppolicy$'))
    shown = openstack(*CREATE, *NIGHTLY, 'nightly', '-f', 'json').json()
    assert shown['id'] == policies(c)['nightly'].id
    assert 'this is the only policy of the name.' in shown['remarks'][0]
    assert len(policy_requests(c)) == 1


def test_what_may_have_been_created_is_to_be_looked_for(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    c.knobs.faults.append(Fault('reset-before', 'POST', 'backuppolicy$'))
    result = openstack(
        *(*CREATE, *NIGHTLY, 'nightly'),
        complains=[
            re.compile('Whether policy nightly is created is unknown: .*Do '),
            '  openstack vbs backup policy show nightly',
            'The state of 1 of 1 policies is unknown.',
        ],
    )
    assert result.stdout == ''
    assert len(policy_requests(c)) == 1


def test_a_refusal_of_the_service_is_told(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(policy_quota=1)
    openstack(
        *(*CREATE, *NIGHTLY, 'nightly'),
        complains=[
            re.compile('create policy nightly: .*AutoBackup.0203'),
            '1 of 1 policies failed to create.',
        ],
    )
    assert policies(c) == {}


@pytest.mark.parametrize(
    'command',
    [(*CREATE, *NIGHTLY, 'n'), (*SET, '--disable', 'nightly'), (*DELETE, 'n')],
    ids=['create', 'set', 'delete'],
)
def test_a_cloud_that_is_read_only_is_not_changed(
    cloud: CloudFactory, openstack: Openstack, command: tuple[str, ...]
) -> None:
    c = cloud()
    add(c)
    openstack(
        *command,
        config={'vbsclient_read_only': True},
        complains=[re.compile('read-only.*nothing was changed')],
    )
    assert requests(c) == []


# -- set -------------------------------------------------------------------


def test_only_what_is_asked_for_is_changed(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    policy = add(c, time_zone='UTC+02:00', extra={'colour': {'a': [1]}})
    assert openstack(*SET, '--keep-days', '30', 'nightly').stdout == ''
    assert policy_requests(c) == [
        (
            f'PUT {PATH}/{policy.id}',
            {
                'scheduled_policy': {
                    'start_time': '12:00',
                    'frequency': 1,
                    'rentention_day': 30,
                    'remain_first_backup_of_curMonth': 'N',
                    'status': 'ON',
                },
                'time_zone': 'UTC+02:00',
                'colour': {'a': [1]},
            },
        )
    ]
    # It is read, and read again just before and just after.
    put = f'PUT {PATH}/{policy.id}'
    list_ = f'GET {PATH}'
    assert requests(c)[-4:] == [list_, list_, put, list_]


def test_nothing_to_change_is_a_success_without_a_change(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    add(c)
    rows = openstack(*SET, '--enable', 'nightly', '-f', 'json').json()
    assert [row['Result'] for row in rows] == ['unchanged']
    assert openstack(*SET, 'nightly').stdout == ''
    assert policy_requests(c) == []


def test_a_dry_run_shows_before_and_after(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    add(c, rentention_num=7)
    rows = openstack(
        *(*SET, '--dry-run', '--keep-last', '9', '--name', 'new', 'nightly'),
        *('-f', 'json'),
    ).json()
    by_field = {row['Field']: (row['Before'], row['After']) for row in rows}
    assert list(by_field) == [
        *('Name', 'Enabled', 'Schedule', 'Retention', 'Next Runs', 'Remarks')
    ]
    assert by_field['Name'] == ('nightly', 'new')
    assert [one['last'] for one in by_field['Retention']] == [7, 9]
    assert policy_requests(c) == []


def test_a_policy_that_is_not_there_is_a_failure(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    openstack(
        *(*SET, '--disable', 'ghost'),
        complains=["No policy found for 'ghost'.", '1 of 1 policies failed'],
    )
    assert policy_requests(c) == []


@pytest.mark.parametrize(
    ('policy', 'name', 'told'),
    [
        ('DefaultPolicy', 'other', 'the default policy keeps its name'),
        ('nightly', 'weekly', 'a policy with the name weekly exists already'),
    ],
)
def test_a_new_name_that_cannot_be_is_refused(
    cloud: CloudFactory,
    openstack: Openstack,
    policy: str,
    name: str,
    told: str,
) -> None:
    c = cloud()
    add(c)
    add(c, 'weekly')
    openstack(
        *(*SET, '--name', name, policy), complains=[told, '1 of 1 policies']
    )
    assert policy_requests(c) == []


def test_what_the_schedule_cannot_become_is_refused_with_a_hint(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(policy_time_zone=False)
    add(c, frequency=0, week_frequency=['MON'])
    openstack(
        *(*SET, '--at', '04:00', 'nightly'),
        complains=[
            re.compile('does not tell the time zone.*Add --timezone.'),
            '1 of 1 policies failed to set.',
        ],
    )
    assert policy_requests(c) == []


@pytest.mark.parametrize(
    ('knobs', 'options', 'told'),
    [
        (
            {'policy_put_replaces': True},
            ('--disable',),
            None,
        ),
        (
            {'policy_put_drops': ('time_zone',)},
            ('--disable',),
            "time_zone is None and was 'UTC+02:00'",
        ),
        (
            {'policy_put_resets': {'rentention_num': 3}},
            ('--disable',),
            'scheduled_policy.rentention_num is 3 and was 7',
        ),
        (
            {'policy_put_resets': {'rentention_num': 3}},
            ('--keep-last', '9'),
            'scheduled_policy.rentention_num is 3 in place of 9',
        ),
        (
            {'policy_put_drops': ('colour',)},
            ('--disable',),
            "colour is None and was 'blue'",
        ),
    ],
    ids=['whole', 'zone', 'number', 'wanted', 'unknown'],
)
def test_a_difference_that_nobody_asked_for_is_a_failure(
    cloud: CloudFactory,
    openstack: Openstack,
    tmp_path: Path,
    knobs: dict[str, Any],
    options: tuple[str, ...],
    told: str | None,
) -> None:
    c = cloud(**knobs)
    policy = add(c, time_zone='UTC+02:00', extra={'colour': 'blue'})
    journal = tmp_path / 'journal'
    complaints: list[Any] = []
    if told is not None:
        complaints = [
            re.compile(f'set policy nightly.*{re.escape(told)}.*--journal'),
            '1 of 1 policies failed to set.',
        ]
    openstack(
        *(*SET, *options, 'nightly', '--journal', str(journal)),
        complains=complaints,
    )
    request, answer = map(json.loads, journal.read_text().splitlines())
    assert (request['event'], answer['event']) == ('request', 'answer')
    assert request['before'] == {
        'backup_policy_id': policy.id,
        'backup_policy_name': 'nightly',
        'scheduled_policy': {
            'start_time': '12:00',
            'frequency': 1,
            'rentention_num': 7,
            'remain_first_backup_of_curMonth': 'N',
            'status': 'ON',
        },
        'colour': 'blue',
        'time_zone': 'UTC+02:00',
        'policy_resource_count': 0,
    }


@pytest.mark.parametrize('is_carried_out', [True, False])
def test_a_lost_answer_is_settled_by_reading(
    cloud: CloudFactory, openstack: Openstack, is_carried_out: bool
) -> None:
    c = cloud()
    policy = add(c)
    fault = 'reset-after' if is_carried_out else 'reset-before'
    c.knobs.faults.append(Fault(fault, 'PUT'))
    result = openstack(
        *(*SET, '--disable', 'nightly', '-f', 'json'),
        complains=[]
        if is_carried_out
        else [
            re.compile('Whether policy nightly .* is changed is unknown'),
            f'  openstack vbs backup policy show {policy.id}',
            '1 of 1 policies failed to set.',
        ],
    )
    assert [row['Result'] for row in result.json()] == [
        'changed' if is_carried_out else 'unknown'
    ]
    assert len(policy_requests(c)) == 1


def test_what_cannot_be_read_again_is_unknown(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    policy = add(c)
    c.knobs.faults.append(
        Fault('status', 'GET', 'backuppolicy$', status=403, skip=2, times=None)
    )
    openstack(
        *(*SET, '--disable', 'nightly'),
        complains=[
            re.compile(
                'is changed is unknown: the service accepted the change of '
                'the policy nightly .*It could not be read afterwards'
            ),
            f'  openstack vbs backup policy show {policy.id}',
            '1 of 1 policies failed to set.',
        ],
    )
    assert len(policy_requests(c)) == 1


def test_without_its_line_in_the_journal_nothing_is_sent(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    add(c)
    openstack(
        *(*SET, '--disable', 'nightly', '--journal', '/dev/full'),
        complains=[
            'the journal cannot be written',
            ...,
            '1 of 1 policies failed to set.',
        ],
    )
    assert policy_requests(c) == []


def test_a_list_that_is_behind_for_a_moment_is_read_again(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    policy = add(c)
    old = c.state.volume_policies.listed(c.project_id)
    c.knobs.faults.append(
        Fault(
            'body',
            'GET',
            'backuppolicy$',
            body=json.dumps({'backup_policies': old}),
            skip=2,
        )
    )
    openstack(*SET, '--disable', 'nightly')
    assert policy.schedule['status'] == 'OFF'


def test_blanks_in_keys_are_not_sent_back(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(policy_blank_keys=True)
    add(c)
    openstack(*SET, '--disable', 'nightly')
    [(_, body)] = policy_requests(c)
    assert [key for key in body if key != key.strip()] == []


# -- delete ----------------------------------------------------------------


def test_policies_are_deleted_by_name_id_and_from_standard_input(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    one, two, three = (add(c, name) for name in ('one', 'two', 'three'))
    rows = openstack(
        *(*DELETE, 'one', two.id, '-', '-f', 'json'), stdin=three.id
    ).json()
    assert [(row['ID'], row['Result']) for row in rows] == [
        (policy.id, 'deleted') for policy in (one, two, three)
    ]
    assert policies(c) == {}
    assert openstack(*DELETE, '-').stdout == ''


def test_a_policy_with_volumes_is_asked_about(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    policy = add(c, 'nightly', c.state.add_volume(), c.state.add_volume())
    openstack(
        *(*DELETE, 'nightly'),
        complains=[
            f'Policy nightly ({policy.id}) has:',
            '  2 volumes whose schedule ends; the backups stay',
            'add --yes. Nothing was deleted.',
        ],
    )
    openstack(
        *(*DELETE, 'nightly'),
        stdin=Terminal('n\n'),
        complains=[..., re.compile('Delete 1 policy in .*Nothing was del')],
    )
    assert policy_requests(c) == []
    openstack(*DELETE, 'nightly', '--yes')
    assert policies(c) == {}


def test_what_changes_while_it_is_asked_ends_it(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    policy = add(c, 'nightly', c.state.add_volume())
    more = c.state.add_volume()

    def meanwhile() -> None:
        c.state.volume_policies.associate(policy, more.id)

    openstack(
        *(*DELETE, 'nightly'),
        stdin=Somebody('y', meanwhile),
        complains=[..., 'has changed while the question was open'],
    )
    assert policy_requests(c) == []


def test_the_service_keeps_the_default_policy(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    openstack(
        *(*DELETE, 'DefaultPolicy'),
        complains=[
            re.compile('AutoBackup.0100.*The default policy can be changed'),
            '1 of 1 policies failed to delete.',
        ],
    )
    c.state.volume_policies.default(c.project_id)


def test_one_that_is_still_listed_is_not_deleted(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    add(c)
    c.knobs.faults.append(Fault('body', 'DELETE'))
    c.knobs.policy_list_lag = 3600.0
    openstack(
        *(*DELETE, 'nightly'),
        complains=['but still shows the policy', '1 of 1 policies failed'],
    )


def test_missing_ones_may_be_ignored(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    add(c)
    openstack(*DELETE, 'ghost', 'nightly', '--ignore-missing')
    assert policies(c) == {}
