# SPDX-License-Identifier: Apache-2.0
"""``openstack csbs checkpoint delete``."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack, Terminal
from tests.functional.wire import (
    PROVIDER,
    UNKNOWN,
    checkpoint_delete,
    deletes,
    requests,
)
from tests.sandbox import Fault

DELETE = ('csbs', 'checkpoint', 'delete')
QUESTION = (
    'Delete 1 checkpoint (3 backups, 30 GB nominal) in project demo of cloud '
    'sandbox? [y/N]'
)
REFUSAL = 'This would delete more than is named, as listed above'
OTHER_PROVIDER = 'c714180d-0000-4000-8000-000000000000'


# -- whole checkpoints -----------------------------------------------------


def test_a_checkpoint_of_one_server_goes_without_a_question(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    wanted, other = c.state.add_checkpoint(), c.state.add_checkpoint()
    assert openstack(*DELETE, wanted.id).stdout == ''
    assert deletes(c) == [checkpoint_delete(wanted.id)]
    assert list(c.state.items) == [other.items[0].id]


def test_a_checkpoint_of_several_is_listed_and_refused_without_a_terminal(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(3, 'autobk_1')
    result = openstack(
        *DELETE,
        run.id,
        complains=[
            f'Checkpoint autobk_1 ({run.id}) has:',
            *['server'] * 3,
            f'{REFUSAL}: add --yes. Nothing was deleted.',
        ],
    )
    for item in run.items:
        assert item.id in result.stderr
        assert item.resource_name in result.stderr
    assert deletes(c) == []


def test_yes_answers_the_question(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(3)
    openstack(*DELETE, run.id, '--yes')
    assert deletes(c) == [checkpoint_delete(run.id)]
    assert not c.state.items


@pytest.mark.parametrize('answer', ['y\n', 'yes\n', ' Y \n', 'YES'])
def test_a_yes_at_the_terminal_deletes(
    cloud: CloudFactory, openstack: Openstack, answer: str
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(3, 'weekly')
    openstack(
        *DELETE,
        run.id,
        stdin=Terminal(answer),
        complains=[
            f'Checkpoint weekly ({run.id}) has:',
            *['server'] * 3,
            f'{QUESTION} ',
        ],
        code=0,
    )
    assert deletes(c) == [checkpoint_delete(run.id)]


@pytest.mark.parametrize('answer', ['n\n', '\n', 'maybe\n', 'yess\n'])
def test_anything_else_at_the_terminal_deletes_nothing(
    cloud: CloudFactory, openstack: Openstack, answer: str
) -> None:
    c = cloud()
    run, single = c.state.add_checkpoint(3), c.state.add_checkpoint()
    openstack(
        *DELETE,
        run.id,
        single.id,
        stdin=Terminal(answer),
        complains=[
            f'({run.id}) has:',
            *['server'] * 3,
            f'({single.id}) has:',
            'server',
            re.compile(
                r'Delete 2 checkpoints \(4 backups, 40 GB nominal\) in '
                r'project demo of cloud sandbox\? \[y/N\] Nothing was deleted.'
            ),
        ],
    )
    assert deletes(c) == []


def test_what_is_refused_is_said_before_the_question(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run, image = c.state.add_checkpoint(2), c.state.add_checkpoint(image=True)
    openstack(
        *(*DELETE, run.id, image.id),
        stdin=Terminal('n\n'),
        complains=[
            f'({run.id}) has:',
            *['server'] * 2,
            f'({image.id}) is refused.',
            'Delete 1 checkpoint (2 backups',
        ],
        code=1,
    )
    assert deletes(c) == []


def test_the_end_of_the_input_is_no_answer(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(3)
    openstack(
        *DELETE,
        run.id,
        stdin=Terminal(''),
        complains=[
            f'({run.id}) has:',
            *['server'] * 3,
            re.compile(f'^{re.escape(QUESTION)} $'),
            re.compile(r'^Nothing was deleted\.'),
        ],
    )
    assert deletes(c) == []


def test_ids_from_standard_input_are_nobody_who_could_answer(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(2)
    openstack(
        *DELETE,
        '-',
        stdin=Terminal(f'{run.id}\n'),
        complains=[
            'Enter IDs',
            f'({run.id}) has:',
            'server',
            'server',
            REFUSAL,
        ],
    )
    assert deletes(c) == []
    openstack(*DELETE, '-', '--yes', stdin=f'{run.id}\n')
    assert deletes(c) == [checkpoint_delete(run.id)]


def test_a_closed_standard_input_is_no_terminal(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(2)
    openstack(
        *DELETE,
        run.id,
        stdin=None,
        complains=[f'({run.id}) has:', 'server', 'server', REFUSAL],
    )
    assert deletes(c) == []


def test_a_dry_run_asks_nothing_and_shows_what_would_go(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(3, 'autobk_1')
    rows = openstack(*DELETE, run.id, '--dry-run', '-f', 'json').json()
    (row,) = rows
    assert row['Type'] == 'checkpoint'
    assert row['Source'] == 'CSBS'
    assert row['Name'] == 'autobk_1'
    assert row['Result'] == 'would delete'
    for item in run.items:
        assert item.id in row['Detail']
    assert deletes(c) == []


def test_a_report_has_a_row_for_each_checkpoint(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(deletion_time=3600)
    runs = [c.state.add_checkpoint() for _ in range(5)]
    rows = openstack(*DELETE, *(run.id for run in runs), '-f', 'json').json()
    assert [row['ID'] for row in rows] == [run.id for run in runs]
    sent = {r.request_id for r in c.requests if r.method == 'DELETE'}
    assert {row['Request ID'] for row in rows} == sent
    assert {row['Result'] for row in rows} == {'accepted'}


def test_many_are_verified_by_list_pages(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(max_page=8)
    runs = [c.state.add_checkpoint() for _ in range(12)]
    other = c.state.add_checkpoint()
    openstack(*DELETE, *(run.id for run in runs))
    assert sorted(deletes(c)) == sorted(checkpoint_delete(r.id) for r in runs)
    assert list(c.state.items) == [other.items[0].id]
    assert len(requests(c)) <= 12 + 3


def test_a_name_is_the_one_that_the_list_shows(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(name='run')
    other = c.state.add_checkpoint(name='run-2')
    shown = openstack(
        *('csbs', 'checkpoint', 'list', '-f', 'value', '-c', 'Name')
    )
    assert shown.stdout.splitlines() == ['run-2', 'run']
    rows = openstack(*DELETE, 'run', '--dry-run', '-f', 'json').json()
    assert [(row['ID'], row['Name']) for row in rows] == [(run.id, 'run')]
    assert openstack(*DELETE, 'run', '--wait').stdout == ''
    assert deletes(c) == [checkpoint_delete(run.id)]
    openstack(
        *DELETE,
        'run',
        complains=["No checkpoint found for 'run'.", '1 of 1'],
    )
    assert list(c.state.items) == [other.items[0].id]


def test_a_name_of_one_backup_never_takes_the_others_unasked(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(3, 'autobk_1')
    run.items[1].name = 'db01'
    listed = [f'({run.id}) has:', *['server'] * 3]
    openstack(*DELETE, 'db01', complains=[*listed, REFUSAL])
    assert deletes(c) == []
    openstack(
        *DELETE,
        'db01',
        stdin=Terminal('y\n'),
        complains=[*listed, 'Delete 1 checkpoint (3 backups, 30 GB'],
        code=0,
    )
    assert deletes(c) == [checkpoint_delete(run.id)]


@pytest.mark.parametrize('more', [0, 4])
def test_a_name_of_several_checkpoints_is_refused_with_their_ids(
    cloud: CloudFactory, openstack: Openstack, more: int
) -> None:
    c = cloud()
    runs = [c.state.add_checkpoint(2, 'run') for _ in range(2)]
    rest = [c.state.add_checkpoint(name=f'other{n}') for n in range(more)]
    result = openstack(
        *DELETE,
        *('--yes', 'run', *(f'other{n}' for n in range(more))),
        complains=[
            "checkpoint exists with the name 'run'",
            f'1 of {more + 1} checkpoints',
        ],
    )
    assert all(run.id in result.stderr for run in runs)
    assert sorted(deletes(c)) == sorted(checkpoint_delete(r.id) for r in rest)


def test_a_checkpoint_of_the_name_that_came_during_the_question_stops_it(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(2, 'run')

    class Slow(Terminal):
        def readline(self, *args: Any) -> str:  # type: ignore[override]
            c.state.add_checkpoint(name='run')
            return 'y\n'

    openstack(
        *DELETE,
        'run',
        stdin=Slow(),
        complains=[
            f'Checkpoint run ({run.id}) has:',
            *['server'] * 2,
            re.compile('Checkpoint run has changed while the question'),
        ],
    )
    assert deletes(c) == []


def test_an_unknown_checkpoint_fails_unless_it_is_ignored(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    openstack(
        *DELETE,
        UNKNOWN,
        complains=[f"No checkpoint found for '{UNKNOWN}'.", '1 of 1'],
    )
    rows = openstack(*DELETE, UNKNOWN, '--ignore-missing', '-f', 'json').json()
    assert rows[0]['Result'] == 'missing'
    assert deletes(c) == []


def test_another_projects_checkpoint_is_not_found(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    foreign = c.state.add_checkpoint(
        project_id=c.state.add_project('partner', member=False).id
    )
    openstack(*DELETE, foreign.id, complains=['No checkpoint found', '1 of'])
    assert deletes(c) == []


def test_the_id_of_a_backup_is_answered_with_its_command(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(2)
    item = run.items[0].id
    openstack(
        *DELETE,
        item,
        '--yes',
        complains=[
            re.compile(
                f'checkpoint {run.id}.*openstack csbs backup delete {item}'
            ),
            '1 of 1',
        ],
    )
    assert deletes(c) == []


@pytest.mark.parametrize(
    ('state', 'reason'),
    [
        ({'image': True}, 'an image was made from its backup'),
        ({'status': 'protecting'}, 'is protecting'),
        ({'status': 'waiting_protect'}, 'is waiting_protect'),
        ({'status': 'restoring'}, 'is restoring'),
        ({'status': 'waiting_restore'}, 'is waiting_restore'),
    ],
)
@pytest.mark.parametrize('servers', [1, 2])
def test_what_must_not_go_now_is_refused(
    cloud: CloudFactory,
    openstack: Openstack,
    state: dict[str, Any],
    reason: str,
    servers: int,
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(servers, **state)
    good = c.state.add_checkpoint()
    openstack(
        *DELETE,
        run.id,
        good.id,
        '--yes',
        complains=[
            re.compile(f'{run.id}.*{reason}'),
            '1 of 2 checkpoints failed to delete.',
        ],
    )
    assert deletes(c) == [checkpoint_delete(good.id)]


def test_one_item_that_must_not_go_keeps_its_checkpoint(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(3)
    run.items[1].images = [UNKNOWN]
    openstack(*DELETE, run.id, '--yes', complains=[run.items[1].id, '1 of 1'])
    assert deletes(c) == []


@pytest.mark.parametrize('status', ['waiting_delete', 'deleting'])
def test_what_is_being_deleted_already_is_accepted_without_a_question(
    cloud: CloudFactory, openstack: Openstack, status: str
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(3, status=status)
    rows = openstack(*DELETE, run.id, '-f', 'json').json()
    assert rows[0]['Result'] == 'accepted'
    assert deletes(c) == []


@pytest.mark.parametrize('going', [0, 1])
def test_a_checkpoint_of_which_a_part_is_going_is_not_accepted_as_a_whole(
    cloud: CloudFactory, openstack: Openstack, going: int
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(2)
    run.items[going].status = 'deleting'
    openstack(
        *DELETE, run.id, '--yes', complains=[run.id, '1 of 1 checkpoints']
    )
    assert run.items[1 - going].status == 'available'


def test_a_failed_checkpoint_can_be_deleted_again(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(status='error')
    openstack(*DELETE, run.id)
    assert not c.state.items


def test_a_404_of_what_still_exists_is_no_success(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run = c.state.add_checkpoint()
    c.knobs.faults.append(Fault('status', 'DELETE', status=404))
    openstack(
        *DELETE,
        run.id,
        '--ignore-missing',
        complains=[re.compile(f'{run.id}.*still exists'), '1 of 1'],
    )


@pytest.mark.parametrize('seconds', [0.0, 3600.0])
def test_a_connection_that_breaks_after_the_delete_is_no_failure(
    cloud: CloudFactory, openstack: Openstack, seconds: float
) -> None:
    c = cloud(deletion_time=seconds)
    run = c.state.add_checkpoint(2)
    c.knobs.faults.append(Fault('reset-after', 'DELETE'))
    openstack(*DELETE, run.id, '--yes')


def test_the_journal_tells_what_was_sent(
    cloud: CloudFactory, openstack: Openstack, tmp_path: Path
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(2)
    path = tmp_path / 'journal'
    openstack(*DELETE, run.id, '--yes', '--journal', str(path))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [
        (line['command'], line['action'], line['event'], line['id'])
        for line in lines
    ] == [
        ('csbs checkpoint delete', 'delete checkpoint', 'request', run.id),
        ('csbs checkpoint delete', 'delete checkpoint', 'answer', run.id),
    ]


# -- single items ----------------------------------------------------------


@pytest.mark.parametrize('by', ['id', 'name'])
def test_an_item_goes_by_id_or_name_and_its_checkpoint_stays(
    cloud: CloudFactory, openstack: Openstack, by: str
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(3)
    for number, item in enumerate(run.items):
        item.name = f'part-{number}'
    wanted = run.items[1]
    openstack(*DELETE, run.id, '--item', getattr(wanted, by))
    assert deletes(c) == [checkpoint_delete(run.id, wanted.id)]
    assert [item.name for item in run.items] == ['part-0', 'part-2']


def test_items_need_no_question_even_if_they_are_all(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(3)
    options = [f'--item={item.id}' for item in run.items]
    openstack(*DELETE, *options, run.id)
    assert sorted(deletes(c)) == sorted(
        checkpoint_delete(run.id, option.partition('=')[2])
        for option in options
    )


def test_an_item_that_is_named_twice_is_deleted_once(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(2)
    item = run.items[0]
    item.name = 'part'
    openstack(
        *DELETE, run.id, '--item', item.id, '--item', 'part', '--item', item.id
    )
    assert deletes(c) == [checkpoint_delete(run.id, item.id)]


def test_an_item_of_another_checkpoint_is_refused_with_its_own(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run, other = c.state.add_checkpoint(2), c.state.add_checkpoint(2)
    foreign = other.items[0]
    openstack(
        *DELETE,
        run.id,
        '--item',
        foreign.id,
        complains=[
            re.compile(f'belongs to the checkpoint {other.id}'),
            '1 of 1 backups failed to delete.',
        ],
    )
    openstack(
        *DELETE,
        run.id,
        '--item',
        foreign.name,
        complains=[
            re.compile(f'found in the checkpoint {run.id}'),
            '1 of 1 backups',
        ],
    )
    assert deletes(c) == []


@pytest.mark.parametrize('item', [UNKNOWN, 'absent'])
def test_an_unknown_item_fails_unless_it_is_ignored(
    cloud: CloudFactory, openstack: Openstack, item: str
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(2)
    command = (*DELETE, run.id, '--item', item)
    openstack(*command, complains=[item, '1 of 1 backups'])
    openstack(*command, '--ignore-missing')
    assert deletes(c) == []


@pytest.mark.parametrize('checkpoint', [UNKNOWN, 'name'])
def test_an_item_of_an_unknown_checkpoint_is_refused(
    cloud: CloudFactory, openstack: Openstack, checkpoint: str
) -> None:
    c = cloud()
    item = c.state.add_checkpoint(2).items[0]
    openstack(
        *DELETE,
        checkpoint,
        '--item',
        item.id,
        complains=[f'{checkpoint!r}'],
    )
    assert deletes(c) == []


def test_items_go_with_exactly_one_checkpoint(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    runs = [c.state.add_checkpoint(2) for _ in range(2)]
    item = runs[0].items[0].id
    told = [..., 'error: --item goes with exactly one <checkpoint>']
    ids = [run.id for run in runs]
    openstack(*DELETE, *ids, '--item', item, complains=told, code=2)
    openstack(
        *DELETE,
        '-',
        '--item',
        item,
        stdin='\n'.join(ids),
        complains=told,
        code=2,
    )
    openstack(*DELETE, '-', '--item', item, stdin='', complains=told, code=2)
    assert requests(c) == []


# -- providers and upstream Karbor -----------------------------------------


def test_the_provider_of_the_reference_is_the_default(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run = c.state.add_checkpoint()
    openstack(*DELETE, run.id, '--provider', PROVIDER)
    assert deletes(c) == [checkpoint_delete(run.id)]


def test_another_provider_is_asked_if_it_is_named(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run = c.state.add_checkpoint()
    openstack(
        *DELETE,
        run.id,
        '--provider',
        OTHER_PROVIDER,
        complains=[f'Provider {OTHER_PROVIDER} could not be found', '1 of 1'],
    )
    (text,) = deletes(c)
    assert f'/providers/{OTHER_PROVIDER}/' in text
    assert c.state.items


@pytest.mark.parametrize('provider', ['', 'servers', '..', f'{PROVIDER}/'])
def test_a_provider_that_is_no_id_is_refused(
    cloud: CloudFactory, openstack: Openstack, provider: str
) -> None:
    c = cloud()
    run = c.state.add_checkpoint()
    openstack(
        *DELETE,
        run.id,
        f'--provider={provider}',
        complains=[
            ...,
            f'argument --provider: {provider!r} is not an ID (a UUID)',
        ],
        code=2,
    )
    assert requests(c) == []
    assert deletes(c) == []


@pytest.mark.parametrize('servers', [1, 3])
def test_karbor_verifies_a_whole_checkpoint_at_its_provider(
    cloud: CloudFactory, openstack: Openstack, servers: int
) -> None:
    c = cloud(checkpoint_items=False)
    run, other = (c.state.add_checkpoint(servers) for _ in range(2))
    openstack(*DELETE, run.id, '--yes')
    path = f'/csbs/v1/{{P}}/providers/{PROVIDER}/checkpoints/{run.id}'
    log = requests(c)
    assert log.index(f'GET {path}') < log.index(f'DELETE {path}')
    assert deletes(c) == [f'DELETE {path}']
    assert not run.items
    assert other.items


@pytest.mark.parametrize('servers', [1, 3])
def test_karbor_asks_for_what_is_in_a_checkpoint_cannot_be_listed(
    cloud: CloudFactory, openstack: Openstack, servers: int
) -> None:
    c = cloud(checkpoint_items=False)
    run = c.state.add_checkpoint(servers)
    openstack(
        *DELETE,
        run.id,
        complains=[
            f'Checkpoint fake_plan ({run.id}) has:',
            *(f'server {item.resource_name}' for item in run.items),
            'this cloud does not list its backups',
            REFUSAL,
        ],
    )
    assert deletes(c) == []


@pytest.mark.parametrize(
    'plan', [None, {}, {'resources': None}, {'resources': []}, 'text']
)
def test_karbor_asks_where_it_does_not_say_what_is_in_a_checkpoint(
    cloud: CloudFactory, openstack: Openstack, plan: Any
) -> None:
    c = cloud(checkpoint_items=False)
    run = c.state.add_checkpoint(3)
    body = {
        'checkpoint': {
            'id': run.id,
            'status': 'available',
            'protection_plan': plan,
        }
    }
    c.knobs.faults.append(
        Fault('body', 'GET', run.id, body=json.dumps(body), times=None)
    )
    openstack(*DELETE, run.id, complains=[..., REFUSAL])
    assert deletes(c) == []


def test_karbor_goes_on_showing_what_is_gone(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(checkpoint_items=False)
    run = c.state.add_checkpoint()
    openstack(*DELETE, run.id, '--yes')
    c.clear_log()
    openstack(
        *DELETE, run.id, '--yes', complains=['No checkpoint found', '1 of 1']
    )
    openstack(*DELETE, run.id, '--yes', '--ignore-missing')
    assert deletes(c) == []


def test_karbor_is_believed_that_a_deletion_runs(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(checkpoint_items=False, deletion_time=3600)
    run = c.state.add_checkpoint()
    c.knobs.faults.append(Fault('reset-after', 'DELETE'))
    openstack(*DELETE, run.id, '--yes')
    rows = openstack(*DELETE, run.id, '-f', 'json').json()
    assert rows[0]['Detail'] == 'is being deleted already'
    assert len(deletes(c)) == 2


@pytest.mark.parametrize('checkpoint', [UNKNOWN, None])
def test_karbor_refuses_what_is_unknown_or_foreign(
    cloud: CloudFactory, openstack: Openstack, checkpoint: str | None
) -> None:
    c = cloud(checkpoint_items=False)
    foreign = c.state.add_checkpoint(
        project_id=c.state.add_project('partner', member=False).id
    )
    good = c.state.add_checkpoint()
    openstack(
        *DELETE,
        checkpoint or foreign.id,
        good.id,
        '--yes',
        complains=[checkpoint or foreign.id, '1 of 2 checkpoints'],
    )
    assert len(deletes(c)) == 1
    assert not good.items


def test_karbor_cannot_delete_single_items(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(checkpoint_items=False)
    run = c.state.add_checkpoint(2)
    for item in (run.items[0].id, 'name'):
        openstack(
            *DELETE,
            run.id,
            '--item',
            item,
            '--yes',
            complains=[re.compile('^This cloud has no checkpoint_items')],
        )
    assert deletes(c) == []


@pytest.mark.parametrize('style', ['versioned+project', 'versioned', 'bare'])
@pytest.mark.parametrize(
    'kind',
    [
        'data-protect',
        'csbs',
        'data-protection',
        'data-protection-orchestration',
    ],
)
def test_csbs_is_found_in_the_catalog(
    cloud: CloudFactory, openstack: Openstack, kind: str, style: str
) -> None:
    c = cloud(csbs_catalog=kind, csbs_catalog_url_style=style, catalog='none')
    run = c.state.add_checkpoint()
    openstack(*DELETE, run.id)
    assert deletes(c) == [checkpoint_delete(run.id)]


def test_a_cloud_without_csbs_is_reported_with_the_key_to_set(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(csbs_catalog=None)
    run = c.state.add_checkpoint()
    openstack(
        *DELETE,
        run.id,
        complains=[re.compile('no CSBS.*csbs_endpoint_override')],
    )
    openstack(
        *DELETE, run.id, config={'csbs_endpoint_override': f'{c.url}/csbs'}
    )
    assert deletes(c) == [checkpoint_delete(run.id)]
