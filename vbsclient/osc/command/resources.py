# SPDX-License-Identifier: Apache-2.0
"""What a user named in other services: volumes, servers, projects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from osc_lib import exceptions

from vbsclient.api import block_storage, compute, errors
from vbsclient.api.client import LookupClient
from vbsclient.api.csbs import CSBSClient, ServerBackupFilter
from vbsclient.api.http import is_uuid
from vbsclient.api.identity import Identity
from vbsclient.api.values import HEX_ID
from vbsclient.lookup.names import check_name, choose_by_name
from vbsclient.osc.command.clients import make_lookup_client
from vbsclient.osc.output.text import shortened
from vbsclient.wording import brief, quote


@dataclass(frozen=True)
class Server:
    """A server, or what the backups of a former one tell of it.

    :ivar volume_ids: its disks; those that were backed up, if it is gone.
    :ivar gone: whether compute does not know it.
    """

    id: str
    volume_ids: frozenset[str] = frozenset()
    gone: bool = False


def volume_id_of(instance: Any, volume: str) -> str:
    """The id of a volume, by id or name; an id costs no request.

    :raises CommandError: if it may not be looked up.
    :raises MissingError: if there is none.
    :raises RefusedError: if several have the name.
    """
    if is_uuid(volume):
        return volume.lower()
    check_name(volume, 'volume')
    cinder = make_lookup_client(
        block_storage.BlockStorage, instance, 'block-storage'
    )
    with _looking_up(cinder, 'volume', volume):
        found = cinder.volumes(volume)
    return choose_by_name(found, volume, 'volume', _describe_volume).id


def server_id_of(instance: Any, csbs: CSBSClient, server: str) -> str:
    """The id of a server, by id or name; an id costs no request.

    A server that compute no longer knows is known by its backups.

    :raises CommandError: if there is none, or if several had the name.
    :raises RefusedError: if several have the name.
    """
    if is_uuid(server):
        return server.lower()
    found = _server_named(instance, server)
    return found.id if found is not None else _former(csbs, server).id


def server_of(instance: Any, csbs: CSBSClient, server: str) -> Server:
    """A server with its disks, by id or name.

    :raises CommandError: if there is none, or if several had the name.
    :raises RefusedError: if several have the name.
    """
    by_id = is_uuid(server)
    found = (
        _server_of_id(instance, server.lower())
        if by_id
        else _server_named(instance, server)
    )
    if found is None:
        return _former(csbs, server.lower() if by_id else server)
    if found.volume_ids is None:
        raise exceptions.CommandError(
            f'Compute does not tell the volumes of the server '
            f'{quote(server)}: name them one by one, with --volume.'
        )
    return Server(found.id, found.volume_ids)


def project_id_of(
    instance: Any, project: str, domain: str | None = None
) -> str:
    """The id of a project, by id or name.

    32 hex digits are an id: a project that is not ours may not be readable.

    :raises CommandError: if it may not be looked up, or several have the
        name.
    :raises MissingError: if there is none, or no such domain.
    """
    if HEX_ID.fullmatch(project):
        return project.lower()
    check_name(project, 'project')
    keystone = make_lookup_client(Identity, instance, 'identity')
    domain_id = None
    if domain is not None:
        domain_id = _domain_id_of(keystone, domain)
    with _looking_up(keystone, 'project', project):
        found = keystone.project_ids(project, domain_id=domain_id)
    if len(found) > 1:
        raise exceptions.CommandError(
            f'Several projects have the name {quote(project)}: give the id, '
            f'or --target-project-domain.'
        )
    return choose_by_name(found, project, 'project', str)


def _domain_id_of(keystone: Identity, domain: str) -> str:
    if HEX_ID.fullmatch(domain):
        return domain.lower()
    check_name(domain, 'domain')
    with _looking_up(keystone, 'domain', domain):
        found = keystone.domain_ids(domain)
    return choose_by_name(found, domain, 'domain', str)


def _server_named(instance: Any, name: str) -> compute.Server | None:
    """What compute knows; None if it knows none.

    :raises RefusedError: if several have the name.
    """
    check_name(name, 'server')
    nova = make_lookup_client(compute.Compute, instance, 'compute')
    with _looking_up(nova, 'server', name):
        found = nova.servers(name)
    if not found:
        return None
    return choose_by_name(found, name, 'server', _describe_server)


def _server_of_id(instance: Any, id: str) -> compute.Server | None:
    """What compute knows; None if it knows none."""
    nova = make_lookup_client(compute.Compute, instance, 'compute')
    with _looking_up(nova, 'server', id):
        try:
            return nova.server(id)
        except errors.NotFound:
            return None


def _former(csbs: CSBSClient, server: str) -> Server:
    """What the backups of a server tell that compute does not know."""
    by_id = is_uuid(server)
    try:
        where = ServerBackupFilter(
            **{'server_id' if by_id else 'server_name': server}
        )
        items = list(csbs.backups.list(where=where))
    except (errors.EndpointError, errors.NotFound):
        items = []
    ids = sorted({item.server_id for item in items if item.server_id})
    if len(ids) > 1:
        raise exceptions.CommandError(
            f'{len(ids)} former servers had the name {server!r}: '
            f'{", ".join(ids)}. Name the one you mean by its id.'
        )
    if not ids and not by_id:
        raise exceptions.CommandError(
            f'No server found for {server!r}, and no backup of one of that '
            f'name.'
        )
    return Server(
        server if by_id else ids[0],
        frozenset(id for item in items for id in item.volume_ids),
        gone=True,
    )


def _describe_volume(volume: block_storage.Volume) -> str:
    return (
        f'{brief(volume.id)} ({brief(volume.status)}, {brief(volume.size)} '
        f'GB, {brief(volume.created_at or "no date")})'
    )


def _describe_server(server: compute.Server) -> str:
    told = [server.status, server.created_at or 'no date', *server.addresses]
    return f'{brief(server.id)} ({", ".join(map(brief, told))})'


@contextmanager
def _looking_up(
    client: LookupClient, what: str, argument: str
) -> Iterator[None]:
    """Say in one sentence why something could not be looked up.

    A login that fails has a sentence of its own: an id would not help.

    :raises CommandError: in place of what the service makes.
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
        raise exceptions.CommandError(
            _not_looked_up(error, what, argument)
        ) from error


def _not_looked_up(error: errors.ClientError, what: str, argument: str) -> str:
    reason = shortened(error.message)
    if isinstance(error, errors.ServiceError) and not isinstance(
        error, errors.RedirectRefused
    ):
        reason = f'HTTP {error.status}'
    told = f'The {what} {quote(argument)} could not be looked up ({reason})'
    if is_uuid(argument):
        return f'{told}.'
    return f'{told}: give its id instead of its name.'
