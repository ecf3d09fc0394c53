# SPDX-License-Identifier: Apache-2.0
"""What answers prove: that a thing is there, is going, or is gone.

This is the one place that decides it.  A thing that this run saw is gone if
two answers say so: its own GET says 404 (or shows it as ``deleted``), and a
list of the same endpoint can be read and lacks it.  Either answer alone may
come from a gateway that has no such route, or from a replica that lags.
"""

from __future__ import annotations

from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from functools import partial
from typing import Generic, TypeVar

from vbsclient import bulk
from vbsclient.api import errors
from vbsclient.api.http import Limits
from vbsclient.api.values import Known
from vbsclient.lookup.refusals import MissingError
from vbsclient.waiting import ResourceStatus
from vbsclient.wording import brief

AnswerT = TypeVar('AnswerT')

#: Up to so many are asked for by a GET each, more by list pages.
MAX_SINGLE_GETS = 3

#: By name or id: what was found, or why nothing was.
LookupResult = dict[str, AnswerT | errors.ClientError]


class Gone(errors.ClientError):
    """Proven: neither its own GET nor the list of its endpoint knows it."""


class Unproven(errors.ClientError):
    """Answers that do not agree, or too few, on whether a thing is there."""


def is_gone(status: str) -> bool:
    """Whether a status means that the resource does not exist any more."""
    return status == 'deleted'


def is_going(status: str) -> bool:
    """Whether a status means that a deletion was accepted before."""
    return status in ('deleting', 'waiting_delete')


def gone(answer: object) -> Known:
    """What a finding of :class:`Existence` says of whether a thing is gone."""
    if isinstance(answer, Gone):
        return Known.YES
    if isinstance(answer, errors.ClientError):
        return Known.UNKNOWN
    return Known.NO


class Existence(Generic[AnswerT]):
    """Whether the resources of one endpoint are there.

    :param get: GETs one, by its id.
    :param listed: the rows of the list of the same endpoint, with at least
        those of the ids that it is given.
    :param status_of: the status of one.
    """

    def __init__(
        self,
        get: Callable[[str], AnswerT],
        listed: Callable[[Collection[str]], Iterable[AnswerT]],
        status_of: Callable[[AnswerT], str] = lambda row: row.status,  # type: ignore[attr-defined]
    ) -> None:
        self._get = get
        self._listed = listed
        self._status_of = status_of

    def of(
        self,
        ids: Sequence[str],
        limits: Limits,
        *,
        rows: Iterable[AnswerT] = (),
        unlisted: bool = False,
    ) -> LookupResult[AnswerT]:
        """Ask for each: the resource, :class:`Gone`, or why it is not known.

        :param rows: what a list has just shown; it is not asked for again.
        :param unlisted: whether that list would have shown all of them.
        :raises ClientError: what is no answer about one of them: a failed
            login, no connection, an endpoint that has no such list.
        """
        wanted = set(ids)
        shown: LookupResult[AnswerT] = {
            row.id: row  # type: ignore[attr-defined]
            for row in rows
            if row.id in wanted and not self._is_absent(row)  # type: ignore[attr-defined]
        }
        absent = [id for id in ids if id not in shown]
        found = ask_each(absent, self._get, limits)
        self._prove(found, unlisted=unlisted)
        return shown | found

    def now(self, id: str) -> AnswerT | errors.ClientError:
        """The same of one, without a thread of its own.

        :raises ClientError: as :meth:`of`.
        """
        found: LookupResult[AnswerT] = {id: _answer(partial(self._get, id))}
        self._prove(found, unlisted=False)
        return found[id]

    def status_now(self, id: str) -> str | None:
        """The status of one; None once it is proven to be gone.

        :raises ClientError: if it cannot be determined.
        """
        answer = self.now(id)
        if gone(answer) is Known.YES:
            return None
        if isinstance(answer, errors.ClientError):
            raise answer
        return self._status_of(answer)

    def _prove(self, found: LookupResult[AnswerT], *, unlisted: bool) -> None:
        """Let the list decide of what its own GET does not show."""
        absent = [id for id, one in found.items() if self._is_absent(one)]
        if not absent:
            return
        shown = {} if unlisted else self._shown(absent)
        for id in absent:
            if isinstance(shown, errors.ClientError):
                found[id] = Unproven(
                    f'the service does not show {id}, and its list, which '
                    f'would prove that it is gone, could not be read: '
                    f'{shown.message}',
                    shown.hint,
                )
            elif id in shown:
                found[id] = Unproven(
                    f'the service does not show {id}, but its list does '
                    f'(status {brief(shown[id])})',
                    'Try again later; if it stays so, tell the operator of '
                    'the cloud.',
                )
            else:
                found[id] = Gone(f'{id} is gone')

    def _is_absent(self, answer: AnswerT | errors.ClientError) -> bool:
        if isinstance(answer, errors.ClientError):
            return isinstance(answer, errors.NotFound)
        return is_gone(self._status_of(answer))

    def _shown(
        self, ids: Collection[str]
    ) -> dict[str, str] | errors.ClientError:
        """The status by id of what the list shows, or why it says nothing."""
        shown: dict[str, str] = {}
        wanted = set(ids)
        try:
            for row in self._listed(ids):
                status = self._status_of(row)
                if row.id in wanted and not is_gone(status):  # type: ignore[attr-defined]
                    shown[row.id] = status  # type: ignore[attr-defined]
        except errors.Unauthorized:
            raise
        except (
            errors.ServiceError,
            errors.MalformedResponse,
            errors.AmbiguousListing,
        ) as error:
            return error
        return shown


def ask_each(
    ids: Sequence[str], get: Callable[[str], AnswerT], limits: Limits
) -> LookupResult[AnswerT]:
    """One GET for each id, at the same time, and what it says alone.

    :raises ClientError: what is no answer about one of them: a failed login,
        no connection, an interruption.
    """
    outcomes: list[bulk.Outcome[str, AnswerT]] = bulk.each(ids, get, limits)
    return {o.target: _answer(partial(bulk.result_of, o)) for o in outcomes}


def _answer(ask: Callable[[], AnswerT]) -> AnswerT | errors.ClientError:
    try:
        return ask()
    except errors.Unauthorized:
        raise
    except (errors.ServiceError, errors.MalformedResponse) as error:
        return error


def missing_if_gone(
    found: LookupResult[AnswerT], what: str
) -> LookupResult[AnswerT]:
    """The same for who named them: what is gone was not found."""
    return {
        id: MissingError(f'No {what} found for {id!r}')
        if gone(answer) is Known.YES
        else answer
        for id, answer in found.items()
    }


def seen_in(
    found: LookupResult[AnswerT], seen_of: Callable[[AnswerT], ResourceStatus]
) -> dict[str, ResourceStatus]:
    """The same for who waits for them; left out if it is unknown."""
    seen: dict[str, ResourceStatus] = {}
    for id, answer in found.items():
        if not isinstance(answer, errors.ClientError):
            seen[id] = seen_of(answer)
        elif gone(answer) is Known.YES:
            seen[id] = ResourceStatus(None)
    return seen


def owners_to_list(
    ids: Collection[str], owners: Mapping[str, str | None]
) -> Collection[str | None]:
    """What to list to see these: their owners, or everything (None).

    :param owners: by id, of those that this run saw: the lists of a few
        owners are shorter than that of all.
    """
    found = {owners.get(id) for id in ids}
    return (
        found
        if len(found) <= MAX_SINGLE_GETS and None not in found
        else (None,)
    )
