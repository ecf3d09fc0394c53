# SPDX-License-Identifier: Apache-2.0
"""Whether this machine and the services agree on the time.

Ages are counted from now, as this machine knows it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

from osc_lib import exceptions

from vbsclient.api.client import ServiceClient

LOG = logging.getLogger(__name__)

#: A difference to warn of, and one with which no rule is applied.
_WARN = timedelta(minutes=5)
_REFUSE = timedelta(hours=1)


def refuse_wrong_clock(clients: Iterable[ServiceClient]) -> None:
    """Apply no rule by a clock that is far off.

    :raises CommandError: if it is more than an hour off.
    """
    offset = _largest_offset(clients)
    if offset is None:
        LOG.info('No service sent its time: clocks are not compared.')
    elif abs(offset) > _REFUSE:
        raise exceptions.CommandError(
            f'{_difference(offset)}: rules would be applied by a wrong time. '
            f'Nothing was deleted. Set the clock and run the command again.'
        )
    elif abs(offset) > _WARN:
        LOG.warning('%s: rules go by this machine.', _difference(offset))


def warn_of_wrong_clock(clients: Iterable[ServiceClient]) -> None:
    """Warn that ages are counted by a clock that is far off."""
    offset = _largest_offset(clients)
    if offset is not None and abs(offset) > _REFUSE:
        LOG.warning(
            '%s: ages such as 30d are counted by this machine.',
            _difference(offset),
        )


def _largest_offset(clients: Iterable[ServiceClient]) -> timedelta | None:
    offsets = (client.transport.clock_offset for client in clients)
    return max((o for o in offsets if o is not None), key=abs, default=None)


def _difference(offset: timedelta) -> str:
    now = datetime.now(timezone.utc)
    try:
        service = f'{now + offset:%Y-%m-%d %H:%M}'
    except OverflowError:
        service = 'out of range'
    return (
        f'The clock of this machine ({now:%Y-%m-%d %H:%M} UTC) and that of '
        f'the service ({service} UTC) differ'
    )
