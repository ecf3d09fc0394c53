# SPDX-License-Identifier: Apache-2.0
"""What was built is complete, of one version, and has nothing else in it.

``python .ci/check_dist.py dist`` looks at the wheel and the sdist there.
"""

from __future__ import annotations

import configparser
import email
import re
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]

#: What an sdist must have: it is tested, documented and packaged from it.
NEEDED = (
    'CHANGES.rst',
    'LICENSE',
    'PKG-INFO',
    'README.rst',
    'debian/control',
    'doc/source/conf.py',
    'doc/source/pictures/demo.svg',
    'releasenotes/config.yaml',
    'releasenotes/notes/reno.cache',
    'requirements.txt',
    'tests/conftest.py',
    'tests/sandbox/__main__.py',
    'tests/unit/retention/golden/usual.txt',
    'vbsclient/py.typed',
)

#: What builds, tests and version control leave behind.
JUNK = re.compile(
    r'(^|/)(\.git|\.tox|\.venv|\.mypy_cache|\.pytest_cache|\.ruff_cache'
    r'|\.hypothesis|__pycache__|AUTHORS|ChangeLog|\.coverage)(/|$)'
    r'|^(build|dist|cover|doc/build)/|\.py[cod]$|~$'
)


def planned_version(root: Path = ROOT) -> str:
    """The next release, as setup.cfg has it."""
    config = configparser.ConfigParser()
    config.read(root / 'setup.cfg')
    return config['metadata']['version']


def is_build_of(version: str, planned: str) -> bool:
    """Whether a version is the planned one, or leads to it."""
    pattern = rf'{re.escape(planned)}(\.0(a|b|rc)\d+)?(\.dev\d+)?'
    return re.fullmatch(pattern, version) is not None


def problems(directory: Path) -> list[str]:
    """What is wrong with the wheel and the sdist in a directory."""
    wheels = list(directory.glob('*.whl'))
    sdists = list(directory.glob('*.tar.gz'))
    if len(wheels) != 1 or len(sdists) != 1:
        return [f'{directory}: not one wheel and one sdist']
    return [*_problems_of_wheel(wheels[0]), *_problems_of_sdist(sdists[0])]


def _problems_of_wheel(file: Path) -> list[str]:
    version = file.name.split('-')[1]
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        metadata = f'python_vbsclient-{version}.dist-info/METADATA'
        text = archive.read(metadata).decode()
    found = _problems_of_version(file, version, text)
    places = ('vbsclient/', f'python_vbsclient-{version}.dist-info/')
    found += [
        f'{file.name}: {name} does not belong there'
        for name in names
        if JUNK.search(name) or not name.startswith(places)
    ]
    if 'vbsclient/py.typed' not in names:
        found.append(f'{file.name}: vbsclient/py.typed is missing')
    return found


def _problems_of_sdist(file: Path) -> list[str]:
    folder = file.name.removesuffix('.tar.gz')
    version = folder.partition('-')[2]
    with tarfile.open(file) as archive:
        names = {
            member.name.removeprefix(f'{folder}/')
            for member in archive.getmembers()
            if member.isfile()
        }
        info = archive.extractfile(f'{folder}/PKG-INFO')
        text = info.read().decode() if info else ''
    found = _problems_of_version(file, version, text)
    found += [
        f'{file.name}: {name} does not belong there'
        for name in sorted(names)
        if JUNK.search(name)
    ]
    found += [
        f'{file.name}: {name} is missing'
        for name in NEEDED
        if name not in names
    ]
    return found


def _problems_of_version(file: Path, version: str, text: str) -> list[str]:
    told = email.message_from_string(text)['Version']
    planned = planned_version()
    found = []
    if told != version:
        found.append(f'{file.name}: its metadata says {told}')
    if not is_build_of(version, planned):
        found.append(f'{file.name}: setup.cfg plans {planned}')
    return found


if __name__ == '__main__':
    found = problems(Path(sys.argv[1]))
    print('\n'.join(found) or 'The wheel and the sdist are complete.')
    sys.exit(bool(found))
