# SPDX-License-Identifier: Apache-2.0
"""Sorted rows in pages."""

from dataclasses import dataclass

from tests.sandbox.paging import Shelf, page


@dataclass
class Thing:
    id: str
    created_at: str
    serial: int


def shelf_of(*times: str) -> tuple[Shelf[Thing], list[Thing]]:
    shelf: Shelf[Thing] = Shelf()
    things = [Thing(when, when, n) for n, when in enumerate(times)]
    for thing in things:
        shelf.add(thing)
    return shelf, things


def ids(rows: list[Thing]) -> str:
    return ''.join(row.id for row in rows)


def test_rows_that_come_out_of_order() -> None:
    shelf, things = shelf_of('c', 'a', 'd', 'b')
    assert ids(list(shelf)) == 'abcd'
    shelf.remove(things[0])
    assert ids(list(shelf.walk())) == 'dba'
    assert len(shelf) == 3


def test_marker_and_offset() -> None:
    shelf, things = shelf_of(*'abcdef')
    found = page(shelf, limit=2, marker=things[4], offset=1)
    assert (ids(found[0]), found[1]) == ('cb', True)
    found = page(shelf, limit=2, marker=things[1], descending=False)
    assert (ids(found[0]), found[1]) == ('cd', True)
    found = page(shelf, limit=9, offset=9)
    assert found == ([], False)


def test_filter_and_sort() -> None:
    shelf, things = shelf_of(*'abcdef')
    found, more = page(
        shelf, limit=2, offset=1, matches=lambda row: row.id in 'abcf'
    )
    assert (ids(found), more) == ('cb', True)
    found, more = page(
        shelf,
        limit=3,
        marker=things[1],
        sort=lambda row: row.id in 'ace',
        descending=False,
    )
    assert (ids(found), more) == ('dfa', True)
