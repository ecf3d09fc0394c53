# SPDX-License-Identifier: Apache-2.0
"""A session and a catalog in one line, and no waiting."""

import os
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.unit.fakes import FakeCloud

# Speed is not what these tests are about, and the machine may be busy.
settings.register_profile(
    'unit', deadline=None, max_examples=60, print_blob=True
)
settings.register_profile(
    'thorough',
    settings.get_profile('unit'),
    max_examples=1500,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile(os.environ.get('HYPOTHESIS_PROFILE', 'unit'))


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repetitions follow at once."""
    monkeypatch.setattr('vbsclient.api.http._wait', lambda state: 0.0)


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
