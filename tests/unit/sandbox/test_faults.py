# SPDX-License-Identifier: Apache-2.0
"""Deliberate faults, and many concurrent requests."""

import asyncio
import threading
from typing import Any

import pytest
import requests

from tests.sandbox import Fault, Sandbox
from tests.sandbox.faults import failures, pick
from tests.sandbox.server import LoggedRequest
from tests.unit.sandbox.conftest import Api, Cloud


def deletion(api: Api) -> tuple[str, str]:
    backup = api.sandbox.state.add_backup()
    return backup.id, f'/vbs/v2/{{P}}/backups/{backup.id}'


def test_status_without_acting(cloud: Cloud) -> None:
    fault = Fault(
        'status',
        method='DELETE',
        status=503,
        body='{"a": 1}',
        headers={'Retry-After': '1'},
    )
    api = cloud(faults=[fault])
    backup_id, path = deletion(api)
    answer = api.delete(path)
    assert answer.status_code == 503
    assert answer.json() == {'a': 1}
    assert answer.headers['Retry-After'] == '1'
    assert backup_id in api.sandbox.state.backups
    assert api.delete(path).status_code == 202


def test_status_after_acting(cloud: Cloud) -> None:
    api = cloud(faults=[Fault('status', method='DELETE', acts=True)])
    backup_id, path = deletion(api)
    assert api.delete(path).status_code == 500
    assert backup_id not in api.sandbox.state.backups


@pytest.mark.parametrize(
    ('action', 'stays'), [('reset-before', True), ('reset-after', False)]
)
def test_resets(cloud: Cloud, action: str, stays: bool) -> None:
    api = cloud(faults=[Fault(action, method='DELETE')])
    backup_id, path = deletion(api)
    with pytest.raises(requests.ConnectionError):
        api.delete(path)
    assert (backup_id in api.sandbox.state.backups) is stays
    assert api.sandbox.requests[-1].status == 0


def test_hang(cloud: Cloud) -> None:
    api = cloud(faults=[Fault('hang', method='DELETE', seconds=0.01)])
    backup_id, path = deletion(api)
    with pytest.raises(requests.ConnectionError):
        api.delete(path)
    assert backup_id in api.sandbox.state.backups


def test_a_hanging_request_does_not_delay_the_end() -> None:
    arrived = threading.Event()

    class Eager(Fault):
        def strikes(self, method: str, target: str) -> bool:
            arrived.set()
            return True

    with Sandbox(faults=[Eager('hang', seconds=600)]) as sandbox:

        def ask() -> None:
            with pytest.raises(requests.ConnectionError):
                requests.get(sandbox.url, timeout=30)

        asking = threading.Thread(target=ask)
        asking.start()
        assert arrived.wait(5)
    asking.join(5)
    assert not asking.is_alive()


def test_truncate(cloud: Cloud) -> None:
    api = cloud(faults=[Fault('truncate', path='/backups')])
    answer = api.get('/vbs/v2/{P}/backups')
    assert answer.status_code == 200
    with pytest.raises(ValueError, match='line 1 column'):
        answer.json()


def test_break_off(cloud: Cloud) -> None:
    api = cloud(faults=[Fault('break-off', path='/vbs/', times=2)])
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        api.get('/vbs/v2/{P}/backups')
    backup_id, path = deletion(api)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        api.delete(path)
    assert backup_id not in api.sandbox.state.backups


def test_leave(cloud: Cloud) -> None:
    api = cloud(faults=[Fault('leave', method='DELETE')])
    backup_id, path = deletion(api)
    crowd(api, 5)
    assert api.get('/vbs/v2/{P}/backups').status_code == 200
    answer = api.delete(path)
    assert answer.status_code == 202
    # Or the next request might still be sent on this connection.
    assert answer.headers['Connection'] == 'close'
    assert backup_id not in api.sandbox.state.backups
    seen = len(api.sandbox.requests)
    with pytest.raises(requests.ConnectionError, match='refused'):
        api.get('/vbs/v2/{P}/backups')
    assert len(api.sandbox.requests) == seen


def test_body(cloud: Cloud) -> None:
    fault = Fault('body', path='/backups', body=b'[1]')
    api = cloud(faults=[fault])
    assert api.get('/vbs/v2/{P}/backups').json() == [1]


def test_which_requests_are_hit() -> None:
    fault = Fault('status', method='GET', path=r'/a\?x=1$', skip=1, times=2)
    asked = [('GET', '/a?x=1')] * 5
    hits = [pick([fault], *one) is not None for one in asked]
    assert hits == [False, True, True, False, False]
    assert pick([fault], 'POST', '/a?x=1') is None
    assert fault.seen == 5


def test_probability_is_repeatable() -> None:
    def run() -> list[bool]:
        fault = Fault('status', times=None, probability=0.5, seed=3)
        return [fault.strikes('GET', '/') for _ in range(50)]

    assert run() == run()
    assert 10 < sum(run()) < 40


def test_a_part_of_all_requests_fails_in_three_ways() -> None:
    rules = failures(0.3)
    for _ in range(3000):
        pick(rules, 'DELETE', '/vbs/v2/p/backups/x')
    assert all(250 < rule.hits < 350 for rule in rules)
    assert {rule.action for rule in rules} == {
        'status',
        'reset-before',
        'reset-after',
    }
    assert pick(failures(1.0), 'POST', '/identity/v3/auth/tokens') is None
    assert pick(failures(1.0), 'GET', '/vbs/v2/p/backups/x') is not None


def test_unknown_actions_are_refused() -> None:
    with pytest.raises(ValueError, match='explode'):
        Fault('explode')


def crowd(api: Api, size: int) -> list[requests.Response]:
    """So many concurrent requests."""
    answers: list[requests.Response] = []
    headers = {'X-Auth-Token': str(api.session.headers['X-Auth-Token'])}
    path = f'{api.sandbox.url}/vbs/v2/{api.sandbox.project_id}/backups'

    def ask() -> None:
        answers.append(requests.get(path, headers=headers, timeout=10))

    threads = [threading.Thread(target=ask) for _ in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_too_many_at_once(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = cloud(max_concurrent=3, retry_after='2', latency=1)
    arrived = 0

    async def until_all_are_there(seconds: float) -> None:
        nonlocal arrived
        arrived += 1
        while arrived < 8:
            await real_sleep(0)

    real_sleep = asyncio.sleep
    monkeypatch.setattr(asyncio, 'sleep', until_all_are_there)
    answers = crowd(api, 8)
    refused = [one for one in answers if one.status_code == 429]
    assert len(refused) == 5
    assert refused[0].headers['Retry-After'] == '2'


def test_slow_requests_are_served_concurrently(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All 64 are sent before the first is answered: no threads."""
    api = cloud(latency=1)
    waits: list[float] = []
    real_sleep = asyncio.sleep

    async def until_all_are_there(seconds: float) -> None:
        waits.append(seconds)
        while len(waits) < 64:
            await real_sleep(0)

    monkeypatch.setattr(asyncio, 'sleep', until_all_are_there)
    answers = crowd(api, 64)
    assert [one.status_code for one in answers] == [200] * 64
    assert waits == [1.0] * 64


def test_keystone_has_no_latency(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(seconds: float) -> None:
        raise AssertionError

    api = cloud(latency=1)
    monkeypatch.setattr(asyncio, 'sleep', never)
    assert api.log_in().status_code == 201


def test_the_log(cloud: Cloud) -> None:
    api = cloud()
    _, path = deletion(api)
    api.delete(path)
    api.raw('GET', '/vbs/v2/{P}/backups/../x%2Fy?a=%20b')
    project = api.sandbox.project_id
    wanted = path.replace('{P}', project)
    assert api.sandbox.deletes() == [f'DELETE {wanted}']
    assert api.sandbox.service_requests() == [
        f'DELETE {wanted}',
        f'GET /vbs/v2/{project}/backups/../x%2Fy?a=%20b',
    ]
    logged = api.sandbox.requests[1]
    assert isinstance(logged, LoggedRequest)
    assert (logged.service, logged.project) == ('vbs', project)
    assert logged.status == 202
    assert logged.token
    assert logged.user_agent.startswith('python-requests')
    assert logged.finished >= logged.started
    api.sandbox.clear_log()
    assert api.sandbox.requests == []


def test_a_callback_gets_each_finished_request() -> None:
    told: list[Any] = []
    with Sandbox(on_finished=told.append) as sandbox:
        requests.get(sandbox.url, timeout=5)
    assert [str(one) for one in told] == ['GET /']
