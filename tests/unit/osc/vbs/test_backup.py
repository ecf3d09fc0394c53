# SPDX-License-Identifier: Apache-2.0
"""The command lines of ``openstack vbs backup ...``."""

from typing import Any

import pytest

from tests.unit.osc.parsing import parse, usage_error
from vbsclient.osc.vbs.backup import (
    DeleteVbsBackup,
    ListVbsBackup,
    ShowVbsBackup,
)
from vbsclient.osc.vbs.prune import PruneVbsBackup

ID = 'dc1e2c1b-0000-4000-8000-00000000abcd'


@pytest.mark.parametrize(
    ('command', 'line', 'values'),
    [
        (ShowVbsBackup, 'a', {'<backup>': 'a'}),
        (ShowVbsBackup, ID.upper(), {'<backup>': ID}),
        (DeleteVbsBackup, 'a b', {'<backup>': ['a', 'b']}),
        (
            DeleteVbsBackup,
            'a --force --cancel-shares --dry-run --wait',
            {
                '<backup>': ['a'],
                '--force': True,
                '--cancel-shares': True,
                '--dry-run': True,
                '--wait': True,
            },
        ),
        (ListVbsBackup, '', {}),
        (
            ListVbsBackup,
            '--volume v --source csbs --shared-with-me --long --count',
            {
                '--volume': ['v'],
                '--source': 'csbs',
                '--shared-with-me': True,
                '--long': True,
                '--count': True,
            },
        ),
        (
            ListVbsBackup,
            '--server s --name n --status error --status deleting --manual',
            {
                '--server': ['s'],
                '--name': ['n'],
                '--status': ['error', 'deleting'],
                '--manual': False,
            },
        ),
        (
            ListVbsBackup,
            '--automatic --sort size:desc,name --marker m --max-items 3',
            {
                '--automatic': True,
                '--sort': [('size', 'desc'), ('name', 'asc')],
                '--marker': 'm',
                '--max-items': 3,
            },
        ),
        (ListVbsBackup, '--limit 5', {'--limit': 5}),
        (ListVbsBackup, '--limit 50000', {}),
        (
            ListVbsBackup,
            '--created-before 30d --created-after 2026-01-01',
            {'--created-before': '30d', '--created-after': '2026-01-01'},
        ),
        (
            PruneVbsBackup,
            '--all-volumes --keep-last 3 --include-shared --include-error',
            {
                '--all-volumes': True,
                '--keep-last': 3,
                '--include-shared': True,
                '--include-error': True,
            },
        ),
        (
            PruneVbsBackup,
            '--volume v --keep-daily 7 --allow-empty --yes --dry-run',
            {
                '--volume': ['v'],
                '--keep-daily': 7,
                '--allow-empty': True,
                '--yes': True,
                '--dry-run': True,
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
        (ShowVbsBackup, '', 'required: <backup>'),
        (ShowVbsBackup, 'a b', 'unrecognized arguments: b'),
        (DeleteVbsBackup, 'a --forc', 'unrecognized arguments: --forc'),
        (ListVbsBackup, '--name a --name-contains b', 'not allowed with'),
        (ListVbsBackup, '--volume a --server b', 'not allowed with'),
        (ListVbsBackup, '--manual --automatic', 'not allowed with'),
        (ListVbsBackup, '--source evs', 'invalid choice'),
        (ListVbsBackup, '--sort source', "'source' is not a sort key: use id"),
        (
            ListVbsBackup,
            '--sort name:up',
            "'up' is not a sort direction: use asc or desc",
        ),
        (ListVbsBackup, '--max-items 0', 'not a number greater than 0'),
        (ListVbsBackup, '--limit x', 'not a number greater than 0'),
        (ListVbsBackup, '--marker a --marker b', 'given more than once'),
        (ListVbsBackup, '--created-before soon', 'neither a date such as'),
        (ListVbsBackup, '--stuck 2', 'a number needs its unit'),
        (PruneVbsBackup, '--keep-tag a=b', 'unrecognized arguments'),
        (PruneVbsBackup, '--keep-last 0', 'greater than 0'),
    ],
)
def test_a_wrong_command_line(
    capsys: pytest.CaptureFixture[str],
    command: type[Any],
    line: str,
    message: str,
) -> None:
    assert message in ' '.join(usage_error(command, line, capsys).split())
