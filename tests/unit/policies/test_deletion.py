# SPDX-License-Identifier: Apache-2.0
"""Whatever may lose its schedule with a policy is told before."""

from typing import Any

import pytest

from tests.unit.policies.services import (
    Policies,
    csbs_policies,
    service_of,
    vbs_policies,
)
from tests.unit.schedule.policies import SERVER, csbs_policy, vbs_policy
from vbsclient.api import errors
from vbsclient.api.http import Limits
from vbsclient.policies.deletion import PolicyDeletion

VOLUME = {'id': SERVER['id'], 'type': 'OS::Cinder::Volume', 'name': 'v'}


def members_of(policies: Policies, name: str) -> str:
    [target] = PolicyDeletion(service_of(policies), [name], Limits()).targets()
    return ''.join(target.members).partition(' whose')[0]


@pytest.mark.parametrize(
    ('resources', 'told'),
    [
        ([], ''),
        ([SERVER], '1 server (web01)'),
        ([VOLUME], '1 resource'),
        ([SERVER, VOLUME, None], '3 resources (web01)'),
        (None, 'an unknown number of servers'),
        ({}, 'an unknown number of servers'),
    ],
)
def test_every_resource_of_csbs_counts(resources: Any, told: str) -> None:
    policy = csbs_policy() | {'resources': resources}
    assert members_of(csbs_policies(policy), 'web') == told


@pytest.mark.parametrize(
    ('count', 'told'),
    [
        (0, ''),
        (2, '2 volumes'),
        (-1, 'an unknown number of volumes'),
        ('many', 'an unknown number of volumes'),
    ],
)
def test_the_count_of_vbs_is_believed_if_it_is_one(
    count: Any, told: str
) -> None:
    policy = vbs_policy() | {'policy_resource_count': count}
    assert members_of(vbs_policies(policy), 'nightly') == told


class Behind(Policies):
    """A list that shows no servers yet."""

    error: errors.ClientError | None = None

    def list(self, name: str | None = None) -> list[Any]:
        return [
            self._kind.from_body(body | {'resources': []})
            for body in self.bodies
        ]

    def get(self, id: str) -> Any:
        if self.error is not None:
            raise self.error
        return self._kind.from_body(self.bodies[0])


def test_a_list_is_not_believed_to_be_empty() -> None:
    policies = Behind(csbs_policies()._kind, csbs_policy())
    assert members_of(policies, 'web') == '1 server (web01)'
    policies.error = errors.MalformedResponse('odd')
    assert members_of(policies, 'web') == 'an unknown number of servers'
