# SPDX-License-Identifier: Apache-2.0
"""A record of every DELETE that survives the end of the process."""

from __future__ import annotations

import errno
import json
import logging
import os
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from osc_lib import exceptions

from vbsclient.api import errors
from vbsclient.deletion.targets import ReceiptT, Target

LOG = logging.getLogger(__name__)


class NoJournal:
    """The recorder of a run that keeps none."""

    def delete(
        self, target: Target[Any], action: str, send: Callable[[], ReceiptT]
    ) -> ReceiptT:
        """Send."""
        return send()

    def close(self) -> None:
        """There is nothing to close."""


class Journal:
    """One JSON line before and one after every DELETE.

    Each line is one write at the end of the file, so that lines of several
    threads and of several processes stay whole.

    :param path: the file; made with mode 0600 if it is not there.
    :param context: what each line says of cloud, project, user, command.
    :raises CommandError: if it cannot be opened; nothing was sent then.
    """

    def __init__(self, path: str, context: Mapping[str, Any]) -> None:
        self._context = context
        self._path = path
        self._torn = False
        #: What makes the next line one of its own.
        self._before = b'' if _ends_with_a_line(path) else b'\n'
        try:
            self._file = os.open(
                path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, 'strerror', None) or error
            raise exceptions.CommandError(
                f'The journal {path!r} cannot be opened ({reason}): nothing '
                f'was sent.'
            ) from error

    def delete(
        self, target: Target[Any], action: str, send: Callable[[], ReceiptT]
    ) -> ReceiptT:
        """Note that a DELETE is sent, send it, note what came of it.

        :raises ClientError: if the first line cannot be written; nothing
            was sent then.
        """
        try:
            self._write(target, action, event='request')
        except OSError as error:
            raise errors.ClientError(
                f'the journal cannot be written ({error.strerror}), so that '
                f'it was not sent'
            ) from error
        try:
            receipt = send()
        except BaseException as error:
            self._write_answer(target, action, **_failure(error))
            raise
        self._write_answer(
            target,
            action,
            result='accepted',
            status=receipt.status,
            request_id=receipt.request_id,
            attempts=receipt.attempts,
        )
        return receipt

    def close(self) -> None:
        """Close the file, and say so if a line is missing in it."""
        os.close(self._file)
        if self._torn:
            LOG.warning(
                'The journal %s is not complete: it could not be written.',
                self._path,
            )

    def _write_answer(
        self, target: Target[Any], action: str, **facts: Any
    ) -> None:
        try:
            self._write(target, action, event='answer', **facts)
        except OSError:
            # The DELETE is a fact by now, whatever the disk says.
            self._torn = True

    def _write(self, target: Target[Any], action: str, **facts: Any) -> None:
        line = {
            'at': datetime.now(timezone.utc).isoformat(),
            **self._context,
            'action': action,
            'type': target.type,
            'source': target.source,
            'id': target.id,
            'name': target.name,
            **facts,
        }
        data = self._before + f'{json.dumps(line)}\n'.encode()
        if os.write(self._file, data) < len(data):
            # There was room for a part of it, which says nothing.
            self._before = b'\n'
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._before = b''


def _ends_with_a_line(path: str) -> bool:
    """Whether a file that grew on a full disk does not end in the middle."""
    try:
        if not Path(path).is_file():
            return True
        with Path(path).open('rb') as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b'\n'
    except (OSError, ValueError):
        # It is empty, or not to be read.
        return True


def _failure(error: BaseException) -> dict[str, Any]:
    if isinstance(error, errors.RepeatedDelete):
        return {**_failure(error.error), 'attempts': error.attempts}
    if isinstance(error, errors.OutcomeUnknown):
        return {**_failure(error.refusal), 'result': 'unknown'}
    if isinstance(error, errors.ServiceError):
        odd = isinstance(error, errors.UnexpectedSuccess)
        return {
            'result': 'unknown' if odd else 'refused',
            'status': error.status,
            'code': error.code,
            'message': error.message[:1000],
            'request_id': error.request_id,
        }
    if isinstance(error, errors.Cancelled):
        return {'result': 'not sent'}
    sent = getattr(error, 'sent', True)
    return {
        'result': 'unknown' if sent else 'not sent',
        'message': str(error)[:1000],
    }
