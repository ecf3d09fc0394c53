# SPDX-License-Identifier: Apache-2.0
"""Rows kept in the order of their creation, and pages of them.

A list of 100,000 rows must not be sorted for each of its pages.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar


class Row(Protocol):
    """What a shelf holds."""

    id: str
    created_at: str
    serial: int  # the order among rows of the same instant


R = TypeVar('R', bound=Row)


class Shelf(Generic[R]):
    """The rows of one kind that belong to one project."""

    def __init__(self) -> None:
        self._keys: list[tuple[str, int]] = []
        self._rows: dict[int, R] = {}
        self._sorted = True

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[R]:
        return self.walk(descending=False)

    def add(self, row: R) -> None:
        key = (row.created_at, row.serial)
        # Rows mostly come in order; else one sort before the next reading
        # is cheaper than an insertion for each.
        if self._keys and key < self._keys[-1]:
            self._sorted = False
        self._keys.append(key)
        self._rows[row.serial] = row

    def remove(self, row: R) -> None:
        del self._keys[self.position(row)]
        del self._rows[row.serial]

    def position(self, row: R) -> int:
        """The place of a row, the oldest being 0."""
        self._settle()
        return bisect_left(self._keys, (row.created_at, row.serial))

    def walk(
        self, descending: bool = True, after: R | None = None, skip: int = 0
    ) -> Iterator[R]:
        """The rows in order, from behind a row and after `skip` more."""
        self._settle()
        first, last = 0, len(self._keys) - 1
        if descending:
            if after is not None:
                last = self.position(after) - 1
            places = range(last - skip, -1, -1)
        else:
            if after is not None:
                first = self.position(after) + 1
            places = range(first + skip, last + 1)
        keys, rows = self._keys, self._rows
        return (rows[keys[place][1]] for place in places)

    def _settle(self) -> None:
        if not self._sorted:
            self._keys.sort()
            self._sorted = True


def page(
    shelf: Shelf[R],
    *,
    limit: int,
    offset: int = 0,
    marker: R | None = None,
    matches: Callable[[R], bool] | None = None,
    descending: bool = True,
    sort: Callable[[R], Any] | None = None,
) -> tuple[list[R], bool]:
    """One page, and whether more rows follow it.

    `sort` is for orders other than that of creation; they cost a sort.
    """
    if sort is not None:
        rows = _sorted_rows(shelf, matches, sort, descending, marker)
        rows = islice(rows, offset, None)
    elif matches is None:
        rows = shelf.walk(descending, marker, offset)
    else:
        walk = shelf.walk(descending, marker)
        rows = islice(filter(matches, walk), offset, None)
    found = list(islice(rows, limit + 1))
    return found[:limit], len(found) > limit


def _sorted_rows(
    shelf: Shelf[R],
    matches: Callable[[R], bool] | None,
    sort: Callable[[R], Any],
    descending: bool,
    marker: R | None,
) -> Iterator[R]:
    rows = list(filter(matches, shelf))
    rows.sort(key=lambda row: (sort(row), row.serial), reverse=descending)
    if marker is not None:
        ids = [row.id for row in rows]
        start = ids.index(marker.id) + 1 if marker.id in ids else len(rows)
        rows = rows[start:]
    return iter(rows)
