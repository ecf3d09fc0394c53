# SPDX-License-Identifier: Apache-2.0
"""What is promised to users does not change by accident."""

from tests.unit import promises


def test_what_is_promised_is_what_is_on_file() -> None:
    assert promises.rendered() == promises.FILE.read_text()
