# SPDX-License-Identifier: Apache-2.0
"""What the name of a backup says."""

from __future__ import annotations

#: What both services put before the names of what a policy makes.  Nobody
#: else can: ``auto`` is refused at the beginning of a name.
_AUTOMATIC = 'autobk_'


def names_automatic(name: str | None) -> bool:
    """Whether a backup of this name was made by a policy."""
    return (name or '').startswith(_AUTOMATIC)
