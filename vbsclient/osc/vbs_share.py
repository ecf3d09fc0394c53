# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs share ...``: backups shown to other projects."""

from __future__ import annotations

import argparse
from typing import Any

from vbsclient.deletion.targets import Deletion, Limits
from vbsclient.deletion.vbs_shares import (
    BackupSharesDeletion,
    ShareDeletion,
)
from vbsclient.osc.clients import make_vbs_client, project_id_of
from vbsclient.osc.delete import DeleteCommand


class DeleteShare(DeleteCommand):
    """Cancel shares of backups (VBS)

    The backups themselves stay. Name the shares by their ids, or with
    --backup the backups whose shares are to be cancelled: all of them, or
    with --target-project only those with that project. A backup that is not
    shared is a failure.

    Example: openstack vbs share delete --backup nightly-1
    """

    noun = ('share', 'shares')

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what this command alone has."""
        parser.add_argument(
            'shares',
            metavar='<share>',
            nargs='*',
            help=(
                'Share to cancel (ID); "-" reads IDs from the standard '
                'input, one a line'
            ),
        )
        parser.add_argument(
            '--backup',
            metavar='<backup>',
            action='append',
            dest='backups',
            help=(
                'Cancel the shares of this backup (name or ID); repeat for '
                'several'
            ),
        )
        parser.add_argument(
            '--target-project',
            metavar='<project>',
            help=(
                'With --backup: only the share with this project (name or ID)'
            ),
        )
        parser.add_argument(
            '--target-project-domain',
            metavar='<domain>',
            help='Domain of the target project (name or ID)',
        )

    def make_deletion(
        self, parsed_args: argparse.Namespace, limits: Limits
    ) -> Deletion[Any] | None:
        """The rules for these shares."""
        self._check_usage(parsed_args)
        manager = self.app.client_manager
        if parsed_args.backups:
            self.named([])
            project_id = (
                project_id_of(
                    manager,
                    parsed_args.target_project,
                    parsed_args.target_project_domain,
                )
                if parsed_args.target_project is not None
                else None
            )
            return BackupSharesDeletion(
                make_vbs_client(manager, limits),
                parsed_args.backups,
                limits=limits,
                project_id=project_id,
            )
        named = self.named(parsed_args.shares)
        if not named:
            return None
        return ShareDeletion(
            make_vbs_client(manager, limits),
            named,
            limits=limits,
        )

    def _check_usage(self, parsed_args: argparse.Namespace) -> None:
        if bool(parsed_args.shares) == bool(parsed_args.backups):
            self._parser.error('give either <share> or --backup <backup>')
        if parsed_args.target_project is not None and not parsed_args.backups:
            self._parser.error('--target-project goes with --backup')
        if (
            parsed_args.target_project_domain is not None
            and parsed_args.target_project is None
        ):
            self._parser.error(
                '--target-project-domain goes with --target-project'
            )
