# SPDX-License-Identifier: Apache-2.0
"""Whether CSBS made a backup of a disk, which only CSBS may delete."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from vbsclient.api import errors
from vbsclient.api.csbs import CSBSClient, Item
from vbsclient.api.vbs import Backup, VBSClient
from vbsclient.deletion.targets import FEW, Limits, Refused, Undecided
from vbsclient.deletion.vbs_lookup import get_each

_ONLY_THERE = 'with "openstack csbs backup delete {}", or add --force.'
_UNKNOWN_HINT = (
    'A disk backup of a server backup must not be deleted here. If you know '
    'that it is none, add --force.'
)


#: What a plan says of a part of a server backup.
MADE_BY_CSBS = 'made by CSBS'

_GARBLED = errors.MalformedResponse('its service_metadata is not readable')


@dataclass
class ServerBackups:
    """The list of CSBS, read when a question first needs it.

    :ivar unreadable: why it could not be read, or None.
    """

    csbs: CSBSClient
    unreadable: errors.ClientError | None = None

    @cached_property
    def owners(self) -> Mapping[str, Item] | None:
        """Disk backup id -> the server backup that it belongs to.

        None where the cloud has no such list, or where it cannot be read.
        """
        try:
            items = list(self.csbs.items.list())
        except errors.EndpointError:
            return None
        except errors.NotFound:
            self.unreadable = self._why_absent()
            return None
        except errors.ClientError as error:
            self.unreadable = error
            return None
        return {
            disk: item for item in items for disk in item.volume_backup_ids
        }

    def _why_absent(self) -> errors.ClientError | None:
        """A Karbor has no such list; an endpoint that is wrong has nothing."""
        try:
            self.csbs.checkpoints().demand_served()
        except errors.ClientError as error:
            return error
        return None


class Origins:
    """Tells which backups must not be deleted through VBS.

    What v2 says of a backup decides wherever it can be read; else the list
    of CSBS does.  If neither can be read, nobody knows, and that refuses.
    """

    def __init__(
        self, vbs: VBSClient, csbs: CSBSClient, limits: Limits
    ) -> None:
        self._vbs = vbs
        self._servers = ServerBackups(csbs)
        self._limits = limits
        self._seen: set[str] = set()
        self._marks: dict[str, bool] = {}
        self._garbled: set[str] = set()
        self._listed = False
        self._absent = False
        self._unread: errors.ClientError | None = None

    def read_list(self) -> None:
        """Read all marks at once, which pays for many backups."""
        v2 = self._vbs.backups_v2
        if v2 is None or self._listed:
            return
        self._listed = True
        with self._reading():
            for backup in v2.list():
                self._note(backup)

    def learn(self, backup: Backup) -> None:
        """Take note of what was read already, if v2 told it."""
        if 'service_metadata' in backup.body or (
            self._vbs.backups_v2 is self._vbs.backups
        ):
            self._note(backup)

    def refusals(self, ids: Sequence[str]) -> dict[str, Refused]:
        """Why some of these must not be deleted through VBS, by id."""
        self._complete(ids)
        refused: dict[str, Refused] = {}
        for id in ids:
            mark = self._marks.get(id)
            if mark is None:
                refusal = self._by_list(id)
            else:
                refusal = _marked(id, self._servers) if mark else None
            if refusal is not None:
                refused[id] = refusal
        return refused

    def foreign(self, ids: Sequence[str]) -> dict[str, str]:
        """The same in a few words, without asking whose part each is."""
        self._complete(ids)
        found: dict[str, str] = {}
        for id in ids:
            mark = self._marks.get(id)
            refusal = self._by_list(id) if mark is None else None
            if isinstance(refusal, Undecided):
                found[id] = refusal.message
            elif mark or refusal is not None:
                found[id] = MADE_BY_CSBS
        return found

    def _by_list(self, id: str) -> Refused | None:
        """What the list of CSBS decides where v2 says nothing."""
        unread = _GARBLED if id in self._garbled else None
        return _from_list(id, self._servers, unread or self._unread)

    def _complete(self, ids: Sequence[str]) -> None:
        """Learn what v2 says of each, as far as it can be read."""
        v2 = self._vbs.backups_v2
        if v2 is None:
            return
        if len(self._unseen(ids)) > FEW:
            self.read_list()
        unseen = self._unseen(ids)
        if unseen and not self._absent and not self._unread:
            # The list may have skipped rows while others vanished.
            with self._reading():
                answers = get_each(v2, unseen, self._limits).values()
                for answer in answers:
                    if isinstance(answer, Backup):
                        self._note(answer)
                refusals = [
                    answer
                    for answer in answers
                    if isinstance(answer, errors.ClientError)
                ]
                # One that v2 does not know must not hide one that could
                # not be read.
                refusals.sort(key=lambda r: isinstance(r, errors.NotFound))
                if refusals:
                    raise refusals[0]

    def _unseen(self, ids: Sequence[str]) -> list[str]:
        return [id for id in ids if id not in self._seen]

    def _note(self, backup: Backup) -> None:
        self._seen.add(backup.id)
        # Plain Cinder serves v2 without the key: that says nothing.
        if 'service_metadata' not in backup.body:
            return
        if backup.metadata_is_readable:
            self._marks[backup.id] = backup.made_by_csbs
        else:
            self._garbled.add(backup.id)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (errors.NotFound, errors.NotServed):
            # No v2 on this host, which leaves the list of CSBS.
            self._absent = True
        except errors.Cancelled:
            raise
        except errors.ClientError as error:
            self._unread = error


def _from_list(
    id: str, servers: ServerBackups, unread: errors.ClientError | None
) -> Refused | None:
    owners = servers.owners
    if owners is not None:
        owner = owners.get(id)
        return _owned(owner) if owner else None
    reason = servers.unreadable or unread
    if reason is None:
        return None
    return Undecided(
        f'whether CSBS made it could not be read ({reason.message})',
        _UNKNOWN_HINT,
    )


def _marked(id: str, servers: ServerBackups) -> Refused:
    owners = servers.owners
    if owners is None:
        return Refused(
            'CSBS made it as a part of a server backup',
            'Delete the server backup with "openstack csbs backup delete", '
            'or add --force.',
        )
    owner = owners.get(id)
    if owner is not None:
        return _owned(owner)
    return Refused(
        'it is left over from CSBS: its server backup no longer exists',
        'Add --force to delete it all the same.',
    )


def _owned(owner: Item) -> Refused:
    server = owner.server_name or owner.server_id or 'unknown'
    return Refused(
        f'CSBS made it as a part of the server backup {owner.name} '
        f'({owner.id}) of {server}',
        f'Delete that one {_ONLY_THERE.format(owner.id)}',
    )
