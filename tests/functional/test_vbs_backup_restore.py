# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs backup restore``."""

import json
import re
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.plan import BACKUP_FIRST, plan, restore
from tests.functional.shell import Openstack, Somebody, Terminal
from tests.functional.targets import commands_in
from tests.functional.test_hostile_arguments import SOME, hostile
from tests.functional.wire import UNKNOWN, creations, requests, restores
from tests.sandbox import Fault, LoggedRequest, Sandbox
from tests.sandbox.model import Backup, Volume
from tests.sandbox.restoration import INCOMPLETE, REASON

RESTORE = ('vbs', 'backup', 'restore')
LOOK_UP = {'catalog': 'vbs+volumev3'}
ALONE = {'catalog': 'volumev3', 'csbs_catalog': None}
JSON = ('-f', 'json')
FAILED = '1 of 1 volumes failed to restore.'
NOT_CREATED = (
    'Nothing was overwritten. The backup that was to be created first is not '
    'available.'
)

#: A contract with scripts.
KEYS = [
    *('Type', 'ID', 'Name', 'Target', 'Target Name', 'Source', 'Result'),
    *('Detail', 'Job', 'Requested At', 'Finished At', 'Request ID'),
]
PLAN_KEYS = [
    *('Backup Disk', 'Source', 'Source Name', 'Target', 'Target Name'),
    *('Size', 'Target Size', 'Zone', 'Check'),
]


class Case:
    """A backup and a volume, among others that nobody names."""

    def __init__(self, c: Sandbox, **volume: Any) -> None:
        self.cloud = c
        self.volume: Volume = c.state.add_volume('data', **volume)
        self.other = c.state.add_volume('other')
        self.backup: Backup = c.state.add_backup('nightly', self.volume)
        c.state.add_backup('elsewhere', self.other)

    @property
    def sent(self) -> list[tuple[str, Any]]:
        return restores(self.cloud)

    def overwritten(self) -> dict[str, str]:
        """What any volume of the cloud has that it was not made with."""
        return {
            volume.id: volume.content
            for volume in self.cloud.state.volumes.values()
            if volume.content is not None
        }

    def check_untouched(self) -> None:
        assert self.sent == []
        assert self.overwritten() == {}
        assert self.cloud.state.jobs == {}


def path_of(backup: Backup) -> str:
    return f'POST /vbs/v2/{{P}}/cloudbackups/{backup.id}/restore'


# -- what is named ---------------------------------------------------------


@pytest.mark.parametrize('by', ['name', 'id', 'capitals'])
def test_the_volume_that_is_named_is_overwritten_and_no_other(
    cloud: CloudFactory, openstack: Openstack, by: str
) -> None:
    case = Case(cloud(**LOOK_UP))
    typed = [case.backup.id, case.volume.id]
    if by == 'name':
        typed = ['nightly', 'data']
    if by == 'capitals':
        typed = list(map(str.upper, typed))
    (row,) = restore(openstack, *RESTORE, *typed, '--yes', *JSON).json()
    assert case.sent == [(path_of(case.backup), {'volume_id': case.volume.id})]
    assert (row['Result'], row['Target']) == ('accepted', case.volume.id)
    assert row['Job'] in case.cloud.state.jobs
    assert case.overwritten() == {case.volume.id: case.backup.id}


@pytest.mark.parametrize(
    ('options', 'keys'),
    [
        (('--yes',), KEYS),
        (('--yes', '--wait'), KEYS),
        (('--dry-run',), PLAN_KEYS),
    ],
    ids=['accepted', 'waited for', 'dry'],
)
def test_the_keys_of_a_row(
    cloud: CloudFactory,
    openstack: Openstack,
    options: tuple[str, ...],
    keys: list[str],
) -> None:
    case = Case(cloud(**LOOK_UP))
    dry = '--dry-run' in options
    command = (*RESTORE, 'nightly', 'data', *options, *JSON)
    if dry:
        result = openstack(*command, complains=[...], code=0)
        # The table is on stdout.
        assert '|' not in result.stderr
    else:
        result = restore(openstack, *command)
    (row,) = result.json()
    assert list(row) == keys
    assert (row['Target'], row['Target Name']) == (case.volume.id, 'data')
    if dry:
        assert (row['Size'], row['Check']) == (20, 'overwrites')
        assert row['Source'] == case.volume.id
        case.check_untouched()
    else:
        assert (row['ID'], row['Name']) == (case.backup.id, 'nightly')


def test_a_table_says_what_became_of_it(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    case = Case(cloud(**LOOK_UP))
    shown = restore(openstack, *RESTORE, 'nightly', 'data', '--yes').stdout
    [job] = case.cloud.state.jobs
    id = case.backup.id
    _, head, _, row, _ = shown.splitlines()
    titles = head.strip('| ').split(' | ')
    assert [title.strip() for title in titles] == [
        *('ID', 'Name', 'Target', 'Result', 'Job')
    ]
    assert row == f'| {id} | nightly | data   | accepted | {job} |'


# -- what is refused -------------------------------------------------------


def _attached(c: Sandbox, case: Case) -> None:
    c.state.add_server('db01', [c.state.add_volume(), case.volume])


def _creating(c: Sandbox, case: Case) -> None:
    c.state.add_backup('fresh', case.volume, status='creating')


def _foreign(c: Sandbox, case: Case) -> None:
    theirs = c.state.add_project('partner', member=False).id
    case.backup = c.state.add_backup('theirs', case.volume, project_id=theirs)


def _shared(c: Sandbox, case: Case) -> None:
    _foreign(c, case)
    c.state.add_share(case.backup, c.state.project)


def _set(thing: str, **values: Any) -> Callable[[Sandbox, Case], None]:
    def change(c: Sandbox, case: Case) -> None:
        for key, value in values.items():
            setattr(getattr(case, thing), key, value)

    return change


REFUSALS = {
    'attached': (_attached, 'is attached to db01 as /dev/vdb'),
    'status': (_set('volume', status='error'), 'status of the volume is err'),
    'too small': (_set('volume', size=19), 'has 19 GB, and .* needs 20 GB'),
    'backup': (_set('backup', status='error'), 'status of the backup is err'),
    'creating': (_creating, 'another backup of the volume is being created'),
    'shared': (_shared, 'another project shares with this one'),
    'foreign': (_foreign, "No backup found for '"),
}


@pytest.mark.parametrize(
    ('change', 'told'), REFUSALS.values(), ids=REFUSALS.keys()
)
@pytest.mark.parametrize('options', [('--yes',), ('--yes', '--force')])
def test_what_cannot_be_restored_is_refused_whatever_is_said(
    cloud: CloudFactory,
    openstack: Openstack,
    change: Callable[[Sandbox, Case], None],
    told: str,
    options: tuple[str, ...],
) -> None:
    case = Case(cloud(**LOOK_UP))
    change(case.cloud, case)
    result = openstack.run(
        *(*RESTORE, case.backup.id, case.volume.id, *options, *JSON)
    )
    assert result.code == 1, result
    assert re.search(told, result.stderr), result
    case.check_untouched()
    dry = openstack.run(
        *(*RESTORE, case.backup.id, case.volume.id, '--dry-run', *options[1:])
    )
    assert dry.code == 1, dry
    assert re.search(told, dry.stderr), dry
    case.check_untouched()


def test_one_that_is_attached_is_told_how_to_detach_it(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    case = Case(cloud(**LOOK_UP))
    _attached(case.cloud, case)
    (server,) = case.cloud.state.servers
    result = openstack.run(*RESTORE, 'nightly', 'data', '--yes')
    said = result.stdout + result.stderr
    assert f'openstack server stop {server}' in said
    assert f'openstack server remove volume {server} {case.volume.id}' in said
    case.check_untouched()


KINDS = {
    'encrypted': ({'encrypted': True}, {}, 'the backup is encrypted, and'),
    'plain': ({}, {'encrypted': True}, 'the volume is encrypted, and'),
    'system': ({'bootable': True}, {}, 'the backup is of a system disk'),
    'data': ({}, {'bootable': True}, 'the backup is of a data disk'),
}


@pytest.mark.parametrize(
    ('source', 'target', 'told'), KINDS.values(), ids=KINDS
)
def test_disks_of_another_kind_need_force(
    cloud: CloudFactory,
    openstack: Openstack,
    source: dict[str, bool],
    target: dict[str, bool],
    told: str,
) -> None:
    case = Case(cloud(**LOOK_UP), **source)
    volume = case.cloud.state.add_volume('target', **target)
    command = (*RESTORE, 'nightly', 'target', '--yes', *JSON)
    result = openstack(*command, complains=[told, FAILED])
    assert result.json()[0]['Result'] == 'refused'
    case.check_untouched()
    restore(openstack, *command, '--force')
    assert case.overwritten() == {volume.id: case.backup.id}


@pytest.mark.parametrize('named', ['ghost', UNKNOWN, 'twin', ''])
def test_a_target_that_is_not_found_is_never_made(
    cloud: CloudFactory, openstack: Openstack, named: str
) -> None:
    case = Case(cloud(**LOOK_UP))
    for _ in range(2):
        case.cloud.state.add_volume('twin')
    before = set(case.cloud.state.volumes)
    result = openstack.run(*RESTORE, 'nightly', named, '--yes', *JSON)
    assert result.code == 1
    assert re.search('No volume found|More than one|empty', result.stderr)
    case.check_untouched()
    assert set(case.cloud.state.volumes) == before


@pytest.mark.parametrize(
    ('arguments', 'told'),
    [
        (('nightly',), 'required: <volume>'),
        (('nightly', 'data', 'other'), 'unrecognized arguments'),
        (('nightly', 'data', '--timeout=5s'), '--timeout goes with --wait'),
        (('nightly', 'data', '--ye'), 'unrecognized arguments: --ye'),
    ],
)
def test_a_mistake_on_the_command_line_is_said_before_anything_is_sent(
    cloud: CloudFactory,
    openstack: Openstack,
    arguments: tuple[str, ...],
    told: str,
) -> None:
    case = Case(cloud(**LOOK_UP))
    openstack(*RESTORE, *arguments, complains=[..., told, ...], code=2)
    assert requests(case.cloud) == []


def test_a_word_that_is_cut_short_restores_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    case = Case(cloud(**LOOK_UP))
    openstack(
        *('vbs', 'backup', 'rest', 'nightly', 'data', '--yes'),
        complains=[...],
        code=2,
    )
    assert requests(case.cloud) == []


def test_a_cloud_that_is_read_only_restores_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    case = Case(cloud(**LOOK_UP))
    config = {'vbsclient_read_only': True}
    openstack(
        *(*RESTORE, 'nightly', 'data', '--yes'),
        config=config,
        complains=[re.compile('read-only.*nothing was changed')],
    )
    assert requests(case.cloud) == []
    openstack.run(*RESTORE, 'nightly', 'data', '--dry-run', config=config)
    case.check_untouched()


# -- the question ----------------------------------------------------------


def test_without_a_terminal_nothing_is_restored_and_the_list_is_shown(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    case = Case(cloud(**LOOK_UP))
    result = openstack(
        *(*RESTORE, 'nightly', 'data'),
        complains=[
            *plan(
                rows=[
                    re.compile(
                        rf'\| data +\| data \({case.volume.id}\) '
                        rf'\| 20 GB +\| 20 GB .*\| overwrites +\|$'
                    )
                ]
            ),
            'This would overwrite 1 volume, as listed above: add --yes. '
            'Nothing was overwritten.',
        ],
    )
    assert result.stdout.strip() == ''
    case.check_untouched()


@pytest.mark.parametrize(
    ('answer', 'goes'),
    [('n', False), ('', False), ('data', False), ('y', True), ('YES', True)],
)
def test_the_question_names_volume_project_and_cloud(
    cloud: CloudFactory, openstack: Openstack, answer: str, goes: bool
) -> None:
    case = Case(cloud(**LOOK_UP))
    result = openstack.run(
        *RESTORE, 'nightly', 'data', stdin=Terminal(f'{answer}\n')
    )
    assert (
        f'Overwrite the volume data ({case.volume.id}), 20 GB, in project '
        f'demo of cloud sandbox? [y/N]'
    ) in result.stderr
    assert result.code == (0 if goes else 1)
    if goes:
        assert case.overwritten() == {case.volume.id: case.backup.id}
    else:
        assert 'Nothing was overwritten.' in result.stderr
        case.check_untouched()


@pytest.mark.parametrize('text', SOME.values(), ids=SOME)
def test_a_hostile_argument_overwrites_nothing(
    cloud: CloudFactory, openstack: Openstack, text: str
) -> None:
    case = Case(cloud(**LOOK_UP))
    for names in (
        (hostile(text, case.backup.id), case.volume.id),
        (case.backup.id, hostile(text, case.volume.id)),
    ):
        result = openstack.run(*RESTORE, '--yes', '--', *names)
        assert result.code == 1, result
        assert 'Traceback' not in result.stderr
        case.check_untouched()


def test_what_is_done_without_a_question_is_shown_as_well(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    case = Case(cloud(**LOOK_UP))
    plans = []
    for options, stdin in (((), Terminal('n\n')), (('--yes',), '')):
        result = openstack.run(
            *RESTORE, 'nightly', 'data', *options, stdin=stdin
        )
        plans.append(result.stderr.partition(BACKUP_FIRST)[0])
    assert plans[0] == plans[1]
    assert f'| data ({case.volume.id}) |' in plans[1]


def test_it_is_said_what_else_a_person_should_know(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    case = Case(cloud(**LOOK_UP))
    target = case.cloud.state.add_volume(
        'target', 80, availability_zone='eu-de-02'
    )
    newest = case.cloud.state.add_backup('newest', target)
    result = openstack.run(*RESTORE, 'nightly', 'target', '--dry-run')
    assert result.code == 0, result
    for told in (
        'This cannot be undone.',
        f'The target is not the volume that was backed up ({case.volume.id}).',
        'it falls back from 80 GB to 20 GB',
        'in another zone (eu-de-02) than the backup (eu-de-01)',
        f'newest backup of the volume is newest ({newest.id})',
        '--backup-first',
    ):
        assert told in result.stderr
    assert 'overwrites, shrinks to 20 GB' in result.stdout
    case.check_untouched()


CHANGES = {
    'size': (
        _set('volume', size=30),
        'the size of the volume {volume} was 20 and is now 30',
    ),
    'status': (
        _set('volume', status='error'),
        'the status of the volume was available and is now error',
    ),
    'attached': (_attached, 'the server of the volume was none and is now '),
    'backup': (
        _set('backup', status='deleting'),
        'the status of the backup is deleting: only one',
    ),
    'name': (
        _set('volume', name='renamed'),
        'the name of the volume {volume} was data and is now renamed',
    ),
    'creating': (_creating, 'another backup of the volume is being created ('),
}


@pytest.mark.parametrize(
    ('change', 'told'), CHANGES.values(), ids=CHANGES.keys()
)
def test_what_changes_while_the_question_is_open_stops_it(
    cloud: CloudFactory,
    openstack: Openstack,
    change: Callable[[Sandbox, Case], None],
    told: str,
) -> None:
    case = Case(cloud(**LOOK_UP))
    result = openstack.run(
        *(*RESTORE, 'nightly', 'data'),
        stdin=Somebody('y', lambda: change(case.cloud, case)),
    )
    assert result.code == 1
    told = told.format(volume=case.volume.id)
    assert 'Something has changed since it was shown: ' in result.stderr
    assert told in result.stderr
    assert 'Nothing was overwritten.' in result.stderr
    case.check_untouched()


def test_names_that_change_hands_meanwhile_are_of_no_avail(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    case = Case(cloud(**LOOK_UP))

    def swap() -> None:
        case.cloud.state.add_volume('data')
        case.cloud.state.add_backup('nightly', case.other)

    openstack.run(*RESTORE, 'nightly', 'data', stdin=Somebody('y', swap))
    assert case.overwritten() == {case.volume.id: case.backup.id}


# -- a backup before -------------------------------------------------------


def test_the_present_data_are_saved_before(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    case = Case(cloud(creation_time=0.01, **LOOK_UP))
    old = set(case.cloud.state.backups)
    (row,) = restore(
        openstack,
        *(*RESTORE, 'nightly', 'data', '--yes', '--backup-first', '--wait'),
        *JSON,
    ).json()
    assert row['Result'] == 'restored'
    [(_, wanted)] = creations(case.cloud)
    assert wanted['backup']['volume_id'] == case.volume.id
    [new] = set(case.cloud.state.backups) - old
    assert case.cloud.state.backups[new].status == 'available'
    order = [str(r) for r in case.cloud.requests if r.method == 'POST']
    assert [text.rpartition('/')[2] for text in order[-2:]] == [
        *('cloudbackups', 'restore')
    ]
    assert case.overwritten() == {case.volume.id: case.backup.id}


#: What becomes of that backup, the exit code, and what is said of it.
NOT_SAVED: dict[str, tuple[dict[str, Any], int, list[str]]] = {
    'fails': (
        {'creation': 'fails'},
        1,
        ['Failed to create backup', '1 of 1 backups failed to create.'],
    ),
    'refused': (
        {'backup_quota': 2},
        1,
        [
            'room for 0 more backups, and 1 are to be created. Delete backups '
            'that are not needed any more.',
            '1 of 1 backups failed to create.',
        ],
    ),
    'hangs': (
        {'creation': 'hangs'},
        3,
        ['1 of 1 backups is not created yet: ', '  openstack vbs job show'],
    ),
}


@pytest.mark.parametrize('waits', [False, True], ids=['first', 'both'])
@pytest.mark.parametrize(
    ('knobs', 'code', 'told'), NOT_SAVED.values(), ids=NOT_SAVED
)
def test_without_that_backup_nothing_is_restored(
    cloud: CloudFactory,
    openstack: Openstack,
    knobs: dict[str, Any],
    code: int,
    told: list[str],
    waits: bool,
) -> None:
    case = Case(cloud(**knobs, **LOOK_UP))
    result = restore(
        openstack,
        *(*RESTORE, 'nightly', 'data', '--yes', '--backup-first', *JSON),
        *('--timeout=0.2s', *(['--wait'] if waits else [])),
        complains=[NOT_CREATED, *told],
        code=code,
    )
    (row,) = result.json()
    # It is the one that was to be created.
    assert row['Type'] == 'backup'
    assert row['Name'].startswith('data-')
    assert row['Result'] == ('accepted' if code == 3 else row['Result'])
    # Its --force is about something else.
    assert '--force' not in result.stdout + result.stderr
    assert case.sent == []
    assert case.overwritten() == {}
    for command in commands_in(result.stderr):
        (creation,) = case.cloud.state.jobs
        assert command == ['vbs', 'job', 'show', '--wait', creation]


def test_ctrl_c_in_that_backup_says_that_nothing_was_overwritten(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    seen = threading.Event()

    def watch(request: LoggedRequest) -> None:
        if '/jobs/' in request.path:
            seen.set()

    case = Case(cloud(creation='hangs', on_finished=watch, **LOOK_UP))
    process = openstack.start(
        *RESTORE, 'nightly', 'data', '--yes', '--backup-first', *JSON
    )
    assert seen.wait(30)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    (row,) = json.loads(stdout)
    assert (row['Type'], row['Result']) == ('backup', 'accepted')
    assert stderr.endswith(
        'That was the backup before the restore. Nothing was overwritten.\n'
    )
    [job] = case.cloud.state.jobs
    assert ['vbs', 'job', 'show', '--wait', job] in commands_in(stderr)
    assert case.sent == []
    assert case.overwritten() == {}


# -- what comes of it ------------------------------------------------------


def test_a_wait_ends_when_the_job_and_the_volume_are_at_rest(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    case = Case(cloud(restore_time=0.02, restore_lag=0.2, **LOOK_UP))
    (row,) = restore(
        openstack, *RESTORE, 'nightly', 'data', '--yes', '--wait', *JSON
    ).json()
    assert row['Result'] == 'restored'
    assert case.volume.status == 'available'
    assert case.overwritten() == {case.volume.id: case.backup.id}
    looks = requests(case.cloud)
    last_job = max(n for n, t in enumerate(looks) if '/jobs/' in t)
    assert [t for t in looks[last_job + 1 :] if case.volume.id in t]


def test_a_job_that_fails_has_its_reason(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    case = Case(cloud(restore='fails', **LOOK_UP))
    (row,) = restore(
        openstack,
        *(*RESTORE, 'nightly', 'data', '--yes', '--wait', *JSON),
        complains=[re.compile(re.escape(REASON.rstrip('.'))), FAILED],
    ).json()
    assert row['Result'] == 'failed'
    assert case.overwritten() == {case.volume.id: INCOMPLETE}
    assert len(case.sent) == 1


def test_a_volume_in_error_is_a_failure_whatever_the_job_says(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    def end(request: LoggedRequest) -> None:
        for job in case.cloud.state.jobs.values():
            job.status, case.volume.status = 'SUCCESS', 'error_restoring'

    case = Case(cloud(restore='hangs', on_finished=end, **LOOK_UP))
    restore(
        openstack,
        *(*RESTORE, 'nightly', 'data', '--yes', '--wait', *JSON),
        complains=['error_restoring', FAILED],
    )


@pytest.mark.parametrize('outcome', ['succeeds', 'fails'])
def test_block_storage_alone_restores_in_its_own_way(
    cloud: CloudFactory, openstack: Openstack, outcome: str
) -> None:
    case = Case(cloud(restore=outcome, restore_time=0.02, **ALONE))
    fails = outcome == 'fails'
    result = restore(
        openstack,
        *(*RESTORE, 'nightly', 'data', '--yes', '--wait', *JSON),
        complains=['error_restoring', FAILED] if fails else [],
    )
    [(path, body)] = case.sent
    assert path == f'POST /volume/v3/{{P}}/backups/{case.backup.id}/restore'
    assert body == {'volume_id': case.volume.id}
    (row,) = result.json()
    assert row['Result'] == ('failed' if fails else 'restored')
    # It is available again although it was not restored.
    assert case.backup.status == 'available'
    assert case.overwritten() == {
        case.volume.id: INCOMPLETE if fails else case.backup.id
    }


def test_a_timeout_hands_over_a_command_that_goes_on(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    moment = [0.0]
    case = Case(cloud(restore_time=10, clock=lambda: moment[0], **LOOK_UP))
    result = restore(
        openstack,
        *(*RESTORE, 'nightly', 'data', '--yes', '--wait', '--timeout=0.2s'),
        *JSON,
        complains=[
            '1 of 1 volumes is not restored yet',
            'openstack vbs job show',
            'openstack volume show',
        ],
        code=3,
    )
    assert 'do not run this command again' in result.stderr
    command, look = commands_in(result.stderr)
    assert command[:4] == ['vbs', 'job', 'show', '--wait']
    # The job may be done, and the volume not.
    assert look == ['volume', 'show', case.volume.id]
    moment[0] = 20
    assert openstack(*command, *JSON).json()['status'] == 'SUCCESS'
    assert len(case.sent) == 1
    assert case.overwritten() == {case.volume.id: case.backup.id}


def test_a_timeout_of_block_storage_names_the_volume(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    case = Case(cloud(restore='hangs', **ALONE))
    restore(
        openstack,
        *(*RESTORE, 'nightly', 'data', '--yes', '--wait', '--timeout=0.2s'),
        complains=[
            '1 of 1 volumes is not restored yet',
            f'openstack volume show {case.volume.id}',
        ],
        code=3,
    )


@pytest.mark.parametrize('knobs', [LOOK_UP, ALONE], ids=['vbs', 'cinder'])
@pytest.mark.parametrize('action', ['reset-before', 'reset-after', 'truncate'])
def test_a_lost_answer_is_settled_by_reading(
    cloud: CloudFactory,
    openstack: Openstack,
    action: str,
    knobs: dict[str, Any],
) -> None:
    case = Case(cloud(restore_time=3600, **knobs))
    case.cloud.knobs.faults.append(
        Fault(action, 'POST', '/restore$', times=None)
    )
    result = openstack.run(*RESTORE, 'nightly', 'data', '--yes', *JSON)
    (row,) = result.json()
    assert len(case.sent) == 1
    if action == 'reset-before':
        assert (row['Result'], result.code) == ('unknown', 1)
        assert 'Do not run the command again' in result.stderr
        assert commands_in(result.stderr) == [
            ['volume', 'show', case.volume.id]
        ]
        assert case.volume.status == 'available'
    else:
        assert (row['Result'], result.code) == ('accepted', 0), result
        assert row['Detail'] == (
            'its answer was not the documented one'
            if action == 'truncate'
            else 'its answer was lost'
        )
        assert case.volume.status == 'restoring-backup'


@pytest.mark.parametrize(
    ('status', 'said', 'count'),
    [
        (401, 'failed', 1),
        (413, 'failed', 1),
        (429, 'failed', 1),
        (503, 'unknown', 1),
    ],
)
def test_it_is_never_sent_again(
    cloud: CloudFactory,
    openstack: Openstack,
    status: int,
    said: str,
    count: int,
) -> None:
    case = Case(cloud(restore_time=3600, **LOOK_UP))
    case.cloud.knobs.faults.append(
        Fault('status', 'POST', '/restore$', status)
    )
    result = openstack.run(*RESTORE, 'nightly', 'data', '--yes', *JSON)
    assert result.json()[0]['Result'] == said
    assert len(case.sent) == count


def test_what_the_service_refuses_is_shown_in_its_words(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    case = Case(cloud(read_only_role=True, **LOOK_UP))
    restore(
        openstack,
        *(*RESTORE, 'nightly', 'data', '--yes', *JSON),
        complains=['backup:restore', FAILED],
    )
    assert len(case.sent) == 1
    assert case.overwritten() == {}


@pytest.mark.parametrize('knobs', [LOOK_UP, ALONE], ids=['vbs', 'cinder'])
def test_what_may_be_the_work_of_somebody_else_is_no_success(
    cloud: CloudFactory, openstack: Openstack, knobs: dict[str, Any]
) -> None:
    def hide(request: LoggedRequest) -> None:
        # The volume alone shows that something goes on.
        if request.path.endswith('/restore'):
            case.backup.status = 'available'

    case = Case(cloud(restore_time=0.3, on_finished=hide, **knobs))
    case.cloud.knobs.faults.append(Fault('reset-after', 'POST', '/restore$'))
    result = restore(
        openstack,
        *(*RESTORE, 'nightly', 'data', '--yes', '--wait', *JSON),
        complains=[
            re.compile(
                'Whether volume data .* is restored is unknown: the target '
                'was overwritten, and nothing tells whether from this backup: '
                'its answer was lost. Do not run the command again before '
                'you have looked at it:$'
            ),
            f'  openstack volume show {case.volume.id}',
            'The state of 1 of 1 volumes is unknown.',
        ],
    )
    assert result.json()[0]['Result'] == 'unknown'
    assert len(case.sent) == 1


def test_of_what_may_be_the_work_of_somebody_else_the_report_says_so(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    def hide(request: LoggedRequest) -> None:
        if request.path.endswith('/restore'):
            case.backup.status = 'available'

    case = Case(cloud(restore_time=3600, on_finished=hide, **LOOK_UP))
    case.cloud.knobs.faults.append(Fault('reset-after', 'POST', '/restore$'))
    (row,) = restore(
        openstack, *RESTORE, 'nightly', 'data', '--yes', *JSON
    ).json()
    assert (row['Result'], row['Detail']) == (
        'accepted',
        'its answer was lost: the target is being overwritten, by this '
        'request or by somebody else',
    )


@pytest.mark.parametrize('status', [302, 403, 409])
def test_a_refusal_while_the_target_is_overwritten_proves_nothing(
    cloud: CloudFactory, openstack: Openstack, status: int
) -> None:
    case = Case(cloud(restore_time=3600, **LOOK_UP))
    case.cloud.knobs.faults.append(
        Fault('status', 'POST', '/restore$', status, acts=True, times=None)
    )
    result = restore(
        openstack,
        *(*RESTORE, 'nightly', 'data', '--yes', *JSON),
        complains=[
            re.compile(
                'Whether volume data .* is restored is unknown: .*; and yet '
                'the target is being overwritten'
            ),
            f'  openstack volume show {case.volume.id}',
            'The state of 1 of 1 volumes is unknown.',
        ],
    )
    assert result.json()[0]['Result'] == 'unknown'
    assert len(case.sent) == 1


def test_a_refusal_while_the_target_is_at_rest_is_a_failure(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    case = Case(cloud(**LOOK_UP))
    case.cloud.knobs.faults.append(
        Fault('status', 'POST', '/restore$', 409, times=None)
    )
    before = len(case.cloud.requests)
    result = openstack.run(*RESTORE, 'nightly', 'data', '--yes', *JSON)
    assert (result.json()[0]['Result'], result.code) == ('failed', 1)
    sent = [str(r) for r in list(case.cloud.requests)[before:]]
    place = next(n for n, text in enumerate(sent) if text.endswith('/restore'))
    looks = [t for t in sent[place + 1 :] if case.volume.id in t]
    # Nothing shows that the service itself has said so.
    assert len(looks) == 3


def test_a_volume_that_a_failure_leaves_behind_can_be_made_available(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    case = Case(cloud(restore='fails', **LOOK_UP))
    again = f'openstack volume set --state available {case.volume.id}'
    restore(
        openstack,
        *(*RESTORE, 'nightly', 'data', '--yes', '--wait', *JSON),
        complains=[
            re.compile(
                'the service accepted it, and the restore has failed: .*Its '
                f'data are not complete.*"{again}"'
            ),
            FAILED,
        ],
    )
    # And so it is said of one that is found in that state.
    result = openstack.run(*RESTORE, 'nightly', 'data', '--yes')
    assert again in result.stdout
    assert case.volume.status == 'error_restoring'
    assert len(case.sent) == 1


def test_a_volume_of_another_project_is_not_overwritten(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    case = Case(cloud(**LOOK_UP))
    theirs = case.cloud.state.add_project('partner', member=False).id
    body = {
        'id': UNKNOWN,
        'name': 'theirs',
        'status': 'available',
        'size': 20,
        'os-vol-tenant-attr:tenant_id': theirs,
    }
    # As block storage shows it to an administrator.
    case.cloud.knobs.faults += [
        Fault('status', 'GET', path, 200, json.dumps(shown), times=None)
        for path, shown in (
            (f'/volumes/{UNKNOWN}$', {'volume': body}),
            ('/volumes/detail', {'volumes': [body]}),
        )
    ]
    for named, told in (
        (UNKNOWN, f'The volume belongs to another project .*{theirs}'),
        ('theirs', "No volume found for 'theirs'"),
    ):
        result = openstack.run(*RESTORE, 'nightly', named, '--yes', *JSON)
        assert result.code == 1, result
        assert re.search(told, result.stderr), result
    case.check_untouched()


def test_ctrl_c_in_a_wait_names_the_job(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    seen = threading.Event()

    def watch(request: LoggedRequest) -> None:
        if '/jobs/' in request.path:
            seen.set()

    case = Case(cloud(restore='hangs', on_finished=watch, **LOOK_UP))
    process = openstack.start(
        *RESTORE, 'nightly', 'data', '--yes', '--wait', *JSON
    )
    assert seen.wait(30)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert json.loads(stdout)[0]['Result'] == 'accepted'
    [job] = case.cloud.state.jobs
    assert ['vbs', 'job', 'show', '--wait', job] in commands_in(stderr)
    assert 'Traceback' not in stderr
    assert len(case.sent) == 1


def test_the_journal_has_what_was_overwritten_with_what(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    case = Case(cloud(**LOOK_UP))
    path = openstack.home / 'journal'
    restore(
        openstack, *RESTORE, 'nightly', 'data', '--yes', f'--journal={path}'
    )
    request, answer = map(json.loads, path.read_text().splitlines())
    [job] = case.cloud.state.jobs
    for line in (request, answer):
        assert line['action'] == f'restore from {case.backup.id}'
        assert line['id'] == case.volume.id
        assert line['command'] == 'vbs backup restore'
    assert (request['event'], answer['event']) == ('request', 'answer')
    assert (answer['result'], answer['job_id']) == ('accepted', job)
