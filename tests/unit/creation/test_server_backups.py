# SPDX-License-Identifier: Apache-2.0
"""What is verified before a server is backed up, and how it is followed."""

from datetime import datetime, timezone
from typing import Any

import pytest

from tests.unit.maker import Fate, Maker
from tests.unit.world import uuid
from vbsclient.api import errors
from vbsclient.api.csbs import CSBS_PROVIDER, NoServerBackups
from vbsclient.api.http import Handle
from vbsclient.bulk import State
from vbsclient.change.targets import Outcome, Recorder, Target
from vbsclient.creation.base import LOOKS, Wanted
from vbsclient.creation.server_backups import (
    APPEARS_IN,
    ServerBackupCreation,
)
from vbsclient.lookup.refusals import (
    MissingError,
    RefusedError,
    UnverifiedError,
)
from vbsclient.waiting import Patience, ResourceStatus

NOW = datetime(2026, 11, 14, 2, 0, tzinfo=timezone.utc)
C2 = f'POST .*/providers/{CSBS_PROVIDER}/resources/action$'
C1 = 'POST .*/resources/[0-9a-f-]{36}/action$'


def creation(
    there: Maker, *servers: str, **wanted: Any
) -> ServerBackupCreation:
    return ServerBackupCreation(
        there.csbs,
        there.nova,
        servers,
        Wanted(**wanted),
        now=NOW,
        limits=there.limits,
        clock=there.clock.read,
    )


def planned(there: Maker, *servers: str, **wanted: Any) -> list[Target]:
    """The targets of a dry run, which makes nothing."""
    targets = creation(there, *servers, **wanted).targets()
    assert there.sent(C1) == []
    return targets


def begin(there: Maker, *servers: str) -> tuple[Any, list[Outcome]]:
    """A run that was sent and is not followed yet."""
    change = creation(there, *servers)
    targets = change.targets()
    change.targets = lambda: targets  # type: ignore[method-assign]
    return change, there.carry_out(change)


class TestTargets:
    def test_by_id_and_by_name(self) -> None:
        there = Maker(servers=3)
        one, two, _ = there.servers
        targets = planned(there, one.upper(), 'server-1', 'server-0')
        assert [t.id for t in targets] == [one, two]
        assert targets[1].new_name == 'server-1-20261114T020000Z'
        assert (targets[0].type, targets[0].source) == ('backup', 'CSBS')
        # All at once, however many there are.
        assert len(there.sent(C2)) == 1

    def test_what_is_not_there(self) -> None:
        there = Maker(servers=1)
        good, *bad = planned(there, 'server-0', uuid(1), 'no-name')
        assert good.refusal is None
        assert all(isinstance(t.refusal, MissingError) for t in bad)
        [body] = [r.json() for r in there.cloud.requests if r.method == 'POST']
        assert [row['resource_id'] for row in body['check_protectable']] == [
            good.id
        ]

    def test_nothing_is_asked_if_there_is_none(self) -> None:
        there = Maker()
        planned(there, 'no-name')
        assert there.sent('POST|quotas') == []

    @pytest.mark.parametrize(
        ('answer', 'kind', 'words'),
        [
            (None, UnverifiedError, 'does not say whether the server can be'),
            ({'result': False}, RefusedError, 'it gives no reason'),
            ({}, RefusedError, 'cannot be backed up'),
            ({'result': 'false'}, RefusedError, 'cannot be backed up'),
            (
                {
                    'result': False,
                    'error_code': 'CSBS.2003',
                    'error_msg': 'It is busy.',
                },
                RefusedError,
                r'cannot be backed up: It is busy \(code CSBS.2003\)',
            ),
        ],
    )
    def test_what_the_service_refuses(
        self, answer: Any, kind: type[RefusedError], words: str
    ) -> None:
        there = Maker(servers=2)
        bad, _ = there.servers
        there.checks[bad] = answer
        refused, good = there.carry_out(creation(there, *there.servers))
        with pytest.raises(kind, match=words):
            raise refused.error or AssertionError
        assert refused.state is State.REFUSED
        assert good.state is State.ACCEPTED
        assert bad not in there.posts

    def test_the_hint_is_that_of_the_code(self) -> None:
        there = Maker(servers=1)
        [id] = there.servers
        there.checks[id] = {'result': False, 'error_code': 'CSBS.9006'}
        [target] = planned(there, id)
        assert target.refusal is not None
        assert target.refusal.hint == errors.HINTS['CSBS.9006']

    def test_what_it_says_beside_yes_is_a_note(self) -> None:
        there = Maker(servers=1)
        [id] = there.servers
        there.checks[id] = {'result': True, 'error_msg': 'it has a policy'}
        [outcome] = there.carry_out(creation(there, id))
        assert outcome.target.notes == ['it has a policy']
        assert outcome.result is not None
        assert outcome.result.remark == 'it has a policy'

    @pytest.mark.parametrize('status', [403, 500])
    def test_without_its_answer_nothing_is_sent(self, status: int) -> None:
        there = Maker(servers=1)
        there.faults.append((C2.removesuffix('$'), status))
        with pytest.raises(errors.ServiceError):
            creation(there, 'server-0').targets()
        assert there.sent(C1) == []

    @pytest.mark.parametrize('forced', [False, True])
    def test_the_quota(self, forced: bool) -> None:
        there = Maker(servers=3)
        there.quota.update(quota=3, used=1)
        targets = planned(there, *there.servers, force=forced)
        refused = [isinstance(t.refusal, RefusedError) for t in targets]
        assert refused == [not forced] * 3

    def test_a_plain_karbor(self) -> None:
        there = Maker(servers=1)
        there.faults.append(('GET .*/checkpoint_items', 404))
        there.providers = [{'id': uuid(1), 'name': 'one'}]
        with pytest.raises(NoServerBackups, match='is a plain Karbor'):
            creation(there, 'server-0').targets()
        assert there.sent('POST') == []


class TestSending:
    def test_what_is_sent(self) -> None:
        there = Maker(servers=1)
        [id] = there.servers
        there.carry_out(
            creation(
                there,
                id,
                name='before',
                description='patch',
                tags={'a': 'b'},
                incremental=False,
            )
        )
        assert there.bodies == [
            {
                'protect': {
                    'resource_type': 'OS::Nova::Server',
                    'backup_name': 'before',
                    'description': 'patch',
                    'incremental': False,
                    'tags': [{'key': 'a', 'value': 'b'}],
                }
            }
        ]

    def test_its_checkpoint_is_the_handle(self) -> None:
        there = Maker(servers=1)
        [outcome] = there.carry_out(creation(there, 'server-0'))
        assert outcome.state is State.ACCEPTED
        checkpoint = there.items[0]['checkpoint_id']
        assert outcome.target.handle == Handle(checkpoint_id=checkpoint)

    @pytest.mark.parametrize('answer', ['400', '404', '409', '429 always'])
    @pytest.mark.parametrize('wait', [False, True])
    def test_what_is_refused_is_not_sent_again(
        self, answer: str, wait: bool
    ) -> None:
        there = Maker(servers=1)
        [id] = there.servers
        there.fates[id] = Fate(answer=answer)
        [outcome] = there.carry_out(creation(there, id), wait=wait)
        assert outcome.state is State.FAILED
        assert isinstance(outcome.error, errors.ServiceError)
        assert there.posts[id] == (12 if 'always' in answer else 1)


class TestLostAnswer:
    def test_it_is_looked_for(self) -> None:
        there = Maker(servers=1)
        [id] = there.servers
        there.fates[id] = Fate(answer='503', hidden=1)
        [outcome] = there.carry_out(creation(there, id))
        assert outcome.state is State.ACCEPTED
        assert outcome.target.handle == Handle(
            backup_id=there.items[0]['id'],
            checkpoint_id=there.items[0]['checkpoint_id'],
        )
        assert there.clock.pauses == list(LOOKS[:2])

    def test_those_of_before_and_of_others_are_not_it(self) -> None:
        there = Maker(servers=1)
        [id] = there.servers
        there.add_item(1, name='same', resource_id=id)
        there.fates[id] = Fate(answer='lost', acts=False)
        change = creation(there, id, name='same')
        targets = change.targets()
        change.targets = lambda: targets  # type: ignore[method-assign]
        there.add_item(2, name='same', resource_id=id, project_id='f' * 32)
        there.add_item(3, name='same', resource_id=uuid(1))
        there.add_item(4, name='another', resource_id=id)
        [outcome] = there.carry_out(change)
        assert outcome.state is State.UNKNOWN
        assert outcome.target.handle == Handle()

    @pytest.mark.parametrize('later', [1, 2, 3])
    def test_an_interruption_leaves_it_unknown(self, later: int) -> None:
        there = Maker(servers=1)
        [id] = there.servers
        there.fates[id] = Fate(answer='lost', hidden=1000)
        change = creation(there, id)
        targets = change.targets()
        change.targets = lambda: targets  # type: ignore[method-assign]
        there.stop_at = len(there.log) + later
        [outcome] = there.carry_out(change)
        assert outcome.state is State.UNKNOWN

    def test_a_wait_finds_what_appears_later(self) -> None:
        there = Maker(servers=1)
        [id] = there.servers
        there.fates[id] = Fate(
            answer='lost', hidden=len(LOOKS), life=['protecting', 'available']
        )
        [outcome] = there.carry_out(creation(there, id), wait=True)
        assert outcome.state is State.DONE
        assert outcome.target.handle.backup_id


class TestWaiting:
    @pytest.mark.parametrize('count', [1, 2, 5])
    def test_until_each_backup_is_available(self, count: int) -> None:
        there = Maker(servers=count)
        for id in there.servers:
            there.fates[id] = Fate(
                hidden=2, life=['waiting_protect', 'protecting', 'available']
            )
        outcomes = there.carry_out(
            creation(there, *there.servers),
            wait=True,
            patience=Patience(timeout=90),
        )
        assert {o.state for o in outcomes} == {State.DONE}
        made = {item['resource_id']: item['id'] for item in there.items}
        for outcome in outcomes:
            assert outcome.target.handle.backup_id == made[outcome.target.id]

    def test_many_are_polled_with_one_list(self) -> None:
        there = Maker(servers=5)
        change, outcomes = begin(there, *there.servers)
        before = len(there.log)
        seen = change.poll([o.target for o in outcomes])
        assert sorted(seen) == sorted(there.servers)
        assert len(there.log) == before + 1

    def test_a_backup_that_fails(self) -> None:
        there = Maker(servers=1)
        [id] = there.servers
        there.fates[id] = Fate(life=['protecting', 'error'])
        [outcome] = there.carry_out(creation(there, id), wait=True)
        assert outcome.state is State.FAILED
        assert 'its status is now error' in str(outcome.error)

    def test_one_that_never_appears_is_unknown(self) -> None:
        there = Maker(servers=1)
        [id] = there.servers
        there.fates[id] = Fate(hidden=1000)
        change, outcomes = begin(there, id)
        left = there.follow(change, outcomes, Recorder(), Patience())
        assert left == []
        [outcome] = outcomes
        assert outcome.state is State.UNKNOWN
        assert 'accepted it and does not show it' in str(outcome.error)
        # By what can be asked the next day.
        assert outcome.target.handle.checkpoint_id
        assert APPEARS_IN < there.clock.now < APPEARS_IN + 15

    def test_its_time_to_appear_begins_with_its_own_answer(self) -> None:
        there = Maker(servers=2)
        one, two = there.servers
        for id in there.servers:
            there.fates[id] = Fate(hidden=1000)
        change, outcomes = begin(there, one, two)
        targets = [o.target for o in outcomes]
        there.clock.now = APPEARS_IN
        waiting = ResourceStatus('')
        assert change.poll(targets) == {one: waiting, two: waiting}
        change._watch._missing_since[two] += 5
        there.clock.now += 1
        absent = ResourceStatus('', is_absent=True)
        assert change.poll(targets) == {one: absent, two: waiting}

    def test_progress_is_life(self) -> None:
        there = Maker(servers=1)
        [id] = there.servers
        there.fates[id] = Fate(life=['protecting'])
        change, outcomes = begin(there, id)
        [item] = there.items
        read = there.clock.read

        def progress() -> float:
            """A percent in about three polls, until it is done."""
            percent = min(100, int(there.clock.now / 40))
            item['extend_info'] = {'progress': percent}
            item['life'] = ['available' if percent == 100 else 'protecting']
            return read()

        there.clock.read = progress  # type: ignore[method-assign]
        there.follow(change, outcomes, Recorder(), Patience(idle=60))
        assert outcomes[0].state is State.DONE
        assert there.clock.now >= 4000

    def test_what_stands_still_is_not_waited_for(self) -> None:
        there = Maker(servers=1)
        [id] = there.servers
        there.fates[id] = Fate(life=['protecting'])
        change, outcomes = begin(there, id)
        left = there.follow(change, outcomes, Recorder(), Patience(idle=60))
        assert left == outcomes
        assert outcomes[0].state is State.ACCEPTED
        assert outcomes[0].target.handle.backup_id
