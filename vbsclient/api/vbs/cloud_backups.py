# SPDX-License-Identifier: Apache-2.0
"""The vendor's own backup calls of VBS, v2 only: they give a job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vbsclient.api.http import Handle, Receipt, Transport, with_handle
from vbsclient.api.paths import resource_path, uuid_segment
from vbsclient.api.tags import tag_list


class CloudBackups:
    """The calls below ``cloudbackups``.

    A POST on one of its resources deletes that one (V2), which nothing here
    does: :class:`~vbsclient.api.vbs.backups.Backups` deletes.

    :param transport: how requests are sent.
    :param url: URL with ``v2`` and the project.
    """

    def __init__(self, transport: Transport, url: str) -> None:
        self._transport = transport
        self._url = url

    def create(
        self,
        volume_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
        snapshot_id: str | None = None,
        tags: Mapping[str, str] | None = None,
        full: bool = False,
    ) -> Receipt:
        """Back up a volume (VBS API, V1; 200).

        It is asynchronous: the receipt's handle has the id of the job, which
        tells the id of the backup when it has succeeded.

        :param volume_id: a UUID; the volume is available or in use.
        :param name: 1 to 64 of ``A-Za-z0-9_-``, not beginning with ``auto``.
        :param description: at most 64 characters, no ``<`` or ``>``.
        :param snapshot_id: a snapshot of this volume to save.
        :param tags: at most ten; no call shows them again.
        :param full: whether to save everything; else what has changed since
            the backup before.
        :raises InvalidId: if an id is no UUID; nothing was sent.
        :raises ServiceError: if the service refuses.
        :raises ConnectionFailed: if it could not be sent.
        :raises OutcomeUnknown: if it may have been accepted.
        """
        backup: dict[str, Any] = {'volume_id': str(uuid_segment(volume_id))}
        if snapshot_id is not None:
            backup['snapshot_id'] = str(uuid_segment(snapshot_id))
        if name is not None:
            backup['name'] = name
        if description is not None:
            backup['description'] = description
        if tags:
            backup['tags'] = tag_list(tags)
        if full:
            # A text, as the reference has it.
            backup['extend_param'] = {'FullBackup': 'true'}
        document, receipt = self._transport.post(
            f'{self._url}/{resource_path("cloudbackups")}',
            {'backup': backup},
            accepted=200,
        )
        return with_handle(receipt, Handle.of_job(document.get('job_id')))

    def restore(self, backup_id: str, volume_id: str) -> Receipt:
        """Overwrite a volume with a backup (VBS API, V3; 200).

        It is asynchronous: the receipt's handle has the id of the job.  The
        volume is available, detached, and not smaller than the backup.

        :param backup_id: a UUID.
        :param volume_id: the UUID of the volume whose data are lost.
        :raises InvalidId: if one is no UUID; nothing was sent.
        :raises ServiceError: if the service refuses.
        :raises ConnectionFailed: if it could not be sent.
        :raises OutcomeUnknown: if it may have been accepted.
        """
        segment = uuid_segment(backup_id)
        document, receipt = self._transport.post(
            # Without its last part this would delete the backup.
            f'{self._url}/{resource_path("cloudbackups", segment, "restore")}',
            {'restore': {'volume_id': str(uuid_segment(volume_id))}},
            accepted=200,
            repeats=False,
        )
        return with_handle(receipt, Handle.of_job(document.get('job_id')))
