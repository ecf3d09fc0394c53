# SPDX-License-Identifier: Apache-2.0
"""Servers as CSBS sees them: whether they can be backed up, and doing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vbsclient.api import errors
from vbsclient.api.csbs.kind import CSBS_PROVIDER
from vbsclient.api.http import Handle, Receipt, Transport, with_handle
from vbsclient.api.paths import resource_path, uuid_segment
from vbsclient.api.tags import tag_list
from vbsclient.api.values import (
    dict_or_empty,
    id_or_none,
    lenient_bool,
    text_or_none,
)

_SERVER = 'OS::Nova::Server'


@dataclass(frozen=True)
class Protectability:
    """Whether a server can be backed up (C2), or restored to (C3).

    :ivar result: whether it can.
    :ivar code: why not, one of the API reference; None if it says none.
    :ivar message: why not, or what is to be known of a server that can.
    """

    server_id: str
    result: bool
    code: str | None = None
    message: str | None = None


class Servers:
    """The calls on resources of a provider.

    :param transport: how requests are sent.
    :param url: URL with ``v1`` and the project.
    :param provider_id: a UUID; the reference fixes it for servers.
    """

    def __init__(
        self,
        transport: Transport,
        url: str,
        provider_id: str = CSBS_PROVIDER,
    ) -> None:
        self._transport = transport
        self._url = f'{url}/{resource_path("providers", id=provider_id)}'

    def check_protectable(
        self, server_ids: Sequence[str]
    ) -> dict[str, Protectability]:
        """Ask whether servers can be backed up (CSBS API, C2).

        A POST that changes nothing; it is repeated like a GET.

        :param server_ids: UUIDs.
        :returns: the answers by the ids of the servers; one may be missing.
        :raises InvalidId: if an id is no UUID; nothing was sent.
        :raises MalformedResponse: if it is no list of answers.
        :raises ServiceError: if the service refuses.
        """
        wanted = [str(uuid_segment(id)) for id in server_ids]
        body = self._transport.post_to_read(
            f'{self._url}/{resource_path("resources", "action")}',
            {
                'check_protectable': [
                    {'resource_id': id, 'resource_type': _SERVER}
                    for id in wanted
                ]
            },
        )
        rows = body.get('protectable')
        if not isinstance(rows, list):
            raise errors.MalformedResponse(
                'the service does not say which servers can be backed up'
            )
        answers = map(_protectability, filter(_is_object, rows))
        return {one.server_id: one for one in answers if one.server_id}

    def check_restorable(
        self, backup_id: str, server_id: str, volumes: Mapping[str, str]
    ) -> Protectability | None:
        """Ask whether a backup can be restored (CSBS API, C3).

        A POST that changes nothing; it is repeated like a GET.

        :param backup_id: a UUID of a server backup.
        :param server_id: the UUID of the server to restore to.
        :param volumes: the target volumes by the ids of the volume backups.
        :returns: the answer; None if there is none for this.
        :raises InvalidId: if an id is no UUID; nothing was sent.
        :raises MalformedResponse: if it is no list of answers.
        :raises ServiceError: if the service refuses.
        """
        server = str(uuid_segment(server_id))
        backup = str(uuid_segment(backup_id))
        body = self._transport.post_to_read(
            f'{self._url}/{resource_path("resources", "action")}',
            {
                'check_restorable': [
                    {
                        'checkpoint_item_id': backup,
                        'target': {
                            'resource_id': server,
                            'resource_type': _SERVER,
                            'volumes': mapping_of(volumes),
                        },
                    }
                ]
            },
        )
        rows = body.get('restorable')
        if not isinstance(rows, list):
            raise errors.MalformedResponse(
                'the service does not say whether it can be restored'
            )
        # One was asked for, which may be named or not.
        if len(rows) != 1 or not _is_object(rows[0]):
            return None
        row = {**dict_or_empty(rows[0].get('target')), **rows[0]}
        asked = {'resource_id': server, 'checkpoint_item_id': backup}
        if any(
            row.get(key) not in (None, '') and id_or_none(row[key]) != id
            for key, id in asked.items()
        ):
            return None
        return _protectability(row)

    def back_up(
        self,
        server_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
        incremental: bool | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Receipt:
        """Back up a server (CSBS API, C1; 200).

        It is asynchronous: the receipt's handle has the id of the
        checkpoint, whose only backup may be listed a little later.

        :param server_id: a UUID.
        :param name: 1 to 255 of ``A-Za-z0-9_-``.
        :param description: at most 255 characters, no ``<`` or ``>``.
        :param incremental: whether to save only what has changed; None for
            what the service does by itself.
        :param tags: at most ten.
        :raises InvalidId: if the id is no UUID; nothing was sent.
        :raises ServiceError: if the service refuses.
        :raises ConnectionFailed: if it could not be sent.
        :raises OutcomeUnknown: if it may have been accepted.
        """
        segment = uuid_segment(server_id)
        protect: dict[str, Any] = {'resource_type': _SERVER}
        if name is not None:
            protect['backup_name'] = name
        if description is not None:
            protect['description'] = description
        if incremental is not None:
            protect['incremental'] = incremental
        if tags:
            protect['tags'] = tag_list(tags)
        document, receipt = self._transport.post(
            f'{self._url}/{resource_path("resources", segment, "action")}',
            {'protect': protect},
            accepted=200,
        )
        checkpoint = dict_or_empty(document.get('checkpoint'))
        return with_handle(receipt, Handle.of_checkpoint(checkpoint.get('id')))


def mapping_of(volumes: Mapping[str, str]) -> list[dict[str, str]]:
    """The list that the wire has of target volumes by volume backups.

    :raises InvalidId: if an id is no UUID.
    """
    return [
        {
            'backup_id': str(uuid_segment(backup_id)),
            'volume_id': str(uuid_segment(volume_id)),
        }
        for backup_id, volume_id in volumes.items()
    ]


def _is_object(row: Any) -> bool:
    return isinstance(row, dict)


def _code(value: Any) -> str | None:
    """A code; None for what stands for none."""
    code = text_or_none(value) or ''
    return None if code.lower() in ('', '0', 'none', 'null') else code


def _protectability(row: Mapping[str, Any]) -> Protectability:
    return Protectability(
        id_or_none(row.get('resource_id')) or '',
        # What is not said is not allowed.
        lenient_bool(row.get('result')) is True,
        _code(row.get('error_code')),
        text_or_none(row.get('error_msg')) or None,
    )
