# SPDX-License-Identifier: Apache-2.0
"""The commands as their entry points name them.

``openstack`` loads what stands behind the entry point of every command of
every plugin at each start, whichever of them it runs.  So these classes weigh
next to nothing: the real one is imported when a command is made.
"""

from __future__ import annotations

import argparse
import importlib
from typing import Any

from osc_lib.command import command


def _later(module: str, name: str) -> type[command.Command]:
    """A class that makes commands of another one, imported by then."""

    class Later(command.Command):
        def __new__(  # type: ignore[misc]
            cls,
            app: Any,
            app_args: argparse.Namespace | None,
            cmd_name: str | None = None,
        ) -> command.Command:
            home = importlib.import_module(f'vbsclient.osc.{module}')
            made: command.Command = getattr(home, name)(
                app, app_args, cmd_name
            )
            return made

    return Later


DeleteVbsBackup = _later('vbs.backup', 'DeleteVbsBackup')
ListVbsBackup = _later('vbs.backup', 'ListVbsBackup')
PruneVbsBackup = _later('vbs.prune', 'PruneVbsBackup')
ShowVbsBackup = _later('vbs.backup', 'ShowVbsBackup')
ShowVbsQuota = _later('vbs.quota', 'ShowVbsQuota')
DeleteVbsShare = _later('vbs.share', 'DeleteVbsShare')
ListVbsShare = _later('vbs.share', 'ListVbsShare')
ShowVbsShare = _later('vbs.share', 'ShowVbsShare')

DeleteCsbsBackup = _later('csbs.backup', 'DeleteCsbsBackup')
ListCsbsBackup = _later('csbs.backup', 'ListCsbsBackup')
PruneCsbsBackup = _later('csbs.prune', 'PruneCsbsBackup')
ShowCsbsBackup = _later('csbs.backup', 'ShowCsbsBackup')
DeleteCsbsCheckpoint = _later('csbs.checkpoint', 'DeleteCsbsCheckpoint')
ListCsbsCheckpoint = _later('csbs.checkpoint', 'ListCsbsCheckpoint')
ShowCsbsCheckpoint = _later('csbs.checkpoint', 'ShowCsbsCheckpoint')
ShowCsbsQuota = _later('csbs.quota', 'ShowCsbsQuota')
