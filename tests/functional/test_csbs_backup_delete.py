# SPDX-License-Identifier: Apache-2.0
"""``openstack csbs backup delete``: one server's part, never its siblings."""

import re
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack
from tests.functional.wire import (
    UNKNOWN,
    checkpoint_delete,
    deletes,
    requests,
)
from tests.sandbox import Fault, LoggedRequest
from vbsclient.deletion import server_backups

DELETE = ('csbs', 'backup', 'delete')


# -- what is named ---------------------------------------------------------


@pytest.mark.parametrize('by', ['id', 'name'])
def test_a_backup_goes_by_id_or_name_without_its_siblings(
    cloud: CloudFactory, openstack: Openstack, by: str
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(3)
    wanted, *siblings = list(run.items)
    wanted.name = 'web01-run'
    assert openstack(*DELETE, getattr(wanted, by)).stdout == ''
    assert deletes(c) == [checkpoint_delete(run.id, wanted.id)]
    assert run.items == siblings


def test_the_only_backup_of_a_checkpoint_goes_by_its_own_id(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run = c.state.add_checkpoint()
    item = run.items[0].id
    openstack(*DELETE, item)
    assert deletes(c) == [checkpoint_delete(run.id, item)]


def test_each_request_carries_exactly_one_id(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    runs = [c.state.add_checkpoint(3) for _ in range(4)]
    named = [item for run in runs for item in run.items[:2]]
    openstack(*DELETE, *(item.id for item in named))
    assert sorted(deletes(c)) == sorted(
        checkpoint_delete(item.checkpoint_id, item.id) for item in named
    )
    assert all(len(run.items) == 1 for run in runs)


def test_an_ambiguous_name_is_refused_with_their_ids(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(3, 'autobk_1')
    result = openstack(
        *DELETE, 'autobk_1', complains=["the name 'autobk_1'", '1 of 1']
    )
    for item in run.items:
        assert item.id in result.stderr
        assert item.resource_name in result.stderr
    assert deletes(c) == []


def test_names_are_exact_although_the_service_compares_loosely(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    c.state.add_checkpoint(name='nightly-1')
    openstack(
        *DELETE,
        'nightly',
        complains=["No server backup found for 'nightly'", '1 of 1'],
    )
    assert deletes(c) == []


def test_an_id_wins_over_the_same_text_as_a_name(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run, other = c.state.add_checkpoint(2), c.state.add_checkpoint()
    wanted = run.items[0]
    other.items[0].name = wanted.id
    openstack(*DELETE, wanted.id)
    assert deletes(c) == [checkpoint_delete(run.id, wanted.id)]


def test_many_are_verified_by_list_pages(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(max_page=8)
    runs = [c.state.add_checkpoint() for _ in range(12)]
    other = c.state.add_checkpoint()
    openstack(*DELETE, *(run.items[0].id for run in runs))
    assert list(c.state.items) == [other.items[0].id]
    reads = [text for text in requests(c) if 'DELETE' not in text]
    assert not [text for text in reads if 'checkpoint_items/' in text]


def test_ids_come_from_standard_input_too(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    runs = [c.state.add_checkpoint(2) for _ in range(2)]
    openstack(*DELETE, '-', stdin=''.join(f'{r.items[0].id}\n' for r in runs))
    assert [len(run.items) for run in runs] == [1, 1]


@pytest.mark.parametrize('argument', [UNKNOWN, 'absent'])
def test_what_does_not_exist_fails_unless_it_is_ignored(
    cloud: CloudFactory, openstack: Openstack, argument: str
) -> None:
    c = cloud()
    openstack(
        *DELETE,
        argument,
        complains=[f'No server backup found for {argument!r}', '1 of 1'],
    )
    openstack(*DELETE, argument, '--ignore-missing')
    assert deletes(c) == []


def test_the_id_of_a_checkpoint_is_answered_with_its_command(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(3)
    openstack(
        *DELETE,
        run.id,
        complains=[
            re.compile(
                'checkpoint with 3 backups.*'
                f'openstack csbs checkpoint delete {run.id}'
            ),
            '1 of 1',
        ],
    )
    assert deletes(c) == []


def test_vbs_answers_the_id_of_a_servers_backup_with_its_command(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    item = c.state.add_checkpoint().items[0].id
    openstack(
        'vbs',
        'backup',
        'delete',
        item,
        complains=[
            re.compile(f'openstack csbs backup delete {item}'),
            '1 of 1',
        ],
    )
    assert deletes(c) == []


# -- the sibling check -----------------------------------------------------


def test_the_first_goes_alone_and_its_siblings_are_read_before_the_rest(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(5)
    named = [item.id for item in run.items[:3]]
    openstack(*DELETE, *named)
    log = requests(c)
    sent = [n for n, text in enumerate(log) if text.startswith('DELETE')]
    first, second = sent[:2]
    assert log[first] == checkpoint_delete(run.id, named[0])
    between = log[first + 1 : second]
    assert any(f'checkpoint_items/{named[0]}' in text for text in between)
    reads = [n for n, text in enumerate(between) if run.id in text]
    assert reads, between
    assert len(sent) == 3
    assert len(run.items) == 2


def test_the_effect_is_awaited_before_the_siblings_are_checked(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(deletion_time=3600, deletion_slots=1)
    # The queue is full: what is deleted now only waits.
    c.state.add_checkpoint()
    run = c.state.add_checkpoint(3)
    named = [item.id for item in run.items[:2]]
    openstack(*DELETE, *named)
    assert [item.status for item in run.items][2] == 'available'
    assert len(deletes(c)) == 2


def test_one_passed_check_is_enough_for_all_checkpoints(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    runs = [c.state.add_checkpoint(2) for _ in range(6)]
    openstack(*DELETE, *(run.items[0].id for run in runs))
    log = requests(c)
    sent = [n for n, text in enumerate(log) if text.startswith('DELETE')]
    assert len(sent) == 6
    assert sent[1] > sent[0] + 1
    assert sent[1:] == list(range(sent[1], sent[1] + 5))


def test_without_siblings_there_is_nothing_to_check(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(ignore_item_query=True)
    runs = [c.state.add_checkpoint() for _ in range(4)]
    openstack(*DELETE, *(run.items[0].id for run in runs))
    assert not c.state.items


@pytest.mark.parametrize('seconds', [0.0, 3600.0])
def test_a_service_that_ignores_the_query_is_stopped_after_one_delete(
    cloud: CloudFactory, openstack: Openstack, seconds: float
) -> None:
    c = cloud(ignore_item_query=True, deletion_time=seconds)
    run, other = c.state.add_checkpoint(4), c.state.add_checkpoint(4)
    single = c.state.add_checkpoint()
    named = [*run.items[:2], *other.items[:2], *single.items]
    deleted_siblings = [item.id for item in run.items[2:]]
    result = openstack(
        *DELETE,
        *(item.id for item in named),
        complains=[
            re.compile(
                'More is being deleted than was named.*Nothing else was '
                'sent.*ignores checkpoint_items.*operator'
            ),
            '4 of 5 backups failed to delete (4 not sent).',
        ],
    )
    for id in deleted_siblings:
        assert id in result.stderr
    assert deletes(c) == [checkpoint_delete(run.id, named[0].id)]
    assert [item.status for item in other.items] == ['available'] * 4
    assert [item.status for item in single.items] == ['available']


def test_the_report_of_a_stopped_run_says_what_was_not_sent(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(ignore_item_query=True)
    run = c.state.add_checkpoint(3)
    rows = openstack(
        *DELETE,
        *(item.id for item in run.items[:2]),
        '-f',
        'json',
        complains=['More is being deleted than was named', '1 of 2'],
    ).json()
    assert [row['Result'] for row in rows] == ['accepted', 'not sent']
    assert rows[1]['Requested At'] is None


def test_the_same_check_protects_items_of_a_named_checkpoint(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(ignore_item_query=True, deletion_time=3600)
    run = c.state.add_checkpoint(3)
    openstack(
        'csbs',
        'checkpoint',
        'delete',
        run.id,
        *(f'--item={item.id}' for item in run.items[:2]),
        complains=['More is being deleted than was named', '1 of 2 backups'],
    )
    assert len(deletes(c)) == 1


def test_the_check_is_made_also_if_only_one_is_named(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(ignore_item_query=True)
    run = c.state.add_checkpoint(2)
    openstack(
        *DELETE,
        run.items[0].id,
        complains=['More is being deleted than was named', ...],
    )


def test_an_item_that_goes_while_its_siblings_are_read_stops_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    now = 0.0

    def between_pages(request: LoggedRequest) -> None:
        nonlocal now
        first_page = 'checkpoint_id=' in request.query
        if deletes(c) and first_page and 'marker=' not in request.query:
            now += 1.0

    c = cloud(deletion_time=0.5, clock=lambda: now, on_finished=between_pages)
    runs = [c.state.add_checkpoint(2) for _ in range(2)]
    named = [run.items[0] for run in runs]
    openstack(*DELETE, *(item.id for item in named))
    assert deletes(c) == [
        checkpoint_delete(item.checkpoint_id, item.id) for item in named
    ]
    assert any(r.status == 400 for r in c.requests)


def test_a_deletion_without_an_effect_stops_the_run(
    cloud: CloudFactory,
    openstack: Openstack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server_backups, 'PROOF_TIMEOUT', 0.3)
    c = cloud()
    run = c.state.add_checkpoint(3)
    c.knobs.faults.append(
        Fault('status', 'DELETE', status=200, body='{}', times=None)
    )
    openstack(
        *DELETE,
        *(item.id for item in run.items[:2]),
        complains=[
            re.compile('no effect.*nothing else was sent'),
            '1 of 2 backups failed to delete (1 not sent).',
        ],
    )
    assert len(deletes(c)) == 1


def test_siblings_that_cannot_be_read_stop_the_run(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(3)
    named = [item.id for item in run.items[:2]]
    # Verified by two shows, then the siblings are listed before and after.
    c.knobs.faults.append(
        Fault(
            'status',
            'GET',
            'checkpoint_items\\?',
            status=500,
            skip=2,
            times=None,
        )
    )
    openstack(
        *DELETE,
        *named,
        complains=[
            'The run was stopped: ',
            '1 of 2 backups failed to delete (1 not sent).',
        ],
    )
    assert len(deletes(c)) == 1


def test_if_the_first_is_refused_the_next_one_goes_alone(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(5)
    named = [item.id for item in run.items[:4]]
    c.knobs.faults.append(
        Fault(
            'status',
            'DELETE',
            status=400,
            body='{"error_code": "CSBS.2003", "error_msg": "busy"}',
        )
    )
    openstack(*DELETE, *named, complains=['CSBS.2003', '1 of 4'])
    log = requests(c)
    sent = [n for n, text in enumerate(log) if text.startswith('DELETE')]
    assert [log[n].rpartition('=')[2] for n in sent[:2]] == named[:2]
    assert sent[2] > sent[1] + 1
    assert len(sent) == 4
    assert len(run.items) == 2


# -- states ----------------------------------------------------------------


@pytest.mark.parametrize(
    ('state', 'reason'),
    [
        ({'image': True}, 'an image was made from'),
        ({'status': 'protecting'}, 'is protecting'),
        ({'status': 'restoring'}, 'is restoring'),
    ],
)
def test_what_must_not_go_now_is_refused(
    cloud: CloudFactory,
    openstack: Openstack,
    state: dict[str, Any],
    reason: str,
) -> None:
    c = cloud()
    (bad,) = c.state.add_checkpoint(**state).items
    (good,) = c.state.add_checkpoint().items
    openstack(
        *DELETE,
        bad.id,
        good.id,
        complains=[re.compile(f'{bad.id}.*{reason}'), '1 of 2 backups'],
    )
    assert deletes(c) == [checkpoint_delete(good.checkpoint_id, good.id)]


def test_what_is_being_deleted_already_is_accepted(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    (item,) = c.state.add_checkpoint(status='waiting_delete').items
    rows = openstack(*DELETE, item.id, '-f', 'json').json()
    assert rows[0]['Result'] == 'accepted'
    assert deletes(c) == []


def test_a_failed_deletion_may_be_repeated(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    (item,) = c.state.add_checkpoint(status='error').items
    openstack(*DELETE, item.id)
    assert not c.state.items


def test_a_report_names_each_backup(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(deletion_time=3600)
    runs = [c.state.add_checkpoint(2, f'run-{n}') for n in range(5)]
    named = [run.items[0] for run in runs]
    rows = openstack(
        *DELETE, *(item.id for item in named), '-f', 'json'
    ).json()
    assert [(row['ID'], row['Name']) for row in rows] == [
        (item.id, item.name) for item in named
    ]
    assert {(row['Type'], row['Source']) for row in rows} == {
        ('backup', 'CSBS')
    }


def test_a_dry_run_sends_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(3)
    rows = openstack(
        *DELETE, run.items[0].id, '--dry-run', '-f', 'json'
    ).json()
    assert rows[0]['Result'] == 'would delete'
    assert deletes(c) == []


def test_a_cloud_without_items_refuses(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(checkpoint_items=False)
    item = c.state.add_checkpoint(2).items[0].id
    several = [UNKNOWN, *(f'{n}-{UNKNOWN[2:]}' for n in range(4))]
    for arguments in ([item], ['name'], several):
        openstack(
            *DELETE,
            *arguments,
            complains=[
                re.compile(
                    '^This cloud has no checkpoint_items.*'
                    'openstack csbs checkpoint delete'
                )
            ],
        )
    assert deletes(c) == []
