# SPDX-License-Identifier: Apache-2.0
"""A history of four years, sets of rules, and what becomes of it under each.

``python -m tests.unit.retention.golden`` writes the files anew: read what
changed before you commit it.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

from vbsclient.osc.command.times import parse_calendar_duration
from vbsclient.retention import (
    DAILY,
    HOURLY,
    MONTHLY,
    UNLIMITED,
    WEEKLY,
    YEARLY,
    Candidate,
    KeepLast,
    KeepName,
    KeepPeriods,
    KeepPeriodsWithin,
    KeepTag,
    KeepWithin,
    Period,
    RuleSet,
    make_plan,
)

DIRECTORY = Path(__file__).parent / 'golden'

BERLIN = ZoneInfo('Europe/Berlin')
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=timezone.utc)

_USUAL = (
    KeepPeriods(DAILY, 7),
    KeepPeriods(WEEKLY, 5),
    KeepPeriods(MONTHLY, 12),
    KeepPeriods(YEARLY, 3),
)


def _within(*rules: tuple[Period, str]) -> tuple[KeepPeriodsWithin, ...]:
    return tuple(
        KeepPeriodsWithin(period, parse_calendar_duration(time))
        for period, time in rules
    )


RULE_SETS = {
    'last-3': RuleSet([KeepLast(3)]),
    'hourly-5': RuleSet([KeepPeriods(HOURLY, 5)]),
    'daily-4': RuleSet([KeepPeriods(DAILY, 4)]),
    'daily-4-berlin': RuleSet([KeepPeriods(DAILY, 4)], zone=BERLIN),
    'hourly-unlimited-berlin': RuleSet(
        [KeepPeriods(HOURLY, UNLIMITED)], zone=BERLIN
    ),
    'weekly-6': RuleSet([KeepPeriods(WEEKLY, 6)]),
    'monthly-6': RuleSet([KeepPeriods(MONTHLY, 6)]),
    'monthly-100': RuleSet([KeepPeriods(MONTHLY, 100)]),
    'yearly-2': RuleSet([KeepPeriods(YEARLY, 2)]),
    'yearly-10': RuleSet([KeepPeriods(YEARLY, 10)]),
    'within-7d': RuleSet([KeepWithin(parse_calendar_duration('7d'))]),
    'within-1y1m-berlin': RuleSet(
        [KeepWithin(parse_calendar_duration('1y1mo'))], zone=BERLIN
    ),
    'hourly-within-36h': RuleSet(_within((HOURLY, '36h'))),
    'hourly-within-30d-berlin': RuleSet(_within((HOURLY, '30d')), zone=BERLIN),
    'daily-within-1mo-berlin': RuleSet(_within((DAILY, '1mo')), zone=BERLIN),
    'weekly-within-8w': RuleSet(_within((WEEKLY, '8w'))),
    'monthly-within-1y': RuleSet(_within((MONTHLY, '1y'))),
    'yearly-within-10y': RuleSet(_within((YEARLY, '10y'))),
    'usual-within': RuleSet(
        _within(
            (DAILY, '7d'), (WEEKLY, '1mo'), (MONTHLY, '1y'), (YEARLY, '3y')
        )
    ),
    'name': RuleSet([KeepName('pre-*'), KeepLast(1)]),
    'tag': RuleSet([KeepTag('keep=yes'), KeepLast(1)]),
    'usual': RuleSet(_USUAL),
    'usual-older-than-10d': RuleSet(
        _USUAL, older_than=parse_calendar_duration('10d')
    ),
    'older-than-30d': RuleSet(older_than=parse_calendar_duration('30d')),
}


def history() -> Iterator[Candidate]:
    """Nightly backups with gaps, hourly ones, manual ones, odd ones."""

    def made(name: str, moment: datetime, **more: object) -> Candidate:
        stamp = f'{moment:%Y-%m-%dT%H:%M:%S}'
        return Candidate(
            stamp,
            'db01',
            name=name,
            created_at=stamp,
            created=moment,
            **more,  # type: ignore[arg-type]
        )

    end = datetime(2026, 11, 20, 2, 0, tzinfo=timezone.utc)
    for night in range(80):
        if night % 9 not in (3, 4):
            yield made('nightly', end - timedelta(days=night))
    for hour in range(1, 9):
        yield made('hourly', end - timedelta(hours=hour, minutes=-30))
    # Two hours before clocks are set back in Berlin to two hours after.
    for quarter in range(0, 16, 2):
        yield made(
            'clock',
            datetime(2026, 10, 24, 23, 15, tzinfo=timezone.utc)
            + timedelta(minutes=15 * quarter),
        )
    for month in range(3, 40):
        yield made('monthly', end.replace(day=1) - timedelta(days=31 * month))
    for days in (5, 100, 400):
        yield made('pre-upgrade', end - timedelta(days=days, hours=9))
    yield made(
        'tagged',
        end - timedelta(days=33, hours=1),
        tags=frozenset({'keep=yes'}),
    )
    yield made(
        'failed',
        end - timedelta(hours=1),
        status='error',
        counts=False,
        protections=('status error',),
    )
    yield made(
        'shared',
        end - timedelta(days=70, hours=3),
        protections=('shared with 2 projects',),
    )


def rendered(rule_set: RuleSet) -> str:
    """A line for each backup."""
    plan = make_plan(history(), rule_set, NOW)
    lines = [
        f'{d.backup.created_at}  {d.backup.name:<11}  '
        f'{"keep  " if d.keep else "delete"}  {", ".join(d.reasons)}'
        for d in plan.decisions
    ]
    lines += [f'emptied: {backup.group}' for backup in plan.emptied]
    return '\n'.join(lines) + '\n'


def main() -> None:
    """Write all files."""
    for name, rule_set in RULE_SETS.items():
        (DIRECTORY / f'{name}.txt').write_text(rendered(rule_set))


if __name__ == '__main__':
    main()
