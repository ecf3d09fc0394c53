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
    ChangeFailed,
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
from vbsclient.lookup.refusals import RefusedError
from vbsclient.policies.members import called
from vbsclient.policies.server_members import find_members
from vbsclient.waiting import AVAILABLE, ResourceStatus

#: What to do about a policy that backs nothing up.
ADD_SERVERS = 'Add servers to it first.'

_FOUND = 'this is the only new checkpoint of the policy'

#: The status of a server whose backup should be listed by now.
_NEVER_LISTED = ResourceStatus(
    'error', 'its checkpoint shows no backup of this server'
)


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
            targets = [
                Target.of(argument, 'backup', 'CSBS', found[argument])
                for argument in self._arguments
            ]
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
            return
        for target in targets:
            target.handle = handle or target.handle
            self._watch.begin(target)

    def _execute(self, targets: Sequence[Target]) -> Receipt:
        ids = [target.verified_id for target in targets]
        return self._csbs.checkpoints().create(
            self._policy.id, ids if self._arguments else None
        )

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
        """The only checkpoint that was not there before."""
        wanted = {o.target.verified_id for o in self._request.outcomes}
        found = {
            backup.checkpoint_id
            for backup in self._backups()
            if backup.id not in self._before
            and backup.server_id in wanted
            and not backup.automatic
        }
        return Handle.of_checkpoint(found.pop()) if len(found) == 1 else None

    def _backups(self) -> Iterator[ServerBackup]:
        where = ServerBackupFilter(policy_id=self._policy.id)
        return self._csbs.backups.list(where=where)

    def initial_status(self, target: Target) -> ResourceStatus:
        """Nothing was there before."""
        return ResourceStatus('')

    def poll(self, targets: Sequence[Target]) -> dict[str, ResourceStatus]:
        return {
            id: _NEVER_LISTED if status.is_absent else status
            for id, status in self._watch.poll(targets).items()
        }

    def failure(self, status: ResourceStatus) -> ChangeFailed:
        if status == _NEVER_LISTED:
            return ChangeFailed(
                f'the service accepted it, and {status.reason}'
            )
        return super().failure(status)
