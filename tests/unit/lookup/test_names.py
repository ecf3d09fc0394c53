# SPDX-License-Identifier: Apache-2.0
"""What names and ids mean, whatever is named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pytest

from vbsclient.api import errors
from vbsclient.api.http import Limits
from vbsclient.lookup.existence import Existence
from vbsclient.lookup.names import Kind, only, unique, validate_names
from vbsclient.lookup.refusals import MissingError, RefusedError


def uuid(number: int) -> str:
    return f'00000000-0000-4000-8000-{number:012}'


@dataclass(frozen=True)
class Row:
    id: str
    name: str | None
    status: str = 'available'
    mine: bool = True


KIND = Kind('thing', lambda row: f'<{row.id}>')


class Service:
    """A list and a GET for each, which are counted."""

    def __init__(self, *rows: Row) -> None:
        self.rows = rows
        self.gets: list[str] = []
        self.lists: list[str | None] = []
        self.pages = 0

    def get(self, id: str) -> Row:
        self.gets.append(id)
        for row in self.rows:
            if row.id == id:
                return row
        raise errors.NotFound('no such thing', status=404)

    def list(self, name: str | None) -> Iterator[Row]:
        self.lists.append(name)
        yield from self.rows

    def first_page(self) -> Iterable[Row]:
        self.pages += 1
        return self.rows

    def find(self, *arguments: str) -> dict[str, Row | errors.ClientError]:
        return KIND.find(
            arguments,
            Existence(self.get, lambda ids: self.list(None)),
            self.list,
            lambda row: row.mine,
            Limits(),
            first_page=self.first_page,
        )


MANY = [Row(uuid(n), f'n{n}') for n in range(1, 8)]


def test_a_few_are_asked_for_one_by_one() -> None:
    service = Service(*MANY)
    assert only(service.find(uuid(3))) == MANY[2]
    assert only(service.find('n4')) == MANY[3]
    assert (service.gets, service.lists) == ([uuid(3)], ['n4'])


def test_many_cost_one_list() -> None:
    service = Service(*MANY)
    arguments = [uuid(1), uuid(2), 'n3', 'n4', 'n5']
    assert list(service.find(*arguments).values()) == MANY[:2] + MANY[2:5]
    assert (service.gets, service.lists) == ([], [None])


def test_what_a_list_has_skipped_is_asked_for() -> None:
    service = Service(*MANY)
    ids = [row.id for row in MANY]
    service.list = lambda name: iter(MANY[1:])  # type: ignore[method-assign]
    assert service.find(*ids) == dict(zip(ids, MANY, strict=True))
    assert service.gets == [uuid(1)]


@pytest.mark.parametrize('others', [0, 5], ids=['few', 'many'])
class TestRefusals:
    def find(self, others: int, argument: str, *rows: Row) -> object:
        service = Service(*MANY, *rows)
        return service.find(argument, *[f'n{n}' for n in range(others)])[
            argument
        ]

    def test_nothing(self, others: int) -> None:
        for argument in ('nothing', uuid(99)):
            found = self.find(others, argument)
            assert isinstance(found, MissingError)
            assert str(found) == f'No thing found for {argument!r}'

    def test_two_of_a_name(self, others: int) -> None:
        found = self.find(
            others, 'twice', Row(uuid(11), 'twice'), Row(uuid(12), 'twice')
        )
        assert isinstance(found, RefusedError)
        assert f'<{uuid(11)}>; <{uuid(12)}>' in str(found)

    def test_an_id_that_is_a_name_elsewhere(self, others: int) -> None:
        rows = Row(uuid(11), 'own'), Row(uuid(12), uuid(11))
        assert self.find(others, uuid(11), *rows) == rows[0]

    def test_a_name_of_another_project(self, others: int) -> None:
        found = self.find(others, 'x', Row(uuid(11), 'x', mine=False))
        assert isinstance(found, MissingError)

    def test_an_id_that_cannot_be_in_a_path(self, others: int) -> None:
        found = self.find(others, 'x', Row('../backups', 'x'))
        assert isinstance(found, errors.InvalidId)


@pytest.mark.parametrize(
    ('name', 'kind'),
    [
        ('', RefusedError),
        ('  ', RefusedError),
        ('x' * 256, MissingError),
        ('\udc80', MissingError),
    ],
)
def test_what_cannot_be_a_name_is_not_asked_for(
    name: str, kind: type[Exception]
) -> None:
    valid, refusals = validate_names([name, 'a'], 'thing')
    assert valid == ['a']
    assert isinstance(refusals[name], kind)


def test_arguments_have_one_form() -> None:
    assert unique([uuid(10).upper(), uuid(10), 'B', 'b', 'B']) == [
        uuid(10),
        'B',
        'b',
    ]


def test_a_single_look_up_raises_its_refusal() -> None:
    with pytest.raises(MissingError):
        only({'x': MissingError('No thing found')})


class TestNearestName:
    ROWS = (
        Row(uuid(1), 'db01-before-upgrade'),
        Row(uuid(2), 'db02-before-upgrade'),
        Row(uuid(3), 'weekly-foreign', mine=False),
        Row(uuid(4), 'monthly-gone', status='deleted'),
        Row(uuid(5), None),
    )

    def hint(self, service: Service, name: str, *others: str) -> str | None:
        found = service.find(name, *others)[name]
        assert isinstance(found, MissingError)
        assert str(found) == f'No thing found for {name!r}'
        return found.hint

    @pytest.mark.parametrize(
        'name',
        ['db01-before-upgrad', 'DB01-BEFORE-UPGRADE', 'db01_before-upgrade'],
    )
    def test_a_misspelled_name(self, name: str) -> None:
        hint = self.hint(Service(*self.ROWS), name)
        assert hint == "Did you mean 'db01-before-upgrade'?"

    @pytest.mark.parametrize(
        'name',
        ['other', 'db01', 'weekly-foreig', 'monthly-gon', '{name}', uuid(8)],
    )
    def test_nothing_is_near(self, name: str) -> None:
        assert self.hint(Service(*self.ROWS), name) is None

    def test_one_page_for_a_few_and_none_for_ids_or_many(self) -> None:
        for arguments, pages in (
            (['a'], 1),
            (['a', 'b', 'c'], 1),
            (['a', 'b', 'c', 'd'], 0),
            ([uuid(8)], 0),
            (['x' * 256], 0),
            (['db02-before-upgrade'], 0),
        ):
            service = Service(*self.ROWS)
            service.find(*arguments)
            assert service.pages == pages, arguments

    def test_what_cannot_be_asked_leaves_the_error_as_it_is(self) -> None:
        service = Service(*self.ROWS)

        def first_page() -> Iterable[Row]:
            raise errors.Forbidden('no', status=403)

        service.first_page = first_page  # type: ignore[method-assign]
        assert self.hint(service, 'db01-before-upgrad') is None

    def test_it_is_never_what_is_found(self) -> None:
        found = Service(*self.ROWS).find('db01-before-upgrad', 'x')
        assert [type(one) for one in found.values()] == [MissingError] * 2
