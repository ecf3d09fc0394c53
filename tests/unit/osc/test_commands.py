# SPDX-License-Identifier: Apache-2.0
"""One table of commands, which nothing else may contradict."""

import ast
import configparser
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from vbsclient.osc import commands

SETUP = Path(commands.__file__).parents[2] / 'setup.cfg'
TABLE = {
    name: f'vbsclient.osc.{module}'
    for module, names in commands.COMMANDS.items()
    for name in names.split()
}


def entry_points() -> dict[str, str]:
    """Entry point -> class, of both command groups in setup.cfg."""
    config = configparser.ConfigParser()
    config.read(SETUP)
    lines = [
        line
        for key, value in config['entry_points'].items()
        if key.endswith(('.v1', '.v2'))
        for line in value.split('\n')
        if line
    ]
    parts = [line.partition(' = vbsclient.osc.commands:') for line in lines]
    return {name: target for name, _, target in parts}


def test_the_entry_points_name_each_class_of_the_table() -> None:
    assert sorted(entry_points().values()) == sorted(TABLE)


def test_an_entry_point_and_its_class_say_the_same() -> None:
    for name, target in entry_points().items():
        service, *noun, verb = name.split('_')
        if noun[-1] in ('add', 'remove'):
            # Of what a parent has: it is named behind the verb.
            *noun, verb, child = *noun, verb
            noun = [*noun, child]
        words = [verb, service, *noun]
        assert target == ''.join(word.capitalize() for word in words)


def test_editors_follow_imports_to_the_same_classes() -> None:
    tree = ast.parse(inspect.getsource(commands))
    (checked,) = (node for node in tree.body if isinstance(node, ast.If))
    imported = {
        alias.name: node.module
        for node in checked.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert imported == TABLE


@pytest.mark.parametrize('name', TABLE)
def test_what_is_loaded_leads_to_the_real_class(name: str) -> None:
    loaded = getattr(commands, name)
    real = getattr(importlib.import_module(TABLE[name]), name)
    assert loaded.__wrapped__ is real
    assert isinstance(loaded(None, None), real)


def test_nothing_is_imported_to_look_at_a_loaded_class() -> None:
    script = (
        'import sys\n'
        'from vbsclient.osc import commands\n'
        'commands.ListVbsBackup.log, commands.ListVbsBackup.__init__\n'
        "print('vbsclient.osc.vbs' in sys.modules)\n"
    )
    run = subprocess.run(
        [sys.executable, '-c', script],
        capture_output=True,
        check=True,
        text=True,
    )
    assert run.stdout.strip() == 'False'
