# SPDX-License-Identifier: Apache-2.0
"""The tables of failures as two matrices, a symbol in each cell."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from doc.pictures.drawing import MARGIN, SMALL, WIDTH, Picture
from tests.functional import fault_matrix

_SENT = re.compile(r'sent (\d+) times')
_STOPPED = 'the rest is not sent'
_CELL = ('small',)


def look_of(cell: str) -> tuple[str, str]:
    """The tone and the symbol of a cell of the page."""
    if not cell:
        return 'plain', ''
    if 'unknown' in cell:
        tone, sign = 'unsure', '?'
    elif re.search(r'failed|nothing sent|no list', cell):
        tone, sign = 'bad', '✗'
    else:
        tone, sign = 'good', '✓'
    sent = _SENT.search(cell)
    stopped = '!' if cell.endswith(_STOPPED) else ''
    return tone, sign + (sent[1] if sent else '') + stopped


def draw_deleting() -> Picture:
    """What becomes of a target whose DELETE fails."""
    picture = Picture(
        'faults-deleting',
        'Failures while deleting',
        'The table "While deleting" of this page as a matrix: a row for '
        'each failure, a column for each command.',
    )
    _legend(
        picture,
        ('✓', 'good', 'accepted or deleted, exit 0'),
        ('✗', 'bad', 'failed, exit 1'),
        ('?', 'unsure', 'unknown, exit 1'),
        ('✓5', 'good', 'the DELETE was sent 5 times'),
        ('✗!', 'bad', 'the rest is not sent'),
    )
    rows = fault_matrix.deletion_rows()
    _matrix(picture, 'The DELETE meets', fault_matrix.DELETES, rows, 34)
    return picture


def draw_reading() -> Picture:
    """What becomes of a command whose GET fails."""
    picture = Picture(
        'faults-reading',
        'Failures while reading',
        'The table "While reading" of this page as a matrix: a row for each '
        'failure, a column for each place of a GET.',
    )
    _legend(
        picture,
        ('✓', 'good', 'goes on, or the list is complete'),
        ('✗', 'bad', 'nothing is sent, or no list; exit 1'),
    )
    rows = fault_matrix.read_rows()
    _matrix(picture, 'A GET meets', fault_matrix.READS, rows, 31)
    return picture


def _legend(picture: Picture, *entries: tuple[str, str, str]) -> None:
    for sign, tone, words in entries:
        y = picture.y
        picture.box(MARGIN, y, 31, 20, tone, sign, styles=_CELL)
        picture.text(MARGIN + 42, y + 15, words, 'small')
        picture.y += 25


def _matrix(
    picture: Picture,
    corner: str,
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    column: float,
) -> None:
    """Titles as stairs down to their columns, then the rows."""
    left = WIDTH - MARGIN - column * len(titles)
    top = picture.y + 6
    bottom = top + 20 * len(titles) + 4
    for place, title in enumerate(titles):
        y = top + 20 * (len(titles) - 1 - place)
        middle = left + column * (place + 0.5)
        picture.text(middle - 4, y + 12, title, 'small', 'ink', 'end')
        picture.line((middle, y + 2), (middle, bottom))
    picture.text(MARGIN, top + 12, corner, 'bold')
    y = bottom + 4
    for title, *cells in rows:
        words = textwrap.wrap(
            title.replace(' MB', '\u00a0MB'),
            int((left - MARGIN) / (SMALL * 0.57)),
            break_on_hyphens=False,
        )
        height = 17 * len(words) + 7
        for number, line in enumerate(words):
            picture.text(MARGIN, y + 15 + 17 * number, line, 'small')
        for place, cell in enumerate(cells):
            tone, sign = look_of(cell)
            if sign:
                x = left + column * place
                picture.box(
                    x, y, column - 2, height - 2, tone, sign, styles=_CELL
                )
        y += height
    picture.y = y
