# SPDX-License-Identifier: Apache-2.0
"""The command lines of ``openstack vbs share ...``."""

from typing import Any

import pytest

from tests.unit.osc.parsing import parse, usage_error
from vbsclient.api.http import Handle
from vbsclient.change.targets import Done, Outcome, Target
from vbsclient.creation.shares import SharedWith
from vbsclient.lookup.refusals import MissingError
from vbsclient.osc.output.report import Report
from vbsclient.osc.vbs.share import (
    CreateVbsShare,
    DeleteVbsShare,
    ListVbsShare,
    ShowVbsShare,
)

GONE = MissingError('No backup found')


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
        (
            CreateVbsShare,
            'a - --target-project p --target-project q',
            {'<backup>': ['a', '-'], '--target-project': ['p', 'q']},
        ),
        (
            CreateVbsShare,
            'a --target-project p --target-project-domain d --dry-run',
            {
                '<backup>': ['a'],
                '--target-project': ['p'],
                '--target-project-domain': 'd',
                '--dry-run': True,
            },
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
        (CreateVbsShare, 'a', 'required: --target-project'),
        (CreateVbsShare, '--target-project p', 'required: <backup>'),
        (
            CreateVbsShare,
            'a --target-project p --wait',
            'unrecognized arguments: --wait',
        ),
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


def test_a_row_of_what_was_shared() -> None:
    target = Target(
        'nightly',
        'share',
        'VBS',
        'b-1',
        'nightly-1',
        resource=SharedWith('p-1', 'partner'),
        handle=Handle(share_id='s-1'),
    )
    outcome = Outcome(target)
    outcome.succeed(Done('req-1', is_final=True))
    [row] = Report(CreateVbsShare.words, outcomes=[outcome]).rows()
    columns = CreateVbsShare.report_columns
    assert {column.title: column.value(row) for column in columns} == {
        'Type': 'share',
        'ID': 's-1',
        'Backup': 'b-1',
        'Backup Name': 'nightly-1',
        'Target Project': 'p-1',
        'Target Project Name': 'partner',
        'Source': 'VBS',
        'Result': 'shared',
        'Detail': None,
        'Requested At': None,
        'Finished At': None,
        'Request ID': 'req-1',
    }
    labels = [column.label(row) for column in columns if column.label]
    assert labels == ['nightly-1', 'partner']


def test_a_row_of_what_was_not_found() -> None:
    target = Target(
        'typo', 'share', 'VBS', resource=SharedWith('p-1'), refusal=GONE
    )
    outcome = Outcome.of(target)
    [row] = Report(CreateVbsShare.words, outcomes=[outcome]).rows()
    columns = CreateVbsShare.report_columns
    cells = {column.title: column.value(row) for column in columns}
    assert (cells['ID'], cells['Backup']) == (None, 'typo')
    assert (cells['Target Project'], cells['Result']) == ('p-1', 'failed')
    labels = [column.label for column in columns if column.label]
    assert [label(row) for label in labels] == ['typo', 'p-1']
