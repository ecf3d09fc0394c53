# SPDX-License-Identifier: Apache-2.0
"""Native backups: what VBS v2 and v3 and block storage have in common."""

from collections.abc import Callable
from typing import Any

from tests.sandbox.cloud import Cloud
from tests.sandbox.model import Backup, Snapshot, Volume
from tests.sandbox.paging import page
from tests.sandbox.query import Query
from tests.sandbox.routing import Call
from tests.sandbox.wire import (
    Answer,
    json_answer,
    native_error,
    refuse,
    vendor_error,
)

# The host that the services write into links: nobody can reach it.
DECORATION = 'http://internal.invalid:8776'

SORT_KEYS = (
    'name',
    'status',
    'container_format',
    'disk_format',
    'size',
    'id',
    'created_at',
    'updated_at',
)
EXACT = ('name', 'status', 'volume_id', 'project_id')


def bad_query(message: str) -> Answer:
    return native_error(400, message)


def links(project: str, backup_id: str) -> list[dict[str, str]]:
    href = f'{DECORATION}/{project}/backups/{backup_id}'
    return [
        {'href': href, 'rel': 'self'},
        {'href': href, 'rel': 'bookmark'},
    ]


def summary(backup: Backup) -> dict[str, Any]:
    return {
        'id': backup.id,
        'name': backup.name,
        'links': links(backup.project_id, backup.id),
    }


def common(backup: Backup) -> dict[str, Any]:
    """The keys of a backup that every version has."""
    return {
        'id': backup.id,
        'name': backup.name,
        'status': backup.status,
        'size': backup.size,
        'volume_id': backup.volume_id,
        'snapshot_id': backup.snapshot_id,
        'availability_zone': backup.availability_zone,
        'container': None,
        'description': backup.description,
        'fail_reason': backup.fail_reason,
        'object_count': 0,
        'created_at': backup.created_at,
        'updated_at': backup.updated_at,
        'data_timestamp': backup.data_timestamp,
        # VBS does not maintain it.
        'has_dependent_backups': False,
        'is_incremental': backup.incremental,
    }


def detail_v2(backup: Backup) -> dict[str, Any]:
    return common(backup) | {
        'links': links(backup.project_id, backup.id),
        'os-bak-tenant-attr:tenant_id': backup.project_id,
        'service_metadata': backup.service_metadata,
    }


def detail_v3(backup: Backup) -> dict[str, Any]:
    return common(backup) | {
        'links': links(backup.project_id, backup.id),
        'os-backup-project-attr:project_id': backup.project_id,
    }


def find(call: Call, backup_id: str) -> Backup:
    """A backup of the project; anything else is not found, even an id
    that is malformed."""
    backup = call.cloud.state.backups.get(backup_id)
    knobs = call.cloud.knobs
    if backup is None or (
        backup.project_id != call.project and not knobs.foreign_rows
    ):
        message = f'Backup {backup_id} could not be found.'
        refuse(native_error(404, message))
    return backup


def find_volume(call: Call, volume_id: str) -> Volume:
    volume = call.cloud.state.volumes.get(volume_id)
    if volume is None or volume.project_id != call.project:
        message = f'Volume {volume_id} could not be found.'
        refuse(native_error(404, message))
    return volume


def find_snapshot(call: Call, snapshot_id: str) -> Snapshot:
    snapshot = call.cloud.state.snapshots.get(snapshot_id)
    if snapshot is None or snapshot.project_id != call.project:
        message = f'Snapshot {snapshot_id} could not be found.'
        refuse(native_error(404, message))
    return snapshot


def usage(call: Call) -> tuple[int, int]:
    """How many backups the project has, and their size in GB."""
    backups = list(call.cloud.state.backups_of[call.project])
    return len(backups), sum(backup.size for backup in backups)


def matcher(query: Query) -> Callable[[Backup], bool] | None:
    """The filters as one function; a tilde at a key's end is fuzzy."""
    exact = list(query.present(EXACT).items())
    fuzzy = [
        (key[:-1], value)
        for key, value in query.present(f'{key}~' for key in EXACT[:3]).items()
    ]
    if not exact and not fuzzy:
        return None

    def matches(backup: Backup) -> bool:
        for key, value in exact:
            if getattr(backup, key) != value:
                return False
        for key, value in fuzzy:
            if value not in (getattr(backup, key) or ''):
                return False
        return True

    return matches


def sort_value(key: str) -> Callable[[Backup], Any] | None:
    """None is the order of creation, which costs nothing."""
    if key == 'created_at':
        return None

    def value(backup: Backup) -> Any:
        found = getattr(backup, key, None)
        return (found is not None, found)

    return value


def list_backups(
    call: Call,
    query: Query,
    view: Callable[[Backup], dict[str, Any]],
    *,
    with_links: bool,
    next_page: Callable[[str], str] | None = None,
    sort_key: str = 'created_at',
    sort_dir: str = 'desc',
) -> Answer:
    """One page, newest first unless told otherwise.

    :param next_page: the link behind a row, where links can be followed and
        each full page has one, as Cinder's do; None for those of VBS.
    """
    cap = call.cloud.knobs.max_page
    asked = query.integer('limit')
    limit = cap if asked is None else min(asked, cap)
    offset = query.integer('offset') or 0
    marker = query.text('marker')
    knobs = call.cloud.knobs
    shelf = call.cloud.state.backups_listed(
        call.project,
        knobs.list_lag,
        # Cinder passes over it for all but administrators.
        knobs.foreign_rows
        or (knobs.administrator and bool(query.flag('all_tenants'))),
    )
    matches = matcher(query)
    rows, more = page(
        shelf,
        limit=limit,
        offset=offset,
        marker=find(call, marker) if marker else None,
        matches=matches,
        descending=sort_dir == 'desc',
        sort=sort_value(sort_key),
    )
    body: dict[str, Any] = {'backups': [view(row) for row in rows]}
    if next_page and rows and len(rows) == limit:
        href = next_page(rows[-1].id)
        body['backups_links'] = [{'href': href, 'rel': 'next'}]
    elif with_links and not next_page and more and rows:
        href = (
            f'{DECORATION}/{call.project}/backups?limit={limit}'
            f'&offset={offset + limit}&marker={rows[-1].id}'
        )
        body['backups_links'] = [{'href': href, 'rel': 'next'}]
    if query.flag('with_count'):
        body['count'] = len(list(filter(matches, shelf)))
    return json_answer(body)


# -- creating --------------------------------------------------------------

IN_USE = 'Backing up an in-use volume must use the force flag.'


def invalid_volume(reason: str) -> Answer:
    return native_error(400, f'Invalid volume: {reason}')


def invalid_backup(reason: str) -> Answer:
    return native_error(400, f'Invalid backup: {reason}')


def snapshot_of(call: Call, volume: Volume, snapshot_id: str) -> Snapshot:
    """A snapshot that can be backed up as one of a disk."""
    snapshot = find_snapshot(call, snapshot_id)
    if snapshot.volume_id != volume.id:
        reason = (
            f'Volume {volume.id} does not match with snapshot.volume_id '
            f'{snapshot.volume_id}.'
        )
        refuse(invalid_volume(reason))
    if snapshot.status != 'available':
        message = (
            f'Invalid snapshot: Snapshot to be backed up must be available, '
            f'but the current status is "{snapshot.status}".'
        )
        refuse(native_error(400, message))
    return snapshot


def create_backup(
    call: Call,
    volume: Volume,
    snapshot: Snapshot | None,
    parent: Backup | None,
    wanted: dict[str, Any],
    then: Callable[[], None] = lambda: None,
) -> Backup:
    """Begin it; all has been checked.

    :param parent: None for a full backup.
    :param then: what is to be done as well when it is made.
    """
    backup = call.cloud.state.add_backup(
        volume=volume,
        status='creating',
        incremental=parent is not None,
        parent=parent,
        project_id=call.project,
        description=wanted.get('description'),
    )
    backup.name = wanted.get('name')
    if snapshot is not None:
        backup.snapshot_id = snapshot.id
        backup.data_timestamp = snapshot.created_at
    call.cloud.creations.begin_backup(volume, backup, then)
    return backup


# -- restoring -------------------------------------------------------------


def restore_backup(
    call: Call, backup: Backup, volume: Volume, *, shrinks: bool = True
) -> Answer:
    """Begin it or refuse it, each as Cinder words it.

    :param shrinks: see Restores.begin_volume.
    """
    if backup.status != 'available':
        return invalid_backup('Backup status must be available')
    if volume.status != 'available':
        return invalid_volume('Volume to be restored to must be available')
    if volume.size < backup.size:
        return invalid_volume(
            f'volume size {volume.size} is too small to restore backup of '
            f'size {backup.size}.'
        )
    require_worker(call.cloud)
    call.cloud.restores.begin_volume(backup, volume, shrinks=shrinks)
    restore = {
        'backup_id': backup.id,
        'volume_id': volume.id,
        'volume_name': volume.name,
    }
    return json_answer({'restore': restore}, 202)


def require_worker(cloud: Cloud) -> None:
    """Refuse what only a worker can do, where there is none."""
    if not cloud.knobs.backup_worker:
        message = 'Service cinder-backup could not be found.'
        refuse(native_error(404, message))


# -- deleting --------------------------------------------------------------


def delete_backup(call: Call, backup_id: str) -> Answer:
    """202 and gone later; each refusal as the running services word it."""
    Query(call.request.query, (), bad_query)
    accept_deletion(call, find(call, backup_id))
    return Answer(202)


def accept_deletion(call: Call, backup: Backup) -> None:
    """Start the deletion or refuse it."""
    cloud = call.cloud
    require_worker(cloud)
    if backup.source == 'csbs':
        message = 'The backup belongs to CSBS and cannot be deleted here.'
        refuse(vendor_error(400, 'VolumeBackup.0125', message))
    if backup.status not in ('available', 'error'):
        refuse(invalid_backup('Backup status must be available or error'))
    if backup.image:
        message = 'An image has been created from the backup.'
        refuse(vendor_error(400, 'VolumeBackup.0113', message))
    if cloud.knobs.chains and cloud.state.dependants(backup):
        message = 'Incremental backups exist for this backup.'
        refuse(invalid_backup(message))
    cloud.deletions.begin_backup(backup)
