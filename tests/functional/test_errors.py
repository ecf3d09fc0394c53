# SPDX-License-Identifier: Apache-2.0
"""What goes wrong: one sentence with the target and the reason, exit 1."""

import json
import re
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.listeners import Listener
from tests.functional.shell import Openstack
from tests.functional.wire import UNKNOWN, deletes, requests
from tests.sandbox import Fault, Sandbox

DELETE = ('vbs', 'backup', 'delete')

#: Some of each kind; the tables of all are in the unit tests of errors and of
#: verify, and in test_fault_matrix.py.
STATUSES = (400, 401, 403, 404, 408, 409, 413, 429, 451, 500, 503)

LOGIN = {
    'auth_url': 'http://{host}/identity/v3',
    'username': 'demo',
    'password': 'secret',
    'project_name': 'demo',
    'user_domain_name': 'Default',
    'project_domain_name': 'Default',
}


def login(sandbox: Sandbox, **changes: Any) -> dict[str, Any]:
    auth = {**LOGIN, 'auth_url': f'{sandbox.url}/identity/v3', **changes}
    return {'auth': {k: v for k, v in auth.items() if v is not None}}


# -- before anything can be asked ------------------------------------------


def test_no_such_cloud(cloud: CloudFactory, openstack: Openstack) -> None:
    c = cloud()
    openstack(
        *DELETE,
        'nightly',
        env={'OS_CLOUD': 'other'},
        complains=['Cloud other was not found'],
    )
    assert c.requests == []


@pytest.mark.parametrize(
    'changes',
    [{'password': 'wrong'}, {'username': 'nobody'}, {'project_name': 'none'}],
)
def test_a_login_that_is_refused(
    cloud: CloudFactory, openstack: Openstack, changes: dict[str, str]
) -> None:
    c = cloud()
    openstack(
        *DELETE,
        'nightly',
        config=login(c, **changes),
        complains=['requires authentication'],
    )
    assert requests(c) == []


@pytest.mark.parametrize(
    ('command', 'key'),
    [
        ('vbs backup delete x', 'vbs_endpoint_override'),
        ('vbs share delete --backup=x', 'vbs_endpoint_override'),
        ('csbs backup delete x', 'csbs_endpoint_override'),
        ('csbs checkpoint delete x', 'csbs_endpoint_override'),
    ],
)
def test_no_endpoint_in_the_catalog_names_the_key_to_set(
    cloud: CloudFactory, openstack: Openstack, command: str, key: str
) -> None:
    c = cloud(catalog='none', csbs_catalog=None)
    openstack(*command.split(), complains=[re.compile(f'This cloud.*{key}')])
    assert requests(c) == []


def test_a_region_that_the_catalog_does_not_have(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    openstack(
        *DELETE,
        'nightly',
        config={'region_name': 'Elsewhere'},
        complains=[re.compile('RegionOne.*Elsewhere')],
    )
    assert requests(c) == []


def test_several_regions_and_none_configured_is_no_guess(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(regions=('RegionOne', 'RegionTwo'))
    openstack(
        *DELETE,
        'nightly',
        config={'region_name': None},
        complains=[re.compile('several regions.*RegionOne, RegionTwo')],
    )
    assert requests(c) == []


@pytest.mark.parametrize(
    'override', ['ftp://host/x', 'no url', 'http://', 'http://h:99999/']
)
def test_an_override_that_is_no_url(
    cloud: CloudFactory, openstack: Openstack, override: str
) -> None:
    c = cloud()
    openstack(
        *DELETE,
        'nightly',
        config={'vbs_endpoint_override': override},
        complains=[f'The endpoint {override!r} is not an http(s) URL'],
    )
    assert requests(c) == []


def test_a_cloud_that_is_down(openstack: Openstack) -> None:
    dead = Sandbox().start()
    dead.stop()
    host = dead.url.removeprefix('http://')
    reason = f'The login failed: no connection to {host} (connection refused)'
    openstack(*DELETE, 'nightly', cloud=dead, complains=[..., reason])


@pytest.mark.parametrize('command', ['vbs backup', 'csbs backup'])
def test_a_service_that_is_down(
    cloud: CloudFactory, openstack: Openstack, command: str
) -> None:
    dead = Sandbox().start()
    # First, so that it cannot get the port that the dead one gives up.
    c = cloud()
    dead.stop()
    host = dead.url.removeprefix('http://')
    key = command.split()[0]
    openstack(
        *command.split(),
        'delete',
        'nightly',
        config={f'{key}_endpoint_override': f'{dead.url}/{key}'},
        complains=[f'No connection to {host} (connection refused)'],
    )
    assert requests(c) == []


def test_a_service_that_does_not_answer_in_time(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(faults=[Fault('hang', 'DELETE', times=None)])
    backup = c.state.add_backup('nightly')
    openstack(
        *DELETE,
        'nightly',
        config={'api_timeout': 0.2},
        complains=[re.compile(f'{backup.id}.*did not answer in time'), '1 of'],
    )
    assert len(deletes(c)) == 5


# -- refusals --------------------------------------------------------------


@pytest.mark.parametrize('status', STATUSES)
@pytest.mark.parametrize(
    'body',
    [
        '',
        '{{"fault": {{"code": {status}, "message": "the reason"}}}}',
        '<html><head><title>the reason</title></head><body>x</body></html>',
    ],
    ids=['empty', 'json', 'html'],
)
def test_a_refused_delete_names_the_target_and_the_reason(
    cloud: CloudFactory, openstack: Openstack, status: int, body: str
) -> None:
    c = cloud()
    backup = c.state.add_backup('nightly')
    c.knobs.faults.append(
        Fault(
            'status',
            'DELETE',
            status=status,
            body=body.format(status=status),
            times=None,
        )
    )
    reason = 'the reason' if body else '[a-z]'
    result = openstack(
        *DELETE,
        'nightly',
        complains=[
            re.compile(
                f'^Failed to delete backup nightly \\({backup.id}\\): '
                f'.*{reason}.*\\(HTTP {status}, request req-'
            ),
            '1 of 1 backups failed to delete.',
        ],
    )
    assert result.stdout == ''
    assert list(c.state.backups) == [backup.id]


@pytest.mark.parametrize('status', STATUSES)
def test_a_refused_look_up_deletes_nothing(
    cloud: CloudFactory, openstack: Openstack, status: int
) -> None:
    c = cloud()
    ids = [c.state.add_backup().id for _ in range(6)]
    c.knobs.faults.append(
        Fault(
            'status',
            'GET',
            '/backups',
            status=status,
            times=None,
        )
    )
    for named in (ids[:1], ids, ['name']):
        result = openstack.run(*DELETE, *named)
        assert result.code == 1
        assert 'Traceback' not in result.stderr
        if status != 404:
            assert f'HTTP {status}' in result.stderr, result
    assert deletes(c) == []


@pytest.mark.parametrize(
    'body',
    [
        '{"error": {"message": "bad \\u001b[31m\\u202e thing", "code": 4}}',
        '{"error_code": "CSBS.2003", "error_msg": "bad\\r\\nthing"}',
        '{"message": {"nested": ["bad", null, {}]}}',
        '{"badRequest": {"message": null}}',
        '[1, 2]',
        'null',
        '{',
        'bad \x1b[2J thing',
        '\x00' * 100,
        'x' * 300_000,
    ],
)
def test_a_strange_answer_is_quoted_safely(
    cloud: CloudFactory, openstack: Openstack, body: str
) -> None:
    c = cloud()
    backup = c.state.add_backup('nightly')
    c.knobs.faults.append(
        Fault('status', 'DELETE', status=400, body=body, times=2)
    )
    told = openstack(
        *(*DELETE, 'nightly'),
        complains=[f'nightly ({backup.id}): ', '1 of 1'],
    ).stderr
    assert len(told) < 2000
    shown = openstack(
        *(*DELETE, 'nightly', '--report'),
        complains=['1 of 1 backups failed to delete.'],
    ).stdout
    assert re.search(rf'\| {backup.id} \| nightly .*\| failed ', shown)
    assert max(map(len, shown.splitlines())) < 2000
    assert not re.search('[\x00-\x09\x0b-\x1f\x7f\u202e]', told + shown)


@pytest.mark.parametrize('status', [200, 201, 203, 206])
def test_another_success_than_the_documented_one_is_none(
    cloud: CloudFactory, openstack: Openstack, status: int
) -> None:
    c = cloud()
    backup = c.state.add_backup('nightly')
    c.knobs.faults.append(Fault('status', 'DELETE', status=status))
    openstack(
        *DELETE,
        'nightly',
        complains=[re.compile(f'{backup.id}.*answered {status}'), '1 of 1'],
    )


@pytest.mark.parametrize(
    'body', ['', 'not json', '[]', '{}', '{"backup": 1}', '{"backup": {}}']
)
def test_a_look_up_that_is_answered_with_nonsense_deletes_nothing(
    cloud: CloudFactory, openstack: Openstack, body: str
) -> None:
    c = cloud()
    ids = [c.state.add_backup().id for _ in range(6)]
    c.knobs.faults.append(
        Fault('body', 'GET', '/backups', body=body, times=None)
    )
    for named in (ids[:1], ids, ['name']):
        openstack(*DELETE, *named, complains=[..., 'he service answered', ...])
    assert deletes(c) == []


def test_a_look_up_that_is_answered_with_another_backup_deletes_neither(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    wanted, other = c.state.add_backup(), c.state.add_backup()
    body = json.dumps({'backup': {'id': other.id, 'status': 'available'}})
    c.knobs.faults.append(Fault('body', 'GET', wanted.id, body=body))
    openstack(
        *DELETE,
        wanted.id,
        complains=[f'answered with another backup ({other.id})', '1 of 1'],
    )
    assert deletes(c) == []


@pytest.mark.parametrize('number', [1, 10])
def test_the_same_refusal_for_all_stops_early_with_one_sentence(
    cloud: CloudFactory, openstack: Openstack, number: int
) -> None:
    c = cloud(read_only_role=True)
    ids = [c.state.add_backup().id for _ in range(40)]
    result = openstack(
        *DELETE,
        *ids,
        f'--concurrency={number}',
        complains=[..., '40 of 40 backups failed to delete (37 not sent).'],
    )
    stopped = [
        line
        for line in result.stderr.splitlines()
        if line.startswith('The same failure came for each of ')
    ]
    assert len(stopped) == 1
    assert "Policy doesn't allow backup:delete" in stopped[0]
    assert len(deletes(c)) == 3
    assert len(result.stderr.splitlines()) == 3 + 2
    assert result.stderr.count("Policy doesn't allow backup:delete") == 1
    for request in c.requests:
        if request.method == 'DELETE':
            assert str(request).rpartition('/')[2] in result.stderr
    assert len(c.state.backups) == 40


def test_a_report_says_of_the_rest_why_it_was_not_sent(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(read_only_role=True)
    volume = c.state.add_volume('data')
    ids = [c.state.add_backup(volume=volume).id for _ in range(6)]
    result = openstack.run(*DELETE, *ids, '--concurrency=1', '-f', 'json')
    rest = [row for row in result.json() if row['Result'] == 'not sent']
    assert len(rest) == 3
    for row in rest:
        assert row['Detail'] == (
            'not sent: the run was stopped: the same failure came for each '
            "of 3 targets in a row (Policy doesn't allow backup:delete to be "
            'performed).'
        )
    # They are no failures of their own.
    assert not [row for row in rest if row['ID'] in result.stderr]


def test_lost_answers_are_reported_once(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backups = [c.state.add_backup() for _ in range(3)]
    c.knobs.faults += [
        Fault('hang', 'DELETE', times=None),
        Fault('hang', 'GET', '/backups', skip=3, times=None),
    ]
    result = openstack.run(
        *DELETE, *(b.id for b in backups), config={'api_timeout': 0.1}
    )
    assert result.code == 1
    lines = result.stderr.splitlines()
    assert lines[0].startswith('Whether 3 backups are deleted is unknown: ')
    assert lines[0].endswith(' Check its status before retrying.')
    assert lines[1:4] == [f'  {b.name} ({b.id})' for b in backups]
    assert lines[-1] == '3 of 3 backups failed to delete.'


@pytest.mark.parametrize(
    ('options', 'ending'),
    [
        ((), 'failed to delete'),
        (('-f', 'json'), 'failed to delete'),
        (('-c', 'ID'), 'failed to delete'),
        (('--dry-run', '-c', 'ID'), 'would be refused'),
    ],
)
def test_what_many_targets_share_is_said_once(
    cloud: CloudFactory,
    openstack: Openstack,
    options: tuple[str, ...],
    ending: str,
) -> None:
    c = cloud()
    partner = c.state.add_project('partner', member=False)
    shared = [c.state.add_backup() for _ in range(4)]
    for backup in shared:
        c.state.add_share(backup, partner)
    stuck = c.state.add_backup('stuck', status='error_deleting')
    result = openstack.run(
        *DELETE, *(b.id for b in (*shared[:2], stuck, *shared[2:])), *options
    )
    assert result.code == 1
    failed = 'Would not' if '--dry-run' in options else 'Failed to'
    complaints = (
        f'{failed} delete 4 backups: it is shared with 1 project: '
        f'{partner.id}. ',
        *(f'  {b.name} ({b.id})' for b in shared),
        f'{failed} delete backup stuck ({stuck.id}): its deletion failed ',
        f'5 of 5 backups {ending}.',
    )
    lines = result.stderr.splitlines()
    assert len(lines) == len(complaints)
    for line, complaint in zip(lines, complaints, strict=True):
        assert line.startswith(complaint)
    assert deletes(c) == []


@pytest.mark.parametrize(
    ('options', 'ending'),
    [
        (('--report',), 'failed to delete'),
        (('-c', 'ID', '-c', 'Detail'), 'failed to delete'),
        (('--dry-run',), 'would be refused'),
        (('--dry-run', '-f', 'json'), 'would be refused'),
    ],
)
def test_what_the_rows_tell_is_not_said_again(
    cloud: CloudFactory,
    openstack: Openstack,
    options: tuple[str, ...],
    ending: str,
) -> None:
    c = cloud()
    stuck = c.state.add_backup('stuck', status='error_deleting')
    result = openstack(
        *(*DELETE, stuck.id, *options),
        complains=[f'1 of 1 backups {ending}.'],
    )
    assert 'its deletion failed before (status error_deleting)' in (
        result.stdout
    )
    assert deletes(c) == []


def test_a_project_that_is_not_entitled_is_reported_once(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(latency=0.02)
    ids = [c.state.add_backup().id for _ in range(20)]
    body = '{"error": {"code": "BackupService.4008", "message": "no"}}'
    c.knobs.faults.append(
        Fault('status', 'DELETE', status=400, body=body, times=None)
    )
    result = openstack(
        *DELETE,
        *ids,
        '--concurrency=1',
        complains=[..., '20 of 20 backups failed to delete (17 not sent).'],
    )
    assert 'Use CBR instead' in result.stderr
    assert len(deletes(c)) == 3


def test_refusals_that_differ_stop_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backups = [c.state.add_backup() for _ in range(10)]
    for backup in backups[:8]:
        backup.image = True
    openstack(
        *DELETE,
        *(b.id for b in backups),
        '--concurrency=1',
        complains=[..., '8 of 10 backups failed to delete.'],
    )
    assert len(deletes(c)) == 10


@pytest.mark.parametrize(
    'command',
    [
        'vbs backup delete',
        'vbs share delete --backup',
        'csbs backup delete',
        pytest.param('vbs share delete'),
        pytest.param('csbs checkpoint delete'),
    ],
)
def test_a_wrong_endpoint_is_not_what_ignore_missing_means(
    cloud: CloudFactory, openstack: Openstack, command: str
) -> None:
    c = cloud()
    group = command.split()[0]
    result = openstack.run(
        *command.split(),
        UNKNOWN,
        '--ignore-missing',
        # The address of another service, which knows none of our routes.
        config={f'{group}_endpoint_override': f'{c.url}/nothing'},
        audited=False,
    )
    assert result.code == 1, result
    assert result.stderr
    assert deletes(c) == []


# -- redirects -------------------------------------------------------------


@pytest.mark.parametrize('status', [300, 301, 302, 303, 307, 308])
@pytest.mark.parametrize('method', ['GET', 'DELETE'])
def test_a_redirect_is_never_followed(
    cloud: CloudFactory, openstack: Openstack, method: str, status: int
) -> None:
    target = cloud()
    c = cloud()
    backup = c.state.add_backup('nightly')
    c.knobs.faults.append(
        Fault(
            'status',
            method,
            '/vbs/v',
            status=status,
            headers={'Location': f'{target.url}/vbs/v2/x/backups/y'},
            times=None,
        )
    )
    host = target.url.removeprefix('http://')
    openstack(
        *DELETE,
        backup.id,
        complains=[
            ...,
            re.compile(f'redirects to {host}.*HTTP {status}'),
            ...,
        ],
    )
    assert target.requests == []
    assert list(c.state.backups) == [backup.id]


@pytest.mark.parametrize('status', [301, 302, 307, 308])
def test_a_redirect_of_the_version_documents_is_not_followed_either(
    cloud: CloudFactory, openstack: Openstack, status: int
) -> None:
    target = cloud(discovery='both')
    c = cloud()
    backup = c.state.add_backup()
    c.knobs.faults.append(
        Fault(
            'status',
            'GET',
            '/vbs/$',
            status=status,
            headers={'Location': f'{target.url}/vbs/'},
        )
    )
    openstack(*DELETE, backup.id)
    assert target.requests == []
    assert not c.state.backups


# -- tokens ----------------------------------------------------------------


def test_a_token_that_ends_in_the_middle_is_renewed(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(token_uses=20)
    ids = [c.state.add_backup().id for _ in range(30)]
    openstack(*DELETE, *ids)
    assert not c.state.backups
    assert len(c.state.tokens) == 2


def test_a_login_that_is_not_renewed_says_so(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(token_uses=10)
    c.knobs.faults.append(
        Fault(
            'status',
            'POST',
            'auth/tokens',
            status=401,
            body='{"error": {"code": 401, "message": "no"}}',
            skip=1,
            times=None,
        )
    )
    ids = [c.state.add_backup().id for _ in range(30)]
    result = openstack(
        *DELETE,
        *ids,
        '--concurrency=2',
        complains=[..., re.compile('of 30 backups failed to delete')],
    )
    assert 'identity service does not renew the login' in result.stderr
    assert 0 < len(c.state.backups) < 30


def test_a_busy_service_is_asked_again_until_all_is_accepted(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(max_concurrent=2, retry_after='0', latency=0.002)
    ids = [c.state.add_backup().id for _ in range(30)]
    openstack(*DELETE, *ids)
    assert not c.state.backups


# -- answers that are hardly any -------------------------------------------


def test_a_header_that_is_none_is_nothing_to_talk_about(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    cloud()
    body = b'{"backups": []}'
    listener = Listener(
        b'HTTP/1.1 200 X\r\nno colon\x1b[31m here\r\n\r\n' + body
    )
    config = {'vbs_endpoint_override': f'{listener.url}/v2'}
    try:
        openstack('vbs', 'backup', 'list', config=config)
    finally:
        listener.close()


@pytest.mark.parametrize(
    'command', ['vbs backup delete', 'vbs share delete', 'csbs backup delete']
)
def test_what_cannot_be_looked_up_is_named(
    cloud: CloudFactory, openstack: Openstack, command: str
) -> None:
    c = cloud()
    c.knobs.faults.append(Fault('status', 'GET', UNKNOWN, 405, times=None))
    openstack(
        *command.split(),
        UNKNOWN,
        complains=[
            re.compile(f'^Failed to look up .* {UNKNOWN}: .*HTTP 405'),
            '1 of 1 ',
        ],
    )
    assert deletes(c) == []
