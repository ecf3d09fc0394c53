# SPDX-License-Identifier: Apache-2.0
"""What came back: an answer from its beginning on, or why there is none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests
from keystoneauth1 import exceptions as ksa_exceptions

from vbsclient.api import errors

#: Bytes after which no answer is read any further: a page of a list has a
#: few million, and a short one that is packed may unpack to any number.
LARGEST_BODY = 200_000_000

#: What requests says of a request that it cannot even make.  InvalidHeader is
#: none of them: it also stands for a header of the answer.
_NEVER_MADE = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidProxyURL,
)

_NEVER_LEFT = (
    'Connection refused',
    'Name or service not known',
    'nodename nor servname',
    'Temporary failure in name resolution',
    'Network is unreachable',
    'No route to host',
)


class Answer:
    """An answer from its status line on, before the rest of it is read.

    :ivar status: None until there is one.
    """

    status: int | None = None

    def begins(self, response: requests.Response, **_: Any) -> None:
        """Take note of it, and see that the rest of it can be read.

        :raises ConnectionFailed: if it is none yet.
        """
        self.status = response.status_code
        if self.status < 200:
            # The real one is still to come, and http.client would hand it to
            # whoever uses the connection next.
            response.close()
            raise errors.ConnectionFailed(
                f'{urlsplit(response.url).netloc} gave a provisional answer '
                f'({self.status}) and no other'
            )
        for name, value in response.headers.items():
            response.headers[name] = errors.without_token(value, response)
        try:
            b'\xff'.decode(response.encoding or 'utf-8', 'replace')
        except (LookupError, ValueError):
            # A charset that there is not, or that cannot replace what it
            # does not know: keystoneauth's log would stumble over it.
            response.encoding = 'utf-8'
        # An attribute of its own would make a cycle, and a Ctrl-C that comes
        # while those are collected is swallowed by the finalizers in it.
        response.__class__ = _Bounded


class _Bounded(requests.Response):
    """An answer of which no more is read than memory should hold.

    Nor does it tell the token, which some services repeat and which
    keystoneauth would write into its log.
    """

    @property
    def text(self) -> str:
        """The body as text."""
        return errors.without_token(super().text, self)

    def json(self, **keywords: Any) -> Any:
        """The body as it came: it is not told, but read."""
        # JSON of no charset tells by itself in which Unicode it is.
        body = super().text if self.encoding else self.content
        return json.loads(body, **keywords)

    def iter_content(self, *args: Any, **keywords: Any) -> Iterator[Any]:
        """The body, piece by piece.

        :raises ConnectionFailed: if it is too large.
        """
        length = 0
        for piece in super().iter_content(*args, **keywords):
            length += len(piece)
            if length > LARGEST_BODY:
                self.close()
                raise errors.ConnectionFailed(
                    f'{urlsplit(self.url).netloc} answers without an end '
                    f'(more than {LARGEST_BODY // 1_000_000} MB)',
                    repeatable=False,
                )
            yield piece


def object_of(response: requests.Response, url: str) -> dict[str, Any]:
    """The JSON object that a GET was answered with.

    :raises MalformedResponse: if it is none.
    """
    try:
        body = response.json()
    except (
        ValueError,
        RecursionError,
        requests.exceptions.RequestException,
    ):
        raise errors.MalformedResponse(
            f'the service answered {_place(url)} with something that is '
            f'not JSON',
            'Check that the endpoint is the right one.',
        ) from None
    if not isinstance(body, dict):
        raise errors.MalformedResponse(
            f'the service answered {_place(url)} with JSON that is not '
            f'an object',
            'Check that the endpoint is the right one.',
        )
    return body


def unexpected(response: requests.Response) -> errors.ServiceError:
    """The exception for a success other than the documented one."""
    status = response.status_code
    return errors.UnexpectedSuccess(
        f'the service answered {status}, which it does not document for '
        f'this request',
        status=status,
        request_id=errors.request_id_of(response),
        hint='Look at the status before you try again.',
    )


@contextmanager
def translated(url: str, answer: Answer | None = None) -> Iterator[None]:
    """Turn keystoneauth's exceptions into ours.

    :param answer: what is known of the answer; None where what fails is not
        the request but a login.
    """
    host = urlsplit(url).netloc
    try:
        yield
    except ksa_exceptions.HttpError as error:
        # We never let keystoneauth raise for the service's own answers, so
        # that this one comes from the identity service.
        raise _login_refused(error) from error
    except ksa_exceptions.SSLError as error:
        raise _encryption_failed(error, host) from error
    except ksa_exceptions.ConnectTimeout as error:
        raise errors.ConnectionFailed(
            f'{host} did not answer in time'
        ) from error
    except ksa_exceptions.ConnectFailure as error:
        raise errors.ConnectionFailed(
            f'no connection to {host} ({_cause(error)})',
            'Check the network and the endpoint.',
            sent=not _never_left(error),
        ) from error
    except ksa_exceptions.UnknownConnectionError as error:
        left = not isinstance(error.original, _NEVER_MADE)
        raise errors.ConnectionFailed(
            f'the answer of {host} could not be read ({_cause(error)})'
            if left
            else f'the address {url!r} is not usable',
            sent=left,
            repeatable=left,
        ) from error
    except ValueError as error:
        status = answer.status if answer else None
        raise _unforeseen(error, host, status) from error
    except ksa_exceptions.ClientException as error:
        raise errors.Unauthorized(
            f'no valid login: {error}', status=401
        ) from error


def _encryption_failed(
    error: ksa_exceptions.SSLError, host: str
) -> errors.ConnectionFailed:
    if 'certificate' not in str(error).lower():
        # It may as well have broken after the request was sent.
        return errors.ConnectionFailed(
            f'the encrypted connection to {host} failed',
            'Check that the endpoint speaks https.',
        )
    return errors.ConnectionFailed(
        f'the certificate of {host} could not be verified ({_cause(error)})',
        'Set cacert in clouds.yaml to the authority that signed it.',
        sent=False,
        repeatable=False,
    )


def _unforeseen(
    error: ValueError, host: str, status: int | None
) -> errors.ClientError:
    """What neither requests nor keystoneauth make an error of their own.

    :param status: of the answer; None if there was none yet.
    """
    if status is None:
        return errors.ConnectionFailed(
            'the request holds what no URL can carry',
            sent=False,
            repeatable=False,
        )
    if 300 <= status < 400:
        # requests splits the address of a redirect even if it is not to
        # follow it.
        return errors.RedirectRefused(
            f'{host} redirects to an unreadable address', status=status
        )
    return errors.ConnectionFailed(
        f'the answer of {host} could not be read ({_cause(error)})'
    )


def _login_refused(error: ksa_exceptions.HttpError) -> errors.ServiceError:
    if error.http_status == 401:
        return errors.Unauthorized(
            'the identity service does not renew the login', status=401
        )
    return errors.ServiceError(
        f'the identity service refused a new login ({error.message})',
        status=error.http_status or 0,
    )


def _never_left(error: BaseException) -> bool:
    text = str(error)
    # What broke off was there; an answer that is none may hold any words.
    if 'Connection aborted' in text:
        return False
    return any(reason in text for reason in _NEVER_LEFT)


def _cause(error: BaseException) -> str:
    """The innermost reason, without the urllib3 objects around it."""
    text = str(error)
    for known, short in (
        ('Connection refused', 'connection refused'),
        ('Connection reset', 'connection reset'),
        ('Remote end closed', 'the connection was closed without an answer'),
        ('Name or service not known', 'unknown host'),
        ('nodename nor servname', 'unknown host'),
        ('Temporary failure in name resolution', 'unknown host'),
        ('Network is unreachable', 'network unreachable'),
        ('No route to host', 'no route to the host'),
        ('self-signed certificate', 'self-signed certificate'),
        ('self signed certificate', 'self-signed certificate'),
        ('certificate has expired', 'certificate expired'),
        ('unable to get local issuer', 'unknown authority'),
        ('IncompleteRead', 'the answer broke off'),
    ):
        if known in text:
            return short
    return type(error).__name__


def _place(url: str) -> str:
    return urlsplit(url).path
