# SPDX-License-Identifier: Apache-2.0
"""Lists on a terminal of 80 columns."""

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack


@pytest.mark.parametrize(
    'command', ['vbs backup list', 'vbs share list', 'csbs checkpoint list']
)
def test_a_list_fits_a_narrow_terminal(
    cloud: CloudFactory, openstack: Openstack, command: str
) -> None:
    cloud().seed()
    # As the formatter does by itself where there is a terminal.
    listed = openstack(*command.split(), '--max-width=80').stdout
    assert max(map(len, listed.splitlines())) <= 80
