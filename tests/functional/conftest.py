# SPDX-License-Identifier: Apache-2.0
"""A cloud and the command in one line each."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tenacity

from tests.functional.shell import Openstack
from tests.sandbox import Sandbox
from vbsclient.change import verify
from vbsclient.creation import base
from vbsclient.deletion import siblings
from vbsclient.policies.server_runs import ServerPolicyRun
from vbsclient.policies.volume_runs import VolumePolicyRun
from vbsclient.restoring import plan
from vbsclient.waiting import Patience

CloudFactory = Callable[..., Sandbox]

# A shell lets its background jobs ignore Ctrl-C, which they pass on: the
# commands that are tested must hear it all the same.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process no pause is made that only gives a service time."""
    monkeypatch.setattr(siblings, 'SECOND_LOOK', 0.0)
    monkeypatch.setattr(verify, 'SECOND_LOOK', 0.0)
    monkeypatch.setattr(base, 'LOOKS', (0.0,) * len(base.LOOKS))
    monkeypatch.setattr(base.Creation, 'appears_in', 0.0)
    for run in (VolumePolicyRun, ServerPolicyRun):
        monkeypatch.setattr(run, 'appears_in', 0.0)
    monkeypatch.setattr(plan, 'LOOKS', (0.0,) * len(plan.LOOKS))
    monkeypatch.setattr(Patience, 'pause', lambda self, elapsed: 0.05)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between repetitions, which nobody waits for either."""
    made: list[float] = []
    monkeypatch.setattr(
        tenacity, 'sleep_using_event', lambda event: made.append
    )
    return made


@pytest.fixture
def real_pauses(pauses: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """For what needs the time that passes between repetitions."""
    monkeypatch.setattr(
        tenacity, 'sleep_using_event', tenacity.nap.sleep_using_event
    )


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
