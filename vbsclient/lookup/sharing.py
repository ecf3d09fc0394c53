# SPDX-License-Identifier: Apache-2.0
"""Whether backups are shared with other projects."""

from __future__ import annotations

import logging
from collections.abc import (
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)

from vbsclient.api import errors
from vbsclient.api.http import Limits
from vbsclient.api.paths import is_uuid
from vbsclient.api.values import Known
from vbsclient.api.vbs import Share, ShareFilter, Shares, VBSClient
from vbsclient.lookup.existence import (
    MAX_SINGLE_GETS,
    Existence,
    gone,
    is_gone,
    owners_to_list,
)
from vbsclient.wording import brief

LOG = logging.getLogger(__name__)

_SHARED = 'shared'

#: What to do where the endpoint has no list of shares.
NO_SHARES = 'Correct the endpoint, if this cloud has them.'


class Sharing:
    """The shares that this project has given, by the id of the backup.

    :param where: which shares to read, where all are read at once.
    :param offered: whether they could be read before.
    :param warn: whether to warn, once, where they may not be read.
    """

    def __init__(
        self,
        vbs: VBSClient,
        *,
        where: ShareFilter | None = None,
        offered: bool = False,
        warn: bool = False,
    ) -> None:
        self._vbs = vbs
        self._where = where
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

    def projects_of(self, backup_id: str) -> list[str] | None:
        """The projects that may use a backup, by the list of all shares.

        None where the cloud has no shares or forbids reading them.

        :raises ClientError: if reading fails otherwise.
        """
        if self._every is None:
            self.read_list()
        if not self._offered or self._every is None:
            return None
        shares = self._every.get(backup_id, ())
        return [str(share.to_project_id) for share in shares]

    def of(self, backup_ids: Sequence[str]) -> Mapping[str, list[Share]]:
        """The shares of these backups, which are read once.

        Empty, with a note, where the cloud has none or forbids reading.

        :raises ClientError: if reading fails otherwise: then it is unknown.
        """
        if self._every is None and len(backup_ids) > MAX_SINGLE_GETS:
            self.read_list()
        if self._every is not None:
            return self._every
        for backup_id in backup_ids:
            if backup_id not in self._asked:
                self._asked[backup_id] = self._read(backup_id)
        return self._asked

    def _read(self, backup_id: str | None = None) -> list[Share]:
        try:
            shares = list(
                self._vbs.shares.list(backup_id=backup_id, where=self._where)
            )
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


def read_shares(
    shares: Shares, backup_id: str | None = None
) -> Iterator[Share]:
    """The shares that this project has given, of one backup or of all.

    :raises NotServed: if there is no list: it does not go with its rows.
    """
    try:
        yield from shares.list(backup_id=backup_id)
    except errors.NotFound as error:
        raise errors.NotServed(
            f'the endpoint knows no shares ({error.message})',
            NO_SHARES,
        ) from error


def existence_of(
    shares: Shares, known: Iterable[Share] = ()
) -> Existence[Share]:
    """What tells whether shares are there.

    :param known: those that this run saw.
    """
    backups = {share.id: share.backup_id for share in known}

    def listed(ids: Collection[str]) -> Iterator[Share]:
        for backup_id in owners_to_list(ids, backups):
            yield from read_shares(shares, backup_id)

    return Existence(shares.get, listed, _status_of)


def shared_with_me(vbs: VBSClient, backup_id: str) -> Share | None:
    """What another project shares; None if it shares no such backup.

    :raises ClientError: if that cannot be read, but where the cloud has no
        shares, or forbids to read them.
    """
    if not is_uuid(backup_id):
        return None
    where = ShareFilter(shared_with_me=True, backup_id=backup_id)
    try:
        return next(vbs.shares.list(where=where), None)
    except errors.NOT_OFFERED:
        return None


def status_of_all(
    shares: Shares, backup_id: str, known: Sequence[Share], limits: Limits
) -> str | None:
    """Whether a backup is shared; None once none of its shares is there.

    :param known: the shares that it had.
    :raises ClientError: if it cannot be determined.
    """
    if any(
        not is_gone(_status_of(share))
        for share in read_shares(shares, backup_id)
    ):
        return _SHARED
    found = existence_of(shares, known).of(
        [share.id for share in known], limits, unlisted=True
    )
    for answer in found.values():
        if gone(answer) is Known.NO:
            return _SHARED
        if gone(answer) is Known.UNKNOWN and isinstance(
            answer, errors.ClientError
        ):
            raise answer
    return None


def _status_of(share: Share) -> str:
    """A share has no status of its own; one that was canceled may say so."""
    return 'deleted' if share.body.get('deleted') else _SHARED


def describe_share(share: Share) -> str:
    """One share for a person."""
    return f'share {brief(share.id)} with project {brief(share.to_project_id)}'
