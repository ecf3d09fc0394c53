# SPDX-License-Identifier: Apache-2.0
"""Canceling shares of backups: one by one, or those of a backup."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from vbsclient.api import errors
from vbsclient.api.http import Limits
from vbsclient.api.paths import is_uuid
from vbsclient.api.vbs import Backup, Share, VBSClient
from vbsclient.change.targets import (
    Change,
    Done,
    Recorder,
    Target,
    merge,
    suggest_command,
)
from vbsclient.change.verify import delete_and_verify
from vbsclient.lookup import kinds
from vbsclient.lookup.existence import (
    MAX_SINGLE_GETS,
    missing_if_gone,
)
from vbsclient.lookup.labels import VolumeLabel, no_label
from vbsclient.lookup.names import require_uuid, unique
from vbsclient.lookup.refusals import MissingError, RefusedError
from vbsclient.lookup.sharing import (
    by_backup,
    describe_share,
    existence_of,
    read_shares,
    status_of_all,
)
from vbsclient.lookup.volume_backups import find_backups
from vbsclient.wording import quote

#: What to do where a share is named.
NO_NAME = 'A share has no name of its own; name its backup instead.'


class _Cancelling(Change):
    """What both ways of naming shares have in common.

    The resource of a target are its shares: one, or all of one backup.
    """

    def __init__(self, vbs: VBSClient, limits: Limits) -> None:
        self._vbs = vbs
        self._limits = limits

    def _cancel_one(self, target: Target, recorder: Recorder) -> Done:
        id = target.verified_id
        existence = existence_of(self._vbs.shares, target.verified)
        done = delete_and_verify(
            recorder,
            target,
            'cancel share',
            lambda: self._vbs.shares.cancel(id),
            lambda: existence.status_now(id),
            limits=self._limits,
        )
        return Done(done.request_id, is_final=True, detail=_to(target))


class ShareDeletion(_Cancelling):
    """The rules for ``vbs share delete <share> [...]``."""

    def __init__(
        self, vbs: VBSClient, arguments: Sequence[str], *, limits: Limits
    ) -> None:
        super().__init__(vbs, limits)
        self._arguments = unique(arguments)

    def targets(self) -> list[Target]:
        ids = [a for a in self._arguments if is_uuid(a)]
        many = len(ids) > MAX_SINGLE_GETS
        answers = existence_of(self._vbs.shares).of(
            ids,
            self._limits,
            rows=read_shares(self._vbs.shares) if many else (),
            unlisted=many,
        )
        found = missing_if_gone(answers, 'share')
        targets = [_share_target(a, found.get(a)) for a in self._arguments]
        suggest_command(targets, partial(kinds.a_backup, self._vbs))
        return merge(targets)

    def send(self, target: Target, recorder: Recorder) -> Done:
        return self._cancel_one(target, recorder)


class BackupSharesDeletion(_Cancelling):
    """The rules for ``vbs share delete --backup <backup>``.

    :param project_id: only shares with this project; then each goes by its
        own id, never by the backup's.
    """

    def __init__(
        self,
        vbs: VBSClient,
        arguments: Sequence[str],
        *,
        limits: Limits,
        project_id: str | None = None,
        label: VolumeLabel = no_label,
    ) -> None:
        super().__init__(vbs, limits)
        self._arguments = unique(arguments)
        self._project_id = project_id
        self._label = label

    def targets(self) -> list[Target]:
        found = find_backups(
            self._vbs.backups, self._arguments, self._limits, self._label
        )
        every = (
            by_backup(self._vbs.shares.list())
            if len(found) > MAX_SINGLE_GETS
            else None
        )
        targets: list[Target] = []
        for argument in self._arguments:
            backup = found[argument]
            if isinstance(backup, errors.ClientError):
                targets.append(
                    Target(argument, 'share', 'VBS', refusal=backup)
                )
                continue
            shares = (
                every.get(backup.id, [])
                if every is not None
                else list(self._vbs.shares.list(backup_id=backup.id))
            )
            targets += self._targets(argument, backup, shares)
        suggest_command(targets, partial(kinds.a_share, self._vbs))
        return merge(targets)

    def send(self, target: Target, recorder: Recorder) -> Done:
        if self._project_id is not None:
            return self._cancel_one(target, recorder)
        id = target.verified_id
        shares = target.verified
        done = delete_and_verify(
            recorder,
            target,
            'cancel all shares',
            lambda: self._vbs.shares.cancel_all(id),
            lambda: status_of_all(self._vbs.shares, id, shares, self._limits),
            limits=self._limits,
        )
        return Done(done.request_id, is_final=True, detail=_to(target))

    def _targets(
        self, argument: str, backup: Backup, shares: Sequence[Share]
    ) -> list[Target]:
        if self._project_id is None and shares:
            return [
                Target(
                    argument,
                    'share',
                    'VBS',
                    id=backup.id,
                    name=backup.name,
                    resource=shares,
                    members=[describe_share(share) for share in shares],
                )
            ]
        with_project = [
            share
            for share in shares
            if share.to_project_id == self._project_id
        ]
        if self._project_id is not None and with_project:
            return [
                _share_target(argument, share, backup.name)
                for share in with_project
            ]
        partner = (
            f' with project {self._project_id}' if self._project_id else ''
        )
        return [
            Target(
                argument,
                'share',
                'VBS',
                name=backup.name,
                refusal=MissingError(
                    f'backup {backup.name} ({backup.id}) is not '
                    f'shared{partner}'
                ),
            )
        ]


def _share_target(
    argument: str,
    found: Share | errors.ClientError | None,
    backup_name: str | None = None,
) -> Target:
    if isinstance(found, Share):
        try:
            require_uuid(found.id)
        except errors.InvalidId as refusal:
            found = refusal
    if isinstance(found, Share):
        return Target(
            argument,
            'share',
            'VBS',
            id=found.id,
            name=found.backup_name or backup_name,
            resource=[found],
        )
    return Target(
        argument,
        'share',
        'VBS',
        refusal=found
        or RefusedError(
            f'{quote(argument)} is not the ID of a share',
            NO_NAME,
        ),
    )


def _to(target: Target) -> str:
    shares = target.resource or ()
    projects = ', '.join(str(share.to_project_id) for share in shares)
    return f'was shared with {projects}' if projects else ''
