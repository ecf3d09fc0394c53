# SPDX-License-Identifier: Apache-2.0
"""What a POST that makes something may be answered with, and what that means.

The same for all calls that make something, and for a PUT; :class:`Makes` holds
each of them against it.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
import requests

from tests.unit.fakes import FakeCloud
from vbsclient.api import errors
from vbsclient.api.http import Receipt, Transport

MakeCloud = Callable[..., FakeCloud]

URL = 'https://service.example/v2/p'
ONE = '5d0e3b1a-8c57-4f0e-9a52-6f1f2f7c0a11'
TWO = '0b9d4f62-3f0a-4f39-8a43-7f0f3f1f7d20'

#: What no call may put into a URL or a body as an id.
NO_IDS: list[Any] = [
    *('', ' ', '.', '..', '../x', 'detail', f'{ONE}/', f' {ONE}', f'{ONE}\n'),
    *(ONE.replace('-', ''), f'{{{ONE}}}', 'ä' * 36, 'f' * 200),
]

#: What may stand where the id of what was made should be.
ODD_IDS: list[Any] = [
    *(None, '', '../x', '..', 'f' * 200, 5, 1.5, True, [], [ONE], {}),
    *({'id': ONE}, f'{ONE}/restore', f'{ONE}\n', 'ä'),
]

#: An answer, what it means, and how often the request is sent.
ENDS: dict[str, tuple[dict[str, Any], type[errors.ClientError], int]] = {
    **{
        f'{status}': ({'status_code': status}, errors.ServiceError, 1)
        for status in (400, 403, 404, 405, 409, 413, 422, 302)
    },
    **{
        f'{status}': ({'status_code': status}, errors.OutcomeUnknown, 1)
        for status in (303, 408, 499, 500, 501, 502, 503, 504)
    },
    'throttled': ({'status_code': 429}, errors.TooManyRequests, 12),
    'no login': ({'status_code': 401}, errors.Unauthorized, 2),
    'a lost answer': (
        {'exc': requests.exceptions.ReadTimeout},
        errors.OutcomeUnknown,
        1,
    ),
    'a reset': (
        {'exc': requests.exceptions.ConnectionError},
        errors.OutcomeUnknown,
        1,
    ),
    'never left': (
        {'exc': requests.exceptions.ConnectTimeout},
        errors.ConnectionFailed,
        5,
    ),
}


class Makes:
    """The tests of one call; derived for each.

    :cvar method: how it is sent.
    :cvar path: where it goes, below :data:`URL`.
    :cvar accepted: the status that the reference documents.
    :cvar repeats: whether it is sent again after a pause.
    :cvar others: other successes, which say nothing.
    :cvar body: the smallest body.
    """

    method = 'POST'
    path: str
    accepted = 200
    repeats = True
    others = (201, 202, 203, 204)
    body: ClassVar[Any]

    def call(self, transport: Transport) -> Receipt:
        """Send it with as little as there can be."""
        raise NotImplementedError

    def answer(self, id: Any) -> Any:
        """The body of an answer with an id."""
        raise NotImplementedError

    def there(self, fake_cloud: MakeCloud, *answers: Any) -> FakeCloud:
        """A cloud with these answers, one after another."""
        cloud: FakeCloud = fake_cloud()
        cloud.on(self.method, f'{URL}/{self.path}', *answers)
        return cloud

    def test_the_smallest_body(self, fake_cloud: MakeCloud) -> None:
        good = {'status_code': self.accepted, 'json': self.answer(TWO)}
        cloud = self.there(fake_cloud, good)
        self.call(Transport(cloud.session))
        assert cloud.sent() == [f'{self.method} {URL}/{self.path}']
        assert cloud.requests[0].json() == self.body

    @pytest.mark.parametrize(
        ('answer', 'end', 'times'), ENDS.values(), ids=ENDS
    )
    def test_its_three_ends(
        self,
        fake_cloud: MakeCloud,
        answer: dict[str, Any],
        end: type[errors.ClientError],
        times: int,
    ) -> None:
        cloud = self.there(fake_cloud, answer)
        with pytest.raises(end) as raised:
            self.call(Transport(cloud.session))
        is_paused = answer.get('status_code', 429) in (401, 429)
        once = not self.repeats and is_paused
        assert len(cloud.sent()) == (1 if once else times)
        if end is errors.OutcomeUnknown:
            assert not raised.value.hint
        else:
            assert not isinstance(raised.value, errors.OutcomeUnknown)

    def test_what_left_nothing_done_is_repeated(
        self, fake_cloud: MakeCloud
    ) -> None:
        good = {
            'status_code': self.accepted,
            'json': self.answer(TWO),
            'headers': {'x-openstack-request-id': 'req-1'},
        }
        answers: list[dict[str, Any]] = []
        if self.repeats:
            answers += [
                {'status_code': 401},
                {'status_code': 429},
                {'exc': requests.exceptions.ConnectTimeout},
            ]
        cloud = self.there(fake_cloud, *answers, good)
        receipt = self.call(Transport(cloud.session))
        assert receipt.status == self.accepted
        assert receipt.request_id == 'req-1'
        assert len(cloud.sent()) == len(answers) + 1

    def test_another_success_says_nothing(self, fake_cloud: MakeCloud) -> None:
        for status in self.others:
            answer = {'status_code': status, 'json': self.answer(TWO)}
            cloud = self.there(fake_cloud, answer)
            with pytest.raises(errors.OutcomeUnknown) as raised:
                self.call(Transport(cloud.session))
            assert not raised.value.hint
            assert len(cloud.sent()) == 1

    @pytest.mark.parametrize(
        'answer',
        [
            *({'text': ''}, {'text': '<html>'}, {'text': '{"job_id": '}),
            *({'json': []}, {'json': ONE}, {'json': None}),
        ],
    )
    def test_no_object_says_nothing(
        self, fake_cloud: MakeCloud, answer: dict[str, Any]
    ) -> None:
        cloud = self.there(
            fake_cloud, {'status_code': self.accepted, **answer}
        )
        with pytest.raises(errors.OutcomeUnknown):
            self.call(Transport(cloud.session))
        assert len(cloud.sent()) == 1


class MakesWithId(Makes):
    """The same for an answer that has the only id of what was made."""

    @pytest.mark.parametrize('id', ODD_IDS, ids=repr)
    def test_an_odd_id_is_none(self, fake_cloud: MakeCloud, id: Any) -> None:
        answer = {
            'status_code': self.accepted,
            'json': self.answer(id),
            'headers': {'x-openstack-request-id': 'req-1'},
        }
        cloud = self.there(fake_cloud, answer)
        with pytest.raises(errors.OutcomeUnknown) as raised:
            self.call(Transport(cloud.session))
        assert raised.value.request_id == 'req-1'
        assert not raised.value.hint
        assert len(cloud.sent()) == 1

    @pytest.mark.parametrize('json', [{}, {'backup': []}, {'x': 'y'}])
    def test_no_id_at_all(self, fake_cloud: MakeCloud, json: Any) -> None:
        cloud = self.there(
            fake_cloud, {'status_code': self.accepted, 'json': json}
        )
        with pytest.raises(errors.OutcomeUnknown):
            self.call(Transport(cloud.session))
