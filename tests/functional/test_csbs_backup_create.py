# SPDX-License-Identifier: Apache-2.0
"""``openstack csbs backup create``."""

import re
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack
from tests.functional.targets import changed, commands_in, things
from tests.functional.wire import PROVIDER, UNKNOWN, creations, requests
from tests.sandbox import Fault, LoggedRequest, Sandbox

WORDS = 'csbs backup create'
CREATE = tuple(WORDS.split())
RESOURCES = f'/csbs/v1/{{P}}/providers/{PROVIDER}/resources'
STAMP = r'-\d{8}T\d{6}Z'

#: A contract with scripts.
KEYS = [
    *('Type', 'ID', 'Name', 'Server', 'Server Name', 'Source', 'Result'),
    *('Detail', 'Checkpoint', 'Requested At', 'Finished At', 'Request ID'),
]


def asked(sandbox: Sandbox) -> list[Any]:
    """The bodies of the requests that ask whether servers can be saved."""
    return [
        body
        for path, body in sandbox.posts()
        if path.endswith('/resources/action')
    ]


@pytest.mark.parametrize('by', ['name', 'id', 'stdin'])
def test_one_backup_is_made_of_each_server_that_is_named(
    cloud: CloudFactory, openstack: Openstack, by: str
) -> None:
    c = cloud()
    servers = [c.state.add_server(name, 2) for name in ('web01', 'web02')]
    c.state.add_server('other')
    typed = [s.name if by == 'name' else s.id for s in servers]
    if by == 'stdin':
        rows = openstack(*CREATE, '-', '-f', 'json', stdin='\n'.join(typed))
    else:
        rows = openstack(*CREATE, *typed, '-f', 'json')
    assert [row['Result'] for row in rows.json()] == ['accepted'] * 2
    for server, row in zip(servers, rows.json(), strict=True):
        assert row['Checkpoint'] in c.state.checkpoints
        body = dict(creations(c))[f'POST {RESOURCES}/{server.id}/action']
        assert set(body['protect']) == {'resource_type', 'backup_name'}
        name = body['protect']['backup_name']
        assert re.fullmatch(server.name + STAMP, name)
    # Whether they can be saved is asked once, for both.
    [question] = asked(c)
    assert {one['resource_id'] for one in question['check_protectable']} == {
        server.id for server in servers
    }
    assert len(creations(c)) == 2


def test_the_row_has_the_checkpoint(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(creation_time=3600)
    c.state.add_server('web01')
    shown = openstack(*CREATE, 'web01', '--name', 'n1').stdout
    [run] = c.state.checkpoints
    assert shown.splitlines()[1] == (
        '| Name | Server | Result   | Checkpoint                           |'
    )
    assert shown.splitlines()[3] == f'| n1   | web01  | accepted | {run} |'


@pytest.mark.parametrize('options', [(), ('--dry-run',), ('--wait',)])
def test_the_keys_of_a_row(
    cloud: CloudFactory, openstack: Openstack, options: tuple[str, ...]
) -> None:
    c = cloud()
    server = c.state.add_server('web01')
    (row,) = openstack(*CREATE, *options, 'web01', '-f', 'json').json()
    planned = {'Checkpoint', 'Requested At', 'Finished At', 'Request ID'}
    left_out = planned if '--dry-run' in options else set()
    assert list(row) == [key for key in KEYS if key not in left_out]
    assert (row['Type'], row['Source']) == ('backup', 'CSBS')
    assert (row['Server'], row['Server Name']) == (server.id, 'web01')
    assert [row['ID']] == (
        list(c.state.items) if '--wait' in options else [None]
    )
    assert row['Detail'] is None


def test_a_dry_run_asks_the_service_and_creates_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    c.state.add_server('web01', protectable_message='It belongs to a policy.')
    c.state.add_server('web02', protectable=False)
    rows = openstack(
        *(*CREATE, '--dry-run', 'web01', 'web02', '-f', 'json'),
        complains=['1 of 2 backups would be refused.'],
    ).json()
    assert [row['Result'] for row in rows] == ['would create', 'refused']
    assert rows[0]['Detail'] == 'It belongs to a policy.'
    assert len(asked(c)) == 1
    assert creations(c) == []
    assert not c.state.checkpoints


def test_what_the_options_say_is_what_is_asked_for(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    c.state.add_server('web01', protectable_message='It belongs to a policy.')
    (row,) = openstack(
        *(*CREATE, 'web01', '--name=n1', '--description', 'für mich'),
        *('--tag=env=prod', '--no-incremental', '--wait', '-f', 'json'),
    ).json()
    [(_, body)] = creations(c)
    assert body['protect'] == {
        'resource_type': 'OS::Nova::Server',
        'backup_name': 'n1',
        'description': 'für mich',
        'incremental': False,
        'tags': [{'key': 'env', 'value': 'prod'}],
    }
    assert (row['Result'], row['Detail']) == (
        'created',
        'It belongs to a policy.',
    )
    item = c.state.items[row['ID']]
    assert item.tags == [{'key': 'env', 'value': 'prod'}]


# -- what is refused -------------------------------------------------------


@pytest.mark.parametrize(
    ('named', 'result', 'detail'),
    [
        ('ghost', 'failed', "No server found for 'ghost'"),
        (UNKNOWN, 'failed', f"No server found for '{UNKNOWN}'"),
        ('twin', 'refused', 'More than one server exists .* by its ID'),
        ('shared', 'refused', 'A shared disk is attached.*code CSBS.6010'),
        ('off', 'refused', 'server is ERROR.*code CSBS.6005'),
    ],
)
def test_one_that_is_refused_does_not_keep_the_others_from_being_made(
    cloud: CloudFactory,
    openstack: Openstack,
    named: str,
    result: str,
    detail: str,
) -> None:
    c = cloud(creation_time=3600)
    good = c.state.add_server('good')
    c.state.add_server('off', status='ERROR')
    c.state.add_server(
        'shared',
        protectable=False,
        protectable_code='CSBS.6010',
        protectable_message='A shared disk is attached.',
    )
    for _ in range(2):
        c.state.add_server('twin')
    before = things(c.state, WORDS)
    rows = openstack(
        *(*CREATE, named, 'good', '-f', 'json'),
        complains=[re.compile(detail), '1 of 2 backups failed to create.'],
    ).json()
    assert [row['Result'] for row in rows] == [result, 'accepted']
    assert re.search(detail, rows[0]['Detail'])
    assert changed(before, c.state, WORDS) == {good.id}


def test_a_quota_that_has_no_room_for_all_refuses_all(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(csbs_backup_quota=1, creation_time=3600)
    named = [c.state.add_server(f'web{n}').id for n in range(2)]
    rows = openstack(
        *(*CREATE, *named, '-f', 'json'),
        complains=[
            *['has room for 1 more backup, and 2 are to be created'] * 2,
            '2 of 2 backups failed to create.',
        ],
    ).json()
    assert {row['Result'] for row in rows} == {'refused'}
    assert creations(c) == []
    forced = openstack(
        *(*CREATE, *named, '--force', '--concurrency=1', '-f', 'json'),
        complains=[re.compile('CSBS.9006'), '1 of 2 backups failed'],
    ).json()
    assert [row['Result'] for row in forced] == ['accepted', 'failed']


def test_what_the_service_does_not_tell_is_not_sent(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    c.state.add_server('web01')
    c.knobs.faults.append(
        Fault('body', 'POST', 'resources/action', body='{"protectable": []}')
    )
    openstack(
        *(*CREATE, 'web01', '-f', 'json'),
        complains=['does not say whether', '1 of 1 backups failed'],
    )
    assert creations(c) == []


def test_a_question_that_only_reads_is_asked_again(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    c.state.add_server('web01')
    c.knobs.faults.append(
        Fault('reset-before', 'POST', 'resources/action', times=2)
    )
    openstack(*CREATE, 'web01')
    assert len(asked(c)) == 3
    assert len(creations(c)) == 1


@pytest.mark.parametrize('named', ['web01', 'id'])
def test_a_plain_karbor_has_no_such_call(
    cloud: CloudFactory, openstack: Openstack, named: str
) -> None:
    c = cloud(checkpoint_items=False)
    server = c.state.add_server('web01')
    openstack(
        *(*CREATE, server.id if named == 'id' else named),
        complains=[
            'This cloud is a plain Karbor, which does not back up a server '
            'by its ID. Run one of its plans instead.'
        ],
    )
    assert c.posts() == []


def test_a_cloud_without_csbs_says_so(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(csbs_catalog=None)
    c.state.add_server('web01')
    openstack(*CREATE, 'web01', complains=['csbs_endpoint_override'])
    assert c.posts() == []


def test_a_cloud_that_is_read_only_creates_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    c.state.add_server('web01')
    config = {'vbsclient_read_only': True}
    openstack(
        *(*CREATE, 'web01'),
        config=config,
        complains=[re.compile('read-only.*nothing was changed')],
    )
    assert requests(c) == []
    openstack(*CREATE, 'web01', '--dry-run', config=config)
    assert creations(c) == []


# -- what comes of it ------------------------------------------------------


def test_a_wait_ends_when_each_is_available(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(creation_time=0.01, item_delay=0.01)
    ids = [c.state.add_server(f'web{n}').id for n in range(4)]
    rows = openstack(*CREATE, *ids, '--wait', '-f', 'json').json()
    made = {item.resource_id: item for item in c.state.items.values()}
    assert [row['ID'] for row in rows] == [made[id].id for id in ids]
    assert {row['Result'] for row in rows} == {'created'}
    assert {item.status for item in made.values()} == {'available'}
    assert len(creations(c)) == 4


def test_a_failure_has_the_reason_of_the_service(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    c.state.add_server('good')
    c.state.add_server('bad', creation='fails')
    rows = openstack(
        *(*CREATE, 'bad', 'good', '--wait', '-f', 'json'),
        complains=['storage did not answer', '1 of 2 backups failed'],
    ).json()
    assert [row['Result'] for row in rows] == ['failed', 'created']
    # There is one in error, which can be deleted by its ID.
    assert c.state.items[rows[0]['ID']].status == 'error'


@pytest.mark.parametrize('appears', [True, False])
def test_what_is_not_finished_in_time_is_waited_for_by_another_command(
    cloud: CloudFactory, openstack: Openstack, appears: bool
) -> None:
    moment = [0.0]
    c = cloud(
        item_delay=0 if appears else 50,
        creation_time=5,
        clock=lambda: moment[0],
    )
    server = c.state.add_server('web01')
    result = openstack(
        *(*CREATE, 'web01', '--wait', '--timeout=0.2s', '-f', 'json'),
        complains=[
            re.compile(
                r'^1 of 1 backups is not created yet: web01-\w+ of web01 '
                rf'\({server.id}\)'
            ),
            'openstack csbs checkpoint show --wait ',
        ],
        code=3,
    )
    (row,) = result.json()
    assert (row['Result'], row['ID'] is not None) == ('accepted', appears)
    [command] = commands_in(result.stderr)
    assert command[-1] == row['Checkpoint']
    c.knobs.faults.append(Passing(moment, 'checkpoint_items'))
    shown = openstack(*command, '-f', 'json').json()
    assert shown['id'] == row['Checkpoint']
    assert shown['status'] == ['available']
    [item] = c.state.items.values()
    assert item.id in str(shown['backups'])
    assert len(creations(c)) == 1


class Passing(Fault):
    """Lets time pass with each such request, and hits none.

    :param moment: what the clock of the cloud reads.
    """

    def __init__(self, moment: list[float], path: str) -> None:
        super().__init__('status', path=path)
        self._moment = moment

    def strikes(self, method: str, target: str) -> bool:
        if super().strikes('GET', target) or self.hits:
            self._moment[0] += 10
        return False


class Looks:
    """A clock that tells how many pages were read since the first POST."""

    def __init__(self) -> None:
        self._begun = False
        self._count = 0

    def note(self, request: LoggedRequest) -> None:
        self._begun = self._begun or request.path.endswith('/action')
        self._count += self._begun and 'checkpoint_items' in request.path

    def __call__(self) -> float:
        return self._count


def loses(start: CloudFactory, item_delay: float) -> Sandbox:
    """A cloud that makes a backup of a server and does not say so."""
    looks = Looks()
    c = start(item_delay=item_delay, clock=looks, on_finished=looks.note)
    server = c.state.add_server('web01')
    c.state.add_checkpoint([server], 'n1')
    c.knobs.faults.append(Fault('reset-after', 'POST', f'{server.id}/action'))
    return c


@pytest.mark.parametrize('wait', [(), ('--wait',)])
# Each look takes two pages, and there are three before a wait.
@pytest.mark.parametrize('delay', [0, 3, 6])
def test_what_a_lost_answer_has_made_is_found(
    cloud: CloudFactory,
    openstack: Openstack,
    wait: tuple[str, ...],
    delay: float,
) -> None:
    c = loses(cloud, delay)
    [old] = c.state.checkpoints
    result = openstack.run(*CREATE, 'web01', '--name=n1', *wait, '-f', 'json')
    (row,) = result.json()
    if wait or delay < 6:
        assert result.code == 0, result
        assert row['Result'] == ('created' if wait else 'accepted')
        # Not the one of the same name that was there before.
        assert row['Checkpoint'] not in (None, old)
        assert c.state.items[row['ID']].checkpoint_id == row['Checkpoint']
    else:
        assert (row['Result'], result.code) == ('unknown', 1)
        [command] = commands_in(result.stderr)
        assert command[:3] == ['csbs', 'backup', 'list']
        assert openstack(*command).stdout.count(' n1 ') == 2
    if delay < 6:
        assert row['Detail'].startswith('its answer was lost')
    assert len(creations(c)) == 1
    assert len(c.state.checkpoints) == 2


def test_many_are_asked_for_at_once_and_waited_for_by_pages(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(csbs_backup_quota=-1)
    ids = [c.state.add_server(f'web{n}').id for n in range(20)]
    rows = openstack(*CREATE, *ids, '--wait', '-f', 'json').json()
    assert {row['Result'] for row in rows} == {'created'}
    assert [row['Server'] for row in rows] == ids
    assert len(asked(c)) == 1
    assert len(creations(c)) == 20
    assert len(requests(c)) < 20 + 20
