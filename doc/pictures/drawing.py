# SPDX-License-Identifier: Apache-2.0
"""Boxes, arrows and words, as SVG for a phone and for light and dark.

Words stay words, for readers and for search.  A unit is a pixel where there
is room; :data:`WIDTH` fits a phone, so that it is nearly one there as well.
A tone is never the only sign: beside it there is a word or a symbol.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape

WIDTH = 360
MARGIN = 8
#: The size of the smallest words.
SMALL = 13

#: The colors of words and of the paper: in light, in dark.
INK = {
    'ink': ('#1d2430', '#e8ecf2'),
    'soft': ('#535c6b', '#a9b3c1'),
    'paper': ('#ffffff', '#12161d'),
}
#: A tone of a box, or of a word on it: light fill and edge, dark ones.
TONES = {
    'plain': (('#f4f5f8', '#7c8594'), ('#1e242e', '#76808f')),
    'good': (('#dcf3e2', '#217a3c'), ('#153524', '#4bb56c')),
    'bad': (('#fce4e2', '#b3261e'), ('#441c1d', '#ef7068')),
    'unsure': (('#fbf0c8', '#8a6100'), ('#3a2e0c', '#d6a53a')),
    'csbs': (('#e0eefb', '#1f66b0'), ('#142c46', '#63a5e8')),
    'vbs': (('#f1e8fb', '#7446b8'), ('#2c2145', '#b08ee6')),
}
#: How words are set: size, weight, family.
STYLES = {
    'title': (15, 700, 'sans'),
    'bold': (14, 700, 'sans'),
    'text': (14, 400, 'sans'),
    'small': (SMALL, 400, 'sans'),
    'code': (SMALL, 400, 'mono'),
}
FAMILIES = {
    'sans': 'system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif',
    'mono': 'ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace',
}


def colors(dark: bool) -> Iterator[str]:
    """The rules of one theme; a class for each use of each color."""
    for name, ink in INK.items():
        yield f'.{name}{{fill:{ink[dark]}}}'
    yield f'.line{{stroke:{INK["soft"][dark]};fill:none}}'
    for name, tone in TONES.items():
        fill, edge = tone[dark]
        yield f'.{name}{{fill:{fill};stroke:{edge}}}'
        yield f'.{name}-edge{{fill:{edge}}}'


def style_sheet() -> str:
    """What all pictures have in common."""
    rules = [
        f'.{name}{{font:{weight} {size}px {FAMILIES[family]}}}'
        for name, (size, weight, family) in STYLES.items()
    ]
    rules.append('.struck{text-decoration:line-through}')
    rules += colors(dark=False)
    dark = '\n'.join(colors(dark=True))
    rules.append(f'@media (prefers-color-scheme:dark){{\n{dark}\n}}')
    return '\n'.join(rules)


@dataclass
class Picture:
    """One picture, drawn from the top to the bottom.

    :ivar name: of the file.
    :ivar description: what it says, for those who do not see it.
    :ivar y: how far it is drawn.
    """

    name: str
    title: str
    description: str
    width: int = WIDTH
    y: float = MARGIN
    _parts: list[str] = field(default_factory=list)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        style: str = 'text',
        color: str = 'ink',
        anchor: str = 'start',
    ) -> None:
        """Words on a baseline."""
        self._parts.append(
            f'<text class="{style} {color}" x="{x:g}" y="{y:g}"'
            + (f' text-anchor="{anchor}"' if anchor != 'start' else '')
            + f'>{escape(words, quote=False)}</text>'
        )

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        tone: str = 'plain',
        *lines: str,
        styles: tuple[str, ...] = ('bold', 'small'),
    ) -> None:
        """A frame, with lines in its middle: the first is its name."""
        self._parts.append(
            f'<rect class="{tone}" x="{x:g}" y="{y:g}" width="{width:g}" '
            f'height="{height:g}" rx="6"/>'
        )
        baseline = y + height / 2 + 5 - 9 * (len(lines) - 1)
        for place, line in enumerate(lines):
            self.text(
                x + width / 2,
                baseline + 18 * place,
                line,
                styles[min(place, len(styles) - 1)],
                anchor='middle',
            )

    def bar(
        self, x: float, y: float, width: float, height: float, tone: str
    ) -> None:
        """A length."""
        self._parts.append(
            f'<rect class="{tone}-edge" x="{x:g}" y="{y:g}" '
            f'width="{width:.5g}" height="{height:g}"/>'
        )

    def line(self, *points: tuple[float, float]) -> None:
        """A line from point to point."""
        path = 'L'.join(f'{x:g} {y:g}' for x, y in points)
        self._parts.append(f'<path class="line" d="M{path}"/>')

    def arrow(self, *points: tuple[float, float]) -> None:
        """A line with a head at its last point; that part is straight."""
        self.line(*points)
        (x0, y0), (x, y) = points[-2:]
        dx, dy = (x > x0) - (x < x0), (y > y0) - (y < y0)
        back = [
            (x - 7 * dx + 4 * side * dy, y - 7 * dy + 4 * side * dx)
            for side in (1, -1)
        ]
        head = 'L'.join(f'{a:g} {b:g}' for a, b in [(x, y), *back])
        self._parts.append(f'<path class="soft" d="M{head}z"/>')

    def svg(self) -> str:
        """The file."""
        width, height = self.width, round(self.y + MARGIN)
        parts = '\n'.join(self._parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
            f'height="{height}" viewBox="0 0 {width} {height}" role="img" '
            f'aria-labelledby="t d">\n'
            f'<title id="t">{escape(self.title)}</title>\n'
            f'<desc id="d">{escape(self.description)}</desc>\n'
            f'<style>\n{style_sheet()}\n</style>\n'
            f'<rect class="paper" width="{width}" height="{height}"/>\n'
            f'{parts}\n</svg>\n'
        )
