# SPDX-License-Identifier: Apache-2.0
"""A cloud in one line, and no waiting."""

from collections.abc import Callable, Iterator

import pytest

from tests.unit.fakes import FakeCloud
from tests.unit.world import World


@pytest.fixture(autouse=True)
def _nothing_appears_late() -> Iterator[None]:
    # Not with the fixture, which would then outlast all others of a test.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('vbsclient.creation.base.Creation.appears_in', 0.0)
        yield


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repetitions follow at once."""
    monkeypatch.setattr('vbsclient.api.http._wait', lambda state: 0.0)
    monkeypatch.setattr('vbsclient.change.verify.SECOND_LOOK', 0.0)


@pytest.fixture
def fake_cloud(no_waiting: None) -> Iterator[Callable[..., FakeCloud]]:
    """Make a session on mocked HTTP: ``fake_cloud({'vbs': URL})``."""
    made: list[FakeCloud] = []

    def make(*arguments: object, **keywords: object) -> FakeCloud:
        made.append(FakeCloud(*arguments, **keywords))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for cloud in made:
        cloud.session.session.close()


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
