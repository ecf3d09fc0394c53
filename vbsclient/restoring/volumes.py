# SPDX-License-Identifier: Apache-2.0
"""Restoring a volume backup to a volume that exists."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from vbsclient.api import errors
from vbsclient.api.block_storage import BlockStorage, Volume
from vbsclient.api.errors import Hint
from vbsclient.api.http import Limits, Receipt
from vbsclient.api.values import id_or_none
from vbsclient.api.vbs import Backup, Job, VBSClient
from vbsclient.change.targets import ChangeFailed, Target
from vbsclient.lookup.existence import is_gone
from vbsclient.lookup.kinds import suppress_errors
from vbsclient.lookup.labels import Labels
from vbsclient.lookup.names import foreign, only
from vbsclient.lookup.refusals import MissingError, RefusedError
from vbsclient.lookup.sharing import shared_with_me
from vbsclient.lookup.volume_backups import find_backups, marked
from vbsclient.lookup.volumes import find_volumes
from vbsclient.restoring.plan import (
    NOT_BEGUN,
    UNDER_WAY,
    Disk,
    Plan,
    Restore,
    Sight,
    age_of,
    failed,
    forced,
    newest_of,
    plan_of,
    unknown,
)
from vbsclient.waiting import ResourceStatus
from vbsclient.wording import brief

# What to do about a volume that is attached.
DETACH = 'Stop the server {server} and detach the volume {volume} first.'
DETACH_ROOT = (
    f'{DETACH} Where the cloud does not detach a system disk, restore the '
    f'whole server.'
)

#: What to do about one that a failed restore has left behind.
SET_AVAILABLE = (
    'Its data are not complete. Make the volume {volume} available, and '
    'restore to it again.'
)

#: Why nobody restores what another project shares.
SHARED = (
    'the backup is one that another project shares with this one, and cannot '
    'be restored'
)
CREATE_INSTEAD = 'Create a volume from it instead.'

#: How a volume says that it is being overwritten.
_BUSY = 'restoring-backup'
_BROKEN = 'error_restoring'


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
        #: When volume and backup were changed last before the request.
        self._updated_at: tuple[str | None, str | None] = (None, None)

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
            if not suppress_errors(
                lambda: shared_with_me(self._vbs, self._backup)
            ):
                raise
            raise RefusedError(SHARED, CREATE_INSTEAD) from error
        # From now on by their ids, whatever else gets these names.
        self._backup = backup.id
        if not self._vbs.backups.owns(backup):
            raise foreign(backup.owner, verb='restore')
        if backup.owner is None and self._is_shared_with_me(backup):
            raise RefusedError(SHARED, CREATE_INSTEAD)
        volume = only(find_volumes(self._cinder, [self._volume], self._limits))
        if not self._cinder.owns(volume):
            raise foreign(volume.owner, 'the volume', verb='overwrite')
        self._volume = volume.id
        self._updated_at = volume.updated_at, backup.updated_at
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

    def _is_shared_with_me(self, backup: Backup) -> bool:
        try:
            return shared_with_me(self._vbs, backup.id) is not None
        except errors.ClientError as error:
            raise error.revised(
                f'whether another project shares the backup cannot be read: '
                f'{error.message}'
            ) from error

    def restore(self, target: Target) -> Receipt:
        backup_id = plan_of(target).backup_id
        if self._vbs.endpoint.vendor is None:
            return self._vbs.backups.restore(backup_id, target.verified_id)
        return self._vbs.cloud_backups.restore(backup_id, target.verified_id)

    def look(self) -> Sight:
        return self._sight(self._cinder.volume(self._volume))

    def _sight(self, volume: Volume) -> Sight:
        is_busy = volume.status == _BUSY
        backup = suppress_errors(lambda: self._vbs.backups.get(self._backup))
        is_read = backup is not None and backup.status == 'restoring'
        return Sight(is_read, is_busy)

    def failure(self, status: ResourceStatus) -> ChangeFailed:
        error = super().failure(status)
        if status.status != _BROKEN:
            return error
        return error.revised(hint=Hint(SET_AVAILABLE, volume=self._volume))

    def poll(self, targets: Sequence[Target]) -> dict[str, ResourceStatus]:
        """How far it is: the job says it, and then the volume."""
        [target] = targets
        return {self._volume: self._poll(target.handle.job_id)}

    def _poll(self, job_id: str | None) -> ResourceStatus:
        job = self._job(job_id)
        if job is not None and job.status != 'SUCCESS':
            return self._status_of_job(job)
        if job is not None and self._is_about_another(job):
            return unknown('its job is about another volume or backup')
        volume = self._cinder.volume(self._volume)
        if volume.status == _BUSY:
            self._has_begun = True
            if self._doubt:
                self.note(self._sight(volume))
            return replace(UNDER_WAY, is_alive=False)
        if volume.status.startswith('error'):
            reason = f'the status of the volume is {volume.status}'
            return failed(reason, volume.status)
        if volume.status not in ('available', 'in-use'):
            return NOT_BEGUN
        backup = self._vbs.backups.get(self._backup)
        if not (job or self._has_begun or self._was_quick(volume, backup)):
            return NOT_BEGUN
        if backup.status.startswith('error'):
            return failed(f'the status of the backup is {backup.status}')
        return self.succeeded()

    def _was_quick(self, volume: Volume, backup: Backup) -> bool:
        """Whether it was over before it was seen: it has changed both."""
        before, now = self._updated_at, (volume.updated_at, backup.updated_at)
        has_moved = before[0] != now[0] and before[1] != now[1]
        return has_moved and not self._doubt

    def _is_about_another(self, job: Job) -> bool:
        """Whether a job tells another volume, or backup, than was sent."""
        volume_id = id_or_none(job.entities.get('volume_id'))
        return volume_id not in (None, '', self._volume) or (
            job.backup_id not in (None, self._backup)
        )

    def _job(self, job_id: str | None) -> Job | None:
        """The job of the restore, if there is one that can be asked for."""
        if job_id is None:
            return None
        try:
            return self._vbs.jobs.get(job_id)
        except errors.NotFound:
            # The volume alone tells it.
            return None

    def _status_of_job(self, job: Job) -> ResourceStatus:
        if job.status == 'FAIL':
            reasons = filter(None, [job.fail_reason, job.error_code])
            volume = suppress_errors(lambda: self._cinder.volume(self._volume))
            is_broken = volume is not None and volume.status == _BROKEN
            return failed(
                ', '.join(reasons) or None, _BROKEN if is_broken else 'error'
            )
        if job.status == 'RUNNING':
            self._has_begun = True
            return UNDER_WAY
        return ResourceStatus('queued')

    # -- what is checked before -----------------------------------------

    def _problems_of_volume(self, volume: Volume) -> list[str]:
        is_attached = bool(volume.server_ids)
        if is_attached and volume.status in ('available', 'in-use'):
            places = ', '.join(_places(volume, self._labels.server_name))
            return [f'the volume is attached to {places}']
        if volume.status == 'available':
            return []
        return [
            f'the status of the volume is {brief(volume.status)}: it has to '
            f'be available'
        ]

    @staticmethod
    def _how_to_free(volume: Volume) -> str | None:
        """What to do about the status of a volume."""
        if volume.status == _BROKEN:
            return Hint(SET_AVAILABLE, volume=volume.id)
        if volume.status != 'in-use' or not volume.server_ids:
            return None
        hint = DETACH_ROOT if volume.is_bootable else DETACH
        return Hint(hint, server=volume.server_ids[0], volume=volume.id)

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
        kinds = _problems_of_kind(backup, volume)
        if not self._force:
            problems += kinds
        disk = replace(disk, problems=tuple(problems))
        return Plan(
            backup.id,
            backup.name,
            backup.created_at,
            (disk,),
            hint=self._how_to_free(volume),
            facts={
                'the status of the volume': volume.status,
                'the server of the volume': ', '.join(volume.server_ids),
                'whether the volume is encrypted': volume.is_encrypted,
                'whether the volume is a system disk': volume.is_bootable,
            },
            remarks=(
                *_remarks(backup, volume, others),
                *forced(kinds, self._force),
            ),
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
    yield newest_of(others, backup.id, 'volume')


def label_of(volume: Volume) -> str:
    """A volume with its name and its id."""
    name = f'{brief(volume.name)} ' if volume.name else ''
    return f'{name}({volume.id})' if name else volume.id
