# SPDX-License-Identifier: Apache-2.0
"""Options that all lists understand in the same way."""

from importlib.metadata import distribution
from unittest import mock

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack
from tests.functional.wire import requests

FILTERS = ('--name', '--name-contains', '--status', '--availability-zone')
OPTIONS = {
    'vbs backup list': (
        *FILTERS,
        '--volume',
        '--server',
        '--project',
        '--project-domain',
        '--policy',
        '--marker',
    ),
    'vbs share list': (
        *FILTERS,
        '--volume',
        '--backup',
        '--target-project',
        '--target-project-domain',
        '--source-project',
        '--policy',
        '--marker',
    ),
    'csbs backup list': (
        *FILTERS,
        '--server',
        '--policy',
        '--tag',
        '--checkpoint',
        '--marker',
    ),
    'csbs checkpoint list': (
        *FILTERS,
        '--server',
        '--policy',
        '--tag',
        '--marker',
    ),
    'vbs backup policy list': (),
    'vbs backup policy task list': ('--volume', '--marker'),
    'csbs policy list': (),
}
#: What a command wants before its options.
NAMED = {'vbs backup policy task list': ['x']}


@pytest.mark.parametrize(
    ('command', 'option'),
    [(command, o) for command, options in OPTIONS.items() for o in options],
)
def test_an_empty_text_lists_nothing(
    cloud: CloudFactory, openstack: Openstack, command: str, option: str
) -> None:
    """What an unset variable of a shell leaves must not list everything."""
    c = cloud()
    openstack(
        *(*command.split(), *NAMED.get(command, ()), option, ''),
        code=2,
        complains=[..., f'{option} is empty'],
    )
    assert not requests(c)


@pytest.mark.parametrize('command', OPTIONS)
def test_these_are_all_that_take_a_text(command: str) -> None:
    entries = distribution('python-vbsclient').entry_points
    make = entries.select(name=command.replace(' ', '_'))
    parser = next(iter(make)).load()(mock.Mock(), None).get_parser(command)
    texts = {
        action.option_strings[-1]
        for action in parser._optionals._group_actions
        if action.nargs != 0 and not (action.type or action.choices)
    }
    assert texts == set(OPTIONS[command])
