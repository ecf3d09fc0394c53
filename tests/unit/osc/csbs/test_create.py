# SPDX-License-Identifier: Apache-2.0
"""The command lines of ``openstack csbs backup create``."""

from typing import Any

import pytest

from tests.unit.osc.parsing import parse, usage_error
from vbsclient.osc.csbs.create import CreateCsbsBackup


@pytest.mark.parametrize(
    ('line', 'values'),
    [
        ('a', {'<server>': ['a']}),
        ('a - b', {'<server>': ['a', '-', 'b']}),
        (
            'a --name n --description d --incremental --tag a=b --force',
            {
                '<server>': ['a'],
                '--name': 'n',
                '--description': 'd',
                '--incremental': True,
                '--tag': [('a', 'b')],
                '--force': True,
            },
        ),
        (
            'a --wait --dry-run',
            {'<server>': ['a'], '--wait': True, '--dry-run': True},
        ),
    ],
)
def test_a_command_line(line: str, values: dict[str, Any]) -> None:
    assert parse(CreateCsbsBackup, line) == values


@pytest.mark.parametrize(
    ('line', 'words'),
    [
        ('', 'required: <server>'),
        ('a --snapshot s', 'unrecognized arguments: --snapshot s'),
        ('a --server b', 'unrecognized arguments: --server b'),
    ],
)
def test_a_wrong_command_line(
    line: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in usage_error(CreateCsbsBackup, line, capsys)
