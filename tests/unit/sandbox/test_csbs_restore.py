# SPDX-License-Identifier: Apache-2.0
"""CSBS: server backups are asked about, and restored."""

import contextlib
from collections.abc import Sequence
from typing import Any

import pytest
import requests

from tests.sandbox import Fault, Knobs
from tests.sandbox.model import CheckpointItem, Server, Volume
from tests.sandbox.restoration import INCOMPLETE, REASON
from tests.sandbox.state import CloudState
from tests.unit.sandbox.conftest import PROVIDER, UNKNOWN, Api, Clock, Cloud

RESOURCES = f'/csbs/v1/{{P}}/providers/{PROVIDER}/resources'
CHECKPOINTS = f'/csbs/v1/{{P}}/providers/{PROVIDER}/checkpoints'
RESTORES = '/csbs/v1/{P}/restores'
Pairs = Sequence[tuple[str, str]]


def backed_up(state: CloudState, *names: str, **how: Any) -> CheckpointItem:
    """The only backup of a new server with two disks."""
    server = state.add_server(*(names or ('web01',)), 2, **how)
    return state.add_checkpoint([server]).items[0]


def server_of(state: CloudState, item: CheckpointItem) -> Server:
    return state.servers[item.resource_id]


def own(item: CheckpointItem) -> Pairs:
    """Each disk onto the one that it was saved of."""
    return [(part.backup_id, part.volume_id) for part in item.parts]


def volumes(pairs: Pairs) -> list[dict[str, str]]:
    return [
        {'backup_id': backup_id, 'volume_id': volume_id}
        for backup_id, volume_id in pairs
    ]


def check(
    api: Api, item: CheckpointItem, pairs: Pairs, server_id: str = ''
) -> Any:
    """What is said of one restore."""
    target = {
        'resource_id': server_id or item.resource_id,
        'resource_type': 'OS::Nova::Server',
        'volumes': volumes(pairs),
    }
    asked = {'checkpoint_item_id': item.id, 'target': target}
    answer = api.post(
        f'{RESOURCES}/action', json={'check_restorable': [asked]}
    )
    assert answer.status_code == 200
    (row,) = answer.json()['restorable']
    assert row['resource_id'] == target['resource_id']
    assert row['resource_type'] == target['resource_type']
    return row


def body(
    item: CheckpointItem,
    pairs: Pairs,
    server_id: str = '',
    power_on: bool = True,
) -> dict[str, Any]:
    return {
        'provider_id': PROVIDER,
        'checkpoint_id': item.checkpoint_id,
        'parameters': {
            'checkpoint_item_id': item.id,
            'power_on': power_on,
            'targets': {
                'server_id': server_id or item.resource_id,
                'volumes': volumes(pairs),
            },
        },
    }


def restore(api: Api, item: CheckpointItem, **keys: Any) -> Any:
    pairs = keys.pop('pairs', own(item))
    return api.post(RESTORES, json={'restore': body(item, pairs, **keys)})


def shown(api: Api, item: CheckpointItem) -> Any:
    path = f'/csbs/v1/{{P}}/checkpoint_items/{item.id}'
    return api.get(path).json()['checkpoint_item']


def traces(api: Api, item: CheckpointItem) -> dict[str, Any]:
    """What a client can compare before and after."""
    row = shown(api, item)
    info = row['extend_info']
    return {
        'status': row['status'],
        'updated_at': row['updated_at'],
        'taskid': info['taskid'],
        'fail_op': info['fail_op'],
        'fail_reason': info['fail_reason'],
    }


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {key for key in before if before[key] != after[key]}


def code_of(answer: Any, status: int = 400) -> str:
    assert answer.status_code == status
    return str(answer.json()['error_code'])


# -- the life of a restore -------------------------------------------------


def test_a_server_is_restored(cloud: Cloud, clock: Clock) -> None:
    api = cloud(restore_time=100, restore_delay=20, clock=clock)
    state = api.sandbox.state
    item = backed_up(state)
    other = state.add_server('web02')
    server = server_of(state, item)
    wanted = body(item, own(item))
    answer = api.post(RESTORES, json={'restore': wanted})
    assert answer.status_code == 200
    made = answer.json()['restore']
    assert {key: made[key] for key in wanted} == wanted
    assert made['project_id'] == api.sandbox.project_id
    assert made['status'] == 'in_progress'
    assert (made['resources_status'], made['resources_reason']) == ({}, {})
    seen = []
    for seconds in (0, 19, 1, 10, 40, 50):
        clock.advance(seconds)
        row = shown(api, item)
        disks = row['extend_info']['volume_backups']
        seen.append(
            (
                row['status'],
                row['extend_info']['progress'],
                {disk['status'] for disk in disks},
                {volume.status for volume in server.volumes},
                server.status,
            )
        )
    assert seen == [
        ('available', 100, {'available'}, {'in-use'}, 'ACTIVE'),
        ('available', 100, {'available'}, {'in-use'}, 'ACTIVE'),
        ('waiting_restore', 0, {'available'}, {'in-use'}, 'ACTIVE'),
        ('restoring', 10, {'restoring'}, {'restoring-backup'}, 'SHUTOFF'),
        ('restoring', 50, {'restoring'}, {'restoring-backup'}, 'SHUTOFF'),
        ('available', 100, {'available'}, {'in-use'}, 'ACTIVE'),
    ]
    assert [volume.content for volume in server.volumes] == [
        part.backup_id for part in item.parts
    ]
    assert other.volumes[0].content is None


@pytest.mark.parametrize('status', ['ACTIVE', 'SHUTOFF'])
@pytest.mark.parametrize('power_on', [True, False])
def test_power_on_says_whether_the_server_runs_afterwards(
    cloud: Cloud, status: str, power_on: bool
) -> None:
    api = cloud()
    item = backed_up(api.sandbox.state, status=status)
    assert restore(api, item, power_on=power_on).ok
    server = server_of(api.sandbox.state, item)
    assert server.status == ('ACTIVE' if power_on else 'SHUTOFF')


def test_a_restore_to_another_server(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    item = backed_up(state)
    target = state.add_server('web02', 3)
    pairs = [
        (part.backup_id, volume.id)
        for part, volume in zip(item.parts, target.volumes, strict=False)
    ]
    assert check(api, item, pairs, target.id)['result'] is True
    assert restore(api, item, pairs=pairs, server_id=target.id).ok
    assert [
        volume.content
        for volume in api.sandbox.state.servers[target.id].volumes
    ] == [*(part.backup_id for part in item.parts), None]
    source = server_of(state, item)
    assert {volume.content for volume in source.volumes} == {None}


def test_an_enlarged_volume_falls_back_to_its_old_size(cloud: Cloud) -> None:
    api = cloud()
    item = backed_up(api.sandbox.state)
    volume = server_of(api.sandbox.state, item).volumes[1]
    volume.size = 30
    assert restore(api, item).ok
    assert api.sandbox.state.volumes[volume.id].size == 20


def test_a_restore_that_succeeds_leaves_traces(
    cloud: Cloud, clock: Clock
) -> None:
    api = cloud(clock=clock)
    item = backed_up(api.sandbox.state)
    item.fail('restore', REASON)
    before = traces(api, item)
    clock.advance(1)
    assert restore(api, item).ok
    after = traces(api, item)
    assert (after['status'], after['fail_op'], after['fail_reason']) == (
        'available',
        '',
        '',
    )
    assert changed(before, after) >= {'updated_at', 'taskid'}


def test_a_failure_of_the_past_may_stay(cloud: Cloud) -> None:
    api = cloud(restore_keeps_failure=True)
    item = backed_up(api.sandbox.state)
    item.fail('restore', REASON)
    assert restore(api, item).ok
    after = traces(api, item)
    assert (after['status'], after['fail_op']) == ('available', 'restore')
    server = server_of(api.sandbox.state, item)
    assert server.volumes[0].content == item.parts[0].backup_id


@pytest.mark.parametrize(
    ('outcome', 'status', 'disks'),
    [
        ('fails', 'available', 'available'),
        ('breaks', 'error', 'error_restoring'),
    ],
)
def test_a_restore_that_fails(
    cloud: Cloud, outcome: str, status: str, disks: str
) -> None:
    api = cloud(restore=outcome)
    item = backed_up(api.sandbox.state)
    before = traces(api, item)
    assert restore(api, item).ok
    after = traces(api, item)
    assert before['fail_op'] == ''
    assert (after['status'], after['fail_op'], after['fail_reason']) == (
        status,
        'restore',
        REASON,
    )
    found = shown(api, item)['extend_info']['volume_backups']
    assert {row['status'] for row in found} == {disks}
    server = server_of(api.sandbox.state, item)
    assert server.status == 'SHUTOFF'
    for volume in server.volumes:
        assert (volume.status, volume.content) == (
            'error_restoring',
            INCOMPLETE,
        )


def test_a_restore_that_is_never_seen_to_begin(
    cloud: Cloud, clock: Clock
) -> None:
    api = cloud(restore='never-begins', clock=clock)
    item = backed_up(api.sandbox.state)
    before = traces(api, item)
    assert restore(api, item).json()['restore']['status'] == 'in_progress'
    clock.advance(10_000)
    assert traces(api, item) == before
    server = server_of(api.sandbox.state, item)
    assert (server.status, server.volumes[0].content) == ('ACTIVE', None)
    assert check(api, item, own(item))['result'] is True


def test_a_restore_that_hangs(cloud: Cloud, clock: Clock) -> None:
    api = cloud(restore='hangs', restore_time=10, clock=clock)
    item = backed_up(api.sandbox.state)
    assert restore(api, item).ok
    clock.advance(10_000)
    row = shown(api, item)
    assert (row['status'], row['extend_info']['progress']) == ('restoring', 40)


@pytest.mark.parametrize(
    'left', [('updated_at', 'taskid'), ('updated_at',), ('taskid',), ()]
)
def test_the_same_failure_again(
    cloud: Cloud, clock: Clock, left: tuple[str, ...]
) -> None:
    """What tells the second from the first is a matter of the cloud."""
    api = cloud(restore='fails', restore_traces=('status', *left), clock=clock)
    item = backed_up(api.sandbox.state)
    found = []
    for _ in range(3):
        clock.advance(1)
        assert restore(api, item).ok
        found.append(traces(api, item))
    assert found[0]['fail_op'] == 'restore'
    assert changed(found[0], found[1]) == set(left)
    assert changed(found[1], found[2]) == set(left)


@pytest.mark.parametrize('left', [('updated_at',), ()])
def test_a_backup_that_stays_available_all_the_time(
    cloud: Cloud, clock: Clock, left: tuple[str, ...]
) -> None:
    api = cloud(restore_traces=left, restore_time=100, clock=clock)
    item = backed_up(api.sandbox.state)
    before = traces(api, item)
    assert restore(api, item).ok
    for _ in range(4):
        clock.advance(25)
        assert changed(before, traces(api, item)) == set(left)
        disks = shown(api, item)['extend_info']['volume_backups']
        assert {disk['status'] for disk in disks} == {'available'}
    assert server_of(api.sandbox.state, item).status == 'ACTIVE'


def test_a_server_says_what_becomes_of_its_own_restores(cloud: Cloud) -> None:
    api = cloud()
    found = []
    for outcome in ('hangs', None, 'breaks'):
        item = backed_up(api.sandbox.state, restore=outcome)
        assert restore(api, item).ok
        found.append(shown(api, item)['status'])
    assert found == ['restoring', 'available', 'error']


@pytest.mark.parametrize(
    ('fault', 'begun'),
    [
        (Fault('reset-before', 'POST', 'restores'), False),
        (Fault('reset-after', 'POST', 'restores'), True),
        (Fault('status', 'POST', 'restores', status=504, acts=True), True),
        (Fault('truncate', 'POST', 'restores'), True),
    ],
)
def test_answers_that_are_lost(
    cloud: Cloud, fault: Fault, begun: bool
) -> None:
    api = cloud()
    api.sandbox.knobs.faults.append(fault)
    item = backed_up(api.sandbox.state)
    with contextlib.suppress(requests.ConnectionError):
        restore(api, item)
    assert len(api.sandbox.state.restores) == begun
    volume = server_of(api.sandbox.state, item).volumes[0]
    assert volume.content == (item.parts[0].backup_id if begun else None)


# -- what is in the way ----------------------------------------------------


def refused(
    api: Api,
    item: CheckpointItem,
    code: str,
    *,
    pairs: Pairs | None = None,
    server_id: str = '',
    status: int = 400,
) -> str:
    """C3 says no and C9 refuses, both for the same reason."""
    pairs = own(item) if pairs is None else pairs
    row = check(api, item, pairs, server_id)
    assert (row['result'], row['error_code']) == (False, f'CSBS.{code}')
    answer = restore(api, item, pairs=pairs, server_id=server_id)
    assert code_of(answer, status) == f'CSBS.{code}'
    assert answer.json()['error_msg'] == row['error_msg']
    for volume in api.sandbox.state.volumes.values():
        assert volume.content is None
    return str(row['error_msg'])


@pytest.mark.parametrize(
    'status', ['waiting_protect', 'protecting', 'restoring', 'error']
)
def test_the_status_of_the_backup(cloud: Cloud, status: str) -> None:
    api = cloud()
    state = api.sandbox.state
    item = state.add_checkpoint(status=status).items[0]
    target = state.add_server('web02')
    pairs = [(item.parts[0].backup_id, target.volumes[0].id)]
    assert status in refused(
        api, item, '4000', pairs=pairs, server_id=target.id
    )


def test_backups_that_cannot_be_restored(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    item = backed_up(state)
    item.restore_mode = 'na'
    info = shown(api, item)['extend_info']
    assert info['supported_restore_mode'] == 'na'
    refused(api, item, '4000')
    disk = backed_up(state)
    state.backups[disk.parts[0].backup_id].status = 'restoring'
    assert 'restoring' in refused(api, disk, '4000')
    gone = backed_up(state)
    state.remove_backup(state.backups[gone.parts[0].backup_id])
    refused(api, gone, '4000')


@pytest.mark.parametrize('status', ['ERROR', 'RESIZE', 'VERIFY_RESIZE'])
def test_the_status_of_the_server(cloud: Cloud, status: str) -> None:
    api = cloud()
    item = backed_up(api.sandbox.state, status=status)
    assert status in refused(api, item, '6016')


def test_servers_that_are_refused(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    item = backed_up(state)
    theirs = state.add_server('theirs', project_id='f' * 32)
    diskless = state.add_server('diskless', 0)
    for server_id, code in (
        (UNKNOWN, '6000'),
        ('web01', '6000'),
        (theirs.id, '6000'),
        (diskless.id, '6020'),
    ):
        refused(api, item, code, server_id=server_id)
    server_of(state, item).availability_zone = 'eu-de-02'
    refused(api, item, '6025')


def test_a_server_that_is_backed_up(cloud: Cloud) -> None:
    api = cloud()
    item = backed_up(api.sandbox.state)
    server = server_of(api.sandbox.state, item)
    api.sandbox.state.add_checkpoint([server], status='protecting')
    refused(api, item, '2003')


def test_a_server_that_is_restored_is_left_alone(
    cloud: Cloud, clock: Clock
) -> None:
    """From the moment at which it was asked for, shown or not."""
    api = cloud(restore_delay=10, clock=clock)
    state = api.sandbox.state
    item = backed_up(state)
    other = state.add_checkpoint([server_of(state, item)]).items[0]
    target = state.add_server('web02', 2)
    assert restore(api, item).ok
    refused(api, item, '6015')
    refused(api, other, '6015')
    pairs = [
        (part.backup_id, volume.id)
        for part, volume in zip(item.parts, target.volumes, strict=True)
    ]
    refused(api, item, '4000', pairs=pairs, server_id=target.id)
    path = f'{CHECKPOINTS}/{item.checkpoint_id}'
    assert code_of(api.delete(path)) == 'CSBS.2003'
    again = api.post(
        f'{RESOURCES}/{item.resource_id}/action', json={'protect': {}}
    )
    assert code_of(again) == 'CSBS.6015'
    clock.advance(10)
    assert check(api, other, own(other))['result'] is True
    assert api.delete(path).ok


def test_the_mapping(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    item = backed_up(state)
    one, two = own(item)
    spare = state.add_volume()
    stranger = backed_up(state).parts[0].backup_id
    for pairs, code, status in (
        ([], '6018', 400),
        ([one], '6018', 400),
        ([one, (two[0], spare.id)], '6014', 400),
        ([one, (two[0], UNKNOWN)], '6014', 400),
        ([one, two, (stranger, two[1])], '6017', 400),
        ([one, (item.id, two[1])], '6017', 400),
        ([one, two, two], '9001', 400),
        ([one, (one[0], two[1])], '9001', 400),
        ([(two[0], one[1]), (one[0], two[1])], '6023', 500),
    ):
        refused(api, item, code, pairs=pairs, status=status)


@pytest.mark.parametrize(
    ('change', 'code'),
    [({'multiattach': True}, '6021'), ({'size': 19}, '6024')],
)
def test_volumes_that_are_refused(
    cloud: Cloud, change: dict[str, Any], code: str
) -> None:
    api = cloud()
    item = backed_up(api.sandbox.state)
    volume: Volume = server_of(api.sandbox.state, item).volumes[1]
    for name, value in change.items():
        setattr(volume, name, value)
    assert volume.id in refused(api, item, code)


def test_a_disk_that_was_removed_since(cloud: Cloud) -> None:
    api = cloud()
    item = backed_up(api.sandbox.state)
    server_of(api.sandbox.state, item).volumes.pop()
    refused(api, item, '6014')
    refused(api, item, '6018', pairs=own(item)[:1])


@pytest.mark.parametrize(
    ('code', 'status'),
    [('', 400), ('CSBS.6061', 400), ('CSBS.6019', 500), ('CSBS.9998', 500)],
)
def test_a_server_that_is_not_restorable(
    cloud: Cloud, code: str, status: int
) -> None:
    api = cloud()
    said = 'It has disks of another pod.'
    item = backed_up(
        api.sandbox.state,
        restorable=False,
        restorable_code=code,
        restorable_message=said,
    )
    number = (code or 'CSBS.6016').removeprefix('CSBS.')
    assert refused(api, item, number, status=status) == said


def test_a_server_with_a_remark(cloud: Cloud) -> None:
    api = cloud()
    item = backed_up(api.sandbox.state, restorable_message='A remark.')
    row = check(api, item, own(item))
    assert (row['result'], row['error_msg']) == (True, 'A remark.')
    assert 'error_code' not in row
    assert restore(api, item).ok


def test_backups_that_are_not_found(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    item = backed_up(state)
    other = state.add_project('other')
    theirs = state.add_checkpoint(project_id=other.id).items[0]
    assert check(api, theirs, own(theirs))['error_code'] == 'CSBS.3001'
    assert restore(api, theirs).status_code == 403
    for changes, status in (
        ({'checkpoint_id': UNKNOWN}, 404),
        ({'checkpoint_id': 'x'}, 400),
        ({'checkpoint_id': backed_up(state).checkpoint_id}, 404),
        ({'provider_id': UNKNOWN}, 404),
        ({'provider_id': 'x'}, 400),
    ):
        wanted = body(item, own(item)) | changes
        answer = api.post(RESTORES, json={'restore': wanted})
        assert answer.status_code == status
    assert not state.restores


def test_a_role_that_may_not_restore(cloud: Cloud) -> None:
    api = cloud(read_only_role=True)
    item = backed_up(api.sandbox.state)
    assert check(api, item, own(item))['result'] is True
    assert restore(api, item).status_code == 403
    assert not api.sandbox.state.restores


# -- bodies ----------------------------------------------------------------

TARGET = {
    'resource_id': UNKNOWN,
    'resource_type': 'OS::Nova::Server',
    'volumes': [],
}
ASKED = {'checkpoint_item_id': UNKNOWN, 'target': TARGET}


@pytest.mark.parametrize(
    'body',
    [
        {'check_restorable': []},
        {'check_restorable': {}},
        {'check_restorable': [ASKED], 'check_protectable': []},
        {'check_restorable': [{'checkpoint_item_id': UNKNOWN}]},
        {'check_restorable': [ASKED | {'checkpoint_item_id': 1}]},
        {'check_restorable': [ASKED | {'name': 'x'}]},
        {'check_restorable': [ASKED | {'target': []}]},
        {'check_restorable': [ASKED | {'target': TARGET | {'x': 1}}]},
        {'check_restorable': [ASKED | {'target': TARGET | {'volumes': {}}}]},
        {
            'check_restorable': [
                ASKED | {'target': TARGET | {'volumes': [{'volume_id': 'x'}]}}
            ]
        },
        {
            'check_restorable': [
                ASKED | {'target': TARGET | {'resource_id': None}}
            ]
        },
    ],
)
def test_questions_that_are_refused(cloud: Cloud, body: Any) -> None:
    answer = cloud().post(f'{RESOURCES}/action', json=body)
    assert code_of(answer) == 'CSBS.9001'


def test_several_restores_are_asked_about_at_once(cloud: Cloud) -> None:
    metal = TARGET | {'resource_type': 'OS::Ironic::BareMetalServer'}
    asked = [ASKED, ASKED | {'target': metal}]
    answer = cloud().post(
        f'{RESOURCES}/action', json={'check_restorable': asked}
    )
    rows = answer.json()['restorable']
    assert [row['error_code'] for row in rows] == ['CSBS.3001', 'CSBS.6013']


@pytest.mark.parametrize(
    'changes',
    [
        {'name': 'x'},
        {'provider_id': None},
        {'restore_target': {}},
        {'parameters': []},
        {'parameters': {}},
    ],
)
def test_bodies_that_are_refused(
    cloud: Cloud, changes: dict[str, Any]
) -> None:
    api = cloud()
    item = backed_up(api.sandbox.state)
    wanted = body(item, own(item)) | changes
    answer = api.post(RESTORES, json={'restore': wanted})
    assert code_of(answer) == 'CSBS.9001'


@pytest.mark.parametrize(
    'changes',
    [
        {'power_on': None},
        {'power_on': 'true'},
        {'checkpoint_item_id': 1},
        {'targets': []},
        {'targets': [{'server_id': UNKNOWN, 'volumes': []}]},
        {'targets': {'server_id': UNKNOWN}},
        {'targets': {'server_id': UNKNOWN, 'volumes': [], 'x': 1}},
        {'targets': {'server_id': 1, 'volumes': []}},
        {'x': 1},
    ],
)
def test_parameters_that_are_refused(
    cloud: Cloud, changes: dict[str, Any]
) -> None:
    api = cloud()
    item = backed_up(api.sandbox.state)
    wanted = body(item, own(item))
    wanted['parameters'] |= changes
    answer = api.post(RESTORES, json={'restore': wanted})
    assert code_of(answer) == 'CSBS.9001'


@pytest.mark.parametrize('key', ['provider_id', 'checkpoint_id', 'parameters'])
def test_keys_that_are_missing(cloud: Cloud, key: str) -> None:
    api = cloud()
    item = backed_up(api.sandbox.state)
    wanted = body(item, own(item))
    del wanted[key]
    answer = api.post(RESTORES, json={'restore': wanted})
    assert code_of(answer) == 'CSBS.9001'


@pytest.mark.parametrize('key', ['checkpoint_item_id', 'power_on', 'targets'])
def test_parameters_that_are_missing(cloud: Cloud, key: str) -> None:
    api = cloud()
    item = backed_up(api.sandbox.state)
    wanted = body(item, own(item))
    del wanted['parameters'][key]
    answer = api.post(RESTORES, json={'restore': wanted})
    assert code_of(answer) == 'CSBS.9001'


# -- as Karbor has them ----------------------------------------------------


@pytest.mark.parametrize(
    ('outcome', 'end'),
    [
        ('succeeds', 'success'),
        ('fails', 'fail'),
        ('never-begins', 'in_progress'),
    ],
)
def test_restores_are_shown(
    cloud: Cloud, clock: Clock, outcome: str, end: str
) -> None:
    api = cloud(
        restores_shown=True, restore=outcome, restore_time=10, clock=clock
    )
    made = restore(api, backed_up(api.sandbox.state)).json()['restore']
    path = f'{RESTORES}/{made["id"]}'
    assert api.get(path).json()['restore'] == made
    clock.advance(10)
    assert api.get(path).json()['restore'] == made | {'status': end}
    assert api.get(f'{RESTORES}/{UNKNOWN}').status_code == 404
    assert api.get(f'{RESTORES}/x').status_code == 400


def test_restores_are_not_shown(cloud: Cloud) -> None:
    api = cloud()
    made = restore(api, backed_up(api.sandbox.state)).json()['restore']
    assert api.get(f'{RESTORES}/{made["id"]}').status_code == 404
    assert api.get(RESTORES).status_code == 405


def test_a_karbor_restores_nothing(cloud: Cloud) -> None:
    api = cloud(checkpoint_items=False)
    item = backed_up(api.sandbox.state)
    assert restore(api, item).status_code == 404


@pytest.mark.parametrize(
    'wrong', [{'restore': 'maybe'}, {'restore_traces': ('size',)}]
)
def test_settings_that_do_not_exist(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match='restore'):
        Knobs(**wrong)
