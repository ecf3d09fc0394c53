# SPDX-License-Identifier: Apache-2.0
"""The progress of a wait.

On a terminal a line that is redrawn, else log lines that ``-v`` shows.  rich
is imported only for the first.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from vbsclient.change.follow import Counts, OnProgress

LOG = logging.getLogger(__name__)


@contextmanager
def show_progress(
    stream: TextIO | None, noun: str, *, wanted: bool
) -> Iterator[OnProgress]:
    """What to call with the progress, while the block lasts.

    :param stream: standard error; None if it is closed.
    :param noun: what is deleted, in the plural.
    :param wanted: False for a wait that the user did not ask for.
    """
    if not wanted:
        yield _nothing
    elif stream is not None and stream.isatty():
        with _live_line(stream, noun) as on_progress:
            yield on_progress
    else:
        yield _log_lines(noun)


def describe(counts: Counts, noun: str) -> str:
    """The counts as text."""
    return (
        f'{noun}: {counts.queued} queued, {counts.deleting} deleting, '
        f'{counts.gone} gone, {counts.failed} failed'
    )


def _nothing(counts: Counts) -> None: ...


@contextmanager
def _live_line(stream: TextIO, noun: str) -> Iterator[OnProgress]:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn
    from rich.progress import TimeElapsedColumn as Elapsed

    console = Console(file=stream)
    with Progress(
        SpinnerColumn('dots' if _draws_dots(stream) else 'line'),
        TextColumn('{task.description}', markup=False),
        Elapsed(),
        console=console,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ) as progress:
        task = progress.add_task(f'Waiting for {noun}', total=None)

        def on_progress(counts: Counts) -> None:
            progress.update(task, description=describe(counts, noun))

        yield on_progress


def _draws_dots(stream: TextIO) -> bool:
    try:
        '\N{BRAILLE PATTERN DOTS-1234}'.encode(stream.encoding or 'ascii')
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def _log_lines(noun: str) -> OnProgress:
    started = time.monotonic()
    last: list[Counts] = []

    def on_progress(counts: Counts) -> None:
        if last != [counts]:
            last[:] = [counts]
            spent = time.monotonic() - started
            LOG.info('%s (%.0f s).', describe(counts, noun), spent)

    return on_progress
