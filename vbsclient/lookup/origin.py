# SPDX-License-Identifier: Apache-2.0
"""Whether CSBS made a volume backup, which only CSBS may delete."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

from vbsclient.api import errors
from vbsclient.api.csbs import (
    CSBSClient,
    NoServerBackups,
    ServerBackup,
    ServerBackupFilter,
)
from vbsclient.api.errors import Hint
from vbsclient.api.http import Limits
from vbsclient.api.values import Known, bool_or_none, canonical_id
from vbsclient.api.vbs import Backup, VBSClient
from vbsclient.lookup.existence import MAX_SINGLE_GETS, ask_each
from vbsclient.lookup.refusals import RefusedError, UnverifiedError

# What to do about it.
OF_SERVER_BACKUP = 'Delete the server backup {id} instead, or force it.'
OF_SOME_SERVER_BACKUP = 'Delete the server backup instead, or force it.'
LEFT_OVER = 'Force it to delete it all the same.'
UNKNOWN_ORIGIN = (
    "A server backup's part must not be deleted here. If you know that it is "
    'none, force it.'
)


#: What a plan says of a part of a server backup.
MADE_BY_CSBS = 'made by CSBS'

_GARBLED = errors.MalformedResponse('its service_metadata is not readable')


@dataclass(frozen=True)
class Part:
    """One disk's part of a server backup, as CSBS lists it."""

    backup_id: str
    backup_name: str | None
    server: str
    incremental: bool | None


@dataclass(frozen=True)
class Listing:
    """What the list of CSBS says of volume backups.

    :ivar parts: disk backup id -> the server backup that it belongs to.
    :ivar uncertain: why it may lack some; None if it is complete.
    :ivar exists: whether there is a CSBS that could have created any.
    """

    parts: Mapping[str, Part] = field(default_factory=dict)
    uncertain: errors.ClientError | None = None
    exists: bool = True


class ServerBackups:
    """The list of CSBS, read when a question first needs it.

    :param where: which server backups to read; by default all.
    """

    def __init__(
        self, csbs: CSBSClient, where: ServerBackupFilter | None
    ) -> None:
        self._csbs = csbs
        self._where = where

    @property
    def was_read(self) -> bool:
        """Whether it was needed."""
        return 'listing' in vars(self)

    @cached_property
    def listing(self) -> Listing:
        """What it says; read once."""
        parts: dict[str, Part] = {}
        uncertain: errors.ClientError | None = None
        try:
            for backup in self._csbs.backups.list(where=self._where):
                parts.update(_parts_of(backup))
                if not backup.disks_are_known and uncertain is None:
                    uncertain = errors.MalformedResponse(
                        f'CSBS does not say which disks are in its backup '
                        f'{backup.id}'
                    )
        except errors.Cancelled:
            raise
        except errors.NoService:
            return Listing(exists=False)
        except NoServerBackups as karbor:
            # What a Karbor made with providers of its own is none of CSBS's.
            if karbor.has_csbs is Known.NO:
                return Listing(exists=False)
            return Listing(uncertain=karbor)
        except errors.ClientError as error:
            return Listing(uncertain=error)
        return Listing(parts, uncertain)


def _parts_of(backup: ServerBackup) -> dict[str, Part]:
    server = backup.server_name or backup.server_id or 'unknown'
    return {
        disk['id']: Part(
            backup.id,
            backup.name,
            server,
            bool_or_none(disk.get('incremental')),
        )
        for disk in backup.disks
        if disk['id'] is not None
    }


class Origins:
    """Tells which backups CSBS made: those must not be deleted through VBS.

    The one place that decides it, by two kinds of evidence.  What v2 says of
    a backup (``service_metadata``) counts wherever it can be read; where it
    says nothing, the list of CSBS decides, which also wins over a "no" once
    it was read.  If neither can be read, it is unknown.

    :param where: which backups of CSBS to read; by default all.
    """

    def __init__(
        self,
        vbs: VBSClient,
        csbs: CSBSClient,
        limits: Limits,
        where: ServerBackupFilter | None = None,
    ) -> None:
        self._vbs = vbs
        self._servers = ServerBackups(csbs, where)
        self._limits = limits
        self._seen: set[str] = set()
        self._marks: dict[str, Known] = {}
        self._garbled: set[str] = set()
        self._asked = 0
        self._listed = False
        self._absent = False
        self._unread: errors.ClientError | None = None

    def look_up(self, backup: Backup) -> Known:
        """Whether CSBS made a backup that was read for itself."""
        self.learn(backup)
        if backup.id not in self._seen:
            self._asked += 1
            if self._asked > MAX_SINGLE_GETS:
                self.read_list()
            self._complete([backup.id])
        return self.made_by_csbs(backup.id)

    def made_by_csbs(self, id: str) -> Known:
        """By all that was learned of a backup, and the list of CSBS."""
        mark = self._marks.get(id, Known.UNKNOWN)
        if mark is Known.YES or (
            mark is Known.NO and not self._servers.was_read
        ):
            return mark
        if self.part(id) is not None:
            return Known.YES
        if mark is Known.NO or self.uncertain_reason(id) is None:
            return Known.NO
        return Known.UNKNOWN

    def uncertain_reason(self, id: str) -> errors.ClientError | None:
        """Why the origin of a backup that CSBS does not list is unknown."""
        listing = self._servers.listing
        if listing.uncertain is not None:
            return listing.uncertain
        if listing.exists:
            return None
        return _GARBLED if id in self._garbled else self._unread

    def part(self, id: str) -> Part | None:
        """The server backup that it belongs to, as far as CSBS says."""
        return self._servers.listing.parts.get(canonical_id(id))

    def is_incremental(self, backup: Backup) -> bool | None:
        """Whether it depends on another; None where nothing says it."""
        if backup.incremental is not None or (
            backup.csbs_mark is not Known.UNKNOWN
        ):
            return backup.incremental
        part = self.part(backup.id)
        if part is not None:
            return part.incremental
        if self._vbs.endpoint.vendor is None:
            # Block storage maintains the mark that VBS does not.
            return bool_or_none(backup.body.get('is_incremental'))
        return None

    def read_list(self) -> None:
        """Read all marks at once, which pays for many backups."""
        v2 = self._vbs.backups_v2
        if v2 is None or self._listed:
            return
        self._listed = True
        with self._reading():
            for backup in v2.list():
                self._note(backup)

    def learn(self, backup: Backup) -> None:
        """Take note of what was read already, if v2 told it."""
        if 'service_metadata' in backup.body or (
            self._vbs.backups_v2 is self._vbs.backups
        ):
            self._note(backup)

    def refusals(self, ids: Sequence[str]) -> dict[str, RefusedError]:
        """Why some of these must not be deleted through VBS, by id."""
        self._complete(ids)
        marks = [self._marks.get(id) for id in ids]
        if any(mark is not Known.NO for mark in marks):
            # Read before the first is judged, so that all are judged alike.
            _ = self._servers.listing
        refused: dict[str, RefusedError] = {}
        for id in ids:
            made_by_csbs = self.made_by_csbs(id)
            if made_by_csbs is Known.YES:
                refused[id] = self._owned(id)
            elif made_by_csbs is Known.UNKNOWN:
                refused[id] = self._undecided(id)
        return refused

    def foreign(self, ids: Sequence[str]) -> dict[str, str]:
        """The same in a few words, without asking whose part each is."""
        self._complete(ids)
        if any(id not in self._marks for id in ids):
            _ = self._servers.listing
        found: dict[str, str] = {}
        for id in ids:
            made_by_csbs = self.made_by_csbs(id)
            if made_by_csbs is Known.YES:
                found[id] = MADE_BY_CSBS
            elif made_by_csbs is Known.UNKNOWN:
                found[id] = self._undecided(id).message
        return found

    def _owned(self, id: str) -> RefusedError:
        listing = self._servers.listing
        part = self.part(id)
        if part is not None:
            return RefusedError(
                f'CSBS made it as a part of the server backup '
                f'{part.backup_name} ({part.backup_id}) of {part.server}',
                Hint(OF_SERVER_BACKUP, id=part.backup_id),
            )
        if listing.exists and listing.uncertain is None:
            return RefusedError(
                'it is left over from CSBS: its server backup no longer '
                'exists',
                LEFT_OVER,
            )
        return RefusedError(
            'CSBS made it as a part of a server backup',
            OF_SOME_SERVER_BACKUP,
        )

    def _undecided(self, id: str) -> UnverifiedError:
        reason = self.uncertain_reason(id) or _GARBLED
        return UnverifiedError(
            f'whether CSBS made it could not be read ({reason.message})',
            f'{reason.hint} {UNKNOWN_ORIGIN}'
            if isinstance(reason, errors.EndpointError) and reason.hint
            else UNKNOWN_ORIGIN,
        )

    def _complete(self, ids: Sequence[str]) -> None:
        """Learn what v2 says of each, as far as it can be read."""
        v2 = self._vbs.backups_v2
        if v2 is None:
            return
        if len(self._unseen(ids)) > MAX_SINGLE_GETS:
            self.read_list()
        unseen = self._unseen(ids)
        if unseen and not self._absent and not self._unread:
            # The list may have skipped rows while others vanished.
            with self._reading():
                answers = ask_each(unseen, v2.get, self._limits).values()
                for answer in answers:
                    if isinstance(answer, Backup):
                        self._note(answer)
                refusals = [
                    answer
                    for answer in answers
                    if isinstance(answer, errors.ClientError)
                ]
                # One that v2 does not know must not hide one that could
                # not be read.
                refusals.sort(key=lambda r: isinstance(r, errors.NotFound))
                if refusals:
                    raise refusals[0]

    def _unseen(self, ids: Sequence[str]) -> list[str]:
        return [id for id in ids if id not in self._seen]

    def _note(self, backup: Backup) -> None:
        self._seen.add(backup.id)
        mark = backup.csbs_mark
        if mark is not Known.UNKNOWN:
            self._marks[backup.id] = mark
        elif 'service_metadata' in backup.body:
            # Plain Cinder serves v2 without the key: that says nothing.
            self._garbled.add(backup.id)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (errors.NotFound, errors.NotServed) as error:
            if self._is_confirmed():
                # No v2 here, which leaves the list of CSBS.
                self._absent = True
            else:
                self._unread = error
        except errors.Cancelled:
            raise
        except errors.ClientError as error:
            self._unread = error

    def _is_confirmed(self) -> bool:
        """Whether v2 knows none of these backups, by more than one answer.

        Another service than the one that deletes need not know them.
        """
        v2 = self._vbs.backups_v2
        if v2 is None or not self._vbs.endpoint.is_one_service:
            return True
        try:
            next(v2.list(page_size=1), None)
        except errors.NotServed:
            return True
        except errors.ClientError:
            return False
        return False
