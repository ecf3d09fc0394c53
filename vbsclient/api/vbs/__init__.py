# SPDX-License-Identifier: Apache-2.0
"""The Volume Backup Service: volume backups, shares and policies."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

from keystoneauth1.session import Session

from vbsclient.api import errors
from vbsclient.api.catalog import ServiceSettings
from vbsclient.api.client import ServiceClient
from vbsclient.api.endpoint import SET_VBS, Pin, VBSEndpoint, resolve_vbs
from vbsclient.api.paths import resource_path
from vbsclient.api.quotas import Quota, quotas_of
from vbsclient.api.vbs.backups import Backup, Backups
from vbsclient.api.vbs.cloud_backups import CloudBackups
from vbsclient.api.vbs.jobs import Job, Jobs
from vbsclient.api.vbs.policies import (
    NoSuchPolicy,
    Policies,
    Policy,
    Task,
    VolumeResult,
)
from vbsclient.api.vbs.shares import NoSharing, Share, ShareFilter, Shares

__all__ = [
    'Backup',
    'Backups',
    'CloudBackups',
    'Job',
    'Jobs',
    'NoSharing',
    'NoSuchPolicy',
    'Policies',
    'Policy',
    'Quota',
    'Share',
    'ShareFilter',
    'Shares',
    'Task',
    'VBSClient',
    'VolumeResult',
]


class VBSClient(ServiceClient):
    """VBS on any keystoneauth session.

    Endpoint and version are resolved at the first use and then kept.

    The other parameters are those of
    :class:`~vbsclient.api.client.ServiceClient`.

    :param version: ``auto``, ``2`` or ``3``: the version of the native
        backup calls; shares exist in v2 only.
    :param block_storage: where to find the service whose backups are used
        in a cloud without VBS; by default in the same region and for the
        same interface.
    """

    def __init__(
        self,
        session: Session,
        *,
        version: Pin = 'auto',
        block_storage: ServiceSettings | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(session, **settings)
        self._pin = version
        self._block_storage = block_storage or replace(
            self._settings, override=None
        )

    @cached_property
    def endpoint(self) -> VBSEndpoint:
        """Where the calls go.

        :raises EndpointError: if there is no endpoint to be chosen.
        """
        return resolve_vbs(
            self.transport,
            self._session,
            pin=self._pin,
            settings=self._settings,
            block_storage=self._block_storage,
        )

    @cached_property
    def backups(self) -> Backups:
        """The native backup calls of the chosen version."""
        endpoint = self.endpoint
        return Backups(self.transport, endpoint.native, endpoint.version)

    @cached_property
    def backups_v2(self) -> Backups | None:
        """The native calls of v2, whose bodies tell who made a backup.

        None where the host cannot have them (block storage in v3).
        """
        if self.endpoint.version == 'v2':
            return self.backups
        if self.endpoint.vendor is None:
            return None
        return Backups(self.transport, self.endpoint.vendor, 'v2')

    @cached_property
    def cloud_backups(self) -> CloudBackups:
        """The vendor's calls, which give a job.

        :raises EndpointError: on a cloud that has block storage alone.
        """
        return CloudBackups(self.transport, self._vendor('cloudbackups'))

    @cached_property
    def jobs(self) -> Jobs:
        """The calls on jobs.

        :raises EndpointError: on a cloud that has block storage alone.
        """
        self._vendor('jobs')
        return Jobs(self.transport, str(self.endpoint.jobs))

    @cached_property
    def shares(self) -> Shares:
        """The sharing calls.

        :raises EndpointError: on a cloud that has block storage alone.
        """
        return Shares(
            self.transport,
            self._vendor('shares: this cloud does not share backups'),
        )

    @cached_property
    def policies(self) -> Policies:
        """The calls on backup policies.

        :raises EndpointError: on a cloud that has block storage alone.
        """
        return Policies(self.transport, self._vendor('backup policies'))

    def quotas(self) -> list[Quota]:
        """What the project may keep and keeps (VBS API, V4).

        :raises EndpointError: on a cloud that has block storage alone.
        :raises ServiceError: if the service refuses.
        """
        url = self._vendor('quotas of its own')
        path = resource_path('cloudbackups', 'quota')
        return quotas_of(self.transport.get(f'{url}/{path}'))

    def _vendor(self, wanted: str) -> str:
        if self.endpoint.vendor is None:
            raise errors.EndpointError(
                f'this cloud has no VBS, only block storage '
                f'({self.endpoint.service_type}), which knows no {wanted}',
                SET_VBS,
            )
        return self.endpoint.vendor
