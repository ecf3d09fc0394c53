# SPDX-License-Identifier: Apache-2.0
"""Deleting one server's backup and nothing else of its checkpoint.

The upstream of this service ignores the query that limits a deletion to one
backup, and deletes the whole checkpoint.  So the first deletion of a backup
that has siblings is sent alone, and the siblings are read before anything
else is sent.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from vbsclient.api import errors
from vbsclient.api.csbs import CSBSClient, ServerBackup
from vbsclient.api.http import Limits, Receipt
from vbsclient.api.paths import is_uuid
from vbsclient.bulk import State
from vbsclient.change.targets import (
    AbortRun,
    Change,
    Done,
    Outcome,
    Recorder,
    Target,
    VerifyAgain,
    merge,
    suggest_command,
)
from vbsclient.change.verify import delete_and_verify, may_have_acted
from vbsclient.deletion.checkpoints import refusal_of
from vbsclient.deletion.siblings import Siblings
from vbsclient.lookup import kinds
from vbsclient.lookup.existence import (
    MAX_SINGLE_GETS,
    Existence,
    Gone,
    LookupResult,
    Unproven,
    is_going,
    is_gone,
    seen_in,
)
from vbsclient.lookup.names import foreign, only, unique, validate_names
from vbsclient.lookup.refusals import (
    MissingError,
    RefusedError,
    changed_since_plan,
)
from vbsclient.lookup.server_backups import (
    KIND,
    existence_of,
    find_checkpoint_ids,
    find_members,
    find_server_backups,
    read_all,
    seen_while_deleting,
)
from vbsclient.waiting import ResourceStatus
from vbsclient.wording import brief, quote

LOG = logging.getLogger(__name__)

#: Seconds in which the first deletion must show an effect.
PROOF_TIMEOUT = 30.0


class ServerBackupDeletion(Change):
    """The rules for ``csbs backup delete`` and for ``--item``.

    :param arguments: names and ids of server backups.
    :param checkpoint: the checkpoint that they must belong to, by id or
        name; or None.
    :param known: what this run has just read of some of them, by id: these
        are not read again.
    :param confirm: called with the id before anything is sent for it; raises
        if that must not be.
    :param verify_again: checks what is to be sent again, if a rule chose it.
    """

    is_repeatable = True

    def __init__(
        self,
        csbs: CSBSClient,
        arguments: Sequence[str],
        *,
        provider_id: str,
        limits: Limits,
        checkpoint: str | None = None,
        known: Mapping[str, ServerBackup] | None = None,
        confirm: Callable[[str], None] | None = None,
        verify_again: VerifyAgain | None = None,
    ) -> None:
        self._csbs = csbs
        self._arguments = unique(arguments)
        self._provider_id = provider_id
        self._checkpoints = csbs.checkpoints(provider_id)
        self._limits = limits
        self._checkpoint = checkpoint
        self._known = known or {}
        self._confirm = confirm
        self._verify_again = verify_again
        self._siblings = Siblings(csbs, limits)
        self._learned: set[str] = set()
        self._named: set[str | None] = set()
        #: What the service took a DELETE of this run for.
        self._accepted: set[str] = set()
        #: Whether a deletion has left its siblings alone.
        self._is_proven = False

    def targets(self) -> list[Target]:
        if self._checkpoint is not None:
            found = self._find_in_checkpoint(self._checkpoint)
        else:
            found = self._find()
        targets = [self._target(a, found[a]) for a in self._arguments]
        suggest_command(
            targets,
            partial(kinds.a_checkpoint, self._csbs),
            partial(kinds.a_part, self._csbs),
        )
        return merge(targets)

    def batches(
        self, outcomes: Sequence[Outcome]
    ) -> Iterator[Sequence[Outcome]]:
        """One alone, until a sibling check has passed; then the rest.

        :raises AbortRun: if a sibling goes, also after the last batch.
        """
        if not self._is_proven:
            yield from self._one_by_one(outcomes)
        yield _unsent(outcomes)
        self._look_at_the_end()

    def _look_at_the_end(self) -> None:
        """What has passed the check may still be taken late.

        :raises AbortRun: if a sibling goes.
        """
        try:
            self._siblings.check()
        except (AbortRun, errors.Cancelled):
            raise
        except errors.ClientError as error:
            LOG.info(
                'Whether the other backups of these checkpoints stay could '
                'not be seen at the end: %.500r.',
                error.message,
            )

    def _one_by_one(
        self, outcomes: Sequence[Outcome]
    ) -> Iterator[Sequence[Outcome]]:
        """Those that have siblings, until one has proved them safe."""
        groups: dict[str, list[Outcome]] = {}
        for outcome in outcomes:
            groups.setdefault(
                outcome.target.verified.checkpoint_id, []
            ).append(outcome)
        self._named |= {outcome.target.id for outcome in outcomes}
        if len(groups) > MAX_SINGLE_GETS:
            # One list costs less than one of each of many checkpoints.
            self._learn(groups)
        touched: list[str] = []
        for checkpoint_id, group in groups.items():
            self._learn({checkpoint_id: group})
            touched.append(checkpoint_id)
            if checkpoint_id not in self._siblings.checkpoints:
                continue
            for first in _unsent(group):
                yield [first]
                if self._proves(first, touched):
                    self._is_proven = True
                    self._learn(groups)
                    return

    def _learn(self, groups: Mapping[str, Sequence[Outcome]]) -> None:
        """Read what checkpoints hold, before anything of them goes."""
        ids = [id for id in groups if id not in self._learned]
        members = find_members(self._csbs.backups, ids, self._limits)
        self._learned.update(ids)
        for id in ids:
            self._named -= self._leave_changed(groups[id], members[id])
        self._siblings.learn(members, self._named)

    def send(self, target: Target, recorder: Recorder) -> Done:
        backup = target.verified
        if self._confirm is not None:
            self._confirm(backup.id)

        def send() -> Receipt:
            receipt = self._checkpoints.delete_backup(
                backup.checkpoint_id, backup.id
            )
            self._accepted.add(backup.id)
            return receipt

        return delete_and_verify(
            recorder,
            target,
            'delete item',
            send,
            lambda: self._existence(backup).status_now(backup.id),
            limits=self._limits,
        )

    def _existence(self, backup: ServerBackup) -> Existence[ServerBackup]:
        return existence_of(self._csbs.backups, {backup.id: backup})

    def poll(self, targets: Sequence[Target]) -> dict[str, ResourceStatus]:
        """One look: the list for many, and a GET for what it leaves out.

        The siblings are read, too.

        :raises AbortRun: if one of them goes.
        """
        known = {t.verified_id: t.verified for t in targets}
        watched = self._siblings.checkpoints
        rows: list[ServerBackup] = []
        many = len(known) > MAX_SINGLE_GETS
        if many:
            rows = read_all(self._csbs.backups)
        elif watched:
            rows = self._siblings.read(watched)
        answers = existence_of(self._csbs.backups, known).of(
            sorted(known), self._limits, rows=rows, unlisted=many
        )
        self._siblings.compare(rows, watched)
        return seen_in(answers, seen_while_deleting)

    def initial_status(self, target: Target) -> ResourceStatus:
        return seen_while_deleting(target.verified)

    def identity_of(self, target: Target) -> Mapping[str, object]:
        backup = target.verified
        return {
            'name': backup.name,
            'server': backup.server_id,
            'checkpoint': backup.checkpoint_id,
        }

    def verify_again(self, ids: Sequence[str]) -> list[Target]:
        if self._verify_again is not None:
            return self._verify_again(ids)
        return ServerBackupDeletion(
            self._csbs,
            ids,
            provider_id=self._provider_id,
            limits=self._limits,
        ).targets()

    def _target(
        self, argument: str, found: ServerBackup | errors.ClientError
    ) -> Target:
        target = Target(argument, 'backup', 'CSBS')
        if isinstance(found, errors.ClientError):
            target.refusal = found
            return target
        target.id = found.id
        target.name = found.name
        target.resource = found
        if is_gone(found.status):
            target.refusal = MissingError(
                f'No server backup found for {argument!r}'
            )
        elif not self._csbs.backups.owns(found):
            target.refusal = foreign(found.owner)
        elif is_going(found.status):
            target.settled = 'is being deleted already'
        else:
            target.refusal = refusal_of(found)
        return target

    def _find(self) -> LookupResult[ServerBackup]:
        others = [a for a in self._arguments if a not in self._known]
        found = find_server_backups(self._csbs.backups, others, self._limits)
        return found | dict(self._known)

    def _find_in_checkpoint(
        self, checkpoint: str
    ) -> LookupResult[ServerBackup]:
        ids = find_checkpoint_ids(self._csbs.backups, [checkpoint])
        checkpoint_id = only(ids)
        members = find_members(
            self._csbs.backups, [checkpoint_id], self._limits
        )[checkpoint_id]
        if not members:
            raise MissingError(f'No checkpoint found for {checkpoint!r}')
        valid, found = validate_names(self._arguments, KIND.what)
        for argument in valid:
            key = 'id' if is_uuid(argument) else 'name'
            matches = [
                backup
                for backup in members
                if getattr(backup, key) == argument
                and (key == 'id' or self._csbs.backups.owns(backup))
            ]
            if not matches:
                found[argument] = self._not_in(checkpoint_id, argument)
                continue
            try:
                found[argument] = KIND.choose(matches, argument)
            except errors.ClientError as refusal:
                found[argument] = refusal
        return found

    def _not_in(self, checkpoint_id: str, id: str) -> errors.ClientError:
        other = None
        if is_uuid(id):
            other = kinds.suppress_errors(lambda: self._csbs.backups.get(id))
        if other is None:
            return _not_found_in(checkpoint_id, id)
        return RefusedError(
            f'the backup {other.name} ({id}) belongs to the checkpoint '
            f'{other.checkpoint_id}, not to {checkpoint_id}'
        )

    def _leave_changed(
        self,
        outcomes: Sequence[Outcome],
        members: Sequence[ServerBackup],
    ) -> set[str | None]:
        """Leave alone what is not what a plan was made of any more.

        :param members: what its checkpoint holds now.
        :returns: the ids of what is left alone.
        """
        left = set()
        now = {backup.id: backup for backup in members}
        for outcome in outcomes:
            backup = outcome.target.verified
            if backup.id not in self._known:
                continue
            change = change_of(backup, now.get(backup.id))
            if change is not None:
                outcome.fail(changed_since_plan(change))
                left.add(outcome.target.id)
        return left

    def _proves(self, first: Outcome, touched: Sequence[str]) -> bool:
        """Whether a deletion that went alone shows that siblings stay.

        Only one of ours that was accepted, and whose effect was seen, does:
        what is refused, or was under way or gone already, shows nothing.

        :param touched: the checkpoints for which something was sent.
        :raises AbortRun: if a sibling goes too, or if nothing can be seen.
        """
        backup = first.target.verified
        accepted = backup.id in self._accepted
        refused = isinstance(first.error, RefusedError)
        failed = first.state is State.FAILED
        if refused or (failed and not may_have_acted(first.error)):
            return False
        if (
            accepted
            or first.state is State.UNKNOWN
            or isinstance(first.error, errors.UnexpectedSuccess)
        ):
            self._await_effect(backup)
        self._siblings.check(touched)
        if accepted:
            self._siblings.pause()
            self._siblings.check(touched)
        return accepted

    def _await_effect(self, backup: ServerBackup) -> None:
        """Wait until a backup begins to go.

        :raises AbortRun: if it does not in time.
        """
        deadline = time.monotonic() + PROOF_TIMEOUT
        pause = 0.1
        while not self._is_deleted(backup):
            if time.monotonic() + pause > deadline:
                raise AbortRun(
                    f'the deletion of {backup.id} has shown no effect for '
                    f'{PROOF_TIMEOUT:.0f} s, so that it is not certain that '
                    f'the service deletes only what is named: nothing else '
                    f'was sent',
                    'Look at the checkpoint and try again later.',
                )
            if self._limits.stop.wait(pause):
                raise errors.Cancelled('the run was interrupted')
            pause = min(pause * 2, 2.0)

    def _is_deleted(self, backup: ServerBackup) -> bool:
        """Whether it is seen going; answers that disagree show nothing.

        :raises AbortRun: if a sibling is.
        :raises ClientError: if it cannot be read.
        """
        now = self._existence(backup).now(backup.id)
        if isinstance(now, ServerBackup):
            return is_going(now.status)
        if isinstance(now, Unproven):
            # The list contradicts, or cannot be read: then this says why.
            self._siblings.check([backup.checkpoint_id])
            return False
        if isinstance(now, Gone):
            return True
        raise now


def _unsent(
    outcomes: Sequence[Outcome],
) -> list[Outcome]:
    return [o for o in outcomes if o.state is State.NOT_SENT]


def change_of(before: ServerBackup, now: ServerBackup | None) -> str | None:
    """What is different of a backup that was to be deleted by rule, or None.

    :param before: what the decision was made of.
    :param now: None if it is gone.
    """
    if now is None or is_gone(now.status):
        return 'it is gone'
    if now.status != before.status:
        return f'its status is {brief(now.status)}'
    if now.has_image and not before.has_image:
        return 'an image was made from it'
    if (now.server_id, now.name) != (before.server_id, before.name):
        return 'it is not the same any more'
    return None


def _not_found_in(checkpoint_id: str, argument: str) -> MissingError:
    return MissingError(
        f'No backup {quote(argument)} found in the checkpoint {checkpoint_id}'
    )
