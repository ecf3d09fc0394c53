# SPDX-License-Identifier: Apache-2.0
"""A calendar of what some rules keep, as the program itself decides it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone

from doc.pictures.drawing import MARGIN, Picture
from vbsclient.retention import (
    DAILY,
    MONTHLY,
    WEEKLY,
    Candidate,
    KeepPeriods,
    Plan,
    RuleSet,
    make_plan,
)

FIRST = datetime(2026, 10, 1, 2, tzinfo=timezone.utc)
LAST = datetime(2026, 11, 21, 2, tzinfo=timezone.utc)
RULES = (
    KeepPeriods(DAILY, 5),
    KeepPeriods(WEEKLY, 3),
    KeepPeriods(MONTHLY, 2),
)
_COLUMN, _ROW = 49, 44


def plan() -> Plan:
    """What the rules make of one backup each night."""
    nights = [
        FIRST + timedelta(days=day) for day in range((LAST - FIRST).days + 1)
    ]
    backups = [
        Candidate(id=f'{night:%F}', group='volume', created=night)
        for night in nights
    ]
    return make_plan(backups, RuleSet(RULES), LAST + timedelta(hours=8))


def reasons() -> Mapping[date, tuple[str, ...]]:
    """Why each day's backup is kept; none if it is deleted."""
    return {
        date.fromisoformat(decision.backup.id): tuple(
            reason.split()[0] for reason in decision.reasons
        )
        if decision.keep
        else ()
        for decision in plan().decisions
    }


def draw() -> Picture:
    """Two months, a box for each day that has a backup."""
    days = reasons()
    kept = [day for day in sorted(days) if days[day]]
    picture = Picture(
        'retention',
        'What the rules of the example keep',
        f'A calendar of {len(days)} nightly backups until '
        f'{LAST:%B} {LAST.day}. Kept are {len(kept)}: '
        + ', '.join(
            f'{day:%B} {day.day} ({", ".join(days[day])})' for day in kept
        )
        + '. All others are deleted.',
    )
    for month in (FIRST, LAST):
        _month(picture, month, days)
    _legend(picture, Counter(bool(why) for why in days.values()))
    return picture


def _month(
    picture: Picture, month: datetime, days: Mapping[date, tuple[str, ...]]
) -> None:
    picture.text(MARGIN, picture.y + 16, f'{month:%B %Y}', 'title')
    top = picture.y + 26
    for column, name in enumerate(('Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa', 'Su')):
        x = MARGIN + _COLUMN * (column + 0.5)
        picture.text(x, top + 12, name, 'small', 'soft', 'middle')
    top += 18
    row = 0
    for day, why in sorted(days.items()):
        if (day.year, day.month) != (month.year, month.month):
            continue
        x, y = MARGIN + _COLUMN * day.weekday(), top + _ROW * row
        if why:
            letters = ' '.join(word[0] for word in why)
            picture.box(
                x + 2,
                y + 2,
                _COLUMN - 4,
                _ROW - 4,
                'good',
                str(day.day),
                letters,
                styles=('small',),
            )
        else:
            words = x + _COLUMN / 2, y + _ROW / 2 + 5, str(day.day)
            picture.text(*words, 'small', 'soft struck', 'middle')
        picture.y = y + _ROW
        row += day.weekday() == 6
    picture.y += 8


def _legend(picture: Picture, counts: Mapping[bool, int]) -> None:
    y = picture.y + 4
    picture.box(MARGIN, y, 45, 26, 'good', 'd w m', styles=('small',))
    picture.text(MARGIN + 56, y + 18, f'kept: {counts[True]} backups')
    for place, rule in enumerate(RULES):
        below = y + 38 + 19 * place
        letter = rule.period.name[0]
        picture.text(MARGIN + 56, below, letter, 'small', 'soft')
        words = f'the last of each of {rule.count} {_UNITS[rule]}'
        picture.text(MARGIN + 76, below, words, 'small', 'soft')
    y += 38 + 19 * len(RULES) + 4
    picture.text(MARGIN + 22, y, '16', 'small', 'soft struck', 'middle')
    picture.text(MARGIN + 56, y, f'deleted: {counts[False]} backups')
    picture.y = y + 4


_UNITS = dict(zip(RULES, ('days', 'weeks', 'months'), strict=True))
