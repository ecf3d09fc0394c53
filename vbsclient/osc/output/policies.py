# SPDX-License-Identifier: Apache-2.0
"""Schedule, retention and next runs of policies, for tables and machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone, tzinfo
from typing import Any

from vbsclient.osc.output.columns import Column, MultiLine
from vbsclient.policies.settings import Described
from vbsclient.schedule.runs import next_runs
from vbsclient.schedule.values import Retention, Schedule, remarks
from vbsclient.schedule.zones import offset_at, offset_text

#: How many runs are shown.
_RUNS = 3


@dataclass(frozen=True)
class PolicyView:
    """What is shown of the settings of a policy.

    :ivar zone: in which its runs are shown, too; by default its own.
    :ivar more: sentences that are said besides.
    """

    policy: Described
    now: datetime
    zone: tzinfo | None = None
    more: Sequence[str] = ()

    @property
    def schedule(self) -> Schedule | None:
        return self.policy.settings.schedule

    @property
    def retention(self) -> Retention:
        return self.policy.settings.retention

    @property
    def runs(self) -> Sequence[datetime]:
        """The next runs, in UTC."""
        if self.schedule is None:
            return ()
        return next_runs(self.schedule, self.now, _RUNS)

    @property
    def runs_text(self) -> Sequence[str]:
        """The same in local time, too."""
        schedule = self.schedule
        zone = self.zone or (schedule.zone if schedule else None)
        local = timezone(offset_at(zone, self.now))
        about = 'about ' if schedule and schedule.is_approximate else ''
        return [f'{about}{_in_both(run, local)}' for run in self.runs]

    @property
    def remarks(self) -> Sequence[str]:
        """What is not plain from the rest, in sentences."""
        if self.schedule is None:
            return self.more
        zone = self.zone or self.schedule.zone
        return [
            *remarks(replace(self.schedule, zone=zone), self.now),
            *self.more,
        ]


def _in_both(run: datetime, local: timezone) -> str:
    said = f'{run:%Y-%m-%d %H:%M} UTC'
    offset = offset_at(local, run)
    if not offset:
        return said
    there = run.astimezone(local)
    day = '' if there.date() == run.date() else f'{there:%Y-%m-%d} '
    return f'{said} ({day}{there:%H:%M} {offset_text(offset)})'


def _schedule(view: PolicyView) -> Any:
    return view.schedule and view.schedule.as_dict()


NAME = Column('Name', 'policy.name')
DESCRIPTION = Column('Description', 'policy.description')
SETTINGS = (
    Column('Enabled', 'policy.settings.enabled'),
    Column('Schedule', _schedule, label=lambda view: view.schedule),
    Column(
        'Retention',
        lambda view: view.retention.as_dict(),
        label=lambda view: view.retention,
    ),
)
RUNS = (
    Column(
        'Next Runs',
        lambda view: [run.isoformat() for run in view.runs],
        MultiLine,
        label=lambda view: view.runs_text,
    ),
    Column('Remarks', lambda view: list(view.remarks), MultiLine),
)


def columns_of(members: str, *more: Column) -> tuple[Column, ...]:
    """The fields of a policy.

    :param members: how what it backs up is called.
    :param more: those that the other service has not.
    """
    return (
        Column('ID', 'policy.id'),
        NAME,
        *more,
        *SETTINGS,
        Column(members, 'policy.members'),
        *RUNS,
    )
