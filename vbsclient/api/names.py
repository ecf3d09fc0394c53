# SPDX-License-Identifier: Apache-2.0
"""What the name of a backup says."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

#: What both services put before the names of what a policy makes.  Nobody
#: else can: ``auto`` is refused at the beginning of a name.
_AUTOMATIC = 'autobk_'


def is_automatic_name(name: str | None) -> bool:
    """Whether a backup of this name was made by a policy."""
    return (name or '').startswith(_AUTOMATIC)


def composed(text: str) -> str:
    """A name in Unicode's composed form (NFC).

    A keyboard makes one form of ``u with two dots`` and a file system or
    another service the other; they look the same, and mean the same.
    """
    return text if text.isascii() else unicodedata.normalize('NFC', text)


def is_named(name: object, wanted: str) -> bool:
    """Whether this is the name of a thing, in whatever form it is kept."""
    return name_or_none(name) == composed(wanted)


def spellings(name: str) -> Iterator[str]:
    """The forms (NFC, NFD) in which a service may keep a name."""
    forms = composed(name), unicodedata.normalize('NFD', name)
    yield from dict.fromkeys(forms)


def name_or_none(value: Any) -> str | None:
    """A name in composed form; None if it is not text."""
    return composed(value) if isinstance(value, str) else None


def name_to_send(name: str | None) -> str | None:
    """What to ask a service for, if that finds each form that it may keep.

    None for what is only compared here: then all names are read.
    """
    forms = () if name is None else tuple(spellings(name))
    return forms[0] if len(forms) == 1 else None
