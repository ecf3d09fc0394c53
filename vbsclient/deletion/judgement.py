# SPDX-License-Identifier: Apache-2.0
"""What answers prove: that a thing is there, is going, or is gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from vbsclient import bulk
from vbsclient.api import errors
from vbsclient.api.http import Receipt
from vbsclient.deletion.targets import Done, Limits
from vbsclient.deletion.wording import brief

AnswerT = TypeVar('AnswerT')

#: By name or id: what was found, or why nothing was.
Findings = dict[str, AnswerT | errors.ClientError]

#: Refusals after which a look at the resource tells what is true.
_WORTH_A_LOOK = (400, 404, 409, 500)


def is_gone(status: str) -> bool:
    """Whether a status means that the resource does not exist any more."""
    return status == 'deleted'


def is_going(status: str) -> bool:
    """Whether a status means that a deletion was accepted before."""
    return status in ('deleting', 'waiting_delete')


def answer_of(
    outcome: bulk.Outcome[Any, AnswerT],
) -> AnswerT | errors.ClientError:
    """What a GET said of one resource: its content, or why there is none.

    :raises ClientError: what is no answer about this one: a failed login,
        no connection, an interruption.
    """
    try:
        return bulk.result_of(outcome)
    except errors.Unauthorized:
        raise
    except (errors.ServiceError, errors.MalformedResponse) as error:
        return error


def ask_each(
    ids: Sequence[str], get: Callable[[str], AnswerT], limits: Limits
) -> Findings[AnswerT]:
    """One GET for each id, at the same time.

    :raises ClientError: as :func:`answer_of`.
    """
    answers: Findings[AnswerT] = {}
    for outcome in bulk.each(
        ids, get, concurrency=limits.concurrency, stop=limits.stop
    ):
        answer = answer_of(outcome)
        answers[outcome.target] = answer
    return answers


def may_be_no_route(answers: Mapping[str, object]) -> bool:
    """Whether GETs of single resources may have missed their route.

    An endpoint that is wrong, or of another version, answers 404 to
    everything; one that knows the route names what it does not find.

    :param answers: what was answered, by id.
    """
    return bool(answers) and all(
        isinstance(answer, errors.NotFound) and id not in answer.message
        for id, answer in answers.items()
    )


def get_surely(
    get: Callable[[str], AnswerT],
    id: str,
    demand_served: Callable[[], object],
) -> AnswerT:
    """One resource; its 404 counts only if the route to it is there.

    :param demand_served: raises if it is not.
    :raises NotFound: if the resource is gone.
    """
    try:
        return get(id)
    except errors.NotFound as error:
        if may_be_no_route({id: error}):
            demand_served()
        raise


def send_and_judge(
    send: Callable[[], Receipt], status_now: Callable[[], str]
) -> Done:
    """Send a DELETE; after a doubtful answer let a GET decide.

    A 404 proves nothing (a Cinder without its backup worker says it too),
    nor does a success that is not the documented one, and the first of
    several attempts may have been carried out.

    :param status_now: GETs the resource; raises NotFound once it is gone,
        and only then.
    :raises ServiceError: the refusal, if the resource stays as it was.
    :raises ConnectionFailed: if nobody knows.
    """
    try:
        receipt = send()
    except errors.ServiceError as error:
        if error.status not in _WORTH_A_LOOK and not isinstance(
            error, errors.UnexpectedSuccess
        ):
            raise
        return _judge(error, status_now, error)
    except errors.RepeatedDelete as repeated:
        # One of the attempts may have been carried out.
        unknown = errors.ConnectionFailed(repeated.message, repeated.hint)
        return _judge(repeated.error, status_now, unknown)
    return Done(receipt.request_id)


def may_have_acted(error: BaseException | None) -> bool:
    """Whether a DELETE reached the service, whatever was answered."""
    if isinstance(error, errors.ConnectionFailed):
        return error.sent
    return isinstance(error, errors.ServiceError | errors.RepeatedDelete)


def _judge(
    refusal: errors.ServiceError | errors.ConnectionFailed,
    status_now: Callable[[], str],
    unseen: errors.ClientError,
) -> Done:
    """Accept or refuse by what a GET says.

    :param unseen: what to raise if it says nothing.
    """
    request_id = getattr(refusal, 'request_id', None)
    try:
        status = status_now()
    except errors.NotFound:
        status = 'deleted'
    except errors.ClientError:
        raise unseen from None
    if is_gone(status):
        return Done(request_id, finished=True, detail='is gone')
    if is_going(status):
        return Done(request_id, detail='is being deleted')
    if isinstance(refusal, errors.NotFound):
        refusal.hint = (
            f'It still exists (status {brief(status)}), so that something '
            f'else is missing, such as the service that deletes. Tell the '
            f'operator of the cloud.'
        )
    raise refusal
