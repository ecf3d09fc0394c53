# SPDX-License-Identifier: Apache-2.0
"""CSBS: may a server backup be restored (C3), and its restore (C9)."""

from typing import Any

from tests.sandbox import karbor
from tests.sandbox.body import check_flag, check_keys, read_object
from tests.sandbox.gate import may_change
from tests.sandbox.model import CheckpointItem, Restore, Server
from tests.sandbox.plans import SERVER_TYPE
from tests.sandbox.protection import (
    Reason,
    answer_about,
    find_server,
    is_being_backed_up,
)
from tests.sandbox.query import Query, is_uuid
from tests.sandbox.routing import Call, Router
from tests.sandbox.wire import (
    Answer,
    csbs_bad_parameter,
    csbs_error,
    json_answer,
    native_error,
    refuse,
)

CHECK_KEYS = ('checkpoint_item_id', 'target')
TARGET_KEYS = ('resource_id', 'resource_type', 'volumes')
PAIR_KEYS = ('backup_id', 'volume_id')

RESTORE_KEYS = ('provider_id', 'checkpoint_id', 'parameters')
PARAMETER_KEYS = ('checkpoint_item_id', 'power_on', 'targets')
SERVER_KEYS = ('server_id', 'volumes')

# The codes whose status is another than 400.
STATUSES = {
    'CSBS.3001': 404,
    'CSBS.6019': 500,
    'CSBS.6023': 500,
    'CSBS.9998': 500,
    'CSBS.9999': 500,
}

# Which backup of a volume goes to which volume, by their ids.
Pairs = list[tuple[str, str]]


def register(routes: Router) -> None:
    """Hang the calls into the routes of CSBS; C3 has the URL of C2."""
    routes.route('POST', 'restores')(restore)
    routes.route('GET', 'restores/{restore_id}')(show_restore)


# -- what is in the way ----------------------------------------------------


def _obstacle(
    call: Call, item_id: str, resource_type: str, server_id: str, pairs: Pairs
) -> Reason | None:
    """Why a restore would be refused, if it would be: for C3 and C9."""
    if resource_type != SERVER_TYPE:
        return 'CSBS.6013', f'{resource_type} cannot be restored.'
    item = call.cloud.state.items.get(item_id)
    if item is None or item.project_id != call.project:
        return 'CSBS.3001', f'Backup {item_id} could not be found.'
    server = find_server(call, server_id)
    if server is None:
        return 'CSBS.6000', f'Server {server_id} could not be found.'
    return (
        _in_the_server(call, server)
        or _in_the_backup(call, item)
        or _between(item, server)
        or _in_the_pairs(call, item, server, pairs)
    )


def _in_the_server(call: Call, server: Server) -> Reason | None:
    if call.cloud.restores.is_restored(server):
        return 'CSBS.6015', 'The server is being restored.'
    if is_being_backed_up(call, server):
        return 'CSBS.2003', 'The server is being backed up.'
    if not server.restorable:
        return (
            server.restorable_code or 'CSBS.6016',
            server.restorable_message or 'The type of the server forbids it.',
        )
    if server.status not in ('ACTIVE', 'SHUTOFF'):
        return 'CSBS.6016', f'The server is {server.status}.'
    if not server.volumes:
        return 'CSBS.6020', 'The server has no disks.'
    return None


def _in_the_backup(call: Call, item: CheckpointItem) -> Reason | None:
    disks = [backup.status for backup in call.cloud.state.backups_in(item)]
    busy = {status for status in disks if status != 'available'}
    if call.cloud.restores.is_read(item):
        return 'CSBS.4000', 'The backup is being restored.'
    if item.status != 'available':
        return 'CSBS.4000', f'The backup is {item.status}.'
    if busy:
        return 'CSBS.4000', f'A disk of the backup is {min(busy)}.'
    if len(disks) < len(item.parts) or item.restore_mode == 'na':
        return 'CSBS.4000', 'The backup cannot be restored.'
    return None


def _between(item: CheckpointItem, server: Server) -> Reason | None:
    if item.availability_zone != server.availability_zone:
        return 'CSBS.6025', 'The server is in another availability zone.'
    return None


def _in_the_pairs(
    call: Call, item: CheckpointItem, server: Server, pairs: Pairs
) -> Reason | None:
    parts = {part.backup_id: part for part in item.parts}
    volumes = {volume.id: volume for volume in server.volumes}
    for backup_id, volume_id in pairs:
        part, volume = parts.get(backup_id), volumes.get(volume_id)
        if part is None:
            return 'CSBS.6017', f'{backup_id} is not a part of the backup.'
        if volume is None:
            return 'CSBS.6014', f'{volume_id} is not attached to the server.'
        if volume.multiattach:
            return 'CSBS.6021', f'{volume_id} is shared.'
        if volume.bootable and not part.bootable:
            return 'CSBS.6023', f'{volume_id} is a system disk.'
        if volume.size < part.volume_size:
            return 'CSBS.6024', f'{volume_id} is smaller than the backup.'
    backups, targets = ({pair[side] for pair in pairs} for side in (0, 1))
    if not len(backups) == len(targets) == len(pairs):
        return 'CSBS.9001', 'A disk is named twice.'
    if backups != set(parts):
        return 'CSBS.6018', 'A disk of the backup is not mapped.'
    return None


def _pairs(volumes: Any) -> Pairs:
    """The mapping, once it is known to have the right shape."""
    if not isinstance(volumes, list):
        refuse(csbs_bad_parameter('volumes is no list.'))
    for entry in volumes:
        check_keys(entry, PAIR_KEYS, csbs_bad_parameter, PAIR_KEYS)
        _check_texts(entry, PAIR_KEYS)
    return [(entry['backup_id'], entry['volume_id']) for entry in volumes]


def _check_texts(wanted: dict[str, Any], keys: tuple[str, ...]) -> None:
    for key in keys:
        if not isinstance(wanted[key], str):
            refuse(csbs_bad_parameter(f'{key} is no text.'))


# -- C3 --------------------------------------------------------------------


def check_restorable(call: Call, asked: list[Any]) -> Answer:
    """200 whatever the answer is, and nothing is changed."""
    rows = []
    for entry in asked:
        check_keys(entry, CHECK_KEYS, csbs_bad_parameter, CHECK_KEYS)
        _check_texts(entry, CHECK_KEYS[:1])
        target = entry['target']
        check_keys(target, TARGET_KEYS, csbs_bad_parameter, TARGET_KEYS)
        _check_texts(target, TARGET_KEYS[:2])
        pairs = _pairs(target['volumes'])
        kind, id = target['resource_type'], target['resource_id']
        reason = _obstacle(call, entry['checkpoint_item_id'], kind, id, pairs)
        server = find_server(call, id)
        said = server.restorable_message if server else ''
        rows.append(answer_about(kind, id, reason, said))
    return json_answer({'restorable': rows})


# -- C9 --------------------------------------------------------------------


def restore(call: Call) -> Answer:
    """Accepted; there is no job, and whoever wants to know asks for the
    backup."""
    Query(call.request.query, (), csbs_bad_parameter)
    may_change(call.cloud, 'restore:create')
    wanted = read_object(
        call.request,
        'restore',
        (*RESTORE_KEYS, 'restore_target'),
        csbs_bad_parameter,
    )
    item_id, server_id, power_on, pairs = _checked(wanted)
    checkpoint = karbor.find(
        call, wanted['provider_id'], wanted['checkpoint_id']
    )
    if item_id not in [item.id for item in checkpoint.items]:
        message = f'The checkpoint has no backup {item_id}.'
        return csbs_error(404, 'CSBS.3001', message)
    reason = _obstacle(call, item_id, SERVER_TYPE, server_id, pairs)
    if reason is not None:
        return csbs_error(STATUSES.get(reason[0], 400), *reason)
    made = _made(call, wanted, item_id, server_id, power_on, pairs)
    call.cloud.restores.begin_server(made)
    return json_answer({'restore': _view(made, 'in_progress')})


def _checked(wanted: dict[str, Any]) -> tuple[str, str, bool, Pairs]:
    """Backup, server, whether to start it, and the mapping."""
    check_keys(wanted, wanted, csbs_bad_parameter, RESTORE_KEYS)
    _check_texts(wanted, RESTORE_KEYS[:2])
    if not isinstance(wanted.get('restore_target', ''), str):
        refuse(csbs_bad_parameter('restore_target is no text.'))
    parameters = check_keys(
        wanted['parameters'],
        PARAMETER_KEYS,
        csbs_bad_parameter,
        PARAMETER_KEYS,
    )
    _check_texts(parameters, PARAMETER_KEYS[:1])
    power_on = bool(check_flag(parameters, 'power_on', csbs_bad_parameter))
    targets = check_keys(
        parameters['targets'], SERVER_KEYS, csbs_bad_parameter, SERVER_KEYS
    )
    _check_texts(targets, SERVER_KEYS[:1])
    return (
        parameters['checkpoint_item_id'],
        targets['server_id'],
        power_on,
        _pairs(targets['volumes']),
    )


def _made(
    call: Call,
    wanted: dict[str, Any],
    item_id: str,
    server_id: str,
    power_on: bool,
    pairs: Pairs,
) -> Restore:
    state = call.cloud.state
    made = Restore(
        state.new_uuid(),
        call.project,
        state.items[item_id],
        state.servers[server_id],
        power_on,
        [
            (state.backups[backup_id], state.volumes[volume_id])
            for backup_id, volume_id in pairs
        ],
        wanted,
    )
    state.restores[made.id] = made
    return made


def _view(made: Restore, status: str) -> dict[str, Any]:
    return made.wanted | {
        'id': made.id,
        'project_id': made.project_id,
        'status': status,
        'resources_status': {},
        'resources_reason': {},
    }


def show_restore(call: Call, restore_id: str) -> Answer:
    """What Karbor has and the reference of CSBS has not."""
    if not call.cloud.knobs.restores_shown:
        return native_error(404, 'The resource could not be found.')
    Query(call.request.query, (), csbs_bad_parameter)
    if not is_uuid(restore_id):
        return native_error(400, 'Invalid restore id provided.')
    made = call.cloud.state.restores.get(restore_id)
    if made is None or made.project_id != call.project:
        message = f'Restore {restore_id} could not be found.'
        return native_error(404, message)
    return json_answer({'restore': _view(made, made.status)})
