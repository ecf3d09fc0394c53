# SPDX-License-Identifier: Apache-2.0
"""The options and arguments of all commands that change something."""

from __future__ import annotations

import argparse
import re
from typing import Any, TextIO

from osc_lib import exceptions

from vbsclient.api.paths import is_uuid
from vbsclient.api.values import canonical_id
from vbsclient.osc.command.parser import RequiredTargets
from vbsclient.osc.command.times import parse_timeout
from vbsclient.osc.output.progress import Progress, mode_of
from vbsclient.osc.output.text import visible
from vbsclient.waiting import Patience

_MOST_CONCURRENCY = 64

_RATE = re.compile(r'[0-9]{1,6}(?:\.[0-9]{1,3})?', re.ASCII)
#: How a byte order mark reads: in its own encoding, in Latin-1 and in ASCII.
_UTF_8 = ('\ufeff', '\xef\xbb\xbf', '\udcef\udcbb\udcbf')
_UTF_16 = ('\udcff\udcfe', '\udcfe\udcff', '\xff\xfe', '\xfe\xff')


def add_named(
    parser: argparse.ArgumentParser,
    kind: str,
    verb: str,
    named: str = 'name or ID',
    *,
    nargs: str = '+',
    **how: Any,
) -> None:
    """Add what a command is about, also from standard input.

    :param kind: what is named.
    :param verb: what is done with it.
    :param named: how it can be named.
    :param how: what argparse is told besides.
    """
    parser.add_argument(
        'targets',
        metavar=f'<{kind}>',
        nargs=nargs,
        help=(
            f'{kind.capitalize()} to {verb} ({named}); "-" reads IDs from the '
            f'standard input, one a line'
        ),
        **how,
    )


def add_targets(
    parser: argparse.ArgumentParser, noun: str, named: str, by_rules: str
) -> None:
    """Add what is to be deleted.

    :param noun: as commands have it, such as ``vbs backup``.
    :param named: how it can be named.
    :param by_rules: the command that deletes by rules.
    """
    add_named(
        parser,
        noun.split()[-1],
        'delete',
        named,
        action=RequiredTargets,
        otherwise=(
            f'"{by_rules}" deletes by rules, and {from_a_list(noun)} deletes '
            f'what a list shows'
        ),
    )


def from_a_list(noun: str) -> str:
    """The command that deletes what a list shows."""
    return (
        f'"openstack {noun} list ... -f value -c ID | openstack {noun} '
        f'delete -"'
    )


def add_delete_options(parser: argparse.ArgumentParser, *, asks: bool) -> None:
    """Add what a deletion of named targets has beside other changes.

    :param asks: whether there may be a question.
    """
    parser.add_argument(
        '--ignore-missing',
        action='store_true',
        help='Do not fail if a resource does not exist',
    )
    if asks:
        add_yes(parser)


def add_yes(parser: argparse.ArgumentParser) -> None:
    """Add the answer to a question."""
    parser.add_argument(
        '--yes',
        action='store_true',
        help='Do not prompt for confirmation; required without a terminal',
    )


def add_run_options(
    parser: argparse.ArgumentParser, dry_run: str, *, always_reports: bool
) -> None:
    """Add the options of every change.

    :param dry_run: what a dry run shows.
    :param always_reports: whether there is a row for each target anyway.
    """
    parser.add_argument('--dry-run', action='store_true', help=dry_run)
    parser.add_argument(
        '--report',
        action='store_true',
        default=always_reports,
        # Whoever types it by habit gets what is shown anyway.
        help=argparse.SUPPRESS
        if always_reports
        else 'Show a row for each target afterwards (implied by -f and -c)',
    )
    parser.add_argument(
        '--journal',
        metavar='<file>',
        type=_journal,
        help='Append a JSON line to this file before and after every change',
    )
    parser.add_argument(
        '--concurrency',
        metavar='<n>',
        type=_concurrency,
        default=10,
        help=(
            f'Maximum number of concurrent requests, 1 to '
            f'{_MOST_CONCURRENCY} (default: 10). The backup worker of a plain '
            f'Cinder may lose deletions when hundreds come at once: use '
            f'--rate there'
        ),
    )
    parser.add_argument(
        '--rate',
        metavar='<n>/<unit>',
        type=_rate,
        help=(
            'Send no more than so many changes in a second, minute or hour, '
            'such as 5/s or 100/min; default: no limit'
        ),
    )


def add_progress(parser: argparse.ArgumentParser) -> None:
    """Add how progress is shown."""
    parser.add_argument(
        '--progress',
        choices=('auto', 'plain', 'none'),
        default='auto',
        help=(
            'Progress on standard error: auto (default) is a line that is '
            'redrawn, only on a terminal; plain is a line now and then, also '
            'in a log file; none is nothing, as with -q'
        ),
    )


def progress_of(app: Any, parsed_args: argparse.Namespace) -> Progress:
    """Shows progress as that says."""
    mode = mode_of(parsed_args.progress, app.stderr, app.options.verbose_level)
    return Progress(app.stderr, mode)


def add_wait_options(
    parser: argparse.ArgumentParser, *, idle: float, until: str
) -> None:
    """Add the options of a change that goes on in the service.

    :param idle: seconds without a change that end a wait.
    :param until: what is waited for.
    """
    parser.add_argument(
        '--wait', action='store_true', help=f'Wait until {until}'
    )
    parser.add_argument(
        '--timeout',
        metavar='<duration>',
        type=parse_timeout,
        help=(
            f'With --wait: the longest wait in all, such as 30m or 90 '
            f'(seconds); default: until nothing has changed for '
            f'{idle / 60:.0f} minutes'
        ),
    )


def patience_of(parsed_args: argparse.Namespace, idle: float) -> Patience:
    """How long a wait may last.

    :param idle: seconds without a change that end it.
    """
    timeout = parsed_args.timeout
    return Patience(
        timeout=timeout.total_seconds() if timeout else None, idle=idle
    )


def check_timeout(
    parser: argparse.ArgumentParser, parsed_args: argparse.Namespace
) -> None:
    """End with a usage error where a timeout limits nothing.

    What is saved first is always waited for.
    """
    waits = parsed_args.wait or getattr(parsed_args, 'backup_first', False)
    if parsed_args.timeout is not None and not waits:
        parser.error('--timeout goes with --wait')


def ids_on(stdin: TextIO | None, stderr: TextIO | None = None) -> list[str]:
    """The ids on standard input, one a line.

    Blank lines are skipped, and those that begin with ``#``.

    :param stderr: where a person who has to type them is told so.
    :raises CommandError: if a line is no id; nothing is sent then.
    """
    if stdin is None:
        raise exceptions.CommandError(
            'The standard input is closed, so that "-" names nothing. '
            'Nothing was sent.'
        )
    if stderr is not None and stdin.isatty():
        stderr.write('Enter IDs, one a line; end with Ctrl-D.\n')
        stderr.flush()
    try:
        lines = [line.strip() for line in stdin]
    except UnicodeDecodeError as error:
        wide = error.object.startswith((b'\xff\xfe', b'\xfe\xff'))
        raise _no_text(wide) from error
    if lines:
        # PowerShell and Notepad put a byte order mark before UTF-8.
        for mark in _UTF_8:
            lines[0] = lines[0].removeprefix(mark).strip()
        if lines[0].startswith(_UTF_16) or '\0' in lines[0]:
            raise _no_text(wide=True)
    ids = []
    for number, line in enumerate(lines, 1):
        if not line or line.startswith('#'):
            continue
        if not is_uuid(line):
            raise exceptions.CommandError(
                f'Line {number} of the standard input is not an ID: '
                f"'{visible(line[:60])}'. Nothing was sent."
            )
        ids.append(canonical_id(line))
    return ids


def _no_text(wide: bool) -> exceptions.CommandError:
    """The complaint about a standard input that cannot be read.

    :param wide: whether it is UTF-16, as PowerShell redirects.
    """
    if wide:
        return exceptions.CommandError(
            'The standard input is UTF-16: save it as UTF-8, or in '
            'PowerShell write it with "Out-File -Encoding utf8". Nothing was '
            'sent.'
        )
    return exceptions.CommandError(
        'The standard input is not text. Nothing was sent.'
    )


def _journal(text: str) -> str:
    if text == '-':
        raise argparse.ArgumentTypeError(
            'the journal is a file, and not the standard output: give its '
            'path (./- for a file of this name)'
        )
    return text


def _rate(text: str) -> float:
    """How many in a second."""
    number, _, unit = text.strip().partition('/')
    seconds = {'s': 1, 'min': 60, 'h': 3600}.get(unit)
    if seconds is None or not _RATE.fullmatch(number) or not float(number):
        raise argparse.ArgumentTypeError(
            f'{text!r} is not a rate such as 5/s, 100/min or 1000/h'
        )
    return float(number) / seconds


def _concurrency(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= number <= _MOST_CONCURRENCY:
        raise argparse.ArgumentTypeError(
            f'{text!r} is not a number from 1 to {_MOST_CONCURRENCY}'
        )
    return number
