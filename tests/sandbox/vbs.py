# SPDX-License-Identifier: Apache-2.0
"""VBS: jobs (v1), vendor calls (v2), native backups (v2 and v3)."""

from tests.sandbox import (
    jobs,
    native,
    sharing,
    vbs_creation,
    vbs_policies,
    vbs_restore,
)
from tests.sandbox.cloud import Cloud
from tests.sandbox.discovery import VBS_MICROVERSION, vbs_document
from tests.sandbox.gate import admit
from tests.sandbox.microversion import requested
from tests.sandbox.query import Query
from tests.sandbox.routing import Call, Router
from tests.sandbox.wire import (
    Answer,
    Request,
    json_answer,
    unmapped,
    vendor_error,
)

v1 = Router()
v2 = Router()
v3 = Router()
ROUTERS = {'v1': v1, 'v2': v2, 'v3': v3}

sharing.register(v2)
vbs_creation.register(v2, v3)
vbs_restore.register(v2, v3)
vbs_policies.register(v2)

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
    Query(call.request.query, (), native.bad_query)
    job = call.cloud.state.jobs.get(job_id)
    if job is None or job.project_id != call.project:
        return vendor_error(404, 'common.0011', 'The task is not found.')
    return json_answer(jobs.view(call.cloud, job))


# -- v2: vendor calls ------------------------------------------------------


@v2.route('GET', 'cloudbackups/quota')
def show_quota(call: Call) -> Answer:
    Query(call.request.query, (), native.bad_query)
    knobs = call.cloud.knobs
    count, gigabytes = native.usage(call)
    resources = [
        {
            'type': 'backups',
            'used': count,
            'reserved': 0,
            'quota': knobs.backup_quota,
        },
        {
            'type': 'backup_gigabytes',
            'used': gigabytes,
            'reserved': 0,
            'quota': knobs.gigabyte_quota,
        },
    ]
    return json_answer({'quotas': {'resources': resources}})


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
