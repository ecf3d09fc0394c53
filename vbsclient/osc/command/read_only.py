# SPDX-License-Identifier: Apache-2.0
"""Clouds that must not be changed, and settings that are misspelt."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from osc_lib import exceptions

from vbsclient.osc.command.clients import flag_of

_READ_ONLY = 'vbsclient_read_only'

#: What this plugin reads of clouds.yaml; ``OS_`` before it makes the name of
#: a variable of the environment.
KEYS = (
    _READ_ONLY,
    'vbsclient_api_version',
    'vbsclient_csbs',
    *(
        f'{service}_{setting}'
        for service in ('vbs', 'csbs')
        for setting in ('endpoint_override', 'interface', 'region_name')
    ),
)

#: How alike two spellings are of which one is meant to be the other.  The
#: guard is looked for more widely: no other plugin has anything like it.
_ALIKE = 0.85
_ALIKE_THE_GUARD = 0.8


def refuse_if_read_only(instance: Any) -> None:
    """Keep a cloud that is marked as read-only from being changed.

    :raises CommandError: if it is, in clouds.yaml or in the environment;
        if the mark cannot be read; if a setting is nearly one of ours: it
        may be the mark.
    """
    config = instance._cli_options.config
    # The SDK reads it for no cloud that has a name.
    variable = f'OS_{_READ_ONLY.upper()}'
    for place, settings, key in (
        (f'{_READ_ONLY} in clouds.yaml', config, _READ_ONLY),
        (f'{variable} in the environment', os.environ, variable),
    ):
        if key in settings and _is_set(settings[key], place):
            raise exceptions.CommandError(
                f'This cloud is read-only for this plugin ({place}): nothing '
                f'was changed.'
            )
    for place, key, meant in _misspelt(config):
        raise exceptions.CommandError(
            f'{key!r} in {place} is no setting of this plugin: do you mean '
            f'{meant}? Correct or remove it: nothing was changed.'
        )


def _is_set(value: Any, place: str) -> bool:
    flag = flag_of(value)
    if flag is not None:
        return flag
    raise exceptions.CommandError(
        f'{place} is {"empty" if value in (None, "") else repr(value)}, '
        f'which is neither true nor false: nothing was changed.'
    )


def _misspelt(config: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(where it is, what it is, what is meant) of settings nearly ours."""
    auth = config.get('auth')
    for key in (*config, *(auth if isinstance(auth, Mapping) else ())):
        meant = _meant(str(key))
        # Below `auth` nobody looks for it, however it is spelt.
        if meant and not (key in KEYS and key in config):
            yield 'clouds.yaml', str(key), meant
    ours = {f'OS_{key.upper()}' for key in KEYS}
    for name in os.environ:
        key = name.lower().removeprefix('os_')
        if key == name.lower() and not key.startswith('vbsclient'):
            continue
        meant = _meant(key) if name not in ours else None
        if meant:
            yield 'the environment', name, f'OS_{meant.upper()}'


def _meant(key: str) -> str | None:
    """The setting that a key is, or is nearly."""
    text = _letters(key)
    spellings = {_letters(ours): ours for ours in KEYS}
    if text.startswith('vbsclient'):
        return spellings[get_close_matches(text, spellings, 1, 0.0)[0]]
    if 'readonly' in text:
        # Nothing else in these files is called so.
        return _READ_ONLY
    guard = [_letters(_READ_ONLY)]
    if get_close_matches(text, guard, 1, _ALIKE_THE_GUARD):
        return _READ_ONLY
    if not text.startswith(('vbs', 'csbs')):
        # `css_endpoint_override` is another service's.
        return None
    near = get_close_matches(text, spellings, 1, _ALIKE)
    return spellings[near[0]] if near else None


def _letters(key: str) -> str:
    return ''.join(filter(str.isalnum, key)).lower()
