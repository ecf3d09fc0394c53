# SPDX-License-Identifier: Apache-2.0
"""The vendor's own backup call of VBS (V1)."""

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
from vbsclient.api.vbs import CloudBackups

JOB = 'ff80808182e0a0f40182e0f5b3f70012'


class TestCreating(MakesWithId):
    path = 'cloudbackups'
    body: ClassVar[Any] = {'backup': {'volume_id': ONE, 'name': 'nightly'}}

    def call(self, transport: Transport) -> Receipt:
        return CloudBackups(transport, URL).create(ONE, name='nightly')

    def answer(self, id: Any) -> Any:
        return {'job_id': id}

    @pytest.mark.parametrize(
        ('options', 'body'),
        [
            ({'name': None}, {'name': None}),
            ({'description': 'a b'}, {'description': 'a b'}),
            ({'description': ''}, {'description': ''}),
            ({'snapshot_id': TWO.upper()}, {'snapshot_id': TWO}),
            ({'tags': {}}, {}),
            (
                {'tags': {'env': 'prod', 'x': ''}},
                {
                    'tags': [
                        {'key': 'env', 'value': 'prod'},
                        {'key': 'x', 'value': ''},
                    ]
                },
            ),
            ({'full': False}, {}),
            # A text, not a boolean.
            ({'full': True}, {'extend_param': {'FullBackup': 'true'}}),
        ],
    )
    def test_each_option(
        self,
        fake_cloud: MakeCloud,
        options: dict[str, Any],
        body: dict[str, Any],
    ) -> None:
        cloud = self.there(fake_cloud, {'json': self.answer(JOB)})
        calls = CloudBackups(Transport(cloud.session), URL)
        receipt = calls.create(ONE.upper(), **{'name': 'n', **options})
        wanted = {'volume_id': ONE, 'name': 'n', **body}
        wanted = {k: v for k, v in wanted.items() if v is not None}
        assert cloud.requests[0].json() == {'backup': wanted}
        assert receipt.handle is not None
        assert receipt.handle.job_id == JOB

    @pytest.mark.parametrize('id', NO_IDS)
    def test_what_is_no_id_is_not_sent(
        self, fake_cloud: MakeCloud, id: str
    ) -> None:
        cloud = self.there(fake_cloud, {'json': self.answer(JOB)})
        calls = CloudBackups(Transport(cloud.session), URL)
        with pytest.raises(errors.InvalidId):
            calls.create(id, name='n')
        with pytest.raises(errors.InvalidId):
            calls.create(ONE, name='n', snapshot_id=id)
        assert cloud.requests == []
