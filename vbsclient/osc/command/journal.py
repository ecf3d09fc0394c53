# SPDX-License-Identifier: Apache-2.0
"""A record of every change that survives the end of the process."""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

from osc_lib import exceptions

from vbsclient.api import errors
from vbsclient.api.http import Handle
from vbsclient.change.targets import ReceiptT, Recorder, Target

LOG = logging.getLogger(__name__)


class Journal(Recorder):
    """One JSON line before and one after every request that changes something.

    Each line is one write at the end of the file, which is locked for it:
    lines of several threads and processes stay whole, and what was torn, by
    a full disk or a kill, is ended once before the next one.

    :param path: the file; made with mode 0600 if it is not there.
    :param context: what each line says of cloud, project, user, command.
    :raises CommandError: if it cannot be opened; nothing was sent then.
    """

    def __init__(self, path: str, context: Mapping[str, Any]) -> None:
        self._context = context
        self._path = path
        self._torn = False
        self._lock = threading.Lock()
        try:
            self._file = _open(path)
        except (OSError, ValueError) as error:
            reason = getattr(error, 'strerror', None) or error
            raise exceptions.CommandError(
                f'The journal {path!r} cannot be opened ({reason}): nothing '
                f'was sent.'
            ) from error

    def record(
        self,
        target: Target,
        action: str,
        send: Callable[[], ReceiptT],
        *,
        before: Mapping[str, Any] | None = None,
    ) -> ReceiptT:
        """Note that a request is sent, send it, note what came of it.

        :raises ClientError: if the first line cannot be written; nothing
            was sent then.
        """
        facts = {} if before is None else {'before': dict(before)}
        try:
            self._write(target, action, event='request', **facts)
        except OSError as error:
            raise errors.ClientError(
                f'the journal cannot be written ({error.strerror}), so that '
                f'it was not sent'
            ) from error
        try:
            receipt = send()
        except BaseException as error:
            self._write_later(target, action, 'answer', **_failure(error))
            raise
        self._write_later(
            target,
            action,
            'answer',
            result='accepted',
            status=receipt.status,
            request_id=receipt.request_id,
            attempts=receipt.attempts,
            **_ids_of(receipt.handle),
        )
        return receipt

    def settle(self, target: Target, action: str) -> None:
        """Note by what a change is followed whose answer was lost."""
        ids = _ids_of(target.handle)
        self._write_later(target, action, 'settled', result='accepted', **ids)

    def close(self) -> None:
        """Close the file, and say so if a line is missing in it."""
        os.close(self._file)
        if self._torn:
            LOG.warning(
                'The journal %s is not complete: it could not be written.',
                self._path,
            )

    def _write_later(
        self, target: Target, action: str, event: str, **facts: Any
    ) -> None:
        """Write a line about what was sent already."""
        try:
            self._write(target, action, event=event, **facts)
        except OSError:
            # The request is a fact by now, whatever the disk says.
            self._torn = True

    def _write(self, target: Target, action: str, **facts: Any) -> None:
        line = {
            'at': datetime.now(timezone.utc).isoformat(),
            **self._context,
            'action': action,
            'type': target.type,
            'source': target.source,
            'id': target.id,
            'name': target.name,
            **({'new_name': target.new_name} if target.new_name else {}),
            **facts,
        }
        data = f'{json.dumps(line)}\n'.encode()
        with self._lock, _locked(self._file):
            if _is_torn(self._file):
                data = b'\n' + data
            if os.write(self._file, data) < len(data):
                # There was room for a part of it, which says nothing.
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _open(path: str) -> int:
    """A file to append to, which is a regular file.

    :raises OSError: if it cannot be opened, or is a pipe, a socket or a
        terminal, which could block the run and record nothing.
    """
    flags = os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_NOCTTY
    try:
        file = os.open(path, os.O_RDWR | flags, 0o600)
    except PermissionError:
        # One that may be written and not read.
        file = os.open(path, os.O_WRONLY | flags, 0o600)
    mode = os.fstat(file).st_mode
    if stat.S_ISFIFO(mode) or os.isatty(file):
        os.close(file)
        raise OSError(errno.EINVAL, 'it is not a file')
    return file


@contextmanager
def _locked(file: int) -> Iterator[None]:
    """Keep other processes from writing; where that is not to be had, not."""
    with suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_UN)


def _is_torn(file: int) -> bool:
    """Whether the last line is not ended."""
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return False
        end = os.lseek(file, 0, os.SEEK_END)
        return end > 0 and os.pread(file, 1, end - 1) != b'\n'
    except OSError:
        # It may not be read.
        return False


def _ids_of(handle: Handle | None) -> dict[str, str]:
    """By what the change can be followed."""
    ids = asdict(handle) if handle else {}
    return {key: id for key, id in ids.items() if id is not None}


def _failure(error: BaseException) -> dict[str, Any]:
    if isinstance(error, errors.RepeatedDelete):
        return {**_failure(error.error), 'attempts': error.attempts}
    if isinstance(error, errors.OutcomeUnknown):
        return {**_failure(error.refusal), 'result': 'unknown'}
    if isinstance(error, errors.LoginRefused | errors.LoginUnanswered):
        answered = {'result': 'refused', 'status': 401}
        return {
            **(answered if error.answered else {'result': 'not sent'}),
            'message': error.message[:1000],
        }
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
