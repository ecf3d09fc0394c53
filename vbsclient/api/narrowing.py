# SPDX-License-Identifier: Apache-2.0
"""What all filters of lists have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from vbsclient.api.names import composed
from vbsclient.api.values import canonical_id

FilterT = TypeVar('FilterT')


def canonicalize(
    where: Any, *, ids: Sequence[str], names: Sequence[str]
) -> None:
    """Put a new filter into the form in which all is compared.

    :param where: a frozen dataclass, from its ``__post_init__``.
    :param ids: its fields that hold ids, which become lower case.
    :param names: its fields that hold names, which become composed (NFC).
    """
    for fields, form in (
        (ids, canonical_id),
        (names, composed),
    ):
        for field in fields:
            value = getattr(where, field)
            if value is not None:
                object.__setattr__(where, field, form(value))


def narrowed(where: FilterT, **short: str | None) -> FilterT:
    """A filter with further conditions: all apply.

    :param short: values of its fields; None says nothing.
    :raises ValueError: if the filter has another value for one of them.
    """
    given = {key: value for key, value in short.items() if value is not None}
    both: FilterT = replace(where, **given)  # type: ignore[type-var]
    for key in given:
        if getattr(where, key) not in (None, getattr(both, key)):
            raise ValueError(
                f'{key} is given twice: {getattr(where, key)!r} and '
                f'{given[key]!r}'
            )
    return both
