# SPDX-License-Identifier: Apache-2.0
"""A mistake in a command line is a usage error, and never a name."""

import argparse
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vbsclient.osc.command.parser import (
    RequiredTargets,
    make_strict,
    refuse_short_words,
)
from vbsclient.osc.command.signals import ExitCode

ID = 'dc1e2c1b-0000-4000-8000-00000000abcd'

#: Those of the design, and neighbors: other dashes, and blanks that a web
#: page or a chat puts before a real one.
DASHES = (
    '\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d\u2e3a\ufe58'
    '\u2043\u02d7'
)
UNSEEN = '\xa0\u200b\u2060\ufeff\u2009 \t'


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog='x', allow_abbrev=False)
    made.add_argument_group('formatters').add_argument('--width')
    make_strict(made, [ExitCode.DONE, ExitCode.FAILED])
    group = made.add_mutually_exclusive_group()
    made.add_argument('words', nargs='*')
    made.add_argument('--dry-run', action='store_true')
    group.add_argument('--name')
    made.add_argument('--number', type=int, default=10)
    made.add_argument('--status', action='append')
    return made


def refusal(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(list(args))
    assert ended.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    'dash', [*DASHES, '-\u2013', *(f'{u}--' for u in UNSEEN)]
)
@pytest.mark.parametrize('place', [0, 1, 2])
def test_a_dash_that_is_not_a_hyphen_stops_the_command(
    capsys: pytest.CaptureFixture[str], dash: str, place: int
) -> None:
    args = ['a', 'b']
    args.insert(place, f'{dash}dry-run')
    told = refusal(capsys, *args)
    assert "write '--dry-run'" in told
    assert 'Nothing was sent' in told


@pytest.mark.parametrize(
    ('args', 'meant'),
    [
        (['\u2013'], "write '-'"),
        (['\u2013f', 'json'], "write '-f'"),
        (['\u2013\u2013dry-run'], "write '--dry-run'"),
        (['--name', '\u2013dry-run'], "write '--dry-run'"),
        (['--', '\u2013dry-run'], "write '--dry-run'"),
    ],
)
def test_wherever_it_stands(
    capsys: pytest.CaptureFixture[str], args: list[str], meant: str
) -> None:
    assert meant in refusal(capsys, *args)


@pytest.mark.parametrize('word', ['--dry-run a', '-1', '-x y', '-1.5'])
def test_what_starts_with_a_hyphen_is_not_a_name(
    capsys: pytest.CaptureFixture[str], word: str
) -> None:
    refusal(capsys, 'a', word)
    assert parser().parse_args(['--', word]).words == [word]


@pytest.mark.parametrize(
    'word', ['-', 'a\u2013b', 'nightly \u2014 1', '+', '_\u2013', '']
)
def test_a_dash_within_a_name_is_part_of_it(word: str) -> None:
    assert parser().parse_args([word]).words == [word]
    assert parser().parse_args([f'--name={word}']).name == word


def test_a_value_after_an_equals_sign_may_start_with_a_dash() -> None:
    assert parser().parse_args(['--name=\u2013x']).name == '\u2013x'


@given(st.sampled_from(DASHES), st.text(max_size=20))
def test_no_such_argument_is_ever_taken(dash: str, text: str) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(['a', dash + text])


@pytest.mark.parametrize(
    'args',
    [
        ['--name', 'a', '--name', 'b'],
        ['--name=a', '--name=a'],
        ['--number', '10', '--number', '3'],
        ['--number', '3', '--number', '10'],
    ],
)
def test_an_option_with_one_value_is_not_given_twice(
    capsys: pytest.CaptureFixture[str], args: list[str]
) -> None:
    assert 'given more than once' in refusal(capsys, *args)


def test_others_are_a_union_and_flags_may_be_repeated() -> None:
    args = ['--status', 'a', '--status', 'b', '--dry-run', '--dry-run']
    parsed = parser().parse_args(args)
    assert parsed.status == ['a', 'b']
    assert parsed.dry_run


def test_a_parser_can_be_used_twice() -> None:
    made = parser()
    for _ in range(2):
        assert made.parse_args(['--name', 'a']).name == 'a'


@given(st.uuids(), st.randoms())
def test_any_case_of_an_id_is_the_same_id(id: Any, random: Any) -> None:
    typed = ''.join(random.choice([c, c.upper()]) for c in str(id))
    assert parser().parse_args([typed]).words == [str(id)]


def test_a_name_keeps_its_case() -> None:
    args = ['--name', ID.upper(), '--status', ID.upper()]
    parsed = parser().parse_args(args)
    assert (parsed.name, parsed.status) == (ID.upper(), [ID])


@pytest.mark.parametrize(
    ('typed', 'meant'),
    [
        ('Mu\u0308ller', 'M\xfcller'),
        ('DEADBEEF', 'DEADBEEF'),
        (f'{ID} '.upper(), f'{ID} '.upper()),
        ('A' * 32, 'a' * 32),
        ('A' * 33, 'A' * 33),
    ],
)
def test_names_are_composed_and_only_ids_change_their_case(
    typed: str, meant: str
) -> None:
    assert parser().parse_args([typed]).words == [meant]


def app(*names: str) -> Any:
    commands = dict.fromkeys(names)
    return SimpleNamespace(command_manager=SimpleNamespace(commands=commands))


@pytest.mark.parametrize('typed', ['vbs b d', 'v backup delete', 'vbs b del'])
def test_words_are_spelled_out(
    capsys: pytest.CaptureFixture[str], typed: str
) -> None:
    known = app('vbs backup delete', 'vbs backup list', 'vbs quota show')
    with pytest.raises(SystemExit) as ended:
        refuse_short_words(parser(), known, typed)
    assert ended.value.code == 2
    assert "'vbs backup delete'" in capsys.readouterr().err


@pytest.mark.parametrize('typed', ['vbs backup delete', None, ''])
def test_whole_words_pass(typed: str | None) -> None:
    refuse_short_words(parser(), app('vbs backup delete'), typed)
    refuse_short_words(parser(), None, typed)


def places(text: str, *words: str) -> list[int]:
    return [text.index(word) for word in words]


def test_the_options_of_the_command_come_first_in_its_help() -> None:
    made = parser()
    made.add_argument_group('rules').add_argument('--keep')
    for _ in range(2):
        shown = made.format_help()
        headings = places(
            shown,
            '\nrules:',
            '\npositional arg',
            '\noptions:',
            '\nformatters:',
        )
        assert headings == sorted(headings)
        options = places(made.format_usage(), '--keep', '--name', '--width')
        assert options == sorted(options)
        assert made._get_optional_actions()[0].dest == 'keep'
    assert made.parse_args(['a', 'c', '--keep', 'b']).words == ['a', 'c']


def test_the_help_ends_with_exit_codes_and_documentation() -> None:
    made = argparse.ArgumentParser(epilog='\n\nPlugin.')
    make_strict(made, [ExitCode.DONE, ExitCode.USAGE])
    *_, codes, documentation, last = made.format_help().split('\n\n')
    assert codes == 'Exit codes: 0 success, 2 wrong command line.'
    assert documentation.startswith('Documentation: "Scripting"')
    assert last == 'Plugin.\n'


def test_a_missing_target_is_told_with_what_to_do_instead(
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = argparse.ArgumentParser(prog='x')
    make_strict(made, [])
    made.add_argument(
        'words', nargs='+', action=RequiredTargets, otherwise='Or prune'
    )
    for args, told in (
        (
            [],
            'x: error: the following arguments are required: words. Or prune',
        ),
        (['a', '--b'], 'x: error: unrecognized arguments: --b'),
    ):
        with pytest.raises(SystemExit) as ended:
            made.parse_args(args)
        assert ended.value.code == 2
        assert capsys.readouterr().err.splitlines()[-1] == told
    assert made.parse_args(['a', 'b']).words == ['a', 'b']
