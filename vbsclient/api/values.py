# SPDX-License-Identifier: Apache-2.0
"""Values of an answer, whose types nobody promises."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from enum import Enum
from typing import Any

#: The canonical shape of a UUID (8-4-4-4-12 hex).
UUID = re.compile(
    r'[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}', re.ASCII
)

#: The same without its hyphens, as Keystone writes the ids of projects.
HEX_ID = re.compile(r'[0-9a-fA-F]{32}', re.ASCII)


class Known(Enum):
    """What the evidence says of a yes-or-no question about a cloud.

    It has no truth value: UNKNOWN must not be taken for NO.
    """

    YES = 'yes'
    NO = 'no'
    UNKNOWN = 'unknown'

    def __bool__(self) -> bool:
        raise TypeError('compare with Known.YES, Known.NO or Known.UNKNOWN')


def is_foreign(owner: str | None, project_id: str) -> bool:
    """Whether a row says that it belongs to another project.

    An administrator's list, or one of what is shared, has such rows.

    :param owner: the project that it names; None where it names none, as
        in many lists, which are then of the project that asked.
    """
    if not owner:
        return False
    # A UUID is written with dashes or without.
    own, other = (id.replace('-', '').lower() for id in (project_id, owner))
    return own != other


def owner_of(*places: Mapping[str, Any]) -> str | None:
    """The project that a row names, under any of the keys for it.

    Services put their own words and a colon before ``project_id`` and
    ``tenant_id``, which say the same.

    :param places: the objects that may name it, the best first.
    """
    for place in places:
        for wanted in ('project_id', 'tenant_id'):
            for key, value in place.items():
                if value and key.rpartition(':')[2] == wanted:
                    return canonical_id(str(value))
    return None


def canonical_id(text: str) -> str:
    """An id in lower case; any other text as it is.

    Services tell ``DC1E...`` from ``dc1e...`` or do not, as their data base
    likes it: whatever is compared or sent goes through here.
    """
    if UUID.fullmatch(text) or HEX_ID.fullmatch(text):
        return text.lower()
    return text


def lenient_id(value: Any) -> str | None:
    """An id in its canonical form, however a service writes it.

    For ids that protect a backup: one with blanks, in braces, without
    hyphens or at the end of a path is still the same id.
    """
    if not isinstance(value, str) or not (text := value.strip()):
        return None
    try:
        return str(uuid.UUID(text.rpartition('/')[2]))
    except ValueError:
        return value


def id_or_none(value: Any) -> str | None:
    """An id in lower case; None if it is not text."""
    return canonical_id(value) if isinstance(value, str) else None


def text_or_none(value: Any) -> str | None:
    """A text; None for any other type."""
    return value if isinstance(value, str) else None


def gigabytes(megabytes: int | None) -> float | None:
    """A size in GB, a whole number where it is one."""
    if megabytes is None:
        return None
    size = round(megabytes / 1024, 3)
    return int(size) if size.is_integer() else size


def int_or_none(value: Any) -> int | None:
    """A whole number; None for any other type, a bool included."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number else None


def lenient_int(value: Any) -> int | None:
    """A whole number, also as a float or as text; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            pass
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) else None


def bool_or_none(value: Any) -> bool | None:
    """A boolean; None for any other type."""
    return value if isinstance(value, bool) else None


def lenient_bool(value: Any) -> bool | None:
    """A boolean, also as text in any case; None for anything else."""
    if isinstance(value, str):
        return {'true': True, 'false': False}.get(value.strip().lower())
    return bool_or_none(value)


def dict_or_empty(value: Any) -> dict[str, Any]:
    """An object; an empty one for any other type."""
    return value if isinstance(value, dict) else {}


def json_text(value: Any) -> Any:
    """Decode JSON in a string; anything else comes back as it is."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value
