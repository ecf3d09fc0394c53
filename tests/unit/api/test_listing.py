# SPDX-License-Identifier: Apache-2.0
"""What lists ask of a service, and what they make of its answers."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest

from vbsclient.api import errors
from vbsclient.api.csbs.backups import (
    ServerBackup,
    ServerBackupFilter,
    ServerBackups,
)
from vbsclient.api.csbs.checkpoints import CheckpointGroups
from vbsclient.api.http import Activity, Transport
from vbsclient.api.paging import Style, first_of, rows
from vbsclient.api.vbs.backups import Backup, Backups
from vbsclient.api.vbs.shares import ShareFilter, Shares

Body = Mapping[str, Any]


class Recorder:
    """A transport that answers with one body and keeps what was asked."""

    def __init__(self, *answers: Body | Exception) -> None:
        self.activity = Activity()
        self.answers = list(answers)
        self.asked: list[tuple[str, dict[str, str], Any]] = []

    def get(self, url: str, query: Any = None, *, headers: Any = None) -> Body:
        self.asked.append((url, dict(query or {}), headers))
        answer = self.answers.pop(0) if self.answers else {}
        if isinstance(answer, Exception):
            raise answer
        return answer


def transport(recorder: Recorder) -> Transport:
    return cast(Transport, recorder)


def page(key: str, *bodies: Body) -> Body:
    return {key: list(bodies)}


EMPTY = {'backups': [], 'shared': [], 'checkpoint_items': []}


def not_acceptable() -> errors.NotAcceptable:
    return errors.NotAcceptable('no', status=406)


# -- volume backups ------------------------------------------------------


def test_every_filter_of_a_backup_is_a_key_of_the_reference() -> None:
    recorder = Recorder(EMPTY)
    list(
        Backups(transport(recorder), 'u', 'v2').list(
            name='n',
            status='s',
            volume_id='v',
            sort=('size', 'asc'),
            marker='m',
            page_size=7,
        )
    )
    (asked,) = recorder.asked
    assert asked == (
        'u/backups/detail',
        {
            'limit': '7',
            'name': 'n',
            'status': 's',
            'volume_id': 'v',
            'marker': 'm',
            'sort_key': 'size',
            'sort_dir': 'asc',
        },
        None,
    )


def test_what_the_service_did_not_filter_is_filtered_here() -> None:
    fits = {'id': '1', 'name': 'n', 'status': 's', 'volume_id': 'v'}
    recorder = Recorder(
        page(
            'backups',
            fits,
            {**fits, 'id': '2', 'name': 'N'},
            {**fits, 'id': '3', 'status': 'S'},
            {**fits, 'id': '4', 'volume_id': None},
            {**fits, 'id': '5', 'name': None},
        )
    )
    found = Backups(transport(recorder), 'u', 'v2').list(
        name='n', status='s', volume_id='v'
    )
    assert [backup.id for backup in found] == ['1']


def test_a_part_of_a_name_needs_the_microversion_in_v3() -> None:
    recorder = Recorder(EMPTY)
    list(Backups(transport(recorder), 'u', 'v3').list(name_contains='n'))
    (asked,) = recorder.asked
    assert asked[1:] == (
        {'limit': '1000', 'name~': 'n'},
        {'OpenStack-API-Version': 'volume 3.31'},
    )


def test_without_the_microversion_the_whole_list_is_searched() -> None:
    recorder = Recorder(
        not_acceptable(),
        page('backups', {'id': '1', 'name': 'an'}, {'id': '2', 'name': 'b'}),
        EMPTY,
    )
    found = Backups(transport(recorder), 'u', 'v3').list(name_contains='n')
    assert [backup.id for backup in found] == ['1']
    assert recorder.asked[1][1:] == ({'limit': '1000'}, None)


def test_a_refusal_in_the_middle_of_a_list_is_no_reason_to_begin_again() -> (
    None
):
    recorder = Recorder(
        page('backups', {'id': '1', 'name': 'n'}), not_acceptable()
    )
    found = Backups(transport(recorder), 'u', 'v3').list(name_contains='n')
    assert next(found).id == '1'
    with pytest.raises(errors.NotAcceptable):
        next(found)


def test_v3_counts() -> None:
    recorder = Recorder({'backups': [], 'count': 12})
    count = Backups(transport(recorder), 'u', 'v3').count(status='error')
    assert count == 12
    assert recorder.asked == [
        (
            'u/backups/detail',
            {'status': 'error', 'limit': '1', 'with_count': 'true'},
            {'OpenStack-API-Version': 'volume 3.45'},
        )
    ]


@pytest.mark.parametrize(
    ('version', 'answers'),
    [('v2', ()), ('v3', (not_acceptable(),)), ('v3', ({'backups': []},))],
)
def test_who_cannot_count_says_none(version: Any, answers: Any) -> None:
    recorder = Recorder(*answers)
    assert Backups(transport(recorder), 'u', version).count() is None


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('{"DESC": "before", "INC": 1}', 'before'),
        ('{"DESC": ""}', ''),
        ('plain', 'plain'),
        ('{"other": 1}', '{"other": 1}'),
        ('{"DESC": 1}', '{"DESC": 1}'),
        ('{broken', '{broken'),
        ('12', '12'),
        ('', ''),
        (None, None),
        (7, None),
    ],
)
def test_descriptions_come_out_of_their_wrapping(
    text: Any, expected: str | None
) -> None:
    backup = Backup.from_body({'id': '1', 'description': text})
    assert backup.description == expected


@pytest.mark.parametrize(
    ('metadata', 'expected'),
    [
        ('{"Type": 0}', False),
        (' {"Type": 1}', True),
        ('{"Type": "1"}', True),
        ('{"Type": 7}', None),
        ('{}', None),
        ('rubbish', None),
        (None, None),
    ],
)
def test_the_type_is_what_v2_says_and_no_other_mark(
    metadata: Any, expected: bool | None
) -> None:
    body = {'id': '1', 'service_metadata': metadata, 'is_incremental': True}
    assert Backup.from_body(body).incremental is expected


def test_automatic_backups_are_known_by_their_names() -> None:
    named = {'autobk_1a2b': True, 'autumn': False, '': False, None: False}
    for name, automatic in named.items():
        backup = Backup.from_body({'id': '1', 'name': name})
        assert backup.automatic is automatic


# -- shares ----------------------------------------------------------------


def test_every_filter_of_a_share_is_a_key_of_the_reference() -> None:
    recorder = Recorder(EMPTY, {'count': 3})
    shares = Shares(transport(recorder), 'u')
    where = ShareFilter(
        shared_with_me=True,
        backup_id='b',
        volume_id='v',
        from_project_id='f',
        to_project_id='t',
        status='s',
        name_contains='n',
        availability_zone='z',
    )
    list(shares.list(where=where))
    assert shares.count(where) == 3
    wire = {
        'share_to_me': 'true',
        'backup_id': 'b',
        'volume_id': 'v',
        'from_project_id': 'f',
        'to_project_id': 't',
        'status': 's',
    }
    listed, counted = recorder.asked
    assert listed[1] == {
        'limit': '1000',
        **wire,
        'name': 'n',
        'avalilability_zone': 'z',
    }
    assert counted[:2] == ('u/os-vendor-backup-sharing/count', wire)


def test_what_was_not_shared_so_is_left_out() -> None:
    backup = {'name': 'an', 'status': 's', 'availability_zone': 'z'}
    fits = {'id': '1', 'backup_id': 'b', 'to_project_id': 't'}
    recorder = Recorder(
        page(
            'shared',
            {**fits, 'backup': backup},
            {**fits, 'id': '2'},
            {**fits, 'id': '3', 'backup': backup, 'to_project_id': None},
            {**fits, 'id': '4', 'backup': {**backup, 'status': 'S'}},
            {**fits, 'id': '5', 'backup': {**backup, 'name': 'b'}},
        ),
        EMPTY,
    )
    where = ShareFilter(
        to_project_id='t',
        name_contains='n',
        status='s',
        availability_zone='z',
    )
    found = Shares(transport(recorder), 'u').list(where=where)
    assert [share.id for share in found] == ['1']


# -- server backups ----------------------------------------------------


def test_every_filter_of_an_item_is_a_key_of_the_reference() -> None:
    recorder = Recorder(EMPTY, {'count': 3})
    items = ServerBackups(transport(recorder), 'u')
    where = ServerBackupFilter(
        checkpoint_id='c',
        name_contains='n',
        status='s',
        availability_zone='z',
        server_id='r',
        server_name='w',
        policy_id='p',
        start_time='1',
        end_time='2',
    )
    list(items.list(where=where, sort='name:asc', marker='m'))
    assert items.count(where) == 3
    wire = {
        'checkpoint_id': 'c',
        'status': 's',
        'resource_id': 'r',
        'policy_id': 'p',
    }
    listed, counted = recorder.asked
    assert listed[1] == {
        'limit': '1000',
        **wire,
        'name': 'n',
        'az': 'z',
        'resource_name': 'w',
        'start_time': '1',
        'end_time': '2',
        'sort': 'name:asc',
        'marker': 'm',
    }
    assert counted[:2] == ('u/checkpoint_items/count', wire)


def item(id: str, checkpoint: str = 'c', **body: Any) -> dict[str, Any]:
    return {'id': id, 'checkpoint_id': checkpoint, **body}


def test_a_zone_is_taken_on_trust_where_an_item_says_none() -> None:
    recorder = Recorder(
        page(
            'checkpoint_items',
            item('1', extend_info={'resource_az': 'z'}),
            item('2', backup_data={'__openstack_region_name': 'z'}),
            item('3', extend_info={'resource_az': ''}),
            item('4', extend_info={'resource_az': 'other'}),
        ),
        EMPTY,
    )
    found = ServerBackups(transport(recorder), 'u').list(
        where=ServerBackupFilter(availability_zone='z')
    )
    assert [one.id for one in found] == ['1', '2', '3']


def test_an_item_is_read_leniently() -> None:
    odd = ServerBackup.from_body(
        item('1', extend_info={'os_images_data': 7, 'volume_backups': 'x'})
    )
    assert (odd.image_ids, odd.disks, odd.tags) == ([], [], [])
    assert (odd.incremental, odd.progress) == (frozenset(), None)
    assert odd.automatic is False


def test_a_checkpoint_is_the_group_of_its_items() -> None:
    groups = CheckpointGroups()
    groups.add_all(
        ServerBackup.from_body(body)
        for body in (
            item(
                '1',
                name='run',
                status='error',
                resource_id='s1',
                created_at='2',
                updated_at='5',
                extend_info={'size': 10, 'resource_name': 'web'},
            ),
            item('2', 'other', status='available'),
            item(
                '3',
                name='run',
                status='available',
                resource_id='s2',
                created_at='1',
                updated_at='4',
                extend_info={'size': 5, 'auto_trigger': True},
            ),
        )
    )
    assert list(groups) == ['c', 'other']
    group = groups['c']
    assert (group.name, group.statuses) == ('run', ['available', 'error'])
    assert (group.servers, group.server_names) == (2, ['web', 's2'])
    assert (group.size, group.automatic) == (15, True)
    assert (group.created_at, group.updated_at) == ('1', '5')
    assert groups['other'].size is None
    assert groups['other'].created_at is None


# -- pages -----------------------------------------------------------------

PLAIN = Style('rows', 'offset')


def service(pages: list[list[str]]) -> Callable[[dict[str, str]], Body]:
    answers = iter(pages)
    return lambda query: {'rows': [{'id': id} for id in next(answers)]}


def test_a_repeated_page_of_a_service_with_a_maximum_is_an_error() -> None:
    fetch = service([['a', 'b'], ['c', 'd'], ['c', 'd']])
    with pytest.raises(errors.AmbiguousListing):
        list(rows(fetch, PLAIN, {}))


def test_new_rows_that_move_the_end_are_no_repeated_page() -> None:
    fetch = service([['a', 'b'], ['c'], ['c']])
    assert [row['id'] for row in rows(fetch, PLAIN, {})] == ['a', 'b', 'c']


def test_the_other_list_is_read_only_if_the_first_is_refused() -> None:
    def refuse() -> Any:
        raise not_acceptable()
        yield

    unless = (errors.NotAcceptable,)
    assert list(first_of(iter('a'), refuse, unless=unless)) == ['a']
    assert list(first_of(iter(()), refuse, unless=unless)) == []
    assert list(first_of(refuse(), lambda: iter('b'), unless=unless)) == ['b']
    with pytest.raises(errors.NotAcceptable):
        list(first_of(refuse(), lambda: iter('b'), unless=(errors.NotFound,)))
