# SPDX-License-Identifier: Apache-2.0
"""Each message of the commands is on the page "Messages"."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import vbsclient
from vbsclient.api import errors
from vbsclient.osc.output.hints import _ON_THE_COMMAND_LINE

ROOT = Path(vbsclient.__file__).parent
PAGE = ROOT.parent / 'doc/source/user/errors.rst'

#: What takes a message for a person as its first argument.
SPEAKERS = frozenset(
    {
        'ArgumentTypeError',
        'CommandError',
        'EndpointError',
        'AbortRun',
        'LookupFailed',
        'MissingError',
        'NoServerBackups',
        'NoSharing',
        'NotSent',
        'RefusedError',
        'SkippedError',
        'UnverifiedError',
        'changed_since_plan',
        'error',
        'warning',
    }
)

#: So many words in a row make a message known again.
ENOUGH = 4


def messages(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(line, the parts between what is filled in) of each message."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Call) and node.args:
            name = ast.unparse(node.func).rpartition('.')[2]
            if name in SPEAKERS:
                yield from ((node.lineno, p) for p in _texts(node.args[0]))


def _texts(node: ast.expr) -> Iterator[list[str]]:
    """The parts of a text; a choice is between two."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield re.split(r'%[sdr]', node.value)
    elif isinstance(node, ast.JoinedStr):
        parts = ['']
        for value in node.values:
            if isinstance(value, ast.Constant):
                parts[-1] += str(value.value)
            else:
                parts.append('')
        yield parts
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)


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
    for folder in ('osc', 'deletion', 'change', 'lookup'):
        for path in sorted((ROOT / folder).rglob('*.py')):
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
    ('line', 'words'),
    [
        (
            "raise RefusedError(f'{a} has no owner at all, {b}')",
            'has no owner at',
        ),
        ("raise RefusedError('the ' + x)", None),
        ("self._parser.error('--a goes with --b')", '--a goes with --b'),
        ("LOG.warning('The file %s is not there', x)", 'is not there'),
        ("MissingError(f'No {a} found for {b}')", 'found for'),
        ("RefusedError('one thing' if x else 'another thing')", 'one thing'),
        ("f('no message at all')", None),
    ],
)
def test_a_message_is_known_by_its_words(
    tmp_path: Path, line: str, words: str | None
) -> None:
    path = tmp_path / 'x.py'
    path.write_text(line)
    found = [fragment(parts) for _, parts in messages(path)]
    assert found[:1] == ([words] if words else [])
