# SPDX-License-Identifier: Apache-2.0
"""Every exit code, as a shell sees it."""

import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack
from tests.functional.targets import ROOMY
from tests.sandbox import CloudState, LoggedRequest
from vbsclient.osc.command.signals import ExitCode

DELETE = ('vbs', 'backup', 'delete')
CREATE = ('vbs', 'backup', 'create')

#: What goes on for an hour: the command, and what it is named.
GOING = [
    (DELETE, lambda state: state.add_backup().id),
    (CREATE, lambda state: state.add_volume().id),
]

#: Arguments, the lines of stderr, and how it ends.
ENDS = [
    ((), [], ExitCode.DONE),
    (('ghost',), ['found', '1 of 2 backups failed'], ExitCode.FAILED),
    (('--timeout', '5s'), [...], ExitCode.USAGE),
    (
        ('--wait', '--timeout', '1s'),
        ['1 of 1 backups is not', ...],
        ExitCode.UNFINISHED,
    ),
]


@pytest.mark.parametrize(('command', 'name'), GOING, ids=['delete', 'create'])
@pytest.mark.parametrize(('arguments', 'complains', 'code'), ENDS)
def test_a_command_that_ends(
    cloud: CloudFactory,
    openstack: Openstack,
    command: tuple[str, ...],
    name: Callable[[CloudState], str],
    arguments: tuple[str, ...],
    complains: list[str],
    code: ExitCode,
) -> None:
    c = cloud(deletion_time=3600, creation_time=3600, **ROOMY)
    openstack.process(
        *(*command, '-f', 'json', *arguments, name(c.state)),
        complains=complains,
        code=code,
    )


@pytest.mark.parametrize(
    ('command', 'arguments', 'complains', 'code'),
    [
        ('delete --yes', (), [], ExitCode.DONE),
        (
            *('delete --yes', ('ghost',)),
            *(['found', '1 of 2 policies failed'], ExitCode.FAILED),
        ),
        ('delete', ('--wait',), [...], ExitCode.USAGE),
        ('execute', (), ['does not expire'], ExitCode.DONE),
        (
            *('execute', ('--wait', '--timeout', '1s')),
            *([...], ExitCode.UNFINISHED),
        ),
    ],
)
def test_a_command_for_policies_that_ends(
    cloud: CloudFactory,
    openstack: Openstack,
    command: str,
    arguments: tuple[str, ...],
    complains: list[Any],
    code: ExitCode,
) -> None:
    c = cloud(creation_time=3600, **ROOMY)
    policies, volume = c.state.volume_policies, c.state.add_volume()
    id = policies.add(c.project_id, 'nightly', volume).id
    openstack.process(
        *('vbs', 'backup', 'policy', *command.split(), '-f', 'json'),
        *(*arguments, id),
        complains=complains,
        code=code,
    )


@pytest.mark.parametrize(
    ('number', 'code'),
    [
        (signal.SIGINT, ExitCode.INTERRUPTED),
        (signal.SIGTERM, ExitCode.TERMINATED),
    ],
)
def test_a_command_that_is_ended(
    cloud: CloudFactory,
    openstack: Openstack,
    number: signal.Signals,
    code: ExitCode,
) -> None:
    sent = threading.Event()

    def watch(request: LoggedRequest) -> None:
        if request.method == 'DELETE':
            sent.set()

    id = cloud(deletion_time=3600, on_finished=watch).state.add_backup().id
    process = openstack.start(*DELETE, '--wait', id)
    assert sent.wait(30)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == code


def test_none_is_left_out() -> None:
    tested = {code for *_, code in ENDS}
    ended = {ExitCode.INTERRUPTED, ExitCode.TERMINATED}
    assert tested | ended == set(ExitCode)
