# SPDX-License-Identifier: Apache-2.0
"""What VBS and CSBS do with policies, each in its own way.

The rules for a change know this one form of both.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from vbsclient.api import csbs as csbs_api
from vbsclient.api import vbs as vbs_api
from vbsclient.api.http import Receipt
from vbsclient.lookup.policies import Policies
from vbsclient.schedule import csbs, vbs
from vbsclient.schedule.values import Settings, Wanted
from vbsclient.wording import counted, listed


@dataclass(frozen=True)
class Edit:
    """What is to be different; None is what stays.

    :ivar description: of a policy of CSBS; those of VBS have none.
    """

    settings: Wanted
    name: str | None = None
    description: str | None = None


class PolicyService(abc.ABC):
    """The policies of one service.

    :cvar source: the service.
    :cvar member: what its policies back up.
    """

    source: ClassVar[str]
    member: ClassVar[str]
    policies: Policies

    @abc.abstractmethod
    def settings_of(self, body: Mapping[str, Any]) -> Settings:
        """What a policy, or a request for one, says."""

    @abc.abstractmethod
    def tells_retention(self, body: Mapping[str, Any]) -> bool:
        """Whether what a policy says of what it keeps can be read."""

    @abc.abstractmethod
    def changed(
        self, policy: Any, edit: Edit, now: datetime
    ) -> Mapping[str, Any]:
        """The request that changes a policy; an empty one if nothing does.

        :raises InvalidSetting: if the service has no such settings.
        :raises MalformedResponse: if the policy cannot be changed safely.
        """

    @abc.abstractmethod
    def create(
        self, body: Mapping[str, Any]
    ) -> tuple[str, Mapping[str, Any], Receipt]:
        """Create a policy, as the call of the service.

        :returns: its id, what else the answer says of it, and a receipt.
        """

    @abc.abstractmethod
    def new(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a policy is read as that a request has just created."""

    @abc.abstractmethod
    def update(
        self, id: str, changes: Mapping[str, Any]
    ) -> tuple[Any, Receipt]:
        """Change a policy, as the call of the service.

        :returns: the policy as it was answered, None if it was not, and the
            receipt.
        """

    @abc.abstractmethod
    def raw(self, policy: Any) -> Mapping[str, Any]:
        """A policy as it was answered."""

    def current(self, policy: Any) -> Any:
        """A policy of a list, as it is now: a list may be behind."""
        return self.policies.get(policy.id)

    @abc.abstractmethod
    def members_of(self, policy: Any) -> str:
        """How much loses its schedule with a policy; '' for nothing.

        What cannot be read may be something.
        """

    @abc.abstractmethod
    def is_fixed(self, policy: Any) -> bool:
        """Whether a policy keeps its name."""

    def may_end_long_term(
        self, policy: Any, changes: Mapping[str, Any]
    ) -> bool:
        """Whether a change may end rules that the service does not show."""
        return False


class VbsPolicies(PolicyService):
    """Those of VBS."""

    source = 'VBS'
    member = 'volume'

    def __init__(self, client: vbs_api.VBSClient) -> None:
        self.policies: vbs_api.Policies = client.policies

    def settings_of(self, body: Mapping[str, Any]) -> Settings:
        return vbs.settings_of(body)

    def tells_retention(self, body: Mapping[str, Any]) -> bool:
        return vbs.tells_retention(body)

    def changed(
        self, policy: vbs_api.Policy, edit: Edit, now: datetime
    ) -> Mapping[str, Any]:
        return vbs.changed_policy(
            policy.body, edit.settings, now, name=edit.name
        )

    def create(
        self, body: Mapping[str, Any]
    ) -> tuple[str, Mapping[str, Any], Receipt]:
        id, receipt = self.policies.create(body)
        return id, {}, receipt

    def new(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**request, 'policy_resource_count': 0}

    def update(
        self, id: str, changes: Mapping[str, Any]
    ) -> tuple[None, Receipt]:
        return None, self.policies.modify(id, changes)

    def raw(self, policy: vbs_api.Policy) -> Mapping[str, Any]:
        return policy.raw

    def current(self, policy: vbs_api.Policy) -> vbs_api.Policy:
        """Nothing but the list shows it."""
        return policy

    def members_of(self, policy: vbs_api.Policy) -> str:
        count = policy.volume_count
        if count is None or count < 0:
            return 'an unknown number of volumes'
        return counted(count, 'volume') if count else ''

    def is_fixed(self, policy: vbs_api.Policy) -> bool:
        """Nobody else may give a name that begins so."""
        name = policy.name or ''
        return name.startswith('default') or name.lower() == 'defaultpolicy'


class CsbsPolicies(PolicyService):
    """Those of CSBS."""

    source = 'CSBS'
    member = 'server'

    def __init__(self, client: csbs_api.CSBSClient) -> None:
        self.policies: csbs_api.Policies = client.policies

    def settings_of(self, body: Mapping[str, Any]) -> Settings:
        return csbs.settings_of(_only_one(body))

    def tells_retention(self, body: Mapping[str, Any]) -> bool:
        return csbs.tells_retention(_only_one(body))

    def changed(
        self, policy: csbs_api.Policy, edit: Edit, now: datetime
    ) -> Mapping[str, Any]:
        return csbs.changed_policy(
            policy.body,
            edit.settings,
            now,
            name=edit.name,
            description=edit.description,
        )

    def create(
        self, body: Mapping[str, Any]
    ) -> tuple[str, Mapping[str, Any], Receipt]:
        policy, receipt = self.policies.create(body)
        return policy.id, policy.body, receipt

    def new(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        return {'description': '', **request}

    def update(
        self, id: str, changes: Mapping[str, Any]
    ) -> tuple[csbs_api.Policy, Receipt]:
        return self.policies.update(id, changes)

    def raw(self, policy: csbs_api.Policy) -> Mapping[str, Any]:
        return policy.body

    def members_of(self, policy: csbs_api.Policy) -> str:
        rows = policy.body.get('resources')
        if not isinstance(rows, list):
            return 'an unknown number of servers'
        if not rows:
            return ''
        names: Sequence[str] = [s.name or s.id for s in policy.servers]
        # A policy may have what is no server, or cannot be read.
        what = 'server' if len(names) == len(rows) else 'resource'
        told = f' ({listed(names)})' if names else ''
        return f'{counted(len(rows), what)}{told}'

    def is_fixed(self, policy: csbs_api.Policy) -> bool:
        return False

    def may_end_long_term(
        self, policy: csbs_api.Policy, changes: Mapping[str, Any]
    ) -> bool:
        sent = csbs.operation_of(changes).get('operation_definition')
        shown = csbs.operation_of(policy.body).get('operation_definition')
        return sent is not None and not any(
            key in (shown or {}) for key in csbs.COUNTS.values()
        )


def _only_one(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of several operations none speaks for the policy."""
    operations = body.get('scheduled_operations')
    is_one = isinstance(operations, list) and len(operations) == 1
    return body if is_one else {}
