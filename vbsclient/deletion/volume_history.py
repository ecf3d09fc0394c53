# SPDX-License-Identifier: Apache-2.0
"""Volume backups as retention rules see them."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace

from vbsclient.api.csbs import CSBSClient
from vbsclient.api.http import Limits
from vbsclient.api.values import Known, bool_or_none, text_or_none
from vbsclient.api.vbs import Backup, Share, VBSClient
from vbsclient.change.targets import VerifyAgain
from vbsclient.deletion import prune
from vbsclient.deletion.volume_backups import VolumeBackupDeletion
from vbsclient.lookup.existence import is_gone
from vbsclient.lookup.labels import VolumeLabel, no_label
from vbsclient.lookup.origin import MADE_BY_CSBS, Origins
from vbsclient.lookup.sharing import Sharing
from vbsclient.lookup.volume_backups import keeps_chains
from vbsclient.retention import Candidate, Link, infer_parents
from vbsclient.wording import counted

#: What Cinder has in place of the volume of an imported backup.
_NO_VOLUME = '00000000-0000-0000-0000-000000000000'


class VolumeHistory(prune.History):
    """The backups of some volumes.

    :param read: lists them, each with whether it was selected; if asked for
        all, every backup of these volumes.
    :param lists_all: whether it lists all of them in any case.
    :param include_shared: whether shared ones may be deleted, their shares
        first.
    :param label: how people call a volume, if that is known.
    """

    group_field = 'volume_id'

    def __init__(
        self,
        vbs: VBSClient,
        csbs: CSBSClient,
        read: Callable[[bool], Iterable[tuple[Backup, bool]]],
        *,
        lists_all: bool,
        limits: Limits,
        include_shared: bool = False,
        include_error: bool = False,
        label: VolumeLabel = no_label,
    ) -> None:
        super().__init__((vbs, csbs), vbs.backups, include_error=include_error)
        self._vbs = vbs
        self._csbs = csbs
        self._list = read
        self._lists_all = lists_all
        self._limits = limits
        self._include_shared = include_shared
        self._label = label
        self._origins = Origins(vbs, csbs, limits)
        # These backups are not named one by one.
        self._sharing = Sharing(vbs, warn=True)
        #: Whether the service deletes what others are built on.
        self._any_order = Known.UNKNOWN
        if vbs.endpoint.vendor is None:
            self._any_order = Known.NO

    @property
    def is_vendor(self) -> bool:
        """Whether the service has shown that it is VBS, not Cinder."""
        return self._any_order is Known.YES

    def read(self, keep_bodies_of: Container[str] = ()) -> prune.Snapshot:
        # Nothing of a former read may be trusted.
        self._origins = Origins(self._vbs, self._csbs, self._limits)
        self._sharing = self._sharing.again()
        snapshot, links, has_marks = self._read_list(keep_bodies_of)
        shares = self._sharing.of(snapshot.ids)
        if snapshot.candidates and self._any_order is Known.UNKNOWN:
            chained = keeps_chains(
                self._vbs,
                has_marks=has_marks,
                has_shares=self._sharing.is_offered,
            )
            self._any_order = Known.NO if chained else Known.YES
            if chained and not self._lists_all:
                snapshot, links, _ = self._read_list(keep_bodies_of)
                shares = self._sharing.of(snapshot.ids)
        foreign = self._origins.foreign(snapshot.ids)
        snapshot.uncertain_reason = next(
            (r for r in foreign.values() if r != MADE_BY_CSBS), None
        )
        if self._any_order is not Known.YES:
            snapshot.parents = infer_parents(links)
        snapshot.candidates = [
            self._with_protections(c, foreign.get(c.id), shares.get(c.id, ()))
            for c in snapshot.candidates
        ]
        return snapshot

    def _read_list(
        self, keep_bodies_of: Container[str]
    ) -> tuple[prune.Snapshot, list[Link], bool]:
        """The list as it is now.

        :returns: what was selected; all that may be of one chain, unless any
            order will do; whether a backup had a field that only VBS has.
        """
        snapshot = prune.Snapshot()
        links: list[Link] = []
        has_marks = False
        for backup, selected in self._list(self._any_order is Known.NO):
            if is_gone(backup.status):
                continue
            if self._any_order is not Known.YES:
                links.append(_link(backup))
            has_marks |= 'service_metadata' in backup.body
            # A backup that another project owns is none of this volume's,
            # and is kept whatever the rules say.
            if not selected or not self.backups.owns(backup):
                continue
            self._origins.learn(backup)
            volume_id = backup.volume_id
            if volume_id == _NO_VOLUME:
                volume_id = None
            snapshot.candidates.append(
                self.candidate(
                    backup,
                    size=backup.size,
                    group=volume_id or 'no volume',
                    group_name=self._label(volume_id),
                    volume_ids=(volume_id,) if volume_id else (),
                )
            )
            if backup.id in keep_bodies_of:
                snapshot.resources[backup.id] = backup
        return snapshot, links, has_marks

    def deletion(
        self,
        known: Mapping[str, Backup],
        confirm: prune.Confirm,
        verify_again: VerifyAgain,
    ) -> VolumeBackupDeletion:
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
            verify_again=verify_again,
        )

    def _with_protections(
        self, backup: Candidate, foreign: str | None, shares: Sequence[Share]
    ) -> Candidate:
        """Add what the rules need to know beyond the list.

        :param foreign: why it may not be this service's to delete.
        """
        if foreign is None and not shares and backup.volume_ids:
            return backup
        protections, remarks = backup.protections, backup.remarks
        if foreign is not None:
            protections += (foreign,)
        if not backup.volume_ids:
            protections += ('of no known volume',)
        if shares:
            shared = (f'shared with {counted(len(shares), "project")}',)
            if self._include_shared:
                remarks += shared
            else:
                protections += shared
        return replace(
            backup,
            counts=backup.counts and foreign is None,
            protections=protections,
            remarks=remarks,
            share_ids=tuple(sorted(share.id for share in shares)),
        )


def _link(backup: Backup) -> Link:
    body = backup.body
    data_timestamp = text_or_none(body.get('data_timestamp'))
    created_at = backup.created_at or ''
    return Link(
        backup.id,
        backup.volume_id or '',
        created_at if data_timestamp is None else data_timestamp,
        bool_or_none(body.get('is_incremental')),
        bool_or_none(body.get('has_dependent_backups')),
        created_at=created_at,
    )
