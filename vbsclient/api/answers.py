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
from vbsclient.api.failures import no_answer, unreadable
from vbsclient.api.urls import host_of
from vbsclient.api.values import Known

# Bytes after which no answer is read any further, however short it was when
# it was packed.

#: A page of a list has a few million.
LARGEST_BODY = 200_000_000
#: One resource, a token with its catalog, a version document.
LARGEST_SINGLE = 10_000_000
#: A refusal, and whatever a DELETE is answered with.
LARGEST_REFUSAL = 1_000_000


class Answer:
    """An answer from its status line on, before the rest of it is read.

    :param largest: the bytes that a GET may be answered with.
    :ivar status: None until there is one.
    """

    status: int | None = None

    def __init__(self, largest: int = LARGEST_SINGLE) -> None:
        self._largest = largest

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
                f'{host_of(response.url)} gave a provisional answer '
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
        response.largest = self._largest  # type: ignore[attr-defined]


class _Bounded(requests.Response):
    """An answer of which no more is read than memory should hold.

    Of what only says how it went, the beginning is enough.

    Nor does it tell the token, which some services repeat and which
    keystoneauth would write into its log.
    """

    largest: int

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
        is_detail = self.request.method == 'DELETE' or not self.ok
        left = LARGEST_REFUSAL if is_detail else self.largest
        for piece in super().iter_content(*args, **keywords):
            left -= len(piece)
            if left >= 0:
                yield piece
                continue
            self.close()
            if is_detail:
                return
            raise errors.ConnectionFailed(
                f'{host_of(self.url)} answers without an end '
                f'(more than {self.largest / 1_000_000:g} MB)',
                repeatable=False,
            )


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


def require_documented(response: requests.Response, *statuses: int) -> None:
    """See that a success is one that the service itself documents.

    :raises UnexpectedSuccess: if it may be of somebody else on the way, such
        as the page of a portal that wants a login.
    """
    if response.status_code not in statuses:
        raise unexpected(response)
    if errors.is_own(response) is not Known.YES:
        raise unexpected(response, ' with a body')


def unexpected(
    response: requests.Response, what: str = ','
) -> errors.ServiceError:
    """The exception for a success other than the documented one."""
    status = response.status_code
    return errors.UnexpectedSuccess(
        f'the service answered {status}{what} which it does not document for '
        f'this request',
        status=status,
        request_id=errors.request_id_of(response),
        hint='Look at the status before you try again.',
    )


@contextmanager
def translated(
    url: str, answer: Answer | None = None, verify: object = None
) -> Iterator[None]:
    """Turn the exceptions of the libraries below into ours.

    :param answer: what is known of the answer.
    :param verify: what the session verifies certificates with.
    :raises ClientError: in their place.
    """
    try:
        yield
    except (ksa_exceptions.ClientException, OSError) as error:
        raise no_answer(error, url, verify) from error
    except ValueError as error:
        status = answer.status if answer else None
        raise _unforeseen(error, url, status) from error


def _unforeseen(
    error: ValueError, url: str, status: int | None
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
            f'{host_of(url)} redirects to an unreadable address',
            status=status,
        )
    return unreadable(error, url)


def _place(url: str) -> str:
    return urlsplit(url).path
