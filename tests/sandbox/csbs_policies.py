# SPDX-License-Identifier: Apache-2.0
"""CSBS: policies (C11 to C15), and running one (C4)."""

import copy
import re
from typing import Any

from tests.sandbox import karbor, protection
from tests.sandbox.body import check_flag, check_keys, read_object
from tests.sandbox.gate import may_change, may_create, may_see_all
from tests.sandbox.model import Server
from tests.sandbox.plan_bodies import read_change, read_new
from tests.sandbox.plans import (
    DEFINITION_KEYS,
    KEYS,
    LONG_TERM,
    OPERATION_KEYS,
    RESOURCE_KEYS,
    Plan,
    filled,
    new_plan,
    objects,
)
from tests.sandbox.query import Query, is_uuid
from tests.sandbox.routing import Call, Router
from tests.sandbox.wire import (
    Answer,
    csbs_bad_parameter,
    csbs_error,
    json_answer,
    no_route,
    refuse,
)

MAX_PLANS = 32
LIST_KEYS = ('limit', 'marker', 'offset', 'sort', 'name', 'all_tenants')
SORT_KEY = re.compile('([a-z_]+)(:asc|:desc)?')
RUN_KEYS = ('plan_id', 'parameters')
PARAMETER_KEYS = ('auto_trigger', 'resources')

# The status and the code for a server that has a backup in the making, by
# what makes it.
BUSY = {'policy': 'CSBS.2001', 'schedule': 'CSBS.6030', 'hand': 'CSBS.1001'}


def register(routes: Router) -> None:
    """Hang the calls into the routes of CSBS."""
    routes.route('POST', 'policies')(create)
    routes.route('GET', 'policies')(list_all)
    routes.route('GET', 'policies/{policy_id}')(show)
    routes.route('PUT', 'policies/{policy_id}')(update)
    routes.route('DELETE', 'policies/{policy_id}')(delete)
    routes.route('POST', karbor.COLLECTION)(run)
    for method in ('GET', 'DELETE'):
        routes.route(method, karbor.COLLECTION)(_no_call)


def _no_call(call: Call, provider_id: str) -> Answer:
    """Karbor has a list here; the reference of CSBS has no 405 either."""
    return no_route()


def _find(call: Call, policy_id: str) -> Plan:
    if not is_uuid(policy_id):
        refuse(csbs_bad_parameter(f'Policy id {policy_id!r} is malformed.'))
    plan = call.cloud.state.plans.get(policy_id)
    if plan is None or plan.project_id != call.project:
        message = f'Policy {policy_id} could not be found.'
        refuse(csbs_error(404, 'CSBS.3000', message))
    return plan


# -- views -----------------------------------------------------------------


def _view(call: Call, plan: Plan) -> dict[str, Any]:
    """The policy, as the knobs let it be shown."""
    knobs = call.cloud.knobs
    body = copy.deepcopy(plan.body)
    for operation in objects(body.get('scheduled_operations')):
        definition = operation.get('operation_definition', {})
        if knobs.csbs_policy_texts:
            for key, value in definition.items():
                definition[key] = _as_text(value)
        if knobs.csbs_policy_provider:
            definition['provider_id'] = knobs.csbs_policy_provider
    if knobs.csbs_policy_provider:
        body['provider_id'] = knobs.csbs_policy_provider
    shown: dict[str, Any] = _without(body, knobs.csbs_policy_hides)
    return shown


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) else value


def _without(value: Any, keys: tuple[str, ...]) -> Any:
    """The same without some keys, wherever they are."""
    if isinstance(value, dict):
        return {
            key: _without(part, keys)
            for key, part in value.items()
            if key not in keys
        }
    if isinstance(value, list):
        return [_without(part, keys) for part in value]
    return value


# -- C12, C13 --------------------------------------------------------------


def list_all(call: Call) -> Answer:
    query = Query(call.request.query, LIST_KEYS, csbs_bad_parameter)
    everything = may_see_all(call.cloud, query.flag('all_tenants'))
    plans = _sorted(
        [
            plan
            for plan in call.cloud.state.plans.of(
                None if everything else call.project, call.cloud.knobs.list_lag
            )
            if query.text('name') in (None, plan.name)
        ],
        query.text('sort'),
    )
    marker = query.uuid('marker')
    if marker is not None:
        ids = [plan.id for plan in plans]
        if marker not in ids:
            return csbs_bad_parameter(f'marker: {marker} is unknown.')
        plans = plans[ids.index(marker) + 1 :]
    cap = call.cloud.knobs.max_page
    limit = min(query.integer('limit', 1) or cap, cap)
    offset = query.integer('offset', 1) or 0
    rows = [_view(call, plan) for plan in plans[offset : offset + limit]]
    return json_answer({'policies': rows})


def _sorted(plans: list[Plan], order: str | None) -> list[Plan]:
    """Newest first, unless another order is asked for."""
    if order is not None and len(order) > 255:
        refuse(csbs_bad_parameter('sort is too long.'))
    for part in reversed(order.split(',') if order else ()):
        matched = SORT_KEY.fullmatch(part)
        if matched is None:
            refuse(csbs_bad_parameter(f'sort: {part!r} is not allowed.'))
        key, direction = matched.groups()
        plans = sorted(
            plans,
            key=lambda plan: str(plan.body.get(key, '')),
            reverse=direction != ':asc',
        )
    return plans


def show(call: Call, policy_id: str) -> Answer:
    Query(call.request.query, (), csbs_bad_parameter)
    return json_answer({'policy': _view(call, _find(call, policy_id))})


# -- C11, C15 --------------------------------------------------------------


def create(call: Call) -> Answer:
    Query(call.request.query, (), csbs_bad_parameter)
    may_create(call.cloud, 'policy:create')
    wanted = read_new(call.request)
    _check_name(call, wanted['name'])
    state = call.cloud.state
    if len(state.plans.of(call.project)) >= MAX_PLANS:
        message = f'There are {MAX_PLANS} policies.'
        return csbs_error(400, 'CSBS.0001', message)
    _check_servers(call, wanted['resources'])
    (operation,) = wanted['scheduled_operations']
    plan = new_plan(
        state.new_uuid(),
        call.project,
        state.stamp(),
        name=wanted['name'],
        description=wanted.get('description', ''),
        resources=map(_completed, wanted['resources']),
        enabled=operation['enabled'],
        operation_name=operation.get('name', ''),
        operation_description=operation.get('description', ''),
        definition=operation['operation_definition'],
        schedule=operation['trigger']['properties']['pattern'],
        tags=wanted.get('tags', ()),
    )
    state.plans.remember()
    state.plans[plan.id] = plan
    return json_answer({'policy': _view(call, plan)})


def _completed(resource: dict[str, Any]) -> dict[str, Any]:
    return {'extra_info': {}, **resource}


def _check_name(call: Call, name: str, own: Plan | None = None) -> None:
    for plan in call.cloud.state.plans.of(call.project):
        if plan is not own and plan.name == name:
            message = f'A policy {name} exists.'
            refuse(csbs_error(400, 'CSBS.9007', message))


def _check_servers(
    call: Call, resources: list[dict[str, Any]], own: Plan | None = None
) -> None:
    """Each is there, and no other policy has it."""
    for resource in resources:
        id = resource['id']
        if own is not None and id in own.server_ids:
            # It may be gone meanwhile.
            continue
        if protection.find_server(call, id) is None:
            message = f'Server {id} could not be found.'
            refuse(csbs_error(400, 'CSBS.6000', message))
        if call.cloud.state.plans.of_server(id):
            message = f'Server {id} belongs to a policy.'
            refuse(csbs_error(400, 'CSBS.6004', message))


def delete(call: Call, policy_id: str) -> Answer:
    """What it has backed up stays."""
    Query(call.request.query, (), csbs_bad_parameter)
    plan = _find(call, policy_id)
    call.cloud.state.plans.remember()
    del call.cloud.state.plans[plan.id]
    return Answer()


# -- C14 -------------------------------------------------------------------


def update(call: Call, policy_id: str) -> Answer:
    Query(call.request.query, (), csbs_bad_parameter)
    may_change(call.cloud, 'policy:update')
    plan = _find(call, policy_id)
    wanted = read_change(call.request, plan)
    if 'name' in wanted:
        _check_name(call, wanted['name'], plan)
    _check_servers(call, wanted.get('resources', []), plan)
    how = call.cloud.knobs.csbs_policy_update
    changed = copy.deepcopy(plan)
    _change(changed, wanted, merges=how == 'merges')
    if how == 'drops':
        _drop(changed)
    if how != 'ignores':
        call.cloud.state.plans.remember()
        plan.body = changed.body
    # Whatever has become of it, the answer is what was asked for.
    view = _view(call, changed)
    view.pop('tags', None)
    for operation in objects(view.get('scheduled_operations')):
        operation.pop('trigger_id', None)
        operation.get('trigger', {}).pop('id', None)
    return json_answer({'policy': view})


def _change(plan: Plan, wanted: dict[str, Any], *, merges: bool) -> None:
    operations = wanted.pop('scheduled_operations', ())
    resources = wanted.pop('resources', None)
    plan.body |= wanted
    if resources is not None:
        plan.body['resources'] = _changed_resources(plan, resources, merges)
    for operation in operations:
        definition = operation.pop('operation_definition', None)
        trigger = operation.pop('trigger', None)
        plan.set_enabled(operation.pop('enabled', True))
        plan.operation.update(operation)
        if definition is not None:
            before = plan.operation['operation_definition'] if merges else {}
            plan.operation['operation_definition'] = {
                **before,
                **filled(plan.id, definition),
            }
        if trigger is not None:
            properties = plan.operation['trigger']['properties']
            properties['pattern'] = trigger['properties']['pattern']


def _changed_resources(
    plan: Plan, resources: list[dict[str, Any]], merges: bool
) -> list[dict[str, Any]]:
    wanted = {one['id']: _completed(one) for one in resources}
    if merges:
        wanted = {one['id']: one for one in plan.resources} | wanted
    return list(wanted.values())


def _drop(plan: Plan) -> None:
    """Lose the long-term rules, and what the reference does not know."""
    definition = plan.operation['operation_definition']
    for known, holder in (
        (KEYS, plan.body),
        (OPERATION_KEYS, plan.operation),
        ({*DEFINITION_KEYS} - {*LONG_TERM, 'timezone'}, definition),
        *((RESOURCE_KEYS, resource) for resource in plan.resources),
    ):
        for key in [key for key in holder if key not in known]:
            del holder[key]


# -- C4 --------------------------------------------------------------------


def run(call: Call, provider_id: str) -> Answer:
    """The checkpoint at once, its items maybe later."""
    Query(call.request.query, (), csbs_bad_parameter)
    may_create(call.cloud, 'checkpoint:create')
    karbor.check_provider(call, provider_id)
    wanted = read_object(
        call.request, 'checkpoint', RUN_KEYS, csbs_bad_parameter
    )
    check_keys(wanted, RUN_KEYS, csbs_bad_parameter, RUN_KEYS)
    parameters = check_keys(
        wanted['parameters'], PARAMETER_KEYS, csbs_bad_parameter
    )
    by_schedule = check_flag(parameters, 'auto_trigger', csbs_bad_parameter)
    if not isinstance(wanted['plan_id'], str):
        return csbs_bad_parameter('plan_id is no text.')
    plan = _find(call, wanted['plan_id'])
    ids = _run_ids(plan, parameters)
    _check_idle(call, plan, ids)
    servers = _runnable(call, ids)
    protection.check_quota(call, servers)
    checkpoint = call.cloud.state.add_checkpoint(
        (),
        policy_id=plan.id,
        auto_trigger=bool(by_schedule),
        project_id=call.project,
    )
    protection.begin(call, checkpoint, servers, tags=plan.tags)
    return json_answer({'checkpoint': karbor.view(checkpoint)})


def _run_ids(plan: Plan, parameters: dict[str, Any]) -> list[str]:
    """The servers that are wanted: all of the policy, or some of them."""
    if 'resources' not in parameters:
        return plan.server_ids
    ids = parameters['resources']
    if not isinstance(ids, list) or not ids:
        refuse(csbs_bad_parameter('resources is no list, or empty.'))
    for id in ids:
        if id not in plan.server_ids:
            refuse(csbs_bad_parameter(f'{id!r} is not in the policy.'))
    return list(dict.fromkeys(ids))


def _check_idle(call: Call, plan: Plan, ids: list[str]) -> None:
    """No backup of these servers is in the making, and none of the policy."""
    for checkpoint in call.cloud.state.checkpoints_of[call.project]:
        busy = [server.id for server in checkpoint.awaited] + [
            item.resource_id
            for item in checkpoint.items
            if item.status in ('waiting_protect', 'protecting')
        ]
        if busy and checkpoint.policy_id == plan.id:
            message = 'A task of this policy is running.'
            refuse(csbs_error(500, BUSY['policy'], message))
        if {*busy} & {*ids}:
            by = 'schedule' if checkpoint.auto_trigger else 'hand'
            message = 'A server of the policy is being backed up.'
            refuse(csbs_error(500, BUSY[by], message))


def _runnable(call: Call, ids: list[str]) -> list[Server]:
    """The servers that can be backed up; the others are passed over."""
    found = [protection.find_server(call, id) for id in ids]
    servers = [
        server
        for server in found
        if server is not None and protection.obstacle(call, server) is None
    ]
    if not servers:
        message = 'The policy has no server that can be backed up.'
        refuse(csbs_error(500, 'CSBS.6032', message))
    return servers
