# SPDX-License-Identifier: Apache-2.0
"""Whether backups are shared with other projects."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence

from vbsclient.api import errors
from vbsclient.api.vbs import Share, Shares, VBSClient
from vbsclient.deletion.targets import FEW
from vbsclient.deletion.wording import brief

LOG = logging.getLogger(__name__)


class Sharing:
    """The shares that this project has given, by the id of the backup.

    :param offered: whether they could be read before.
    :param warn: whether to warn, once, where they may not be read.
    """

    def __init__(
        self, vbs: VBSClient, *, offered: bool = False, warn: bool = False
    ) -> None:
        self._vbs = vbs
        self._offered = offered
        self._warn = warn
        self._every: Mapping[str, list[Share]] | None = None
        self._asked: dict[str, list[Share]] = {}

    @property
    def is_offered(self) -> bool:
        """Whether the cloud has answered with a list of shares."""
        return self._offered

    def again(self) -> Sharing:
        """To read them once more: what could be read must be so still."""
        return Sharing(self._vbs, offered=self._offered, warn=self._warn)

    def read_list(self) -> None:
        """Read all shares at once, which pays for many backups."""
        self._every = by_backup(self._read())

    def of(self, backup_ids: Sequence[str]) -> Mapping[str, list[Share]]:
        """The shares of these backups, which are read once.

        Empty, with a note, where the cloud has none or forbids reading.

        :raises ClientError: if reading fails otherwise: then nobody knows.
        """
        if self._every is None and len(backup_ids) > FEW:
            self.read_list()
        if self._every is not None:
            return self._every
        for backup_id in backup_ids:
            if backup_id not in self._asked:
                self._asked[backup_id] = self._read(backup_id)
        return self._asked

    def _read(self, backup_id: str | None = None) -> list[Share]:
        try:
            shares = list(self._vbs.shares.list(backup_id=backup_id))
        except errors.NOT_OFFERED as error:
            if self._offered:
                raise
            forbidden = isinstance(error, errors.Forbidden)
            LOG.log(
                logging.WARNING if self._warn and forbidden else logging.INFO,
                'Whether backups are shared was not checked: %.500r.',
                error.message,
            )
            self._warn = False
            return []
        self._offered = True
        return shares


def by_backup(shares: Iterable[Share]) -> dict[str, list[Share]]:
    """Shares grouped by the id of their backup."""
    found: dict[str, list[Share]] = {}
    for share in shares:
        found.setdefault(share.backup_id, []).append(share)
    return found


def any_left(shares: Shares, backup_id: str) -> str:
    """What the list of a backup's shares says of a cancellation.

    :raises NotServed: if there is no list: it does not go with its rows.
    """
    try:
        left = next(shares.list(backup_id=backup_id), None)
    except errors.NotFound as error:
        raise errors.NotServed('the endpoint knows no shares') from error
    return 'deleted' if left is None else 'shared'


def describe_share(share: Share) -> str:
    """One share for a person."""
    return f'share {brief(share.id)} with project {brief(share.to_project_id)}'
