# SPDX-License-Identifier: Apache-2.0
"""A believable cloud: three servers and a few weeks of backups."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from tests.sandbox.model import Server, Volume
from tests.sandbox.plans import DAYS, pattern
from tests.sandbox.state import CloudState, described
from tests.sandbox.volume_policies import SUCCESS

NIGHTS = 7

#: How long `web02-running` is being made, in seconds from the start.
CREATION_TIME = 300

# server -> (disk, GB)
DISKS = {
    'web01': (('root', 40), ('data', 100)),
    'web02': (('root', 40),),
    'db01': (('root', 40), ('data', 500), ('log', 80)),
}


def seed(state: CloudState) -> None:
    """Fill the state; names and ids are the same in each run."""
    with state.lock:
        servers = {name: _server(state, name) for name in DISKS}
        volumes = {
            volume.name: volume
            for server in servers.values()
            for volume in server.volumes
        }
        _nightly(state, list(volumes.values()))
        _manual(state, volumes)
        _shared(state, volumes)
        _checkpoints(state, list(servers.values()))
        _policies(state, volumes)


def add_nights(state: CloudState, count: int) -> None:
    """More VBS backups, for demonstrations of scale: `bulk-00001` ..."""
    with state.lock:
        volume = state.add_volume('bulk', 10)
        for number in range(1, count + 1):
            when = _at(state, 30, 0) + timedelta(seconds=number)
            state.add_backup(f'bulk-{number:05}', volume, created_at=when)


def add_trouble(state: CloudState) -> None:
    """Let three backups of the seed be stuck, or fail."""
    said = 'The storage did not answer.'
    with state.lock:
        long_ago = state.stamp(_at(state, NIGHTS, 7))
        for backup in state.backups.values():
            if backup.name == 'autobk_1e2f':
                backup.status = 'deleting'
                backup.updated_at = long_ago
            elif backup.name == 'autobk_63ca':
                backup.status = 'error_deleting'
                backup.fail_reason = said
                backup.updated_at = long_ago
        for item in state.items.values():
            if item.name == 'web01-pre-patch':
                item.status = 'error'
                item.fail_op = 'delete'
                item.fail_reason = said
                item.updated_at = long_ago


def _at(state: CloudState, days: int, hour: int) -> datetime:
    """An hour of the day so many days ago."""
    day = state.now().replace(minute=0, second=0, microsecond=0)
    return (day - timedelta(days=days)).replace(hour=hour)


def _server(state: CloudState, name: str) -> Server:
    volumes = [
        state.add_volume(f'{name}-{disk}', size, bootable=disk == 'root')
        for disk, size in DISKS[name]
    ]
    return state.add_server(name, volumes)


def _nightly(state: CloudState, volumes: Sequence[Volume]) -> None:
    """A full backup a week ago, then one increment each night."""
    names = random.Random(1)
    for volume in volumes:
        for night in range(NIGHTS, 0, -1):
            state.add_backup(
                f'autobk_{names.getrandbits(16):04x}',
                volume,
                incremental=night != NIGHTS,
                created_at=_at(state, night, 2),
            )


def _manual(state: CloudState, volumes: dict[str, Volume]) -> None:
    data = volumes['db01-data']
    state.add_backup(
        'db01-before-upgrade',
        data,
        created_at=_at(state, 20, 9),
        description=described('before the upgrade to 16', False),
    )
    # Names are not unique: a command must ask which of the two is meant.
    for name in ('web01-data', 'web02-root'):
        state.add_backup(
            'nightly-copy', volumes[name], created_at=_at(state, 12, 3)
        )
    state.add_backup(
        'db01-log-failed',
        volumes['db01-log'],
        status='error',
        fail_reason='The snapshot could not be read.',
        created_at=_at(state, 9, 4),
    )
    running = state.add_backup(
        'web02-running', volumes['web02-root'], status='creating'
    )
    state.agenda.add(CREATION_TIME, lambda: state.finish_backup(running))


def _shared(state: CloudState, volumes: dict[str, Volume]) -> None:
    partners = [
        state.add_project(name, member=False)
        for name in ('partner-a', 'partner-b')
    ]
    golden = state.add_backup(
        'web01-golden', volumes['web01-root'], created_at=_at(state, 30, 8)
    )
    dataset = state.add_backup(
        'db01-dataset', volumes['db01-data'], created_at=_at(state, 28, 8)
    )
    for partner in partners:
        state.add_share(golden, partner, created_at=_at(state, 29, 8))
    state.add_share(dataset, partners[0], created_at=_at(state, 27, 8))


def _checkpoints(state: CloudState, servers: Sequence[Server]) -> None:
    web01, _, db01 = servers
    state.add_checkpoint(
        [web01], 'web01-pre-patch', created_at=_at(state, 5, 11)
    )
    when = _at(state, 3, 1)
    weekly = state.add_checkpoint(
        servers,
        'autobk_c5b5',
        policy='weekly-all',
        auto_trigger=True,
        created_at=when,
    )
    trigger = state.plans[weekly.policy_id].operation['trigger']
    trigger['properties']['pattern'] = pattern(
        f'FREQ=WEEKLY;BYDAY={DAYS[when.weekday()]};BYHOUR=1;BYMINUTE=0'
    )
    state.add_checkpoint(
        [db01], 'db01-template', image=True, created_at=_at(state, 40, 15)
    )


def _policies(state: CloudState, volumes: dict[str, Volume]) -> None:
    """Beside the default policy one that made a volume's nightly backups.

    And one that has not run yet.
    """
    policies = state.volume_policies
    policies.add_body(
        state.project.id,
        {
            'backup_policy_name': 'twice-a-week',
            'scheduled_policy': {
                'start_time': '22:00',
                'week_frequency': ['MON', 'THU'],
                'rentention_day': 30,
                'remain_first_backup_of_curMonth': 'Y',
                'status': 'ON',
            },
            'time_zone': 'UTC+02:00',
        },
        (volumes['web01-data'], volumes['web02-root']),
    )
    volume = volumes['db01-data']
    nightly = policies.add(
        state.project.id,
        'nightly-db',
        volume,
        start_time='02:00',
        rentention_num=NIGHTS,
    )
    for backup in state.backups_of_volume(volume.id):
        if backup.source == 'vbs' and (backup.name or '').startswith('autobk'):
            policies.add_task(
                nightly,
                volume.id,
                SUCCESS,
                backup_name=backup.name,
                created_at=datetime.fromisoformat(backup.created_at),
            )
