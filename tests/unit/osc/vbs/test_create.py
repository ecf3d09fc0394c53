# SPDX-License-Identifier: Apache-2.0
"""The command lines of ``openstack vbs backup create``."""

from typing import Any

import pytest

from tests.unit.osc.parsing import parse
from vbsclient.osc.vbs.create import CreateVbsBackup


@pytest.mark.parametrize(
    ('line', 'values'),
    [
        ('a', {'<volume>': ['a']}),
        ('a - b', {'<volume>': ['a', '-', 'b']}),
        ('--server web01', {'--server': 'web01'}),
        (
            'a --name n --description d --snapshot s --incremental',
            {
                '<volume>': ['a'],
                '--name': 'n',
                '--description': 'd',
                '--snapshot': 's',
                '--incremental': True,
            },
        ),
        (
            'a --no-incremental --tag a=b --tag c= --force --dry-run',
            {
                '<volume>': ['a'],
                '--no-incremental': False,
                '--tag': [('a', 'b'), ('c', '')],
                '--force': True,
                '--dry-run': True,
            },
        ),
        (
            'a --wait --concurrency 3',
            {'<volume>': ['a'], '--wait': True, '--concurrency': 3},
        ),
    ],
)
def test_a_command_line(line: str, values: dict[str, Any]) -> None:
    assert parse(CreateVbsBackup, line) == values
