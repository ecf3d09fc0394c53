# SPDX-License-Identifier: Apache-2.0
"""Restores of server backups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vbsclient.api.csbs.kind import CSBS_PROVIDER
from vbsclient.api.csbs.servers import mapping_of
from vbsclient.api.http import Receipt, Transport
from vbsclient.api.paths import resource_path, uuid_segment
from vbsclient.api.values import dict_or_empty, text_or_none


class Restores:
    """The calls on restores.

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
        self._url = f'{url}/{resource_path("restores")}'
        self._provider_id = str(uuid_segment(provider_id))

    def create(
        self,
        checkpoint_id: str,
        backup_id: str,
        server_id: str,
        volumes: Mapping[str, str],
        *,
        power_on: bool,
    ) -> tuple[str | None, Receipt]:
        """Overwrite volumes of a server with a backup (CSBS API, C9; 200).

        It is asynchronous, and only the backup tells how far it is.

        :param checkpoint_id: the UUID of the checkpoint of the backup.
        :param backup_id: the UUID of the server backup.
        :param server_id: the UUID of the server, which is stopped.
        :param volumes: the target volumes by the ids of the volume backups,
            of which each has to be there.
        :param power_on: whether the server is started afterwards.
        :returns: the id of the restore, which only a Karbor shows again.
        :raises InvalidId: if an id is no UUID; nothing was sent.
        :raises ServiceError: if the service refuses.
        :raises ConnectionFailed: if it could not be sent.
        :raises OutcomeUnknown: if it may have been accepted.
        """
        document, receipt = self._transport.post(
            self._url,
            {
                'restore': {
                    'provider_id': self._provider_id,
                    'checkpoint_id': str(uuid_segment(checkpoint_id)),
                    'parameters': {
                        'checkpoint_item_id': str(uuid_segment(backup_id)),
                        'power_on': power_on,
                        'targets': {
                            'server_id': str(uuid_segment(server_id)),
                            'volumes': mapping_of(volumes),
                        },
                    },
                }
            },
            accepted=200,
        )
        restore = dict_or_empty(document.get('restore'))
        return text_or_none(restore.get('id')), receipt

    def status(self, restore_id: str) -> str | None:
        """The status of a restore, which a Karbor shows.

        :param restore_id: a UUID.
        :returns: ``in_progress``, ``success`` or ``fail``; None if the
            answer does not tell it.
        :raises InvalidId: if it is no UUID; nothing was sent.
        :raises NotFound: on CSBS, whose reference has no such call.
        :raises ServiceError: if the service refuses.
        """
        body: Mapping[str, Any] = self._transport.get(
            f'{self._url}/{uuid_segment(restore_id)}'
        )
        return text_or_none(dict_or_empty(body.get('restore')).get('status'))
