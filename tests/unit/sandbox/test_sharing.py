# SPDX-License-Identifier: Apache-2.0
"""Shares: listed, counted, canceled."""

import pytest

from tests.unit.sandbox.conftest import UNKNOWN, Cloud

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


def test_share(cloud: Cloud) -> None:
    api = cloud()
    backup = api.sandbox.state.add_backup()
    body = {'backup_id': backup.id, 'to_project_ids': ['a' * 32, 'b' * 32]}
    answer = api.post(BASE, json={'shared': body})
    assert answer.status_code == 200
    assert len(answer.json()['shared']) == 2
    body['to_project_ids'] = 'a'
    assert api.post(BASE, json={'shared': body}).status_code == 400


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
