# SPDX-License-Identifier: Apache-2.0
"""Policies of CSBS (C11 to C15), and running one (C4)."""

import copy
from typing import Any, ClassVar

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.api.makes import (
    NO_IDS,
    ONE,
    TWO,
    URL,
    MakeCloud,
    Makes,
    MakesWithId,
)
from tests.unit.fakes import FakeCloud
from vbsclient.api import errors
from vbsclient.api.csbs import (
    CSBS_PROVIDER,
    KarborCheckpoints,
    Policies,
    Policy,
    PolicyServer,
)
from vbsclient.api.http import Receipt, Transport
from vbsclient.api.paths import is_uuid

CHECKPOINTS = f'providers/{CSBS_PROVIDER}/checkpoints'
SERVER = 'OS::Nova::Server'
#: Also what a backup shows that no policy has made.
NO_POLICIES = [*NO_IDS, f'fake_{ONE}', 'fake_plan']


def policies(cloud: FakeCloud) -> Policies:
    return Policies(Transport(cloud.session), URL)


def checkpoints(cloud: FakeCloud) -> KarborCheckpoints:
    return KarborCheckpoints(Transport(cloud.session), URL)


def body(**changes: Any) -> dict[str, Any]:
    """A policy as C13 shows it."""
    return {
        'id': ONE,
        'name': 'weekly',
        'description': 'Mondays',
        'status': 'suspended',
        'created_at': '2024-05-02T10:11:12.345678',
        'project_id': 'P',
        'provider_id': CSBS_PROVIDER,
        'parameters': {'common': {}},
        'resources': [{'id': TWO, 'type': SERVER, 'name': 'web01'}],
        'scheduled_operations': [{'id': TWO, 'enabled': True}],
        **changes,
    }


# -- what a policy says ----------------------------------------------------


def test_a_policy() -> None:
    answered = body()
    before = copy.deepcopy(answered)
    policy = Policy.from_body(answered)
    assert policy.id == ONE
    assert (policy.name, policy.description) == ('weekly', 'Mondays')
    assert (policy.status, policy.is_enabled) == ('suspended', True)
    assert policy.servers == (PolicyServer(TWO, 'web01'),)
    assert policy.servers == ((TWO, 'web01'),)
    assert policy.servers_are_known
    assert policy.operation == {'id': TWO, 'enabled': True}
    assert policy.created_at == '2024-05-02T10:11:12.345678'
    assert policy.owner == 'P'
    assert policy.body == before


def test_the_least_policy() -> None:
    policy = Policy.from_body({'id': ONE.upper()})
    assert policy.id == ONE
    assert (policy.name, policy.description, policy.status) == (None, None, '')
    assert policy.is_enabled is None
    assert policy.servers == ()
    assert not policy.servers_are_known
    assert policy.operation == {}
    assert (policy.created_at, policy.owner) == (None, None)


@pytest.mark.parametrize(
    ('enabled', 'read'),
    [
        *((True, True), ('True', True), ('true ', True)),
        *((False, False), ('False', False), ('FALSE', False)),
        *((None, None), ('on', None), (1, None), ([], None), ('', None)),
    ],
)
def test_whether_it_is_enabled(enabled: Any, read: bool | None) -> None:
    answered = body(scheduled_operations=[{'enabled': enabled}])
    assert Policy.from_body(answered).is_enabled is read


@pytest.mark.parametrize(
    'operations',
    [None, [], {}, 'x', [None], [5], [{'enabled': True}] * 2],
)
def test_no_operation_or_several(operations: Any) -> None:
    policy = Policy.from_body(body(scheduled_operations=operations))
    assert policy.operation == {}
    assert policy.is_enabled is None


@pytest.mark.parametrize('status', ['enabled', 'suspended', 'disabled'])
def test_the_status_does_not_say_whether_it_is_enabled(status: str) -> None:
    assert Policy.from_body(body(status=status)).is_enabled is True


@pytest.mark.parametrize(
    ('resources', 'servers', 'known'),
    [
        ([], (), True),
        ([{'id': TWO}], ((TWO, None),), True),
        ([{'id': TWO.upper(), 'name': 'a'}], ((TWO, 'a'),), True),
        ([{'id': TWO.replace('-', ''), 'name': 5}], ((TWO, None),), True),
        ([{'id': TWO, 'type': 'OS::Cinder::Volume'}], (), True),
        ([{'id': 'vm-1', 'name': 'a'}], (('vm-1', 'a'),), True),
        ([{'name': 'a'}], (), False),
        ([{'id': ''}, {'id': TWO}], ((TWO, None),), False),
        ([{'id': None}], (), False),
        ([TWO], (), False),
        ([None, {'id': TWO}], ((TWO, None),), False),
        (None, (), False),
        ({TWO: {}}, (), False),
        ('x', (), False),
    ],
)
def test_its_servers(resources: Any, servers: Any, known: bool) -> None:
    policy = Policy.from_body(body(resources=resources))
    assert policy.servers == servers
    assert policy.servers_are_known is known


@pytest.mark.parametrize('id', [None, 5, f'{ONE}\n', []])
def test_a_policy_without_an_id_is_malformed(id: Any) -> None:
    with pytest.raises(errors.MalformedResponse):
        Policy.from_body(body(id=id))


# -- C12, C13 --------------------------------------------------------------


class TestReading:
    def test_one(self, fake_cloud: MakeCloud) -> None:
        cloud = fake_cloud()
        cloud.on('GET', f'{URL}/policies/{ONE}', json={'policy': body()})
        assert policies(cloud).get(ONE.upper()).name == 'weekly'

    def test_another_one_is_not_it(self, fake_cloud: MakeCloud) -> None:
        cloud = fake_cloud()
        answer = {'policy': body(id=TWO)}
        cloud.on('GET', f'{URL}/policies/{ONE}', json=answer)
        with pytest.raises(errors.MalformedResponse):
            policies(cloud).get(ONE)

    def test_a_name_is_asked_for_and_compared(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        rows = [body(), body(id=TWO, name='weekly-2')]
        cloud.on('GET', f'{URL}/policies', json={'policies': rows})
        found = list(policies(cloud).list(name='weekly'))
        assert [policy.id for policy in found] == [ONE]
        assert cloud.requests[0].qs['name'] == ['weekly']

    @pytest.mark.parametrize(
        ('owner', 'owns'), [('p', True), ('q', False), (None, True)]
    )
    def test_whose_it_is(
        self, fake_cloud: MakeCloud, owner: str | None, owns: bool
    ) -> None:
        policy = Policy.from_body(body(project_id=owner))
        assert policies(fake_cloud()).owns(policy) is owns


# -- C11 -------------------------------------------------------------------


class _Answers(Makes):
    """What is answered with a policy."""

    def answer(self, id: Any) -> Any:
        return {'policy': body(id=id)}

    @pytest.mark.parametrize(
        'policy',
        [
            *(None, [], 'x', {}, body(id=None), body(id=5), body(id='')),
            *(body(id='..'), body(id=f'fake_{ONE}'), body(id=f'{TWO}\n')),
        ],
        ids=repr,
    )
    def test_without_the_policy_its_end_is_not_known(
        self, fake_cloud: MakeCloud, policy: Any
    ) -> None:
        answer = {
            'json': {'policy': policy},
            'headers': {'x-openstack-request-id': 'req-1'},
        }
        cloud = self.there(fake_cloud, answer)
        with pytest.raises(errors.OutcomeUnknown) as raised:
            self.call(Transport(cloud.session))
        assert raised.value.request_id == 'req-1'
        assert not raised.value.hint
        assert len(cloud.sent()) == 1


class TestCreating(_Answers):
    path = 'policies'
    body: ClassVar[Any] = {
        'policy': {
            'name': 'weekly',
            'resources': [],
            'scheduled_operations': [{'enabled': False}],
            'provider_id': CSBS_PROVIDER,
            'parameters': {'common': {}},
        }
    }
    wanted: ClassVar[Any] = {
        'name': 'weekly',
        'resources': [],
        'scheduled_operations': [{'enabled': False}],
    }

    def call(self, transport: Transport) -> Receipt:
        return Policies(transport, URL).create(self.wanted)[1]

    def test_the_policy_is_returned(self, fake_cloud: MakeCloud) -> None:
        answer = {'json': {'policy': body(id=TWO.upper(), colour='blue')}}
        cloud = self.there(fake_cloud, answer)
        wanted = copy.deepcopy(self.wanted)
        policy, receipt = policies(cloud).create(wanted)
        assert wanted == self.wanted
        assert (policy.id, policy.is_enabled) == (TWO, True)
        assert policy.body['colour'] == 'blue'
        assert (receipt.status, receipt.attempts) == (200, 1)

    def test_another_provider_in_the_answer_says_nothing(
        self, fake_cloud: MakeCloud
    ) -> None:
        answer = {'json': {'policy': body(provider_id=TWO)}}
        cloud = self.there(fake_cloud, answer)
        assert policies(cloud).create(self.wanted)[0].id == ONE

    def test_another_provider_is_sent_if_asked_for(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = self.there(fake_cloud, {'json': self.answer(ONE)})
        calls = Policies(Transport(cloud.session), URL, TWO.upper())
        calls.create(self.wanted | {'provider_id': ONE})
        assert cloud.requests[0].json()['policy']['provider_id'] == TWO

    @pytest.mark.parametrize('id', NO_IDS)
    def test_the_provider_is_an_id(
        self, fake_cloud: MakeCloud, id: str
    ) -> None:
        with pytest.raises(errors.InvalidId):
            Policies(Transport(fake_cloud().session), URL, id)


# -- C14 -------------------------------------------------------------------


class TestUpdating(_Answers):
    method = 'PUT'
    repeats = False
    path = f'policies/{TWO}'
    body: ClassVar[Any] = {'policy': {'description': '', 'colour': [1]}}

    def call(self, transport: Transport) -> Receipt:
        changes = {'description': '', 'colour': [1]}
        return Policies(transport, URL).update(TWO.upper(), changes)[1]

    def test_the_policy_is_returned(self, fake_cloud: MakeCloud) -> None:
        answer = {'json': {'policy': body(id=TWO.upper(), name='new')}}
        cloud = self.there(fake_cloud, answer)
        policy, receipt = policies(cloud).update(TWO, {'name': 'new'})
        assert (policy.id, policy.name) == (TWO, 'new')
        assert receipt.status == 200

    def test_another_policy_is_not_it(self, fake_cloud: MakeCloud) -> None:
        cloud = self.there(fake_cloud, {'json': self.answer(ONE)})
        with pytest.raises(errors.OutcomeUnknown):
            self.call(Transport(cloud.session))
        assert len(cloud.sent()) == 1


# -- C15 -------------------------------------------------------------------


class TestDeleting:
    def ask(self, cloud: FakeCloud, *answers: Any) -> Receipt:
        cloud.on('DELETE', f'{URL}/policies/{ONE}', *answers)
        return policies(cloud).delete(ONE.upper())

    @pytest.mark.parametrize('answer', [{}, {'json': {}}])
    def test_it_is_accepted(
        self, fake_cloud: MakeCloud, answer: dict[str, Any]
    ) -> None:
        cloud = fake_cloud()
        receipt = self.ask(cloud, {'status_code': 200, **answer})
        assert (receipt.status, receipt.attempts) == (200, 1)
        assert cloud.sent() == [f'DELETE {URL}/policies/{ONE}']
        assert cloud.requests[0].body is None

    @pytest.mark.parametrize(
        'answer',
        [{'text': '<html>'}, {'status_code': 202}, {'status_code': 201}],
    )
    def test_another_success_is_none(
        self, fake_cloud: MakeCloud, answer: dict[str, Any]
    ) -> None:
        with pytest.raises(errors.UnexpectedSuccess):
            self.ask(fake_cloud(), answer)

    def test_a_policy_that_is_none(self, fake_cloud: MakeCloud) -> None:
        refusal = {'error_code': 'CSBS.3000', 'error_msg': 'no'}
        cloud = fake_cloud()
        with pytest.raises(errors.NotFound) as raised:
            self.ask(cloud, {'status_code': 404, 'json': refusal})
        assert raised.value.code == 'CSBS.3000'
        assert len(cloud.sent()) == 1

    def test_refused_after_a_lost_answer(self, fake_cloud: MakeCloud) -> None:
        with pytest.raises(errors.RepeatedDelete):
            self.ask(
                fake_cloud(),
                {'exc': requests.exceptions.ConnectionError},
                {'status_code': 404},
            )


# -- C4 --------------------------------------------------------------------


class TestRunning(MakesWithId):
    path = CHECKPOINTS
    body: ClassVar[Any] = {'checkpoint': {'plan_id': ONE, 'parameters': {}}}

    def call(self, transport: Transport) -> Receipt:
        return KarborCheckpoints(transport, URL).create(ONE.upper())

    def answer(self, id: Any) -> Any:
        return {'checkpoint': {'id': id, 'status': 'protecting'}}

    def test_it_can_be_followed(self, fake_cloud: MakeCloud) -> None:
        cloud = self.there(fake_cloud, {'json': self.answer(TWO.upper())})
        receipt = self.call(Transport(cloud.session))
        assert receipt.handle is not None
        assert receipt.handle.checkpoint_id == TWO

    def test_some_servers(self, fake_cloud: MakeCloud) -> None:
        cloud = self.there(fake_cloud, {'json': self.answer(TWO)})
        checkpoints(cloud).create(ONE, [TWO.upper(), ONE])
        parameters = cloud.requests[0].json()['checkpoint']['parameters']
        assert parameters == {'resources': [TWO, ONE]}

    def test_no_server_is_never_all(self, fake_cloud: MakeCloud) -> None:
        cloud = fake_cloud()
        with pytest.raises(errors.InvalidId):
            checkpoints(cloud).create(ONE, [])
        assert cloud.requests == []

    @pytest.mark.parametrize('id', NO_IDS)
    def test_what_is_no_server_is_not_sent(
        self, fake_cloud: MakeCloud, id: str
    ) -> None:
        cloud = fake_cloud()
        with pytest.raises(errors.InvalidId):
            checkpoints(cloud).create(ONE, [TWO, id])
        assert cloud.requests == []


# -- ids that never leave --------------------------------------------------


@pytest.mark.parametrize('id', NO_POLICIES)
def test_what_is_no_policy_is_not_sent(fake_cloud: MakeCloud, id: str) -> None:
    _is_not_sent(fake_cloud(), id)


@given(
    id=st.one_of(
        st.text(),
        st.text('0123456789abcdef-./%', max_size=40),
        st.uuids().map(lambda one: f'fake_{one}'),
        st.uuids().map(lambda one: f'{one}/../{ONE}'),
        st.builds(
            lambda one, before, behind: f'{before}{one}{behind}',
            st.uuids(),
            st.text(max_size=3),
            st.text(max_size=3),
        ),
    ).filter(lambda id: not is_uuid(id))
)
def test_no_text_but_a_uuid_is_sent(id: str) -> None:
    cloud = FakeCloud()
    try:
        _is_not_sent(cloud, id)
    finally:
        cloud.session.session.close()


def _is_not_sent(cloud: FakeCloud, id: str) -> None:
    calls = policies(cloud)
    for call in (
        lambda: calls.get(id),
        lambda: calls.update(id, {'name': 'x'}),
        lambda: calls.delete(id),
        lambda: checkpoints(cloud).create(id),
    ):
        with pytest.raises(errors.InvalidId):
            call()
    assert cloud.requests == []
