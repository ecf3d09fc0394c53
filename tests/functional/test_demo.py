# SPDX-License-Identifier: Apache-2.0
"""The demo gets to its end."""

import subprocess
from collections.abc import Sequence
from typing import Any

import pytest

from tests import demo
from tests.functional.shell import Openstack
from tests.sandbox import Sandbox


def test_each_command_of_the_demo_has_the_exit_status_that_it_shows(
    openstack: Openstack,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def start(**knobs: Any) -> Sandbox:
        openstack.cloud = Sandbox(**knobs | {'deletion_time': 0.0})
        return openstack.cloud

    def run(
        command: Sequence[str], **_: object
    ) -> subprocess.CompletedProcess[str]:
        result = openstack.run(*command[3:], audited=False)
        return subprocess.CompletedProcess(list(command), result.code)

    monkeypatch.setattr(demo, 'Sandbox', start)
    monkeypatch.setattr(subprocess, 'run', run)
    demo.main()
    assert capsys.readouterr().out.endswith('That was the demo.\n')
