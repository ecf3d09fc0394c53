# SPDX-License-Identifier: Apache-2.0
"""Sharing of backups: `os-vendor-backup-sharing` of VBS v2."""

import re
from collections.abc import Callable
from typing import Any

from tests.sandbox import native
from tests.sandbox.body import read_object
from tests.sandbox.gate import may_change
from tests.sandbox.model import Share
from tests.sandbox.paging import page
from tests.sandbox.query import Query, is_uuid
from tests.sandbox.routing import Call, Router
from tests.sandbox.state import CloudState
from tests.sandbox.wire import (
    Answer,
    json_answer,
    native_error,
    no_route,
    refuse,
)

BASE = 'os-vendor-backup-sharing'

FILTERS = (
    'share_to_me',
    'volume_id',
    'backup_id',
    'from_project_id',
    'to_project_id',
    'name',
    'status',
    'avalilability_zone',  # as the service spells it
)
CREATE_KEYS = ('backup_id', 'to_project_ids')
PROJECT = re.compile('[0-9a-f]{32}')
PAGING = ('sort_key', 'sort_dir', 'limit', 'offset')


def register(routes: Router) -> None:
    """Hang the calls into the routes of v2."""
    for method, tail, handler in (
        ('GET', '/detail', list_shares),
        ('GET', '/count', count_shares),
        ('GET', '/{share_id}', show_share),
        ('POST', '', create_shares),
        ('DELETE', '/{share_id}', delete_share),
    ):
        routes.route(method, BASE + tail)(_guarded(handler))


def _guarded(handler: Callable[..., Answer]) -> Callable[..., Answer]:
    """Not every cloud has sharing, or lets everybody see it."""

    def guarded(call: Call, **captures: str) -> Answer:
        if call.cloud.knobs.sharing == 'absent':
            return no_route()
        if call.cloud.knobs.sharing == 'forbidden':
            message = "Policy doesn't allow backup:share to be performed."
            return native_error(403, message)
        return handler(call, **captures)

    return guarded


def bare(share: Share) -> dict[str, Any]:
    return {
        'id': share.id,
        'backup_id': share.backup_id,
        'from_project_id': share.from_project_id,
        'to_project_id': share.to_project_id,
        'created_at': share.created_at,
        'updated_at': share.updated_at,
    }


def full(state: CloudState, share: Share) -> dict[str, Any]:
    """With the backup, which has neither links nor an owner here."""
    backup = state.backups[share.backup_id]
    shown = native.common(backup)
    shown['service_metadata'] = backup.service_metadata
    return bare(share) | {'backup': shown}


def matcher(call: Call, query: Query) -> Callable[[Share], bool]:
    state = call.cloud.state
    mine = 'to_project_id' if query.flag('share_to_me') else 'from_project_id'
    own = query.present(('backup_id', 'from_project_id', 'to_project_id'))
    of_backup = query.present(('volume_id', 'status'))
    zone = query.text('avalilability_zone')
    if zone is not None:
        of_backup['availability_zone'] = zone
    name = query.text('name') or ''

    def matches(share: Share) -> bool:
        if getattr(share, mine) != call.project:
            return False
        if any(getattr(share, key) != own[key] for key in own):
            return False
        backup = state.backups[share.backup_id]
        if any(getattr(backup, k) != of_backup[k] for k in of_backup):
            return False
        return name in (backup.name or '')

    return matches


def list_shares(call: Call) -> Answer:
    query = Query(call.request.query, FILTERS + PAGING, native.bad_query)
    state = call.cloud.state
    cap = call.cloud.knobs.max_page
    asked = query.integer('limit')
    key = query.choice('sort_key', native.SORT_KEYS, 'created_at')
    rows, _ = page(
        state.all_shares,
        limit=cap if asked is None else min(asked, cap),
        offset=query.integer('offset') or 0,
        matches=matcher(call, query),
        descending=query.choice('sort_dir', ('asc', 'desc'), 'desc') == 'desc',
        sort=_sort_value(state, key),
    )
    return json_answer({'shared': [full(state, row) for row in rows]})


def _sort_value(state: CloudState, key: str) -> Callable[[Share], Any] | None:
    """Shares are sorted by their backups, but for the creation."""
    of_backup = native.sort_value(key)
    if of_backup is None:
        return None
    return lambda share: of_backup(state.backups[share.backup_id])


def count_shares(call: Call) -> Answer:
    query = Query(call.request.query, FILTERS, native.bad_query)
    rows = filter(matcher(call, query), call.cloud.state.all_shares)
    return json_answer({'count': len(list(rows))})


def find(call: Call, share_id: str) -> Share:
    """A share that the project gave or got."""
    if not is_uuid(share_id):
        refuse(native_error(400, f'Share id {share_id} is malformed.'))
    share = call.cloud.state.shares.get(share_id)
    if share is None or call.project not in (
        share.from_project_id,
        share.to_project_id,
    ):
        refuse(native_error(404, f'Share {share_id} could not be found.'))
    return share


def show_share(call: Call, share_id: str) -> Answer:
    Query(call.request.query, (), native.bad_query)
    share = find(call, share_id)
    return json_answer({'shared': full(call.cloud.state, share)})


def create_shares(call: Call) -> Answer:
    """V18: a share for each project, but fewer may come back.

    A project that the backup is shared with already gets no second one.
    """
    Query(call.request.query, (), native.bad_query)
    may_change(call.cloud, 'backup:share')
    wanted = read_object(call.request, 'shared', CREATE_KEYS, native.bad_query)
    backup_id, targets = wanted.get('backup_id'), _targets(call, wanted)
    if not isinstance(backup_id, str) or not is_uuid(backup_id):
        return native_error(400, 'backup_id is missing or malformed.')
    state = call.cloud.state
    backup = native.find(call, backup_id)
    if backup.status != 'available':
        message = 'Invalid backup: Backup status must be available'
        return native_error(400, message)
    targets = targets[: max(len(targets) - call.cloud.knobs.shares_dropped, 0)]
    known = {share.to_project_id for share in state.shares_of(backup.id)}
    shares = [
        state.add_share(backup, target)
        for target in targets
        if target not in known
    ]
    # The times are not known yet, as in the sample of the reference.
    unknown = ('created_at', 'updated_at', 'deleted', 'deleted_at')
    return json_answer(
        {'shared': [bare(share) | dict.fromkeys(unknown) for share in shares]}
    )


def _targets(call: Call, wanted: dict[str, Any]) -> list[str]:
    """The projects to share with: ids, each once, and not one's own."""
    targets = wanted.get('to_project_ids')
    if not isinstance(targets, list) or not targets:
        refuse(native_error(400, 'to_project_ids must be a list of ids.'))
    for target in targets:
        if not isinstance(target, str) or not PROJECT.fullmatch(target):
            refuse(native_error(400, f'Project id {target!r} is malformed.'))
    if len(set(targets)) < len(targets) or call.project in targets:
        refuse(native_error(400, 'to_project_ids has a project too many.'))
    return targets


def delete_share(call: Call, share_id: str) -> Answer:
    """`is_backup_id=true`: every share of that backup.

    The reference names no default; without the key the id is a share's.
    """
    query = Query(call.request.query, ('is_backup_id',), native.bad_query)
    flag = query.choice('is_backup_id', ('true', 'false'), 'false')
    state = call.cloud.state
    if flag == 'false':
        shares = [find(call, share_id)]
    elif not is_uuid(share_id):
        return native_error(400, f'Backup id {share_id} is malformed.')
    else:
        shares = [
            share
            for share in state.shares_of(share_id)
            if share.from_project_id == call.project
        ]
    if not shares:
        return native_error(404, f'Share {share_id} could not be found.')
    if any(share.from_project_id != call.project for share in shares):
        return native_error(403, 'The share belongs to another project.')
    for share in shares:
        state.remove_share(share)
    return Answer(200)
