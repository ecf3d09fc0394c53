# SPDX-License-Identifier: Apache-2.0
"""Volume backups: the native backup calls of VBS, v2 and v3.

Statuses and volume ids are interned: in a list of 100,000 backups of 50
volumes that keeps 6 MB of texts in place of 21.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from vbsclient.api import errors, paging
from vbsclient.api.collection import Collection, id_of
from vbsclient.api.http import (
    Handle,
    Receipt,
    Transport,
    require_echo,
    with_handle,
)
from vbsclient.api.names import (
    is_automatic_name,
    name_or_none,
    name_to_send,
)
from vbsclient.api.paths import uuid_segment
from vbsclient.api.values import (
    Known,
    canonical_id,
    dict_or_empty,
    id_or_none,
    int_or_none,
    json_text,
    lenient_bool,
    lenient_int,
    owner_of,
    text_or_none,
)
from vbsclient.api.vbs import marks

#: What V8 sorts by; V14 documents no order at all.
SORT_KEYS = frozenset(
    {'name', 'status', 'size', 'id', 'created_at', 'updated_at'}
)

_MICROVERSION = 'OpenStack-API-Version'


@dataclass(frozen=True)
class Backup:
    """A backup of one disk, as V9/V15 (show) and V8/V14 (detail) give it.

    :ivar size: GB of the disk, not of the data.
    :ivar metadata: the decoded ``service_metadata``, its keys in upper
        case; v2 only, else empty.
    :ivar body: the answer as it came.
    """

    id: str
    name: str | None
    status: str
    volume_id: str | None
    size: int | None
    created_at: str | None
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Backup:
        """Read a backup object, leniently but for its id.

        :raises MalformedResponse: if it has no id.
        """
        return cls(
            id=id_of(body, 'backup'),
            name=name_or_none(body.get('name')),
            status=sys.intern(str(body.get('status') or '')),
            volume_id=_interned(body.get('volume_id')),
            size=int_or_none(body.get('size')),
            created_at=text_or_none(body.get('created_at')),
            metadata=marks.decoded(body.get('service_metadata')) or {},
            body=body,
        )

    @property
    def csbs_mark(self) -> Known:
        """Whether v2 marks it as one disk's part of a server backup."""
        return marks.made_by_csbs(self.body)

    @property
    def description(self) -> str | None:
        """What was written at its making, out of its JSON wrapping."""
        text = text_or_none(self.body.get('description'))
        wrapped = json_text(text)
        if isinstance(wrapped, dict) and isinstance(wrapped.get('DESC'), str):
            return str(wrapped['DESC'])
        return text

    @property
    def incremental(self) -> bool | None:
        """Whether it depends on another; None where v2 does not say it."""
        kind = lenient_int(self.metadata.get('TYPE'))
        return {0: False, 1: True}.get(kind) if kind is not None else None

    @property
    def is_encrypted(self) -> bool | None:
        """Whether the disk was; None where the answer does not tell it."""
        key = self.metadata.get('CMKID') or self.metadata.get('VK')
        if key or self.body.get('encryption_key_id'):
            return True
        return False if self.metadata else None

    @property
    def is_bootable(self) -> bool | None:
        """Whether a server could boot from the disk; v2 only."""
        return lenient_bool(self.metadata.get('BOOTABLE'))

    @property
    def automatic(self) -> bool:
        """Whether a policy made it, as its name says."""
        return is_automatic_name(self.name)

    @property
    def server_id(self) -> str | None:
        """The server whose backup it is a part of; v2 only."""
        return id_or_none(self.metadata.get('VMID'))

    @property
    def availability_zone(self) -> str | None:
        """The zone of the disk."""
        return text_or_none(self.body.get('availability_zone'))

    @property
    def updated_at(self) -> str | None:
        """When the service last changed it."""
        return text_or_none(self.body.get('updated_at'))

    @property
    def fail_reason(self) -> str | None:
        """Why something failed once; the status tells whether it did."""
        return text_or_none(self.body.get('fail_reason'))

    @property
    def owner(self) -> str | None:
        """The project that it belongs to, where the answer says so."""
        return owner_of(self.body)


class Backups(Collection[Backup]):
    """The native backup calls of one version (``get``: V9 in v2, V15 in v3).

    :param transport: how requests are sent.
    :param url: URL below which ``backups`` is, with version and project.
    :param version: ``v2`` or ``v3``.
    :ivar project_id: the project whose backups these are.
    """

    route = 'backups'
    key = 'backup'
    noun = 'backup'

    def __init__(
        self, transport: Transport, url: str, version: Literal['v2', 'v3']
    ) -> None:
        super().__init__(transport, url)
        self.version = version
        # V14 documents no links, so that its short page proves nothing.
        self._style = paging.Style(
            'backups', 'offset', 'backups_links', links_tell=version == 'v2'
        )

    def read(self, body: Mapping[str, Any]) -> Backup:
        return Backup.from_body(body)

    def list(
        self,
        *,
        name: str | None = None,
        status: str | None = None,
        volume_id: str | None = None,
        name_contains: str | None = None,
        all_projects: bool = False,
        project_id: str | None = None,
        sort: tuple[str, Literal['asc', 'desc']] | None = None,
        marker: str | None = None,
        page_size: int = paging.PAGE_SIZE,
    ) -> Iterator[Backup]:
        """List backups in detail (VBS API, V8 in v2 and V14 in v3).

        Newest first, unless sorted otherwise.  Pages are read as the rows
        are taken.  Each filter is compared again here.

        :param name: exact name, in any form of Unicode.
        :param status: exact status.
        :param volume_id: the disk that was backed up.
        :param name_contains: a part of the name; v3 is asked for it
            (microversion 3.31), elsewhere it is only compared here.
        :param all_projects: also those of other projects: block storage
            only, which shows them to administrators and else ignores it.
        :param project_id: only those of this project, with ``all_projects``.
        :param sort: ``name``, ``status``, ``size``, ``id``, ``created_at``
            or ``updated_at``, and a direction; v2 only.
        :param marker: the id of a backup: only those behind it.
        :param page_size: how many a page is to hold.
        :raises AmbiguousListing: if the list cannot be read to its end.
        :raises NotFound: if there is no such marker.
        :raises NotServed: if the endpoint does not serve this version.
        :raises ServiceError: if the service refuses.
        """
        name, name_contains = name_or_none(name), name_or_none(name_contains)
        volume_id = id_or_none(volume_id)
        query = paging.query(
            name=name_to_send(name),
            status=status,
            volume_id=volume_id,
            marker=marker and canonical_id(marker),
            all_tenants='true' if all_projects else None,
            project_id=project_id,
        )
        if sort is not None:
            query['sort_key'], query['sort_dir'] = sort
        part = name_to_send(name_contains)
        if part is not None and self.version == 'v3':
            rows = self._containing(query, part, page_size)
        elif all_projects and self.version == 'v3':
            rows = self._with_owners(query, page_size)
        else:
            rows = self._rows(query, page_size)
        for row in rows:
            backup = Backup.from_body(row)
            if (
                name in (None, backup.name)
                and status in (None, backup.status)
                and volume_id in (None, backup.volume_id)
                and (name_contains or '') in (backup.name or '')
                and (project_id is None or backup.owner in (None, project_id))
            ):
                yield backup

    def first_page(self) -> Sequence[Backup]:
        """The newest backups, with one request (V8 in v2, V14 in v3).

        :raises NotServed: if the endpoint does not serve this version.
        :raises ServiceError: if the service refuses.
        """
        return self._first_page(
            lambda query: self._page(query, None), self._style
        )

    def count(
        self,
        *,
        name: str | None = None,
        status: str | None = None,
        volume_id: str | None = None,
    ) -> int | None:
        """How many backups there are (V14 ``with_count``, 3.45).

        :param name: exact name.
        :param status: exact status.
        :param volume_id: the disk that was backed up.
        :returns: None where the service cannot count: in v2, or in v3
            without the microversion, or a name of which the service may
            store another form.
        :raises ServiceError: if the service refuses.
        """
        name, volume_id = name_or_none(name), id_or_none(volume_id)
        if self.version == 'v2' or name_to_send(name) != name:
            return None
        query = paging.query(name=name, status=status, volume_id=volume_id)
        try:
            body = self._transport.get(
                self._detail,
                {**query, 'limit': '1', 'with_count': 'true'},
                headers={_MICROVERSION: 'volume 3.45'},
            )
        except errors.NotAcceptable:
            return None
        return paging.count_of(body)

    def list_summary(
        self,
        *,
        name: str | None = None,
        page_size: int = paging.PAGE_SIZE,
    ) -> Iterator[tuple[str, str | None]]:
        """List ids and names alone (VBS API, V7 in v2 and V13 in v3).

        Its pages are a tenth as long as those of :meth:`list`.

        :param name: exact name, in any form of Unicode.
        :param page_size: how many a page is to hold.
        :raises AmbiguousListing: if the list cannot be read to its end.
        :raises ServiceError: if the service refuses.
        """
        name = name_or_none(name)
        rows = self._rows_of(
            lambda page: self._transport.get(self._address(), page),
            # V13 documents links, as V7 does.
            replace(self._style, links_tell=True),
            paging.query(name=name_to_send(name)),
            page_size,
        )
        for row in rows:
            found = id_of(row, 'backup'), name_or_none(row.get('name'))
            if name in (None, found[1]):
                yield found

    def create(
        self,
        volume_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
        snapshot_id: str | None = None,
        incremental: bool = False,
        force: bool = False,
    ) -> Receipt:
        """Back up a volume (VBS API, V6 in v2 and V12 in v3; 202).

        It is asynchronous: the receipt's handle has the id of the backup,
        which is ``creating`` and then ``available`` or ``error``.  On VBS
        :meth:`CloudBackups.create` knows tags and gives a job.

        :param volume_id: a UUID.
        :param name: any text.
        :param description: any text.
        :param snapshot_id: a snapshot of this volume to save.
        :param incremental: whether to save only what has changed since the
            last full backup, which must exist; VBS ignores it.
        :param force: whether to back up a volume that is in use.
        :raises InvalidId: if an id is no UUID; nothing was sent.
        :raises ServiceError: if the service refuses.
        :raises ConnectionFailed: if it could not be sent.
        :raises OutcomeUnknown: if it may have been accepted.
        """
        document, receipt = self._transport.post(
            self._address(),
            {
                'backup': {
                    'volume_id': str(uuid_segment(volume_id)),
                    # The reference demands it, and null means none.
                    'snapshot_id': None
                    if snapshot_id is None
                    else str(uuid_segment(snapshot_id)),
                    'name': name,
                    'description': description,
                    'incremental': incremental,
                    'force': force,
                }
            },
            accepted=202,
        )
        backup = dict_or_empty(document.get('backup'))
        return with_handle(receipt, Handle.of_backup(backup.get('id')))

    def restore(self, backup_id: str, volume_id: str) -> Receipt:
        """Overwrite a volume with a backup (VBS API, V11 and V17; 202).

        It is asynchronous: the backup is ``restoring`` and then
        ``available``, whatever came of it; the volume is
        ``restoring-backup`` and then ``available`` or ``error_restoring``.

        :param backup_id: a UUID.
        :param volume_id: the UUID of the volume whose data are lost.
        :raises InvalidId: if one is no UUID; nothing was sent.
        :raises ServiceError: if the service refuses.
        :raises ConnectionFailed: if it could not be sent.
        :raises OutcomeUnknown: if it may have been accepted, also if the
            answer is about another volume.
        """
        backup, volume = uuid_segment(backup_id), uuid_segment(volume_id)
        document, receipt = self._transport.post(
            self._address(backup, 'restore'),
            {'restore': {'volume_id': str(volume)}},
            accepted=202,
            repeats=False,
        )
        restore = dict_or_empty(document.get('restore'))
        require_echo(
            receipt, restore, {'volume_id': volume, 'backup_id': backup}
        )
        if restore.get('volume_id') is None:
            raise errors.OutcomeUnknown(
                errors.UnexpectedSuccess(
                    'the service does not answer which volume it restores',
                    status=receipt.status,
                    request_id=receipt.request_id,
                )
            )
        return receipt

    @property
    def _detail(self) -> str:
        return self._address('detail')

    def _rows(
        self,
        query: Mapping[str, str],
        page_size: int,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[paging.Row]:
        return self._rows_of(
            lambda page: self._page(page, headers),
            self._style,
            query,
            page_size,
        )

    def _page(
        self, query: Mapping[str, str], headers: Mapping[str, str] | None
    ) -> dict[str, Any]:
        try:
            return self._transport.get(self._detail, query, headers=headers)
        except errors.NotFound as error:
            if 'marker' in query:
                raise
            raise errors.NotServed(
                f'the endpoint serves no backups in {self.version} '
                f'({self._url} answers 404)'
            ) from error

    def _containing(
        self, query: Mapping[str, str], text: str, page_size: int
    ) -> Iterator[paging.Row]:
        """The rows that the service finds, or all where it cannot search.

        It cannot before that microversion, and in block storage only if its
        operator allows that filter: else it answers 400.
        """
        return paging.first_of(
            self._rows(
                {**query, 'name~': text},
                page_size,
                {_MICROVERSION: 'volume 3.31'},
            ),
            lambda: self._rows(query, page_size),
            unless=(errors.NotAcceptable, errors.BadRequest),
        )

    def _with_owners(
        self, query: Mapping[str, str], page_size: int
    ) -> Iterator[paging.Row]:
        """The rows with the project of each, where the service can say it."""
        return paging.first_of(
            self._rows(query, page_size, {_MICROVERSION: 'volume 3.18'}),
            lambda: self._rows(query, page_size),
            unless=(errors.NotAcceptable,),
        )

    def delete(self, backup_id: str) -> Receipt:
        """Ask for the deletion of a backup (V10 in v2, V16 in v3; 202).

        It is asynchronous and has no job: the backup is ``deleting`` and
        then gone.  The caller has verified that this is the backup meant.

        :param backup_id: a UUID.
        :raises InvalidId: if it is no UUID; nothing was sent.
        :raises ServiceError: if the service refuses.
        :raises RepeatedDelete: if only a repetition was refused.
        """
        return self._transport.delete(
            self._address(uuid_segment(backup_id)),
            accepted=202,
        )


def _interned(value: Any) -> str | None:
    id = id_or_none(value)
    return id if id is None else sys.intern(id)
