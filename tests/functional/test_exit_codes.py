# SPDX-License-Identifier: Apache-2.0
"""Every exit code, as a shell sees it."""

import signal
import threading

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack
from tests.sandbox import LoggedRequest
from vbsclient.osc.command.signals import ExitCode

DELETE = ('vbs', 'backup', 'delete')
CREATE = ('vbs', 'backup', 'create')

#: Arguments, the lines of stderr, and how it ends.
ENDS = [
    ((), [], ExitCode.DONE),
    (('ghost',), ['No backup found', '1 of 2 backups'], ExitCode.FAILED),
    (('--timeout', '5s'), [...], ExitCode.USAGE),
    (
        ('--wait', '--timeout', '1s'),
        ['1 of 1 backups is not deleted yet'],
        ExitCode.UNFINISHED,
    ),
]


@pytest.mark.parametrize(('arguments', 'complains', 'code'), ENDS)
def test_a_command_that_ends(
    cloud: CloudFactory,
    openstack: Openstack,
    arguments: tuple[str, ...],
    complains: list[str],
    code: ExitCode,
) -> None:
    id = cloud(deletion_time=3600).state.add_backup().id
    openstack.process(*DELETE, *arguments, id, complains=complains, code=code)


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
