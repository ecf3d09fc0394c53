# SPDX-License-Identifier: Apache-2.0
"""What became of a DELETE with a doubtful answer: a GET decides."""

from __future__ import annotations

from collections.abc import Callable

from vbsclient.api import errors
from vbsclient.api.http import Limits, Receipt
from vbsclient.api.values import Known
from vbsclient.change.targets import Done, Recorder, Target
from vbsclient.lookup.existence import is_going
from vbsclient.wording import brief

#: Seconds until a resource is read again whose deletion may have begun.
SECOND_LOOK = 1.0

#: A client, or a gateway, that did not wait for the end: as with a 5xx the
#: service may still be at it.
_NOT_WAITED_FOR = (408, 499)


def delete_and_verify(
    recorder: Recorder,
    target: Target,
    action: str,
    send: Callable[[], Receipt],
    status_now: Callable[[], str | None],
    *,
    limits: Limits,
) -> Done:
    """Send a DELETE; after any doubtful answer read the resource.

    No refusal proves anything by itself: a Cinder without its backup worker
    says 404, a gateway says anything, and the first of several attempts may
    have been carried out.  The exception is a 401 after a new login.

    :param status_now: reads the resource; None once it is gone.
    :raises ServiceError: the refusal, if the resource is unchanged.
    :raises OutcomeUnknown: if it cannot be known.
    """
    found: list[Done] = []

    def verified() -> Receipt:
        try:
            return send()
        except errors.Unauthorized:
            raise
        except (
            errors.ServiceError,
            errors.ConnectionFailed,
            errors.RepeatedDelete,
        ) as error:
            if not may_have_acted(error):
                raise
            if isinstance(error, errors.RepeatedDelete):
                refusal, attempts = error.error, error.attempts
            else:
                refusal, attempts = error, 1
            found.append(_verify(refusal, attempts, status_now, limits))
            status = getattr(refusal, 'status', 0)
            return Receipt(status, found[0].request_id, attempts)

    receipt = recorder.record(target, action, verified)
    return found[0] if found else Done(receipt.request_id)


def may_have_acted(error: BaseException | None) -> bool:
    """Whether a DELETE reached the service, whatever was answered."""
    if isinstance(error, errors.ConnectionFailed):
        return error.sent
    return isinstance(
        error,
        errors.ServiceError | errors.RepeatedDelete | errors.OutcomeUnknown,
    )


def _verify(
    refusal: errors.ServiceError | errors.ConnectionFailed,
    attempts: int,
    status_now: Callable[[], str | None],
    limits: Limits,
) -> Done:
    """Accept or refuse by what reading the resource says.

    :raises OutcomeUnknown: if it says nothing.
    """
    try:
        status = status_now()
        remains = status is not None and not is_going(status)
        if remains and (attempts > 1 or may_go_on(refusal)):
            limits.stop.wait(SECOND_LOOK)
            status = status_now()
    except errors.ClientError as error:
        raise errors.OutcomeUnknown(refusal, error) from None
    request_id = getattr(refusal, 'request_id', None)
    if status is None:
        return Done(request_id, is_final=True, detail='is gone')
    if is_going(status):
        return Done(request_id, detail='is being deleted')
    if isinstance(refusal, errors.ConnectionFailed):
        # What was lost may still arrive.
        raise errors.OutcomeUnknown(refusal)
    if isinstance(refusal, errors.NotFound):
        raise refusal.revised(
            hint=f'It still exists (status {brief(status)}), so that '
            f'something else is missing, such as the service that deletes. '
            f'Tell the operator of the cloud.'
        )
    raise refusal


def may_go_on(refusal: BaseException | None) -> bool:
    """Whether what was sent may take effect later than its answer.

    Not after a refusal that the service itself has given: that of a gateway
    says nothing about the service behind it.
    """
    if not isinstance(refusal, errors.ServiceError):
        return may_have_acted(refusal)
    clear = 400 <= refusal.status < 500 and refusal.own is Known.YES
    return not clear or refusal.status in _NOT_WAITED_FOR
