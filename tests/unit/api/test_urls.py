# SPDX-License-Identifier: Apache-2.0
"""A login in a URL is never shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vbsclient.api.catalog import split_base
from vbsclient.api.errors import EndpointError
from vbsclient.api.urls import host_of, without_userinfo

SECRET = 'hunter2'


@pytest.mark.parametrize(
    ('url', 'shown'),
    [
        (f'https://me:{SECRET}@vbs.example/v2', 'https://vbs.example/v2'),
        (f'http://{SECRET}@h:8080', 'http://h:8080'),
        (f'https://me:{SECRET}@w@h/x', 'https://h/x'),
        (f'https://me:{SECRET}/7@h/x', 'https://h/x'),
        (f'https://me:{SECRET}#7@h/x', 'https://h/x'),
        (f'https://me:{SECRET}?7@h/x', 'https://h/x'),
        (f'me:{SECRET}@h/x', 'h/x'),
        (f'socks5h://me:{SECRET}@[::1]:1080', 'socks5h://[::1]:1080'),
        ('https://h/a@b', 'https://h/a@b'),
        ('https://h:8080/v2/x', 'https://h:8080/v2/x'),
        ('no url', 'no url'),
        ('', ''),
    ],
)
def test_what_is_shown_of_a_url(url: str, shown: str) -> None:
    assert without_userinfo(url) == shown
    assert SECRET not in host_of(url)


@given(st.text(), st.text(alphabet='abc:/?#[]%', max_size=8))
def test_no_text_breaks_it(text: str, more: str) -> None:
    for url in (text, f'https://{text}', f'http://u:{more}@h/{text}'):
        assert '@' not in host_of(url)
        without_userinfo(url)


@pytest.mark.parametrize(
    'url', [f'https://me:{SECRET}@h/v2', f'HTTPS://me:{SECRET}@h:1/v2/']
)
def test_no_endpoint_has_one(url: str) -> None:
    assert SECRET not in split_base(url, 'p').url


@pytest.mark.parametrize(
    'url', [f'me:{SECRET}@h/v2', f'ftp://me:{SECRET}@h', f'x://{SECRET}@h:x/']
)
def test_nor_does_its_error(url: str) -> None:
    with pytest.raises(EndpointError) as raised:
        split_base(url, 'p')
    assert SECRET not in raised.value.message
