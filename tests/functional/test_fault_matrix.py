# SPDX-License-Identifier: Apache-2.0
"""Each command in trouble, as ``fault_matrix.py`` has it, and as it says.

Each test names two targets among the things of a believable cloud, lets the
trouble hit the first one, and looks at the request log, the report, the exit
code and everything that is there.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from requests.adapters import HTTPAdapter

from tests.functional.conftest import CloudFactory
from tests.functional.fault_matrix import (
    AT_ONCE,
    CHANGES,
    CREATES,
    CROWDS,
    DELETES,
    GONE,
    LARGE,
    LISTS,
    LOST,
    NEVER_MADE,
    ODD,
    PAGE,
    POLICY_CHANGES,
    RESTORES,
    TROUBLES,
    UNREACHABLE,
    WAITS,
    Created,
    Crowd,
    Trouble,
    page,
    sample,
)
from tests.functional.listeners import full, untrusted
from tests.functional.plan import BACKUP_FIRST
from tests.functional.reading import only_gets
from tests.functional.shell import Openstack
from tests.functional.targets import (
    REPORT,
    ROOMY,
    add_history,
    add_overwritten,
    add_targets,
    arrived,
    changed,
    results,
    things,
    words,
)
from tests.functional.wire import creations, deletes, requests, restores
from tests.sandbox import CloudState, Fault, LoggedRequest, Sandbox
from vbsclient.deletion import server_backups
from vbsclient.osc.command import clients
from vbsclient.waiting import Patience

__all__ = ['only_gets']

#: Not the question for versions, which has a test of its own.
READS = 'backups|sharing|checkpoint|jobs'

Case = tuple[Trouble, Mapping[str, Any]]

#: The services themselves, without the question for versions.
SERVICES = '/(vbs|csbs)/v'

#: The requests that create something, and no search.
POSTS = r'cloudbackups$|sharing$|resources/[^/]+/action$'

#: What meets every trouble.
FIRST = (DELETES[0], CREATES[0], LISTS[0])


def each_trouble(commands: Sequence[str], consequence: str) -> Any:
    """Every fault for the first command, a sample for the others."""
    first, *others = commands
    cases = [
        (first, row, number, fault)
        for row in TROUBLES
        for number, fault in enumerate(row.faults)
    ]
    return _marked([*cases, *_sampled(others, consequence)])


def _sampled(commands: Sequence[str], consequence: str) -> list[Any]:
    return [
        (command, row, 0, row.faults[0])
        for command in commands
        for row in sample(consequence)
    ]


def _marked(cases: Sequence[Any]) -> Any:
    return pytest.mark.parametrize(
        ('command', 'case'),
        [
            pytest.param(
                command, (row, fault), id=f'{command}-{row.title}-{number}'
            )
            for command, row, number, fault in cases
        ],
    )


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_backups, 'PROOF_TIMEOUT', 0.1)
    monkeypatch.setattr(Patience, 'pause', lambda self, elapsed: 0.01)


class Aimed(Fault):
    """May hit the requests for one target alone."""

    def aim(self, sandbox: Sandbox, method: str, path: str, id: str) -> None:
        """Hit those that have its id in the path or in the body."""
        self.method, self.path = method, path
        self._is_meant = lambda: (
            id in f'{sandbox.requests[-1]}{sandbox.requests[-1].body!r}'
        )
        sandbox.knobs.faults.append(self)

    def _is_meant(self) -> bool:
        return True

    def strikes(self, method: str, target: str) -> bool:
        return self._is_meant() and super().strikes(method, target)


@pytest.fixture
def fault(
    case: Case, elsewhere: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> Aimed:
    """A fault of the table; a redirect leads to the other host."""
    keywords = dict(case[1])
    if keywords['action'] == 'hang':
        # For all else there is time, on a machine with much to do.
        monkeypatch.setattr(clients, 'DEFAULT_TIMEOUT', (5.0, 0.1))
    keywords['headers'] = {
        name: value.replace('{elsewhere}', elsewhere.url)
        for name, value in keywords.get('headers', {}).items()
    }
    return Aimed(**keywords)


@pytest.fixture(scope='module')
def elsewhere() -> Iterator[Sandbox]:
    """A host to which nothing may ever be sent."""
    with Sandbox() as sandbox:
        yield sandbox
        assert sandbox.requests == []


# -- a DELETE is hit -------------------------------------------------------


@each_trouble(DELETES, 'deletion')
def test_a_delete_in_trouble(
    cloud: CloudFactory,
    openstack: Openstack,
    pauses: list[float],
    command: str,
    case: Case,
    fault: Fault,
) -> None:
    row = case[0]
    wanted = row.deletion.of(command)
    c = cloud(deletion_time=3600)
    c.seed()
    named = add_targets(c.state, command)
    first, second = named.ids
    before = things(c.state)
    fault.method, fault.path = 'DELETE', first
    c.knobs.faults.append(fault)
    result = openstack.run(*words(command), *named.arguments, *REPORT)
    assert (results(result), result.code) == (
        [wanted.said, wanted.other],
        wanted.code,
    ), result
    sends_second = wanted.other != 'not sent'
    assert arrived(c, first) == wanted.sent
    assert arrived(c, second) == sends_second
    assert len(deletes(c)) == wanted.sent + sends_second
    touched = set[str]().union(
        named.whole[0] if wanted.acted else (),
        named.whole[1] if sends_second else (),
    )
    assert changed(before, c.state) == touched
    assert (first in result.stderr) == (wanted.said in ('failed', 'unknown'))
    assert len(result.stderr) < 2000
    if row.pauses:
        assert row.pauses[0] <= pauses[0] <= row.pauses[1]


@each_trouble(CREATES, 'creation')
def test_a_creation_in_trouble(
    cloud: CloudFactory,
    openstack: Openstack,
    pauses: list[float],
    command: str,
    case: Case,
    fault: Aimed,
) -> None:
    row = case[0]
    wanted = row.creation.of(command)
    c = cloud(creation_time=3600, **ROOMY)
    c.seed()
    named = add_targets(c.state, command)
    first, second = named.ids
    before = things(c.state, command)
    fault.aim(c, 'POST', POSTS, first)
    result = openstack.run(*words(command), *named.arguments, *REPORT)
    assert (results(result), result.code) == (
        [wanted.said, AT_ONCE.get(command, 'accepted')],
        wanted.code,
    ), result
    assert arrived(c, first) == wanted.sent
    assert arrived(c, second) == 1
    acted = {first, second} if wanted.acted else {second}
    assert changed(before, c.state, command) == acted
    assert [told for told in (LOST, ODD) if told in result.stdout] == (
        [wanted.remark] if wanted.remark else []
    )
    assert (first in result.stderr) == (wanted.said in ('failed', 'unknown'))
    if wanted.said == 'unknown':
        # It says how to see what came of it, and never to repeat it.
        assert '  openstack vbs ' in result.stderr.replace('csbs', 'vbs')
        assert 'retry' not in result.stderr.lower()
    assert len(result.stderr) < 2000
    if row.pauses and wanted.sent > 1:
        assert row.pauses[0] <= pauses[0] <= row.pauses[1]


@each_trouble(RESTORES, 'overwriting')
def test_a_restore_in_trouble(
    cloud: CloudFactory,
    openstack: Openstack,
    command: str,
    case: Case,
    fault: Aimed,
) -> None:
    wanted = case[0].overwriting.of(command)
    c = cloud(restore_time=3600, **ROOMY)
    c.seed()
    named = add_overwritten(c.state, command)
    [id] = named.ids
    before = things(c.state)
    contents = {v.id: v.status for v in c.state.volumes.values()}
    fault.method, fault.path = 'POST', '/restores?$'
    c.knobs.faults.append(fault)
    result = openstack.run(*words(command), *named.arguments, '--yes', *REPORT)
    assert (results(result), result.code) == ([wanted.said], wanted.code)
    assert len(restores(c)) == wanted.sent
    hurt = changed(before, c.state)
    assert (id in hurt) == wanted.acted
    assert hurt <= named.whole[0]
    if not wanted.acted:
        now = {v.id: v.status for v in c.state.volumes.values()}
        assert now == contents
    assert [told for told in (LOST, ODD) if told in result.stdout] == (
        [wanted.remark] if wanted.remark else []
    )
    if wanted.said == 'unknown':
        # It says how to see what came of it, and never to repeat it.
        assert '\n  openstack ' in result.stderr
        assert 'retry' not in result.stderr.lower()
    without_plan = result.stderr.partition(BACKUP_FIRST)[2]
    assert len(without_plan) < 2000


@_marked(
    [
        case
        for command, method in POLICY_CHANGES.items()
        for case in _sampled(
            [command],
            {'DELETE': 'deletion', 'PUT': 'overwriting'}.get(
                method, 'creation'
            ),
        )
    ]
)
def test_a_change_of_a_policy_in_trouble(
    cloud: CloudFactory,
    openstack: Openstack,
    pauses: list[float],
    command: str,
    case: Case,
    fault: Aimed,
) -> None:
    row, method = case[0], POLICY_CHANGES[command]
    wanted = row.of_policy(command)
    c = cloud()
    c.seed()
    fault.method, fault.path = method, '/(backuppolicy|policies)(/[^/]*)?$'
    c.knobs.faults.append(fault)
    if method == 'POST':
        schedule = ('--at', '02:00', '--every', '1d', '--keep-last', '7')
        arguments = [*schedule, 'nightly']
    elif method == 'PUT':
        arguments = ['--disable', c.state.add_plan('nightly').id]
    else:
        arguments = [c.state.volume_policies.add(c.project_id, 'nightly').id]
    before = states_of_policies(c)
    result = openstack.run(*words(command), *arguments, *REPORT)
    if method != 'POST':
        assert results(result) == [wanted.said], result
    elif wanted.said == 'created':
        assert result.json()['name'] == 'nightly'
    else:
        assert result.stdout == ''
        is_unknown = 'is created is unknown' in result.stderr
        assert is_unknown == (wanted.said == 'unknown'), result
    assert result.code == wanted.code, result
    sent = [r for r in c.requests if r.method == method and 'polic' in r.path]
    assert len(sent) == wanted.sent
    assert (states_of_policies(c) != before) == wanted.acted
    if isinstance(wanted, Created):
        # A remark begins like a sentence.
        said = result.stdout.lower()
        told = [told for told in (LOST, ODD) if told in said]
        assert told == ([wanted.remark] if wanted.remark else [])
    if wanted.said == 'unknown':
        # It says how to see what came of it, and never to repeat it.
        assert '\n  openstack ' in result.stderr
        assert 'retry' not in result.stderr.lower()
    assert len(result.stderr) < 2000
    if row.pauses and wanted.sent > 1:
        assert row.pauses[0] <= pauses[0] <= row.pauses[1]


def states_of_policies(sandbox: Sandbox) -> list[tuple[str, bool]]:
    """The policies that there are, and whether they are enabled."""
    state = sandbox.state
    volumes = state.volume_policies.of_project(sandbox.project_id).values()
    return [
        *((p.name, p.schedule['status'] == 'ON') for p in volumes),
        *((p.name, p.operation['enabled']) for p in state.plans.values()),
    ]


@_marked(_sampled(['vbs backup prune', 'csbs backup prune'], 'deletion'))
def test_a_deletion_by_rule_has_the_results_of_one_by_name(
    cloud: CloudFactory,
    openstack: Openstack,
    command: str,
    fault: Fault,
    case: Case,
) -> None:
    wanted = case[0].deletion.of(command.replace('prune', 'delete'))
    c = cloud(deletion_time=3600)
    named = add_history(c.state, command)
    first, second = named.ids
    before = things(c.state)
    fault.method, fault.path = 'DELETE', first
    c.knobs.faults.append(fault)
    rule = ('--keep-last', '1', '--yes')
    result = openstack.run(*words(command), *named.arguments, *rule, *REPORT)
    told = {row['ID']: row['Result'] for row in result.json()}
    assert told == {first: wanted.said, second: wanted.other}
    assert result.code == wanted.code
    sends_second = wanted.other != 'not sent'
    assert arrived(c, first) == wanted.sent
    assert arrived(c, second) == sends_second
    assert changed(before, c.state) == set[str]().union(
        named.whole[0] if wanted.acted else (),
        named.whole[1] if sends_second else (),
    )


@pytest.mark.parametrize('command', [*CHANGES, *RESTORES])
def test_a_service_that_listens_no_more_when_the_change_comes(
    cloud: CloudFactory, openstack: Openstack, command: str
) -> None:
    # The ids of two clouds are the same: the first run counts the reads.
    reads = 0
    for leaves in (False, True):
        c = cloud(deletion_time=3600, creation_time=3600, **ROOMY)
        named = add_targets(c.state, command)
        if command in RESTORES:
            named.arguments.append('--yes')
        before = things(c.state, command)
        if leaves:
            leave = Fault('leave', path=SERVICES, skip=reads - 1)
            c.knobs.faults.append(leave)
        result = openstack.run(*words(command), *named.arguments, *REPORT)
        reads = reads_before_a_change(c)
    assert changes(c) == 0
    assert (results(result), result.code) == (
        [NEVER_MADE.said] * len(named.ids)
        if command not in DELETES
        else [GONE[command].said, GONE[command].other],
        1,
    ), result
    assert re.search(
        f'\\({named.shown or named.ids[0]}\\).*: no connection to ',
        result.stderr,
    )
    assert changed(before, c.state, command) == set()


def reads_before_a_change(sandbox: Sandbox) -> int:
    """How many requests come after the question for versions."""
    sent = [r for r in sandbox.requests if re.search(SERVICES, r.path)]
    return next((n for n, r in enumerate(sent) if is_change(r)), len(sent))


class Vanishing(Fault):
    """From the first DELETE on nothing is known any more, not even a route."""

    def __init__(self) -> None:
        super().__init__('status', path=READS, status=404, times=None)
        self.begun = False

    def strikes(self, method: str, target: str) -> bool:
        self.begun = self.begun or method == 'DELETE'
        return self.begun and super().strikes(method, target)


@pytest.mark.parametrize(
    'command', [*DELETES, 'vbs share delete --backup', 'karbor']
)
def test_a_404_to_everything_is_no_deletion(
    cloud: CloudFactory, openstack: Openstack, command: str
) -> None:
    c = cloud(faults=[Vanishing()], checkpoint_items=command != 'karbor')
    if command.endswith('--backup'):
        backup = c.state.add_backup()
        c.state.add_share(backup, c.state.new_hex())
        arguments = ['vbs', 'share', 'delete', '--backup', backup.id]
    elif command == 'karbor':
        ids = [c.state.add_checkpoint().id for _ in range(2)]
        arguments = ['csbs', 'checkpoint', 'delete', *ids, '--yes']
    else:
        named = add_targets(c.state, command)
        arguments = [*words(command), *named.arguments]
    before = things(c.state)
    result = openstack.run(*arguments, *REPORT)
    # Nobody can see whether it was carried out.
    assert set(results(result)) <= {'unknown', 'not sent'}, result
    assert 'unknown' in results(result)
    assert result.code == 1
    assert changed(before, c.state) == set()


@pytest.mark.parametrize(
    ('command', 'crowd'),
    [
        pytest.param(command, crowd, id=f'{command}-{crowd.title}')
        for command in CHANGES
        # A login is renewed in the same way for all of them.
        for crowd in CROWDS[command not in FIRST :]
    ],
)
def test_many_in_trouble(
    cloud: CloudFactory, openstack: Openstack, command: str, crowd: Crowd
) -> None:
    c = cloud(
        deletion_time=3600,
        deletion_slots=500,
        creation_time=3600,
        **ROOMY,
        **crowd.knobs,
    )
    c.seed()
    named = add_targets(c.state, command, crowd.number)
    before = things(c.state, command)
    result = openstack.run(*words(command), *named.arguments, *REPORT)
    told = Counter(results(result))
    sent = [r for r in c.requests if is_change(r)]
    if crowd.enough is None:
        assert f'{told.total()} {told.popitem()[0]}, {result.code}' == (
            crowd.of(command)
        )
        assert sum(r.status < 300 for r in sent) == crowd.number
        assert changed(before, c.state, command) == set[str]().union(
            *named.whole
        )
    else:
        assert set(told) == {'failed', 'not sent'}
        assert told.total() == crowd.number
        assert told['failed'] == len(sent) == crowd.enough
        assert result.code == 1
        assert result.stderr.count('and the rest were not sent') == 1
        assert changed(before, c.state, command) == set()
    logins = [r for r in c.requests if r.path.endswith('/auth/tokens')]
    assert len(logins) == crowd.logins


def is_change(request: LoggedRequest) -> bool:
    return request.method == 'DELETE' or bool(
        request.method == 'POST'
        and re.search(f'{POSTS}|/restores?$', request.path)
    )


def changes(sandbox: Sandbox) -> int:
    """How many requests have come that change something."""
    every = deletes(sandbox), creations(sandbox), restores(sandbox)
    return sum(map(len, every))


# -- a GET is hit ----------------------------------------------------------


@each_trouble(CHANGES, 'reads')
def test_a_look_up_in_trouble(
    cloud: CloudFactory,
    openstack: Openstack,
    command: str,
    case: Case,
    fault: Fault,
) -> None:
    row = case[0]
    c = cloud(deletion_time=3600, creation_time=3600, **ROOMY)
    c.seed()
    named = add_targets(c.state, command)
    before = things(c.state, command)
    fault.method, fault.path = 'GET', READS
    c.knobs.faults.append(fault)
    result = openstack.run(*words(command), *named.arguments, *REPORT)
    told = set(results(result))
    if row.reads:
        assert result.code == 0, result
        assert told == {AT_ONCE.get(command, 'accepted')}
        assert changed(before, c.state, command) == set[str]().union(
            *named.whole
        )
    else:
        assert result.code == 1, result
        assert told <= {'failed'}
        assert deletes(c) == creations(c) == []
        assert changed(before, c.state, command) == set()
        assert result.stderr


@each_trouble(WAITS, 'reads')
def test_a_look_in_trouble(
    cloud: CloudFactory,
    openstack: Openstack,
    command: str,
    fault: Fault,
) -> None:
    """More looks fail than are repeated at once; the wait goes on."""

    def begin(request: LoggedRequest) -> None:
        if changes(c) == 2 and not c.knobs.faults:
            c.knobs.faults.append(fault)

    def clock() -> float:
        """Nothing ends before the trouble does."""
        troubled = fault.hits < (fault.times or 0)
        return 0.0 if troubled else time.monotonic() - started

    started = time.monotonic()
    c = cloud(
        on_finished=begin,
        deletion_time=0.02,
        creation_time=0.02,
        clock=clock,
        **ROOMY,
    )
    fault.method, fault.path = 'GET', READS
    if fault.times is None:
        fault.times = 7 if len(fault.body) < LARGE else 1
    c.seed()
    named = add_targets(c.state, command)
    before = things(c.state, command)
    result = openstack.run(
        *words(command), *named.arguments, '--wait', '--timeout=20', *REPORT
    )
    done = 'created' if command in CREATES else 'deleted'
    assert (results(result), result.code) == ([done] * 2, 0), result
    assert result.stderr == ''
    assert fault.hits == fault.times
    assert changes(c) == 2
    assert changed(before, c.state, command) == set[str]().union(*named.whole)


@each_trouble(LISTS, 'reads')
@pytest.mark.usefixtures('only_gets')
def test_a_list_in_trouble(
    cloud: CloudFactory,
    openstack: Openstack,
    command: str,
    case: Case,
    fault: Fault,
) -> None:
    row = case[0]
    c = cloud()
    c.seed()
    fault.method, fault.path = 'GET', READS
    c.knobs.faults.append(fault)
    result = openstack.run(*command.split(), '-f', 'json')
    if row.reads:
        assert (result.code, result.stderr) == (0, ''), result
        assert len(result.json()) == in_list(c.state, command)
    else:
        # No half of a list is ever shown.
        assert (result.code, result.stdout) == (1, ''), result
        assert len(result.stderr.splitlines()) == 1


def in_list(state: CloudState, command: str) -> int:
    return {
        'vbs backup list': len(state.backups),
        'vbs share list': sum(
            share.from_project_id == state.project.id
            for share in state.shares.values()
        ),
        'csbs checkpoint list': len(
            {item.checkpoint_id for item in state.items.values()}
        ),
    }[command]


# -- nothing can be said to the service ------------------------------------


@pytest.fixture
def unreachable(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    cloud: CloudFactory,
) -> Iterator[tuple[Sandbox, dict[str, str], str]]:
    """(The cloud, keys of clouds.yaml, what is said of the trouble)."""
    title, c = request.param, cloud(**ROOMY)
    if title == 'the URL in the catalog is none':
        c.knobs.catalog_url = 'nonsense'
        yield c, {}, 'nonsense'
        return
    if title == 'the certificate does not verify':
        with untrusted() as server:
            yield c, override(server.url), 'could not be verified'
            assert server.callers > 0
            assert server.received == b''
        return
    if title == 'nobody answers the attempt to connect':
        monkeypatch.setattr(clients, 'DEFAULT_TIMEOUT', (0.05, 5.0))
        with full() as host:
            yield c, override(f'http://{host}'), 'did not answer in time'
        return
    dead = Sandbox().start()
    dead.stop()
    yield c, override(dead.url), '(connection refused)'


def override(url: str) -> dict[str, str]:
    return {
        'vbs_endpoint_override': f'{url}/vbs/v2/%(project_id)s',
        'csbs_endpoint_override': f'{url}/csbs/v1/%(project_id)s',
        'vbsclient_api_version': '2',
    }


@pytest.mark.parametrize(
    ('command', 'unreachable'),
    [
        (command, title)
        for command in (*CHANGES, *LISTS)
        for title in UNREACHABLE[: None if command in FIRST else 1]
    ],
    indirect=['unreachable'],
)
def test_a_service_that_cannot_be_reached(
    openstack: Openstack,
    unreachable: tuple[Sandbox, dict[str, str], str],
    command: str,
) -> None:
    c, config, reason = unreachable
    arguments: list[str] = []
    if command in CHANGES:
        arguments = add_targets(c.state, command).arguments
    before = things(c.state, command)
    result = openstack.run(
        *words(command), *arguments, '-f', 'json', config=config
    )
    assert (result.code, result.stdout) == (1, ''), result
    assert reason in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not re.search(' /(vbs|csbs)/', '\n'.join(requests(c)))
    assert changed(before, c.state, command) == set()


@pytest.mark.parametrize('command', WAITS)
def test_a_service_that_listens_no_more_in_a_wait(
    cloud: CloudFactory, openstack: Openstack, command: str
) -> None:
    def leave(request: LoggedRequest) -> None:
        if changes(c) == 2 and not c.knobs.faults:
            c.knobs.faults.append(Fault('leave', path=READS))

    c = cloud(
        deletion_time=3600, creation_time=3600, on_finished=leave, **ROOMY
    )
    named = add_targets(c.state, command)
    result = openstack.run(
        *words(command), *named.arguments, '--wait', '--timeout=0.2s', *REPORT
    )
    assert (results(result), result.code) == (['accepted'] * 2, 3), result
    assert '2 of 2' in result.stderr


# -- how long a request may take -------------------------------------------


@pytest.mark.parametrize(
    ('config', 'expected'),
    [({}, (10.0, 60.0)), ({'api_timeout': 7}, (7.0, 7.0))],
    ids=['default', 'api_timeout'],
)
@pytest.mark.parametrize('command', [*CHANGES, *LISTS])
def test_each_request_has_a_time_out(
    cloud: CloudFactory,
    openstack: Openstack,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    config: dict[str, int],
    expected: tuple[float, float],
) -> None:
    c = cloud(**ROOMY)
    arguments: list[str] = []
    if command in CHANGES:
        arguments = add_targets(c.state, command).arguments
    limits: list[Any] = []
    send = HTTPAdapter.send

    def watch(adapter: Any, request: Any, **keywords: Any) -> Any:
        if '/identity/' not in request.url:
            limits.append(keywords['timeout'])
        return send(adapter, request, **keywords)

    monkeypatch.setattr(HTTPAdapter, 'send', watch)
    openstack(*words(command), *arguments, config=config)
    assert limits == [expected] * len(requests(c))


# -- the page --------------------------------------------------------------


def test_the_page_says_what_these_tests_say() -> None:
    text = PAGE.read_text()
    assert page(text) == text, 'run: python -m tests.functional.fault_matrix'
