# SPDX-License-Identifier: Apache-2.0
"""Server backups: what is read and compared again."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fakes import FakeCloud
from tests.unit.values import JSON
from vbsclient.api import errors
from vbsclient.api.csbs import ServerBackup, ServerBackups
from vbsclient.api.http import Transport

URL = 'https://csbs.example/v1/p'
CHECKPOINT = 'c90e4d10-55a1-4a37-8d0f-2f6f5a9b7c02'
ITEM = 'a3c1b6de-4f0d-4f6e-9a37-0d5d0b1c7e01'
ONE = 'd3c1b6de-4f0d-4f6e-9a37-0d5d0b1c7e01'
OTHER = 'a3c1b6de-4f0d-4f6e-9a37-0d5d0b1c7e02'
BODY: dict[str, Any] = {
    'id': ITEM,
    'checkpoint_id': CHECKPOINT,
    'name': 'web01-pre',
    'status': 'available',
    'resource_id': '7e0f9d3c-1b2a-4c5d-8e9f-a0b1c2d3e403',
    'extend_info': {
        'size': 20480,
        'resource_name': 'web01',
        'os_images_data': [],
        'volume_backups': [{'id': 'd1'}, {'id': 'd2'}, {'name': 'no id'}],
    },
}
MakeCloud = Callable[..., FakeCloud]


def items(cloud: FakeCloud) -> ServerBackups:
    return ServerBackups(Transport(cloud.session), URL)


class TestReading:
    def test_show(self, fake_cloud: MakeCloud) -> None:
        cloud = fake_cloud()
        cloud.on(
            'GET',
            f'{URL}/checkpoint_items/{ITEM}',
            json={'checkpoint_item': BODY},
        )
        item = items(cloud).get(ITEM)
        assert (item.id, item.checkpoint_id) == (ITEM, CHECKPOINT)
        assert (item.name, item.server_name) == ('web01-pre', 'web01')
        assert item.volume_backup_ids == ('d1', 'd2')
        assert not item.has_image

    def test_the_first_page_is_one_request(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        rows = [BODY]
        cloud.on(
            'GET', f'{URL}/checkpoint_items', json={'checkpoint_items': rows}
        )
        assert [one.name for one in items(cloud).first_page()] == [
            rows[0]['name']
        ]
        [request] = cloud.requests
        assert request.qs == {'limit': ['1000']}

    @pytest.mark.parametrize(
        'body',
        [
            {'checkpoint_item': {**BODY, 'id': OTHER}},
            {'checkpoint_item': {'id': ITEM}},
            {'checkpoint_item': []},
            {},
        ],
    )
    def test_another_body_is_refused(
        self, fake_cloud: MakeCloud, body: Any
    ) -> None:
        cloud = fake_cloud()
        cloud.on('GET', f'{URL}/checkpoint_items/{ITEM}', json=body)
        with pytest.raises(errors.MalformedResponse):
            items(cloud).get(ITEM)

    def test_loose_filters_are_applied_again(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        rows = [
            BODY,
            {**BODY, 'id': OTHER, 'name': 'web01-pre-2'},
            {**BODY, 'id': CHECKPOINT, 'checkpoint_id': OTHER},
        ]
        cloud.on(
            'GET',
            f'{URL}/checkpoint_items',
            {'json': {'checkpoint_items': rows}},
            {'json': {'checkpoint_items': []}},
        )
        found = list(
            items(cloud).list(checkpoint_id=CHECKPOINT, name='web01-pre')
        )
        assert [item.id for item in found] == [ITEM]
        assert cloud.requests[0].qs['name'] == ['web01-pre']
        assert cloud.requests[0].qs['checkpoint_id'] == [CHECKPOINT]

    def test_the_next_page_begins_after_the_last_item(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        cloud.on(
            'GET',
            f'{URL}/checkpoint_items',
            {'json': {'checkpoint_items': [BODY]}},
            {'json': {'checkpoint_items': []}},
        )
        assert len(list(items(cloud).list())) == 1
        assert cloud.requests[1].qs['marker'] == [ITEM]


class TestBodies:
    @pytest.mark.parametrize(
        ('images', 'has_image'),
        [
            ([], False),
            (None, False),
            ('[]', False),
            ([{'image_id': 'x'}], True),
            ('[{"image_id": "x"}]', True),
            ({'x': 'y'}, True),
            ('rubbish', True),
        ],
    )
    def test_an_image_was_made_from_it(
        self, images: Any, has_image: bool
    ) -> None:
        extend = {'os_images_data': images}
        item = ServerBackup.from_body({**BODY, 'extend_info': extend})
        assert item.has_image is has_image

    @pytest.mark.parametrize(
        ('extend', 'disks'),
        [
            ({'volume_backups': [{'id': ONE}]}, (ONE,)),
            ({'volume_backups': []}, ()),
            (f'{{"volume_backups": [{{"id": "{ONE}"}}]}}', (ONE,)),
            ({'volume_backups': f'[{{"id": "{ONE}"}}]'}, (ONE,)),
            ({'volume_backups': {ONE: {'status': 'available'}}}, (ONE,)),
            ({'volume_backups': {'x': {'id': ONE}}}, (ONE,)),
            ({'volume_backups': [{'backup_id': ONE}]}, (ONE,)),
            ({'volume_backups': [{'id': None, 'backup_id': ONE}]}, (ONE,)),
            ({'volume_backups': [{'id': ONE.upper()}]}, (ONE,)),
            ({'volume_backups': [{'id': ONE.replace('-', '')}]}, (ONE,)),
            ({'volume_backups': [{'id': f' {{{ONE}}} '}]}, (ONE,)),
            ({'volume_backups': [{'id': f'/v2/p/backups/{ONE}'}]}, (ONE,)),
            ({'volume_backups': {OTHER: {'backup_id': ONE}}}, (ONE,)),
        ],
        ids=str,
    )
    def test_its_disks_in_every_shape(self, extend: Any, disks: Any) -> None:
        item = ServerBackup.from_body({**BODY, 'extend_info': extend})
        assert item.volume_backup_ids == disks
        assert item.disks_are_known

    @pytest.mark.parametrize(
        'extend',
        [
            None,
            {},
            'none',
            '{"size": 1}',
            [],
            {'size': 1},
            {'volume_backups': None},
            {'volume_backups': 'none'},
            {'volume_backups': [{'name': 'no id'}]},
            {'volume_backups': [{'id': ''}]},
            {'volume_backups': ['d1']},
            {'volume_backups': {'d1': 'available'}},
            {'volume_backups': [{'id': OTHER, 'backup_id': ONE}]},
            {'volume_backups': [{'id': ' '}]},
            {'volume_backups': [{'id': 1}]},
        ],
        ids=str,
    )
    def test_disks_that_cannot_be_read_are_not_none(self, extend: Any) -> None:
        item = ServerBackup.from_body({**BODY, 'extend_info': extend})
        assert not item.disks_are_known
        body = {key: BODY[key] for key in BODY if key != 'extend_info'}
        assert not ServerBackup.from_body(body).disks_are_known

    @pytest.mark.parametrize(
        ('status', 'known'),
        [
            ('waiting_protect', False),
            ('protecting', False),
            ('available', True),
            ('error', True),
        ],
    )
    def test_while_it_is_created_its_disks_are_unknown(
        self, status: str, known: bool
    ) -> None:
        extend: Any = {'volume_backups': []}
        item = ServerBackup.from_body(
            {**BODY, 'status': status, 'extend_info': extend}
        )
        assert item.disks_are_known is known

    @pytest.mark.parametrize(
        'key',
        [
            'project_id',
            'tenant_id',
            'os-backup-project-attr:project_id',
            'os-bak-tenant-attr:tenant_id',
        ],
    )
    def test_its_owner_wherever_it_is(self, key: str) -> None:
        for body in ({key: 'p2'}, {'extend_info': {key: 'p2'}}):
            assert ServerBackup.from_body({**BODY, **body}).owner == 'p2'

    @pytest.mark.parametrize(
        ('extend', 'readable'),
        [
            (None, False),
            ({}, False),
            ('rubbish', False),
            (['x'], False),
            ('{"size": 1}', True),
            ({'size': 1}, True),
        ],
    )
    def test_what_protects_it_is_unknown_without_extend_info(
        self, extend: Any, readable: bool
    ) -> None:
        item = ServerBackup.from_body({**BODY, 'extend_info': extend})
        assert item.is_readable is readable

    @pytest.mark.parametrize(
        'body',
        [
            {'tags': [{'key': 'keep', 'value': 'yes'}]},
            {'tags': '[{"key": "keep", "value": "yes"}]'},
            {
                'tags': None,
                'extend_info': {'tags': [{'key': 'keep', 'value': 'yes'}]},
            },
            {
                'tags': [],
                'extend_info': '{"tags": [{"key": "keep", "value": "yes"}]}',
            },
        ],
        ids=str,
    )
    def test_its_tags_wherever_they_are(self, body: Any) -> None:
        item = ServerBackup.from_body({**BODY, **body})
        assert item.tags == [{'key': 'keep', 'value': 'yes'}]

    @given(
        st.fixed_dictionaries(
            {'id': st.text() | JSON, 'checkpoint_id': st.text() | JSON},
            optional={
                'name': JSON,
                'status': JSON,
                'resource_id': JSON,
                'created_at': JSON,
                'extend_info': JSON
                | st.fixed_dictionaries(
                    {},
                    optional={
                        'size': JSON,
                        'resource_name': JSON,
                        'os_images_data': JSON,
                    },
                ),
            },
        )
    )
    def test_any_object_is_an_item_or_malformed(
        self, body: dict[str, Any]
    ) -> None:
        try:
            item = ServerBackup.from_body(body)
        except errors.MalformedResponse:
            return
        assert (item.id, item.checkpoint_id) == (
            body['id'],
            body['checkpoint_id'],
        )

    @pytest.mark.parametrize('disks', [1, True, 2.5])
    def test_disks_that_are_no_list_break_nothing(self, disks: Any) -> None:
        extend = {'volume_backups': disks}
        item = ServerBackup.from_body({**BODY, 'extend_info': extend})
        assert item.volume_backup_ids == ()
