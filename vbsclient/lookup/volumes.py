# SPDX-License-Identifier: Apache-2.0
"""Finding the volumes and snapshots that a user named."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from vbsclient.api import errors
from vbsclient.api.block_storage import BlockStorage, Snapshot, Volume
from vbsclient.api.http import Limits
from vbsclient.api.paging import PAGE_SIZE
from vbsclient.api.paths import is_uuid
from vbsclient.lookup.existence import Existence, LookupResult
from vbsclient.lookup.names import Kind, check_name
from vbsclient.lookup.refusals import MissingError
from vbsclient.wording import brief, moment, quote


def describe_volume(volume: Volume) -> str:
    """One volume, for a person who has to choose."""
    return (
        f'{brief(volume.id)} ({brief(volume.status)}, {brief(volume.size)} '
        f'GB, {moment(volume.created_at)})'
    )


def _describe_snapshot(snapshot: Snapshot) -> str:
    return (
        f'{brief(snapshot.id)} ({brief(snapshot.status)}, '
        f'{moment(snapshot.created_at)}, volume {brief(snapshot.volume_id)})'
    )


_VOLUME = Kind('volume', describe_volume)
_SNAPSHOT = Kind('snapshot', _describe_snapshot)


def find_volumes(
    cinder: BlockStorage, arguments: Sequence[str], limits: Limits
) -> LookupResult[Volume]:
    """The volume for each name or id, or why there is none."""
    return _VOLUME.find(
        arguments,
        # That one is not there is no reason to do anything: a 404 is enough.
        Existence(cinder.volume, lambda ids: ()),
        lambda name: (
            cinder.all_volumes() if name is None else cinder.volumes(name)
        ),
        cinder.owns,
        limits,
        first_page=lambda: islice(cinder.all_volumes(), PAGE_SIZE),
    )


def find_snapshot(cinder: BlockStorage, snapshot: str) -> Snapshot:
    """The snapshot of a name or id.

    :raises MissingError: if there is none.
    :raises RefusedError: if there are several.
    :raises ClientError: if it cannot be read.
    """
    if not is_uuid(snapshot):
        check_name(snapshot, 'snapshot')
        return _SNAPSHOT.choose(cinder.snapshots(snapshot), snapshot)
    try:
        return cinder.snapshot(snapshot)
    except errors.NotFound as error:
        raise MissingError(
            f'No snapshot found for {quote(snapshot)}'
        ) from error
