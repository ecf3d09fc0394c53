# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs backup policy ...``: what policies there are and do."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from vbsclient.api import errors
from vbsclient.api.times import EARLIEST, parse_timestamp
from vbsclient.api.values import text_or_none
from vbsclient.api.vbs import Policy, Task
from vbsclient.api.vbs.policies import TASK_STATUSES
from vbsclient.lookup.labels import Labels
from vbsclient.lookup.policies import find_policy
from vbsclient.osc.command import times
from vbsclient.osc.command.clients import labels_of, resources_of
from vbsclient.osc.command.filters import only_one, warn_of_future
from vbsclient.osc.command.list import Found, ListCommand
from vbsclient.osc.command.marker import rows_after
from vbsclient.osc.command.policy_read import (
    ExportPolicyCommand,
    ListPolicyCommand,
    ShowPolicyCommand,
)
from vbsclient.osc.output import policies as output
from vbsclient.osc.output.columns import Column, MultiLine, Time, Word
from vbsclient.osc.output.policies import ShownPolicy
from vbsclient.osc.output.text import sentence


class _SeenVolumes(MultiLine):
    """The volumes in the tasks of a policy."""

    def line(self, value: Any) -> str:
        last_run = Time(value['last_run']).human_readable()
        facts = f'{value["last_status"]} {last_run}'.strip()
        id, name = value['id'], value['name']
        return f'{name} ({id}, {facts})' if name else f'{id} ({facts})'


_COLUMNS = (
    *output.columns('Volumes'),
    Column(
        'Time Zone',
        lambda row: text_or_none(row.policy.body.get('time_zone')),
        long=True,
    ),
)


class ListVbsBackupPolicy(ListPolicyCommand):
    """List backup policies (VBS)

    A policy backs up its volumes by a schedule. The times of the schedule
    are in the time zone that is shown with it; "Next Run" is in UTC, and
    empty if the policy is disabled.

    Example: openstack vbs backup policy list
    """

    columns = _COLUMNS
    order = 'as the service lists them'

    def find(self, parsed_args: argparse.Namespace, fields: set[str]) -> Found:
        now = datetime.now(timezone.utc)
        policies = self.vbs.policies.list()
        return Found(output.of_volumes(policy, now) for policy in policies)


class ShowVbsBackupPolicy(ShowPolicyCommand):
    """Show one backup policy (VBS)

    What it keeps, and when it runs next, in UTC and local time. VBS tells
    how many volumes a policy has, and not which: seen_volumes are those in
    its tasks of the last 30 days; a volume may have left the policy since.

    Example: openstack vbs backup policy show --runs 10 nightly-db
    """

    columns = (
        *output.without_next_run(_COLUMNS),
        Column('Seen Volumes', 'seen_volumes', _SeenVolumes),
        *output.SHOWN_AT_END,
    )

    def find(
        self, parsed_args: argparse.Namespace, fields: set[str]
    ) -> ShownPolicy:
        policy = find_policy(self.vbs.policies, parsed_args.policy)
        now = datetime.now(timezone.utc)
        row = output.of_volumes(policy, now, parsed_args.runs)
        if 'seen_volumes' not in fields:
            return row
        return replace(row, seen_volumes=self._seen_volumes(policy))

    def _seen_volumes(self, policy: Policy) -> list[dict[str, Any]] | None:
        try:
            tasks = list(self.vbs.policies.tasks(policy.id, sort_dir='desc'))
        except errors.Unauthorized:
            raise
        except (
            errors.ServiceError,
            errors.MalformedResponse,
            errors.AmbiguousListing,
        ) as error:
            self.log.warning(
                'The tasks of the policy cannot be read: %s', sentence(error)
            )
            return None
        return _seen_in(tasks, labels_of(self.app.client_manager))


class ExportVbsBackupPolicy(ExportPolicyCommand):
    """Print how to create a backup policy (VBS) in another service

    With --cbr: the command of the plugin otcextensions that creates the same
    policy in Cloud Backup and Recovery (CBR). Nothing is created. A policy
    that would not be the same there is refused, with all reasons.

    Example: openstack vbs backup policy export --cbr nightly-db
    """

    def find(self, name_or_id: str, now: datetime) -> ShownPolicy:
        return output.of_volumes(
            find_policy(self.vbs.policies, name_or_id), now
        )


def _seen_in(tasks: Iterable[Task], labels: Labels) -> list[dict[str, Any]]:
    """The volumes of some tasks, each with its newest one."""
    newest: dict[str, Task] = {}
    for task in tasks:
        if task.volume_id:
            before = newest.setdefault(task.volume_id, task)
            newest[task.volume_id] = max(before, task, key=_created)
    return [
        {
            'id': id,
            'name': labels.volume_name(id),
            'last_status': task.status,
            'last_run': Time.raw(task.created_at),
        }
        for id, task in newest.items()
    ]


def _created(task: Task) -> datetime:
    return parse_timestamp(task.created_at) or EARLIEST


@dataclass(frozen=True)
class _TaskRow:
    """A task, and whoever knows what its volume is called."""

    task: Task
    labels: Labels

    @property
    def id(self) -> str:
        """Of the task."""
        return self.task.job_id

    @property
    def volume_name(self) -> str | None:
        """The name of its volume, as far as it can be read."""
        return self.labels.volume_name(self.task.volume_id)

    @property
    def volume_label(self) -> str | None:
        """Its volume as people call it, or else the ID."""
        volume_id = self.task.volume_id
        return self.labels.of_volume(volume_id) or volume_id


class ListVbsBackupPolicyTask(ListCommand):
    """List what a backup policy did (VBS), newest first

    A task is the backup of one volume in one run of the policy. VBS keeps
    tasks for 30 days. SKIP is no failure: the run was left out for this
    volume. After EXECUTE_TIMEOUT the backup may exist all the same. "Job" is
    what "openstack vbs job show" takes: it has the reason of a failure.

    Example: openstack vbs backup policy task list --since 2d nightly-db
    """

    columns = (
        Column('ID', 'id', below='Backup Name'),
        Column('Status', 'task.status', Word),
        Column(
            'Volume',
            'task.volume_id',
            label=lambda row: row.volume_label,
        ),
        Column('Backup Name', 'task.backup_name'),
        Column('Created At', 'task.created_at', Time),
        Column('Finished At', 'task.finished_at', Time, below='Created At'),
        Column('Job', 'task.vbs_job_id', optional=1),
        Column(
            'Volume Name', 'volume_name', machine_only=True, sortable=False
        ),
    )
    noun = 'task'
    named_by = 'ID'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            'policy',
            metavar='<policy>',
            help='Policy whose tasks to list (name or ID)',
        )
        parser.add_argument(
            '--status',
            metavar='<status>',
            type=str.upper,
            choices=TASK_STATUSES,
            action='append',
            help=(
                f'Only tasks with this status: {", ".join(TASK_STATUSES)}; '
                f'repeat for several'
            ),
        )
        parser.add_argument(
            '--volume',
            metavar='<volume>',
            action='append',
            help='Only tasks of this volume (name or ID); repeat for several',
        )
        parser.add_argument(
            '--since',
            metavar='<time>',
            type=times.valid_time,
            help=(
                'Only tasks created at or after this date (2026-11-21, UTC '
                'unless it has a time zone) or this long ago (12h, 7d)'
            ),
        )

    def find(self, parsed_args: argparse.Namespace, fields: set[str]) -> Found:
        now = datetime.now(timezone.utc)
        since = EARLIEST
        if parsed_args.since is not None:
            since = times.parse_time(parsed_args.since, now=now)
            warn_of_future('--since', since, 'nothing', now)
        manager = self.app.client_manager
        resources = resources_of(manager)
        volume_ids = set(map(resources.volume_id, parsed_args.volume or ()))
        statuses = frozenset(parsed_args.status or ())
        policies = self.vbs.policies
        policy = find_policy(policies, parsed_args.policy)
        marker = None if parsed_args.sort else parsed_args.marker
        tasks = policies.tasks(
            policy.id,
            status=only_one(statuses),
            marker=marker,
            sort_dir='desc',
            page_size=parsed_args.limit,
        )
        labels = labels_of(manager)
        rows = (
            _TaskRow(task, labels)
            for task in rows_after(marker, tasks)
            if (not statuses or task.status.upper() in statuses)
            and (not volume_ids or task.volume_id in volume_ids)
            and _created(task) >= since
        )
        return Found(rows, by_service=not parsed_args.sort)
