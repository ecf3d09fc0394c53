# SPDX-License-Identifier: Apache-2.0
"""Jobs: how far VBS is with what it accepted; v1 only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vbsclient.api import errors
from vbsclient.api.collection import Collection
from vbsclient.api.paths import Segment, job_segment
from vbsclient.api.values import dict_or_empty, id_or_none, text_or_none


@dataclass(frozen=True)
class Job:
    """A task of VBS (V5).

    :ivar status: ``INIT``, ``RUNNING``, ``SUCCESS`` or ``FAIL``.
    :ivar type: such as ``bksCreateBackup``.
    :ivar begin_time: when it began, in UTC.
    :ivar end_time: when it ended.
    :ivar error_code: of a failure, one of the API reference.
    :ivar fail_reason: of a failure.
    :ivar body: the answer as it came.
    """

    id: str
    status: str
    type: str | None = None
    begin_time: str | None = None
    end_time: str | None = None
    error_code: str | None = None
    fail_reason: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Job:
        """Read a job, leniently but for its id.

        :raises MalformedResponse: if it has no id.
        """
        id = body.get('job_id')
        if not isinstance(id, str):
            raise errors.MalformedResponse(
                'the service answered with a job that has no ID'
            )
        return cls(
            id,
            str(body.get('status') or ''),
            text_or_none(body.get('job_type')),
            text_or_none(body.get('begin_time')),
            text_or_none(body.get('end_time')),
            text_or_none(body.get('error_code')) or None,
            text_or_none(body.get('fail_reason')) or None,
            body,
        )

    @property
    def entities(self) -> Mapping[str, Any]:
        """What it is about, by names such as ``backup_id``."""
        return dict_or_empty(self.body.get('entities'))

    @property
    def backup_id(self) -> str | None:
        """The backup that it makes or uses; None before it is known."""
        return id_or_none(self.entities.get('backup_id')) or None

    @property
    def failure(self) -> str | None:
        """Why it failed, with the code; None if it does not say so."""
        reasons = [(self.fail_reason or '').rstrip('.'), self.error_code]
        return ', '.join(filter(None, reasons)) or None

    @property
    def sub_jobs(self) -> Sequence[Mapping[str, Any]]:
        """The jobs that it consists of, as they came."""
        jobs = self.body.get('sub_jobs')
        if not isinstance(jobs, list):
            return []
        return [job for job in jobs if isinstance(job, dict)]


class Jobs(Collection[Job]):
    """The call that shows a job (``get``: VBS API, V5).

    :param transport: how requests are sent.
    :param url: URL with ``v1`` and the project.
    """

    route = 'jobs'
    key = None
    noun = 'job'

    @staticmethod
    def segment(id: str) -> Segment:
        return job_segment(id)

    def read(self, body: Mapping[str, Any]) -> Job:
        return Job.from_body(body)
