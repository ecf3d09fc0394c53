# SPDX-License-Identifier: Apache-2.0
"""Asking before more goes than was named one by one."""

from __future__ import annotations

import os
import termios
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TextIO

from osc_lib import exceptions

from vbsclient.change.targets import Target
from vbsclient.osc.output.layout import terminal_width, wrapped
from vbsclient.osc.output.messages import label as label_of
from vbsclient.osc.output.text import sentence, shortened

#: Where somebody can be asked whose standard input carries IDs.
TERMINAL = Path('/dev/tty')

#: For a log file: it cannot be shown elsewhere.
_UNSEEN = (
    'Standard error is closed, so that no question can be asked: add --yes.'
)


def ask(
    targets: Sequence[Target],
    refused: Sequence[Target],
    noun: str,
    question: str,
    *,
    stdin: TextIO | None,
    stderr: TextIO | None,
    is_free: bool,
) -> None:
    """List what would go with these targets, and ask.

    :param targets: all that will be sent.
    :param refused: those that will not.
    :param noun: what was named.
    :param stdin: where the answer comes from; None if it is closed.
    :param is_free: whether standard input is free for an answer; else the
        controlling terminal is asked.
    :raises CommandError: if the answer is no, or nobody can answer.
    """
    lines = []
    for target in targets:
        lines.append(f'{noun.capitalize()} {label_of(target)} has:')
        lines += [f'  {shortened(one)}' for one in target.members]
    for target in refused:
        lines.append(f'{noun.capitalize()} {label_of(target)} is refused.')
    unanswered = (
        'This would delete more than is named, as listed above: add --yes. '
        'Nothing was deleted.'
    )
    with ExitStack() as terminal:
        if not is_free:
            stdin = None
            with suppress(OSError):
                answers = terminal.enter_context(TERMINAL.open())
                # Whoever reads there in the background is stopped.
                if os.tcgetpgrp(answers.fileno()) == os.getpgrp():
                    stderr = terminal.enter_context(TERMINAL.open('w'))
                    stdin = answers
        if stderr is None:
            raise exceptions.CommandError(f'{_UNSEEN} Nothing was deleted.')
        width = terminal_width(stderr)
        for line in lines:
            stderr.write(f'{wrapped(line, width)}\n')
        confirm(
            question,
            unanswered,
            stdin=stdin,
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
    declined: str = 'Nothing was deleted.',
) -> None:
    """Ask for a yes.

    :param declined: what to say after a no.
    :param unanswered: what to say where there is no terminal.
    :param stdin: where the answer comes from; None if it is not free.
    :raises CommandError: if the answer is no, or nobody can answer.
    """
    if stdin is None or not stdin.isatty():
        raise exceptions.CommandError(unanswered)
    if stderr is None:
        raise exceptions.CommandError(f'{_UNSEEN} {declined}')
    # What was typed before the question was shown is no answer to it.
    with suppress(OSError, ValueError, termios.error):
        termios.tcflush(stdin.fileno(), termios.TCIFLUSH)
    asked = wrapped(f'{question} [y/N]', terminal_width(stderr))
    stderr.write(f'{asked} ')
    stderr.flush()
    answer = ''
    try:
        answer = stdin.readline()
    finally:
        if not answer.endswith('\n'):
            # Ctrl-C and Ctrl-D leave the cursor behind the question.
            stderr.write('\n')
    if answer.strip().lower() not in ('y', 'yes'):
        raise exceptions.CommandError(declined)
