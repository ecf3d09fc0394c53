# SPDX-License-Identifier: Apache-2.0
"""What every start of ``openstack`` pays for these plugins, and gets."""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest

from vbsclient.osc import plugin_csbs, plugin_vbs

ENVIRONMENT = 'OS_VBSCLIENT_API_VERSION'
PLUGINS = pytest.mark.parametrize(
    'plugin', [plugin_vbs, plugin_csbs], ids=['vbs', 'csbs']
)


def in_a_new_process(script: str) -> Any:
    run = subprocess.run(
        [sys.executable, '-c', script],
        capture_output=True,
        check=True,
        text=True,
    )
    return json.loads(run.stdout)


def test_they_import_nothing_but_themselves() -> None:
    script = (
        'import json, sys\n'
        'import osc_lib.utils\n'
        'before = set(sys.modules)\n'
        'import vbsclient.osc.plugin_vbs, vbsclient.osc.plugin_csbs\n'
        'print(json.dumps(sorted(set(sys.modules) - before)))\n'
    )
    assert in_a_new_process(script) == [
        'vbsclient',
        'vbsclient.osc',
        'vbsclient.osc.plugin_csbs',
        'vbsclient.osc.plugin_vbs',
    ]


def test_nor_does_building_their_options() -> None:
    script = (
        'import argparse, json, sys\n'
        'import osc_lib.utils\n'
        'from vbsclient.osc import plugin_csbs, plugin_vbs\n'
        'before = set(sys.modules)\n'
        'for plugin in (plugin_vbs, plugin_csbs):\n'
        '    plugin.build_option_parser(argparse.ArgumentParser())\n'
        'print(json.dumps(sorted(set(sys.modules) - before)))\n'
    )
    assert in_a_new_process(script) == []


@pytest.mark.parametrize(
    ('plugin', 'name', 'version'),
    [(plugin_vbs, 'vbs', '2'), (plugin_csbs, 'csbs', '1')],
    ids=['vbs', 'csbs'],
)
def test_the_command_group_is_fixed(
    plugin: ModuleType, name: str, version: str
) -> None:
    group = plugin.API_NAME, plugin.DEFAULT_API_VERSION
    assert group == (name, version)
    assert version in plugin.API_VERSIONS
    assert not hasattr(plugin, 'check_api_version')


@PLUGINS
def test_nobody_moves_the_command_group_by_accident(
    plugin: ModuleType,
) -> None:
    """otcextensions has ``vbs_api_version`` and its own dest."""
    parser = plugin.build_option_parser(argparse.ArgumentParser())
    assert plugin.API_VERSION_OPTION.startswith('os_vbsclient_')
    assert plugin.API_VERSION_OPTION not in vars(parser.parse_args([]))


class TestVersionOption:
    def parse(
        self,
        monkeypatch: pytest.MonkeyPatch,
        environment: Mapping[str, str],
        *arguments: str,
    ) -> argparse.Namespace:
        monkeypatch.delenv(ENVIRONMENT, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        parser = argparse.ArgumentParser()
        assert plugin_vbs.build_option_parser(parser) is parser
        return parser.parse_args(arguments)

    @pytest.mark.parametrize(
        ('environment', 'arguments', 'value'),
        [
            # Any other default would win over clouds.yaml.
            ({}, (), None),
            ({ENVIRONMENT: '3'}, (), '3'),
            ({}, ('--os-vbs-api-version', '2'), '2'),
            ({ENVIRONMENT: '3'}, ('--os-vbs-api-version', '2'), '2'),
            ({'OS_VBS_API_VERSION': '3'}, (), None),
        ],
    )
    def test_where_it_comes_from(
        self,
        monkeypatch: pytest.MonkeyPatch,
        environment: Mapping[str, str],
        arguments: tuple[str, ...],
        value: str | None,
    ) -> None:
        parsed = self.parse(monkeypatch, environment, *arguments)
        # osc-lib says '' or None for what is not set.
        assert (parsed.vbsclient_api_version or None) == value
        assert set(vars(parsed)) == {'vbsclient_api_version'}

    @pytest.mark.parametrize('value', ['v9', 'auto', '', 'nonsense'])
    def test_a_bad_value_breaks_no_other_command(
        self, monkeypatch: pytest.MonkeyPatch, value: str
    ) -> None:
        parsed = self.parse(monkeypatch, {}, f'--os-vbs-api-version={value}')
        assert parsed.vbsclient_api_version == value


@pytest.mark.parametrize('theirs_first', [True, False])
def test_beside_the_options_of_otcextensions(
    monkeypatch: pytest.MonkeyPatch, theirs_first: bool
) -> None:
    monkeypatch.delenv(ENVIRONMENT, raising=False)

    def theirs(parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            '--os_vbs_api_version', dest='os_vbs_api_version', default='2'
        )

    def ours(parser: argparse.ArgumentParser) -> None:
        plugin_vbs.build_option_parser(parser)
        plugin_csbs.build_option_parser(parser)

    parser = argparse.ArgumentParser()
    for add in (theirs, ours) if theirs_first else (ours, theirs):
        add(parser)
    parsed = parser.parse_args(
        ['--os_vbs_api_version', '2', '--os-vbs-api-version', '3']
    )
    assert parsed.os_vbs_api_version == '2'
    assert parsed.vbsclient_api_version == '3'


def test_the_commands_are_loaded_when_one_is_made() -> None:
    """``openstack`` loads all these entry points at each start."""
    script = (
        'import json, sys\n'
        'from importlib.metadata import distribution\n'
        'import osc_lib.command.command, osc_lib.utils\n'
        'before = set(sys.modules)\n'
        "for entry in distribution('python-vbsclient').entry_points:\n"
        '    entry.load()\n'
        'print(json.dumps(sorted(set(sys.modules) - before)))\n'
    )
    assert in_a_new_process(script) == [
        'vbsclient',
        'vbsclient.osc',
        'vbsclient.osc.commands',
        'vbsclient.osc.plugin_csbs',
        'vbsclient.osc.plugin_vbs',
    ]


def test_a_whole_start_loads_no_other() -> None:
    script = (
        'import json, sys\n'
        'from openstackclient import shell\n'
        "sys.stdout, out = open('/dev/null', 'w'), sys.stdout\n"
        "shell.main(['help', 'token', 'issue'])\n"
        "print(json.dumps([m for m in sys.modules if 'vbsclient.' in m]),"
        ' file=out)\n'
    )
    assert sorted(in_a_new_process(script)) == [
        'vbsclient.osc',
        'vbsclient.osc.commands',
        'vbsclient.osc.plugin_csbs',
        'vbsclient.osc.plugin_vbs',
    ]


def test_only_prune_loads_what_only_prune_needs() -> None:
    script = (
        'import json, sys\n'
        'import vbsclient.osc.vbs.backup, vbsclient.osc.csbs.backup\n'
        "rare = ('vbsclient.retention', 'vbsclient.glob', "
        "'vbsclient.schedule', 'dateutil')\n"
        'print(json.dumps([m for m in rare if m in sys.modules]))\n'
    )
    assert in_a_new_process(script) == []
