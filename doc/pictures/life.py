# SPDX-License-Identifier: Apache-2.0
"""The life of a change: states on the left, ends on the right."""

from __future__ import annotations

from collections.abc import Sequence

from doc.pictures.drawing import MARGIN, WIDTH, Picture

_LEFT, _RIGHT = 138, 174
_END = WIDTH - MARGIN - _RIGHT

#: Of an end: its tone, what is seen, the Result of the report, the status.
End = tuple[str, str, str, str]


def head(picture: Picture) -> None:
    """What is in the two columns."""
    picture.text(MARGIN, 24, 'Status', 'bold')
    picture.text(_END, 24, 'Result', 'bold')
    picture.y = 36


def polls(picture: Picture) -> None:
    """Say that what comes next is read until it changes."""
    picture.text(MARGIN + 82, picture.y - 3, '--wait polls', 'code', 'soft')


def state(
    picture: Picture,
    tone: str,
    *lines: str,
    ends: Sequence[End],
    last: bool = False,
) -> None:
    """A state, its ends beside it, and an arrow to the next state."""
    y = picture.y
    height = max(36, 52 * len(ends) - 8)
    own = 14 + 18 * len(lines) if len(lines) > 1 else min(height, 44)
    picture.box(MARGIN, y, _LEFT, own, tone, *lines, styles=('bold',))
    edge, turn = MARGIN + _LEFT, MARGIN + _LEFT + 14
    for place, end in enumerate(ends):
        top = y + 52 * place
        _end(picture, top, end)
        picture.arrow(
            (edge, y + 22), (turn, y + 22), (turn, top + 22), (_END, top + 22)
        )
    picture.y = y + height
    if not last:
        center = MARGIN + _LEFT / 2
        picture.arrow((center, y + own), (center, y + height + 22))
        picture.y += 22


def _end(picture: Picture, y: float, end: End) -> None:
    tone, seen, result, code = end
    picture.box(_END, y, _RIGHT, 44, tone)
    picture.text(_END + 10, y + 18, seen, 'small')
    picture.text(_END + 10, y + 36, result, 'bold')
    right = _END + _RIGHT - 10
    picture.text(right, y + 36, f'exit {code}', 'bold', anchor='end')
