# SPDX-License-Identifier: Apache-2.0
"""What the commands have in common that delete by rule."""

from __future__ import annotations

import abc
import argparse
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any, ClassVar, TextIO

from cliff import utils
from osc_lib import exceptions

from vbsclient.api.client import ServiceClient
from vbsclient.bulk import Limits, State
from vbsclient.change.targets import Deletion, Target
from vbsclient.deletion.prune import (
    ConfirmedPlan,
    History,
    Prune,
    ensure_not_empty,
)
from vbsclient.lookup.refusals import SkippedError
from vbsclient.osc.command import retention_options
from vbsclient.osc.command.clock import refuse_wrong_clock
from vbsclient.osc.command.confirm import confirm
from vbsclient.osc.command.delete import DeleteCommand
from vbsclient.osc.command.filters import (
    refuse_empty,
    warn_of_unknown_statuses,
)
from vbsclient.osc.command.options import add_run_options
from vbsclient.osc.command.show import as_command_errors, printing
from vbsclient.osc.output.columns import Column, Megabytes, row_of
from vbsclient.osc.output.messages import skipped
from vbsclient.osc.output.prune_table import Layout, by_group, one_table
from vbsclient.osc.output.report import result_word
from vbsclient.osc.output.text import Text, shortened, visible
from vbsclient.retention import Candidate, Decision, Plan
from vbsclient.wording import counted, listed

#: No disk has more backups than this; the next one is refused.
_MOST_OF_A_DISK = 20


class PruneCommand(DeleteCommand):
    """A command that deletes what rules do not keep.

    It goes the way of the deletions that name their targets; only what
    they name comes from a plan.
    """

    #: What rules are judged over: (one, several).
    group: ClassVar[tuple[str, str]]

    #: The options that name what is meant, as attributes.
    narrowing: ClassVar[Sequence[str]]

    #: Makes of a size what a table shows.
    size: ClassVar[type[Text]]

    #: The same unit in MB.
    megabytes: ClassVar[int]

    #: Whether these backups have tags.
    tagged: ClassVar[bool] = False

    #: What one backup's size means.
    size_note: ClassVar[str]

    @abc.abstractmethod
    def add_selection(self, parser: argparse.ArgumentParser) -> None:
        """Add the options that the list has."""

    @abc.abstractmethod
    def make_history(
        self, parsed_args: argparse.Namespace, limits: Limits
    ) -> History[Any]:
        """The backups that were selected."""

    @abc.abstractmethod
    def clients(self) -> Sequence[ServiceClient]:
        """Those that the history was made of."""

    @abc.abstractmethod
    def is_vendor(self) -> bool:
        """Whether the service is the vendor's, with its limits and delays."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the rules and the selection."""
        retention_options.add_rules(parser, tags=self.tagged)
        self.add_selection(parser)
        parser.add_argument(
            f'--all-{self.group[1]}',
            dest='all_groups',
            action='store_true',
            help=(
                f'Go through all {self.group[1]}, where no other option says '
                f'which backups are meant'
            ),
        )
        parser.add_argument(
            '--include-error',
            action='store_true',
            help=(
                'Let backups go too whose status is error: no rule counts '
                'them, and without this option they are kept'
            ),
        )
        parser.add_argument(
            '--allow-empty',
            action='store_true',
            help=(
                f'Let the rules delete the newest backup of a '
                f'{self.group[0]}, and all of them'
            ),
        )

    def add_common_options(self, parser: argparse.ArgumentParser) -> None:
        """Add what fits where nothing is named."""
        parser.add_argument(
            '--dry-run',
            action='store_true',
            help=(
                'Show what would be kept and deleted, and why; send no DELETE'
            ),
        )
        parser.add_argument(
            '--yes',
            action='store_true',
            help='Do not ask before deleting; needed without a terminal',
        )
        add_run_options(parser)

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Refuse what is no rule before anything is asked."""
        parsed_args.ignore_missing = False
        # Before a default makes a table of it.
        self._is_unformatted = not (
            parsed_args.formatter
            or parsed_args.columns
            or parsed_args.sort_columns
            or parsed_args.report
        )
        self._for_machines = bool(
            parsed_args.report
            or parsed_args.columns
            or parsed_args.formatter not in (None, 'table')
        )
        self._plan: Plan | None = None
        self._agreed: ConfirmedPlan[Any] | None = None
        self._prune: Prune[Any] | None = None
        with self._human_stream():
            # A plan that nobody could read is not even made.
            pass
        self._check_selection(parsed_args)
        self._rule_set = retention_options.rule_set_of(parsed_args)
        if not (self._rule_set.rules or self._rule_set.older_than):
            self._parser.error(
                'no rule is given: say what to keep, for example '
                '--keep-daily 7 --keep-weekly 5, or --older-than 90d'
            )
        return super().run(parsed_args)

    def make_deletion(
        self, parsed_args: argparse.Namespace, limits: Limits
    ) -> Deletion[Any] | None:
        """Plan, show it, ask; None if nothing is to be deleted."""
        prune = self._prune = Prune(
            self.make_history(parsed_args, limits),
            self._rule_set,
            datetime.now(timezone.utc),
        )
        plan = self._plan = prune.plan()
        refuse_wrong_clock(self.clients())
        self._remark(retention_options.describe(self._rule_set))
        warn_of_unknown_statuses(parsed_args.conditions)
        self._warn_of_idle_rules(plan, parsed_args)
        if not plan.decisions:
            self._remark('No backup is selected: there is nothing to prune.')
            return None
        if parsed_args.dry_run:
            return None
        everything = not parsed_args.yes or self.app.options.verbose_level > 1
        told = plan.decisions if everything else plan.deleted
        self._show(plan, told, parsed_args)
        ensure_not_empty(plan)
        if not plan.deleted:
            kept = len(plan.kept)
            self._remark(
                f'All {kept} backups are kept.'
                if kept > 1
                else 'The only backup is kept.'
            )
            self._warn_of_full_disks(plan)
            return None
        if not parsed_args.yes:
            self._ask(plan)
        self._agreed = prune.look_again(plan)
        return self._agreed.deletion

    def targets_of(self, deletion: Deletion[Any]) -> list[Target[Any]]:
        """What was agreed to, and what has changed since."""
        return self._agreed.targets() if self._agreed else []

    def produce_output(
        self,
        parsed_args: argparse.Namespace,
        column_names: Sequence[str],
        data: Iterable[Sequence[Any]],
    ) -> int:
        """A plan at a terminal is for a person, unless it says otherwise."""
        plan = self._plan
        if (
            plan is not None
            and parsed_args.dry_run
            and self._is_unformatted
            and self.app.stdout.isatty()
        ):
            self._show(plan, plan.decisions, parsed_args)
            return 0
        return super().produce_output(parsed_args, column_names, data)

    def titles(self, parsed_args: argparse.Namespace) -> Sequence[str]:
        """Those of the plan, where it is all that there is."""
        if not parsed_args.dry_run:
            return super().titles(parsed_args)
        return [column.title for column in self._columns(parsed_args)]

    def _columns(self, parsed_args: argparse.Namespace) -> Sequence[Column]:
        return one_table(
            self.size, for_people=parsed_args.formatter == 'table'
        )

    def _rows(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], list[Sequence[Any]]]:
        if not parsed_args.dry_run:
            return super()._rows(parsed_args)
        columns = self._columns(parsed_args)
        decisions = self._plan.decisions if self._plan else ()
        return self.titles(parsed_args), [
            row_of(columns, decision, parsed_args) for decision in decisions
        ]

    def _verdict(self, parsed_args: argparse.Namespace) -> int:
        """Sum up, whatever comes after."""
        plan = self._plan
        if plan is not None and plan.decisions and parsed_args.dry_run:
            self._sum_up(self._dry_run_summary(plan))
            self._warn_of_full_disks(plan)
            with as_command_errors():
                ensure_not_empty(plan)
        elif plan is not None and self._agreed is not None:
            left = [
                o for o in self._outcomes if isinstance(o.error, SkippedError)
            ]
            for complaint in skipped(left, self.noun):
                self.log.warning('%s', complaint)
            self._warn_of_absent(plan)
            self._sum_up(self._summary(plan))
            self._warn_of_full_disks(plan)
        code = super()._verdict(parsed_args)
        doubt = self._prune.doubt if self._prune else None
        if doubt is not None:
            complaint = (
                f'Backups were kept because it is not known enough of them: '
                f'{shortened(doubt)}.'
            )
            raise exceptions.CommandError(complaint)
        return code

    # -- what is shown ---------------------------------------------------

    def _show(
        self,
        plan: Plan,
        decisions: Sequence[Decision],
        parsed_args: argparse.Namespace,
    ) -> None:
        """A table for each group."""
        formatter = self._formatter_plugins['table'].obj
        if formatter is None:
            return
        table = argparse.Namespace(
            **{**vars(parsed_args), 'formatter': 'table'}
        )
        with self._human_stream() as people:
            if people is None:
                return
            width = utils.terminal_width() if people.isatty() else None
            layout = Layout(decisions, self.size, width)
            for heading, rows in by_group(plan, decisions, self.group[0]):
                people.write(f'{heading}\n')
                formatter.emit_list(
                    layout.titles, layout.rows(rows, table), people, table
                )
                people.write('\n')

    @contextmanager
    def _human_stream(self) -> Iterator[TextIO | None]:
        """Where people read; None if they have closed it.

        That is standard error, if standard output is for a machine.
        """
        if self._for_machines:
            yield self.app.stderr
            return
        with printing(self.app):
            yield self.app.stdout

    def _say(self, text: str) -> None:
        with self._human_stream() as people:
            if people is not None:
                people.write(f'{visible(text)}\n')

    def _remark(self, text: str) -> None:
        """Say it, but for -q where nothing goes: a quiet night of cron."""
        goes = self._plan is not None and self._plan.deleted
        if goes or self.app.options.verbose_level:
            self._say(text)

    def _sum_up(self, text: str) -> None:
        """Say it, or go on to what is more urgent."""
        with self._complaining_last():
            self._say(text)

    def _ask(self, plan: Plan) -> None:
        count = counted(len(plan.deleted), 'backup')
        groups = len({d.backup.group for d in plan.deleted})
        confirm(
            f'Delete {count} of {counted(groups, *self.group)}?',
            f'This would delete {count}, as listed above: add --yes. '
            f'Nothing was deleted.',
            stdin=self.app.stdin,
            stderr=self.app.stderr,
        )

    def _dry_run_summary(self, plan: Plan) -> str:
        return (
            f'Would delete {len(plan.deleted)}, keep {len(plan.kept)}.'
            f'{self._nominal([d.backup for d in plan.deleted])}'
        )

    def _summary(self, plan: Plan) -> str:
        results = Counter(
            result_word(outcome, dry_run=False, ignore_missing=False)
            for outcome in self._outcomes
        )
        gone, accepted = results.pop('deleted', 0), results.pop('accepted', 0)
        skipped = results.pop('skipped', 0)
        open_ends = ''.join(
            f', {word}: {results.pop(word)}'
            for word in ('unknown', 'not sent')
            if word in results
        )
        done = {o.target.id for o in self._outcomes if o.state is State.DONE}
        going = f' ({accepted} still going on)' if accepted else ''
        deleted = [d.backup for d in plan.deleted if d.backup.id in done]
        absent = self._prune.absent if self._prune else {}
        gone_ids = {id for id, absence in absent.items() if absence.is_gone}
        kept = sum(d.backup.id not in gone_ids for d in plan.kept)
        return (
            f'Deleted: {gone + accepted}{going}, kept: {kept}, '
            f'skipped: {skipped}, failed: {results.total()}{open_ends}.'
            f'{self._nominal(deleted)}'
        )

    def _nominal(self, backups: Sequence[Candidate]) -> str:
        total = sum(backup.size or 0 for backup in backups) * self.megabytes
        if not backups:
            return ''
        delay = '; space follows within three days' if self.is_vendor() else ''
        return (
            f' Nominal size of what goes: {Megabytes(total).human_readable()} '
            f'({self.size_note}{delay}).'
        )

    def _warn_of_absent(self, plan: Plan) -> None:
        """Name what is not as the list shows it, so that it did not count."""
        absent = self._prune.absent if self._prune else {}
        for decision in plan.decisions if absent else ():
            backup = decision.backup
            if backup.id in absent:
                self.log.warning(
                    'Backup %s (%s) did not count: the list shows it, but %s.',
                    visible(backup.name or ''),
                    visible(backup.id),
                    absent[backup.id].reason,
                )

    def _warn_of_full_disks(self, plan: Plan) -> None:
        if not self.is_vendor():
            return
        kept = Counter(
            volume_id
            for decision in plan.kept
            for volume_id in decision.backup.volume_ids
        )
        full = [
            f'{visible(volume_id)} ({count})'
            for volume_id, count in sorted(kept.items())
            if count >= _MOST_OF_A_DISK
        ]
        if full:
            self.log.warning(
                'A disk can have %d backups; where so many are kept, the '
                'next one will be refused: %s.',
                _MOST_OF_A_DISK,
                listed(full),
            )

    def _warn_of_idle_rules(
        self, plan: Plan, parsed_args: argparse.Namespace
    ) -> None:
        """Say that a rule keeps nothing which names what it keeps.

        Its pattern may be misspelt.  Not through the log, which -q hides:
        what it should have kept is about to be deleted.
        """
        if not plan.decisions:
            return
        for option, what in retention_options.idle(self._rule_set, plan):
            text = (
                f"{option} '{shortened(what, 80)}' keeps nothing: no "
                f'selected backup has such a {option[7:]}.'
            )
            if not (parsed_args.yes or parsed_args.dry_run):
                # The question follows, to whoever reads this.
                self._say(text)
            elif self.app.stderr is not None:
                self.app.stderr.write(f'{text}\n')

    def _check_selection(self, parsed_args: argparse.Namespace) -> None:
        refuse_empty(self._parser, parsed_args)
        named = any(getattr(parsed_args, name) for name in self.narrowing)
        if not named and not parsed_args.all_groups:
            options = ', '.join(
                f'--{name.replace("_", "-")}' for name in self.narrowing
            )
            self._parser.error(
                f'say which backups are meant, with one of {options}, or add '
                f'--all-{self.group[1]}'
            )
