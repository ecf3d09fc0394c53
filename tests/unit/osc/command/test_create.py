# SPDX-License-Identifier: Apache-2.0
"""What the commands that create backups take and refuse."""

import argparse
import io
from string import ascii_letters, digits
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from osc_lib import exceptions

from tests.unit.osc.parsing import parse, usage_error
from vbsclient.api.http import Handle
from vbsclient.change.targets import Done, Outcome, Target
from vbsclient.osc.command.create import _tag
from vbsclient.osc.csbs.create import CreateCsbsBackup
from vbsclient.osc.output.report import Report
from vbsclient.osc.vbs.create import CreateVbsBackup
from vbsclient.osc.vbs.share import CreateVbsShare

COMMANDS = (CreateVbsBackup, CreateCsbsBackup)
EACH = pytest.mark.parametrize('command', COMMANDS)


def run(command: type[Any], line: str) -> None:
    """Run it where any request, and any login, would be an error."""
    nobody = SimpleNamespace(_cli_options=SimpleNamespace(config={}))
    app = SimpleNamespace(
        client_manager=nobody,
        stdin=io.StringIO(),
        stdout=io.StringIO(),
        stderr=io.StringIO(),
        interactive_mode=True,
        options=SimpleNamespace(verbose_level=0),
    )
    one = command(app, None)
    one.run(one.get_parser('openstack x').parse_args(line.split()))


def late_error(
    command: type[Any], line: str, capsys: pytest.CaptureFixture[str]
) -> str:
    """The usage error of what the parser alone lets pass."""
    with pytest.raises(SystemExit) as ended:
        run(command, line)
    assert ended.value.code == 2
    return ' '.join(capsys.readouterr().err.split())


# -- names, descriptions and tags ------------------------------------------


@EACH
@pytest.mark.parametrize('name', ['a', 'A_b-9', '-x', 'x' * 64, 'Auto', 'au'])
def test_a_name(command: Any, name: str) -> None:
    assert parse(command, f'x --name={name}')['--name'] == name


@EACH
@pytest.mark.parametrize(
    'name',
    ['a.b', 'ä', 'a/b', '../x', 'a:b', 'x' * 256, 'a\u2013b', '\uff21', '٣'],
)
def test_what_is_no_name(
    command: Any, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    error = usage_error(command, f'x --name={name}', capsys)
    assert 'is not a name that the service takes' in ' '.join(error.split())


@EACH
@pytest.mark.parametrize('name', ['', 'a b', 'a\n', '\x1b[31m', ' '])
def test_what_no_line_of_words_has_is_no_name(
    command: Any, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = command(None, None).get_parser('x')
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(['x', f'--name={name}'])
    assert ended.value.code == 2
    assert '\x1b' not in capsys.readouterr().err


@EACH
@pytest.mark.parametrize('name', ['auto', 'autobk_1', 'automatic'])
def test_what_is_reserved(
    command: Any, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 'begins with auto' in usage_error(
        command, f'x --name {name}', capsys
    )


def test_how_long_a_name_may_be(capsys: pytest.CaptureFixture[str]) -> None:
    usage_error(CreateVbsBackup, f'x --name {"a" * 65}', capsys)
    parse(CreateCsbsBackup, f'x --name {"a" * 255}')


@pytest.mark.parametrize(
    ('command', 'longest'), [(CreateVbsBackup, 64), (CreateCsbsBackup, 255)]
)
def test_a_description(
    command: Any, longest: int, capsys: pytest.CaptureFixture[str]
) -> None:
    fits = 'ä' * longest
    assert parse(command, f'x --description {fits}')['--description'] == fits
    for bad in (f'{fits}a', 'a<b', 'a>b'):
        error = usage_error(command, f'x --description {bad}', capsys)
        assert f'at most {longest} characters' in ' '.join(error.split())


@given(st.text('aZ9_-=', max_size=90) | st.text(max_size=9))
def test_a_tag_is_one_that_both_services_take(text: str) -> None:
    try:
        key, value = _tag(text)
    except argparse.ArgumentTypeError:
        return
    assert f'{key}={value}' == text
    for part, fewest, most in ((key, 1, 36), (value, 0, 43)):
        assert fewest <= len(part) <= most
        assert set(part) <= set(f'{ascii_letters}{digits}_-')


@pytest.mark.parametrize(
    ('text', 'tag'),
    [
        ('env=prod', ('env', 'prod')),
        ('env=', ('env', '')),
        (f'{"k" * 36}={"v" * 43}', ('k' * 36, 'v' * 43)),
    ],
)
def test_a_tag(text: str, tag: tuple[str, str]) -> None:
    assert parse(CreateVbsBackup, f'x --tag {text}') == {
        '<volume>': ['x'],
        '--tag': [tag],
    }


@EACH
@pytest.mark.parametrize(
    'tag',
    [
        *('env', '=', '=x', 'a=b=c', 'a.b=c', 'a=b.c', 'ä=b', 'a=ä'),
        *(f'{"k" * 37}=v', f'k={"v" * 44}', 'a,b=c', 'a/b=c'),
    ],
)
def test_what_is_no_tag(
    command: Any, tag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    error = usage_error(command, f'x --tag {tag}', capsys)
    assert 'is not a tag' in ' '.join(error.split())


# -- what is refused before anything is sent -------------------------------

TAGS = ' '.join(f'--tag k{n}=v' for n in range(11))


@EACH
@pytest.mark.parametrize(
    ('line', 'words'),
    [
        (f'x {TAGS}', 'at most 10 tags'),
        ('x --tag a=b --tag c=d --tag a=e', "'a' is given more than once"),
        ('x --timeout 2h', '--timeout goes with --wait'),
    ],
)
def test_a_mistake_ends_it_before_any_request(
    command: Any, line: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in late_error(command, line, capsys)


@pytest.mark.parametrize(
    ('line', 'words'),
    [
        ('', 'give either <volume> or --server <server>'),
        ('a --server b', 'give either <volume> or --server <server>'),
        ('a b --snapshot s', '--snapshot goes with exactly one <volume>'),
        ('--snapshot s', 'give either <volume> or --server <server>'),
    ],
)
def test_volumes_a_server_and_a_snapshot(
    line: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in late_error(CreateVbsBackup, line, capsys)


@pytest.mark.parametrize('command', [*COMMANDS, CreateVbsShare])
def test_a_cloud_that_is_read_only(
    command: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('OS_VBSCLIENT_READ_ONLY', 'true')
    more = '--target-project p' if command is CreateVbsShare else ''
    with pytest.raises(exceptions.CommandError, match='read-only'):
        run(command, f'x {more}')


@EACH
@pytest.mark.parametrize(
    ('line', 'words'),
    [
        ('x --incremental --no-incremental', 'not allowed with argument'),
        ('x --descr y', 'unrecognized arguments: --descr'),
        ('x --yes', 'unrecognized arguments: --yes'),
        ('x --ignore-missing', 'unrecognized arguments: --ignore-missing'),
        ('x --name a --name b', 'argument --name: '),
    ],
)
def test_a_wrong_command_line(
    command: Any, line: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in usage_error(command, line, capsys)


@pytest.mark.parametrize('command', [*COMMANDS, CreateVbsShare])
def test_a_report_is_shown_anyway(
    command: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = command(None, None).get_parser('x')
    rest = ['x']
    rest += ['--target-project', 'p'] if command is CreateVbsShare else []
    for line in (rest, [*rest, '--report']):
        assert parser.parse_args(line).report is True
    assert '--report' not in parser.format_help()


# -- what is shown ----------------------------------------------------------


@pytest.mark.parametrize(
    ('command', 'own'),
    [
        (CreateVbsBackup, {'Volume': 'v-1', 'Volume Name': 'n', 'Job': 'j-1'}),
        (
            CreateCsbsBackup,
            {'Server': 'v-1', 'Server Name': 'n', 'Checkpoint': 'c-1'},
        ),
    ],
)
def test_a_row(command: Any, own: dict[str, str]) -> None:
    handle = Handle('b-1', 'j-1', 'c-1')
    target = Target(
        'v', 'backup', 'VBS', 'v-1', 'n', new_name='m', handle=handle
    )
    outcome = Outcome(target)
    outcome.succeed(Done('req-1', remark='its answer was lost'))
    [row] = Report(command.words, outcomes=[outcome]).rows()
    assert {c.title: c.value(row) for c in command.report_columns} == {
        'Type': 'backup',
        'ID': 'b-1',
        'Name': 'm',
        **own,
        'Source': 'VBS',
        'Result': 'accepted',
        'Detail': 'its answer was lost',
        'Requested At': None,
        'Finished At': None,
        'Request ID': 'req-1',
    }


@EACH
def test_a_row_of_what_was_not_found(command: Any) -> None:
    outcome = Outcome(Target('typo', 'backup', 'VBS'))
    [row] = Report(command.words, outcomes=[outcome]).rows()
    cells = {c.title: c.value(row) for c in command.report_columns}
    # Nothing that was named is called the ID of what was made.
    assert (cells['ID'], cells['Name']) == (None, None)
    assert 'typo' in cells.values()


@EACH
def test_in_a_table_things_are_called_by_their_names(command: Any) -> None:
    labels = [c.label for c in command.report_columns if c.label]
    for name, shown in (('n', 'n'), (None, 'typo')):
        target = Target('typo', 'backup', 'VBS', name=name)
        row: Any = SimpleNamespace(target=target)
        assert [label(row) for label in labels] == [shown]
