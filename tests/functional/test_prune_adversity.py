# SPDX-License-Identifier: Apache-2.0
"""What goes wrong while rules are carried out never deletes too much."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack, Somebody
from tests.functional.wire import (
    checkpoint_delete,
    deletes,
    requests,
    vbs_delete,
)
from tests.sandbox import Fault, LoggedRequest, Sandbox
from tests.sandbox.model import Backup, Volume

VBS = ('vbs', 'backup', 'prune')
CSBS = ('csbs', 'backup', 'prune')


def add(
    c: Sandbox, days: float, volume: Volume | str | None = None, **more: Any
) -> Backup:
    """A backup so many days old."""
    return c.state.add_backup(
        volume=volume,
        created_at=c.state.now() - timedelta(days=days),
        **more,
    )


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's zone must not matter."""
    monkeypatch.setenv('TZ', 'UTC')


# -- lists that break off --------------------------------------------------


@pytest.mark.parametrize('status', [403, 404])
def test_shares_that_can_be_read_only_in_part_stop_the_run(
    cloud: CloudFactory, openstack: Openstack, status: int
) -> None:
    c = cloud(max_page=2)
    add(c, 1)
    for days in range(2, 8):
        partner = c.state.add_project(f'partner-{days}', member=False)
        c.state.add_share(add(c, days), partner)
    c.knobs.faults.append(
        Fault('status', 'GET', 'sharing', status=status, times=None, skip=1)
    )
    openstack(
        *(*VBS, '--all-volumes', '--keep-last', '1', '--yes'),
        complains=['The list broke off after 2 rows'],
    )
    assert not deletes(c)


@pytest.mark.parametrize('status', [403, 404])
def test_what_csbs_made_stays_where_its_list_breaks_off(
    cloud: CloudFactory, openstack: Openstack, status: int
) -> None:
    c = cloud(max_page=2, versions=('v1', 'v3'), discovery='v3')
    server = c.state.add_server('web01')
    disk = server.volumes[0]
    add(c, 1, disk)
    for days in range(30, 36):
        c.state.add_checkpoint(
            [server], created_at=c.state.now() - timedelta(days=days)
        )
    add(c, 60, disk)
    c.knobs.faults.append(
        Fault('status', 'GET', '_items', status=status, times=None, skip=1)
    )
    result = openstack(
        *(*VBS, '--all-volumes', '--keep-last', '1', '--dry-run'),
        *('-f', 'json'),
        complains=[..., 'Backups were kept because'],
        code=1,
    )
    assert {row['Action'] for row in result.json()} == {'keep'}
    assert 'broke off after 2 rows' in str(result.json()[1]['Reasons'])


@pytest.mark.parametrize('look', ['first', 'second'])
@pytest.mark.parametrize('status', [400, 401, 403, 404])
def test_a_list_that_breaks_off_deletes_nothing(
    cloud: CloudFactory, openstack: Openstack, status: int, look: str
) -> None:
    c = cloud(max_page=2)
    for days in range(1, 6):
        add(c, days)
    # Two full pages, one with the rest and an empty one.
    skip = 1 if look == 'first' else 5
    c.knobs.faults.append(
        Fault('status', 'GET', 'detail', status=status, times=None, skip=skip)
    )
    openstack(
        *(*VBS, '--all-volumes', '--keep-last', '1', '--yes'),
        complains=[...],
        code=1,
    )
    assert not deletes(c)


@pytest.mark.parametrize('status', [403, 404])
@pytest.mark.parametrize('count', [2, 6])
def test_shares_that_cannot_be_read_any_more_stop_the_run(
    cloud: CloudFactory, openstack: Openstack, status: int, count: int
) -> None:
    c = cloud()
    for days in range(1, count + 1):
        add(c, days)

    def forbid() -> None:
        c.knobs.faults.append(
            Fault('status', 'GET', 'sharing', status=status, times=None)
        )

    openstack(
        *(*VBS, '--all-volumes', '--keep-last', '1'),
        stdin=Somebody('y', forbid),
        complains=[..., f'(HTTP {status}'],
        code=1,
    )
    assert not deletes(c)


# -- what an unset variable of a shell leaves ------------------------------


@pytest.mark.parametrize('option', ['--status', '--availability-zone'])
@pytest.mark.parametrize('prune', [VBS, CSBS])
def test_an_empty_text_selects_nothing(
    cloud: CloudFactory,
    openstack: Openstack,
    prune: tuple[str, ...],
    option: str,
) -> None:
    c = cloud()
    everything = '--all-volumes' if prune is VBS else '--all-servers'
    openstack(
        *(*prune, everything, '--keep-last', '1', option, '', '--yes'),
        code=2,
        complains=[..., f'{option} is empty'],
    )
    assert not requests(c)


# -- between the plan and the deletion -------------------------------------


def test_what_is_not_selected_any_more_is_not_said_to_be_gone(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    add(c, 1, name='nightly-3')
    renamed = add(c, 2, name='nightly-2')
    old = add(c, 3, name='nightly-1')

    def rename() -> None:
        renamed.name = 'keep-me'

    openstack(
        *(*VBS, '--name-contains', 'nightly', '--keep-last', '1'),
        stdin=Somebody('y', rename),
        complains=[f'{renamed.id}): skipped: it has changed since'],
        code=0,
    )
    assert deletes(c) == vbs_delete(old.id)


@pytest.mark.parametrize(
    ('change', 'reason'),
    [
        ('vanish', 'it is gone'),
        ('busy', 'not finished (restoring)'),
        ('image', 'an image was made from it'),
        ('rename', 'it is not the same any more'),
        ('move', 'it is not the same any more'),
        ('tag', 'tag keep=yes'),
    ],
)
def test_a_server_backup_that_has_changed_since_the_plan_is_skipped(
    cloud: CloudFactory, openstack: Openstack, change: str, reason: str
) -> None:
    c = cloud()
    web = c.state.add_server('web01')
    _, changed, old = (
        c.state.add_checkpoint(
            [web], created_at=c.state.now() - timedelta(days=days)
        ).items[0]
        for days in (1, 50, 51)
    )

    def meanwhile() -> None:
        if change == 'vanish':
            c.state.remove_item(changed)
        elif change == 'busy':
            changed.status = 'restoring'
        elif change == 'image':
            changed.images = [c.state.new_uuid()]
        elif change == 'rename':
            changed.name = 'keep-me'
        elif change == 'move':
            changed.checkpoint_id = old.checkpoint_id
        else:
            changed.tags = [{'key': 'keep', 'value': 'yes'}]

    openstack(
        *(*CSBS, '--server', web.id, '--keep-last', '1'),
        *('--keep-tag', 'keep=yes'),
        stdin=Somebody('y', meanwhile),
        complains=[
            re.compile(f'Delete 2 .*{changed.id}.*{re.escape(reason)}')
        ],
        code=0,
    )
    assert deletes(c) == [checkpoint_delete(old.checkpoint_id, old.id)]


def test_a_list_that_shrinks_while_it_is_read_makes_nothing_older_go(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    backups: list[Backup] = []
    vanished: list[Backup] = []

    def vanish(request: LoggedRequest) -> None:
        # The newest goes after each page, which moves the others up.
        if 'backups/detail' in str(request) and len(vanished) < 6:
            vanished.append(backups.pop(0))
            c.state.remove_backup(vanished[-1])

    c = cloud(max_page=3, on_finished=vanish)
    backups += [add(c, days) for days in range(1, 15)]
    openstack(
        *(*VBS, '--all-volumes', '--keep-last', '3', '--yes'),
        complains=[...],
        code=0,
    )
    assert len(vanished) == 6
    left = [b.id for b in backups if b.id in c.state.backups]
    assert len(left) >= 1
    assert left == [b.id for b in backups[: len(left)]]


def test_what_csbs_has_made_since_the_plan_replaces_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(versions=('v1', 'v3'), discovery='v3')
    server = c.state.add_server('web01')
    young, old = (add(c, days, server.volumes[0]) for days in (1, 50))

    def meanwhile() -> None:
        c.state.remove_backup(young)
        c.state.add_checkpoint([server])

    openstack(
        *(*VBS, '--all-volumes', '--keep-last', '1'),
        stdin=Somebody('y', meanwhile),
        complains=[re.compile(f'{old.id}.*last 1')],
        code=0,
    )
    assert not deletes(c)


# -- rows that nobody promised ---------------------------------------------


def serve(c: Sandbox, key: str, rows: list[dict[str, Any]]) -> None:
    """Answer with these rows whatever list is asked for."""
    path = '/backups/detail' if key == 'backups' else '_items'
    body = json.dumps({key: rows})
    c.knobs.faults.append(
        Fault('status', 'GET', path, status=200, body=body, times=None)
    )


def number(n: int) -> str:
    return f'{n:08}-0000-4000-8000-000000000000'


def backup(day: int, **other: Any) -> dict[str, Any]:
    """A backup of January as v2 lists it."""
    return {
        'id': number(day),
        'name': f'day-{day}',
        'status': 'available',
        'volume_id': number(99),
        'size': 20,
        'created_at': f'2026-01-{day:02}T02:00:00',
        'service_metadata': '{"ST": 0}',
    } | other


def item(day: int, **other: Any) -> dict[str, Any]:
    """A server backup in January."""
    return {
        'id': number(day),
        'checkpoint_id': number(50 + day),
        'name': f'day-{day}',
        'status': 'available',
        'resource_id': number(99),
        'created_at': f'2026-01-{day:02}T02:00:00',
        'extend_info': {'resource_name': 'web01', 'size': 1024},
    } | other


@pytest.mark.parametrize(
    ('odd', 'reason'),
    [
        ({'created_at': 5}, 'no date'),
        ({'created_at': 'yesterday'}, 'no date'),
        ({'created_at': '0001-01-01T00:00:00'}, 'no date'),
        ({'created_at': '9999-12-31T23:59:59'}, 'no date'),
        ({'status': None}, 'of no known status'),
        ({'status': 7}, 'not finished (7)'),
        ({'status': 'AVAILABLE'}, 'not finished (AVAILABLE)'),
        ({'volume_id': None}, 'of no known volume'),
        ({'volume_id': ''}, 'of no known volume'),
        ({'volume_id': [number(99)]}, 'of no known volume'),
        ({'service_metadata': {'ST': 1}}, 'made by CSBS'),
        ({'service_metadata': '{"ST": "5"}'}, 'made by CSBS'),
    ],
)
def test_a_backup_with_unknown_properties_is_kept(
    cloud: CloudFactory,
    openstack: Openstack,
    odd: dict[str, Any],
    reason: str,
) -> None:
    c = cloud()
    serve(c, 'backups', [backup(20), backup(10), backup(5, **odd)])
    result = openstack(
        *(*VBS, '--all-volumes', '--keep-last', '1', '--include-error'),
        *('--timezone', 'Europe/Berlin', '--dry-run', '-f', 'json'),
        complains=[...],
        code=0,
    )
    told = {row['ID']: row for row in result.json()}
    assert told[number(5)]['Action'] == 'keep'
    assert reason in told[number(5)]['Reasons']
    assert told[number(10)]['Action'] == 'delete'


def test_imported_backups_are_not_grouped_as_one_volume(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    nobody = '00000000-0000-0000-0000-000000000000'
    serve(c, 'backups', [backup(day, volume_id=nobody) for day in (9, 8, 7)])
    result = openstack(
        *(*VBS, '--all-volumes', '--keep-last', '1', '--dry-run'),
        *('-f', 'json'),
        complains=[...],
        code=0,
    )
    for row in result.json():
        assert row['Action'] == 'keep'
        assert 'of no known volume' in row['Reasons']


KEEP = {'key': 'keep', 'value': 'yes'}


@pytest.mark.parametrize(
    ('odd', 'reason'),
    [
        ({'resource_id': None}, 'of no known server'),
        ({'resource_id': ''}, 'of no known server'),
        ({'resource_id': ['x']}, 'of no known server'),
        ({'tags': 'keep=yes'}, 'its tags are not readable'),
        ({'tags': ['keep=yes']}, 'its tags are not readable'),
        ({'tags': [{'key': 'keep'}]}, 'its tags are not readable'),
        ({'created_at': ''}, 'no date'),
        ({'extend_info': None}, 'its extend_info is not readable'),
        ({'extend_info': 'rubbish'}, 'its extend_info is not readable'),
        (
            {'extend_info': json.dumps({'os_images_data': [{'a': 'b'}]})},
            'an image was made from it',
        ),
        (
            {'tags': None, 'extend_info': {'tags': [KEEP]}},
            'tag keep=yes',
        ),
        (
            {'extend_info': json.dumps({'tags': json.dumps([KEEP])})},
            'tag keep=yes',
        ),
    ],
)
def test_a_server_backup_with_unknown_properties_is_kept(
    cloud: CloudFactory,
    openstack: Openstack,
    odd: dict[str, Any],
    reason: str,
) -> None:
    c = cloud()
    serve(c, 'checkpoint_items', [item(20), item(10), item(5, **odd)])
    result = openstack(
        *(*CSBS, '--all-servers', '--keep-last', '1'),
        *('--keep-tag', 'keep=yes', '--dry-run', '-f', 'json'),
        complains=[...],
        code=0,
    )
    told = {row['ID']: row for row in result.json()}
    assert told[number(5)]['Action'] == 'keep'
    assert reason in told[number(5)]['Reasons']
    assert told[number(10)]['Action'] == 'delete'


def test_what_cannot_be_restored_does_not_count_as_the_newest(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    broken = {'supported_restore_mode': 'na', 'resource_name': 'web01'}
    rows = [item(20, extend_info=broken), item(10), item(5)]
    serve(c, 'checkpoint_items', rows)
    result = openstack(
        *(*CSBS, '--all-servers', '--keep-last', '1'),
        *('--dry-run', '-f', 'json'),
        complains=[...],
        code=0,
    )
    assert [(row['Action'], row['Reasons']) for row in result.json()] == [
        ('keep', ['cannot be restored']),
        ('keep', ['last 1']),
        ('delete', ['kept by no rule']),
    ]


@pytest.mark.parametrize('id', ['not-an-id', '../../../v2/x/backups/detail'])
def test_what_has_no_id_that_can_be_sent_fails_alone(
    cloud: CloudFactory, openstack: Openstack, id: str
) -> None:
    c = cloud()
    kept = c.state.add_backup()
    volume = {'volume_id': kept.volume_id}
    rows = [backup(20, id=kept.id, **volume), backup(10, id=id, **volume)]
    serve(c, 'backups', rows)
    openstack(
        *(*VBS, '--all-volumes', '--keep-last', '1', '--yes'),
        complains=['is not an ID (a UUID)', '1 of 1 backups failed'],
    )
    assert not deletes(c)


# -- chains ----------------------------------------------------------------


def test_block_storage_keeps_what_was_built_before_a_snapshot_was_backed_up(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(catalog='volumev3', csbs_catalog=None, chains=True)
    disk = c.state.add_volume()
    full = add(c, 20, disk)
    increment = add(c, 10, disk, incremental=True)
    of_snapshot = add(c, 5, disk)
    of_snapshot.data_timestamp = c.state.stamp(
        c.state.now() - timedelta(days=15)
    )
    add(c, 3, disk, incremental=True, parent=of_snapshot)
    assert increment.parent_id == full.id
    openstack(*VBS, '--volume', disk.id, '--keep-last', '3', '--yes')
    assert full.id in c.state.backups
    assert not deletes(c)


@pytest.mark.parametrize(
    ('count', 'told'),
    [
        (1, 'Nothing to delete: the only backup is kept.'),
        (2, 'Nothing to delete: all 2 backups of 1 volume are kept.'),
    ],
)
def test_nothing_to_delete_is_said(
    cloud: CloudFactory, openstack: Openstack, count: int, told: str
) -> None:
    c = cloud()
    for days in range(1, count + 1):
        add(c, days)
    result = openstack(*VBS, '--all-volumes', '--keep-last', '5', '--yes')
    assert result.stdout == f'{told}\n'
    assert not deletes(c)
