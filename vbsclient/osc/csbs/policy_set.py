# SPDX-License-Identifier: Apache-2.0
"""``openstack csbs policy create``, ``set`` and ``delete``."""

from __future__ import annotations

import argparse

from vbsclient.api.compute import Compute
from vbsclient.api.http import Limits
from vbsclient.osc.command.clients import make_csbs_client, make_lookup_client
from vbsclient.osc.command.create import checked_name
from vbsclient.osc.command.options import add_named
from vbsclient.osc.command.policy import (
    NewPolicyTerms,
    PolicyCreateCommand,
    PolicyDeleteCommand,
    PolicySetCommand,
    PolicyTerms,
    SetTerms,
)
from vbsclient.osc.output.policies import DESCRIPTION, columns_of_new
from vbsclient.policies.server_members import MOST_SERVERS
from vbsclient.policies.servers import CsbsPolicyCreation
from vbsclient.policies.services import CsbsPolicies
from vbsclient.schedule import csbs
from vbsclient.schedule.values import Wanted

_GROUP = 'csbs policy'
_NAME = checked_name(255, '', '')


class CreateCsbsPolicy(PolicyCreateCommand):
    """Create a backup policy of servers (CSBS)

    A policy backs up its servers by a schedule, and deletes what is older
    than it is told to keep. It is enabled unless --disable is given; the
    service calls a new one suspended at first.

    Example: openstack csbs policy create --at 02:00 --every 1d --keep-last 7
    --server web01 nightly
    """

    is_csbs = True
    words = NewPolicyTerms(group=_GROUP)
    name_type = staticmethod(_NAME)
    columns = columns_of_new('Servers', DESCRIPTION)

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            '--server',
            metavar='<server>',
            dest='servers',
            action='append',
            default=[],
            help=(
                f'Server to back up (name or ID); repeat for several, '
                f'{MOST_SERVERS} at most'
            ),
        )

    def make_creation(
        self, parsed_args: argparse.Namespace, limits: Limits
    ) -> CsbsPolicyCreation:
        if len(set(parsed_args.servers)) > MOST_SERVERS:
            self._parser.error(f'a policy has at most {MOST_SERVERS} servers')
        if not all(map(str.strip, parsed_args.servers)):
            self._parser.error('a server needs a name or an ID')
        manager = self.app.client_manager
        operation = csbs.new_operation(self.wanted, self.now)
        return CsbsPolicyCreation(
            make_csbs_client(manager, limits),
            make_lookup_client(manager, Compute, 'compute'),
            parsed_args.name,
            operation,
            parsed_args.servers,
            limits,
            parsed_args.description,
        )


class SetCsbsPolicy(PolicySetCommand):
    """Change a backup policy of servers (CSBS)

    What no option names stays as it is. The policy is read before and after
    the change, and whatever else is different then is a failure; --journal
    keeps what it was before.

    Example: openstack csbs policy set --keep-last 14 --dry-run nightly
    """

    is_csbs = True
    words = SetTerms(group=_GROUP)
    name_type = staticmethod(_NAME)

    def check(self, wanted: Wanted) -> None:
        csbs.check(wanted)

    def make_service(self, limits: Limits) -> CsbsPolicies:
        return CsbsPolicies(make_csbs_client(self.app.client_manager, limits))


class DeleteCsbsPolicy(PolicyDeleteCommand):
    """Delete backup policies of servers (CSBS)

    The backups stay. If a policy has servers, which nothing backs up
    afterwards, you are asked to confirm.

    Example: openstack csbs policy delete nightly
    """

    words = PolicyTerms(group=_GROUP)

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_named(parser, 'policy', 'delete')

    def make_service(self, limits: Limits) -> CsbsPolicies:
        return CsbsPolicies(make_csbs_client(self.app.client_manager, limits))
