# SPDX-License-Identifier: Apache-2.0
"""What a name means in other services: volumes, servers, projects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from vbsclient.api import block_storage, compute, errors
from vbsclient.api.client import LookupClient
from vbsclient.api.csbs import CSBSClient, ServerBackupFilter
from vbsclient.api.identity import Identity
from vbsclient.api.paths import is_uuid
from vbsclient.api.values import HEX_ID
from vbsclient.lookup.names import Kind, check_name
from vbsclient.lookup.servers import describe_server
from vbsclient.lookup.volumes import describe_volume
from vbsclient.wording import quote

# What to do where a name is not enough.
NAME_VOLUMES = 'Name its volumes one by one.'
NAME_DOMAIN = 'Use the ID of the project, or name its domain.'

LookupT = TypeVar('LookupT', bound=LookupClient)


class LookupFailed(errors.ClientError):
    """What a name stands for could not be found out."""


class MakeClient(Protocol):
    """Makes a client of another service."""

    def __call__(self, kind: type[LookupT], service_type: str) -> LookupT: ...


@dataclass(frozen=True)
class Server:
    """A server, or what the backups of a former one say of it.

    :ivar volume_ids: its disks; those that were backed up, if it is gone.
    :ivar gone: whether compute does not know it.
    """

    id: str
    volume_ids: frozenset[str] = frozenset()
    gone: bool = False


class Resources:
    """Looks names up in compute, block storage and identity.

    An id costs no request.  Each look-up raises :class:`LookupFailed` if
    the service does not answer it, MissingError if there is nothing of the
    name, and RefusedError if there is more than one.
    """

    def __init__(self, make_client: MakeClient) -> None:
        self._make_client = make_client

    def volume_id(self, volume: str) -> str:
        """The id of a volume, by id or name."""
        if is_uuid(volume):
            return volume.lower()
        check_name(volume, 'volume')
        cinder = self._make_client(block_storage.BlockStorage, 'block-storage')
        with _looking_up(cinder, 'volume', volume):
            found = cinder.volumes(volume)
        return _VOLUME.choose(found, volume).id

    def server_id(self, csbs: CSBSClient, server: str) -> str:
        """The id of a server, by id or name.

        A server that compute no longer knows is known by its backups.
        """
        if is_uuid(server):
            return server.lower()
        found = self._server_named(server)
        return found.id if found is not None else _former(csbs, server).id

    def server(self, csbs: CSBSClient, server: str) -> Server:
        """A server with its disks, by id or name."""
        found = (
            self._server_of_id(server.lower())
            if is_uuid(server)
            else self._server_named(server)
        )
        if found is None:
            return _former(csbs, server.lower() if is_uuid(server) else server)
        if found.volume_ids is None:
            raise LookupFailed(
                f'Compute does not show the volumes of the server '
                f'{quote(server)}',
                NAME_VOLUMES,
            )
        return Server(found.id, found.volume_ids)

    def project_id(self, project: str, domain: str | None = None) -> str:
        """The id of a project, by id or name.

        32 hex digits are an id: a project of others may not be readable.

        :param domain: that it is in, by id or name.
        """
        if HEX_ID.fullmatch(project):
            return project.lower()
        check_name(project, 'project')
        keystone = self._make_client(Identity, 'identity')
        domain_id = None
        if domain is not None:
            domain_id = _domain_id(keystone, domain)
        with _looking_up(keystone, 'project', project):
            found = keystone.project_ids(project, domain_id=domain_id)
        if len(found) > 1:
            raise LookupFailed(
                f'More than one project exists with the name {quote(project)}',
                NAME_DOMAIN,
            )
        return _PROJECT.choose(found, project)

    def _server_named(self, name: str) -> compute.Server | None:
        """What compute knows; None if it knows none."""
        check_name(name, 'server')
        nova = self._make_client(compute.Compute, 'compute')
        with _looking_up(nova, 'server', name):
            found = nova.servers(name)
        return _SERVER.choose(found, name) if found else None

    def _server_of_id(self, id: str) -> compute.Server | None:
        """What compute knows; None if it knows none."""
        nova = self._make_client(compute.Compute, 'compute')
        with _looking_up(nova, 'server', id):
            try:
                return nova.server(id)
            except errors.NotFound:
                return None


def _domain_id(keystone: Identity, domain: str) -> str:
    if HEX_ID.fullmatch(domain):
        return domain.lower()
    check_name(domain, 'domain')
    with _looking_up(keystone, 'domain', domain):
        found = keystone.domain_ids(domain)
    return _DOMAIN.choose(found, domain)


def _former(csbs: CSBSClient, server: str) -> Server:
    """What the backups of a server say that compute does not know."""
    by_id = is_uuid(server)
    try:
        where = ServerBackupFilter(
            server_id=server if by_id else None,
            server_name=None if by_id else server,
        )
        backups = list(csbs.backups.list(where=where))
    except (errors.EndpointError, errors.NotFound):
        backups = []
    ids = sorted({backup.server_id for backup in backups if backup.server_id})
    if len(ids) > 1:
        raise LookupFailed(
            f'More than one former server had the name {server!r}: '
            f'{", ".join(ids)}. Name the one you mean by its ID'
        )
    if not ids and not by_id:
        raise LookupFailed(
            f'No server found for {server!r}, and no backup of one of that '
            f'name'
        )
    return Server(
        server if by_id else ids[0],
        frozenset(id for backup in backups for id in backup.volume_ids),
        gone=True,
    )


def _no_ids(row: Any) -> list[str]:
    """Their ids go into queries and never into a path."""
    return []


_VOLUME = Kind('volume', describe_volume, ids=_no_ids)
_SERVER = Kind('server', describe_server, ids=_no_ids)
_PROJECT = Kind('project', str, ids=_no_ids)
_DOMAIN = Kind('domain', str, ids=_no_ids)


@contextmanager
def _looking_up(
    client: LookupClient, what: str, argument: str
) -> Iterator[None]:
    """Say in one sentence why something could not be looked up.

    A login that fails has a sentence of its own: an id would not help.

    :raises LookupFailed: in place of what the service makes.
    """
    try:
        yield
    except errors.Unauthorized:
        raise
    except errors.ClientError as error:
        if not client.is_located and not isinstance(
            error, errors.EndpointError
        ):
            raise
        reason = error.message
        if isinstance(error, errors.ServiceError) and not isinstance(
            error, errors.RedirectRefused
        ):
            reason = f'HTTP {error.status}'
        told = (
            f'The {what} {quote(argument)} could not be looked up ({reason})'
        )
        if not is_uuid(argument):
            told += ': give its ID instead of its name'
        raise LookupFailed(told) from error
