# SPDX-License-Identifier: Apache-2.0
"""Shares of backups with other projects: vendor calls of VBS, v2 only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from vbsclient.api import errors, paging
from vbsclient.api.collection import Collection, id_of
from vbsclient.api.http import Receipt, Transport
from vbsclient.api.names import name_or_none, name_to_send
from vbsclient.api.narrowing import canonicalize, narrowed
from vbsclient.api.paths import uuid_segment
from vbsclient.api.values import (
    Known,
    canonical_id,
    dict_or_empty,
    id_or_none,
    lenient_id,
    text_or_none,
)
from vbsclient.api.vbs.backups import Backup

_STYLE = paging.Style('shared', 'offset', 'shared_links')


class NoSharing(errors.NotServed):
    """It is known that the endpoint has no calls for shares."""

    hint = 'Shares are a function of VBS v2: check the endpoint.'

    def __init__(self) -> None:
        super().__init__('this cloud does not share backups')


@dataclass(frozen=True)
class Share:
    """A backup shown to one other project (V19, V20).

    :ivar to_project_id: the project that may use the backup.
    :ivar backup_name: from the embedded backup, where there is one.
    """

    id: str
    backup_id: str
    from_project_id: str | None
    to_project_id: str | None
    created_at: str | None
    backup_name: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Share:
        """Read a share object.

        :raises MalformedResponse: if an id is missing.
        """
        backup_id = lenient_id(body.get('backup_id'))
        if backup_id is None:
            raise errors.MalformedResponse(
                'the service answered with a share that has no ID'
            )
        backup = dict_or_empty(body.get('backup'))
        return cls(
            id=id_of(body, 'share'),
            backup_id=backup_id,
            from_project_id=id_or_none(body.get('from_project_id')),
            to_project_id=id_or_none(body.get('to_project_id')),
            created_at=text_or_none(body.get('created_at')),
            backup_name=name_or_none(backup.get('name')),
            body=body,
        )

    @property
    def backup(self) -> Backup:
        """The backup, as far as the share shows it."""
        shown = dict_or_empty(self.body.get('backup'))
        return Backup.from_body({**shown, 'id': self.backup_id})


@dataclass(frozen=True)
class ShareFilter:
    """Which shares are wanted (V19, V21); all is compared again here.

    :ivar shared_with_me: those that this project was given; else those
        that it has given.
    :ivar backup_id: those of one backup.
    :ivar volume_id: those of one disk's backups.
    :ivar from_project_id: the project that gave them.
    :ivar to_project_id: the project that may use them.
    :ivar status: status of the backup; a share has none.
    :ivar name_contains: a part of the name of the backup.
    :ivar availability_zone: zone of the backup.
    """

    shared_with_me: bool = False
    backup_id: str | None = None
    volume_id: str | None = None
    from_project_id: str | None = None
    to_project_id: str | None = None
    status: str | None = None
    name_contains: str | None = None
    availability_zone: str | None = None

    def __post_init__(self) -> None:
        """Compare ids and names in one form."""
        canonicalize(
            self,
            ids=(
                'backup_id',
                'volume_id',
                'from_project_id',
                'to_project_id',
            ),
            names=('name_contains',),
        )

    def exact(self) -> dict[str, str]:
        """What the service compares exactly, as a query."""
        return paging.query(
            share_to_me='true' if self.shared_with_me else None,
            backup_id=self.backup_id,
            volume_id=self.volume_id,
            from_project_id=self.from_project_id,
            to_project_id=self.to_project_id,
            status=self.status,
        )

    def query(self) -> dict[str, str]:
        """All of it, as a query."""
        return self.exact() | paging.query(
            name=name_to_send(self.name_contains),
            # As the reference spells it.
            avalilability_zone=self.availability_zone,
        )

    def fits(self, share: Share) -> bool:
        """Whether a share is wanted."""
        backup = share.backup
        return (
            self.backup_id in (None, share.backup_id)
            and self.from_project_id in (None, share.from_project_id)
            and self.to_project_id in (None, share.to_project_id)
            and self.volume_id in (None, backup.volume_id)
            and self.status in (None, backup.status)
            and (self.name_contains or '') in (backup.name or '')
            and self.availability_zone in (None, backup.availability_zone)
        )


class Shares(Collection[Share]):
    """The sharing calls.

    :param transport: how requests are sent.
    :param url: URL with ``v2`` and the project.
    """

    route = 'os-vendor-backup-sharing'
    key = 'shared'
    noun = 'share'

    def __init__(self, transport: Transport, url: str) -> None:
        super().__init__(transport, url)
        self._is_offered = Known.UNKNOWN

    def read(self, body: Mapping[str, Any]) -> Share:
        return Share.from_body(body)

    def list(
        self,
        *,
        backup_id: str | None = None,
        where: ShareFilter | None = None,
        page_size: int = paging.PAGE_SIZE,
    ) -> Iterator[Share]:
        """List shares, newest first (VBS API, V19).

        :param backup_id: only those of one backup.
        :param where: which ones; both apply.
        :param page_size: how many a page is to hold.
        :raises AmbiguousListing: if the list cannot be read to its end.
        :raises NoSharing: if the endpoint has no such list.
        :raises ServiceError: if the service refuses.
        :raises ValueError: if ``where`` is about another backup.
        """
        where = narrowed(where or ShareFilter(), backup_id=backup_id)
        return self._listed(
            lambda page: self._get('detail', page),
            _STYLE,
            where.query(),
            page_size,
            where.fits,
        )

    def count(self, where: ShareFilter) -> int | None:
        """How many shares there are (VBS API, V21).

        :param where: of this only what the service compares exactly.
        :returns: None if it answers without a number.
        :raises NoSharing: if the endpoint has no such call.
        :raises ServiceError: if the service refuses.
        """
        return paging.count_of(self._get('count', where.exact()))

    def ensure_supported(self) -> None:
        """Make sure that the endpoint knows shares at all.

        :raises NoSharing: if it does not.
        """
        self._get('detail', {'limit': '1'})

    def _get(self, route: str, query: Mapping[str, str]) -> dict[str, Any]:
        """A list or a count; that it is not offered takes two answers.

        Without shares nothing keeps a shared backup from being deleted, so
        that one 404 says nothing, nor do two after another answer, nor one
        refusal that may be of something on the way.

        :raises NoSharing: if there is none.
        """
        if self._is_offered is Known.NO:
            raise NoSharing
        url = self._address(route)
        try:
            body = self._transport.get(url, query)
        except errors.ServiceError as refusal:
            if not _may_be_of_another(refusal):
                raise
            try:
                body = self._transport.get(url, query)
            except errors.NotFound as error:
                if self._is_offered is Known.YES:
                    raise
                self._is_offered = Known.NO
                raise NoSharing from error
        self._is_offered = Known.YES
        return body

    def create(
        self, backup_id: str, project_ids: Sequence[str]
    ) -> tuple[Sequence[Share], Receipt]:
        """Share a backup with other projects (VBS API, V18; 200).

        :param backup_id: the UUID of the backup.
        :param project_ids: the projects that may use it.
        :returns: the shares that were made, which may be fewer.
        :raises InvalidId: if it is no UUID; nothing was sent.
        :raises ServiceError: if the service refuses.
        :raises ConnectionFailed: if it could not be sent.
        :raises OutcomeUnknown: if it may have been accepted.
        """
        document, receipt = self._transport.post(
            self._address(),
            {
                'shared': {
                    'backup_id': str(uuid_segment(backup_id)),
                    'to_project_ids': list(project_ids),
                }
            },
            accepted=200,
        )
        shared = document.get('shared')
        if not isinstance(shared, list | dict):
            raise errors.OutcomeUnknown(
                errors.UnexpectedSuccess(
                    'the service accepted it without saying what it shared',
                    status=receipt.status,
                    request_id=receipt.request_id,
                )
            )
        return list(_shares_in(shared, backup_id)), receipt

    def cancel(self, share_id: str) -> Receipt:
        """Cancel one share (VBS API, V22, ``is_backup_id=false``; 200).

        :param share_id: the UUID of the share.
        :raises InvalidId: if it is no UUID; nothing was sent.
        :raises ServiceError: if the service refuses.
        """
        return self._cancel(share_id, is_backup_id=False)

    def cancel_all(self, backup_id: str) -> Receipt:
        """Cancel every share of a backup (V22, ``is_backup_id=true``; 200).

        :param backup_id: the UUID of the backup.
        :raises InvalidId: if it is no UUID; nothing was sent.
        :raises ServiceError: if the service refuses.
        """
        return self._cancel(backup_id, is_backup_id=True)

    def _cancel(self, id: str, *, is_backup_id: bool) -> Receipt:
        # The server's default is not documented, so that it is always said.
        return self._transport.delete(
            self._address(uuid_segment(id)),
            {'is_backup_id': 'true' if is_backup_id else 'false'},
            accepted=200,
        )


def _shares_in(
    answer: Sequence[Any] | Mapping[str, Any], backup_id: str
) -> Iterator[Share]:
    """The shares that were made, as far as they can be read.

    :param answer: a list, which the table of the reference calls an object.
    """
    wanted = canonical_id(backup_id)
    for row in [answer] if isinstance(answer, Mapping) else answer:
        # It was accepted, whatever the answer looks like.
        with suppress(errors.MalformedResponse):
            share = Share.from_body(
                {'backup_id': wanted, **dict_or_empty(row)}
            )
            if share.backup_id == wanted:
                yield share


def _may_be_of_another(refusal: errors.ServiceError) -> bool:
    """Whether "not offered" may have been said by something on the way."""
    return isinstance(refusal, errors.NotFound) or (
        isinstance(refusal, errors.NOT_OFFERED)
        and refusal.own is not Known.YES
    )
