# SPDX-License-Identifier: Apache-2.0
"""The jobs of VBS: INIT, RUNNING, then SUCCESS or FAIL."""

from typing import Any

from tests.sandbox.cloud import Cloud
from tests.sandbox.model import Job
from tests.sandbox.state import CloudState

CREATE = 'bksCreateBackup'
DELETE = 'bksDeleteBackup'
ERROR_CODES = {CREATE: 'VolumeBackup.0064', DELETE: 'VolumeBackup.0102'}


def settle(state: CloudState, job: Job) -> None:
    """Let a job end if its backup has come to rest."""
    if job.status in ('SUCCESS', 'FAIL'):
        return
    backup = state.backups.get(job.backup_id)
    status = backup.status if backup else None
    if status in ('creating', 'deleting', 'restoring'):
        return
    wanted = None if job.job_type == DELETE else 'available'
    job.status = 'SUCCESS' if status == wanted else 'FAIL'
    job.end_time = state.stamp() + 'Z'
    if job.status == 'FAIL':
        job.error_code = ERROR_CODES[job.job_type]
        reason = backup.fail_reason if backup else None
        job.fail_reason = reason or f'The backup is {status}.'


def view(cloud: Cloud, job: Job) -> dict[str, Any]:
    """A job as of now, with what it consists of if a knob says so."""
    settle(cloud.state, job)
    backup = cloud.state.backups.get(job.backup_id)
    if job.status == 'INIT' and not (
        backup and cloud.creations.is_queued(backup)
    ):
        job.status = 'RUNNING'
    shown = _view(job)
    if cloud.knobs.sub_jobs:
        # Its id is made of that of the whole: any text will do.
        part = shown | {'job_id': f'{job.id[:-2]}-1'}
        shown['sub_jobs'] = [part]
    return shown


def _view(job: Job) -> dict[str, Any]:
    """The backup is named when there is one: no sooner than at the end."""
    entities = {
        'volume_id': job.volume_id,
        'snapshot_id': job.snapshot_id,
        'bks_create_volume_name': '',
    }
    if job.status == 'SUCCESS' or job.job_type == DELETE:
        entities['backup_id'] = job.backup_id
    return {
        'status': job.status,
        'entities': entities,
        'job_id': job.id,
        'job_type': job.job_type,
        'begin_time': job.begin_time,
        'end_time': job.end_time,
        'error_code': job.error_code,
        'fail_reason': job.fail_reason,
    }
