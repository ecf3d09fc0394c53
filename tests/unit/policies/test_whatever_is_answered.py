# SPDX-License-Identifier: Apache-2.0
"""Whatever services answer: none but what is named joins or leaves a policy.

And each that is named has exactly one row, which tells the truth.
"""

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from tests.unit.maker import DOUBTFUL, REFUSALS
from tests.unit.policies.keeper import Answer, Keeper
from vbsclient.bulk import State
from vbsclient.change.targets import Outcome
from vbsclient.lookup.policies import find_policy
from vbsclient.policies.server_members import ServerAddition, ServerRemoval
from vbsclient.policies.volume_members import VolumeAddition, VolumeRemoval

NOW = datetime(2026, 11, 14, 2, 0, tzinfo=timezone.utc)
RECENT, OLD = '2026-11-10T02:00:00.000', '2026-09-10T02:00:00.000'

#: Nothing was done for these.
UNTOUCHED = (State.NOT_SENT, State.REFUSED, State.MISSING, State.UNCHANGED)

_WORDS = st.just('good') | st.sampled_from(REFUSALS + DOUBTFUL)
ANSWERS = st.lists(
    st.builds(
        Answer,
        word=_WORDS,
        acts=st.booleans(),
        how=st.sampled_from(
            ['replaces', 'replaces', 'merges', 'ignores', 'loses']
        ),
        told=st.lists(
            st.sampled_from(['success', 'failed', 'coded', 'nothing']),
            max_size=4,
        ),
        spares=st.sampled_from([0, 0, 1, 4]),
    ),
    max_size=6,
)
#: For each of four members: of which of three policies it is, if of any.
PLACES = st.lists(st.none() | st.integers(0, 2), min_size=4, max_size=4)
NAMED = st.lists(st.integers(0, 3), min_size=1, unique=True)
STOP_AT = st.none() | st.integers(1, 12)


@pytest.fixture(autouse=True, scope='module')
def _quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('vbsclient.api.http._wait', lambda state: 0.0)
        yield


def keep(places: list[int | None]) -> Keeper:
    keeper = Keeper(members=4, policies=3)
    for id, place in zip(keeper.ids, places, strict=True):
        if place is not None:
            policy = keeper.policy_ids[place]
            keeper.volumes[policy].append(id)
            keeper.put(policy, id)
    return keeper


def rows_are_those_named(
    outcomes: list[Outcome], named: list[str]
) -> dict[str, Outcome]:
    for outcome in outcomes:
        note(f'{outcome.target.id}: {outcome.state}, {outcome.error!r}')
    assert [outcome.target.argument for outcome in outcomes] == named
    return {outcome.target.argument: outcome for outcome in outcomes}


@pytest.mark.parametrize('joins', [True, False], ids=['add', 'remove'])
@given(
    places=PLACES,
    numbers=NAMED,
    answers=ANSWERS,
    seen=st.lists(st.booleans(), min_size=4, max_size=4),
    move=st.booleans(),
    stop_at=STOP_AT,
    counts_fail=st.booleans(),
)
def test_volumes(
    joins: bool,
    places: list[int | None],
    numbers: list[int],
    answers: list[Answer],
    seen: list[bool],
    move: bool,
    stop_at: int | None,
    counts_fail: bool,
) -> None:
    keeper = keep(places)
    keeper.answers = list(answers)
    policy = keeper.policy_ids[0]
    named = [keeper.ids[number] for number in numbers]
    for id, place, is_seen in zip(keeper.ids, places, seen, strict=True):
        if place is not None:
            at = RECENT if is_seen else OLD
            keeper.add_task(keeper.policy_ids[place], id, at)
    before = {id: set(members) for id, members in keeper.volumes.items()}
    common: tuple[Any, ...] = (
        keeper.vbs,
        keeper.cinder,
        find_policy(keeper.vbs.policies, policy),
        named,
    )
    change: Any = (
        VolumeAddition(*common, now=NOW, limits=keeper.limits, move=move)
        if joins
        else VolumeRemoval(*common, limits=keeper.limits)
    )
    if counts_fail:
        targets = change.targets()
        change.targets = lambda: targets
        keeper.faults.append(('GET .*/backuppolicy$', 500))
    rows = rows_are_those_named(keeper.carry_out(change, stop_at), named)
    for id, members in keeper.volumes.items():
        assert before[id] ^ set(members) <= set(named)
    # One request: each volume once, and of the policy that is meant.
    undone = ('429', '401', 'never left')
    assert len(keeper.sent) <= 1 or any(
        word in repr(answers) for word in undone
    )
    for target, ids, _ in keeper.sent:
        assert target == policy
        assert len(set(ids)) == len(ids)
        assert set(ids) <= set(named)
    asked = {id for _, ids, _ in keeper.sent for id in ids}
    for id, outcome in rows.items():
        place = places[keeper.ids.index(id)]
        is_taken = place in (1, 2) and seen[keeper.ids.index(id)]
        if joins and not move and is_taken:
            assert outcome.state is State.REFUSED
            assert id not in asked
        if outcome.state in UNTOUCHED:
            assert outcome.state is State.NOT_SENT or id not in asked
        if outcome.state in (State.DONE, State.UNKNOWN):
            assert id in asked


@given(
    places=PLACES,
    numbers=NAMED,
    answers=ANSWERS,
    move=st.booleans(),
    stop_at=STOP_AT,
)
def test_servers_that_join(
    places: list[int | None],
    numbers: list[int],
    answers: list[Answer],
    move: bool,
    stop_at: int | None,
) -> None:
    keeper = keep(places)
    keeper.answers = list(answers)
    policy = keeper.policy_ids[0]
    named = [keeper.ids[number] for number in numbers]
    before = {id: set(keeper.servers_of(id)) for id in keeper.policy_ids}
    enabled = {
        id: plan['scheduled_operations'][0]['enabled']
        for id, plan in keeper.plans.items()
    }
    change = ServerAddition(
        keeper.csbs,
        keeper.nova,
        find_policy(keeper.csbs.policies, policy),
        named,
        now=NOW,
        limits=keeper.limits,
        move=move,
    )
    rows = rows_are_those_named(keeper.carry_out(change, stop_at), named)
    _nothing_else(keeper, before, enabled, set(named))
    for id, outcome in rows.items():
        place = places[keeper.ids.index(id)]
        former = None if place is None else keeper.policy_ids[place]
        is_in = id in keeper.servers_of(policy)
        has_left = former is not None and id not in keeper.servers_of(former)
        if place in (1, 2) and not move:
            assert outcome.state is State.REFUSED
        if outcome.state is State.DONE:
            assert is_in
        elif outcome.state is State.UNCHANGED:
            assert place == 0
            assert is_in
        elif outcome.state is not State.UNKNOWN:
            assert not is_in
        if has_left and not is_in and outcome.state is not State.UNKNOWN:
            # One that is in no policy any more is told.
            assert outcome.state is State.FAILED
            assert outcome.target.preceded


@given(places=PLACES, numbers=NAMED, answers=ANSWERS, stop_at=STOP_AT)
def test_servers_that_leave(
    places: list[int | None],
    numbers: list[int],
    answers: list[Answer],
    stop_at: int | None,
) -> None:
    keeper = keep(places)
    keeper.answers = list(answers)
    policy = keeper.policy_ids[0]
    named = [keeper.ids[number] for number in numbers]
    before = {id: set(keeper.servers_of(id)) for id in keeper.policy_ids}
    enabled = {
        id: plan['scheduled_operations'][0]['enabled']
        for id, plan in keeper.plans.items()
    }
    change = ServerRemoval(
        keeper.csbs,
        keeper.nova,
        find_policy(keeper.csbs.policies, policy),
        named,
        now=NOW,
        limits=keeper.limits,
    )
    rows = rows_are_those_named(keeper.carry_out(change, stop_at), named)
    _nothing_else(keeper, before, enabled, set(named))
    for id, outcome in rows.items():
        is_in = id in keeper.servers_of(policy)
        if places[keeper.ids.index(id)] != 0:
            assert outcome.state is State.MISSING
        elif outcome.state is State.DONE:
            assert not is_in
        elif outcome.state is not State.UNKNOWN:
            assert is_in


def _nothing_else(
    keeper: Keeper,
    before: dict[str, set[str]],
    enabled: dict[str, bool],
    named: set[str],
) -> None:
    for id, members in before.items():
        assert members ^ set(keeper.servers_of(id)) <= named
        plan = keeper.plans[id]
        [operation] = plan['scheduled_operations']
        assert operation['enabled'] == enabled[id]
        if 'unknown' not in plan:
            # It may be that nobody has read it afterwards.
            assert keeper.stopped is not None or keeper.clock.is_set()
    for _, ids, had in keeper.sent:
        assert set(ids) ^ set(had) <= named
        assert len(set(ids)) == len(ids)
