# SPDX-License-Identifier: Apache-2.0
"""The plan of a restore, which is on stderr whoever is asked, or nobody."""

import re
from collections.abc import Sequence
from typing import Any

from tests.functional.shell import Line, Openstack, Result

#: How many volumes the plans of the tests have, by service.
VOLUMES = {'vbs': 1, 'csbs': 2}

BACKUP_FIRST = '--backup-first saves the present data before.'

_RULE = re.compile(r'^\+(-+\+)+$')
_TITLES = re.compile(r'^\| Backup Disk .* Source .* Target .* Check +\|$')
_ROW = re.compile(r'^\| [0-9a-f-]{36} \|.*\| overwrites[^|]*\|$')
_PLACE = 'In project demo of cloud sandbox.'
_BACKUP = re.compile(r'^Backup .+ \([0-9a-f-]{36}\)\.$')
_LOSS = re.compile(r'overwritten with those of .*\. This cannot be undone\.$')


def plan(
    volumes: int = 1,
    *,
    backup_first: bool = False,
    rows: Sequence[Line] | None = None,
) -> list[Line]:
    """The lines of a plan: its table, and what a person should know.

    :param volumes: as many rows it has.
    :param backup_first: whether the present data are saved before.
    :param rows: what they have, if that is more than any row has.
    """
    return [
        *(_RULE, _TITLES, _RULE),
        *(rows or [_ROW] * volumes),
        *(_RULE, _PLACE, _BACKUP, _LOSS, ...),
        *([] if backup_first else [BACKUP_FIRST]),
    ]


def restore(
    openstack: Openstack,
    *command: str,
    complains: Sequence[Line] = (),
    code: int | None = None,
    **more: Any,
) -> Result:
    """Run what restores: stderr has the plan, then what it complains."""
    shown = plan(VOLUMES[command[0]], backup_first='--backup-first' in command)
    if code is None:
        code = 1 if complains else 0
    return openstack(
        *command, complains=[*shown, *complains], code=code, **more
    )
