# SPDX-License-Identifier: Apache-2.0
"""Checkpoints as an upstream Karbor serves them.

It has no items, ignores any query of a deletion, and goes on showing a
checkpoint that it has deleted.
"""

import json
from typing import Any

from tests.sandbox.model import Checkpoint
from tests.sandbox.paging import page
from tests.sandbox.plans import PROVIDER, SERVER_TYPE
from tests.sandbox.query import Query, is_uuid
from tests.sandbox.routing import Call, Router
from tests.sandbox.wire import Answer, json_answer, native_error, refuse

COLLECTION = 'providers/{provider_id}/checkpoints'

LIST_KEYS = (
    'limit',
    'marker',
    'offset',
    'sort',
    'sort_key',
    'sort_dir',
    'status',
    'plan_id',
    'project_id',
    'start_date',
    'end_date',
    'all_tenants',
)

routes = Router()


def status_of(checkpoint: Checkpoint) -> str:
    """One word for all items."""
    if not checkpoint.items:
        return checkpoint.status
    found = {item.status for item in checkpoint.items}
    if found & {'waiting_delete', 'deleting'}:
        return 'deleting'
    if 'error' in found:
        failed = any(item.fail_op == 'delete' for item in checkpoint.items)
        return 'error-deleting' if failed else 'error'
    if found & {'waiting_protect', 'protecting'}:
        return 'protecting'
    return 'available'


def view(checkpoint: Checkpoint) -> dict[str, Any]:
    servers = [
        (one.resource_id, one.resource_name) for one in checkpoint.items
    ]
    servers += [(server.id, server.name) for server in checkpoint.awaited]
    resources = [
        {
            'id': id,
            'type': SERVER_TYPE,
            'name': name,
            'extra_info': None,
        }
        for id, name in servers
    ]
    return {
        'id': checkpoint.id,
        'status': status_of(checkpoint),
        'created_at': checkpoint.created_at,
        'project_id': checkpoint.project_id,
        'resource_graph': None,
        'extra_info': json.dumps({'created_by': 'manual'}),
        'protection_plan': {
            'id': checkpoint.policy_id,
            'name': checkpoint.policy_name,
            'resources': resources,
        },
    }


def _provider_of(call: Call) -> str:
    """The one provider: that of CSBS, unless it is an upstream Karbor's."""
    return call.cloud.knobs.karbor_provider or PROVIDER


def check_provider(call: Call, provider_id: str) -> None:
    if not is_uuid(provider_id):
        refuse(native_error(400, 'Invalid provider id provided.'))
    if provider_id != _provider_of(call):
        message = f'Provider {provider_id} could not be found.'
        refuse(native_error(404, message))


def find(call: Call, provider_id: str, checkpoint_id: str) -> Checkpoint:
    """A checkpoint, deleted or not, or the refusal."""
    if not is_uuid(checkpoint_id):
        refuse(native_error(400, 'Invalid checkpoint id provided.'))
    check_provider(call, provider_id)
    checkpoint = call.cloud.state.checkpoints.get(checkpoint_id)
    if checkpoint is None:
        message = f'Checkpoint {checkpoint_id} could not be found.'
        refuse(native_error(404, message))
    if checkpoint.project_id != call.project:
        message = f'Access checkpoint {checkpoint_id} is not allowed'
        refuse(native_error(403, message))
    return checkpoint


def _provider_view(call: Call) -> dict[str, Any]:
    return {
        'id': _provider_of(call),
        'name': 'OS Infra Provider',
        'description': 'This provider uses the services of the cloud.',
        'extended_info_schema': {},
    }


@routes.route('GET', 'providers')
def list_providers(call: Call) -> Answer:
    return json_answer({'providers': [_provider_view(call)]})


@routes.route('GET', 'providers/{provider_id}')
def show_provider(call: Call, provider_id: str) -> Answer:
    check_provider(call, provider_id)
    return json_answer({'provider': _provider_view(call)})


@routes.route('GET', COLLECTION)
def list_checkpoints(call: Call, provider_id: str) -> Answer:
    check_provider(call, provider_id)
    query = Query(
        call.request.query, LIST_KEYS, lambda text: native_error(400, text)
    )
    cap = call.cloud.knobs.max_page
    marker_id = query.text('marker')
    rows, _ = page(
        call.cloud.state.checkpoints_of[call.project],
        limit=min(query.integer('limit', 1) or cap, cap),
        offset=query.integer('offset') or 0,
        marker=find(call, provider_id, marker_id) if marker_id else None,
        matches=lambda row: status_of(row) != 'deleted',
    )
    return json_answer({'checkpoints': [view(row) for row in rows]})


@routes.route('GET', COLLECTION + '/{checkpoint_id}')
def show_checkpoint(
    call: Call, provider_id: str, checkpoint_id: str
) -> Answer:
    checkpoint = find(call, provider_id, checkpoint_id)
    return json_answer({'checkpoint': view(checkpoint)})


@routes.route('DELETE', COLLECTION + '/{checkpoint_id}')
def delete_checkpoint(
    call: Call, provider_id: str, checkpoint_id: str
) -> Answer:
    checkpoint = find(call, provider_id, checkpoint_id)
    if status_of(checkpoint) not in ('available', 'error'):
        message = f'The checkpoint {checkpoint_id} can not be deleted.'
        return native_error(500, message)
    for item in list(checkpoint.items):
        call.cloud.deletions.begin_item(item)
    return json_answer({})
