# SPDX-License-Identifier: Apache-2.0
"""No rule is applied by a clock that is far off."""

import logging
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from osc_lib import exceptions

from vbsclient.osc.command.clock import refuse_wrong_clock, warn_of_wrong_clock


def client(minutes: float | None) -> Any:
    """One whose service is so far ahead."""
    offset = None if minutes is None else timedelta(minutes=minutes)
    return SimpleNamespace(transport=SimpleNamespace(clock_offset=offset))


@pytest.mark.parametrize(
    ('minutes', 'said'),
    [
        ((), 'not compared'),
        ((None, None), 'not compared'),
        ((0.0,), ''),
        ((4.9, -4.9), ''),
        ((5.1,), 'rules go by this machine'),
        ((0.0, -59.0), 'rules go by this machine'),
        ((0.0, 61.0), None),
        ((-61.0, None), None),
        ((576000.0,), None),
        ((-1e9,), None),
        ((-1e10,), None),
    ],
)
def test_rules(
    minutes: tuple[float | None, ...],
    said: str | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    clients = [client(number) for number in minutes]
    if said is None:
        with pytest.raises(exceptions.CommandError, match='Nothing was del'):
            refuse_wrong_clock(clients)
        return
    refuse_wrong_clock(clients)
    assert said in caplog.text
    assert bool(said) == bool(caplog.text)


@pytest.mark.parametrize(
    ('minutes', 'said'), [(None, False), (59.0, False), (-61.0, True)]
)
def test_ages(
    minutes: float | None, said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    warn_of_wrong_clock([client(minutes)])
    assert ('ages such as 30d' in caplog.text) == said
