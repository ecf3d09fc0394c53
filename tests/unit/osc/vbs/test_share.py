# SPDX-License-Identifier: Apache-2.0
"""The command lines of ``openstack vbs share ...``."""

from typing import Any

import pytest

from tests.unit.osc.parsing import parse, usage_error
from vbsclient.osc.vbs.share import (
    DeleteVbsShare,
    ListVbsShare,
    ShowVbsShare,
)


@pytest.mark.parametrize(
    ('command', 'line', 'values'),
    [
        (ShowVbsShare, 'a', {'<share>': 'a'}),
        (DeleteVbsShare, 'a -', {'<share>': ['a', '-']}),
        (
            DeleteVbsShare,
            '--backup a --backup b --target-project p',
            {'--backup': ['a', 'b'], '--target-project': 'p'},
        ),
        (
            DeleteVbsShare,
            '--target-project-domain d --ignore-missing',
            {'--target-project-domain': 'd', '--ignore-missing': True},
        ),
        (ListVbsShare, '', {}),
        (
            ListVbsShare,
            '--backup b --volume v --target-project p --sort id',
            {
                '--backup': ['b'],
                '--volume': ['v'],
                '--target-project': 'p',
                '--sort': [('id', 'asc')],
            },
        ),
        (
            ListVbsShare,
            '--shared-with-me --source-project p --status error',
            {
                '--shared-with-me': True,
                '--source-project': 'p',
                '--status': ['error'],
            },
        ),
    ],
)
def test_a_command_line(
    command: type[Any], line: str, values: dict[str, Any]
) -> None:
    assert parse(command, line) == values


@pytest.mark.parametrize(
    ('command', 'line', 'message'),
    [
        (ShowVbsShare, '', 'required: <share>'),
        (DeleteVbsShare, 'a --wait', 'unrecognized arguments: --wait'),
        (ListVbsShare, '--stuck 2h', 'unrecognized arguments: --stuck'),
        (ListVbsShare, '--manual', 'unrecognized arguments: --manual'),
    ],
)
def test_a_wrong_command_line(
    capsys: pytest.CaptureFixture[str],
    command: type[Any],
    line: str,
    message: str,
) -> None:
    assert message in usage_error(command, line, capsys)
