# SPDX-License-Identifier: Apache-2.0
"""otcextensions has ``vbs policy``, and settings whose names are close."""

import re
from collections import Counter
from importlib.metadata import distributions, entry_points
from pathlib import Path
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory, cloud
from tests.functional.shell import Openstack
from tests.functional.wire import requests
from tests.sandbox import Sandbox

__all__ = ['cloud']

pytestmark = pytest.mark.skipif(
    not entry_points(group='openstack.cli.extension', name='volume_backup'),
    reason='otcextensions is not installed',
)

OURS = (
    'vbs backup delete',
    'vbs share list',
    'csbs checkpoint delete',
    'csbs backup list',
    'vbs backup policy list',
    'vbs backup policy delete',
    'vbs backup policy task list',
    'vbs backup policy add volume',
    'csbs policy list',
)
THEIRS = tuple(
    f'vbs policy {verb}'
    for verb in (
        *('create', 'delete', 'execute', 'link', 'list', 'show', 'unlink'),
        'update',
    )
)

#: Where a version may be set, and whose setting it is.
SETTINGS: dict[str, dict[str, Any]] = {
    'nowhere': {},
    'our option': {'options': ['--os-vbs-api-version', '3']},
    'our option, 2': {'options': ['--os-vbs-api-version', '2']},
    'our variable': {'env': {'OS_VBSCLIENT_API_VERSION': '3'}},
    'our key': {'config': {'vbsclient_api_version': '3'}},
    'their variable': {'env': {'OS_VBS_API_VERSION': '2'}},
    'their key': {'config': {'vbs_api_version': '2'}},
}

#: What makes their own commands vanish, and none of ours.
BROKEN: dict[str, dict[str, Any]] = {
    'their variable, 3': {'env': {'OS_VBS_API_VERSION': '3'}},
    'their key, 3': {'config': {'vbs_api_version': 3}},
}


@pytest.fixture
def openstack(tmp_path: Path) -> Openstack:
    return Openstack(tmp_path)


def test_no_command_is_of_both_plugins() -> None:
    entries = {
        (entry.name, entry.value)
        for distribution in distributions()
        for entry in distribution.entry_points
        if entry.group.startswith('openstack.')
    }
    commands = Counter(
        name for name, _ in entries if name.startswith(('vbs_', 'csbs_'))
    )
    assert commands['vbs_policy_list'] == commands['vbs_backup_list'] == 1
    assert commands['vbs_backup_policy_list'] == 1
    assert max(commands.values()) == 1


def _start(cloud: CloudFactory, discovery: str) -> Sandbox:
    # Their client adds the project to the URL of the catalog by itself.
    return cloud(
        catalog_version='v2', catalog_project=False, discovery=discovery
    )


@pytest.mark.parametrize('where', [*SETTINGS, *BROKEN])
def test_our_commands_work_whatever_is_set(
    cloud: CloudFactory, openstack: Openstack, where: str
) -> None:
    c = _start(cloud, 'none-json')
    backup = c.state.add_backup('nightly')
    settings = dict((SETTINGS | BROKEN)[where])
    options = settings.pop('options', [])
    listed = openstack.run(
        *options, 'vbs', 'backup', 'list', '-f', 'value', **settings
    )
    assert listed.code == 0, listed.stderr
    assert backup.id in listed.stdout
    assert (
        openstack.run(
            *options, 'vbs', 'backup', 'delete', backup.id, **settings
        ).code
        == 0
    )
    assert not c.state.backups


@pytest.mark.parametrize('where', SETTINGS)
def test_their_commands_work_whatever_is_set_for_ours(
    cloud: CloudFactory, openstack: Openstack, where: str
) -> None:
    _start(cloud, 'none-json')
    settings = dict(SETTINGS[where])
    options = settings.pop('options', [])
    # Their client stays in the process, and so does its cloud.
    listed = openstack.process(
        *options, 'vbs', 'policy', 'list', '-f', 'value', **settings
    )
    assert 'DefaultPolicy' in listed.stdout


@pytest.mark.parametrize('where', SETTINGS)
def test_help_and_completion_list_both(
    openstack: Openstack, where: str
) -> None:
    settings = {
        key: value for key, value in SETTINGS[where].items() if key == 'env'
    }
    options = SETTINGS[where].get('options', [])
    shown = openstack.run(*options, 'help', 'vbs', **settings).stdout
    assert 'vbs backup delete' in shown
    assert 'vbs policy list' in shown
    completion = openstack.run(*options, 'complete', **settings).stdout
    assert "cmds_vbs='backup job policy quota share'" in completion
    assert "cmds_csbs='backup checkpoint policy quota'" in completion
    ours = 'add create delete execute export list remove set show task'
    theirs = 'create delete execute link list show unlink update'
    assert f"cmds_vbs_backup_policy='{ours}'" in completion
    assert f"cmds_vbs_policy='{theirs}'" in completion


@pytest.mark.parametrize('command', [*OURS, *THEIRS])
def test_the_help_of_each_needs_no_cloud(
    openstack: Openstack, command: str
) -> None:
    shown = openstack.process('help', *command.split())
    assert re.match(f'usage: [a-z]+ {command} ', shown.stdout)


@pytest.mark.parametrize(
    ('typed', 'is_ours'),
    [
        ('vbs backup policy list', True),
        ('vbs policy list', False),
        # Words may be short where nothing is changed.
        ('vbs backup pol list', True),
        ('vbs b p l', True),
        ('vbs pol list', False),
        ('vbs p lis', False),
    ],
)
def test_each_lists_policies_by_its_own_words(
    cloud: CloudFactory, openstack: Openstack, typed: str, is_ours: bool
) -> None:
    c = _start(cloud, 'none-json')
    policy = c.state.volume_policies.add(c.project_id, 'nightly')
    shown = openstack.process(*typed.split(), '-f', 'json')
    [row] = [row for row in shown.json() if policy.id in row.values()]
    assert ('Next Run' in row) == is_ours


def test_each_deletes_policies_by_its_own_words(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = _start(cloud, 'none-json')
    policies = c.state.volume_policies
    ours, theirs = (policies.add(c.project_id, n).id for n in ('one', 'two'))
    journal = openstack.home / 'journal'
    openstack.process(
        *('vbs', 'backup', 'policy', 'delete', ours),
        *('--journal', str(journal)),
    )
    assert ours in journal.read_text()
    assert theirs in policies.of_project(c.project_id)
    openstack.process('vbs', 'policy', 'delete', theirs)
    left = policies.of_project(c.project_id)
    assert not {ours, theirs} & set(left)


@pytest.mark.parametrize(
    'typed',
    ['vbs b p delete', 'vbs backup pol delete', 'vbs b p a v', 'csbs p d'],
)
def test_short_words_of_ours_change_nothing(
    cloud: CloudFactory, openstack: Openstack, typed: str
) -> None:
    c = _start(cloud, 'none-json')
    policy = c.state.volume_policies.add(c.project_id, 'nightly').id
    more = ('x',) if 'v' in typed.split()[1:] else ()
    openstack.process(
        *(*typed.split(), policy, *more),
        complains=[..., 'write the command in full'],
        code=2,
    )
    assert requests(c) == []
