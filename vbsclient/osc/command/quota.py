# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs quota show`` and ``openstack csbs quota show``."""

from __future__ import annotations

import abc
import argparse
from collections.abc import Sequence
from typing import Any, ClassVar

from osc_lib.command import command

from vbsclient.api import errors
from vbsclient.api.quotas import Quota
from vbsclient.osc.command.show import ReadCommand
from vbsclient.osc.output.columns import Column, Limit, row_of

_RESOURCE = Column('Resource', 'type')
_LIMIT = Column('Limit', 'quota', Limit)
_IN_USE = Column('In Use', 'used')


class _ShowQuota(ReadCommand, command.Lister):
    """A command that shows each quota of a service."""

    noun = 'resource'

    #: The service that has them, with its version where others have none.
    service: ClassVar[str]

    @abc.abstractmethod
    def quotas(self) -> list[Quota]:
        """Ask the service."""

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], list[Sequence[Any]]]:
        try:
            with self.reading(parsed_args):
                quotas = self.quotas()
        except errors.NotFound as error:
            raise errors.ClientError(
                f'this cloud has no quotas of {self.service.split()[0]}',
                f'They are part of {self.service}: check the endpoint.',
            ) from error
        return [column.title for column in self.columns], [
            row_of(self.columns, quota, parsed_args) for quota in quotas
        ]


class ShowVbsQuota(_ShowQuota):
    """Show the backup quotas of this project and their use (VBS)

    "backups" is a number of backups, "backup_gigabytes" counts GB. Space
    that a deletion frees may show up here only days later.

    Example: openstack vbs quota show -f json
    """

    service = 'VBS v2'
    columns = (
        _RESOURCE,
        _LIMIT,
        _IN_USE,
        Column('Reserved', 'reserved'),
    )

    def quotas(self) -> list[Quota]:
        return self.vbs.quotas()


class ShowCsbsQuota(_ShowQuota):
    """Show the backup quotas of this project and their use (CSBS)

    "backups" is a number of backups, "backup_capacity" their size in the
    unit that is shown. Space that a deletion frees may show up here only
    days later.

    Example: openstack csbs quota show -f json
    """

    service = 'CSBS'
    columns = (
        _RESOURCE,
        _LIMIT,
        _IN_USE,
        Column('Unit', 'unit'),
    )

    def quotas(self) -> list[Quota]:
        return self.csbs.quotas()
