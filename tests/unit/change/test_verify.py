# SPDX-License-Identifier: Apache-2.0
"""What proves that a thing is gone, and what a refused DELETE means."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vbsclient.api import errors
from vbsclient.api.http import Limits, Receipt
from vbsclient.api.values import Known
from vbsclient.change import verify
from vbsclient.change.targets import Done, Recorder, Target
from vbsclient.change.verify import delete_and_verify
from vbsclient.lookup.existence import Existence, Unproven, gone

ID = '00000000-0000-4000-8000-000000000001'
GATEWAY = f'No route for GET /v3/x/backups/{ID}'


@dataclass(frozen=True)
class Row:
    id: str
    status: str


def refusal(status: int, message: str = 'no') -> errors.ServiceError:
    kind = {
        400: errors.BadRequest,
        401: errors.Unauthorized,
        404: errors.NotFound,
    }.get(status, errors.ServiceError)
    return kind(message, status=status)


def existence(get: Any, rows: Any) -> Existence[Row]:
    """One that answers so: a status, or an exception."""

    def ask(id: str) -> Row:
        if isinstance(get, Exception):
            raise get
        return Row(id, get)

    def listed(ids: object) -> Iterator[Row]:
        if isinstance(rows, Exception):
            raise rows
        yield from (Row(ID, status) for status in rows)

    return Existence(ask, listed)


ABSENT = [refusal(404), refusal(404, GATEWAY), 'deleted']
LACKING = [[], ['deleted']]
SHOWING = [['available'], ['deleting'], ['error']]
UNREADABLE = [
    refusal(403),
    refusal(404),
    refusal(500),
    refusal(503),
    errors.AmbiguousListing('it has no end'),
    errors.MalformedResponse('a page'),
]
UNANSWERED = [
    refusal(403),
    refusal(500),
    refusal(503),
    errors.MalformedResponse('another one'),
]


class TestGone:
    @pytest.mark.parametrize('get', ABSENT)
    @pytest.mark.parametrize('rows', LACKING)
    def test_by_its_get_and_by_the_list(self, get: Any, rows: Any) -> None:
        assert gone(existence(get, rows).now(ID)) is Known.YES

    @pytest.mark.parametrize('get', ABSENT)
    @pytest.mark.parametrize('rows', [*SHOWING, *UNREADABLE])
    def test_never_by_its_get_alone(self, get: Any, rows: Any) -> None:
        assert gone(existence(get, rows).now(ID)) is Known.UNKNOWN

    @pytest.mark.parametrize('get', UNANSWERED)
    @pytest.mark.parametrize('rows', [*LACKING, *SHOWING, *UNREADABLE])
    def test_never_by_the_list_alone(self, get: Any, rows: Any) -> None:
        assert gone(existence(get, rows).now(ID)) is Known.UNKNOWN

    @pytest.mark.parametrize('get', ['available', 'deleting', 'error', ''])
    @pytest.mark.parametrize('rows', [*LACKING, *SHOWING, *UNREADABLE])
    def test_never_against_its_get(self, get: Any, rows: Any) -> None:
        assert gone(existence(get, rows).now(ID)) is Known.NO

    @given(
        get=st.sampled_from([*ABSENT, *UNANSWERED, 'available', 'error']),
        rows=st.sampled_from([*LACKING, *SHOWING, *UNREADABLE]),
    )
    def test_one_and_many_are_told_alike(self, get: Any, rows: Any) -> None:
        asked = existence(get, rows)
        many = asked.of([ID], Limits(1))[ID]
        assert gone(many) is gone(asked.now(ID))

    def test_a_list_that_was_just_read_is_not_read_again(self) -> None:
        asked = existence(refusal(404), refusal(500))
        found = asked.of([ID], Limits(1), unlisted=True)
        assert gone(found[ID]) is Known.YES

    @pytest.mark.parametrize(
        'error', [refusal(401), errors.ConnectionFailed('no network')]
    )
    def test_what_is_no_answer_about_one_is_raised(
        self, error: errors.ClientError
    ) -> None:
        for asked in (existence(error, []), existence(refusal(404), error)):
            with pytest.raises(type(error)):
                asked.now(ID)
            with pytest.raises(type(error)):
                asked.of([ID], Limits(1))

    def test_a_doubt_says_what_was_answered(self) -> None:
        shown = existence(refusal(404), ['error']).now(ID)
        assert 'its list does (status error)' in str(shown)
        unread = existence(refusal(404), refusal(503, 'later')).now(ID)
        assert 'could not be read: later' in str(unread)


#: Statuses that a service or a gateway may refuse with, by class.
REFUSALS = [
    *(300, 302, 308, 400, 402, 403, 404, 405, 408, 409, 410, 412, 413, 418),
    *(423, 425, 429, 451, 499, 500, 501, 502, 503, 504, 507, 520, 524, 599),
]

Looks = list['str | errors.ClientError | None']


def judge(
    error: errors.ClientError, looks: Looks, monkeypatch: Any
) -> tuple[Done, int]:
    """(what came of a DELETE that was refused, how often it was seen)."""
    monkeypatch.setattr(verify, 'SECOND_LOOK', 0.0)
    answers = iter(looks)
    asked = []

    def look() -> str | None:
        answer = next(answers)
        asked.append(answer)
        if isinstance(answer, errors.ClientError):
            raise answer
        return answer

    def send() -> Receipt:
        raise error

    target: Target = Target(ID, 'backup', 'VBS', id=ID)
    done = delete_and_verify(
        Recorder(), target, 'delete', send, look, limits=Limits(1)
    )
    return done, len(asked)


class TestJudging:
    @pytest.mark.parametrize('status', REFUSALS)
    def test_gone_is_deleted(self, status: int, monkeypatch: Any) -> None:
        done, _ = judge(refusal(status), [None], monkeypatch)
        assert done.is_final

    @pytest.mark.parametrize('status', REFUSALS)
    @pytest.mark.parametrize('now', ['deleting', 'waiting_delete'])
    def test_going_is_accepted(
        self, status: int, now: str, monkeypatch: Any
    ) -> None:
        done, _ = judge(refusal(status), [now], monkeypatch)
        assert not done.is_final

    @pytest.mark.parametrize('status', REFUSALS)
    def test_as_before_is_the_refusal(
        self, status: int, monkeypatch: Any
    ) -> None:
        with pytest.raises(errors.ServiceError) as caught:
            judge(refusal(status), ['available', 'available'], monkeypatch)
        assert caught.value.status == status

    @pytest.mark.parametrize('status', REFUSALS)
    @pytest.mark.parametrize(
        'unread',
        [
            refusal(403),
            refusal(503),
            errors.ConnectionFailed('reset'),
            errors.Cancelled('stop'),
            errors.NotServed('no route'),
            Unproven('they do not agree'),
        ],
    )
    def test_unseen_is_unknown(
        self, status: int, unread: errors.ClientError, monkeypatch: Any
    ) -> None:
        with pytest.raises(errors.OutcomeUnknown) as caught:
            judge(refusal(status), [unread], monkeypatch)
        assert caught.value.read_error is unread

    @pytest.mark.parametrize(
        'error',
        [
            *(refusal(status) for status in (408, 499, 500, 503, 524)),
            errors.UnexpectedSuccess('odd', status=200),
            errors.ConnectionFailed('reset'),
            errors.RepeatedDelete(refusal(404), 2),
        ],
        ids=repr,
    )
    def test_what_may_act_later_is_seen_twice(
        self, error: errors.ClientError, monkeypatch: Any
    ) -> None:
        done, looks = judge(error, ['available', 'deleting'], monkeypatch)
        assert not done.is_final
        assert looks == 2

    @pytest.mark.parametrize('status', [400, 403, 404, 409, 413])
    def test_a_clear_refusal_is_seen_once(
        self, status: int, monkeypatch: Any
    ) -> None:
        error = refusal(status)
        error.own = Known.YES
        with pytest.raises(errors.ServiceError):
            judge(error, ['available'], monkeypatch)

    @pytest.mark.parametrize('status', [301, 400, 403, 404, 405, 410, 422])
    @pytest.mark.parametrize('own', [Known.NO, Known.UNKNOWN])
    def test_one_that_may_be_of_a_gateway_is_seen_twice(
        self, status: int, own: Known, monkeypatch: Any
    ) -> None:
        error = refusal(status)
        error.own = own
        _, looks = judge(error, ['available', 'deleting'], monkeypatch)
        assert looks == 2

    @pytest.mark.parametrize(
        'error',
        [
            errors.ConnectionFailed('reset'),
            errors.RepeatedDelete(errors.ConnectionFailed('reset'), 5),
        ],
    )
    def test_a_lost_answer_and_as_before_is_unknown(
        self, error: errors.ClientError, monkeypatch: Any
    ) -> None:
        with pytest.raises(errors.OutcomeUnknown):
            judge(error, ['available', 'available'], monkeypatch)

    @pytest.mark.parametrize(
        'error',
        [
            refusal(401),
            errors.ConnectionFailed('refused', sent=False),
            errors.Cancelled('stop'),
            errors.InvalidId('no id'),
        ],
        ids=repr,
    )
    def test_what_did_nothing_needs_no_look(
        self, error: errors.ClientError, monkeypatch: Any
    ) -> None:
        with pytest.raises(type(error)):
            judge(error, [], monkeypatch)


def test_the_answers_are_one_owners_alone() -> None:
    """Nobody else concludes from a 404 that a resource is gone."""
    told: Callable[[object], Known] = gone
    assert told(refusal(404)) is Known.UNKNOWN
