# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs backup create``."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack
from tests.functional.targets import ROOMY, changed, commands_in, things
from tests.functional.wire import UNKNOWN, creations, requests
from tests.sandbox import Fault, Sandbox

WORDS = 'vbs backup create'
CREATE = tuple(WORDS.split())
LOOK_UP = {'catalog': 'vbs+volumev3'}
STAMP = r'-\d{8}T\d{6}Z'

#: A contract with scripts.
KEYS = [
    *('Type', 'ID', 'Name', 'Volume', 'Volume Name', 'Source', 'Result'),
    *('Detail', 'Job', 'Requested At', 'Finished At', 'Request ID'),
]


def bodies(sandbox: Sandbox) -> list[dict[str, Any]]:
    """What each POST asks for, sorted by the volume."""
    wanted = [body['backup'] for _, body in creations(sandbox)]
    return sorted(wanted, key=lambda one: str(one['volume_id']))


# -- what is named ---------------------------------------------------------


@pytest.mark.parametrize('by', ['name', 'id', 'capitals', 'stdin'])
def test_one_backup_is_made_of_each_volume_that_is_named(
    cloud: CloudFactory, openstack: Openstack, by: str
) -> None:
    c = cloud(**LOOK_UP)
    volumes = [c.state.add_volume(name) for name in ('data', 'log')]
    c.state.add_volume('other')
    typed = [v.name if by == 'name' else v.id for v in volumes]
    if by == 'capitals':
        typed = list(map(str.upper, typed))
    if by == 'stdin':
        rows = openstack(*CREATE, '-', '-f', 'json', stdin='\n'.join(typed))
    else:
        rows = openstack(*CREATE, *typed, '-f', 'json')
    assert [row['Result'] for row in rows.json()] == ['accepted'] * 2
    assert (
        sorted(path for path, _ in creations(c))
        == ['POST /vbs/v2/{P}/cloudbackups'] * 2
    )
    by_id = {volume.id: volume.name for volume in volumes}
    for body in bodies(c):
        assert set(body) == {'volume_id', 'name'}
        name = by_id.pop(body['volume_id'])
        assert re.fullmatch(name + STAMP, body['name'])
    assert by_id == {}


def test_a_volume_that_is_named_twice_is_saved_once(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**LOOK_UP)
    volume = c.state.add_volume('data')
    (row,) = openstack(*CREATE, 'data', volume.id, 'data', '-f', 'json').json()
    assert row['Volume'] == volume.id
    assert len(creations(c)) == 1


def test_all_volumes_of_a_server(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**LOOK_UP)
    server = c.state.add_server('web01', 3)
    c.state.add_server('web02')
    openstack(*CREATE, '--server', 'web01', '-f', 'json')
    assert [body['volume_id'] for body in bodies(c)] == sorted(
        volume.id for volume in server.volumes
    )


def test_many_are_verified_by_pages(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**ROOMY)
    ids = [c.state.add_volume(f'disk-{n}').id for n in range(30)]
    rows = openstack(*CREATE, *ids, '-f', 'json').json()
    assert [row['Volume'] for row in rows] == ids
    assert {row['Result'] for row in rows} == {'accepted'}
    assert len(creations(c)) == 30
    assert len(requests(c)) < 30 + 5


# -- what is shown ---------------------------------------------------------


def test_a_row_for_each_is_shown_without_being_asked_for(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(creation_time=3600, **LOOK_UP)
    c.state.add_volume('data')
    shown = openstack(*CREATE, 'data', '--name', 'n1').stdout
    [job] = c.state.jobs
    assert shown.splitlines() == [
        '+------+--------+----------+----------------------------------+',
        '| Name | Volume | Result   | Job                              |',
        '+------+--------+----------+----------------------------------+',
        f'| n1   | data   | accepted | {job} |',
        '+------+--------+----------+----------------------------------+',
    ]


@pytest.mark.parametrize('options', [(), ('--dry-run',), ('--wait',)])
def test_the_keys_of_a_row(
    cloud: CloudFactory, openstack: Openstack, options: tuple[str, ...]
) -> None:
    c = cloud(**LOOK_UP)
    volume = c.state.add_volume('data')
    command = (*CREATE, *options, 'data', '-f', 'json')
    (row,) = openstack(*command).json()
    planned = {'Job', 'Requested At', 'Finished At', 'Request ID'}
    left_out = planned if '--dry-run' in options else set()
    assert list(row) == [key for key in KEYS if key not in left_out]
    assert (row['Type'], row['Source']) == ('backup', 'VBS')
    assert (row['Volume'], row['Volume Name']) == (volume.id, 'data')
    made = list(c.state.backups)
    assert [row['ID']] == (made if '--wait' in options else [None])
    assert row['Detail'] is None


def test_a_dry_run_reads_everything_and_creates_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(backup_quota=21, **LOOK_UP)
    data, full = c.state.add_volume('data'), c.state.add_volume('full')
    for _ in range(20):
        c.state.add_backup(volume=full)
    c.state.add_volume('broken', status='error')
    before = set(c.state.backups)
    result = openstack(
        *(*CREATE, '--dry-run', 'data', 'broken', 'ghost', '-f', 'json'),
        complains=['2 of 3 backups would be refused.'],
    )
    rows = {row['Volume']: row for row in result.json()}
    assert [row['Result'] for row in rows.values()] == [
        *('would create', 'refused', 'failed')
    ]
    assert rows[data.id]['ID'] is None
    assert creations(c) == []
    (row,) = openstack(
        *(*CREATE, '--dry-run', 'full', '-f', 'json'),
        complains=['1 of 1 backups would be refused.'],
    ).json()
    assert row['Result'] == 'refused'
    assert 'has 20 backups already' in row['Detail']
    assert creations(c) == []
    assert set(c.state.backups) == before


# -- what is refused -------------------------------------------------------


def _twins(c: Sandbox) -> str:
    c.state.add_volume('twin')
    c.state.add_volume('twin')
    return 'twin'


def _broken(c: Sandbox) -> str:
    return c.state.add_volume(status='error_restoring').id


def _busy(c: Sandbox) -> str:
    volume = c.state.add_volume()
    c.state.add_backup(volume=volume, status='creating')
    return volume.id


@pytest.mark.parametrize(
    ('name', 'result', 'detail'),
    [
        (lambda c: 'ghost', 'failed', "No volume found for 'ghost'"),
        (lambda c: UNKNOWN, 'failed', f"No volume found for '{UNKNOWN}'"),
        (_twins, 'refused', 'More than one volume exists .* by its ID'),
        (_broken, 'refused', 'status of the volume is error_restoring'),
        (_busy, 'refused', 'another backup of the volume is being created'),
    ],
    ids=['name', 'id', 'twins', 'status', 'busy'],
)
def test_one_that_is_refused_does_not_keep_the_others_from_being_made(
    cloud: CloudFactory,
    openstack: Openstack,
    name: Callable[[Sandbox], str],
    result: str,
    detail: str,
) -> None:
    c = cloud(creation_time=3600, **LOOK_UP)
    good = c.state.add_volume('good')
    refused = name(c)
    before = things(c.state, WORDS)
    rows = openstack(
        *(*CREATE, refused, 'good', '-f', 'json'),
        complains=[re.compile(detail), '1 of 2 backups failed to create.'],
    ).json()
    assert [row['Result'] for row in rows] == [result, 'accepted']
    assert re.search(detail, rows[0]['Detail'])
    assert changed(before, c.state, WORDS) == {good.id}


def test_a_table_has_said_why_and_nobody_says_it_again(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**LOOK_UP)
    c.state.add_volume('broken', status='error')
    result = openstack(
        *CREATE, 'broken', complains=['1 of 1 backups failed to create.']
    )
    assert 'the status of the volume is error' in result.stdout
    assert creations(c) == []


def test_a_quota_that_has_no_room_for_all_refuses_all(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(backup_quota=2, creation_time=3600, **LOOK_UP)
    c.state.add_backup()
    named = [c.state.add_volume(f'disk-{n}').id for n in range(2)]
    rows = openstack(
        *(*CREATE, *named, '-f', 'json'),
        complains=[
            *['has room for 1 more backup, and 2 are to be created'] * 2,
            '2 of 2 backups failed to create.',
        ],
    ).json()
    assert {row['Result'] for row in rows} == {'refused'}
    assert all('--force' in row['Detail'] for row in rows)
    assert creations(c) == []
    forced = openstack(
        *(*CREATE, *named, '--force', '--concurrency=1', '-f', 'json'),
        complains=[
            re.compile(f'{named[1]}.*VolumeBackup.0080'),
            '1 of 2 backups failed to create.',
        ],
    ).json()
    assert [row['Result'] for row in forced] == ['accepted', 'failed']
    assert len(creations(c)) == 2


def test_a_quota_that_nobody_may_read_refuses_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(backup_quota=1, **LOOK_UP)
    c.knobs.faults.append(Fault('status', 'GET', 'quota', 403, times=None))
    c.state.add_volume('data')
    openstack(*CREATE, 'data')
    assert len(c.state.backups) == 1


@pytest.mark.parametrize(
    ('arguments', 'told'),
    [
        ((), 'give either <volume> or --server <server>'),
        (('data', '--server=web'), 'give either <volume> or --server'),
        (('data', '--name=auto1'), 'begins with auto'),
        (('data', '--name', 'two words'), 'not a name that the service'),
        (('data', '--name', 'x' * 65), '1 to 64 letters'),
        (('data', '--name', ''), 'not a name'),
        (('data', '--description', 'x' * 65), 'at most 64 characters'),
        (('data', '--tag', 'a'), 'write it as key=value'),
        (('data', '--tag', 'ä=b'), 'write it as key=value'),
        (('data', '--tag', 'a=b', '--tag', 'a=c'), "the tag 'a' is given"),
        (
            ('data', *(f'--tag=a{n}=b' for n in range(11))),
            'at most 10 tags',
        ),
        (('data', 'log', '--snapshot=s'), 'exactly one <volume>'),
        (('data', '--incremental', '--no-incremental'), 'not allowed with'),
        (('data', '--timeout=5s'), '--timeout goes with --wait'),
        (('data', '--nam=x'), 'unrecognized arguments: --nam=x'),
    ],
)
def test_a_mistake_on_the_command_line_is_said_before_anything_is_sent(
    cloud: CloudFactory,
    openstack: Openstack,
    arguments: tuple[str, ...],
    told: str,
) -> None:
    c = cloud(**LOOK_UP)
    c.state.add_volume('data')
    result = openstack(*CREATE, *arguments, complains=[..., told], code=2)
    assert result.stdout == ''
    assert requests(c) == []


def test_a_cloud_that_is_read_only_creates_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**LOOK_UP)
    c.state.add_volume('data')
    config = {'vbsclient_read_only': True}
    openstack(
        *(*CREATE, 'data'),
        config=config,
        complains=[re.compile('read-only.*nothing was changed')],
    )
    assert requests(c) == []
    openstack(*CREATE, 'data', '--dry-run', config=config)
    assert creations(c) == []


@pytest.mark.parametrize(
    ('knobs', 'said'),
    [
        ({'read_only_role': True}, 'backup:create'),
        ({'closed': True}, 'new project'),
    ],
    ids=['role', 'closed'],
)
def test_what_the_service_refuses_is_shown_in_its_words(
    cloud: CloudFactory,
    openstack: Openstack,
    knobs: dict[str, Any],
    said: str,
) -> None:
    c = cloud(**LOOK_UP, **knobs)
    ids = [c.state.add_volume().id for _ in range(8)]
    result = openstack.run(*CREATE, *ids, '--concurrency=1', '-f', 'json')
    assert result.code == 1
    told = [row['Result'] for row in result.json()]
    # The same refusal for the first three is enough.
    assert told == ['failed'] * 3 + ['not sent'] * 5
    assert said in result.stderr
    assert len(creations(c)) == 3
    assert not c.state.backups


# -- what is asked for -----------------------------------------------------


def test_what_the_options_say_is_what_is_asked_for(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**LOOK_UP)
    volume = c.state.add_volume('data')
    c.state.add_backup(volume=volume)
    snapshot = c.state.add_snapshot(volume, 'before')
    (row,) = openstack(
        *(*CREATE, 'data', '--name=n1', '--description', 'für mich'),
        *('--tag=env=prod', '--tag=empty=', '--no-incremental'),
        *('--snapshot=before', '--wait', '-f', 'json'),
    ).json()
    assert bodies(c) == [
        {
            'volume_id': volume.id,
            'snapshot_id': snapshot.id,
            'name': 'n1',
            'description': 'für mich',
            'tags': [
                {'key': 'env', 'value': 'prod'},
                {'key': 'empty', 'value': ''},
            ],
            'extend_param': {'FullBackup': 'true'},
        }
    ]
    assert row['Result'] == 'created'
    assert row['Detail'] == 'VBS cannot show these tags again'
    made = c.state.backups[row['ID']]
    assert (made.name, made.incremental) == ('n1', False)
    assert made.snapshot_id == snapshot.id


@pytest.mark.parametrize('options', [(), ('--incremental',)])
def test_the_service_makes_it_incremental_where_it_can(
    cloud: CloudFactory, openstack: Openstack, options: tuple[str, ...]
) -> None:
    c = cloud(**LOOK_UP)
    first = c.state.add_backup(volume=c.state.add_volume('data'))
    (row,) = openstack(
        *CREATE, 'data', *options, '--wait', '-f', 'json'
    ).json()
    assert c.state.backups[row['ID']].parent_id == first.id


@pytest.mark.parametrize(
    ('named', 'told'),
    [
        ('foreign', 'is not of this volume, but of'),
        ('fresh', 'the status of the snapshot is creating'),
        ('ghost', "No snapshot found for 'ghost'"),
    ],
)
def test_a_snapshot_that_does_not_fit_is_refused(
    cloud: CloudFactory, openstack: Openstack, named: str, told: str
) -> None:
    c = cloud(**LOOK_UP)
    volume = c.state.add_volume('data')
    c.state.add_snapshot(c.state.add_volume('other'), 'foreign')
    c.state.add_snapshot(volume, 'fresh', status='creating')
    result = openstack.run(*CREATE, 'data', '--snapshot', named)
    assert result.code == 1
    assert told in result.stdout + result.stderr
    assert creations(c) == []


@pytest.mark.parametrize('version', ['2', '3'])
def test_in_each_version_the_service_is_told_where_it_listens(
    cloud: CloudFactory, openstack: Openstack, version: str
) -> None:
    c = cloud(**LOOK_UP)
    c.state.add_volume('data')
    openstack(
        *('--os-vbs-api-version', version, *CREATE, 'data', '--wait'),
    )
    # It has jobs in version 1 alone, and this call in version 2.
    assert [path for path, _ in creations(c)] == [
        'POST /vbs/v2/{P}/cloudbackups'
    ]
    services = {t.split('/')[2] for t in requests(c) if ' /vbs/' in t}
    assert services == {'v1', 'v2', f'v{version}'}


# -- what comes of it ------------------------------------------------------


def test_a_wait_ends_when_each_is_available(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(creation_time=0.01, **LOOK_UP)
    ids = [c.state.add_volume(f'disk-{n}').id for n in range(5)]
    rows = openstack(*CREATE, *ids, '--wait', '-f', 'json').json()
    made = {b.volume_id: b for b in c.state.backups.values()}
    assert [row['ID'] for row in rows] == [made[id].id for id in ids]
    assert {row['Result'] for row in rows} == {'created'}
    assert {b.status for b in made.values()} == {'available'}
    assert all(row['Finished At'] >= row['Requested At'] for row in rows)
    assert len({row['Job'] for row in rows}) == 5
    assert len(creations(c)) == 5


def test_a_failure_has_the_reason_and_the_code_of_the_service(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**LOOK_UP)
    c.state.add_volume('good')
    c.state.add_volume('bad', creation='fails')
    rows = openstack(
        *(*CREATE, 'bad', 'good', '--wait', '-f', 'json'),
        complains=[
            re.compile('storage did not answer.*VolumeBackup.0064'),
            '1 of 2 backups failed to create.',
        ],
    ).json()
    assert [row['Result'] for row in rows] == ['failed', 'created']
    assert 'VolumeBackup.0064' in rows[0]['Detail']


def test_what_is_not_finished_in_time_is_waited_for_by_another_command(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**LOOK_UP)
    c.state.add_volume('good')
    slow = c.state.add_volume('slow', creation='hangs')
    result = openstack(
        *(*CREATE, 'slow', 'good', '--wait', '--timeout=0.3s', '-f', 'json'),
        complains=[
            re.compile(
                r'^1 of 2 backups is not created yet: slow-\w+ of slow '
                rf'\({slow.id}\)'
            ),
            'openstack vbs job show --wait ',
        ],
        code=3,
    )
    assert [row['Result'] for row in result.json()] == ['accepted', 'created']
    assert 'do not run this command again' in result.stderr
    [command] = commands_in(result.stderr)
    [backup] = c.state.backups_of_volume(slow.id)
    c.state.finish_backup(backup)
    shown = openstack(*command, '-f', 'json').json()
    assert shown['status'] == 'SUCCESS'
    assert shown['entities']['backup_id'] == backup.id
    assert len(creations(c)) == 2


def test_a_job_that_is_not_known_any_more_leaves_the_backup_to_tell(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(creation_time=0.01, **LOOK_UP)
    c.state.add_volume('data')
    c.knobs.faults.append(Fault('status', 'GET', 'jobs', 404, times=None))
    (row,) = openstack(*CREATE, 'data', '--wait', '-f', 'json').json()
    assert row['Result'] == 'created'
    assert [row['ID']] == list(c.state.backups)


# -- answers that are lost -------------------------------------------------


@pytest.mark.parametrize('wait', [(), ('--wait',)])
def test_what_a_lost_answer_has_made_is_found(
    cloud: CloudFactory, openstack: Openstack, wait: tuple[str, ...]
) -> None:
    c = cloud(creation_time=0.01, **LOOK_UP)
    volume = c.state.add_volume('data')
    c.state.add_backup('n1', volume)
    before = set(c.state.backups)
    c.knobs.faults.append(Fault('reset-after', 'POST', 'cloudbackups'))
    (row,) = openstack(
        *CREATE, 'data', '--name=n1', *wait, '-f', 'json'
    ).json()
    assert row['Result'] == ('created' if wait else 'accepted')
    assert row['Detail'].startswith('its answer was lost')
    # Not the one of the same name that was there before.
    assert {row['ID']} == set(c.state.backups) - before
    assert row['Job'] is None
    assert len(creations(c)) == 1


@pytest.mark.parametrize('form', ['table', 'json'])
def test_what_a_lost_answer_may_have_made_is_to_be_looked_for(
    cloud: CloudFactory, openstack: Openstack, form: str
) -> None:
    c = cloud(**LOOK_UP)
    volume = c.state.add_volume('data')
    c.knobs.faults.append(Fault('reset-before', 'POST', 'cloudbackups'))
    result = openstack(
        *(*CREATE, 'data', '--name=n1', '-f', form),
        complains=[
            re.compile('is created is unknown: .*Do not run the command aga'),
            '  openstack vbs backup list ',
            'The state of 1 of 1 backups is unknown.',
        ],
    )
    assert 'unknown' in result.stdout
    [command] = commands_in(result.stderr)
    assert command[:3] == ['vbs', 'backup', 'list']
    assert openstack(*command).stdout == '\n'
    c.state.add_backup('n1', volume)
    assert 'n1' in openstack(*command).stdout
    assert len(creations(c)) == 1


def test_each_of_many_lost_answers_has_a_command(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**LOOK_UP)
    ids = [c.state.add_volume().id for _ in range(3)]
    c.knobs.faults.append(Fault('reset-before', 'POST', 'cloudb', times=None))
    result = openstack.run(*CREATE, *ids, '--name=n1')
    assert result.code == 1
    assert [command[4] for command in commands_in(result.stderr)] == ids
    assert len(creations(c)) == 3


# -- block storage alone ---------------------------------------------------

ALONE = {'catalog': 'volumev3', 'csbs_catalog': None}


def test_block_storage_alone_makes_it_in_its_own_way(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(creation_time=0.01, **ALONE)
    volume = c.state.add_volume('data')
    c.state.add_backup(volume=volume)
    snapshot = c.state.add_snapshot(volume, 'before')
    (row,) = openstack(
        *(*CREATE, 'data', '--name=n1', '--incremental', '--wait'),
        *('--snapshot', snapshot.id, '-f', 'json'),
    ).json()
    [(path, body)] = creations(c)
    assert path == 'POST /volume/v3/{P}/backups'
    wanted = body['backup']
    assert (wanted['name'], wanted['incremental']) == ('n1', True)
    assert (wanted['volume_id'], wanted['snapshot_id']) == (
        volume.id,
        snapshot.id,
    )
    assert row['Result'] == 'created'
    assert row['Job'] is None
    assert c.state.backups[row['ID']].name == 'n1'


def test_block_storage_saves_a_volume_in_use_by_force_alone(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**ALONE)
    [volume] = c.state.add_server('web01').volumes
    rows = openstack(
        *(*CREATE, volume.id, '-f', 'json'),
        complains=['is in-use. Detach it, or add --force', '1 of 1 backups'],
    ).json()
    assert rows[0]['Result'] == 'refused'
    assert creations(c) == []
    openstack(*CREATE, volume.id, '--force')
    [(_, body)] = creations(c)
    assert body['backup']['force'] is True


def test_block_storage_has_no_tags(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**ALONE)
    c.state.add_volume('data')
    openstack(
        *(*CREATE, 'data', '--tag=a=b'),
        complains=['has no VBS, and block storage has no tags for backups'],
    )
    assert creations(c) == []


def test_a_timeout_of_block_storage_names_the_backup(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(creation='hangs', **ALONE)
    c.state.add_volume('data')
    result = openstack(
        *(*CREATE, 'data', '--wait', '--timeout=0.2s'),
        complains=['1 of 1 backups is not created yet', 'openstack vbs'],
        code=3,
    )
    [backup] = c.state.backups.values()
    [command] = commands_in(result.stderr)
    assert command == ['vbs', 'backup', 'show', '--wait', backup.id]
    c.state.finish_backup(backup)
    shown = openstack(*command, '-f', 'json').json()
    assert (shown['id'], shown['status']) == (backup.id, 'available')


def test_the_journal_has_what_it_goes_on_as(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(**LOOK_UP)
    volume = c.state.add_volume('data')
    path = openstack.home / 'journal'
    openstack(*CREATE, 'data', f'--journal={path}')
    request, answer = map(json.loads, path.read_text().splitlines())
    [job] = c.state.jobs
    for line in (request, answer):
        assert (line['action'], line['id']) == ('create', volume.id)
        assert line['command'] == WORDS
    assert (request['event'], answer['event']) == ('request', 'answer')
    assert (answer['result'], answer['job_id']) == ('accepted', job)
