# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs backup policy create``, ``set`` and ``delete``."""

from __future__ import annotations

import argparse

from osc_lib import exceptions

from vbsclient.api.block_storage import BlockStorage
from vbsclient.api.http import Limits
from vbsclient.osc.command.clients import make_lookup_client, make_vbs_client
from vbsclient.osc.command.create import checked_name
from vbsclient.osc.command.options import add_named
from vbsclient.osc.command.policy import (
    NewPolicyTerms,
    PolicyCreateCommand,
    PolicyDeleteCommand,
    PolicySetCommand,
)
from vbsclient.osc.command.policy_members import add_move
from vbsclient.osc.output.policies import columns_of_new
from vbsclient.osc.output.text import shortened
from vbsclient.policies.services import VbsPolicies
from vbsclient.policies.volumes import VbsPolicyCreation
from vbsclient.schedule import vbs
from vbsclient.schedule.values import Wanted
from vbsclient.wording import counted

_NAME = checked_name(64, 'default', 'the policy that each project has')


class CreateVbsBackupPolicy(PolicyCreateCommand):
    """Create a backup policy (VBS)

    A policy backs up its volumes by a schedule, and deletes what is older
    than it is told to keep. It is enabled unless --disable is given. Volumes
    are added as by "add volume": one that another policy had a task for in
    the last 30 days is refused without --move.

    Example: openstack vbs backup policy create --at 02:00 --every 1d
    --keep-last 7 nightly
    """

    words = NewPolicyTerms()
    name_type = staticmethod(_NAME)
    columns = columns_of_new('Volumes')

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            '--volume',
            metavar='<volume>',
            dest='volumes',
            action='append',
            default=[],
            help='Volume to back up (name or ID); repeat for several',
        )
        add_move(parser, 'volume')

    def make_creation(
        self, parsed_args: argparse.Namespace, limits: Limits
    ) -> VbsPolicyCreation:
        if not all(map(str.strip, parsed_args.volumes)):
            self._parser.error('a volume needs a name or an ID')
        manager = self.app.client_manager
        request = vbs.new_policy(self.wanted, self.now)
        return VbsPolicyCreation(
            make_vbs_client(manager, limits),
            make_lookup_client(manager, BlockStorage, 'block-storage'),
            parsed_args.name,
            request,
            parsed_args.volumes,
            now=self.now,
            limits=limits,
            move=parsed_args.move,
        )

    def conclude(self, parsed_args: argparse.Namespace) -> int:
        code = super().conclude(parsed_args)
        if told := self._left_out(parsed_args):
            raise exceptions.CommandError(told)
        return code

    def _report_interruption(self, parsed_args: argparse.Namespace) -> None:
        super()._report_interruption(parsed_args)
        told = self._left_out(parsed_args)
        if told and self.app.stderr is not None:
            self.app.stderr.write(f'{told}\n')

    def _left_out(self, parsed_args: argparse.Namespace) -> str:
        """Which volumes are not in the new policy; '' if all are."""
        creation = vars(self).get('creation')
        if creation is None or self.changed is None or not creation.left:
            return ''
        left: dict[str, str] = creation.left
        count = (
            counted(len(left), 'volume is', 'volumes are') + ' not'
            if creation.is_sure
            else counted(len(left), 'volume') + ' may not be'
        )
        reasons = '; '.join(f'{one} ({why})' for one, why in left.items())
        move = '--move ' if parsed_args.move else ''
        return (
            f'The policy was created, and {count} in it: '
            f'{shortened(reasons)}. To add what can be added:\n'
            f'  openstack vbs backup policy add volume {move}'
            f'{self.changed.policy.id} {" ".join(left)}'
        )


class SetVbsBackupPolicy(PolicySetCommand):
    """Change a backup policy (VBS)

    What no option names stays as it is. The policy is read before and after
    the change, and whatever else is different then is a failure; --journal
    keeps what it was before.

    Example: openstack vbs backup policy set --keep-last 14 --dry-run nightly
    """

    name_type = staticmethod(_NAME)

    def check(self, wanted: Wanted) -> None:
        vbs.check(wanted)

    def make_service(self, limits: Limits) -> VbsPolicies:
        return VbsPolicies(make_vbs_client(self.app.client_manager, limits))


class DeleteVbsBackupPolicy(PolicyDeleteCommand):
    """Delete backup policies (VBS)

    The backups stay. If a policy has volumes, which nothing backs up
    afterwards, you are asked to confirm.

    Example: openstack vbs backup policy delete nightly
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_named(parser, 'policy', 'delete')

    def make_service(self, limits: Limits) -> VbsPolicies:
        return VbsPolicies(make_vbs_client(self.app.client_manager, limits))
