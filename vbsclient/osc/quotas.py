# SPDX-License-Identifier: Apache-2.0
"""What both quota commands have in common."""

from __future__ import annotations

import abc
import argparse
from collections.abc import Sequence
from typing import Any, ClassVar

from osc_lib.command import command

from vbsclient.api.quotas import Quota
from vbsclient.osc.clients import OwnLogin
from vbsclient.osc.columns import Column, Limit, row_of
from vbsclient.osc.encoding import escapes_output
from vbsclient.osc.parser import make_strict
from vbsclient.osc.read import as_command_errors, printing

TYPE = Column('Type', lambda quota: quota.type)
UNIT = Column('Unit', lambda quota: quota.unit)
USED = Column('Used', lambda quota: quota.used)
RESERVED = Column('Reserved', lambda quota: quota.reserved)
QUOTA = Column('Quota', lambda quota: quota.quota, Limit)


class QuotaCommand(OwnLogin, command.Lister, metaclass=abc.ABCMeta):
    """A command that shows each quota of a service."""

    columns: ClassVar[Sequence[Column]]

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Make the parser as strict as all others."""
        parser = super().get_parser(prog_name)
        make_strict(parser)
        return parser

    @abc.abstractmethod
    def quotas(self) -> list[Quota]:
        """Ask the service."""

    @escapes_output
    def run(self, parsed_args: argparse.Namespace) -> int:
        """Show them, or say in one sentence why not."""
        with as_command_errors(), printing(self.app):
            return super().run(parsed_args)

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], list[Sequence[Any]]]:
        """A row for each quota."""
        return [column.title for column in self.columns], [
            row_of(self.columns, quota, parsed_args) for quota in self.quotas()
        ]
