# SPDX-License-Identifier: Apache-2.0
"""What a schedule and a retention are, whoever wrote them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta, tzinfo
from typing import Any

from vbsclient.schedule import InvalidSetting, zones
from vbsclient.wording import brief

#: Of a week, as :meth:`datetime.date.weekday` counts them.
WEEKDAYS = ('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun')
DAY_NAMES = (
    *('Monday', 'Tuesday', 'Wednesday', 'Thursday'),
    *('Friday', 'Saturday', 'Sunday'),
)

#: Keep without a limit of number, as both services write it in quotas.
UNLIMITED = -1

#: What keeps the newest backup of each period, for a long time.
PERIODS = ('daily', 'weekly', 'monthly', 'yearly')

_MINUTES_OF_DAY = 24 * 60

GIVE_TIMES_AND_DAYS = 'Give its times, and its days.'
SAY_HOW_MUCH = 'Say how many backups to keep, or for how many days.'
GIVE_LAST = 'Give the number of the newest backups to keep, too.'
GIVE_DAYS_OR_END = (
    'Keep a number of the newest backups instead, or end the others with 0.'
)


@dataclass(frozen=True)
class Schedule:
    """When a policy runs.

    :ivar at: local times of day, ascending.
    :ivar every_days: days from a run to the next; VBS counts from day 1 of
        each month.
    :ivar weekdays: local days of the week, ascending, Monday is 0; None
        with ``every_days``.
    :ivar zone: what "local" means; the services know fixed offsets only.
        None where nobody has said it: the clock of the service, which is
        UTC as far as known.
    :ivar raw: the rule as the service has it, where it says more than the
        other attributes can, which are then empty.
    :ivar start: when a raw rule starts to count, in UTC, if it is known.
    """

    at: tuple[time, ...] = ()
    every_days: int | None = None
    weekdays: tuple[int, ...] | None = None
    zone: tzinfo | None = None
    raw: str | None = None
    start: datetime | None = field(default=None, compare=False)

    @property
    def is_approximate(self) -> bool:
        """Whether its next runs are only about right.

        It is not documented in which zone a service counts days, nor where
        a rule that a person wrote starts.
        """
        if self.raw is not None:
            return self.start is None
        return (self.every_days or 1) > 1

    def utc(self, now: datetime) -> list[tuple[int, int]]:
        """(days after the local day, minute of that day) of each time in UTC.

        :param now: when the offset of its zone is taken.
        """
        offset = zones.offset_at(self.zone, now) // timedelta(minutes=1)
        return [
            divmod(minute_of(local) - offset, _MINUTES_OF_DAY)
            for local in self.at
        ]

    def meaning(self, now: datetime) -> object:
        """What is equal for schedules that run at the same times."""
        if self.raw is not None:
            return frozenset(self.raw.upper().split(';'))
        if self.every_days is not None and self.every_days > 1:
            offset = zones.offset_at(self.zone, now)
            return self.every_days, offset, frozenset(self.at)
        days = range(7) if self.weekdays is None else self.weekdays
        return frozenset(
            ((day + shift) % 7, minute)
            for day in days
            for shift, minute in self.utc(now)
        )

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        on = self.weekdays
        return {
            'at': [clock(local) for local in self.at],
            'every_days': self.every_days,
            'on': None if on is None else [WEEKDAYS[day] for day in on],
            'zone': None if self.zone is None else str(self.zone),
            'raw': self.raw,
        }

    def __str__(self) -> str:
        zone = self.zone or 'service time, UTC as far as known'
        if self.raw is not None:
            return f'by the rule {self.raw} ({zone})'
        if self.weekdays is not None:
            days = [DAY_NAMES[day][:3] for day in self.weekdays]
            first = f'on {enumerated(days)}'
        elif self.every_days == 1:
            first = 'every day'
        else:
            first = f'every {self.every_days} days'
        return f'{first} at {enumerated(list(map(clock, self.at)))} ({zone})'


def remarks(schedule: Schedule, now: datetime) -> Iterator[str]:
    """What is not plain from a schedule, in sentences.

    :param now: when the offset of its zone is taken.
    """
    if (schedule.every_days or 1) > 1:
        yield (
            'The days are counted from day 1 of each month: the first run of '
            'a month may follow sooner.'
        )
    change = zones.next_change(schedule.zone, now)
    if change is None:
        return
    date, after = change
    before = zones.offset_at(schedule.zone, now)
    difference = abs(after - before) // timedelta(minutes=1)
    much = 'an hour' if difference == 60 else f'{difference} minutes'
    late = 'later' if after > before else 'earlier'
    local = date.astimezone(schedule.zone)
    yield (
        f'The service knows fixed offsets only: {schedule.zone} is '
        f'{zones.offset_text(before)} now. From {local:%Y-%m-%d} on the '
        f'policy runs {much} {late} by the clocks there.'
    )


@dataclass(frozen=True)
class WantedSchedule:
    """What a person has said of a schedule; None is what was not said."""

    at: tuple[time, ...] | None = None
    every_days: int | None = None
    weekdays: tuple[int, ...] | None = None
    zone: tzinfo | None = None
    raw: str | None = None

    def __bool__(self) -> bool:
        """Whether anything was said."""
        return self != WantedSchedule()

    @property
    def has_days(self) -> bool:
        return self.every_days is not None or self.weekdays is not None

    def new(self) -> Schedule:
        """The schedule of a new policy.

        :raises InvalidSetting: if its times or its days are missing.
        """
        return self.changed(None)

    def changed(self, old: Schedule | None) -> Schedule:
        """A schedule with what was said, and the rest as it was.

        :raises InvalidSetting: if the times or the days are missing, or
            what they mean in the zone that was said.
        """
        if self.raw is not None:
            return Schedule(raw=self.raw, start=old.start if old else None)
        if old is None or old.raw is not None:
            if self.at is None or not self.has_days:
                raise self._incomplete(old)
            old = Schedule()
        is_moved = self.zone is not None and old.zone is None
        if is_moved and (
            self.at is None or not (old.weekdays is None or self.has_days)
        ):
            raise InvalidSetting(
                'the service does not tell the time zone of the policy, so '
                'that its times and days have none to be changed from',
                GIVE_TIMES_AND_DAYS,
            )
        return replace(
            old,
            at=old.at if self.at is None else self.at,
            every_days=self.every_days if self.has_days else old.every_days,
            weekdays=self.weekdays if self.has_days else old.weekdays,
            zone=self.zone or old.zone,
        )

    def _incomplete(self, old: Schedule | None) -> InvalidSetting:
        message = 'a schedule needs its times and its days'
        if old is not None:
            message = (
                f'the policy runs by the rule {brief(old.raw)}, which can '
                f'only be replaced as a whole'
            )
        return InvalidSetting(message, GIVE_TIMES_AND_DAYS)


@dataclass(frozen=True)
class Retention:
    """What a policy keeps.

    :ivar last: so many of the newest, :data:`UNLIMITED` without a limit;
        None where no number is said.
    :ivar days: those of so many days.
    :ivar daily: the newest of each of so many days, long-term; the same for
        weeks, months and years.
    :ivar forever: everything, until somebody deletes it.
    :ivar first_of_month: the first of the current month, too (VBS).
    :ivar timezone: where long-term days begin, ``UTC+02:00``.
    """

    last: int | None = None
    days: int | None = None
    daily: int | None = None
    weekly: int | None = None
    monthly: int | None = None
    yearly: int | None = None
    forever: bool = False
    first_of_month: bool | None = None
    timezone: str | None = None

    @property
    def is_long_term(self) -> bool:
        return any(getattr(self, period) for period in PERIODS)

    def as_dict(self) -> dict[str, Any]:
        """For machines; ``last`` is -1 where it has no limit."""
        return {
            name: getattr(self, name)
            for name in (
                *('last', 'days', *PERIODS),
                *('forever', 'first_of_month', 'timezone'),
            )
        }

    def __str__(self) -> str:
        if self.forever:
            return 'keep forever'
        parts = []
        if self.last not in (None, UNLIMITED):
            parts.append(f'the last {self.last}')
        if self.days is not None:
            unit = 'day' if self.days == 1 else 'days'
            parts.append(f'those of {self.days} {unit}')
        if not parts:
            return 'keep all'
        counts = [(getattr(self, period), period) for period in PERIODS]
        parts += [f'{count} {period}' for count, period in counts if count]
        if self.first_of_month:
            parts.append('the first of the current month')
        zone = self.timezone or 'UTC'
        return f'keep {enumerated(parts)}' + (
            f' ({zone})' if self.is_long_term else ''
        )


@dataclass(frozen=True)
class WantedRetention:
    """What a person has said of a retention; None is what was not said."""

    last: int | None = None
    days: int | None = None
    daily: int | None = None
    weekly: int | None = None
    monthly: int | None = None
    yearly: int | None = None
    forever: bool = False
    first_of_month: bool | None = None

    def __bool__(self) -> bool:
        """Whether anything was said."""
        return self != WantedRetention()

    @property
    def has_periods(self) -> bool:
        return any(getattr(self, period) is not None for period in PERIODS)

    def changed(self, old: Retention) -> Retention:
        """A retention with what was said, and the rest as it was.

        What excludes something that was there replaces it, but for what
        would end long-term backups without a word.

        :raises InvalidSetting: if nothing says how much is kept, or two
            limits would exclude each other.
        """
        if self.forever:
            return Retention(forever=True)
        counts = {
            period: wanted if wanted is not None else getattr(old, period)
            for period in PERIODS
            for wanted in [getattr(self, period)]
        }
        first = self.first_of_month
        new = replace(
            old,
            **counts,
            forever=False,
            first_of_month=old.first_of_month if first is None else first,
        )
        if self.last is not None:
            new = replace(new, last=self.last, days=None)
        elif self.days is not None:
            new = replace(new, last=None, days=self.days)
        if new.days is not None and new.is_long_term:
            raise InvalidSetting(
                f'what is kept for {new.days} days excludes long-term backups',
                GIVE_DAYS_OR_END,
            )
        if new.last is None and new.days is None:
            raise InvalidSetting(
                'long-term backups are kept beside the newest ones'
                if new.is_long_term
                else 'nothing says how much is kept',
                GIVE_LAST if new.is_long_term else SAY_HOW_MUCH,
            )
        return new


@dataclass(frozen=True)
class Settings:
    """What a policy says of itself.

    :ivar schedule: None if it has none that can be read.
    :ivar enabled: whether it runs by itself; None if it does not say.
    """

    schedule: Schedule | None
    retention: Retention
    enabled: bool | None


@dataclass(frozen=True)
class Wanted:
    """What a person has said of a policy; None is what was not said."""

    schedule: WantedSchedule = WantedSchedule()
    retention: WantedRetention = WantedRetention()
    enabled: bool | None = None


def clock(local: time) -> str:
    """``02:00``."""
    return f'{local:%H:%M}'


def minute_of(local: time) -> int:
    """The minute of the day."""
    return local.hour * 60 + local.minute


def time_of(minute: int) -> time:
    """The time of day of a minute, of whichever day."""
    hour, minute_left = divmod(minute % _MINUTES_OF_DAY, 60)
    return time(hour, minute_left)


def enumerated(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(words) < 2:
        return ''.join(words)
    return f'{", ".join(words[:-1])} and {words[-1]}'
