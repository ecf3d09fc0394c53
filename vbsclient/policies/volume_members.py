# SPDX-License-Identifier: Apache-2.0
"""Which volumes a policy of VBS backs up.

No call tells that.  What is known of it comes from what policies did, and
from how many volumes each of them has.
"""

from __future__ import annotations

import abc
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from vbsclient.api import errors
from vbsclient.api.block_storage import BlockStorage, Volume
from vbsclient.api.http import Limits, Receipt
from vbsclient.api.paths import is_uuid
from vbsclient.api.times import parse_timestamp
from vbsclient.api.values import Known, canonical_id
from vbsclient.api.vbs import VBSClient
from vbsclient.api.vbs.policies import Policies, Policy, Task, VolumeResult
from vbsclient.change.combined import CombinedRequest
from vbsclient.change.targets import (
    Change,
    Done,
    Outcome,
    Recorder,
    Target,
    merge,
)
from vbsclient.creation import base
from vbsclient.lookup.existence import ask_each
from vbsclient.lookup.kinds import suppress_errors
from vbsclient.lookup.names import foreign, unique
from vbsclient.lookup.refusals import (
    MissingError,
    RefusedError,
    UnverifiedError,
)
from vbsclient.lookup.volumes import find_volumes
from vbsclient.policies.members import MOVE, MOVE_UNKNOWN, called
from vbsclient.wording import counted, moment

#: More of them in one request take the service long.
_MOST_IN_REQUEST = 40

#: How far back the tasks of another policy say that it has a volume.
_RECENT = timedelta(days=30)


@dataclass(eq=False)
class _Request(CombinedRequest):
    """The POST of some volumes.

    :ivar results: what it said of each, by its id.
    :ivar remarks: what else has come of it.
    :ivar doubt: why what it says to have done may not be done.
    """

    results: Mapping[str, VolumeResult] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    doubt: str = ''

    @property
    def volume_ids(self) -> list[str]:
        return [outcome.target.verified_id for outcome in self.outcomes]

    @property
    def done(self) -> int:
        """How many the service says to have done."""
        return sum(r.is_done is Known.YES for r in self.results.values())

    def end_of(self, target: Target) -> Done:
        if self.error is not None:
            raise self.error
        result = self.results.get(target.verified_id)
        if result is None or result.is_done is Known.UNKNOWN:
            raise self._unknown(
                'the service accepted the request and does not say what '
                'became of this volume'
            )
        if result.is_done is Known.NO:
            raise errors.ServiceError(
                result.message or 'the service gives no reason',
                status=0,
                code=result.code,
                request_id=self.request_id,
                hint=errors.HINTS.get(result.code or ''),
            )
        if self.doubt:
            raise self._unknown(self.doubt)
        told = [*target.notes, *self.remarks]
        return Done(self.request_id, is_final=True, remark='; '.join(told))

    def _unknown(self, reason: str) -> errors.OutcomeUnknown:
        return errors.OutcomeUnknown(
            errors.UnexpectedSuccess(
                reason, status=200, request_id=self.request_id
            )
        )


class VolumeMembers(Change):
    """Changes which volumes a policy has.

    Up to 40 volumes go with one request, one request after the other.

    :param cinder: knows the volumes.
    :param policy: as it was just read; one that is yet to be created gets
        its id in between.
    :param arguments: names and ids of volumes.
    """

    #: What a journal calls it, and by how much it changes a count.
    _action: str
    _step: int

    def __init__(
        self,
        vbs: VBSClient,
        cinder: BlockStorage,
        policy: Policy,
        arguments: Sequence[str],
        *,
        limits: Limits,
    ) -> None:
        self._policies: Policies = vbs.policies
        self._cinder = cinder
        self.policy = policy
        self._arguments = unique(arguments)
        self._limits = limits
        self._requests: dict[str, _Request] = {}

    @abc.abstractmethod
    def _change(
        self, volume_ids: Sequence[str]
    ) -> tuple[Sequence[VolumeResult], Receipt]:
        """Send the request for some volumes."""

    def targets(self) -> list[Target]:
        found = find_volumes(self._cinder, self._arguments, self._limits)
        targets = merge(self._target(a, found[a]) for a in self._arguments)
        for target in targets:
            volume = target.resource
            if isinstance(volume, Volume) and not self._cinder.owns(volume):
                target.refusal = foreign(volume.owner, 'the volume', 'use')
        self._check([t for t in targets if not t.is_decided])
        return targets

    def _target(
        self, argument: str, found: Volume | errors.ClientError
    ) -> Target:
        return Target.of(argument, 'volume', 'VBS', found)

    def _check(self, targets: Sequence[Target]) -> None:
        """Refuse what must not be sent."""

    @property
    def remarks(self) -> list[str]:
        """What else has come of its requests."""
        requests = dict.fromkeys(self._requests.values())
        return [remark for one in requests for remark in one.remarks]

    def batches(
        self, outcomes: Sequence[Outcome]
    ) -> Iterator[Sequence[Outcome]]:
        for start in range(0, len(outcomes), _MOST_IN_REQUEST):
            batch = list(outcomes[start : start + _MOST_IN_REQUEST])
            request = _Request(batch)
            for id in request.volume_ids:
                self._requests[id] = request
            yield batch

    def send(self, target: Target, recorder: Recorder) -> Done:
        request = self._requests[target.verified_id]
        return request.send_once(target, lambda: self._send(request, recorder))

    def _send(self, request: _Request, recorder: Recorder) -> None:
        """Send one request, and compare how many volumes policies have."""
        volume_ids = request.volume_ids
        before = self._counts()

        def change() -> Receipt:
            results, receipt = self._change(volume_ids)
            request.results = {one.volume_id: one for one in results}
            return receipt

        action = f'{self._action} {", ".join(volume_ids)}'
        policy = Target('', 'policy', 'VBS', self.policy.id, self.policy.name)
        lost: errors.OutcomeUnknown | None = None
        try:
            receipt = recorder.record(policy, action, change)
            request.request_id = receipt.request_id
        except errors.Cancelled:
            raise
        except errors.OutcomeUnknown as unknown:
            request.error = lost = unknown
            request.request_id = unknown.request_id
        except Exception as error:  # noqa: BLE001 - that of all its targets
            request.error = error
            return
        # Whatever the counts tell: an interruption finds what was answered.
        request.tell()
        self._compare(request, before, lost)

    def _counts(self) -> Mapping[str, Policy] | None:
        """The policies, with how many volumes they have, by their ids."""
        rows = suppress_errors(self._policies.list)
        return None if rows is None else {row.id: row for row in rows}

    def _compare(
        self,
        request: _Request,
        before: Mapping[str, Policy] | None,
        lost: errors.OutcomeUnknown | None,
    ) -> None:
        """Say what the counts tell of a request that was sent.

        :param lost: how it ended, if it may not have been accepted.
        """
        wanted = len(request.volume_ids) if lost else request.done
        grown: int | None = None
        after: Mapping[str, Policy] | None = None
        was_stopped = False
        for pause in base.LOOKS:
            # A list may be behind.
            if grown == wanted:
                break
            if was_stopped := self._limits.stop.wait(pause):
                break
            after = self._counts()
            grown = self._grown(before, after)
        if lost is not None:
            # No count proves an answer: it may be behind, or somebody
            # else's work.
            if grown is not None:
                told = self._changed_by(grown, wanted)
                request.error = errors.OutcomeUnknown(
                    lost.refusal.revised(f'{lost.message}; {told}')
                )
        elif grown != wanted:
            self._tell_difference(request, grown, wanted, was_stopped)
        if before is not None and after is not None:
            request.remarks += self._fallen(before, after)

    def _grown(
        self,
        before: Mapping[str, Policy] | None,
        after: Mapping[str, Policy] | None,
    ) -> int | None:
        """By how many volumes the policy has changed, as it was to."""
        old, new = (
            rows[self.policy.id].volume_count
            if rows is not None and self.policy.id in rows
            else None
            for rows in (before, after)
        )
        return None if old is None or new is None else (new - old) * self._step

    @staticmethod
    def _changed_by(grown: int, wanted: int) -> str:
        return (
            f'the number of volumes of the policy has changed by {grown}, '
            f'where it was to change by {wanted}'
        )

    @abc.abstractmethod
    def _tell_difference(
        self,
        request: _Request,
        grown: int | None,
        wanted: int,
        was_stopped: bool,
    ) -> None:
        """Say that no count shows what the service says to have done.

        :param grown: by how many the policy has changed as it was to; None
            if that is not known.
        :param was_stopped: whether nobody has looked for long enough.
        """

    def _fallen(
        self, before: Mapping[str, Policy], after: Mapping[str, Policy]
    ) -> Iterator[str]:
        """Say which other policies have fewer volumes than before."""
        for id, policy in before.items():
            now = after[id].volume_count if id in after else None
            old = policy.volume_count
            if id == self.policy.id or old is None or now is None:
                continue
            if now < old:
                yield (
                    f'the policy {called(policy)} has '
                    f'{counted(old - now, "volume")} fewer than before'
                )


class VolumeAddition(VolumeMembers):
    """The rules for ``vbs backup policy add volume``.

    The service moves a volume of another policy without a word.

    :param now: this moment, in UTC: what policies did long before does not
        count.
    :param move: whether a volume may leave another policy.
    """

    _action = 'add volumes'
    _step = 1

    def __init__(
        self,
        vbs: VBSClient,
        cinder: BlockStorage,
        policy: Policy,
        arguments: Sequence[str],
        *,
        now: datetime,
        limits: Limits,
        move: bool = False,
    ) -> None:
        super().__init__(vbs, cinder, policy, arguments, limits=limits)
        self._since = now - _RECENT
        self._move = move

    def _change(
        self, volume_ids: Sequence[str]
    ) -> tuple[Sequence[VolumeResult], Receipt]:
        return self._policies.add_volumes(self.policy.id, volume_ids)

    def _check(self, targets: Sequence[Target]) -> None:
        if not targets:
            return
        ids = {target.verified_id for target in targets}
        last, unread = self._last_policies(ids)
        for target in targets:
            at, is_other, holder = last.get(
                target.verified_id, ('', False, self.policy)
            )
            if is_other:
                self._leaves(target, holder, at)
            elif unread is not None and not self._move:
                self._may_leave(target, *unread)

    def _last_policies(
        self, ids: set[str]
    ) -> tuple[dict[str, tuple[str, bool, Policy]], tuple[Policy, str] | None]:
        """What of late was at some volumes last, and what is not known.

        :returns: by volume: when, whether it was another policy, and which;
            another policy whose tasks cannot be read, and why.
        """
        policies = [
            policy
            for policy in self._policies.list()
            # One without volumes has none that could leave it.
            if policy.id == self.policy.id or policy.volume_count != 0
        ]
        last: dict[str, tuple[str, bool, Policy]] = {}
        unread = None
        by_id = {policy.id: policy for policy in policies}
        read = ask_each(
            list(by_id), partial(self._recent_tasks, ids), self._limits
        )
        for id, tasks in read.items():
            policy, is_other = by_id[id], id != self.policy.id
            if isinstance(tasks, errors.ClientError):
                if is_other:
                    unread = policy, tasks.message
                continue
            for task in tasks:
                # Of the same moment another policy counts: to be safe.
                entry = (task.created_at or '', is_other, policy)
                known = last.setdefault(task.volume_id or '', entry)
                if known[:2] < entry[:2]:
                    last[task.volume_id or ''] = entry
        return last, unread

    def _recent_tasks(self, ids: set[str], policy_id: str) -> list[Task]:
        """What a policy did for some volumes.

        :raises MalformedResponse: if its tasks cannot be listed to the end.
        """
        try:
            tasks = list(self._policies.tasks(policy_id))
        except errors.AmbiguousListing as error:
            raise errors.MalformedResponse(error.message) from error
        return [
            task
            for task in tasks
            if task.volume_id in ids and not self._is_old(task)
        ]

    def _is_old(self, task: Task) -> bool:
        created_at = parse_timestamp(task.created_at)
        return created_at is not None and created_at < self._since

    def _leaves(self, target: Target, holder: Policy, at: str) -> None:
        evidence = f'the last task for it, of {moment(at)}'
        if self._move:
            target.notes.append(
                f'leaves the policy {called(holder)}, of which is {evidence}'
            )
            return
        target.refusal = RefusedError(
            f'it belongs to the policy {called(holder)}, of which is '
            f'{evidence}',
            MOVE,
        )

    @staticmethod
    def _may_leave(target: Target, policy: Policy, reason: str) -> None:
        target.refusal = UnverifiedError(
            f'whether it belongs to another policy could not be found out: '
            f'the tasks of {called(policy)} could not be read ({reason})',
            MOVE_UNKNOWN,
        )

    def _tell_difference(
        self,
        request: _Request,
        grown: int | None,
        wanted: int,
        was_stopped: bool,
    ) -> None:
        if grown is None or was_stopped:
            return
        told = self._changed_by(grown, wanted)
        if 0 <= grown < wanted:
            told += (
                ': it is behind, or the policy had '
                f'{"it" if wanted == 1 else "some of them"} before'
            )
        else:
            told += ': it was behind, or somebody else changes the policy'
        request.remarks.append(told)


class VolumeRemoval(VolumeMembers):
    """The rules for ``vbs backup policy remove volume``."""

    _action = 'remove volumes'
    _step = -1

    def _change(
        self, volume_ids: Sequence[str]
    ) -> tuple[Sequence[VolumeResult], Receipt]:
        return self._policies.remove_volumes(self.policy.id, volume_ids)

    def _target(
        self, argument: str, found: Volume | errors.ClientError
    ) -> Target:
        if isinstance(found, MissingError) and is_uuid(argument):
            # A policy keeps volumes that are gone: it decides.
            id = canonical_id(argument)
            return Target(argument, 'volume', 'VBS', id)
        return super()._target(argument, found)

    def _tell_difference(
        self,
        request: _Request,
        grown: int | None,
        wanted: int,
        was_stopped: bool,
    ) -> None:
        if grown is not None and grown > wanted:
            request.remarks.append(self._changed_by(grown, wanted))
        elif was_stopped:
            request.doubt = (
                'the service accepted it, and nobody has looked whether the '
                'policy has fewer volumes'
            )
        elif grown is not None:
            request.doubt = (
                f'the service accepted it, and the policy should have '
                f'{counted(wanted, "volume")} fewer, and has {grown} fewer: '
                f'look at its next tasks'
            )
