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
)
THEIRS = ('vbs policy list', 'vbs policy delete')

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
    assert "cmds_csbs='backup checkpoint quota'" in completion


@pytest.mark.parametrize('command', [*OURS, *THEIRS])
def test_the_help_of_each_needs_no_cloud(
    openstack: Openstack, command: str
) -> None:
    shown = openstack.process('help', *command.split())
    assert re.match(f'usage: [a-z]+ {command} ', shown.stdout)
