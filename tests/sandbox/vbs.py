# SPDX-License-Identifier: Apache-2.0
"""VBS: jobs (v1), vendor calls (v2), native backups (v2 and v3)."""

import re
from typing import Any

from tests.sandbox import native, sharing
from tests.sandbox.cloud import Cloud
from tests.sandbox.discovery import VBS_MICROVERSION, vbs_document
from tests.sandbox.gate import admit
from tests.sandbox.microversion import requested
from tests.sandbox.model import Job
from tests.sandbox.query import Query, is_uuid
from tests.sandbox.routing import Call, Router
from tests.sandbox.wire import (
    Answer,
    Request,
    json_answer,
    read_json,
    refuse,
    unmapped,
    vendor_error,
)

v1 = Router()
v2 = Router()
v3 = Router()
ROUTERS = {'v1': v1, 'v2': v2, 'v3': v3}

sharing.register(v2)

NATIVE_KEYS = ('name', 'status', 'volume_id', 'limit', 'offset', 'marker')
FUZZY_KEYS = ('name~', 'status~', 'volume_id~')


def answer(cloud: Cloud, request: Request) -> Answer:
    segments = request.segments
    if request.method == 'GET' and segments[2:] in ((), ('',)):
        # Also below a project: a client may ask the catalog's URL itself.
        return vbs_document(cloud, request)
    if segments[0] not in cloud.knobs.versions or len(segments) < 3:
        return unmapped(request)
    if segments[0] not in ROUTERS:
        return unmapped(request)
    version, project = segments[:2]
    admit(cloud, request, project, 'backup')
    call = Call(cloud, request, project, version)
    return ROUTERS[version].dispatch(call, segments[2:])


# -- v1: jobs --------------------------------------------------------------


@v1.route('GET', 'jobs/{job_id}')
def show_job(call: Call, job_id: str) -> Answer:
    job = call.cloud.state.jobs.get(job_id)
    if job is None or job.project_id != call.project:
        return vendor_error(404, 'common.0011', 'The task is not found.')
    _settle(call, job)
    return json_answer(
        {
            'status': job.status,
            'entities': {
                'backup_id': job.backup_id,
                'volume_id': job.volume_id,
                'snapshot_id': '',
                'bks_create_volume_name': '',
            },
            'job_id': job.id,
            'job_type': job.job_type,
            'begin_time': job.begin_time,
            'end_time': job.end_time,
            'error_code': job.error_code,
            'fail_reason': job.fail_reason,
        }
    )


def _settle(call: Call, job: Job) -> None:
    """A job ends when its backup has come to rest."""
    if job.status != 'RUNNING':
        return
    state = call.cloud.state
    backup = state.backups.get(job.backup_id)
    status = backup.status if backup else None
    if status in ('creating', 'deleting', 'restoring'):
        return
    wanted = None if job.job_type == 'bksDeleteBackup' else 'available'
    job.status = 'SUCCESS' if status == wanted else 'FAIL'
    job.end_time = state.stamp() + 'Z'
    if job.status == 'FAIL':
        job.error_code = 'VolumeBackup.0102'
        job.fail_reason = f'The backup is {status}.'


# -- v2: vendor calls ------------------------------------------------------


@v2.route('GET', 'cloudbackups/quota')
def show_quota(call: Call) -> Answer:
    Query(call.request.query, (), native.bad_query)
    backups = list(call.cloud.state.backups_of[call.project])
    resources = [
        {'type': 'backups', 'used': len(backups), 'reserved': 0, 'quota': 100},
        {
            'type': 'backup_gigabytes',
            'used': sum(backup.size for backup in backups),
            'reserved': 0,
            'quota': -1,
        },
    ]
    return json_answer({'quotas': {'resources': resources}})


@v2.route('POST', 'cloudbackups')
def create_backup(call: Call) -> Answer:
    """The backup is there at once: creation is not what is tested."""
    state = call.cloud.state
    wanted = read_json(call.request).get('backup')
    if not isinstance(wanted, dict):
        return vendor_error(400, 'VolumeBackup.0002', 'Malformed body.')
    volume_id = wanted.get('volume_id')
    _check_creation(wanted, volume_id)
    volume = state.volumes.get(str(volume_id))
    if volume is None or volume.project_id != call.project:
        return vendor_error(400, 'VolumeBackup.0021', 'No such disk.')
    full = (wanted.get('extend_param') or {}).get('FullBackup') == 'true'
    backup = state.add_backup(
        wanted['name'],
        volume,
        incremental=not full and state.is_backed_up(volume),
        project_id=call.project,
        description=wanted.get('description'),
    )
    job = state.add_job('bksCreateBackup', backup)
    return json_answer({'job_id': job.id})


def _check_creation(wanted: dict[str, Any], volume_id: object) -> None:
    name = wanted.get('name')
    if not isinstance(volume_id, str) or not is_uuid(volume_id):
        refuse(vendor_error(400, 'VolumeBackup.0011', 'Bad volume_id.'))
    if not isinstance(name, str) or not name:
        refuse(vendor_error(400, 'VolumeBackup.0007', 'The name is empty.'))
    if len(name) > 64:
        refuse(vendor_error(400, 'VolumeBackup.0003', 'Name too long.'))
    if name.startswith('auto'):
        refuse(vendor_error(400, 'VolumeBackup.0005', 'Reserved name.'))
    if not re.fullmatch(r'[A-Za-z0-9_-]+', name):
        refuse(vendor_error(400, 'VolumeBackup.0004', 'Illegal name.'))


@v2.route('POST', 'cloudbackups/{backup_id}')
def delete_by_post(call: Call, backup_id: str) -> Answer:
    """A bare POST on the resource deletes it."""
    backup = native.find(call, backup_id)
    native.accept_deletion(call, backup)
    job = call.cloud.state.add_job('bksDeleteBackup', backup)
    return json_answer({'job_id': job.id})


# -- v2 and v3: native backups ---------------------------------------------


@v2.route('GET', 'backups')
def list_v2(call: Call) -> Answer:
    query = Query(call.request.query, NATIVE_KEYS, native.bad_query)
    return native.list_backups(call, query, native.summary, with_links=True)


@v2.route('GET', 'backups/detail')
def detail_v2(call: Call) -> Answer:
    keys = (*NATIVE_KEYS, 'sort_key', 'sort_dir')
    query = Query(call.request.query, keys, native.bad_query)
    return native.list_backups(
        call,
        query,
        native.detail_v2,
        with_links=True,
        sort_key=query.choice('sort_key', native.SORT_KEYS, 'created_at'),
        sort_dir=query.choice('sort_dir', ('asc', 'desc'), 'desc'),
    )


def _query_v3(call: Call) -> Query:
    """What is allowed depends on the microversion."""
    version = requested(call.request, VBS_MICROVERSION)
    keys: tuple[str, ...] = NATIVE_KEYS
    if version >= (3, 31):
        keys = (*keys, *FUZZY_KEYS)
    if version >= (3, 45):
        keys = (*keys, 'with_count')
    return Query(call.request.query, keys, native.bad_query)


@v3.route('GET', 'backups')
def list_v3(call: Call) -> Answer:
    query = _query_v3(call)
    return native.list_backups(call, query, native.summary, with_links=True)


@v3.route('GET', 'backups/detail')
def detail_v3(call: Call) -> Answer:
    """The one list that shows no link to its next page."""
    query = _query_v3(call)
    return native.list_backups(call, query, native.detail_v3, with_links=False)


@v2.route('GET', 'backups/{backup_id}')
@v3.route('GET', 'backups/{backup_id}')
def show_backup(call: Call, backup_id: str) -> Answer:
    Query(call.request.query, (), native.bad_query)
    if call.version == 'v3':
        requested(call.request, VBS_MICROVERSION)
    backup = native.find(call, backup_id)
    view = native.detail_v2 if call.version == 'v2' else native.detail_v3
    return json_answer({'backup': view(backup)})


@v2.route('DELETE', 'backups/{backup_id}')
@v3.route('DELETE', 'backups/{backup_id}')
def delete_backup(call: Call, backup_id: str) -> Answer:
    if call.version == 'v3':
        requested(call.request, VBS_MICROVERSION)
    return native.delete_backup(call, backup_id)


@v2.route('GET', 'backuppolicy')
def list_policies(call: Call) -> Answer:
    """V26: the default policy, which every project has."""
    Query(call.request.query, (), native.bad_query)
    policy = {
        'backup_policy_id': 'd8f1b1a4-6a8c-4f0e-9a52-6f1f2f7c0a11',
        'backup_policy_name': 'DefaultPolicy',
        'policy_resource_count': 0,
        'scheduled_policy': {
            'start_time': '12:00',
            'frequency': 1,
            'rentention_num': 7,
            'remain_first_backup_of_curMonth': 'N',
            'status': 'OFF',
        },
    }
    return json_answer({'backup_policies': [policy]})
