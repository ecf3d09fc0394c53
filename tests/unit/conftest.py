# SPDX-License-Identifier: Apache-2.0
"""A session and a catalog in one line, and no waiting."""

from collections.abc import Callable, Iterator

import pytest

from tests.unit.fakes import FakeCloud


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repetitions follow at once."""
    monkeypatch.setattr('vbsclient.api.http._wait', lambda state: 0.0)
    monkeypatch.setattr('vbsclient.deletion.judgement.SECOND_LOOK', 0.0)


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
