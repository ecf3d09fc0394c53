# SPDX-License-Identifier: Apache-2.0
"""Shares: made, listed, counted, canceled."""

from typing import Any

import pytest

from tests.unit.sandbox.conftest import UNKNOWN, Api, Cloud

BASE = '/vbs/v2/{P}/os-vendor-backup-sharing'


def test_list_count_and_show(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    partner = state.add_project('partner', member=False)
    backup = state.add_backup('golden')
    share = state.add_share(backup, partner)
    state.add_share(state.add_backup('other'), partner)
    found = api.get(f'{BASE}/detail?name=gold').json()['shared']
    assert [row['id'] for row in found] == [share.id]
    assert found[0]['to_project_id'] == partner.id
    assert found[0]['backup']['name'] == 'golden'
    assert 'links' not in found[0]['backup']
    count = api.get(f'{BASE}/count?backup_id={backup.id}').json()
    assert count == {'count': 1}
    shown = api.get(f'{BASE}/{share.id}').json()['shared']
    assert shown['backup_id'] == backup.id


def test_shared_with_me(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    other = state.add_project('other')
    theirs = state.add_backup('theirs', project_id=other.id)
    share = state.add_share(theirs, state.project)
    assert api.get(f'{BASE}/detail').json()['shared'] == []
    found = api.get(f'{BASE}/detail?share_to_me=true').json()['shared']
    assert [row['id'] for row in found] == [share.id]
    answer = api.delete(f'{BASE}/{share.id}?is_backup_id=false')
    assert answer.status_code == 403


def test_the_zone_as_the_service_spells_it(cloud: Cloud) -> None:
    api = cloud()
    backup = api.sandbox.state.add_backup(availability_zone='eu-de-02')
    api.sandbox.state.add_share(backup, 'p' * 32)
    right = api.get(f'{BASE}/count?avalilability_zone=eu-de-02')
    assert right.json() == {'count': 1}
    wrong = api.get(f'{BASE}/count?availability_zone=eu-de-02')
    assert wrong.status_code == 400


def test_cancel_one(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    backup = state.add_backup()
    one, other = (state.add_share(backup, letter * 32) for letter in 'ab')
    answer = api.delete(f'{BASE}/{one.id}?is_backup_id=false')
    assert answer.status_code == 200
    assert answer.content == b''
    assert list(state.shares) == [other.id]


def test_cancel_all_of_a_backup(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    backup = state.add_backup()
    for letter in 'ab':
        state.add_share(backup, letter * 32)
    kept = state.add_share(state.add_backup(), 'a' * 32)
    path = f'{BASE}/{backup.id}?is_backup_id=true'
    assert api.delete(path).status_code == 200
    assert list(state.shares) == [kept.id]
    assert api.delete(path).status_code == 404


@pytest.mark.parametrize(
    ('tail', 'status'),
    [
        (f'{UNKNOWN}?is_backup_id=True', 400),
        (f'{UNKNOWN}?is_backup_id=', 400),
        (f'{UNKNOWN}?is_backup_id=1', 400),
        (f'{UNKNOWN}?backup=true', 400),
        (f'{UNKNOWN}?is_backup_id=false', 404),
        (f'{UNKNOWN}?is_backup_id=true', 404),
        ('nonsense?is_backup_id=false', 400),
        ('nonsense?is_backup_id=true', 400),
    ],
)
def test_cancels_that_are_refused(
    cloud: Cloud, tail: str, status: int
) -> None:
    assert cloud().delete(f'{BASE}/{tail}').status_code == status


def test_the_wrong_kind_of_id_is_not_found(cloud: Cloud) -> None:
    api = cloud()
    backup = api.sandbox.state.add_backup()
    share = api.sandbox.state.add_share(backup, 'a' * 32)
    for tail in (
        f'{backup.id}?is_backup_id=false',
        f'{share.id}?is_backup_id=true',
    ):
        assert api.delete(f'{BASE}/{tail}').status_code == 404
    assert list(api.sandbox.state.shares) == [share.id]


def test_a_deleted_backup_takes_its_shares(cloud: Cloud) -> None:
    api = cloud()
    backup = api.sandbox.state.add_backup()
    api.sandbox.state.add_share(backup, 'a' * 32)
    api.delete(f'/vbs/v2/{{P}}/backups/{backup.id}')
    assert api.get(f'{BASE}/count').json() == {'count': 0}


def share(api: Api, backup_id: str, *targets: str) -> Any:
    body = {'backup_id': backup_id, 'to_project_ids': list(targets)}
    return api.post(BASE, json={'shared': body})


def test_share(cloud: Cloud) -> None:
    api = cloud()
    backup = api.sandbox.state.add_backup()
    answer = share(api, backup.id, 'a' * 32, 'b' * 32)
    assert answer.status_code == 200
    rows = answer.json()['shared']
    assert [row['to_project_id'][0] for row in rows] == ['a', 'b']
    for row in rows:
        made = api.sandbox.state.shares[row['id']]
        assert row == {
            'id': made.id,
            'backup_id': backup.id,
            'from_project_id': api.sandbox.project_id,
            'to_project_id': made.to_project_id,
            'created_at': None,
            'updated_at': None,
            'deleted': None,
            'deleted_at': None,
        }


def test_fewer_shares_come_back_than_are_asked_for(cloud: Cloud) -> None:
    api = cloud(shares_dropped=1)
    backup = api.sandbox.state.add_backup()
    (row,) = share(api, backup.id, 'a' * 32, 'b' * 32).json()['shared']
    assert row['to_project_id'] == 'a' * 32
    assert list(api.sandbox.state.shares) == [row['id']]
    assert share(api, backup.id, 'c' * 32).json()['shared'] == []


def test_there_is_no_second_share_with_a_project(cloud: Cloud) -> None:
    api = cloud()
    backup = api.sandbox.state.add_backup()
    old = api.sandbox.state.add_share(backup, 'a' * 32)
    (row,) = share(api, backup.id, 'a' * 32, 'b' * 32).json()['shared']
    assert list(api.sandbox.state.shares) == [old.id, row['id']]


@pytest.mark.parametrize(
    'changes',
    [
        {'backup_id': None},
        {'backup_id': 'golden'},
        {'to_project_ids': 'a' * 32},
        {'to_project_ids': []},
        {'to_project_ids': [1]},
        {'to_project_ids': ['partner']},
        {'to_project_ids': ['a' * 32, 'a' * 32]},
        {'to_project_id': 'a' * 32},
    ],
)
def test_shares_that_are_refused(
    cloud: Cloud, changes: dict[str, Any]
) -> None:
    api = cloud()
    backup = api.sandbox.state.add_backup()
    body = {'backup_id': backup.id, 'to_project_ids': ['a' * 32]} | changes
    assert api.post(BASE, json={'shared': body}).status_code == 400
    assert not api.sandbox.state.shares


def test_backups_that_cannot_be_shared(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    theirs = state.add_backup(project_id='b' * 32)
    for backup_id, status in (
        (state.add_backup(status='creating').id, 400),
        (theirs.id, 404),
        (UNKNOWN, 404),
    ):
        answer = share(api, backup_id, 'a' * 32)
        assert answer.status_code == status
    mine = api.sandbox.project_id
    assert share(api, state.add_backup().id, mine).status_code == 400


def test_a_role_that_may_not_share(cloud: Cloud) -> None:
    api = cloud(read_only_role=True)
    backup = api.sandbox.state.add_backup()
    assert share(api, backup.id, 'a' * 32).status_code == 403


@pytest.mark.parametrize(
    ('mode', 'status'), [('absent', 404), ('forbidden', 403)]
)
def test_clouds_without_sharing(cloud: Cloud, mode: str, status: int) -> None:
    api = cloud(sharing=mode)
    assert api.get(f'{BASE}/detail').status_code == status
    assert api.get(f'{BASE}/count').status_code == status
    assert api.delete(f'{BASE}/{UNKNOWN}').status_code == status


def test_paging_is_for_the_list(cloud: Cloud) -> None:
    api = cloud()
    backup = api.sandbox.state.add_backup()
    for letter in 'abc':
        api.sandbox.state.add_share(backup, letter * 32)
    found = api.get(f'{BASE}/detail?limit=2&offset=2').json()['shared']
    assert [row['to_project_id'][0] for row in found] == ['a']
    assert api.get(f'{BASE}/count?limit=2').status_code == 400
    found = api.get(f'{BASE}/detail?sort_key=name&sort_dir=asc')
    assert len(found.json()['shared']) == 3
