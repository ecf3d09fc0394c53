# SPDX-License-Identifier: Apache-2.0
"""The things a cloud holds."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Domain:
    id: str
    name: str


@dataclass
class Project:
    id: str
    name: str
    domain_id: str
    # Whether the user has a role there: others' projects are unreadable.
    member: bool = True


@dataclass
class User:
    id: str
    name: str
    password: str
    domain_id: str
    # Good for one login, as those of a generator are.
    passcode: str | None = '123456'


@dataclass
class AppCredential:
    id: str
    name: str
    secret: str
    user_id: str
    project_id: str


@dataclass
class Token:
    id: str
    user_id: str
    project_id: str | None
    methods: tuple[str, ...]
    issued_at: str
    expires_at: str
    uses: int = 0  # service requests made with it


@dataclass
class Volume:
    id: str
    name: str
    project_id: str
    size: int  # GB
    status: str
    availability_zone: str
    bootable: bool
    created_at: str
    server_id: str | None = None
    # What becomes of its backups, where it is not what becomes of all.
    creation: str | None = None
    # The same for what is restored to it.
    restore: str | None = None
    # The same for its tasks of a policy.
    policy_task: str | None = None
    volume_type: str = 'SATA'
    encrypted: bool = False
    multiattach: bool = False
    replicated: bool = False  # it belongs to a disaster-recovery site
    # The id of the backup whose data it has: none before it is restored.
    content: str | None = None
    updated_at: str | None = None


@dataclass
class Snapshot:
    id: str
    name: str
    project_id: str
    volume_id: str
    size: int  # GB
    status: str
    created_at: str


@dataclass
class Server:
    id: str
    name: str
    project_id: str
    status: str
    availability_zone: str
    address: str
    created_at: str
    volumes: list[Volume] = field(default_factory=list)
    # As for a disk, and what CSBS says to whoever asks beforehand.
    creation: str | None = None
    protectable: bool = True
    protectable_code: str = ''
    protectable_message: str = ''
    # The same for restores.
    restore: str | None = None
    restorable: bool = True
    restorable_code: str = ''
    restorable_message: str = ''
    task_state: str | None = None

    def device_of(self, volume: Volume) -> str:
        """Where a disk is attached."""
        return f'/dev/vd{chr(97 + self.volumes.index(volume))}'


@dataclass
class Backup:
    """A backup of one disk, made by VBS or, as a part, by CSBS."""

    id: str
    serial: int
    name: str | None
    project_id: str
    volume_id: str
    size: int  # GB
    status: str
    created_at: str
    availability_zone: str = 'eu-de-01'
    incremental: bool = False
    parent_id: str | None = None
    snapshot_id: str | None = None
    source: str = 'vbs'
    description: str | None = None
    fail_reason: str | None = None
    updated_at: str | None = None
    data_timestamp: str | None = None
    service_metadata: str | None = None
    item_id: str | None = None  # the CSBS item it is a part of
    image: bool = False  # an image was made from it
    deletion_fails: bool = False


@dataclass
class Image:
    id: str
    name: str
    project_id: str
    size: int  # bytes
    created_at: str
    status: str = 'active'
    visibility: str = 'private'


@dataclass
class Share:
    id: str
    serial: int
    backup_id: str
    from_project_id: str
    to_project_id: str
    created_at: str
    updated_at: str | None = None


@dataclass
class DiskPart:
    """One disk in an item of CSBS; the backup itself is a VBS one."""

    backup_id: str
    name: str
    bootable: bool
    incremental: bool
    size: int  # MB
    snapshot_id: str
    volume_id: str
    volume_name: str
    volume_size: int  # GB


@dataclass
class CheckpointItem:
    """What a run of CSBS saved of one server."""

    id: str
    serial: int
    checkpoint_id: str
    project_id: str
    name: str
    status: str
    created_at: str
    resource_id: str
    resource_name: str
    availability_zone: str
    policy_id: str
    description: str = ''
    updated_at: str | None = None
    incremental: bool = False
    auto_trigger: bool = False
    address: str = ''
    parts: list[DiskPart] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    tags: list[dict[str, str]] = field(default_factory=list)
    fail_op: str = ''
    fail_reason: str = ''
    fail_code: dict[str, str] = field(default_factory=dict)
    deletion_fails: bool = False
    task_id: str = ''
    restore_mode: str = 'backup'

    @property
    def size(self) -> int:
        """MB."""
        return sum(part.size for part in self.parts)

    def fail(self, operation: str, reason: str) -> None:
        """Say what went wrong; the status is another matter."""
        self.fail_op = operation
        self.fail_reason = reason
        self.fail_code = {'Code': 'CSBS.9999', 'Description': reason}

    def clear_failure(self) -> None:
        """What was done last went well."""
        self.fail_op = ''
        self.fail_reason = ''
        self.fail_code = {}


@dataclass
class Checkpoint:
    """What one run of CSBS saved: an item for each server."""

    id: str
    serial: int
    project_id: str
    name: str
    created_at: str
    policy_id: str
    policy_name: str
    auto_trigger: bool = False
    items: list[CheckpointItem] = field(default_factory=list)
    # The servers whose items have not appeared yet.
    awaited: list[Server] = field(default_factory=list)
    # What is to say while it has no items, or none any more (Karbor goes
    # on showing it).
    status: str = 'available'


@dataclass
class Job:
    id: str
    project_id: str
    job_type: str
    begin_time: str
    backup_id: str
    volume_id: str = ''
    snapshot_id: str = ''
    status: str = 'RUNNING'
    end_time: str | None = None
    error_code: str | None = None
    fail_reason: str | None = None


@dataclass
class Restore:
    """A server backup on its way to a server."""

    id: str
    project_id: str
    item: CheckpointItem
    server: Server
    power_on: bool
    # Each backup of a volume, with the volume that it overwrites.
    targets: list[tuple[Backup, Volume]]
    wanted: dict[str, Any]  # as it was asked for
    begins: bool = True
    status: str = 'in_progress'
