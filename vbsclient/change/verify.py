# SPDX-License-Identifier: Apache-2.0
"""What became of a request whose answer does not tell: a look decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vbsclient.api import errors
from vbsclient.api.http import Receipt
from vbsclient.api.values import Known
from vbsclient.bulk import Limits
from vbsclient.change.targets import Done, Recorder, Target
from vbsclient.lookup.existence import is_going
from vbsclient.wording import brief

#: Seconds until what a DELETE may have begun is looked at once more.
SECOND_LOOK = 1.0

#: A client, or a gateway, that did not wait for the end: as with a 5xx the
#: service may still be at it.
_NOT_WAITED_FOR = (408, 499)


@dataclass(frozen=True)
class Verdict(Receipt):
    """A DELETE whose answer refuses, and of which a look says otherwise."""

    is_finished: bool = False


def delete_and_verify(
    recorder: Recorder,
    target: Target[Any],
    action: str,
    send: Callable[[], Receipt],
    status_now: Callable[[], str | None],
    *,
    limits: Limits,
) -> Done:
    """Send a DELETE; after any doubtful answer let a look decide.

    No refusal proves anything by itself: a Cinder without its backup worker
    says 404, a gateway says what it likes, and the first of several attempts
    may have been carried out.  The exception is a 401 after a new login.

    :param status_now: looks at the resource; None once it is gone.
    :raises ServiceError: the refusal, if the resource stays as it was.
    :raises OutcomeUnknown: if nobody knows.
    """

    def judged() -> Receipt:
        try:
            return send()
        except errors.RepeatedDelete as repeated:
            return _judge(
                repeated.error, repeated.attempts, status_now, limits
            )
        except errors.Unauthorized:
            raise
        except (errors.ServiceError, errors.ConnectionFailed) as error:
            if not may_have_acted(error):
                raise
            return _judge(error, 1, status_now, limits)

    receipt = recorder.delete(target, action, judged)
    if not isinstance(receipt, Verdict):
        return Done(receipt.request_id)
    return Done(
        receipt.request_id,
        finished=receipt.is_finished,
        detail='is gone' if receipt.is_finished else 'is being deleted',
    )


def may_have_acted(error: BaseException | None) -> bool:
    """Whether a DELETE reached the service, whatever was answered."""
    if isinstance(error, errors.ConnectionFailed):
        return error.sent
    return isinstance(
        error,
        errors.ServiceError | errors.RepeatedDelete | errors.OutcomeUnknown,
    )


def _judge(
    refusal: errors.ServiceError | errors.ConnectionFailed,
    attempts: int,
    status_now: Callable[[], str | None],
    limits: Limits,
) -> Verdict:
    """Accept or refuse by what looks say.

    :raises OutcomeUnknown: if they say nothing.
    """
    try:
        status = status_now()
        stays = status is not None and not is_going(status)
        if stays and (attempts > 1 or may_go_on(refusal)):
            limits.stop.wait(SECOND_LOOK)
            status = status_now()
    except errors.ClientError as error:
        raise errors.OutcomeUnknown(refusal, error) from None
    if status is None or is_going(status):
        return Verdict(
            getattr(refusal, 'status', 0),
            getattr(refusal, 'request_id', None),
            attempts,
            is_finished=status is None,
        )
    if isinstance(refusal, errors.ConnectionFailed):
        # What was lost may still arrive.
        raise errors.OutcomeUnknown(refusal)
    if isinstance(refusal, errors.NotFound):
        refusal.hint = (
            f'It still exists (status {brief(status)}), so that something '
            f'else is missing, such as the service that deletes. Tell the '
            f'operator of the cloud.'
        )
    raise refusal


def may_go_on(refusal: BaseException | None) -> bool:
    """Whether what was sent may take effect later than its answer.

    Not after a refusal that the service itself has spoken: that of a gateway
    tells nothing of what the service behind it does.
    """
    if not isinstance(refusal, errors.ServiceError):
        return may_have_acted(refusal)
    clear = 400 <= refusal.status < 500 and refusal.own is Known.YES
    return not clear or refusal.status in _NOT_WAITED_FOR
