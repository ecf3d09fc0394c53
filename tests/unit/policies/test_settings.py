# SPDX-License-Identifier: Apache-2.0
"""Whatever a policy has that nobody asked about is sent back, or told."""

import copy
import json
import random
from datetime import datetime, timezone
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.policies.services import (
    WAYS,
    Body,
    Policies,
    carry_out,
    csbs_policies,
    service_of,
    vbs_policies,
)
from tests.unit.schedule.policies import csbs_policy, vbs_policy
from vbsclient.api.http import Limits
from vbsclient.bulk import State
from vbsclient.change.targets import Outcome, Recorder
from vbsclient.policies.services import Edit
from vbsclient.policies.settings import PolicyUpdate
from vbsclient.schedule.values import Wanted, WantedRetention

NOW = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
ID = 'a1c1b6de-4f0d-4f6e-9a37-0d5d0b1c7e01'

NAMES = st.text('abcdefgh', min_size=1, max_size=4).map(lambda t: f'x_{t}')
VALUES = st.recursive(
    st.integers(2, 10**12) | st.text(min_size=1, max_size=8) | st.floats(2, 9),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(NAMES, inner, min_size=1, max_size=3)
    ),
    max_leaves=6,
)
#: What no reference knows.
UNKNOWN = st.dictionaries(NAMES, VALUES, max_size=3)
SEEDS = st.integers(0, 10**6)

DISABLED = Edit(Wanted(enabled=False))
KEEPS_4 = Edit(Wanted(retention=WantedRetention(last=4)))
EDITS = st.sampled_from([DISABLED, KEEPS_4, Edit(Wanted(), name='other')])


def shuffled(value: Any, random_: random.Random) -> Any:
    """The same with its keys in another order."""
    if isinstance(value, dict):
        keys = list(value)
        random_.shuffle(keys)
        return {key: shuffled(value[key], random_) for key in keys}
    if isinstance(value, list):
        return [shuffled(one, random_) for one in value]
    return value


def exact(value: Any) -> str:
    return json.dumps(value)


def foreign_vbs(seed: int, unknown: Body, inside: Body) -> Body:
    body = vbs_policy(time_zone='UTC+02:00') | unknown
    body['scheduled_policy'] |= inside
    found: Body = shuffled(body, random.Random(seed))
    return found


def foreign_csbs(seed: int, unknown: Body, inside: Body) -> Body:
    body = csbs_policy(week_backups=4, timezone='UTC+00:00') | unknown
    operation = body['scheduled_operations'][0]
    operation |= inside
    operation['operation_definition'] |= inside
    found: Body = shuffled(body, random.Random(seed))
    return found


def set_(policies: Policies, edit: Edit) -> Outcome:
    change = PolicyUpdate(service_of(policies), ID, edit, NOW, Limits())
    [outcome] = carry_out(change)
    return outcome


@given(SEEDS, UNKNOWN, UNKNOWN, EDITS)
def test_a_change_of_vbs_sends_back_all_that_was_not_asked_about(
    seed: int, unknown: Body, inside: Body, edit: Edit
) -> None:
    before = foreign_vbs(seed, unknown, inside)
    policies = vbs_policies(copy.deepcopy(before))
    assert set_(policies, edit).state is State.DONE
    [sent] = policies.sent
    own = {'backup_policy_id', 'backup_policy_name', 'policy_resource_count'}
    asked = {DISABLED: {'status'}, KEEPS_4: {'rentention_num'}}.get(
        edit, set()
    )
    for key in before.keys() - own - {'scheduled_policy'}:
        assert exact(sent[key]) == exact(before[key])
    plan = sent['scheduled_policy']
    for key, value in before['scheduled_policy'].items():
        assert key in asked or exact(plan[key]) == exact(value)
    assert sent.keys() - before.keys() == set()
    assert sent.get('backup_policy_name') == edit.name


@given(SEEDS, UNKNOWN, UNKNOWN, EDITS)
def test_a_change_of_csbs_leaves_all_that_was_not_asked_about(
    seed: int, unknown: Body, inside: Body, edit: Edit
) -> None:
    before = foreign_csbs(seed, unknown, inside)
    policies = csbs_policies(copy.deepcopy(before))
    assert set_(policies, edit).state is State.DONE
    [sent] = policies.sent
    [operation] = sent['scheduled_operations']
    old = before['scheduled_operations'][0]
    assert operation['id'] == old['id']
    assert operation['enabled'] is (edit is not DISABLED)
    expected = {'id', 'enabled'}
    if edit is KEEPS_4:
        expected.add('operation_definition')
        definition = operation['operation_definition']
        for key, value in old['operation_definition'].items():
            if key not in ('max_backups', 'provider_id'):
                assert exact(definition[key]) == exact(value)
    assert operation.keys() == expected
    assert sent.keys() - {'name'} == {'scheduled_operations'}
    after = policies.bodies[0]
    for key in before.keys() - {'name', 'scheduled_operations'}:
        assert exact(after[key]) == exact(before[key])


@pytest.mark.parametrize('kind', ['vbs', 'csbs'])
@pytest.mark.parametrize('way', WAYS)
@given(SEEDS, UNKNOWN, UNKNOWN, EDITS)
def test_what_a_service_makes_of_a_change_is_told_apart(
    kind: str, way: str, seed: int, unknown: Body, inside: Body, edit: Edit
) -> None:
    foreign = foreign_vbs if kind == 'vbs' else foreign_csbs
    make = vbs_policies if kind == 'vbs' else csbs_policies
    policies = make(foreign(seed, unknown, inside))
    policies.way = way
    outcome = set_(policies, edit)
    is_right = way in ('replaces', 'merges') or (
        way == 'drops' and not unknown
    )
    assert outcome.state is (State.DONE if is_right else State.FAILED)
    if way == 'drops' and unknown:
        assert 'x_' in str(outcome.error)
    assert len(policies.sent) == 1


@pytest.mark.parametrize('kind', ['vbs', 'csbs'])
@pytest.mark.parametrize('acts', [True, False])
@pytest.mark.parametrize('way', WAYS)
def test_a_lost_answer_is_settled_by_what_is_read(
    kind: str, acts: bool, way: str
) -> None:
    policies = (
        vbs_policies(vbs_policy())
        if kind == 'vbs'
        else csbs_policies(csbs_policy())
    )
    policies.lost, policies.acts, policies.way = True, acts, way
    outcome = set_(policies, DISABLED)
    if acts and way in ('replaces', 'merges', 'drops'):
        assert outcome.state is State.DONE
        assert outcome.result is not None
        assert outcome.result.remark == 'its answer was lost'
    elif not acts or way == 'ignores':
        # It may be carried out yet.
        assert outcome.state is State.UNKNOWN
    else:
        assert outcome.state is State.FAILED
    assert len(policies.sent) == 1


def test_a_policy_that_somebody_else_changes_is_left_alone() -> None:
    policies = vbs_policies(vbs_policy())
    reads = []

    def meanwhile() -> None:
        reads.append(1)
        if len(reads) == 2:
            policies.bodies[0]['scheduled_policy']['rentention_num'] = 3

    policies.on_read = meanwhile
    outcome = set_(policies, DISABLED)
    assert outcome.state is State.REFUSED
    assert 'rentention_num is 3 and was 10' in str(outcome.error)
    assert policies.sent == []


def test_what_somebody_else_changes_at_the_same_time_is_told() -> None:
    policies = vbs_policies(vbs_policy())
    reads = []

    def meanwhile() -> None:
        reads.append(1)
        if len(reads) == 3:
            policies.bodies[0]['scheduled_policy']['rentention_num'] = 3

    policies.on_read = meanwhile
    outcome = set_(policies, DISABLED)
    assert outcome.state is State.FAILED
    assert 'rentention_num is 3 and was 10' in str(outcome.error)


def test_a_change_waits_for_its_turn_before_the_policy_is_read() -> None:
    policies = vbs_policies(vbs_policy())
    seen: list[str] = []

    class Paced(Recorder):
        def await_turn(self) -> None:
            seen.append('turn')
            policies.on_read = lambda: seen.append('read')

        def record(
            self, target: Any, action: Any, send: Any, **more: Any
        ) -> Any:
            seen.append('sent')
            return send()

    change = PolicyUpdate(service_of(policies), ID, DISABLED, NOW, Limits())
    carry_out(change, Paced())
    assert seen[:3] == ['turn', 'read', 'sent']


def test_what_was_before_is_kept_before_it_is_replaced() -> None:
    policies = vbs_policies(vbs_policy())
    seen = []

    class Keeper(Recorder):
        def record(
            self, target: Any, action: Any, send: Any, **more: Any
        ) -> Any:
            seen.append((more, list(policies.sent)))
            return send()

    change = PolicyUpdate(service_of(policies), ID, DISABLED, NOW, Limits())
    carry_out(change, Keeper())
    assert seen == [({'before': vbs_policy()}, [])]


@pytest.mark.parametrize('lost', [True, False])
def test_one_look_after_an_interruption_proves_nothing(lost: bool) -> None:
    policies = vbs_policies(vbs_policy())
    policies.acts, policies.lost = False, lost
    limits = Limits()
    reads = []

    def meanwhile() -> None:
        reads.append(1)
        if len(reads) == 3:
            limits.stop.set()

    policies.on_read = meanwhile
    change = PolicyUpdate(service_of(policies), ID, DISABLED, NOW, limits)
    [outcome] = carry_out(change, limits=limits)
    assert outcome.state is State.UNKNOWN


def test_nothing_is_sent_after_an_interruption() -> None:
    policies = vbs_policies(vbs_policy())
    limits = Limits()
    reads = []

    def meanwhile() -> None:
        reads.append(1)
        if len(reads) == 2:
            limits.stop.set()

    policies.on_read = meanwhile
    change = PolicyUpdate(service_of(policies), ID, DISABLED, NOW, limits)
    [outcome] = carry_out(change, limits=limits)
    assert outcome.state is State.NOT_SENT
    assert policies.sent == []


def test_a_plan_does_not_guess_what_cannot_be_read() -> None:
    two = csbs_policy()
    two['scheduled_operations'] *= 2
    for policies in (
        csbs_policies(two),
        vbs_policies(vbs_policy(start_time=None, rentention_num='ten')),
    ):
        edit = Edit(Wanted())
        update = PolicyUpdate(service_of(policies), ID, edit, NOW, Limits())
        with mock.patch.object(update, '_changes', return_value={}):
            update.targets()
        assert update.plan is not None
        assert not update.plan.before.retention_is_told
        assert update.plan.before.settings.schedule is None
