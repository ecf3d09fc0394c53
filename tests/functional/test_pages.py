# SPDX-License-Identifier: Apache-2.0
"""What the README and the how-tos show is what comes out."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from tests.functional.pages import WIDTH, Walk, shown, steps_of

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / 'README.rst',
    *sorted((ROOT / 'doc/source/user/howto').glob('*.rst')),
]


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.stem)
def test_a_page_shows_what_comes_out(page: Path, tmp_path: Path) -> None:
    steps = steps_of(page)
    assert steps
    with Walk(tmp_path) as walk:
        for step in steps:
            said = walk.take(step)
            assert walk.told(said) == shown(step), f'{step}\n{said}'


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.stem)
def test_a_message_has_the_lines_of_the_terminal(page: Path) -> None:
    for step in steps_of(page):
        messages = () if step.python else step.shown
        for line, following in pairwise(messages):
            assert len(line) <= WIDTH, line
            begun = re.match(r'[A-Z](?!.*[.:]$|.*\[y/N\])', line)
            if begun and len(line) > WIDTH / 2:
                word, _, _ = following.partition(' ')
                room = WIDTH - len(line) - 1
                assert len(word) > room or word.startswith('+'), line
