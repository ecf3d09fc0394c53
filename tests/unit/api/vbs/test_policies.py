# SPDX-License-Identifier: Apache-2.0
"""The calls on policies: V23 to V31, and what their answers mean."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

import pytest
import requests_mock
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.api.makes import (
    ENDS,
    NO_IDS,
    ODD_IDS,
    ONE,
    TWO,
    URL,
    MakeCloud,
    Makes,
    MakesWithId,
)
from tests.unit.fakes import FakeCloud
from tests.unit.values import JSON
from vbsclient.api import errors
from vbsclient.api.http import Receipt, Transport
from vbsclient.api.values import Known
from vbsclient.api.vbs import (
    NoSuchPolicy,
    Policies,
    Policy,
    Task,
    VBSClient,
    VolumeResult,
)

POLICY = 'e3d1c1a4-6a8c-4f0e-9a52-6f1f2f7c0a33'
ROUTE = f'{URL}/backuppolicy'
RESOURCES = f'{URL}/backuppolicyresources'
SCHEDULE = {
    'start_time': '01:00,13:00',
    'week_frequency': ['MON', 'THU'],
    'rentention_num': 10,
    'remain_first_backup_of_curMonth': 'N',
    'status': 'ON',
}
BODY = {
    'backup_policy_id': POLICY,
    'backup_policy_name': 'weekly',
    'scheduled_policy': SCHEDULE,
    'policy_resource_count': 2,
}
TASK = {
    'job_id': 'ff80808182e0a0f40182e0f5b3f70012',
    'vbs_job_id': 'ff80808182e0a0f40182e0f5b3f70013',
    'status': 'EXECUTE_SUCCESS',
    'backup_name': 'autobk_1e2f',
    'resource_id': ONE,
    'resource_type': 'volume',
    'created_at': '2026-11-14T02:00:00.000',
    'finished_at': '2026-11-14T02:03:00.000',
}


def policies(cloud: FakeCloud) -> Policies:
    return Policies(Transport(cloud.session), URL)


def listing(fake_cloud: MakeCloud, *rows: Any) -> FakeCloud:
    cloud = fake_cloud()
    cloud.on('GET', ROUTE, json={'backup_policies': list(rows)})
    return cloud


# -- reading (V26) ---------------------------------------------------------


class TestReading:
    def test_a_policy(self, fake_cloud: MakeCloud) -> None:
        cloud = listing(fake_cloud, BODY)
        (policy,) = policies(cloud).list()
        assert (policy.id, policy.name) == (POLICY, 'weekly')
        assert (policy.is_enabled, policy.volume_count) == (True, 2)
        assert policy.body == policy.raw == BODY
        # There are no pages, and no parameters at all.
        assert cloud.sent() == [f'GET {ROUTE}']

    def test_one_is_found_in_the_list(self, fake_cloud: MakeCloud) -> None:
        other = {**BODY, 'backup_policy_id': ONE}
        cloud = listing(fake_cloud, other, BODY)
        assert policies(cloud).get(POLICY.upper()).id == POLICY
        assert cloud.sent() == [f'GET {ROUTE}']

    def test_one_that_is_not_there(self, fake_cloud: MakeCloud) -> None:
        cloud = listing(fake_cloud, BODY)
        with pytest.raises(NoSuchPolicy) as raised:
            policies(cloud).get(ONE)
        assert isinstance(raised.value, errors.NotFound)

    def test_a_404_of_the_list_is_not_that(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        cloud.on('GET', ROUTE, status_code=404)
        with pytest.raises(errors.NotFound) as raised:
            policies(cloud).get(ONE)
        assert not isinstance(raised.value, NoSuchPolicy)

    def test_blanks_around_keys(self, fake_cloud: MakeCloud) -> None:
        raw = {
            'backup_policy_id ': POLICY,
            'backup_policy_name ': 'weekly',
            ' policy_resource_count': 1,
            'scheduled_policy': {'status ': 'OFF', 'x': [{'y ': 'z '}]},
        }
        cloud = fake_cloud()
        cloud.on('GET', ROUTE, json={'backup_policies ': [raw]})
        (policy,) = policies(cloud).list()
        assert (policy.id, policy.name) == (POLICY, 'weekly')
        assert (policy.is_enabled, policy.volume_count) == (False, 1)
        assert policy.body == {
            'backup_policy_id': POLICY,
            'backup_policy_name': 'weekly',
            'policy_resource_count': 1,
            'scheduled_policy': {'status': 'OFF', 'x': [{'y': 'z '}]},
        }
        assert policy.raw == raw

    @pytest.mark.parametrize('is_first', [True, False])
    def test_the_key_without_blanks_counts(self, is_first: bool) -> None:
        name = {'backup_policy_name': 'right'}
        blank = {'backup_policy_name ': 'wrong'}
        names = name | blank if is_first else blank | name
        policy = Policy.from_body({'backup_policy_id': POLICY, **names})
        assert policy.name == 'right'

    @pytest.mark.parametrize(
        ('status', 'is_enabled'),
        [
            *(('ON', True), ('OFF', False), ('on', True), (' Off ', False)),
            *((None, None), ('', None), ('PAUSED', None), (True, None)),
            *(([], None), ({}, None)),
        ],
    )
    def test_whether_it_is_enabled(
        self, status: Any, is_enabled: bool | None
    ) -> None:
        body = {**BODY, 'scheduled_policy': {'status': status}}
        assert Policy.from_body(body).is_enabled is is_enabled

    @pytest.mark.parametrize('schedule', [None, [], 'ON', {}])
    def test_no_schedule(self, schedule: Any) -> None:
        body = {**BODY, 'scheduled_policy': schedule}
        assert Policy.from_body(body).is_enabled is None

    @pytest.mark.parametrize(
        ('count', 'read'),
        [(0, 0), ('3', 3), (None, None), ('x', None), (True, None)],
    )
    def test_how_many_volumes(self, count: Any, read: int | None) -> None:
        body = {**BODY, 'policy_resource_count': count}
        assert Policy.from_body(body).volume_count == read

    @pytest.mark.parametrize(
        'answer',
        [
            {},
            {'backup_policies': None},
            {'backup_policies': {}},
            {'backup_policies': [BODY, None]},
            {'backup_policies': [{'backup_policy_name': 'x'}]},
            {'backup_policies': [{**BODY, 'backup_policy_id': 5}]},
            {'policies': []},
        ],
    )
    def test_what_is_no_list_of_policies(
        self, fake_cloud: MakeCloud, answer: Any
    ) -> None:
        cloud = fake_cloud()
        cloud.on('GET', ROUTE, json=answer)
        with pytest.raises(errors.MalformedResponse):
            policies(cloud).list()

    @given(st.dictionaries(st.sampled_from([*BODY, 'x ']), JSON))
    def test_any_object_is_a_policy_or_malformed(
        self, body: dict[str, Any]
    ) -> None:
        try:
            policy = Policy.from_body(body)
        except errors.MalformedResponse:
            return
        assert policy.raw == body
        assert policy.is_enabled in (True, False, None)
        assert all(key == key.strip() for key in policy.body)


# -- creating and changing (V23 to V25) ------------------------------------


class TestCreating(MakesWithId):
    path = 'backuppolicy'
    body: ClassVar[Any] = {
        'backup_policy_name': 'weekly',
        'scheduled_policy': SCHEDULE,
    }

    def call(self, transport: Transport) -> Receipt:
        return Policies(transport, URL).create(self.body)[1]

    def answer(self, id: Any) -> Any:
        return {'backup_policy_id': id}

    def test_the_id_of_what_was_made(self, fake_cloud: MakeCloud) -> None:
        cloud = self.there(fake_cloud, {'json': self.answer(ONE.upper())})
        assert policies(cloud).create(self.body)[0] == ONE


class TestModifying:
    body: ClassVar[Any] = {'scheduled_policy': {'status': 'OFF'}}

    def there(self, fake_cloud: MakeCloud, *answers: Any) -> FakeCloud:
        cloud: FakeCloud = fake_cloud()
        cloud.on('PUT', f'{ROUTE}/{POLICY}', *answers)
        return cloud

    def test_what_is_sent(self, fake_cloud: MakeCloud) -> None:
        cloud = self.there(
            fake_cloud,
            {
                'json': {'backup_policy_id': POLICY.upper()},
                'headers': {'x-openstack-request-id': 'req-1'},
            },
        )
        receipt = policies(cloud).modify(POLICY.upper(), self.body)
        assert (receipt.status, receipt.request_id) == (200, 'req-1')
        assert cloud.sent() == [f'PUT {ROUTE}/{POLICY}']
        assert cloud.requests[0].json() == self.body

    @pytest.mark.parametrize(
        ('answer', 'end'), [end[:2] for end in ENDS.values()], ids=ENDS
    )
    def test_its_three_ends_come_after_one_request(
        self,
        fake_cloud: MakeCloud,
        answer: dict[str, Any],
        end: type[errors.ClientError],
    ) -> None:
        cloud = self.there(fake_cloud, answer)
        with pytest.raises(end):
            policies(cloud).modify(POLICY, self.body)
        assert len(cloud.sent()) == 1

    @pytest.mark.parametrize('id', [ONE, *ODD_IDS], ids=repr)
    def test_an_answer_about_anything_else_is_none(
        self, fake_cloud: MakeCloud, id: Any
    ) -> None:
        cloud = self.there(fake_cloud, {'json': {'backup_policy_id': id}})
        with pytest.raises(errors.OutcomeUnknown):
            policies(cloud).modify(POLICY, self.body)
        assert len(cloud.sent()) == 1

    @pytest.mark.parametrize(
        'answer',
        [
            {'status_code': 204},
            {'status_code': 202, 'json': {'backup_policy_id': POLICY}},
            {'text': ''},
            {'text': '<html>'},
        ],
    )
    def test_another_answer_than_documented(
        self, fake_cloud: MakeCloud, answer: Any
    ) -> None:
        cloud = self.there(fake_cloud, answer)
        with pytest.raises(errors.OutcomeUnknown):
            policies(cloud).modify(POLICY, self.body)


# -- deleting (V27) --------------------------------------------------------


class TestDeleting:
    def test_one(self, fake_cloud: MakeCloud) -> None:
        cloud = fake_cloud()
        cloud.on('DELETE', f'{ROUTE}/{POLICY}', status_code=204)
        assert policies(cloud).delete(POLICY.upper()).status == 204
        assert cloud.sent() == [f'DELETE {ROUTE}/{POLICY}']

    @pytest.mark.parametrize('status', [200, 202])
    def test_other_successes(self, fake_cloud: MakeCloud, status: int) -> None:
        cloud = fake_cloud()
        cloud.on('DELETE', f'{ROUTE}/{POLICY}', status_code=status)
        with pytest.raises(errors.UnexpectedSuccess):
            policies(cloud).delete(POLICY)

    def test_one_that_was_sent_twice(self, fake_cloud: MakeCloud) -> None:
        cloud = fake_cloud()
        cloud.on(
            'DELETE',
            f'{ROUTE}/{POLICY}',
            {'status_code': 502},
            {'status_code': 404},
        )
        with pytest.raises(errors.RepeatedDelete):
            policies(cloud).delete(POLICY)


# -- volumes (V28, V29) ----------------------------------------------------


class TestAdding(Makes):
    path = 'backuppolicyresources'
    body: ClassVar[Any] = {
        'backup_policy_id': POLICY,
        'resources': [{'resource_id': ONE, 'resource_type': 'volume'}],
    }

    def call(self, transport: Transport) -> Receipt:
        return Policies(transport, URL).add_volumes(POLICY, [ONE])[1]

    def answer(self, id: Any) -> Any:
        return {'success_resources': [], 'fail_resources': []}


class TestRemoving(Makes):
    path = f'backuppolicyresources/{POLICY}/deleted_resources'
    body: ClassVar[Any] = {'resources': [{'resource_id': ONE}]}

    def call(self, transport: Transport) -> Receipt:
        return Policies(transport, URL).remove_volumes(POLICY, [ONE])[1]

    def answer(self, id: Any) -> Any:
        return {'success_resources': [], 'fail_resources': []}


ADD = ('add_volumes', RESOURCES)
REMOVE = ('remove_volumes', f'{RESOURCES}/{POLICY}/deleted_resources')
BOTH = pytest.mark.parametrize(('call', 'url'), [ADD, REMOVE])
DONE = VolumeResult(ONE, Known.YES)


@BOTH
class TestVolumes:
    def told(
        self,
        fake_cloud: MakeCloud,
        call: str,
        url: str,
        answer: Any,
        *volumes: str,
    ) -> Any:
        cloud = fake_cloud()
        cloud.on('POST', url, json=answer)
        found, receipt = getattr(policies(cloud), call)(
            POLICY, volumes or [ONE]
        )
        assert receipt.status == 200
        return found

    def test_each_as_it_was_named(
        self, fake_cloud: MakeCloud, call: str, url: str
    ) -> None:
        answer = {
            'success_resources': [{'resource_id': TWO.upper()}],
            'fail_resources': [
                {
                    'resource_id': ONE,
                    'code': 'AutoBackup.0206',
                    'message': 'The disk is in error.',
                }
            ],
        }
        three = POLICY
        assert self.told(
            fake_cloud, call, url, answer, ONE.upper(), TWO, three
        ) == [
            VolumeResult(
                ONE, Known.NO, 'AutoBackup.0206', 'The disk is in error.'
            ),
            VolumeResult(TWO, Known.YES),
            # In neither list.
            VolumeResult(three, Known.UNKNOWN),
        ]

    @pytest.mark.parametrize(
        ('answer', 'result'),
        [
            (
                {'success_resources': [{'resource_id': ONE}]},
                DONE,
            ),
            (
                {
                    'success_resources': [
                        {'resource_id': ONE, 'code': 'VBS.0001'}
                    ],
                    'fail_resources': [],
                },
                VolumeResult(ONE, Known.NO, 'VBS.0001'),
            ),
            (
                {'success_resources': [{'resource_id': ONE, 'code': 7}]},
                VolumeResult(ONE, Known.NO, '7'),
            ),
            (
                {
                    'success_resources': [
                        {'resource_id': ONE, 'code': '', 'message': None}
                    ]
                },
                DONE,
            ),
            (
                {
                    'success_resources': [{'resource_id': ONE}],
                    'fail_resources': [{'resource_id': ONE}],
                },
                VolumeResult(ONE, Known.NO),
            ),
            (
                {
                    'success_resources': [
                        {'resource_id': ONE, 'code': 'x'},
                        {'resource_id': ONE},
                    ],
                },
                VolumeResult(ONE, Known.NO, 'x'),
            ),
            (
                {'success_resources ': [{'resource_id ': ONE}]},
                DONE,
            ),
            (
                {'success_resources': [{'resource_id': TWO}]},
                VolumeResult(ONE, Known.UNKNOWN),
            ),
            (
                {'success_resources': [None, {}, {'resource_id': 5}, ONE]},
                VolumeResult(ONE, Known.UNKNOWN),
            ),
        ],
    )
    def test_what_an_answer_tells(
        self,
        fake_cloud: MakeCloud,
        call: str,
        url: str,
        answer: Any,
        result: VolumeResult,
    ) -> None:
        assert self.told(fake_cloud, call, url, answer) == [result]

    @pytest.mark.parametrize(
        'answer',
        [
            {},
            {'success_resources': None, 'fail_resources': None},
            {'success_resources': {'resource_id': ONE}},
            {'resources': []},
        ],
    )
    def test_an_answer_without_lists_tells_nothing(
        self, fake_cloud: MakeCloud, call: str, url: str, answer: Any
    ) -> None:
        with pytest.raises(errors.OutcomeUnknown):
            self.told(fake_cloud, call, url, answer)

    def test_each_is_sent_once(
        self, fake_cloud: MakeCloud, call: str, url: str
    ) -> None:
        cloud = fake_cloud()
        cloud.on('POST', url, json={'success_resources': []})
        found, _ = getattr(policies(cloud), call)(
            POLICY, [ONE, ONE.upper(), TWO]
        )
        (request,) = cloud.requests
        sent = [row['resource_id'] for row in request.json()['resources']]
        assert sent == [row.volume_id for row in found] == [ONE, TWO]

    def test_no_volume_is_not_sent(
        self, fake_cloud: MakeCloud, call: str, url: str
    ) -> None:
        cloud = fake_cloud()
        with pytest.raises(ValueError, match='no volume'):
            getattr(policies(cloud), call)(POLICY, [])
        assert cloud.requests == []

    @pytest.mark.parametrize('id', NO_IDS)
    def test_what_is_no_id_is_not_sent(
        self, fake_cloud: MakeCloud, call: str, url: str, id: str
    ) -> None:
        cloud = fake_cloud()
        with pytest.raises(errors.InvalidId):
            getattr(policies(cloud), call)(POLICY, [ONE, id])
        assert cloud.requests == []

    @given(
        rows=st.lists(
            st.dictionaries(
                st.sampled_from(['resource_id', 'code', 'message', 'x']),
                JSON | st.just(ONE),
            )
        ),
        fails=JSON,
    )
    def test_no_answer_is_more_than_it_says(
        self, call: str, url: str, rows: Any, fails: Any
    ) -> None:
        cloud = FakeCloud()
        answer = {'success_resources': rows, 'fail_resources': fails}
        cloud.on('POST', url, json=answer)
        (result,), _ = getattr(policies(cloud), call)(POLICY, [ONE])
        if result.is_done is Known.YES:
            assert any(row.get('resource_id') == ONE for row in rows)
            assert result.code is None


# -- running (V30, V31) ----------------------------------------------------


class TestExecuting(Makes):
    path = f'backuppolicy/{POLICY}/action'
    accepted = 204
    others = (200, 201, 202, 203)
    body: ClassVar[Any] = None

    def call(self, transport: Transport) -> Receipt:
        return Policies(transport, URL).execute(POLICY)

    def answer(self, id: Any) -> Any:
        return None

    def there(self, fake_cloud: MakeCloud, *answers: Any) -> FakeCloud:
        """A success has no body."""
        bare = [
            {key: value for key, value in answer.items() if key != 'json'}
            if answer.get('json', 1) is None
            else answer
            for answer in answers
        ]
        return super().there(fake_cloud, *bare)

    def test_the_smallest_body(self, fake_cloud: MakeCloud) -> None:
        cloud = self.there(fake_cloud, {'status_code': 204})
        receipt = policies(cloud).execute(POLICY.upper())
        assert receipt.status == 204
        assert cloud.sent() == [f'POST {ROUTE}/{POLICY}/action']
        (request,) = cloud.requests
        assert not request.body
        assert 'Content-Type' not in request.headers

    @pytest.mark.parametrize(
        'answer', [{'text': '<html>'}, {'json': []}, {'json': ONE}]
    )
    def test_no_object_says_nothing(
        self, fake_cloud: MakeCloud, answer: dict[str, Any]
    ) -> None:
        super().test_no_object_says_nothing(fake_cloud, answer)


class TestTasks:
    url = f'{ROUTE}/{POLICY}/backuptasks'

    def there(self, fake_cloud: MakeCloud, *pages: Any) -> FakeCloud:
        cloud: FakeCloud = fake_cloud()
        count = len({row['job_id'] for page in pages for row in page})
        answers = [{'json': {'tasks': p, 'count': count}} for p in pages]
        cloud.on('GET', self.url, *answers)
        return cloud

    def test_a_task(self, fake_cloud: MakeCloud) -> None:
        cloud = self.there(fake_cloud, [TASK], [])
        (task,) = policies(cloud).tasks(POLICY.upper())
        assert task.job_id == TASK['job_id']
        assert task.vbs_job_id == TASK['vbs_job_id']
        assert task.backup_name == 'autobk_1e2f'
        assert task.volume_id == ONE
        assert task.created_at == TASK['created_at']
        assert task.finished_at == TASK['finished_at']
        assert task.body == TASK

    def test_pages(self, fake_cloud: MakeCloud) -> None:
        rows = [{**TASK, 'job_id': f'{number:032}'} for number in range(5)]
        # One row has moved onto the next page.
        cloud = self.there(fake_cloud, rows[:2], rows[1:3], rows[4:], [])
        found = [
            task.job_id for task in policies(cloud).tasks(POLICY, page_size=2)
        ]
        assert found == [rows[n]['job_id'] for n in (0, 1, 2, 4)]
        assert [request.qs for request in cloud.requests] == [
            {'limit': ['2']},
            {'limit': ['2'], 'offset': ['2']},
            {'limit': ['2'], 'offset': ['4']},
            {'limit': ['2'], 'offset': ['5']},
        ]

    def test_a_list_with_fewer_than_it_counts_is_not_taken_as_whole(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud: FakeCloud = fake_cloud()
        pages = [
            {'json': {'tasks': [TASK], 'count': 3}},
            {'json': {'tasks': [], 'count': 2}},
        ]
        cloud.on('GET', self.url, *pages)
        tasks = policies(cloud).tasks(POLICY)
        assert next(tasks).job_id == TASK['job_id']
        with pytest.raises(errors.AmbiguousListing, match='1 of 2 tasks'):
            next(tasks)

    def test_a_page_is_read_when_it_is_needed(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = self.there(fake_cloud, [TASK], [])
        next(policies(cloud).tasks(POLICY, page_size=1))
        assert len(cloud.requests) == 1

    @pytest.mark.parametrize(
        ('options', 'query'),
        [
            ({}, ''),
            ({'status': 'EXECUTE_FAIL'}, '&status=EXECUTE_FAIL'),
            ({'job_id': TASK['job_id']}, f'&job_id={TASK["job_id"]}'),
            (
                {'sort_dir': 'asc'},
                '&sort_dir=asc&sort_key=created_at',
            ),
            ({'marker': 'a/../b'}, '&marker=a%2F..%2Fb'),
        ],
    )
    def test_what_is_asked_for(
        self,
        fake_cloud: MakeCloud,
        options: dict[str, Any],
        query: str,
    ) -> None:
        cloud = self.there(fake_cloud, [])
        assert list(policies(cloud).tasks(POLICY, **options)) == []
        assert cloud.sent() == [f'GET {self.url}?limit=1000{query}']

    def test_what_was_asked_for_is_compared_again(
        self, fake_cloud: MakeCloud
    ) -> None:
        other = {**TASK, 'job_id': 'a' * 32, 'status': 'SKIP'}
        cloud = self.there(fake_cloud, [TASK, other], [])
        calls = policies(cloud)
        (task,) = calls.tasks(POLICY, status='SKIP')
        assert task.job_id == other['job_id']
        cloud = self.there(fake_cloud, [TASK, other], [])
        (task,) = policies(cloud).tasks(POLICY, job_id=TASK['job_id'].upper())
        assert task.job_id == TASK['job_id']

    @pytest.mark.parametrize(
        ('status', 'is_finished', 'has_failed'),
        [
            ('WAITING', False, False),
            ('RUNNING', False, False),
            ('EXECUTE_SUCCESS', True, False),
            ('EXECUTE_FAIL', True, True),
            ('EXECUTE_TIMEOUT', True, False),
            ('SKIP', True, False),
            # Unknown ones.
            ('', False, False),
            ('FROZEN', False, False),
            ('EXECUTE_FAILED', True, True),
            ('error', True, True),
            ('ERROR_STORAGE', True, True),
            ('TERROR', False, False),
        ],
    )
    def test_statuses(
        self, status: str, is_finished: bool, has_failed: bool
    ) -> None:
        task = Task.from_body({**TASK, 'status': status})
        assert task.status == status
        assert task.is_finished is is_finished
        assert task.has_failed is has_failed

    def test_one_that_has_not_begun(self) -> None:
        task = Task.from_body({'job_id': 'j', 'status': 'WAITING'})
        assert (task.vbs_job_id, task.finished_at) == (None, None)
        empty = {'job_id': 'j', 'vbs_job_id': '', 'finished_at': ''}
        task = Task.from_body(empty)
        assert (task.vbs_job_id, task.finished_at) == (None, None)

    @pytest.mark.parametrize(
        'answer',
        [
            *({}, {'tasks': None}, {'tasks': [None]}),
            *({'tasks': [{'id': ONE}]}, {'tasks': [{'job_id': 5}]}),
        ],
    )
    def test_what_is_no_list_of_tasks(
        self, fake_cloud: MakeCloud, answer: Any
    ) -> None:
        cloud = fake_cloud()
        cloud.on('GET', self.url, json=answer)
        with pytest.raises(errors.MalformedResponse):
            list(policies(cloud).tasks(POLICY))

    @given(st.dictionaries(st.sampled_from(list(TASK)), JSON))
    def test_any_object_is_a_task_or_malformed(
        self, body: dict[str, Any]
    ) -> None:
        try:
            task = Task.from_body(body)
        except errors.MalformedResponse:
            assert not isinstance(body.get('job_id'), str)
            return
        assert task.job_id == body['job_id']
        assert not task.has_failed or task.is_finished


# -- ids that never leave --------------------------------------------------

Call = Callable[[Policies, str], Any]
CALLS: dict[str, Call] = {
    'get': lambda calls, id: calls.get(id),
    'modify': lambda calls, id: calls.modify(id, {}),
    'delete': lambda calls, id: calls.delete(id),
    'add_volumes': lambda calls, id: calls.add_volumes(id, [ONE]),
    'remove_volumes': lambda calls, id: calls.remove_volumes(id, [ONE]),
    'execute': lambda calls, id: calls.execute(id),
    'tasks': lambda calls, id: list(calls.tasks(id)),
}


@pytest.fixture(scope='module')
def anything() -> Iterator[FakeCloud]:
    """A service that would carry out whatever reaches it."""
    cloud = FakeCloud()
    cloud.on(requests_mock.ANY, requests_mock.ANY, json={})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('vbsclient.api.http._wait', lambda state: 0.0)
        yield cloud


@pytest.mark.parametrize('call', CALLS.values(), ids=CALLS)
@given(
    id=st.sampled_from([*NO_IDS, 'tags', 'tags/..', '%2e%2e', f'{ONE}/..'])
    | st.text()
    | st.from_regex(r'[0-9a-f./%-]{0,40}')
)
def test_what_is_no_id_is_never_sent(
    anything: FakeCloud, call: Call, id: str
) -> None:
    before = len(anything.requests)
    with pytest.raises(errors.InvalidId):
        call(policies(anything), id)
    assert len(anything.requests) == before


@pytest.mark.parametrize('call', CALLS.values(), ids=CALLS)
@given(id=st.uuids())
def test_an_id_stays_one_part_of_the_path(
    anything: FakeCloud, call: Call, id: Any
) -> None:
    before = len(anything.requests)
    with contextlib.suppress(errors.ClientError):
        call(policies(anything), str(id).upper())
    for request in anything.requests[before:]:
        path = unquote(urlsplit(request.url).path)
        assert '//' not in path
        assert not path.endswith('/')
        if request.method in ('DELETE', 'PUT'):
            assert path == f'/v2/p/backuppolicy/{id}'


@pytest.mark.parametrize('catalog', ['volumev3', 'block-storage'])
def test_block_storage_alone_has_no_policies(
    fake_cloud: MakeCloud, catalog: str
) -> None:
    url = 'https://evs.example/v3/0123456789abcdef0123456789abcdef'
    cloud = fake_cloud({catalog: url})
    client = VBSClient(cloud.session, version='3')
    with pytest.raises(errors.EndpointError, match='no backup policies'):
        _ = client.policies


def test_policies_of_a_service_are_those_of_v2(
    fake_cloud: MakeCloud,
) -> None:
    base = 'https://vbs.example'
    project = '0123456789abcdef0123456789abcdef'
    cloud = fake_cloud({'vbs': base})
    url = f'{base}/v2/{project}/backuppolicy'
    cloud.on('GET', url, json={'backup_policies': [BODY]})
    client = VBSClient(cloud.session, version='3')
    assert [policy.id for policy in client.policies.list()] == [POLICY]
