# SPDX-License-Identifier: Apache-2.0
"""What the commands that overwrite data have in common."""

from __future__ import annotations

import abc
import argparse
from collections.abc import Iterable, Sequence
from typing import Any

from osc_lib import exceptions

from vbsclient.api import errors
from vbsclient.api.http import Limits
from vbsclient.bulk import State
from vbsclient.change.follow import Follower
from vbsclient.change.run import execute
from vbsclient.change.targets import Change, Outcome, Target
from vbsclient.osc.command.change import ChangeCommand, Prepared
from vbsclient.osc.command.clients import place_of
from vbsclient.osc.command.confirm import confirm
from vbsclient.osc.command.options import add_yes, patience_of
from vbsclient.osc.output.columns import (
    Column,
    Gigabytes,
    requested_columns,
    row_of,
)
from vbsclient.osc.output.layout import Group, terminal_width, wrapped
from vbsclient.osc.output.messages import (
    CreationTerms,
    RestoreTerms,
    label,
    reason,
)
from vbsclient.osc.output.text import (
    capital,
    sentence,
    shortened,
    visible,
)
from vbsclient.restoring.plan import Plan, Restore, difference, plan_of
from vbsclient.wording import counted

#: What is shown of each volume that is overwritten.
PLAN_COLUMNS = (
    Column('Backup Disk', 'backup_id', optional=1),
    Column(
        'Source',
        'source_id',
        label=lambda disk: disk.source_name or disk.source_id,
    ),
    Column('Source Name', 'source_name', machine_only=True),
    Column(
        'Target',
        'target_id',
        label=lambda disk: disk.target_name or disk.target_id,
    ),
    Column('Target Name', 'target_name', machine_only=True),
    Column('Size', 'size', Gigabytes),
    Column('Target Size', 'target_size', Gigabytes),
    Column('Zone', 'zone', optional=1),
    Column('Check', 'check'),
)


class RestoreCommand(ChangeCommand):
    """A command that overwrites what its arguments name.

    What will be done is shown and asked.  It is read again after the answer,
    and a difference stops the command.
    """

    always_reports = True
    idle = 3600.0
    words = RestoreTerms()
    dry_run = 'Show and check what would be overwritten; send no change'
    until = 'the restore has ended; a failure is exit code 1'

    @abc.abstractmethod
    def make_restore(
        self, parsed_args: argparse.Namespace, limits: Limits
    ) -> Restore:
        """The rules for what was named."""

    @abc.abstractmethod
    def make_backup(
        self, plan: Plan, target: Target, limits: Limits
    ) -> Change:
        """Saves what is to be overwritten."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--backup-first',
            action='store_true',
            help=(
                'Create a backup of what is to be overwritten, wait for it, '
                'and restore only if it has succeeded'
            ),
        )
        add_yes(parser)
        return parser

    def prepare(
        self, parsed_args: argparse.Namespace, limits: Limits
    ) -> Prepared | None:
        """Plan, show the plan, ask, and read everything once more."""
        change = self.make_restore(parsed_args, limits)
        [target] = self._look_up(change)
        self._plan: Plan | None = plan_of(target)
        if parsed_args.dry_run:
            self._say(parsed_args, self._plan, with_table=False)
        if parsed_args.dry_run or target.refusal is not None:
            return change, [target]
        if not parsed_args.yes:
            self._ask(parsed_args, self._plan, target)
        saved = None
        if parsed_args.backup_first:
            saved = self._save(parsed_args, self._plan, target, limits)
        again = self._look_again(change, saved)
        if saved is not None:
            again.preceded = f'its data were saved in {saved}'
        return change, [again]

    def table(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
        if not parsed_args.dry_run:
            return super().table(parsed_args)
        columns: Sequence[Column] = PLAN_COLUMNS
        if not parsed_args.columns:
            columns = requested_columns(columns, parsed_args, long=False)
        plan = vars(self).get('_plan')
        return [column.title for column in columns], [
            row_of(columns, disk, parsed_args)
            for disk in (plan.disks if plan else ())
        ]

    def _reasons_are_shown(self, parsed_args: argparse.Namespace) -> bool:
        # The rows of a dry run are volumes, and say nothing of the rest.
        return not parsed_args.dry_run and super()._reasons_are_shown(
            parsed_args
        )

    def _look_again(self, change: Restore, saved: str | None) -> Target:
        """Read everything once more, after a backup that may be there now.

        :raises CommandError: if something is not as it was shown.
        """
        also = f' The present data were saved in {saved}.' if saved else ''
        try:
            [again] = self._look_up(change)
        except errors.ClientError as error:
            raise exceptions.CommandError(
                f'{capital(sentence(error))} Nothing was overwritten.{also}'
            ) from error
        shown = self._plan
        changed = shown and difference(shown, plan_of(again))
        if changed:
            raise exceptions.CommandError(
                f'Something has changed since it was shown: '
                f'{shortened(changed)}. Nothing was overwritten.{also}'
            )
        return again

    def _look_up(self, change: Restore) -> list[Target]:
        with self.progress.showing(lambda: 'Checking what is overwritten'):
            return change.targets()

    def _ask(
        self, parsed_args: argparse.Namespace, plan: Plan, target: Target
    ) -> None:
        self._say(parsed_args, plan, with_table=True)
        volumes = counted(len(plan.disks), 'volume')
        size = sum(disk.target_size or 0 for disk in plan.disks)
        one = self.words.one
        extent = f'the {one} {label(target)}'
        if one != 'volume':
            extent = f'{volumes} of {extent}'
        extent += f', {Gigabytes(size).human_readable()},'
        confirm(
            f'Overwrite {extent}{place_of(self.app.client_manager)}?',
            f'This would overwrite {volumes}, as listed above: add --yes. '
            f'Nothing was overwritten.',
            stdin=self.app.stdin,
            stderr=self.app.stderr,
            declined='Nothing was overwritten.',
        )

    def _say(
        self, parsed_args: argparse.Namespace, plan: Plan, *, with_table: bool
    ) -> None:
        """Show what will be done, on standard error."""
        stream = self.app.stderr
        if stream is None:
            return
        width = terminal_width(stream)
        if with_table:
            args = argparse.Namespace(
                **{**vars(parsed_args), 'formatter': 'table', 'columns': []}
            )
            columns = requested_columns(PLAN_COLUMNS, args, long=False)
            rows = [row_of(columns, disk, args) for disk in plan.disks]
            tables: Any = self._formatter_plugins['table'].obj
            tables.emit_groups(
                [column.title for column in columns],
                [Group('', rows)],
                stream,
                args,
            )
        remarks = [*plan.remarks]
        if not parsed_args.backup_first:
            remarks.append('--backup-first saves the present data before.')
        for remark in remarks:
            stream.write(f'{wrapped(visible(remark), width)}\n')
        stream.flush()

    def _save(
        self,
        parsed_args: argparse.Namespace,
        plan: Plan,
        target: Target,
        limits: Limits,
    ) -> str:
        """Back up what is to be overwritten.

        :returns: the new backup, for a sentence.
        :raises CommandError: if that has not succeeded.
        """
        change = self.make_backup(plan, target, limits)
        report = self.report
        restoring, report.words = (
            report.words,
            CreationTerms(
                'backup',
                service=self.words.service,
                parent=self.words.one,
            ),
        )
        report.outcomes = outcomes = [
            Outcome.of(one) for one in change.targets()
        ]
        with self.progress.showing(lambda: 'Backing up what is overwritten'):
            stopped = execute(change, outcomes, self.recorder, limits)
            if stopped is None:
                Follower(
                    change,
                    outcomes,
                    self.recorder,
                    limits,
                    wants_all=True,
                    patience=patience_of(parsed_args, self.idle or 0.0),
                ).run()
        failed = [o for o in outcomes if o.state is not State.DONE]
        if failed or not outcomes:
            why = (
                reason(failed[0])
                if failed and failed[0].error
                else ('it is not finished.')
            )
            command = report.words.command_for(failed[0]) if failed else None
            look = f' See "{command}".' if command else ''
            raise exceptions.CommandError(
                f'The backup before the restore has not succeeded: {why}'
                f'{look} Nothing was overwritten.'
            )
        report.words, report.outcomes = restoring, []
        new = outcomes[0].target
        return f'the backup {new.new_name} ({new.handle.backup_id})'
