# SPDX-License-Identifier: Apache-2.0
"""Restores of server backups (C9)."""

from typing import Any, ClassVar

import pytest

from tests.unit.api.makes import NO_IDS, ONE, TWO, URL, MakeCloud, Makes
from vbsclient.api import errors
from vbsclient.api.csbs import CSBS_PROVIDER, Restores
from vbsclient.api.http import Receipt, Transport

ITEM = '1f9b4c2e-0000-4000-8000-000000000001'
SERVER = '7e0f9d3c-1b2a-4c5d-8e9f-a0b1c2d3e403'


class TestRestoring(Makes):
    path = 'restores'
    repeats = False
    body: ClassVar[Any] = {
        'restore': {
            'provider_id': CSBS_PROVIDER,
            'checkpoint_id': ONE,
            'parameters': {
                'checkpoint_item_id': ITEM,
                'power_on': False,
                'targets': {
                    'server_id': SERVER,
                    'volumes': [{'backup_id': ONE, 'volume_id': TWO}],
                },
            },
        }
    }

    def call(self, transport: Transport) -> Receipt:
        return self.restored(transport)[1]

    def restored(
        self, transport: Transport, *, power_on: bool = False
    ) -> tuple[str | None, Receipt]:
        return Restores(transport, URL).create(
            ONE.upper(),
            ITEM.upper(),
            SERVER.upper(),
            {ONE.upper(): TWO.upper()},
            power_on=power_on,
        )

    def answer(self, id: Any) -> Any:
        return {'restore': {'id': id, 'status': 'in_progress'}}

    def test_power_on_is_a_boolean(self, fake_cloud: MakeCloud) -> None:
        cloud = self.there(fake_cloud, {'json': self.answer(TWO)})
        id, receipt = self.restored(Transport(cloud.session), power_on=True)
        sent = cloud.requests[0].json()['restore']['parameters']
        assert sent['power_on'] is True
        assert (id, receipt.handle) == (TWO, None)

    @pytest.mark.parametrize('body', [{}, {'restore': []}, {'restore': {}}])
    def test_without_an_id_it_is_accepted(
        self, fake_cloud: MakeCloud, body: Any
    ) -> None:
        cloud = self.there(fake_cloud, {'json': body})
        assert self.restored(Transport(cloud.session))[0] is None

    @pytest.mark.parametrize(
        'told',
        [
            {'status': 'fail'},
            {'status': 'error'},
            {'checkpoint_id': TWO},
            {'parameters': {'checkpoint_item_id': ONE}},
            {'parameters': {'targets': {'server_id': ONE}}},
            {'parameters': {'targets': {'volumes': []}}},
            {
                'parameters': {
                    'targets': {
                        'volumes': [{'backup_id': ONE, 'volume_id': ONE}]
                    }
                }
            },
        ],
        ids=repr,
    )
    def test_an_answer_that_contradicts(
        self, fake_cloud: MakeCloud, told: Any
    ) -> None:
        body = {'restore': {'id': TWO, 'status': 'in_progress', **told}}
        cloud = self.there(fake_cloud, {'json': body})
        with pytest.raises(errors.OutcomeUnknown) as raised:
            self.restored(Transport(cloud.session))
        refusal = raised.value.refusal
        assert isinstance(refusal, errors.ContradictoryAnswer)

    def test_an_answer_that_repeats_what_was_sent(
        self, fake_cloud: MakeCloud
    ) -> None:
        body = {'restore': {**self.body['restore'], 'id': TWO}}
        cloud = self.there(fake_cloud, {'json': body})
        assert self.restored(Transport(cloud.session))[0] == TWO

    @pytest.mark.parametrize('id', NO_IDS)
    def test_what_is_no_id_is_not_sent(
        self, fake_cloud: MakeCloud, id: str
    ) -> None:
        cloud = fake_cloud()
        calls = Restores(Transport(cloud.session), URL)
        good: list[Any] = [ONE, ITEM, SERVER]
        for place in range(3):
            ids = [*good]
            ids[place] = id
            with pytest.raises(errors.InvalidId):
                calls.create(*ids, {ONE: TWO}, power_on=True)
        for volumes in ({id: TWO}, {ONE: id}, {ONE: TWO, TWO: id}):
            with pytest.raises(errors.InvalidId):
                calls.create(*good, volumes, power_on=True)
        with pytest.raises(errors.InvalidId):
            calls.status(id)
        with pytest.raises(errors.InvalidId):
            Restores(Transport(cloud.session), URL, id)
        assert cloud.requests == []

    @pytest.mark.parametrize(
        ('body', 'status'),
        [
            ({'restore': {'id': TWO.upper(), 'status': 'success'}}, 'success'),
            # What is about another one says nothing of this one.
            ({'restore': {'id': ONE, 'status': 'success'}}, None),
            ({'restore': {'status': 'success'}}, None),
            ({'restore': {'id': TWO, 'status': 5}}, None),
            ({'restore': 'x'}, None),
            ({}, None),
        ],
    )
    def test_its_status(
        self, fake_cloud: MakeCloud, body: Any, status: str | None
    ) -> None:
        cloud = fake_cloud()
        cloud.on('GET', f'{URL}/restores/{TWO}', json=body)
        calls = Restores(Transport(cloud.session), URL)
        assert calls.status(TWO.upper()) == status
