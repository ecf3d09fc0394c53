# SPDX-License-Identifier: Apache-2.0
"""Whatever the services answer: nothing is made twice, and nothing is hidden.

What a run says of each target is compared with what was made.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from tests.unit.maker import DOUBTFUL, REFUSALS, UNDONE, Fate, Maker
from vbsclient.bulk import State
from vbsclient.change.targets import ChangeFailed, Outcome
from vbsclient.creation.base import Wanted
from vbsclient.creation.server_backups import ServerBackupCreation
from vbsclient.creation.shares import ShareCreation
from vbsclient.creation.volume_backups import VolumeBackupCreation

NOW = datetime(2026, 11, 14, 2, 0, tzinfo=timezone.utc)
PROJECTS = [f'{number:032x}' for number in range(3)]

#: Nothing was sent for these, or nothing was done.
UNTOUCHED = (State.NOT_SENT, State.REFUSED, State.MISSING, State.UNCHANGED)

#: Twice as often as others: what is carried out in the end.
_ANSWERS = st.just('good') | st.sampled_from(REFUSALS + DOUBTFUL)
_HIDDEN = st.sampled_from([0, 0, 1, 2, 5, 1000])

FATES = st.builds(
    Fate,
    before=st.lists(st.sampled_from(UNDONE), max_size=3),
    answer=_ANSWERS,
    acts=st.booleans(),
    hidden=_HIDDEN,
    job=st.sampled_from(
        [
            ('INIT', 'RUNNING', 'SUCCESS'),
            ('SUCCESS',),
            ('RUNNING', 'FAIL'),
            ('FAIL',),
            ('RUNNING',),
            ('INIT',),
            ('404',),
            ('RUNNING', '404'),
            ('500', '503', 'odd', 'SUCCESS'),
            ('CANCELED',),
        ]
    ),
    life=st.sampled_from(
        [
            ('creating', 'available'),
            ('protecting', 'protecting', 'available'),
            ('available',),
            ('creating', 'error'),
            ('error',),
            ('creating',),
            ('',),
        ]
    ),
)

RUNS = st.fixed_dictionaries(
    {
        'fates': st.lists(FATES, min_size=1, max_size=4),
        'concurrency': st.sampled_from([1, 3]),
        'stop_at': st.none() | st.integers(1, 30),
        'wait': st.booleans(),
        # How many backups of that name there are already.
        'old': st.integers(0, 2),
    }
)


@pytest.fixture(autouse=True, scope='module')
def _quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('vbsclient.api.http._wait', lambda state: 0.0)
        yield


def check(maker: Maker, outcome: Outcome, made: int) -> None:
    """Hold what is said of one target against what was done for it."""
    may_be_done = outcome.target.id in maker.doubtful
    state, error = outcome.state, outcome.error
    note(f'{outcome.target.argument}: {state}, {error!r}, made {made}')
    assert made <= 1
    if state in UNTOUCHED:
        assert made == 0
    elif state is State.FAILED:
        assert made == 0 or isinstance(error, ChangeFailed)
        # Somebody has refused it.
        assert maker.posts[outcome.target.id or '']
    elif state is State.UNKNOWN:
        assert may_be_done
    else:
        assert state in (State.ACCEPTED, State.DONE)
        assert made == 1
    if state is State.NOT_SENT:
        # What was sent and not answered is not called so.
        assert not may_be_done


def backups_are_told(
    maker: Maker, outcomes: list[Outcome], ids: list[str], old: set[str]
) -> None:
    assert maker.broken == []
    assert sorted(o.target.id or '' for o in outcomes) == sorted(ids)
    for outcome in outcomes:
        id = outcome.target.id or ''
        check(maker, outcome, maker.made[id])
        if outcome.state in (State.ACCEPTED, State.DONE):
            handle = outcome.target.handle
            assert handle.backup_id or handle.job_id or handle.checkpoint_id
            assert handle.backup_id not in old


def run(
    maker: Maker,
    change: Any,
    stop_at: int | None,
    *,
    wait: bool = False,
    faults: Sequence[tuple[str, int]] = (),
) -> list[Outcome]:
    """The outcomes, if all was verified before the trouble began."""
    targets = change.targets()
    change.targets = lambda: targets
    maker.stop_at = stop_at and len(maker.log) + stop_at
    maker.faults += faults
    return maker.carry_out(change, wait=wait)


@pytest.mark.parametrize('vbs', [True, False], ids=['vbs', 'block storage'])
@given(run_=RUNS)
def test_volume_backups(vbs: bool, run_: dict[str, Any]) -> None:
    maker = Maker(vbs=vbs, concurrency=run_['concurrency'])
    ids = [maker.add_volume(n) for n in range(len(run_['fates']))]
    maker.fates = dict(zip(ids, run_['fates'], strict=True))
    old = {
        maker.add_backup(number, name='same', volume_id=ids[0])
        for number in range(run_['old'])
    }
    change = VolumeBackupCreation(
        maker.vbs,
        maker.cinder,
        ids,
        Wanted('same', force=True),
        now=NOW,
        limits=maker.limits,
    )
    outcomes = run(maker, change, run_['stop_at'], wait=run_['wait'])
    backups_are_told(maker, outcomes, ids, old)


@given(run_=RUNS)
def test_server_backups(run_: dict[str, Any]) -> None:
    maker = Maker(concurrency=run_['concurrency'])
    ids = [maker.add_server(n) for n in range(len(run_['fates']))]
    maker.fates = dict(zip(ids, run_['fates'], strict=True))
    old = {
        maker.add_item(number, name='same', resource_id=ids[0])
        for number in range(run_['old'])
    }
    change = ServerBackupCreation(
        maker.csbs,
        maker.nova,
        ids,
        Wanted('same'),
        now=NOW,
        limits=maker.limits,
        clock=maker.clock.read,
    )
    outcomes = run(maker, change, run_['stop_at'], wait=run_['wait'])
    backups_are_told(maker, outcomes, ids, old)


SOME_PROJECTS = st.lists(st.sampled_from(PROJECTS), unique=True)
SHARE_FATES = st.builds(
    Fate,
    before=st.lists(st.sampled_from(UNDONE), max_size=2),
    answer=_ANSWERS,
    acts=st.booleans(),
    left_out=SOME_PROJECTS,
    untold=SOME_PROJECTS,
)


@given(
    fates=st.lists(SHARE_FATES, min_size=1, max_size=3),
    projects=SOME_PROJECTS.filter(bool),
    existing=st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(PROJECTS)), unique=True
    ),
    concurrency=st.sampled_from([1, 4]),
    stop_at=st.none() | st.integers(1, 12),
    lists_fail=st.booleans(),
)
def test_shares(
    fates: list[Fate],
    projects: list[str],
    existing: list[tuple[int, str]],
    concurrency: int,
    stop_at: int | None,
    lists_fail: bool,
) -> None:
    maker = Maker(concurrency=concurrency)
    ids = [maker.add_backup(n) for n in range(len(fates))]
    maker.fates = dict(zip(ids, fates, strict=True))
    there = {(ids[n], p) for n, p in existing if n < len(ids)}
    for number, (backup, project) in enumerate(sorted(there)):
        maker.add_share(100 + number, backup, project)
    change = ShareCreation(
        maker.vbs, ids, dict.fromkeys(projects), limits=maker.limits
    )
    faults = [('GET .*sharing', 500)] if lists_fail else []
    outcomes = run(maker, change, stop_at, faults=faults)
    assert maker.broken == []
    wanted = [(id, project) for id in ids for project in projects]
    assert [
        (o.target.id, o.target.resource.project_id) for o in outcomes
    ] == wanted
    for outcome, key in zip(outcomes, wanted, strict=True):
        assert (outcome.state is State.UNCHANGED) == (key in there)
        check(maker, outcome, maker.made[key])
        if outcome.state is State.DONE:
            assert outcome.target.handle.share_id
    for body in maker.bodies:
        shared = body['shared']
        # All new projects of a backup at once, and no other one.
        assert shared['to_project_ids'] == [
            p for p in projects if (shared['backup_id'], p) not in there
        ]
