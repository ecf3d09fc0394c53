# SPDX-License-Identifier: Apache-2.0
"""Sharing backups: one request for each, and a row for each project."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.unit.fakes import PROJECT
from tests.unit.maker import Fate, Maker
from tests.unit.world import uuid
from vbsclient.api import errors
from vbsclient.api.http import Receipt
from vbsclient.bulk import State
from vbsclient.change.run import execute
from vbsclient.change.targets import Outcome, Recorder, Target
from vbsclient.creation.shares import ShareCreation, SharedWith
from vbsclient.lookup.refusals import MissingError, RefusedError

P1, P2, P3 = ('1' * 32, '2' * 32, '3' * 32)
OWNER = 'os-bak-tenant-attr:tenant_id'


def sharing(
    there: Maker,
    *backups: str,
    projects: Mapping[str, str | None] | None = None,
) -> ShareCreation:
    return ShareCreation(
        there.vbs,
        backups,
        projects or dict.fromkeys([P1, P2]),
        limits=there.limits,
    )


def states(outcomes: list[Outcome]) -> list[State]:
    return [outcome.state for outcome in outcomes]


def test_one_request_for_each_backup() -> None:
    there = Maker(concurrency=8)
    backups = [there.add_backup(n) for n in range(5)]
    outcomes = there.carry_out(sharing(there, *backups))
    assert states(outcomes) == [State.DONE] * 10
    assert sorted(there.posts.items()) == [(id, 1) for id in backups]
    for body in there.bodies:
        assert body['shared']['to_project_ids'] == [P1, P2]
    shares = {(s['backup_id'], s['to_project_id']): s for s in there.shares}
    for outcome in outcomes:
        project = outcome.target.resource.project_id
        share = shares[outcome.target.id, project]
        assert outcome.target.handle.share_id == share['id']


def test_a_backup_that_is_named_twice_is_shared_once() -> None:
    there = Maker()
    id = there.add_backup(1)
    outcomes = there.carry_out(sharing(there, id, 'backup-1', id.upper()))
    assert states(outcomes) == [State.DONE] * 2
    assert there.posts == {id: 1}


def test_what_is_shared_already_stays_as_it_is() -> None:
    there = Maker()
    id = there.add_backup(1)
    share = there.add_share(1, id, P1)
    old, new = there.carry_out(sharing(there, id))
    assert (old.state, new.state) == (State.UNCHANGED, State.DONE)
    assert old.target.handle.share_id == share
    assert there.bodies[0]['shared']['to_project_ids'] == [P2]


def test_nothing_is_sent_if_all_is_shared_already() -> None:
    there = Maker()
    id = there.add_backup(1)
    for number, project in enumerate([P1, P2]):
        there.add_share(number, id, project)
    outcomes = there.carry_out(sharing(there, id))
    assert states(outcomes) == [State.UNCHANGED] * 2
    assert there.sent('POST') == []


def test_the_rows_say_which_project_is_meant() -> None:
    there = Maker()
    id = there.add_backup(1)
    [one] = sharing(there, id, projects={P1: 'partner'}).targets()
    assert one.resource == SharedWith(P1, 'partner')
    assert (one.type, one.id, one.name) == ('share', id, 'backup-1')


class TestRefusals:
    def test_the_own_project(self) -> None:
        there = Maker()
        id = there.add_backup(1)
        change = sharing(there, id, projects={P1: None, PROJECT: 'mine'})
        with pytest.raises(RefusedError, match='has the backups') as raised:
            there.carry_out(change)
        assert raised.value.hint
        assert there.log == []

    @pytest.mark.parametrize(
        ('changes', 'words'),
        [
            ({'status': 'creating'}, 'its status is creating'),
            ({'status': 'error'}, 'its status is error'),
            ({'status': ''}, 'only a backup that is available'),
            ({OWNER: P3}, f'belongs to another project \\({P3}\\)'),
        ],
    )
    def test_of_one_backup(self, changes: dict[str, Any], words: str) -> None:
        there = Maker()
        bad = there.add_backup(1, **changes)
        good = there.add_backup(2)
        outcomes = there.carry_out(sharing(there, bad, good))
        assert states(outcomes) == [
            *[State.REFUSED] * 2,
            *[State.DONE] * 2,
        ]
        for outcome in outcomes[:2]:
            with pytest.raises(RefusedError, match=words):
                raise outcome.error or AssertionError
        assert there.posts == {good: 1}

    def test_the_hint_of_another_project_is_about_sharing(self) -> None:
        there = Maker()
        id = there.add_backup(1, **{OWNER: P3})
        [target, _] = sharing(there, id).targets()
        assert target.refusal is not None
        assert target.refusal.hint == 'Log in to that project to share it.'

    def test_what_is_not_there_has_a_row_for_each_project(self) -> None:
        there = Maker()
        outcomes = there.carry_out(sharing(there, uuid(1)))
        assert states(outcomes) == [State.MISSING] * 2
        assert [o.target.resource.project_id for o in outcomes] == [P1, P2]
        assert isinstance(outcomes[0].error, MissingError)
        assert there.sent('POST') == []

    def test_shares_that_cannot_be_read(self) -> None:
        there = Maker()
        id = there.add_backup(1)
        there.faults.append(('GET .*sharing', 403))
        with pytest.raises(errors.ClientError):
            there.carry_out(sharing(there, id))
        assert there.sent('POST') == []

    def test_no_vbs(self) -> None:
        there = Maker(vbs=False)
        with pytest.raises(errors.EndpointError, match='does not share'):
            there.carry_out(sharing(there, there.add_backup(1)))


class TestAnswers:
    @pytest.mark.parametrize('answer', ['good', 'no id', 'lost', '500'])
    def test_what_is_not_told_is_read(self, answer: str) -> None:
        there = Maker()
        id = there.add_backup(1)
        there.fates[id] = Fate(answer=answer, untold=[P1, P2])
        outcomes = there.carry_out(sharing(there, id))
        assert states(outcomes) == [State.DONE] * 2
        assert there.posts == {id: 1}
        remark = {
            'good': '',
            'no id': 'its answer was not the documented one',
        }.get(answer, 'its answer was lost')
        for outcome in outcomes:
            assert outcome.result is not None
            assert outcome.result.remark == remark

    def test_fewer_shares_than_were_asked_for(self) -> None:
        there = Maker()
        id = there.add_backup(1)
        there.fates[id] = Fate(left_out=[P1])
        failed, done = there.carry_out(sharing(there, id))
        assert (failed.state, done.state) == (State.FAILED, State.DONE)
        assert f'did not share it with {P1}' in str(failed.error)
        assert there.posts == {id: 1}

    def test_no_share_at_all_is_no_clear_answer(self) -> None:
        there = Maker()
        id = there.add_backup(1)
        there.fates[id] = Fate(left_out=[P1, P2])
        outcomes = there.carry_out(sharing(there, id))
        assert states(outcomes) == [State.UNKNOWN] * 2
        assert there.posts == {id: 1}

    def test_fewer_shares_and_none_can_be_read(self) -> None:
        there = Maker()
        id = there.add_backup(1)
        there.fates[id] = Fate(untold=[P1])
        change = sharing(there, id)
        targets = change.targets()
        change.targets = lambda: targets  # type: ignore[method-assign]
        there.faults.append(('GET .*sharing', 403))
        unknown, done = there.carry_out(change)
        assert (unknown.state, done.state) == (State.UNKNOWN, State.DONE)
        assert f'whether it shared it with {P1}' in str(unknown.error)

    @pytest.mark.parametrize(
        ('answer', 'state'),
        [
            ('400', State.FAILED),
            ('never left always', State.FAILED),
            ('503', State.UNKNOWN),
            ('lost', State.UNKNOWN),
        ],
    )
    def test_all_projects_share_the_end(
        self, answer: str, state: State
    ) -> None:
        there = Maker()
        id = there.add_backup(1)
        there.fates[id] = Fate(answer=answer, acts=False)
        outcomes = there.carry_out(sharing(there, id))
        assert states(outcomes) == [state] * 2
        assert outcomes[0].error is outcomes[1].error

    def test_a_mistake_of_ours_sends_nothing_twice(self) -> None:
        there = Maker()
        id = there.add_backup(1)
        outcomes = there.carry_out(sharing(there, id), recorder=Broken())
        assert states(outcomes) == [State.UNKNOWN] * 2
        assert there.posts == {id: 1}

    def test_a_stop_before_it_is_no_end(self) -> None:
        there = Maker()
        id = there.add_backup(1)
        change = sharing(there, id)
        targets = change.targets()
        change.targets = lambda: targets  # type: ignore[method-assign]
        there.clock.set()
        assert states(there.carry_out(change)) == [State.NOT_SENT] * 2
        assert there.posts == {}

    def test_what_was_sent_with_another_row_is_not_called_unsent(self) -> None:
        there = Maker()
        backups = [there.add_backup(n) for n in range(40)]
        for id in backups:
            there.fates[id] = Fate(answer='lost', hidden=1000)
        outcomes = there.carry_out(sharing(there, *backups))
        # Lost answers stop the run, perhaps in the midst of a backup.
        for outcome in outcomes:
            was_sent = outcome.target.id in there.posts
            state = State.UNKNOWN if was_sent else State.NOT_SENT
            assert outcome.state is state

    def test_while_it_is_under_way_no_row_is_called_unsent(self) -> None:
        there = Maker()
        there.add_backup(1)
        change = sharing(there, 'backup-1')
        outcomes = [Outcome.of(target) for target in change.targets()]
        looking = Looking(outcomes)
        execute(change, outcomes, looking, there.limits)
        assert looking.seen == [State.UNKNOWN] * 2
        assert states(outcomes) == [State.DONE] * 2
        assert all(o.started_at and o.answered_at for o in outcomes)


class Looking(Recorder):
    """Sees what an interruption would report while a request is sent."""

    def __init__(self, outcomes: list[Outcome]) -> None:
        self.outcomes = outcomes
        self.seen: list[State] = []

    def record(
        self, target: Target, action: str, send: Callable[[], Any]
    ) -> Any:
        """Look, and send."""
        self.seen += states(self.outcomes)
        return send()


class Broken(Recorder):
    """A recorder that fails after the request."""

    def record(
        self, target: Target, action: str, send: Callable[[], Any]
    ) -> Any:
        """Send, and fail."""
        receipt = send()
        assert isinstance(receipt, Receipt)
        raise RuntimeError('a mistake')
