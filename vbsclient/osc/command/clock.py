# SPDX-License-Identifier: Apache-2.0
"""Whether this machine and the services agree on the time.

Ages are counted from now, and now is what this machine says.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

from osc_lib import exceptions

from vbsclient.api.client import ServiceClient

LOG = logging.getLogger(__name__)

#: A difference that is said, and one with which no rule is applied.
_SAID = timedelta(minutes=5)
_REFUSED = timedelta(hours=1)


def refuse_wrong_clock(clients: Iterable[ServiceClient]) -> None:
    """Apply no rule by the clock of a machine that is far off.

    :param clients: those that the service has answered.
    :raises CommandError: if it is more than an hour off.
    """
    offset = _largest_offset(clients)
    if offset is None:
        LOG.info('No service said what time it is: clocks are not compared.')
    elif abs(offset) > _REFUSED:
        raise exceptions.CommandError(
            f'{_times(offset)}: rules would be applied by a wrong time. '
            f'Nothing was deleted. Set the clock and run it again.'
        )
    elif abs(offset) > _SAID:
        LOG.warning('%s: rules go by this machine.', _times(offset))


def warn_of_wrong_clock(clients: Iterable[ServiceClient]) -> None:
    """Say that ages are counted from a time that is far off."""
    offset = _largest_offset(clients)
    if offset is not None and abs(offset) > _REFUSED:
        LOG.warning(
            '%s: ages such as 30d are counted by this machine.',
            _times(offset),
        )


def _largest_offset(clients: Iterable[ServiceClient]) -> timedelta | None:
    offsets = [
        client.transport.clock_offset
        for client in clients
        if client.transport.clock_offset is not None
    ]
    return max(offsets, key=abs, default=None)


def _times(offset: timedelta) -> str:
    now = datetime.now(timezone.utc)
    try:
        service = f'{now + offset:%Y-%m-%d %H:%M}'
    except OverflowError:
        service = 'out of range'
    return (
        f'The clock of this machine ({now:%Y-%m-%d %H:%M} UTC) and that of '
        f'the service ({service} UTC) differ'
    )
