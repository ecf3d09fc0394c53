# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs job show``, and the waits of the other shows."""

import re
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.reading import only_gets
from tests.functional.shell import Openstack
from tests.functional.wire import UNKNOWN, requests
from tests.sandbox import Fault, LoggedRequest, Sandbox
from vbsclient.waiting import Patience

__all__ = ['only_gets']

pytestmark = pytest.mark.usefixtures('only_gets')

SHOW = ('vbs', 'job', 'show')


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Patience, 'pause', lambda self, elapsed: 0.01)


#: A contract with scripts.
KEYS = [
    *('id', 'type', 'status', 'entities', 'begin_time', 'end_time'),
    *('error_code', 'fail_reason', 'sub_jobs'),
]


def a_job(sandbox: Sandbox, **keywords: Any) -> Any:
    """(A job that makes a backup, that backup)."""
    state = sandbox.state
    backup = state.add_backup(status='creating', **keywords)
    return state.add_job('bksCreateBackup', backup), backup


def test_a_job_is_shown(cloud: CloudFactory, openstack: Openstack) -> None:
    c = cloud()
    job, backup = a_job(c)
    shown = openstack(*SHOW, job.id, '-f', 'json').json()
    assert list(shown) == KEYS
    assert (shown['id'], shown['status']) == (job.id, 'RUNNING')
    assert shown['entities']['volume_id'] == backup.volume_id
    assert shown['end_time'] is None
    c.state.finish_backup(backup)
    table = openstack(*SHOW, job.id).stdout
    assert f'backup_id={backup.id}' in table
    assert '| status      | SUCCESS' in table
    assert requests(c)[-1] == f'GET /vbs/v1/{{P}}/jobs/{job.id}'


def test_what_a_job_consists_of_is_shown(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(sub_jobs=True)
    job, _ = a_job(c)
    shown = openstack(*SHOW, job.id, '-f', 'json').json()
    [part] = shown['sub_jobs']
    assert f'{part["job_id"]} (RUNNING)' in openstack(*SHOW, job.id).stdout


@pytest.mark.parametrize(
    ('id', 'told'),
    [
        ('0' * 32, 'VBS may have forgotten a job that ended long ago'),
        (UNKNOWN, 'vbs backup list" shows what it has created'),
        ('a/b', "No job found for 'a/b'."),
        ('..', "No job found for '..'."),
        ('', "No job found for ''."),
        ('x' * 65, 'No job found for'),
    ],
)
def test_a_job_that_there_is_not(
    cloud: CloudFactory, openstack: Openstack, id: str, told: str
) -> None:
    c = cloud()
    openstack(*SHOW, '--', id, complains=[told])
    openstack(*SHOW, '--wait', '--', id, complains=[told])
    assert all(len(text) < 150 for text in requests(c))


def test_block_storage_alone_has_no_jobs(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    cloud(catalog='volumev3', csbs_catalog=None)
    openstack(*SHOW, '0' * 32, complains=['which knows no jobs'])


# -- show --wait -----------------------------------------------------------


class Thing:
    """Something that is being made, and the command that waits for it."""

    def __init__(self, command: str, state: Any, name: str) -> None:
        self.command = (*command.split(), 'show', '--wait')
        self.status: Any = 'available'
        self.failed: Any = 'error'
        self._state = state
        if command.startswith('csbs'):
            run = state.add_checkpoint(2, name, status='protecting')
            self.items = run.items
            self.id = run.items[0].id
            if command == 'csbs checkpoint':
                self.id = run.id
                # Those of its backups.
                self.status, self.failed = ['available'], ['error']
        else:
            self.items = [state.add_backup(name, status='creating')]
            self.id = self.items[0].id
            if command == 'vbs job':
                self.status, self.failed = 'SUCCESS', 'FAIL'
                self.id = state.add_job('bksCreateBackup', self.items[0]).id

    def end(self, failed: str = '') -> None:
        state = self._state
        csbs = self.command[0] == 'csbs'
        finish = state.finish_item if csbs else state.finish_backup
        for item in self.items:
            finish(item, failed)


COMMANDS = ('vbs job', 'vbs backup', 'csbs backup', 'csbs checkpoint')


def waiting(
    start: CloudFactory, command: str, reason: str = ''
) -> tuple[Sandbox, Thing]:
    """A cloud in which a thing ends after some looks at it."""
    looks: list[str] = []

    def look(request: LoggedRequest) -> None:
        if re.search('/v./.*(jobs|backups|checkpoint)', request.path):
            looks.append(request.path)
            if len(looks) == 8:
                thing.end(reason)

    c = start(on_finished=look)
    thing = Thing(command, c.state, 'n1')
    return c, thing


@pytest.mark.parametrize('command', COMMANDS)
def test_a_wait_ends_with_what_it_has_become(
    cloud: CloudFactory, openstack: Openstack, command: str
) -> None:
    _, thing = waiting(cloud, command)
    shown = openstack(*thing.command, thing.id, '-f', 'json').json()
    assert (shown['id'], shown['status']) == (thing.id, thing.status)


@pytest.mark.parametrize('command', COMMANDS)
def test_a_failure_is_shown_and_is_one(
    cloud: CloudFactory, openstack: Openstack, command: str
) -> None:
    _, thing = waiting(cloud, command, 'The disk is full.')
    result = openstack(
        *(*thing.command, thing.id, '-f', 'json'),
        complains=[re.compile(f'{thing.id} has the status (error|FAIL)')],
    )
    assert result.json()['status'] == thing.failed
    if command == 'vbs job':
        assert result.json()['error_code'] == 'VolumeBackup.0064'
        assert 'FAIL: The disk is full, VolumeBackup.0064.' in result.stderr


@pytest.mark.parametrize('command', COMMANDS)
def test_a_timeout_shows_how_far_it_is(
    cloud: CloudFactory, openstack: Openstack, command: str
) -> None:
    thing = Thing(command, cloud().state, 'n1')
    result = openstack(
        *(*thing.command, '--timeout=0.1s', thing.id, '-f', 'json'),
        complains=[re.compile(f'{thing.id}.* is not .* yet')],
        code=3,
    )
    assert result.json()['id'] == thing.id
    thing.end()
    openstack(*thing.command, thing.id)


@pytest.mark.parametrize('command', COMMANDS)
@pytest.mark.parametrize(
    ('fault', 'more'),
    [('reset-after', {}), ('status', {'status': 500}), ('truncate', {})],
    ids=['lost', '500', 'truncated'],
)
def test_a_look_that_fails_does_not_end_a_wait(
    cloud: CloudFactory,
    openstack: Openstack,
    command: str,
    fault: str,
    more: dict[str, Any],
) -> None:
    c, thing = waiting(cloud, command)
    c.knobs.faults.append(
        Fault(fault, 'GET', f'v./.*({thing.id}|checkpoint)', skip=4, **more)
    )
    shown = openstack(*thing.command, thing.id, '-f', 'json').json()
    assert shown['status'] == thing.status


@pytest.mark.parametrize('command', ['vbs backup', 'csbs backup'])
def test_what_is_named_is_waited_for_too(
    cloud: CloudFactory, openstack: Openstack, command: str
) -> None:
    _, thing = waiting(cloud, command)
    if command == 'csbs backup':
        # Both have the same name else.
        thing.items[1].name = 'other'
    shown = openstack(*thing.command, 'n1', '-f', 'json').json()
    assert (shown['id'], shown['status']) == (thing.id, thing.status)


@pytest.mark.parametrize('command', COMMANDS[1:])
def test_what_is_at_rest_is_shown_at_once(
    cloud: CloudFactory, openstack: Openstack, command: str
) -> None:
    c = cloud()
    thing = Thing(command, c.state, 'n1')
    thing.end()
    before = openstack(*thing.command[:3], thing.id).stdout
    spent = len(requests(c))
    assert openstack(*thing.command, thing.id).stdout == before
    assert len(requests(c)) == 2 * spent


def test_a_timeout_alone_limits_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    for command in COMMANDS:
        openstack(
            *(*command.split(), 'show', '--timeout=5s', UNKNOWN),
            complains=[..., '--timeout goes with --wait'],
            code=2,
        )
    assert requests(c) == []


@pytest.mark.parametrize('command', COMMANDS[1:3])
def test_what_is_not_there_is_not_waited_for(
    cloud: CloudFactory, openstack: Openstack, command: str
) -> None:
    cloud()
    openstack(
        *(*command.split(), 'show', '--wait', UNKNOWN),
        complains=[f"backup found for '{UNKNOWN}'"],
    )


def test_a_checkpoint_that_appears_late_is_waited_for(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    looks: list[str] = []

    def look(request: LoggedRequest) -> None:
        if 'checkpoint_items' in request.path:
            looks.append(request.path)
            if len(looks) == 4:
                state.items_of[c.project_id].add(item)
                state.items[item.id] = item

    c = cloud(on_finished=look)
    state = c.state
    run = state.add_checkpoint()
    [item] = run.items
    state.items_of[c.project_id].remove(item)
    del state.items[item.id]
    shown = openstack(
        'csbs', 'checkpoint', 'show', '--wait', run.id, '-f', 'json'
    ).json()
    assert (shown['id'], shown['status']) == (run.id, ['available'])
    assert len(looks) >= 4


def test_one_that_has_not_appeared_in_time_is_not_finished(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    cloud()
    openstack(
        *('csbs', 'checkpoint', 'show', '--wait', '--timeout=0.1s', UNKNOWN),
        complains=[f'The checkpoint {UNKNOWN} is not listed yet. '],
        code=3,
    )
