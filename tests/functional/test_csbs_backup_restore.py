# SPDX-License-Identifier: Apache-2.0
"""``openstack csbs backup restore``."""

import json
import re
import signal
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.plan import BACKUP_FIRST, plan, restore
from tests.functional.shell import Openstack, Somebody, Terminal
from tests.functional.targets import commands_in
from tests.functional.test_hostile_arguments import SOME, hostile
from tests.functional.wire import (
    PROVIDER,
    UNKNOWN,
    creations,
    requests,
    restores,
)
from tests.sandbox import Fault, LoggedRequest, Sandbox
from tests.sandbox.model import CheckpointItem, Server, Volume
from tests.sandbox.restoration import INCOMPLETE, REASON
from vbsclient.restoring import servers

RESTORE = ('csbs', 'backup', 'restore')
JSON = ('-f', 'json')
FAILED = '1 of 1 servers failed to restore.'

#: A contract with scripts.
KEYS = [
    *('Type', 'ID', 'Name', 'Target', 'Target Name', 'Source', 'Result'),
    *('Detail', 'Requested At', 'Finished At', 'Request ID'),
]
PLAN_KEYS = [
    *('Backup Disk', 'Source', 'Source Name', 'Target', 'Target Name'),
    *('Size', 'Target Size', 'Zone', 'Check'),
]


@pytest.fixture
def cloud(cloud: CloudFactory) -> CloudFactory:
    """One that shows its volumes."""
    return partial(cloud, catalog='vbs+volumev3')


@pytest.fixture(autouse=True)
def _nothing_settles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, '_SETTLED_AFTER', 0.0)


class Case:
    """A server with two disks and a backup, and another such server."""

    def __init__(self, c: Sandbox, **server: Any) -> None:
        self.cloud = c
        self.server: Server = c.state.add_server('web01', 2, **server)
        self.other: Server = c.state.add_server('web02', 2)
        run = c.state.add_checkpoint([self.server, self.other], 'weekly')
        self.backup: CheckpointItem = run.items[0]
        self.system: Volume
        self.data: Volume
        self.system, self.data = self.server.volumes

    @property
    def named(self) -> str:
        return self.backup.id

    @property
    def sent(self) -> list[tuple[str, Any]]:
        return restores(self.cloud)

    @property
    def own(self) -> dict[str, str]:
        """Each disk in the backup onto what it was made of."""
        return {part.backup_id: part.volume_id for part in self.backup.parts}

    @property
    def mapping(self) -> dict[str, str]:
        """What was sent, of the only request."""
        [(path, body)] = self.sent
        assert path == 'POST /csbs/v1/{P}/restores'
        assert body['provider_id'] == PROVIDER
        assert body['checkpoint_id'] == self.backup.checkpoint_id
        assert body['parameters']['checkpoint_item_id'] == self.backup.id
        volumes = body['parameters']['targets']['volumes']
        return {one['backup_id']: one['volume_id'] for one in volumes}

    @property
    def power_on(self) -> bool:
        [(_, body)] = self.sent
        value = body['parameters']['power_on']
        assert isinstance(value, bool)
        return value

    def overwritten(self) -> dict[str, str]:
        """The contents of all volumes of the cloud that are not their own."""
        return {
            volume.content: volume.id
            for volume in self.cloud.state.volumes.values()
            if volume.content is not None
        }

    def check_untouched(self) -> None:
        assert self.sent == []
        assert self.overwritten() == {}
        assert self.cloud.state.restores == {}


# -- what is overwritten ---------------------------------------------------


@pytest.mark.parametrize('by', ['id', 'name'])
def test_each_volume_gets_what_was_saved_of_it(
    cloud: CloudFactory, openstack: Openstack, by: str
) -> None:
    case = Case(cloud())
    case.backup.name = 'pre-patch'
    typed = 'pre-patch' if by == 'name' else case.backup.id
    (row,) = restore(openstack, *RESTORE, typed, '--yes', *JSON).json()
    assert case.mapping == case.own == case.overwritten()
    assert (row['Result'], row['Target']) == ('accepted', case.server.id)
    assert case.sent[0][1]['parameters']['targets']['server_id'] == (
        case.server.id
    )


@pytest.mark.parametrize('by', ['name', 'id', 'backup'])
def test_another_server_gets_what_is_named(
    cloud: CloudFactory, openstack: Openstack, by: str
) -> None:
    case = Case(cloud())
    targets = case.other.volumes
    pairs = []
    for part, target in zip(case.backup.parts, targets, strict=True):
        source = {
            'name': part.volume_name,
            'id': part.volume_id,
            'backup': part.backup_id,
        }[by]
        named = target.name if by == 'name' else target.id
        pairs.append(f'--volume={source}={named}')
    command = (*RESTORE, case.named, '--server=web02', *pairs)
    restore(openstack, *command, '--yes')
    assert case.mapping == case.overwritten()
    assert list(case.mapping.values()) == [volume.id for volume in targets]


def test_another_server_alone_shows_what_to_fill_in(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    case = Case(cloud())
    result = openstack.run(
        *RESTORE, case.named, '--server', 'web02', '--yes', *JSON
    )
    assert result.code == 1
    assert result.json()[0]['Result'] == 'refused'
    for part in case.backup.parts:
        assert part.volume_name in result.stderr
        assert f'--volume {part.volume_name}=<target>' in result.stderr
    case.check_untouched()
    dry = openstack.run(
        *RESTORE, case.named, '--server', 'web02', '--dry-run', *JSON
    )
    assert dry.code == 1
    assert [row['Target'] for row in dry.json()] == [None, None]
    assert '--volume' in dry.stderr
    case.check_untouched()


@pytest.mark.parametrize(
    ('status', 'options', 'expected'),
    [
        ('ACTIVE', (), True),
        ('SHUTOFF', (), False),
        ('SHUTOFF', ('--power-on',), True),
        ('ACTIVE', ('--no-power-on',), False),
    ],
)
def test_the_server_is_started_as_it_was_said(
    cloud: CloudFactory,
    openstack: Openstack,
    status: str,
    options: tuple[str, ...],
    expected: bool,
) -> None:
    case = Case(cloud(), status=status)
    result = openstack(
        *(*RESTORE, case.named, '--wait', *options),
        stdin=Terminal('y\n'),
        complains=[...],
        code=0,
    )
    assert case.power_on is expected
    said = 'starts it afterwards' if expected else 'does not start it'
    assert said in result.stderr
    assert case.server.status == ('ACTIVE' if expected else 'SHUTOFF')


@pytest.mark.parametrize('options', ['--yes', '--wait', '--dry-run'])
def test_the_keys_of_a_row(
    cloud: CloudFactory, openstack: Openstack, options: str
) -> None:
    case = Case(cloud())
    dry = options == '--dry-run'
    command = (*RESTORE, case.named, '--yes', options, *JSON)
    if dry:
        result = openstack(*command, complains=[...], code=0)
        # The table is on stdout.
        assert '|' not in result.stderr
    else:
        result = restore(openstack, *command)
    rows = result.json()
    assert len(rows) == (2 if dry else 1)
    assert [list(row) for row in rows] == [PLAN_KEYS if dry else KEYS] * len(
        rows
    )
    if dry:
        assert {r['Backup Disk']: r['Target'] for r in rows} == case.own
        assert {r['Check'] for r in rows} == {'overwrites'}
        case.check_untouched()
    else:
        assert rows[0]['Type'] == 'server'
        assert (rows[0]['ID'], rows[0]['Source']) == (case.backup.id, 'CSBS')


# -- what is refused -------------------------------------------------------


def _na(case: Case) -> None:
    case.backup.restore_mode = 'na'


def _broken(case: Case) -> None:
    case.backup.status = 'error'


def _resized(case: Case) -> None:
    case.server.status = 'VERIFY_RESIZE'


def _busy(case: Case) -> None:
    case.server.task_state = 'rebooting'


def _detached(case: Case) -> None:
    case.cloud.state.detach(case.server, case.data)


def _shareable(case: Case) -> None:
    case.data.multiattach = True


def _small(case: Case) -> None:
    case.data.size = 19


def _denied(case: Case) -> None:
    case.server.restorable = False
    case.server.restorable_code = 'CSBS.6061'
    case.server.restorable_message = 'The storage pod cannot do it.'


REFUSALS = {
    'mode na': (_na, 'cannot be restored (mode na)'),
    'backup': (_broken, 'the status of the backup is error'),
    'server': (_resized, 'the status of the server is VERIFY_RESIZE'),
    'busy': (_busy, 'the server is busy (rebooting)'),
    'detached': (_detached, 'the target is not attached to the server'),
    'shared disk': (_shareable, 'the target can be shared by servers'),
    'too small': (_small, 'the target has 19 GB, and 20 GB are needed'),
    'denied': (_denied, 'The storage pod cannot do it (code CSBS.6061)'),
}


@pytest.mark.parametrize(
    ('change', 'told'), REFUSALS.values(), ids=REFUSALS.keys()
)
def test_what_cannot_be_restored_is_refused_whatever_is_said(
    cloud: CloudFactory,
    openstack: Openstack,
    change: Callable[[Case], None],
    told: str,
) -> None:
    case = Case(cloud())
    change(case)
    for options in (('--yes', '--force'), ('--yes',), ('--dry-run',)):
        result = openstack.run(*RESTORE, case.named, *options, *JSON)
        assert result.code == 1, result
        assert told in result.stderr
        case.check_untouched()


@pytest.mark.parametrize(
    ('pairs', 'told'),
    [
        (['{1}={0}'], 'another volume in the backup has the same target'),
        (['{0}={1}', '{1}={0}'], 'a system disk would go onto a data disk'),
        (['ghost={0}'], 'backup has no volume ghost'),
        (['{0}=ghost'], "No volume found for 'ghost'"),
        (['{0}={2}'], 'the target is not attached to the server'),
    ],
    ids=['twice', 'kinds', 'source', 'target', 'elsewhere'],
)
def test_a_mapping_that_does_not_fit_is_refused(
    cloud: CloudFactory, openstack: Openstack, pairs: list[str], told: str
) -> None:
    case = Case(cloud())
    ids = [case.system.id, case.data.id, case.other.volumes[0].id]
    options = [f'--volume={pair.format(*ids)}' for pair in pairs]
    result = openstack.run(*RESTORE, case.named, *options, '--yes', *JSON)
    assert result.code == 1
    assert told in result.stderr
    case.check_untouched()


def test_force_leaves_the_kinds_of_disks_to_the_service(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    case = Case(cloud())
    case.system.bootable = False
    command = (*RESTORE, case.named, '--yes', *JSON)
    assert 'system disk' in openstack.run(*command).stderr
    case.check_untouched()
    restore(openstack, *command, '--force')
    assert case.mapping == case.own == case.overwritten()


def test_a_backup_of_another_project_is_not_restored(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    case = Case(c)
    theirs = c.state.add_project('partner', member=False).id
    server = c.state.add_server('theirs', project_id=theirs)
    run = c.state.add_checkpoint([server], project_id=theirs)
    result = openstack.run(*RESTORE, run.items[0].id, '--yes')
    assert result.code == 1, result
    case.check_untouched()


@pytest.mark.parametrize('lost', ['{"restorable": []}', '{}'])
def test_what_the_service_does_not_approve_is_not_sent(
    cloud: CloudFactory, openstack: Openstack, lost: str
) -> None:
    case = Case(cloud())
    case.cloud.knobs.faults.append(
        Fault('body', 'POST', 'resources/action', body=lost, times=None)
    )
    result = openstack.run(*RESTORE, case.named, '--yes', *JSON)
    assert result.code == 1, result
    case.check_untouched()


@pytest.mark.parametrize(
    ('arguments', 'told'),
    [
        (('x', '--volume=a'), 'is not <source>=<target>'),
        (('x', '--volume==b'), 'is not <source>=<target>'),
        (('x', '--volume=a=b=c'), 'has more than one "="'),
        (('x', '--volume=a=b', '--volume=a=c'), 'more than once'),
        (('x', '--power-on', '--no-power-on'), 'not allowed with'),
        (('x', '--power'), 'unrecognized arguments: --power'),
        (('x', 'y'), 'unrecognized arguments'),
    ],
)
def test_a_mistake_on_the_command_line_is_said_before_anything_is_sent(
    cloud: CloudFactory,
    openstack: Openstack,
    arguments: tuple[str, ...],
    told: str,
) -> None:
    case = Case(cloud())
    openstack(*RESTORE, *arguments, complains=[..., told, ...], code=2)
    assert requests(case.cloud) == []


def test_a_cloud_that_is_read_only_restores_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    case = Case(cloud())
    config = {'vbsclient_read_only': True}
    openstack(
        *(*RESTORE, case.named, '--yes'),
        config=config,
        complains=[re.compile('read-only.*nothing was changed')],
    )
    assert requests(case.cloud) == []
    dry = openstack.run(*RESTORE, case.named, '--dry-run', config=config)
    assert dry.code == 0, dry
    case.check_untouched()


@pytest.mark.parametrize('text', SOME.values(), ids=SOME)
def test_a_hostile_argument_overwrites_nothing(
    cloud: CloudFactory, openstack: Openstack, text: str
) -> None:
    case = Case(cloud())
    target = hostile(text, case.data.id)
    for words in (
        ('--', hostile(text, case.named)),
        (f'--server={hostile(text, case.server.id)}', case.named),
        (f'--volume={case.data.id}={target}', case.named),
    ):
        result = openstack.run(*RESTORE, '--yes', *words)
        assert result.code in (1, 2), result
        assert 'Traceback' not in result.stderr
        case.check_untouched()


# -- the question ----------------------------------------------------------


def test_without_a_terminal_nothing_is_restored_and_the_list_is_shown(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    case = Case(cloud())
    result = openstack(
        *(*RESTORE, case.named),
        complains=[
            *plan(2),
            'This would overwrite 2 volumes, as listed above: add --yes. '
            'Nothing was overwritten.',
        ],
    )
    for volume in case.server.volumes:
        assert volume.name in result.stderr
    case.check_untouched()


def test_volumes_of_one_name_are_told_apart_by_their_ids(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    case = Case(cloud())
    for volume in (*case.server.volumes, *case.other.volumes):
        volume.name = 'disk'
    for part in case.backup.parts:
        part.volume_name = 'disk'
    ids = [volume.id for volume in case.server.volumes]
    own = [re.compile(rf'\| disk +\| disk \({id}\) \|') for id in ids]
    others = [volume.id for volume in case.other.volumes]
    pairs = list(zip(ids, others, strict=True))
    foreign = [
        re.compile(rf'\| disk \({source}\) \| disk \({target}\) \|')
        for source, target in pairs
    ]
    for options, rows in (
        ([], own),
        (
            ['--server=web02', *(f'--volume={s}={t}' for s, t in pairs)],
            foreign,
        ),
    ):
        openstack(
            *(*RESTORE, case.named, *options),
            complains=[*plan(rows=rows), 'This would overwrite 2 volumes'],
        )
    # What one of them is called names none of them.
    result = openstack.run(*RESTORE, case.named, '--volume=disk=disk', '--yes')
    assert 'The backup has more than one volume disk' in result.stderr
    for id in ids:
        assert id in result.stderr
    case.check_untouched()


def test_what_is_missing_is_named_as_options_to_paste(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    case = Case(cloud())
    first, second = case.backup.parts
    first.volume_name = 'a disk'
    second.volume_name = 'a=b'
    result = openstack.run(*RESTORE, case.named, '--server=web02', '--dry-run')
    # A name with an equals sign cannot be given; its ID can.
    assert (
        f"--volume 'a disk'=<target> --volume {second.volume_id}=<target>"
    ) in result.stdout + result.stderr
    case.check_untouched()


@pytest.mark.parametrize(('answer', 'goes'), [('n', False), ('y', True)])
def test_the_question_names_server_project_and_cloud(
    cloud: CloudFactory, openstack: Openstack, answer: str, goes: bool
) -> None:
    case = Case(cloud())
    new = case.cloud.state.add_volume('since')
    case.cloud.state.attach(case.server, new)
    result = openstack.run(*RESTORE, case.named, stdin=Terminal(f'{answer}\n'))
    assert (
        f'Overwrite 2 volumes of the server web01 ({case.server.id}), 40 GB, '
        f'in project demo of cloud sandbox? [y/N]'
    ) in result.stderr
    assert 'The server is ACTIVE. The service stops it' in result.stderr
    assert 'Not touched: since.' in result.stderr
    assert result.code == (0 if goes else 1)
    if goes:
        assert case.mapping == case.own == case.overwritten()
        assert new.content is None
    else:
        case.check_untouched()


def _enlarged(case: Case) -> None:
    case.data.size = 30


def _stopped(case: Case) -> None:
    case.server.status = 'SHUTOFF'


def _attached(case: Case) -> None:
    volume = case.cloud.state.add_volume('new')
    case.cloud.state.attach(case.server, volume)


@pytest.mark.parametrize(
    ('change', 'told'),
    [
        (_enlarged, 'the size of the volume {data} was 20 and is now 30'),
        (_detached, 'the volumes of the server was {every} and is now '),
        (_stopped, 'status of the server was ACTIVE and is now SHUTOFF'),
        (_attached, 'the volumes of the server was {every} and is now '),
        (_broken, 'the status of the backup is error: only one that'),
        (_denied, 'the service says that it cannot be restored: '),
    ],
)
def test_what_changes_while_the_question_is_open_stops_it(
    cloud: CloudFactory,
    openstack: Openstack,
    change: Callable[[Case], None],
    told: str,
) -> None:
    case = Case(cloud())
    every = ', '.join(sorted(volume.id for volume in case.server.volumes))
    result = openstack.run(
        *RESTORE, case.named, stdin=Somebody('y', lambda: change(case))
    )
    assert result.code == 1
    assert 'Something has changed since it was shown: ' in result.stderr
    assert told.format(data=case.data.id, every=every) in result.stderr
    assert 'Nothing was overwritten.' in result.stderr
    case.check_untouched()


# -- a backup before -------------------------------------------------------


@pytest.mark.parametrize('creation', ['succeeds', 'fails'])
def test_the_present_data_are_saved_before(
    cloud: CloudFactory, openstack: Openstack, creation: str
) -> None:
    case = Case(cloud(creation=creation, creation_time=0.01))
    result = openstack.run(
        *RESTORE, case.named, '--yes', '--backup-first', '--wait', *JSON
    )
    [(path, _)] = creations(case.cloud)
    assert f'/{case.server.id}/' in path
    if creation == 'succeeds':
        assert result.code == 0, result
        assert result.json()[0]['Result'] == 'restored'
        assert case.mapping == case.own == case.overwritten()
    else:
        assert result.code == 1
        assert result.json()[0]['Type'] == 'backup'
        assert (
            'Nothing was overwritten. The backup that was to be created first '
            'is not available.\n'
        ) in result.stderr
        assert '1 of 1 backups failed to create.' in result.stderr
        case.check_untouched()


@pytest.mark.parametrize('creation', ['hangs', 'interrupted'])
def test_a_backup_before_that_is_not_finished_is_told_with_its_command(
    cloud: CloudFactory, openstack: Openstack, creation: str
) -> None:
    seen = threading.Event()
    ends = creation == 'interrupted'

    def watch(request: LoggedRequest) -> None:
        if creations(case.cloud) and request.method == 'GET':
            seen.set()

    c = cloud(creation='hangs', on_finished=lambda request: watch(request))
    case = Case(c)
    process = openstack.start(
        *(*RESTORE, case.named, '--yes', '--backup-first', *JSON),
        *([] if ends else ['--timeout=0.2s']),
    )
    if ends:
        assert seen.wait(30)
        process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == (130 if ends else 3), stderr
    (row,) = json.loads(stdout)
    assert (row['Type'], row['Result']) == ('backup', 'accepted')
    assert 'Nothing was overwritten.' in stderr
    [command] = commands_in(stderr.partition(BACKUP_FIRST)[2] or stderr)
    assert command[:4] == ['csbs', 'checkpoint', 'show', '--wait']
    assert command[4] != case.backup.checkpoint_id
    case.check_untouched()


# -- what comes of it ------------------------------------------------------


#: What a backup shows, whether an older restore had failed, and what is said.
SCRIPTS = {
    'a good one': ({}, False, 'restored'),
    'a good one behind a failure': ({}, True, 'restored'),
    'a failure': ({'restore': 'fails'}, False, 'failed'),
    'a failure again': ({'restore': 'fails'}, True, 'failed'),
    'a broken backup': ({'restore': 'breaks'}, False, 'failed'),
    'a good one that keeps a failure': (
        {'restore_keeps_failure': True, 'restore_traces': ('status',)},
        True,
        'unknown',
    ),
    'one that only leaves a time': (
        {'restore_traces': ('updated_at',), 'restore_time': 0},
        False,
        'restored',
    ),
}


@pytest.mark.parametrize(
    ('knobs', 'has_failed', 'said'), SCRIPTS.values(), ids=SCRIPTS.keys()
)
def test_the_backup_tells_what_became_of_it(
    cloud: CloudFactory,
    openstack: Openstack,
    knobs: dict[str, Any],
    has_failed: bool,
    said: str,
) -> None:
    case = Case(cloud(**{'restore_time': 0.1, **knobs}))
    if has_failed:
        case.backup.fail('restore', REASON)
    result = openstack.run(*RESTORE, case.named, '--yes', '--wait', *JSON)
    (row,) = result.json()
    assert row['Result'] == said, result
    assert result.code == (0 if said == 'restored' else 1)
    if said == 'failed':
        assert REASON.rstrip('.') in result.stderr
        assert set(case.overwritten()) == {INCOMPLETE}
    else:
        assert case.own == case.overwritten()
    assert len(case.sent) == 1


@pytest.mark.parametrize(
    ('knobs', 'delay'), [({'restore': 'never-begins'}, 0), ({}, 3600)]
)
def test_one_that_is_not_seen_to_begin_is_never_a_success(
    cloud: CloudFactory,
    openstack: Openstack,
    knobs: dict[str, Any],
    delay: float,
) -> None:
    case = Case(cloud(restore_delay=delay, **knobs))
    result = restore(
        openstack,
        *(*RESTORE, case.named, '--yes', '--wait', '--timeout=0.2s', *JSON),
        complains=[
            re.compile(
                '^1 of 1 servers is not restored yet: .* It was not seen to '
                'begin: look at the server; do not run this command again, .* '
                'To see what becomes of it:$'
            ),
            f'  openstack csbs backup show {case.backup.id}',
            f'  openstack server show {case.server.id}',
        ],
        code=3,
    )
    assert result.json()[0]['Result'] == 'accepted'
    assert case.overwritten() == {}


def test_a_timeout_hands_over_a_command_that_goes_on(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    moment = [0.0]
    case = Case(cloud(restore_time=10, clock=lambda: moment[0]))
    result = restore(
        openstack,
        *(*RESTORE, case.named, '--yes', '--wait', '--timeout=0.2s', *JSON),
        complains=[
            '1 of 1 servers is not restored yet',
            'openstack csbs',
            'openstack server',
        ],
        code=3,
    )
    assert 'do not run this command again' in result.stderr
    command, look = commands_in(result.stderr)
    assert command == ['csbs', 'backup', 'show', '--wait', case.backup.id]
    assert look == ['server', 'show', case.server.id]
    moment[0] = 20
    assert openstack(*command, *JSON).json()['status'] == 'available'
    assert case.mapping == case.own == case.overwritten()


@pytest.mark.parametrize('outcome', ['succeeds', 'fails'])
def test_a_service_that_shows_restores_is_believed(
    cloud: CloudFactory, openstack: Openstack, outcome: str
) -> None:
    case = Case(cloud(restores_shown=True, restore=outcome, restore_traces=()))
    result = openstack.run(*RESTORE, case.named, '--yes', '--wait', *JSON)
    said = 'restored' if outcome == 'succeeds' else 'failed'
    assert result.json()[0]['Result'] == said, result


@pytest.mark.parametrize('action', ['reset-before', 'reset-after', 'truncate'])
def test_a_lost_answer_is_settled_by_reading(
    cloud: CloudFactory, openstack: Openstack, action: str
) -> None:
    case = Case(cloud(restore_time=3600))
    case.cloud.knobs.faults.append(
        Fault(action, 'POST', '/restores$', times=None)
    )
    result = openstack.run(*RESTORE, case.named, '--yes', *JSON)
    (row,) = result.json()
    assert len(case.sent) == 1
    if action == 'reset-before':
        assert (row['Result'], result.code) == ('unknown', 1)
        assert 'Do not run the command again' in result.stderr
        command, _ = commands_in(result.stderr)
        # It does not wait for what may never begin.
        assert command == ['csbs', 'backup', 'show', case.backup.id]
    else:
        assert (row['Result'], result.code) == ('accepted', 0), result
        # Its volumes are not overwritten yet.
        is_odd = action == 'truncate'
        what = 'was not the documented one' if is_odd else 'was lost'
        assert row['Detail'] == (
            f'its answer {what}: the backup is being restored, by this '
            f'request or by somebody else'
        )
        assert len(case.cloud.state.restores) == 1


def test_what_may_be_the_work_of_somebody_else_is_no_success(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    moment = [0.0]

    def watch(request: LoggedRequest) -> None:
        if request.path.endswith('/restores'):
            moment[0] = 5.0
        elif moment[0] and request.path.endswith(case.backup.id):
            moment[0] += 3.0

    # The backup does not show that it is being restored, the volumes do.
    case = Case(
        cloud(
            restore_time=10,
            restore_traces=('updated_at', 'taskid'),
            clock=lambda: moment[0],
            on_finished=lambda request: watch(request),
        )
    )
    case.cloud.knobs.faults.append(Fault('reset-after', 'POST', '/restores$'))
    result = restore(
        openstack,
        *(*RESTORE, case.named, '--yes', '--wait', *JSON),
        complains=[
            re.compile(
                'Whether server web01 .* is restored is unknown: the target '
                'was overwritten, and nothing tells whether from this backup: '
                'its answer was lost. Do not run the command again before '
                'you have looked at it:$'
            ),
            re.compile(
                f'^  openstack csbs backup show (--wait )?{case.backup.id}$'
            ),
            f'  openstack server show {case.server.id}',
            'The state of 1 of 1 servers is unknown.',
        ],
    )
    assert result.json()[0]['Result'] == 'unknown'
    assert len(case.sent) == 1


def test_a_refusal_while_the_target_is_overwritten_proves_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    def begin(request: LoggedRequest) -> None:
        if request.path.endswith('/restores'):
            case.data.status = 'restoring-backup'

    case = Case(
        cloud(
            on_finished=begin,
            faults=[Fault('status', 'POST', '/restores$', 409, times=None)],
        )
    )
    result = restore(
        openstack,
        *(*RESTORE, case.named, '--yes', *JSON),
        complains=[
            re.compile(
                'Whether server web01 .* is restored is unknown: .*; and yet '
                'the target is being overwritten'
            ),
            f'  openstack csbs backup show {case.backup.id}',
            f'  openstack server show {case.server.id}',
            'The state of 1 of 1 servers is unknown.',
        ],
    )
    assert result.json()[0]['Result'] == 'unknown'
    assert len(case.sent) == 1


@pytest.mark.parametrize(
    ('change', 'told'),
    [
        ({'status': 'fail'}, 'answers with a restore in status fail'),
        ({'checkpoint_id': UNKNOWN}, UNKNOWN),
        (
            {'parameters': {'targets': {'server_id': UNKNOWN}}},
            UNKNOWN,
        ),
    ],
    ids=['fail', 'checkpoint', 'server'],
)
def test_an_answer_about_something_else_is_never_a_success(
    cloud: CloudFactory,
    openstack: Openstack,
    change: dict[str, Any],
    told: str,
) -> None:
    case = Case(cloud(restore_time=0.1))
    case.cloud.knobs.faults.append(
        Fault(
            'body',
            'POST',
            '/restores$',
            body=json.dumps({'restore': {'id': UNKNOWN, **change}}),
        )
    )
    result = restore(
        openstack,
        *(*RESTORE, case.named, '--yes', '--wait', *JSON),
        complains=[
            re.compile(f'is restored is unknown: .*{told}'),
            re.compile('^  openstack csbs backup show '),
            re.compile('^  openstack server show '),
            'The state of 1 of 1 servers is unknown.',
        ],
    )
    assert result.json()[0]['Result'] == 'unknown'
    assert len(case.sent) == 1


def test_the_command_that_goes_on_tells_a_failure(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    moment = [0.0]

    def watch(request: LoggedRequest) -> None:
        if waits and request.path.endswith(case.backup.id):
            moment[0] += 4.0

    waits = False
    case = Case(
        cloud(
            restore='fails',
            restore_time=10,
            clock=lambda: moment[0],
            on_finished=lambda request: watch(request),
        )
    )
    restore(openstack, *RESTORE, case.named, '--yes', *JSON)
    waits = True
    show = ('csbs', 'backup', 'show', case.backup.id)
    result = openstack(
        *(*show, '--wait', *JSON),
        complains=[
            re.compile(
                f'The backup {case.backup.id} has the status available: .*'
                f'{re.escape(REASON.rstrip("."))}'
            )
        ],
        code=1,
    )
    assert result.json()['status'] == 'available'
    # Of one that is at rest nobody can say of what it tells.
    assert openstack(*show, '--wait', *JSON).json()['status'] == 'available'


def test_ctrl_c_in_a_wait_names_the_backup(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    seen = threading.Event()
    polls = 0

    def watch(request: LoggedRequest) -> None:
        nonlocal polls
        polls += bool(case.sent) and request.path.endswith(case.backup.id)
        # What the first one shows is known when the second one comes.
        if polls == 2:
            seen.set()

    c = cloud(restore='hangs', on_finished=lambda request: watch(request))
    case = Case(c)
    process = openstack.start(*RESTORE, case.named, '--yes', '--wait', *JSON)
    assert seen.wait(30)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert json.loads(stdout)[0]['Result'] == 'accepted'
    resume = ['csbs', 'backup', 'show', '--wait', case.backup.id]
    assert resume in commands_in(stderr)
    assert len(case.sent) == 1


def test_the_journal_has_what_was_overwritten_with_what(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    case = Case(cloud())
    path = openstack.home / 'journal'
    restore(openstack, *RESTORE, case.named, '--yes', f'--journal={path}')
    request, answer = map(json.loads, path.read_text().splitlines())
    for line in (request, answer):
        assert line['action'] == f'restore from {case.backup.id}'
        assert line['id'] == case.server.id
        assert line['command'] == 'csbs backup restore'
    assert (request['event'], answer['event']) == ('request', 'answer')
    assert answer['result'] == 'accepted'
