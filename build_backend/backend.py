# SPDX-License-Identifier: Apache-2.0
"""How the package is built: by pbr, an sdist with reno as well.

reno writes the release notes into CHANGES.rst, for which it needs the history.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pbr import build as pbr_build

ROOT = Path(__file__).parents[1]

#: What reno writes for an sdist.
GENERATED = ('CHANGES.rst', 'releasenotes/notes/reno.cache')


def get_requires_for_build_sdist(config_settings: Any = None) -> list[str]:
    """What an sdist needs and a wheel does not."""
    requires = list(pbr_build.get_requires_for_build_sdist(config_settings))
    return [*requires, 'reno>=4.1']


def build_sdist(directory: str, config_settings: Any = None) -> str:
    """Build it, and leave nothing in a checkout that would go out of date.

    :raises RuntimeError: outside a checkout, where pbr would miss files.
    """
    if not (ROOT / '.git').exists():
        raise RuntimeError('An sdist is built from a git checkout.')
    try:
        return str(pbr_build.build_sdist(directory, config_settings))
    finally:
        for name in GENERATED:
            (ROOT / name).unlink(missing_ok=True)


def __getattr__(name: str) -> Any:
    """All other hooks are pbr's."""
    return getattr(pbr_build, name)
