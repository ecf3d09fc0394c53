# SPDX-License-Identifier: Apache-2.0
"""Words for messages of the rules, each short enough to be read."""

from __future__ import annotations

from collections.abc import Sequence


def quote(argument: str) -> str:
    """What the user named, short enough for a message."""
    return repr(brief(argument))


def brief(text: object) -> str:
    """What a service says of something, so that what follows is seen."""
    said = str(text)
    return said if len(said) <= 80 else f'{said[:80]}...'


def moment(created_at: str | None) -> str:
    """A time of a service, without its fraction."""
    return brief(created_at or 'no date').partition('.')[0].replace('T', ' ')


def counted(count: int, one: str, several: str | None = None) -> str:
    """``1 backup``, ``2 backups``.

    :param several: the plural, where an s does not make it.
    """
    return f'{count} {one if count == 1 else several or f"{one}s"}'


def listed(names: Sequence[str], most: int = 10) -> str:
    """The first of them, and how many more there are."""
    more = f' and {len(names) - most} more' if len(names) > most else ''
    return f'{", ".join(names[:most])}{more}'
