# SPDX-License-Identifier: Apache-2.0
"""Paths below an endpoint: the one place where an id becomes part of a URL.

Percent-encoding alone would be no defence (``..`` needs none, and ``detail``
is a route), so that a path is made of words of our own and of segments that
one of the functions here has checked.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote, unquote, urlsplit

from vbsclient.api import errors
from vbsclient.api.values import UUID, canonical_id

#: No id, no key of a user and no dot can stand in place of a route.
_ROUTE = re.compile('[a-z_-]+')
_JOB_ID = re.compile('[0-9A-Za-z_-]{1,64}')
_NEW_TAG_KEY = re.compile('[0-9A-Za-z_-]{1,36}')
#: What was made elsewhere may have more characters.
_TAG_KEY = re.compile(r'[^\x00-\x1f\x7f=*<>\\,|/]{1,127}')


#: What is below ``cloudbackups``, in any spelling that a service may accept.
_BELOW = re.compile(r'(?<![\w-])cloudbackups(?![\w-])(.+)', re.DOTALL)
#: What alone may be POSTed there.
_RESTORE = re.compile(f'/{UUID.pattern}/restore')
_DECODINGS = 3


class Segment(str):
    """A piece of a path that was checked, and encoded where it needs it."""


def is_uuid(value: str) -> bool:
    """Whether a text has the canonical shape of a UUID (8-4-4-4-12 hex)."""
    return UUID.fullmatch(value) is not None


def is_job_id(value: str) -> bool:
    """Whether a text has the shape of the id of a job, which is no UUID."""
    return _JOB_ID.fullmatch(value) is not None


def is_new_tag_key(value: str) -> bool:
    """Whether a tag may be created with this key."""
    return _NEW_TAG_KEY.fullmatch(value) is not None


def resource_path(*parts: str, id: str | None = None) -> str:
    """The path of a collection, a resource, or what belongs to a resource.

    :param parts: routes (lower-case words of our own code) and segments.
    :param id: the UUID of a resource, in place of a last segment.
    :raises InvalidId: if a part is neither, or the id is no UUID.
    """
    if id is not None:
        parts = (*parts, uuid_segment(id))
    for part in parts:
        if not isinstance(part, Segment) and not _ROUTE.fullmatch(part):
            raise errors.InvalidId(f'{part!r} is not a part of a path')
    return '/'.join(parts)


def refuse_deleting_post(url: str) -> None:
    """Refuse to POST what deletes a backup (VBS API, V2).

    A POST on a resource of ``cloudbackups`` deletes it, and the same with
    ``/restore`` behind it restores it: a URL that has lost its end must
    never leave.

    :raises InvalidId: if it is one.
    """
    path = urlsplit(url).path
    decoded = path
    # Gateways decode, too.
    for _ in range(_DECODINGS):
        decoded = unquote(decoded)
    below = _BELOW.search(decoded.casefold())
    if below is None:
        return
    rest = below[1]
    if not _RESTORE.fullmatch(rest) or not path.endswith(rest):
        raise errors.InvalidId(f'a POST to cloudbackups{rest} would delete')


def uuid_segment(id: str) -> Segment:
    """A UUID in lower case.

    :raises InvalidId: if it does not have the shape of a UUID.
    """
    if not is_uuid(id):
        raise errors.InvalidId(f'{id!r} is not an ID (a UUID)')
    return Segment(canonical_id(id))


def job_segment(id: str) -> Segment:
    """The id of a job.

    :raises InvalidId: if it has other characters, or too many.
    """
    if not is_job_id(id):
        raise errors.InvalidId(f'{id!r} is not the ID of a job')
    return Segment(id)


def tag_segment(key: str) -> Segment:
    """The key of an existing tag, percent-encoded.

    What is empty, has spaces around it or is dots only would name all tags,
    or what they belong to, even if it is encoded; a gateway may decode twice.

    :raises InvalidId: if no tag can have this key, or it is one of those.
    """
    decoded_again = unicodedata.normalize('NFKC', unquote(key))
    if (
        not _TAG_KEY.fullmatch(key)
        or not _TAG_KEY.fullmatch(decoded_again)
        or not re.sub(r'[.\s]', '', decoded_again)
        or key != key.strip()
    ):
        raise errors.InvalidId(f'{key!r} is not the key of a tag')
    try:
        return Segment(quote(key, safe=''))
    except UnicodeEncodeError:
        raise errors.InvalidId(f'{key!r} is not the key of a tag') from None
