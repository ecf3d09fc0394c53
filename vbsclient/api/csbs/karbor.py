# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: what one run of CSBS saved, of one or many servers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vbsclient.api import errors, paging
from vbsclient.api.collection import Collection, id_of
from vbsclient.api.csbs.kind import CSBS_PROVIDER
from vbsclient.api.http import Handle, Receipt, Transport, with_handle
from vbsclient.api.names import name_or_none
from vbsclient.api.paths import is_uuid, resource_path, uuid_segment
from vbsclient.api.values import (
    canonical_id,
    dict_or_empty,
    text_or_none,
)

#: What to do where there are no checkpoints.
CORRECT_CSBS_OR_PROVIDER = 'Correct the endpoint of CSBS, or the provider.'

_STYLE = paging.Style('checkpoints', 'marker', 'checkpoints_links')


@dataclass(frozen=True)
class KarborCheckpoint:
    """A checkpoint as plain Karbor shows it; CSBS documents no such call.

    :ivar servers: names (or ids) of the servers in it, as far as it says.
    """

    id: str
    status: str
    name: str | None
    created_at: str | None
    servers: tuple[str, ...] = ()
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> KarborCheckpoint:
        """Read a checkpoint object, whose id is a text."""
        plan = dict_or_empty(body.get('protection_plan'))
        return cls(
            id=id_of(body, 'checkpoint'),
            status=str(body.get('status') or ''),
            name=name_or_none(plan.get('name')),
            created_at=text_or_none(body.get('created_at')),
            servers=_servers(plan.get('resources')),
            body=body,
        )


class KarborCheckpoints(Collection[KarborCheckpoint]):
    """The calls on the checkpoints of one provider.

    :param transport: how requests are sent.
    :param url: URL with ``v1`` and the project.
    :param provider_id: a UUID.
    :raises InvalidId: if the provider is no UUID.
    """

    route = 'checkpoints'
    key = 'checkpoint'
    noun = 'checkpoint'

    def __init__(
        self,
        transport: Transport,
        url: str,
        provider_id: str = CSBS_PROVIDER,
    ) -> None:
        provider = resource_path('providers', id=provider_id)
        super().__init__(transport, f'{url}/{provider}')

    def read(self, body: Mapping[str, Any]) -> KarborCheckpoint:
        return KarborCheckpoint.from_body(body)

    def list(
        self, *, page_size: int = paging.PAGE_SIZE
    ) -> Iterator[KarborCheckpoint]:
        """List the checkpoints, on a cloud that has this call of Karbor.

        :param page_size: how many a page is to hold.
        :raises AmbiguousListing: if the list cannot be read to its end.
        :raises NotFound: if there is no such call.
        :raises ServiceError: if the service refuses.
        """
        return self._listed(
            lambda page: self._transport.get(self._address(), page),
            _STYLE,
            {},
            page_size,
        )

    def ensure_supported(self) -> None:
        """Make sure that the endpoint serves checkpoints at all.

        :raises NotServed: if it does not.
        """
        url = self._address()
        try:
            self._transport.get(url, {'limit': '1'})
        except errors.NotFound as error:
            raise errors.NotServed(
                f'the endpoint serves neither checkpoint_items nor '
                f'checkpoints ({self._url} answers 404)',
                CORRECT_CSBS_OR_PROVIDER,
            ) from error

    def create(
        self, policy_id: str, server_ids: Sequence[str] | None = None
    ) -> Receipt:
        """Run a policy now (CSBS API, C4; 200).

        It is asynchronous: the receipt's handle has the id of the
        checkpoint, whose backups may be listed a little later.  They do not
        expire, whatever the policy says.

        :param policy_id: a UUID; the ``fake_...`` of a backup that no
            policy made is none.
        :param server_ids: the UUIDs of those servers of the policy that are
            wanted; None for all.
        :raises InvalidId: if an id is no UUID, or no server is wanted;
            nothing was sent.
        :raises ServiceError: if the service refuses.
        :raises ConnectionFailed: if it could not be sent.
        :raises OutcomeUnknown: if it may have been accepted.
        """
        parameters: dict[str, Any] = {}
        if server_ids is not None:
            # An empty list may mean all of them, and is refused.
            parameters['resources'] = [
                str(uuid_segment(id)) for id in server_ids or ['']
            ]
        document, receipt = self._transport.post(
            self._address(),
            {
                'checkpoint': {
                    'plan_id': str(uuid_segment(policy_id)),
                    'parameters': parameters,
                }
            },
            accepted=200,
        )
        checkpoint = dict_or_empty(document.get('checkpoint'))
        return with_handle(receipt, Handle.of_checkpoint(checkpoint.get('id')))

    def delete(self, checkpoint_id: str) -> Receipt:
        """Ask for the deletion of a whole checkpoint (CSBS API, C8; 200).

        Every backup in it goes, of all its servers.  Asynchronous, without
        a task to ask: poll the backups.

        :param checkpoint_id: a UUID.
        :raises InvalidId: if it is no UUID; nothing was sent.
        :raises ServiceError: if the service refuses.
        """
        return self._transport.delete(
            self._address(uuid_segment(checkpoint_id)), accepted=200
        )

    def delete_backup(self, checkpoint_id: str, backup_id: str) -> Receipt:
        """Ask for the deletion of one backup of a checkpoint (C8; 200).

        One id a request: the reference defines no format for more.

        :param checkpoint_id: the UUID of the backup's checkpoint.
        :param backup_id: the UUID of the backup.
        :raises InvalidId: if one is no UUID; nothing was sent.  An empty
            ``checkpoint_items`` would delete the whole checkpoint.
        :raises ServiceError: if the service refuses.
        """
        if not is_uuid(backup_id):
            raise errors.InvalidId(f'{backup_id!r} is not an ID (a UUID)')
        return self._transport.delete(
            self._address(uuid_segment(checkpoint_id)),
            {'checkpoint_items': canonical_id(backup_id)},
            accepted=200,
        )


def _servers(resources: Any) -> tuple[str, ...]:
    if not isinstance(resources, list):
        return ()
    return tuple(
        str(resource.get('name') or resource.get('id'))
        for resource in resources
        if isinstance(resource, dict)
        and resource.get('type', 'OS::Nova::Server') == 'OS::Nova::Server'
    )
