# SPDX-License-Identifier: Apache-2.0
"""What can go wrong, as types that carry data.

An exception says what happened (``status``, ``code``, ``message``,
``request_id``) and, where the references know a remedy, what to do next
(``hint``).  The commands put these into one sentence.
"""

from __future__ import annotations

import shlex
from typing import TypeVar

from vbsclient.api.values import Known

ErrorT = TypeVar('ErrorT', bound='ClientError')


class Hint(str):
    """What to do about an error, with the values that it was made of.

    The command line says it in its own words, by the same template.

    :param template: as :meth:`str.format` takes it.
    """

    def __new__(cls, template: str, **values: object) -> Hint:
        hint = super().__new__(cls, template.format(**values))
        hint.template = template
        hint.values = values
        return hint

    template: str
    values: dict[str, object]


class Each(tuple[str, ...]):
    """Several values of a hint, which its template writes one by one.

    ``{names}`` lists them; ``{names:--volume %}`` writes each in place of
    the ``%``, as a shell takes it.
    """

    def __format__(self, spec: str) -> str:
        if not spec:
            return ', '.join(self)
        return ' '.join(spec.replace('%', shlex.quote(one)) for one in self)


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
    """A value that cannot be part of a path was about to enter a URL."""


class EndpointError(ClientError):
    """No endpoint can be chosen: catalog, region, version or override."""


class NoService(EndpointError):
    """It is known that the cloud does not have the service at all."""


class NotServed(EndpointError):
    """The endpoint does not serve the version that was chosen."""

    hint = 'Choose the version that it serves, or correct the endpoint.'


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
    :ivar own: whether the service itself sent it, and not a gateway, whose
        answer proves nothing about a resource.
    :cvar reason: what the status alone says, or None.
    """

    status = 0
    reason: str | None = None

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
    """The service redirects the request to another URL; it was not sent."""


class UnexpectedSuccess(ServiceError):
    """A 2xx answer that the reference does not document for this call."""


class ContradictoryAnswer(UnexpectedSuccess):
    """A 2xx answer that is about something else than was asked for."""


class BadRequest(ServiceError):
    """400."""

    status = 400
    reason = 'the service could not process the request'


class Unauthorized(ServiceError):
    """401, after one new login."""

    status = 401
    reason = 'the service does not accept the login'
    hint = 'Check that the login is still valid and log in again.'


class LoginRefused(Unauthorized):
    """The identity service refuses the login: nothing more can be sent.

    :ivar status: 401 whatever the identity service answered, which is in the
        message: to the service that was asked the login is not valid.
    :ivar answered: whether the request itself was answered with 401 before;
        else it never left.
    """

    hint = (
        'Check that the login is still valid; it is not tried again in this '
        'run.'
    )

    def __init__(
        self,
        message: str,
        hint: str | None = None,
        *,
        answered: bool = False,
    ) -> None:
        super().__init__(message, status=401, hint=hint)
        self.answered = answered


class Forbidden(ServiceError):
    """403."""

    status = 403
    reason = 'the rights of this login do not allow it'
    hint = 'Ask the administrator of the project for the right to do this.'


class NotFound(ServiceError):
    """404."""

    status = 404
    reason = 'the service does not know it'


class MethodNotAllowed(ServiceError):
    """405."""

    status = 405
    reason = 'the endpoint does not allow this method'
    hint = (
        'The endpoint does not offer this call: check the endpoint and its '
        'version.'
    )


class NotAcceptable(ServiceError):
    """406."""

    status = 406
    reason = 'the service cannot answer in an acceptable form'
    hint = 'The service does not offer the version that was asked for.'


class ProxyAuthenticationRequired(ServiceError):
    """407."""

    status = 407
    reason = 'a proxy on the way asks for a login'
    hint = (
        'The proxy asks for a login: check your proxy settings '
        '(https_proxy, http_proxy, no_proxy).'
    )


class RequestTimeout(ServiceError):
    """408."""

    status = 408
    reason = 'the request took too long to arrive'
    hint = 'The service gave up waiting for the request: try again.'


class Conflict(ServiceError):
    """409."""

    status = 409
    reason = 'it conflicts with another operation'
    hint = 'Another operation is using it: try again when that is done.'


class TooManyRequests(ServiceError):
    """The service limits the rate: 429, or what means the same.

    That is 413 with a ``Retry-After`` or with the fault of a rate limiter
    (Cinder has one of its own), and 503 with a ``Retry-After``.
    """

    status = 429
    reason = 'too many requests at a time'
    hint = 'The service limits the rate: try again with fewer requests.'


class InternalServerError(ServiceError):
    """500."""

    status = 500
    reason = 'internal error of the service'
    hint = (
        'The service failed by itself: check the status, then try again '
        'or give the request ID to the operator.'
    )


class NotImplementedByService(ServiceError):
    """501."""

    status = 501
    reason = 'the service does not implement it'
    hint = 'This cloud does not offer the function.'


class BadGateway(ServiceError):
    """502, which the references call an invalid request."""

    status = 502
    reason = 'the request is invalid to the service behind the gateway'
    hint = (
        'The references call this an invalid request: check the endpoint '
        'and its version, and give the request ID to the operator.'
    )


class ServiceUnavailable(ServiceError):
    """503."""

    status = 503
    reason = 'the service is unavailable'
    hint = 'The service is not available at the moment: try again later.'


class GatewayTimeout(ServiceError):
    """504."""

    status = 504
    reason = 'the service did not answer its gateway in time'
    hint = (
        'The service did not answer its gateway in time: check the status '
        'before retrying.'
    )


class RepeatedDelete(ClientError):
    """A DELETE that was sent more than once and ended in a refusal.

    :ivar error: the last refusal or connection error.
    :ivar attempts: how often it was sent.
    """

    def __init__(
        self, error: ServiceError | ConnectionFailed, attempts: int
    ) -> None:
        super().__init__(error.message, error.hint)
        self.error = error
        self.attempts = attempts

    @property
    def request_id(self) -> str | None:
        """The id under which the service logs its answer, or None."""
        return getattr(self.error, 'request_id', None)


class OutcomeUnknown(ClientError):
    """A change was sent, and nobody can say whether it was carried out.

    :ivar refusal: what was answered, or why there was no answer.
    :ivar read_error: why reading could not settle it; None if what was read
        proves nothing, or nothing was read.
    """

    def __init__(
        self,
        refusal: ClientError,
        read_error: ClientError | None = None,
    ) -> None:
        super().__init__(refusal.message, refusal.hint)
        self.refusal = refusal
        self.read_error = read_error

    @property
    def remark(self) -> str:
        """How its answer is spoken of once reading has settled it."""
        if isinstance(self.refusal, UnexpectedSuccess):
            return 'its answer was not the documented one'
        return 'its answer was lost'

    @property
    def request_id(self) -> str | None:
        """The id under which the service logs its answer, or None."""
        return getattr(self.refusal, 'request_id', None)


#: What a cloud answers that does not have what was asked for, or forbids
#: reading it.
NOT_OFFERED = (
    EndpointError,
    NotFound,
    Forbidden,
    MethodNotAllowed,
    NotImplementedByService,
)

#: The type of each status that has one.
BY_STATUS = {
    kind.status: kind for kind in ServiceError.__subclasses__() if kind.status
}

_BUSY = 'It is busy: try again when its current task is done.'
_LATER = ServiceUnavailable.hint
_QUOTA = 'Delete backups, or ask for a larger quota.'
_IMAGE = 'An image was made from this backup: delete the image first.'

#: What a person can do, for each code of the two references where they can.
HINTS: dict[str, str] = {
    'BackupService.4008': (
        'The project is not entitled: VBS and CSBS are closed to new users. '
        'Use CBR instead.'
    ),
    'VolumeBackup.0013': _BUSY,
    'VolumeBackup.0040': 'Delete backups of this disk that are not needed.',
    'VolumeBackup.0041': _LATER,
    'VolumeBackup.0042': Forbidden.hint,
    'VolumeBackup.0044': Forbidden.hint,
    'VolumeBackup.0080': _QUOTA,
    'VolumeBackup.0081': _QUOTA,
    'VolumeBackup.0100': _LATER,
    'VolumeBackup.0102': 'Give the request ID to the operator of the cloud.',
    'VolumeBackup.0113': _IMAGE,
    'VolumeBackup.0125': (
        'Check the status; a backup that CSBS made is deleted there.'
    ),
    'VolumeBackup.0206': _BUSY,
    'VolumeBackup.0900': _LATER,
    'AutoBackup.0009': _LATER,
    'AutoBackup.0100': (
        'The default policy can be changed, but not renamed or deleted.'
    ),
    'AutoBackup.0203': 'Delete policies that are not needed.',
    'AutoBackup.0213': Forbidden.hint,
    'AutoBackup.0218': _QUOTA,
    'AutoBackup.0225': 'Try again when the tasks of the policy have ended.',
    'AutoBackup.9002': _LATER,
    'CSBS.1001': _BUSY,
    'CSBS.1002': _BUSY,
    'CSBS.2001': _BUSY,
    'CSBS.2003': _BUSY,
    'CSBS.2004': _BUSY,
    'CSBS.3001': (
        'It is gone already, or the ID is of another kind: a checkpoint in '
        'place of a backup, or a backup in place of a checkpoint.'
    ),
    'CSBS.6030': _BUSY,
    'CSBS.6031': _BUSY,
    'CSBS.6040': 'Check the status before retrying.',
    'CSBS.8007': _IMAGE,
    'CSBS.8008': 'Check that the backup still exists.',
    'CSBS.9006': _QUOTA,
    'CSBS.9998': _LATER,
    'CSBS.9999': _LATER,
}

#: Refusals of CSBS that pass by themselves: another task, or not ready yet.
TEMPORARY_CODES = frozenset(
    {'CSBS.2003', 'CSBS.2004', 'CSBS.1001', 'CSBS.6030', 'CSBS.9998'}
)


def is_systemic(error: BaseException) -> bool:
    """Whether this refusal cannot differ from one target to the next."""
    if isinstance(error, EndpointError | Unauthorized):
        return True
    return isinstance(error, ServiceError) and (
        error.status == 403 or error.code == 'BackupService.4008'
    )
