# SPDX-License-Identifier: Apache-2.0
"""No more DELETEs in a second than were asked for."""

import threading
from typing import Any

import pytest

from vbsclient.api import errors
from vbsclient.api.http import Receipt
from vbsclient.change.pace import PacedRecorder
from vbsclient.change.targets import Recorder, Target

TARGET: Target = Target('x', 'backup', 'VBS')


class Stop(threading.Event):
    """Notes how long somebody waits, and lets that time pass."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0.0)
        self.now += timeout or 0.0
        return self.is_set()


def send() -> Receipt:
    return Receipt(202, None, 1)


def test_they_are_spaced() -> None:
    stop = Stop()
    paced = PacedRecorder(Recorder(), 5, stop, lambda: stop.now)
    for _ in range(4):
        paced.record(TARGET, 'delete', send)
    assert stop.waits == pytest.approx([0.0, 0.2, 0.2, 0.2])


def test_idle_time_is_not_saved_up() -> None:
    stop = Stop()
    paced = PacedRecorder(Recorder(), 5, stop, lambda: stop.now)
    stop.now += 60
    for _ in range(3):
        paced.record(TARGET, 'delete', send)
    assert stop.waits == pytest.approx([0.0, 0.2, 0.2])


def test_an_interruption_ends_the_wait_and_nothing_is_sent() -> None:
    stop = Stop()
    paced = PacedRecorder(Recorder(), 5, stop, lambda: stop.now)
    stop.set()
    with pytest.raises(errors.Cancelled):
        paced.record(TARGET, 'delete', lambda: pytest.fail('sent'))


def test_who_has_waited_for_a_turn_does_not_wait_again() -> None:
    stop = Stop()
    paced = PacedRecorder(Recorder(), 5, stop, lambda: stop.now)
    for _ in range(3):
        paced.await_turn()
        waits = len(stop.waits)
        paced.record(TARGET, 'set', send)
        assert len(stop.waits) == waits
    paced.record(TARGET, 'set', send)
    assert stop.waits == pytest.approx([0.0, 0.2, 0.2, 0.2])
    stop.set()
    with pytest.raises(errors.Cancelled):
        paced.await_turn()


def test_what_is_replaced_is_passed_on() -> None:
    seen = []

    class Keeper(Recorder):
        def record(
            self, target: Any, action: Any, send: Any, **more: Any
        ) -> Any:
            seen.append(more)
            return send()

    stop = Stop()
    paced = PacedRecorder(Keeper(), 5, stop, lambda: stop.now)
    paced.record(TARGET, 'set', send, before={'name': 'nightly'})
    assert seen == [{'before': {'name': 'nightly'}}]
