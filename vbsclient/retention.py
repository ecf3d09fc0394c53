# SPDX-License-Identifier: Apache-2.0
"""Which backups to keep, and why: a pure function of values.

The rules mean what users of restic know by the same names: each is judged on
its own over a whole group, and what one of them keeps is kept.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from functools import cached_property
from itertools import accumulate
from operator import attrgetter
from typing import Protocol

from dateutil.relativedelta import relativedelta

from vbsclient.api.names import composed
from vbsclient.glob import glob_regex

#: A count that no history reaches.
UNLIMITED = sys.maxsize

#: Before every backup.
_BEGINNING = datetime.min.replace(tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the rules see of a backup.

    :ivar group: what its rules are judged over: a volume or a server.
    :ivar made: when; None where nobody knows, which no rule can judge.
    :ivar size: in the unit of its service; only handed on.
    :ivar counts: whether the rules count it: whether it can be restored,
        and is this service's to keep or delete.
    :ivar protections: why it stays whatever the rules say.
    :ivar remarks: why it may go although it would stay without an option.
    :ivar tags: its tags, ``key=value``.
    :ivar volume_ids: the disks that it holds a backup of.
    :ivar share_ids: what other projects use it by.
    :ivar part_of: what it was saved as a part of, and is deleted from.
    """

    id: str
    group: str
    name: str | None = None
    status: str = 'available'
    created_at: str | None = None
    made: datetime | None = None
    size: int | None = None
    counts: bool = True
    protections: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    tags: frozenset[str] = frozenset()
    volume_ids: tuple[str, ...] = ()
    group_name: str | None = None
    share_ids: tuple[str, ...] = ()
    part_of: str | None = None


@dataclass(frozen=True)
class CalendarDuration:
    """A length of time as a calendar has it.

    :ivar text: as it was written.
    """

    text: str
    years: int = 0
    months: int = 0
    days: int = 0
    seconds: float = 0

    def before(self, moment: datetime, zone: tzinfo) -> datetime:
        """The moment so long before another, by the clocks of a zone."""
        local = moment.astimezone(zone)
        try:
            earlier = local - relativedelta(
                years=self.years, months=self.months, days=self.days
            )
            # Arithmetic forgets which of two equal hours it was.
            earlier = earlier.replace(fold=local.fold)
            return earlier.astimezone(timezone.utc) - timedelta(
                seconds=self.seconds
            )
        except (OverflowError, ValueError):
            return _BEGINNING


@dataclass(frozen=True)
class Group:
    """The backups of one volume or server, newest first.

    :ivar members: all of them.
    :ivar counted: those that the rules count; each has a time.
    """

    members: Sequence[Candidate]
    now: datetime
    zone: tzinfo

    @cached_property
    def counted(self) -> list[Candidate]:
        """Those that a rule may count."""
        return [c for c in self.members if c.counts and c.made is not None]

    @property
    def latest(self) -> datetime | None:
        """When the newest was made; one from the future does not count."""
        return next(
            (c.made for c in self.counted if c.made and c.made < self.now),
            None,
        )

    def local(self, moment: datetime) -> datetime:
        """A time as the clocks of the zone show it."""
        return moment.astimezone(self.zone)


class Rule(Protocol):
    """Something for which backups are kept."""

    def kept(self, group: Group) -> Iterator[tuple[Candidate, str]]:
        """What it keeps of a group, and the reason."""


@dataclass(frozen=True)
class KeepLast:
    """The newest backups.

    :ivar count: how many, or :data:`UNLIMITED`.
    """

    count: int

    def kept(self, group: Group) -> Iterator[tuple[Candidate, str]]:
        """The first so many."""
        for place, backup in enumerate(group.counted[: self.count], 1):
            yield backup, f'last {place}'


@dataclass(frozen=True)
class Period:
    """A unit of the calendar.

    :ivar label: names the period of a time.
    """

    name: str
    label: Callable[[datetime], str]


def _hour(moment: datetime) -> str:
    # With its offset: the hour that a clock change repeats is two hours.
    return f'{moment:%Y-%m-%d %H:00%z}'


def _week(moment: datetime) -> str:
    year, week, _ = moment.isocalendar()
    return f'{year:04}-W{week:02}'


HOURLY = Period('hourly', _hour)
DAILY = Period('daily', lambda moment: moment.date().isoformat())
WEEKLY = Period('weekly', _week)
MONTHLY = Period('monthly', lambda moment: moment.date().isoformat()[:7])
YEARLY = Period('yearly', lambda moment: f'{moment.year:04}')


@dataclass(frozen=True)
class KeepPeriods:
    """The newest backup of each of the newest periods that hold one.

    While there are fewer periods than wanted, the oldest backup is kept
    too: it reaches back furthest.

    :ivar count: how many periods, or :data:`UNLIMITED`.
    """

    period: Period
    count: int

    def kept(self, group: Group) -> Iterator[tuple[Candidate, str]]:
        """One of each period, and the oldest where periods are missing."""
        found = 0
        last = None
        counted = group.counted
        for backup in counted:
            if found == self.count or backup.made is None:
                return
            label = self.period.label(group.local(backup.made))
            if label != last:
                found += 1
                last = label
                yield backup, f'{self.period.name} {label}'
            elif backup is counted[-1]:
                yield backup, f'oldest {self.period.name} {label}'


@dataclass(frozen=True)
class KeepWithin:
    """All that were made so long before the newest, or later."""

    span: CalendarDuration

    def kept(self, group: Group) -> Iterator[tuple[Candidate, str]]:
        """Those too that the rules do not count."""
        latest = group.latest
        since = self.span.before(latest, group.zone) if latest else _BEGINNING
        for backup in group.members:
            if backup.made is not None and backup.made > since:
                yield backup, f'within {self.span.text}'


@dataclass(frozen=True)
class KeepName:
    """All whose name fits a pattern with ``*``, ``?`` and ``[...]``.

    :ivar pattern: as shells have them; :func:`glob_regex` says which.
    """

    pattern: str

    @property
    def reason(self) -> str:
        """Why it keeps what it keeps."""
        return f'name {self.pattern}'

    def kept(self, group: Group) -> Iterator[tuple[Candidate, str]]:
        """Those too that the rules do not count.

        :raises ValueError: if the pattern is none.
        """
        regex = glob_regex(composed(self.pattern))
        for backup in group.members:
            if regex.fullmatch(composed(backup.name or '')):
                yield backup, self.reason


@dataclass(frozen=True)
class KeepTag:
    """All that bear a tag.

    :ivar tag: ``key=value``.
    """

    tag: str

    @property
    def reason(self) -> str:
        """Why it keeps what it keeps."""
        return f'tag {self.tag}'

    def kept(self, group: Group) -> Iterator[tuple[Candidate, str]]:
        """Those too that the rules do not count."""
        wanted = composed(self.tag)
        for backup in group.members:
            if wanted in map(composed, backup.tags):
                yield backup, self.reason


@dataclass(frozen=True)
class RuleSet:
    """What is to be kept.

    :ivar rules: what one of these keeps is kept.
    :ivar older_than: only what is older than this may go; None for all.
    :ivar zone: where periods begin and end.
    :ivar allow_empty: whether all backups of a group may go, and its newest.
    """

    rules: Sequence[Rule] = ()
    older_than: CalendarDuration | None = None
    zone: tzinfo = timezone.utc
    allow_empty: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one backup, and every reason for it."""

    backup: Candidate
    keep: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """What becomes of all.

    :ivar decisions: by group, newest first.
    :ivar emptied: the groups of which nothing would be left that can be
        restored; none where the rules allow it.
    """

    decisions: Sequence[Decision]
    emptied: Sequence[Candidate] = ()

    @property
    def deleted(self) -> list[Decision]:
        """What is to go."""
        return [d for d in self.decisions if not d.keep]

    @property
    def kept(self) -> list[Decision]:
        """What is to stay."""
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
    :param parents: what each backup is built on, on a cloud where it must
        not go before; also of backups that are no candidates: those stay.
    """
    groups: dict[str, list[Candidate]] = {}
    for backup in backups:
        groups.setdefault(backup.group, []).append(backup)
    chains = _Chains(parents or {}, groups)
    decisions: list[Decision] = []
    emptied: list[Candidate] = []
    for name in sorted(groups):
        members = sorted(groups[name], key=_newest_first, reverse=True)
        group = Group(members, now, rule_set.zone)
        reasons = _reasons(group, rule_set)
        chains.keep_needed(members, reasons)
        if not rule_set.allow_empty:
            _keep_newest(group, reasons)
            chains.keep_needed(members, reasons)
            if _is_emptied(group, reasons):
                emptied.append(members[0])
        decisions += [
            Decision(backup, True, tuple(reasons[backup.id]))
            if reasons[backup.id]
            else Decision(backup, False, _why_not(backup, rule_set))
            for backup in members
        ]
    return Plan(decisions, emptied)


def _newest_first(backup: Candidate) -> tuple[datetime, str]:
    return backup.made or _BEGINNING, backup.id


_Reasons = Mapping[str, list[str]]


def _reasons(group: Group, rule_set: RuleSet) -> _Reasons:
    """Why backups are kept, but for what others need of them."""
    reasons: dict[str, list[str]] = {b.id: [] for b in group.members}
    for rule in rule_set.rules:
        for backup, reason in rule.kept(group):
            reasons[backup.id].append(reason)
    young = None
    if rule_set.older_than is not None:
        young = rule_set.older_than.before(group.now, rule_set.zone)
    for backup in group.members:
        own = reasons[backup.id]
        own += backup.protections
        if backup.made is None:
            own.append('no date')
        elif (
            young is not None and backup.made >= young and rule_set.older_than
        ):
            own.append(f'not older than {rule_set.older_than.text}')
    return reasons


def _why_not(backup: Candidate, rule_set: RuleSet) -> tuple[str, ...]:
    reasons = list(backup.remarks)
    if rule_set.rules:
        reasons.append('kept by no rule')
    if rule_set.older_than is not None:
        reasons.append(f'older than {rule_set.older_than.text}')
    return tuple(reasons)


def _keep_newest(group: Group, reasons: _Reasons) -> None:
    """Keep the newest where another one is kept that can be restored.

    Where none is, the rules empty the group, which is for somebody to
    decide.
    """
    if group.counted and not _is_emptied(group, reasons):
        newest = reasons[group.counted[0].id]
        if not newest:
            newest.append('newest')


def _is_emptied(group: Group, reasons: _Reasons) -> bool:
    """Whether nothing is left, or nothing that can be restored."""
    counted = [backup for backup in group.members if backup.counts]
    judged = counted or group.members
    return not any(reasons[backup.id] for backup in judged)


class _Chains:
    """What must stay because something that stays is built on it.

    :param parents: as :func:`make_plan` takes it.
    :param groups: the candidates.
    """

    def __init__(
        self,
        parents: Mapping[str, str | None],
        groups: Mapping[str, Collection[Candidate]],
    ) -> None:
        self._parents = parents
        self._because: dict[str, str] = {}
        if parents:
            ids = {c.id for members in groups.values() for c in members}
            for id in parents:
                if id not in ids:
                    self._walk(id)

    def keep_needed(
        self, members: Sequence[Candidate], reasons: _Reasons
    ) -> None:
        """Add the reason to what the kept members of a group need."""
        if not self._parents:
            return
        # The oldest first, so that each is needed by its nearest.
        for backup in reversed(members):
            if reasons[backup.id]:
                self._walk(backup.id)
        for backup in members:
            user = self._because.get(backup.id)
            reason = f'needed by {user}'
            if user is not None and reason not in reasons[backup.id]:
                reasons[backup.id].append(reason)

    def _walk(self, id: str) -> None:
        user = id
        parent = self._parents.get(id)
        while parent is not None and parent not in self._because:
            self._because[parent] = user
            parent = self._parents.get(parent)


@dataclass(frozen=True, slots=True)
class Link:
    """What tells which backup of a volume another is built on.

    :ivar taken: the time of its data, which sorts as text.
    :ivar incremental: None where nobody says.
    :ivar needed: whether others are built on it; None where nobody says.
    :ivar made: when it was made itself, which sorts as text; a backup of a
        snapshot is younger than its data.
    """

    id: str
    volume_id: str
    taken: str
    incremental: bool | None
    needed: bool | None
    made: str = ''


def infer_parents(links: Iterable[Link]) -> dict[str, str | None]:
    """What each backup is probably built on, by the times of its volume.

    An incremental backup is built on the one before it.  Who is wrong here
    keeps too much: what is not certain counts as needed.  One thing cannot
    be seen, that a full backup was not finished yet when the next was made,
    which may be built on an older one; the service refuses to delete that.
    """
    volumes: dict[str, list[Link]] = {}
    for link in links:
        volumes.setdefault(link.volume_id, []).append(link)
    parents: dict[str, str | None] = {}
    for chain in volumes.values():
        parents |= _parents_in_volume(
            sorted(chain, key=attrgetter('taken', 'made', 'id'))
        )
    return parents


def _parents_in_volume(ordered: Sequence[Link]) -> dict[str, str | None]:
    """The same for one volume, whose oldest data come first."""
    parents: dict[str, str | None] = {}
    before: str | None = None
    explained = True  # nothing needs `before`, or what may need it was seen
    made = reversed([link.made for link in ordered])
    earliest_since = reversed(list(accumulate(made, min)))
    same_moment = Counter(link.taken for link in ordered)
    for link, earliest in zip(ordered, earliest_since, strict=True):
        begins = (
            link.incremental is False
            and link.needed is not None
            and explained
            # What was made before it can only be built on what is older,
            and link.made == earliest
            # and so can a backup of a snapshot with data of this moment.
            and same_moment[link.taken] == 1
        )
        parents[link.id] = None if begins else before
        if link.incremental is not False:
            explained = True
        if link.needed is not False:
            before, explained = link.id, False
    return parents
