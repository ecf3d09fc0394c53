# SPDX-License-Identifier: Apache-2.0
"""Running a policy of CSBS now."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from vbsclient.api import errors
from vbsclient.api.compute import Compute
from vbsclient.api.csbs import (
    CSBSClient,
    Policy,
    ServerBackup,
    ServerBackupFilter,
)
from vbsclient.api.http import Handle, Limits, Receipt
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
from vbsclient.creation.server_backups import CheckpointWatch
from vbsclient.lookup.kinds import suppress_errors
from vbsclient.lookup.names import unique
from vbsclient.lookup.refusals import MissingError, RefusedError
from vbsclient.policies.members import called
from vbsclient.policies.server_members import find_members
from vbsclient.waiting import AVAILABLE, ResourceStatus

#: What to do about a policy that backs nothing up.
ADD_SERVERS = 'Add servers to it first.'

#: What to do about one of which some servers cannot be read.
NAME_SERVERS = 'Name the servers to back up.'

_FOUND = (
    'this is the only new checkpoint of the policy, and has just these servers'
)

_NEVER_LISTED = (
    'the service accepted it, and its checkpoint shows no backup of this '
    'server'
)

#: Codes that refuse it although they come with a 500, and what to do then.
_REFUSALS = {
    **{
        code: errors.HINTS[code]
        for code in ('CSBS.1001', 'CSBS.2001', 'CSBS.6030')
    },
    'CSBS.6032': ADD_SERVERS,
}


@dataclass(eq=False)
class _Request(CombinedRequest):
    """The one POST of the policy, for all its servers.

    :ivar remarks: what is worth knowing of it.
    """

    remarks: list[str] = field(default_factory=list)

    def end_of(self, target: Target) -> Done:
        if self.error is not None:
            raise self.error
        return Done(self.request_id, remark='; '.join(self.remarks))


class ServerPolicyRun(Change):
    """The rules for ``csbs policy execute``.

    A target is a server of the policy; one request makes one checkpoint with
    the backups of all of them.

    :param nova: knows the names of servers.
    :param policy: the one that was named.
    :param arguments: names and ids of servers; all of the policy if there
        are none.
    :param clock: seconds that only grow.
    """

    goal = AVAILABLE
    appears_in = base.APPEARS_IN

    def __init__(
        self,
        csbs: CSBSClient,
        nova: Compute,
        policy: Policy,
        arguments: Sequence[str],
        *,
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._csbs = csbs
        self._nova = nova
        self._policy = policy
        self._arguments = unique(arguments)
        self._limits = limits
        self._request = _Request()
        self._watch = CheckpointWatch(csbs, self._find_new, clock)
        #: The ids of the backups of the policy before anything was sent.
        self._before: set[str] = set()

    def targets(self) -> list[Target]:
        # A list may be behind.
        policy = self._policy = self._csbs.policies.get(self._policy.id)
        if not policy.servers and policy.servers_are_known:
            raise RefusedError(
                f'the policy {called(policy)} has no servers', ADD_SERVERS
            )
        if self._arguments:
            found = find_members(
                policy, self._nova, self._arguments, self._limits
            )
            for argument, one in found.items():
                if isinstance(one, MissingError):
                    found[argument] = _unreadable(policy) or one
            targets = [
                Target.of(argument, 'backup', 'CSBS', found[argument])
                for argument in self._arguments
            ]
        elif refusal := _unreadable(policy):
            raise refusal
        else:
            targets = [
                Target.of(server.id, 'backup', 'CSBS', server)
                for server in policy.servers
            ]
        self._before = {backup.id for backup in self._backups()}
        return merge(targets)

    def batches(
        self, outcomes: Sequence[Outcome]
    ) -> Iterator[Sequence[Outcome]]:
        self._request.outcomes = list(outcomes)
        yield outcomes

    def send(self, target: Target, recorder: Recorder) -> Done:
        return self._request.send_once(target, lambda: self._send(recorder))

    def _send(self, recorder: Recorder) -> None:
        request = self._request
        targets = [outcome.target for outcome in request.outcomes]
        policy = Target(
            '', 'policy', 'CSBS', self._policy.id, self._policy.name
        )
        try:
            receipt = recorder.record(
                policy, 'execute', lambda: self._execute(targets)
            )
            handle, request.request_id = receipt.handle, receipt.request_id
        except errors.Cancelled:
            raise
        except errors.OutcomeUnknown as unknown:
            request.request_id = unknown.request_id
            handle = self._settle()
            if handle is None:
                request.error = unknown
            else:
                recorder.settle(replace(policy, handle=handle), 'execute')
                request.remarks.append(f'{unknown.remark}: {_FOUND}')
        except Exception as error:  # noqa: BLE001 - that of all its targets
            request.error = error
            # Whatever appears now is of another request.
            self.appears_in = 0.0
            return
        for target in targets:
            target.handle = handle or target.handle
            self._watch.begin(target)

    def _execute(self, targets: Sequence[Target]) -> Receipt:
        ids = [target.verified_id for target in targets]
        try:
            return self._csbs.checkpoints().create(
                self._policy.id, ids if self._arguments else None
            )
        except errors.OutcomeUnknown as unknown:
            refusal = unknown.refusal
            code = getattr(refusal, 'code', None)
            if code not in _REFUSALS:
                raise
            raise refusal.revised(hint=_REFUSALS[code]) from unknown

    def _settle(self) -> Handle | None:
        """What reading shows of a request whose answer was lost."""
        for pause in base.LOOKS:
            if self._limits.stop.wait(pause):
                break
            found = suppress_errors(self._find_checkpoint)
            if found is not None:
                return found
        return None

    def _find_new(self, target: Target) -> Handle | None:
        return self._find_checkpoint()

    def _find_checkpoint(self) -> Handle | None:
        """The only checkpoint that was not there before, if it is ours.

        One with other servers than those that were asked for is somebody
        else's.
        """
        wanted = {o.target.verified_id for o in self._request.outcomes}
        servers: dict[str, set[str | None]] = {}
        for backup in self._backups():
            if backup.id not in self._before and not backup.automatic:
                members = servers.setdefault(backup.checkpoint_id, set())
                members.add(backup.server_id)
        if list(servers.values()) != [wanted]:
            return None
        return Handle.of_checkpoint(*servers)

    def _backups(self) -> Iterator[ServerBackup]:
        where = ServerBackupFilter(policy_id=self._policy.id)
        return self._csbs.backups.list(where=where)

    def initial_status(self, target: Target) -> ResourceStatus:
        """Nothing was there before."""
        return ResourceStatus('')

    def poll(self, targets: Sequence[Target]) -> dict[str, ResourceStatus]:
        error = self._request.error
        if error is not None and not isinstance(error, errors.OutcomeUnknown):
            return {}
        seen = self._watch.poll(targets)
        return {
            id: replace(status, reason=status.reason or _NEVER_LISTED)
            if status.is_absent
            else status
            for id, status in seen.items()
        }


def _unreadable(policy: Policy) -> RefusedError | None:
    """Why nobody can say what a policy backs up; None if that is known."""
    if policy.servers_are_known:
        return None
    return RefusedError(
        f'not all servers of the policy {called(policy)} can be read',
        NAME_SERVERS,
    )
