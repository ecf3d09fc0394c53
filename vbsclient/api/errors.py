# SPDX-License-Identifier: Apache-2.0
"""What can go wrong, as types that carry data.

Nothing here is a finished message for a person: an exception says what
happened (``status``, ``code``, ``message``, ``request_id``) and, where the
references know a remedy, what to do next (``hint``).  The commands put these
into one sentence.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from vbsclient.api.times import seconds_to_wait
from vbsclient.api.urls import host_of
from vbsclient.api.values import Known

ErrorT = TypeVar('ErrorT', bound='ClientError')

#: The longest piece of a raw body that is worth quoting.
_MAX_RAW_TEXT = 200

#: So much of it is looked at.  The patterns below take the square of it on a
#: page that was made for that, and nothing else runs meanwhile.
_MAX_LOOKED_AT = 4000


class ClientError(Exception):
    """The base of everything that this library raises.

    :ivar message: what happened, one clause without a full stop.
    :ivar hint: what a person can do about it, or None.
    """

    hint: str | None = None

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if hint is not None:
            self.hint = hint

    def __str__(self) -> str:
        return self.message

    def revised(
        self: ErrorT, message: str | None = None, hint: str | None = None
    ) -> ErrorT:
        """A copy that says something else; the error itself stays as it is.

        :param message: in place of its message.
        :param hint: in place of its hint.
        """
        kind = type(self)
        other = kind.__new__(kind, *self.args)
        vars(other).update(vars(self))
        other.message = self.message if message is None else message
        other.hint = self.hint if hint is None else hint
        return other


class InvalidId(ClientError):
    """A value that is no canonical UUID was about to enter a URL."""


class EndpointError(ClientError):
    """No endpoint can be chosen: catalog, region, version or override."""


class NoService(EndpointError):
    """It is known that the cloud has not the service at all."""


class NotServed(EndpointError):
    """The endpoint does not serve the version that was chosen."""

    hint = (
        'Set vbsclient_api_version in clouds.yaml (--os-vbs-api-version) to '
        'the version that it serves, or correct the endpoint.'
    )


class Cancelled(ClientError):
    """The stop event was set before this request was sent."""


class ConnectionFailed(ClientError):
    """The service could not be reached, or did not answer in time.

    :ivar sent: whether the request may have reached the service.
    :ivar repeatable: whether a repetition could succeed.
    """

    def __init__(
        self,
        message: str,
        hint: str | None = None,
        *,
        sent: bool = True,
        repeatable: bool = True,
    ) -> None:
        super().__init__(message, hint)
        self.sent = sent
        self.repeatable = repeatable


class LoginUnanswered(ConnectionFailed):
    """The identity service did not answer a login: nothing was done.

    :ivar answered: as of :class:`LoginRefused`.
    """

    answered = False

    def __init__(
        self,
        message: str,
        hint: str | None = None,
        *,
        repeatable: bool = True,
    ) -> None:
        super().__init__(message, hint, sent=False, repeatable=repeatable)


class MalformedResponse(ClientError):
    """The service answered with something that is not what it documents."""


class AmbiguousListing(ClientError):
    """A list that cannot be read to its end, so that nothing is certain."""


class ServiceError(ClientError):
    """An answer of the service that refuses the request.

    :ivar status: the HTTP status.
    :ivar code: the service's own code (``VolumeBackup.0113``), or None.
    :ivar request_id: the id that the operator's support asks for, or None.
    :ivar retry_after: the ``Retry-After`` header as it came, or None.
    :ivar own: whether the service itself said it, see :func:`is_own`.  What
        a gateway says of a resource proves nothing.
    """

    status = 0

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str | None = None,
        request_id: str | None = None,
        hint: str | None = None,
        retry_after: str | None = None,
        own: Known = Known.UNKNOWN,
    ) -> None:
        super().__init__(message, hint)
        self.own = own
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after


class RedirectRefused(ServiceError):
    """The service wanted to send the request elsewhere; it was not sent."""


class UnexpectedSuccess(ServiceError):
    """A 2xx answer that the reference does not promise for this call."""


class BadRequest(ServiceError):
    """400."""


class Unauthorized(ServiceError):
    """401, after one new login."""

    hint = 'Check that the login is still valid and log in again.'


class LoginRefused(Unauthorized):
    """The identity service refuses the login: nothing can be sent any more.

    :ivar status: 401 whatever the identity service answered, which is in the
        message: to the service that was asked the login is not valid.
    :ivar answered: whether the request itself was answered with 401 before;
        else it never left.
    """

    answered = False

    hint = (
        'Check that the login is still valid; it is not tried again in this '
        'run.'
    )

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message, status=401, hint=hint)


class Forbidden(ServiceError):
    """403."""

    hint = 'Ask the administrator of the project for the right to do this.'


class NotFound(ServiceError):
    """404."""


class MethodNotAllowed(ServiceError):
    """405."""

    hint = (
        'The endpoint does not offer this call: check the endpoint and its '
        'version.'
    )


class NotAcceptable(ServiceError):
    """406."""

    hint = 'The service does not offer the version that was asked for.'


class ProxyAuthenticationRequired(ServiceError):
    """407."""

    hint = (
        'The proxy asks for a login: look at your proxy settings '
        '(https_proxy, http_proxy, no_proxy).'
    )


class RequestTimeout(ServiceError):
    """408."""

    hint = 'The service gave up waiting for the request: try again.'


class Conflict(ServiceError):
    """409."""

    hint = 'Another operation is using it: try again when that is done.'


class TooManyRequests(ServiceError):
    """The service limits the rate: 429, or what means the same.

    That is 413 with a ``Retry-After`` or with the fault of a rate limiter
    (Cinder has one of its own), and 503 with a ``Retry-After``.
    """

    hint = 'The service limits the rate: try again with less --concurrency.'


class InternalServerError(ServiceError):
    """500."""

    hint = (
        'The service failed by itself: look at the status, then try again '
        'or give the request id to the operator.'
    )


class NotImplementedByService(ServiceError):
    """501."""

    hint = 'This cloud does not offer the function.'


class BadGateway(ServiceError):
    """502, which the references call an invalid request."""

    hint = (
        'The references call this an invalid request: check the endpoint '
        'and its version, and give the request id to the operator.'
    )


class ServiceUnavailable(ServiceError):
    """503."""

    hint = 'The service is not available at the moment: try again later.'


class GatewayTimeout(ServiceError):
    """504."""

    hint = (
        'The service did not answer its gateway in time: look at the '
        'status before you try again.'
    )


class RepeatedDelete(ClientError):
    """A DELETE that was sent more than once and ended in a refusal.

    :ivar error: the last refusal or connection error.
    :ivar attempts: how often it was sent.
    """

    def __init__(
        self,
        error: ServiceError | ConnectionFailed,
        attempts: int,
    ) -> None:
        super().__init__(error.message, error.hint)
        self.error = error
        self.attempts = attempts


class OutcomeUnknown(ClientError):
    """A change was sent, and nobody can say whether it was carried out.

    :ivar refusal: what was answered, or why there was no answer.
    :ivar look: why reading could not settle it; None if what was read
        proves nothing.
    """

    def __init__(
        self,
        refusal: ServiceError | ConnectionFailed,
        look: ClientError | None = None,
    ) -> None:
        super().__init__(refusal.message, refusal.hint)
        self.refusal = refusal
        self.look = look

    @property
    def request_id(self) -> str | None:
        """The id under which the service logs its answer, if it said one."""
        return getattr(self.refusal, 'request_id', None)


#: What a cloud answers that has not what was asked for, or forbids reading.
NOT_OFFERED = (
    EndpointError,
    NotFound,
    Forbidden,
    MethodNotAllowed,
    NotImplementedByService,
)

_BY_STATUS: dict[int, type[ServiceError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    406: NotAcceptable,
    407: ProxyAuthenticationRequired,
    408: RequestTimeout,
    409: Conflict,
    429: TooManyRequests,
    500: InternalServerError,
    501: NotImplementedByService,
    502: BadGateway,
    503: ServiceUnavailable,
    504: GatewayTimeout,
}

#: Why a status alone refuses, for answers that say nothing themselves.
REASONS: dict[int, str] = {
    400: 'the service could not process the request',
    401: 'the service does not accept the login',
    403: 'the rights of this login do not allow it',
    404: 'the service does not know it',
    405: 'the endpoint does not allow this method',
    406: 'the service cannot answer in an acceptable form',
    407: 'a proxy on the way asks for a login',
    408: 'the request took too long to arrive',
    409: 'it conflicts with another operation',
    429: 'too many requests at a time',
    500: 'internal error of the service',
    501: 'the service does not implement it',
    502: 'the request is invalid to the service behind the gateway',
    503: 'the service is unavailable',
    504: 'the service did not answer its gateway in time',
}

_WAIT = 'It is busy: try again when its current task is done.'
_SUPPORT = 'Give the request id to the operator of the cloud.'

#: What a person can do, for each code of the two references where they can.
HINTS: dict[str, str] = {
    'BackupService.4008': (
        'The project is not entitled: VBS and CSBS are closed to new users. '
        'Use CBR instead.'
    ),
    'VolumeBackup.0013': _WAIT,
    'VolumeBackup.0041': ServiceUnavailable.hint,
    'VolumeBackup.0042': Forbidden.hint,
    'VolumeBackup.0044': Forbidden.hint,
    'VolumeBackup.0040': 'Delete backups of this disk that are not needed.',
    'VolumeBackup.0080': 'Delete backups, or ask for a larger quota.',
    'VolumeBackup.0081': 'Delete backups, or ask for a larger quota.',
    'VolumeBackup.0100': ServiceUnavailable.hint,
    'VolumeBackup.0102': _SUPPORT,
    'VolumeBackup.0113': (
        'An image was made from this backup: delete the image first.'
    ),
    'VolumeBackup.0125': (
        'Look at the status; a backup that CSBS made is deleted with '
        '"openstack csbs backup delete".'
    ),
    'VolumeBackup.0206': _WAIT,
    'VolumeBackup.0900': ServiceUnavailable.hint,
    'CSBS.1001': _WAIT,
    'CSBS.1002': _WAIT,
    'CSBS.2001': _WAIT,
    'CSBS.2003': _WAIT,
    'CSBS.2004': _WAIT,
    'CSBS.3001': (
        'It is gone already, or the id is of another kind: '
        '"openstack csbs checkpoint delete" takes checkpoint ids, '
        '"openstack csbs backup delete" takes ids of backups.'
    ),
    'CSBS.6030': _WAIT,
    'CSBS.6031': _WAIT,
    'CSBS.6040': 'Look at the status before you try again.',
    'CSBS.8007': (
        'An image was made from this backup: delete the image first.'
    ),
    'CSBS.8008': 'Check that the backup still exists.',
    'CSBS.9006': 'Delete backups, or ask for a larger quota.',
    'CSBS.9998': ServiceUnavailable.hint,
    'CSBS.9999': ServiceUnavailable.hint,
}

#: Refusals of CSBS that pass by themselves: another task, or not ready yet.
TEMPORARY_CODES = frozenset(
    {'CSBS.2003', 'CSBS.2004', 'CSBS.1001', 'CSBS.6030', 'CSBS.9998'}
)

#: How the codes begin that are a gateway's own, in front of any service.
_GATEWAYS = ('APIG.', 'APIGW.')

#: Keys of the faults that have no name of their own: anybody has such.
_UNNAMED = frozenset({'error', 'error_code', 'error_msg', 'message'})

_NOT_ENTITLED = 'BackupService.4008'

#: CSBS uses one code for two refusals; the status tells them apart.
_HINT_9009_403 = 'The identity of the user could not be verified.'


class Response(Protocol):
    """The part of ``requests.Response`` that is read here."""

    status_code: int

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def text(self) -> str: ...


def request_id_of(response: Response) -> str | None:
    """The id under which the service logs this answer, if it says one."""
    for header in ('x-openstack-request-id', 'x-compute-request-id'):
        value = response.headers.get(header)
        if value:
            return without_token(value, response)
    return None


def without_token(text: str, response: Response) -> str:
    """A text of an answer, should it repeat the token of its request."""
    request = getattr(response, 'request', None)
    token = request.headers.get('X-Auth-Token') if request else None
    return text.replace(token, '***') if token else text


def parse_body(text: str) -> tuple[str | None, str | None]:
    """(code, message) of an error body of any shape the references show.

    ``{"error": {...}}``, ``{"error_code": ..., "error_msg": ...}``,
    ``{"<fault name>": {"message": ..., "code": ...}}``, the flat
    ``{"message": ..., "code": ...}``, and plain text or HTML of gateways.
    """
    body = _json_of(text)
    refusal = _refusal_in(body)
    if refusal is not None:
        return _code(refusal[0]), _message(refusal[1])
    return None, None if body == {} else _plain_text(text)


def _refusal_in(body: Any) -> tuple[Any, Any] | None:
    """(code, message) as they stand in a body, or None if it is no fault."""
    if not isinstance(body, dict):
        return None
    error = body.get('error')
    if isinstance(error, dict):
        return error.get('code'), error.get('message')
    if 'error_code' in body or 'error_msg' in body:
        return body.get('error_code'), body.get('error_msg')
    for fault in body.values():
        if isinstance(fault, dict) and 'message' in fault:
            return fault.get('code'), fault['message']
    if 'message' in body:
        return body.get('code'), body['message']
    return None


def _json_of(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def error_from_response(response: Response) -> ServiceError:
    """The typed exception for an answer that refuses a request."""
    status = response.status_code
    if 300 <= status < 400:
        return _redirect(response)
    code, message = parse_body(_text_of(response))
    if code is not None and code.partition(' ')[0] == str(status):
        # A fault that only repeats the status, be it with its reason
        # ("404 Not Found"), has no code of its own.
        code = None
    kind = _BY_STATUS.get(status, ServiceError)
    if _is_throttling(response):
        kind = TooManyRequests
    hint = HINTS.get(code) if code else None
    if code == 'CSBS.9009' and status == 403:
        hint = _HINT_9009_403
    return kind(
        message or REASONS.get(status, f'the service answered {status}'),
        status=status,
        code=code,
        request_id=request_id_of(response),
        hint=hint,
        retry_after=response.headers.get('Retry-After'),
        own=is_own(response),
    )


def is_own(response: Response) -> Known:
    """Whether an answer is of the service itself, not of one on the way.

    The body is the evidence: gateways, proxies and portals have pages and
    faults of their own.  Of a success: nothing, or a JSON object that is no
    fault, is the service's, and anything else is not.  Of a refusal: a fault
    with a name, or a code of a service, is the service's; the code of a
    gateway is not; a page, a text or nothing may be of both.
    """
    text = _text_of(response)
    body = _json_of(text)
    refusal = _refusal_in(body)
    if 200 <= response.status_code < 300:
        is_documented = not text.strip() or isinstance(body, dict)
        return Known.YES if is_documented and not refusal else Known.NO
    if refusal is None:
        return Known.UNKNOWN
    code = _code(refusal[0]) or ''
    if code.startswith(_GATEWAYS):
        return Known.NO
    is_named = '.' in code or not _UNNAMED & body.keys()
    return Known.YES if is_named else Known.UNKNOWN


def _is_throttling(response: Response) -> bool:
    """Whether a refusal asks for a pause, whatever its status is called."""
    status = response.status_code
    if status == 429:
        return True
    pauses = seconds_to_wait(response.headers.get('Retry-After')) is not None
    if status == 413 and not pauses:
        body = _json_of(_text_of(response))
        return isinstance(body, dict) and any(
            key.lower().startswith('overlimit') for key in body
        )
    return status in (413, 503) and pauses


def is_systemic(error: BaseException) -> bool:
    """Whether this refusal cannot differ from one target to the next."""
    if isinstance(error, EndpointError | Unauthorized):
        return True
    if isinstance(error, ServiceError):
        return error.status == 403 or error.code == _NOT_ENTITLED
    return False


def _text_of(response: Response) -> str:
    try:
        return without_token(response.text, response)
    except ValueError:
        # A charset that cannot replace what it does not know.
        return ''


def _redirect(response: Response) -> ServiceError:
    location = without_token(response.headers.get('location', ''), response)
    host = host_of(location) or 'another path'
    try:
        urlsplit(location)
    except ValueError:
        host = 'an unreadable address'
    return RedirectRefused(
        f'the service redirects to {host}, and a redirect is never followed',
        status=response.status_code,
        request_id=request_id_of(response),
        hint='Set the endpoint override to the right address if you trust it.',
    )


def _code(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None


def _message(value: Any) -> str | None:
    if isinstance(value, str):
        # Cinder puts the line breaks of a page even into JSON.
        text = re.sub(r'<br\s*/?>', ' ', value, flags=re.IGNORECASE)
        return text.strip().rstrip('.') or None
    if value is None:
        return None
    return _shorten(json.dumps(value))


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
