# SPDX-License-Identifier: Apache-2.0
"""What a run may send to run a policy, or to give it members."""

import json
import re
from collections.abc import Sequence
from typing import Any

from tests.sandbox import LoggedRequest, Sandbox

_UUID = '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}'
_VBS = '/vbs/v2/{P}/backuppolicy'
_CSBS = '/csbs/v1/{P}/policies'

#: For the table of all that may be sent.
ALLOWED = (
    f'GET {_VBS}',
    f'GET {_VBS}/{_UUID}/backuptasks\\?.*',
    f'POST {_VBS}/{_UUID}/action',
    f'POST {_VBS}resources',
    f'POST {_VBS}resources/{_UUID}/deleted_resources',
    f'(?:GET|PUT) {_CSBS}/{_UUID}',
    f'POST /csbs/v1/{{P}}/providers/{_UUID}/checkpoints',
)

#: Answers after which nothing can have been done.
_UNDONE = (401, 413, 429)


def audit_members(sent: Sequence[LoggedRequest], texts: Sequence[str]) -> None:
    """Hold each request that uses a policy against what came before."""
    done: dict[object, LoggedRequest] = {}
    for number, request in enumerate(sent):
        is_plan = request.service == 'csbs'
        policy, members = _use_of_policy(request)
        if policy is None:
            continue
        collection = '/policies' if is_plan else '/backuppolicy'
        read = re.compile(f'GET .*{collection}(?:/{policy}|\\?.*)?')
        assert any(map(read.fullmatch, texts[:number])), (
            f'the policy {policy} was not read before {request}'
        )
        for id in members:
            assert re.fullmatch(_UUID, id), f'{id!r} is no volume'
            seen = re.compile(f'GET .*/volumes(?:/{id}|/detail\\?.*)')
            assert any(map(seen.fullmatch, texts[:number])), (
                f'the volume {id} was not read before {request}'
            )
        assert len(members) <= 40, f'{request} has too many volumes'
        # A policy is run once, and a volume moved once.
        for key in [(texts[number], id) for id in members or [policy]]:
            before = done.get(key)
            assert before is None or before.status in _UNDONE, (
                f'{request} was sent a second time'
            )
            done[key] = request


def _use_of_policy(
    request: LoggedRequest,
) -> tuple[str | None, Sequence[str]]:
    """(the policy that a request runs or gives members, those members).

    A PUT, which names all servers of a policy, has none of its own: it is
    held against the policy, which is read just before.
    """
    path = request.path.split('/')
    if request.method == 'POST' and path[-1] == 'action':
        return (path[-2], ()) if path[-3] == 'backuppolicy' else (None, ())
    if request.method == 'POST' and path[-1] == 'checkpoints':
        run = json.loads(request.body)['checkpoint']
        assert set(run) == {'plan_id', 'parameters'}
        assert set(run['parameters']) <= {'resources'}
        return run['plan_id'], ()
    if request.method == 'POST' and 'backuppolicyresources' in path:
        body = json.loads(request.body)
        policy = body.get('backup_policy_id') or path[-2]
        return policy, [row['resource_id'] for row in body['resources']]
    return None, ()


def uses_policy(request: LoggedRequest) -> bool:
    """Whether it runs a policy, or gives it members."""
    return _use_of_policy(request)[0] is not None


def policy_requests(sandbox: Sandbox) -> list[tuple[str, Any]]:
    """``METHOD path`` and body of each that runs a policy, or changes it."""
    return [
        (
            str(request).replace(sandbox.project_id, '{P}'),
            json.loads(request.body) if request.body else None,
        )
        for request in list(sandbox.requests)
        if request.method == 'PUT' or uses_policy(request)
    ]
