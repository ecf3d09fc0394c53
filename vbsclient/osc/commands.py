# SPDX-License-Identifier: Apache-2.0
"""The table of all commands, each imported only when it is used.

``openstack`` loads the class behind every entry point of every plugin at
each start, whichever command it runs.  So the entry points name classes that
weigh next to nothing and make the real command when they are called.  A test
compares the table with setup.cfg, the modules, and the imports that editors
follow.
"""
# ruff: noqa: F401, N805

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from osc_lib.command import command

if TYPE_CHECKING:
    from vbsclient.osc.command.quota import ShowCsbsQuota, ShowVbsQuota
    from vbsclient.osc.csbs.backup import (
        DeleteCsbsBackup,
        ListCsbsBackup,
        ShowCsbsBackup,
    )
    from vbsclient.osc.csbs.checkpoint import (
        DeleteCsbsCheckpoint,
        ListCsbsCheckpoint,
        ShowCsbsCheckpoint,
    )
    from vbsclient.osc.csbs.create import CreateCsbsBackup
    from vbsclient.osc.csbs.policy import (
        ExportCsbsPolicy,
        ListCsbsPolicy,
        ShowCsbsPolicy,
    )
    from vbsclient.osc.csbs.policy_members import (
        AddCsbsPolicyServer,
        ExecuteCsbsPolicy,
        RemoveCsbsPolicyServer,
    )
    from vbsclient.osc.csbs.policy_set import (
        CreateCsbsPolicy,
        DeleteCsbsPolicy,
        SetCsbsPolicy,
    )
    from vbsclient.osc.csbs.prune import PruneCsbsBackup
    from vbsclient.osc.csbs.restore import RestoreCsbsBackup
    from vbsclient.osc.vbs.backup import (
        DeleteVbsBackup,
        ListVbsBackup,
        ShowVbsBackup,
    )
    from vbsclient.osc.vbs.create import CreateVbsBackup
    from vbsclient.osc.vbs.job import ShowVbsJob
    from vbsclient.osc.vbs.policy import (
        ExportVbsBackupPolicy,
        ListVbsBackupPolicy,
        ListVbsBackupPolicyTask,
        ShowVbsBackupPolicy,
    )
    from vbsclient.osc.vbs.policy_members import (
        AddVbsBackupPolicyVolume,
        ExecuteVbsBackupPolicy,
        RemoveVbsBackupPolicyVolume,
    )
    from vbsclient.osc.vbs.policy_set import (
        CreateVbsBackupPolicy,
        DeleteVbsBackupPolicy,
        SetVbsBackupPolicy,
    )
    from vbsclient.osc.vbs.prune import PruneVbsBackup
    from vbsclient.osc.vbs.restore import RestoreVbsBackup
    from vbsclient.osc.vbs.share import (
        CreateVbsShare,
        DeleteVbsShare,
        ListVbsShare,
        ShowVbsShare,
    )

#: The classes of each module in ``vbsclient.osc``.
COMMANDS = {
    'command.quota': 'ShowCsbsQuota ShowVbsQuota',
    'csbs.backup': 'DeleteCsbsBackup ListCsbsBackup ShowCsbsBackup',
    'csbs.create': 'CreateCsbsBackup',
    'csbs.restore': 'RestoreCsbsBackup',
    'csbs.checkpoint': (
        'DeleteCsbsCheckpoint ListCsbsCheckpoint ShowCsbsCheckpoint'
    ),
    'csbs.policy': 'ExportCsbsPolicy ListCsbsPolicy ShowCsbsPolicy',
    'csbs.policy_set': 'CreateCsbsPolicy DeleteCsbsPolicy SetCsbsPolicy',
    'csbs.policy_members': (
        'AddCsbsPolicyServer ExecuteCsbsPolicy RemoveCsbsPolicyServer'
    ),
    'csbs.prune': 'PruneCsbsBackup',
    'vbs.backup': 'DeleteVbsBackup ListVbsBackup ShowVbsBackup',
    'vbs.create': 'CreateVbsBackup',
    'vbs.job': 'ShowVbsJob',
    'vbs.policy': (
        'ExportVbsBackupPolicy ListVbsBackupPolicy ListVbsBackupPolicyTask '
        'ShowVbsBackupPolicy'
    ),
    'vbs.restore': 'RestoreVbsBackup',
    'vbs.policy_set': (
        'CreateVbsBackupPolicy DeleteVbsBackupPolicy SetVbsBackupPolicy'
    ),
    'vbs.policy_members': (
        'AddVbsBackupPolicyVolume ExecuteVbsBackupPolicy '
        'RemoveVbsBackupPolicyVolume'
    ),
    'vbs.prune': 'PruneVbsBackup',
    'vbs.share': 'CreateVbsShare DeleteVbsShare ListVbsShare ShowVbsShare',
}


class _Lazy(command.CommandMeta):
    """The type of a class that stands for a command of another module."""

    @property
    def __wrapped__(cls) -> Any:
        """The real class."""
        return getattr(importlib.import_module(cls.__module__), cls.__name__)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make the real command."""
        return cls.__wrapped__(*args, **kwargs)


for _module, _names in COMMANDS.items():
    for _name in _names.split():
        globals()[_name] = _Lazy(
            _name,
            (command.Command,),
            {'__module__': f'vbsclient.osc.{_module}'},
        )
