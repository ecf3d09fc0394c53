# SPDX-License-Identifier: Apache-2.0
"""What a run may send to policies, and how tests read it."""

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
    f'POST {_VBS}',
    f'(?:PUT|DELETE) {_VBS}/{_UUID}',
    f'POST {_VBS}resources',
    f'POST {_CSBS}',
    f'(?:GET|PUT|DELETE) {_CSBS}/{_UUID}',
)

_CHANGE = re.compile(
    f'(?:POST (?:{re.escape(_VBS)}(?:resources)?|{re.escape(_CSBS)})'
    f'|(?:PUT|DELETE) (?:{re.escape(_VBS)}|{re.escape(_CSBS)})/{_UUID})'
)

#: Answers after which nothing can have been done.
_UNDONE = (401, 413, 429)


def is_policy_change(text: str) -> bool:
    """Whether ``METHOD path``, with ``{P}``, changes a policy."""
    return bool(_CHANGE.fullmatch(text))


def audit_policies(
    sent: Sequence[LoggedRequest], texts: Sequence[str]
) -> None:
    """Hold each change of a policy against what came before.

    What makes one, or replaces one, is sent once; a PUT is the first request
    to policies after they were read.
    """
    done: dict[str, LoggedRequest] = {}
    for number, (request, text) in enumerate(zip(sent, texts, strict=True)):
        if not is_policy_change(text):
            continue
        base = _VBS if text.partition(' ')[2].startswith(_VBS) else _CSBS
        before = [
            (r, t)
            for r, t in zip(sent[:number], texts[:number], strict=True)
            if base in t
        ]
        reads = [t for _, t in before if t.startswith('GET ')]
        assert reads, f'{text} without a look at the policies'
        if request.method == 'PUT':
            while before and before[-1][0].status in _UNDONE:
                before.pop()
            assert before[-1][1] in (
                f'GET {_VBS}',
                text.replace('PUT', 'GET'),
            ), f'{before[-1][1]} is between {text} and the policy as it was'
        if request.method != 'DELETE':
            key = f'{text} {request.body!r}'
            last = done.get(key)
            assert last is None or last.status in _UNDONE, (
                f'{text} is sent a second time'
            )
            done[key] = request


def policy_changes(sandbox: Sandbox) -> list[tuple[str, Any]]:
    """``METHOD path`` and body of each change of a policy, in order."""
    found = []
    for request in list(sandbox.requests):
        text = str(request).replace(sandbox.project_id, '{P}')
        if is_policy_change(text):
            body = json.loads(request.body) if request.body else None
            found.append((text, body))
    return found
