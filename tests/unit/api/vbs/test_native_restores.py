# SPDX-License-Identifier: Apache-2.0
"""Restores of the native calls (V11, V17), and what v2 tells of a disk."""

from typing import Any, ClassVar

import pytest

from tests.unit.api.makes import (
    NO_IDS,
    ODD_IDS,
    ONE,
    TWO,
    URL,
    MakeCloud,
    Makes,
)
from vbsclient.api import errors
from vbsclient.api.http import Receipt, Transport
from vbsclient.api.vbs import Backup, Backups


class TestRestoring(Makes):
    path = f'backups/{ONE}/restore'
    accepted = 202
    repeats = False
    others = (200, 201, 203, 204)
    body: ClassVar[Any] = {'restore': {'volume_id': TWO}}

    def call(self, transport: Transport) -> Receipt:
        return Backups(transport, URL, 'v3').restore(ONE.upper(), TWO.upper())

    def answer(self, id: Any) -> Any:
        return {'restore': {'backup_id': ONE, 'volume_id': id}}

    @pytest.mark.parametrize('id', [*ODD_IDS, ONE], ids=repr)
    def test_of_another_volume_it_is_unknown(
        self, fake_cloud: MakeCloud, id: Any
    ) -> None:
        answer = {'status_code': 202, 'json': self.answer(id)}
        cloud = self.there(fake_cloud, answer)
        with pytest.raises(errors.OutcomeUnknown) as raised:
            self.call(Transport(cloud.session))
        contradicts = isinstance(
            raised.value.refusal, errors.ContradictoryAnswer
        )
        assert contradicts is (id is not None)
        assert len(cloud.sent()) == 1

    def test_of_another_backup_it_is_unknown(
        self, fake_cloud: MakeCloud
    ) -> None:
        body = {'restore': {'backup_id': TWO, 'volume_id': TWO}}
        cloud = self.there(fake_cloud, {'status_code': 202, 'json': body})
        with pytest.raises(errors.OutcomeUnknown, match='backup_id'):
            self.call(Transport(cloud.session))

    def test_upper_case_is_the_same_volume(
        self, fake_cloud: MakeCloud
    ) -> None:
        answer = {'status_code': 202, 'json': self.answer(TWO.upper())}
        cloud = self.there(fake_cloud, answer)
        assert self.call(Transport(cloud.session)).handle is None

    @pytest.mark.parametrize('id', NO_IDS)
    def test_what_is_no_id_is_not_sent(
        self, fake_cloud: MakeCloud, id: str
    ) -> None:
        cloud = fake_cloud()
        calls = Backups(Transport(cloud.session), URL, 'v2')
        for backup, volume in ((id, TWO), (ONE, id)):
            with pytest.raises(errors.InvalidId):
                calls.restore(backup, volume)
        assert cloud.requests == []


@pytest.mark.parametrize(
    ('body', 'encrypted', 'bootable'),
    [
        ({}, None, None),
        ({'encryption_key_id': 'k'}, True, None),
        ({'service_metadata': {'ST': 0}}, False, None),
        ({'service_metadata': '{"cmkid": "k"}'}, True, None),
        ({'service_metadata': {'VK': 'k', 'bootable': 'true'}}, True, True),
        ({'service_metadata': {'BOOTABLE': 'False'}}, False, False),
        ({'service_metadata': {'bootable': False}}, False, False),
        ({'service_metadata': {'bootable': 'perhaps'}}, False, None),
        ({'service_metadata': 'x'}, None, None),
    ],
)
def test_the_kind_of_a_disk(
    body: Any, encrypted: bool | None, bootable: bool | None
) -> None:
    backup = Backup.from_body({'id': ONE, **body})
    assert backup.is_encrypted is encrypted
    assert backup.is_bootable is bootable
