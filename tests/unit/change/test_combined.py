# SPDX-License-Identifier: Apache-2.0
"""One request that is that of several targets."""

from dataclasses import dataclass

import pytest

from vbsclient.api import errors
from vbsclient.bulk import State
from vbsclient.change.combined import CombinedRequest
from vbsclient.change.targets import Done, Outcome, Target


@dataclass(eq=False)
class Request(CombinedRequest):
    """Fails for targets whose name is ``bad``."""

    def end_of(self, target: Target) -> Done:
        if target.name == 'bad':
            raise errors.ClientError('bad')
        if target.name == 'stopped':
            raise errors.Cancelled('not sent')
        return Done(None, is_final=True)


def a_request(*names: str) -> Request:
    return Request(
        [Outcome(Target(name, 'x', 'y', name, name)) for name in names]
    )


def test_it_is_sent_once_and_tells_all() -> None:
    request, sent = a_request('one', 'bad', 'two'), []
    one, bad, two = (outcome.target for outcome in request.outcomes)
    for good in (one, two):
        request.send_once(good, lambda: sent.append(1))
    with pytest.raises(errors.ClientError, match='bad'):
        request.send_once(bad, lambda: sent.append(1))
    assert sent == [1]
    states = [outcome.state for outcome in request.outcomes]
    assert states == [State.DONE, State.FAILED, State.DONE]
    assert all(outcome.answered_at for outcome in request.outcomes)


def test_meanwhile_none_is_not_sent() -> None:
    request = a_request('one', 'two')
    seen = []

    def send() -> None:
        seen.extend(outcome.state for outcome in request.outcomes)

    request.send_once(request.outcomes[0].target, send)
    assert seen == [State.UNKNOWN] * 2


def test_what_never_left_is_not_sent_for_any() -> None:
    request = a_request('one', 'two')

    def send() -> None:
        raise errors.Cancelled('not sent')

    with pytest.raises(errors.Cancelled):
        request.send_once(request.outcomes[0].target, send)
    assert {o.state for o in request.outcomes} == {State.NOT_SENT}
    assert {o.started_at for o in request.outcomes} == {None}


def test_one_whose_own_turn_never_came_is_not_sent() -> None:
    request = a_request('one', 'stopped')
    request.send_once(request.outcomes[0].target, lambda: None)
    assert request.outcomes[1].state is State.NOT_SENT
    assert request.outcomes[1].started_at is None
