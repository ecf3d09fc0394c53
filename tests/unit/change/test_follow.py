# SPDX-License-Identifier: Apache-2.0
"""Chains, busy resources and failed deletions, without any HTTP."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vbsclient.api import errors
from vbsclient.api.http import Limits
from vbsclient.bulk import State
from vbsclient.change.follow import Counts, Follower
from vbsclient.change.run import execute
from vbsclient.change.targets import Change, Done, Outcome, Recorder, Target
from vbsclient.lookup.refusals import (
    MissingError,
    RefusedError,
    UnverifiedError,
)
from vbsclient.waiting import Patience, ResourceStatus


@dataclass
class Thing:
    """A backup of a cloud that keeps chains together, or does not."""

    id: str
    volume: str
    age: int
    status: str = 'available'
    parent: str | None = None
    looks_left: int = 1


@dataclass
class Cloud:
    """Deletes in as many looks as a thing takes."""

    things: dict[str, Thing] = field(default_factory=dict)
    chains: bool = True
    sent: list[str] = field(default_factory=list)
    explained: list[str] = field(default_factory=list)
    temporary: str | None = None
    becomes: str | None = None
    gone_at_once: set[str] = field(default_factory=set)

    def add(self, *things: Thing) -> None:
        self.things.update({thing.id: thing for thing in things})

    def children(self, id: str) -> list[Thing]:
        return [t for t in self.things.values() if t.parent == id]


class FakeDeletion(Change):
    """The part of a deletion that is followed."""

    is_repeatable = True

    def __init__(self, cloud: Cloud, ids: Sequence[str]) -> None:
        self.cloud = cloud
        self.ids = ids

    def verify_again(self, ids: Sequence[str]) -> list[Target]:
        return type(self)(self.cloud, ids).targets()

    def targets(self) -> list[Target]:
        return [
            Target(id, 'backup', 'VBS', id=id, resource=self.cloud.things[id])
            for id in self.ids
        ]

    def send(self, target: Target, recorder: Recorder) -> Done:
        cloud, thing = self.cloud, target.verified
        cloud.sent.append(thing.id)
        if cloud.chains and cloud.children(thing.id):
            raise errors.BadRequest('dependants exist', status=400)
        if thing.status == 'protecting':
            raise errors.BadRequest('busy', status=400, code=cloud.temporary)
        if thing.id in cloud.gone_at_once:
            del cloud.things[thing.id]
            return Done('req-1', is_final=True)
        thing.status = 'deleting'
        return Done('req-1')

    def poll(self, targets: Sequence[Target]) -> Mapping[str, ResourceStatus]:
        return {t.verified_id: self._look(t.verified_id) for t in targets}

    def _look(self, id: str) -> ResourceStatus:
        thing = self.cloud.things.get(id)
        if thing is None:
            return ResourceStatus(None)
        if thing.looks_left:
            thing.looks_left -= 1
        elif thing.status == 'deleting' and self.cloud.becomes:
            thing.status = self.cloud.becomes
        elif thing.status == 'deleting':
            del self.cloud.things[id]
            return ResourceStatus(None)
        elif thing.status == 'protecting':
            thing.status = 'available'
        return ResourceStatus(thing.status, 'the disk is full')

    def chain_of(self, target: Target) -> str | None:
        return target.verified.volume

    def age_of(self, target: Target) -> str:
        return f'{target.verified.age:05}'

    def initial_status(self, target: Target) -> ResourceStatus:
        return ResourceStatus('available')

    def identity_of(self, target: Target) -> Mapping[str, object]:
        return {'volume': target.verified.volume}

    def explain(self, error: errors.BadRequest, target: Target) -> None:
        self.cloud.explained.append(target.id)


class NeverDeleting(FakeDeletion):
    """What has failed before, and never shows that it is being deleted."""

    updated_at = 'before'

    def send(self, target: Target, recorder: Recorder) -> Done:
        self.cloud.sent.append(target.verified_id)
        return Done('req-1')

    def poll(self, targets: Sequence[Target]) -> Mapping[str, ResourceStatus]:
        seen = ResourceStatus('error', 'the disk is full', self.updated_at)
        return {target.verified_id: seen for target in targets}

    def initial_status(self, target: Target) -> ResourceStatus:
        return ResourceStatus('error', None, 'before')


class FailedAgain(NeverDeleting):
    """The same, which the service has touched since."""

    updated_at = 'after'


class BusyThrice(FakeDeletion):
    """Refused three times, although it shows that it is idle."""

    looks = 0

    def send(self, target: Target, recorder: Recorder) -> Done:
        self.cloud.sent.append(f'after look {self.looks}')
        if len(self.cloud.sent) <= 3:
            raise errors.BadRequest('busy', status=400, code='CSBS.2003')
        target.verified.status = 'deleting'
        return Done('req-1')

    def poll(self, targets: Sequence[Target]) -> Mapping[str, ResourceStatus]:
        self.looks += 1
        return super().poll(targets)


Told = list[Counts]


class Observed(Follower):
    """Notes its counts after each poll."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.told: Told = []

    def _react(self, seen: Any) -> Any:
        watched = super()._react(seen)
        self.told.append(self.counts())
        return watched


def run(
    cloud: Cloud,
    *ids: str,
    wait: bool = True,
    patience: Patience | None = None,
    kind: type[FakeDeletion] = FakeDeletion,
) -> tuple[list, list, Told]:
    deletion = kind(cloud, ids)
    outcomes = [Outcome.of(target) for target in deletion.targets()]
    limits = Limits(1)
    recorder = Recorder()
    execute(deletion, outcomes, recorder, limits)
    follower = Observed(
        deletion,
        outcomes,
        recorder,
        limits,
        wants_all=wait,
        patience=patience or Patience(shortest=0.0, longest=0.0, idle=5.0),
    )
    unfinished = follower.run()
    return outcomes, unfinished, follower.told


def chain(volume: str, length: int) -> list[Thing]:
    return [
        Thing(
            f'{volume}{age}',
            volume,
            age,
            parent=f'{volume}{age - 1}' if age else None,
        )
        for age in range(length)
    ]


class TestChains:
    @pytest.mark.parametrize('order', list(itertools.permutations(range(3))))
    def test_any_order_ends_with_all_gone(self, order: Sequence[int]) -> None:
        cloud = Cloud()
        cloud.add(*chain('a', 3))
        outcomes, unfinished, _ = run(cloud, *(f'a{age}' for age in order))
        assert not cloud.things
        assert not unfinished
        assert {o.state for o in outcomes} == {State.DONE}
        assert all(o.state is State.DONE for o in outcomes)

    @pytest.mark.parametrize('order', list(itertools.permutations(range(3))))
    @pytest.mark.parametrize('wait', [False, True])
    def test_it_does_where_all_are_of_one_moment(
        self, order: Sequence[int], wait: bool
    ) -> None:
        ids = [f'a{number}' for number in order]
        cloud = Cloud()
        cloud.add(
            *(
                Thing(id, 'a', 0, parent=parent)
                for id, parent in zip(ids, [None, *ids[:2]], strict=True)
            )
        )
        outcomes, _, _ = run(cloud, 'a0', 'a1', 'a2', wait=wait)
        assert {o.state for o in outcomes} <= {State.ACCEPTED, State.DONE}

    @pytest.mark.parametrize('gone', [{'a1'}, {'a2'}, {'a1', 'a2'}])
    @pytest.mark.parametrize('wait', [False, True])
    def test_it_does_where_some_are_gone_with_the_answer(
        self, gone: set[str], wait: bool
    ) -> None:
        # As after a DELETE whose answer was lost.
        cloud = Cloud(gone_at_once=gone)
        cloud.add(*chain('a', 3))
        outcomes, _, _ = run(cloud, 'a0', 'a1', 'a2', wait=wait)
        assert {o.state for o in outcomes} <= {State.ACCEPTED, State.DONE}

    @given(
        lengths=st.lists(st.integers(1, 5), min_size=1, max_size=3),
        data=st.data(),
    )
    def test_each_is_sent_at_most_twice(
        self, lengths: list[int], data: st.DataObject
    ) -> None:
        cloud = Cloud()
        for number, length in enumerate(lengths):
            cloud.add(*chain('abc'[number], length))
        ids = data.draw(st.permutations(sorted(cloud.things)))
        run(cloud, *ids, wait=data.draw(st.booleans()))
        assert all(cloud.sent.count(id) <= 2 for id in ids)
        assert all(t.status == 'deleting' for t in cloud.things.values())

    def test_a_cloud_without_the_rule_is_not_waited_for(self) -> None:
        cloud = Cloud(chains=False)
        cloud.add(*chain('a', 3))
        _, unfinished, told = run(cloud, 'a0', 'a1', 'a2', wait=False)
        assert cloud.sent == ['a0', 'a1', 'a2']
        assert not unfinished
        assert not told

    def test_the_last_one_is_not_waited_for_without_being_asked(self) -> None:
        cloud = Cloud()
        cloud.add(*chain('a', 2))
        outcomes, unfinished, _ = run(cloud, 'a0', 'a1', wait=False)
        assert not unfinished
        by_id = {o.target.id: o for o in outcomes}
        assert by_id['a1'].state is State.DONE
        assert by_id['a0'].state is State.ACCEPTED

    def test_a_dependant_that_was_not_named_fails_and_is_explained(
        self,
    ) -> None:
        cloud = Cloud()
        cloud.add(*chain('a', 3))
        outcomes, unfinished, _ = run(cloud, 'a0', 'a1')
        assert {o.state for o in outcomes} == {State.FAILED}
        assert cloud.explained == ['a0', 'a1']
        assert not unfinished
        assert cloud.sent == ['a0', 'a1']

    def test_a_code_of_the_service_is_no_matter_of_chains(self) -> None:
        cloud = Cloud(temporary='VolumeBackup.0113')
        cloud.add(Thing('a0', 'a', 0, status='protecting'), *chain('a', 2)[1:])
        cloud.things['a1'].parent = None
        outcomes, _, _ = run(cloud, 'a0', 'a1')
        assert cloud.sent == ['a0', 'a1']
        assert outcomes[0].state is State.FAILED

    def test_what_waits_for_its_turn_at_the_end_is_not_sent(self) -> None:
        cloud = Cloud()
        cloud.add(*chain('a', 2))
        cloud.things['a1'].looks_left = 10**9
        outcomes, unfinished, _ = run(
            cloud, 'a0', 'a1', patience=Patience(0.05, 1, 0.01, 0.01)
        )
        assert [o.state for o in outcomes] == [State.NOT_SENT, State.ACCEPTED]
        assert {o.target.id for o in unfinished} == {'a0', 'a1'}


class TestBusy:
    @pytest.mark.parametrize('code', sorted(errors.TEMPORARY_CODES))
    def test_it_is_sent_again_when_it_is_idle(self, code: str) -> None:
        cloud = Cloud(temporary=code)
        cloud.add(Thing('a', 'a', 0, status='protecting'))
        outcomes, unfinished, _ = run(cloud, 'a')
        assert cloud.sent == ['a', 'a']
        assert outcomes[0].state is State.DONE
        assert not unfinished

    def test_without_waiting_it_is_a_failure(self) -> None:
        cloud = Cloud(temporary='CSBS.2003')
        cloud.add(Thing('a', 'a', 0, status='protecting'))
        outcomes, _, _ = run(cloud, 'a', wait=False)
        assert cloud.sent == ['a']
        assert outcomes[0].state is State.FAILED

    def test_each_repetition_has_a_look_of_its_own(self) -> None:
        cloud = Cloud()
        cloud.add(Thing('a', 'a', 0))
        outcomes, _, _ = run(cloud, 'a', kind=BusyThrice)
        assert outcomes[0].state is State.DONE
        assert cloud.sent == [f'after look {number}' for number in range(4)]

    def test_nothing_is_sent_when_the_time_is_over(self) -> None:
        cloud = Cloud(temporary='CSBS.2003')
        cloud.add(Thing('a', 'a', 0, status='protecting', looks_left=0))
        outcomes, unfinished, _ = run(cloud, 'a', patience=Patience(0.0))
        assert cloud.sent == ['a']
        assert outcomes[0].state is State.NOT_SENT
        assert unfinished == outcomes

    def test_a_lasting_refusal_is_not_repeated(self) -> None:
        cloud = Cloud(temporary='CSBS.8007')
        cloud.add(Thing('a', 'a', 0, status='protecting'))
        outcomes, _, _ = run(cloud, 'a')
        assert cloud.sent == ['a']
        assert outcomes[0].state is State.FAILED


class TestFailures:
    @pytest.mark.parametrize(
        'status', ['error_deleting', 'error', 'available']
    )
    def test_a_deletion_that_ends_otherwise_has_failed(
        self, status: str
    ) -> None:
        cloud = Cloud(becomes=status)
        cloud.add(Thing('a', 'a', 0))
        outcomes, unfinished, told = run(cloud, 'a')
        assert outcomes[0].state is State.FAILED
        assert status in str(outcomes[0].error)
        assert 'the disk is full' in str(outcomes[0].error)
        assert not unfinished
        assert told[-1] == Counts(queued=0, under_way=0, reached=0, failed=1)

    def test_a_failure_of_before_is_none_of_this_deletion(self) -> None:
        cloud = Cloud()
        cloud.add(Thing('a', 'a', 0))
        outcomes, unfinished, _ = run(
            cloud, 'a', kind=NeverDeleting, patience=Patience(0.0)
        )
        assert outcomes[0].state is State.ACCEPTED
        assert unfinished == outcomes

    def test_a_failure_that_is_newer_is_one(self) -> None:
        cloud = Cloud()
        cloud.add(Thing('a', 'a', 0))
        outcomes, unfinished, _ = run(cloud, 'a', kind=FailedAgain)
        assert outcomes[0].state is State.FAILED
        assert not unfinished

    def test_the_counts_are_what_was_observed(self) -> None:
        cloud = Cloud(chains=False)
        cloud.add(*chain('a', 3))
        cloud.things['a2'].looks_left = 3
        _, _, told = run(cloud, 'a0', 'a1', 'a2')
        assert told[0] == Counts(queued=0, under_way=3, reached=0, failed=0)
        assert told[-1] == Counts(queued=0, under_way=0, reached=3, failed=0)
        assert Counts(queued=0, under_way=1, reached=2, failed=0) in told


class Scripted(FakeDeletion):
    """One thing that is accepted, or refused once, and then seen so.

    :ivar looks: what it shows, one after another; the last one stays.
    :ivar first: what it showed before its DELETE.
    :ivar refusals: how its first DELETEs are answered.
    """

    first = ResourceStatus('available', None, 't1')
    looks: Sequence[ResourceStatus] = ()
    refusals: Sequence[errors.ClientError] = ()
    checked: Callable[[Target], None] = staticmethod(lambda t: None)

    def __init__(self, cloud: Cloud, ids: Sequence[str]) -> None:
        super().__init__(cloud, ids)
        self.looked = 0

    def verify_again(self, ids: Sequence[str]) -> list[Target]:
        return Checked(self, ids).targets()

    def send(self, target: Target, recorder: Recorder) -> Done:
        number = len(self.cloud.sent)
        self.cloud.sent.append(target.verified_id)
        if number < len(self.refusals):
            raise self.refusals[number]
        target.preceded = 'canceled 2 shares'
        return Done('req-1')

    def poll(self, targets: Sequence[Target]) -> Mapping[str, ResourceStatus]:
        seen = self.looks[min(self.looked, len(self.looks) - 1)]
        self.looked += 1
        return {target.verified_id: seen for target in targets}

    def initial_status(self, target: Target) -> ResourceStatus:
        return self.first


class Checked:
    """The rules once more."""

    def __init__(self, deletion: Scripted, ids: Sequence[str]) -> None:
        self._deletion, self._ids = deletion, ids

    def targets(self) -> list[Target]:
        found = FakeDeletion(self._deletion.cloud, self._ids).targets()
        for target in found:
            type(self._deletion).checked(target)
        return found


def follow_one(
    *looks: ResourceStatus,
    first: ResourceStatus = Scripted.first,
    refusals: Sequence[errors.ClientError] = (),
    checked: Callable[[Target], None] = lambda target: None,
) -> tuple[Any, list[str]]:
    """(the outcome of one thing, what was sent)."""

    class Kind(Scripted):
        pass

    Kind.looks, Kind.first, Kind.refusals = looks, first, refusals
    Kind.checked = staticmethod(checked)
    cloud = Cloud()
    cloud.add(Thing('a', 'a', 0))
    (outcome,), _, _ = run(
        cloud,
        'a',
        kind=Kind,
        patience=Patience(timeout=0.05, shortest=0.0, longest=0.0),
    )
    return outcome, cloud.sent


GOING = ResourceStatus('deleting', None, 't2')
AS_BEFORE = ResourceStatus('available', None, 't1')
GONE = ResourceStatus(None)


class TestTwoLooks:
    """A replica that lags shows what was: one look ends no deletion."""

    @given(
        st.lists(
            st.sampled_from([GOING, AS_BEFORE]), min_size=1, max_size=8
        ).filter(
            lambda looks: (
                not any(
                    a == b == AS_BEFORE
                    for a, b in itertools.pairwise([*looks, GONE])
                )
            )
        )
    )
    def test_stale_looks_between_others_are_no_failure(
        self, looks: list[ResourceStatus]
    ) -> None:
        outcome, _ = follow_one(*looks, GONE)
        assert outcome.state is State.DONE
        assert outcome.state is State.DONE

    def test_two_in_a_row_are(self) -> None:
        outcome, _ = follow_one(GOING, AS_BEFORE, AS_BEFORE)
        assert outcome.state is State.FAILED

    def test_one_is_if_it_has_changed_since(self) -> None:
        outcome, _ = follow_one(
            GOING, ResourceStatus('available', 'full', 't3'), GOING
        )
        assert outcome.state is State.FAILED
        assert 'full' in str(outcome.error)

    @pytest.mark.parametrize('status', ['available', 'error'])
    def test_a_new_reason_without_ever_deleting_is_a_failure(
        self, status: str
    ) -> None:
        outcome, _ = follow_one(
            ResourceStatus(status, 'no such container', 't2'), GONE
        )
        assert outcome.state is State.FAILED
        assert 'no such container' in str(outcome.error)

    @pytest.mark.parametrize('reason', [None, 'an old one'])
    def test_what_has_not_begun_is_none(self, reason: str | None) -> None:
        first = ResourceStatus('available', reason, 't1')
        outcome, _ = follow_one(first, first, first, GONE, first=first)
        assert outcome.state is State.DONE

    def test_what_was_noted_is_kept(self) -> None:
        outcome, _ = follow_one(GOING, GONE)
        assert outcome.target.preceded == 'canceled 2 shares'


CONFLICT = errors.Conflict('busy', status=409)


class TestSentAgain:
    @pytest.mark.parametrize('status', ['deleting', 'waiting_delete'])
    def test_what_acted_all_the_same_is_accepted(self, status: str) -> None:
        outcome, sent = follow_one(ResourceStatus(status), refusals=[CONFLICT])
        assert outcome.state is State.ACCEPTED
        assert sent == ['a']

    @pytest.mark.parametrize('now', [GONE, ResourceStatus('deleted')])
    def test_what_is_gone_is_not_sent_again(self, now: ResourceStatus) -> None:
        outcome, sent = follow_one(now, refusals=[CONFLICT])
        assert outcome.state is State.DONE
        assert sent == ['a']

    @pytest.mark.parametrize(
        'error',
        [
            errors.GatewayTimeout('late', status=504),
            errors.OutcomeUnknown(errors.ConnectionFailed('reset')),
        ],
    )
    @pytest.mark.parametrize(
        ('now', 'state'),
        [(GOING, State.ACCEPTED), (GONE, State.DONE), (AS_BEFORE, None)],
    )
    def test_what_begins_late_is_seen_by_the_wait(
        self,
        error: errors.ClientError,
        now: ResourceStatus,
        state: State | None,
    ) -> None:
        outcome, sent = follow_one(now, refusals=[error])
        unseen = (
            State.UNKNOWN
            if isinstance(error, errors.OutcomeUnknown)
            else State.FAILED
        )
        assert outcome.state is (state or unseen)
        assert sent == ['a']

    def test_a_rule_that_forbids_it_now_has_the_last_word(self) -> None:
        def checked(target: Target) -> None:
            target.refusal = RefusedError('it is shared with 1 project since')

        outcome, sent = follow_one(
            AS_BEFORE, refusals=[CONFLICT], checked=checked
        )
        assert 'since' in str(outcome.error)
        assert outcome.state is State.REFUSED
        assert sent == ['a']

    @pytest.mark.parametrize('proven', [False, True])
    def test_what_is_not_found_any_more_is_gone_only_by_a_look(
        self, proven: bool
    ) -> None:
        def checked(target: Target) -> None:
            target.refusal = MissingError('No backup found')

        outcome, sent = follow_one(
            AS_BEFORE,
            GONE if proven else AS_BEFORE,
            refusals=[CONFLICT],
            checked=checked,
        )
        assert (outcome.state is State.DONE) is proven
        assert sent == ['a']

    def test_another_identity_is_refused(self) -> None:
        def checked(target: Target) -> None:
            target.resource = Thing('a', 'another volume', 0)

        outcome, sent = follow_one(
            AS_BEFORE, refusals=[CONFLICT], checked=checked
        )
        assert 'its volume has changed to another volume' in str(outcome.error)
        assert sent == ['a']

    @pytest.mark.parametrize(
        'doubt',
        [
            UnverifiedError('who made it could not be read'),
            errors.ServiceUnavailable('later', status=503),
        ],
    )
    @pytest.mark.parametrize('times', [1, 3, 10**9])
    def test_what_cannot_be_checked_waits(
        self, doubt: errors.ClientError, times: int
    ) -> None:
        doubts = itertools.repeat(doubt, times)

        def checked(target: Target) -> None:
            target.refusal = next(doubts, None)

        outcome, sent = follow_one(
            *[AS_BEFORE] * 6, GONE, refusals=[CONFLICT], checked=checked
        )
        assert sent == ['a'] if times > 3 else ['a', 'a']
        assert outcome.state is State.DONE

    @pytest.mark.parametrize('times', [1, 10**9])
    def test_nor_is_a_chain_sent_unchecked(self, times: int) -> None:
        class Unreadable(FakeDeletion):
            left = times

            def verify_again(self, ids: Sequence[str]) -> list[Target]:
                if type(self).left > 0:
                    type(self).left -= 1
                    raise errors.ServiceUnavailable('later', status=503)
                return super().verify_again(ids)

        cloud = Cloud()
        cloud.add(*chain('a', 2))
        outcomes, _, _ = run(
            cloud,
            'a0',
            'a1',
            wait=False,
            kind=Unreadable,
            patience=Patience(timeout=0.05, shortest=0.0, longest=0.0),
        )
        assert cloud.sent.count('a0') == (2 if times == 1 else 1)
        assert outcomes[0].state is (
            State.ACCEPTED if times == 1 else State.NOT_SENT
        )
