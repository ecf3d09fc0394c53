# SPDX-License-Identifier: Apache-2.0
"""Policies as they are shown: sentences in tables, objects for machines.

What a service does not tell, or not in a form that can be read, is None.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone, tzinfo
from typing import Any, NamedTuple

from vbsclient.api import csbs, vbs
from vbsclient.osc.output.columns import Column, MultiLine, Word
from vbsclient.osc.output.text import Text, visible
from vbsclient.policies.settings import Described
from vbsclient.schedule import csbs as csbs_schedule
from vbsclient.schedule import vbs as vbs_schedule
from vbsclient.schedule.runs import next_runs
from vbsclient.schedule.values import (
    DAY_NAMES,
    Retention,
    Schedule,
    Settings,
    remarks,
)
from vbsclient.schedule.zones import offset_at, offset_text

#: How many of the next runs are shown by default.
NEXT_RUNS = 3


class Run(NamedTuple):
    """A run of a policy that is to come.

    :ivar at: in UTC.
    :ivar is_approximate: whether it is only about right.
    :ivar zone: in which it is shown, too.
    """

    at: datetime
    is_approximate: bool
    zone: tzinfo | None = None


@dataclass(frozen=True)
class ShownPolicy:
    """A policy of either service.

    :ivar is_enabled: whether it runs by its schedule.
    :ivar members: how many volumes or servers it has.
    :ivar retention: what it keeps.
    :ivar now: after which the next runs are told.
    :ivar count: how many of them.
    :ivar seen_volumes: the volumes that its tasks name (VBS).
    :ivar notes: what else is known of its runs, in sentences.
    :ivar zone: in which its runs are shown, too; by default that of the
        schedule, or else of this machine.
    """

    policy: Any
    is_enabled: bool | None
    members: int | None
    schedule: Schedule | None
    retention: Retention | None
    now: datetime
    count: int = 1
    seen_volumes: list[dict[str, Any]] | None = None
    notes: tuple[str, ...] = ()
    zone: tzinfo | None = None

    @property
    def id(self) -> str | None:
        """Of the policy; None before it is created."""
        return self.policy.id and str(self.policy.id)

    @property
    def next_runs(self) -> list[Run] | None:
        """Its next runs; none if it is disabled."""
        if self.is_enabled is None or self.schedule is None:
            return None
        if not self.is_enabled:
            return []
        runs = next_runs(self.schedule, self.now, self.count)
        is_approximate = self.schedule.is_approximate
        zone = self._zone
        # The services know offsets, and no zones.
        offset = zone and timezone(offset_at(zone, self.now))
        return [Run(at, is_approximate, offset) for at in runs] or None

    @property
    def _zone(self) -> tzinfo | None:
        return self.zone or (self.schedule.zone if self.schedule else None)

    @property
    def next_run(self) -> Run | None:
        """The first of them."""
        return next(iter(self.next_runs or ()), None)

    @property
    def remarks(self) -> list[str]:
        """What is not plain from the values, in sentences."""
        return [*self._remarks(), *self.notes]

    def _remarks(self) -> Iterator[str]:
        if self.is_enabled is None:
            yield 'The service does not tell whether the policy is enabled.'
        if self.retention is None:
            yield f'What the policy keeps cannot be read. {_SEE_RAW}'
        if self.schedule is None:
            yield f'The schedule cannot be read. {_SEE_RAW}'
            return
        yield from remarks(replace(self.schedule, zone=self._zone), self.now)
        if self.is_enabled and self.next_runs is None:
            yield 'The next runs by this schedule are not known.'
        elif self.schedule.is_approximate:
            yield (
                'The next runs are only about right: the service does not '
                'tell from where it counts.'
            )


_SEE_RAW = 'Use "-c raw" to see the answer of the service.'


def of_volumes(
    policy: vbs.Policy, now: datetime, count: int = 1
) -> ShownPolicy:
    """A policy of VBS."""
    settings = vbs_schedule.settings_of(policy.body)
    is_told = vbs_schedule.tells_retention(policy.body)
    return _shown(policy, settings, is_told, policy.volume_count, now, count)


def of_servers(
    policy: csbs.Policy, now: datetime, count: int = 1
) -> ShownPolicy:
    """A policy of CSBS."""
    # Of several operations none is shown as that of the policy.
    body: Mapping[str, Any] = {'scheduled_operations': [policy.operation]}
    settings = csbs_schedule.settings_of(body)
    is_told = csbs_schedule.tells_retention(body)
    members = len(policy.servers) if policy.servers_are_known else None
    return _shown(policy, settings, is_told, members, now, count)


def of_settings(
    policy: Described,
    now: datetime,
    count: int,
    *,
    zone: tzinfo | None = None,
    notes: Sequence[str] = (),
) -> ShownPolicy:
    """A policy that is created, or as a change makes it.

    :param zone: in which a person has written its times.
    """
    settings = policy.settings
    return ShownPolicy(
        policy,
        settings.enabled,
        policy.members,
        settings.schedule,
        settings.retention if policy.retention_is_told else None,
        now,
        count,
        notes=tuple(notes),
        zone=zone,
    )


def _shown(
    policy: vbs.Policy | csbs.Policy,
    settings: Settings,
    is_retention_told: bool,
    members: int | None,
    now: datetime,
    count: int,
) -> ShownPolicy:
    return ShownPolicy(
        policy,
        policy.is_enabled,
        members,
        settings.schedule,
        settings.retention if is_retention_told else None,
        now,
        count,
    )


class Setting(Text):
    """A schedule or a retention."""

    @staticmethod
    def raw(value: Any) -> Any:
        """As an object."""
        return None if value is None else value.as_dict()


class NextRun(Word):
    """When a policy runs next."""

    @staticmethod
    def raw(value: Any) -> Any:
        """In UTC."""
        return None if value is None else value.at.isoformat()

    def human_readable(self) -> str:
        run = self._value
        if run is None:
            return ''
        return f'{_about(run)}{run.at:%Y-%m-%d %H:%M} UTC'


class NextRuns(MultiLine):
    """The same, of several, with the local time."""

    @staticmethod
    def raw(value: Any) -> Any:
        """In UTC."""
        return None if value is None else list(map(NextRun.raw, value))

    def line(self, value: Any) -> str:
        in_utc, local = value.at, value.at.astimezone(value.zone)
        text = f'{_about(value)}{_day(in_utc)} {in_utc:%Y-%m-%d %H:%M} UTC'
        offset = local.utcoffset()
        if not offset:
            return text
        zone = offset_text(offset) if value.zone else 'local time'
        return f'{text} ({_day(local)} {local:%H:%M} {zone})'


def _about(run: Run) -> str:
    return 'about ' if run.is_approximate else ''


def _day(time: datetime) -> str:
    # In English, whatever the language of the system is.
    return DAY_NAMES[time.weekday()][:3]


class Json(Text):
    """An answer of the service."""

    def human_readable(self) -> str:
        import json

        return visible(json.dumps(self._value, ensure_ascii=False))


_NEXT_RUN = Column('Next Run', 'next_run', NextRun, below='Schedule')


def columns(members: str) -> tuple[Column, ...]:
    """What a list of policies shows.

    :param members: the title of the number of volumes or servers.
    """
    return (
        Column('ID', 'id', below='Name'),
        NAME,
        *SETTINGS,
        Column(members, 'members', optional=1),
        _NEXT_RUN,
    )


def without_next_run(columns: Sequence[Column]) -> Sequence[Column]:
    """The same for one policy, whose next runs are all shown."""
    return [column for column in columns if column is not _NEXT_RUN]


def columns_of_new(members: str, *more: Column) -> Sequence[Column]:
    """What is shown of a policy that is created.

    :param members: as of :func:`columns`.
    :param more: those that the other service has not.
    """
    id, name, *rest = without_next_run(columns(members))
    return [id, name, *more, *rest, *RUNS]


NAME = Column('Name', 'policy.name')
DESCRIPTION = Column('Description', 'policy.description')
SETTINGS = (
    Column('Enabled', 'is_enabled', Word, below='Name'),
    Column('Schedule', 'schedule', Setting, sortable=False),
    Column('Retention', 'retention', Setting, sortable=False),
)
RUNS = (
    Column('Next Runs', 'next_runs', NextRuns),
    Column('Remarks', 'remarks', MultiLine),
)

#: What ``show`` has in addition, at its end.
SHOWN_AT_END = (*RUNS, Column('Raw', 'policy.body', Json))
