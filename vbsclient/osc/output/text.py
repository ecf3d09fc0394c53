# SPDX-License-Identifier: Apache-2.0
"""Text for terminals, made of data that may be hostile."""

from __future__ import annotations

import unicodedata
from typing import Any

from cliff.columns import FormattableColumn

from vbsclient.api import errors

#: Categories that move the cursor, the reading order, or cannot be encoded.
_UNSAFE = frozenset({'Cc', 'Cf', 'Cs', 'Co', 'Cn', 'Zl', 'Zp'})

#: The text of a service is cut; our own messages may list many ids.
_LONGEST = 500
_LONGEST_OWN = 5000


def visible(text: str) -> str:
    """The text with every control character written out (``\\x1b``)."""
    if text.isascii() and text.isprintable():
        return text
    return ''.join(_visible_character(c) for c in text)


def shortened(text: str, most: int = _LONGEST) -> str:
    """A visible text that fits into a message."""
    return visible(text if len(text) <= most else text[:most] + '...')


def sentence(
    error: BaseException, *, with_request: bool = True, before: str = ''
) -> str:
    """What went wrong, the service's code and request id, what to do.

    :param before: what had been done before it went wrong.
    """
    if isinstance(error, errors.RepeatedDelete):
        error = error.error
    if isinstance(error, errors.OutcomeUnknown):
        said = sentence(
            error.refusal, with_request=with_request, before=before
        )
        if error.read_error is None:
            return said
        why = shortened(error.read_error.message.rstrip('.'))
        return f'{said} It could not be read afterwards: {why}.'
    if not isinstance(error, errors.ClientError):
        return f'{type(error).__name__}: {shortened(str(error))}.'
    told = isinstance(error, errors.ServiceError)
    most = _LONGEST if told else _LONGEST_OWN
    reason = shortened(error.message.rstrip('.'), most)
    if before:
        reason += f'; before that, {before}'
    facts = []
    # What the identity service answered is in the message.
    if isinstance(error, errors.ServiceError) and not isinstance(
        error, errors.LoginRefused
    ):
        if error.status:
            facts.append(f'HTTP {error.status}')
        if error.code:
            facts.append(f'code {shortened(error.code, 60)}')
        if error.request_id and with_request:
            facts.append(f'request {shortened(error.request_id, 80)}')
    known = f' ({", ".join(facts)})' if facts else ''
    # Its table knows all modules: it is loaded when something has failed.
    from vbsclient.osc.output.hints import hint_of

    hint = shortened(hint_of(error), _LONGEST_OWN)
    return f'{reason}{known}. {hint}'.rstrip()


def capital(text: str) -> str:
    """A sentence that starts with a capital letter.

    But for names such as ``clouds.yaml``, a key of it, or a host.
    """
    if not text.partition(' ')[0].rstrip('.,:;').isalpha():
        return text
    return text[:1].upper() + text[1:]


class Text(FormattableColumn[Any]):
    """A text of the service: visible in tables, exact for machines."""

    #: Whether a narrow table may wrap it at its spaces.
    wraps = True

    @staticmethod
    def raw(value: Any) -> Any:
        """What all formats but tables have."""
        return value

    def human_readable(self) -> str:
        return '' if self._value is None else visible(str(self._value))

    def machine_readable(self) -> Any:
        return self._value

    def __lt__(self, other: object) -> bool:
        """What is not known comes last."""
        if not isinstance(other, Text):
            return NotImplemented
        if self._value is None or other._value is None:
            return self._value is not None
        return bool(self._value < other._value)


def _visible_character(c: str) -> str:
    if unicodedata.category(c) not in _UNSAFE:
        return c
    return c.encode('unicode_escape').decode('ascii')
