# SPDX-License-Identifier: Apache-2.0
"""What the parsers of all our commands refuse.

A slip of the keyboard, of a word processor or of a web page must end in a
usage error.  It must never be taken for a name while the rest of the command
runs without the option that it was meant to be.
"""

from __future__ import annotations

import argparse
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from vbsclient.api.names import composed
from vbsclient.api.values import canonical_id
from vbsclient.osc.command.help import keep_paragraphs
from vbsclient.osc.output.text import visible

if TYPE_CHECKING:
    _Base = argparse.ArgumentParser
else:
    _Base = object

#: How Unicode calls what looks like one, whatever category that has.
_DASHES = frozenset({'HYPHEN', 'DASH', 'MINUS'})


class _Strict(_Base):
    """Takes no dash that is none, and nothing twice."""

    #: The options that this command line has given so far.
    given: set[str]

    def parse_known_args(  # type: ignore[override]
        self,
        args: Sequence[str] | None = None,
        namespace: Any = None,
    ) -> tuple[Any, list[str]]:
        """Parse, and refuse what only looks like an option."""
        arguments = sys.argv[1:] if args is None else list(args)
        for argument in arguments:
            self._refuse_false_dash(argument)
        self.given = set()
        parsed, rest = super().parse_known_args(arguments, namespace)
        if '--' not in arguments:
            for value in self._typed_words(parsed):
                self._refuse_option(value)
        return parsed, rest

    def _refuse_false_dash(self, argument: str) -> None:
        meant = argument.lstrip('-')
        while meant and (_is_dash(meant[0]) or _is_unseen(meant[0])):
            meant = meant[1:]
        start = argument[: len(argument) - len(meant)]
        false = [char for char in start if char != '-']
        if not any(map(_is_dash, start)) or not false:
            return
        dashes = '-' if len(meant) < 2 else '--'
        name = unicodedata.name(false[0], 'a control character')
        self.error(
            f"'{visible(argument[:60])}' begins with U+{ord(false[0]):04X} "
            f'({name}), which is no hyphen of an option: write '
            f"'{dashes}{visible(meant[:60])}'. If a name really begins so, "
            f'give the ID instead, or write --option=value. Nothing was sent.'
        )

    def _refuse_option(self, value: str) -> None:
        if value.startswith('-') and value != '-':
            self.error(
                f"'{visible(value[:60])}' is no option of this command; if "
                f"it is a name, write it after '--'. Nothing was sent."
            )

    def _typed_words(self, parsed: Any) -> Iterable[str]:
        for action in self._get_positional_actions():
            value = getattr(parsed, action.dest, None)
            yield from (
                value if isinstance(value, list) else filter(None, [value])
            )


class _Once(argparse.Action):
    """Stores a value in its one form, and refuses a second one."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Store it."""
        if option_string is not None and isinstance(parser, _Strict):
            if self.dest in parser.given:
                raise argparse.ArgumentError(
                    self, 'given more than once, and only one can count'
                )
            parser.given.add(self.dest)
        setattr(namespace, self.dest, _in_one_form(self, values))


class _Each(argparse._AppendAction):
    """Collects values, each in its one form."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Add one more."""
        values = _in_one_form(self, values)
        super().__call__(parser, namespace, values, option_string)


def _in_one_form(action: argparse.Action, values: Any) -> Any:
    """A text that nothing else converts: a name in NFC, an id in lower case.

    What is only ever a name keeps its case, even if it looks like an id.
    """
    if action.type is not None or action.choices is not None:
        return values
    if isinstance(values, list):
        return [_in_one_form(action, value) for value in values]
    if action.dest in ('name', 'name_contains'):
        return composed(values)
    return canonical_id(composed(values))


def make_strict(parser: argparse.ArgumentParser) -> None:
    """Refuse slips, and show the description as it is written.

    To be called before the command adds what it has.
    """
    keep_paragraphs(parser)
    bases: Any = (_Strict, type(parser))
    parser.__class__ = type('StrictParser', bases, {})
    for name, action in ((None, _Once), ('store', _Once), ('append', _Each)):
        parser.register('action', name, action)


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


def _is_unseen(char: str) -> bool:
    """Whether it is a blank, or nothing that a screen shows."""
    return unicodedata.category(char)[0] in 'ZC'
