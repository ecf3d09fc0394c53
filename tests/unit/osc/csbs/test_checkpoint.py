# SPDX-License-Identifier: Apache-2.0
"""``openstack csbs checkpoint ...``: command lines and columns."""

from typing import Any

import pytest

from tests.unit.osc.parsing import parse, usage_error
from vbsclient.api.csbs import CheckpointGroups, ServerBackup
from vbsclient.osc.csbs.checkpoint import (
    DeleteCsbsCheckpoint,
    ListCsbsCheckpoint,
    ShowCsbsCheckpoint,
)


@pytest.mark.parametrize(
    ('command', 'line', 'values'),
    [
        (ShowCsbsCheckpoint, 'a', {'<checkpoint>': 'a'}),
        (DeleteCsbsCheckpoint, 'a b', {'<checkpoint>': ['a', 'b']}),
        (
            DeleteCsbsCheckpoint,
            'a --item b --item c --concurrency 3',
            {
                '<checkpoint>': ['a'],
                '--item': ['b', 'c'],
                '--concurrency': 3,
            },
        ),
        (ListCsbsCheckpoint, '', {}),
        (
            ListCsbsCheckpoint,
            '--server s --sort servers:desc --marker m',
            {
                '--server': ['s'],
                '--sort': [('servers', 'desc')],
                '--marker': 'm',
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
        (ShowCsbsCheckpoint, '', 'required: <checkpoint>'),
        (DeleteCsbsCheckpoint, 'a --concurrency 65', 'a number from 1 to 64'),
        (ListCsbsCheckpoint, '--checkpoint c', 'unrecognized arguments'),
    ],
)
def test_a_wrong_command_line(
    capsys: pytest.CaptureFixture[str],
    command: type[Any],
    line: str,
    message: str,
) -> None:
    assert message in usage_error(command, line, capsys)


def test_the_columns_of_a_checkpoint() -> None:
    groups = CheckpointGroups()
    for number, status in enumerate(('available', 'error')):
        body = {
            'id': f'i{number}',
            'checkpoint_id': 'c',
            'name': 'run',
            'status': status,
            'resource_id': f's{number}',
            'extend_info': {'resource_name': f'web{number}', 'size': 1024},
        }
        groups.add(ServerBackup.from_body(body))
    shown = {
        column.title: column.kind(column.value(groups['c'])).human_readable()
        for column in ShowCsbsCheckpoint.columns
    }
    assert shown['Status'] == 'available, error'
    assert shown['Servers'] == '2'
    assert shown['Size'] == '2 GB'
    assert shown['Server Names'] == 'web0\nweb1'
    assert shown['Backups'] == (
        'i0 (web0, available, 1 GB)\ni1 (web1, error, 1 GB)'
    )
