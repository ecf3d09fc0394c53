# SPDX-License-Identifier: Apache-2.0
"""Deleting checkpoints and server backups, which are never mixed up."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.fakes import FakeCloud
from vbsclient.api import errors
from vbsclient.api.csbs import CSBS_PROVIDER, KarborCheckpoints
from vbsclient.api.http import Transport

URL = 'https://csbs.example/v1/p'
ROUTE = f'{URL}/providers/{CSBS_PROVIDER}/checkpoints'
CHECKPOINT = 'c90e4d10-55a1-4a37-8d0f-2f6f5a9b7c02'
ITEM = 'a3c1b6de-4f0d-4f6e-9a37-0d5d0b1c7e01'
MakeCloud = Callable[..., FakeCloud]


def checkpoints(cloud: FakeCloud, provider: str = CSBS_PROVIDER) -> Any:
    return KarborCheckpoints(Transport(cloud.session), URL, provider)


class TestDelete:
    def test_a_whole_checkpoint(self, fake_cloud: MakeCloud) -> None:
        cloud = fake_cloud()
        cloud.on('DELETE', f'{ROUTE}/{CHECKPOINT}', json={})
        checkpoints(cloud).delete(CHECKPOINT)
        assert cloud.sent() == [f'DELETE {ROUTE}/{CHECKPOINT}']

    def test_one_item(self, fake_cloud: MakeCloud) -> None:
        cloud = fake_cloud()
        cloud.on('DELETE', f'{ROUTE}/{CHECKPOINT}', json={})
        checkpoints(cloud).delete_backup(CHECKPOINT, ITEM)
        assert cloud.sent() == [
            f'DELETE {ROUTE}/{CHECKPOINT}?checkpoint_items={ITEM}'
        ]

    @pytest.mark.parametrize(
        'item', ['', ' ', ',', f'{ITEM},{ITEM}', 'name', f'{ITEM} ']
    )
    def test_an_item_without_an_id_is_never_the_whole_checkpoint(
        self, fake_cloud: MakeCloud, item: str
    ) -> None:
        cloud = fake_cloud()
        with pytest.raises(errors.InvalidId):
            checkpoints(cloud).delete_backup(CHECKPOINT, item)
        assert cloud.sent() == []

    @pytest.mark.parametrize('checkpoint', ['', '..', 'fake_1', ITEM[:-1]])
    def test_never_without_a_checkpoint(
        self, fake_cloud: MakeCloud, checkpoint: str
    ) -> None:
        cloud = fake_cloud()
        with pytest.raises(errors.InvalidId):
            checkpoints(cloud).delete(checkpoint)
        with pytest.raises(errors.InvalidId):
            checkpoints(cloud).delete_backup(checkpoint, ITEM)
        assert cloud.sent() == []

    @pytest.mark.parametrize('provider', ['', '../x', 'karbor'])
    def test_a_provider_is_an_id_too(
        self, fake_cloud: MakeCloud, provider: str
    ) -> None:
        with pytest.raises(errors.InvalidId):
            checkpoints(fake_cloud(), provider)

    def test_202_is_not_what_is_documented(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        cloud.on('DELETE', f'{ROUTE}/{CHECKPOINT}', status_code=202, json={})
        with pytest.raises(errors.UnexpectedSuccess):
            checkpoints(cloud).delete(CHECKPOINT)


class TestShow:
    def test_a_checkpoint_of_karbor(self, fake_cloud: MakeCloud) -> None:
        cloud = fake_cloud()
        body = {
            'id': CHECKPOINT,
            'status': 'available',
            'protection_plan': {'name': 'weekly'},
        }
        cloud.on('GET', f'{ROUTE}/{CHECKPOINT}', json={'checkpoint': body})
        found = checkpoints(cloud).get(CHECKPOINT)
        assert (found.id, found.status, found.name) == (
            CHECKPOINT,
            'available',
            'weekly',
        )

    @pytest.mark.parametrize(
        'body',
        [{'checkpoint': {'id': ITEM}}, {'checkpoint': []}, {'id': CHECKPOINT}],
    )
    def test_another_body_is_refused(
        self, fake_cloud: MakeCloud, body: Any
    ) -> None:
        cloud = fake_cloud()
        cloud.on('GET', f'{ROUTE}/{CHECKPOINT}', json=body)
        with pytest.raises(errors.MalformedResponse):
            checkpoints(cloud).get(CHECKPOINT)
