# SPDX-License-Identifier: Apache-2.0
"""What a restore will do, as it is shown, confirmed and sent."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from typing import Protocol

from vbsclient.api import errors
from vbsclient.api.http import Limits, Receipt
from vbsclient.api.times import parse_timestamp
from vbsclient.api.values import Known
from vbsclient.change.targets import (
    Change,
    ChangeFailed,
    Done,
    Recorder,
    Target,
)
from vbsclient.lookup.kinds import suppress_errors
from vbsclient.lookup.refusals import RefusedError
from vbsclient.waiting import Goal, ResourceStatus
from vbsclient.wording import brief, counted, moment

#: Seconds between looks for what a lost answer may have begun.
LOOKS = (0.0, 1.0, 3.0)

#: What to do about one that was not let in.
LATER = 'Run the command again later: everything is checked again then.'

#: What a restore is waited for; its statuses are those of a poll, below.
RESTORED = Goal(
    'restored',
    frozenset({'restored'}),
    frozenset({'restoring'}),
    'is being restored',
)
#: What a poll says of one that goes on, and of one that has succeeded.
UNDER_WAY = ResourceStatus('restoring', is_alive=True)
SUCCEEDED = ResourceStatus('restored')
#: What it says as long as nothing was seen to begin.
NOT_BEGUN = ResourceStatus('')


def failed(reason: str | None, status: str = 'error') -> ResourceStatus:
    """What a poll says of one that has failed.

    :param status: what that has left behind.
    """
    return ResourceStatus(status, reason, 'end')


def unknown(reason: str) -> ResourceStatus:
    """What a poll says of an end that nothing tells."""
    return ResourceStatus('', reason, is_absent=True)


class AnyBackup(Protocol):
    """What backups of volumes and of servers have in common."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str | None: ...
    @property
    def status(self) -> str: ...
    @property
    def created_at(self) -> str | None: ...


@dataclass(frozen=True)
class Disk:
    """One volume that is overwritten.

    :ivar backup_id: the volume backup that it gets.
    :ivar source_id: the volume that was saved, with its name.
    :ivar target_id: the volume whose data are lost, with its name.
    :ivar size: GB that were saved.
    :ivar target_size: GB of the target.
    :ivar is_same_zone: whether both are in one zone; None if it is not told.
    :ivar problems: why it may not be restored.
    """

    backup_id: str
    source_id: str | None
    source_name: str | None
    target_id: str | None
    target_name: str | None
    size: int | None
    target_size: int | None
    is_same_zone: bool | None = None
    problems: tuple[str, ...] = ()

    @property
    def what(self) -> str:
        """What was saved, for a message."""
        return brief(self.source_name or self.source_id or self.backup_id)

    @property
    def zone(self) -> str | None:
        """Where the target is, seen from the backup."""
        if self.is_same_zone is None:
            return None
        return 'same' if self.is_same_zone else 'other'

    @property
    def check(self) -> str:
        """What will become of the target, or why nothing."""
        if self.problems:
            return '; '.join(self.problems)
        if self.size and self.target_size and self.size < self.target_size:
            return f'overwrites, shrinks to {self.size} GB'
        return 'overwrites'


@dataclass(frozen=True)
class Plan:
    """All that a person is asked about, and that has to stay so.

    :ivar backup_id: of the backup, with its name.
    :ivar created_at: when it was made, in UTC.
    :ivar disks: what is overwritten.
    :ivar problems: why it may not be done, beside those of the disks.
    :ivar power_on: whether a server is started afterwards; None where there
        is none.
    :ivar hint: what to do about a problem.
    :ivar facts: what more has to be the same when it is sent, and what it is.
    :ivar remarks: what a person should know; it may change meanwhile.
    """

    backup_id: str
    backup_name: str | None
    created_at: str | None
    disks: tuple[Disk, ...]
    problems: tuple[str, ...] = ()
    power_on: bool | None = None
    hint: str | None = field(default=None, compare=False)
    facts: Mapping[str, object] = field(default_factory=dict)
    remarks: tuple[str, ...] = field(default=(), compare=False)

    @property
    def refusal(self) -> RefusedError | None:
        """Why nothing may be sent."""
        every = self.every_problem
        return RefusedError('; '.join(every), self.hint) if every else None

    @property
    def every_problem(self) -> list[str]:
        """Why nothing may be sent, one clause for each reason."""
        every = [*self.problems]
        for disk in self.disks:
            start = f'{disk.what}: ' if len(self.disks) > 1 else ''
            every += (f'{start}{problem}' for problem in disk.problems)
        return every

    def everything(self) -> dict[str, object]:
        """What has to be the same when it is sent, in words for people."""
        every: dict[str, object] = {
            'the backup': self.backup_id,
            'the name of the backup': self.backup_name,
            'the time of the backup': self.created_at,
            'the number of volumes in the backup': len(self.disks),
            'whether the server is started afterwards': self.power_on,
            **self.facts,
        }
        for disk in self.disks:
            every |= {
                f'the backup of {disk.what}': disk.backup_id,
                f'the size of {disk.what}': disk.size,
                f'the target of {disk.what}': disk.target_id,
            }
            if disk.target_id is not None:
                target = f'the volume {disk.target_id}'
                every |= {
                    f'the name of {target}': disk.target_name,
                    f'the size of {target}': disk.target_size,
                    f'the zone of {target}': disk.zone,
                }
        return every


class Restore(Change, abc.ABC):
    """Overwrites the disks of one plan, with one request.

    :param limits: what bounds its requests.
    """

    goal = RESTORED

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        #: Whether it was seen to have begun, and its target to change.
        self._has_begun = False
        self._has_target_begun = False
        #: Why nobody can say that what goes on is its request, as long as
        #: backup and target were never seen busy together; '' if it is.
        self._doubt = ''
        #: What its answer has said against it, whatever is seen later.
        self._contradiction = ''

    @abc.abstractmethod
    def targets(self) -> list[Target]:
        """The one target, whose resource is the plan; all is read anew."""

    @abc.abstractmethod
    def restore(self, target: Target) -> Receipt:
        """Send the one POST."""

    @abc.abstractmethod
    def look(self) -> Sight:
        """Whether the backup is being read, and the target overwritten."""

    def initial_status(self, target: Target) -> ResourceStatus:
        """Nothing of it was there before."""
        return NOT_BEGUN

    def failure(self, status: ResourceStatus) -> ChangeFailed:
        reason = f': {status.reason}' if status.reason else ''
        return ChangeFailed(
            f'the service accepted it, and the restore has failed{reason}'
        )

    def send(self, target: Target, recorder: Recorder) -> Done:
        """Send it once, and look where the answer does not tell the truth.

        :raises OutcomeUnknown: if it may go on, and cannot be seen.
        """
        action = f'restore from {plan_of(target).backup_id}'
        try:
            receipt = recorder.record(
                target, action, partial(self.restore, target)
            )
        except errors.OutcomeUnknown as lost:
            self._doubt = lost.remark
            if isinstance(lost.refusal, errors.ContradictoryAnswer):
                self._contradiction = lost.refusal.message
                raise
            sight = self._look_for_it()
            if sight is None:
                raise
            recorder.settle(target, action)
            return Done(lost.request_id, remark=sight.told(lost.remark))
        except errors.ServiceError as refusal:
            # What a gateway says of its own may be said too early.
            is_own = refusal.own is Known.YES
            sight = self._look_for_it(LOOKS[:1] if is_own else LOOKS)
            # What the service itself says of a busy backup may be true.
            if sight is not None and (sight.target or not is_own):
                self._doubt = 'it was refused'
                raise errors.OutcomeUnknown(
                    refusal.revised(
                        f'{refusal.message.rstrip(".")}; and yet {sight.what}',
                        hint='',
                    )
                ) from refusal
            if isinstance(refusal, errors.TooManyRequests):
                raise refusal.revised(hint=LATER) from refusal
            raise
        if receipt.handle is not None:
            target.handle = receipt.handle
        return Done(receipt.request_id)

    def _look_for_it(self, looks: Sequence[float] = LOOKS) -> Sight | None:
        """What a request has begun; None if nothing is seen.

        Whatever goes wrong, it was sent: nothing is raised.

        :param looks: the seconds before each look.
        """
        for pause in looks:
            if self._limits.stop.wait(pause):
                return None
            sight = suppress_errors(self.look)
            if sight is not None and self.shows_it(sight):
                self.note(sight)
                return sight
        return None

    def shows_it(self, sight: Sight) -> bool:
        """Whether a lost answer may have been that of what is seen."""
        return sight.target

    def note(self, sight: Sight) -> None:
        """Remember what was seen to go on."""
        if sight.backup or sight.target:
            self._has_begun = True
        if sight.target:
            self._has_target_begun = True
        if sight.backup and sight.target:
            # Whoever began it: it is from this backup to this target.
            self._doubt = ''

    def succeeded(self) -> ResourceStatus:
        """What a poll says of an end without a failure."""
        if self._contradiction:
            return unknown(
                f'the target was overwritten, and yet {self._contradiction}'
            )
        if not self._doubt:
            return SUCCEEDED
        if self._has_target_begun:
            what = 'the target was overwritten, and nothing tells whether from'
            return unknown(f'{what} this backup: {self._doubt}')
        what = 'the backup was restored, and nothing tells whether to'
        return unknown(f'{what} this target: {self._doubt}')


@dataclass(frozen=True)
class Sight:
    """What is seen of a restore.

    :ivar backup: whether its backup is being restored, to whatever target.
    :ivar target: whether its target is being overwritten, from whatever.
    """

    backup: bool
    target: bool

    @property
    def what(self) -> str:
        """The same in a clause."""
        if self.target:
            return 'the target is being overwritten'
        return 'the backup is being restored'

    def told(self, remark: str) -> str:
        """The same for the one who reads that an answer was lost."""
        if self.backup and self.target:
            return remark
        return f'{remark}: {self.what}, by this request or by somebody else'


def forced(problems: Iterable[str], force: bool) -> Iterator[str]:
    """What is gone ahead with although it is a reason not to."""
    if force:
        yield from (f'Forced: {problem}.' for problem in problems)


def age_of(created_at: str | None) -> str:
    """When something was made, and how long ago, for a sentence."""
    made = parse_timestamp(created_at)
    if made is None:
        return 'an unknown time'
    passed = datetime.now(timezone.utc) - made
    minutes = max(0, int(passed.total_seconds() // 60))
    if minutes < 120:
        age = counted(minutes, 'minute')
    elif minutes < 48 * 60:
        age = counted(minutes // 60, 'hour')
    else:
        age = counted(minutes // 1440, 'day')
    return f'{moment(created_at)} UTC ({age} ago)'


def newest_of(backups: Iterable[AnyBackup], id: str, one: str) -> str:
    """What to fall back on, for a person: the newest that can be restored.

    :param backups: those of the target.
    :param id: of the one that is restored.
    :param one: the target, such as ``volume``.
    """
    usable = [backup for backup in backups if backup.status == 'available']
    newest = max(usable, key=lambda b: b.created_at or '', default=None)
    if newest is None:
        return f'There is no backup of the {one}.'
    if newest.id == id:
        return f'The newest backup of the {one} is this one.'
    return (
        f'The newest backup of the {one} is {brief(newest.name)} '
        f'({newest.id}) of {moment(newest.created_at)} UTC.'
    )


def difference(shown: Plan, now: Plan) -> str | None:
    """What is no more as it was shown; None if nothing is."""
    if shown == now:
        return None
    before, after = shown.everything(), now.everything()
    changes = [
        f'{what} was {_value(before.get(what))} and is now '
        f'{_value(after.get(what))}'
        for what in {**before, **after}
        if before.get(what) != after.get(what)
    ]
    changes += [
        problem
        for problem in now.every_problem
        if problem not in shown.every_problem
    ]
    return '; '.join(changes) or 'it is checked in another way'


def _value(value: object) -> str:
    if isinstance(value, bool):
        return 'yes' if value else 'no'
    return 'none' if value in (None, '') else brief(value)


def plan_of(target: Target) -> Plan:
    """The plan of a target.

    :raises RefusedError: if nothing was found.
    """
    plan = target.verified
    if not isinstance(plan, Plan):
        raise errors.ClientError('there is nothing to restore')
    return plan
