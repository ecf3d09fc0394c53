# SPDX-License-Identifier: Apache-2.0
"""What may be part of a path, and what never is."""

from urllib.parse import unquote, urlsplit

import pytest
import requests
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from vbsclient.api import errors
from vbsclient.api.paths import (
    is_new_tag_key,
    is_uuid,
    job_segment,
    resource_path,
    tag_segment,
    uuid_segment,
)

UUID = '0b9d4f62-3f0a-4f39-8a43-7f0f3f1f7d20'


class TestPaths:
    def test_a_uuid_becomes_a_segment(self) -> None:
        assert resource_path('backups', id=UUID) == f'backups/{UUID}'
        assert resource_path('backups', 'detail') == 'backups/detail'

    @pytest.mark.parametrize(
        'text',
        [
            '',
            ' ',
            '.',
            '..',
            'detail',
            'count',
            'nightly',
            UUID.replace('-', ''),
            f'{UUID}\n',
            f' {UUID}',
            f'{UUID}/',
            f'{UUID}?force=1',
            f'{UUID}#',
            f'{UUID}%00',
            f'../backups/{UUID}',
            f'{{{UUID}}}',
            f'urn:uuid:{UUID}',
            f'{UUID} {UUID}',
            f'{UUID},{UUID}',
            f'{UUID}\r\nX-Auth-Token: x',
            f'{UUID}\u200b',
            f'{UUID}\udc80',
            f'\ufeff{UUID}',
            UUID.replace('-', '\uff0d'),
            UUID.replace('0', '\u0660'),
            UUID.replace('b', '\uff42'),
        ],
    )
    def test_nothing_else_does(self, text: str) -> None:
        assert not is_uuid(text)
        with pytest.raises(errors.InvalidId):
            resource_path('backups', id=text)

    @given(
        st.text()
        | st.uuids().map(str)
        | st.uuids().map(lambda u: str(u).upper())
        | st.builds(
            lambda u, at, t: f'{str(u)[:at]}{t}{str(u)[at:]}',
            st.uuids(),
            st.integers(0, 36),
            st.text(max_size=3),
        )
    )
    def test_an_id_adds_exactly_one_plain_segment(self, text: str) -> None:
        try:
            path = resource_path('backups', id=text)
        except errors.InvalidId:
            return
        collection, slash, rest = path.partition('/')
        assert (collection, slash, rest) == (
            'backups',
            '/',
            text.lower(),
        )
        assert len(text) == 36
        assert not set(rest) & set('/?#%.')

    def test_what_belongs_to_a_resource(self) -> None:
        segment = uuid_segment(UUID.upper())
        path = resource_path('cloudbackups', segment, 'restore')
        assert path == f'cloudbackups/{UUID}/restore'
        path = resource_path('providers', segment, 'checkpoints', id=UUID)
        assert path == f'providers/{UUID}/checkpoints/{UUID}'

    @pytest.mark.parametrize(
        'part', ['', '.', '..', 'a/b', 'a?b', '%2e', 'A', UUID, ' x', 'x\n']
    )
    def test_no_other_text_is_a_route(self, part: str) -> None:
        with pytest.raises(errors.InvalidId):
            resource_path('backups', part, 'restore')

    @given(st.lists(st.text(max_size=3) | st.uuids().map(str), min_size=1))
    def test_each_part_is_a_route_or_refused(self, parts: list[str]) -> None:
        try:
            path = resource_path(*parts)
        except errors.InvalidId:
            return
        assert arrives(path).split('/') == ['', 'v2', *parts]
        assert not any(set(part) & set('0123456789.%/?#') for part in parts)


def arrives(path: str) -> str:
    """The path as it leaves, behind the dots that urllib3 removes."""
    request = requests.Request('DELETE', f'https://vbs.example/v2/{path}')
    url = request.prepare().url
    sent = urllib3.util.parse_url(url).path
    assert sent == urlsplit(url).path
    assert sent is not None
    return str(sent)


class TestJobs:
    @pytest.mark.parametrize('id', ['4010', 'ff80-808_A', UUID, 'x' * 64])
    def test_an_id_is_sent_as_it_is(self, id: str) -> None:
        path = resource_path('jobs', job_segment(id))
        assert arrives(path) == f'/v2/jobs/{id}'

    @pytest.mark.parametrize(
        'id',
        [
            '',
            '.',
            '..',
            'a.b',
            'a/b',
            'a b',
            'x\n',
            'x' * 65,
            '\u0663',
            'a%2e',
        ],
    )
    def test_anything_else_is_refused(self, id: str) -> None:
        with pytest.raises(errors.InvalidId):
            job_segment(id)

    @given(st.text(max_size=70))
    def test_nothing_adds_a_segment(self, id: str) -> None:
        try:
            path = resource_path('jobs', job_segment(id))
        except errors.InvalidId:
            return
        assert arrives(path) == f'/v2/jobs/{id}'


class TestTags:
    @pytest.mark.parametrize(
        ('key', 'sent'),
        [
            ('env', 'env'),
            ('a.b', 'a.b'),
            ('..a', '..a'),
            ('a#b', 'a%23b'),
            ('a?b&c;d', 'a%3Fb%26c%3Bd'),
            ('50%', '50%25'),
            ('a b', 'a%20b'),
            ('stra\xdfe', 'stra%C3%9Fe'),
            ('x' * 127, 'x' * 127),
        ],
    )
    def test_a_key_is_encoded(self, key: str, sent: str) -> None:
        path = resource_path(
            'backuppolicy', uuid_segment(UUID), 'tags', tag_segment(key)
        )
        assert arrives(path) == f'/v2/backuppolicy/{UUID}/tags/{sent}'

    @pytest.mark.parametrize(
        'key',
        [
            *('', ' ', '.', '..', '...', ' .. ', '. .', '\u2026', '\uff0e'),
            *('%2e', '%2E%2e', '%2f', 'a%2Fb', '%20', '%00', '%0a', '%5c'),
            *('a/b', '../x', 'a\\b', 'a=b', 'a,b', 'a|b', 'a*', '<a>'),
            *('a\n', ' a', 'a ', '\xa0a', 'a\x7f', 'x' * 128, '\ud800'),
            *('a\uff0fb', '\u2028'),
        ],
    )
    def test_what_no_encoding_protects_is_refused(self, key: str) -> None:
        with pytest.raises(errors.InvalidId):
            tag_segment(key)

    @given(
        st.text(max_size=130)
        | st.text(alphabet='./%2eEfF5cC \\#?a\u2024\u2026\uff0e', max_size=9)
    )
    def test_a_key_is_one_segment_or_refused(self, key: str) -> None:
        try:
            path = resource_path(
                'backuppolicy', uuid_segment(UUID), 'tags', tag_segment(key)
            )
        except errors.InvalidId:
            return
        *before, last = arrives(path).split('/')
        assert before == ['', 'v2', 'backuppolicy', UUID, 'tags']
        assert unquote(last) == key
        # Nor does a gateway that decodes twice see another path.
        assert unquote(unquote(last)).strip('. ')
        assert '/' not in unquote(unquote(last))

    @pytest.mark.parametrize(
        ('key', 'may'),
        [
            *(('env', True), ('A-b_9', True), ('x' * 36, True)),
            *(('', False), ('x' * 37, False), ('a.b', False), ('a\n', False)),
            *(('\xe4', False), ('a b', False), ('\u0663', False)),
        ],
    )
    def test_new_keys_have_fewer_characters(self, key: str, may: bool) -> None:
        assert is_new_tag_key(key) is may
