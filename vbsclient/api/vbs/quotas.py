# SPDX-License-Identifier: Apache-2.0
"""Quotas of VBS: a vendor call, v2 only."""

from __future__ import annotations

from vbsclient.api.http import Transport, resource_path
from vbsclient.api.quotas import Quota, quotas_of


def get_quotas(transport: Transport, url: str) -> list[Quota]:
    """What the project may keep and keeps (VBS API, V4).

    :param transport: how requests are sent.
    :param url: URL with ``v2`` and the project.
    :raises MalformedResponse: if the answer has no quotas.
    :raises ServiceError: if the service refuses.
    """
    return quotas_of(
        transport.get(f'{url}/{resource_path("cloudbackups", "quota")}')
    )
