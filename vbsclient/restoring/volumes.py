# SPDX-License-Identifier: Apache-2.0
"""Restoring a volume backup to a volume that exists."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from vbsclient.api import errors
from vbsclient.api.block_storage import BlockStorage, Volume
from vbsclient.api.errors import Hint
from vbsclient.api.http import Limits, Receipt
from vbsclient.api.vbs import Backup, Job, VBSClient
from vbsclient.change.targets import Done, Recorder, Target
from vbsclient.lookup.existence import is_gone
from vbsclient.lookup.labels import Labels
from vbsclient.lookup.names import foreign, only
from vbsclient.lookup.refusals import MissingError, RefusedError
from vbsclient.lookup.sharing import shared_with_me
from vbsclient.lookup.volume_backups import find_backups, marked
from vbsclient.lookup.volumes import find_volumes
from vbsclient.restoring.plan import (
    SUCCEEDED,
    UNDER_WAY,
    Disk,
    Plan,
    Restore,
    age_of,
    plan_of,
)
from vbsclient.waiting import ResourceStatus
from vbsclient.wording import brief, moment

# What to do about a volume that is attached.
DETACH = 'Stop the server {server} and detach the volume {volume} first.'

#: How a volume says that it is being overwritten.
_BUSY = 'restoring-backup'


class VolumeRestore(Restore):
    """The rules for ``vbs backup restore``.

    :param cinder: knows the volumes.
    :param backup: name or id of the backup.
    :param volume: name or id of the volume whose data are lost.
    :param force: go ahead although encryption or the kind of disk differ.
    :param labels: how people call volumes and servers.
    """

    def __init__(
        self,
        vbs: VBSClient,
        cinder: BlockStorage,
        backup: str,
        volume: str,
        *,
        limits: Limits,
        labels: Labels,
        force: bool = False,
    ) -> None:
        super().__init__(limits)
        self._vbs = vbs
        self._cinder = cinder
        self._backup = backup
        self._volume = volume
        self._force = force
        self._labels = labels
        #: Whether the volume was seen to be overwritten.
        self._was_busy = False

    def targets(self) -> list[Target]:
        try:
            backup = only(
                find_backups(
                    self._vbs.backups,
                    [self._backup],
                    self._limits,
                    self._labels.of_volume,
                )
            )
        except MissingError as error:
            if shared_with_me(self._vbs, self._backup) is None:
                raise
            raise RefusedError(
                'the backup is one that another project shares with this one, '
                'and cannot be restored',
                'Create a volume from it instead.',
            ) from error
        # From now on by their ids, whatever else gets these names.
        self._backup = backup.id
        if not self._vbs.backups.owns(backup):
            raise foreign(backup.owner, verb='restore')
        volume = only(find_volumes(self._cinder, [self._volume], self._limits))
        self._volume = volume.id
        plan = self._plan(marked(self._vbs, backup), volume)
        return [
            Target(
                backup.id,
                'volume',
                'VBS',
                id=volume.id,
                name=volume.name,
                resource=plan,
                refusal=plan.refusal,
            )
        ]

    def send(self, target: Target, recorder: Recorder) -> Done:
        try:
            receipt = recorder.record(
                target,
                f'restore from {plan_of(target).backup_id}',
                partial(self._restore, target),
            )
        except errors.OutcomeUnknown as unknown:
            if not self.looks_begun(self._is_busy):
                raise
            self._was_busy = True
            return Done(unknown.request_id, remark='its answer was lost')
        if receipt.handle is not None:
            target.handle = receipt.handle
        else:
            # Cinder sets the status of the volume before it answers.
            self._was_busy = True
        return Done(receipt.request_id)

    def _restore(self, target: Target) -> Receipt:
        backup_id = plan_of(target).backup_id
        if self._vbs.endpoint.vendor is None:
            return self._vbs.backups.restore(backup_id, target.verified_id)
        return self._vbs.cloud_backups.restore(backup_id, target.verified_id)

    def _is_busy(self) -> bool:
        return self._cinder.volume(self._volume).status == _BUSY or (
            self._vbs.backups.get(self._backup).status == 'restoring'
        )

    def poll(self, targets: Sequence[Target]) -> dict[str, ResourceStatus]:
        """How far it is: the job says it, and then the volume."""
        [target] = targets
        status = self._poll(target)
        return {self._volume: status} if status else {}

    def _poll(self, target: Target) -> ResourceStatus | None:
        has_succeeded = False
        if target.handle.job_id is not None:
            try:
                job = self._vbs.jobs.get(target.handle.job_id)
            except errors.NotFound:
                # The volume alone tells it.
                pass
            else:
                has_succeeded = job.status == 'SUCCESS'
                if not has_succeeded:
                    return _status_of_job(job)
        volume = self._cinder.volume(self._volume)
        if volume.status == _BUSY:
            self._was_busy = True
            return replace(UNDER_WAY, is_alive=False)
        if volume.status.startswith('error'):
            return ResourceStatus(
                'error', f'the status of the volume is {volume.status}', 'end'
            )
        if volume.status in ('available', 'in-use') and (
            has_succeeded or self._was_busy
        ):
            return SUCCEEDED
        return None

    # -- what is checked before -----------------------------------------

    def _problems_of_volume(self, volume: Volume) -> list[str]:
        if volume.status == 'available':
            return []
        if not self._is_attached(volume):
            return [
                f'the status of the volume is {brief(volume.status)}: it has '
                f'to be available'
            ]
        places = ', '.join(_places(volume, self._labels.server_name))
        return [f'the volume is attached to {places}']

    def _how_to_detach(self, volume: Volume) -> str | None:
        if not self._is_attached(volume):
            return None
        return Hint(DETACH, server=volume.server_ids[0], volume=volume.id)

    @staticmethod
    def _is_attached(volume: Volume) -> bool:
        return volume.status == 'in-use' and bool(volume.server_ids)

    def _plan(self, backup: Backup, volume: Volume) -> Plan:
        disk = Disk(
            backup.id,
            backup.volume_id,
            self._labels.volume_name(backup.volume_id),
            volume.id,
            volume.name,
            backup.size,
            volume.size,
            _is_same(backup.availability_zone, volume.availability_zone),
        )
        others = [
            other
            for other in self._vbs.backups.list(volume_id=volume.id)
            if not is_gone(other.status)
        ]
        problems = [
            *_problems_of_backup(backup),
            *self._problems_of_volume(volume),
            *_problems_of_size(backup, volume),
            *(
                f'another backup of the volume is being created ({other.id})'
                for other in others
                if other.status == 'creating'
            ),
        ]
        if not self._force:
            problems += _problems_of_kind(backup, volume)
        disk = replace(disk, problems=tuple(problems))
        return Plan(
            backup.id,
            backup.name,
            backup.created_at,
            (disk,),
            hint=self._how_to_detach(volume),
            facts=(f'the status of the volume is {volume.status}',),
            remarks=tuple(_remarks(backup, volume, others)),
        )


def _places(volume: Volume, name_of: Callable[[str], str | None]) -> list[str]:
    """Where a volume is attached, for people."""
    devices = [*volume.devices, *[None] * len(volume.server_ids)]
    servers = [name_of(id) or id for id in volume.server_ids]
    return [
        f'{brief(server)} as {brief(device)}' if device else brief(server)
        for server, device in zip(servers, devices, strict=False)
    ]


def _is_same(one: str | None, other: str | None) -> bool | None:
    return None if not one or not other else one == other


def _status_of_job(job: Job) -> ResourceStatus:
    if job.status == 'FAIL':
        reasons = filter(None, [job.fail_reason, job.error_code])
        return ResourceStatus(
            'error', ', '.join(reasons) or None, job.end_time or 'end'
        )
    if job.status == 'RUNNING':
        return UNDER_WAY
    return ResourceStatus('queued')


def _problems_of_backup(backup: Backup) -> list[str]:
    if backup.status == 'available':
        return []
    return [
        f'the status of the backup is {brief(backup.status)}: only one that '
        f'is available can be restored'
    ]


def _problems_of_size(backup: Backup, volume: Volume) -> list[str]:
    if backup.size is None or volume.size is None:
        return ['the size of the volume, or of the backup, is not told']
    if volume.size < backup.size:
        return [
            f'the volume has {volume.size} GB, and the backup needs '
            f'{backup.size} GB'
        ]
    return []


def _problems_of_kind(backup: Backup, volume: Volume) -> list[str]:
    """What may differ if somebody insists; what is not told is the same."""
    problems = []
    if _differ(backup.is_encrypted, volume.is_encrypted):
        problems.append(
            'the backup is encrypted, and the volume is not'
            if backup.is_encrypted
            else 'the volume is encrypted, and the backup is not'
        )
    if _differ(backup.is_bootable, volume.is_bootable):
        problems.append(
            'the backup is of a system disk, and the volume is a data disk'
            if backup.is_bootable
            else 'the backup is of a data disk, and the volume is a system '
            'disk'
        )
    return problems


def _differ(one: bool | None, other: bool | None) -> bool:
    return one is not None and other is not None and one is not other


def _remarks(
    backup: Backup, volume: Volume, others: Sequence[Backup]
) -> Iterator[str]:
    """What a person should know before the data are lost."""
    yield f'Backup {brief(backup.name)} ({backup.id}).'
    yield (
        f'All data of the volume {label_of(volume)} are overwritten with '
        f'those of {age_of(backup.created_at)}. This cannot be undone.'
    )
    if backup.volume_id != volume.id:
        yield (
            f'The target is not the volume that was backed up '
            f'({brief(backup.volume_id)}).'
        )
    if backup.size and volume.size and volume.size > backup.size:
        yield (
            f'The volume was enlarged: it falls back from {volume.size} GB '
            f'to {backup.size} GB.'
        )
    if _is_same(backup.availability_zone, volume.availability_zone) is False:
        yield (
            f'The volume is in another zone '
            f'({brief(volume.availability_zone)}) than the backup '
            f'({brief(backup.availability_zone)}).'
        )
    usable = [o for o in others if o.status == 'available']
    newest = max(usable, key=lambda o: o.created_at or '', default=None)
    if newest is None:
        yield 'There is no backup of the volume.'
    elif newest.id == backup.id:
        yield 'The newest backup of the volume is this one.'
    else:
        yield (
            f'The newest backup of the volume is {brief(newest.name)} '
            f'({newest.id}) of {moment(newest.created_at)} UTC.'
        )


def label_of(volume: Volume) -> str:
    """A volume with its name and its id."""
    name = f'{brief(volume.name)} ' if volume.name else ''
    return f'{name}({volume.id})' if name else volume.id
