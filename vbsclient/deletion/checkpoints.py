# SPDX-License-Identifier: Apache-2.0
"""Deleting whole checkpoints, with every server's backup in them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial

from vbsclient.api import errors
from vbsclient.api.csbs import (
    CSBSClient,
    KarborCheckpoint,
    NoServerBackups,
    ServerBackup,
)
from vbsclient.api.errors import Hint
from vbsclient.api.http import Limits
from vbsclient.api.paths import is_uuid
from vbsclient.api.values import Known
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
    Existence,
    Unproven,
    gone,
    is_going,
    is_gone,
    missing_if_gone,
    seen_in,
)
from vbsclient.lookup.names import foreign, unique
from vbsclient.lookup.refusals import (
    MissingError,
    RefusedError,
    UnverifiedError,
)
from vbsclient.lookup.server_backups import (
    TRANSIENT,
    existence_of,
    find_checkpoint_ids,
    find_members,
    read_all,
    seen_while_deleting,
)
from vbsclient.waiting import ResourceStatus
from vbsclient.wording import brief, listed, quote

# What to do where the provider is wrong.
PROVIDERS = (
    'The providers of this cloud are {providers}: give the one of the '
    'checkpoint.'
)


class CheckpointDeletion(Change):
    """The rules for ``csbs checkpoint delete``."""

    is_repeatable = True

    def __init__(
        self,
        csbs: CSBSClient,
        arguments: Sequence[str],
        *,
        provider_id: str,
        limits: Limits,
    ) -> None:
        self._csbs = csbs
        self._arguments = unique(arguments)
        self._provider_id = provider_id
        self._checkpoints = csbs.checkpoints(provider_id)
        self._limits = limits
        self._has_backups = True

    def targets(self) -> list[Target]:
        try:
            found = find_checkpoint_ids(self._csbs.backups, self._arguments)
            ids = [id for id in found.values() if isinstance(id, str)]
            # Nobody is asked about one that holds a single backup.
            members = find_members(
                self._csbs.backups,
                list(dict.fromkeys(ids)),
                self._limits,
                fewest=2,
            )
            targets = [
                self._from_backups(a, found[a], members)
                for a in self._arguments
            ]
        except NoServerBackups as karbor:
            self._has_backups = False
            targets = self._from_karbor(karbor)
        if self._has_backups:
            suggest_command(targets, partial(kinds.a_member, self._csbs))
        return merge(targets)

    def send(self, target: Target, recorder: Recorder) -> Done:
        id = target.verified_id
        return delete_and_verify(
            recorder,
            target,
            'delete checkpoint',
            lambda: self._checkpoints.delete(id),
            lambda: self._status_now(target),
            limits=self._limits,
        )

    def poll(self, targets: Sequence[Target]) -> dict[str, ResourceStatus]:
        ids = [target.verified_id for target in targets]
        if not self._has_backups:
            return self._look_at_karbor(ids)
        members = self._members_now(targets)
        return {
            id: _together(known)
            for id, known in members.items()
            if known is not None
        }

    def initial_status(self, target: Target) -> ResourceStatus:
        return (
            _together(target.verified)
            if target.verified
            else ResourceStatus('')
        )

    def identity_of(self, target: Target) -> Mapping[str, object]:
        return {
            'content': sorted(
                f'{backup.name} ({backup.id}) of server {backup.server_id}'
                for backup in target.verified
            )
        }

    def verify_again(self, ids: Sequence[str]) -> list[Target]:
        return CheckpointDeletion(
            self._csbs,
            ids,
            provider_id=self._provider_id,
            limits=self._limits,
        ).targets()

    def _members_now(
        self, targets: Sequence[Target]
    ) -> dict[str, list[ServerBackup] | None]:
        """What is left of each checkpoint; None where it cannot be known.

        What was known of it is asked for by its own GET where the list
        lacks it, be it for once or because of its state.

        :raises NoServerBackups: on a cloud without server backups.
        """
        known = {i.id: i for t in targets for i in t.verified}
        members: dict[str, list[ServerBackup] | None]
        members = {target.verified_id: [] for target in targets}
        rows = [
            backup
            for backup in self._rows(list(members))
            if backup.checkpoint_id in members and not is_gone(backup.status)
        ]
        listed = {backup.id for backup in rows}
        answers = existence_of(self._csbs.backups, known).of(
            [id for id in known if id not in listed],
            self._limits,
            unlisted=True,
        )
        rows += [a for a in answers.values() if isinstance(a, ServerBackup)]
        for backup in rows:
            owner = members.get(backup.checkpoint_id)
            if owner is not None:
                owner.append(backup)
        for id, answer in answers.items():
            owner_id = known[id].checkpoint_id
            # Its other backups still say how far it is.
            if gone(answer) is Known.UNKNOWN and not members.get(owner_id):
                members[owner_id] = None
        return members

    def _rows(self, ids: Sequence[str]) -> list[ServerBackup]:
        if len(ids) > MAX_SINGLE_GETS:
            return read_all(self._csbs.backups)
        return [
            backup
            for id in ids
            for backup in read_all(self._csbs.backups, checkpoint_id=id)
        ]

    def _karbor(self) -> Existence[KarborCheckpoint]:
        return Existence(self._checkpoints.get, self._listed_by_karbor)

    def _listed_by_karbor(
        self, ids: Collection[str]
    ) -> Iterator[KarborCheckpoint]:
        try:
            yield from self._checkpoints.list()
        except errors.NotFound:
            self._checkpoints.ensure_supported()
            raise

    def _look_at_karbor(self, ids: Sequence[str]) -> dict[str, ResourceStatus]:
        answers = self._karbor().of(ids, self._limits)
        return seen_in(
            answers, lambda checkpoint: ResourceStatus(checkpoint.status)
        )

    def _status_now(self, target: Target) -> str | None:
        """One word for all of it; None once all of it is gone.

        :raises ClientError: if it cannot be determined.
        """
        id = target.verified_id
        if not self._has_backups:
            return self._karbor().status_now(id)
        backups = self._members_now([target])[id]
        if backups is None:
            raise Unproven('its backups could not be read')
        remaining = [
            backup.status for backup in backups if not is_going(backup.status)
        ]
        # As long as one remains, the whole checkpoint was not accepted.
        return remaining[0] if remaining else _together(backups).status

    def _from_backups(
        self,
        argument: str,
        id: str | errors.ClientError,
        members: Mapping[str, Sequence[ServerBackup]],
    ) -> Target:
        target = Target(argument, 'checkpoint', 'CSBS')
        if isinstance(id, errors.ClientError):
            target.refusal = id
            return target
        backups = [one for one in members[id] if not is_gone(one.status)]
        # What a name has found must be in it: nothing else was named.
        named = is_uuid(argument) or argument in {b.name for b in backups}
        if not backups or not named:
            target.refusal = _missing(argument)
            return target
        target.id = id
        target.name = backups[0].name if is_uuid(argument) else argument
        target.resource = backups
        target.members = [_member(backup) for backup in backups]
        self._check(target, backups)
        return target

    def _check(self, target: Target, backups: Sequence[ServerBackup]) -> None:
        if all(is_going(backup.status) for backup in backups):
            target.settled = 'is being deleted already'
            return
        for backup in backups:
            label = f'its backup {brief(backup.name)} ({backup.id})'
            refusal = (
                refusal_of(backup, label)
                if self._csbs.backups.owns(backup)
                else foreign(backup.owner, label)
            )
            if refusal is not None:
                target.refusal = refusal
                return

    def _from_karbor(self, karbor: NoServerBackups) -> list[Target]:
        ids = [a for a in self._arguments if is_uuid(a)]
        try:
            answers = self._karbor().of(ids, self._limits)
        except errors.NotServed as error:
            if karbor.providers:
                shown = listed([str(p) for p in karbor.providers], 5)
                raise error.revised(
                    hint=Hint(PROVIDERS, providers=shown)
                ) from error
            raise
        found = missing_if_gone(answers, 'checkpoint')
        return [
            _karbor_target(argument, found.get(argument))
            for argument in self._arguments
        ]


def _together(backups: Sequence[ServerBackup]) -> ResourceStatus:
    """The status of a checkpoint, from those of its backups.

    A failed one counts once no other is being deleted.
    """
    left = [backup for backup in backups if not is_gone(backup.status)]
    if not left:
        return ResourceStatus(None)
    going = [backup for backup in left if is_going(backup.status)]
    failed = [backup for backup in left if backup.status.startswith('error')]
    return seen_while_deleting((going or failed or left)[0])


def _member(backup: ServerBackup) -> str:
    server = brief(backup.server_name or backup.server_id or 'unknown')
    return (
        f'{brief(backup.name)} ({brief(backup.id)}) of server {server}, '
        f'{brief(backup.status)}'
    )


def refusal_of(backup: ServerBackup, label: str = 'it') -> RefusedError | None:
    """Why a backup must not be deleted now, or None.

    :param label: how a message speaks of it.
    """
    if backup.status in TRANSIENT:
        return RefusedError(
            f'{label} is {backup.status}',
            'Try again when that is done.',
        )
    if backup.has_image:
        return RefusedError(
            f'an image was made from {label}',
            'Delete the image first.',
        )
    if not backup.is_readable:
        return UnverifiedError(
            f'whether an image was made from {label} could not be read (its '
            f'extend_info is not readable)',
            'Tell the operator of the cloud.',
        )
    return None


def _karbor_target(
    argument: str, found: KarborCheckpoint | errors.ClientError | None
) -> Target:
    target = Target(argument, 'checkpoint', 'CSBS')
    if found is None:
        target.refusal = RefusedError(
            f'{quote(argument)} is not the ID of a checkpoint',
            'This cloud finds checkpoints by ID only.',
        )
    elif isinstance(found, errors.ClientError):
        target.refusal = found
    else:
        target.id = found.id
        target.name = found.name
        target.resource = ()
        target.members = _servers_in(found)
        if is_going(found.status):
            target.settled = 'is being deleted already'
        elif found.status in TRANSIENT:
            target.refusal = RefusedError(
                f'it is {found.status}', 'Try again when that is done.'
            )
    return target


def _servers_in(checkpoint: KarborCheckpoint) -> list[str]:
    """What is asked about: nobody can list what is in it.

    The servers are those of its plan, which need not be all.
    """
    if not checkpoint.servers:
        return ['this cloud does not say what is in it']
    return [
        *(f'server {brief(server)}' for server in checkpoint.servers),
        'and whatever else is in it: this cloud does not list its backups',
    ]


def _missing(argument: str) -> MissingError:
    return MissingError(f'No checkpoint found for {argument!r}')
