# SPDX-License-Identifier: Apache-2.0
"""The policies that a user names, of both services."""

from typing import Any

import pytest

from tests.unit.fakes import PROJECT, FakeCloud
from vbsclient.api import csbs, errors, vbs
from vbsclient.api.http import Transport
from vbsclient.lookup.policies import (
    CreatedBackups,
    find_policies,
    find_policy,
)
from vbsclient.lookup.refusals import MissingError, RefusedError

URL = f'https://cloud.example/v2/{PROJECT}'
UNKNOWN = '00000000-0000-4000-8000-0000000000ff'
KINDS = ('vbs', 'csbs')
EACH = pytest.mark.parametrize('kind', KINDS)


def uuid(number: int) -> str:
    return f'00000000-0000-4000-8000-{number:012x}'


class There:
    """A service with some policies."""

    def __init__(self, kind: str) -> None:
        self.is_vbs = kind == 'vbs'
        self.cloud = FakeCloud()
        transport = Transport(self.cloud.session)
        self.policies: Any = (vbs if self.is_vbs else csbs).Policies(
            transport, URL
        )
        self.rows: list[dict[str, Any]] = []
        route = 'backuppolicy' if self.is_vbs else 'policies'
        self.route = f'{URL}/{route}'
        self.cloud.on('GET', self.route, json=self._list)

    def add(self, number: int, name: str, **more: Any) -> str:
        id = uuid(number)
        if self.is_vbs:
            body = {'backup_policy_id': id, 'backup_policy_name': name, **more}
        else:
            body = {'id': id, 'name': name, **more}
            self.cloud.on('GET', f'{self.route}/{id}', json={'policy': body})
        self.rows.append(body)
        return id

    def _list(self, request: Any, context: Any) -> Any:
        key = 'backup_policies' if self.is_vbs else 'policies'
        rows = [] if 'marker' in request.qs else self.rows
        return {key: rows}

    def sent(self) -> list[str]:
        return [text.partition('?')[0] for text in self.cloud.sent()]


@pytest.fixture(params=KINDS)
def there(request: pytest.FixtureRequest) -> There:
    return There(request.param)


def test_by_name_and_by_id_in_any_form(there: There) -> None:
    one, two = there.add(0xA, 'Za\u0308hler'), there.add(0xB, 'two')
    for named, id in (
        ('Z\u00e4hler', one),
        ('Za\u0308hler', one),
        ('two', two),
        (two, two),
        (two.upper(), two),
    ):
        assert find_policy(there.policies, named).id == id


def test_one_list_is_enough_for_many(there: There) -> None:
    ids = [there.add(n, f'policy-{n}') for n in range(8)]
    arguments = [*ids[:4], *(f'policy-{n}' for n in range(4, 8))]
    found = find_policies(there.policies, arguments)
    assert [found[argument].id for argument in arguments] == ids
    assert set(there.sent()) == {f'GET {there.route}'}


@EACH
def test_a_few_ids_cost_no_list_where_one_can_be_shown(kind: str) -> None:
    there = There(kind)
    id = there.add(1, 'one')
    find_policy(there.policies, id)
    path = there.route if kind == 'vbs' else f'{there.route}/{id}'
    assert there.sent() == [f'GET {path}']


def test_what_is_not_there(there: There) -> None:
    there.add(1, 'nightly')
    there.cloud.on('GET', f'{there.route}/{UNKNOWN}', status_code=404)
    for named, hint in (
        (UNKNOWN, ''),
        ('nightli', "Did you mean 'nightly'?"),
        ('Nightly', "Did you mean 'nightly'?"),
        ('weekly-of-web', ''),
    ):
        with pytest.raises(MissingError, match='No policy found for') as told:
            find_policy(there.policies, named)
        assert hint in str(told.value.hint or '').format(name="'nightly'")


def test_several_of_one_name_are_told_apart(there: There) -> None:
    count = {'policy_resource_count': 2} if there.is_vbs else {}
    ids = [there.add(n, 'same', **count) for n in (1, 2)]
    with pytest.raises(RefusedError, match='More than one policy') as told:
        find_policy(there.policies, 'same')
    assert all(id in str(told.value) for id in ids)
    assert ('2 volumes' if there.is_vbs else '0 servers') in str(told.value)


def test_what_is_listed_twice_is_one(there: There) -> None:
    id = there.add(1, 'twice')
    there.rows *= 2
    assert find_policy(there.policies, 'twice').id == id


def test_an_id_is_that_id_even_if_it_is_a_name(there: There) -> None:
    id = there.add(1, 'one')
    there.add(2, id)
    assert find_policy(there.policies, id).id == id


def test_what_another_project_owns_is_neither_found_nor_used(
    there: There,
) -> None:
    id = there.add(1, 'theirs', project_id='f' * 32)
    own = there.add(2, 'theirs', project_id=PROJECT)
    assert find_policy(there.policies, 'theirs').id == own
    with pytest.raises(RefusedError, match='belongs to another project'):
        find_policy(there.policies, id)


@pytest.mark.parametrize('named', ['', ' ', 'x' * 256, '\udc80'])
def test_what_names_nothing_asks_nothing(there: There, named: str) -> None:
    with pytest.raises(RefusedError):
        find_policy(there.policies, named)
    assert there.sent() == []


@pytest.mark.parametrize('status', [403, 501])
def test_a_list_that_cannot_be_read_is_no_empty_one(
    there: There, status: int
) -> None:
    there.cloud.on('GET', there.route, status_code=status)
    with pytest.raises(errors.ServiceError):
        find_policy(there.policies, 'nightly')


def test_one_that_is_refused_does_not_stop_the_others() -> None:
    there = There('csbs')
    one, two = there.add(1, 'one'), there.add(2, 'two')
    there.cloud.on('GET', f'{there.route}/{one}', status_code=403)
    found = find_policies(there.policies, [one, two])
    assert isinstance(found[one], errors.Forbidden)
    assert found[two].id == two


# -- what one has created --------------------------------------------------


def task(number: int, **more: Any) -> dict[str, Any]:
    return {
        'job_id': f'{number:032}',
        'status': 'EXECUTE_SUCCESS',
        'backup_name': f'autobk_{number}',
        'resource_id': uuid(number).upper(),
        **more,
    }


def a_backup(name: str | None, volume: str | None, at: str | None) -> Any:
    return vbs.Backup.from_body(
        {'id': uuid(9), 'name': name, 'volume_id': volume, 'created_at': at}
    )


@pytest.mark.parametrize(
    ('name', 'volume', 'at', 'is_created'),
    [
        ('autobk_1', uuid(1), '2026-11-20T02:00:09', True),
        # The clocks of a service and its tasks may differ.
        ('autobk_1', uuid(1), '2026-11-20T01:30:00', True),
        ('autobk_1', uuid(1), None, True),
        ('autobk_1', uuid(1), '2026-09-20T02:00:09', False),
        ('autobk_1', uuid(1), '2026-11-22T01:59:00', True),
        # Names come again.
        ('autobk_1', uuid(1), '2026-11-22T02:00:09', False),
        ('autobk_1', uuid(2), '2026-11-20T02:00:09', False),
        ('autobk_2', uuid(1), '2026-11-20T02:00:09', False),
        ('autobk_2', uuid(2), '2026-11-20T02:00:09', False),
        (None, uuid(2), '2026-11-20T02:00:09', False),
        ('autobk_3', None, '2026-11-20T02:00:09', False),
        ('autobk_4', uuid(4), '2026-11-20T02:00:09', True),
    ],
)
def test_what_a_policy_has_created(
    name: str | None, volume: str | None, at: str | None, is_created: bool
) -> None:
    there = There('vbs')
    id = there.add(1, 'nightly')
    tasks = [
        task(1, created_at='2026-11-20T02:00:00.000'),
        task(2, backup_name=None),
        task(3, resource_id=None),
        task(4),
    ]
    there.cloud.on(
        *('GET', f'{there.route}/{id}/backuptasks'),
        *({'json': {'tasks': tasks}}, {'json': {'tasks': []}}),
    )
    found = CreatedBackups(there.policies, ['nightly'])
    assert (a_backup(name, volume, at) in found) is is_created


def test_none_of_several_policies_may_be_missing() -> None:
    there = There('vbs')
    id = there.add(1, 'nightly')
    there.cloud.on(
        'GET', f'{there.route}/{id}/backuptasks', json={'tasks': []}
    )
    with pytest.raises(MissingError):
        CreatedBackups(there.policies, ['nightly', 'weekly'])


def test_half_of_what_it_has_created_is_nothing() -> None:
    there = There('vbs')
    id = there.add(1, 'nightly')
    there.cloud.on(
        *('GET', f'{there.route}/{id}/backuptasks'),
        *({'json': {'tasks': [task(1)]}}, {'status_code': 404}),
    )
    with pytest.raises(errors.AmbiguousListing):
        CreatedBackups(there.policies, ['nightly'])
