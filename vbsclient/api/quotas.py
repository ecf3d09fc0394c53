# SPDX-License-Identifier: Apache-2.0
"""What a project may keep, as both services answer it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vbsclient.api import errors
from vbsclient.api.values import int_or_none, text_or_none

#: ``quota`` where there is no limit.
UNLIMITED = -1


@dataclass(frozen=True)
class Quota:
    """The limit of one kind of resource.

    :ivar type: ``backups`` (a number), ``backup_gigabytes`` of VBS and
        ``backup_capacity`` of CSBS (both in GB).
    :ivar used: how much there is.
    :ivar reserved: what is being made; VBS alone says it.
    :ivar quota: the limit; -1 for none.
    :ivar unit: ``GB``, or None for numbers and where it is not said.
    """

    type: str
    used: int | None
    reserved: int | None
    quota: int | None
    unit: str | None = None


def quotas_of(body: Mapping[str, Any]) -> list[Quota]:
    """Read ``{"quotas": {"resources": [...]}}``.

    :raises MalformedResponse: if it is something else.
    """
    quotas = body.get('quotas')
    resources = quotas.get('resources') if isinstance(quotas, dict) else None
    if not isinstance(resources, list):
        raise errors.MalformedResponse(
            'the service answered without a list of quotas',
            'Check that the endpoint is the right one.',
        )
    return [_quota(row) for row in resources if isinstance(row, dict)]


def _quota(row: Mapping[str, Any]) -> Quota:
    return Quota(
        # The reference prints one type with a blank inside.
        type=''.join(str(row.get('type') or '').split()),
        used=int_or_none(row.get('used')),
        reserved=int_or_none(row.get('reserved')),
        quota=int_or_none(row.get('quota')),
        unit=text_or_none(row.get('unit')),
    )
