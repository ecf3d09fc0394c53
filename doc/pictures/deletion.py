# SPDX-License-Identifier: Apache-2.0
"""The life of a deletion: states on the left, ends on the right."""

from __future__ import annotations

from collections.abc import Sequence

from doc.pictures.drawing import MARGIN, WIDTH, Picture

_LEFT, _RIGHT = 138, 174
_END = WIDTH - MARGIN - _RIGHT

#: Of an end: its tone, what is seen, the Result of the report, the status.
_End = tuple[str, str, str, str]

_AT_ONCE: Sequence[_End] = (
    ('bad', 'refused', '✗ failed', '1'),
    ('unsure', 'no answer', '? unknown', '1'),
)
_NO_WAIT: Sequence[_End] = (('good', 'without --wait', '✓ accepted', '0'),)
_IN_WAIT: Sequence[_End] = (
    ('bad', 'error, error_deleting', '✗ failed', '1'),
    ('bad', 'available again', '✗ failed', '1'),
    ('unsure', 'the timeout is over', '… accepted', '3'),
)


def draw() -> Picture:
    """One column of states, each with the ends that leave it."""
    picture = Picture(
        'deletion',
        'The life of a deletion',
        'A DELETE is sent for an available backup. If the service refuses '
        'it, the result is failed, exit status 1; without an answer it is '
        'unknown, exit status 1. If it is accepted, a command without --wait '
        'ends with exit status 0. With --wait it polls while the status is '
        'deleting or waiting_delete. If the status becomes error or '
        'error_deleting, or available again, the result is failed, exit '
        'status 1; if the timeout ends first, it is accepted, exit status 3. '
        'Once the backup is gone, the result is deleted, exit status 0.',
    )
    picture.text(MARGIN, 24, 'Status', 'bold')
    picture.text(_END, 24, 'Result', 'bold')
    picture.y = 36
    _state(picture, 'plain', 'available', ends=())
    _state(picture, 'plain', 'DELETE is sent', ends=_AT_ONCE)
    _state(picture, 'plain', 'accepted', ends=_NO_WAIT)
    top = picture.y - 12
    picture.text(MARGIN + 82, top + 9, '--wait polls', 'code', 'soft')
    _state(picture, 'plain', 'deleting', 'waiting_delete', ends=_IN_WAIT)
    gone: Sequence[_End] = (('good', 'GET and list agree', '✓ deleted', '0'),)
    _state(picture, 'good', 'gone', ends=gone, last=True)
    return picture


def _state(
    picture: Picture,
    tone: str,
    *lines: str,
    ends: Sequence[_End],
    last: bool = False,
) -> None:
    """A state, its ends beside it, and an arrow to the next state."""
    y = picture.y
    height = max(36, 52 * len(ends) - 8)
    own = 50 if len(lines) > 1 else min(height, 44)
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


def _end(picture: Picture, y: float, end: _End) -> None:
    tone, seen, result, code = end
    picture.box(_END, y, _RIGHT, 44, tone)
    picture.text(_END + 10, y + 18, seen, 'small')
    picture.text(_END + 10, y + 36, result, 'bold')
    right = _END + _RIGHT - 10
    picture.text(right, y + 36, f'exit {code}', 'bold', anchor='end')
