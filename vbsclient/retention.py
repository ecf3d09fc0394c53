# SPDX-License-Identifier: Apache-2.0
"""Which backups to keep, and why: a pure function of values.

The rules mean what restic's users know by the same names: each rule is
applied by itself to a whole group, and what one of them keeps is kept.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone, tzinfo
from functools import cached_property
from itertools import accumulate, islice
from operator import attrgetter

from vbsclient.api.names import composed
from vbsclient.api.times import EARLIEST, CalendarDuration
from vbsclient.glob import glob_regex

#: A count that no history reaches.
UNLIMITED = sys.maxsize


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the rules see of a backup.

    :ivar group: the volume or server; rules are applied to each by itself.
    :ivar created_at: as the service sent it.
    :ivar created: the same as a time; None if unknown, so that no rule can
        judge the backup.
    :ivar size: in GB.
    :ivar counts: whether the rules count it: it can be restored, and this
        service may delete it.
    :ivar protections: why it is kept whatever the rules say.
    :ivar remarks: why it may be deleted although it is kept by default.
    :ivar tags: its tags, ``key=value``.
    :ivar volume_ids: the volumes that it holds a backup of.
    :ivar part_of: the checkpoint that it is deleted from.
    """

    id: str
    group: str
    name: str | None = None
    status: str = 'available'
    created_at: str | None = None
    created: datetime | None = None
    size: float | None = None
    counts: bool = True
    protections: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    tags: frozenset[str] = frozenset()
    volume_ids: tuple[str, ...] = ()
    group_name: str | None = None
    share_ids: tuple[str, ...] = ()
    part_of: str | None = None


@dataclass(frozen=True)
class Group:
    """The backups of one volume or server, newest first."""

    members: Sequence[Candidate]
    now: datetime
    zone: tzinfo

    @cached_property
    def counted(self) -> list[Candidate]:
        """The members that a rule may count; each has a time."""
        return [c for c in self.members if c.counts and c.created is not None]

    def before_newest(self, duration: CalendarDuration) -> datetime:
        """The time this long before the newest counted member.

        A backup from the future is not the newest.
        """
        for backup in self.counted:
            if backup.created and backup.created < self.now:
                return duration.before(backup.created, self.zone)
        return EARLIEST


@dataclass(frozen=True)
class KeepLast:
    """Keeps the newest backups.

    :ivar count: how many, or :data:`UNLIMITED`.
    """

    count: int

    def __str__(self) -> str:
        return f'last {_number(self.count)}'

    def kept(self, group: Group) -> Iterator[tuple[Candidate, str]]:
        for place, backup in enumerate(group.counted[: self.count], 1):
            yield backup, f'last {place}'


@dataclass(frozen=True)
class Period:
    """A unit of the calendar.

    :ivar label: names the period that a local time is in.
    """

    name: str
    label: Callable[[datetime], str]


def _week(time: datetime) -> str:
    year, week, _ = time.isocalendar()
    return f'{year:04}-W{week:02}'


#: With the offset: the hour that a clock change repeats is two hours.
HOURLY = Period('hourly', lambda time: f'{time:%Y-%m-%d %H:00%z}')
DAILY = Period('daily', lambda time: time.date().isoformat())
WEEKLY = Period('weekly', _week)
MONTHLY = Period('monthly', lambda time: time.date().isoformat()[:7])
YEARLY = Period('yearly', lambda time: f'{time.year:04}')


@dataclass(frozen=True)
class KeepPeriods:
    """Keeps the newest backup of each of the newest periods that have one.

    While there are fewer periods than wanted, the oldest backup is kept
    too: it reaches back furthest.

    :ivar count: how many periods, or :data:`UNLIMITED`.
    """

    period: Period
    count: int

    def __str__(self) -> str:
        return f'{self.period.name} {_number(self.count)}'

    def kept(self, group: Group) -> Iterator[tuple[Candidate, str]]:
        return islice(_newest_of_each(self.period, group), self.count)


def _newest_of_each(
    period: Period, group: Group
) -> Iterator[tuple[Candidate, str]]:
    """The newest backup of each period, and last the oldest of all."""
    last = None
    for backup in group.counted:
        if backup.created is None:
            return
        label = period.label(backup.created.astimezone(group.zone))
        if label != last:
            last = label
            yield backup, f'{period.name} {label}'
        elif backup is group.counted[-1]:
            yield backup, f'oldest {period.name} {label}'


@dataclass(frozen=True)
class KeepWithin:
    """Keeps backups created within a duration of the newest, counted or not.

    :ivar duration: counted back as :meth:`Group.before_newest` does.
    """

    duration: CalendarDuration

    def __str__(self) -> str:
        return f'all within {self.duration.text} of the newest'

    def kept(self, group: Group) -> Iterator[tuple[Candidate, str]]:
        since = group.before_newest(self.duration)
        for backup in group.members:
            if backup.created is not None and backup.created > since:
                yield backup, f'within {self.duration.text}'


@dataclass(frozen=True)
class KeepPeriodsWithin:
    """Keeps the newest of each period, if created within a duration.

    While all backups are within the duration, the oldest is kept too: it
    reaches back furthest.

    :ivar duration: counted back as :meth:`Group.before_newest` does.
    """

    period: Period
    duration: CalendarDuration

    def __str__(self) -> str:
        return f'{self.period.name} within {self.duration.text} of the newest'

    def kept(self, group: Group) -> Iterator[tuple[Candidate, str]]:
        since = group.before_newest(self.duration)
        for backup, reason in _newest_of_each(self.period, group):
            if backup.created is None or backup.created <= since:
                return
            yield backup, f'{reason} within {self.duration.text}'


@dataclass(frozen=True)
class KeepName:
    """Keeps backups whose name matches a glob pattern, counted or not.

    :ivar pattern: as :func:`glob_regex` reads it.
    """

    pattern: str

    def __str__(self) -> str:
        return f'name {self.pattern}'

    def kept(self, group: Group) -> Iterator[tuple[Candidate, str]]:
        regex = glob_regex(composed(self.pattern))
        for backup in group.members:
            if regex.fullmatch(composed(backup.name or '')):
                yield backup, str(self)


@dataclass(frozen=True)
class KeepTag:
    """Keeps backups with a tag, counted or not.

    :ivar tag: ``key=value``.
    """

    tag: str

    def __str__(self) -> str:
        return f'tag {self.tag}'

    def kept(self, group: Group) -> Iterator[tuple[Candidate, str]]:
        wanted = composed(self.tag)
        for backup in group.members:
            if wanted in map(composed, backup.tags):
                yield backup, str(self)


def _number(count: int) -> str:
    return 'unlimited' if count == UNLIMITED else str(count)


#: Each is described by its ``str()``; ``kept()`` gives the backups of a group
#: that it keeps, each with the reason.
Rule = (
    KeepLast
    | KeepPeriods
    | KeepWithin
    | KeepPeriodsWithin
    | KeepName
    | KeepTag
)


@dataclass(frozen=True)
class RuleSet:
    """What to keep.

    :ivar rules: what one of these keeps is kept.
    :ivar older_than: only what is older may be deleted; None for all.
    :ivar zone: the time zone of calendar periods.
    :ivar allow_empty: whether the newest backup of a group, and all of
        them, may be deleted.
    """

    rules: Sequence[Rule] = ()
    older_than: CalendarDuration | None = None
    zone: tzinfo = timezone.utc
    allow_empty: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether one backup is kept, and every reason."""

    backup: Candidate
    keep: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """The decisions on all backups.

    :ivar decisions: by group, newest first.
    :ivar emptied: one backup of each group that would have none left that
        can be restored; empty if the rules allow that.
    """

    decisions: Sequence[Decision]
    emptied: Sequence[Candidate] = ()

    @property
    def deleted(self) -> list[Decision]:
        return [d for d in self.decisions if not d.keep]

    @property
    def kept(self) -> list[Decision]:
        return [d for d in self.decisions if d.keep]


def make_plan(
    backups: Iterable[Candidate],
    rule_set: RuleSet,
    now: datetime,
    *,
    parents: Mapping[str, str | None] | None = None,
) -> Plan:
    """Decide for each backup whether it is kept, with every reason.

    :param now: what ``older_than`` counts back from.
    :param parents: what each backup is built on, on a cloud where a parent
        must not be deleted first; those that are no candidates are kept.
    """
    # One that a list shows twice must not take the place of another.
    backups = {backup.id: backup for backup in backups}.values()
    groups: dict[str, list[Candidate]] = {}
    for backup in backups:
        groups.setdefault(backup.group, []).append(backup)
    chains = _Chains(parents or {}, groups.values())
    decisions: list[Decision] = []
    emptied: list[Candidate] = []
    for name in sorted(groups):
        members = sorted(groups[name], key=_age_key, reverse=True)
        group = Group(members, now, rule_set.zone)
        reasons = _reasons(group, rule_set)
        chains.keep_needed(members, reasons)
        if not rule_set.allow_empty:
            if _is_emptied(members, reasons):
                emptied.append(members[0])
            elif group.counted and not reasons[group.counted[0].id]:
                reasons[group.counted[0].id].append('newest')
                chains.keep_needed(members, reasons)
        decisions += [
            Decision(backup, True, tuple(reasons[backup.id]))
            if reasons[backup.id]
            else Decision(backup, False, _why_not(backup, rule_set))
            for backup in members
        ]
    return Plan(decisions, emptied)


def _age_key(backup: Candidate) -> tuple[datetime, str]:
    return backup.created or EARLIEST, backup.id


_Reasons = Mapping[str, list[str]]


def _reasons(group: Group, rule_set: RuleSet) -> _Reasons:
    """Why backups are kept, apart from what others need of them."""
    reasons: dict[str, list[str]] = {b.id: [] for b in group.members}
    for rule in rule_set.rules:
        for backup, reason in rule.kept(group):
            reasons[backup.id].append(reason)
    for backup in group.members:
        reasons[backup.id] += backup.protections
        if backup.created is None:
            reasons[backup.id].append('no date')
    older_than = rule_set.older_than
    if older_than is not None:
        limit = older_than.before(group.now, rule_set.zone)
        for backup in group.members:
            if backup.created is not None and backup.created >= limit:
                reasons[backup.id].append(f'not older than {older_than.text}')
    return reasons


def _why_not(backup: Candidate, rule_set: RuleSet) -> tuple[str, ...]:
    reasons = list(backup.remarks)
    if rule_set.rules:
        reasons.append('kept by no rule')
    if rule_set.older_than is not None:
        reasons.append(f'older than {rule_set.older_than.text}')
    return tuple(reasons)


def _is_emptied(members: Sequence[Candidate], reasons: _Reasons) -> bool:
    """Whether nothing is left, or nothing that can be restored."""
    counted = [backup for backup in members if backup.counts] or members
    return not any(reasons[backup.id] for backup in counted)


class _Chains:
    """Which backups are kept because a kept one is built on them."""

    def __init__(
        self,
        parents: Mapping[str, str | None],
        groups: Iterable[Sequence[Candidate]],
    ) -> None:
        self._parents = parents
        self._needed_by: dict[str, str] = {}
        ids = {c.id for members in groups for c in members}
        # Backups that are no candidates are kept, and need their parents.
        for id in parents:
            if id not in ids:
                self._walk(id)

    def keep_needed(
        self, members: Sequence[Candidate], reasons: _Reasons
    ) -> None:
        """Add the reason to what the kept members of a group need."""
        # The oldest first, so that each is needed by its nearest.
        for backup in reversed(members):
            if reasons[backup.id]:
                self._walk(backup.id)
        for backup in members:
            if backup.id in self._needed_by:
                reason = f'needed by {self._needed_by[backup.id]}'
                if reason not in reasons[backup.id]:
                    reasons[backup.id].append(reason)

    def _walk(self, id: str) -> None:
        child = id
        parent = self._parents.get(id)
        while parent is not None and parent not in self._needed_by:
            self._needed_by[parent] = child
            parent = self._parents.get(parent)


@dataclass(frozen=True, slots=True)
class Link:
    """What tells which backup of a volume another is built on.

    :ivar data_timestamp: sorts as text.
    :ivar incremental: None if unknown.
    :ivar needed: whether others are built on it; None if unknown.
    :ivar created_at: sorts as text; later than the data if the backup is of
        a snapshot.
    """

    id: str
    volume_id: str
    data_timestamp: str
    incremental: bool | None
    needed: bool | None
    created_at: str = ''


def infer_parents(links: Iterable[Link]) -> dict[str, str | None]:
    """What each backup is probably built on, by the times of its volume.

    An incremental backup is built on the one before it.  An error here must
    keep too much: what is not certain counts as needed.  One case cannot be
    seen, that a full backup was not finished yet when the next was created,
    which may be built on an older one; the service refuses to delete that.
    """
    volumes: dict[str, list[Link]] = {}
    for link in links:
        volumes.setdefault(link.volume_id, []).append(link)
    parents: dict[str, str | None] = {}
    for chain in volumes.values():
        parents |= _parents_in_volume(
            sorted(chain, key=attrgetter('data_timestamp', 'created_at', 'id'))
        )
    return parents


def _parents_in_volume(ordered: Sequence[Link]) -> dict[str, str | None]:
    """The same for one volume, whose oldest data come first."""
    parents: dict[str, str | None] = {}
    before: str | None = None
    explained = True  # nothing needs `before`, or what may need it was seen
    created = reversed([link.created_at for link in ordered])
    earliest_since = reversed(list(accumulate(created, min)))
    same_data = Counter(link.data_timestamp for link in ordered)
    for link, earliest in zip(ordered, earliest_since, strict=True):
        begins = (
            link.incremental is False
            and link.needed is not None
            and explained
            # What was created before it can only be built on what is older,
            and link.created_at == earliest
            # and so can a backup of a snapshot with data of this moment.
            and same_data[link.data_timestamp] == 1
        )
        parents[link.id] = None if begins else before
        if link.incremental is not False:
            explained = True
        if link.needed is not False:
            before, explained = link.id, False
    return parents
