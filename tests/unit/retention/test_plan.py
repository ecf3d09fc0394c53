# SPDX-License-Identifier: Apache-2.0
"""What a plan promises, whatever the history and the rules."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vbsclient.api.times import CalendarDuration
from vbsclient.osc.command.times import parse_calendar_duration
from vbsclient.retention import (
    DAILY,
    HOURLY,
    MONTHLY,
    UNLIMITED,
    WEEKLY,
    YEARLY,
    Candidate,
    Group,
    KeepLast,
    KeepName,
    KeepPeriods,
    KeepPeriodsWithin,
    KeepTag,
    KeepWithin,
    Period,
    Plan,
    Rule,
    RuleSet,
    make_plan,
)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=timezone.utc)
DAY = timedelta(days=1)
BERLIN = ZoneInfo('Europe/Berlin')
LORD_HOWE = ZoneInfo('Australia/Lord_Howe')

NAMES = ('nightly', 'pre-patch', None)
PERIODS = (HOURLY, DAILY, WEEKLY, MONTHLY, YEARLY)


def at(days: float, **more: object) -> Candidate:
    """A backup so many days ago."""
    created = NOW - timedelta(days=days)
    return Candidate(
        f'{days}',
        'db01',
        created=created,
        **more,  # type: ignore[arg-type]
    )


def deleted(plan: Plan) -> set[str]:
    return {decision.backup.id for decision in plan.deleted}


def kept(plan: Plan) -> set[str]:
    return {decision.backup.id for decision in plan.kept}


def reasons(plan: Plan, id: str) -> Sequence[str]:
    return next(d.reasons for d in plan.decisions if d.backup.id == id)


counts = st.one_of(st.integers(1, 5), st.just(UNLIMITED))
durations = st.builds(
    CalendarDuration,
    text=st.just('some time'),
    years=st.integers(0, 1),
    months=st.integers(0, 3),
    days=st.integers(0, 40),
    seconds=st.integers(1, 90000),
)
rules: st.SearchStrategy[Rule] = st.one_of(
    st.builds(KeepLast, counts),
    st.builds(KeepPeriods, st.sampled_from(PERIODS), counts),
    st.builds(KeepWithin, durations),
    st.builds(KeepPeriodsWithin, st.sampled_from(PERIODS), durations),
    st.just(KeepName('pre-*')),
    st.just(KeepTag('keep=yes')),
)
zones: st.SearchStrategy[tzinfo] = st.sampled_from(
    [timezone.utc, BERLIN, ZoneInfo('America/St_Johns')]
)
rule_sets = st.builds(
    RuleSet,
    rules=st.lists(rules, max_size=4).map(tuple),
    older_than=st.one_of(st.none(), durations),
    zone=zones,
)


@st.composite
def histories(draw: st.DrawFn) -> list[Candidate]:
    """Backups of two groups: near ones, far ones, at the same time."""
    ages = st.one_of(
        st.integers(-2, 72).map(lambda hours: timedelta(hours=hours)),
        st.integers(0, 900).map(lambda days: timedelta(days=days)),
    )
    backups = []
    for number in range(draw(st.integers(0, 25))):
        status = draw(
            st.sampled_from(['available'] * 6 + ['error', 'creating'])
        )
        protected = draw(st.sampled_from([False] * 9 + [True]))
        protections = ('shared',) * protected
        if status == 'creating' or (status == 'error' and draw(st.booleans())):
            protections += (f'status {status}',)
        dated = draw(st.sampled_from([True] * 19 + [False]))
        backups.append(
            Candidate(
                f'{number:02}',
                draw(st.sampled_from('ab')),
                name=draw(st.sampled_from(NAMES)),
                status=status,
                created=NOW - draw(ages) if dated else None,
                counts=status == 'available',
                protections=protections,
                tags=frozenset(draw(st.sampled_from([[], ['keep=yes']]))),
            )
        )
    return backups


@given(histories(), rule_sets)
def test_each_backup_is_decided_once_and_with_a_reason(
    backups: list[Candidate], rule_set: RuleSet
) -> None:
    plan = make_plan(backups, rule_set, NOW)
    assert sorted(d.backup.id for d in plan.decisions) == sorted(
        b.id for b in backups
    )
    if rule_set.rules or rule_set.older_than:
        assert all(decision.reasons for decision in plan.decisions)


@given(histories(), rule_sets, st.booleans())
def test_a_second_plan_deletes_nothing(
    backups: list[Candidate], rule_set: RuleSet, allow_empty: bool
) -> None:
    rule_set = replace(rule_set, allow_empty=allow_empty)
    plan = make_plan(backups, rule_set, NOW)
    left = [decision.backup for decision in plan.kept]
    assert deleted(make_plan(left, rule_set, NOW)) == set()


@given(histories(), rule_sets, rules)
def test_one_more_rule_never_deletes_more(
    backups: list[Candidate], rule_set: RuleSet, rule: Rule
) -> None:
    more = replace(rule_set, rules=(*rule_set.rules, rule))
    before = deleted(make_plan(backups, rule_set, NOW))
    assert deleted(make_plan(backups, more, NOW)) <= before


@given(histories(), rule_sets, durations)
def test_an_age_never_deletes_more(
    backups: list[Candidate], rule_set: RuleSet, duration: CalendarDuration
) -> None:
    anyhow = replace(rule_set, older_than=None)
    before = deleted(make_plan(backups, anyhow, NOW))
    aged = replace(rule_set, older_than=duration)
    assert deleted(make_plan(backups, aged, NOW)) <= before


@given(histories(), rule_sets)
def test_the_newest_restorable_backup_is_kept_or_reported(
    backups: list[Candidate], rule_set: RuleSet
) -> None:
    plan = make_plan(backups, rule_set, NOW)
    emptied = {backup.group for backup in plan.emptied}
    for group in {backup.group for backup in backups} - emptied:
        good = [
            b for b in backups if b.group == group and b.counts and b.created
        ]
        if good:
            newest = max(good, key=lambda b: (b.created or NOW, b.id))
            assert newest.id in kept(plan)
        assert any(d.keep for d in plan.decisions if d.backup.group == group)


@given(histories(), rule_sets, st.booleans())
def test_what_is_protected_or_has_no_date_is_never_deleted(
    backups: list[Candidate], rule_set: RuleSet, allow_empty: bool
) -> None:
    rule_set = replace(rule_set, allow_empty=allow_empty)
    for decision in make_plan(backups, rule_set, NOW).deleted:
        assert not decision.backup.protections
        assert decision.backup.created is not None


@given(histories(), rule_sets)
def test_groups_are_independent(
    backups: list[Candidate], rule_set: RuleSet
) -> None:
    alone = [
        make_plan([b for b in backups if b.group == group], rule_set, NOW)
        for group in 'ab'
    ]
    both = make_plan(backups, rule_set, NOW)
    assert deleted(both) == deleted(alone[0]) | deleted(alone[1])


@given(histories(), rule_sets, st.randoms())
def test_the_order_of_the_list_does_not_matter(
    backups: list[Candidate], rule_set: RuleSet, random: object
) -> None:
    shuffled = list(backups)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert make_plan(shuffled, rule_set, NOW) == make_plan(
        backups, rule_set, NOW
    )


def kept_by(rule: Rule, group: Group) -> set[str]:
    return {backup.id for backup, _ in rule.kept(group)}


@given(histories(), st.sampled_from(PERIODS), durations, zones)
def test_periods_within_a_duration_are_all_periods_and_all_within(
    backups: list[Candidate],
    period: Period,
    duration: CalendarDuration,
    zone: tzinfo,
) -> None:
    newest_first = sorted(
        (b for b in backups if b.created is not None),
        key=lambda b: (b.created or NOW, b.id),
        reverse=True,
    )
    group = Group(newest_first, NOW, zone)
    assert kept_by(KeepPeriodsWithin(period, duration), group) == (
        kept_by(KeepPeriods(period, UNLIMITED), group)
        & kept_by(KeepWithin(duration), group)
    )


@given(histories(), st.sampled_from(PERIODS), durations, zones)
def test_each_period_within_a_duration_keeps_its_newest(
    backups: list[Candidate],
    period: Period,
    duration: CalendarDuration,
    zone: tzinfo,
) -> None:
    good = [
        (b.created, b.id)
        for b in backups
        if b.group == 'a' and b.counts and b.created is not None
    ]
    past = [created for created, _ in good if created < NOW]
    since = duration.before(max(past), zone) if past else None
    newest: dict[str, str] = {}
    for created, id in sorted(good):
        if since is None or created > since:
            newest[period.label(created.astimezone(zone))] = id
    rule_set = RuleSet([KeepPeriodsWithin(period, duration)], zone=zone)
    assert set(newest.values()) <= kept(make_plan(backups, rule_set, NOW))


# -- examples --------------------------------------------------------------


def test_rules_that_keep_nothing_empty_a_group_and_say_so() -> None:
    plan = make_plan(
        [at(40), at(50)],
        RuleSet(older_than=CalendarDuration('30d', days=30)),
        NOW,
    )
    assert [backup.group for backup in plan.emptied] == ['db01']


def test_a_group_may_be_emptied_with_allow_empty() -> None:
    rule_set = RuleSet(
        older_than=CalendarDuration('30d', days=30), allow_empty=True
    )
    plan = make_plan([at(40), at(50)], rule_set, NOW)
    assert not plan.emptied
    assert deleted(plan) == {'40', '50'}


def test_a_group_of_failures_only_is_not_emptied_silently() -> None:
    failed = at(40, status='error', counts=False)
    plan = make_plan([failed], RuleSet([KeepLast(1)]), NOW)
    assert plan.emptied == [failed]


def test_what_cannot_be_restored_is_no_reason_to_delete_the_rest() -> None:
    failed = at(1, status='error', counts=False, protections=('status error',))
    plan = make_plan(
        [failed, at(40), at(50)],
        RuleSet(older_than=CalendarDuration('30d', days=30)),
        NOW,
    )
    assert [backup.group for backup in plan.emptied] == ['db01']


def test_failures_are_not_counted() -> None:
    failures = [
        at(days, status='error', counts=False) for days in (0.1, 0.2, 0.3)
    ]
    plan = make_plan([*failures, at(1), at(2)], RuleSet([KeepLast(1)]), NOW)
    assert kept(plan) == {'1'}


def test_the_newest_is_kept_if_a_rule_keeps_only_older_ones() -> None:
    plan = make_plan(
        [at(1), at(2), at(3, name='pre-1')], RuleSet([KeepName('pre-*')]), NOW
    )
    assert kept(plan) == {'1', '3'}
    assert reasons(plan, '1') == ('newest',)


def test_within_counts_from_the_newest_backup_and_not_from_now() -> None:
    stopped = [at(days) for days in (100, 103, 110)]
    plan = make_plan(
        stopped, RuleSet([KeepWithin(CalendarDuration('7d', days=7))]), NOW
    )
    assert kept(plan) == {'100', '103'}


def test_within_ignores_a_backup_from_the_future_as_the_newest() -> None:
    backups = [at(-400), at(1), at(3), at(30)]
    plan = make_plan(
        backups, RuleSet([KeepWithin(CalendarDuration('7d', days=7))]), NOW
    )
    assert kept(plan) == {'-400', '1', '3'}


DAYS_OF_A_WEEK = RuleSet(
    [KeepPeriodsWithin(DAILY, CalendarDuration('7d', days=7))]
)


def test_days_within_count_from_the_newest_backup_and_not_from_now() -> None:
    stopped = [at(days) for days in (100, 100.1, 103, 110)]
    plan = make_plan(stopped, DAYS_OF_A_WEEK, NOW)
    assert kept(plan) == {'100', '103'}
    assert reasons(plan, '103') == ('daily 2026-08-10 within 7d',)


def test_days_within_ignore_a_backup_from_the_future_as_the_newest() -> None:
    backups = [at(-400), at(1), at(3), at(3.1), at(30)]
    assert kept(make_plan(backups, DAYS_OF_A_WEEK, NOW)) == {'-400', '1', '3'}


def test_days_without_a_backup_do_not_reach_further_back() -> None:
    # Unlike a number of days, a duration is over at its end.
    backups = [at(1), at(2), at(20), at(40)]
    assert kept(make_plan(backups, DAYS_OF_A_WEEK, NOW)) == {'1', '2'}


def test_a_backup_just_as_old_as_the_duration_is_not_within_it() -> None:
    backups = [at(0.5), at(7.499), at(7.5)]
    assert deleted(make_plan(backups, DAYS_OF_A_WEEK, NOW)) == {'7.5'}


def test_failures_are_not_the_newest_of_their_day() -> None:
    failure = at(1, status='error', counts=False)
    plan = make_plan([failure, at(1.1), at(2)], DAYS_OF_A_WEEK, NOW)
    assert kept(plan) == {'1.1', '2'}


def test_the_oldest_is_kept_while_all_are_within_the_duration() -> None:
    young = make_plan([at(1), at(2), at(2.1)], DAYS_OF_A_WEEK, NOW)
    assert reasons(young, '2.1') == ('oldest daily 2026-11-19 within 7d',)
    later = make_plan([at(1), at(2), at(2.1), at(9)], DAYS_OF_A_WEEK, NOW)
    assert deleted(later) == {'2.1', '9'}


def test_the_oldest_is_kept_while_periods_are_missing() -> None:
    backups = [at(1), at(2), at(2.1)]
    plan = make_plan(backups, RuleSet([KeepPeriods(DAILY, 5)]), NOW)
    assert deleted(plan) == set()
    assert reasons(plan, '2.1') == ('oldest daily 2026-11-19',)


def test_the_same_age_is_not_older() -> None:
    ten_days = CalendarDuration('10d', days=10)
    plan = make_plan(
        [at(0), at(10), at(10.001)], RuleSet(older_than=ten_days), NOW
    )
    assert deleted(plan) == {'10.001'}


def test_an_age_that_reaches_before_all_time_deletes_nothing() -> None:
    rule_set = RuleSet(older_than=CalendarDuration('999999y', years=999999))
    assert deleted(make_plan([at(1), at(9000)], rule_set, NOW)) == set()


@pytest.mark.parametrize(
    ('zone', 'first'), [(timezone.utc, '2026-11-20'), (BERLIN, '2026-11-21')]
)
def test_a_day_begins_in_its_time_zone(zone: tzinfo, first: str) -> None:
    late = Candidate(
        'late',
        'db01',
        created=datetime(2026, 11, 20, 23, 30, tzinfo=timezone.utc),
    )
    plan = make_plan([late], RuleSet([KeepPeriods(DAILY, 1)], zone=zone), NOW)
    assert reasons(plan, 'late') == (f'daily {first}',)


def test_a_duration_uses_the_clocks_of_the_time_zone() -> None:
    noon = datetime(2026, 10, 26, 12, 0, tzinfo=BERLIN)
    day, hours = (
        CalendarDuration('1d', days=1),
        CalendarDuration('24h', seconds=86400),
    )
    assert day.before(noon, BERLIN).astimezone(BERLIN).hour == 12
    later = datetime(2026, 10, 25, 12, 0, tzinfo=BERLIN)
    assert hours.before(later, BERLIN).astimezone(BERLIN).hour == 13


@pytest.mark.parametrize(
    ('text', 'time', 'earlier', 'by_overflow'),
    [
        ('1mo', '2026-03-31', '2026-02-28', '2026-03-03'),
        ('1mo10d', '2026-03-30', '2026-02-18', '2026-02-20'),
        ('1mo10d', '2028-03-30', '2028-02-19', '2028-02-20'),
        ('1mo', '2026-12-31', '2026-11-30', '2026-12-01'),
        ('1y', '2028-02-29', '2027-02-28', '2027-03-01'),
        ('1mo10d', '2026-03-28', '2026-02-18', '2026-02-18'),
    ],
)
def test_months_are_clamped_before_days_are_counted(
    text: str, time: str, earlier: str, by_overflow: str
) -> None:
    duration = parse_calendar_duration(text)
    start = datetime.fromisoformat(f'{time}T00:00:00+00:00')
    before = duration.before(start, timezone.utc)
    assert before.date().isoformat() == earlier
    assert overflowing(duration, start).date().isoformat() == by_overflow


def overflowing(duration: CalendarDuration, time: datetime) -> datetime:
    """The same with days that a month does not have, in UTC.

    February 30 is two days after February 28.
    """
    months = (time.year - duration.years) * 12 + time.month - 1
    year, month = divmod(months - duration.months, 12)
    first = time.replace(year=year, month=month + 1, day=1)
    return first + timedelta(
        days=time.day - 1 - duration.days, seconds=-duration.seconds
    )


@given(durations, st.integers(0, 36525).map(lambda day: NOW - day * DAY))
def test_a_clamped_month_never_keeps_less_than_an_overflowing_one(
    duration: CalendarDuration, time: datetime
) -> None:
    before = duration.before(time, timezone.utc)
    assert before <= overflowing(duration, time)


@pytest.mark.parametrize(
    'local',
    [
        datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1),
        datetime(2026, 4, 5, 1, 45, tzinfo=LORD_HOWE, fold=1),
    ],
)
def test_hours_before_a_repeated_hour(
    local: datetime,
) -> None:
    clocks = local.tzinfo or BERLIN
    time = local.astimezone(timezone.utc)
    day = CalendarDuration('24h', seconds=86400)
    assert day.before(time, clocks) == time - timedelta(days=1)
