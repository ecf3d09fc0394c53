# SPDX-License-Identifier: Apache-2.0
"""Both services in one line: ``world()``."""

from collections.abc import Callable, Iterator

import pytest

from tests.unit.deletion.world import World


@pytest.fixture
def world(no_waiting: None) -> Iterator[Callable[..., World]]:
    """Make a :class:`World`."""
    made: list[World] = []

    def make(**options: object) -> World:
        made.append(World(**options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.cloud.session.session.close()
