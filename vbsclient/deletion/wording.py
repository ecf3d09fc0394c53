# SPDX-License-Identifier: Apache-2.0
"""Words for messages of the rules, each short enough to be read."""

from __future__ import annotations


def quote(argument: str) -> str:
    """What the user named, short enough for a message."""
    return repr(brief(argument))


def brief(text: object) -> str:
    """What a service says of something, so that what follows is seen."""
    said = str(text)
    return said if len(said) <= 80 else f'{said[:80]}...'
