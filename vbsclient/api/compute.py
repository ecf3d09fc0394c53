# SPDX-License-Identifier: Apache-2.0
"""Compute (Nova): servers by name or id, and their volumes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vbsclient.api.catalog import split_base
from vbsclient.api.client import LookupClient
from vbsclient.api.paging import Style
from vbsclient.api.values import text_or_none

_SERVERS = Style('servers', 'marker', links='servers_links', links_tell=True)

#: What a pattern takes for something else than itself.  A dot stays: it fits
#: itself, too, and a service that looks for a part of the name finds it.
_SPECIAL = re.compile(r'[\\^$*+?()\[\]{}|]')


@dataclass(frozen=True)
class Server:
    """A server, as far as it is looked up.

    :ivar status: such as ``ACTIVE``; empty if it is not told.
    :ivar volume_ids: its volumes; None if the answer does not tell them.
    :ivar addresses: the addresses on all its networks.
    :ivar task: what is being done with it; None for nothing, as far as told.
    :ivar owner: the project that it belongs to; None if that is not told.
    """

    id: str
    name: str | None
    status: str
    created_at: str | None
    volume_ids: frozenset[str] | None
    addresses: tuple[str, ...] = ()
    task: str | None = None
    availability_zone: str | None = None
    owner: str | None = None

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Server:
        """A server of an answer, whose other values nobody promises."""
        return cls(
            str(body['id']).lower(),
            text_or_none(body.get('name')),
            str(body.get('status') or ''),
            text_or_none(body.get('created')),
            _volume_ids(body.get('os-extended-volumes:volumes_attached')),
            tuple(_addresses(body.get('addresses'))),
            text_or_none(body.get('OS-EXT-STS:task_state')),
            text_or_none(body.get('OS-EXT-AZ:availability_zone')),
            text_or_none(body.get('tenant_id')),
        )


class Compute(LookupClient):
    """Compute on any keystoneauth session."""

    types = ('compute',)

    def versioned(self, address: str, project_id: str) -> str:
        """The address itself, in version 2.1 if it names none."""
        base = split_base(address, project_id)
        return address.rstrip('/') if base.version else f'{base.url}/v2.1'

    def servers(self, name: str) -> list[Server]:
        """All servers of the project with this name.

        :raises ClientError: if they cannot be listed to the end.
        """
        found = self.rows_named(
            'servers/detail',
            _SERVERS,
            name,
            # Compute takes the name for a pattern.
            lambda spelling: _SPECIAL.sub(r'\\\g<0>', spelling),
        )
        return list(map(Server.from_body, found))

    def all_servers(self) -> Iterator[Server]:
        """All servers of the project.

        :raises ClientError: if they cannot be listed to the end.
        """
        found = self.all_rows('servers/detail', _SERVERS, None)
        return map(Server.from_body, found)

    def names(self, seconds: float) -> Iterator[tuple[str, str | None]]:
        """The id and the name of each server of the project.

        :param seconds: in which all of them must come.
        :raises ClientError: if they cannot be listed to the end.
        """
        for row in self.all_rows('servers', _SERVERS, seconds):
            yield row['id'].lower(), text_or_none(row.get('name'))

    def server(self, id: str) -> Server:
        """One server.

        :param id: a UUID.
        :raises NotFound: if compute knows none.
        :raises MalformedResponse: if the answer is about another one.
        """
        return Server.from_body(self.one('servers', 'server', id))


def _volume_ids(attached: Any) -> frozenset[str] | None:
    if not isinstance(attached, list):
        return None
    ids = [
        volume.get('id') if isinstance(volume, dict) else None
        for volume in attached
    ]
    if not all(isinstance(id, str) for id in ids):
        return None
    return frozenset(str(id).lower() for id in ids)


def _addresses(networks: Any) -> Iterator[str]:
    for addresses in networks.values() if isinstance(networks, dict) else ():
        for address in addresses if isinstance(addresses, list) else ():
            if isinstance(address, dict) and 'addr' in address:
                yield str(address['addr'])
