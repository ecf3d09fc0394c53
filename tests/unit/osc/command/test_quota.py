# SPDX-License-Identifier: Apache-2.0
"""The command lines and columns of ``quota show``."""

from typing import Any

import pytest

from tests.unit.osc.parsing import parse, usage_error
from vbsclient.osc.command.quota import ShowCsbsQuota, ShowVbsQuota

COMMANDS = pytest.mark.parametrize('command', [ShowVbsQuota, ShowCsbsQuota])


@COMMANDS
def test_a_command_line(command: type[Any]) -> None:
    assert parse(command, '') == {}


@COMMANDS
def test_a_wrong_command_line(
    capsys: pytest.CaptureFixture[str], command: type[Any]
) -> None:
    error = usage_error(command, 'project', capsys)
    assert 'unrecognized arguments: project' in error


def test_the_columns_are_those_of_openstack_quota_show() -> None:
    titles = {
        command: [column.title for column in command.columns]
        for command in (ShowVbsQuota, ShowCsbsQuota)
    }
    assert titles == {
        ShowVbsQuota: ['Resource', 'Limit', 'In Use', 'Reserved'],
        ShowCsbsQuota: ['Resource', 'Limit', 'In Use', 'Unit'],
    }
