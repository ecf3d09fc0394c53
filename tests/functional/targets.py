# SPDX-License-Identifier: Apache-2.0
"""Targets for any command that changes something, and what became of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.functional.shell import Result
from tests.functional.wire import creations, deletes
from tests.sandbox import CloudState, Sandbox

REPORT = ('-f', 'json')

#: A cloud in which there is room for everything, and volumes have names.
ROOMY = {
    'catalog': 'vbs+volumev3',
    'backup_quota': -1,
    'csbs_backup_quota': -1,
}


@dataclass
class Named:
    """What a command names.

    :ivar arguments: behind its words.
    :ivar ids: of the targets.
    :ivar whole: for each target the ids of all that goes with it.
    :ivar shown: the id by which a message calls the first one, if that is
        another one.
    """

    arguments: list[str]
    ids: list[str]
    whole: list[set[str]] = field(default_factory=list)
    shown: str = ''


def add_targets(state: CloudState, command: str, number: int = 2) -> Named:
    """Targets for a command, none of which depends on another."""
    if command.endswith('create'):
        return _add_sources(state, command, number)
    if command.endswith('restore'):
        return add_overwritten(state, command)
    if command.startswith('vbs backup'):
        backups = [
            state.add_backup(None, state.add_volume()) for _ in range(number)
        ]
        ids = [backup.id for backup in backups]
        return Named(ids, ids, [{id} for id in ids])
    if command.startswith('vbs share'):
        backup = state.add_backup()
        shares = [
            state.add_share(backup, state.new_hex()) for _ in range(number)
        ]
        ids = [share.id for share in shares]
        return Named(ids, ids, [{id} for id in ids])
    if command == 'csbs checkpoint delete':
        runs = [state.add_checkpoint() for _ in range(number)]
        ids = [run.id for run in runs]
        return Named(ids, ids, [with_disks(state, *r.items) for r in runs])
    if command == 'csbs backup delete':
        runs = [state.add_checkpoint(2) for _ in range(number)]
        items = [run.items[0] for run in runs]
        ids = [item.id for item in items]
        return Named(ids, ids, [with_disks(state, item) for item in items])
    run = state.add_checkpoint(number + 1)
    items = run.items[:number]
    options = [word for item in items for word in ('--item', item.id)]
    return Named(
        [run.id, *options],
        [item.id for item in items],
        [with_disks(state, item) for item in items],
    )


def _add_sources(state: CloudState, command: str, number: int) -> Named:
    """What something is made of."""
    add = {
        'vbs backup create': state.add_volume,
        'csbs backup create': lambda: state.add_server('server'),
        'vbs share create': state.add_backup,
    }[command]
    ids = [add().id for _ in range(number)]
    project = [f'--target-project={state.new_hex()}']
    options = project if command == 'vbs share create' else []
    return Named([*options, *ids], ids, [{id} for id in ids])


def add_overwritten(state: CloudState, command: str) -> Named:
    """The one backup of a restore, and what it was made of."""
    if command.startswith('vbs'):
        volume = state.add_volume('target')
        backup = state.add_backup('saved', volume)
        ids = [backup.id]
        return Named([*ids, volume.id], ids, [{*ids}], shown=volume.id)
    server = state.add_server('target', 2)
    item = state.add_checkpoint([server]).items[0]
    whole = with_disks(state, item)
    return Named([item.id], [item.id], [whole], shown=server.id)


def add_history(state: CloudState, command: str) -> Named:
    """Two old backups that no rule keeps, of two volumes or servers."""
    then = state.now() - timedelta(days=50)
    if command.startswith('vbs'):
        volumes = [state.add_volume() for _ in range(2)]
        old = [state.add_backup(None, v, created_at=then) for v in volumes]
        for volume in volumes:
            state.add_backup(None, volume)
        ids = [backup.id for backup in old]
        return Named(['--all-volumes'], ids, [{id} for id in ids])
    servers = [state.add_server(f'server{number}') for number in range(3)]
    # What is saved of the third one stays: it has nothing newer.
    items = state.add_checkpoint(servers, created_at=then).items[1::-1]
    state.add_checkpoint(servers[:2])
    return Named(
        ['--all-servers'],
        [item.id for item in items],
        [with_disks(state, item) for item in items],
    )


def with_disks(state: CloudState, *items: Any) -> set[str]:
    """The ids of server backups and of the disks in them."""
    ids = {item.id for item in items}
    return ids.union(b.id for item in items for b in state.backups_in(item))


def things(state: CloudState, command: str = '') -> dict[str, Any]:
    """What a command can change, by its id: what it is now.

    The status of all that can be deleted; of a command that creates, how
    much has been made of each volume, server or backup.
    """
    if command.endswith('create'):
        return Counter(
            [
                *(
                    b.volume_id
                    for b in state.backups.values()
                    if not b.item_id
                ),
                *(item.resource_id for item in state.items.values()),
                *(
                    server.id
                    for r in state.checkpoints.values()
                    for server in r.awaited
                ),
                *(share.backup_id for share in state.shares.values()),
            ]
        )
    return {
        **{id: backup.status for id, backup in state.backups.items()},
        **{id: item.status for id, item in state.items.items()},
        **dict.fromkeys(state.shares, 'shared'),
    }


def changed(
    before: Mapping[str, Any], state: CloudState, command: str = ''
) -> set[str]:
    """The ids of what is not as it was.

    Whatever happens, a command never creates two of anything.
    """
    after = things(state, command)
    ids = {id for id in {*before, *after} if before.get(id) != after.get(id)}
    if command.endswith('create'):
        assert all(after[id] == before.get(id, 0) + 1 for id in ids)
    return ids


def words(command: str) -> list[str]:
    return command.removesuffix(' --item').split()


def results(result: Result) -> list[str]:
    """The results in the report; none if there is no report."""
    return [row['Result'] for row in result.json()] if result.stdout else []


def commands_in(text: str) -> list[list[str]]:
    """The commands that a message tells to run, as a user would paste them."""
    return [
        command.split() for command in re.findall(r'openstack ([^"\n]+)', text)
    ]


def arrived(sandbox: Sandbox, id: str) -> int:
    """How often a request has come that changes something for this id."""
    sent = [*deletes(sandbox), *map(str, creations(sandbox))]
    return sum(id in text for text in sent)
