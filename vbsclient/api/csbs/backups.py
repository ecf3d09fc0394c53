# SPDX-License-Identifier: Apache-2.0
"""Server backups, which the wire calls checkpoint backups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vbsclient.api import errors, paging
from vbsclient.api.collection import Collection, id_of
from vbsclient.api.csbs.kind import ServiceKind
from vbsclient.api.http import Transport
from vbsclient.api.names import (
    is_automatic_name,
    name_or_none,
    name_to_send,
)
from vbsclient.api.narrowing import canonicalize, narrowed
from vbsclient.api.values import (
    bool_or_none,
    dict_or_empty,
    id_or_none,
    int_or_none,
    json_text,
    lenient_id,
    owner_of,
    text_or_none,
)

#: What C5 sorts by.
SORT_KEYS = frozenset(
    {'created_at', 'updated_at', 'name', 'status', 'protected_at', 'id'}
)

#: States in which it does not hold all its disks yet.
_MADE_NOW = ('waiting_protect', 'protecting')

_STYLE = paging.Style('checkpoint_items', 'marker', 'checkpoint_items_links')


@dataclass(frozen=True)
class ServerBackup:
    """The backup of one server (C5, C7): one item of a checkpoint.

    :ivar server_id: the server that was backed up (``resource_id``).
    :ivar server_name: its name at that time (``resource_name``).
    :ivar size: MB of all its disks.
    :ivar volume_backup_ids: ids of its disks' backups in VBS, as far as
        they can be read.
    :ivar disks_are_known: whether those are all: a part that cannot be read
        may be anybody's.
    :ivar has_image: whether an image was made from it.
    :ivar is_readable: whether ``extend_info`` is: without it it is unknown
        what protects this backup.
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
    disks_are_known: bool = True
    is_readable: bool = True
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> ServerBackup:
        """Read a backup object.

        :raises MalformedResponse: if an id is missing.
        """
        extend = _object(body.get('extend_info'))
        disks = _disks(extend)
        return cls(
            id=id_of(body, 'backup'),
            checkpoint_id=id_of(body, 'backup', 'checkpoint_id'),
            name=name_or_none(body.get('name')),
            status=str(body.get('status') or ''),
            server_id=id_or_none(body.get('resource_id')),
            server_name=name_or_none(extend.get('resource_name')),
            size=int_or_none(extend.get('size')),
            created_at=text_or_none(body.get('created_at')),
            volume_backup_ids=tuple(
                disk['id'] for disk in disks or () if disk['id'] is not None
            ),
            disks_are_known=_are_known(disks, str(body.get('status'))),
            has_image=bool(json_text(extend.get('os_images_data'))),
            is_readable=bool(extend),
            body=body,
        )

    @property
    def description(self) -> str | None:
        """What was written at its making."""
        return text_or_none(self.body.get('description'))

    @property
    def updated_at(self) -> str | None:
        """When the service last changed it."""
        return text_or_none(self.body.get('updated_at'))

    @property
    def availability_zone(self) -> str | None:
        """The zone of the server, which may not be said."""
        data = _object(self.body.get('backup_data'))
        zone = self._extend.get('resource_az')
        return (
            text_or_none(zone or data.get('__openstack_region_name')) or None
        )

    @property
    def owner(self) -> str | None:
        """The project that it belongs to, where the answer says so."""
        return owner_of(self.body, self._extend)

    @property
    def automatic(self) -> bool:
        """Whether a schedule made it; its name tells if it does not say."""
        flag = bool_or_none(self._extend.get('auto_trigger'))
        return is_automatic_name(self.name) if flag is None else flag

    @property
    def restorable(self) -> bool:
        """Whether the service does not say that nothing can be restored."""
        return self._extend.get('supported_restore_mode') != 'na'

    @property
    def progress(self) -> int | None:
        """How much of the task is done, in percent."""
        return int_or_none(self._extend.get('progress'))

    @property
    def tags(self) -> list[Mapping[str, Any]]:
        """Its tags, each with ``key`` and ``value``."""
        tags = self.raw_tags
        if not isinstance(tags, list):
            return []
        return [tag for tag in tags if isinstance(tag, dict)]

    @property
    def raw_tags(self) -> Any:
        """The same as it came, from either of the places that are known."""
        return json_text(self.body.get('tags')) or json_text(
            self._extend.get('tags')
        )

    @property
    def disks(self) -> list[Mapping[str, Any]]:
        """What it holds of each disk, as ``volume_backups`` has it."""
        return _disks(self._extend) or []

    @property
    def volume_ids(self) -> tuple[str, ...]:
        """The disks that it holds a backup of, as far as they are known."""
        ids = (disk.get('source_volume_id') for disk in self.disks)
        return tuple(id for id in ids if isinstance(id, str))

    @property
    def image_ids(self) -> list[str]:
        """The images that were made from it."""
        images = json_text(self._extend.get('os_images_data'))
        return [
            str(image['image_id'])
            for image in (images if isinstance(images, list) else ())
            if isinstance(image, dict) and image.get('image_id')
        ]

    @property
    def incremental(self) -> frozenset[bool]:
        """Which kinds of disk backups are in it: full, incremental, both.

        Judged by the disks: the reference gives the backup's own mark two
        meanings.
        """
        return frozenset(
            disk['incremental']
            for disk in self.disks
            if isinstance(disk.get('incremental'), bool)
        )

    @property
    def _extend(self) -> Mapping[str, Any]:
        return _object(self.body.get('extend_info'))


@dataclass(frozen=True)
class ServerBackupFilter:
    """Which backups are wanted (C5, C6).

    All but the policy and the times are compared again here.

    :ivar checkpoint_id: those of one run.
    :ivar name: exact name; the service compares loosely.
    :ivar name_contains: a part of the name; without a name.
    :ivar status: exact status.
    :ivar availability_zone: the zone; taken on trust where a backup does not
        say its own.
    :ivar server_id: the server that was backed up.
    :ivar server_name: its exact name; the service compares loosely.
    :ivar policy_id: the policy that made it.
    :ivar start_time: the earliest, ``2024-05-02T10:11:12.345678`` UTC.
    :ivar end_time: the latest, in the same form.
    :ivar all_projects: also those of other projects; administrators only.
    """

    checkpoint_id: str | None = None
    name: str | None = None
    name_contains: str | None = None
    status: str | None = None
    availability_zone: str | None = None
    server_id: str | None = None
    server_name: str | None = None
    policy_id: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    all_projects: bool = False

    def __post_init__(self) -> None:
        """Compare ids and names in one form."""
        canonicalize(
            self,
            ids=('checkpoint_id', 'server_id', 'policy_id'),
            names=('name', 'name_contains', 'server_name'),
        )

    def exact(self) -> dict[str, str]:
        """What the service compares exactly, as a query."""
        return paging.query(
            checkpoint_id=self.checkpoint_id,
            status=self.status,
            resource_id=self.server_id,
            policy_id=self.policy_id,
            all_tenants='true' if self.all_projects else None,
        )

    def query(self) -> dict[str, str]:
        """All of it, as a query."""
        return self.exact() | paging.query(
            name=name_to_send(
                self.name if self.name is not None else self.name_contains
            ),
            az=self.availability_zone,
            resource_name=name_to_send(self.server_name),
            start_time=self.start_time,
            end_time=self.end_time,
        )

    def fits(self, backup: ServerBackup) -> bool:
        """Whether a backup is wanted, as far as it tells."""
        zone = backup.availability_zone
        return (
            self.checkpoint_id in (None, backup.checkpoint_id)
            and self.name in (None, backup.name)
            and (self.name_contains or '') in (backup.name or '')
            and self.status in (None, backup.status)
            and self.server_id in (None, backup.server_id)
            and self.server_name in (None, backup.server_name)
            and (zone is None or self.availability_zone in (None, zone))
        )


class ServerBackups(Collection[ServerBackup]):
    """The calls that read server backups (``get``: CSBS API, C7).

    :param transport: how requests are sent.
    :param url: URL with ``v1`` and the project.
    :ivar project_id: the project whose backups these are.
    """

    route = 'checkpoint_items'
    key = 'checkpoint_item'
    noun = 'backup'

    def __init__(self, transport: Transport, url: str) -> None:
        super().__init__(transport, url)
        self._kind = ServiceKind(transport, url)

    def read(self, body: Mapping[str, Any]) -> ServerBackup:
        return ServerBackup.from_body(body)

    def get(self, id: str) -> ServerBackup:
        backup = super().get(id)
        self._kind.note_backups()
        return backup

    def list(
        self,
        *,
        checkpoint_id: str | None = None,
        name: str | None = None,
        where: ServerBackupFilter | None = None,
        sort: str | None = None,
        marker: str | None = None,
        page_size: int = paging.PAGE_SIZE,
    ) -> Iterator[ServerBackup]:
        """List server backups (CSBS API, C5).

        Newest first, unless sorted otherwise.

        :param checkpoint_id: only those of one run.
        :param name: exact name.
        :param where: which ones; all three apply.
        :param sort: ``key:direction``, several joined by commas; keys are
            ``name``, ``status``, ``id``, ``created_at``, ``updated_at`` and
            ``protected_at``.
        :param marker: the id of a backup: only those behind it.
        :param page_size: how many a page is to hold.
        :raises AmbiguousListing: if the list cannot be read to its end.
        :raises NotFound: if there is no such marker.
        :raises NoServerBackups: on a cloud that has no backups (plain Karbor).
        :raises NotServed: if it is not known whether it has.
        :raises ServiceError: if the service refuses.
        :raises ValueError: if ``where`` has another checkpoint or name.
        """
        where = narrowed(
            where or ServerBackupFilter(),
            checkpoint_id=checkpoint_id,
            name=name,
        )
        return self._listed(
            lambda page: self._get(self._address(), page),
            _STYLE,
            {
                **where.query(),
                **paging.query(sort=sort, marker=id_or_none(marker)),
            },
            page_size,
            where.fits,
        )

    def first_page(self) -> Sequence[ServerBackup]:
        """The newest server backups, with one request (CSBS API, C5).

        :raises NoServerBackups: on a cloud that has no backups (plain Karbor).
        :raises NotServed: if it is not known whether it has.
        :raises ServiceError: if the service refuses.
        """
        return self._first_page(
            lambda query: self._get(self._address(), query), _STYLE
        )

    def count(self, where: ServerBackupFilter) -> int | None:
        """How many server backups there are (CSBS API, C6).

        :param where: of this only what the service compares exactly.
        :returns: None if it answers without a number.
        :raises NoServerBackups: on a cloud that has no backups (plain Karbor).
        :raises NotServed: if it is not known whether it has.
        :raises ServiceError: if the service refuses.
        """
        url = self._address('count')
        return paging.count_of(self._get(url, where.exact()))

    def _get(self, url: str, query: Mapping[str, str]) -> dict[str, Any]:
        """A collection; its 404 is asked about before it is believed."""
        self._kind.refuse_if_karbor()
        try:
            body = self._transport.get(url, query)
        except errors.NotFound as error:
            if 'marker' in query:
                raise
            self._kind.settle(error)
            try:
                body = self._transport.get(url, query)
            except errors.NotFound as again:
                raise errors.NotServed(
                    f'the list of checkpoint_items answers 404 now and then '
                    f'({again.message})',
                    'Nothing was decided from that: try again later.',
                ) from again
        self._kind.note_backups()
        return body


def _object(value: Any) -> Mapping[str, Any]:
    return dict_or_empty(json_text(value))


def _disks(extend: Mapping[str, Any]) -> list[Mapping[str, Any]] | None:
    """What it holds of each disk, with an ``id`` each, which may be None.

    None if nobody can tell which disks there are.
    """
    disks = json_text(extend.get('volume_backups'))
    if isinstance(disks, dict):
        # A map by id.
        disks = [
            disk
            if not isinstance(disk, dict) or _names_of(disk)
            else {'id': id, **disk}
            for id, disk in disks.items()
        ]
    if not isinstance(disks, list):
        return None
    return [_disk(disk) for disk in disks]


def _are_known(disks: list[Mapping[str, Any]] | None, status: str) -> bool:
    """Whether these are all; while it is made, some may be to come."""
    if disks is None or (not disks and status in _MADE_NOW):
        return False
    return all(disk['id'] is not None for disk in disks)


def _disk(disk: Any) -> Mapping[str, Any]:
    """The backup of one disk, its ids in lower case."""
    if not isinstance(disk, dict):
        return {'id': None}
    ids = {'id': _id_of(disk)}
    if (volume_id := id_or_none(disk.get('source_volume_id'))) is not None:
        ids['source_volume_id'] = volume_id
    return {**disk, **ids}


def _id_of(disk: Mapping[str, Any]) -> str | None:
    """Its id in VBS; None if there is no one of which that is sure."""
    ids = {lenient_id(id) for id in _names_of(disk)}
    return ids.pop() if len(ids) == 1 else None


def _names_of(disk: Mapping[str, Any]) -> list[Any]:
    return [disk[key] for key in ('id', 'backup_id') if disk.get(key)]
