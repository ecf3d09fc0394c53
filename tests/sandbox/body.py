# SPDX-License-Identifier: Apache-2.0
"""Bodies, refused unless the reference knows every key and its type.

`error` makes the answer to a bad one: each service has its own shape.
"""

import json
import re
from collections.abc import Callable, Collection
from typing import Any

from tests.sandbox.wire import Answer, Request, refuse

Error = Callable[[str], Answer]

MAX_TAGS = 10
NAME = re.compile(r'[A-Za-z0-9_-]+')


def read_object(
    request: Request, key: str, allowed: Collection[str], error: Error
) -> dict[str, Any]:
    """What stands under the one key of a body, an object itself."""
    body = read_only(request, key, error)
    return check_keys(body, allowed, error)


def read_only(request: Request, key: str, error: Error) -> Any:
    """What stands under the one key of a body."""
    return read_one(request, (key,), error)[1]


def read_one(
    request: Request, keys: Collection[str], error: Error
) -> tuple[str, Any]:
    """The one key of a body, any of those, and what stands under it."""
    try:
        body = json.loads(request.body)
    except ValueError:
        refuse(error('The body is no JSON.'))
    wanted = [[key] for key in keys]
    if not isinstance(body, dict) or list(body) not in wanted:
        names = ' or '.join(map(repr, keys))
        refuse(error(f'The body must be an object with the one key {names}.'))
    ((key, value),) = body.items()
    return key, value


def check_keys(
    value: Any,
    allowed: Collection[str],
    error: Error,
    required: Collection[str] = (),
) -> dict[str, Any]:
    """An object with no other keys than those, and none missing."""
    if not isinstance(value, dict):
        refuse(error(f'{value!r} is no object.'))
    for key in value:
        if key not in allowed:
            refuse(error(f'The key {key!r} is unknown.'))
    for key in required:
        if key not in value:
            refuse(error(f'The key {key!r} is missing.'))
    return value


def is_text(value: Any, longest: int, shortest: int = 0) -> bool:
    """A description, say: of some length, without angle brackets."""
    return (
        isinstance(value, str)
        and shortest <= len(value) <= longest
        and not re.search('[<>]', value)
    )


def check_flag(wanted: dict[str, Any], key: str, error: Error) -> bool | None:
    """A real boolean, or None where there is none."""
    value = wanted.get(key)
    if key in wanted and not isinstance(value, bool):
        refuse(error(f'{key}: {value!r} is neither true nor false.'))
    return value


def is_tag(value: Any, alphabet: str) -> bool:
    """A tag whose characters are of a class of regular expressions."""
    return (
        isinstance(value, dict)
        and set(value) == {'key', 'value'}
        and all(isinstance(text, str) for text in value.values())
        and re.fullmatch(f'{alphabet}{{1,36}}', value['key']) is not None
        and re.fullmatch(f'{alphabet}{{0,43}}', value['value']) is not None
    )
