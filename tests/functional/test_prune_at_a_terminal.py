# SPDX-License-Identifier: Apache-2.0
"""Rules at a terminal, with signals and pipes, in a process of its own."""

import json
import signal
import threading
from datetime import timedelta

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack, Terminal
from tests.functional.test_interruption import (
    SOON,
    Trigger,
    check_groups,
    finish,
    groups,
    read_until,
    terminal,
)
from tests.functional.wire import deletes, vbs_delete
from tests.sandbox import Fault, LoggedRequest, Sandbox
from tests.sandbox.model import Backup

PRUNE = ('vbs', 'backup', 'prune', '--all-volumes', '--timezone', 'UTC')
QUESTION = '[y/N] '


def fill(c: Sandbox, count: int) -> list[Backup]:
    """Backups of one disk, one a day, the newest first."""
    disk = c.state.add_volume()
    return [
        c.state.add_backup(
            volume=disk, created_at=c.state.now() - timedelta(days=days)
        )
        for days in range(1, count + 1)
    ]


# -- the screen ------------------------------------------------------------


@pytest.mark.parametrize('dry', [True, False])
def test_ids_are_whole_on_a_narrow_screen(
    cloud: CloudFactory, openstack: Openstack, dry: bool
) -> None:
    c = cloud()
    backups = fill(c, 5)
    command = (*PRUNE, '--keep-last', '2', *(['--dry-run'] * dry))
    with terminal(openstack, *command, width=80) as (_, screen):
        asked = read_until(screen, 'Would delete' if dry else QUESTION)
    assert max(map(len, asked.splitlines())) <= 80
    volume = backups[0].volume_id
    assert f'Volume {volume}: 3 of 5 to delete' in asked
    assert asked.count(volume) == 1
    # The question is about what goes; of the rest there is a line.
    for number, backup in enumerate(backups):
        assert (backup.id in asked) == (dry or number >= 2)
    text = ' '.join(asked.split())
    newest = f'{backups[0].created_at:.19}'.replace('T', ' ')
    kept = (
        f'Kept: 2, the newest that can be restored is {backups[0].name} of '
        f'{newest}.'
    )
    assert (kept in text) != dry
    if not dry:
        assert text.endswith(
            'Delete 3 backups of 1 volume (60 GB nominal) in project demo of '
            'cloud sandbox? [y/N]'
        )
    assert deletes(c) == []


def test_a_program_gets_the_same_at_any_width(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    fill(c, 3)
    command = (*PRUNE, '--keep-last', '2', '--dry-run', '-f', 'json')
    told = [
        json.loads(openstack.run(*command, env={'COLUMNS': width}).stdout)
        for width in ('80', '1000')
    ]
    assert told[0] == told[1]
    assert 'Group' in told[0][0]


# -- signals ---------------------------------------------------------------


def test_ctrl_c_at_the_question_deletes_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    fill(c, 5)
    with terminal(openstack, *PRUNE, '--keep-last', '2') as (process, screen):
        read_until(screen, QUESTION)
        process.send_signal(signal.SIGINT)
        rest = read_until(screen, '')
        assert process.wait(30) == 130
    assert 'Interrupted before anything was sent.' in rest
    assert 'Traceback' not in rest
    assert deletes(c) == []


@pytest.mark.parametrize(
    ('look', 'number', 'code'),
    [(1, signal.SIGTERM, 143), (2, signal.SIGINT, 130)],
)
def test_an_interrupted_look_deletes_nothing(
    cloud: CloudFactory,
    openstack: Openstack,
    look: int,
    number: int,
    code: int,
) -> None:
    reached = threading.Event()
    # A look reads the backups and the shares.
    skip = 2 * (look - 1)
    hangs = Fault('hang', 'GET', 'detail', times=None, skip=skip)

    def watch(request: LoggedRequest) -> None:
        if request.service != 'identity':
            reached.set()

    c = cloud(on_finished=watch, faults=[hangs])
    fill(c, 5)
    process = openstack.start(*PRUNE, '--keep-last', '2', '--yes')
    assert reached.wait(30)
    while not hangs.hits:
        assert process.poll() is None
        threading.Event().wait(0.02)
    process.send_signal(number)
    seconds, _, stderr = finish(process)
    assert process.returncode == code
    assert seconds < SOON
    assert stderr == 'Interrupted before anything was sent.\n'
    assert deletes(c) == []


def test_an_interrupted_run_tells_what_it_did_of_its_plan(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    trigger = Trigger('DELETE', 20)
    c = cloud(latency=0.05, deletion_time=3600, on_finished=trigger)
    backups = fill(c, 150)
    process = openstack.start(*PRUNE, '--keep-last', '10', '--yes')
    trigger.wait()
    process.send_signal(signal.SIGINT)
    seconds, _, stderr = finish(process)
    assert process.returncode == 130
    assert seconds < SOON
    told = groups(stderr)
    check_groups(c, [backup.id for backup in backups[10:]], told)
    assert len(told['accepted']) >= 20
    assert told['not sent']
    assert all(backup.status == 'available' for backup in backups[:10])


# -- pipes -----------------------------------------------------------------


def test_a_reader_that_goes_away_ends_a_dry_run_quietly(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    fill(c, 1500)
    process = openstack.start(
        *PRUNE, '--keep-last', '2', '--dry-run', '-f', 'csv'
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith('"Group"')
    process.stdout.close()
    told = process.stderr.read().splitlines()
    assert [line.split()[0] for line in told] in (['Keep'], ['Keep', 'Would'])
    assert process.wait(30) == 141
    assert deletes(c) == []


# -- answers ---------------------------------------------------------------


@pytest.mark.parametrize(
    ('answer', 'goes'),
    [('yes\n', True), (' Y \n', True), ('yo\n', False), ('', False)],
)
def test_only_a_yes_is_one(
    cloud: CloudFactory, openstack: Openstack, answer: str, goes: bool
) -> None:
    c = cloud()
    backups = fill(c, 2)
    result = openstack.run(*PRUNE, '--keep-last', '1', stdin=Terminal(answer))
    assert result.code == (0 if goes else 1)
    assert deletes(c) == (vbs_delete(backups[1].id) if goes else [])
