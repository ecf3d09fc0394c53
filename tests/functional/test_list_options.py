# SPDX-License-Identifier: Apache-2.0
"""Options that all lists understand in the same way."""

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack
from tests.functional.wire import requests

FILTERS = ('--name', '--name-contains', '--status', '--availability-zone')
OPTIONS = {
    'vbs backup list': (*FILTERS, '--volume', '--server', '--marker'),
    'vbs share list': (
        *FILTERS,
        '--volume',
        '--backup',
        '--target-project',
        '--target-project-domain',
        '--source-project',
        '--marker',
    ),
    'csbs backup list': (
        *FILTERS,
        '--server',
        '--policy',
        '--checkpoint',
        '--marker',
    ),
    'csbs checkpoint list': (*FILTERS, '--server', '--policy', '--marker'),
}


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
        *(*command.split(), option, ''),
        code=2,
        complains=[..., f'{option} is empty'],
    )
    assert not requests(c)
