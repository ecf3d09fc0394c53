# SPDX-License-Identifier: Apache-2.0
"""Backups of disks as rules of retention see them."""

from __future__ import annotations

from collections.abc import (
    Callable,
    Container,
    Iterable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field
from typing import NamedTuple

from vbsclient.api import errors
from vbsclient.api.csbs import CSBSClient
from vbsclient.api.times import parse_timestamp
from vbsclient.api.values import Known, bool_or_none, text_or_none
from vbsclient.api.vbs import Backup, Share, VBSClient
from vbsclient.bulk import Limits
from vbsclient.deletion.prune import Absence, Confirm, Snapshot, status_reasons
from vbsclient.deletion.volume_backups import VolumeBackupDeletion
from vbsclient.lookup.existence import is_gone
from vbsclient.lookup.origin import MADE_BY_CSBS, Origins
from vbsclient.lookup.sharing import Sharing
from vbsclient.lookup.volume_backups import keeps_chains
from vbsclient.retention import Candidate, Link, infer_parents
from vbsclient.wording import brief, counted

#: What Cinder has in place of the volumes of all imported backups.
_NO_VOLUME = '00000000-0000-0000-0000-000000000000'

#: A backup, and whether the user selected it.
Selected = tuple[Backup, bool]


class VolumeHistory:
    """The backups of some volumes.

    :param read: lists them; if asked for all, every backup of these
        volumes, also what is not selected.
    :param whole: whether it lists all of them in any case.
    :param include_shared: let shared ones go, their shares first.
    :param include_error: let those go whose status is ``error``.
    """

    def __init__(
        self,
        vbs: VBSClient,
        csbs: CSBSClient,
        read: Callable[[bool], Iterable[Selected]],
        *,
        whole: bool,
        limits: Limits,
        include_shared: bool = False,
        include_error: bool = False,
    ) -> None:
        self._vbs = vbs
        self._csbs = csbs
        self._list = read
        self._whole = whole
        self._limits = limits
        self._include_shared = include_shared
        self._include_error = include_error
        self._origins = Origins(vbs, csbs, limits)
        # Nobody names these backups one by one.
        self._sharing = Sharing(vbs, warn=True)
        #: Whether the service deletes what others are built on.
        self._any_order = Known.UNKNOWN
        if vbs.endpoint.vendor is None:
            self._any_order = Known.NO

    @property
    def is_vendor(self) -> bool:
        """Whether the service has shown that it is VBS, and no Cinder."""
        return self._any_order is Known.YES

    def read(self, hold: Container[str] = ()) -> Snapshot[Backup]:
        """List them, and learn which of them may go at all."""
        # A look that trusts a former one sees nothing that is new.
        self._origins = Origins(self._vbs, self._csbs, self._limits)
        self._sharing = self._sharing.again()
        look = self._look(hold)
        shares = self._sharing.of(look.ids)
        if look.rows and self._any_order is Known.UNKNOWN:
            chained = keeps_chains(
                self._vbs,
                has_marks=look.has_marks,
                has_shares=self._sharing.is_offered,
            )
            self._any_order = Known.NO if chained else Known.YES
            if self._any_order is Known.NO and not self._whole:
                look = self._look(hold)
                shares = self._sharing.of(look.ids)
        foreign = self._origins.foreign(look.ids)
        reading: Snapshot[Backup] = Snapshot(resources=look.resources)
        reading.doubt = next(
            (text for text in foreign.values() if text != MADE_BY_CSBS), None
        )
        if self._any_order is not Known.YES:
            reading.parents = infer_parents(look.links)
        reading.candidates = [
            self._candidate(row, foreign.get(row.id), shares.get(row.id, ()))
            for row in look.rows
        ]
        return reading

    def _look(self, hold: Container[str]) -> _Look:
        """What the list shows now, with all of a chain where it matters."""
        look = _Look()
        for backup, selected in self._list(self._any_order is Known.NO):
            if is_gone(backup.status):
                continue
            if self._any_order is not Known.YES:
                look.links.append(_link(backup))
            look.has_marks |= 'service_metadata' in backup.body
            # What another project owns is none of those of this volume, and
            # stays whatever the rules say.
            if not selected or not self._vbs.backups.owns(backup):
                continue
            self._origins.learn(backup)
            look.rows.append(_Row.of(backup))
            if backup.id in hold:
                look.resources[backup.id] = backup
        return look

    def deletion(
        self, known: Mapping[str, Backup], confirm: Confirm
    ) -> VolumeBackupDeletion:
        """The rules of ``vbs backup delete``, by what the last look saw."""
        return VolumeBackupDeletion(
            self._vbs,
            self._csbs,
            list(known),
            limits=self._limits,
            cancel_shares=self._include_shared,
            known=known,
            origins=self._origins,
            sharing=self._sharing,
            confirm=confirm,
        )

    def absence_of(self, backup: Candidate) -> Absence | None:
        """Ask for it where DELETEs are sent."""
        try:
            now = self._vbs.backups.get(backup.id)
        except errors.NotFound:
            return Absence('there is no such backup', is_gone=True)
        if now.status != 'available':
            return Absence(
                f'its status is {brief(now.status)}', is_gone(now.status)
            )
        if now.volume_id != backup.group or not self._vbs.backups.owns(now):
            return Absence('it is not the same any more')
        return None

    def _candidate(
        self, row: _Row, foreign: str | None, shares: Sequence[Share]
    ) -> Candidate:
        protections, remarks = status_reasons(
            row.status, include_error=self._include_error
        )
        if foreign is not None:
            protections += (foreign,)
        if row.volume_id is None:
            protections += ('of no known volume',)
        if shares:
            shared = (f'shared with {counted(len(shares), "project")}',)
            if self._include_shared:
                remarks += shared
            else:
                protections += shared
        return Candidate(
            id=row.id,
            group=row.volume_id or 'no volume',
            name=row.name,
            status=row.status,
            created_at=row.created_at,
            created=parse_timestamp(row.created_at),
            size=row.size,
            counts=row.status == 'available' and foreign is None,
            protections=protections,
            remarks=remarks,
            volume_ids=(row.volume_id,) if row.volume_id else (),
            share_ids=tuple(sorted(share.id for share in shares)),
        )


@dataclass
class _Look:
    """What one list has shown.

    :ivar links: of all that may be of one chain, unless any order will do.
    :ivar has_marks: whether a backup had what only VBS tells of one.
    """

    rows: list[_Row] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    resources: dict[str, Backup] = field(default_factory=dict)
    has_marks: bool = False

    @property
    def ids(self) -> list[str]:
        """Of what is selected."""
        return [row.id for row in self.rows]


class _Row(NamedTuple):
    """What is needed of a backup; a list may hold a hundred thousand."""

    id: str
    name: str | None
    status: str
    volume_id: str | None
    size: int | None
    created_at: str | None

    @classmethod
    def of(cls, backup: Backup) -> _Row:
        return cls(
            backup.id,
            backup.name,
            backup.status,
            None if backup.volume_id in ('', _NO_VOLUME) else backup.volume_id,
            backup.size,
            backup.created_at,
        )


def _link(backup: Backup) -> Link:
    body = backup.body
    taken = text_or_none(body.get('data_timestamp'))
    return Link(
        backup.id,
        backup.volume_id or '',
        backup.created_at or '' if taken is None else taken,
        bool_or_none(body.get('is_incremental')),
        bool_or_none(body.get('has_dependent_backups')),
        created_at=backup.created_at or '',
    )
