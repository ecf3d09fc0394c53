# SPDX-License-Identifier: Apache-2.0
"""What a run may send at all, and the request log as tests read it."""

import json
import re
from collections.abc import Sequence
from typing import Any

from tests.functional import policy_wire
from tests.functional.policy_wire import UNDONE, UUID
from tests.sandbox import LoggedRequest, Sandbox

UNKNOWN = '00000000-0000-4000-8000-000000000000'
PROVIDER = 'fc4d5750-22e7-4798-8a46-f48f62c4c1da'

_BACKUPS = '/(?:vbs|volume)/v[23]/{P}/backups'
_SHARES = '/(?:vbs|volume)/v2/{P}/os-vendor-backup-sharing'
_CHECKPOINTS = f'/csbs/v1/{{P}}/providers/{UUID}/checkpoints'
_ITEMS = '/csbs/v1/{P}/checkpoint_items'
_RESOURCES = f'/csbs/v1/{{P}}/providers/{UUID}/resources'

_BLOCKS = re.compile('[A-Z]+ (?:/region/[^/]+)?/(?:vbs|volume)/')
_DISCOVERY = re.compile('GET (?:/region/[^/]+)?/(?:vbs|volume)/')

_ALLOWED = re.compile(
    '|'.join(
        pattern.replace(' ', ' (?:/region/[^/]+)?', 1)
        for pattern in (
            f'GET {_BACKUPS}/detail\\?.*',
            f'GET {_BACKUPS}/{UUID}',
            f'GET {_SHARES}/detail\\?.*',
            f'GET {_SHARES}/{UUID}',
            f'GET {_SHARES}/count',
            f'GET {_ITEMS}\\?.*',
            f'GET {_ITEMS}/count(?:\\?.*)?',
            f'GET {_ITEMS}/{UUID}',
            f'GET {_CHECKPOINTS}/{UUID}',
            f'GET {_CHECKPOINTS}\\?limit=1',
            'GET /csbs/v1/{P}/providers',
            f'GET {_CHECKPOINTS}\\?limit=.*',
            f'DELETE {_BACKUPS}/{UUID}',
            f'DELETE {_SHARES}/{UUID}\\?is_backup_id=(?:true|false)',
            f'DELETE {_CHECKPOINTS}/{UUID}(?:\\?checkpoint_items={UUID})?',
            'GET /vbs/v1/{P}/jobs/[0-9A-Za-z_-]{1,64}',
            'GET /vbs/v2/{P}/cloudbackups/quota',
            'GET /csbs/v1/{P}/quotas',
            'POST /vbs/v2/{P}/cloudbackups',
            f'POST {_BACKUPS}',
            f'POST {_SHARES}',
            f'POST {_RESOURCES}/action',
            f'POST {_RESOURCES}/{UUID}/action',
            f'POST /vbs/v2/{{P}}/cloudbackups/{UUID}/restore',
            f'POST {_BACKUPS}/{UUID}/restore',
            'POST /csbs/v1/{P}/restores',
            f'GET /csbs/v1/{{P}}/restores/{UUID}',
            *policy_wire.ALLOWED,
        )
    )
)

#: What is asked for names; a name is never a part of the path.
_LOOKUPS = re.compile(
    '|'.join(
        pattern.replace(' ', ' (?:/region/[^/]+)?', 1)
        for pattern in (
            '(?:POST|DELETE|GET) /identity/v3/auth/tokens',
            'GET /identity(?:/v3)?/?',
            'GET /identity/v3/(?:projects|domains)(?:\\?.*)?',
            'GET /compute/v2.1/servers(?:/detail)?\\?.*',
            f'GET /compute/v2.1/servers/{UUID}',
            'GET /volume/v3/{P}/(?:volumes|snapshots)/detail\\?.*',
            f'GET /volume/v3/{{P}}/(?:volumes|snapshots)/{UUID}',
        )
    )
)


def audit(requests: Sequence[LoggedRequest], project_id: str) -> None:
    """Fail if one run sent what no run of ours may ever send.

    Nothing but a UUID is the id in a path, no query is missing or empty,
    the version documents are asked for before anything else of that
    service, no DELETE and no POST leaves before a GET, nothing is created
    of what was not read, or a second time, and nothing is overwritten that
    was not read, or once more; no policy is run twice, and what joins or
    leaves one was read, as the policy was.
    """
    texts = [str(request).replace(project_id, '{P}') for request in requests]
    _audit_creations(requests, texts)
    _audit_restores(requests, texts)
    policy_wire.audit_policies(requests, texts)
    texts = [text for text in texts if not _LOOKUPS.fullmatch(text)]
    # Also a lost answer is asked for again.
    while _DISCOVERY.fullmatch(
        first := next((t for t in texts if _BLOCKS.match(t)), '')
    ):
        texts.remove(first)
    for text in texts:
        assert _ALLOWED.fullmatch(text), f'{text!r} must never be sent'
    if texts:
        assert texts[0].startswith('GET '), f'{texts[0]} verified nothing'


def _audit_creations(
    sent: Sequence[LoggedRequest], texts: Sequence[str]
) -> None:
    """Hold each POST that creates something against what came before."""
    created: dict[tuple[str, str], LoggedRequest] = {}
    for number, request in enumerate(sent):
        if not _is_creation(request):
            continue
        kind, id = _made_of(request)
        assert re.fullmatch(UUID, id), f'{id!r} is of no {kind}'
        seen = re.compile(f'GET .*/{kind}s(?:/{id}|/detail\\?.*|\\?.*)')
        assert any(map(seen.fullmatch, texts[:number])), (
            f'the {kind} {id} was not read before {request}'
        )
        before = created.get((kind, id))
        assert before is None or before.status in UNDONE, (
            f'{request} may make a second one of the {kind} {id}'
        )
        created[kind, id] = request


def _audit_restores(
    sent: Sequence[LoggedRequest], texts: Sequence[str]
) -> None:
    """Hold the one POST that overwrites against what came before."""
    last: LoggedRequest | None = None
    for number, request in enumerate(sent):
        if not _is_restore(request):
            continue
        # Not even after throttling: what was checked is old by then.
        assert last is None or last.status == 401, (
            f'{request} may overwrite a second time'
        )
        last = request
        if not request.body:
            continue
        body = json.loads(request.body)['restore']
        if request.service == 'csbs':
            server, pairs = _mapping_of(body['parameters']['targets'])
            assert (server, pairs) == _approved(sent[:number]), (
                f'it was not approved what {request} overwrites'
            )
            read = {('server', server), *(('volume', v) for _, v in pairs)}
            backup = body['parameters']['checkpoint_item_id']
            path = f'/checkpoint_items/{backup}'
        else:
            assert set(body) == {'volume_id'}
            read = {('volume', body['volume_id'])}
            path = f'/backups/{request.path.split("/")[-2]}'
        for kind, id in read:
            assert re.fullmatch(UUID, id), f'{id!r} is of no {kind}'
            seen = re.compile(f'GET .*/{kind}s(?:/{id}|/detail\\?.*)')
            assert any(map(seen.fullmatch, texts[:number])), (
                f'the {kind} {id} was not read before {request}'
            )
        assert any(
            text.startswith('GET ') and text.endswith(path)
            for text in texts[:number]
        ), f'{path} was not read before {request}'


def _approved(
    sent: Sequence[LoggedRequest],
) -> tuple[str, list[tuple[str, str]]] | None:
    """What the service was asked about last."""
    for request in reversed(sent):
        if request.path.endswith('/resources/action'):
            asked = json.loads(request.body).get('check_restorable')
            if asked:
                [question] = asked
                return _mapping_of(question['target'])
    return None


def _mapping_of(target: Any) -> tuple[str, list[tuple[str, str]]]:
    """(server, backup and volume of each disk)."""
    return target.get('server_id') or target['resource_id'], sorted(
        (one['backup_id'], one['volume_id']) for one in target['volumes']
    )


def _is_restore(request: LoggedRequest) -> bool:
    return request.method == 'POST' and bool(
        re.search('/restores?$', request.path)
    )


def _is_creation(request: LoggedRequest) -> bool:
    asks = request.path.endswith('/resources/action')
    changes = request.method == 'POST' and request.service != 'identity'
    # The log of a real service has no bodies.
    has_body = bool(request.body)
    is_other = _is_restore(request) or re.search(
        'polic|/checkpoints$', request.path
    )
    return changes and not asks and not is_other and has_body


def _made_of(request: LoggedRequest) -> tuple[str, str]:
    """(what, id): of which volume, server or backup something is made."""
    if request.service == 'csbs':
        return 'server', request.path.split('/')[-2]
    [wanted] = json.loads(request.body).values()
    kind = 'backup' if 'to_project_ids' in wanted else 'volume'
    return kind, wanted[f'{kind}_id']


def creations(sandbox: Sandbox) -> list[tuple[str, Any]]:
    """``POST path`` and body of each that creates something, in order."""
    return [
        (
            str(request).replace(sandbox.project_id, '{P}'),
            json.loads(request.body),
        )
        for request in list(sandbox.requests)
        if _is_creation(request)
    ]


def restores(sandbox: Sandbox) -> list[tuple[str, Any]]:
    """``POST path`` and body of each that overwrites something."""
    return [
        (
            str(request).replace(sandbox.project_id, '{P}'),
            json.loads(request.body)['restore'],
        )
        for request in list(sandbox.requests)
        if _is_restore(request)
    ]


#: What reads the names of all volumes and servers, for the eye.
_NAMES = re.compile(
    'GET /(?:compute/v2.1/servers|volume/v3/{P}/volumes/detail)'
    '\\?limit=1000(?:&marker=.*)?'
)


def requests(sandbox: Sandbox) -> list[str]:
    """All that decides anything: ``METHOD path?query`` with ``{P}``.

    Without Keystone, and without :func:`names_read`.
    """
    return [text for text in _all(sandbox) if not _NAMES.fullmatch(text)]


def names_read(sandbox: Sandbox) -> list[str]:
    """The requests for the names of volumes and servers."""
    return [text for text in _all(sandbox) if _NAMES.fullmatch(text)]


def _all(sandbox: Sandbox) -> list[str]:
    return [
        text.replace(sandbox.project_id, '{P}')
        for text in sandbox.service_requests()
    ]


def deletes(sandbox: Sandbox) -> list[str]:
    """Every DELETE, in the order of their arrival."""
    return [text for text in requests(sandbox) if text.startswith('DELETE ')]


def vbs_delete(*ids: str, version: str = 'v2') -> list[str]:
    """The DELETEs of volume backups."""
    return [f'DELETE /vbs/{version}/{{P}}/backups/{id}' for id in ids]


def share_delete(id: str, *, is_backup_id: bool) -> str:
    """The DELETE of a share, or of all shares of a backup."""
    flag = 'true' if is_backup_id else 'false'
    return (
        f'DELETE /vbs/v2/{{P}}/os-vendor-backup-sharing/{id}'
        f'?is_backup_id={flag}'
    )


def checkpoint_delete(id: str, item: str | None = None) -> str:
    """The DELETE of a checkpoint, or of one backup in it."""
    query = f'?checkpoint_items={item}' if item else ''
    return (
        f'DELETE /csbs/v1/{{P}}/providers/{PROVIDER}/checkpoints/{id}{query}'
    )
