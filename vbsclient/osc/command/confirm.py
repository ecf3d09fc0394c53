# SPDX-License-Identifier: Apache-2.0
"""Asking before more goes than was named one by one."""

from __future__ import annotations

import termios
from collections.abc import Sequence
from contextlib import suppress
from typing import TextIO

from osc_lib import exceptions

from vbsclient.change.targets import Target
from vbsclient.osc.output.text import sentence, shortened

#: For a log file: it cannot be shown elsewhere.
_UNSEEN = (
    'Standard error is closed, so that no question can be asked: add '
    '--yes. '
    'Nothing was deleted.'
)


def ask(
    targets: Sequence[Target],
    *,
    stdin: TextIO | None,
    stderr: TextIO | None,
    is_interactive: bool,
) -> None:
    """List what would go with these targets, and ask.

    :param targets: those with members beyond their own name.
    :param is_interactive: whether standard input is free for an answer.
    :raises CommandError: if the answer is no, or nobody can answer.
    """
    if stderr is None:
        raise exceptions.CommandError(_UNSEEN)
    for target in targets:
        several = len(target.members) > 1
        count = f' {len(target.members)} backups' if several else ''
        label = f'{target.type.capitalize()} {shortened(str(target.id))}'
        stderr.write(f'{label} holds{count}:\n')
        for member in target.members:
            stderr.write(f'  {shortened(member)}\n')
    confirm(
        'Delete all of it?',
        'This would delete more than is named, as listed above: '
        'add --yes. Nothing was deleted.',
        stdin=stdin if is_interactive else None,
        stderr=stderr,
    )


def refuse_changes(shown: Sequence[Target], now: Sequence[Target]) -> None:
    """Check that everything is still as it was when the question was asked.

    :param shown: what was found before the question.
    :param now: what is found after the answer.
    :raises CommandError: if something is different.
    """
    after = {target.argument: _facts(target) for target in now}
    for target in shown:
        before, later = _facts(target), after.get(target.argument, [])
        if before == later:
            continue
        changes = [f'no more: {fact}' for fact in before if fact not in later]
        changes += [f'new: {fact}' for fact in later if fact not in before]
        raise exceptions.CommandError(
            f'{target.type.capitalize()} {shortened(target.argument)} has '
            f'changed while the question was open ({"; ".join(changes)}). '
            'Nothing was deleted: run the command again.'
        )


def _facts(target: Target) -> list[str]:
    """What of a target the answer is about."""
    decided = [sentence(target.refusal)] if target.refusal else []
    decided += [target.settled] if target.settled else []
    return [shortened(fact) for fact in (*target.members, *decided)]


def confirm(
    question: str,
    unanswered: str,
    *,
    stdin: TextIO | None,
    stderr: TextIO | None,
) -> None:
    """Ask for a yes.

    :param unanswered: what to say where there is no terminal.
    :param stdin: where the answer comes from; None if it is not free.
    :raises CommandError: if the answer is no, or nobody can answer.
    """
    if stdin is None or not stdin.isatty():
        raise exceptions.CommandError(unanswered)
    if stderr is None:
        raise exceptions.CommandError(_UNSEEN)
    # What was typed before the question was shown is no answer to it.
    with suppress(OSError, ValueError, termios.error):
        termios.tcflush(stdin.fileno(), termios.TCIFLUSH)
    stderr.write(f'{question} [y/N] ')
    stderr.flush()
    answer = ''
    try:
        answer = stdin.readline()
    finally:
        if not answer.endswith('\n'):
            # Ctrl-C and Ctrl-D leave the cursor behind the question.
            stderr.write('\n')
    if answer.strip().lower() not in ('y', 'yes'):
        raise exceptions.CommandError('Nothing was deleted.')
