# SPDX-License-Identifier: Apache-2.0
"""What the commands that delete by rule have in common."""

from __future__ import annotations

import abc
import argparse
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import partial
from typing import Any, ClassVar, TextIO

from osc_lib import exceptions

from vbsclient.api.http import Limits
from vbsclient.bulk import State
from vbsclient.deletion import prune
from vbsclient.osc.command import filters, retention_options
from vbsclient.osc.command.change import ChangeCommand, Prepared
from vbsclient.osc.command.clients import place_of
from vbsclient.osc.command.clock import refuse_wrong_clock
from vbsclient.osc.command.confirm import confirm
from vbsclient.osc.command.options import add_yes
from vbsclient.osc.command.show import as_command_errors, printing
from vbsclient.osc.output import prune_table
from vbsclient.osc.output.columns import Column, requested_columns, row_of
from vbsclient.osc.output.layout import terminal_width, wrapped
from vbsclient.osc.output.messages import skipped
from vbsclient.osc.output.progress import reading
from vbsclient.osc.output.report import COLUMNS
from vbsclient.osc.output.text import shortened, visible
from vbsclient.retention import Plan
from vbsclient.wording import counted


class PruneCommand(ChangeCommand):
    """A command that deletes what rules do not keep.

    It deletes like the commands that name their targets; only the targets
    come from a plan.
    """

    dry_run = 'Show what would be kept and deleted, and why; send no DELETE'

    kind: ClassVar[prune_table.BackupKind]

    columns = (*COLUMNS, *prune_table.ALL_COLUMNS)

    #: The attributes of the options that say which backups are meant.
    narrowing: ClassVar[Sequence[str]]

    #: Whether these backups have tags.
    tagged: ClassVar[bool] = False

    #: What may be wrong if nothing is selected.
    hint: str | None = None

    @abc.abstractmethod
    def make_history(
        self, parsed_args: argparse.Namespace, limits: Limits
    ) -> prune.History:
        """The backups that the options select."""

    @property
    def shows_names(self) -> bool:
        """Whether anybody sees what the volumes or servers are called."""
        return self._is_told or self._wants_rows

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        group, groups = self.kind.group
        retention_options.add_rules(parser, tags=self.tagged)
        parser.add_argument(
            f'--all-{groups}',
            dest='all_groups',
            action='store_true',
            help=f'Apply to all {groups}',
        )
        parser.add_argument(
            '--include-error',
            action='store_true',
            help=(
                'Also delete backups in error state; no rule counts them, '
                'and they are kept by default'
            ),
        )
        parser.add_argument(
            '--allow-empty',
            action='store_true',
            help=(
                f'Allow the rules to delete the newest backup of a {group}, '
                f'and all of its backups'
            ),
        )
        add_yes(parser)
        return parser

    def run(self, parsed_args: argparse.Namespace) -> int:
        tables = self._formatter_plugins['table']
        self._screen = _Screen(self.app, tables, self.kind, parsed_args)
        self._rule_set = retention_options.rule_set_of(parsed_args)
        self._prune: prune.Prune | None = None
        self._plan = Plan(())
        self._confirmed: prune.ConfirmedPlan | None = None
        self._is_asked = not (parsed_args.yes or parsed_args.dry_run)
        #: With -q only results and failures: a dry run is its plan, and a
        #: question comes with it.
        self._sums_up = bool(
            self.app.options.verbose_level
            or (parsed_args.dry_run and not self._screen.is_for_machines)
        )
        self._is_told = self._sums_up or self._is_asked
        with self._screen.stream():
            # No plan is made if it cannot be written.
            pass
        self._check_selection(parsed_args)
        if not (self._rule_set.rules or self._rule_set.older_than):
            self._parser.error(
                'no rule is given: specify what to keep, for example '
                '--keep-daily 7 --keep-weekly 5, or --older-than 90d'
            )
        return super().run(parsed_args)

    def _check_selection(self, parsed_args: argparse.Namespace) -> None:
        filters.refuse_empty(self._parser, parsed_args)
        named = any(getattr(parsed_args, name) for name in self.narrowing)
        if not named and not parsed_args.all_groups:
            options = ', '.join(
                f'--{name.replace("_", "-")}' for name in self.narrowing
            )
            self._parser.error(
                f'say which backups are meant, with one of {options}, or add '
                f'--all-{self.kind.group[1]}'
            )

    def prepare(
        self, parsed_args: argparse.Namespace, limits: Limits
    ) -> Prepared | None:
        """Plan, show the plan and ask; None if nothing is to be deleted."""
        history = self.make_history(parsed_args, limits)
        self._prune = prune.Prune(
            history, self._rule_set, datetime.now(timezone.utc)
        )
        with self.progress.showing(partial(reading, limits.activity)):
            plan = self._plan = self._prune.plan()
        refuse_wrong_clock(history.clients)
        filters.warn_of_unknown_statuses(parsed_args.conditions)
        self._warn_of_unused_rules()
        if not plan.decisions:
            self._remark('Nothing to delete: no backup is selected.')
            if self.hint:
                self.log.warning('%s', self.hint)
            return None
        is_verbose = self.app.options.verbose_level > 1
        if plan.deleted or plan.emptied or parsed_args.dry_run or is_verbose:
            self._remark(retention_options.describe(self._rule_set))
        if parsed_args.dry_run:
            return None
        if self._is_told and (plan.deleted or plan.emptied or is_verbose):
            self._screen.show(plan, with_kept=is_verbose)
        prune.ensure_not_empty(plan)
        if not plan.deleted:
            self._remark(prune_table.nothing_to_delete(plan, self.kind))
            self._warn_of_full_volumes()
            return None
        if not parsed_args.yes:
            self._ask()
        with self.progress.showing(lambda: 'Checking what is to be deleted'):
            self._confirmed = self._prune.confirm(plan)
            return self._confirmed.deletion, self._confirmed.targets()

    def table(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
        if not parsed_args.dry_run:
            return super().table(parsed_args)
        columns: Sequence[Column] = prune_table.ALL_COLUMNS
        if not parsed_args.columns:
            columns = requested_columns(columns, parsed_args, long=False)
        return [column.title for column in columns], [
            row_of(columns, decision, parsed_args)
            for decision in self._plan.decisions
        ]

    def produce_output(
        self,
        parsed_args: argparse.Namespace,
        column_names: Sequence[str],
        data: Iterable[Sequence[Any]],
    ) -> int:
        if parsed_args.dry_run and self._screen.takes_plan:
            self._screen.show(self._plan, with_kept=True)
            return 0
        return super().produce_output(parsed_args, column_names, data)

    def conclude(self, parsed_args: argparse.Namespace) -> int:
        """Sum up, whatever failed, and only then fail."""
        plan = self._plan
        is_vendor = self._prune is not None and self._prune.history.is_vendor
        if parsed_args.dry_run and plan.decisions:
            with as_command_errors():
                prune.ensure_not_empty(plan)
            self._sum_up(
                prune_table.dry_run_summary(plan, self.kind, is_vendor)
            )
        elif self._prune is not None and self._confirmed is not None:
            outcomes = self.report.outcomes
            left = [o for o in outcomes if o.state is State.SKIPPED]
            for message in skipped(left, self.words):
                self.log.warning('%s', message)
            absent = self._prune.absent
            self._warn_of_absent(absent)
            self._sum_up(
                prune_table.summary(
                    plan, self.report, absent, self.kind, is_vendor
                )
            )
        code = super().conclude(parsed_args)
        reason = self._prune.uncertain_reason if self._prune else None
        if reason is not None:
            raise exceptions.CommandError(
                f'Backups were kept because their origin could not be '
                f'determined: {shortened(reason)}.'
            )
        return code

    def _remark(self, text: str) -> None:
        if self._is_told:
            self._screen.say(text)

    def _sum_up(self, text: str) -> None:
        # A summary that cannot be written must not hide a failure.
        with self.complaining_last():
            if self._sums_up:
                self._screen.say(text)
        self._warn_of_full_volumes()

    def _ask(self) -> None:
        deleted = [decision.backup for decision in self._plan.deleted]
        count = counted(len(deleted), 'backup')
        groups = {backup.group for backup in deleted}
        size = prune_table.nominal_size(deleted)
        confirm(
            f'Delete {count} of {counted(len(groups), *self.kind.group)} '
            f'({size} nominal){place_of(self.app.client_manager)}?',
            f'This would delete {count}, as listed above: add --yes. '
            f'Nothing was deleted.',
            stdin=self.app.stdin,
            stderr=self.app.stderr,
        )

    def _warn_of_absent(self, absent: dict[str, prune.Absence]) -> None:
        for backup in (decision.backup for decision in self._plan.decisions):
            if backup.id in absent:
                self.log.warning(
                    'Backup %s (%s) did not count: the list shows it, but %s.',
                    shortened(backup.name or '', 80),
                    visible(backup.id),
                    absent[backup.id].reason,
                )

    def _warn_of_full_volumes(self) -> None:
        warning = prune_table.full_volumes(self._plan)
        if warning and self._prune and self._prune.history.is_vendor:
            self.log.warning('%s', warning)

    def _warn_of_unused_rules(self) -> None:
        """Say that a name or tag to keep matches nothing.

        It may be misspelled, and what it should have kept is about to be
        deleted.
        """
        for word, value in retention_options.unused_rules(
            self._rule_set, self._plan
        ):
            text = (
                f"--keep-{word} '{shortened(value, 80)}' keeps nothing: no "
                f'selected backup has such a {word}.'
            )
            if self._is_asked:
                # The prompt follows: show it to the same person.
                self._screen.say(text)
            else:
                self.log.warning('%s', text)


class _Screen:
    """Where a person reads the plan.

    That is standard error if standard output is for a machine.

    :param tables: the plugin that formats tables.
    :param parsed_args: before a default format is set.
    :ivar is_for_machines: whether standard output is.
    """

    def __init__(
        self,
        app: Any,
        tables: Any,
        kind: prune_table.BackupKind,
        parsed_args: argparse.Namespace,
    ) -> None:
        self._app = app
        self._tables = tables
        self._kind = kind
        self._parsed_args = parsed_args
        self.is_for_machines = bool(
            parsed_args.report
            or parsed_args.columns
            or parsed_args.formatter not in (None, 'table')
        )
        self._is_formatted = bool(
            self.is_for_machines
            or parsed_args.formatter
            or parsed_args.sort_columns
        )

    @property
    def takes_plan(self) -> bool:
        """Whether a dry run shows its plan here, and no row anywhere."""
        return not self._is_formatted and self._app.stdout.isatty()

    @contextmanager
    def stream(self) -> Iterator[TextIO]:
        """The stream; a dummy if standard error is closed."""
        if self.is_for_machines:
            yield self._app.stderr or io.StringIO()
        else:
            with printing(self._app):
                yield self._app.stdout

    def say(self, text: str) -> None:
        with self.stream() as stream:
            width = terminal_width(stream)
            stream.write(f'{wrapped(visible(text), width)}\n')

    def show(self, plan: Plan, *, with_kept: bool) -> None:
        """A table for each group.

        :param with_kept: whether each backup that is kept has a row.
        """
        args = argparse.Namespace(
            **{**vars(self._parsed_args), 'formatter': 'table'}
        )
        columns = prune_table.COLUMNS
        with self.stream() as stream:
            self._tables.obj.emit_groups(
                [column.title for column in columns],
                list(
                    prune_table.groups_of(
                        plan,
                        self._kind.group[0],
                        lambda decisions: [
                            row_of(columns, d, args) for d in decisions
                        ],
                        with_kept=with_kept,
                    )
                ),
                stream,
                args,
            )
