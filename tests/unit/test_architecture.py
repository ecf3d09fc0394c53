# SPDX-License-Identifier: Apache-2.0
"""Imports flow one way: osc -> verbs -> change -> lookup -> api."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import vbsclient

#: Each layer may import itself and what is above it in this list.
LAYERS = (
    ('vbsclient.api',),
    (
        'vbsclient.bulk',
        'vbsclient.glob',
        'vbsclient.retention',
        'vbsclient.schedule',
        'vbsclient.waiting',
        'vbsclient.wording',
    ),
    ('vbsclient.lookup',),
    ('vbsclient.change',),
    (
        'vbsclient.creation',
        'vbsclient.deletion',
        'vbsclient.policies',
        'vbsclient.restoring',
    ),
    ('vbsclient.osc.output',),
    ('vbsclient.osc.command',),
    ('vbsclient.osc',),
)
#: The command line, which only osc knows.
COMMAND_LINE = ('cliff', 'openstack', 'openstackclient', 'osc_lib', 'rich')


def violations(root: Path) -> list[str]:
    """``module imports module`` for each import that flows upwards."""
    found = []
    for path in sorted(root.rglob('*.py')):
        parts = path.relative_to(root.parent).with_suffix('').parts
        is_package = parts[-1] == '__init__'
        name = '.'.join(parts[:-1] if is_package else parts)
        package = name if is_package else name.rpartition('.')[0]
        tree = ast.parse(path.read_text(), str(path))
        found += [
            f'{name} imports {imported}'
            for imported in sorted(set(_imports(tree, package)))
            if not _may_import(name, imported)
        ]
    return found


def _imports(tree: ast.AST, package: str) -> Iterator[str]:
    """Everything that is imported, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ''
            if node.level:
                parts = package.split('.')
                parts = parts[: len(parts) - node.level + 1]
                base = '.'.join([*parts, *([base] if base else [])])
            yield base
            yield from (f'{base}.{alias.name}' for alias in node.names)
        elif isinstance(node, ast.Call) and node.args:
            called = ast.unparse(node.func).rpartition('.')[2]
            name = node.args[0]
            if called in ('import_module', '__import__') and isinstance(
                name, ast.Constant
            ):
                yield str(name.value)


def _may_import(name: str, imported: str) -> bool:
    layer = _layer_of(name)
    if imported.partition('.')[0] in COMMAND_LINE:
        return f'{name}.'.startswith('vbsclient.osc.')
    return _layer_of(imported) <= layer


def _layer_of(name: str) -> int:
    """The package itself is below all layers, as is all that is not ours."""
    for number, prefixes in enumerate(LAYERS):
        if any(f'{name}.'.startswith(f'{prefix}.') for prefix in prefixes):
            return number
    return -1


def test_imports_flow_one_way() -> None:
    assert violations(Path(vbsclient.__file__).parent) == []


def test_every_module_has_a_layer() -> None:
    root = Path(vbsclient.__file__).parent
    names = {path.stem for path in root.iterdir() if path.name[0] != '_'}
    known = {prefix.split('.')[1] for layer in LAYERS for prefix in layer}
    assert names - {'py'} <= known


@pytest.mark.parametrize(
    ('module', 'line', 'wrong'),
    [
        ('api/http.py', 'import vbsclient.bulk', True),
        ('api/http.py', 'from vbsclient import bulk', True),
        ('api/http.py', 'from vbsclient.api import errors', False),
        ('api/http.py', 'from vbsclient.change.run import execute', True),
        ('lookup/names.py', 'from vbsclient.change import targets', True),
        ('change/run.py', 'from vbsclient import deletion', True),
        ('change/run.py', 'from vbsclient.lookup import names', False),
        ('osc/output/text.py', 'from vbsclient.osc import command', True),
        ('osc/command/list.py', 'from vbsclient.osc import vbs', True),
        ('osc/vbs/job.py', 'from vbsclient.osc import command', False),
        ('api/http.py', 'from .. import osc', True),
        ('api/vbs/x.py', 'from ...osc.text import visible', True),
        ('api/vbs/x.py', 'from .. import errors', False),
        ('api/vbs/__init__.py', 'from .. import errors', False),
        ('api/vbs/__init__.py', 'from ...deletion import run', True),
        ('api/http.py', 'import osc_lib.utils', True),
        ('api/http.py', 'from openstackclient import shell', True),
        ('api/http.py', 'import openstack', True),
        ('api/http.py', 'from cliff import command', True),
        ('api/http.py', 'import keystoneauth1.session', False),
        (
            'api/http.py',
            'def f():\n    import vbsclient.osc.output.text',
            True,
        ),
        ('api/http.py', 'if TYPE_CHECKING:\n    import vbsclient.osc', True),
        (
            'api/http.py',
            "importlib.import_module('vbsclient.osc.output.text')",
            True,
        ),
        ('bulk.py', 'from vbsclient.api import errors', False),
        ('bulk.py', 'from vbsclient import waiting', False),
        ('bulk.py', 'from vbsclient.deletion import run', True),
        ('bulk.py', 'from vbsclient.osc import text', True),
        ('waiting.py', 'import vbsclient.deletion', True),
        ('retention.py', 'import vbsclient.osc.output.report', True),
        ('schedule/vbs.py', 'from vbsclient.api import values', False),
        ('schedule/vbs.py', 'from vbsclient.lookup import names', True),
        ('change/run.py', 'from vbsclient import bulk', False),
        ('change/run.py', 'from vbsclient.osc import text', True),
        ('change/run.py', 'from osc_lib import exceptions', True),
        ('change/run.py', 'import rich', True),
        ('osc/command/delete.py', 'from vbsclient.deletion import run', False),
        ('osc/command/delete.py', 'from osc_lib import exceptions', False),
        ('__init__.py', 'import vbsclient.api', True),
    ],
)
def test_a_violation_would_be_seen(
    tmp_path: Path, module: str, line: str, wrong: bool
) -> None:
    path = tmp_path / 'vbsclient' / module
    path.parent.mkdir(parents=True)
    path.write_text(f'{line}\n')
    assert bool(violations(tmp_path / 'vbsclient')) is wrong


def test_the_library_runs_without_the_command_line() -> None:
    script = (
        'import sys, vbsclient.api.vbs, vbsclient.api.csbs, vbsclient.bulk\n'
        f'print([m for m in {COMMAND_LINE} if m in sys.modules])'
    )
    run = subprocess.run(
        [sys.executable, '-c', script],
        capture_output=True,
        check=True,
        text=True,
    )
    assert run.stdout.strip() == '[]'


def test_nothing_leaves_through_the_sdk() -> None:
    """It follows redirects with the token, and has time-outs of its own."""
    root = Path(vbsclient.__file__).parent
    texts = {path: path.read_text() for path in root.rglob('*.py')}
    assert not [path for path in texts if 'sdk_connection' in texts[path]]
    imported = {
        name.partition('.')[0]
        for text in texts.values()
        for name in _imports(ast.parse(text), 'vbsclient')
    }
    assert 'openstack' not in imported
