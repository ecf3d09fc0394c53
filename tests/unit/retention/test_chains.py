# SPDX-License-Identifier: Apache-2.0
"""What a kept backup is built on is kept, where the cloud demands it."""

from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from vbsclient.retention import (
    Candidate,
    KeepLast,
    Link,
    Policy,
    infer_parents,
    make_plan,
)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=timezone.utc)


def link(
    id: str,
    *,
    incremental: bool | None = True,
    needed: bool | None = True,
    volume: str = 'v',
) -> Link:
    return Link(id, volume, f'2026-11-{int(id):02}', incremental, needed)


def test_an_incremental_backup_is_built_on_the_one_before() -> None:
    assert infer_parents(
        [link('3'), link('1', incremental=False), link('2')]
    ) == {'1': None, '2': '1', '3': '2'}


def test_a_full_backup_begins_a_new_chain() -> None:
    chain = [link('1'), link('2', incremental=False), link('3')]
    assert infer_parents(chain) == {'1': None, '2': None, '3': '2'}


def test_what_nothing_is_built_on_is_passed_over() -> None:
    chain = [
        link('1', incremental=False),
        link('2', incremental=False, needed=False),
        link('3'),
    ]
    assert infer_parents(chain)['3'] == '1'


def test_what_does_not_say_what_it_is_counts_as_incremental() -> None:
    chain = [link('1', incremental=False), link('2', incremental=None)]
    assert infer_parents(chain)['2'] == '1'


def test_volumes_have_chains_of_their_own() -> None:
    chain = [link('1', incremental=False), link('2', volume='w')]
    assert infer_parents(chain) == {'1': None, '2': None}


def candidates(count: int) -> list[Candidate]:
    """The ids count upwards with time."""
    return [
        Candidate(f'{n}', 'v', made=NOW - timedelta(days=count - n))
        for n in range(1, count + 1)
    ]


def test_what_a_kept_backup_needs_is_kept_with_the_reason() -> None:
    parents = {'1': None, '2': '1', '3': '2', '4': None, '5': '4'}
    plan = make_plan(
        candidates(5), Policy([KeepLast(1)]), NOW, parents=parents
    )
    told = {d.backup.id: (d.keep, d.reasons) for d in plan.decisions}
    assert told == {
        '5': (True, ('last 1',)),
        '4': (True, ('needed by 5',)),
        '3': (False, ('kept by no rule',)),
        '2': (False, ('kept by no rule',)),
        '1': (False, ('kept by no rule',)),
    }


def test_what_is_not_selected_stays_and_needs_its_parents_too() -> None:
    parents = {'1': None, '2': '1', '3': None, 'other': '2'}
    plan = make_plan(
        candidates(3), Policy([KeepLast(1)]), NOW, parents=parents
    )
    told = {d.backup.id: d.reasons for d in plan.kept}
    assert told == {
        '3': ('last 1',),
        '2': ('needed by other',),
        '1': ('needed by other',),
    }


@given(
    st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=12),
    st.lists(st.booleans(), min_size=12, max_size=12),
    st.integers(1, 4),
)
def test_nothing_that_stays_ever_misses_what_it_is_built_on(
    incremental: list[bool | None], selected: list[bool], last: int
) -> None:
    ids = [str(n) for n in range(1, len(incremental) + 1)]
    parents = infer_parents(
        link(id, incremental=kind)
        for id, kind in zip(ids, incremental, strict=True)
    )
    chosen = [c for n, c in enumerate(candidates(len(ids))) if selected[n]]
    plan = make_plan(chosen, Policy([KeepLast(last)]), NOW, parents=parents)
    gone = {d.backup.id for d in plan.deleted}
    for id in ids:
        parent = parents[id]
        if id not in gone and parent is not None:
            assert parent not in gone
