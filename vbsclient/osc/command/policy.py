# SPDX-License-Identifier: Apache-2.0
"""What the commands have in common that create, change and delete policies."""

from __future__ import annotations

import abc
import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, ClassVar, NoReturn

from vbsclient.api.http import Limits
from vbsclient.bulk import State
from vbsclient.change.targets import Change, Outcome, Target
from vbsclient.osc.command.change import (
    ChangeCommand,
    ChangeOneCommand,
    Prepared,
)
from vbsclient.osc.command.create import checked_description
from vbsclient.osc.command.delete import DeleteCommand
from vbsclient.osc.output.columns import Column, row_of
from vbsclient.osc.output.messages import Terms
from vbsclient.osc.output.policies import (
    DESCRIPTION,
    NAME,
    NEXT_RUNS,
    RUNS,
    SETTINGS,
    ShownPolicy,
    of_settings,
)
from vbsclient.osc.output.report import COLUMNS
from vbsclient.osc.output.text import capital
from vbsclient.policies.deletion import PolicyDeletion
from vbsclient.policies.services import Edit, PolicyService
from vbsclient.policies.settings import PolicyCreation, PolicyUpdate
from vbsclient.schedule import InvalidSetting
from vbsclient.schedule.texts import parse_retention, parse_schedule
from vbsclient.schedule.values import PERIODS, Schedule, Wanted, remarks
from vbsclient.wording import counted

_LONGEST_DESCRIPTION = 255

_UNITS = dict(zip(PERIODS, ('day', 'week', 'month', 'year'), strict=True))


@dataclass(frozen=True)
class PolicyTerms(Terms):
    """How sentences name policies, and what is done with them.

    :ivar group: the words of the commands for them.
    """

    one: str = 'policy'
    plural: str = 'policies'
    group: str = 'vbs backup policy'

    def command_for(self, outcome: Outcome) -> str | None:
        if outcome.state is not State.UNKNOWN:
            return None
        target = outcome.target
        return f'openstack {self.group} show {target.id or target.argument}'

    def how_to_settle(self, count: int) -> str:
        return 'Look at it before you try again:'


@dataclass(frozen=True)
class NewPolicyTerms(PolicyTerms):
    """The same for new ones, which are never created twice."""

    verb: str = 'create'
    doing: str = 'creating'
    done: str = 'created'
    noun: str = 'creation'

    unanswered = 'see what was created'
    is_repeatable = False

    def how_to_settle(self, count: int) -> str:
        return (
            'Do not run the command again before you have looked for the '
            'policy:'
        )


@dataclass(frozen=True)
class SetTerms(PolicyTerms):
    """The same for those that are changed."""

    verb: str = 'set'
    doing: str = 'changing'
    done: str = 'changed'
    noun: str = 'change'
    act: str = 'change'

    unanswered = 'see what was changed'


class PolicyOptions:
    """The options of schedule and retention, as one service has them."""

    #: Whether schedules are rules in UTC, with long-term counts beside what
    #: is kept; VBS has every nth day, and the first backup of a month.
    is_csbs: ClassVar[bool] = False

    #: Whether they change what a policy has, which is then the default.
    is_change: ClassVar[bool] = False

    _parser: argparse.ArgumentParser

    def add_settings(self, parser: argparse.ArgumentParser) -> None:
        """Add all that says what a policy is to be like."""
        self._add_schedule(parser.add_argument_group('schedule'))
        self._add_retention(parser.add_argument_group('retention'))
        if self.is_csbs:
            parser.add_argument(
                '--description',
                metavar='<description>',
                type=checked_description(_LONGEST_DESCRIPTION),
                help='Description of the policy',
            )
        _add_pair(
            parser,
            ('enable', 'Run the policy by its schedule'),
            ('disable', 'Run the policy only when it is executed'),
            'enabled',
        )

    def wanted_of(self, parsed_args: argparse.Namespace) -> Wanted:
        """What the options say; what cannot be is a usage error."""
        values = vars(parsed_args)
        try:
            return Wanted(
                parse_schedule(
                    parsed_args.at,
                    parsed_args.every,
                    parsed_args.on,
                    parsed_args.timezone,
                    values.get('rrule'),
                ),
                parse_retention(
                    last=parsed_args.keep_last,
                    days=parsed_args.keep_days,
                    forever=values.get('keep_forever', False),
                    first_of_month=values.get('first_of_month'),
                    **{name: values.get(f'keep_{name}') for name in PERIODS},
                ),
                parsed_args.enabled,
            )
        except InvalidSetting as error:
            self.refuse(error)

    def refuse(self, error: InvalidSetting) -> NoReturn:
        """End with a usage error."""
        # Its table knows all modules: it is loaded when something is wrong.
        from vbsclient.osc.output.hints import hint_of

        hint = hint_of(error)
        message = f'{error.message}. {hint}' if hint else error.message
        self._parser.error(message)

    @property
    def _default_zone(self) -> str:
        is_of_policy = self.is_change and not self.is_csbs
        return 'that of the policy' if is_of_policy else 'UTC'

    def _add_schedule(self, group: argparse._ArgumentGroup) -> None:
        full = '' if self.is_csbs else '; a full hour of UTC'
        group.add_argument(
            '--at',
            metavar='<time>',
            action='append',
            default=[],
            help=(
                f'Time of day such as 02:00, 02:00Z or 02:00+02:00; repeat '
                f'for several{full}'
            ),
        )
        group.add_argument(
            '--every',
            metavar='<days>',
            help=(
                'Run every day: 1d; CSBS has no other number'
                if self.is_csbs
                else 'Run every so many days, such as 1d or 2d; they are '
                'counted from day 1 of each month'
            ),
        )
        group.add_argument(
            '--on',
            metavar='<days>',
            action='append',
            default=[],
            help=(
                'Run on these days of the week, such as mon,thu, weekdays or '
                'weekend; repeat for several'
            ),
        )
        if self.is_csbs:
            group.add_argument(
                '--rrule',
                metavar='<rule>',
                help=(
                    'Send this rule of iCalendar (RRULE, in UTC) as it is, in '
                    'place of the other options of the schedule'
                ),
            )
        group.add_argument(
            '--timezone',
            metavar='<zone>',
            help=(
                f'Time zone of times and days, such as Europe/Berlin or '
                f'UTC+02:00 (default: {self._default_zone}). The service '
                f'knows fixed offsets only: that of today is sent'
            ),
        )

    def _add_retention(self, group: argparse._ArgumentGroup) -> None:
        many = ', or "unlimited"' if self.is_csbs else ', 2 to 99'
        member = 'server' if self.is_csbs else 'volume'
        group.add_argument(
            '--keep-last',
            metavar='<n>',
            help=f'Keep the n newest backups of each {member}{many}',
        )
        group.add_argument(
            '--keep-days',
            metavar='<n>',
            help='Keep backups for n days',
        )
        if not self.is_csbs:
            default = '' if self.is_change else ' (default)'
            _add_pair(
                group,
                (
                    'keep-first-of-month',
                    'Keep also the first backup of the current month',
                ),
                ('no-keep-first-of-month', f'Do not keep it{default}'),
                'first_of_month',
            )
            return
        for name, unit in _UNITS.items():
            group.add_argument(
                f'--keep-{name}',
                metavar='<n>',
                help=(
                    f'Keep also the newest backup of each of n {unit}s, 0 to '
                    f'100; goes with --keep-last'
                ),
            )
        group.add_argument(
            '--keep-forever',
            action='store_true',
            help='Keep all backups until somebody deletes them',
        )


def _add_pair(
    parser: argparse._ActionsContainer,
    yes: tuple[str, str],
    no: tuple[str, str],
    dest: str,
) -> None:
    """Add two options that exclude each other, and their help."""
    pair = parser.add_mutually_exclusive_group()
    for (name, text), value in ((yes, True), (no, False)):
        pair.add_argument(
            f'--{name}',
            dest=dest,
            action='store_true' if value else 'store_false',
            default=None,
            help=text,
        )


class PolicyCreateCommand(PolicyOptions, ChangeOneCommand):
    """A command that creates a policy, and shows what was sent."""

    dry_run = 'Show what would be created; create nothing'

    #: The type of its name.
    name_type: ClassVar[Any]

    @abc.abstractmethod
    def make_creation(
        self, parsed_args: argparse.Namespace, limits: Limits
    ) -> PolicyCreation:
        """The rules for what was named.

        :raises InvalidSetting: if the service has no such settings.
        """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            'name',
            metavar='<name>',
            type=self.name_type,
            help='Name of the policy; letters, digits, "_" and "-"',
        )
        self.add_settings(parser)

    def prepare(
        self, parsed_args: argparse.Namespace, limits: Limits
    ) -> Prepared | None:
        self.now = datetime.now(timezone.utc)
        self.wanted = self.wanted_of(parsed_args)
        try:
            creation = self.make_creation(parsed_args, limits)
        except InvalidSetting as error:
            self.refuse(error)
        self.report.named = [parsed_args.name]
        with self.progress.showing(lambda: 'Looking for policies'):
            targets = creation.targets()
        self.creation = creation
        return creation, targets

    @property
    def changed(self) -> ShownPolicy | None:
        creation = vars(self).get('creation')
        if creation is None:
            return None
        [outcome] = self.report.outcomes
        target = outcome.target
        is_planned = self.report.dry_run and not target.is_decided
        if outcome.state is not State.DONE and not is_planned:
            return None
        remark = outcome.result.remark if outcome.result else ''
        told = [*target.notes, *filter(None, [remark])]
        return of_settings(
            creation.describe(target),
            self.now,
            NEXT_RUNS,
            zone=self.wanted.schedule.zone,
            notes=[f'{capital(one)}.' for one in told],
        )


#: The fields of what a dry run compares.
_COMPARED = (
    Column('Field', 'field'),
    Column('Before', 'before'),
    Column('After', 'after'),
)


class PolicySetCommand(PolicyOptions, ChangeCommand):
    """A command that changes what is asked for of one policy."""

    is_change = True
    words: Terms = SetTerms()
    dry_run = 'Show the policy before and after; change nothing'
    columns = (*COLUMNS, *_COMPARED)

    #: The type of its new name.
    name_type: ClassVar[Any]

    @abc.abstractmethod
    def make_service(self, limits: Limits) -> PolicyService:
        """The policies of the service."""

    @abc.abstractmethod
    def check(self, wanted: Wanted) -> None:
        """Check what no policy of the service can have.

        :raises InvalidSetting: if it is wanted.
        """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            'policy',
            metavar='<policy>',
            help='Policy to change (name or ID)',
        )
        parser.add_argument(
            '--name',
            metavar='<name>',
            type=self.name_type,
            help='New name of the policy',
        )
        self.add_settings(parser)

    def prepare(
        self, parsed_args: argparse.Namespace, limits: Limits
    ) -> Prepared | None:
        self.now = datetime.now(timezone.utc)
        self.wanted = self.wanted_of(parsed_args)
        try:
            self.check(self.wanted)
        except InvalidSetting as error:
            self.refuse(error)
        edit = Edit(
            self.wanted,
            parsed_args.name,
            getattr(parsed_args, 'description', None),
        )
        self.report.named = [parsed_args.policy]
        self.update = PolicyUpdate(
            self.make_service(limits),
            parsed_args.policy,
            edit,
            self.now,
            limits,
        )
        with self.progress.showing(lambda: 'Looking up the policy'):
            targets = self.update.targets()
        for target in targets:
            for note in target.notes:
                self.log.warning('%s.', capital(note))
        if not parsed_args.dry_run and not all(t.is_decided for t in targets):
            zone = self.wanted.schedule.zone
            for remark in remarks(Schedule(zone=zone), self.now):
                self.log.warning('%s', remark)
        return self.update, targets

    def table(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
        """What a dry run changes, field by field."""
        if not parsed_args.dry_run:
            return super().table(parsed_args)
        titles = [column.title for column in _COMPARED]
        update = vars(self).get('update')
        if update is None or update.plan is None:
            return titles, ()
        own = [DESCRIPTION] if self.is_csbs else []
        columns = [NAME, *own, *SETTINGS, *RUNS]
        zone = self.wanted.schedule.zone
        before, after = (
            row_of(columns, shown, parsed_args)
            for shown in (
                of_settings(update.plan.before, self.now, NEXT_RUNS),
                of_settings(update.plan.after, self.now, NEXT_RUNS, zone=zone),
            )
        )
        fields = [column.title for column in columns]
        return titles, list(zip(fields, before, after, strict=True))

    def _reasons_are_shown(self, parsed_args: argparse.Namespace) -> bool:
        # The rows of a dry run are fields.
        return not parsed_args.dry_run and super()._reasons_are_shown(
            parsed_args
        )


class PolicyDeleteCommand(DeleteCommand):
    """A command that deletes policies, and asks if they have members."""

    words: Terms = PolicyTerms()
    asks = 'policy'

    @abc.abstractmethod
    def make_service(self, limits: Limits) -> PolicyService:
        """The policies of the service."""

    def is_more_than_named(self, target: Target) -> bool:
        return bool(target.members)

    def question(self, targets: Sequence[Target]) -> str:
        return f'Delete {counted(len(targets), "policy", "policies")}'

    def make_change(
        self,
        parsed_args: argparse.Namespace,
        limits: Limits,
        named: Sequence[str],
    ) -> Change:
        return PolicyDeletion(self.make_service(limits), named, limits)
