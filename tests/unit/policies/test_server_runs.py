# SPDX-License-Identifier: Apache-2.0
"""Which checkpoint is that of a run of a policy of CSBS."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

from tests.unit.world import uuid
from vbsclient.api import errors
from vbsclient.api.csbs import Policy, ServerBackup
from vbsclient.api.http import Handle, Limits, Receipt
from vbsclient.bulk import State
from vbsclient.change.follow import Follower
from vbsclient.change.run import execute
from vbsclient.change.targets import Outcome, Recorder
from vbsclient.lookup.refusals import MissingError, RefusedError
from vbsclient.policies.server_runs import ServerPolicyRun
from vbsclient.waiting import Patience

WEEKLY, OURS, THEIRS = uuid(1), uuid(50), uuid(51)
ONE, TWO = uuid(101), uuid(102)


def a_backup(checkpoint: str, server: str, **changes: Any) -> ServerBackup:
    return ServerBackup.from_body(
        {
            'id': uuid(900 + int(server[-4:], 16) + int(checkpoint[-4:], 16)),
            'name': 'manualbk_1',
            'checkpoint_id': checkpoint,
            'resource_id': server,
            'status': 'available',
            **changes,
        }
    )


class There:
    """A CSBS whose answer and backups a test writes down.

    :ivar answer: to the one POST.
    :ivar sent: the servers of each POST; None for all.
    """

    def __init__(self, *servers: str | None, named: Any = ()) -> None:
        self.policy = Policy.from_body(
            {
                'id': WEEKLY,
                'name': 'weekly',
                'resources': [
                    {'id': id, 'type': 'OS::Nova::Server'} for id in servers
                ],
            }
        )
        self.backups: list[ServerBackup] = []
        self.appear: list[ServerBackup] = []
        self.answer: Receipt | Exception = Receipt(
            200, 'req-1', 1, Handle.of_checkpoint(OURS)
        )
        self.sent: list[Any] = []
        self.now = 0.0
        csbs: Any = SimpleNamespace(
            policies=SimpleNamespace(get=lambda id: self.policy),
            backups=SimpleNamespace(list=self._list),
            checkpoints=lambda: SimpleNamespace(create=self._create),
        )
        nova: Any = mock.Mock(all_servers=list)
        self.run = ServerPolicyRun(
            csbs,
            nova,
            self.policy,
            named,
            limits=Limits(),
            clock=lambda: self.now,
        )

    def begin(self) -> list[Outcome]:
        outcomes = [Outcome.of(target) for target in self.run.targets()]
        execute(self.run, outcomes, Recorder(), Limits())
        return outcomes

    def poll(self, *outcomes: Outcome) -> Any:
        return self.run.poll([outcome.target for outcome in outcomes])

    def _create(self, id: str, server_ids: Any) -> Receipt:
        self.sent.append(server_ids)
        self.backups += self.appear
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def _list(self, **where: Any) -> Iterator[ServerBackup]:
        yield from list(self.backups)


def lost(code: str | None = None) -> errors.OutcomeUnknown:
    return errors.OutcomeUnknown(
        errors.InternalServerError('it is running', status=500, code=code)
    )


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('vbsclient.creation.base.LOOKS', (0.0, 0.0))


@pytest.mark.parametrize(
    ('appear', 'state'),
    [
        ([(OURS, ONE), (OURS, TWO)], State.ACCEPTED),
        ([(OURS, ONE)], State.UNKNOWN),
        ([(OURS, ONE), (OURS, TWO), (OURS, uuid(103))], State.UNKNOWN),
        ([(OURS, ONE), (OURS, TWO), (THEIRS, ONE)], State.UNKNOWN),
        ([], State.UNKNOWN),
    ],
    ids=['just these', 'fewer', 'more', 'two', 'none'],
)
def test_a_lost_run_is_the_only_new_one_of_just_its_servers(
    appear: list[tuple[str, str]], state: State
) -> None:
    there = There(ONE, TWO)
    there.answer = lost()
    there.appear = [a_backup(*one) for one in appear]
    outcomes = there.begin()
    assert [outcome.state for outcome in outcomes] == [state] * 2
    assert there.sent == [None]


@pytest.mark.parametrize(
    'code', ['CSBS.1001', 'CSBS.2001', 'CSBS.6030', 'CSBS.6032']
)
@pytest.mark.parametrize('appears_late', [False, True])
def test_a_refusal_is_never_the_run_of_somebody_else(
    code: str, appears_late: bool
) -> None:
    there = There(ONE)
    there.answer = lost(code)
    theirs = [a_backup(THEIRS, ONE)]
    there.appear = [] if appears_late else theirs
    [outcome] = there.begin()
    there.backups = theirs
    Follower(
        there.run,
        [outcome],
        Recorder(),
        Limits(),
        wants_all=True,
        patience=Patience(timeout=5.0),
    ).run()
    assert outcome.state is State.FAILED
    assert isinstance(outcome.error, errors.ServiceError)
    assert (outcome.error.message, outcome.error.code) == (
        'it is running',
        code,
    )
    assert outcome.error.hint


def test_a_policy_whose_servers_cannot_be_read_is_refused() -> None:
    for servers in ([None], [ONE, None]):
        with pytest.raises(RefusedError, match='not all servers'):
            There(*servers).run.targets()


def test_but_not_those_of_it_that_are_named() -> None:
    there = There(ONE, None, named=[ONE, TWO])
    one, two = there.run.targets()
    assert one.refusal is None
    # It may be the one that cannot be read.
    assert not isinstance(two.refusal, MissingError)
    assert isinstance(two.refusal, RefusedError)


@pytest.mark.parametrize('was_listed', [True, False])
def test_what_is_not_listed_for_a_minute_is_unknown(was_listed: bool) -> None:
    there = There(ONE)
    [outcome] = there.begin()
    if was_listed:
        there.backups = [a_backup(OURS, ONE, status='protecting')]
        there.now = 500.0
        assert not there.poll(outcome)[ONE].is_absent
        there.backups = []
        there.now = 600.0
        assert not there.poll(outcome)[ONE].is_absent
    there.now += 61.0
    status = there.poll(outcome)[ONE]
    assert status.is_absent
    assert ('listed' if was_listed else 'shows no') in status.reason
