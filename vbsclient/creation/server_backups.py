# SPDX-License-Identifier: Apache-2.0
"""Creating server backups."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice

from vbsclient.api import errors
from vbsclient.api.compute import Compute
from vbsclient.api.csbs import (
    CSBSClient,
    NoServerBackups,
    ServerBackup,
    ServerBackupFilter,
)
from vbsclient.api.csbs.servers import Protectability
from vbsclient.api.http import Handle, Limits, Receipt
from vbsclient.api.paging import PAGE_SIZE
from vbsclient.change.targets import Done, Recorder, Target
from vbsclient.creation.base import APPEARS_IN, Creation, Wanted
from vbsclient.lookup.existence import MAX_SINGLE_GETS
from vbsclient.lookup.refusals import RefusedError, UnverifiedError
from vbsclient.lookup.server_backups import seen_while_creating
from vbsclient.lookup.servers import find_servers
from vbsclient.waiting import ResourceStatus

#: How many characters a name may have.
LONGEST_NAME = 255

_VANISHED = 'its backup was listed, and is not any more'

#: Among so many backups, newest first, are those of one run.
_NEWEST = 2 * PAGE_SIZE


class CheckpointWatch:
    """Sees how far the backups are that a request has begun.

    :param find_new: looks for what a lost answer may have begun.
    :param clock: seconds that only grow.
    """

    def __init__(
        self,
        csbs: CSBSClient,
        find_new: Callable[[Target], Handle | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._csbs = csbs
        self._find_new = find_new
        self._clock = clock
        #: Since when no backup is listed, by the id of the server.
        self._missing_since: dict[str, float] = {}

    def begin(self, target: Target) -> None:
        """Remember that a target was accepted just now."""
        self._missing_since[target.verified_id] = self._clock()

    def poll(self, targets: Sequence[Target]) -> dict[str, ResourceStatus]:
        """What the backup of each server shows; its id is kept."""
        for target in targets:
            if target.handle.checkpoint_id is None:
                target.handle = self._find_new(target) or target.handle
        backups = self._in_checkpoints(targets)
        seen: dict[str, ResourceStatus] = {}
        for target in targets:
            id = target.verified_id
            backup = backups.get((target.handle.checkpoint_id or '', id))
            if backup is not None:
                target.handle = replace(target.handle, backup_id=backup.id)
                target.new_name = target.new_name or backup.name
                seen[id] = seen_while_creating(backup)
                self._missing_since.pop(id, None)
            else:
                was_listed = target.handle.backup_id is not None
                seen[id] = ResourceStatus(
                    '',
                    _VANISHED if was_listed else None,
                    is_absent=self._is_overdue(target),
                )
        return seen

    def _in_checkpoints(
        self, targets: Sequence[Target]
    ) -> dict[tuple[str, str], ServerBackup]:
        """The backup of each server in its checkpoint, as far as listed.

        The first pages show those of all: they are the newest.
        """
        wanted = {
            (t.handle.checkpoint_id, t.verified_id)
            for t in targets
            if t.handle.checkpoint_id
        }
        found: dict[tuple[str, str], ServerBackup] = {}
        if len({checkpoint_id for checkpoint_id, _ in wanted}) > 1:
            for backup in islice(self._csbs.backups.list(), _NEWEST):
                key = backup.checkpoint_id, backup.server_id or ''
                if key in wanted:
                    found[key] = backup
                if len(found) == len(wanted):
                    break
        missing = {checkpoint_id for checkpoint_id, _ in wanted - set(found)}
        for id in sorted(missing)[:MAX_SINGLE_GETS]:
            for backup in self._csbs.backups.list(checkpoint_id=id):
                found[id, backup.server_id or ''] = backup
        return found

    def _is_overdue(self, target: Target) -> bool:
        """Whether its backup should be listed by now: lists may be behind."""
        now = self._clock()
        since = self._missing_since.setdefault(target.verified_id, now)
        return now - since > APPEARS_IN


class ServerBackupCreation(Creation):
    """The rules for ``csbs backup create``.

    :param nova: knows the servers.
    :param arguments: names and ids of servers.
    :param now: this moment, in UTC, for the names of backups.
    :param clock: seconds that only grow.
    """

    longest_name = LONGEST_NAME

    def __init__(
        self,
        csbs: CSBSClient,
        nova: Compute,
        arguments: Sequence[str],
        wanted: Wanted,
        *,
        now: datetime,
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(arguments, wanted, now, limits)
        self._csbs = csbs
        self._nova = nova
        self._watch = CheckpointWatch(csbs, self.find_new, clock)
        #: The ids of the backups of the servers before anything was sent.
        self._before: set[str] = set()

    def targets(self) -> list[Target]:
        targets, open_targets = self.named(
            'CSBS', find_servers(self._nova, self._arguments, self._limits)
        )
        self._read_backups([t.verified_id for t in open_targets])
        if open_targets:
            self._ask_service(open_targets)
            self.refuse_too_many(open_targets, self._csbs.quotas)
        return targets

    def create(self, target: Target) -> Receipt:
        return self._csbs.servers.back_up(
            target.verified_id,
            name=target.new_name,
            description=self._wanted.description,
            incremental=self._wanted.incremental,
            tags=self._wanted.tags,
        )

    def send(self, target: Target, recorder: Recorder) -> Done:
        done = super().send(target, recorder)
        self._watch.begin(target)
        return done

    def find_new(self, target: Target) -> Handle | None:
        """The only backup of the server and name that was not there before."""
        new = [
            backup
            for backup in self._backups_of([target.verified_id])
            if backup.id not in self._before
            and backup.name == target.new_name
            and self._csbs.backups.owns(backup)
        ]
        if len(new) != 1:
            return None
        return Handle(backup_id=new[0].id, checkpoint_id=new[0].checkpoint_id)

    def poll(self, targets: Sequence[Target]) -> dict[str, ResourceStatus]:
        return self._watch.poll(targets)

    # -- what is checked before -----------------------------------------

    def _read_backups(self, server_ids: Sequence[str]) -> None:
        """Read what there is; also shows that this is CSBS.

        :raises NoServerBackups: on a plain Karbor, which has no such calls.
        """
        try:
            for backup in self._backups_of(server_ids):
                self._before.add(backup.id)
        except NoServerBackups as error:
            raise error.revised(
                'this cloud is a plain Karbor, which does not back up a '
                'server by its ID',
                'Run one of its plans instead.',
            ) from error

    def _backups_of(self, server_ids: Sequence[str]) -> Iterator[ServerBackup]:
        if len(server_ids) > MAX_SINGLE_GETS:
            yield from self._csbs.backups.list()
            return
        for id in server_ids:
            yield from self._csbs.backups.list(
                where=ServerBackupFilter(server_id=id)
            )

    def _ask_service(self, targets: Sequence[Target]) -> None:
        """Refuse what the service says cannot be backed up (C2)."""
        answers = self._csbs.servers.check_protectable(
            [target.verified_id for target in targets]
        )
        for target in targets:
            answer = answers.get(target.verified_id)
            if answer is None:
                target.refusal = UnverifiedError(
                    'the service does not say whether the server can be '
                    'backed up'
                )
            elif not answer.result:
                target.refusal = _refusal(answer)
            elif answer.message:
                target.notes.append(answer.message)


def _refusal(answer: Protectability) -> RefusedError:
    """Why the service would refuse it, with its code."""
    reason = answer.message or 'it gives no reason'
    code = f' (code {answer.code})' if answer.code else ''
    return RefusedError(
        f'the service says that the server cannot be backed up: '
        f'{reason.rstrip(".")}{code}',
        errors.HINTS.get(answer.code or ''),
    )
