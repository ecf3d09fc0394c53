# SPDX-License-Identifier: Apache-2.0
"""Whatever the services answer: nothing is overwritten twice, nor unplanned.

What a run says is compared with what is on the volumes.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from tests.unit.maker import DOUBTFUL, REFUSALS, UNDONE, Fate
from tests.unit.restoring.restorer import Restorer
from tests.unit.world import uuid
from vbsclient.bulk import State
from vbsclient.change.targets import ChangeFailed, Outcome

BUSY, FREE = {'status': 'restoring-backup'}, {'status': 'available'}
OLD = {'fail_op': 'restore', 'fail_reason': 'no space'}

FATES = st.builds(
    Fate,
    before=st.lists(st.sampled_from(UNDONE), max_size=3),
    answer=st.just('good') | st.sampled_from(REFUSALS + DOUBTFUL),
    acts=st.booleans(),
    job=st.sampled_from(
        [
            *(('INIT', 'RUNNING', 'SUCCESS'), ('SUCCESS',), ('FAIL',)),
            *(('RUNNING',), ('404',), ('500', 'odd', 'SUCCESS')),
        ]
    ),
)
#: What is shown of a volume, and whether that is a failure.
VOLUME_SCRIPTS = st.lists(
    st.sampled_from([BUSY, FREE, {'status': 'error_restoring'}, {}]),
    max_size=6,
)
ITEM_SCRIPTS = st.lists(
    st.sampled_from(
        [
            {'status': 'waiting_restore'},
            {'status': 'restoring'},
            {'status': 'available'},
            {'status': 'error'},
            {'status': 'available', **OLD},
            {'taskid': 'task-1'},
            {},
        ]
    ),
    max_size=6,
)


@pytest.fixture(autouse=True, scope='module')
def _quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('vbsclient.api.http._wait', lambda state: 0.0)
        yield


def run(
    cloud: Restorer, change: Any, fate: Fate, stop_at: int | None, wait: bool
) -> Outcome:
    """The outcome, if all was verified before the trouble began."""
    targets = change.targets()
    change.targets = lambda: targets
    cloud.fates[targets[0].id] = fate
    cloud.stop_at = stop_at and len(cloud.log) + stop_at
    [outcome] = cloud.carry_out(change, wait=wait)
    return outcome


def check(cloud: Restorer, outcome: Outcome, planned: dict[str, str]) -> None:
    """Hold what is said against what was done."""
    note(f'{outcome.state}, {outcome.error!r}, {cloud.log}')
    assert cloud.broken == []
    assert len(cloud.restores) <= 1
    # All of what was planned, or nothing; and nothing else.
    done = bool(cloud.restores)
    assert cloud.overwritten == (planned if done else {})
    may_be_done = outcome.target.id in cloud.doubtful
    state = outcome.state
    if state is State.NOT_SENT:
        assert not may_be_done
    elif state is State.FAILED:
        assert not may_be_done or isinstance(outcome.error, ChangeFailed)
    elif state is State.UNKNOWN:
        assert may_be_done
    else:
        assert state in (State.ACCEPTED, State.DONE)
        assert done
    # Each POST that was sent is one that left nothing done, but the last.
    assert len(cloud.restoring_posts) == cloud.posts[outcome.target.id or '']


@pytest.mark.parametrize('vbs', [True, False], ids=['vbs', 'block storage'])
@given(
    fate=FATES,
    script=VOLUME_SCRIPTS,
    stop_at=st.none() | st.integers(1, 12),
    wait=st.booleans(),
)
def test_volumes(
    vbs: bool,
    fate: Fate,
    script: list[dict[str, str]],
    stop_at: int | None,
    wait: bool,
) -> None:
    cloud = Restorer(vbs=vbs, volumes=3)
    backup = cloud.add_backup(0)
    cloud.add_backup(1)
    target = uuid(1001)
    cloud.script = script
    change = cloud.volume_restore(backup, target)
    outcome = run(cloud, change, fate, stop_at, wait)
    check(cloud, outcome, {target: backup})
    if outcome.state is State.DONE:
        # Its job says so, or the volume was seen to be overwritten, or block
        # storage has accepted it.
        assert 'SUCCESS' in fate.job or BUSY in script or not vbs


@given(
    fate=FATES,
    script=ITEM_SCRIPTS,
    had_failed=st.booleans(),
    stop_at=st.none() | st.integers(1, 12),
    wait=st.booleans(),
    karbor=st.sampled_from([None, None, 'in_progress', 'fail']),
)
def test_servers(
    fate: Fate,
    script: list[dict[str, str]],
    had_failed: bool,
    stop_at: int | None,
    wait: bool,
    karbor: str | None,
) -> None:
    cloud = Restorer(volumes=4)
    server = cloud.add_server_of(0, [uuid(1000), uuid(1001), uuid(1002)])
    item = cloud.add_item_of(0, server, extend_info=OLD if had_failed else {})
    # It is of two of them.
    cloud.items[0]['extend_info']['volume_backups'].pop()
    cloud.script, cloud.karbor = script, karbor
    change = cloud.server_restore(item)
    outcome = run(cloud, change, fate, stop_at, wait)
    check(cloud, outcome, {uuid(1000): uuid(8000), uuid(1001): uuid(8001)})
    if outcome.state is State.DONE:
        assert not had_failed
        assert any(script)
