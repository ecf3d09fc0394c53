# SPDX-License-Identifier: Apache-2.0
"""Whether servers can be backed up (C2), and backing one up (C1)."""

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
from tests.unit.fakes import FakeCloud
from vbsclient.api import errors
from vbsclient.api.csbs import CSBS_PROVIDER, Protectability, Servers
from vbsclient.api.http import Receipt, Transport

SERVER = 'OS::Nova::Server'
RESOURCES = f'providers/{CSBS_PROVIDER}/resources'


def servers(cloud: FakeCloud) -> Servers:
    return Servers(Transport(cloud.session), URL)


class TestBackingUp(MakesWithId):
    path = f'{RESOURCES}/{ONE}/action'
    body: ClassVar[Any] = {'protect': {'resource_type': SERVER}}

    def call(self, transport: Transport) -> Receipt:
        return Servers(transport, URL).back_up(ONE)

    def answer(self, id: Any) -> Any:
        return {'checkpoint': {'id': id, 'status': 'protecting'}}

    @pytest.mark.parametrize(
        ('options', 'body'),
        [
            ({'name': 'before-patch'}, {'backup_name': 'before-patch'}),
            ({'description': 'a b'}, {'description': 'a b'}),
            ({'description': ''}, {'description': ''}),
            ({'incremental': True}, {'incremental': True}),
            ({'incremental': False}, {'incremental': False}),
            ({'incremental': None}, {}),
            ({'tags': {}}, {}),
            (
                {'tags': {'env': 'prod'}},
                {'tags': [{'key': 'env', 'value': 'prod'}]},
            ),
        ],
    )
    def test_each_option(
        self,
        fake_cloud: MakeCloud,
        options: dict[str, Any],
        body: dict[str, Any],
    ) -> None:
        cloud = self.there(fake_cloud, {'json': self.answer(TWO.upper())})
        receipt = servers(cloud).back_up(ONE.upper(), **options)
        assert cloud.requests[0].json() == {
            'protect': {'resource_type': SERVER, **body}
        }
        assert receipt.handle is not None
        assert receipt.handle.checkpoint_id == TWO

    @pytest.mark.parametrize('id', NO_IDS)
    def test_what_is_no_id_is_not_sent(
        self, fake_cloud: MakeCloud, id: str
    ) -> None:
        cloud = fake_cloud()
        with pytest.raises(errors.InvalidId):
            servers(cloud).back_up(id)
        with pytest.raises(errors.InvalidId):
            servers(cloud).check_protectable([ONE, id])
        assert cloud.requests == []

    @pytest.mark.parametrize('id', NO_IDS)
    def test_the_provider_is_an_id(
        self, fake_cloud: MakeCloud, id: str
    ) -> None:
        with pytest.raises(errors.InvalidId):
            Servers(Transport(fake_cloud().session), URL, id)


class TestAsking:
    def ask(self, cloud: FakeCloud, *answers: Any) -> Any:
        cloud.on('POST', f'{URL}/{RESOURCES}/action', *answers)
        return servers(cloud).check_protectable([ONE.upper(), TWO])

    def test_all_are_asked_for_at_once(self, fake_cloud: MakeCloud) -> None:
        cloud = fake_cloud()
        rows = [
            {'resource_id': TWO.upper(), 'result': True, 'error_msg': ''},
            {
                'resource_id': ONE,
                'result': False,
                'error_code': 'CSBS.6009',
                'error_msg': 'no',
            },
        ]
        found = self.ask(cloud, {'json': {'protectable': rows}})
        assert found == {
            TWO: Protectability(TWO, True),
            ONE: Protectability(ONE, False, 'CSBS.6009', 'no'),
        }
        [request] = cloud.requests
        assert request.json() == {
            'check_protectable': [
                {'resource_id': ONE, 'resource_type': SERVER},
                {'resource_id': TWO, 'resource_type': SERVER},
            ]
        }

    @pytest.mark.parametrize(
        'answer',
        [{'status_code': s} for s in (408, 429, 502, 503, 504)],
    )
    def test_it_is_repeated_as_a_get_is(
        self, fake_cloud: MakeCloud, answer: Any
    ) -> None:
        cloud = fake_cloud()
        good = {'json': {'protectable': []}}
        assert self.ask(cloud, answer, answer, good) == {}
        assert len(cloud.sent()) == 3

    @pytest.mark.parametrize(
        'row',
        [
            {},
            {'result': True},
            {'resource_id': None, 'result': True},
            {'resource_id': '', 'result': True},
            None,
            5,
            [],
        ],
    )
    def test_a_row_about_nothing_is_left_out(
        self, fake_cloud: MakeCloud, row: Any
    ) -> None:
        assert self.ask(fake_cloud(), {'json': {'protectable': [row]}}) == {}

    @pytest.mark.parametrize(
        'result', ['false', 'on', 1, None, [], {'x': 1}, 'yes']
    )
    def test_what_is_not_said_is_not_allowed(
        self, fake_cloud: MakeCloud, result: Any
    ) -> None:
        row = {'resource_id': ONE, 'result': result}
        found = self.ask(fake_cloud(), {'json': {'protectable': [row]}})
        assert found[ONE].result is False

    @pytest.mark.parametrize(
        'body', [{}, {'protectable': None}, {'protectable': {'x': 1}}]
    )
    def test_no_list_is_malformed(
        self, fake_cloud: MakeCloud, body: Any
    ) -> None:
        with pytest.raises(errors.MalformedResponse):
            self.ask(fake_cloud(), {'json': body})

    @pytest.mark.parametrize('result', [True, 'true', 'True', ' TRUE '])
    def test_a_yes_in_any_spelling(
        self, fake_cloud: MakeCloud, result: Any
    ) -> None:
        row = {'resource_id': ONE, 'result': result}
        found = self.ask(fake_cloud(), {'json': {'protectable': [row]}})
        assert found[ONE].result is True


class TestAskingForARestore:
    """C3."""

    def ask(self, cloud: FakeCloud, *answers: Any) -> Any:
        cloud.on('POST', f'{URL}/{RESOURCES}/action', *answers)
        return servers(cloud).check_restorable(
            ONE.upper(), TWO.upper(), {ONE.upper(): TWO.upper()}
        )

    def test_what_is_asked(self, fake_cloud: MakeCloud) -> None:
        cloud = fake_cloud()
        row = {'resource_id': TWO.upper(), 'result': True}
        found = self.ask(cloud, {'json': {'restorable': [row]}})
        assert found == Protectability(TWO, True)
        [request] = cloud.requests
        assert request.json() == {
            'check_restorable': [
                {
                    'checkpoint_item_id': ONE,
                    'target': {
                        'resource_id': TWO,
                        'resource_type': SERVER,
                        'volumes': [{'backup_id': ONE, 'volume_id': TWO}],
                    },
                }
            ]
        }

    @pytest.mark.parametrize(
        'rows',
        [
            [],
            [None],
            [{'resource_id': ONE, 'result': True}],
            [{'result': True}, {'result': True}],
            [{'resource_id': TWO, 'result': True}] * 2,
        ],
    )
    def test_no_answer_for_this(
        self, fake_cloud: MakeCloud, rows: Any
    ) -> None:
        assert self.ask(fake_cloud(), {'json': {'restorable': rows}}) is None

    @pytest.mark.parametrize('row', [{'resource_id': TWO}, {}, {'result': 1}])
    def test_what_is_not_said_is_not_allowed(
        self, fake_cloud: MakeCloud, row: Any
    ) -> None:
        found = self.ask(fake_cloud(), {'json': {'restorable': [row]}})
        assert found.result is False

    @pytest.mark.parametrize(
        'body', [{}, {'restorable': None}, {'protectable': []}]
    )
    def test_no_list_is_malformed(
        self, fake_cloud: MakeCloud, body: Any
    ) -> None:
        with pytest.raises(errors.MalformedResponse):
            self.ask(fake_cloud(), {'json': body})

    @pytest.mark.parametrize('id', NO_IDS)
    def test_what_is_no_id_is_not_sent(
        self, fake_cloud: MakeCloud, id: str
    ) -> None:
        cloud = fake_cloud()
        for backup, server, volumes in (
            (id, ONE, {ONE: TWO}),
            (ONE, id, {ONE: TWO}),
            (ONE, TWO, {id: TWO}),
            (ONE, TWO, {ONE: id}),
        ):
            with pytest.raises(errors.InvalidId):
                servers(cloud).check_restorable(backup, server, volumes)
        assert cloud.requests == []
