# SPDX-License-Identifier: Apache-2.0
"""What a kept backup is built on is kept, where the cloud demands it."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from vbsclient.retention import (
    Candidate,
    KeepLast,
    KeepName,
    Link,
    RuleSet,
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
    chain = [
        link('1', incremental=False),
        link('2', needed=False),
        link('3', incremental=False),
        link('4', needed=False),
    ]
    parents = infer_parents(chain)
    assert parents == {'1': None, '2': '1', '3': None, '4': '3'}


def test_a_backup_that_nothing_is_built_on_is_ignored() -> None:
    chain = [
        link('1', incremental=False),
        link('2', incremental=False, needed=False),
        link('3'),
    ]
    assert infer_parents(chain)['3'] == '1'


def test_unknown_counts_as_incremental() -> None:
    chain = [link('1', incremental=False), link('2', incremental=None)]
    assert infer_parents(chain)['2'] == '1'


def test_volumes_have_chains_of_their_own() -> None:
    chain = [link('1', incremental=False), link('2', volume='w')]
    assert infer_parents(chain) == {'1': None, '2': None}


def candidates(count: int) -> list[Candidate]:
    """The ids count upwards with time."""
    return [
        Candidate(f'{n}', 'v', created=NOW - timedelta(days=count - n))
        for n in range(1, count + 1)
    ]


def test_what_a_kept_backup_needs_is_kept_with_the_reason() -> None:
    parents = {'1': None, '2': '1', '3': '2', '4': None, '5': '4'}
    plan = make_plan(
        candidates(5), RuleSet([KeepLast(1)]), NOW, parents=parents
    )
    told = {d.backup.id: (d.keep, d.reasons) for d in plan.decisions}
    assert told == {
        '5': (True, ('last 1',)),
        '4': (True, ('needed by 5',)),
        '3': (False, ('kept by no rule',)),
        '2': (False, ('kept by no rule',)),
        '1': (False, ('kept by no rule',)),
    }


def test_what_the_newest_needs_is_kept() -> None:
    oldest, *others = candidates(3)
    plan = make_plan(
        [replace(oldest, name='golden'), *others],
        RuleSet([KeepName('golden')]),
        NOW,
        parents={'1': None, '2': '1', '3': '2'},
    )
    told = {d.backup.id: d.reasons for d in plan.kept}
    assert told == {
        '3': ('newest',),
        '2': ('needed by 3',),
        '1': ('name golden', 'needed by 3'),
    }


def test_unselected_backups_are_kept_and_need_their_parents() -> None:
    parents = {'1': None, '2': '1', '3': None, 'other': '2'}
    plan = make_plan(
        candidates(3), RuleSet([KeepLast(1)]), NOW, parents=parents
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
def test_a_kept_backup_never_loses_its_parent(
    incremental: list[bool | None], selected: list[bool], last: int
) -> None:
    ids = [str(n) for n in range(1, len(incremental) + 1)]
    parents = infer_parents(
        link(id, incremental=kind)
        for id, kind in zip(ids, incremental, strict=True)
    )
    chosen = [c for n, c in enumerate(candidates(len(ids))) if selected[n]]
    plan = make_plan(chosen, RuleSet([KeepLast(last)]), NOW, parents=parents)
    gone = {d.backup.id for d in plan.deleted}
    for id in ids:
        parent = parents[id]
        if id not in gone and parent is not None:
            assert parent not in gone


def test_a_full_backup_created_later_ends_no_chain() -> None:
    # Of an old snapshot: its data are older than 4, it is younger itself.
    full = Link('3', 'v', '2026-11-03', False, True, created_at='2026-11-09')
    chain = [
        Link('1', 'v', '2026-11-01', False, True, created_at='2026-11-01'),
        Link('2', 'v', '2026-11-02', True, False, created_at='2026-11-02'),
        full,
        Link('4', 'v', '2026-11-04', True, False, created_at='2026-11-04'),
    ]
    parents = infer_parents(chain)
    assert parents == {'1': None, '2': '1', '3': '1', '4': '3'}


def test_a_full_backup_without_dependency_information_ends_no_chain() -> None:
    chain = [link('1'), link('2', incremental=False, needed=None), link('3')]
    assert infer_parents(chain) == {'1': None, '2': '1', '3': '2'}


def test_data_of_the_same_time_may_be_built_on_older_data() -> None:
    # 4 is of a snapshot of the time of 3, too late to be built on it.
    chain = [
        Link('1', 'v', '2026-11-01', False, True, created_at='2026-11-01'),
        Link('2', 'v', '2026-11-02', True, False, created_at='2026-11-02'),
        Link('3', 'v', '2026-11-03', False, True, created_at='2026-11-03'),
        Link('4', 'v', '2026-11-03', True, False, created_at='2026-11-04'),
    ]
    parents = infer_parents(chain)
    assert parents == {'1': None, '2': '1', '3': '1', '4': '3'}


def test_a_full_backup_ends_no_chain_whose_end_has_not_been_seen() -> None:
    # 2 was not finished when 3 was built on 1.
    chain = [link('1'), link('2', incremental=False), link('3', needed=False)]
    assert infer_parents(chain) == {'1': None, '2': '1', '3': '2'}


@st.composite
def built(draw: st.DrawFn) -> dict[str, tuple[Link, str | None]]:
    """A volume's backups as Cinder builds them, each with its true parent.

    An increment is built on the available backup of the youngest data; one
    of a snapshot on the youngest that are older than the snapshot.  Some
    are never available.
    """
    taken: dict[str, float] = {}
    usable: list[str] = []
    parents: dict[str, str | None] = {}
    for day in range(draw(st.integers(2, 8))):
        id = f'{day:02}'
        snapshot = draw(st.booleans())
        age = draw(st.integers(1, 5)) - 0.5 if snapshot else 0
        taken[id] = day - age
        older = [u for u in usable if not snapshot or taken[u] < taken[id]]
        incremental = draw(st.booleans()) and bool(older)
        parents[id] = (
            max(older, key=taken.__getitem__) if incremental else None
        )
        if draw(st.integers(0, 9)):
            usable.append(id)
    told = draw(st.sampled_from([True, False]))
    return {
        id: (
            Link(
                id,
                'v',
                f'{taken[id] + 50:04.1f}',
                (parent is not None) if told or draw(st.booleans()) else None,
                id in parents.values()
                if told or draw(st.booleans())
                else None,
                created_at=f'{int(id) + 50:04.1f}',
            ),
            parent,
        )
        for id, parent in parents.items()
    }


@given(built(), st.integers(1, 3))
def test_a_chain_of_cinder_never_loses_a_parent(
    backups: dict[str, tuple[Link, str | None]], last: int
) -> None:
    parents = infer_parents(link for link, _ in backups.values())
    ids = sorted(backups)
    chosen = [
        Candidate(id, 'v', created=NOW - timedelta(days=len(ids) - n))
        for n, id in enumerate(ids)
    ]
    plan = make_plan(chosen, RuleSet([KeepLast(last)]), NOW, parents=parents)
    gone = {d.backup.id for d in plan.deleted}
    for id, (_, parent) in backups.items():
        if id not in gone:
            assert parent not in gone
