# SPDX-License-Identifier: Apache-2.0
"""Block storage (Cinder): volumes and their names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vbsclient.api.catalog import split_base
from vbsclient.api.client import LookupClient
from vbsclient.api.endpoint import BLOCK_STORAGE
from vbsclient.api.paging import Style
from vbsclient.api.values import (
    id_or_none,
    int_or_none,
    lenient_bool,
    text_or_none,
)

_VOLUMES = Style('volumes', 'marker', links='volumes_links', links_tell=True)
_SNAPSHOTS = Style(
    'snapshots', 'marker', links='snapshots_links', links_tell=True
)


@dataclass(frozen=True)
class Volume:
    """A volume, as far as it is looked up.

    :ivar status: such as ``available`` or ``in-use``; empty if it is not told.
    :ivar size: in GB.
    :ivar server_ids: of the servers that it is attached to.
    :ivar devices: as which it is attached, in the same order.
    :ivar is_bootable: whether a server can boot from it; None if that is not
        told, as for the rest.
    :ivar is_encrypted: whether it is encrypted.
    :ivar is_shareable: whether several servers may use it.
    :ivar owner: the project that it belongs to; None if that is not told.
    """

    id: str
    name: str | None
    status: str
    size: int | None
    created_at: str | None
    server_ids: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    availability_zone: str | None = None
    is_bootable: bool | None = None
    is_encrypted: bool | None = None
    is_shareable: bool | None = None
    owner: str | None = None
    updated_at: str | None = None

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Volume:
        """A volume of an answer, whose other values nobody promises."""
        return cls(
            str(body['id']).lower(),
            text_or_none(body.get('name')),
            str(body.get('status') or ''),
            int_or_none(body.get('size')),
            text_or_none(body.get('created_at')),
            tuple(_of_attachments(body, 'server_id', str.lower)),
            tuple(_of_attachments(body, 'device')),
            text_or_none(body.get('availability_zone')),
            # A text in the answers of Cinder.
            lenient_bool(body.get('bootable')),
            lenient_bool(body.get('encrypted')),
            lenient_bool(body.get('multiattach', body.get('shareable'))),
            text_or_none(body.get('os-vol-tenant-attr:tenant_id')),
            text_or_none(body.get('updated_at')),
        )


@dataclass(frozen=True)
class Snapshot:
    """A snapshot of a volume."""

    id: str
    name: str | None
    status: str
    volume_id: str | None
    created_at: str | None

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Snapshot:
        """A snapshot of an answer, whose other values nobody promises."""
        return cls(
            str(body['id']).lower(),
            text_or_none(body.get('name')),
            str(body.get('status') or ''),
            id_or_none(body.get('volume_id')),
            text_or_none(body.get('created_at')),
        )


class BlockStorage(LookupClient):
    """Volumes and snapshots on any keystoneauth session."""

    types = tuple(BLOCK_STORAGE.types)

    def versioned(self, address: str, project_id: str) -> str:
        """The address with the project, in version 3 unless it names 2."""
        base = split_base(address, project_id)
        return base.at('v2' if base.version == 'v2' else 'v3', project_id)

    def volumes(self, name: str) -> list[Volume]:
        """All volumes of the project with this name.

        :raises ClientError: if they cannot be listed to the end.
        """
        found = self.rows_named('volumes/detail', _VOLUMES, name)
        return list(map(Volume.from_body, found))

    def volume(self, id: str) -> Volume:
        """One volume.

        :param id: a UUID.
        :raises NotFound: if there is none.
        :raises MalformedResponse: if the answer is about another one.
        """
        return Volume.from_body(self.one('volumes', 'volume', id))

    def snapshots(self, name: str) -> list[Snapshot]:
        """All snapshots of the project with this name.

        :raises ClientError: if they cannot be listed to the end.
        """
        found = self.rows_named('snapshots/detail', _SNAPSHOTS, name)
        return list(map(Snapshot.from_body, found))

    def snapshot(self, id: str) -> Snapshot:
        """One snapshot.

        :param id: a UUID.
        :raises NotFound: if there is none.
        :raises MalformedResponse: if the answer is about another one.
        """
        return Snapshot.from_body(self.one('snapshots', 'snapshot', id))

    def all_volumes(self, seconds: float | None = None) -> Iterator[Volume]:
        """All volumes of the project.

        :param seconds: in which all of them must come; None for as long as
            it takes.
        :raises ClientError: if they cannot be listed to the end.
        """
        found = self.all_rows('volumes/detail', _VOLUMES, seconds)
        return map(Volume.from_body, found)


def _of_attachments(
    body: Mapping[str, Any], key: str, form: Callable[[str], str] = str
) -> Iterator[str]:
    """What each attachment of a volume says under a key, if it does."""
    attachments = body.get('attachments')
    for one in attachments if isinstance(attachments, list) else ():
        value = one.get(key) if isinstance(one, dict) else None
        if isinstance(value, str):
            yield form(value)
