# SPDX-License-Identifier: Apache-2.0
"""What the calls on all kinds of resources have in common."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Generic, TypeVar

from vbsclient.api import errors
from vbsclient.api.http import Transport
from vbsclient.api.paging import PAGE_SIZE, Row, Style, rows, rows_of
from vbsclient.api.paths import Segment, resource_path, uuid_segment
from vbsclient.api.values import canonical_id, dict_or_empty, is_foreign

ResourceT = TypeVar('ResourceT')


def id_of(body: Mapping[str, Any], noun: str, key: str = 'id') -> str:
    """The id in a body, in lower case.

    :raises MalformedResponse: if it has none, or one that would be several
        lines where a list of IDs is written.
    """
    id = body.get(key)
    if not isinstance(id, str) or not id.isprintable():
        raise errors.MalformedResponse(
            f'the service answered with a {noun} that has no {key}'
        )
    return canonical_id(id)


class Collection(abc.ABC, Generic[ResourceT]):
    """The calls on the resources of one kind.

    :param transport: how requests are sent.
    :param url: URL of the service, with version and project.
    :ivar project_id: the project whose resources these are.
    """

    #: The last part of the URL of the collection.
    route: ClassVar[str]

    #: The key of one resource in the answer that shows it; None if that is
    #: the resource itself.
    key: ClassVar[str | None]

    #: How messages call one.
    noun: ClassVar[str]

    def __init__(self, transport: Transport, url: str) -> None:
        self._transport = transport
        self._url = url
        self.project_id = url.rpartition('/')[2]

    @staticmethod
    def segment(id: str) -> Segment:
        """An id as a part of a path.

        :raises InvalidId: if it has not the shape of one.
        """
        return uuid_segment(id)

    @abc.abstractmethod
    def read(self, body: Mapping[str, Any]) -> ResourceT:
        """A resource, as lists and single answers have it.

        :raises MalformedResponse: if it has no id.
        """

    def get(self, id: str) -> ResourceT:
        """Show one resource.

        :param id: its id.
        :raises InvalidId: if it has not the shape of one; nothing was sent.
        :raises NotFound: if there is no such resource.
        :raises MalformedResponse: if another one is answered.
        """
        segment = self.segment(id)
        body = self._transport.get(self._address(segment))
        resource: Any = self.read(
            body if self.key is None else dict_or_empty(body.get(self.key))
        )
        if resource.id != segment:
            raise errors.MalformedResponse(
                f'the service answered with another {self.noun} '
                f'({resource.id})'
            )
        return resource  # type: ignore[no-any-return]

    def _listed(
        self,
        fetch: Callable[[Mapping[str, str]], Mapping[str, Any]],
        style: Style,
        query: Mapping[str, str],
        page_size: int,
        fits: Callable[[ResourceT], bool] = lambda resource: True,
    ) -> Iterator[ResourceT]:
        """The resources of a list that fit, page by page.

        :param fetch: GETs one page.
        :param fits: compares again what the service was asked for.
        """
        for row in self._rows_of(fetch, style, query, page_size):
            resource = self.read(row)
            if fits(resource):
                yield resource

    def _first_page(
        self,
        fetch: Callable[[dict[str, str]], Mapping[str, Any]],
        style: Style,
    ) -> list[ResourceT]:
        """The first resources of a list, with one request."""
        body = fetch({'limit': str(PAGE_SIZE)})
        return [self.read(row) for row in rows_of(body, style.key, style.id)]

    def _rows_of(
        self,
        fetch: Callable[[dict[str, str]], Mapping[str, Any]],
        style: Style,
        query: Mapping[str, str],
        page_size: int,
    ) -> Iterator[Row]:
        """The rows of a list, which are counted as they come."""
        for row in rows(fetch, style, query, page_size=page_size):
            # For the eye alone: of several threads one may be lost.
            self._transport.activity.rows += 1
            yield row

    def owns(self, resource: Any) -> bool:
        """Whether no other project is said to own a resource."""
        return not is_foreign(resource.owner, self.project_id)

    def _address(self, *parts: str) -> str:
        """The URL of the collection, or of what is in it."""
        return f'{self._url}/{resource_path(self.route, *parts)}'
