# SPDX-License-Identifier: Apache-2.0
"""Lists are read to their end, or said to be unreadable."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vbsclient.api import errors
from vbsclient.api.paging import Style, rows

V2 = Style('backups', 'offset', 'backups_links', links_tell=True)
V3 = Style('backups', 'offset', 'backups_links')
CSBS = Style('checkpoint_items', 'marker', 'checkpoint_items_links')

#: What the references print: no address of the cloud, and not this list.
USELESS = 'http://10.0.0.1:8776/p/backups'


class Service:
    """A list behind a service with its own ideas of paging.

    :ivar cap: the most rows of a page, whatever is asked for.
    :ivar link: the query of the ``next`` link: ``offset``, ``marker``,
        ``both``, or no link.
    """

    def __init__(
        self,
        ids: Sequence[str],
        *,
        key: str = 'backups',
        cap: int = 1000,
        link: str | None = None,
        ignores: bool = False,
        between: Callable[[list[str]], None] | None = None,
    ) -> None:
        self.ids = list(ids)
        self.key = key
        self.cap = cap
        self.link = link
        self.ignores = ignores
        self.between = between
        self.asked: list[dict[str, str]] = []

    def __call__(self, query: dict[str, str]) -> Mapping[str, Any]:
        if self.asked and self.between:
            self.between(self.ids)
        self.asked.append(query)
        start = 0 if self.ignores else self._start(query)
        size = min(int(query['limit']), self.cap)
        page = self.ids[start : start + size]
        end = start + len(page)
        body: dict[str, Any] = {self.key: [{'id': id} for id in page]}
        if self.link and page and end < len(self.ids):
            position = {
                'offset': f'limit={size}&offset={end}',
                'marker': f'marker={page[-1]}&limit={size}',
                'both': f'offset={size}&marker={page[-1]}&limit={size}',
            }[self.link]
            body[f'{self.key}_links'] = [
                {'rel': 'self', 'href': f'{USELESS}?offset=0'},
                {'rel': 'next', 'href': f'{USELESS}?{position}'},
            ]
        return body

    def _start(self, query: Mapping[str, str]) -> int:
        start = 0
        if 'marker' in query:
            start = self.ids.index(query['marker']) + 1
        return start + int(query.get('offset', 0))


def read(
    service: Callable[[dict[str, str]], Mapping[str, Any]],
    style: Style,
    size: int = 2,
    **query: str,
) -> list[str]:
    return [row['id'] for row in rows(service, style, query, page_size=size)]


class TestPositions:
    def test_by_offset(self) -> None:
        service = Service('abcde')
        assert read(service, V3) == list('abcde')
        assert [q.get('offset') for q in service.asked] == [
            None,
            '2',
            '4',
            '5',
        ]

    def test_by_marker(self) -> None:
        service = Service('abcde', key='checkpoint_items')
        assert read(service, CSBS) == list('abcde')
        assert [q.get('marker') for q in service.asked] == [
            None,
            'b',
            'd',
            'e',
        ]

    @pytest.mark.parametrize('link', ['offset', 'marker', 'both'])
    @pytest.mark.parametrize('style', [V2, V3], ids=['v2', 'v3'])
    def test_by_links_whose_address_is_useless(
        self, style: Style, link: str
    ) -> None:
        service = Service('abcdefg', cap=3, link=link)
        assert read(service, style, size=1000) == list('abcdefg')

    def test_a_marker_in_a_link_wins_over_its_offset(self) -> None:
        service = Service('abcd', link='both')
        assert read(service, V2) == list('abcd')
        assert service.asked[1] == {'limit': '2', 'marker': 'b'}

    @pytest.mark.parametrize('link', [None, 'offset', 'marker', 'both'])
    @pytest.mark.parametrize('style', [V3, CSBS], ids=['offset', 'marker'])
    def test_after_a_marker(self, style: Style, link: str | None) -> None:
        service = Service('abcdefgh', key=style.key, cap=2, link=link)
        assert read(service, style, 3, marker='c') == list('defgh')

    def test_filters_stay_on_every_page(self) -> None:
        service = Service('abc')
        read(service, V3, name='x')
        assert {q['name'] for q in service.asked} == {'x'}

    def test_pages_are_read_as_rows_are_taken(self) -> None:
        service = Service('abcdef')
        found = rows(service, V3, {}, page_size=2)
        next(found)
        assert len(service.asked) == 1


class TestEnds:
    def test_a_row_in_another_case_is_the_same(self) -> None:
        ids = ['dc1e2c1b-0000-4000-8000-00000000abcd', 'x']
        body = {'things': [{'id': id} for id in (ids[0], ids[0].upper(), 'x')]}
        found = rows(lambda query: body, Style('things', 'marker'), {})
        assert [row['id'] for row in itertools.islice(found, 2)] == ids

    def test_an_empty_list(self) -> None:
        service = Service('')
        assert read(service, V3) == []
        assert len(service.asked) == 1

    def test_a_missing_link_ends_a_list_that_documents_links(self) -> None:
        service = Service('a')
        assert read(service, V2) == ['a']
        assert len(service.asked) == 1

    def test_a_short_page_proves_nothing_where_links_are_not_documented(
        self,
    ) -> None:
        service = Service('abcde', cap=2)
        assert read(service, V3, size=1000) == list('abcde')

    @pytest.mark.parametrize('style', [V3, CSBS], ids=['offset', 'marker'])
    def test_one_short_page_of_a_service_that_ignores_the_position(
        self, style: Style
    ) -> None:
        service = Service('ab', key=style.key, ignores=True)
        assert read(service, style, size=10) == ['a', 'b']
        assert len(service.asked) == 2

    @pytest.mark.parametrize('style', [V2, V3], ids=['v2', 'v3'])
    def test_a_full_page_that_is_repeated_does_not_end_a_list(
        self, style: Style
    ) -> None:
        service = Service('abc', ignores=True)
        with pytest.raises(errors.AmbiguousListing):
            read(service, style)

    def test_links_that_form_a_loop_do_not_end_a_list(self) -> None:
        service = Service('abc', cap=1, link='offset', ignores=True)
        with pytest.raises(errors.AmbiguousListing):
            read(service, V2, size=10)

    @pytest.mark.parametrize(
        'href', ['http://[', 'http://10.0.0.1/next', '', None]
    )
    def test_a_next_link_without_a_position_does_not_end_a_list(
        self, href: str | None
    ) -> None:
        ids = list('abcd')

        def service(query: dict[str, str]) -> Mapping[str, Any]:
            start = int(query.get('offset', 0))
            page = [{'id': id} for id in ids[start : start + 2]]
            links = [{'rel': 'next', 'href': href}]
            more = {'backups_links': links} if start + 2 < len(ids) else {}
            return {'backups': page, **more}

        assert read(service, V2, size=1000) == ids


class TestMovement:
    def test_new_rows_do_not_repeat_old_ones(self) -> None:
        service = Service('abcd', between=lambda ids: ids.insert(0, 'new'))
        found = read(service, V3)
        assert found == list('abcd')

    @given(
        st.lists(st.integers(0, 2), max_size=12),
        st.integers(0, 12),
        st.integers(2, 5),
    )
    def test_no_row_is_listed_twice_and_no_old_one_is_missing(
        self, inserts: list[int], count: int, size: int
    ) -> None:
        """New rows come first, as the newest do; some pages are all old."""
        growth = iter(inserts)

        def grow(ids: list[str]) -> None:
            for _ in range(min(next(growth, 0), size - 1)):
                ids.insert(0, f'new-{len(ids)}')

        old = [f'old-{n}' for n in range(count)]
        found = read(Service(old, between=grow), V3, size=size)
        assert len(found) == len(set(found))
        assert set(old) <= set(found)

    def test_rows_that_vanish_between_pages_are_no_error(self) -> None:
        service = Service('abcdef', between=lambda ids: ids.pop(0))
        found = read(service, V3)
        assert len(found) == len(set(found))


class Forgetful(Service):
    """Does not find the marker of a row that has been deleted."""

    def __init__(
        self, *args: Any, refusal: type[errors.ServiceError], **keywords: Any
    ) -> None:
        super().__init__(*args, **keywords)
        self.refusal = refusal

    def _start(self, query: Mapping[str, str]) -> int:
        if query.get('marker', self.ids[0]) not in self.ids:
            raise self.refusal('no such marker', status=404)
        return super()._start(query)


REFUSALS = [errors.NotFound, errors.BadRequest]


@pytest.mark.parametrize('refusal', REFUSALS)
@pytest.mark.parametrize(
    ('style', 'link'),
    [(CSBS, None), (CSBS, 'marker'), (V2, 'marker'), (V3, 'both')],
)
class TestMarkersThatVanish:
    def test_the_list_is_started_once_more(
        self,
        style: Style,
        link: str | None,
        refusal: type[errors.ServiceError],
    ) -> None:
        gone = iter('bd')

        def between(ids: list[str]) -> None:
            if (id := next(gone, None)) in ids:
                ids.remove(id)

        service = Forgetful(
            'abcdefg',
            key=style.key,
            link=link,
            between=between,
            refusal=refusal,
        )
        found = read(service, style)
        assert len(found) == len(set(found))
        assert set('acefg') <= set(found)

    def test_it_is_not_started_for_ever(
        self,
        style: Style,
        link: str | None,
        refusal: type[errors.ServiceError],
    ) -> None:
        service = Forgetful(
            [f'{n:03}' for n in range(99)],
            key=style.key,
            link=link,
            between=lambda ids: ids.pop(1),
            refusal=refusal,
        )
        with pytest.raises(errors.AmbiguousListing, match='broke off after'):
            read(service, style)
        assert len(service.asked) < 10

    def test_that_of_the_caller_is_refused(
        self,
        style: Style,
        link: str | None,
        refusal: type[errors.ServiceError],
    ) -> None:
        service = Forgetful('abc', key=style.key, link=link, refusal=refusal)
        with pytest.raises(refusal):
            read(service, style, marker='x')
        assert not service.asked[1:]


@given(
    st.lists(st.integers(0, 30), max_size=3),
    st.integers(0, 25),
    st.integers(1, 5),
    st.sampled_from(REFUSALS),
)
def test_what_is_kept_is_listed_whatever_is_deleted(
    vanishing: list[int],
    count: int,
    size: int,
    refusal: type[errors.ServiceError],
) -> None:
    """As long as no more vanishes than the list is started again."""
    gone = iter(vanishing)

    def between(ids: list[str]) -> None:
        number = next(gone, None)
        if number is not None and number < len(ids) - 1:
            del ids[number]

    ids = [f'{n:03}' for n in range(count)] or ['x']
    service = Forgetful(ids, key=CSBS.key, between=between, refusal=refusal)
    found = read(service, CSBS, size=size)
    assert len(found) == len(set(found))
    assert set(service.ids) <= set(found)


class TestBodies:
    @pytest.mark.parametrize(
        'body',
        [
            {},
            {'backups': None},
            {'backups': {}},
            {'backups': 'abc'},
            {'backups': 3},
            {'backups': ['a']},
            {'backups': [None]},
            {'backups': [{}]},
            {'backups': [{'id': None}]},
            {'backups': [{'id': 7}]},
            {'backups': [{'id': 'a'}, []]},
            {'volumes': []},
        ],
    )
    def test_what_is_no_list_of_rows(self, body: Mapping[str, Any]) -> None:
        with pytest.raises(errors.MalformedResponse):
            read(lambda query: body, V3)

    @pytest.mark.parametrize(
        'links', [None, {}, 'next', [None], ['next'], [{}], [{'rel': 'self'}]]
    )
    def test_links_of_a_wrong_type_are_ignored(self, links: Any) -> None:
        body = {'backups': [{'id': 'a'}], 'backups_links': links}
        assert read(lambda query: body, V2) == ['a']


class TestAnyList:
    @given(
        st.lists(st.uuids().map(str), unique=True, max_size=25),
        st.integers(1, 7),
        st.integers(1, 7),
        st.sampled_from([None, 'offset', 'marker', 'both']),
        st.sampled_from([V3, CSBS]),
    )
    def test_every_id_comes_exactly_once(
        self,
        ids: list[str],
        cap: int,
        size: int,
        link: str | None,
        style: Style,
    ) -> None:
        service = Service(ids, key=style.key, cap=cap, link=link)
        assert read(service, style, size=size) == ids

    @given(
        st.lists(st.uuids().map(str), unique=True, max_size=25),
        st.integers(1, 7),
        st.integers(1, 7),
        st.sampled_from(['offset', 'marker', 'both']),
    )
    def test_with_documented_links_too(
        self, ids: list[str], cap: int, size: int, link: str
    ) -> None:
        service = Service(ids, cap=cap, link=link)
        assert read(service, V2, size=size) == ids
        pages = -(-len(ids) // min(cap, size))
        assert len(service.asked) <= pages + 1


@pytest.mark.parametrize(
    'refusal',
    [errors.NotFound('no', status=404), errors.Forbidden('no', status=403)],
)
def test_a_list_that_fails_in_the_middle_is_not_a_missing_one(
    refusal: errors.ServiceError,
) -> None:
    whole = Service(['a', 'b', 'c'], cap=2)

    def service(query: dict[str, str]) -> Mapping[str, Any]:
        if whole.asked:
            raise refusal
        return whole(query)

    with pytest.raises(errors.AmbiguousListing, match='after 2 rows: no'):
        list(rows(service, V3, {}, page_size=2))

    def absent(query: dict[str, str]) -> Mapping[str, Any]:
        raise refusal

    with pytest.raises(type(refusal)):
        list(rows(absent, V3, {}, page_size=2))


def test_a_row_that_one_page_repeats_is_there_once() -> None:
    page = [{'id': 'a', 'name': 'first'}, {'id': 'b'}, {'id': 'a'}]
    found = list(rows(lambda query: {'backups': page}, V2, {}))
    assert found == page[:2]
