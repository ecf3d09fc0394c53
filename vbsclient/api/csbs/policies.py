# SPDX-License-Identifier: Apache-2.0
"""Backup policies of CSBS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from vbsclient.api import paging
from vbsclient.api.collection import Collection, id_of
from vbsclient.api.names import is_named, name_or_none, spellings

_STYLE = paging.Style('policies', 'marker', links='policies_links')


@dataclass(frozen=True)
class Policy:
    """A policy, as C12 (list) and C13 (show) give it.

    :ivar body: the answer as it came.
    """

    id: str
    name: str | None
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)


class Policies(Collection[Policy]):
    """The calls on policies (``get``: CSBS API, C13)."""

    route = 'policies'
    key = 'policy'
    noun = 'policy'

    def read(self, body: Mapping[str, Any]) -> Policy:
        return Policy(
            id_of(body, self.noun), name_or_none(body.get('name')), body
        )

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
