# SPDX-License-Identifier: Apache-2.0
"""Requests and answers as values, and the shapes of errors."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

# The name of the one key of an error body, by status (vbs.md 4.1).
FAULT_NAMES = {
    400: 'badRequest',
    401: 'unauthorized',
    403: 'forbidden',
    404: 'itemNotFound',
    405: 'badMethod',
    409: 'conflictingRequest',
    413: 'overLimit',
    415: 'badMediaType',
    429: 'overLimit',
    501: 'notImplemented',
    503: 'serviceUnavailable',
}


@dataclass
class Request:
    """One request; nothing in it is decoded or normalised."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b''

    # Filled by the dispatcher: the address of the cloud in the region that
    # was asked, and the path segments behind the service's prefix.
    base: str = ''
    segments: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        return self.target.partition('?')[0]

    @property
    def query(self) -> str:
        return self.target.partition('?')[2]


@dataclass
class Answer:
    """What goes out."""

    status: int = 200
    body: bytes = b''
    content_type: str = ''
    headers: dict[str, str] = field(default_factory=dict)

    # More is promised than is sent; nobody listens behind this one.
    breaks_off: bool = False
    is_last: bool = False


class RefusalError(Exception):
    """Raised anywhere below a handler: this is the answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def json_answer(
    data: object, status: int = 200, headers: dict[str, str] | None = None
) -> Answer:
    return Answer(
        status,
        json.dumps(data).encode(),
        'application/json',
        dict(headers or {}),
    )


def html_answer(status: int, title: str) -> Answer:
    text = (
        f'<html><head><title>{status} {title}</title></head>'
        f'<body><h1>{status} {title}</h1></body></html>'
    )
    return Answer(status, text.encode(), 'text/html; charset=UTF-8')


def no_route() -> Answer:
    """What a route mapper says to a path it does not know."""
    return html_answer(404, 'Not Found')


def unmapped(request: Request) -> Answer:
    """What Cinder says to a path or a method that it does not know.

    Unlike its other errors it comes from the framework below: a page, line
    breaks and all, or the same as JSON for whoever asks for JSON.
    """
    if 'json' not in request.headers.get('Accept', ''):
        return no_route()
    return json_answer(
        {
            'message': 'The resource could not be found.<br /><br />\n\n\n',
            'code': '404 Not Found',
            'title': 'Not Found',
        },
        404,
    )


def native_error(status: int, message: str) -> Answer:
    """The shape of Cinder and Karbor."""
    name = FAULT_NAMES.get(status, 'computeFault')
    return json_answer({name: {'code': status, 'message': message}}, status)


def vendor_error(status: int, code: str, message: str) -> Answer:
    """The shape of the vendor calls of VBS."""
    return json_answer({'error': {'code': code, 'message': message}}, status)


def csbs_error(status: int, code: str, message: str) -> Answer:
    """The shape of CSBS."""
    return json_answer({'error_code': code, 'error_msg': message}, status)


def csbs_bad_parameter(message: str) -> Answer:
    """What CSBS says to a query or a body that it does not allow."""
    return csbs_error(400, 'CSBS.9001', message)


def identity_error(status: int, title: str, message: str) -> Answer:
    """The shape of Keystone and of its middleware."""
    body = {'error': {'code': status, 'title': title, 'message': message}}
    return json_answer(body, status)


def refuse(answer: Answer) -> NoReturn:
    raise RefusalError(answer)


def read_json(request: Request) -> dict[str, Any]:
    """The body as a JSON object; anything else is refused."""
    try:
        data = json.loads(request.body)
    except ValueError:
        refuse(native_error(400, 'Malformed request body'))
    if not isinstance(data, dict):
        refuse(native_error(400, 'Malformed request body'))
    return data
