# SPDX-License-Identifier: Apache-2.0
"""The wheel and the sdist in dist have what git has, and nothing else."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

#: Files of an sdist that are not in git.
GENERATED = {
    'CHANGES.rst',
    'PKG-INFO',
    'releasenotes/notes/reno.cache',
}

#: The only file in git that an sdist does not have.
LEFT_OUT = {'.gitignore'}


def problems() -> list[str]:
    (wheel,) = Path('dist').glob('*.whl')
    (sdist,) = Path('dist').glob('*.tar.gz')
    folder = sdist.name.removesuffix('.tar.gz')
    if not wheel.name.startswith(f'{folder}-'):
        return [f'{wheel.name} and {sdist.name} differ in their version']
    listed = subprocess.run(
        ['git', 'ls-files', '-z'], check=True, capture_output=True, text=True
    )
    tracked = set(listed.stdout.rstrip('\0').split('\0'))
    return [
        *_differences(
            wheel,
            _names_of_wheel(wheel, f'{folder}.dist-info/'),
            {name for name in tracked if name.startswith('vbsclient/')},
        ),
        *_differences(
            sdist,
            _names_of_sdist(sdist, f'{folder}/'),
            (tracked - LEFT_OUT) | GENERATED,
        ),
    ]


def _names_of_wheel(file: Path, metadata: str) -> set[str]:
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
    return {name for name in names if not name.startswith(metadata)}


def _names_of_sdist(file: Path, folder: str) -> set[str]:
    with tarfile.open(file) as archive:
        files = [member.name for member in archive if member.isfile()]
    names = {name.removeprefix(folder) for name in files}
    return {name for name in names if '.egg-info/' not in name}


def _differences(file: Path, found: set[str], wanted: set[str]) -> list[str]:
    return [
        *(f'{file.name}: {name} is missing' for name in wanted - found),
        *(f'{file.name}: {name} is too much' for name in found - wanted),
    ]


if __name__ == '__main__':
    found = sorted(problems())
    print('\n'.join(found) or 'The wheel and the sdist are complete.')
    sys.exit(bool(found))
