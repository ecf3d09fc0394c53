# SPDX-License-Identifier: Apache-2.0
"""Restoring a server backup to a server that exists."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from vbsclient.api import errors
from vbsclient.api.block_storage import BlockStorage, Volume
from vbsclient.api.compute import Compute, Server
from vbsclient.api.csbs import CSBSClient, ServerBackup
from vbsclient.api.http import Limits, Receipt
from vbsclient.api.values import (
    dict_or_empty,
    gigabytes,
    int_or_none,
    text_or_none,
)
from vbsclient.change.targets import Done, Recorder, Target
from vbsclient.lookup.existence import MAX_SINGLE_GETS
from vbsclient.lookup.names import foreign, only
from vbsclient.lookup.refusals import RefusedError
from vbsclient.lookup.server_backups import find_server_backups
from vbsclient.lookup.servers import find_servers
from vbsclient.lookup.volumes import find_volumes
from vbsclient.restoring.plan import (
    SUCCEEDED,
    UNDER_WAY,
    Disk,
    Plan,
    Restore,
    plan_of,
)
from vbsclient.waiting import ResourceStatus
from vbsclient.wording import brief, moment

#: Seconds in which the service has to be seen to begin.
_BEGINS_IN = 900.0

#: The statuses of a server that can be restored to.
_FIT = ('ACTIVE', 'SHUTOFF')
_BUSY = ('waiting_restore', 'restoring')


@dataclass(frozen=True)
class Baseline:
    """What a backup shows of its last restore; C9 gives nothing to poll.

    :ivar updated_at: when it was changed last.
    :ivar task_id: of its last task.
    :ivar failed: what failed last, and why.
    """

    status: str
    updated_at: str | None
    task_id: str | None
    failed: tuple[str, str]

    @classmethod
    def of(cls, backup: ServerBackup) -> Baseline:
        """What a backup shows now."""
        extend = dict_or_empty(backup.body.get('extend_info'))
        return cls(
            backup.status,
            backup.updated_at,
            text_or_none(extend.get('taskid')),
            (
                str(extend.get('fail_op') or ''),
                str(extend.get('fail_reason') or ''),
            ),
        )


def judge(before: Baseline, now: Baseline, has_begun: bool) -> str:
    """What became of a restore, by what its backup shows.

    :param before: what was shown before the request.
    :param has_begun: whether it was seen to have begun.
    :returns: ``restored``, ``restoring``, ``error``, ``unknown`` for an end
        that nothing tells, or '' if it has not been seen to begin.
    """
    if now.status in _BUSY:
        return 'restoring'
    if now.status.startswith('error'):
        return 'error'
    if now.status != 'available':
        return 'restoring' if has_begun else ''
    moved = (now.updated_at, now.task_id) != (
        before.updated_at,
        before.task_id,
    )
    if not (has_begun or moved):
        return ''
    operation, _ = now.failed
    if not operation:
        return 'restored'
    if operation != 'restore':
        # Of another operation, from before: it says nothing of this one.
        return 'unknown'
    is_new = now.failed != before.failed or now.task_id != before.task_id
    return 'error' if is_new else 'unknown'
