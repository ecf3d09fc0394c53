# SPDX-License-Identifier: Apache-2.0
"""Patterns mean what shells mean by them, or are refused."""

import contextlib
import string
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vbsclient.glob import glob_regex


def fits(pattern: str, name: str) -> bool:
    return glob_regex(pattern).fullmatch(name) is not None


@pytest.mark.parametrize(
    ('pattern', 'yes', 'no'),
    [
        ('*', ['', 'a', 'a\nb'], []),
        ('a?c', ['abc', 'a\nc'], ['ac', 'abbc']),
        ('*-keep', ['db-keep', '-keep'], ['db-keep-1']),
        ('[a-c]*', ['a', 'c1'], ['d', '']),
        ('[!d]*', ['a', '!', '^'], ['d', 'd1', '']),
        ('[^d]*', ['a', '!', '^'], ['d', 'd1', '']),
        ('[d^]*', ['d', '^'], ['a']),
        ('[]a]', [']', 'a'], ['[', '']),
        ('[!]a]', ['b'], [']', 'a']),
        ('[[]a', ['[a'], ['a']),
        ('[a-]', ['a', '-'], ['b']),
        ('[-a]', ['a', '-'], ['b']),
        ('[a-c-e]', ['b', '-', 'e'], ['d']),
        (r'\*', ['*'], ['a', r'\*']),
        (r'[\]]', [']'], ['\\']),
        ('a.b', ['a.b'], ['axb']),
        ('a|b', ['a|b'], ['a', 'b']),
        ('(a)+', ['(a)+'], ['a']),
        ('***', ['', 'abc'], []),
        ('{a,b}', ['{a,b}'], ['a']),
        ('M\xfcller*', ['M\xfcller-1'], ['Muller']),
    ],
)
def test_patterns(pattern: str, yes: list[str], no: list[str]) -> None:
    assert [n for n in yes + no if fits(pattern, n)] == yes


@pytest.mark.parametrize(
    ('pattern', 'reason'),
    [
        ('[z-a]*', 'range z-a is empty'),
        ('a[bc', 'not closed'),
        ('[', 'not closed'),
        ('[]', 'not closed'),
        ('[!]', 'not closed'),
        ('[^]', 'not closed'),
        ('[a-', 'not closed'),
        ('[a\\', 'not closed'),
        ('[[:digit:]]*', r'write \[0-9\]'),
        ('a\\', 'backslash'),
    ],
)
def test_what_fits_no_name_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        glob_regex(pattern)


@given(st.text(), st.text())
def test_a_text_is_a_pattern_or_refused(pattern: str, name: str) -> None:
    with contextlib.suppress(ValueError):
        glob_regex(pattern).fullmatch(name)


@given(
    st.text(alphabet=string.ascii_letters + '*?.+()|$', max_size=8),
    st.text(alphabet=string.ascii_letters + '.+()|$', max_size=8),
)
def test_without_brackets_python_means_the_same(
    pattern: str, name: str
) -> None:
    assert fits(pattern, name) == fnmatchcase(name, pattern)


@given(st.sampled_from('abcdef'), st.sampled_from('abcdef'))
def test_a_range_holds_what_is_between(first: str, last: str) -> None:
    if first > last:
        with pytest.raises(ValueError, match='is empty'):
            glob_regex(f'[{first}-{last}]')
        return
    held = [c for c in 'abcdef' if fits(f'[{first}-{last}]', c)]
    assert held == [c for c in 'abcdef' if first <= c <= last]


def test_no_pattern_takes_for_ever() -> None:
    pattern = '*a' * 60 + '*b'
    assert not fits(pattern, 'a' * 255)
    assert fits(pattern, 'a' * 200 + 'xb')
