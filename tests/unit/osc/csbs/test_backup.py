# SPDX-License-Identifier: Apache-2.0
"""``openstack csbs backup ...``: command lines and columns."""

from typing import Any

import pytest

from tests.unit.osc.parsing import parse, usage_error
from vbsclient.api.csbs import ServerBackup
from vbsclient.osc.csbs.backup import (
    DeleteCsbsBackup,
    ListCsbsBackup,
    Row,
    ShowCsbsBackup,
)
from vbsclient.osc.csbs.prune import PruneCsbsBackup

PROVIDER = 'fc4d5750-22e7-4798-8a46-f48f62c4c1da'
POLICY = 'dc1e2c1b-0000-4000-8000-00000000abcd'


@pytest.mark.parametrize(
    ('command', 'line', 'values'),
    [
        (ShowCsbsBackup, 'a', {'<backup>': 'a'}),
        (
            DeleteCsbsBackup,
            f'a b --provider {POLICY.upper()} --timeout 30m --wait',
            {
                '<backup>': ['a', 'b'],
                '--provider': POLICY,
                '--timeout': 1800.0,
                '--wait': True,
            },
        ),
        (DeleteCsbsBackup, f'a --provider {PROVIDER}', {'<backup>': ['a']}),
        (ListCsbsBackup, '', {}),
        (
            ListCsbsBackup,
            f'--server s --policy {POLICY} --checkpoint c --long',
            {
                '--server': ['s'],
                '--policy': [POLICY],
                '--checkpoint': 'c',
                '--long': True,
            },
        ),
        (
            ListCsbsBackup,
            '--sort created_at:asc --name-contains x --count',
            {
                '--sort': [('created_at', 'asc')],
                '--name-contains': 'x',
                '--count': True,
            },
        ),
        (
            PruneCsbsBackup,
            '--all-servers --keep-weekly 5 --older-than 90d --rate 60/min',
            {'--all-servers': True, '--keep-weekly': 5, '--rate': 1.0},
        ),
    ],
)
def test_a_command_line(
    command: type[Any], line: str, values: dict[str, Any]
) -> None:
    found = parse(command, line)
    for lengths in ('--timeout', '--older-than'):
        length = found.pop(lengths, None)
        if lengths in values:
            assert length.total_seconds() == values.pop(lengths)
    assert found == values


@pytest.mark.parametrize(
    ('command', 'line', 'message'),
    [
        (ShowCsbsBackup, '', 'required: <backup>'),
        (ListCsbsBackup, '--volume v', 'unrecognized arguments: --volume'),
        (ListCsbsBackup, '--sort servers', "'servers' is not a sort key"),
        (DeleteCsbsBackup, 'a --force', 'unrecognized arguments: --force'),
        (PruneCsbsBackup, '--all-volumes', 'unrecognized arguments'),
    ],
)
def test_a_wrong_command_line(
    capsys: pytest.CaptureFixture[str],
    command: type[Any],
    line: str,
    message: str,
) -> None:
    assert message in usage_error(command, line, capsys)


def shown(body: dict[str, Any]) -> dict[str, Any]:
    ids = {'id': 'i', 'checkpoint_id': 'c'}
    row = Row(ServerBackup.from_body({**ids, **body}), 2)
    return {
        column.title: column.kind(column.value(row)).human_readable()
        for column in ShowCsbsBackup.columns
    }


def test_a_backup_without_details_shows_what_there_is() -> None:
    found = shown({'status': 'available'})
    assert found['ID'] == 'i'
    assert found['Servers'] == '2'
    assert {found[c] for c in ('Type', 'Tags', 'Volume Backups')} == {''}


def test_a_volume_backup_is_one_line() -> None:
    disk = {
        'id': 'v\x1b',
        'status': 'available',
        'size': 2048,
        'source_volume_id': 'w',
    }
    found = shown({'extend_info': {'volume_backups': [disk, disk]}})
    line = 'v\\x1b (w, available, 2 GB)'
    assert found['Volume Backups'] == f'{line}\n{line}'
