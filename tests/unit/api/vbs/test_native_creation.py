# SPDX-License-Identifier: Apache-2.0
"""Making a backup without VBS (V6, V12), and the short list (V7, V13)."""

from typing import Any, ClassVar

import pytest

from tests.unit.api.makes import (
    NO_IDS,
    ONE,
    TWO,
    URL,
    MakeCloud,
    MakesWithId,
)
from vbsclient.api import errors
from vbsclient.api.http import Receipt, Transport
from vbsclient.api.vbs import Backups

LEAST = {
    'volume_id': ONE,
    'snapshot_id': None,
    'name': None,
    'description': None,
    'incremental': False,
    'force': False,
}


class TestCreating(MakesWithId):
    path = 'backups'
    accepted = 202
    others = (200, 201, 203, 204)
    body: ClassVar[Any] = {'backup': LEAST}

    def call(self, transport: Transport) -> Receipt:
        return Backups(transport, URL, 'v2').create(ONE)

    def answer(self, id: Any) -> Any:
        return {'backup': {'id': id, 'name': None, 'links': []}}

    @pytest.mark.parametrize(
        ('options', 'body'),
        [
            ({'name': 'nightly'}, {'name': 'nightly'}),
            ({'description': 'a b'}, {'description': 'a b'}),
            ({'snapshot_id': TWO.upper()}, {'snapshot_id': TWO}),
            ({'incremental': True}, {'incremental': True}),
            ({'force': True}, {'force': True}),
        ],
    )
    def test_each_option(
        self,
        fake_cloud: MakeCloud,
        options: dict[str, Any],
        body: dict[str, Any],
    ) -> None:
        answer = {'status_code': 202, 'json': self.answer(TWO.upper())}
        cloud = self.there(fake_cloud, answer)
        calls = Backups(Transport(cloud.session), URL, 'v3')
        receipt = calls.create(ONE.upper(), **options)
        assert cloud.requests[0].json() == {'backup': {**LEAST, **body}}
        assert receipt.handle is not None
        assert receipt.handle.backup_id == TWO

    @pytest.mark.parametrize('id', NO_IDS)
    def test_what_is_no_id_is_not_sent(
        self, fake_cloud: MakeCloud, id: str
    ) -> None:
        cloud = self.there(fake_cloud, {'json': {}})
        calls = Backups(Transport(cloud.session), URL, 'v2')
        with pytest.raises(errors.InvalidId):
            calls.create(id)
        with pytest.raises(errors.InvalidId):
            calls.create(ONE, snapshot_id=id)
        assert cloud.requests == []


class TestSummary:
    def list(self, cloud: Any, version: Any = 'v3', **filters: Any) -> Any:
        calls = Backups(Transport(cloud.session), URL, version)
        return list(calls.list_summary(**filters))

    @pytest.mark.parametrize('version', ['v2', 'v3'])
    def test_ids_and_names_alone(
        self, fake_cloud: MakeCloud, version: str
    ) -> None:
        cloud = fake_cloud()
        rows = [{'id': ONE.upper(), 'name': 'a'}, {'id': TWO, 'name': None}]
        cloud.on('GET', f'{URL}/backups', json={'backups': rows})
        assert self.list(cloud, version) == [(ONE, 'a'), (TWO, None)]
        # A short page without a link is the last one in both versions.
        assert len(cloud.sent()) == 1

    def test_a_filter_that_is_ignored_is_applied_here(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        rows = [{'id': ONE, 'name': 'a'}, {'id': TWO, 'name': 'ab'}]
        cloud.on('GET', f'{URL}/backups', json={'backups': rows})
        assert self.list(cloud, name='a') == [(ONE, 'a')]
        assert cloud.requests[0].qs['name'] == ['a']

    def test_a_name_of_two_forms_is_compared_here_alone(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        rows = [{'id': ONE, 'name': 'u\u0308'}]
        cloud.on('GET', f'{URL}/backups', json={'backups': rows})
        assert self.list(cloud, name='\u00fc') == [(ONE, '\u00fc')]
        assert 'name' not in cloud.requests[0].qs

    def test_a_link_leads_to_the_next_page(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        link = {'href': 'http://10.0.0.1/x?offset=1&limit=1', 'rel': 'next'}
        cloud.on(
            'GET',
            f'{URL}/backups',
            {
                'json': {
                    'backups': [{'id': ONE, 'name': 'a'}],
                    'backups_links': [link],
                }
            },
            {'json': {'backups': [{'id': TWO, 'name': 'b'}]}},
            {'json': {'backups': []}},
        )
        assert self.list(cloud, page_size=1) == [(ONE, 'a'), (TWO, 'b')]
        assert all(u.startswith(f'GET {URL}/backups?') for u in cloud.sent())

    @pytest.mark.parametrize(
        'body', [{}, {'backups': {}}, {'backups': [{'name': 'a'}]}]
    )
    def test_another_body_is_malformed(
        self, fake_cloud: MakeCloud, body: Any
    ) -> None:
        cloud = fake_cloud()
        cloud.on('GET', f'{URL}/backups', json=body)
        with pytest.raises(errors.MalformedResponse):
            self.list(cloud)
