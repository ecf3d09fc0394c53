# SPDX-License-Identifier: Apache-2.0
"""Each word of a report, and what tries to make a lie of it.

Which answers prove what is decided for all commands at once, and has its
tables in ``tests/unit/change/test_verify.py``.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack, Result, Terminal
from tests.functional.targets import add_targets, results
from tests.functional.wire import checkpoint_delete, deletes, share_delete
from tests.sandbox import Fault, LoggedRequest, Sandbox

REPORT = ('-f', 'json')
SHORT = ('--wait', '--timeout', '0.3s')

#: The commands that go on in the service, as a user types them.
GOING = ('vbs backup delete', 'csbs backup delete', 'csbs checkpoint delete')
ALL = (*GOING, 'vbs share delete')


def after_a_delete(
    start: CloudFactory, act: Callable[[Sandbox], Any], **knobs: Any
) -> Sandbox:
    """A cloud to which something happens when a DELETE was answered."""

    def act_once(request: LoggedRequest) -> None:
        if request.method == 'DELETE' and not done:
            done.append(True)
            act(c)

    done: list[bool] = []
    c = start(on_finished=act_once, **{'deletion_time': 3600, **knobs})
    return c


def blind(c: Sandbox, **answer: Any) -> None:
    """From now on no GET of a service is answered as it should be."""
    c.knobs.faults.append(
        Fault('status', 'GET', 'backup|sharing|item', times=None, **answer)
    )


def delete(
    openstack: Openstack, command: str, named: list[str], *more: str
) -> Result:
    yes = ['--yes'] if 'checkpoint' in command else []
    return openstack.run(*command.split(), *named, *yes, *REPORT, *more)


# -- deleted ---------------------------------------------------------------


@pytest.mark.parametrize('number', [1, 5])
@pytest.mark.parametrize('command', GOING)
def test_deleted_is_not_what_a_gateway_says(
    cloud: CloudFactory, openstack: Openstack, command: str, number: int
) -> None:
    body = json.dumps({'message': 'No route for /backups/{id}'})
    c = after_a_delete(cloud, lambda c: blind(c, status=404, body=body))
    named = add_targets(c.state, command, number)
    result = delete(
        openstack, command, named.arguments, '--wait', '--timeout', '0.1s'
    )
    assert 'deleted' not in results(result)


@pytest.mark.parametrize('command', GOING)
def test_deleted_is_not_what_a_route_says_that_is_missing(
    cloud: CloudFactory,
    openstack: Openstack,
    command: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only the route to one resource is: the list still shows it."""
    monkeypatch.setattr('vbsclient.deletion.server_backups.PROOF_TIMEOUT', 0.3)
    uuid = '(backups|checkpoint_items)/[0-9a-f-]{36}'
    c = after_a_delete(
        cloud,
        lambda c: c.knobs.faults.append(
            Fault('status', 'GET', uuid, status=404, times=None)
        ),
    )
    named = add_targets(c.state, command, 1)
    result = delete(openstack, command, named.arguments, *SHORT)
    assert set(results(result)) <= {'accepted', 'not sent'}
    assert result.code in (1, 3)


@pytest.mark.parametrize('times', [1, None])
def test_deleted_is_not_what_an_empty_list_says(
    cloud: CloudFactory, openstack: Openstack, times: int | None
) -> None:
    fault = Fault(
        'body',
        'GET',
        r'checkpoint_items\?',
        body='{"checkpoint_items": []}',
        times=times,
    )
    c = after_a_delete(cloud, lambda c: c.knobs.faults.append(fault))
    run = c.state.add_checkpoint(2)
    result = delete(openstack, 'csbs checkpoint delete', [run.id], *SHORT)
    assert results(result) == ['accepted']
    assert result.code == 3
    assert fault.hits


def test_deleted_is_not_said_of_a_part_that_the_list_leaves_out(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(deletion_time=0.0)
    run = c.state.add_checkpoint(2)
    run.items[1].deletion_fails = True
    fault = Fault(
        'body',
        'GET',
        r'checkpoint_items\?',
        body='{"checkpoint_items": []}',
        skip=1,
        times=None,
    )
    c.knobs.faults.append(fault)
    result = delete(openstack, 'csbs checkpoint delete', [run.id], '--wait')
    assert results(result) == ['failed']
    assert 'could not be deleted' in result.stderr


# -- unknown and failed ----------------------------------------------------


@pytest.mark.parametrize('status', [404, 500])
@pytest.mark.parametrize('command', ALL)
def test_what_acted_and_cannot_be_seen_is_unknown(
    cloud: CloudFactory,
    openstack: Openstack,
    tmp_path: Path,
    command: str,
    status: int,
) -> None:
    c = after_a_delete(cloud, lambda c: blind(c, status=500))
    named = add_targets(c.state, command, 1)
    c.knobs.faults.append(
        Fault('status', 'DELETE', status=status, acts=True, times=None)
    )
    journal = tmp_path / 'journal'
    result = delete(
        openstack, command, named.arguments, '--journal', str(journal)
    )
    assert results(result) == ['unknown']
    assert result.code == 1
    assert 'is unknown' in result.stderr
    last = json.loads(journal.read_text().splitlines()[-1])
    assert last['result'] == 'unknown'
    assert last['status'] == status


@pytest.mark.parametrize('status', [302, 404, 500])
@pytest.mark.parametrize('acts', [True, False])
@pytest.mark.parametrize('command', GOING)
def test_what_acted_is_accepted_and_what_did_not_has_failed(
    cloud: CloudFactory,
    openstack: Openstack,
    command: str,
    status: int,
    acts: bool,
) -> None:
    c = cloud(deletion_time=3600)
    named = add_targets(c.state, command, 1)
    c.knobs.faults.append(
        Fault('status', 'DELETE', status=status, acts=acts, times=None)
    )
    result = delete(openstack, command, named.arguments)
    assert results(result) == ['accepted' if acts else 'failed']


# -- accepted --------------------------------------------------------------


def test_a_refusal_of_what_acted_is_seen_going_and_waited_for(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    """The first look after it lags; the wait sees what is true."""
    c = cloud(deletion_time=0.2)
    backup = c.state.add_backup()
    body = {'id': backup.id, 'status': 'available', 'volume_id': None}
    before = json.dumps({'backup': body})
    c.knobs.faults += [
        Fault('status', 'DELETE', status=409, acts=True),
        Fault('body', 'GET', f'backups/{backup.id}', body=before, skip=1),
    ]
    rows = openstack(
        *('vbs', 'backup', 'delete', backup.id, '--wait', *REPORT)
    ).json()
    assert [row['Result'] for row in rows] == ['deleted']
    assert len(deletes(c)) == 1


def test_nothing_goes_on_where_nothing_was_accepted(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup = c.state.add_backup(status='restoring')
    result = openstack(
        *('vbs', 'backup', 'delete', backup.id, *SHORT),
        complains=[
            re.compile(
                f'1 of 1 backups is not deleted yet: .*{backup.id}.*has not '
                f'accepted it; run the same command again with --wait'
            )
        ],
        code=3,
    )
    assert 'goes on' not in result.stderr


# -- not sent --------------------------------------------------------------


def test_what_was_not_sent_says_why(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(read_only_role=True)
    volume = c.state.add_volume()
    ids = [c.state.add_backup(None, volume).id for _ in range(6)]
    result = openstack.run('vbs', 'backup', 'delete', *ids, *REPORT)
    rows = [r for r in result.json() if r['Result'] == 'not sent']
    assert rows
    for row in rows:
        assert 'the same failure came for each of 3 targets' in row['Detail']
        assert 'youngest first' not in row['Detail']


# -- would delete ----------------------------------------------------------


def test_a_dry_run_keeps_each_note(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    volume = c.state.add_volume()
    ids = [
        c.state.add_backup(None, volume, status=status).id
        for status in ('creating', 'available')
    ]
    rows = openstack(
        *('vbs', 'backup', 'delete', *ids, '--dry-run', *REPORT)
    ).json()
    assert 'its status is creating' in rows[0]['Detail']
    assert 'of 2 of volume' in rows[0]['Detail']


@pytest.mark.parametrize(
    ('named', 'refused'),
    [
        ([0], [0]),
        ([0, 1], [0, 1]),
        ([1], [1]),
        ([2], []),
        ([0, 1, 2], []),
        ([1, 2], []),
    ],
)
def test_a_dry_run_says_what_increments_keep(
    cloud: CloudFactory,
    openstack: Openstack,
    named: list[int],
    refused: list[int],
) -> None:
    c = cloud(catalog='volumev3', csbs_catalog=None, chains=True)
    ids = [c.state.add_backup(incremental=n > 0).id for n in range(3)]
    words = ['vbs', 'backup', 'delete', *(ids[n] for n in named)]
    result = openstack.run(*words, '--dry-run', *REPORT)
    told = {row['ID']: row for row in result.json()}
    for n in named:
        word = 'refused' if n in refused else 'would delete'
        assert told[ids[n]]['Result'] == word, told
        said = 'increments depend on it' in str(told[ids[n]]['Detail'])
        assert said == (n in refused)
    assert result.code == (1 if refused else 0)
    assert deletes(c) == []
    # The run itself is the judge.
    real = openstack.run(*words, *REPORT)
    assert {r['ID'] for r in real.json() if r['Result'] == 'failed'} == {
        ids[n] for n in refused
    }


# -- shares ----------------------------------------------------------------


def test_shares_are_cancelled_that_were_seen_and_no_others(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = after_a_delete(cloud, lambda c: c.state.add_share(backup, 'e' * 32))
    backup = c.state.add_backup()
    seen = [c.state.add_share(backup, d * 32) for d in 'ab']
    result = openstack.run(
        *('vbs', 'backup', 'delete', backup.id, '--cancel-shares', *REPORT)
    )
    assert results(result) == ['refused']
    assert f'shared with 1 project since this run looked: {"e" * 32}' in (
        result.stderr
    )
    assert 'before that, canceled 2 shares' in result.stderr
    assert sorted(deletes(c)) == sorted(
        share_delete(share.id, is_backup_id=False) for share in seen
    )
    assert backup.id in c.state.backups
    assert len(c.state.shares) == 1


@pytest.mark.parametrize('joins', [False, True])
def test_shares_are_cancelled_once_whatever_is_sent_again(
    cloud: CloudFactory, openstack: Openstack, joins: bool
) -> None:
    def join(request: LoggedRequest) -> None:
        if joins and request.method == 'DELETE' and request.status == 409:
            c.state.add_share(backup, 'e' * 32)

    c = cloud(deletion_time=0.05, on_finished=join)
    backup = c.state.add_backup()
    share = c.state.add_share(backup, 'a' * 32)
    c.knobs.faults.append(Fault('status', 'DELETE', '/backups/', status=409))
    result = openstack.run(
        *('vbs', 'backup', 'delete', backup.id, '--cancel-shares'),
        *('--wait', *REPORT),
    )
    assert deletes(c)[0] == share_delete(share.id, is_backup_id=False)
    assert sum('sharing' in text for text in deletes(c)) == 1
    assert results(result) == ['refused' if joins else 'deleted']
    (row,) = result.json()
    if joins:
        assert 'since this run looked' in row['Detail']
        assert 'before that, canceled 1 share' in row['Detail']
        assert [s.to_project_id for s in c.state.shares.values()] == ['e' * 32]
    else:
        assert row['Detail'] == 'canceled 1 share'


# -- what is sent again ----------------------------------------------------


@pytest.mark.parametrize(
    ('change', 'reason'),
    [
        (lambda c, b: setattr(b, 'name', 'keep-me'), 'its name has changed'),
        (lambda c, b: setattr(b, 'volume_id', c.state.add_volume().id), 'its'),
        (
            lambda c, b: setattr(b, 'status', 'error_deleting'),
            'error_deleting',
        ),
        (lambda c, b: c.state.add_share(b, 'e' * 32), 'shared with 1 project'),
    ],
    ids=['renamed', 'other volume', 'error_deleting', 'shared'],
)
def test_what_is_sent_again_is_checked_by_every_rule(
    cloud: CloudFactory,
    openstack: Openstack,
    change: Callable[[Sandbox, Any], Any],
    reason: str,
) -> None:
    c = after_a_delete(cloud, lambda c: change(c, backup))
    backup = c.state.add_backup('nightly')
    c.knobs.faults.append(Fault('status', 'DELETE', status=409))
    result = openstack.run(
        'vbs', 'backup', 'delete', 'nightly', *SHORT, *REPORT
    )
    assert results(result) == ['refused']
    assert reason in result.json()[0]['Detail']
    assert len(deletes(c)) == 1


@pytest.mark.parametrize(
    ('change', 'reason'),
    [
        (lambda c, run: _add_server(c, run), 'its content has changed'),
        (lambda c, run: setattr(run.items[0], 'images', ['x']), 'image'),
        (lambda c, run: setattr(run.items[0], 'status', 'restoring'), 'rest'),
    ],
    ids=['third server', 'image', 'restore'],
)
def test_so_is_a_checkpoint(
    cloud: CloudFactory,
    openstack: Openstack,
    change: Callable[[Sandbox, Any], Any],
    reason: str,
) -> None:
    c = after_a_delete(cloud, lambda c: change(c, run))
    run = c.state.add_checkpoint(2)
    c.knobs.faults.append(Fault('status', 'DELETE', status=409))
    result = delete(openstack, 'csbs checkpoint delete', [run.id], '--wait')
    assert results(result) == ['refused']
    assert reason in result.json()[0]['Detail']
    assert len(deletes(c)) == 1


def test_so_is_a_backup_of_a_server(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = after_a_delete(cloud, lambda c: setattr(item, 'images', ['x']))
    item = c.state.add_checkpoint().items[0]
    c.knobs.faults.append(Fault('status', 'DELETE', status=409))
    result = delete(openstack, 'csbs backup delete', [item.id], '--wait')
    assert results(result) == ['refused']
    assert len(deletes(c)) == 1


def test_a_plan_is_checked_again_too(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    """Meanwhile the one that is to be kept is gone."""
    c = after_a_delete(
        cloud, lambda c: c.state.remove_backup(c.state.backups[newest.id])
    )
    volume = c.state.add_volume()
    old = c.state.add_backup(None, volume)
    newest = c.state.add_backup(None, volume)
    c.knobs.faults.append(Fault('status', 'DELETE', status=409))
    openstack.run(
        *('vbs', 'backup', 'prune', '--all-volumes', '--keep-last', '1'),
        *('--yes', *SHORT),
    )
    assert list(c.state.backups) == [old.id]
    assert len(deletes(c)) == 1


# -- an answer is for what was shown ---------------------------------------


class Slow(Terminal):
    """Somebody who types yes when something has changed."""

    def __init__(self, then: Callable[[], Any]) -> None:
        super().__init__('yes\n')
        self._then = then

    def readline(self, *size: Any) -> str:
        self._then()
        return super().readline(*size)


@pytest.mark.parametrize(
    ('change', 'told'),
    [
        (lambda c, run: _add_server(c, run), 'new: .*third'),
        (
            lambda c, run: setattr(run.items[0], 'status', 'restoring'),
            'restor',
        ),
        (lambda c, run: setattr(run.items[0], 'images', ['x']), 'image'),
        (lambda c, run: c.state.remove_item(run.items[0]), 'no more: '),
        (lambda c, run: setattr(run.items[1], 'resource_name', 'db9'), 'db9'),
    ],
    ids=['third server', 'restore', 'image', 'one less', 'renamed server'],
)
def test_a_yes_counts_for_what_was_shown(
    cloud: CloudFactory,
    openstack: Openstack,
    change: Callable[[Sandbox, Any], Any],
    told: str,
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(2)
    openstack(
        *('csbs', 'checkpoint', 'delete', run.id),
        stdin=Slow(lambda: change(c, run)),
        complains=[
            ...,
            re.compile(
                f'{run.id} has changed while the question was open '
                f'.*{told}.*Nothing was deleted'
            ),
        ],
        code=1,
    )
    assert deletes(c) == []


def _add_server(c: Sandbox, run: Any) -> None:
    server = c.state.add_server('third')
    c.state.add_item(run, server, 'available', False)


def test_a_yes_counts_if_nothing_has_changed(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(2)
    openstack(
        *('csbs', 'checkpoint', 'delete', run.id),
        stdin=Slow(lambda: None),
        complains=[...],
        code=0,
    )
    assert deletes(c) == [checkpoint_delete(run.id)]


# -- missing ---------------------------------------------------------------


@pytest.mark.parametrize('number', [1, 5])
@pytest.mark.parametrize('command', [*GOING, 'vbs share delete'])
def test_missing_is_not_what_a_broken_route_says(
    cloud: CloudFactory, openstack: Openstack, command: str, number: int
) -> None:
    c = cloud()
    named = add_targets(c.state, command, number)
    blind(c, status=404)
    result = delete(openstack, command, named.arguments, '--ignore-missing')
    assert result.code == 1
    assert 'missing' not in result.stdout
    assert deletes(c) == []
