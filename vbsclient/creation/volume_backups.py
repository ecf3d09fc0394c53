# SPDX-License-Identifier: Apache-2.0
"""Creating volume backups: by VBS, or by block storage where that is alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from vbsclient.api import errors
from vbsclient.api.block_storage import BlockStorage, Volume
from vbsclient.api.http import Handle, Limits, Receipt
from vbsclient.api.vbs import Backup, Job, VBSClient
from vbsclient.change.targets import Target
from vbsclient.creation.base import Creation, Wanted
from vbsclient.lookup.existence import (
    MAX_SINGLE_GETS,
    ask_each,
    is_gone,
    seen_in,
)
from vbsclient.lookup.kinds import suppress_errors
from vbsclient.lookup.refusals import RefusedError
from vbsclient.lookup.volume_backups import existence_of, status_of
from vbsclient.lookup.volumes import find_snapshot, find_volumes
from vbsclient.waiting import ResourceStatus
from vbsclient.wording import brief, quote

# What to do about a volume that is in use, and about a busy one.
FORCE_IN_USE = 'Detach it, or force it: it is saved as after a power failure.'
WAIT_FOR_BACKUP = 'Try again when that is done.'

#: How many characters a name may have.
LONGEST_NAME = 64

#: What the guide says that a volume may have.
_MOST_BACKUPS = 20

#: A job ends with one of these, and another one is on its way.
_SUCCESS, _FAIL, _RUNNING = 'SUCCESS', 'FAIL', 'RUNNING'


class VolumeBackupCreation(Creation):
    """The rules for ``vbs backup create``.

    :param cinder: knows the volumes.
    :param arguments: names and ids of volumes.
    :param now: this moment, in UTC, for the names of backups.
    :param snapshot: name or id of a snapshot to save, of the only volume.
    """

    longest_name = LONGEST_NAME

    def __init__(
        self,
        vbs: VBSClient,
        cinder: BlockStorage,
        arguments: Sequence[str],
        wanted: Wanted,
        *,
        now: datetime,
        limits: Limits,
        snapshot: str | None = None,
    ) -> None:
        super().__init__(arguments, wanted, now, limits)
        self._vbs = vbs
        self._cinder = cinder
        self._snapshot = snapshot
        self._snapshot_id: str | None = None
        #: The backups of the volumes before anything was sent.
        self._before: dict[str, list[Backup]] = {}

    @property
    def _is_native(self) -> bool:
        """Whether the cloud has block storage alone."""
        return self._vbs.endpoint.vendor is None

    def targets(self) -> list[Target]:
        if self._is_native and self._wanted.tags:
            raise RefusedError(
                'this cloud has no VBS, and block storage has no tags for '
                'backups'
            )
        targets, open_targets = self.named(
            'VBS', find_volumes(self._cinder, self._arguments, self._limits)
        )
        self._read_backups([t.verified_id for t in open_targets])
        for target in open_targets:
            target.refusal = self._refusal(target.verified)
            if target.refusal is None and not self._is_native:
                self._note(target)
        self._check_snapshot(open_targets)
        if not self._is_native:
            self.refuse_too_many(open_targets, self._vbs.quotas)
        return targets

    def create(self, target: Target) -> Receipt:
        wanted = self._wanted
        if self._is_native:
            return self._vbs.backups.create(
                target.verified_id,
                name=target.new_name,
                description=wanted.description,
                snapshot_id=self._snapshot_id,
                incremental=wanted.incremental is True,
                force=wanted.force,
            )
        return self._vbs.cloud_backups.create(
            target.verified_id,
            name=target.new_name,
            description=wanted.description,
            snapshot_id=self._snapshot_id,
            tags=wanted.tags,
            full=wanted.incremental is False,
        )

    def find_new(self, target: Target) -> Handle | None:
        """The only backup of the volume and name that was not there before."""
        id = target.verified_id
        known = {backup.id for backup in self._before.get(id, ())}
        new = [
            backup
            for backup in self._vbs.backups.list(
                name=target.new_name, volume_id=id
            )
            if backup.id not in known and self._vbs.backups.owns(backup)
        ]
        return Handle(backup_id=new[0].id) if len(new) == 1 else None

    def poll(self, targets: Sequence[Target]) -> dict[str, ResourceStatus]:
        jobs = self._poll_jobs(
            [t for t in targets if t.handle.job_id and not t.handle.backup_id]
        )
        by_backup: dict[str, Target] = {}
        for target in targets:
            if target.verified_id in jobs:
                continue
            if target.handle.backup_id is None:
                # No job tells it: a lost answer, or a service without jobs.
                self._complete(target, self.find_new(target))
            if target.handle.backup_id is not None:
                by_backup[target.handle.backup_id] = target
        many = len(by_backup) > MAX_SINGLE_GETS
        answers = existence_of(self._vbs.backups).of(
            sorted(by_backup),
            self._limits,
            rows=self._vbs.backups.list() if many else (),
            unlisted=many,
        )
        seen = {id: status for id, status in jobs.items() if status}
        for id, status in seen_in(answers, status_of).items():
            seen[by_backup[id].verified_id] = status
        return seen

    def _poll_jobs(
        self, targets: Sequence[Target]
    ) -> dict[str, ResourceStatus | None]:
        """What jobs say, as far as they decide.

        None for one that could not be read.  Left out is what its backup has
        to tell from now on: the job has succeeded, or is not known (any
        more).
        """
        if not targets:
            return {}
        by_job = {str(t.handle.job_id): t for t in targets}
        said: dict[str, ResourceStatus | None] = {}
        for id, job in ask_each(
            sorted(by_job), self._vbs.jobs.get, self._limits
        ).items():
            target = by_job[id]
            if isinstance(job, errors.NotFound):
                continue
            if isinstance(job, errors.ClientError):
                said[target.verified_id] = None
            elif job.status != _SUCCESS:
                said[target.verified_id] = _status_of_job(job)
                if job.status == _FAIL:
                    self._name_remains(target)
            elif job.backup_id is not None:
                self._complete(target, Handle.of_backup(job.backup_id))
        return said

    def _name_remains(self, target: Target) -> None:
        """Find what a job that failed has left, for who has to delete it."""
        self._complete(target, suppress_errors(lambda: self.find_new(target)))

    @staticmethod
    def _complete(target: Target, found: Handle | None) -> None:
        if found is not None:
            target.handle = replace(target.handle, backup_id=found.backup_id)

    # -- what is checked before -----------------------------------------

    def _read_backups(self, volume_ids: Sequence[str]) -> None:
        for backup in self._backups_of(volume_ids):
            if backup.volume_id is not None and not is_gone(backup.status):
                self._before.setdefault(backup.volume_id, []).append(backup)

    def _backups_of(self, volume_ids: Sequence[str]) -> Iterator[Backup]:
        if len(volume_ids) > MAX_SINGLE_GETS:
            yield from self._vbs.backups.list()
            return
        for id in volume_ids:
            yield from self._vbs.backups.list(volume_id=id)

    def _refusal(self, volume: Volume) -> RefusedError | None:
        in_use = volume.status == 'in-use'
        if volume.status != 'available' and not in_use:
            return RefusedError(
                f'the status of the volume is {brief(volume.status)}: only '
                f'one that is available or in-use can be backed up'
            )
        if self._is_native:
            is_saved_itself = self._snapshot is None
            if in_use and is_saved_itself and not self._wanted.force:
                return RefusedError('the volume is in-use', FORCE_IN_USE)
            return None
        for backup in self._before.get(volume.id, ()):
            if backup.status == 'creating':
                return RefusedError(
                    f'another backup of the volume is being created '
                    f'({backup.id})',
                    WAIT_FOR_BACKUP,
                )
        return None

    def _note(self, target: Target) -> None:
        """Say what VBS will do, or not do."""
        if self._wanted.tags:
            target.notes.append('VBS cannot show these tags again')
        if len(self._before.get(target.verified_id, ())) >= _MOST_BACKUPS:
            target.expected = (
                f'the service would refuse it: the volume has '
                f'{_MOST_BACKUPS} backups already'
            )

    def _check_snapshot(self, targets: Sequence[Target]) -> None:
        if self._snapshot is None or not targets:
            return
        snapshot = find_snapshot(self._cinder, self._snapshot)
        self._snapshot_id = snapshot.id
        for target in targets:
            if snapshot.volume_id != target.id:
                target.refusal = target.refusal or RefusedError(
                    f'the snapshot {quote(self._snapshot)} is not of this '
                    f'volume, but of {brief(snapshot.volume_id)}'
                )
            elif snapshot.status != 'available':
                target.refusal = target.refusal or RefusedError(
                    f'the status of the snapshot is {brief(snapshot.status)}'
                )


def _status_of_job(job: Job) -> ResourceStatus:
    """What a job that has not succeeded says of its backup."""
    if job.status == _FAIL:
        return ResourceStatus('error', job.failure, job.end_time or job.id)
    if job.status == _RUNNING:
        return ResourceStatus('creating', is_alive=True)
    return ResourceStatus('queued')
