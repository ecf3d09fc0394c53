# SPDX-License-Identifier: Apache-2.0
"""What may be part of a path, and what never is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vbsclient.api import errors
from vbsclient.api.paths import is_uuid, resource_path

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
