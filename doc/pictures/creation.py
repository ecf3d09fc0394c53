# SPDX-License-Identifier: Apache-2.0
"""The life of a creation."""

from __future__ import annotations

from collections.abc import Sequence

from doc.pictures import life
from doc.pictures.drawing import Picture
from doc.pictures.life import End

_CHECKED: Sequence[End] = (('bad', 'a check forbids it', '✗ refused', '1'),)
_AT_ONCE: Sequence[End] = (
    ('bad', 'refused', '✗ failed', '1'),
    ('unsure', 'no answer', '? unknown', '1'),
)
_NO_WAIT: Sequence[End] = (('good', 'without --wait', '✓ accepted', '0'),)
_IN_WAIT: Sequence[End] = (
    ('bad', 'FAIL, error', '✗ failed', '1'),
    ('unsure', 'not listed by CSBS', '? unknown', '1'),
    ('unsure', 'the timeout is over', '… accepted', '3'),
)
_CREATED: Sequence[End] = (('good', 'read by its ID', '✓ created', '0'),)


def draw() -> Picture:
    """One column of states, each with the ends that leave it."""
    picture = Picture(
        'creation',
        'The life of a creation',
        'A volume or a server is looked up and checked: what a check forbids '
        'is refused, exit status 1. Then one POST is sent. If the service '
        'refuses it, the result is failed, exit status 1; without an answer '
        'it is unknown, exit status 1, unless the new backup is found by '
        'reading. If it is accepted, a command without --wait ends with exit '
        'status 0. With --wait it polls while the job of VBS is INIT or '
        'RUNNING and the backup creating, or the backup of CSBS is '
        'waiting_protect or protecting. If the job becomes FAIL or the '
        'backup error, the result is failed, exit status 1; if CSBS does not '
        'list the backup within a minute, it is unknown, exit status 1; if '
        'the timeout ends first, it is accepted, exit status 3. Once the '
        'backup is available, the result is created, exit status 0.',
    )
    life.head(picture)
    life.state(picture, 'plain', 'looked up', ends=_CHECKED)
    life.state(picture, 'plain', 'POST is sent', ends=_AT_ONCE)
    life.state(picture, 'plain', 'accepted', ends=_NO_WAIT)
    life.polls(picture)
    busy = ('job RUNNING', 'creating', 'protecting')
    life.state(picture, 'plain', *busy, ends=_IN_WAIT)
    life.state(picture, 'good', 'available', ends=_CREATED, last=True)
    return picture
