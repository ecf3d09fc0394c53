# SPDX-License-Identifier: Apache-2.0
"""Look-ups in compute, block storage and identity: as safe as all else."""

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.listeners import Listener
from tests.functional.shell import BOUND, Openstack
from tests.functional.wire import UNKNOWN, deletes, requests
from tests.sandbox import Fault, Sandbox

PRUNE = ('backup', 'prune', '--keep-last', '1', '--timezone', 'UTC', '--yes')

#: What is looked up, the path that it asks, and a command that does it.
LOOKUPS = {
    'volume': ('/volumes', ('vbs', 'backup', 'list', '--volume', 'web01')),
    'server': ('/servers', ('csbs', *PRUNE, '--server', 'web01')),
    'server by id': ('/servers', ('vbs', *PRUNE, '--server', UNKNOWN)),
    'project': (
        '/v3/projects',
        ('vbs', 'share', 'delete', '--backup=x', '--target-project=web01'),
    ),
    'domain': (
        '/v3/domains',
        (
            *('vbs', 'share', 'list', '--target-project=x'),
            '--target-project-domain=web01',
        ),
    ),
}
EACH = pytest.mark.parametrize(
    ('what', 'path', 'command'),
    [(what, *rest) for what, rest in LOOKUPS.items()],
    ids=list(LOOKUPS),
)


def sentence(what: str, reason: str) -> str:
    if what == 'server by id':
        return f"The server '{UNKNOWN}' could not be looked up ({reason}).\n"
    return (
        f"The {what} 'web01' could not be looked up ({reason}): give its ID "
        f'instead of its name.\n'
    )


def world(cloud: CloudFactory, **knobs: Any) -> Sandbox:
    c = cloud(catalog='vbs+volumev3', **knobs)
    c.state.add_backup('x')
    return c


@pytest.fixture
def elsewhere() -> Iterator[Listener]:
    """A host that nobody may ask."""
    host = Listener(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}')
    yield host
    host.close()


@EACH
def test_a_redirect_is_not_followed(
    cloud: CloudFactory,
    openstack: Openstack,
    elsewhere: Listener,
    what: str,
    path: str,
    command: tuple[str, ...],
) -> None:
    c = world(cloud)
    location = {'Location': elsewhere.url}
    c.knobs.faults.append(
        Fault('status', 'GET', path, 302, headers=location, times=None)
    )
    result = openstack.run(*command)
    host = f'127.0.0.1:{elsewhere.port}'
    assert result.code == 1
    assert result.stderr == sentence(
        what,
        f'the service redirects to {host}, and a redirect is never followed',
    )
    assert elsewhere.requests == 0
    assert deletes(c) == []


@EACH
@pytest.mark.parametrize('status', [400, 403, 500])
def test_a_refusal_is_one_sentence(
    cloud: CloudFactory,
    openstack: Openstack,
    what: str,
    path: str,
    command: tuple[str, ...],
    status: int,
) -> None:
    c = world(cloud)
    c.knobs.faults.append(Fault('status', 'GET', path, status))
    result = openstack.run(*command)
    assert result.code == 1
    assert result.stderr == sentence(what, f'HTTP {status}')
    assert deletes(c) == []


@EACH
def test_a_service_that_hangs_has_its_time(
    cloud: CloudFactory,
    openstack: Openstack,
    what: str,
    path: str,
    command: tuple[str, ...],
) -> None:
    c = world(cloud)
    c.knobs.faults.append(Fault('hang', 'GET', path, times=None))
    begin = time.monotonic()
    result = openstack.run(*command, config={'api_timeout': 0.3})
    assert time.monotonic() - begin < BOUND
    assert result.code == 1
    reason = re.escape('REASON')
    pattern = re.escape(sentence(what, 'REASON')).replace(
        re.escape(reason), '.*in time.*'
    )
    assert re.fullmatch(pattern, result.stderr), result.stderr
    assert deletes(c) == []


@pytest.mark.parametrize(
    ('path', 'body', 'command'),
    [
        (
            '/servers/',
            {'server': {'id': UNKNOWN.replace('4', '5'), 'name': 'web01'}},
            LOOKUPS['server by id'][1],
        ),
        (
            '/servers/',
            {'servers': {}},
            LOOKUPS['server'][1],
        ),
        ('/volumes/', {'volume': {}}, LOOKUPS['volume'][1]),
        ('/projects', {'project': {}}, LOOKUPS['project'][1]),
    ],
)
def test_an_answer_to_another_question_is_none(
    cloud: CloudFactory,
    openstack: Openstack,
    path: str,
    body: dict[str, Any],
    command: tuple[str, ...],
) -> None:
    c = world(cloud)
    text = json.dumps(body)
    c.knobs.faults.append(Fault('status', 'GET', path, 200, body=text))
    result = openstack.run(*command)
    assert result.code == 1
    assert 'could not be looked up (' in result.stderr
    assert 'answered with' in result.stderr
    assert deletes(c) == []


def test_a_server_without_its_volumes_selects_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = world(cloud)
    server = c.state.add_server('web01')
    for _ in range(2):
        c.state.add_backup(volume=server.volumes[0])
    text = json.dumps({'servers': [{'id': server.id, 'name': 'web01'}]})
    c.knobs.faults.append(Fault('body', 'GET', '/servers', body=text))
    openstack(
        'vbs',
        *PRUNE,
        '--server=web01',
        complains=["Compute does not show the volumes of the server 'web01'"],
    )
    assert deletes(c) == []


@pytest.mark.parametrize(
    'name', ['detail', '..', 'a/b', 'a+b (old) [1]', 'x?limit=0', '*', '[']
)
def test_any_name_is_a_name(
    cloud: CloudFactory, openstack: Openstack, name: str
) -> None:
    c = world(cloud)
    c.state.add_server('other')
    server = c.state.add_server(name)
    volume = c.state.add_volume(name)
    c.state.add_backup('wanted', volume)
    c.state.add_checkpoint([server], 'run')
    for command, expected in (
        (('vbs', 'backup', 'list', '--volume', name), ['wanted']),
        (('csbs', 'backup', 'list', '--server', name), ['run']),
    ):
        result = openstack(*command, '-f', 'json')
        assert [row['Name'] for row in result.json()] == expected


def test_names_are_found_on_every_page(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = world(cloud, max_page=2)
    for number in range(4):
        c.state.add_volume(f'v{number}')
        c.state.add_server(f'web01-{number}')
        c.state.add_domain(f'd{number}')
    server = c.state.add_server('web01')
    c.state.add_checkpoint([server], 'run')
    domain = c.state.add_domain('last')
    partner = c.state.add_project('partner', domain.id)
    share = c.state.add_share(c.state.add_backup('golden'), partner)
    listed = openstack(
        *('csbs', 'backup', 'list', '--server', 'web01', '-f', 'json')
    )
    assert [row['Name'] for row in listed.json()] == ['run']
    result = openstack(
        *('vbs', 'share', 'list', '-f', 'json'),
        '--target-project=partner',
        f'--target-project-domain={domain.id[:-1]}{domain.id[-1].upper()}',
    )
    assert [row['ID'] for row in result.json()] == [share.id]


@pytest.mark.parametrize('region', ['*', 'Elsewhere'])
def test_identity_that_is_not_in_the_region(
    cloud: CloudFactory,
    openstack: Openstack,
    monkeypatch: pytest.MonkeyPatch,
    region: str,
) -> None:
    c = world(cloud)
    openstack(
        *LOOKUPS['project'][1],
        config={'identity_region_name': region},
        complains=[
            re.compile(
                r"^The project 'web01' could not be looked up \(the catalog "
                r'offers identity in RegionOne, not in the region '
                rf'{re.escape(region)}\): give its ID instead of its name\.$'
            )
        ],
    )
    assert deletes(c) == []


def test_no_identity_is_needed_for_an_id(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = world(cloud)
    partner = c.state.add_project('partner', member=False)
    share = c.state.add_share(c.state.add_backup('golden'), partner)
    c.knobs.faults.append(
        Fault('status', 'GET', '/(projects|domains)', 503, times=None)
    )
    result = openstack(
        *('vbs', 'share', 'list', '-f', 'json'),
        f'--target-project={partner.id.upper()}',
        config={'identity_region_name': '*'},
    )
    assert [row['ID'] for row in result.json()] == [share.id]


@pytest.mark.parametrize(
    ('key', 'path', 'command'),
    [
        ('volume', '/volume/v3', LOOKUPS['volume'][1]),
        ('block_storage', '/volume', LOOKUPS['volume'][1]),
        ('compute', '/compute', LOOKUPS['server'][1]),
        ('identity', '/identity', LOOKUPS['project'][1]),
    ],
)
def test_the_settings_of_each_service_count(
    cloud: CloudFactory,
    openstack: Openstack,
    key: str,
    path: str,
    command: tuple[str, ...],
) -> None:
    """A second region of the same cloud shows where a request went."""
    c = world(cloud, regions=('RegionOne', 'RegionTwo'))
    for setting in (
        {f'{key}_region_name': 'RegionTwo'},
        {f'{key}_endpoint_override': f'{c.url}/region/RegionTwo{path}'},
    ):
        c.clear_log()
        result = openstack.run(*command, config=setting, audited=False)
        assert result.code == 1
        texts = [str(request) for request in c.requests]
        assert [t for t in texts if t.startswith('GET /region/RegionTwo')]
        here = [t for t in texts if t.startswith(f'GET {path}/')]
        assert not [t for t in here if '?' in t]


def test_a_login_that_fails_asks_for_no_id(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = world(cloud)
    c.state.user.password = 'changed'
    result = openstack.run(*LOOKUPS['volume'][1])
    assert result.code == 1
    assert 'looked up' not in result.stderr


@pytest.mark.parametrize(
    ('key', 'command'),
    [
        ('block_storage', LOOKUPS['volume'][1]),
        ('compute', LOOKUPS['server'][1]),
        ('identity', LOOKUPS['project'][1]),
    ],
)
def test_an_answer_that_is_drawn_out_has_its_time(
    cloud: CloudFactory, openstack: Openstack, key: str, command: Any
) -> None:
    c = world(cloud)
    head = b'HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n'
    host = Listener(head + b' ' * 9999, pause=0.1)
    begin = time.monotonic()
    try:
        result = openstack.run(
            *command,
            config={f'{key}_endpoint_override': host.url, 'api_timeout': 0.3},
        )
    finally:
        host.close()
    assert time.monotonic() - begin < BOUND
    assert result.code == 1
    assert f'127.0.0.1:{host.port} did not answer in time' in result.stderr
    assert deletes(c) == []


@pytest.mark.parametrize('verb', ['show', 'delete'])
@pytest.mark.parametrize(
    ('noun', 'what'),
    [('vbs backup', 'backup'), ('csbs backup', 'server backup')],
)
def test_a_misspelled_name_is_answered_with_the_nearest(
    cloud: CloudFactory, openstack: Openstack, noun: str, what: str, verb: str
) -> None:
    c = cloud(max_page=2)
    for name in ('weekly-of-old', 'nightly', 'db01-before-upgrade'):
        if what == 'backup':
            c.state.add_backup(name)
        else:
            c.state.add_checkpoint(name=name)
    failed = ['1 of 1 backups failed'] if verb == 'delete' else []
    for typed, hint in (
        ('db01-before-upgrad', " Did you mean 'db01-before-upgrade'?"),
        # Its neighbor is not on the first page.
        ('weekly-of-ol', ''),
    ):
        before = len(requests(c))
        told = f"No {what} found for '{typed}'.{hint}"
        result = openstack(
            *noun.split(),
            *(verb, typed),
            complains=[re.compile(f'{re.escape(told)}$'), *failed],
        )
        assert result.stdout == ''
        whole = [r for r in requests(c)[before:] if r.endswith('?limit=1000')]
        assert len(whole) == 1
    assert deletes(c) == []
