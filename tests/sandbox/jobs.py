# SPDX-License-Identifier: Apache-2.0
"""The jobs of VBS: INIT, RUNNING, then SUCCESS or FAIL."""

from typing import TYPE_CHECKING, Any

from tests.sandbox.model import Job
from tests.sandbox.state import CloudState

if TYPE_CHECKING:
    from tests.sandbox.cloud import Cloud

CREATE = 'bksCreateBackup'
DELETE = 'bksDeleteBackup'
RESTORE = 'bksRestoreBackup'
ERROR_CODES = {
    CREATE: 'VolumeBackup.0064',
    DELETE: 'VolumeBackup.0102',
    RESTORE: 'VolumeBackup.0200',
}


def settle(state: CloudState, job: Job) -> None:
    """Let a job end if its backup has come to rest.

    Whether a restore went well is nothing that its backup could tell: who
    restores ends the job.
    """
    if job.status in ('SUCCESS', 'FAIL') or job.job_type == RESTORE:
        return
    backup = state.backups.get(job.backup_id)
    status = backup.status if backup else None
    if status in ('creating', 'deleting', 'restoring'):
        return
    if status == (None if job.job_type == DELETE else 'available'):
        end(state, job)
    else:
        reason = backup.fail_reason if backup else None
        end(state, job, reason or f'The backup is {status}.')


def end(state: CloudState, job: Job, failed: str = '') -> None:
    """Let a job end.

    :param failed: why it failed, if it did.
    """
    job.status = 'FAIL' if failed else 'SUCCESS'
    job.end_time = state.stamp() + 'Z'
    if failed:
        job.error_code = ERROR_CODES[job.job_type]
        job.fail_reason = failed


def view(cloud: 'Cloud', job: Job) -> dict[str, Any]:
    """A job as of now, with what it consists of if a knob says so."""
    settle(cloud.state, job)
    backup = cloud.state.backups.get(job.backup_id)
    queued = backup is not None and cloud.creations.is_queued(backup)
    if (job.status, queued) == ('INIT', False) and job.job_type != RESTORE:
        job.status = 'RUNNING'
    shown = _view(job)
    if cloud.knobs.sub_jobs:
        # Its id is made of that of the whole: any text will do.
        part = shown | {'job_id': f'{job.id[:-2]}-1'}
        shown['sub_jobs'] = [part]
    return shown


def _view(job: Job) -> dict[str, Any]:
    """The backup is named when there is one: what is made, at the end."""
    entities = {
        'volume_id': job.volume_id,
        'snapshot_id': job.snapshot_id,
        'bks_create_volume_name': '',
    }
    if job.status == 'SUCCESS' or job.job_type != CREATE:
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
