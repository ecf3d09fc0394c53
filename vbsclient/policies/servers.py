# SPDX-License-Identifier: Apache-2.0
"""Creating a policy of CSBS, with its servers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vbsclient.api.compute import Compute, Server
from vbsclient.api.csbs import CSBSClient
from vbsclient.api.errors import Hint
from vbsclient.api.http import Limits
from vbsclient.lookup.names import unique
from vbsclient.lookup.refusals import RefusedError
from vbsclient.lookup.servers import find_servers
from vbsclient.policies.services import CsbsPolicies
from vbsclient.policies.settings import PolicyCreation, refuse_missing
from vbsclient.wording import brief

# What to do where a server has another policy.
REMOVE_FIRST = 'Remove it from that policy first.'

_SERVER = 'OS::Nova::Server'


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
        self._nova = nova
        self._servers = unique(servers)

    def verify_members(self, policies: Sequence[Any]) -> None:
        if not self._servers:
            return
        found = find_servers(self._nova, self._servers, self._limits)
        servers = {one.id: one for one in refuse_missing(found, self._servers)}
        for policy in policies:
            for one in policy.servers:
                if one.id in servers:
                    raise _taken(servers[one.id], policy)
        self._request['resources'] = [
            {'id': one.id, 'type': _SERVER, 'name': one.name or one.id}
            for one in servers.values()
        ]

    def member_count(self) -> int:
        return len(self._request['resources'])


def _taken(server: Server, policy: Any) -> RefusedError:
    return RefusedError(
        f'the server {brief(server.name or server.id)} belongs to the policy '
        f'{brief(policy.name)} ({policy.id}), and a server has only one',
        Hint(REMOVE_FIRST, policy=policy.id, server=server.id),
    )
