# SPDX-License-Identifier: Apache-2.0
"""The pictures are those of today, and anybody can read them."""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from doc.pictures import faults, retention, speed
from doc.pictures.__main__ import FOLDER, PICTURES
from doc.pictures.drawing import INK, STYLES, TONES, Picture
from doc.pictures.recording import FILE as RECORDING
from tests.functional import fault_matrix

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / 'README.rst',
    *sorted((ROOT / 'doc/source').rglob('*.rst')),
]
SVG = '{http://www.w3.org/2000/svg}'
#: The width of a letter, as a part of its size, in the widest usual font.
WIDEST = {('sans', 400): 0.6, ('sans', 700): 0.68, ('mono', 400): 0.62}

drawn = pytest.mark.parametrize(
    'picture', [draw() for draw in PICTURES], ids=lambda p: p.name
)


@drawn
def test_a_picture_is_what_is_drawn_today(picture: Picture) -> None:
    path = FOLDER / f'{picture.name}.svg'
    assert path.read_text() == picture.svg(), 'run: python -m doc.pictures'


def test_there_is_no_picture_that_nothing_draws() -> None:
    names = {f'{draw().name}.svg' for draw in PICTURES}
    assert {p.name for p in FOLDER.iterdir()} == names | {RECORDING.name}


# -- readable --------------------------------------------------------------


@drawn
def test_words_fit_on_a_phone(picture: Picture) -> None:
    assert picture.width <= 420
    for text in ElementTree.fromstring(picture.svg()).iter(f'{SVG}text'):
        words = text.text or ''
        size, weight, family = STYLES[text.attrib['class'].split()[0]]
        width = len(words) * size * WIDEST[family, weight]
        before = {'middle': 0.5, 'end': 1.0}.get(
            text.attrib.get('text-anchor', 'start'), 0.0
        )
        left = float(text.attrib['x']) - before * width
        assert size >= 13, words
        assert left >= 0, words
        assert left + width <= picture.width, words


@drawn
def test_a_picture_says_what_it_shows(picture: Picture) -> None:
    root = ElementTree.fromstring(picture.svg())
    assert root[0].text == picture.title
    assert root[1].text == picture.description


@pytest.mark.parametrize('theme', [0, 1], ids=['light', 'dark'])
def test_words_stand_out(theme: int) -> None:
    paper = INK['paper'][theme]
    for ink in (INK['ink'][theme], INK['soft'][theme]):
        assert contrast(ink, paper) >= 4.5
        for tone in TONES.values():
            assert contrast(ink, tone[theme][0]) >= 4.5
    for tone in TONES.values():
        assert contrast(tone[theme][1], paper) >= 3


def contrast(one: str, other: str) -> float:
    """As the Web Content Accessibility Guidelines compute it."""
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def images() -> Iterator[tuple[Path, str]]:
    """Each picture of a page, and what is said for it."""
    for page in PAGES:
        for name, options in re.findall(
            r'^ *\.\. image:: (\S+)\n((?: +.*\n)*)', page.read_text(), re.M
        ):
            path = (page.parent / name).resolve()
            yield path, options.partition(':alt:')[2].strip()


def test_each_picture_is_on_a_page_with_words_in_its_place() -> None:
    shown = dict(images())
    assert set(shown) == set(FOLDER.iterdir())
    assert all(shown.values())


# -- true ------------------------------------------------------------------


def test_the_calendar_shows_what_its_page_tells() -> None:
    page = ' '.join(
        (ROOT / 'doc/source/user/retention.rst').read_text().split()
    )
    days = retention.reasons()
    kept = sum(bool(why) for why in days.values())
    assert f'Of {len(days)} backups {kept} are kept.' in page
    rules = ' '.join(
        f'--keep-{rule.period.name} {rule.count}' for rule in retention.RULES
    )
    assert f'``{rules}``' in page


def test_the_bars_are_those_of_both_tables() -> None:
    page = speed.PAGE.read_text()
    rows = list(speed.rows(page))
    factors = re.findall(r'^     - (\d+\.\d)$', page, re.M)
    assert [f'{row.factor:.1f}' for row in rows] == factors[: len(rows)]
    readme = (ROOT / 'README.rst').read_text()
    table = {
        line[0]: line[1:]
        for line in re.findall(
            r'^(\w.+?)  +([\d.,]+) s +([\d.,]+) s +([\d.]+)$', readme, re.M
        )
    }
    assert table
    figures = {
        row.task: (
            f'{row.plugin:,.2f}',
            f'{row.osc:,.2f}',
            f'{row.factor:.1f}',
        )
        for row in rows
    }
    assert table.items() <= figures.items()


@pytest.mark.parametrize(
    ('cell', 'look'),
    [
        ('accepted, 0', ('good', '✓')),
        ('sent 2 times, deleted, 0', ('good', '✓2')),
        ('sent 12 times, failed, 1', ('bad', '✗12')),
        ('failed, 1; the rest is not sent', ('bad', '✗!')),
        ('sent 5 times, unknown, 1', ('unsure', '?5')),
        ('nothing sent, 1', ('bad', '✗')),
        ('no list, 1', ('bad', '✗')),
        ('goes on', ('good', '✓')),
        ('', ('plain', '')),
    ],
)
def test_a_cell_has_a_symbol_beside_its_color(
    cell: str, look: tuple[str, str]
) -> None:
    assert faults.look_of(cell) == look


def test_what_is_good_has_exit_status_0() -> None:
    for row in fault_matrix.deletion_rows():
        for cell in row[1:]:
            good = faults.look_of(cell)[0] == 'good'
            assert good == cell.endswith(', 0'), cell
