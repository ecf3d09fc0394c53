# SPDX-License-Identifier: Apache-2.0
"""VBS: backup policies, their disks and their tasks (V23 to V31)."""

import json
import math
import re
from collections.abc import Callable, Collection, Iterable
from copy import deepcopy
from functools import partial
from typing import Any, NoReturn

from tests.sandbox import jobs, native, vbs_creation
from tests.sandbox.body import MAX_TAGS, NAME, is_tag
from tests.sandbox.cloud import Cloud
from tests.sandbox.creation import QUEUED
from tests.sandbox.gate import exceeds, may_change, may_create
from tests.sandbox.model import Volume
from tests.sandbox.paging import page
from tests.sandbox.query import Query, is_uuid
from tests.sandbox.routing import Call, Router
from tests.sandbox.volume_policies import (
    FAIL,
    RUNNING,
    SKIP,
    STATUSES,
    SUCCESS,
    TIMEOUT,
    PolicyTask,
    VolumePolicy,
)
from tests.sandbox.wire import (
    Answer,
    RefusalError,
    json_answer,
    refuse,
    vendor_error,
)

BASE = 'backuppolicy'
RESOURCES = 'backuppolicyresources'

CREATE_KEYS = ('backup_policy_name', 'scheduled_policy', 'tags', 'time_zone')
MODIFY_KEYS = ('backup_policy_name', 'scheduled_policy', 'time_zone')
SCHEDULE_KEYS = (
    'start_time',
    'frequency',
    'week_frequency',
    'rentention_num',
    'rentention_day',
    'remain_first_backup_of_curMonth',
    'status',
)
#: Of these the first wins.
EXCLUSIVE = (
    ('frequency', 'week_frequency'),
    ('rentention_num', 'rentention_day'),
)
DAYS = ('SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT')
MAX_RUNS = 24
FULL_HOUR = re.compile('([01][0-9]|2[0-3]):00')
ZONE = re.compile(r'UTC([+-])(0[0-9]|1[0-4]):([0-5][0-9])')
TAG = '[A-Za-z0-9_-]'
TASK_QUERY = (
    'limit',
    'offset',
    'marker',
    'job_id',
    'status',
    'sort_dir',
    'sort_key',
)
TASKS_PER_PAGE = 20


def register(v2: Router) -> None:
    """Hang the calls into the routes of v2."""
    one = f'{BASE}/{{policy_id}}'
    for method, path, handler in (
        ('POST', BASE, create_policy),
        ('GET', BASE, list_policies),
        ('PUT', one, modify_policy),
        ('DELETE', one, delete_policy),
        # What is left of a longer path deletes as well.
        ('DELETE', f'{one}/', delete_policy),
        ('DELETE', f'{BASE}/', no_policy_id),
        ('PUT', f'{BASE}/', no_policy_id),
        ('POST', f'{one}/action', execute_policy),
        ('GET', f'{one}/backuptasks', list_tasks),
        ('POST', RESOURCES, associate),
        (
            'POST',
            f'{RESOURCES}/{{policy_id}}/deleted_resources',
            disassociate,
        ),
    ):
        v2.route(method, path)(handler)


def _error(number: str, message: str, status: int = 400) -> Answer:
    return vendor_error(status, f'AutoBackup.{number}', message)


def _refuse(number: str, message: str) -> NoReturn:
    refuse(_error(number, message))


def no_policy_id(_call: Call) -> Answer:
    return _error('0006', 'The policy id is empty.')


def _find(call: Call, policy_id: Any) -> VolumePolicy:
    if not policy_id:
        refuse(no_policy_id(call))
    policies = call.cloud.state.volume_policies.of_project(call.project)
    if not isinstance(policy_id, str) or policy_id not in policies:
        refuse(_error('0205', 'The policy does not exist.', 404))
    return policies[policy_id]


def _read(
    call: Call, allowed: Collection[str], required: Collection[str] = ()
) -> dict[str, Any]:
    """The body: an object with no other keys than those."""
    Query(call.request.query, (), native.bad_query)
    text = call.request.body
    if not text:
        _refuse('0000', 'The request is empty.')
    try:
        body = json.loads(text)
    except ValueError:
        _refuse('0008', 'The request is no JSON.')
    if b'<' in text or b'>' in text:
        _refuse('0221', 'The request has angle brackets.')
    if not isinstance(body, dict):
        _refuse('0008', 'The request is no object.')
    if not body:
        _refuse('0001', 'The object in the request is empty.')
    _check_keys(body, allowed, required)
    return dict(body)


def _check_keys(
    value: dict[str, Any],
    allowed: Collection[str],
    required: Collection[str] = (),
) -> None:
    for key in value:
        if key not in allowed:
            _refuse('0008', f'The key {key!r} is unknown.')
    for key in required:
        if key not in value:
            _refuse('0001', f'The key {key!r} is missing.')


# -- what a policy may be --------------------------------------------------


def _check_name(name: Any) -> None:
    if not isinstance(name, str):
        _refuse('0102', 'The name is no text.')
    if not 1 <= len(name) <= 64:
        _refuse('0101', 'The name is too short or too long.')
    if name.startswith('default') or not NAME.fullmatch(name):
        _refuse('0102', 'The name is not allowed.')


def _minutes_of(zone: Any) -> int:
    """How far a time zone is ahead of UTC."""
    found = ZONE.fullmatch(zone) if isinstance(zone, str) else None
    if found is None:
        refuse(_error('0226', f'The time zone {zone!r} is not allowed.'))
    minutes = int(found[2]) * 60 + int(found[3])
    return minutes if found[1] == '+' else -minutes


def _check_start_time(value: Any, zone: Any) -> None:
    """Full hours of UTC, in the order that they have in the local time.

    Without a time zone any local time may be meant.
    """
    texts = value.split(',') if isinstance(value, str) else []
    if not 1 <= len(texts) <= MAX_RUNS or not all(
        FULL_HOUR.fullmatch(text) for text in texts
    ):
        _refuse('0103', f'The start time {value!r} is not allowed.')
    times = [int(text[:2]) * 60 for text in texts]
    day = 24 * 60
    if zone is not None:
        offset = _minutes_of(zone)
        times = [(time + offset) % day for time in times]
    elif len(times) > 1:
        times = [(time - times[0]) % day for time in times]
    if times != sorted(set(times)):
        _refuse('0103', f'The start times {value!r} are out of order.')


def _is_int(value: Any, least: int, most: int) -> bool:
    is_int = isinstance(value, int) and not isinstance(value, bool)
    return is_int and least <= value <= most


def _check_schedule(
    schedule: dict[str, Any], zone: Any, *, most_days: int, most_kept: int
) -> None:
    """The values of those parts that are there."""
    if 'start_time' in schedule:
        _check_start_time(schedule['start_time'], zone)
    if 'frequency' in schedule and not _is_int(
        schedule['frequency'], 1, most_days
    ):
        _refuse('0106', 'The interval is not allowed.')
    if 'week_frequency' in schedule:
        days = schedule['week_frequency']
        if (
            not isinstance(days, list)
            or not days
            or any(day not in DAYS for day in days)
            or len(set(days)) < len(days)
        ):
            _refuse('0106', 'The days of the week are not allowed.')
    if 'rentention_num' in schedule and not _is_int(
        schedule['rentention_num'], 2, most_kept
    ):
        _refuse('0107', 'The number of backups is not allowed.')
    if 'rentention_day' in schedule:
        days = schedule['rentention_day']
        is_number = isinstance(days, int | float) and not isinstance(
            days, bool
        )
        if not is_number or not 2 <= days < 100_000:
            _refuse('0107', 'The number of days is not allowed.')
        schedule['rentention_day'] = math.floor(days)
    for key, words, number in (
        ('remain_first_backup_of_curMonth', ('Y', 'N'), '0105'),
        ('status', ('ON', 'OFF'), '0104'),
    ):
        if key in schedule and schedule[key] not in words:
            _refuse(number, f'{key} is not allowed.')


def _check_tags(tags: Any) -> None:
    if not isinstance(tags, list) or not all(is_tag(tag, TAG) for tag in tags):
        _refuse('0214', 'A tag is not allowed.')
    if len(tags) > MAX_TAGS:
        _refuse('0215', 'There are too many tags.')
    if len({tag['key'] for tag in tags}) < len(tags):
        _refuse('0214', 'A key of a tag is given twice.')


def _schedule_in(
    body: dict[str, Any], known: Iterable[str] = ()
) -> dict[str, Any]:
    schedule = body['scheduled_policy']
    if not isinstance(schedule, dict) or not schedule:
        refuse(_error('0001', 'scheduled_policy is empty, or no object.'))
    _check_keys(schedule, (*SCHEDULE_KEYS, *known))
    return schedule


def _drop_losers(schedule: dict[str, Any], given: dict[str, Any]) -> None:
    """Of two that exclude each other the one that was given stays."""
    for winner, loser in EXCLUSIVE:
        if winner in given:
            schedule.pop(loser, None)
        elif loser in given:
            schedule.pop(winner, None)


# -- V23, V26, V24 and V25, V27 --------------------------------------------


def create_policy(call: Call) -> Answer:
    may_create(call.cloud, 'backup:create_policy')
    body = _read(call, CREATE_KEYS)
    if 'scheduled_policy' not in body:
        return _error('0001', 'scheduled_policy is missing.')
    _check_name(body.get('backup_policy_name', ''))
    zone = body.get('time_zone')
    if 'time_zone' in body:
        _minutes_of(zone)
    schedule = _schedule_in(body)
    for keys, number in (
        (('start_time',), '0103'),
        (EXCLUSIVE[0], '0106'),
        (EXCLUSIVE[1], '0107'),
        (('status',), '0104'),
    ):
        if not schedule.keys() & set(keys):
            return _error(number, f'{" or ".join(keys)} is missing.')
    _check_schedule(schedule, zone, most_days=30, most_kept=99)
    tags = body.pop('tags', [])
    _check_tags(tags)
    policies = call.cloud.state.volume_policies
    held = len(policies.of_project(call.project))
    if exceeds(call.cloud.knobs.policy_quota, held + 1):
        return _error('0203', 'There are too many policies.')
    _drop_losers(schedule, schedule)
    schedule.setdefault('remain_first_backup_of_curMonth', 'N')
    policies.will_change(call.project)
    policy = policies.add_body(call.project, body)
    policy.tags = tags
    return json_answer({'backup_policy_id': policy.id})


def list_policies(call: Call) -> Answer:
    """V26: no parameters, no pages; tags never come."""
    Query(call.request.query, (), native.bad_query)
    knobs = call.cloud.knobs
    rows = call.cloud.state.volume_policies.listed(
        call.project, knobs.policy_list_lag
    )
    for row in rows:
        if not knobs.policy_time_zone:
            row.pop('time_zone', None)
    if knobs.policy_blank_keys:
        rows = _with_blanks(rows)
    return json_answer({'backup_policies': rows})


def _with_blanks(value: Any) -> Any:
    if isinstance(value, dict):
        return {f'{key} ': _with_blanks(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_blanks(inner) for inner in value]
    return value


def modify_policy(call: Call, policy_id: str) -> Answer:
    """V24, and V25, which is the same with nothing but a status.

    What the body leaves out stays.  Fields that the reference does not know
    are taken from whoever got them here.
    """
    may_change(call.cloud, 'backup:update_policy')
    policy = _find(call, policy_id)
    body = _read(call, {*MODIFY_KEYS, *policy.body})
    if 'backup_policy_name' in body:
        name = body['backup_policy_name']
        if policy.is_default and name != policy.name:
            return _error('0100', 'The default policy keeps its name.')
        if name != policy.name:
            _check_name(name)
    zone = body.get('time_zone')
    if 'time_zone' in body:
        _minutes_of(zone)
    given: dict[str, Any] = {}
    if 'scheduled_policy' in body:
        given = _schedule_in(body, policy.schedule)
        if given.keys() != {'status'} and not given.keys() & set(EXCLUSIVE[0]):
            return _error('0106', 'The interval is missing.')
        _check_schedule(given, zone, most_days=14, most_kept=14)
    call.cloud.state.volume_policies.will_change(call.project)
    schedule = policy.schedule | given
    _drop_losers(schedule, given)
    wanted = policy.body | body | {'scheduled_policy': schedule}
    if call.cloud.knobs.policy_put_replaces:
        wanted = {'backup_policy_name': policy.name} | body
        # Whoever only switches it sends no more than a status.
        is_whole = bool(given.keys() - {'status'})
        wanted['scheduled_policy'] = given if is_whole else schedule
    policy.body = _as_stored(call, wanted)
    return json_answer({'backup_policy_id': policy.id})


def _as_stored(call: Call, wanted: dict[str, Any]) -> dict[str, Any]:
    """What was asked for, or what the knobs make of it."""
    knobs, schedule = call.cloud.knobs, wanted['scheduled_policy']
    for key in knobs.policy_put_drops:
        wanted.pop(key, None)
        schedule.pop(key, None)
    for key, value in knobs.policy_put_resets.items():
        is_inside = key in schedule or key in SCHEDULE_KEYS
        place = schedule if is_inside else wanted
        place[key] = deepcopy(value)
    return wanted


def delete_policy(call: Call, policy_id: str) -> Answer:
    """V27: the backups stay."""
    Query(call.request.query, (), native.bad_query)
    policy = _find(call, policy_id)
    if policy.is_default:
        return _error('0100', 'The default policy cannot be deleted.')
    policies = call.cloud.state.volume_policies
    policies.will_change(call.project)
    policies.remove(policy)
    return Answer(204)


# -- V28, V29 --------------------------------------------------------------


def _forbids_association(volume: Volume) -> bool:
    return volume.status == 'awaiting-transfer' or volume.status.startswith(
        'error'
    )


def associate(call: Call) -> Answer:
    """V28: a disk of another policy leaves that one silently."""
    may_change(call.cloud, 'backup:associate_policy')
    body = _read(call, ('backup_policy_id', 'resources'))
    policy = _find(call, body.get('backup_policy_id'))
    members = _members(body, ('resource_id', 'resource_type'))
    for member in members:
        if member['resource_type'] != 'volume':
            return _error('0211', 'The type of the resource is not allowed.')
    policies = call.cloud.state.volume_policies

    def take(volume: Volume | None) -> tuple[str, str] | None:
        if volume is None:
            return '0208', 'The details could not be read.'
        if _forbids_association(volume):
            return '0206', f'The disk is {volume.status}.'
        policies.associate(policy, volume.id)
        return None

    return _carry_out(call, members, take)


def disassociate(call: Call, policy_id: str) -> Answer:
    """V29."""
    may_change(call.cloud, 'backup:disassociate_policy')
    policy = _find(call, policy_id)
    members = _members(_read(call, ('resources',)), ('resource_id',))

    def leave(volume: Volume | None) -> tuple[str, str] | None:
        if volume is None or volume.id not in policy.volume_ids:
            return '1400', 'The disk does not belong to the policy.'
        policy.volume_ids.remove(volume.id)
        return None

    return _carry_out(call, members, leave)


def _members(
    body: dict[str, Any], keys: tuple[str, ...]
) -> list[dict[str, str]]:
    members = body.get('resources')
    if not isinstance(members, list) or not members:
        refuse(_error('0207', 'There are no resources.'))
    for member in members:
        if not isinstance(member, dict) or set(member) != set(keys):
            _refuse('1400', f'{member!r} is no resource.')
        id = member['resource_id']
        if id in (None, ''):
            _refuse('0209', 'The id of a resource is empty.')
        if not isinstance(id, str) or not is_uuid(id):
            _refuse('1400', f'The id {id!r} is malformed.')
    ids = [member['resource_id'].lower() for member in members]
    if len(set(ids)) < len(ids):
        _refuse('1400', 'A resource is given twice.')
    return members


def _carry_out(
    call: Call,
    members: list[dict[str, str]],
    change: Callable[[Volume | None], tuple[str, str] | None],
) -> Answer:
    """One disk after another; 200 even if all fail.

    :param change: does it for a disk, or gives the reason why not.
    """
    knobs = call.cloud.knobs
    call.cloud.state.volume_policies.will_change(call.project)
    succeeded: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    good = len(members) - knobs.policy_members_failed
    for number, member in enumerate(members):
        volume = call.cloud.state.volumes.get(member['resource_id'])
        if volume is not None and volume.project_id != call.project:
            volume = None
        shown = member | {
            'availability_zone': volume.availability_zone if volume else '',
            'os_vol_host_attr': 'pod01.fc.internal#SATA',
        }
        if number < good:
            refusal = change(volume)
            told = 'failed'
        else:
            refusal = '0009', 'Something went wrong.'
            told = knobs.policy_failures_told
        if refusal is None or told == 'success':
            succeeded.append(shown)
            continue
        code, message = refusal
        shown |= {'code': f'AutoBackup.{code}', 'message': message}
        if told == 'failed':
            failed.append(shown)
        elif told == 'coded-success':
            succeeded.append(shown)
    return json_answer(
        {'success_resources': succeeded, 'fail_resources': failed}
    )


# -- V30, V31 --------------------------------------------------------------


def execute_policy(call: Call, policy_id: str) -> Answer:
    """V30: a task for each disk, whether the policy is on or off."""
    Query(call.request.query, (), native.bad_query)
    may_create(call.cloud, 'backup:execute_policy')
    policy = _find(call, policy_id)
    if call.request.body:
        return _error('0008', 'This request has no body.')
    if policy.is_running:
        return _error('0225', 'The policy is running right now.')
    state = call.cloud.state
    volumes = state.volume_policies.volumes_of(policy)
    if not volumes:
        return _error('1700', 'The policy has no disks.')
    for volume in volumes:
        task = state.volume_policies.add_task(policy, volume.id)
        state.agenda.add(
            call.cloud.knobs.creation_time * QUEUED,
            partial(_begin, call, volume, task),
        )
    return Answer(204)


def _begin(call: Call, volume: Volume, task: PolicyTask) -> None:
    """The turn of a task has come."""
    cloud: Cloud = call.cloud
    state, policies = cloud.state, cloud.state.volume_policies
    outcome = volume.policy_task or cloud.knobs.policy_tasks
    ends = {'fails': FAIL, 'skips': SKIP}
    if outcome in ends:
        policies.finish_task(task, ends[outcome])
        return
    try:
        vbs_creation.check_disk(call, volume)
    except RefusalError:
        policies.finish_task(task, FAIL)
        return
    base = state.base_of(volume.id)
    backup = state.add_backup(
        task.backup_name,
        volume,
        status='creating',
        incremental=base is not None,
        parent=base,
        project_id=call.project,
    )
    job = state.add_job(jobs.CREATE, backup)
    task.status, task.vbs_job_id = RUNNING, job.id
    if outcome == 'times-out':
        # The backup is made all the same.
        state.agenda.add(
            cloud.knobs.creation_time / 2,
            partial(policies.finish_task, task, TIMEOUT),
        )

    def finish() -> None:
        jobs.settle(state, job)
        is_good = backup.status == 'available'
        policies.finish_task(task, SUCCESS if is_good else FAIL)

    cloud.creations.begin_backup(volume, backup, finish)


def list_tasks(call: Call, policy_id: str) -> Answer:
    """V31."""
    query = Query(call.request.query, TASK_QUERY, native.bad_query)
    tasks = _find(call, policy_id).tasks
    status = query.choice('status', ('', *STATUSES), '')
    job_id = query.text('job_id')
    marker = query.text('marker')
    behind = next((task for task in tasks if task.id == marker), None)
    if marker is not None and behind is None:
        return native.bad_query(f'The marker {marker!r} is not found.')
    query.choice('sort_key', ('created_at',), 'created_at')
    wanted = query.integer('limit', 1)

    def matches(task: PolicyTask) -> bool:
        return status in ('', task.status) and job_id in (None, task.id)

    rows, _ = page(
        tasks,
        limit=min(
            TASKS_PER_PAGE if wanted is None else wanted,
            call.cloud.knobs.max_page,
        ),
        offset=query.integer('offset') or 0,
        marker=behind,
        matches=matches,
        descending=query.choice('sort_dir', ('asc', 'desc'), 'desc') == 'desc',
    )
    return json_answer(
        {
            'tasks': [_view(task) for task in rows],
            'count': sum(map(matches, tasks)),
        }
    )


def _view(task: PolicyTask) -> dict[str, Any]:
    shown: dict[str, Any] = {
        'job_id': task.id,
        'vbs_job_id': task.vbs_job_id or '',
        'status': task.status,
        'backup_name': task.backup_name,
        'resource_id': task.volume_id,
        'resource_type': 'volume',
        'created_at': task.created_at,
    }
    if task.finished_at is not None:
        shown['finished_at'] = task.finished_at
    return shown
