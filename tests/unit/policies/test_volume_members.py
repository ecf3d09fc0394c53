# SPDX-License-Identifier: Apache-2.0
"""What the tasks of policies tell of volumes."""

from datetime import datetime, timezone

import pytest

from tests.unit.policies.keeper import Keeper
from vbsclient.change.targets import Target
from vbsclient.lookup.policies import find_policy
from vbsclient.lookup.refusals import RefusedError, UnverifiedError
from vbsclient.policies.volume_members import VolumeAddition

NOW = datetime(2026, 11, 14, 2, 0, tzinfo=timezone.utc)


def planned(keeper: Keeper, *, move: bool = False) -> Target:
    """The only target of an addition to the first policy."""
    [target] = VolumeAddition(
        keeper.vbs,
        keeper.cinder,
        find_policy(keeper.vbs.policies, keeper.policy_ids[0]),
        keeper.ids[:1],
        now=NOW,
        limits=keeper.limits,
        move=move,
    ).targets()
    assert keeper.sent == []
    return target


@pytest.mark.parametrize(
    ('own', 'other', 'is_refused'),
    [
        ('', '2026-11-13T02:00:00.000', True),
        ('', '2026-10-15T03:00:00.000', True),
        ('', '2026-10-15T01:00:00.000', False),
        ('', '2030-01-01T00:00:00.000', True),
        ('', 'yesterday', True),
        ('2026-11-13T02:00:00.000', '2026-11-12T02:00:00.000', False),
        ('2026-11-12T02:00:00.000', '2026-11-13T02:00:00.000', True),
        ('2026-11-12T02:00:00.000', '2026-11-12T02:00:00.000', True),
        ('2026-11-12T02:00:00.000', '', False),
    ],
    ids=[
        *('recent', '30 days', 'older', 'in the future', 'no time'),
        *('own is later', 'other is later', 'same moment', 'own alone'),
    ],
)
def test_the_last_task_of_a_month_tells_the_policy(
    own: str, other: str, is_refused: bool
) -> None:
    keeper = Keeper()
    first, second = keeper.policy_ids
    keeper.volumes[second] = [keeper.ids[1]]
    for policy, at in ((first, own), (second, other)):
        if at:
            keeper.add_task(policy, keeper.ids[0], at)
    target = planned(keeper)
    assert isinstance(target.refusal, RefusedError) == is_refused
    if is_refused:
        assert second in str(target.refusal)


def test_one_that_may_move_says_what_it_leaves() -> None:
    keeper = Keeper()
    other = keeper.policy_ids[1]
    keeper.volumes[other] = [keeper.ids[0]]
    keeper.add_task(other, keeper.ids[0], '2026-11-13T02:00:00.000')
    target = planned(keeper, move=True)
    assert target.refusal is None
    assert target.notes == [
        f'leaves the policy policy-1 ({other}), of which is the last task '
        f'for it, of 2026-11-13 02:00:00'
    ]


def test_a_policy_without_volumes_is_not_asked_for_tasks() -> None:
    keeper = Keeper()
    own, other = keeper.policy_ids
    planned(keeper)
    read = [line for line in keeper.log if 'backuptasks' in line]
    assert any(own in line for line in read)
    assert not any(other in line for line in read)


@pytest.mark.parametrize('status', [400, 403, 404])
def test_unread_tasks_refuse_what_may_not_move(status: int) -> None:
    keeper = Keeper()
    other = keeper.policy_ids[1]
    keeper.volumes[other] = [keeper.ids[1]]
    keeper.faults.append((f'{other}/backuptasks', status))
    assert isinstance(planned(keeper).refusal, UnverifiedError)
    assert planned(keeper, move=True).refusal is None
