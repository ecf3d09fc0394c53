# SPDX-License-Identifier: Apache-2.0
"""Deleting whole checkpoints, with every server's backup in them."""

from __future__ import annotations

from collections.abc import Sequence

from vbsclient.api import errors
from vbsclient.api.csbs import Checkpoint, CSBSClient, Item, NoItems
from vbsclient.api.http import is_uuid
from vbsclient.deletion.csbs_lookup import (
    TRANSIENT,
    find_members,
    quietly,
    read_all,
    seen_of,
)
from vbsclient.deletion.follow import Independent
from vbsclient.deletion.judgement import (
    ask_each,
    get_surely,
    is_going,
    is_gone,
    may_be_no_route,
    send_and_judge,
)
from vbsclient.deletion.naming import merge, recognise, unique
from vbsclient.deletion.targets import (
    AllAtOnce,
    Done,
    Limits,
    Missing,
    Recorder,
    Refused,
    Target,
    Undecided,
)
from vbsclient.deletion.wording import brief, listed, quote
from vbsclient.waiting import Seen

#: The items of a checkpoint; none on a cloud that has no items.
CheckpointTarget = Target[Sequence[Item]]


class CheckpointDeletion(
    AllAtOnce[Sequence[Item]], Independent[Sequence[Item]]
):
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
        self._checkpoints = csbs.checkpoints(provider_id)
        self._limits = limits
        self._has_items = True

    def targets(self) -> list[CheckpointTarget]:
        """See what each checkpoint holds and whether it may go."""
        ids = [a for a in self._arguments if is_uuid(a)]
        try:
            members = find_members(self._csbs.items, ids, self._limits)
            targets = [
                self._from_items(a, members.get(a, ()))
                for a in self._arguments
            ]
        except NoItems as karbor:
            self._has_items = False
            targets = self._from_karbor(ids, karbor)
        recognise(targets, self._other_kind)
        return merge(targets)

    def delete(self, target: CheckpointTarget, recorder: Recorder) -> Done:
        """Delete a checkpoint with everything in it."""
        id = target.verified_id
        return send_and_judge(
            lambda: recorder.delete(
                target,
                'delete checkpoint',
                lambda: self._checkpoints.delete(id),
            ),
            lambda: self._status_now(id),
        )

    def look(self, targets: Sequence[CheckpointTarget]) -> dict[str, Seen]:
        """One look: the list of items, and again for what it leaves out."""
        ids = [target.verified_id for target in targets]
        if not self._has_items:
            return {id: self._look_at_karbor(id) for id in ids}
        members = find_members(self._csbs.items, ids, self._limits)
        return {id: _together(members[id]) for id in ids}

    def seen_first(self, target: CheckpointTarget) -> Seen:
        """What was seen of it before its DELETE."""
        return _together(target.verified) if target.verified else Seen('')

    def _look_at_karbor(self, id: str) -> Seen:
        try:
            return Seen(self._karbor_status(id))
        except errors.NotFound:
            return Seen(None)

    def _karbor_status(self, id: str) -> str:
        return get_surely(
            self._checkpoints.get, id, self._checkpoints.demand_served
        ).status

    def _status_now(self, id: str) -> str:
        if not self._has_items:
            return self._karbor_status(id)
        items = read_all(self._csbs.items, checkpoint_id=id)
        staying = [
            item.status
            for item in items
            if not is_gone(item.status) and not is_going(item.status)
        ]
        # As long as one stays, the whole checkpoint was not accepted.
        if staying:
            return staying[0]
        return _together(items).status or 'deleted'

    def _from_items(
        self, argument: str, items: Sequence[Item]
    ) -> CheckpointTarget:
        target = CheckpointTarget(argument, 'checkpoint', 'CSBS')
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
        _check(target, items)
        return target

    def _from_karbor(
        self, ids: Sequence[str], karbor: NoItems
    ) -> list[CheckpointTarget]:
        found = ask_each(ids, self._checkpoints.get, self._limits)
        if may_be_no_route(found):
            try:
                self._checkpoints.demand_served()
            except errors.NotServed as error:
                if karbor.providers:
                    shown = listed([str(p) for p in karbor.providers], 5)
                    error.hint = (
                        f'The providers of this cloud are {shown}: give the '
                        f'one of the checkpoint with --provider.'
                    )
                raise
        for id, answer in found.items():
            if isinstance(answer, errors.NotFound):
                found[id] = _missing(id)
        return [
            _karbor_target(argument, found.get(argument))
            for argument in self._arguments
        ]

    def _other_kind(self, id: str) -> str | None:
        if not self._has_items:
            return None
        item = quietly(lambda: self._csbs.items.get(id))
        if item is None:
            return None
        return (
            f'It is the id of one backup in the checkpoint '
            f'{item.checkpoint_id}: use "openstack csbs backup delete {id}".'
        )


def _together(items: Sequence[Item]) -> Seen:
    """What the states of its items make of a checkpoint.

    A failed item shows once no other is on its way any more.
    """
    left = [item for item in items if not is_gone(item.status)]
    if not left:
        return Seen(None)
    going = [item for item in left if is_going(item.status)]
    failed = [item for item in left if item.status.startswith('error')]
    return seen_of((going or failed or left)[0])


def _member(item: Item) -> str:
    server = item.server_name or item.server_id or 'unknown'
    return (
        f'{brief(item.name)} ({brief(item.id)}) of server {brief(server)}, '
        f'{brief(item.status)}'
    )


def _check(target: CheckpointTarget, items: Sequence[Item]) -> None:
    if all(is_going(item.status) for item in items):
        target.settled = 'is being deleted already'
        return
    for item in items:
        refusal = refusal_of(
            item, f'its backup {brief(item.name)} ({item.id})'
        )
        if refusal is not None:
            target.refusal = refusal
            return


def refusal_of(item: Item, label: str = 'it') -> Refused | None:
    """Why an item must not be deleted now, or None.

    :param label: how a message speaks of it.
    """
    if item.status in TRANSIENT:
        return Refused(
            f'{label} is {item.status}',
            'Try again when that is done.',
        )
    if item.has_image:
        return Refused(
            f'an image was made from {label}',
            'Delete the image first.',
        )
    if not item.is_readable:
        return Undecided(
            f'whether an image was made from {label} could not be read (its '
            f'extend_info is not readable)',
            'Tell the operator of the cloud.',
        )
    return None


def _karbor_target(
    argument: str, found: Checkpoint | errors.ClientError | None
) -> CheckpointTarget:
    target = CheckpointTarget(argument, 'checkpoint', 'CSBS')
    if found is None:
        target.refusal = _no_id(argument)
    elif isinstance(found, errors.ClientError):
        target.refusal = found
    elif is_gone(found.status):
        target.refusal = _missing(argument)
    else:
        target.id = found.id
        target.name = found.name
        target.resource = ()
        target.members = _servers_in(found)
        if is_going(found.status):
            target.settled = 'is being deleted already'
        elif found.status in TRANSIENT:
            target.refusal = Refused(
                f'it is {found.status}', 'Try again when that is done.'
            )
    return target


def _servers_in(checkpoint: Checkpoint) -> list[str]:
    """What is asked about: nobody can list what is in it.

    The servers are those of its plan, which need not be all.
    """
    if not checkpoint.servers:
        return ['this cloud does not say what is in it']
    return [
        *(f'server {brief(server)}' for server in checkpoint.servers),
        'and whatever else is in it: this cloud does not list its backups',
    ]


def _no_id(argument: str) -> Refused:
    return Refused(
        f'{quote(argument)} is not the id of a checkpoint',
        'A checkpoint has no name of its own; "openstack csbs backup delete" '
        'takes names of backups.',
    )


def _missing(argument: str) -> Missing:
    return Missing(f'No checkpoint found for {argument!r}')
