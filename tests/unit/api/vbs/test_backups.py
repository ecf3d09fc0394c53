# SPDX-License-Identifier: Apache-2.0
"""The native backup calls: what is sent and what is read."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fakes import FakeCloud
from tests.unit.values import JSON
from vbsclient.api import errors
from vbsclient.api.http import Transport
from vbsclient.api.values import Known
from vbsclient.api.vbs import Backup, Backups

URL = 'https://vbs.example/v3/p'
ONE = '0b9d4f62-3f0a-4f39-8a43-7f0f3f1f7d20'
OTHER = '0b9d4f62-3f0a-4f39-8a43-7f0f3f1f7d21'
MakeCloud = Callable[..., FakeCloud]


def backups(cloud: FakeCloud, version: Any = 'v3') -> Backups:
    return Backups(Transport(cloud.session), URL, version)


class TestRequests:
    def test_show(self, fake_cloud: MakeCloud) -> None:
        cloud = fake_cloud()
        body = {'id': ONE, 'name': 'n', 'status': 'available', 'size': 20}
        cloud.on('GET', f'{URL}/backups/{ONE}', json={'backup': body})
        found = backups(cloud).get(ONE)
        assert (found.id, found.name, found.size) == (ONE, 'n', 20)
        assert found.body == body

    def test_list_asks_for_details_and_an_exact_name(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        cloud.on('GET', f'{URL}/backups/detail', json={'backups': []})
        list(backups(cloud).list(name='a b', status='error', volume_id=ONE))
        [request] = cloud.requests
        assert request.path.endswith('/backups/detail')
        assert request.qs == {
            'limit': ['1000'],
            'name': ['a b'],
            'status': ['error'],
            'volume_id': [ONE],
        }

    def test_delete(self, fake_cloud: MakeCloud) -> None:
        cloud = fake_cloud()
        cloud.on('DELETE', f'{URL}/backups/{ONE}', status_code=202)
        assert backups(cloud).delete(ONE).status == 202
        assert cloud.sent() == [f'DELETE {URL}/backups/{ONE}']

    def test_the_first_page_is_one_request(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        rows = [{'id': ONE, 'name': 'n'}]
        cloud.on('GET', f'{URL}/backups/detail', json={'backups': rows})
        assert [one.name for one in backups(cloud).first_page()] == [
            rows[0]['name']
        ]
        [request] = cloud.requests
        assert request.qs == {'limit': ['1000']}

    @pytest.mark.parametrize('text', ['', 'detail', '..', f'{ONE}/restore'])
    @pytest.mark.parametrize('call', ['get', 'delete'])
    def test_nothing_but_an_id_is_sent(
        self, fake_cloud: MakeCloud, call: str, text: str
    ) -> None:
        cloud = fake_cloud()
        with pytest.raises(errors.InvalidId):
            getattr(backups(cloud), call)(text)
        assert cloud.sent() == []

    @pytest.mark.parametrize(
        'body',
        [
            {'backup': {'id': OTHER}},
            {'backup': {'name': 'n'}},
            {'backup': {'id': None}},
            {'backup': [{'id': ONE}]},
            {'backup': None},
            {'id': ONE},
            {},
        ],
    )
    def test_another_body_is_refused(
        self, fake_cloud: MakeCloud, body: Any
    ) -> None:
        cloud = fake_cloud()
        cloud.on('GET', f'{URL}/backups/{ONE}', json=body)
        with pytest.raises(errors.MalformedResponse):
            backups(cloud).get(ONE)

    def test_a_short_page_ends_the_list_of_v2_only(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        page = {'backups': [{'id': ONE}]}
        cloud.on(
            'GET',
            f'{URL}/backups/detail',
            {'json': page},
            {'json': page},
            {'json': {'backups': []}},
        )
        assert len(list(backups(cloud, 'v2').list())) == 1
        assert len(cloud.sent()) == 1
        assert len(list(backups(cloud, 'v3').list())) == 1
        assert len(cloud.sent()) == 3


class TestOrigin:
    @pytest.mark.parametrize(
        ('metadata', 'by_csbs'),
        [
            # Nothing is an answer, and so is what belongs to a disk.
            (None, Known.NO),
            ('', Known.NO),
            ('{}', Known.NO),
            ('{"ST": 0}', Known.NO),
            ('{"ST": 4}', Known.NO),
            ('{"ST": "4"}', Known.NO),
            ('{"ST": null, "Type": 1}', Known.NO),
            ('{"VMID": ""}', Known.NO),
            ('{"VMID": null}', Known.NO),
            ('{"CS": 12}', Known.NO),
            # What belongs to a server, however it is written.
            ('{"ST": 1}', Known.YES),
            ('{"ST": 5}', Known.YES),
            (' {"ST": 1}', Known.YES),
            ('\ufeff{"ST": 1}', Known.YES),
            ('{"ST": "1"}', Known.YES),
            ('{"ST": 1.0}', Known.YES),
            ('{"ST": "01"}', Known.YES),
            ('{"ST": " 5 "}', Known.YES),
            ('{"ST": "1.0"}', Known.YES),
            ('{"st": 1}', Known.YES),
            ('{" ST ": 1}', Known.YES),
            ('"{\\"ST\\": 1}"', Known.YES),
            ({'ST': 1}, Known.YES),
            ('{"VMID": "x"}', Known.YES),
            ('{"vmid": "x"}', Known.YES),
            ('{"vmid": "x", "VMID": ""}', Known.YES),
            ('{"VMID": "", "vmid": "x"}', Known.YES),
            ('{"ST": 0, "VMID": "x"}', Known.YES),
            ('{"ST": 7, "VMID": "x"}', Known.YES),
            # What nobody understands is neither.
            ('{"ST": 7}', Known.UNKNOWN),
            ('{"ST": -1}', Known.UNKNOWN),
            ('{"ST": 1.5}', Known.UNKNOWN),
            ('{"ST": true}', Known.UNKNOWN),
            ('{"ST": [1]}', Known.UNKNOWN),
            ('{"ST": "vm"}', Known.UNKNOWN),
            ('{"ST": "inf"}', Known.UNKNOWN),
            ('{"ST": NaN}', Known.UNKNOWN),
            ('{"kind": "server"}', Known.UNKNOWN),
            ('ST=1', Known.UNKNOWN),
            ('[1]', Known.UNKNOWN),
            ('1', Known.UNKNOWN),
            (7, Known.UNKNOWN),
            (False, Known.UNKNOWN),
        ],
    )
    def test_the_mark_of_csbs(self, metadata: Any, by_csbs: Known) -> None:
        backup = Backup.from_body({'id': ONE, 'service_metadata': metadata})
        assert backup.csbs_mark is by_csbs

    def test_without_the_key_nothing_is_known(self) -> None:
        assert Backup.from_body({'id': ONE}).csbs_mark is Known.UNKNOWN

    @pytest.mark.parametrize(
        ('metadata', 'incremental'),
        [
            ('{"Type": 1}', True),
            ('{"Type": "0"}', False),
            ('{"type": 1.0}', True),
            ('{"Type": 2}', None),
            ('{}', None),
        ],
    )
    def test_the_type(self, metadata: str, incremental: bool | None) -> None:
        backup = Backup.from_body({'id': ONE, 'service_metadata': metadata})
        assert backup.incremental is incremental

    @pytest.mark.parametrize(
        ('body', 'owner'),
        [
            ({}, None),
            ({'os-backup-project-attr:project_id': 'a'}, 'a'),
            ({'os-backup-project-attr:tenant_id': 'b'}, 'b'),
            ({'os-bak-tenant-attr:tenant_id': 'c'}, 'c'),
            ({'project_id': 'd'}, 'd'),
            ({'tenant_id': 'e'}, 'e'),
            (
                {
                    'os-bak-tenant-attr:tenant_id': 'c',
                    'os-backup-project-attr:project_id': 'a',
                },
                'a',
            ),
        ],
    )
    def test_the_formats_of_its_owner(
        self, body: dict[str, str], owner: str | None
    ) -> None:
        assert Backup.from_body({'id': ONE, **body}).owner == owner

    @given(
        st.fixed_dictionaries(
            {},
            optional=dict.fromkeys(
                (
                    'id',
                    'name',
                    'status',
                    'size',
                    'volume_id',
                    'created_at',
                    'service_metadata',
                ),
                JSON,
            ),
        )
    )
    def test_any_object_is_a_backup_or_malformed(
        self, body: dict[str, Any]
    ) -> None:
        try:
            backup = Backup.from_body(body)
        except errors.MalformedResponse:
            assert not isinstance(body.get('id'), str)
        else:
            assert isinstance(backup.csbs_mark, Known)
