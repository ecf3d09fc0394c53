# SPDX-License-Identifier: Apache-2.0
"""``--marker``: one message where it is not found, whoever says so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from vbsclient.api import errors
from vbsclient.lookup.refusals import MissingError
from vbsclient.wording import quote

T = TypeVar('T')


@contextmanager
def finding(marker: str | None) -> Iterator[None]:
    """Look up a marker, or read the list that begins after it.

    :param marker: as it was typed; None if none was.
    :raises MissingError: if it is not found.
    """
    try:
        yield
    except (MissingError, errors.NotFound, errors.BadRequest) as error:
        # A 400 is about the marker if it names it.
        refused = isinstance(error, errors.BadRequest)
        if marker is None or (refused and marker not in error.message):
            raise
        near = error.hint if isinstance(error, MissingError) else None
        raise MissingError(
            f'Marker {quote(marker)} not found', near
        ) from error


def rows_after(marker: str | None, rows: Iterable[T]) -> Iterator[T]:
    """The same for rows that are read later."""
    with finding(marker):
        yield from rows
