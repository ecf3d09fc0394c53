# SPDX-License-Identifier: Apache-2.0
"""Finding the servers that a user named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from vbsclient.api.compute import Compute, Server
from vbsclient.api.http import Limits
from vbsclient.api.paging import PAGE_SIZE
from vbsclient.lookup.existence import Existence, LookupResult
from vbsclient.lookup.names import Kind
from vbsclient.wording import brief, moment


def describe_server(server: Server) -> str:
    """One server, for a person who has to choose."""
    facts = [server.status, moment(server.created_at), *server.addresses]
    return f'{brief(server.id)} ({", ".join(map(brief, facts))})'


_SERVER = Kind('server', describe_server)


def find_servers(
    nova: Compute, arguments: Sequence[str], limits: Limits
) -> LookupResult[Server]:
    """The server for each name or id, or why there is none."""

    def listed(name: str | None) -> Iterable[Server]:
        return nova.all_servers() if name is None else nova.servers(name)

    return _SERVER.find(
        arguments,
        # That one is not there is no reason to do anything: a 404 is enough.
        Existence(nova.server, lambda ids: ()),
        listed,
        nova.owns,
        limits,
        first_page=lambda: islice(nova.all_servers(), PAGE_SIZE),
    )
