# SPDX-License-Identifier: Apache-2.0
"""Block storage: the same backups again, the disks and their snapshots.

It is looser than VBS: it is there so that other tools have what they need.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin

from tests.sandbox import native
from tests.sandbox.body import check_flag, read_object
from tests.sandbox.cloud import Cloud
from tests.sandbox.discovery import version, versioned
from tests.sandbox.gate import admit, exceeds, may_change
from tests.sandbox.microversion import requested
from tests.sandbox.model import Backup, Snapshot, Volume
from tests.sandbox.query import Query, is_uuid
from tests.sandbox.routing import Call, Router
from tests.sandbox.wire import (
    Answer,
    Request,
    json_answer,
    native_error,
    refuse,
    unmapped,
)

MICROVERSION = '3.71'

BACKUP_KEYS = (
    'name',
    'status',
    'volume_id',
    'limit',
    'offset',
    'marker',
    'sort',
    'sort_key',
    'sort_dir',
    'all_tenants',
    'project_id',
)
SNAPSHOT_KEYS = (
    'all_tenants',
    'limit',
    'marker',
    'name',
    'offset',
    'project_id',
    'sort',
    'sort_dir',
    'sort_key',
    'status',
    'volume_id',
    'with_count',
)
CREATE_KEYS = (
    'volume_id',
    'snapshot_id',
    'name',
    'description',
    'container',
    'incremental',
    'force',
)
VOLUME_KEYS = (
    'all_tenants',
    'availability_zone',
    'bootable',
    'limit',
    'marker',
    'metadata',
    'name',
    'offset',
    'project_id',
    'sort',
    'sort_dir',
    'sort_key',
    'status',
    'with_count',
)
# Nobody may search for a part of a value unless the operator allows it.
# Before 3.31 what is not known is not even refused.
IGNORED_ONCE = ('name~', 'status~', 'volume_id~')
#: The columns of Cinder's table; the name is not called that there.
SORT_KEYS = (
    'id',
    'status',
    'size',
    'volume_id',
    'availability_zone',
    'created_at',
    'updated_at',
    'data_timestamp',
)

routes = Router(unmapped)


def answer(cloud: Cloud, request: Request) -> Answer:
    segments = request.segments
    href = f'{request.base}/volume/v3/'
    entry = version('v3.0', 'CURRENT', href, MICROVERSION)
    if segments in ((), ('',)):
        return json_answer({'versions': [entry]}, 300)
    if segments[0] != 'v3':
        return unmapped(request)
    if len(segments) < 3:
        return versioned(cloud, request, entry)
    admit(cloud, request, segments[1], 'backup')
    call = Call(cloud, request, segments[1], 'v3')
    return routes.dispatch(call, segments[2:])


# -- backups ---------------------------------------------------------------


def _links(call: Call, backup: Backup) -> list[dict[str, str]]:
    base = f'{call.request.base}/volume'
    path = f'{call.project}/backups/{backup.id}'
    return [
        {'rel': 'self', 'href': f'{base}/v3/{path}'},
        {'rel': 'bookmark', 'href': f'{base}/{path}'},
    ]


def _summary(call: Call) -> Callable[[Backup], dict[str, Any]]:
    return lambda backup: (
        native.summary(backup) | {'links': _links(call, backup)}
    )


def _detail(call: Call) -> Callable[[Backup], dict[str, Any]]:
    """As in VBS, but here the chain is shown, and the owner since 3.18."""
    state = call.cloud.state
    shows_owner = requested(call.request, MICROVERSION) >= (3, 18)

    def detail(backup: Backup) -> dict[str, Any]:
        return native.common(backup) | {
            'has_dependent_backups': bool(state.dependants(backup)),
            'links': _links(call, backup),
            **(
                {'os-backup-project-attr:project_id': backup.project_id}
                if shows_owner
                else {}
            ),
        }

    return detail


def _query(call: Call) -> Query:
    """What is allowed depends on the microversion."""
    version = requested(call.request, MICROVERSION)
    keys: tuple[str, ...] = (*BACKUP_KEYS, 'with_count')
    given = dict(parse_qsl(call.request.query))
    if version < (3, 31):
        keys = (*keys, *IGNORED_ONCE)
    elif unfit := [key for key in given if key in IGNORED_ONCE]:
        refuse(
            native.bad_query(
                f'Invalid filters {",".join(unfit)} are found in query '
                f'options.'
            )
        )
    query = Query(call.request.query, keys, native.bad_query)
    ignored = (
        IGNORED_ONCE
        if version >= (3, 45)
        else (
            *IGNORED_ONCE,
            'with_count',
        )
    )
    return query.without(ignored)


def _order(query: Query) -> tuple[str, str]:
    """Key and direction, from `sort` or from its older form."""
    text = query.text('sort')
    if text and query.present(('sort_key', 'sort_dir')):
        refuse(
            native.bad_query(
                "The 'sort_key' and 'sort_dir' parameters are deprecated and "
                "cannot be used with the 'sort' parameter."
            )
        )
    key, _, way = (text or '').partition(':')
    key = key or query.text('sort_key') or 'created_at'
    way = way or query.text('sort_dir') or 'desc'
    problem = 'Invalid sort key' if key not in SORT_KEYS else ''
    if way not in ('asc', 'desc'):
        problem = "Unknown sort direction, must be 'desc' or 'asc'."
    if problem:
        refuse(native.bad_query(f'Invalid input received: {problem}'))
    return key, way


def _list(call: Call, view: Callable[[Backup], dict[str, Any]]) -> Answer:
    query = _query(call)
    key, way = _order(query)
    return native.list_backups(
        call,
        query,
        view,
        with_links=True,
        next_page=lambda marker: _next_page(call, marker),
        sort_key=key,
        sort_dir=way,
    )


def _next_page(call: Call, marker: str) -> str:
    """The same query again, an offset included, behind another marker."""
    asked = dict(parse_qsl(call.request.query)) | {'marker': marker}
    address = urljoin(call.request.base, call.request.path)
    return f'{address}?{urlencode(asked)}'


@routes.route('GET', 'backups')
def list_backups(call: Call) -> Answer:
    return _list(call, _summary(call))


@routes.route('GET', 'backups/detail')
def detail_backups(call: Call) -> Answer:
    return _list(call, _detail(call))


@routes.route('GET', 'backups/{backup_id}')
def show_backup(call: Call, backup_id: str) -> Answer:
    requested(call.request, MICROVERSION)
    backup = native.find(call, backup_id)
    return json_answer({'backup': _detail(call)(backup)})


@routes.route('DELETE', 'backups/{backup_id}')
def delete_backup(call: Call, backup_id: str) -> Answer:
    requested(call.request, MICROVERSION)
    return native.delete_backup(call, backup_id)


@routes.route('POST', 'backups')
def create_backup(call: Call) -> Answer:
    Query(call.request.query, (), native.bad_query)
    may_change(call.cloud, 'backup:create')
    wanted = _wanted(call)
    volume = native.find_volume(call, wanted['volume_id'])
    snapshot = None
    if wanted.get('snapshot_id') is not None:
        snapshot = native.snapshot_of(call, volume, wanted['snapshot_id'])
    elif volume.status not in ('available', 'in-use'):
        return native.invalid_volume(
            f'Volume to be backed up must be available or in-use, but the '
            f'current status is "{volume.status}".'
        )
    elif volume.status == 'in-use' and not wanted.get('force'):
        return native.invalid_volume(native.IN_USE)
    _check_quota(call, volume)
    parent = None
    if wanted.get('incremental'):
        parent = _parent(call, volume, snapshot)
    # Whatever is read is busy meanwhile.
    source: Volume | Snapshot = snapshot or volume
    previous, source.status = source.status, 'backing-up'
    backup = native.create_backup(
        call,
        volume,
        snapshot,
        parent,
        wanted,
        lambda: setattr(source, 'status', previous),
    )
    return json_answer({'backup': _summary(call)(backup)}, 202)


def _wanted(call: Call) -> dict[str, Any]:
    """The body, whose keys depend on the microversion."""
    version = requested(call.request, MICROVERSION)
    keys: tuple[str, ...] = CREATE_KEYS
    if version >= (3, 43):
        keys = (*keys, 'metadata')
    if version >= (3, 51):
        keys = (*keys, 'availability_zone')
    wanted = read_object(call.request, 'backup', keys, native.bad_query)
    snapshot_id = wanted.get('snapshot_id')
    if not is_uuid(str(wanted.get('volume_id'))) or (
        snapshot_id is not None and not is_uuid(str(snapshot_id))
    ):
        refuse(native.bad_query('Invalid input: an id is no uuid.'))
    for key in ('name', 'description', 'container', 'availability_zone'):
        if not isinstance(wanted.get(key), str | None):
            refuse(native.bad_query(f'Invalid input for {key}: no string.'))
    for key in ('incremental', 'force'):
        check_flag(wanted, key, native.bad_query)
    return wanted


def _check_quota(call: Call, volume: Volume) -> None:
    """The words of Cinder; a client may take them for throttling."""
    knobs = call.cloud.knobs
    count, gigabytes = native.usage(call)
    message = ''
    if exceeds(knobs.backup_quota, count + 1):
        message = (
            f'Maximum number of backups allowed ({knobs.backup_quota}) '
            f'exceeded'
        )
    elif exceeds(knobs.gigabyte_quota, gigabytes + volume.size):
        message = (
            f'Requested backup exceeds allowed Backup gigabytes quota. '
            f'Requested {volume.size}G, quota is {knobs.gigabyte_quota}G and '
            f'{gigabytes}G has been consumed.'
        )
    if message:
        fault = {'code': 413, 'message': message, 'retryAfter': '0'}
        headers = {'Retry-After': '0'}
        refuse(json_answer({'overLimit': fault}, 413, headers))


def _parent(call: Call, volume: Volume, snapshot: Snapshot | None) -> Backup:
    """What an incremental backup builds on: the newest there is.

    That of a snapshot builds on what is older than the snapshot, where
    anything is.
    """
    backups = call.cloud.state.backups_of_volume(volume.id)
    if not backups:
        refuse(_bad_parent('No backups available to do an incremental backup'))
    last = snapshot.created_at if snapshot else None
    fitting = [
        backup
        for backup in backups
        if last is None or (backup.data_timestamp or '') < last
    ]
    parent = max(fitting or backups, key=lambda row: row.data_timestamp or '')
    if parent.status != 'available':
        refuse(
            _bad_parent(
                'The parent backup must be available for incremental backup'
            )
        )
    return parent


def _bad_parent(reason: str) -> Answer:
    return native.invalid_backup(f'{reason}.')


@routes.route('POST', 'backups/{backup_id}/restore')
def restore_backup(call: Call, backup_id: str) -> Answer:
    """To a new volume, unless one is named."""
    Query(call.request.query, (), native.bad_query)
    requested(call.request, MICROVERSION)
    may_change(call.cloud, 'backup:restore')
    wanted = read_object(
        call.request, 'restore', ('volume_id', 'name'), native.bad_query
    )
    if not isinstance(wanted.get('name'), str | None):
        return native.bad_query('Invalid input for name: no string.')
    volume_id = wanted.get('volume_id')
    if volume_id is not None and not is_uuid(str(volume_id)):
        return native.bad_query('Invalid input: an id is no uuid.')
    backup = native.find(call, backup_id)
    if volume_id is not None:
        volume = native.find_volume(call, volume_id)
    elif backup.status != 'available':
        return native.invalid_backup('Backup status must be available')
    else:
        volume = call.cloud.state.add_volume(
            wanted.get('name') or f'restore_backup_{backup.id}',
            backup.size,
            project_id=call.project,
        )
    return native.restore_backup(call, backup, volume, shrinks=False)


# -- disks -----------------------------------------------------------------


def _volume(call: Call, volume: Volume) -> dict[str, Any]:
    return {
        'id': volume.id,
        'name': volume.name,
        'status': volume.status,
        'size': volume.size,
        'bootable': str(volume.bootable).lower(),
        'availability_zone': volume.availability_zone,
        'created_at': volume.created_at,
        'updated_at': volume.updated_at,
        'attachments': _attachments(call, volume),
        'volume_type': volume.volume_type,
        'metadata': {},
        'encrypted': volume.encrypted,
        'multiattach': volume.multiattach,
        # The older word of the vendor for the same.
        'shareable': str(volume.multiattach).lower(),
        'snapshot_id': None,
        'source_volid': None,
        'description': '',
        'os-vol-tenant-attr:tenant_id': volume.project_id,
        'links': [],
    }


def _attachments(call: Call, volume: Volume) -> list[dict[str, Any]]:
    server = call.cloud.state.servers.get(volume.server_id or '')
    if server is None:
        return []
    return [
        {
            'id': volume.id,
            'volume_id': volume.id,
            'attachment_id': volume.id,
            'server_id': server.id,
            'device': server.device_of(volume),
            'host_name': None,
            'attached_at': server.created_at,
        }
    ]


def _volumes(call: Call, shown: tuple[str, ...] = ()) -> Answer:
    """Those that fit the query; of each only some keys, if they are named."""
    query = Query(call.request.query, VOLUME_KEYS, native.bad_query)
    asked = query.present(('name', 'status', 'availability_zone', 'bootable'))
    rows = [
        row
        for row in (
            _volume(call, volume)
            for volume in call.cloud.state.volumes.values()
            if volume.project_id == call.project
        )
        if all(row[key] == value for key, value in asked.items())
    ]
    if shown:
        rows = [{key: row[key] for key in shown} for row in rows]
    return linked_page(call, 'volumes', rows, query, _not_found)


@routes.route('GET', 'volumes')
def list_volumes(call: Call) -> Answer:
    return _volumes(call, ('id', 'name', 'links'))


@routes.route('GET', 'volumes/detail')
def detail_volumes(call: Call) -> Answer:
    return _volumes(call)


def _not_found(message: str) -> Answer:
    return native_error(404, message)


def linked_page(
    call: Call,
    key: str,
    rows: list[dict[str, Any]],
    query: Query,
    no_marker: Callable[[str], Answer],
) -> Answer:
    """A page of Nova or Cinder, with a link if it is as long as allowed."""
    ids = [row['id'] for row in rows]
    marker = query.text('marker')
    if marker is not None and marker not in ids:
        refuse(no_marker(f'marker [{marker}] not found'))
    start = 0 if marker is None else ids.index(marker) + 1
    limit = query.integer('limit')
    cap = call.cloud.knobs.max_page
    most = cap if limit is None else min(limit, cap)
    page = rows[start : start + most]
    body: dict[str, Any] = {key: page}
    if page and len(page) == most:
        href = _next_page(call, page[-1]['id'])
        body[f'{key}_links'] = [{'rel': 'next', 'href': href}]
    return json_answer(body)


@routes.route('GET', 'volumes/{volume_id}')
def show_volume(call: Call, volume_id: str) -> Answer:
    volume = native.find_volume(call, volume_id)
    return json_answer({'volume': _volume(call, volume)})


def _snapshot(snapshot: Snapshot) -> dict[str, Any]:
    return {
        'id': snapshot.id,
        'name': snapshot.name,
        'status': snapshot.status,
        'size': snapshot.size,
        'volume_id': snapshot.volume_id,
        'created_at': snapshot.created_at,
        'updated_at': None,
        'description': '',
        'metadata': {},
        'os-extended-snapshot-attributes:project_id': snapshot.project_id,
        'os-extended-snapshot-attributes:progress': '100%',
    }


@routes.route('GET', 'snapshots')
@routes.route('GET', 'snapshots/detail')
def list_snapshots(call: Call) -> Answer:
    """The summary has nearly all of the detail, as in Cinder."""
    query = Query(call.request.query, SNAPSHOT_KEYS, native.bad_query)
    asked = query.present(('name', 'status', 'volume_id'))
    rows = [
        _snapshot(snapshot)
        for snapshot in call.cloud.state.snapshots.values()
        if snapshot.project_id == call.project
        and all(getattr(snapshot, key) == asked[key] for key in asked)
    ]
    return linked_page(call, 'snapshots', rows, query, _not_found)


@routes.route('GET', 'snapshots/{snapshot_id}')
def show_snapshot(call: Call, snapshot_id: str) -> Answer:
    snapshot = native.find_snapshot(call, snapshot_id)
    return json_answer({'snapshot': _snapshot(snapshot)})
