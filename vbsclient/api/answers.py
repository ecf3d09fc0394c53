# SPDX-License-Identifier: Apache-2.0
"""What an answer says: the object that was asked for, or a refusal."""

from __future__ import annotations

import html
import json
import re
from typing import Any
from urllib.parse import urlsplit

import requests

from vbsclient.api import errors
from vbsclient.api.times import seconds_to_wait
from vbsclient.api.urls import host_of
from vbsclient.api.values import Known

#: The longest piece of a raw body that is worth quoting.
_MAX_RAW_TEXT = 200

#: So much of it is searched.  The patterns below take the square of it on a
#: page that was made for that, and nothing else runs meanwhile.
_MAX_LOOKED_AT = 4000

#: How the codes begin that are a gateway's own, in front of any service.
_GATEWAYS = ('APIG.', 'APIGW.')

#: Keys of the faults that have no name of their own: any host has such.
_UNNAMED = frozenset({'error', 'error_code', 'error_msg', 'message'})


def object_of(response: requests.Response) -> dict[str, Any]:
    """The JSON object in an answer.

    :raises MalformedResponse: if it has none.
    """
    try:
        body = response.json()
    except (
        ValueError,
        RecursionError,
        requests.exceptions.RequestException,
    ):
        what = 'something that is not JSON'
    else:
        if isinstance(body, dict):
            return body
        what = 'JSON that is not an object'
    path = urlsplit(response.request.url or '').path
    raise errors.MalformedResponse(
        f'the service answered {path} with {what}',
        'Check that the endpoint is the right one.',
    )


def require_documented(response: requests.Response, *statuses: int) -> None:
    """Check that a success is one that the service documents.

    :raises UnexpectedSuccess: if it may come from another host on the way,
        such as a portal that asks for a login.
    """
    if response.status_code not in statuses:
        raise unexpected(response)
    if is_own(response) is not Known.YES:
        raise unexpected(response, ' with a body')


def unexpected(
    response: requests.Response, what: str = ','
) -> errors.UnexpectedSuccess:
    """The exception for a success other than the documented one."""
    return errors.UnexpectedSuccess(
        f'the service answered {response.status_code}{what} which it does '
        f'not document for this request',
        status=response.status_code,
        request_id=request_id_of(response),
        hint='Check the status before retrying.',
    )


def request_id_of(response: requests.Response) -> str | None:
    """The id under which the service logs this answer, or None."""
    for header in ('x-openstack-request-id', 'x-compute-request-id'):
        value = response.headers.get(header)
        if value:
            return _without_token(value, response)
    return None


def error_from_response(response: requests.Response) -> errors.ServiceError:
    """The typed exception for an answer that refuses a request.

    The body may be ``{"error": {...}}``, ``{"error_code": ...,
    "error_msg": ...}``, ``{"<fault name>": {"message": ..., "code": ...}}``,
    the flat ``{"message": ..., "code": ...}``, or a gateway's text or HTML.
    """
    status = response.status_code
    if 300 <= status < 400:
        return _redirect(response)
    text = _text_of(response)
    body = _json_of(text)
    fault = _fault_in(body)
    if fault is not None:
        code, message = fault
    else:
        code, message = None, None if body == {} else _plain_text(text)
    if code is not None and code.partition(' ')[0] == str(status):
        # A fault that only repeats the status, be it with its reason
        # ("404 Not Found"), has no code of its own.
        code = None
    known = errors.BY_STATUS.get(status, errors.ServiceError)
    throttles = _is_throttling(response, body)
    hint = errors.HINTS.get(code or '')
    if code == 'CSBS.9009' and status == 403:
        # One code for two refusals: the status tells them apart.
        hint = 'The identity of the user could not be verified.'
    return (errors.TooManyRequests if throttles else known)(
        message or known.reason or f'the service answered {status}',
        status=status,
        code=code,
        request_id=request_id_of(response),
        hint=hint,
        retry_after=response.headers.get('Retry-After'),
        own=is_own(response),
    )


def is_own(response: requests.Response) -> Known:
    """Whether an answer is of the service itself, not of one on the way.

    The body is the evidence: gateways, proxies and portals have pages and
    faults of their own.  Of a success: nothing, or a JSON object that is no
    fault, is the service's, and anything else is not.  Of a refusal: a fault
    with a name, or a code of a service, is the service's; the code of a
    gateway is not; a page, a text or nothing may be of both.
    """
    text = _text_of(response)
    body = _json_of(text)
    fault = _fault_in(body)
    if 200 <= response.status_code < 300:
        is_documented = not text.strip() or isinstance(body, dict)
        return Known.YES if is_documented and not fault else Known.NO
    if fault is None:
        return Known.UNKNOWN
    code = fault[0] or ''
    if code.startswith(_GATEWAYS):
        return Known.NO
    is_named = '.' in code or not _UNNAMED & body.keys()
    return Known.YES if is_named else Known.UNKNOWN


def _is_throttling(response: requests.Response, body: Any) -> bool:
    """Whether a refusal asks for a pause, whatever its status is called."""
    status = response.status_code
    pauses = seconds_to_wait(response.headers.get('Retry-After')) is not None
    if status == 413 and not pauses:
        return isinstance(body, dict) and any(
            key.lower().startswith('overlimit') for key in body
        )
    return status == 429 or (status in (413, 503) and pauses)


def _redirect(response: requests.Response) -> errors.RedirectRefused:
    location = _without_token(response.headers.get('location', ''), response)
    host = host_of(location) or 'another path'
    try:
        urlsplit(location)
    except ValueError:
        host = 'an unreadable address'
    return errors.RedirectRefused(
        f'the service redirects to {host}, and a redirect is never followed',
        status=response.status_code,
        request_id=request_id_of(response),
        hint='Set the endpoint override to the right address if you trust it.',
    )


def _fault_in(body: Any) -> tuple[str | None, str | None] | None:
    """(code, message) of a body, or None if it is no fault."""
    if not isinstance(body, dict):
        return None
    error = body.get('error')
    if isinstance(error, dict):
        return _code(error.get('code')), _message(error.get('message'))
    if 'error_code' in body or 'error_msg' in body:
        return _code(body.get('error_code')), _message(body.get('error_msg'))
    for fault in (*body.values(), body):
        if isinstance(fault, dict) and 'message' in fault:
            return _code(fault.get('code')), _message(fault['message'])
    return None


def _code(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None


def _message(value: Any) -> str | None:
    if isinstance(value, str):
        # Cinder puts the line breaks of a page even into JSON.
        text = re.sub(r'<br\s*/?>', ' ', value, flags=re.IGNORECASE)
        return text.strip().rstrip('.') or None
    return None if value is None else _shorten(json.dumps(value))


def _plain_text(text: str) -> str | None:
    text = text[:_MAX_LOOKED_AT]
    if re.search(r'<(!doctype|html|head|body|title)\b', text, re.IGNORECASE):
        title = re.search(
            r'<(title|h1)[^>]*>(.*?)</\1>', text, re.IGNORECASE | re.DOTALL
        )
        text = title.group(2) if title else re.sub(r'<[^>]*>', ' ', text)
        text = html.unescape(text)
    return _shorten(' '.join(text.split())) or None


def _shorten(text: str) -> str:
    if len(text) <= _MAX_RAW_TEXT:
        return text
    return text[:_MAX_RAW_TEXT].rstrip() + '...'


def _json_of(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _text_of(response: requests.Response) -> str:
    try:
        return _without_token(response.text, response)
    except ValueError:
        # A charset that cannot replace what it does not know.
        return ''


def _without_token(text: str, response: requests.Response) -> str:
    """A text of an answer, should it repeat the token of its request."""
    request = getattr(response, 'request', None)
    token = request.headers.get('X-Auth-Token') if request else None
    return text.replace(token, '***') if token else text
