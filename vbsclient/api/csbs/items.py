# SPDX-License-Identifier: Apache-2.0
"""Backups of servers, which the wire calls checkpoint items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from vbsclient.api import errors, paging
from vbsclient.api.http import Transport, resource_path

_STYLE = paging.Style('checkpoint_items', 'marker', 'checkpoint_items_links')


@dataclass(frozen=True)
class Item:
    """The backup of one server (C5, C7): one item of a checkpoint.

    :ivar server_id: the server that was backed up (``resource_id``).
    :ivar server_name: its name at that time (``resource_name``).
    :ivar size: MB of all its disks.
    :ivar volume_backup_ids: ids of its disks' backups in VBS.
    :ivar has_image: whether an image was made from it.
    """

    id: str
    checkpoint_id: str
    name: str | None
    status: str
    server_id: str | None
    server_name: str | None
    size: int | None
    created_at: str | None
    volume_backup_ids: tuple[str, ...] = ()
    has_image: bool = False
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Item:
        """Read an item object.

        :raises MalformedResponse: if an id is missing.
        """
        if not isinstance(body.get('id'), str) or not isinstance(
            body.get('checkpoint_id'), str
        ):
            raise errors.MalformedResponse(
                'the service answered with a backup that has no id or no '
                'checkpoint'
            )
        extend = body.get('extend_info')
        extend = extend if isinstance(extend, dict) else {}
        size = extend.get('size')
        return cls(
            id=body['id'],
            checkpoint_id=body['checkpoint_id'],
            name=_text(body.get('name')),
            status=str(body.get('status') or ''),
            server_id=_text(body.get('resource_id')),
            server_name=_text(extend.get('resource_name')),
            size=size if isinstance(size, int) else None,
            created_at=_text(body.get('created_at')),
            volume_backup_ids=tuple(
                disk['id']
                for disk in extend.get('volume_backups') or ()
                if isinstance(disk, dict) and isinstance(disk.get('id'), str)
            ),
            has_image=bool(extend.get('os_images_data')),
            body=body,
        )


class Items:
    """The calls that read backups of servers.

    :param transport: how requests are sent.
    :param url: URL with ``v1`` and the project.
    """

    def __init__(self, transport: Transport, url: str) -> None:
        self._transport = transport
        self._url = url

    def get(self, item_id: str) -> Item:
        """Show a backup of a server (CSBS API, C7).

        :param item_id: a UUID.
        :raises InvalidId: if it is no UUID; nothing was sent.
        :raises NotFound: if there is no such backup.
        :raises MalformedResponse: if another one is answered.
        """
        path = resource_path('checkpoint_items', id=item_id)
        body = self._transport.get(f'{self._url}/{path}')
        content = body.get('checkpoint_item')
        item = Item.from_body(content if isinstance(content, dict) else {})
        if item.id != item_id:
            raise errors.MalformedResponse(
                f'the service answered with another backup ({item.id})'
            )
        return item

    def list(
        self, *, checkpoint_id: str | None = None, name: str | None = None
    ) -> Iterator[Item]:
        """List backups of servers (CSBS API, C5).

        :param checkpoint_id: only those of one run; compared again here.
        :param name: exact name; the service compares loosely, so that it
            is compared again here.
        :raises AmbiguousListing: if the list cannot be read to its end.
        :raises NotFound: on a cloud that has no items (plain Karbor).
        """
        query = {
            key: value
            for key, value in (
                ('checkpoint_id', checkpoint_id),
                ('name', name),
            )
            if value is not None
        }
        url = f'{self._url}/{resource_path("checkpoint_items")}'
        for row in paging.rows(
            lambda page: self._transport.get(url, page), _STYLE, query
        ):
            item = Item.from_body(row)
            if checkpoint_id not in (None, item.checkpoint_id):
                continue
            if name in (None, item.name):
                yield item


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
