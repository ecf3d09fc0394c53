# SPDX-License-Identifier: Apache-2.0
"""Any text can be written to any output of a command."""

import io
import logging
from argparse import Namespace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vbsclient.osc.output.encoding import escapes_output

ENCODINGS = ('ascii', 'cp1252', 'latin-1', 'cp932', 'utf-8', 'utf-16')


def stream(encoding: str, errors: str = 'strict') -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BytesIO(), encoding=encoding, errors=errors, newline=''
    )


def text_of(output: io.TextIOWrapper) -> str:
    output.flush()
    raw = output.buffer.getvalue()  # type: ignore[attr-defined]
    return str(raw.decode(output.encoding, 'surrogatepass'))


class Command:
    """One that writes what it is given, to everything."""

    def __init__(
        self, stdout: Any, stderr: Any = None, *, interactive: bool = False
    ) -> None:
        self.app = SimpleNamespace(
            options=SimpleNamespace(verbose_level=1),
            stdout=stdout,
            stderr=stderr,
            interactive_mode=interactive,
        )

    @escapes_output
    def run(self, parsed_args: Namespace) -> int:
        """Write."""
        for output in (self.app.stdout, self.app.stderr):
            if output is not None:
                output.write(parsed_args.text)
        return 5


@given(st.text(st.characters(codec=None)), st.sampled_from(ENCODINGS))
def test_it_is_written_and_loses_nothing(text: str, encoding: str) -> None:
    output = stream(encoding)
    assert Command(output).run(Namespace(text=text)) == 5
    written = text_of(output)
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        assert '\\' in written
    else:
        assert written == text


@pytest.mark.parametrize('errors', ['strict', 'surrogateescape'])
def test_half_characters_and_those_of_others(errors: str) -> None:
    output = stream('cp1252', errors)
    Command(output, output).run(Namespace(text='é日\ud800'))
    assert text_of(output) == 'é\\u65e5\\ud800' * 2


@pytest.mark.parametrize('errors', ['replace', 'ignore', 'namereplace'])
def test_a_choice_of_the_user_stays(errors: str) -> None:
    output = stream('ascii', errors)
    Command(output).run(Namespace(text='é'))
    assert text_of(output) == 'é'.encode('ascii', errors).decode()


@pytest.mark.parametrize('interactive', [True, False])
def test_nothing_stays_on_the_outputs_of_a_shell(interactive: bool) -> None:
    stdout, stderr = stream('ascii'), stream('ascii', 'backslashreplace')
    command = Command(stdout, stderr, interactive=interactive)
    command.run(Namespace(text='é'))
    assert stdout.errors == ('strict' if interactive else 'backslashreplace')
    assert stderr.errors == 'backslashreplace'


def test_a_log_file_gets_it_as_well(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / 'log'
    handler = logging.FileHandler(file, encoding='ascii')
    monkeypatch.setattr(logging.getLogger(), 'handlers', [handler])

    class Logging(Command):
        @escapes_output
        def run(self, parsed_args: Namespace) -> int:
            """Write into the log."""
            logging.getLogger().error('%s', parsed_args.text)
            return 0

    Logging(None).run(Namespace(text='日\ud800'))
    handler.close()
    assert file.read_text() == '\\u65e5\\ud800\n'


def test_what_is_no_file_is_left_as_it_is() -> None:
    output = io.StringIO()
    assert Command(output).run(Namespace(text='é')) == 5
    assert output.getvalue() == 'é'


def test_a_closed_output_is_left_as_it_is() -> None:
    output = stream('ascii')
    output.close()

    class Silent(Command):
        @escapes_output
        def run(self, parsed_args: Namespace) -> int:
            """Write nothing."""
            return 0

    assert Silent(output).run(Namespace()) == 0
