# SPDX-License-Identifier: Apache-2.0
"""What a restore will do, as it is shown, confirmed and sent."""

from __future__ import annotations

import abc
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone

from vbsclient.api import errors
from vbsclient.api.http import Limits
from vbsclient.api.times import parse_timestamp
from vbsclient.change.targets import Change, Target
from vbsclient.lookup.kinds import suppress_errors
from vbsclient.lookup.refusals import RefusedError
from vbsclient.waiting import Goal, ResourceStatus
from vbsclient.wording import brief, counted, moment

#: Seconds between looks for what a lost answer may have begun.
LOOKS = (0.0, 1.0, 3.0)

#: What a restore is waited for; its statuses are those of :data:`BEGUN`.
RESTORED = Goal(
    'restored',
    frozenset({'restored'}),
    frozenset({'restoring'}),
    'is being restored',
)
#: What a poll says of one that goes on, and of one that has succeeded.
UNDER_WAY = ResourceStatus('restoring', is_alive=True)
SUCCEEDED = ResourceStatus('restored')


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
    :ivar facts: what more has to be the same when it is sent.
    :ivar remarks: what a person should know; it may change meanwhile.
    """

    backup_id: str
    backup_name: str | None
    created_at: str | None
    disks: tuple[Disk, ...]
    problems: tuple[str, ...] = ()
    power_on: bool | None = None
    hint: str | None = None
    facts: tuple[str, ...] = ()
    remarks: tuple[str, ...] = field(default=(), compare=False)

    @property
    def refusal(self) -> RefusedError | None:
        """Why nothing may be sent."""
        every = [*self.problems]
        for disk in self.disks:
            what = disk.source_name or disk.source_id
            start = f'{brief(what)}: ' if len(self.disks) > 1 else ''
            every += (f'{start}{problem}' for problem in disk.problems)
        return RefusedError('; '.join(every), self.hint) if every else None


class Restore(Change, abc.ABC):
    """Overwrites the disks of one plan, with one request.

    :param limits: what bounds its requests.
    """

    goal = RESTORED

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    @abc.abstractmethod
    def targets(self) -> list[Target]:
        """The one target, whose resource is the plan; all is read anew."""

    def initial_status(self, target: Target) -> ResourceStatus:
        """Nothing of it was there before."""
        return ResourceStatus('')

    def looks_begun(self, has_begun: Callable[[], bool]) -> bool:
        """Whether a lost answer was that of a restore that goes on.

        Whatever goes wrong, it was sent: nothing is raised.
        """
        for pause in LOOKS:
            if self._limits.stop.wait(pause):
                return False
            if suppress_errors(has_begun):
                return True
        return False


def age_of(created_at: str | None) -> str:
    """When something was made, and how long ago, for a sentence."""
    made = parse_timestamp(created_at)
    if made is None:
        return 'an unknown time'
    passed = datetime.now(timezone.utc) - made
    hours = max(0, int(passed.total_seconds() // 3600))
    age = (
        counted(hours // 24, 'day') if hours >= 48 else counted(hours, 'hour')
    )
    return f'{moment(created_at)} UTC ({age} ago)'


def difference(shown: Plan, now: Plan) -> str | None:
    """What is no more as it was shown; None if nothing is."""
    if shown == now:
        return None
    if shown.backup_id != now.backup_id:
        return f'the backup is now {brief(now.backup_id)}'
    if len(shown.disks) != len(now.disks):
        return f'it has {counted(len(now.disks), "volume")} now'
    for before, after in zip(shown.disks, now.disks, strict=True):
        if before != after:
            return (
                f'the volume {brief(before.target_name or before.target_id)} '
                f'is not as it was: {after.check}'
            )
    changed = {*now.problems, *now.facts} ^ {*shown.problems, *shown.facts}
    return '; '.join(sorted(changed)) or 'something is not as it was'


def plan_of(target: Target) -> Plan:
    """The plan of a target.

    :raises RefusedError: if nothing was found.
    """
    plan = target.verified
    if not isinstance(plan, Plan):
        raise errors.ClientError('there is nothing to restore')
    return plan
