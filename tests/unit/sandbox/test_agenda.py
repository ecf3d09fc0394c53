# SPDX-License-Identifier: Apache-2.0
"""What is to happen later."""

from tests.sandbox.agenda import Agenda
from tests.unit.sandbox.conftest import Clock


def test_what_is_due_is_done_in_order(clock: Clock) -> None:
    agenda = Agenda(clock)
    done: list[str] = []
    agenda.add(2, lambda: done.append('second'))
    agenda.add(1, lambda: done.append('first'))
    agenda.add(2, lambda: done.append('third'))
    agenda.add(3, lambda: done.append('too late'))
    clock.advance(2)
    agenda.run_due()
    agenda.run_due()
    assert done == ['first', 'second', 'third']


def test_what_is_added_meanwhile_is_done_if_it_is_due(clock: Clock) -> None:
    agenda = Agenda(clock)
    done: list[str] = []
    agenda.add(0, lambda: agenda.add(0, lambda: done.append('next')))
    agenda.run_due()
    assert done == ['next']
