# SPDX-License-Identifier: Apache-2.0
"""URLs as they may be shown: without the login that some of them hold."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_SCHEME = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*://', re.ASCII)


def without_userinfo(url: str) -> str:
    """A URL, or what was meant to be one, without ``user:password@``.

    What is no URL is cut before its last ``@``: a password that was not
    encoded holds any character.
    """
    scheme = _SCHEME.match(url)
    prefix = scheme.group() if scheme else ''
    rest = url[len(prefix) :]
    place, slash, path = rest.partition('/')
    if scheme and _is_place(place):
        return f'{prefix}{place.rpartition("@")[2]}{slash}{path}'
    return f'{prefix}{rest.rpartition("@")[2]}'


def host_of(url: str) -> str:
    """``host:port`` of a URL, for messages; '' if it has none."""
    try:
        return urlsplit(without_userinfo(url)).netloc
    except ValueError:
        return ''


def _is_place(text: str) -> bool:
    """Whether this is ``host:port``, with or without a login before it."""
    try:
        parts = urlsplit(f'//{text}')
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
