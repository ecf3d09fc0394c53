# SPDX-License-Identifier: Apache-2.0
"""Restores of server backups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vbsclient.api import errors
from vbsclient.api.csbs.kind import CSBS_PROVIDER
from vbsclient.api.csbs.servers import mapping_of
from vbsclient.api.http import Receipt, Transport, require_echo
from vbsclient.api.paths import resource_path, uuid_segment
from vbsclient.api.values import (
    canonical_id,
    dict_or_empty,
    id_or_none,
    json_text,
    lenient_bool,
    text_or_none,
)

#: The statuses of a restore that has failed.
FAILED = ('fail', 'failed', 'error', 'canceled', 'cancelled')


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
        :raises OutcomeUnknown: if it may have been accepted, also if the
            answer is about something else.
        """
        checkpoint = str(uuid_segment(checkpoint_id))
        backup = str(uuid_segment(backup_id))
        server = str(uuid_segment(server_id))
        targets = mapping_of(volumes)
        document, receipt = self._transport.post(
            self._url,
            {
                'restore': {
                    'provider_id': self._provider_id,
                    'checkpoint_id': checkpoint,
                    'parameters': {
                        'checkpoint_item_id': backup,
                        'power_on': power_on,
                        'targets': {'server_id': server, 'volumes': targets},
                    },
                }
            },
            accepted=200,
            repeats=False,
        )
        restore = dict_or_empty(document.get('restore'))
        parameters = dict_or_empty(json_text(restore.get('parameters')))
        told = {**restore, **parameters}
        told |= dict_or_empty(parameters.get('targets'))
        require_echo(
            receipt,
            told,
            {
                'checkpoint_id': checkpoint,
                'checkpoint_item_id': backup,
                'server_id': server,
            },
        )
        pairs = told.get('volumes')
        if isinstance(pairs, list) and not _are_same(pairs, targets):
            raise _contradicts('for other volumes than were sent', receipt)
        if lenient_bool(told.get('power_on')) is (not power_on):
            raise _contradicts('with another power_on than was sent', receipt)
        status = text_or_none(restore.get('status'))
        if (status or '').lower() in FAILED:
            raise _contradicts(f'with a restore in status {status}', receipt)
        return text_or_none(restore.get('id')), receipt

    def status(self, restore_id: str) -> str | None:
        """The status of a restore, which a Karbor shows.

        :param restore_id: a UUID.
        :returns: ``in_progress``, ``success`` or ``fail``; None if the
            answer does not tell it, or is about another restore.
        :raises InvalidId: if it is no UUID; nothing was sent.
        :raises NotFound: on CSBS, whose reference has no such call.
        :raises ServiceError: if the service refuses.
        """
        body: Mapping[str, Any] = self._transport.get(
            f'{self._url}/{uuid_segment(restore_id)}'
        )
        restore = dict_or_empty(body.get('restore'))
        if id_or_none(restore.get('id')) != canonical_id(restore_id):
            return None
        return (text_or_none(restore.get('status')) or '').lower() or None


def _are_same(told: list[Any], sent: list[dict[str, str]]) -> bool:
    """Whether an answer has the volumes that were sent, in any order."""
    rows = map(dict_or_empty, told)
    return {
        (id_or_none(row.get('backup_id')), id_or_none(row.get('volume_id')))
        for row in rows
    } == {(row['backup_id'], row['volume_id']) for row in sent}


def _contradicts(what: str, receipt: Receipt) -> errors.OutcomeUnknown:
    return errors.OutcomeUnknown(
        errors.ContradictoryAnswer(
            f'the service answers {what}',
            status=receipt.status,
            request_id=receipt.request_id,
        )
    )
