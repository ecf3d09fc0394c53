# SPDX-License-Identifier: Apache-2.0
"""The real `openstack` command against the sandbox."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.__main__ import exports, knobs_of, parser
from tests.unit.sandbox.conftest import Cloud

ROOT = Path(__file__).parents[3]


def openstack(*arguments: str, config: Path) -> Any:
    """What the command prints, read as JSON."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith('OS_')
    }
    environment |= {
        'OS_CLIENT_CONFIG_FILE': str(config),
        'OS_CLOUD': 'sandbox',
    }
    done = subprocess.run(
        [sys.executable, '-m', 'openstackclient.shell', *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else None


def test_volume_backups(cloud: Cloud, tmp_path: Path) -> None:
    pytest.importorskip('openstackclient')
    sandbox = cloud(catalog='volumev3').sandbox
    sandbox.state.add_backup('keep')
    gone = sandbox.state.add_backup('gone')
    config = tmp_path / 'clouds.yaml'
    config.write_text(sandbox.clouds_yaml())
    command = ('volume', 'backup')
    openstack(*command, 'delete', 'gone', config=config)
    assert sandbox.deletes() == [
        f'DELETE /volume/v3/{sandbox.project_id}/backups/{gone.id}'
    ]
    rows = openstack(*command, 'list', '-f', 'json', config=config)
    assert [row['Name'] for row in rows] == ['keep']


def test_a_volume_backup_is_made(cloud: Cloud, tmp_path: Path) -> None:
    pytest.importorskip('openstackclient')
    sandbox = cloud(catalog='volumev3').sandbox
    volume = sandbox.state.add_volume('data')
    snapshot = sandbox.state.add_snapshot(volume, 'before')
    config = tmp_path / 'clouds.yaml'
    config.write_text(sandbox.clouds_yaml())
    made = openstack(
        *('volume', 'backup', 'create', '--name', 'one', '--force'),
        *('--snapshot', 'before', 'data', '-f', 'json'),
        config=config,
    )
    backup = sandbox.state.backups[made['id']]
    assert (backup.name, backup.volume_id) == ('one', volume.id)
    assert (backup.snapshot_id, backup.status) == (snapshot.id, 'available')


def test_servers_by_name(cloud: Cloud) -> None:
    api = cloud()
    web = api.sandbox.state.add_server('web01', 2)
    api.sandbox.state.add_server('db01')
    base = '/compute/v2.1/servers'
    found = api.get(f'{base}?name=web').json()['servers']
    assert [row['id'] for row in found] == [web.id]
    shown = api.get(f'{base}/{web.id}').json()['server']
    attached = shown['os-extended-volumes:volumes_attached']
    assert [row['id'] for row in attached] == [one.id for one in web.volumes]
    assert len(api.get(f'{base}/detail').json()['servers']) == 2
    path = f'{base}/{web.id}/os-volume_attachments'
    assert len(api.get(path).json()['volumeAttachments']) == 2
    assert api.get(f'{base}/web01').status_code == 404


def test_a_server_is_deleted_and_its_volumes_are_kept(cloud: Cloud) -> None:
    api = cloud()
    web = api.sandbox.state.add_server('web01', 2)
    base = '/compute/v2.1/servers'
    assert api.delete(f'{base}/web01').status_code == 404
    gone = api.delete(f'{base}/{web.id}')
    assert (gone.status_code, gone.content) == (204, b'')
    assert api.get(f'{base}/{web.id}').status_code == 404
    assert api.delete(f'{base}/{web.id}').status_code == 404
    for volume in web.volumes:
        shown = api.get(f'/volume/v3/{{P}}/volumes/{volume.id}').json()
        assert shown['volume']['status'] == 'available'
        assert shown['volume']['attachments'] == []


def test_a_server_of_others_is_not_deleted(cloud: Cloud) -> None:
    api = cloud()
    theirs = api.sandbox.state.add_server('web01', project_id='another')
    path = '/compute/v2.1/servers'
    assert api.delete(f'{path}/{theirs.id}').status_code == 404
    ours = api.sandbox.state.add_server('web02')
    api.sandbox.knobs.read_only_role = True
    assert api.delete(f'{path}/{ours.id}').status_code == 403
    assert len(api.sandbox.state.servers) == 2


def test_the_power_state_of_a_server(cloud: Cloud) -> None:
    api = cloud()
    found = {}
    for status in ('ACTIVE', 'SHUTOFF', 'ERROR', 'RESIZE', 'VERIFY_RESIZE'):
        server = api.sandbox.state.add_server(
            'web01', status=status, task_state='rebuilding'
        )
        path = f'/compute/v2.1/servers/{server.id}'
        row = api.get(path).json()['server']
        assert row['status'] == status
        assert row['OS-EXT-STS:task_state'] == 'rebuilding'
        assert row['OS-EXT-AZ:availability_zone'] == 'eu-de-01'
        found[status] = (
            row['OS-EXT-STS:vm_state'],
            row['OS-EXT-STS:power_state'],
        )
    assert found == {
        'ACTIVE': ('active', 1),
        'SHUTOFF': ('stopped', 4),
        'ERROR': ('error', 0),
        'RESIZE': ('active', 0),
        'VERIFY_RESIZE': ('resized', 1),
    }


def test_a_server_is_stopped_and_started(cloud: Cloud) -> None:
    api = cloud()
    server = api.sandbox.state.add_server('web01')
    path = f'/compute/v2.1/servers/{server.id}/action'
    assert api.post(path, json={'os-start': None}).status_code == 409
    assert api.post(path, json={'os-stop': None}).status_code == 202
    assert server.status == 'SHUTOFF'
    assert api.post(path, json={'os-stop': None}).status_code == 409
    assert api.post(path, json={'os-start': None}).status_code == 202
    assert server.status == 'ACTIVE'
    assert api.post(path, json={'reboot': {}}).status_code == 400
    missing = path.replace(server.id, 'web01')
    assert api.post(missing, json={'os-stop': None}).status_code == 404
    api.sandbox.knobs.read_only_role = True
    assert api.post(path, json={'os-stop': None}).status_code == 403


def test_a_volume_is_detached_and_attached(cloud: Cloud) -> None:
    api = cloud()
    state = api.sandbox.state
    server = state.add_server('web01', 2)
    root, data = server.volumes
    path = f'/compute/v2.1/servers/{server.id}/os-volume_attachments'
    assert api.delete(f'{path}/{root.id}').status_code == 400
    assert api.delete(f'{path}/{data.id}').status_code == 202
    assert (data.status, data.server_id) == ('available', None)
    assert api.delete(f'{path}/{data.id}').status_code == 404
    body = {'volumeAttachment': {'volumeId': data.id}}
    row = api.post(path, json=body).json()['volumeAttachment']
    assert (row['volumeId'], row['device']) == (data.id, '/dev/vdb')
    assert data.status == 'in-use'
    assert api.post(path, json=body).status_code == 400
    data.status = 'restoring-backup'
    assert api.delete(f'{path}/{data.id}').status_code == 400
    server.status = 'SHUTOFF'
    assert api.delete(f'{path}/{root.id}').status_code == 202


def test_a_volume_in_use_is_restored(cloud: Cloud, tmp_path: Path) -> None:
    """What an operator does before and after."""
    pytest.importorskip('openstackclient')
    sandbox = cloud(catalog='volumev3').sandbox
    server = sandbox.state.add_server('db01', 2)
    data = server.volumes[1]
    backup = sandbox.state.add_backup('nightly', data)
    config = tmp_path / 'clouds.yaml'
    config.write_text(sandbox.clouds_yaml())
    names = ('db01', data.name)
    openstack('server', 'stop', 'db01', config=config)
    openstack('server', 'remove', 'volume', *names, config=config)
    made = openstack(
        *('volume', 'backup', 'restore', 'nightly', data.name, '--force'),
        *('-f', 'json'),
        config=config,
    )
    assert made['volume_id'] == data.id
    assert sandbox.state.volumes[data.id].content == backup.id
    openstack('server', 'add', 'volume', *names, '-f', 'json', config=config)
    openstack('server', 'start', 'db01', config=config)
    assert (server.status, server.volumes[1]) == ('ACTIVE', data)


def test_volumes(cloud: Cloud) -> None:
    api = cloud()
    volume = api.sandbox.state.add_volume('data')
    api.sandbox.state.add_volume('other')
    base = '/volume/v3/{P}/volumes'
    found = api.get(f'{base}/detail?name=data').json()['volumes']
    assert [row['id'] for row in found] == [volume.id]
    shown = api.get(f'{base}/{volume.id}').json()['volume']
    assert shown['name'] == 'data'
    assert api.get(f'{base}/data').status_code == 404


def test_the_file_for_other_configurations(cloud: Cloud) -> None:
    sandbox = cloud(regions=('one', 'two')).sandbox
    text = sandbox.clouds_yaml(vbsclient_api_version='3')
    assert 'region_name: "one"' in text
    assert 'vbsclient_api_version: "3"' in text
    assert 'region_name' not in sandbox.clouds_yaml(region_name=None)


def test_arguments_become_knobs() -> None:
    given = """--latency 0.05 --deletion-time 3 --slots 2 --catalog vbsv2
        --discovery both --chains --region one --region two
        --no-checkpoint-items --csbs-catalog none
        --creation fails --creation-time 9 --item-delay 4 --closed
        --backup-quota 3 --shares-dropped 1
        --restore breaks --restore-time 7 --restore-delay 2 --restore-lag 1
        --restore-traces status --restore-keeps-failure --restores-shown
        --csbs-policy-update drops --csbs-policy-hides tags,timezone
        --csbs-policy-texts --csbs-policy-provider x"""
    fault = '{"action": "status", "method": "DELETE", "status": 503}'
    arguments = [*given.split(), '--fault', fault]
    knobs = knobs_of(parser().parse_args(arguments))
    assert (knobs.latency, knobs.deletion_time) == (0.05, 3)
    assert knobs.deletion_slots == 2
    assert (knobs.catalog, knobs.discovery) == ('vbsv2', 'both')
    assert knobs.chains
    assert knobs.regions == ('one', 'two')
    assert not knobs.checkpoint_items
    assert knobs.csbs_catalog is None
    assert (knobs.creation, knobs.creation_time) == ('fails', 9)
    assert (knobs.item_delay, knobs.closed) == (4, True)
    assert (knobs.backup_quota, knobs.shares_dropped) == (3, 1)
    assert (knobs.restore, knobs.restore_time) == ('breaks', 7)
    assert (knobs.restore_delay, knobs.restore_lag) == (2, 1)
    assert knobs.restore_traces == ('status',)
    assert knobs.restore_keeps_failure
    assert knobs.restores_shown
    assert knobs.csbs_policy_update == 'drops'
    assert knobs.csbs_policy_hides == ('tags', 'timezone')
    assert (knobs.csbs_policy_texts, knobs.csbs_policy_provider) == (True, 'x')
    assert [one.status for one in knobs.faults] == [503]


@pytest.mark.parametrize('given', [True, False])
def test_run_by_hand(tmp_path: Path, given: bool) -> None:
    """It prints how to use it, serves, and ends cleanly on Ctrl-C."""
    config = tmp_path / 'clouds.yaml'
    extra = ['--clouds-yaml', str(config)] if given else []
    process = subprocess.Popen(
        [sys.executable, '-m', 'tests.sandbox', '--backups', '3', *extra],
        cwd=ROOT,
        env=os.environ | {'TMPDIR': str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith('Serving on'):
            break
    assert any('OS_CLIENT_CONFIG_FILE=' in line for line in lines)
    (written,) = tmp_path.rglob('clouds.yaml')
    assert 'auth_url' in written.read_text()
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert rest.strip() == 'Stopped after 0 requests.'
    assert written.exists() is given


@pytest.mark.parametrize(
    ('path', 'key'),
    [
        ('/compute/v2.1/servers/detail', 'servers'),
        ('/volume/v3/{P}/volumes/detail', 'volumes'),
    ],
)
def test_lists_that_come_in_pages_have_links(
    cloud: Cloud, path: str, key: str
) -> None:
    api = cloud(max_page=2)
    for number in range(3):
        api.sandbox.state.add_server(f'web{number}')
    whole = [row['id'] for row in api.get(f'{path}?limit=2').json()[key]]
    body = api.get(f'{path}?limit=2').json()
    found, links = body[key], body[f'{key}_links']
    while links:
        query = links[0]['href'].partition('?')[2]
        body = api.get(f'{path}?{query}').json()
        found, links = found + body[key], body.get(f'{key}_links')
    assert len({row['id'] for row in found}) == len(found) == 3
    assert [row['id'] for row in found[:2]] == whole


def test_projects_come_in_pages_with_a_link(cloud: Cloud) -> None:
    api = cloud(max_page=1)
    domains = [api.sandbox.state.add_domain(name) for name in 'ab']
    for domain in domains:
        api.sandbox.state.add_project('shop', domain.id)
    path = '/identity/v3/projects?name=shop'
    body = api.get(path).json()
    second = api.get(f'{path}&{body["links"]["next"].partition("?")[2]}')
    assert second.status_code == 400  # a key that is given twice
    query = body['links']['next'].partition('?')[2]
    second = api.get(f'/identity/v3/projects?{query}').json()
    assert second['links']['next'] is None
    assert second['projects'][0]['id'] != body['projects'][0]['id']


@pytest.mark.parametrize(
    ('path', 'status'),
    [
        ('/compute/v2.1/servers/detail?names=web', 400),
        ('/compute/v2.1/servers/detail?name=[a', 400),
        ('/compute/v2.1/servers?limit=x', 400),
        ('/compute/v2.1/servers?marker=x', 400),
        ('/volume/v3/{P}/volumes/detail?names=web', 400),
        ('/volume/v3/{P}/volumes?marker=x', 404),
        ('/volume/v3/{P}/volumes/web', 404),
        ('/identity/v3/projects?project=x', 400),
        ('/identity/v3/domains?id=default', 400),
    ],
)
def test_lists_refuse_unknown_queries(
    cloud: Cloud, path: str, status: int
) -> None:
    assert cloud().get(path).status_code == status


def test_what_is_printed_selects_the_command_and_the_cloud(
    cloud: Cloud, tmp_path: Path
) -> None:
    pytest.importorskip('openstackclient')
    config = tmp_path / "a user's clouds.yaml"
    sandbox = cloud(catalog='volumev3').sandbox
    config.write_text(sandbox.clouds_yaml())
    done = subprocess.run(
        [
            '/bin/sh',
            '-ec',
            f'{exports(config)}\ncommand -v openstack\n'
            'openstack volume backup list -f json',
        ],
        env={'PATH': '/usr/bin:/bin', 'HOME': str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    program = Path(sys.executable).with_name('openstack')
    assert done.stdout.splitlines() == [str(program), '[]']
