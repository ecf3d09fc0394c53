# SPDX-License-Identifier: Apache-2.0
"""CSBS: policies are made, changed, deleted and run."""

from typing import Any

import pytest

from tests.sandbox.model import Server
from tests.sandbox.plans import Plan, pattern
from tests.unit.sandbox.conftest import PROVIDER, UNKNOWN, Api, Clock, Cloud

POLICIES = '/csbs/v1/{P}/policies'
CHECKPOINTS = f'/csbs/v1/{{P}}/providers/{PROVIDER}/checkpoints'
ITEMS = '/csbs/v1/{P}/checkpoint_items'
WEEKLY = 'FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=1,13;BYMINUTE=30'
LONG = {'max_backups': 10, 'day_backups': 7, 'timezone': 'UTC+02:00'}


def resource(server: Server | str, **changes: Any) -> dict[str, Any]:
    id = server if isinstance(server, str) else server.id
    return {'id': id, 'type': 'OS::Nova::Server', 'name': 'web01'} | changes


def operation(rule: str | None = None, **changes: Any) -> dict[str, Any]:
    return {
        'enabled': True,
        'operation_type': 'backup',
        'operation_definition': {'max_backups': 10, 'permanent': False},
        'trigger': {
            'properties': {'pattern': pattern(rule) if rule else pattern()}
        },
    } | changes


def body(**changes: Any) -> dict[str, Any]:
    """A policy as C11 wants it; None leaves a key out."""
    policy: dict[str, Any] = {
        'name': 'weekly-web',
        'provider_id': PROVIDER,
        'parameters': {'common': {}},
        'resources': [],
        'scheduled_operations': [operation()],
    }
    return {
        key: value
        for key, value in (policy | changes).items()
        if value is not None
    }


def make(api: Api, **changes: Any) -> Any:
    return api.post(POLICIES, json={'policy': body(**changes)})


def made(api: Api, **changes: Any) -> Any:
    answer = make(api, **changes)
    assert answer.status_code == 200, answer.text
    return answer.json()['policy']


def put(api: Api, plan: Plan, **changes: Any) -> Any:
    path = f'{POLICIES}/{plan.id}'
    return api('PUT', path, json={'policy': changes})


def changed(api: Api, plan: Plan, **changes: Any) -> Any:
    """What is shown of a policy that was changed."""
    answer = put(api, plan, **changes)
    assert answer.status_code == 200, answer.text
    return shown(api, plan)


def change(plan: Plan, **changes: Any) -> list[dict[str, Any]]:
    """The operation of a policy, in a request."""
    return [{'id': plan.operation['id'], **changes}]


def shown(api: Api, plan: Plan) -> Any:
    return api.get(f'{POLICIES}/{plan.id}').json()['policy']


def listed(api: Api, query: str = '') -> list[str]:
    answer = api.get(POLICIES + query)
    assert answer.status_code == 200, answer.text
    return [row['name'] for row in answer.json()['policies']]


def run(api: Api, plan: Plan | str, **parameters: Any) -> Any:
    id = plan if isinstance(plan, str) else plan.id
    wanted = {'plan_id': id, 'parameters': parameters}
    return api.post(CHECKPOINTS, json={'checkpoint': wanted})


def items_of(api: Api, answer: Any) -> list[Any]:
    assert answer.status_code == 200, answer.text
    checkpoint_id = answer.json()['checkpoint']['id']
    found = api.get(f'{ITEMS}?checkpoint_id={checkpoint_id}').json()
    rows: list[Any] = found['checkpoint_items']
    return rows


def items(api: Api) -> list[Any]:
    rows: list[Any] = api.get(ITEMS).json()['checkpoint_items']
    return rows


def code_of(answer: Any, status: int = 400) -> str:
    assert answer.status_code == status, answer.text
    return str(answer.json()['error_code'])


# -- C11, C13 --------------------------------------------------------------


def test_a_policy_is_made(cloud: Cloud) -> None:
    api = cloud()
    server = api.sandbox.state.add_server('web01')
    policy = made(
        api,
        description='Mondays',
        resources=[resource(server)],
        scheduled_operations=[operation(WEEKLY, name='default')],
        tags=[{'key': ' env', 'value': 'prod '}],
    )
    assert policy['project_id'] == api.sandbox.project_id
    assert policy['provider_id'] == PROVIDER
    assert policy['parameters'] == {'common': {}}
    assert policy['description'] == 'Mondays'
    assert policy['resources'] == [resource(server, extra_info={})]
    assert policy['tags'] == [{'key': 'env', 'value': 'prod'}]
    (one,) = policy['scheduled_operations']
    trigger = one['trigger']
    assert one['enabled'] is True
    assert one['operation_definition'] == {
        'max_backups': 10,
        'permanent': False,
        'plan_id': policy['id'],
        'provider_id': PROVIDER,
    }
    assert one['trigger_id'] == trigger['id']
    assert trigger['properties']['pattern'] == pattern(WEEKLY)
    assert trigger['properties']['format'] == 'ical'
    assert ' ' in trigger['properties']['start_time']
    answer = api.get(f'{POLICIES}/{policy["id"]}')
    assert answer.json() == {'policy': policy}


@pytest.mark.parametrize(
    ('enabled', 'status'), [(True, 'suspended'), (False, 'disabled')]
)
def test_its_status_says_little(
    cloud: Cloud, enabled: bool, status: str
) -> None:
    operations = [operation(enabled=enabled)]
    assert made(cloud(), scheduled_operations=operations)['status'] == status


@pytest.mark.parametrize(
    'changes',
    [
        {'colour': 'blue'},
        {'status': 'enabled'},
        {'id': UNKNOWN},
        *(
            {key: None}
            for key in (
                'name',
                'provider_id',
                'parameters',
                'resources',
                'scheduled_operations',
            )
        ),
        *(
            {'name': name}
            for name in ('', 'a b', 'ü', 'a.b', 'x' * 256, 5, 'web\n')
        ),
        {'description': 'x' * 256},
        {'description': '<b>'},
        {'description': 5},
        {'provider_id': UNKNOWN},
        {'parameters': []},
        {'parameters': {'colour': {}}},
        {'parameters': {'common': 5}},
        {'tags': []},
        {'tags': {'key': 'a', 'value': 'b'}},
        {'tags': [{'key': 'a', 'value': 'b'}] * 2},
        {'tags': [{'key': 'a b', 'value': 'b'}]},
        {'tags': [{'key': f'k{n}', 'value': ''} for n in range(11)]},
        {'resources': {}},
        {'resources': [UNKNOWN]},
        {'resources': [resource('x')]},
        {'resources': [resource('fake_' + UNKNOWN)]},
        {'resources': [resource(UNKNOWN)] * 2},
        {'resources': [resource(UNKNOWN, name=5)]},
        {'resources': [resource(UNKNOWN, extra_info='x')]},
        {'resources': [resource(UNKNOWN, colour='blue')]},
        {'resources': [{'id': UNKNOWN, 'type': 'OS::Nova::Server'}]},
        {
            'resources': [
                resource(f'00000000-0000-4000-8000-{number:012}')
                for number in range(65)
            ]
        },
        {'scheduled_operations': []},
        {'scheduled_operations': {}},
        {'scheduled_operations': ['x']},
        {'scheduled_operations': [operation(), operation()]},
    ],
    ids=str,
)
def test_what_no_policy_has(cloud: Cloud, changes: Any) -> None:
    api = cloud()
    assert code_of(make(api, **changes)) == 'CSBS.9001'
    assert listed(api) == []


@pytest.mark.parametrize(
    'changes',
    [
        {'id': UNKNOWN},
        {'colour': 'blue'},
        {'enabled': 'true'},
        {'enabled': 1},
        {'enabled': None},
        {'operation_type': 'restore'},
        {'name': 'a b'},
        {'description': '<'},
        {'operation_definition': []},
        {'trigger': []},
        {'trigger': {}},
        {'trigger': {'properties': {}}},
        {'trigger': {'properties': {'pattern': 5}}},
        {'trigger': {'properties': {'pattern': pattern(), 'format': 'x'}}},
        {'trigger': {'properties': {'pattern': pattern()}, 'type': 'time'}},
    ],
    ids=str,
)
def test_what_no_operation_has(cloud: Cloud, changes: Any) -> None:
    answer = make(cloud(), scheduled_operations=[operation(**changes)])
    assert code_of(answer) == 'CSBS.9001'


@pytest.mark.parametrize(
    'key', ['enabled', 'operation_type', 'operation_definition', 'trigger']
)
def test_what_each_operation_has(cloud: Cloud, key: str) -> None:
    one = operation()
    del one[key]
    assert code_of(make(cloud(), scheduled_operations=[one])) == 'CSBS.9001'


@pytest.mark.parametrize(
    ('given', 'kept'),
    [
        ({}, {}),
        ({'max_backups': -1}, {'max_backups': -1}),
        ({'max_backups': '20'}, {'max_backups': 20}),
        (
            {'retention_duration_days': '-1', 'permanent': 'False'},
            {'retention_duration_days': -1, 'permanent': False},
        ),
        ({'max_backups': 99999}, {'max_backups': 99999}),
        (LONG, LONG),
        (
            {'year_backups': 100, 'timezone': 'UTC-11:30'},
            {'year_backups': 100, 'timezone': 'UTC-11:30'},
        ),
    ],
)
def test_what_is_kept(cloud: Cloud, given: Any, kept: Any) -> None:
    operations = [operation(operation_definition=given)]
    (one,) = made(cloud(), scheduled_operations=operations)[
        'scheduled_operations'
    ]
    definition = one['operation_definition']
    del definition['plan_id'], definition['provider_id']
    assert definition == kept


@pytest.mark.parametrize(
    'definition',
    [
        {'colour': 'blue'},
        {'max_backups': -2},
        {'max_backups': 100000},
        {'max_backups': 1.0},
        {'max_backups': True},
        {'max_backups': '2 '},
        {'max_backups': None},
        {'retention_duration_days': 100000},
        {'permanent': 1},
        {'permanent': 'yes'},
        {'day_backups': 7},
        {'timezone': 'UTC+02:00'},
        {'day_backups': 101, 'timezone': 'UTC+02:00'},
        {'day_backups': -1, 'timezone': 'UTC+02:00'},
        {'day_backups': '7', 'timezone': 'UTC+02:00'},
        {'day_backups': 7, 'timezone': 'Europe/Berlin'},
        {'day_backups': 7, 'timezone': 'UTC+2:00'},
        {'day_backups': 7, 'timezone': 'UTC+15:00'},
        {'plan_id': 5},
    ],
    ids=str,
)
def test_what_cannot_be_kept(cloud: Cloud, definition: Any) -> None:
    operations = [operation(operation_definition=definition)]
    answer = make(cloud(), scheduled_operations=operations)
    assert code_of(answer) == 'CSBS.9001'


@pytest.mark.parametrize(
    'rule',
    [
        'FREQ=DAILY;BYHOUR=0;BYMINUTE=0',
        'BYMINUTE=05;BYHOUR=07,23;FREQ=DAILY',
        'FREQ=DAILY;BYDAY=MO,SU;BYHOUR=2;BYMINUTE=59',
        f'FREQ=DAILY;BYHOUR={",".join(map(str, range(24)))};BYMINUTE=0',
        'FREQ=WEEKLY;BYDAY=SU;BYHOUR=0,23;BYMINUTE=0',
        WEEKLY,
    ],
)
def test_schedules(cloud: Cloud, rule: str) -> None:
    made(cloud(), scheduled_operations=[operation(rule)])


@pytest.mark.parametrize(
    'rule',
    [
        'FREQ=DAILY',
        'FREQ=DAILY;BYHOUR=2',
        'FREQ=DAILY;BYMINUTE=0',
        'BYHOUR=2;BYMINUTE=0',
        'FREQ=MONTHLY;BYHOUR=2;BYMINUTE=0',
        'FREQ=HOURLY;BYMINUTE=0',
        'FREQ=daily;BYHOUR=2;BYMINUTE=0',
        'FREQ=WEEKLY;BYHOUR=2;BYMINUTE=0',
        'FREQ=WEEKLY;BYDAY=;BYHOUR=2;BYMINUTE=0',
        'FREQ=WEEKLY;BYDAY=MON;BYHOUR=2;BYMINUTE=0',
        'FREQ=WEEKLY;BYDAY=1MO;BYHOUR=2;BYMINUTE=0',
        'FREQ=WEEKLY;BYDAY=MO,MO;BYHOUR=2;BYMINUTE=0',
        'FREQ=DAILY;BYHOUR=24;BYMINUTE=0',
        'FREQ=DAILY;BYHOUR=-1;BYMINUTE=0',
        'FREQ=DAILY;BYHOUR=2;BYMINUTE=60',
        'FREQ=DAILY;BYHOUR=2,02;BYMINUTE=0',
        'FREQ=DAILY;BYHOUR=2;BYMINUTE=0;INTERVAL=2',
        'FREQ=DAILY;BYHOUR=2;BYMINUTE=0;COUNT=2',
        'FREQ=DAILY;BYHOUR=2;BYMINUTE=0;BYSECOND=0',
        'FREQ=DAILY;BYHOUR=2;BYMINUTE=0;BYHOUR=3',
        'FREQ=DAILY;BYHOUR=2;BYMINUTE=0;',
        # More often than once an hour, the last one over midnight.
        'FREQ=DAILY;BYHOUR=2;BYMINUTE=0,30',
        'FREQ=WEEKLY;BYDAY=MO;BYHOUR=0,1;BYMINUTE=0,59',
        f'FREQ=DAILY;BYHOUR={",".join(map(str, range(24)))};BYMINUTE=0,1',
        '',
    ],
)
def test_what_is_no_schedule(cloud: Cloud, rule: str) -> None:
    one = operation()
    one['trigger']['properties']['pattern'] = pattern(rule)
    assert code_of(make(cloud(), scheduled_operations=[one])) == 'CSBS.9001'


@pytest.mark.parametrize(
    'text',
    [
        '',
        'RRULE:FREQ=DAILY;BYHOUR=2;BYMINUTE=0',
        pattern().replace('\r\n', '\n'),
        pattern().removesuffix('\r\n'),
        pattern() + '\r\n',
        pattern().replace('BEGIN:VEVENT\r\n', ''),
        pattern().replace('VEVENT', 'VTODO'),
        pattern().replace('END:VCALENDAR', 'END:VEVENT'),
        pattern() + pattern(),
        pattern().replace('RRULE', 'EXRULE'),
        pattern().replace('END:VEVENT', 'RRULE:FREQ=DAILY\r\nEND:VEVENT'),
        pattern().replace('RRULE:', 'RRULE;X=1:'),
        pattern().replace('END:VEVENT', f'X:{"x" * 10240}\r\nEND:VEVENT'),
    ],
    ids=repr,
)
def test_what_is_no_pattern(cloud: Cloud, text: str) -> None:
    one = operation(trigger={'properties': {'pattern': text}})
    assert code_of(make(cloud(), scheduled_operations=[one])) == 'CSBS.9001'


@pytest.mark.parametrize(
    'text',
    [
        pattern().replace('BYHOUR', 'BY\r\n HOUR'),
        pattern().replace('RRULE', 'DTSTART:20240502T010000Z\r\nRRULE'),
    ],
)
def test_what_a_calendar_may_have_as_well(cloud: Cloud, text: str) -> None:
    one = operation(trigger={'properties': {'pattern': text}})
    made(cloud(), scheduled_operations=[one])


def test_a_name_is_there_once(cloud: Cloud) -> None:
    api = cloud()
    made(api)
    assert code_of(make(api)) == 'CSBS.9007'
    other = api.sandbox.state.add_project('other')
    api.sandbox.state.add_plan('theirs', project_id=other.id)
    made(api, name='theirs')


def test_there_are_32_policies(cloud: Cloud) -> None:
    api = cloud()
    for number in range(32):
        api.sandbox.state.add_plan(f'p{number}')
    assert code_of(make(api)) == 'CSBS.0001'


def test_servers_that_no_policy_may_have(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    server = state.add_server('web01')
    foreign = state.add_server('x', project_id=state.add_project('other').id)
    state.add_plan('one', [server])
    for wanted, code in (
        (resource(server), 'CSBS.6004'),
        (resource(foreign), 'CSBS.6000'),
        (resource(UNKNOWN), 'CSBS.6000'),
        (resource(server, type='OS::Cinder::Volume'), 'CSBS.6003'),
    ):
        assert code_of(make(api, resources=[wanted])) == code
    assert listed(api) == ['one']


def test_64_servers_are_allowed(cloud: Cloud) -> None:
    api = cloud()
    servers = [api.sandbox.state.add_server(f's{n}') for n in range(64)]
    policy = made(api, resources=[resource(one) for one in servers])
    assert len(policy['resources']) == 64


def test_who_may_make_and_change(cloud: Cloud) -> None:
    api = cloud(read_only_role=True)
    plan = api.sandbox.state.add_plan('daily')
    for answer in (
        make(api),
        put(api, plan, name='other'),
        api.delete(f'{POLICIES}/{plan.id}'),
        run(api, plan),
    ):
        assert answer.status_code == 403
    api.sandbox.knobs.read_only_role = False
    api.sandbox.knobs.closed = True
    for answer in (make(api), run(api, plan)):
        assert code_of(answer) == 'BackupService.4008'


@pytest.mark.parametrize('text', [b'', b'[]', b'{}', b'{"policy": []}'])
def test_what_is_no_body(cloud: Cloud, text: bytes) -> None:
    api = cloud()
    plan = api.sandbox.state.add_plan('daily')
    assert code_of(api.post(POLICIES, data=text)) == 'CSBS.9001'
    path = f'{POLICIES}/{plan.id}'
    assert code_of(api('PUT', path, data=text)) == 'CSBS.9001'
    assert code_of(api.post(CHECKPOINTS, data=text)) == 'CSBS.9001'


@pytest.mark.parametrize('method', ['GET', 'PUT', 'DELETE'])
def test_a_policy_that_is_none(cloud: Cloud, method: str) -> None:
    api = cloud()
    state = api.sandbox.state
    foreign = state.add_plan('x', project_id=state.add_project('other').id)
    for id in (UNKNOWN, foreign.id):
        answer = api(method, f'{POLICIES}/{id}', json={'policy': {}})
        assert code_of(answer, 404) == 'CSBS.3000'
    fake = f'{POLICIES}/fake_{UNKNOWN}'
    assert code_of(api(method, fake, json={'policy': {}})) == 'CSBS.9001'
    assert foreign.id in state.plans


# -- C12 -------------------------------------------------------------------


def test_the_list(cloud: Cloud) -> None:
    api = cloud()
    plans = [
        api.sandbox.state.add_plan(name, created_at=f'2024-05-0{day}')
        for day, name in enumerate(('one', 'two', 'three'), 1)
    ]
    assert listed(api) == ['three', 'two', 'one']
    assert listed(api, '?limit=2') == ['three', 'two']
    assert listed(api, f'?limit=2&marker={plans[1].id}') == ['one']
    assert listed(api, '?offset=1') == ['two', 'one']
    assert listed(api, '?name=two') == ['two']
    assert listed(api, '?name=tw') == []
    assert listed(api, '?sort=created_at:asc') == ['one', 'two', 'three']
    assert listed(api, '?sort=name%3Adesc') == ['two', 'three', 'one']
    rows = api.get(POLICIES).json()['policies']
    assert rows == [shown(api, plan) for plan in reversed(plans)]


@pytest.mark.parametrize(
    'query',
    [
        'limit=0',
        'offset=0',
        'marker=x',
        f'marker={UNKNOWN}',
        'colour=blue',
        'name=',
        'sort=a b',
        f'sort={"x" * 256}',
        'name=a&name=b',
    ],
)
def test_what_the_list_does_not_know(cloud: Cloud, query: str) -> None:
    assert code_of(cloud().get(f'{POLICIES}?{query}')) == 'CSBS.9001'


def test_what_all_projects_have(cloud: Cloud) -> None:
    api = cloud(administrator=True)
    state = api.sandbox.state
    state.add_plan('theirs', project_id=state.add_project('other').id)
    assert listed(api) == []
    assert listed(api, '?all_tenants=true') == ['theirs']
    api.sandbox.knobs.administrator = False
    assert api.get(f'{POLICIES}?all_tenants=true').status_code == 403


def test_a_list_that_lags(cloud: Cloud, clock: Clock) -> None:
    api = cloud(list_lag=30, clock=clock)
    plan = api.sandbox.state.add_plan('one')
    clock.advance(100)
    made(api, name='two')
    clock.advance(10)
    put(api, plan, name='three')
    clock.advance(10)
    api.delete(f'{POLICIES}/{plan.id}')
    seen = []
    for seconds in (0, 9, 1, 9, 1, 9, 1):
        clock.advance(seconds)
        seen.append(sorted(listed(api)))
    assert seen == [
        ['one'],
        ['one'],
        ['one', 'two'],
        ['one', 'two'],
        ['three', 'two'],
        ['three', 'two'],
        ['two'],
    ]
    assert api.get(f'{POLICIES}/{plan.id}').status_code == 404


# -- policies that are known by what they saved ----------------------------


def test_a_checkpoint_of_a_policy_makes_the_policy(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    one = state.add_checkpoint(2, policy='weekly')
    again = state.add_checkpoint(1, policy_id=one.policy_id)
    assert (again.policy_id, again.policy_name) == (one.policy_id, 'weekly')
    plan = state.plans[one.policy_id]
    assert listed(api) == ['weekly']
    assert plan.server_ids == [item.resource_id for item in one.items]


def test_a_server_stays_in_its_policy(cloud: Cloud) -> None:
    state = cloud().sandbox.state
    server = state.add_server('web01')
    state.add_plan('one', [server])
    made = state.add_checkpoint([server], policy='two')
    assert state.plans[made.policy_id].server_ids == []


def test_a_run_on_request_has_no_policy(cloud: Cloud) -> None:
    api = cloud()
    made = api.sandbox.state.add_checkpoint(1)
    assert made.policy_id.startswith('fake_')
    assert listed(api) == []


# -- C14 -------------------------------------------------------------------


@pytest.fixture
def plan(cloud: Cloud) -> tuple[Api, Plan]:
    """A policy of two servers with all kinds of rules."""
    api = cloud()
    state = api.sandbox.state
    servers = [state.add_server(f'web0{n}') for n in range(2)]
    return api, state.add_plan('web', servers, definition=LONG)


def test_nothing_is_changed(plan: tuple[Api, Plan]) -> None:
    api, one = plan
    before = shown(api, one)
    assert changed(api, one) == before
    assert changed(api, one, name='web') == before


def test_words_alone_are_changed(plan: tuple[Api, Plan]) -> None:
    api, one = plan
    before = shown(api, one)
    after = changed(api, one, name='other', description='new')
    assert after == before | {'name': 'other', 'description': 'new'}


def test_the_answer_lacks_tags_and_the_id_of_the_trigger(
    cloud: Cloud,
) -> None:
    api = cloud()
    tags = [{'key': 'a', 'value': 'b'}]
    plan = api.sandbox.state.add_plan('web', tags=tags)
    answered = put(api, plan, name='other').json()['policy']
    after = shown(api, plan)
    assert after['tags'] == tags
    (operation,) = after['scheduled_operations']
    del after['tags'], operation['trigger_id'], operation['trigger']['id']
    assert answered == after


def test_servers_are_replaced(plan: tuple[Api, Plan]) -> None:
    api, one = plan
    kept = shown(api, one)['resources'][1]
    new = resource(api.sandbox.state.add_server('db01'))
    after = changed(api, one, resources=[kept, new])
    assert after['resources'] == [kept, new | {'extra_info': {}}]
    assert changed(api, one, resources=[])['resources'] == []


def test_a_server_that_is_gone_may_stay_and_not_come_back(
    plan: tuple[Api, Plan],
) -> None:
    api, one = plan
    state = api.sandbox.state
    gone = state.servers[one.server_ids[0]]
    state.remove_server(gone)
    assert len(changed(api, one, resources=one.resources)['resources']) == 2
    changed(api, one, resources=[])
    answer = put(api, one, resources=[resource(gone)])
    assert code_of(answer) == 'CSBS.6000'


def test_a_server_of_another_policy(plan: tuple[Api, Plan]) -> None:
    api, one = plan
    other = api.sandbox.state.add_server('db01')
    api.sandbox.state.add_plan('db', [other])
    answer = put(api, one, resources=[resource(other)])
    assert code_of(answer) == 'CSBS.6004'
    assert code_of(put(api, one, name='db')) == 'CSBS.9007'


def test_what_is_kept_is_replaced(plan: tuple[Api, Plan]) -> None:
    api, one = plan
    operations = change(
        one, enabled=False, operation_definition={'max_backups': 5}
    )
    after = changed(api, one, scheduled_operations=operations)
    (operation,) = after['scheduled_operations']
    assert operation['operation_definition'] == {
        'max_backups': 5,
        'plan_id': one.id,
        'provider_id': PROVIDER,
    }
    assert operation['enabled'] is False


def test_the_schedule_is_replaced(plan: tuple[Api, Plan]) -> None:
    api, one = plan
    before = shown(api, one)
    trigger = {'properties': {'pattern': pattern(WEEKLY)}}
    operations = change(one, enabled=True, trigger=trigger)
    after = changed(api, one, scheduled_operations=operations)
    (was,), (now,) = (
        one.pop('scheduled_operations') for one in (before, after)
    )
    assert after == before
    assert now['trigger']['properties'].pop('pattern') == pattern(WEEKLY)
    was['trigger']['properties'].pop('pattern')
    assert now == was


@pytest.mark.parametrize(
    ('given', 'enabled', 'status'),
    [
        ({'enabled': False}, False, 'disabled'),
        ({'enabled': True}, True, 'suspended'),
        # Left out it is true.
        ({}, True, 'suspended'),
    ],
)
def test_a_policy_is_switched(
    cloud: Cloud, given: Any, enabled: bool, status: str
) -> None:
    api = cloud()
    plan = api.sandbox.state.add_plan('web', enabled=False)
    operations = change(plan, **given)
    after = changed(api, plan, scheduled_operations=operations)
    assert after['status'] == status
    assert after['scheduled_operations'][0]['enabled'] is enabled


def test_other_changes_do_not_switch_it(cloud: Cloud) -> None:
    api = cloud()
    plan = api.sandbox.state.add_plan('web', enabled=False)
    after = changed(api, plan, name='other', resources=[])
    assert after['scheduled_operations'][0]['enabled'] is False


@pytest.mark.parametrize(
    'changes',
    [
        {'tags': [{'key': 'a', 'value': 'b'}]},
        {'provider_id': PROVIDER},
        {'parameters': {'common': {}}},
        {'status': 'enabled'},
        {'colour': 'blue'},
        {'name': 'a b'},
        {'description': '<'},
        {'resources': [UNKNOWN]},
        {'resources': [resource(UNKNOWN, colour='blue')]},
        {'scheduled_operations': []},
        {'scheduled_operations': [{'enabled': True}]},
        {'scheduled_operations': [{'id': UNKNOWN, 'enabled': True}]},
    ],
    ids=str,
)
def test_what_cannot_be_changed(plan: tuple[Api, Plan], changes: Any) -> None:
    api, one = plan
    before = shown(api, one)
    assert code_of(put(api, one, **changes)) == 'CSBS.9001'
    assert shown(api, one) == before


@pytest.mark.parametrize(
    'changes',
    [
        {'operation_type': 'backup'},
        {'trigger_id': UNKNOWN},
        {'colour': 'blue'},
        {'enabled': 'True'},
        {'operation_definition': {'colour': 'blue'}},
        {'operation_definition': {'day_backups': 7}},
        {'trigger': {'properties': {'pattern': 'x'}}},
        {'trigger': {'properties': {'pattern': pattern(), 'format': 'ical'}}},
    ],
    ids=str,
)
def test_what_cannot_be_changed_of_an_operation(
    plan: tuple[Api, Plan], changes: Any
) -> None:
    api, one = plan
    answer = put(api, one, scheduled_operations=change(one, **changes))
    assert code_of(answer) == 'CSBS.9001'


def test_what_nobody_knows_is_kept_and_may_be_sent_back(
    plan: tuple[Api, Plan],
) -> None:
    api, one = plan
    one.body['colour'] = 'blue'
    one.body['resources'][0]['colour'] = 'red'
    one.operation['colour'] = 'green'
    one.operation['operation_definition']['colour'] = ['grey']
    before = shown(api, one)
    assert changed(api, one, description='') == before
    (operation,) = before['scheduled_operations']
    after = changed(
        api,
        one,
        colour='blue',
        resources=before['resources'],
        scheduled_operations=change(
            one,
            colour='green',
            enabled=True,
            operation_definition=operation['operation_definition'],
        ),
    )
    assert after == before


# -- services that behave in other ways ------------------------------------


def test_an_update_that_merges(plan: tuple[Api, Plan]) -> None:
    api, one = plan
    api.sandbox.knobs.csbs_policy_update = 'merges'
    before = shown(api, one)['resources']
    new = resource(api.sandbox.state.add_server('db01'))
    after = changed(
        api,
        one,
        resources=[new],
        scheduled_operations=change(
            one, operation_definition={'max_backups': 5}
        ),
    )
    assert after['resources'] == [*before, new | {'extra_info': {}}]
    definition = one.operation['operation_definition']
    assert definition == LONG | {
        'max_backups': 5,
        'plan_id': one.id,
        'provider_id': PROVIDER,
    }


def test_an_update_that_drops(plan: tuple[Api, Plan]) -> None:
    api, one = plan
    api.sandbox.knobs.csbs_policy_update = 'drops'
    one.body['colour'] = 'blue'
    after = changed(api, one, description='new')
    assert 'colour' not in after
    assert set(one.operation['operation_definition']) == {
        'max_backups',
        'plan_id',
        'provider_id',
    }
    assert len(after['resources']) == 2


def test_an_update_that_is_ignored(plan: tuple[Api, Plan]) -> None:
    api, one = plan
    api.sandbox.knobs.csbs_policy_update = 'ignores'
    before = shown(api, one)
    answer = put(api, one, name='other', resources=[])
    assert answer.status_code == 200
    assert answer.json()['policy']['name'] == 'other'
    assert shown(api, one) == before


def test_fields_that_are_not_shown(plan: tuple[Api, Plan]) -> None:
    api, one = plan
    api.sandbox.knobs.csbs_policy_hides = ('timezone', 'day_backups', 'status')
    after = shown(api, one)
    (operation,) = after['scheduled_operations']
    assert 'status' not in after
    assert 'timezone' not in operation['operation_definition']
    assert 'day_backups' in one.operation['operation_definition']
    assert api.get(POLICIES).json()['policies'] == [after]


def test_numbers_that_are_texts(cloud: Cloud) -> None:
    api = cloud(csbs_policy_texts=True)
    plan = api.sandbox.state.add_plan('web')
    (operation,) = shown(api, plan)['scheduled_operations']
    definition = operation['operation_definition']
    assert definition['max_backups'] == '10'
    assert definition['retention_duration_days'] == '-1'
    assert definition['permanent'] == 'False'
    assert operation['enabled'] is True


def test_another_provider(cloud: Cloud) -> None:
    api = cloud(csbs_policy_provider=UNKNOWN)
    policy = made(api)
    (operation,) = policy['scheduled_operations']
    assert policy['provider_id'] == UNKNOWN
    assert operation['operation_definition']['provider_id'] == UNKNOWN


def test_an_unknown_kind_of_update_is_refused(cloud: Cloud) -> None:
    with pytest.raises(ValueError, match='csbs_policy_update'):
        cloud(csbs_policy_update='x')


# -- C15 -------------------------------------------------------------------


def test_a_policy_is_deleted_and_its_backups_stay(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    checkpoint = state.add_checkpoint(2, policy='weekly')
    answer = api.delete(f'{POLICIES}/{checkpoint.policy_id}')
    assert (answer.status_code, answer.content) == (200, b'')
    assert listed(api) == []
    assert len(checkpoint.items) == 2
    rows = api.get(f'{ITEMS}?policy_id={checkpoint.policy_id}').json()
    assert len(rows['checkpoint_items']) == 2
    again = api.delete(f'{POLICIES}/{checkpoint.policy_id}')
    assert code_of(again, 404) == 'CSBS.3000'


# -- C4 --------------------------------------------------------------------


def test_a_policy_is_run(cloud: Cloud, clock: Clock) -> None:
    api = cloud(item_delay=30, creation_time=100, clock=clock)
    state = api.sandbox.state
    servers = [state.add_server(f'web0{n}') for n in range(2)]
    tags = [{'key': 'env', 'value': 'prod'}]
    plan = state.add_plan('web', servers, enabled=False, tags=tags)
    answer = run(api, plan)
    checkpoint = answer.json()['checkpoint']
    assert checkpoint['status'] == 'protecting'
    told = checkpoint['protection_plan']
    assert (told['id'], told['name']) == (plan.id, 'web')
    assert [row['id'] for row in told['resources']] == plan.server_ids
    seen = []
    for seconds in (0, 30, 10, 90):
        clock.advance(seconds)
        seen.append([item['status'] for item in items_of(api, answer)])
    assert seen == [
        [],
        ['waiting_protect'] * 2,
        ['protecting'] * 2,
        ['available'] * 2,
    ]
    items = items_of(api, answer)
    assert {item['resource_id'] for item in items} == {*plan.server_ids}
    assert all(item['tags'] == tags for item in items)
    assert all(item['name'].startswith('manualbk_') for item in items)
    assert not any(item['extend_info']['auto_trigger'] for item in items)
    made = api.get(f'{ITEMS}?policy_id={plan.id}').json()
    assert len(made['checkpoint_items']) == 2


def test_a_policy_is_run_as_if_by_its_schedule(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    plan = state.add_plan('web', [state.add_server('web01')])
    (item,) = items_of(api, run(api, plan, auto_trigger=True))
    assert item['extend_info']['auto_trigger']
    assert item['name'].startswith('autobk_')


def test_some_servers_of_a_policy_are_backed_up(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    one, two = (state.add_server(f'web0{n}') for n in range(2))
    plan = state.add_plan('web', [one, two])
    (item,) = items_of(api, run(api, plan, resources=[two.id]))
    assert item['resource_id'] == two.id


def test_a_server_that_cannot_be_backed_up_is_passed_over(
    cloud: Cloud,
) -> None:
    api = cloud()
    state = api.sandbox.state
    servers = [
        state.add_server('web00'),
        state.add_server('web01', protectable=False),
        state.add_server('web02', 0),
        state.add_server('web03'),
    ]
    plan = state.add_plan('web', servers)
    state.remove_server(servers[3])
    (item,) = items_of(api, run(api, plan))
    assert item['resource_id'] == servers[0].id


def test_no_server_can_be_backed_up(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    for name, servers in (
        ('none', []),
        ('bad', [state.add_server('web01', protectable=False)]),
    ):
        answer = run(api, state.add_plan(name, servers))
        assert code_of(answer, 500) == 'CSBS.6032'
    assert not state.checkpoints


@pytest.mark.parametrize(
    ('by', 'code'),
    [
        ('policy', 'CSBS.2001'),
        ('schedule', 'CSBS.6030'),
        ('hand', 'CSBS.1001'),
    ],
)
@pytest.mark.parametrize('item_delay', [0, 50])
def test_a_policy_that_is_busy(
    cloud: Cloud, clock: Clock, by: str, code: str, item_delay: float
) -> None:
    api = cloud(creation_time=100, clock=clock)
    state = api.sandbox.state
    api.sandbox.knobs.item_delay = item_delay
    one, two = (state.add_server(f'web0{n}') for n in range(2))
    plan = state.add_plan('web', [one, two])
    if by == 'policy':
        run(api, plan, resources=[two.id])
    elif by == 'hand':
        path = f'/csbs/v1/{{P}}/providers/{PROVIDER}/resources'
        api.post(f'{path}/{one.id}/action', json={'protect': {}})
    else:
        other = state.add_plan('other')
        state.add_checkpoint(
            [one],
            policy_id=other.id,
            auto_trigger=True,
            status='protecting',
        )
    answer = run(api, plan, resources=[one.id])
    assert code_of(answer, 500) == code
    if by != 'schedule':
        for _ in range(2):
            clock.advance(200)
            assert items(api)
        items_of(api, run(api, plan))


@pytest.mark.parametrize(
    'wanted',
    [
        {},
        {'plan_id': UNKNOWN},
        {'parameters': {}},
        {'plan_id': 5, 'parameters': {}},
        {'plan_id': f'fake_{UNKNOWN}', 'parameters': {}},
        {'plan_id': UNKNOWN, 'parameters': []},
        {'plan_id': UNKNOWN, 'parameters': {'colour': 'blue'}},
        {'plan_id': UNKNOWN, 'parameters': {'auto_trigger': 'true'}},
        {'plan_id': UNKNOWN, 'parameters': {}, 'name': 'x'},
    ],
    ids=str,
)
def test_what_is_no_run(cloud: Cloud, wanted: Any) -> None:
    answer = cloud().post(CHECKPOINTS, json={'checkpoint': wanted})
    assert code_of(answer) == 'CSBS.9001'


@pytest.mark.parametrize('resources', [[], [UNKNOWN], UNKNOWN, [5], None])
def test_servers_that_are_not_in_the_policy(
    cloud: Cloud, resources: Any
) -> None:
    api = cloud()
    state = api.sandbox.state
    plan = state.add_plan('web', [state.add_server('web01')])
    answer = run(api, plan, resources=resources)
    assert code_of(answer) == 'CSBS.9001'
    assert not state.checkpoints


def test_a_run_of_no_policy_or_no_provider(cloud: Cloud) -> None:
    api = cloud()
    assert code_of(run(api, UNKNOWN), 404) == 'CSBS.3000'
    wanted = {'plan_id': UNKNOWN, 'parameters': {}}
    other = CHECKPOINTS.replace(PROVIDER, UNKNOWN)
    answer = api.post(other, json={'checkpoint': wanted})
    assert answer.status_code == 404


def test_a_run_counts(cloud: Cloud) -> None:
    api = cloud(csbs_backup_quota=1)
    state = api.sandbox.state
    plan = state.add_plan('web', [state.add_server(f's{n}') for n in range(2)])
    assert code_of(run(api, plan)) == 'CSBS.9006'
    assert not state.checkpoints


def test_a_run_that_fails_for_one_server(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    servers = [
        state.add_server(f's{n}', creation=c)
        for n, c in enumerate(('fails', None))
    ]
    plan = state.add_plan('web', servers)
    rows = items_of(api, run(api, plan))
    assert {row['resource_id']: row['status'] for row in rows} == {
        servers[0].id: 'error',
        servers[1].id: 'available',
    }
