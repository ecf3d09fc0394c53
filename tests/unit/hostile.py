# SPDX-License-Identifier: Apache-2.0
"""Services that answer whatever a generator makes up, and what they saw.

No other fake can serve here: there is no state that the answers could follow
from.  Each list, row, document and refusal is drawn by itself, and a failing
set of answers can be shrunk and printed.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests_mock
from hypothesis import strategies as st

from tests.unit.fakes import PROJECT, FakeCloud
from tests.unit.world import uuid

UUID = re.compile('[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}')

# Few ids and names, so that they meet; letters, so that case matters.
IDS = [f'abcdef00-0000-4000-8000-{n:012}' for n in range(1, 6)]
CHECKPOINTS = [f'fedcba00-0000-4000-8000-{n:012}' for n in range(1, 3)]
NAMES = [*'wxyz', 'détail', 'detail', '..', IDS[0], 'a\u202eb']

KEYS = {
    'backups/detail': 'backups',
    'os-vendor-backup-sharing/detail': 'shared',
    'checkpoint_items': 'checkpoint_items',
}

Row = dict[str, Any]


@dataclass(frozen=True)
class Delete:
    """A DELETE, and what had been answered until then."""

    host: str
    segments: tuple[str, ...]
    query: dict[str, str]
    raw_query: str
    read: tuple[tuple[str, Row], ...]

    @property
    def id(self) -> str:
        return self.segments[-1]

    @property
    def seen(self) -> list[Row]:
        """Every row that was answered."""
        return [row for _, row in self.read]


@dataclass
class Hostile:
    """VBS and CSBS on one host.

    :ivar pages: of each list, by its key.
    :ivar single: by its id, the row that a GET answers instead of the one
        that the lists have.
    :ivar answers: what a GET of a row, a list, or a DELETE answers in
        place of it: by the number of the request.
    :ivar restless: whether each page that is asked for is the next one,
        wherever it begins.
    """

    pages: dict[str, list[list[Any]]]
    links: Any
    single: dict[str, Any]
    answers: dict[int, tuple[int, Any]]
    deletions: Sequence[tuple[int, Any]]
    document: Any
    catalog_url: str
    pin: str
    restless: bool
    deleted: str
    log: list[Delete] = field(default_factory=list)
    seen: list[tuple[str, Row]] = field(default_factory=list)
    _asked: int = 0
    _going: dict[str, str] = field(default_factory=dict)

    def cloud(self) -> FakeCloud:
        """A session whose catalog knows this service."""
        self.log.clear()
        self.seen.clear()
        self._going.clear()
        self._asked = 0
        cloud = FakeCloud(
            {
                'vbs': f'https://host.example{self.catalog_url}',
                'data-protect': f'https://host.example/csbs/v1/{PROJECT}',
            }
        )
        cloud.on(
            requests_mock.ANY,
            re.compile('https://host.example'),
            text=self._answer,
        )
        return cloud

    def _answer(self, request: Any, context: Any) -> str:
        parts = urlsplit(request.url)
        segments = tuple(parts.path.strip('/').split('/'))
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self._asked += 1
        if request.method == 'DELETE':
            self.log.append(
                Delete(
                    parts.netloc,
                    segments,
                    query,
                    parts.query,
                    tuple(self.seen),
                )
            )
            self._going[query.get('checkpoint_items', segments[-1])] = (
                self.deleted
            )
            status, body = self.deletions[len(self.log) % len(self.deletions)]
            # 0 is what the reference promises.
            status = status or (202 if segments[-2] == 'backups' else 200)
        elif self._asked in self.answers:
            status, body = self.answers[self._asked]
        elif PROJECT not in segments:
            status, body = 200, self.document
        else:
            place = segments[segments.index(PROJECT) + 1 :]
            status, body = self._look(place, query)
        context.status_code = status
        return body if isinstance(body, str) else json.dumps(body)

    def _look(
        self, place: tuple[str, ...], query: dict[str, str]
    ) -> tuple[int, Any]:
        key = KEYS.get('/'.join(place))
        if key is not None:
            return 200, self._page(key, query)
        if len(place) < 2:
            return 200, {'backups': [], 'checkpoints': []}
        return self._one(place[-2], place[-1])

    def _page(self, key: str, query: dict[str, str]) -> Any:
        pages = self.pages[key]
        number = self._asked % (len(pages) + 1) if self.restless else 0
        if not self.restless:
            number = self._number(pages, query)
        rows = pages[number] if number < len(pages) else []
        rows = [self._resolve(row) for row in rows]
        self.seen += [(key, row) for row in rows if isinstance(row, dict)]
        return {key: rows, f'{key}_links': self.links}

    def _number(self, pages: list[list[Any]], query: dict[str, str]) -> int:
        if query.get('offset', '').isdigit():
            begin = 0
            for number, page in enumerate(pages):
                if begin >= int(query['offset']):
                    return number
                begin += len(page)
            return len(pages)
        if 'marker' in query:
            for number, page in enumerate(pages):
                ids = [r.get('id') for r in page if isinstance(r, dict)]
                if query['marker'] in ids:
                    return number + 1
        return 0

    def _one(self, collection: str, id: str) -> tuple[int, Any]:
        kind = {
            'backups': ('backups', 'backup'),
            'os-vendor-backup-sharing': ('shared', 'shared'),
            'checkpoint_items': ('checkpoint_items', 'checkpoint_item'),
        }.get(collection)
        if kind is None:
            return 404, {'itemNotFound': {'code': 404, 'message': id}}
        for page in self.pages[kind[0]]:
            for row in page:
                if isinstance(row, dict) and row.get('id') == id:
                    shown = self._resolve({**row, **self.single.get(id, {})})
                    self.seen.append((collection, shown))
                    return 200, {kind[1]: shown}
        return 404, {'itemNotFound': {'code': 404, 'message': f'no {id}'}}

    def _resolve(self, row: Any) -> Any:
        if isinstance(row, dict) and isinstance(row.get('id'), str):
            for id in (row['id'], row.get('checkpoint_id')):
                if isinstance(id, str) and id in self._going:
                    return {**row, 'status': self._going[id]}
        return row


# -- what a generator makes up ----------------------------------------------

rubbish = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 2**65),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=()), max_size=5),
    st.just([]),
    st.just({}),
    st.just([{}]),
    st.just({'id': IDS[0]}),
)


def mostly(
    usual: st.SearchStrategy[Any], other: st.SearchStrategy[Any] = rubbish
) -> st.SearchStrategy[Any]:
    """One in sixteen is something else: anything at all."""
    return st.integers(0, 15).flatmap(lambda n: usual if n else other)


ids = st.sampled_from(IDS)
odd_ids = st.sampled_from(
    [IDS[0].upper(), 'detail', '..', '', IDS[1] + '/', IDS[2] + '\n']
)
statuses = st.sampled_from(
    ['available'] * 9
    + ['error', 'deleting', 'deleted', 'waiting_delete', 'error_deleting']
    + ['restoring', '\x1b[2J']
)
metadata = st.sampled_from(
    [None, '{"ST": 0}', ' {"ST": 0}', '{"ST": 1}', '{"VMID": "x"}', '{', '[]']
)
names = st.sampled_from(NAMES)
projects = st.sampled_from(['p1', 'p2'])

backup_row = {
    'id': ids,
    'name': names,
    'status': statuses,
    'volume_id': ids,
    'created_at': st.just('2024-05-02T10:11:12'),
    'service_metadata': mostly(st.just('{"ST": 0}'), metadata),
}
share_row = {'id': ids, 'backup_id': ids, 'to_project_id': projects}
item_row = {
    'id': ids,
    'checkpoint_id': st.sampled_from(CHECKPOINTS),
    'name': names,
    'status': statuses,
    'resource_id': ids,
    'extend_info': st.fixed_dictionaries(
        {
            'volume_backups': st.lists(
                st.builds(lambda id: {'id': id}, ids), max_size=1
            )
        },
        optional={'resource_name': rubbish, 'os_images_data': rubbish},
    ),
}


def _tame(fields: dict[str, Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(fields)


def _wild(fields: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Fields of wrong types or missing, odd ids, and rows that are none."""
    rest = {key: mostly(value) for key, value in fields.items() if key != 'id'}
    whole = st.fixed_dictionaries(
        {'id': st.one_of(ids, ids, odd_ids)}, optional=rest
    )
    return mostly(whole)


def _pages(fields: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Half of the lists are as they should be, so that something goes."""
    tame = st.lists(_tame(fields), min_size=2, max_size=5)
    wild = st.lists(_wild(fields), max_size=5)
    return st.one_of(
        st.lists(tame, min_size=1, max_size=2), st.lists(wild, max_size=3)
    )


backup_rows = _tame(backup_row)

bodies = st.one_of(
    rubbish,
    st.sampled_from(['<html><title>x</title></html>', '{"a', '\x1b[2J', '']),
    st.builds(
        lambda code, text: {'error': {'code': code, 'message': text}},
        rubbish,
        rubbish,
    ),
    st.builds(lambda row: {'backup': row, 'shared': row}, backup_rows),
)
odd_answers = st.tuples(
    st.sampled_from([200, 200, 204, 302, 400, 401, 403, 404, 409, 500, 501]),
    bodies,
)
documents = st.one_of(
    rubbish,
    bodies,
    st.builds(
        lambda versions: {'versions': versions},
        st.lists(
            mostly(
                st.fixed_dictionaries(
                    {},
                    optional={
                        'id': mostly(st.sampled_from(['v2.0', 'v3.0', 'v1'])),
                        'status': mostly(
                            st.sampled_from(['CURRENT', 'EXPERIMENTAL'])
                        ),
                        'links': rubbish,
                    },
                )
            ),
            max_size=3,
        ),
    ),
)
links = st.one_of(
    st.none(),
    st.just([]),
    st.none(),
    st.none(),
    rubbish,
    st.builds(
        lambda query: [{'rel': 'next', 'href': f'http://x:8776/y?{query}'}],
        st.sampled_from(['', 'offset=1', f'marker={IDS[0]}', 'limit=1', '%']),
    ),
)

hostiles = st.builds(
    Hostile,
    pages=st.fixed_dictionaries(
        {
            'backups': _pages(backup_row),
            'shared': _pages(share_row),
            'checkpoint_items': _pages(item_row),
        }
    ),
    links=links,
    single=st.dictionaries(
        st.sampled_from(IDS),
        st.fixed_dictionaries(
            {}, optional={'id': odd_ids, 'name': rubbish, 'status': statuses}
        ),
        max_size=2,
    ),
    answers=st.booleans().flatmap(
        lambda odd: st.dictionaries(
            st.integers(1, 12), odd_answers, max_size=2 if odd else 0
        )
    ),
    deletions=st.lists(
        st.one_of(
            st.just((0, '')), st.just((0, '')), st.just((0, '')), odd_answers
        ),
        min_size=1,
        max_size=3,
    ),
    document=documents,
    catalog_url=st.sampled_from(
        [f'/v2/{PROJECT}', f'/v3/{PROJECT}', '', '/v2', '/vbs/v3/', '/x/']
    ),
    pin=st.sampled_from(['auto', 'auto', '2', '3']),
    restless=mostly(st.just(False), st.just(True)),
    deleted=st.sampled_from(['deleting', 'deleting', 'available', 'error']),
)

#: An argument is a text, or what the n-th row of a list has in a field.
arguments = st.lists(
    st.one_of(
        st.tuples(st.just('id'), st.integers(0, 9)),
        st.tuples(st.just('name'), st.integers(0, 9)),
        st.one_of(
            st.sampled_from([*IDS, *NAMES]),
            st.sampled_from([uuid(1), IDS[0].upper(), ' ', IDS[1] + '\n']),
            st.text(st.characters(exclude_categories=()), max_size=5),
        ),
    ),
    min_size=1,
    max_size=6,
)


def named_in(service: Hostile, key: str, arguments: list[Any]) -> list[str]:
    """The arguments as texts."""
    rows = [
        row for page in service.pages[key] for row in page if type(row) is dict
    ]
    texts = []
    for argument in arguments:
        if not isinstance(argument, tuple):
            texts.append(argument)
        elif rows:
            field, number = argument
            text = rows[number % len(rows)].get(field)
            texts += [text] if isinstance(text, str) else []
    return texts
