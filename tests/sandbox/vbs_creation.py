# SPDX-License-Identifier: Apache-2.0
"""VBS: backups made by the vendor's call (v2) and the native ones."""

from typing import Any

from tests.sandbox import jobs, native
from tests.sandbox.body import (
    MAX_TAGS,
    NAME,
    check_flag,
    check_keys,
    is_tag,
    is_text,
    read_object,
)
from tests.sandbox.gate import exceeds, may_create
from tests.sandbox.model import Snapshot, Volume
from tests.sandbox.query import Query, is_uuid
from tests.sandbox.routing import Call, Router
from tests.sandbox.state import described
from tests.sandbox.wire import (
    Answer,
    json_answer,
    native_error,
    refuse,
    vendor_error,
)

MAX_PER_VOLUME = 20

KEYS = (
    'volume_id',
    'snapshot_id',
    'name',
    'description',
    'tags',
    'extend_param',
)
NATIVE_KEYS = (
    'volume_id',
    'snapshot_id',
    'name',
    'description',
    'container',
    'incremental',
    'force',
    'project_id',
)
# What no key and no value of a tag may have.
TAG = r'[^\x00-\x1f=*<>\\,|/]'


def register(v2: Router, v3: Router) -> None:
    """Hang the calls into the routes of both versions."""
    v2.route('POST', 'cloudbackups')(create_backup)
    v2.route('POST', 'backups')(create_native)
    v3.route('POST', 'backups')(create_native)


def _error(number: str, message: str) -> Answer:
    return vendor_error(400, f'VolumeBackup.{number}', message)


def _malformed(message: str) -> Answer:
    return _error('0002', message)


def _bad(message: str) -> Answer:
    return native_error(400, message)


# -- the vendor's call -----------------------------------------------------


def create_backup(call: Call) -> Answer:
    """V1: accepted with the id of a job."""
    Query(call.request.query, (), native.bad_query)
    may_create(call.cloud, 'backup:create')
    wanted = read_object(call.request, 'backup', KEYS, _malformed)
    _check_volume_id(wanted.get('volume_id'))
    _check_name(wanted.get('name'))
    if 'description' in wanted and not is_text(wanted['description'], 64, 1):
        return _error('0006', 'The description is not allowed.')
    _check_tags(wanted.get('tags', []))
    full = _is_full(wanted.get('extend_param', {}))
    volume = _find_volume(call, wanted['volume_id'])
    snapshot = _find_snapshot(call, volume, wanted.get('snapshot_id'))
    check_disk(call, volume)
    state = call.cloud.state
    base = None if full else state.base_of(volume.id)
    backup = state.add_backup(
        wanted['name'],
        volume,
        status='creating',
        incremental=base is not None,
        parent=base,
        project_id=call.project,
        description=_wrapped(wanted.get('description'), not full),
    )
    backup.snapshot_id = snapshot.id if snapshot else None
    job = state.add_job(jobs.CREATE, backup, 'INIT')
    call.cloud.creations.begin_backup(
        volume, backup, lambda: jobs.settle(state, job)
    )
    return json_answer({'job_id': job.id})


def _wrapped(text: str | None, incremental: bool) -> str | None:
    return None if text is None else described(text, incremental)


def _check_volume_id(volume_id: Any) -> None:
    if volume_id in (None, ''):
        refuse(_error('0010', 'volume_id is empty.'))
    if not isinstance(volume_id, str) or not is_uuid(volume_id):
        refuse(_error('0011', 'volume_id is malformed.'))


def _check_name(name: Any) -> None:
    """The rules for a name that is demanded."""
    if name in (None, ''):
        refuse(_error('0007', 'The name is empty.'))
    if not isinstance(name, str):
        refuse(_malformed('The name is no text.'))
    if len(name) > 64:
        refuse(_error('0003', 'The name is too long.'))
    if name.startswith('auto'):
        refuse(_error('0005', 'Names that begin with auto are reserved.'))
    if not NAME.fullmatch(name):
        refuse(_error('0004', 'The name has characters of other kinds.'))


def _check_tags(tags: Any) -> None:
    if not isinstance(tags, list):
        refuse(_malformed('tags is no list.'))
    if len(tags) > MAX_TAGS:
        refuse(_error('0050', 'There are too many tags.'))
    if not all(is_tag(tag, TAG) for tag in tags):
        refuse(_error('0049', 'A tag is not allowed.'))
    if len({tag['key'] for tag in tags}) < len(tags):
        refuse(_error('0049', 'A key of a tag is given twice.'))


def _is_full(extend_param: Any) -> bool:
    """The value is a text, not a boolean."""
    check_keys(extend_param, ('FullBackup',), _malformed)
    value = extend_param.get('FullBackup', '')
    if value not in ('true', 'false', ''):
        refuse(_malformed(f'FullBackup: {value!r} is not allowed.'))
    return bool(value == 'true')


def _find_volume(call: Call, volume_id: str) -> Volume:
    volume = call.cloud.state.volumes.get(volume_id)
    if volume is None or volume.project_id != call.project:
        refuse(_error('0021', 'There is no such disk.'))
    return volume


def _find_snapshot(
    call: Call, volume: Volume, snapshot_id: Any
) -> Snapshot | None:
    """One of that disk, which is good; None where none is named."""
    if snapshot_id is None:
        return None
    if not isinstance(snapshot_id, str):
        refuse(_malformed('snapshot_id is no text.'))
    snapshot = call.cloud.state.snapshots.get(snapshot_id)
    if snapshot is None or snapshot.volume_id != volume.id:
        refuse(_error('0020', 'The disk has no such snapshot.'))
    if snapshot.status != 'available':
        refuse(_error('0062', f'The snapshot is {snapshot.status}.'))
    return snapshot


def check_disk(call: Call, volume: Volume) -> None:
    """Whether a disk can be backed up now, and once more."""
    knobs = call.cloud.knobs
    if volume.status not in ('available', 'in-use'):
        refuse(_error('0012', f'The disk is {volume.status}.'))
    backups = call.cloud.state.backups_of_volume(volume.id)
    if any(backup.status == 'creating' for backup in backups):
        refuse(_error('0013', 'A backup of the disk is being made.'))
    if len(backups) >= MAX_PER_VOLUME:
        refuse(_error('0040', f'The disk has {MAX_PER_VOLUME} backups.'))
    count, gigabytes = native.usage(call)
    if exceeds(knobs.backup_quota, count + 1):
        refuse(_error('0080', 'The quota of backups is exhausted.'))
    if exceeds(knobs.gigabyte_quota, gigabytes + volume.size):
        refuse(_error('0081', 'The quota of gigabytes is exhausted.'))


# -- the native call -------------------------------------------------------


def create_native(call: Call) -> Answer:
    """V6 and V12: the snapshot is mandatory here, as nowhere else.

    The service decides by itself whether the backup is incremental.
    """
    Query(call.request.query, (), native.bad_query)
    may_create(call.cloud, 'backup:create')
    wanted = read_object(call.request, 'backup', NATIVE_KEYS, _bad)
    for key in ('volume_id', 'snapshot_id'):
        if not is_uuid(str(wanted.get(key))):
            return _bad(f'{key} is missing or malformed.')
    for key in ('description', 'container', 'project_id'):
        if not isinstance(wanted.get(key, ''), str):
            return _bad(f'{key} is no text.')
    if 'name' in wanted:
        _check_name(wanted['name'])
    text = wanted.get('description')
    if call.version == 'v2' and text and not is_text(text, 255):
        return _error('0006', 'The description is not allowed.')
    check_flag(wanted, 'incremental', _bad)
    volume = native.find_volume(call, wanted['volume_id'])
    if volume.status == 'in-use' and not check_flag(wanted, 'force', _bad):
        return native.invalid_volume(native.IN_USE)
    snapshot = native.snapshot_of(call, volume, wanted['snapshot_id'])
    check_disk(call, volume)
    base = call.cloud.state.base_of(volume.id)
    backup = native.create_backup(call, volume, snapshot, base, wanted)
    return json_answer({'backup': native.summary(backup)}, 202)
