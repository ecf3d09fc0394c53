# SPDX-License-Identifier: Apache-2.0
"""``openstack csbs backup prune``."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack
from tests.functional.wire import checkpoint_delete, deletes, requests
from tests.sandbox import Fault, Sandbox
from tests.sandbox.model import CheckpointItem, Server

PRUNE = ('csbs', 'backup', 'prune')


def add(
    c: Sandbox, days: float, *servers: Server, **more: Any
) -> list[CheckpointItem]:
    """What one run saved of some servers."""
    return c.state.add_checkpoint(
        servers, created_at=c.state.now() - timedelta(days=days), **more
    ).items


def plan_of(openstack: Openstack, *args: str) -> dict[str, tuple[str, Any]]:
    """ID -> (action, reasons) of a dry run."""
    rows = openstack(
        *(*PRUNE, *args, '--dry-run', '-f', 'json'), complains=[...], code=0
    )
    return {
        row['ID']: (row['Action'], row['Reasons'])
        for row in json.loads(rows.stdout)
    }


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's zone must not matter."""
    monkeypatch.setenv('TZ', 'UTC')


def test_one_part_goes_and_the_others_of_its_checkpoint_stay(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(deletion_time=0.05)
    web, db = c.state.add_server('web01'), c.state.add_server('db01')
    old_web, only_db = add(c, 50, web, db)
    newer = add(c, 1, web)
    result = openstack(
        *PRUNE, '--all-servers', '--keep-last', '1', '--yes', '--wait'
    )
    assert deletes(c) == [checkpoint_delete(old_web.checkpoint_id, old_web.id)]
    assert set(c.state.items) == {only_db.id, newer[0].id}
    assert 'Deleted: 1, kept: 2, skipped: 0, failed: 0.' in result.stdout


def test_by_server_and_shown_by_its_name(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    web, db = c.state.add_server('web01'), c.state.add_server('db01')
    (kept,), (old,) = add(c, 1, web), add(c, 50, web)
    add(c, 60, db)
    command = (*PRUNE, '--server', 'web01', '--keep-last', '1', '--dry-run')
    told = openstack(*command)
    assert re.search(r'\| web01 +\|', told.stdout)
    rows = openstack(*command, '-f', 'json', complains=[...], code=0).json()
    assert [(row['Group'], row['ID'], row['Action']) for row in rows] == [
        (web.id, kept.id, 'keep'),
        (web.id, old.id, 'delete'),
    ]
    assert rows[0]['Size'] == kept.size


def test_what_must_stay_stays_with_its_reason(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    web = c.state.add_server('web01')
    (newest,) = add(c, 1, web)
    (imaged,) = add(c, 40, web, image=True)
    (running,) = add(c, 50, web, status='protecting')
    (failed,) = add(c, 60, web, status='error')
    (stuck,) = add(c, 61, web, status='error_deleting')
    (tagged,) = add(c, 70, web)
    tagged.tags = [{'key': 'keep', 'value': 'yes'}]
    (old,) = add(c, 80, web)
    told = plan_of(
        openstack,
        *('--all-servers', '--keep-last', '1', '--keep-tag', 'keep=yes'),
    )
    assert told == {
        newest.id: ('keep', ['last 1']),
        imaged.id: ('keep', ['an image was made from it']),
        running.id: ('keep', ['not finished (protecting)']),
        failed.id: ('keep', ['status error']),
        stuck.id: ('keep', ['status error_deleting']),
        tagged.id: ('keep', ['tag keep=yes']),
        old.id: ('delete', ['kept by no rule']),
    }


def test_automatic_goes_by_the_flag_and_not_by_the_name(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    web = c.state.add_server('web01')
    add(c, 1, web, name='nightly', auto_trigger=True)
    (manual,) = add(c, 50, web, name='autobk_made_by_hand')
    (automatic,) = add(c, 51, web, name='nightly', auto_trigger=True)
    told = plan_of(
        openstack, '--all-servers', '--automatic', '--keep-last', '1'
    )
    assert manual.id not in told
    assert told[automatic.id][0] == 'delete'


def test_rules_that_would_empty_a_server_are_refused_by_its_name(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    add(c, 50, c.state.add_server('web01'))
    openstack(
        *(*PRUNE, '--all-servers', '--older-than', '30d', '--yes'),
        complains=['would leave no backup that can be restored of web01 ('],
    )
    assert not deletes(c)


def test_a_disk_that_stays_full_is_warned_of(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    web = c.state.add_server('web01', 2)
    for days in range(1, 23):
        add(c, days, web)
    openstack(
        *(*PRUNE, '--all-servers', '--keep-last', '21', '--dry-run'),
        complains=[
            'refused: '
            + ', '.join(sorted(f'{v.id} (21)' for v in web.volumes))
        ],
        code=0,
    )


def test_the_name_of_all_is_asked_for(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    openstack(
        *(*PRUNE, '--keep-last', '1', '--yes'),
        code=2,
        complains=[..., '--all-servers'],
    )
    assert not requests(c)


def test_a_policy_that_the_cloud_does_not_choose_by_selects_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    web = c.state.add_server('web01')
    policy = c.state.new_uuid()
    (old,) = add(c, 50, web, policy_id=policy)
    add(c, 1, web, policy_id=policy)
    command = (*PRUNE, '--keep-last', '1', '--yes')
    openstack(
        *command, '--policy', 'weekly', complains=['is not the ID of a policy']
    )
    assert not deletes(c)
    openstack(*command, '--policy', policy)
    assert deletes(c) == [checkpoint_delete(old.checkpoint_id, old.id)]

    blind = cloud()
    add(blind, 50, blind.state.add_server('db01'))
    blind.knobs.faults.append(
        Fault(
            'status',
            'GET',
            'policy_id=',
            status=200,
            body=json.dumps(
                {'checkpoint_items': [{'id': policy, 'checkpoint_id': policy}]}
            ),
            times=None,
        )
    )
    openstack(
        *(*command, '--policy', policy),
        complains=['This cloud does not filter by policy'],
    )
    assert not deletes(blind)


def test_many_checkpoints_of_one_server_are_not_read_one_by_one(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    web = c.state.add_server('web01')
    for days in range(30):
        add(c, days, web)
    openstack(*PRUNE, '--all-servers', '--keep-last', '5', '--yes')
    assert len(deletes(c)) == 25
    assert len(requests(c)) - 25 <= 8


def test_a_cloud_without_items_says_so(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    cloud(checkpoint_items=False)
    openstack(
        *(*PRUNE, '--all-servers', '--keep-last', '1', '--yes'),
        complains=['This cloud has no checkpoint_items'],
    )


def test_a_service_that_deletes_more_than_was_asked_is_stopped(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(ignore_item_query=True)
    web, db = c.state.add_server('web01'), c.state.add_server('db01')
    add(c, 50, web, db)
    add(c, 40, web)
    add(c, 1, web)
    openstack(
        *(*PRUNE, '--all-servers', '--keep-last', '1', '--yes'),
        complains=[
            'More is being deleted than was named',
            '1 of 2 backups',
        ],
    )
    assert len(deletes(c)) == 1
