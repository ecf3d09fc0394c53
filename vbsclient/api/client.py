# SPDX-License-Identifier: Apache-2.0
"""What the clients of both services are made of."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from keystoneauth1.session import Session

from vbsclient.api.http import Deadline, Transport


class ServiceClient:
    """One service on any keystoneauth session.

    :param session: an authenticated keystoneauth session.
    :param region_name: the region of the cloud.
    :param interface: the interface (or interfaces, best first).
    :param endpoint_override: a URL in place of the catalog's; it may hold
        ``%(project_id)s``.
    :param timeout: (connect, read) in seconds.
    :param concurrency: the most requests under way at a time.
    :param stop: once set, no further request is sent.
    :param deadline: behind it nothing is repeated any more.
    """

    def __init__(
        self,
        session: Session,
        *,
        region_name: str | None = None,
        interface: str | Sequence[str] | None = 'public',
        endpoint_override: str | None = None,
        timeout: tuple[float, float] | None = None,
        concurrency: int = 10,
        stop: threading.Event | None = None,
        deadline: Deadline | None = None,
    ) -> None:
        self._region_name = region_name
        self._interface = interface
        self._override = endpoint_override
        self.transport = Transport(
            session,
            timeout=timeout,
            concurrency=concurrency,
            stop=stop,
            deadline=deadline,
        )
        # The one that was given stays as it is.
        self._session = self.transport.session
