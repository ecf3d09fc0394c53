# SPDX-License-Identifier: Apache-2.0
"""Backup policies of VBS: vendor calls, v2 only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from vbsclient.api import errors, paging
from vbsclient.api.collection import Collection, id_of
from vbsclient.api.http import Receipt, require_echo
from vbsclient.api.names import name_or_none
from vbsclient.api.paths import is_uuid, resource_path, uuid_segment
from vbsclient.api.values import (
    Known,
    canonical_id,
    dict_or_empty,
    id_or_none,
    lenient_id,
    lenient_int,
    owner_of,
    text_or_none,
)

_STYLE = paging.Style('tasks', 'offset', id='job_id')
#: Of tasks, by the reference (V31).
TASK_STATUSES = (
    *('WAITING', 'RUNNING', 'EXECUTE_SUCCESS', 'EXECUTE_FAIL'),
    *('EXECUTE_TIMEOUT', 'SKIP'),
)
_FINISHED = frozenset({'EXECUTE_SUCCESS', 'EXECUTE_TIMEOUT', 'SKIP'})
_FAILED = ('EXECUTE_FAIL', 'ERROR')
_NO_ID = 'the service accepted it without the ID of the policy'


class NoSuchPolicy(errors.NotFound):
    """The list of policies was read, and has none with this id."""

    def __init__(self) -> None:
        super().__init__(
            'the list of policies has none with this ID',
            status=404,
            own=Known.YES,
        )


@dataclass(frozen=True)
class Policy:
    """A policy, as V26 lists it; its tags are not in it.

    :ivar is_enabled: whether it runs by itself; None if the answer does
        not tell it.
    :ivar volume_count: how many volumes it backs up; which ones no call
        tells.
    :ivar body: the answer, without the blanks that some keys have around
        them.
    :ivar raw: the answer as it came.
    """

    id: str
    name: str | None
    is_enabled: bool | None
    volume_count: int | None
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_body(cls, raw: Mapping[str, Any]) -> Policy:
        """Read a policy, leniently but for its id.

        :raises MalformedResponse: if it has no id.
        """
        body = _stripped(raw)
        return cls(
            id_of(body, 'policy', 'backup_policy_id'),
            name_or_none(body.get('backup_policy_name')),
            _is_enabled(body),
            lenient_int(body.get('policy_resource_count')),
            body,
            raw,
        )

    @property
    def owner(self) -> str | None:
        """The project that it belongs to, where the answer says so."""
        return owner_of(self.body)


@dataclass(frozen=True)
class Task:
    """What a policy did, or does, for one volume at one time (V31).

    Times are UTC.

    :ivar job_id: the id of the task itself; no job has it.
    :ivar vbs_job_id: the job that makes the backup (V5); None before it
        has begun.
    :ivar status: ``WAITING``, ``RUNNING``, ``EXECUTE_SUCCESS``,
        ``EXECUTE_FAIL``, ``EXECUTE_TIMEOUT`` (the backup may have been made)
        or ``SKIP``.
    :ivar finished_at: None before its end.
    :ivar body: the answer as it came.
    """

    job_id: str
    status: str
    vbs_job_id: str | None = None
    backup_name: str | None = None
    volume_id: str | None = None
    created_at: str | None = None
    finished_at: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Task:
        """Read a task, leniently but for its id.

        :raises MalformedResponse: if it has no id.
        """
        job_id = body.get('job_id')
        if not isinstance(job_id, str):
            raise errors.MalformedResponse(
                'the service answered with a task that has no ID'
            )
        return cls(
            job_id,
            (text_or_none(body.get('status')) or '').strip(),
            text_or_none(body.get('vbs_job_id')) or None,
            name_or_none(body.get('backup_name')),
            id_or_none(body.get('resource_id')),
            text_or_none(body.get('created_at')),
            text_or_none(body.get('finished_at')) or None,
            body,
        )

    @property
    def has_failed(self) -> bool:
        """Whether it ended with a failure; also of an unknown status."""
        return self.status.upper().startswith(_FAILED)

    @property
    def is_finished(self) -> bool:
        """Whether it has ended; a status that is unknown counts as none."""
        return self.has_failed or self.status.upper() in _FINISHED


@dataclass(frozen=True)
class VolumeResult:
    """What became of one volume that a policy was to take or to leave.

    :ivar is_done: YES or NO as the answer says; UNKNOWN if it does not
        mention the volume.
    :ivar code: of a failure, one of the API reference.
    :ivar message: of a failure.
    """

    volume_id: str
    is_done: Known
    code: str | None = None
    message: str | None = None


class Policies(Collection[Policy]):
    """The calls on policies.

    :param transport: how requests are sent.
    :param url: URL with ``v2`` and the project.
    """

    route = 'backuppolicy'
    key = None
    noun = 'policy'

    def read(self, body: Mapping[str, Any]) -> Policy:
        return Policy.from_body(body)

    def list(self) -> Sequence[Policy]:
        """List all policies (VBS API, V26; there are no pages).

        :raises MalformedResponse: if the answer has no list of policies.
        :raises ServiceError: if the service refuses.
        """
        body = self._transport.get(self._address())
        rows = {key.strip(): body[key] for key in body}.get('backup_policies')
        if not isinstance(rows, list) or not all(
            isinstance(row, dict) for row in rows
        ):
            raise errors.MalformedResponse(
                'the service answered without a list of policies',
                'Check that the endpoint is the right one.',
            )
        self._transport.activity.rows += len(rows)
        return [self.read(row) for row in rows]

    def get(self, id: str) -> Policy:
        """Find one policy in the list (V26): no call shows a single one.

        :param id: a UUID.
        :raises InvalidId: if it is none; nothing was sent.
        :raises NoSuchPolicy: if the list has no such policy.
        :raises ServiceError: if the service refuses.
        """
        wanted = uuid_segment(id)
        for policy in self.list():
            if policy.id == wanted:
                return policy
        raise NoSuchPolicy

    def create(self, body: Mapping[str, Any]) -> tuple[str, Receipt]:
        """Create a policy, which has no volumes (VBS API, V23; 200).

        :param body: of the request, with its schedule.
        :returns: the id of the policy, and a receipt.
        :raises ServiceError: if the service refuses.
        :raises ConnectionFailed: if it could not be sent.
        :raises OutcomeUnknown: if it may have been accepted.
        """
        document, receipt = self._transport.post(
            self._address(), body, accepted=200
        )
        return _policy_id_in(document, receipt), receipt

    def modify(self, id: str, body: Mapping[str, Any]) -> Receipt:
        """Modify a policy, or enable or disable it (V24, V25; 200).

        What becomes of the parts that the body leaves out is not documented.
        It is sent once: after a pause the policy may be another one.

        :param id: a UUID.
        :param body: of the request.
        :raises InvalidId: if the id is no UUID; nothing was sent.
        :raises ServiceError: if the service refuses.
        :raises ConnectionFailed: if it could not be sent.
        :raises OutcomeUnknown: if it may have been carried out.
        """
        segment = uuid_segment(id)
        document, receipt = self._transport.put(
            self._address(segment), body, accepted=200, repeats=False
        )
        _policy_id_in(document, receipt)
        require_echo(
            receipt, _stripped(document), {'backup_policy_id': segment}
        )
        return receipt

    def delete(self, id: str) -> Receipt:
        """Delete a policy; its backups stay (VBS API, V27; 204).

        :param id: a UUID.
        :raises InvalidId: if it is none; nothing was sent.
        :raises RepeatedDelete: if it was sent more than once and refused in
            the end: the list tells whether the policy is gone.
        :raises ServiceError: if the service refuses.
        """
        return self._transport.delete(
            self._address(uuid_segment(id)), accepted=204
        )

    def add_volumes(
        self, id: str, volume_ids: Sequence[str]
    ) -> tuple[Sequence[VolumeResult], Receipt]:
        """Associate volumes with a policy (VBS API, V28; 200).

        A volume that belongs to another policy leaves that one, which the
        answer does not tell.

        :param id: the UUID of the policy.
        :param volume_ids: UUIDs; more than 40 take the service long.
        :returns: what became of each volume, as it was named, and a receipt.
        :raises InvalidId: if an id is no UUID; nothing was sent.
        :raises ValueError: if no volume is named; nothing was sent.
        :raises ServiceError: if the service refuses all.
        :raises ConnectionFailed: if it could not be sent.
        :raises OutcomeUnknown: if it may have been carried out.
        """
        policy, volumes = uuid_segment(id), _segments(volume_ids)
        resources = [
            {'resource_id': volume, 'resource_type': 'volume'}
            for volume in volumes
        ]
        return self._change_volumes(
            resource_path('backuppolicyresources'),
            {'backup_policy_id': str(policy), 'resources': resources},
            volumes,
        )

    def remove_volumes(
        self, id: str, volume_ids: Sequence[str]
    ) -> tuple[Sequence[VolumeResult], Receipt]:
        """Disassociate volumes from a policy (VBS API, V29; 200).

        As :meth:`add_volumes`.
        """
        policy, volumes = uuid_segment(id), _segments(volume_ids)
        return self._change_volumes(
            resource_path(
                'backuppolicyresources', policy, 'deleted_resources'
            ),
            {'resources': [{'resource_id': volume} for volume in volumes]},
            volumes,
        )

    def _change_volumes(
        self, path: str, body: Mapping[str, Any], volumes: Sequence[str]
    ) -> tuple[Sequence[VolumeResult], Receipt]:
        document, receipt = self._transport.post(
            f'{self._url}/{path}', body, accepted=200
        )
        answer = _stripped(document)
        succeeded = answer.get('success_resources')
        failed = answer.get('fail_resources')
        if not isinstance(succeeded, list) and not isinstance(failed, list):
            raise _unusable(
                'the service accepted it without saying which volumes',
                receipt,
            )
        told = _results_in(succeeded, Known.YES) | _results_in(
            failed, Known.NO
        )
        return [
            told.get(volume) or VolumeResult(volume, Known.UNKNOWN)
            for volume in volumes
        ], receipt

    def execute(self, id: str) -> Receipt:
        """Back up the volumes of a policy now (VBS API, V30; 204).

        It is asynchronous: :meth:`tasks` tells how far it is.

        :param id: a UUID.
        :raises InvalidId: if it is none; nothing was sent.
        :raises ServiceError: if the service refuses.
        :raises ConnectionFailed: if it could not be sent.
        :raises OutcomeUnknown: if it may have been accepted.
        """
        url = self._address(uuid_segment(id), 'action')
        return self._transport.post(url, None, accepted=204)[1]

    def tasks(
        self,
        id: str,
        *,
        status: str | None = None,
        job_id: str | None = None,
        marker: str | None = None,
        sort_dir: Literal['asc', 'desc'] | None = None,
        page_size: int = paging.PAGE_SIZE,
    ) -> Iterator[Task]:
        """List what a policy did (VBS API, V31).

        :param id: the UUID of the policy.
        :param status: only those in this status.
        :param job_id: only the one task.
        :param marker: the ``job_id`` of the task before the first one.
        :param sort_dir: the order of their creation; None for that of the
            service.
        :param page_size: how many a page is to hold; the service's own
            default is 20.
        :raises InvalidId: if the id is no UUID; nothing was sent.
        :raises AmbiguousListing: if the list cannot be read to its end, or
            without a filter has fewer tasks than the service counts.
        :raises ServiceError: if the service refuses.
        """
        url = self._address(uuid_segment(id), 'backuptasks')
        counts: list[int] = []

        def fetch(page: dict[str, str]) -> dict[str, Any]:
            body = self._transport.get(url, page)
            if (count := paging.count_of(body)) is not None:
                counts.append(count)
            return body

        query = paging.query(
            status=status,
            job_id=job_id,
            marker=marker,
            sort_dir=sort_dir,
            sort_key='created_at' if sort_dir else None,
        )
        rows = self._rows_of(fetch, _STYLE, query, page_size)
        if status is job_id is marker is None:
            rows = _whole(rows, counts)
        return (
            task
            for task in map(Task.from_body, rows)
            if status in (None, task.status)
            and (job_id is None or _is_same(job_id, task.job_id))
        )


def _whole(
    rows: Iterator[Mapping[str, Any]], counts: Sequence[int]
) -> Iterator[Mapping[str, Any]]:
    """All rows of a list.

    :param counts: how many there are, as each page tells it.
    :raises AmbiguousListing: after the last row, if some are missing.
    """
    number = 0
    for row in rows:
        number += 1
        yield row
    # Tasks come and go while they are listed.
    if counts and number < min(counts):
        raise errors.AmbiguousListing(
            f'the service lists {number} of {min(counts)} tasks',
            'Nothing was decided from a list that is not whole.',
        )


def _stripped(value: Any) -> Any:
    """An answer whose keys have no blanks around them (T16).

    Where that would make two keys one, the one without blanks counts.
    """
    if isinstance(value, dict):
        # The last one of two keys stays.
        keys = sorted(value, key=lambda key: key == key.strip())
        return {key.strip(): _stripped(value[key]) for key in keys}
    if isinstance(value, list):
        return [_stripped(inner) for inner in value]
    return value


def _is_same(one: str, other: str) -> bool:
    return canonical_id(one) == canonical_id(other)


def _is_enabled(body: Mapping[str, Any]) -> bool | None:
    status = dict_or_empty(body.get('scheduled_policy')).get('status')
    text = (text_or_none(status) or '').strip().upper()
    return {'ON': True, 'OFF': False}.get(text)


def _policy_id_in(document: Mapping[str, Any], receipt: Receipt) -> str:
    """The id in the answer to a change.

    :raises OutcomeUnknown: if there is none.
    """
    id = _stripped(document).get('backup_policy_id')
    if not isinstance(id, str) or not is_uuid(id):
        raise _unusable(_NO_ID, receipt)
    return canonical_id(id)


def _unusable(message: str, receipt: Receipt) -> errors.OutcomeUnknown:
    return errors.OutcomeUnknown(
        errors.UnexpectedSuccess(
            message,
            status=receipt.status,
            request_id=receipt.request_id,
        )
    )


def _segments(volume_ids: Sequence[str]) -> Sequence[str]:
    """The ids of volumes, each once.

    :raises ValueError: if there are none, which a service might take for
        all.
    """
    if not volume_ids:
        raise ValueError('no volume is named')
    return [str(id) for id in dict.fromkeys(map(uuid_segment, volume_ids))]


def _results_in(rows: Any, is_done: Known) -> dict[str, VolumeResult]:
    """What one of the two lists tells, by the ids of the volumes."""
    told: dict[str, VolumeResult] = {}
    for row in rows if isinstance(rows, list) else []:
        id = lenient_id(dict_or_empty(row).get('resource_id'))
        if id is None:
            continue
        code = _text(row.get('code'))
        # Failures were seen in the list of the successes, too.
        failed = is_done is Known.NO or code is not None
        if id not in told or failed:
            told[id] = VolumeResult(
                id,
                Known.NO if failed else Known.YES,
                code,
                _text(row.get('message')),
            )
    return told


def _text(value: Any) -> str | None:
    return None if value in (None, '') else str(value)
