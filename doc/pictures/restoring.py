# SPDX-License-Identifier: Apache-2.0
"""The life of a restore."""

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
    ('bad', 'FAIL, error, fail_op', '✗ failed', '1'),
    ('unsure', 'CSBS: an old failure', '? unknown', '1'),
    ('unsure', 'the timeout is over', '… accepted', '3'),
)
_RESTORED: Sequence[End] = (('good', 'no failure', '✓ restored', '0'),)


def draw() -> Picture:
    """One column of states, each with the ends that leave it."""
    picture = Picture(
        'restoring',
        'The life of a restore',
        'A backup and its targets are looked up and checked, shown, '
        'confirmed, and checked once more: what a check forbids is refused, '
        'exit status 1. Then one POST is sent. If the service refuses it, '
        'the result is failed, exit status 1; without an answer it is '
        'unknown, exit status 1, unless the restore is seen to have begun. '
        'If it is accepted, a command without --wait ends with exit status '
        '0. With --wait it polls while the job of VBS is INIT or RUNNING and '
        'the volume restoring-backup, or the backup of CSBS is '
        'waiting_restore or restoring. If the job becomes FAIL, the volume '
        'error_restoring, or the backup shows a new failure, the result is '
        'failed, exit status 1; if the backup shows only an old failure, it '
        'is unknown, exit status 1; if the timeout ends first, it is '
        'accepted, exit status 3. Once the volume or the backup is '
        'available, without a failure, the result is restored, exit status 0.',
    )
    life.head(picture)
    life.state(picture, 'plain', 'checked twice', ends=_CHECKED)
    life.state(picture, 'plain', 'POST is sent', ends=_AT_ONCE)
    life.state(picture, 'plain', 'accepted', ends=_NO_WAIT)
    life.polls(picture)
    busy = ('job RUNNING', 'restoring-backup', 'restoring')
    life.state(picture, 'plain', *busy, ends=_IN_WAIT)
    life.state(picture, 'good', 'available', ends=_RESTORED, last=True)
    return picture
