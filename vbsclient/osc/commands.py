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


DeleteVbsBackup = _later('vbs_backup', 'DeleteBackup')
ListVbsBackup = _later('vbs_backup', 'ListBackup')
PruneVbsBackup = _later('vbs_prune', 'PruneBackup')
ShowVbsBackup = _later('vbs_backup', 'ShowBackup')
ShowVbsQuota = _later('vbs_quota', 'ShowQuota')
DeleteVbsShare = _later('vbs_share', 'DeleteShare')
ListVbsShare = _later('vbs_share', 'ListShare')
ShowVbsShare = _later('vbs_share', 'ShowShare')

DeleteCsbsBackup = _later('csbs_backup', 'DeleteBackup')
ListCsbsBackup = _later('csbs_backup', 'ListBackup')
PruneCsbsBackup = _later('csbs_prune', 'PruneBackup')
ShowCsbsBackup = _later('csbs_backup', 'ShowBackup')
DeleteCsbsCheckpoint = _later('csbs_checkpoint', 'DeleteCheckpoint')
ListCsbsCheckpoint = _later('csbs_checkpoint', 'ListCheckpoint')
ShowCsbsCheckpoint = _later('csbs_checkpoint', 'ShowCheckpoint')
ShowCsbsQuota = _later('csbs_quota', 'ShowQuota')
