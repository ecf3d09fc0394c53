# SPDX-License-Identifier: Apache-2.0
"""Signs of life on a real terminal, and in a log file."""

import re

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack
from tests.functional.targets import ROOMY, add_targets
from tests.functional.test_interruption import read_until, terminal

LIST = ('vbs', 'backup', 'list', '--limit', '10', '-f', 'value', '-c', 'ID')
DELETE = ('vbs', 'backup', 'delete', '--wait')
ERASED = '\x1b[2K'


def frames(screen: str) -> list[str]:
    """What the line showed, one after another, without its spinner."""
    return [
        frame.strip()
        for frame in re.findall(r'[\u2800-\u28ff] ([^\r\n\x1b]*)', screen)
    ]


@pytest.mark.parametrize('width', [40, 80])
def test_a_long_list_is_counted(
    cloud: CloudFactory, openstack: Openstack, width: int
) -> None:
    c = cloud(latency=0.2)
    backups = [c.state.add_backup() for _ in range(60)]
    env = {'TERM': 'xterm'}
    with terminal(openstack, *LIST, env=env, width=width) as (process, ours):
        screen = read_until(ours, '')
        assert process.wait(30) == 0
    shown = frames(screen)
    assert any(re.fullmatch('Reading backups: [1-6]0', f) for f in shown)
    # Nothing of it is left on the screen.
    rest = screen.rpartition(ERASED)[2]
    assert all(backup.id in rest for backup in backups)
    assert 'Reading' not in rest


def test_a_deletion_is_followed_from_its_start(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(latency=0.6, deletion_time=1.5)
    ids = [c.state.add_backup().id for _ in range(12)]
    env = {'TERM': 'xterm'}
    command = (*DELETE, '--concurrency', '3', *ids)
    with terminal(openstack, *command, env=env, width=80) as (process, ours):
        screen = read_until(ours, '')
        assert process.wait(60) == 0
    shown = frames(screen)
    assert 'Looking up 12 backups' in shown
    assert any(re.fullmatch(r'Deleting: \d+ of 12 backups', f) for f in shown)
    waiting = [frame for frame in shown if frame.startswith('Waiting')]
    assert waiting
    for frame in waiting:
        assert len(frame) < 80
        assert re.match(
            r'Waiting: \d+ of 12 deleted, \d+ deleting, \d+ queued, 0:\d\d',
            frame,
        )


@pytest.mark.parametrize(
    ('options', 'env', 'code'),
    [
        (('--progress', 'plain'), {}, 0),
        ((), {'TERM': 'dumb'}, 0),
    ],
)
def test_plain_lines_where_a_line_cannot_be_redrawn(
    cloud: CloudFactory,
    openstack: Openstack,
    options: tuple[str, ...],
    env: dict[str, str],
    code: int,
) -> None:
    c = cloud(deletion_time=5)
    backup = c.state.add_backup()
    command = (*DELETE, *options, backup.id)
    with terminal(openstack, *command, env=env, width=80) as (process, ours):
        screen = read_until(ours, '')
        assert process.wait(60) == code
    assert '\x1b' not in screen
    assert re.search('^Waiting: 0 of 1 deleted, 1 deleting', screen, re.M)


@pytest.mark.parametrize(
    ('verb', 'options', 'shown'),
    [
        ('delete', (), ''),
        ('delete', ('--progress', 'plain'), '0 of 1 deleted, 1 deleting, 0 '),
        ('create', ('--progress', 'plain'), '0 of 1 created, 1 creating, 0 '),
    ],
)
def test_without_a_terminal_only_on_request(
    cloud: CloudFactory,
    openstack: Openstack,
    verb: str,
    options: tuple[str, ...],
    shown: str,
) -> None:
    c = cloud(deletion_time=3, creation_time=3, **ROOMY)
    named = add_targets(c.state, f'vbs backup {verb}', 1)
    result = openstack.run(
        'vbs', 'backup', verb, '--wait', *options, *named.arguments
    )
    assert result.code == 0
    assert shown in result.stderr
    if not shown:
        assert result.stderr == ''
