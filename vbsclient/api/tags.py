# SPDX-License-Identifier: Apache-2.0
"""Tags as requests of both services carry them."""

from __future__ import annotations

from collections.abc import Mapping


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """The list of ``{key, value}`` that the wire has."""
    return [{'key': key, 'value': value} for key, value in tags.items()]
