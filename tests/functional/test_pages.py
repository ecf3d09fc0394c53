# SPDX-License-Identifier: Apache-2.0
"""What the README and the how-tos show is what comes out."""

from pathlib import Path

import pytest

from tests.functional.pages import Walk, shown, steps_of

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
