# SPDX-License-Identifier: Apache-2.0
"""The sharing calls: above all, what a DELETE or a POST contains."""

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.api.makes import NO_IDS, Makes
from tests.unit.api.makes import URL as MAKES
from tests.unit.fakes import FakeCloud
from tests.unit.values import JSON
from vbsclient.api import errors
from vbsclient.api.http import Receipt, Transport
from vbsclient.api.vbs import Share, Shares
from vbsclient.api.vbs.shares import _shares_in

URL = 'https://vbs.example/v2/p'
ROUTE = f'{URL}/os-vendor-backup-sharing'
SHARE = '0b9d4f62-3f0a-4f39-8a43-7f0f3f1f7d20'
BACKUP = '5d0e3b1a-8c57-4f0e-9a52-6f1f2f7c0a11'
OTHER = '5d0e3b1a-8c57-4f0e-9a52-6f1f2f7c0a12'
BODY = {'id': SHARE, 'backup_id': BACKUP, 'to_project_id': 'p2'}
MakeCloud = Callable[..., FakeCloud]


def shares(cloud: FakeCloud) -> Shares:
    return Shares(Transport(cloud.session), URL)


class TestCancelling:
    def test_one_share(self, fake_cloud: MakeCloud) -> None:
        cloud = fake_cloud()
        cloud.on('DELETE', f'{ROUTE}/{SHARE}', status_code=200)
        shares(cloud).cancel(SHARE)
        assert cloud.sent() == [f'DELETE {ROUTE}/{SHARE}?is_backup_id=false']

    def test_all_shares_of_a_backup(self, fake_cloud: MakeCloud) -> None:
        cloud = fake_cloud()
        cloud.on('DELETE', f'{ROUTE}/{BACKUP}', status_code=200)
        shares(cloud).cancel_all(BACKUP)
        assert cloud.sent() == [f'DELETE {ROUTE}/{BACKUP}?is_backup_id=true']

    @pytest.mark.parametrize('text', ['', ' ', 'detail', 'count', '..'])
    @pytest.mark.parametrize('call', ['cancel', 'cancel_all', 'get'])
    def test_never_without_an_id(
        self, fake_cloud: MakeCloud, call: str, text: str
    ) -> None:
        cloud = fake_cloud()
        with pytest.raises(errors.InvalidId):
            getattr(shares(cloud), call)(text)
        assert cloud.sent() == []

    def test_202_is_not_what_is_documented(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        cloud.on('DELETE', f'{ROUTE}/{SHARE}', status_code=202)
        with pytest.raises(errors.UnexpectedSuccess):
            shares(cloud).cancel(SHARE)


class TestReading:
    def test_show_answers_an_object(self, fake_cloud: MakeCloud) -> None:
        cloud = fake_cloud()
        body = {**BODY, 'backup': {'name': 'nightly'}}
        cloud.on('GET', f'{ROUTE}/{SHARE}', json={'shared': body})
        found = shares(cloud).get(SHARE)
        assert (found.id, found.backup_id) == (SHARE, BACKUP)
        assert (found.to_project_id, found.backup_name) == ('p2', 'nightly')

    @pytest.mark.parametrize(
        'body',
        [
            {'shared': [BODY]},
            {'shared': {**BODY, 'id': OTHER}},
            {'shared': {'id': SHARE}},
            {'shared': None},
            {},
        ],
    )
    def test_another_body_is_refused(
        self, fake_cloud: MakeCloud, body: Any
    ) -> None:
        cloud = fake_cloud()
        cloud.on('GET', f'{ROUTE}/{SHARE}', json=body)
        with pytest.raises(errors.MalformedResponse):
            shares(cloud).get(SHARE)

    def test_a_filter_that_is_ignored_is_applied_here(
        self, fake_cloud: MakeCloud
    ) -> None:
        cloud = fake_cloud()
        foreign = {'id': OTHER, 'backup_id': OTHER}
        cloud.on('GET', f'{ROUTE}/detail', json={'shared': [BODY, foreign]})
        found = list(shares(cloud).list(backup_id=BACKUP))
        assert [share.id for share in found] == [SHARE]
        assert cloud.requests[0].qs['backup_id'] == [BACKUP]

    @pytest.mark.parametrize(
        'id', [BACKUP.replace('-', ''), f' {BACKUP.upper()}', f'{{{BACKUP}}}']
    )
    def test_its_backup_however_it_is_written(self, id: str) -> None:
        assert Share.from_body({**BODY, 'backup_id': id}).backup_id == BACKUP

    @pytest.mark.parametrize('status', [403, 404, 405, 501])
    def test_that_there_are_none_takes_two_answers(
        self, fake_cloud: MakeCloud, status: int
    ) -> None:
        cloud = fake_cloud()
        answers = [
            {'status_code': status, 'text': '<html>'},
            {'json': {'shared': [BODY]}},
            {'json': {'shared': []}},
        ]
        cloud.on('GET', f'{ROUTE}/detail', *answers)
        assert [share.id for share in shares(cloud).list()] == [SHARE]

    @given(st.dictionaries(st.sampled_from(list(BODY)), JSON))
    def test_any_object_is_a_share_or_malformed(
        self, body: dict[str, Any]
    ) -> None:
        try:
            share = Share.from_body(body)
        except errors.MalformedResponse:
            return
        assert (share.id, share.backup_id) == (body['id'], body['backup_id'])


class TestCreating(Makes):
    path = 'os-vendor-backup-sharing'
    body: ClassVar[Any] = {
        'shared': {'backup_id': BACKUP, 'to_project_ids': ['p2', 'p3']}
    }

    def call(self, transport: Transport) -> Receipt:
        made, receipt = Shares(transport, MAKES).create(
            BACKUP.upper(), ['p2', 'p3']
        )
        self.made = made
        return receipt

    def answer(self, id: Any) -> Any:
        return {'shared': [{**BODY, 'id': id}]}

    def create(self, fake_cloud: MakeCloud, answer: Any) -> list[Any]:
        cloud = self.there(fake_cloud, {'json': {'shared': answer}})
        self.call(Transport(cloud.session))
        return [(share.id, share.to_project_id) for share in self.made]

    @pytest.mark.parametrize('id', NO_IDS)
    def test_what_is_no_id_is_not_sent(
        self, fake_cloud: MakeCloud, id: str
    ) -> None:
        cloud = fake_cloud()
        with pytest.raises(errors.InvalidId):
            shares(cloud).create(id, ['p2'])
        assert cloud.requests == []

    def test_a_list_or_an_object(self, fake_cloud: MakeCloud) -> None:
        other = {**BODY, 'id': OTHER, 'to_project_id': 'p3'}
        assert self.create(fake_cloud, [BODY, other]) == [
            (SHARE, 'p2'),
            (OTHER, 'p3'),
        ]
        assert self.create(fake_cloud, BODY) == [(SHARE, 'p2')]

    def test_the_backup_need_not_be_said(self, fake_cloud: MakeCloud) -> None:
        row = {'id': SHARE, 'to_project_id': 'p2'}
        assert self.create(fake_cloud, [row]) == [(SHARE, 'p2')]

    @pytest.mark.parametrize('answer', [None, 'x', 5, True])
    def test_it_may_not_be_said_what_was_shared(
        self, fake_cloud: MakeCloud, answer: Any
    ) -> None:
        with pytest.raises(errors.OutcomeUnknown):
            self.create(fake_cloud, answer)

    @pytest.mark.parametrize('answer', [[], {}, [{}]])
    def test_it_may_be_nothing(
        self, fake_cloud: MakeCloud, answer: Any
    ) -> None:
        assert self.create(fake_cloud, answer) == []

    @pytest.mark.parametrize(
        'row',
        [
            *(None, 5, 'x', [], [1], True),
            *({}, {'id': None}, {'id': 5}, {**BODY, 'backup_id': None}),
        ],
    )
    def test_a_malformed_row_hides_no_other(
        self, fake_cloud: MakeCloud, row: Any
    ) -> None:
        assert self.create(fake_cloud, [row, BODY]) == [(SHARE, 'p2')]

    def test_a_row_about_another_backup_is_none(
        self, fake_cloud: MakeCloud
    ) -> None:
        other = {**BODY, 'backup_id': OTHER, 'to_project_id': 'p3'}
        assert self.create(fake_cloud, [other, BODY]) == [(SHARE, 'p2')]

    @given(
        st.lists(JSON)
        | st.lists(st.dictionaries(st.sampled_from(list(BODY)), JSON))
    )
    def test_any_answer_is_read(self, answer: Any) -> None:
        for share in _shares_in(answer, BACKUP):
            assert share.backup_id == BACKUP
