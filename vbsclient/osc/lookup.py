# SPDX-License-Identifier: Apache-2.0
"""Volumes and servers that a user named, in other services than ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from osc_lib import exceptions

from vbsclient.api import errors
from vbsclient.api.csbs import CSBSClient, Item, ItemFilter
from vbsclient.api.http import is_uuid
from vbsclient.deletion.naming import choose_by_name
from vbsclient.deletion.wording import brief


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

    :raises CommandError: if there is none, or it may not be looked up.
    :raises Refused: if several have the name.
    """
    if is_uuid(volume):
        return volume
    with _looking_up('volume', volume):
        storage = instance.sdk_connection.block_storage
        found = _find(
            volume,
            'volume',
            lambda: storage.find_volume(volume, ignore_missing=False),
            lambda: storage.volumes(name=volume),
            _describe_volume,
        )
    if found is None:
        raise exceptions.CommandError(f'No volume found for {volume!r}.')
    return str(found.id)


def server_id_of(instance: Any, csbs: CSBSClient, server: str) -> str:
    """The id of a server, by id or name; an id costs no request.

    A server that compute no longer knows is known by its backups.

    :raises CommandError: if there is none, or if several had the name.
    :raises Refused: if several have the name.
    """
    if is_uuid(server):
        return server
    found = _server(instance, server) or _former(csbs, server)
    return found.id


def server_of(instance: Any, csbs: CSBSClient, server: str) -> Server:
    """A server with its disks, by id or name.

    :raises CommandError: if there is none, or if several had the name.
    :raises Refused: if several have the name.
    """
    return _server(instance, server) or _former(csbs, server)


def _server(instance: Any, server: str) -> Server | None:
    """What compute knows; None if it knows none."""
    with _looking_up('server', server):
        compute = instance.sdk_connection.compute
        found = _find(
            server,
            'server',
            (lambda: compute.get_server(server))
            if is_uuid(server)
            else (lambda: compute.find_server(server, ignore_missing=False)),
            lambda: compute.servers(name=server),
            _describe_server,
        )
    if found is None:
        return None
    return Server(
        str(found.id),
        frozenset(
            str(volume['id']) for volume in found.attached_volumes or ()
        ),
    )


def _former(csbs: CSBSClient, server: str) -> Server:
    """What the backups of a server tell that compute does not know."""
    by_id = is_uuid(server)
    try:
        where = (
            ItemFilter(server_id=server)
            if by_id
            else ItemFilter(server_name=server)
        )
        items = list(csbs.items.list(where=where))
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
        frozenset(_source_volumes(items)),
        gone=True,
    )


def _source_volumes(items: list[Item]) -> Iterator[str]:
    for item in items:
        for disk in item.disks:
            if isinstance(disk.get('source_volume_id'), str):
                yield disk['source_volume_id']


def _find(
    name: str,
    what: str,
    find: Callable[[], Any],
    bearers: Callable[[], Iterable[Any]],
    describe: Callable[[Any], str],
) -> Any:
    """What was found, or None.

    :param bearers: asks once more for all of the name, if there are several.
    :raises Refused: if there are.
    """
    from openstack import exceptions as sdk_exceptions

    try:
        return find()
    except sdk_exceptions.NotFoundException:
        return None
    except sdk_exceptions.DuplicateResource:
        # Compute takes the name for a pattern.
        found = [one for one in bearers() if one.name == name]
        return choose_by_name(found, name, what, describe)


def _describe_volume(volume: Any) -> str:
    return (
        f'{brief(volume.id)} ({brief(volume.status)}, {brief(volume.size)} '
        f'GB, {brief(volume.created_at or "no date")})'
    )


def _describe_server(server: Any) -> str:
    told = [server.status, server.created_at or 'no date']
    told += _addresses(server)
    return f'{brief(server.id)} ({", ".join(map(brief, told))})'


def _addresses(server: Any) -> Iterator[str]:
    networks = server.addresses
    for addresses in networks.values() if isinstance(networks, dict) else ():
        for address in addresses if isinstance(addresses, list) else ():
            if isinstance(address, dict) and 'addr' in address:
                yield address['addr']


@contextmanager
def _looking_up(what: str, name: str) -> Iterator[None]:
    """Say in one sentence why a name could not be looked up."""
    from keystoneauth1 import exceptions as ksa_exceptions
    from openstack import exceptions as sdk_exceptions

    try:
        yield
    except sdk_exceptions.HttpException as error:
        raise exceptions.CommandError(
            f'The {what} {name!r} could not be looked up (HTTP '
            f'{error.status_code}): give its id instead of its name.'
        ) from error
    except (
        sdk_exceptions.SDKException,
        ksa_exceptions.ClientException,
    ) as error:
        raise exceptions.CommandError(
            f'The {what} {name!r} could not be looked up ({error}).'
        ) from error
