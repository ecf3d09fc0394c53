# SPDX-License-Identifier: Apache-2.0
"""The demo gets to its end, in lines that fit the terminal."""

import shlex
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests import demo
from tests.functional.shell import Openstack
from tests.sandbox import Sandbox

ID = 'c87a7463-19c1-4a0d-8feb-d845d0dfae43'


@pytest.mark.parametrize('width', [40, 80, 120])
def test_each_command_of_the_demo_has_the_exit_status_that_it_shows(
    openstack: Openstack,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    width: int,
) -> None:
    def start(**knobs: Any) -> Sandbox:
        openstack.cloud = Sandbox(
            **knobs | {'deletion_time': 0.0, 'creation_time': 0.0}
        )
        return openstack.cloud

    def run(
        command: Sequence[str], *, env: Mapping[str, str], **_: object
    ) -> subprocess.CompletedProcess[str]:
        name = 'CLIFF_MAX_TERM_WIDTH'
        result = openstack.run(
            *command[3:], env={name: env[name]}, audited=False, together=True
        )
        return subprocess.CompletedProcess(
            list(command), result.code, result.stdout
        )

    monkeypatch.setenv('COLUMNS', str(width))
    monkeypatch.setattr(demo, 'Sandbox', start)
    monkeypatch.setattr(subprocess, 'run', run)
    demo.main()
    lines = capsys.readouterr().out.splitlines()
    assert ' '.join(lines).endswith('That was the demo.')
    assert [line for line in lines if len(line) > width] == []


@pytest.mark.parametrize('width', [40, 60, 200])
def test_a_command_can_be_copied_from_its_lines(width: int) -> None:
    command = (
        f'openstack csbs checkpoint delete --item {ID} --wait {ID} '
        '-c "Created At" --name-contains db01'
    )
    lines = list(demo.command_lines(command, width))
    assert all(len(line) <= width - len(' \\') for line in lines)
    copied = ' '.join(lines).removeprefix('$ ')
    assert shlex.split(copied) == shlex.split(command)


def test_a_request_is_cut_before_a_part_of_its_path() -> None:
    line = f'DELETE /v1/checkpoints/{ID}?checkpoint_items={ID}'
    assert list(demo.request_lines(line, 40)) == [
        '  DELETE /v1/checkpoints',
        f'  /{ID}',
        '  ?checkpoint_items',
        f'  ={ID}',
    ]
    assert list(demo.request_lines(line, 200)) == [f'  {line}']
