# SPDX-License-Identifier: Apache-2.0
"""VBS: restores by the vendor's call (v2) and the native ones."""

from typing import Any

from tests.sandbox import jobs, native
from tests.sandbox.body import check_keys, read_object
from tests.sandbox.gate import may_change
from tests.sandbox.model import Backup, Volume
from tests.sandbox.query import Query, is_uuid
from tests.sandbox.routing import Call, Router
from tests.sandbox.wire import (
    Answer,
    json_answer,
    native_error,
    refuse,
    vendor_error,
)

KEYS = ('volume_id',)


def register(v2: Router, v3: Router) -> None:
    """Hang the calls into the routes of both versions."""
    v2.route('POST', 'cloudbackups/{backup_id}/restore')(restore_backup)
    v2.route('POST', 'cloudbackups//restore')(restore_nothing)
    v2.route('POST', 'backups/{backup_id}/restore')(restore_native)
    v3.route('POST', 'backups/{backup_id}/restore')(restore_native)


def _error(number: str, message: str, status: int = 400) -> Answer:
    return vendor_error(status, f'VolumeBackup.{number}', message)


def _malformed(message: str) -> Answer:
    return _error('0210', message)


# -- the vendor's call -----------------------------------------------------


def restore_nothing(_call: Call) -> Answer:
    """An id that is empty has a code of its own."""
    return _error('0203', 'backup_id is empty.')


def restore_backup(call: Call, backup_id: str) -> Answer:
    """V3: accepted with the id of a job."""
    Query(call.request.query, (), native.bad_query)
    may_change(call.cloud, 'backup:restore')
    wanted = read_object(call.request, 'restore', KEYS, _malformed)
    if not is_uuid(backup_id):
        return _error('0204', 'backup_id is malformed.')
    volume_id = wanted.get('volume_id')
    if not is_uuid(str(volume_id)):
        return _error('0208', 'volume_id is missing or malformed.')
    native.require_worker(call.cloud)
    backup = _find_backup(call, backup_id)
    volume = _find_volume(call, volume_id)
    _check_volume(call, backup, volume)
    job = call.cloud.state.add_job(jobs.RESTORE, backup, 'INIT', volume)
    call.cloud.restores.begin_volume(backup, volume, job)
    return json_answer({'job_id': job.id})


def _find_backup(call: Call, backup_id: str) -> Backup:
    """A backup of the project, at rest; those of others only make disks."""
    backup = call.cloud.state.backups.get(backup_id)
    if backup is not None and backup.project_id != call.project:
        shares = call.cloud.state.shares_of(backup.id)
        if any(share.to_project_id == call.project for share in shares):
            message = 'A backup that is shared with you cannot be restored.'
            refuse(_error('0089', message))
    if backup is None or backup.project_id != call.project:
        refuse(_error('0111', 'There is no such backup.', 404))
    if backup.status != 'available':
        refuse(_error('0089', f'The backup is {backup.status}.'))
    return backup


def _find_volume(call: Call, volume_id: Any) -> Volume:
    volume = call.cloud.state.volumes.get(volume_id)
    if volume is None or volume.project_id != call.project:
        refuse(_error('0207', 'There is no such disk.'))
    return volume


def _check_volume(call: Call, backup: Backup, volume: Volume) -> None:
    _check_use(call, volume)
    if volume.status.startswith('error'):
        refuse(_error('0202', f'The disk is {volume.status}.'))
    if volume.status != 'available':
        refuse(_error('0205', f'The disk is {volume.status}.'))
    if volume.size < backup.size:
        refuse(_error('0209', 'The disk is smaller than the backup.'))


def _check_use(call: Call, volume: Volume) -> None:
    """What only VBS looks at."""
    if volume.replicated:
        refuse(_error('0211', 'The disk belongs to a recovery site.'))
    backups = call.cloud.state.backups_of_volume(volume.id)
    if any(backup.status == 'creating' for backup in backups):
        refuse(_error('0206', 'A backup of the disk is being made.'))


# -- the native call -------------------------------------------------------


def restore_native(call: Call, backup_id: str) -> Answer:
    """V11 and V17: unlike Cinder's, never to a volume that is made."""
    Query(call.request.query, (), native.bad_query)
    may_change(call.cloud, 'backup:restore')
    wanted = read_object(call.request, 'restore', KEYS, native.bad_query)
    check_keys(wanted, KEYS, native.bad_query, KEYS)
    if not is_uuid(str(wanted['volume_id'])):
        return native.bad_query('volume_id is malformed.')
    backup = native.find(call, backup_id)
    if backup.project_id != call.project:
        # Whoever sees it in a list may not restore it all the same.
        return native_error(403, 'The backup is of another project.')
    volume = native.find_volume(call, wanted['volume_id'])
    _check_use(call, volume)
    return native.restore_backup(call, backup, volume)
