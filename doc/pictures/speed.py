# SPDX-License-Identifier: Apache-2.0
"""Bars of the first table of the page on speed, which has the figures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from doc.pictures.drawing import MARGIN, WIDTH, Picture

PAGE = Path(__file__).parents[1] / 'source/user/speed.rst'
#: What a bar may use: its seconds follow it.
_LONGEST = WIDTH - 2 * MARGIN - 82


@dataclass(frozen=True)
class Row:
    """Seconds of one task."""

    task: str
    plugin: float
    osc: float

    @property
    def factor(self) -> float:
        return self.osc / self.plugin


def rows(page: str) -> Iterator[Row]:
    """The first table; each row has six cells."""
    table = page.split('.. list-table::')[1]
    cells = re.findall(r'^ +(?:\* )?- (.*)', table, re.MULTILINE)
    for start in range(6, len(cells), 6):
        task, plugin, _, osc, _, _ = cells[start : start + 6]
        yield Row(task, _seconds(plugin), _seconds(osc))


def _seconds(cell: str) -> float:
    return float(cell.removesuffix(' s').replace(',', ''))


def draw() -> Picture:
    """Two bars for each task; the longer ones are all of one length."""
    measured = list(rows(PAGE.read_text(encoding='utf-8')))
    picture = Picture(
        'speed',
        'Seconds of this plugin and of openstack volume backup',
        'Two bars for each task. '
        + ' '.join(
            f'{row.task}: {row.plugin:,.2f} s with the plugin, '
            f'{row.osc:,.2f} s with openstack volume backup, '
            f'{row.factor:.1f} times as long.'
            for row in measured
        ),
    )
    picture.bar(MARGIN, 14, 14, 10, 'good')
    picture.text(MARGIN + 22, 24, 'this plugin', 'small')
    picture.bar(MARGIN + 120, 14, 14, 10, 'plain')
    picture.text(MARGIN + 142, 24, 'openstack volume backup', 'small')
    y = 34.0
    for row in measured:
        picture.text(MARGIN, y + 17, row.task, 'bold')
        times = f'{row.factor:.1f} times as fast'
        picture.text(WIDTH - MARGIN, y + 17, times, 'small', 'soft', 'end')
        for place, (tone, seconds) in enumerate(
            (('good', row.plugin), ('plain', row.osc))
        ):
            top = y + 24 + 17 * place
            length = _LONGEST * seconds / row.osc
            picture.bar(MARGIN, top, length, 12, tone)
            label = MARGIN + length + 6, top + 11, f'{seconds:,.2f} s'
            picture.text(*label, 'small')
        y += 66
    note = 'Each task has its own scale.'
    picture.text(MARGIN, y + 12, note, 'small', 'soft')
    picture.y = y + 16
    return picture
