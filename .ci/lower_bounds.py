"""Check that exactly the lower bounds of requirements.txt are installed."""

import re
import sys
from importlib.metadata import version
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
LINE = re.compile(r'^([A-Za-z0-9._-]+)(>=|==)([0-9.]+)$')


def read(name: str, operator: str) -> dict[str, str]:
    """Return {distribution: version} of a requirements file."""
    found = {}
    for line in (TOP / name).read_text(encoding='utf-8').splitlines():
        if not line or line.startswith('#'):
            continue
        match = LINE.match(line)
        if match is None or match[2] != operator:
            sys.exit(f'{name}: not of the form name{operator}version: {line}')
        found[match[1]] = match[3]
    return found


def main() -> int:
    bounds = read('requirements.txt', '>=')
    if bounds != read('lower-constraints.txt', '=='):
        sys.exit('lower-constraints.txt is not what requirements.txt says')
    wrong = {
        name: installed
        for name, bound in bounds.items()
        if (installed := version(name)) != bound
    }
    for name, installed in wrong.items():
        print(f'{name} {installed} is installed, not {bounds[name]}')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
