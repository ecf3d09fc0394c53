# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs job show``: what a person reads of a job."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.osc.parsing import parse
from vbsclient.api import errors
from vbsclient.api.vbs import Job
from vbsclient.lookup.refusals import MissingError
from vbsclient.osc.output.columns import cells
from vbsclient.osc.vbs.job import ShowVbsJob

JOB = 'ff80808182e0a0f40182e0f5b3f70012'


def show(**body: Any) -> dict[str, str]:
    job = Job.from_body({'job_id': JOB, **body})
    columns = ShowVbsJob.columns
    values = cells(
        [c.value(job) for c in columns], [c.kind for c in columns], 'table'
    )
    return {
        column.title: cell.human_readable()
        for column, cell in zip(columns, values, strict=True)
    }


def find(error: Exception, job: str = JOB) -> Any:
    def get(id: str) -> Any:
        raise error

    command = ShowVbsJob(None, None)  # type: ignore[arg-type]
    command.vbs = SimpleNamespace(jobs=SimpleNamespace(get=get))  # type: ignore[misc, assignment]
    return command.find(SimpleNamespace(job=job), set())  # type: ignore[arg-type]


def test_a_command_line() -> None:
    assert parse(ShowVbsJob, JOB) == {'<job>': JOB}
    assert parse(ShowVbsJob, f'{JOB} --wait') == {
        '<job>': JOB,
        '--wait': True,
    }


def test_what_it_is_about_has_a_line_each() -> None:
    shown = show(
        status='FAIL',
        entities={'backup_id': 'b', 'volume_id': 'v\x1b[31m'},
        sub_jobs=[{'job_id': 'k', 'status': 'FAIL', 'fail_reason': 'full'}],
    )
    first, second = shown['Entities'].splitlines()
    assert first == 'backup_id=b'
    assert second.startswith('volume_id=v')
    assert '\x1b' not in second
    assert shown['Sub Jobs'] == 'k (FAIL, full)'


@pytest.mark.parametrize(
    'body', [{}, {'entities': None, 'sub_jobs': [{}]}, {'entities': {'a': 1}}]
)
def test_whatever_is_missing(body: dict[str, Any]) -> None:
    assert show(**body)['ID'] == JOB


def test_a_job_that_is_not_found() -> None:
    with pytest.raises(MissingError) as raised:
        find(errors.NotFound('no', status=404))
    # It may have been forgotten: what it made is still to be found.
    assert 'backup list' in str(raised.value.hint)


@pytest.mark.parametrize('job', ['../x', '', 'a b', 'x' * 70])
def test_what_is_no_id_is_not_found(job: str) -> None:
    with pytest.raises(MissingError, match='No job found for'):
        find(errors.InvalidId('no'), job)


def test_another_failure_stays_what_it_is() -> None:
    with pytest.raises(errors.Forbidden):
        find(errors.Forbidden('no', status=403))
