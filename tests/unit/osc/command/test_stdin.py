# SPDX-License-Identifier: Apache-2.0
"""Ids on the standard input, as other programs write them."""

import codecs
import io

import pytest
from osc_lib import exceptions

from vbsclient.osc.command.options import ids_on

ONE = '0b9d4f62-3f0a-4f39-8a43-7f0f3f1f7d20'
TWO = '0b9d4f62-3f0a-4f39-8a43-7f0f3f1f7d21'
TEXT = f'{ONE}\r\n\r\n  {TWO.upper()}  \r\n'


def stdin(
    data: bytes, encoding: str = 'utf-8', errors: str = 'strict'
) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(data), encoding, errors)


@pytest.mark.parametrize('mark', [b'', codecs.BOM_UTF8])
@pytest.mark.parametrize('encoding', ['utf-8', 'latin-1', 'cp1252', 'ascii'])
def test_a_byte_order_mark_is_passed_over(mark: bytes, encoding: str) -> None:
    read = stdin(mark + TEXT.encode(), encoding, 'surrogateescape')
    assert ids_on(read) == [ONE, TWO]


@pytest.mark.parametrize(
    'data',
    [
        TEXT.encode('utf-16'),
        codecs.BOM_UTF16_BE + TEXT.encode('utf-16-be'),
        TEXT.encode('utf-16-le'),
        TEXT.encode('utf-16-be'),
    ],
)
@pytest.mark.parametrize(
    ('encoding', 'errors'),
    [
        ('utf-8', 'strict'),
        ('utf-8', 'surrogateescape'),
        ('ascii', 'surrogateescape'),
        ('latin-1', 'strict'),
    ],
)
def test_utf_16_is_named(data: bytes, encoding: str, errors: str) -> None:
    with pytest.raises(exceptions.CommandError, match='UTF-16: save it as'):
        ids_on(stdin(data, encoding, errors))


@pytest.mark.parametrize('data', [b'\xff', b'\x80abc', b'abc', b'\xef\xbb'])
def test_what_is_no_id_stops_everything(data: bytes) -> None:
    with pytest.raises(exceptions.CommandError, match='Nothing was sent'):
        ids_on(stdin(data))


@pytest.mark.parametrize(
    'line',
    [
        *('nightly', f'{ONE} {TWO}', f'{ONE}\t{TWO}', f'{ONE},', f'"{ONE}"'),
        *('-', '..', f'\ufeff{ONE}', f'\uff11{ONE}'),
    ],
)
def test_the_line_that_is_no_id_is_told(line: str) -> None:
    text = f'{TWO}\n\n{line}\n{ONE}\n'
    with pytest.raises(
        exceptions.CommandError, match='Line 3 of the standard'
    ):
        ids_on(stdin(text.encode()))


def test_a_mark_alone_names_nothing() -> None:
    assert ids_on(stdin(codecs.BOM_UTF8)) == []
    assert ids_on(stdin(b'')) == []


def test_comments_are_skipped() -> None:
    text = f'\ufeff# {TWO}\n{ONE}\n  #{TWO}\n'
    assert ids_on(stdin(text.encode())) == [ONE]
    with pytest.raises(exceptions.CommandError, match='Line 2 of'):
        ids_on(stdin(f'#\n{ONE} # nightly\n'.encode()))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_only_who_types_is_told_what_is_waited_for() -> None:
    stderr = io.StringIO()
    assert ids_on(stdin(TEXT.encode()), stderr) == [ONE, TWO]
    assert stderr.getvalue() == ''
    assert ids_on(Terminal(ONE), stderr) == [ONE]
    assert stderr.getvalue() == 'Enter IDs, one a line; end with Ctrl-D.\n'
    assert ids_on(Terminal(ONE), None) == [ONE]
