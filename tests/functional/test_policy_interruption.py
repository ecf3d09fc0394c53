# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C while members of a policy change, and while a policy runs."""

import json
import re
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.policy_wire import policy_requests
from tests.functional.shell import Openstack
from tests.functional.targets import commands_in
from tests.functional.test_interruption import SOON, finish, groups
from tests.sandbox import Fault, LoggedRequest, Sandbox

ROOM = {'catalog': 'vbs+volumev3'}


def _volumes(c: Sandbox) -> tuple[str, list[str]]:
    ids = [c.state.add_volume(f'v{n}').id for n in range(85)]
    return c.state.volume_policies.add(c.project_id, 'weekly').id, ids


def _servers(c: Sandbox) -> tuple[str, list[str]]:
    ids = [c.state.add_server(f's{n}').id for n in range(3)]
    return c.state.add_plan('weekly').id, ids


class Seen:
    """Tells when so many requests of a kind have come."""

    def __init__(self, pattern: str, count: int = 1) -> None:
        self._pattern, self._left = pattern, count
        self._event = threading.Event()

    def __call__(self, request: LoggedRequest) -> None:
        if re.search(self._pattern, str(request)):
            self._left -= 1
            if self._left <= 0:
                self._event.set()

    def wait(self) -> None:
        assert self._event.wait(30), f'{self._pattern} never came'


def _await_request(c: Sandbox, pattern: str) -> None:
    """Until a request has come that is not answered yet."""
    deadline = time.monotonic() + 30
    while not any(re.search(pattern, str(one)) for one in list(c.requests)):
        assert time.monotonic() < deadline, f'{pattern} never came'
        time.sleep(0.01)


@pytest.mark.parametrize(
    ('words', 'prepare', 'pattern', 'path'),
    [
        (
            'vbs backup policy add volume',
            _volumes,
            'POST .*backuppolicyresources',
            'backuppolicyresources',
        ),
        ('csbs policy add server', _servers, 'PUT ', 'policies'),
    ],
    ids=['volumes', 'servers'],
)
def test_what_is_not_answered_is_unknown_and_the_rest_not_sent(
    cloud: CloudFactory,
    openstack: Openstack,
    words: str,
    prepare: Callable[[Sandbox], tuple[str, list[str]]],
    pattern: str,
    path: str,
) -> None:
    c = cloud(**ROOM)
    policy, ids = prepare(c)
    method = pattern.partition(' ')[0]
    c.knobs.faults.append(Fault('hang', method, path, times=None))
    process = openstack.start(*words.split(), policy, *ids, '-f', 'json')
    _await_request(c, pattern)
    process.send_signal(signal.SIGINT)
    seconds, stdout, stderr = finish(process)
    assert process.returncode == 130
    assert seconds < SOON
    told = groups(stderr)
    assert tuple(told) == ('accepted', 'failed', 'unknown', 'not sent')
    show = words.partition(' add')[0] + ' show'
    assert [line.partition(': ')[0] for line in told['unknown']] == ids[:40]
    assert all(
        line.endswith(f': openstack {show} {policy}')
        for line in told['unknown']
    )
    assert told['not sent'] == ids[40:]
    assert {row['Result'] for row in json.loads(stdout)} <= {
        'unknown',
        'not sent',
    }
    assert len(policy_requests(c)) == 1


def test_a_policy_whose_volumes_are_not_answered_is_to_be_looked_at(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**ROOM)
    volume = c.state.add_volume('one')
    path = 'backuppolicyresources'
    c.knobs.faults.append(Fault('hang', 'POST', path, times=None))
    process = openstack.start(
        *('vbs', 'backup', 'policy', 'create', '--at', '02:00'),
        *('--every', '1d', '--keep-last', '7', '--volume', volume.id),
        'nightly',
    )
    _await_request(c, f'POST .*{path}')
    process.send_signal(signal.SIGINT)
    seconds, stdout, stderr = finish(process)
    assert (process.returncode, stdout) == (130, '')
    assert seconds < SOON
    [policy] = [
        policy.id
        for policy in c.state.volume_policies.of_project(c.project_id).values()
        if policy.name == 'nightly'
    ]
    assert groups(stderr)['unknown'] == [
        f'{policy}: openstack vbs backup policy show {policy}'
    ]


def test_a_policy_without_its_volumes_names_them(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    """It is answered after Ctrl-C, and nothing more is sent."""

    def interrupt(request: LoggedRequest) -> None:
        if re.search('POST .*backuppolicy$', str(request)):
            process.send_signal(signal.SIGINT)
            time.sleep(1.0)

    c = cloud(on_finished=interrupt, **ROOM)
    volume = c.state.add_volume('one')
    create = (
        *('vbs', 'backup', 'policy', 'create', '--at', '02:00'),
        *('--every', '1d', '--keep-last', '7', '--volume', volume.id),
        'nightly',
    )
    process = openstack.start(*create)
    _, _, stderr = finish(process)
    assert process.returncode == 130
    assert policy_requests(c)[1:] == []
    [command] = [one for one in commands_in(stderr) if 'add' in one]
    assert command[:5] == ['vbs', 'backup', 'policy', 'add', 'volume']
    assert command[-1] == volume.id


@pytest.mark.parametrize(
    ('words', 'look'),
    [
        ('vbs backup policy execute', 'vbs backup policy task list'),
        ('csbs policy execute', 'csbs checkpoint show --wait'),
    ],
)
def test_an_interrupted_wait_names_the_command_that_shows_the_rest(
    cloud: CloudFactory, openstack: Openstack, words: str, look: str
) -> None:
    seen = Seen('GET .*(backuptasks|checkpoint_id=)', 2)
    c = cloud(creation='hangs', creation_time=60, on_finished=seen, **ROOM)
    prepared: Any = (_volumes if words.startswith('vbs') else _servers)(c)
    policy, ids = prepared[0], prepared[1][:3]
    if words.startswith('vbs'):
        c.state.volume_policies.of_project(c.project_id)[
            policy
        ].volume_ids = ids
    else:
        c.state.plans[policy].body['resources'] = [
            {'id': id, 'type': 'OS::Nova::Server', 'name': id} for id in ids
        ]
    process = openstack.start(*words.split(), policy, '--wait')
    seen.wait()
    process.send_signal(signal.SIGINT)
    seconds, _, stderr = finish(process)
    assert process.returncode == 130
    assert seconds < SOON
    [command] = {' '.join(words) for words in commands_in(stderr)}
    assert command.startswith(look)
    assert len(groups(stderr)['accepted']) in (1, 3)
    assert len(policy_requests(c)) == 1
