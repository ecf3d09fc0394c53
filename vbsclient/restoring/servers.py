# SPDX-License-Identifier: Apache-2.0
"""Restoring a server backup to a server that exists."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from vbsclient.api import errors
from vbsclient.api.block_storage import BlockStorage, Volume
from vbsclient.api.compute import Compute, Server
from vbsclient.api.csbs import CSBSClient, ServerBackup, ServerBackupFilter
from vbsclient.api.csbs.restores import FAILED
from vbsclient.api.errors import Each, Hint
from vbsclient.api.http import Limits, Receipt
from vbsclient.api.paths import is_uuid
from vbsclient.api.values import (
    canonical_id,
    dict_or_empty,
    id_or_none,
    int_or_none,
    json_text,
    lenient_bool,
    text_or_none,
)
from vbsclient.change.targets import Target
from vbsclient.lookup.kinds import suppress_errors
from vbsclient.lookup.names import foreign, only
from vbsclient.lookup.refusals import RefusedError
from vbsclient.lookup.server_backups import find_server_backups
from vbsclient.lookup.servers import find_servers
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

# What to do about volumes without a target.
NAME_TARGETS = 'Name the volumes to overwrite with {sources}.'

#: Seconds without progress after which a restore is not alive any more.
_IDLE = 3600.0

#: Seconds for which an end has to stay that was not seen to have begun.
_SETTLED_AFTER = 60.0

#: A name that a command line takes, and that is not cut in a message.
_PLAIN = re.compile(r'\w[\w .-]{0,63}')

_TWICE = 'another volume in the backup has the same target'

#: The statuses of a server that can be restored to.
_FIT = ('ACTIVE', 'SHUTOFF')
_BUSY = ('waiting_restore', 'restoring')
#: How a volume says that it is being overwritten.
_OVERWRITTEN = 'restoring-backup'


@dataclass(frozen=True)
class Baseline:
    """What a backup shows of its last restore; C9 gives nothing to poll.

    :ivar updated_at: when it was changed last.
    :ivar task_id: of its last task.
    :ivar failed: what failed last, and why.
    :ivar edited: what others than a restore may change in it, as one text.
    """

    status: str
    updated_at: str | None
    task_id: str | None
    failed: tuple[str, str]
    edited: str = ''

    @classmethod
    def of(cls, backup: ServerBackup) -> Baseline:
        """What a backup shows now."""
        extend = dict_or_empty(json_text(backup.body.get('extend_info')))
        return cls(
            backup.status,
            backup.updated_at,
            text_or_none(extend.get('taskid')),
            (
                str(extend.get('fail_op') or ''),
                str(extend.get('fail_reason') or ''),
            ),
            repr(
                (
                    *(backup.name, backup.description, backup.raw_tags),
                    *(extend.get('copy_status'), backup.image_ids),
                )
            ),
        )


def judge(before: Baseline, now: Baseline, has_begun: bool) -> str:
    """What became of a restore, by what its backup shows.

    :param before: what was shown before the request.
    :param has_begun: whether it was seen to have begun.
    :returns: ``restored``, ``restoring``, ``error``, ``unknown`` for an end
        that nothing tells, or '' if it has not been seen to begin.
    """
    if now.status in _BUSY:
        return 'restoring'
    if now.status.startswith('error'):
        return 'error'
    if now.status != 'available':
        return 'restoring' if has_begun else ''
    # Whoever renames or copies it changes its time and its task, too.
    has_moved = now.failed != before.failed or (
        (now.task_id, now.updated_at) != (before.task_id, before.updated_at)
        and now.edited == before.edited
    )
    if not (has_begun or has_moved):
        return ''
    operation, _ = now.failed
    if not operation:
        return 'restored'
    if operation != 'restore':
        # What failed before is no failure of this one.
        return 'restored' if now.failed == before.failed else 'unknown'
    is_new = now.failed != before.failed or now.task_id != before.task_id
    return 'error' if is_new else 'unknown'


class ServerRestore(Restore):
    """The rules for ``csbs backup restore``.

    :param nova: knows the servers.
    :param cinder: knows the volumes.
    :param backup: name or id of the server backup.
    :param server: name or id of the server; None for the one that was saved.
    :param volumes: the targets, by what was saved: each a name or an id.
    :param power_on: whether the server is started afterwards; None if it
        runs now.
    :param force: go ahead although the kinds of disks differ.
    :param clock: seconds that only grow.
    """

    def __init__(
        self,
        csbs: CSBSClient,
        nova: Compute,
        cinder: BlockStorage,
        backup: str,
        *,
        limits: Limits,
        server: str | None = None,
        volumes: Mapping[str, str] | None = None,
        power_on: bool | None = None,
        force: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(limits)
        self._csbs = csbs
        self._nova = nova
        self._cinder = cinder
        self._backup = backup
        self._server = server
        self._volumes = volumes or {}
        self._power_on = power_on
        self._force = force
        self._clock = clock
        self._before: Baseline | None = None
        self._checkpoint_id = ''
        self._restore_id: str | None = None
        #: The targets.
        self._volume_ids: Sequence[str] = ()
        #: The targets that were seen to be overwritten, and whether that were
        #: all of them, or the backup was seen to be restored.
        self._begun: set[str] = set()
        self._is_seen_whole = False
        #: What was shown last, and when it first was.
        self._last: tuple[object, float] | None = None

    def targets(self) -> list[Target]:
        backup = only(
            find_server_backups(
                self._csbs.backups, [self._backup], self._limits
            )
        )
        self._backup = backup.id
        if not self._csbs.backups.owns(backup):
            raise foreign(backup.owner, verb='restore')
        wanted = backup.server_id if self._server is None else self._server
        if wanted is None:
            raise RefusedError('the backup does not tell its server')
        server = only(find_servers(self._nova, [wanted], self._limits))
        if not self._nova.owns(server):
            raise foreign(server.owner, 'the server', verb='overwrite')
        self._server = server.id
        self._before = Baseline.of(backup)
        self._checkpoint_id = backup.checkpoint_id
        plan = self._plan(backup, server)
        self._volume_ids = list(mapping_of(plan).values())
        return [
            Target(
                backup.id,
                'server',
                'CSBS',
                id=server.id,
                name=server.name,
                resource=plan,
                refusal=plan.refusal,
            )
        ]

    def restore(self, target: Target) -> Receipt:
        plan = plan_of(target)
        self._restore_id, receipt = self._csbs.restores.create(
            self._checkpoint_id,
            plan.backup_id,
            target.verified_id,
            mapping_of(plan),
            power_on=plan.power_on is True,
        )
        return receipt

    def look(self) -> Sight:
        backup = self._csbs.backups.get(self._backup)
        return _sight_of(backup, self._seen()[0])

    def _seen(self) -> tuple[list[Volume], errors.ClientError | None]:
        """The targets, and why one of them could not be read."""
        try:
            found = find_volumes(self._cinder, self._volume_ids, self._limits)
        except errors.Cancelled:
            raise
        except errors.ClientError as error:
            return [], error
        volumes = [v for v in found.values() if isinstance(v, Volume)]
        unread = [
            v for v in found.values() if isinstance(v, errors.ClientError)
        ]
        return volumes, unread[0] if unread else None

    def shows_it(self, sight: Sight) -> bool:
        # Not each cloud lets the volumes show it.
        return sight.target or sight.backup

    def poll(self, targets: Sequence[Target]) -> dict[str, ResourceStatus]:
        """What became of it: its backup, its volumes, and Karbor tell it.

        A failure that one of them tells is one; a success is one that none
        of them denies.
        """
        [target] = targets
        return {target.verified_id: self._poll()}

    def _poll(self) -> ResourceStatus:
        backup = self._csbs.backups.get(self._backup)
        now = Baseline.of(backup)
        before = self._before or now
        volumes, unread = self._seen()
        self.note(_sight_of(backup, volumes))
        statuses = {volume.id: volume.status for volume in volumes}
        self._note_each(statuses)
        unchanged = self._unchanged_for(now, backup.progress, statuses)
        end = judge(before, now, self._is_seen_whole)
        if end == 'error':
            reason = ', '.join(filter(None, now.failed))
            return failed(
                reason or f'the status of the backup is {brief(now.status)}'
            )
        karbor = self._status_of_restore()
        if karbor in FAILED:
            return failed(f'the status of the restore is {karbor}')
        is_busy = _OVERWRITTEN in statuses.values()
        if end == 'restoring' or is_busy:
            return replace(
                UNDER_WAY,
                progress=backup.progress,
                is_alive=unchanged < _IDLE,
            )
        broken = [v.id for v in volumes if v.status.startswith('error')]
        if broken and (end or self._has_begun):
            return failed(f'volumes are in error ({", ".join(broken)})')
        is_settled = self._is_seen_whole or unchanged >= _SETTLED_AFTER
        if karbor != 'success' and not (end and is_settled):
            # All of it was never seen under way: it may be about to begin.
            return NOT_BEGUN
        if unread is not None:
            # What is not seen may have failed.
            raise unread
        if karbor == 'success' or end == 'restored':
            return self._status_of_server() or self._as_seen(karbor)
        return unknown(
            'what became of it cannot be told: the backup shows what failed '
            'before, too'
        )

    def _as_seen(self, karbor: str | None) -> ResourceStatus:
        """A success, with how sure that is."""
        status = self.succeeded()
        if self._is_seen_whole or karbor is not None:
            return status
        remark = 'it was not seen while it went on: look at the server'
        return replace(status, remark=remark)

    def note(self, sight: Sight) -> None:
        super().note(sight)
        if sight.backup:
            self._is_seen_whole = True

    def _note_each(self, statuses: Mapping[str, str]) -> None:
        """Remember which of its volumes were seen to be overwritten."""
        self._begun |= {
            id for id, one in statuses.items() if one == _OVERWRITTEN
        }
        if self._begun >= {*self._volume_ids}:
            self._is_seen_whole = True

    def _status_of_server(self) -> ResourceStatus | None:
        """What the server says against a success; None for nothing."""
        server = suppress_errors(lambda: self._nova.server(self._server or ''))
        if server is None or server.status != 'ERROR':
            return None
        return failed(
            'its volumes were overwritten, and the status of the server is '
            'ERROR'
        )

    def _status_of_restore(self) -> str | None:
        """What Karbor says of the restore; CSBS has no such call."""
        if self._restore_id is None:
            return None
        try:
            status = self._csbs.restores.status(self._restore_id)
        except (
            errors.ServiceError,
            errors.MalformedResponse,
            errors.InvalidId,
        ):
            status = None
        if status is None:
            self._restore_id = None
        return status

    def _unchanged_for(self, *shown: object) -> float:
        """Seconds since what is shown has changed."""
        clock = self._clock()
        if self._last is None or self._last[0] != shown:
            self._last = shown, clock
        return clock - self._last[1]

    # -- what is checked before -----------------------------------------

    def _plan(self, backup: ServerBackup, server: Server) -> Plan:
        volumes = self._volumes_of(server)
        disks = self._disks(backup, server, volumes)
        power_on = self._power_on
        if power_on is None:
            power_on = server.status == 'ACTIVE'
        plan = Plan(
            backup.id,
            backup.name,
            backup.created_at,
            tuple(disks),
            problems=tuple(_problems(backup, server, disks)),
            power_on=power_on,
            hint=_how_to_name(disks),
            facts={
                'the checkpoint of the backup': backup.checkpoint_id,
                'the name of the server': server.name,
                'the status of the server': server.status,
                'what is done with the server': server.task,
                'the volumes of the server': ', '.join(sorted(volumes)),
                **dict(_facts_of(volumes.values())),
            },
            remarks=(
                *_remarks(backup, server, disks, volumes, power_on),
                *self._newest(backup, server),
                *forced(self._kinds(backup, disks, volumes), self._force),
            ),
        )
        if not disks or not all(disk.target_id for disk in disks):
            return plan
        # The service decides about exactly what would be sent.
        answer = self._csbs.servers.check_restorable(
            backup.id, server.id, mapping_of(plan)
        )
        if answer is not None and answer.result and not answer.code:
            message = (answer.message or '').rstrip('.')
            said = f': {brief(message)}' if message else ''
            remark = f'The service says that it can be restored{said}.'
            return replace(plan, remarks=(*plan.remarks, remark))
        reason = (answer and answer.message) or 'it gives no reason'
        code = f' (code {answer.code})' if answer and answer.code else ''
        return replace(
            plan,
            problems=(
                *plan.problems,
                f'the service says that it cannot be restored: '
                f'{reason.rstrip(".")}{code}',
            ),
        )

    @staticmethod
    def _kinds(
        backup: ServerBackup,
        disks: Sequence[Disk],
        volumes: Mapping[str, Volume | None],
    ) -> Iterator[str]:
        """What differs between each disk and its target."""
        for saved, disk in zip(backup.disks, disks, strict=True):
            volume = volumes.get(disk.target_id or '')
            for problem in _problems_of_kind(saved, volume) if volume else ():
                yield f'{disk.what}: {problem}'

    def _newest(self, backup: ServerBackup, server: Server) -> Iterator[str]:
        """The newest backup of the target, as far as it can be read."""
        where = ServerBackupFilter(server_id=server.id)
        listed = suppress_errors(
            lambda: list(self._csbs.backups.list(where=where))
        )
        if listed is not None:
            yield newest_of(listed, backup.id, 'server')

    def _volumes_of(self, server: Server) -> dict[str, Volume | None]:
        """The volumes of a server, as block storage shows them."""
        ids = sorted(server.volume_ids or ())
        found = find_volumes(self._cinder, ids, self._limits) if ids else {}
        return {
            id: one if isinstance(one := found.get(id), Volume) else None
            for id in ids
        }

    def _disks(
        self,
        backup: ServerBackup,
        server: Server,
        volumes: Mapping[str, Volume | None],
    ) -> list[Disk]:
        """What goes where; nothing is guessed for another server."""
        is_same = server.id == backup.server_id
        wanted = self._wanted(backup)
        disks = []
        for number, saved in enumerate(backup.disks):
            source = id_or_none(saved.get('source_volume_id'))
            name = text_or_none(saved.get('source_volume_name'))
            given = wanted.get(number)
            target_id = source if given is None and is_same else None
            if given is not None:
                target_id = self._target_of(given, volumes)
            disks.append(
                self._disk(saved, source, name, target_id, given, volumes)
            )
        used = [d.target_id for d in disks if d.target_id]
        return [
            replace(d, problems=(*d.problems, _TWICE))
            if d.target_id and used.count(d.target_id) > 1
            else d
            for d in disks
        ]

    def _wanted(self, backup: ServerBackup) -> dict[int, str]:
        """The targets that were named, by the place of what was saved.

        :raises RefusedError: if something else was named, or several things.
        """
        wanted: dict[int, str] = {}
        for named, target in self._volumes.items():
            places = _places_of(backup, named)
            if not places:
                raise RefusedError(
                    f'the backup has no volume {brief(named)}',
                    'Name what was saved, as the backup shows it.',
                )
            if len(places) > 1:
                ids = [backup.disks[n].get('source_volume_id') for n in places]
                raise RefusedError(
                    f'the backup has more than one volume {brief(named)} '
                    f'({", ".join(map(brief, ids))})',
                    'Name the one you mean by its ID.',
                )
            if places[0] in wanted:
                raise RefusedError(
                    f'the volume {brief(named)} of the backup is named more '
                    f'than once'
                )
            wanted[places[0]] = target
        return wanted

    def _target_of(
        self, given: str, volumes: Mapping[str, Volume | None]
    ) -> str:
        """The id of a target by name or id: of the server's own, if any."""
        named = [
            id
            for id, volume in volumes.items()
            if volume and volume.name == given
        ]
        if len(named) == 1 and not is_uuid(given):
            return named[0]
        return only(find_volumes(self._cinder, [given], self._limits)).id

    def _disk(
        self,
        saved: Mapping[str, object],
        source: str | None,
        name: str | None,
        target_id: str | None,
        given: str | None,
        volumes: Mapping[str, Volume | None],
    ) -> Disk:
        volume = volumes.get(target_id or '')
        size = int_or_none(saved.get('source_volume_size'))
        disk = Disk(
            canonical_id(str(saved.get('id'))),
            source,
            name,
            target_id,
            volume.name if volume else given,
            size,
            volume.size if volume else None,
        )
        return replace(
            disk,
            problems=tuple(
                self._problems_of_disk(disk, saved, target_id, volumes)
            ),
        )

    def _problems_of_target(self, volume: Volume) -> Iterator[str]:
        if self._server not in volume.server_ids:
            yield 'block storage does not show the target at the server'
        if not self._cinder.owns(volume):
            yield f'the target belongs to another project ({volume.owner})'
        if volume.status not in ('in-use', 'available'):
            yield f'the status of the target is {brief(volume.status)}'
        if volume.is_shareable:
            yield 'the target can be shared by servers'

    def _problems_of_disk(
        self,
        disk: Disk,
        saved: Mapping[str, object],
        target_id: str | None,
        volumes: Mapping[str, Volume | None],
    ) -> Iterator[str]:
        if target_id is None:
            yield 'no target is named for it'
            return
        if target_id not in volumes:
            yield 'the target is not attached to the server'
            return
        volume = volumes[target_id]
        if volume is None:
            yield 'block storage does not show the target'
            return
        yield from self._problems_of_target(volume)
        if disk.size is None or volume.size is None:
            yield 'the size of the target, or of what was saved, is not told'
        elif volume.size < disk.size:
            yield (
                f'the target has {volume.size} GB, and {disk.size} GB are '
                f'needed'
            )
        if not self._force:
            yield from _problems_of_kind(saved, volume)


def _problems_of_kind(
    saved: Mapping[str, object], volume: Volume
) -> Iterator[str]:
    """What may differ if somebody insists; what is not told is the same."""
    is_system = lenient_bool(saved.get('bootable'))
    if None in (is_system, volume.is_bootable):
        return
    if is_system is not volume.is_bootable:
        yield (
            'a system disk would go onto a data disk'
            if is_system
            else 'a data disk would go onto a system disk'
        )


def _sight_of(backup: ServerBackup, volumes: Sequence[Volume]) -> Sight:
    return Sight(
        backup.status in _BUSY,
        any(volume.status == _OVERWRITTEN for volume in volumes),
    )


def _places_of(backup: ServerBackup, named: str) -> list[int]:
    """Where a backup has what was named: by an id, else by its name."""
    id = canonical_id(named)
    by_id, by_name = [], []
    for number, saved in enumerate(backup.disks):
        ids = (saved.get('source_volume_id'), saved.get('id'))
        if id in map(id_or_none, ids):
            by_id.append(number)
        if named == saved.get('source_volume_name'):
            by_name.append(number)
    return by_id or by_name


def _facts_of(
    volumes: Iterable[Volume | None],
) -> Iterator[tuple[str, object]]:
    """What has to stay as it is of the volumes of a server."""
    for volume in filter(None, volumes):
        yield f'the status of the volume {volume.id}', volume.status
        yield (
            f'the servers of the volume {volume.id}',
            ', '.join(volume.server_ids),
        )
        yield f'whether {volume.id} is a system disk', volume.is_bootable
        yield f'the project of the volume {volume.id}', volume.owner


def _how_to_name(disks: Sequence[Disk]) -> str | None:
    """How to give the targets that nobody guesses."""
    names = [disk.source_name or '' for disk in disks]
    sources = [
        name
        if names.count(name) == 1 and _PLAIN.fullmatch(name)
        else disk.source_id or disk.backup_id
        for name, disk in zip(names, disks, strict=True)
        if not disk.target_id
    ]
    return Hint(NAME_TARGETS, sources=Each(sources)) if sources else None


def mapping_of(plan: Plan) -> dict[str, str]:
    """The targets by the ids of the volume backups, as they are sent."""
    return {
        disk.backup_id: disk.target_id
        for disk in plan.disks
        if disk.target_id is not None
    }


def _problems(
    backup: ServerBackup, server: Server, disks: Sequence[Disk]
) -> Iterator[str]:
    if backup.status != 'available':
        yield (
            f'the status of the backup is {brief(backup.status)}: only one '
            f'that is available can be restored'
        )
    if not backup.restorable:
        yield 'the service says that it cannot be restored (mode na)'
    if not backup.disks_are_known or not disks:
        yield 'the backup does not tell its volumes'
    if len({disk.backup_id for disk in disks}) < len(disks):
        yield 'two volumes in the backup have the same ID'
    if server.volume_ids is None:
        yield 'compute does not show the volumes of the server'
    if server.status not in _FIT:
        yield (
            f'the status of the server is {brief(server.status)}: it has to '
            f'be {" or ".join(_FIT)}'
        )
    if server.task:
        yield f'the server is busy ({brief(server.task)})'


def _remarks(
    backup: ServerBackup,
    server: Server,
    disks: Sequence[Disk],
    volumes: Mapping[str, Volume | None],
    power_on: bool,
) -> Iterator[str]:
    """What a person should know before the data are lost."""
    name = f'{brief(server.name)} ({server.id})' if server.name else server.id
    yield f'Backup {brief(backup.name)} ({backup.id}).'
    yield (
        f'The data of the volumes of the server {name} that are listed are '
        f'overwritten with those of {age_of(backup.created_at)}. This cannot '
        f'be undone.'
    )
    is_on = server.status == 'ACTIVE'
    stop = 'The service stops it, and ' if is_on else 'The service '
    start = 'starts it afterwards' if power_on else 'does not start it'
    yield f'The server is {brief(server.status)}. {stop}{start}.'
    if server.id != backup.server_id:
        yield (
            f'This is not the server that was backed up '
            f'({brief(backup.server_name or backup.server_id)}).'
        )
    targets = {disk.target_id for disk in disks}
    untouched = [
        (volume.name if volume else None) or id
        for id, volume in volumes.items()
        if id not in targets
    ]
    if untouched:
        yield f'Not touched: {", ".join(map(brief, untouched))}.'
