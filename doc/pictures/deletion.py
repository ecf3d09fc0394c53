# SPDX-License-Identifier: Apache-2.0
"""The life of a deletion."""

from __future__ import annotations

from collections.abc import Sequence

from doc.pictures import life
from doc.pictures.drawing import Picture
from doc.pictures.life import End

_AT_ONCE: Sequence[End] = (
    ('bad', 'refused', '✗ failed', '1'),
    ('unsure', 'no answer', '? unknown', '1'),
)
_NO_WAIT: Sequence[End] = (('good', 'without --wait', '✓ accepted', '0'),)
_IN_WAIT: Sequence[End] = (
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
    life.head(picture)
    life.state(picture, 'plain', 'available', ends=())
    life.state(picture, 'plain', 'DELETE is sent', ends=_AT_ONCE)
    life.state(picture, 'plain', 'accepted', ends=_NO_WAIT)
    life.polls(picture)
    life.state(picture, 'plain', 'deleting', 'waiting_delete', ends=_IN_WAIT)
    gone: Sequence[End] = (('good', 'GET and list agree', '✓ deleted', '0'),)
    life.state(picture, 'good', 'gone', ends=gone, last=True)
    return picture
