# SPDX-License-Identifier: Apache-2.0
"""Deleting backups of disks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vbsclient import bulk
from vbsclient.api import errors
from vbsclient.api.csbs import CSBSClient
from vbsclient.api.vbs import Backup, Share, VBSClient
from vbsclient.deletion.targets import (
    FEW,
    Done,
    Limits,
    Missing,
    Outcome,
    Recorder,
    Refused,
    Target,
    is_going,
    is_gone,
    merge,
    recognise,
    send_and_judge,
    unique,
)
from vbsclient.deletion.vbs_lookup import Found, find_backups
from vbsclient.deletion.vbs_origin import Origins
from vbsclient.deletion.vbs_sharing import Sharing, describe_share


class BackupDeletion:
    """The rules for ``vbs backup delete``.

    :param arguments: names and ids.
    :param force: go ahead although CSBS made a backup, or it is shared.
    :param cancel_shares: cancel the shares of a backup before deleting it.
    """

    def __init__(
        self,
        vbs: VBSClient,
        csbs: CSBSClient,
        arguments: Sequence[str],
        *,
        limits: Limits,
        force: bool = False,
        cancel_shares: bool = False,
    ) -> None:
        self._vbs = vbs
        self._csbs = csbs
        self._arguments = unique(arguments)
        self._limits = limits
        self._force = force
        self._cancel_shares = cancel_shares
        self._origins = Origins(vbs, csbs, limits)
        self._sharing = Sharing(vbs)
        self._to_cancel: dict[str, list[Share]] = {}

    def plan(self) -> list[Target[Backup]]:
        """Find the backups and check each against the rules."""
        found = self._find()
        targets = [_target(a, found[a]) for a in self._arguments]
        recognise(targets, self._other_kind)
        targets = merge(targets)
        self._check([t for t in targets if t.refusal is None])
        return targets

    def _find(self) -> Found:
        """Look up the backups; for many, read all lists at the same time."""
        found: Found = {}

        def find() -> None:
            found.update(
                find_backups(self._vbs.backups, self._arguments, self._limits)
            )

        reads = [find]
        if len(self._arguments) > FEW and not self._force:
            if self._vbs.endpoint.version != 'v2':
                reads.append(self._origins.read_list)
            reads.append(self._sharing.read_list)
        bulk.gather(reads, stop=self._limits.stop)
        return found

    def batches(
        self, outcomes: Sequence[Outcome[Backup]]
    ) -> Iterator[Sequence[Outcome[Backup]]]:
        """All at the same time."""
        yield outcomes

    def delete(self, target: Target[Backup], recorder: Recorder) -> Done:
        """Cancel its shares if that was asked for, then delete it."""
        id = target.verified_id
        detail = ''
        shares = self._to_cancel.get(id)
        if shares:
            recorder.delete(
                target,
                'cancel all shares',
                lambda: self._vbs.shares.cancel_all(id),
            )
            detail = f'cancelled {_count(shares, "share")}'
        done = send_and_judge(
            lambda: recorder.delete(
                target, 'delete', lambda: self._vbs.backups.delete(id)
            ),
            lambda: self._vbs.backups.get(id).status,
        )
        texts = [text for text in (detail, done.detail) if text]
        return Done(done.request_id, done.finished, '; '.join(texts))

    def _check(self, targets: Sequence[Target[Backup]]) -> None:
        for target in targets:
            _check_status(target)
        open_targets = [
            t for t in targets if t.refusal is None and t.settled is None
        ]
        if not self._force and open_targets:
            self._refuse_csbs(open_targets)
        open_targets = [t for t in open_targets if t.refusal is None]
        if (self._cancel_shares or not self._force) and open_targets:
            self._refuse_shared(open_targets)

    def _refuse_csbs(self, targets: Sequence[Target[Backup]]) -> None:
        refused = self._origins.refusals([t.verified for t in targets])
        for target in targets:
            if target.id in refused:
                target.refusal = refused[target.id]
                target.source = 'CSBS'

    def _refuse_shared(self, targets: Sequence[Target[Backup]]) -> None:
        shares = self._sharing.of([t.verified_id for t in targets])
        for target in targets:
            given = shares.get(target.verified_id)
            if not given:
                continue
            if self._cancel_shares:
                self._to_cancel[target.verified_id] = given
                target.members = [describe_share(s) for s in given]
            else:
                projects = ', '.join(str(s.to_project_id) for s in given)
                target.refusal = Refused(
                    f'it is shared with {_count(given, "project")}: '
                    f'{projects}',
                    'Add --cancel-shares to cancel that first, or --force.',
                )

    def _other_kind(self, id: str) -> str | None:
        try:
            share = self._vbs.shares.get(id)
            return (
                f'It is the id of a share (of backup {share.backup_id}): '
                f'use "openstack vbs share delete {id}".'
            )
        except errors.ClientError:
            pass
        try:
            self._csbs.items.get(id)
            return (
                f'It is the id of a backup of a server: use "openstack csbs '
                f'backup delete {id}".'
            )
        except errors.ClientError:
            return None


def _target(
    argument: str, found: Backup | errors.ClientError
) -> Target[Backup]:
    if isinstance(found, errors.ClientError):
        return Target(argument, 'backup', 'VBS', refusal=found)
    return Target(
        argument,
        'backup',
        'VBS',
        id=found.id,
        name=found.name,
        resource=found,
    )


def _check_status(target: Target[Backup]) -> None:
    status = target.verified.status
    if is_gone(status):
        target.refusal = Missing(f'No backup found for {target.argument!r}')
    elif is_going(status):
        target.settled = 'is being deleted already'
    elif status == 'error_deleting':
        target.refusal = Refused(
            'its deletion failed before (status error_deleting)',
            'Leave it alone and tell the operator of the cloud: that is what '
            'the manual asks for.',
        )


def _count(shares: Sequence[Share], noun: str) -> str:
    return f'{len(shares)} {noun}{"" if len(shares) == 1 else "s"}'
