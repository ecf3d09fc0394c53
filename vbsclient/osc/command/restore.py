# SPDX-License-Identifier: Apache-2.0
"""What the commands that overwrite data have in common."""

from __future__ import annotations

import abc
import argparse
from collections.abc import Iterable, Sequence
from typing import Any

from osc_lib import exceptions

from vbsclient.api import errors
from vbsclient.api.http import Handle, Limits
from vbsclient.bulk import State
from vbsclient.change.follow import Follower
from vbsclient.change.run import execute
from vbsclient.change.targets import Change, Outcome, Target
from vbsclient.creation import base as creation
from vbsclient.creation import volume_backups
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
)
from vbsclient.osc.output.text import (
    capital,
    sentence,
    shortened,
    visible,
)
from vbsclient.restoring.plan import Plan, Restore, difference, plan_of
from vbsclient.wording import counted

#: What a creation advises, where --force is none of its options.
_WITHOUT_FORCE = {
    creation.NAME_FEWER: 'Delete backups that are not needed any more.',
    volume_backups.FORCE_IN_USE: 'Detach it.',
}

#: What is said wherever it ends before the request.
_NOTHING = 'Nothing was overwritten.'

#: How many characters of a name a plan shows.
_LONGEST = 80


def _both(name: str | None, id: str | None) -> str | None:
    """A name, and the id that tells it from others of that name."""
    if not name:
        return id
    short = shortened(name, _LONGEST)
    return f'{short} ({id})' if id and name != id else short


#: What is shown of each volume that is overwritten.
PLAN_COLUMNS = (
    Column('Backup Disk', 'backup_id', optional=1),
    Column(
        'Source',
        'source_id',
        label=lambda disk: (
            _both(disk.source_name, None) or disk.source_id
            if disk.source_id == disk.target_id
            else _both(disk.source_name, disk.source_id)
        ),
    ),
    Column('Source Name', 'source_name', machine_only=True),
    Column(
        'Target',
        'target_id',
        label=lambda disk: _both(disk.target_name, disk.target_id),
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

    #: Whether the backup before the restore is not done yet.
    _is_saving = False

    row_noun = 'volume'
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
    def make_backup(self, target: Target, limits: Limits) -> Change:
        """Saves what is to be overwritten."""

    @abc.abstractmethod
    def saved_in(self, handle: Handle, name: str | None) -> set[str]:
        """The ids of the volumes that a new backup holds.

        :param name: that it was given: another one is not the new one.
        :raises ClientError: if it cannot be read.
        """

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
        is_decided = parsed_args.dry_run or target.refusal is not None
        if parsed_args.dry_run or not is_decided:
            # Also for the log of what nobody is asked about.
            self._say(parsed_args, self._plan)
        if is_decided:
            return change, [target]
        if not parsed_args.yes:
            self._ask(self._plan, target)
        saved, words = None, self.report.words
        if parsed_args.backup_first:
            saved = self._save(parsed_args, target, limits)
            if saved is None:
                return None
        again = self._look_again(change, saved)
        if saved is not None:
            # Until now an interruption had to tell the new backup.
            self.report.words, self.report.outcomes = words, []
            self._is_saving = False
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
                f'{capital(sentence(error))} {_NOTHING}{also}'
            ) from error
        shown = self._plan
        changed = shown and difference(shown, plan_of(again))
        if changed:
            raise exceptions.CommandError(
                f'Something has changed since it was shown: '
                f'{shortened(changed)}. {_NOTHING}{also}'
            )
        return again

    def _look_up(self, change: Restore) -> list[Target]:
        with self.progress.showing(lambda: 'Checking what is overwritten'):
            return change.targets()

    def _ask(self, plan: Plan, target: Target) -> None:
        volumes = counted(len(plan.disks), 'volume')
        size = sum(disk.target_size or 0 for disk in plan.disks)
        one = self.words.one
        extent = f'the {one} {label(target, 80)}'
        if one != 'volume':
            extent = f'{volumes} of {extent}'
        extent += f', {Gigabytes(size).human_readable()},'
        confirm(
            f'Overwrite {extent}{place_of(self.app.client_manager)}?',
            f'This would overwrite {volumes}, as listed above: add --yes. '
            f'{_NOTHING}',
            stdin=self.app.stdin,
            stderr=self.app.stderr,
            declined=_NOTHING,
        )

    def _say(self, parsed_args: argparse.Namespace, plan: Plan) -> None:
        """Show what will be done, on standard error."""
        stream = self.app.stderr
        if stream is None:
            return
        width = terminal_width(stream)
        # A dry run has it on standard output.
        if not parsed_args.dry_run:
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
                is_chosen=False,
            )
        place = place_of(self.app.client_manager).strip()
        remarks = [f'{capital(place)}.'] if place else []
        remarks += plan.remarks
        if not parsed_args.backup_first and plan.refusal is None:
            remarks.append('--backup-first saves the present data before.')
        for remark in remarks:
            stream.write(f'{wrapped(visible(remark), width)}\n')
        stream.flush()

    def _save(
        self,
        parsed_args: argparse.Namespace,
        target: Target,
        limits: Limits,
    ) -> str | None:
        """Back up what is to be overwritten.

        :returns: the new backup, for a sentence; None if that has not
            succeeded, which the report tells then in place of the restore.
        """
        report = self.report
        report.words = CreationTerms(
            'backup', service=self.words.service, parent=self.words.one
        )
        self._is_saving = True
        change = self.make_backup(target, limits)
        targets = change.targets()
        for one in targets:
            _advise_without_force(one)
        report.outcomes = outcomes = [Outcome.of(one) for one in targets]
        with self.progress.showing(lambda: 'Backing up what is overwritten'):
            report.stopped = execute(change, outcomes, self.recorder, limits)
            if report.stopped is None:
                report.unfinished = Follower(
                    change,
                    outcomes,
                    self.recorder,
                    limits,
                    wants_all=True,
                    patience=patience_of(parsed_args, self.idle or 0.0),
                ).run()
        if any(outcome.state is not State.DONE for outcome in outcomes):
            return None
        [outcome] = outcomes
        handle, name = outcome.target.handle, outcome.target.new_name
        self._refuse_incomplete(handle, name)
        return f'the backup {name} ({handle.backup_id})'

    def _refuse_incomplete(self, handle: Handle, name: str | None) -> None:
        """Check that the new backup has all that is to be overwritten.

        :raises CommandError: if it has not, or cannot be read.
        """
        plan: Plan = vars(self)['_plan']
        try:
            saved = self.saved_in(handle, name)
        except errors.ClientError as error:
            why = f'could not be read ({shortened(error.message)})'
        else:
            missing = {disk.target_id for disk in plan.disks} - saved
            if handle.backup_id != plan.backup_id and not missing:
                return
            ids = ', '.join(sorted(filter(None, missing)))
            why = f'does not hold what is to be overwritten ({ids})'
        raise exceptions.CommandError(
            f'The backup {name} was to be created first, and the one that the '
            f'service names ({handle.backup_id}) {why}. {_NOTHING}'
        )

    def conclude(self, parsed_args: argparse.Namespace) -> int:
        if self._is_saving:
            self.log.error(
                '%s The backup that was to be created first is not available.',
                _NOTHING,
            )
        return super().conclude(parsed_args)

    def _report_interruption(self, parsed_args: argparse.Namespace) -> None:
        super()._report_interruption(parsed_args)
        if self._is_saving and self.app.stderr is not None:
            self.app.stderr.write(
                f'That was the backup before the restore. {_NOTHING}\n'
            )


def _advise_without_force(target: Target) -> None:
    """Say nothing of the --force of a creation: here it is something else."""
    refusal = target.refusal
    if refusal is not None and refusal.hint in _WITHOUT_FORCE:
        hint = _WITHOUT_FORCE[refusal.hint]
        target.refusal = refusal.revised(hint=hint)
