# SPDX-License-Identifier: Apache-2.0
"""Whatever a restore would be refused for, its POST does not leave.

A case for each code of both references that a restore can be refused with.
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack
from tests.functional.wire import UNKNOWN, restores
from tests.sandbox import Sandbox
from tests.sandbox.model import Backup, CheckpointItem, Server, Volume

LOOK_UP = {'catalog': 'vbs+volumev3'}
OPTIONS = ('--yes', '--force', '--wait', '-f', 'json')


class Disk:
    """A volume and its backup, and what is typed to restore it."""

    def __init__(self, c: Sandbox) -> None:
        self.cloud = c
        self.volume: Volume = c.state.add_volume('data')
        self.backup: Backup = c.state.add_backup('nightly', self.volume)
        self.typed = [self.backup.id, self.volume.id]


def _named(number: int, text: str) -> Callable[[Disk], None]:
    def change(case: Disk) -> None:
        case.typed[number] = text

    return change


def _volume(**values: Any) -> Callable[[Disk], None]:
    return lambda case: vars(case.volume).update(values)


def _busy(case: Disk) -> None:
    case.cloud.state.add_backup('now', case.volume, status='creating')


#: What makes VBS answer with each code, and what is said instead.
VBS = {
    '0111': (_named(0, UNKNOWN), 'No backup found'),
    '0202': (_volume(status='error'), 'status of the volume is error'),
    '0203': (_named(0, ''), 'empty'),
    '0204': (_named(0, 'no-uuid'), 'No backup found'),
    '0205': (_volume(status='in-use'), 'status of the volume is in-use'),
    '0206': (_busy, 'is being created'),
    '0207': (_named(1, UNKNOWN), 'No volume found'),
    '0208': (_named(1, 'no-uuid'), 'No volume found'),
    '0209': (_volume(size=19), 'needs 20 GB'),
    '0210': (_named(1, ''), 'empty'),
}


@pytest.mark.parametrize('code', VBS)
def test_vbs(cloud: CloudFactory, openstack: Openstack, code: str) -> None:
    case = Disk(cloud(**LOOK_UP))
    change, told = VBS[code]
    change(case)
    result = openstack.run('vbs', 'backup', 'restore', *case.typed, *OPTIONS)
    assert result.code == 1, result
    assert told in result.stderr, result
    assert restores(case.cloud) == []


def test_vbs_alone_knows_a_recovery_site(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    """0211: nothing that can be read tells it, and it is sent once."""
    case = Disk(cloud(**LOOK_UP))
    case.volume.replicated = True
    result = openstack.run('vbs', 'backup', 'restore', *case.typed, *OPTIONS)
    assert result.code == 1, result
    assert 'VolumeBackup.0211' in result.stderr
    assert len(restores(case.cloud)) == 1
    assert case.volume.content is None


class Machine:
    """A server with two disks and its backup, and another such server."""

    def __init__(self, c: Sandbox) -> None:
        self.cloud = c
        self.server: Server = c.state.add_server('web01', 2)
        self.other: Server = c.state.add_server('web02', 2)
        self.item: CheckpointItem = c.state.add_checkpoint(
            [self.server], 'weekly'
        ).items[0]
        self.typed = [self.item.id]

    def onto(self, *targets: Volume, server: Server | None = None) -> None:
        """Name targets, in the order of the disks in the backup."""
        if server is not None:
            self.typed.append(f'--server={server.id}')
        for part, target in zip(self.item.parts, targets, strict=False):
            self.typed.append(f'--volume={part.volume_id}={target.id}')


def _detached(case: Machine) -> None:
    case.onto(case.cloud.state.add_volume('loose'))


def _missing(case: Machine) -> None:
    case.typed.append(f'--server={UNKNOWN}')


def _foreign_part(case: Machine) -> None:
    loose = case.cloud.state.add_volume('loose')
    case.typed.append(f'--volume={loose.id}={case.server.volumes[0].id}')


def _unmapped(case: Machine) -> None:
    case.onto(case.other.volumes[0], server=case.other)


def _without_disks(case: Machine) -> None:
    case.typed.append(f'--server={case.cloud.state.add_server("bare", 0).id}')


def _shared(case: Machine) -> None:
    case.server.volumes[1].multiattach = True


def _swapped(case: Machine) -> None:
    system, data = case.server.volumes
    case.onto(data, system)


def _small(case: Machine) -> None:
    case.server.volumes[1].size = 1


def _elsewhere(case: Machine) -> None:
    case.server.availability_zone = 'eu-de-02'


def _says(code: str) -> Callable[[Machine], None]:
    """What only the service knows: it says it when it is asked (C3)."""

    def change(case: Machine) -> None:
        case.server.restorable = False
        case.server.restorable_code = code
        case.server.restorable_message = 'It is as it is.'

    return change


def _server(**values: Any) -> Callable[[Machine], None]:
    return lambda case: vars(case.server).update(values)


def _item(**values: Any) -> Callable[[Machine], None]:
    return lambda case: vars(case.item).update(values)


#: The same for CSBS; what is checked here, too, is not asked about.
CSBS = {
    '3001': (
        lambda case: case.typed.__setitem__(0, UNKNOWN),
        'No server backup',
    ),
    '4000': (_item(status='error'), 'status of the backup is error'),
    '4000 na': (_item(restore_mode='na'), 'mode na'),
    '6000': (_missing, 'No server found'),
    '6013': (_says('CSBS.6013'), 'CSBS.6013'),
    '6014': (_detached, 'not attached to the server'),
    '6015': (_server(task_state='rebuilding'), 'server is busy'),
    '6016': (_says('CSBS.6016'), 'CSBS.6016'),
    '6016 faulty': (_server(status='ERROR'), 'status of the server is ERROR'),
    '6016 resize': (_server(status='VERIFY_RESIZE'), 'is VERIFY_RESIZE'),
    '6017': (_foreign_part, 'The backup has no volume'),
    '6018': (_unmapped, 'no target is named for it'),
    '6019': (_says('CSBS.6019'), 'CSBS.6019'),
    '6020': (_without_disks, 'no target is named for it'),
    '6021': (_shared, 'can be shared by servers'),
    '6023': (_swapped, 'CSBS.6023'),
    '6024': (_small, 'has 1 GB, and 20 GB are needed'),
    '6025': (_elsewhere, 'CSBS.6025'),
}


@pytest.mark.parametrize('code', CSBS)
def test_csbs(cloud: CloudFactory, openstack: Openstack, code: str) -> None:
    case = Machine(cloud(**LOOK_UP))
    change, told = CSBS[code]
    change(case)
    result = openstack.run('csbs', 'backup', 'restore', *case.typed, *OPTIONS)
    assert result.code == 1, result
    assert told in result.stderr, result
    assert restores(case.cloud) == []
    assert case.cloud.state.restores == {}
