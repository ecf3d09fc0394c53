# SPDX-License-Identifier: Apache-2.0
"""The vendor's own backup calls of VBS: V1 and V3, and never V2."""

import contextlib
from collections.abc import Iterator
from functools import partial
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

import pytest
import requests_mock
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.unit.api.makes import (
    NO_IDS,
    ONE,
    TWO,
    URL,
    MakeCloud,
    MakesWithId,
)
from tests.unit.fakes import FakeCloud
from vbsclient.api import errors
from vbsclient.api.http import Receipt, Transport
from vbsclient.api.vbs import CloudBackups

JOB = 'ff80808182e0a0f40182e0f5b3f70012'


class TestCreating(MakesWithId):
    path = 'cloudbackups'
    body: ClassVar[Any] = {'backup': {'volume_id': ONE, 'name': 'nightly'}}

    def call(self, transport: Transport) -> Receipt:
        return CloudBackups(transport, URL).create(ONE, name='nightly')

    def answer(self, id: Any) -> Any:
        return {'job_id': id}

    @pytest.mark.parametrize(
        ('options', 'body'),
        [
            ({'name': None}, {'name': None}),
            ({'description': 'a b'}, {'description': 'a b'}),
            ({'description': ''}, {'description': ''}),
            ({'snapshot_id': TWO.upper()}, {'snapshot_id': TWO}),
            ({'tags': {}}, {}),
            (
                {'tags': {'env': 'prod', 'x': ''}},
                {
                    'tags': [
                        {'key': 'env', 'value': 'prod'},
                        {'key': 'x', 'value': ''},
                    ]
                },
            ),
            ({'full': False}, {}),
            # A text, not a boolean.
            ({'full': True}, {'extend_param': {'FullBackup': 'true'}}),
        ],
    )
    def test_each_option(
        self,
        fake_cloud: MakeCloud,
        options: dict[str, Any],
        body: dict[str, Any],
    ) -> None:
        cloud = self.there(fake_cloud, {'json': self.answer(JOB)})
        calls = CloudBackups(Transport(cloud.session), URL)
        receipt = calls.create(ONE.upper(), **{'name': 'n', **options})
        wanted = {'volume_id': ONE, 'name': 'n', **body}
        wanted = {k: v for k, v in wanted.items() if v is not None}
        assert cloud.requests[0].json() == {'backup': wanted}
        assert receipt.handle is not None
        assert receipt.handle.job_id == JOB

    @pytest.mark.parametrize('id', NO_IDS)
    def test_what_is_no_id_is_not_sent(
        self, fake_cloud: MakeCloud, id: str
    ) -> None:
        cloud = self.there(fake_cloud, {'json': self.answer(JOB)})
        calls = CloudBackups(Transport(cloud.session), URL)
        with pytest.raises(errors.InvalidId):
            calls.create(id, name='n')
        with pytest.raises(errors.InvalidId):
            calls.create(ONE, name='n', snapshot_id=id)
        assert cloud.requests == []


class TestRestoring(MakesWithId):
    """V3."""

    path = f'cloudbackups/{ONE}/restore'
    repeats = False
    body: ClassVar[Any] = {'restore': {'volume_id': TWO}}

    def call(self, transport: Transport) -> Receipt:
        return CloudBackups(transport, URL).restore(ONE, TWO)

    def answer(self, id: Any) -> Any:
        return {'job_id': id}

    def test_ids_are_sent_in_lower_case(self, fake_cloud: MakeCloud) -> None:
        cloud = self.there(fake_cloud, {'json': self.answer(JOB)})
        calls = CloudBackups(Transport(cloud.session), URL)
        receipt = calls.restore(ONE.upper(), TWO.upper())
        assert cloud.requests[0].json() == self.body
        assert receipt.handle is not None
        assert receipt.handle.job_id == JOB

    @pytest.mark.parametrize('id', NO_IDS)
    def test_what_is_no_id_is_not_sent(
        self, fake_cloud: MakeCloud, id: str
    ) -> None:
        cloud = fake_cloud()
        calls = CloudBackups(Transport(cloud.session), URL)
        for backup, volume in ((id, TWO), (ONE, id), (id, id)):
            with pytest.raises(errors.InvalidId):
                calls.restore(backup, volume)
        assert cloud.requests == []


# -- a POST below cloudbackups that is no restore deletes (V2) --------------

BASE = 'https://vbs.example'
#: Behind the id of a backup.
ENDS = [
    *('', '/', '//', '/.', '/..', '/./', '/restore/', '/restore/..'),
    *('//restore', '/Restore', '/RESTORE', '/restore;x', '/restor'),
    *('/restore%2F', '%2Frestore', '%2frestore', '%252Frestore', '/%72estore'),
    *('?', '?/restore', '#/restore', ';/restore', '/restore\n', '/ restore'),
    *('/restores', '/restore/restore', '/action', '\\restore', '%00/restore'),
]
#: What a service, or what is before it, may take for that word.
NAMES = [
    *('cloudbackups', 'CloudBackups', 'CLOUDBACKUPS', '%63loudbackups'),
    *(
        'cloudbackup%73',
        '%2563loudbackups',
        'cloudbackups;x=1',
        './cloudbackups',
    ),
    *(
        'x/../cloudbackups',
        'cloudbackups/.',
        'cloudbackups/',
        'cloudbackups%2F.',
    ),
    *(
        'cloudbackups/x/..',
        'cloudbackups\\',
        'cloudbackups.json',
        '/cloudbackups',
    ),
    *(
        f'cloudbackups/{ONE}/restore/../..',
        'cloudbackups%09',
        'cloud\tbackups',
    ),
]
PREFIXES = [
    *('', '/v2/p', '/x', '/x/y//z', '/v2/p/.', f'/cloudbackups/{TWO}/restore'),
    *('/cloudbackups', '//', '/%2e', '/cloudbackups/..', '/V2/p'),
]


def post(cloud: Any, url: str) -> None:
    Transport(cloud.session).post(url, {'restore': {}}, accepted=200)


def is_restore(url: str) -> bool:
    """Whether it ends as V3 does, and names cloudbackups once."""
    path = url.removeprefix(BASE)
    end = f'/cloudbackups/{ONE}/restore'
    return path.lower().endswith(end) and path.endswith(f'/{ONE}/restore')


@pytest.fixture(scope='module')
def anything() -> Iterator[Any]:
    """A service that would carry out whatever reaches it."""
    cloud = FakeCloud()
    cloud.on(requests_mock.ANY, requests_mock.ANY, json={'job_id': JOB})
    cloud.transport = Transport(cloud.session)  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('vbsclient.api.http._wait', lambda state: 0.0)
        yield cloud


@given(
    prefix=st.sampled_from(PREFIXES),
    name=st.sampled_from(NAMES),
    id=st.sampled_from([ONE, ONE.upper(), 'x', '', '.', 'detail', 'quota']),
    slash=st.sampled_from(['/', '//', '%2F', '%252f', '/./', '\\', '/x/../']),
    end=st.sampled_from(ENDS) | st.text(max_size=4),
    reads=st.booleans(),
)
def test_no_post_below_cloudbackups_can_delete(
    anything: Any,
    prefix: str,
    name: str,
    id: str,
    slash: str,
    end: str,
    reads: bool,
) -> None:
    url = f'{BASE}{prefix}/{name}{slash}{id}{end}'
    assume(not is_restore(url))
    transport = anything.transport
    before = len(anything.requests)
    send = (
        transport.post_to_read
        if reads
        else partial(transport.post, accepted=200)
    )
    with pytest.raises(errors.InvalidId):
        send(url, {})
    assert len(anything.requests) == before


@given(
    text=st.text('cloudbackups/%2Fe.0aA;?#-', max_size=40),
    end=st.sampled_from(ENDS),
)
def test_a_backup_is_never_at_the_end_of_a_post(
    anything: Any, text: str, end: str
) -> None:
    """Whatever is before it: what leaves is as a server would read it."""
    url = f'{BASE}/v2/{text}cloudbackups/{ONE}{end}'
    before = len(anything.requests)
    with contextlib.suppress(errors.ClientError):
        anything.transport.post(url, {}, accepted=200)
    for request in anything.requests[before:]:
        path = unquote(unquote(urlsplit(request.url).path)).lower()
        _, found, rest = path.rpartition('/cloudbackups/')
        assert not found or rest == f'{ONE}/restore'


@pytest.mark.parametrize(
    'url',
    [
        f'{URL}/cloudbackups',
        f'{BASE}/x/cloudbackups',
        f'{BASE}/cloudbackups?x=/y',
        f'{URL}/cloudbackups/{ONE}/restore',
        f'{BASE}/my-cloudbackups/v2/p/backups',
        f'{BASE}/cloudbackups-v2/p/backups',
    ],
)
def test_what_may_be_posted(fake_cloud: MakeCloud, url: str) -> None:
    cloud = fake_cloud()
    cloud.on('POST', url, json={})
    post(cloud, url)
    assert cloud.sent() == [f'POST {url}']


def test_a_relative_url_is_not_sent_either(fake_cloud: MakeCloud) -> None:
    cloud = fake_cloud()
    with pytest.raises(errors.InvalidId):
        post(cloud, f'cloudbackups/{ONE}')
    assert cloud.requests == []
