# SPDX-License-Identifier: Apache-2.0
"""Deleting whole checkpoints, with every server's backup in them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from vbsclient.api import errors
from vbsclient.api.csbs import (
    CSBSClient,
    KarborCheckpoint,
    NoServerBackups,
    ServerBackup,
)
from vbsclient.api.http import is_uuid
from vbsclient.api.values import Known
from vbsclient.bulk import Limits
from vbsclient.change.targets import (
    Change,
    Done,
    Recorder,
    Target,
    merge,
    suggest_command,
)
from vbsclient.change.verify import delete_and_verify
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
    find_members,
    read_all,
    seen_while_deleting,
    suppress_errors,
)
from vbsclient.waiting import ResourceStatus
from vbsclient.wording import brief, listed, quote


class CheckpointDeletion(Change):
    """The rules for ``csbs checkpoint delete``."""

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
        self._has_items = True

    def targets(self) -> list[Target]:
        """See what each checkpoint holds and whether it may go."""
        ids = [a for a in self._arguments if is_uuid(a)]
        try:
            # Nobody is asked about one that holds a single backup.
            members = find_members(
                self._csbs.backups, ids, self._limits, fewest=2
            )
            targets = [
                self._from_items(a, members.get(a, ()))
                for a in self._arguments
            ]
        except NoServerBackups as karbor:
            self._has_items = False
            targets = self._from_karbor(ids, karbor)
        suggest_command(targets, self._other_kind)
        return merge(targets)

    def send(self, target: Target, recorder: Recorder) -> Done:
        """Delete a checkpoint with everything in it."""
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
        """One look: the list of items, and a GET for what it leaves out."""
        ids = [target.verified_id for target in targets]
        if not self._has_items:
            return self._look_at_karbor(ids)
        members = self._members_now(targets)
        return {
            id: _together(known)
            for id, known in members.items()
            if known is not None
        }

    def initial_status(self, target: Target) -> ResourceStatus:
        """What was seen of it before its DELETE."""
        return (
            _together(target.verified)
            if target.verified
            else ResourceStatus('')
        )

    def identity_of(self, target: Target) -> Mapping[str, object]:
        """What must be the same when it is sent again."""
        return {
            'content': sorted(
                f'{item.name} ({item.id}) of server {item.server_id}'
                for item in target.verified
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
        """What is left of each checkpoint; None where nobody knows.

        What was known of it is asked for by its own GET where the list
        lacks it, be it for once or because of its state.

        :raises NoServerBackups: on a cloud without items.
        """
        known = {i.id: i for t in targets for i in t.verified}
        members: dict[str, list[ServerBackup] | None]
        members = {target.verified_id: [] for target in targets}
        rows = [
            item
            for item in self._rows(list(members))
            if item.checkpoint_id in members and not is_gone(item.status)
        ]
        listed = {item.id for item in rows}
        answers = existence_of(self._csbs.backups, known).of(
            [id for id in known if id not in listed],
            self._limits,
            unlisted=True,
        )
        rows += [a for a in answers.values() if isinstance(a, ServerBackup)]
        for item in rows:
            owner = members.get(item.checkpoint_id)
            if owner is not None:
                owner.append(item)
        for id, answer in answers.items():
            owner_id = known[id].checkpoint_id
            # What stays or goes on of it is told all the same.
            if gone(answer) is Known.UNKNOWN and not members.get(owner_id):
                members[owner_id] = None
        return members

    def _rows(self, ids: Sequence[str]) -> list[ServerBackup]:
        if len(ids) > MAX_SINGLE_GETS:
            return read_all(self._csbs.backups)
        return [
            item
            for id in ids
            for item in read_all(self._csbs.backups, checkpoint_id=id)
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

        :raises ClientError: if nobody knows.
        """
        id = target.verified_id
        if not self._has_items:
            return self._karbor().status_now(id)
        items = self._members_now([target])[id]
        if items is None:
            raise Unproven('its backups could not be read')
        staying = [item.status for item in items if not is_going(item.status)]
        # As long as one stays, the whole checkpoint was not accepted.
        return staying[0] if staying else _together(items).status

    def _from_items(
        self, argument: str, items: Sequence[ServerBackup]
    ) -> Target:
        target = Target(argument, 'checkpoint', 'CSBS')
        if not is_uuid(argument):
            target.refusal = _no_id(argument)
            return target
        items = [item for item in items if not is_gone(item.status)]
        if not items:
            target.refusal = _missing(argument)
            return target
        target.id = argument
        target.name = items[0].name
        target.resource = items
        if len(items) > 1:
            target.members = [_member(item) for item in items]
        self._check(target, items)
        return target

    def _check(self, target: Target, items: Sequence[ServerBackup]) -> None:
        if all(is_going(item.status) for item in items):
            target.settled = 'is being deleted already'
            return
        for item in items:
            label = f'its backup {brief(item.name)} ({item.id})'
            refusal = (
                refusal_of(item, label)
                if self._csbs.backups.owns(item)
                else foreign(item.owner, label)
            )
            if refusal is not None:
                target.refusal = refusal
                return

    def _from_karbor(
        self, ids: Sequence[str], karbor: NoServerBackups
    ) -> list[Target]:
        try:
            answers = self._karbor().of(ids, self._limits)
        except errors.NotServed as error:
            if karbor.providers:
                shown = listed([str(p) for p in karbor.providers], 5)
                error.hint = (
                    f'The providers of this cloud are {shown}: give the '
                    f'one of the checkpoint with --provider.'
                )
            raise
        found = missing_if_gone(answers, 'checkpoint')
        return [
            _karbor_target(argument, found.get(argument))
            for argument in self._arguments
        ]

    def _other_kind(self, id: str) -> str | None:
        if not self._has_items:
            return None
        item = suppress_errors(lambda: self._csbs.backups.get(id))
        if item is None:
            return None
        return (
            f'It is the id of one backup in the checkpoint '
            f'{item.checkpoint_id}: use "openstack csbs backup delete {id}".'
        )


def _together(items: Sequence[ServerBackup]) -> ResourceStatus:
    """What the states of its items make of a checkpoint.

    A failed item shows once no other is on its way any more.
    """
    left = [item for item in items if not is_gone(item.status)]
    if not left:
        return ResourceStatus(None)
    going = [item for item in left if is_going(item.status)]
    failed = [item for item in left if item.status.startswith('error')]
    return seen_while_deleting((going or failed or left)[0])


def _member(item: ServerBackup) -> str:
    server = item.server_name or item.server_id or 'unknown'
    return (
        f'{brief(item.name)} ({brief(item.id)}) of server {brief(server)}, '
        f'{brief(item.status)}'
    )


def refusal_of(item: ServerBackup, label: str = 'it') -> RefusedError | None:
    """Why an item must not be deleted now, or None.

    :param label: how a message speaks of it.
    """
    if item.status in TRANSIENT:
        return RefusedError(
            f'{label} is {item.status}',
            'Try again when that is done.',
        )
    if item.has_image:
        return RefusedError(
            f'an image was made from {label}',
            'Delete the image first.',
        )
    if not item.is_readable:
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
        target.refusal = _no_id(argument)
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


def _no_id(argument: str) -> RefusedError:
    return RefusedError(
        f'{quote(argument)} is not the id of a checkpoint',
        'A checkpoint has no name of its own; "openstack csbs backup delete" '
        'takes names of backups.',
    )


def _missing(argument: str) -> MissingError:
    return MissingError(f'No checkpoint found for {argument!r}')
