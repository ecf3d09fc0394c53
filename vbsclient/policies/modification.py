# SPDX-License-Identifier: Apache-2.0
"""Changing a policy that was just read, and reading it again.

A policy is changed as a whole, and no service knows of versions: what is
different afterwards is compared with what was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vbsclient.api import errors
from vbsclient.api.http import Limits, Receipt
from vbsclient.change.targets import Recorder, Target
from vbsclient.creation import base
from vbsclient.lookup.names import foreign
from vbsclient.policies.members import called
from vbsclient.policies.services import PolicyService
from vbsclient.schedule.comparison import Difference, differences

#: What to do where a service wanted a pause: the policy that was read may be
#: another one after it.
LATER = 'Run the command again later.'


@dataclass(frozen=True)
class Modified:
    """A policy that was changed, and read again.

    :ivar before: as it was read just before.
    :ivar after: as it was read afterwards.
    :ivar differs: what is not as it was before or as it was sent.
    :ivar lost: how its request ended, if it may not have been accepted.
    :ivar answered: the policy, as its request was answered; None if it was
        not.
    """

    before: Any
    after: Any
    differs: Sequence[Difference] = ()
    request_id: str | None = None
    lost: errors.OutcomeUnknown | None = None
    answered: Any = None


def modify(
    service: PolicyService,
    before: Any,
    changes: Mapping[str, Any],
    target: Target,
    action: str,
    recorder: Recorder,
    limits: Limits,
) -> Modified:
    """Send the change of a policy, and read what has come of it.

    :param before: the policy as it was just read.
    :param target: the policy, for a journal, which keeps it as it was.
    :raises RefusedError: if it belongs to another project.
    :raises OutcomeUnknown: if it cannot be read again.
    :raises ServiceError: if the service refuses it.
    """
    if not service.policies.owns(before):
        raise foreign(before.owner, f'the policy {called(before)}', 'change')
    old = service.raw(before)
    answered: Any = None

    def send() -> Receipt:
        nonlocal answered
        answered, receipt = service.update(before.id, changes)
        return receipt

    lost: errors.OutcomeUnknown | None = None
    request_id = None
    try:
        request_id = recorder.record(
            target, action, send, before=old
        ).request_id
    except errors.TooManyRequests as error:
        raise error.revised(hint=LATER) from error
    except errors.OutcomeUnknown as unknown:
        lost, request_id = unknown, unknown.request_id
    after = None
    differs: Sequence[Difference] = ()
    read_error: errors.ClientError | None = None
    for pause in base.LOOKS:
        # What is answered may be behind.
        if limits.stop.wait(pause):
            break
        try:
            after = service.policies.get(before.id)
        except errors.ClientError as error:
            read_error = error
            continue
        differs = differences(old, changes, service.raw(after))
        if not differs:
            break
    if after is None:
        raise errors.OutcomeUnknown(
            lost.refusal
            if lost
            else errors.UnexpectedSuccess(
                f'the service accepted the change of the policy '
                f'{called(before)}',
                status=0,
                request_id=request_id,
            ),
            read_error,
        )
    return Modified(before, after, differs, request_id, lost, answered)
