# SPDX-License-Identifier: Apache-2.0
"""One version, wherever it is told."""

import re
import runpy
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

import vbsclient
from tests.functional.shell import Openstack

ROOT = Path(__file__).parents[2]
VERSION = version('python-vbsclient')
CHECKS: dict[str, Any] = runpy.run_path(str(ROOT / '.ci/check_dist.py'))


def test_the_version_is_that_of_the_metadata() -> None:
    assert vbsclient.__version__ == VERSION
    assert not hasattr(vbsclient, '__versions__')


def test_module_list_shows_the_version(openstack: Openstack) -> None:
    shown = openstack('module', 'list', '-f', 'json').json()
    assert shown['vbsclient'] == VERSION


def test_the_version_leads_to_the_planned_release() -> None:
    assert CHECKS['is_build_of'](VERSION, CHECKS['planned_version']())


def test_the_documentation_has_the_version() -> None:
    pytest.importorskip('sphinx')
    conf = runpy.run_path(str(ROOT / 'doc/source/conf.py'))
    assert conf['release'] == conf['version'] == VERSION


def test_the_changelog_of_debian_has_the_planned_release() -> None:
    first = (ROOT / 'debian/changelog').read_text().splitlines()[0]
    found = re.match(r'python-vbsclient \((.+)-\d+\) ', first)
    assert found
    assert found[1] == CHECKS['planned_version']()


@pytest.mark.parametrize(
    ('build', 'leads'),
    [
        ('1.2.0', True),
        ('1.2.0.dev7', True),
        ('1.2.0.0rc1', True),
        ('1.2.0.0rc1.dev3', True),
        ('1.2.0rc1', False),
        ('0.0.1.dev7', False),
        ('1.2.1.dev7', False),
        ('1.2.0.1', False),
    ],
)
def test_builds_of_a_release(build: str, leads: bool) -> None:
    assert CHECKS['is_build_of'](build, '1.2.0') is leads
