# SPDX-License-Identifier: Apache-2.0
"""Values as a person reads them."""

from __future__ import annotations

from typing import Any

import pytest

from vbsclient.osc.output.columns import Megabytes


@pytest.mark.parametrize(
    ('size', 'shown'),
    [
        (None, ''),
        (0, '0 MB'),
        (1023, '1023 MB'),
        (1536, '1.5 GB'),
        (-2048, '-2 GB'),
        (3 * 1024**3, '3072 TB'),
        # What no number should be, as a service may answer it.
        ('20480', '20480'),
        ('a\x1blot', r'a\x1blot'),
        ([1], '[1]'),
    ],
)
def test_a_size_in_megabytes_has_a_unit_in_which_it_is_short(
    size: Any, shown: str
) -> None:
    assert Megabytes(size).human_readable() == shown
