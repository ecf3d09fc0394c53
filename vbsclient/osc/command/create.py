# SPDX-License-Identifier: Apache-2.0
"""What the commands that create backups have in common."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from typing import ClassVar

from vbsclient.api.http import Limits
from vbsclient.creation.base import Wanted
from vbsclient.osc.command.change import Prepared
from vbsclient.osc.command.named import NamedCommand
from vbsclient.osc.output.text import visible

#: How many tags one backup may have.
_MOST_TAGS = 10

_NAME = re.compile('[0-9A-Za-z_-]+')
_TAG_KEY = re.compile('[0-9A-Za-z_-]{1,36}')
_TAG_VALUE = re.compile('[0-9A-Za-z_-]{0,43}')


#: The type of an option: what is wrong ends the command.
NameType = Callable[[str], str]


class CreateCommand(NamedCommand):
    """A command that creates one backup of each thing that it names.

    Nothing is asked: what is created can be deleted.
    """

    always_reports = True

    dry_run = 'Show what would be created or refused; create nothing'

    until = (
        'each backup is available; without it the command ends as soon as '
        'the service has accepted the requests'
    )

    #: What the service takes.
    longest_name: ClassVar[int]
    longest_description: ClassVar[int]

    def add_creation(
        self, parser: argparse.ArgumentParser, *, tags: str, force: str
    ) -> None:
        """Add the options that say what the backups are to be like.

        :param tags: what more the help of --tag says.
        :param force: what --force does.
        """
        parser.add_argument(
            '--name',
            metavar='<name>',
            type=checked_name(
                self.longest_name, 'auto', 'what policies create'
            ),
            help=(
                f'Name of each backup: up to {self.longest_name} letters, '
                f'digits, "_" and "-" (default: the name of what is saved, '
                f'and the time)'
            ),
        )
        parser.add_argument(
            '--description',
            metavar='<description>',
            type=checked_description(self.longest_description),
            help='Description of each backup',
        )
        kind = parser.add_mutually_exclusive_group()
        kind.add_argument(
            '--incremental',
            dest='incremental',
            action='store_true',
            default=None,
            help='Save what has changed since the backup before',
        )
        kind.add_argument(
            '--no-incremental',
            dest='incremental',
            action='store_false',
            default=None,
            help='Save everything',
        )
        parser.add_argument(
            '--tag',
            metavar='<key=value>',
            dest='tags',
            type=_tag,
            action='append',
            help=(
                f'Tag of each backup; repeat for several, {_MOST_TAGS} at '
                f'most{tags}'
            ),
        )
        parser.add_argument('--force', action='store_true', help=force)

    def prepare(
        self, parsed_args: argparse.Namespace, limits: Limits
    ) -> Prepared | None:
        # A mistake ends the command before anything is asked.
        self.wanted = self._wanted_of(parsed_args)
        return super().prepare(parsed_args, limits)

    def _wanted_of(self, parsed_args: argparse.Namespace) -> Wanted:
        """What the options say."""
        tags: Sequence[tuple[str, str]] = parsed_args.tags or ()
        if len(tags) > _MOST_TAGS:
            self._parser.error(f'a backup has at most {_MOST_TAGS} tags')
        keys = [key for key, _ in tags]
        for key in keys:
            if keys.count(key) > 1:
                self._parser.error(f'the tag {key!r} is given more than once')
        return Wanted(
            parsed_args.name,
            parsed_args.description,
            dict(tags),
            parsed_args.incremental,
            parsed_args.force,
        )


def checked_name(longest: int, reserved: str, why: str) -> NameType:
    """The type of an option with the name of something new.

    :param longest: how many characters the service takes.
    :param reserved: what no name may begin with; '' for nothing.
    :param why: for what it is reserved.
    """

    def check(text: str) -> str:
        if not _NAME.fullmatch(text) or len(text) > longest:
            raise argparse.ArgumentTypeError(
                f"'{visible(text[:80])}' is not a name that the service "
                f'takes: 1 to {longest} letters (A-Z, a-z), '
                f'digits, "_" and "-"'
            )
        if reserved and text.startswith(reserved):
            raise argparse.ArgumentTypeError(
                f"'{text}' begins with {reserved}, which is reserved for {why}"
            )
        return text

    return check


def checked_description(longest: int) -> NameType:
    """The type of an option with the description of something new."""

    def check(text: str) -> str:
        if len(text) > longest or set('<>') & set(text):
            raise argparse.ArgumentTypeError(
                f'a description has at most {longest} '
                f'characters, and neither "<" nor ">"'
            )
        return text

    return check


def _tag(text: str) -> tuple[str, str]:
    key, equals, value = text.partition('=')
    if (
        not equals
        or not _TAG_KEY.fullmatch(key)
        or not _TAG_VALUE.fullmatch(value)
    ):
        raise argparse.ArgumentTypeError(
            f"'{visible(text[:100])}' is not a tag: write it as key=value, "
            f'with letters (A-Z, a-z), digits, "_" and "-": 1 to 36 for the '
            f'key, up to 43 for the value'
        )
    return key, value
