# SPDX-License-Identifier: Apache-2.0
"""What a run did: as rows, as sentences, and as the groups of a Ctrl-C."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from vbsclient.api import errors
from vbsclient.bulk import State
from vbsclient.change.follow import Counts
from vbsclient.change.targets import NotSent, Outcome, Target
from vbsclient.osc.output import messages
from vbsclient.osc.output.columns import Column, Time
from vbsclient.osc.output.messages import Terms
from vbsclient.osc.output.text import sentence, shortened

#: The columns of a report, and where they go in a narrow table.
COLUMNS = (
    Column('Type', 'type', optional=1),
    Column('ID', 'id', below='Name'),
    Column('Name', 'name'),
    Column('Source', 'source', optional=1),
    Column('Result', 'result'),
    Column('Detail', 'detail', below='Result'),
    Column('Requested At', 'requested_at', Time, optional=1),
    Column('Finished At', 'finished_at', Time, optional=1),
    Column('Request ID', 'request_id', optional=1),
)


def columns_of(title: str) -> tuple[Column, Column]:
    """The columns of the resource that is named: its ID, and its name.

    What was not found is told by what was typed.
    """
    return (
        Column(
            title,
            lambda row: row.target.id or row.target.argument,
            label=lambda row: row.target.name or row.target.argument,
        ),
        Column(f'{title} Name', 'target.name', machine_only=True),
    )


def columns_with(
    *named: Column, handle: Sequence[Column] = ()
) -> tuple[Column, ...]:
    """The columns of a report whose rows are the result of a command.

    A short table has the rest for machines only.

    :param named: what is created, and of what.
    :param handle: by what it is followed.
    """
    return (
        Column('Type', 'type', machine_only=True),
        *named,
        Column('Source', 'source', machine_only=True),
        Column('Result', 'result'),
        Column('Detail', 'detail', below='Result'),
        *handle,
        Column('Requested At', 'requested_at', Time, machine_only=True),
        Column('Finished At', 'finished_at', Time, machine_only=True),
        Column('Request ID', 'request_id', machine_only=True),
    )


#: The columns of the backup that is created or restored.
BACKUP_COLUMNS = (Column('ID', 'id', below='Name'), Column('Name', 'name'))

#: What a dry run cannot tell.
NOT_PLANNED = frozenset(
    {'Requested At', 'Finished At', 'Request ID', 'Job', 'Checkpoint'}
)

#: From so many targets on, a summary follows their list.
_MANY = 20

_FAILED = (State.FAILED, State.REFUSED, State.MISSING)
_GOOD = (State.ACCEPTED, State.DONE, State.SKIPPED, State.UNCHANGED)


@dataclass(frozen=True)
class Row:
    """What became of one target, raw, as columns read it.

    :ivar id: of what was changed, or of what was created, once it is known;
        what was named, if nothing was found.
    :ivar target: for the columns of one kind of change.
    """

    type: str
    id: str | None
    name: str | None
    source: str
    result: str
    detail: str | None
    requested_at: str | None
    finished_at: str | None
    request_id: str | None
    target: Target


@dataclass
class Report:
    """What became of the targets of one command; right at every moment.

    :ivar named: what the user named, for as long as it is not looked up.
    :ivar stopped: why the run was stopped before its end.
    :ivar unfinished: what the wait has not seen reach its goal.
    """

    words: Terms
    dry_run: bool = False
    ignore_missing: bool = False
    named: Sequence[str] = ()
    outcomes: list[Outcome] = field(default_factory=list)
    stopped: errors.ClientError | None = None
    unfinished: list[Outcome] = field(default_factory=list)

    def rows(self) -> Iterator[Row]:
        """One row for each target."""
        for outcome in self.outcomes:
            target, result = outcome.target, outcome.result
            times = outcome.started_at, outcome.answered_at
            yield Row(
                target.type,
                *self.words.identity(target),
                target.source,
                self.result(outcome),
                self._detail(outcome),
                None if target.is_decided else _time(times[0]),
                _time(times[1]) if outcome.state is State.DONE else None,
                getattr(result or outcome.error, 'request_id', None),
                target,
            )

    def result(self, outcome: Outcome) -> str:
        """The word for an outcome."""
        state = outcome.state
        if state is State.DONE:
            return self.words.done
        if state is State.MISSING and not self.ignore_missing:
            return str(State.FAILED.value)
        if state is State.NOT_SENT and self.dry_run:
            expected = outcome.target.expected
            return 'refused' if expected else self.words.would
        return str(state.value)

    @property
    def failed(self) -> list[Outcome]:
        """The targets that make the command fail."""
        unfinished = set(self.unfinished)
        return [
            outcome
            for outcome in self.outcomes
            if outcome not in unfinished and self._is_failed(outcome)
        ]

    def _is_failed(self, outcome: Outcome) -> bool:
        state = outcome.state
        if state is State.NOT_SENT:
            return not self.dry_run or bool(outcome.target.expected)
        if state is State.MISSING:
            return not self.ignore_missing
        return state not in _GOOD

    def target_errors(self) -> Iterator[str]:
        """Why targets failed, as far as :attr:`stopped` does not say it."""
        told = [
            outcome
            for outcome in self.failed
            if not isinstance(outcome.error, NotSent | None)
            and not messages.is_told_by(outcome, self.stopped)
        ]
        return messages.failures(told, self.words, dry_run=self.dry_run)

    def open_questions(self) -> Iterator[str]:
        """What only a command can tell, which no row of a report has."""
        unknown = [
            outcome
            for outcome in self.failed
            if outcome.state is State.UNKNOWN
            and self.words.command_for(outcome)
        ]
        return messages.failures(unknown, self.words)

    def sending(self) -> str:
        """How far the requests are, what matters most first."""
        total = len(self.outcomes)
        answered = failed = 0
        for outcome in self.outcomes:
            answered += outcome.is_answered
            failed += outcome.state in _FAILED
        problems = f'{failed} failed, ' if failed else ''
        return (
            f'{self.words.doing.capitalize()}: {problems}{answered} of '
            f'{total} {self.words.several}'
        )

    def waiting(self, counts: Counts, spent: str) -> str:
        """How far the service is, what matters most first."""
        missing = sum(outcome.target.id is None for outcome in self.outcomes)
        total, failed = len(self.outcomes), counts.failed
        if self.ignore_missing:
            total -= missing
        else:
            failed += missing
        problems = 'no answer, ' if counts.unread else ''
        if failed:
            problems += f'{failed} failed, '
        return (
            f'Waiting: {problems}{counts.reached} of {total} '
            f'{self.words.done}, {counts.under_way} {self.words.doing}, '
            f'{counts.queued} queued, {spent} (Ctrl-C ends the wait)'
        )

    def interrupted(self) -> Iterator[str]:
        """What an interrupted run did, in groups with the ids."""
        groups = self._groups()
        if self.outcomes:
            yield 'Interrupted.'
        else:
            yield 'Interrupted before anything was sent.'
            if not self.named:
                return
            groups['not sent'] = [shortened(name) for name in self.named]
        for name in (self.words.done, 'unchanged'):
            # Only some changes, or a wait, know of any.
            if not groups[name]:
                del groups[name]
        for name, ids in groups.items():
            yield f'{name}: {len(ids)}'
            yield from (f'  {id}' for id in ids)
        if len(self.outcomes) >= _MANY:
            # The numbers have left the screen.
            counts = (
                f'{len(i)} {n.split(" (")[0]}' for n, i in groups.items()
            )
            yield f'Interrupted: {", ".join(counts)}.'

    def _groups(self) -> dict[str, list[str]]:
        """The targets by what is known of them, a line for each."""
        words = self.words
        states_of = {
            words.done: (State.DONE,),
            'unchanged': (State.UNCHANGED,),
            'accepted': (State.ACCEPTED,),
            'failed': _FAILED,
            f'unknown (sent, no answer: {words.unanswered})': (State.UNKNOWN,),
            'not sent': (State.NOT_SENT, State.SKIPPED),
        }
        groups: dict[str, list[str]] = {name: [] for name in states_of}
        for outcome in self.outcomes:
            # Once: what is under way may be answered at any time.
            state = outcome.state
            for name, states in states_of.items():
                if state in states:
                    groups[name].append(self._line(outcome, state))
        return groups

    def _line(self, outcome: Outcome, state: State) -> str:
        """One target of a group."""
        target = outcome.target
        line = messages.with_aspect(
            target, shortened(target.id or target.argument)
        )
        if state in _FAILED and outcome.error is not None:
            return f'{line}: {messages.reason(outcome)}'
        command = self.words.command_for(outcome)
        return f'{line}: {command}' if command else line

    def _detail(self, outcome: Outcome) -> str | None:
        if outcome.error is not None:
            return messages.reason(outcome)
        result, target = outcome.result, outcome.target
        if result is not None:
            unread = outcome.unread
            unread = unread and f'its status is unknown: {unread}'
            told = filter(
                None,
                [target.preceded, result.detail, result.remark, unread],
            )
            return '; '.join(told) or None
        if outcome.state is State.NOT_SENT and not self.dry_run:
            if self.stopped is not None:
                return sentence(self.stopped)
            return 'the run was interrupted before its turn'
        expected = [target.expected] if target.expected else []
        return '; '.join([*expected, *target.members, *target.notes]) or None


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec='milliseconds') if moment else None
