# SPDX-License-Identifier: Apache-2.0
"""CSBS v1: items, deletion of checkpoints, quotas.

A cloud without `checkpoint_items` is an upstream Karbor: see karbor.py.
"""

import re
from collections.abc import Callable
from typing import Any

from tests.sandbox import (
    csbs_policies,
    csbs_restore,
    karbor,
    protection,
    restoration,
)
from tests.sandbox.body import read_one
from tests.sandbox.cloud import Cloud
from tests.sandbox.gate import admit, may_see_all
from tests.sandbox.model import Backup, Checkpoint, CheckpointItem, DiskPart
from tests.sandbox.paging import page
from tests.sandbox.query import Query, is_uuid
from tests.sandbox.routing import Call, Router
from tests.sandbox.wire import (
    Answer,
    Request,
    csbs_bad_parameter,
    csbs_error,
    json_answer,
    native_error,
    no_route,
    refuse,
)

routes = Router()

csbs_policies.register(routes)
csbs_restore.register(routes)
protection.register(routes)

# What can be asked about resources, at one URL.
CHECKS = {
    'check_protectable': protection.check_protectable,
    'check_restorable': csbs_restore.check_restorable,
}
COUNT_KEYS = (
    'status',
    'name',
    'az',
    'resource_id',
    'resource_name',
    'resource_type',
    'start_time',
    'end_time',
    'image_type',
    'policy_id',
    'checkpoint_id',
    'all_tenants',
)
LIST_KEYS = (*COUNT_KEYS, 'ip', 'limit', 'marker', 'offset', 'sort')
SORT_KEYS = (
    'created_at',
    'updated_at',
    'name',
    'status',
    'protected_at',
    'id',
)
TIME = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?')


def answer(cloud: Cloud, request: Request) -> Answer:
    segments = request.segments
    upstream = not cloud.knobs.checkpoint_items
    if upstream and segments in ((), ('',)):
        return Answer(500, b'A server error occurred.', 'text/plain')
    if len(segments) < 3 or segments[0] != 'v1':
        return no_route()
    admit(cloud, request, segments[1], 'checkpoint')
    call = Call(cloud, request, segments[1], 'v1')
    if upstream and segments[2] != 'quotas':
        return karbor.routes.dispatch(call, segments[2:])
    return routes.dispatch(call, segments[2:])


# -- views -----------------------------------------------------------------


def item_view(call: Call, item: CheckpointItem) -> dict[str, Any]:
    view: dict[str, Any] = {
        'id': item.id,
        'checkpoint_id': item.checkpoint_id,
        'name': item.name,
        'description': item.description,
        'status': item.status,
        'created_at': item.created_at,
        'updated_at': item.updated_at or item.created_at,
        'resource_id': item.resource_id,
        'resource_type': 'OS::Nova::Server',
        'backup_data': {
            '__openstack_region_name': item.availability_zone,
            'cloudservicetype': 'QEMU',
            'imagetype': 'gold',
            'ram': 4096,
            'vcpus': 2,
            'disk': 0,
            'eip': '',
            'private_ip': item.address,
        },
        'extend_info': _extend_info(call, item),
    }
    if item.tags:
        view['tags'] = item.tags
    return view


def _extend_info(call: Call, item: CheckpointItem) -> dict[str, Any]:
    backups = call.cloud.state.backups
    done = item.status not in ('waiting_protect', 'protecting')
    progress = 100 if done else call.cloud.creations.progress(item)
    if item.status in restoration.BUSY:
        progress = call.cloud.restores.progress(item)
    return {
        'auto_trigger': item.auto_trigger,
        'average_speed': 29.9,
        'size': item.size,
        'space_saving_ratio': 0,
        'progress': progress,
        'copy_status': 'na',
        'copy_from': None,
        'fail_code': item.fail_code,
        'fail_op': item.fail_op,
        'fail_reason': item.fail_reason,
        'image_type': 'backup',
        'incremental': item.incremental,
        'resource_az': item.availability_zone,
        'resource_name': item.resource_name,
        'resource_type': 'OS::Nova::Server',
        'finished_at': item.updated_at or item.created_at,
        'taskid': item.task_id or item.id.replace('-', ''),
        'hypervisor_type': 'QEMU',
        'supported_restore_mode': item.restore_mode if done else 'na',
        'support_lld': True,
        'os_images_data': [{'image_id': image} for image in item.images],
        'volume_backups': [_part_view(part, backups) for part in item.parts],
    }


def _part_view(part: DiskPart, backups: dict[str, Backup]) -> dict[str, Any]:
    backup = backups.get(part.backup_id)
    return {
        'id': part.backup_id,
        'name': part.name,
        'status': backup.status if backup else 'error',
        'bootable': part.bootable,
        'incremental': part.incremental,
        'image_type': 'backup',
        'size': part.size,
        'source_volume_id': part.volume_id,
        'source_volume_name': part.volume_name,
        'source_volume_size': part.volume_size,
        'snapshot_id': part.snapshot_id,
        'average_speed': 29,
        'space_saving_ratio': 0,
    }


# -- items -----------------------------------------------------------------


def matcher(query: Query) -> Callable[[CheckpointItem], bool] | None:
    """The filters as one function; names are fuzzy, the rest exact."""
    exact = query.present(
        ('status', 'resource_id', 'policy_id', 'checkpoint_id')
    )
    renamed = {'az': 'availability_zone', 'ip': 'address'}
    for key, value in query.present(renamed).items():
        exact[renamed[key]] = value
    fuzzy = query.present(('name', 'resource_name'))
    since, until = _time(query, 'start_time'), _time(query, 'end_time')
    nothing = query.text('resource_type') not in (
        None,
        'OS::Nova::Server',
    ) or query.text('image_type') not in (None, 'backup')
    if not (exact or fuzzy or since or until or nothing):
        return None

    def matches(item: CheckpointItem) -> bool:
        if nothing or (since and item.created_at < since):
            return False
        if until and item.created_at > until:
            return False
        for key, value in exact.items():
            if getattr(item, key) != value:
                return False
        return all(value in getattr(item, key) for key, value in fuzzy.items())

    return matches


def _time(query: Query, key: str) -> str | None:
    text = query.text(key)
    if text is not None and not TIME.fullmatch(text):
        refuse(csbs_bad_parameter(f'{key}: {text!r} is no time.'))
    return text


def _order(query: Query) -> list[tuple[str, bool]]:
    """The keys of `sort`, each with whether it descends."""
    order = []
    text = query.text('sort')
    for part in text.split(',') if text else ():
        key, _, direction = part.partition(':')
        if key not in SORT_KEYS or direction not in ('', 'asc', 'desc'):
            refuse(csbs_bad_parameter(f'sort: {part!r} is not allowed.'))
        order.append((key, direction != 'asc'))
    return order


@routes.route('GET', 'checkpoint_items')
def list_items(call: Call) -> Answer:
    query = Query(call.request.query, LIST_KEYS, csbs_bad_parameter)
    everything = may_see_all(call.cloud, query.flag('all_tenants'))
    cap = call.cloud.knobs.max_page
    limit = min(query.integer('limit', 1) or cap, cap)
    offset = query.integer('offset', 1) or 0
    marker_id = query.uuid('marker')
    marker = call.cloud.state.items.get(marker_id) if marker_id else None
    if marker_id and (
        marker is None
        or (marker.project_id != call.project and not everything)
    ):
        return csbs_bad_parameter(f'marker: {marker_id} is unknown.')
    shelf = call.cloud.state.items_listed(
        None if everything else call.project, call.cloud.knobs.list_lag
    )
    matches = matcher(query)
    order = _order(query)
    if order in ([], [('created_at', True)]):
        rows, _ = page(
            shelf, limit=limit, offset=offset, marker=marker, matches=matches
        )
    else:
        rows = _ordered(list(filter(matches, shelf.walk())), order)
        if marker in rows:
            rows = rows[rows.index(marker) + 1 :]
        rows = rows[offset : offset + limit]
    return json_answer(
        {'checkpoint_items': [item_view(call, row) for row in rows]}
    )


def _ordered(
    rows: list[CheckpointItem], order: list[tuple[str, bool]]
) -> list[CheckpointItem]:
    for key, descending in reversed(order):
        name = 'created_at' if key == 'protected_at' else key
        rows.sort(key=lambda row: getattr(row, name) or '', reverse=descending)
    return rows


@routes.route('GET', 'checkpoint_items/count')
def count_items(call: Call) -> Answer:
    query = Query(call.request.query, COUNT_KEYS, csbs_bad_parameter)
    everything = may_see_all(call.cloud, query.flag('all_tenants'))
    shelf = call.cloud.state.items_listed(None if everything else call.project)
    return json_answer({'count': len(list(filter(matcher(query), shelf)))})


@routes.route('GET', 'checkpoint_items/{item_id}')
def show_item(call: Call, item_id: str) -> Answer:
    Query(call.request.query, (), csbs_bad_parameter)
    if not is_uuid(item_id):
        return csbs_bad_parameter(f'Backup id {item_id!r} is malformed.')
    item = call.cloud.state.items.get(item_id)
    if item is None or item.project_id != call.project:
        return csbs_error(404, 'CSBS.3001', f'No backup {item_id}.')
    return json_answer({'checkpoint_item': item_view(call, item)})


# -- questions about servers -----------------------------------------------


@routes.route('POST', protection.RESOURCES + '/action')
def check_resources(call: Call, provider_id: str) -> Answer:
    """C2 and C3: the key of the body says which."""
    Query(call.request.query, (), csbs_bad_parameter)
    karbor.check_provider(call, provider_id)
    key, asked = read_one(call.request, CHECKS, csbs_bad_parameter)
    if not isinstance(asked, list) or not asked:
        return csbs_bad_parameter(f'{key} is no list, or empty.')
    return CHECKS[key](call, asked)


# -- deletion --------------------------------------------------------------


@routes.route('DELETE', 'providers/{provider_id}/checkpoints/{checkpoint_id}')
def delete_checkpoint(
    call: Call, provider_id: str, checkpoint_id: str
) -> Answer:
    """Every item of the checkpoint, or the one the query names."""
    query = Query(
        call.request.query, ('checkpoint_items',), csbs_bad_parameter
    )
    item_id = query.uuid('checkpoint_items')
    named = item_id
    if call.cloud.knobs.ignore_item_query:
        item_id = None
    checkpoint = find_checkpoint(call, provider_id, checkpoint_id)
    items = list(checkpoint.items)
    if not items:
        return csbs_error(400, 'CSBS.2003', f'{checkpoint_id} is busy.')
    if item_id is not None:
        items = [item for item in items if item.id == item_id]
        if not items:
            return csbs_error(404, 'CSBS.3001', f'No backup {item_id}.')
    for item in items:
        if item.status not in (
            'available',
            'error',
        ) or call.cloud.restores.is_read(item):
            return csbs_error(400, 'CSBS.2003', f'{item.id} is busy.')
        if item.images:
            message = f'An image was created from {item.id}.'
            return csbs_error(400, 'CSBS.8007', message)
    delay = call.cloud.knobs.sibling_delay
    for item in items:
        late = delay if named not in (None, item.id) else 0.0
        call.cloud.deletions.begin_item(item, late)
    return json_answer({})


def find_checkpoint(
    call: Call, provider_id: str, checkpoint_id: str
) -> Checkpoint:
    """A checkpoint that is not deleted, or the refusal."""
    karbor.check_provider(call, provider_id)
    if not is_uuid(checkpoint_id):
        refuse(native_error(400, 'Invalid checkpoint id provided.'))
    checkpoint = call.cloud.state.checkpoints.get(checkpoint_id)
    if checkpoint is None or checkpoint.status == 'deleted':
        message = f'Checkpoint {checkpoint_id} could not be found.'
        refuse(native_error(404, message))
    if checkpoint.project_id != call.project:
        message = f'Access checkpoint {checkpoint_id} is not allowed'
        refuse(native_error(403, message))
    return checkpoint


# -- quotas ----------------------------------------------------------------


@routes.route('GET', 'quotas')
def show_quotas(call: Call) -> Answer:
    Query(call.request.query, (), csbs_bad_parameter)
    knobs = call.cloud.knobs
    count, gigabytes = protection.usage(call)
    resources: list[dict[str, Any]] = [
        {
            'type': 'backup_capacity',
            'unit': 'GB',
            'quota': knobs.csbs_gigabyte_quota,
            'used': gigabytes,
        },
        {
            'type': 'backups',
            'quota': knobs.csbs_backup_quota,
            'used': count,
        },
    ]
    return json_answer({'quotas': {'resources': resources}})
