# SPDX-License-Identifier: Apache-2.0
"""What an id belongs to that is not of the kind that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from vbsclient.api import errors
from vbsclient.api.csbs import CSBSClient
from vbsclient.api.errors import Hint
from vbsclient.api.vbs import VBSClient
from vbsclient.wording import counted

R = TypeVar('R')

SHARE = 'It is the ID of a share (of backup {backup}).'
BACKUP = 'It is the ID of a backup.'
SERVER_BACKUP = 'It is the ID of a server backup.'
MEMBER = 'It is the ID of one backup in the checkpoint {checkpoint}.'
CHECKPOINT = 'It is the ID of a checkpoint with {backups}.'
PART = "It is the ID of one volume's part of the backup {name} ({backup})."

#: Says what an id is; None if it is nothing of this kind.
FindKind = Callable[[str], Hint | None]


def suppress_errors(ask: Callable[[], R]) -> R | None:
    """An answer that only helps a message; None if there is none."""
    try:
        return ask()
    except errors.ClientError:
        return None


def a_share(vbs: VBSClient, id: str) -> Hint | None:
    """Whether it is a share."""
    share = suppress_errors(partial(vbs.shares.get, id))
    return Hint(SHARE, id=id, backup=share.backup_id) if share else None


def a_backup(vbs: VBSClient, id: str) -> Hint | None:
    """Whether it is a volume backup."""
    backup = suppress_errors(partial(vbs.backups.get, id))
    return Hint(BACKUP, id=id) if backup else None


def a_server_backup(csbs: CSBSClient, id: str) -> Hint | None:
    """Whether it is a server backup."""
    backup = suppress_errors(partial(csbs.backups.get, id))
    return Hint(SERVER_BACKUP, id=id) if backup else None


def a_member(csbs: CSBSClient, id: str, verb: str = 'delete') -> Hint | None:
    """Whether it is a server backup, with its checkpoint.

    :param verb: what was to be done with it.
    """
    backup = suppress_errors(partial(csbs.backups.get, id))
    if backup is None:
        return None
    return Hint(MEMBER, id=id, checkpoint=backup.checkpoint_id, verb=verb)


def a_checkpoint(csbs: CSBSClient, id: str) -> Hint | None:
    """Whether it is a checkpoint."""
    backups = suppress_errors(
        lambda: list(csbs.backups.list(checkpoint_id=id))
    )
    if not backups:
        return None
    count = counted(len(backups), 'backup')
    return Hint(CHECKPOINT, id=id, backups=count)


def a_part(csbs: CSBSClient, id: str) -> Hint | None:
    """Whether it is what a server backup holds of one volume."""
    for backup in suppress_errors(lambda: list(csbs.backups.list())) or ():
        if id in backup.volume_backup_ids:
            return Hint(PART, id=id, name=backup.name, backup=backup.id)
    return None
