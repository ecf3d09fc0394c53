# SPDX-License-Identifier: Apache-2.0
"""Backup policies of CSBS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from vbsclient.api import errors, paging
from vbsclient.api.collection import Collection, id_of
from vbsclient.api.csbs.kind import CSBS_PROVIDER
from vbsclient.api.http import Receipt, Transport
from vbsclient.api.names import is_named, name_or_none, spellings
from vbsclient.api.paths import is_uuid, uuid_segment
from vbsclient.api.values import (
    dict_or_empty,
    id_or_none,
    lenient_bool,
    lenient_id,
    owner_of,
    text_or_none,
)

_STYLE = paging.Style('policies', 'marker', links='policies_links')
_SERVER = 'OS::Nova::Server'


class PolicyServer(NamedTuple):
    """A server that a policy backs up.

    :ivar name: as the policy has it, which is not read from Nova.
    """

    id: str
    name: str | None


@dataclass(frozen=True)
class Policy:
    """A policy, as C12 (list) and C13 (show) give it.

    :ivar status: what the service says; ``suspended`` or ``enabled`` of a
        policy that is switched on, and no state to wait for.
    :ivar is_enabled: whether it runs by its schedule; None if it is not
        known.
    :ivar servers: what it backs up, as far as it can be read.
    :ivar servers_are_known: whether those are all: a list that is sent back
        without one would take that server out of the policy.
    :ivar operation: its only scheduled operation, as it came; empty if there
        is none, or more than the one that the reference allows.
    :ivar body: the answer as it came.
    """

    id: str
    name: str | None
    description: str | None = None
    status: str = ''
    is_enabled: bool | None = None
    servers: tuple[PolicyServer, ...] = ()
    servers_are_known: bool = True
    operation: Mapping[str, Any] = field(default_factory=dict, repr=False)
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Policy:
        """Read a policy object.

        :raises MalformedResponse: if the id is missing.
        """
        operation = _only_operation(body.get('scheduled_operations'))
        servers = _servers(body.get('resources'))
        return cls(
            id=id_of(body, 'policy'),
            name=name_or_none(body.get('name')),
            description=text_or_none(body.get('description')),
            status=str(body.get('status') or ''),
            is_enabled=lenient_bool(operation.get('enabled')),
            servers=tuple(one for one in servers if one is not None),
            servers_are_known=isinstance(body.get('resources'), list)
            and None not in servers,
            operation=operation,
            body=body,
        )

    @property
    def created_at(self) -> str | None:
        """When it was created."""
        return text_or_none(self.body.get('created_at'))

    @property
    def owner(self) -> str | None:
        """The project that it belongs to, where the answer says so."""
        return owner_of(self.body)


class Policies(Collection[Policy]):
    """The calls on policies (``get``: CSBS API, C13).

    What belongs to a policy is read and written as the wire has it, so that
    what is not known here survives a change.

    :param transport: how requests are sent.
    :param url: URL with ``v1`` and the project.
    :param provider_id: a UUID; the reference fixes it for servers.
    :raises InvalidId: if the provider is no UUID.
    """

    route = 'policies'
    key = 'policy'
    noun = 'policy'

    def __init__(
        self,
        transport: Transport,
        url: str,
        provider_id: str = CSBS_PROVIDER,
    ) -> None:
        super().__init__(transport, url)
        self._provider_id = str(uuid_segment(provider_id))

    def read(self, body: Mapping[str, Any]) -> Policy:
        return Policy.from_body(body)

    def list(self, *, name: str | None = None) -> Iterator[Policy]:
        """List policies (CSBS API, C12).

        :param name: exact name, in any form of Unicode.
        :raises AmbiguousListing: if the list cannot be read to its end.
        :raises ServiceError: if the service refuses.
        """
        for spelling in (None,) if name is None else spellings(name):
            yield from self._listed(
                lambda page: self._transport.get(self._address(), page),
                _STYLE,
                paging.query(name=spelling),
                paging.PAGE_SIZE,
                lambda policy: name is None or is_named(policy.name, name),
            )

    def create(self, policy: Mapping[str, Any]) -> tuple[Policy, Receipt]:
        """Create a policy (CSBS API, C11; 200).

        :param policy: ``name``, ``resources`` and ``scheduled_operations``
            as the reference has them, and what else is wanted of
            ``description`` and ``tags``; the provider is added.
        :returns: the policy as it was answered.
        :raises ServiceError: if the service refuses.
        :raises ConnectionFailed: if it could not be sent.
        :raises OutcomeUnknown: if it may have been created: also if the
            answer has no ID that can be used.
        """
        document, receipt = self._transport.post(
            self._address(),
            {
                'policy': {
                    **policy,
                    'provider_id': self._provider_id,
                    'parameters': {'common': {}},
                }
            },
            accepted=200,
        )
        return self._answered(document, receipt), receipt

    def update(
        self, id: str, changes: Mapping[str, Any]
    ) -> tuple[Policy, Receipt]:
        """Change a policy (CSBS API, C14; 200).

        Whether ``resources`` and ``operation_definition`` are replaced or
        merged is not documented: send them whole, and read the policy again.
        It is sent once: after a pause the policy may be another one.

        :param id: a UUID.
        :param changes: ``name``, ``description``, ``resources`` and
            ``scheduled_operations``, of which each may be left out.  The
            operation needs its ``id``, and without ``enabled`` it is
            switched on.
        :returns: the policy as it was answered, without its tags.
        :raises InvalidId: if it is no UUID; nothing was sent.
        :raises ServiceError: if the service refuses.
        :raises ConnectionFailed: if it could not be sent.
        :raises OutcomeUnknown: if it may have been changed: also if the
            answer is about another policy.
        """
        segment = uuid_segment(id)
        document, receipt = self._transport.put(
            self._address(segment),
            {'policy': dict(changes)},
            accepted=200,
            repeats=False,
        )
        return self._answered(document, receipt, segment), receipt

    def delete(self, id: str) -> Receipt:
        """Delete a policy (CSBS API, C15; 200).

        What it has backed up stays.

        :param id: a UUID.
        :raises InvalidId: if it is no UUID; nothing was sent.
        :raises ServiceError: if the service refuses.
        """
        return self._transport.delete(
            self._address(uuid_segment(id)), accepted=200
        )

    def _answered(
        self,
        document: Mapping[str, Any],
        receipt: Receipt,
        id: str | None = None,
    ) -> Policy:
        """The policy that a change was answered with.

        :param id: of the one that was changed.
        :raises OutcomeUnknown: if there is none, or another one.
        """
        body = dict_or_empty(document.get(self.key))
        answered = id_or_none(body.get('id')) or ''
        if not is_uuid(answered) or id not in (None, answered):
            raise errors.OutcomeUnknown(
                errors.UnexpectedSuccess(
                    'the service accepted it and answered without the policy',
                    status=receipt.status,
                    request_id=receipt.request_id,
                )
            )
        return self.read(body)


def _only_operation(operations: Any) -> Mapping[str, Any]:
    if isinstance(operations, list) and len(operations) == 1:
        return dict_or_empty(operations[0])
    return {}


def _servers(resources: Any) -> list[PolicyServer | None]:
    """The servers among some resources; None for what cannot be read."""
    if not isinstance(resources, list):
        return []
    read: list[PolicyServer | None] = []
    for resource in resources:
        if not isinstance(resource, dict):
            read.append(None)
        elif resource.get('type', _SERVER) == _SERVER:
            id = lenient_id(resource.get('id'))
            name = name_or_none(resource.get('name'))
            read.append(None if id is None else PolicyServer(id, name))
    return read
