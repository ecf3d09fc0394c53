# SPDX-License-Identifier: Apache-2.0
"""What all changes that create backups have in common."""

from __future__ import annotations

import abc
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from vbsclient.api import errors
from vbsclient.api.http import Handle, Limits, Receipt
from vbsclient.api.quotas import UNLIMITED, Quota
from vbsclient.change.targets import (
    Change,
    Done,
    Recorder,
    Target,
    merge,
)
from vbsclient.lookup.existence import LookupResult
from vbsclient.lookup.kinds import suppress_errors
from vbsclient.lookup.names import unique
from vbsclient.lookup.refusals import RefusedError
from vbsclient.waiting import AVAILABLE, ResourceStatus
from vbsclient.wording import counted

# What to do where the quota is too small.
NAME_FEWER = 'Name fewer, delete backups, or force it.'

#: Seconds between looks for what a lost answer may have created.
LOOKS = (0.0, 1.0, 3.0)

#: Somebody else may have created one of the same name at the same time.
_FOUND = 'this is the only new backup of the name'

#: Seconds in which what was created is listed at the latest.
APPEARS_IN = 60.0

#: What a name of a backup may hold.
_NOT_IN_NAMES = re.compile('[^0-9A-Za-z_-]+')


@dataclass(frozen=True)
class Wanted:
    """What is to be created, whatever it is made of.

    :ivar name: of each backup; None makes one of the name of what is saved
        and of the time.
    :ivar description: of each backup.
    :ivar tags: of each backup.
    :ivar incremental: True for what has changed alone, False for everything,
        None for what the service does by itself.
    :ivar force: whether to go ahead although the quota is too small.
    """

    name: str | None = None
    description: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    incremental: bool | None = None
    force: bool = False

    def name_for(self, saved: str, now: datetime, longest: int) -> str:
        """The name of the backup of something.

        :param saved: how that is called.
        :param now: this moment, in UTC.
        :param longest: the most characters that the service takes.
        """
        if self.name is not None:
            return self.name
        stamp = f'{now:-%Y%m%dT%H%M%SZ}'
        # What begins with "-" would be an option to the next command.
        start = _NOT_IN_NAMES.sub('-', saved).strip('-') or 'backup'
        if start.startswith('auto'):
            # The services keep that for what their policies create.
            start = f'of-{start}'
        return start[: longest - len(stamp)] + stamp


class Creation(Change):
    """Creates one backup for each target, and never a second one.

    :param arguments: names and ids of what is saved.
    :param now: this moment, in UTC, for the names of backups.
    :param limits: what bounds its requests.
    """

    goal = AVAILABLE
    appears_in = APPEARS_IN

    #: How many characters a name may have.
    longest_name: ClassVar[int]

    def __init__(
        self,
        arguments: Sequence[str],
        wanted: Wanted,
        now: datetime,
        limits: Limits,
    ) -> None:
        self._arguments = unique(arguments)
        self._wanted = wanted
        self._now = now
        self._limits = limits

    def named(
        self, source: str, found: LookupResult[Any]
    ) -> tuple[list[Target], list[Target]]:
        """(a target for all that was named, those of what was found).

        :param source: the service that will have created the backups.
        :param found: what is saved, by its names and ids.
        """
        targets = merge(
            [Target.of(a, 'backup', source, found[a]) for a in self._arguments]
        )
        open_targets = [t for t in targets if not t.is_decided]
        for target in open_targets:
            target.new_name = self._wanted.name_for(
                target.name or target.verified_id, self._now, self.longest_name
            )
        return targets, open_targets

    @abc.abstractmethod
    def create(self, target: Target) -> Receipt:
        """Send the one POST of a target."""

    @abc.abstractmethod
    def find_new(self, target: Target) -> Handle | None:
        """Look for what the POST of a target may have created."""

    def send(self, target: Target, recorder: Recorder) -> Done:
        """Create, and look for it where the answer was lost.

        :raises OutcomeUnknown: if it was lost, and nothing can be found.
        """
        try:
            receipt = recorder.record(
                target, 'create', lambda: self.create(target)
            )
        except errors.OutcomeUnknown as unknown:
            if not self._settle(target):
                raise
            recorder.settle(target, 'create')
            remarks = [f'{unknown.remark}: {_FOUND}', *target.notes]
            return Done(unknown.request_id, remark='; '.join(remarks))
        if receipt.handle is not None:
            target.handle = receipt.handle
        return Done(receipt.request_id, remark='; '.join(target.notes))

    def _settle(self, target: Target) -> bool:
        """Whether reading shows what a lost answer has created.

        Whatever goes wrong, it was sent: nothing is raised.
        """
        for pause in LOOKS:
            if self._limits.stop.wait(pause):
                return False
            found = suppress_errors(lambda: self.find_new(target))
            if found is not None:
                target.handle = found
                return True
        return False

    def initial_status(self, target: Target) -> ResourceStatus:
        """Nothing was there before."""
        return ResourceStatus('')

    def refuse_too_many(
        self, targets: Sequence[Target], quotas: Callable[[], Iterable[Quota]]
    ) -> None:
        """Refuse all if there is not room for all.

        :param quotas: reads them; what cannot be read refuses nothing, since
            the service decides anyway.
        """
        wanted = [target for target in targets if not target.is_decided]
        if self._wanted.force or not wanted:
            return
        room = room_of(suppress_errors(lambda: list(quotas())) or ())
        if room is None or len(wanted) <= room:
            return
        for target in wanted:
            target.refusal = RefusedError(
                f'the quota has room for {counted(room, "more backup")}, and '
                f'{len(wanted)} are to be created',
                NAME_FEWER,
            )


def room_of(quotas: Iterable[Quota]) -> int | None:
    """How many more backups a project may have; None if nothing limits it."""
    for one in quotas:
        if one.type != 'backups' or one.quota in (None, UNLIMITED):
            continue
        return max(0, (one.quota or 0) - (one.used or 0) - (one.reserved or 0))
    return None
