# SPDX-License-Identifier: Apache-2.0
"""Queries, refused unless the reference knows every key and its type."""

import re
from collections.abc import Callable, Iterable
from urllib.parse import parse_qsl

from tests.sandbox.wire import Answer, refuse

UUID = re.compile(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', re.I)


def is_uuid(text: str) -> bool:
    return UUID.fullmatch(text) is not None


class Query:
    """The query of one request.

    `error` makes the answer to a bad one: each service has its own shape.
    """

    def __init__(
        self,
        raw: str,
        allowed: Iterable[str],
        error: Callable[[str], Answer],
    ) -> None:
        self._error = error
        self._values: dict[str, str] = {}
        known = set(allowed)
        for key, value in parse_qsl(raw, keep_blank_values=True):
            if key not in known:
                self._refuse(f'Unknown query parameter {key!r}.')
            if key in self._values:
                self._refuse(f'Query parameter {key!r} is given twice.')
            if not value:
                self._refuse(f'Query parameter {key!r} is empty.')
            self._values[key] = value

    def _refuse(self, message: str) -> None:
        refuse(self._error(message))

    def without(self, keys: Iterable[str]) -> 'Query':
        """The same without what is accepted and has no effect."""
        for key in keys:
            self._values.pop(key, None)
        return self

    def text(self, key: str) -> str | None:
        return self._values.get(key)

    def present(self, keys: Iterable[str]) -> dict[str, str]:
        """Those of the keys that were given."""
        return {key: self._values[key] for key in keys if key in self._values}

    def integer(self, key: str, minimum: int = 0) -> int | None:
        text = self._values.get(key)
        if text is None:
            return None
        if not re.fullmatch(r'[0-9]{1,9}', text) or int(text) < minimum:
            self._refuse(f'{key}: {text!r} is no integer >= {minimum}.')
        return int(text)

    def flag(self, key: str) -> bool | None:
        text = self._values.get(key)
        if text is None:
            return None
        if text.lower() not in ('true', 'false'):
            self._refuse(f'{key}: {text!r} is neither true nor false.')
        return text.lower() == 'true'

    def choice(self, key: str, words: Iterable[str], default: str) -> str:
        text = self._values.get(key, default)
        if text not in words:
            self._refuse(f'{key}: {text!r} is not allowed.')
        return text

    def uuid(self, key: str) -> str | None:
        text = self._values.get(key)
        if text is not None and not is_uuid(text):
            self._refuse(f'{key}: {text!r} is malformed.')
        return text
