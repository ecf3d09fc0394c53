# SPDX-License-Identifier: Apache-2.0
"""Each message of the commands is on the page "Messages".

A message is what is said first.  What follows it and says what to do (a hint
of an error) is in the message itself, and needs no page.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import vbsclient
from vbsclient.api import errors
from vbsclient.osc.output.hints import _ON_THE_COMMAND_LINE

ROOT = Path(vbsclient.__file__).parent
PAGE = ROOT.parent / 'doc/source/user/errors.rst'

#: Functions and methods that take a message as their first argument.  To
#: these come all exceptions: those that are defined here, and what is raised.
SPEAKERS = frozenset(
    {
        '_remark',
        'changed_since_plan',
        'critical',
        'error',
        'exception',
        'info',
        'revised',
        'warning',
        'write',
    }
)

#: The same with the message as their second argument.
SECOND = frozenset({'excuse', 'log'})

#: For those who program, and not for those who run a command.
BUGS = frozenset({'AssertionError', 'NotImplementedError', 'TypeError'})

#: Modules and functions that return what is printed.
PRINTED = frozenset(
    {
        '_detail',
        '_difference',
        'hint',
        'interrupted',
        'osc/command/confirm.py',
        'osc/output/messages.py',
        'osc/output/prune_table.py',
    }
)

#: So many words in a row make a message known again.
ENOUGH = 4

Message = tuple[int, list[str]]


def exceptions() -> frozenset[str]:
    """The names of all exceptions that the package defines."""
    bases: dict[str, set[str]] = {}
    for path in ROOT.rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                bases[node.name] = {
                    ast.unparse(base).rpartition('.')[2] for base in node.bases
                }
    known = {'Exception', 'CommandError', 'ArgumentTypeError'}
    while more := {n for n, of in bases.items() if of & known} - known:
        known |= more
    return frozenset(known)


EXCEPTIONS = exceptions()


class Messages(ast.NodeVisitor):
    """(line, the parts between what is filled in) of each message."""

    def __init__(self, tree: ast.Module, *, printed: bool = False) -> None:
        self.found: list[Message] = []
        self._printed = printed
        self._scopes = [_assigned(tree.body)]
        self.visit(tree)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        before = self._printed
        self._printed |= node.name in PRINTED
        self._scopes.append(_assigned(node.body))
        self.generic_visit(node)
        self._scopes.pop()
        self._printed = before

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        if node.name in EXCEPTIONS:
            for text in _assigned(node.body).get('reason', ()):
                self._add(text)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = ast.unparse(node.func).rpartition('.')[2]
        if name in SPEAKERS | EXCEPTIONS and node.args:
            self._add(node.args[0])
        elif name in SECOND and len(node.args) > 1:
            self._add(node.args[1])
        self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        raised = node.exc
        if isinstance(raised, ast.Call) and raised.args:
            name = ast.unparse(raised.func).rpartition('.')[2]
            if name not in SPEAKERS | EXCEPTIONS | BUGS:
                self._add(raised.args[0])
        self.generic_visit(node)

    def visit_Return(self, node: ast.Return) -> None:
        if self._printed and node.value is not None:
            self._add(node.value)
        self.generic_visit(node)

    visit_Yield = visit_Return  # noqa: N815

    def _add(self, node: ast.expr) -> None:
        names: dict[str, list[ast.expr]] = {}
        for scope in self._scopes:
            names |= scope
        self.found += [(node.lineno, parts) for parts in _texts(node, names)]


def _assigned(body: list[ast.stmt]) -> dict[str, list[ast.expr]]:
    """What may be in each name of a module, class or function."""
    found: dict[str, list[ast.expr]] = {}
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
                targets = getattr(node, 'targets', None) or [node.target]
                for target in targets:
                    if isinstance(target, ast.Name) and node.value:
                        found.setdefault(target.id, []).append(node.value)
    return found


def messages(path: Path) -> Iterator[Message]:
    printed = path.is_relative_to(ROOT) and (
        path.relative_to(ROOT).as_posix() in PRINTED
    )
    tree = ast.parse(path.read_text(), str(path))
    yield from Messages(tree, printed=printed).found


def _texts(
    node: ast.expr, names: Mapping[str, list[ast.expr]]
) -> Iterator[list[str]]:
    """The parts of a text, or of each that may be meant."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield re.split(r'%[.0-9]*[sdr]|\{\w*\}', node.value)
    elif isinstance(node, ast.JoinedStr):
        parts = ['']
        for value in node.values:
            if isinstance(value, ast.Constant):
                parts[-1] += str(value.value)
            else:
                parts.append('')
        yield parts
    elif isinstance(node, ast.Name):
        others = {k: v for k, v in names.items() if k != node.id}
        for value in names.get(node.id, ()):
            yield from _texts(value, others)
    else:
        for value in _choices(node):
            yield from _texts(value, names)


def _choices(node: ast.expr) -> list[ast.expr]:
    """Where the text of an expression comes from."""
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, ast.BoolOp):
        return node.values
    if isinstance(node, ast.BinOp):
        return [node.left]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return [node.func.value]  # 'a {}'.format(b)
    return []


def fragment(parts: list[str]) -> str:
    """The words by which a message is known again; '' if it has none."""
    for part in (*(p for p in parts if len(plain(p).split()) > 2), *parts):
        words = plain(part).split()
        if len(words) > 1:
            return ' '.join(words[:ENOUGH])
    return ''


def plain(text: str) -> str:
    """A text without markup, as one line of lower-case words."""
    return ' '.join(re.sub(r'``|[.,:;()]', ' ', text).split()).lower()


def missing() -> list[str]:
    page = plain(re.sub(r'^\s+[*-] ', ' ', PAGE.read_text(), flags=re.M))
    found = []
    for path in sorted(ROOT.rglob('*.py')):
        for line, parts in messages(path):
            words = fragment(parts)
            if words and words not in page:
                where = path.relative_to(ROOT.parent)
                found.append(f'{where}:{line}: {words!r}')
    return found


def test_each_message_is_on_the_page() -> None:
    absent = missing()
    assert not absent, (
        f'{PAGE.name} does not have {len(absent)} messages:\n'
        + '\n'.join(absent)
    )


def test_messages_say_id_as_openstack_does() -> None:
    told = [
        ' '.join(parts)
        for path in sorted(ROOT.rglob('*.py'))
        for _, parts in messages(path)
    ]
    told += map(str, [*errors.HINTS.values(), *_ON_THE_COMMAND_LINE.values()])
    assert [
        text
        for text in told
        if re.search(r'\b(?:id|ids)\b', re.sub('[{<]id[>}]', '', text))
    ] == []


@pytest.mark.parametrize(
    ('code', 'words'),
    [
        (
            "raise RefusedError(f'{a} has no owner at all, {b}')",
            'has no owner at',
        ),
        ("raise RefusedError('the ' + x)", None),
        ("self._parser.error('--a goes with --b')", '--a goes with --b'),
        ("parser.error('one two ' + x)", 'one two'),
        ("LOG.warning('The file %s is not there', x)", 'is not there'),
        ("LOG.info('The file %.500r is not there', x)", 'is not there'),
        ("LOG.log(level, 'one thing', x)", 'one thing'),
        ("LOG.debug('one thing')", None),
        ("self.app.stderr.write('one thing\\n')", 'one thing'),
        ("MissingError(f'No {a} found for {b}')", 'found for'),
        ("RefusedError('one thing' if x else 'another thing')", 'one thing'),
        ("exceptions.CommandError('one thing')", 'one thing'),
        ("argparse.ArgumentTypeError('one thing')", 'one thing'),
        ("raise ValueError('one thing')", 'one thing'),
        ("raise SystemExit('one thing')", 'one thing'),
        ("raise TypeError('one thing')", None),
        ("ValueError('one thing')", None),
        ("RefusedError('a {b} like no other'.format(b=1))", 'like no other'),
        ("_TEXT = 'one thing'\nLOG.error(_TEXT)", 'one thing'),
        (
            "def f(x):\n    a = 'one thing'\n    raise RefusedError(a)",
            'one thing',
        ),
        ("class Forbidden:\n    reason = 'one thing'", 'one thing'),
        ("def hint(self):\n    return 'one thing'", 'one thing'),
        ("def interrupted(self):\n    yield 'one thing'", 'one thing'),
        ("def other(self):\n    return 'one thing'", None),
        ("f'no message at all'", None),
    ],
)
def test_a_message_is_known_by_its_words(
    tmp_path: Path, code: str, words: str | None
) -> None:
    path = tmp_path / 'x.py'
    path.write_text(code)
    found = [fragment(parts) for _, parts in messages(path)]
    assert [text for text in found[:1] if text] == ([words] if words else [])


def test_exceptions_are_found_wherever_they_are_defined() -> None:
    assert {'NoSharing', 'NoServerBackups', 'RefusedError'} <= EXCEPTIONS
    assert {'Unproven', 'AbortRun', 'ServiceError'} <= EXCEPTIONS
