# SPDX-License-Identifier: Apache-2.0
"""Each rule over one history, compared with what was read and agreed to."""

import pytest

from tests.unit.retention.golden import DIRECTORY, RULE_SETS, rendered


@pytest.mark.parametrize('name', RULE_SETS)
def test_the_plan_is_the_one_on_file(name: str) -> None:
    assert rendered(RULE_SETS[name]) == (DIRECTORY / f'{name}.txt').read_text()


def test_no_file_is_left_over() -> None:
    assert {path.stem for path in DIRECTORY.iterdir()} == set(RULE_SETS)
