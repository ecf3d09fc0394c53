# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs job ...``: how far VBS is with what it accepted."""

from __future__ import annotations

import argparse
from typing import Any

from vbsclient.api import errors
from vbsclient.api.vbs import Job
from vbsclient.lookup.refusals import MissingError
from vbsclient.osc.command.show import ShowCommand
from vbsclient.osc.output.columns import Column, MultiLine, Time, Word
from vbsclient.osc.output.text import visible
from vbsclient.waiting import JOB_SUCCESS, ResourceStatus
from vbsclient.wording import quote


class _Entities(MultiLine):
    """What a job is about, a line for each."""

    def human_readable(self) -> str:
        entities = (self._value or {}).items()
        return '\n'.join(visible(f'{key}={value}') for key, value in entities)


class _SubJobs(MultiLine):
    """The jobs that a job consists of."""

    def line(self, value: Any) -> str:
        facts = (value.get('status'), value.get('fail_reason'))
        told = ', '.join(str(fact) for fact in facts if fact)
        return f'{value.get("job_id")} ({told})'


class ShowVbsJob(ShowCommand):
    """Show one job (VBS)

    What "openstack vbs backup create" has started, by the ID that it shows.
    With --wait: when the job has ended. The ID of the backup is in entities.

    Example: openstack vbs job show --wait <job>
    """

    columns = (
        Column('ID', 'id'),
        Column('Type', 'type'),
        Column('Status', 'status', Word),
        Column('Entities', 'entities', _Entities),
        Column('Begin Time', 'begin_time', Time),
        Column('End Time', 'end_time', Time),
        Column('Error Code', 'error_code'),
        Column('Fail Reason', 'fail_reason'),
        Column('Sub Jobs', 'sub_jobs', _SubJobs),
    )
    noun = 'job'
    named_by = 'ID'
    goal = JOB_SUCCESS

    def find(self, parsed_args: argparse.Namespace, fields: set[str]) -> Job:
        job = parsed_args.job
        try:
            return self.vbs.jobs.get(job)
        except errors.InvalidId as error:
            raise MissingError(f'No job found for {quote(job)}') from error
        except errors.NotFound as error:
            raise MissingError(
                f'No job found for {quote(job)}', OR_FORGOTTEN
            ) from error

    def status_of(self, found: Any) -> ResourceStatus:
        job: Job = found
        return ResourceStatus(
            job.status,
            job.failure,
            job.end_time,
            is_alive=job.status == 'RUNNING',
        )


#: What else a job may be that is not found.
OR_FORGOTTEN = (
    'VBS may have forgotten a job that ended long ago: "openstack vbs backup '
    'list" shows what it has created.'
)
