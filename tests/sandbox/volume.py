# SPDX-License-Identifier: Apache-2.0
"""Block storage: the same backups again, and the disks.

It is looser than VBS: it is there so that other tools have what they need.
"""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urljoin

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
    no_route,
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
    'with_count',
    'name~',
    'status~',
    'volume_id~',
)

routes = Router()


def answer(cloud: Cloud, request: Request) -> Answer:
    segments = request.segments
    href = f'{request.base}/volume/v3/'
    entry = version('v3.0', 'CURRENT', href, MICROVERSION)
    if segments in ((), ('',)):
        return json_answer({'versions': [entry]}, 300)
    if segments[0] != 'v3':
        return no_route()
    if len(segments) < 3:
        return versioned(cloud, request, entry)
    admit(cloud, request, segments[1], 'backup')
    requested(request, MICROVERSION)
    call = Call(cloud, request, segments[1], 'v3')
    return routes.dispatch(call, segments[2:])


# -- backups ---------------------------------------------------------------


def _detail(call: Call) -> Callable[[Backup], dict[str, Any]]:
    """As in VBS, but here the chain is told."""
    state = call.cloud.state

    def detail(backup: Backup) -> dict[str, Any]:
        chained = bool(state.dependants(backup))
        return native.detail_v3(backup) | {'has_dependent_backups': chained}

    return detail


def _list(call: Call, view: Callable[[Backup], dict[str, Any]]) -> Answer:
    query = Query(call.request.query, BACKUP_KEYS, native.bad_query)
    key, _, way = (query.text('sort') or '').partition(':')
    return native.list_backups(
        call,
        query,
        view,
        with_links=True,
        own_address=urljoin(call.request.base, call.request.path),
        sort_key=query.text('sort_key') or key or 'created_at',
        sort_dir=query.text('sort_dir') or way or 'desc',
    )


@routes.route('GET', 'backups')
def list_backups(call: Call) -> Answer:
    return _list(call, native.summary)


@routes.route('GET', 'backups/detail')
def detail_backups(call: Call) -> Answer:
    return _list(call, _detail(call))


@routes.route('GET', 'backups/{backup_id}')
def show_backup(call: Call, backup_id: str) -> Answer:
    backup = native.find(call, backup_id)
    return json_answer({'backup': _detail(call)(backup)})


@routes.route('DELETE', 'backups/{backup_id}')
def delete_backup(call: Call, backup_id: str) -> Answer:
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
    asked = dict(parse_qsl(call.request.query))
    rows = [
        _volume(volume)
        for volume in call.cloud.state.volumes.values()
        if volume.project_id == call.project
    ]
    for key in ('name', 'status'):
        if key in asked:
            rows = [row for row in rows if row[key] == asked[key]]
    return json_answer({'volumes': after_marker(rows, asked)})


def after_marker(
    rows: list[dict[str, Any]], asked: dict[str, str]
) -> list[dict[str, Any]]:
    """The page behind the marker, for services that are only stubs."""
    ids = [row['id'] for row in rows]
    if asked.get('marker') in ids:
        rows = rows[ids.index(asked['marker']) + 1 :]
    limit = asked.get('limit', '')
    return rows[: int(limit)] if re.fullmatch('[0-9]+', limit) else rows


@routes.route('GET', 'volumes/{volume_id}')
def show_volume(call: Call, volume_id: str) -> Answer:
    volume = call.cloud.state.volumes.get(volume_id)
    if volume is None or volume.project_id != call.project:
        message = f'Volume {volume_id} could not be found.'
        return native_error(404, message)
    return json_answer({'volume': _volume(volume)})
