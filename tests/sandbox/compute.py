# SPDX-License-Identifier: Apache-2.0
"""Compute: servers are looked up, stopped, started and deleted, and their
volumes attached and detached."""

import re
from collections.abc import Callable
from typing import Any

from tests.sandbox.body import read_object, read_one
from tests.sandbox.cloud import Cloud
from tests.sandbox.discovery import version
from tests.sandbox.gate import authenticate, may_change
from tests.sandbox.model import Server, Volume
from tests.sandbox.native import find_volume
from tests.sandbox.query import Query
from tests.sandbox.routing import Call, Router
from tests.sandbox.volume import linked_page
from tests.sandbox.wire import (
    Answer,
    Request,
    json_answer,
    native_error,
    no_route,
    refuse,
)

# What the reference has of them, as far as anybody asks here.
KEYS = (
    'all_tenants',
    'changes-before',
    'changes-since',
    'deleted',
    'flavor',
    'host',
    'image',
    'ip',
    'limit',
    'marker',
    'name',
    'project_id',
    'sort_dir',
    'sort_key',
    'status',
    'tenant_id',
    'uuid',
)

# As the status has them; what is missing is active, or has no power state.
VM_STATES = {
    'ERROR': 'error',
    'SHUTOFF': 'stopped',
    'VERIFY_RESIZE': 'resized',
}
POWER_STATES = {'ACTIVE': 1, 'SHUTOFF': 4, 'VERIFY_RESIZE': 1}

# What an action makes of which status.
ACTIONS = {
    'os-stop': ('ACTIVE', 'SHUTOFF'),
    'os-start': ('SHUTOFF', 'ACTIVE'),
}
ATTACHMENTS = 'servers/{server_id}/os-volume_attachments'

routes = Router()


def answer(cloud: Cloud, request: Request) -> Answer:
    segments = request.segments
    entry = version(
        'v2.1', 'CURRENT', f'{request.base}/compute/v2.1/', '2.1'
    ) | {'min_version': '2.1'}
    if segments in ((), ('',)):
        return json_answer({'versions': [entry]})
    if segments[0] != 'v2.1':
        return no_route()
    if segments[1:] in ((), ('',)):
        return json_answer({'version': entry})
    token = authenticate(cloud, request)
    call = Call(cloud, request, token.project_id or '', 'v2.1')
    return routes.dispatch(call, segments[1:])


def _server(server: Server) -> dict[str, Any]:
    attached = [{'id': volume.id} for volume in server.volumes]
    address = {
        'addr': server.address,
        'version': 4,
        'OS-EXT-IPS:type': 'fixed',
        'OS-EXT-IPS-MAC:mac_addr': 'fa:16:3e:00:00:01',
    }
    return {
        'id': server.id,
        'name': server.name,
        'status': server.status,
        'OS-EXT-STS:vm_state': VM_STATES.get(server.status, 'active'),
        'OS-EXT-STS:task_state': server.task_state,
        'OS-EXT-STS:power_state': POWER_STATES.get(server.status, 0),
        'tenant_id': server.project_id,
        'created': server.created_at,
        'updated': server.created_at,
        'addresses': {'net': [address]},
        'image': '',
        'flavor': {'id': 's3.large.2', 'links': []},
        'metadata': {},
        'OS-EXT-AZ:availability_zone': server.availability_zone,
        'os-extended-volumes:volumes_attached': attached,
        'links': [],
    }


def _bad(message: str) -> Answer:
    return native_error(400, message)


def _mine(call: Call, query: Query) -> list[Server]:
    """The servers that fit the query; Nova's name is a regex."""
    try:
        name = re.compile(query.text('name') or '')
    except re.error as error:
        refuse(_bad(f'Invalid input for query parameters name: {error}.'))
    return [
        server
        for server in call.cloud.state.servers.values()
        if server.project_id == call.project
        and name.search(server.name)
        and query.text('status') in (None, server.status)
    ]


def _list(call: Call, view: Callable[[Server], dict[str, Any]]) -> Answer:
    query = Query(call.request.query, KEYS, _bad)
    rows = [view(server) for server in _mine(call, query)]
    return linked_page(call, 'servers', rows, query, _bad)


@routes.route('GET', 'servers')
def list_servers(call: Call) -> Answer:
    return _list(call, lambda s: {'id': s.id, 'name': s.name, 'links': []})


@routes.route('GET', 'servers/detail')
def detail_servers(call: Call) -> Answer:
    return _list(call, _server)


def _find(call: Call, server_id: str) -> Server:
    server = call.cloud.state.servers.get(server_id)
    if server is None or server.project_id != call.project:
        message = f'Instance {server_id} could not be found.'
        refuse(native_error(404, message))
    return server


@routes.route('GET', 'servers/{server_id}')
def show_server(call: Call, server_id: str) -> Answer:
    return json_answer({'server': _server(_find(call, server_id))})


@routes.route('DELETE', 'servers/{server_id}')
def delete_server(call: Call, server_id: str) -> Answer:
    may_change(call.cloud, 'servers:delete')
    call.cloud.state.remove_server(_find(call, server_id))
    return Answer(204)


@routes.route('POST', 'servers/{server_id}/action')
def act(call: Call, server_id: str) -> Answer:
    """Stop or start; the key of the body says which."""
    action, _ = read_one(call.request, ACTIONS, _bad)
    may_change(call.cloud, f'servers:{action}')
    server = _find(call, server_id)
    before, after = ACTIONS[action]
    if server.status != before:
        message = (
            f"Cannot '{action[3:]}' instance {server_id} while it is in "
            f'vm_state {VM_STATES.get(server.status, "active")}'
        )
        return native_error(409, message)
    server.status = after
    return Answer(202)


# -- attachments -----------------------------------------------------------


def _attachment(server: Server, volume: Volume) -> dict[str, Any]:
    return {
        'id': volume.id,
        'volumeId': volume.id,
        'serverId': server.id,
        'device': server.device_of(volume),
    }


@routes.route('GET', ATTACHMENTS)
def list_attachments(call: Call, server_id: str) -> Answer:
    server = _find(call, server_id)
    rows = [_attachment(server, volume) for volume in server.volumes]
    return json_answer({'volumeAttachments': rows})


@routes.route('POST', ATTACHMENTS)
def attach_volume(call: Call, server_id: str) -> Answer:
    """The device that is wished for is no more than a wish."""
    may_change(call.cloud, 'volumes-attachments:create')
    wanted = read_object(
        call.request, 'volumeAttachment', ('volumeId', 'device'), _bad
    )
    server = _find(call, server_id)
    volume = find_volume(call, str(wanted.get('volumeId')))
    if volume.status != 'available':
        return _bad(f'Invalid volume: volume {volume.id} is {volume.status}.')
    call.cloud.state.attach(server, volume)
    return json_answer({'volumeAttachment': _attachment(server, volume)})


@routes.route('DELETE', ATTACHMENTS + '/{volume_id}')
def detach_volume(call: Call, server_id: str, volume_id: str) -> Answer:
    """The system disk can be detached only while the server is stopped."""
    may_change(call.cloud, 'volumes-attachments:delete')
    server = _find(call, server_id)
    volume = find_volume(call, volume_id)
    if volume not in server.volumes:
        message = (
            f'Instance {server_id} is not attached to volume {volume_id}.'
        )
        return native_error(404, message)
    if volume is server.volumes[0] and server.status != 'SHUTOFF':
        return _bad('Cannot detach a root device volume')
    if volume.status != 'in-use':
        return _bad(f'Invalid volume: volume {volume_id} is {volume.status}.')
    call.cloud.state.detach(server, volume)
    return Answer(202)
