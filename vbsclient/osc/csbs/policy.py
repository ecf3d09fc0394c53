# SPDX-License-Identifier: Apache-2.0
"""``openstack csbs policy ...``: what policies there are."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from itertools import islice
from typing import Any

from vbsclient.api import errors
from vbsclient.api.csbs import Policies, Policy, ServerBackup
from vbsclient.api.paths import is_uuid
from vbsclient.api.times import parse_timestamp
from vbsclient.lookup.policies import find_policy
from vbsclient.lookup.refusals import RefusedError
from vbsclient.osc.command.filters import Conditions
from vbsclient.osc.command.list import Found
from vbsclient.osc.command.policy_read import (
    ExportPolicyCommand,
    ListPolicyCommand,
    ShowPolicyCommand,
)
from vbsclient.osc.csbs import selection
from vbsclient.osc.output import policies as output
from vbsclient.osc.output.columns import Column, MultiLine, Tags, Time
from vbsclient.osc.output.policies import ShownPolicy
from vbsclient.schedule import zones
from vbsclient.schedule.observed import fitting_offsets
from vbsclient.schedule.values import Schedule
from vbsclient.wording import counted

LOG = logging.getLogger(__name__)

#: So many of the newest backups are looked at, for so many runs: a policy
#: has at most 64 servers.
_BACKUPS = 200
_RUNS = 3

#: One run alone may have been late.
_PROOF = 2

#: Schedules change: older runs tell nothing.
_RECENT = timedelta(days=60)

_UTC = timedelta(0)

_ASSUMED = 'CSBS does not tell the time zone of the schedule: it may be UTC.'


class _Servers(MultiLine):
    """The servers of a policy."""

    def line(self, value: Any) -> str:
        id, name = value['id'], value['name']
        return f'{name} ({id})' if name else str(id)


def _tags(row: ShownPolicy) -> list[dict[str, Any]] | None:
    tags = row.policy.body.get('tags')
    if not isinstance(tags, list):
        return None
    return [tag for tag in tags if isinstance(tag, dict)]


_COLUMNS = (
    *output.columns('Servers'),
    Column(
        'Protected Servers',
        lambda row: [server._asdict() for server in row.policy.servers],
        _Servers,
        long=True,
        sortable=False,
    ),
    Column('Description', 'policy.description', long=True),
    Column('Status', 'policy.status', long=True),
    Column('Tags', _tags, Tags, long=True, sortable=False),
    Column('Created At', 'policy.created_at', Time, long=True),
)


class ListCsbsPolicy(ListPolicyCommand):
    """List backup policies (CSBS), newest first

    A policy backs up its servers by a schedule. "Next Run" is in UTC, as far
    as the time zone of the schedule is known, and empty if the policy is
    disabled. "Status" is a word of the service that says nothing about
    that.

    Example: openstack csbs policy list
    """

    columns = _COLUMNS

    def find(self, parsed_args: argparse.Namespace, fields: set[str]) -> Found:
        now = datetime.now(timezone.utc)
        policies = self.csbs.policies.list()
        return Found(
            (output.of_servers(policy, now) for policy in policies),
            by_service=not parsed_args.sort,
        )


class ShowCsbsPolicy(ShowPolicyCommand):
    """Show one backup policy (CSBS)

    Its servers, what it keeps, and when it runs next, in UTC and local time.
    CSBS does not tell the time zone of a schedule: remarks say whether the
    backups that the policy has created fit UTC.

    Example: openstack csbs policy show --runs 10 weekly-all
    """

    columns = (*output.without_next_run(_COLUMNS), *output.SHOWN_AT_END)

    def find(
        self, parsed_args: argparse.Namespace, fields: set[str]
    ) -> ShownPolicy:
        policy = _whole(self.csbs.policies, parsed_args.policy)
        now = datetime.now(timezone.utc)
        row = output.of_servers(policy, now, parsed_args.runs)
        if 'remarks' not in fields:
            return row
        notes = list(self._notes(policy, row.schedule, now))
        return replace(row, notes=tuple(notes))

    def _notes(
        self, policy: Policy, schedule: Schedule | None, now: datetime
    ) -> Iterator[str]:
        if not policy.servers_are_known:
            yield 'Not all servers of the policy can be read.'
        if schedule is not None and schedule.zone is None:
            yield _zone_by_backups(schedule, self._runs_of(policy, now))

    def _runs_of(self, policy: Policy, now: datetime) -> list[datetime]:
        """When the last scheduled backups were created, a time for each run.

        None where they cannot be read, or may be those of other policies.
        """
        chosen = selection.Selection(
            Conditions(), policy_ids=frozenset({policy.id})
        )
        try:
            backups = list(
                islice(
                    chosen.verified(
                        self.csbs,
                        chosen.backups(self.csbs, page_size=_BACKUPS).rows,
                    ),
                    _BACKUPS,
                )
            )
        except errors.Unauthorized:
            raise
        except (
            RefusedError,
            errors.ServiceError,
            errors.MalformedResponse,
            errors.AmbiguousListing,
        ) as error:
            LOG.info('The time zone is not checked: %.500r.', error.message)
            return []
        return _times_of_runs(backups, now)


class ExportCsbsPolicy(ExportPolicyCommand):
    """Print how to create a backup policy (CSBS) in another service

    With --cbr: the command of the plugin otcextensions that creates the same
    policy in Cloud Backup and Recovery (CBR). Nothing is created. A policy
    that would not be the same there is refused, with all reasons.

    Example: openstack csbs policy export --cbr weekly-all
    """

    def find(self, name_or_id: str, now: datetime) -> ShownPolicy:
        return output.of_servers(_whole(self.csbs.policies, name_or_id), now)


def _whole(policies: Policies, name_or_id: str) -> Policy:
    """A policy with all that the service shows of it."""
    policy = find_policy(policies, name_or_id)
    # A list need not have all of it.
    return policy if is_uuid(name_or_id) else policies.get(policy.id)


def _times_of_runs(
    backups: Iterable[ServerBackup], now: datetime
) -> list[datetime]:
    """When each of the last runs by schedule created its first backup."""
    runs: dict[str, datetime] = {}
    for backup in backups:
        created = parse_timestamp(backup.created_at)
        if (
            created is not None
            and backup.automatic
            and now - _RECENT < created <= now
        ):
            first = runs.setdefault(backup.checkpoint_id, created)
            runs[backup.checkpoint_id] = min(first, created)
    return sorted(runs.values(), reverse=True)[:_RUNS]


def _zone_by_backups(schedule: Schedule, runs: Sequence[datetime]) -> str:
    """What the last runs say of the time zone of a schedule."""
    found = fitting_offsets(schedule, runs)
    if not found or len(runs) < _PROOF:
        return _ASSUMED
    shown = (
        f'Its last {len(runs)} scheduled runs show that the times of the '
        f'schedule are'
    )
    if found == [_UTC]:
        return f'{shown} in UTC, unless the schedule was changed since.'
    if _UTC in found:
        return _ASSUMED
    if len(found) > 1:
        return (
            f'{shown} not in UTC: unless the schedule was changed since, '
            f'the policy runs at other times than shown here.'
        )
    [offset] = found
    hours = abs(offset) // timedelta(hours=1)
    return (
        f'{shown} in {zones.offset_text(offset)}, not in UTC: unless the '
        f'schedule was changed since, the policy runs '
        f'{counted(hours, "hour")} {"earlier" if offset > _UTC else "later"} '
        f'than shown here.'
    )
