# SPDX-License-Identifier: Apache-2.0
"""What a run may send to change or run a policy, and how tests read it."""

import json
import re
from collections.abc import Sequence
from typing import Any

from tests.sandbox import LoggedRequest, Sandbox

UUID = '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}'
_VBS = '/vbs/v2/{P}/backuppolicy'
_CSBS = '/csbs/v1/{P}/policies'

#: The requests that change a policy, give it members, or run it.
_CHANGES = (
    f'POST {_VBS}',
    f'(?:PUT|DELETE) {_VBS}/{UUID}',
    f'POST {_VBS}resources',
    f'POST {_VBS}resources/{UUID}/deleted_resources',
    f'POST {_VBS}/{UUID}/action',
    f'POST {_CSBS}',
    f'(?:PUT|DELETE) {_CSBS}/{UUID}',
    f'POST /csbs/v1/{{P}}/providers/{UUID}/checkpoints',
)

#: For the table of all that may be sent.
ALLOWED = (
    *_CHANGES,
    f'GET {_VBS}',
    f'GET {_VBS}/{UUID}/backuptasks\\?.*',
    f'GET {_CSBS}\\?.*',
    f'GET {_CSBS}/{UUID}',
)

_CHANGE = re.compile(
    '|'.join(one.replace(' ', ' (?:/region/[^/]+)?', 1) for one in _CHANGES)
)

#: Answers after which nothing can have been done.
UNDONE = (401, 413, 429)


def _is_change(text: str) -> bool:
    """Whether ``METHOD path``, with ``{P}``, changes a policy or runs it."""
    return bool(_CHANGE.fullmatch(text))


def audit_policies(
    sent: Sequence[LoggedRequest], texts: Sequence[str]
) -> None:
    """Hold each request that changes a policy against what came before.

    But for a DELETE it is sent once; a PUT is the first request to policies
    after they were read; what joins or leaves a policy was read, too.
    """
    done: dict[object, LoggedRequest] = {}
    for number, (request, text) in enumerate(zip(sent, texts, strict=True)):
        if not _is_change(text):
            continue
        base = _CSBS if request.service == 'csbs' else _VBS
        before = [
            (r, t)
            for r, t in zip(sent[:number], texts[:number], strict=True)
            if base in t
        ]
        policy, members = _use_of_policy(request)
        read = re.compile(f'GET .*{re.escape(base)}(?:/{policy}|\\?.*)?')
        assert any(read.fullmatch(t) for _, t in before), (
            f'the policies were not read before {request}'
        )
        if request.method == 'PUT':
            while before and before[-1][0].status in UNDONE:
                before.pop()
            assert before[-1][1] in (
                f'GET {_VBS}',
                text.replace('PUT', 'GET'),
            ), f'{before[-1][1]} is between {text} and the policy as it was'
        for id in members:
            assert re.fullmatch(UUID, id), f'{id!r} is no volume'
            seen = re.compile(f'GET .*/volumes(?:/{id}|/detail\\?.*)')
            assert any(map(seen.fullmatch, texts[:number])), (
                f'the volume {id} was not read before {request}'
            )
        assert len(members) <= 40, f'{request} has too many volumes'
        if request.method == 'DELETE':
            continue
        # A policy is run once, and a volume moved once.
        is_run = request.method == 'POST' and policy is not None
        for what in members or [policy if is_run else request.body]:
            last = done.get((text, what))
            assert last is None or last.status in UNDONE, (
                f'{text} is sent a second time'
            )
            done[text, what] = request


def _use_of_policy(
    request: LoggedRequest,
) -> tuple[str | None, Sequence[str]]:
    """(the policy that a request changes or runs, the volumes it moves).

    A new policy has no id; the servers of a PUT are all that the policy has.
    """
    path = request.path.split('/')
    if request.method != 'POST':
        return path[-1], ()
    # The log of a real service has no bodies.
    body = json.loads(request.body) if request.body else {}
    if path[-1] == 'action':
        return path[-2], ()
    if path[-1] == 'checkpoints':
        run = body['checkpoint']
        assert set(run) == {'plan_id', 'parameters'}
        assert set(run['parameters']) <= {'resources'}
        return run['plan_id'], ()
    if 'backuppolicyresources' in path:
        policy = body.get('backup_policy_id') or path[-2]
        return policy, [row['resource_id'] for row in body['resources']]
    return None, ()


def policy_requests(sandbox: Sandbox) -> list[tuple[str, Any]]:
    """``METHOD path`` and body of each that changes a policy or runs it."""
    texts = [
        (str(request).replace(sandbox.project_id, '{P}'), request.body)
        for request in list(sandbox.requests)
    ]
    return [
        (text, json.loads(body) if body else None)
        for text, body in texts
        if _is_change(text)
    ]
