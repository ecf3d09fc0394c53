# SPDX-License-Identifier: Apache-2.0
"""Why a request has no answer, and whether it may have been sent.

The libraries below wrap what happened in three or four exceptions.  What
decides here is the type of those inside, and only where there is none
(http.client marks a refused tunnel by its text alone) the words.
"""

from __future__ import annotations

import errno
import http.client
import os
import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import requests
import urllib3.exceptions
from keystoneauth1 import exceptions as ksa_exceptions
from urllib3.util.ssl_match_hostname import CertificateError

from vbsclient.api import errors
from vbsclient.api.session import BodyReader
from vbsclient.api.urls import host_of, without_userinfo

ErrorT = TypeVar('ErrorT', bound=BaseException)

#: What requests says of a request that it cannot even make.  InvalidHeader is
#: none of them: it also stands for a header of the answer.
_NEVER_MADE = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
)

_SHORT = {
    errno.ECONNREFUSED: 'connection refused',
    errno.ECONNRESET: 'connection reset',
    errno.ENETUNREACH: 'network unreachable',
    errno.EHOSTUNREACH: 'no route to the host',
}

_PROXY_HINT = (
    'Check your proxy settings (https_proxy, http_proxy, all_proxy, no_proxy).'
)
TRUST_ISSUER = 'Trust the authority that signed it.'
CORRECT_FILES = 'Correct the path of the file.'

_WRONG_HOST = 62
#: What to do, by OpenSSL's verify codes.
_CERTIFICATE_HINTS = {
    # A signer that this machine does not know.
    **dict.fromkeys((2, 18, 19, 20, 21, 27), TRUST_ISSUER),
    # A time that does not fit.
    **dict.fromkeys(
        (9, 10),
        'Check the clock of this machine; if it is right, tell the operator '
        'of the cloud.',
    ),
    **dict.fromkeys(
        (_WRONG_HOST, 64),
        'Use the name that the certificate is for as the host of the '
        'endpoint, or tell the operator of the cloud.',
    ),
}


@contextmanager
def translated(url: str, body: BodyReader, verify: object) -> Iterator[None]:
    """Turn the exceptions of the libraries below into ours.

    :param url: where the request goes.
    :param body: what reads its answer.
    :param verify: what the session verifies certificates with.
    :raises ClientError: in their place.
    """
    try:
        yield
    except (ksa_exceptions.ClientException, OSError) as error:
        raise no_answer(error, url, verify) from error
    except ValueError as error:
        # What neither requests nor keystoneauth make an error of their own.
        if body.status is None:
            reason = 'the request has characters that no URL can contain'
            raise _impossible(reason) from error
        if 300 <= body.status < 400:
            # requests splits the address of a redirect even if it is not to
            # follow it.
            raise errors.RedirectRefused(
                f'{host_of(url)} redirects to an unreadable address',
                status=body.status,
            ) from error
        raise _unreadable(list(_chain(error)), url) from error


def no_answer(
    error: Exception, url: str, verify: object
) -> errors.ConnectionFailed:
    """What an exception of the libraries means for a request.

    :param url: where it was to go.
    :param verify: what the session verifies certificates with.
    """
    inside = list(_chain(error))
    host = host_of(url)
    if _marked(inside, 'by_proxy') or _first(
        inside,
        requests.exceptions.ProxyError,
        urllib3.exceptions.ProxyError,
    ):
        return _proxy_failed(inside, url)
    if _is_about_proxy(inside, url):
        return _proxy_unusable(url)
    if isinstance(error, ksa_exceptions.SSLError):
        return _encryption_failed(inside, host, verify)
    if not isinstance(error, ksa_exceptions.ConnectionError):
        # requests looks for the files of certificates by itself, and says
        # in words of its own that there is none.
        return (
            _no_certificates(str(error))
            if isinstance(error, OSError)
            else _unreadable(inside, url)
        )
    if _first(inside, *_NEVER_MADE):
        return _impossible(
            f'the address {without_userinfo(url)!r} is not usable'
        )
    if isinstance(error, ksa_exceptions.ConnectTimeout):
        return errors.ConnectionFailed(
            f'{host} did not answer in time', sent=_may_be_sent(inside)
        )
    if isinstance(error, ksa_exceptions.UnknownConnectionError):
        return _unreadable(inside, url)
    return errors.ConnectionFailed(
        f'no connection to {host} ({_cause(inside)})',
        'Check the network and the endpoint.',
        sent=_may_be_sent(inside),
    )


def _unreadable(
    inside: Sequence[BaseException], url: str
) -> errors.ConnectionFailed:
    """An answer that came and cannot be read."""
    return errors.ConnectionFailed(
        f'the answer of {host_of(url)} could not be read ({_cause(inside)})'
    )


def _impossible(
    message: str, hint: str | None = None
) -> errors.ConnectionFailed:
    """What was not sent, and would not be the next time."""
    return errors.ConnectionFailed(message, hint, sent=False, repeatable=False)


# -- proxies ---------------------------------------------------------------


def _proxy_failed(
    inside: Sequence[BaseException], url: str
) -> errors.ConnectionFailed:
    """No connection to a proxy, or none through it: nothing was sent."""
    proxy = _marked(inside, 'by_proxy') or _proxy_setting(url)[1]
    name = host_of(proxy) or 'on the way'
    answers = (
        re.match(r'Tunnel connection failed: (\d{3})\b', str(error))
        for error in inside
        if isinstance(error, OSError)
    )
    answer = next(filter(None, answers), None)
    if answer is None:
        return errors.ConnectionFailed(
            f'no connection to {host_of(url)} through the proxy {name} '
            f'({_cause(inside)})',
            _PROXY_HINT,
            sent=False,
        )
    status = int(answer.group(1))
    asks = ' The proxy asks for a login.' if status == 407 else ''
    return errors.ConnectionFailed(
        f'the proxy {name} does not connect to {host_of(url)} (it answered '
        f'{status})',
        _PROXY_HINT + asks,
        sent=False,
        repeatable=status >= 500,
    )


def _is_about_proxy(inside: Sequence[BaseException], url: str) -> bool:
    """Whether it is the proxy whose address cannot be used."""
    if _first(inside, requests.exceptions.InvalidProxyURL):
        return True
    if not _proxy_setting(url)[1]:
        return False
    if _first(inside, urllib3.exceptions.LocationParseError):
        # It says what is wrong with an address, but not whose it is.
        try:
            urllib3.util.parse_url(url)
        except urllib3.exceptions.LocationParseError:
            return False
        return True
    return _first(inside, requests.exceptions.InvalidSchema) is not None


def _proxy_unusable(url: str) -> errors.ConnectionFailed:
    variable, value = _proxy_setting(url)
    if value.lower().startswith('socks'):
        return _impossible(
            f'{variable} names a SOCKS proxy ({host_of(value)}), for which '
            f'the Python package PySocks is missing',
            'Install PySocks, or take the host out with no_proxy.',
        )
    return _impossible(
        f'the proxy in {variable} ({without_userinfo(value)!r}) is not usable',
        _PROXY_HINT,
    )


def _proxy_setting(url: str) -> tuple[str, str]:
    """(variable, value) of the environment's proxy for a URL, or '' of it."""
    value = requests.utils.select_proxy(
        url, requests.utils.get_environ_proxies(url)
    )
    for name in (f'{url.partition(":")[0]}_proxy', 'all_proxy'):
        for variable in (name, name.upper()):
            if value is not None and os.environ.get(variable) == value:
                return variable, value
    return 'the proxy settings', value or ''


# -- certificates ----------------------------------------------------------


def _encryption_failed(
    inside: Sequence[BaseException], host: str, verify: object
) -> errors.ConnectionFailed:
    refused = _first(inside, ssl.SSLCertVerificationError)
    mismatch = _first(inside, CertificateError)
    if refused is not None or mismatch is not None:
        reason = refused.verify_message if refused else mismatch
        code = refused.verify_code if refused else _WRONG_HOST
        return _impossible(
            f'the certificate of {host} could not be verified ({reason})',
            _CERTIFICATE_HINTS.get(code, 'Tell the operator of the cloud.'),
        )
    broken = _broken_file(verify)
    if broken is not None:
        return _no_certificates(broken)
    return errors.ConnectionFailed(
        f'the encrypted connection to {host} failed ({_cause(inside)})',
        'Check that the endpoint speaks https.',
        sent=_may_be_sent(inside),
    )


def _broken_file(verify: object) -> str | None:
    """Why a file of trusted certificates cannot be used; None if it can."""
    if not isinstance(verify, str):
        return None
    try:
        is_folder = Path(verify).is_dir()
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(
            **{'capath' if is_folder else 'cafile': verify}
        )
    except ssl.SSLError:
        return f'{verify}: it holds no certificate that can be read'
    except OSError as error:
        return f'{verify}: {error.strerror or type(error).__name__}'
    return None


def _no_certificates(reason: str) -> errors.ConnectionFailed:
    return _impossible(
        f'the certificate file cannot be used ({reason})', CORRECT_FILES
    )


# -- what is inside --------------------------------------------------------


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and those inside it, the outermost first.

    Ours are a boundary: behind them is what an earlier request met.
    """
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen or isinstance(one, errors.ClientError):
            continue
        seen.add(id(one))
        yield one
        inside = (
            one.__cause__,
            one.__context__,
            getattr(one, 'reason', None),
            getattr(one, 'original', None),
            *one.args,
        )
        waiting += [e for e in inside if isinstance(e, BaseException)]


def _may_be_sent(inside: Sequence[BaseException]) -> bool:
    return not _marked(inside, 'never_left') and not _first(
        inside,
        # Connections that are not ours mark nothing.
        urllib3.exceptions.NewConnectionError,
        urllib3.exceptions.ConnectTimeoutError,
        requests.exceptions.ConnectTimeout,
    )


def _marked(inside: Sequence[BaseException], mark: str) -> Any:
    """What our own connections noted on what they raised."""
    return next(filter(None, (getattr(e, mark, None) for e in inside)), None)


def _first(
    inside: Sequence[BaseException], *kinds: type[ErrorT]
) -> ErrorT | None:
    return next((e for e in inside if isinstance(e, kinds)), None)


def _cause(inside: Sequence[BaseException]) -> str:
    """The reason in a few words."""
    for error in inside:
        if isinstance(
            error, socket.gaierror | urllib3.exceptions.NameResolutionError
        ):
            return 'unknown host'
        if isinstance(error, http.client.RemoteDisconnected):
            return 'the connection was closed without an answer'
        if isinstance(error, http.client.IncompleteRead):
            return 'the answer broke off'
        if isinstance(error, ssl.SSLError) and error.reason:
            return error.reason.replace('_', ' ').lower()
        if isinstance(error, OSError) and error.errno in _SHORT:
            return _SHORT[error.errno]
    if _first(inside, TimeoutError):
        return 'no answer in time'
    return type(inside[0]).__name__
