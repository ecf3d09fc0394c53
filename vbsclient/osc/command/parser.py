# SPDX-License-Identifier: Apache-2.0
"""The parser of all commands: strict, and with a help of its own form.

A mistake of the keyboard, of a word processor or of a web page must end in a
usage error.  It must never be taken for a name while the rest of the command
runs without the option that was meant.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from vbsclient.api.names import composed
from vbsclient.api.values import canonical_id
from vbsclient.osc.command.signals import ExitCode
from vbsclient.osc.output.text import visible

#: Words in Unicode's names of dashes, whatever category those have.
_DASHES = frozenset({'HYPHEN', 'DASH', 'MINUS'})

#: What the help says of each exit code.
_EXIT_CODES = {
    ExitCode.DONE: 'success',
    ExitCode.FAILED: 'failure',
    ExitCode.USAGE: 'wrong command line',
    ExitCode.UNFINISHED: 'no failure, but not finished in time',
    ExitCode.INTERRUPTED: 'interrupted by Ctrl-C',
    ExitCode.TERMINATED: 'terminated by SIGTERM',
}

_DOCUMENTATION = (
    'Documentation: "Scripting" and "Messages" in the manual of '
    'python-vbsclient (doc/source/user in its source code).'
)


class _Paragraphs(argparse.HelpFormatter):
    """Fills each paragraph of a description by itself.

    No line ends within an option: ``--keep-`` and ``weekly`` on two lines
    could not be copied or searched for.
    """

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return '\n\n'.join(
            textwrap.fill(
                ' '.join(paragraph.split()),
                width,
                initial_indent=indent,
                subsequent_indent=indent,
                break_on_hyphens=False,
            )
            for paragraph in text.split('\n\n')
        )

    def _format_usage(self, *args: Any) -> str:
        """The usage, whose lines start further left if they are too long.

        argparse puts them behind the name of the command.
        """
        text = super()._format_usage(*args)
        first, *rest = text.splitlines(keepends=True)
        if all(len(line.rstrip()) <= self._width for line in rest):
            return text
        return first + ''.join(
            f'{" " * 8}{line.lstrip(" ")}' if line.strip() else line
            for line in rest
        )

    def _split_lines(self, text: str, width: int) -> list[str]:
        return [
            part
            for line in text.splitlines()
            for part in textwrap.wrap(line, width, break_on_hyphens=False)
        ]


class _Strict(argparse.ArgumentParser):
    """Refuses dashes that are not hyphens, and options given twice."""

    #: The options of this command line so far.
    given: set[str]

    #: The groups of options that cliff adds to every command.
    formatter_groups: list[argparse._ArgumentGroup]

    def error(self, message: str) -> NoReturn:
        if message.startswith('the following arguments are required'):
            for action in self._get_positional_actions():
                if isinstance(action, RequiredTargets):
                    message = f'{message}. {action.otherwise}'
        super().error(message)

    def format_usage(self) -> str:
        self._put_formatters_last()
        return super().format_usage()

    def format_help(self) -> str:
        self._put_formatters_last()
        return super().format_help()

    def _get_optional_actions(self) -> list[argparse.Action]:
        # The pages of the manual take their order from here.
        self._put_formatters_last()
        return super()._get_optional_actions()

    def _put_formatters_last(self) -> None:
        """Sort the help: groups of the command, its options, cliff's.

        Not before it is needed: subclasses add options when this is made.
        """
        rest = [self._positionals, self._optionals, *self.formatter_groups]
        own = [group for group in self._action_groups if group not in rest]
        self._action_groups[:] = own + rest
        places: dict[argparse.Action, int] = {}
        for group in self._action_groups:
            for action in group._group_actions:
                places[action] = len(places)
        self._actions.sort(key=lambda one: places.get(one, len(places)))

    def parse_known_args(  # type: ignore[override]
        self,
        args: Sequence[str] | None = None,
        namespace: Any = None,
    ) -> tuple[Any, list[str]]:
        arguments = sys.argv[1:] if args is None else list(args)
        for argument in arguments:
            self._refuse_false_dash(argument)
        self.given = set()
        parsed, rest = super().parse_known_args(arguments, namespace)
        if '--' not in arguments:
            for action in self._get_positional_actions():
                value = getattr(parsed, action.dest, None) or ()
                for word in [value] if isinstance(value, str) else value:
                    self._refuse_option(word)
        return parsed, rest

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        """The value, in one form if it is text: NFC, ids in lower case.

        What can only be a name keeps its case, even if it looks like an id.
        """
        value = super()._get_value(action, arg_string)
        if action.type is not None or action.choices is not None:
            return value
        if action.dest in ('name', 'name_contains'):
            return composed(value)
        return canonical_id(composed(value))

    def _refuse_false_dash(self, argument: str) -> None:
        meant = argument.lstrip('-')
        while meant and (_is_dash(meant[0]) or _is_invisible(meant[0])):
            meant = meant[1:]
        start = argument[: len(argument) - len(meant)]
        false = [char for char in start if char != '-']
        if not any(map(_is_dash, start)) or not false:
            return
        dashes = '-' if len(meant) < 2 else '--'
        name = unicodedata.name(false[0], 'a control character')
        self.error(
            f"'{visible(argument[:60])}' starts with U+{ord(false[0]):04X} "
            f'({name}), which is not the hyphen of an option: write '
            f"'{dashes}{visible(meant[:60])}'. If a name really starts with "
            f'it, give the ID instead, or write --option=value. Nothing was '
            f'sent.'
        )

    def _refuse_option(self, word: str) -> None:
        if word.startswith('-') and word != '-':
            self.error(
                f"'{visible(word[:60])}' is not an option of this command; "
                f"if it is a name, write it after '--'. Nothing was sent."
            )


class _Once(argparse._StoreAction):
    """Stores a value, and refuses a second one."""

    def __call__(
        self,
        parser: Any,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        if option_string is not None:
            if self.dest in parser.given:
                raise argparse.ArgumentError(self, 'given more than once')
            parser.given.add(self.dest)
        super().__call__(parser, namespace, values, option_string)


class RequiredTargets(_Once):
    """Arguments of which one must be given.

    :param otherwise: what to say where none is.
    """

    def __init__(self, *args: Any, otherwise: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.otherwise = otherwise


def make_strict(
    parser: argparse.ArgumentParser, codes: Iterable[ExitCode]
) -> None:
    """Refuse mistakes, and give the help its form.

    To be called before the command adds its options.

    :param codes: the exit codes of the command, for its help.
    """
    bases: Any = (_Paragraphs, parser.formatter_class)
    formatter: Any = type('ParagraphFormatter', bases, {})
    parser.formatter_class = formatter
    bases = (_Strict, type(parser))
    parser.__class__ = type(
        'StrictParser', bases, {'formatter_groups': parser._action_groups[2:]}
    )
    told = ', '.join(f'{code:d} {_EXIT_CODES[code]}' for code in codes)
    parts = f'Exit codes: {told}.', _DOCUMENTATION, parser.epilog or ''
    parser.epilog = '\n\n'.join(part.strip() for part in parts)
    for name in (None, 'store'):
        parser.register('action', name, _Once)


def refuse_short_words(
    parser: argparse.ArgumentParser, app: Any, typed: str | None
) -> None:
    """End with a usage error where words of the command are abbreviated.

    ``c b d`` is one key away from ``c b p``, and another plugin may give it
    another meaning tomorrow.

    :param typed: the words of the command as they were typed.
    """
    manager = getattr(app, 'command_manager', None)
    known = getattr(manager, 'commands', None)
    if not typed or not known or typed in known:
        return
    words = typed.split()
    meant = [
        name
        for name in known
        if len(name.split()) == len(words)
        and all(map(str.startswith, name.split(), words))
    ]
    if meant:
        parser.error(
            f"write the command in full: '{meant[0]}'. A command that "
            f'changes something takes no abbreviation. Nothing was sent.'
        )


def _is_dash(char: str) -> bool:
    words = unicodedata.name(char, '').split()
    return unicodedata.category(char) == 'Pd' or not _DASHES.isdisjoint(words)


def _is_invisible(char: str) -> bool:
    return unicodedata.category(char)[0] in 'ZC'
