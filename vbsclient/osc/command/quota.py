# SPDX-License-Identifier: Apache-2.0
"""What both quota commands have in common."""

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

TYPE = Column('Type', lambda quota: quota.type)
UNIT = Column('Unit', lambda quota: quota.unit)
USED = Column('Used', lambda quota: quota.used)
RESERVED = Column('Reserved', lambda quota: quota.reserved)
QUOTA = Column('Quota', lambda quota: quota.quota, Limit)


class QuotaCommand(ReadCommand, command.Lister):
    """A command that shows each quota of a service."""

    #: What has them, with its version where not all of them do.
    service: ClassVar[str]

    @abc.abstractmethod
    def quotas(self) -> list[Quota]:
        """Ask the service."""

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], list[Sequence[Any]]]:
        """A row for each quota."""
        try:
            quotas = self.quotas()
        except errors.NotFound as error:
            raise errors.ClientError(
                f'this cloud has no quotas of {self.service.split()[0]}',
                f'They are a function of {self.service}: check the endpoint.',
            ) from error
        return [column.title for column in self.columns], [
            row_of(self.columns, quota, parsed_args) for quota in quotas
        ]
