# SPDX-License-Identifier: Apache-2.0
"""A prune on services whose lists say what is not so."""

import contextlib
import itertools
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fakes import PROJECT
from tests.unit.world import Row, World, uuid
from vbsclient.api import errors
from vbsclient.api.csbs import CSBS_PROVIDER, ServerBackup
from vbsclient.api.http import Limits
from vbsclient.api.times import CalendarDuration
from vbsclient.bulk import State
from vbsclient.change.run import execute
from vbsclient.change.targets import Outcome, Recorder
from vbsclient.deletion import server_backups, siblings
from vbsclient.deletion.prune import ConfirmedPlan, Prune
from vbsclient.deletion.server_history import ServerHistory
from vbsclient.deletion.volume_history import VolumeHistory
from vbsclient.lookup.refusals import SkippedError, UnverifiedError
from vbsclient.retention import Candidate, KeepLast, RuleSet

MakeWorld = Callable[..., World]
NOW = datetime(2024, 6, 1, tzinfo=timezone.utc)
VOLUME = uuid(9000)
OWNER = 'os-backup-project-attr:project_id'


@pytest.fixture(autouse=True, scope='module')
def _no_patience() -> Iterator[None]:
    with (
        mock.patch.object(server_backups, 'PROOF_TIMEOUT', 0.0),
        mock.patch.object(siblings, 'SECOND_LOOK', 0.0),
        mock.patch('vbsclient.api.http._wait', return_value=0.0),
    ):
        yield


class Pruning:
    """One prune of one kind, carried out on a world."""

    def __init__(self, there: World, kind: str) -> None:
        self.there = there
        self.kind = kind
        self.confirmed: ConfirmedPlan | None = None

    def add(self, number: int, days: float, **changes: Any) -> str:
        """A backup so many days old of the one volume or server."""
        created = (NOW - timedelta(days=days)).isoformat()[:19]
        if self.kind == 'vbs':
            changes = {'volume_id': VOLUME, 'created_at': created} | changes
            return self.there.add_backup(number, **changes)
        changes = {'resource_id': VOLUME, 'created_at': created} | changes
        return self.there.add_item(number, 500 + number, **changes)

    @property
    def rows(self) -> list[Row]:
        vbs = self.kind == 'vbs'
        return self.there.backups if vbs else self.there.items

    def list_also(self, number: int, days: float) -> str:
        """Let lists show one that there is not."""
        id = self.add(number, days)
        absent = self.rows.pop()
        self.there.shown = lambda rows: [*rows, absent]
        return id

    def __call__(
        self, rule_set: RuleSet | None = None
    ) -> tuple[list[Outcome], Prune]:
        there = self.there
        history: Any = (
            VolumeHistory(
                there.vbs,
                there.csbs,
                lambda _: ((b, True) for b in there.vbs.backups.list()),
                lists_all=True,
                limits=there.limits,
            )
            if self.kind == 'vbs'
            else ServerHistory(
                there.csbs,
                there.csbs.backups.list,
                provider_id=CSBS_PROVIDER,
                limits=there.limits,
            )
        )
        rule_set = rule_set or RuleSet((KeepLast(1),))
        prune: Prune = Prune(history, rule_set, NOW)
        self.confirmed = confirmed = prune.confirm(prune.plan())
        outcomes = [Outcome.of(target) for target in confirmed.targets()]
        execute(
            confirmed.deletion,
            outcomes,
            Recorder(),
            there.limits,
        )
        return outcomes, prune

    def deleted(self) -> set[str]:
        key = re.compile('checkpoint_items=(.*)')
        return {
            found.group(1) if (found := key.search(line)) else line
            for line in self.there.deletes()
        }

    def gets(self, id: str) -> int:
        return sum(
            line.endswith(f'/{id}') for line in self.there.cloud.sent('GET')
        )


@pytest.fixture(params=['vbs', 'csbs'])
def pruning(world: MakeWorld, request: pytest.FixtureRequest) -> Pruning:
    return Pruning(world(pin='2', concurrency=4), request.param)


class TestWhatIsKept:
    def test_an_absent_backup_keeps_nothing(self, pruning: Pruning) -> None:
        ids = [pruning.add(n, n) for n in range(1, 5)]
        absent = pruning.list_also(9, 0.5)
        outcomes, prune = pruning()
        assert pruning.deleted() == set(ids[1:])
        assert list(prune.absent) == [absent]
        assert prune.absent[absent].is_gone
        skipped = {o.target.id: o.error for o in outcomes if o.error}
        assert list(skipped) == [ids[0]]
        assert isinstance(skipped[ids[0]], SkippedError)

    @pytest.mark.parametrize(
        'change',
        [
            {'status': 'deleting'},
            {'status': 'error'},
            {'status': 'restoring'},
            {'status': 'deleted'},
            {'volume_id': uuid(1), 'resource_id': uuid(1)},
            {OWNER: 'other', 'project_id': 'other'},
        ],
        ids=lambda change: next(iter(change.values())),
    )
    def test_what_is_not_as_the_list_shows_it_keeps_nothing(
        self, pruning: Pruning, change: Row
    ) -> None:
        ids = [pruning.add(n, n) for n in range(1, 5)]
        before = dict(pruning.rows[0])
        pruning.there.shown = lambda rows: [before, *rows[1:]]
        pruning.rows[0] |= change
        pruning()
        assert pruning.deleted() == set(ids[2:])

    @pytest.mark.parametrize('status', [401, 403, 429, 500, 503])
    def test_an_unreadable_backup_stops_deletions(
        self, pruning: Pruning, status: int
    ) -> None:
        ids = [pruning.add(n, n) for n in range(1, 5)]
        pruning.there.fails(f'GET .*/{ids[0]}', status)
        outcomes, _ = pruning()
        assert pruning.deleted() == set()
        assert {o.state for o in outcomes} == {State.REFUSED}
        assert {type(o.error) for o in outcomes} == {UnverifiedError}

    def test_a_list_of_absent_backups(self, pruning: Pruning) -> None:
        for n in range(1, 8):
            pruning.add(n, n)
        absent = list(pruning.rows)
        pruning.rows.clear()
        pruning.there.shown = lambda rows: absent
        outcomes, _ = pruning()
        assert pruning.deleted() == set()
        assert 'do not exist' in str(outcomes[-1].error)
        assert sum(pruning.gets(g['id']) for g in absent) == 3

    def test_one_get_for_a_group_that_loses_a_backup(
        self, pruning: Pruning
    ) -> None:
        ids = [pruning.add(n, n) for n in range(1, 9)]
        key = 'volume_id' if pruning.kind == 'vbs' else 'resource_id'
        alone = pruning.add(20, 1, **{key: uuid(9001)})
        pruning()
        assert pruning.deleted() == set(ids[1:])
        assert pruning.gets(ids[0]) == 1
        assert pruning.gets(alone) == 0

    def test_the_get_comes_just_before_the_first_delete(
        self, pruning: Pruning
    ) -> None:
        ids = [pruning.add(n, n) for n in range(1, 3)]
        pruning()
        sent = pruning.there.cloud.sent()
        [get] = [n for n, u in enumerate(sent) if u.endswith(f'/{ids[0]}')]
        assert sent[get + 1].startswith('DELETE')

    def test_what_is_sent_again_costs_one_more(self, pruning: Pruning) -> None:
        ids = [pruning.add(n, n) for n in range(1, 4)]
        pruning.there.fails('DELETE', 409)
        outcomes, _ = pruning()
        confirmed = pruning.confirmed
        assert confirmed is not None
        pruning.rows.pop(0)
        [target] = [o.target for o in outcomes if o.target.id == ids[1]]
        with pytest.raises(SkippedError, match='last 1'):
            confirmed.deletion.send(target, Recorder())
        assert pruning.gets(ids[0]) == 2

    def test_nothing_kept_needs_no_get(self, pruning: Pruning) -> None:
        ids = [pruning.add(n, n + 5) for n in range(1, 4)]
        rule_set = RuleSet(
            older_than=CalendarDuration('1d', days=1), allow_empty=True
        )
        pruning(rule_set)
        assert pruning.deleted() == set(ids)
        assert [pruning.gets(id) for id in ids] == [0, 0, 0]

    def test_rules_that_would_empty_a_group_after_all(
        self, pruning: Pruning
    ) -> None:
        for n in range(1, 4):
            pruning.add(n, n + 5)
        pruning.list_also(9, 0.5)
        outcomes, _ = pruning(
            RuleSet(older_than=CalendarDuration('1d', days=1))
        )
        assert pruning.deleted() == set()
        assert {type(o.error) for o in outcomes} == {UnverifiedError}


@pytest.mark.parametrize(
    ('extend', 'reason'),
    [
        ({'size': 1}, None),
        ({'supported_restore_mode': 'na'}, 'it cannot be restored'),
        (None, 'its extend_info is not readable'),
        ('rubbish', 'its extend_info is not readable'),
    ],
    ids=str,
)
def test_a_server_backup_counts_only_if_it_is_readable(
    extend: object, reason: str | None
) -> None:
    item = ServerBackup.from_body(
        {
            'id': uuid(1),
            'checkpoint_id': uuid(2),
            'resource_id': 'server',
            'status': 'available',
            'extend_info': extend,
        }
    )
    csbs = mock.Mock()
    csbs.backups.get.return_value = item
    history = ServerHistory(csbs, list, provider_id='', limits=Limits())
    absence = history.absence_of(Candidate(item.id, 'server'))
    assert (absence and absence.reason) == reason


class TestRowsOfOtherProjects:
    @pytest.mark.parametrize('days', [0.5, 30.0], ids=['newest', 'oldest'])
    def test_they_neither_count_nor_are_deleted(
        self, pruning: Pruning, days: float
    ) -> None:
        ids = [pruning.add(n, n) for n in range(1, 4)]
        foreign = pruning.add(9, days, **{OWNER: 'x', 'project_id': 'x'})
        pruning()
        assert pruning.deleted() == set(ids[1:])
        assert foreign not in pruning.deleted()

    def test_own_rows_with_the_project(self, pruning: Pruning) -> None:
        own = {OWNER: PROJECT, 'project_id': PROJECT}
        ids = [pruning.add(n, n, **own) for n in range(1, 4)]
        pruning()
        assert pruning.deleted() == set(ids[1:])


# -- any sequence of reads ---------------------------------------------------

rows = st.fixed_dictionaries(
    {
        'days': st.integers(0, 40),
        'status': st.sampled_from(
            ['available'] * 5 + ['error', 'deleting', 'creating']
        ),
        'foreign': st.sampled_from([False, False, False, True]),
        'exists': st.sampled_from([True, True, True, False]),
    }
)
#: What one list does to a row: shows it, leaves it out, shows it as it was.
views = st.lists(
    st.sampled_from(['shown', 'shown', 'shown', 'left out', 'as it was']),
    min_size=1,
    max_size=12,
)
rule_sets = st.builds(
    RuleSet,
    rules=st.sampled_from([(), (KeepLast(1),), (KeepLast(2),)]),
    older_than=st.sampled_from([None, CalendarDuration('5d', days=5)]),
).filter(lambda r: r.rules or r.older_than)


class Views:
    """Lists that show each row as they like."""

    def __init__(self, absent: list[Row], views: list[str]) -> None:
        self._absent = absent
        self._views = itertools.cycle(views)

    def __call__(self, rows: list[Row]) -> list[Row]:
        found = []
        for row in [*rows, *self._absent]:
            what = next(self._views)
            if what == 'as it was':
                found.append(row | {'status': 'available'})
            elif what == 'shown':
                found.append(row)
        return found


@given(
    st.sampled_from(['vbs', 'csbs']),
    st.lists(rows, min_size=1, max_size=8),
    views,
    rule_sets,
)
def test_the_newest_that_exists_is_always_kept(
    kind: str, created: list[Row], view: list[str], rule_set: RuleSet
) -> None:
    pruning = Pruning(World(pin='2', concurrency=4), kind)
    real, absent, foreign = {}, [], set()
    for number, row in enumerate(created, 1):
        owner = {OWNER: 'x', 'project_id': 'x'} if row['foreign'] else {}
        days = row['days'] + number / 100
        id = pruning.add(number, days, status=row['status'], **owner)
        if row['foreign']:
            foreign.add(id)
        if not row['exists']:
            absent.append(pruning.rows.pop())
        elif row['status'] == 'available' and not row['foreign']:
            real[id] = days
    pruning.there.shown = Views(absent, view)
    with contextlib.suppress(errors.ClientError):
        pruning(rule_set)
    pruning.there.cloud.session.session.close()
    deleted = pruning.deleted()
    assert not deleted & foreign
    assert not deleted & set(sorted(real, key=lambda id: real[id])[:1])
