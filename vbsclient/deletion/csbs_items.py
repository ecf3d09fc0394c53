# SPDX-License-Identifier: Apache-2.0
"""Deleting one server's backup and nothing else of its checkpoint.

The query that narrows a deletion to one item is ignored by the upstream of
this service, which then deletes the whole checkpoint.  So the first deletion
that could do such harm goes alone, and its siblings are looked at before
anything else is sent.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence

from vbsclient.api import errors
from vbsclient.api.csbs import CSBSClient, Item
from vbsclient.api.http import is_uuid
from vbsclient.bulk import State
from vbsclient.deletion.csbs_checkpoints import refusal_of
from vbsclient.deletion.csbs_lookup import (
    WHAT,
    choose_item,
    existence_of,
    find_items,
    find_members,
    get_each,
    quietly,
    read_all,
    seen_while_deleting,
)
from vbsclient.deletion.follow import Independent
from vbsclient.deletion.judgement import (
    Findings,
    is_going,
    is_gone,
    may_have_acted,
    send_and_judge,
)
from vbsclient.deletion.naming import check_name, merge, recognise, unique
from vbsclient.deletion.targets import (
    FEW,
    Done,
    Limits,
    Missing,
    Outcome,
    Recorder,
    Refused,
    Renew,
    StopAll,
    Target,
    left_alone,
)
from vbsclient.deletion.wording import brief, counted, quote
from vbsclient.waiting import Seen

#: Seconds in which the first deletion must show an effect.
PROOF_TIMEOUT = 30.0

ItemTarget = Target[Item]


class ItemDeletion(Independent[Item]):
    """The rules for ``csbs backup delete`` and for ``--item``.

    :param arguments: names and ids of backups of servers.
    :param checkpoint_id: the checkpoint that they must belong to, or None.
    :param known: what this run has just read of some of them, by id: these
        are not read again.
    """

    def __init__(
        self,
        csbs: CSBSClient,
        arguments: Sequence[str],
        *,
        provider_id: str,
        limits: Limits,
        checkpoint_id: str | None = None,
        known: Mapping[str, Item] | None = None,
    ) -> None:
        self._csbs = csbs
        self._arguments = unique(arguments)
        self._provider_id = provider_id
        self._checkpoints = csbs.checkpoints(provider_id)
        self._limits = limits
        self._checkpoint_id = checkpoint_id
        self._known = known or {}
        self.renewed: Renew[Item] = self._renewed
        #: Whether a deletion has left its siblings alone.
        self._is_proven = False

    def targets(self) -> list[ItemTarget]:
        """Find the backups and check each against the rules."""
        if self._checkpoint_id is not None:
            found = self._find_in_checkpoint(self._checkpoint_id)
        else:
            found = self._find()
        targets = [_target(a, found[a]) for a in self._arguments]
        recognise(targets, self._other_kind)
        return merge(targets)

    def batches(
        self, outcomes: Sequence[Outcome[Item]]
    ) -> Iterator[Sequence[Outcome[Item]]]:
        """One alone, until a sibling check has passed; then the rest."""
        if self._is_proven:
            yield outcomes
            return
        by_checkpoint: dict[str, list[Outcome[Item]]] = {}
        for outcome in outcomes:
            by_checkpoint.setdefault(
                outcome.target.verified.checkpoint_id, []
            ).append(outcome)
        # One list costs less than one of each of many checkpoints.
        every = (
            find_members(self._csbs.items, list(by_checkpoint), self._limits)
            if len(by_checkpoint) > FEW
            else {}
        )
        named = {outcome.target.id for outcome in outcomes}
        for checkpoint_id, members in every.items():
            # All of them now, for the first proof lets the rest go.
            named -= self._leave_changed(by_checkpoint[checkpoint_id], members)
        for checkpoint_id, group in by_checkpoint.items():
            if checkpoint_id in every:
                members = every[checkpoint_id]
            else:
                members = read_all(
                    self._csbs.items, checkpoint_id=checkpoint_id
                )
                named -= self._leave_changed(group, members)
            before = _siblings(members, named)
            if not before:
                continue
            for first in _unsent(group):
                yield [first]
                if first.state in (State.DONE, State.UNKNOWN) or isinstance(
                    first.error, errors.UnexpectedSuccess
                ):
                    self._prove(first.target.verified, before)
                    yield _unsent(outcomes)
                    return
                if may_have_acted(first.error):
                    # A refusal shows no effect that could be waited for, and
                    # is no promise that nothing was done.
                    self._demand_unhurt(first.target.verified, before)
        yield _unsent(outcomes)

    def delete(self, target: ItemTarget, recorder: Recorder) -> Done:
        """Delete one item, by its id in ``checkpoint_items``."""
        item = target.verified
        existence = existence_of(self._csbs.items, {item.id: item})
        return send_and_judge(
            recorder,
            target,
            'delete item',
            lambda: self._checkpoints.delete_item(item.checkpoint_id, item.id),
            lambda: existence.status_now(item.id),
            limits=self._limits,
        )

    def look(self, targets: Sequence[ItemTarget]) -> dict[str, Seen]:
        """One look: the list for many, and a GET for what it leaves out."""
        wanted = {t.verified_id: t.verified for t in targets}
        seen: dict[str, Seen] = {}
        many = len(wanted) > FEW
        if many:
            for item in read_all(self._csbs.items):
                if item.id in wanted and not is_gone(item.status):
                    seen[item.id] = seen_while_deleting(item)
        absent = sorted(set(wanted) - set(seen))
        answers = get_each(
            self._csbs.items,
            absent,
            self._limits,
            known=wanted,
            unlisted=many,
        )
        for id, answer in answers.items():
            if isinstance(answer, Item):
                seen[id] = seen_while_deleting(answer)
            elif isinstance(answer, Missing):
                seen[id] = Seen(None)
        return seen

    def seen_first(self, target: ItemTarget) -> Seen:
        """What was seen of it before its DELETE."""
        return seen_while_deleting(target.verified)

    def identity_of(self, target: ItemTarget) -> Mapping[str, object]:
        """What must be the same when it is sent again."""
        item = target.verified
        return {
            'name': item.name,
            'server': item.server_id,
            'checkpoint': item.checkpoint_id,
        }

    def _renewed(self, ids: Sequence[str]) -> ItemDeletion:
        """All the rules once more, for what is to be sent again."""
        return ItemDeletion(
            self._csbs,
            ids,
            provider_id=self._provider_id,
            limits=self._limits,
        )

    def _find(self) -> Findings[Item]:
        others = [a for a in self._arguments if a not in self._known]
        found = find_items(self._csbs.items, others, self._limits)
        return found | dict(self._known)

    def _find_in_checkpoint(self, checkpoint_id: str) -> Findings[Item]:
        members = find_members(
            self._csbs.items, [checkpoint_id], self._limits
        )[checkpoint_id]
        if not members:
            raise Missing(f'No checkpoint found for {checkpoint_id!r}')
        found: Findings[Item] = {}
        for argument in self._arguments:
            try:
                check_name(argument, WHAT)
            except errors.ClientError as refusal:
                found[argument] = refusal
                continue
            if is_uuid(argument):
                own = [item for item in members if item.id == argument]
                found[argument] = (
                    own[0] if own else self._not_in(checkpoint_id, argument)
                )
            else:
                bearers = [m for m in members if m.name == argument]
                found[argument] = (
                    choose_item(bearers, argument)
                    if bearers
                    else _not_found_in(checkpoint_id, argument)
                )
        return found

    def _not_in(self, checkpoint_id: str, id: str) -> errors.ClientError:
        stranger = quietly(lambda: self._csbs.items.get(id))
        if stranger is None:
            return _not_found_in(checkpoint_id, id)
        return Refused(
            f'the backup {stranger.name} ({id}) belongs to the checkpoint '
            f'{stranger.checkpoint_id}, not to {checkpoint_id}'
        )

    def _leave_changed(
        self, outcomes: Sequence[Outcome[Item]], members: Sequence[Item]
    ) -> set[str | None]:
        """Leave alone what is not what a plan was made of any more.

        :param members: what its checkpoint holds now.
        :returns: the ids of what is left alone.
        """
        left = set()
        now = {item.id: item for item in members}
        for outcome in outcomes:
            item = outcome.target.verified
            if item.id not in self._known:
                continue
            change = _change(item, now.get(item.id))
            if change is not None:
                outcome.state = State.FAILED
                outcome.error = left_alone(change)
                left.add(outcome.target.id)
        return left

    def _prove(self, first: Item, before: Mapping[str, str]) -> None:
        """See that only the named item went.

        :raises StopAll: if a sibling goes too, or if nothing can be seen.
        """
        if not _wait_for_effect(self._csbs, first, self._limits.stop):
            raise StopAll(
                f'the deletion of {first.id} has shown no effect for '
                f'{PROOF_TIMEOUT:.0f} s, so that it is not certain that the '
                f'service deletes only what is named: nothing else was sent',
                'Look at the checkpoint and try again later.',
            )
        self._demand_unhurt(first, before)
        self._is_proven = True

    def _demand_unhurt(self, first: Item, before: Mapping[str, str]) -> None:
        """See that no sibling of an item goes with it.

        :raises StopAll: if one does.
        """
        after = {
            item.id: item.status
            for item in self._members_now(first.checkpoint_id)
        }
        hurt = [
            id
            for id in before
            if _goes(after[id] if id in after else self._status(id))
        ]
        if hurt:
            raise StopAll(
                f'the service deletes more than was named: of the '
                f'checkpoint {first.checkpoint_id} it also deletes '
                f'{", ".join(hurt)}. Nothing else was sent',
                'This cloud ignores checkpoint_items. Tell its operator at '
                'once, and do not delete single backups of servers there.',
            )

    def _members_now(self, checkpoint_id: str) -> list[Item]:
        try:
            return read_all(self._csbs.items, checkpoint_id=checkpoint_id)
        except errors.BadRequest:
            # The marker of a page was the item that has just gone.
            return read_all(self._csbs.items, checkpoint_id=checkpoint_id)

    def _status(self, item_id: str) -> str:
        try:
            return self._csbs.items.get(item_id).status
        except errors.NotFound:
            return 'deleted'

    def _other_kind(self, id: str) -> str | None:
        items = quietly(lambda: read_all(self._csbs.items, checkpoint_id=id))
        if not items:
            return self._owner_of_disk(id)
        return (
            f'It is the id of a checkpoint with '
            f'{counted(len(items), "backup")}: use "openstack csbs '
            f'checkpoint delete {id}" to delete all of it.'
        )

    def _owner_of_disk(self, id: str) -> str | None:
        items = quietly(lambda: read_all(self._csbs.items))
        for item in items or ():
            if id in item.volume_backup_ids:
                return (
                    f"It is the id of one disk's part of the backup "
                    f'{item.name}: use "openstack csbs backup delete '
                    f'{item.id}" to delete all of that.'
                )
        return None


def _siblings(
    members: Sequence[Item], named: set[str | None]
) -> dict[str, str]:
    """State by id of what must stay: unnamed and not yet going."""
    return {
        item.id: item.status
        for item in members
        if item.id not in named and not _goes(item.status)
    }


def _unsent(outcomes: Sequence[Outcome[Item]]) -> list[Outcome[Item]]:
    return [o for o in outcomes if o.state is State.NOT_SENT]


def _change(before: Item, now: Item | None) -> str | None:
    """What is different of an item, or None."""
    if now is None or is_gone(now.status):
        return 'it is gone'
    if now.status != before.status:
        return f'its status is {brief(now.status)}'
    if now.has_image and not before.has_image:
        return 'an image was made from it'
    if (now.server_id, now.name) != (before.server_id, before.name):
        return 'it is not the same any more'
    return None


def _not_found_in(checkpoint_id: str, argument: str) -> Missing:
    return Missing(
        f'No backup {quote(argument)} found in the checkpoint {checkpoint_id}'
    )


def _wait_for_effect(
    csbs: CSBSClient, item: Item, stop: threading.Event
) -> bool:
    """Whether the item leaves its former state in time."""
    deadline = time.monotonic() + PROOF_TIMEOUT
    pause = 0.1
    while True:
        try:
            if csbs.items.get(item.id).status != item.status:
                return True
        except errors.NotFound:
            return True
        if time.monotonic() + pause > deadline or stop.wait(pause):
            return False
        pause = min(pause * 2, 2.0)


def _target(argument: str, found: Item | errors.ClientError) -> ItemTarget:
    target = ItemTarget(argument, 'backup', 'CSBS')
    if isinstance(found, errors.ClientError):
        target.refusal = found
        return target
    target.id = found.id
    target.name = found.name
    target.resource = found
    if is_gone(found.status):
        target.refusal = Missing(
            f'No backup of a server found for {argument!r}'
        )
    elif is_going(found.status):
        target.settled = 'is being deleted already'
    else:
        target.refusal = refusal_of(found)
    return target


def _goes(status: str) -> bool:
    return is_going(status) or is_gone(status)
