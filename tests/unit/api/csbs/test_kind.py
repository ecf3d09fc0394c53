# SPDX-License-Identifier: Apache-2.0
"""CSBS or a Karbor: decided by several answers, never by one."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.fakes import FakeCloud
from vbsclient.api import errors
from vbsclient.api.csbs import CSBS_PROVIDER, NoServerBackups, ServerBackups
from vbsclient.api.http import Transport
from vbsclient.api.values import Known

URL = 'https://csbs.example/v1/p'
ITEMS = f'{URL}/checkpoint_items'
PROVIDERS = f'{URL}/providers'
CHECKPOINTS = f'{PROVIDERS}/{CSBS_PROVIDER}/checkpoints'
OTHER = 'cf56bd3e-97a7-4078-b6d5-f36246333fd9'

MakeCloud = Callable[..., FakeCloud]

OK: dict[str, Any] = {'json': {'checkpoint_items': []}}
LOST: dict[str, Any] = {'status_code': 404, 'text': '<html>gateway</html>'}
OWN = {'json': {'providers': [{'id': OTHER, 'name': 'OS Infra Provider'}]}}
CSBS = {'json': {'providers': [{'id': CSBS_PROVIDER.upper(), 'name': 1}]}}
LISTED = {'json': {'checkpoints': []}}


def items(cloud: FakeCloud) -> ServerBackups:
    return ServerBackups(Transport(cloud.session), URL)


@pytest.mark.parametrize(
    ('answers', 'requests'),
    [([OK], 1), ([LOST, OK], 3)],
    ids=['at once', 'after one 404'],
)
def test_a_list_that_answers_is_csbs(
    fake_cloud: MakeCloud, answers: Any, requests: int
) -> None:
    cloud = fake_cloud()
    cloud.on('GET', ITEMS, *answers)
    assert list(items(cloud).list()) == []
    assert len(cloud.sent()) == requests


@pytest.mark.parametrize(
    ('checkpoints', 'providers', 'has_csbs'),
    [
        (LOST, OWN, Known.NO),
        (LOST, {'json': {'providers': []}}, Known.NO),
        (LOST, CSBS, Known.UNKNOWN),
        ({'status_code': 403}, OWN, Known.UNKNOWN),
        ({'text': 'welcome'}, OWN, Known.UNKNOWN),
        (LISTED, LOST, Known.YES),
        (LISTED, OWN, Known.YES),
    ],
)
def test_a_karbor_answers_at_routes_of_its_own(
    fake_cloud: MakeCloud, checkpoints: Any, providers: Any, has_csbs: Known
) -> None:
    cloud = fake_cloud()
    cloud.on('GET', ITEMS, **LOST)
    cloud.on('GET', PROVIDERS, **providers)
    cloud.on('GET', CHECKPOINTS, **checkpoints)
    found = items(cloud)
    with pytest.raises(NoServerBackups) as raised:
        list(found.list())
    assert raised.value.has_csbs is has_csbs
    asked = len(cloud.sent())
    with pytest.raises(NoServerBackups):
        list(found.list())
    assert len(cloud.sent()) == asked


@pytest.mark.parametrize('checkpoints', [LOST, {'status_code': 403}])
@pytest.mark.parametrize(
    'providers',
    [
        LOST,
        {'status_code': 403, 'json': {}},
        {'status_code': 500, 'json': {}},
        {'json': {'hello': 'world'}},
        {'json': {'providers': None}},
        {'text': '<html>log in</html>'},
    ],
)
def test_it_is_unknown_if_neither_answers(
    fake_cloud: MakeCloud, checkpoints: Any, providers: Any
) -> None:
    cloud = fake_cloud()
    cloud.on('GET', ITEMS, **LOST)
    cloud.on('GET', PROVIDERS, **providers)
    cloud.on('GET', CHECKPOINTS, **checkpoints)
    with pytest.raises(errors.NotServed):
        list(items(cloud).list())


def test_what_has_answered_once_does_not_become_a_karbor(
    fake_cloud: MakeCloud,
) -> None:
    cloud = fake_cloud()
    cloud.on('GET', ITEMS, OK, LOST)
    cloud.on('GET', PROVIDERS, **OWN)
    cloud.on('GET', CHECKPOINTS, **LOST)
    found = items(cloud)
    assert list(found.list()) == []
    with pytest.raises(errors.NotServed, match='answered before'):
        list(found.list())
