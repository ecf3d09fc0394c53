# SPDX-License-Identifier: Apache-2.0
"""What the clients of all services have in common."""

from __future__ import annotations

import abc
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

from keystoneauth1.session import Session

from vbsclient.api import errors
from vbsclient.api.catalog import (
    Catalog,
    ServiceSettings,
    find_endpoint,
    read_catalog,
)
from vbsclient.api.http import Limits, Transport
from vbsclient.api.names import is_named, spellings
from vbsclient.api.paging import Row, Style, rows
from vbsclient.api.paths import resource_path
from vbsclient.api.values import is_foreign


class ServiceClient:
    """One service on any keystoneauth session.

    :param session: an authenticated keystoneauth session.
    :param region_name: the region of the cloud.
    :param interface: the interface (or interfaces, best first).
    :param endpoint_override: a URL in place of the catalog's; it may hold
        ``%(project_id)s``.
    :param timeout: (connect, read) in seconds.
    :param limits: what bounds the requests, by default ten at a time.
    """

    def __init__(
        self,
        session: Session,
        *,
        region_name: str | None = None,
        interface: str | Sequence[str] | None = 'public',
        endpoint_override: str | None = None,
        timeout: tuple[float, float] | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._settings = ServiceSettings(
            region_name, interface, endpoint_override
        )
        limits = limits or Limits()
        self._deadline = limits.deadline
        self.transport = Transport(session, timeout=timeout, limits=limits)
        # The one that was given stays as it is.
        self._session = self.transport.session


class LookupClient(ServiceClient, metaclass=abc.ABCMeta):
    """A service of which only names and ids are read.

    The endpoint is the catalog's, as it is: no version document is read.
    A GET that fails is repeated, but not for longer than one may take.
    """

    #: Its types in the catalog, best first.
    types: ClassVar[tuple[str, ...]]

    @cached_property
    def url(self) -> str:
        """Where the calls go.

        :raises EndpointError: if there is no endpoint to be chosen.
        """
        settings, catalog = self._settings, self._catalog
        entry = find_endpoint(catalog, self.types, settings)
        if entry is None:
            wanted = settings.interface or 'public'
            names = [wanted] if isinstance(wanted, str) else wanted
            raise errors.EndpointError(
                f'the catalog of this cloud has no {" or ".join(names)} '
                f'endpoint of type {self.types[0]}'
            )
        return self.versioned(entry.url.strip(), catalog.project_id)

    @cached_property
    def _catalog(self) -> Catalog:
        official = self.types[0].replace('-', '_')
        return read_catalog(
            self._session,
            f'{official}_endpoint_override',
            self._settings.override,
        )

    def owns(self, resource: Any) -> bool:
        """Whether no other project is said to own a resource.

        :raises EndpointError: if the login is for no project.
        """
        return not is_foreign(resource.owner, self._catalog.project_id)

    @property
    def is_located(self) -> bool:
        """Whether the login and the choice of the endpoint are done."""
        return 'url' in vars(self)

    @abc.abstractmethod
    def versioned(self, address: str, project_id: str) -> str:
        """The URL below which the calls are.

        :param address: as the catalog or clouds.yaml has it.
        :raises EndpointError: if it is no http(s) URL.
        """

    def rows_named(
        self,
        path: str,
        style: Style,
        name: str,
        ask: Callable[[str], str] = str,
    ) -> Iterable[Row]:
        """The rows of a list with a name, whichever form of it is kept.

        :param ask: makes of a name what the service takes for it.
        :raises ClientError: if they cannot be listed to the end.
        """
        found = {
            row['id']: row
            for spelling in spellings(name)
            for row in rows(
                lambda query: self.fetch(path, query),
                style,
                {'name': ask(spelling)},
            )
            if is_named(row.get('name'), name)
        }
        return found.values()

    def one(self, route: str, key: str, id: str) -> Mapping[str, Any]:
        """The body of one resource.

        :param route: its collection.
        :param key: under which the answer has it.
        :param id: a UUID.
        :raises InvalidId: if it is none; nothing was sent.
        :raises NotFound: if there is no such resource.
        :raises MalformedResponse: if the answer is about another one.
        """
        body = self.fetch(resource_path(route, id=id)).get(key)
        if (
            not isinstance(body, dict)
            or str(body.get('id')).lower() != id.lower()
        ):
            raise errors.MalformedResponse(
                f'the service answered with another {key} than it was asked '
                f'for'
            )
        return body

    def all_rows(
        self, path: str, style: Style, seconds: float | None
    ) -> Iterator[Row]:
        """The rows of a list, page by page.

        :param seconds: in which all of them must come; None for as long as
            it takes.
        :raises ClientError: if they cannot be listed to the end.
        """
        end = time.monotonic() + seconds if seconds is not None else None

        def page(query: dict[str, str]) -> dict[str, Any]:
            if end is None:
                return self.fetch(path, query)
            left = end - time.monotonic()
            if left <= 0:
                raise errors.AmbiguousListing('the list takes too long')
            return self.fetch(path, query, seconds=left)

        return rows(page, style, {})

    def fetch(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        seconds: float | None = None,
    ) -> dict[str, Any]:
        """GET a JSON object below the endpoint.

        :param path: made of our own words, and of ids that are UUIDs.
        :param seconds: in which it must come, by default as long as one
            request may take.
        :raises ClientError: if there is none.
        """
        url = f'{self.url}/{path}'
        with self._deadline.within(seconds or sum(self.transport.timeout)):
            return self.transport.get(url, query)
