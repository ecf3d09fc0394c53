# SPDX-License-Identifier: Apache-2.0
"""What stays as it is until the next major release, one promise a line.

``python -m tests.unit.promises`` writes promises.txt anew. In a minor release
it gets new lines, and parameters with a default (``=``). Whatever else changes
there breaks a promise of ``doc/source/contributor/versions.rst``.
"""

import importlib
import inspect
import re
from collections.abc import Iterator
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any

from vbsclient.osc import commands
from vbsclient.osc.command.signals import ExitCode

FILE = Path(__file__).parent / 'promises.txt'
ROOT = Path(__file__).parents[2]


def rendered() -> str:
    lines = [
        *(f'exit code {code.value} {code.name}' for code in ExitCode),
        *_commands(),
        *_library(),
    ]
    return ''.join(f'{line}\n' for line in lines)


def _commands() -> Iterator[str]:
    setup = (ROOT / 'setup.cfg').read_text()
    found = re.findall(r'(\w+) = vbsclient\.osc\.commands:(\w+)', setup)
    for entry_point, target in found:
        name = entry_point.replace('_', ' ')
        command = getattr(commands, target)(None, None)
        for group in command.get_parser(name)._action_groups:
            # Those are cliff's.
            if 'formatter' not in (group.title or '').lower():
                for action in group._group_actions:
                    yield f'{name} {_argument(action)}'
        for column in command.columns:
            is_shown = entry_point.endswith('show')
            key = column.field if is_shown else column.title
            yield f'{name} key {key!r}'


def _argument(action: Any) -> str:
    words = [*action.option_strings] or [f'<{action.dest}>']
    if action.nargs is not None:
        words.append(f'nargs={action.nargs}')
    if action.choices is not None:
        words.append(f'choices={",".join(map(str, action.choices))}')
    if action.default not in (None, False, [], '==SUPPRESS=='):
        words.append(f'default={action.default}')
    return ' '.join(words)


def _library() -> Iterator[str]:
    """What the page of the library shows, with the options it has there."""
    page = (ROOT / 'doc/source/reference/api.rst').read_text()
    classes = r'autoclass:: (\S+)\.(\w+)\n((?:   :.*\n)*)'
    for module, name, options in re.findall(classes, page):
        cls = getattr(importlib.import_module(module), name)
        yield from _class(cls, f'{module}.{name}', options)
    for path in re.findall(r'automodule:: (\S+)', page):
        for name, member in sorted(
            vars(importlib.import_module(path)).items()
        ):
            if inspect.isclass(member) and member.__module__ == path:
                yield from _class(member, f'{path}.{name}', ':members:')


def _class(cls: type, path: str, options: str) -> Iterator[str]:
    bases = ', '.join(base.__name__ for base in cls.__bases__)
    yield f'{path} is {bases}'
    if not issubclass(cls, Enum) and inspect.isfunction(cls.__init__):
        yield f'{path}({_parameters(cls.__init__)})'
    ancestors = cls.__mro__ if ':inherited-members:' in options else (cls,)
    members: dict[str, Any] = {}
    for ancestor in reversed(ancestors):
        members |= vars(ancestor)
    wanted = re.findall(r':members:(.*)', options)
    named = wanted[0].replace(',', ' ').split() if wanted else []
    for name, member in sorted(members.items()):
        if not wanted or name.startswith('_') or (named and name not in named):
            continue
        if inspect.isfunction(member) and member.__doc__:
            yield f'{path}.{name}({_parameters(member)})'
        elif isinstance(member, property | cached_property):
            yield f'{path}.{name}'
    for name in getattr(cls, '__members__', ()):
        yield f'{path}.{name}'


def _parameters(function: Any) -> str:
    """All but self; ``=`` where there is a default."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    shown = []
    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY and '*' not in shown:
            shown.append('*')
        has_default = parameter.default is not parameter.empty
        shown.append(f'{parameter.name}{"=" if has_default else ""}')
    return ', '.join(shown)


if __name__ == '__main__':
    FILE.write_text(rendered())
