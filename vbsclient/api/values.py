# SPDX-License-Identifier: Apache-2.0
"""Values of an answer, whose types nobody promises."""

from __future__ import annotations

import json
from enum import Enum
from typing import Any


class Known(Enum):
    """What the evidence says of a yes-or-no question about a cloud.

    It has no truth value, so that nobody takes a doubt for a no.
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
    if owner is None:
        return False
    # A UUID is written with dashes or without.
    own, other = (id.replace('-', '').lower() for id in (project_id, owner))
    return own != other


def text_or_none(value: Any) -> str | None:
    """A text; what is of another type says nothing."""
    return value if isinstance(value, str) else None


def int_or_none(value: Any) -> int | None:
    """A number without a fraction; what is of another type says nothing."""
    return value if isinstance(value, int) else None


def bool_or_none(value: Any) -> bool | None:
    """Yes or no; what is of another type says nothing."""
    return value if isinstance(value, bool) else None


def json_text(value: Any) -> Any:
    """Decode JSON in a string; anything else comes back as it is."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value
