# SPDX-License-Identifier: Apache-2.0
"""How people call the volumes and servers whose ids a backup has.

The names are a help for the eye and nothing is decided by them: what cannot
be read is left out without a word.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cached_property

from vbsclient import bulk
from vbsclient.api import errors
from vbsclient.api.block_storage import BlockStorage, Volume
from vbsclient.api.compute import Compute
from vbsclient.api.http import Limits
from vbsclient.lookup.resources import MakeClient

LOG = logging.getLogger(__name__)

#: Seconds in which all names of a service must come.
_PATIENCE = 10.0

#: How people call the volume with an id, if that is known.
VolumeLabel = Callable[['str | None'], 'str | None']


def no_label(volume_id: str | None) -> None:
    """For whoever shows nothing."""


class Labels:
    """The names of volumes and servers, read when the first is needed.

    One list of each service, at the same time: whoever needs one name mostly
    needs the other.
    """

    def __init__(self, make_client: MakeClient) -> None:
        self._make_client = make_client

    def volume_name(self, volume_id: str | None) -> str | None:
        """The name of a volume; None if it has none, or cannot be read."""
        volume = self._volume(volume_id)
        return (volume.name or None) if volume else None

    def server_of(self, volume_id: str | None) -> str | None:
        """The id of the server that a volume is attached to now."""
        volume = self._volume(volume_id)
        return volume.server_ids[0] if volume and volume.server_ids else None

    def server_name(self, server_id: str | None) -> str | None:
        """The name of a server; None if it has none, or cannot be read."""
        return self._read[1].get(server_id or '')

    def of_volume(
        self, volume_id: str | None, server_id: str | None = None
    ) -> str | None:
        """A volume as people call it, such as ``db01-data of db01``.

        :param server_id: its server, if that is known already.
        :returns: None if it has no name that can be read.
        """
        name = self.volume_name(volume_id)
        server_id = server_id or self.server_of(volume_id)
        server = self.server_name(server_id)
        return f'{name} of {server}' if name and server else name

    def _volume(self, volume_id: str | None) -> Volume | None:
        return self._read[0].get(volume_id or '')

    @cached_property
    def _read(self) -> tuple[dict[str, Volume], dict[str, str | None]]:
        volumes: dict[str, Volume] = {}
        servers: dict[str, str | None] = {}

        def read_volumes() -> None:
            cinder = self._make_client(BlockStorage, 'block-storage')
            volumes.update((v.id, v) for v in cinder.all_volumes(_PATIENCE))

        def read_servers() -> None:
            nova = self._make_client(Compute, 'compute')
            servers.update(nova.names(_PATIENCE))

        bulk.gather([_quiet(read_volumes), _quiet(read_servers)], Limits())
        return volumes, servers


def _quiet(read: Callable[[], None]) -> Callable[[], None]:
    """The same, where a failure leaves out what it would have read."""

    def read_quietly() -> None:
        try:
            read()
        except errors.ClientError as error:
            LOG.info('Names are not shown: %.500s.', error.message)

    return read_quietly
