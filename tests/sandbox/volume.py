# SPDX-License-Identifier: Apache-2.0
"""Block storage: the same backups again, and the disks.

It is looser than VBS: it is there so that other tools have what they need.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin

from tests.sandbox import native
from tests.sandbox.cloud import Cloud
from tests.sandbox.discovery import version, versioned
from tests.sandbox.gate import admit
from tests.sandbox.microversion import requested
from tests.sandbox.model import Backup, Volume
from tests.sandbox.query import Query
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


# -- disks -----------------------------------------------------------------


def _volume(volume: Volume) -> dict[str, Any]:
    attachments = [{'server_id': volume.server_id, 'device': '/dev/vda'}]
    return {
        'id': volume.id,
        'name': volume.name,
        'status': volume.status,
        'size': volume.size,
        'bootable': str(volume.bootable).lower(),
        'availability_zone': volume.availability_zone,
        'created_at': volume.created_at,
        'attachments': attachments if volume.server_id else [],
        'volume_type': 'SATA',
        'metadata': {},
        'encrypted': False,
        'multiattach': False,
        'snapshot_id': None,
        'source_volid': None,
        'description': '',
        'os-vol-tenant-attr:tenant_id': volume.project_id,
        'links': [],
    }


@routes.route('GET', 'volumes')
@routes.route('GET', 'volumes/detail')
def list_volumes(call: Call) -> Answer:
    query = Query(call.request.query, VOLUME_KEYS, native.bad_query)
    asked = query.present(('name', 'status'))
    rows = [
        row
        for row in map(_volume, call.cloud.state.volumes.values())
        if row['os-vol-tenant-attr:tenant_id'] == call.project
        and all(row[key] == value for key, value in asked.items())
    ]
    return linked_page(call, 'volumes', rows, query, _no_volume)


def _no_volume(message: str) -> Answer:
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
    volume = call.cloud.state.volumes.get(volume_id)
    if volume is None or volume.project_id != call.project:
        message = f'Volume {volume_id} could not be found.'
        return native_error(404, message)
    return json_answer({'volume': _volume(volume)})
