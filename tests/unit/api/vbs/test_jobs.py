# SPDX-License-Identifier: Apache-2.0
"""The call that shows a job (V5), and what a job may look like."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.api.makes import ONE, URL, MakeCloud
from tests.unit.values import JSON
from vbsclient.api import errors
from vbsclient.api.http import Transport
from vbsclient.api.vbs import Job, Jobs

JOB = 'ff80808182e0a0f40182e0f5b3f70012'
BODY = {
    'job_id': JOB,
    'job_type': 'bksCreateBackup',
    'status': 'SUCCESS',
    'begin_time': '2026-11-14T02:00:00.000Z',
    'end_time': '2026-11-14T02:03:00.000Z',
    'error_code': None,
    'fail_reason': None,
    'entities': {'backup_id': ONE, 'volume_id': 'v'},
    'sub_jobs': [],
}


def jobs(cloud: Any) -> Jobs:
    return Jobs(Transport(cloud.session), URL)


class TestGet:
    def test_a_job(self, fake_cloud: MakeCloud) -> None:
        cloud = fake_cloud()
        cloud.on('GET', f'{URL}/jobs/{JOB}', json=BODY)
        job = jobs(cloud).get(JOB)
        assert (job.id, job.status, job.type) == (
            JOB,
            'SUCCESS',
            'bksCreateBackup',
        )
        assert job.end_time == '2026-11-14T02:03:00.000Z'
        assert (job.error_code, job.fail_reason) == (None, None)
        assert (job.backup_id, job.sub_jobs) == (ONE, [])

    @pytest.mark.parametrize(
        'id',
        [
            *('', ' ', '.', '..', '../x', 'a/b', f'{JOB}/', f'{JOB}\n'),
            *('a' * 65, 'a?b', 'a#b', '%2e%2e', 'ä', 'a b', 'a.b'),
        ],
    )
    def test_what_is_no_id_is_not_sent(
        self, fake_cloud: MakeCloud, id: str
    ) -> None:
        cloud = fake_cloud()
        with pytest.raises(errors.InvalidId):
            jobs(cloud).get(id)
        assert cloud.requests == []

    @pytest.mark.parametrize(
        'change',
        [
            *({'job_id': None}, {'job_id': 5}, {'job_id': 'other'}),
            {'job_id': JOB.upper()},
        ],
    )
    def test_another_job_is_malformed(
        self, fake_cloud: MakeCloud, change: dict[str, Any]
    ) -> None:
        cloud = fake_cloud()
        cloud.on('GET', f'{URL}/jobs/{JOB}', json={**BODY, **change})
        with pytest.raises(errors.MalformedResponse):
            jobs(cloud).get(JOB)

    def test_one_that_is_forgotten(self, fake_cloud: MakeCloud) -> None:
        cloud = fake_cloud()
        cloud.on('GET', f'{URL}/jobs/{JOB}', status_code=404)
        with pytest.raises(errors.NotFound):
            jobs(cloud).get(JOB)


class TestReading:
    @pytest.mark.parametrize(
        ('change', 'facts'),
        [
            ({'status': None}, {'status': ''}),
            ({'entities': None}, {'entities': {}, 'backup_id': None}),
            ({'entities': []}, {'entities': {}, 'backup_id': None}),
            ({'entities': {'backup_id': ''}}, {'backup_id': None}),
            ({'entities': {'backup_id': 5}}, {'backup_id': None}),
            ({'entities': {'backup_id': ONE.upper()}}, {'backup_id': ONE}),
            ({'sub_jobs': None}, {'sub_jobs': []}),
            ({'sub_jobs': [1, {'a': 'b'}, None]}, {'sub_jobs': [{'a': 'b'}]}),
            ({'error_code': ''}, {'error_code': None}),
            ({'fail_reason': ''}, {'fail_reason': None}),
            ({'fail_reason': {'x': 1}}, {'fail_reason': None}),
            ({'job_type': 7, 'end_time': 7}, {'type': None, 'end_time': None}),
        ],
    )
    def test_what_is_not_as_documented(
        self, change: dict[str, Any], facts: dict[str, Any]
    ) -> None:
        job = Job.from_body({**BODY, **change})
        assert {name: getattr(job, name) for name in facts} == facts

    def test_only_the_id_must_be_there(self) -> None:
        job = Job.from_body({'job_id': JOB})
        assert (job.status, job.backup_id, job.sub_jobs) == ('', None, [])

    @given(st.dictionaries(st.sampled_from(list(BODY)), JSON))
    def test_any_object_is_a_job_or_malformed(
        self, body: dict[str, Any]
    ) -> None:
        try:
            job = Job.from_body(body)
        except errors.MalformedResponse:
            assert not isinstance(body.get('job_id'), str)
            return
        assert job.id == body['job_id']
        assert isinstance(job.status, str)
        assert job.backup_id != ''
        assert all(isinstance(sub, dict) for sub in job.sub_jobs)
