# SPDX-License-Identifier: Apache-2.0
"""What is verified before a volume is overwritten, and how it is followed."""

from typing import Any

import pytest

from tests.unit.fakes import PROJECT
from tests.unit.maker import Fate
from tests.unit.restoring.restorer import Restorer
from tests.unit.world import uuid
from vbsclient.api import errors
from vbsclient.api.http import Handle
from vbsclient.bulk import State
from vbsclient.change.targets import Outcome, Target
from vbsclient.lookup.refusals import MissingError, RefusedError
from vbsclient.restoring.plan import LOOKS, Plan, plan_of

BUSY = {'status': 'restoring-backup'}
FREE = {'status': 'available'}
BROKEN = {'status': 'error_restoring'}
FOREIGN = 'os-bak-tenant-attr:tenant_id'

#: What makes a backup of a system disk, or of an encrypted one.
SYSTEM = {'service_metadata': '{"bootable": "true", "ST": 0}'}
DATA = {'service_metadata': '{"bootable": "False", "ST": 0}'}
ENCRYPTED = {'service_metadata': '{"CMKID": "k", "ST": 0}'}


def there(
    *,
    vbs: bool = True,
    volume: dict[str, Any] | None = None,
    backup: dict[str, Any] | None = None,
) -> Restorer:
    """A cloud with one volume, its backup, and another volume."""
    cloud = Restorer(vbs=vbs)
    cloud.add_volume(0, **(volume or {}))
    cloud.add_volume(1)
    cloud.add_backup(0, **(backup or {}))
    cloud.script = [BUSY, FREE]
    return cloud


VOLUME, OTHER, BACKUP = uuid(1000), uuid(1001), uuid(4000)


def planned(cloud: Restorer, **options: Any) -> tuple[Target, Plan]:
    """What a dry run shows, which changes nothing."""
    [target] = cloud.volume_restore(BACKUP, VOLUME, **options).targets()
    assert cloud.sent('POST') == []
    return target, plan_of(target)


def refusal_of(cloud: Restorer, **options: Any) -> str:
    target, plan = planned(cloud, **options)
    assert isinstance(target.refusal, RefusedError)
    assert plan.refusal is not None
    # It is refused where it is sent, too, whoever goes on with it.
    [outcome] = cloud.carry_out(
        cloud.volume_restore(BACKUP, VOLUME, **options), wait=True
    )
    assert outcome.state is State.REFUSED
    assert cloud.sent('POST') == []
    assert cloud.overwritten == {}
    return target.refusal.message


class TestRefusals:
    def test_a_good_one(self) -> None:
        target, plan = planned(there())
        assert target.refusal is None
        assert (target.id, target.name) == (VOLUME, 'volume-0')
        [disk] = plan.disks
        assert (disk.backup_id, disk.source_id) == (BACKUP, VOLUME)
        assert (disk.target_id, disk.check) == (VOLUME, 'overwrites')
        assert (disk.zone, disk.size, disk.target_size) == ('same', 10, 10)

    @pytest.mark.parametrize(
        'status',
        ['creating', 'error', 'restoring', 'deleting', '', 'AVAILABLE'],
    )
    @pytest.mark.parametrize('force', [False, True])
    def test_the_status_of_the_backup(self, status: str, force: bool) -> None:
        cloud = there(backup={'status': status})
        said = refusal_of(cloud, force=force)
        assert 'the status of the backup is' in said

    @pytest.mark.parametrize(
        'status',
        ['in-use', 'backing-up', 'restoring-backup', 'error', '', 'creating'],
    )
    @pytest.mark.parametrize('force', [False, True])
    def test_the_status_of_the_volume(self, status: str, force: bool) -> None:
        cloud = there(volume={'status': status})
        said = refusal_of(cloud, force=force)
        assert 'the status of the volume is' in said

    @pytest.mark.parametrize('force', [False, True])
    def test_where_it_is_attached(self, force: bool) -> None:
        cloud = there()
        server = cloud.add_server_of(0, [VOLUME])
        attachment = {'server_id': server, 'device': '/dev/vdb'}
        cloud.volumes[VOLUME]['attachments'] = [attachment]
        said = refusal_of(cloud, force=force)
        assert 'attached to server-0 as /dev/vdb' in said
        target, _ = planned(cloud)
        hint = target.refusal.hint if target.refusal else None
        # Both are named, by what cannot be mistaken.
        assert server in str(hint)
        assert VOLUME in str(hint)

    @pytest.mark.parametrize('size', [11, 9.5, None, '10', True])
    @pytest.mark.parametrize('force', [False, True])
    def test_its_size(self, size: Any, force: bool) -> None:
        said = refusal_of(there(backup={'size': size}), force=force)
        assert 'has 10 GB' in said or 'is not told' in said
        cloud = there(volume={'size': None})
        assert 'is not told' in refusal_of(cloud, force=force)

    @pytest.mark.parametrize('force', [False, True])
    def test_another_backup_is_being_made(self, force: bool) -> None:
        cloud = there()
        id = cloud.add_backup(1, status='creating', volume_id=VOLUME)
        assert id in refusal_of(cloud, force=force)
        cloud = there()
        cloud.add_backup(1, status='creating', volume_id=OTHER)
        cloud.add_backup(2, status='deleted', volume_id=VOLUME)
        assert planned(cloud)[0].refusal is None

    @pytest.mark.parametrize(
        ('backup', 'volume', 'words'),
        [
            (SYSTEM, {'bootable': 'false'}, 'and the volume is a data disk'),
            (DATA, {'bootable': 'TRUE'}, 'is a system disk'),
            (DATA, {'bootable': True}, 'is a system disk'),
            (ENCRYPTED, {'encrypted': False}, 'the backup is encrypted'),
            (DATA, {'encrypted': True}, 'the volume is encrypted'),
            (DATA, {'encrypted': 'true'}, 'the volume is encrypted'),
        ],
    )
    def test_what_alone_can_be_forced(
        self, backup: Any, volume: Any, words: str
    ) -> None:
        assert words in refusal_of(there(backup=backup, volume=volume))
        cloud = there(backup=backup, volume=volume)
        assert planned(cloud, force=True)[0].refusal is None

    @pytest.mark.parametrize(
        ('backup', 'volume'),
        [
            (SYSTEM, {'bootable': 'true'}),
            (ENCRYPTED, {'encrypted': True}),
            # What is not told differs from nothing.
            (SYSTEM, {'bootable': None}),
            (ENCRYPTED, {'encrypted': 'odd'}),
            ({}, {'bootable': 'true', 'encrypted': True}),
        ],
    )
    def test_what_does_not_differ(self, backup: Any, volume: Any) -> None:
        cloud = there(backup=backup, volume=volume)
        assert planned(cloud)[0].refusal is None

    @pytest.mark.parametrize('force', [False, True])
    def test_of_another_project(self, force: bool) -> None:
        cloud = there(backup={FOREIGN: 'f' * 32})
        with pytest.raises(RefusedError, match='belongs to another project'):
            cloud.volume_restore(BACKUP, VOLUME, force=force).targets()
        with pytest.raises(MissingError):
            cloud.volume_restore('backup-0', VOLUME, force=force).targets()
        assert cloud.sent('POST') == []
        cloud = there(backup={FOREIGN: PROJECT.upper()})
        assert planned(cloud)[0].refusal is None

    @pytest.mark.parametrize('force', [False, True])
    def test_one_that_is_shared_with_us(self, force: bool) -> None:
        cloud = there()
        cloud.add_share(0, uuid(4711), PROJECT)
        with pytest.raises(RefusedError, match='shares with this one') as why:
            cloud.volume_restore(uuid(4711), VOLUME, force=force).targets()
        assert not isinstance(why.value, MissingError)
        assert cloud.sent('POST') == []

    def test_whether_it_is_shared_with_us_is_not_known(self) -> None:
        cloud = there()
        cloud.faults.append(('GET .*os-vendor-backup-sharing', 500))
        with pytest.raises(errors.ServiceError):
            cloud.volume_restore(BACKUP, VOLUME).targets()
        cloud.faults[:] = [('GET .*os-vendor-backup-sharing', 403)]
        assert planned(cloud)[0].refusal is None

    @pytest.mark.parametrize('force', [False, True])
    def test_a_volume_of_another_project(self, force: bool) -> None:
        owner = 'os-vol-tenant-attr:tenant_id'
        cloud = there(volume={owner: 'f' * 32})
        with pytest.raises(RefusedError, match='volume belongs to another'):
            cloud.volume_restore(BACKUP, VOLUME, force=force).targets()
        with pytest.raises(MissingError):
            cloud.volume_restore(BACKUP, 'volume-0', force=force).targets()

    def test_what_is_forced_is_said(self) -> None:
        cloud = there(backup=SYSTEM, volume={'encrypted': True})
        _, plan = planned(cloud, force=True)
        assert [r for r in plan.remarks if r.startswith('Forced: ')] == [
            'Forced: the volume is encrypted, and the backup is not.',
            'Forced: the backup is of a system disk, and the volume is a '
            'data disk.',
        ]

    @pytest.mark.parametrize('backup', [uuid(4711), 'no-name'])
    def test_one_that_is_not_there(self, backup: str) -> None:
        cloud = there()
        cloud.add_share(0, BACKUP, PROJECT)
        with pytest.raises(MissingError):
            cloud.volume_restore(backup, VOLUME).targets()

    @pytest.mark.parametrize('volume', [uuid(1), 'no-name', '', 'VOLUME-0'])
    def test_no_volume(self, volume: str) -> None:
        with pytest.raises(RefusedError):
            there().volume_restore(BACKUP, volume).targets()

    @pytest.mark.parametrize('what', ['backup', 'volume'])
    def test_two_of_one_name(self, what: str) -> None:
        cloud = there()
        if what == 'backup':
            ids = [BACKUP, cloud.add_backup(1, name='backup-0')]
        else:
            ids = [VOLUME, cloud.add_volume(2, name='volume-0')]
        with pytest.raises(RefusedError) as why:
            cloud.volume_restore('backup-0', 'volume-0').targets()
        assert all(id in why.value.message for id in ids)

    def test_every_reason_is_told(self) -> None:
        cloud = there(
            backup={'status': 'error', 'size': 20, **SYSTEM},
            volume={'status': 'error', 'encrypted': True},
        )
        said = refusal_of(cloud)
        assert said.count('; ') == 4


class TestNames:
    def test_what_has_been_resolved_is_pinned(self) -> None:
        """Whatever else gets these names before the answer."""
        cloud = there()
        change = cloud.volume_restore('backup-0', 'volume-0')
        [shown] = change.targets()
        cloud.look_ups.clear()
        cloud.volumes[VOLUME]['name'] = 'another'
        cloud.volumes[OTHER]['name'] = 'volume-0'
        cloud.backups[0]['name'] = 'another'
        cloud.add_backup(1, name='backup-0', volume_id=OTHER)
        [again] = change.targets()
        # Whether it is shared is asked by its ID.
        assert cloud.look_ups == [BACKUP]
        assert (again.id, plan_of(again).backup_id) == (VOLUME, BACKUP)
        assert shown.id == again.id


class TestRemarks:
    def test_it_cannot_be_undone(self) -> None:
        said = planned(there())[1].remarks
        assert said[0] == f'Backup backup-0 ({BACKUP}).'
        assert 'cannot be undone' in said[1]
        assert VOLUME in said[1]
        assert '2026-11-01 02:00' in said[1]
        assert said[-1] == 'The newest backup of the volume is this one.'

    def test_the_target_is_another_volume_or_larger(self) -> None:
        cloud = there(
            backup={'volume_id': OTHER, 'availability_zone': 'eu-de-02'},
            volume={'size': 20},
        )
        _, plan = planned(cloud)
        said = ' '.join(plan.remarks)
        assert 'not the volume that was backed up' in said
        assert 'falls back from 20 GB to 10 GB' in said
        assert 'in another zone' in said
        assert 'There is no backup of the volume.' in said
        [disk] = plan.disks
        assert (disk.zone, disk.check) == (
            'other',
            'overwrites, shrinks to 10 GB',
        )

    def test_a_newer_backup(self) -> None:
        cloud = there()
        id = cloud.add_backup(1, created_at='2026-11-02T02:00:00.000000')
        cloud.add_backup(2, created_at='2026-11-03', status='error')
        assert id in planned(cloud)[1].remarks[-1]


def restored(
    cloud: Restorer, *, wait: bool = True, stop_at: int | None = None
) -> Outcome:
    """The outcome of a run whose target was verified before the trouble."""
    change: Any = cloud.volume_restore(BACKUP, VOLUME)
    targets = change.targets()
    change.targets = lambda: targets
    cloud.stop_at = stop_at and len(cloud.log) + stop_at
    [outcome] = cloud.carry_out(change, wait=wait)
    assert len(cloud.restoring_posts) == cloud.posts[VOLUME]
    assert cloud.overwritten in ({}, {VOLUME: BACKUP})
    return outcome


@pytest.mark.parametrize('vbs', [True, False], ids=['vbs', 'block storage'])
class TestSending:
    def test_what_is_sent(self, vbs: bool) -> None:
        cloud = there(vbs=vbs)
        outcome = restored(cloud, wait=False)
        assert outcome.state is State.ACCEPTED
        [post] = cloud.restoring_posts
        assert post.json() == {'restore': {'volume_id': VOLUME}}
        route = (
            f'vbs.example/v2/{PROJECT}/cloudbackups'
            if vbs
            else f'cinder.example/v3/{PROJECT}/backups'
        )
        assert post.url == f'https://{route}/{BACKUP}/restore'
        job = f'{0:032x}' if vbs else None
        assert outcome.target.handle == Handle(job_id=job)

    @pytest.mark.parametrize('answer', ['400', '404', '409', '429 always'])
    def test_what_is_refused(self, vbs: bool, answer: str) -> None:
        cloud = there(vbs=vbs)
        cloud.fates[VOLUME] = Fate(answer=answer)
        outcome = restored(cloud)
        assert outcome.state is State.FAILED
        # It is not sent later: all would have to be read again.
        assert cloud.posts[VOLUME] == 1
        assert cloud.overwritten == {}

    def test_a_lost_answer_of_what_goes_on(self, vbs: bool) -> None:
        cloud = there(vbs=vbs)
        cloud.fates[VOLUME] = Fate(answer='lost')
        outcome = restored(cloud)
        # It is over when it is looked at again: it was seen to have begun.
        assert outcome.state is State.DONE
        assert outcome.result is not None
        assert outcome.result.remark == 'its answer was lost'
        assert cloud.posts == {VOLUME: 1}

    @pytest.mark.parametrize('wait', [False, True])
    def test_its_volume_alone_goes_on(self, vbs: bool, wait: bool) -> None:
        """Somebody else may restore another backup to the same volume."""
        cloud = there(vbs=vbs)
        cloud.shows_both = False
        cloud.fates[VOLUME] = Fate(answer='lost')
        outcome = restored(cloud, wait=wait)
        if wait:
            assert outcome.state is State.UNKNOWN
            assert 'nothing tells whether' in str(outcome.error)
        else:
            assert outcome.state is State.ACCEPTED
            assert outcome.result is not None
            assert 'or by somebody else' in outcome.result.remark

    @pytest.mark.parametrize('answer', ['409', '404', '400'])
    def test_a_refusal_of_what_goes_on(self, vbs: bool, answer: str) -> None:
        cloud = there(vbs=vbs)
        cloud.fates[VOLUME] = Fate(answer=answer)
        change: Any = cloud.volume_restore(BACKUP, VOLUME)
        targets = change.targets()
        change.targets = lambda: targets
        cloud.volumes[VOLUME]['status'] = 'restoring-backup'
        [outcome] = cloud.carry_out(change)
        assert outcome.state is State.UNKNOWN
        assert 'and yet the target is being overwritten' in str(outcome.error)
        assert cloud.posts == {VOLUME: 1}

    def test_it_begins_a_little_later(self, vbs: bool) -> None:
        cloud = there(vbs=vbs)
        cloud.script = [FREE, FREE, BUSY, BUSY]
        cloud.fates[VOLUME] = Fate(answer='504')
        outcome = restored(cloud, wait=False)
        assert outcome.state is State.ACCEPTED
        assert cloud.clock.pauses == list(LOOKS)

    @pytest.mark.parametrize('wait', [False, True])
    def test_a_lost_answer_of_nothing(self, vbs: bool, wait: bool) -> None:
        cloud = there(vbs=vbs)
        cloud.fates[VOLUME] = Fate(answer='lost', acts=False)
        outcome = restored(cloud, wait=wait)
        assert outcome.state is State.UNKNOWN
        assert isinstance(outcome.error, errors.OutcomeUnknown)
        assert not outcome.error.hint
        assert cloud.posts == {VOLUME: 1}

    def test_one_that_is_over_too_soon_is_unknown(self, vbs: bool) -> None:
        cloud = there(vbs=vbs)
        cloud.script = [FREE]
        cloud.fates[VOLUME] = Fate(answer='lost')
        assert restored(cloud).state is State.UNKNOWN

    @pytest.mark.parametrize('fault', [403, 500, 404])
    def test_nothing_can_be_read(self, vbs: bool, fault: int) -> None:
        cloud = there(vbs=vbs)
        cloud.fates[VOLUME] = Fate(answer='lost')
        change: Any = cloud.volume_restore(BACKUP, VOLUME)
        targets = change.targets()
        change.targets = lambda: targets
        cloud.faults.append(('GET', fault))
        [outcome] = cloud.carry_out(change)
        assert outcome.state is State.UNKNOWN

    @pytest.mark.parametrize('later', [1, 2, 3])
    def test_an_interruption(self, vbs: bool, later: int) -> None:
        cloud = there(vbs=vbs)
        cloud.script = []
        cloud.fates[VOLUME] = Fate(answer='lost')
        outcome = restored(cloud, wait=False, stop_at=later)
        assert outcome.state is State.UNKNOWN
        assert cloud.posts == {VOLUME: 1}

    def test_stopped_before_it(self, vbs: bool) -> None:
        cloud = there(vbs=vbs)
        change: Any = cloud.volume_restore(BACKUP, VOLUME)
        targets = change.targets()
        change.targets = lambda: targets
        cloud.clock.set()
        [outcome] = cloud.carry_out(change)
        assert outcome.state is State.NOT_SENT
        assert cloud.restoring_posts == []


def test_block_storage_restores_to_another_volume() -> None:
    cloud = there(vbs=False)
    cloud.fates[VOLUME] = Fate(answer='a number', acts=False)
    outcome = restored(cloud, wait=False)
    assert outcome.state is State.UNKNOWN
    assert 'the service answers about the volume_id 5' in str(outcome.error)


class TestWaiting:
    @pytest.mark.parametrize(
        ('job', 'script', 'state', 'words'),
        [
            (('INIT', 'RUNNING', 'SUCCESS'), (BUSY, FREE), State.DONE, ''),
            (('SUCCESS',), (BUSY, BUSY, FREE), State.DONE, ''),
            (('SUCCESS',), (), State.DONE, ''),
            (('SUCCESS',), ({'status': 'in-use'},), State.DONE, ''),
            (('SUCCESS',), (BROKEN, BROKEN), State.FAILED, 'error_restoring'),
            (('SUCCESS',), (BUSY, BROKEN), State.FAILED, 'error_restoring'),
            (('RUNNING', 'FAIL'), (), State.FAILED, 'the disk is full'),
            (('FAIL',), (BUSY, FREE), State.FAILED, 'VolumeBackup.0064'),
            (('RUNNING',), (BUSY, FREE), State.ACCEPTED, ''),
            (('INIT',), (FREE,), State.ACCEPTED, ''),
            (('SUCCESS',), ({'status': 'odd'},), State.ACCEPTED, ''),
            (('SUCCESS',), (BUSY,), State.ACCEPTED, ''),
            # A job that is forgotten: the volume alone tells it.
            (('404',), (BUSY, FREE), State.DONE, ''),
            (('404',), (BUSY, BROKEN), State.FAILED, 'error_restoring'),
            (('404',), (FREE,), State.ACCEPTED, ''),
            # A job that is about something else.
            (('SUCCESS of another',), (FREE,), State.UNKNOWN, 'its job is'),
            (('500', 'odd', 'SUCCESS'), (FREE,), State.DONE, ''),
        ],
    )
    def test_a_job_and_its_volume(
        self, job: Any, script: Any, state: State, words: str
    ) -> None:
        cloud = there()
        cloud.fates[VOLUME] = Fate(job=job)
        cloud.script = script
        outcome = restored(cloud)
        assert outcome.state is state
        assert words in str(outcome.error)
        assert cloud.posts == {VOLUME: 1}

    @pytest.mark.parametrize(
        ('script', 'state'),
        [
            ((BUSY, BUSY, FREE), State.DONE),
            ((BUSY, BROKEN), State.FAILED),
            # Somebody has changed a property of it.
            (({**FREE, 'updated_at': '2026-11-26T03:00:00'},), State.ACCEPTED),
            # It was over before it was looked at.
            (({**FREE, 'updated_at': 'new', 'backup': 'new'},), State.DONE),
            (
                ({**BROKEN, 'updated_at': '2026-11-26T03:00:00'},),
                State.FAILED,
            ),
            # Nothing shows that it has begun.
            ((FREE,), State.ACCEPTED),
            ((BUSY,), State.ACCEPTED),
        ],
    )
    def test_block_storage(self, script: Any, state: State) -> None:
        cloud = there(vbs=False)
        cloud.script = script
        assert restored(cloud).state is state
