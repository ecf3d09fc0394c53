# SPDX-License-Identifier: Apache-2.0
"""A new policy is only taken for one's own if it is what was sent."""

import copy
from typing import Any
from unittest import mock

import pytest

from tests.unit.policies.services import Policies as BasePolicies
from tests.unit.policies.services import carry_out, service_of
from vbsclient.api import csbs, errors, vbs
from vbsclient.api.http import Limits, Receipt
from vbsclient.bulk import State
from vbsclient.policies.settings import PolicyCreation

OLD = 'a1c1b6de-4f0d-4f6e-9a37-0d5d0b1c7e01'
NEW = 'a1c1b6de-4f0d-4f6e-9a37-0d5d0b1c7e02'
SERVER = {'id': OLD, 'type': 'OS::Nova::Server', 'name': 's'}

VBS = {
    'backup_policy_name': 'new',
    'scheduled_policy': {
        'start_time': '02:00',
        'frequency': 1,
        'rentention_num': 7,
        'remain_first_backup_of_curMonth': 'N',
        'status': 'ON',
    },
}
CSBS = {
    'name': 'new',
    'resources': [SERVER],
    'scheduled_operations': [
        {
            'enabled': True,
            'operation_type': 'backup',
            'operation_definition': {'max_backups': 7},
            'trigger': {
                'properties': {
                    'pattern': 'RRULE:FREQ=DAILY;BYHOUR=2;BYMINUTE=0'
                }
            },
        }
    ],
}


class Policies(BasePolicies):
    """Creates what a test says, and answers as it says."""

    def __init__(self, kind: Any, made: Any, said: Any, lost: bool) -> None:
        super().__init__(kind)
        self.made, self.said, self.lost = made, said, lost

    def create(self, body: Any) -> Any:
        self.sent.append(body)
        if self.made:
            self.bodies.append(self.made)
        if self.lost:
            raise errors.OutcomeUnknown(errors.ConnectionFailed('no answer'))
        receipt = Receipt(200, 'req-1', 1)
        if self._kind is csbs.Policy:
            return csbs.Policy.from_body(self.said), receipt
        return self.said, receipt


def vbs_body(**changes: Any) -> dict[str, Any]:
    body = copy.deepcopy(VBS)
    own = {'backup_policy_id': NEW, 'policy_resource_count': 0}
    for key, value in changes.items():
        if key == 'policy_resource_count':
            own[key] = value
        else:
            body['scheduled_policy'][key] = value  # type: ignore[index]
    return body | own


def csbs_body(**changes: Any) -> dict[str, Any]:
    return {'id': NEW, 'status': 'suspended'} | copy.deepcopy(CSBS) | changes


def create(policies: Policies) -> Any:
    request = VBS if policies._kind is vbs.Policy else CSBS
    change = PolicyCreation(service_of(policies), 'new', request, Limits())
    with mock.patch.object(change, 'add_members', return_value='') as members:
        [outcome] = carry_out(change)
    return outcome, members.called


@pytest.mark.parametrize(
    ('changes', 'is_own'),
    [
        ({}, True),
        ({'rentention_num': '7'}, True),
        ({'rentention_num': 8}, False),
        ({'frequency': 2}, False),
        ({'start_time': '05:00'}, False),
        ({'status': 'OFF'}, False),
        ({'policy_resource_count': 9}, False),
        ({'remain_first_backup_of_curMonth': 'Y'}, False),
    ],
)
def test_a_lost_answer_of_vbs_is_settled_by_all_that_was_sent(
    changes: Any, is_own: bool
) -> None:
    made = vbs_body(**changes)
    outcome, has_added = create(Policies(vbs.Policy, made, NEW, True))
    assert outcome.state is (State.DONE if is_own else State.UNKNOWN)
    assert has_added is is_own
    assert is_own or f'{NEW} of the name is not what was' in str(outcome.error)


OPERATION = CSBS['scheduled_operations'][0]  # type: ignore[index]


@pytest.mark.parametrize(
    ('changes', 'is_own'),
    [
        ({}, True),
        ({'description': ''}, True),
        ({'description': 'other'}, False),
        ({'resources': []}, False),
        ({'resources': [SERVER, SERVER | {'id': NEW}]}, False),
        ({'scheduled_operations': [OPERATION | {'enabled': False}]}, False),
        (
            {
                'scheduled_operations': [
                    OPERATION | {'operation_definition': {'max_backups': 1}}
                ]
            },
            False,
        ),
        ({'scheduled_operations': [OPERATION, OPERATION]}, False),
    ],
)
@pytest.mark.parametrize('lost', [True, False])
def test_a_policy_of_csbs_that_is_not_what_was_sent_is_unknown(
    changes: Any, is_own: bool, lost: bool
) -> None:
    made = csbs_body(**changes)
    outcome, has_added = create(Policies(csbs.Policy, made, made, lost))
    assert outcome.state is (State.DONE if is_own else State.UNKNOWN)
    assert has_added is is_own


def test_an_answer_with_another_name_is_unknown() -> None:
    said = csbs_body(name='other')
    outcome, has_added = create(Policies(csbs.Policy, said, said, False))
    assert outcome.state is State.UNKNOWN
    assert not has_added


def test_an_answer_that_says_little_is_believed() -> None:
    policies = Policies(csbs.Policy, None, {'id': NEW, 'name': 'new'}, False)
    outcome, _ = create(policies)
    assert outcome.state is State.DONE


@pytest.mark.parametrize('kind', [vbs.Policy, csbs.Policy])
def test_the_id_of_a_policy_that_was_there_is_no_new_one(kind: Any) -> None:
    is_vbs = kind is vbs.Policy
    said = OLD if is_vbs else csbs_body(id=OLD)
    policies = Policies(kind, None, said, False)
    old = {'backup_policy_id': OLD, 'backup_policy_name': 'old'}
    policies.bodies.append(old if is_vbs else {'id': OLD, 'name': 'old'})
    outcome, has_added = create(policies)
    assert outcome.state is State.UNKNOWN
    assert not has_added
    assert f'{OLD}, which was there before' in str(outcome.error)
