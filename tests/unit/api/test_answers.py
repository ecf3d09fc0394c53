# SPDX-License-Identifier: Apache-2.0
"""What is read out of answers that refuse, whatever they look like."""

import json
import time
from collections.abc import Mapping
from typing import Any

import pytest
import requests
import requests_mock
from hypothesis import given
from hypothesis import strategies as st

from vbsclient.api import errors
from vbsclient.api.answers import error_from_response


def answer(
    status: int = 400,
    body: Any = b'',
    headers: Mapping[str, str] | None = None,
) -> requests.Response:
    """An answer of a service: a text, bytes, or anything as JSON."""
    if isinstance(body, str):
        body = body.encode('utf-8', 'surrogatepass')
    elif not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return requests_mock.create_response(
        requests.Request('GET', 'https://vbs.example/').prepare(),
        status_code=status,
        content=body,
        headers=dict(headers or {}),
    )


SILENT = errors.BadRequest.reason

SHAPES: list[tuple[str, Any, str | None, str]] = [
    # name, body, code, message
    (
        'a fault of native v2 and v3, message first',
        {'itemNotFound': {'message': 'no such backup', 'code': 404}},
        '404',
        'no such backup',
    ),
    (
        'a fault of native v2 and v3, code first',
        {'badRequest': {'code': 400, 'message': 'status does not allow it'}},
        None,
        'status does not allow it',
    ),
    (
        'a fault whose code is a string',
        {'badRequest': {'code': '400', 'message': 'bad'}},
        None,
        'bad',
    ),
    (
        'a path that Cinder does not know',
        {
            'message': 'There is no such path.<br /><br />\n\n\n',
            'code': '400 Bad Request',
            'title': 'Bad Request',
        },
        None,
        'There is no such path',
    ),
    (
        'vendor v2',
        {'error': {'code': 'VolumeBackup.0040', 'message': 'limit reached'}},
        'VolumeBackup.0040',
        'limit reached',
    ),
    (
        'gateway and sister services',
        {'error_code': 'BackupService.4008', 'error_msg': 'not open'},
        'BackupService.4008',
        'not open',
    ),
    (
        'CSBS',
        {'error_code': 'CSBS.2003', 'error_msg': 'busy'},
        'CSBS.2003',
        'busy',
    ),
    (
        'a numeric error_code',
        {'error_code': 2003, 'error_msg': 'busy'},
        '2003',
        'busy',
    ),
    (
        'an error_code without quotes is no JSON: the text says it',
        '{"error_code": CSBS.2003, "error_msg": "busy"}',
        None,
        '{"error_code": CSBS.2003, "error_msg": "busy"}',
    ),
    ('only error_msg', {'error_msg': 'busy'}, None, 'busy'),
    ('only error_code', {'error_code': 'CSBS.2003'}, 'CSBS.2003', SILENT),
    (
        'identity middleware',
        {'error': {'code': 401, 'message': 'token', 'title': 'Unauthorized'}},
        '401',
        'token',
    ),
    (
        'flat',
        {'message': 'nothing here', 'code': 'VBS.0001'},
        'VBS.0001',
        'nothing here',
    ),
    ('flat without code', {'message': 'no route'}, None, 'no route'),
    (
        'error before error_code',
        {
            'error_code': 'X.1',
            'error': {'code': 'Y.2', 'message': 'inner'},
        },
        'Y.2',
        'inner',
    ),
    (
        'error_code before a fault',
        {'fault': {'message': 'inner'}, 'error_code': 'X.1', 'error_msg': 'o'},
        'X.1',
        'o',
    ),
    (
        'the first value with a message is the fault',
        {'request': {'id': 1}, 'conflictingRequest': {'message': 'in use'}},
        None,
        'in use',
    ),
    ('a full stop is ours to write', {'message': 'Gone.'}, None, 'Gone'),
    (
        'a list of messages',
        {'badRequest': {'message': ['a', 'b']}},
        None,
        '["a", "b"]',
    ),
    ('plain text', 'no healthy upstream\n', None, 'no healthy upstream'),
    (
        'plain text is shortened',
        'x' * 1000,
        None,
        'x' * 200 + '...',
    ),
    (
        'HTML with a title',
        '<html><head><title>502 Bad\n Gateway</title></head>'
        '<body><h1>nginx</h1></body></html>',
        None,
        '502 Bad Gateway',
    ),
    (
        'HTML with a heading',
        '<!DOCTYPE html><h1 class="x">Not &amp; found</h1>',
        None,
        'Not & found',
    ),
    ('HTML with neither', '<body><p>try <b>later</b></p>', None, 'try later'),
    ('empty', b'', None, SILENT),
    ('blank', ' \r\n', None, SILENT),
    ('an empty object', {}, None, SILENT),
    ('truncated JSON', '{"error": {"co', None, '{"error": {"co'),
    ('a JSON list', [1, 2], None, '[1, 2]'),
    ('a JSON string', '"busy"', None, '"busy"'),
    ('null', 'null', None, 'null'),
    ('an error of the wrong type', {'error': 'no'}, None, '{"error": "no"}'),
    (
        'nothing of the right type',
        {'error': {'code': [1], 'message': None}},
        None,
        SILENT,
    ),
    (
        'a code that is a truth value',
        {'error_code': True, 'error_msg': 'x'},
        None,
        'x',
    ),
    ('a blank code', {'error_code': ' ', 'error_msg': 'x'}, None, 'x'),
    (
        'bytes that are no text',
        b'\xff\xfe\x00',
        None,
        '\ufffd\ufffd\x00',
    ),
]


class TestBodies:
    @pytest.mark.parametrize(
        ('body', 'code', 'message'),
        [pytest.param(*shape[1:], id=shape[0]) for shape in SHAPES],
    )
    def test_each_shape_is_understood(
        self, body: Any, code: str | None, message: str
    ) -> None:
        headers = {'Content-Type': 'application/json; charset=utf-8'}
        error = error_from_response(answer(400, body, headers))
        assert (error.code, error.message) == (code, message)

    @pytest.mark.parametrize('status', [400, 404])
    def test_a_code_that_repeats_the_status_is_none(self, status: int) -> None:
        body = {'fault': {'code': status, 'message': 'x'}}
        assert error_from_response(answer(status, body)).code is None

    @pytest.mark.parametrize(
        ('headers', 'request_id'),
        [
            ({}, None),
            ({'X-OpenStack-Request-ID': 'req-1'}, 'req-1'),
            ({'x-compute-request-id': 'req-2'}, 'req-2'),
            (
                {
                    'x-compute-request-id': 'req-2',
                    'x-openstack-request-id': 'req-1',
                },
                'req-1',
            ),
        ],
    )
    def test_the_request_id_is_kept(
        self, headers: Mapping[str, str], request_id: str | None
    ) -> None:
        error = error_from_response(answer(500, b'', headers))
        assert error.request_id == request_id

    def test_retry_after_is_kept_as_it_came(self) -> None:
        error = error_from_response(answer(429, b'', {'Retry-After': 'soon'}))
        assert error.retry_after == 'soon'

    @given(st.integers(400, 599), st.binary(max_size=300))
    def test_no_bytes_break_it(self, status: int, body: bytes) -> None:
        _check(error_from_response(answer(status, body)), status)

    @given(
        st.integers(400, 599),
        st.dictionaries(
            st.sampled_from(
                ['error', 'error_code', 'error_msg', 'message', 'code', 'x']
            ),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.text(),
                lambda inner: (
                    st.lists(inner, max_size=2)
                    | st.dictionaries(
                        st.sampled_from(['message', 'code', 'y']), inner
                    )
                ),
                max_leaves=6,
            ),
        ),
    )
    def test_no_json_breaks_it(
        self, status: int, body: dict[str, Any]
    ) -> None:
        _check(error_from_response(answer(status, body)), status)

    @given(st.text(max_size=300))
    def test_no_html_breaks_it(self, inner: str) -> None:
        for page in (f'<html>{inner}', f'<title>{inner}</title>'):
            _check(error_from_response(answer(502, page)), 502)

    def test_a_body_that_is_nested_too_deeply_breaks_nothing(self) -> None:
        _check(error_from_response(answer(500, '[' * 200_000)), 500)

    @pytest.mark.parametrize('piece', ['<title', '<title>', '<', '<br '])
    def test_a_page_that_is_made_to_be_slow_is_not(self, piece: str) -> None:
        page = '<html>' + piece * (1_000_000 // len(piece))
        started = time.monotonic()
        _check(error_from_response(answer(500, page)), 500)
        assert time.monotonic() - started < 60

    @pytest.mark.parametrize('charset', ['undefined', 'idna'])
    def test_a_strange_charset_breaks_nothing(self, charset: str) -> None:
        headers = {'Content-Type': f'text/plain; charset={charset}'}
        error = error_from_response(answer(500, b'\xff oops', headers))
        _check(error, 500)


TYPES = {
    400: errors.BadRequest,
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    406: errors.NotAcceptable,
    407: errors.ProxyAuthenticationRequired,
    408: errors.RequestTimeout,
    409: errors.Conflict,
    413: errors.ServiceError,
    429: errors.TooManyRequests,
    500: errors.InternalServerError,
    501: errors.NotImplementedByService,
    502: errors.BadGateway,
    503: errors.ServiceUnavailable,
    504: errors.GatewayTimeout,
    599: errors.ServiceError,
}


class TestStatuses:
    @pytest.mark.parametrize('status', sorted(TYPES))
    def test_each_has_its_type(self, status: int) -> None:
        error = error_from_response(answer(status))
        assert type(error) is TYPES[status]
        assert error.status == status
        assert error.message

    @pytest.mark.parametrize(
        ('status', 'words'),
        [
            (401, 'log in again'),
            (403, 'administrator'),
            (405, 'check the endpoint'),
            (406, 'version'),
            (407, 'proxy settings'),
            (408, 'try again'),
            (409, 'Another operation'),
            (429, 'fewer requests'),
            (500, 'request ID'),
            (501, 'does not offer'),
            (502, 'check the endpoint'),
            (503, 'try again later'),
            (504, 'check the status'),
        ],
    )
    def test_each_says_what_to_do(self, status: int, words: str) -> None:
        hint = error_from_response(answer(status)).hint
        assert words in str(hint)

    @pytest.mark.parametrize('status', [400, 404])
    def test_some_need_no_hint(self, status: int) -> None:
        assert error_from_response(answer(status)).hint is None

    def test_502_is_not_to_be_tried_later(self) -> None:
        hint = str(error_from_response(answer(502)).hint).lower()
        assert 'later' not in hint
        assert 'try again' not in hint

    @pytest.mark.parametrize('status', [300, 301, 302, 303, 304, 307, 308])
    def test_a_redirect_names_its_host(self, status: int) -> None:
        error = error_from_response(
            answer(status, b'', {'Location': 'https://evil.example/x'})
        )
        assert isinstance(error, errors.RedirectRefused)
        assert 'evil.example' in error.message

    @pytest.mark.parametrize(
        ('location', 'words'),
        [('/x', 'another path'), ('https://[', 'unreadable')],
    )
    def test_a_redirect_without_a_usable_address(
        self, location: str, words: str
    ) -> None:
        error = error_from_response(answer(302, b'', {'Location': location}))
        assert words in error.message


class TestCodes:
    @pytest.mark.parametrize('code', sorted(errors.HINTS))
    def test_the_hint_of_a_code_wins_over_that_of_the_status(
        self, code: str
    ) -> None:
        body = {'error': {'code': code, 'message': 'x'}}
        error = error_from_response(answer(500, body))
        assert error.code == code
        assert error.hint == errors.HINTS[code]
        assert error.hint.endswith('.')

    @pytest.mark.parametrize(
        ('status', 'hint'),
        [(403, 'The identity of the user could not be verified.')],
    )
    def test_one_code_means_two_things(self, status: int, hint: str) -> None:
        body = {'error_code': 'CSBS.9009', 'error_msg': 'x'}
        assert error_from_response(answer(status, body)).hint == hint
        assert error_from_response(answer(400, body)).hint is None


def _check(error: errors.ServiceError, status: int) -> None:
    assert isinstance(error, errors.ServiceError)
    assert error.status == status
    assert error.message
    assert error.code is None or error.code
