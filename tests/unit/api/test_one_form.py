# SPDX-License-Identifier: Apache-2.0
"""Ids in lower case and names in NFC, on both sides."""

import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fakes import FakeCloud
from vbsclient.api.csbs import ServerBackup, ServerBackupFilter, ServerBackups
from vbsclient.api.csbs.karbor import KarborCheckpoints
from vbsclient.api.http import Transport
from vbsclient.api.names import composed, name_to_send
from vbsclient.api.paths import resource_path
from vbsclient.api.values import canonical_id
from vbsclient.api.vbs import Backup, Backups, Share, ShareFilter
from vbsclient.api.vbs.shares import Shares

ONE = 'dc1e2c1b-3f0a-4f39-8a43-7f0f3f1f7dab'
TWO = 'ac1e2c1b-3f0a-4f39-8a43-7f0f3f1f7dab'
PROJECT = 'ABCDEF0123456789ABCDEF0123456789'
URL = 'https://vbs.example/v3/p'
NFC, NFD = 'M\xfcller', 'Mu\u0308ller'
MakeCloud = Callable[..., FakeCloud]


def any_case(id: str, random: Any) -> str:
    return ''.join(random.choice([c, c.upper()]) for c in id)


@given(st.uuids(), st.randoms())
def test_an_id_has_one_form(id: Any, random: Any) -> None:
    typed = any_case(str(id), random)
    assert canonical_id(typed) == str(id)
    assert resource_path('backups', id=typed) == f'backups/{id}'


@given(st.text())
def test_nothing_else_is_changed(text: str) -> None:
    if text.lower() != canonical_id(text):
        assert canonical_id(text) == text


@given(st.text())
def test_a_composed_name_is_not_changed(text: str) -> None:
    assert composed(composed(text)) == composed(text)
    sent = name_to_send(text)
    if sent is not None:
        # However a service stores it, it is the same text.
        for form in ('NFC', 'NFD'):
            assert unicodedata.normalize(form, text) == sent  # type: ignore[arg-type]


def test_answers_are_read_in_one_form() -> None:
    caps = ONE.upper()
    backup = Backup.from_body(
        {
            'id': caps,
            'name': NFD,
            'volume_id': TWO.upper(),
            'service_metadata': {'VMID': caps},
            'os-bak-tenant-attr:tenant_id': PROJECT,
        }
    )
    assert (backup.id, backup.name, backup.volume_id) == (ONE, NFC, TWO)
    assert (backup.server_id, backup.owner) == (ONE, PROJECT.lower())
    share = Share.from_body(
        {
            'id': caps,
            'backup_id': TWO.upper(),
            'from_project_id': PROJECT,
            'to_project_id': PROJECT,
            'backup': {'name': NFD},
        }
    )
    assert (share.id, share.backup_id) == (ONE, TWO)
    assert share.from_project_id == share.to_project_id == PROJECT.lower()
    assert share.backup_name == share.backup.name == NFC
    item = ServerBackup.from_body(
        {
            'id': caps,
            'checkpoint_id': TWO.upper(),
            'name': NFD,
            'resource_id': caps,
            'extend_info': {
                'resource_name': NFD,
                'volume_backups': [{'id': caps, 'source_volume_id': caps}],
            },
        }
    )
    assert (item.id, item.checkpoint_id, item.name) == (ONE, TWO, NFC)
    assert (item.server_id, item.server_name) == (ONE, NFC)
    assert item.volume_backup_ids == (ONE,)
    assert item.disks == [{'id': ONE, 'source_volume_id': ONE}]


@pytest.mark.parametrize('asked', [ONE, ONE.upper()])
@pytest.mark.parametrize('stored', [ONE, ONE.upper(), ONE.title()])
def test_one_is_found_in_any_case(
    fake_cloud: MakeCloud, asked: str, stored: str
) -> None:
    cloud = fake_cloud()
    transport = Transport(cloud.session)
    for path, key in (
        ('backups', 'backup'),
        ('os-vendor-backup-sharing', 'shared'),
        ('checkpoint_items', 'checkpoint_item'),
        (f'providers/{TWO}/checkpoints', 'checkpoint'),
    ):
        body = {'id': stored, 'backup_id': stored, 'checkpoint_id': stored}
        cloud.on('GET', f'{URL}/{path}/{ONE}', json={key: body})
    assert Backups(transport, URL, 'v3').get(asked).id == ONE
    assert Shares(transport, URL).get(asked).id == ONE
    assert ServerBackups(transport, URL).get(asked).id == ONE
    assert KarborCheckpoints(transport, URL, TWO.upper()).get(asked).id == ONE
    assert not [sent for sent in cloud.sent() if ONE not in sent]


def test_filters_ask_for_lower_case_ids(
    fake_cloud: MakeCloud,
) -> None:
    cloud = fake_cloud()
    row = {'id': ONE.upper(), 'volume_id': TWO.upper(), 'status': 'error'}
    cloud.on('GET', f'{URL}/backups/detail', json={'backups': [row]})
    found = Backups(Transport(cloud.session), URL, 'v3').list(
        volume_id=TWO.upper(), status='error'
    )
    assert [backup.id for backup in found] == [ONE]
    assert cloud.requests[0].qs['volume_id'] == [TWO]
    assert cloud.requests[0].qs['status'] == ['error']
    assert ServerBackupFilter(server_id=TWO.upper()).query() == {
        'resource_id': TWO
    }
    assert ShareFilter(backup_id=TWO.upper()).query() == {'backup_id': TWO}


@pytest.mark.parametrize('asked', [NFC, NFD])
@pytest.mark.parametrize('stored', [NFC, NFD])
def test_a_name_is_found_in_any_form(
    fake_cloud: MakeCloud, asked: str, stored: str
) -> None:
    cloud = fake_cloud()
    row = {'id': ONE, 'name': stored}
    cloud.on('GET', f'{URL}/backups/detail', json={'backups': [row]})
    backups = Backups(Transport(cloud.session), URL, 'v3')
    assert [b.id for b in backups.list(name=asked)] == [ONE]
    assert [b.id for b in backups.list(name_contains=asked[:3])] == [ONE]
    # A service that compares exactly would miss the other form.
    assert not [sent for sent in cloud.requests if 'name' in sent.qs]
    assert backups.count(name=asked) is None


@pytest.mark.parametrize('name', ['nightly', '\u65e5\u672c', 'a b'])
def test_a_name_of_one_form_is_asked_for(
    fake_cloud: MakeCloud, name: str
) -> None:
    cloud = fake_cloud()
    cloud.on('GET', f'{URL}/backups/detail', json={'backups': []})
    list(Backups(Transport(cloud.session), URL, 'v3').list(name=name))
    assert cloud.requests[0].qs['name'] == [name]


class TestShortAndWhere:
    """All that is said of a list applies."""

    def rows(self, fake_cloud: MakeCloud) -> FakeCloud:
        cloud = fake_cloud()
        items = [
            {'id': ONE, 'checkpoint_id': ONE, 'name': 'a', 'status': 'error'},
            {'id': TWO, 'checkpoint_id': ONE, 'name': 'b', 'status': 'error'},
        ]
        cloud.on(
            'GET', f'{URL}/checkpoint_items', json={'checkpoint_items': items}
        )
        shares = [
            {'id': ONE, 'backup_id': ONE, 'backup': {'status': 'error'}},
            {'id': TWO, 'backup_id': TWO, 'backup': {'status': 'error'}},
        ]
        cloud.on(
            'GET',
            f'{URL}/os-vendor-backup-sharing/detail',
            json={'shared': shares},
        )
        return cloud

    def test_both_apply(self, fake_cloud: MakeCloud) -> None:
        transport = Transport(self.rows(fake_cloud).session)
        items, shares = ServerBackups(transport, URL), Shares(transport, URL)
        wrong = ServerBackupFilter(status='error')
        assert [i.id for i in items.list(where=wrong, name='b')] == [TWO]
        assert [i.id for i in items.list(where=wrong, checkpoint_id=TWO)] == []
        given = ShareFilter(status='error')
        assert [
            s.id for s in shares.list(where=given, backup_id=TWO.upper())
        ] == [TWO]

    def test_two_values_for_one_condition_are_an_error(
        self, fake_cloud: MakeCloud
    ) -> None:
        transport = Transport(self.rows(fake_cloud).session)
        items, shares = ServerBackups(transport, URL), Shares(transport, URL)
        same = ServerBackupFilter(name=NFC)
        assert list(items.list(where=same, name=NFD)) == []
        with pytest.raises(ValueError, match='given twice'):
            list(items.list(where=ServerBackupFilter(name='a'), name='b'))
        with pytest.raises(ValueError, match='given twice'):
            list(shares.list(where=ShareFilter(backup_id=ONE), backup_id=TWO))
