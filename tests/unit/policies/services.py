# SPDX-License-Identifier: Apache-2.0
"""A service of policies that does with a change what a test says."""

import copy
from collections.abc import Callable
from typing import Any
from unittest import mock

from vbsclient.api import csbs, errors, vbs
from vbsclient.api.http import Limits, Receipt
from vbsclient.change.run import execute
from vbsclient.change.targets import Change, Outcome, Recorder
from vbsclient.creation import base
from vbsclient.policies.services import (
    CsbsPolicies,
    PolicyService,
    VbsPolicies,
)

Body = dict[str, Any]

#: What a service may make of a change.
WAYS = ('replaces', 'merges', 'drops', 'ignores', 'resets')

#: What the references know; the others are dropped by who drops.
_KNOWN = {
    *('backup_policy_id', 'backup_policy_name', 'scheduled_policy'),
    *('policy_resource_count', 'time_zone', 'id', 'name', 'description'),
    *('status', 'provider_id', 'resources', 'scheduled_operations'),
}


class Policies:
    """The calls on the policies of either service.

    :ivar bodies: what there is.
    :ivar way: what becomes of a change, one of :data:`WAYS`.
    :ivar lost: whether the answers to changes are lost.
    :ivar acts: whether changes are carried out at all.
    :ivar on_read: called before each answer that shows policies.
    """

    def __init__(self, kind: Any, *bodies: Body) -> None:
        self._kind = kind
        self.bodies = list(bodies)
        self.way = 'replaces'
        self.lost = False
        self.acts = True
        self.on_read: Callable[[], object] = lambda: None
        self.sent: list[Body] = []
        self.project_id = 'f' * 32

    def owns(self, policy: Any) -> bool:
        return True

    def list(self, name: str | None = None) -> list[Any]:
        self.on_read()
        return [
            self._kind.from_body(copy.deepcopy(body)) for body in self.bodies
        ]

    def get(self, id: str) -> Any:
        for policy in self.list():
            if policy.id == id:
                return policy
        raise errors.NotFound('gone', status=404)

    def modify(self, id: str, body: Body) -> Receipt:
        return self._put(body)

    def update(self, id: str, changes: Body) -> tuple[None, Receipt]:
        return None, self._put(changes)

    def _put(self, body: Body) -> Receipt:
        self.sent.append(copy.deepcopy(body))
        if self.acts:
            self.bodies[0] = self._changed(self.bodies[0], body)
        if self.lost:
            raise errors.OutcomeUnknown(errors.ConnectionFailed('no answer'))
        return Receipt(200, 'req-1', 1)

    def _changed(self, before: Body, body: Body) -> Body:
        before, body = copy.deepcopy(before), copy.deepcopy(body)
        if self.way == 'ignores':
            return before
        after = _merged(before, body)
        if self.way == 'replaces':
            for key in ('scheduled_policy', 'operation_definition'):
                _replace(after, body, key)
        if self.way == 'drops':
            after = {k: v for k, v in after.items() if k in _KNOWN}
        if self.way == 'resets':
            plan = after.get('scheduled_policy')
            if plan is not None:
                plan['start_time'] = '07:00'
            else:
                after['description'] = 'reset'
        return after


def _merged(before: Any, sent: Any) -> Any:
    if isinstance(before, dict) and isinstance(sent, dict):
        return before | {k: _merged(before.get(k), v) for k, v in sent.items()}
    if isinstance(sent, list) and len(sent) == 1 and isinstance(before, list):
        return [_merged(before[0], sent[0])] if before else sent
    return sent


def _replace(after: Any, sent: Any, key: str) -> None:
    """Let what was sent of one block be all of it."""
    if isinstance(sent, list):
        for one, other in zip(after, sent, strict=True):
            _replace(one, other, key)
    elif isinstance(sent, dict):
        for name, value in sent.items():
            if name == key:
                after[name] = value
            else:
                _replace(after[name], value, key)


class _Client:
    def __init__(self, policies: Policies) -> None:
        self.policies = policies


def service_of(policies: Policies) -> PolicyService:
    client: Any = _Client(policies)
    if policies._kind is vbs.Policy:
        return VbsPolicies(client)
    return CsbsPolicies(client)


def vbs_policies(*bodies: Body) -> Policies:
    return Policies(vbs.Policy, *bodies)


def csbs_policies(*bodies: Body) -> Policies:
    return Policies(csbs.Policy, *bodies)


def carry_out(
    change: Change, recorder: Recorder | None = None, limits: Any = None
) -> list[Outcome]:
    """Look up and send, without pauses."""
    outcomes = [Outcome.of(target) for target in change.targets()]
    with mock.patch.object(base, 'LOOKS', (0.0, 0.0)):
        execute(change, outcomes, recorder or Recorder(), limits or Limits())
    return outcomes
