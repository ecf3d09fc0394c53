# SPDX-License-Identifier: Apache-2.0
"""``--wait``, and backups that depend on one another."""

import re
import time
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import BOUND, Openstack
from tests.functional.wire import deletes, requests, vbs_delete
from tests.sandbox import Fault, LoggedRequest, Sandbox
from vbsclient.api import http

DELETE = ('vbs', 'backup', 'delete')


class Looks:
    """A clock that tells how many GETs have come since the first DELETE."""

    def __init__(self) -> None:
        self._begun = False
        self._count = 0

    def note(self, request: LoggedRequest) -> None:
        self._begun = self._begun or request.method == 'DELETE'
        self._count += self._begun and request.method == 'GET'

    def __call__(self) -> float:
        return self._count


def test_a_wait_ends_when_all_is_gone(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(deletion_time=0.05)
    backups = [c.state.add_backup() for _ in range(8)]
    rows = openstack(
        *DELETE, *(b.id for b in backups), '--wait', '-f', 'json'
    ).json()
    assert {row['Result'] for row in rows} == {'deleted'}
    assert all(row['Finished At'] >= row['Requested At'] for row in rows)
    assert not c.state.backups


@pytest.mark.parametrize(
    'command', ['csbs backup delete', 'csbs checkpoint delete']
)
def test_csbs_is_waited_for_too(
    cloud: CloudFactory, openstack: Openstack, command: str
) -> None:
    c = cloud(deletion_time=0.05)
    runs = [c.state.add_checkpoint(2) for _ in range(4)]
    whole = 'checkpoint' in command
    ids = [run.id if whole else run.items[0].id for run in runs]
    options = ['--yes'] if whole else []
    openstack(*command.split(), *ids, *options, '--wait')
    assert [len(run.items) for run in runs] == [0 if whole else 1] * 4


@pytest.mark.parametrize(
    'fault',
    [
        Fault('reset-before', 'GET', 'backups/detail', skip=1),
        Fault('reset-after', 'GET', 'backups/detail', skip=1),
        Fault('status', 'GET', 'backups/detail', skip=1, status=500),
        Fault('body', 'GET', 'backups/detail', skip=1, body='<html>'),
        Fault('truncate', 'GET', 'backups/detail', skip=1),
    ],
    ids=['reset', 'answer lost', '500', 'html', 'truncated'],
)
def test_a_look_that_fails_does_not_end_a_wait(
    cloud: CloudFactory, openstack: Openstack, fault: Fault
) -> None:
    c = cloud(deletion_time=0.05)
    ids = [c.state.add_backup().id for _ in range(8)]
    c.knobs.faults.append(fault)
    openstack(*DELETE, *ids, '--wait')
    assert not c.state.backups


def test_a_token_that_expires_does_not_end_a_wait(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    # Three requests plan, eight delete: the next token is for the wait.
    looks = Looks()
    c = cloud(
        deletion_time=2,
        deletion_slots=8,
        token_uses=12,
        clock=looks,
        on_finished=looks.note,
    )
    ids = [c.state.add_backup().id for _ in range(8)]
    openstack(*DELETE, *ids, '--wait')
    assert not c.state.backups
    logins = [r for r in c.requests if r.path.endswith('/auth/tokens')]
    assert len(logins) == 2


def test_what_is_being_deleted_already_is_waited_for(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    # Longer than a second command needs for its plan.
    looks = Looks()
    c = cloud(deletion_time=10, clock=looks, on_finished=looks.note)
    ids = [c.state.add_backup().id for _ in range(2)]
    openstack(*DELETE, *ids)
    c.clear_log()
    openstack(*DELETE, *ids, '--wait')
    assert deletes(c) == []
    assert not c.state.backups


def test_a_look_at_many_costs_pages_and_a_get_for_each_at_its_end(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    looks = Looks()
    c = cloud(
        deletion_time=1,
        deletion_slots=100,
        clock=looks,
        on_finished=looks.note,
    )
    ids = [c.state.add_backup().id for _ in range(50)]
    openstack(*DELETE, *ids, '--wait')
    log = requests(c)
    after = log[log.index(deletes(c)[-1]) + 1 :]
    assert sum('/backups/detail' in text for text in after) <= 3
    assert sum('/backups/detail' not in text for text in after) == 50


def token_login(c: Sandbox, openstack: Openstack) -> dict[str, Any]:
    """The keys of a cloud whose login cannot be renewed."""
    token = openstack('token', 'issue', '-f', 'value', '-c', 'id').stdout
    return {
        'auth_type': 'v3token',
        'auth': {
            'auth_url': f'{c.url}/identity/v3',
            'token': token.strip(),
            'project_name': 'demo',
            'project_domain_name': 'Default',
        },
    }


def test_a_login_that_cannot_be_renewed_is_said_before_a_wait(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup = c.state.add_backup()
    openstack(
        *DELETE,
        backup.id,
        '--wait',
        config=token_login(c, openstack),
        complains=['This login is a token (auth_type v3token)'],
        code=0,
    )
    assert not c.state.backups


@pytest.mark.parametrize('command', ['vbs backup', 'csbs backup'])
@pytest.mark.parametrize('several', [1, 5])
def test_a_wait_ends_with_a_login_that_cannot_be_renewed(
    cloud: CloudFactory, openstack: Openstack, command: str, several: int
) -> None:
    def expire(request: LoggedRequest) -> None:
        if request.method == 'DELETE':
            c.knobs.faults[:] = [
                Fault('status', 'GET', 'backup|item', status=401, times=None),
                Fault('status', path='tokens', status=401, times=None),
            ]

    c = cloud(deletion_time=3600, on_finished=expire)
    if command == 'vbs backup':
        ids = [c.state.add_backup().id for _ in range(several)]
    else:
        runs = [c.state.add_checkpoint() for _ in range(several)]
        ids = [run.items[0].id for run in runs]
    openstack(
        *command.split(),
        'delete',
        *ids,
        '--wait',
        config=token_login(c, openstack),
        complains=[
            'This login is a token (auth_type v3token)',
            'Stopped waiting: ',
            f'{several} of {several} backups',
            *(['  '] * several if several >= 3 else []),
        ],
        code=3,
    )


def test_a_deletion_that_fails_later_is_a_failure(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(deletion_time=0.05)
    good = c.state.add_backup()
    bad = c.state.add_backup('bad', deletion_fails=True)
    openstack(
        *DELETE,
        good.id,
        bad.id,
        '--wait',
        complains=[
            re.compile(
                f'bad \\({bad.id}\\): .*error_deleting.*could not be deleted'
            ),
            '1 of 2 backups failed to delete.',
        ],
    )
    assert list(c.state.backups) == [bad.id]


def test_a_time_out_names_what_is_unfinished(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(deletion_time=3600)
    backup = c.state.add_backup()
    openstack(
        *DELETE,
        backup.id,
        '--wait',
        '--timeout=1',
        complains=[..., backup.id, ...],
        code=3,
    )
    assert deletes(c) == vbs_delete(backup.id)


@pytest.mark.parametrize('command', ['vbs backup', 'csbs backup'])
@pytest.mark.parametrize(
    'trouble',
    [
        {'action': 'status', 'status': 429, 'headers': {'Retry-After': '30'}},
        {'action': 'status', 'status': 503, 'headers': {'Retry-After': '30'}},
        {'action': 'reset-before'},
        {'action': 'hang'},
    ],
    ids=['429', '503', 'reset', 'hang'],
)
@pytest.mark.usefixtures('real_pauses')
def test_looks_that_fail_do_not_outlast_the_time_out(
    cloud: CloudFactory,
    openstack: Openstack,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    trouble: dict[str, Any],
) -> None:
    monkeypatch.setattr(http, 'LAST_LOOK', 0.2)
    fault = Fault(method='GET', times=None, **trouble)

    def begin(request: LoggedRequest) -> None:
        if request.method == 'DELETE':
            c.knobs.faults[:] = [fault]

    c = cloud(deletion_time=3600, on_finished=begin)
    if command.startswith('vbs'):
        ids = [c.state.add_backup().id for _ in range(5)]
    else:
        runs = [c.state.add_checkpoint() for _ in range(5)]
        ids = [run.items[0].id for run in runs]
    started = time.monotonic()
    openstack(
        *command.split(),
        'delete',
        *ids,
        '--wait',
        '--timeout=0.3s',
        complains=[
            'Whether 5 of 5 backups are deleted by now is unknown. ',
            *['  '] * 5,
        ],
        code=3,
    )
    assert time.monotonic() - started < BOUND
    assert len(deletes(c)) == 5
    assert fault.hits


def test_a_time_out_goes_with_a_wait(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    openstack(
        *DELETE,
        'nightly',
        '--timeout=1',
        complains=[..., 'error: --timeout goes with --wait'],
        code=2,
    )
    openstack(
        *DELETE,
        'nightly',
        '--wait',
        '--timeout=soon',
        complains=[..., 'error: argument --timeout: '],
        code=2,
    )
    assert requests(c) == []


@pytest.mark.parametrize('wait', [[], ['--wait']])
@pytest.mark.parametrize('order', [1, -1])
def test_a_chain_that_is_named_as_a_whole_goes_youngest_first(
    cloud: CloudFactory, openstack: Openstack, wait: list[str], order: int
) -> None:
    c = cloud(chains=True)
    chain = [c.state.add_backup(incremental=n > 0) for n in range(5)]
    openstack(*DELETE, *(b.id for b in chain[::order]), *wait)
    assert not c.state.backups


def test_a_chain_of_which_a_part_stays_is_refused_where_it_must_be(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(chains=True)
    chain = [c.state.add_backup(incremental=n > 0) for n in range(4)]
    named = [chain[0], chain[3]]
    openstack(
        *DELETE,
        *(b.id for b in named),
        complains=[
            re.compile(f'{chain[0].id}.*Incremental backups exist'),
            '1 of 2 backups failed to delete.',
        ],
    )
    assert list(c.state.backups) == [b.id for b in chain[:3]]


def test_a_chain_does_not_hold_up_other_disks(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(chains=True)
    volumes: list[Any] = [c.state.add_volume() for _ in range(3)]
    backups = [
        c.state.add_backup(None, volume, incremental=n > 0)
        for volume in volumes
        for n in range(3)
    ]
    openstack(*DELETE, *(b.id for b in backups))
    assert not c.state.backups


def test_what_cannot_be_explained_is_reported_all_the_same(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(chains=True)
    parent, _ = c.state.add_backup(), c.state.add_backup(incremental=True)
    other = c.state.add_backup()
    # The first such list proves that the other one is gone.
    c.knobs.faults.append(
        Fault('status', 'GET', 'volume_id=', status=500, skip=1, times=None)
    )
    rows = openstack(
        *DELETE,
        parent.id,
        other.id,
        '-f',
        'json',
        complains=[
            re.compile(f'{parent.id}.*Incremental backups exist'),
            '1 of 2 backups failed to delete.',
        ],
    ).json()
    assert [row['Result'] for row in rows] == ['failed', 'deleted']
