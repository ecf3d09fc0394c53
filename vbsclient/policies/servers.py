# SPDX-License-Identifier: Apache-2.0
"""Creating a policy of CSBS, with its servers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vbsclient.api.compute import Compute, Server
from vbsclient.api.csbs import CSBSClient
from vbsclient.api.errors import Hint
from vbsclient.api.http import Limits
from vbsclient.change.targets import Target, merge
from vbsclient.lookup.names import foreign, unique
from vbsclient.lookup.refusals import RefusedError
from vbsclient.lookup.servers import find_servers
from vbsclient.policies.members import called, refuse_if_any_is
from vbsclient.policies.server_members import Holders, holders_in, row_of
from vbsclient.policies.services import CsbsPolicies
from vbsclient.policies.settings import PolicyCreation

# What to do where a server has another policy.
REMOVE_FIRST = 'Remove it from that policy first.'


class CsbsPolicyCreation(PolicyCreation):
    """The rules for ``csbs policy create``.

    :param operation: its scheduled operation, as CSBS has it.
    :param servers: names and ids of what it is to back up.
    """

    def __init__(
        self,
        csbs: CSBSClient,
        nova: Compute,
        name: str,
        operation: Mapping[str, Any],
        servers: Sequence[str],
        limits: Limits,
        description: str | None = None,
    ) -> None:
        words = {} if description is None else {'description': description}
        super().__init__(
            CsbsPolicies(csbs),
            name,
            {
                'name': name,
                **words,
                'resources': [],
                'scheduled_operations': [operation],
            },
            limits,
            description,
        )
        self._csbs = csbs
        self._nova = nova
        self._servers = unique(servers)

    def verify_members(self, policies: Sequence[Any]) -> Sequence[str]:
        found = find_servers(self._nova, self._servers, self._limits)
        targets = merge(
            [
                Target.of(argument, 'server', 'CSBS', found[argument])
                for argument in self._servers
            ]
        )
        holders = holders_in(policies, self._csbs.policies.get)
        for target in targets:
            if target.refusal is None:
                target.refusal = self._refusal(target.verified, holders)
        refuse_if_any_is(targets)
        self._request['resources'] = [row_of(t.verified) for t in targets]
        return ()

    def _refusal(
        self, server: Server, holders: Holders
    ) -> RefusedError | None:
        """Why a server cannot belong to a new policy."""
        if not self._nova.owns(server):
            return foreign(server.owner, 'the server', 'use')
        for policy in holders.by_server.get(server.id, ()):
            return RefusedError(
                f'it belongs to the policy {called(policy)}, and a server '
                f'has only one',
                Hint(REMOVE_FIRST, policy=policy.id, server=server.id),
            )
        return RefusedError(holders.doubt) if holders.unreadable else None

    def member_count(self) -> int:
        return len(self._request['resources'])
