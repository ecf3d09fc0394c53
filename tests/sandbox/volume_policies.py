# SPDX-License-Identifier: Apache-2.0
"""Backup policies of VBS: what they are, and which disk belongs to which.

Ids come from a generator of their own, so that those of everything else are
the same whether there are policies or not.
"""

import random
import uuid
from collections import defaultdict
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from tests.sandbox.model import Volume
from tests.sandbox.paging import Shelf

DEFAULT_NAME = 'DefaultPolicy'
DEFAULT_SCHEDULE = {
    'start_time': '12:00',
    'frequency': 1,
    'rentention_num': 7,
    'remain_first_backup_of_curMonth': 'N',
    'status': 'OFF',
}
WAITING = 'WAITING'
RUNNING = 'RUNNING'
SUCCESS = 'EXECUTE_SUCCESS'
FAIL = 'EXECUTE_FAIL'
TIMEOUT = 'EXECUTE_TIMEOUT'
SKIP = 'SKIP'
STATUSES = (WAITING, RUNNING, SUCCESS, FAIL, TIMEOUT, SKIP)


@dataclass
class PolicyTask:
    """What a policy did, or does, for one disk at one time."""

    id: str
    serial: int
    volume_id: str
    backup_name: str
    created_at: str
    status: str = WAITING
    vbs_job_id: str | None = None
    finished_at: str | None = None

    @property
    def is_running(self) -> bool:
        return self.status in (WAITING, RUNNING)


@dataclass
class VolumePolicy:
    """`body` is what V26 shows, less the id and the number of disks.

    A test may put fields into it that the reference does not know.
    """

    id: str
    project_id: str
    body: dict[str, Any]
    is_default: bool = False
    tags: list[dict[str, str]] = field(default_factory=list)
    volume_ids: list[str] = field(default_factory=list)
    tasks: Shelf[PolicyTask] = field(default_factory=Shelf)

    @property
    def name(self) -> str:
        return str(self.body['backup_policy_name'])

    @property
    def schedule(self) -> dict[str, Any]:
        found: dict[str, Any] = self.body['scheduled_policy']
        return found

    @property
    def is_running(self) -> bool:
        return any(task.is_running for task in self.tasks)


class VolumePolicies:
    """The policies of all projects; hold the state's lock."""

    def __init__(
        self,
        volumes: dict[str, Volume],
        clock: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        self._volumes = volumes
        self._clock = clock
        self._now = now
        self._random = random.Random('policies of VBS')
        self._serials = count(1)
        self._of_project: defaultdict[str, dict[str, VolumePolicy]]
        self._of_project = defaultdict(dict)
        # project id -> when its list changed, and what it was before
        self._past: defaultdict[str, list[tuple[float, list[Any]]]]
        self._past = defaultdict(list)

    # -- ids and times -----------------------------------------------------

    def _new_uuid(self) -> str:
        number = self._random.getrandbits(128)
        return str(uuid.UUID(int=number, version=4))

    def stamp(self, when: datetime | None = None) -> str:
        """As tasks have their times: three decimals, no zone."""
        when = (when or self._now()).replace(tzinfo=None)
        return when.isoformat(timespec='milliseconds')

    def new_backup_name(self) -> str:
        return f'autobk_{self._random.getrandbits(16):04x}'

    # -- policies ----------------------------------------------------------

    def of_project(self, project_id: str) -> dict[str, VolumePolicy]:
        """All, by their ids: each project has a default policy."""
        found = self._of_project[project_id]
        if not any(policy.is_default for policy in found.values()):
            body = {
                'backup_policy_name': DEFAULT_NAME,
                'scheduled_policy': dict(DEFAULT_SCHEDULE),
            }
            policy = VolumePolicy(self._new_uuid(), project_id, body, True)
            found[policy.id] = policy
        return found

    def default(self, project_id: str) -> VolumePolicy:
        policies = self.of_project(project_id).values()
        return next(policy for policy in policies if policy.is_default)

    def add(
        self,
        project_id: str,
        name: str,
        *volumes: Volume,
        time_zone: str | None = None,
        extra: dict[str, Any] | None = None,
        **schedule: Any,
    ) -> VolumePolicy:
        """A policy with some disks.

        :param extra: fields of its body that the reference does not know.
        :param schedule: what differs from the default policy's.
        """
        body: dict[str, Any] = {
            'backup_policy_name': name,
            'scheduled_policy': {**DEFAULT_SCHEDULE, 'status': 'ON'}
            | schedule,
            **(extra or {}),
        }
        if time_zone is not None:
            body['time_zone'] = time_zone
        return self.add_body(project_id, body, volumes)

    def add_body(
        self,
        project_id: str,
        body: dict[str, Any],
        volumes: tuple[Volume, ...] = (),
    ) -> VolumePolicy:
        policies = self.of_project(project_id)
        policy = VolumePolicy(self._new_uuid(), project_id, body)
        policies[policy.id] = policy
        for volume in volumes:
            self.associate(policy, volume.id)
        return policy

    def remove(self, policy: VolumePolicy) -> None:
        del self._of_project[policy.project_id][policy.id]

    def volumes_of(self, policy: VolumePolicy) -> list[Volume]:
        """Its disks, as far as they exist."""
        return [
            self._volumes[id]
            for id in policy.volume_ids
            if id in self._volumes
        ]

    def policy_of(self, volume: Volume) -> VolumePolicy | None:
        """The one that a disk belongs to."""
        for policy in self.of_project(volume.project_id).values():
            if volume.id in policy.volume_ids:
                return policy
        return None

    def associate(self, policy: VolumePolicy, volume_id: str) -> None:
        """A disk belongs to one policy: it leaves the one before."""
        for other in self._of_project[policy.project_id].values():
            if other is not policy and volume_id in other.volume_ids:
                other.volume_ids.remove(volume_id)
        if volume_id not in policy.volume_ids:
            policy.volume_ids.append(volume_id)

    # -- the list ----------------------------------------------------------

    def will_change(self, project_id: str) -> None:
        """Remember what the list shows now, for a list that lags."""
        self._past[project_id].append((self._clock(), self._rows(project_id)))

    def listed(self, project_id: str, lag: float = 0.0) -> list[Any]:
        """What the list shows, as it was so many seconds ago."""
        if lag:
            since = self._clock() - lag
            for at, rows in self._past[project_id]:
                if at > since:
                    return deepcopy(rows)
        return self._rows(project_id)

    def _rows(self, project_id: str) -> list[Any]:
        return [
            {
                'backup_policy_id': policy.id,
                **deepcopy(policy.body),
                'policy_resource_count': len(self.volumes_of(policy)),
            }
            for policy in self.of_project(project_id).values()
        ]

    # -- tasks -------------------------------------------------------------

    def add_task(
        self,
        policy: VolumePolicy,
        volume_id: str,
        status: str = WAITING,
        *,
        backup_name: str | None = None,
        created_at: datetime | None = None,
        vbs_job_id: str | None = None,
    ) -> PolicyTask:
        task = PolicyTask(
            self._new_uuid().replace('-', ''),
            next(self._serials),
            volume_id,
            backup_name or self.new_backup_name(),
            self.stamp(created_at),
            status,
            vbs_job_id,
        )
        if not task.is_running:
            task.finished_at = task.created_at
        policy.tasks.add(task)
        return task

    def finish_task(self, task: PolicyTask, status: str) -> None:
        """Let it end, unless it has."""
        if task.is_running:
            task.status = status
            task.finished_at = self.stamp()
