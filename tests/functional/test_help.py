# SPDX-License-Identifier: Apache-2.0
"""Help, completion and the global option, without and with a cloud."""

import re
from importlib.metadata import entry_points
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack
from tests.functional.wire import deletes, requests, vbs_delete

COMMANDS = (
    'vbs backup delete',
    'vbs share delete',
    'csbs backup delete',
    'csbs checkpoint delete',
    'vbs backup create',
    'vbs share create',
    'csbs backup create',
    'vbs backup restore',
    'csbs backup restore',
    *(
        f'{noun} {verb}'
        for noun in ('vbs backup policy', 'csbs policy')
        for verb in ('create', 'set', 'delete')
    ),
    'vbs backup policy add volume',
    'vbs backup policy remove volume',
    'vbs backup policy execute',
    'csbs policy add server',
    'csbs policy remove server',
    'csbs policy execute',
)
EVERY_COMMAND = sorted(
    entry.name.replace('_', ' ')
    for group in ('openstack.vbs.v2', 'openstack.csbs.v1')
    for entry in entry_points(group=group)
    if entry.value.startswith('vbsclient.')
)
#: How commands end that use what a policy has.
MEMBERS = ('policy execute', 'add volume', 'remove volume', 'add server')
MEMBERS += ('remove server',)
TWO = ('vbs backup restore', 'volume', 'server')
NARROW = {'COLUMNS': '80'}


@pytest.mark.parametrize('group', ['vbs', 'csbs'])
def test_a_group_lists_its_commands_without_a_cloud(
    openstack: Openstack, group: str
) -> None:
    listed = openstack('help', group, env=NARROW).stdout
    for command in COMMANDS:
        assert (f'  {command}\n' in listed) == command.startswith(group)


@pytest.mark.parametrize('command', COMMANDS)
def test_a_command_explains_itself_in_paragraphs(
    openstack: Openstack, command: str
) -> None:
    for words in (['help', *command.split()], [*command.split(), '--help']):
        text = openstack(*words, env=NARROW).stdout
        assert f'usage: openstack {command} ' in text
        head = text.partition('\noptions:')[0]
        paragraphs = head.split('\n\n')
        assert len(paragraphs) >= 4
        assert f'Example: openstack {command} ' in head
        assert '--dry-run' in text
        assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize('command', EVERY_COMMAND)
def test_what_a_command_has_of_its_own_comes_first_in_its_help(
    openstack: Openstack, command: str
) -> None:
    text = openstack(*command.split(), '--help', env=NARROW).stdout
    headings = re.findall(r'\n\n([a-zA-Z ]+):\n', text)
    if command.endswith('export'):
        # It prints no table.
        headings.append('output formatters')
    own = headings[: headings.index('output formatters')]
    rules = ['rules'] if command.endswith('prune') else []
    if command.endswith(('policy create', 'policy set')):
        rules = ['schedule', 'retention']
    verbs = ('create', 'delete', 'export', 'restore', 'set', 'show', *MEMBERS)
    named = command.endswith(verbs) and 'quota' not in command
    named |= command == 'vbs backup policy task list'
    assert own == [
        *rules,
        *(['positional arguments'] if named else []),
        'options',
    ]
    assert all('formatter' in h.lower() for h in headings[len(own) :])


@pytest.mark.parametrize('command', EVERY_COMMAND)
def test_the_help_of_a_command_ends_with_its_exit_codes(
    openstack: Openstack, command: str
) -> None:
    text = openstack(*command.split(), '--help', env=NARROW).stdout
    [codes] = re.findall(r'\n\nExit codes: ((?:.+\n)+)', text)
    numbers = re.findall(r'\d+', codes)
    verbs = ('create', 'delete', 'prune', 'restore', 'set', *MEMBERS)
    changes = command.endswith(verbs)
    waits = changes or command.endswith('show')
    waits = waits and not {'share', 'quota', 'policy'} & set(command.split())
    waits |= command.endswith('execute')
    assert numbers == [
        *('0', '1', '2'),
        *(['3'] if waits else []),
        *(['130', '143'] if changes else []),
    ]
    assert 'Documentation: "Scripting"' in text.partition(codes)[2]


@pytest.mark.parametrize('command', EVERY_COMMAND)
def test_no_option_is_cut_in_two(openstack: Openstack, command: str) -> None:
    for width in ('79', '80', '100'):
        text = openstack('help', *command.split(), env={'COLUMNS': width})
        lines = text.stdout.splitlines()
        assert [line for line in lines if line.endswith('-')] == []


def test_the_general_help_names_our_option(openstack: Openstack) -> None:
    text = openstack('--help', env=NARROW).stdout
    assert '--os-vbs-api-version' in text
    assert 'OS_VBSCLIENT_API_VERSION' in text


def test_completion_knows_the_commands(openstack: Openstack) -> None:
    script = openstack('complete').stdout
    for group in ('vbs', 'csbs'):
        assert f' {group} ' in script
    assert '--cancel-shares' in script


def test_help_works_in_a_process_of_its_own(openstack: Openstack) -> None:
    result = openstack.process('help', 'vbs', 'backup', 'delete', env=NARROW)
    assert 'Delete volume backups (VBS)' in result.stdout


def test_without_a_cloud_a_command_says_what_is_missing(
    openstack: Openstack,
) -> None:
    for command in COMMANDS:
        openstack(
            *command.split(),
            *(['x'] * (2 if command.endswith(TWO) else 1)),
            # An older OSC remembers the cloud of an earlier test.
            complains=[..., re.compile('auth|login'), ...],
        )


def set_version(value: str, where: str) -> dict[str, Any]:
    if where == 'env':
        return {'env': {'OS_VBSCLIENT_API_VERSION': value}}
    if where == 'config':
        return {'config': {'vbsclient_api_version': value}}
    return {}


@pytest.mark.parametrize(
    ('where', 'value'),
    [('option', 'bogus'), ('env', '4'), ('config', '2,3'), ('config', '1')],
)
def test_an_unknown_version_fails_our_commands_with_one_sentence(
    cloud: CloudFactory, openstack: Openstack, where: str, value: str
) -> None:
    c = cloud()
    c.state.add_backup('nightly')
    option = ['--os-vbs-api-version', value] if where == 'option' else []
    settings = set_version(value, where)
    for command in ('vbs backup delete', 'vbs share delete --backup'):
        openstack(
            *option,
            *command.split(),
            'nightly',
            complains=[f'The VBS version {value!r} is not known'],
            **settings,
        )
    assert requests(c) == []


@pytest.mark.parametrize('where', ['option', 'env', 'config'])
def test_an_unknown_version_leaves_all_other_commands_alone(
    cloud: CloudFactory, openstack: Openstack, where: str
) -> None:
    c = cloud()
    run = c.state.add_checkpoint()
    option = ['--os-vbs-api-version', 'bogus'] if where == 'option' else []
    settings = set_version('bogus', where)
    token = openstack(*option, 'token', 'issue', '-f', 'json', **settings)
    assert token.json()['id'] in c.state.tokens
    openstack(*option, 'help', 'vbs', **settings)
    openstack(*option, 'help', **settings)
    openstack(*option, 'csbs', 'checkpoint', 'delete', run.id, **settings)
    assert not c.state.items


@pytest.mark.parametrize('value', [3, '3', 'auto', 'bogus'])
def test_a_setting_of_another_plugin_is_none_of_ours(
    cloud: CloudFactory, openstack: Openstack, value: Any
) -> None:
    c = cloud()
    backup = c.state.add_backup()
    openstack(
        'vbs',
        'backup',
        'delete',
        backup.id,
        config={'vbs_api_version': value, 'csbs_api_version': value},
        env={'OS_VBS_API_VERSION': str(value)},
    )
    assert deletes(c) == vbs_delete(backup.id)


@pytest.mark.parametrize(
    ('command', 'said'),
    [
        ('help', 'csbs checkpoint delete'),
        ('help vbs', 'vbs share list'),
        ('help vbs backup delete', 'usage: openstack vbs backup delete'),
        (
            'complete',
            "cmds_vbs_backup='create delete list policy prune restore show'",
        ),
    ],
)
def test_help_and_completion_need_neither_clouds_yaml_nor_network(
    openstack: Openstack,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    said: str,
) -> None:
    def connect(*arguments: Any) -> None:
        raise AssertionError('help asked the network')

    monkeypatch.setattr('socket.socket.connect', connect)
    assert said in openstack(*command.split()).stdout
