# SPDX-License-Identifier: Apache-2.0
"""One version, wherever it is told."""

import configparser
import re
from importlib.metadata import version
from pathlib import Path

import vbsclient
from tests.functional.shell import Openstack

ROOT = Path(__file__).parents[2]
VERSION = version('python-vbsclient')


def planned() -> str:
    """The next release, or this one."""
    config = configparser.ConfigParser()
    config.read(ROOT / 'setup.cfg')
    return config['metadata']['version']


def test_the_version_is_that_of_the_metadata() -> None:
    assert vbsclient.__version__ == VERSION


def test_module_list_shows_the_version(openstack: Openstack) -> None:
    shown = openstack('module', 'list', '-f', 'json').json()
    assert shown['vbsclient'] == VERSION


def test_the_changelog_of_debian_has_the_planned_release() -> None:
    first = (ROOT / 'debian/changelog').read_text().splitlines()[0]
    assert f'({planned()}-1)' in first


def test_debian_has_one_maintainer() -> None:
    control = (ROOT / 'debian/control').read_text()
    (maintainer,) = re.findall('^Maintainer: (.*)$', control, re.M)
    changelog = (ROOT / 'debian/changelog').read_text()
    assert set(re.findall('^ -- (.*?)  ', changelog, re.M)) == {maintainer}


def test_debian_needs_what_the_package_needs() -> None:
    needed = {
        (name.removeprefix('python-'), lowest)
        for name, lowest in re.findall(
            '^([^#>]+)>=(.*)$',
            (ROOT / 'requirements.txt').read_text(),
            re.M,
        )
    }
    build, package = (ROOT / 'debian/control').read_text().split('\nPackage:')
    for part in build, package:
        found = re.findall(r'^ python3-(\S+) \(>= (.+)\)', part, re.M)
        assert needed <= set(found)
