# SPDX-License-Identifier: Apache-2.0
"""What exists in the cloud, and how to put things there.

Nothing here knows of HTTP.  Several threads may read and write: hold
`lock` over anything that takes more than one step.
"""

import json
import random
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from tests.sandbox.agenda import Agenda
from tests.sandbox.model import (
    AppCredential,
    Backup,
    Checkpoint,
    CheckpointItem,
    DiskPart,
    Domain,
    Image,
    Job,
    Project,
    Restore,
    Server,
    Share,
    Snapshot,
    Token,
    User,
    Volume,
)
from tests.sandbox.paging import Shelf
from tests.sandbox.plans import DEFINITION, Plan, Plans, new_plan, resource_of
from tests.sandbox.volume_policies import VolumePolicies

ZONE = 'eu-de-01'
DEFAULT: Any = object()
ENCRYPTION_KEY = '5a1f0e6c-9d3b-4c27-8f0a-2b7d6e4c1f90'

When = datetime | str | None


class CloudState:
    """Every resource of every project.

    Ids come from a seeded generator, so that two runs have the same ones.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        seed: int = 0,
        epoch: datetime | None = None,
    ) -> None:
        self.lock = threading.RLock()
        self._clock = clock
        self._zero = clock()
        self._epoch = epoch or datetime.now(timezone.utc)
        self._random = random.Random(seed)
        self._serial = 0

        self.domains: dict[str, Domain] = {}
        self.projects: dict[str, Project] = {}
        self.users: dict[str, User] = {}
        self.app_credentials: dict[str, AppCredential] = {}
        self.tokens: dict[str, Token] = {}
        self.volumes: dict[str, Volume] = {}
        self.snapshots: dict[str, Snapshot] = {}
        self.servers: dict[str, Server] = {}
        self.backups: dict[str, Backup] = {}
        self.shares: dict[str, Share] = {}
        self.items: dict[str, CheckpointItem] = {}
        self.checkpoints: dict[str, Checkpoint] = {}
        self.jobs: dict[str, Job] = {}
        self.images: dict[str, Image] = {}
        self.restores: dict[str, Restore] = {}
        self.volume_policies = VolumePolicies(self.volumes, clock, self.now)
        self.plans = Plans(clock)

        # The same rows in the order of their creation, for the lists.
        self.backups_of: defaultdict[str, Shelf[Backup]]
        self.backups_of = defaultdict(Shelf)
        self.items_of: defaultdict[str, Shelf[CheckpointItem]]
        self.items_of = defaultdict(Shelf)
        self.checkpoints_of: defaultdict[str, Shelf[Checkpoint]]
        self.checkpoints_of = defaultdict(Shelf)
        self.all_shares: Shelf[Share] = Shelf()

        self._children: defaultdict[str, set[str]] = defaultdict(set)
        # volume id -> backup id -> backup, oldest first
        self._of_volume: defaultdict[str, dict[str, Backup]]
        self._of_volume = defaultdict(dict)
        # backup id -> share id -> share
        self._shares: defaultdict[str, dict[str, Share]] = defaultdict(dict)
        self._spare: dict[str, Volume] = {}  # project id -> a volume
        self.agenda = Agenda(clock)
        # When what was removed was.
        self._removed: list[tuple[float, Backup | CheckpointItem]] = []

        self.domains['default'] = Domain('default', 'Default')
        self.user = self.add_user('demo', 'secret')
        self.project = self.add_project('demo')
        self.app_credential = self.add_app_credential('demo-cli')

    # -- ids and times -----------------------------------------------------

    def new_uuid(self) -> str:
        number = self._random.getrandbits(128)
        return str(uuid.UUID(int=number, version=4))

    def new_hex(self) -> str:
        return self.new_uuid().replace('-', '')

    def now(self) -> datetime:
        """The time of day as the injected clock has it."""
        return self._epoch + timedelta(seconds=self._clock() - self._zero)

    def stamp(self, when: When = None) -> str:
        """A time as the services write it: UTC without a suffix."""
        if isinstance(when, str):
            return when
        when = self.now() if when is None else when
        if when.tzinfo is not None:
            when = when.astimezone(timezone.utc).replace(tzinfo=None)
        return when.isoformat(timespec='microseconds')

    def _next(self) -> int:
        self._serial += 1
        return self._serial

    # -- identity ----------------------------------------------------------

    def add_domain(self, name: str) -> Domain:
        with self.lock:
            domain = Domain(self.new_hex(), name)
            self.domains[domain.id] = domain
            return domain

    def add_project(
        self, name: str, domain: str = 'default', member: bool = True
    ) -> Project:
        """`domain` is an id; `member=False` is somebody else's project."""
        with self.lock:
            project = Project(self.new_hex(), name, domain, member)
            self.projects[project.id] = project
            return project

    def add_user(
        self, name: str, password: str, domain: str = 'default'
    ) -> User:
        with self.lock:
            user = User(self.new_hex(), name, password, domain)
            self.users[user.id] = user
            return user

    def add_app_credential(
        self, name: str, project: Project | None = None
    ) -> AppCredential:
        with self.lock:
            credential = AppCredential(
                self.new_hex(),
                name,
                f'secret-of-{name}',
                self.user.id,
                (project or self.project).id,
            )
            self.app_credentials[credential.id] = credential
            return credential

    # -- disks and servers -------------------------------------------------

    def add_volume(
        self,
        name: str = 'disk',
        size: int = 20,
        *,
        status: str = 'available',
        bootable: bool = False,
        project_id: str | None = None,
        availability_zone: str = ZONE,
        creation: str | None = None,
        restore: str | None = None,
        volume_type: str = 'SATA',
        encrypted: bool = False,
        multiattach: bool = False,
        replicated: bool = False,
    ) -> Volume:
        """`creation` is what becomes of its backups, if not what becomes
        of all (see the knob of that name), and `restore` what becomes of
        what is restored to it.  `replicated` is a part of a
        disaster-recovery site."""
        with self.lock:
            volume = Volume(
                self.new_uuid(),
                name,
                project_id or self.project.id,
                size,
                status,
                availability_zone,
                bootable,
                self.stamp(),
                creation=creation,
                restore=restore,
                volume_type=volume_type,
                encrypted=encrypted,
                multiattach=multiattach,
                replicated=replicated,
            )
            self.volumes[volume.id] = volume
            return volume

    def add_snapshot(
        self,
        volume: Volume,
        name: str = 'snapshot',
        *,
        status: str = 'available',
        created_at: When = None,
    ) -> Snapshot:
        with self.lock:
            snapshot = Snapshot(
                self.new_uuid(),
                name,
                volume.project_id,
                volume.id,
                volume.size,
                status,
                self.stamp(created_at),
            )
            self.snapshots[snapshot.id] = snapshot
            return snapshot

    def add_server(
        self,
        name: str,
        volumes: Sequence[Volume] | int = 1,
        *,
        status: str = 'ACTIVE',
        project_id: str | None = None,
        availability_zone: str = ZONE,
        creation: str | None = None,
        protectable: bool = True,
        protectable_code: str = '',
        protectable_message: str = '',
        restore: str | None = None,
        restorable: bool = True,
        restorable_code: str = '',
        restorable_message: str = '',
        task_state: str | None = None,
    ) -> Server:
        """`volumes` may be a number of disks to make.

        `creation` is what becomes of its backups, if not what becomes of
        all, and `restore` what becomes of what is restored to it.
        `protectable` is what CSBS says when it is asked whether the server
        can be backed up, with a code and a message; `restorable` is what it
        says about a restore to the server.
        """
        with self.lock:
            project = project_id or self.project.id
            if isinstance(volumes, int):
                volumes = [
                    self.add_volume(
                        f'{name}-disk{number}',
                        bootable=number == 0,
                        project_id=project,
                    )
                    for number in range(volumes)
                ]
            server = Server(
                self.new_uuid(),
                name,
                project,
                status,
                availability_zone,
                f'192.168.0.{10 + len(self.servers) % 240}',
                self.stamp(),
                creation=creation,
                protectable=protectable,
                protectable_code=protectable_code,
                protectable_message=protectable_message,
                restore=restore,
                restorable=restorable,
                restorable_code=restorable_code,
                restorable_message=restorable_message,
                task_state=task_state,
            )
            for volume in volumes:
                self.attach(server, volume)
            self.servers[server.id] = server
            return server

    def remove_server(self, server: Server) -> None:
        """Gone; its disks stay, and belong to no server."""
        with self.lock:
            if self.servers.pop(server.id, None) is None:
                return
            for volume in server.volumes:
                _free(volume)

    def attach(self, server: Server, volume: Volume) -> None:
        """It becomes the last disk of a server."""
        with self.lock:
            server.volumes.append(volume)
            volume.server_id = server.id
            volume.status = 'in-use'

    def detach(self, server: Server, volume: Volume) -> None:
        with self.lock:
            server.volumes.remove(volume)
            _free(volume)

    # -- VBS ---------------------------------------------------------------

    def add_backup(
        self,
        name: str | None = None,
        volume: Volume | str | None = None,
        *,
        status: str = 'available',
        incremental: bool = False,
        parent: Backup | None = None,
        size: int | None = None,
        source: str = 'vbs',
        created_at: When = None,
        project_id: str | None = None,
        description: str | None = None,
        fail_reason: str | None = None,
        availability_zone: str | None = None,
        service_metadata: str | dict[str, Any] | None = DEFAULT,
        item: CheckpointItem | None = None,
        image: bool = False,
        deletion_fails: bool = False,
    ) -> Backup:
        """A volume backup.

        Without a volume it is one of a spare disk of the project.  An
        incremental one depends on the backup of its volume that was added
        last, or on `parent`.
        """
        with self.lock:
            project = project_id or self.project.id
            volume_id, volume_size = self._disk(volume, project)
            serial = self._next()
            backup = Backup(
                self.new_uuid(),
                serial,
                f'backup-{serial}' if name is None else name,
                project,
                volume_id,
                volume_size if size is None else size,
                status,
                self.stamp(created_at),
                availability_zone or ZONE,
                incremental,
                description=description,
                fail_reason=fail_reason,
                source=source,
                item_id=item.id if item else None,
                image=image,
                deletion_fails=deletion_fails,
            )
            source_disk = self.volumes.get(volume_id)
            backup.service_metadata = _metadata(
                backup, service_metadata, item, source_disk
            )
            self._place(backup, parent)
            return backup

    def _disk(
        self, volume: Volume | str | None, project_id: str
    ) -> tuple[str, int]:
        """Id and size; a volume that is only an id may be long gone."""
        if isinstance(volume, str):
            return volume, 20
        volume = volume or self._spare_volume(project_id)
        return volume.id, volume.size

    def _spare_volume(self, project_id: str) -> Volume:
        if project_id not in self._spare:
            self._spare[project_id] = self.add_volume(
                'spare', project_id=project_id
            )
        return self._spare[project_id]

    def _place(self, backup: Backup, parent: Backup | None) -> None:
        earlier = self._of_volume[backup.volume_id]
        parent = parent or next(reversed(earlier.values()), None)
        if backup.incremental and parent:
            backup.parent_id = parent.id
            self._children[parent.id].add(backup.id)
        backup.data_timestamp = backup.created_at
        self.backups[backup.id] = backup
        self.backups_of[backup.project_id].add(backup)
        earlier[backup.id] = backup

    def finish_backup(self, backup: Backup, failed: str = '') -> None:
        """Let what is being made come to rest.

        :param failed: why it failed, if it did.
        """
        if backup.status != 'creating':
            return
        backup.status = 'error' if failed else 'available'
        backup.fail_reason = failed or None
        backup.updated_at = self.stamp()

    def dependants(self, backup: Backup) -> list[Backup]:
        """The incremental backups that build directly on this one."""
        children = self._children.get(backup.id, ())
        return [self.backups[child] for child in children]

    def backups_of_volume(self, volume_id: str) -> list[Backup]:
        """All that there are of a disk, whoever made them, oldest first."""
        return list(self._of_volume.get(volume_id, {}).values())

    def base_of(self, volume_id: str) -> Backup | None:
        """What the next incremental backup of a disk builds on."""
        good = [
            backup
            for backup in self.backups_of_volume(volume_id)
            if backup.status == 'available'
        ]
        return good[-1] if good else None

    def remove_backup(self, backup: Backup) -> None:
        """Gone, and its shares with it."""
        with self.lock:
            if self.backups.pop(backup.id, None) is None:
                return
            self.backups_of[backup.project_id].remove(backup)
            self._of_volume[backup.volume_id].pop(backup.id)
            self._removed.append((self._clock(), backup))
            self._children.pop(backup.id, None)
            if backup.parent_id and backup.parent_id in self._children:
                self._children[backup.parent_id].discard(backup.id)
            for share in self.shares_of(backup.id):
                self.remove_share(share)

    def backups_listed(
        self, project_id: str, lag: float = 0.0, foreign: bool = False
    ) -> Shelf[Backup]:
        """What a list of a project shows.

        :param lag: with what was removed in the last so many seconds.
        :param foreign: with what other projects have.
        """
        with self.lock:
            if not lag and not foreign:
                return self.backups_of[project_id]
            shelf: Shelf[Backup] = Shelf()
            for backup in self.backups.values():
                if foreign or backup.project_id == project_id:
                    shelf.add(backup)
            for row in self._removed_since(lag):
                if isinstance(row, Backup) and row.project_id == project_id:
                    shelf.add(row)
            return shelf

    def items_listed(
        self, project_id: str | None, lag: float = 0.0
    ) -> Shelf[CheckpointItem]:
        """The same for CSBS, which does not say whose an item is.

        :param project_id: None for all.
        """
        with self.lock:
            if not lag and project_id is not None:
                return self.items_of[project_id]
            shelf: Shelf[CheckpointItem] = Shelf()
            for item in self.items.values():
                if project_id in (None, item.project_id):
                    shelf.add(item)
            for row in self._removed_since(lag):
                if isinstance(row, CheckpointItem) and project_id in (
                    None,
                    row.project_id,
                ):
                    shelf.add(row)
            return shelf

    def _removed_since(self, lag: float) -> list[Backup | CheckpointItem]:
        since = self._clock() - lag
        return [row for at, row in self._removed if at > since]

    def add_share(
        self,
        backup: Backup,
        to_project: Project | str,
        *,
        created_at: When = None,
    ) -> Share:
        with self.lock:
            target = (
                to_project.id
                if isinstance(to_project, Project)
                else to_project
            )
            share = Share(
                self.new_uuid(),
                self._next(),
                backup.id,
                backup.project_id,
                target,
                self.stamp(created_at),
            )
            self.shares[share.id] = share
            self._shares[backup.id][share.id] = share
            self.all_shares.add(share)
            return share

    def shares_of(self, backup_id: str) -> list[Share]:
        return list(self._shares.get(backup_id, {}).values())

    def remove_share(self, share: Share) -> None:
        with self.lock:
            if self.shares.pop(share.id, None) is not None:
                self.all_shares.remove(share)
                self._shares[share.backup_id].pop(share.id)

    def add_job(
        self,
        job_type: str,
        backup: Backup,
        status: str = 'RUNNING',
        volume: Volume | None = None,
    ) -> Job:
        """A job at work on a backup.

        :param volume: the one it is about, if not that of the backup.
        """
        with self.lock:
            job = Job(
                self.new_hex(),
                backup.project_id,
                job_type,
                self.stamp() + 'Z',
                backup.id,
                volume.id if volume else backup.volume_id,
                backup.snapshot_id or '',
                status,
            )
            self.jobs[job.id] = job
            return job

    # -- CSBS --------------------------------------------------------------

    def add_checkpoint(
        self,
        servers: Sequence[Server] | int = 1,
        name: str | None = None,
        *,
        status: str = 'available',
        policy: str | None = None,
        policy_id: str | None = None,
        incremental: bool = False,
        auto_trigger: bool = False,
        image: bool = False,
        deletion_fails: bool = False,
        created_at: When = None,
        project_id: str | None = None,
        description: str = '',
    ) -> Checkpoint:
        """What one run saved: an item per server, a VBS backup per disk.

        `servers` may be a number of servers to make.  `policy` is the name
        of the policy that ran, and `policy_id` its id; without both the run
        was a one-off.  A policy that does not exist is made, of those of the
        servers that belong to no other one.
        """
        with self.lock:
            project = project_id or self.project.id
            if isinstance(servers, int):
                base = len(self.servers)
                servers = [
                    self.add_server(f'server{base + n}', project_id=project)
                    for n in range(servers)
                ]
            fresh_id = self.new_uuid()
            plan_id = policy_id or (fresh_id if policy else f'fake_{fresh_id}')
            if not plan_id.startswith('fake_') and plan_id not in self.plans:
                self.add_plan(
                    policy or 'fake_plan',
                    [one for one in servers if not self.plan_of(one)],
                    id=plan_id,
                    project_id=project,
                    created_at=created_at,
                )
            plan = self.plans.get(plan_id)
            checkpoint = Checkpoint(
                self.new_uuid(),
                self._next(),
                project,
                name or self._run_name(auto_trigger),
                self.stamp(created_at),
                plan_id,
                plan.name if plan else 'fake_plan',
                auto_trigger,
            )
            self.checkpoints[checkpoint.id] = checkpoint
            self.checkpoints_of[project].add(checkpoint)
            for server in servers:
                item = self.add_item(
                    checkpoint, server, status, incremental, description
                )
                item.deletion_fails = deletion_fails
                if image:
                    made = self.add_image(checkpoint.name, project_id=project)
                    item.images = [made.id]
            return checkpoint

    def add_plan(
        self,
        name: str,
        servers: Sequence[Server] = (),
        *,
        id: str | None = None,
        project_id: str | None = None,
        created_at: When = None,
        description: str = '',
        enabled: bool = True,
        schedule: str = '',
        definition: dict[str, Any] | None = None,
        tags: Sequence[dict[str, str]] = (),
        **more: Any,
    ) -> Plan:
        """A policy of CSBS.

        `schedule` is the pattern of its trigger, and `definition` what it
        keeps: its `operation_definition`.  `more` are fields that nobody
        knows; those of other objects can be put into `body`.
        """
        with self.lock:
            plan = new_plan(
                id or self.new_uuid(),
                project_id or self.project.id,
                self.stamp(created_at),
                name=name,
                description=description,
                resources=map(resource_of, servers),
                enabled=enabled,
                definition=DEFINITION if definition is None else definition,
                schedule=schedule,
                tags=tags,
            )
            plan.body |= more
            self.plans[plan.id] = plan
            return plan

    def plan_of(self, server: Server) -> Plan | None:
        """The one policy that a server belongs to."""
        return self.plans.of_server(server.id)

    def _run_name(self, auto_trigger: bool) -> str:
        prefix = 'autobk' if auto_trigger else 'manualbk'
        return f'{prefix}_{self._random.getrandbits(16):04x}'

    def add_item(
        self,
        checkpoint: Checkpoint,
        server: Server,
        status: str,
        incremental: bool,
        description: str = '',
        tags: Sequence[dict[str, str]] = (),
    ) -> CheckpointItem:
        """What a run saved of one server, as add_checkpoint adds it."""
        item = CheckpointItem(
            self.new_uuid(),
            self._next(),
            checkpoint.id,
            checkpoint.project_id,
            checkpoint.name,
            status,
            checkpoint.created_at,
            server.id,
            server.name,
            server.availability_zone,
            checkpoint.policy_id,
            description,
            incremental=incremental,
            auto_trigger=checkpoint.auto_trigger,
            address=server.address,
            tags=list(tags),
        )
        if status == 'error':
            item.fail('backup', 'The backup failed.')
        for volume in server.volumes:
            self._add_part(item, volume)
        self.items[item.id] = item
        self.items_of[item.project_id].add(item)
        checkpoint.items.append(item)
        if server in checkpoint.awaited:
            checkpoint.awaited.remove(server)
        return item

    def _add_part(self, item: CheckpointItem, volume: Volume) -> None:
        backup = self.add_backup(
            item.name,
            volume,
            status=DISK_STATUS.get(item.status, 'available'),
            incremental=item.incremental,
            parent=self.base_of(volume.id),
            source='csbs',
            created_at=item.created_at,
            project_id=item.project_id,
            availability_zone=item.availability_zone,
            item=item,
        )
        backup.snapshot_id = self.new_uuid()
        item.parts.append(
            DiskPart(
                backup.id,
                item.name,
                volume.bootable,
                item.incremental,
                volume.size * (64 if item.incremental else 512),
                backup.snapshot_id,
                volume.id,
                volume.name,
                volume.size,
            )
        )

    def start_item(self, item: CheckpointItem) -> None:
        """Its turn has come."""
        if item.status == 'waiting_protect':
            item.status = 'protecting'
            item.updated_at = self.stamp()

    def finish_item(self, item: CheckpointItem, failed: str = '') -> None:
        """Let an item that is being made come to rest, with its disks."""
        if item.status not in ('waiting_protect', 'protecting'):
            return
        item.status = 'error' if failed else 'available'
        if failed:
            item.fail('backup', failed)
        item.updated_at = self.stamp()
        for backup in self.backups_in(item):
            self.finish_backup(backup, failed)

    def backups_in(self, item: CheckpointItem) -> list[Backup]:
        """The VBS backups of an item that still exist."""
        return [
            self.backups[part.backup_id]
            for part in item.parts
            if part.backup_id in self.backups
        ]

    def remove_item(self, item: CheckpointItem) -> None:
        """Gone, and the backups of its disks; a checkpoint ends empty."""
        with self.lock:
            if self.items.pop(item.id, None) is None:
                return
            self.items_of[item.project_id].remove(item)
            self._removed.append((self._clock(), item))
            for backup in self.backups_in(item):
                self.remove_backup(backup)
            checkpoint = self.checkpoints[item.checkpoint_id]
            checkpoint.items.remove(item)
            if not checkpoint.items:
                checkpoint.status = 'deleted'

    # -- images ------------------------------------------------------------

    def add_image(
        self, name: str, size: int = 2**30, *, project_id: str | None = None
    ) -> Image:
        with self.lock:
            image = Image(
                self.new_uuid(),
                name,
                project_id or self.project.id,
                size,
                f'{self.now():%Y-%m-%dT%H:%M:%SZ}',
            )
            self.images[image.id] = image
            return image

    def remove_image(self, image: Image) -> None:
        """Gone: no server backup has it any more."""
        with self.lock:
            if self.images.pop(image.id, None) is None:
                return
            for item in self.items.values():
                if image.id in item.images:
                    item.images.remove(image.id)


# The status of a disk's backup while its item has another than available.
DISK_STATUS = {
    'waiting_protect': 'creating',
    'protecting': 'creating',
    'restoring': 'restoring',
    'deleting': 'deleting',
    'error': 'error',
}


def _free(volume: Volume) -> None:
    volume.server_id = None
    volume.status = 'available'


def described(text: str, incremental: bool) -> str:
    """A description as the vendor's own tools wrap it."""
    return json.dumps({'DESC': text, 'INC': int(incremental)})


def _metadata(
    backup: Backup,
    given: Any,
    item: CheckpointItem | None,
    volume: Volume | None,
) -> str | None:
    if given is None or isinstance(given, str):
        return given
    if isinstance(given, dict):
        return json.dumps(given)
    data: dict[str, Any] = {
        'CS': backup.size * 512,
        'progress': 100,
        'AT': 29.9,
        'SS': 0,
        'DL': 0,
        'Type': int(backup.incremental),
        'BT': 'OBS',
        'bootable': volume is not None and volume.bootable,
    }
    if volume is not None and volume.encrypted:
        # The key itself, encrypted, and the id of the one that did it.
        data |= {'VK': '0' * 64, 'CMKID': ENCRYPTION_KEY}
    if backup.source == 'csbs':
        data['ST'] = 1
        data['VMID'] = item.resource_id if item else backup.volume_id
    # Some services write a blank before the JSON text; readers must cope.
    blank = ' ' if backup.incremental or item else ''
    return blank + json.dumps(data)
