# SPDX-License-Identifier: Apache-2.0
"""What two plans agree on, whatever has happened between them."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vbsclient.api import errors
from vbsclient.api.times import CalendarDuration
from vbsclient.change.targets import Target
from vbsclient.deletion.prune import (
    Absence,
    ConfirmedPlan,
    EmptyGroupError,
    History,
    Prune,
    Snapshot,
    group_label,
    status_reasons,
)
from vbsclient.lookup.refusals import (
    RefusedError,
    SkippedError,
    UnverifiedError,
)
from vbsclient.retention import (
    HOURLY,
    Candidate,
    Decision,
    KeepLast,
    KeepPeriodsWithin,
    KeepWithin,
    Plan,
    Rule,
    RuleSet,
    make_plan,
)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=timezone.utc)


class Deleting:
    """A deletion of which only the targets matter here."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known

    def targets(self) -> list[Target]:
        return [
            Target(id, 'backup', 'VBS', id=id, resource=resource)
            for id, resource in self._known.items()
        ]


class Changing(History):
    """A history that changes between two reads."""

    def __init__(self, *states: Sequence[Candidate]) -> None:
        self._states = list(states)

    def read(self, keep_bodies_of: Container[str] = ()) -> Snapshot:
        candidates = list(self._states.pop(0))
        return Snapshot(
            candidates,
            {},
            {c.id: c.id for c in candidates if c.id in keep_bodies_of},
        )

    def deletion(
        self, known: Mapping[str, str], confirm: Any, verify_again: Any
    ) -> Any:
        self.verify_again = verify_again
        return Deleting(known)

    def absence_of(self, backup: Candidate) -> Absence | None:
        return None


@st.composite
def candidates(draw: st.DrawFn) -> Candidate:
    status = draw(st.sampled_from(['available'] * 4 + ['error', 'restoring']))
    hours = draw(st.integers(-2, 60))
    return Candidate(
        draw(st.sampled_from('0123456789')),
        draw(st.sampled_from('ab')),
        name=draw(st.sampled_from(['nightly', 'renamed'])),
        created=NOW - timedelta(hours=hours) if draw(st.booleans()) else None,
        counts=status == 'available',
        protections=('busy',) if status == 'restoring' else (),
    )


@st.composite
def changes(draw: st.DrawFn) -> tuple[list[Candidate], list[Candidate]]:
    """What the first plan is made of, and the second one."""
    unique = st.lists(candidates(), max_size=10, unique_by=lambda c: c.id)
    first = draw(unique)
    second = {c.id: c for c in draw(unique)}
    for candidate in first:
        fate = draw(st.sampled_from(['kept', 'kept', 'gone', 'changed']))
        if fate == 'kept':
            second[candidate.id] = candidate
        elif fate == 'gone':
            second.pop(candidate.id, None)
        else:
            second[candidate.id] = replace(
                candidate, counts=False, protections=('shared',)
            )
    return first, list(second.values())


HALF_A_DAY = CalendarDuration('12h', seconds=12 * 3600)

rules: st.SearchStrategy[Rule] = st.one_of(
    st.builds(KeepLast, st.integers(1, 3)),
    st.builds(KeepWithin, st.just(HALF_A_DAY)),
    st.just(KeepPeriodsWithin(HOURLY, HALF_A_DAY)),
)
policies = st.builds(
    RuleSet,
    rules=st.lists(rules, min_size=1, max_size=2).map(tuple),
    older_than=st.sampled_from([None, CalendarDuration('1d', days=1)]),
    allow_empty=st.booleans(),
)


def of(plan: Plan) -> dict[str, Decision]:
    return {decision.backup.id: decision for decision in plan.decisions}


@given(changes(), policies)
def test_only_what_both_plans_delete_is_deleted(
    states: tuple[list[Candidate], list[Candidate]], rule_set: RuleSet
) -> None:
    prune = Prune(Changing(*states), rule_set, NOW)
    planned = of(plan := prune.plan())
    fresh = of(again := make_plan(states[1], rule_set, NOW))
    try:
        targets = prune.confirm(plan).targets()
    except EmptyGroupError:
        assert again.emptied
        return
    assert not again.emptied
    assert sorted(t.argument for t in targets) == sorted(
        d.backup.id for d in plan.deleted
    )
    for target in targets:
        id = target.argument
        if target.refusal is not None:
            assert isinstance(target.refusal, SkippedError)
            continue
        assert not planned[id].keep
        assert not fresh[id].keep
        assert fresh[id].backup.name == planned[id].backup.name
        assert fresh[id].backup.group == planned[id].backup.group


@given(changes(), policies)
def test_what_is_newest_by_now_is_kept(
    states: tuple[list[Candidate], list[Candidate]], rule_set: RuleSet
) -> None:
    rule_set = replace(rule_set, allow_empty=False)
    prune = Prune(Changing(*states), rule_set, NOW)
    plan = prune.plan()
    try:
        targets = prune.confirm(plan).targets()
    except EmptyGroupError:
        return
    gone = {t.argument for t in targets if t.refusal is None}
    for group in 'ab':
        restorable = [
            c
            for c in states[1]
            if c.group == group and c.counts and c.created is not None
        ]
        if restorable:
            newest = max(restorable, key=lambda c: (c.created, c.id))
            assert newest.id not in gone


@pytest.mark.parametrize(
    ('status', 'include_error', 'reasons'),
    [
        ('available', False, ((), ())),
        ('error', False, (('status error',), ())),
        ('error', True, ((), ('status error',))),
        ('error_deleting', True, (('status error_deleting',), ())),
        ('', True, (('of no known status',), ())),
        ('restoring', True, (('not finished (restoring)',), ())),
    ],
)
def test_what_a_status_says(
    status: str, include_error: bool, reasons: object
) -> None:
    assert status_reasons(status, include_error=include_error) == reasons


@pytest.mark.parametrize(
    ('name', 'label'), [(None, 'id'), ('id', 'id'), ('web01', 'web01 (id)')]
)
def test_a_group_is_named_once(name: str | None, label: str) -> None:
    assert group_label(Candidate('1', 'id', group_name=name)) == label


def test_an_interrupted_check_confirms_nothing() -> None:
    old, new = (Candidate(f'{n}', 'v', created=NOW) for n in (1, 2))
    history = Changing([old, new], [old, new])
    confirm: Any = None

    def deletion(known: Mapping[str, str], check: Any, again: Any) -> Any:
        nonlocal confirm
        confirm = check
        return Deleting(known)

    history.deletion = deletion  # type: ignore[method-assign]
    prune = Prune(history, RuleSet((KeepLast(1),)), NOW)
    prune.confirm(prune.plan())
    history.absence_of = mock.Mock(  # type: ignore[method-assign]
        side_effect=[errors.Cancelled('interrupted')] * 2 + [None]
    )
    for _ in range(2):
        with pytest.raises(errors.Cancelled):
            confirm('1')
    confirm('1')
    assert history.absence_of.call_count == 3


def test_a_backup_shared_after_its_delete_was_sent_is_skipped() -> None:
    old, new = (Candidate(f'{n}', 'v', created=NOW) for n in (1, 2))
    shared = replace(old, share_ids=('share',))
    history = Changing([shared, new], [shared, new], [old, new], [shared, new])
    prune = Prune(history, RuleSet((KeepLast(1),)), NOW)
    prune.confirm(prune.plan())
    verify_again = history.verify_again
    [target] = verify_again(['1'])
    # Its shares were canceled before the first DELETE.
    assert target.refusal is None
    [target] = verify_again(['1'])
    assert isinstance(target.refusal, SkippedError)
    assert target.refusal.message.endswith(': it is shared')


@pytest.mark.parametrize(
    ('refusal', 'expected'),
    [(RefusedError, SkippedError), (UnverifiedError, UnverifiedError)],
)
def test_a_refused_target_has_changed_unless_it_is_unverified(
    refusal: type[RefusedError], expected: type[RefusedError]
) -> None:
    target: Target = Target('1', 'backup', '', refusal=refusal('why'))
    deletion = mock.Mock(**{'targets.return_value': [target]})
    [target] = ConfirmedPlan(deletion, []).targets()
    assert type(target.refusal) is expected
