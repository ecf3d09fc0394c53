# SPDX-License-Identifier: Apache-2.0
"""Reading a list to its end, whatever style of paging the service has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar
from urllib.parse import parse_qsl, urlsplit

from vbsclient.api import errors
from vbsclient.api.values import canonical_id, int_or_none

T = TypeVar('T')

Row = Mapping[str, Any]
Fetch = Callable[[dict[str, str]], Mapping[str, Any]]

#: The references name no maximum; links appear beyond this many.
PAGE_SIZE = 1000


@dataclass(frozen=True)
class Style:
    """How one list is paged.

    :ivar key: the key of the rows in the body.
    :ivar by: what asks for the next page where no link is given.
    :ivar links: the key of the links, or None where none are documented.
    :ivar links_tell: whether a missing link proves the end of the list.
    :ivar id: the key of the id in a row.
    """

    key: str
    by: Literal['offset', 'marker']
    links: str | None = None
    links_tell: bool = False
    id: str = 'id'


#: How often a list is read again after its page marker was deleted.
_RESTARTS = 3

#: How services refuse a marker that they do not find.
_MARKER_REFUSED = (errors.NotFound, errors.BadRequest)

_BREAKS = (*errors.NOT_OFFERED, errors.BadRequest)


def rows(
    fetch: Fetch,
    style: Style,
    query: Mapping[str, str],
    *,
    page_size: int = PAGE_SIZE,
) -> Iterator[Row]:
    """Each row of a list, once.

    A page that is shorter than asked may be the last one, or the service
    may have a smaller maximum: where no link tells, one more page is asked
    for.  Rows that new ones moved onto the next page are dropped by id.
    If the row that is the marker of a page has been deleted, the list is
    read again from its beginning.

    :raises AmbiguousListing: if the service repeats a full page, or refuses
        one that follows: what is left out is unknown.
    :raises MalformedResponse: if the body has no list of rows.
    """
    given: set[str] = set()
    restarts = 0
    while True:
        walk = _Walk(fetch, style, query, page_size)
        try:
            for page in walk.pages():
                # Only a list that was begun again has given any.
                yield from (
                    [row for row in page if _key(row, style) not in given]
                    if given
                    else page
                )
            return
        except _BREAKS as error:
            given |= walk.seen
            is_lost = walk.is_behind_own_row and isinstance(
                error, _MARKER_REFUSED
            )
            if is_lost and restarts < _RESTARTS:
                restarts += 1
                continue
            if not given or not (
                is_lost or isinstance(error, errors.NOT_OFFERED)
            ):
                raise
            # The caller must not take this for a list that does not exist.
            raise errors.AmbiguousListing(
                f'the list broke off after {len(given)} rows: {error.message}',
                'Nothing was decided from half a list: try again.',
            ) from error


class _Walk:
    """One reading of a list from its beginning.

    :ivar seen: the ids of the rows so far.
    :ivar is_behind_own_row: whether the marker of the current page is a row
        of an earlier page, not the marker of the caller.
    """

    def __init__(
        self,
        fetch: Fetch,
        style: Style,
        query: Mapping[str, str],
        page_size: int,
    ) -> None:
        self._fetch = fetch
        self._style = style
        self._filters = {key: query[key] for key in query if key != 'marker'}
        self._start = {key: query[key] for key in query if key == 'marker'}
        self._page_size = page_size
        self.seen: set[str] = set()
        self.is_behind_own_row = False

    def pages(self) -> Iterator[list[Row]]:
        """The rows of each page that were in none before."""
        size, style = self._page_size, self._style
        received = longest = 0
        position = self._start
        while True:
            self.is_behind_own_row = (
                'marker' in position and position != self._start
            )
            body = self._fetch(
                {'limit': str(size), **self._filters, **position}
            )
            page = rows_of(body, style.key, style.id)
            fresh = _unseen(page, self.seen, style)
            link = _link_query(body, style)
            full = len(page) >= size or link is not None
            if page and not fresh:
                # Short pages that are all alike: a maximum of the service's
                # own.  One that repeats its first short page has just that.
                if full or len(self.seen) > len(page) >= longest:
                    raise errors.AmbiguousListing(
                        'the service repeats a page of its list',
                        'Nothing was decided from a list that has no end.',
                    )
                return
            longest = max(longest, len(page))
            yield fresh
            received += len(page)
            if not page or (not full and style.links_tell):
                return
            # The offset of a link counts from the beginning, ours from the
            # marker.
            if style.by == 'marker':
                following = {'marker': str(page[-1][style.id])}
            else:
                following = {'offset': str(received)}
            position = link or {**self._start, **following}


def query(**filters: str | None) -> dict[str, str]:
    """The filters that were given, as the keys of a query."""
    return {key: value for key, value in filters.items() if value is not None}


def count_of(body: Mapping[str, Any]) -> int | None:
    """The number that a counting call answers; None if it has none."""
    return int_or_none(body.get('count'))


def first_of(
    preferred: Iterator[T],
    instead: Callable[[], Iterator[T]],
    *,
    unless: tuple[type[errors.ClientError], ...],
) -> Iterator[T]:
    """One list, or another if the first one's first page is refused.

    :param unless: the refusals after which the other one is read.
    """
    started = False
    try:
        for row in preferred:
            started = True
            yield row
        return
    except unless:
        if started:
            raise
    yield from instead()


def _unseen(page: list[Row], seen: set[str], style: Style) -> list[Row]:
    """The rows that are new, each once; their ids are added to seen."""
    fresh = []
    for row in page:
        key = _key(row, style)
        if key not in seen:
            seen.add(key)
            fresh.append(row)
    return fresh


def _key(row: Row, style: Style) -> str:
    """What tells rows apart: ids differ by more than upper case."""
    return canonical_id(row[style.id])


def rows_of(body: Mapping[str, Any], key: str, id: str = 'id') -> list[Row]:
    """The rows of one page, each with an id.

    :raises MalformedResponse: if there is no list of such.
    """
    page = body.get(key)
    if not isinstance(page, list) or not all(
        isinstance(row, dict) and isinstance(row.get(id), str) for row in page
    ):
        raise errors.MalformedResponse(
            f'the service answered without a list of {key}',
            'Check that the endpoint is the right one.',
        )
    return page


def _link_query(
    body: Mapping[str, Any], style: Style
) -> dict[str, str] | None:
    """The position in the ``next`` link, whose address is not usable."""
    links = body.get(style.links) if style.links else None
    if not isinstance(links, list):
        return None
    for link in links:
        if isinstance(link, dict) and link.get('rel') == 'next':
            href = link.get('href')
            query = query_of(href) if isinstance(href, str) else {}
            if query.get('marker'):
                # Beside a marker an offset would skip rows once more.
                return {'marker': query['marker']}
            if query.get('offset'):
                return {'offset': query['offset']}
            # Without a position it still proves that there is more.
            return {}
    return None


def query_of(href: str) -> dict[str, str]:
    """The query of a link; empty if that is no URL."""
    try:
        return dict(parse_qsl(urlsplit(href).query))
    except ValueError:
        return {}
