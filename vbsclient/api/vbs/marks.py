# SPDX-License-Identifier: Apache-2.0
"""What ``service_metadata`` tells of a backup, in whatever shape it comes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vbsclient.api.values import Known, json_text, lenient_int

#: ``ST``: a volume backup, of a server, and the copies of both.
_MADE_BY_CSBS = {0: Known.NO, 1: Known.YES, 4: Known.NO, 5: Known.YES}

#: The keys that are known; an object without one of them is another thing.
_KEYS = frozenset(
    {
        *('ST', 'VMID', 'TYPE', 'PROGRESS', 'BOOTABLE', 'CS', 'AT', 'SS'),
        *('DL', 'BT', 'SP', 'BP', 'VT', 'OMID', 'BACKUPURL', 'EBK_T_I'),
        *('VK', 'CMKID', 'BACKUPSIZE', 'SNAP_ID'),
    }
)

#: What stands for nothing.
_NOTHING = (None, '')


def decoded(raw: Any) -> Mapping[str, Any] | None:
    """The object with its keys in upper case; None if it is not readable.

    :param raw: the value of ``service_metadata``; nothing is an empty one.
    """
    content = json_text(_stripped(raw))
    if isinstance(content, str):
        content = json_text(_stripped(content))
    if content in _NOTHING:
        return {}
    if not isinstance(content, dict):
        return None
    # Of two spellings of a key the one that says something counts.
    pairs = sorted(
        content.items(), key=lambda pair: _stripped(pair[1]) not in _NOTHING
    )
    found = {str(key).strip().upper(): value for key, value in pairs}
    return None if found and not found.keys() & _KEYS else found


def made_by_csbs(body: Mapping[str, Any]) -> Known:
    """Whether v2 marks a backup as one disk's part of a server backup.

    :param body: of the backup.  Without ``service_metadata``, which plain
        Cinder and v3 do not have, it says nothing.
    """
    if 'service_metadata' not in body:
        return Known.UNKNOWN
    marks = decoded(body['service_metadata'])
    if marks is None:
        return Known.UNKNOWN
    if _stripped(marks.get('VMID')) not in _NOTHING:
        return Known.YES
    kind = _stripped(marks.get('ST'))
    if kind in _NOTHING:
        return Known.NO
    number = lenient_int(kind)
    if number is None:
        return Known.UNKNOWN
    return _MADE_BY_CSBS.get(number, Known.UNKNOWN)


def _stripped(value: Any) -> Any:
    return value.strip('\ufeff \t\r\n\0') if isinstance(value, str) else value
