# SPDX-License-Identifier: Apache-2.0
"""Glob patterns as shells read them; what shells differ on is refused."""

from __future__ import annotations

import re
from functools import lru_cache

_CLASS = re.compile(r'\[[:.=]')


@lru_cache
def glob_regex(pattern: str) -> re.Pattern[str]:
    r"""The regular expression that a whole name must match.

    A pattern has ``*``, ``?``, ``[a-z]``, ``[!a]`` and ``\*``; ``[^a]`` is
    ``[!a]``, as in bash.  Python's own ``fnmatch`` takes ``^``, a backslash
    and an open bracket literally, so that a pattern would keep other names
    than those it was written for.

    :raises ValueError: if the pattern is invalid, with the reason.
    """
    segments = ['']
    place = 0
    while place < len(pattern):
        char = pattern[place]
        place += 1
        if char == '*':
            segments.append('')
            continue
        if char == '[':
            part, place = _bracket(pattern, place)
        elif char == '\\':
            if place == len(pattern):
                raise ValueError('nothing follows the backslash at its end')
            part = re.escape(pattern[place])
            place += 1
        else:
            part = '.' if char == '?' else re.escape(char)
        segments[-1] += part
    return re.compile(_joined(segments), re.DOTALL)


def _joined(segments: list[str]) -> str:
    """One expression for the parts between the stars.

    Each part is searched once, from the end of the one before: to try all
    places for all of them could take years.
    """
    if len(segments) == 1:
        return segments[0]
    first, *middle, last = segments
    once = ''.join(
        f'(?=(?P<part{number}>.*?{part}))(?P=part{number})'
        for number, part in enumerate(middle)
        if part
    )
    return f'{first}{once}.*{last}'


def _bracket(pattern: str, place: int) -> tuple[str, int]:
    """The expression of a bracket, and the place after it."""
    negated = pattern[place : place + 1] in ('!', '^')
    first = place = place + negated
    members: list[str] = []
    while place == first or pattern[place : place + 1] != ']':
        member, place = _member(pattern, place)
        if pattern[place : place + 1] == '-' and (
            pattern[place + 1 : place + 2] not in ('', ']')
        ):
            last, place = _member(pattern, place + 1)
            if last < member:
                raise ValueError(f'the range {member}-{last} is empty')
            member = f'{re.escape(member)}-{re.escape(last)}'
        else:
            member = re.escape(member)
        members.append(member)
    return f'[{"^" * negated}{"".join(members)}]', place + 1


def _member(pattern: str, place: int) -> tuple[str, int]:
    """One character of a bracket, and the place after it."""
    if _CLASS.match(pattern, place):
        raise ValueError(
            'classes such as [[:digit:]] are not supported: write [0-9]'
        )
    if pattern[place : place + 1] == '\\':
        place += 1
    if place >= len(pattern):
        raise ValueError('a bracket is not closed; write [[] for a bracket')
    return pattern[place], place + 1
