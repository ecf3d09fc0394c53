# SPDX-License-Identifier: Apache-2.0
"""Identity (Keystone v3): projects and domains by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vbsclient.api import errors
from vbsclient.api.catalog import split_base
from vbsclient.api.client import LookupClient
from vbsclient.api.names import is_named, spellings
from vbsclient.api.paging import Row, query_of, rows_of


class Identity(LookupClient):
    """Projects and domains on any keystoneauth session."""

    types = ('identity',)

    def versioned(self, address: str, project_id: str) -> str:
        """The address in version 3, whichever it names."""
        return f'{split_base(address, project_id).url}/v3'

    def project_ids(
        self, name: str, *, domain_id: str | None = None
    ) -> list[str]:
        """The ids of all projects with this name.

        :param domain_id: of those in this domain alone.
        :raises ClientError: if they cannot be listed to the end.
        """
        where = {} if domain_id is None else {'domain_id': domain_id}
        return list(
            dict.fromkeys(
                str(row['id'])
                for spelling in spellings(name)
                for row in self._rows('projects', {'name': spelling, **where})
                if is_named(row.get('name'), name)
                # A service that ignores the filter must not choose.
                and row.get('domain_id') == (domain_id or row.get('domain_id'))
            )
        )

    def domain_ids(self, domain: str) -> list[str]:
        """The domain of this id, else those with this name.

        The ids of domains have no shape of their own (``default`` is one),
        so that none may enter a path.

        :raises ClientError: if they cannot be listed to the end.
        """
        named = [
            str(row['id'])
            for spelling in spellings(domain)
            for row in self._rows('domains', {'name': spelling})
            if is_named(row.get('name'), domain)
        ]
        if named:
            return list(dict.fromkeys(named))
        return [
            domain for row in self._rows('domains', {}) if row['id'] == domain
        ][:1]

    def _rows(self, what: str, query: Mapping[str, str]) -> Iterator[Row]:
        """Each row of a list, which most releases do not cut into pages."""
        position: dict[str, str] | None = {}
        markers = set()
        while position is not None:
            body = self.fetch(what, {**query, **position})
            yield from rows_of(body, what)
            position = _next_of(body, what)
            marker = position and position.get('marker')
            if marker in markers:
                raise errors.AmbiguousListing(
                    f'the service repeats a page of its {what}'
                )
            markers.add(marker)


def _next_of(body: Mapping[str, Any], what: str) -> dict[str, str] | None:
    """The position in the ``next`` link, whose address is not usable.

    :raises AmbiguousListing: if there is more, and it cannot be asked for.
    """
    links = body.get('links')
    link = links.get('next') if isinstance(links, dict) else None
    if link is None and not body.get('truncated'):
        return None
    query = query_of(str(link))
    if not query.get('marker'):
        raise errors.AmbiguousListing(
            f'the service does not list all its {what}'
        )
    return {k: v for k, v in query.items() if k in ('marker', 'limit')}
