# SPDX-License-Identifier: Apache-2.0
"""What became of a restore of CSBS, by what its backup shows."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.world import uuid
from vbsclient.api.csbs import ServerBackup
from vbsclient.restoring.servers import Baseline, judge

NONE = ('', '')
OLD = ('restore', 'no space')
NEW = ('restore', 'the server is gone')
OTHER = ('protect', 'no space')
BEFORE = Baseline('available', '10:00', 'task-1', NONE)
FAILED_BEFORE = replace(BEFORE, failed=OLD)


def later(before: Baseline, **changes: Any) -> Baseline:
    """What is shown after the service has changed it."""
    return replace(before, updated_at='11:00', **changes)


@pytest.mark.parametrize(
    ('before', 'now', 'has_begun', 'end'),
    [
        # Nothing has happened yet.
        (BEFORE, BEFORE, False, ''),
        (FAILED_BEFORE, FAILED_BEFORE, False, ''),
        # It goes on.
        (
            BEFORE,
            replace(BEFORE, status='waiting_restore'),
            False,
            'restoring',
        ),
        (BEFORE, later(BEFORE, status='restoring'), False, 'restoring'),
        (
            BEFORE,
            later(BEFORE, status='restoring', failed=OLD),
            True,
            'restoring',
        ),
        (BEFORE, later(BEFORE, status='deleting'), True, 'restoring'),
        (BEFORE, later(BEFORE, status='deleting'), False, ''),
        (BEFORE, later(BEFORE, status=''), False, ''),
        # It is over.
        (BEFORE, BEFORE, True, 'restored'),
        (BEFORE, later(BEFORE), True, 'restored'),
        (BEFORE, later(BEFORE), False, 'restored'),
        (BEFORE, replace(BEFORE, task_id='task-2'), False, 'restored'),
        # Somebody has renamed it.
        (BEFORE, later(BEFORE, edited='x'), False, ''),
        (FAILED_BEFORE, later(FAILED_BEFORE, edited='x'), False, ''),
        (BEFORE, later(BEFORE, edited='x'), True, 'restored'),
        # Or copied it.
        (BEFORE, later(BEFORE, edited='x', task_id='2'), False, ''),
        (BEFORE, replace(BEFORE, failed=NEW), False, 'error'),
        (FAILED_BEFORE, later(FAILED_BEFORE, failed=NONE), True, 'restored'),
        # It has failed.
        (BEFORE, later(BEFORE, status='error'), False, 'error'),
        (BEFORE, later(BEFORE, status='error_restoring'), True, 'error'),
        (BEFORE, later(BEFORE, failed=NEW), True, 'error'),
        (FAILED_BEFORE, later(FAILED_BEFORE, failed=NEW), True, 'error'),
        (FAILED_BEFORE, later(FAILED_BEFORE, task_id='task-2'), True, 'error'),
        # The same old failure, or one of something else, tells nothing.
        (FAILED_BEFORE, FAILED_BEFORE, True, 'unknown'),
        (FAILED_BEFORE, later(FAILED_BEFORE), True, 'unknown'),
        (FAILED_BEFORE, later(FAILED_BEFORE), False, 'unknown'),
        (BEFORE, later(BEFORE, failed=OTHER), True, 'unknown'),
        (
            replace(BEFORE, failed=OTHER),
            later(BEFORE, failed=OTHER),
            True,
            'restored',
        ),
    ],
)
def test_each_case(
    before: Baseline, now: Baseline, has_begun: bool, end: str
) -> None:
    assert judge(before, now, has_begun) == end


SOME = st.builds(
    Baseline,
    status=st.sampled_from(
        ['available', 'waiting_restore', 'restoring', 'error', 'deleting', '']
    ),
    updated_at=st.sampled_from([None, '10:00', '11:00']),
    task_id=st.sampled_from([None, 'task-1', 'task-2']),
    failed=st.sampled_from(
        [NONE, OLD, NEW, OTHER, ('', 'x'), ('restore', '')]
    ),
)


@given(before=SOME, now=SOME, has_begun=st.booleans())
def test_success_has_evidence(
    before: Baseline, now: Baseline, has_begun: bool
) -> None:
    end = judge(before, now, has_begun)
    assert end in ('', 'restoring', 'restored', 'error', 'unknown')
    if end == 'restored':
        assert now.status == 'available'
        assert now.failed[0] == '' or now.failed == before.failed
        assert has_begun or (now.updated_at, now.task_id) != (
            before.updated_at,
            before.task_id,
        )
    if now.failed == before.failed and now.failed[0] == 'restore':
        assert end != 'restored'
    if not has_begun and now == before and now.status == 'available':
        assert end == ''
    # Once it was seen, no look takes that back.
    if judge(before, now, False):
        assert judge(before, now, True) == end


JSON_TEXT = st.none() | st.text(max_size=3) | st.integers() | st.booleans()


@given(
    extend=st.none()
    | st.text(max_size=3)
    | st.dictionaries(
        st.sampled_from(['fail_op', 'fail_reason', 'taskid']), JSON_TEXT
    ),
    status=JSON_TEXT,
    updated_at=JSON_TEXT,
)
def test_a_baseline_is_read_of_anything(
    extend: Any, status: Any, updated_at: Any
) -> None:
    body = {
        'id': uuid(1),
        'checkpoint_id': uuid(2),
        'status': status,
        'updated_at': updated_at,
        'extend_info': extend,
    }
    baseline = Baseline.of(ServerBackup.from_body(body))
    assert all(isinstance(part, str) for part in baseline.failed)
    assert judge(baseline, baseline, has_begun=False) != 'restored'
