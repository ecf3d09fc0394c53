# SPDX-License-Identifier: Apache-2.0
"""The wait loop, on a clock that only the test moves."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping

import pytest

from vbsclient.api import errors
from vbsclient.waiting import Patience, ResourceStatus, wait

GOING = ResourceStatus('deleting')
GONE = ResourceStatus(None)


class World:
    """Answers looks from a script, and lets time pass at each pause."""

    def __init__(
        self, *looks: Mapping[str, ResourceStatus] | Exception
    ) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        self.asked: list[set[str]] = []
        self._looks: Iterator[Mapping[str, ResourceStatus] | Exception] = iter(
            looks
        )
        self._last: Mapping[str, ResourceStatus] = {}
        self.stop = _Stop(self)

    def look(self, ids: Collection[str]) -> Mapping[str, ResourceStatus]:
        self.asked.append(set(ids))
        answer = next(self._looks, self._last)
        if isinstance(answer, Exception):
            raise answer
        self._last = answer
        return answer

    def wait(
        self, *ids: str, patience: Patience | None = None
    ) -> Collection[str]:
        gone: set[str] = set()

        def react(seen: Mapping[str, ResourceStatus]) -> Collection[str]:
            gone.update(id for id, s in seen.items() if s.status is None)
            return set(ids) - gone

        return wait(
            set(ids),
            self.look,
            react,
            patience=patience or Patience(),
            stop=self.stop,
            clock=lambda: self.now,
        )


class _Stop(threading.Event):
    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self._world.pauses.append(timeout)
        self._world.now += timeout
        return self.is_set()


def test_it_ends_when_all_are_gone() -> None:
    world = World({'a': GOING, 'b': GOING}, {'a': GONE, 'b': GONE})
    assert not world.wait('a', 'b')
    assert world.asked == [{'a', 'b'}, {'a', 'b'}]


def test_only_what_is_unfinished_is_looked_at() -> None:
    world = World({'a': GONE, 'b': GOING}, {'b': GONE})
    assert not world.wait('a', 'b')
    assert world.asked == [{'a', 'b'}, {'b'}]


def test_nothing_to_watch_asks_nothing() -> None:
    world = World()
    assert not world.wait()
    assert world.asked == []


def test_the_pauses_grow_to_a_ceiling() -> None:
    world = World({'a': GOING})
    assert world.wait('a', patience=Patience(timeout=600)) == {'a'}
    assert world.pauses[:3] == [1.0, 1.0, 1.0]
    assert world.pauses == sorted(world.pauses[:-1]) + world.pauses[-1:]
    assert max(world.pauses) == 15.0


def test_the_time_out_is_that_of_the_whole_wait() -> None:
    world = World({'a': GOING})
    assert world.wait('a', patience=Patience(timeout=30)) == {'a'}
    assert world.now == 30


def test_without_a_time_out_it_lasts_as_long_as_something_happens() -> None:
    ids = [f'id-{number}' for number in range(50)]
    # One goes at each look, which takes longer in all than the patience.
    looks = [
        {id: GONE if place < turn else GOING for place, id in enumerate(ids)}
        for turn in range(1, 51)
    ]
    world = World(*looks)
    assert not world.wait(*ids, patience=Patience(idle=60))
    assert world.now > 60


def test_it_ends_when_nothing_has_happened_for_long() -> None:
    world = World({'a': GOING})
    assert world.wait('a', patience=Patience(idle=60)) == {'a'}
    assert world.now == 60


def test_a_changed_status_is_something_that_happens() -> None:
    world = World(
        *[{'a': ResourceStatus('waiting_delete')}] * 20, *[{'a': GOING}] * 20
    )
    world.wait('a', patience=Patience(idle=60))
    assert world.now > 60


def test_something_new_to_look_at_is_something_that_happens() -> None:
    world = World({'a': GOING})
    watched = {'a'}

    def react(seen: Mapping[str, ResourceStatus]) -> Collection[str]:
        if world.now > 50:
            watched.add('b')
        return frozenset(watched)

    wait(
        watched,
        world.look,
        react,
        patience=Patience(idle=60),
        stop=world.stop,
        clock=lambda: world.now,
    )
    assert world.now > 110


def test_a_look_that_fails_ends_nothing() -> None:
    world = World(
        errors.ConnectionFailed('reset'),
        errors.ServiceUnavailable('busy', status=503),
        {'a': GONE},
    )
    assert not world.wait('a')


def test_looks_that_fail_are_no_change() -> None:
    world = World(*[errors.ConnectionFailed('reset')] * 1000)
    assert world.wait('a', patience=Patience(idle=60)) == {'a'}
    assert world.now == 60


@pytest.mark.parametrize(
    ('refusal', 'ends'),
    [
        (errors.LoginRefused('no valid login'), True),
        (errors.LoginUnanswered('the login failed'), False),
        (errors.Unauthorized('an access rule', status=401), False),
    ],
    ids=['refused', 'unanswered', 'a call'],
)
def test_only_a_login_that_is_refused_ends_it(
    refusal: errors.ClientError, ends: bool
) -> None:
    unknown = errors.Forbidden('not now', status=403)
    world = World({'a': GOING}, unknown, refusal, {'a': GONE})
    left = world.wait('a', patience=Patience())
    assert left == ({'a'} if ends else ())
    assert len(world.asked) == (3 if ends else 4)


def test_an_interruption_ends_it_at_once() -> None:
    world = World({'a': GOING})
    world.stop.set()
    with pytest.raises(errors.Cancelled):
        world.wait('a')
    assert len(world.asked) == 1


def test_an_interrupted_look_is_not_a_failed_one() -> None:
    world = World(errors.Cancelled('stop'))
    with pytest.raises(errors.Cancelled):
        world.wait('a')


def test_what_is_alive_keeps_a_wait_alive() -> None:
    running = {'a': ResourceStatus('creating', is_alive=True)}
    world = World(*[running] * 100, {'a': GONE})
    assert not world.wait('a', patience=Patience(idle=60))
    assert world.now > 600


def test_one_that_is_alive_does_it_for_all() -> None:
    running = {'a': ResourceStatus('creating', is_alive=True), 'b': GOING}
    world = World(*[running] * 30, {'a': GONE, 'b': GOING})
    assert world.wait('a', 'b', patience=Patience(idle=60)) == {'b'}
    assert world.now > 120


def test_what_is_alive_does_not_outlast_a_time_out() -> None:
    world = World({'a': ResourceStatus('creating', is_alive=True)})
    assert world.wait('a', patience=Patience(timeout=30)) == {'a'}
    assert world.now == 30


def test_progress_is_something_that_happens() -> None:
    looks = [
        {'a': ResourceStatus('protecting', progress=percent // 4)}
        for percent in range(400)
    ]
    world = World(*looks, {'a': GONE})
    assert not world.wait('a', patience=Patience(idle=61))
    assert world.now > 1000


def test_progress_that_stands_still_is_not() -> None:
    world = World({'a': ResourceStatus('protecting', progress=50)})
    assert world.wait('a', patience=Patience(idle=60)) == {'a'}
    assert world.now == 60
