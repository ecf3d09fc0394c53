# SPDX-License-Identifier: Apache-2.0
"""The Cloud Server Backup Service: backups of whole servers."""

from __future__ import annotations

from functools import cached_property

from vbsclient.api import errors
from vbsclient.api.client import ServiceClient
from vbsclient.api.csbs.backups import (
    ServerBackup,
    ServerBackupFilter,
    ServerBackups,
)
from vbsclient.api.csbs.checkpoints import Checkpoint, CheckpointGroups, Member
from vbsclient.api.csbs.karbor import KarborCheckpoint, KarborCheckpoints
from vbsclient.api.csbs.kind import CSBS_PROVIDER, NoServerBackups, Provider
from vbsclient.api.csbs.policies import Policies, Policy, PolicyServer
from vbsclient.api.csbs.restores import Restores
from vbsclient.api.csbs.servers import Protectability, Servers
from vbsclient.api.endpoint import CSBSEndpoint, resolve_csbs
from vbsclient.api.paths import resource_path
from vbsclient.api.quotas import Quota, quotas_of

__all__ = [
    'CSBS_PROVIDER',
    'CSBSClient',
    'Checkpoint',
    'CheckpointGroups',
    'KarborCheckpoint',
    'KarborCheckpoints',
    'Member',
    'NoServerBackups',
    'Policies',
    'Policy',
    'PolicyServer',
    'Protectability',
    'Provider',
    'Quota',
    'Restores',
    'ServerBackup',
    'ServerBackupFilter',
    'ServerBackups',
    'Servers',
]


# What to do where CSBS is said to be absent, or present.
SAID_SO = 'That is how the client was made.'
SET_CSBS_OR_REMOVE = 'Override the endpoint of CSBS, or do not name it.'


class CSBSClient(ServiceClient):
    """CSBS on any keystoneauth session.

    The endpoint is resolved at the first use and then kept.  The parameters
    are those of :class:`~vbsclient.api.client.ServiceClient`.

    :ivar is_absent: set it if the project is known to have no CSBS: then
        nothing is asked.
    :ivar named_by: set it to what else says that there is one: then a
        catalog without it does not show that there is none.
    """

    is_absent = False
    named_by: str | None = None

    @cached_property
    def endpoint(self) -> CSBSEndpoint:
        """Where the calls go.

        :raises NoService: if it is known that there is none.
        :raises EndpointError: if there is no endpoint to be chosen.
        """
        if self.is_absent:
            raise errors.NoService(
                'this project has no CSBS',
                SAID_SO,
            )
        try:
            return resolve_csbs(self._session, settings=self._settings)
        except errors.NoService as error:
            if self.named_by is None:
                raise
            raise errors.EndpointError(
                f'{self.named_by} says that there is a CSBS, and the catalog '
                f'of this cloud has none',
                SET_CSBS_OR_REMOVE,
            ) from error

    @cached_property
    def backups(self) -> ServerBackups:
        """The calls that read server backups."""
        return ServerBackups(self.transport, self.endpoint.url)

    @cached_property
    def servers(self) -> Servers:
        """The calls that back servers up."""
        return Servers(self.transport, self.endpoint.url)

    @cached_property
    def restores(self) -> Restores:
        """The calls on restores."""
        return Restores(self.transport, self.endpoint.url)

    @cached_property
    def policies(self) -> Policies:
        """The calls on policies."""
        return Policies(self.transport, self.endpoint.url)

    def quotas(self) -> list[Quota]:
        """What the project may keep and keeps (CSBS API, C10).

        :raises ServiceError: if the service refuses.
        """
        path = resource_path('quotas')
        return quotas_of(self.transport.get(f'{self.endpoint.url}/{path}'))

    def checkpoints(
        self, provider_id: str = CSBS_PROVIDER
    ) -> KarborCheckpoints:
        """The calls on checkpoints of a provider.

        :param provider_id: a UUID; the reference fixes it for servers.
        :raises InvalidId: if it is no UUID.
        """
        return KarborCheckpoints(
            self.transport, self.endpoint.url, provider_id
        )
