# SPDX-License-Identifier: Apache-2.0
"""Backups of disks: the native backup calls of VBS, v2 and v3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from vbsclient.api import errors, paging
from vbsclient.api.http import Receipt, Transport, json_text, resource_path

#: ``service_metadata.ST`` of the backups that belong to a server backup.
_CSBS_KINDS = (1, 5)

_OWNER_KEYS = (
    'os-backup-project-attr:project_id',
    'os-backup-project-attr:tenant_id',
    'os-bak-tenant-attr:tenant_id',
)


@dataclass(frozen=True)
class Backup:
    """A backup of one disk, as V9/V15 (show) and V8/V14 (detail) give it.

    :ivar size: GB of the disk, not of the data.
    :ivar metadata: the decoded ``service_metadata``; v2 only, else empty.
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
        if not isinstance(body.get('id'), str):
            raise errors.MalformedResponse(
                'the service answered with a backup that has no id'
            )
        metadata = json_text(body.get('service_metadata'))
        return cls(
            id=body['id'],
            name=_text(body.get('name')),
            status=str(body.get('status') or ''),
            volume_id=_text(body.get('volume_id')),
            size=body['size'] if isinstance(body.get('size'), int) else None,
            created_at=_text(body.get('created_at')),
            metadata=metadata if isinstance(metadata, dict) else {},
            body=body,
        )

    @property
    def made_by_csbs(self) -> bool:
        """Whether v2 marks it as one disk's part of a server backup."""
        kind = self.metadata.get('ST')
        return str(kind) in map(str, _CSBS_KINDS) or bool(
            self.metadata.get('VMID')
        )

    @property
    def owner(self) -> str | None:
        """The project that it belongs to, where the answer says so."""
        for key in _OWNER_KEYS:
            if self.body.get(key):
                return str(self.body[key])
        return None


class Backups:
    """The native backup calls of one version.

    :param transport: how requests are sent.
    :param url: URL below which ``backups`` is, with version and project.
    :param version: ``v2`` or ``v3``.
    """

    def __init__(
        self, transport: Transport, url: str, version: Literal['v2', 'v3']
    ) -> None:
        self._transport = transport
        self._url = url
        self.version = version
        # V14 documents no links, so that its short page proves nothing.
        self._style = paging.Style(
            'backups', 'offset', 'backups_links', links_tell=version == 'v2'
        )

    def get(self, backup_id: str) -> Backup:
        """Show a backup (VBS API, V9 in v2 and V15 in v3).

        :param backup_id: a UUID.
        :raises InvalidId: if it is no UUID; nothing was sent.
        :raises NotFound: if there is no such backup.
        :raises MalformedResponse: if another backup is answered.
        """
        body = self._transport.get(
            f'{self._url}/{resource_path("backups", id=backup_id)}'
        )
        content = body.get('backup')
        backup = Backup.from_body(content if isinstance(content, dict) else {})
        if backup.id != backup_id:
            raise errors.MalformedResponse(
                f'the service answered with another backup ({backup.id})'
            )
        return backup

    def list(
        self,
        *,
        name: str | None = None,
        status: str | None = None,
        volume_id: str | None = None,
    ) -> Iterator[Backup]:
        """List backups in detail (VBS API, V8 in v2 and V14 in v3).

        Newest first.  Pages are read as the rows are taken.

        :param name: exact name.
        :param status: exact status.
        :param volume_id: the disk that was backed up.
        :raises AmbiguousListing: if the list cannot be read to its end.
        """
        query = {
            key: value
            for key, value in (
                ('name', name),
                ('status', status),
                ('volume_id', volume_id),
            )
            if value is not None
        }
        url = f'{self._url}/{resource_path("backups", "detail")}'
        for row in paging.rows(
            lambda page: self._transport.get(url, page), self._style, query
        ):
            yield Backup.from_body(row)

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
            f'{self._url}/{resource_path("backups", id=backup_id)}',
            accepted=202,
        )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
