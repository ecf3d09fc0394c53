# SPDX-License-Identifier: Apache-2.0
"""The volumes, snapshots and servers that a user names."""

import re
from typing import Any

import pytest

from tests.unit.maker import Maker
from tests.unit.world import uuid
from vbsclient.api import errors
from vbsclient.api.http import Limits
from vbsclient.lookup.refusals import MissingError, RefusedError
from vbsclient.lookup.servers import find_servers
from vbsclient.lookup.volumes import find_snapshot, find_volumes

KINDS = ('volume', 'server')
EACH = pytest.mark.parametrize('kind', KINDS)


def add(there: Maker, kind: str, number: int, **changes: Any) -> str:
    id: str = getattr(there, f'add_{kind}')(number, **changes)
    return id


def find(there: Maker, kind: str, *arguments: str) -> Any:
    if kind == 'volume':
        return find_volumes(there.cinder, arguments, Limits())
    return find_servers(there.nova, arguments, Limits())


@EACH
def test_by_id_and_by_name(kind: str) -> None:
    there = Maker()
    one, two = add(there, kind, 1), add(there, kind, 2)
    found = find(there, kind, one, f'{kind}-2')
    assert [row.id for row in found.values()] == [one, two]
    # One GET and one list.
    assert len(there.log) == 2


@EACH
def test_many_are_found_in_one_list(kind: str) -> None:
    there = Maker()
    ids = [add(there, kind, n) for n in range(8)]
    arguments = [*ids[:4], *(f'{kind}-{n}' for n in range(4, 8))]
    found = find(there, kind, *arguments)
    assert [found[a].id for a in arguments] == ids
    assert len(there.log) == 1


@EACH
@pytest.mark.parametrize('others', [0, 6])
def test_what_is_not_there(kind: str, others: int) -> None:
    there = Maker()
    ids = [add(there, kind, n) for n in range(others)]
    found = find(there, kind, *ids, uuid(9), 'no-name')
    for argument in (uuid(9), 'no-name'):
        with pytest.raises(MissingError, match=f'No {kind} found for'):
            raise found[argument]


@EACH
@pytest.mark.parametrize('others', [0, 6])
def test_several_of_one_name(kind: str, others: int) -> None:
    there = Maker()
    ids = [add(there, kind, n, name='same') for n in (1, 2)]
    more = [add(there, kind, 10 + n) for n in range(others)]
    found = find(there, kind, *more, 'same')
    with pytest.raises(RefusedError, match='More than one') as raised:
        raise found['same']
    assert all(id in str(raised.value) for id in ids)
    assert raised.value.hint == 'Name the one you mean by its ID.'


@EACH
def test_a_name_is_exact_and_a_near_one_is_a_hint(kind: str) -> None:
    there = Maker()
    add(there, kind, 1, name='database')
    found = find(there, kind, 'Database')
    with pytest.raises(MissingError) as raised:
        raise found['Database']
    assert "'database'" in str(raised.value.hint)


@EACH
@pytest.mark.parametrize('argument', ['', ' ', 'x' * 256, '\ud800'])
def test_what_can_name_nothing_is_not_asked_for(
    kind: str, argument: str
) -> None:
    there = Maker()
    with pytest.raises(RefusedError):
        raise find(there, kind, argument)[argument]
    assert there.log == []


@EACH
def test_what_cannot_be_read_is_not_missing(kind: str) -> None:
    there = Maker()
    id = add(there, kind, 1)
    there.faults.append((f'/{kind}s/', 403))
    for argument in (id, 'some-name'):
        with pytest.raises(errors.Forbidden):
            raise find(there, kind, argument)[argument]


class TestSnapshot:
    def test_by_id_and_by_name(self) -> None:
        there = Maker()
        id = there.add_snapshot(1, uuid(1000))
        for argument in (id, id.upper(), 'snapshot-1'):
            found = find_snapshot(there.cinder, argument)
            assert (found.id, found.volume_id) == (id, uuid(1000))

    def test_several_of_one_name(self) -> None:
        there = Maker()
        ids = [there.add_snapshot(n, uuid(n), name='same') for n in (1, 2)]
        with pytest.raises(RefusedError) as raised:
            find_snapshot(there.cinder, 'same')
        for number, id in enumerate(ids, 1):
            # With the volume of each, by which a person chooses.
            words = f'{id} \\(available, .*volume {uuid(number)}'
            assert re.search(words, str(raised.value))

    @pytest.mark.parametrize('argument', [uuid(1), 'no-name', 'x' * 256])
    def test_what_is_not_there(self, argument: str) -> None:
        with pytest.raises(MissingError, match='No snapshot found for'):
            find_snapshot(Maker().cinder, argument)

    def test_what_cannot_be_read(self) -> None:
        there = Maker()
        there.faults.append(('/snapshots/', 403))
        for argument in (uuid(1), 'name'):
            with pytest.raises(errors.Forbidden):
                find_snapshot(there.cinder, argument)
