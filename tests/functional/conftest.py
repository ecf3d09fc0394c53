# SPDX-License-Identifier: Apache-2.0
"""A cloud and the command in one line each."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.functional.shell import Openstack
from tests.sandbox import Sandbox
from vbsclient.change import verify
from vbsclient.deletion import siblings

CloudFactory = Callable[..., Sandbox]

# A shell lets its background jobs ignore Ctrl-C, which they hand on: the
# commands that are tested must hear it all the same.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _no_second_look_to_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Siblings are read again at once, and not some seconds later."""
    monkeypatch.setattr(siblings, 'SECOND_LOOK', 0.0)


@pytest.fixture(autouse=True)
def _second_look_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a refused DELETE may have begun is looked at without a pause."""
    monkeypatch.setattr(verify, 'SECOND_LOOK', 0.0)


@pytest.fixture
def openstack(tmp_path: Path) -> Openstack:
    """The command; it talks to the cloud that was started last."""
    return Openstack(tmp_path)


@pytest.fixture
def cloud(openstack: Openstack) -> Iterator[CloudFactory]:
    """Start a sandbox with some knobs."""
    running: list[Sandbox] = []

    def start(**knobs: Any) -> Sandbox:
        sandbox = Sandbox(**knobs).start()
        running.append(sandbox)
        openstack.cloud = sandbox
        return sandbox

    yield start
    for sandbox in running:
        sandbox.stop()
