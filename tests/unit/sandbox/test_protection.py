# SPDX-License-Identifier: Apache-2.0
"""CSBS: servers are asked about, and backed up."""

from typing import Any

import pytest

from tests.sandbox.model import Server
from tests.unit.sandbox.conftest import PROVIDER, UNKNOWN, Api, Clock, Cloud

RESOURCES = f'/csbs/v1/{{P}}/providers/{PROVIDER}/resources'
ITEMS = '/csbs/v1/{P}/checkpoint_items'


def protect(api: Api, server: Server, **keys: Any) -> Any:
    path = f'{RESOURCES}/{server.id}/action'
    return api.post(path, json={'protect': keys})


def check(api: Api, *servers: Server | str) -> list[Any]:
    """What is said of some servers."""
    asked = [
        {
            'resource_id': one if isinstance(one, str) else one.id,
            'resource_type': 'OS::Nova::Server',
        }
        for one in servers
    ]
    path = f'{RESOURCES}/action'
    answer = api.post(path, json={'check_protectable': asked})
    assert answer.status_code == 200
    rows: list[Any] = answer.json()['protectable']
    return rows


def items_of(api: Api, answer: Any) -> list[Any]:
    checkpoint_id = answer.json()['checkpoint']['id']
    found = api.get(f'{ITEMS}?checkpoint_id={checkpoint_id}').json()
    rows: list[Any] = found['checkpoint_items']
    return rows


def code_of(answer: Any) -> str:
    assert answer.status_code == 400
    return str(answer.json()['error_code'])


# -- the life of a backup --------------------------------------------------


def test_a_server_is_backed_up(cloud: Cloud, clock: Clock) -> None:
    api = cloud(creation_time=100, clock=clock)
    server = api.sandbox.state.add_server('web01', 2)
    answer = protect(
        api,
        server,
        backup_name='web01-pre',
        description='before patch',
        tags=[{'key': ' env ', 'value': ' prod'}],
        extra_info={},
    )
    assert answer.status_code == 200
    checkpoint = answer.json()['checkpoint']
    assert checkpoint['status'] == 'protecting'
    assert checkpoint['project_id'] == api.sandbox.project_id
    plan = checkpoint['protection_plan']
    assert plan['id'].startswith('fake_')
    assert [row['id'] for row in plan['resources']] == [server.id]
    assert 'checkpoint_items' not in checkpoint
    seen = []
    for seconds in (0, 10, 40, 50):
        clock.advance(seconds)
        (item,) = items_of(api, answer)
        disks = item['extend_info']['volume_backups']
        seen.append(
            (
                item['status'],
                item['extend_info']['progress'],
                {disk['status'] for disk in disks},
            )
        )
    assert seen == [
        ('waiting_protect', 0, {'creating'}),
        ('protecting', 10, {'creating'}),
        ('protecting', 50, {'creating'}),
        ('available', 100, {'available'}),
    ]
    assert item['name'] == 'web01-pre'
    assert item['description'] == 'before patch'
    assert item['tags'] == [{'key': 'env', 'value': 'prod'}]
    assert item['resource_id'] == server.id


def test_a_backup_without_a_name(cloud: Cloud) -> None:
    api = cloud()
    answer = protect(api, api.sandbox.state.add_server('web01'))
    (item,) = items_of(api, answer)
    assert item['name'].startswith('manualbk_')


def test_an_item_that_appears_late(cloud: Cloud, clock: Clock) -> None:
    api = cloud(item_delay=30, creation_time=10, clock=clock)
    server = api.sandbox.state.add_server('web01')
    answer = protect(api, server)
    checkpoint = answer.json()['checkpoint']
    resources = checkpoint['protection_plan']['resources']
    assert [row['id'] for row in resources] == [server.id]
    path = f'/csbs/v1/{{P}}/providers/{PROVIDER}/checkpoints'
    seen = []
    for seconds in (0, 29, 1, 10):
        clock.advance(seconds)
        seen.append([item['status'] for item in items_of(api, answer)])
        if not seen[-1]:
            assert code_of(protect(api, server)) == 'CSBS.6005'
            busy = api.delete(f'{path}/{checkpoint["id"]}')
            assert code_of(busy) == 'CSBS.2003'
    assert seen == [[], [], ['waiting_protect'], ['available']]


def test_a_backup_that_fails(cloud: Cloud) -> None:
    api = cloud(creation='fails')
    answer = protect(api, api.sandbox.state.add_server('web01'))
    (item,) = items_of(api, answer)
    info = item['extend_info']
    assert item['status'] == 'error'
    assert (info['fail_op'], info['progress']) == ('backup', 100)
    assert info['fail_reason']
    assert info['fail_code']['Code'] == 'CSBS.9999'
    assert info['volume_backups'][0]['status'] == 'error'


def test_a_backup_that_hangs(cloud: Cloud, clock: Clock) -> None:
    api = cloud(creation='hangs', creation_time=10, clock=clock)
    answer = protect(api, api.sandbox.state.add_server('web01'))
    seen = set()
    for _ in range(3):
        clock.advance(1000)
        (item,) = items_of(api, answer)
        seen.add((item['status'], item['extend_info']['progress']))
    assert seen == {('protecting', 40)}


def test_a_server_says_what_becomes_of_its_own_backups(cloud: Cloud) -> None:
    api = cloud()
    found = []
    for number, outcome in enumerate(('hangs', None, 'fails')):
        server = api.sandbox.state.add_server(f'web{number}', creation=outcome)
        (item,) = items_of(api, protect(api, server))
        found.append(item['status'])
    assert found == ['protecting', 'available', 'error']


def test_the_first_is_full_and_the_others_as_asked(cloud: Cloud) -> None:
    api = cloud()
    server = api.sandbox.state.add_server('web01')

    def incremental(**keys: bool) -> bool:
        (item,) = items_of(api, protect(api, server, **keys))
        return bool(item['extend_info']['incremental'])

    assert incremental(incremental=True) is False
    assert incremental() is True
    assert incremental(incremental=False) is False
    assert incremental(incremental=True) is True


# -- what is refused -------------------------------------------------------


@pytest.mark.parametrize(
    'keys',
    [
        {'name': 'x'},
        {'backup_name': ''},
        {'backup_name': None},
        {'backup_name': 'a b'},
        {'backup_name': 'x' * 256},
        {'description': 'x' * 256},
        {'description': 'a>b'},
        {'incremental': 'true'},
        {'resource_type': 1},
        {'tags': []},
        {'tags': [{'key': 'a'}]},
        {'tags': [{'key': 'a', 'value': 'b c'}]},
        {'tags': [{'key': ' ', 'value': ''}]},
        {'tags': [{'key': 'a', 'value': ''}, {'key': ' a', 'value': ''}]},
        {'tags': [{'key': f'k{n}', 'value': ''} for n in range(11)]},
        {'extra_info': 'x'},
    ],
)
def test_bodies_that_are_refused(cloud: Cloud, keys: dict[str, Any]) -> None:
    api = cloud()
    server = api.sandbox.state.add_server('web01')
    assert code_of(protect(api, server, **keys)) == 'CSBS.9001'
    assert not api.sandbox.state.checkpoints


@pytest.mark.parametrize('body', [None, [], {}, {'protect': []}])
def test_bodies_of_another_shape(cloud: Cloud, body: Any) -> None:
    api = cloud()
    server = api.sandbox.state.add_server('web01')
    answer = api.post(f'{RESOURCES}/{server.id}/action', json=body)
    assert code_of(answer) == 'CSBS.9001'


def test_servers_that_cannot_be_backed_up(cloud: Cloud) -> None:
    """What C2 says is what C1 does."""
    api = cloud()
    state = api.sandbox.state
    busy = state.add_server('busy')
    state.add_checkpoint([busy], status='protecting')
    for server, code in (
        (state.add_server('web01'), None),
        (state.add_server('off', status='SHUTOFF'), None),
        (state.add_server('moving', status='RESIZE'), 'CSBS.6005'),
        (state.add_server('diskless', 0), 'CSBS.6007'),
        (busy, 'CSBS.6005'),
        (state.add_server('theirs', project_id='f' * 32), 'CSBS.6000'),
    ):
        (row,) = check(api, server)
        assert row['resource_id'] == server.id
        assert row['resource_type'] == 'OS::Nova::Server'
        assert row['result'] is (code is None)
        assert row.get('error_code') == code
        answer = protect(api, server)
        assert answer.ok is (code is None)
        if code:
            assert code_of(answer) == code


@pytest.mark.parametrize(
    ('server_id', 'keys', 'code'),
    [
        (UNKNOWN, {}, 'CSBS.6000'),
        ('web01', {}, 'CSBS.9001'),
        (
            UNKNOWN,
            {'resource_type': 'OS::Ironic::BareMetalServer'},
            'CSBS.6003',
        ),
    ],
)
def test_what_is_no_server(
    cloud: Cloud, server_id: str, keys: dict[str, str], code: str
) -> None:
    path = f'{RESOURCES}/{server_id}/action'
    assert code_of(cloud().post(path, json={'protect': keys})) == code


@pytest.mark.parametrize(
    ('provider', 'status'), [(UNKNOWN, 404), ('nonsense', 400)]
)
def test_other_providers(cloud: Cloud, provider: str, status: int) -> None:
    api = cloud()
    server = api.sandbox.state.add_server('web01')
    base = f'/csbs/v1/{{P}}/providers/{provider}/resources'
    for path, body in (
        (f'{base}/{server.id}/action', {'protect': {}}),
        (f'{base}/action', {'check_protectable': []}),
    ):
        assert api.post(path, json=body).status_code == status


@pytest.mark.parametrize(
    ('knob', 'value'), [('csbs_backup_quota', 1), ('csbs_gigabyte_quota', 25)]
)
def test_quotas(cloud: Cloud, knob: str, value: int) -> None:
    api = cloud(**{knob: value})
    state = api.sandbox.state
    assert protect(api, state.add_server('web01')).ok
    answer = protect(api, state.add_server('web02'))
    assert code_of(answer) == 'CSBS.9006'
    rows = api.get('/csbs/v1/{P}/quotas').json()['quotas']['resources']
    found = {row['type']: (row['used'], row['quota']) for row in rows}
    wanted = {'backup_capacity': (10, -1), 'backups': (1, 40)}
    kind = 'backups' if knob == 'csbs_backup_quota' else 'backup_capacity'
    assert found == wanted | {kind: (wanted[kind][0], value)}


def test_a_cloud_that_is_closed_to_new_projects(cloud: Cloud) -> None:
    api = cloud(closed=True)
    server = api.sandbox.state.add_server('web01')
    assert code_of(protect(api, server)) == 'BackupService.4008'
    assert check(api, server)[0]['result'] is True


def test_a_role_that_may_not_create(cloud: Cloud) -> None:
    api = cloud(read_only_role=True)
    server = api.sandbox.state.add_server('web01')
    assert protect(api, server).status_code == 403
    assert check(api, server)[0]['result'] is True


# -- asked beforehand ------------------------------------------------------


def test_a_server_that_is_not_protectable(cloud: Cloud) -> None:
    api = cloud()
    server = api.sandbox.state.add_server(
        'web01',
        protectable=False,
        protectable_code='CSBS.6010',
        protectable_message='A shared disk is attached.',
    )
    (row,) = check(api, server)
    assert row['result'] is False
    assert row['error_code'] == 'CSBS.6010'
    assert row['error_msg'] == 'A shared disk is attached.'
    assert code_of(protect(api, server)) == 'CSBS.6010'


def test_a_server_with_a_remark(cloud: Cloud) -> None:
    api = cloud()
    said = 'The server belongs to a policy.'
    server = api.sandbox.state.add_server('web01', protectable_message=said)
    (row,) = check(api, server)
    assert (row['result'], row['error_msg']) == (True, said)
    assert protect(api, server).ok


def test_several_servers_are_asked_about_at_once(cloud: Cloud) -> None:
    api = cloud()
    server = api.sandbox.state.add_server('web01')
    rows = check(api, server, UNKNOWN, 'nonsense')
    assert [row['result'] for row in rows] == [True, False, False]
    assert 'error_code' not in rows[0]
    assert not api.sandbox.state.checkpoints


@pytest.mark.parametrize(
    'body',
    [
        {},
        {'check_protectable': []},
        {'check_protectable': {}},
        {'check_protectable': [{'resource_id': UNKNOWN}]},
        {'check_protectable': [{'resource_id': 1, 'resource_type': 'x'}]},
        {
            'check_protectable': [
                {'resource_id': UNKNOWN, 'resource_type': 'x', 'name': 'y'}
            ]
        },
        {'check_protectable': [], 'check_restorable': []},
        {'protect': {}},
    ],
)
def test_questions_that_are_refused(cloud: Cloud, body: Any) -> None:
    answer = cloud().post(f'{RESOURCES}/action', json=body)
    assert code_of(answer) == 'CSBS.9001'


def test_other_kinds_of_resources_are_not_protectable(cloud: Cloud) -> None:
    asked = {
        'resource_id': UNKNOWN,
        'resource_type': 'OS::Ironic::BareMetalServer',
    }
    body = {'check_protectable': [asked]}
    answer = cloud().post(f'{RESOURCES}/action', json=body)
    (row,) = answer.json()['protectable']
    assert (row['result'], row['error_code']) == (False, 'CSBS.6003')


def test_a_karbor_has_neither(cloud: Cloud) -> None:
    api = cloud(checkpoint_items=False)
    server = api.sandbox.state.add_server('web01')
    assert protect(api, server).status_code == 404
    path = f'{RESOURCES}/action'
    assert api.post(path, json={'check_protectable': []}).status_code == 404
