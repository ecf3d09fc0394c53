# SPDX-License-Identifier: Apache-2.0
"""What is verified before a volume is backed up, and how it is followed."""

from datetime import datetime, timezone
from typing import Any

import pytest
import requests

from tests.unit.maker import Fate, Maker
from tests.unit.world import uuid
from vbsclient.api import errors
from vbsclient.api.http import Handle
from vbsclient.bulk import State
from vbsclient.change.targets import Outcome, Recorder, Target
from vbsclient.creation.base import APPEARS_IN, LOOKS, Wanted
from vbsclient.creation.volume_backups import VolumeBackupCreation
from vbsclient.lookup.refusals import MissingError, RefusedError
from vbsclient.waiting import Patience, ResourceStatus

NOW = datetime(2026, 11, 14, 2, 0, tzinfo=timezone.utc)
NAME = 'volume-1-20261114T020000Z'


def creation(
    there: Maker, *volumes: str, snapshot: str | None = None, **wanted: Any
) -> VolumeBackupCreation:
    return VolumeBackupCreation(
        there.vbs,
        there.cinder,
        volumes,
        Wanted(**wanted),
        now=NOW,
        limits=there.limits,
        snapshot=snapshot,
    )


def planned(there: Maker, *volumes: str, **options: Any) -> list[Target]:
    """The targets of a dry run, which changes nothing."""
    targets = creation(there, *volumes, **options).targets()
    assert there.sent('POST') == []
    return targets


def refusal_of(target: Target) -> str:
    assert isinstance(target.refusal, RefusedError)
    return target.refusal.message


def begin(there: Maker, *volumes: str) -> tuple[Any, list[Outcome]]:
    """A run that was sent and is not followed yet."""
    change = creation(there, *volumes)
    targets = change.targets()
    change.targets = lambda: targets  # type: ignore[method-assign]
    return change, there.carry_out(change)


class TestTargets:
    def test_by_id_and_by_name(self) -> None:
        there = Maker(volumes=3)
        one, two, _ = there.volumes
        targets = planned(there, one.upper(), 'volume-1', 'volume-0')
        # The same volume twice is one target.
        assert [t.id for t in targets] == [one, two]
        assert targets[1].new_name == NAME
        assert [t.refusal for t in targets] == [None, None]

    def test_what_is_not_there(self) -> None:
        there = Maker(volumes=1)
        good, *bad = planned(there, 'volume-0', uuid(1), 'no-name', '')
        assert good.refusal is None
        assert isinstance(bad[0].refusal, MissingError)
        assert isinstance(bad[1].refusal, MissingError)
        assert isinstance(bad[2].refusal, RefusedError)

    def test_two_volumes_of_one_name(self) -> None:
        there = Maker()
        ids = [there.add_volume(n, name='same') for n in (1, 2)]
        [target] = planned(there, 'same')
        assert all(id in refusal_of(target) for id in ids)

    @pytest.mark.parametrize(
        'status', ['creating', 'error', 'deleting', 'backing-up', '', 'IN-USE']
    )
    def test_its_status(self, status: str) -> None:
        there = Maker(volumes=1)
        bad = there.add_volume(1, status=status)
        good, refused = planned(there, 'volume-0', bad)
        assert good.refusal is None
        assert 'the status of the volume is' in refusal_of(refused)

    def test_a_backup_of_it_is_running(self) -> None:
        there = Maker(volumes=2)
        one, two = there.volumes
        running = there.add_backup(1, status='creating', volume_id=one)
        there.add_backup(2, status='restoring', volume_id=two)
        busy, free = planned(there, one, two)
        assert running in refusal_of(busy)
        assert free.refusal is None

    @pytest.mark.parametrize(('count', 'full'), [(19, False), (20, True)])
    def test_twenty_backups_of_a_volume(self, count: int, full: bool) -> None:
        there = Maker(volumes=1)
        [id] = there.volumes
        for number in range(count):
            there.add_backup(number, volume_id=id)
        there.add_backup(99, volume_id=id, status='deleted')
        [target] = planned(there, id)
        # The service decides: it is said in a dry run, and sent otherwise.
        assert target.refusal is None
        assert bool(target.expected) is full

    def test_tags_cannot_be_seen_again(self) -> None:
        there = Maker(volumes=1)
        [target] = planned(there, 'volume-0', tags={'a': 'b'})
        assert target.notes == ['VBS cannot show these tags again']

    @pytest.mark.parametrize(('count', 'lists'), [(2, 2), (6, 1)])
    def test_few_volumes_have_a_list_each(
        self, count: int, lists: int
    ) -> None:
        there = Maker(volumes=count)
        there.add_backup(1, status='creating')
        targets = planned(there, *there.volumes)
        assert [t.refusal is None for t in targets] == [
            False,
            *[True] * (count - 1),
        ]
        assert len(there.sent('GET .*/backups/detail')) == lists


class TestQuota:
    @pytest.mark.parametrize(
        ('quota', 'used', 'refused'), [(5, 2, 0), (5, 3, 3), (-1, 9, 0)]
    )
    def test_all_or_none(self, quota: int, used: int, refused: int) -> None:
        there = Maker(volumes=3)
        there.quota.update(quota=quota, used=used)
        targets = planned(there, *there.volumes)
        assert sum(t.refusal is not None for t in targets) == refused
        for target in targets[:refused]:
            assert 'the quota has room for 2 more backups' in refusal_of(
                target
            )

    def test_what_is_refused_needs_no_room(self) -> None:
        there = Maker(volumes=2)
        there.quota.update(quota=1, used=0)
        bad = there.add_volume(7, status='error')
        _, good, _ = planned(there, bad, 'volume-0', 'no-name')
        assert good.refusal is None

    def test_it_can_be_forced(self) -> None:
        there = Maker(volumes=1)
        there.quota.update(quota=1, used=1)
        [target] = planned(there, 'volume-0', force=True)
        assert target.refusal is None

    @pytest.mark.parametrize('status', [403, 404, 500])
    def test_one_that_cannot_be_read_refuses_nothing(
        self, status: int
    ) -> None:
        there = Maker(volumes=1)
        there.faults.append(('cloudbackups/quota', status))
        [target] = planned(there, 'volume-0')
        assert target.refusal is None


class TestSnapshot:
    def test_it_is_sent_by_its_id(self) -> None:
        there = Maker(volumes=1)
        [id] = there.volumes
        snapshot = there.add_snapshot(1, id)
        there.carry_out(creation(there, id, snapshot='snapshot-1'))
        assert there.bodies[0]['backup']['snapshot_id'] == snapshot

    @pytest.mark.parametrize('by', ['id', 'name'])
    def test_of_another_volume(self, by: str) -> None:
        there = Maker(volumes=2)
        one, two = there.volumes
        id = there.add_snapshot(1, two)
        snapshot = {'id': id, 'name': 'snapshot-1'}[by]
        [target] = planned(there, one, snapshot=snapshot)
        assert f'but of {two}' in refusal_of(target)

    @pytest.mark.parametrize('volume_id', [None, 5, ''])
    def test_of_no_volume(self, volume_id: Any) -> None:
        there = Maker(volumes=1)
        id = there.add_snapshot(1, '', volume_id=volume_id)
        [target] = planned(there, 'volume-0', snapshot=id)
        assert 'is not of this volume' in refusal_of(target)

    def test_its_status(self) -> None:
        there = Maker(volumes=1)
        [id] = there.volumes
        there.add_snapshot(1, id, status='error')
        [target] = planned(there, id, snapshot='snapshot-1')
        assert 'the status of the snapshot is error' in refusal_of(target)

    @pytest.mark.parametrize('snapshot', ['no-name', uuid(1), ''])
    def test_one_that_is_not_there_ends_it(self, snapshot: str) -> None:
        there = Maker(volumes=1)
        with pytest.raises(RefusedError):
            creation(there, 'volume-0', snapshot=snapshot).targets()
        assert there.sent('POST') == []


class TestBlockStorage:
    """A cloud without VBS."""

    def test_tags(self) -> None:
        there = Maker(vbs=False, volumes=1)
        with pytest.raises(RefusedError, match='has no tags'):
            creation(there, 'volume-0', tags={'a': 'b'}).targets()

    @pytest.mark.parametrize('force', [False, True])
    def test_a_volume_in_use_needs_force(self, force: bool) -> None:
        there = Maker(vbs=False, volumes=1)
        id = there.add_volume(1, status='available')
        in_use, available = there.carry_out(
            creation(there, 'volume-0', id, force=force)
        )
        assert available.state is State.ACCEPTED
        expected = State.ACCEPTED if force else State.REFUSED
        assert in_use.state is expected
        assert {body['backup']['force'] for body in there.bodies} == {force}

    @pytest.mark.parametrize('incremental', [None, False, True])
    def test_only_what_was_asked_for_is_incremental(
        self, incremental: bool | None
    ) -> None:
        there = Maker(vbs=False)
        id = there.add_volume(1, status='available')
        there.carry_out(creation(there, id, incremental=incremental))
        [body] = there.bodies
        assert body['backup']['incremental'] is (incremental is True)

    def test_it_is_followed_by_its_backup(self) -> None:
        there = Maker(vbs=False)
        id = there.add_volume(1, status='available')
        [outcome] = there.carry_out(creation(there, id), wait=True)
        assert outcome.state is State.DONE
        assert outcome.target.handle == Handle(
            backup_id=there.backups[0]['id']
        )
        assert there.sent('quota|jobs') == []


class TestSending:
    @pytest.mark.parametrize(
        ('incremental', 'extend'),
        [(None, None), (True, None), (False, {'FullBackup': 'true'})],
    )
    def test_what_is_sent(self, incremental: bool | None, extend: Any) -> None:
        there = Maker(volumes=1)
        [id] = there.volumes
        there.carry_out(
            creation(
                there,
                id,
                name='before',
                description='upgrade',
                tags={'a': 'b'},
                incremental=incremental,
            )
        )
        [body] = there.bodies
        assert body['backup'].pop('extend_param', None) == extend
        assert body == {
            'backup': {
                'volume_id': id,
                'name': 'before',
                'description': 'upgrade',
                'tags': [{'key': 'a', 'value': 'b'}],
            }
        }

    def test_its_job_is_the_handle(self) -> None:
        there = Maker(volumes=1)
        [outcome] = there.carry_out(creation(there, 'volume-0'))
        assert outcome.state is State.ACCEPTED
        assert outcome.target.handle == Handle(job_id=f'{0:032x}')

    @pytest.mark.parametrize('answer', ['400', '404', '409', '429 always'])
    @pytest.mark.parametrize('wait', [False, True])
    def test_what_is_refused_is_not_sent_again(
        self, answer: str, wait: bool
    ) -> None:
        there = Maker(volumes=1)
        [id] = there.volumes
        there.fates[id] = Fate(answer=answer)
        [outcome] = there.carry_out(creation(there, id), wait=wait)
        assert outcome.state is State.FAILED
        assert isinstance(outcome.error, errors.ServiceError)
        assert there.posts[id] == (12 if 'always' in answer else 1)


class TestLostAnswer:
    @pytest.mark.parametrize('hidden', [0, 1, 2])
    def test_it_is_looked_for(self, hidden: int) -> None:
        there = Maker(volumes=1)
        [id] = there.volumes
        there.fates[id] = Fate(answer='lost', hidden=hidden)
        [outcome] = there.carry_out(creation(there, id))
        assert outcome.state is State.ACCEPTED
        assert outcome.target.handle == Handle(
            backup_id=there.backups[0]['id']
        )
        assert outcome.result is not None
        # It may be that of somebody else, at the same time.
        assert outcome.result.remark.startswith('its answer was lost')
        assert there.clock.pauses == list(LOOKS[: hidden + 1])

    def test_it_is_unknown_if_nothing_is_found(self) -> None:
        there = Maker(volumes=1)
        there.fates[uuid(1000)] = Fate(answer='lost', acts=False)
        [outcome] = there.carry_out(creation(there, 'volume-0'))
        assert outcome.state is State.UNKNOWN
        assert there.clock.pauses == list(LOOKS)

    @pytest.mark.parametrize(
        'fault', [403, 500, requests.exceptions.ReadTimeout()]
    )
    def test_it_is_unknown_if_nothing_can_be_read(self, fault: Any) -> None:
        there = Maker(volumes=1)
        [id] = there.volumes
        there.fates[id] = Fate(answer='lost')
        change = creation(there, id)
        targets = change.targets()
        change.targets = lambda: targets  # type: ignore[method-assign]
        there.faults.append(('GET .*/backups', fault))
        [outcome] = there.carry_out(change)
        assert outcome.state is State.UNKNOWN
        assert isinstance(outcome.error, errors.OutcomeUnknown)

    def test_those_of_before_and_of_others_are_not_it(self) -> None:
        there = Maker(volumes=1)
        [id] = there.volumes
        there.add_backup(1, name='same', volume_id=id)
        there.fates[id] = Fate(answer='lost', acts=False)
        change = creation(there, id, name='same')
        targets = change.targets()
        change.targets = lambda: targets  # type: ignore[method-assign]
        other = {'os-bak-tenant-attr:tenant_id': 'f' * 32}
        there.add_backup(2, name='same', volume_id=id, **other)
        there.add_backup(3, name='same', volume_id=uuid(1))
        there.add_backup(4, name='another', volume_id=id)
        [outcome] = there.carry_out(change)
        assert outcome.state is State.UNKNOWN
        assert outcome.target.handle == Handle()

    def test_of_two_that_are_new_it_is_neither(self) -> None:
        there = Maker(volumes=1)
        [id] = there.volumes
        there.fates[id] = Fate(answer='lost')
        change = creation(there, id, name='same')
        targets = change.targets()
        change.targets = lambda: targets  # type: ignore[method-assign]
        there.add_backup(2, name='same', volume_id=id)
        [outcome] = there.carry_out(change)
        assert outcome.state is State.UNKNOWN

    @pytest.mark.parametrize('later', [1, 2, 3])
    def test_an_interruption_leaves_it_unknown(self, later: int) -> None:
        there = Maker(volumes=1)
        [id] = there.volumes
        there.fates[id] = Fate(answer='lost', hidden=1000)
        change = creation(there, id)
        targets = change.targets()
        change.targets = lambda: targets  # type: ignore[method-assign]
        # With the POST, or with a read that follows it.
        there.stop_at = len(there.log) + later
        [outcome] = there.carry_out(change)
        assert outcome.state is State.UNKNOWN
        assert isinstance(outcome.error, errors.OutcomeUnknown)

    @pytest.mark.parametrize(('hidden', 'found'), [(9, True), (50, False)])
    def test_a_wait_looks_for_it_for_a_minute(
        self, hidden: int, found: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(VolumeBackupCreation, 'appears_in', APPEARS_IN)
        there = Maker(volumes=1)
        [id] = there.volumes
        there.fates[id] = Fate(answer='lost', hidden=hidden)
        [outcome] = there.carry_out(
            creation(there, id),
            wait=True,
            patience=Patience(shortest=3.0),
        )
        assert outcome.state is (State.DONE if found else State.UNKNOWN)
        assert there.clock.now < APPEARS_IN + 30

    def test_a_wait_finds_what_appears_later(self) -> None:
        there = Maker(volumes=1)
        [id] = there.volumes
        there.fates[id] = Fate(answer='lost', hidden=3)
        [outcome] = there.carry_out(creation(there, id), wait=True)
        assert outcome.state is State.DONE


class TestWaiting:
    @pytest.mark.parametrize(
        'job',
        [
            ('SUCCESS',),
            ('INIT', 'RUNNING', 'RUNNING', 'SUCCESS'),
            # What is unread, unknown or forgotten is told by the backup.
            ('500', 'odd', 'SUCCESS'),
            ('404',),
            ('RUNNING', '404'),
        ],
    )
    def test_until_its_backup_is_available(self, job: Any) -> None:
        there = Maker(volumes=1)
        [id] = there.volumes
        there.fates[id] = Fate(job=job, life=['creating', 'available'])
        [outcome] = there.carry_out(creation(there, id), wait=True)
        assert outcome.state is State.DONE
        assert outcome.target.handle.backup_id == there.backups[0]['id']
        assert outcome.target.handle.job_id

    def test_a_job_that_fails(self) -> None:
        there = Maker(volumes=1)
        [id] = there.volumes
        there.fates[id] = Fate(job=['RUNNING', 'FAIL'], hidden=1000)
        [outcome] = there.carry_out(creation(there, id), wait=True)
        assert outcome.state is State.FAILED
        assert 'the disk is full, VolumeBackup.0064' in str(outcome.error)
        assert there.posts == {id: 1}

    def test_what_a_failed_job_leaves_is_named(self) -> None:
        there = Maker(volumes=1)
        [id] = there.volumes
        there.fates[id] = Fate(job=['RUNNING', 'FAIL'], life=['error'])
        [outcome] = there.carry_out(creation(there, id), wait=True)
        assert outcome.state is State.FAILED
        assert outcome.target.handle.backup_id == there.backups[0]['id']

    def test_a_backup_that_fails(self) -> None:
        there = Maker(volumes=1)
        [id] = there.volumes
        there.fates[id] = Fate(job=['SUCCESS'], life=['creating', 'error'])
        [outcome] = there.carry_out(creation(there, id), wait=True)
        assert outcome.state is State.FAILED

    def test_a_job_that_runs_is_alive(self) -> None:
        there = Maker(volumes=1)
        [id] = there.volumes
        there.fates[id] = Fate(job=[*['RUNNING'] * 400, 'SUCCESS'])
        [outcome] = there.carry_out(
            creation(there, id), wait=True, patience=Patience(idle=60)
        )
        assert there.clock.now > 600
        assert outcome.state is State.DONE

    def test_one_that_does_not_begin_is_not(self) -> None:
        there = Maker(volumes=1)
        [id] = there.volumes
        there.fates[id] = Fate(job=['INIT'])
        change, outcomes = begin(there, id)
        left = there.follow(change, outcomes, Recorder(), Patience(idle=60))
        assert left == outcomes
        assert outcomes[0].state is State.ACCEPTED
        assert outcomes[0].target.handle.job_id

    @pytest.mark.parametrize('count', [2, 6])
    def test_only_what_is_unfinished_is_asked_for(self, count: int) -> None:
        there = Maker(volumes=count)
        first, *_ = there.volumes
        there.fates[first] = Fate(job=['SUCCESS'], life=['available'])
        change, outcomes = begin(there, *there.volumes)
        left = there.follow(
            change, outcomes, Recorder(), Patience(timeout=9, shortest=3)
        )
        assert outcomes[0].state is State.DONE
        job = outcomes[0].target.handle.job_id
        assert len(there.sent(f'jobs/{job}')) == 1
        assert len(left) < count

    def test_what_a_poll_says(self) -> None:
        there = Maker(volumes=3)
        jobs = [['INIT'], ['RUNNING'], ['500']]
        for id, job in zip(there.volumes, jobs, strict=True):
            there.fates[id] = Fate(job=job)
        change, outcomes = begin(there, *there.volumes)
        one, two, _ = there.volumes
        assert change.poll([o.target for o in outcomes]) == {
            one: ResourceStatus('queued'),
            two: ResourceStatus('creating', is_alive=True),
        }
