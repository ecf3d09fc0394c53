# SPDX-License-Identifier: Apache-2.0
"""Deleting policies; what they have backed up stays."""

from __future__ import annotations

from collections.abc import Sequence

from vbsclient.api import errors
from vbsclient.api.http import Limits
from vbsclient.api.paths import is_uuid
from vbsclient.change.targets import (
    Change,
    ChangeFailed,
    Done,
    Recorder,
    Target,
    merge,
)
from vbsclient.change.verify import delete_and_verify
from vbsclient.creation import base
from vbsclient.lookup.names import unique
from vbsclient.lookup.policies import existence_of, find_policies
from vbsclient.policies.services import PolicyService


class PolicyDeletion(Change):
    """The rules for ``policy delete`` of both services.

    :param arguments: names and ids.
    """

    def __init__(
        self, service: PolicyService, arguments: Sequence[str], limits: Limits
    ) -> None:
        self._service = service
        self._arguments = unique(arguments)
        self._limits = limits
        self._existence = existence_of(service.policies)

    def targets(self) -> list[Target]:
        found = find_policies(self._service.policies, self._arguments)
        targets = [
            Target.of(
                argument, 'policy', self._service.source, found[argument]
            )
            for argument in self._arguments
        ]
        for target in targets:
            if target.refusal is None:
                members = self._members_of(target)
                if members:
                    target.members = [
                        f'{members} whose schedule ends; the backups stay'
                    ]
        return merge(targets)

    def _members_of(self, target: Target) -> str:
        """How much loses its schedule with a policy, as it is now."""
        service, listed = self._service, target.verified
        if is_uuid(target.argument):
            return service.members_of(listed)
        try:
            return service.members_of(service.current(listed))
        except errors.Unauthorized:
            raise
        except errors.ClientError:
            return f'an unknown number of {service.member}s'

    def send(self, target: Target, recorder: Recorder) -> Done:
        id = target.verified_id
        done = delete_and_verify(
            recorder,
            target,
            'delete',
            lambda: self._service.policies.delete(id),
            lambda: self._existence.status_now(id),
            limits=self._limits,
        )
        if not done.is_final:
            self._prove_gone(id)
        return Done(done.request_id, is_final=True, detail=done.detail)

    def _prove_gone(self, id: str) -> None:
        """See that a policy is gone whose deletion was accepted.

        :raises ChangeFailed: if it is not.
        :raises OutcomeUnknown: if that cannot be read.
        """
        error: errors.ClientError | None = None
        for pause in base.LOOKS:
            if self._limits.stop.wait(pause):
                break
            try:
                if self._existence.status_now(id) is None:
                    return
                error = None
            except errors.ClientError as reason:
                error = reason
        accepted = 'the service accepted it'
        if error is not None or self._limits.stop.is_set():
            raise errors.OutcomeUnknown(errors.ClientError(accepted), error)
        raise ChangeFailed(f'{accepted}, but still shows the policy')
