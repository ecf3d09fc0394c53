# SPDX-License-Identifier: Apache-2.0
"""CSBS: may a server be backed up (C2), and its backup (C1)."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from tests.sandbox import karbor
from tests.sandbox.body import (
    MAX_TAGS,
    NAME,
    check_flag,
    check_keys,
    is_tag,
    is_text,
    read_object,
)
from tests.sandbox.gate import exceeds, may_create
from tests.sandbox.model import Checkpoint, Server
from tests.sandbox.plans import SERVER_TYPE
from tests.sandbox.query import Query, is_uuid
from tests.sandbox.routing import Call, Router
from tests.sandbox.wire import (
    Answer,
    csbs_bad_parameter,
    csbs_error,
    json_answer,
    refuse,
)

RESOURCES = 'providers/{provider_id}/resources'

PROTECT_KEYS = (
    'backup_name',
    'description',
    'incremental',
    'resource_type',
    'tags',
    'extra_info',
)
CHECK_KEYS = ('resource_id', 'resource_type')
TAG = '[A-Za-z0-9_-]'

# Why a server cannot be backed up: the code and what is said.
Reason = tuple[str, str]


def register(routes: Router) -> None:
    """Hang the calls into the routes of CSBS."""
    routes.route('POST', RESOURCES + '/{server_id}/action')(protect)


def obstacle(call: Call, server: Server) -> Reason | None:
    """What is in the way of a backup of a server, if anything is."""
    if not server.protectable:
        return (
            server.protectable_code or 'CSBS.6006',
            server.protectable_message or 'The type of the server forbids it.',
        )
    if server.status not in ('ACTIVE', 'SHUTOFF'):
        return 'CSBS.6005', f'The server is {server.status}.'
    if not server.volumes:
        return 'CSBS.6007', 'The server has no disks.'
    if is_being_backed_up(call, server):
        return 'CSBS.6005', 'The server is being backed up.'
    if call.cloud.restores.is_restored(server):
        return 'CSBS.6015', 'The server is being restored.'
    return None


def is_being_backed_up(call: Call, server: Server) -> bool:
    state = call.cloud.state
    return any(
        item.resource_id == server.id
        and item.status in ('waiting_protect', 'protecting')
        for item in state.items_of[call.project]
    ) or any(
        server in checkpoint.awaited
        for checkpoint in state.checkpoints_of[call.project]
    )


def find_server(call: Call, server_id: str) -> Server | None:
    server = call.cloud.state.servers.get(server_id)
    return server if server and server.project_id == call.project else None


# -- C2 --------------------------------------------------------------------


def check_protectable(call: Call, asked: list[Any]) -> Answer:
    """200 whatever the answer is, and nothing is changed."""
    for entry in asked:
        check_keys(entry, CHECK_KEYS, csbs_bad_parameter, CHECK_KEYS)
        if not all(isinstance(text, str) for text in entry.values()):
            return csbs_bad_parameter('What is asked about is no text.')
    rows = [_protectable(call, **entry) for entry in asked]
    return json_answer({'protectable': rows})


def _protectable(
    call: Call, resource_id: str, resource_type: str
) -> dict[str, Any]:
    reason: Reason | None
    said = ''
    if resource_type != SERVER_TYPE:
        reason = 'CSBS.6003', f'{resource_type} cannot be backed up.'
    elif (server := find_server(call, resource_id)) is None:
        reason = 'CSBS.6000', f'Server {resource_id} could not be found.'
    else:
        reason = obstacle(call, server)
        said = server.protectable_message
    return answer_about(resource_type, resource_id, reason, said)


def answer_about(
    resource_type: str, resource_id: str, reason: Reason | None, said: str
) -> dict[str, Any]:
    """Whether something can be done with a resource, or why not."""
    row = {
        'result': reason is None,
        'resource_type': resource_type,
        'resource_id': resource_id,
    }
    if reason is not None:
        code, message = reason
        return row | {'error_code': code, 'error_msg': message}
    # A server with which it can be done may have a remark all the same.
    return row | {'error_msg': said} if said else row


# -- C1 --------------------------------------------------------------------


def protect(call: Call, provider_id: str, server_id: str) -> Answer:
    """The checkpoint at once, its item maybe later."""
    Query(call.request.query, (), csbs_bad_parameter)
    may_create(call.cloud, 'checkpoint:create')
    karbor.check_provider(call, provider_id)
    wanted = read_object(
        call.request, 'protect', PROTECT_KEYS, csbs_bad_parameter
    )
    tags = _checked(wanted)
    server = _protected(call, server_id, wanted)
    check_quota(call, [server])
    checkpoint = call.cloud.state.add_checkpoint(
        (), wanted.get('backup_name'), project_id=call.project
    )
    begin(
        call,
        checkpoint,
        [server],
        wanted.get('description', ''),
        tags,
        full=wanted.get('incremental') is False,
    )
    return json_answer({'checkpoint': karbor.view(checkpoint)})


def begin(
    call: Call,
    checkpoint: Checkpoint,
    servers: Sequence[Server],
    description: str = '',
    tags: Sequence[dict[str, str]] = (),
    *,
    full: bool = False,
) -> None:
    """Let a checkpoint fill with what is saved of some servers."""
    state = call.cloud.state
    checkpoint.status = 'protecting'
    checkpoint.awaited = list(servers)
    for server in servers:
        # The first is full, whatever is asked for.
        incremental = not full and any(
            item.resource_id == server.id and item.status == 'available'
            for item in state.items_of[call.project]
        )
        call.cloud.creations.begin_item(
            server,
            partial(
                state.add_item,
                checkpoint,
                server,
                'waiting_protect',
                incremental,
                description,
                tags,
            ),
        )


def _checked(wanted: dict[str, Any]) -> list[dict[str, str]]:
    """The tags, once everything is known to be allowed."""
    name = wanted.get('backup_name', 'x')
    if not isinstance(name, str) or not NAME.fullmatch(name):
        refuse(csbs_bad_parameter('backup_name is not allowed.'))
    if len(name) > 255:
        refuse(csbs_bad_parameter('backup_name is too long.'))
    if not is_text(wanted.get('description', ''), 255):
        refuse(csbs_bad_parameter('description is not allowed.'))
    check_flag(wanted, 'incremental', csbs_bad_parameter)
    if not isinstance(wanted.get('extra_info', {}), dict):
        refuse(csbs_bad_parameter('extra_info is no object.'))
    if not isinstance(wanted.get('resource_type', ''), str):
        refuse(csbs_bad_parameter('resource_type is no text.'))
    return read_tags(wanted['tags']) if 'tags' in wanted else []


def read_tags(tags: Any) -> list[dict[str, str]]:
    """One to ten; blanks around their texts are dropped."""
    if not isinstance(tags, list) or not 1 <= len(tags) <= MAX_TAGS:
        refuse(csbs_bad_parameter(f'tags must be 1 to {MAX_TAGS}.'))
    trimmed = [_trimmed(tag) for tag in tags]
    if not all(is_tag(tag, TAG) for tag in trimmed):
        refuse(csbs_bad_parameter('A tag is not allowed.'))
    if len({tag['key'] for tag in trimmed}) < len(trimmed):
        refuse(csbs_bad_parameter('A key of a tag is given twice.'))
    return trimmed


def _trimmed(tag: Any) -> Any:
    if not isinstance(tag, dict):
        return tag
    return {
        key: value.strip(' ') if isinstance(value, str) else value
        for key, value in tag.items()
    }


def _protected(call: Call, server_id: str, wanted: dict[str, Any]) -> Server:
    """The server, if it can be backed up."""
    if not is_uuid(server_id):
        refuse(csbs_bad_parameter(f'Server id {server_id!r} is malformed.'))
    kind = wanted.get('resource_type', SERVER_TYPE)
    if kind != SERVER_TYPE:
        refuse(csbs_error(400, 'CSBS.6003', f'{kind} cannot be backed up.'))
    server = find_server(call, server_id)
    if server is None:
        message = f'Server {server_id} could not be found.'
        refuse(csbs_error(400, 'CSBS.6000', message))
    reason = obstacle(call, server)
    if reason is not None:
        refuse(csbs_error(400, *reason))
    return server


def check_quota(call: Call, servers: Sequence[Server]) -> None:
    knobs = call.cloud.knobs
    count, gigabytes = usage(call)
    size = sum(volume.size for server in servers for volume in server.volumes)
    if exceeds(knobs.csbs_backup_quota, count + len(servers)) or exceeds(
        knobs.csbs_gigabyte_quota, gigabytes + size
    ):
        refuse(csbs_error(400, 'CSBS.9006', 'The quota is too small.'))


def usage(call: Call) -> tuple[int, int]:
    """How many backups the project has, and their size in GB."""
    items = list(call.cloud.state.items_of[call.project])
    return len(items), sum(item.size for item in items) // 1024
